//! The files that a volume of a pod has when the pod starts, where the set tells.

use super::World;
use super::pods::Pod;
use super::runtime::Keys;
use super::uses::{Used, is_claimed};
use crate::fields::{given, is_set, items, text};
use vigil_yaml::Node;

/// The files of a volume whose contents come from objects.
pub(crate) struct Files<'a> {
    /// Their paths in the volume.
    pub(crate) paths: Vec<&'a str>,
    /// The object whose keys they are, each under its own name; none where keys get other names or sources are mixed.
    pub(crate) of: Option<(Used, &'a str)>,
}

impl Files<'_> {
    /// Whether a path leads to a file, or to a directory that holds one.
    pub(crate) fn have(&self, path: &str) -> bool {
        let wanted = parts(path);
        // Links by which the kubelet exchanges all files at once.
        wanted.first().is_none_or(|first| first.starts_with(".."))
            || self.paths.iter().any(|known| parts(known).starts_with(&wanted))
    }
}

/// The parts of a relative path.
fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

/// The volume of a pod that has this name; none of a StatefulSet's claims, which take the place of such a volume.
pub(crate) fn volume<'a>(pod: &Pod<'a>, name: &str) -> Option<&'a Node> {
    let is_claimed = pod.object.is_some_and(|object| is_claimed(object, name));
    items(pod.spec?, "volumes").iter().find(|volume| !is_claimed && text(volume, "name") == Some(name))
}

/// The mount of a container that a path leads into, the deepest of several: where it is, the path in it, and what it says.
pub(crate) fn mount<'a, 'p>(container: &'a Node, path: &'p str) -> Option<(&'a str, &'p str, &'a Node)> {
    let inside = |mount: &'a Node| {
        let at = text(mount, "mountPath")?;
        let rest = path.strip_prefix(at.trim_end_matches('/'))?;
        (rest.is_empty() || rest.starts_with('/')).then_some((at, rest.trim_start_matches('/'), mount))
    };
    items(container, "volumeMounts").iter().filter_map(inside).max_by_key(|(at, ..)| at.len())
}

impl<'a> World<'a> {
    /// The files of a volume; nothing when it may hold others: those of objects that need not be there, or whose keys
    /// are not known, and those of other kinds of volumes.
    pub(crate) fn files(&self, pod: &Pod<'a>, volume: &'a Node) -> Option<Files<'a>> {
        if let Some(projected) = given(volume, "projected") {
            let mut paths = Vec::new();
            for source in items(projected, "sources") {
                paths.extend(self.source_files(pod, source, "name")?.paths);
            }
            return Some(Files { paths, of: None });
        }
        self.source_files(pod, volume, "secretName")
    }

    /// The files of one source; a Secret is named by `secret`.
    fn source_files(&self, pod: &Pod<'a>, source: &'a Node, secret: &str) -> Option<Files<'a>> {
        for (field, name, of) in [("configMap", "name", Used::ConfigMap), ("secret", secret, Used::Secret)] {
            let Some(source) = given(source, field) else { continue };
            let listed: Vec<&str> = items(source, "items").iter().filter_map(|item| text(item, "path")).collect();
            if !listed.is_empty() {
                return Some(Files { paths: listed, of: None });
            }
            let name = text(source, name).filter(|_| !is_set(source, "optional"))?;
            return match self.keys("", of.kind().1, pod.namespace, name)? {
                Keys::These(paths) => Some(Files { paths, of: Some((of, name)) }),
                Keys::Any => None,
            };
        }
        if let Some(facts) = given(source, "downwardAPI") {
            let paths = items(facts, "items").iter().filter_map(|item| text(item, "path")).collect();
            return Some(Files { paths, of: None });
        }
        let token = given(source, "serviceAccountToken")?;
        Some(Files { paths: vec![text(token, "path")?], of: None })
    }
}
