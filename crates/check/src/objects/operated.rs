//! What prometheus-operator leaves out although an API server takes it: monitors that it makes no configuration of.
//!
//! Source: `pkg/prometheus/resource_selector.go` and `pkg/prometheus/validation` of prometheus-operator 0.93, and the
//! `Validate` functions of its API types 0.87. Label names are not judged: Prometheus 3 takes every one.

use super::judge::Judge;
use super::{scraping, selectors};
use crate::fields::{filled, given, items};
use crate::object::MONITORING;
use crate::relabeling::{self, Wrong};
use crate::rule::rules;
use crate::schema::pattern::is_expression;
use vigil_forms::{address, url};
use vigil_yaml::words::list;
use vigil_yaml::{Entry, Node, Quoted};

rules! {
    RELABELING "monitor-relabeling" Error Operator "every relabeling is one that prometheus-operator accepts"
    PROBE "probe" Error Operator "every Probe has targets, and a `prober.url` that is a host or `host:port`"
    NUMBER "operator-number" Error Operator "no number is negative that prometheus-operator reads without a sign"
    SELECTOR "monitor-selector-syntax" Error Operator "every label selector of prometheus-operator's objects is one that it reads"
    AUTHENTICATION "monitor-authentication" Error Operator "every scrape has at most one authentication method, and complete TLS settings"
}

/// Where a kind says what is scraped.
struct Scraped {
    kind: &'static str,
    /// The list of its endpoints; the spec itself where there is none.
    endpoints: Option<&'static str>,
    /// The lists of relabelings of an endpoint.
    relabelings: &'static [&'static [&'static str]],
}

const SCRAPED: &[Scraped] = &[
    Scraped {
        kind: "ServiceMonitor",
        endpoints: Some("endpoints"),
        relabelings: &[&["relabelings"], &["metricRelabelings"]],
    },
    Scraped {
        kind: "PodMonitor",
        endpoints: Some("podMetricsEndpoints"),
        relabelings: &[&["relabelings"], &["metricRelabelings"]],
    },
    Scraped {
        kind: "Probe",
        endpoints: None,
        relabelings: &[
            &["metricRelabelings"],
            &["targets", "staticConfig", "relabelingConfigs"],
            &["targets", "ingress", "relabelingConfigs"],
        ],
    },
    Scraped { kind: "ScrapeConfig", endpoints: None, relabelings: &[&["relabelings"], &["metricRelabelings"]] },
];

/// Where a kind has selectors, of which a server knows the form alone.
const SELECTORS: &[(&str, &[&[&str]])] = &[
    ("ServiceMonitor", &[&["selector"]]),
    ("PodMonitor", &[&["selector"]]),
    ("Probe", &[&["targets", "ingress", "selector"]]),
    ("Prometheus", PROMETHEUS),
    ("PrometheusAgent", PROMETHEUS),
    ("Alertmanager", &[&["alertmanagerConfigSelector"], &["alertmanagerConfigNamespaceSelector"]]),
    ("ThanosRuler", &[&["ruleSelector"], &["ruleNamespaceSelector"]]),
];

const PROMETHEUS: &[&[&str]] = &[
    &["serviceMonitorSelector"],
    &["serviceMonitorNamespaceSelector"],
    &["podMonitorSelector"],
    &["podMonitorNamespaceSelector"],
    &["probeSelector"],
    &["probeNamespaceSelector"],
    &["scrapeConfigSelector"],
    &["scrapeConfigNamespaceSelector"],
    &["ruleSelector"],
    &["ruleNamespaceSelector"],
];

/// Where a Prometheus itself has relabelings: in the items of a list.
const OWN: &[(&[&str], &[&str])] = &[
    (&["remoteWrite"], &["writeRelabelConfigs"]),
    (&["scrapeClasses"], &["relabelings", "metricRelabelings"]),
    (&["alerting", "alertmanagers"], &["relabelings", "alertRelabelings"]),
];

pub(super) fn check(judge: &mut Judge<'_, '_>) {
    if judge.object.group != MONITORING {
        return;
    }
    let Some(spec) = judge.object.at(&["spec"]) else { return };
    let kind = judge.object.kind;
    for scraped in SCRAPED.iter().filter(|scraped| scraped.kind == kind) {
        let endpoints = scraped.endpoints.map_or(std::slice::from_ref(spec), |list| items(spec, list));
        for endpoint in endpoints {
            authentication(judge, endpoint);
            scraping::proxy(judge, endpoint);
        }
    }
    for rule in relabelings(kind, spec) {
        relabeling(judge, rule);
    }
    let selectors = SELECTORS.iter().filter(|(of, _)| *of == kind).flat_map(|(_, paths)| *paths);
    for selector in selectors.filter_map(|path| given(spec, *path)) {
        let before = judge.findings.list.len();
        selectors::selector(judge, selector);
        // A server looks at its form alone.
        judge.findings.list[before..].iter_mut().for_each(|finding| finding.rule = &SELECTOR);
    }
    unsigned(judge, spec);
    match kind {
        "Probe" => probe(judge, spec),
        "AlertmanagerConfig" => {
            let integrations = items(spec, "receivers").iter().flat_map(Node::entries);
            let configs = integrations.flat_map(|entry| entry.value.items());
            for client in configs.filter_map(|config| given(config, "httpConfig")) {
                authentication(judge, client);
                scraping::proxy(judge, client);
            }
        }
        "ScrapeConfig" => scraping::check(judge, spec),
        _ => {}
    }
    if matches!(kind, "Prometheus" | "PrometheusAgent") {
        for (list, keys) in OWN {
            for item in items(spec, *list) {
                for rule in keys.iter().flat_map(|key| items(item, *key)) {
                    relabeling(judge, rule);
                }
            }
        }
    }
}

/// The relabelings of an object of a kind that is scraped.
pub(crate) fn relabelings<'n>(kind: &str, spec: &'n Node) -> impl Iterator<Item = &'n Node> {
    SCRAPED.iter().filter(move |scraped| scraped.kind == kind).flat_map(move |scraped| {
        let endpoints = scraped.endpoints.map_or(std::slice::from_ref(spec), |list| items(spec, list));
        let of_endpoint = |endpoint: &'n Node| scraped.relabelings.iter().flat_map(move |path| items(endpoint, *path));
        endpoints.iter().flat_map(of_endpoint)
    })
}

