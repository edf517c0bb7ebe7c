//! What answers in the cluster: Services and pods, those of the set and those that come by themselves.

use crate::object::Object;
use crate::pods::PodTemplate;
use crate::selector::Selector;
use crate::set::Set;
use std::collections::{HashMap, HashSet};
use vigil_forms::image::Image;
use vigil_forms::url::{Authority, Url, implied_port};
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

/// The group of the operator's kinds.
pub(crate) const MONITORING: &str = "monitoring.coreos.com";

/// Kinds that answer, or whose pods do.
const ANSWERING: [&str; 5] = ["Service", "Pod", "Deployment", "DaemonSet", "StatefulSet"];

/// Labels, wherever they come from.
pub(crate) type LabelList<'a> = Vec<(&'a str, &'a str)>;

fn label<'a>(labels: &[(&'a str, &'a str)], key: &str) -> Option<&'a str> {
    labels.iter().find(|(found, _)| *found == key).map(|(_, value)| *value)
}

/// A port of a Service or of a container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port<'a> {
    pub(crate) name: &'a str,
    pub(crate) number: i64,
    /// Where a Service's port leads when that is another number.
    target: Option<i64>,
}

/// A Service.
#[derive(Debug)]
pub(crate) struct Service<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    labels: LabelList<'a>,
    pub(crate) ports: Vec<Port<'a>>,
    /// Which pods answer; none for those that come by themselves.
    pods: Option<&'a Node>,
    /// Its name leads to pods, whose ports may be others than its own, or out of the cluster.
    any_port: bool,
}

impl<'a> Service<'a> {
    pub(crate) fn label(&self, key: &str) -> Option<&'a str> {
        label(&self.labels, key)
    }
}

impl Service<'_> {
    /// The pods' labels that it asks for.
    pub(crate) fn selector(&self) -> Option<&Node> {
        self.pods
    }

    /// Whether nothing can be said of the numbers of its ports.
    pub(crate) fn any_number(&self) -> bool {
        // A target by name, or none that is known.
        self.any_port || self.ports.iter().any(|port| port.target.is_none())
    }

    /// Whether a port has this number, or leads to it.
    pub(crate) fn leads_to(&self, number: i64) -> bool {
        self.ports.iter().any(|port| port.number == number || port.target == Some(number))
    }
}

/// Pods that have labels and ports in common.
#[derive(Debug)]
pub(crate) struct Pods<'a> {
    pub(crate) namespace: &'a str,
    labels: LabelList<'a>,
    pub(crate) ports: Vec<Port<'a>>,
    /// The last parts of their images' names, such as `loki`.
    pub(crate) programs: Vec<&'a str>,
}

impl<'a> Pods<'a> {
    pub(crate) fn label(&self, key: &str) -> Option<&'a str> {
        label(&self.labels, key)
    }
}

/// Services and pods, by their numbers.
type Found = (Vec<usize>, Vec<usize>);

/// All that answers.
pub(crate) struct Cluster<'a> {
    services: Vec<Service<'a>>,
    pods: Vec<Pods<'a>>,
    /// Services and pods by namespace, label and value: the way in to both.
    by_label: HashMap<(&'a str, &'a str, &'a str), Found>,
    by_name: HashMap<(&'a str, &'a str), usize>,
    names: HashSet<&'a str>,
    /// Namespaces that the set speaks of.
    namespaces: HashSet<&'a str>,
    /// Namespaces in which something may be that the set does not show.
    open: HashSet<&'a str>,
    /// A provided object is in every namespace.
    all_open: bool,
}

