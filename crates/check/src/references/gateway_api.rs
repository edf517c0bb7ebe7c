//! The Gateway API: to which listeners routes are attached, and where they lead.

use super::backends::{BACKEND, has_port, no_port, service};
use crate::fields::{integer, items, text};
use crate::finding::Findings;
use crate::object::{GATEWAY_API as GROUP, Object};
use crate::rule::rules;
use crate::world::{Found, World};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    LISTENER "route-listener" Error Cluster "every listener that a route names is one of its Gateway"
    ALLOWED "route-namespace" Error Cluster "every Gateway that a route names takes routes of its namespace"
    GRANT "route-grant" Error Cluster "what a route or Gateway refers to in another namespace is granted there"
}

const ROUTES: [&str; 5] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"];

/// Judges routes, Gateways and policies.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    for route in ROUTES.into_iter().flat_map(|kind| world.judged(GROUP, kind)) {
        for parent in items(route.node, ["spec", "parentRefs"]) {
            match gateway(world, route, parent) {
                Some(gateway) => {
                    listener(gateway, route, parent, findings);
                    allowed(world, gateway, route, parent, findings);
                    reached(gateway, route, parent, findings);
                }
                None => no_gateway(world, route, parent, findings),
            }
        }
        for rule in items(route.node, ["spec", "rules"]) {
            let mirrors = items(rule, ["filters"]).iter().filter_map(|it| it.at(&["requestMirror", "backendRef"]));
            items(rule, ["backendRefs"]).iter().chain(mirrors).for_each(|to| backend(world, route, to, findings));
        }
    }
    for policy in world.judged(GROUP, "BackendTLSPolicy") {
        for to in items(policy.node, ["spec", "targetRefs"]) {
            backend(world, policy, to, findings);
        }
    }
    for gateway in ["Gateway", "ListenerSet"].into_iter().flat_map(|kind| world.judged(GROUP, kind)) {
        let listeners = items(gateway.node, ["spec", "listeners"]).iter();
        for to in listeners.flat_map(|listener| items(listener, ["tls", "certificateRefs"])) {
            let is_secret = is_core(to) && text(to, "kind").is_none_or(|kind| kind == "Secret");
            let Some(at) = to.get("name").filter(|_| is_secret) else { continue };
            let namespace = text(to, "namespace").unwrap_or(world.set.home(gateway));
            if let Some(Found::Here(_)) = at.text().map(|name| world.find("", "Secret", namespace, name)) {
                granted(world, gateway, "Secret", at, namespace, findings);
            }
        }
    }
}

fn is_core(to: &Node) -> bool {
    text(to, "group").is_none_or(str::is_empty)
}

/// The Service that a route or policy leads to, which may be in another namespace.
fn backend(world: &World<'_>, route: &Object<'_>, to: &Node, findings: &mut Findings) {
    let is_service = is_core(to) && text(to, "kind").is_none_or(|kind| kind == "Service");
    let Some(at) = to.get("name").filter(|_| is_service) else { return };
    let namespace = text(to, "namespace").unwrap_or(world.set.home(route));
    let Some(Found::Here(service)) = service(world, &BACKEND, route, at, namespace, findings) else { return };
    granted(world, route, "Service", at, namespace, findings);
    let Some((at, number)) = to.get("port").and_then(|at| Some((at, at.integer()?))) else { return };
    if !has_port(service, |port| integer(port, "port") == Some(number)) {
        no_port(&BACKEND, route, at, service, &number.to_string(), findings);
    }
}

