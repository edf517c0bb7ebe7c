//! The custom resource definitions in `templates/crds`: made from the operator's API, whole, and small enough; and those that
//! the checker knows besides.
//!
//! `just crds` makes them anew, after a new version in `tools/crds/go.mod` or `tools/definitions/go.mod`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use vigil_yaml::{Limits, Source};

/// kubectl keeps what it applied in an annotation, and the API server refuses annotations above this.
const LARGEST: usize = 262_144;

fn folder() -> PathBuf {
    support::root().join("templates/crds")
}

fn read(text: &str) -> Value {
    vigil_yaml::read_one(&Source::new("crd", text), &Limits::default()).unwrap().unwrap().to_json()
}

/// The committed definitions, by file name.
fn committed() -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The module of the operator's API and its version, as `tools/crds/go.mod` pins it.
fn pinned() -> (&'static str, String) {
    const MODULE: &str = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring";
    let text = fs::read_to_string(support::root().join("tools/crds/go.mod")).unwrap();
    let version = text.split(&format!("{MODULE} v")).nth(1).unwrap().split_whitespace().next().unwrap();
    (MODULE, version.to_owned())
}

/// How many descriptions there are; a property of that name is none.
fn descriptions(value: &Value) -> usize {
    match value {
        Value::Object(entries) => {
            usize::from(entries.get("description").is_some_and(Value::is_string))
                + entries.values().map(descriptions).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(descriptions).sum(),
        _ => 0,
    }
}

#[test]
fn all_ten_of_the_pinned_version_and_small_enough_for_kubectl() {
    let version = pinned().1;
    let names: Vec<_> = committed()
        .into_iter()
        .map(|(file, text)| {
            let crd = read(&text);
            assert_eq!(crd["kind"], "CustomResourceDefinition");
            assert_eq!(crd["metadata"]["name"], format!("{}.monitoring.coreos.com", file.trim_end_matches(".yaml")));
            assert_eq!(crd["metadata"]["annotations"]["operator.prometheus.io/version"], version.as_str(), "{file}");
            assert_eq!(descriptions(&crd), 0, "{file}: descriptions make it too large");
            let size = vigil_yaml::last_applied_len(&crd);
            // Labels and annotations of a stack come on top.
            assert!(size < LARGEST - 16_384, "{file}: {size} bytes");
            crd["spec"]["names"]["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        names,
        [
            "AlertmanagerConfig",
            "Alertmanager",
            "PodMonitor",
            "Probe",
            "PrometheusAgent",
            "Prometheus",
            "PrometheusRule",
            "ScrapeConfig",
            "ServiceMonitor",
            "ThanosRuler",
        ]
    );
}

/// Go with the modules of `tools/crds` at hand. Tests never ask the network: `just crds` fetches the modules.
fn go(arguments: &[&str]) -> Option<Command> {
    let mut command = go_in("crds");
    if std::env::var_os("VIGIL_UPDATE_CRDS").is_none() {
        command.env("GOPROXY", "off");
    }
    let mut probe = Command::new("go");
    probe.current_dir(support::root().join("tools/crds")).env("GOPROXY", "off").env("GOFLAGS", "-mod=readonly");
    let there = probe.env("GOTOOLCHAIN", "local").args(["list", "-deps", "-test", "./...", "tool"]).output();
    let there = there.is_ok_and(|output| output.status.success());
    command.args(arguments);
    (there || std::env::var_os("VIGIL_UPDATE_CRDS").is_some()).then_some(command)
}

fn go_in(folder: &str) -> Command {
    let mut command = Command::new("go");
    command.current_dir(support::root().join("tools").join(folder));
    command.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=readonly");
    command
}

fn not_tested() {
    tools::not_checked("Go 1.24 with the modules of tools/crds", "run `cd tools/crds && go mod download`");
}

fn run(mut command: Command) {
    let output = command.output().expect("Go, to make the definitions anew");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Takes out what the generator says of types that it knows by itself, whatever it is told.
fn undescribe(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            if entries.get("description").is_some_and(Value::is_string) {
                entries.remove("description");
            }
            entries.values_mut().for_each(undescribe);
        }
        Value::Array(items) => items.iter_mut().for_each(undescribe),
        _ => {}
    }
}

/// The definitions as the generator makes them from the pinned API, in canonical form.
fn generated(go: Command, directory: &Path) -> BTreeMap<String, String> {
    run(go);
    let version = pinned().1;
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let mut crd = read(&fs::read_to_string(&path).unwrap());
            crd["metadata"]["annotations"]["operator.prometheus.io/version"] = version.as_str().into();
            undescribe(&mut crd);
            (name.trim_start_matches("monitoring.coreos.com_").to_owned(), vigil_yaml::write(&crd))
        })
        .collect()
}

#[test]
fn committed_definitions_are_those_of_the_pinned_version() {
    let directory = tempfile::tempdir().unwrap();
    let module = pinned().0;
    let output = format!("output:crd:dir={}", directory.path().display());
    let [v1, v1alpha1] = ["v1", "v1alpha1"].map(|version| format!("paths={module}/{version}"));
    let arguments = ["tool", "controller-gen", "crd:crdVersions=v1,maxDescLen=0", &v1, &v1alpha1, &output];
    let Some(go) = go(&arguments) else {
        return not_tested();
    };
    let generated = generated(go, directory.path());
    if std::env::var_os("VIGIL_UPDATE_CRDS").is_some() {
        let _ = fs::remove_dir_all(folder());
        fs::create_dir_all(folder()).unwrap();
        for (name, text) in &generated {
            fs::write(folder().join(name), text).unwrap();
        }
    }
    assert!(generated == committed(), "templates/crds is not what tools/crds/go.mod pins: run `just crds`");
}

