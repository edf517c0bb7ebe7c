//! Ingresses, their classes, and NetworkPolicies.

use super::judge::{Form, Judge, PORTS, PROTOCOLS, is_blank, text_or_empty};
use super::selectors;
use super::services::PORT_NAME;
use crate::fields::{filled_text, given, items};
use crate::rule::rules;
use vigil_forms::address::{Network, ip};
use vigil_forms::name::{is_dns1123_label, is_dns1123_subdomain};
use vigil_yaml::plain::Plain;
use vigil_yaml::{Node, Quoted};

rules! {
    PATH "ingress-path" Error Server "every path of an Ingress is valid for its `pathType`"
    PATTERN "ingress-path-pattern" Warning Nobody "no path of type `Exact` or `Prefix` looks like a regular expression"
    HOST "ingress-host" Error Server "every host of an Ingress is a valid DNS name"
    BACKEND "ingress-backend" Error Server "every backend of an Ingress is one port of a Service, or one resource"
    CLASS "ingress-class" Error Server "every Ingress names one class, and every IngressClass a controller"
    POLICY_PEER "network-policy-peer" Error Server "every peer of a NetworkPolicy is a selector or an `ipBlock`, and not both"
    POLICY_PORT "network-policy-port" Error Server "every port of a NetworkPolicy is a valid port or range"
    POLICY_TYPE "network-policy-type" Error Server "`policyTypes` of a NetworkPolicy are `Ingress`, `Egress` or both"
}

const NAME: Form = (is_dns1123_subdomain, "a DNS name", "`a-z`, `0-9`, `-` and `.`");
/// Newer servers let a Service's name begin with a digit.
const SERVICE: Form =
    (is_dns1123_label, "the name of a Service", "at most 63 of `a-z`, `0-9` and `-`; without its namespace");
const RANGE: Form = (|text| Network::parse(text).is_ok(), "a range of addresses", "such as `10.0.0.0/8`");

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    // Versions that are gone are told, and had other fields.
    if object.group != "networking.k8s.io" || object.kind == "Ingress" && object.version != "v1" {
        return;
    }
    let Some(spec) = given(object.node, "spec") else {
        let rule = match object.kind {
            "Ingress" => &BACKEND,
            "IngressClass" => &CLASS,
            _ => return,
        };
        judge.need(rule, object.node, "spec");
        return;
    };
    match object.kind {
        "Ingress" => ingress(judge, spec),
        "IngressClass" => class(judge, spec),
        "NetworkPolicy" => policy(judge, spec),
        _ => {}
    }
}

fn ingress(judge: &mut Judge<'_, '_>, spec: &Node) {
    let rules = items(spec, "rules");
    let default = given(spec, "defaultBackend");
    if rules.is_empty() && default.is_none() {
        judge
            .within(&BACKEND, spec, "an Ingress without `rules` and `defaultBackend`")
            .label("expected `rules` or `defaultBackend`");
    }
    if let Some(default) = default {
        backend(judge, default);
    }
    for rule in rules {
        host(judge, rule.get("host"), true);
        for path in rule.get("http").map(|http| items(http, "paths")).unwrap_or_default() {
            path_of(judge, path);
            if let Some(node) = given(path, "backend") {
                backend(judge, node);
            }
        }
        if let Some(http) = given(rule, "http") {
            judge.not_empty(&PATH, http, "paths");
        }
    }
    for tls in items(spec, "tls") {
        for node in items(tls, "hosts") {
            host(judge, Some(node), false);
            // Of a rule it means every host; here it is none.
            if node.text() == Some("") {
                judge.add(&HOST, node, "an empty text is not a DNS name").help("remove it, or name the host");
            }
        }
        judge.form(&HOST, tls.get("secretName"), NAME);
    }
    judge.form(&CLASS, spec.get("ingressClassName"), NAME);
    if is_blank(spec, "ingressClassName") {
        judge.need(&CLASS, spec, "ingressClassName");
    }
    let annotation = judge.object.at(&["metadata", "annotations", "kubernetes.io/ingress.class"]);
    if let (Some(annotation), Some(class)) = (annotation, given(spec, "ingressClassName"))
        && let (Some(old), Some(new)) = (annotation.text(), class.text())
        && old != new
    {
        judge
            .add(
                &CLASS,
                annotation,
                format!("the class is {} here, and {} in `ingressClassName`", Quoted(old), Quoted(new)),
            )
            .help("remove the annotation");
    }
}

