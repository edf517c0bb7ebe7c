//! Disruption budgets and autoscalers: the pods and workloads they are for.

use super::absent::{Wanted, missing, nothing_selected};
use crate::fields::text;
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use crate::selector::Selector;
use crate::world::{Found, World};

rules! {
    BUDGET "disruption-budget-selector" Warning Nobody "every PodDisruptionBudget selects pods"
    TARGET "autoscaler-target" Error Cluster "the workload that an autoscaler scales exists"
    REPLICAS "autoscaled-replicas" Note Nobody "a workload with a HorizontalPodAutoscaler has no `replicas`"
}

/// Kinds without the subresource `scale`.
const UNSCALED: [&str; 5] = ["DaemonSet", "Job", "CronJob", "Pod", "Service"];

/// Judges disruption budgets and autoscalers.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    for budget in world.judged("policy", "PodDisruptionBudget") {
        let Some(node) = budget.at(&["spec", "selector"]) else { continue };
        let selector = Selector::of(node);
        let is_idle = !selector.is_empty() && world.select(budget.namespace, selector).is_empty();
        if is_idle && !world.is_foreign(budget.namespace, selector) {
            nothing_selected(world, &BUDGET, budget, budget.namespace, node, selector, findings);
        }
    }
    for scaler in world.judged("autoscaling", "HorizontalPodAutoscaler") {
        if let Some(workload) = target(world, scaler, "scaleTargetRef", findings) {
            replicas(scaler, workload, findings);
        }
    }
    for scaler in world.judged("autoscaling.k8s.io", "VerticalPodAutoscaler") {
        target(world, scaler, "targetRef", findings);
    }
}

/// The workload of the set that an autoscaler names under a key.
fn target<'a>(world: &World<'a>, scaler: &Object<'_>, key: &str, findings: &mut Findings) -> Option<&'a Object<'a>> {
    let to = scaler.at(&["spec", key])?;
    let (kind, name, at) = (text(to, ["kind"])?, text(to, ["name"])?, to.get("name")?);
    // Of a kind without a group is told where the object itself is judged.
    let group = text(to, ["apiVersion"])?.split_once('/').map_or("", |(group, _)| group);
    if scaler.kind == "HorizontalPodAutoscaler" && UNSCALED.contains(&kind) {
        let at = to.get("kind").unwrap_or(at);
        findings
            .add(&TARGET, scaler, at, format!("a {kind} cannot be scaled"))
            .label("expected a kind with `replicas`, such as Deployment")
            .help("it has no `scale`, and the autoscaler says `FailedGetScale` for ever");
        return None;
    }
    match world.find(group, kind, scaler.namespace, name) {
        Found::Here(workload) => Some(workload),
        Found::Elsewhere(_) => None,
        Found::Nowhere => {
            let wanted = Wanted { group, kind, namespace: scaler.namespace, name };
            missing(world, findings, &TARGET, scaler, at, wanted);
            None
        }
    }
}

fn replicas(scaler: &Object<'_>, workload: &Object<'_>, findings: &mut Findings) {
    if let Some(replicas) = workload.at(&["spec", "replicas"]).filter(|replicas| !replicas.is_null()) {
        findings
            .add(&REPLICAS, workload, replicas, "each apply sets the number that the autoscaler has changed")
            .label(format!("scaled by {scaler}"))
            .help("remove `replicas`; the autoscaler begins with its minimum");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, deployment};

    #[test]
    fn what_vertical_autoscalers_scale() {
        for (name, expected) in [("web", ""), ("wbe", "autoscaler-target")] {
            let scaler = format!(
                "{{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {{name: a}}, spec: {{targetRef: \
                 {{apiVersion: apps/v1, kind: Deployment, name: {name}}}}}}}\n"
            );
            assert_eq!(broken(&(deployment("web", "containers: []") + &scaler)).join(" "), expected);
        }
    }
}
