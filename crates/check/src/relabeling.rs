//! Relabelings: what each action needs, and what it takes no notice of and is refused with.
//!
//! Source: `Validate` of `model/relabel/relabel.go` in Prometheus 3.8, and `validateRelabelConfig` of prometheus-operator
//! 0.93, which asks for the same in the words of its own fields.

use crate::fields::{filled, given, text, written};
use vigil_yaml::{Entry, Node};

/// How the fields of a relabeling are called.
pub(crate) struct Fields {
    source_labels: &'static str,
    target_label: &'static str,
    /// An empty `regex` is none.
    empty_regex: bool,
}

/// In objects of the operator.
pub(crate) const OF_OPERATOR: Fields =
    Fields { source_labels: "sourceLabels", target_label: "targetLabel", empty_regex: true };

/// In the configuration of Prometheus.
pub(crate) const OF_PROMETHEUS: Fields =
    Fields { source_labels: "source_labels", target_label: "target_label", empty_regex: false };

pub(crate) const ACTIONS: [&str; 11] = [
    "replace",
    "keep",
    "drop",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
    "keepequal",
    "dropequal",
];

/// What is wrong with a relabeling.
pub(crate) enum Wrong<'n> {
    /// There is no such action.
    Action(&'n Node),
    /// `hashmod` of how many.
    NoModulus,
    /// The result goes nowhere.
    NoTarget,
    /// A field that the action has no use for, and those that it has.
    Unused(&'n Entry, Vec<&'static str>),
}

/// The action of a relabeling, as it is written.
pub(crate) fn action(rule: &Node) -> &str {
    text(rule, "action").unwrap_or("replace")
}

impl Fields {
    /// All that is wrong with a relabeling, but for its regular expression.
    pub(crate) fn wrong<'n>(&self, rule: &'n Node) -> Vec<Wrong<'n>> {
        let action = action(rule).to_ascii_lowercase();
        if !ACTIONS.contains(&action.as_str()) {
            return rule.get("action").map(Wrong::Action).into_iter().collect();
        }
        let mut wrong = Vec::new();
        if action == "hashmod" && given(rule, "modulus").is_none_or(|node| written(node) == "0") {
            wrong.push(Wrong::NoModulus);
        }
        let targeted = ["replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"];
        if targeted.contains(&action.as_str()) && filled(rule, self.target_label).is_none() {
            wrong.push(Wrong::NoTarget);
        }
        let (source, target) = (self.source_labels, self.target_label);
        let (unused, used): (&[&str], &[&'static str]) = match action.as_str() {
            "lowercase" | "uppercase" => (&["replacement"], &[source, "separator", target]),
            "keepequal" | "dropequal" => (&["regex", "modulus", "separator", "replacement"], &[source, target]),
            "labeldrop" | "labelkeep" => (&[source, target, "modulus", "separator", "replacement"], &["regex"]),
            _ => (&[], &[]),
        };
        let entries = unused.iter().filter_map(|key| rule.entry(key)).filter(|entry| self.is_set(entry));
        wrong.extend(entries.map(|entry| Wrong::Unused(entry, used.to_vec())));
        wrong
    }

    /// Whether a field says something else than nothing: an empty separator or replacement is none of the default ones.
    fn is_set(&self, entry: &Entry) -> bool {
        if !entry.value.items().is_empty() {
            return true;
        }
        let value = written(&entry.value);
        match entry.key.text.as_str() {
            "regex" => value != "(.*)" && !(self.empty_regex && value.is_empty()),
            "separator" => value != ";",
            "replacement" => value != "$1",
            "modulus" => value != "0",
            _ => !value.is_empty(),
        }
    }
}
