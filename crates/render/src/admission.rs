//! What OpenShift's SecurityContextConstraints want of pods, whatever their templates say.

use crate::facts;
use serde_json::{Map, Value, json};
use vigil_stack::Stack;
use vigil_stack::model::Admission;

/// What `restricted-v2` assigns: a pod that names one is refused unless it is in the range of its namespace.
const ASSIGNED: [&str; 3] = ["fsGroup", "runAsGroup", "runAsUser"];

/// The SELinux type of what reads the files of its node: with the usual one it may read none of them.
pub(crate) const NODE_TYPE: &str = "spc_t";

/// Whether users and groups are assigned to the pods of the stack's own namespaces.
pub(crate) fn assigns_users(stack: &Stack) -> bool {
    stack.namespaces.admission == Admission::Openshift
}

/// Makes the pods of an object what the cluster admits. In namespaces that are not the stack's it stays as it is: those of the
/// system, and `default`, have no constraints.
pub(crate) fn admit(stack: &Stack, component: &str, object: &mut Value) {
    let own = |namespace: &str| stack.namespaces.all().iter().any(|name| name.as_str() == namespace);
    if !assigns_users(stack) || !object["metadata"]["namespace"].as_str().is_some_and(own) {
        return;
    }
    let on_node = object["metadata"]["name"].as_str().is_some_and(|name| facts::is_on_node(stack, component, name));
    let at = if object.pointer("/spec/template/spec").is_some() { "/spec/template/spec" } else { "/spec" };
    let Some(pod) = object.pointer_mut(at).and_then(Value::as_object_mut) else { return };
    if on_node {
        if let Some(context) = pod.get_mut("securityContext").and_then(Value::as_object_mut) {
            context.insert("seLinuxOptions".to_owned(), json!({ "type": NODE_TYPE }));
        }
        return;
    }
    assign(pod);
    for containers in ["containers", "initContainers"] {
        let containers = pod.get_mut(containers).and_then(Value::as_array_mut);
        containers.into_iter().flatten().filter_map(Value::as_object_mut).for_each(assign);
    }
}

/// Leaves users and groups to the cluster.
fn assign(holder: &mut Map<String, Value>) {
    if let Some(context) = holder.get_mut("securityContext").and_then(Value::as_object_mut) {
        context.retain(|key, _| !ASSIGNED.contains(&key.as_str()));
    }
}
