//! Rules: what it costs to evaluate them, what they miss in between, and what they are left with.

use super::catalogue::Catalogue;
use super::query::{Parsing, Query, Window, said};
use crate::fields::entries;
use crate::finding::Findings;
use crate::rule::rules;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;
use vigil_promql::{Aggregate, Binary, Cardinality, Expr, Grouping, MatchOp, Matching, Operator, Selector};
use vigil_yaml::{Node, Quoted};

rules! {
    RANGE "query-range" Warning Nobody "no rule reads more than six hours of samples that are not recorded for it"
    ABSENT "query-absent" Warning Nobody "every alert on `absent()` has labels that say what is absent"
    DUPLICATE "query-duplicate" Warning Program "no rule fails with many-to-many matching when kube-state-metrics runs twice"
    REACH "rule-window" Warning Nobody "the range of a rule is at least as long as its evaluation interval"
}

const HOUR: Duration = Duration::from_secs(3600);

/// Functions that tell what happened in their window; what happens outside of all windows, nobody sees.
const OF_ALL: [&str; 6] = ["rate", "increase", "delta", "changes", "resets", "count_over_time"];

/// Judges the queries of alerts and recording rules.
pub(super) fn check<'w>(
    queries: &[Query<'w, '_>],
    parsing: &Parsing<'w>,
    recorded: &HashSet<&str>,
    findings: &mut Findings,
) {
    for query in queries {
        let Some(rule) = query.rule else { continue };
        let Some(parsed) = parsing.of(query) else { continue };
        let Some(expression) = &parsed.expression else { continue };
        let mut add = |rule, message: String, help: String| {
            query.place.add(rule, query.node, message, findings).help(help);
        };
        for (what, range) in long_ranges(expression, recorded) {
            let message = format!("{what} over {} reads every sample of it again at each evaluation", said(range));
            let help = "record the increase over `1h`, or the rate over `5m`, and take the long range of that";
            add(&RANGE, message, help.to_owned());
        }
        if rule.get("alert").is_some() && !says_where(rule) {
            for wrong in absences(expression) {
                let help = "take a selector alone, with `job=\"…\"`, whose labels the alert gets, or give it a label such as \
                            `namespace`";
                add(&ABSENT, wrong.to_owned(), help.to_owned());
            }
        }
        let mut doubled = BTreeSet::new();
        matched(expression, &mut doubled);
        for (metric, by) in doubled {
            let message = format!(
                "a second kube-state-metrics stops this rule: {} is there once for each `instance`, and matched without it",
                Quoted(metric)
            );
            let by = by.as_deref().unwrap_or("…");
            add(
                &DUPLICATE,
                message,
                format!("write `max by ({by}) (…)` around it; a rolling update has two for a while"),
            );
        }
        let Some(interval) = query.interval.map(Duration::from_secs) else { continue };
        for Window { function, range, stepped, .. } in &parsed.windows {
            if OF_ALL.contains(function) && !stepped && *range < interval {
                let message = format!("`{function}` over {} misses what happens between its evaluations", said(*range));
                query
                    .place
                    .add(&REACH, query.node, message, findings)
                    .label(format!("the group is evaluated every {}", said(interval)))
                    .help(format!("take {} or more, or evaluate the group more often", said(interval)));
            }
        }
    }
}

/// The ranges that are long for what they are taken of, each with what reads it.
fn long_ranges(expression: &Expr, recorded: &HashSet<&str>) -> Vec<(String, Duration)> {
    let mut found = Vec::new();
    expression.walk(&mut |part| match part {
        Expr::Matrix(it) => {
            if let Some(range) = it.range.filter(|range| *range > bound(&it.selector, recorded)) {
                let name = it.selector.name.as_deref();
                found.push((name.map_or_else(|| "a selector".to_owned(), |name| Quoted(name).to_string()), range));
            }
        }
        Expr::Subquery(it) => {
            let mut shortest: Option<Duration> = None;
            it.expr.walk(&mut |inner| {
                if let Some(selector) = inner.selector() {
                    shortest = shortest.into_iter().chain([bound(selector, recorded)]).min();
                }
            });
            if let Some(range) = it.range.filter(|range| shortest.is_some_and(|shortest| *range > shortest)) {
                found.push(("a subquery".to_owned(), range));
            }
        }
        _ => {}
    });
    found.dedup();
    found
}

/// How much of a selector's series a rule may read at each evaluation. Metrics of which each node, pod or request has its
/// own series take six hours; a counter of one's own, which may be a single series, takes a day.
fn bound(selector: &Selector, recorded: &HashSet<&str>) -> Duration {
    let Some(name) = selector.name.as_deref() else { return HOUR * 6 };
    if name.contains(':') || recorded.contains(name) || name.starts_with("ALERTS") {
        return Duration::MAX;
    }
    if name.ends_with("_bucket") || Catalogue::get().has_many_series(name) { HOUR * 6 } else { HOUR * 24 }
}

