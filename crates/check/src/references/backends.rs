//! Who leads to Services: Ingresses, and the API server itself; routes of the Gateway API are beside it.

use super::absent::{Wanted, missing};
use crate::fields::{integer, items, text};
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::{Rule, rules};
use crate::world::{Found, World};
use std::collections::HashMap;
use vigil_yaml::{Node, Quoted};

rules! {
    BACKEND "ingress-service" Error Nobody "every Service and port behind an Ingress or a route exists"
    TWICE "ingress-twice" Warning Nobody "no two Ingresses have the same host and path"
    WEBHOOK "webhook-service" Error Cluster "the Service and port of every webhook and APIService exist"
}

/// Judges what leads to Services.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    for ingress in world.judged("networking.k8s.io", "Ingress") {
        let rules = items(ingress.node, ["spec", "rules"]).iter().flat_map(|rule| items(rule, ["http", "paths"]));
        let backends = rules.filter_map(|path| path.get("backend"));
        for backend in ingress.at(&["spec", "defaultBackend"]).into_iter().chain(backends) {
            if let Some(to) = backend.get("service") {
                self::backend(world, ingress, to, findings);
            }
        }
    }
    same_path(world, findings);
    for (object, to) in called(world) {
        let namespace = text(to, ["namespace"]).unwrap_or_default();
        let Some(at) = to.get("name") else { continue };
        let Some(Found::Here(service)) = service(world, &WEBHOOK, object, at, namespace, findings) else { continue };
        let number = to.get("port").map_or(Some(443), Node::integer);
        if let Some(number) = number.filter(|number| !has_port(service, |port| integer(port, "port") == Some(*number)))
        {
            no_port(&WEBHOOK, object, to.get("port").unwrap_or(at), service, &number.to_string(), findings);
        }
    }
}

/// Classes whose controllers make an address for each Ingress: two of them never meet.
const APART: [&str; 4] = ["alb", "gce", "gce-internal", "azure-application-gateway"];

/// Ingresses of one class that want the same requests.
fn same_path(world: &World<'_>, findings: &mut Findings) {
    let mut first: HashMap<[&str; 4], &Object<'_>> = HashMap::new();
    for ingress in world.judged("networking.k8s.io", "Ingress") {
        let annotation = |name| text(ingress.node, ["metadata", "annotations", name]);
        let class = text(ingress.node, ["spec", "ingressClassName"]).or(annotation("kubernetes.io/ingress.class"));
        let class = class.unwrap_or_default();
        // A canary takes a share of another one's requests, and is marked as such.
        if APART.contains(&class) || annotation("nginx.ingress.kubernetes.io/canary") == Some("true") {
            continue;
        }
        for rule in items(ingress.node, ["spec", "rules"]) {
            let host = text(rule, ["host"]).unwrap_or_default();
            for entry in items(rule, ["http", "paths"]) {
                let path = text(entry, ["path"]).unwrap_or("/");
                let is_exact = text(entry, ["pathType"]) == Some("Exact");
                let other = *first.entry([class, host, path, if is_exact { "=" } else { "" }]).or_insert(ingress);
                if other.identity() == ingress.identity() {
                    continue;
                }
                let host = if host.is_empty() { "every host".to_owned() } else { format!("host {}", Quoted(host)) };
                let at = entry.get("path").unwrap_or(entry);
                findings
                    .add(&TWICE, ingress, at, format!("{other} has the path {} of {host} already", Quoted(path)))
                    .label("the same `host` and `path`")
                    .help("give one of them another `host` or `path`, or put both backends into one Ingress");
            }
        }
    }
}

/// The Services that the API server calls, as `{namespace, name, port}`, and the objects that say so.
pub(crate) fn called<'a>(world: &World<'a>) -> Vec<(&'a Object<'a>, &'a Node)> {
    let mut called = Vec::new();
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
        for object in world.judged("admissionregistration.k8s.io", kind) {
            let hooks = items(object.node, ["webhooks"]);
            called.extend(hooks.iter().filter_map(|hook| Some((object, hook.at(&["clientConfig", "service"])?))));
        }
    }
    for (group, kind, path) in [
        ("apiregistration.k8s.io", "APIService", &["spec", "service"][..]),
        (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            &["spec", "conversion", "webhook", "clientConfig", "service"],
        ),
    ] {
        called.extend(world.judged(group, kind).filter_map(|object| Some((object, object.at(path)?))));
    }
    called
}

