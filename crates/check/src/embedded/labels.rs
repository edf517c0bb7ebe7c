//! Labels: whether the series that queries work on have those that they are selected, grouped and matched by.
//!
//! The labels of an expression are those of its metrics, as the catalogue lists them, those that every series of a
//! target has, and what functions make of them. Of a metric that is not listed, or not wholly, nothing is said.

use super::catalogue::{Catalogue, is_near};
use super::outcomes::QUANTILE;
use super::query::{Parsed, Parsing, Query, Targets, VARIABLE};
use super::templates::read;
use crate::fields::entries;
use crate::finding::Findings;
use crate::rule::{Rule, rules};
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use vigil_promql::{
    Aggregate, Aggregation, Binary, Call, Cardinality, Expr, Grouping, MatchOp, Matcher, Matching, Operator, Selector,
    Type,
};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    LABEL "query-label" Warning Nobody "every label that a query asks for exists on its metric"
    JOIN "query-join" Warning Nobody "the two sides of every operation between series can match"
    TEMPLATE "template-label" Warning Nobody "templates of alerts use labels that their query keeps"
}

/// The labels of every target that a monitor leads to, and of what Prometheus makes of them.
const TARGET: [&str; 8] = ["job", "instance", "namespace", "pod", "service", "container", "endpoint", "node"];

/// Those of them that no target is without.
const SURE: [&str; 2] = ["instance", "job"];

/// Labels of containers' metrics that Kubernetes 1.16 gave another name.
const RENAMED: [(&str, &str); 2] = [("pod_name", "pod"), ("container_name", "container")];

/// What tells the pages of one target apart, as those of a kubelet. Queries over all targets group by it whether a job of
/// the set has it or not.
const PAGE: &str = "metrics_path";

/// Labels that rules for more than one cluster ask for, in the knowledge that they may not be there.
const ELSEWHERE: [&str; 5] = ["cluster", "prometheus", "prometheus_replica", "region", "zone"];

/// Series, as far as they are known.
#[derive(Clone, Debug)]
enum Series<'a> {
    /// Of these nothing is known.
    Any,
    /// A number or a text.
    None,
    /// Their labels.
    Known(Known<'a>),
}

impl Series<'_> {
    /// Judges what series are selected by.
    fn selected(&self, matcher: &Matcher, wrong: &mut Vec<Wrong>) {
        let is_variable = matcher.value.contains(VARIABLE);
        // What has no such label has an empty one.
        let (is_idle, is_for_none) = match matcher.op {
            MatchOp::Equal | MatchOp::Regex => (matcher.matches_empty, true),
            MatchOp::NotEqual | MatchOp::NotRegex => (false, !matcher.matches_empty),
        };
        let effect = if is_for_none { "nothing is selected" } else { "everything is selected" };
        self.has(&matcher.name, is_idle || is_variable, "here", effect, wrong);
    }

    /// Judges whether series have a label. A `doubtful` one, which may be left out or is a variable's, may be missing.
    fn has(&self, label: &str, doubtful: bool, here: &str, effect: &str, wrong: &mut Vec<Wrong>) {
        let Self::Known(known) = self else { return };
        let exported = label.strip_prefix("exported_");
        // `v` is what stands for a variable of Grafana's.
        let is_fine = known.labels.contains(label)
            || exported.is_some_and(|label| known.labels.contains(label))
            || label.starts_with("__")
            || label == "v"
            || ELSEWHERE.contains(&label);
        let renamed = RENAMED.iter().find(|(old, _)| *old == label && known.is_of_containers());
        let near = || {
            let near = known.labels.iter().copied().find(|other| is_near(label, other));
            renamed.map(|(_, new)| *new).or(near)
        };
        if is_fine || ((doubtful || !known.whole) && near().is_none()) {
            return;
        }
        let message = match known.metric {
            Some(metric) => format!("{} has no label {}, and {effect}", Quoted(metric), Quoted(label)),
            None => format!("no series {here} has a label {}, and {effect}", Quoted(label)),
        };
        let own: Vec<&str> = known
            .labels
            .iter()
            .copied()
            .filter(|label| !TARGET.contains(label) && !matches!(*label, "le" | "quantile"))
            .collect();
        let suggestion = near().or_else(|| nearest(label, known.labels.iter().copied()));
        let help = (!own.is_empty() && own.len() < 12).then(|| format!("there are {}", list(&own, "and")));
        wrong.push(Wrong {
            rule: &LABEL,
            message,
            label: suggestion.map(|near| format!("did you mean `{near}`?")),
            help,
        });
    }
}

