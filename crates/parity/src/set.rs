//! The objects of one side, and what selectors select among them.

use crate::object::{items, kind, labels, name, namespace, pod_template, text, title};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};
use vigil_forms::selector::{Label, Operator};

/// What is compared by its name alone, as titles call it. No kind of Kubernetes is written so.
const RULES: [&str; 2] = ["alert", "record"];
const DASHBOARD: &str = "dashboard";

/// One side of the comparison.
pub(crate) struct Set {
    pub(crate) objects: Vec<Value>,
    /// What the other side calls an object, by its title.
    pub(crate) aliases: BTreeMap<String, String>,
}

impl Set {
    pub(crate) fn new(objects: &[Value]) -> Self {
        let mut flat = Vec::new();
        for object in objects {
            if kind(object).ends_with("List") && object["items"].is_array() {
                flat.extend(items(object, "/items").iter().cloned());
            } else {
                flat.push(object.clone());
            }
        }
        // A test pod runs when somebody calls `helm test`; it is no part of what is installed.
        flat.retain(|object| {
            let hook = text(object, "/metadata/annotations/helm.sh~1hook");
            !kind(object).is_empty() && !hook.split(',').any(|hook| hook.trim().starts_with("test"))
        });
        let mut named: Vec<(&str, String)> = Vec::new();
        let mut objects = Vec::new();
        for object in flat {
            match rules(&object).or_else(|| dashboards(&object)) {
                Some(found) => named.extend(found),
                None => objects.push(object),
            }
        }
        let mut seen = HashSet::new();
        named.retain(|name| seen.insert(name.clone()));
        objects.extend(named.iter().map(|(kind, name)| json!({ "kind": kind, "metadata": { "name": name } })));
        Self { objects, aliases: BTreeMap::new() }
    }

    pub(crate) fn find(&self, wanted: &str, in_namespace: &str, called: &str) -> Option<&Value> {
        self.objects
            .iter()
            .find(|object| kind(object) == wanted && namespace(object) == in_namespace && name(object) == called)
    }

    /// An object's title, or what the other side calls the object that it answers to.
    pub(crate) fn called(&self, object: &Value) -> String {
        let title = title(object);
        self.aliases.get(&title).cloned().unwrap_or(title)
    }

    /// The workloads of a namespace whose pods carry what `selector` (matchLabels and matchExpressions) asks for.
    pub(crate) fn selected(&self, in_namespace: &str, selector: &Value) -> Vec<&Value> {
        let here = self.objects.iter().filter(|object| namespace(object) == in_namespace);
        here.filter(|object| pod_labels(object).is_some_and(|labels| matches(selector, &labels))).collect()
    }

    /// The Services that a `ServiceMonitor` selects.
    pub(crate) fn services(&self, monitor: &Value) -> Vec<&Value> {
        let any = monitor.pointer("/spec/namespaceSelector/any") == Some(&Value::Bool(true));
        let names: Vec<&str> =
            items(monitor, "/spec/namespaceSelector/matchNames").iter().filter_map(Value::as_str).collect();
        let none = Map::new();
        let here = |object: &Value| match (any, names.is_empty()) {
            (true, _) => true,
            (false, true) => namespace(object) == namespace(monitor),
            (false, false) => names.contains(&namespace(object)),
        };
        let services = self.objects.iter().filter(|object| kind(object) == "Service" && here(object));
        services.filter(|object| matches(&monitor["spec"]["selector"], labels(object).unwrap_or(&none))).collect()
    }

    /// The number behind the name of a port, where one of these workloads' containers has it.
    pub(crate) fn port_number(workloads: &[&Value], port: &str) -> Option<Value> {
        workloads.iter().find_map(|workload| {
            let pod = pod_template(kind(workload))?;
            let containers = items(workload, &format!("{pod}/spec/containers"));
            containers.iter().find_map(|container| container_port(container, port))
        })
    }
}

/// The alerts and recorded series of a `PrometheusRule`: in which object and which group a rule stands, and with how many
/// severities, is nobody's business.
fn rules(object: &Value) -> Option<Vec<(&'static str, String)>> {
    let groups = (kind(object) == "PrometheusRule").then(|| items(object, "/spec/groups"))?;
    let rules = groups.iter().flat_map(|group| items(group, "/rules"));
    let named = |rule: &Value| {
        let names = RULES.map(|kind| (kind, text(rule, &format!("/{kind}")).to_owned()));
        names.into_iter().find(|(_, name)| !name.is_empty())
    };
    Some(rules.filter_map(named).collect())
}

