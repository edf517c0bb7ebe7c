//! Services, Endpoints and EndpointSlices.

use super::judge::{Form, Judge, PORTS, PROTOCOLS, text_or_empty};
use super::selectors;
use crate::fields::{filled_text, given, items};
use crate::rule::{Rule, rules};
use std::collections::HashSet;
use vigil_forms::address::{Network, ip};
use vigil_forms::name::{is_dns1123_label, is_dns1123_subdomain, is_port_name, is_qualified_name};
use vigil_yaml::{Node, Quoted};

rules! {
    TYPE "service-type" Error Server "every Service has the fields of its type, and no others"
    PORT "service-port" Error Server "every port of a Service is valid"
    DUPLICATE_PORT "service-port-duplicate" Error Server "the ports of a Service are unique by name, and by number and protocol"
    NODE_PORT "service-node-port" Warning Server "every `nodePort` is in the default range, 30000 to 32767"
    ADDRESS "service-address" Error Server "every IP address of a Service is valid"
    TRAFFIC "service-traffic" Error Server "traffic policies and session affinity of a Service are valid"
    ENDPOINTS "endpoints" Error Server "Endpoints and EndpointSlices have valid addresses and ports"
}

pub(super) const LABEL: Form =
    (is_dns1123_label, "a DNS label", "at most 63 of `a-z`, `0-9` and `-`, without `-` at the ends");
pub(super) const PORT_NAME: Form =
    (is_port_name, "the name of a port", "at most 15 of `a-z`, `0-9` and single `-`, at least one a letter");
const QUALIFIED: Form = (is_qualified_name, "the name of a protocol", "such as `http` or `example.com/name`");
const IP: Form = (|text| ip(text).is_some(), "an IP address", "such as `192.0.2.1` or `fd00::1`");
const RANGE: Form = (|text| Network::parse(text.trim()).is_ok(), "a range of addresses", "such as `10.0.0.0/8`");

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    match (object.group, object.kind) {
        ("", "Service") => service(judge),
        ("", "Endpoints") => endpoints(judge),
        ("discovery.k8s.io", "EndpointSlice") => slice(judge),
        _ => {}
    }
}

fn service(judge: &mut Judge<'_, '_>) {
    let Some(spec) = judge.object.at(&["spec"]) else {
        let node = judge.object.node;
        judge.within(&PORT, node, "`spec` is missing").help("a Service needs at least one port");
        return;
    };
    judge.one_of(&TYPE, spec.get("type"), &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]);
    let Some(kind) = text_or_empty(spec, "type").map(|kind| if kind.is_empty() { "ClusterIP" } else { kind }) else {
        return;
    };
    let headless = spec.get("clusterIP").and_then(Node::text) == Some("None");
    if items(spec, "ports").is_empty() && !headless && kind != "ExternalName" {
        judge
            .within(&PORT, spec, "the Service has no port")
            .label("expected `ports`")
            .help("name a port, or make the Service headless with `clusterIP: None`");
    }
    selectors::labels(judge, spec.get("selector"));
    ports(judge, spec, kind);
    of_type(judge, spec, kind, headless);
    addresses(judge, spec, kind);
    traffic(judge, spec, kind);
}

fn ports(judge: &mut Judge<'_, '_>, spec: &Node, kind: &str) {
    let ports = items(spec, "ports");
    let (mut names, mut numbers, mut node_ports) = (HashSet::new(), HashSet::new(), HashSet::new());
    for port in ports {
        let protocol = port.get("protocol").and_then(filled_text).unwrap_or("TCP");
        match port.get("name").and_then(filled_text) {
            Some(name) if !names.insert(name) => {
                let message = format!("an earlier port is called {} too", Quoted(name));
                judge.add(&DUPLICATE_PORT, port.get("name").unwrap_or(port), message).help("give each its own name");
            }
            None if ports.len() > 1 && text_or_empty(port, "name").is_some() => {
                judge
                    .within(&DUPLICATE_PORT, port, "a port without a name among several")
                    .label("expected `name`")
                    .help("a Service with more than one port names each of them");
            }
            _ => judge.form(&PORT, port.get("name"), LABEL),
        }
        judge.one_of(&PORT, port.get("protocol"), PROTOCOLS);
        judge.range(&PORT, port.get("port"), PORTS);
        judge.form(&PORT, port.get("appProtocol"), QUALIFIED);
        judge.not_empty(&PORT, port, "appProtocol");
        // Zero is taken for the port itself.
        judge.range(&PORT, port.get("targetPort"), 0..=65535);
        judge.form(&PORT, port.get("targetPort"), PORT_NAME);
        if let Some(number) = given(port, "port")
            .filter(|number| number.integer().is_some_and(|number| !numbers.insert((protocol, number))))
        {
            let message = format!("an earlier port has this number and {protocol} too");
            judge.add(&DUPLICATE_PORT, number, message).help("remove one of the two");
        }
        node_port(judge, port, protocol, kind, &mut node_ports);
    }
}

