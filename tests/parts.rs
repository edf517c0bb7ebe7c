//! A part of the stack is declared once: in the list of `crates/stack/src/model/mod.rs`, with its settings, rules and facts in
//! files of its name. Whatever concerns all parts asks all of them, and names none.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use vigil_render::Object;
use vigil_stack::Stack;
use walkdir::WalkDir;

/// Files that know one part for a reason of their own, with that part.
const KNOWING: [(&str, &str); 16] = [
    // Which rules there are is what the settings of alerts say, and so are their thresholds.
    ("crates/render/src/rules.rs", "alerts"),
    ("crates/render/src/words.rs", "alerts"),
    // Rules are for Prometheus or for Loki, which has files of its own.
    ("crates/render/src/rules.rs", "loki"),
    // Rules are written for how often it scrapes.
    ("crates/render/src/words.rs", "prometheus"),
    // Dashboards of all parts are its own format, and each panel asks one of two kinds of data sources. `values` is a word of
    // that format too.
    ("crates/render/src/dashboards/mod.rs", "grafana"),
    ("crates/render/src/dashboards/mod.rs", "loki"),
    ("crates/render/src/dashboards/mod.rs", "prometheus"),
    ("crates/render/src/dashboards/json.rs", "values"),
    // What is not for kubectl has folders that kustomize leaves out.
    ("crates/render/src/layout.rs", "argocd"),
    ("crates/render/src/layout.rs", "flux"),
    ("crates/render/src/layout.rs", "values"),
    // The pods that Loki is are a file of their own.
    ("crates/render/src/facts/loki_processes.rs", "loki"),
    // The definitions are the operator's, and labelled so.
    ("crates/render/src/facts/crds.rs", "prometheus-operator"),
    // The language of configurations has the program's name.
    ("crates/render/src/engine.rs", "alloy"),
    // Their annotations are on the objects of all other parts.
    ("crates/render/src/finish.rs", "argocd"),
    ("crates/render/src/finish.rs", "flux"),
];

fn keys() -> Vec<&'static str> {
    Stack::default().parts().into_iter().map(|(name, _)| name).collect()
}

/// Whether code, not prose, speaks of a part: by its key as a text, or by its field of the stack.
fn names(source: &str, key: &str) -> bool {
    let field = key.replace('-', "_");
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(str::trim_start).filter(|line| !line.starts_with("//")).any(|line| {
        let is_field = |owner: &str| {
            line.match_indices(&format!("{owner}.{field}")).any(|(at, found)| {
                !line[at + found.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
            })
        };
        line.contains(&format!("\"{key}\"")) || is_field("stack") || is_field("self")
    })
}

#[test]
fn what_concerns_all_parts_names_none() {
    assert!(names("if stack.loki.enabled {", "loki") && names("of(\"node-exporter\")", "node-exporter"));
    assert!(!names("// of stack.loki", "loki") && !names("stack.prometheus_operator.x", "prometheus"));

    let keys = keys();
    let own: BTreeSet<String> = keys.iter().map(|key| format!("{}.rs", key.replace('-', "_"))).collect();
    let mut found = Vec::new();
    let mut looked_at = 0;
    for folder in ["crates/stack/src", "crates/render/src"] {
        for entry in WalkDir::new(support::root().join(folder)).into_iter().map(Result::unwrap) {
            let path = entry.path().strip_prefix(support::root()).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let of_a_part = own.contains(name) && !path.parent().unwrap().ends_with("src");
            // The list of all parts, and the one of what each chart installs.
            let is_list = path.ends_with("model/mod.rs") || path.ends_with("stack/src/convert.rs");
            if path.extension().is_none_or(|extension| extension != "rs") || of_a_part || is_list || name == "tests.rs"
            {
                continue;
            }
            looked_at += 1;
            let source = fs::read_to_string(entry.path()).unwrap();
            let path = path.to_str().unwrap();
            let knows = |key: &&&str| names(&source, key) && !KNOWING.contains(&(path, **key));
            found.extend(keys.iter().filter(knows).map(|key| format!("{path}: {key}")));
        }
    }
    assert!(looked_at > 20, "{looked_at} files");
    assert!(found.is_empty(), "{found:#?}");
}

/// A part that is forgotten somewhere has a key in the schema and nothing behind it.
#[test]
fn every_part_has_all_that_belongs_to_one() {
    let schema: serde_json::Value = serde_json::from_str(vigil::STACK_SCHEMA).unwrap();
    let guide = fs::read_to_string(support::root().join("docs/stack.md")).unwrap();
    for key in keys() {
        let file = key.replace('-', "_");
        assert!(schema["properties"].get(key).is_some(), "stack.schema.json has no `{key}`");
        assert!(guide.contains(&format!("`{key}")), "docs/stack.md does not speak of `{key}`");
        for path in [format!("crates/render/src/facts/{file}.rs"), format!("templates/{key}")] {
            assert!(Path::new(&support::root().join(&path)).exists(), "{path} is missing");
        }
    }
}

/// Replicas that a drain may take all at once are a part whose disruption budget was forgotten.
#[test]
fn whatever_has_replicas_has_a_disruption_budget() {
    let mut seen = 0;
    for (name, path) in support::stacks() {
        let rendering = support::render(&path);
        let budgets: Vec<_> =
            rendering.objects.iter().filter(|object| object.kind() == "PodDisruptionBudget").collect();
        for object in
            rendering.objects.iter().filter(|object| object.value.head()["spec"]["replicas"].as_u64() > Some(1))
        {
            // A part may have several workloads, each with its own.
            let labels = &object.value.head()["spec"]["selector"]["matchLabels"];
            let is_its = |budget: &&&Object| {
                let selected = &budget.value.head()["spec"]["selector"]["matchLabels"];
                budget.component == object.component && (labels.is_null() || labels == selected)
            };
            let component: Vec<_> = budgets.iter().filter(is_its).collect();
            assert_eq!(component.len(), 1, "{name}: {} has no disruption budget", object.title());
            assert_eq!(component[0].namespace(), object.namespace(), "{name}: {}", object.title());
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} workloads with replicas");
}
