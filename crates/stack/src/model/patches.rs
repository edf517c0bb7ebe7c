use super::choice;
use crate::origin::Origin;
use crate::units::{DnsLabel, DnsSubdomain, KindName, ObjectName, Pointer};
use serde_json::{Map, Value};
use vigil_yaml::Place;

/// A change of objects for which the stack has no key: by a merge patch or by a JSON patch. It is made when an object is
/// complete, and what it makes of it is checked like all others.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// The objects that it changes; there must be one at least.
    pub target: PatchTarget,
    /// A strategic merge patch, as `kubectl patch` takes it: the fields that shall be otherwise. `null` removes a field. Items of
    /// lists that Kubernetes keeps by a key, such as containers by `name`, are merged, other lists replaced;
    /// `$patch: delete` in an item removes it, `$patch: delete` at the top the whole object. Lists of custom resources are
    /// replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Map<String, Value>>,
    /// A JSON patch (RFC 6902): operations, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json: Vec<Operation>,
    /// Where it stands, once it is read from a text.
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// Which objects a patch changes: those of a kind, and of what else is said.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PatchTarget {
    /// The kind, such as `Deployment`.
    pub kind: KindName,
    /// The API group, such as `apps`; without one, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<DnsSubdomain>,
    /// The namespace; without one, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<DnsLabel>,
    /// The name; without one, any. That of a Job is the one without the checksum at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ObjectName>,
}

/// One operation of a JSON patch.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// What it does.
    pub op: OperationKind,
    /// Where: the keys and list positions on the way, each behind a `/`; `-` is the end of a list. In a key `~1` stands for
    /// `/`, and `~0` for `~`.
    pub path: Pointer,
    /// What is put there, or must be there; for `add`, `replace` and `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Where the value comes from; for `copy` and `move`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Pointer>,
}

choice! {
    /// What an operation of a JSON patch does.
    #[serde(rename_all = "lowercase")]
    pub enum OperationKind {
        /// Puts a value there: a new field, another value of one, or an item before the one at that position.
        Add,
        /// Puts the value of another place there too.
        Copy,
        /// Puts the value of another place there, and removes it here.
        Move,
        /// Removes what is there.
        Remove,
        /// Puts another value in the place of one.
        Replace,
        /// Goes on only if this value is there.
        Test,
    }
}

impl Patch {
    /// Where the text says what stands at a path of keys and positions in this patch; the nearest place above it if it does
    /// not.
    pub fn place(&self, path: &[&str]) -> Place {
        self.origin.place(path)
    }
}
