//! Configuration files of programs, key by key, for the versions whose keys are known.
//!
//! The keys are those of the programs' own Go structs; `tools/configurations` writes them.

use super::file::File;
use super::syntax::Read;
use super::values;
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::{Rule, rules};
use crate::set::Set;
use crate::world::program::Known;
use crate::world::{World, operator};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;
use vigil_forms::image::{Image, version};
use vigil_forms::name::is_credential;
use vigil_yaml::words::nearest;
use vigil_yaml::{Data, Entry, Node, Quoted};

rules! {
    KEY "configuration-key" Error Program "every key of a program's configuration is known to it"
    VALUE "configuration-value" Error Program "every value of a program's configuration has the type that it reads"
}

/// The keys of a program's configuration.
#[derive(Deserialize)]
pub(super) struct Keys<'k> {
    pub(super) root: &'k str,
    pub(super) types: HashMap<&'k str, BTreeMap<&'k str, &'k str>>,
}

/// The keys of programs' configurations.
static PROGRAMS: [Known<Option<Keys<'static>>>; 5] = [
    Known::new("alertmanager", ((0, 24), (0, 30)), include_str!("../../configurations/alertmanager.json")),
    Known::new("blackbox-exporter", ((0, 28), (0, 28)), include_str!("../../configurations/blackbox-exporter.json")),
    Known::new("loki", ((2, 9), (3, 7)), include_str!("../../configurations/loki.json")),
    Known::new("prometheus", ((2, 45), (3, 12)), include_str!("../../configurations/prometheus.json")),
    Known::new("promtail", ((3, 0), (3, 7)), include_str!("../../configurations/promtail.json")),
];

/// The first version of which the lists hold all keys of all types. Of older ones they hold those of the types that
/// `lives.txt` names.
const WHOLE: [(&str, Version); 2] = [("loki", (3, 7)), ("prometheus", (3, 0))];

/// Major and minor.
type Version = (u32, u32);

/// When a program knows a key: from the one to the other version, both included.
#[derive(Clone, Copy, Debug)]
struct Life {
    first: Option<Version>,
    last: Option<Version>,
}

impl Life {
    fn holds(self, version: Version) -> bool {
        self.first.is_none_or(|first| first <= version) && self.last.is_none_or(|last| version <= last)
    }
}

/// When keys are known that not every version knows, by program, type and key.
fn lives() -> &'static HashMap<(&'static str, &'static str, &'static str), Life> {
    static LIVES: OnceLock<HashMap<(&'static str, &'static str, &'static str), Life>> = OnceLock::new();
    let read = |line: &'static str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [program, sort, key, times] = words[..] else { return None };
        let (first, last) = times.split_once("..")?;
        Some(((program, sort, key), Life { first: version(first), last: version(last) }))
    };
    LIVES.get_or_init(|| include_str!("../../configurations/lives.txt").lines().filter_map(read).collect())
}

/// A program of a version, whose list of keys is of several.
#[derive(Clone, Copy)]
pub(super) struct Reader<'r> {
    program: &'r str,
    version: Version,
}

impl<'r> Reader<'r> {
    fn of(program: &'r str, version: Option<Version>) -> Option<Self> {
        Some(Self { program, version: version? })
    }

    fn life(self, sort: &str, key: &str) -> Option<Life> {
        lives().get(&(self.program, sort, key)).copied()
    }

    /// Whether all keys of a type are known.
    fn is_whole(self, sort: &str) -> bool {
        let newest = |(program, since): &(&str, Version)| *program == self.program && self.version < *since;
        !WHOLE.iter().any(newest) || lives().keys().any(|(program, of, _)| *program == self.program && *of == sort)
    }
}

fn keys_of(name: &str, version: Option<Version>) -> Option<&'static Keys<'static>> {
    Known::of(&PROGRAMS, name, version, |text| serde_json::from_str(text).ok())?.as_ref()
}

