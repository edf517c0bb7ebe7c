//! NetworkPolicies: whom they are for, and what they cut off.

use super::absent::nothing_selected;
use super::flows::{Entrance, Flow, entrances, flows};
use crate::fields::{items, text};
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use crate::selector::Selector;
use crate::world::World;
use crate::world::namespaces::NAME;
use crate::world::pods::{Pod, protocol};
use std::collections::HashSet;
use vigil_yaml::Node;

rules! {
    FLOW "network-policy-flow" Error Nobody "no NetworkPolicy blocks a connection that the set needs"
    NAMES "network-policy-dns" Warning Nobody "what a NetworkPolicy lets out to other pods may look up their names"
    SELECTOR "network-policy-selector" Warning Nobody "every NetworkPolicy selects pods of the set"
    ENTRANCE "network-policy-ingress" Warning Nobody "no NetworkPolicy keeps everybody outside of its namespace from pods behind an Ingress or a route"
    PEER "network-policy-nobody" Note Nobody "every peer of a NetworkPolicy selects pods of the set"
}

/// A policy in one direction.
struct Policy<'a> {
    object: &'a Object<'a>,
    rules: &'a [Node],
    /// It names its pods, and is not one for all of a namespace.
    specific: bool,
}

/// Which policies are for which pods.
struct Policies<'a> {
    ingress: Vec<Vec<Policy<'a>>>,
    egress: Vec<Vec<Policy<'a>>>,
    /// The pods of cluster DNS.
    dns: Option<usize>,
}

/// Judges NetworkPolicies.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    if world.judged(GROUP, KIND).next().is_none() {
        return;
    }
    let policies = policies(world, findings);
    let mut told = HashSet::new();
    for flow in flows(world) {
        judge(world, &policies, &flow, &mut told, findings);
    }
    judge_names(world, &policies, &told, findings);
    let mut told = HashSet::new();
    for Entrance { at, flow } in entrances(world) {
        let to = &world.pods[flow.to];
        let list = &policies.ingress[flow.to];
        let is_let_in = |policy: &Policy<'_>| {
            policy
                .rules
                .iter()
                .any(|rule| allows_port(rule, &flow, to) && may_be_outside(world, rule, at, to.namespace))
        };
        if list.is_empty() || to.on_host() || list.iter().any(is_let_in) {
            continue;
        }
        let Some(policy) = most_specific(list) else { continue };
        if told.insert((std::ptr::from_ref(policy), flow.to, flow.port)) {
            let Flow { port, protocol, because, .. } = flow;
            let pods = called(Some(flow.to), world);
            let whose = if because.kind == "Ingress" { "ingress controller" } else { "Gateway" };
            let message = format!("cuts off the {whose} of {because} from port {port}/{protocol} of {pods}");
            findings
                .add(&ENTRANCE, policy, place(policy), message)
                .label("no `ingress` rule of the policies for these pods lets in another namespace for this port")
                .help(format!(
                    "allow the namespace of the {whose} in a rule under `ingress`, with `namespaceSelector`"
                ));
        }
    }
}

/// Whether a rule lets in somebody outside of a namespace, where the controller of an Ingress or a Gateway may be. The pods of a
/// Gateway may stand `at` its own namespace, and a controller's in that of the policy, if any look like one.
fn may_be_outside(world: &World<'_>, rule: &Node, at: Option<&str>, home: &str) -> bool {
    let is_given = |peer: &Node, key: &str| peer.get(key).is_some_and(|value| !value.is_null());
    let peers = items(rule, ["from"]);
    peers.is_empty()
        || peers.iter().any(|peer| {
            let is_inside = !is_given(peer, "namespaceSelector") && !is_given(peer, "ipBlock");
            let selector = || Selector::of(peer.get("podSelector").unwrap_or(peer));
            !is_inside
                || at == Some(home)
                || world.is_foreign(home, selector())
                || world.select(home, selector()).into_iter().any(|pod| looks_like_proxy(&world.pods[pod]))
        })
}

