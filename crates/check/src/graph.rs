//! Who connects to whom, drawn from the references that [`crate::check`] follows.

use crate::fields::{items, text};
use crate::finding::Findings;
use crate::object::{GATEWAY_API, MONITORING, Object};
use crate::references::flows::{Flow, flows};
use crate::set::Set;
use crate::world::World;
use crate::world::pods::Pod;
use crate::{Options, read};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vigil_yaml::{Node, Source};

/// Someone who connects, or is connected to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Whoever is outside of the cluster.
    Outside,
    /// The API server.
    ApiServer,
    /// Pods.
    Pods {
        /// Their namespace.
        namespace: String,
        /// The kind of what makes them, such as `Deployment`; empty for those that every cluster has.
        kind: String,
        /// Its name.
        name: String,
    },
}

/// Why one connects to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// By an Ingress, a route, or a Service that is open to the outside.
    Enters,
    /// The API server serves a further API from it, or asks whether it admits an object.
    IsAsked,
    /// Prometheus asks for metrics.
    Scrapes,
    /// It tries whether something answers.
    Probes,
    /// Prometheus sends alerts.
    Alerts,
    /// Its configuration names the other.
    Calls,
    /// Replicas tell each other what they know.
    Gossips,
}

impl Why {
    /// A verb.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Enters => "enters",
            Self::IsAsked => "asks",
            Self::Scrapes => "scrapes",
            Self::Probes => "probes",
            Self::Alerts => "alerts",
            Self::Calls => "calls",
            Self::Gossips => "gossips",
        }
    }
}

/// All connections from one to another for one reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// Who opens them.
    pub from: End,
    /// Who takes them.
    pub to: End,
    /// Why.
    pub why: Why,
    /// The ports, and by which way they are reached from the outside: `9090`, `NodePort 30090`, `Ingress grafana.example.com`.
    pub ports: Vec<String>,
}

/// The connections that the objects in `sources` need or allow, sorted. Objects that cannot be read are left out:
/// [`crate::check`] tells of them.
pub fn connections(sources: &[Arc<Source>], options: &Options) -> Vec<Connection> {
    let (documents, definitions) = read(sources, options);
    let set = Set::new(&documents, &definitions, options, &mut Findings::default());
    let distinct = set.distinct();
    let world = World::new(distinct.as_ref().unwrap_or(&set));
    let mut found: BTreeMap<(End, End, Why), BTreeSet<(i64, String)>> = BTreeMap::new();
    for flow in flows(&world) {
        let from = flow.from.map_or(End::ApiServer, |from| pods(&world.pods[from]));
        let key = (from, pods(&world.pods[flow.to]), why(&flow));
        found.entry(key).or_default().insert((flow.port, flow.port.to_string()));
    }
    for (to, port, way) in entrances(&world) {
        found.entry((End::Outside, pods(&world.pods[to]), Why::Enters)).or_default().insert((port, way));
    }
    let connection = |((from, to, why), ports): (_, BTreeSet<(i64, String)>)| {
        let ports = ports.into_iter().map(|(_, port)| port).collect();
        Connection { from, to, why, ports }
    };
    found.into_iter().map(connection).collect()
}

fn why(flow: &Flow<'_>) -> Why {
    let because = flow.because;
    match because.kind {
        _ if flow.from.is_none() => Why::IsAsked,
        "ServiceMonitor" | "PodMonitor" => Why::Scrapes,
        "Probe" => Why::Probes,
        "Prometheus" if because.group == MONITORING => Why::Alerts,
        "Alertmanager" if because.group == MONITORING => Why::Gossips,
        _ => Why::Calls,
    }
}

fn pods(pod: &Pod<'_>) -> End {
    let named = |key: &str| pod.labels.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
    let of_cluster = || {
        let name = ["k8s-app", "component", "app.kubernetes.io/name"].into_iter().find_map(named);
        (String::new(), name.unwrap_or_else(|| "pods".to_owned()))
    };
    let made = pod.object.map(|object| (object.kind.to_owned(), object.name.to_owned()));
    let (kind, name) = made.unwrap_or_else(of_cluster);
    End::Pods { namespace: pod.namespace.to_owned(), kind, name }
}

/// Who is reached from the outside: the pods, their port, and the way.
pub(crate) fn entrances(world: &World<'_>) -> Vec<(usize, i64, String)> {
    let mut found = Vec::new();
    for service in &world.services {
        let Some(object) = service.object else { continue };
        let kind = text(object.node, ["spec", "type"]).unwrap_or_default();
        if !["NodePort", "LoadBalancer"].contains(&kind) {
            continue;
        }
        for (port, node) in service.ports.iter().zip(items(object.node, ["spec", "ports"])) {
            let number = node.get("nodePort").filter(|_| kind == "NodePort").and_then(Node::integer);
            let way = format!("{kind} {}", number.unwrap_or(port.number));
            let behind = world.behind_port(service, port);
            found.extend(behind.into_iter().map(|(to, number)| (to, number, way.clone())));
        }
    }
    let mut lead =
        |object: &Object<'_>, namespace: &str, name: &str, number: Option<i64>, port: Option<&str>, host: &str| {
            let Some(service) = world.service(namespace, name) else { return };
            let is_it = |number: Option<i64>, name: Option<&str>, it: &crate::world::services::ServicePort<'_>| {
                number.map_or(name == Some(it.name), |number| number == it.number)
            };
            let way = format!("{} {host}", object.kind);
            for wanted in service.ports.iter().filter(|it| is_it(number, port, it)) {
                found.extend(world.behind_port(service, wanted).into_iter().map(|(to, port)| (to, port, way.clone())));
            }
        };
    for ingress in world.judged("networking.k8s.io", "Ingress") {
        for rule in items(ingress.node, ["spec", "rules"]) {
            let host = text(rule, ["host"]).unwrap_or("*");
            for path in items(rule, ["http", "paths"]) {
                let Some(to) = path.at(&["backend", "service"]) else { continue };
                let number = to.at(&["port", "number"]).and_then(Node::integer);
                let Some(name) = text(to, "name") else { continue };
                lead(ingress, ingress.namespace, name, number, text(to, ["port", "name"]), host);
            }
        }
    }
    for kind in ["HTTPRoute", "GRPCRoute", "TLSRoute"] {
        for route in world.judged(GATEWAY_API, kind) {
            let hosts: Vec<_> = items(route.node, ["spec", "hostnames"]).iter().filter_map(Node::text).collect();
            let host = if hosts.is_empty() { "*".to_owned() } else { hosts.join(" ") };
            for to in items(route.node, ["spec", "rules"]).iter().flat_map(|rule| items(rule, ["backendRefs"])) {
                let namespace = text(to, "namespace").unwrap_or(route.namespace);
                let Some(name) = text(to, "name") else { continue };
                lead(route, namespace, name, to.get("port").and_then(Node::integer), None, &host);
            }
        }
    }
    found
}
