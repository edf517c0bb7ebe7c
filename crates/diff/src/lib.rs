//! Two sets of Kubernetes objects in, what applying the second over the first does out: from the texts alone, without a
//! cluster. Nothing here touches disk, clock, environment or network.
//!
//! ```text
//! before ─┐           ┌─ change: field by field ─┐
//!         ├─ object ──┤                          ├─ effects ─► Diff ─► report: text, Markdown, HTML, JSON
//! after ──┘           └─ added, gone ────────────┘
//! ```
//!
//! What Kubernetes does is known in one place each: [`immutable`] what an API server refuses, [`defaults`] what it fills
//! in, [`keys`] how it tells items of lists apart, [`workload`] how pods are replaced, [`operator`] what the Prometheus
//! operator makes of its objects.

mod change;
mod defaults;
pub mod demand;
mod effect;
mod effects;
mod embedded;
mod immutable;
mod keys;
mod object;
mod operator;
pub mod report;
mod shown;
mod workload;

pub use change::{Change, Path, Step};
pub use defaults::is_default;
pub use effect::{Class, Effect, Field};
pub use effects::totals::{Pods, Row, Totals};
pub use object::{Identity, read};
pub use workload::Count;

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// What to suppose of the cluster.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The minor version of Kubernetes 1.
    pub minor: u32,
}

/// An object that both sets have, and that differs.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The object.
    pub object: Identity,
    /// The fields, never none.
    pub changes: Vec<Change>,
}

impl Changed {
    /// The operations of RFC 6902 that make the second version of the first.
    pub fn patch(&self) -> Value {
        Value::Array(change::patch(&self.changes))
    }
}

/// What differs between two sets, and what it does.
#[derive(Clone, Debug)]
pub struct Diff {
    /// Objects of both sets that differ.
    pub changed: Vec<Changed>,
    /// Objects of the second set only.
    pub added: Vec<Identity>,
    /// Objects of the first set only.
    pub gone: Vec<Identity>,
    /// What it does, the worst first.
    pub effects: Vec<Effect>,
    /// What the sets ask of a cluster.
    pub totals: Totals,
}

impl Diff {
    /// Whether the sets are the same.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty() && self.gone.is_empty()
    }

    /// Notes that some keys of the stack do what `alone` does, where that is a part of this.
    pub fn caused(&mut self, keys: &[String], alone: &Self) {
        for effect in &mut self.effects {
            let is_same = |other: &Effect| {
                let shares = |field: &Field| effect.fields.iter().any(|own| own.path == field.path);
                (other.class, &other.object) == (effect.class, &effect.object)
                    && (effect.fields.is_empty() || other.fields.is_empty() || other.fields.iter().any(shares))
            };
            if alone.effects.iter().any(is_same) {
                effect.causes.extend_from_slice(keys);
            }
        }
    }

    /// The effects of one class.
    pub fn of(&self, class: Class) -> impl Iterator<Item = &Effect> {
        self.effects.iter().filter(move |effect| effect.class == class)
    }
}

/// The objects of a set.
pub(crate) type Set<'a> = BTreeMap<Identity, &'a Value>;

/// Compares two sets of objects. Lists of objects are opened; what is no object is passed over; of two that are the
/// same object the last one counts, as it does for `kubectl apply`. An object that names no namespace is the one of its kind and
/// name in the other set, if there is one only: it went to the namespace of whoever applied it.
pub fn compare(before: &[Value], after: &[Value], options: Options) -> Diff {
    let (mut before, mut after) = (set(before), set(after));
    place(&mut before, &after);
    place(&mut after, &before);
    let mut edits = Vec::new();
    for (identity, old) in &before {
        let Some(new) = after.get(identity).filter(|new| *new != old) else { continue };
        let changes = change::changes(identity, old, new);
        edits.push(Changed { object: identity.clone(), changes });
    }
    let only = |one: &Set<'_>, other: &Set<'_>| one.keys().filter(|it| !other.contains_key(it)).cloned().collect();
    let (added, gone) = (only(&after, &before), only(&before, &after));
    let effects = effects::effects(&effects::Sets { before: &before, after: &after }, &edits, options);
    Diff { changed: edits, added, gone, effects, totals: effects::totals::totals(&before, &after) }
}

/// Gives objects without a namespace the one of the only object of their kind and name in the other set.
fn place(set: &mut Set<'_>, other: &Set<'_>) {
    let is_lost = |identity: &&Identity| identity.namespace.is_empty() && !other.contains_key(*identity);
    let lost: Vec<Identity> = set.keys().filter(is_lost).cloned().collect();
    if lost.is_empty() {
        return;
    }
    let mut places: HashMap<[&str; 3], Vec<&Identity>> = HashMap::new();
    for place in other.keys() {
        places.entry([&place.kind, &place.group, &place.name]).or_default().push(place);
    }
    for identity in lost {
        let found = places.get(&[identity.kind.as_str(), &identity.group, &identity.name]);
        let Some([place]) = found.map(Vec::as_slice) else { continue };
        if !set.contains_key(place)
            && let Some(object) = set.remove(&identity)
        {
            set.insert((*place).clone(), object);
        }
    }
}

fn set(documents: &[Value]) -> Set<'_> {
    let objects = documents.iter().flat_map(object::flattened);
    objects.filter_map(|object| Some((Identity::of(object)?, object))).collect()
}