/// Whether an alert has a label of its own that tells more than how bad it is.
fn says_where(rule: &Node) -> bool {
    entries(rule, "labels").iter().any(|entry| entry.key.text != "severity")
}

/// What is wrong with the absences whose labels are those of the result.
fn absences(expression: &Expr) -> Vec<&'static str> {
    match expression {
        Expr::Paren(inner) => absences(inner),
        // What only filters gives no labels; nor does a number.
        Expr::Binary(it) if filters(it) => absences(&it.left),
        Expr::Binary(it) => match it.cardinality {
            Cardinality::ManyToOne(_) => absences(&it.left),
            Cardinality::OneToMany(_) => absences(&it.right),
            _ => [absences(&it.left), absences(&it.right)].concat(),
        },
        Expr::Call(it) if matches!(it.function.name, "absent" | "absent_over_time") => {
            let mut argument = it.arguments.first();
            while let Some(Expr::Paren(inner)) = argument {
                argument = Some(inner);
            }
            let Some(argument) = argument else { return Vec::new() };
            let of_expression = "`absent` of an expression gives no labels, and the alert has none: nobody knows where";
            argument.selector().map_or(Some(of_expression), without_place).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the right side only says which series of the left are left.
fn filters(binary: &Binary) -> bool {
    matches!(binary.op, Operator::And | Operator::Unless)
}

/// What is said of a selector that demands no label to be some text.
fn without_place(selector: &Selector) -> Option<&'static str> {
    let mut labels = selector.matchers.iter().filter(|matcher| matcher.name != "__name__");
    let is_said = labels.any(|matcher| matcher.op == MatchOp::Equal);
    (!is_said)
        .then_some("`absent` of a selector without `=` gives no labels, and the alert has none: nobody knows where")
}

/// Finds metrics of kube-state-metrics on a side of a binary operator where each group has one series, by labels that do
/// not tell two kube-state-metrics apart; with the labels that are matched and taken, where these are named.
fn matched<'e>(expression: &'e Expr, found: &mut BTreeSet<(&'e str, Option<String>)>) {
    expression.walk(&mut |part| {
        let Expr::Binary(it) = part else { return };
        let on = match &it.matching {
            Some(Matching::On(labels)) if !has_instance(labels) => {
                let taken = it.cardinality.taken().iter().filter(|label| !labels.contains(label));
                let labels: Vec<&str> = labels.iter().chain(taken).map(String::as_str).collect();
                Some(labels.join(", "))
            }
            Some(Matching::Ignoring(labels)) if has_instance(labels) => None,
            _ => return,
        };
        let sides: &[&Expr] = match &it.cardinality {
            Cardinality::OneToOne => &[&it.left, &it.right],
            Cardinality::ManyToOne(_) => &[&it.right],
            Cardinality::OneToMany(_) => &[&it.left],
            Cardinality::ManyToMany => return,
        };
        for side in sides {
            found.extend(doubled(side).map(|metric| (metric, on.clone())));
        }
    });
}

fn has_instance(labels: &[String]) -> bool {
    labels.iter().any(|label| label == "instance")
}

/// The metric of kube-state-metrics whose series an expression keeps apart by who exposes them.
fn doubled(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Vector(it) => of_kubernetes(it),
        Expr::Matrix(it) => of_kubernetes(&it.selector),
        Expr::Paren(inner) | Expr::Unary(inner) => doubled(inner),
        Expr::Subquery(it) => doubled(&it.expr),
        Expr::Aggregate(it) if keeps_instance(it) => doubled(&it.expr),
        Expr::Binary(it) => doubled_binary(it),
        Expr::Call(it) if !matches!(it.function.name, "absent" | "absent_over_time" | "scalar" | "vector") => {
            it.arguments.iter().find_map(doubled)
        }
        _ => None,
    }
}

fn doubled_binary(binary: &Binary) -> Option<&str> {
    if filters(binary) {
        return doubled(&binary.left);
    }
    match (&binary.cardinality, &binary.matching) {
        (Cardinality::ManyToOne(_), _) => doubled(&binary.left),
        (Cardinality::OneToMany(_), _) => doubled(&binary.right),
        // Only what is matched by is left; what is matched wrongly is told of there.
        (Cardinality::OneToOne, Some(Matching::On(labels))) if !has_instance(labels) => None,
        (Cardinality::OneToOne, Some(Matching::Ignoring(labels))) if has_instance(labels) => None,
        _ => doubled(&binary.left).or_else(|| doubled(&binary.right)),
    }
}

/// The selected metric, if kube-state-metrics alone exposes it, and one of its instances is not picked.
fn of_kubernetes(selector: &Selector) -> Option<&str> {
    let name = selector.name.as_deref()?;
    let picks = |name: &str| matches!(name, "instance" | "pod_name" | "uid" | "shard");
    let is_picked = selector.matchers.iter().any(|matcher| picks(&matcher.name) && matcher.op == MatchOp::Equal);
    (!is_picked && Catalogue::get().is_of_kube_state_metrics(name)).then_some(name)
}