/// The Secrets that Alertmanagers take their configuration from, by namespace and name.
pub(super) fn alertmanagers<'a>(set: &Set<'a>) -> HashMap<(&'a str, String), Object<'a>> {
    let secret = |object: &Object<'a>| (object.namespace, operator::configuration(object));
    set.of_kind(MONITORING, "Alertmanager").map(|object| (secret(object), *object)).collect()
}

/// A part of Prometheus' configuration that stands in a Secret, and that the operator adds as it is.
#[derive(Clone, Copy)]
pub(super) struct Part {
    field: &'static str,
    /// What is in it, as the lists of keys call it.
    sort: &'static str,
    pub(super) is_jobs: bool,
}

const PARTS: [Part; 3] = [
    Part { field: "additionalScrapeConfigs", sort: "[config.ScrapeConfig", is_jobs: true },
    Part { field: "additionalAlertManagerConfigs", sort: "[config.AlertmanagerConfig", is_jobs: false },
    Part { field: "additionalAlertRelabelConfigs", sort: "[relabel.Config", is_jobs: false },
];

/// The Secrets whose keys are parts of the configuration of a Prometheus, by namespace, name and key.
pub(super) fn parts<'a>(set: &'a Set<'a>) -> HashMap<(&'a str, &'a str, &'a str), (Object<'a>, Part)> {
    let owners = ["Prometheus", "PrometheusAgent"].into_iter().flat_map(|kind| set.of_kind(MONITORING, kind));
    owners
        .flat_map(|owner| {
            PARTS.iter().filter_map(move |part| {
                let of = |key| owner.at(&["spec", part.field, key]).and_then(Node::text);
                Some(((owner.namespace, of("name")?, of("key")?), (*owner, *part)))
            })
        })
        .collect()
}

/// What an unknown key breaks.
const UNKNOWN: &str = "remove it; the program does not start with a key it does not know";

/// Judges the files that programs of known versions are configured by.
pub(super) fn check(
    read: &[Read<'_, '_>],
    world: &World<'_>,
    alertmanagers: &HashMap<(&str, String), Object<'_>>,
    findings: &mut Findings,
) {
    let parts = parts(world.set);
    for Read { file, documents } in read {
        let [root] = documents.as_slice() else { continue };
        let operated = || alertmanagers.get(&(file.object.namespace, file.object.name.to_owned()));
        if let Some((owner, part)) = parts.get(&(file.object.namespace, file.object.name, file.name()))
            && file.object.kind == "Secret"
            && let Some(keys) = keys_of("prometheus", version_of(owner))
        {
            let reader = Reader::of("prometheus", version_of(owner));
            Walk { reader, ..Walk::new(file, root, keys, &KEY, UNKNOWN, findings) }.value(root, None, part.sort);
            continue;
        }
        let known = |program: &'static str, version| Some((keys_of(program, version)?, Reader::of(program, version)));
        let keys = if file.object.kind == "Secret"
            && file.name() == "alertmanager.yaml"
            && let Some(alertmanager) = operated()
        {
            known("alertmanager", version_of(alertmanager))
        } else {
            let mut own = world.readers(&file.object).filter(|reader| reader.is_configured_by(file.name()));
            own.find_map(|own| Some((keys_of(own.name, own.version)?, Reader::of(own.name, own.version))))
        };
        if let Some((keys, reader)) = keys {
            Walk { reader, ..Walk::new(file, root, keys, &KEY, UNKNOWN, findings) }.value(root, None, keys.root);
        }
    }
}

/// The version of an Alertmanager or a Prometheus of the operator, if it says one.
pub(crate) fn version_of(object: &Object<'_>) -> Option<Version> {
    let tag = || Image::split(object.at(&["spec", "image"]).and_then(Node::text)?).tag;
    version(object.at(&["spec", "version"]).and_then(Node::text).or_else(tag)?)
}

/// A walk through a file, beside the keys that it may have.
pub(super) struct Walk<'w, 'f, 'a> {
    file: &'w File<'a>,
    root: &'w Node,
    keys: &'static Keys<'static>,
    /// Who reads it, where that is known.
    reader: Option<Reader<'w>>,
    /// What an unknown key breaks, and what to do with it.
    unknown: (&'static Rule, &'static str),
    findings: &'f mut Findings,
}

impl<'w, 'f, 'a> Walk<'w, 'f, 'a> {
    pub(super) fn new(
        file: &'w File<'a>,
        root: &'w Node,
        keys: &'static Keys<'static>,
        rule: &'static Rule,
        help: &'static str,
        findings: &'f mut Findings,
    ) -> Self {
        Self { file, root, keys, reader: None, unknown: (rule, help), findings }
    }