/// The host of what is rather a URL or an address with a port.
fn bare_host(text: &str) -> Option<&str> {
    let behind = text.split_once("://").map_or(text, |(_, behind)| behind);
    let host = behind.split(['/', ':']).next().unwrap_or_default();
    is_dns1123_subdomain(host).then_some(host)
}

fn host(judge: &mut Judge<'_, '_>, node: Option<&Node>, no_address: bool) {
    let Some((node, text)) = node.and_then(|node| Some((node, filled_text(node)?))) else { return };
    let name = text.strip_prefix("*.").unwrap_or(text);
    if !is_dns1123_subdomain(name) {
        judge
            .add(&HOST, node, format!("{} is not a DNS name", Quoted(text)))
            .label("expected `a-z`, `0-9`, `-` and `.`, perhaps after `*.`")
            .help(match bare_host(text) {
                Some(host) => format!("write `{host}`: it has no scheme, port or path"),
                None => "it has no scheme, port or path".to_owned(),
            });
    } else if no_address && ip(text).is_some() {
        judge.add(&HOST, node, format!("{} is an address", Quoted(text))).label("expected a DNS name");
    }
}

fn path_of(judge: &mut Judge<'_, '_>, node: &Node) {
    judge.one_of(&PATH, node.get("pathType"), &["Exact", "Prefix", "ImplementationSpecific"]);
    judge.not_empty(&PATH, node, "pathType");
    let (Some(kind), Some(path)) = (node.get("pathType").and_then(Node::text), text_or_empty(node, "path")) else {
        return;
    };
    let literal = matches!(kind, "Exact" | "Prefix");
    if !literal && kind != "ImplementationSpecific" {
        return;
    }
    let at = given(node, "path");
    if !path.starts_with('/') && (literal || !path.is_empty()) {
        let message =
            if path.is_empty() { "no path".to_owned() } else { format!("{} does not begin with `/`", Quoted(path)) };
        match at {
            Some(at) => judge.add(&PATH, at, message),
            None => judge.within(&PATH, node, message),
        }
        .label("expected an absolute path")
        .help("`/` stands for every path under `pathType: Prefix`");
        return;
    }
    let Some(at) = at.filter(|_| literal) else { return };
    let within = ["//", "/./", "/../", "%2f", "%2F"].into_iter().find(|part| path.contains(part));
    let ending = ["/..", "/."].into_iter().find(|part| path.ends_with(part));
    if let Some(part) = within.or(ending) {
        judge.add(&PATH, at, format!("{} with `{part}` in it", Quoted(path))).help("write the path that is meant");
    }
    if path.contains(['*', '(', ')', '[', ']', '{', '}', '^', '$', '|', '\\', '?']) {
        judge
            .add(&PATTERN, at, format!("{} under `pathType: {kind}`", Quoted(path)))
            .label("it is compared letter by letter")
            .help("write `pathType: ImplementationSpecific` for a pattern; newer ingress-nginx refuses it otherwise");
    }
}

fn backend(judge: &mut Judge<'_, '_>, node: &Node) {
    match (given(node, "service"), given(node, "resource")) {
        (Some(_), Some(_)) => {
            judge.within(&BACKEND, node, "a backend with both `service` and `resource`").help("keep one of the two");
        }
        (None, None) => {
            judge
                .within(&BACKEND, node, "a backend without `service` and `resource`")
                .label("expected `service` or `resource`")
                .help("write `service: {name: …, port: {number: …}}`");
        }
        (None, Some(resource)) => {
            for key in ["kind", "name"] {
                judge.not_empty(&BACKEND, resource, key);
            }
        }
        (Some(service), None) => {
            judge.not_empty(&BACKEND, service, "name");
            judge.form(&BACKEND, service.get("name"), SERVICE);
            let port = given(service, "port");
            let name = port.and_then(|port| port.get("name")).and_then(filled_text);
            let number = port.and_then(|port| port.get("number")).and_then(Node::integer).filter(|number| *number != 0);
            match (name, number) {
                (Some(_), Some(_)) => {
                    let port = port.unwrap_or(service);
                    judge.within(&BACKEND, port, "a port with both a name and a number").help("keep one of the two");
                }
                (None, None) => {
                    let of_type = |port: &Node| {
                        given(port, "name")
                            .or(given(port, "number"))
                            .is_some_and(|value| value.text() != Some("") && value.integer() != Some(0))
                    };
                    // A value of a wrong type is told by the schema.
                    if !port.is_some_and(|port| port.scalar().is_some() || of_type(port)) {
                        judge
                            .within(&BACKEND, port.unwrap_or(service), "a Service without a port")
                            .label("expected `port.name` or `port.number`");
                    }
                }
                _ => {
                    judge.form(&BACKEND, port.and_then(|port| port.get("name")), PORT_NAME);
                    judge.range(&BACKEND, port.and_then(|port| port.get("number")).filter(|_| number.is_some()), PORTS);
                }
            }
        }
    }
}

