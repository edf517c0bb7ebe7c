//! Every object of every stack against the API's own OpenAPI schema, strictly: no unknown field at any depth.
//!
//! The schemas are those of k8s-openapi, one per type, and for the operator's kinds those of its definitions, which are
//! what an API server prunes and validates by; for those of others `src/definitions` and `schemas`. kube-core
//! reads the object as an API client would.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope, Resource};
use kube_core::{DynamicObject, ResourceExt};
use schemars::JsonSchema;
use serde_json::{Map, Value};
use std::any::TypeId;
use std::collections::BTreeMap;

/// What the API says of one kind.
struct Kind {
    validator: jsonschema::Validator,
    namespaced: bool,
}

fn kind<K: Resource<Scope: 'static> + JsonSchema>() -> ((String, String), Kind) {
    let mut schema =
        schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<K>().to_value();
    close(&mut schema);
    let scope = TypeId::of::<K::Scope>();
    let namespaced = scope == TypeId::of::<NamespaceResourceScope>();
    assert!(namespaced || scope == TypeId::of::<ClusterResourceScope>());
    let validator = jsonschema::validator_for(&schema).unwrap();
    ((K::API_VERSION.to_owned(), K::KIND.to_owned()), Kind { validator, namespaced })
}

/// The kinds that a custom resource definition of `templates/crds` defines, and those of others that the stack uses.
fn custom_kinds() -> Vec<((String, String), Kind)> {
    let mut kinds = Vec::new();
    for folder in ["templates/crds", "src/definitions"] {
        for entry in std::fs::read_dir(support::root().join(folder)).unwrap() {
            let source = vigil_yaml::Source::read(&entry.unwrap().path(), usize::MAX >> 1).unwrap();
            let definitions = vigil_yaml::read(&source, &vigil_yaml::Limits::default()).unwrap();
            for definition in &definitions {
                let spec = &definition.to_json()["spec"];
                for version in spec["versions"].as_array().unwrap() {
                    let names = [&spec["group"], &version["name"]].map(|name| name.as_str().unwrap());
                    let schema = version["schema"]["openAPIV3Schema"].clone();
                    let name = spec["names"]["kind"].as_str().unwrap();
                    kinds.push(custom_kind(&names.join("/"), name, schema, spec["scope"] == "Namespaced"));
                }
            }
        }
    }
    let of_others = ["gateway-api", "vertical-pod-autoscaler"]
        .map(|name| std::fs::read_to_string(support::root().join(format!("schemas/{name}.jsonl"))).unwrap());
    for line in of_others.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str::<Value>(line).unwrap())
    {
        let head = &line["head"];
        let [group, version, kind] = [0, 1, 2].map(|at| head["kind"][at].as_str().unwrap());
        let schema = line["schema"].clone();
        kinds.push(custom_kind(&format!("{group}/{version}"), kind, schema, head["namespaced"] == true));
    }
    kinds
}

fn custom_kind(api_version: &str, name: &str, mut schema: Value, namespaced: bool) -> ((String, String), Kind) {
    // A definition leaves metadata to the API server.
    let settings = schemars::generate::SchemaSettings::draft07();
    let mut metadata = settings
        .into_generator()
        .into_root_schema_for::<k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta>()
        .to_value();
    schema["definitions"] = metadata["definitions"].take();
    metadata.as_object_mut().unwrap().retain(|key, _| key != "definitions" && key != "$schema");
    schema["properties"]["metadata"] = metadata;
    close(&mut schema);
    let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft7).build(&schema).unwrap();
    ((api_version.to_owned(), name.to_owned()), Kind { validator, namespaced })
}

/// Makes every object of the schema refuse the fields it does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            let open = entries.contains_key("additionalProperties")
                || entries.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
            if entries.get("properties").is_some_and(Value::is_object) && !open {
                entries.insert("additionalProperties".to_owned(), false.into());
            }
            // Go's flag for any case; without it the pattern is stricter.
            if let Some(pattern) = entries.get_mut("pattern").filter(|pattern| pattern.is_string()) {
                *pattern = pattern.as_str().unwrap_or_default().replace("(?i)", "").into();
            }
            entries.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn kinds() -> BTreeMap<(String, String), Kind> {
    use k8s_openapi::api::admissionregistration::v1 as admission;
    use k8s_openapi::api::{apps::v1 as apps, core::v1 as core, networking::v1 as networking, rbac::v1 as rbac};
    use k8s_openapi::api::{autoscaling::v2 as autoscaling, batch::v1 as batch, policy::v1 as policy};
    use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as registration;
    let mut kinds: BTreeMap<_, _> = [
        kind::<admission::MutatingWebhookConfiguration>(),
        kind::<admission::ValidatingWebhookConfiguration>(),
        kind::<apps::DaemonSet>(),
        kind::<apps::Deployment>(),
        kind::<apps::StatefulSet>(),
        kind::<autoscaling::HorizontalPodAutoscaler>(),
        kind::<batch::Job>(),
        kind::<core::ConfigMap>(),
        kind::<core::Namespace>(),
        kind::<core::PersistentVolumeClaim>(),
        kind::<core::Secret>(),
        kind::<core::Service>(),
        kind::<core::ServiceAccount>(),
        kind::<networking::Ingress>(),
        kind::<networking::NetworkPolicy>(),
        kind::<policy::PodDisruptionBudget>(),
        kind::<rbac::ClusterRole>(),
        kind::<rbac::ClusterRoleBinding>(),
        kind::<rbac::Role>(),
        kind::<rbac::RoleBinding>(),
        kind::<registration::APIService>(),
    ]
    .into();
    kinds.extend(custom_kinds());
    kinds
}

