//! ConfigMaps, Secrets, service accounts, claims and classes that objects ask for.

use super::index::{Found, Index, Wanted};
use super::uses::{Use, Used};
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::{Rule, rules};
use std::collections::HashSet;
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

rules! {
    CONFIG_MAP "configmap-missing" Error "every ConfigMap that something asks for is there"
    SECRET "secret-missing" Error "every Secret that something asks for is there"
    KEY "config-key" Error "every key that something asks for is in the ConfigMap or Secret"
    PULL_SECRET "pull-secret-missing" Warning "every Secret for pulling images is there"
    TLS_SECRET "ingress-tls-secret" Warning "every Secret with the certificate of an Ingress is there"
    SERVICE_ACCOUNT "serviceaccount-missing" Error "every service account that pods run as is there"
    CLAIM "claim-missing" Error "every claim that pods mount is there"
    PRIORITY_CLASS "priorityclass-missing" Error "every priority class that pods have is there"
    CLASS "class-assumed" Note "classes that the cluster must bring are known"
}

/// Judges what objects ask for.
pub(crate) fn check(index: &Index<'_>, findings: &mut Findings) {
    let mut told = HashSet::new();
    for it in &index.uses {
        let (group, kind) = it.of.kind();
        let keys = match index.find(group, kind, it.namespace, it.name) {
            Found::Here(object) => keys_of(object),
            Found::Elsewhere(keys) => keys,
            Found::Nowhere => {
                // A pod asks for the same thing at many places, and everything for the same class.
                let by = if rule(it.of).id == CLASS.id { std::ptr::null() } else { std::ptr::from_ref(it.by) };
                if !it.optional && told.insert((by, it.of, it.name)) {
                    missing(index, it, findings);
                }
                continue;
            }
        };
        if let Some(keys) = keys.filter(|_| !it.optional) {
            for (key, at) in it.keys.iter().filter(|(key, _)| !keys.contains(key)) {
                no_key(it, key, at, &keys, findings);
            }
        }
    }
}

fn rule(of: Used) -> &'static Rule {
    match of {
        Used::ConfigMap => &CONFIG_MAP,
        Used::Secret => &SECRET,
        Used::PullSecret => &PULL_SECRET,
        Used::TlsSecret => &TLS_SECRET,
        Used::ServiceAccount => &SERVICE_ACCOUNT,
        Used::Claim => &CLAIM,
        Used::PriorityClass => &PRIORITY_CLASS,
        Used::RuntimeClass | Used::StorageClass | Used::IngressClass => &CLASS,
    }
}

fn missing(index: &Index<'_>, it: &Use<'_>, findings: &mut Findings) {
    let (group, kind) = it.of.kind();
    let rule = rule(it.of);
    if rule.id == CLASS.id {
        let message = format!("the cluster must have the {kind} {}", Quoted(it.name));
        findings.add(rule, it.by, it.at, message).help("nothing in the set makes it; see that the cluster does");
        return;
    }
    index.missing(findings, rule, it.by, it.at, Wanted { group, kind, namespace: it.namespace, name: it.name });
}

fn no_key(it: &Use<'_>, key: &str, at: &Node, keys: &[&str], findings: &mut Findings) {
    let message = format!("the {} {} has no key {}", it.of.kind().1, Quoted(it.name), Quoted(key));
    let finding = findings.add(&KEY, it.by, at, message);
    if let Some(near) = nearest(key, keys.iter().copied()) {
        finding.label(format!("did you mean {}?", Quoted(near)));
    } else if keys.len() <= 5 {
        finding.label(format!("its keys are {}", vigil_yaml::words::list(keys, "and")));
    }
    finding.help("correct the key, or add it; a pod does not start without it");
}

/// The keys that a ConfigMap or Secret has; none if something fills it later.
fn keys_of<'a>(object: &'a Object<'a>) -> Option<Vec<&'a str>> {
    let maps = match object.kind {
        "ConfigMap" => ["data", "binaryData"],
        "Secret" => ["data", "stringData"],
        _ => return None,
    };
    let is_token = object.at(&["type"]).and_then(Node::text) == Some("kubernetes.io/service-account-token");
    let keys = maps.iter().filter_map(|map| object.at(&[map])).flat_map(Node::entries);
    let keys: Vec<&str> = keys.map(|entry| entry.key.text.as_str()).collect();
    // An empty one is a place that a controller writes to, as those of webhooks' certificates are.
    (!keys.is_empty() && !is_token).then_some(keys)
}
