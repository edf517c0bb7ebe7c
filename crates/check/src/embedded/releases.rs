//! Releases: whether a metric is there in each version of Kubernetes that a set is for.
//!
//! `crates/check/catalogue/versions.txt` says since and until when, and where that is from.

use super::query::{Parsing, Query};
use crate::finding::Findings;
use crate::options::Options;
use crate::rule::rules;
use crate::version::Version;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;
use vigil_promql::{Expr, Operator};
use vigil_yaml::Quoted;

rules! {
    VERSION "query-metric-version" Warning Nobody "every metric exists in all Kubernetes versions asked for"
}

/// The metrics that a histogram is made of.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// When a metric is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    times: Times,
    /// What took its place.
    successor: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    /// In none of the versions that are known.
    Gone,
    /// From the one to the other version of Kubernetes, both included.
    Within(Option<Version>, Option<Version>),
}

/// When a metric is there, or the histogram that it is a part of, and which part; nothing of one that is there always.
fn part_of(name: &str) -> Option<(Life, &'static str)> {
    static LIVES: OnceLock<HashMap<&'static str, Life>> = OnceLock::new();
    let lives = LIVES.get_or_init(|| include_str!("../../catalogue/versions.txt").lines().filter_map(read).collect());
    let part = || PARTS.into_iter().find_map(|part| Some((*lives.get(name.strip_suffix(part)?)?, part)));
    lives.get(name).map(|life| (*life, "")).or_else(part)
}

/// When a metric is there, or the histogram that it is a part of; nothing of one that is there always.
pub(super) fn life(name: &str) -> Option<Life> {
    part_of(name).map(|(life, _)| life)
}

/// A line of the list: `metric 1.30..1.34 successor`, `metric gone successor`.
fn read(line: &'static str) -> Option<(&'static str, Life)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next().filter(|name| !name.starts_with('#'))?;
    let times = words.next()?;
    let times = match times.split_once("..") {
        Some((first, last)) => Times::Within(first.parse().ok(), last.parse().ok()),
        None => Times::Gone,
    };
    Some((name, Life { times, successor: words.next() }))
}

/// Judges the metrics of all queries for all versions. What a query asks for besides, by `or`, may be what another version
/// has, and so may what took the place of a metric.
pub(super) fn check<'w>(
    queries: &[Query<'w, '_>],
    parsing: &Parsing<'w>,
    recorded: &HashSet<&str>,
    options: &Options,
    findings: &mut Findings,
) {
    for query in queries {
        let Some(expression) = parsing.of(query).and_then(|parsed| parsed.expression.as_ref()) else { continue };
        let (mut asked, mut sole) = (Vec::new(), Vec::new());
        collect(expression, false, &mut asked, &mut sole);
        sole.sort_unstable();
        sole.dedup();
        for name in sole.into_iter().filter(|name| !recorded.contains(name)) {
            let Some((Life { times, successor }, part)) = part_of(name) else { continue };
            if successor.is_some_and(|successor| asked.iter().any(|name| name.starts_with(successor))) {
                continue;
            }
            let successor = successor.map(|successor| format!("{successor}{part}"));
            let mut tell = |message: String, help: Option<String>, version: Option<Version>| {
                query.place.add(&VERSION, query.node, message, findings).append(None, help);
                if let Some(version) = version {
                    findings.only_in(version, options);
                }
            };
            let (first, last) = match times {
                Times::Gone => {
                    let message = format!("no version exposes {} any more", Quoted(name));
                    tell(message, successor.map(|successor| format!("ask for `{successor}`")), None);
                    continue;
                }
                Times::Within(first, last) => (first, last),
            };
            for version in &options.kubernetes {
                if let Some(last) = last.filter(|last| version > last) {
                    let message = format!("Kubernetes does not expose {} after {last}", Quoted(name));
                    let help = successor.as_ref().map(|it| format!("ask for `{it}`, or for both with `or`"));
                    tell(message, help, Some(*version));
                // A panel is for whoever has it.
                } else if let Some(first) = first.filter(|first| version < first && !query.variables) {
                    let message = format!("Kubernetes exposes {} since {first} only", Quoted(name));
                    let help = "ask for something else besides, with `or`, or leave it out for older clusters";
                    tell(message, Some(help.to_owned()), Some(*version));
                }
            }
        }
    }
}

/// Adds the metrics of an expression to `asked`, and to `sole` those without another choice.
fn collect<'e>(expression: &'e Expr, is_choice: bool, asked: &mut Vec<&'e str>, sole: &mut Vec<&'e str>) {
    let Some(selector) = expression.selector() else {
        let is_choice = is_choice || matches!(expression, Expr::Binary(it) if it.op == Operator::Or);
        for part in expression.parts() {
            collect(part, is_choice, asked, sole);
        }
        return;
    };
    let Some(name) = selector.name.as_deref() else { return };
    asked.push(name);
    if !is_choice {
        sole.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::*;

    #[test]
    fn lives() {
        let within = |first: Option<u16>, last: Option<u16>| {
            Times::Within(first.map(|minor| Version::new(1, minor)), last.map(|minor| Version::new(1, minor)))
        };
        for (name, times, successor) in [
            ("etcd_bookmark_counts", within(None, Some(35)), Some("etcd_bookmark_total")),
            ("etcd_bookmark_total", within(Some(36), None), None),
            ("kubelet_image_pull_duration_seconds_bucket", within(Some(30), None), None),
            ("resourceclaim_controller_creates_total", within(Some(34), Some(36)), None),
            ("kubelet_node_config_error", Times::Gone, None),
        ] {
            assert_eq!(life(name), Some(Life { times, successor }), "{name}");
        }
        assert_eq!(life("kube_pod_info"), None);
    }

    #[test]
    fn every_line_is_read_and_every_successor_is_there() {
        let lines = include_str!("../../catalogue/versions.txt").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let (name, life) = read(line).unwrap();
            match life.times {
                Times::Within(None, None) => panic!("{line}"),
                Times::Within(Some(first), Some(last)) => assert!(first <= last, "{line}"),
                Times::Gone | Times::Within(..) => {}
            }
            if let Some(successor) = life.successor {
                assert!(Catalogue::get().labels(successor).is_some(), "{name}: {successor}");
                assert!(super::life(successor).is_none_or(|life| life.times != Times::Gone), "{name}: {successor}");
            }
        }
    }

    #[test]
    fn choices() {
        for (text, expected) in [
            ("rate(a[5m]) / b", vec!["a", "b"]),
            ("a or b", vec![]),
            ("sum(a or b) / c", vec!["c"]),
            ("max_over_time((a or vector(0))[5m:])", vec![]),
            ("absent(a) and on () b unless c", vec!["a", "b", "c"]),
        ] {
            let expression = vigil_promql::parse(text).unwrap().expr;
            let (mut asked, mut sole) = (Vec::new(), Vec::new());
            collect(&expression, false, &mut asked, &mut sole);
            assert_eq!(sole, expected, "{text}");
        }
    }
}