/// The titles of the dashboards in a `ConfigMap` that Grafana's side-car loads; nothing for one that holds anything else.
fn dashboards(object: &Value) -> Option<Vec<(&'static str, String)>> {
    let loaded = kind(object) == "ConfigMap" && labels(object)?.contains_key("grafana_dashboard");
    let files = object.pointer("/data").and_then(Value::as_object).filter(|files| loaded && !files.is_empty())?;
    let titled = |text: &Value| {
        let dashboard: Value = serde_json::from_str(text.as_str()?).ok()?;
        // Some have two spaces where others have one.
        Some((DASHBOARD, dashboard["title"].as_str()?.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    files.values().map(titled).collect()
}

/// The number behind the name of one of a container's ports.
pub(crate) fn container_port(container: &Value, port: &str) -> Option<Value> {
    let found = items(container, "/ports").iter().find(|candidate| candidate["name"] == port)?;
    found.get("containerPort").cloned()
}

/// The labels of the pods that an object makes; of those that an operator makes for it, the ones that it documents.
fn pod_labels(object: &Value) -> Option<Map<String, Value>> {
    if let Some(pod) = pod_template(kind(object)) {
        return object.pointer(&format!("{pod}/metadata/labels"))?.as_object().cloned();
    }
    let operated = match kind(object) {
        "Prometheus" => "prometheus",
        "Alertmanager" => "alertmanager",
        _ => return None,
    };
    let made = json!({
        "app.kubernetes.io/name": operated,
        "app.kubernetes.io/instance": name(object),
        "app.kubernetes.io/managed-by": "prometheus-operator",
        "operator.prometheus.io/name": name(object),
        operated: name(object),
    });
    made.as_object().cloned()
}

/// Whether labels are what a selector asks for. A selector that asks for nothing is no answer here: it would select
/// everything.
fn matches(selector: &Value, labels: &Map<String, Value>) -> bool {
    let wanted = selector["matchLabels"].as_object();
    let expressions = items(selector, "/matchExpressions");
    if wanted.is_none_or(Map::is_empty) && expressions.is_empty() {
        return false;
    }
    wanted.into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value))
        && expressions.iter().all(|expression| {
            let label = Label::of(labels.get(text(expression, "/key")).and_then(Value::as_str));
            let values = items(expression, "/values").iter().filter_map(Value::as_str);
            Operator::parse(text(expression, "/operator")).is_some_and(|operator| operator.may_match(label, values))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> Set {
        Set::new(&[
            json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "x"}, "spec": {"template": {
                "metadata": {"labels": {"app": "web", "tier": "front"}},
                "spec": {"containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}]}}}}),
            json!({"kind": "Prometheus", "metadata": {"name": "main", "namespace": "x"}}),
            json!({"kind": "List", "items": [
                {"kind": "Service", "metadata": {"name": "web", "namespace": "y", "labels": {"a": "b"}}}]}),
            json!({"kind": "Pod", "metadata": {"name": "t", "annotations": {"helm.sh/hook": "test-success"}}}),
        ])
    }

    #[test]
    fn rules_are_known_by_their_names() {
        let object = |rules: Value| json!({"kind": "PrometheusRule", "metadata": {"name": "r"}, "spec": {"groups": [{"rules": rules}]}});
        let set = Set::new(&[
            object(json!([{"alert": "Down"}, {"record": "a:b"}, {"alert": "Down", "labels": {"severity": "info"}}])),
            object(json!([{"alert": "Slow"}, {"expr": "up"}, {"alert": 1}])),
            object(json!("no rules")),
        ]);
        let titles: Vec<_> = set.objects.iter().map(title).collect();
        assert_eq!(titles, ["alert Down", "record a:b", "alert Slow"]);
    }

    #[test]
    fn dashboards_are_known_by_their_titles() {
        let object = |label: &str, data: Value| json!({"kind": "ConfigMap", "metadata": {"name": "c", "labels": {label: "1"}}, "data": data});
        let of = |object: Value| Set::new(&[object]).objects.iter().map(title).collect::<Vec<_>>();
        let two = json!({"a.json": r#"{"title": "Nodes /  All"}"#, "b.json": r#"{"title": "Pods"}"#});
        assert_eq!(of(object("grafana_dashboard", two.clone())), ["dashboard Nodes / All", "dashboard Pods"]);
        assert_eq!(of(object("app", two)), ["ConfigMap c"]);
        for other in [json!({}), json!({"a.json": "{"}), json!({"a.json": r#"{"title": "A"}"#, "b.txt": "b"})] {
            assert_eq!(of(object("grafana_dashboard", other)), ["ConfigMap c"]);
        }
    }

    #[test]
    fn selectors_name_workloads() {
        let set = set();
        assert_eq!(set.objects.len(), 3, "the list is opened, the test pod is left out");
        let names = |selector: Value| set.selected("x", &selector).into_iter().map(name).collect::<Vec<_>>();
        assert_eq!(names(json!({"matchLabels": {"app": "web"}})), ["web"]);
        assert_eq!(names(json!({"matchLabels": {"operator.prometheus.io/name": "main"}})), ["main"]);
        assert!(names(json!({})).is_empty());
        for (operator, values, found) in [
            ("In", json!(["front"]), vec!["web"]),
            ("NotIn", json!(["front"]), vec!["main"]),
            ("Exists", json!(null), vec!["web"]),
            ("DoesNotExist", json!(null), vec!["main"]),
        ] {
            let selector = json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]});
            assert_eq!(names(selector), found, "{operator}");
        }
        let web = set.selected("x", &json!({"matchLabels": {"app": "web"}}));
        assert_eq!(Set::port_number(&web, "http"), Some(json!(8080)));
    }

    #[test]
    fn monitors_select_services_in_their_namespaces() {
        let set = set();
        let monitor = |namespaces: Value| {
            json!({"metadata": {"namespace": "x"}, "spec": {
                "selector": {"matchLabels": {"a": "b"}}, "namespaceSelector": namespaces}})
        };
        assert!(set.services(&monitor(json!({}))).is_empty());
        assert_eq!(set.services(&monitor(json!({"matchNames": ["y"]}))).len(), 1);
        assert_eq!(set.services(&monitor(json!({"any": true}))).len(), 1);
    }
}
