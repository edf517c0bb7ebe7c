//! Settings of pods as a whole: how they end, what they are called, how they find names.

use super::super::judge::{Judge, QUALIFIED};
use super::pod::Pod;
use super::resources;
use crate::fields::{filled, given, is_set, items};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::name;
use vigil_yaml::words::list;
use vigil_yaml::{Node, Quoted};

rules! {
    VALUE "pod-value" Error Server "enumerated fields of pods have a known value"
    RESTART "pod-restart-policy" Error Server "`restartPolicy` and deadlines of pods fit their workload"
    DNS "pod-dns" Error Server "`dnsPolicy`, `dnsConfig` and `hostAliases` are valid"
}

pub(super) fn check(judge: &mut Judge<'_, '_>, pod: &Pod<'_>) {
    let spec = pod.spec();
    values(judge, spec);
    names(judge, spec);
    restart(judge, spec);
    dns(judge, spec);
    claims(judge, spec);
    if let Some(resources) = given(spec, "resources") {
        resources::requirements(judge, resources);
    }
}

fn values(judge: &mut Judge<'_, '_>, spec: &Node) {
    judge.one_of(&VALUE, spec.get("restartPolicy"), &["Always", "OnFailure", "Never"]);
    judge.one_of(&VALUE, spec.get("dnsPolicy"), &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]);
    judge.set_to_one_of(&VALUE, spec.get("preemptionPolicy"), &["Never", "PreemptLowerPriority"]);
    priority(judge, spec);
    judge.range(&VALUE, spec.get("activeDeadlineSeconds"), 1..=i64::from(i32::MAX));
    if let Some(os) = given(spec, "os") {
        judge.set_to_one_of(&VALUE, os.get("name"), &["linux", "windows"]);
    }
    let mut together = |first: &str, second: &str| {
        if let Some(entry) = spec.entry(second).filter(|_| is_set(spec, first) && is_set(spec, second)) {
            judge
                .add(&VALUE, entry, format!("`{first}` and `{second}` exclude each other"))
                .help("remove one of the two");
        }
    };
    together("hostPID", "shareProcessNamespace");
    if spec.get("hostUsers").and_then(Node::boolean) == Some(false) {
        for key in ["hostPID", "hostIPC", "hostNetwork"].into_iter().filter(|key| is_set(spec, key)) {
            if let Some(entry) = spec.entry(key) {
                judge
                    .add(&VALUE, entry, format!("`{key}` of a pod with users of its own"))
                    .help("remove it, or `hostUsers: false`");
            }
        }
    }
}

fn names(judge: &mut Judge<'_, '_>, spec: &Node) {
    judge.dns_subdomain(&VALUE, spec, "hostnameOverride");
    if let Some(entry) = spec.entry("hostnameOverride").filter(|entry| !entry.value.is_null())
        && is_set(spec, "setHostnameAsFQDN")
    {
        judge.add(&VALUE, entry, "`hostnameOverride` beside `setHostnameAsFQDN`").help("remove one of the two");
    }
    if let Some((node, _)) = filled(spec, "nodeName").filter(|_| !items(spec, "schedulingGates").is_empty()) {
        judge
            .add(&VALUE, node, "`nodeName` beside `schedulingGates`")
            .help("remove one of the two: what waits at a gate has no node yet");
    }
    if let Some(entry) = spec.entry("overhead").filter(|entry| !entry.value.entries().is_empty())
        && filled(spec, "runtimeClassName").is_none()
    {
        judge
            .add(&VALUE, entry, "`overhead` without `runtimeClassName`")
            .help("remove it: a RuntimeClass brings its own");
    }
    for key in ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"] {
        judge.dns_subdomain(&VALUE, spec, key);
    }
    judge.not_empty(&VALUE, spec, "runtimeClassName");
    // A StatefulSet sets its own.
    if judge.object.kind != "StatefulSet" {
        judge.dns_label(&VALUE, spec, "hostname");
        judge.dns_label(&VALUE, spec, "subdomain");
    }
    let mut gates = HashSet::new();
    for (list, key) in [("readinessGates", "conditionType"), ("schedulingGates", "name")] {
        for gate in items(spec, list) {
            let Some((node, name)) = gate.get(key).and_then(|node| Some((node, node.text()?))) else { continue };
            if !name::is_qualified_name(name) {
                judge.add(&VALUE, node, format!("{} is no name for a gate", Quoted(name))).label(QUALIFIED);
            } else if list == "schedulingGates" && !gates.insert(name) {
                judge.add(&VALUE, node, format!("an earlier gate is {}", Quoted(name))).help("keep one of the two");
            }
        }
    }
}

