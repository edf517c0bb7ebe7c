//! Probes, and what is done after the start and before the end of a container.

use super::super::judge::Judge;
use super::pod::{Pod, Role};
use crate::fields::{filled, given, items};
use crate::rule::rules;
use vigil_forms::name;
use vigil_yaml::words::list;
use vigil_yaml::{Node, Quoted};

rules! {
    PROBE "container-probe" Error Server "every probe and lifecycle hook has exactly one valid action"
    PORT "container-probe-port" Error Cluster "probes and lifecycle hooks name a port of their own container"
    UNDECLARED "container-probe-undeclared" Note Nobody "every number that a probe asks is a `containerPort`, where the pod declares any"
}

/// What a probe can do.
const PROBES: &[&str] = &["exec", "grpc", "httpGet", "tcpSocket"];
/// What a hook can do.
const HOOKS: &[&str] = &["exec", "httpGet", "sleep", "tcpSocket"];

pub(super) fn check(judge: &mut Judge<'_, '_>, pod: &Pod<'_>, role: Role, container: &Node) {
    if matches!(role, Role::Init | Role::Ephemeral) {
        return;
    }
    for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = given(container, kind) else { continue };
        handler(judge, container, probe, PROBES);
        undeclared(judge, pod, probe);
        let numbers =
            ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
        judge.not_negative(&PROBE, probe, &numbers);
        if kind == "readinessProbe" {
            if let Some(entry) = probe.entry("terminationGracePeriodSeconds").filter(|entry| !entry.value.is_null()) {
                judge
                    .add(&PROBE, entry, "a readiness probe ends no container")
                    .help("remove it; it is for liveness and startup probes");
            }
            continue;
        }
        judge.range(&PROBE, probe.get("terminationGracePeriodSeconds"), 1..=i64::MAX);
        if let Some(node) = probe.get("successThreshold").filter(|node| node.integer().is_some_and(|number| number > 1))
        {
            judge
                .add(&PROBE, node, format!("a `{kind}` that must succeed more than once"))
                .label("expected 1, or nothing");
        }
    }
    let Some(lifecycle) = given(container, "lifecycle") else { return };
    for hook in ["postStart", "preStop"].into_iter().filter_map(|key| given(lifecycle, key)) {
        handler(judge, container, hook, HOOKS);
        let grace = given(pod.spec(), "terminationGracePeriodSeconds").map_or(Some(30), Node::integer);
        if let (Some(sleep), Some(grace @ 0..)) = (given(hook, "sleep"), grace) {
            judge.range(&PROBE, sleep.get("seconds"), 0..=grace);
        }
    }
}

/// What is done: exactly one thing.
fn handler(judge: &mut Judge<'_, '_>, container: &Node, handler: &Node, known: &[&str]) {
    let found: Vec<&str> = known.iter().copied().filter(|key| given(handler, key).is_some()).collect();
    match found.as_slice() {
        [] => {
            // Something unknown stands there: the schema speaks of it.
            let others = ["Seconds", "Threshold"];
            if handler
                .entries()
                .iter()
                .all(|entry| entry.value.is_null() || others.iter().any(|end| entry.key.text.ends_with(end)))
            {
                judge
                    .add(&PROBE, handler, "an empty handler: no action")
                    .label(format!("expected {}", list(known, "or")));
            }
        }
        [_] => {}
        found => {
            judge.add(&PROBE, handler, format!("{} at once", list(found, "and"))).label("expected one of them");
        }
    }
    if let Some(exec) = given(handler, "exec").filter(|exec| items(exec, "command").is_empty()) {
        judge.add(&PROBE, exec, "a command that is none").label("expected `command:` with at least one word");
    }
    if let Some(get) = given(handler, "httpGet") {
        port(judge, container, get);
        judge.one_of(&PROBE, get.get("scheme"), &["HTTP", "HTTPS"]);
        for header in items(get, "httpHeaders") {
            let Some((node, name)) = header.get("name").and_then(|node| Some((node, node.text()?))) else { continue };
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                judge
                    .add(&PROBE, node, format!("{} is no name of a header", Quoted(name)))
                    .label("expected letters, digits and `-`");
            }
        }
    }
    if let Some(socket) = given(handler, "tcpSocket") {
        port(judge, container, socket);
    }
    if let Some(grpc) = given(handler, "grpc") {
        judge.range(&PROBE, grpc.get("port"), 1..=65535);
    }
}

