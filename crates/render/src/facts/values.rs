use super::monitored::Job;
use super::workload::Workload;
use serde_json::{Value, json};
use vigil_stack::Stack;

pub(super) fn workloads(_: &Stack) -> Vec<Workload> {
    Vec::new()
}

pub(super) fn jobs(_: &Stack) -> Vec<Job> {
    Vec::new()
}

/// Everything else that the values files say is a fact of some other part.
pub(super) fn facts(stack: &Stack) -> Value {
    // The chart would put its own name behind that of the release.
    json!({ "fullname": stack.name })
}
