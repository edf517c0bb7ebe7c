//! VerticalPodAutoscalers for whatever makes pods.

use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::VerticalAutoscaler;

/// Kinds whose pods last, as a VerticalPodAutoscaler takes them.
const SCALED: [&str; 5] = ["Alertmanager", "DaemonSet", "Deployment", "Prometheus", "StatefulSet"];

/// The VerticalPodAutoscaler of an object of a component, if it makes pods and the stack asks for one.
pub(crate) fn autoscaler(stack: &Stack, component: &str, object: &Value) -> Option<Value> {
    if !object["kind"].as_str().is_some_and(|kind| SCALED.contains(&kind)) {
        return None;
    }
    let (_, part) = stack.parts().into_iter().find(|(name, _)| *name == component)?;
    let VerticalAutoscaler { update_mode, min_replicas, min_allowed, max_allowed } =
        stack.pods_of(part.pods()?).vertical_autoscaler?;
    // Limits are what programs are told to keep to, so they stay.
    let mut policy = json!({ "containerName": "*", "controlledValues": "RequestsOnly" });
    for (key, amounts) in [("minAllowed", &min_allowed), ("maxAllowed", &max_allowed)] {
        if amounts.cpu.is_some() || amounts.memory.is_some() {
            policy[key] = json!(amounts);
        }
    }
    let mut update = json!({ "updateMode": update_mode });
    if let Some(least) = min_replicas {
        update["minReplicas"] = json!(least);
    }
    Some(json!({
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": {
            "name": object["metadata"]["name"],
            "namespace": object["metadata"]["namespace"],
            "labels": object["metadata"]["labels"],
        },
        "spec": {
            "targetRef": {
                "apiVersion": object["apiVersion"],
                "kind": object["kind"],
                "name": object["metadata"]["name"],
            },
            "updatePolicy": update,
            "resourcePolicy": { "containerPolicies": [policy] },
        },
    }))
}
