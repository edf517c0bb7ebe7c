//! Ports of nodes and addresses of load balancers, which are there once.

use crate::fields::{entries, items, text};
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use crate::world::World;
use crate::world::pods::protocol;
use std::collections::HashMap;
use vigil_yaml::{Entry, Node};

rules! {
    NODE_PORT "node-port-twice" Error Server "no two Services have the same `nodePort`"
    HOST_PORT "host-port-twice" Warning Cluster "no two DaemonSets use the same host port"
    ADDRESS "load-balancer-ip-twice" Note Cluster "no two Services ask for the same load balancer address"
}

/// Judges ports and addresses.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    services(world, findings);
    daemon_sets(world, findings);
}

fn services(world: &World<'_>, findings: &mut Findings) {
    let mut ports: HashMap<i64, &Object<'_>> = HashMap::new();
    let mut addresses: HashMap<&str, &Object<'_>> = HashMap::new();
    for service in world.judged("", "Service") {
        if !matches!(text(service.node, ["spec", "type"]), Some("NodePort" | "LoadBalancer")) {
            continue;
        }
        let declared = items(service.node, ["spec", "ports"]).iter().filter_map(|port| port.get("nodePort"));
        for at in declared.chain(service.at(&["spec", "healthCheckNodePort"])) {
            let Some(number) = at.integer().filter(|number| *number != 0) else { continue };
            // One Service may have it twice, for TCP and for UDP; two may not.
            let first = *ports.entry(number).or_insert(service);
            if !std::ptr::eq(first, service) && !is_same(first, service) {
                findings
                    .add(&NODE_PORT, service, at, format!("`nodePort` {number} is used twice"))
                    .label(format!("by {first}, at {}", place(first)))
                    .help("choose another one, or leave it out and let the cluster choose");
            }
        }
        if let Some((at, address)) = service.at(&["spec", "loadBalancerIP"]).and_then(|at| Some((at, at.text()?))) {
            let first = *addresses.entry(address).or_insert(service);
            if !std::ptr::eq(first, service) {
                findings
                    .add(&ADDRESS, service, at, "another Service asks for the same address")
                    .label(format!("{first}, at {}", place(first)))
                    .help("works if the load balancer lets Services share an address and their ports differ");
            }
        }
    }
}

/// Whether two are the same object, which is told elsewhere.
fn is_same(a: &Object<'_>, b: &Object<'_>) -> bool {
    (a.namespace, a.name) == (b.namespace, b.name)
}

fn place(object: &Object<'_>) -> String {
    format!("{}:{}", object.node.span.source.name, object.node.span.line_column().0)
}

/// A port that a pod takes of its node, and of which nodes: address, number, protocol, choice of nodes.
type Taken<'a> = (&'a str, i64, &'a str, String);

fn daemon_sets(world: &World<'_>, findings: &mut Findings) {
    let mut taken: HashMap<Taken<'_>, &Object<'_>> = HashMap::new();
    for pod in &world.pods {
        let (Some(object), Some(spec)) = (pod.object.filter(|object| object.is("apps", "DaemonSet")), pod.spec) else {
            continue;
        };
        for (at, number) in host_ports(spec, pod.on_host()) {
            let address = text(at, ["hostIP"]).unwrap_or("0.0.0.0");
            let first = *taken.entry((address, number, protocol(at), nodes(spec))).or_insert(object);
            if !std::ptr::eq(first, object) && !is_same(first, object) {
                findings
                    .add(&HOST_PORT, object, at, format!("`hostPort` {number} is used twice"))
                    .label(format!("by {first}, at {}", place(first)))
                    .help("choose another one; on a node that runs both, one of the pods stays pending");
            }
        }
    }
}

/// The ports of the node that a pod takes, and where it says so.
fn host_ports(spec: &Node, on_host: bool) -> impl Iterator<Item = (&Node, i64)> {
    let ports = items(spec, ["containers"]).iter().flat_map(|container| items(container, ["ports"]));
    ports.filter_map(move |port| {
        let field = if on_host { "containerPort" } else { "hostPort" };
        Some((port, port.get(field)?.integer().filter(|number| *number > 0)?))
    })
}

/// How a pod chooses its nodes. Two that choose alike meet; two that choose otherwise may not.
fn nodes(spec: &Node) -> String {
    let is_choice =
        |entry: &&Entry| (entry.key.text.as_str(), entry.value.text()) != ("kubernetes.io/os", Some("linux"));
    let selector = entries(spec, "nodeSelector").iter().filter(is_choice);
    let mut labels: Vec<_> = selector.map(|entry| (entry.key.text.as_str(), entry.value.text())).collect();
    labels.sort_unstable();
    let affinity = spec.at(&["affinity", "nodeAffinity"]).map(Node::to_json);
    format!("{labels:?} {affinity:?}")
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;

    #[test]
    fn ports_of_nodes() {
        let service = |name: &str, kind: &str, rest: &str| {
            format!("{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{type: {kind}, {rest}}}}}\n")
        };
        let port = |number: u16, protocol: &str| format!("{{port: 1, nodePort: {number}, protocol: {protocol}}}");
        for (text, expected) in [
            (service("a", "NodePort", &format!("ports: [{}, {}]", port(30001, "TCP"), port(30001, "UDP"))), ""),
            (
                service("a", "NodePort", &format!("ports: [{}]", port(30001, "TCP")))
                    + &service("b", "LoadBalancer", &format!("ports: [{}]", port(30001, "UDP"))),
                "node-port-twice",
            ),
            (
                service("a", "NodePort", &format!("ports: [{}]", port(30001, "TCP")))
                    + &service("b", "ClusterIP", &format!("ports: [{}]", port(30001, "TCP"))),
                "",
            ),
            (
                service("a", "NodePort", &format!("ports: [{}]", port(30001, "TCP")))
                    + &service("b", "LoadBalancer", "healthCheckNodePort: 30001, ports: [{port: 2}]"),
                "node-port-twice",
            ),
            (
                service("a", "NodePort", &format!("ports: [{}]", port(0, "TCP")))
                    + &service("b", "NodePort", &format!("ports: [{}]", port(0, "TCP"))),
                "",
            ),
        ] {
            assert_eq!(broken(&text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn ports_of_daemon_sets() {
        let daemon = |name: &str, spec: &str| {
            format!(
                "{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: {name}}}, spec: {{template: {{spec: {{{spec}}}}}}}}}\n"
            )
        };
        let port = "containers: [{ports: [{containerPort: 9100, hostPort: 9100}]}]";
        let on_host = "hostNetwork: true, containers: [{ports: [{containerPort: 9100}]}]";
        for (a, b, expected) in [
            (port.to_owned(), port.to_owned(), "host-port-twice"),
            (port.to_owned(), on_host.to_owned(), "host-port-twice"),
            (port.to_owned(), on_host.replace("hostNetwork: true, ", ""), ""),
            (port.to_owned(), port.replace("9100}]", "9100, protocol: UDP}]"), ""),
            (port.to_owned(), port.replace("9100}]", "9100, hostIP: 127.0.0.1}]"), ""),
            (port.to_owned(), format!("nodeSelector: {{disk: ssd}}, {port}"), ""),
            (port.to_owned(), format!("nodeSelector: {{kubernetes.io/os: linux}}, {port}"), "host-port-twice"),
            (format!("nodeSelector: {{kubernetes.io/os: windows}}, {port}"), port.to_owned(), ""),
        ] {
            assert_eq!(broken(&(daemon("a", &a) + &daemon("b", &b))).join(" "), expected, "{a} {b}");
        }
    }
}
