//! Alerts as people meet them: each says where and why, has a runbook, and docs/alerts.md lists it; whatever an alert of the
//! upstream charts catches is caught, or said not to be.
//!
//! `VIGIL_UPDATE_ALERTS=1 cargo test --test alerts` writes the page.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use vigil_render::Object;
use vigil_stack::Stack;
use vigil_yaml::{Limits, Source};

/// Stacks that scrape everything there is: one has one of the two collectors, and one source of each.
const STACKS: [&str; 3] = [
    "blackbox-exporter: {enabled: true, targets: [{name: shop, url: 'https://shop.example.com', module: http_2xx}]}\n\
     objectStorage: {s3: {endpoint: s3.example.com}, buckets: {thanos: acme-metrics}}\n\
     prometheus: {retention: 2d, externalLabels: {cluster: production}}\n\
     thanos: {enabled: true}\nthanos-receive: {enabled: true, ingress: {enabled: true}}\n\
     thanos-ruler: {enabled: true, clusters: [production, fra-01]}\n\
     kube-state-metrics: {shards: 2}\nflask: {slo: {source: ingress}}\n",
    "promtail: {enabled: false}\nalloy: {enabled: true}\nkube-state-metrics: {shards: 2}\n\
     flask: {ingress: {gateway: {name: public}}, slo: {source: gateway}}\n",
    "flask: {slo: {source: access-log}}\n",
];

/// The sections of a runbook, in this order.
const SECTIONS: [&str; 5] = ["Meaning", "Impact", "How to look", "How to mend", "When to silence"];

/// All rules, by part and name.
fn rules() -> BTreeMap<(String, String), Vec<Value>> {
    let mut rules: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    for stack in STACKS {
        let stack = Stack::parse(&Source::new("stack.yaml", stack)).unwrap().stack;
        for object in vigil_render::render(&stack, &vigil::TEMPLATES).unwrap().objects {
            for group in object.value["spec"]["groups"].as_array().into_iter().flatten().chain(&log_groups(&object)) {
                for rule in group["rules"].as_array().unwrap() {
                    let name = rule["alert"].as_str().or(rule["record"].as_str()).unwrap().to_owned();
                    let known = rules.entry((object.component.to_owned(), name)).or_default();
                    if !known.contains(rule) {
                        known.push(rule.clone());
                    }
                }
            }
        }
    }
    rules
}

/// The rule groups in the files that Loki's ruler reads.
fn log_groups(object: &Object) -> Vec<Value> {
    let texts = object.value["data"].as_object().into_iter().flatten();
    let texts =
        texts.filter(|_| object.template.ends_with("/log-rules.yaml.hbs")).filter_map(|(_, text)| text.as_str());
    texts.flat_map(|text| groups_of(text).as_array().cloned().unwrap_or_default()).collect()
}

fn groups_of(text: &str) -> Value {
    vigil_yaml::read_one(&Source::new("rules.yaml", text), &Limits::default()).unwrap().unwrap().to_json()["groups"]
        .clone()
}

fn alerts() -> BTreeMap<(String, String), Vec<Value>> {
    let mut alerts = rules();
    alerts.retain(|_, rules| rules[0]["alert"].is_string());
    alerts
}

