use super::monitored::Job;
use super::reach::Reach;
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, metrics_release, namespaces, object_storage, with};
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
    let egress = stack.network_policies.egress.enabled;
    with(labels, json!({ "namespaces": denied, "list": policies, "egress": egress }))
}

/// What may reach the pods of a workload, and what they may reach.
fn policy(stack: &Stack, all: &[Workload], workload: &Workload) -> Option<Value> {
    let Workload { name, namespace, selector, .. } = workload;
    let ingress = ingress(stack, all, workload)?;
    let mut policy =
        json!({ "name": name, "namespace": namespace, "selector": selector, "types": ["Ingress"], "ingress": ingress });
    if stack.network_policies.egress.enabled {
        policy["types"] = json!(["Egress", "Ingress"]);
        policy["egress"] = egress(stack, all, workload).into();
    }
    Some(policy)
}

/// What may reach the pods of a workload; `None` for those that no policy concerns.
fn ingress(stack: &Stack, all: &[Workload], workload: &Workload) -> Option<Vec<Value>> {
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
            rules.push(json!({ "ports": ports([*number], protocols), "from": from }));
        }
    }
    Some(rules)
}

/// What the pods of a workload may reach: the workloads that let them in, what they say themselves, and what follows from
/// their roles. What is in no network of pods has no peer that a policy could name: those rules are for a port alone, which
/// every network plugin reads alike, while some take a block of addresses for hosts outside of the cluster.
fn egress(stack: &Stack, all: &[Workload], workload: &Workload) -> Vec<Value> {
    const TCP: &[&str] = &["TCP"];
    let settings = &stack.network_policies.egress;
    let reaches = reaches(stack, workload);
    let nodes = reaches.iter().filter_map(|it| if let Reach::Nodes(port) = it { Some(*port) } else { None });
    let api_server = settings.api_server_ports.iter().map(|port| port.get());
    let api_server = api_server.filter(|_| reaches.contains(&Reach::ApiServer));
    // A rule without ports would be for all of them.
    let mut rules = Vec::new();
    let open = [ports(api_server, TCP), ports(nodes, TCP)].into_iter().filter(|ports| !ports.is_empty());
    rules.extend(open.map(|ports| json!({ "ports": ports })));
    if reaches.contains(&Reach::Pods) {
        rules.push(json!({ "to": [{ "namespaceSelector": {} }] }));
    } else {
        let servers = all.iter().filter_map(|server| {
            let open = opened(workload, server);
            (!open.is_empty()).then(|| json!({ "to": [pods(server)], "ports": open }))
        });
        rules.extend(servers);
    }
    let everywhere = json!([{ "ipBlock": { "cidr": "0.0.0.0/0" } }, { "ipBlock": { "cidr": "::/0" } }]);
    let mut outside = Vec::new();
    for reach in &reaches {
        match reach {
            Reach::ApiServer | Reach::Nodes(_) | Reach::Pods => {}
            Reach::Namespace(name) => rules.push(json!({ "to": [{ "namespaceSelector": named(name) }] })),
            Reach::Outside(port, protocols) => outside.extend(ports([*port], protocols)),
            Reach::CloudIdentity => {
                let block = |cidr| json!({ "ipBlock": { "cidr": cidr } });
                rules.push(json!({ "to": CLOUD_IDENTITY.map(block) }));
            }
            Reach::Everything => rules.push(json!({ "to": everywhere })),
        }
    }
    if !outside.is_empty() {
        rules.push(json!({ "to": everywhere, "ports": outside }));
    }
    let dns = ports(settings.dns_ports.iter().map(|port| port.get()), &["TCP", "UDP"]);
    if !rules.is_empty() && !dns.is_empty() {
        rules.insert(0, json!({ "ports": dns }));
    }
    rules
}

/// Addresses that no router passes on, where Amazon, Azure and Google tell pods which role they have.
const CLOUD_IDENTITY: [&str; 2] = ["169.254.0.0/16", "fd00:ec2::/32"];

/// What a workload says that it reaches, and what its roles ask for.
fn reaches(stack: &Stack, workload: &Workload) -> BTreeSet<Reach> {
    let mut all: BTreeSet<_> = workload.reaches.iter().cloned().collect();
    if workload.has(Role::ObjectStorageClient) {
        all.extend(object_storage::reaches(stack, &workload.namespace));
    }
    if workload.has(Role::Scraper) {
        all.extend(super::node_ports(stack).into_iter().map(Reach::Nodes));
    }
    all
}

/// The ports of a server that let in a client.
fn opened(client: &Workload, server: &Workload) -> Vec<Value> {
    let lets_in = |port: &&Port| {
        let is_it = |peer: &Peer| matches!(peer, Peer::Pods(role) if client.has(*role));
        client.has(Role::Prober) || port.peers.iter().any(is_it)
    };
    let open = server.ports.iter().flatten().filter(lets_in);
    open.flat_map(|port| ports([port.number], port.protocols)).collect()
}

fn ports(numbers: impl IntoIterator<Item = u16>, protocols: &[&str]) -> Vec<Value> {
    let of = |number| protocols.iter().map(move |name| json!({ "port": number, "protocol": name }));
    numbers.into_iter().flat_map(of).collect()
}

fn named(namespace: &str) -> Value {
    json!({ "matchLabels": { "kubernetes.io/metadata.name": namespace } })
}

/// The pods of a workload, as a policy names them.
fn pods(workload: &Workload) -> Value {
    let selector = json!({ "matchLabels": workload.selector });
    json!({ "namespaceSelector": named(&workload.namespace), "podSelector": selector })
}

/// The peers of a rule; `None` for everybody.
fn sources(stack: &Stack, all: &[Workload], peer: Peer) -> Option<Vec<Value>> {
    match peer {
        Peer::Anybody => None,
        Peer::IngressController => {
            let name = stack.network_policies.ingress_namespace.as_str();
            Some(vec![json!({ "namespaceSelector": named(name) })])
        }
        Peer::Pods(role) => Some(all.iter().filter(|workload| workload.has(role)).map(pods).collect()),
    }
}
