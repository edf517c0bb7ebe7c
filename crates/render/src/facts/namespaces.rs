use super::workload::Workload;
use super::{Identity, with};
use crate::admission;
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::Namespaces;

/// The namespaces to create, each with the pod-security level that its pods need.
pub(super) fn facts(stack: &Stack) -> Value {
    let Namespaces { monitoring, logging, create, labels, annotations, .. } = &stack.namespaces;
    let of = |(name, level)| {
        let identity = Identity { name, instance: name, component: "namespace", image: None };
        with(
            identity.facts(),
            json!({ "name": name, "level": level, "own": labels, "annotations": Some(annotations).filter(|it| !it.is_empty()) }),
        )
    };
    let workloads = super::workloads(stack);
    let list: Vec<_> = own(stack, &workloads).into_iter().filter(|_| *create).map(of).collect();
    let assigned = admission::assigns_users(stack);
    let privileged: Vec<_> = workloads.iter().filter(|pods| assigned && pods.on_node).map(privileged).collect();
    json!({
        "list": list,
        "monitoring": monitoring,
        "logging": logging,
        "assignsUsers": assigned,
        "privileged": privileged,
        "nodeType": assigned.then_some(admission::NODE_TYPE),
    })
}

/// What sees its node, where that is not the namespace's to allow alone.
fn privileged(pods: &Workload) -> Value {
    let identity = Identity { name: &pods.name, instance: &pods.name, component: "namespace", image: None };
    with(identity.facts(), json!({ "name": pods.name, "namespace": pods.namespace }))
}

/// The stack's own namespaces that something runs in, and the pod-security level of each.
pub(super) fn own<'a>(stack: &'a Stack, workloads: &[Workload]) -> Vec<(&'a str, &'static str)> {
    let of = |name: &'a str| {
        let mut pods = workloads.iter().filter(|workload| workload.namespace == name).peekable();
        pods.peek()?;
        Some((name, if pods.any(|workload| workload.on_node) { "privileged" } else { "restricted" }))
    };
    stack.namespaces.all().into_iter().filter_map(|name| of(name.as_str())).collect()
}
