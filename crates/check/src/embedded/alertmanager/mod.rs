//! Alertmanager's routes and receivers: who is told of what.
//!
//! Source: `config/config.go` and `config/notifiers.go` of github.com/prometheus/alertmanager 0.30, and
//! `pkg/alertmanager/validation` of prometheus-operator 0.93 for its AlertmanagerConfigs.

mod details;
mod intervals;
mod matchers;
mod namespaces;
mod receivers;
mod routes;

use super::file::{File, Where};
use super::syntax::Read;
use crate::fields::items;
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::rules;
use crate::world::World;
use receivers::Written;
use routes::Routes;
use std::collections::HashMap;
use vigil_yaml::{Node, Quoted};

rules! {
    ROUTE "alertmanager-route" Error Program "every route of Alertmanager is one that it takes, and every receiver that it names exists"
    RECEIVER "alertmanager-receiver" Error Program "every receiver of Alertmanager has the address and the keys that it needs"
    INTERVAL "alertmanager-interval" Error Program "every time interval of Alertmanager is one that it reads"
    DEPRECATED "alertmanager-deprecated" Warning Program "no key of Alertmanager's configuration is deprecated"
    NAMESPACE "alertmanager-config-namespace" Warning Nobody "no AlertmanagerConfig asks for alerts of a namespace that it gets none of"
}

/// Judges the configurations of all Alertmanagers, and the operator's AlertmanagerConfigs.
pub(super) fn check(
    read: &[Read<'_, '_>],
    world: &World<'_>,
    operated: &HashMap<(&str, String), Object<'_>>,
    findings: &mut Findings,
) {
    let mut roots = Vec::new();
    for Read { file, documents } in read {
        let is_operated = || {
            file.object.kind == "Secret"
                && file.name() == "alertmanager.yaml"
                && operated.contains_key(&(file.object.namespace, file.object.name.to_owned()))
        };
        let is_own = || {
            let mut readers = world.readers(&file.object);
            readers.any(|reader| reader.name == "alertmanager" && reader.is_configured_by(file.name()))
        };
        if let [root] = documents.as_slice()
            && (is_operated() || is_own())
        {
            let place = Where::File(file, root);
            Routes { place, intervals: &["time_intervals", "mute_time_intervals"], keys: &routes::FILE }
                .check(root, findings);
            receivers::check(place, root, Written::File, findings);
            intervals::check(place, root, &["time_intervals", "mute_time_intervals"], &intervals::FILE, findings);
            deprecated(place, root, findings);
            roots.push((file, root));
        }
    }
    for object in world.judged(MONITORING, "AlertmanagerConfig") {
        let Some(spec) = object.at(&["spec"]) else { continue };
        let place = Where::Object(object);
        Routes { place, intervals: &["muteTimeIntervals", "timeIntervals"], keys: &routes::OBJECT }
            .check(spec, findings);
        receivers::check(place, spec, Written::Object, findings);
        intervals::check(place, spec, &["muteTimeIntervals", "timeIntervals"], &intervals::OBJECT, findings);
        namespaces::check(world, object, spec, findings);
        let is_owned = |file: &File<'_>| {
            let secret = (file.object.namespace, file.object.name.to_owned());
            operated.get(&secret).is_some_and(|owner| namespaces::adds(world, owner, object))
        };
        if let Some((_, root)) = roots.iter().find(|(file, _)| is_owned(file)) {
            receivers::check_global(place, spec, root, findings);
        }
    }
}

/// Keys of an inhibition, and those that take their place.
const INHIBITED: &[(&str, &str)] = &[
    ("source_match", "source_matchers"),
    ("source_match_re", "source_matchers"),
    ("target_match", "target_matchers"),
    ("target_match_re", "target_matchers"),
];

/// Keys that Alertmanager reads and is going to read no more: those of its documentation's `DEPRECATED`.
fn deprecated(place: Where<'_, '_>, root: &Node, findings: &mut Findings) {
    if let Some(entry) = root.entry("mute_time_intervals") {
        place.add(&DEPRECATED, entry, "`mute_time_intervals` is deprecated", findings).help("write `time_intervals`");
    }
    let mut routes: Vec<&Node> = root.get("route").into_iter().collect();
    while let Some(route) = routes.pop() {
        routes.extend(items(route, "routes"));
        renamed(place, route, &[("match", "matchers"), ("match_re", "matchers")], findings);
    }
    for rule in items(root, "inhibit_rules") {
        renamed(place, rule, INHIBITED, findings);
    }
}

fn renamed(place: Where<'_, '_>, node: &Node, names: &[(&str, &str)], findings: &mut Findings) {
    for (old, new) in names {
        let Some(entry) = node.entry(old).filter(|entry| !entry.value.is_null()) else { continue };
        let operator = if old.ends_with("_re") { "=~" } else { "=" };
        let shown: Vec<String> = entry
            .value
            .entries()
            .iter()
            .filter_map(|label| Some(format!("{}{operator}\"{}\"", label.key.text, label.value.text()?)))
            .collect();
        let finding = place.add(&DEPRECATED, entry, format!("{} is deprecated", Quoted(old)), findings);
        finding.help(if shown.is_empty() {
            format!("write `{new}`")
        } else {
            format!("write {}", Quoted(&format!("{new}: ['{}']", shown.join("', '"))))
        });
    }
}
