//! Replacements: a value of one object is written into others. Source: `api/filters/replacement` of sigs.k8s.io/kustomize.

use super::resource::Resource;
use super::select::Selector;
use super::{Wrong, fields, read};
use regex::Regex;
use serde_json::{Map, Value, json};
use std::path::Path;
use vigil_yaml::{Limits, Node, Problem, Quoted, Source};

/// Makes the replacements of a kustomization.
pub(super) fn all(document: &Node, folder: &Path, resources: &mut [Resource], problems: &mut Vec<Problem>) {
    for replacement in document.get("replacements").map(Node::items).unwrap_or_default() {
        let done = match replacement.get("path").and_then(Node::text) {
            Some(path) => of_file(replacement, path, folder, resources),
            None => one(replacement, resources),
        };
        problems.extend(done.err().map(|problem| *problem));
    }
}

/// Makes those in a file, which holds one or a list.
fn of_file(node: &Node, path: &str, folder: &Path, resources: &mut [Resource]) -> Result<(), Wrong> {
    let text = String::from_utf8_lossy(&read(node, path, folder)?).into_owned();
    let source = Source::new(folder.join(path).display().to_string(), text);
    let documents = vigil_yaml::read(&source, &Limits::default()).map_err(|problems| {
        let why = problems.first().map(Problem::one_line).unwrap_or_default();
        wrong(node, format!("{} cannot be read: {why}", Quoted(path)), "correct it: it is a list of replacements")
    })?;
    for document in &documents {
        let listed = if document.items().is_empty() { std::slice::from_ref(document) } else { document.items() };
        listed.iter().try_for_each(|replacement| one(replacement, resources))?;
    }
    Ok(())
}

fn wrong(node: &Node, what: String, remedy: &str) -> Wrong {
    Box::new(Problem::error(what, node.span.clone()).help(remedy))
}

fn one(replacement: &Node, resources: &mut [Resource]) -> Result<(), Wrong> {
    let targets = replacement.get("targets").filter(|targets| !targets.is_null());
    let (Some(targets), Some(value)) = (targets, value(replacement, resources)?) else {
        let remedy = "add `source:` with `kind`, `name` and `fieldPath`, and `targets:`";
        return Err(wrong(replacement, "the replacement has no source or no target".to_owned(), remedy));
    };
    targets.items().iter().try_for_each(|target| write(target, &value, resources))
}

/// What is written.
fn value(replacement: &Node, resources: &[Resource]) -> Result<Option<Value>, Wrong> {
    if let Some(value) = replacement.get("sourceValue").and_then(Node::text) {
        return Ok(Some(value.into()));
    }
    let Some(source) = replacement.get("source").filter(|source| !source.is_null()) else { return Ok(None) };
    let found: Vec<_> = resources.iter().filter(|resource| is_source(source, resource)).collect();
    let [found] = found.as_slice() else {
        let what = if found.is_empty() { "selects nothing" } else { "selects several objects" };
        return Err(wrong(source, format!("the source {what}"), "name one object with `kind`, `name` and `namespace`"));
    };
    let path = source.get("fieldPath").and_then(Node::text).filter(|path| !path.is_empty()).unwrap_or(NAME);
    let mut values = Vec::new();
    reach(&mut found.value.clone(), &parts(path), None, &mut |value| values.push(value.clone()));
    let value = values.into_iter().next().filter(|value| !value.is_null());
    let Some(value) = value else {
        let what = format!("the source has no {}", Quoted(path));
        return Err(wrong(source, what, "correct `fieldPath`, or add the field to the object"));
    };
    let (delimiter, index) = options(source);
    if delimiter.is_empty() {
        return Ok(Some(value));
    }
    let text = written(&value);
    let part = usize::try_from(index).ok().and_then(|index| text.split(delimiter).nth(index));
    match part {
        Some(part) => Ok(Some(part.into())),
        None => Err(wrong(
            source,
            format!("{} has no part {index}", Quoted(&text)),
            "correct `options.index`: it counts from 0",
        )),
    }
}

/// The field that is meant where none is named.
const NAME: &str = "metadata.name";

fn options(node: &Node) -> (&str, i64) {
    let options = node.get("options");
    let delimiter = options.and_then(|options| options.get("delimiter")).and_then(Node::text).unwrap_or_default();
    let index = options.and_then(|options| options.get("index")).and_then(Node::integer).unwrap_or_default();
    (delimiter, index)
}

/// Whether an object is or was what a source names, word for word.
fn is_source(source: &Node, resource: &Resource) -> bool {
    let text = |key: &str| source.get(key).and_then(Node::text).unwrap_or_default();
    let is = |key: &str, own: &str| text(key).is_empty() || text(key) == own;
    let (group, version) = resource.group_version();
    is("group", group)
        && is("version", version)
        && resource.ids().any(|id| {
            is("kind", &id.kind)
                && is("name", &id.name)
                && (text("namespace").is_empty() || id.namespace.as_deref() == Some(text("namespace")))
        })
}

