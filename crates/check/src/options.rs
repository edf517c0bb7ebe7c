//! What to check, and for whom.

use crate::memory::Memory;
use crate::schema::builtin::versions;
use crate::version::Version;
use std::collections::HashMap;
use std::sync::Arc;
use vigil_yaml::{Place, Problem, Source};

/// What to check, and for whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// The versions of Kubernetes that shall take the objects; at least one of those in [`crate::versions`].
    pub kubernetes: Vec<Version>,
    /// The namespace of objects that name none, as `kubectl --namespace`.
    pub namespace: String,
    /// Judge each object by itself.
    pub objects_only: bool,
    /// Kinds that may go without a schema, as `Kind` or `group/version/Kind`.
    pub allowed_kinds: Vec<String>,
    /// Texts with CustomResourceDefinitions that are no part of what is checked.
    pub definitions: Vec<Arc<Source>>,
    /// A stack says what the cluster provides: help may name its keys.
    pub has_stack: bool,
    /// Objects that the cluster provides besides those that every cluster has.
    pub provided: Vec<Provided>,
    /// Rules that an object may break; besides these, objects have annotations that say so.
    pub waivers: Vec<Waiver>,
    /// What of the input could not be read, and why: told as findings, and no references are followed then.
    pub unread: Vec<Problem>,
    /// The templates that texts were rendered from, by the names of the texts; findings in them say so.
    pub templates: HashMap<String, Arc<str>>,
    /// What the checks of other sets have left, where there are many.
    pub memory: Option<Arc<Memory>>,
}

impl Options {
    /// What to do where the cluster has an object already that a finding of `rule` misses.
    pub(crate) fn says_provided(&self, object: &str, rule: &str) -> String {
        if self.has_stack {
            format!("if the cluster has it already, list `{object}` under `checks.provided` in stack.yaml")
        } else {
            format!("if the cluster has it already, say so with an annotation here, `waive.vigil/{rule}: …`")
        }
    }
}

/// The word that an object may break a rule.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// The rule's name.
    pub rule: String,
    /// The object, as findings call it: `Deployment mymonitoring/grafana`.
    pub object: String,
    /// Why it may.
    pub reason: String,
    /// Where the rule is named.
    pub rule_place: Place,
    /// Where the object is named.
    pub object_place: Place,
}

/// An object that is in the cluster without being in the checked set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provided {
    /// The kind.
    pub kind: String,
    /// Its namespace; empty for any.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Default for Options {
    /// The newest Kubernetes, everything checked.
    fn default() -> Self {
        Self {
            kubernetes: vec![versions().1],
            namespace: "default".to_owned(),
            objects_only: false,
            allowed_kinds: Vec::new(),
            definitions: Vec::new(),
            has_stack: false,
            provided: Vec::new(),
            waivers: Vec::new(),
            unread: Vec::new(),
            templates: HashMap::new(),
            memory: None,
        }
    }
}
