//! Whole clusters to which something happens, and all alerts that fire then.

use crate::promtool::{Said, minutes, test_file};
use crate::rendered;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use vigil_played::cluster::{Cluster, Event, Kind};
use vigil_played::exporters::{Changes, Exporter, Recording, parse_series, say};
use vigil_played::{exporters, objects, yaml};
use vigil_promql::{MatchOp, Matcher, Selector};

/// A file of `scenarios/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    #[serde(skip)]
    pub(crate) name: String,
    /// What is tried.
    #[allow(dead_code, reason = "for those who read the file")]
    why: String,
    cluster: Kind,
    /// How long it is looked at: `2h`.
    until: String,
    /// How often rules are evaluated: every four minutes, unless more or less does. promtool takes 65 ms to evaluate all
    /// rules once.
    #[serde(default = "four_minutes")]
    every: String,
    /// What happens, by when it does.
    #[serde(default)]
    story: Story,
    /// All alerts that fire, with their severity: `15m-50m`, `15m-50m x3` if so many fire at once, and `15m-` for one that
    /// still does at the end. An alert that is not here fails the test, and so does one that is and does not fire.
    fires: BTreeMap<String, String>,
}

fn four_minutes() -> String {
    "4m".to_owned()
}

/// What happens, by when it does: `15m`.
pub(crate) type Story = BTreeMap<String, Vec<Event>>;

/// What fires, as scenarios say it.
type Fired = BTreeMap<String, String>;

pub(crate) fn all() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/scenarios");
    let mut paths: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let named = |path: &PathBuf| {
        let mut scenario: Scenario = yaml(path);
        path.file_stem().unwrap().to_str().unwrap().clone_into(&mut scenario.name);
        scenario
    };
    paths.iter().map(named).collect()
}

/// What all scenarios have in common.
pub(crate) struct World {
    exporters: Vec<Exporter>,
    objects: Value,
    /// The rules of the default stack, and of one for a managed control plane; and the files of both.
    rules: [Vec<Value>; 2],
    rule_files: [String; 2],
}

impl World {
    pub(crate) fn new() -> World {
        let rules = [DEFAULT, MANAGED].map(rendered::in_order);
        let file = |rules: &Vec<Value>| json!({ "groups": [{ "name": "all", "rules": rules }] }).to_string();
        World { exporters: exporters(), objects: objects(), rule_files: rules.each_ref().map(file), rules }
    }

    /// The selectors of the default stack's rules that select nothing in a cluster in which all is well.
    pub(crate) fn unsaid(&self) -> BTreeSet<String> {
        let cluster = Cluster::new(Kind::Kubeadm, self.objects.clone());
        let said = say(&self.exporters, &cluster, &Changes::default());
        let said: Vec<_> = said.keys().map(|series| parse_series(series)).collect();
        let [rules, _] = &self.rules;
        let made: BTreeSet<_> = rules.iter().filter_map(|rule| rule["record"].as_str()).chain(["ALERTS"]).collect();
        let queries = rules.iter().map(|rule| vigil_promql::parse(rule["expr"].as_str().unwrap()).unwrap());
        let queries: Vec<_> = queries.collect();
        let read: Vec<&Selector> = queries.iter().flat_map(|query| query.expr.selectors()).collect();
        let is_one_of = |selector: &Selector, (name, labels): &(&str, Vec<(&str, &str)>)| {
            let value = |key: &str| labels.iter().find(|(known, _)| *known == key).map_or("", |(_, value)| *value);
            selector.name.as_deref() == Some(name) && selector.matchers.iter().all(|it| is_match(it, value(&it.name)))
        };
        let is_read = |name: &str| read.iter().any(|selector| selector.name.as_deref() == Some(name));
        let idle = NOT_SAID.iter().filter(|(name, _)| !is_read(name)).map(|(name, _)| format!("no rule reads {name}"));
        read.iter()
            .filter(|selector| !selector.name.as_deref().is_some_and(|name| made.contains(name)))
            .filter(|selector| !NOT_SAID.iter().any(|(name, _)| selector.name.as_deref() == Some(name)))
            .filter(|selector| !said.iter().any(|series| is_one_of(selector, series)))
            .map(ToString::to_string)
            .chain(idle)
            .collect()
    }

