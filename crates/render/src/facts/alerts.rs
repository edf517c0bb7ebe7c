use super::monitored::Job;
use super::workload::Workload;
use super::{metrics_release, rule_labels};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::RuleFile;

pub(super) fn workloads(_: &Stack) -> Vec<Workload> {
    Vec::new()
}

pub(super) fn jobs(_: &Stack) -> Vec<Job> {
    Vec::new()
}

/// Of rules of the stack's author alone: those of the set take what they need by words.
pub(super) fn facts(stack: &Stack) -> Value {
    let rules = |file: &RuleFile| json!({ "name": format!("{}-rules-{}", metrics_release(stack), file.name), "groups": file.groups });
    json!({
        "namespace": stack.namespaces.monitoring,
        "ruleLabels": rule_labels(stack, "alerts"),
        "rules": stack.alerts.rules.iter().map(rules).collect::<Vec<_>>(),
    })
}
