//! What answers, to whom, that did not answer before.

use super::Effects;
use crate::change::Change;
use crate::effect::{Class, Effect};
use crate::object::{Identity, integer, is_set, items, text};
use crate::workload::Workload;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is said of an object, and which of its changes cause it.
type Opened = (String, fn(&Change) -> bool);

/// What an object of the second set opens; `before` is the same object in the first.
pub(super) fn of<'a>(
    identity: &Identity,
    before: Option<&Value>,
    after: &Value,
    changes: &'a [Change],
    effects: &mut Effects<'a>,
) {
    let opened = match (identity.group.as_str(), identity.kind.as_str()) {
        ("", "Service") => service(before, after),
        ("networking.k8s.io", "Ingress") | ("gateway.networking.k8s.io", "HTTPRoute") => route(before, after),
        ("networking.k8s.io", "NetworkPolicy") => before.and_then(|before| policy(before, after)),
        _ => host(identity, before, after),
    };
    if let Some((says, is_cause)) = opened {
        let causes = changes.iter().filter(|change| !change.is_equivalent && is_cause(change));
        effects.of(Effect::new(Class::Exposure, identity, says), causes);
    }
}

fn service(before: Option<&Value>, after: &Value) -> Option<Opened> {
    let old = before.map(doors).unwrap_or_default();
    let mut more: Vec<String> = doors(after).difference(&old).cloned().collect();
    if before.is_some_and(|before| sources(before).is_some()) && sources(after).is_none() {
        more.push("everybody may use its load balancer, and not `loadBalancerSourceRanges` only".to_owned());
    }
    if more.is_empty() {
        return None;
    }
    let is_load_balancer = |object: &Value| text(object, "/spec/type") == "LoadBalancer";
    if before.is_some_and(is_load_balancer) && !is_load_balancer(after) {
        more.push("the load balancer and its address are given back".to_owned());
    }
    Some((more.join("; "), |change| {
        let keys = ["type", "ports", "externalIPs", "loadBalancerSourceRanges"];
        keys.iter().any(|key| change.path.begins(&["spec", key]))
    }))
}

fn route(before: Option<&Value>, after: &Value) -> Option<Opened> {
    let old = before.map(addresses).unwrap_or_default();
    let more: Vec<String> = addresses(after).difference(&old).cloned().collect();
    let verb = if more.len() == 1 { "answers" } else { "answer" };
    let says = || format!("{} {verb}, to whoever reaches the ingress controller", more.join(", "));
    (!more.is_empty()).then(|| (says(), is_of_spec as fn(&Change) -> bool))
}

fn policy(before: &Value, after: &Value) -> Option<Opened> {
    let mut more = Vec::new();
    for (direction, list, peers) in [("Ingress", "/spec/ingress", "/from"), ("Egress", "/spec/egress", "/to")] {
        if !isolates(before, direction) {
            continue;
        }
        let is_in = direction == "Ingress";
        if !isolates(after, direction) {
            let verb = if is_in { "let in" } else { "let out" };
            more.push(format!("everything is {verb}: it has nothing to say on {direction} any more"));
            continue;
        }
        let [old, new] = [before, after].map(|it| ways(it, list, peers));
        let opened = new.iter().filter(|way| !old.iter().any(|had| had.covers(way)));
        for Way { peer, port } in opened {
            let says = match (is_in, peer.as_str()) {
                (true, "everybody") => format!("everybody is let in at {port}"),
                (true, peer) => format!("{peer} are let in at {port}"),
                (false, "everybody") => format!("its pods reach everything at {port}"),
                (false, peer) => format!("its pods reach {peer} at {port}"),
            };
            // `0.0.0.0/0` and `::/0` are two peers, and both everybody.
            if !more.contains(&says) {
                more.push(says);
            }
        }
    }
    if text_of(before, "/spec/podSelector") != text_of(after, "/spec/podSelector") {
        more.push(
            "it holds for other pods, and those that it held for are open unless another one closes them".to_owned(),
        );
    }
    (!more.is_empty()).then(|| (more.join("; "), is_of_spec as fn(&Change) -> bool))
}

fn host(identity: &Identity, before: Option<&Value>, after: &Value) -> Option<Opened> {
    let ports = |object: &Value| Workload::of(identity, object).map(|it| host_ports(&it));
    let old = before.and_then(ports).unwrap_or_default();
    let more: Vec<_> = ports(after)?.difference(&old).cloned().collect();
    if more.is_empty() {
        return None;
    }
    let verb = if more.len() == 1 { "answers" } else { "answer" };
    let says = format!("{} {verb} on every address of the nodes that its pods run on", more.join(", "));
    Some((says, |change| ["hostPort", "containerPort", "hostNetwork", "ports"].contains(&change.path.key())))
}

