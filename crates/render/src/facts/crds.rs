use super::{Identity, METRICS_RELEASE};
use serde_json::Value;
use vigil_stack::Stack;
use vigil_stack::model::Part as _;

/// The labels of the definitions; what they hold is plain data.
pub(super) fn facts(_: &Stack) -> Value {
    let identity = Identity { name: "prometheus-operator", instance: METRICS_RELEASE, component: "crds", image: None };
    identity.facts().into()
}

/// Whether the stack brings them. An operator that was there before has brought its own.
pub(super) fn enabled(stack: &Stack) -> bool {
    stack.prometheus_operator.is_in(stack) && stack.prometheus_operator.crds
}
