//! Patches of a kustomization: JSON patches (RFC 6902), and objects that are merged into others.

use super::{at, left, read};
use serde_json::{Map, Value};
use std::path::Path;
use vigil_yaml::{Limits, Node, Problem, Quoted, Source};

/// What tells the items of a list apart where an object is merged: `patchMergeKey` of the API's types.
const MERGE_KEYS: [(&str, &str); 13] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("env", "name"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("imagePullSecrets", "name"),
    ("hostAliases", "ip"),
    ("secrets", "name"),
    ("topologySpreadConstraints", "topologyKey"),
    ("webhooks", "name"),
    ("conditions", "type"),
];

/// Applies all patches that a kustomization names.
pub(super) fn all(document: &Node, folder: &Path, objects: &mut Vec<Value>, problems: &mut Vec<Problem>) {
    let list = |key: &str| document.get(key).map(Node::items).unwrap_or_default();
    for patch in list("patchesStrategicMerge") {
        // A path, or the patch itself.
        let text = patch.text().unwrap_or_default();
        let found = if text.contains('\n') { Ok(text.to_owned()) } else { read(patch, text, folder) };
        keep(found.and_then(|text| one(patch, &text, None, objects)), problems);
    }
    for patch in list("patches").iter().chain(list("patchesJson6902")) {
        let target = patch.get("target").filter(|target| !target.is_null());
        let selector = ["labelSelector", "annotationSelector"].iter().find_map(|key| target?.entry(key));
        if let Some(entry) = selector {
            problems.push(left(entry.key.span.clone(), &Quoted(&entry.key.text).to_string(), folder));
            continue;
        }
        let found = match (patch.get("patch").and_then(Node::text), patch.get("path").and_then(Node::text)) {
            (Some(text), _) => Ok(text.to_owned()),
            (None, Some(path)) => read(patch, path, folder),
            (None, None) => continue,
        };
        keep(found.and_then(|text| one(patch, &text, target, objects)), problems);
    }
}

fn keep(result: Result<(), Box<Problem>>, problems: &mut Vec<Problem>) {
    problems.extend(result.err().map(|problem| *problem));
}