/// Writes a value into the objects that a target selects.
fn write(target: &Node, value: &Value, resources: &mut [Resource]) -> Result<(), Wrong> {
    let Some(select) = target.get("select") else {
        return Err(wrong(target, "the target selects nothing".to_owned(), "add `select:` with `kind` and `name`"));
    };
    let selector = Selector::read(select)?;
    let rejected = target.get("reject").map(Node::items).unwrap_or_default();
    let rejected = rejected.iter().map(Selector::read).collect::<Result<Vec<_>, _>>()?;
    let paths: Vec<&str> =
        target.get("fieldPaths").map(Node::items).unwrap_or_default().iter().filter_map(Node::text).collect();
    let paths = if paths.is_empty() { vec![NAME] } else { paths };
    let is_made = target.at(&["options", "create"]).and_then(Node::boolean) == Some(true);
    let chosen = |resource: &&mut Resource| {
        selector.selects_any(resource) && !rejected.iter().any(|rejected| rejected.rejects(resource))
    };
    for resource in resources.iter_mut().filter(chosen) {
        for path in &paths {
            let mut set = |field: &mut Value| *field = written_over(field, value, options(target));
            if reach(&mut resource.value, &parts(path), is_made.then_some(value), &mut set) == 0 {
                let what = format!("{} {} has no {}", resource.kind(), Quoted(resource.name()), Quoted(path));
                return Err(wrong(target, what, "correct `fieldPaths`, or add `options: {create: true}`"));
            }
        }
    }
    Ok(())
}

/// What becomes of a field: of a text or a number only what it says, not its type.
fn written_over(field: &Value, value: &Value, (delimiter, index): (&str, i64)) -> Value {
    let text = written(value);
    let text = if delimiter.is_empty() {
        text
    } else {
        let old = written(field);
        let mut parts: Vec<&str> = old.split(delimiter).collect();
        match usize::try_from(index) {
            Err(_) => parts.insert(0, &text),
            Ok(index) if index < parts.len() => parts[index] = &text,
            Ok(_) => parts.push(&text),
        }
        parts.join(delimiter)
    };
    match field {
        Value::String(_) => text.into(),
        Value::Number(_) | Value::Bool(_) => serde_json::from_str(&text).unwrap_or_else(|_| text.into()),
        _ => value.clone(),
    }
}

/// A value as it is written in YAML.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The parts of a path; what stands in brackets is one: `containers.[name=web].image`, `annotations.[a.b/c]`.
fn parts(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut open: Option<String> = None;
    for part in fields::keys(path, '.') {
        let part = open.take().map_or(part.clone(), |before| format!("{before}.{part}"));
        if part.starts_with('[') && !part.ends_with(']') {
            open = Some(part);
        } else if part.starts_with('[') && !part.contains('=') {
            parts.push(part.trim_matches(['[', ']']).to_owned());
        } else {
            parts.push(part);
        }
    }
    parts.extend(open);
    parts
}

/// Changes what stands at a path, and says how many places these are; `made` is what is written where it is made.
fn reach(value: &mut Value, parts: &[String], made: Option<&Value>, set: &mut dyn FnMut(&mut Value)) -> usize {
    let Some((part, rest)) = parts.split_first() else {
        set(value);
        return 1;
    };
    let item = part.strip_prefix('[').and_then(|part| part.strip_suffix(']')).and_then(|part| part.split_once('='));
    match value {
        Value::Array(items) if part == "*" => items.iter_mut().map(|item| reach(item, rest, made, set)).sum(),
        Value::Array(items) => {
            if let Some((key, wanted)) = item {
                let is_wanted = wanted_by(wanted);
                let is_it = |item: &Value| is_wanted(&written(if key.is_empty() { item } else { &item[key] }));
                if made.is_some() && !items.iter().any(is_it) {
                    items.push(if key.is_empty() { wanted.into() } else { json!({key: wanted}) });
                }
                return items.iter_mut().filter(|item| is_it(item)).map(|item| reach(item, rest, made, set)).sum();
            }
            let Ok(index) = part.parse::<usize>() else { return 0 };
            if made.is_some() && index == items.len() {
                items.push(empty(rest, made));
            }
            items.get_mut(index).map_or(0, |item| reach(item, rest, made, set))
        }
        Value::Object(map) => {
            if made.is_some() && !map.contains_key(part) {
                map.insert(part.clone(), empty(rest, made));
            }
            map.get_mut(part).map_or(0, |value| reach(value, rest, made, set))
        }
        _ => 0,
    }
}

/// Whether a text is what brackets ask for: an expression, which may match a part of it.
fn wanted_by(wanted: &str) -> impl Fn(&str) -> bool {
    let expression = vigil_forms::regex::go(wanted).ok().and_then(|expression| Regex::new(&expression.rust).ok());
    move |text| expression.as_ref().is_some_and(|expression| expression.is_match(text))
}

/// What is made on the way to the rest of a path.
fn empty(rest: &[String], made: Option<&Value>) -> Value {
    match rest.first() {
        None => made.cloned().unwrap_or_default(),
        Some(next) if next.starts_with('[') || next.parse::<usize>().is_ok() => Value::Array(Vec::new()),
        Some(_) => Map::new().into(),
    }
}
