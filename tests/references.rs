//! Breaks every reference of every stack, one at a time, and expects each to be found.
//!
//! `cargo test --test references -- --nocapture` prints how many there are of each class.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_check::{Report, check};
use vigil_yaml::{Severity, Source};

/// A class of references: which values of which objects name something else.
struct Class {
    name: &'static str,
    /// The kinds of objects that have it; any when empty.
    kinds: &'static [&'static str],
    /// The end of the values' path; `*` is any key or index.
    end: &'static [&'static str],
    /// What the value becomes; nothing when it cannot be broken this way.
    broken: fn(&Value) -> Option<Value>,
}

/// A name that nothing has.
fn nobody(value: &Value) -> Option<Value> {
    value.as_str().filter(|text| !text.is_empty()).map(|_| json!("nobody"))
}

/// The name of a port that nothing has; a number needs none.
fn no_port(value: &Value) -> Option<Value> {
    value.as_str().map(|_| json!("no-port"))
}

/// A text in which one host became another.
fn no_host(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    ["http://loki-stack.", "http://kube-prometheus-stack-prometheus.", "http://kube-prometheus-stack-alertmanager."]
        .into_iter()
        .find(|host| text.contains(*host))
        .map(|host| json!(text.replace(host, "http://nobody.")))
}

/// A rule of a NetworkPolicy that lets nobody in.
fn no_peer() -> Value {
    json!({ "from": [{ "podSelector": { "matchLabels": { "app.kubernetes.io/name": "nobody" } } }] })
}

/// Whether a rule lets in nobody but pods of a namespace that holds nothing of a stack.
fn is_for_others(rule: &Value) -> bool {
    let peers = rule["from"].as_array().into_iter().flatten();
    let mut names = peers.map(|peer| &peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]);
    let is_other = |name: &Value| name.as_str().is_some_and(|name| name.starts_with("ingress"));
    names.next().is_some_and(is_other) && names.all(is_other)
}

const CLASSES: &[Class] = &[
    Class { name: "Service selector", kinds: &["Service"], end: &["spec", "selector", "*"], broken: nobody },
    Class { name: "Service targetPort", kinds: &["Service"], end: &["ports", "*", "targetPort"], broken: no_port },
    Class {
        name: "ServiceMonitor selector",
        kinds: &["ServiceMonitor"],
        end: &["selector", "matchLabels", "*"],
        broken: nobody,
    },
    Class {
        name: "ServiceMonitor namespace",
        kinds: &["ServiceMonitor"],
        end: &["namespaceSelector", "matchNames", "*"],
        broken: nobody,
    },
    Class {
        name: "ServiceMonitor port",
        kinds: &["ServiceMonitor"],
        end: &["endpoints", "*", "port"],
        broken: no_port,
    },
    Class {
        name: "prober of a Probe",
        kinds: &["Probe"],
        end: &["prober", "url"],
        broken: |_| Some(json!("nobody:9115")),
    },
    Class { name: "module of a Probe", kinds: &["Probe"], end: &["spec", "module"], broken: nobody },
    Class { name: "ConfigMap volume", kinds: &[], end: &["volumes", "*", "configMap", "name"], broken: nobody },
    Class { name: "Secret volume", kinds: &[], end: &["volumes", "*", "secret", "secretName"], broken: nobody },
    Class { name: "claim", kinds: &[], end: &["persistentVolumeClaim", "claimName"], broken: nobody },
    Class { name: "Secret of a variable", kinds: &[], end: &["secretKeyRef", "name"], broken: nobody },
    Class { name: "pull Secret", kinds: &[], end: &["imagePullSecrets", "*", "name"], broken: nobody },
    Class { name: "ServiceAccount", kinds: &[], end: &["serviceAccountName"], broken: nobody },
    Class { name: "PriorityClass", kinds: &[], end: &["priorityClassName"], broken: nobody },
    Class { name: "Role", kinds: &["RoleBinding", "ClusterRoleBinding"], end: &["roleRef", "name"], broken: nobody },
    Class {
        name: "subject",
        kinds: &["RoleBinding", "ClusterRoleBinding"],
        end: &["subjects", "*", "name"],
        broken: nobody,
    },
    Class {
        name: "namespace of a subject",
        kinds: &["RoleBinding", "ClusterRoleBinding"],
        end: &["subjects", "*", "namespace"],
        broken: nobody,
    },
    Class {
        name: "PodDisruptionBudget selector",
        kinds: &["PodDisruptionBudget"],
        end: &["selector", "matchLabels", "*"],
        broken: nobody,
    },
    Class { name: "Ingress backend", kinds: &["Ingress"], end: &["backend", "service", "name"], broken: nobody },
    Class { name: "Ingress port", kinds: &["Ingress"], end: &["service", "port", "name"], broken: no_port },
    Class { name: "Ingress TLS Secret", kinds: &["Ingress"], end: &["tls", "*", "secretName"], broken: nobody },
    Class { name: "APIService", kinds: &["APIService"], end: &["spec", "service", "name"], broken: nobody },
    Class { name: "webhook", kinds: &[], end: &["clientConfig", "service", "name"], broken: nobody },
    Class {
        name: "Alertmanager of Prometheus",
        kinds: &["Prometheus"],
        end: &["alertmanagers", "*", "name"],
        broken: nobody,
    },
    Class {
        name: "port of an Alertmanager",
        kinds: &["Prometheus"],
        end: &["alertmanagers", "*", "port"],
        broken: no_port,
    },
    Class {
        name: "Alertmanager configuration",
        kinds: &["Alertmanager"],
        end: &["spec", "configSecret"],
        broken: nobody,
    },
    Class { name: "StatefulSet service", kinds: &["StatefulSet"], end: &["spec", "serviceName"], broken: nobody },
    Class {
        name: "who may come in",
        kinds: &["NetworkPolicy"],
        end: &["spec", "ingress", "*"],
        // Where an ingress controller is, which no pod of the set is, the set does not say.
        broken: |rule| (!is_for_others(rule)).then(no_peer),
    },
    Class { name: "namespace", kinds: &[], end: &["metadata", "namespace"], broken: nobody },
    Class { name: "address in a file", kinds: &["ConfigMap"], end: &["data", "*"], broken: no_host },
    Class {
        name: "port in a file",
        kinds: &["ConfigMap"],
        end: &["data", "*"],
        broken: |value| {
            let text = value.as_str()?;
            text.contains("loki-stack.myloki:3100")
                .then(|| json!(text.replace("loki-stack.myloki:3100", "loki-stack.myloki:3111")))
        },
    },
];