/// Whether pods run a program that takes requests for others.
fn looks_like_proxy(pod: &Pod<'_>) -> bool {
    let containers = pod.spec.map(|spec| items(spec, ["containers"])).unwrap_or_default();
    let images = containers.iter().filter_map(|container| container.get("image").and_then(Node::text));
    let names = ["ingress", "nginx", "traefik", "haproxy", "envoy", "contour", "kong", "gateway", "proxy", "caddy"];
    images.into_iter().any(|image| names.iter().any(|name| image.contains(name)))
}

const GROUP: &str = "networking.k8s.io";
const KIND: &str = "NetworkPolicy";

/// Which policies are for which pods; says which are for none.
fn policies<'a>(world: &World<'a>, findings: &mut Findings) -> Policies<'a> {
    let empty = || world.pods.iter().map(|_| Vec::new()).collect();
    let is_dns = |pod: &Pod<'_>| pod.object.is_none() && pod.labels.contains(&("k8s-app", "kube-dns"));
    let mut policies = Policies { ingress: empty(), egress: empty(), dns: world.pods.iter().position(is_dns) };
    for object in world.judged(GROUP, KIND) {
        let Some(spec) = object.at(&["spec"]) else { continue };
        let node = spec.get("podSelector");
        let selector = Selector::of(node.unwrap_or(object.node));
        let pods = world.select(object.namespace, selector);
        let is_idle = pods.is_empty() && !selector.is_empty() && world.has_pods(object.namespace);
        if let Some(node) = node.filter(|_| is_idle && !world.is_foreign(object.namespace, selector)) {
            nothing_selected(world, &SELECTOR, object, object.namespace, node, selector, findings);
        }
        let types = items(spec, ["policyTypes"]);
        let is_of = |wanted: &str| match types {
            [] => wanted == "Ingress" || !items(spec, ["egress"]).is_empty(),
            _ => types.iter().any(|it| it.text() == Some(wanted)),
        };
        for (kind, key, peers, list) in
            [("Ingress", "ingress", "from", &mut policies.ingress), ("Egress", "egress", "to", &mut policies.egress)]
        {
            if !is_of(kind) {
                continue;
            }
            let rules = items(spec, [key]);
            for peer in rules.iter().flat_map(|rule| items(rule, [peers])) {
                judge_peer(world, object, peer, findings);
            }
            for pod in &pods {
                list[*pod].push(Policy { object, rules, specific: !selector.is_empty() });
            }
        }
    }
    policies
}

/// Judges one end of a rule: pods that it names are in the set, where their namespace is.
fn judge_peer(world: &World<'_>, policy: &Object<'_>, peer: &Node, findings: &mut Findings) {
    let Some(node) = peer.get("podSelector").filter(|node| !node.is_null()) else { return };
    let selector = Selector::of(node);
    let namespace = match peer.get("namespaceSelector").filter(|node| !node.is_null()) {
        None => policy.namespace,
        // Anything but the name may be true of namespaces that are not in the set.
        Some(namespaces) => match Selector::of(namespaces).labels().get(NAME) {
            Some(name) => name,
            None => return,
        },
    };
    // Labels that no pod has yet are for clients to come, as the `client: "true"` of many charts.
    let has_labels = selector.labels().iter().all(|(key, _)| world.has_key(namespace, key));
    if has_labels
        && !selector.labels().is_empty()
        && world.select(namespace, selector).is_empty()
        && !world.is_foreign(namespace, selector)
    {
        nothing_selected(world, &PEER, policy, namespace, node, selector, findings);
    }
}

/// What was told: policy, direction, both ends, port and protocol.
type Told<'a> = HashSet<(*const (), &'static str, Option<usize>, usize, i64, &'a str)>;

