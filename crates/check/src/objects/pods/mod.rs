//! Pods, wherever they stand: a Pod, or the template of a workload.

mod containers;
mod env;
mod mounts;
mod probes;
mod programs;
mod resources;
mod scheduling;
mod security;
mod settings;
mod volumes;

use super::judge::Judge;
use crate::fields::{given, items};
use crate::rule::Rule;
use crate::world::template::PodTemplate;
use vigil_yaml::{Data, Node};

/// The rules of all modules.
pub(super) fn rules() -> Vec<&'static Rule> {
    [
        containers::RULES,
        env::RULES,
        mounts::RULES,
        probes::RULES,
        programs::RULES,
        resources::RULES,
        scheduling::RULES,
        security::RULES,
        settings::RULES,
        volumes::RULES,
    ]
    .concat()
}

/// What kind of container one is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
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
struct Pod<'o> {
    template: PodTemplate<'o>,
    containers: Vec<(Role, &'o Node)>,
    /// The names of the volumes, also of those that a StatefulSet claims for each pod.
    volumes: Vec<(&'o str, &'o Node)>,
}

impl<'o> Pod<'o> {
    fn of(judge: &Judge<'_, 'o>) -> Option<Self> {
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

    fn spec(&self) -> &'o Node {
        self.template.spec
    }
}

/// Whether there is a pod at all: the schemas let most of the way to it be missing.
fn complete(judge: &mut Judge<'_, '_>) {
    let path: &[&str] = match (judge.object.group, judge.object.kind) {
        ("", "Pod") => &["spec"],
        ("apps", "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet")
        | ("", "ReplicationController")
        | ("batch", "Job") => &["spec", "template", "spec"],
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return,
    };
    let mut node = judge.object.node;
    for key in path {
        match given(node, key) {
            Some(next) => node = next,
            None if matches!(node.data, Data::Map(_)) => {
                let is_told = *key != "spec" && judge.object.kind != "ReplicationController";
                if !is_told {
                    judge.required(&containers::NAME, node, key);
                }
                return;
            }
            None => return,
        }
    }
}

/// Judges the pods of an object, if it makes any.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    complete(judge);
    let Some(pod) = Pod::of(judge) else { return };
    settings::check(judge, &pod);
    scheduling::check(judge, pod.spec());
    volumes::check(judge, &pod);
    containers::check(judge, &pod);
    security::check(judge, &pod);
    programs::check(judge, &pod);
    for (role, container) in &pod.containers {
        env::check(judge, container);
        mounts::check(judge, &pod, container);
        probes::check(judge, &pod, *role, container);
        resources::check(judge, container);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use crate::Rule;

    /// A pod of this specification breaks the rule as many times.
    pub(super) fn broken_in(spec: &str, rule: &Rule, times: usize) {
        broken(&format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {spec}\n"), rule, times);
    }

    /// A pod of this specification does not break the rule.
    pub(super) fn holds_in(spec: &str, rule: &Rule) {
        broken_in(spec, rule, 0);
    }

    /// A container with these fields breaks the rule as many times.
    pub(super) fn container(fields: &str, rule: &Rule, times: usize) {
        broken_in(&format!("{{containers: [{{name: a, image: a, {fields}}}]}}"), rule, times);
    }
}
