//! How many pods there are, and which of them give way: HorizontalPodAutoscalers, PodDisruptionBudgets and
//! PriorityClasses.

use super::judge::{Form, Judge, text_or_empty};
use super::selectors;
use crate::fields::{amount, filled, given, items};
use crate::rule::rules;
use vigil_forms::name::is_path_segment;
use vigil_forms::quantity::percent;
use vigil_yaml::{Node, Quoted};

rules! {
    REPLICAS "autoscaler-replicas" Error Server "every HorizontalPodAutoscaler has a valid `minReplicas`, `maxReplicas` and `scaleTargetRef`"
    METRIC "autoscaler-metric" Error Server "every metric of a HorizontalPodAutoscaler has one source and a target"
    BEHAVIOUR "autoscaler-behaviour" Error Server "every HorizontalPodAutoscaler has valid scaling policies (`behavior`)"
    BUDGET "disruption-budget" Error Server "every PodDisruptionBudget has `minAvailable` or `maxUnavailable`, and not both"
    PRIORITY "priority-class" Error Server "every PriorityClass has a value below that of system classes"
}

const SEGMENT: Form = (is_path_segment, "a name", "neither `/` nor `%` in it");

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    match (object.group, object.kind) {
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler(judge),
        ("policy", "PodDisruptionBudget") => budget(judge),
        ("scheduling.k8s.io", "PriorityClass") => priority(judge),
        _ => {}
    }
}

fn autoscaler(judge: &mut Judge<'_, '_>) {
    let Some(spec) = judge.object.at(&["spec"]) else { return };
    judge.range(&REPLICAS, spec.get("minReplicas"), 0..=i64::MAX);
    judge.range(&REPLICAS, spec.get("maxReplicas"), 1..=i64::MAX);
    // One is meant where none is named.
    let least = given(spec, "minReplicas").map_or(Some(1), Node::integer);
    if let (Some(least), Some((node, most))) =
        (least, spec.get("maxReplicas").and_then(|node| Some((node, node.integer()?))))
        && least > most
        && most > 0
    {
        judge
            .add(&REPLICAS, node, format!("at most {most} replicas, but at least {least}"))
            .label(format!("expected {least} or more"));
    }
    target(judge, spec.get("scaleTargetRef"));
    let target = given(spec, "scaleTargetRef").filter(|_| judge.since(34));
    if let Some((node, version)) = target.and_then(|target| filled(target, "apiVersion"))
        && version.matches('/').count() > 1
    {
        judge
            .add(&REPLICAS, node, format!("{} is no group and version", Quoted(version)))
            .label("expected such as `apps/v1`");
    }
    if let Some(target) = target
        && text_or_empty(target, "apiVersion").is_some_and(|version| !version.contains('/'))
    {
        judge
            .within(&REPLICAS, target, "what is scaled is named without the group of its API")
            .label("expected `apiVersion:` with a group, such as `apps/v1`")
            .help("Kubernetes 1.34 and later refuse the autoscaler without it");
    }
    judge.range(&METRIC, spec.get("targetCPUUtilizationPercentage"), 1..=i64::MAX);
    for metric in items(spec, "metrics") {
        metric_of(judge, metric);
    }
    let is_waking = |metric: &Node| matches!(metric.get("type").and_then(Node::text), Some("Object" | "External"));
    if let Some(node) = spec.get("minReplicas").filter(|node| node.integer() == Some(0))
        && !items(spec, "metrics").iter().any(is_waking)
    {
        judge
            .add(&REPLICAS, node, "no metric says when the first pod is wanted")
            .label("expected 1 or more, or a metric of type `Object` or `External`");
    }
    for direction in ["scaleUp", "scaleDown"] {
        if let Some(rules) = spec.at(&["behavior", direction]) {
            behaviour(judge, rules);
        }
    }
}

fn target(judge: &mut Judge<'_, '_>, node: Option<&Node>) {
    let Some(node) = node else { return };
    for key in ["kind", "name"] {
        judge.not_empty(&REPLICAS, node, key);
        judge.form(&REPLICAS, node.get(key), SEGMENT);
    }
}