/// Whether two series that differ by `instance` are still two after an aggregation.
fn keeps_instance(aggregate: &Aggregate) -> bool {
    let is_one = matches!(aggregate.parameter, Some(Expr::Number(number)) if number <= 1.0);
    match &aggregate.grouping {
        _ if aggregate.op.picks() => !is_one,
        None => false,
        Some(Grouping::By(labels)) => has_instance(labels),
        Some(Grouping::Without(labels)) => !has_instance(labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Expr {
        vigil_promql::parse(text).unwrap().expr
    }

    #[test]
    fn ranges() {
        let recorded = HashSet::from(["errors_5m"]);
        for (text, expected) in [
            ("predict_linear(node_filesystem_avail_bytes[6h], 3600)", 0),
            ("predict_linear(node_filesystem_avail_bytes[7h], 3600)", 1),
            ("increase(backups_total[1d])", 0),
            ("increase(backups_total[2d])", 1),
            ("increase(backups_seconds_bucket[1d])", 1),
            ("avg_over_time(job:errors:rate5m[30d])", 0),
            ("avg_over_time(errors_5m[30d])", 0),
            ("max_over_time(sum by (pod) (rate(container_cpu_usage_seconds_total[5m]))[1d:5m])", 1),
            ("max_over_time(job:errors:rate5m[30d:1h])", 0),
            ("count_over_time(ALERTS[7d])", 0),
            ("count_over_time({job=\"a\"}[7h])", 1),
            ("node_load1 offset 7d", 0),
        ] {
            assert_eq!(long_ranges(&parsed(text), &recorded).len(), expected, "{text}");
        }
    }

    #[test]
    fn absent_series() {
        for (text, expected) in [
            ("absent(up{job=\"a\"})", 0),
            ("absent((up{job=\"a\"}))", 0),
            ("absent(up{job=\"a\"} == 1)", 1),
            ("absent(up)", 1),
            ("absent(up{job=~\"a|b\"})", 1),
            ("absent({__name__=\"up\"})", 1),
            ("absent_over_time(up{job=\"a\"}[5m])", 0),
            ("absent(up) or absent(sum(up{job=\"a\"}))", 2),
            ("up{job=\"a\"} unless on () absent(up)", 0),
            ("up{job=\"a\"} == 0 and on () absent(up)", 0),
            ("label_replace(absent(up), \"job\", \"a\", \"\", \"\")", 0),
            ("absent(up) == 1", 1),
        ] {
            assert_eq!(absences(&parsed(text)).len(), expected, "{text}");
        }
    }

    #[test]
    fn doubled_series() {
        for (text, expected) in [
            ("up * on (namespace, pod) group_left (node) kube_pod_info", 1),
            ("up * on (namespace, pod) group_left (node) max by (namespace, pod, node) (kube_pod_info)", 0),
            ("up * on (namespace, pod) group_left (node) topk by (namespace, pod) (1, kube_pod_info)", 0),
            ("up * on (namespace, pod, instance) group_left (node) kube_pod_info", 0),
            ("kube_pod_info * on (namespace, pod) group_right () up", 1),
            ("kube_pod_info * on (namespace, pod) group_left () up", 0),
            ("kube_statefulset_replicas != kube_statefulset_status_replicas_ready", 0),
            ("kube_statefulset_replicas != on (namespace, statefulset) kube_statefulset_status_replicas_ready", 2),
            ("kube_statefulset_replicas != ignoring (instance, pod) kube_statefulset_status_replicas_ready", 2),
            (
                "max without (revision) (kube_statefulset_status_current_revision) * on (statefulset) group_left () up",
                0,
            ),
            (
                "up * on (statefulset) group_left () max without (revision) (kube_statefulset_status_current_revision)",
                1,
            ),
            ("up unless on (namespace, pod) kube_pod_info", 0),
            ("up and on (namespace, pod) kube_pod_info", 0),
            ("up * on (namespace, pod) group_left () (kube_pod_status_phase{phase=\"Running\"} == 1)", 1),
            ("up * on (namespace, pod) group_left () somebodys_info", 0),
            ("up * on (node) group_left () node_uname_info", 0),
        ] {
            let expression = parsed(text);
            let mut found = BTreeSet::new();
            matched(&expression, &mut found);
            assert_eq!(found.len(), expected, "{text}: {found:?}");
        }
    }

    #[test]
    fn deep_queries_end() {
        for (start, end) in [("(", "up"), ("up+", "up"), ("-", "up"), ("sum(", "up"), ("up or ", "up")] {
            let count = if start.contains('(') { 99 } else { 490 };
            let text = start.repeat(count) + end + &")".repeat(if start.contains('(') { count } else { 0 });
            let Ok(query) = vigil_promql::parse(&text) else { continue };
            long_ranges(&query.expr, &HashSet::new());
            absences(&query.expr);
            matched(&query.expr, &mut BTreeSet::new());
        }
    }
}
