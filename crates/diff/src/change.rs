//! What differs between two versions of an object, field by field, and the JSON patch (RFC 6902) that makes the second
//! of the first.

use crate::defaults::is_default;
use crate::embedded;
use crate::keys;
use crate::object::Identity;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fmt;
use vigil_forms::quantity;

/// One step of the way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list, to the item of this name.
    Item(String),
}

/// The way to a field: `spec.containers[loki].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

impl Path {
    pub(crate) fn join(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// The names of all steps.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|step| match step {
            Step::Key(name) | Step::Item(name) => name.as_str(),
        })
    }

    /// Whether it begins with these keys.
    pub(crate) fn begins(&self, keys: &[&str]) -> bool {
        self.0.len() >= keys.len() && self.names().zip(keys).all(|(name, key)| name == *key)
    }

    /// Whether it leads to or into the field at `keys`, or to a mapping that the field is in.
    pub(crate) fn touches(&self, keys: &[&str]) -> bool {
        self.names().zip(keys).all(|(name, key)| name == *key)
    }

    /// The last key of a mapping on it.
    pub(crate) fn key(&self) -> &str {
        let keys = self.0.iter().rev().filter_map(|step| if let Step::Key(key) = step { Some(key) } else { None });
        keys.map(String::as_str).next().unwrap_or_default()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.contains(['.', '/', '[', ' ']) => write!(f, "[{key}]")?,
                Step::Key(key) if index == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(name) => write!(f, "[{name}]")?,
            }
        }
        Ok(())
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where.
    pub path: Path,
    /// What stood there; nothing when the field is new.
    pub before: Option<Value>,
    /// What stands there; nothing when the field is gone.
    pub after: Option<Value>,
    /// Both mean the same: an API server fills in what is left out, or one value is spelt in two ways.
    pub is_equivalent: bool,
    /// Only the order of a list differs.
    pub is_order: bool,
    /// What differs inside of a text that is a file of YAML or JSON.
    pub inside: Vec<Change>,
    /// The operations of RFC 6902 that make it, in this order, after those of all changes before.
    operations: Vec<Value>,
}

impl Change {
    /// Whether this is a file inside of an object of which only the writing differs: comments, order, spaces.
    pub(crate) fn is_same_file(&self) -> bool {
        self.is_equivalent && self.before.is_some() && self.after.is_some()
    }
}

/// The changes from `before` to `after`.
pub(crate) fn changes(identity: &Identity, before: &Value, after: &Value) -> Vec<Change> {
    let mut walk = Walk { identity, changes: Vec::new(), is_file: false };
    walk.value(&At::default(), before, after);
    walk.changes
}

/// The operations of RFC 6902 that make the second object of the first.
pub(crate) fn patch(changes: &[Change]) -> Vec<Value> {
    changes.iter().flat_map(|change| change.operations.iter().cloned()).collect()
}

/// Where a walk is.
#[derive(Clone, Debug, Default)]
struct At {
    path: Path,
    pointer: String,
}

impl At {
    fn key(&self, key: &str) -> Self {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        Self { path: self.path.join(Step::Key(key.to_owned())), pointer: format!("{}/{escaped}", self.pointer) }
    }

    fn item(&self, name: &str, index: usize) -> Self {
        Self { path: self.path.join(Step::Item(name.to_owned())), pointer: format!("{}/{index}", self.pointer) }
    }
}

struct Walk<'a> {
    identity: &'a Identity,
    changes: Vec<Change>,
    /// A file inside of an object, of which an API server knows nothing.
    is_file: bool,
}

