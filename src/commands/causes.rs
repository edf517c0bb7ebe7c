//! Which keys of a stack cause what its change does: each that differs is tried alone.

use super::{Selection, applied, load_text};
use crate::revision;
use serde_json::{Map, Value};
use std::path::Path;
use vigil_diff::{Diff, Options};
use vigil_yaml::{Limits, Source};

/// How many keys are tried; where more differ, each part of the stack is tried as a whole.
const MOST: usize = 12;

/// A key that differs: its path, and its value now, if it has one.
type Edit = (Vec<String>, Option<Value>);

/// Says of each effect which keys of the stack's own file cause it. `before` is the path or revision of the manifests that
/// are compared with; the stack is read in the same revision. What cannot be read or rendered alone is passed over: it is
/// no part of what is asked for.
pub(crate) fn find(diff: &mut Diff, before: &Path, selection: &Selection, options: Options) {
    let _ = try_all(diff, before, selection, options);
}

fn try_all(diff: &mut Diff, before: &Path, selection: &Selection, options: Options) -> Option<()> {
    if diff.is_empty() || !revision::is_one(before) || !selection.stack.is_relative() {
        return None;
    }
    let before = before.to_string_lossy();
    let (revision, _) = before.split_once(':')?;
    let file = format!("{revision}:./{}", selection.stack.display());
    let old = revision::read(Path::new(&file)).ok()?.into_iter().next()?;
    let new = Source::read(&selection.stack, Limits::default().bytes).ok()?;
    let [old, new] = [old, new].map(|source| {
        let node = vigil_yaml::read_one(&source, &Limits::default()).ok().flatten();
        node.map(|node| node.to_json())
    });
    let (old, new) = (old?, new?);
    let base = objects(&old, selection)?;
    let mut edits = Vec::new();
    differences(&old, &new, &mut Vec::new(), usize::MAX, &mut edits);
    if edits.len() > MOST {
        edits.clear();
        differences(&old, &new, &mut Vec::new(), 1, &mut edits);
    }
    // Those that need another one.
    let mut bound: Vec<&Edit> = Vec::new();
    for edit in &edits {
        match objects(&edited(&old, [edit]), selection) {
            Some(after) => diff.caused(&[edit.0.join(".")], &vigil_diff::compare(&base, &after, options)),
            None => bound.push(edit),
        }
    }
    if !bound.is_empty()
        && let Some(after) = objects(&edited(&old, bound.iter().copied()), selection)
    {
        let keys: Vec<String> = bound.iter().map(|(path, _)| path.join(".")).collect();
        diff.caused(&keys, &vigil_diff::compare(&base, &after, options));
    }
    Some(())
}

/// What a stack renders to.
fn objects(stack: &Value, selection: &Selection) -> Option<Vec<Value>> {
    let parsed = load_text(&vigil_yaml::write(stack), &selection.stack).ok()?;
    selection.rendering(&parsed.stack).ok().map(|rendering| applied(&rendering))
}

/// The keys that differ, as deep as they are mappings on both sides, up to `depth` names.
fn differences(old: &Value, new: &Value, path: &mut Vec<String>, depth: usize, edits: &mut Vec<Edit>) {
    if old == new {
        return;
    }
    let (Value::Object(one), Value::Object(other), true) = (old, new, path.len() < depth) else {
        edits.push((path.clone(), Some(new.clone())));
        return;
    };
    for (key, old) in one {
        path.push(key.clone());
        match other.get(key) {
            Some(new) => differences(old, new, path, depth, edits),
            None => edits.push((path.clone(), None)),
        }
        path.pop();
    }
    for (key, new) in other.iter().filter(|(key, _)| !one.contains_key(*key)) {
        path.push(key.clone());
        // A part that was not there is told by its keys.
        match new {
            Value::Object(_) => differences(&Value::Object(Map::new()), new, path, depth, edits),
            new => edits.push((path.clone(), Some(new.clone()))),
        }
        path.pop();
    }
}

/// The same with some keys edited.
fn edited<'e>(old: &Value, edits: impl IntoIterator<Item = &'e Edit>) -> Value {
    let mut stack = old.clone();
    for (path, value) in edits {
        let Some((last, way)) = path.split_last() else { continue };
        let mut at = &mut stack;
        for key in way {
            // A value that is no mapping has none of these keys.
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[key.as_str()];
        }
        match value {
            Some(value) if at.is_object() || at.is_null() => at[last.as_str()] = value.clone(),
            Some(value) => *at = Value::Object(Map::from_iter([(last.clone(), value.clone())])),
            None => drop(at.as_object_mut().and_then(|map| map.remove(last))),
        }
    }
    stack
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_that_differ_make_one_of_the_other() {
        let old = json!({ "a": { "b": 1, "c": [1] }, "d": 2, "e": null });
        let new = json!({ "a": { "b": 1, "c": [2] }, "e": { "f": { "g": 3 } }, "h": { "i": 4 } });
        let mut edits = Vec::new();
        differences(&old, &new, &mut Vec::new(), usize::MAX, &mut edits);
        let keys: Vec<String> = edits.iter().map(|(path, _)| path.join(".")).collect();
        assert_eq!(keys, ["a.c", "d", "e", "h.i"]);
        assert_eq!(edited(&old, &edits), new);
        edits.clear();
        differences(&old, &new, &mut Vec::new(), 1, &mut edits);
        assert_eq!(edits.iter().map(|(path, _)| path.join(".")).collect::<Vec<_>>(), ["a", "d", "e", "h"]);
        assert_eq!(edited(&old, &edits), new);
    }
}
