//! Schemas: what fields an object of a kind may have, and of what type.
//!
//! - [`model`]: what a schema is.
//! - [`builtin`]: those of Kubernetes itself, per version, from `schemas/kubernetes.jsonl`.
//! - [`custom`]: those that CustomResourceDefinitions hold; [`shipped`]: those that come with Vigil.
//! - [`lifecycle`] and [`served`]: whether an API server has a kind at all.
//! - [`compile`]: JSON to a schema.
//! - [`pattern`]: Go's regular expressions.
//! - [`cel`]: what a definition asks for in CEL; [`typing`]: the types of that.
//! - [`validate`]: an object against its schema.

pub(crate) mod builtin;
pub(crate) mod cel;
pub(crate) mod compile;
pub(crate) mod custom;
pub(crate) mod expression;
pub(crate) mod formats;
mod leniency;
pub(crate) mod lifecycle;
pub(crate) mod model;
pub(crate) mod pattern;
pub(crate) mod served;
pub(crate) mod shipped;
pub(crate) mod typing;
pub(crate) mod validate;

use crate::rule::Rule;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [validate::RULES, cel::RULES, served::RULES].concat()
}
