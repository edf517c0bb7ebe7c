//! What an object gets on top of its template, whatever the template is.

use crate::engine::checksum;
use crate::{admission, argocd, facts, flux, layout};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Display;
use vigil_stack::Stack;

/// Finishes an object of a component: what is patched is what people see in its file.
pub(crate) fn finish(stack: &Stack, component: &str, object: &mut Value) {
    let part = stack.parts().into_iter().find(|(name, _)| *name == component).map(|(_, part)| part);
    add(object, "/metadata", "labels", &stack.labels_of(component));
    add(object, "/metadata", "annotations", &stack.annotations_of(component));
    if let Some((part, pods)) = part.and_then(|part| Some((part, part.pods()?))) {
        let pods = stack.pods_of(pods);
        let at = if part.is_operated() && makes_pods(object) { "/spec/podMetadata" } else { "/spec/template/metadata" };
        if at == "/spec/podMetadata" && !(pods.labels.is_empty() && pods.annotations.is_empty()) {
            object["spec"]["podMetadata"] = json!({});
        }
        add(object, at, "labels", &pods.labels);
        add(object, at, "annotations", &pods.annotations);
        if object["kind"] == "ServiceAccount" {
            add(object, "/metadata", "annotations", &pods.service_account.annotations);
        }
    }
    admission::admit(stack, component, object);
    if stack.argocd.enabled && layout::is_applied(component) {
        let found = argocd::annotations(facts::makes_pods(stack, component), object);
        annotate(object, found);
    }
    if stack.flux.enabled && layout::is_applied(component) {
        let found = flux::annotations(object);
        annotate(object, found);
    }
    if object["kind"] == "Secret" {
        encode(object);
    }
}

/// What follows from all that an object says, patches included.
pub(crate) fn settle(object: &mut Value) {
    match object["kind"].as_str() {
        Some("Secret") => encode(object),
        Some("Job") => name_by_content(object),
        _ => {}
    }
}

/// Adds to an object's annotations; what a template says of its object wins.
fn annotate(object: &mut Value, found: Vec<(&str, &str)>) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut).filter(|_| !found.is_empty()) else {
        return;
    };
    let all = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Some(all) = all.as_object_mut() {
        for (key, value) in found {
            all.entry(key).or_insert_with(|| value.into());
        }
    }
}

/// Adds a component's labels to plain data; what that says itself wins.
pub(crate) fn label(object: &mut Value, labels: &Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let own = metadata.entry("labels").or_insert_with(|| json!({}));
    if let (Some(own), Some(labels)) = (own.as_object_mut(), labels.as_object()) {
        for (key, value) in labels {
            own.entry(key.as_str()).or_insert_with(|| value.clone());
        }
    }
}

/// Whether the operator makes pods of an object.
fn makes_pods(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("Alertmanager" | "Prometheus" | "PrometheusAgent" | "ThanosRuler"))
}

/// Adds the stack's own labels or annotations to the metadata at `at`, if there is any; what a template says wins.
fn add(object: &mut Value, at: &str, field: &str, own: &BTreeMap<impl Display, impl Display>) {
    let Some(metadata) = object.pointer_mut(at).and_then(Value::as_object_mut).filter(|_| !own.is_empty()) else {
        return;
    };
    let all = metadata.entry(field).or_insert_with(|| json!({}));
    if let Some(all) = all.as_object_mut() {
        for (key, value) in own {
            all.entry(key.to_string()).or_insert_with(|| value.to_string().into());
        }
    }
}

/// Puts the texts of a Secret where the API server keeps them: what it finds under `stringData` it moves, and every
/// `kubectl apply` from then on would see a difference.
fn encode(secret: &mut Value) {
    let Some(Value::Object(texts)) = secret.as_object_mut().and_then(|secret| secret.remove("stringData")) else {
        return;
    };
    let Some(secret) = secret.as_object_mut() else { return };
    // What a patch made another thing of is for the checks.
    let Some(data) = secret.entry("data").or_insert_with(|| json!({})).as_object_mut() else { return };
    for (name, text) in texts {
        data.insert(name, BASE64_STANDARD.encode(text.as_str().unwrap_or_default()).into());
    }
}

/// Ends the name of a Job in a checksum of what it does. A Job cannot be changed: under its old name, a new image would
/// be refused; and as long as it says the same, an apply changes nothing.
fn name_by_content(job: &mut Value) {
    let checksum = checksum(job["spec"].to_string());
    if let Some(name) = job["metadata"]["name"].as_str() {
        job["metadata"]["name"] = format!("{name}-{}", &checksum[..8]).into();
    }
}
