//! Services: the pods behind them, and who counts on them.

use super::absent::{Wanted, missing, nothing_selected};
use super::replicas;
use crate::fields::{items, text};
use crate::finding::Findings;
use crate::object::{Labels, Object};
use crate::rule::rules;
use crate::selector::Selector;
use crate::world::pods::{Port, protocol};
use crate::world::services::{ServicePort, Target};
use crate::world::{Found, World};
use std::collections::HashMap;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    SELECTOR "service-selector" Error Nobody "every Service selects pods"
    TARGET_PORT "service-target-port" Error Nobody "every named `targetPort` exists on the selected pods"
    UNDECLARED "service-port-undeclared" Note Nobody "every number in `targetPort` is a `containerPort`, where pods declare any"
    GOVERNING "statefulset-service" Warning Nobody "the Service that a StatefulSet names exists"
}

/// Judges Services and what refers to them.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    for service in world.judged("", "Service") {
        selected(world, service, findings);
    }
    governing(world, findings);
}

/// A Service's pods and their ports.
fn selected(world: &World<'_>, service: &Object<'_>, findings: &mut Findings) {
    let Some(node) = service.at(&["spec", "selector"]).filter(|node| !node.entries().is_empty()) else { return };
    if text(service.node, ["spec", "type"]) == Some("ExternalName") {
        return;
    }
    let selector = Selector::plain(Labels::of(Some(node)));
    let pods = world.select(service.namespace, selector);
    if pods.is_empty() {
        if !world.is_foreign(service.namespace, selector) {
            nothing_selected(world, &SELECTOR, service, service.namespace, node, selector, findings);
        }
        return;
    }
    if pods.iter().any(|pod| !world.pods[*pod].ports_known) {
        return;
    }
    let ports = || pods.iter().flat_map(|pod| world.pods[*pod].served());
    for port in items(service.node, ["spec", "ports"]) {
        let protocol = protocol(port);
        match ServicePort::of(port).map(|port| port.target()) {
            Some(Target::Name(name))
                if name.bytes().any(|byte| byte.is_ascii_alphabetic())
                    && !ports().any(|port| port.name == name && port.protocol == protocol) =>
            {
                let at = port.get("targetPort").unwrap_or(port);
                no_target(service, at, name, protocol, ports(), findings);
            }
            Some(Target::Number(number)) => {
                let is_declared = ports().any(|port| port.number == number && port.protocol == protocol);
                if !is_declared && ports().next().is_some() {
                    let at = port.get("targetPort").or_else(|| port.get("port")).unwrap_or(port);
                    findings
                        .add(&UNDECLARED, service, at, format!("no container declares the port {number}/{protocol}"))
                        .label(format!("those declared are {}", numbers(ports())))
                        .help("correct it if it is wrong; otherwise declare it, so that a reader finds it");
                }
            }
            _ => {}
        }
    }
}

/// StatefulSets whose Service is not there, where their pods look for each other: several replicas, or a headless Service
/// of another name that selects them. Many of one replica name one that is not there, which is nobody's trouble.
fn governing(world: &World<'_>, findings: &mut Findings) {
    let mut headless: HashMap<*const (), &str> = HashMap::new();
    for service in world.judged("", "Service") {
        let is_headless = text(service.node, ["spec", "clusterIP"]) == Some("None");
        let Some(node) = service.at(&["spec", "selector"]).filter(|node| is_headless && !node.entries().is_empty())
        else {
            continue;
        };
        for pod in world.select(service.namespace, Selector::plain(Labels::of(Some(node)))) {
            if let Some(object) = world.pods[pod].object {
                headless.insert(std::ptr::from_ref(object).cast(), service.name);
            }
        }
    }
    for set in world.judged("apps", "StatefulSet") {
        let Some(at) = set.at(&["spec", "serviceName"]) else { continue };
        let Some(name) = at.text().filter(|name| !name.is_empty()) else { continue };
        let other = headless.get(&std::ptr::from_ref(set).cast());
        if other.is_none() && replicas::most(world, set).is_none_or(|most| most < 2) {
            continue;
        }
        if matches!(world.find("", "Service", set.namespace, name), Found::Nowhere) {
            let wanted = Wanted { group: "", kind: "Service", namespace: set.namespace, name };
            let finding = missing(world, findings, &GOVERNING, set, at, wanted);
            if let Some(other) = other {
                finding.label(format!("its pods are those of {}", Quoted(other)));
            }
        }
    }
}

fn no_target<'a>(
    service: &Object<'_>,
    at: &Node,
    name: &str,
    protocol: &str,
    ports: impl Iterator<Item = &'a Port<'a>>,
    findings: &mut Findings,
) {
    let mut names: Vec<&str> =
        ports.filter(|port| port.protocol == protocol && !port.name.is_empty()).map(|port| port.name).collect();
    names.sort_unstable();
    names.dedup();
    let message = format!("the pods have no port called {} ({protocol})", Quoted(name));
    let finding = findings.add(&TARGET_PORT, service, at, message);
    if let Some(near) = nearest(name, names.iter().copied()) {
        finding.label(format!("did you mean {}?", Quoted(near)));
    } else if !names.is_empty() && names.len() <= 8 {
        finding.label(format!("theirs are {}", list(&names, "and")));
    }
    finding.help("give a container's port this name, or use one that is there; without it the Service leads nowhere");
}

