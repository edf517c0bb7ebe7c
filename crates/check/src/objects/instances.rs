//! What prometheus-operator makes no configuration or pods of, although an API server takes it: Prometheuses, Alertmanagers
//! and ThanosRulers themselves.
//!
//! Source: `pkg/prometheus/promcfg.go`, `pkg/operator/argument.go`, `pkg/prometheus/server/statefulset.go` and
//! `pkg/alertmanager/statefulset.go` of prometheus-operator 0.87, and the `Validate` functions of its API types.

use super::judge::Judge;
use crate::fields::{filled, given, is_set, items};
use crate::object::MONITORING;
use crate::rule::rules;
use vigil_forms::url::Url;
use vigil_yaml::{Node, Quoted};

rules! {
    INSTANCE "operator-instance" Error Operator "every Prometheus, Alertmanager and ThanosRuler is one that the operator can make pods of"
}

/// The arguments that the operator always gives, by kind.
const OWN_ARGUMENTS: &[(&str, &[&str])] = &[
    (
        "Prometheus",
        &["config.file", "storage.tsdb.path", "web.enable-lifecycle", "web.config.file", "web.route-prefix"],
    ),
    ("PrometheusAgent", &["config.file", "storage.agent.path", "web.enable-lifecycle", "web.config.file"]),
    (
        "Alertmanager",
        &["config.file", "storage.path", "data.retention", "web.listen-address", "web.route-prefix", "web.config.file"],
    ),
];

/// The ways in which a remote write can show who it is: `validateRemoteWriteSpec`, and `Validate` of Prometheus'
/// `RemoteWriteConfig`.
const METHODS: [&str; 7] =
    ["authorization", "azureAd", "basicAuth", "bearerToken", "bearerTokenFile", "oauth2", "sigv4"];

pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let kind = judge.object.kind;
    let is_instance = matches!(kind, "Prometheus" | "PrometheusAgent" | "Alertmanager" | "ThanosRuler");
    let Some(spec) = judge.object.at(&["spec"]).filter(|_| is_instance && judge.object.group == MONITORING) else {
        return;
    };
    if let Some((node, version)) = filled(spec, "version").filter(|(_, version)| !is_version(version)) {
        judge
            .add(&INSTANCE, node, format!("{} is no version", Quoted(version)))
            .label("expected such as `v3.8.1`")
            .help("the operator compares it with others; the tag of an image stands in `image`");
    }
    let mut defaults = items(spec, "scrapeClasses").iter().filter(|class| is_set(class, "default"));
    if let Some(second) = defaults.nth(1) {
        judge
            .within(&INSTANCE, second, "a second scrape class is the default")
            .help("leave `default` to one: the operator makes no configuration of two");
    }
    arguments(judge, spec);
    if let Some(otlp) = given(spec, "otlp") {
        let promotes_all = is_set(otlp, "promoteAllResourceAttributes");
        let wrong = if promotes_all {
            otlp.entry("promoteResourceAttributes").map(|entry| (entry, "beside"))
        } else {
            otlp.entry("ignoreResourceAttributes").map(|entry| (entry, "without"))
        };
        if let Some((entry, how)) = wrong.filter(|(entry, _)| !entry.value.items().is_empty()) {
            let message = format!("`{}` {how} `promoteAllResourceAttributes: true`", entry.key.text);
            judge.add(&INSTANCE, entry, message).help("the operator makes no configuration of it");
        }
    }
    if let Some(tls) = given(spec, ["web", "tlsConfig"]) {
        for (what, keys) in [("a certificate", ["cert", "certFile"]), ("a key", ["keySecret", "keyFile"])] {
            if keys.iter().all(|key| given(tls, *key).is_none()) {
                judge
                    .within(&INSTANCE, tls, format!("`web.tlsConfig` without {what}"))
                    .label(format!("expected `{}` or `{}`", keys[0], keys[1]))
                    .help("the operator makes no pods of it");
            }
        }
    }
    for remote in ["remoteWrite", "remoteRead"].iter().flat_map(|key| items(spec, key)) {
        self::remote(judge, remote);
    }
}

