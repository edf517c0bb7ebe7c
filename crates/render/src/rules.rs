//! Rule groups of Prometheus, `templates/<component>/rules/<subject>.yaml`, as PrometheusRule objects; and those of Loki, in
//! `log-rules`, as the files that its ruler reads; and those over all clusters, in `global-rules`, as PrometheusRule objects for
//! the ruler of Thanos.
//!
//! The files are what Prometheus and Loki read, with [`Words`] in them. A rule that speaks of something that the stack does not
//! scrape is left out, and so is one that reads what such a rule would record; a group and a file without a rule left are
//! left out with them.

use crate::dashboards::Shown;
use crate::templates::Templates;
use crate::words::Words;
use crate::{Made, Memory, dashboards, facts};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vigil_stack::Stack;
use vigil_stack::model::Part as _;
use vigil_stack::units::Url;
use vigil_yaml::{Problem, Span};

/// Who evaluates rules.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evaluator {
    Prometheus,
    Loki,
    Thanos,
}

/// How many rules an object has at most: of so many alerts about single clusters kubectl can still apply it.
const MOST_RULES: usize = 200;

/// The rules of one file that a stack has.
struct File<'t> {
    evaluator: Evaluator,
    component: &'static str,
    subject: &'t str,
    path: &'t str,
    groups: Vec<Map<String, Value>>,
}

impl File<'_> {
    fn rules_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.groups.iter_mut().filter_map(|group| group.get_mut("rules")?.as_array_mut()).flatten()
    }
}

/// The rules of a stack.
#[derive(Default)]
pub(crate) struct Rules<'t> {
    files: Vec<File<'t>>,
    /// What other stacks record and this one does not.
    pub(crate) absent: BTreeSet<String>,
    /// The alerts that stacks may have.
    pub(crate) alerts: BTreeSet<String>,
}

impl Rules<'_> {
    /// Says of alerts which panel shows what they are about: Grafana leads there by two annotations.
    pub(crate) fn tell(&mut self, shown: &[Shown]) {
        for file in &mut self.files {
            let component = file.component;
            for rule in file.rules_mut() {
                let panels = || shown.iter().filter(|panel| rule["alert"] == panel.alert.as_str());
                let own = panels().find(|panel| panel.component == component);
                let Some(Shown { uid, panel, .. }) = own.or_else(|| panels().next()) else { continue };
                if let Some(annotations) = rule.get_mut("annotations").and_then(Value::as_object_mut) {
                    annotations.insert("__dashboardUid__".to_owned(), json!(uid));
                    annotations.insert("__panelId__".to_owned(), json!(panel.to_string()));
                }
            }
        }
    }
}

impl<'t> Rules<'t> {
    /// The groups that Loki evaluates, by the names of their files: those of the components, and those of the stack's
    /// author.
    pub(crate) fn of_loki(&self, stack: &Stack) -> BTreeMap<String, Vec<Value>> {
        let own = self.files.iter().filter(|file| file.evaluator == Evaluator::Loki);
        let own = own.map(|file| {
            (
                format!("{}-{}.yaml", file.component, file.subject),
                file.groups.iter().cloned().map(Value::from).collect(),
            )
        });
        let others = stack.loki.rules.iter().map(|file| (format!("rules-{}.yaml", file.name), file.groups.clone()));
        own.chain(others).collect()
    }

    /// The PrometheusRule objects.
    pub(crate) fn objects(&self, stack: &Stack) -> Vec<Made<'t>> {
        let of_objects = self.files.iter().filter(|file| file.evaluator != Evaluator::Loki);
        of_objects.map(|file| objects(stack, file)).collect()
    }
}

