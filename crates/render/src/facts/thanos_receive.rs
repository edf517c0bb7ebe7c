use super::monitored::{Job, monitored};
use super::thanos::{GRPC_PORT, HTTP_PORT, RECEIVE_REPLICA, is_monitored};
use super::workload::{Peer, Port, Role, Workload, browsers};
use super::{Identity, Web, image, metrics_release, persistence, pods, pods_of, service, with};
use serde_json::{Map, Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{SecretReference, ThanosReceiveTls};
use vigil_stack::units;

/// The port that takes samples, where Thanos takes them unless it is told another.
const WRITE_PORT: u16 = 19291;

/// The pods that keep samples.
const RECEIVE: &str = "thanos-receive";

/// Those that hand them out.
const ROUTER: &str = "thanos-receive-router";

/// The Service to which other clusters send: it may be open to the outside, where the ports for metrics and queries are not.
const ENTRANCE: &str = "thanos-receive-remote-write";

fn identity<'a>(stack: &'a Stack, name: &'a str) -> Identity<'a> {
    Identity { name, instance: metrics_release(stack), component: "long-term", image: Some(&stack.thanos.image) }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let receive = &stack.thanos_receive;
    let scraped = is_monitored(stack).then_some(Peer::Pods(Role::Scraper));
    let metrics = || scraped.map(|peer| Port::tcp(HTTP_PORT, [peer]));
    let senders: Vec<_> = browsers(&receive.effective_service(), receive.ingress.enabled).into_iter().collect();
    let of = |name: &str, roles, ports: Vec<Port>| Workload {
        name: name.to_owned(),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack, name).selector(),
        roles,
        on_node: false,
        ports: Some(ports.into_iter().chain(metrics()).collect()),
        reaches: Vec::new(),
    };
    let peers = [Peer::Pods(Role::Querier), Peer::Pods(Role::SampleRouter)];
    vec![
        of(RECEIVE, vec![Role::ObjectStorageClient], vec![Port::tcp(GRPC_PORT, peers)]),
        of(ROUTER, vec![Role::SampleRouter], vec![Port::tcp(WRITE_PORT, senders)]),
    ]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    [RECEIVE, ROUTER].into_iter().map(|name| Job::of(name, name, is_monitored(stack))).collect()
}

pub(super) fn facts(stack: &Stack) -> Value {
    let receive = &stack.thanos_receive;
    let namespace = stack.namespaces.monitoring.as_str();
    let service = service(&receive.effective_service(), WRITE_PORT);
    let web = Web {
        name: ENTRANCE,
        namespace,
        port: receive.service.port.map_or(WRITE_PORT, units::Port::get),
        external_url: None,
        ingress: &receive.ingress,
    };
    let mut entrance = web.facts();
    entrance["ingress"]["service"]["port"] = json!({ "name": "remote-write" });
    let host = |pod: u16| format!("{RECEIVE}-{pod}.{RECEIVE}.{namespace}.svc:{GRPC_PORT}");
    let own = json!({
        "name": RECEIVE,
        "replicas": receive.replicas,
        "pods": pods(stack, receive, Some(receive.replicas.get())),
        "writePort": WRITE_PORT,
        "replicaLabel": RECEIVE_REPLICA,
        "replicationFactor": receive.replication_factor,
        "retention": receive.retention,
        "data": "/var/thanos",
        "folder": "/etc/thanos-receive",
        "persistence": persistence(&receive.persistence),
        "hashring": [{ "algorithm": "ketama", "endpoints": (0..receive.replicas.get()).map(host).collect::<Vec<_>>() }],
        "tls": receive.tls.as_ref().map(tls),
        "service": service,
        "entrance": with(entrance, json!({ "name": ENTRANCE })),
        "router": with(process(stack, ROUTER), json!({
            "name": ROUTER,
            "replicas": receive.router.replicas,
            "pods": pods_of(stack, receive, ROUTER, Some(receive.router.replicas.get())),
        })),
    });
    with(process(stack, RECEIVE), own)
}

/// What both kinds of pods have.
fn process(stack: &Stack, name: &str) -> Map<String, Value> {
    let mut facts = monitored(stack, identity(stack, name).facts());
    facts.insert("namespace".to_owned(), json!(stack.namespaces.monitoring));
    facts.insert("monitored".to_owned(), is_monitored(stack).into());
    facts.insert("image".to_owned(), image(stack, &stack.thanos.image).into());
    facts
}

/// The files of the router's own certificate, from one volume, and whether senders need one.
fn tls(tls: &ThanosReceiveTls) -> Value {
    let source = |(file, secret): (&str, &SecretReference)| json!({ "secret": { "name": secret.name, "items": [{ "key": secret.key, "path": file }] } });
    json!({
        "folder": "/etc/thanos-receive-tls",
        "clientCa": tls.client_ca.is_some(),
        "sources": tls.files().into_iter().map(source).collect::<Vec<_>>(),
    })
}