/// The port that is asked: a number, or the name of a port of the container.
fn port(judge: &mut Judge<'_, '_>, container: &Node, handler: &Node) {
    judge.range(&PROBE, handler.get("port"), 1..=65535);
    let Some(node) = handler.get("port") else { return };
    let Some(name) = node.text() else { return };
    if !name::is_port_name(name) {
        let finding = judge.add(&PROBE, node, format!("{} is no port", Quoted(name)));
        finding.label("expected a number from 1 to 65535, or the name of a port");
        if name.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() {
            finding.help("remove the quotes");
        }
        return;
    }
    let ports = || items(container, "ports").iter().filter_map(|port| Some(filled(port, "name")?.1));
    // Another host is asked by number; the name would still be looked up here.
    if !ports().any(|known| known == name) {
        let names: Vec<&str> = ports().collect();
        let finding = judge.add(&PORT, node, format!("no port of the container is called {}", Quoted(name)));
        if names.is_empty() {
            finding.help("name a port of the container, or write the number");
        } else {
            finding.label(format!("expected {}, or a number", list(&names, "or")));
        }
    }
}

/// A number that no container of the pod declares, where one declares any: all of them share their ports.
fn undeclared(judge: &mut Judge<'_, '_>, pod: &Pod<'_>, probe: &Node) {
    let declared: Vec<i64> = ["initContainers", "containers"]
        .into_iter()
        .flat_map(|key| items(pod.spec(), key))
        .flat_map(|container| items(container, "ports"))
        .filter_map(|port| port.get("containerPort")?.integer())
        .collect();
    if declared.is_empty() {
        return;
    }
    for action in ["grpc", "httpGet", "tcpSocket"].into_iter().filter_map(|key| given(probe, key)) {
        let is_elsewhere = filled(action, "host").is_some();
        let Some(node) = action.get("port").filter(|_| !is_elsewhere) else { continue };
        let Some(number) = node.integer().filter(|number| (1..=65535).contains(number)) else { continue };
        if !declared.contains(&number) {
            let numbers: Vec<String> = declared.iter().map(ToString::to_string).collect();
            let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
            judge
                .add(&UNDECLARED, node, format!("no container of the pod declares the port {number}"))
                .label(format!("declared: {}", list(&numbers, "and")))
                .help("if a container listens there, declare it; otherwise the probe fails, and the container is restarted or gets no traffic");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::container;
    use super::{PORT, PROBE};

    #[test]
    fn probes() {
        for (text, times) in [
            ("livenessProbe: {tcpSocket: {port: 80}, successThreshold: 1, periodSeconds: 0}", 0),
            ("livenessProbe: {tcpSocket: {port: 80}, successThreshold: 0}", 0),
            ("livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}", 1),
            ("readinessProbe: {tcpSocket: {port: 80}, successThreshold: 2}", 0),
            ("readinessProbe: {tcpSocket: {port: 80}, terminationGracePeriodSeconds: 1}", 1),
            ("startupProbe: {tcpSocket: {port: 0}, terminationGracePeriodSeconds: 0}", 2),
            ("livenessProbe: {periodSeconds: 10}", 1),
            ("livenessProbe: null", 0),
            ("livenessProbe: {tcpSocket: {port: 80}, exec: {command: [a]}}", 1),
            ("livenessProbe: {tcpSocket: {port: 80}, exec: null}", 0),
            ("livenessProbe: {exec: {command: []}, timeoutSeconds: -1}", 2),
            ("livenessProbe: {httpGet: {port: \"80\", scheme: http}}", 2),
            ("livenessProbe: {httpGet: {port: web}}", 0),
            ("livenessProbe: {httpGet: {port: web, scheme: ''}}, ports: [{containerPort: 80, name: web}]", 0),
            ("livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: X-A, value: b}, {name: 'a b', value: b}]}}", 1),
            ("livenessProbe: {grpc: {port: 70000}}", 1),
        ] {
            container(text, &PROBE, times);
        }
    }

    #[test]
    fn ports_by_name() {
        for (text, times) in [
            ("livenessProbe: {httpGet: {port: web}}", 1),
            ("lifecycle: {preStop: {httpGet: {port: http}}}, ports: [{containerPort: 80, name: web}]", 1),
            ("livenessProbe: {tcpSocket: {port: web}}, ports: [{containerPort: 80, name: web}]", 0),
        ] {
            container(text, &PORT, times);
        }
    }

    #[test]
    fn hooks() {
        for (text, times) in [
            ("lifecycle: {preStop: {sleep: {seconds: 30}}}", 0),
            ("lifecycle: {preStop: {sleep: {seconds: 31}}}", 1),
            ("lifecycle: {postStart: {}}", 1),
            ("lifecycle: {preStop: {exec: {command: [a]}}}", 0),
        ] {
            container(text, &PROBE, times);
        }
    }
}
