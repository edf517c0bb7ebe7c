//! Ports of nodes and addresses of load balancers, which are there once.

use super::index::{Index, protocol};
use super::{items, text};
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use std::collections::HashMap;
use vigil_yaml::Node;

rules! {
    NODE_PORT "node-port-twice" Error "no two Services have the same node port"
    HOST_PORT "host-port-twice" Warning "no two DaemonSets want the same port of a node"
    ADDRESS "load-balancer-ip-twice" Note "no two Services ask for the same address"
}

/// Judges ports and addresses.
pub(crate) fn check(index: &Index<'_>, findings: &mut Findings) {
    services(index, findings);
    daemon_sets(index, findings);
}

fn services(index: &Index<'_>, findings: &mut Findings) {
    let mut ports: HashMap<i64, &Object<'_>> = HashMap::new();
    let mut addresses: HashMap<&str, &Object<'_>> = HashMap::new();
    for service in index.set.of_kind("", "Service") {
        if !matches!(text(service.node, &["spec", "type"]), Some("NodePort" | "LoadBalancer")) {
            continue;
        }
        let declared = items(service.node, &["spec", "ports"]).iter().filter_map(|port| port.get("nodePort"));
        for at in declared.chain(service.at(&["spec", "healthCheckNodePort"])) {
            let Some(number) = at.integer().filter(|number| *number != 0) else { continue };
            // One Service may have it twice, for TCP and for UDP; two may not.
            let first = *ports.entry(number).or_insert(service);
            if !std::ptr::eq(first, service) && !is_same(first, service) {
                findings
                    .add(&NODE_PORT, service, at, format!("the node port {number} is taken"))
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

/// A port that a pod takes of its node: address, number and protocol.
type Taken<'a> = (&'a str, i64, &'a str);

fn daemon_sets(index: &Index<'_>, findings: &mut Findings) {
    let mut taken: HashMap<Taken<'_>, Vec<&Object<'_>>> = HashMap::new();
    for pod in &index.pods {
        let (Some(object), Some(spec)) = (pod.object.filter(|object| object.is("apps", "DaemonSet")), pod.spec) else {
            continue;
        };
        for (at, number) in host_ports(spec, pod.on_host()) {
            let address = text(at, &["hostIP"]).unwrap_or("0.0.0.0");
            let others = taken.entry((address, number, protocol(at))).or_default();
            let clash = others.iter().find(|other| !std::ptr::eq(**other, object) && share_nodes(other, object));
            if let Some(other) = clash {
                findings
                    .add(&HOST_PORT, object, at, format!("port {number} of the node is taken"))
                    .label(format!("by {other}, at {}", place(other)))
                    .help("choose another one; on a node that runs both, one of the pods stays pending");
            }
            // Where all are alike, the first stands for them.
            if !others.iter().any(|other| std::ptr::eq(*other, object) || share_nodes(other, object)) {
                others.push(object);
            }
        }
    }
}

/// The ports of the node that a pod takes, and where it says so.
fn host_ports(spec: &Node, on_host: bool) -> impl Iterator<Item = (&Node, i64)> {
    let ports = items(spec, &["containers"]).iter().flat_map(|container| items(container, &["ports"]));
    ports.filter_map(move |port| {
        let field = if on_host { "containerPort" } else { "hostPort" };
        Some((port, port.get(field)?.integer().filter(|number| *number > 0)?))
    })
}

/// Whether pods of both run on the same nodes, as far as can be told: on nodes that are chosen alike.
fn share_nodes(a: &Object<'_>, b: &Object<'_>) -> bool {
    let chosen = |object: &Object<'_>| {
        ["nodeSelector", "affinity"].map(|key| {
            let node = object.at(&["spec", "template", "spec", key]).filter(|node| !node.entries().is_empty());
            node.map(Node::to_json)
        })
    };
    chosen(a) == chosen(b)
}
