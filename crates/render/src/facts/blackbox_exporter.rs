use super::monitored::monitored;
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, image, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::ProbeModule;

/// Its port.
const PORT: u16 = 9115;

/// The name of its objects, and of the Helm release that a Helm user has.
const NAME: &str = "prometheus-blackbox-exporter";

/// What alerts and dashboards know the probed by. Its own metrics have its Service's name.
const JOB: &str = "blackbox";

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.blackbox_exporter.image);
    Identity { name: NAME, instance: NAME, component: "metrics", image }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    vec![Workload {
        name: NAME.to_owned(),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack).selector(),
        roles: &[],
        on_node: false,
        // Whoever asks it has it send requests from inside of the cluster.
        ports: Some(vec![Port::tcp(PORT, [Peer::Pods(Role::Scraper)])]),
    }]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let exporter = &stack.blackbox_exporter;
    let namespace = stack.namespaces.monitoring.as_str();
    let own = json!({
        "name": NAME,
        "namespace": namespace,
        "image": image(stack, &exporter.image),
        "replicas": exporter.replicas,
        "port": PORT,
        "job": JOB,
        "address": format!("{NAME}.{namespace}.svc:{PORT}"),
        "monitored": stack.prometheus.enabled,
        "targets": exporter.targets,
        "icmp": exporter.targets.iter().any(|target| target.module == ProbeModule::Icmp),
        "ipProtocol": exporter.ip_protocol,
        "dnsQuery": exporter.dns_query,
        "pods": pods(stack, exporter, Some(exporter.replicas.get())),
    });
    with(monitored(identity(stack).facts(&stack.labels_of("blackbox-exporter"))), own)
}
