//! kube-state-metrics: whether it exposes what queries ask it for. It leaves out what its flags do not name: resources, metrics, and
//! labels and annotations of objects.

use super::catalogue::Catalogue;
use super::query::{Parsing, Query};
use crate::finding::Findings;
use crate::rule::rules;
use crate::world::World;
use crate::world::program::Program;
use regex::Regex;
use std::collections::BTreeSet;
use vigil_promql::{Expr, Grouping, MatchOp, Matcher, Matching};
use vigil_yaml::{Node, Quoted};

rules! {
    UNEXPOSED "query-unexposed" Warning Nobody "kube-state-metrics exposes what queries ask it for"
}

/// Metrics that are of none of the cluster's objects, by their beginnings.
const OF_NO_RESOURCE: [&str; 2] = ["kube_state_metrics_", "kube_customresource_"];

/// The labels and annotations of objects, as metrics have them: the end of the metric's name, the beginning of the label's, and
/// the flag that names them.
const KINDS: [(&str, &str, &str); 2] =
    [("_labels", "label_", "metric-labels-allowlist"), ("_annotations", "annotation_", "metric-annotations-allowlist")];

/// What the flags of one kube-state-metrics say.
#[derive(Debug)]
pub(super) struct Exporter<'w> {
    resources: Option<&'w str>,
    allowed: Option<&'w str>,
    denied: Option<&'w str>,
    /// By the order of [`KINDS`].
    lists: [Option<&'w str>; 2],
}

impl<'w> Exporter<'w> {
    /// Those of a set; none where one of them has a file that may say more.
    pub(super) fn all(world: &World<'w>) -> Vec<Self> {
        let containers = world.pods.iter().filter_map(|pod| pod.spec?.get("containers")).flat_map(Node::items);
        let all = containers.filter_map(Program::of).filter(|program| program.name == "kube-state-metrics");
        all.map(|program| Self::of(&program)).collect::<Option<_>>().unwrap_or_default()
    }

    fn of(program: &Program<'w>) -> Option<Self> {
        let said = |name: &str| program.flag(name).map(|(_, value)| value).filter(|value| !value.is_empty());
        program.flag("config").is_none().then(|| Self {
            resources: said("resources"),
            allowed: said("metric-allowlist"),
            denied: said("metric-denylist"),
            lists: KINDS.map(|(.., flag)| said(flag)),
        })
    }

    /// Why it leaves out a metric, if it does.
    fn leaves_out(&self, metric: &str) -> Option<String> {
        if OF_NO_RESOURCE.iter().any(|start| metric.starts_with(start)) {
            return None;
        }
        let matches =
            |list: &str| list.split(',').filter_map(|item| Regex::new(item).ok()).any(|it| it.is_match(metric));
        let resource = resource(metric)?;
        if self.resources.is_some_and(|list| !list.split(',').any(|listed| listed == resource)) {
            Some(format!("`--resources` does not list `{resource}`"))
        } else if self.denied.is_some_and(matches) {
            Some("`--metric-denylist` matches it".to_owned())
        } else if self.allowed.is_some_and(|list| !matches(list)) {
            Some("`--metric-allowlist` does not match it".to_owned())
        } else {
            None
        }
    }

    /// Whether a label or annotation of a resource's objects is on its list, by the name that metrics give it.
    fn exposes(&self, kind: usize, resource: &str, label: &str) -> bool {
        let (_, start, _) = KINDS[kind];
        let listed = self.lists[kind].map(of_resources).unwrap_or_default();
        let own = listed.iter().filter(|(name, _)| *name == resource || *name == "*").flat_map(|(_, keys)| keys);
        own.into_iter().any(|key| key.contains('*') || format!("{start}{}", snake_case(key)) == label)
    }
}

/// The resource that a metric is about, as `--resources` spells it.
fn resource(metric: &str) -> Option<String> {
    let singular = metric.strip_prefix("kube_")?.split('_').next()?;
    Some(match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if singular.ends_with('s') => format!("{singular}es"),
        None => format!("{singular}s"),
    })
}

/// A list such as `pods=[team,app],nodes=[*]`.
fn of_resources(list: &str) -> Vec<(&str, Vec<&str>)> {
    let parts = list.split(']').filter_map(|part| part.trim_start_matches(',').split_once("=["));
    parts.map(|(resource, keys)| (resource.trim(), keys.split(',').map(str::trim).collect())).collect()
}

/// A key as metrics spell it: what is no letter and no digit becomes `_`, and so does the seam before a capital letter.
fn snake_case(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut before = '_';
    for c in key.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
        before = c;
    }
    out
}

/// A label of objects that a query asks for, and the metric that should have it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Asked<'e> {
    kind: usize,
    metric: &'e str,
    label: &'e str,
}

/// Which of [`KINDS`] a metric is of.
fn kind_of(metric: &str) -> Option<usize> {
    KINDS.iter().position(|(end, ..)| metric.starts_with("kube_") && metric.ends_with(end))
}

/// All labels of objects that an expression asks for, but those that it makes.
fn asked(expression: &Expr) -> BTreeSet<Asked<'_>> {
    let mut found = BTreeSet::new();
    let mut made = BTreeSet::new();
    expression.walk(&mut |part| {
        if let Expr::Call(call) = part
            && let (true, Some(Expr::String(name))) = (call.function.name.starts_with("label_"), call.arguments.get(1))
        {
            made.insert(name.as_str());
        }
        let named = named(part);
        for metric in part.selectors().into_iter().filter_map(|selector| selector.name.as_deref()) {
            let Some(kind) = kind_of(metric) else { continue };
            let own = named.iter().filter(|label| label.starts_with(KINDS[kind].1));
            found.extend(own.map(|label| Asked { kind, metric, label }));
        }
    });
    found.retain(|asked| !made.contains(asked.label));
    found
}

