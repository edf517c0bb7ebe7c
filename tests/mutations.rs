//! Breaks every object of the rendered set in many ways, and counts what is found; varies it in ways that mean the same,
//! and expects silence.
//!
//! `cargo test --test mutations -- --nocapture` prints the rates.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::format_push_string, clippy::format_collect, reason = "texts of tests are put together the plain way")]

mod support;

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vigil_check::{Options, Report, check};
use vigil_yaml::{Place, Severity, Source};

/// The objects of the tutorial's stack.
fn objects() -> Vec<Value> {
    support::render(&support::tutorial()).objects.iter().map(|object| Value::clone(&object.value)).collect()
}

/// A place in an object.
type Path_ = Vec<Step>;

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Every place below `value`, in order.
fn places(value: &Value, at: &mut Path_, found: &mut Vec<Path_>) {
    let mut below = |step: Step, value: &Value| {
        at.push(step);
        found.push(at.clone());
        places(value, at, found);
        at.pop();
    };
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| below(Step::Key(key.clone()), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| below(Step::Index(index), value)),
        _ => {}
    }
}

fn get_mut<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(key) => &mut value[key.as_str()],
        Step::Index(index) => &mut value[*index],
    })
}

fn entries_of<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Map<String, Value> {
    get_mut(value, path).as_object_mut().unwrap()
}

fn shown(path: &[Step]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Key(key) => format!(".{key}"),
            Step::Index(index) => format!("[{index}]"),
        })
        .collect()
}

/// Mappings whose keys are the user's own, and places that take anything.
fn is_open(path: &[Step]) -> bool {
    const OPEN: [&str; 16] = [
        "labels",
        "annotations",
        "matchLabels",
        "data",
        "stringData",
        "nodeSelector",
        "limits",
        "requests",
        "selector",
        "externalLabels",
        "properties",
        "default",
        "capacity",
        "x-kubernetes-validations",
        "enum",
        "binaryData",
    ];
    path.iter().any(|step| matches!(step, Step::Key(key) if OPEN.contains(&key.as_str())))
}

/// A change to one object: what it is, and the object it makes.
struct Mutation {
    class: &'static str,
    what: String,
    object: Value,
}

/// Findings that count, by the name of the source they stand in.
fn found(report: &Report) -> BTreeSet<String> {
    let counts = report.findings.iter().filter(|finding| finding.severity() == Severity::Error);
    counts
        .map(|finding| match &finding.place {
            Place::Text(span) => span.source.name.clone(),
            Place::File(path) => path.clone(),
        })
        .collect()
}

/// How many of each class there are, and those that were not found.
fn rates(mutations: &[Mutation]) -> BTreeMap<&'static str, (usize, Vec<String>)> {
    let sources: Vec<Arc<Source>> = mutations
        .iter()
        .enumerate()
        .map(|(index, mutation)| Source::new(index.to_string(), vigil_yaml::write(&mutation.object)))
        .collect();
    let options = Options { objects_only: true, ..Options::default() };
    let found = found(&check(&sources, &options));
    let mut rates: BTreeMap<&'static str, (usize, Vec<String>)> = BTreeMap::new();
    for (index, mutation) in mutations.iter().enumerate() {
        let rate = rates.entry(mutation.class).or_default();
        rate.0 += 1;
        if !found.contains(&index.to_string()) {
            rate.1.push(mutation.what.clone());
        }
    }
    rates
}

fn print(rates: &BTreeMap<&'static str, (usize, Vec<String>)>) {
    for (class, (count, missed)) in rates {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = 100.0 * (count - missed.len()) as f64 / *count as f64;
        println!("{class:<28} {:>6} of {count:>6} found, {rate:.2} %", count - missed.len());
        for what in missed.iter().take(30) {
            println!("    missed: {what}");
        }
    }
}

