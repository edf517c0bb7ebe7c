//! The rules as stacks render them.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use vigil_render::{Object, Templates, render};
use vigil_stack::Stack;
use vigil_yaml::Source;

/// Two stacks that scrape everything there is; a stack has one of the two collectors.
pub(crate) const STACKS: [&str; 2] = [
    "blackbox-exporter: {enabled: true, targets: [{name: shop, url: 'https://shop.example.com', module: http_2xx}]}\n\
     objectStorage: {s3: {endpoint: s3.example.com}, buckets: {thanos: acme-metrics}}\n\
     prometheus: {retention: 2d, externalLabels: {cluster: production}}\n\
     thanos: {enabled: true}\nthanos-receive: {enabled: true, ingress: {enabled: true}}\n\
     thanos-ruler: {enabled: true, clusters: [production, fra-01]}\n\
     kube-state-metrics: {shards: 2}\nflask: {slo: {source: ingress}}\n",
    "promtail: {enabled: false}\nalloy: {enabled: true}\nkube-state-metrics: {shards: 2}\n\
     flask: {ingress: {gateway: {name: public}}, slo: {source: gateway}}\n",
];

/// A rule, as Prometheus gets it.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Of the alert, or of the recorded series.
    pub(crate) name: String,
    pub(crate) is_alert: bool,
    /// The file that it is from, as those of cases are named: `prometheus/self`.
    pub(crate) file: String,
    pub(crate) value: Value,
}

impl Rule {
    pub(crate) fn expr(&self) -> &str {
        self.value["expr"].as_str().unwrap()
    }

    /// How many cases at least show that it stays silent: one step below, and all well. What compares nothing has none.
    pub(crate) fn silent_cases(&self) -> usize {
        if self.expr() == "vector(1)" { 0 } else { 2 }
    }
}

/// All rules, by name. Several may have one name: the same alert with another severity.
pub(crate) struct Rules(BTreeMap<String, Vec<Rule>>);

impl Rules {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Rule> {
        self.0.values().flatten()
    }

    /// The rules of a name, and before them those whose series they read, and so on.
    pub(crate) fn with_what_they_read(&self, name: &str) -> Vec<&Rule> {
        let mut found: Vec<&Rule> = self.0.get(name).into_iter().flatten().collect();
        let mut at = 0;
        while at < found.len() {
            let expr = found[at].expr().to_owned();
            let read = self.all().filter(|rule| !rule.is_alert && expr.contains(&rule.name));
            for rule in read {
                if !found.iter().any(|known| std::ptr::eq(*known, rule)) {
                    found.push(rule);
                }
            }
            at += 1;
        }
        found.reverse();
        found
    }
}

/// All rules of a stack, each after those whose series it reads. Prometheus evaluates groups at times of their own, promtool
/// in an order of chance: as one group they do the same every time.
pub(crate) fn in_order(stack: &str) -> Vec<Value> {
    ordered(rendering(stack).iter().flat_map(rules_of).collect())
}

/// The same without those that are about all clusters, and evaluated elsewhere.
pub(crate) fn of_one_cluster(stack: &str) -> Vec<Value> {
    let own = rendering(stack).iter().filter(|object| !object.template.contains("/global-rules/"));
    ordered(own.flat_map(rules_of).collect())
}

fn ordered(mut waiting: Vec<&Value>) -> Vec<Value> {
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let (now, later): (Vec<_>, Vec<_>) =
            waiting.iter().partition(|rule| !waiting.iter().any(|other| reads(rule, other)));
        assert!(!now.is_empty(), "rules read each other: {later:?}");
        ordered.extend(now.into_iter().cloned());
        waiting = later;
    }
    ordered
}

/// Whether a rule reads what another one makes.
fn reads(rule: &Value, other: &Value) -> bool {
    let expr = rule["expr"].as_str().unwrap();
    let mut words = expr.split(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != ':');
    match other["record"].as_str() {
        Some(name) => rule["record"].as_str() != Some(name) && expr.contains(name) && words.any(|word| word == name),
        // InfoInhibitor and AlertmanagerNotificationsStalled read all alerts, but they are none of those that these are about.
        None => expr.contains("ALERTS") && !other["expr"].as_str().unwrap().contains("ALERTS"),
    }
}

/// The rules of a PrometheusRule; no other object has any.
fn rules_of(object: &Object) -> impl Iterator<Item = &Value> {
    let groups = (object.kind() == "PrometheusRule").then(|| object.value["spec"]["groups"].as_array().unwrap());
    groups.into_iter().flatten().flat_map(|group| group["rules"].as_array().unwrap())
}

