//! Whether pods are replaced when their configuration changes.

use super::file::File;
use crate::fields::entries;
use crate::finding::Findings;
use crate::rule::rules;
use crate::world::World;
use crate::world::template::PodTemplate;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

rules! {
    CHECKSUM "config-checksum" Note Nobody "a checksum in a pod template is that of a file that the pods read"
}

/// How annotations with the checksum of a file begin.
const PREFIX: &str = "checksum/";

/// The annotation of pods whose files the stack's own patches changed: it is of the patches.
const PATCHED: &str = "checksum/patched";

/// Judges the pod templates that say of themselves that Vigil wrote them: what others hash is their own matter.
pub(super) fn check(files: &[File<'_>], world: &World<'_>, findings: &mut Findings) {
    let mut sums: HashMap<usize, String> = HashMap::new();
    for object in &world.set.objects {
        let is_ours = object.labels().iter().any(|label| label == ("app.kubernetes.io/managed-by", "vigil"));
        let (Some(template), Some(number)) = (PodTemplate::of(object), world.number(object)) else { continue };
        let Some(metadata) = template.node.get("metadata").filter(|_| is_ours) else { continue };
        let said: Vec<_> =
            entries(metadata, "annotations").iter().filter(|entry| entry.key.text.starts_with(PREFIX)).collect();
        if said.is_empty() || said.iter().any(|entry| entry.key.text == PATCHED) {
            continue;
        }
        let uses: Vec<_> = world.uses.iter().filter(|it| it.number == number).collect();
        let of_pods = |file: &File<'_>| {
            let (group, kind, config) = (file.object.group, file.object.kind, &file.object);
            uses.iter()
                .any(|it| it.of.kind() == (group, kind) && it.name == config.name && it.namespace == config.namespace)
        };
        let read: Vec<usize> = (0..files.len()).filter(|at| of_pods(&files[*at])).collect();
        for entry in said {
            let Some(wanted) = entry.value.text() else { continue };
            let is_it = |at: &usize| *sums.entry(*at).or_insert_with(|| checksum(&files[*at].source.text)) == wanted;
            if read.is_empty() || read.iter().any(is_it) {
                continue;
            }
            findings
                .add(&CHECKSUM, object, &entry.value, format!("`{}` is of no file that the pods read", entry.key.text))
                .label("stays the same when the file changes, and the pods with it")
                .help("run `kubectl rollout restart` after the file is applied, or write its SHA-256 here");
        }
    }
}

fn checksum(text: &str) -> String {
    vigil_forms::hex(Sha256::digest(text))
}
