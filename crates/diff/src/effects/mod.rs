//! What the differences between two sets do, one concern per module.

mod alerting;
mod collectors;
mod data;
mod exposure;
mod objects;
mod pods;
mod ports;
mod rights;
pub(crate) mod totals;

use crate::change::Change;
use crate::effect::{Class, Effect};
use crate::immutable;
use crate::object::Identity;
use crate::{Changed, Options, Set};
use serde_json::Value;

/// The two sets.
pub(crate) struct Sets<'a> {
    pub(crate) before: &'a Set<'a>,
    pub(crate) after: &'a Set<'a>,
}

/// An object in both sets, and what differs.
pub(crate) struct Edit<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) before: &'a Value,
    pub(crate) after: &'a Value,
    pub(crate) changes: &'a [Change],
}

impl<'a> Edit<'a> {
    /// The changes that mean something.
    pub(crate) fn real(&self) -> impl Iterator<Item = &'a Change> + use<'a> {
        self.changes.iter().filter(|change| !change.is_equivalent)
    }
}

/// Effects, and which changes they are told of.
#[derive(Default)]
pub(crate) struct Effects<'a> {
    list: Vec<Effect>,
    told: Vec<&'a Change>,
}

impl<'a> Effects<'a> {
    /// Adds an effect of an object as a whole.
    pub(crate) fn add(&mut self, effect: Effect) {
        self.list.push(effect);
    }

    /// Adds the effect of some changes.
    pub(crate) fn of(&mut self, effect: Effect, changes: impl IntoIterator<Item = &'a Change>) {
        let changes: Vec<_> = changes.into_iter().collect();
        self.told.extend(changes.iter().copied());
        self.list.push(effect.because(changes));
    }

    /// Adds an effect that says of some changes all there is to say.
    pub(crate) fn instead_of(&mut self, effect: Effect, changes: impl IntoIterator<Item = &'a Change>) {
        self.told.extend(changes);
        self.list.push(effect);
    }

    /// Of some changes those that no effect tells of: of a file that is told of in part its other fields.
    fn untold(&self, changes: &'a [Change]) -> Vec<&'a Change> {
        let mut all = Vec::new();
        for change in changes.iter().filter(|change| !self.is_told(change)) {
            if change.inside.iter().any(|inner| self.is_told(inner)) {
                all.extend(change.inside.iter().filter(|inner| !inner.is_equivalent && !self.is_told(inner)));
            } else {
                all.push(change);
            }
        }
        all
    }

    fn is_told(&self, change: &Change) -> bool {
        self.told.iter().any(|told| std::ptr::eq(*told, change))
    }
}

/// All effects, the worst first.
pub(crate) fn effects(sets: &Sets<'_>, changed: &[Changed], options: Options) -> Vec<Effect> {
    let mut effects = Effects::default();
    let replaced = pods::replaced(sets, changed);
    let alerts = alerting::Alerts::of(sets);
    for Changed { object, changes } in changed {
        let edit = Edit { identity: object, before: sets.before[object], after: sets.after[object], changes };
        for refusal in immutable::refusals(object, edit.before, edit.after, changes, options.minor) {
            let mut effect = Effect::new(Class::Refused, object, refusal.why);
            effect.commands = refusal.commands;
            effects.of(effect, refusal.changes);
        }
        pods::of(&edit, &replaced, &mut effects);
        data::of(&edit, &mut effects);
        rights::of(object, Some(&edit), sets, &mut effects);
        exposure::of(object, Some(edit.before), edit.after, changes, &mut effects);
        alerting::of(&edit, &alerts, &mut effects);
        objects::rest(&edit, sets, &replaced, &mut effects);
    }
    for (identity, object) in sets.after.iter().filter(|(identity, _)| !sets.before.contains_key(identity)) {
        rights::of(identity, None, sets, &mut effects);
        exposure::of(identity, None, object, &[], &mut effects);
        objects::new(identity, object, &mut effects);
    }
    for (identity, object) in sets.before.iter().filter(|(identity, _)| !sets.after.contains_key(identity)) {
        objects::gone(identity, object, &mut effects);
    }
    alerts.moved(sets, &mut effects);
    ports::taken(sets, &mut effects);
    collectors::read_again(sets, &mut effects);
    data::lost_periods(sets, &mut effects);
    let mut list = effects.list;
    list.sort_by(|one, other| (one.class, &one.object).cmp(&(other.class, &other.object)));
    list
}
