//! Objects that come and go, and what is left to tell of those that change.

use super::pods::Replaced;
use super::{Edit, Effects, Sets};
use crate::change::Change;
use crate::effect::{Class, Effect};
use crate::object::{Identity, text};
use crate::workload::{Count, MONITORING, Workload};
use serde_json::Value;

/// A new object.
pub(super) fn new(identity: &Identity, object: &Value, effects: &mut Effects<'_>) {
    let says = Workload::of(identity, object).map(|workload| workload.pods()).unwrap_or_default();
    effects.add(Effect::new(Class::New, identity, says));
}

/// An object that the second set does not have.
pub(super) fn gone(identity: &Identity, object: &Value, effects: &mut Effects<'_>) {
    let says = match (identity.group.as_str(), identity.kind.as_str()) {
        ("", "Namespace") => "deleting it deletes all that is in it, and the data of its claims".to_owned(),
        ("", "PersistentVolumeClaim") => "deleting it deletes its data, where the reclaim policy is Delete".to_owned(),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            "deleting it deletes every object of its kind in the cluster".to_owned()
        }
        ("networking.k8s.io", "NetworkPolicy") => "deleting it opens what it closes".to_owned(),
        _ => match Workload::of(identity, object) {
            Some(workload) => {
                let pods = workload.pods();
                let go = if matches!(workload.count, Count::Pods(1) | Count::EachNode) { "goes" } else { "go" };
                format!("{pods} {go} on running")
            }
            None => String::new(),
        },
    };
    let command = format!("kubectl delete {}", identity.arguments());
    effects.add(Effect::new(Class::LeftBehind, identity, says).command(command));
}

/// What no effect tells of yet.
pub(super) fn rest<'a>(edit: &Edit<'a>, sets: &Sets<'_>, replaced: &Replaced, effects: &mut Effects<'a>) {
    // Two versions of one Service have one address, unless the second asks for another.
    let is_kept = |change: &&'a Change| {
        let is_address = ["clusterIP", "clusterIPs"].iter().any(|key| change.path.begins(&["spec", key]));
        is_address && change.after.is_none() && text(edit.after, "/spec/type") != "ExternalName"
    };
    let kept: Vec<_> = edit.real().filter(is_kept).collect();
    if edit.identity.is("", "Service") && !kept.is_empty() {
        let says = "the API server keeps the address that the Service has: one that is headless stays so";
        effects.of(Effect::new(Class::Limited, edit.identity, says), kept);
    }
    let left = effects.untold(edit.changes);
    let (nothing, real): (Vec<_>, Vec<_>) = left.into_iter().partition(|change| change.is_equivalent);
    if !real.is_empty() {
        let (says, command) = in_place(edit, &real, sets, replaced);
        let mut effect = Effect::new(Class::InPlace, edit.identity, says);
        effect.commands.extend(command);
        effects.of(effect, real);
    } else if nothing.len() == edit.changes.len() {
        effects.of(Effect::new(Class::Nothing, edit.identity, "it means the same"), nothing);
    }
}

/// What happens when an object changes that no pod is replaced for by itself.
fn in_place(edit: &Edit<'_>, changes: &[&Change], sets: &Sets<'_>, replaced: &Replaced) -> (String, Option<String>) {
    let identity = edit.identity;
    let is_metadata =
        changes.iter().all(|change| change.path.begins(&["metadata"]) || change.path.begins(&["apiVersion"]));
    let plain = |says: &str| (says.to_owned(), None);
    match (identity.group.as_str(), identity.kind.as_str()) {
        ("", "ConfigMap" | "Secret") => read_by(edit, sets, replaced),
        _ if is_metadata => plain("labels and annotations of the object itself: no pod is replaced"),
        (MONITORING, "PrometheusRule") => plain("Prometheus reloads its rules"),
        (MONITORING, "ServiceMonitor" | "PodMonitor" | "Probe" | "ScrapeConfig") => {
            plain("Prometheus reloads what it scrapes")
        }
        ("", "Service") => plain("connections take the new way at once: no pod is replaced"),
        _ => plain("no pod is replaced"),
    }
}

/// Who reads a ConfigMap or Secret, and when.
fn read_by(edit: &Edit<'_>, sets: &Sets<'_>, replaced: &Replaced) -> (String, Option<String>) {
    let identity = edit.identity;
    let loaded = ["grafana_dashboard", "grafana_datasource"]
        .iter()
        .any(|label| !text(edit.after, &format!("/metadata/labels/{label}")).is_empty());
    if loaded {
        return ("Grafana's side-car loads it".to_owned(), None);
    }
    let here = sets.after.iter().filter(|(other, _)| other.namespace == identity.namespace);
    let mut readers = here.filter_map(|(other, object)| {
        let workload = Workload::of(other, object)?;
        let is_it = |(kind, name, _): &&(&str, &str, bool)| *kind == identity.kind && *name == identity.name;
        let reads = workload.reads();
        let at_start = reads.iter().find(is_it)?.2;
        Some((other, at_start))
    });
    let Some((reader, at_start)) = readers.next() else {
        return ("no pod of the set reads it".to_owned(), None);
    };
    let others = readers.count();
    let more = if others == 0 { String::new() } else { format!(" and {others} more") };
    let name = format!("{} {}{more}", reader.kind, reader.name);
    if replaced.contains_key(reader) {
        return (format!("{name} reads it, and its new pods start with it"), None);
    }
    let restart = format!("kubectl rollout restart {}", reader.arguments());
    let restart = (reader.group == "apps").then_some(restart);
    if at_start {
        return (
            format!("{name} reads it when a container starts: its pods keep what they have until they are replaced"),
            restart,
        );
    }
    let says = format!(
        "the files in the pods of {name} change within two minutes; a program that does not watch them keeps what it has"
    );
    (says, restart)
}
