//! A pod as it is judged: its containers with their roles, and its volumes by name.

use super::super::judge::Judge;
use crate::fields::items;
use crate::world::template::PodTemplate;
use vigil_yaml::Node;

/// What kind of container one is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Runs, ends, and only then the next one runs.
    Init,
    /// Begins with the init containers, and goes on running.
    Sidecar,
    /// Runs as long as the pod does.
    Main,
    /// Added to a running pod.
    Ephemeral,
}

/// A pod, or a template of pods.
pub(super) struct Pod<'o> {
    pub(super) template: PodTemplate<'o>,
    pub(super) containers: Vec<(Role, &'o Node)>,
    /// The names of the volumes, also of those that a StatefulSet claims for each pod.
    pub(super) volumes: Vec<(&'o str, &'o Node)>,
}

impl<'o> Pod<'o> {
    /// The pods that an object makes.
    pub(super) fn of(judge: &Judge<'_, 'o>) -> Option<Self> {
        let template = PodTemplate::of(judge.object)?;
        let init = items(template.spec, "initContainers").iter().map(|node| {
            let goes_on = node.get("restartPolicy").and_then(Node::text) == Some("Always");
            (if goes_on { Role::Sidecar } else { Role::Init }, node)
        });
        let main = items(template.spec, "containers").iter().map(|node| (Role::Main, node));
        let ephemeral = items(template.spec, "ephemeralContainers").iter().map(|node| (Role::Ephemeral, node));
        let named = |node: &'o Node, key: &[&str]| Some((node.at(key)?.text()?, node));
        let claims = judge.object.at(&["spec", "volumeClaimTemplates"]).filter(|_| judge.object.kind == "StatefulSet");
        let claimed =
            claims.map(Node::items).unwrap_or_default().iter().filter_map(|node| named(node, &["metadata", "name"]));
        let volumes = template.volumes().iter().filter_map(|node| named(node, &["name"]));
        Some(Self {
            volumes: claimed.chain(volumes).collect(),
            containers: init.chain(main).chain(ephemeral).collect(),
            template,
        })
    }

    /// Their specification.
    pub(super) fn spec(&self) -> &'o Node {
        self.template.spec
    }
}
