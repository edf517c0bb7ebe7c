//! What an API server refuses although the schema lets it pass: one module for each sort of object.
//!
//! [`judge`], [`names`] and [`address`] are what they share.

mod address;
mod judge;
mod names;
mod config;
mod networking;
mod rbac;
mod services;

use crate::finding::Findings;
use crate::object::Object;
use crate::rule::Rule;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [
        services::RULES,
        config::RULES,
        rbac::RULES,
        networking::RULES,
    ]
    .concat()
}

/// Judges one object by itself.
pub(crate) fn check(object: &Object<'_>, findings: &mut Findings) {
    services::check(object, findings);
    config::check(object, findings);
    rbac::check(object, findings);
    networking::check(object, findings);
}