fn name(object: &Value) -> String {
    format!("{} {}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
}

/// What breaks an object for its schema alone.
fn schema_mutations() -> Vec<Mutation> {
    let mut mutations = Vec::new();
    for object in objects() {
        let mut all = Vec::new();
        places(&object, &mut Vec::new(), &mut all);
        // A definition has thousands of places that are all alike.
        let every = if object["kind"] == "CustomResourceDefinition" { 97 } else { 1 };
        for path in all.iter().filter(|path| !is_open(path)).step_by(every) {
            let what = format!("{}{}", name(&object), shown(path));
            let mut changed = |class, change: &dyn Fn(&mut Value)| {
                let mut copy = object.clone();
                change(&mut copy);
                mutations.push(Mutation { class, what: what.clone(), object: copy });
            };
            let (last, parent) = path.split_last().unwrap();
            if let Step::Key(key) = last {
                changed("misspelt field", &|copy| {
                    let entries = entries_of(copy, parent);
                    let value = entries.remove(key).unwrap();
                    let mut letters: Vec<char> = key.chars().collect();
                    letters.insert(letters.len() / 2, 'q');
                    entries.insert(letters.into_iter().collect(), value);
                });
            }
            changed("another type", &|copy| {
                let value = get_mut(copy, path);
                *value = match value {
                    Value::Object(_) | Value::Array(_) => json!("text"),
                    _ => json!({ "a": "mapping" }),
                };
            });
            if get_mut(&mut object.clone(), path).is_string() {
                changed("a boolean for a text", &|copy| *get_mut(copy, path) = json!(true));
            }
            if get_mut(&mut object.clone(), path).is_boolean() {
                changed("a text for a boolean", &|copy| *get_mut(copy, path) = json!("true"));
            }
            if get_mut(&mut object.clone(), path).is_number() {
                changed("a fraction for a number", &|copy| *get_mut(copy, path) = json!(0.5));
            }
        }
    }
    mutations
}

/// Fields that the API requires, by the end of their path.
fn dropped_fields() -> Vec<Mutation> {
    const REQUIRED: [&[&str]; 24] = [
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["spec", "selector"],
        &["spec", "template"],
        &["template", "spec"],
        &["spec", "containers"],
        &["containers", "*", "name"],
        &["containers", "*", "image"],
        &["volumes", "*", "name"],
        &["volumeMounts", "*", "name"],
        &["volumeMounts", "*", "mountPath"],
        &["ports", "*", "port"],
        &["ports", "*", "containerPort"],
        &["env", "*", "name"],
        &["roleRef"],
        &["roleRef", "kind"],
        &["roleRef", "name"],
        &["subjects", "*", "kind"],
        &["subjects", "*", "name"],
        &["rules", "*", "verbs"],
        &["httpGet", "port"],
        &["spec", "groupPriorityMinimum"],
    ];
    let ends_with = |path: &[Step], end: &[&str]| {
        path.len() >= end.len()
            && path[path.len() - end.len()..].iter().zip(end).all(|(step, wanted)| match step {
                Step::Key(key) => key == wanted,
                Step::Index(_) => *wanted == "*",
            })
    };
    let mut mutations = Vec::new();
    for object in objects() {
        if object["kind"] == "CustomResourceDefinition" || object["apiVersion"] == "monitoring.coreos.com/v1" {
            continue;
        }
        let mut all = Vec::new();
        places(&object, &mut Vec::new(), &mut all);
        for path in all.iter().filter(|path| REQUIRED.iter().any(|end| ends_with(path, end))) {
            let (Step::Key(key), parent) = path.split_last().unwrap() else { continue };
            // Some do without a selector, and what stands deeper is no object's own.
            let top = path.len() == 1;
            let optional = ["Service", "PodDisruptionBudget"].contains(&object["kind"].as_str().unwrap());
            if (optional && key == "selector") || (["metadata", "apiVersion"].contains(&key.as_str()) && !top) {
                continue;
            }
            let mut copy = object.clone();
            entries_of(&mut copy, parent).remove(key);
            mutations.push(Mutation {
                class: "dropped field",
                what: format!("{}{}", name(&object), shown(path)),
                object: copy,
            });
        }
    }
    mutations
}

#[test]
fn what_breaks_the_schema_is_found() {
    let mut mutations = schema_mutations();
    mutations.extend(dropped_fields());
    let rates = rates(&mutations);
    print(&rates);
    for (class, (count, missed)) in &rates {
        assert!(*count > 0, "{class}: nothing to break");
        assert!(missed.len() * 100 <= *count, "{class}: {} of {count} missed: {missed:?}", missed.len());
    }
}

/// How a value is written by hand.
#[derive(Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
struct Style {
    reversed: bool,
    quoted: bool,
    comments: bool,
    nulls: bool,
    /// From this depth on in brackets.
    flow_from: Option<usize>,
}

impl Style {
    fn write(self, value: &Value, depth: usize, out: &mut String) {
        let pad = "  ".repeat(depth);
        let comment = if self.comments { " # a remark: with a colon" } else { "" };
        match value {
            Value::Object(entries) if !entries.is_empty() && self.flow_from.is_none_or(|from| depth < from) => {
                out.push_str(comment);
                out.push('\n');
                let mut entries: Vec<_> = entries.iter().collect();
                if self.reversed {
                    entries.reverse();
                }
                for (key, value) in entries {
                    if self.comments {
                        out.push_str(&format!("{pad}# about {key}\n\n"));
                    }
                    out.push_str(&format!("{pad}{}:", self.text(key)));
                    self.write(value, depth + 1, out);
                }
                if self.nulls && depth > 0 {
                    null_fields(value, &pad, out);
                }
            }
            Value::Array(items) if !items.is_empty() && self.flow_from.is_none_or(|from| depth < from) => {
                out.push_str(comment);
                out.push('\n');
                for item in items {
                    out.push_str(&format!("{pad}-"));
                    self.write(item, depth + 1, out);
                }
            }
            Value::String(text) => out.push_str(&format!(" {}{comment}\n", self.text(text))),
            other => out.push_str(&format!(" {other}{comment}\n")),
        }
    }

    fn text(self, text: &str) -> String {
        if self.quoted || !vigil_yaml::plain::is_portable(text) || !is_bare(text) {
            Value::String(text.to_owned()).to_string()
        } else {
            text.to_owned()
        }
    }
}

/// Optional fields that say nothing, wherever their neighbours tell that they may stand.
fn null_fields(value: &Value, pad: &str, out: &mut String) {
    const FIELDS: [(&str, &[&str]); 6] = [
        ("containers", &["nodeName", "hostAliases", "runtimeClassName"]),
        ("image", &["lifecycle", "workingDir", "envFrom"]),
        ("template", &["minReadySeconds"]),
        ("targetPort", &["appProtocol"]),
        ("name", &[]),
        ("endpoints", &["sampleLimit", "jobLabel"]),
    ];
    for (neighbour, fields) in FIELDS {
        for field in fields.iter().filter(|field| value.get(neighbour).is_some() && value.get(*field).is_none()) {
            out.push_str(&format!("{pad}{field}: null\n"));
        }
    }
}

/// Whether a text needs no quotes wherever it stands.
fn is_bare(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/'))
        && vigil_yaml::plain::resolve_as_kubectl(text) == vigil_yaml::plain::Plain::Text
}

/// Texts for numbers and numbers for texts, where either may stand.
fn other_way_round(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), &*value) {
                    ("cpu", Value::String(text)) if text.parse::<u32>().is_ok() => {
                        *value = json!(text.parse::<u32>().unwrap());
                    }
                    ("maxUnavailable" | "maxSurge", Value::Number(number)) => *value = json!(format!("{number}0%")),
                    _ => other_way_round(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(other_way_round),
        _ => {}
    }
}

