//! Every custom resource of every stack, read into the Rust types that are generated from its definition, and back:
//! what a type does not know is lost on the way, and found.
//!
//! `tests/openapi.rs` holds the same objects to the schemas of `templates/crds`. This is the second opinion: other
//! people's copy of the definitions, those of cert-manager, Argo CD, Flux and the Gateway API among them, through another generator.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use kcr_argoproj_io::v1alpha1::{applications::Application, appprojects::AppProject};
use kcr_autoscaling_k8s_io::v1::verticalpodautoscalers::VerticalPodAutoscaler;
use kcr_cert_manager_io::v1::{certificates::Certificate, issuers::Issuer};
use kcr_gateway_networking_k8s_io::v1::httproutes::HttpRoute;
use kcr_kustomize_toolkit_fluxcd_io::v1::kustomizations::Kustomization;
use kcr_monitoring_coreos_com::v1::{
    alertmanagers::Alertmanager, podmonitors::PodMonitor, probes::Probe, prometheuses::Prometheus,
    prometheusrules::PrometheusRule, servicemonitors::ServiceMonitor, thanosrulers::ThanosRuler,
};
use kcr_monitoring_coreos_com::v1alpha1::scrapeconfigs::ScrapeConfig;
use kcr_source_toolkit_fluxcd_io::v1::gitrepositories::GitRepository;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vigil_render::{Object, Templates};
use vigil_stack::Stack;
use vigil_yaml::Source;

/// Groups that come with Kubernetes; whatever else an object belongs to is custom.
const BUILT_IN: [&str; 10] = [
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
];

/// Reads an object and writes it again; what is wrong with it, or was lost.
type Strict = fn(&Value) -> Vec<String>;

/// The types, by `apiVersion` and kind.
const TYPES: [(&str, &str, Strict); 16] = [
    ("argoproj.io/v1alpha1", "Application", strict::<Application>),
    ("argoproj.io/v1alpha1", "AppProject", strict::<AppProject>),
    ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", strict::<VerticalPodAutoscaler>),
    ("cert-manager.io/v1", "Certificate", strict::<Certificate>),
    ("cert-manager.io/v1", "Issuer", strict::<Issuer>),
    ("gateway.networking.k8s.io/v1", "HTTPRoute", strict::<HttpRoute>),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", strict::<Kustomization>),
    ("monitoring.coreos.com/v1", "Alertmanager", strict::<Alertmanager>),
    ("monitoring.coreos.com/v1", "PodMonitor", strict::<PodMonitor>),
    ("monitoring.coreos.com/v1", "Probe", strict::<Probe>),
    ("monitoring.coreos.com/v1", "Prometheus", strict::<Prometheus>),
    ("monitoring.coreos.com/v1", "PrometheusRule", strict::<PrometheusRule>),
    ("monitoring.coreos.com/v1", "ServiceMonitor", strict::<ServiceMonitor>),
    ("monitoring.coreos.com/v1", "ThanosRuler", strict::<ThanosRuler>),
    ("monitoring.coreos.com/v1alpha1", "ScrapeConfig", strict::<ScrapeConfig>),
    ("source.toolkit.fluxcd.io/v1", "GitRepository", strict::<GitRepository>),
];

fn strict<T: DeserializeOwned + Serialize>(object: &Value) -> Vec<String> {
    match serde_json::from_value::<T>(object.clone()) {
        Ok(read) => lost(object, &serde_json::to_value(&read).unwrap(), ""),
        Err(error) => vec![error.to_string()],
    }
}

/// What of `object` is not there any more, or is there as another value: `"1Gi"` as a number, `1` as a text.
fn lost(object: &Value, read: &Value, at: &str) -> Vec<String> {
    match (object, read) {
        (Value::Object(ours), Value::Object(theirs)) => ours
            .iter()
            .flat_map(|(key, value)| match theirs.get(key) {
                Some(read) => lost(value, read, &format!("{at}/{key}")),
                None => vec![format!("{at}/{key}: unknown field")],
            })
            .collect(),
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.flat_map(|(n, (ours, theirs))| lost(ours, theirs, &format!("{at}/{n}"))).collect()
        }
        _ if object == read => Vec::new(),
        _ => vec![format!("{at}: {object} became {read}")],
    }
}

fn findings(object: &Value) -> Vec<String> {
    let known = TYPES.iter().find(|(version, kind, _)| object["apiVersion"] == *version && object["kind"] == *kind);
    known.map_or_else(|| vec!["no type for its kind".to_owned()], |(_, _, strict)| strict(object))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The custom resources of every file of `stacks/`, by stack.
fn custom_resources() -> BTreeMap<String, Vec<Object>> {
    let templates = Templates::read(&root().join("templates")).unwrap();
    let mut paths: Vec<_> =
        std::fs::read_dir(root().join("stacks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let custom = |path: PathBuf| {
        let source = Source::read(&path, Stack::LIMITS.bytes).unwrap();
        let stack = Stack::load(&source, &path).unwrap_or_else(|problems| panic!("{problems:#?}")).stack;
        let rendering = vigil_render::render(&stack, &templates).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let is_custom = |object: &Object| {
            let group = object.api_version().rsplit_once('/').map_or("", |(group, _)| group);
            !BUILT_IN.contains(&group)
        };
        (
            path.file_stem().unwrap().to_str().unwrap().to_owned(),
            rendering.objects.into_iter().filter(is_custom).collect(),
        )
    };
    paths.into_iter().map(custom).collect()
}

#[test]
fn every_custom_resource_is_what_its_type_takes() {
    let mut seen = BTreeMap::new();
    for (stack, objects) in custom_resources() {
        for object in objects {
            let findings = findings(&object.value);
            assert!(findings.is_empty(), "{stack}: {}: {findings:#?}", object.title());
            *seen.entry(object.kind().to_owned()).or_insert(0) += 1;
        }
    }
    for (_, kind, _) in TYPES {
        assert!(seen.contains_key(kind), "no stack has a {kind}: {seen:?}");
    }
}

/// A copy of `value` for each of its mappings and each of its values: one with a field that nobody knows, one with a
/// value of another type.
fn broken(value: &Value) -> Vec<Value> {
    let mut copies = Vec::new();
    match value {
        Value::Object(entries) => {
            let mut copy = value.clone();
            copy["misspelt"] = json!({ "x": 1 });
            copies.push(copy);
            for (key, entry) in entries {
                for inner in broken(entry) {
                    let mut copy = value.clone();
                    copy[key] = inner;
                    copies.push(copy);
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                for inner in broken(item) {
                    let mut copy = value.clone();
                    copy[n] = inner;
                    copies.push(copy);
                }
            }
        }
        Value::Number(number) if number.is_i64() => copies.push(json!(number.as_f64().unwrap() + 0.5)),
        Value::Bool(_) => copies.push(json!("yes")),
        _ => copies.push(json!({ "x": 1 })),
    }
    copies
}

#[test]
fn a_mistake_is_found_at_every_depth() {
    let mut mistakes = 0;
    for objects in custom_resources().into_values() {
        for object in objects {
            let spec = object.value["spec"].clone();
            for copy in broken(&spec) {
                let mut whole = (*object.value).clone();
                whole["spec"] = copy;
                mistakes += 1;
                assert!(!findings(&whole).is_empty(), "{}: {:#}", object.title(), whole["spec"]);
            }
        }
    }
    assert!(mistakes > 1000, "{mistakes} mistakes were made");
}
