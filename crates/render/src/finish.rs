//! What an object gets on top of its template, whatever the template is.

use crate::engine::checksum;
use crate::{argocd, facts, layout};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::Annotations;

/// Finishes an object of a component: what is patched is what people see in its file.
pub(crate) fn finish(stack: &Stack, component: &str, object: &mut Value) {
    annotate(object, &stack.annotations_of(component));
    if stack.argocd.enabled && layout::is_applied(component) {
        argocd::annotate(facts::makes_pods(stack, component), object);
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

/// Adds the stack's own annotations; what a template says of its object wins.
fn annotate(object: &mut Value, own: &Annotations) {
    if own.is_empty() {
        return;
    }
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Some(annotations) = annotations.as_object_mut() {
        for (key, value) in own {
            annotations.entry(key.as_str()).or_insert_with(|| value.as_str().into());
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
