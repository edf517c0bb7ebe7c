//! What rules and dashboards may take from the stack: `<<prometheus.job>>` is the `job` of Prometheus' own metrics.
//!
//! They are full of `{{ $labels.pod }}` and `${datasource}`, which Prometheus and Grafana fill in later, so Handlebars'
//! braces would be confused with those. `<<` is no operator of PromQL or LogQL and nothing that Grafana fills in. Every
//! word stands in this one list, and its value is made of letters, digits and `._:/-` only: wherever it is placed, no
//! string ends and no matcher begins by it.

use crate::facts;
use serde_json::Value;
use std::collections::BTreeMap;
use vigil_stack::Stack;
use vigil_yaml::{Node, Problem, Span, words};

const OPEN: &str = "<<";
const CLOSE: &str = ">>";

/// Stands for each cluster of a list: a rule with it is there once for each.
const EACH_CLUSTER: &str = "each.cluster";

/// The words of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Words {
    words: BTreeMap<String, Option<String>>,
    clusters: Vec<String>,
}

impl Words {
    pub(crate) fn new(stack: &Stack) -> Self {
        let jobs = facts::jobs(stack).into_iter().map(|(target, job)| (format!("{target}.job"), job));
        let own = [
            ("cluster", stack.alerts.cluster_label.to_string()),
            ("monitoring.namespace", stack.namespaces.monitoring.to_string()),
            ("logging.namespace", stack.namespaces.logging.to_string()),
            ("log-agents.namespace", stack.namespaces.log_agents().to_string()),
            ("prometheus.interval", stack.prometheus.scrape_interval.to_string()),
        ];
        let own = own.into_iter().map(|(word, value)| (word.to_owned(), Some(value)));
        let mut words: BTreeMap<_, _> = jobs.chain(own).chain(thresholds(stack)).collect();
        words.retain(|_, value| value.as_deref().is_none_or(is_safe));
        // What has a value for one cluster alone has none elsewhere.
        words.insert(EACH_CLUSTER.to_owned(), None);
        let clusters = stack.expected_clusters().iter().map(ToString::to_string);
        Self { words, clusters: clusters.filter(|cluster| is_safe(cluster)).collect() }
    }

    /// What is between `<<` and `>>` in a file and no word of this list.
    pub(crate) fn check(&self, node: &Node) -> Vec<Problem> {
        let mut problems = Vec::new();
        node.visit_texts(&mut |text, _, place| {
            problems.extend(
                names(text).filter(|name| !self.words.contains_key(*name)).map(|name| self.unknown(name, place)),
            );
        });
        problems
    }

    fn unknown(&self, name: &str, place: &Span) -> Problem {
        let known: Vec<_> = self.words.keys().map(String::as_str).collect();
        let problem = Problem::error(format!("unknown word `{OPEN}{name}{CLOSE}`"), place.clone());
        match words::nearest(name, known.iter().copied()) {
            Some(near) => problem.label(format!("did you mean `{OPEN}{near}{CLOSE}`?")),
            None => problem,
        }
        .help(format!("the words are {}", words::list(&known, "and")))
    }

    /// `value` with every word replaced; `None` when the stack has no value for one of them.
    pub(crate) fn fill(&self, value: &Value) -> Option<Value> {
        self.fill_for(value, None)
    }

    /// The same, once for each cluster where it speaks of each.
    pub(crate) fn fill_each(&self, value: &Value) -> Vec<Value> {
        match self.fill(value) {
            Some(filled) => vec![filled],
            None if speaks_of_each(value) => {
                self.clusters.iter().filter_map(|cluster| self.fill_for(value, Some(cluster))).collect()
            }
            None => Vec::new(),
        }
    }

    fn fill_for(&self, value: &Value, cluster: Option<&str>) -> Option<Value> {
        Some(match value {
            Value::String(text) => self.fill_text(text, cluster)?.into(),
            Value::Array(items) => items.iter().map(|item| self.fill_for(item, cluster)).collect::<Option<_>>()?,
            Value::Object(entries) => {
                let filled = entries.iter().map(|(key, value)| Some((key.clone(), self.fill_for(value, cluster)?)));
                Value::Object(filled.collect::<Option<_>>()?)
            }
            other => other.clone(),
        })
    }

    fn fill_text(&self, text: &str, cluster: Option<&str>) -> Option<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, word, after)) = first(rest) {
            filled.push_str(before);
            filled.push_str(match word {
                EACH_CLUSTER => cluster?,
                word => self.words.get(word)?.as_deref()?,
            });
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }
}

/// `alerts.thresholds` by their keys: `<<threshold.nodeCpu>>`.
fn thresholds(stack: &Stack) -> impl Iterator<Item = (String, Option<String>)> {
    let all = serde_json::to_value(&stack.alerts.thresholds).unwrap_or_default();
    let all = all.as_object().cloned().unwrap_or_default();
    all.into_iter().map(|(key, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (format!("threshold.{key}"), Some(text))
    })
}

fn speaks_of_each(value: &Value) -> bool {
    match value {
        Value::String(text) => names(text).any(|name| name == EACH_CLUSTER),
        Value::Array(items) => items.iter().any(speaks_of_each),
        Value::Object(entries) => entries.values().any(speaks_of_each),
        _ => false,
    }
}

/// What comes before the first word of a text, the word, and what comes after it.
fn first(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(OPEN)?;
    let (word, after) = rest.split_once(CLOSE)?;
    Some((before, word, after))
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, word, after) = first(rest)?;
        rest = after;
        Some(word)
    })
}

/// Whether a value can end no string and begin nothing, wherever it is placed.
fn is_safe(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || "._:/-".contains(c))
}
