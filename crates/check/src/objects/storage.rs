//! Volumes and their classes; claims to them are judged by [`claims`].

use super::claims;
use super::judge::Judge;
use crate::fields::{amount, entries, given, items};
use crate::rule::rules;
use vigil_forms::name::is_qualified_name;
use vigil_yaml::{Node, Quoted};

rules! {
    VOLUME "persistent-volume" Error Server "every PersistentVolume has a capacity, access modes and exactly one source"
    DRIVER "csi-driver" Error Server "every CSIDriver has known modes"
    CLASS "storage-class" Error Server "every StorageClass has a provisioner and known modes"
}

/// Everything that a PersistentVolume can be made of.
const SOURCES: [&str; 22] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    match (object.group, object.kind) {
        ("", "PersistentVolumeClaim") => claims::check(judge, object.node),
        ("", "PersistentVolume") => match given(object.node, "spec") {
            Some(spec) => volume(judge, spec),
            None => {
                judge.need(&VOLUME, object.node, "spec");
            }
        },
        ("storage.k8s.io", "StorageClass") => class(judge),
        ("storage.k8s.io", "CSIDriver") => {
            let modes = items(object.node, ["spec", "volumeLifecycleModes"]);
            judge.each_of(&DRIVER, modes, &["Persistent", "Ephemeral"]);
            judge.set_to_one_of(
                &DRIVER,
                object.at(&["spec", "fsGroupPolicy"]),
                &["ReadWriteOnceWithFSType", "File", "None"],
            );
        }
        _ => {}
    }
}

fn volume(judge: &mut Judge<'_, '_>, spec: &Node) {
    claims::access(judge, &VOLUME, spec);
    if let Some(size) = spec.at(&["capacity", "storage"]).filter(|node| !node.is_null()) {
        if amount(size).is_some_and(|amount| amount <= 0) {
            judge.add(&VOLUME, size, "a size of nothing").label("expected more than 0");
        }
    } else {
        let at = spec.get("capacity").unwrap_or(spec);
        judge.within(&VOLUME, at, "a volume without a size").label("expected `capacity.storage`");
    }
    for entry in entries(spec, "capacity") {
        if entry.key.text != "storage" {
            judge.add(&VOLUME, entry, format!("a volume has no {}", Quoted(&entry.key.text))).help("remove it");
        }
    }
    judge.one_of(&VOLUME, spec.get("persistentVolumeReclaimPolicy"), &["Retain", "Delete", "Recycle"]);
    let mut sources = SOURCES.iter().filter_map(|key| spec.entry(key)).filter(|entry| !entry.value.is_null());
    match (sources.next(), sources.next()) {
        (None, _) => {
            judge
                .within(&VOLUME, spec, "a PersistentVolume without a source")
                .label("expected what it is made of, such as `csi`, `nfs`, `local` or `hostPath`");
        }
        (_, Some(second)) => {
            judge.add(&VOLUME, second, "a volume in two places").help("keep one of them");
        }
        _ => {}
    }
    let affinity = items(spec, ["nodeAffinity", "required", "nodeSelectorTerms"]);
    if let Some(entry) = spec.entry("local").filter(|entry| !entry.value.is_null() && affinity.is_empty()) {
        judge
            .add(&VOLUME, entry, "a local volume of no node")
            .label("expected `nodeAffinity.required` beside it")
            .help("name the node that has it");
    }
}

fn class(judge: &mut Judge<'_, '_>) {
    let node = judge.object.node;
    if let Some((at, text)) = node.get("provisioner").and_then(|at| Some((at, at.text()?))) {
        if text.is_empty() {
            judge.need(&CLASS, node, "provisioner");
        } else if !is_qualified_name(&text.to_lowercase()) {
            judge
                .add(&CLASS, at, format!("{} does not name a provisioner", Quoted(text)))
                .label("expected such as `csi.example.com` or `kubernetes.io/no-provisioner`");
        }
    }
    judge.one_of(&CLASS, node.get("reclaimPolicy"), &["Delete", "Retain"]);
    judge.set_to_one_of(&CLASS, node.get("volumeBindingMode"), &["Immediate", "WaitForFirstConsumer"]);
}
