//! Volumes, claims to them, and their classes.

use super::judge::{Form, Judge, given, items};
use super::names::is_dns1123_subdomain;
use super::quantity::quantity;
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::{Rule, rules};
use vigil_yaml::{Node, Quoted};

rules! {
    CLAIM "volume-claim" Error "every claim to a volume says how it is accessed, and how large it shall be"
    VOLUME "persistent-volume" Error "every PersistentVolume has a size, a way of access and one place where it is"
    CLASS "storage-class" Error "every StorageClass has a provisioner, and words that exist"
}

const NAME: Form = (is_dns1123_subdomain, "the name of a class", "`a-z`, `0-9`, `-` and `.`");
const MODES: &[&str] = &["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

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
pub(super) fn check(object: &Object<'_>, findings: &mut Findings) {
    let mut judge = Judge { object, findings };
    match (object.group, object.kind) {
        ("", "PersistentVolumeClaim") => {
            if let Some(spec) = object.at(&["spec"]) {
                claim(&mut judge, spec);
            }
        }
        // An API server takes these as they are, and no pod ever gets its volume.
        ("apps", "StatefulSet") => {
            let templates = object.at(&["spec", "volumeClaimTemplates"]).map(Node::items).unwrap_or_default();
            for spec in templates.iter().filter_map(|template| given(template, "spec")) {
                claim(&mut judge, spec);
            }
        }
        ("", "PersistentVolume") => {
            if let Some(spec) = object.at(&["spec"]) {
                volume(&mut judge, spec);
            }
        }
        ("storage.k8s.io", "StorageClass") => class(&mut judge),
        _ => {}
    }
}

fn access(judge: &mut Judge<'_, '_>, rule: &'static Rule, spec: &Node) {
    judge.need(rule, spec, "accessModes");
    let modes = items(spec, "accessModes");
    for mode in modes {
        judge.one_of(rule, Some(mode), MODES);
    }
    let is_single = |mode: &&Node| mode.text() == Some("ReadWriteOncePod");
    if let Some(mode) = modes.iter().find(is_single).filter(|_| !modes.iter().all(|mode| is_single(&mode))) {
        judge.add(rule, mode, "`ReadWriteOncePod` beside another mode").help("keep one of them");
    }
    judge.one_of(rule, spec.get("volumeMode"), &["Filesystem", "Block"]);
    judge.form(rule, spec.get("storageClassName"), NAME);
}

fn claim(judge: &mut Judge<'_, '_>, spec: &Node) {
    access(judge, &CLAIM, spec);
    match spec.at(&["resources", "requests", "storage"]).filter(|node| !node.is_null()) {
        None => {
            let at = spec.at(&["resources", "requests"]).or_else(|| spec.get("resources")).unwrap_or(spec);
            judge
                .within(&CLAIM, at, "a claim without a size")
                .label("expected `resources.requests.storage`")
                .help("write `resources: {requests: {storage: 1Gi}}`");
        }
        Some(size) => positive(judge, &CLAIM, size),
    }
}

fn positive(judge: &mut Judge<'_, '_>, rule: &'static Rule, node: &Node) {
    if quantity(node).is_some_and(|value| value <= 0.0) {
        judge.add(rule, node, "a size of nothing").label("expected more than 0");
    }
}

fn volume(judge: &mut Judge<'_, '_>, spec: &Node) {
    access(judge, &VOLUME, spec);
    if let Some(size) = spec.at(&["capacity", "storage"]).filter(|node| !node.is_null()) {
        positive(judge, &VOLUME, size);
    } else {
        let at = spec.get("capacity").unwrap_or(spec);
        judge.within(&VOLUME, at, "a volume without a size").label("expected `capacity.storage`");
    }
    judge.one_of(&VOLUME, spec.get("persistentVolumeReclaimPolicy"), &["Retain", "Delete", "Recycle"]);
    let mut sources = SOURCES.iter().filter_map(|key| spec.entry(key)).filter(|entry| !entry.value.is_null());
    match (sources.next(), sources.next()) {
        (None, _) => {
            judge
                .within(&VOLUME, spec, "a volume that is nowhere")
                .label("expected what it is made of, such as `csi`, `nfs`, `local` or `hostPath`");
        }
        (_, Some(second)) => {
            judge.add(&VOLUME, second, "a volume in two places").help("keep one of them");
        }
        _ => {}
    }
    let affinity = spec.at(&["nodeAffinity", "required", "nodeSelectorTerms"]).map(Node::items).unwrap_or_default();
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
        } else if !super::names::is_qualified_name(&text.to_lowercase()) {
            judge
                .add(&CLASS, at, format!("{} does not name a provisioner", Quoted(text)))
                .label("expected such as `csi.example.com` or `kubernetes.io/no-provisioner`");
        }
    }
    judge.one_of(&CLASS, node.get("reclaimPolicy"), &["Delete", "Retain"]);
    judge.one_of(&CLASS, node.get("volumeBindingMode"), &["Immediate", "WaitForFirstConsumer"]);
}