fn judge<'a>(
    world: &World<'_>,
    policies: &Policies<'_>,
    flow: &Flow<'a>,
    told: &mut Told<'a>,
    findings: &mut Findings,
) {
    let to = &world.pods[flow.to];
    let from = flow.from.map(|from| &world.pods[from]);
    let inside = from.filter(|pod| !pod.on_host());
    // A pod reaches itself, whatever a policy says.
    let is_itself = flow.from == Some(flow.to) && to.is_single();
    if !to.on_host() && !is_itself {
        let list = &policies.ingress[flow.to];
        let is_let_in = |policy: &Policy<'_>| {
            policy.rules.iter().any(|rule| {
                allows_port(rule, flow, to) && allows_peer(world, rule, "from", inside, policy.object.namespace)
            })
        };
        if !list.is_empty() && !list.iter().any(is_let_in) {
            tell(world, list, "ingress", flow, told, findings);
        }
    }
    let (Some(number), Some(_)) = (flow.from, inside) else { return };
    let list = &policies.egress[number];
    let peer = Some(to).filter(|pod| !pod.on_host());
    let is_let_out = |policy: &Policy<'_>| {
        policy
            .rules
            .iter()
            .any(|rule| allows_port(rule, flow, to) && allows_peer(world, rule, "to", peer, policy.object.namespace))
    };
    if !is_itself && !list.is_empty() && !list.iter().any(is_let_out) {
        tell(world, list, "egress", flow, told, findings);
    }
    if !flow.by_name || list.iter().any(|policy| allows_names(world, policy, policies.dns)) {
        return;
    }
    if let Some(policy) = most_specific(list)
        && told.insert((std::ptr::from_ref(policy).cast(), "names", flow.from, 0, 53, "UDP"))
    {
        let message = format!("cuts off {} from looking up names", called(flow.from, world));
        let finding = findings.add(&FLOW, policy, place(policy), message);
        finding.label("no `egress` rule for these pods allows port 53/UDP");
        finding.help(format!("{} needs it; allow port 53, UDP and TCP, to the pods of cluster DNS", flow.because));
    }
}

/// Judges pods that may connect to others, whose names they may not look up; unless that is told already.
fn judge_names(world: &World<'_>, policies: &Policies<'_>, told: &Told<'_>, findings: &mut Findings) {
    let mut judged = HashSet::new();
    for (number, list) in policies.egress.iter().enumerate() {
        let leads = |policy: &Policy<'_>| policy.rules.iter().any(leads_to_names);
        let is_told = told.iter().any(|(_, what, from, ..)| *what == "names" && *from == Some(number));
        let is_open = world.pods[number].on_host() || list.iter().any(|it| allows_names(world, it, policies.dns));
        if is_open || is_told || !list.iter().any(leads) {
            continue;
        }
        if let Some(policy) = most_specific(list).filter(|policy| judged.insert(std::ptr::from_ref(*policy))) {
            let message = format!("lets {} out, but not to look up names", called(Some(number), world));
            let finding = findings.add(&NAMES, policy, place(policy), message);
            finding.label("no `egress` rule for these pods allows port 53/UDP");
            finding.help("allow port 53, UDP and TCP, to the pods of cluster DNS");
        }
    }
}

/// Whether a rule leads to what is found by its name: other pods, or the internet. The API server is found by its address, which
/// every pod knows; a rule for it names a port alone, or a block of addresses.
fn leads_to_names(rule: &Node) -> bool {
    items(rule, ["to"]).iter().any(|peer| match peer.get("ipBlock").filter(|block| !block.is_null()) {
        Some(block) => text(block, "cidr").is_some_and(|cidr| cidr.ends_with("/0")),
        None => true,
    })
}

/// Whether a policy lets its pods look up names.
fn allows_names(world: &World<'_>, policy: &Policy<'_>, dns: Option<usize>) -> bool {
    let dns = dns.map(|dns| &world.pods[dns]);
    policy.rules.iter().any(|rule| {
        let ports = items(rule, ["ports"]);
        let is_open = ports.is_empty()
            || ports.iter().any(|port| includes(port, 53, "UDP", |name| (name == "dns").then_some(53)));
        is_open && allows_peer(world, rule, "to", dns, policy.object.namespace)
    })
}

/// The policy to speak of: the one that names the pods, if any does.
fn most_specific<'a>(list: &[Policy<'a>]) -> Option<&'a Object<'a>> {
    list.iter().find(|policy| policy.specific).or_else(|| list.first()).map(|policy| policy.object)
}

