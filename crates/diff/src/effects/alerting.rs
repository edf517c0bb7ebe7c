//! Which alerts fire, and who is told of them.

use super::{Edit, Effects, Sets};
use crate::change::{Change, Step};
use crate::effect::{Class, Effect};
use crate::object::{items, text};
use crate::workload::MONITORING;
use crate::{Identity, Set};
use serde_json::Value;
use std::collections::BTreeMap;
use vigil_yaml::words::counted;

/// How many alerts one sentence names.
const NAMED: usize = 8;

/// What a change of rules, or of Alertmanager's configuration does.
pub(super) fn of<'a>(edit: &Edit<'a>, alerts: &Alerts<'_>, effects: &mut Effects<'a>) {
    let identity = edit.identity;
    if identity.is(MONITORING, "PrometheusRule")
        && let Some(says) = alerts.told(identity, false)
    {
        let changes: Vec<_> = edit.real().filter(|change| alerts.is_of_one(change)).collect();
        // An alert that comes or goes is named; of another one the fields tell more.
        let (fields, whole): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.path.0.len() > 5);
        effects.instead_of(
            Effect::new(Class::Alerting, identity, says).because(fields.iter().copied()),
            whole.into_iter().chain(fields.iter().copied()),
        );
    }
    if identity.is(MONITORING, "AlertmanagerConfig") {
        let changes: Vec<_> = edit.real().collect();
        let spec = changes.iter().copied().filter(|change| change.path.begins(&["spec"]));
        told(identity, &changes, spec, 1, effects);
    }
    if identity.is("", "Secret") || identity.is("", "ConfigMap") {
        for change in edit.changes.iter().filter(|change| is_of_alertmanager(change)) {
            told(identity, &[change], change.inside.iter(), 2, effects);
        }
    }
}

/// Whether a file inside of an object is a configuration of Alertmanager that differs.
fn is_of_alertmanager(change: &Change) -> bool {
    let tops = ["route", "receivers", "inhibit_rules", "mute_time_intervals", "time_intervals"];
    let name = change.path.names().last().unwrap_or_default();
    !change.is_equivalent
        && name.starts_with("alertmanager")
        && change.inside.iter().any(|inner| inner.path.names().nth(2).is_some_and(|top| tops.contains(&top)))
}

/// `depth` is how many steps lead to the configuration.
fn told<'a, 'c>(
    identity: &Identity,
    changes: &[&'a Change],
    inner: impl Iterator<Item = &'c Change>,
    depth: usize,
    effects: &mut Effects<'a>,
) {
    let mut receivers: BTreeMap<String, &str> = BTreeMap::new();
    let mut others = Vec::new();
    for change in inner.filter(|change| !change.is_equivalent) {
        match change.path.0.get(depth..) {
            Some([Step::Key(top), Step::Item(name), rest @ ..]) if top == "receivers" => {
                let verb = match (rest.is_empty(), &change.before, &change.after) {
                    (true, None, _) => "is new",
                    (true, _, None) => "is gone: nobody is told by it any more",
                    _ => "is another",
                };
                receivers.insert(name.clone(), verb);
            }
            Some([Step::Key(top), ..]) => others.push(top.as_str()),
            _ => {}
        }
    }
    let mut says: Vec<String> =
        receivers.into_iter().map(|(name, verb)| format!("the receiver `{name}` {verb}")).collect();
    for (top, sentence) in [
        ("route", "alerts take another way to their receivers"),
        ("inhibit", "other alerts keep each other quiet"),
        ("mute", "alerts are muted at other times"),
        ("time", "alerts are muted at other times"),
    ] {
        if others.iter().any(|other| other.starts_with(top)) && !says.iter().any(|known| known == sentence) {
            says.push(sentence.to_owned());
        }
    }
    if !says.is_empty() {
        let says = format!("{}; Alertmanager reloads it, and no pod is replaced", says.join("; "));
        effects.of(Effect::new(Class::Alerting, identity, says), changes.iter().copied());
    }
}

/// An alert of Prometheus: its name and severity.
type Alert = (String, String);

/// The alerts of both sets, with the object that has each.
pub(super) struct Alerts<'a> {
    before: Known<'a>,
    after: Known<'a>,
}

