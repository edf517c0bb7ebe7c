//! Where pods may run: tolerations, affinities, spreading.

use super::super::judge::{Judge, QUALIFIED, is_blank};
use super::super::selectors;
use crate::fields::{filled, given, items};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::name;
use vigil_yaml::{Node, Quoted};

rules! {
    SCHEDULING "pod-scheduling" Error Server "tolerations, affinity and topology spread constraints are valid"
}

pub(super) fn check(judge: &mut Judge<'_, '_>, spec: &Node) {
    selectors::labels(judge, spec.get("nodeSelector"));
    for toleration in items(spec, "tolerations") {
        tolerate(judge, toleration);
    }
    if let Some(affinity) = given(spec, "affinity") {
        nodes(judge, affinity);
        pods(judge, affinity);
    }
    spread(judge, spec);
}

fn tolerate(judge: &mut Judge<'_, '_>, toleration: &Node) {
    // `Lt` and `Gt` need a feature gate, which is off unless somebody sets it.
    judge.one_of(&SCHEDULING, toleration.get("operator"), &["Equal", "Exists"]);
    judge.one_of(&SCHEDULING, toleration.get("effect"), &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
    let operator = filled(toleration, "operator").map_or("Equal", |(_, text)| text);
    match filled(toleration, "key") {
        Some((node, key)) if !name::is_qualified_name(key) => {
            judge.add(&SCHEDULING, node, format!("{} is no key of a taint", Quoted(key))).label(QUALIFIED);
        }
        None if matches!(operator, "Equal" | "Lt" | "Gt")
            && toleration.get("key").is_none_or(|key| key.is_null() || key.text().is_some()) =>
        {
            judge
                .add(&SCHEDULING, toleration, "a toleration without a key")
                .help("name a `key:`, or set `operator: Exists` to tolerate everything");
        }
        _ => {}
    }
    if let Some((node, value)) = filled(toleration, "value") {
        match operator {
            "Exists" => {
                judge
                    .add(&SCHEDULING, node, "`value` beside the operator `Exists`")
                    .help("remove the value, or write `operator: Equal`");
            }
            "Equal" if !name::is_label_value(value) => {
                judge
                    .add(&SCHEDULING, node, format!("{} is no value of a taint", Quoted(value)))
                    .label("expected at most 63 letters, digits, `-`, `_` and `.`");
            }
            "Lt" | "Gt" if value.parse::<i64>().is_err() => {
                judge
                    .add(&SCHEDULING, node, format!("{} is no number", Quoted(value)))
                    .label("expected a whole number");
            }
            _ => {}
        }
    }
    if let Some(entry) = toleration.entry("tolerationSeconds").filter(|entry| !entry.value.is_null())
        && filled(toleration, "effect").is_none_or(|(_, effect)| effect != "NoExecute")
    {
        judge
            .add(&SCHEDULING, entry, "only what is driven out can be tolerated for a time")
            .help("set `effect: NoExecute`, or remove it");
    }
}

fn nodes(judge: &mut Judge<'_, '_>, affinity: &Node) {
    let Some(nodes) = given(affinity, "nodeAffinity") else { return };
    if let Some(required) = given(nodes, "requiredDuringSchedulingIgnoredDuringExecution") {
        if let Some(node) = required.get("nodeSelectorTerms").filter(|node| !node.is_null() && node.items().is_empty())
        {
            judge.add(&SCHEDULING, node, "no node is selected").label("expected at least one term");
        }
        for term in items(required, "nodeSelectorTerms") {
            selectors::node_terms(judge, term, true);
        }
    }
    for preferred in items(nodes, "preferredDuringSchedulingIgnoredDuringExecution") {
        judge.range(&SCHEDULING, preferred.get("weight"), 1..=100);
        if let Some(term) = given(preferred, "preference") {
            selectors::node_terms(judge, term, false);
        }
    }
}

fn pods(judge: &mut Judge<'_, '_>, affinity: &Node) {
    for pods in ["podAffinity", "podAntiAffinity"].into_iter().filter_map(|key| given(affinity, key)) {
        for term in items(pods, "requiredDuringSchedulingIgnoredDuringExecution") {
            near(judge, term);
        }
        for preferred in items(pods, "preferredDuringSchedulingIgnoredDuringExecution") {
            judge.range(&SCHEDULING, preferred.get("weight"), 1..=100);
            if let Some(term) = given(preferred, "podAffinityTerm") {
                near(judge, term);
            }
        }
    }
}

/// A term of a pod's affinity.
fn near(judge: &mut Judge<'_, '_>, term: &Node) {
    if let Some(node) = term.get("topologyKey")
        && let Some(key) = node.text().filter(|key| !name::is_qualified_name(key))
    {
        judge.add(&SCHEDULING, node, format!("{} is no key of a node's label", Quoted(key))).label(QUALIFIED);
    }
    for selector in ["labelSelector", "namespaceSelector"].into_iter().filter_map(|key| given(term, key)) {
        selectors::selector(judge, selector);
    }
    for node in items(term, "namespaces") {
        if let Some(name) = node.text().filter(|name| !name::is_dns1123_label(name)) {
            judge
                .add(&SCHEDULING, node, format!("{} is no name of a namespace", Quoted(name)))
                .label(super::super::judge::LABEL);
        }
    }
    let keys: Vec<&str> = items(term, "matchLabelKeys").iter().filter_map(Node::text).collect();
    for node in items(term, "mismatchLabelKeys") {
        if let Some(key) = node.text().filter(|key| keys.contains(key)) {
            judge
                .add(&SCHEDULING, node, format!("{} is in `matchLabelKeys`, too", Quoted(key)))
                .help("remove one of the two: no pod has the same value and another one");
        }
    }
    for key in ["matchLabelKeys", "mismatchLabelKeys"] {
        label_keys(judge, term, key);
    }
}

/// Keys whose values the pod itself brings.
fn label_keys(judge: &mut Judge<'_, '_>, term: &Node, key: &str) {
    if items(term, key).is_empty() {
        return;
    }
    if let Some(entry) = term.entry(key).filter(|_| given(term, "labelSelector").is_none()) {
        judge
            .add(&SCHEDULING, entry, format!("`{key}` narrows a selector that is not there"))
            .help("set `labelSelector:`");
    }
    for node in items(term, key) {
        if let Some(text) = node.text().filter(|text| !name::is_qualified_name(text)) {
            judge.add(&SCHEDULING, node, format!("{} is no key of a label", Quoted(text))).label(QUALIFIED);
        }
    }
}

fn spread(judge: &mut Judge<'_, '_>, spec: &Node) {
    let mut seen = HashSet::new();
    for constraint in items(spec, "topologySpreadConstraints") {
        judge.range(&SCHEDULING, constraint.get("maxSkew"), 1..=i64::MAX);
        judge.range(&SCHEDULING, constraint.get("minDomains"), 1..=i64::MAX);
        judge.one_of(&SCHEDULING, constraint.get("whenUnsatisfiable"), &["DoNotSchedule", "ScheduleAnyway"]);
        judge.set_to_one_of(&SCHEDULING, constraint.get("nodeAffinityPolicy"), &["Honor", "Ignore"]);
        judge.set_to_one_of(&SCHEDULING, constraint.get("nodeTaintsPolicy"), &["Honor", "Ignore"]);
        for key in ["topologyKey", "whenUnsatisfiable"] {
            if is_blank(constraint, key) {
                judge.required(&SCHEDULING, constraint, key);
            }
        }
        if let Some(selector) = given(constraint, "labelSelector") {
            selectors::selector(judge, selector);
        }
        label_keys(judge, constraint, "matchLabelKeys");
        let text = |key: &str| filled(constraint, key).map(|(_, text)| text);
        let (Some(key), Some(action)) = (text("topologyKey"), text("whenUnsatisfiable")) else { continue };
        if !seen.insert((key, action)) {
            judge
                .add(
                    &SCHEDULING,
                    constraint,
                    format!("an earlier constraint is for {} and {}", Quoted(key), Quoted(action)),
                )
                .help("keep one of the two");
        }
        if let Some(entry) =
            constraint.entry("minDomains").filter(|entry| !entry.value.is_null() && action != "DoNotSchedule")
        {
            judge
                .add(&SCHEDULING, entry, "`minDomains` only counts where pods can be kept from running")
                .help("set `whenUnsatisfiable: DoNotSchedule`, or remove it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken_in;
    use super::SCHEDULING;

    fn judged(text: &str, times: usize) {
        broken_in(&format!("{{{text}, containers: [{{name: a, image: a}}]}}"), &SCHEDULING, times);
    }

    #[test]
    fn tolerations() {
        judged(
            "tolerations: [{operator: Exists}, {key: a, operator: Exists, effect: NoSchedule}, {key: a, value: b}]",
            0,
        );
        judged(
            "tolerations: [{effect: NoSchedule}, {key: a, operator: exists}, {key: a, operator: Exists, value: b}]",
            3,
        );
        judged("tolerations: [{key: a, tolerationSeconds: 5}, {key: a, effect: NoExecute, tolerationSeconds: 5}]", 1);
        judged("tolerations: [{key: a b, value: c}, {key: a, value: 'b c'}, {key: a, effect: noschedule}]", 3);
        judged("tolerations: [{key: a, operator: Gt, value: '5'}, {key: a, operator: Gt, value: x}]", 3);
    }

    #[test]
    fn affinities() {
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        judged(&format!("affinity: {{nodeAffinity: {{{required}: {{nodeSelectorTerms: []}}}}}}"), 1);
        judged(&format!("affinity: {{podAffinity: {{{required}: [{{topologyKey: a/b, labelSelector: {{}}}}]}}}}"), 0);
        judged(&format!("affinity: {{podAffinity: {{{required}: [{{topologyKey: '', namespaces: [A]}}]}}}}"), 2);
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        judged(
            &format!(
                "affinity: {{podAffinity: {{{preferred}: [{{weight: 0, podAffinityTerm: {{topologyKey: a}}}}]}}}}"
            ),
            1,
        );
        judged(&format!("affinity: {{nodeAffinity: {{{preferred}: [{{weight: 101, preference: {{}}}}]}}}}"), 1);
    }

    #[test]
    fn spreading() {
        let constraint = |rest: &str| format!("{{maxSkew: 1, topologyKey: a, whenUnsatisfiable: {rest}}}");
        let list = |all: &[&str]| {
            format!(
                "topologySpreadConstraints: [{}]",
                all.iter().map(|rest| constraint(rest)).collect::<Vec<_>>().join(", ")
            )
        };
        judged(&list(&["DoNotSchedule, minDomains: 1", "ScheduleAnyway"]), 0);
        judged(&list(&["DoNotSchedule", "DoNotSchedule"]), 1);
        judged(&list(&["ScheduleAnyway, minDomains: 1"]), 1);
        judged(&list(&["never"]), 1);
        judged(&list(&["DoNotSchedule, matchLabelKeys: [a]"]), 1);
        judged("topologySpreadConstraints: [{maxSkew: 0, topologyKey: '', whenUnsatisfiable: ''}]", 3);
    }
}