/// The rules of the components that the stack has.
pub(crate) fn rules<'t>(
    stack: &Stack,
    components: &[&'static str],
    templates: &'t Templates,
    memory: Option<&Memory>,
) -> Result<Rules<'t>, Vec<Problem>> {
    let are_in = stack.alerts.is_in(stack);
    if !are_in && !dashboards::are_in(stack) {
        return Ok(Rules::default());
    }
    let words = Words::new(stack);
    let mut problems = Vec::new();
    let mut alerts = BTreeSet::new();
    let mut files = Vec::new();
    let mut absent = BTreeSet::new();
    let of_prometheus = templates.rules().map(|file| (Evaluator::Prometheus, file));
    let of_loki = templates.log_rules().map(|file| (Evaluator::Loki, file));
    let of_thanos = templates.global_rules().map(|file| (Evaluator::Thanos, file));
    for (evaluator, (folder, subject, path)) in of_prometheus.chain(of_loki).chain(of_thanos) {
        let fill = || Filled::new(path, templates, &words);
        let filled = match memory.map_or_else(|| fill().map(Arc::new), |memory| memory.rules(path, &words, fill)) {
            Ok(filled) => filled,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        alerts.extend(filled.alerts.iter().cloned());
        let is_evaluated = are_in && (evaluator != Evaluator::Loki || facts::log_alerts(stack));
        let component = components.iter().copied().find(|component| is_evaluated && *component == folder);
        absent.extend(component.map_or(&filled.records, |_| &filled.absent).iter().cloned());
        files.extend(component.map(|component| {
            let groups = filled.groups.clone();
            File { evaluator, component, subject, path, groups }
        }));
    }
    if are_in {
        problems.extend(unknown(stack, &alerts));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    leave_out_readers(&mut files, &mut absent);
    files.retain_mut(|file| settle(stack, file));
    Ok(Rules { files, absent, alerts })
}

/// The rules of a file, with the words of a stack.
#[derive(Debug)]
pub(crate) struct Filled {
    groups: Vec<Map<String, Value>>,
    /// All alerts that stand in the file.
    alerts: Vec<String>,
    /// All that the rules of the file record, and what those of them would that the stack has no words for.
    records: BTreeSet<String>,
    absent: BTreeSet<String>,
}

impl Filled {
    fn new(path: &str, templates: &Templates, words: &Words) -> Result<Self, Vec<Problem>> {
        let mut groups = groups(path, templates, words)?;
        let alerts = groups.iter().flat_map(|group| names(group, "alert")).collect();
        let records = groups.iter().flat_map(|group| names(group, "record")).collect();
        let mut absent = BTreeSet::new();
        for group in &mut groups {
            keep(group, &mut absent, |rule| words.fill_each(rule));
        }
        Ok(Self { groups, alerts, records, absent })
    }
}

/// The groups of a file, as they stand in it.
fn groups(path: &str, templates: &Templates, words: &Words) -> Result<Vec<Map<String, Value>>, Vec<Problem>> {
    let (Some(source), Some(node)) = (templates.get(path), templates.node(path)?) else { return Ok(Vec::new()) };
    let unknown = words.check(node);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let value = node.to_json();
    let groups = value["groups"].as_array().map(|groups| groups.iter().filter_map(Value::as_object).cloned().collect());
    groups.ok_or_else(|| {
        let help = "write the file as Prometheus reads it: `groups`, a list of groups with `name` and `rules`";
        vec![Problem::error("no rule groups", Span::new(source, 0..0)).help(help)]
    })
}

/// What the rules of a group say under a key.
fn names(group: &Map<String, Value>, key: &str) -> Vec<String> {
    let rules = group.get("rules").and_then(Value::as_array).into_iter().flatten();
    rules.filter_map(|rule| rule[key].as_str().map(str::to_owned)).collect()
}

/// What the stack says of alerts that there are not.
fn unknown(stack: &Stack, alerts: &BTreeSet<String>) -> Vec<Problem> {
    let off = stack.alerts.off.iter().enumerate().map(|(at, name)| ("off", at.to_string(), name));
    let named = off.chain(stack.alerts.severity.keys().map(|name| ("severity", name.to_string(), name)));
    named
        .filter(|(.., name)| !alerts.contains(name.as_str()))
        .map(|(key, at, name)| {
            let place = stack.alerts.place(&[key, &at]);
            let near = vigil_yaml::words::nearest(name.as_str(), alerts.iter().map(String::as_str));
            let help =
                near.map_or("`vigil runbook` lists all alerts".to_owned(), |near| format!("did you mean `{near}`?"));
            Problem::error(format!("`alerts.{key}`: there is no alert `{name}`"), place)
                .label("unknown name")
                .help(help)
        })
        .collect()
}

/// Replaces each rule of a group by those that `fill` makes of it. What the rules that go would have recorded is `absent`.
fn keep(group: &mut Map<String, Value>, absent: &mut BTreeSet<String>, fill: impl Fn(&Value) -> Vec<Value>) {
    let Some(Value::Array(rules)) = group.get_mut("rules") else { return };
    let kept = rules.iter().flat_map(|rule| {
        let filled = fill(rule);
        if filled.is_empty() {
            absent.extend(rule["record"].as_str().map(str::to_owned));
        }
        filled
    });
    *rules = kept.collect();
}

/// Leaves out the rules that read what is `absent`, until none is left that does.
fn leave_out_readers(files: &mut [File], absent: &mut BTreeSet<String>) {
    loop {
        // Several rules may record a series, each from another source.
        absent.retain(|name| !are_recorded(files, name));
        let known = absent.clone();
        for group in files.iter_mut().flat_map(|file| &mut file.groups) {
            keep(group, absent, |rule| {
                let reads = reads(rule["expr"].as_str().unwrap_or_default(), &known);
                (!reads).then(|| rule.clone()).into_iter().collect()
            });
        }
        if absent.len() == known.len() {
            return;
        }
    }
}

fn are_recorded(files: &[File], name: &str) -> bool {
    let mut rules =
        files.iter().flat_map(|file| &file.groups).filter_map(|group| group.get("rules")?.as_array()).flatten();
    rules.any(|rule| rule["record"] == name)
}

/// Whether an expression names one of some metrics.
pub(crate) fn reads(expr: &str, metrics: &BTreeSet<String>) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !metrics.is_empty() && expr.split(|c| !of_name(c)).any(|word| metrics.contains(word))
}

