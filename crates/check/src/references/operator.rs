//! What the Prometheus operator makes of its custom resources: pods, Services and Secrets.
//!
//! Taken from the operator's `makeSelectorLabels`, its container ports and its governing Services.

use super::index::{Pod, Port};
use crate::object::{Labels, Object};
use vigil_yaml::Node;

/// The API group.
pub(crate) const GROUP: &str = "monitoring.coreos.com";

/// The kinds that pods are made for: kind, the value of `app.kubernetes.io/name`, the label with the object's name,
/// the number of the web port, the governing Service.
const KINDS: &[(&str, &str, &str, i64, &str)] = &[
    ("Prometheus", "prometheus", "operator.prometheus.io/name", 9090, "prometheus-operated"),
    ("PrometheusAgent", "prometheus-agent", "operator.prometheus.io/name", 9090, "prometheus-agent-operated"),
    ("Alertmanager", "alertmanager", "alertmanager", 9093, "alertmanager-operated"),
    ("ThanosRuler", "thanos-ruler", "thanos-ruler", 10902, "thanos-ruler-operated"),
];

/// The pods that are made for `object`.
pub(crate) fn pods<'a>(object: &'a Object<'a>) -> Option<Pod<'a>> {
    let (kind, name, own, web, _) = KINDS.iter().find(|(kind, ..)| object.is(GROUP, kind))?;
    let spec = object.at(&["spec"])?;
    let mut labels: Vec<(&str, &str)> = vec![
        ("app.kubernetes.io/instance", object.name),
        ("app.kubernetes.io/managed-by", "prometheus-operator"),
        ("app.kubernetes.io/name", name),
        (own, object.name),
    ];
    match *kind {
        "Prometheus" => labels.extend([("prometheus", object.name), ("operator.prometheus.io/mode", "server")]),
        "PrometheusAgent" => labels.push(("operator.prometheus.io/mode", "agent")),
        _ => {}
    }
    let metadata = Labels::of(spec.at(&["podMetadata", "labels"]));
    let further: Vec<_> = metadata.iter().filter(|(key, _)| labels.iter().all(|(own, _)| own != key)).collect();
    labels.extend(further);

    let port = |name, number, protocol| Port { name, number, protocol };
    let mut ports = vec![port("reloader-web", 8080, "TCP")];
    if spec.get("listenLocal").and_then(Node::boolean) != Some(true) {
        ports.push(port(spec.get("portName").and_then(Node::text).unwrap_or("web"), *web, "TCP"));
    }
    match *kind {
        "Alertmanager" => ports.extend([port("mesh-tcp", 9094, "TCP"), port("mesh-udp", 9094, "UDP")]),
        "ThanosRuler" => ports.push(port("grpc", 10901, "TCP")),
        _ if spec.get("thanos").is_some() => ports.extend([port("http", 10902, "TCP"), port("grpc", 10901, "TCP")]),
        _ => {}
    }
    ports.extend(Port::declared(spec));
    Some(Pod { object: Some(object), spec: Some(spec), namespace: object.namespace, labels, ports, ports_known: true })
}

/// Whether the operator makes the Service `name` when `objects` are those of its kinds in the Service's namespace.
pub(crate) fn makes_service<'a>(name: &str, mut exists: impl FnMut(&'a str) -> bool) -> bool {
    KINDS.iter().any(|(kind, .., service)| *service == name && exists(kind))
}

/// The kinds that pods are made for.
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, ..)| *kind)
}
