//! The pods that there will be: their labels, their ports and the programs in them.

use super::program::Program;
use super::template::PodTemplate;
use crate::fields::{integer, is_set, items, text};
use crate::object::{MONITORING, Object};
use vigil_forms::selector::Label;
use vigil_yaml::Node;

/// The label with the version of what runs, which the operator writes by itself.
pub(crate) const VERSION: &str = "app.kubernetes.io/version";

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
    /// What runs in them, as far as it is known.
    pub(crate) programs: Vec<&'a str>,
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
    /// Of an init container that ends before the others begin: Prometheus finds it, and no Service leads to it.
    pub(crate) ends: bool,
}

impl<'a> Port<'a> {
    /// The ports that the containers of a pod's specification declare. A sidecar is an init container that goes on.
    pub(crate) fn declared(spec: &'a Node) -> impl Iterator<Item = Self> {
        let goes_on = |container: &Node| text(container, "restartPolicy") == Some("Always");
        let init = items(spec, "initContainers").iter().map(move |container| (container, !goes_on(container)));
        let main = items(spec, "containers").iter().map(|container| (container, false));
        init.chain(main).flat_map(|(container, ends)| {
            items(container, "ports").iter().map(move |port| Self {
                name: port.get("name").and_then(Node::text).unwrap_or_default(),
                number: integer(port, "containerPort").unwrap_or_default(),
                protocol: protocol(port),
                ends,
            })
        })
    }

    /// Whether a Service can lead to it.
    pub(crate) fn is_served(&self) -> bool {
        !self.ends
    }
}

/// The protocol of a port of any sort.
pub(crate) fn protocol(port: &Node) -> &str {
    port.get("protocol").and_then(Node::text).unwrap_or("TCP")
}

impl<'a> Pod<'a> {
    /// The pods that an object makes, if it has a template for them.
    pub(crate) fn of(object: &'a Object<'a>, home: &'a str) -> Option<Self> {
        // A template that waits for somebody to use it.
        if object.is("", "PodTemplate") {
            return None;
        }
        let own = PodTemplate::of(object);
        let template = own.or_else(|| PodTemplate::foreign(object))?;
        Some(Self {
            object: Some(object),
            spec: Some(template.spec),
            namespace: home,
            labels: template.labels().iter().collect(),
            // A port without a number is told as such.
            ports_known: own.is_some() && Port::declared(template.spec).all(|port| port.number != 0),
            ports: Port::declared(template.spec).collect(),
            programs: template.containers().filter_map(Program::of).map(|program| program.name).collect(),
        })
    }

    /// What is known of one of their labels.
    pub(crate) fn label(&self, key: &str) -> Label<'a> {
        if let Some((_, value)) = self.labels.iter().find(|(own, _)| *own == key) {
            return Label::Is(value);
        }
        let is_operated = || self.object.is_some_and(|object| object.group == MONITORING);
        match key {
            "statefulset.kubernetes.io/pod-name" => match self.object {
                Some(object) if object.is("apps", "StatefulSet") => Label::Begins(object.name),
                _ if is_operated() => Label::Begins(""),
                _ => Label::Absent,
            },
            // The operator's own choice where the object names none.
            VERSION if is_operated() => {
                let version = self.spec.and_then(|spec| text(spec, "version")).unwrap_or_default();
                Label::Begins(version.trim_start_matches('v'))
            }
            _ if varies(key) => Label::Begins(""),
            _ => Label::Absent,
        }
    }

    /// The value of one of their labels that a manifest tells.
    pub(crate) fn written_label(&self, key: &str) -> Option<&'a str> {
        self.labels.iter().find(|(own, _)| *own == key).map(|(_, value)| *value)
    }

    /// Whether they are on the node's network, which no NetworkPolicy reaches.
    pub(crate) fn on_host(&self) -> bool {
        self.object.is_none() || self.spec.is_some_and(|spec| is_set(spec, "hostNetwork"))
    }

    /// Whether there is no more than one of them at a time, updates aside.
    pub(crate) fn is_single(&self) -> bool {
        let number = |key: &str| self.object?.at(&["spec", key])?.integer();
        let is_daemon = self.object.is_some_and(|object| {
            object.is("apps", "DaemonSet") || text(object.node, ["spec", "mode"]) == Some("DaemonSet")
        });
        !is_daemon && ["replicas", "shards"].iter().all(|key| number(key).unwrap_or(1) <= 1)
    }

    /// The ports that a Service can lead to.
    pub(crate) fn served(&self) -> impl Iterator<Item = &Port<'a>> {
        self.ports.iter().filter(|port| port.is_served())
    }

    /// The number of the port with this name that a Service can lead to.
    pub(crate) fn port(&self, name: &str, protocol: &str) -> Option<i64> {
        self.served().find(|port| port.name == name && port.protocol == protocol).map(|port| port.number)
    }
}

/// Whether the cluster sets this label on pods, with a value that no manifest tells.
pub(crate) fn varies(key: &str) -> bool {
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