#[test]
fn every_alert_says_how_bad_it_is_where_and_what_to_do() {
    let mut missing = Vec::new();
    for ((_, name), rules) in alerts() {
        for rule in &rules {
            let severity = rule["labels"]["severity"].as_str().unwrap_or_default();
            if !["critical", "warning", "info", "none"].contains(&severity) {
                missing.push(format!("{name}: severity `{severity}`"));
            }
            for text in ["summary", "description"] {
                if rule["annotations"][text].as_str().is_none_or(str::is_empty) {
                    missing.push(format!("{name}: no {text}"));
                }
            }
            if rule["annotations"]["runbook"] != format!("vigil runbook {name}") {
                missing.push(format!("{name}: its runbook is not said"));
            }
            // Alertmanager's routes for one namespace would miss it.
            let somewhere =
                rule["labels"]["namespace"].is_string() || rule["expr"].as_str().unwrap().contains("namespace");
            if !somewhere {
                missing.push(format!("{name}: no namespace"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// What counts as a crash: lines that begin so, and none that speaks of such lines, as Loki's own log does of its queries.
#[test]
fn an_alert_about_crashes_counts_their_lines_and_no_others() {
    let alerts = alerts();
    let (_, rules) = alerts.iter().find(|((_, name), _)| name == "LogPanicDetected").unwrap();
    let expr = rules[0]["expr"].as_str().unwrap();
    let pattern = regex::Regex::new(expr.split('`').nth(1).unwrap()).unwrap();
    for line in [
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "fatal error: all goroutines are asleep - deadlock!",
        "thread 'main' panicked at src/main.rs:2:5:",
        "thread 'tokio-runtime-worker' (17) panicked at src/lib.rs:1:1:",
        "Exception in thread \"main\" java.lang.StackOverflowError",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "Fatal Python error: Segmentation fault",
    ] {
        assert!(pattern.is_match(line), "{line}");
    }
    for line in [
        "level=info msg=\"panic: \"",
        &format!("level=info component=ruler query=\"{expr}\""),
        "do not panic: it is only a log line",
        "Traceback (most recent call last):",
        " panic: indented",
        "",
    ] {
        assert!(!pattern.is_match(line), "{line}");
    }
}

#[test]
fn every_alert_has_a_runbook() {
    let runbooks: BTreeMap<&str, &str> = vigil::RUNBOOKS.iter().copied().collect();
    let names: BTreeSet<String> = alerts().into_keys().map(|(_, name)| name).collect();
    let mut wrong = Vec::new();
    for name in &names {
        let Some(text) = runbooks.get(name.as_str()) else {
            wrong.push(format!("docs/runbooks/{name}.md is missing"));
            continue;
        };
        let heads: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        if !text.starts_with(&format!("# {name}\n")) || heads != SECTIONS {
            wrong.push(format!(
                "docs/runbooks/{name}.md: expected `# {name}` and the sections {SECTIONS:?}, found {heads:?}"
            ));
        }
    }
    for name in runbooks.keys().filter(|name| !names.contains(**name)) {
        wrong.push(format!("docs/runbooks/{name}.md: there is no such alert"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_lists_all_alerts_and_what_became_of_upstreams() {
    let mut page = String::from(
        "# Alerts and recorded series\n\n\
         Generated by `VIGIL_UPDATE_ALERTS=1 cargo test --test alerts`; edits are lost. `vigil runbook NAME` says what an alert\n\
         means, how to look and how to mend. Which of them a stack has depends on its parts and on what it scrapes.\n\
         `critical` wakes somebody, `warning` is looked at today, `info` is context.\n",
    );
    let mut parts: BTreeMap<String, Vec<(String, Vec<Value>)>> = BTreeMap::new();
    for ((part, name), rules) in rules() {
        parts.entry(part).or_default().push((name, rules));
    }
    for (part, rules) in &parts {
        let _ = write!(page, "\n## {part}\n\n");
        let alerts: Vec<_> = rules.iter().filter(|(_, rules)| rules[0]["alert"].is_string()).collect();
        if !alerts.is_empty() {
            page += "| Alert | Severity | For | |\n|---|---|---|---|\n";
        }
        for (name, rules) in alerts {
            for rule in rules {
                let text = |value: &Value| value.as_str().unwrap_or_default().replace('|', "\\|");
                let time = rule["for"].as_str().unwrap_or("0m");
                let summary = text(&rule["annotations"]["summary"]);
                let severity = text(&rule["labels"]["severity"]);
                let _ = writeln!(page, "| [`{name}`](runbooks/{name}.md) | {severity} | {time} | {summary} |");
            }
        }
        let records: Vec<_> = rules.iter().filter(|(_, rules)| rules[0]["record"].is_string()).collect();
        if !records.is_empty() {
            let names: Vec<_> = records.iter().map(|(name, _)| format!("`{name}`")).collect();
            let _ = write!(page, "\nRecorded: {}.\n", names.join(", "));
        }
    }
    page += &upstream();
    let path = support::root().join("docs/alerts.md");
    let approved = fs::read_to_string(&path).unwrap_or_default();
    // `vigil-cluster cost` writes the last section, and takes a quarter of an hour.
    page += approved.find("\n## What they cost\n").map_or("", |at| &approved[at..]);
    if std::env::var_os("VIGIL_UPDATE_ALERTS").is_some() {
        fs::write(&path, &page).unwrap();
    } else {
        assert!(approved == page, "docs/alerts.md is stale: VIGIL_UPDATE_ALERTS=1 cargo test --test alerts");
    }
}

/// What docs/upstream/alerts.md says of an alert of the charts.
enum Told {
    /// The name that it has here.
    Ours(String),
    /// It has the same name, and only stacks with this have it.
    Sometimes(String),
    /// Why there is none.
    None(String),
}

/// The rows of docs/upstream/alerts.md about alerts, by upstream's names.
fn told() -> BTreeMap<String, Told> {
    let text = fs::read_to_string(support::root().join("docs/upstream/alerts.md")).unwrap();
    let mut told = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| alert ")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [object, field, ours, upstream, why] = cells[..] else { panic!("{line}") };
        let name = |cell: &str| cell.strip_prefix("alert ").unwrap_or_else(|| panic!("{line}")).to_owned();
        match field {
            "object" => told.insert(name(upstream), Told::Ours(name(ours))),
            _ if ours != "none" => told.insert(name(object), Told::Sometimes(ours.to_owned())),
            _ => told.insert(name(object), Told::None(why.to_owned())),
        };
    }
    told
}

/// What became of each alert of the charts. One that is neither ours nor said not to be fails.
fn upstream() -> String {
    let names: BTreeSet<String> = alerts().into_keys().map(|(_, name)| name).collect();
    let list = fs::read_to_string(support::root().join("docs/upstream/alerts.txt")).unwrap();
    let told = told();
    let mut page = String::from(
        "\n## Alerts of kube-prometheus-stack\n\n\
         What became of those of version 80.10.0 and of those that its sources have gained since. Those not in this table are\n\
         here under the same name.\n\n| Upstream | Here |\n|---|---|\n",
    );
    let mut wrong = Vec::new();
    let mut same = 0;
    for name in list.lines().filter(|line| !line.starts_with('#')) {
        match told.get(name) {
            Some(Told::Ours(ours)) if !names.contains(ours) => {
                wrong.push(format!("{name}: there is no alert `{ours}`"));
            }
            Some(Told::Sometimes(_)) if !names.contains(name) => wrong.push(format!("{name} is no alert of ours")),
            Some(Told::Sometimes(with)) => {
                let _ = writeln!(page, "| `{name}` | [`{name}`](runbooks/{name}.md), {with} |");
            }
            Some(Told::Ours(ours)) => drop(writeln!(page, "| `{name}` | [`{ours}`](runbooks/{ours}.md) |")),
            Some(Told::None(_)) if names.contains(name) => {
                wrong.push(format!("{name} is an alert of ours, and said not to be"));
            }
            Some(Told::None(why)) => drop(writeln!(page, "| `{name}` | none: {why} |")),
            None if names.contains(name) => same += 1,
            None => wrong.push(format!("{name}: neither an alert of ours nor said why not")),
        }
    }
    assert!(wrong.is_empty(), "docs/upstream/alerts.txt:\n{}", wrong.join("\n"));
    let _ = write!(page, "\n{same} are here under the same name.\n");
    page
}
