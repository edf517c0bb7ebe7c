//! How long a scrape may take: no longer than the interval between two, or the operator leaves out the whole object.

use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::rules;
use crate::world::World;
use crate::world::selection::SELECTED;
use std::time::Duration;
use vigil_forms::duration;
use vigil_yaml::{Node, Quoted};

rules! {
    TIMEOUT "scrape-timeout" Error Operator "no `scrapeTimeout` is longer than its interval"
}

/// Where a kind says how often it is scraped and how long that may take: the list of its endpoints, or none for what
/// says it once, and the two keys.
const TIMED: &[(&str, Option<&str>, &str, &str)] = &[
    ("ServiceMonitor", Some("endpoints"), "interval", "scrapeTimeout"),
    ("PodMonitor", Some("podMetricsEndpoints"), "interval", "scrapeTimeout"),
    ("Probe", None, "interval", "scrapeTimeout"),
    ("ScrapeConfig", None, "scrapeInterval", "scrapeTimeout"),
];

/// The interval of a Prometheus that says none: the default of its definition.
const DEFAULT_INTERVAL: &str = "30s";

/// An interval, and whose it is when it is not the endpoint's own.
struct Interval<'a> {
    text: &'a str,
    of: Option<&'a Object<'a>>,
}

pub(super) fn check(world: &World<'_>, findings: &mut Findings) {
    let owners: Vec<Object<'_>> = ["Prometheus", "PrometheusAgent"]
        .iter()
        .flat_map(|kind| world.set.of_kind(MONITORING, kind))
        .copied()
        .collect();
    for owner in owners.iter().filter(|owner| !owner.damaged) {
        if let Some(timeout) = owner.at(&["spec", "scrapeTimeout"]) {
            compare(owner, timeout, &Interval { text: interval_of(owner), of: None }, findings);
        }
    }
    for (kind, list, interval_key, timeout_key) in TIMED {
        let Some(selected) = SELECTED.iter().find(|selected| selected.kind == *kind) else { continue };
        for object in world.set.of_kind(MONITORING, kind).filter(|object| !object.damaged) {
            let Some(spec) = object.at(&["spec"]) else { continue };
            let endpoints = match list {
                Some(list) => spec.get(list).map(Node::items).unwrap_or_default(),
                None => std::slice::from_ref(spec),
            };
            for endpoint in endpoints {
                let Some(timeout) = endpoint.get(timeout_key) else { continue };
                if let Some(text) = endpoint.get(interval_key).and_then(Node::text).filter(|text| !text.is_empty()) {
                    compare(object, timeout, &Interval { text, of: None }, findings);
                    continue;
                }
                // Each that selects it judges by its own interval: the shortest refuses first.
                let intervals = owners
                    .iter()
                    .filter(|owner| !owner.damaged && selected.unselected(world, owner, object).is_none())
                    .map(|owner| Interval { text: interval_of(owner), of: Some(owner) });
                if let Some(shortest) = intervals.min_by_key(|interval| length(interval.text)) {
                    compare(object, timeout, &shortest, findings);
                }
            }
        }
    }
}

/// The interval of a Prometheus, for what has none of its own.
fn interval_of<'a>(owner: &Object<'a>) -> &'a str {
    owner.at(&["spec", "scrapeInterval"]).and_then(Node::text).unwrap_or(DEFAULT_INTERVAL)
}

fn length(text: &str) -> Option<Duration> {
    duration::prometheus(text).ok()
}

fn compare(object: &Object<'_>, timeout: &Node, interval: &Interval<'_>, findings: &mut Findings) {
    let Some(text) = timeout.text().filter(|text| !text.is_empty() && !interval.text.is_empty()) else { return };
    // What is no duration is told by the schema.
    let (Some(longest), Some(between)) = (length(text), length(interval.text)) else { return };
    if longest <= between {
        return;
    }
    let message = format!("scrapeTimeout {} greater than scrapeInterval {}", Quoted(text), Quoted(interval.text));
    let label = match (interval.of, object.kind) {
        (Some(owner), kind) => format!("the interval of {owner}, which leaves out the whole {kind}"),
        (None, "Prometheus" | "PrometheusAgent") => "the operator makes no configuration of it".to_owned(),
        (None, kind) => format!("the operator leaves out the whole {kind}"),
    };
    let help =
        format!("lower it to {}, or leave it out: without it no scrape outlasts the interval", Quoted(interval.text));
    findings.add(&TIMEOUT, object, timeout, message).label(label).help(help);
}

