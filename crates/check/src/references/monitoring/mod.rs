//! What the operator's objects say of others: monitors of their targets, and Prometheus of its Alertmanagers and stores.

mod monitors;
mod refused;
mod selection;
mod stores;
mod timeouts;

use crate::finding::Findings;
use crate::object::MONITORING;
use crate::rule::Rule;
use crate::world::World;

/// The rules of all modules.
pub(super) fn rules() -> Vec<&'static Rule> {
    [monitors::RULES, refused::RULES, selection::RULES, timeouts::RULES, stores::RULES].concat()
}

/// Follows the references of all objects of the operator.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    if world.set.objects.iter().any(|object| object.group == MONITORING) {
        monitors::check(world, findings);
        refused::check(world, findings);
        selection::check(world, findings);
        timeouts::check(world, findings);
        stores::check(world, findings);
    }
}
