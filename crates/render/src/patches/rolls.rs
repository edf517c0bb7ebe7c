//! Pods roll when a patch changes what they read, as they do when the stack changes it.

use crate::engine::checksum;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The annotation of pods that read a patched object and have no checksum of it.
const CHECKSUM: &str = "checksum/patched";

/// A ConfigMap or Secret before and behind the patches; without a second value it was removed.
pub(super) struct Change<'a> {
    pub(super) old: &'a Value,
    pub(super) new: &'a Value,
}

/// Whether pods may read the object.
pub(super) fn is_read(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("ConfigMap" | "Secret"))
}

/// Brings up to date what an object's pod template says of the changed objects that its pods read.
pub(super) fn roll(object: &mut Value, changes: &[Change]) {
    let namespace = object["metadata"]["namespace"].clone();
    let mut unsaid = String::new();
    for Change { old, new } in changes {
        let Some(spec) = object.pointer("/spec/template/spec") else { return };
        if old["metadata"]["namespace"] != namespace || !reads(spec, old) {
            continue;
        }
        let (old, new) = (texts(old), texts(new));
        if old == new {
            continue;
        }
        let annotations = object.pointer_mut("/spec/template/metadata/annotations").and_then(Value::as_object_mut);
        let mut said = false;
        for value in annotations.into_iter().flat_map(|annotations| annotations.values_mut()) {
            let of = |(key, text): (&String, &Vec<u8>)| (*value == checksum(text)).then(|| new.get(key));
            if let Some(Some(text)) = old.iter().find_map(of) {
                said |= old.len() == new.len();
                *value = checksum(text).into();
            }
        }
        if !said {
            unsaid.extend(new.iter().map(|(key, text)| format!("{key}={};", checksum(text))));
        }
    }
    if unsaid.is_empty() {
        return;
    }
    // What a patch made another thing of is for the checks.
    let metadata = object.pointer_mut("/spec/template/metadata").and_then(Value::as_object_mut);
    let annotations = metadata.map(|metadata| metadata.entry("annotations").or_insert_with(|| json!({})));
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        annotations.insert(CHECKSUM.to_owned(), checksum(unsaid).into());
    }
}

/// What the object holds, by key.
fn texts(object: &Value) -> BTreeMap<String, Vec<u8>> {
    let secret = object["kind"] == "Secret";
    let mut texts = BTreeMap::new();
    for (section, is_encoded) in [("data", secret), ("binaryData", true), ("stringData", false)] {
        for (key, text) in object[section].as_object().into_iter().flatten() {
            let text = text.as_str().unwrap_or_default();
            let decoded = is_encoded.then(|| BASE64_STANDARD.decode(text).ok()).flatten();
            texts.insert(key.clone(), decoded.unwrap_or_else(|| text.as_bytes().to_vec()));
        }
    }
    texts
}

/// Whether pods of this specification read the object: by a volume, or by an environment variable.
fn reads(spec: &Value, object: &Value) -> bool {
    let name = &object["metadata"]["name"];
    let fields: &[(&str, &str)] = if object["kind"] == "Secret" {
        &[("secret", "secretName"), ("secret", "name"), ("secretRef", "name"), ("secretKeyRef", "name")]
    } else {
        &[("configMap", "name"), ("configMapRef", "name"), ("configMapKeyRef", "name")]
    };
    match spec {
        Value::Object(entries) => entries.iter().any(|(key, value)| {
            let named = |(field, inner): &(&str, &str)| field == key && value.get(*inner) == Some(name);
            fields.iter().any(named) || reads(value, object)
        }),
        Value::Array(items) => items.iter().any(|item| reads(item, object)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(data: &Value) -> Value {
        json!({ "kind": "ConfigMap", "metadata": { "namespace": "a", "name": "c" }, "data": data })
    }

    fn workload(volume: &Value) -> Value {
        json!({
            "metadata": { "namespace": "a", "name": "w" },
            "spec": { "template": { "metadata": {}, "spec": { "volumes": [volume] } } },
        })
    }

    #[test]
    fn a_checksum_follows_its_text() {
        let (old, new) = (config(&json!({ "x": "1", "y": "2" })), config(&json!({ "x": "1", "y": "3" })));
        let volume = json!({ "configMap": { "name": "c" } });
        let said = json!({ "checksum/x": checksum("1"), "checksum/y": checksum("2") });
        let mut object = workload(&volume);
        object["spec"]["template"]["metadata"]["annotations"] = said;
        roll(&mut object, &[Change { old: &old, new: &new }]);
        let annotations = &object["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(*annotations, json!({ "checksum/x": checksum("1"), "checksum/y": checksum("3") }));
    }

    #[test]
    fn pods_without_a_checksum_get_one_if_they_read_it() {
        let (old, new) = (config(&json!({ "x": "1" })), config(&json!({ "x": "1", "z": "3" })));
        for (volume, rolls) in [
            (json!({ "configMap": { "name": "c" } }), true),
            (json!({ "projected": { "sources": [{ "configMap": { "name": "c" } }] } }), true),
            (json!({ "configMap": { "name": "d" } }), false),
            (json!({ "secret": { "secretName": "c" } }), false),
        ] {
            let mut object = workload(&volume);
            let before = object.clone();
            roll(&mut object, &[Change { old: &old, new: &new }]);
            assert_eq!(
                object.pointer("/spec/template/metadata/annotations/checksum~1patched").is_some(),
                rolls,
                "{volume}"
            );
            assert!(rolls || object == before, "{volume}");
        }
    }
}
