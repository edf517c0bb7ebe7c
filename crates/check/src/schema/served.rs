//! What keeps an API server from serving a kind, now or soon.

use super::builtin::Builtin;
use super::lifecycle::{self, Lifecycle};
use crate::finding::Findings;
use crate::object::Object;
use crate::options::Options;
use crate::rule::{Rule, rules};
use crate::version::Version;
use std::fmt::Write as _;
use vigil_yaml::Quoted;
use vigil_yaml::words::{list, nearest};

rules! {
    UNKNOWN_KIND "kind-unknown" Error Kubectl "every `kind` is known: built in, or defined by a CustomResourceDefinition"
    DISABLED "api-disabled" Error Server "no `apiVersion` is one that API servers do not serve by default"
    REMOVED "api-removed" Error Server "every `apiVersion` is served by the Kubernetes versions asked for"
    DEPRECATED "api-deprecated" Warning Server "no `apiVersion` is deprecated in the Kubernetes versions asked for"
}

/// What keeps an API server from serving a kind, now or soon; the same for all its objects.
pub(crate) struct Unserved {
    rule: &'static Rule,
    /// The key whose value is wrong.
    key: &'static str,
    message: String,
    label: Option<String>,
    help: String,
}

impl Unserved {
    /// Says it of an object.
    pub(crate) fn tell(&self, object: &Object<'_>, findings: &mut Findings) {
        let Some(value) = object.node.get(self.key) else { return };
        let finding = findings.add(self.rule, object, value, self.message.clone());
        finding.help(self.help.clone()).label.clone_from(&self.label);
    }
}

/// Whose kind one is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Defined by a CustomResourceDefinition.
    Custom,
    /// Kubernetes' own.
    Builtin,
    Not,
}

/// Whether a version of Kubernetes' own is one that API servers serve only where they are told to: since 1.24, every
/// new alpha and beta. Of those from before, one outlived 1.28.
fn is_off(object: &Object<'_>) -> bool {
    let is_unstable = object.version.contains("alpha") || object.version.contains("beta");
    is_unstable && (object.group, object.version) != ("flowcontrol.apiserver.k8s.io", "v1beta3")
}

/// The stable version of a kind, if there is one.
fn stable(object: &Object<'_>, builtin: &Builtin) -> Option<String> {
    builtin
        .kinds()
        .filter(|(group, version, kind)| {
            (*group, *kind) == (object.group, object.kind) && !version.contains("alpha") && !version.contains("beta")
        })
        .map(|(group, version, _)| format!("{group}/{version}"))
        .max()
}

/// What keeps `version` from serving the kind of `object`, now or soon.
pub(crate) fn unserved(
    object: &Object<'_>,
    version: Version,
    known: Known,
    options: &Options,
    builtin: &Builtin,
) -> Option<Unserved> {
    let full = format!("{}/{}", object.api_version(), object.kind);
    let is_allowed = options.allowed_kinds.iter().any(|allowed| *allowed == object.kind || *allowed == full);
    let lifecycle = lifecycle::of(object.group, object.version, object.kind);
    if known == Known::Builtin && !is_allowed && is_off(object) {
        return Some(disabled(object, version, &full, builtin));
    }
    if known != Known::Not {
        return lifecycle.and_then(|lifecycle| deprecated(object, version, lifecycle));
    }
    let gone = lifecycle.and_then(|lifecycle| removed(object, version, lifecycle));
    gone.or_else(|| (!is_allowed).then(|| unknown(object, version, builtin)))
}

/// An alpha or beta version, which servers leave out.
fn disabled(object: &Object<'_>, version: Version, full: &str, builtin: &Builtin) -> Unserved {
    let api = object.api_version();
    Unserved {
        rule: &DISABLED,
        key: "apiVersion",
        message: format!("Kubernetes {version} serves {} of `{api}` only where it is switched on", object.kind),
        label: stable(object, builtin).map(|stable| format!("expected `{stable}`")),
        help: format!(
            "API servers leave alpha and beta versions out; with `--runtime-config={api}=true` in the cluster, \
             check with `--allow-kind {full}`"
        ),
    }
}

/// A version that is served, and shall not be for ever.
fn deprecated(object: &Object<'_>, version: Version, lifecycle: &Lifecycle) -> Option<Unserved> {
    lifecycle.deprecated.filter(|since| *since <= version)?;
    let mut message = format!("{} of `{}` is deprecated", object.kind, object.api_version());
    if let Some(removed) = lifecycle.removed {
        // Writing to a String cannot fail.
        let _ = write!(message, " and will be gone with Kubernetes {removed}");
    }
    Some(Unserved { rule: &DEPRECATED, key: "apiVersion", message, label: None, help: lifecycle.remedy() })
}

/// A version that was served once.
fn removed(object: &Object<'_>, version: Version, lifecycle: &Lifecycle) -> Option<Unserved> {
    let removed = lifecycle.removed.filter(|since| *since <= version)?;
    let message = format!("{} of `{}` is gone since Kubernetes {removed}", object.kind, object.api_version());
    Some(Unserved { rule: &REMOVED, key: "apiVersion", message, label: None, help: lifecycle.remedy() })
}

/// A kind that there is not: the same kind elsewhere may be meant, or the same API version with a kind that looks like it.
fn unknown(object: &Object<'_>, version: Version, builtin: &Builtin) -> Unserved {
    let mut versions: Vec<String> = builtin
        .kinds()
        .filter(|(_, _, kind)| *kind == object.kind)
        .map(|(group, version, _)| if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") })
        .collect();
    versions.sort_unstable();
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    let mut siblings: Vec<&str> = builtin
        .kinds()
        .filter(|(group, version, _)| (*group, *version) == (object.group, object.version))
        .map(|(_, _, kind)| kind)
        .collect();
    siblings.sort_unstable();
    let label = if versions.is_empty() {
        nearest(object.kind, siblings).map(|kind| format!("did you mean `{kind}`?"))
    } else {
        Some(format!("did you mean {}?", list(&versions, "or")))
    };
    let api = object.api_version();
    Unserved {
        rule: &UNKNOWN_KIND,
        key: if versions.is_empty() { "kind" } else { "apiVersion" },
        message: format!("Kubernetes {version} has no kind {} in {}", Quoted(object.kind), Quoted(&api)),
        label,
        help: format!(
            "correct it; if it is a custom resource, add its definition with `--crds`, or let it pass with \
             `--allow-kind {}`",
            object.kind
        ),
    }
}
