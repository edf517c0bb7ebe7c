//! The schemas in `schemas`: what the modules that `tools/schemas/modules.sum` pins publish.
//!
//! `just schemas` makes them anew, after a new version there.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Go as it is installed, with what its module cache holds. Tests never ask the network.
fn go(directory: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(directory).env("GOTOOLCHAIN", "local").env("GOPROXY", "off").env("GOFLAGS", "");
    command
}

/// The tests of `tools/schemas` make the schemas anew and compare them with the committed ones.
#[test]
fn committed_schemas_are_those_of_the_pinned_modules() {
    let tool = support::root().join("tools/schemas");
    let pins = fs::read_to_string(tool.join("modules.sum")).unwrap();
    let modules = pins.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join("@"));
    // Outside of any module, since Go adds to the go.sum of the one it is in.
    let there = go(&std::env::temp_dir()).args(["mod", "download"]).args(modules).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return tools::not_checked(
            "Go 1.24 with the modules of tools/schemas/modules.sum",
            "run `cd tools/schemas && go run .`",
        );
    }
    let output = go(&tool).args(["test", "-count=1", "./..."]).output().unwrap();
    let [told, failed] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{told}{failed}");
}

/// Fields and required fields of every definition that a kind uses, as k8s-openapi has them.
fn collect<K: schemars::JsonSchema>(all: &mut BTreeMap<String, Value>) {
    let settings = schemars::generate::SchemaSettings::draft07();
    let schema = settings.into_generator().into_root_schema_for::<K>().to_value();
    for (name, definition) in schema["definitions"].as_object().into_iter().flatten() {
        all.insert(name.clone(), definition.clone());
    }
}

#[test]
fn k8s_openapi_has_the_same_fields() {
    use k8s_openapi::api::{
        admissionregistration::v1 as admission, apps::v1 as apps, autoscaling::v2 as autoscaling, batch::v1 as batch,
        core::v1 as core, networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac, storage::v1 as storage,
    };
    let mut theirs = BTreeMap::new();
    collect::<apps::Deployment>(&mut theirs);
    collect::<apps::DaemonSet>(&mut theirs);
    collect::<apps::StatefulSet>(&mut theirs);
    collect::<batch::CronJob>(&mut theirs);
    collect::<core::Service>(&mut theirs);
    collect::<core::PersistentVolume>(&mut theirs);
    collect::<core::PersistentVolumeClaim>(&mut theirs);
    collect::<core::Secret>(&mut theirs);
    collect::<networking::Ingress>(&mut theirs);
    collect::<networking::NetworkPolicy>(&mut theirs);
    collect::<policy::PodDisruptionBudget>(&mut theirs);
    collect::<autoscaling::HorizontalPodAutoscaler>(&mut theirs);
    collect::<rbac::ClusterRole>(&mut theirs);
    collect::<rbac::RoleBinding>(&mut theirs);
    collect::<storage::StorageClass>(&mut theirs);
    collect::<admission::ValidatingWebhookConfiguration>(&mut theirs);
    let text = std::fs::read_to_string(support::root().join("schemas/kubernetes.jsonl")).unwrap();
    let mut ours: BTreeMap<String, Value> = BTreeMap::new();
    for line in text.lines() {
        let definition: Value = serde_json::from_str(line).unwrap();
        let minor: u32 = definition["since"].as_str().unwrap().strip_prefix("1.").unwrap().parse().unwrap();
        // What the `earliest` of this version of k8s-openapi is.
        if minor <= 33 {
            ours.insert(definition["name"].as_str().unwrap().to_owned(), definition);
        }
    }
    let names = |value: &Value| -> BTreeSet<String> {
        match value {
            Value::Object(entries) => entries.keys().cloned().collect(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => BTreeSet::new(),
        }
    };
    let mut compared = 0;
    for (name, definition) in &theirs {
        let Some(own) = ours.get(name) else { panic!("{name} is not in schemas/kubernetes.jsonl") };
        let mut fields = names(&definition["properties"]);
        // Types of k8s-openapi have neither, or leave them to a trait.
        let mut known = names(&own["properties"]);
        for key in ["apiVersion", "kind"] {
            fields.remove(key);
            known.remove(key);
        }
        assert_eq!(fields, known, "fields of {name}");
        compared += known.len();
    }
    assert!(compared > 500, "only {compared} fields were compared");
}
