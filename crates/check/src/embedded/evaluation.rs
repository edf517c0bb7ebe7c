//! Rules: what it costs to evaluate them, what they miss in between, and what they are left with.

use super::catalogue::Catalogue;
use super::query::{Parsing, Query, Window, parts, said};
use crate::fields::entries;
use crate::finding::Findings;
use crate::rule::rules;
use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::token::{T_BOTTOMK, T_LAND, T_LIMIT_RATIO, T_LIMITK, T_LUNLESS, T_TOPK};
use promql_parser::parser::{AggregateExpr, BinaryExpr, Expr, LabelModifier, VectorMatchCardinality, VectorSelector};
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;
use vigil_yaml::{Node, Quoted};

rules! {
    RANGE "query-range" Warning "no rule reads more than six hours of samples that are not recorded for it"
    ABSENT "query-absent" Warning "every alert on `absent()` has labels that say what is absent"
    DUPLICATE "query-duplicate" Warning "no rule fails with many-to-many matching when kube-state-metrics runs twice"
    REACH "rule-window" Warning "the range of a rule is at least as long as its evaluation interval"
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
    walk(expression, &mut |part| match part {
        Expr::MatrixSelector(it) if it.range > bound(&it.vs, recorded) => {
            let name = it.vs.name.as_deref().map_or_else(|| "a selector".to_owned(), |name| Quoted(name).to_string());
            found.push((name, it.range));
        }
        Expr::Subquery(it) => {
            let mut shortest: Option<Duration> = None;
            walk(&it.expr, &mut |inner| {
                let selector = match inner {
                    Expr::VectorSelector(selector) => selector,
                    Expr::MatrixSelector(matrix) => &matrix.vs,
                    _ => return,
                };
                shortest = shortest.into_iter().chain([bound(selector, recorded)]).min();
            });
            if shortest.is_some_and(|shortest| it.range > shortest) {
                found.push(("a subquery".to_owned(), it.range));
            }
        }
        _ => {}
    });
    found.dedup();
    found
}

/// How much of a selector's series a rule may read at each evaluation. Metrics of which each node, pod or request has its
/// own series take six hours; a counter of one's own, which may be a single series, takes a day.
fn bound(selector: &VectorSelector, recorded: &HashSet<&str>) -> Duration {
    let Some(name) = selector.name.as_deref() else { return HOUR * 6 };
    if name.contains(':') || recorded.contains(name) || name.starts_with("ALERTS") {
        return Duration::MAX;
    }
    if name.ends_with("_bucket") || Catalogue::get().has_many_series(name) { HOUR * 6 } else { HOUR * 24 }
}

/// Calls `judge` with an expression and all its parts.
fn walk<'e>(expression: &'e Expr, judge: &mut impl FnMut(&'e Expr)) {
    judge(expression);
    for part in parts(expression) {
        walk(part, judge);
    }
}

/// Whether an alert has a label of its own that tells more than how bad it is.
fn says_where(rule: &Node) -> bool {
    entries(rule, "labels").iter().any(|entry| entry.key.text != "severity")
}

/// What is wrong with the absences whose labels are those of the result.
fn absences(expression: &Expr) -> Vec<&'static str> {
    match expression {
        Expr::Paren(it) => absences(&it.expr),
        Expr::Binary(it) => {
            // What only filters gives no labels; nor does a number.
            let filters = matches!(it.op.id(), T_LAND | T_LUNLESS);
            let card = it.modifier.as_ref().map(|modifier| &modifier.card);
            match card {
                _ if filters => absences(&it.lhs),
                Some(VectorMatchCardinality::ManyToOne(_)) => absences(&it.lhs),
                Some(VectorMatchCardinality::OneToMany(_)) => absences(&it.rhs),
                _ => [absences(&it.lhs), absences(&it.rhs)].concat(),
            }
        }
        Expr::Call(it) if matches!(it.func.name, "absent" | "absent_over_time") => {
            let mut argument = it.args.args.first().map(Box::as_ref);
            while let Some(Expr::Paren(inner)) = argument {
                argument = Some(&inner.expr);
            }
            match argument {
                Some(Expr::VectorSelector(selector)) => without_place(&selector.matchers),
                Some(Expr::MatrixSelector(matrix)) => without_place(&matrix.vs.matchers),
                Some(_) => {
                    Some("`absent` of an expression gives no labels, and the alert has none: nobody knows where")
                }
                None => None,
            }
            .into_iter()
            .collect()
        }
        _ => Vec::new(),
    }
}

/// What is said of a selector that demands no label to be some text.
fn without_place(matchers: &Matchers) -> Option<&'static str> {
    let known = |matcher: &&promql_parser::label::Matcher| matcher.name != "__name__";
    let is_said = matchers.matchers.iter().filter(known).any(|matcher| matcher.op == MatchOp::Equal);
    (!is_said)
        .then_some("`absent` of a selector without `=` gives no labels, and the alert has none: nobody knows where")
}

