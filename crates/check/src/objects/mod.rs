//! What an API server refuses although the schema lets it pass: one module for each sort of object.
//!
//! [`judge`], [`names`], [`address`] and [`quantity`] are what they share.

mod address;
mod admission;
mod config;
mod definitions;
mod judge;
mod limits;
mod names;
mod networking;
mod quantity;
mod rbac;
mod scaling;
mod services;
mod storage;
mod structural;

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
        scaling::RULES,
        limits::RULES,
        storage::RULES,
        admission::RULES,
        definitions::RULES,
        structural::RULES,
    ]
    .concat()
}

/// Judges one object by itself.
pub(crate) fn check(object: &Object<'_>, findings: &mut Findings) {
    services::check(object, findings);
    config::check(object, findings);
    rbac::check(object, findings);
    networking::check(object, findings);
    scaling::check(object, findings);
    limits::check(object, findings);
    storage::check(object, findings);
    admission::check(object, findings);
    definitions::check(object, findings);
}