impl<'a> Cluster<'a> {
    pub(crate) fn new(set: &Set<'a>) -> Self {
        let mut cluster = Self {
            services: provided_services(set),
            pods: Vec::new(),
            by_label: HashMap::new(),
            by_name: HashMap::new(),
            names: HashSet::new(),
            namespaces: HashSet::from(["default", "kube-system"]),
            open: HashSet::new(),
            all_open: false,
        };
        for object in &set.objects {
            cluster.namespaces.insert(if object.is("", "Namespace") { object.name } else { object.namespace });
            if object.is("", "Service") {
                cluster.services.push(service(object));
            } else if let Some(template) = PodTemplate::of(object) {
                cluster.pods.push(Pods {
                    namespace: object.namespace,
                    labels: template.labels().iter().collect(),
                    ports: container_ports(template.containers()),
                    programs: template.containers().filter_map(program).collect(),
                });
            } else if object.group == MONITORING {
                cluster.operated(object);
            } else if makes_others(object) {
                cluster.open.insert(object.namespace);
            }
        }
        cluster.namespaces.remove("");
        for provided in set.options.provided.iter().filter(|provided| ANSWERING.contains(&provided.kind.as_str())) {
            if provided.namespace.is_empty() {
                cluster.all_open = true;
            } else {
                cluster.open.insert(&provided.namespace);
            }
        }
        for (index, service) in cluster.services.iter().enumerate() {
            for (key, value) in &service.labels {
                cluster.by_label.entry((service.namespace, *key, *value)).or_default().0.push(index);
            }
            cluster.by_name.entry((service.namespace, service.name)).or_insert(index);
            cluster.names.insert(service.name);
        }
        for (index, pods) in cluster.pods.iter().enumerate() {
            for (key, value) in &pods.labels {
                cluster.by_label.entry((pods.namespace, *key, *value)).or_default().1.push(index);
            }
        }
        cluster
    }

    /// Adds the pods and the Service that the operator makes of one of its objects.
    fn operated(&mut self, object: &Object<'a>) {
        let (app, own, service, number) = match object.kind {
            "Prometheus" => ("prometheus", "prometheus", "prometheus-operated", 9090),
            "PrometheusAgent" => ("prometheus-agent", "prometheus", "prometheus-agent-operated", 9090),
            "Alertmanager" => ("alertmanager", "alertmanager", "alertmanager-operated", 9093),
            "ThanosRuler" => ("thanos-ruler", "thanos-ruler", "thanos-ruler-operated", 10902),
            _ => return,
        };
        let name = object.at(&["spec", "portName"]).and_then(Node::text).unwrap_or("web");
        let web = Port { name, number, target: None };
        let mut labels = vec![
            ("app.kubernetes.io/name", app),
            ("app.kubernetes.io/instance", object.name),
            ("app.kubernetes.io/managed-by", "prometheus-operator"),
            (own, object.name),
        ];
        if own == "prometheus" {
            labels.push(("operator.prometheus.io/name", object.name));
        }
        let added = object.at(&["spec", "podMetadata", "labels"]).map(Node::entries).unwrap_or_default();
        labels.extend(added.iter().filter_map(|entry| Some((entry.key.text.as_str(), entry.value.text()?))));
        let containers = object.at(&["spec", "containers"]).map(Node::items).unwrap_or_default();
        let mut ports = container_ports(containers.iter());
        let port = |name, number| Port { name, number, target: None };
        ports.extend([web, port("reloader-web", 8080)]);
        let mut others = Vec::new();
        if app == "alertmanager" {
            ports.extend([port("mesh-tcp", 9094), port("mesh-udp", 9094)]);
            others.extend([port("tcp-mesh", 9094), port("udp-mesh", 9094)]);
        }
        if app == "thanos-ruler" || object.at(&["spec", "thanos"]).is_some() {
            ports.push(port("grpc", 10901));
            others.push(port("grpc", 10901));
        }
        let programs = vec![own, "prometheus-config-reloader"];
        self.pods.push(Pods { namespace: object.namespace, labels, ports, programs });
        if object.at(&["spec", "serviceName"]).is_none() {
            others.push(web);
            self.services.push(Service {
                namespace: object.namespace,
                name: service,
                labels: vec![(operated_label(app), "true"), ("managed-by", "prometheus-operator")],
                ports: others,
                pods: None,
                any_port: true,
            });
        }
    }