/// The labels that an expression itself needs its series to have. Those that are left out need not be there.
fn named(expression: &Expr) -> Vec<&str> {
    let kept: &[String] = match expression {
        Expr::Aggregate(it) => match &it.grouping {
            Some(Grouping::By(labels)) => labels,
            _ => &[],
        },
        Expr::Binary(it) => match &it.matching {
            Some(Matching::On(labels)) => labels,
            _ => &[],
        },
        _ => &[],
    };
    let taken = if let Expr::Binary(it) = expression { it.cardinality.taken() } else { &[] };
    let matchers = expression.selector().map(|selector| selector.matchers.as_slice()).unwrap_or_default();
    let matched = matchers.iter().filter(|matcher| needs(matcher)).map(|matcher| &matcher.name);
    kept.iter().chain(taken).chain(matched).map(String::as_str).collect()
}

/// Whether a matcher selects nothing, or all there is, where there is no such label.
fn needs(matcher: &Matcher) -> bool {
    !(matcher.matches_empty && matches!(matcher.op, MatchOp::Equal | MatchOp::Regex))
}

/// Judges what queries ask kube-state-metrics for. `added` are labels that monitors give to what is scraped.
pub(super) fn check(
    exporters: &[Exporter<'_>],
    queries: &[Query<'_, '_>],
    parsing: &Parsing<'_>,
    added: &BTreeSet<String>,
    findings: &mut Findings,
) {
    let Some((first, others)) = exporters.split_first() else { return };
    let catalogue = Catalogue::get();
    for query in queries {
        let Some(parsed) = parsing.of(query) else { continue };
        let metrics: BTreeSet<&str> =
            parsed.selectors.iter().filter_map(|selector| selector.metric.as_deref()).collect();
        for metric in metrics.into_iter().filter(|metric| catalogue.is_of_kube_state_metrics(metric)) {
            let why = first.leaves_out(metric).filter(|_| others.iter().all(|it| it.leaves_out(metric).is_some()));
            let Some(why) = why else { continue };
            let message = format!("kube-state-metrics does not expose {}", Quoted(metric));
            let finding = query.place.add(&UNEXPOSED, query.node, message, findings).label(why);
            finding.help("have it expose the metric, or leave the query out");
        }
        let asked = parsed.expression.as_ref().map(asked).unwrap_or_default();
        let is_exposed = |asked: &Asked<'_>| {
            let of = |resource: String| exporters.iter().any(|it| it.exposes(asked.kind, &resource, asked.label));
            resource(asked.metric).is_none_or(of)
        };
        // What is grouped by may be a label of any of the metrics.
        let exposed: BTreeSet<&str> = asked.iter().filter(|it| is_exposed(it)).map(|it| it.label).collect();
        for Asked { kind, metric, label } in &asked {
            if exposed.contains(label) || added.contains(*label) {
                continue;
            }
            let message = format!(
                "{} has no label {}: kube-state-metrics is not told to expose it",
                Quoted(metric),
                Quoted(label)
            );
            let (flag, resource) = (KINDS[*kind].2, resource(metric).unwrap_or_default());
            let finding = query.place.add(&UNEXPOSED, query.node, message, findings);
            finding.help(format!("name it, as the objects spell it, in `--{flag}={resource}=[…]`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_of_metrics() {
        for (metric, expected) in [
            ("kube_pod_labels", Some("pods")),
            ("kube_ingress_info", Some("ingresses")),
            ("kube_networkpolicy_labels", Some("networkpolicies")),
            ("kube_endpoint_info", Some("endpoints")),
            ("kube_storageclass_info", Some("storageclasses")),
            ("node_cpu_seconds_total", None),
        ] {
            assert_eq!(resource(metric).as_deref(), expected, "{metric}");
        }
    }

    #[test]
    fn lists_of_labels() {
        let exporter = Exporter {
            resources: None,
            allowed: None,
            denied: None,
            lists: [Some("pods=[team,app.kubernetes.io/name,costCenter],nodes=[*]"), None],
        };
        for (kind, resource, label, expected) in [
            (0, "pods", "label_team", true),
            (0, "pods", "label_app_kubernetes_io_name", true),
            (0, "pods", "label_cost_center", true),
            (0, "pods", "label_tier", false),
            (0, "services", "label_team", false),
            (0, "nodes", "label_anything", true),
            (1, "nodes", "annotation_anything", false),
        ] {
            assert_eq!(exporter.exposes(kind, resource, label), expected, "{resource} {label}");
        }
    }

    #[test]
    fn labels_that_are_asked_for() {
        for (text, expected) in [
            ("kube_pod_labels{label_team=\"a\", label_tier=\"\"}", "label_team"),
            ("sum by (label_team) (x * on (pod) group_left (label_team) kube_pod_labels)", "label_team"),
            ("sum by (label_team) (x)", ""),
            ("sum without (label_team) (kube_pod_labels)", ""),
            ("sum by (label_b) (label_replace(kube_pod_labels, \"label_b\", \"$1\", \"label_a\", \"(.*)\"))", ""),
            ("kube_pod_annotations{annotation_a!=\"\", label_a=\"\"}", "annotation_a"),
        ] {
            let query = vigil_promql::parse(text).unwrap();
            let found: Vec<_> = asked(&query.expr).into_iter().map(|it| it.label).collect();
            assert_eq!(found.join(","), expected, "{text}");
        }
    }
}
