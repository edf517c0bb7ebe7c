//! Vigil: one `stack.yaml` in, a complete and checked Kubernetes monitoring stack as plain manifests out.
//!
//! The library holds what the program carries: the templates, the JSON schemas of `stack.yaml` and `clusters.yaml`, the
//! runbooks and the tables of differences from the upstream charts. The work is done by the crates below `crates/`.

pub mod checks;
pub mod size;

use std::sync::LazyLock;
use vigil_render::Templates;

/// The JSON schema of `stack.yaml`, for editors.
pub const STACK_SCHEMA: &str = include_str!("../stack.schema.json");

/// The JSON schema of `clusters.yaml`, likewise.
pub const CLUSTERS_SCHEMA: &str = include_str!("../clusters.schema.json");

/// The templates that this build carries.
pub static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| Templates::new(TEMPLATE_TEXTS.iter().copied()));

const TEMPLATE_TEXTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// What each alert means, and how to look and mend: (alert, text) of `docs/runbooks/`.
pub const RUNBOOKS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

/// `alert NAME` and `dashboard TITLE` of all that a stack may have, as [`vigil_parity`] calls them.
pub fn alerts_and_dashboards() -> impl Iterator<Item = String> {
    let alerts = RUNBOOKS.iter().map(|(name, _)| format!("alert {name}"));
    alerts.chain(TEMPLATES.titles().map(|title| format!("dashboard {title}")))
}

/// The tables of what this stack does otherwise than the upstream charts, and why: (file, text) of `docs/upstream/`.
pub const DIFFERENCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/differences.rs"));