    /// Judges a value that should be of the sort `wanted`.
    pub(super) fn value(&mut self, node: &Node, entry: Option<&Entry>, wanted: &str) {
        // What takes its place when the program starts is not known here.
        let is_variable = || matches!(&node.data, Data::Scalar(scalar) if scalar.text.contains("${"));
        if node.is_null() || wanted.is_empty() || is_variable() {
            return;
        }
        let wrong = match (wanted, &node.data) {
            (_, Data::List(items)) if wanted.starts_with('[') => {
                for item in items {
                    self.value(item, None, &wanted[1..]);
                }
                None
            }
            (_, _) if wanted.starts_with('[') => Some("a list"),
            (_, Data::Map(entries)) if wanted.starts_with('{') => {
                for entry in entries {
                    self.value(&entry.value, Some(entry), &wanted[1..]);
                }
                None
            }
            (_, Data::Map(entries)) if self.keys.types.contains_key(wanted) => {
                self.mapping(entries, wanted);
                None
            }
            (_, _) if wanted.starts_with('{') || self.keys.types.contains_key(wanted) => Some("a mapping"),
            _ => values::misfit(wanted, node),
        };
        if let Some(expected) = wrong {
            let name = entry.map_or_else(|| "a value here".to_owned(), |entry| Quoted(&entry.key.text).to_string());
            let message = match &node.data {
                Data::Scalar(scalar) if shows(wanted, entry) => {
                    let string = if scalar.plain { "" } else { "the string " };
                    format!("{name} is {string}{}", Quoted(&scalar.text))
                }
                _ => format!("{name} is {}", node.describe()),
            };
            self.file.add(&VALUE, self.root, node, message, self.findings).label(format!("expected {expected}"));
        }
    }

    fn mapping(&mut self, entries: &[Entry], wanted: &str) {
        let Some(known) = self.keys.types.get(wanted) else { return };
        for entry in entries {
            let key = entry.key.text.as_str();
            let life = self.reader.and_then(|reader| Some((reader, reader.life(wanted, key)?)));
            if let Some((reader, life)) = life.filter(|(reader, life)| !life.holds(reader.version)) {
                self.other_version(entry, reader, life);
            } else if let Some(wanted) = known.get(key) {
                self.value(&entry.value, Some(entry), wanted);
            } else if life.is_none() && !known.contains_key("*") && key != "<<" {
                let (rule, help) = self.unknown;
                let near = nearest(key, known.keys().copied());
                if near.is_none() && self.reader.is_some_and(|reader| !reader.is_whole(wanted)) {
                    continue;
                }
                let message = format!("the key {} is not known", Quoted(key));
                let finding = self.file.add(rule, self.root, entry, message, self.findings);
                match near {
                    Some(near) => finding.label(format!("did you mean `{near}`?")),
                    None => finding.help(help),
                };
            }
        }
    }
}

impl Walk<'_, '_, '_> {
    /// Tells of a key that other versions of the program know.
    fn other_version(&mut self, entry: &Entry, reader: Reader<'_>, life: Life) {
        let Reader { program, version: (major, minor) } = reader;
        let key = Quoted(&entry.key.text);
        let (message, help) = match (life.first, life.last) {
            (Some(first), _) if reader.version < first => (
                format!("the key {key} is known since {program} {}.{}", first.0, first.1),
                "remove it, or run a newer version: the program does not start with a key it does not know",
            ),
            (_, last) => {
                let (major, minor) = last.unwrap_or_default();
                (
                    format!("the key {key} is known up to {program} {major}.{minor}"),
                    "remove it; the release notes say what took its place, and the program does not start with it",
                )
            }
        };
        let finding = self.file.add(self.unknown.0, self.root, entry, message, self.findings);
        finding.label(format!("{program} {major}.{minor} reads this")).help(help);
    }
}

/// Whether a message may show a value: it is no credential, nor an address that may be one.
fn shows(wanted: &str, entry: Option<&Entry>) -> bool {
    let is_secret = entry.is_some_and(|entry| is_credential(&entry.key.text));
    !is_secret
        && ["bool", "int", "float", "duration", "go-duration", "size", "date", "host-port", "regexp"].contains(&wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_life_is_of_a_key_that_is_listed_or_gone() {
        let lines = include_str!("../../configurations/lives.txt").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), lives().len());
        for ((program, sort, key), life) in lives() {
            let newest = PROGRAMS.iter().find(|known| known.name == *program).unwrap().versions.1;
            let listed = keys_of(program, Some(newest)).unwrap().types[sort].contains_key(key);
            assert_eq!(listed, life.holds(newest), "{program} {sort} {key}");
            assert!(life.first.is_some() || life.last.is_some(), "{program} {sort} {key}");
        }
    }

    #[test]
    fn every_list_of_keys_can_be_read_and_is_whole() {
        for program in &PROGRAMS {
            let keys = keys_of(program.name, Some(program.versions.1)).unwrap();
            let values = keys.types.values().flat_map(|keys| keys.values().copied()).chain([keys.root]);
            for value in values {
                let name = value.trim_start_matches(['[', '{']);
                assert!(values::is_form(name) || keys.types.contains_key(name), "{}: {value}", program.name);
            }
        }
    }
}
