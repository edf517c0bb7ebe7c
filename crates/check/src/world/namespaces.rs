//! Namespaces: which there are, in which something may be that the set does not show, and in which something is
//! looked for.

use super::MANY;
use crate::fields::{is_set, texts};
use crate::object::Object;
use crate::options::Options;
use std::collections::HashSet;
use vigil_yaml::Quoted;
use vigil_yaml::words::nearest;

/// The label with its name that every namespace has.
pub(crate) const NAME: &str = "kubernetes.io/metadata.name";

/// Kinds that answer, or whose pods do.
const ANSWERING: [&str; 5] = ["Service", "Pod", "Deployment", "DaemonSet", "StatefulSet"];

/// What is known of namespaces.
#[derive(Debug)]
pub(crate) struct Namespaces<'a> {
    /// Those that the set speaks of.
    known: HashSet<&'a str>,
    /// Those that the set makes or has objects in.
    held: HashSet<&'a str>,
    /// Those in which something may be that the set does not show.
    open: HashSet<&'a str>,
    /// A provided object is in every namespace.
    all_open: bool,
}

impl<'a> Namespaces<'a> {
    /// Those of every cluster, and what the caller says of others.
    pub(crate) fn new(options: &'a Options) -> Self {
        let provided = || options.provided.iter().filter(|provided| ANSWERING.contains(&provided.kind.as_str()));
        let named = provided().map(|provided| provided.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        Self {
            known: HashSet::from(["default", "kube-system"]),
            held: HashSet::new(),
            open: named.collect(),
            all_open: provided().any(|provided| provided.namespace.is_empty()),
        }
    }

    /// Adds what an object says. `open` tells that it may make others in its namespace.
    pub(crate) fn add(&mut self, object: &Object<'a>, open: bool) {
        let namespace = if object.is("", "Namespace") { object.name } else { object.namespace };
        if !namespace.is_empty() {
            self.known.insert(namespace);
            self.held.insert(namespace);
        }
        if open {
            self.open.insert(object.namespace);
        }
    }

    /// Whether the set speaks of a namespace.
    pub(crate) fn is_known(&self, namespace: &str) -> bool {
        self.known.contains(namespace)
    }

    /// Whether the set holds nothing of a namespace, nor of one that is spelt like it: what is looked for there comes with
    /// other manifests than these.
    pub(crate) fn is_beyond(&self, namespace: &str) -> bool {
        let held = || self.held.iter().copied().take(MANY);
        !namespace.is_empty()
            && !self.held.contains(namespace)
            && nearest(namespace, held().collect::<Vec<_>>()).is_none()
    }

    /// Whether there may be more in one of these namespaces than the set shows.
    pub(crate) fn is_open(&self, scope: &Scope<'_>) -> bool {
        self.all_open
            || match scope {
                Scope::All => !self.open.is_empty(),
                Scope::These(names) => names.iter().any(|name| self.open.contains(name)),
            }
    }
}

/// In which namespaces something is looked for.
#[derive(Clone, Debug)]
pub(crate) enum Scope<'a> {
    All,
    These(Vec<&'a str>),
}

impl<'a> Scope<'a> {
    /// The `namespaceSelector` of a monitor.
    pub(crate) fn of_monitor(object: &Object<'a>) -> Self {
        let at = |key| ["spec", "namespaceSelector", key];
        if is_set(object.node, at("any")) {
            return Self::All;
        }
        let names: Vec<_> = texts(object.node, at("matchNames")).collect();
        Self::These(if names.is_empty() { vec![object.namespace] } else { names })
    }

    /// Whether a namespace is one of them.
    pub(crate) fn contains(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(&namespace),
        }
    }

    /// As a message says it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::All => "any namespace".to_owned(),
            Self::These(names) if names.len() == 1 => format!("namespace {}", Quoted(names[0])),
            Self::These(names) => format!("the namespaces {}", vigil_yaml::words::list(names, "and")),
        }
    }
}
