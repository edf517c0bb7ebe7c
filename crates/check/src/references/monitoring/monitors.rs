//! ServiceMonitors, PodMonitors and Probes: what they scrape.

use super::{JOB_LABEL, PORT, SELECTOR};
use crate::cluster::{Cluster, MONITORING, Namespaces, Pods, Service};
use crate::finding::Findings;
use crate::object::Object;
use crate::selector::Selector;
use crate::set::Set;
use std::collections::BTreeSet;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Entry, Node, Quoted};

pub(super) fn check(set: &Set<'_>, cluster: &Cluster<'_>, findings: &mut Findings) {
    for object in set.of_kind(MONITORING, "ServiceMonitor").filter(|object| !object.damaged) {
        service_monitor(object, cluster, findings);
    }
    for object in set.of_kind(MONITORING, "PodMonitor").filter(|object| !object.damaged) {
        pod_monitor(object, cluster, findings);
    }
    let readers: BTreeSet<&str> = ["Prometheus", "PrometheusAgent"]
        .iter()
        .flat_map(|kind| set.of_kind(MONITORING, kind))
        .map(|it| it.namespace)
        .collect();
    for object in set.of_kind(MONITORING, "Probe").filter(|object| !object.damaged) {
        let Some(url) = object.at(&["spec", "prober", "url"]) else { continue };
        // The prober is asked by Prometheus' pods, wherever the Probe is.
        let reader = readers.first().filter(|_| readers.len() == 1);
        let Some(wrong) = url.text().and_then(|text| cluster.address(text, reader.copied())) else { continue };
        findings.add(&SELECTOR, object, url, wrong.message).append(wrong.label, wrong.help);
    }
}

fn service_monitor(object: &Object<'_>, cluster: &Cluster<'_>, findings: &mut Findings) {
    let Some(entry) = object.at(&["spec"]).and_then(|spec| spec.entry("selector")) else { return };
    let namespaces = Namespaces::of_monitor(object);
    let services = cluster.services(&entry.value, &namespaces);
    let open = cluster.is_open(&namespaces);
    if services.is_empty() {
        if !open {
            nothing(object, entry, "Service", &namespaces, findings)
                .append(cluster.near_label(&entry.value, &namespaces), None);
        }
        return;
    }
    if let Some(label) = object.at(&["spec", "jobLabel"])
        && let Some(key) = label.text().filter(|key| !key.is_empty())
        && services.iter().all(|service| service.label(key).is_none())
        && let Some(service) = services.first()
    {
        let message = format!("Service `{}/{}` has no label {}", service.namespace, service.name, Quoted(key));
        findings
            .add(&JOB_LABEL, object, label, message)
            .label(format!("`job` will be the Service's name, `{}`", service.name));
    }
    for endpoint in object.at(&["spec", "endpoints"]).map(Node::items).unwrap_or_default() {
        if let Some(port) = endpoint.get("port")
            && let Some(name) = port.text().filter(|name| !name.is_empty())
        {
            let known = || services.iter().flat_map(|service| &service.ports).map(|port| port.name);
            if !open && !known().any(|known| known == name) {
                no_port(object, port, name, &services_shown(&services), &known().collect(), findings);
            }
        } else if let Some(port) = endpoint.get("targetPort") {
            let pods: Option<Vec<_>> = services.iter().map(|service| cluster.pods_of(service)).collect();
            let Some(pods) = pods.map(|lists| lists.concat()).filter(|pods| !pods.is_empty()) else { continue };
            container_port(object, port, &pods, findings);
        }
    }
}

fn pod_monitor(object: &Object<'_>, cluster: &Cluster<'_>, findings: &mut Findings) {
    let Some(entry) = object.at(&["spec"]).and_then(|spec| spec.entry("selector")) else { return };
    let namespaces = Namespaces::of_monitor(object);
    let pods = cluster.pods(&entry.value, &namespaces);
    if cluster.is_open(&namespaces) {
        return;
    }
    if pods.is_empty() {
        nothing(object, entry, "pod", &namespaces, findings);
        return;
    }
    for endpoint in object.at(&["spec", "podMetricsEndpoints"]).map(Node::items).unwrap_or_default() {
        if let Some(port) = ["port", "portNumber", "targetPort"].iter().find_map(|key| endpoint.get(key)) {
            container_port(object, port, &pods, findings);
        }
    }
}

/// Says that a selector selects nothing.
fn nothing<'f>(
    object: &Object<'_>,
    entry: &Entry,
    kind: &str,
    namespaces: &Namespaces<'_>,
    findings: &'f mut Findings,
) -> &'f mut crate::Finding {
    let message =
        format!("no {kind} in {} matches {}", namespaces.shown(), Quoted(&Selector::of(&entry.value).to_string()));
    findings.add(&SELECTOR, object, entry, message).help(format!(
        "correct the selector or the {kind}'s labels; a {kind} of another namespace needs `namespaceSelector`"
    ))
}

/// Says that a port is on none of them.
fn no_port(object: &Object<'_>, port: &Node, name: &str, owner: &str, known: &BTreeSet<&str>, findings: &mut Findings) {
    let message = format!("there is no port {} on {owner}", Quoted(name));
    let finding = findings.add(&PORT, object, port, message);
    let known = || known.iter().copied().filter(|known| !known.is_empty());
    if let Some(near) = nearest(name, known().collect::<Vec<_>>()) {
        finding.label(format!("did you mean `{near}`?"));
    } else if known().next().is_some() {
        finding.label(format!("expected {}", list(&known().collect::<Vec<_>>(), "or")));
    }
}

/// A port of containers, by name or by number.
fn container_port(object: &Object<'_>, port: &Node, pods: &[&Pods<'_>], findings: &mut Findings) {
    let ports = || pods.iter().flat_map(|pods| &pods.ports);
    if let Some(number) = port.integer() {
        // A number is compared with the ports that containers declare, too: discovery knows no others.
        if number != 0 && !ports().any(|port| port.number == number) {
            no_port(
                object,
                port,
                &number.to_string(),
                "the containers of the selected pods",
                &BTreeSet::new(),
                findings,
            );
        }
    } else if let Some(name) = port.text().filter(|name| !name.is_empty())
        && !ports().any(|port| port.name == name)
    {
        let known = ports().map(|port| port.name).collect();
        no_port(object, port, name, "the containers of the selected pods", &known, findings);
    }
}

fn services_shown(services: &[&Service<'_>]) -> String {
    let names: BTreeSet<String> =
        services.iter().map(|service| format!("{}/{}", service.namespace, service.name)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.as_slice() {
        [name] => format!("Service `{name}`"),
        names if names.len() <= 3 => format!("the Services {}", list(names, "and")),
        names => format!("any of the {} selected Services", names.len()),
    }
}
