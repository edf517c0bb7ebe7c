//! Two sets of Kubernetes objects in, the functional differences between them out: ours and what `helm template`
//! makes of the upstream charts. Nothing here touches disk, clock, environment or network.
//!
//! ```text
//! ours ─────┐            ┌─ pairs: which object answers to which
//! upstream ─┴─ normal ───┤                                        ├─► Report ─► table, Markdown, JSON
//!              (defaults, └─ fields: what differs inside a pair ──┘
//!               selectors,                        ▲
//!               bodies)            Differences ───┘ what differs deliberately, with the reason
//! ```
//!
//! Names that mean the same in both sets are resolved before anything is compared: a selector becomes the workloads
//! that it selects, a port's name its number, a rule of a role the permissions it grants. What a server adds by itself
//! is taken away on both sides.

mod align;
mod bodies;
mod differences;
mod fields;
mod flags;
mod normal;
mod object;
mod pairs;
mod permissions;
mod report;
mod set;

pub use differences::Differences;
pub use report::{Difference, Report, Summary};

use serde_json::Value;

/// Compares our objects with upstream's. Helm's test hooks are left out; lists of objects are opened.
pub fn compare(ours: &[Value], upstream: &[Value], differences: &Differences) -> Report {
    compared(ours, upstream, differences, None)
}

/// [`compare`] for objects that somebody has patched: what differs from upstream in them and not in those `before` the
/// patches is explained by these.
pub fn compare_patched(ours: &[Value], before: &[Value], upstream: &[Value], differences: &Differences) -> Report {
    let before = compare(before, upstream, differences);
    compared(ours, upstream, differences, Some(&before))
}

fn compared(ours: &[Value], upstream: &[Value], differences: &Differences, before: Option<&Report>) -> Report {
    let ours = set::Set::new(ours);
    let mut upstream = set::Set::new(upstream);
    let pairs = pairs::pairs(&ours, &mut upstream, differences);
    report::report(&ours, &upstream, &pairs, differences, before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vigil_yaml::{Limits, Node, Source};

    fn fixture(text: &str) -> Vec<Value> {
        let documents = vigil_yaml::read(&Source::new("fixture", text), &Limits::default()).unwrap();
        documents.iter().map(Node::to_json).collect()
    }

    /// Every value below `value`, each replaced in a copy of the whole by `by`.
    fn replaced(value: &Value, by: &Value) -> Vec<Value> {
        let mut copies = vec![by.clone()];
        match value {
            Value::Object(entries) => {
                for (key, entry) in entries {
                    for inner in replaced(entry, by) {
                        let mut copy = value.clone();
                        copy[key] = inner;
                        copies.push(copy);
                    }
                }
            }
            Value::Array(entries) => {
                for (n, entry) in entries.iter().enumerate() {
                    for inner in replaced(entry, by) {
                        let mut copy = value.clone();
                        copy[n] = inner;
                        copies.push(copy);
                    }
                }
            }
            _ => {}
        }
        copies
    }

    #[test]
    fn whatever_stands_in_a_file_is_compared() {
        let ours = fixture(include_str!("../tests/fixtures/ours.yaml"));
        let upstream = fixture(include_str!("../tests/fixtures/upstream.yaml"));
        let differences = Differences::default();
        for by in [json!(null), json!("x"), json!(1), json!([]), json!(["x"]), json!([{}]), json!({}), json!({"x": {}})]
        {
            for (n, object) in upstream.iter().enumerate() {
                for copy in replaced(object, &by) {
                    let mut hostile = upstream.clone();
                    hostile[n] = copy;
                    let report = compare(&ours, &hostile, &differences);
                    let counts = report.summary;
                    assert!(counts.equal + counts.listed <= counts.fields && counts.matched <= counts.objects);
                    assert_eq!(
                        compare(&hostile, &hostile, &differences).summary.unexplained,
                        0,
                        "{by}: {:#}",
                        hostile[n]
                    );
                }
            }
        }
    }
}
