//! An object of the API, as it stands in a manifest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::fmt;
use vigil_yaml::{Data, Entry, Node};

/// The API group of the Prometheus operator's kinds.
pub(crate) const MONITORING: &str = "monitoring.coreos.com";

/// The group of the Gateway API.
pub(crate) const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// An object: what it is called, and the tree that says the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a> {
    /// The whole of it: a mapping.
    pub(crate) node: &'a Node,
    /// The group of the API, empty for the core.
    pub(crate) group: &'a str,
    /// The version in the group.
    pub(crate) version: &'a str,
    /// The kind.
    pub(crate) kind: &'a str,
    /// Its name; empty when it has none.
    pub(crate) name: &'a str,
    /// Its namespace, which may come from the command line; empty for what lives in none.
    pub(crate) namespace: &'a str,
    /// The text had mistakes, and some values are missing for that: it can be referred to, and not be judged.
    pub(crate) damaged: bool,
}

impl<'a> Object<'a> {
    /// Whether it is of this kind, whatever the version.
    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// What no other object of a cluster has: group, kind, namespace and name.
    pub(crate) fn identity(&self) -> (&'a str, &'a str, &'a str, &'a str) {
        (self.group, self.kind, self.namespace, self.name)
    }

    /// The value at a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&'a Node> {
        self.node.at(path)
    }

    /// Its `apiVersion`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Where a ConfigMap or Secret has a key, and whether that is in base64: `stringData` wins.
    fn key(&self, key: &str) -> Option<(&'a Entry, bool)> {
        let at = |field: &str| self.node.get(field)?.entry(key);
        let (plain, encoded) = if self.kind == "ConfigMap" { ("data", "binaryData") } else { ("stringData", "data") };
        at(plain).map(|entry| (entry, false)).or_else(|| Some((at(encoded)?, true)))
    }

    /// Whether a ConfigMap or Secret has a key, readable or not.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.key(key).is_some()
    }

    /// What a ConfigMap or Secret has under a key, and where that stands. Nothing for what cannot be read.
    pub(crate) fn held(&self, key: &str) -> Option<(&'a Entry, Cow<'a, [u8]>)> {
        let (entry, is_encoded) = self.key(key)?;
        let text = entry.value.text()?;
        Some((entry, if is_encoded { decoded(text)?.into() } else { text.as_bytes().into() }))
    }

    /// Its labels.
    pub(crate) fn labels(&self) -> Labels<'a> {
        Labels::of(self.at(&["metadata", "labels"]))
    }
}

/// What a text in base64 stands for, as a server reads it.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    STANDARD.decode(text).ok()
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        match (self.namespace, self.name) {
            ("", "") => Ok(()),
            ("", name) => write!(f, " {name}"),
            (namespace, name) => write!(f, " {namespace}/{name}"),
        }
    }
}

/// Labels of an object or a pod template; also the `matchLabels` that want them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Labels<'a> {
    /// As a manifest has them; none where it has no mapping.
    Written(Option<&'a Node>),
    /// Of what no manifest makes.
    Listed(&'a [(&'a str, &'a str)]),
}

impl<'a> Labels<'a> {
    /// The labels that a mapping holds.
    pub(crate) fn of(node: Option<&'a Node>) -> Self {
        Self::Written(node.filter(|node| matches!(node.data, Data::Map(_))))
    }

    /// Keys and values; a value that is no text is passed over, as another rule speaks of it.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (entries, listed) = match self {
            Self::Written(node) => (node.map(Node::entries).unwrap_or_default(), &[][..]),
            Self::Listed(listed) => (&[][..], listed),
        };
        let written = entries.iter().filter_map(|entry| Some((entry.key.text.as_str(), entry.value.text()?)));
        written.chain(listed.iter().copied())
    }

    /// The value of a label.
    pub(crate) fn get(self, key: &str) -> Option<&'a str> {
        match self {
            Self::Written(node) => node?.get(key)?.text(),
            Self::Listed(listed) => listed.iter().find(|(own, _)| *own == key).map(|(_, value)| *value),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(self) -> bool {
        match self {
            Self::Written(node) => node.is_none_or(|node| node.entries().is_empty()),
            Self::Listed(listed) => listed.is_empty(),
        }
    }
}
