//! Alerts and recording rules: of PrometheusRules, and of files that a Prometheus or the ruler of a Loki reads.

use super::features::are_names_plain;
use super::file::Where;
use super::query::{Queries, Query};
use super::syntax::Read;
use super::targets::evaluation;
use super::templates;
use crate::fields::{entries, items};
use crate::finding::Findings;
use crate::object::MONITORING;
use crate::rule::rules;
use crate::world::World;
use std::collections::HashSet;
use vigil_forms::duration;
use vigil_forms::name::{is_metric, is_metric_label};
use vigil_yaml::{Node, Quoted};

rules! {
    SHAPE "rule-shape" Error Program "every rule has `alert` or `record`, and the fields of that kind"
    TEMPLATE "rule-template" Error Program "templates in labels and annotations of rules are valid"
    DURATION "rule-duration" Note Nobody "`for`, `keep_firing_for` and intervals of rules have an effect"
    INTERVAL "rule-interval" Warning Nobody "no group is evaluated less often than every five minutes, after which samples are stale"
}

/// The seconds between two evaluations of Loki's ruler unless it is told otherwise: `evaluation_interval` in
/// pkg/ruler/base/ruler.go of 3.7.8.
const LOKI_INTERVAL: u64 = 60;

/// Who evaluates rules.
#[derive(Clone, Copy)]
struct Ruler {
    /// The seconds between two evaluations, where they are known.
    interval: Option<u64>,
    /// Names hold only letters, digits and `_`. Otherwise they are any text: `Rule.Validate` of `model/rulefmt` in
    /// Prometheus 3.8.
    names_are_plain: bool,
}

/// Judges all PrometheusRules and files of rules, and adds their queries; what they record goes to `recorded`.
pub(super) fn check<'w, 'a>(
    world: &'w World<'a>,
    read: &'w [Read<'_, 'a>],
    queries: &mut Queries<'w, 'a>,
    recorded: &mut HashSet<&'w str>,
    findings: &mut Findings,
) {
    let names_are_plain = are_names_plain(world.set);
    let by = Ruler { interval: evaluation(world.set), names_are_plain };
    for object in world.set.of_kind(MONITORING, "PrometheusRule").filter(|object| !object.damaged) {
        let groups = items(object.node, ["spec", "groups"]);
        self::groups(Where::Object(object), groups, by, &mut queries.prometheus, recorded, findings);
    }
    for Read { file, documents } in read {
        let [root] = documents.as_slice() else { continue };
        let is_rules = |root: &Node| items(root, "groups").iter().any(|group| group.get("rules").is_some());
        if !is_rules(root) {
            continue;
        }
        let is_read_by = |name: &str| world.readers(&file.object).any(|reader| reader.name == name);
        let place = Where::File(file, root);
        if is_read_by("prometheus") {
            let by = Ruler { interval: None, names_are_plain };
            groups(place, items(root, "groups"), by, &mut queries.prometheus, recorded, findings);
        } else if is_read_by("loki") {
            // Their queries are LogQL, and Prometheus gets nothing of what they record.
            let by = Ruler { interval: Some(LOKI_INTERVAL), names_are_plain: true };
            let groups = items(root, "groups");
            self::groups(place, groups, by, &mut queries.loki, &mut HashSet::new(), findings);
        }
    }
}

/// Judges some groups. `usual` are the seconds between two evaluations of those that say none, if they are known.
fn groups<'w, 'a>(
    place: Where<'w, 'a>,
    groups: &'w [Node],
    by: Ruler,
    queries: &mut Vec<Query<'w, 'a>>,
    recorded: &mut HashSet<&'w str>,
    findings: &mut Findings,
) {
    for group in groups {
        let said = group.get("interval").and_then(|node| Some((node, seconds(node.text()?)?)));
        let interval = said.map(|(_, seconds)| seconds).filter(|seconds| *seconds > 0).or(by.interval);
        let mut records = false;
        for rule in items(group, "rules") {
            one(place, rule, by, findings);
            times(place, rule, interval, findings);
            records |= rule.get("record").is_some();
            if let Some(name) = rule.get("record").and_then(Node::text) {
                recorded.insert(name);
            }
            if let Some(node) = rule.get("expr")
                && let Some(text) = node.text()
            {
                queries.push(Query { text, node, place, variables: false, rule: Some(rule), interval });
            }
        }
        if let Some((node, _)) = said.filter(|(node, _)| node.text().is_some_and(is_nothing)) {
            place.add(&DURATION, node, "`interval` of zero is the default interval", findings).help("leave it out");
        }
        // Prometheus takes a sample for the newest one for five minutes.
        if let Some((node, _)) = said.filter(|(_, seconds)| records && *seconds > 300) {
            place
                .add(&INTERVAL, node, "the group records less often than every five minutes", findings)
                .help("take `5m` or less; a sample that is older is none, and what is recorded has gaps");
        }
    }
}

