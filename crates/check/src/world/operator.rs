//! What the Prometheus operator makes of its objects: pods, Services, and the Secret it reads.
//!
//! Taken from version 0.87: `makeSelectorLabels`, `MakeContainerPorts`, `createThanosContainer` and
//! `CreateConfigReloader` for the pods, `BuildStatefulSetService` and its like for the Services. The label
//! `operator.prometheus.io/mode` is one of the StatefulSets and of no pod.

use super::pods::{Pod, Port};
use super::program::Program;
use super::services::{Service, ServicePort, Target};
use crate::fields::{is_set, items, text, texts};
use crate::object::{Labels, MONITORING, Object};
use crate::set::Set;
use vigil_yaml::Node;

/// A kind that pods are made for.
struct Operated {
    kind: &'static str,
    /// The value of `app.kubernetes.io/name`.
    name: &'static str,
    /// The labels that hold the object's name.
    own: &'static [&'static str],
    /// The number of the web port.
    web: i64,
    /// The program, as its image is called.
    program: &'static str,
    /// The governing Service, which all objects of a kind in a namespace share.
    service: &'static str,
    /// The labels of that Service.
    labels: &'static [(&'static str, &'static str)],
    /// Which pods are behind it.
    selector: &'static [(&'static str, &'static str)],
}

const PROMETHEUS_LABELS: &[(&str, &str)] = &[
    ("managed-by", "prometheus-operator"),
    ("app.kubernetes.io/managed-by", "prometheus-operator"),
    ("operated-prometheus", "true"),
];

static KINDS: [Operated; 4] = [
    Operated {
        kind: "Prometheus",
        name: "prometheus",
        own: &["operator.prometheus.io/name", "prometheus"],
        web: 9090,
        program: "prometheus",
        service: "prometheus-operated",
        labels: PROMETHEUS_LABELS,
        selector: &[("app.kubernetes.io/name", "prometheus")],
    },
    Operated {
        kind: "PrometheusAgent",
        name: "prometheus-agent",
        own: &["operator.prometheus.io/name"],
        web: 9090,
        program: "prometheus",
        service: "prometheus-agent-operated",
        labels: PROMETHEUS_LABELS,
        selector: &[("app.kubernetes.io/name", "prometheus-agent")],
    },
    Operated {
        kind: "Alertmanager",
        name: "alertmanager",
        own: &["alertmanager"],
        web: 9093,
        program: "alertmanager",
        service: "alertmanager-operated",
        labels: &[
            ("managed-by", "prometheus-operator"),
            ("app.kubernetes.io/managed-by", "prometheus-operator"),
            ("operated-alertmanager", "true"),
        ],
        selector: &[("app.kubernetes.io/name", "alertmanager")],
    },
    Operated {
        kind: "ThanosRuler",
        name: "thanos-ruler",
        own: &["thanos-ruler"],
        web: 10902,
        program: "thanos-ruler",
        service: "thanos-ruler-operated",
        labels: &[
            ("managed-by", "prometheus-operator"),
            ("app.kubernetes.io/managed-by", "prometheus-operator"),
            ("operated-thanos-ruler", "true"),
        ],
        selector: &[("app.kubernetes.io/name", "thanos-ruler")],
    },
];

impl Operated {
    fn of(object: &Object<'_>) -> Option<&'static Self> {
        KINDS.iter().find(|it| object.is(MONITORING, it.kind))
    }
}

/// The kind of an object as the operator's flags have it, such as `--alertmanager-instance-namespaces`; none of kinds that it makes
/// no pods for.
pub(crate) fn kind_in_flags(object: &Object<'_>) -> Option<&'static str> {
    Operated::of(object).map(|operated| operated.program)
}

/// Whether the operator makes pods of an object.
pub(crate) fn makes_pods(object: &Object<'_>) -> bool {
    Operated::of(object).is_some()
}

/// The name of the web port.
fn web_name<'a>(object: &Object<'a>) -> &'a str {
    text(object.node, ["spec", "portName"]).unwrap_or("web")
}

fn has_thanos(object: &Object<'_>) -> bool {
    object.kind == "Prometheus" && object.at(&["spec", "thanos"]).is_some_and(|thanos| !thanos.is_null())
}

