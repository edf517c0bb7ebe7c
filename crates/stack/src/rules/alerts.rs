//! Rules of one's own: each file makes one object.

use super::same_name;
use crate::findings::Findings;
use crate::model::{Alerts, Stack};

pub(crate) fn check(alerts: &Alerts, _: &Stack, findings: &mut Findings) {
    let names = alerts.rules.iter().map(|file| &file.name);
    same_name("alerts.rules", names, "rule files", "one would overwrite the other", findings);
}

#[cfg(test)]
mod tests {
    use crate::Stack;
    use crate::layers::Layer;
    use vigil_yaml::Source;

    /// What is wrong with a stack that names a file `a.yaml` with this text.
    fn wrong(text: &str) -> Vec<String> {
        let source = Source::new("stack.yaml", "alerts: {rules: [{name: a, file: a.yaml}]}");
        let top = Layer { source, path: "stack.yaml".into() };
        match Stack::of(top, &|_| Ok(Source::new("a.yaml", text))) {
            Ok(parsed) => {
                assert!(!parsed.stack.alerts.rules[0].groups.is_empty());
                Vec::new()
            }
            Err(problems) => problems.into_iter().map(|problem| problem.message).collect(),
        }
    }

    #[test]
    fn a_rule_file_is_what_prometheus_reads() {
        assert_eq!(wrong("groups:\n- {name: a, rules: []}\n"), [""; 0]);
        for (text, message) in [
            ("groups: []\n", "the rule file `a.yaml` has no rule groups"),
            ("", "the rule file `a.yaml` has no rule groups"),
            ("groups: [a]\n", "the rule file `a.yaml` has no rule groups"),
            (
                "spec:\n  groups: [{name: a}]\n",
                "the rule file `a.yaml` has the key `spec`, and a rule file has `groups` alone",
            ),
        ] {
            assert_eq!(wrong(text), [message], "{text}");
        }
        let broken = wrong("groups:\n- {name: a\n");
        assert!(broken[0].starts_with("the rule file `a.yaml` is not YAML: a.yaml:"), "{broken:?}");
    }

    #[test]
    fn what_is_too_large_for_kubectl_is_refused() {
        let rules = "  - {record: a, expr: b}\n".repeat(12_000);
        let large = wrong(&format!("groups:\n- name: a\n  rules:\n{rules}"));
        assert!(large[0].contains(" KiB in an object, and `kubectl apply` has room for 240"), "{large:?}");
    }

    #[test]
    fn each_file_has_a_name_of_its_own() {
        let text = "alerts: {enabled: false, rules: [{name: a, file: a.yaml}, {name: a, file: b.yaml}]}";
        let problems = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap();
        assert_eq!(problems[0].message, "two rule files are called `a`");
    }
}
