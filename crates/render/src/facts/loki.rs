use super::monitored::{Job, labelled, monitored};
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, LOGS_RELEASE, image, image_parts, memory, persistence, pods, startup, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::units::Duration;

/// Loki's HTTP port: pushes, queries, metrics.
const PORT: u16 = 3100;

/// Loki's gRPC port, which its parts use among themselves.
const GRPC_PORT: u16 = 9095;

fn identity(stack: &Stack) -> Identity<'_> {
    Identity { name: "loki", instance: LOGS_RELEASE, component: "log-store", image: Some(&stack.loki.image) }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let mut peers = vec![Peer::Pods(Role::LogSender), Peer::Pods(Role::Dashboards)];
    peers.extend(is_monitored(stack).then_some(Peer::Pods(Role::Scraper)));
    vec![Workload {
        name: LOGS_RELEASE.to_owned(),
        namespace: stack.namespaces.logging.to_string(),
        selector: identity(stack).selector(),
        roles: &[],
        on_node: false,
        ports: Some(vec![Port::tcp(PORT, peers)]),
    }]
}

fn is_monitored(stack: &Stack) -> bool {
    stack.loki.monitored && stack.prometheus.enabled
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("loki", LOGS_RELEASE, is_monitored(stack))]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let loki = &stack.loki;
    let facts = monitored(identity(stack).facts());
    let own = json!({
        "name": LOGS_RELEASE,
        "namespace": stack.namespaces.logging,
        "url": format!("http://{LOGS_RELEASE}.{}:{PORT}", stack.namespaces.logging),
        "port": PORT,
        "grpcPort": GRPC_PORT,
        "config": Some(&stack.loki.config).filter(|config| !config.is_empty()),
        "headlessLabels": labelled(&facts, "prometheus.io/service-monitor", "false"),
        "image": image(stack, &loki.image),
        "imageParts": image_parts(stack, &loki.image),
        // Loki reads Go durations, which know no days.
        "retention": loki.retention.as_ref().and_then(Duration::as_hours).map(|hours| format!("{hours}h")),
        "logLevel": loki.log_level,
        "persistence": persistence(&loki.persistence),
        "startup": startup(),
        "memory": memory::loki(&stack.pods_of(loki).resources),
        "monitored": is_monitored(stack),
        "pods": pods(stack, loki, Some(1)),
    });
    with(facts, own)
}