/// Applies the patches in a text, to the objects that `target` names or to those that they name themselves.
fn one(node: &Node, text: &str, target: Option<&Node>, objects: &mut Vec<Value>) -> Result<(), Box<Problem>> {
    let source = Source::new("patch", text);
    let documents = vigil_yaml::read(&source, &Limits::default()).map_err(|problems| {
        let why = problems.first().map(Problem::one_line).unwrap_or_default();
        Box::new(Problem::error(format!("the patch cannot be read: {why}"), node.span.clone()))
    })?;
    for document in documents {
        let patch = document.to_json();
        let is_meant = |object: &Value| match target {
            Some(target) => selects(target, object),
            None => ["apiVersion", "kind"].iter().all(|key| object[key] == patch[key]) && same_name(object, &patch),
        };
        let mut found = false;
        for object in objects.iter_mut().filter(|object| is_meant(object)) {
            found = true;
            if patch.is_array() {
                json(node, object, &patch)?;
            } else {
                merge(object, &patch, "");
            }
        }
        // Of a target that selects nothing kustomize says nothing.
        if !found && target.is_none() {
            let name = at(&patch, &["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
            let kind = patch["kind"].as_str().unwrap_or("object");
            let message = format!("there is no {kind} {} to patch", Quoted(name));
            let problem = Problem::error(message, node.span.clone());
            return Err(Box::new(problem.help("correct `kind` and `metadata.name`, or name a `target`")));
        }
    }
    // What a patch deletes as a whole is left as nothing.
    objects.retain(|object| !object.is_null());
    Ok(())
}

fn same_name(object: &Value, patch: &Value) -> bool {
    let name = |value: &Value| at(value, &["metadata", "name"]).cloned();
    let namespace = |value: &Value| at(value, &["metadata", "namespace"]).cloned();
    name(object) == name(patch) && (namespace(patch).is_none() || namespace(object) == namespace(patch))
}

/// Whether a target selects an object: its names are regular expressions, and mostly just names.
fn selects(target: &Node, object: &Value) -> bool {
    let api = object["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = api.split_once('/').unwrap_or(("", api));
    let name = at(object, &["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
    let namespace = at(object, &["metadata", "namespace"]).and_then(Value::as_str).unwrap_or_default();
    let kind = object["kind"].as_str().unwrap_or_default();
    [("group", group), ("version", version), ("kind", kind), ("name", name), ("namespace", namespace)].into_iter().all(
        |(key, own)| {
            target.get(key).and_then(Node::text).is_none_or(|wanted| wanted.is_empty() || matches(wanted, own))
        },
    )
}

/// Whether a name is one that an expression of `.*` and alternatives names.
fn matches(wanted: &str, name: &str) -> bool {
    let one = |pattern: &str| {
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        let mut parts = pattern.split(".*");
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    };
    wanted.trim_matches(['(', ')']).split('|').any(one)
}

/// Applies a JSON patch.
fn json(node: &Node, object: &mut Value, patch: &Value) -> Result<(), Box<Problem>> {
    let wrong = |why: String| {
        let problem = Problem::error(format!("the patch cannot be applied: {why}"), node.span.clone());
        Box::new(problem.help("`op`, `path` and `value` are those of RFC 6902"))
    };
    let operations: json_patch::Patch =
        serde_json::from_value(patch.clone()).map_err(|error| wrong(error.to_string()))?;
    json_patch::patch(object, &operations).map_err(|error| wrong(error.to_string()))
}

/// Merges a part of a patch into what it is a patch of; `key` is the field that both stand at.
fn merge(into: &mut Value, patch: &Value, key: &str) {
    match (into, patch) {
        (into @ Value::Object(_), Value::Object(fields)) if fields.get("$patch").is_some_and(|it| it == "delete") => {
            *into = Value::Null;
        }
        (into @ Value::Object(_), Value::Object(fields)) if fields.get("$patch").is_some_and(|it| it == "replace") => {
            let kept =
                fields.iter().filter(|(key, _)| *key != "$patch").map(|(key, value)| (key.clone(), value.clone()));
            *into = Value::Object(kept.collect());
        }
        (Value::Object(own), Value::Object(fields)) => merge_fields(own, fields),
        (Value::Array(own), Value::Array(items)) if by(key, items).is_some() => {
            let by = by(key, items).unwrap_or_default();
            // kustomize puts what is new in front.
            let mut new = 0;
            for item in items {
                if let Some(one) = own.iter_mut().find(|one| one[by] == item[by]) {
                    merge(one, item, "");
                } else {
                    own.insert(new, item.clone());
                    new += 1;
                }
            }
            own.retain(|item| !item.is_null());
        }
        (into, patch) => *into = patch.clone(),
    }
}

fn merge_fields(own: &mut Map<String, Value>, fields: &Map<String, Value>) {
    for (name, value) in fields {
        if value.is_null() {
            own.remove(name);
        } else if let Some(existing) = own.get_mut(name) {
            merge(existing, value, name);
            if existing.is_null() {
                own.remove(name);
            }
        } else {
            own.insert(name.clone(), value.clone());
        }
    }
}

/// The key by which the items of a list are merged; none where the list takes the place of the other.
fn by(list: &str, items: &[Value]) -> Option<&'static str> {
    let known = MERGE_KEYS.iter().find(|(name, _)| *name == list).map(|(_, by)| *by);
    // Ports of containers and of Services go by different numbers.
    let ports = || {
        let has = |key: &str| items.iter().all(|item| item.get(key).is_some());
        (list == "ports").then_some(["containerPort", "port"]).into_iter().flatten().find(|key| has(key))
    };
    known.filter(|by| items.iter().all(|item| item.get(by).is_some())).or_else(ports)
}
