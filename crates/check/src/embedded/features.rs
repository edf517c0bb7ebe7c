//! What queries need of the Prometheus that evaluates them: a release, or a feature flag.

use super::configuration::version_of;
use super::query::{Parsing, Query};
use crate::fields::{items, text};
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::rules;
use crate::set::Set;
use vigil_promql::{Need, Release};
use vigil_yaml::{Node, Quoted};

rules! {
    FEATURE "query-feature" Error Program "every query is one that the release and the feature flags of Prometheus allow"
}

/// A Prometheus that evaluates rules and answers panels.
#[derive(Debug)]
pub(super) struct Prometheus<'a> {
    name: &'a str,
    release: Release,
    flags: Vec<&'a str>,
}

impl<'a> Prometheus<'a> {
    /// All that the operator runs; `None` when there is none, or the release of one is not known.
    pub(super) fn all(set: &Set<'a>) -> Option<Vec<Self>> {
        let of = |owner: &Object<'a>| {
            let (major, minor) = version_of(owner)?;
            let release = Release(major.try_into().ok()?, minor.try_into().ok()?);
            let listed = items(owner.node, ["spec", "enableFeatures"]).iter().filter_map(Node::text);
            let arguments = items(owner.node, ["spec", "additionalArgs"]).iter();
            let arguments = arguments.filter(|argument| text(argument, "name") == Some("enable-feature"));
            let arguments = arguments.filter_map(|argument| text(argument, "value"));
            Some(Self {
                name: owner.name,
                release,
                flags: listed.chain(arguments).flat_map(|it| it.split(',')).collect(),
            })
        };
        let all: Option<Vec<_>> = set.of_kind(MONITORING, "Prometheus").map(of).collect();
        all.filter(|all| !all.is_empty())
    }

    fn meets(&self, need: &Need) -> bool {
        need.is_met(self.release, |flag| self.flags.contains(&flag))
    }
}

/// The first release that takes any text for the name of a metric or a label, unless it is told otherwise.
const ANY_NAME: Release = Release(3, 0);

/// Whether names hold only letters, digits and `_` to every Prometheus of the set: `LegacyValidation` of
/// github.com/prometheus/common 0.67.
pub(super) fn are_names_plain(set: &Set<'_>) -> bool {
    let is_told = |owner: &Object<'_>| text(owner.node, ["spec", "nameValidationScheme"]) == Some("Legacy");
    Prometheus::all(set).is_some_and(|all| {
        let owners = set.of_kind(MONITORING, "Prometheus");
        all.iter().zip(owners).all(|(prometheus, owner)| prometheus.release < ANY_NAME || is_told(owner))
    })
}

/// Judges all queries of rules and dashboards of the set. One that any Prometheus of it takes may be for that one.
pub(super) fn check(all: &[Prometheus<'_>], queries: &[Query<'_, '_>], parsing: &Parsing<'_>, findings: &mut Findings) {
    for query in queries {
        let Some(parsed) = parsing.of(query) else { continue };
        let unmet = |need: &&Need| !all.iter().any(|prometheus| prometheus.meets(need));
        let Some(need) = parsed.needs.iter().find(unmet) else { continue };
        let Prometheus { name, release, .. } = &all[0];
        let known = need.since.is_none_or(|since| *release >= since);
        let (message, help) = if let Some(since) = need.since.filter(|_| !known) {
            (
                format!("{} is known since Prometheus {since}, and {} runs {release}", need.what, Quoted(name)),
                format!("run Prometheus {since} or newer, or write the query without it"),
            )
        } else if let Some(until) = need.until.filter(|until| release > until) {
            (
                format!("{} is known up to Prometheus {until}, and {} runs {release}", need.what, Quoted(name)),
                "the release notes of Prometheus say what took its place".to_owned(),
            )
        } else {
            let flag = need.flag.map(|(flag, _)| flag).unwrap_or_default();
            (
                format!("{} needs the feature flag `{flag}`, which {} does not have", need.what, Quoted(name)),
                format!("add `{flag}` to `spec.enableFeatures` of the Prometheus, or write the query without it"),
            )
        };
        query.place.add(&FEATURE, query.node, message, findings).help(help);
    }
}