/// Whether a duration is one of no length.
fn is_nothing(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

/// Times that are none, or shorter than what they are measured with.
fn times(place: Where<'_, '_>, rule: &Node, interval: Option<u64>, findings: &mut Findings) {
    for key in ["for", "keep_firing_for"] {
        let Some(node) = rule.get(key) else { continue };
        let Some(text) = node.text() else { continue };
        if is_nothing(text) {
            let message = format!("`{key}: {text}` is what an alert without it has");
            place.add(&DURATION, node, message, findings).help("leave it out");
        } else if let (Some(time), Some(interval)) = (seconds(text), interval)
            && time < interval
        {
            let message = format!("`{key}: {text}` is shorter than the time between two evaluations");
            place
                .add(&DURATION, node, message, findings)
                .label(format!("rules are evaluated every {interval}s"))
                .help("take a multiple of the interval, or leave it out");
        }
    }
}

fn one(place: Where<'_, '_>, rule: &Node, by: Ruler, findings: &mut Findings) {
    match (rule.entry("alert"), rule.entry("record")) {
        (Some(_), Some(record)) => {
            place.add(&SHAPE, record, "a rule that both alerts and records", findings).help("make two rules of it");
        }
        (None, None) => {
            if let Some(first) = rule.entries().first() {
                place.add(&SHAPE, first, "a rule without a name", findings).label("expected `alert` or `record`");
            }
        }
        (None, Some(record)) => {
            let name = record.value.text().unwrap_or("a");
            let wrong = if by.names_are_plain {
                (!is_metric(name)).then_some("expected letters, digits, `_` and `:`")
            } else {
                (name.is_empty() || name.contains(['{', '}']))
                    .then_some("expected a name without braces, which are a query's")
            };
            if let Some(expected) = wrong {
                let message = format!("{} is no name of a metric", Quoted(name));
                place.add(&SHAPE, &record.value, message, findings).label(expected);
            }
            for key in ["for", "keep_firing_for", "annotations"] {
                if let Some(entry) = rule.entry(key).filter(|entry| !entry.value.is_null()) {
                    place
                        .add(&SHAPE, entry, format!("a recording rule with `{key}`"), findings)
                        .label("only alerts have it");
                }
            }
        }
        (Some(alert), None) => {
            if alert.value.text().is_some_and(str::is_empty) {
                place.add(&SHAPE, alert, "an alert without a name", findings);
            }
        }
    }
    for key in ["labels", "annotations"] {
        for entry in entries(rule, key) {
            let name = entry.key.text.as_str();
            let wrong = match name {
                "__name__" if key == "labels" => Some("expected a label of its own: this is the name of the metric"),
                _ if by.names_are_plain => (!is_metric_label(name)).then_some("expected letters, digits and `_`"),
                _ => name.is_empty().then_some("expected a name"),
            };
            if let Some(expected) = wrong {
                place.add(&SHAPE, entry, format!("{} is no name of a label", Quoted(name)), findings).label(expected);
            }
            if let Some(text) = entry.value.text()
                && let Err(wrong) = templates::read(text)
            {
                place.add(&TEMPLATE, &entry.value, wrong.message, findings).label(wrong.label);
            }
        }
    }
}

/// The whole seconds of one of Prometheus' durations.
pub(super) fn seconds(text: &str) -> Option<u64> {
    Some(duration::prometheus(text).ok()?.as_secs())
}