/// What the checker knows of definitions, a line for each version of each that is served.
fn schemas(crds: impl IntoIterator<Item = Value>) -> String {
    let mut lines = String::new();
    for crd in crds {
        let spec = &crd["spec"];
        for version in spec["versions"].as_array().unwrap().iter().filter(|version| version["served"] == true) {
            let mut head = serde_json::json!({
                "kind": [spec["group"], version["name"], spec["names"]["kind"]],
                "namespaced": spec["scope"] == "Namespaced",
                "status": version["subresources"]["status"].is_object(),
            });
            if let Some(path) = version["subresources"]["scale"]["specReplicasPath"].as_str() {
                head["replicas"] = path.into();
            }
            let schema = &version["schema"]["openAPIV3Schema"];
            writeln!(lines, "{{\"head\":{head},\"schema\":{schema}}}").unwrap();
        }
    }
    lines
}

/// Holds a file of `schemas` to what it is made of.
fn approve(file: &str, schemas: &str) {
    let path = support::root().join("schemas").join(file);
    if std::env::var_os("VIGIL_UPDATE_CRDS").is_some() {
        fs::write(&path, schemas).unwrap();
    }
    assert!(fs::read_to_string(path).unwrap() == schemas, "schemas/{file} is stale: run `just crds`");
}

#[test]
fn the_checker_knows_the_committed_definitions() {
    approve("operator.jsonl", &schemas(committed().values().map(|text| read(text))));
}

/// Files of definitions in a module that `tools/definitions` pins: those of a folder, in their order, or one.
fn published(module: &str, path: &str) -> Option<Vec<PathBuf>> {
    let mut go = go_in("definitions");
    go.env("GOPROXY", "off").args(["list", "-m", "-f", "{{.Dir}}", module]);
    let output = go.output().ok().filter(|output| output.status.success())?;
    let path = Path::new(String::from_utf8(output.stdout).unwrap().trim()).join(path);
    if path.is_file() {
        return Some(vec![path]);
    }
    let mut files: Vec<_> = fs::read_dir(path).ok()?.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    Some(files)
}

/// The definitions in files, without descriptions.
fn definitions(files: &[PathBuf]) -> Vec<Value> {
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    let documents = texts.flat_map(|text| vigil_yaml::read(&Source::new("crd", text), &Limits::default()).unwrap());
    let crds = documents.map(|node| node.to_json()).filter(|crd| crd["kind"] == "CustomResourceDefinition");
    let crds = crds.map(|mut crd| {
        undescribe(&mut crd);
        crd
    });
    crds.collect()
}

#[test]
fn the_checker_knows_the_definitions_of_others() {
    for (module, path, file) in [
        ("sigs.k8s.io/gateway-api", "config/crd/standard", "gateway-api.jsonl"),
        ("k8s.io/autoscaler/vertical-pod-autoscaler", "deploy/vpa-v1-crd-gen.yaml", "vertical-pod-autoscaler.jsonl"),
    ] {
        let Some(files) = published(module, path) else {
            tools::not_checked("the modules of tools/definitions", "run `cd tools/definitions && go mod download`");
            continue;
        };
        approve(file, &schemas(definitions(&files)));
    }
}

/// `tools/crds/fields_test.go` walks the operator's Go types and asks the definitions for each of their fields.
#[test]
fn no_field_of_the_api_is_pruned() {
    let Some(go) = go(&["test", "-count=1", "./..."]) else {
        return not_tested();
    };
    run(go);
}

/// What the API server would set by itself in the items of the lists of `value`. kubectl compares such lists as a whole
/// with what the cluster holds, so that every `kubectl apply` would find them changed, and `--server-side` in conflict.
fn set_by_the_server(value: &Value, schema: &Value, place: &str, in_list: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            let properties = schema["properties"].as_object();
            for (key, property) in properties.into_iter().flatten() {
                match entries.get(key) {
                    Some(value) => set_by_the_server(value, property, &format!("{place}.{key}"), in_list, found),
                    None if in_list && !property["default"].is_null() => found.push(format!("{place}.{key}")),
                    None => {}
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                set_by_the_server(item, &schema["items"], &format!("{place}[{index}]"), true, found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_second_apply_finds_nothing_changed() {
    let schemas: BTreeMap<String, Value> = committed()
        .into_values()
        .map(|text| {
            let crd = read(&text);
            let kind = crd["spec"]["names"]["kind"].as_str().unwrap().to_owned();
            (kind, crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone())
        })
        .collect();
    let mut found = Vec::new();
    for (name, stack) in support::stacks() {
        for object in support::render(&stack).objects {
            let place = format!("{name}: {}", object.title());
            if let Some(schema) = schemas.get(object.kind()) {
                set_by_the_server(&object.value, schema, &place, false, &mut found);
            }
            // kubectl takes away what is not said beside what is, and the server sets it again.
            let strategy = &object.value["spec"]["strategy"];
            if object.kind() == "Deployment" && !strategy.is_null() && strategy["type"].is_null() {
                found.push(format!("{place}.spec.strategy.type"));
            }
        }
    }
    assert_eq!(found, [""; 0]);
}
