use super::monitored::{Job, labelled, monitored};
use super::reach::Reach;
use super::scrape_config::drops;
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, image, image_parts, metrics_release, pods, with};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use vigil_stack::Stack;
use vigil_stack::model::CustomResource;
use vigil_stack::units::{AllowedLabel, DnsLabel};

/// Its port for the metrics of the cluster's objects.
const PORT: u16 = 8080;

/// Its port for metrics of its own.
const TELEMETRY_PORT: u16 = 8081;

/// What alerts and dashboards know it by.
const JOB: &str = "kube-state-metrics";

/// Whether its pods share the objects of the cluster.
fn is_sharded(stack: &Stack) -> bool {
    stack.kube_state_metrics.shards.get() > 1
}

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.kube_state_metrics.image);
    Identity { name: "kube-state-metrics", instance: metrics_release(stack), component: "metrics", image }
}

fn name(stack: &Stack) -> String {
    format!("{}-kube-state-metrics", metrics_release(stack))
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let scraped = |port| Port::tcp(port, [Peer::Pods(Role::Scraper)]);
    vec![Workload {
        name: name(stack),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack).selector(),
        roles: Vec::new(),
        on_node: false,
        ports: Some(vec![scraped(PORT), scraped(TELEMETRY_PORT)]),
        reaches: vec![Reach::ApiServer],
    }]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    let scraped = stack.prometheus.enabled;
    vec![
        Job::of("kube-state-metrics", JOB, scraped),
        // The same, where there are shards to watch.
        Job::of("kube-state-metrics-shards", JOB, scraped && is_sharded(stack)),
    ]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let settings = &stack.kube_state_metrics;
    let told = settings.told();
    let names: Vec<_> = told.iter().map(|(name, _)| *name).collect();
    let labels = allowlist(&settings.metric_labels_allowlist);
    let annotations = allowlist(&settings.metric_annotations_allowlist);
    let custom: Vec<_> = settings.custom_resources().collect();
    let facts = monitored(stack, identity(stack).facts());
    let own = json!({
        "name": name(stack),
        "headlessLabels": labelled(&facts, "prometheus.io/service-monitor", "false"),
        "namespace": stack.namespaces.monitoring,
        "port": PORT,
        "telemetryPort": TELEMETRY_PORT,
        "image": image(stack, &settings.image),
        "imageParts": image_parts(stack, &settings.image),
        "resources": names.join(","),
        "resourceList": names,
        "allowlistFlags": allowlist_flags(&labels, &annotations),
        "labelsAllowlist": labels,
        "annotationsAllowlist": annotations,
        "rules": told.iter().map(|(name, group)| json!({ "group": group, "resource": name })).collect::<Vec<_>>(),
        "sharded": is_sharded(stack),
        "shards": settings.shards,
        "customResources": custom,
        "customResourceName": format!("{}-customresourcestate-config", name(stack)),
        "customRules": custom_rules(&custom),
        "drops": drops(&settings.drop),
        "pods": pods(stack, settings, Some(settings.shards.get())),
    });
    with(facts, own)
}

/// The custom resources that it lists, by their groups.
fn custom_rules(custom: &[&CustomResource]) -> Vec<Value> {
    let mut groups: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for resource in custom {
        groups.entry(resource.group_version_kind.group.as_str()).or_default().insert(resource.plural());
    }
    groups.into_iter().map(|(group, resources)| json!({ "group": group, "resources": resources })).collect()
}

/// What of objects becomes labels of metrics, a text for each resource: `pods=[team,app]`.
fn allowlist(allowed: &BTreeMap<DnsLabel, Vec<AllowedLabel>>) -> Vec<String> {
    let names = |names: &[AllowedLabel]| names.iter().map(AllowedLabel::as_str).collect::<Vec<_>>().join(",");
    allowed.iter().map(|(resource, list)| format!("{resource}=[{}]", names(list))).collect()
}

/// The flags for them; none for what is empty.
fn allowlist_flags(labels: &[String], annotations: &[String]) -> Vec<String> {
    let both = [("labels", labels), ("annotations", annotations)].into_iter().filter(|(_, list)| !list.is_empty());
    both.map(|(kind, list)| format!("--metric-{kind}-allowlist={}", list.join(","))).collect()
}
