//! What objects say of each other: one module for each sort of reference.

mod pod_security;

use crate::finding::Findings;
use crate::rule::Rule;
use crate::set::Set;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [pod_security::RULES].concat()
}

/// Follows every reference in the set.
pub(crate) fn check(set: &Set<'_>, findings: &mut Findings) {
    pod_security::check(set, findings);
}
