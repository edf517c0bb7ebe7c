//! What prometheus-operator refuses of a ScrapeConfig, and of the proxies of all that is scraped.
//!
//! Source: `checkScrapeConfig` in `pkg/prometheus/resource_selector.go` of prometheus-operator 0.93, `ProxyConfig.Validate` of its
//! API types 0.87, and `CheckTargetAddress` in `config/config.go` of Prometheus 3.8.

use super::judge::{Form, Judge};
use super::operated::{authentication, effect};
use crate::fields::{entries, filled, given, is_set, items, text};
use crate::rule::rules;
use vigil_forms::selector::{is_field_selector, is_label_selector};
use vigil_yaml::words::list;
use vigil_yaml::{Node, Quoted};

rules! {
    CONFIG "scrape-config" Error Operator "every ScrapeConfig has targets that can be scraped, and discoveries that fit together"
    PROXY "monitor-proxy" Error Operator "every scrape through a proxy says which one, once"
}

/// The objects of each role of discovery that a selector may select by.
pub(crate) const SELECTED: &[(&str, &[&str])] = &[
    ("pod", &["pod"]),
    ("service", &["service"]),
    ("endpointslice", &["pod", "service", "endpointslice"]),
    ("endpoints", &["pod", "service", "endpoints"]),
    ("node", &["node"]),
    ("ingress", &["ingress"]),
];

/// Judges a ScrapeConfig.
pub(super) fn check(judge: &mut Judge<'_, '_>, spec: &Node) {
    statics(judge, spec);
    for discovery in items(spec, "dnsSDConfigs") {
        if let Some((node, kind)) = filled(discovery, "type").filter(|(_, kind)| *kind != "SRV")
            && given(discovery, "port").is_none()
        {
            judge
                .add(&CONFIG, node, format!("records of type {} without `port`", Quoted(kind)))
                .label("expected `port` beside it")
                .help(format!("only records of type `SRV` have a port of their own: {}", effect("ScrapeConfig")));
        }
    }
    for discovery in items(spec, "kubernetesSDConfigs") {
        if let Some(entry) = discovery.at(&["namespaces"]).and_then(|namespaces| namespaces.entry("ownNamespace"))
            && is_set(discovery, ["namespaces", "ownNamespace"])
            && given(discovery, "apiServer").is_some()
        {
            judge
                .add(&CONFIG, entry, "`ownNamespace` beside `apiServer`")
                .label("expected one of the two")
                .help(format!("another cluster has no namespace of Prometheus' own: {}", effect("ScrapeConfig")));
        }
        let role = text(discovery, "role").unwrap_or_default().to_ascii_lowercase();
        let Some((_, allowed)) = SELECTED.iter().find(|(name, _)| *name == role) else { continue };
        for selector in items(discovery, "selectors") {
            texts(judge, selector);
            if let Some((node, of)) = filled(selector, "role")
                && !allowed.contains(&of.to_ascii_lowercase().as_str())
            {
                judge
                    .add(&CONFIG, node, format!("a selector of role {} for discovery of role `{role}`", Quoted(of)))
                    .label(format!("expected {}", list(allowed, "or")))
                    .help(effect("ScrapeConfig"));
            }
        }
    }
    for discovery in items(spec, "azureSDConfigs") {
        // What none says is `OAuth`.
        if matches!(text(discovery, "authenticationMethod"), Some("ManagedIdentity" | "SDK")) {
            continue;
        }
        let is_missing = |key: &&str| given(discovery, *key).is_none_or(|value| value.text() == Some(""));
        let missing: Vec<_> = ["tenantID", "clientID", "clientSecret"].into_iter().filter(is_missing).collect();
        if !missing.is_empty() {
            let missing = list(&missing, "and");
            judge
                .within(&CONFIG, discovery, format!("discovery in Azure by `OAuth` without {missing}"))
                .label(format!("expected {missing}, or `authenticationMethod: ManagedIdentity` or `SDK`"))
                .help(effect("ScrapeConfig"));
        }
    }
    let discoveries = spec.entries().iter().filter(|entry| entry.key.text.ends_with("SDConfigs"));
    for discovery in discoveries.flat_map(|entry| entry.value.items()) {
        proxy(judge, discovery);
        authentication(judge, discovery);
    }
}

/// What a selector of a discovery selects by, as a server reads it from an address.
fn texts(judge: &mut Judge<'_, '_>, selector: &Node) {
    let forms: [(_, Form); 2] = [
        ("label", (is_label_selector, "no selector by labels", "such as `app=web,tier in (a,b)`")),
        ("field", (is_field_selector, "no selector by fields", "such as `status.phase=Running,spec.nodeName!=a`")),
    ];
    for (key, (holds, what, looks)) in forms {
        if let Some((node, text)) = filled(selector, key).filter(|(_, text)| !holds(text)) {
            judge
                .add(&CONFIG, node, format!("{} is {what}", Quoted(text)))
                .label(format!("expected {looks}"))
                .help(effect("ScrapeConfig"));
        }
    }
}

/// Addresses that are written down: `host:port`, unless something makes another address of them.
fn statics(judge: &mut Judge<'_, '_>, spec: &Node) {
    let writes = |rule: &Node| {
        let target = text(rule, "targetLabel").unwrap_or_default();
        // A regular expression for names may write any of them.
        target == "__address__"
            || target.contains('$')
            || text(rule, "action").is_some_and(|it| it.eq_ignore_ascii_case("labelmap"))
    };
    if given(spec, "scrapeClass").is_some() || items(spec, "relabelings").iter().any(writes) {
        return;
    }
    for target in items(spec, "staticConfigs").iter().flat_map(|config| items(config, "targets")) {
        if let Some(address) = target.text().filter(|address| address.contains('/')) {
            let host =
                address.split_once("://").map_or(address, |(_, rest)| rest).split('/').next().unwrap_or_default();
            judge
                .add(&CONFIG, target, format!("{} is no address that Prometheus scrapes", Quoted(address)))
                .label("expected `host:port`")
                .help(format!("write {}; the scheme and the path are `scheme` and `metricsPath`", Quoted(host)));
        }
    }
}

/// Judges the settings of a proxy beside those of what is scraped.
pub(super) fn proxy(judge: &mut Judge<'_, '_>, endpoint: &Node) {
    let url = filled(endpoint, "proxyUrl").is_some();
    let environment = is_set(endpoint, "proxyFromEnvironment");
    let mut tell = |key: &str, message: &str, label: &str| {
        if let Some(entry) = endpoint.entry(key) {
            let kind = judge.object.kind;
            judge.add(&PROXY, entry, message).label(label).help(effect(kind));
        }
    };
    if !entries(endpoint, "proxyConnectHeader").is_empty() && !url && !environment {
        tell(
            "proxyConnectHeader",
            "`proxyConnectHeader` without a proxy",
            "expected `proxyUrl` or `proxyFromEnvironment` too",
        );
    }
    if environment && url {
        tell("proxyUrl", "`proxyUrl` beside `proxyFromEnvironment`", "expected one of the two");
    }
    if filled(endpoint, "noProxy").is_some() {
        if environment {
            tell("noProxy", "`noProxy` beside `proxyFromEnvironment`", "expected one of the two");
        } else if !url {
            tell("noProxy", "`noProxy` without `proxyUrl`", "expected `proxyUrl` too");
        }
    }
}
