//! The pods that there will be: their labels and their ports.

use super::operator;
use crate::object::Object;
use crate::pods::PodTemplate;
use vigil_forms::selector::Label;
use vigil_yaml::Node;

/// Pods of one workload, or of the cluster itself.
#[derive(Debug)]
pub(crate) struct Pod<'a> {
    /// What makes them; none for those of the cluster.
    pub(crate) object: Option<&'a Object<'a>>,
    /// Their specification, or what holds the same fields.
    pub(crate) spec: Option<&'a Node>,
    /// Where they run.
    pub(crate) namespace: &'a str,
    /// Their labels.
    pub(crate) labels: Vec<(&'a str, &'a str)>,
    /// The ports of their containers.
    pub(crate) ports: Vec<Port<'a>>,
    /// Whether these are all ports there are.
    pub(crate) ports_known: bool,
}

/// A port of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port<'a> {
    /// Empty for none.
    pub(crate) name: &'a str,
    /// 0 for none.
    pub(crate) number: i64,
    /// TCP, UDP or SCTP.
    pub(crate) protocol: &'a str,
}

impl<'a> Port<'a> {
    /// The ports that the containers of a pod's specification declare. A sidecar is an init container that goes on.
    pub(crate) fn declared(spec: &'a Node) -> impl Iterator<Item = Self> {
        let list = |key| spec.get(key).map(Node::items).unwrap_or_default();
        let goes_on = |container: &&Node| container.get("restartPolicy").and_then(Node::text) == Some("Always");
        let containers = list("initContainers").iter().filter(goes_on).chain(list("containers"));
        containers.filter_map(|container| container.get("ports")).flat_map(Node::items).map(|port| Self {
            name: port.get("name").and_then(Node::text).unwrap_or_default(),
            number: port.get("containerPort").and_then(Node::integer).unwrap_or_default(),
            protocol: protocol(port),
        })
    }
}

/// The protocol of a port of any sort.
pub(crate) fn protocol(port: &Node) -> &str {
    port.get("protocol").and_then(Node::text).unwrap_or("TCP")
}

impl Pod<'_> {
    /// What is known of one of their labels.
    pub(crate) fn label(&self, key: &str) -> Label<'_> {
        if let Some((_, value)) = self.labels.iter().find(|(own, _)| *own == key) {
            return Label::Is(value);
        }
        match key {
            "statefulset.kubernetes.io/pod-name" => match self.object {
                Some(object) if object.is("apps", "StatefulSet") => Label::Begins(object.name),
                Some(object) if object.group == operator::GROUP => Label::Begins(""),
                _ => Label::Absent,
            },
            _ if varies(key) => Label::Begins(""),
            _ => Label::Absent,
        }
    }

    /// Whether they are on the node's network, which no NetworkPolicy reaches.
    pub(crate) fn on_host(&self) -> bool {
        let on_host = |spec: &Node| spec.get("hostNetwork").and_then(Node::boolean) == Some(true);
        self.object.is_none() || self.spec.is_some_and(on_host)
    }

    /// Whether there is no more than one of them at a time, updates aside.
    pub(crate) fn is_single(&self) -> bool {
        let number = |key: &str| self.object?.at(&["spec", key])?.integer();
        let is_daemon = self.object.is_some_and(|object| object.is("apps", "DaemonSet"));
        !is_daemon && ["replicas", "shards"].iter().all(|key| number(key).unwrap_or(1) <= 1)
    }

    /// The number of the port with this name.
    pub(crate) fn port(&self, name: &str, protocol: &str) -> Option<i64> {
        let is_it = |port: &&Port<'_>| port.name == name && port.protocol == protocol;
        self.ports.iter().find(is_it).map(|port| port.number)
    }
}

/// Whether the cluster sets this label on pods, with a value that no manifest tells.
pub(super) fn varies(key: &str) -> bool {
    matches!(
        key,
        "statefulset.kubernetes.io/pod-name"
            | "apps.kubernetes.io/pod-index"
            | "controller-revision-hash"
            | "pod-template-generation"
            | "pod-template-hash"
            | "job-name"
            | "controller-uid"
            | "batch.kubernetes.io/job-name"
            | "batch.kubernetes.io/controller-uid"
            | "batch.kubernetes.io/job-completion-index"
            | "operator.prometheus.io/shard"
    )
}

/// The pods that an object makes.
pub(super) fn pods_of<'a>(object: &'a Object<'a>, home: &'a str) -> Option<Pod<'a>> {
    if object.group == operator::GROUP {
        return operator::pods(object);
    }
    if object.is("", "PodTemplate") {
        return None;
    }
    let own = PodTemplate::of(object);
    // Operators that are not known here have pod templates at the usual place, as Argo's Rollout has.
    let foreign = || {
        let node = object.at(&["spec", "template"]).filter(|_| is_foreign(object))?;
        let spec = node.get("spec")?;
        let has_pods = spec.get("containers").is_some() || node.at(&["metadata", "labels"]).is_some();
        has_pods.then_some(PodTemplate { node, spec })
    };
    let template = own.or_else(foreign)?;
    Some(Pod {
        object: Some(object),
        spec: Some(template.spec),
        namespace: home,
        labels: template.labels().iter().collect(),
        ports: Port::declared(template.spec).collect(),
        ports_known: own.is_some(),
    })
}

/// Whether an object is of a kind that is neither Kubernetes' own nor one that makes no pods for sure.
pub(super) fn is_foreign(object: &Object<'_>) -> bool {
    const WITHOUT_PODS: &[&str] = &[
        operator::GROUP,
        "cert-manager.io",
        "acme.cert-manager.io",
        "external-secrets.io",
        "bitnami.com",
        "secrets-store.csi.x-k8s.io",
        "secrets.hashicorp.com",
        "networking.istio.io",
        "security.istio.io",
        "traefik.io",
        "keda.sh",
        "kyverno.io",
    ];
    let group = object.group;
    group.contains('.')
        && !group.ends_with(".k8s.io")
        && !WITHOUT_PODS.contains(&group)
        && !matches!((group, object.kind), ("argoproj.io", "Application" | "ApplicationSet" | "AppProject"))
}
