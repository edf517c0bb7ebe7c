//! Every alert and every recorded series of `templates/*/rules/`, by the promtool of the Prometheus that stacks run.
//!
//! `cases/<component>/<subject>.yaml` says of each rule on which series it fires, from which minute on, with which labels
//! and texts, and on which series it stays silent. What must hold for all of them is added here: an alert does not fire a
//! minute earlier, nor without any series, and says the same when everything is scraped twice, and beside what is silent.
//!
//! `RULES=prometheus/self` tries the cases of one file alone.
//!
//! `scenarios/<what happens>.yaml` names all alerts that fire in a whole cluster: `tests/played` plays it minute by minute, from
//! what runs in it and what happens, and says what Prometheus scrapes of it, and [`scenarios`] has promtool evaluate all rules of the stack on that. An alert that nobody expected there is noise, and one
//! that does not fire is a failure that nobody hears of.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod cases;
mod dashboards;
mod logs;
mod mutants;
mod neighbours;
mod panels;
mod pictures;
mod promtool;
mod rendered;
mod scenarios;
mod survivors;
#[path = "../../../../tests/tools/mod.rs"]
mod tools;

use panels::Cluster;
use std::collections::BTreeSet;
use std::sync::Mutex;

#[test]
fn every_rule_does_what_its_cases_say() {
    let Some(program) = tools::promtool() else { return };
    let only = std::env::var("RULES").ok();
    let rules = rendered::rules(only.as_deref());
    let mut files: Vec<_> =
        cases::files().into_iter().filter(|file| only.as_ref().is_none_or(|only| file.name == *only)).collect();
    files.sort_by_key(|file| std::cmp::Reverse(promtool::weight(file)));
    let problems = on_all_cores(&files, |file| promtool::test(&program, file, &rules));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(only.is_some() || !files.is_empty(), "no cases");
}

