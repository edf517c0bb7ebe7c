//! The tree that [`crate::read`] makes: values as they were written, each with its place.

use crate::plain::{self, Plain};
use crate::source::Span;
use serde_json::{Map, Value};

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What stands there.
    pub data: Data,
    /// Where it stands.
    pub span: Span,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A single value, kept as written: `1.30` is still `1.30`.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the text, without duplicate keys.
    Map(Vec<Entry>),
}

/// The text of a scalar, escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The value's text.
    pub text: String,
    /// Written without quotes and not as a block: its type is decided by how it looks.
    pub plain: bool,
}

/// One `key: value` of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// A key of a mapping and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's text.
    pub text: String,
    /// Written without quotes.
    pub plain: bool,
    /// Where it stands.
    pub span: Span,
}

impl Node {
    /// The value under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry under `key`, if this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|entry| entry.key.text == key),
            _ => None,
        }
    }

    /// The value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a mapping; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// This with what it does not say taken from what lies `below`: mappings are merged by their keys, anything else is
    /// replaced. Everything keeps its place, in the text that said it.
    #[must_use]
    pub fn over(&self, below: &Node) -> Node {
        self.over_with(below, "", &mut |_, above, _| Some(above.clone())).unwrap_or_else(|| self.clone())
    }

    /// The same below the dotted path `path`; what stands where both say something, and not both a mapping, is for `settle`,
    /// which is given the path, this one's value and the other's. `None` leaves the key out.
    #[must_use]
    pub fn over_with(
        &self,
        below: &Node,
        path: &str,
        settle: &mut dyn FnMut(&str, &Node, &Node) -> Option<Node>,
    ) -> Option<Node> {
        let (Data::Map(above), Data::Map(beneath)) = (&self.data, &below.data) else {
            return settle(path, self, below);
        };
        let mut merged = Vec::with_capacity(above.len() + beneath.len());
        for other in beneath {
            let Some(entry) = self.entry(&other.key.text) else {
                merged.push(other.clone());
                continue;
            };
            let key = &entry.key.text;
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let value = entry.value.over_with(&other.value, &path, settle);
            merged.extend(value.map(|value| Entry { value, ..entry.clone() }));
        }
        merged.extend(above.iter().filter(|entry| below.get(&entry.key.text).is_none()).cloned());
        Some(Node { data: Data::Map(merged), span: self.span.clone() })
    }

    /// A scalar as kubectl reads it; `None` for a collection.
    pub fn scalar(&self) -> Option<Plain> {
        match &self.data {
            Data::Scalar(scalar) if scalar.plain => Some(plain::resolve_as_kubectl(&scalar.text)),
            Data::Scalar(_) => Some(Plain::Text),
            _ => None,
        }
    }

    /// The text of a scalar that kubectl reads as a text.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(scalar) if self.scalar() == Some(Plain::Text) => Some(&scalar.text),
            _ => None,
        }
    }

    /// A whole number, as kubectl reads it: `1e3` is one too.
    pub fn integer(&self) -> Option<i64> {
        match self.scalar()? {
            Plain::Integer(value) => Some(value),
            #[expect(clippy::cast_possible_truncation, reason = "whole and within range, as tested")]
            Plain::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(value as i64),
            _ => None,
        }
    }

    /// A boolean, as kubectl reads it.
    pub fn boolean(&self) -> Option<bool> {
        match self.scalar()? {
            Plain::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// No value: nothing, `~` or `null`, unquoted.
    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar(s) if s.plain && plain::resolve(&s.text) == Plain::Null)
    }

    /// The value as JSON, typed by the YAML 1.2 core schema.
    pub fn to_json(&self) -> Value {
        self.map_json(&mut |scalar| scalar.to_json(), &mut str::to_owned)
    }

    /// The value as JSON; `scalar` decides what each scalar becomes and `key` what each key becomes.
    pub fn map_json(&self, scalar: &mut impl FnMut(&Scalar) -> Value, key: &mut impl FnMut(&str) -> String) -> Value {
        match &self.data {
            Data::Scalar(s) => scalar(s),
            Data::List(items) => items.iter().map(|item| item.map_json(scalar, key)).collect(),
            Data::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (key(&entry.key.text), entry.value.map_json(scalar, key)))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// Every scalar and key below, in the order of the text, as (text, written without quotes, place).
    pub fn visit_texts<'a>(&'a self, visit: &mut impl FnMut(&'a str, bool, &'a Span)) {
        match &self.data {
            Data::Scalar(s) => visit(&s.text, s.plain, &self.span),
            Data::List(items) => items.iter().for_each(|item| item.visit_texts(visit)),
            Data::Map(entries) => {
                for Entry { key, value } in entries {
                    visit(&key.text, key.plain, &key.span);
                    value.visit_texts(visit);
                }
            }
        }
    }

    /// Every field of every mapping below, in the order of the text.
    pub fn visit_fields<'a>(&'a self, visit: &mut impl FnMut(&'a Entry)) {
        match &self.data {
            Data::Scalar(_) => {}
            Data::List(items) => items.iter().for_each(|item| item.visit_fields(visit)),
            Data::Map(entries) => {
                for entry in entries {
                    visit(entry);
                    entry.value.visit_fields(visit);
                }
            }
        }
    }

    /// What a message calls this kind of value.
    pub fn describe(&self) -> &'static str {
        match &self.data {
            Data::List(_) => "a list",
            Data::Map(_) => "a mapping",
            Data::Scalar(s) if !s.plain => "a string",
            Data::Scalar(s) => match plain::resolve(&s.text) {
                Plain::Null => "nothing",
                Plain::Bool(_) => "a boolean",
                Plain::Integer(_) | Plain::Unsigned(_) => "an integer",
                Plain::Float(_) => "a number",
                Plain::Text => "a string",
            },
        }
    }
}

impl Scalar {
    /// The value as JSON, typed by the YAML 1.2 core schema when it is plain.
    pub fn to_json(&self) -> Value {
        if !self.plain {
            return Value::String(self.text.clone());
        }
        match plain::resolve(&self.text) {
            Plain::Null => Value::Null,
            Plain::Bool(value) => Value::Bool(value),
            Plain::Integer(value) => value.into(),
            Plain::Unsigned(value) => value.into(),
            Plain::Float(value) => {
                serde_json::Number::from_f64(value).map_or_else(|| Value::String(self.text.clone()), Value::Number)
            }
            Plain::Text => Value::String(self.text.clone()),
        }
    }
}
