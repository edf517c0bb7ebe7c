//! What a schema is.

use super::cel::Rules;
use super::shipped::Shipped;
use super::{formats, pattern};
use crate::version::Version;
use regex::Regex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;

/// A schema's place in [`Schemas`].
pub(crate) type Id = usize;

/// The schemas for one version of Kubernetes, as far as the checked set needs them.
#[derive(Default)]
pub(crate) struct Schemas {
    /// The version.
    pub(crate) version: Version,
    /// The newest prometheus-operator that the set runs, if it tells.
    pub(crate) operator: Option<Release>,
    pub(super) arena: Vec<Schema>,
    /// Rules in CEL, by the schema of the kind that has any.
    pub(super) rules: HashMap<Id, Rules>,
    /// By the name of the kind: group, version, and what is known.
    kinds: HashMap<String, Vec<(String, String, Kind)>>,
}

/// Major and minor of a program's version.
pub(crate) type Release = (u32, u32);

/// What is known of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Its schema.
    pub(crate) schema: Id,
    /// Whether its objects live in namespaces.
    pub(crate) namespaced: bool,
    /// A server drops the status when an object is made, and looks at nothing but its fields before that.
    pub(crate) drops_status: bool,
    /// Whose definition it is, if that comes with Vigil.
    pub(crate) shipped: Option<Shipped>,
}

impl Schemas {
    /// None yet.
    pub(crate) fn new(version: Version) -> Self {
        Self { version, ..Self::default() }
    }

    /// What is known of a kind.
    pub(crate) fn kind(&self, group: &str, version: &str, kind: &str) -> Option<Kind> {
        let of_name = self.kinds.get(kind)?;
        of_name.iter().find(|(of, in_version, _)| of == group && in_version == version).map(|(_, _, kind)| *kind)
    }

    pub(super) fn insert(&mut self, (group, version, name): (&str, &str, &str), kind: Kind) {
        self.kinds.entry(name.to_owned()).or_default().push((group.to_owned(), version.to_owned(), kind));
    }

    /// The rules in CEL of a kind, by its schema.
    pub(crate) fn rules(&self, id: Id) -> Option<&Rules> {
        self.rules.get(&id)
    }

    /// The schema at a place.
    pub(crate) fn get(&self, id: Id) -> &Schema {
        &self.arena[id]
    }
}

/// What may stand at one place of an object.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    /// The type, and what goes with it.
    pub(crate) form: Form,
    /// The fields, sorted by name.
    pub(crate) properties: Vec<(Box<str>, Id)>,
    /// What further fields may hold.
    pub(crate) additional: Additional,
    /// The fields that must be there.
    pub(crate) required: Vec<Box<str>>,
    /// What an item of a list may be.
    pub(crate) items: Option<Id>,
    /// Which items of a list are the same one.
    pub(crate) list: List,
    /// What the API server fills in when it is missing.
    pub(crate) default: Option<Value>,
    /// May be null and stay so.
    pub(crate) nullable: bool,
    /// The values that are allowed; empty for any.
    pub(crate) values: Vec<Value>,
    /// Further limits.
    pub(crate) limits: Option<Box<Limits>>,
    /// All, any, one or none of these must hold too.
    pub(crate) combined: Option<Box<Combined>>,
    /// Rules in CEL.
    pub(crate) has_rules: bool,
    /// From a CustomResourceDefinition: formats, limits and list types count as they stand there.
    pub(crate) custom: bool,
}

/// A type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Any,
    Object,
    Array,
    String,
    /// With the number of bits.
    Integer(u8),
    Number,
    Boolean,
    /// A whole number or a text.
    IntOrString,
    /// `100m`, `1Gi`, or a number.
    Quantity,
    /// RFC 3339.
    Time,
    /// Base64.
    Bytes,
}

/// What fields may stand besides the named ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Additional {
    /// None.
    #[default]
    Closed,
    /// Any, unchecked.
    Open,
    /// Any that fulfil this.
    Each(Id),
}

/// What makes two items of a list the same one.
#[derive(Debug, Default)]
pub(crate) enum List {
    /// Nothing.
    #[default]
    Atomic,
    /// Equal values.
    Set,
    /// Equal values of these fields.
    Map(Vec<Box<str>>),
}

/// Limits that JSON schemas know.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) pattern: Option<Pattern>,
    pub(crate) format: Option<Box<str>>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) exclusive_minimum: bool,
    pub(crate) exclusive_maximum: bool,
    pub(crate) multiple_of: Option<f64>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) min_items: Option<usize>,
    pub(crate) max_items: Option<usize>,
    pub(crate) min_properties: Option<usize>,
    pub(crate) max_properties: Option<usize>,
}

/// A regular expression, compiled when it is first needed.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) text: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into(), compiled: OnceLock::new() }
    }

    /// Whether `text` holds a match. An expression that is none says nothing; its definition is at fault, and told so.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.compiled.get_or_init(|| pattern::compile(&self.text)).as_ref().is_none_or(|regex| regex.is_match(text))
    }

    /// What a text that does not match was likely meant to be, where a number with a unit is asked for: what that is
    /// called, and the right spelling, or an example where none is near.
    pub(crate) fn amount(&self, text: &str) -> Option<(&'static str, String)> {
        let asks = |right: &[&str], wrong: &[&str]| {
            right.iter().all(|text| self.matches(text)) && !wrong.iter().any(|text| self.matches(text))
        };
        let (called, unit) = if asks(&["30s", "5m", "1h"], &["s", "s5", "5x"]) {
            ("a duration", "30s")
        } else if asks(&["10GB", "1MB"], &["GB", "b10", "10XB"]) {
            ("a size", "10GB")
        } else {
            return None;
        };
        let spelled = formats::meant(text, |text| self.matches(text));
        Some((called, spelled.unwrap_or_else(|| unit.to_owned())))
    }
}

/// Schemas that are combined.
#[derive(Debug, Default)]
pub(crate) struct Combined {
    pub(crate) all: Vec<Id>,
    pub(crate) any: Vec<Id>,
    pub(crate) one: Vec<Id>,
    pub(crate) not: Option<Id>,
}