/// The numbers that the operator reads without a sign: `uint64` and `uint32` of its API types 0.87.
const UNSIGNED: [&str; 15] = [
    "sampleLimit",
    "targetLimit",
    "labelLimit",
    "labelNameLengthLimit",
    "labelValueLengthLimit",
    "keepDroppedTargets",
    "nativeHistogramBucketLimit",
    "modulus",
    "enforcedSampleLimit",
    "enforcedTargetLimit",
    "enforcedLabelLimit",
    "enforcedLabelNameLengthLimit",
    "enforcedLabelValueLengthLimit",
    "enforcedKeepDroppedTargets",
    "getConcurrency",
];

/// Numbers below zero where there are none: the definition lets them pass.
fn unsigned(judge: &mut Judge<'_, '_>, spec: &Node) {
    let kind = judge.object.kind;
    spec.visit_fields(&mut |Entry { key, value }| {
        if UNSIGNED.contains(&key.text.as_str()) && value.integer().is_some_and(|number| number < 0) {
            judge
                .add(&NUMBER, value, format!("`{}` is negative", key.text))
                .label("expected 0 or more")
                .help(format!("remove it for no limit: with it the operator can read no {kind} of the cluster"));
        }
    });
}

/// What follows for an object of a kind.
pub(super) fn effect(kind: &str) -> String {
    match kind {
        "Prometheus" | "PrometheusAgent" => "Prometheus does not load its configuration".to_owned(),
        kind => format!("the operator leaves out the whole {kind}"),
    }
}

