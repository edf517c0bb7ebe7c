//! `metadata`, of objects and of the objects that they make: names, labels, annotations, owners.

use super::judge::{Judge, LABEL, QUALIFIED, SUBDOMAIN};
use super::selectors;
use crate::fields::{filled, is_set, items};
use crate::object::Object;
use crate::rule::rules;
use vigil_forms::{address, name};
use vigil_yaml::{Node, Quoted};

rules! {
    NAME "object-name" Error Server "every `metadata.name` is valid for its kind"
    ANNOTATION "annotation-syntax" Error Server "annotations have valid keys, and at most 256 KiB together"
    OWNER "object-owner" Error Server "owner references and finalizers are complete and valid"
}

/// The longest that all annotations of an object may be.
const LARGEST_ANNOTATIONS: usize = 256 << 10;
/// The longest part of `generateName` that counts.
const LONGEST_BASE: usize = 58;
/// The longest name of a CronJob: its Jobs add eleven characters to it.
const LONGEST_CRON_JOB: usize = 52;

/// Judges the metadata of an object, and of what it makes.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = *judge.object;
    // Questions that a server answers and keeps nowhere.
    let is_kept = !matches!(object.group, "authentication.k8s.io" | "authorization.k8s.io");
    if let Some(metadata) = object.node.get("metadata").filter(|_| is_kept) {
        name(judge, metadata);
        service_name(judge);
        namespace(judge, metadata);
        owners(judge, metadata);
        described(judge, metadata);
    }
    let templates: &[&[&str]] = match (object.group, object.kind) {
        ("apps", _) | ("", "ReplicationController") | ("batch", "Job") => &[&["spec", "template", "metadata"]],
        ("", "PodTemplate") => &[&["template", "metadata"]],
        ("batch", "CronJob") => {
            &[&["spec", "jobTemplate", "metadata"], &["spec", "jobTemplate", "spec", "template", "metadata"]]
        }
        _ => &[],
    };
    for path in templates {
        if let Some(metadata) = object.at(path) {
            described(judge, metadata);
        }
    }
}

/// Names of Services: those before 1.36 are labels of DNS that begin with a letter.
fn service_name(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    if !judge.since(36)
        && object.is("", "Service")
        && object.name.starts_with(|c: char| c.is_ascii_digit())
        && let Some(node) = object.at(&["metadata", "name"])
    {
        judge
            .add(&NAME, node, format!("{} is no name for a Service", Quoted(object.name)))
            .label("expected a letter first; only Kubernetes 1.36 and newer take a digit");
    }
}

/// Labels and annotations.
pub(super) fn described(judge: &mut Judge<'_, '_>, metadata: &Node) {
    selectors::labels(judge, metadata.get("labels"));
    let Some(annotations) = metadata.get("annotations") else { return };
    let mut size = 0;
    for entry in annotations.entries() {
        let key = entry.key.text.as_str();
        size += key.len() + entry.value.text().map_or(0, str::len);
        if !name::is_qualified_name(&key.to_ascii_lowercase()) {
            judge.add(&ANNOTATION, entry, format!("{} is no key for an annotation", Quoted(key))).label(QUALIFIED);
        }
    }
    if size > LARGEST_ANNOTATIONS
        && let Some(entry) = metadata.entry("annotations")
    {
        judge
            .add(&ANNOTATION, entry, format!("the annotations are {size} bytes long"))
            .label(format!("expected at most {LARGEST_ANNOTATIONS} bytes, keys and values together"))
            .help("put what is so long into a ConfigMap");
    }
}

/// What a name may look like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A label of DNS.
    Label,
    /// A subdomain of DNS.
    Subdomain,
    /// Whatever may stand in a path.
    Segment,
    /// An address, as it is written most simply.
    Address,
}

impl Form {
    fn of(object: &Object<'_>) -> Self {
        match (object.group, object.kind) {
            // Services could not begin with a digit before Kubernetes 1.36.
            ("", "Namespace" | "Service") | ("apps", "StatefulSet") => Self::Label,
            ("rbac.authorization.k8s.io", _)
            | ("apiregistration.k8s.io", "APIService")
            | ("certificates.k8s.io", "ClusterTrustBundle")
            | ("policy", "PodDisruptionBudget")
            | ("" | "events.k8s.io", "Event") => Self::Segment,
            ("networking.k8s.io", "IPAddress") => Self::Address,
            _ => Self::Subdomain,
        }
    }

    fn admits(self, name: &str) -> bool {
        match self {
            Self::Label => name::is_dns1123_label(name),
            Self::Subdomain => name::is_dns1123_subdomain(name),
            Self::Segment => name::is_path_segment(name),
            Self::Address => address::is_canonical_ip(name),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Label => LABEL,
            Self::Subdomain => SUBDOMAIN,
            Self::Address => "expected an IP address in its shortest form",
            Self::Segment => "expected anything but `.`, `..`, and names with `/` or `%` in them",
        }
    }
}

fn name(judge: &mut Judge<'_, '_>, metadata: &Node) {
    let object = judge.object;
    let form = Form::of(object);
    if let Some((node, name)) = filled(metadata, "name") {
        if !form.admits(name) {
            let finding = judge.add(&NAME, node, format!("{} is no name for a {}", Quoted(name), object.kind));
            finding.label(form.expected());
            let better = name.to_ascii_lowercase().replace(['_', ' '], "-");
            if better != name && form.admits(&better) {
                finding.help(format!("write `{better}`"));
            }
        } else if object.is("batch", "CronJob") && name.len() > LONGEST_CRON_JOB {
            judge
                .add(&NAME, node, format!("{} is too long for a CronJob, with {} characters", Quoted(name), name.len()))
                .label(format!("expected at most {LONGEST_CRON_JOB}: its Jobs add eleven to it"));
        }
    } else if let Some((node, name)) = filled(metadata, "generateName") {
        let base: String = name.chars().take(LONGEST_BASE).collect();
        if !form.admits(&(base + "bcdfg")) {
            judge
                .add(&NAME, node, format!("{} begins no name for a {}", Quoted(name), object.kind))
                .label(form.expected());
        }
    }
}