/// `ParseTolerant` of github.com/blang/semver: a `v`, up to three numbers, and whatever follows `-` or `+`.
fn is_version(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() <= 3
        && numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn arguments(judge: &mut Judge<'_, '_>, spec: &Node) {
    let kind = judge.object.kind;
    let own = OWN_ARGUMENTS.iter().find(|(of, _)| *of == kind).map(|(_, own)| *own).unwrap_or_default();
    for (node, name) in items(spec, "additionalArgs").iter().filter_map(|argument| filled(argument, "name")) {
        if name.starts_with('-') {
            judge
                .add(&INSTANCE, node, format!("{} begins with a dash", Quoted(name)))
                .label(format!("expected {}", Quoted(name.trim_start_matches('-'))))
                .help("the operator writes two dashes before each name");
        } else if own.contains(&name.strip_prefix("no-").unwrap_or(name)) {
            judge
                .add(&INSTANCE, node, format!("the operator gives the argument {} itself", Quoted(name)))
                .help(format!("remove it: the operator makes no pods of the {kind}, as no argument may stand twice"));
        }
    }
}

fn remote(judge: &mut Judge<'_, '_>, remote: &Node) {
    if let Some((node, text)) = filled(remote, "url")
        && !Url::split(text).is_some_and(|url| matches!(url.scheme, "http" | "https") && !url.authority.host.is_empty())
    {
        judge
            .add(&INSTANCE, node, "an address that Prometheus cannot send to")
            .label("expected `http://` or `https://` and a host");
    }
    let mut methods = METHODS.iter().filter(|key| given(remote, **key).is_some_and(|value| value.text() != Some("")));
    if let (Some(first), Some(entry)) = (methods.next(), methods.next().and_then(|key| remote.entry(key))) {
        judge
            .add(&INSTANCE, entry, format!("`{}` beside `{first}`", entry.key.text))
            .label("expected one method of authentication")
            .help("remove one of the two: Prometheus does not load its configuration");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::broken;

    #[test]
    fn instances() {
        let object = |kind: &str, spec: &str| {
            format!("apiVersion: monitoring.coreos.com/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{{spec}}}\n")
        };
        for (spec, times) in [
            ("version: v3.8.1", 0),
            ("version: 2.53", 0),
            ("version: v3.9.0-rc.1", 0),
            ("version: latest", 1),
            ("version: v3.x", 1),
            ("scrapeClasses: [{name: a, default: true}, {name: b}]", 0),
            ("scrapeClasses: [{name: a, default: true}, {name: b, default: true}]", 1),
            ("additionalArgs: [{name: storage.tsdb.wal-segment-size, value: 10MB}]", 0),
            ("additionalArgs: [{name: config.file, value: a}]", 1),
            ("additionalArgs: [{name: no-web.enable-lifecycle}]", 1),
            ("additionalArgs: [{name: --web.cors.origin, value: a}]", 1),
            ("otlp: {promoteAllResourceAttributes: true, ignoreResourceAttributes: [a]}", 0),
            ("otlp: {promoteAllResourceAttributes: true, promoteResourceAttributes: [a]}", 1),
            ("otlp: {ignoreResourceAttributes: [a]}", 1),
            ("web: {tlsConfig: {cert: {secret: {name: a, key: b}}, keySecret: {name: a, key: c}}}", 0),
            ("web: {tlsConfig: {cert: {secret: {name: a, key: b}}}}", 1),
            ("remoteWrite: [{url: 'https://a/b', sigv4: {}}]", 0),
            ("remoteWrite: [{url: 'https://a/b', sigv4: {}, oauth2: {}}]", 1),
            ("remoteWrite: [{url: a/b}]", 1),
        ] {
            broken(&object("Prometheus", spec), &INSTANCE, times);
        }
        broken(&object("Alertmanager", "additionalArgs: [{name: storage.path, value: a}]"), &INSTANCE, 1);
    }
}
