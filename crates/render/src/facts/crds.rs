use super::workload::{Role, Workload};
use super::{Identity, METRICS_RELEASE};
use serde_json::Value;
use vigil_stack::Stack;

/// The labels of the definitions; what they hold is plain data.
pub(super) fn facts(_: &Stack) -> Value {
    let identity = Identity { name: "prometheus-operator", instance: METRICS_RELEASE, component: "crds", image: None };
    identity.facts().into()
}

/// Whether the stack has the operator, or objects that it makes pods of.
pub(super) fn enabled(stack: &Stack) -> bool {
    let concerned = |workload: &Workload| workload.has(Role::Operator) || workload.has(Role::Operated);
    super::workloads(stack).iter().any(concerned)
}
