//! Where Prometheus and Alertmanager send to, and what they read.

use crate::fields::items;
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::references::absent::{beyond, rule_of};
use crate::rule::rules;
use crate::world::namespaces::Scope;
use crate::world::services::Service;
use crate::world::{World, operator};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    ALERTMANAGER "prometheus-alertmanager" Error Program "the Alertmanager that Prometheus sends alerts to exists"
    STORE "prometheus-remote" Error Program "the Services behind remote write and remote read exist"
    CONFIG_SECRET "alertmanager-config-secret" Error Operator "the Secret of an Alertmanager has the key `alertmanager.yaml`"
}

pub(super) fn check(world: &World<'_>, findings: &mut Findings) {
    for kind in ["Prometheus", "PrometheusAgent", "ThanosRuler"] {
        for object in world.judged(MONITORING, kind) {
            let targets = items(object.node, ["spec", "alerting", "alertmanagers"]);
            for target in targets {
                alertmanager(object, target, world, findings);
            }
            for key in ["remoteWrite", "remoteRead"] {
                for store in items(object.node, ["spec", key]) {
                    let Some(url) = store.get("url") else { continue };
                    let wrong = url.text().and_then(|text| world.address(text, Some(object.namespace)));
                    if let Some(wrong) = wrong {
                        let rule = rule_of(&wrong, &STORE);
                        findings.add(rule, object, url, wrong.message).append(wrong.label, wrong.help);
                    }
                }
            }
        }
    }
    for object in world.judged(MONITORING, "Alertmanager") {
        config_secret(object, world, findings);
    }
}

fn alertmanager(object: &Object<'_>, target: &Node, world: &World<'_>, findings: &mut Findings) {
    let Some(name) = target.get("name") else { return };
    let Some(text) = name.text() else { return };
    let namespace = target.get("namespace").and_then(Node::text).unwrap_or(object.namespace);
    let scope = Scope::These(vec![namespace]);
    let Some(service) = world.service(namespace, text) else {
        if !world.namespaces.is_open(&scope) {
            let near = world.near_service(text, namespace);
            if near.is_none() && world.namespaces.is_beyond(namespace) {
                beyond(findings, object, name, namespace, &format!("the Service {text}"));
                return;
            }
            let message = format!("there is no Service {} in {}", Quoted(text), scope.shown());
            findings
                .add(&ALERTMANAGER, object, name, message)
                .append(near, Some("without it no alert arrives anywhere".to_owned()));
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
    Some((name.to_owned(), service.port(name).is_some()))
}

/// The keys that the operator takes a configuration from.
const KEYS: [&str; 2] = ["alertmanager.yaml", "alertmanager.yaml.gz"];

fn config_secret(object: &Object<'_>, world: &World<'_>, findings: &mut Findings) {
    let name = operator::configuration(object);
    let found = world.object("", "Secret", object.namespace, &name);
    // Whether it is there is the question of all references; without a name the operator takes one that tells nobody.
    let Some(secret) = found else { return };
    let has = |field: &str, key: &str| secret.at(&[field, key]).is_some();
    if !secret.damaged && !KEYS.iter().any(|key| has("data", key) || has("stringData", key)) {
        let at = ["stringData", "data"].iter().find_map(|key| secret.node.entry(key));
        let Some(at) = at.or_else(|| secret.node.entry("metadata")) else { return };
        let message =
            format!("{object} takes its configuration from this Secret, which has no key `alertmanager.yaml`");
        findings.add(&CONFIG_SECRET, secret, at, message).label("expected the key `alertmanager.yaml`");
    }
}
