//! JSON to [`Schema`].

use super::builtin::Builtin;
use super::leniency;
use super::model::{Additional, Combined, Form, Id, Kind, Limits, List, Pattern, Schema, Schemas};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// The definition of `metadata`.
pub(super) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Adds schemas, each definition once.
pub(super) struct Compiler<'a> {
    pub(super) schemas: &'a mut Schemas,
    pub(super) named: &'a mut HashMap<String, Id>,
    pub(super) builtin: &'a Builtin,
    /// Of a CustomResourceDefinition.
    pub(super) custom: bool,
}

/// Adds the schema of one of Kubernetes' own kinds; whether there is one.
pub(crate) fn add_builtin(
    builtin: &Builtin,
    schemas: &mut Schemas,
    named: &mut HashMap<String, Id>,
    gvk: (&str, &str, &str),
) -> bool {
    let Some((name, namespaced)) = builtin.kind(gvk) else { return false };
    let schema = Compiler { schemas, named, builtin, custom: false }.definition(name);
    schemas.insert(gvk, Kind { schema, namespaced, drops_status: false, shipped: None });
    true
}

impl Compiler<'_> {
    /// The schema of a definition of Kubernetes.
    pub(super) fn definition(&mut self, name: &str) -> Id {
        if let Some(id) = self.named.get(name) {
            return *id;
        }
        // Its place is known before its contents, as it may hold itself.
        let id = self.push(special(name).unwrap_or_default());
        self.named.insert(name.to_owned(), id);
        if special(name).is_none() {
            let text = self.builtin.definition(name).unwrap_or_default();
            let custom = std::mem::replace(&mut self.custom, false);
            if let Ok(json) = serde_json::from_str::<Value>(text) {
                let mut schema = self.schema(&json);
                schema.required.retain(|field| !leniency::is_optional(name, field));
                self.schemas.arena[id] = schema;
            } else {
                self.schemas.arena[id].additional = Additional::Open;
            }
            self.custom = custom;
        }
        id
    }

    /// The schema of a custom resource: what its definition says, and what every object has.
    pub(super) fn resource(&mut self, json: &Value) -> Id {
        let mut schema = self.schema(json);
        self.own(&mut schema);
        self.push(schema)
    }

    /// Adds what every object has.
    fn own(&mut self, schema: &mut Schema) {
        let metadata = self.definition(OBJECT_META);
        let text = self.push(Schema { form: Form::String, ..Schema::default() });
        for (name, id) in [("apiVersion", text), ("kind", text), ("metadata", metadata)] {
            match schema.properties.binary_search_by(|(known, _)| (**known).cmp(name)) {
                Ok(at) => schema.properties[at].1 = id,
                Err(at) => schema.properties.insert(at, (name.into(), id)),
            }
        }
    }

    fn push(&mut self, schema: Schema) -> Id {
        self.schemas.arena.push(schema);
        self.schemas.arena.len() - 1
    }

    /// A schema of its own, or a definition that it refers to.
    pub(super) fn add(&mut self, json: &Value) -> Id {
        if let Some(name) = json["$ref"].as_str() {
            return self.definition(name);
        }
        let schema = self.schema(json);
        self.push(schema)
    }

    fn all(&mut self, json: &Value) -> Vec<Id> {
        json.as_array().into_iter().flatten().map(|json| self.add(json)).collect()
    }

    /// The schema of a list's items. What a list preserves it preserves of its items, and of the items of these:
    /// `skipPrune` in `pkg/apiserver/schema/pruning` of apiextensions-apiserver 1.37. Of the fields that an item names, each
    /// keeps to its own schema.
    fn items(&mut self, json: &Value, preserves: bool) -> Id {
        let mut json = Cow::Borrowed(json);
        if preserves && let Value::Object(items) = json.to_mut() {
            items.insert("x-kubernetes-preserve-unknown-fields".to_owned(), true.into());
        }
        self.add(&json)
    }

    fn schema(&mut self, json: &Value) -> Schema {
        let flag = |key: &str| json[key] == Value::Bool(true);
        let mut properties: Vec<(Box<str>, Id)> =
            entries(&json["properties"]).map(|(name, schema)| (name.as_str().into(), self.add(schema))).collect();
        properties.sort();
        let preserves = flag("x-kubernetes-preserve-unknown-fields");
        let additional = match &json["additionalProperties"] {
            Value::Bool(false) | Value::Null if !preserves => Additional::Closed,
            Value::Object(_) => Additional::Each(self.add(&json["additionalProperties"])),
            _ => Additional::Open,
        };
        let form = form(json);
        let combined = Combined {
            all: self.all(&json["allOf"]),
            any: self.all(&json["anyOf"]),
            one: self.all(&json["oneOf"]),
            not: json["not"].is_object().then(|| self.add(&json["not"])),
        };
        let is_combined =
            !(combined.all.is_empty() && combined.any.is_empty() && combined.one.is_empty() && combined.not.is_none());
        // A plain `object` of Kubernetes' own that names no field takes none; one without a type takes anything.
        let additional = if form == Form::Any && properties.is_empty() { Additional::Open } else { additional };
        let mut schema = Schema {
            form,
            properties,
            additional,
            required: texts(&json["required"]),
            items: json["items"].is_object().then(|| self.items(&json["items"], preserves)),
            list: list(json),
            default: json.get("default").filter(|value| !value.is_null()).cloned(),
            nullable: flag("nullable"),
            values: json["enum"].as_array().cloned().unwrap_or_default(),
            limits: limits(json).map(Box::new),
            combined: is_combined.then(|| Box::new(combined)),
            has_rules: json["x-kubernetes-validations"].is_array(),
            custom: self.custom,
        };
        if flag("x-kubernetes-embedded-resource") {
            self.own(&mut schema);
        }
        schema
    }
}