fn node_port<'n>(
    judge: &mut Judge<'_, '_>,
    port: &'n Node,
    protocol: &'n str,
    kind: &str,
    seen: &mut HashSet<(&'n str, i64)>,
) {
    let Some((entry, number)) = port
        .entry("nodePort")
        .and_then(|entry| Some((entry, entry.value.integer()?)))
        .filter(|(_, number)| *number != 0)
    else {
        return;
    };
    if kind == "ClusterIP" {
        judge
            .add(&TYPE, entry, "`nodePort` in a Service of type `ClusterIP`")
            .help("remove it, or make the type `NodePort` or `LoadBalancer`");
        return;
    }
    if !seen.insert((protocol, number)) {
        let message = format!("an earlier port has this node port and {protocol} too");
        judge.add(&DUPLICATE_PORT, &entry.value, message).help("a node port leads to one port");
    }
    if !(30000..=32767).contains(&number) {
        judge
            .add(&NODE_PORT, &entry.value, format!("`{number}` is not in the usual range of node ports"))
            .label("expected 30000 to 32767")
            .help("an API server refuses it unless its `--service-node-port-range` was widened");
    }
}

/// Fields that belong to some types only.
fn of_type(judge: &mut Judge<'_, '_>, spec: &Node, kind: &str, headless: bool) {
    if headless && matches!(kind, "NodePort" | "LoadBalancer") {
        judge
            .add(&TYPE, spec.get("clusterIP").unwrap_or(spec), format!("a Service of type `{kind}` cannot be headless"))
            .help("remove `clusterIP`, or make the type `ClusterIP`");
    }
    if kind == "ExternalName" {
        if judge.need(&TYPE, spec, "externalName")
            && let Some(name) = spec.get("externalName").and_then(Node::text)
            && !is_dns1123_subdomain(name.strip_suffix('.').unwrap_or(name))
        {
            let node = spec.get("externalName").unwrap_or(spec);
            judge
                .add(&TYPE, node, format!("{} is not a DNS name", Quoted(name)))
                .help("name a host, not an address or URL");
        }
        let keys = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];
        judge.forbid(&TYPE, spec, &keys, "has no place in a Service of type `ExternalName`");
    }
    if kind != "LoadBalancer" {
        let keys = ["loadBalancerClass", "loadBalancerSourceRanges", "allocateLoadBalancerNodePorts"];
        judge.forbid(&TYPE, spec, &keys, &format!("is for the type `LoadBalancer`, and this is `{kind}`"));
    }
    judge.not_empty(&TYPE, spec, "loadBalancerClass");
    let external =
        matches!(kind, "NodePort" | "LoadBalancer") || kind == "ClusterIP" && !items(spec, "externalIPs").is_empty();
    if !external {
        let why = format!("is for Services that can be reached from outside, and this is `{kind}`");
        judge.forbid(&TYPE, spec, &["externalTrafficPolicy"], &why);
    }
    let local = spec.get("externalTrafficPolicy").and_then(Node::text) == Some("Local");
    if spec.get("healthCheckNodePort").and_then(Node::integer) != Some(0) && !(kind == "LoadBalancer" && local) {
        let why = "is for the type `LoadBalancer` with `externalTrafficPolicy: Local`";
        judge.forbid(&TYPE, spec, &["healthCheckNodePort"], why);
    }
}

