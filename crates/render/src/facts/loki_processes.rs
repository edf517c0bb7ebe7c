//! The pods that Loki is: of one kind, or of one for each thing that there is to do.

use super::monitored::{JOB_LABEL, labelled, monitored};
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, LOGS_RELEASE, image, logs_release, loki, memory, pods, pods_of, release, resources, with};
use serde_json::{Map, Value, json};
use vigil_stack::Stack;
use vigil_stack::model::LokiProcesses;

/// Loki's HTTP port: pushes, queries, metrics.
pub(super) const PORT: u16 = 3100;

/// Loki's gRPC port, which its parts use among themselves.
pub(super) const GRPC_PORT: u16 = 9095;

/// The port by which several processes find each other and say how they are.
pub(super) const GOSSIP_PORT: u16 = 7946;

/// The port of the gateway, which no root has to open.
const GATEWAY_PORT: u16 = 8080;

/// The port of a cache.
const CACHE_PORT: u16 = 11211;

/// The label that all pods of Loki itself have, and neither gateway nor caches.
const LOG_STORE: &str = "log-store";

/// A program of `mode: distributed`.
struct Process {
    /// What Loki calls it (`-target`); its container, and the end of its objects' names.
    name: &'static str,
    replicas: fn(&LokiProcesses) -> u16,
    /// Whether it keeps something on a volume.
    keeps: bool,
    /// Whether it reads or writes object storage.
    stores: bool,
    /// Whether the gateway passes requests to it.
    is_asked: bool,
}

/// Reads rules, and tells Alertmanager.
const RULER: &str = "ruler";

/// Lines that are not stored yet are in its pods, which leave the ring when they end.
const INGESTER: &str = "ingester";

/// A second one would delete what the first compacts.
const COMPACTOR: &str = "compactor";

const PROCESSES: [Process; 8] = [
    Process {
        name: "distributor",
        replicas: |all| all.distributor.replicas.get(),
        keeps: false,
        stores: false,
        is_asked: true,
    },
    Process { name: INGESTER, replicas: |all| all.ingester.replicas.get(), keeps: true, stores: true, is_asked: false },
    Process {
        name: "querier",
        replicas: |all| all.querier.replicas.get(),
        keeps: false,
        stores: true,
        is_asked: false,
    },
    Process {
        name: "query-frontend",
        replicas: |all| all.query_frontend.replicas.get(),
        keeps: false,
        stores: false,
        is_asked: true,
    },
    Process {
        name: "query-scheduler",
        replicas: |all| all.query_scheduler.replicas.get(),
        keeps: false,
        stores: false,
        is_asked: false,
    },
    Process {
        name: "index-gateway",
        replicas: |all| all.index_gateway.replicas.get(),
        keeps: true,
        stores: true,
        is_asked: false,
    },
    Process { name: COMPACTOR, replicas: |_| 1, keeps: true, stores: true, is_asked: true },
    Process { name: RULER, replicas: |all| all.ruler.replicas.get(), keeps: false, stores: true, is_asked: true },
];

/// A program beside Loki, that speaks another protocol than it.
struct Helper {
    name: &'static str,
    /// What it is in the stack.
    component: &'static str,
    replicas: fn(&LokiProcesses) -> u16,
    port: u16,
    peers: &'static [Role],
    roles: &'static [Role],
}

const GATEWAY: Helper = Helper {
    name: "gateway",
    component: "log-gateway",
    replicas: |all| all.gateway.replicas.get(),
    port: GATEWAY_PORT,
    peers: &[Role::LogSender, Role::Dashboards],
    roles: &[Role::LogGateway],
};

const CHUNKS: Helper = Helper {
    name: "chunks-cache",
    component: "log-cache",
    replicas: |all| all.chunks_cache.replicas.get(),
    port: CACHE_PORT,
    peers: &[Role::LogPeer],
    roles: &[],
};

const RESULTS: Helper = Helper { name: "results-cache", replicas: |all| all.results_cache.replicas.get(), ..CHUNKS };

/// The processes that a stack runs: no ruler without rules.
fn running(has_rules: bool) -> impl Iterator<Item = &'static Process> {
    PROCESSES.iter().filter(move |process| has_rules || process.name != RULER)
}

