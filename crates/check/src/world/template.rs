//! What objects say of the pods that they make.

use super::foreign;
use crate::fields::items;
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

    /// The same of kinds that are not known here, and have the template at the usual place, as Argo's Rollout has.
    pub(crate) fn foreign(object: &Object<'a>) -> Option<Self> {
        let node = object.at(&["spec", "template"]).filter(|_| foreign::may_make_pods(object))?;
        let spec = node.get("spec")?;
        let has_pods = spec.get("containers").is_some() || node.at(&["metadata", "labels"]).is_some();
        has_pods.then_some(Self { node, spec })
    }

    /// The pods' labels.
    pub(crate) fn labels(&self) -> Labels<'a> {
        Labels::of(self.node.at(&["metadata", "labels"]))
    }

    /// The init containers, then the containers.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let spec = self.spec;
        ["initContainers", "containers"].into_iter().flat_map(move |key| items(spec, key))
    }

    /// The volumes.
    pub(crate) fn volumes(&self) -> &'a [Node] {
        items(self.spec, "volumes")
    }
}
