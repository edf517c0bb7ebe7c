//! What a scheduler and a kubelet would do with a pod, as far as others look at it: no container runs.

use crate::control_plane::ControlPlane;
use crate::failure::{Failure, Result};
use crate::prerequisites::NODE;
use crate::process::wait_for;
use serde_json::{Value, json};
use std::time::Duration;
use vigil_render::Object;

/// A pod that its node says is running.
pub(crate) struct Pod {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
}

/// Waits for a pod of a workload, puts it on the node and says that it runs and is ready at an address.
pub(crate) fn run_one(plane: &ControlPlane, workload: &Object, address: &str) -> Result<Pod> {
    let namespace = workload.namespace();
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let labels = workload.value.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let ours =
        |pod: &Value| labels.is_some_and(|all| all.iter().all(|(key, is)| &pod["metadata"]["labels"][key] == is));
    let mut found = None;
    wait_for(Duration::from_secs(60), || {
        let list = plane.api.get(&pods).and_then(|answer| answer.ok(&pods)).unwrap_or_default();
        found = list["items"].as_array().into_iter().flatten().find(|pod| ours(pod)).cloned();
        found.is_some()
    });
    let pod = found.ok_or_else(|| Failure::new(format!("{} has no pod", workload.title())))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&pod["metadata"]["name"]);

    let binding = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": { "name": name },
        "target": { "apiVersion": "v1", "kind": "Node", "name": NODE },
    });
    let path = format!("{pods}/{name}/binding");
    plane.api.send("POST", &path, "application/json", &binding.to_string())?.ok("a pod on its node")?;
    let names = pod["spec"]["containers"].as_array().into_iter().flatten();
    let containers: Vec<_> = names
        .map(|container| {
            json!({
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": true,
                "restartCount": 0,
                "state": { "running": {} },
            })
        })
        .collect();
    let status = json!({ "status": {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{ "ip": address }],
        "conditions": [{ "type": "Ready", "status": "True" }],
        "containerStatuses": containers,
    }});
    let path = format!("{pods}/{name}/status");
    let merge = "application/strategic-merge-patch+json";
    plane.api.send("PATCH", &path, merge, &status.to_string())?.ok("a pod that runs")?;
    Ok(Pod { namespace: namespace.to_owned(), name, uid: text(&pod["metadata"]["uid"]) })
}
