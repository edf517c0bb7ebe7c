//! The connections that the objects of a set need, as they say themselves.

use super::backends;
use crate::fields::{entries, items, text};
use crate::object::{GATEWAY_API, MONITORING, Object};
use crate::world::World;
use crate::world::addresses::{hosts, looked_up};
use crate::world::grafanas::Grafana;
use crate::world::pods::Pod;
use crate::world::selection::SELECTED;
use crate::world::services::{Service, ServicePort};
use std::collections::HashSet;
use vigil_yaml::Node;

/// A connection that something needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    /// The pods that open it; none for the API server, which is outside of the pods' network.
    pub(crate) from: Option<usize>,
    /// The pods that take it.
    pub(crate) to: usize,
    /// Their port.
    pub(crate) port: i64,
    /// Its protocol.
    pub(crate) protocol: &'a str,
    /// The name of the host is looked up for it.
    pub(crate) by_name: bool,
    /// The object that asks for it.
    pub(crate) because: &'a Object<'a>,
}

/// The connections that a set needs.
pub(crate) fn flows<'a>(world: &World<'a>) -> Vec<Flow<'a>> {
    let mut flows = Vec::new();
    calls(world, &mut flows);
    scrapes(world, &mut flows);
    probes(world, &mut flows);
    meshes(world, &mut flows);
    alerts(world, &mut flows);
    addresses(world, &mut flows);
    flows
}

/// A connection from outside: of an ingress controller, or of the pods of a Gateway.
pub(crate) struct Entrance<'a> {
    /// The namespace of the Gateway, where its pods may be.
    pub(crate) at: Option<&'a str>,
    /// The connection, from nobody in the set.
    pub(crate) flow: Flow<'a>,
}

/// The connections that Ingresses and routes ask for.
pub(crate) fn entrances<'a>(world: &World<'a>) -> Vec<Entrance<'a>> {
    let mut entrances = Vec::new();
    let mut add = |because: &'a Object<'a>,
                   at: Option<&'a str>,
                   namespace: &str,
                   to: &'a Node,
                   number: Option<i64>,
                   name: Option<&str>| {
        let Some(service) = text(to, "name").and_then(|name| world.service(namespace, name)) else { return };
        let mut flows = Vec::new();
        let is_wanted =
            |port: &ServicePort<'_>| number == Some(port.number) || name.is_some_and(|name| port.name == name);
        lead(world, &Lead { from: None, service, by_name: false, because }, is_wanted, &mut flows);
        entrances.extend(flows.into_iter().map(|flow| Entrance { at, flow }));
    };
    for ingress in world.judged("networking.k8s.io", "Ingress") {
        let paths = items(ingress.node, ["spec", "rules"]).iter().flat_map(|rule| items(rule, ["http", "paths"]));
        let backends = paths.filter_map(|path| path.get("backend"));
        for to in backends.chain(ingress.at(&["spec", "defaultBackend"])).filter_map(|backend| backend.get("service")) {
            let number = to.at(&["port", "number"]).and_then(Node::integer);
            add(ingress, None, ingress.namespace, to, number, text(to, ["port", "name"]));
        }
    }
    for route in ["HTTPRoute", "GRPCRoute"].into_iter().flat_map(|kind| world.judged(GATEWAY_API, kind)) {
        let parent = items(route.node, ["spec", "parentRefs"]).iter().find_map(|parent| text(parent, "namespace"));
        for to in items(route.node, ["spec", "rules"]).iter().flat_map(|rule| items(rule, ["backendRefs"])) {
            let namespace = text(to, "namespace").unwrap_or(route.namespace);
            let number = to.get("port").and_then(Node::integer);
            add(route, parent.or(Some(route.namespace)), namespace, to, number, None);
        }
    }
    entrances
}

/// Where Prometheus sends alerts: the operator has it find the pods behind a Service by the API, not by name.
fn alerts<'a>(world: &World<'a>, flows: &mut Vec<Flow<'a>>) {
    for (from, pod) in world.pods.iter().enumerate() {
        let Some(because) = pod.object.filter(|object| object.is(MONITORING, "Prometheus")) else { continue };
        for to in items(because.node, ["spec", "alerting", "alertmanagers"]) {
            let namespace = text(to, "namespace").unwrap_or(because.namespace);
            let (Some(name), Some(wanted)) = (text(to, "name"), to.get("port")) else { continue };
            let Some(service) = world.service(namespace, name) else { continue };
            let is_wanted = |port: &ServicePort<'_>| match wanted.integer() {
                Some(number) => port.number == number,
                None => wanted.text() == Some(port.name).filter(|name| !name.is_empty()),
            };
            let to = Lead { from: Some(from), service, by_name: false, because };
            lead(world, &to, is_wanted, flows);
        }
    }
}

/// A port of a Service, as an address has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Named<'a> {
    Number(i64),
    Name(&'a str),
}

