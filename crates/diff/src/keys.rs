//! By what the items of a list are told apart: the merge keys of the API, and what the programs have in their place.

use serde_json::Value;
use std::collections::{HashMap, HashSet, VecDeque};

/// (field, or `*` for any, and the keys of its items); the first that every item has.
///
/// Those of the API are `x-kubernetes-patch-merge-key` and `x-kubernetes-list-map-keys` in its OpenAPI document.
const KEYS: &[(&str, &[&str])] = &[
    ("ports", &["/containerPort", "/protocol"]),
    ("ports", &["/port", "/protocol"]),
    ("volumeMounts", &["/mountPath"]),
    ("volumeDevices", &["/devicePath"]),
    ("hostAliases", &["/ip"]),
    ("topologySpreadConstraints", &["/topologyKey", "/whenUnsatisfiable"]),
    ("matchExpressions", &["/key"]),
    ("subjects", &["/kind", "/namespace", "/name"]),
    ("volumeClaimTemplates", &["/metadata/name"]),
    ("conditions", &["/type"]),
    ("paths", &["/path", "/pathType"]),
    ("endpoints", &["/port", "/path"]),
    ("podMetricsEndpoints", &["/port", "/path"]),
    // Rules of Prometheus and of an Ingress.
    ("rules", &["/alert", "/record", "/labels/severity"]),
    ("rules", &["/host"]),
    // A period of Loki's schema.
    ("configs", &["/from"]),
    ("scrape_configs", &["/job_name"]),
    ("*", &["/name"]),
];

/// The keys that an item need not have.
const OPTIONAL: [&str; 6] = ["/protocol", "/namespace", "/path", "/alert", "/record", "/labels/severity"];

/// Lists of which the order means nothing to the API, outside of pods, where every order is part of the template.
const SETS: [(&str, &str); 12] = [
    ("*", "subjects"),
    ("*", "finalizers"),
    ("*", "imagePullSecrets"),
    ("*", "policyTypes"),
    ("ClusterRole", "*"),
    ("Role", "*"),
    ("Service", "ports"),
    ("NetworkPolicy", "*"),
    ("Secret", "*"),
    ("Ingress", "tls"),
    ("ServiceMonitor", "endpoints"),
    ("PodDisruptionBudget", "*"),
];

/// Whether the order of a list is nothing to its API.
pub(crate) fn is_set(kind: &str, field: &str) -> bool {
    let is = |pattern: &str, value: &str| pattern == "*" || pattern == value;
    SETS.iter().any(|(of, name)| is(of, kind) && is(name, field))
}

/// A name for each item of both lists of a field; within a list no two are the same, and items of one name answer to
/// each other.
pub(crate) fn named(field: &str, before: &[Value], after: &[Value]) -> (Vec<String>, Vec<String>) {
    let all = || before.iter().chain(after);
    let keys = KEYS.iter().filter(|(of, _)| *of == "*" || *of == field).map(|(_, keys)| *keys);
    if let Some(keys) = keys.into_iter().find(|keys| all().all(|item| name(item, keys).is_some())) {
        let names = |items: &[Value]| distinct(items.iter().map(|item| name(item, keys).unwrap_or_default()));
        return (names(before), names(after));
    }
    if all().all(|item| !item.is_object() && !item.is_array()) {
        let is_flags = field == "args" || field == "command";
        let names = |items: &[Value]| distinct(items.iter().map(|item| scalar(item, is_flags)));
        return (names(before), names(after));
    }
    by_value(before, after)
}

fn name(item: &Value, keys: &[&str]) -> Option<String> {
    item.as_object()?;
    let mut parts = Vec::new();
    for key in keys {
        match item.pointer(key) {
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::String(text)) => parts.push(text.clone()),
            Some(Value::Number(number)) => parts.push(number.to_string()),
            // TCP is what the API server fills in.
            None if *key == "/protocol" => parts.push("TCP".to_owned()),
            None if OPTIONAL.contains(key) => {}
            _ => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A value, or the name of a flag.
fn scalar(item: &Value, is_flags: bool) -> String {
    match item {
        Value::String(text) if is_flags && text.starts_with('-') => {
            text.split_once('=').map_or(text.as_str(), |(flag, _)| flag).to_owned()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Names with a number behind all but the first of those that are the same.
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut taken = HashSet::new();
    let mut all = Vec::new();
    for name in names {
        let count = seen.entry(name.clone()).or_default();
        let mut unique = name.clone();
        while !taken.insert(unique.clone()) {
            *count += 1;
            unique = format!("{name} #{}", *count + 1);
        }
        all.push(unique);
    }
    all
}

/// Equal items answer to each other; of the others the first to the first, the second to the second.
fn by_value(before: &[Value], after: &[Value]) -> (Vec<String>, Vec<String>) {
    // By their text, as lists may be long.
    let mut free: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (index, item) in after.iter().enumerate() {
        free.entry(item.to_string()).or_default().push_back(index);
    }
    let equal: Vec<Option<usize>> =
        before.iter().map(|item| free.get_mut(&item.to_string()).and_then(VecDeque::pop_front)).collect();
    let taken: HashSet<usize> = equal.iter().copied().flatten().collect();
    let left = (0..after.len()).filter(|index| !taken.contains(index));
    let mut others = left.chain(after.len()..);
    let old = equal.into_iter().map(|index| index.or_else(|| others.next()).unwrap_or_default().to_string());
    (old.collect(), (0..after.len()).map(|index| index.to_string()).collect())
}
