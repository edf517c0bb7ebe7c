//! What cannot work with as many pods as there are: budgets, claims, autoscalers and names in DNS.

use crate::fields::{given, integer, items, text, texts};
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use crate::selector::Selector;
use crate::world::pods::Pod;
use crate::world::{Found, World};
use std::collections::HashMap;
use vigil_yaml::{Node, Quoted};

rules! {
    EVICTION "disruption-budget-eviction" Warning Cluster "every PodDisruptionBudget lets a pod be evicted"
    SHARED "claim-shared" Warning Cluster "no claim of one node is mounted by several replicas"
    REQUESTS "autoscaler-requests" Warning Cluster "pods that an autoscaler measures by utilization request what is measured"
    HEADLESS "statefulset-headless" Warning Nobody "the Service of a StatefulSet with several replicas is headless"
}

/// Judges what depends on the number of pods.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    let mut budgets: HashMap<usize, &Object<'_>> = HashMap::new();
    for budget in world.judged("policy", "PodDisruptionBudget") {
        evictions(world, budget, findings);
        twice(world, budget, &mut budgets, findings);
    }
    for scaler in world.judged("autoscaling", "HorizontalPodAutoscaler") {
        requests(world, scaler, findings);
    }
    for pod in &world.pods {
        if let Some(object) = pod.object.filter(|object| !object.damaged && object.group == "apps") {
            claims(world, pod, object, findings);
        }
    }
    for set in world.judged("apps", "StatefulSet") {
        headless(world, set, findings);
    }
}

/// The autoscaler of a workload.
fn scaler_of<'a>(world: &World<'a>, workload: &Object<'_>) -> Option<&'a Object<'a>> {
    let is_its = |scaler: &&Object<'_>| {
        scaler.namespace == workload.namespace
            && text(scaler.node, ["spec", "scaleTargetRef", "kind"]) == Some(workload.kind)
            && text(scaler.node, ["spec", "scaleTargetRef", "name"]) == Some(workload.name)
    };
    world.judged("autoscaling", "HorizontalPodAutoscaler").find(is_its)
}

/// The most pods that a workload has, if it says: its autoscaler's where it has one.
pub(super) fn most(world: &World<'_>, workload: &Object<'_>) -> Option<i64> {
    if workload.kind == "DaemonSet" {
        return None;
    }
    match scaler_of(world, workload) {
        Some(scaler) => integer(scaler.node, ["spec", "maxReplicas"]),
        None => Some(integer(workload.node, ["spec", "replicas"]).unwrap_or(1)),
    }
}

/// Pods that a budget selects and another one, too: `canIgnorePDB` and what is around it in
/// pkg/registry/core/pod/storage/eviction.go of Kubernetes 1.37 answers with an error.
fn twice<'a>(
    world: &World<'_>,
    budget: &'a Object<'a>,
    budgets: &mut HashMap<usize, &'a Object<'a>>,
    findings: &mut Findings,
) {
    let Some(selector) = budget.at(&["spec", "selector"]) else { return };
    let mut other = None;
    for pod in world.select(budget.namespace, Selector::of(selector)) {
        let first = *budgets.entry(pod).or_insert(budget);
        if first.identity() != budget.identity() && other.is_none() {
            other = world.pods[pod].object.map(|object| (first, object));
        }
    }
    if let Some((first, object)) = other {
        findings
            .add(&EVICTION, budget, selector, format!("a second budget selects the pods of {object}"))
            .label(format!("{first} does so, too"))
            .help("leave them to one: a pod with two budgets is never evicted, and a drained node waits for ever");
    }
}

fn evictions(world: &World<'_>, budget: &Object<'_>, findings: &mut Findings) {
    let Some(spec) = budget.at(&["spec"]) else { return };
    let Some(selector) = spec.get("selector") else { return };
    let pods = world.select(budget.namespace, Selector::of(selector));
    let help = "a drained node waits for ever: let one pod be evicted, or remove the budget";
    if let Some(node) = given(spec, "maxUnavailable")
        && (node.integer() == Some(0) || node.text().is_some_and(|text| text.trim_end_matches('%').parse() == Ok(0)))
    {
        findings.add(&EVICTION, budget, node, "no pod may be evicted").label("expected `1` or more").help(help);
        return;
    }
    let Some(node) = given(spec, "minAvailable") else { return };
    if node.text() == Some("100%") {
        findings.add(&EVICTION, budget, node, "no pod may be evicted").label("all pods must be available").help(help);
        return;
    }
    let Some(least) = node.integer().filter(|least| *least > 0) else { return };
    // What is not seen to be all of them may be more.
    let owners: Option<Vec<&Object<'_>>> = pods.iter().map(|pod| world.pods[*pod].object).collect();
    let Some(owners) = owners.filter(|owners| !owners.is_empty()) else { return };
    let counts: Option<Vec<i64>> =
        owners.iter().map(|owner| if owner.group == "apps" { most(world, owner) } else { None }).collect();
    let Some(all) = counts.map(|counts| counts.iter().sum::<i64>()) else { return };
    if all > 0 && least >= all {
        let pods = if all == 1 { "pod" } else { "pods" };
        findings
            .add(&EVICTION, budget, node, "no pod may be evicted".to_owned())
            .label(format!("it selects {all} {pods}"))
            .help(help);
    }
}

