//! What a monitor scrapes: the one answer for whoever asks for its ports, its jobs, its programs or its connections.

use super::World;
use super::namespaces::Scope;
use super::services::Service;
use crate::fields::{integer, items, text};
use crate::object::{MONITORING, Object};
use crate::selector::Selector;
use vigil_yaml::{Entry, Node};

/// What a ServiceMonitor or a PodMonitor selects.
pub(crate) struct Scrape<'w, 'a> {
    pub(crate) monitor: &'a Object<'a>,
    /// Where it looks.
    pub(crate) scope: Scope<'a>,
    /// Its `selector`.
    pub(crate) selector: &'a Entry,
    /// The Services that a ServiceMonitor selects.
    pub(crate) services: Vec<&'w Service<'a>>,
    /// The pods that a PodMonitor selects.
    pub(crate) pods: Vec<usize>,
}

impl<'a> World<'a> {
    /// What a monitor selects; nothing of one without a selector.
    pub(crate) fn scrape(&self, monitor: &'a Object<'a>) -> Option<Scrape<'_, 'a>> {
        let entry = monitor.at(&["spec"])?.entry("selector")?;
        let selector = Selector::of(&entry.value);
        let scope = Scope::of_monitor(monitor);
        let is_of_services = monitor.kind == "ServiceMonitor";
        let services = if is_of_services { self.select_services(&scope, selector) } else { Vec::new() };
        let pods = if is_of_services { Vec::new() } else { self.select_in(&scope, selector) };
        Some(Scrape { monitor, scope, selector: entry, services, pods })
    }

    /// Where the names in Probes are looked up: the one namespace that Prometheuses are in, wherever the Probes are.
    pub(crate) fn asking_namespace(&self) -> Option<&'a str> {
        let owners = ["Prometheus", "PrometheusAgent"].iter().flat_map(|kind| self.set.of_kind(MONITORING, kind));
        let mut namespaces = owners.map(|owner| owner.namespace);
        let first = namespaces.next()?;
        namespaces.all(|other| other == first).then_some(first)
    }

    /// The pods of a Probe's prober, and their ports, as a pod of `namespace` finds them.
    pub(crate) fn probers(&self, probe: &Object<'a>, namespace: Option<&str>) -> Vec<(usize, i64)> {
        let named = text(probe.node, ["spec", "prober", "url"]).and_then(|url| self.service_of(url, namespace));
        let Some((service, number)) = named else { return Vec::new() };
        let ports = service.ports.iter().filter(|port| port.number == number);
        ports.flat_map(|port| self.behind_port(service, port)).collect()
    }
}

impl<'a> Scrape<'_, 'a> {
    /// Whether it may select more than the set shows.
    pub(crate) fn is_open(&self, world: &World<'a>) -> bool {
        world.namespaces.is_open(&self.scope)
    }

    /// Its endpoints.
    pub(crate) fn endpoints(&self) -> &'a [Node] {
        let key = if self.monitor.kind == "ServiceMonitor" { "endpoints" } else { "podMetricsEndpoints" };
        items(self.monitor.node, ["spec", key])
    }

    /// The pods behind all that it selects.
    pub(crate) fn all_pods(&self, world: &World<'a>) -> Vec<usize> {
        let behind = self.services.iter().flat_map(|service| world.behind(service));
        behind.chain(self.pods.iter().copied()).collect()
    }

    /// The pods that it scrapes, and their ports.
    pub(crate) fn targets(&self, world: &World<'a>) -> Vec<(usize, i64)> {
        let mut targets = Vec::new();
        for endpoint in self.endpoints() {
            for service in &self.services {
                service_targets(world, service, endpoint, &mut targets);
            }
            targets.extend(self.pods.iter().filter_map(|pod| Some((*pod, container_port(world, *pod, endpoint)?))));
        }
        targets
    }

    /// The values of `job` that it gives.
    pub(crate) fn jobs(&self, world: &World<'a>) -> Vec<String> {
        let label = text(self.monitor.node, ["spec", "jobLabel"]);
        let of_service =
            |service: &&Service<'a>| label.and_then(|key| service.label(key)).unwrap_or(service.name).to_owned();
        let of_pod = |pod: &usize| {
            let label = label.and_then(|key| world.pods[*pod].written_label(key));
            label.map_or_else(|| format!("{}/{}", self.monitor.namespace, self.monitor.name), str::to_owned)
        };
        self.services.iter().map(of_service).chain(self.pods.iter().map(of_pod)).collect()
    }
}

/// Adds what an endpoint of a ServiceMonitor finds behind a Service.
fn service_targets<'a>(world: &World<'a>, service: &Service<'a>, endpoint: &Node, targets: &mut Vec<(usize, i64)>) {
    if let Some(name) = text(endpoint, "port") {
        for port in service.ports.iter().filter(|port| port.name == name) {
            targets.extend(world.behind_port(service, port));
        }
    } else if let Some(port) = service.ports.first() {
        for (pod, _) in world.behind_port(service, port) {
            targets.extend(container_port(world, pod, endpoint).map(|port| (pod, port)));
        }
    }
}

/// The port of containers that an endpoint names.
fn container_port(world: &World<'_>, pod: usize, endpoint: &Node) -> Option<i64> {
    let named = |key: &str| {
        let name = text(endpoint, key)?;
        world.pods[pod].ports.iter().find(|port| port.name == name).map(|port| port.number)
    };
    let number = |key: &str| integer(endpoint, key);
    named("port").or_else(|| number("portNumber")).or_else(|| number("targetPort")).or_else(|| named("targetPort"))
}
