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
    TARGET "autoscaler-target" Error Cluster "the workload that a HorizontalPodAutoscaler scales exists"
    REPLICAS "autoscaled-replicas" Note Nobody "a workload with a HorizontalPodAutoscaler has no `replicas`"
}

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
        target(world, scaler, findings);
    }
}

fn target(world: &World<'_>, scaler: &Object<'_>, findings: &mut Findings) {
    let Some(to) = scaler.at(&["spec", "scaleTargetRef"]) else { return };
    let (Some(kind), Some(name), Some(at)) = (text(to, ["kind"]), text(to, ["name"]), to.get("name")) else { return };
    let group = text(to, ["apiVersion"]).and_then(|api| Some(api.split_once('/')?.0)).unwrap_or_default();
    match world.find(group, kind, scaler.namespace, name) {
        Found::Here(workload) => {
            if let Some(replicas) = workload.at(&["spec", "replicas"]).filter(|replicas| !replicas.is_null()) {
                findings
                    .add(&REPLICAS, workload, replicas, "each apply sets the number that the autoscaler has changed")
                    .label(format!("scaled by {scaler}"))
                    .help("remove `replicas`; the autoscaler begins with its minimum");
            }
        }
        Found::Elsewhere(_) => {}
        Found::Nowhere => {
            let wanted = Wanted { group, kind, namespace: scaler.namespace, name };
            missing(world, findings, &TARGET, scaler, at, wanted);
        }
    }
}
