//! PrometheusRules: alerts and recording rules.

use super::file::Where;
use super::query::Query;
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
    SHAPE "rule-shape" Error "a rule is an alert or a recording rule"
    TEMPLATE "rule-template" Error "the braces of templates in labels and annotations close"
    DURATION "rule-duration" Note "the times of alerts and groups change something"
    INTERVAL "rule-interval" Warning "groups record before what they recorded is forgotten"
}

/// Judges all PrometheusRules, and adds their queries; what they record goes to `recorded`.
pub(super) fn check<'w, 'a>(
    set: &'w Set<'a>,
    queries: &mut Vec<Query<'w, 'a>>,
    recorded: &mut HashSet<&'w str>,
    findings: &mut Findings,
) {
    for object in set.of_kind(MONITORING, "PrometheusRule").filter(|object| !object.damaged) {
        for group in items(object.node, ["spec", "groups"]) {
            let interval = group.get("interval").and_then(|node| Some((node, seconds(node.text()?)?)));
            let mut records = false;
            for rule in items(group, "rules") {
                one(object, rule, findings);
                times(object, rule, interval.map(|(_, seconds)| seconds), findings);
                records |= rule.get("record").is_some();
                if let Some(name) = rule.get("record").and_then(Node::text) {
                    recorded.insert(name);
                }
                if let Some(node) = rule.get("expr")
                    && let Some(text) = node.text()
                {
                    let place = Where::Object(object);
                    queries.push(Query { text, node, place, variables: false, rule: Some(rule) });
                }
            }
            if let Some((node, _)) = interval.filter(|(node, _)| node.text().is_some_and(is_nothing)) {
                findings.add(&DURATION, object, node, "an interval of nothing is Prometheus' own").help("leave it out");
            }
            // Prometheus takes a sample for the newest one for five minutes.
            if let Some((node, _)) = interval.filter(|(_, seconds)| records && *seconds > 300) {
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
            let message = format!("`{key}: {text}` is shorter than the interval of the group");
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
                && let Err(wrong) = balanced(text)
            {
                findings.add(&TEMPLATE, object, &entry.value, wrong).label("every `{{` needs its `}}`");
            }
        }
    }
}

/// Whether each `{{` of a template has its `}}`. Texts inside of it may hold either.
fn balanced(text: &str) -> Result<(), &'static str> {
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let mut inside = &rest[start + 2..];
        if let Some(comment) = inside.trim_start_matches('-').trim_start().strip_prefix("/*") {
            inside = comment.split_once("*/").ok_or("a comment of a template that never ends")?.1;
        }
        let mut quote: Option<char> = None;
        let mut escaped = false;
        let end = inside.char_indices().find_map(|(at, c)| {
            match (quote, c) {
                _ if escaped => escaped = false,
                (Some('"' | '\''), '\\') => escaped = true,
                (Some(open), c) if c == open => quote = None,
                (None, '"' | '`' | '\'') => quote = Some(c),
                (None, '}') if inside[at..].starts_with("}}") => return Some(at),
                _ => {}
            }
            None
        });
        rest = &inside[end.ok_or("a template that never ends")? + 2..];
    }
    Ok(())
}

/// The whole seconds of one of Prometheus' durations.
pub(super) fn seconds(text: &str) -> Option<u64> {
    Some(duration::prometheus(text).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        for (text, expected) in [
            ("", true),
            ("plain } and { text", true),
            ("{{ $labels.pod }} is {{ $value | humanize }}", true),
            ("{{ $labels.pod } is", false),
            ("{{ $labels.pod", false),
            ("{{ printf \"}}\" }}", true),
            ("{{ \"a\\\"}}\" }}", true),
            ("{{- /* it's a comment */ -}}", true),
            ("}} alone is text", true),
        ] {
            assert_eq!(balanced(text).is_ok(), expected, "{text}");
        }
    }
}