fn tell<'a>(
    world: &World<'_>,
    list: &[Policy<'_>],
    direction: &'static str,
    flow: &Flow<'a>,
    told: &mut Told<'a>,
    findings: &mut Findings,
) {
    let Some(policy) = most_specific(list) else { return };
    if !told.insert((std::ptr::from_ref(policy).cast(), direction, flow.from, flow.to, flow.port, flow.protocol)) {
        return;
    }
    let Flow { port, protocol, because, .. } = flow;
    let (from, to) = (called(flow.from, world), called(Some(flow.to), world));
    let message = format!("cuts off {from} from port {port}/{protocol} of {to}");
    let finding = findings.add(&FLOW, policy, place(policy), message);
    finding.label(format!("no `{direction}` rule of the policies for these pods allows it"));
    finding.help(match (direction, flow.from) {
        ("egress", _) => format!("{because} needs it; allow port {port} to {to} in a rule under `egress`"),
        (_, Some(_)) => format!("{because} needs it; allow port {port} from {from} in a rule under `ingress`"),
        // It is no pod, and no selector is for it.
        (_, None) => format!("{because} needs it; allow port {port} in a rule under `ingress` without `from`"),
    });
}

fn place<'a>(policy: &Object<'a>) -> &'a Node {
    policy.at(&["spec", "podSelector"]).unwrap_or(policy.node)
}

/// What a message calls pods.
fn called(pod: Option<usize>, world: &World<'_>) -> String {
    match pod.and_then(|pod| world.pods[pod].object) {
        Some(object) => object.to_string(),
        None => "the API server".to_owned(),
    }
}

/// Whether a rule is for the port of a connection.
fn allows_port(rule: &Node, flow: &Flow<'_>, to: &Pod<'_>) -> bool {
    let ports = items(rule, ["ports"]);
    let named = |name: &str| to.port(name, flow.protocol);
    ports.is_empty() || ports.iter().any(|port| includes(port, flow.port, flow.protocol, named))
}

/// Whether a port of a rule includes this one.
fn includes(port: &Node, number: i64, wanted: &str, named: impl Fn(&str) -> Option<i64>) -> bool {
    if protocol(port) != wanted {
        return false;
    }
    let Some(at) = port.get("port").filter(|at| !at.is_null()) else { return true };
    match at.integer() {
        Some(first) => (first..=port.get("endPort").and_then(Node::integer).unwrap_or(first)).contains(&number),
        None => at.text().is_some_and(|name| named(name) == Some(number)),
    }
}

