//! An object on its way through kustomizations.

use serde_json::{Map, Value, json};

/// Kinds that kustomize knows to be in no namespace; it puts the others into the one that it is told. Source:
/// `precomputedIsNamespaceScoped` of sigs.k8s.io/kustomize/kyaml, which ends with Kubernetes 1.21.
const OF_CLUSTER: [(&str, &[&str]); 10] = [
    ("", &["Namespace", "Node", "PersistentVolume", "ComponentStatus"]),
    ("admissionregistration.k8s.io", &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("certificates.k8s.io", &["CertificateSigningRequest"]),
    ("networking.k8s.io", &["IngressClass"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"]),
];

/// An object, and what kustomize remembers of it.
#[derive(Clone)]
pub(crate) struct Resource {
    pub(crate) value: Value,
    /// What it was called before: it is found by any of its names.
    former: Vec<Id>,
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    /// A hash of its content is still to be added to its name.
    pub(super) is_hashed: bool,
}

/// What kustomize tells objects apart by, without group and version, which stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) kind: String,
    pub(super) name: String,
    /// That of the cluster where it names none; none of what belongs to no namespace.
    pub(super) namespace: Option<String>,
}

/// The namespace of an object that names none.
const DEFAULT: &str = "default";

impl Resource {
    pub(crate) fn new(value: Value) -> Self {
        Self { value, former: Vec::new(), prefixes: Vec::new(), suffixes: Vec::new(), is_hashed: false }
    }

    /// What it is, without what it says.
    pub(super) fn stub(&self) -> Self {
        let metadata = json!({"name": self.name(), "namespace": self.namespace()});
        Self {
            value: json!({"apiVersion": self.api(), "kind": self.kind(), "metadata": metadata}),
            former: self.former.clone(),
            prefixes: self.prefixes.clone(),
            suffixes: self.suffixes.clone(),
            is_hashed: self.is_hashed,
        }
    }

    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn api(&self) -> &str {
        self.text("/apiVersion")
    }

    /// Group and version.
    pub(super) fn group_version(&self) -> (&str, &str) {
        self.api().split_once('/').unwrap_or(("", self.api()))
    }

    pub(super) fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub(super) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// The namespace as it stands there.
    pub(super) fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    pub(super) fn is_of_cluster(&self) -> bool {
        let (group, _) = self.group_version();
        OF_CLUSTER.iter().any(|(of, kinds)| *of == group && kinds.contains(&self.kind()))
    }

    /// What messages call it.
    pub(crate) fn told(&self) -> String {
        format!("{} `{}`", self.kind(), self.name())
    }

    pub(super) fn id(&self) -> Id {
        let namespace = if self.namespace().is_empty() { DEFAULT } else { self.namespace() };
        let namespace = (!self.is_of_cluster()).then(|| namespace.to_owned());
        Id { kind: self.kind().to_owned(), name: self.name().to_owned(), namespace }
    }

    /// What it was called before, the oldest first.
    pub(super) fn former(&self) -> &[Id] {
        &self.former
    }

    /// What it was called at first.
    pub(super) fn original(&self) -> Id {
        self.former.first().cloned().unwrap_or_else(|| self.id())
    }

    /// All that it was and is called.
    pub(super) fn ids(&self) -> impl Iterator<Item = Id> {
        self.former.iter().cloned().chain([self.id()])
    }

    /// Remembers what it is called.
    pub(super) fn remember(&mut self) {
        self.former.push(self.id());
    }

    /// Whether it is or was what another is now.
    pub(super) fn is_or_was(&self, other: &Self) -> bool {
        let id = other.id();
        self.api() == other.api() && self.ids().any(|own| own == id)
    }

    pub(super) fn set_metadata(&mut self, key: &str, value: &str) {
        merge_into(&mut self.value, &["metadata"], &Map::from_iter([(key.to_owned(), value.into())]));
    }

    /// Lets this take the place of `old`, as a generator that merges or replaces does.
    pub(super) fn succeed(&mut self, old: &Self, merges: bool) {
        for key in ["labels", "annotations"] {
            let own = self.value["metadata"].get(key).and_then(Value::as_object).cloned().unwrap_or_default();
            if let Some(theirs) = old.value["metadata"].get(key).filter(|theirs| theirs.is_object()) {
                self.value["metadata"][key] = theirs.clone();
                merge_into(&mut self.value, &["metadata", key], &own);
            }
        }
        let namespace = old.namespace();
        self.set_metadata("name", old.name());
        if !namespace.is_empty() {
            self.set_metadata("namespace", namespace);
        }
        for key in ["data", "binaryData"].into_iter().filter(|_| merges) {
            if let Some(theirs) = old.value.get(key).and_then(Value::as_object) {
                let own = self.value.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
                self.value[key] = theirs.clone().into();
                merge_into(&mut self.value, &[key], &own);
            }
        }
        self.former.clone_from(&old.former);
        self.prefixes.clone_from(&old.prefixes);
        self.suffixes.clone_from(&old.suffixes);
        self.is_hashed &= old.is_hashed;
    }
}

/// Adds entries to the mapping at a path, which is made where it is not there.
pub(super) fn merge_into(value: &mut Value, path: &[&str], added: &Map<String, Value>) {
    let mut here = value;
    for key in path {
        let Some(map) = here.as_object_mut() else { return };
        here = map.entry(*key).or_insert(Value::Null);
        if here.is_null() {
            *here = json!({});
        }
    }
    if let Some(map) = here.as_object_mut() {
        map.extend(added.clone());
    }
}
