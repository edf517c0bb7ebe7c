//! Workloads: which pods are theirs, how many, and how they are replaced.

use super::judge::{Judge, filled, given, items};
use super::{claims, metadata, selectors};
use crate::rule::rules;
use crate::syntax;
use std::collections::HashSet;
use vigil_yaml::{Data, Node, Quoted};

rules! {
    SELECTOR "workload-selector" Error "every workload selects the pods that it makes"
    VERSION "workload-selector-version" Warning "no workload selects its pods by a version"
    UPDATE "workload-update" Error "pods can be replaced as the workload says"
    VALUE "workload-value" Error "settings of workloads are among those that there are"
}

/// Labels that change with what runs, and would have to change in a selector, which cannot.
const VERSIONS: [&str; 5] =
    ["app.kubernetes.io/version", "helm.sh/chart", "chart", "pod-template-hash", "controller-revision-hash"];

pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = *judge.object;
    let Some(spec) = object.node.get("spec") else { return };
    match (object.group, object.kind) {
        ("apps", kind @ ("Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet")) => {
            let numbers = ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"];
            judge.not_negative(&VALUE, spec, &numbers);
            template_selector(judge, spec);
            match kind {
                "Deployment" => deployment(judge, spec),
                "DaemonSet" => daemon_set(judge, spec),
                "StatefulSet" => stateful_set(judge, spec),
                _ => {}
            }
        }
        ("", "ReplicationController") => {
            judge.not_negative(&VALUE, spec, &["replicas", "minReadySeconds"]);
            replication_controller(judge, spec);
        }
        _ => {}
    }
}

/// The selector against the labels of the template.
fn template_selector(judge: &mut Judge<'_, '_>, spec: &Node) {
    let Some(selector) = given(spec, "selector") else { return };
    if !matches!(selector.data, Data::Map(_)) {
        return;
    }
    selectors::selector(judge, selector);
    if selectors::is_empty(selector) {
        judge
            .add(&SELECTOR, selector, "a selector that selects nothing in particular")
            .label("expected `matchLabels:` with labels of the template");
        return;
    }
    let labels = spec.at(&["template", "metadata", "labels"]);
    if let Some(wrong) = selectors::mismatch(selector, labels) {
        judge
            .add(&SELECTOR, wrong, "the pods of the template are not selected by this")
            .label("expected what `template.metadata.labels` says")
            .help("give the template this label, or select by one that it has");
    }
    for entry in selector.get("matchLabels").map(Node::entries).unwrap_or_default() {
        let key = entry.key.text.as_str();
        if VERSIONS.contains(&key) {
            judge
                .add(&VERSION, entry, format!("the selector names {}, which changes", Quoted(key)))
                .help("select by labels that stay, such as `app.kubernetes.io/name` and `app.kubernetes.io/instance`");
        }
    }
}

fn replication_controller(judge: &mut Judge<'_, '_>, spec: &Node) {
    let labels = spec.at(&["template", "metadata", "labels"]);
    let Some(selector) = given(spec, "selector").filter(|selector| !selector.entries().is_empty()) else {
        if labels
            .is_none_or(|labels| labels.is_null() || matches!(&labels.data, Data::Map(entries) if entries.is_empty()))
        {
            judge
                .add(&SELECTOR, spec, "neither a selector nor labels of the template")
                .label("expected `template.metadata.labels`");
        }
        return;
    };
    selectors::labels(judge, Some(selector));
    for entry in selector.entries() {
        let label = labels.and_then(|labels| labels.get(&entry.key.text)).and_then(Node::text);
        if entry.value.text().is_some_and(|wanted| label != Some(wanted)) {
            judge
                .add(&SELECTOR, &entry.value, "the pods of the template are not selected by this")
                .label("expected what `template.metadata.labels` says");
        }
    }
}

/// A number of pods, or a part of all.
#[derive(Clone, Copy)]
enum Share {
    Number(i64),
    Percent(u64),
}

impl Share {
    fn is_zero(self) -> bool {
        matches!(self, Self::Number(0) | Self::Percent(0))
    }
}

/// Reads a number or percentage; says so if it is none, or too much.
fn share(judge: &mut Judge<'_, '_>, node: &Node, key: &str, whole: bool) -> Option<Share> {
    let value = given(node, key)?;
    if let Some(number) = value.integer() {
        judge.range(&UPDATE, node.get(key), 0..=i64::MAX);
        return Some(Share::Number(number));
    }
    let text = value.text()?;
    let Some(percent) = syntax::percent(text) else {
        let finding = judge.add(&UPDATE, value, format!("{} is no number of pods", Quoted(text)));
        finding.label("expected a whole number, or one with `%`");
        if text.parse::<u32>().is_ok() {
            finding.help("remove the quotes");
        }
        return None;
    };
    if whole && percent > 100 {
        judge.add(&UPDATE, value, format!("{} is more than all pods", Quoted(text))).label("expected at most `100%`");
    }
    Some(Share::Percent(percent))
}

