//! Vigil: one `stack.yaml` in, a complete and checked Kubernetes monitoring stack as plain manifests out.
//!
//! The library holds what the build rendered from the committed stack, as constants, and the templates. The work is
//! done by the crates below `crates/`.

pub mod checks;

use std::sync::LazyLock;
use vigil_render::Templates;

/// One object of the set that the committed `stack.yaml` renders to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its file, relative to `manifests/`.
    pub path: &'static str,
    /// `apiVersion`, such as `apps/v1`.
    pub api_version: &'static str,
    /// `kind`, such as `Deployment`.
    pub kind: &'static str,
    /// The namespace; empty for objects that have none.
    pub namespace: &'static str,
    /// The name.
    pub name: &'static str,
    /// The object as canonical YAML.
    pub text: &'static str,
}

/// The objects of the committed stack, by component, file and position in the file.
pub const MANIFESTS: &[Manifest] = include!(concat!(env!("OUT_DIR"), "/manifests.rs"));

/// The JSON schema of `stack.yaml`, for editors.
pub const STACK_SCHEMA: &str = include_str!("../stack.schema.json");

/// The templates that this build carries.
pub static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| Templates::new(TEMPLATE_TEXTS.iter().copied()));

const TEMPLATE_TEXTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The tables of what this stack does otherwise than the upstream charts, and why: (file, text) of `docs/upstream/`.
pub const DIFFERENCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/differences.rs"));
