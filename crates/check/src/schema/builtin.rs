//! The schemas of Kubernetes itself.
//!
//! `schemas/kubernetes.jsonl` holds one definition a line, and a definition again for each minor version in which it
//! changed; a reference names a definition, and means the variant of the version at hand.

use crate::version::Version;
use std::collections::HashMap;
use std::sync::OnceLock;

const TEXT: &str = include_str!("../../../../schemas/kubernetes.jsonl");

/// One line: a definition from one version on.
#[derive(Clone, Copy)]
struct Line<'a> {
    name: &'a str,
    since: Version,
    removed: bool,
    /// Group, version, kind, for what is a kind.
    kind: Option<(&'a str, &'a str, &'a str)>,
    namespaced: bool,
    json: &'a str,
}

/// The definitions as one version of Kubernetes has them.
pub(crate) struct Builtin {
    definitions: HashMap<&'static str, &'static Line<'static>>,
    kinds: HashMap<(&'static str, &'static str, &'static str), &'static Line<'static>>,
}

/// All lines, sorted by name, then version.
fn lines() -> &'static [Line<'static>] {
    static LINES: OnceLock<Vec<Line<'static>>> = OnceLock::new();
    LINES.get_or_init(|| TEXT.lines().filter_map(line).collect())
}

/// Reads the head of a line; the schema behind it is read when it is needed.
fn line(json: &'static str) -> Option<Line<'static>> {
    let (name, rest) = json.strip_prefix("{\"name\":\"")?.split_once('"')?;
    let (since, rest) = rest.strip_prefix(",\"since\":\"")?.split_once('"')?;
    let kind = rest.strip_prefix(",\"kind\":[").and_then(|rest| {
        let (kind, rest) = rest.split_once(']')?;
        let mut parts = kind.split(',').map(|part| part.trim_matches('"'));
        Some(((parts.next()?, parts.next()?, parts.next()?), rest.starts_with(",\"namespaced\":true")))
    });
    Some(Line {
        name,
        since: since.parse().ok()?,
        removed: rest.starts_with(",\"removed\":true"),
        kind: kind.map(|(kind, _)| kind),
        namespaced: kind.is_some_and(|(_, namespaced)| namespaced),
        json,
    })
}

/// The versions of Kubernetes that the schemas cover, oldest and newest.
pub(crate) fn versions() -> (Version, Version) {
    static VERSIONS: OnceLock<(Version, Version)> = OnceLock::new();
    *VERSIONS.get_or_init(|| {
        let all = || lines().iter().map(|line| line.since);
        (all().min().unwrap_or_default(), all().max().unwrap_or_default())
    })
}

impl Builtin {
    /// The definitions of one version.
    pub(crate) fn new(version: Version) -> Self {
        let mut definitions = HashMap::new();
        for line in lines().iter().filter(|line| line.since <= version) {
            if line.removed {
                definitions.remove(line.name);
            } else {
                definitions.insert(line.name, line);
            }
        }
        let kinds = definitions.values().filter_map(|line| Some((line.kind?, *line))).collect();
        Self { definitions, kinds }
    }

    /// The schema text of a definition.
    pub(super) fn definition(&self, name: &str) -> Option<&'static str> {
        self.definitions.get(name).map(|line| line.json)
    }

    /// The definition of a kind, and whether its objects live in namespaces.
    pub(super) fn kind(&self, gvk: (&str, &str, &str)) -> Option<(&'static str, bool)> {
        self.kinds.get(&gvk).map(|line| (line.name, line.namespaced))
    }

    /// Every kind, as group, version and kind.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        self.kinds.keys().copied()
    }
}

/// Every definition that requires fields, with the list of them as it is written; once for each version of it.
#[cfg(test)]
pub(super) fn required() -> impl Iterator<Item = (&'static str, &'static str)> {
    lines().iter().filter_map(|line| {
        let (_, rest) = line.json.split_once("\"required\":[")?;
        Some((line.name, rest.split_once(']')?.0))
    })
}