fn class(judge: &mut Judge<'_, '_>, spec: &Node) {
    judge.need(&CLASS, spec, "controller");
    if let Some((node, controller)) = spec.get("controller").and_then(|node| Some((node, filled_text(node)?)))
        && !is_domain_path(controller)
    {
        judge
            .add(&CLASS, node, format!("{} does not name a controller", Quoted(controller)))
            .label("expected a domain and a path, such as `k8s.io/ingress-nginx`");
    }
    let Some(parameters) = given(spec, "parameters") else { return };
    judge.set_to_one_of(&CLASS, parameters.get("scope"), &["Cluster", "Namespace"]);
    match parameters.get("scope").and_then(filled_text).unwrap_or("Cluster") {
        "Namespace" => {
            judge.need(&CLASS, parameters, "namespace");
        }
        "Cluster" => judge.forbid(&CLASS, parameters, &["namespace"], "is for `scope: Namespace`"),
        _ => {}
    }
    for key in ["apiGroup", "namespace"] {
        judge.not_empty(&CLASS, parameters, key);
    }
    judge.dns_subdomain(&CLASS, parameters, "apiGroup");
}

fn is_domain_path(text: &str) -> bool {
    text.len() <= 250
        && text.split_once('/').is_some_and(|(domain, path)| {
            let pchar = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&b);
            is_dns1123_subdomain(domain) && !path.is_empty() && path.bytes().all(pchar)
        })
}

fn policy(judge: &mut Judge<'_, '_>, spec: &Node) {
    if let Some(selector) = spec.get("podSelector") {
        selectors::selector(judge, selector);
    }
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in items(spec, direction) {
            for node in items(rule, "ports") {
                policy_port(judge, node);
            }
            for node in items(rule, peers) {
                peer(judge, node);
            }
        }
    }
    for kind in items(spec, "policyTypes") {
        if filled_text(kind).is_none() && kind.scalar().is_some_and(|it| matches!(it, Plain::Text | Plain::Null)) {
            judge.add(&POLICY_TYPE, kind, "an empty type").label("expected `Ingress` or `Egress`");
        }
        judge.one_of(&POLICY_TYPE, Some(kind), &["Ingress", "Egress"]);
    }
    if let Some(third) = items(spec, "policyTypes").get(2) {
        judge.add(&POLICY_TYPE, third, "more than two types").help("name each once");
    }
}

fn policy_port(judge: &mut Judge<'_, '_>, node: &Node) {
    judge.not_empty(&POLICY_PORT, node, "protocol");
    judge.not_empty(&POLICY_PORT, node, "port");
    judge.one_of(&POLICY_PORT, node.get("protocol"), PROTOCOLS);
    judge.range(&POLICY_PORT, node.get("port"), PORTS);
    judge.form(&POLICY_PORT, node.get("port"), PORT_NAME);
    judge.range(&POLICY_PORT, node.get("endPort"), PORTS);
    let Some((end, last)) = given(node, "endPort").and_then(|end| Some((end, end.integer()?))) else { return };
    match given(node, "port").map(|port| (port.text(), port.integer())) {
        None => {
            judge.add(&POLICY_PORT, end, "a range without a beginning").help("add `port:`, the first of the range");
        }
        Some((Some(_), _)) => {
            judge.add(&POLICY_PORT, end, "a range that begins with a name").help("write `port:` as a number");
        }
        Some((_, Some(first))) if last < first => {
            judge
                .add(&POLICY_PORT, end, format!("the range ends before it begins, at {first}"))
                .label(format!("expected {first} or more"));
        }
        _ => {}
    }
}

