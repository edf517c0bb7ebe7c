use super::monitored::{Job, monitored};
use super::reach::{Caller, Reach};
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, image, named, pods, release, with};
use serde_json::{Value, json};
use vigil_forms::url::{Authority, Url};
use vigil_stack::Stack;
use vigil_stack::model::{ProbeModule, ProbeTarget};

/// Its port.
const PORT: u16 = 9115;

/// The name of its objects, and of the Helm release that a Helm user has.
const NAME: &str = "prometheus-blackbox-exporter";

/// What alerts and dashboards know the probed by. Its own metrics have its Service's name.
const JOB: &str = "blackbox";

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.blackbox_exporter.image);
    Identity { name: NAME, instance: release(stack, NAME), component: "metrics", image }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let exporter = &stack.blackbox_exporter;
    vec![Workload {
        name: named(stack, NAME),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack).selector(),
        roles: exporter
            .targets
            .iter()
            .any(|target| is_own(stack, target))
            .then_some(Role::Prober)
            .into_iter()
            .collect(),
        on_node: false,
        // Whoever asks it has it send requests from inside of the cluster.
        ports: Some(vec![Port::tcp(PORT, [Peer::Pods(Role::Scraper)])]),
        reaches: exporter
            .targets
            .iter()
            .filter(|target| !is_own(stack, target))
            .flat_map(|it| asked(stack, it))
            .collect(),
    }]
}

/// Where a probe goes that is not for the stack itself.
fn asked(stack: &Stack, target: &ProbeTarget) -> Vec<Reach> {
    let caller = Caller { stack, namespace: stack.namespaces.monitoring.as_str() };
    let url = target.url.as_str();
    let found = match target.module {
        ProbeModule::Http2xx | ProbeModule::HttpPost2xx => caller.url(url),
        ProbeModule::TcpConnect => caller.address(url, &["TCP"]),
        ProbeModule::Dns => caller.address(url, &["TCP", "UDP"]),
        ProbeModule::Icmp => Some(Reach::Everything),
    };
    // Most of what answers by http leads on to https.
    let redirect = found.as_ref().filter(|_| url.starts_with("http://")).map(|_| Reach::https());
    found.into_iter().chain(redirect).collect()
}

/// Whether a target is a Service of the stack, as a pod of the exporter finds it: by its name alone in the exporter's own
/// namespace, or with the name of a namespace of the stack behind it.
fn is_own(stack: &Stack, target: &ProbeTarget) -> bool {
    let url = target.url.as_str();
    let Authority { host, is_bracketed, .. } =
        Url::split(url).map_or_else(|| Authority::split(url), |url| url.authority);
    let own = stack.namespaces.all();
    let is_own = |namespace: &str| own.iter().any(|own| own.as_str() == namespace);
    // No Service answers an echo request.
    target.module != ProbeModule::Icmp && !is_bracketed && host.split('.').nth(1).is_none_or(is_own)
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    let probes = stack.prometheus.enabled && !stack.blackbox_exporter.targets.is_empty();
    vec![Job::of("blackbox-exporter", named(stack, NAME), stack.prometheus.enabled), Job::of("probes", JOB, probes)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let exporter = &stack.blackbox_exporter;
    let namespace = stack.namespaces.monitoring.as_str();
    let own = json!({
        "name": named(stack, NAME),
        "namespace": namespace,
        "image": image(stack, &exporter.image),
        "replicas": exporter.replicas,
        "port": PORT,
        "job": JOB,
        "address": format!("{}.{namespace}.svc:{PORT}", named(stack, NAME)),
        "monitored": stack.prometheus.enabled,
        "targets": exporter.targets,
        "icmp": exporter.targets.iter().any(|target| target.module == ProbeModule::Icmp),
        "ipProtocol": exporter.ip_protocol,
        "dnsQuery": exporter.dns_query,
        "pods": pods(stack, exporter, Some(exporter.replicas.get())),
    });
    with(monitored(stack, identity(stack).facts()), own)
}
