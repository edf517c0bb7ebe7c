//! What objects say of each other: one module for each sort of reference.

use crate::finding::Findings;
use crate::rule::Rule;
use crate::set::Set;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    Vec::new()
}

/// Follows every reference in the set.
pub(crate) fn check(_set: &Set<'_>, _findings: &mut Findings) {}