/// Whether a rule is for these pods at the other end; none for what is outside of the pods' network.
///
/// Addresses are not known, so that a block of them may be anybody's. Some clusters tunnel what the API server sends
/// through pods of `kube-system`, which a rule may therefore name in its stead.
fn allows_peer(world: &World<'_>, rule: &Node, key: &str, pod: Option<&Pod<'_>>, home: &str) -> bool {
    let peers = items(rule, [key]);
    peers.is_empty()
        || peers.iter().any(|peer| {
            if peer.get("ipBlock").is_some_and(|block| !block.is_null()) {
                return true;
            }
            let namespaces = peer.get("namespaceSelector").filter(|node| !node.is_null()).map(Selector::of);
            let namespace = pod.map_or("kube-system", |pod| pod.namespace);
            let in_namespace = match namespaces {
                Some(selector) => selector.selects(|key| world.namespace_label(namespace, key)),
                None => namespace == home,
            };
            let pods = peer.get("podSelector").filter(|node| !node.is_null()).map(Selector::of);
            let is_it = match pod {
                Some(pod) => pods.is_none_or(|selector| selector.selects(|key| pod.label(key))),
                None => namespaces.is_some(),
            };
            in_namespace && is_it
        })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, deployment};
    use super::*;
    use crate::Options;
    use crate::documents::read;
    use crate::set::Set;
    use std::sync::Arc;
    use vigil_yaml::{Limits, Source};

    /// What a policy breaks where `main`, a Prometheus in `default`, scrapes the port 8080 of `web`.
    fn scraped(policies: &str) -> String {
        let set = "{apiVersion: monitoring.coreos.com/v1, kind: Prometheus, metadata: {name: main}, spec: \
                   {serviceMonitorSelector: {}}}\n\
                   {apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: web}, spec: {selector: \
                   {matchLabels: {app: web}}, endpoints: [{port: http}]}}\n\
                   {apiVersion: v1, kind: Service, metadata: {name: web, labels: {app: web}}, spec: {selector: {app: web}, \
                   ports: [{name: http, port: 80, targetPort: metrics}]}}\n";
        let pods = deployment("web", "containers: [{name: c, ports: [{name: metrics, containerPort: 8080}]}]");
        broken(&(set.to_owned() + &pods + policies)).join(" ")
    }

    fn policy(spec: &str) -> String {
        format!("{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: np}}, spec: {{{spec}}}}}\n")
    }

    #[test]
    fn what_policies_let_in() {
        let main = "{podSelector: {matchLabels: {prometheus: main}}}";
        for (spec, expected) in [
            ("podSelector: {}", "network-policy-flow"),
            ("podSelector: {}, ingress: [{}]", ""),
            ("podSelector: {}, ingress: []", "network-policy-flow"),
            ("podSelector: {matchLabels: {prometheus: main}}", ""),
            ("podSelector: {}, policyTypes: [Egress], egress: [{}]", ""),
            (&format!("podSelector: {{}}, ingress: [{{from: [{main}]}}]"), ""),
            (&format!("podSelector: {{}}, ingress: [{{from: [{main}], ports: [{{port: 8080}}]}}]"), ""),
            (
                &format!("podSelector: {{}}, ingress: [{{from: [{main}], ports: [{{port: 80}}]}}]"),
                "network-policy-flow",
            ),
            (&format!("podSelector: {{}}, ingress: [{{from: [{main}], ports: [{{port: metrics}}]}}]"), ""),
            (
                &format!("podSelector: {{}}, ingress: [{{from: [{main}], ports: [{{port: http}}]}}]"),
                "network-policy-flow",
            ),
            (&format!("podSelector: {{}}, ingress: [{{from: [{main}], ports: [{{port: 8000, endPort: 8080}}]}}]"), ""),
            (
                &format!("podSelector: {{}}, ingress: [{{from: [{main}], ports: [{{port: 8000, endPort: 8079}}]}}]"),
                "network-policy-flow",
            ),
            (
                &format!("podSelector: {{}}, ingress: [{{from: [{main}], ports: [{{port: 8080, protocol: UDP}}]}}]"),
                "network-policy-flow",
            ),
            (&format!("podSelector: {{}}, ingress: [{{from: [{main}], ports: [{{protocol: TCP}}]}}]"), ""),
            ("podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]", "network-policy-flow"),
            ("podSelector: {}, ingress: [{from: [{podSelector: {}}]}]", ""),
            ("podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]", ""),
            (
                "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \
                 default}}}]}]",
                "",
            ),
            (
                "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \
                 other}}}]}]",
                "network-policy-flow",
            ),
            // What labels the namespace has is not known, and whose addresses these are neither.
            ("podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]", ""),
            ("podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", ""),
            ("podSelector: {}, policyTypes: [Egress]", "network-policy-flow"),
            (
                "podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: 8080}]}]",
                "network-policy-dns",
            ),
            ("podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 8080}]}]", ""),
            (
                "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 8080}]}, {to: [{ipBlock: {cidr: '::/0'}}], \
                 ports: [{port: 443}]}]",
                "network-policy-dns",
            ),
            (
                "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 8080}]}, {to: [{ipBlock: {cidr: \
                 10.0.0.1/32}}], ports: [{port: 443}]}]",
                "",
            ),
            (
                "podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: 8080}]}, \
                 {ports: [{port: 53, protocol: UDP}]}]",
                "",
            ),
            (
                "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]",
                "network-policy-flow",
            ),
            ("podSelector: {matchLabels: {app: wbe}}", "network-policy-selector"),
            (
                "podSelector: {}, ingress: [{}, {from: [{podSelector: {matchLabels: {app: wbe}}}]}]",
                "network-policy-nobody",
            ),
            ("podSelector: {}, ingress: [{}, {from: [{podSelector: {matchLabels: {client: 'true'}}}]}]", ""),
        ] {
            assert_eq!(scraped(&policy(spec)), expected, "{spec}");
        }
    }

    #[test]
    fn policies_add_up() {
        let deny = policy("podSelector: {}").replace("name: np", "name: deny");
        let allow = policy("podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]");
        assert_eq!(scraped(&(deny.clone() + &allow)), "");
        assert_eq!(scraped(&deny), "network-policy-flow");
    }

    #[test]
    fn the_api_server_is_no_pod() {
        let set = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 443, \
                   targetPort: 8443}]}}\n\
                   {apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: \
                   web}, webhooks: [{clientConfig: {service: {namespace: default, name: web}}}]}\n";
        let pods = deployment("web", "containers: [{name: c, ports: [{containerPort: 8443}]}]");
        for (rule, expected) in [
            ("", "network-policy-flow"),
            ("ports: [{port: 8443}]", ""),
            ("ports: [{port: 443}]", "network-policy-flow"),
            ("from: [{podSelector: {}}]", "network-policy-flow"),
            ("from: [{ipBlock: {cidr: 10.0.0.0/8}}]", ""),
            ("from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]", ""),
        ] {
            let rules = if rule.is_empty() { String::new() } else { format!("{{{rule}}}") };
            let text = set.to_owned() + &pods + &policy(&format!("podSelector: {{}}, ingress: [{rules}]"));
            assert_eq!(broken(&text).join(" "), expected, "{rule}");
        }
        let host = deployment("web", "hostNetwork: true, containers: [{name: c, ports: [{containerPort: 8443}]}]");
        assert!(broken(&(set.to_owned() + &host + &policy("podSelector: {}"))).is_empty());
    }

    #[test]
    fn replicas_reach_each_other() {
        for (replicas, ports, expected) in [
            (1, "{port: 9093}", ""),
            (2, "{port: 9093}", "network-policy-flow network-policy-flow"),
            (2, "{port: 9094}", "network-policy-flow"),
            (2, "{port: 9094}, {port: mesh-udp, protocol: UDP}", ""),
        ] {
            let text = format!(
                "{{apiVersion: monitoring.coreos.com/v1, kind: Alertmanager, metadata: {{name: a}}, spec: {{replicas: \
                 {replicas}}}}}\n"
            );
            let text = text + &policy(&format!("podSelector: {{}}, ingress: [{{ports: [{ports}]}}]"));
            assert_eq!(broken(&text).join(" "), expected, "{replicas} {ports}");
        }
    }

    #[test]
    fn names_are_looked_up_at_cluster_dns() {
        for (rule, expected) in [
            ("ports: [{port: 8080}]", 1),
            ("ports: [{port: 8080}, {port: 53, protocol: UDP}]", 0),
            ("ports: [{port: 8080}, {port: 53}]", 1),
            ("ports: [{port: 8080}, {port: dns, protocol: UDP}]", 0),
            ("to: [{podSelector: {}}]", 1),
            ("to: [{podSelector: {}}, {namespaceSelector: {}}]", 0),
            ("to: [{podSelector: {}}, {namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]", 0),
            ("to: [{podSelector: {}}, {namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: coredns}}}]", 1),
        ] {
            let text = deployment("a", "containers: [{name: c}]").replace('\n', "\n---\n")
                + &deployment("b", "containers: [{name: c}]").replace('\n', "\n---\n")
                + &policy(&format!("podSelector: {{}}, policyTypes: [Egress], egress: [{{{rule}}}]"));
            let documents = [Arc::new(read(&Source::new("t", text), &Limits::default()))];
            let options = Options::default();
            let mut findings = Findings::default();
            let set = Set::new(&documents, &[], &options, &mut findings);
            let world = World::new(&set);
            let policies = policies(&world, &mut findings);
            let because = &set.objects[0];
            let flow = Flow { from: Some(0), to: 1, port: 8080, protocol: "TCP", by_name: true, because };
            judge(&world, &policies, &flow, &mut HashSet::new(), &mut findings);
            assert_eq!(findings.list.len(), expected, "{rule}: {:?}", findings.list);
        }
    }
}