/// Says that nothing in another namespace lets an object refer to what `at` names there.
fn granted(world: &World<'_>, from: &Object<'_>, kind: &str, at: &Node, namespace: &str, findings: &mut Findings) {
    let home = world.set.home(from);
    let Some(name) = at.text().filter(|_| namespace != home) else { return };
    let is_from = |it: &Node| {
        text(it, "group") == Some(from.group)
            && text(it, "kind") == Some(from.kind)
            && text(it, "namespace") == Some(home)
    };
    let is_to =
        |it: &Node| is_core(it) && text(it, "kind") == Some(kind) && text(it, "name").is_none_or(|it| it == name);
    let mut grants = world.set.of_kind(GROUP, "ReferenceGrant").filter(|grant| world.set.home(grant) == namespace);
    let is_granted = |grant: &Object<'_>| {
        items(grant.node, ["spec", "from"]).iter().any(is_from) && items(grant.node, ["spec", "to"]).iter().any(is_to)
    };
    if !grants.any(is_granted) {
        let message = format!(
            "no ReferenceGrant in namespace {} lets {}s of {} refer to the {kind} {}",
            Quoted(namespace),
            from.kind,
            Quoted(home),
            Quoted(name)
        );
        findings.add(&GRANT, from, at, message).help(format!(
            "add a ReferenceGrant there, with `from` this group, kind and namespace and `to` the kind {kind}"
        ));
    }
}

/// The Gateway of the set that a route names.
fn gateway<'a>(world: &World<'a>, route: &Object<'_>, parent: &Node) -> Option<&'a Object<'a>> {
    if text(parent, "kind").is_some_and(|kind| kind != "Gateway") {
        return None;
    }
    let namespace = text(parent, "namespace").unwrap_or(world.set.home(route));
    let name = text(parent, "name")?;
    world.set.of_kind(GROUP, "Gateway").find(|it| it.name == name && world.set.home(it) == namespace)
}

/// The listeners of a Gateway.
fn listeners<'a>(gateway: &Object<'a>) -> &'a [Node] {
    items(gateway.node, ["spec", "listeners"])
}

/// The listener that a route asks for, by name or by port.
fn listener(gateway: &Object<'_>, route: &Object<'_>, parent: &Node, findings: &mut Findings) {
    let listeners = listeners(gateway);
    if let Some(at) = parent.get("sectionName")
        && let Some(wanted) = at.text().filter(|wanted| !wanted.is_empty())
        && !listeners.iter().any(|listener| text(listener, "name") == Some(wanted))
    {
        let names: Vec<&str> = listeners.iter().filter_map(|listener| text(listener, "name")).collect();
        let finding = findings.add(&LISTENER, route, at, format!("{gateway} has no listener {}", Quoted(wanted)));
        match nearest(wanted, names.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.label(format!("its listeners are {}", list(&names, "and"))),
        };
        finding.help("no request reaches the route otherwise");
    }
    if let Some(at) = parent.get("port")
        && let Some(wanted) = at.integer()
        && !listeners.iter().any(|listener| integer(listener, "port") == Some(wanted))
    {
        findings
            .add(&LISTENER, route, at, format!("{gateway} has no listener on port {wanted}"))
            .help("no request reaches the route otherwise");
    }
}

/// Says that a Gateway is not there, where the set has others beside it.
fn no_gateway(world: &World<'_>, route: &Object<'_>, parent: &Node, findings: &mut Findings) {
    if text(parent, "kind").is_some_and(|kind| kind != "Gateway") {
        return;
    }
    let (Some(at), Some(name)) = (parent.get("name"), text(parent, "name")) else { return };
    let namespace = text(parent, "namespace").unwrap_or(world.set.home(route));
    let beside = world.set.of_kind(GROUP, "Gateway").filter(|it| world.set.home(it) == namespace);
    let names: Vec<&str> = beside.map(|it| it.name).collect();
    if !names.is_empty() {
        let message = format!("there is no Gateway {} in namespace {}", Quoted(name), Quoted(namespace));
        let finding = findings.add(&LISTENER, route, at, message);
        match nearest(name, names.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.label(format!("expected {}", list(&names, "or"))),
        };
        finding.help("no request reaches the route otherwise");
    }
}

/// The protocols of listeners that take a kind of route: those that the Gateway API names.
fn protocols(kind: &str) -> &'static [&'static str] {
    match kind {
        "HTTPRoute" | "GRPCRoute" => &["HTTP", "HTTPS"],
        "TLSRoute" => &["TLS"],
        "TCPRoute" => &["TCP", "TLS"],
        _ => &["UDP"],
    }
}