fn relabeling(judge: &mut Judge<'_, '_>, rule: &Node) {
    let kind = judge.object.kind;
    if let Some((node, regex)) = filled(rule, "regex")
        && !is_expression(regex)
    {
        judge
            .add(&RELABELING, node, format!("{} is not a valid regular expression", Quoted(regex)))
            .label(effect(kind))
            .help("expected the syntax of Go's `regexp`, which is RE2: without look-around and backreferences");
    }
    let action = relabeling::action(rule);
    for wrong in relabeling::OF_OPERATOR.wrong(rule) {
        match wrong {
            // The schema knows the actions.
            Wrong::Action(_) => {}
            Wrong::NoModulus => {
                judge.within(&RELABELING, rule, format!("action `{action}` without `modulus`")).label(effect(kind));
            }
            Wrong::NoTarget => {
                let message = format!("action `{action}` without `targetLabel`");
                judge.within(&RELABELING, rule, message).label(effect(kind)).help(match given(rule, "action") {
                    Some(_) => "name the label that the result is written to, or compared with",
                    None => "name the label that the result is written to; `replace` is the action where none is given",
                });
            }
            Wrong::Unused(entry, used) => {
                judge
                    .add(&RELABELING, entry, format!("`{}` beside action `{action}`", entry.key.text))
                    .label(format!("expected only {}", list(&used, "and")))
                    .help(format!("remove it: {}", effect(kind)));
            }
        }
    }
}

/// The ways in which Prometheus can show who it is.
const METHODS: &[&str] = &["authorization", "basicAuth", "bearerTokenSecret", "bearerTokenFile", "oauth2"];

pub(super) fn authentication(judge: &mut Judge<'_, '_>, endpoint: &Node) {
    let kind = judge.object.kind;
    let is_given = |key: &str| match key {
        // Older operators wrote an empty one into every monitor.
        "bearerTokenSecret" => filled(endpoint, [key, "key"]).is_some(),
        "bearerTokenFile" => filled(endpoint, key).is_some(),
        _ => given(endpoint, key).is_some(),
    };
    let mut methods = METHODS.iter().filter(|key| is_given(key));
    if let (Some(first), Some(entry)) = (methods.next(), methods.next().and_then(|key| endpoint.entry(key))) {
        let message = format!("`{}` beside `{first}`", entry.key.text);
        judge
            .add(&AUTHENTICATION, entry, message)
            .label("expected one method of authentication")
            .help(format!("remove one of the two: {}", effect(kind)));
    }
    if let Some(basic) = given(endpoint, "basicAuth") {
        for key in ["username", "password"] {
            if filled(basic, [key, "name"]).is_none() {
                judge
                    .within(&AUTHENTICATION, basic, format!("`basicAuth` without `{key}`"))
                    .label(format!("expected `{key}` with the `name` and `key` of a Secret"))
                    .help(format!("add it, and where it is empty a key with an empty value: {}", effect(kind)));
            }
        }
    }
    if let Some((node, method)) = filled(endpoint, ["authorization", "type"])
        && method.trim().eq_ignore_ascii_case("basic")
    {
        judge
            .add(&AUTHENTICATION, node, format!("`authorization` of type {}", Quoted(method)))
            .label("expected another type, or none for `Bearer`")
            .help(format!("write `basicAuth` with `username` and `password`: {}", effect(kind)));
    }
    if let Some(authorization) = given(endpoint, "authorization")
        && matches!(kind, "PodMonitor" | "AlertmanagerConfig")
        && given(authorization, "credentials").is_none()
    {
        judge
            .within(&AUTHENTICATION, authorization, "`authorization` without credentials")
            .label("expected `credentials` with `name` and `key`")
            .help(effect(kind));
    }
    if let Some(oauth2) = given(endpoint, "oauth2") {
        let id = given(oauth2, "clientId");
        if id.is_some_and(|id| given(id, "secret").is_none() && given(id, "configMap").is_none()) {
            judge
                .within(&AUTHENTICATION, oauth2, "`oauth2` without a client")
                .label("expected `clientId` with `secret` or `configMap`")
                .help(effect(kind));
        }
        if let Some(id) = id {
            one_source(judge, id, "clientId");
        }
        if let Some(tls) = given(oauth2, "tlsConfig") {
            tls_settings(judge, tls);
        }
    }
    if let Some(tls) = given(endpoint, "tlsConfig") {
        tls_settings(judge, tls);
    }
}

/// A Secret or a ConfigMap, and not both.
fn one_source(judge: &mut Judge<'_, '_>, node: &Node, key: &str) {
    if given(node, "configMap").is_some()
        && let Some(entry) = node.entry("secret").filter(|entry| !entry.value.is_null())
    {
        let kind = judge.object.kind;
        judge
            .add(&AUTHENTICATION, entry, format!("`secret` beside `configMap` in `{key}`"))
            .label("expected one of the two")
            .help(format!("remove one: {}", effect(kind)));
    }
}

