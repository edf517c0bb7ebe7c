//! Files inside of objects: configuration, dashboards, rules and their queries.

mod alertmanager;
mod alloy;
mod buckets;
mod catalogue;
mod configuration;
mod dashboards;
mod evaluation;
mod features;
mod file;
mod grafana;
mod grafana_settings;
mod http_client;
mod json;
mod kube_state_metrics;
mod labels;
mod logql;
mod loki;
mod loki_start;
mod outcomes;
mod panels;
mod probes;
mod prometheus_start;
mod push;
pub(crate) mod query;
mod releases;
mod rollout;
mod rule_groups;
mod stages;
mod streams;
mod syntax;
mod targets;
mod templates;
mod values;

pub(crate) use configuration::version_of;

use crate::fields::items;
use crate::finding::Findings;
use crate::memory::{Memory, hash};
use crate::object::{MONITORING, Object};
use crate::options::Options;
use crate::rule::Rule;
use crate::set::Set;
use crate::world::grafanas::Grafana;
use crate::world::program::Program;
use crate::world::template::PodTemplate;
use crate::world::{World, operator};
use features::Prometheus;
use file::File;
use grafana::Dashboard;
use query::{Parsing, Queries, Query, Targets};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use vigil_yaml::Node;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [
        alertmanager::RULES,
        buckets::RULES,
        catalogue::RULES,
        configuration::RULES,
        evaluation::RULES,
        features::RULES,
        grafana::RULES,
        grafana_settings::RULES,
        kube_state_metrics::RULES,
        labels::RULES,
        logql::RULES,
        loki::RULES,
        loki_start::RULES,
        outcomes::RULES,
        panels::RULES,
        probes::RULES,
        prometheus_start::RULES,
        push::RULES,
        query::RULES,
        alloy::RULES,
        releases::RULES,
        rollout::RULES,
        rule_groups::RULES,
        stages::RULES,
        syntax::RULES,
    ]
    .concat()
}

/// The programs whose configuration is looked into.
const CONFIGURED: [&str; 3] = ["alertmanager", "loki", "promtail"];

/// Whether [`check`] judges an object beside others of its namespace when no references are followed; the rules of
/// Prometheus it judges beside those of all namespaces. Of other objects it judges nothing but what [`check_syntax`]
/// does.
pub(crate) fn concerns(object: &Object<'_>) -> bool {
    match (object.group, object.kind) {
        ("", "ConfigMap" | "Secret") => File::all(object).iter().any(File::may_configure),
        (MONITORING, "AlertmanagerConfig" | "Alertmanager") => true,
        _ => containers(object).filter_map(Program::of).any(|it| it.is_grafana() || CONFIGURED.contains(&it.name)),
    }
}

/// Whether an object has containers, which may read a ConfigMap or Secret.
pub(crate) fn may_read(object: &Object<'_>) -> bool {
    containers(object).next().is_some()
}

fn containers<'a>(object: &Object<'a>) -> impl Iterator<Item = &'a Node> {
    let template = PodTemplate::of(object).or_else(|| PodTemplate::foreign(object)).map(|template| template.spec);
    let spec = template.or_else(|| object.at(&["spec"]).filter(|_| operator::makes_pods(object)));
    ["initContainers", "containers"]
        .into_iter()
        .flat_map(move |key| spec.map(|spec| items(spec, key)).unwrap_or_default())
}

/// Texts of files that nothing is wrong with, by their hashes: a set that holds one many times has it judged once.
#[derive(Default)]
pub(crate) struct Clean(Mutex<HashSet<u64>>);

impl Clean {
    fn key(file: &File<'_>) -> u64 {
        hash((file.name(), &*file.source.text))
    }

