use super::workload::Workload;
use super::{Identity, with};
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
    let list: Vec<_> = own(stack, &super::workloads(stack)).into_iter().filter(|_| *create).map(of).collect();
    json!({ "list": list, "monitoring": monitoring, "logging": logging })
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