/// A pod of a Deployment runs for ever, one of a Job ends.
fn restart(judge: &mut Judge<'_, '_>, spec: &Node) {
    let kind = judge.object.kind;
    let allowed: &[&str] = match (judge.object.group, kind) {
        ("apps", _) | ("", "ReplicationController") => &["Always"],
        ("batch", _) => &["OnFailure", "Never"],
        _ => return,
    };
    let expected = format!("expected {}", list(allowed, "or"));
    match filled(spec, "restartPolicy") {
        // What is none at all is told elsewhere.
        Some((node, policy)) if !allowed.contains(&policy) && matches!(policy, "Always" | "OnFailure" | "Never") => {
            judge.add(&RESTART, node, format!("pods of a {kind} cannot restart {}", Quoted(policy))).label(expected);
        }
        None if !allowed.contains(&"Always")
            && spec.get("restartPolicy").is_none_or(|node| node.is_null() || node.text().is_some()) =>
        {
            judge
                .add(&RESTART, spec, format!("pods of a {kind} without `restartPolicy`"))
                .label("expected `restartPolicy`")
                .help(format!("set `restartPolicy:` to {}; without it, it is `Always`", list(allowed, "or")));
        }
        _ => {}
    }
    if allowed.contains(&"Always")
        && let Some(entry) = spec.entry("activeDeadlineSeconds").filter(|entry| !entry.value.is_null())
    {
        judge
            .add(&RESTART, entry, format!("pods of a {kind} have no deadline"))
            .help("remove it, or run them in a Job");
    }
}

fn dns(judge: &mut Judge<'_, '_>, spec: &Node) {
    let config = given(spec, "dnsConfig");
    let servers = config.map(|config| items(config, "nameservers")).unwrap_or_default();
    if let Some((node, _)) = filled(spec, "dnsPolicy").filter(|(_, policy)| *policy == "None" && servers.is_empty()) {
        judge
            .add(&DNS, node, "`None` leaves the pod without name servers")
            .help("name one under `dnsConfig.nameservers`, or take another policy");
    }
    for server in servers {
        judge.address(&DNS, server);
    }
    if let Some(config) = config {
        many(judge, config, "nameservers", 3);
        many(judge, config, "searches", 32);
        for node in items(config, "searches") {
            let Some(text) = node.text().filter(|text| *text != ".") else { continue };
            let plain = text.strip_suffix('.').unwrap_or(text).replace('_', "a");
            if !name::is_dns1123_subdomain(&plain) {
                judge
                    .add(&DNS, node, format!("{} is no domain", Quoted(text)))
                    .label("expected lower-case words with dots between them");
            }
        }
        for option in items(config, "options") {
            judge.required(&DNS, option, "name");
        }
    }
    for alias in items(spec, "hostAliases") {
        if let Some(node) = given(alias, "ip") {
            judge.address(&DNS, node);
        }
        for node in items(alias, "hostnames") {
            if let Some(text) = node.text().filter(|text| !name::is_dns1123_subdomain(text)) {
                judge
                    .add(&DNS, node, format!("{} is no name of a host", Quoted(text)))
                    .label(super::super::judge::SUBDOMAIN);
            }
        }
    }
}

fn many(judge: &mut Judge<'_, '_>, node: &Node, key: &str, most: usize) {
    let count = items(node, key).len();
    if let Some(entry) = node.entry(key).filter(|_| count > most) {
        judge.add(&DNS, entry, format!("{count} `{key}` are too many")).label(format!("expected at most {most}"));
    }
}

/// A pod has the priority of its class: another number beside it is refused.
fn priority(judge: &mut Judge<'_, '_>, spec: &Node) {
    let expected = match filled(spec, "priorityClassName").map(|(_, name)| name) {
        // Of other classes, the manifest does not say which number they give.
        Some("system-cluster-critical") => 2_000_000_000,
        Some("system-node-critical") => 2_000_001_000,
        Some(_) => return,
        None => 0,
    };
    if let Some(node) = spec.get("priority").filter(|node| node.integer().is_some_and(|number| number != expected)) {
        judge
            .add(&VALUE, node, "a number where the class gives the priority")
            .label(format!("expected {expected}, or nothing"))
            .help("name a class with `priorityClassName:`, and leave the number out");
    }
}