/// Whether one of the listeners that a route may be attached to takes its kind and one of its hosts.
fn reached(gateway: &Object<'_>, route: &Object<'_>, parent: &Node, findings: &mut Findings) {
    let meant: Vec<&Node> = meant(gateway, parent).collect();
    // Protocols of an implementation's own have a domain before them.
    let is_standard = |protocol: &str| matches!(protocol, "HTTP" | "HTTPS" | "TLS" | "TCP" | "UDP");
    let takes = |listener: &&&Node| {
        text(listener, "protocol").is_none_or(|it| protocols(route.kind).contains(&it) || !is_standard(it))
    };
    let of_kind: Vec<&Node> = meant.iter().filter(takes).copied().collect();
    if !meant.is_empty() && of_kind.is_empty() {
        let at = parent.get("name").unwrap_or(parent);
        findings
            .add(&LISTENER, route, at, format!("no listener of {gateway} takes a {}", route.kind))
            .label(format!("it needs one of protocol {}", list(protocols(route.kind), "or")))
            .help("no request reaches the route otherwise");
        return;
    }
    let hosts = items(route.node, ["spec", "hostnames"]);
    let meets = |host: &str| {
        of_kind.iter().any(|listener| text(listener, "hostname").is_none_or(|own| do_hosts_meet(own, host)))
    };
    if of_kind.is_empty() || hosts.is_empty() || hosts.iter().filter_map(Node::text).any(meets) {
        return;
    }
    let own: Vec<&str> = of_kind.iter().filter_map(|listener| text(listener, "hostname")).collect();
    findings
        .add(&LISTENER, route, &hosts[0], format!("no listener of {gateway} is for this host"))
        .label(format!("its listeners are for {}", list(&own, "and")))
        .help("no request reaches the route otherwise");
}

/// Whether two hosts have one in common: a star stands for one or more labels at the front.
fn do_hosts_meet(one: &str, other: &str) -> bool {
    match (one.strip_prefix('*'), other.strip_prefix('*')) {
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
        (Some(end), None) => other.len() > end.len() && other.ends_with(end),
        (None, Some(end)) => one.len() > end.len() && one.ends_with(end),
        (None, None) => one.eq_ignore_ascii_case(other),
    }
}

/// The listeners of a Gateway that a route may be attached to.
fn meant<'a>(gateway: &Object<'a>, parent: &Node) -> impl Iterator<Item = &'a Node> {
    let (name, port) = (text(parent, "sectionName"), parent.get("port").and_then(Node::integer));
    let is_meant = move |listener: &&Node| {
        name.is_none_or(|name| text(listener, "name") == Some(name))
            && port.is_none_or(|port| integer(listener, "port") == Some(port))
    };
    listeners(gateway).iter().filter(is_meant)
}