/// A dashboard, as Grafana reads it.
pub(crate) struct Dashboard {
    pub(crate) folder: String,
    /// Its file, below `templates`.
    pub(crate) template: String,
    pub(crate) json: Value,
}

impl Dashboard {
    pub(crate) fn uid(&self) -> &str {
        self.json["uid"].as_str().unwrap()
    }

    pub(crate) fn title(&self) -> &str {
        self.json["title"].as_str().unwrap()
    }
}

/// The configuration of Loki in a stack that keeps logs on a disk.
pub(crate) fn loki_configuration() -> &'static str {
    let mut files = rendering(STACKS[1]).iter().filter(|object| object.component == "loki");
    files.find_map(|object| object.value["data"]["loki.yaml"].as_str()).unwrap()
}

/// The dashboards of a stack.
pub(crate) fn dashboards(stack: &str) -> Vec<Dashboard> {
    let is_dashboard = |object: &&Object| object.kind() == "ConfigMap" && object.template.contains("/dashboards/");
    let objects = rendering(stack);
    let read = |object: &Object| {
        let files: Vec<_> = object.value["data"].as_object().unwrap().values().collect();
        assert_eq!(files.len(), 1, "{}", object.title());
        Dashboard {
            folder: object.value["metadata"]["annotations"]["grafana_folder"].as_str().unwrap().to_owned(),
            template: object.template.clone(),
            json: serde_json::from_str(files[0].as_str().unwrap()).unwrap(),
        }
    };
    objects.iter().filter(is_dashboard).map(read).collect()
}

/// The dashboards of all stacks.
pub(crate) fn all_dashboards() -> Vec<Dashboard> {
    let mut all: Vec<_> = STACKS.into_iter().flat_map(dashboards).collect();
    all.sort_by(|one, other| one.uid().cmp(other.uid()));
    all.dedup_by(|one, other| one.uid() == other.uid());
    all
}

/// The panels of a dashboard, those of folded rows too.
pub(crate) fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let own = dashboard["panels"].as_array().into_iter().flatten();
    own.flat_map(|panel| std::iter::once(panel).chain(panel["panels"].as_array().into_iter().flatten()))
        .filter(|panel| panel["type"] != "row")
}

/// What a stack renders to. Many tests ask for the same, and to render takes a second in a build for tests.
fn rendering(stack: &str) -> &'static [Object] {
    static TEMPLATES: OnceLock<Templates> = OnceLock::new();
    static RENDERED: Mutex<BTreeMap<String, &'static OnceLock<Vec<Object>>>> = Mutex::new(BTreeMap::new());
    let slot = *RENDERED.lock().unwrap().entry(stack.to_owned()).or_insert_with(|| Box::leak(Box::default()));
    slot.get_or_init(|| {
        let templates = TEMPLATES.get_or_init(|| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
            Templates::read(&folder).unwrap_or_else(|problems| panic!("{}", drawn(&problems)))
        });
        let stack =
            Stack::parse(&Source::new("stack.yaml", stack)).unwrap_or_else(|problems| panic!("{}", drawn(&problems)));
        render(&stack.stack, templates).unwrap_or_else(|problems| panic!("{}", drawn(&problems))).objects
    })
}

/// The rules of all stacks; those of one file, such as `prometheus/self`, and all recorded series, when it is named.
pub(crate) fn rules(only: Option<&str>) -> Rules {
    let mut rules: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for stack in STACKS {
        for object in rendering(stack) {
            let file = object.template.replace("/rules/", "/").replace("/global-rules/", "/").replace(".yaml", "");
            let wanted = only.is_none_or(|only| file == only);
            for value in rules_of(object) {
                let is_alert = value["alert"].is_string();
                let name = value[if is_alert { "alert" } else { "record" }].as_str().unwrap().to_owned();
                let rule = Rule { name: name.clone(), is_alert, file: file.clone(), value: value.clone() };
                let known = rules.entry(name).or_default();
                if (wanted || !is_alert) && !known.iter().any(|known| known.value == rule.value) {
                    known.push(rule);
                }
            }
        }
    }
    rules.retain(|_, rules| !rules.is_empty());
    Rules(rules)
}

fn drawn(problems: &[vigil_yaml::Problem]) -> String {
    problems.iter().map(|problem| problem.draw(false) + "\n").collect()
}