fn numbers<'a>(ports: impl Iterator<Item = &'a Port<'a>>) -> String {
    let mut numbers: Vec<_> = ports.map(|port| (port.number, port.protocol)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let texts: Vec<_> = numbers.iter().take(8).map(|(number, protocol)| format!("{number}/{protocol}")).collect();
    texts.join(", ") + if numbers.len() > 8 { ", …" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, deployment};

    fn service(selector: &str, port: &str) -> String {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: web}}, spec: {{selector: {selector}, ports: [{port}]}}}}\n"
        )
    }

    #[test]
    fn services_and_their_pods() {
        let pods = "initContainers: [{name: s, restartPolicy: Always, ports: [{name: side, containerPort: 9}]}, \
                    {name: i, ports: [{name: init, containerPort: 8}]}], containers: [{name: c, ports: [{name: http, \
                    containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}]}]";
        for (selector, port, expected) in [
            ("{app: web}", "{port: 1, targetPort: http}", ""),
            ("{app: web}", "{port: 80}", ""),
            ("{app: web}", "{port: 81}", "service-port-undeclared"),
            ("{app: web}", "{port: 53}", "service-port-undeclared"),
            ("{app: web}", "{port: 53, protocol: UDP}", ""),
            ("{app: web}", "{port: 1, targetPort: dns}", "service-target-port"),
            ("{app: web}", "{port: 1, targetPort: dns, protocol: UDP}", ""),
            ("{app: web}", "{port: 1, targetPort: side}", ""),
            ("{app: web}", "{port: 1, targetPort: init}", "service-target-port"),
            ("{app: web, tier: a}", "{port: 80}", "service-selector"),
            ("{app: api}", "{port: 80}", "service-selector"),
            ("{app: web, pod-template-hash: abc}", "{port: 80}", ""),
            ("{}", "{port: 80}", ""),
            ("null", "{port: 80}", ""),
        ] {
            let text = deployment("web", pods) + &service(selector, port);
            assert_eq!(broken(&text).join(" "), expected, "{selector} {port}");
        }
    }

    #[test]
    fn pods_that_no_workload_of_kubernetes_makes() {
        for (text, expected) in [
            (
                "{apiVersion: monitoring.coreos.com/v1, kind: Prometheus, metadata: {name: p}, spec: {portName: web-ui}}\n"
                    .to_owned()
                    + &service("{prometheus: p, operator.prometheus.io/shard: '0'}", "{port: 1, targetPort: web-ui}"),
                "",
            ),
            (
                "{apiVersion: monitoring.coreos.com/v1, kind: Prometheus, metadata: {name: p}, spec: {listenLocal: true}}\n"
                    .to_owned()
                    + &service("{prometheus: p}", "{port: 1, targetPort: web}"),
                "service-target-port",
            ),
            (
                "{apiVersion: monitoring.coreos.com/v1, kind: Alertmanager, metadata: {name: a}, spec: {podMetadata: \
                 {labels: {x: z, alertmanager: other}}}}\n"
                    .to_owned()
                    + &service("{alertmanager: a, x: z}", "{port: 1, targetPort: mesh-udp, protocol: UDP}"),
                "",
            ),
            (
                "{apiVersion: monitoring.coreos.com/v1, kind: ThanosRuler, metadata: {name: t}, spec: {}}\n".to_owned()
                    + &service("{thanos-ruler: t, app.kubernetes.io/name: thanos-ruler}", "{port: 10901, targetPort: grpc}"),
                "",
            ),
            // An operator that is not known makes pods of an object with this name.
            (
                "{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: events}, spec: {}}\n".to_owned()
                    + &service("{strimzi.io/cluster: events}", "{port: 9092}"),
                "",
            ),
            (
                "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: r}, spec: {template: {metadata: {labels: \
                 {app: r}}, spec: {containers: [{name: c}]}}}}\n"
                    .to_owned()
                    + &service("{app: r}", "{port: 80}"),
                "",
            ),
            (
                "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {template: {metadata: {labels: {app: \
                 db}}, spec: {containers: [{name: c}]}}}}\n"
                    .to_owned()
                    + &service("{statefulset.kubernetes.io/pod-name: db-0}", "{port: 80}"),
                "",
            ),
            (
                "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {template: {metadata: {labels: {app: \
                 db}}, spec: {containers: [{name: c}]}}}}\n"
                    .to_owned()
                    + &service("{statefulset.kubernetes.io/pod-name: bd-0}", "{port: 80}"),
                "service-selector",
            ),
            (service("{k8s-app: kube-dns}", "{port: 53}").replace("{name: web}", "{name: x, namespace: kube-system}"), ""),
            (
                service("{k8s-app: kube-dnss}", "{port: 53}").replace("{name: web}", "{name: x, namespace: kube-system}"),
                "service-selector",
            ),
        ] {
            assert_eq!(broken(&text).join(" "), expected, "{text}");
        }
    }
}