/// The program's name in labels, which is that of its objects in a stack without a name.
fn program(name: &str) -> String {
    format!("loki-{name}")
}

fn object(stack: &Stack, name: &str) -> String {
    format!("{}-{name}", logs_release(stack))
}

fn identity<'a>(stack: &'a Stack, program: &'a str, component: &'a str) -> Identity<'a> {
    let own = &stack.loki;
    let program_image = match component {
        LOG_STORE => &own.image,
        _ if component == GATEWAY.component => &own.distributed.gateway_image,
        _ => &own.distributed.cache_image,
    };
    Identity { name: program, instance: release(stack, LOGS_RELEASE), component, image: Some(program_image) }
}

pub(super) fn workloads(stack: &Stack, has_rules: bool, scraped: bool) -> Vec<Workload> {
    let of = |name: &str, component: &str, roles: Vec<Role>, ports: Vec<Port>| Workload {
        // Gateway and caches know nobody but Loki.
        reaches: if component == LOG_STORE { loki::reaches(stack) } else { Vec::new() },
        name: object(stack, name),
        namespace: stack.namespaces.logging.to_string(),
        selector: identity(stack, &program(name), component).selector(),
        roles,
        on_node: false,
        ports: Some(ports),
    };
    let process = |process: &Process| {
        let asking = [(Role::LogPeer, true), (Role::LogGateway, process.is_asked), (Role::Scraper, scraped)];
        let peers: Vec<_> = asking.into_iter().filter_map(|(role, asks)| asks.then_some(Peer::Pods(role))).collect();
        let own = [GRPC_PORT, GOSSIP_PORT].map(|port| Port::tcp(port, [Peer::Pods(Role::LogPeer)]));
        let roles = [
            (Role::LogPeer, true),
            (Role::AlertSender, process.name == RULER),
            (Role::ObjectStorageClient, process.stores),
        ];
        let roles = roles.into_iter().filter_map(|(role, is)| is.then_some(role)).collect();
        of(process.name, LOG_STORE, roles, [Port::tcp(PORT, peers)].into_iter().chain(own).collect())
    };
    let helper = |helper: &Helper| {
        let peers: Vec<_> = helper.peers.iter().copied().map(Peer::Pods).collect();
        of(helper.name, helper.component, helper.roles.to_vec(), vec![Port::tcp(helper.port, peers)])
    };
    running(has_rules).map(process).chain([GATEWAY, CHUNKS, RESULTS].iter().map(helper)).collect()
}

/// The pods of a Loki whose pods are all alike, as the templates take those of each process.
pub(super) fn alone(stack: &Stack, identity: Map<String, Value>, several: bool) -> Value {
    let loki = &stack.loki;
    let own = json!({
        "name": logs_release(stack),
        "namespace": stack.namespaces.logging,
        "container": "loki",
        "target": null,
        "replicas": loki.replicas(),
        "serviceName": format!("{}-headless", logs_release(stack)),
        "parallel": several,
        "gossips": several,
        "knowsZone": false,
        "hasRules": true,
        "tellsAlertmanager": false,
        "grace": 4800,
        "claims": loki.persistence.enabled,
        "autoscaler": null,
        "pods": pods(stack, loki, Some(loki.replicas())),
    });
    json!({ "stateful": [with(identity, own)], "stateless": [] })
}

