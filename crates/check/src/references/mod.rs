//! What objects say of each other: one module for each sort of reference.

mod monitoring;

use crate::finding::Findings;
use crate::rule::Rule;
use crate::set::Set;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [monitoring::RULES].concat()
}

/// Follows every reference in the set.
pub(crate) fn check(set: &Set<'_>, findings: &mut Findings) {
    monitoring::check(set, findings);
}