    /// The series of the cluster of kubeadm to which something happens, with what only panels read. Both collectors run in it.
    pub(crate) fn shown(&self, story: &Story, end: u32) -> Vec<Value> {
        self.showing(Recording::default(), story, end)
    }

    /// The same for those who look at it.
    pub(crate) fn lively(&self, story: &Story, end: u32) -> Vec<Value> {
        self.showing(Recording::lively(), story, end)
    }

    fn showing(&self, recording: Recording, story: &Story, end: u32) -> Vec<Value> {
        let alloy = json!({ "kind": "DaemonSet", "namespace": "myloki", "name": "alloy", "service": true });
        let objects = self.objects.as_array().into_iter().flatten().cloned().chain([alloy]).collect();
        let exporters: Vec<_> = self.exporters.iter().cloned().map(Exporter::showing).collect();
        record(&exporters, Cluster::new(Kind::Kubeadm, objects), recording, story, end)
    }

    fn rule_file(&self, kind: Kind) -> &str {
        &self.rule_files[usize::from(kind == Kind::Managed)]
    }
}

/// What nothing is said of in a cluster in which all is well, and why.
const NOT_SAID: [(&str, &str); 16] = [
    ("etcd_network_peer_round_trip_time_seconds_bucket", "the only member has no peers"),
    ("etcd_network_peer_sent_failures_total", "the only member has no peers"),
    ("kube_node_deletion_timestamp", "of nodes that are being deleted"),
    ("kube_node_info", "of nodes of other versions"),
    ("kube_node_spec_taint", "of nodes that go away, and of what is no machine"),
    ("kube_pod_container_status_waiting_reason", "of containers that wait"),
    ("kube_pod_deletion_timestamp", "of pods that are being deleted"),
    ("kube_pod_init_container_status_waiting_reason", "of containers that wait"),
    ("kubelet_evictions", "begins with the first eviction"),
    ("kubernetes_build_info", "of other versions"),
    ("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", "no remote write"),
    ("prometheus_remote_storage_queue_highest_timestamp_seconds", "no remote write"),
    ("prometheus_remote_storage_samples_failed_total", "no remote write"),
    ("prometheus_remote_storage_samples_total", "no remote write"),
    ("prometheus_remote_storage_shards_desired", "no remote write"),
    ("prometheus_remote_storage_shards_max", "no remote write"),
];

/// Whether a label's value is one that is asked for.
fn is_match(matcher: &Matcher, value: &str) -> bool {
    let is_text = || {
        let regex = vigil_forms::regex::go(&matcher.value).unwrap().rust;
        regex::Regex::new(&format!("^(?s:{regex})$")).unwrap().is_match(value)
    };
    match matcher.op {
        MatchOp::Equal => value == matcher.value,
        MatchOp::NotEqual => value != matcher.value,
        MatchOp::Regex => is_text(),
        MatchOp::NotRegex => !is_text(),
    }
}

/// Of the version of Kubernetes that the cluster has.
const DEFAULT: &str = "kubernetes: '1.33'\nflask: {slo: {source: ingress}}";

const MANAGED: &str = "kubernetes-targets: {controllerManager: false, scheduler: false, etcd: false, kubeProxy: false}";