/// The pods that are made for `object`.
pub(crate) fn pods<'a>(object: &'a Object<'a>) -> Option<Pod<'a>> {
    let operated = Operated::of(object)?;
    let spec = object.at(&["spec"])?;
    let mut labels: Vec<(&str, &str)> = vec![
        ("app.kubernetes.io/instance", object.name),
        ("app.kubernetes.io/managed-by", "prometheus-operator"),
        ("app.kubernetes.io/name", operated.name),
    ];
    labels.extend(operated.own.iter().map(|key| (*key, object.name)));
    // The operator's own labels win.
    let metadata = Labels::of(spec.at(&["podMetadata", "labels"]));
    let further: Vec<_> = metadata.iter().filter(|(key, _)| labels.iter().all(|(own, _)| own != key)).collect();
    labels.extend(further);

    let port = |name, number, protocol| Port { name, number, protocol, ends: false };
    let mut ports = Vec::new();
    if !is_set(spec, "listenLocal") {
        ports.push(port(web_name(object), operated.web, "TCP"));
        ports.push(port("reloader-web", 8080, "TCP"));
        ports.push(Port { ends: true, ..port("reloader-init", 8081, "TCP") });
    }
    match operated.kind {
        "Alertmanager" => ports.extend([port("mesh-tcp", 9094, "TCP"), port("mesh-udp", 9094, "UDP")]),
        "ThanosRuler" => ports.push(port("grpc", 10901, "TCP")),
        _ if has_thanos(object) => ports.extend([port("http", 10902, "TCP"), port("grpc", 10901, "TCP")]),
        _ => {}
    }
    ports.extend(Port::declared(spec));
    Some(Pod {
        object: Some(object),
        spec: Some(spec),
        namespace: object.namespace,
        labels,
        ports,
        ports_known: true,
        programs: vec![operated.program, "prometheus-config-reloader"],
    })
}

/// The governing Service that is made for `object`, unless it names one of its own or runs on every node.
pub(crate) fn service<'a>(object: &Object<'a>) -> Option<Service<'a>> {
    let operated = Operated::of(object)?;
    let is_daemon = object.kind == "PrometheusAgent" && text(object.node, ["spec", "mode"]) == Some("DaemonSet");
    if is_daemon || object.at(&["spec", "serviceName"]).is_some_and(|name| !name.is_null()) {
        return None;
    }
    let port =
        |name, number, protocol, target| ServicePort { name, number, protocol, said: Some(Target::Name(target)) };
    let web = web_name(object);
    let mut ports = vec![port(web, operated.web, "TCP", web)];
    match operated.kind {
        "Alertmanager" => {
            ports.extend([port("tcp-mesh", 9094, "TCP", "mesh-tcp"), port("udp-mesh", 9094, "UDP", "mesh-udp")]);
        }
        "ThanosRuler" => ports.push(port("grpc", 10901, "TCP", "grpc")),
        _ if has_thanos(object) => ports.push(port("grpc", 10901, "TCP", "grpc")),
        _ => {}
    }
    Some(Service {
        object: None,
        namespace: object.namespace,
        name: operated.service,
        labels: Labels::Listed(operated.labels),
        ports,
        selector: Labels::Listed(operated.selector),
        any_port: true,
    })
}

/// The Secret that an Alertmanager takes its configuration from.
pub(crate) fn configuration(alertmanager: &Object<'_>) -> String {
    let named = text(alertmanager.node, ["spec", "configSecret"]);
    named.map_or_else(|| format!("alertmanager-{}", alertmanager.name), str::to_owned)
}

/// The Services for the kubelets, which operators make where their flag says; one elsewhere may make it, too.
pub(crate) fn kubelet_services<'a>(set: &Set<'a>) -> Vec<Service<'a>> {
    const LABELS: &[(&str, &str)] = &[
        ("k8s-app", "kubelet"),
        ("app.kubernetes.io/name", "kubelet"),
        ("app.kubernetes.io/managed-by", "prometheus-operator"),
    ];
    let port = |name, number| ServicePort { name, number, protocol: "TCP", said: None };
    let kubelet = |namespace, name| Service {
        object: None,
        namespace,
        name,
        labels: Labels::Listed(LABELS),
        ports: vec![port("https-metrics", 10250), port("http-metrics", 10255), port("cadvisor", 4194)],
        selector: Labels::Listed(&[]),
        any_port: true,
    };
    let (mut services, mut is_here) = (Vec::new(), false);
    let deployments = set.of_kind("apps", "Deployment");
    for container in deployments.flat_map(|object| items(object.node, ["spec", "template", "spec", "containers"])) {
        is_here |= Program::of(container).is_some_and(|program| program.name == "prometheus-operator");
        services.extend(kubelet_flags(container).map(|(namespace, name)| kubelet(namespace, name)));
    }
    if !is_here {
        services.push(kubelet("kube-system", "kubelet"));
    }
    services
}

/// The namespaces and names that a container is told by `--kubelet-service`.
fn kubelet_flags(container: &Node) -> impl Iterator<Item = (&str, &str)> {
    let words = ["command", "args"].into_iter().flat_map(|key| texts(container, key));
    words.filter_map(|word| word.trim_start_matches('-').strip_prefix("kubelet-service=")?.split_once('/'))
}
