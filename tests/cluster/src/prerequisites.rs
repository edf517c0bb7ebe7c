//! What the documentation says that a stack expects of its cluster.

use crate::assets::program;
use crate::control_plane::ControlPlane;
use crate::failure::Result;
use crate::stacks::{Rendered, root};
use serde_json::json;
use vigil_render::Object;

/// The only node of a control plane. Nobody speaks for it but [`crate::nodes`].
pub(crate) const NODE: &str = "proof";

/// Groups of custom resources that a cluster brings, and what `tools/cluster/build` calls their definitions.
const DEFINITIONS: [(&str, &str); 3] = [
    (CERT_MANAGER, "cert-manager"),
    ("gateway.networking.k8s.io", "gateway-api"),
    ("autoscaling.k8s.io", "vertical-pod-autoscaler"),
];

/// The group of cert-manager's kinds.
pub(crate) const CERT_MANAGER: &str = "cert-manager.io";

/// Brings what a stack asks for: a node, namespaces of others, classes of pods and volumes, definitions of others.
pub(crate) fn bring(plane: &ControlPlane, stack: &Rendered) -> Result<()> {
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE,
            "labels": { "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": NODE },
        },
    });
    create(plane, "/api/v1/nodes", &node)?;
    // A new node is taken for one that is not ready.
    let ready = json!({ "spec": { "taints": null } }).to_string();
    let path = format!("/api/v1/nodes/{NODE}");
    plane.api.send("PATCH", &path, "application/merge-patch+json", &ready)?.ok("the node")?;
    for name in stack.foreign_namespaces() {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        create(plane, "/api/v1/namespaces", &namespace)?;
    }
    for name in stack.named("priorityClassName").iter().filter(|name| !name.starts_with("system-")) {
        let class = json!({
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": { "name": name },
            "value": 1000,
        });
        create(plane, "/apis/scheduling.k8s.io/v1/priorityclasses", &class)?;
    }
    for name in stack.named("storageClassName") {
        let class = json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": { "name": name },
            "provisioner": "kubernetes.io/no-provisioner",
        });
        create(plane, "/apis/storage.k8s.io/v1/storageclasses", &class)?;
    }
    for (group, definitions) in DEFINITIONS {
        if stack.has_group(group) {
            plane.kubectl.define([program(definitions, "")?.as_path()])?;
        }
    }
    // Where another stack brings the operator's definitions, they are those of this repository.
    let brings = |object: &Object| object.kind() == "CustomResourceDefinition";
    if stack.has_group("monitoring.coreos.com") && !stack.objects.iter().any(brings) {
        plane.kubectl.define([root().join("templates/crds").as_path()])?;
    }
    Ok(())
}

/// Makes an object unless it is there.
pub(crate) fn create(plane: &ControlPlane, path: &str, object: &serde_json::Value) -> Result<()> {
    let answer = plane.api.send("POST", path, "application/json", &object.to_string())?;
    if answer.status == 409 {
        return Ok(());
    }
    answer.ok(path).map(drop)
}