/// The processes of `mode: distributed`: those that keep something, those that do not, and what they need beside them.
pub(super) fn facts(stack: &Stack, has_rules: bool) -> Value {
    let all = &stack.loki.distributed;
    let process = |process: &Process| {
        let (name, replicas) = (object(stack, process.name), (process.replicas)(all));
        let scaled = all.querier.max_replicas.filter(|_| process.name == "querier");
        let program = program(process.name);
        let own = identity(stack, &program, LOG_STORE).facts();
        let service = labelled(&own, JOB_LABEL, &logs_release(stack));
        let mut pods = pods_of(stack, &stack.loki, process.name, Some(replicas));
        if scaled.is_some() {
            pods["disruptionBudget"] = stack.pods_of(&stack.loki).disruption_budget.unwrap_or(true).into();
        }
        let facts = json!({
            "name": name,
            "namespace": stack.namespaces.logging,
            "container": process.name,
            "target": process.name,
            "replicas": replicas,
            "serviceName": name,
            "serviceLabels": service,
            // Whoever asks by gRPC keeps its connections, so it has to know all pods.
            "headless": process.keeps || process.name == "query-scheduler",
            "parallel": true,
            "gossips": true,
            "knowsZone": all.zone_aware && process.name == INGESTER,
            "hasRules": process.name == RULER,
            "tellsAlertmanager": process.name == RULER && loki::sends_alerts(stack),
            "claims": process.keeps && stack.loki.persistence.enabled,
            "grace": if process.name == INGESTER { 4800 } else { 60 },
            "autoscaler": scaled,
            "pods": pods,
        });
        with(own, facts)
    };
    let (stateful, stateless): (Vec<_>, Vec<_>) = running(has_rules).partition(|process| process.keeps);
    let cache = |cache: &Helper| {
        let megabytes = memory::cache(&resources(stack, &stack.loki, cache.name));
        helper(stack, cache, json!({ "image": image(stack, &all.cache_image), "megabytes": megabytes }))
    };
    json!({
        "stateful": stateful.into_iter().map(process).collect::<Vec<_>>(),
        "stateless": stateless.into_iter().map(process).collect::<Vec<_>>(),
        "gateway": helper(stack, &GATEWAY, json!({
            "image": image(stack, &all.gateway_image),
            "distributor": object(stack, "distributor"),
            "frontend": object(stack, "query-frontend"),
            "compactor": object(stack, COMPACTOR),
            "ruler": has_rules.then(|| object(stack, RULER)),
        })),
        "caches": [cache(&CHUNKS), cache(&RESULTS)],
        "chunksCache": addresses(stack, &CHUNKS),
        "resultsCache": addresses(stack, &RESULTS),
        "compactorAddress": grpc(stack, COMPACTOR),
        "schedulerAddress": grpc(stack, "query-scheduler"),
        "indexGatewayAddress": format!("dns+{}", grpc(stack, "index-gateway")),
        "tailUrl": format!("http://{}.{}.svc:{PORT}", object(stack, "querier"), stack.namespaces.logging),
        "zoneAware": all.zone_aware,
        "monitor": monitor(stack),
    })
}

fn helper(stack: &Stack, helper: &Helper, own: Value) -> Value {
    let replicas = (helper.replicas)(&stack.loki.distributed);
    let common = json!({
        "name": object(stack, helper.name),
        "namespace": stack.namespaces.logging,
        "container": helper.name,
        "port": helper.port,
        "replicas": replicas,
        "pods": pods_of(stack, &stack.loki, helper.name, Some(replicas)),
    });
    let program = program(helper.name);
    match with(identity(stack, &program, helper.component).facts(), common) {
        Value::Object(facts) => with(facts, own),
        other => other,
    }
}

/// Where a process is asked by gRPC.
fn grpc(stack: &Stack, name: &str) -> String {
    format!("{}.{}.svc:{GRPC_PORT}", object(stack, name), stack.namespaces.logging)
}

/// All pods of a cache, so that each key is in one of them.
fn addresses(stack: &Stack, cache: &Helper) -> String {
    format!("dnssrvnoa+_cache._tcp.{}.{}.svc", object(stack, cache.name), stack.namespaces.logging)
}

/// What all Services of Loki itself have in common: one ServiceMonitor finds them, and all metrics have one `job`.
fn monitor(stack: &Stack) -> Value {
    let mut facts = monitored(stack, identity(stack, "loki", LOG_STORE).facts());
    facts.insert("selector".to_owned(), all_pods(stack));
    with(
        facts,
        json!({
            "name": logs_release(stack),
            "namespace": stack.namespaces.logging,
            "monitored": loki::is_monitored(stack),
            "jobLabel": JOB_LABEL,
        }),
    )
}

/// The labels that all pods of Loki itself have.
pub(super) fn all_pods(stack: &Stack) -> Value {
    json!({ "app.kubernetes.io/component": LOG_STORE, "app.kubernetes.io/instance": release(stack, LOGS_RELEASE) })
}