/// Finds metrics of kube-state-metrics on a side of a binary operator where each group has one series, by labels that do
/// not tell two kube-state-metrics apart; with the labels that are matched and taken, where these are named.
fn matched<'e>(expression: &'e Expr, found: &mut BTreeSet<(&'e str, Option<String>)>) {
    walk(expression, &mut |part| {
        let Expr::Binary(it) = part else { return };
        let Some(modifier) = &it.modifier else { return };
        let on = match &modifier.matching {
            Some(LabelModifier::Include(labels)) if !has_instance(&labels.labels) => {
                let taken = modifier.card.labels().map(|taken| taken.labels.as_slice()).unwrap_or_default();
                let taken = taken.iter().filter(|label| !labels.labels.contains(label));
                let labels: Vec<&str> = labels.labels.iter().chain(taken).map(String::as_str).collect();
                Some(labels.join(", "))
            }
            Some(LabelModifier::Exclude(labels)) if has_instance(&labels.labels) => None,
            _ => return,
        };
        let sides: &[&Expr] = match &modifier.card {
            VectorMatchCardinality::OneToOne => &[&it.lhs, &it.rhs],
            VectorMatchCardinality::ManyToOne(_) => &[&it.rhs],
            VectorMatchCardinality::OneToMany(_) => &[&it.lhs],
            VectorMatchCardinality::ManyToMany => return,
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
        Expr::VectorSelector(it) => of_kubernetes(it),
        Expr::MatrixSelector(it) => of_kubernetes(&it.vs),
        Expr::Paren(it) => doubled(&it.expr),
        Expr::Unary(it) => doubled(&it.expr),
        Expr::Subquery(it) => doubled(&it.expr),
        Expr::Aggregate(it) if keeps_instance(it) => doubled(&it.expr),
        Expr::Binary(it) => doubled_binary(it),
        Expr::Call(it) if !matches!(it.func.name, "absent" | "absent_over_time" | "scalar" | "vector") => {
            it.args.args.iter().find_map(|argument| doubled(argument))
        }
        _ => None,
    }
}

fn doubled_binary(binary: &BinaryExpr) -> Option<&str> {
    let either = || doubled(&binary.lhs).or_else(|| doubled(&binary.rhs));
    if matches!(binary.op.id(), T_LAND | T_LUNLESS) {
        return doubled(&binary.lhs);
    }
    let Some(modifier) = &binary.modifier else { return either() };
    match (&modifier.card, &modifier.matching) {
        (VectorMatchCardinality::ManyToOne(_), _) => doubled(&binary.lhs),
        (VectorMatchCardinality::OneToMany(_), _) => doubled(&binary.rhs),
        // Only what is matched by is left; what is matched wrongly is told of there.
        (VectorMatchCardinality::OneToOne, Some(LabelModifier::Include(labels))) if !has_instance(&labels.labels) => {
            None
        }
        (VectorMatchCardinality::OneToOne, Some(LabelModifier::Exclude(labels))) if has_instance(&labels.labels) => {
            None
        }
        _ => either(),
    }
}

/// The selected metric, if kube-state-metrics alone exposes it, and one of its instances is not picked.
fn of_kubernetes(selector: &VectorSelector) -> Option<&str> {
    let name = selector.name.as_deref()?;
    let picks = |name: &str| matches!(name, "instance" | "pod_name" | "uid" | "shard");
    let is_picked =
        selector.matchers.matchers.iter().any(|matcher| picks(&matcher.name) && matcher.op == MatchOp::Equal);
    (!is_picked && Catalogue::get().is_of_kube_state_metrics(name)).then_some(name)
}

/// Whether two series that differ by `instance` are still two after an aggregation.
fn keeps_instance(aggregate: &AggregateExpr) -> bool {
    let picks = matches!(aggregate.op.id(), T_TOPK | T_BOTTOMK | T_LIMITK | T_LIMIT_RATIO);
    let is_one = matches!(aggregate.param.as_deref(), Some(Expr::NumberLiteral(number)) if number.val <= 1.0);
    match &aggregate.modifier {
        _ if picks => !is_one,
        None => false,
        Some(LabelModifier::Include(labels)) => has_instance(&labels.labels),
        Some(LabelModifier::Exclude(labels)) => !has_instance(&labels.labels),
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::LONGEST;
    use super::*;

    fn parsed(text: &str) -> Expr {
        promql_parser::parser::parse(text).unwrap()
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
            let count = (LONGEST - end.len()) / (start.len() + 1);
            let text = start.repeat(count) + end + &")".repeat(if start.contains('(') { count } else { 0 });
            let Ok(expression) = promql_parser::parser::parse(&text) else { continue };
            long_ranges(&expression, &HashSet::new());
            absences(&expression);
            matched(&expression, &mut BTreeSet::new());
        }
    }
}