fn addresses(judge: &mut Judge<'_, '_>, spec: &Node, kind: &str) {
    let is_empty = |address: &&Node| address.is_null() || address.text() == Some("");
    for address in items(spec, "externalIPs").iter().filter(is_empty) {
        judge.add(&ADDRESS, address, "an empty item").help("remove it");
    }
    for address in items(spec, "externalIPs") {
        judge.form(&ADDRESS, Some(address), IP);
        if let Some(own) = address.text().and_then(ip)
            && (own.is_loopback() || own.is_unspecified() || own.is_multicast())
        {
            judge
                .add(&ADDRESS, address, "an address that nobody outside can ask")
                .label("expected none of the loopback, `0.0.0.0` or a multicast address");
        }
    }
    for range in items(spec, "loadBalancerSourceRanges") {
        judge.form(&ADDRESS, Some(range), RANGE);
    }
    judge.set_to_one_of(&ADDRESS, spec.get("ipFamilyPolicy"), &["SingleStack", "PreferDualStack", "RequireDualStack"]);
    let families = items(spec, "ipFamilies");
    if let Some(node) = spec.get("ipFamilyPolicy").filter(|node| node.text() == Some("SingleStack"))
        && families.len() > 1
    {
        judge
            .add(&ADDRESS, node, format!("`SingleStack` with {} families", families.len()))
            .label("expected `PreferDualStack` or `RequireDualStack`");
    }
    let mut seen = HashSet::new();
    for family in families {
        judge.set_to_one_of(&ADDRESS, Some(family), &["IPv4", "IPv6"]);
        if family.text().is_some_and(|text| !seen.insert(text)) {
            judge.add(&ADDRESS, family, "the same family twice").help("name each family once");
        }
    }
    if kind == "ExternalName" {
        return;
    }
    let first = spec.get("clusterIP").and_then(filled_text);
    let cluster_ips = items(spec, "clusterIPs");
    if first != Some("None") {
        judge.form(&ADDRESS, spec.get("clusterIP"), IP);
        for address in cluster_ips {
            judge.form(&ADDRESS, Some(address), IP);
        }
    }
    let Some(given) = cluster_ips.first().filter(|_| text_or_empty(spec, "clusterIP").is_some()) else { return };
    if given.text().is_some_and(|given| Some(given) != first) {
        judge
            .add(&ADDRESS, given, "`clusterIPs` does not begin with the address of `clusterIP`")
            .help("name the address in both, or in `clusterIP` alone");
    }
    let versions: Vec<bool> = cluster_ips.iter().filter_map(|node| Some(ip(node.text()?)?.is_ipv4())).collect();
    if cluster_ips.len() > 2 || versions.len() == 2 && versions[0] == versions[1] {
        judge.add(&ADDRESS, given, "more than one address of a family").help("name at most one for each family");
    }
}

fn traffic(judge: &mut Judge<'_, '_>, spec: &Node, kind: &str) {
    if matches!(kind, "NodePort" | "LoadBalancer") || !items(spec, "externalIPs").is_empty() {
        judge.one_of(&TRAFFIC, spec.get("externalTrafficPolicy"), &["Cluster", "Local"]);
    }
    judge.set_to_one_of(&TRAFFIC, spec.get("internalTrafficPolicy"), &["Cluster", "Local"]);
    judge.set_to_one_of(
        &TRAFFIC,
        spec.get("trafficDistribution"),
        &["PreferClose", "PreferSameZone", "PreferSameNode"],
    );
    judge.one_of(&TRAFFIC, spec.get("sessionAffinity"), &["None", "ClientIP"]);
    if spec.get("sessionAffinity").and_then(Node::text) == Some("ClientIP") {
        judge.range(&TRAFFIC, spec.at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]), 1..=86400);
    }
    judge.range(&TRAFFIC, spec.get("healthCheckNodePort"), 0..=65535);
}

fn endpoints(judge: &mut Judge<'_, '_>) {
    for subset in items(judge.object.node, "subsets") {
        let addresses = || ["addresses", "notReadyAddresses"].into_iter().flat_map(|key| items(subset, key));
        if addresses().next().is_none() {
            judge
                .within(&ENDPOINTS, subset, "a subset without an address")
                .label("expected `addresses` or `notReadyAddresses`");
        }
        for address in addresses() {
            judge.form(&ENDPOINTS, address.get("ip"), IP);
        }
        let ports = items(subset, "ports");
        for port in ports {
            endpoint_port(judge, port, &ENDPOINTS);
            judge.range(&ENDPOINTS, port.get("port"), PORTS);
            if ports.len() > 1 && text_or_empty(port, "name") == Some("") {
                judge.within(&ENDPOINTS, port, "a port without a name among several").label("expected `name`");
            }
        }
    }
}

fn endpoint_port(judge: &mut Judge<'_, '_>, port: &Node, rule: &'static Rule) {
    judge.form(rule, port.get("name"), LABEL);
    judge.one_of(rule, port.get("protocol"), PROTOCOLS);
    judge.form(rule, port.get("appProtocol"), QUALIFIED);
}

