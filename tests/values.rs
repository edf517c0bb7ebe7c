//! The values files do in Helm what they promise: the charts know every key, and a null takes away what a chart sets.
//!
//! `tests/charts/<chart>-<version>.txt` holds the paths that a chart knows.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use vigil_yaml::{Data, Limits, Node, Source};

/// A chart at a version, and the paths of its values.
struct Chart {
    name: String,
    version: String,
    /// Every path, and every section on the way to it.
    paths: BTreeSet<String>,
    /// Those that are free-form below.
    open: BTreeSet<String>,
}

impl Chart {
    fn all() -> Vec<Self> {
        let files = support::root().join("tests/charts").read_dir().expect("tests/charts can be read");
        let mut files: Vec<_> = files.map(|entry| entry.expect("tests/charts can be read").path()).collect();
        files.sort();
        files.iter().map(|path| Self::read(path)).collect()
    }

    fn named(name: &str) -> Self {
        Self::all().into_iter().find(|chart| chart.name == name).expect("a file of that name in tests/charts")
    }

    fn read(path: &Path) -> Self {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let (name, version) = stem.rsplit_once('-').expect("<chart>-<version>.txt");
        let text = fs::read_to_string(path).expect("a list of paths");
        let title = format!("# The values that the chart {name} {version} knows.");
        assert_eq!(text.lines().next(), Some(title.as_str()), "{stem}: the first line");
        Self::parse(name, version, &text)
    }

    fn parse(name: &str, version: &str, text: &str) -> Self {
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.is_sorted_by(|a, b| a < b), "{name}: the paths are sorted, and each stands there once");
        let (mut paths, mut open) = (BTreeSet::new(), BTreeSet::new());
        for line in lines {
            let path = line.strip_suffix(".*").unwrap_or(line);
            paths.extend(path.match_indices('.').map(|(dot, _)| path[..dot].to_owned()));
            paths.insert(path.to_owned());
            if path != line {
                open.insert(path.to_owned());
            }
        }
        Self { name: name.to_owned(), version: version.to_owned(), paths, open }
    }

    /// A line for every key of the values that the chart does not know, and for every null that removes nothing.
    fn faults(&self, values: &Node) -> Vec<String> {
        let mut faults = Vec::new();
        self.add_faults(values, "", false, &mut faults);
        faults
    }

    fn add_faults(&self, node: &Node, parent: &str, open: bool, faults: &mut Vec<String>) {
        let Data::Map(entries) = &node.data else { return };
        for entry in entries {
            let path = join(parent, &entry.key.text);
            let fault = match (self.paths.contains(&path), open, entry.value.is_null()) {
                (false, false, _) => "is not known to",
                (false, true, true) => "is null, but not set by",
                _ => {
                    let open = open || self.open.contains(&path);
                    self.add_faults(&entry.value, &path, open, faults);
                    continue;
                }
            };
            faults.push(format!("{:?}: `{path}` {fault} the chart {} {}", entry.key.span, self.name, self.version));
        }
    }

    /// What the chart has below a path, with every setting that it knows there; their values do not matter.
    fn defaults(&self, section: &str) -> Value {
        let mut defaults = Value::Object(Map::new());
        for path in &self.paths {
            let Some(below) = path.strip_prefix(section).and_then(|path| path.strip_prefix('.')) else { continue };
            let is_section = self.paths.iter().any(|other| other.starts_with(&format!("{path}.")));
            let place = below.split('.').fold(&mut defaults, |place, key| &mut place[key]);
            *place = if is_section { Value::Object(Map::new()) } else { "of the chart".into() };
        }
        defaults
    }
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

fn parse(name: &str, text: &str) -> Node {
    vigil_yaml::read_one(&Source::new(name, text), &Limits::default())
        .unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| p.draw(false)).collect::<String>()))
        .expect("values")
}

/// The values files of a stack, as (chart, text).
fn values_of(stack: &Path) -> Vec<(String, String)> {
    let files = support::render(stack).files.into_iter();
    let name = |path: &str| Some(path.strip_prefix("values/")?.strip_suffix(".yaml")?.to_owned());
    files.filter_map(|(path, text)| Some((name(&path)?, text))).collect()
}