    /// Whether there may be more in one of these namespaces than the set shows.
    pub(crate) fn is_open(&self, namespaces: &Namespaces<'_>) -> bool {
        self.all_open
            || match namespaces {
                Namespaces::All => !self.open.is_empty(),
                Namespaces::These(names) => names.iter().any(|name| self.open.contains(name)),
            }
    }

    /// The Services that a selector selects.
    pub(crate) fn services(&self, selector: &Node, namespaces: &Namespaces<'_>) -> Vec<&Service<'a>> {
        let found = self.candidates(selector, namespaces, |(services, _)| services, self.services.len());
        let found = found.into_iter().filter_map(|index| self.services.get(index));
        found
            .filter(|service| namespaces.contain(service.namespace))
            .filter(|service| Selector::of(selector).selects_labels(|key| service.label(key)))
            .collect()
    }

    /// The pods that a selector selects.
    pub(crate) fn pods(&self, selector: &Node, namespaces: &Namespaces<'_>) -> Vec<&Pods<'a>> {
        let found = self.candidates(selector, namespaces, |(_, pods)| pods, self.pods.len());
        let found = found.into_iter().filter_map(|index| self.pods.get(index));
        found
            .filter(|pods| namespaces.contain(pods.namespace))
            .filter(|pods| Selector::of(selector).selects_labels(|key| pods.label(key)))
            .collect()
    }

    /// The pods behind a Service, if it says which.
    pub(crate) fn pods_of(&self, service: &Service<'a>) -> Option<Vec<&Pods<'a>>> {
        let wanted = service.pods?.entries();
        let has = |pods: &&Pods<'a>| {
            wanted
                .iter()
                .all(|entry| entry.value.text().is_some_and(|value| pods.label(&entry.key.text) == Some(value)))
        };
        let first = wanted.iter().find_map(|entry| Some((entry.key.text.as_str(), entry.value.text()?)))?;
        let found = self.by_label.get(&(service.namespace, first.0, first.1)).map(|(_, pods)| pods.as_slice());
        Some(found.unwrap_or_default().iter().filter_map(|index| self.pods.get(*index)).filter(has).collect())
    }

    /// The programs behind a Service, as far as its pods are in the set.
    pub(crate) fn programs(&self, service: &Service<'a>) -> Vec<&'a str> {
        self.pods_of(service).unwrap_or_default().iter().flat_map(|pods| &pods.programs).copied().collect()
    }

    /// What may be selected, so that not everything has to be asked each time.
    fn candidates(
        &self,
        selector: &Node,
        namespaces: &Namespaces<'_>,
        of: impl Fn(&Found) -> &Vec<usize>,
        all: usize,
    ) -> Vec<usize> {
        let labels = selector.get("matchLabels").map(Node::entries).unwrap_or_default();
        let Namespaces::These(names) = namespaces else { return (0..all).collect() };
        if labels.is_empty() {
            return (0..all).collect();
        }
        let mut fewest: Option<Vec<usize>> = None;
        for (key, value) in labels.iter().filter_map(|entry| Some((entry.key.text.as_str(), entry.value.text()?))) {
            let lists = names.iter().filter_map(|name| self.by_label.get(&(*name, key, value))).map(&of);
            let found: Vec<usize> = lists.flatten().copied().collect();
            if fewest.as_ref().is_none_or(|fewest| found.len() < fewest.len()) {
                fewest = Some(found);
            }
        }
        fewest.unwrap_or_else(|| (0..all).collect())
    }

    /// The Service of that name.
    pub(crate) fn service(&self, namespace: &str, name: &str) -> Option<&Service<'a>> {
        self.services.get(*self.by_name.get(&(namespace, name))?)
    }

    /// The label of Services in these namespaces that a selector probably means.
    pub(crate) fn near_label(&self, selector: &Node, namespaces: &Namespaces<'_>) -> Option<String> {
        let labels = selector.get("matchLabels").map(Node::entries).unwrap_or_default();
        labels.iter().find_map(|entry| {
            let (key, wanted) = (entry.key.text.as_str(), entry.value.text()?);
            let there = self.services.iter().filter(|service| namespaces.contain(service.namespace));
            let mut values: Vec<&str> = there.filter_map(|service| service.label(key)).collect();
            values.sort_unstable();
            let near = nearest(wanted, values.iter().copied()).filter(|_| !values.contains(&wanted))?;
            Some(format!("did you mean `{key}: {near}`?"))
        })
    }

    /// The Service that was probably meant: of that name elsewhere, or of a like name in `namespace`.
    pub(crate) fn near_service(&self, name: &str, namespace: &str) -> Option<String> {
        let elsewhere =
            self.services.iter().filter(|service| service.name == name).map(|service| service.namespace).min();
        if let Some(elsewhere) = elsewhere {
            return Some(format!("it is in namespace `{elsewhere}`"));
        }
        let here = self.services.iter().filter(|service| service.namespace == namespace).map(|service| service.name);
        nearest(name, here).map(|near| format!("did you mean `{near}`?"))
    }

    /// What is wrong with an address, if it is surely one of a Service. `namespace` is that of the pod which asks.
    pub(crate) fn address(&self, url: &str, namespace: Option<&str>) -> Option<Wrong> {
        let address = Address::of(url)?;
        let labels: Vec<&str> = address.host.trim_end_matches('.').split('.').collect();
        let (name, own, full) = match *labels.as_slice() {
            [name] => (name, namespace?, false),
            [name, own] if self.is_ours(name, own) => (name, own, false),
            [name, own, "svc", ..] | [_, name, own, "svc", ..] => (name, own, true),
            [name, own, third, ..] if self.by_name.contains_key(&(own, name)) => {
                return Some(Wrong {
                    message: format!("the host {} names no Service", Quoted(address.host)),
                    label: Some(format!("expected `svc` in place of {}", Quoted(third))),
                    help: None,
                });
            }
            _ => return None,
        };
        if name == "localhost" || name.is_empty() {
            return None;
        }
        let Some(service) = self.service(own, name) else {
            if self.all_open || self.open.contains(own) {
                return None;
            }
            return Some(self.no_service(&address, name, own, full || labels.len() > 1));
        };
        if service.any_port || service.ports.iter().any(|port| port.number == address.port) {
            return None;
        }
        let ports: Vec<String> = service.ports.iter().map(|port| port.number.to_string()).collect();
        let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
        let implied = if address.is_implied { ", which the address implies" } else { "" };
        Some(Wrong {
            message: format!("Service `{own}/{name}` has no port {}{implied}", address.port),
            label: (!ports.is_empty()).then(|| format!("expected {}", vigil_yaml::words::list(&ports, "or"))),
            help: Some("use a port of the Service; the port of its pods is another one".to_owned())
                .filter(|_| service.ports.iter().any(|port| port.target == Some(address.port))),
        })
    }

    fn no_service(&self, address: &Address<'_>, name: &str, own: &str, said: bool) -> Wrong {
        let message = if said {
            format!("there is no Service {} in namespace {}", Quoted(name), Quoted(own))
        } else {
            format!("there is no Service {} in namespace {}, where the name is looked up", Quoted(name), Quoted(own))
        };
        let mut elsewhere: Vec<&str> =
            self.services.iter().filter(|service| service.name == name).map(|service| service.namespace).collect();
        elsewhere.sort_unstable();
        let here = self.services.iter().filter(|service| service.namespace == own).map(|service| service.name);
        let meant = match elsewhere.first() {
            Some(namespace) => Some(format!("{name}.{namespace}")),
            None => nearest(name, here).map(|near| if said { format!("{near}.{own}") } else { near.to_owned() }),
        };
        Wrong {
            message,
            label: meant.map(|meant| format!("did you mean `{meant}`?")),
            help: Some(format!("correct the host {}, or add the Service", Quoted(address.host))),
        }
    }

    /// Whether `name.namespace` is an address in the cluster: both could be a domain of the internet.
    fn is_ours(&self, name: &str, namespace: &str) -> bool {
        const DOMAINS: [&str; 12] =
            ["com", "net", "org", "io", "dev", "cloud", "app", "info", "local", "internal", "lan", "test"];
        self.namespaces.contains(namespace)
            || (self.names.contains(name) && namespace.len() > 2 && !DOMAINS.contains(&namespace))
    }
}

/// What is wrong with a reference, in the parts of a finding.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) label: Option<String>,
    pub(crate) help: Option<String>,
}

/// The host and the port of a URL.
#[derive(Debug, PartialEq)]
struct Address<'u> {
    host: &'u str,
    port: i64,
    is_implied: bool,
}