fn is_of_spec(change: &Change) -> bool {
    change.path.begins(&["spec"])
}

fn text_of<'a>(object: &'a Value, pointer: &str) -> &'a Value {
    object.pointer(pointer).unwrap_or(&Value::Null)
}

/// Who may use a load balancer, when it is not everybody.
fn sources(service: &Value) -> Option<&[Value]> {
    Some(items(service, "/spec/loadBalancerSourceRanges")).filter(|list| !list.is_empty())
}

/// How a Service is reached from outside of its cluster.
fn doors(service: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let kind = text(service, "/spec/type");
    for port in items(service, "/spec/ports") {
        let number = integer(port, "/port").unwrap_or_default();
        let name = match text(port, "/name") {
            "" => format!("port {number}"),
            name => format!("port {number} ({name})"),
        };
        match (kind, integer(port, "/nodePort")) {
            ("NodePort", Some(at)) => all.insert(format!("{name} answers at port {at} of every node")),
            ("NodePort", None) => {
                all.insert(format!("{name} answers at every node, at a port that the API server picks"))
            }
            ("LoadBalancer", _) => all.insert(format!("{name} answers at an address of the load balancer")),
            _ => false,
        };
        for address in items(service, "/spec/externalIPs").iter().filter_map(Value::as_str) {
            all.insert(format!("{name} answers at {address}"));
        }
    }
    all
}

/// The URLs of an Ingress or HTTPRoute.
fn addresses(object: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let secure: Vec<&str> =
        items(object, "/spec/tls").iter().flat_map(|tls| items(tls, "/hosts")).filter_map(Value::as_str).collect();
    for rule in items(object, "/spec/rules") {
        let hosts = match text(rule, "/host") {
            "" => items(object, "/spec/hostnames").iter().filter_map(Value::as_str).collect(),
            host => vec![host],
        };
        let mut paths: Vec<&str> = items(rule, "/http/paths").iter().map(|path| text(path, "/path")).collect();
        paths.extend(items(rule, "/matches").iter().map(|it| text(it, "/path/value")));
        if paths.is_empty() {
            paths.push("");
        }
        for path in paths {
            for host in if hosts.is_empty() { vec!["every host"] } else { hosts.clone() } {
                let how = if secure.contains(&host) { "" } else { " (without TLS)" };
                let how = if text(object, "/kind") == "Ingress" { how } else { "" };
                all.insert(format!("{host}{path}{how}"));
            }
        }
    }
    if let Some(backend) = object.pointer("/spec/defaultBackend/service/name").and_then(Value::as_str) {
        all.insert(format!("every path that no rule names, with Service {backend}"));
    }
    all
}

/// The ports of nodes that a workload's pods take.
fn host_ports(workload: &Workload<'_>) -> BTreeSet<String> {
    let on_host = is_set(workload.pod, "/hostNetwork");
    let ports = workload.containers().flat_map(|container| items(container, "/ports"));
    let at = |port: &Value| {
        let own = integer(port, "/hostPort").filter(|port| *port != 0);
        own.or_else(|| integer(port, "/containerPort").filter(|_| on_host))
    };
    ports.filter_map(at).map(|port| format!("port {port}")).collect()
}

/// Whether a policy closes its pods in a direction.
fn isolates(policy: &Value, direction: &str) -> bool {
    let kinds: Vec<&str> = items(policy, "/spec/policyTypes").iter().filter_map(Value::as_str).collect();
    if kinds.is_empty() {
        // What the API server fills in.
        return direction == "Ingress" || !items(policy, "/spec/egress").is_empty();
    }
    kinds.contains(&direction)
}

/// One way that a policy opens.
#[derive(Debug)]
struct Way {
    peer: String,
    port: String,
}

impl Way {
    fn covers(&self, other: &Self) -> bool {
        (self.peer == "everybody" || self.peer == other.peer) && (self.port == "every port" || self.port == other.port)
    }
}