fn entries(json: &Value) -> impl Iterator<Item = (&String, &Value)> {
    json.as_object().into_iter().flat_map(Map::iter)
}

fn texts(json: &Value) -> Vec<Box<str>> {
    json.as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
}

/// Definitions that mean more, or less, than their schema says.
fn special(name: &str) -> Option<Schema> {
    let form = match name.rsplit_once('.')?.1 {
        "Quantity" => Form::Quantity,
        "IntOrString" => Form::IntOrString,
        "Time" | "MicroTime" => Form::Time,
        // The types of a definition's schema, which are checked as such.
        "JSON" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray"
        // Whole objects of any kind.
        | "RawExtension" | "FieldsV1" => Form::Any,
        _ => return None,
    };
    Some(Schema { form, additional: Additional::Open, ..Schema::default() })
}

fn form(json: &Value) -> Form {
    let format = json["format"].as_str().unwrap_or_default();
    if json["x-kubernetes-int-or-string"] == Value::Bool(true) {
        return Form::IntOrString;
    }
    match json["type"].as_str() {
        Some("object") => Form::Object,
        Some("array") => Form::Array,
        Some("string") if format == "byte" => Form::Bytes,
        Some("string") => Form::String,
        Some("integer") if format == "int32" => Form::Integer(32),
        Some("integer") => Form::Integer(64),
        Some("number") => Form::Number,
        Some("boolean") => Form::Boolean,
        _ if json["properties"].is_object() => Form::Object,
        _ => Form::Any,
    }
}

/// Definitions of Kubernetes and of users spell it differently.
fn list(json: &Value) -> List {
    let either = |short: &str, long: &str| if json[short].is_null() { json[long].clone() } else { json[short].clone() };
    match either("listType", "x-kubernetes-list-type").as_str() {
        Some("set") => List::Set,
        Some("map") => List::Map(texts(&either("listMapKeys", "x-kubernetes-list-map-keys"))),
        _ => List::Atomic,
    }
}

fn limits(json: &Value) -> Option<Limits> {
    const KEYS: [&str; 11] = [
        "pattern",
        "format",
        "minimum",
        "maximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ];
    if KEYS.iter().all(|key| json[key].is_null()) {
        return None;
    }
    let count = |key: &str| json[key].as_u64().and_then(|value| usize::try_from(value).ok());
    Some(Limits {
        pattern: json["pattern"].as_str().map(Pattern::new),
        format: json["format"].as_str().map(Into::into),
        minimum: json["minimum"].as_f64(),
        maximum: json["maximum"].as_f64(),
        exclusive_minimum: json["exclusiveMinimum"] == Value::Bool(true),
        exclusive_maximum: json["exclusiveMaximum"] == Value::Bool(true),
        multiple_of: json["multipleOf"].as_f64(),
        min_length: count("minLength"),
        max_length: count("maxLength"),
        min_items: count("minItems"),
        max_items: count("maxItems"),
        min_properties: count("minProperties"),
        max_properties: count("maxProperties"),
    })
}
