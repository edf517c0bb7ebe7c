//! Where in objects kustomize finds what it changes. Source: `api/internal/konfig/builtinpluginconsts` of
//! sigs.k8s.io/kustomize.

use super::resource::Resource;
use serde_json::{Value, json};
use vigil_yaml::Node;

/// A field of some objects.
pub(super) struct Field<'a> {
    /// None for any.
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
    /// The keys down to it, with `/` between; lists are gone through.
    pub(super) path: &'a str,
    /// It is made where it is not there.
    pub(super) is_made: bool,
}

const fn any(path: &str) -> Field<'_> {
    Field { group: "", version: "", kind: "", path, is_made: true }
}

const fn of<'a>(group: &'a str, kind: &'a str, path: &'a str) -> Field<'a> {
    Field { group, version: "", kind, path, is_made: true }
}

const fn core<'a>(kind: &'a str, path: &'a str) -> Field<'a> {
    Field { group: "", version: "v1", kind, path, is_made: true }
}

/// Only where it is there already.
const fn there<'a>(group: &'a str, kind: &'a str, path: &'a str) -> Field<'a> {
    Field { group, version: "", kind, path, is_made: false }
}

/// Labels of an object itself.
pub(super) const OWN_LABELS: [Field<'_>; 1] = [any("metadata/labels")];

/// Labels of what an object makes.
pub(super) const TEMPLATE_LABELS: [Field<'_>; 9] = [
    core("ReplicationController", "spec/template/metadata/labels"),
    of("", "Deployment", "spec/template/metadata/labels"),
    of("", "ReplicaSet", "spec/template/metadata/labels"),
    of("", "DaemonSet", "spec/template/metadata/labels"),
    of("apps", "StatefulSet", "spec/template/metadata/labels"),
    of("apps", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels"),
    of("batch", "Job", "spec/template/metadata/labels"),
    of("batch", "CronJob", "spec/jobTemplate/metadata/labels"),
    of("batch", "CronJob", "spec/jobTemplate/spec/template/metadata/labels"),
];

/// What selects by labels.
pub(super) const SELECTORS: [Field<'_>; 22] = [
    core("Service", "spec/selector"),
    core("ReplicationController", "spec/selector"),
    of("", "Deployment", "spec/selector/matchLabels"),
    there("apps", "Deployment", PREFERRED[0]),
    there("apps", "Deployment", REQUIRED[0]),
    there("apps", "Deployment", PREFERRED[1]),
    there("apps", "Deployment", REQUIRED[1]),
    there("apps", "Deployment", SPREAD),
    of("", "ReplicaSet", "spec/selector/matchLabels"),
    of("", "DaemonSet", "spec/selector/matchLabels"),
    of("apps", "StatefulSet", "spec/selector/matchLabels"),
    there("apps", "StatefulSet", PREFERRED[0]),
    there("apps", "StatefulSet", REQUIRED[0]),
    there("apps", "StatefulSet", PREFERRED[1]),
    there("apps", "StatefulSet", REQUIRED[1]),
    there("apps", "StatefulSet", SPREAD),
    there("batch", "Job", "spec/selector/matchLabels"),
    there("batch", "CronJob", "spec/jobTemplate/spec/selector/matchLabels"),
    there("policy", "PodDisruptionBudget", "spec/selector/matchLabels"),
    there("networking.k8s.io", "NetworkPolicy", "spec/podSelector/matchLabels"),
    there("networking.k8s.io", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels"),
    there("networking.k8s.io", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels"),
];

const PREFERRED: [&str; 2] = [
    "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
];

const REQUIRED: [&str; 2] = [
    "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
];

const SPREAD: &str = "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels";

/// Annotations, of an object and of what it makes.
pub(super) const ANNOTATIONS: [Field<'_>; 9] = [
    any("metadata/annotations"),
    core("ReplicationController", "spec/template/metadata/annotations"),
    of("", "Deployment", "spec/template/metadata/annotations"),
    of("", "ReplicaSet", "spec/template/metadata/annotations"),
    of("", "DaemonSet", "spec/template/metadata/annotations"),
    of("", "StatefulSet", "spec/template/metadata/annotations"),
    of("batch", "Job", "spec/template/metadata/annotations"),
    of("batch", "CronJob", "spec/jobTemplate/metadata/annotations"),
    of("batch", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations"),
];

/// What names a namespace besides `metadata.namespace`.
pub(super) const NAMESPACES: [Field<'_>; 3] = [
    core("Namespace", "metadata/name"),
    of("apiregistration.k8s.io", "APIService", "spec/service/namespace"),
    there("apiextensions.k8s.io", "CustomResourceDefinition", "spec/conversion/webhook/clientConfig/service/namespace"),
];

/// Images, besides those of containers wherever they stand.
pub(super) const IMAGES: [Field<'_>; 6] = [
    there("", "", "spec/containers[]/image"),
    there("", "", "spec/initContainers[]/image"),
    there("", "", "spec/volumes[]/image/reference"),
    there("", "", "spec/template/spec/containers[]/image"),
    there("", "", "spec/template/spec/initContainers[]/image"),
    there("", "", "spec/template/spec/volumes[]/image/reference"),
];

impl<'a> Field<'a> {
    /// What an entry of `fields` names.
    pub(super) fn read(node: &'a Node) -> Self {
        let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
        let is_made = node.get("create").and_then(Node::boolean) == Some(true);
        Self { group: text("group"), version: text("version"), kind: text("kind"), path: text("path"), is_made }
    }

    /// Whether it is one of a kind.
    pub(super) fn is_of(&self, (group, version): (&str, &str), kind: &str) -> bool {
        [(self.group, group), (self.version, version), (self.kind, kind)]
            .iter()
            .all(|(wanted, own)| wanted.is_empty() || wanted == own)
    }

    /// Changes what stands at the field of an object; `empty` stands there where it is made.
    pub(super) fn change(&self, resource: &mut Resource, empty: &Value, change: &mut dyn FnMut(&mut Value)) {
        if self.is_of(resource.group_version(), resource.kind()) {
            let keys = keys(self.path, '/');
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            descend(&mut resource.value, &keys, self.is_made.then_some(empty), change);
        }
    }
}

/// The parts of a path; a backslash before a separator takes its meaning away.
pub(super) fn keys(path: &str, separator: char) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for part in path.trim_start_matches(separator).split(separator) {
        match keys.last_mut().and_then(|last| last.strip_suffix('\\').map(str::to_owned).map(|own| (last, own))) {
            Some((last, own)) => *last = format!("{own}{separator}{part}"),
            None => keys.push(part.to_owned()),
        }
    }
    keys
}

fn descend(value: &mut Value, keys: &[&str], made: Option<&Value>, change: &mut dyn FnMut(&mut Value)) {
    let Some((key, rest)) = keys.split_first() else { return change(value) };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| descend(item, keys, made, change)),
        Value::Object(map) => {
            let list = key.strip_suffix("[]");
            let name = list.unwrap_or(key);
            // A list is not made, but in its items the rest is.
            if let Some(empty) = made.filter(|_| list.is_none())
                && map.get(name).is_none_or(Value::is_null)
            {
                map.insert(name.to_owned(), if rest.is_empty() { empty.clone() } else { json!({}) });
            }
            if let Some(value) = map.get_mut(name) {
                descend(value, rest, made, change);
            }
        }
        _ => {}
    }
}