impl Scenario {
    /// What is wrong with it.
    pub(crate) fn test(&self, program: &Path, world: &World) -> Option<String> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scenarios").join(&self.name);
        let end = minutes(&self.until);
        let cluster = Cluster::new(self.cluster, world.objects.clone());
        let test = json!({
            "interval": "1m",
            "input_series": record(&world.exporters, cluster, Recording::default(), &self.story, end),
            "promql_expr_test": [{ "expr": question(end), "eval_time": self.until, "exp_samples": self.samples(end) }],
        });
        let file = json!({ "rule_files": ["rules.yaml"], "evaluation_interval": self.every, "tests": [test] });
        let rules = world.rule_file(self.cluster).to_owned();
        let Said { passed, text } = test_file(program, &folder, rules, &file);
        if passed {
            return None;
        }
        Some(self.differences(&text, end).unwrap_or(format!("{} (in {}):\n{text}", self.name, folder.display())))
    }

    /// What `question` answers when all is as it is said.
    fn samples(&self, end: u32) -> Vec<Value> {
        let mut samples = Vec::new();
        for (alert, when) in &self.fires {
            let (name, severity) = alert.split_once(' ').unwrap_or_else(|| panic!("`{alert}` has no severity"));
            let (times, count) = when.split_once(" x").unwrap_or((when, "1"));
            let (from, until) = times.split_once('-').unwrap_or_else(|| panic!("`{when}` is no time such as 5m-50m"));
            let until = if until.is_empty() { end } else { minutes(until) };
            let values = [("from", minutes(from)), ("until", until), ("at once", count.parse().unwrap())];
            for (what, value) in values {
                let labels = format!("{{alertname=\"{name}\",severity=\"{severity}\",what=\"{what}\"}}");
                samples.push(json!({ "labels": labels, "value": value }));
            }
        }
        samples
    }

    /// What fires and should not, and the other way round, by what promtool got.
    fn differences(&self, said: &str, end: u32) -> Option<String> {
        let got = said.split_once("got:")?.1;
        let mut values: BTreeMap<String, BTreeMap<&str, f64>> = BTreeMap::new();
        for sample in got.split("{alertname=").skip(1) {
            let (labels, value) = sample.split_once("} ")?;
            let [_, name, _, severity, _, what, ..] = labels.split('"').collect::<Vec<_>>()[..] else { return None };
            let value: f64 = value.split([',', '\n']).next()?.trim().parse().ok()?;
            values.entry(format!("{name} {severity}")).or_default().insert(what, value);
        }
        let fired: Fired = values.iter().map(|(alert, values)| (alert.clone(), when(values, end))).collect();
        let all: BTreeSet<_> = fired.keys().chain(self.fires.keys()).collect();
        // Otherwise a rule could not be evaluated, which promtool says.
        if fired == self.fires {
            return None;
        }
        let mut text = format!("{}: + fires and is not said, - is said and does not fire", self.name);
        for alert in all {
            let (is, should) = (fired.get(alert), self.fires.get(alert));
            if is != should {
                text += &should.map(|when| format!("\n- {alert}: {when}")).unwrap_or_default();
                text += &is.map(|when| format!("\n+ {alert}: {when}")).unwrap_or_default();
            }
        }
        Some(text)
    }
}

/// What Prometheus stores of a cluster to which something happens, as promtool reads it.
fn record(
    exporters: &[Exporter],
    mut cluster: Cluster,
    mut recording: Recording,
    story: &Story,
    end: u32,
) -> Vec<Value> {
    let mut changes = Changes::default();
    let mut open: Option<(u32, Cluster, Changes)> = None;
    let story: BTreeMap<u32, &Vec<Event>> = story.iter().map(|(at, events)| (minutes(at), events)).collect();
    for minute in 0..=end {
        for event in story.get(&minute).into_iter().flat_map(|events| events.iter()) {
            cluster.happens(event, minute.into());
            changes.happens(event);
        }
        cluster.tick(minute.into());
        if open.as_ref().is_some_and(|(_, known, same)| *known == cluster && *same == changes) {
            continue;
        }
        let next = cluster.is_scraped().then(|| (minute, cluster.clone(), changes.clone()));
        if let Some((since, cluster, changes)) = std::mem::replace(&mut open, next) {
            recording.scrape(say(exporters, &cluster, &changes), since..minute);
        }
    }
    if let Some((since, cluster, changes)) = open {
        recording.scrape(say(exporters, &cluster, &changes), since..end + 1);
    }
    recording.input()
}

fn when(values: &BTreeMap<&str, f64>, end: u32) -> String {
    let value = |what| values.get(what).copied().unwrap_or_default();
    let until = if value("until") >= f64::from(end) { String::new() } else { format!("{}m", value("until")) };
    let count = if value("at once") <= 1.0 { String::new() } else { format!(" x{}", value("at once")) };
    format!("{}m-{until}{count}", value("from"))
}

/// Asks for the first and the last minute in which alerts fired, and how many fired at once.
fn question(end: u32) -> String {
    let firing = "ALERTS{alertstate=\"firing\"}";
    let range = format!("[{}m:1m]", end + 1);
    let labelled = |what: &str, expr: &str| format!("label_replace({expr}, \"what\", \"{what}\", \"\", \"\")");
    let time = |function: &str| {
        format!("{function} by (alertname, severity) ({function}_over_time(timestamp({firing}){range})) / 60")
    };
    let count = format!("max_over_time(count by (alertname, severity) ({firing}){range})");
    [labelled("from", &time("min")), labelled("until", &time("max")), labelled("at once", &count)].join(" or ")
}