#[test]
fn what_means_the_same_is_no_finding() {
    let objects = objects();
    let written = |style: Style| -> String {
        objects
            .iter()
            .map(|object| {
                let mut text = "---".to_owned();
                style.write(object, 0, &mut text);
                text
            })
            .collect()
    };
    let mut turned = objects.clone();
    turned.iter_mut().for_each(other_way_round);
    let variations = [
        ("plain", written(Style::default())),
        ("reversed keys", written(Style { reversed: true, ..Style::default() })),
        ("quoted scalars and keys", written(Style { quoted: true, ..Style::default() })),
        ("comments", written(Style { comments: true, ..Style::default() })),
        ("nulls", written(Style { nulls: true, ..Style::default() })),
        ("flow style within", written(Style { flow_from: Some(3), ..Style::default() })),
        ("one flow document each", objects.iter().map(|object| format!("---\n{object}\n")).collect()),
        ("one List", json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string()),
        ("numbers and texts", turned.iter().map(|object| format!("---\n{}", vigil_yaml::write(object))).collect()),
        ("carriage returns", written(Style::default()).replace('\n', "\r\n")),
        (
            "anchors",
            objects
                .iter()
                .map(|object| {
                    let metadata = object["metadata"].to_string();
                    let rest: String = object
                        .as_object()
                        .unwrap()
                        .iter()
                        .filter(|(key, _)| *key != "metadata")
                        .map(|(key, value)| format!("{key}: {value}\n"))
                        .collect();
                    let labels = object["metadata"].get("labels").map(Value::to_string);
                    let anchored = labels.map_or(metadata.clone(), |labels| {
                        metadata.replace(&format!("\"labels\":{labels}"), &format!("\"labels\": &labels {labels}"))
                    });
                    format!("---\nmetadata: {anchored}\n{rest}")
                })
                .collect(),
        ),
    ];
    for (name, text) in variations {
        let report = check(&[Source::new(name, text)], &Options::default());
        let findings: Vec<_> = report.findings.iter().filter(|it| it.severity() != Severity::Note).collect();
        let drawn: Vec<_> = findings.iter().take(5).map(|finding| finding.problem().draw(false)).collect();
        assert!(findings.is_empty(), "{name}: {} findings\n{}", findings.len(), drawn.join("\n"));
        assert_eq!(report.objects.len(), objects.len(), "{name}");
    }
}