#[test]
fn the_charts_know_every_key_of_every_stack() {
    let charts = Chart::all();
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    for (stack, path) in support::stacks() {
        for (name, text) in values_of(&path) {
            match charts.iter().find(|chart| chart.name == name) {
                Some(chart) => faults.extend(chart.faults(&parse(&format!("{stack}: values/{name}.yaml"), &text))),
                None => faults.push(format!("{stack}: nothing in tests/charts says what the chart {name} knows")),
            }
            seen.insert(name);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(seen, charts.into_iter().map(|chart| chart.name).collect(), "the values files, and tests/charts");
}

#[test]
fn each_template_names_the_chart_version_whose_keys_are_listed() {
    for Chart { name, version, .. } in Chart::all() {
        let template = support::root().join(format!("templates/values/{name}.yaml.hbs"));
        let text = fs::read_to_string(&template).expect("a template for each chart");
        assert!(text.contains(&format!("chart {name} {version}")), "{} is for {version}", template.display());
    }
}

#[test]
fn unknown_keys_and_idle_nulls_are_told_with_their_place() {
    let chart = Chart::parse("loki", "1.2.3", "config.*\nconfig.ring.store\nimage.tag\nresources.*\nzone\n");
    let text = "image:\n  tag: a\n  tags: b\nconfig:\n  ring:\n    store: null\n    stores: null\n    other: 1\n\
                resources:\n  limits: {}\nzones:\n  below: 1\n";
    assert_eq!(
        chart.faults(&parse("values.yaml", text)),
        [
            "values.yaml:3:3: `image.tags` is not known to the chart loki 1.2.3",
            "values.yaml:7:5: `config.ring.stores` is null, but not set by the chart loki 1.2.3",
            "values.yaml:11:1: `zones` is not known to the chart loki 1.2.3",
        ]
    );
}

/// What our configuration takes out of the chart's: settings of Loki 2 that Loki 3 refuses, or has nothing to do with.
const REMOVED: [&str; 8] = [
    "chunk_store_config.max_look_back_period",
    "compactor.shared_store",
    "ingester.max_transfer_retries",
    "limits_config.enforce_metric_name",
    "storage_config.boltdb_shipper.active_index_directory",
    "storage_config.boltdb_shipper.cache_location",
    "storage_config.boltdb_shipper.cache_ttl",
    "storage_config.boltdb_shipper.shared_store",
];

/// What of the chart's configuration stays as the chart has it, in stacks that need it no other way: Loki 3 takes all of it.
const KEPT: [&str; 5] = [
    "ingester.lifecycler.ring.replication_factor",
    "memberlist.join_members",
    "storage_config.filesystem.directory",
    "table_manager.retention_deletes_enabled",
    "table_manager.retention_period",
];

/// `loki.config` as it stands in a values file, or as the chart has it: path to value.
fn settings(config: &Value) -> BTreeMap<String, Value> {
    fn add(value: &Value, path: &str, settings: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(section) => section.iter().for_each(|(key, value)| add(value, &join(path, key), settings)),
            value => drop(settings.insert(path.to_owned(), value.clone())),
        }
    }
    let mut settings = BTreeMap::new();
    add(config, "", &mut settings);
    settings
}

/// The values for loki-stack, as (stack, text, settings), of every stack that has them.
fn loki_values() -> Vec<(String, String, BTreeMap<String, Value>)> {
    let mut all = Vec::new();
    for (stack, path) in support::stacks() {
        for (_, text) in values_of(&path).into_iter().filter(|(chart, _)| chart == "loki-stack") {
            let values = parse(&stack, &text).to_json();
            let settings = settings(values.pointer("/loki/config").expect("loki.config"));
            all.push((stack.clone(), text, settings));
        }
    }
    assert!(!all.is_empty(), "no stack has Loki");
    all
}

#[test]
fn each_setting_of_the_loki_chart_is_set_removed_or_kept_on_purpose() {
    let chart = settings(&Chart::named("loki-stack").defaults("loki.config"));
    for (stack, _, ours) in loki_values() {
        let removed: Vec<_> = chart.keys().filter(|path| ours.get(*path).is_some_and(Value::is_null)).collect();
        let kept: Vec<_> = chart.keys().filter(|path| !ours.contains_key(*path)).collect();
        assert_eq!(removed, REMOVED, "{stack}");
        assert!(kept.iter().all(|path| KEPT.contains(&path.as_str())), "{stack}: {kept:?}");
        if stack == "tutorial" {
            assert_eq!(kept, KEPT);
        }
    }
}

/// A chart with the shape of loki-stack, small enough to see through: it prints what `loki.config` comes to.
fn write_chart(directory: &Path, config: &Value) {
    let files = [
        ("Chart.yaml", "apiVersion: v2\nname: loki-stack\nversion: 0.0.0\n"),
        ("values.yaml", "loki:\n  enabled: true\n"),
        ("charts/loki/Chart.yaml", "apiVersion: v2\nname: loki\nversion: 0.0.0\n"),
        ("charts/loki/values.yaml", &vigil_yaml::write(&json!({ "config": config }))),
        ("charts/loki/templates/config.yaml", "{{ toYaml .Values.config }}\n"),
    ];
    for (path, text) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
}

fn helm_template(helm: &Path, chart: &Path, values: &Path) -> BTreeMap<String, Value> {
    let arguments = ["template".as_ref(), "loki-stack".as_ref(), chart.as_ref(), "--values".as_ref(), values.as_ref()];
    settings(&parse(&helm.display().to_string(), &tools::output_of(helm, &arguments)).to_json())
}

#[test]
fn helm_gives_loki_the_configuration_that_is_meant() {
    let directory = tempfile::tempdir().expect("a directory");
    let chart = directory.path().join("chart");
    let defaults = Chart::named("loki-stack").defaults("loki.config");
    write_chart(&chart, &defaults);
    let helms: Vec<PathBuf> = tools::all_releases("helm");
    for (stack, text, ours) in loki_values() {
        let values = directory.path().join(format!("{stack}.yaml"));
        fs::write(&values, text).expect("a file");
        let mut wanted = settings(&defaults);
        wanted.extend(ours);
        wanted.retain(|_, value| !value.is_null());
        for helm in &helms {
            assert_eq!(helm_template(helm, &chart, &values), wanted, "{stack} with {}", helm.display());
        }
    }
}