fn peer(judge: &mut Judge<'_, '_>, node: &Node) {
    let keys = ["podSelector", "namespaceSelector"];
    let selects = keys.iter().any(|key| given(node, key).is_some());
    for selector in keys.iter().filter_map(|key| node.get(key)) {
        selectors::selector(judge, selector);
    }
    let Some(block) = given(node, "ipBlock") else {
        if !selects {
            judge
                .add(&POLICY_PEER, node, "an empty peer")
                .label("expected `podSelector`, `namespaceSelector` or `ipBlock`")
                .help("`podSelector: {}` means every pod of the namespace; no peer at all means everything");
        }
        return;
    };
    if selects {
        let finding = judge.within(&POLICY_PEER, node, "a peer with both an `ipBlock` and a selector");
        finding.help("make two peers of it; traffic to either is let through");
    }
    let network = |text: &str| Network::parse(text).ok();
    judge.form(&POLICY_PEER, block.get("cidr"), RANGE);
    let outer = block.get("cidr").and_then(Node::text).and_then(network);
    for except in items(block, "except") {
        judge.form(&POLICY_PEER, Some(except), RANGE);
        if let (Some(outer), Some(inner)) = (outer, except.text().and_then(network))
            && !inner.is_within(&outer)
        {
            judge
                .add(
                    &POLICY_PEER,
                    except,
                    format!("{} is no part of `cidr`", Quoted(except.text().unwrap_or_default())),
                )
                .help("an exception is smaller than the range it is taken from, and within it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::{BACKEND, HOST, PATH, PATTERN, POLICY_PEER, POLICY_PORT};
    use crate::Rule;

    fn of(kind: &str, spec: &str, rule: &'static Rule, times: usize) {
        let text = format!("apiVersion: networking.k8s.io/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n");
        broken(&text, rule, times);
    }

    #[test]
    fn ingresses_at_their_edges() {
        let backend = "backend: {service: {name: a, port: {number: 80}}}";
        for (path, rule, times) in [
            ("pathType: Prefix, path: /", &PATH, 0),
            ("pathType: Prefix", &PATH, 1),
            ("pathType: Exact, path: ''", &PATH, 1),
            ("pathType: ImplementationSpecific, path: ''", &PATH, 0),
            ("pathType: ImplementationSpecific, path: a", &PATH, 1),
            ("pathType: ImplementationSpecific, path: /a//b/..", &PATH, 0),
            ("pathType: Prefix, path: /a/..", &PATH, 1),
            ("pathType: Prefix, path: /a/...", &PATH, 0),
            ("pathType: Exact, path: /a%2Fb", &PATH, 1),
            ("pathType: Prefix, path: /a.b-c_d~e", &PATTERN, 0),
            ("pathType: Prefix, path: '/a*'", &PATTERN, 1),
            ("pathType: ImplementationSpecific, path: '/a*'", &PATTERN, 0),
        ] {
            of("Ingress", &format!("{{rules: [{{http: {{paths: [{{{path}, {backend}}}]}}}}]}}"), rule, times);
        }
        for (spec, rule, times) in [
            ("{defaultBackend: {service: {name: 1a, port: {name: http}}}}", &BACKEND, 0),
            ("{defaultBackend: {service: {name: a, port: {name: http, number: 0}}}}", &BACKEND, 0),
            ("{defaultBackend: {service: {name: a, port: {}}}}", &BACKEND, 1),
            ("{defaultBackend: {service: {name: a, port: {number: 65536}}}}", &BACKEND, 1),
            ("{rules: [{host: a.b}]}", &BACKEND, 0),
            ("{rules: []}", &BACKEND, 1),
            ("{rules: [{host: ''}]}", &HOST, 0),
            ("{rules: [{host: '*.a.b'}]}", &HOST, 0),
            ("{rules: [{host: '*'}]}", &HOST, 1),
            ("{rules: [{host: 'a.b:80'}]}", &HOST, 1),
            ("{rules: [{host: a.b}], tls: [{hosts: [192.0.2.1]}]}", &HOST, 0),
            ("{rules: [{host: a.b}], tls: [{hosts: ['']}]}", &HOST, 1),
        ] {
            of("Ingress", spec, rule, times);
        }
    }

    #[test]
    fn policies_at_their_edges() {
        for (rule_of, rule, times) in [
            ("from: [{podSelector: {}}]", &POLICY_PEER, 0),
            ("from: [{podSelector: null}]", &POLICY_PEER, 1),
            ("from: [{ipBlock: {cidr: 10.0.0.1/8, except: [10.0.0.0/9]}}]", &POLICY_PEER, 0),
            ("from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]", &POLICY_PEER, 1),
            ("from: [{ipBlock: {cidr: 'fd00::/8', except: ['fd01::/16']}}]", &POLICY_PEER, 0),
            ("ports: [{port: 1, endPort: 1}]", &POLICY_PORT, 0),
            ("ports: [{port: 2, endPort: 1}]", &POLICY_PORT, 1),
            ("ports: [{port: 1, endPort: 65536}]", &POLICY_PORT, 1),
            ("ports: [{}]", &POLICY_PORT, 0),
        ] {
            of("NetworkPolicy", &format!("{{podSelector: {{}}, ingress: [{{{rule_of}}}]}}"), rule, times);
        }
    }
}