impl<'a> Series<'a> {
    /// Those of the labels that an aggregation or a match leaves.
    fn kept(&self, labels: &'a [String]) -> Known<'a> {
        let mut known = Known::of(labels.iter().map(String::as_str));
        if let Self::Known(inner) = self {
            known.sure = inner.sure.iter().copied().filter(|label| known.labels.contains(label)).collect();
        }
        known
    }

    /// The same series, whose targets have no further labels.
    fn surely(&self) -> Self {
        match self {
            Self::Known(known) if !known.labels.is_empty() => Self::Known(Known { whole: true, ..known.clone() }),
            other => other.clone(),
        }
    }
}

#[derive(Clone, Debug)]
struct Known<'a> {
    /// The metric, if it is one alone.
    metric: Option<&'a str>,
    labels: BTreeSet<&'a str>,
    /// Those of them that every series has.
    sure: BTreeSet<&'a str>,
    /// There are no others; targets may have more if it is not.
    whole: bool,
}

impl<'a> Known<'a> {
    fn of(labels: impl IntoIterator<Item = &'a str>) -> Self {
        Self { metric: None, labels: labels.into_iter().collect(), sure: BTreeSet::new(), whole: true }
    }

    /// Whether these are series of cAdvisor.
    fn is_of_containers(&self) -> bool {
        self.metric.is_some_and(|metric| metric.starts_with("container_"))
    }

    /// The same series with more labels.
    fn with(mut self, added: &Self) -> Self {
        self.labels.extend(&added.labels);
        self
    }

    /// These series or others.
    fn and(mut self, other: &Self) -> Self {
        self.labels.extend(&other.labels);
        self.sure.retain(|label| other.sure.contains(label));
        self.whole &= other.whole;
        self.metric = self.metric.filter(|_| self.metric == other.metric);
        self
    }
}

/// What is known of all series.
struct World<'a> {
    catalogue: &'static Catalogue,
    targets: &'a Targets,
    recorded: HashMap<&'a str, Series<'a>>,
}

/// A label that is asked for in vain, or keeps two sides apart.
struct Wrong {
    rule: &'static Rule,
    message: String,
    label: Option<String>,
    help: Option<String>,
}

