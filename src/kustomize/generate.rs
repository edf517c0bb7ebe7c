//! ConfigMaps and Secrets that a kustomization makes of literals and files. Source: `api/internal/generators` and `api/kv`
//! of sigs.k8s.io/kustomize.

use super::resource::{Resource, merge_into};
use super::{Wrong, read, texts};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::path::Path;
use vigil_yaml::{Node, Problem, Quoted};

/// Makes what the generators of a kustomization say.
pub(crate) fn all(document: &Node, folder: &Path, resources: &mut Vec<Resource>, problems: &mut Vec<Problem>) {
    for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for generator in document.get(key).map(Node::items).unwrap_or_default() {
            let made = one(kind, generator, document.get("generatorOptions"), folder);
            let taken = made.and_then(|made| take(generator, made, resources));
            problems.extend(taken.err().map(|problem| *problem));
        }
    }
}

fn one(kind: &str, generator: &Node, options: Option<&Node>, folder: &Path) -> Result<Resource, Wrong> {
    let Some(name) = generator.get("name").and_then(Node::text) else {
        let problem = Problem::error(format!("a generator of a {kind} has no name"), generator.span.clone());
        return Err(Box::new(problem.help("add `name:`")));
    };
    let mut value = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    if let Some(namespace) = generator.get("namespace").and_then(Node::text) {
        value["metadata"]["namespace"] = namespace.into();
    }
    if kind == "Secret" {
        value["type"] = generator.get("type").and_then(Node::text).unwrap_or("Opaque").into();
        value["data"] = json!({});
    }
    for (key, content) in pairs(generator, folder)? {
        let (field, text) = match String::from_utf8(content) {
            Ok(text) if kind == "ConfigMap" => ("data", text),
            Ok(text) => ("data", encoded(text.as_bytes())),
            Err(error) if kind == "ConfigMap" => ("binaryData", encoded(error.as_bytes())),
            Err(error) => ("data", encoded(error.as_bytes())),
        };
        merge_into(&mut value, &[field], &Map::from_iter([(key, Value::from(text))]));
    }
    let mut is_hashed = true;
    for options in options.into_iter().chain(generator.get("options")) {
        for key in ["labels", "annotations"] {
            let added = texts(options.get(key));
            if !added.is_empty() {
                merge_into(&mut value, &["metadata", key], &added);
            }
        }
        let is_set = |key: &str| options.get(key).and_then(Node::boolean) == Some(true);
        if is_set("immutable") {
            value["immutable"] = true.into();
        }
        is_hashed &= !is_set("disableNameSuffixHash");
    }
    let mut made = Resource::new(value);
    made.is_hashed = is_hashed;
    Ok(made)
}

/// Base64 in lines of 70, as kustomize writes it; the hash is one of these.
fn encoded(content: &[u8]) -> String {
    const LINE: usize = 70;
    let text = STANDARD.encode(content);
    if text.len() < LINE {
        return text;
    }
    text.as_bytes().chunks(LINE).flat_map(|line| [String::from_utf8_lossy(line), "\n".into()]).collect()
}

/// Adds what was made, or lets it take the place of what is there.
fn take(generator: &Node, mut made: Resource, resources: &mut Vec<Resource>) -> Result<(), Wrong> {
    let behaviour = generator.get("behavior").and_then(Node::text).unwrap_or("create");
    let existing = resources.iter_mut().find(|resource| resource.is_or_was(&made));
    let span = || generator.span.clone();
    let (kind, name) = (made.kind().to_owned(), made.name().to_owned());
    match (behaviour, existing) {
        ("merge" | "replace", Some(old)) => {
            made.succeed(old, behaviour == "merge");
            *old = made;
        }
        ("merge" | "replace", None) => {
            let problem = Problem::error(format!("there is no {kind} {} to {behaviour}", Quoted(&name)), span());
            return Err(Box::new(problem.help("write `behavior: create`, or correct `name` and `namespace`")));
        }
        (_, Some(_)) => {
            let problem = Problem::error(format!("there is a {kind} {} already", Quoted(&name)), span());
            return Err(Box::new(problem.help("give it another name, or write `behavior: merge` or `replace`")));
        }
        (_, None) => resources.push(made),
    }
    Ok(())
}

/// The keys of a generator and what stands under them.
fn pairs(generator: &Node, folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Wrong> {
    let list = |key: &str| generator.get(key).map(Node::items).unwrap_or_default();
    let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
    for file in list("envs").iter().chain(generator.get("env")) {
        let content = read(file, file.text().unwrap_or_default(), folder)?;
        let text = String::from_utf8_lossy(&content).into_owned();
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_start);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            pairs.push((key.to_owned(), value.into()));
        }
    }
    for literal in list("literals") {
        let text = literal.text().unwrap_or_default();
        let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(wrong(literal, "is no `key=value`", "write the key, `=` and the value"));
        };
        pairs.push((key.to_owned(), without_quotes(value).into()));
    }
    for file in list("files") {
        let text = file.text().unwrap_or_default();
        let (key, path) = match text.split_once('=') {
            None => (text.rsplit('/').next().unwrap_or(text), text),
            Some((key, path)) if !key.is_empty() && !path.is_empty() && !path.contains('=') => (key, path),
            Some(_) => return Err(wrong(file, "is no file", "write the path of a file, or `key=path`")),
        };
        pairs.push((key.to_owned(), read(file, path, folder)?));
    }
    for (at, (key, _)) in pairs.iter().enumerate() {
        if pairs[..at].iter().any(|(earlier, _)| earlier == key) {
            let problem = Problem::error(format!("the key {} comes twice", Quoted(key)), generator.span.clone());
            return Err(Box::new(problem.help("remove one of the two: kustomize refuses it")));
        }
    }
    Ok(pairs)
}

fn wrong(node: &Node, what: &str, remedy: &str) -> Wrong {
    let text = node.text().unwrap_or_default();
    Box::new(Problem::error(format!("{} {what}", Quoted(text)), node.span.clone()).help(remedy))
}

fn without_quotes(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}