/// The kind of update, and whether `rollingUpdate` may stand besides it.
fn strategy<'n>(judge: &mut Judge<'_, '_>, spec: &'n Node, key: &str, allowed: &[&str]) -> Option<&'n Node> {
    let strategy = given(spec, key)?;
    judge.one_of(&UPDATE, strategy.get("type"), allowed);
    let rolling = given(strategy, "rollingUpdate");
    let kind = filled(strategy, "type").map(|(_, kind)| kind);
    if let Some(other) = kind.filter(|kind| *kind != "RollingUpdate" && allowed.contains(kind)) {
        // A DaemonSet's is passed over.
        if let Some(entry) =
            strategy.entry("rollingUpdate").filter(|_| rolling.is_some() && judge.object.kind != "DaemonSet")
        {
            judge
                .add(&UPDATE, entry, format!("`rollingUpdate` of an update of type {}", Quoted(other)))
                .help("remove it, or write `type: RollingUpdate`");
        }
        return None;
    }
    rolling
}

fn deployment(judge: &mut Judge<'_, '_>, spec: &Node) {
    if let Some(rolling) = strategy(judge, spec, "strategy", &["Recreate", "RollingUpdate"]) {
        let unavailable = share(judge, rolling, "maxUnavailable", true);
        let surge = share(judge, rolling, "maxSurge", false);
        if let (Some(unavailable), Some(surge), Some(node)) = (unavailable, surge, rolling.get("maxUnavailable"))
            && unavailable.is_zero()
            && surge.is_zero()
        {
            judge
                .add(&UPDATE, node, "no pod may be missing, and none may be added")
                .help("let `maxSurge` or `maxUnavailable` be more than 0, or nothing can be replaced");
        }
    }
    let ready = given(spec, "minReadySeconds").map_or(Some(0), Node::integer);
    let deadline = given(spec, "progressDeadlineSeconds").map_or(Some(600), Node::integer);
    if let (Some(ready), Some(deadline @ 0..)) = (ready, deadline)
        && deadline <= ready
        && let Some(node) = given(spec, "progressDeadlineSeconds").or_else(|| given(spec, "minReadySeconds"))
    {
        judge
            .add(&UPDATE, node, format!("a deadline of {deadline} s for pods that are ready after {ready} s"))
            .label("expected `progressDeadlineSeconds` above `minReadySeconds`");
    }
}

fn daemon_set(judge: &mut Judge<'_, '_>, spec: &Node) {
    let Some(rolling) = strategy(judge, spec, "updateStrategy", &["OnDelete", "RollingUpdate"]) else { return };
    let unavailable = share(judge, rolling, "maxUnavailable", true);
    let surge = share(judge, rolling, "maxSurge", true);
    if given(rolling, "maxUnavailable").is_some() && unavailable.is_none()
        || given(rolling, "maxSurge").is_some() && surge.is_none()
    {
        return;
    }
    // One pod may be missing, and none be added, if nothing is said.
    let misses = !unavailable.is_some_and(Share::is_zero);
    let adds = surge.is_some_and(|surge| !surge.is_zero());
    let Some(node) = given(rolling, "maxSurge").or_else(|| given(rolling, "maxUnavailable")) else { return };
    if misses && adds {
        judge
            .add(&UPDATE, node, "pods may be missing and be added at once")
            .help("set `maxUnavailable: 0`, which is 1 if nothing is said, or remove `maxSurge`");
    } else if !misses && !adds {
        judge
            .add(&UPDATE, node, "no pod may be missing, and none may be added")
            .help("let `maxSurge` or `maxUnavailable` be more than 0, or nothing can be replaced");
    }
}

fn stateful_set(judge: &mut Judge<'_, '_>, spec: &Node) {
    judge.one_of(&VALUE, spec.get("podManagementPolicy"), &["OrderedReady", "Parallel"]);
    judge.dns_label(&VALUE, spec, "serviceName");
    if let Some(policy) = given(spec, "persistentVolumeClaimRetentionPolicy") {
        for key in ["whenDeleted", "whenScaled"] {
            judge.one_of(&VALUE, policy.get(key), &["Delete", "Retain"]);
        }
    }
    if let Some(ordinals) = given(spec, "ordinals") {
        judge.not_negative(&VALUE, ordinals, &["start"]);
    }
    if let Some(rolling) = strategy(judge, spec, "updateStrategy", &["OnDelete", "Recreate", "RollingUpdate"]) {
        judge.not_negative(&UPDATE, rolling, &["partition"]);
        if let Some(node) = rolling.get("maxUnavailable")
            && share(judge, rolling, "maxUnavailable", true).is_some_and(Share::is_zero)
        {
            judge.add(&UPDATE, node, "no pod may be missing").label("expected more than 0, or nothing can be replaced");
        }
    }
    let mut names = HashSet::new();
    for claim in items(spec, "volumeClaimTemplates") {
        claims::check(judge, claim);
        let Some(metadata) = given(claim, "metadata") else { continue };
        metadata::described(judge, metadata);
        if let Some((node, name)) = filled(metadata, "name") {
            if !syntax::is_dns1123_label(name) {
                judge.add(&VALUE, node, format!("{} is no name for a volume", Quoted(name))).label(super::judge::LABEL);
            } else if !names.insert(name) {
                judge.add(&VALUE, node, format!("an earlier claim is called {}", Quoted(name)));
            }
        }
    }
}