impl<'u> Address<'u> {
    /// Of `scheme://host:port/path`, or `host:port` as probers have it; nothing when it is no host name or holds variables.
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, authority) = match Url::split(url) {
            Some(url) => (url.scheme, url.authority),
            None => ("http", Authority::split(url.split(['/', '?', '#']).next()?)),
        };
        let (host, port) = authority.named(implied_port(scheme)?)?;
        Some(Self { host, port: port.into(), is_implied: authority.port.is_none() })
    }
}

/// In which namespaces something is looked for.
#[derive(Clone, Debug)]
pub(crate) enum Namespaces<'a> {
    All,
    These(Vec<&'a str>),
}

impl<'a> Namespaces<'a> {
    /// The `namespaceSelector` of a monitor.
    pub(crate) fn of_monitor(object: &Object<'a>) -> Self {
        let selector = object.at(&["spec", "namespaceSelector"]);
        if selector.and_then(|node| node.get("any")).and_then(Node::boolean) == Some(true) {
            return Self::All;
        }
        let names = selector.and_then(|node| node.get("matchNames")).map(Node::items).unwrap_or_default();
        let names: Vec<_> = names.iter().filter_map(Node::text).collect();
        Self::These(if names.is_empty() { vec![object.namespace] } else { names })
    }

    fn contain(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(&namespace),
        }
    }

    /// As a message says it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::All => "any namespace".to_owned(),
            Self::These(names) if names.len() == 1 => format!("namespace {}", Quoted(names[0])),
            Self::These(names) => format!("the namespaces {}", vigil_yaml::words::list(names, "and")),
        }
    }
}

