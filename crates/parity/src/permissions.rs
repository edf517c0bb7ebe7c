//! Roles as the permissions they grant, bindings as who gets which role.

use crate::object::{items, text};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// `deployments/scale.apps=web` (resource, subresource, group, name) or a URL, to its verbs: however the rules are
/// split, the same permissions give the same mapping.
pub(crate) fn permissions(rules: &[Value]) -> Map<String, Value> {
    let mut granted: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for rule in rules {
        let texts = |pointer| items(rule, pointer).iter().filter_map(Value::as_str);
        let verbs: Vec<&str> = texts("/verbs").collect();
        let mut grant = |what: String| granted.entry(what).or_default().extend(&verbs);
        texts("/nonResourceURLs").for_each(|url| grant(url.to_owned()));
        for resource in texts("/resources") {
            for group in texts("/apiGroups") {
                let resource = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
                let mut names = texts("/resourceNames").peekable();
                if names.peek().is_none() {
                    grant(resource);
                } else {
                    names.for_each(|name| grant(format!("{resource}={name}")));
                }
            }
        }
    }
    let verbs = |verbs: BTreeSet<&str>| verbs.into_iter().collect::<Vec<_>>().join(", ");
    granted.into_iter().map(|(what, may)| (format!("[{what}]"), verbs(may).into())).collect()
}

/// Who a binding speaks of. A `ServiceAccount` without a namespace is one of the binding's own.
pub(crate) fn subjects(subjects: &[Value], own_namespace: &str) -> Map<String, Value> {
    let entry = |subject: &Value| {
        let namespace = match text(subject, "/namespace") {
            "" if text(subject, "/kind") == "ServiceAccount" => own_namespace,
            namespace => namespace,
        };
        let name = text(subject, "/name");
        let name = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
        (format!("[{} {name}]", text(subject, "/kind")), Value::from("bound"))
    };
    subjects.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(rules: &Value) -> Value {
        Value::Object(permissions(rules.as_array().unwrap()))
    }

    #[test]
    fn the_split_of_rules_does_not_matter() {
        let together =
            json!([{"apiGroups": ["", "apps"], "resources": ["pods", "pods/log"], "verbs": ["list", "get"]}]);
        let apart = json!([
            {"apiGroups": ["apps"], "resources": ["pods/log", "pods"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
            {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get", "list"]},
        ]);
        assert_eq!(of(&together), of(&apart));
    }

    #[test]
    fn names_and_urls_are_permissions_of_their_own() {
        assert_eq!(
            of(&json!([
                {"apiGroups": ["policy"], "resources": ["x"], "resourceNames": ["a", "b"], "verbs": ["use"]},
                {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
            ])),
            json!({"[/metrics]": "get", "[x.policy=a]": "use", "[x.policy=b]": "use"})
        );
    }

    #[test]
    fn a_binding_finds_accounts_in_its_own_namespace() {
        let of = |subject: Value| subjects(&[subject], "here");
        assert_eq!(
            of(json!({"kind": "ServiceAccount", "name": "a"})),
            of(json!({"kind": "ServiceAccount", "name": "a", "namespace": "here"}))
        );
        assert_eq!(Value::Object(of(json!({"kind": "Group", "name": "g"}))), json!({"[Group g]": "bound"}));
    }
}
