//! PrometheusRules: alerts and recording rules.

use super::file::Where;
use super::query::Query;
use super::targets::evaluation;
use super::templates;
use crate::fields::{entries, items};
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::rules;
use crate::set::Set;
use std::collections::HashSet;
use vigil_forms::duration;
use vigil_forms::name::{is_metric, is_metric_label};
use vigil_yaml::{Node, Quoted};

rules! {
    SHAPE "rule-shape" Error "every rule has `alert` or `record`, and the fields of that kind"
    TEMPLATE "rule-template" Error "templates in labels and annotations of rules are valid"
    DURATION "rule-duration" Note "`for`, `keep_firing_for` and intervals of rules have an effect"
    INTERVAL "rule-interval" Warning "no group is evaluated less often than every five minutes, after which samples are stale"
}

/// Judges all PrometheusRules, and adds their queries; what they record goes to `recorded`.
pub(super) fn check<'w, 'a>(
    set: &'w Set<'a>,
    queries: &mut Vec<Query<'w, 'a>>,
    recorded: &mut HashSet<&'w str>,
    findings: &mut Findings,
) {
    let usual = evaluation(set);
    for object in set.of_kind(MONITORING, "PrometheusRule").filter(|object| !object.damaged) {
        for group in items(object.node, ["spec", "groups"]) {
            let said = group.get("interval").and_then(|node| Some((node, seconds(node.text()?)?)));
            let interval = said.map(|(_, seconds)| seconds).filter(|seconds| *seconds > 0).or(usual);
            let mut records = false;
            for rule in items(group, "rules") {
                one(object, rule, findings);
                times(object, rule, interval, findings);
                records |= rule.get("record").is_some();
                if let Some(name) = rule.get("record").and_then(Node::text) {
                    recorded.insert(name);
                }
                if let Some(node) = rule.get("expr")
                    && let Some(text) = node.text()
                {
                    let place = Where::Object(object);
                    queries.push(Query { text, node, place, variables: false, rule: Some(rule), interval });
                }
            }
            if let Some((node, _)) = said.filter(|(node, _)| node.text().is_some_and(is_nothing)) {
                findings
                    .add(&DURATION, object, node, "`interval` of zero is the default interval")
                    .help("leave it out");
            }
            // Prometheus takes a sample for the newest one for five minutes.
            if let Some((node, _)) = said.filter(|(_, seconds)| records && *seconds > 300) {
                findings
                    .add(&INTERVAL, object, node, "the group records less often than every five minutes")
                    .help("take `5m` or less; a sample that is older is none, and what is recorded has gaps");
            }
        }
    }
}

/// Whether a duration is one of no length.
fn is_nothing(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

/// Times that are none, or shorter than what they are measured with.
fn times(object: &Object<'_>, rule: &Node, interval: Option<u64>, findings: &mut Findings) {
    for key in ["for", "keep_firing_for"] {
        let Some(node) = rule.get(key) else { continue };
        let Some(text) = node.text() else { continue };
        if is_nothing(text) {
            let message = format!("`{key}: {text}` is what an alert without it has");
            findings.add(&DURATION, object, node, message).help("leave it out");
        } else if let (Some(time), Some(interval)) = (seconds(text), interval)
            && time < interval
        {
            let message = format!("`{key}: {text}` is shorter than the time between two evaluations");
            findings
                .add(&DURATION, object, node, message)
                .label(format!("rules are evaluated every {interval}s"))
                .help("take a multiple of the interval, or leave it out");
        }
    }
}

fn one(object: &Object<'_>, rule: &Node, findings: &mut Findings) {
    match (rule.entry("alert"), rule.entry("record")) {
        (Some(_), Some(record)) => {
            findings.add(&SHAPE, object, record, "a rule that both alerts and records").help("make two rules of it");
        }
        (None, None) => {
            if let Some(first) = rule.entries().first() {
                findings.add(&SHAPE, object, first, "a rule without a name").label("expected `alert` or `record`");
            }
        }
        (None, Some(record)) => {
            if let Some(name) = record.value.text().filter(|name| !is_metric(name)) {
                findings
                    .add(&SHAPE, object, &record.value, format!("{} is no name of a metric", Quoted(name)))
                    .label("expected letters, digits, `_` and `:`");
            }
            for key in ["for", "keep_firing_for", "annotations"] {
                if let Some(entry) = rule.entry(key).filter(|entry| !entry.value.is_null()) {
                    findings
                        .add(&SHAPE, object, entry, format!("a recording rule with `{key}`"))
                        .label("only alerts have it");
                }
            }
        }
        (Some(alert), None) => {
            if alert.value.text().is_some_and(str::is_empty) {
                findings.add(&SHAPE, object, alert, "an alert without a name");
            }
        }
    }
    for key in ["labels", "annotations"] {
        for entry in entries(rule, key) {
            if !is_metric_label(&entry.key.text) || entry.key.text == "__name__" {
                let message = format!("{} is no name of a label", Quoted(&entry.key.text));
                findings.add(&SHAPE, object, entry, message).label("expected letters, digits and `_`");
            }
            if let Some(text) = entry.value.text()
                && let Err(wrong) = templates::read(text)
            {
                findings.add(&TEMPLATE, object, &entry.value, wrong.message).label(wrong.label);
            }
        }
    }
}

/// The whole seconds of one of Prometheus' durations.
pub(super) fn seconds(text: &str) -> Option<u64> {
    Some(duration::prometheus(text).ok()?.as_secs())
}