#[cfg(test)]
mod tests {
    use crate::{Options, check};
    use vigil_yaml::Source;

    /// What is said of a Prometheus with these keys and an object that it selects.
    fn said(prometheus: &str, object: &str) -> Vec<String> {
        let prometheus = format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {{name: main}}\nspec: {{{prometheus} \
             serviceMonitorSelector: {{}}, podMonitorSelector: {{}}, probeSelector: {{matchLabels: {{a: b}}}}, \
             scrapeConfigSelector: {{}}}}\n"
        );
        let report = check(&[Source::new("a", prometheus), Source::new("b", object)], &Options::default());
        let findings = report.findings.iter().filter(|finding| finding.rule.id == "scrape-timeout");
        findings.map(|finding| format!("{}: {}", finding.path, finding.message)).collect()
    }

    fn object(kind: &str, labels: &str, spec: &str) -> String {
        let version = if kind == "ScrapeConfig" { "v1alpha1" } else { "v1" };
        format!(
            "apiVersion: monitoring.coreos.com/{version}\nkind: {kind}\nmetadata: {{name: a, labels: {{{labels}}}}}\nspec: {{{spec}}}\n"
        )
    }

    #[test]
    fn every_kind_says_it_in_its_own_place() {
        let refused = |path: &str, timeout: &str, interval: &str| {
            vec![format!("{path}: scrapeTimeout `{timeout}` greater than scrapeInterval `{interval}`")]
        };
        let prober = "prober: {url: p}, targets: {staticConfig: {static: [x]}}";
        for (prometheus, kind, labels, spec, expected) in [
            (
                "",
                "ServiceMonitor",
                "",
                "selector: {}, endpoints: [{port: a}, {port: b, interval: 10s, scrapeTimeout: 11s}]".to_owned(),
                refused("spec.endpoints[1].scrapeTimeout", "11s", "10s"),
            ),
            (
                "scrapeInterval: 20s,",
                "PodMonitor",
                "",
                "selector: {}, podMetricsEndpoints: [{port: a, interval: \"\", scrapeTimeout: 20001ms}]".to_owned(),
                refused("spec.podMetricsEndpoints[0].scrapeTimeout", "20001ms", "20s"),
            ),
            ("", "Probe", "a: b", format!("{prober}, scrapeTimeout: 31s"), refused("spec.scrapeTimeout", "31s", "30s")),
            // Nobody selects it, and whoever does may have another interval.
            ("", "Probe", "", format!("{prober}, scrapeTimeout: 31s"), Vec::new()),
            (
                "",
                "Probe",
                "",
                format!("{prober}, interval: 1m, scrapeTimeout: 61s"),
                refused("spec.scrapeTimeout", "61s", "1m"),
            ),
            (
                "scrapeInterval: 1m,",
                "ScrapeConfig",
                "",
                "scrapeInterval: 5s, scrapeTimeout: 1m".to_owned(),
                refused("spec.scrapeTimeout", "1m", "5s"),
            ),
            ("scrapeInterval: 1m,", "ScrapeConfig", "", "scrapeTimeout: 60s".to_owned(), Vec::new()),
            (
                "scrapeTimeout: 31s,",
                "ScrapeConfig",
                "",
                "jobName: a".to_owned(),
                refused("spec.scrapeTimeout", "31s", "30s"),
            ),
        ] {
            assert_eq!(said(prometheus, &object(kind, labels, &spec)), expected, "{prometheus} {kind} {spec}");
        }
    }

    #[test]
    fn of_several_the_shortest_interval_is_told_once() {
        let second = "apiVersion: monitoring.coreos.com/v1alpha1\nkind: PrometheusAgent\nmetadata: {name: quick}\n\
            spec: {scrapeInterval: 5s, podMonitorSelector: {}}\n---\n";
        let monitor = object("PodMonitor", "", "selector: {}, podMetricsEndpoints: [{port: a, scrapeTimeout: 40s}]");
        assert_eq!(
            said("", &format!("{second}{monitor}")),
            ["spec.podMetricsEndpoints[0].scrapeTimeout: scrapeTimeout `40s` greater than scrapeInterval `5s`"]
        );
    }
}
