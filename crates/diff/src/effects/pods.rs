//! Pods that are replaced, and what is lost with them.

use super::{Edit, Effects, Sets};
use crate::Changed;
use crate::change::Change;
use crate::effect::{Class, Effect};
use crate::object::Identity;
use crate::operator::{self, Reaction};
use crate::workload::{MONITORING, OPERATED, Workload};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use vigil_yaml::words::counted;

/// What becomes of the pods of the workloads whose pods are not left alone.
pub(crate) type Replaced = BTreeMap<Identity, Reaction>;

/// Flags of the operator that are in the pods it makes.
const OPERATORS_FLAGS: [&str; 3] = ["--prometheus-config-reloader", "--thanos-default-base-image", "--config-reloader"];

/// The workloads of both sets whose pods are replaced.
pub(super) fn replaced(sets: &Sets<'_>, changed: &[Changed]) -> Replaced {
    let mut all = Replaced::new();
    for Changed { object, changes } in changed {
        let Some(workload) = Workload::of(object, sets.after[object]) else { continue };
        let reaction = if workload.is_operated() {
            let reactions = changes.iter().filter(|change| !change.is_equivalent);
            reactions.filter_map(|change| operator::reaction(&object.kind, change)).max()
        } else {
            changes.iter().any(|change| workload.is_of_pods(change)).then_some(Reaction::Replaced)
        };
        if let Some(reaction) = reaction.filter(|reaction| *reaction >= Reaction::Replaced) {
            all.insert(object.clone(), reaction);
        }
    }
    if changed.iter().any(|it| it.changes.iter().any(is_of_all_operated)) {
        let operated = sets.after.keys().filter(|it| it.group == MONITORING && OPERATED.contains(&it.kind.as_str()));
        for identity in operated.filter(|identity| sets.before.contains_key(identity)) {
            all.entry(identity.clone()).or_insert(Reaction::Replaced);
        }
    }
    all
}

/// Whether a change is one of the operator's flags that reaches all pods that it makes.
fn is_of_all_operated(change: &Change) -> bool {
    let flag = change.path.names().last().unwrap_or_default();
    change.path.names().any(|name| name == "args") && OPERATORS_FLAGS.iter().any(|known| flag.starts_with(known))
}

/// The effects of a workload's change on its pods.
pub(super) fn of<'a>(edit: &Edit<'a>, replaced: &Replaced, effects: &mut Effects<'a>) {
    let identity = edit.identity;
    let (Some(old), Some(new)) = (Workload::of(identity, edit.before), Workload::of(identity, edit.after)) else {
        return;
    };
    let reaction = |change: &Change| operator::reaction(&identity.kind, change);
    if new.is_operated() {
        operated(edit, &old, &new, replaced, effects);
        let scaled: Vec<_> = edit.real().filter(|change| reaction(change) == Some(Reaction::Scaled)).collect();
        scale(&scaled, &new, replaced.contains_key(identity), effects);
        let reloaded: Vec<_> = edit.real().filter(|change| reaction(change) == Some(Reaction::Reloaded)).collect();
        if !reloaded.is_empty() {
            let says = "the operator writes a new configuration, and its pods reload it: none is replaced";
            effects.of(Effect::new(Class::InPlace, identity, says), reloaded);
        }
        return;
    }
    let causes: Vec<_> = edit.changes.iter().filter(|change| new.is_of_pods(change)).collect();
    if !causes.is_empty() && identity.kind != "Job" && identity.kind != "Pod" {
        let replaced = new.replaced();
        let class = if replaced.is_some() && new.is_rolled() { Class::Restart } else { Class::InPlace };
        let says = replaced.unwrap_or_else(|| "it has no pods".to_owned());
        effects.of(Effect::new(class, identity, why(&causes, says)), causes.iter().copied());
        if class == Class::Restart {
            lost(&old, &new, effects);
        }
    }
    let scaled: Vec<_> = edit.real().filter(|change| change.path.begins(&["spec", "replicas"])).collect();
    scale(&scaled, &new, replaced.contains_key(identity), effects);
}

