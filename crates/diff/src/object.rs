//! What an object is called, and how its fields are read.

use serde_json::Value;
use std::fmt;
use vigil_yaml::{Node, plain::Plain};

/// What no other object of a cluster has, whatever the version of its API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The namespace; empty for an object that has none, or names none.
    pub namespace: String,
    /// The kind.
    pub kind: String,
    /// The group of the API; empty for the core.
    pub group: String,
    /// The name.
    pub name: String,
}

/// Groups of Kubernetes itself, whose kinds kubectl finds without the group.
const BUILT_IN: [&str; 12] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

impl Identity {
    /// That of an object; `None` when it has no kind or no name.
    pub(crate) fn of(object: &Value) -> Option<Self> {
        let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
        if kind.is_empty() || name.is_empty() {
            return None;
        }
        let group = text(object, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
        // These have moved: under either group it is one object.
        let group = match (group, kind) {
            ("extensions", "Deployment" | "DaemonSet" | "ReplicaSet") => "apps",
            ("extensions", "Ingress" | "NetworkPolicy") => "networking.k8s.io",
            (group, _) => group,
        };
        let [namespace, kind, group, name] =
            [text(object, "/metadata/namespace"), kind, group, name].map(str::to_owned);
        Some(Self { namespace, kind, group, name })
    }

    /// Whether it is of this kind.
    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// The kind, as an argument of kubectl.
    pub(crate) fn resource(&self) -> String {
        let kind = self.kind.to_lowercase();
        if BUILT_IN.contains(&self.group.as_str()) { kind } else { format!("{kind}.{}", self.group) }
    }

    /// The arguments of kubectl that name it.
    pub(crate) fn arguments(&self) -> String {
        format!("{} {}{}", self.resource(), self.name, in_namespace(&self.namespace))
    }

    /// Its name with its namespace, if it has one.
    pub(crate) fn place(&self) -> String {
        if self.namespace.is_empty() { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.place())
    }
}

/// The argument of kubectl for a namespace; empty for none.
pub(crate) fn in_namespace(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!(" --namespace {namespace}") }
}

/// A document as kubectl reads it.
pub fn read(document: &Node) -> Value {
    document.map_json(
        &mut |scalar| {
            if !scalar.plain {
                return Value::String(scalar.text.clone());
            }
            match vigil_yaml::plain::resolve_as_kubectl(&scalar.text) {
                Plain::Null => Value::Null,
                Plain::Bool(value) => value.into(),
                Plain::Integer(value) => value.into(),
                Plain::Unsigned(value) => value.into(),
                Plain::Float(value) => serde_json::Number::from_f64(value)
                    .map_or_else(|| Value::String(scalar.text.clone()), Value::Number),
                Plain::Text => Value::String(scalar.text.clone()),
            }
        },
        &mut str::to_owned,
    )
}

/// The objects in a document: itself, or the items of a list.
pub(crate) fn flattened(document: &Value) -> Vec<&Value> {
    match document["items"].as_array() {
        Some(items) if text(document, "/kind").ends_with("List") => items.iter().flat_map(flattened).collect(),
        _ => vec![document],
    }
}

/// A text at a JSON pointer; empty when there is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list at a JSON pointer.
pub(crate) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether a boolean at a JSON pointer is true.
pub(crate) fn is_set(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

/// A whole number at a JSON pointer.
pub(crate) fn integer(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer)?.as_i64()
}