/// Claims of devices, and which container uses which.
fn claims(judge: &mut Judge<'_, '_>, spec: &Node) {
    let mut names = HashSet::new();
    for claim in items(spec, "resourceClaims") {
        judge.dns_label(&VALUE, claim, "name");
        for key in ["resourceClaimName", "resourceClaimTemplateName"] {
            judge.dns_subdomain(&VALUE, claim, key);
        }
        let sources = ["resourceClaimName", "resourceClaimTemplateName"];
        // Before 1.31 they stood under `source`.
        match sources.into_iter().filter(|key| given(claim, key).is_some()).count() {
            _ if !judge.since(31) => {}
            1 => {}
            0 => drop(
                judge.within(&VALUE, claim, "a claim of nothing").label(format!("expected {}", list(&sources, "or"))),
            ),
            _ => drop(
                judge
                    .within(&VALUE, claim, "a claim of two things")
                    .label(format!("expected {}", list(&sources, "or"))),
            ),
        }
        if let Some((node, name)) = filled(claim, "name").filter(|(_, name)| !names.insert(*name)) {
            judge.add(&VALUE, node, format!("an earlier claim is called {}", Quoted(name)));
        }
    }
    for list in ["initContainers", "containers"] {
        for container in items(spec, list) {
            let Some(claims) = container.at(&["resources", "claims"]) else { continue };
            let mut used = HashSet::new();
            for claim in claims.items() {
                let key = (claim.get("name").and_then(Node::text), claim.get("request").and_then(Node::text));
                if key.0.is_some() && !used.insert(key) {
                    judge.add(&VALUE, claim, "the same claim twice").help("keep one of the two");
                }
                if let Some((node, name)) = filled(claim, "name").filter(|(_, name)| !names.contains(name)) {
                    judge
                        .add(&VALUE, node, format!("the pod claims no {}", Quoted(name)))
                        .help("add it under `resourceClaims:`");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{broken, holds};
    use super::super::tests::broken_in;
    use super::{DNS, RESTART, VALUE};

    #[test]
    fn values() {
        for (text, times) in [
            ("restartPolicy: always, dnsPolicy: ClusterFirst", 1),
            ("restartPolicy: '', activeDeadlineSeconds: 1", 0),
            ("activeDeadlineSeconds: 0", 1),
            ("os: {name: Linux}, preemptionPolicy: never", 2),
            ("hostPID: true, shareProcessNamespace: true", 1),
            ("hostUsers: false, hostIPC: true", 1),
            ("hostname: a.b, subdomain: A, serviceAccountName: a.b, nodeName: a_b", 3),
            ("schedulingGates: [{name: a.b/c}, {name: a.b/c}, {name: a b}], readinessGates: [{conditionType: ''}]", 3),
        ] {
            broken_in(&format!("{{{text}, containers: [{{name: a, image: a}}]}}"), &VALUE, times);
        }
    }

    #[test]
    fn restarts() {
        let workload = |kind: &str, path: (&str, &str), text: &str| {
            format!(
                "apiVersion: {kind}\nmetadata: {{name: a}}\nspec: {}{{spec: {{{text}, containers: [{{name: a, image: a}}]}}}}{}",
                path.0, path.1
            )
        };
        let deployment = |text: &str| workload("apps/v1\nkind: Deployment", ("{template: ", "}"), text);
        let cron = |text: &str| workload("batch/v1\nkind: CronJob", ("{jobTemplate: {spec: {template: ", "}}}"), text);
        holds(&deployment("restartPolicy: Always"), &RESTART);
        holds(&deployment("hostPID: true"), &RESTART);
        broken(&deployment("restartPolicy: Never, activeDeadlineSeconds: 5"), &RESTART, 2);
        holds(&cron("restartPolicy: Never, activeDeadlineSeconds: 5"), &RESTART);
        broken(&cron("restartPolicy: Always"), &RESTART, 1);
        broken(&cron("hostPID: true"), &RESTART, 1);
        broken(&cron("restartPolicy: "), &RESTART, 1);
    }

    #[test]
    fn names_of_hosts() {
        for (text, times) in [
            ("dnsPolicy: None", 1),
            ("dnsPolicy: None, dnsConfig: {nameservers: [10.0.0.1, '::1', 010.0.0.1]}", 0),
            ("dnsConfig: {nameservers: [10.0.0.1, 10.0.0.2, 10.0.0.3, dns]}", 2),
            ("dnsConfig: {searches: [., a.b., _tcp.a, 'A b'], options: [{name: ndots, value: '2'}, {}]}", 2),
            ("hostAliases: [{ip: 10.0.0.1, hostnames: [a.b, A]}, {ip: 10.0.0, hostnames: []}]", 2),
        ] {
            broken_in(&format!("{{{text}, containers: [{{name: a, image: a}}]}}"), &DNS, times);
        }
    }
}
