//! Files inside of objects: configuration, dashboards, rules and their queries.

mod alertmanager;
mod catalogue;
mod configuration;
mod dashboards;
mod file;
mod grafana;
mod grafana_settings;
mod grafanas;
mod labels;
mod loki;
mod probes;
mod push;
mod query;
mod rule_groups;
mod syntax;
mod targets;

use crate::finding::Findings;
use crate::object::MONITORING;
use crate::rule::Rule;
use crate::set::Set;
use crate::world::World;
use file::File;
use grafanas::grafanas;
use query::{Parsing, Targets};
use std::collections::HashSet;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [
        alertmanager::RULES,
        catalogue::RULES,
        configuration::RULES,
        grafana::RULES,
        grafana_settings::RULES,
        labels::RULES,
        loki::RULES,
        probes::RULES,
        push::RULES,
        query::RULES,
        rule_groups::RULES,
        syntax::RULES,
    ]
    .concat()
}

/// Judges every embedded file in the set, and every query; what they refer to as well, if that is `followed`.
pub(crate) fn check<'a>(
    set: &'a Set<'a>,
    world: impl FnOnce() -> &'a World<'a>,
    followed: bool,
    findings: &mut Findings,
) {
    let objects = ["ConfigMap", "Secret"].iter().flat_map(|kind| set.of_kind("", kind));
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
    alertmanager::check(&read, world, &operated, findings);
    grafana_settings::check(&read, world, findings);
    let mut queries = Vec::new();
    let mut recorded = HashSet::new();
    rule_groups::check(set, &mut queries, &mut recorded, findings);

    // Who loads what is a reference; what a file of Grafana's holds is not.
    let mut references = Findings::default();
    let mut loaded = grafana::load(&read, &grafanas(set), world, &mut references);
    grafana_settings::check_provisioning(&loaded, findings);
    if followed {
        findings.list.append(&mut references.list);
        push::check(&read, world, findings);
        probes::check(&read, world, findings);
    } else {
        loaded.clear();
    }
    for loaded in &loaded {
        loaded.check_sources(world, findings);
        loaded.check_dashboards(findings);
        dashboards::queries(loaded, &mut queries);
    }
    if queries.is_empty() {
        return;
    }
    let targets = if followed { targets::of(world) } else { Targets::default() };
    let parsing = Parsing::new(&queries);
    query::check(&queries, &parsing, &targets, findings);
    let scraped = targets.jobs.as_ref().and_then(|_| catalogue::scraped(world));
    catalogue::check(&queries, &parsing, &recorded, scraped.as_ref(), findings);
    labels::check(&queries, &parsing, &targets, findings);
}
