//! What must be true of every set of objects, whatever the templates: the last gate before anything is written.

use crate::{Object, patches};
use serde_json::{Map, Value};
use std::collections::HashMap;
use vigil_stack::Stack;
use vigil_yaml::{Place, Problem};

/// The recommended labels that every object carries.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>
const LABELS: [&str; 5] = [
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
];

/// Labels that change with a release; in a selector, which is immutable, they would make every upgrade fail.
const CHANGING: [&str; 3] = ["app.kubernetes.io/version", "helm.sh/chart", "version"];

/// Kinds without a namespace.
#[rustfmt::skip]
const CLUSTER_KINDS: &[&str] = &[
    "APIService", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "MutatingWebhookConfiguration",
    "Namespace", "ValidatingWebhookConfiguration",
];

/// Kinds inside a namespace: those of the operator all, as the stack brings their definitions.
#[rustfmt::skip]
const NAMESPACED_KINDS: &[&str] = &[
    "Alertmanager", "AlertmanagerConfig", "AppProject", "Application", "Certificate", "ConfigMap", "DaemonSet",
    "Deployment", "GitRepository", "HTTPRoute", "HorizontalPodAutoscaler", "Ingress", "Issuer", "Job", "Kustomization", "NetworkPolicy", "OCIRepository", "PersistentVolumeClaim", "PodDisruptionBudget",
    "PodMonitor", "Probe", "Prometheus", "PrometheusAgent", "PrometheusRule", "Role", "RoleBinding", "ScrapeConfig",
    "Secret", "Service", "ServiceAccount", "ServiceMonitor", "StatefulSet", "ThanosRuler",
    "VerticalPodAutoscaler",
];

/// What the API server lets all annotations of one object hold together, less what controllers and Argo CD may add.
const ANNOTATIONS: usize = (256 << 10) - (4 << 10);

/// The annotation in which a client-side `kubectl apply` keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Everything that is wrong with a set, in its order.
pub(crate) fn check(stack: &Stack, objects: &[Object]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen: HashMap<(&str, &str, &str, &str), &Object> = HashMap::new();
    for object in objects {
        let mut problem = |message: String, help: &str| {
            let message = format!("{}: {message}", object.title());
            let place = patches::place(stack, &object.patches);
            let place = place.unwrap_or_else(|| Place::File(format!("templates/{}", object.template)));
            problems.push(Problem::error(message, place).help(help));
        };
        if object.api_version().is_empty() || object.kind().is_empty() || object.name().is_empty() {
            problem("not an object".to_owned(), "give it `apiVersion`, `kind` and `metadata.name`");
            continue;
        }
        let cluster = CLUSTER_KINDS.contains(&object.kind());
        if !cluster && !NAMESPACED_KINDS.contains(&object.kind()) {
            problem(format!("unknown kind `{}`", object.kind()), "name it in the lists of kinds in structure.rs");
        } else if cluster != object.namespace().is_empty() {
            problem(
                if cluster { "its kind has no namespace" } else { "no namespace" }.to_owned(),
                "every object says where it lives, whatever namespace kubectl is set to",
            );
        }
        let group = object.api_version().rsplit_once('/').map_or("", |(group, _)| group);
        let identity = (group, object.kind(), object.namespace(), object.name());
        if let Some(first) = seen.insert(identity, object) {
            problem(
                format!("made a second time; first by templates/{}", first.template),
                "one of the two would overwrite the other in the cluster",
            );
        }
        for label in LABELS.iter().filter(|label| object.value.head()["metadata"]["labels"][**label].as_str().is_none())
        {
            problem(format!("lacks the label `{label}`"), "add the component's labels: `labels: {{json x.labels}}`");
        }
        // What is taken verbatim is measured by the tests of the templates; most others are small, which is seen sooner.
        let size = object.value.made().filter(|value| 2 * most(value) > ANNOTATIONS).map_or(0, annotations_len);
        if size > ANNOTATIONS {
            problem(
                format!(
                    "its annotations would hold {size} bytes, most of them what `kubectl apply` keeps of the object"
                ),
                "the API server takes 262144: split the object, or leave a part of it out",
            );
        }
        let Some((selector, labels)) = selectors(object.value.head()) else { continue };
        for key in selector.keys().filter(|key| CHANGING.contains(&key.as_str())) {
            problem(
                format!("its selector holds `{key}`, which changes with a release"),
                "selectors are immutable: use the component's selector, `{{json x.selector}}`",
            );
        }
        if let Some((key, _)) = selector.iter().find(|(key, value)| labels.get(*key) != Some(value)) {
            problem(
                format!("its selector wants `{key}`, which its own pods do not carry"),
                "the API server refuses it: use the component's labels in the pod template",
            );
        }
    }
    problems
}

/// At least as many bytes as a value has as JSON, where a character that is escaped has six.
fn most(value: &Value) -> usize {
    match value {
        Value::String(text) => 6 * text.len() + 2,
        Value::Array(items) => items.iter().map(|item| most(item) + 1).sum::<usize>() + 2,
        Value::Object(entries) => entries.iter().map(|(key, value)| 6 * key.len() + most(value) + 4).sum::<usize>() + 2,
        Value::Null | Value::Bool(_) | Value::Number(_) => 24,
    }
}

/// The bytes of all annotations of an object after a client-side `kubectl apply`, as the API server counts them.
fn annotations_len(object: &Value) -> usize {
    let own = object["metadata"]["annotations"].as_object().into_iter().flatten();
    let own: usize = own.map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
    own + LAST_APPLIED.len() + vigil_yaml::last_applied_len(object)
}

type Labels = Map<String, Value>;

/// The selector of an object with a pod template, and the labels of those pods.
fn selectors(object: &Value) -> Option<(&Labels, &Labels)> {
    let selector = object.pointer("/spec/selector/matchLabels")?.as_object()?;
    let labels = object.pointer("/spec/template/metadata/labels")?.as_object()?;
    Some((selector, labels))
}
