use super::monitored::Job;
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, metrics_release, namespaces, with};
use serde_json::{Value, json};
use vigil_stack::Stack;

pub(super) fn workloads(_: &Stack) -> Vec<Workload> {
    Vec::new()
}

pub(super) fn jobs(_: &Stack) -> Vec<Job> {
    Vec::new()
}

pub(super) fn facts(stack: &Stack) -> Value {
    let identity = Identity {
        name: "network-policies",
        instance: metrics_release(stack),
        component: "network-policy",
        image: None,
    };
    let labels = identity.facts();
    let workloads = super::workloads(stack);
    let mut policies: Vec<_> = workloads.iter().filter_map(|workload| policy(stack, &workloads, workload)).collect();
    policies.sort_by_key(|policy| [&policy["namespace"], &policy["name"]].map(ToString::to_string));
    let denied: Vec<_> = namespaces::own(stack, &workloads).into_iter().map(|(name, _)| name).collect();
    with(labels, json!({ "namespaces": denied, "list": policies }))
}

/// What may reach the pods of a workload.
fn policy(stack: &Stack, all: &[Workload], workload: &Workload) -> Option<Value> {
    let mut rules = Vec::new();
    for Port { number, protocols, peers } in workload.ports.as_ref()? {
        let peers = peers.iter().copied().chain([Peer::Pods(Role::Prober)]);
        let from: Option<Vec<_>> = peers.map(|peer| sources(stack, all, peer)).collect();
        let mut from = from.map(|from| from.into_iter().flatten().collect::<Vec<_>>());
        if let Some(from) = &mut from {
            from.sort_by_key(ToString::to_string);
            // Pods with two roles come once.
            from.dedup();
        }
        // Nobody left to come: no rule.
        if from.as_ref().is_none_or(|from| !from.is_empty()) {
            let ports: Vec<_> = protocols.iter().map(|name| json!({ "port": number, "protocol": name })).collect();
            rules.push(json!({ "ports": ports, "from": from }));
        }
    }
    let Workload { name, namespace, selector, .. } = workload;
    Some(json!({ "name": name, "namespace": namespace, "selector": selector, "rules": rules }))
}

/// The peers of a rule; `None` for everybody.
fn sources(stack: &Stack, all: &[Workload], peer: Peer) -> Option<Vec<Value>> {
    let namespace = |name: &str| json!({ "matchLabels": { "kubernetes.io/metadata.name": name } });
    match peer {
        Peer::Anybody => None,
        Peer::IngressController => {
            let name = stack.network_policies.ingress_namespace.as_str();
            Some(vec![json!({ "namespaceSelector": namespace(name) })])
        }
        Peer::Pods(role) => {
            let pods = all.iter().filter(|workload| workload.has(role)).map(|workload| {
                let selector = json!({ "matchLabels": workload.selector });
                json!({ "namespaceSelector": namespace(&workload.namespace), "podSelector": selector })
            });
            Some(pods.collect())
        }
    }
}