type Known<'a> = BTreeMap<Alert, (&'a Identity, Vec<&'a Value>)>;

/// What decides when an alert fires, and for whom.
const DECIDING: [&str; 4] = ["expr", "for", "keep_firing_for", "labels"];

impl<'a> Alerts<'a> {
    pub(super) fn of(sets: &Sets<'a>) -> Self {
        Self { before: known(sets.before), after: known(sets.after) }
    }

    /// What a change of one object does to the alerts in it, whatever object they were in.
    fn told(&self, identity: &Identity, is_left: bool) -> Option<String> {
        let here = |known: &Known<'a>, alert: &Alert| known.get(alert).is_some_and(|(of, _)| *of == identity);
        let name = |alert: &Alert| alert.0.clone();
        let new = self.after.keys().filter(|it| here(&self.after, it) && !self.before.contains_key(it)).map(name);
        let gone = self.before.keys().filter(|it| here(&self.before, it) && !self.after.contains_key(it)).map(name);
        // They fire on until the object is deleted, which is told of it.
        let no_more = if is_left { "there until the object is deleted" } else { "gone" };
        let mut groups = vec![("new".to_owned(), new.collect()), (no_more.to_owned(), gone.collect::<Vec<_>>())];
        for (alert, (_, rules)) in self.after.iter().filter(|(alert, _)| here(&self.after, alert)) {
            let Some((_, old)) = self.before.get(alert) else { continue };
            let is_other = |key: &&&str| rules.iter().map(|it| it.get(**key)).ne(old.iter().map(|it| it.get(**key)));
            let keys: Vec<_> = DECIDING.iter().filter(is_other).map(|key| format!("`{key}`")).collect();
            if keys.is_empty() {
                continue;
            }
            let verb = format!("changed in {}", keys.join(", "));
            match groups.iter_mut().find(|(known, _)| *known == verb) {
                Some((_, names)) => names.push(name(alert)),
                None => groups.push((verb, vec![name(alert)])),
            }
        }
        let says = groups.into_iter().filter(|(_, names)| !names.is_empty()).map(|(verb, mut names)| {
            names.dedup();
            format!("{} {verb}: {}", counted(names.len(), "alert"), folded(&names))
        });
        Some(says.collect::<Vec<_>>().join("; ")).filter(|says| !says.is_empty())
    }

    /// Whether a change is one of when an alert fires.
    fn is_of_one(&self, change: &Change) -> bool {
        let names: Vec<&str> = change.path.names().collect();
        let ["spec", "groups", _, "rules", rule, rest @ ..] = names.as_slice() else { return false };
        let is_it = |alert: &Alert| {
            rule.strip_prefix(alert.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        rest.first().is_none_or(|key| DECIDING.contains(key)) && self.before.keys().chain(self.after.keys()).any(is_it)
    }

    /// What objects that come or go do to the alerts in them.
    pub(super) fn moved(&self, sets: &Sets<'_>, effects: &mut Effects<'_>) {
        let all = sets.before.keys().chain(sets.after.keys()).filter(|it| it.is(MONITORING, "PrometheusRule"));
        for identity in all.filter(|it| sets.before.contains_key(it) != sets.after.contains_key(it)) {
            if let Some(says) = self.told(identity, !sets.after.contains_key(identity)) {
                effects.add(Effect::new(Class::Alerting, identity, says));
            }
        }
    }
}

/// The alerts of a set.
fn known<'a>(set: &'a Set<'_>) -> Known<'a> {
    let mut all = Known::new();
    for (identity, object) in set.iter().filter(|(identity, _)| identity.is(MONITORING, "PrometheusRule")) {
        for rule in items(object, "/spec/groups").iter().flat_map(|group| items(group, "/rules")) {
            let alert = (text(rule, "/alert").to_owned(), text(rule, "/labels/severity").to_owned());
            if !alert.0.is_empty() {
                all.entry(alert).or_insert_with(|| (identity, Vec::new())).1.push(rule);
            }
        }
    }
    all
}

fn folded(names: &[String]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 | 1 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}
