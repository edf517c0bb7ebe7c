//! Pods, wherever they stand: a Pod, or the template of a workload.

mod containers;
mod env;
mod mounts;
mod pod;
mod probes;
mod programs;
mod resources;
mod scheduling;
mod security;
mod settings;
mod volumes;

use super::judge::Judge;
use crate::fields::given;
use crate::rule::Rule;
use pod::Pod;
use vigil_yaml::Data;

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
        env::check(judge, &pod, container);
        mounts::check(judge, &pod, container);
        probes::check(judge, &pod, *role, container);
        resources::check(judge, container);
        resources::within(judge, pod.spec(), container);
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