impl Walk<'_> {
    fn value(&mut self, at: &At, before: &Value, after: &Value) {
        match (before, after) {
            _ if before == after => {}
            (Value::Object(before), Value::Object(after)) => self.mapping(at, before, after),
            (Value::Array(before), Value::Array(after)) => self.list(at, before, after),
            _ => {
                let inside = self.inside(at, before, after);
                let is_equivalent = match &inside {
                    Some(inside) => inside.iter().all(|change| change.is_equivalent),
                    None => !self.is_file && same_quantity(&at.path, before, after),
                };
                let operations = vec![json!({"op": "replace", "path": at.pointer, "value": after})];
                self.changes.push(Change {
                    path: at.path.clone(),
                    before: Some(before.clone()),
                    after: Some(after.clone()),
                    is_equivalent,
                    is_order: false,
                    inside: inside.unwrap_or_default(),
                    operations,
                });
            }
        }
    }

    fn mapping(&mut self, at: &At, before: &Map<String, Value>, after: &Map<String, Value>) {
        let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let here = at.key(key);
            match (before.get(key), after.get(key)) {
                (Some(before), Some(after)) => self.value(&here, before, after),
                (before, after) => self.one_sided(here, before, after),
            }
        }
    }

    /// A field of a mapping that one side lacks.
    fn one_sided(&mut self, at: At, before: Option<&Value>, after: Option<&Value>) {
        let Some(value) = before.or(after) else { return };
        let is_equivalent = value.is_null() || !self.is_file && self.is_filled_in(&at.path, value);
        let operation = match after {
            Some(value) => json!({"op": "add", "path": at.pointer, "value": value}),
            None => json!({"op": "remove", "path": at.pointer}),
        };
        self.push(at, before, after, is_equivalent, vec![operation]);
    }

    fn push(
        &mut self,
        at: At,
        before: Option<&Value>,
        after: Option<&Value>,
        is_equivalent: bool,
        operations: Vec<Value>,
    ) {
        let (before, after) = (before.cloned(), after.cloned());
        self.changes.push(Change {
            path: at.path,
            before,
            after,
            is_equivalent,
            is_order: false,
            inside: Vec::new(),
            operations,
        });
    }

    /// Whether an API server makes nothing else of an object that says this and one that does not.
    fn is_filled_in(&self, path: &Path, value: &Value) -> bool {
        let Some((last, above)) = path.0.split_last() else { return false };
        let Step::Key(key) = last else { return false };
        let parent = above.iter().rev().find_map(|step| if let Step::Key(key) = step { Some(key) } else { None });
        let parent = parent.map_or("", String::as_str);
        let in_claim = path.begins(&["spec", "volumeClaimTemplates"]);
        value.as_array().is_some_and(Vec::is_empty)
            || is_default(&self.identity.kind, &self.identity.group, parent, key, value)
            // What a claim is and how it does, the API server writes into every template of one.
            || in_claim && path.0.len() == 4 && ["apiVersion", "kind", "status"].contains(&key.as_str())
            || path.begins(&["metadata", "creationTimestamp"])
            || path.begins(&["status"]) && self.identity.kind != "CustomResourceDefinition"
    }

    fn list(&mut self, at: &At, before: &[Value], after: &[Value]) {
        let field = at.path.key().to_owned();
        let (old, new) = keys::named(&field, before, after);
        let target: HashMap<&str, usize> = new.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
        let mut rest: Vec<&str> = old.iter().map(String::as_str).collect();

        for (index, name) in old.iter().enumerate().rev().filter(|(_, name)| !target.contains_key(name.as_str())) {
            let here = at.item(name, index);
            let operation = json!({"op": "remove", "path": here.pointer});
            rest.remove(index);
            self.push(here, Some(&before[index]), None, false, vec![operation]);
        }
        self.order(at, &mut rest, &target, &field);
        let known: HashMap<&str, usize> = old.iter().enumerate().map(|(index, name)| (name.as_str(), index)).collect();
        for (index, name) in new.iter().enumerate().filter(|(_, name)| !known.contains_key(name.as_str())) {
            let here = at.item(name, index);
            let operation = json!({"op": "add", "path": here.pointer, "value": after[index]});
            self.push(here, None, Some(&after[index]), false, vec![operation]);
        }
        for (index, name) in new.iter().enumerate() {
            if let Some(&was) = known.get(name.as_str()) {
                self.value(&at.item(name, index), &before[was], &after[index]);
            }
        }
    }

    /// Brings the items that stay into their new order.
    fn order(&mut self, at: &At, rest: &mut Vec<&str>, target: &HashMap<&str, usize>, field: &str) {
        let before = json!(rest);
        let mut wanted = rest.clone();
        wanted.sort_by_key(|name| target.get(name));
        let mut operations = Vec::new();
        for (to, name) in wanted.iter().enumerate() {
            let Some(from) = rest.iter().position(|it| it == name).filter(|from| *from != to) else { continue };
            let moved = rest.remove(from);
            rest.insert(to, moved);
            let pointer = &at.pointer;
            operations
                .push(json!({"op": "move", "from": format!("{pointer}/{from}"), "path": format!("{pointer}/{to}")}));
        }
        if !operations.is_empty() {
            self.changes.push(Change {
                path: at.path.clone(),
                before: Some(before),
                after: Some(json!(wanted)),
                is_equivalent: !self.is_file && keys::is_set(&self.identity.kind, field),
                is_order: true,
                inside: Vec::new(),
                operations,
            });
        }
    }

    /// What differs inside of two texts that are files; `None` when they are none that can be read.
    fn inside(&self, at: &At, before: &Value, after: &Value) -> Option<Vec<Change>> {
        if self.is_file {
            return None;
        }
        let read = |value| embedded::read(self.identity, &at.path, value);
        let mut walk = Walk { identity: self.identity, changes: Vec::new(), is_file: true };
        walk.value(&At { path: at.path.clone(), pointer: String::new() }, &read(before)?, &read(after)?);
        Some(walk.changes)
    }
}

/// Whether two values are one quantity where the API has quantities.
fn same_quantity(path: &Path, before: &Value, after: &Value) -> bool {
    const QUANTITIES: [&str; 6] = ["requests", "limits", "capacity", "sizeLimit", "hard", "storage"];
    let amount = |value: &Value| match value {
        Value::String(text) => quantity::nanos(text),
        Value::Number(number) => quantity::nanos(&number.to_string()),
        _ => None,
    };
    path.names().any(|name| QUANTITIES.contains(&name)) && amount(before).is_some() && amount(before) == amount(after)
}