/// Whether one of the listeners that a route may be attached to takes routes of its namespace. A selector is taken for one that
/// does: labels of namespaces come from elsewhere.
fn allowed(world: &World<'_>, gateway: &Object<'_>, route: &Object<'_>, parent: &Node, findings: &mut Findings) {
    let home = world.set.home(route);
    let takes = |listener: &Node| match text(listener, ["allowedRoutes", "namespaces", "from"]) {
        Some("All" | "Selector") => true,
        Some("None") => false,
        _ => home == world.set.home(gateway),
    };
    let mut meant = meant(gateway, parent).peekable();
    // No listener at all is told elsewhere.
    if meant.peek().is_some() && !meant.any(takes) {
        let at = parent.get("name").unwrap_or(parent);
        findings
            .add(&ALLOWED, route, at, format!("{gateway} takes no routes of namespace {}", Quoted(home)))
            .label("it takes those of its own namespace unless it says otherwise")
            .help("set `allowedRoutes.namespaces.from` of a listener to `All`, or to `Selector` with the label of the namespace");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;

    const API: &str = "apiVersion: gateway.networking.k8s.io/v1";

    fn gateway(listener: &str) -> String {
        format!(
            "{{{API}, kind: Gateway, metadata: {{name: web, namespace: edge}}, spec: {{gatewayClassName: a, listeners: \
             [{{name: http, port: 80, protocol: HTTP}}, {{name: https, port: 443, protocol: HTTPS, {listener}}}]}}}}\n\
             {{apiVersion: v1, kind: Namespace, metadata: {{name: edge}}}}\n"
        )
    }

    #[test]
    fn listeners_take_routes() {
        let secret = "tls: {certificateRefs: [{name: provided}]}";
        let all = format!("{secret}, allowedRoutes: {{namespaces: {{from: All}}}}");
        let none = format!("{secret}, allowedRoutes: {{namespaces: {{from: None}}}}");
        let selected =
            format!("{secret}, allowedRoutes: {{namespaces: {{from: Selector, selector: {{matchLabels: {{a: b}}}}}}}}");
        for (listener, namespace, parent, expected) in [
            (secret, "edge", "", ""),
            (secret, "default", "", "route-namespace"),
            (&all, "default", "", ""),
            (&all, "default", ", sectionName: https", ""),
            (&all, "default", ", sectionName: http", "route-namespace"),
            (&all, "default", ", port: 80", "route-namespace"),
            (&all, "default", ", sectionName: htttp", "route-listener"),
            (&all, "default", ", port: 8080", "route-listener"),
            (&selected, "default", "", ""),
            (&none, "edge", ", sectionName: https", "route-namespace"),
            (&none, "edge", "", ""),
        ] {
            let route = format!(
                "{{{API}, kind: HTTPRoute, metadata: {{name: r, namespace: {namespace}}}, spec: {{parentRefs: [{{name: web, \
                 namespace: edge{parent}}}]}}}}\n"
            );
            assert_eq!(broken(&(gateway(listener) + &route)).join(" "), expected, "{listener}, {namespace}, {parent}");
        }
    }

    #[test]
    fn other_namespaces_grant_what_is_theirs() {
        let grant = |kind: &str, to: &str| {
            format!(
                "{{{API}, kind: ReferenceGrant, metadata: {{name: g, namespace: shop}}, spec: {{from: [{{group: \
                 gateway.networking.k8s.io, kind: {kind}, namespace: edge}}], to: [{{group: '', {to}}}]}}}}\n"
            )
        };
        let shop = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n\
                    {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: ExternalName, \
                    externalName: a.b, ports: [{port: 80}]}}\n";
        let secret = "{apiVersion: v1, kind: Secret, metadata: {name: tls, namespace: shop}, type: kubernetes.io/tls, data: \
                      {tls.crt: YQ==, tls.key: YQ==}}\n";
        let certificate = gateway("tls: {certificateRefs: [{name: tls, namespace: shop}]}") + secret;
        let route = |rule: &str| {
            format!(
                "{{apiVersion: v1, kind: Namespace, metadata: {{name: edge}}}}\n{{{API}, kind: HTTPRoute, metadata: \
                 {{name: r, namespace: edge}}, spec: {{rules: [{{{rule}}}]}}}}\n"
            )
        };
        let backend = route("backendRefs: [{name: web, namespace: shop, port: 80}]");
        let mirror = route(
            "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, namespace: shop, port: 80}}}]",
        );
        for (referring, given, expected) in [
            (&certificate, String::new(), "route-grant"),
            (&gateway("tls: {certificateRefs: [{name: tls}]}"), String::new(), "ingress-tls-secret"),
            (&certificate, grant("Gateway", "kind: Secret"), ""),
            (&certificate, grant("Gateway", "kind: Secret, name: other"), "route-grant"),
            (&certificate, grant("HTTPRoute", "kind: Secret"), "route-grant"),
            (&backend, String::new(), "route-grant"),
            (&backend, grant("HTTPRoute", "kind: Service, name: web"), ""),
            (&mirror, String::new(), "route-grant"),
            (&mirror, grant("HTTPRoute", "kind: Service"), ""),
            (
                &route("backendRefs: [{name: web, namespace: shop, port: 81}]"),
                grant("HTTPRoute", "kind: Service"),
                "ingress-service",
            ),
        ] {
            assert_eq!(broken(&(shop.to_owned() + referring + &given)).join(" "), expected, "{referring}{given}");
        }
    }
}
