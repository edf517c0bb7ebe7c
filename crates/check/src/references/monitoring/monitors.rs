//! ServiceMonitors, PodMonitors and Probes: what they scrape.

use crate::fields::filled;
use crate::finding::{Finding, Findings};
use crate::object::{MONITORING, Object};
use crate::references::absent::{beyond, rule_of};
use crate::rule::rules;
use crate::selector::Selector;
use crate::world::World;
use crate::world::namespaces::Scope;
use crate::world::scrapes::Scrape;
use crate::world::services::Service;
use std::collections::BTreeSet;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    SELECTOR "monitor-selector" Error Nobody "every ServiceMonitor and PodMonitor selects something"
    PORT "monitor-port" Error Nobody "every port of a ServiceMonitor or PodMonitor exists on what it selects"
    JOB_LABEL "monitor-job-label" Note Nobody "the `jobLabel` of a ServiceMonitor is on its Services"
}

pub(super) fn check(world: &World<'_>, findings: &mut Findings) {
    for scrape in world.judged(MONITORING, "ServiceMonitor").filter_map(|monitor| world.scrape(monitor)) {
        service_monitor(world, &scrape, findings);
    }
    for scrape in world.judged(MONITORING, "PodMonitor").filter_map(|monitor| world.scrape(monitor)) {
        pod_monitor(world, &scrape, findings);
    }
    for object in world.judged(MONITORING, "Probe") {
        let Some(url) = object.at(&["spec", "prober", "url"]) else { continue };
        let wrong = url.text().and_then(|text| world.address(text, world.asking_namespace()));
        let Some(wrong) = wrong else { continue };
        let rule = rule_of(&wrong, &SELECTOR);
        findings.add(rule, object, url, wrong.message).append(wrong.label, wrong.help);
    }
}

fn service_monitor(world: &World<'_>, scrape: &Scrape<'_, '_>, findings: &mut Findings) {
    let Scrape { monitor, services, .. } = scrape;
    let is_open = scrape.is_open(world);
    let Some(first) = services.first() else {
        if !is_open {
            let near = world.near_label(&scrape.selector.value, &scrape.scope);
            let is_elsewhere = || !world.select_services(&Scope::All, Selector::of(&scrape.selector.value)).is_empty();
            if near.is_none() && is_beyond(world, scrape, "Service", is_elsewhere, findings) {
                return;
            }
            nothing(scrape, "Service", findings).append(near, None);
        }
        return;
    };
    if let Some((label, key)) = filled(monitor.node, ["spec", "jobLabel"])
        && services.iter().all(|service| service.label(key).is_none())
    {
        let message = format!("Service `{}/{}` has no label {}", first.namespace, first.name, Quoted(key));
        findings
            .add(&JOB_LABEL, monitor, label, message)
            .label(format!("`job` will be the Service's name, `{}`", first.name));
    }
    for endpoint in scrape.endpoints() {
        if let Some((port, name)) = filled(endpoint, "port") {
            let known = || services.iter().flat_map(|service| &service.ports).map(|port| port.name);
            if !is_open && !known().any(|known| known == name) {
                no_port(monitor, port, name, &services_shown(services), &known().collect(), findings);
            }
        } else if let Some(port) = endpoint.get("targetPort") {
            // Without a selector nothing says which pods these are.
            let is_known = services.iter().all(|service| !service.selector.is_empty());
            let pods = if is_known { scrape.all_pods(world) } else { Vec::new() };
            container_port(world, monitor, port, &pods, findings);
        }
    }
}

fn pod_monitor(world: &World<'_>, scrape: &Scrape<'_, '_>, findings: &mut Findings) {
    if scrape.is_open(world) {
        return;
    }
    if scrape.pods.is_empty() {
        let is_elsewhere = || !world.select_in(&Scope::All, Selector::of(&scrape.selector.value)).is_empty();
        if !is_beyond(world, scrape, "pod", is_elsewhere, findings) {
            nothing(scrape, "pod", findings);
        }
        return;
    }
    for endpoint in scrape.endpoints() {
        if let Some(port) = ["port", "portNumber", "targetPort"].iter().find_map(|key| endpoint.get(key)) {
            container_port(world, scrape.monitor, port, &scrape.pods, findings);
        }
    }
}

/// Whether a selector may well select something of a namespace that the set holds nothing of, which is noted.
fn is_beyond(
    world: &World<'_>,
    scrape: &Scrape<'_, '_>,
    kind: &str,
    is_elsewhere: impl FnOnce() -> bool,
    findings: &mut Findings,
) -> bool {
    let Scope::These(names) = &scrape.scope else { return false };
    let Some(name) = names.iter().find(|name| world.namespaces.is_beyond(name)) else { return false };
    let selector = Selector::of(&scrape.selector.value);
    let is_near = |key: &str, value: &str| nearest(value, world.values_of(name, key)).is_some();
    // A Service that every cluster has, and that one of several labels is of.
    let is_meant = || {
        let there = world.services.iter().filter(|service| service.namespace == *name);
        let has_one =
            |service: &Service<'_>| selector.labels().iter().any(|(key, value)| service.label(key) == Some(value));
        kind == "Service" && there.into_iter().any(has_one)
    };
    let found = !selector.labels().iter().any(|(key, value)| is_near(key, value)) && !is_meant() && !is_elsewhere();
    if found {
        let names = scrape.monitor.at(&["spec", "namespaceSelector", "matchNames"]);
        let item = names.and_then(|names| names.items().iter().find(|item| item.text() == Some(name)));
        let what = format!("a {kind} with {}", Quoted(&selector.to_string()));
        beyond(findings, scrape.monitor, item.unwrap_or(&scrape.selector.value), name, &what);
    }
    found
}

/// Says that a selector selects nothing.
fn nothing<'f>(scrape: &Scrape<'_, '_>, kind: &str, findings: &'f mut Findings) -> &'f mut Finding {
    let Scrape { monitor, scope, selector, .. } = scrape;
    let message =
        format!("no {kind} in {} matches {}", scope.shown(), Quoted(&Selector::of(&selector.value).to_string()));
    findings.add(&SELECTOR, monitor, *selector, message).help(format!(
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
fn container_port(world: &World<'_>, object: &Object<'_>, port: &Node, pods: &[usize], findings: &mut Findings) {
    if pods.is_empty() || pods.iter().any(|pod| !world.pods[*pod].ports_known) {
        return;
    }
    let ports = || pods.iter().flat_map(|pod| &world.pods[*pod].ports);
    let owner = "the containers of the selected pods";
    if let Some(number) = port.integer() {
        // A number is compared with the ports that containers declare, too: discovery knows no others.
        if number != 0 && !ports().any(|port| port.number == number) {
            no_port(object, port, &number.to_string(), owner, &BTreeSet::new(), findings);
        }
    } else if let Some(name) = port.text().filter(|name| !name.is_empty())
        && !ports().any(|port| port.name == name)
    {
        no_port(object, port, name, owner, &ports().map(|port| port.name).collect(), findings);
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
