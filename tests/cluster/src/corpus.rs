//! Objects for [`crate::agreement`]: those of every stack, and each of them broken in many ways.

use crate::failure::{Context, Result};
use crate::stacks::Rendered;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A way to break an object at one place.
type Break = fn(&mut Value, &Place);

/// A field: the pointer of the object or list that holds it, and its key or index there.
struct Place {
    parent: String,
    key: String,
}

const BREAKS: [Break; 8] = [
    |object, place| rename(object, place, |key| key.chars().skip(1).collect()),
    |object, place| rename(object, place, str::to_uppercase),
    remove,
    |object, place| replace(object, place, |_| Value::Null),
    |object, place| replace(object, place, of_another_type),
    |object, place| replace(object, place, out_of_range),
    |object, place| replace(object, place, of_another_syntax),
    repeat,
];

/// Writes the corpus into a directory: every object once, and `mutants` broken ones for each. The same stacks give the
/// same corpus.
pub(crate) fn write(stacks: &[Rendered], mutants: usize, into: &Path) -> Result<usize> {
    fs::create_dir_all(into).context(into.display())?;
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for stack in stacks {
        for object in stack.objects.iter().filter(|object| object.kind() != "CustomResourceDefinition") {
            let whole: Value = (*object.value).clone();
            let mut places = Vec::new();
            collect(&whole, "", &mut places);
            for mutant in 0..=mutants {
                let mut value = whole.clone();
                if mutant > 0 {
                    // Each mutant another way, at a place far from the last one's.
                    let place = &places[(mutant * 7919 + count) % places.len()];
                    BREAKS[mutant % BREAKS.len()](&mut value, place);
                }
                let text = vigil_yaml::write(&value);
                if seen.insert(text.clone()) {
                    let name = format!("{}-{}-{}-{mutant}.yaml", stack.name, object.component, count);
                    let path = into.join(name);
                    fs::write(&path, text).context(path.display())?;
                    count += 1;
                }
            }
        }
    }
    Ok(count)
}

/// Every field below a value, but for the identity of the whole: nobody can judge what has no kind.
fn collect(value: &Value, pointer: &str, places: &mut Vec<Place>) {
    let mut add = |key: String, value: &Value| {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        let below = format!("{pointer}/{escaped}");
        if !matches!(below.as_str(), "/apiVersion" | "/kind") {
            places.push(Place { parent: pointer.to_owned(), key });
            collect(value, &below, places);
        }
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| add(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| add(index.to_string(), value)),
        _ => {}
    }
}

fn rename(object: &mut Value, place: &Place, new: impl Fn(&str) -> String) {
    if let Some(Value::Object(map)) = object.pointer_mut(&place.parent)
        && let Some(value) = map.remove(&place.key)
    {
        map.insert(new(&place.key), value);
    }
}

fn remove(object: &mut Value, place: &Place) {
    match object.pointer_mut(&place.parent) {
        Some(Value::Object(map)) => {
            map.remove(&place.key);
        }
        Some(Value::Array(items)) => {
            items.pop();
        }
        _ => {}
    }
}

fn replace(object: &mut Value, place: &Place, new: impl Fn(&Value) -> Value) {
    let field = match object.pointer_mut(&place.parent) {
        Some(Value::Object(map)) => map.get_mut(&place.key),
        Some(Value::Array(items)) => place.key.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
        _ => None,
    };
    if let Some(field) = field {
        *field = new(field);
    }
}

fn of_another_type(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(["7"]),
        Value::Number(number) => json!(number.to_string()),
        Value::Bool(is) => json!(is.to_string()),
        Value::Array(_) => Value::Object(Map::new()),
        _ => json!([]),
    }
}

fn out_of_range(value: &Value) -> Value {
    match value {
        Value::Number(_) => json!(-70000),
        Value::String(_) => json!(""),
        Value::Bool(is) => json!(!is),
        Value::Array(_) => json!([]),
        _ => json!({}),
    }
}

fn of_another_syntax(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(format!("{text}_Not a Name!")),
        Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 0.5),
        other => other.clone(),
    }
}

/// Lists say the same twice; of everything else the parent list does, if it stands in one.
fn repeat(object: &mut Value, place: &Place) {
    if let Some(Value::Array(items)) = object.pointer_mut(&place.parent) {
        items.extend(items.first().cloned());
    } else {
        replace(object, place, |value| match value {
            Value::Array(items) => items.iter().chain(items.first()).cloned().collect(),
            Value::String(text) => json!(text.repeat(70)),
            other => other.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_breaking_breaks() {
        let whole = json!({ "kind": "Service", "spec": { "ports": [{ "port": 80 }], "type": "NodePort" } });
        let mut places = Vec::new();
        collect(&whole, "", &mut places);
        let pointers: Vec<_> = places.iter().map(|place| format!("{}/{}", place.parent, place.key)).collect();
        assert_eq!(pointers, ["/spec", "/spec/ports", "/spec/ports/0", "/spec/ports/0/port", "/spec/type"]);
        for (index, broken) in BREAKS.iter().enumerate() {
            let mut value = whole.clone();
            broken(&mut value, &places[4]);
            assert_ne!(value, whole, "way {index}");
        }
        let mut value = whole.clone();
        BREAKS[0](&mut value, &places[3]);
        assert_eq!(value["spec"]["ports"], json!([{ "ort": 80 }]));
    }
}
