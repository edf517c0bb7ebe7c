//! Alertmanager's routes and receivers: who is told of what.

use super::file::Where;
use super::syntax::Read;
use crate::fields::items;
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::rules;
use crate::world::World;
use std::collections::{HashMap, HashSet};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    ROUTE "alertmanager-route" Error "every receiver that Alertmanager's routes name exists"
}

/// Judges the configurations of all Alertmanagers, and the operator's AlertmanagerConfigs.
pub(super) fn check(
    read: &[Read<'_, '_>],
    world: &World<'_>,
    operated: &HashMap<(&str, String), Object<'_>>,
    findings: &mut Findings,
) {
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
            Routes {
                place,
                intervals: &["time_intervals", "mute_time_intervals"],
                uses: &["mute_time_intervals", "active_time_intervals"],
            }
            .check(root, findings);
        }
    }
    for object in world.judged(MONITORING, "AlertmanagerConfig") {
        let Some(spec) = object.at(&["spec"]) else { continue };
        Routes {
            place: Where::Object(object),
            intervals: &["muteTimeIntervals", "timeIntervals"],
            uses: &["muteTimeIntervals", "activeTimeIntervals"],
        }
        .check(spec, findings);
    }
}

/// The names of keys, which the operator spells in another way.
struct Routes<'w, 'a> {
    place: Where<'w, 'a>,
    intervals: &'static [&'static str],
    uses: &'static [&'static str],
}

impl Routes<'_, '_> {
    fn check(&self, root: &Node, findings: &mut Findings) {
        let mut receivers = HashSet::new();
        for receiver in items(root, "receivers") {
            let Some(name) = receiver.get("name") else { continue };
            let Some(text) = name.text() else { continue };
            if !receivers.insert(text) {
                self.place.add(&ROUTE, name, format!("a second receiver is called {}", Quoted(text)), findings);
            }
        }
        let intervals = self.intervals.iter().filter_map(|key| root.get(key)).flat_map(Node::items);
        let intervals: HashSet<&str> = intervals.filter_map(|node| node.get("name")?.text()).collect();
        let Some(entry) = root.entry("route") else {
            // A part of a configuration may have none.
            if matches!(self.place, Where::File(..)) && !root.entries().is_empty() {
                self.place
                    .add(&ROUTE, &root.entries()[0], "there is no `route`".to_owned(), findings)
                    .help("add `route:` with a `receiver`");
            }
            return;
        };
        let route = &entry.value;
        if matches!(self.place, Where::File(..)) {
            if route.get("receiver").and_then(Node::text).is_none_or(str::is_empty) {
                self.place
                    .add(&ROUTE, entry, "the first route has no receiver".to_owned(), findings)
                    .label("expected `receiver`");
            }
            for key in ["match", "match_re", "matchers"] {
                if let Some(at) =
                    route.entry(key).filter(|at| !at.value.items().is_empty() || !at.value.entries().is_empty())
                {
                    let message = format!("the first route takes every alert, and has `{key}`");
                    self.place.add(&ROUTE, at, message, findings).help("put what is matched into `routes`");
                }
            }
        }
        self.route(route, &receivers, &intervals, findings);
    }

    fn route(&self, route: &Node, receivers: &HashSet<&str>, intervals: &HashSet<&str>, findings: &mut Findings) {
        if let Some(node) = route.get("receiver")
            && let Some(name) = node.text().filter(|name| !name.is_empty())
        {
            self.known("receiver", name, node, receivers, findings);
        }
        for node in self.uses.iter().filter_map(|key| route.get(key)).flat_map(Node::items) {
            if let Some(name) = node.text() {
                self.known("time interval", name, node, intervals, findings);
            }
        }
        for route in items(route, "routes") {
            self.route(route, receivers, intervals, findings);
        }
    }

    fn known(&self, kind: &str, name: &str, node: &Node, known: &HashSet<&str>, findings: &mut Findings) {
        if known.contains(name) {
            return;
        }
        let mut known: Vec<&str> = known.iter().copied().collect();
        known.sort_unstable();
        let finding = self.place.add(&ROUTE, node, format!("there is no {kind} {}", Quoted(name)), findings);
        if let Some(near) = nearest(name, known.iter().copied()) {
            finding.label(format!("did you mean `{near}`?"));
        } else if !known.is_empty() {
            finding.label(format!("expected {}", list(&known, "or")));
        }
    }
}
