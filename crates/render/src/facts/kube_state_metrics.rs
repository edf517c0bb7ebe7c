use super::monitored::{Job, monitored};
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, METRICS_RELEASE, image, image_parts, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;

/// Its port for the metrics of the cluster's objects.
const PORT: u16 = 8080;

/// Its port for metrics of its own.
const TELEMETRY_PORT: u16 = 8081;

/// What it tells of, and the API group of each: both its flag and its rights come from here.
const RESOURCES: &[(&str, &str)] = &[
    ("certificatesigningrequests", "certificates.k8s.io"),
    ("configmaps", ""),
    ("cronjobs", "batch"),
    ("daemonsets", "apps"),
    ("deployments", "apps"),
    ("endpointslices", "discovery.k8s.io"),
    ("horizontalpodautoscalers", "autoscaling"),
    ("ingresses", "networking.k8s.io"),
    ("jobs", "batch"),
    ("leases", "coordination.k8s.io"),
    ("limitranges", ""),
    ("mutatingwebhookconfigurations", "admissionregistration.k8s.io"),
    ("namespaces", ""),
    ("networkpolicies", "networking.k8s.io"),
    ("nodes", ""),
    ("persistentvolumeclaims", ""),
    ("persistentvolumes", ""),
    ("poddisruptionbudgets", "policy"),
    ("pods", ""),
    ("replicasets", "apps"),
    ("replicationcontrollers", ""),
    ("resourcequotas", ""),
    (SECRETS, ""),
    ("services", ""),
    ("statefulsets", "apps"),
    ("storageclasses", "storage.k8s.io"),
    ("validatingwebhookconfigurations", "admissionregistration.k8s.io"),
    ("volumeattachments", "storage.k8s.io"),
];

/// The resource whose listing shows what it holds.
const SECRETS: &str = "secrets";

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.kube_state_metrics.image);
    Identity { name: "kube-state-metrics", instance: METRICS_RELEASE, component: "metrics", image }
}

fn name() -> String {
    format!("{METRICS_RELEASE}-kube-state-metrics")
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let scraped = |port| Port::tcp(port, [Peer::Pods(Role::Scraper)]);
    vec![Workload {
        name: name(),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack).selector(),
        roles: &[],
        on_node: false,
        ports: Some(vec![scraped(PORT), scraped(TELEMETRY_PORT)]),
    }]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("kube-state-metrics", "kube-state-metrics", stack.prometheus.enabled)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let settings = &stack.kube_state_metrics;
    let told: Vec<_> = RESOURCES.iter().filter(|(name, _)| settings.secrets || *name != SECRETS).collect();
    let names: Vec<_> = told.iter().map(|(name, _)| *name).collect();
    let own = json!({
        "name": name(),
        "namespace": stack.namespaces.monitoring,
        "port": PORT,
        "telemetryPort": TELEMETRY_PORT,
        "image": image(stack, &settings.image),
        "imageParts": image_parts(stack, &settings.image),
        "resources": names.join(","),
        "resourceList": names,
        "rules": told.iter().map(|(name, group)| json!({ "group": group, "resource": name })).collect::<Vec<_>>(),
        "pods": pods(stack, settings, Some(1)),
    });
    with(monitored(identity(stack).facts()), own)
}
