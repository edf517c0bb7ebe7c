//! Nothing phones home: docs/outbound.md lists the settings that keep programs from it, and every stack has them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use vigil_render::Rendering;

const PAGE: &str = "docs/outbound.md";

/// The first table of the page: program and setting.
fn settings() -> Vec<(String, String)> {
    let page = fs::read_to_string(support::root().join(PAGE)).expect("the page");
    let rows = page.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let cells = rows.take_while(|line| line.starts_with('|')).map(|line| line.split('|').map(str::trim));
    let rows = cells.map(|mut cells| (cells.nth(1).unwrap().to_owned(), cells.next().unwrap().replace('`', "")));
    rows.collect()
}

/// What a program is configured by: each setting as the page writes it. None if the stack does not run it.
fn configured(program: &str, rendering: &Rendering) -> Option<BTreeSet<String>> {
    let object = |kind: &str| {
        let mut objects = rendering.objects.iter().filter(|object| object.component == program);
        objects.find(|object| object.kind() == kind).map(|object| &object.value)
    };
    match program {
        "grafana" => {
            let map = rendering.objects.iter().find_map(|object| object.value["data"]["grafana.ini"].as_str())?;
            let mut section = "";
            let mut settings = BTreeSet::new();
            for line in map.lines().map(str::trim) {
                if line.starts_with('[') {
                    section = line;
                } else if !line.is_empty() && !line.starts_with('#') {
                    settings.insert(format!("{section} {line}"));
                }
            }
            Some(settings)
        }
        "loki" => {
            let text = object("ConfigMap")?["data"]["loki.yaml"].as_str().expect("its configuration");
            let source = vigil_yaml::Source::new("loki.yaml", text);
            let root =
                vigil_yaml::read_one(&source, &vigil_yaml::Limits::default()).expect("YAML").expect("a document");
            let root = root.to_json();
            let analytics = root["analytics"].as_object().into_iter().flatten();
            Some(analytics.map(|(key, value)| format!("analytics.{key}: {value}")).collect())
        }
        "alloy" => {
            let daemons = object("DaemonSet")?;
            let args = daemons.pointer("/spec/template/spec/containers/0/args").and_then(|args| args.as_array());
            Some(args.expect("arguments").iter().map(|arg| arg.as_str().expect("a text").to_owned()).collect())
        }
        other => panic!("{PAGE}: how `{other}` is configured is not known here"),
    }
}

#[test]
fn every_stack_has_every_setting_that_keeps_a_program_from_phoning_home() {
    let listed = settings();
    let programs: BTreeSet<&String> = listed.iter().map(|(program, _)| program).collect();
    assert_eq!(programs.into_iter().map(String::as_str).collect::<Vec<_>>(), ["alloy", "grafana", "loki"], "{PAGE}");
    let mut missing = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, path) in support::stacks() {
        let rendering = support::render(&path);
        for (program, setting) in &listed {
            let Some(has) = configured(program, &rendering) else { continue };
            seen.insert(program.clone());
            if !has.contains(setting) {
                missing.push(format!("{name}: {program} has no `{setting}`"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert_eq!(seen.len(), 3, "each program is in some stack: {seen:?}");
}

/// The sections of Grafana that say what it tells and fetches.
const TOLD: [&str; 5] = ["[analytics]", "[news]", "[plugins]", "[security]", "[snapshots]"];

#[test]
fn the_page_lists_every_setting_of_the_kind_that_grafana_has() {
    let listed: BTreeSet<String> = settings().into_iter().map(|(_, setting)| setting).collect();
    for (name, path) in support::stacks() {
        for setting in configured("grafana", &support::render(&path)).into_iter().flatten() {
            let is_told = TOLD.iter().any(|section| setting.starts_with(section));
            assert!(!is_told || listed.contains(&setting), "{name}: `{setting}` is not in {PAGE}");
        }
    }
}
