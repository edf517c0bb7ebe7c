//! Workloads: which pods are theirs, how many, and how they are replaced.

use super::judge::Judge;
use super::{claims, metadata, selectors};
use crate::fields::{entries, filled, given, items};
use crate::rule::rules;
use vigil_forms::quantity::percent;
use vigil_yaml::{Data, Node, Quoted};

rules! {
    SELECTOR "workload-selector" Error Server "`spec.selector` of every workload matches its pod template"
    VERSION "workload-selector-version" Warning Nobody "no `spec.selector`, which is immutable, contains a version label"
    UPDATE "workload-update" Error Server "every update strategy can replace pods"
    VALUE "workload-value" Error Server "enumerated fields of workloads have a known value"
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
            .add(&SELECTOR, selector, "an empty selector")
            .label("expected `matchLabels:` with labels of the template");
        return;
    }
    let labels = spec.at(&["template", "metadata", "labels"]);
    if let Some(wrong) = selectors::mismatch(selector, labels) {
        judge
            .add(&SELECTOR, wrong, "the selector does not match the labels of the pod template")
            .label("expected what `template.metadata.labels` says")
            .help("give the template this label, or select by one that it has");
    }
    for entry in entries(selector, "matchLabels") {
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
        // To a server, null is an empty text.
        let wanted = if entry.value.is_null() { Some("") } else { entry.value.text() };
        if wanted.is_some_and(|wanted| label != Some(wanted)) {
            judge
                .add(&SELECTOR, &entry.value, "the selector does not match the labels of the pod template")
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
    let Some(percent) = percent(text) else {
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
                .add(&UPDATE, node, "`maxUnavailable` and `maxSurge` are both 0")
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
            .add(&UPDATE, node, "`maxUnavailable` and `maxSurge` are both more than 0")
            .help("set `maxUnavailable: 0`, which is 1 if nothing is said, or remove `maxSurge`");
    } else if !misses && !adds {
        judge
            .add(&UPDATE, node, "`maxUnavailable` and `maxSurge` are both 0")
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
    for claim in items(spec, "volumeClaimTemplates") {
        claims::check(judge, claim);
        let Some(metadata) = given(claim, "metadata") else { continue };
        metadata::described(judge, metadata);
        judge.dns_label(&VALUE, metadata, "name");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::{SELECTOR, UPDATE, VALUE, VERSION};
    use crate::Rule;

    fn judged(kind: &str, fields: &str, rule: &Rule, times: usize) {
        let template = "template: {metadata: {labels: {a: b, c: d}}, spec: {containers: [{name: a, image: a}]}}";
        let version = if kind == "ReplicationController" { "v1" } else { "apps/v1" };
        let text =
            format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{{fields}, {template}}}\n");
        broken(&text, rule, times);
    }

    #[test]
    fn selectors_match_their_own_template() {
        for (selector, times) in [
            ("matchLabels: {a: b}", 0),
            ("matchLabels: {a: b, c: x}", 1),
            ("matchLabels: {e: f}", 1),
            ("", 1),
            ("matchLabels: {}, matchExpressions: []", 1),
            ("matchExpressions: [{key: a, operator: In, values: [x, b]}]", 0),
            ("matchExpressions: [{key: a, operator: In, values: [x]}]", 1),
            ("matchExpressions: [{key: a, operator: NotIn, values: [b]}]", 1),
            ("matchExpressions: [{key: x, operator: NotIn, values: [b]}]", 0),
            ("matchExpressions: [{key: x, operator: Exists}]", 1),
            ("matchExpressions: [{key: x, operator: DoesNotExist}]", 0),
            ("matchExpressions: [{key: a, operator: DoesNotExist}]", 1),
        ] {
            judged("Deployment", &format!("selector: {{{selector}}}"), &SELECTOR, times);
        }
        judged("ReplicationController", "selector: {a: b}", &SELECTOR, 0);
        judged("ReplicationController", "selector: {a: c}", &SELECTOR, 1);
        judged("ReplicationController", "replicas: 1", &SELECTOR, 0);
        judged("Deployment", "selector: {matchLabels: {helm.sh/chart: a-1, a: b}}", &VERSION, 1);
    }

    #[test]
    fn updates() {
        let selector = "selector: {matchLabels: {a: b}}";
        for (kind, fields, times) in [
            ("Deployment", "strategy: {type: Recreate}", 0),
            ("Deployment", "strategy: {type: Recreate, rollingUpdate: null}", 0),
            ("Deployment", "strategy: {type: Recreate, rollingUpdate: {}}", 1),
            ("Deployment", "strategy: {type: recreate}", 1),
            ("Deployment", "strategy: {rollingUpdate: {maxSurge: 0}}", 0),
            ("Deployment", "strategy: {rollingUpdate: {maxSurge: 0%, maxUnavailable: 0}}", 1),
            ("Deployment", "strategy: {rollingUpdate: {maxSurge: 101%, maxUnavailable: 101%}}", 1),
            ("Deployment", "strategy: {rollingUpdate: {maxSurge: -1, maxUnavailable: 1.5%}}", 2),
            ("Deployment", "minReadySeconds: 599", 0),
            ("Deployment", "minReadySeconds: 600", 1),
            ("Deployment", "minReadySeconds: 5, progressDeadlineSeconds: 5", 1),
            ("DaemonSet", "updateStrategy: {type: OnDelete, rollingUpdate: {maxSurge: 0}}", 0),
            ("DaemonSet", "updateStrategy: {rollingUpdate: {maxSurge: 1}}", 1),
            ("DaemonSet", "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", 0),
            ("DaemonSet", "updateStrategy: {rollingUpdate: {maxUnavailable: 0}}", 1),
            ("DaemonSet", "updateStrategy: {rollingUpdate: {maxUnavailable: 10%}}", 0),
            ("StatefulSet", "updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}", 1),
            ("StatefulSet", "updateStrategy: {rollingUpdate: {partition: -1, maxUnavailable: 0}}", 2),
        ] {
            judged(kind, &format!("{selector}, {fields}"), &UPDATE, times);
        }
    }

    #[test]
    fn values() {
        let selector = "selector: {matchLabels: {a: b}}";
        judged("Deployment", &format!("{selector}, replicas: 0, revisionHistoryLimit: 0"), &VALUE, 0);
        judged("ReplicaSet", &format!("{selector}, replicas: -1, minReadySeconds: -1"), &VALUE, 2);
        let wrong = "podManagementPolicy: parallel, serviceName: a.b, ordinals: {start: -1}, \
                     persistentVolumeClaimRetentionPolicy: {whenDeleted: delete}";
        judged("StatefulSet", &format!("{selector}, {wrong}"), &VALUE, 4);
    }
}
