//! Where Prometheus and Alertmanager send to, and what they read.

use super::{ALERTMANAGER, CONFIG_SECRET, STORE};
use crate::cluster::{Cluster, MONITORING, Service};
use crate::finding::Findings;
use crate::object::Object;
use crate::set::Set;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

pub(super) fn check(set: &Set<'_>, cluster: &Cluster<'_>, findings: &mut Findings) {
    for kind in ["Prometheus", "PrometheusAgent", "ThanosRuler"] {
        for object in set.of_kind(MONITORING, kind).filter(|object| !object.damaged) {
            let targets = object.at(&["spec", "alerting", "alertmanagers"]).map(Node::items).unwrap_or_default();
            for target in targets {
                alertmanager(object, target, cluster, findings);
            }
            for key in ["remoteWrite", "remoteRead"] {
                for store in object.at(&["spec", key]).map(Node::items).unwrap_or_default() {
                    let Some(url) = store.get("url") else { continue };
                    let wrong = url.text().and_then(|text| cluster.address(text, Some(object.namespace)));
                    if let Some(wrong) = wrong {
                        findings.add(&STORE, object, url, wrong.message).append(wrong.label, wrong.help);
                    }
                }
            }
        }
    }
    for object in set.of_kind(MONITORING, "Alertmanager").filter(|object| !object.damaged) {
        config_secret(object, set, findings);
    }
}

fn alertmanager(object: &Object<'_>, target: &Node, cluster: &Cluster<'_>, findings: &mut Findings) {
    let Some(name) = target.get("name") else { return };
    let Some(text) = name.text() else { return };
    let namespace = target.get("namespace").and_then(Node::text).unwrap_or(object.namespace);
    let namespaces = crate::cluster::Namespaces::These(vec![namespace]);
    let Some(service) = cluster.service(namespace, text) else {
        if !cluster.is_open(&namespaces) {
            let message = format!("there is no Service {} in {}", Quoted(text), namespaces.shown());
            findings
                .add(&ALERTMANAGER, object, name, message)
                .append(cluster.near_service(text, namespace), Some("without it no alert arrives anywhere".to_owned()));
        }
        return;
    };
    let Some(port) = target.get("port") else { return };
    let Some((shown, found)) = has_port(service, port) else { return };
    if !found {
        let message = format!("Service `{namespace}/{text}` has no port {}", Quoted(&shown));
        let finding = findings.add(&ALERTMANAGER, object, port, message);
        let names: Vec<&str> = service.ports.iter().map(|port| port.name).filter(|name| !name.is_empty()).collect();
        if let Some(near) = nearest(&shown, names.iter().copied()) {
            finding.label(format!("did you mean `{near}`?"));
        } else if !names.is_empty() {
            finding.label(format!("expected {}", list(&names, "or")));
        }
    }
}

/// The port as written, and whether the Service has it; a number may be the pods', which a name hides.
fn has_port(service: &Service<'_>, port: &Node) -> Option<(String, bool)> {
    if let Some(number) = port.integer() {
        return Some((number.to_string(), service.any_number() || service.leads_to(number)));
    }
    let name = port.text()?;
    Some((name.to_owned(), service.ports.iter().any(|port| port.name == name)))
}

fn config_secret(object: &Object<'_>, set: &Set<'_>, findings: &mut Findings) {
    let named = object.at(&["spec", "configSecret"]).filter(|node| node.text().is_some_and(|text| !text.is_empty()));
    let default = format!("alertmanager-{}", object.name);
    let name = named.and_then(Node::text).unwrap_or(&default);
    let found = set.of_kind("", "Secret").find(|secret| secret.name == name && secret.namespace == object.namespace);
    let Some(secret) = found else {
        let is_provided = set.options.provided.iter().any(|provided| {
            provided.kind == "Secret"
                && provided.name == name
                && (provided.namespace.is_empty() || provided.namespace == object.namespace)
        });
        // Without a name the operator takes a configuration that tells nobody.
        if let Some(at) = named.filter(|_| !is_provided) {
            let message = format!("there is no Secret {} in namespace {}", Quoted(name), Quoted(object.namespace));
            findings
                .add(&CONFIG_SECRET, object, at, message)
                .help("add the Secret, or name it among what the cluster provides");
        }
        return;
    };
    const KEYS: [&str; 2] = ["alertmanager.yaml", "alertmanager.yaml.gz"];
    let has = |field: &str, key: &str| secret.at(&[field, key]).is_some();
    if !secret.damaged && !KEYS.iter().any(|key| has("data", key) || has("stringData", key)) {
        let at = ["stringData", "data"].iter().find_map(|key| secret.node.entry(key));
        let Some(at) = at.or_else(|| secret.node.entry("metadata")) else { return };
        let message =
            format!("{object} takes its configuration from this Secret, which has no key `alertmanager.yaml`");
        findings.add(&CONFIG_SECRET, secret, at, message).label("expected the key `alertmanager.yaml`");
    }
}