fn operated_label(app: &str) -> &'static str {
    match app {
        "alertmanager" => "operated-alertmanager",
        "thanos-ruler" => "operated-thanos-ruler",
        "prometheus-agent" => "operated-prometheus-agent",
        _ => "operated-prometheus",
    }
}

fn service<'a>(object: &Object<'a>) -> Service<'a> {
    let spec = object.at(&["spec"]);
    let text = |key: &str| spec.and_then(|spec| spec.get(key)).and_then(Node::text);
    let ports = spec.and_then(|spec| spec.get("ports")).map(Node::items).unwrap_or_default();
    let port = |node: &'a Node| {
        Some(Port {
            name: node.get("name").and_then(Node::text).unwrap_or_default(),
            number: node.get("port")?.integer()?,
            target: node.get("targetPort").and_then(Node::integer),
        })
    };
    let pods = spec.and_then(|spec| spec.get("selector")).filter(|node| !node.entries().is_empty());
    Service {
        namespace: object.namespace,
        name: object.name,
        labels: object.labels().iter().collect(),
        ports: ports.iter().filter_map(port).collect(),
        pods,
        any_port: text("type") == Some("ExternalName") || text("clusterIP") == Some("None"),
    }
}

/// The last part of the name of a container's image.
pub(crate) fn program(container: &Node) -> Option<&str> {
    let image = container.get("image").and_then(Node::text)?;
    image.split('@').next()?.rsplit('/').next()?.split(':').next()
}