fn tls_settings(judge: &mut Judge<'_, '_>, tls: &Node) {
    let kind = judge.object.kind;
    let is_given = |key: &str| given(tls, key).is_some_and(|node| node.text() != Some("") && !is_empty(node));
    for (file, reference) in [("caFile", "ca"), ("certFile", "cert"), ("keyFile", "keySecret")] {
        if let Some(entry) = tls.entry(file).filter(|_| is_given(file) && is_given(reference)) {
            judge
                .add(&AUTHENTICATION, entry, format!("`{file}` beside `{reference}`"))
                .label("expected one of the two")
                .help(format!("remove one: {}", effect(kind)));
        }
    }
    for key in ["ca", "cert"] {
        if let Some(node) = given(tls, key) {
            one_source(judge, node, key);
        }
    }
    let certificate = ["certFile", "cert"].into_iter().find(|key| is_given(key));
    let private = ["keyFile", "keySecret"].into_iter().find(|key| is_given(key));
    let half = match (certificate, private) {
        (Some(certificate), None) => Some((certificate, "`keySecret`")),
        (None, Some(private)) => Some((private, "`cert`")),
        _ => None,
    };
    if let Some((key, missing)) = half
        && let Some(entry) = tls.entry(key)
    {
        judge
            .add(&AUTHENTICATION, entry, format!("`{key}` without {missing}"))
            .label(format!("expected {missing} too"))
            .help(format!("a client certificate needs its key: {}", effect(kind)));
    }
    if let (Some((_, least)), Some((node, most))) = (filled(tls, "minVersion"), filled(tls, "maxVersion"))
        && most < least
    {
        judge
            .add(&AUTHENTICATION, node, format!("{} is below `minVersion`", Quoted(most)))
            .label(format!("expected {} or newer", Quoted(least)))
            .help(format!("raise it, or leave it out: {}", effect(kind)));
    }
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.data, vigil_yaml::Data::Map(entries) if entries.is_empty())
}

fn probe(judge: &mut Judge<'_, '_>, spec: &Node) {
    let kind = judge.object.kind;
    if let Some(prober) = given(spec, "prober") {
        scraping::proxy(judge, prober);
    }
    let targets = given(spec, "targets");
    if targets.is_none_or(|targets| given(targets, "staticConfig").is_none() && given(targets, "ingress").is_none()) {
        judge
            .within(&PROBE, targets.unwrap_or(spec), "a Probe without targets")
            .label("expected `targets` with `staticConfig` or `ingress`")
            .help(format!("say what is probed: {}", effect(kind)));
    }
    if let Some((node, text)) = filled(spec, ["prober", "url"])
        && !is_prober(text)
    {
        let finding = judge.add(&PROBE, node, format!("{} is not `host` or `host:port`", Quoted(text)));
        finding.label(effect(kind));
        let host = url::Url::split(text).map(|url| (url.scheme, url.authority));
        match host {
            Some((scheme, authority)) if matches!(scheme, "http" | "https") => {
                let port = authority.port.map(|port| format!(":{port}")).unwrap_or_default();
                finding.help(format!("write `{}{port}`, and `scheme: {scheme}` and `path` beside it", authority.host))
            }
            _ => finding.help("the scheme and the path are `prober.scheme` and `prober.path`"),
        };
    }
}

