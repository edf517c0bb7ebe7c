//! The schemas that CustomResourceDefinitions hold.

use super::builtin::{self, Builtin};
use super::cel::Rules;
use super::compile::Compiler;
use super::model::{Id, Kind, Schemas};
use super::shipped::Shipped;
use super::validate;
use crate::fields::items;
use crate::finding::{Finding, Findings};
use crate::object::Object;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;
use vigil_yaml::Node;

/// A version of a custom resource, as its definition has it.
#[derive(Clone, Copy)]
pub(crate) struct Definition<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) namespaced: bool,
    /// Its status is written apart from the rest.
    pub(crate) drops_status: bool,
    /// The path of the number that `kubectl scale` changes.
    pub(crate) replicas: Option<&'a str>,
    /// `openAPIV3Schema`; a definition without one lets everything pass.
    pub(crate) schema: Option<Written<'a>>,
}

/// A schema as it is written.
#[derive(Clone, Copy)]
pub(crate) enum Written<'a> {
    /// In a manifest.
    Yaml(&'a Node),
    /// In a text of JSON, among those that come with Vigil.
    Json(Shipped, &'a str),
}

impl Written<'_> {
    /// The schema as JSON.
    pub(crate) fn json(self) -> Value {
        match self {
            Self::Yaml(node) => node.to_json(),
            // What comes with Vigil can be read, as tested.
            Self::Json(_, text) => serde_json::from_str(text).unwrap_or_default(),
        }
    }
}

/// The versions that a CustomResourceDefinition defines and serves.
pub(crate) fn definitions(crd: &Node) -> impl Iterator<Item = Definition<'_>> {
    let text = |path: &[&str]| crd.at(path).and_then(Node::text);
    let versions = items(crd, ["spec", "versions"]);
    let served = |version: &&Node| version.get("served").and_then(Node::boolean) != Some(false);
    versions.iter().filter(served).filter_map(move |version| {
        Some(Definition {
            group: text(&["spec", "group"])?,
            version: version.get("name")?.text()?,
            kind: text(&["spec", "names", "kind"])?,
            namespaced: text(&["spec", "scope"]) == Some("Namespaced"),
            drops_status: version.at(&["subresources", "status"]).is_some_and(|status| !status.is_null()),
            replicas: version.at(&["subresources", "scale", "specReplicasPath"]).and_then(Node::text),
            schema: version.at(&["schema", "openAPIV3Schema"]).map(Written::Yaml),
        })
    })
}

/// Adds the schema of a custom resource.
pub(crate) fn add(
    definition: Definition<'_>,
    schemas: &mut Schemas,
    named: &mut HashMap<String, Id>,
    builtin: &Builtin,
) {
    let mut json = definition.schema.map_or_else(
        || serde_json::json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }),
        Written::json,
    );
    // Whatever the schema says, a server takes no negative number there.
    if let Some(path) = definition.replicas
        && let Some(Value::Object(replicas)) = path
            .split('.')
            .filter(|key| !key.is_empty())
            .try_fold(&mut json, |node, key| node.get_mut("properties")?.get_mut(key))
    {
        replicas.entry("minimum").or_insert_with(|| 0.into());
    }
    let first = schemas.arena.len();
    let schema = Compiler { schemas, named, builtin, custom: true }.resource(&json);
    if schemas.arena[first..].iter().any(|schema| schema.has_rules) {
        schemas.rules.insert(schema, Rules::new(json));
    }
    let kind = Kind {
        schema,
        namespaced: definition.namespaced,
        drops_status: definition.drops_status,
        shipped: match definition.schema {
            Some(Written::Json(whose, _)) => Some(whose),
            _ => None,
        },
    };
    let Definition { group, version, kind: name, .. } = definition;
    schemas.insert((group, version, name), kind);
}

/// What keeps `value`, a part of `object`, from being one that `schema` takes.
pub(crate) fn misfits(schema: &Node, value: &Node, object: &Object<'_>) -> Vec<Finding> {
    // What is embedded has the metadata of any version.
    static BUILTIN: OnceLock<Builtin> = OnceLock::new();
    let builtin = BUILTIN.get_or_init(|| Builtin::new(builtin::versions().1));
    let mut schemas = Schemas::default();
    let id =
        Compiler { schemas: &mut schemas, named: &mut HashMap::new(), builtin, custom: true }.add(&schema.to_json());
    let mut findings = Findings::default();
    validate::value(&schemas, id, value, object, &mut findings);
    findings.list
}
