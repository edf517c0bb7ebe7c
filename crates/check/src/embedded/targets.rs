//! What the monitors of a set give: the jobs, and how often they are scraped.

use super::configuration::version_of;
use super::query::{Drop, Endpoint, Targets};
use super::rule_groups::seconds;
use crate::fields::{entries, items, text};
use crate::object::{MONITORING, Object};
use crate::set::Set;
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;
use vigil_yaml::Node;

/// What is scraped in a set that holds a Prometheus and its monitors; of any other nothing is known.
pub(super) fn of(world: &World<'_>) -> Targets {
    let set = world.set;
    let owners: Vec<&Object<'_>> =
        ["Prometheus", "PrometheusAgent"].iter().flat_map(|kind| set.of_kind(MONITORING, kind)).collect();
    if owners.is_empty() {
        return Targets::default();
    }
    let mut scraped = Scraped { complete: true, ..Scraped::default() };
    for owner in owners {
        scraped.owner(owner);
    }
    let usual = scraped.interval;
    let mut found = false;
    for (kind, endpoints) in [("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints"), ("Probe", "")] {
        for monitor in set.of_kind(MONITORING, kind) {
            found = true;
            scraped.monitor(monitor, endpoints, usual, world);
        }
    }
    for object in set.of_kind(MONITORING, "ScrapeConfig") {
        scraped.scrape_config(object, usual);
    }
    for rule in set.of_kind(MONITORING, "PrometheusRule") {
        let groups = items(rule.node, ["spec", "groups"]);
        let rules = groups.iter().filter_map(|group| group.get("rules")).flat_map(Node::items);
        scraped.jobs.extend(rules.filter_map(|rule| rule.at(&["labels", "job"])?.text()).map(str::to_owned));
    }
    let Scraped { jobs, complete, is_open, interval, intervals, endpoints } = scraped;
    Targets {
        jobs: (complete && found).then_some(jobs),
        is_open,
        interval: interval.map(Duration::from_secs),
        intervals: intervals.into_iter().map(|(job, seconds)| (job, Duration::from_secs(seconds))).collect(),
        endpoints,
        recorded_elsewhere: recorded_elsewhere(set),
        labels: labels(set),
    }
}

/// What is known so far of what is scraped.
#[derive(Default)]
struct Scraped {
    jobs: BTreeSet<String>,
    /// Whether these are all.
    complete: bool,
    is_open: bool,
    /// The seconds between two scrapes of the most frequent target, and of each job's.
    interval: Option<u64>,
    intervals: BTreeMap<String, u64>,
    endpoints: Vec<Endpoint>,
}

impl Scraped {
    /// Adds what a Prometheus says.
    fn owner(&mut self, owner: &Object<'_>) {
        let spec = |key: &str| owner.at(&["spec", key]).filter(|node| !node.is_null());
        let others = ["additionalScrapeConfigs", "enableRemoteWriteReceiver", "enableOTLPReceiver"];
        self.complete &=
            !owner.damaged && !others.iter().filter_map(|key| spec(key)).any(|node| node.boolean() != Some(false));
        self.complete &= !items(owner.node, ["spec", "scrapeClasses"]).iter().any(relabels_job);
        self.is_open |= ["serviceMonitor", "podMonitor", "probe", "rule"]
            .iter()
            .any(|kind| spec(&format!("{kind}NamespaceSelector")).is_some_and(|it| it.entries().is_empty()));
        let own = spec("scrapeInterval").and_then(Node::text).map_or(Some(30), seconds);
        self.interval = self.interval.into_iter().chain(own).min();
    }