/// Whether a text is what the operator takes for the address of a prober.
fn is_prober(text: &str) -> bool {
    if address::ip(text).is_some() {
        return true;
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        Some((host, port)) => {
            return address::ip(host).is_some() && url::port_number(port).is_some_and(|port| port > 0);
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_part =
        |part: &str| part.len() <= 63 && part.starts_with(of_name) && part.chars().all(|c| of_name(c) || c == '-');
    let name = host.strip_suffix(['.', '_']).unwrap_or(host);
    let is_host = address::ip(host).is_some() || (host.len() <= 255 && name.split('.').all(is_part));
    is_host && port.is_none_or(|port| url::port_number(port).is_some_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, holds};
    use super::{AUTHENTICATION, PROBE, RELABELING, is_prober};

    fn monitor(endpoint: &str) -> String {
        format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {{name: a}}\n\
             spec: {{selector: {{}}, endpoints: [{{port: a, {endpoint}}}]}}\n"
        )
    }

    #[test]
    fn relabelings_have_what_their_action_needs() {
        for (rule, times) in [
            ("{sourceLabels: [a], regex: \"(go|py_.*\", action: drop}", 1),
            ("{sourceLabels: [a], regex: '(?!a)b', action: keep}", 1),
            ("{sourceLabels: [a], regex: '[[:alpha:]]+\\d', action: keep}", 0),
            ("{sourceLabels: [a]}", 1),
            ("{sourceLabels: [a], targetLabel: b}", 0),
            ("{sourceLabels: [a], action: DropEqual}", 1),
            ("{sourceLabels: [a], action: KeepEqual, targetLabel: b, separator: ',', regex: '(.*)'}", 1),
            ("{sourceLabels: [a], action: hashmod, targetLabel: b}", 1),
            ("{sourceLabels: [a], action: HashMod, targetLabel: b, modulus: 4}", 0),
            ("{action: labeldrop, regex: pod, replacement: $1}", 0),
            ("{action: labeldrop, regex: pod, replacement: x, sourceLabels: [a]}", 2),
            ("{action: labelkeep, regex: pod, modulus: 3}", 1),
            ("{action: lowercase, sourceLabels: [a], targetLabel: b, replacement: x}", 1),
            ("{action: labelmap, regex: a_(.+)}", 0),
        ] {
            for key in ["relabelings", "metricRelabelings"] {
                broken(&monitor(&format!("{key}: [{rule}]")), &RELABELING, times);
            }
            let prometheus = format!(
                "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {{name: a}}\n\
                 spec: {{remoteWrite: [{{url: 'http://a', writeRelabelConfigs: [{rule}]}}]}}\n"
            );
            broken(&prometheus, &RELABELING, times);
        }
    }

    #[test]
    fn one_method_of_authentication_and_whole_certificates() {
        for (endpoint, times) in [
            ("authorization: {credentials: {name: a, key: b}}, oauth2: {}", 1),
            (
                "basicAuth: {username: {name: a, key: b}, password: {name: a, key: c}}, bearerTokenSecret: {key: \"\"}",
                0,
            ),
            (
                "basicAuth: {username: {name: a, key: b}, password: {name: a, key: c}}, bearerTokenSecret: {name: a, key: b}",
                1,
            ),
            ("basicAuth: {username: {name: a, key: b}}", 1),
            ("basicAuth: {}", 2),
            ("bearerTokenFile: /a, authorization: {}", 1),
            ("tlsConfig: {cert: {secret: {name: a, key: b}}}", 1),
            ("tlsConfig: {keySecret: {name: a, key: b}}", 1),
            ("tlsConfig: {certFile: /a, keySecret: {name: a, key: b}, cert: {}}", 0),
            ("tlsConfig: {caFile: /a, ca: {secret: {name: a, key: b}}}", 1),
            ("tlsConfig: {ca: {secret: {name: a, key: b}, configMap: {name: a, key: b}}}", 1),
            ("tlsConfig: {minVersion: TLS13, maxVersion: TLS12}", 1),
            ("tlsConfig: {minVersion: TLS12, maxVersion: TLS12}", 0),
        ] {
            broken(&monitor(endpoint), &AUTHENTICATION, times);
        }
    }

    #[test]
    fn probers_are_hosts_with_or_without_a_port() {
        for (text, expected) in [
            ("blackbox", true),
            ("blackbox.monitoring.svc:9115", true),
            ("Black_Box.example.com.", true),
            ("10.0.0.1:9115", true),
            ("fd00::1", true),
            ("[fd00::1]:9115", true),
            ("http://blackbox:9115", false),
            ("http://blackbox", false),
            ("blackbox:9115/probe", false),
            ("blackbox/probe", false),
            ("blackbox:", false),
            ("blackbox:0", false),
            ("blackbox:99999", false),
            ("[fd00::1]:", false),
            ("a..b", false),
        ] {
            assert_eq!(is_prober(text), expected, "{text}");
        }
        let probe = |spec: &str| {
            format!("apiVersion: monitoring.coreos.com/v1\nkind: Probe\nmetadata: {{name: a}}\nspec: {{{spec}}}\n")
        };
        holds(&probe("prober: {url: a}, targets: {staticConfig: {static: [b]}}"), &PROBE);
        broken(&probe("prober: {url: 'https://a'}, targets: {}"), &PROBE, 2);
    }
}
