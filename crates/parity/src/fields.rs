//! What differs between two normal objects, field by field.

use crate::align::align;
use serde_json::{Map, Value};

/// One place where the two sides differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) path: String,
    pub(crate) ours: Option<Value>,
    pub(crate) upstream: Option<Value>,
    /// How many values upstream states here.
    pub(crate) stated: usize,
}

/// What was counted on the way: single values, not mappings and lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Values that upstream states.
    pub(crate) stated: usize,
    /// Those of them that are the same in ours.
    pub(crate) equal: usize,
}

/// All differences, in the order of the paths; a mapping that one side lacks is one difference.
pub(crate) fn fields(ours: &Map<String, Value>, upstream: &Map<String, Value>) -> (Vec<Field>, Tally) {
    let mut found = (Vec::new(), Tally::default());
    mappings("", ours, upstream, &mut found);
    found
}

fn mappings(path: &str, ours: &Map<String, Value>, upstream: &Map<String, Value>, found: &mut (Vec<Field>, Tally)) {
    let mut keys: Vec<&String> = ours.keys().chain(upstream.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        values(&join(path, key), key, ours.get(key), upstream.get(key), found);
    }
}

fn values(path: &str, key: &str, ours: Option<&Value>, upstream: Option<&Value>, found: &mut (Vec<Field>, Tally)) {
    match (ours, upstream) {
        (Some(Value::Object(ours)), Some(Value::Object(upstream))) => {
            let there = usize::from(upstream.is_empty() || is_identity(key));
            found.1.stated += there;
            found.1.equal += there;
            mappings(path, ours, upstream, found);
        }
        (Some(Value::Array(ours)), Some(Value::Array(upstream))) if has_parts(ours) && has_parts(upstream) => {
            for (mine, theirs) in align(ours, upstream) {
                // Upstream's position, as a reader of the chart counts.
                let position = theirs.or(mine).unwrap_or_default();
                let path = format!("{path}[{position}]");
                values(&path, "", mine.map(|n| &ours[n]), theirs.map(|n| &upstream[n]), found);
            }
        }
        _ => {
            let stated = upstream.map_or(0, |value| stated(key, value));
            found.1.stated += stated;
            if ours == upstream {
                found.1.equal += stated;
            } else {
                found.0.push(Field { path: path.to_owned(), ours: ours.cloned(), upstream: upstream.cloned(), stated });
            }
        }
    }
}

/// A list of mappings or lists, whose entries are compared one by one; a list of texts is one value.
fn has_parts(list: &[Value]) -> bool {
    list.iter().any(|entry| entry.is_object() || entry.is_array())
}

/// Appends a key to a path: `spec` and `ports` and `[80/TCP]`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() || key.starts_with('[') { format!("{path}{key}") } else { format!("{path}.{key}") }
}

/// A key that identifies an entry of a list: that the entry is there is a statement of its own.
fn is_identity(key: &str) -> bool {
    key.starts_with('[')
}

/// How many values are stated below a key. A list of texts is one; an empty mapping states that it is there, and so
/// does an entry of a list by what identifies it.
pub(crate) fn stated(key: &str, value: &Value) -> usize {
    match value {
        Value::Object(entries) => {
            let below: usize = entries.iter().map(|(key, value)| stated(key, value)).sum();
            below + usize::from(entries.is_empty() || is_identity(key))
        }
        Value::Array(entries) if has_parts(entries) => entries.iter().map(|entry| stated("", entry)).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(ours: &Value, upstream: &Value) -> (Vec<String>, Tally) {
        let (fields, tally) = fields(ours.as_object().unwrap(), upstream.as_object().unwrap());
        (fields.into_iter().map(|field| field.path).collect(), tally)
    }

    #[test]
    fn paths_and_counts() {
        let ours = json!({"a": 1, "c": {"[x]": {"d": 1, "e": 2}}, "more": {"f": 1, "g": 1}, "list": ["a", "b"]});
        let upstream = json!({"a": 1, "b": {"x": 1, "y": 1}, "c": {"[x]": {"d": 1, "e": 3}}, "list": ["a", "b"]});
        let (paths, tally) = of(&ours, &upstream);
        assert_eq!(paths, ["b", "c[x].e", "more"]);
        assert_eq!(tally, Tally { stated: 7, equal: 4 }, "that there is an `x` in `c` is one");
    }

    #[test]
    fn an_empty_mapping_states_that_it_is_there() {
        let (paths, tally) = of(&json!({"emptyDir": {"medium": "Memory"}}), &json!({"emptyDir": {}}));
        assert_eq!((paths, tally), (vec!["emptyDir.medium".to_owned()], Tally { stated: 1, equal: 1 }));
        assert_eq!(of(&json!({}), &json!({"emptyDir": {}})).0, ["emptyDir"]);
    }

    #[test]
    fn a_new_entry_moves_nothing() {
        let ours = json!({"l": [{"a": 1}, {"a": 2, "b": 1}]});
        let upstream = json!({"l": [{"a": 0}, {"a": 1}, {"a": 2, "b": 2}]});
        assert_eq!(of(&ours, &upstream).0, ["l[0]", "l[2].b"]);
    }
}