/// Every value below `value` whose path ends as `end`, as JSON pointers.
fn places(value: &Value, end: &[&str]) -> Vec<String> {
    fn walk(value: &Value, path: &mut Vec<String>, end: &[&str], found: &mut Vec<String>) {
        let ends = path.len() >= end.len()
            && path[path.len() - end.len()..].iter().zip(end).all(|(step, wanted)| *wanted == "*" || step == wanted);
        if ends && !path.is_empty() {
            let escaped = path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
            found.push(escaped.collect());
        }
        let mut below = |key: String, value: &Value| {
            path.push(key);
            walk(value, path, end, found);
            path.pop();
        };
        match value {
            Value::Object(entries) => entries.iter().for_each(|(key, value)| below(key.clone(), value)),
            Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| below(at.to_string(), value)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), end, &mut found);
    found
}

fn name(value: &Value) -> String {
    format!("{} {}", value["kind"].as_str().unwrap(), value["metadata"]["name"].as_str().unwrap())
}

/// Errors and warnings, each in one line.
fn told(report: &Report) -> Vec<String> {
    let counts = report.findings.iter().filter(|finding| finding.severity() != Severity::Note);
    counts.map(|finding| format!("{}: {}", finding.rule.id, finding.problem().one_line())).collect()
}

/// Whether a template is a file of rules or a dashboard.
fn is_watching(template: &str) -> bool {
    ["/rules/", "/dashboards/"].iter().any(|room| template.contains(room))
}

#[test]
fn every_broken_reference_is_found() {
    let mut rates: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    // The others are parts of these.
    let whole = support::stacks()
        .into_iter()
        .filter(|(name, _)| ["tutorial", "switched", "production"].contains(&name.as_str()));
    for (stack, path) in whole {
        let options = support::options(&path);
        let objects: Vec<Value> = support::render(&path)
            .objects
            .iter()
            // The definitions are known without being there, and take their time; rules and dashboards refer to no object.
            .filter(|object| object.component != "crds" && !is_watching(&object.template))
            .map(|object| Value::clone(&object.value))
            .collect();
        let sources: Vec<Arc<Source>> = objects
            .iter()
            .enumerate()
            .map(|(index, object)| Source::new(format!("{index:03}"), vigil_yaml::write(object)))
            .collect();
        let whole = told(&check(&sources, &options));
        assert!(whole.is_empty(), "{stack} does not check clean: {whole:#?}");
        for class in CLASSES {
            // Every object has one, and Argo CD's are where Argo CD is: those of the tutorial's stack will do.
            if class.name == "namespace" && stack != "tutorial" {
                continue;
            }
            let broken: Vec<_> = objects
                .iter()
                .enumerate()
                .filter(|(_, object)| class.kinds.is_empty() || class.kinds.contains(&object["kind"].as_str().unwrap()))
                .flat_map(|(index, object)| {
                    places(object, class.end).into_iter().map(move |place| (index, object, place))
                })
                .filter_map(|(index, object, place)| {
                    let mut copy = object.clone();
                    let value = copy.pointer_mut(&place).unwrap();
                    *value = (class.broken)(value)?;
                    Some((index, copy, place))
                })
                .collect();
            let is_missed = |(index, object, place): &(usize, Value, String)| {
                let mut changed = sources.clone();
                changed[*index] = Source::new(format!("{index:03}"), vigil_yaml::write(object));
                told(&check(&changed, &options))
                    .is_empty()
                    .then(|| format!("{stack}: {}{place}", name(&objects[*index])))
            };
            let missed: Vec<_> = broken.par_iter().filter_map(is_missed).collect();
            if !broken.is_empty() {
                let rate = rates.entry(class.name).or_default();
                rate.0 += broken.len();
                rate.1.extend(missed);
            }
        }
    }
    let mut missed = Vec::new();
    for class in CLASSES {
        let Some((count, not_found)) = rates.get(class.name) else { panic!("no stack has a {}", class.name) };
        println!("{:<30} {:>4} of {count:>4} found", class.name, count - not_found.len());
        missed.extend(not_found.iter().map(|what| format!("{}: {what}", class.name)));
    }
    assert!(missed.is_empty(), "{} references were broken and not missed: {missed:#?}", missed.len());
}
