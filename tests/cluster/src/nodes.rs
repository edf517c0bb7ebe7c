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
    run_one_of(plane, &workload.value, address)
}

/// The same for a workload that is not of the stack's own objects.
pub(crate) fn run_one_of(plane: &ControlPlane, workload: &Value, address: &str) -> Result<Pod> {
    let text = |key: &str| workload["metadata"][key].as_str().unwrap_or_default();
    let pods = format!("/api/v1/namespaces/{}/pods", text("namespace"));
    let labels = workload.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let ours =
        |pod: &Value| labels.is_some_and(|all| all.iter().all(|(key, is)| &pod["metadata"]["labels"][key] == is));
    let mut found = None;
    wait_for(Duration::from_secs(60), || {
        let list = plane.api.get(&pods).and_then(|answer| answer.ok(&pods)).unwrap_or_default();
        found = list["items"].as_array().into_iter().flatten().find(|pod| ours(pod)).cloned();
        found.is_some()
    });
    let pod = found.ok_or_else(|| Failure::new(format!("{} has no pod", text("name"))))?;
    run(plane, &pod, address)
}

/// Puts a pod on the node and says that it runs and is ready at an address.
pub(crate) fn run(plane: &ControlPlane, pod: &Value, address: &str) -> Result<Pod> {
    let binding = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": { "name": pod["metadata"]["name"] },
        "target": { "apiVersion": "v1", "kind": "Node", "name": NODE },
    });
    let path = format!("{}/binding", path(pod));
    plane.api.send("POST", &path, "application/json", &binding.to_string())?.ok("a pod on its node")?;
    let status = json!({
        "phase": "Running",
        "podIP": address,
        "podIPs": [{ "ip": address }],
        "conditions": [{ "type": "Ready", "status": "True" }],
        "containerStatuses": containers(pod, &json!({ "running": {} })),
    });
    report(plane, pod, &status)?;
    let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
    Ok(Pod { namespace: text("namespace"), name: text("name"), uid: text("uid") })
}

/// Says that all that a pod had to do is done.
pub(crate) fn succeed(plane: &ControlPlane, pod: &Value) -> Result<()> {
    let ended = json!({ "terminated": { "exitCode": 0, "reason": "Completed" } });
    report(plane, pod, &json!({ "phase": "Succeeded", "containerStatuses": containers(pod, &ended) }))
}

/// Lets a pod go that was asked to.
pub(crate) fn end(plane: &ControlPlane, pod: &Value) -> Result<()> {
    let now = json!({ "gracePeriodSeconds": 0 }).to_string();
    let answer = plane.api.send("DELETE", &path(pod), "application/json", &now)?;
    if answer.status == 404 { Ok(()) } else { answer.ok("a pod that goes").map(drop) }
}

fn report(plane: &ControlPlane, pod: &Value, status: &Value) -> Result<()> {
    let path = format!("{}/status", path(pod));
    let merge = "application/strategic-merge-patch+json";
    let answer = plane.api.send("PATCH", &path, merge, &json!({ "status": status }).to_string())?;
    answer.ok("the status of a pod").map(drop)
}

fn path(pod: &Value) -> String {
    let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default();
    format!("/api/v1/namespaces/{}/pods/{}", text("namespace"), text("name"))
}

fn containers(pod: &Value, state: &Value) -> Vec<Value> {
    let ready = state.get("running").is_some();
    let of = |container: &Value| {
        json!({
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": ready,
            "restartCount": 0,
            "state": state,
        })
    };
    pod["spec"]["containers"].as_array().into_iter().flatten().map(of).collect()
}