/// Judges the labels in all queries.
pub(super) fn check<'w>(
    queries: &[Query<'w, '_>],
    parsing: &'w Parsing<'_>,
    targets: &'w Targets,
    findings: &mut Findings,
) {
    let mut world = World { catalogue: Catalogue::get(), targets, recorded: HashMap::new() };
    for query in queries {
        if let Some(rule) = query.rule
            && let Some(name) = rule.get("record").and_then(Node::text)
        {
            world.record(name, rule, parsing.of(query).and_then(|parsed| parsed.expression.as_ref()));
        }
    }
    let judge = |(text, parsed): (&'w (&str, bool), &'w Parsed)| {
        let mut wrong = Vec::new();
        let series = world.walk(parsed.expression.as_ref()?, &mut wrong);
        Some((*text, (wrong, series)))
    };
    let found: HashMap<(&str, bool), (Vec<Wrong>, Series<'_>)> = parsing.all().filter_map(judge).collect();
    for query in queries {
        let Some((wrong, series)) = found.get(&(query.text, query.variables)) else { continue };
        for Wrong { rule, message, label, help } in wrong {
            query.place.add(rule, query.node, message, findings).append(label.clone(), help.clone());
        }
        if let Some(rule) = query.rule {
            templates(query, rule, series, findings);
        }
    }
}

/// Judges what the labels and annotations of an alert ask for.
fn templates(query: &Query<'_, '_>, rule: &Node, series: &Series<'_>, findings: &mut Findings) {
    for entry in ["labels", "annotations"].iter().flat_map(|key| entries(rule, key)) {
        let Some(Ok(template)) = entry.value.text().map(read) else { continue };
        for field in template.fields {
            let message = format!("a template is given no `.{field}`, and the alert says `error expanding template`");
            let given = "there are `$labels`, `$value`, `$externalLabels` and `$externalURL`";
            query.place.add(&TEMPLATE, &entry.value, message, findings).help(given);
        }
        let mut wrong = Vec::new();
        for label in template.labels {
            series.has(label, false, "that the query leaves", &format!("`$labels.{label}` is empty"), &mut wrong);
        }
        for Wrong { message, label, help, .. } in wrong {
            query.place.add(&TEMPLATE, &entry.value, message, findings).append(label, help);
        }
    }
}

impl<'a> World<'a> {
    /// Adds what a rule records to what other rules record under the same name.
    fn record(&mut self, name: &'a str, rule: &'a Node, expression: Option<&'a Expr>) {
        let made = expression.map_or(Series::Any, |expression| self.walk(expression, &mut Vec::new()));
        let own = entries(rule, "labels");
        let own = Known::of(own.iter().map(|entry| entry.key.text.as_str()));
        let made = match (made, self.recorded.remove(name)) {
            (Series::Known(known), None) => Series::Known(known.with(&own)),
            (Series::Known(known), Some(Series::Known(other))) => Series::Known(known.with(&own).and(&other)),
            _ => Series::Any,
        };
        self.recorded.insert(name, made);
    }

    fn walk(&self, expression: &'a Expr, wrong: &mut Vec<Wrong>) -> Series<'a> {
        match expression {
            Expr::Vector(it) => self.selector(it, wrong),
            Expr::Matrix(it) => self.selector(&it.selector, wrong),
            Expr::Paren(inner) | Expr::Unary(inner) => self.walk(inner, wrong),
            Expr::Subquery(it) => self.walk(&it.expr, wrong),
            Expr::Aggregate(it) => self.aggregate(it, wrong),
            Expr::Binary(it) => self.binary(it, wrong),
            Expr::Call(it) => self.call(it, wrong),
            Expr::Number(_) | Expr::String(_) => Series::None,
        }
    }

    fn selector(&self, selector: &'a Selector, wrong: &mut Vec<Wrong>) -> Series<'a> {
        let series = selector.name.as_deref().map_or(Series::Any, |name| self.metric(name));
        for matcher in &selector.matchers {
            series.selected(matcher, wrong);
        }
        series
    }

    fn metric(&self, name: &'a str) -> Series<'a> {
        match self.recorded.get(name) {
            Some(Series::Known(known)) => return Series::Known(Known { metric: Some(name), ..known.clone() }),
            Some(other) => return other.clone(),
            None => {}
        }
        let is_of_target = name == "up" || name.starts_with("scrape_");
        let own = if is_of_target { Some(Vec::new()) } else { self.catalogue.labels(name) };
        let sure = BTreeSet::from(SURE);
        let Some(own) = own else {
            // Of its labels no more is known than that a target has them.
            let open = Known { metric: Some(name), labels: BTreeSet::new(), sure, whole: false };
            return if self.catalogue.knows(name) { Series::Known(open) } else { Series::Any };
        };
        let added = self.targets.labels.iter().map(String::as_str);
        let labels = own.into_iter().chain(TARGET).chain(["le", "quantile"]).chain(added);
        let labels = labels.chain(is_of_target.then_some(PAGE)).collect();
        Series::Known(Known { metric: Some(name), labels, sure, whole: self.targets.jobs.is_some() })
    }

    fn aggregate(&self, aggregate: &'a Aggregate, wrong: &mut Vec<Wrong>) -> Series<'a> {
        let inner = self.walk(&aggregate.expr, wrong);
        if let Some(parameter) = &aggregate.parameter {
            self.walk(parameter, wrong);
        }
        let grouping = aggregate.grouping.as_ref();
        for label in grouping.map(Grouping::labels).unwrap_or_default() {
            inner.has(label, false, "here", &format!("`{}` does not group by it", aggregate.op), wrong);
        }
        if aggregate.op.picks() {
            return inner;
        }
        let mut outer = match (grouping, inner) {
            (None, _) => Known::of([]),
            (Some(Grouping::By(labels)), inner) => inner.kept(labels),
            (Some(Grouping::Without(labels)), Series::Known(mut known)) => {
                let is_left = |label: &&str| !labels.iter().any(|other| other == label);
                known.labels.retain(is_left);
                known.sure.retain(is_left);
                Known { metric: None, ..known }
            }
            (Some(Grouping::Without(_)), _) => return Series::Any,
        };
        if aggregate.op == Aggregation::CountValues
            && let Some(Expr::String(label)) = &aggregate.parameter
        {
            outer.labels.insert(label);
        }
        Series::Known(outer)
    }

    fn binary(&self, binary: &'a Binary, wrong: &mut Vec<Wrong>) -> Series<'a> {
        let (left, right) = (self.walk(&binary.left, wrong), self.walk(&binary.right, wrong));
        match (&left, &right) {
            (Series::None, _) => return right,
            (_, Series::None) => return left,
            _ => {}
        }
        let matching = binary.matching.as_ref();
        matched(matching, &left, &right, wrong);
        joined(binary, &left, &right, wrong);
        let taken = match &binary.cardinality {
            Cardinality::ManyToOne(labels) => Some((labels, &left, &right, "on the right", "`group_left` takes it")),
            Cardinality::OneToMany(labels) => Some((labels, &right, &left, "on the left", "`group_right` takes it")),
            Cardinality::OneToOne | Cardinality::ManyToMany => None,
        };
        if let Some((labels, _, one, here, effect)) = taken {
            for label in labels {
                one.surely().has(label, false, here, effect, wrong);
            }
        }
        match (binary.op, matching, taken) {
            (Operator::And | Operator::Unless, ..) => left,
            (Operator::Or, ..) => match (left, right) {
                (Series::Known(left), Series::Known(right)) => Series::Known(left.and(&right)),
                _ => Series::Any,
            },
            (_, _, Some((labels, many, ..))) => match many {
                Series::Known(known) => {
                    Series::Known(known.clone().with(&Known::of(labels.iter().map(String::as_str))))
                }
                _ => Series::Any,
            },
            // Of two that match one to one, what they are matched by is left, where they are compared as well.
            (_, Some(Matching::On(labels)), None) => Series::Known(left.kept(labels)),
            _ => left,
        }
    }

    fn call(&self, call: &'a Call, wrong: &mut Vec<Wrong>) -> Series<'a> {
        let arguments: Vec<Series<'a>> = call.arguments.iter().map(|argument| self.walk(argument, wrong)).collect();
        let text = |index: usize| match call.arguments.get(index) {
            Some(Expr::String(text)) => Some(text.as_str()),
            _ => None,
        };
        if call.function.returns == Type::Scalar {
            return Series::None;
        }
        let of = arguments.into_iter().find(|argument| !matches!(argument, Series::None));
        let Some(of) = of else { return Series::Known(Known::of([])) };
        match call.function.name {
            "histogram_quantile" => {
                if let (Series::Known(known), Some(buckets)) = (&of, call.arguments.last())
                    && known.whole
                    && !known.labels.contains("le")
                    && buckets
                        .selectors()
                        .iter()
                        .any(|it| it.name.as_ref().is_some_and(|name| name.ends_with("_bucket")))
                {
                    wrong.push(Wrong {
                        rule: &QUANTILE,
                        message: "`histogram_quantile` gets buckets without `le`, and gives nothing".to_owned(),
                        label: None,
                        help: Some("keep the label: `sum by (le, …) (…)`".to_owned()),
                    });
                }
                of
            }
            "label_replace" | "label_join" => {
                // `label_replace(series, label, text, source, …)`, `label_join(series, label, separator, source…)`.
                let last = if call.function.name == "label_replace" { 4 } else { call.arguments.len() };
                let sources = (3..last).filter_map(text);
                for label in sources.filter(|label| !label.is_empty()) {
                    of.has(label, false, "here", &format!("`{}` reads it", call.function.name), wrong);
                }
                match (of, text(1)) {
                    (Series::Known(known), Some(label)) => {
                        Series::Known(Known { metric: None, ..known.with(&Known::of([label])) })
                    }
                    _ => Series::Any,
                }
            }
            // Labels come from what is not there.
            "absent" | "absent_over_time" | "info" => Series::Any,
            _ => of,
        }
    }
}

/// Judges whether two sides that are matched by all their labels can match: not where every series of one has a label that
/// none of the other has.
fn joined(binary: &Binary, left: &Series<'_>, right: &Series<'_>, wrong: &mut Vec<Wrong>) {
    let (Series::Known(left), Series::Known(right)) = (left, right) else { return };
    let ignored = match &binary.matching {
        None => &[][..],
        Some(Matching::Ignoring(labels)) => labels,
        Some(Matching::On(_)) => return,
    };
    if binary.op == Operator::Or {
        return;
    }
    let keeps_apart = |one: &Known<'_>, other: &Known<'_>| {
        let is_free = |label: &&&str| !ignored.iter().any(|other| other == **label);
        let apart = one.sure.iter().filter(is_free).find(|label| other.whole && !other.labels.contains(**label));
        apart.map(|label| (*label).to_owned())
    };
    let found = keeps_apart(right, left).map(|label| (label, "right", "left"));
    let Some((label, there, here)) = found.or_else(|| keeps_apart(left, right).map(|label| (label, "left", "right")))
    else {
        return;
    };
    let effect = if binary.op == Operator::Unless { "nothing is taken away" } else { "the result is empty" };
    let message = format!(
        "`{}` matches nothing, and {effect}: every series on the {there} has {}, none on the {here}",
        binary.op,
        Quoted(&label)
    );
    // Of an open metric, the labels of the other side are what it may have.
    let common: Vec<&str> = match (left.labels.is_empty() && !left.whole, right.labels.is_empty() && !right.whole) {
        (true, _) => right.labels.iter().copied().collect(),
        (_, true) => left.labels.iter().copied().collect(),
        _ => left.labels.intersection(&right.labels).copied().filter(|label| *label != "le").collect(),
    };
    let help = match common.as_slice() {
        [] => "aggregate both sides to the same labels, or match by none: `on ()`".to_owned(),
        labels if labels.len() <= 6 => format!(
            "aggregate both sides to the same labels, or match by those they share: `on ({})`, with `group_left` or \
             `group_right` where one side has several",
            labels.join(", ")
        ),
        _ => "aggregate both sides to the same labels, or match by those they share with `on (…)`".to_owned(),
    };
    wrong.push(Wrong { rule: &JOIN, message, label: None, help: Some(help) });
}

/// Judges the labels that two sides are matched by.
fn matched(matching: Option<&Matching>, left: &Series<'_>, right: &Series<'_>, wrong: &mut Vec<Wrong>) {
    if let Some(Matching::On(labels)) = matching {
        for label in labels {
            let effect = "`on` matches by it";
            // Where neither has it, it is the same on both.
            let before = wrong.len();
            left.has(label, false, "on the left", effect, wrong);
            if wrong.len() == before {
                right.has(label, false, "on the right", effect, wrong);
            }
        }
    } else if let (Some(Matching::Ignoring(labels)), Series::Known(one), Series::Known(other)) = (matching, left, right)
    {
        let both = Series::Known(one.clone().and(other));
        for label in labels {
            both.has(label, false, "on either side", "`ignoring` leaves it out", wrong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str, whole: bool) -> Vec<String> {
        let targets = Targets {
            jobs: whole.then(BTreeSet::new),
            labels: BTreeSet::from(["team".to_owned()]),
            ..Targets::default()
        };
        let expression = vigil_promql::parse(text).unwrap().expr;
        let world = World { catalogue: Catalogue::get(), targets: &targets, recorded: HashMap::new() };
        let mut wrong = Vec::new();
        world.walk(&expression, &mut wrong);
        wrong.into_iter().map(|wrong| wrong.message).collect()
    }

    #[test]
    fn labels_of_metrics() {
        for (text, is_wrong) in [
            ("node_cpu_seconds_total{mode=\"idle\", team=\"a\", pod!=\"\"}", false),
            ("node_cpu_seconds_total{mod=\"idle\"}", true),
            ("node_cpu_seconds_total{state=\"idle\"}", true),
            ("node_cpu_seconds_total{state=\"\"}", false),
            ("node_cpu_seconds_total{state=~\"a|\"}", false),
            ("node_cpu_seconds_total{state!=\"idle\"}", true),
            ("node_cpu_seconds_total{exported_mode=\"idle\", cluster=\"c\"}", false),
            ("sum by (mode, state) (rate(node_cpu_seconds_total[5m]))", true),
            ("sum without (cpus) (node_cpu_seconds_total)", true),
            ("histogram_quantile(0.9, sum by (le, verb) (rate(apiserver_request_duration_seconds_bucket[5m])))", false),
            ("somebodys_total{any=\"label\"}", false),
            ("kube_pod_labels{label_app=\"a\"}", false),
            ("up{jobb=\"a\"}", true),
            ("ALERTS{severity=\"warning\"}", false),
            ("{any=\"label\"}", false),
        ] {
            assert_eq!(!wrong(text, true).is_empty(), is_wrong, "{text}: {:?}", wrong(text, true));
        }
    }

    #[test]
    fn labels_of_expressions() {
        for (text, is_wrong) in [
            ("sum by (pod) (x) * on (namespace) y", true),
            ("sum by (pod) (x) * on (pod) group_left (node) sum by (pod) (y)", true),
            ("sum by (pod) (x) * on (pod) group_left (node) max by (pod, node) (y)", false),
            ("sum by (pod) (x) * on (pod) group_left (node) kube_pod_info", false),
            ("sum by (pod) (x) * on (pod) group_left (mode) kube_pod_info", true),
            ("sum(x) / ignoring (mode) sum by (mode) (x)", false),
            ("sum(x) / ignoring (mood) sum by (mode) (x)", true),
            ("sum by (a) (label_replace(x, \"a\", \"$1\", \"b\", \".*\"))", false),
            ("label_replace(sum by (pod) (x), \"a\", \"$1\", \"pot\", \".*\")", true),
            ("label_join(sum by (pod) (x), \"a\", \"/\", \"pod\", \"node\")", true),
            ("sum by (a) (label_replace(sum by (pod) (x), \"a\", \"$1\", \"pod\", \".*\"))", false),
            ("topk by (pod) (3, sum by (pod, node) (x)) and on (node) y", false),
            ("sum by (version) (count_values(\"version\", x))", false),
            ("sum by (a) (x) or sum by (b) (y) unless on (b) z", false),
            ("sum by (pod) (x) > on (pod) group_right () y", false),
            ("sum by (pod) (x > 5) / 2", false),
            ("sum by (pod) (sum by (node) (x))", true),
            ("max_over_time(sum by (pod) (x)[1h:])", false),
            ("sum by (a) (absent(x{a=\"b\"}))", false),
        ] {
            assert_eq!(!wrong(text, true).is_empty(), is_wrong, "{text}: {:?}", wrong(text, true));
        }
    }

    #[test]
    fn deep_queries_end() {
        for (start, end) in
            [("(", "up"), ("up+", "up"), ("-", "up"), ("sum(", "up"), ("sum by(a)(", "up"), ("up or ", "up")]
        {
            let count = if start.starts_with("up") { 490 } else { 99 };
            wrong(&(start.repeat(count) + end + &")".repeat(if start.contains('(') { count } else { 0 })), true);
        }
    }

    #[test]
    fn where_targets_may_have_more_labels_only_slips_are_told() {
        assert!(wrong("node_cpu_seconds_total{rack=\"a\"}", false).is_empty());
        assert_eq!(
            wrong("node_cpu_seconds_total{mdoe=\"idle\"}", false),
            ["`node_cpu_seconds_total` has no label `mdoe`, and nothing is selected"]
        );
        assert!(!wrong("sum by (pod) (x) * on (rack) y", false).is_empty());
    }
}
