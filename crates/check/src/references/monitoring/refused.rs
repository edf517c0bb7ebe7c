//! What a Prometheus keeps the operator from taking of the monitors that it selects: files of its container, and what its
//! release does not know.
//!
//! Source: `testForArbitraryFSAccess` and `LabelConfigValidator` in `pkg/prometheus/resource_selector.go` of
//! prometheus-operator 0.87.

use crate::embedded::version_of;
use crate::fields::{filled, given, is_set, items};
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::objects::relabelings;
use crate::relabeling;
use crate::rule::rules;
use crate::world::World;
use crate::world::selection::SELECTED;
use vigil_forms::name::is_metric_label;
use vigil_yaml::{Node, Quoted};

rules! {
    REFUSED "monitor-refused" Error Operator "every monitor is one that the Prometheus that selects it may take"
}

/// Actions of relabelings, and the first release that knows them.
const SINCE: [(&str, (u32, u32)); 4] =
    [("lowercase", (2, 36)), ("uppercase", (2, 36)), ("keepequal", (2, 41)), ("dropequal", (2, 41))];

pub(super) fn check(world: &World<'_>, findings: &mut Findings) {
    for selected in SELECTED.iter().filter(|selected| selected.owners.contains(&"PrometheusAgent")) {
        for object in world.judged(MONITORING, selected.kind) {
            let owners = selected.owners.iter().flat_map(|kind| world.set.of_kind(MONITORING, kind));
            let selects = |owner: &&Object<'_>| !owner.damaged && selected.unselected(world, owner, object).is_none();
            for owner in owners.filter(selects) {
                files(owner, object, findings);
                releases(owner, object, findings);
            }
        }
    }
}

/// Files of Prometheus' container, which a ServiceMonitor may be kept from.
fn files(owner: &Object<'_>, object: &Object<'_>, findings: &mut Findings) {
    if object.kind != "ServiceMonitor" || !is_set(owner.node, ["spec", "arbitraryFSAccessThroughSMs", "deny"]) {
        return;
    }
    for endpoint in items(object.node, ["spec", "endpoints"]) {
        let token = endpoint.entry("bearerTokenFile");
        let tls = given(endpoint, "tlsConfig");
        let of_tls = ["caFile", "certFile", "keyFile"].into_iter().filter_map(|key| tls?.entry(key));
        for entry in token.into_iter().chain(of_tls).filter(|entry| entry.value.text().is_some_and(|it| !it.is_empty()))
        {
            findings
                .add(&REFUSED, object, entry, format!("{owner} lets no ServiceMonitor name files"))
                .label("`arbitraryFSAccessThroughSMs.deny` is set")
                .help("name a Secret instead: the operator leaves out the whole ServiceMonitor");
        }
    }
}

/// Relabelings that the release of a Prometheus does not know.
fn releases(owner: &Object<'_>, object: &Object<'_>, findings: &mut Findings) {
    let (Some(release), Some(spec)) = (version_of(owner), object.at(&["spec"])) else { return };
    let (major, minor) = release;
    let help = format!("the operator leaves out the whole {}", object.kind);
    for rule in relabelings(object.kind, spec) {
        let action = relabeling::action(rule).to_ascii_lowercase();
        let since = SINCE.iter().find(|(name, since)| *name == action && release < *since);
        if let Some((_, (of, least))) = since {
            let at = rule.get("action").unwrap_or(rule);
            findings
                .add(
                    &REFUSED,
                    object,
                    at,
                    format!("the action {} is known since Prometheus {of}.{least}", Quoted(&action)),
                )
                .label(format!("{owner} runs {major}.{minor}"))
                .help(help.clone());
        }
        if let Some((node, name)) = target(rule, &action).filter(|(_, name)| major < 3 && !is_name(name, &action)) {
            findings
                .add(&REFUSED, object, node, format!("{} is a name of a label since Prometheus 3.0", Quoted(name)))
                .label(format!("{owner} runs {major}.{minor}: expected letters, digits and `_`"))
                .help(help.clone());
        }
    }
}

/// The label that a relabeling writes to.
fn target<'n>(rule: &'n Node, action: &str) -> Option<(&'n Node, &'n str)> {
    match action {
        "labelmap" => filled(rule, "replacement"),
        "keep" | "drop" | "labeldrop" | "labelkeep" => None,
        _ => filled(rule, "targetLabel"),
    }
}

/// Whether an older release takes a name, in which groups of the expression may stand.
fn is_name(name: &str, action: &str) -> bool {
    let plain: String = name.chars().filter(|c| !matches!(c, '$' | '{' | '}')).collect();
    match action {
        "replace" | "labelmap" => plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
        _ => is_metric_label(name),
    }
}
