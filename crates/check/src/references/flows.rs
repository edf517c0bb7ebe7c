//! The connections that the objects of a set need, as they say themselves.

use super::index::{Found, Index, Pod, Port, protocol};
use super::selector::{Label, Selector};
use super::services::{self, Target};
use super::{items, operator, text};
use crate::object::{Labels, Object};
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

/// The label with its name that every namespace has.
pub(crate) const NAME: &str = "kubernetes.io/metadata.name";

/// The connections that a set needs.
pub(crate) fn flows<'a>(index: &Index<'a>) -> Vec<Flow<'a>> {
    let mut flows = Vec::new();
    calls(index, &mut flows);
    scrapes(index, &mut flows);
    flows
}

/// The pods behind a port of a Service, and their ports.
pub(crate) fn behind<'a>(index: &Index<'a>, service: &Object<'a>, port: &'a Node) -> Vec<(usize, i64)> {
    let Some(selector) = service.at(&["spec", "selector"]).filter(|node| !node.entries().is_empty()) else {
        return Vec::new();
    };
    let pods = index.select(service.namespace, Selector::plain(selector)).into_iter();
    let number = |pod: &usize| match Target::of(port)? {
        Target::Number(number) => Some(number),
        Target::Name(name) => index.pods[*pod].port(name, protocol(port)),
    };
    pods.filter_map(|pod| Some((pod, number(&pod)?))).collect()
}

/// What the API server calls: webhooks and the servers of further APIs.
fn calls<'a>(index: &Index<'a>, flows: &mut Vec<Flow<'a>>) {
    for (because, to) in services::called(index) {
        let (Some(namespace), Some(name)) = (text(to, &["namespace"]), text(to, &["name"])) else { continue };
        let Found::Here(service) = index.find("", "Service", namespace, name) else { continue };
        let number = to.get("port").map_or(Some(443), Node::integer);
        let ports = items(service.node, &["spec", "ports"]).iter();
        for port in ports.filter(|port| port.get("port").and_then(Node::integer) == number) {
            flows.extend(behind(index, service, port).into_iter().map(|(to, port)| Flow {
                from: None,
                to,
                port,
                protocol: "TCP",
                by_name: false,
                because,
            }));
        }
    }
}

/// What Prometheus asks: the pods that its monitors find.
fn scrapes<'a>(index: &Index<'a>, flows: &mut Vec<Flow<'a>>) {
    let is_one = |object: &&Object<'_>| matches!(object.kind, "Prometheus" | "PrometheusAgent");
    let of = |(number, pod): (usize, &Pod<'a>)| Some((number, pod.object.filter(is_one)?));
    let prometheuses: Vec<_> = index.pods.iter().enumerate().filter_map(of).collect();
    for (kind, field) in [("ServiceMonitor", "serviceMonitor"), ("PodMonitor", "podMonitor")] {
        for monitor in index.set.of_kind(operator::GROUP, kind) {
            let targets = targets(index, monitor);
            for (from, prometheus) in &prometheuses {
                if targets.is_empty() || !is_chosen(index, prometheus, field, monitor) {
                    continue;
                }
                flows.extend(targets.iter().map(|(to, port)| Flow {
                    from: Some(*from),
                    to: *to,
                    port: *port,
                    protocol: "TCP",
                    by_name: false,
                    because: monitor,
                }));
            }
        }
    }
}

/// Whether a Prometheus takes this monitor.
fn is_chosen(index: &Index<'_>, prometheus: &Object<'_>, field: &str, monitor: &Object<'_>) -> bool {
    let Some(spec) = prometheus.at(&["spec"]) else { return false };
    let Some(selector) = spec.get(&format!("{field}Selector")).filter(|node| !node.is_null()) else { return false };
    let in_namespace = match spec.get(&format!("{field}NamespaceSelector")).filter(|node| !node.is_null()) {
        None => monitor.namespace == prometheus.namespace,
        Some(selector) => Selector::of(selector).selects(|key| namespace_label(index, monitor.namespace, key)),
    };
    let labels = monitor.labels();
    in_namespace && Selector::of(selector).selects(|key| labels.get(key).map_or(Label::Absent, Label::Is))
}

/// What is known of a label of a namespace; of one that the set does not make, only its name is.
pub(crate) fn namespace_label<'a>(index: &Index<'a>, namespace: &'a str, key: &str) -> Label<'a> {
    if key == NAME {
        return Label::Is(namespace);
    }
    match index.object("", "Namespace", "", namespace) {
        Some(object) => Labels::of(object.at(&["metadata", "labels"])).get(key).map_or(Label::Absent, Label::Is),
        None => Label::Begins(""),
    }
}

/// The pods that a monitor finds, and their ports.
fn targets<'a>(index: &Index<'a>, monitor: &'a Object<'a>) -> Vec<(usize, i64)> {
    let Some(selector) = monitor.at(&["spec", "selector"]).map(Selector::of) else { return Vec::new() };
    let any = monitor.at(&["spec", "namespaceSelector", "any"]).and_then(Node::boolean) == Some(true);
    let names = items(monitor.node, &["spec", "namespaceSelector", "matchNames"]);
    let is_of_services = monitor.kind == "ServiceMonitor";
    let namespaces: Vec<&str> = match names {
        _ if any && is_of_services => index.namespaces_of_services().collect(),
        _ if any => index.namespaces_of_pods().collect(),
        [] => vec![monitor.namespace],
        _ => names.iter().filter_map(Node::text).collect(),
    };
    let mut targets = Vec::new();
    for namespace in namespaces {
        if is_of_services {
            for service in index.select_services(namespace, selector) {
                for endpoint in items(monitor.node, &["spec", "endpoints"]) {
                    service_targets(index, service, endpoint, &mut targets);
                }
            }
        } else {
            for pod in index.select(namespace, selector) {
                for endpoint in items(monitor.node, &["spec", "podMetricsEndpoints"]) {
                    targets.extend(container_port(&index.pods[pod].ports, endpoint).map(|port| (pod, port)));
                }
            }
        }
    }
    targets
}

fn service_targets<'a>(
    index: &Index<'a>,
    service: &'a Object<'a>,
    endpoint: &'a Node,
    targets: &mut Vec<(usize, i64)>,
) {
    let ports = items(service.node, &["spec", "ports"]);
    if let Some(name) = text(endpoint, &["port"]) {
        for port in ports.iter().filter(|port| text(port, &["name"]) == Some(name)) {
            targets.extend(behind(index, service, port));
        }
    } else if let Some(port) = ports.first() {
        for (pod, _) in behind(index, service, port) {
            targets.extend(container_port(&index.pods[pod].ports, endpoint).map(|port| (pod, port)));
        }
    }
}

/// The port of containers that an endpoint names.
fn container_port(ports: &[Port<'_>], endpoint: &Node) -> Option<i64> {
    let number = |key: &str| endpoint.get(key).and_then(Node::integer);
    let named = |key: &str| {
        let name = text(endpoint, &[key])?;
        ports.iter().find(|port| port.name == name).map(|port| port.number)
    };
    named("port").or_else(|| number("portNumber")).or_else(|| number("targetPort")).or_else(|| named("targetPort"))
}