    /// Adds what a monitor says, whose endpoints stand under the key `endpoints`. Those that say no interval have the
    /// `usual` one.
    fn monitor<'a>(&mut self, monitor: &'a Object<'a>, endpoints: &str, usual: Option<u64>, world: &World<'a>) {
        let mut given = BTreeSet::new();
        self.complete &= !monitor.damaged && jobs(monitor, world, &mut given);
        let endpoints = items(monitor.node, ["spec", endpoints]);
        let of = |node: &Node| own_interval(node, "interval");
        let ends = endpoints.iter().chain(monitor.at(&["spec"]).filter(|_| endpoints.is_empty()));
        if let Some(own) = ends.filter_map(|end| of(end).or(usual)).min() {
            for job in &given {
                self.job_interval(job, own);
            }
        }
        self.endpoints.extend(endpoints.iter().map(|end| Endpoint {
            jobs: given.clone(),
            is_cadvisor: text(end, "path").is_some_and(|path| path.contains("cadvisor")),
            drops: drops(end),
        }));
        self.jobs.append(&mut given);
        for node in endpoints.iter().chain(monitor.at(&["spec"])) {
            self.complete &= !relabels_job(node);
            self.interval = self.interval.into_iter().chain(of(node)).min();
        }
    }

    /// Adds what a ScrapeConfig says. Without an interval of its own it has the `usual` one.
    fn scrape_config(&mut self, object: &Object<'_>, usual: Option<u64>) {
        let Some(spec) = object.at(&["spec"]) else { return };
        self.complete &= !object.damaged && !relabels_job(spec);
        let job = job_of_scrape_config(object);
        let own = own_interval(spec, "scrapeInterval");
        if let Some(own) = own.or(usual) {
            self.job_interval(&job, own);
        }
        self.interval = self.interval.into_iter().chain(own).min();
        let is_cadvisor = text(spec, "metricsPath").is_some_and(|path| path.contains("cadvisor"));
        self.endpoints.push(Endpoint { jobs: BTreeSet::from([job.clone()]), is_cadvisor, drops: drops(spec) });
        self.jobs.insert(job);
    }

    /// A job is scraped that often, unless something of it is more often.
    fn job_interval(&mut self, job: &str, own: u64) {
        self.intervals.entry(job.to_owned()).and_modify(|it| *it = own.min(*it)).or_insert(own);
    }
}

/// The seconds that an endpoint says itself.
fn own_interval(node: &Node, key: &str) -> Option<u64> {
    node.get(key).and_then(Node::text).and_then(seconds).filter(|own| *own > 0)
}

/// The `job` of what a ScrapeConfig scrapes.
pub(super) fn job_of_scrape_config(object: &Object<'_>) -> String {
    let named = text(object.node, ["spec", "jobName"]).map(str::to_owned);
    named.unwrap_or_else(|| format!("scrapeConfig/{}/{}", object.namespace, object.name))
}

/// The seconds between two evaluations of groups that do not say their own: the shortest of all that evaluate rules.
pub(super) fn evaluation(set: &Set<'_>) -> Option<u64> {
    // What the operator takes without a word.
    let usual = [("Prometheus", 30), ("ThanosRuler", 15)];
    let of_kind = |(kind, usual)| {
        set.of_kind(MONITORING, kind).filter_map(move |owner| match text(owner.node, ["spec", "evaluationInterval"]) {
            Some(own) => seconds(own).filter(|own| *own > 0),
            None => Some(usual),
        })
    };
    usual.into_iter().flat_map(of_kind).min()
}

/// Whether every Prometheus of a set says that it is of version 3, which stores a whole `le` as a float.
pub(super) fn writes_floats(set: &Set<'_>) -> bool {
    let mut versions = set.of_kind(MONITORING, "Prometheus").map(version_of).peekable();
    versions.peek().is_some() && versions.all(|version| version.is_some_and(|(major, _)| major == 3))
}

/// Whether a Prometheus reads series from elsewhere, where others may have recorded them.
fn recorded_elsewhere(set: &Set<'_>) -> bool {
    let reads =
        set.of_kind(MONITORING, "Prometheus").any(|owner| !items(owner.node, ["spec", "remoteRead"]).is_empty());
    let is_federation = |end: &Node| {
        ["path", "metricsPath"].iter().filter_map(|key| end.get(key)?.text()).any(|path| path.contains("federate"))
    };
    let kinds = [("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints"), ("ScrapeConfig", "")];
    reads
        || kinds.into_iter().any(|(kind, key)| {
            set.of_kind(MONITORING, kind).any(|monitor| {
                items(monitor.node, ["spec", key]).iter().chain(monitor.at(&["spec"])).any(is_federation)
            })
        })
}

