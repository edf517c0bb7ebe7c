//! The pods that objects make.

use crate::object::{Labels, Object};
use vigil_yaml::Node;

/// What an object says of the pods it makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PodTemplate<'a> {
    /// The mapping that holds `metadata` and `spec`.
    pub(crate) node: &'a Node,
    /// The pod's specification.
    pub(crate) spec: &'a Node,
}

impl<'a> PodTemplate<'a> {
    /// The pods of a Pod, or of a workload of Kubernetes' own.
    pub(crate) fn of(object: &Object<'a>) -> Option<Self> {
        let path: &[&str] = match (object.group, object.kind) {
            ("", "Pod") => &[],
            ("", "PodTemplate") => &["template"],
            ("apps", "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet")
            | ("", "ReplicationController")
            | ("batch", "Job") => &["spec", "template"],
            ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template"],
            _ => return None,
        };
        let node = object.at(path)?;
        Some(Self { node, spec: node.get("spec")? })
    }

    /// The pods' labels.
    pub(crate) fn labels(&self) -> Labels<'a> {
        Labels::of(self.node.at(&["metadata", "labels"]))
    }

    /// The init containers, then the containers.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &'a Node> {
        ["initContainers", "containers"].into_iter().filter_map(|key| self.spec.get(key)).flat_map(Node::items)
    }

    /// The volumes.
    pub(crate) fn volumes(&self) -> &'a [Node] {
        self.spec.get("volumes").map(Node::items).unwrap_or_default()
    }
}
