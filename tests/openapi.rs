//! Every object of every stack against the API's own OpenAPI schema, strictly: no unknown field at any depth.
//!
//! The schemas are those of k8s-openapi, one per type, and for the operator's kinds those of its definitions, which are
//! what an API server prunes and validates by; kube-core reads the object as an API client would.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope, Resource};
use kube_core::{DynamicObject, ResourceExt};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};
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

/// The kinds that a custom resource definition of `templates/crds` defines.
fn custom_kinds() -> Vec<((String, String), Kind)> {
    let folder = support::root().join("templates/crds");
    let mut kinds = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let source = vigil_yaml::Source::read(&entry.unwrap().path(), usize::MAX >> 1).unwrap();
        let crd = vigil_yaml::read_one(&source, &vigil_yaml::Limits::default()).unwrap().unwrap().to_json();
        let spec = &crd["spec"];
        for version in spec["versions"].as_array().unwrap() {
            let api_version = format!("{}/{}", spec["group"].as_str().unwrap(), version["name"].as_str().unwrap());
            let schema = version["schema"]["openAPIV3Schema"].clone();
            let name = spec["names"]["kind"].as_str().unwrap();
            kinds.push(custom_kind(&api_version, name, schema, spec["scope"] == "Namespaced"));
        }
    }
    // cert-manager's, as far as they are used here.
    let text = json!({ "type": "string" });
    let issuer = json!({ "type": "object", "required": ["selfSigned"], "properties": { "selfSigned": { "type": "object", "properties": {} } } });
    let reference = json!({ "type": "object", "required": ["name", "kind"], "properties": { "name": text, "kind": { "enum": ["Issuer"] } } });
    let certificate = json!({
        "type": "object",
        "required": ["secretName", "issuerRef", "dnsNames"],
        "properties": {
            "secretName": text, "duration": text, "issuerRef": reference, "dnsNames": { "type": "array", "items": text },
        },
    });
    for (name, spec) in [("Issuer", issuer), ("Certificate", certificate)] {
        let schema = json!({ "type": "object", "required": ["spec"], "properties": { "apiVersion": text, "kind": text, "spec": spec } });
        kinds.push(custom_kind("cert-manager.io/v1", name, schema, true));
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
    use k8s_openapi::api::{batch::v1 as batch, policy::v1 as policy};
    use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as registration;
    let mut kinds: BTreeMap<_, _> = [
        kind::<admission::MutatingWebhookConfiguration>(),
        kind::<admission::ValidatingWebhookConfiguration>(),
        kind::<apps::DaemonSet>(),
        kind::<apps::Deployment>(),
        kind::<apps::StatefulSet>(),
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
        argo_cd("AppProject", &app_project()),
        argo_cd("Application", &application()),
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

/// A kind of Argo CD with the fields that the stack uses. The crate with all of them ties itself to another version of
/// k8s-openapi than ours.
fn argo_cd(kind: &str, spec: &Value) -> ((String, String), Kind) {
    let strings = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let schema = json!({
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": {}, "kind": {}, "spec": spec,
            "metadata": fields(&json!({ "name": text(), "namespace": text(), "labels": strings, "annotations": strings }), &["name", "namespace"]),
        },
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    (("argoproj.io/v1alpha1".to_owned(), kind.to_owned()), Kind { validator, namespaced: true })
}

/// An object with these fields and no other.
fn fields(properties: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items, "minItems": 1 })
}

fn app_project() -> Value {
    let kind = fields(&json!({ "group": { "type": "string" }, "kind": text() }), &["group", "kind"]);
    let destination = fields(&json!({ "server": text(), "namespace": text() }), &["server", "namespace"]);
    let spec = json!({
        "description": text(),
        "sourceRepos": list(&text()),
        "destinations": list(&destination),
        "clusterResourceWhitelist": list(&kind),
    });
    fields(&spec, &["sourceRepos", "destinations"])
}

fn application() -> Value {
    let flag = json!({ "type": "boolean" });
    let helm = fields(&json!({ "releaseName": text(), "valueFiles": list(&text()) }), &[]);
    let source = json!({
        "repoURL": text(), "targetRevision": text(), "path": text(), "chart": text(), "ref": text(), "helm": helm,
    });
    let source = fields(&source, &["repoURL", "targetRevision"]);
    let difference = json!({ "group": text(), "kind": text(), "name": text(), "jsonPointers": list(&text()) });
    let duration = json!({ "type": "string", "pattern": "^[0-9]+[smh]$" });
    let backoff = json!({ "duration": duration, "factor": { "type": "integer" }, "maxDuration": duration });
    let labels = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let policy = json!({
        "automated": fields(&json!({ "prune": flag, "selfHeal": flag }), &[]),
        "managedNamespaceMetadata": fields(&json!({ "labels": labels }), &[]),
        "retry": fields(&json!({ "limit": { "type": "integer" }, "backoff": fields(&backoff, &[]) }), &[]),
        "syncOptions": list(&json!({ "type": "string", "pattern": "^[A-Z][A-Za-z]+=(true|false)$" })),
    });
    let spec = json!({
        "project": text(),
        "destination": fields(&json!({ "server": text(), "namespace": text() }), &["server", "namespace"]),
        "source": source,
        "sources": list(&source),
        "ignoreDifferences": list(&fields(&difference, &["kind"])),
        "syncPolicy": fields(&policy, &[]),
    });
    let mut spec = fields(&spec, &["project", "destination"]);
    spec["oneOf"] = json!([{ "required": ["source"] }, { "required": ["sources"] }]);
    spec
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
    let mut objects = support::render(&support::root().join("stack.yaml")).objects;
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