fn container_ports<'a>(containers: impl Iterator<Item = &'a Node>) -> Vec<Port<'a>> {
    let ports = containers.filter_map(|container| container.get("ports")).flat_map(Node::items);
    let port = |node: &'a Node| {
        Some(Port {
            name: node.get("name").and_then(Node::text).unwrap_or_default(),
            number: node.get("containerPort")?.integer()?,
            target: None,
        })
    };
    ports.filter_map(port).collect()
}

/// Services that no manifest makes: the API server's, the cluster's DNS, and the operator's for the kubelets.
fn provided_services<'a>(set: &Set<'a>) -> Vec<Service<'a>> {
    let port = |name, number| Port { name, number, target: None };
    let service =
        |namespace, name, labels, ports| Service { namespace, name, labels, ports, pods: None, any_port: false };
    let mut services = vec![
        service(
            "default",
            "kubernetes",
            vec![("component", "apiserver"), ("provider", "kubernetes")],
            vec![port("https", 443)],
        ),
        service(
            "kube-system",
            "kube-dns",
            vec![("k8s-app", "kube-dns"), ("kubernetes.io/cluster-service", "true"), ("kubernetes.io/name", "CoreDNS")],
            vec![port("dns", 53), port("dns-tcp", 53), port("metrics", 9153)],
        ),
    ];
    let kubelet = |namespace, name| Service {
        any_port: true,
        ..service(
            namespace,
            name,
            vec![
                ("k8s-app", "kubelet"),
                ("app.kubernetes.io/name", "kubelet"),
                ("app.kubernetes.io/managed-by", "prometheus-operator"),
            ],
            vec![port("https-metrics", 10250), port("http-metrics", 10255), port("cadvisor", 4194)],
        )
    };
    let mut operators = false;
    for object in set.of_kind("apps", "Deployment") {
        let containers = object.at(&["spec", "template", "spec", "containers"]).map(Node::items).unwrap_or_default();
        for container in containers {
            let image = container.get("image").and_then(Node::text).map(Image::split);
            operators |= image.is_some_and(|image| image.program() == "prometheus-operator");
            let words = ["command", "args"].into_iter().filter_map(|key| container.get(key)).flat_map(Node::items);
            let flag = |word: &'a Node| word.text()?.trim_start_matches('-').strip_prefix("kubelet-service=");
            let named = words.filter_map(flag).filter_map(|value| value.split_once('/'));
            services.extend(named.map(|(namespace, name)| kubelet(namespace, name)));
        }
    }
    // An operator that is elsewhere may make it.
    if !operators {
        services.push(kubelet("kube-system", "kubelet"));
    }
    services
}

/// Whether a controller may make Services and pods of the object: a custom resource that is not known to make none.
fn makes_others(object: &Object<'_>) -> bool {
    let group = object.group;
    !(group.is_empty()
        || !group.contains('.')
        || group.ends_with(".k8s.io")
        || group == "cert-manager.io"
        || (group == "argoproj.io" && object.kind != "Rollout"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, expected) in [
            ("http://loki:3100/loki/api/v1/push", Some(("loki", 3100, false))),
            ("http://loki.logs", Some(("loki.logs", 80, true))),
            ("https://user:word@loki.logs.svc/x", Some(("loki.logs.svc", 443, true))),
            ("prober:9115", Some(("prober", 9115, false))),
            ("http://10.0.0.1:9090", None),
            ("http://[::1]:9090", None),
            ("http://${LOKI}:3100", None),
            ("http://{{ host }}/", None),
            ("postgres://db:5432", None),
            ("http://host:port/", None),
        ] {
            let expected = expected.map(|(host, port, is_implied)| Address { host, port, is_implied });
            assert_eq!(Address::of(url), expected, "{url}");
        }
    }
}