/// Claims that one node alone can mount, of workloads with pods on several.
fn claims(world: &World<'_>, pod: &Pod<'_>, object: &Object<'_>, findings: &mut Findings) {
    let Some(spec) = pod.spec else { return };
    for volume in items(spec, "volumes") {
        let Some(at) = volume.at(&["persistentVolumeClaim", "claimName"]) else { continue };
        let Some(name) = at.text() else { continue };
        let Some(claim) = world.object("", "PersistentVolumeClaim", object.namespace, name) else { continue };
        let modes: Vec<&str> = texts(claim.node, ["spec", "accessModes"]).collect();
        let is_of_one = |mode: &&str| matches!(*mode, "ReadWriteOnce" | "ReadWriteOncePod");
        if modes.is_empty() || !modes.iter().all(is_of_one) {
            continue;
        }
        let many = match object.kind {
            "DaemonSet" => "a pod on every node".to_owned(),
            _ => match most(world, object) {
                Some(most) if most > 1 => format!("{most} replicas"),
                _ => return,
            },
        };
        let message = format!("the claim {} is {}, and there are {many}", Quoted(name), modes.join(", "));
        findings.add(&SHARED, object, at, message).label("expected `ReadWriteMany` or `ReadOnlyMany`").help(
            "pods on other nodes than the first wait for the volume: give each its own with `volumeClaimTemplates` of a \
             StatefulSet, or run one replica",
        );
    }
}

/// What an autoscaler measures as a share of what pods request.
fn requests(world: &World<'_>, scaler: &Object<'_>, findings: &mut Findings) {
    // What a LimitRange adds is as good.
    if world.set.of_kind("", "LimitRange").any(|range| range.namespace == scaler.namespace) {
        return;
    }
    let Some(to) = scaler.at(&["spec", "scaleTargetRef"]) else { return };
    let (Some(kind), Some(name)) = (text(to, "kind"), text(to, "name")) else { return };
    let Found::Here(workload) = world.find("apps", kind, scaler.namespace, name) else { return };
    let Some(pod) = world.number(workload).and_then(|number| world.made_by(number)) else { return };
    let Some(spec) = world.pods[pod].spec else { return };
    if given(spec, "resources").is_some() {
        return;
    }
    for metric in items(scaler.node, ["spec", "metrics"]) {
        let (of, only) = match text(metric, "type") {
            Some("Resource") => (metric.get("resource"), None),
            Some("ContainerResource") => {
                (metric.get("containerResource"), metric.at(&["containerResource", "container"]).and_then(Node::text))
            }
            _ => continue,
        };
        let Some(of) = of.filter(|of| text(of, ["target", "type"]) == Some("Utilization")) else { continue };
        let Some(at) = of.get("name") else { continue };
        let Some(resource) = at.text() else { continue };
        let asks = |container: &&Node| {
            ["requests", "limits"].iter().any(|key| given(container, ["resources", key, resource]).is_some())
        };
        let is_meant = |container: &&Node| only.is_none_or(|only| text(container, "name") == Some(only));
        let without = items(spec, "containers").iter().filter(is_meant).find(|container| !asks(container));
        if let Some(container) = without {
            let called = text(container, "name").unwrap_or_default();
            findings
                .add(&REQUESTS, scaler, at, format!("the container {} of {workload} requests no {}", Quoted(called), Quoted(resource)))
                .label("a share of nothing")
                .help(format!(
                    "add `resources.requests.{resource}` to the container: without it the autoscaler says `missing request \
                     for {resource}` and scales nothing"
                ));
        }
    }
}

/// The Service that gives the pods of a StatefulSet their names.
fn headless(world: &World<'_>, set: &Object<'_>, findings: &mut Findings) {
    let Some(at) = set.at(&["spec", "serviceName"]) else { return };
    let Some(name) = at.text().filter(|name| !name.is_empty()) else { return };
    if most(world, set).is_none_or(|most| most < 2) {
        return;
    }
    let help = "the pods have no names of their own in DNS: name a Service with `clusterIP: None` that selects them";
    if let Found::Here(service) = world.find("", "Service", set.namespace, name)
        && text(service.node, ["spec", "clusterIP"]) != Some("None")
    {
        let message = format!("the Service {} is not headless", Quoted(name));
        findings.add(&HEADLESS, set, at, message).label("expected one with `clusterIP: None`").help(help);
    }
}