fn metric_of(judge: &mut Judge<'_, '_>, metric: &Node) {
    const SOURCES: [(&str, &str); 5] = [
        ("Resource", "resource"),
        ("ContainerResource", "containerResource"),
        ("Pods", "pods"),
        ("Object", "object"),
        ("External", "external"),
    ];
    judge.set_to_one_of(&METRIC, metric.get("type"), &SOURCES.map(|(kind, _)| kind));
    let kind = metric.get("type").and_then(Node::text);
    let Some((kind, own)) = SOURCES.iter().find(|(known, _)| Some(*known) == kind) else { return };
    let Some(source) = given(metric, own) else {
        let finding = judge.within(&METRIC, metric, format!("a metric of type `{kind}` without a source"));
        finding.label(format!("expected `{own}`"));
        return;
    };
    for (_, other) in SOURCES.iter().filter(|(_, other)| other != own) {
        judge.forbid(&METRIC, metric, &[other], &format!("has no place in a metric of type `{kind}`"));
    }
    if *own == "object" {
        target(judge, source.get("describedObject"));
    }
    judge.form(&METRIC, source.at(&["metric", "name"]), SEGMENT);
    if *own == "resource" || *own == "containerResource" {
        judge.not_empty(&METRIC, source, "name");
        judge.not_empty(&METRIC, source, "container");
    } else if let Some(metric) = given(source, "metric") {
        judge.not_empty(&METRIC, metric, "name");
    }
    let Some(target) = given(source, "target") else { return };
    judge.set_to_one_of(&METRIC, target.get("type"), &["Utilization", "Value", "AverageValue"]);
    judge.range(&METRIC, target.get("averageUtilization"), 1..=i64::MAX);
    for key in ["value", "averageValue"] {
        if let Some(node) = given(target, key)
            && amount(node).is_some_and(|value| value <= 0)
        {
            judge.add(&METRIC, node, "a target that nothing can be below").label("expected more than 0");
        }
    }
    let (needed, exclusive): (&[&str], bool) = match *own {
        "pods" => (&["averageValue"], false),
        "object" => (&["value", "averageValue"], false),
        "external" => (&["value", "averageValue"], true),
        _ => (&["averageUtilization", "averageValue"], true),
    };
    let there = needed.iter().filter(|key| given(target, *key).is_some()).count();
    let names = vigil_yaml::words::list(needed, "or");
    if there == 0 {
        judge.within(&METRIC, target, "a target without a value").label(format!("expected {names}"));
    } else if there > 1 && exclusive {
        judge.within(&METRIC, target, "a target with two values").label(format!("expected {names}")).help("keep one");
    }
}

fn behaviour(judge: &mut Judge<'_, '_>, rules: &Node) {
    judge.set_to_one_of(&BEHAVIOUR, rules.get("selectPolicy"), &["Max", "Min", "Disabled"]);
    judge.range(&BEHAVIOUR, rules.get("stabilizationWindowSeconds"), 0..=3600);
    if let Some(node) = rules.get("tolerance").filter(|node| amount(node).is_some_and(|amount| amount < 0)) {
        judge.add(&BEHAVIOUR, node, "a tolerance below nothing").label("expected 0 or more, such as `0.1`");
    }
    judge.not_empty(&BEHAVIOUR, rules, "policies");
    for policy in items(rules, "policies") {
        judge.set_to_one_of(&BEHAVIOUR, policy.get("type"), &["Pods", "Percent"]);
        judge.range(&BEHAVIOUR, policy.get("value"), 1..=i64::MAX);
        judge.range(&BEHAVIOUR, policy.get("periodSeconds"), 1..=1800);
    }
}

fn budget(judge: &mut Judge<'_, '_>) {
    let Some(spec) = judge.object.at(&["spec"]) else { return };
    if let Some(selector) = spec.get("selector") {
        selectors::selector(judge, selector);
    }
    let limits = ["minAvailable", "maxUnavailable"];
    if limits.iter().all(|key| given(spec, key).is_some())
        && let Some(entry) = spec.entry("maxUnavailable")
    {
        judge
            .add(&BUDGET, entry, "`maxUnavailable` beside `minAvailable`")
            .label("expected one of the two")
            .help("remove one of the two");
    }
    for node in limits.iter().filter_map(|key| given(spec, key)) {
        judge.range(&BUDGET, Some(node), 0..=i64::MAX);
        if let Some(text) = node.text().filter(|text| percent(text).is_none_or(|share| share > 100)) {
            judge
                .add(&BUDGET, node, format!("{} is neither a number nor a percentage", Quoted(text)))
                .label("expected such as `1` or `50%`, at most `100%`");
        }
    }
    let policies = ["IfHealthyBudget", "AlwaysAllow"];
    judge.one_of(&BUDGET, spec.get("unhealthyPodEvictionPolicy"), &policies);
    judge.not_empty(&BUDGET, spec, "unhealthyPodEvictionPolicy");
}

fn priority(judge: &mut Judge<'_, '_>) {
    const KNOWN: [&str; 2] = ["system-cluster-critical", "system-node-critical"];
    let object = judge.object;
    judge.set_to_one_of(&PRIORITY, object.node.get("preemptionPolicy"), &["PreemptLowerPriority", "Never"]);
    if !object.name.starts_with("system-") {
        judge.range(&PRIORITY, object.node.get("value"), i64::MIN..=1_000_000_000);
    } else if !KNOWN.contains(&object.name)
        && let Some(name) = object.at(&["metadata", "name"])
    {
        judge.add(&PRIORITY, name, "names that begin with `system-` are the cluster's own").help("choose another name");
    }
}