fn ways(policy: &Value, list: &str, peers: &str) -> Vec<Way> {
    let mut all = Vec::new();
    for rule in items(policy, list) {
        let or = |names: Vec<String>, any: &str| if names.is_empty() { vec![any.to_owned()] } else { names };
        let from = or(items(rule, peers).iter().map(peer).collect(), "everybody");
        let ports = or(items(rule, "/ports").iter().map(port).collect(), "every port");
        for peer in &from {
            all.extend(ports.iter().map(|port| Way { peer: peer.clone(), port: port.clone() }));
        }
    }
    all
}

fn peer(peer: &Value) -> String {
    if let Some(block) = peer.get("ipBlock") {
        let except: Vec<&str> = items(block, "/except").iter().filter_map(Value::as_str).collect();
        let but = if except.is_empty() { String::new() } else { format!(" but {}", except.join(", ")) };
        return match text(block, "/cidr") {
            "0.0.0.0/0" | "::/0" if except.is_empty() => "everybody".to_owned(),
            cidr => format!("addresses of {cidr}{but}"),
        };
    }
    let labels = |key: &str| {
        let selector = peer.get(key)?;
        let labels = selector.get("matchLabels").and_then(Value::as_object);
        let labels =
            labels.into_iter().flatten().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
        let expressions = items(selector, "/matchExpressions").iter().map(Value::to_string);
        let all: Vec<_> = labels.chain(expressions).collect();
        Some(if all.is_empty() { String::new() } else { format!(" with `{}`", all.join(",")) })
    };
    let pods = labels("podSelector").unwrap_or_default();
    match labels("namespaceSelector") {
        None => format!("pods{pods}"),
        Some(namespaces) if namespaces.is_empty() => format!("pods{pods} of every namespace"),
        Some(namespaces) => format!("pods{pods} of namespaces{namespaces}"),
    }
}

fn port(port: &Value) -> String {
    let protocol = match text(port, "/protocol") {
        "" | "TCP" => String::new(),
        other => format!("/{other}"),
    };
    match (port.get("port"), integer(port, "/endPort")) {
        (None, _) => format!("every port{protocol}"),
        (Some(Value::String(name)), _) => format!("port {name}{protocol}"),
        (Some(number), None) => format!("port {number}{protocol}"),
        (Some(number), Some(end)) => format!("ports {number} to {end}{protocol}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_policy_opens() {
        let policy = |spec: Value| json!({"kind": "NetworkPolicy", "spec": spec});
        let from = |rules: Value| policy(json!({"podSelector": {}, "ingress": rules}));
        let opened = |before: Value, after: Value| {
            let identity = Identity {
                namespace: "a".to_owned(),
                kind: "NetworkPolicy".to_owned(),
                group: "networking.k8s.io".to_owned(),
                name: "x".to_owned(),
            };
            let mut effects = Effects::default();
            of(&identity, Some(&before), &after, &[], &mut effects);
            effects.list.iter().map(|effect| effect.says.clone()).collect::<String>()
        };
        let one = json!([{"from": [{"podSelector": {"matchLabels": {"app": "x"}}}], "ports": [{"port": 80}]}]);
        let any_port = json!([{"from": [{"podSelector": {"matchLabels": {"app": "x"}}}]}]);
        let all = json!([{}]);
        assert_eq!(opened(from(one.clone()), from(one.clone())), "");
        assert_eq!(opened(from(one.clone()), from(any_port.clone())), "pods with `app=x` are let in at every port");
        assert_eq!(opened(from(any_port), from(one.clone())), "");
        assert_eq!(opened(from(one.clone()), from(all.clone())), "everybody is let in at every port");
        assert_eq!(opened(from(all), from(one.clone())), "");
        let closed = policy(json!({"podSelector": {}, "policyTypes": ["Egress"]}));
        let to = |rules: Value| policy(json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules}));
        let blocks = json!([{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}]);
        let internet = json!([{"to": blocks, "ports": [{"port": 443}]}]);
        let database = json!([{"to": [{"podSelector": {"matchLabels": {"app": "x"}}}], "ports": [{"port": 5432}]}]);
        assert_eq!(opened(closed.clone(), to(internet.clone())), "its pods reach everything at port 443");
        assert_eq!(opened(closed.clone(), to(database)), "its pods reach pods with `app=x` at port 5432");
        assert_eq!(opened(to(internet.clone()), closed.clone()), "");
        let open = policy(json!({"podSelector": {}, "policyTypes": []}));
        assert_eq!(opened(to(internet), open), "everything is let out: it has nothing to say on Egress any more");
        assert_eq!(opened(from(one), closed), "everything is let in: it has nothing to say on Ingress any more");
    }
}