/// What an endpoint drops by name and `le`, up to a rule that changes these.
fn drops(endpoint: &Node) -> Vec<Drop> {
    let mut found = Vec::new();
    for rule in items(endpoint, "metricRelabelings") {
        let action = text(rule, "action").unwrap_or("replace").to_ascii_lowercase();
        let labels: Vec<String> =
            items(rule, "sourceLabels").iter().filter_map(Node::text).map(str::to_owned).collect();
        let changes = text(rule, "targetLabel").is_some_and(|label| matches!(label, "__name__" | "le"));
        if changes || action.starts_with("label") {
            break;
        }
        let is_plain = !labels.is_empty() && labels.iter().all(|label| matches!(label.as_str(), "__name__" | "le"));
        if is_plain && matches!(action.as_str(), "drop" | "keep") {
            let separator = text(rule, "separator").unwrap_or(";").to_owned();
            let pattern = text(rule, "regex").unwrap_or("(.*)").to_owned();
            found.push(Drop { labels, separator, pattern, regex: OnceLock::new(), of_matches: action == "drop" });
        }
    }
    found
}

/// The labels that Prometheuses and monitors give to targets and to what these expose.
fn labels(set: &Set<'_>) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for owner in ["Prometheus", "PrometheusAgent"].iter().flat_map(|kind| set.of_kind(MONITORING, kind)) {
        let spec = |key: &str| owner.at(&["spec", key]);
        let external = spec("externalLabels").map(Node::entries).unwrap_or_default();
        labels.extend(external.iter().map(|entry| entry.key.text.clone()));
        let names = ["prometheusExternalLabelName", "replicaExternalLabelName", "enforcedNamespaceLabel"];
        labels.extend(names.iter().filter_map(|key| spec(key)?.text()).map(str::to_owned));
    }
    for object in
        ["ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig"].iter().flat_map(|kind| set.of_kind(MONITORING, kind))
    {
        let Some(spec) = object.at(&["spec"]) else { continue };
        for key in ["targetLabels", "podTargetLabels"] {
            let copied = items(spec, key).iter().filter_map(Node::text);
            labels.extend(copied.map(|label| label.replace(|c: char| !c.is_ascii_alphanumeric(), "_")));
        }
        let named = entries(spec, ["targets", "staticConfig", "labels"]);
        labels.extend(named.iter().map(|entry| entry.key.text.clone()));
        let ends =
            ["endpoints", "podMetricsEndpoints"].into_iter().filter_map(|key| spec.get(key)).flat_map(Node::items);
        let probed = spec.at(&["targets", "staticConfig"]).into_iter().chain(spec.at(&["targets", "ingress"]));
        for end in ends.chain(probed).chain([spec]) {
            let rules = RELABELINGS.into_iter().filter_map(|key| end.get(key)).flat_map(Node::items);
            labels.extend(rules.filter_map(|rule| rule.get("targetLabel")?.text()).map(str::to_owned));
        }
    }
    labels
}

const RELABELINGS: [&str; 5] =
    ["relabelings", "metricRelabelings", "relabelConfigs", "metricRelabelConfigs", "relabelingConfigs"];

/// Adds the jobs of a monitor; whether these are all.
fn jobs<'a>(monitor: &'a Object<'a>, world: &World<'a>, jobs: &mut BTreeSet<String>) -> bool {
    if monitor.kind == "Probe" {
        let named = text(monitor.node, ["spec", "jobName"]);
        jobs.insert(named.map_or_else(|| format!("probe/{}/{}", monitor.namespace, monitor.name), str::to_owned));
        return true;
    }
    let Some(scrape) = world.scrape(monitor) else { return false };
    jobs.extend(scrape.jobs(world));
    !scrape.is_open(world)
}

/// Whether an endpoint gives `job` another value, or labels whose names are not known.
fn relabels_job(endpoint: &Node) -> bool {
    let rules = RELABELINGS.into_iter().filter_map(|key| endpoint.get(key));
    rules.flat_map(Node::items).any(|rule| {
        let text = |key: &str| rule.get(key).and_then(Node::text);
        text("targetLabel").is_some_and(|label| label == "job" || label.contains('$'))
            || text("action").is_some_and(|action| action.eq_ignore_ascii_case("labelmap"))
    })
}