/// Does with the rules of a file what the stack says of single alerts; whether a rule is left.
fn settle(stack: &Stack, file: &mut File) -> bool {
    let is_off = |rule: &Value| stack.alerts.off.iter().any(|name| rule["alert"] == name.as_str());
    for rules in file.groups.iter_mut().filter_map(|group| group.get_mut("rules")?.as_array_mut()) {
        rules.retain(|rule| !is_off(rule));
    }
    file.groups.retain(|group| group.get("rules").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty()));
    for rule in file.rules_mut() {
        name_runbook(rule, stack.alerts.runbooks.as_ref());
        let severity = stack.alerts.severity.iter().find(|(name, _)| rule["alert"] == name.as_str());
        if let Some((_, severity)) = severity {
            rule["labels"]["severity"] = json!(severity);
        }
    }
    !file.groups.is_empty()
}

/// The PrometheusRule of a file; of very many rules several.
fn objects<'t>(stack: &Stack, file: &File<'t>) -> Made<'t> {
    let name = match file.subject {
        subject if subject == file.component => format!("{}-{subject}", facts::metrics_release(stack)),
        subject => format!("{}-{}-{subject}", facts::metrics_release(stack), file.component),
    };
    let labels = match file.evaluator {
        Evaluator::Thanos => facts::global_rule_labels(stack, file.component),
        _ => facts::rule_labels(stack, file.component),
    };
    let object = |(at, groups): (usize, Vec<Map<String, Value>>)| {
        let name = if at == 0 { name.clone() } else { format!("{name}-{}", at + 1) };
        json!({
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": { "name": name, "namespace": stack.namespaces.monitoring, "labels": labels },
            "spec": { "groups": groups },
        })
    };
    let values = in_parts(&file.groups).into_iter().enumerate().map(object);
    Made::new(file.component, file.path, values.map(Into::into).collect())
}

/// The groups of a file, for one object; of a group with very many rules parts of them, each for an object of its own.
fn in_parts(groups: &[Map<String, Value>]) -> Vec<Vec<Map<String, Value>>> {
    let count = |group: &Map<String, Value>| group.get("rules").and_then(Value::as_array).map_or(0, Vec::len);
    if groups.iter().all(|group| count(group) <= MOST_RULES) {
        return vec![groups.to_vec()];
    }
    let mut parts = Vec::new();
    for group in groups {
        let rules = group.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let name = group.get("name").and_then(Value::as_str).unwrap_or_default();
        for (at, rules) in rules.chunks(MOST_RULES).enumerate() {
            let mut part = group.clone();
            part.insert("name".to_owned(), json!(format!("{name}-{}", at + 1)));
            part.insert("rules".to_owned(), json!(rules));
            parts.push(vec![part]);
        }
    }
    parts
}

/// Says of an alert where its runbook is: at an address, or in the program.
fn name_runbook(rule: &mut Value, base: Option<&Url>) {
    let Some(alert) = rule["alert"].as_str().map(str::to_owned) else { return };
    let (key, value) = match base {
        Some(base) => ("runbook_url", format!("{}/{alert}.md", base.as_str().trim_end_matches('/'))),
        None => ("runbook", format!("vigil runbook {alert}")),
    };
    if let Some(annotations) = rule.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.entry(key).or_insert(value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_rules_are_objects_that_can_be_applied() {
        let group = |name: &str, rules: std::ops::Range<usize>| {
            let rules: Vec<_> = rules.map(|at| json!({ "alert": "A", "expr": at.to_string() })).collect();
            Map::from_iter([("name".to_owned(), json!(name)), ("rules".to_owned(), json!(rules))])
        };
        let few = vec![group("a", 0..MOST_RULES), group("b", 0..1)];
        assert_eq!(in_parts(&few), [few]);
        let expected = [group("a-1", 0..200), group("a-2", 200..400), group("a-3", 400..450), group("b-1", 0..1)];
        assert_eq!(in_parts(&[group("a", 0..450), group("b", 0..1)]), expected.map(|part| vec![part]));
    }
}
