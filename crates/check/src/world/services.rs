//! Services: those of the set, and those that come by themselves.

use crate::fields::{integer, items, text};
use crate::object::{Labels, Object};
use vigil_yaml::Node;

/// A Service.
#[derive(Debug)]
pub(crate) struct Service<'a> {
    /// What the set says of it; none of one that comes by itself.
    pub(crate) object: Option<&'a Object<'a>>,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) labels: Labels<'a>,
    pub(crate) ports: Vec<ServicePort<'a>>,
    /// The labels of the pods behind it; empty where nothing says which these are.
    pub(crate) selector: Labels<'a>,
    /// Its name leads to pods, whose ports may be others than its own, or out of the cluster.
    pub(crate) any_port: bool,
}

/// A port of a Service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServicePort<'a> {
    /// Empty for none.
    pub(crate) name: &'a str,
    pub(crate) number: i64,
    /// TCP, UDP or SCTP.
    pub(crate) protocol: &'a str,
    /// Where it leads, if that is said.
    pub(crate) said: Option<Target<'a>>,
}

/// What becomes of a port of a Service: the port of the pods, by number or by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Number(i64),
    Name(&'a str),
}

impl<'a> Target<'a> {
    /// The target that a port of a Service names.
    fn said(port: &'a Node) -> Option<Self> {
        let target = port.get("targetPort").filter(|target| !target.is_null())?;
        target.integer().map(Self::Number).or_else(|| target.text().map(Self::Name))
    }
}

impl<'a> ServicePort<'a> {
    /// A port as a Service of the set says it; none when it has no number.
    pub(crate) fn of(port: &'a Node) -> Option<Self> {
        Some(Self {
            name: port.get("name").and_then(Node::text).unwrap_or_default(),
            number: integer(port, "port")?,
            protocol: super::pods::protocol(port),
            said: Target::said(port),
        })
    }

    /// The port of the pods: the same one where nothing else is said.
    pub(crate) fn target(&self) -> Target<'a> {
        self.said.unwrap_or(Target::Number(self.number))
    }
}

impl<'a> Service<'a> {
    /// A Service of the set.
    pub(crate) fn of(object: &'a Object<'a>) -> Self {
        let is_elsewhere = text(object.node, ["spec", "type"]) == Some("ExternalName");
        let selector = object.at(&["spec", "selector"]).filter(|_| !is_elsewhere);
        Self {
            object: Some(object),
            namespace: object.namespace,
            name: object.name,
            labels: object.labels(),
            ports: items(object.node, ["spec", "ports"]).iter().filter_map(ServicePort::of).collect(),
            selector: Labels::of(selector),
            any_port: is_elsewhere || text(object.node, ["spec", "clusterIP"]) == Some("None"),
        }
    }

    /// The value of one of its labels.
    pub(crate) fn label(&self, key: &str) -> Option<&'a str> {
        self.labels.get(key)
    }

    /// The port of this name.
    pub(crate) fn port(&self, name: &str) -> Option<&ServicePort<'a>> {
        self.ports.iter().find(|port| port.name == name)
    }

    /// Whether nothing can be said of the numbers of its ports.
    pub(crate) fn any_number(&self) -> bool {
        // A target by name, or none that is known.
        self.any_port || self.ports.iter().any(|port| !matches!(port.said, Some(Target::Number(_))))
    }

    /// Whether a port has this number, or leads to it.
    pub(crate) fn leads_to(&self, number: i64) -> bool {
        self.ports.iter().any(|port| port.number == number || port.said == Some(Target::Number(number)))
    }
}