/// What of `object` a type did not keep. A number is the same with and without a fraction of zero.
fn lost(object: &Value, read: &Value, at: &str) -> Vec<String> {
    match (object, read) {
        (Value::Object(ours), Value::Object(theirs)) => ours
            .iter()
            .flat_map(|(key, value)| lost(value, theirs.get(key).unwrap_or(&Value::Null), &format!("{at}/{key}")))
            .collect(),
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            pairs.flat_map(|(n, (ours, theirs))| lost(ours, theirs, &format!("{at}/{n}"))).collect()
        }
        _ if object == read || (object.is_number() && object.as_f64() == read.as_f64()) => Vec::new(),
        _ => vec![format!("{at}: the API does not know {object}")],
    }
}

/// A definition holds schemas, which contain themselves; as a type it loses what the type does not know.
fn definition_findings(object: &Value) -> Vec<String> {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    match serde_json::from_value::<CustomResourceDefinition>(object.clone()) {
        Ok(read) => lost(object, &serde_json::to_value(&read).unwrap(), ""),
        Err(error) => vec![error.to_string()],
    }
}

/// Everything the API's schema has against an object.
fn findings(kinds: &BTreeMap<(String, String), Kind>, object: &Value) -> Vec<String> {
    let read: DynamicObject = match serde_json::from_value(object.clone()) {
        Ok(read) => read,
        Err(error) => return vec![error.to_string()],
    };
    let Some(types) = &read.types else { return vec!["no apiVersion and kind".to_owned()] };
    if types.kind == "CustomResourceDefinition" {
        return definition_findings(object);
    }
    let Some(kind) = kinds.get(&(types.api_version.clone(), types.kind.clone())) else {
        return vec![format!("no schema for {} {}", types.api_version, types.kind)];
    };
    let mut findings: Vec<_> =
        kind.validator.iter_errors(object).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if kind.namespaced != read.namespace().is_some() {
        findings.push(format!("namespaced: {}, namespace: {:?}", kind.namespaced, read.namespace()));
    }
    findings
}

#[test]
fn every_object_is_what_the_api_takes() {
    let kinds = kinds();
    let mut objects = 0;
    for (stack, path) in support::stacks() {
        for object in support::render(&path).objects {
            objects += 1;
            let findings = findings(&kinds, &object.value);
            assert!(findings.is_empty(), "{stack}: {}: {findings:#?}", object.title());
        }
    }
    assert!(objects > 30, "{objects} objects were seen");
}

/// Breaks the value in every way below `at`: each map gets a field that nobody knows.
fn maps(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            found.push(at.to_owned());
            for (key, value) in entries {
                maps(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| maps(item, &format!("{at}/{n}"), found)),
        _ => {}
    }
}

#[test]
fn a_misspelt_field_is_found_at_every_depth() {
    // Maps of strings take any key; everything else has a schema.
    let free = [
        "labels",
        "annotations",
        "matchLabels",
        "selector",
        "data",
        "requests",
        "limits",
        "nodeSelector",
        "externalLabels",
    ];
    let kinds = kinds();
    let mut broken = 0;
    let mut objects = support::render(&support::tutorial()).objects;
    let switched = support::render(&support::root().join("stacks/switched.yaml")).objects;
    objects.extend(switched.into_iter().filter(|object| ["argocd", "network-policies"].contains(&object.component)));
    for object in objects {
        if object.component == "crds" {
            continue;
        }
        let mut found = Vec::new();
        maps(&object.value, "", &mut found);
        for at in found {
            let name = at.rsplit('/').next().unwrap();
            let of_the_pod_selector = at.ends_with("/spec/selector") && object.kind() != "Service";
            if free.contains(&name) && !of_the_pod_selector {
                continue;
            }
            let mut value = (*object.value).clone();
            let map: &mut Map<_, _> = value.pointer_mut(&at).unwrap().as_object_mut().unwrap();
            map.insert("misspelt".to_owned(), "x".into());
            broken += 1;
            assert!(!findings(&kinds, &value).is_empty(), "{}: {at}/misspelt", object.title());
        }
    }
    assert!(broken > 260, "{broken} fields were misspelt");
}