/// Adds why, where the fields do not say it themselves.
fn why(causes: &[&Change], says: String) -> String {
    let is_checksum = |change: &&Change| change.path.names().last().is_some_and(|name| name.starts_with("checksum/"));
    if causes.iter().all(is_checksum) { format!("its configuration changes: {says}") } else { says }
}

/// A volume that is gone with the pod.
fn lost(old: &Workload<'_>, new: &Workload<'_>, effects: &mut Effects<'_>) {
    let scratch = old.scratch();
    if scratch.is_empty() {
        return;
    }
    let still = new.scratch();
    for (name, path) in scratch {
        let then = if still.iter().any(|(_, kept)| *kept == path) { "" } else { "; the new volume starts empty" };
        let says =
            format!("`{path}` is the emptyDir `{name}`, which goes with its pod: all that is in it is lost{then}");
        effects.add(Effect::new(Class::DataLoss, old.identity, says));
    }
}

/// What the operator does with the pods of one of its objects.
fn operated<'a>(edit: &Edit<'a>, old: &Workload<'_>, new: &Workload<'_>, all: &Replaced, effects: &mut Effects<'a>) {
    let identity = edit.identity;
    let Some(reaction) = all.get(identity) else { return };
    let is_cause = |change: &&Change| operator::reaction(&identity.kind, change) >= Some(Reaction::Replaced);
    let causes: Vec<_> = edit.real().filter(is_cause).collect();
    let name = operator::stateful_set(edit.after);
    let says = if *reaction == Reaction::Recreated {
        format!(
            "claims of a StatefulSet are immutable, so the operator deletes `{name}` with its {} and makes it anew: \
             nothing of it answers until {}",
            old.pods(),
            match new.pods().as_str() {
                "1 pod" => "the new pod is ready".to_owned(),
                pods => format!("one of {pods} is ready"),
            }
        )
    } else {
        new.replaced().unwrap_or_else(|| "it has no pods".to_owned())
    };
    effects.of(Effect::new(Class::Restart, identity, says), causes);
    let kept = operator::is_persistent(edit.before);
    let data = operator::data(&identity.kind);
    if !kept && identity.kind == "Alertmanager" && *reaction == Reaction::Replaced && old.pods() != "1 pod" {
        // Each new pod gets them from the ones that are still there.
        return;
    }
    if !kept {
        let to = if operator::is_persistent(edit.after) { "; the claims start empty" } else { "" };
        let says =
            format!("its pods keep their {data} in an emptyDir, which goes with the pod: all of them are lost{to}");
        effects.add(Effect::new(Class::DataLoss, identity, says));
    } else if !operator::is_persistent(edit.after) {
        let says =
            format!("its pods start with an empty emptyDir: the {data} so far stay in claims that nothing reads");
        let effect = Effect::new(Class::DataLoss, identity, says);
        effects.add(effect.command(format!("kubectl get persistentvolumeclaims --namespace {}", identity.namespace)));
    }
}

/// More or fewer pods.
fn scale<'a>(changes: &[&'a Change], new: &Workload<'_>, is_replaced: bool, effects: &mut Effects<'a>) {
    for change in changes {
        let noun = match change.path.key() {
            "replicas" => "pod",
            "shards" => "shard",
            _ => {
                effects.of(Effect::new(Class::InPlace, new.identity, "no pod is replaced"), [*change]);
                continue;
            }
        };
        let number = |value: &Option<Value>| value.as_ref().map_or(Some(1), Value::as_i64).unwrap_or_default();
        let (before, after) = (number(&change.before), number(&change.after));
        let count = usize::try_from(after.abs_diff(before)).unwrap_or(usize::MAX);
        let says = match after.cmp(&before) {
            Ordering::Greater if is_replaced => format!("{} more", counted(count, noun)),
            Ordering::Greater => format!("{} more; those that are there stay", counted(count, noun)),
            _ if is_replaced => format!("{} less", counted(count, noun)),
            _ => format!("{} less; the others stay", counted(count, noun)),
        };
        effects.of(Effect::new(Class::InPlace, new.identity, says), [*change]);
    }
}