    /// The texts so far; what another thread left is as good.
    fn texts(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Judges whether the files in an object are what their names say, and the queries of dashboards are such.
pub(crate) fn check_syntax(object: &Object<'_>, clean: &Clean, findings: &mut Findings) {
    if !object.damaged {
        let mut files = File::all(object);
        files.retain(|file| !clean.texts().contains(&Clean::key(file)));
        let before = findings.list.len();
        let read = syntax::check(&files, findings);
        check_unloaded(&dashboards::unloaded(&read, &[]), &HashSet::new(), None, findings);
        if findings.list.len() == before {
            clean.texts().extend(files.iter().map(Clean::key));
        }
    }
}

/// Judges every embedded file in the set, and every query; what they refer to as well, if that is `followed`. `grafanas` are
/// those that may fetch the files.
pub(crate) fn check<'a>(
    set: &'a Set<'a>,
    world: impl FnOnce() -> &'a World<'a>,
    grafanas: &[Grafana],
    followed: bool,
    findings: &mut Findings,
) {
    let operated = set.objects.iter().filter(|object| dashboards::is_operated(object));
    let objects = ["ConfigMap", "Secret"].iter().flat_map(|kind| set.of_kind("", kind)).chain(operated);
    let files: Vec<File<'_>> = objects.filter(|object| !object.damaged).flat_map(File::all).collect();
    let has = |kind: &str| set.of_kind(MONITORING, kind).next().is_some();
    if files.is_empty() && !has("PrometheusRule") && !has("AlertmanagerConfig") {
        return;
    }
    let read = syntax::check(&files, findings);
    let world = world();
    let operated = configuration::alertmanagers(set);
    configuration::check(&read, world, &operated, findings);
    loki::check(&read, world, findings);
    loki_start::check(&read, world, findings);
    prometheus_start::check(&read, world, findings);
    alertmanager::check(&read, world, &operated, findings);
    stages::check(&read, world, findings);
    alloy::check(&read, world, findings);
    grafana_settings::check(&read, world, findings);
    let mut queries = Queries::default();
    let mut recorded = HashSet::new();
    rule_groups::check(world, &read, &mut queries, &mut recorded, findings);

    // Who loads what is a reference; what a file of Grafana's holds is not.
    let mut references = Findings::default();
    let mut loaded = grafana::load(&read, grafanas, world, &mut references);
    grafana_settings::check_provisioning(&loaded, findings);
    if followed {
        findings.list.append(&mut references.list);
        push::check(&read, world, findings);
        rollout::check(&files, world, findings);
        probes::check(&read, world, findings);
    } else {
        loaded.clear();
    }
    for loaded in &loaded {
        loaded.check_sources(world, findings);
        loaded.check_dashboards(findings);
        for dashboard in &loaded.dashboards {
            dashboards::queries(Some(loaded), dashboard, &mut queries);
            panels::check(dashboard, findings);
        }
    }
    let labels = if followed && !queries.loki.is_empty() { streams::labels(&read, world) } else { None };
    logql::check(&queries.loki, labels.as_ref(), findings);
    check_unloaded(&dashboards::unloaded(&read, &loaded), &recorded, set.options.memory.as_deref(), findings);
    let queries = queries.prometheus;
    if !queries.is_empty() {
        check_queries(set, world, &queries, &recorded, followed, findings);
    }
}

/// Judges dashboards that nobody in the set loads. Of a Grafana elsewhere nothing is known but that it reads PromQL and LogQL.
fn check_unloaded(
    dashboards: &[Dashboard<'_, '_, '_>],
    recorded: &HashSet<&str>,
    memory: Option<&Memory>,
    findings: &mut Findings,
) {
    let mut queries = Queries::default();
    for dashboard in dashboards {
        dashboards::queries(None, dashboard, &mut queries);
        panels::check(dashboard, findings);
    }
    logql::check(&queries.loki, None, findings);
    let queries = queries.prometheus;
    query::check(&queries, &Parsing::new(&queries, memory), &Targets::default(), recorded, findings);
}

/// What is known of a set besides its queries: all that they are judged by.
#[derive(Debug)]
struct Surroundings<'w> {
    targets: Targets,
    scraped: Option<BTreeSet<&'static str>>,
    rules: catalogue::Rules,
    writes_floats: bool,
    prometheuses: Option<Vec<Prometheus<'w>>>,
    object_exporters: Vec<kube_state_metrics::Exporter<'w>>,
}

impl<'w> Surroundings<'w> {
    fn of(set: &Set<'w>, world: &World<'w>, recorded: &HashSet<&str>, followed: bool) -> Self {
        let targets = if followed { targets::of(world) } else { Targets::default() };
        Self {
            scraped: targets.jobs.as_ref().and_then(|_| catalogue::scraped(world)),
            rules: rules_shown(set, &targets, recorded),
            writes_floats: targets::writes_floats(set),
            prometheuses: Prometheus::all(set),
            object_exporters: if followed { kube_state_metrics::Exporter::all(world) } else { Vec::new() },
            targets,
        }
    }

    /// Judges the queries of rules, and of dashboards of which it is known who loads them.
    fn judge(&self, queries: &[Query<'_, '_>], recorded: &HashSet<&str>, options: &Options, findings: &mut Findings) {
        let parsing = Parsing::new(queries, options.memory.as_deref());
        query::check(queries, &parsing, &self.targets, recorded, findings);
        if let Some(all) = &self.prometheuses {
            features::check(all, queries, &parsing, findings);
        }
        catalogue::check(queries, &parsing, recorded, self.scraped.as_ref(), self.rules, findings);
        buckets::check(queries, &parsing, &self.targets, self.writes_floats, findings);
        releases::check(queries, &parsing, recorded, options, findings);
        evaluation::check(queries, &parsing, recorded, findings);
        labels::check(queries, &parsing, &self.targets, findings);
        outcomes::check(queries, &parsing, findings);
        kube_state_metrics::check(&self.object_exporters, queries, &parsing, &self.targets.labels, findings);
    }
}

/// Judges queries in what surrounds them. Sets with the same queries in the same surroundings have the same verdict, so that
/// a clean one is remembered.
fn check_queries<'w>(
    set: &Set<'w>,
    world: &World<'w>,
    queries: &[Query<'w, '_>],
    recorded: &HashSet<&str>,
    followed: bool,
    findings: &mut Findings,
) {
    let surroundings = Surroundings::of(set, world, recorded, followed);
    let known = set.options.memory.as_deref().map(|memory| {
        let recorded: BTreeSet<_> = recorded.iter().collect();
        let of = |it: &Query<'_, '_>| hash((it.text, it.variables, it.interval, it.rule.map(|rule| rule.span.text())));
        let queries: Vec<_> = queries.iter().map(of).collect();
        (memory, hash((format!("{surroundings:?}"), &set.options.kubernetes, recorded, queries)))
    });
    if known.is_some_and(|(memory, verdict)| memory.is_clean(verdict)) {
        return;
    }
    let before = findings.list.len();
    surroundings.judge(queries, recorded, set.options, findings);
    if let Some((memory, verdict)) = known.filter(|_| findings.list.len() == before) {
        memory.found_clean(verdict);
    }
}

/// How many of the rules that record what queries ask for are in the set.
fn rules_shown(set: &Set<'_>, targets: &Targets, recorded: &HashSet<&str>) -> catalogue::Rules {
    let are_read = set.of_kind(MONITORING, "PrometheusRule").all(|object| !object.damaged);
    let records = recorded.iter().any(|name| name.contains(':'));
    if !are_read || !records || targets.jobs.is_none() || targets.recorded_elsewhere {
        catalogue::Rules::Unknown
    } else if targets.is_open {
        catalogue::Rules::Some
    } else {
        catalogue::Rules::All
    }
}