/// `SCENARIO=node-drained` tries one alone.
#[test]
fn nothing_else_fires_in_a_cluster() {
    let Some(program) = tools::promtool() else { return };
    let only = std::env::var("SCENARIO").ok();
    let world = scenarios::World::new();
    let mut scenarios = scenarios::all();
    scenarios.retain(|scenario| only.as_ref().is_none_or(|only| scenario.name == *only));
    assert!(!scenarios.is_empty(), "no scenario is called `{}`", only.unwrap_or_default());
    let problems = on_all_cores(&scenarios, |scenario| scenario.test(&program, &world).into_iter().collect());
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[test]
fn every_panel_shows_something() {
    let Some(program) = tools::promtool() else { return };
    let (world, known) = (scenarios::World::new(), panels::Known::read());
    let clusters = [Cluster::Well, Cluster::ScrapedTwice, Cluster::Named, Cluster::Troubled];
    let problems = on_all_cores(&clusters, |cluster| panels::test(&program, &world, &known, *cluster));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A panel of several queries shows something even if one of them asks for what there never is.
#[test]
fn exporters_say_all_that_panels_read() {
    let unsaid = panels::unsaid(&scenarios::World::new(), &panels::Known::read());
    assert!(unsaid.is_empty(), "{}", unsaid.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_dashboard_is_well_made() {
    let all = rendered::all_dashboards();
    let faults = |dashboard: &rendered::Dashboard| -> Vec<String> {
        let faults = dashboards::faults(dashboard);
        faults.into_iter().map(|fault| format!("{}: {fault}", dashboard.uid())).collect()
    };
    let found: Vec<_> = all.iter().flat_map(faults).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let titles: BTreeSet<_> = all.iter().map(|dashboard| dashboard.template.as_str()).collect();
    assert_eq!(titles.len(), all.len(), "each file makes one dashboard");
}

#[test]
fn dashboards_name_nothing_that_a_stack_has_not() {
    for stack in [
        rendered::STACKS[0],
        rendered::STACKS[1],
        "loki: {enabled: false}\npromtail: {enabled: false}",
        "alerts: {enabled: false}",
        "node-exporter: {enabled: false}",
        "kube-state-metrics: {enabled: false}",
        "alertmanager: {enabled: false}",
        "kubernetes-targets: {kubelet: false, apiServer: false}",
    ] {
        let ends = dashboards::loose_ends(stack);
        assert!(ends.is_empty(), "{stack}:\n{}", ends.join("\n"));
    }
}

/// Grafana leads from an alert to the panel that shows what it is about.
#[test]
fn every_alert_has_a_panel() {
    let problems: BTreeSet<_> = rendered::STACKS.into_iter().flat_map(dashboards::not_shown).collect();
    assert!(problems.is_empty(), "{}", problems.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_page_lists_all_dashboards() {
    let command = "VIGIL_UPDATE_DASHBOARDS=1 cargo test -p vigil-render --test rules";
    assert!(dashboards::page_is_current(), "docs/dashboards.md is stale: {command}");
}

/// A picture shows people what they get. It is not the same on each machine, and not compared.
#[test]
fn every_dashboard_has_its_picture() {
    let faults = pictures::faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// `DASHBOARD=home` draws one alone. Takes minutes: `just pictures`.
#[test]
#[ignore = "needs Loki and Chromium, and takes minutes"]
fn pictures_are_drawn() {
    let (Some(program), Some(loki)) = (tools::promtool(), tools::loki()) else { return };
    let only = std::env::var("DASHBOARD").ok();
    let mut dashboards = rendered::all_dashboards();
    dashboards.retain(|dashboard| only.as_ref().is_none_or(|only| dashboard.uid() == *only));
    assert!(!dashboards.is_empty(), "no dashboard is called `{}`", only.unwrap_or_default());
    // So many that each core has some to the end, and so few that the cluster is not played all the time.
    let parts: Vec<_> = dashboards.chunks(6).enumerate().collect();
    let loki = dashboards.iter().any(pictures::asks_loki).then(|| pictures::start_loki(&loki));
    let empty = on_all_cores(&parts, |(part, dashboards)| pictures::draw(&program, loki.as_ref(), dashboards, *part));
    assert!(empty.is_empty(), "{}", empty.join("\n"));
}

/// What each test finds, in order. promtool uses one core.
fn on_all_cores<T: Sync>(tested: &[T], test: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let (next, found) = (Mutex::new(tested.iter()), Mutex::new(Vec::new()));
    let next = || next.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while let Some(one) = next() {
                    let problems = test(one);
                    found.lock().unwrap().extend(problems);
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

/// Where nothing is said of what a rule reads, its silence shows nothing.
#[test]
fn exporters_say_all_that_rules_read() {
    let unsaid = scenarios::World::new().unsaid();
    assert!(unsaid.is_empty(), "{}", unsaid.into_iter().collect::<Vec<_>>().join("\n"));
}

/// A rule without cases would be a guess.
#[test]
fn every_rule_has_cases() {
    let only = std::env::var("RULES").ok();
    let rules = rendered::rules(only.as_deref());
    let all: Vec<_> = cases::files().into_iter().flat_map(|file| file.rules).collect();
    let mut missing = Vec::new();
    for rule in rules.all() {
        let tried: Vec<_> = all.iter().filter(|case| case.name == rule.name).collect();
        let fires = tried.iter().map(|case| case.fires.len()).sum::<usize>();
        let silent = tried.iter().map(|case| case.silent.len()).sum::<usize>();
        let says = tried.iter().flat_map(|case| &case.fires).any(|fires| fires.annotations.is_some());
        if rule.is_alert && (fires == 0 || silent < rule.silent_cases() || !says) {
            missing.push(format!("{}: {fires} that fire, {silent} that do not, texts: {says}", rule.name));
        }
        if !rule.is_alert && fires == 0 {
            missing.push(format!("{}: no case", rule.name));
        }
    }
    let known: BTreeSet<_> = rules.all().map(|rule| rule.name.as_str()).collect();
    for case in all.iter().filter(|_| only.is_none()) {
        if !known.contains(case.name.as_str()) {
            missing.push(format!("{}: no stack of this test has it", case.name));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Each rule is broken in every small way, one at a time, and its cases must notice. Takes minutes: `just mutations`.
#[test]
#[ignore = "takes minutes"]
fn cases_notice_a_rule_that_is_broken() {
    let Some(program) = tools::promtool() else { return };
    let only = std::env::var("RULES").ok();
    let rules = rendered::rules(only.as_deref());
    let (mut tried, mut survivors) = (0, Vec::new());
    for file in cases::files().into_iter().filter(|file| only.as_ref().is_none_or(|only| file.name == *only)) {
        let found = survivors::survivors(&program, &file, &rules);
        tried += found.tried;
        survivors.extend(found.survivors);
    }
    println!("{}", survivors.join("\n"));
    let noticed = 100.0 * f64::from(tried - u32::try_from(survivors.len()).unwrap()) / f64::from(tried);
    println!("{tried} faults, {} not noticed: {noticed:.1} %", survivors.len());
    assert!(noticed >= 95.0, "{noticed:.1} % of {tried} faults are noticed");
}