/// What the files of ConfigMaps name as `http://service.namespace:port`, or as a record that leads there: whoever has them, as
/// files or as variables, will call it; and so will Grafana, of its data sources.
fn addresses<'a>(world: &World<'a>, flows: &mut Vec<Flow<'a>>) {
    let grafana = |(from, pod): (usize, &Pod<'a>)| Some((from, Grafana::of(pod.object?)?));
    let grafanas: Vec<_> = world.pods.iter().enumerate().filter_map(grafana).collect();
    for config in world.set.of_kind("", "ConfigMap") {
        let files = entries(config.node, "data");
        let texts = files.iter().filter_map(|file| Some((file.key.text.as_str(), file.value.text()?)));
        let in_text = |(key, text): (&'a str, &'a str)| {
            let urls = hosts(text).map(|(host, number)| (host, Named::Number(number)));
            let records = looked_up(text).map(|(host, name)| (host, Named::Name(name)));
            urls.chain(records).map(move |host| (key, host))
        };
        let called: Vec<(&str, (&str, Named<'_>))> = texts.flat_map(in_text).collect();
        if called.is_empty() {
            continue;
        }
        let mut seen = HashSet::new();
        let mut call = |from: usize, (host, wanted): (&'a str, Named<'a>)| {
            if !seen.insert((from, host, wanted)) {
                return;
            }
            let Some(service) = world.service_at(host, world.pods[from].namespace) else { return };
            let to = Lead { from: Some(from), service, by_name: true, because: config };
            let is_wanted = |port: &ServicePort<'_>| match wanted {
                Named::Number(number) => port.number == number,
                Named::Name(name) => port.name == name,
            };
            lead(world, &to, is_wanted, flows);
        };
        for it in world.readings(config) {
            let Some(from) = world.made_by(it.number) else { continue };
            called.iter().filter(|(key, _)| it.takes(key)).for_each(|(_, host)| call(from, *host));
        }
        for (from, grafana) in &grafanas {
            if grafana.loads(config) {
                for (_, host) in &called {
                    call(*from, *host);
                }
            }
        }
    }
}

/// A Service that somebody calls.
struct Lead<'w, 'a> {
    /// The pods that call; none for the API server.
    from: Option<usize>,
    service: &'w Service<'a>,
    by_name: bool,
    because: &'a Object<'a>,
}

/// Adds the connections to the pods behind those ports of a Service that are wanted.
fn lead<'a>(
    world: &World<'a>,
    to: &Lead<'_, 'a>,
    is_wanted: impl Fn(&ServicePort<'a>) -> bool,
    flows: &mut Vec<Flow<'a>>,
) {
    let Lead { from, service, by_name, because } = *to;
    for port in service.ports.iter().filter(|port| is_wanted(port)) {
        let behind = world.behind_port(service, port).into_iter();
        flows.extend(behind.map(|(to, port)| Flow { from, to, port, protocol: "TCP", by_name, because }));
    }
}

/// What Alertmanagers tell each other.
fn meshes<'a>(world: &World<'a>, flows: &mut Vec<Flow<'a>>) {
    for (number, pod) in world.pods.iter().enumerate().filter(|(_, pod)| !pod.is_single()) {
        let Some(because) = pod.object.filter(|object| object.is(MONITORING, "Alertmanager")) else { continue };
        flows.extend(pod.ports.iter().filter(|port| port.name.starts_with("mesh-")).map(|port| Flow {
            from: Some(number),
            to: number,
            port: port.number,
            protocol: port.protocol,
            by_name: false,
            because,
        }));
    }
}

/// What the API server calls: webhooks and the servers of further APIs.
fn calls<'a>(world: &World<'a>, flows: &mut Vec<Flow<'a>>) {
    for (because, to) in backends::called(world) {
        let (Some(namespace), Some(name)) = (text(to, "namespace"), text(to, "name")) else { continue };
        let Some(service) = world.service(namespace, name) else { continue };
        let number = to.get("port").map_or(Some(443), Node::integer);
        let to = Lead { from: None, service, by_name: false, because };
        lead(world, &to, |port| Some(port.number) == number, flows);
    }
}

/// The kinds that say where pods are asked for their metrics.
const SCRAPED: [&str; 3] = ["ServiceMonitor", "PodMonitor", "Probe"];

/// What Prometheus asks: the pods that its monitors find, and the probers of its Probes.
fn scrapes<'a>(world: &World<'a>, flows: &mut Vec<Flow<'a>>) {
    for selected in SELECTED.iter().filter(|selected| SCRAPED.contains(&selected.kind)) {
        let owners = |(number, pod): (usize, &crate::world::pods::Pod<'a>)| {
            Some((number, pod.object.filter(|object| selected.owners.contains(&object.kind))?))
        };
        let owners: Vec<_> = world.pods.iter().enumerate().filter_map(owners).collect();
        for monitor in world.set.of_kind(MONITORING, selected.kind) {
            let found = world.scrape(monitor).map(|scrape| scrape.targets(world)).unwrap_or_default();
            let is_probe = monitor.kind == "Probe";
            for (from, owner) in &owners {
                let asked = || world.probers(monitor, Some(world.pods[*from].namespace));
                let targets = if is_probe { asked() } else { found.clone() };
                if targets.is_empty() || selected.unselected(world, owner, monitor).is_some() {
                    continue;
                }
                flows.extend(targets.into_iter().map(|(to, port)| Flow {
                    from: Some(*from),
                    to,
                    port,
                    protocol: "TCP",
                    by_name: is_probe,
                    because: monitor,
                }));
            }
        }
    }
}

/// What probers ask: the URLs of their Probes. Whether `host:port` means TCP is known to the prober alone.
fn probes<'a>(world: &World<'a>, flows: &mut Vec<Flow<'a>>) {
    for probe in world.set.of_kind(MONITORING, "Probe") {
        let targets = items(probe.node, ["spec", "targets", "staticConfig", "static"]);
        let urls: Vec<&str> = targets.iter().filter_map(Node::text).filter(|url| url.contains("://")).collect();
        for (from, _) in world.probers(probe, world.asking_namespace()) {
            for url in &urls {
                let named = world.service_of(url, Some(world.pods[from].namespace));
                let Some((service, number)) = named else { continue };
                let to = Lead { from: Some(from), service, by_name: true, because: probe };
                lead(world, &to, |port| port.number == number, flows);
            }
        }
    }
}