fn slice(judge: &mut Judge<'_, '_>) {
    let node = judge.object.node;
    judge.one_of(&ENDPOINTS, node.get("addressType"), &["IPv4", "IPv6", "FQDN"]);
    let family = match node.get("addressType").and_then(Node::text) {
        Some("IPv4") => Some(true),
        Some("IPv6") => Some(false),
        _ => None,
    };
    for endpoint in items(node, "endpoints") {
        judge.need(&ENDPOINTS, endpoint, "addresses");
        judge.dns_subdomain(&ENDPOINTS, endpoint, "nodeName");
        for address in items(endpoint, "addresses") {
            let text = if address.is_null() { Some("") } else { address.text() };
            let (Some(family), Some(text)) = (family, text) else { continue };
            if ip(text).is_none_or(|address| address.is_ipv4() != family) {
                let what = if family { "an IPv4" } else { "an IPv6" };
                judge.add(&ENDPOINTS, address, format!("{} is not {what} address", Quoted(text)));
            }
        }
    }
    let mut names = HashSet::new();
    for port in items(node, "ports") {
        endpoint_port(judge, port, &ENDPOINTS);
        if let Some(name) = text_or_empty(port, "name").filter(|name| !names.insert(*name)) {
            let message = if name.is_empty() {
                "an earlier port has no name either".to_owned()
            } else {
                format!("an earlier port is called {} too", Quoted(name))
            };
            judge.within(&ENDPOINTS, port, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::{ADDRESS, DUPLICATE_PORT, NODE_PORT, PORT, TRAFFIC, TYPE};

    #[test]
    fn services_at_their_edges() {
        for (spec, rule, times) in [
            ("{ports: [{port: 1}]}", &PORT, 0),
            ("{ports: [{port: 65535, targetPort: 0}]}", &PORT, 0),
            ("{ports: [{port: 0}]}", &PORT, 1),
            ("{ports: [{port: 65536}]}", &PORT, 1),
            ("{ports: [{port: 80, targetPort: '80'}]}", &PORT, 1),
            ("{ports: [{port: 80, targetPort: a--b}]}", &PORT, 1),
            ("{ports: [{port: 80, name: '', protocol: '', targetPort: ''}]}", &PORT, 0),
            ("{ports: []}", &PORT, 1),
            ("{ports: null, clusterIP: None}", &PORT, 0),
            ("{type: ExternalName, externalName: a.b}", &PORT, 0),
            ("{ports: [{port: 53, name: a}, {port: 53, name: b, protocol: UDP}]}", &DUPLICATE_PORT, 0),
            ("{ports: [{port: 53, name: a}, {port: 53, name: b, protocol: TCP}]}", &DUPLICATE_PORT, 1),
            ("{ports: [{port: 53, name: a}, {port: 54, name: ''}]}", &DUPLICATE_PORT, 1),
            ("{type: NodePort, ports: [{port: 80, nodePort: 30000}]}", &NODE_PORT, 0),
            ("{type: NodePort, ports: [{port: 80, nodePort: 29999}]}", &NODE_PORT, 1),
            ("{type: LoadBalancer, ports: [{port: 80, nodePort: 32768}]}", &NODE_PORT, 1),
            ("{ports: [{port: 80, nodePort: 0}]}", &TYPE, 0),
            ("{ports: [{port: 80}], externalTrafficPolicy: Local}", &TYPE, 1),
            ("{ports: [{port: 80}], externalTrafficPolicy: Local, externalIPs: [192.0.2.1]}", &TYPE, 0),
            ("{ports: [{port: 80}], externalTrafficPolicy: ''}", &TYPE, 0),
            ("{type: LoadBalancer, ports: [{port: 80}], healthCheckNodePort: 30001}", &TYPE, 1),
            ("{ports: [{port: 80}], loadBalancerSourceRanges: []}", &TYPE, 0),
            ("{type: ExternalName, externalName: a.b., clusterIP: ''}", &TYPE, 0),
            ("{type: ExternalName, externalName: ''}", &TYPE, 1),
            ("{type: ExternalName, externalName: a.b, clusterIP: None}", &TYPE, 1),
            ("{ports: [{port: 80}], clusterIP: '', clusterIPs: []}", &ADDRESS, 0),
            ("{ports: [{port: 80}], clusterIP: None, clusterIPs: [None]}", &ADDRESS, 0),
            ("{ports: [{port: 80}], clusterIP: 010.0.0.1}", &ADDRESS, 0),
            ("{type: LoadBalancer, ports: [{port: 80}], loadBalancerSourceRanges: [' 10.0.0.0/8 ']}", &ADDRESS, 0),
            ("{ports: [{port: 80}], ipFamilies: [IPv6, IPv6]}", &ADDRESS, 1),
            ("{ports: [{port: 80}], sessionAffinity: None}", &TRAFFIC, 0),
            ("{ports: [{port: 80}], trafficDistribution: PreferClose}", &TRAFFIC, 0),
        ] {
            broken(&format!("apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {spec}\n"), rule, times);
        }
    }
}
