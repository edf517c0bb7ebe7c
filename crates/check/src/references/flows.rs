//! The connections that the objects of a set need, as they say themselves.

use super::index::{Found, Index};
use super::pods::{Pod, Port, protocol};
use super::services::Target;
use super::{backends, items, operator, text};
use crate::object::{Labels, Object};
use crate::selector::Selector;
use vigil_forms::image::Image;
use vigil_forms::selector::Label;
use vigil_forms::url::Authority;
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
    meshes(index, &mut flows);
    alerts(index, &mut flows);
    addresses(index, &mut flows);
    flows
}

/// Where Prometheus sends alerts: the operator has it find the pods behind a Service by the API, not by name.
fn alerts<'a>(index: &Index<'a>, flows: &mut Vec<Flow<'a>>) {
    for (from, pod) in index.pods.iter().enumerate() {
        let Some(because) = pod.object.filter(|object| object.is(operator::GROUP, "Prometheus")) else { continue };
        for to in items(because.node, &["spec", "alerting", "alertmanagers"]) {
            let namespace = text(to, &["namespace"]).unwrap_or(because.namespace);
            let (Some(name), Some(wanted)) = (text(to, &["name"]), to.get("port")) else { continue };
            let is_wanted = |port: &Node| match wanted.integer() {
                Some(number) => port.get("port").and_then(Node::integer) == Some(number),
                None => wanted.text().is_some() && text(port, &["name"]) == wanted.text(),
            };
            leads(index, &Lead { from, namespace, name, by_name: false, because }, is_wanted, flows);
        }
    }
}

/// What the files of ConfigMaps name as `http://service.namespace:port`: whoever reads the file will call it. That is
/// who mounts the ConfigMap, and Grafana for its data sources.
fn addresses<'a>(index: &Index<'a>, flows: &mut Vec<Flow<'a>>) {
    for config in index.set.of_kind("", "ConfigMap") {
        let files = config.at(&["data"]).map(Node::entries).unwrap_or_default();
        let called: Vec<Address<'a>> =
            files.iter().filter_map(|file| file.value.text()).flat_map(Address::all).collect();
        if called.is_empty() {
            continue;
        }
        let is_source = config.labels().get("grafana_datasource").is_some();
        for (from, pod) in index.pods.iter().enumerate() {
            let Some(spec) = pod.spec else { continue };
            let mounts = || {
                let volumes = items(spec, &["volumes"]).iter();
                pod.namespace == config.namespace
                    && volumes.filter_map(|volume| text(volume, &["configMap", "name"])).any(|name| name == config.name)
            };
            let is_grafana = || {
                let images = items(spec, &["containers"]).iter().filter_map(|container| text(container, &["image"]));
                images.map(Image::split).any(|image| image.program() == "grafana")
            };
            if if is_source { !is_grafana() } else { !mounts() } {
                continue;
            }
            for Address { name, namespace, port } in &called {
                let namespace = namespace.unwrap_or(pod.namespace);
                let is_wanted = |known: &Node| known.get("port").and_then(Node::integer) == Some(*port);
                leads(index, &Lead { from, namespace, name, by_name: true, because: config }, is_wanted, flows);
            }
        }
    }
}

/// A Service that somebody calls.
struct Lead<'a> {
    from: usize,
    namespace: &'a str,
    name: &'a str,
    by_name: bool,
    because: &'a Object<'a>,
}

/// Adds the way to the pods behind those ports of a Service that are wanted.
fn leads<'a>(index: &Index<'a>, lead: &Lead<'a>, is_wanted: impl Fn(&Node) -> bool, flows: &mut Vec<Flow<'a>>) {
    let Found::Here(service) = index.find("", "Service", lead.namespace, lead.name) else { return };
    for port in items(service.node, &["spec", "ports"]).iter().filter(|port| is_wanted(port)) {
        flows.extend(behind(index, service, port).into_iter().map(|(to, port)| Flow {
            from: Some(lead.from),
            to,
            port,
            protocol: "TCP",
            by_name: lead.by_name,
            because: lead.because,
        }));
    }
}

/// A Service as a URL names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address<'a> {
    name: &'a str,
    /// None for the namespace of who calls.
    namespace: Option<&'a str>,
    port: i64,
}

impl<'a> Address<'a> {
    /// The URLs in a text whose host can be a Service's.
    fn all(text: &'a str) -> impl Iterator<Item = Self> {
        text.match_indices("://").filter_map(move |(at, separator)| {
            let usual = if text[..at].ends_with("https") { 443 } else { 80 };
            let rest = &text[at + separator.len()..];
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '@' | '_' | '%');
            let authority = Authority::split(&rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())]);
            let (host, port) = authority.named(usual)?;
            let host = host.strip_suffix(".svc.cluster.local").or(host.strip_suffix(".svc")).unwrap_or(host);
            let (name, namespace) = match host.split_once('.') {
                None => (host, None),
                Some((name, namespace)) if !namespace.contains('.') => (name, Some(namespace)),
                Some(_) => return None,
            };
            Some(Self { name, namespace, port: port.into() }).filter(|address| !address.name.is_empty())
        })
    }
}

/// What Alertmanagers tell each other.
fn meshes<'a>(index: &Index<'a>, flows: &mut Vec<Flow<'a>>) {
    for (number, pod) in index.pods.iter().enumerate().filter(|(_, pod)| !pod.is_single()) {
        let Some(because) = pod.object.filter(|object| object.is(operator::GROUP, "Alertmanager")) else { continue };
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
    for (because, to) in backends::called(index) {
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
    in_namespace && Selector::of(selector).selects(|key| Label::of(labels.get(key)))
}

/// What is known of a label of a namespace; of one that the set does not make, only its name is.
pub(crate) fn namespace_label<'a>(index: &Index<'a>, namespace: &'a str, key: &str) -> Label<'a> {
    if key == NAME {
        return Label::Is(namespace);
    }
    match index.object("", "Namespace", "", namespace) {
        Some(object) => Label::of(Labels::of(object.at(&["metadata", "labels"])).get(key)),
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

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_in_texts() {
        let found = |text| Address::all(text).map(|it| (it.name, it.namespace, it.port)).collect::<Vec<_>>();
        assert_eq!(
            found("url: http://loki.logs:3100/loki/api\nb: \"https://web\" grpc://a.b.svc.cluster.local:1\n"),
            [("loki", Some("logs"), 3100), ("web", None, 443), ("a", Some("b"), 1)]
        );
        assert_eq!(found("https://grafana.example.com/x and :// alone http://a:b"), []);
        assert_eq!(found("http://user:word@loki.logs:3100"), [("loki", Some("logs"), 3100)]);
    }
}