/// Where the Service is that `at` names; says so when it is nowhere.
pub(super) fn service<'a>(
    world: &World<'a>,
    rule: &'static Rule,
    object: &Object<'_>,
    at: &Node,
    namespace: &str,
    findings: &mut Findings,
) -> Option<Found<'a>> {
    let name = at.text().filter(|name| !name.is_empty())?;
    let found = world.find("", "Service", namespace, name);
    if matches!(found, Found::Nowhere) {
        missing(world, findings, rule, object, at, Wanted { group: "", kind: "Service", namespace, name });
    }
    Some(found)
}

fn backend(world: &World<'_>, ingress: &Object<'_>, to: &Node, findings: &mut Findings) {
    // An action of the AWS load balancer controller, which annotations describe; no Service has its name.
    if text(to, ["port", "name"]) == Some("use-annotation") {
        return;
    }
    let Some(at) = to.get("name") else { return };
    let Some(Found::Here(service)) = service(world, &BACKEND, ingress, at, ingress.namespace, findings) else { return };
    let number = to.at(&["port", "number"]).and_then(|at| Some((at, at.integer()?)));
    let name = to.at(&["port", "name"]).and_then(|at| Some((at, at.text()?)));
    if let Some((at, number)) =
        number.filter(|(_, wanted)| !has_port(service, |port| integer(port, "port") == Some(*wanted)))
    {
        no_port(&BACKEND, ingress, at, service, &number.to_string(), findings);
    }
    if let Some((at, name)) = name.filter(|(_, wanted)| !has_port(service, |port| text(port, ["name"]) == Some(wanted)))
    {
        no_port(&BACKEND, ingress, at, service, name, findings);
    }
}

pub(super) fn has_port(service: &Object<'_>, is_it: impl Fn(&Node) -> bool) -> bool {
    items(service.node, ["spec", "ports"]).iter().any(is_it)
}

/// Says that a Service has not the port that somebody calls.
pub(super) fn no_port(
    rule: &'static Rule,
    object: &Object<'_>,
    at: &Node,
    service: &Object<'_>,
    wanted: &str,
    findings: &mut Findings,
) {
    let ports = items(service.node, ["spec", "ports"]).iter().filter_map(|port| {
        let number = integer(port, "port")?;
        Some(text(port, ["name"]).map_or_else(|| number.to_string(), |name| format!("{number} ({name})")))
    });
    let ports: Vec<String> = ports.take(8).collect();
    let message = format!("the Service {} has no port {}", Quoted(service.name), Quoted(wanted));
    let finding = findings.add(rule, object, at, message);
    if !ports.is_empty() {
        finding.label(format!("its ports are {}", ports.join(", ")));
    }
    finding.help("use a port of the Service, not one of the pods, or add this one to the Service");
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, deployment};

    #[test]
    fn what_leads_to_services() {
        let set = deployment("web", "containers: [{ports: [{name: http, containerPort: 80}]}]")
            + "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: \
               80}]}}\n";
        let ingress = |backend: &str| {
            format!(
                "{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: i}}, spec: {{rules: [{{http: {{paths: \
                 [{{path: /, backend: {{{backend}}}}}]}}}}]}}}}\n"
            )
        };
        let route = |backend: &str| {
            format!(
                "{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: r}}, spec: {{rules: \
                 [{{backendRefs: [{{{backend}}}]}}]}}}}\n"
            )
        };
        for (text, expected) in [
            (ingress("service: {name: web, port: {number: 80}}"), ""),
            (ingress("service: {name: web, port: {name: http}}"), ""),
            (ingress("service: {name: web, port: {number: 81}}"), "ingress-service"),
            (ingress("service: {name: web, port: {name: https}}"), "ingress-service"),
            (ingress("service: {name: api, port: {number: 80}}"), "ingress-service"),
            (ingress("service: {name: redirect, port: {name: use-annotation}}"), ""),
            (ingress("resource: {kind: Bucket, name: b}"), ""),
            (route("name: web, port: 80"), ""),
            (route("name: web, port: 81"), "ingress-service"),
            (route("name: api, port: 80"), "ingress-service"),
            (route("group: \"\", kind: Service, name: api, port: 80"), "ingress-service"),
            (route("name: web, namespace: other, port: 80"), "ingress-service"),
            (route("name: b, kind: Bucket, group: example.com"), ""),
            (route("name: kubernetes, port: 443"), ""),
        ] {
            assert_eq!(broken(&(set.clone() + &text)).join(" "), expected, "{text}");
        }
    }
}