fn namespace(judge: &mut Judge<'_, '_>, metadata: &Node) {
    // What lives in no namespace may name one: it is dropped.
    if judge.object.namespace.is_empty() {
        return;
    }
    if let Some((node, name)) = filled(metadata, "namespace").filter(|(_, name)| !name::is_dns1123_label(name)) {
        judge.add(&NAME, node, format!("{} is no name for a namespace", Quoted(name))).label(LABEL);
    }
}

fn owners(judge: &mut Judge<'_, '_>, metadata: &Node) {
    let mut controller = false;
    for owner in items(metadata, "ownerReferences") {
        for key in ["apiVersion", "kind", "name", "uid"] {
            if let Some(node) = owner.get(key).filter(|node| node.text() == Some("")) {
                judge.add(&OWNER, node, format!("an owner with an empty `{key}`")).help(
                    "an owner is known by `apiVersion`, `kind`, `name` and `uid`; only a cluster can tell the last",
                );
            }
        }
        if let Some((node, version)) =
            filled(owner, "apiVersion").filter(|(_, version)| version.matches('/').count() > 1)
        {
            judge
                .add(&OWNER, node, format!("{} is no API version", Quoted(version)))
                .label("expected `group/version`, or `v1`");
        }
        if is_set(owner, "controller") {
            if controller {
                judge.add(&OWNER, owner, "an earlier owner is the controller").label("expected one at most");
            }
            controller = true;
        }
    }
    let finalizers = items(metadata, "finalizers");
    for node in finalizers {
        let Some(text) = (if node.is_null() { Some("") } else { node.text() }) else { continue };
        if !name::is_qualified_name(text) {
            judge.add(&OWNER, node, format!("{} is no name for a finalizer", Quoted(text))).label(QUALIFIED);
        }
    }
    let find = |name: &str| finalizers.iter().find(|node| node.text() == Some(name));
    if let (Some(_), Some(node)) = (find("orphan"), find("foregroundDeletion")) {
        judge.add(&OWNER, node, "`foregroundDeletion` and `orphan` exclude each other").help("remove one of the two");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, holds};

    fn named(api_version: &str, kind: &str, metadata: &str) -> String {
        format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {metadata}\n")
    }

    #[test]
    fn names_by_kind() {
        let long = "a".repeat(63);
        for (version, kind, name) in [
            ("v1", "ConfigMap", "a.b-c.1"),
            ("v1", "ConfigMap", &*format!("{long}a")),
            ("v1", "Service", "1-web"),
            ("v1", "Namespace", &long),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", "system:node reader"),
            ("apiregistration.k8s.io/v1", "APIService", "v1."),
            ("batch/v1", "CronJob", &long[..52]),
        ] {
            holds(&named(version, kind, &format!("{{name: \"{name}\"}}")), &super::NAME);
        }
        for (version, kind, name) in [
            ("v1", "ConfigMap", "A"),
            ("v1", "ConfigMap", "a_b"),
            ("v1", "ConfigMap", "a."),
            ("v1", "Service", "a.b"),
            ("v1", "Namespace", &*format!("{long}a")),
            ("apps/v1", "StatefulSet", "a.b"),
            ("rbac.authorization.k8s.io/v1", "Role", "a/b"),
            ("batch/v1", "CronJob", &long[..53]),
        ] {
            broken(&named(version, kind, &format!("{{name: \"{name}\"}}")), &super::NAME, 1);
        }
    }

    #[test]
    fn generated_names_and_namespaces() {
        let long = "a".repeat(300);
        holds(&named("v1", "ConfigMap", &format!("{{generateName: {long}}}")), &super::NAME);
        holds(&named("batch/v1", "Job", "{generateName: a-}"), &super::NAME);
        broken(&named("batch/v1", "Job", "{generateName: A-}"), &super::NAME, 1);
        broken(&named("v1", "ConfigMap", "{name: a, namespace: a.b}"), &super::NAME, 1);
        holds(&named("v1", "Namespace", "{name: a, namespace: a.b}"), &super::NAME);
    }

    #[test]
    fn annotations_count_together() {
        let sized =
            |size: usize| named("v1", "ConfigMap", &format!("{{name: a, annotations: {{k: {}}}}}", "v".repeat(size)));
        holds(&sized(super::LARGEST_ANNOTATIONS - 1), &super::ANNOTATION);
        broken(&sized(super::LARGEST_ANNOTATIONS), &super::ANNOTATION, 1);
        holds(&named("v1", "ConfigMap", "{name: a, annotations: {Example.COM/A: x}}"), &super::ANNOTATION);
        broken(&named("v1", "ConfigMap", "{name: a, annotations: {a/b/c: x, '': x}}"), &super::ANNOTATION, 2);
    }

    #[test]
    fn owners_and_finalizers() {
        holds(&named("v1", "ConfigMap", "{name: a, finalizers: [kubernetes, a.b/c, orphan]}"), &super::OWNER);
        broken(&named("v1", "ConfigMap", "{name: a, finalizers: [a b, orphan, foregroundDeletion]}"), &super::OWNER, 2);
    }
}
