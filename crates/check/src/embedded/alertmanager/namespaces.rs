//! AlertmanagerConfigs get the alerts of their own namespace alone, unless their Alertmanager says otherwise.

use super::NAMESPACE;
use crate::fields::{items, text};
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::schema::pattern;
use crate::world::World;
use crate::world::selection::SELECTED;
use vigil_yaml::{Node, Quoted};

/// The label by which the operator tells alerts of a namespace.
const LABEL: &str = "namespace";

/// Judges the matchers of an AlertmanagerConfig, if each Alertmanager that selects it adds one of its own: `getEnforcer` in
/// `pkg/alertmanager/amcfg.go` of prometheus-operator 0.93.
pub(super) fn check(world: &World<'_>, object: &Object<'_>, spec: &Node, findings: &mut Findings) {
    let Some(selected) = SELECTED.iter().find(|selected| selected.kind == object.kind) else { return };
    let owners: Vec<_> = world
        .set
        .of_kind(MONITORING, "Alertmanager")
        .filter(|owner| is_global(owner, object) || selected.unselected(world, owner, object).is_none())
        .collect();
    if owners.is_empty() || !owners.iter().all(|owner| enforces(owner, object)) {
        return;
    }
    let mut routes: Vec<&Node> = spec.get("route").into_iter().collect();
    while let Some(route) = routes.pop() {
        routes.extend(items(route, "routes"));
        for matcher in items(route, "matchers") {
            judge(object, matcher, findings);
        }
    }
    for rule in items(spec, "inhibitRules") {
        for key in ["sourceMatch", "targetMatch"] {
            for matcher in items(rule, key) {
                judge(object, matcher, findings);
            }
        }
    }
}

/// Whether an Alertmanager adds the object's routes to a configuration of its own, which is a file.
pub(super) fn adds(world: &World<'_>, owner: &Object<'_>, object: &Object<'_>) -> bool {
    let selected = SELECTED.iter().find(|selected| selected.kind == object.kind);
    text(owner.node, ["spec", "alertmanagerConfiguration", "name"]).is_none()
        && selected.is_some_and(|selected| selected.unselected(world, owner, object).is_none())
}

/// Whether an Alertmanager takes the object as its whole configuration, to which nothing is added.
fn is_global(owner: &Object<'_>, object: &Object<'_>) -> bool {
    owner.namespace == object.namespace
        && text(owner.node, ["spec", "alertmanagerConfiguration", "name"]) == Some(object.name)
}

fn enforces(owner: &Object<'_>, object: &Object<'_>) -> bool {
    let strategy = text(owner.node, ["spec", "alertmanagerConfigMatcherStrategy", "type"]).unwrap_or("OnNamespace");
    !owner.damaged
        && !is_global(owner, object)
        && match strategy {
            "OnNamespace" => true,
            "OnNamespaceExceptForAlertmanagerNamespace" => owner.namespace != object.namespace,
            _ => false,
        }
}

fn judge(object: &Object<'_>, matcher: &Node, findings: &mut Findings) {
    if text(matcher, "name") != Some(LABEL) {
        return;
    }
    let Some(value) = matcher.get("value") else { return };
    let Some(wanted) = value.text() else { return };
    let old = matcher.get("regex").and_then(Node::boolean) == Some(true);
    let operator = text(matcher, "matchType").unwrap_or(if old { "=~" } else { "=" });
    // What is no expression is told elsewhere.
    let is_match =
        || pattern::compile(&format!("^(?:{wanted})$")).is_none_or(|expression| expression.is_match(object.namespace));
    let never = match operator {
        "=" => wanted != object.namespace,
        "!=" => wanted == object.namespace,
        "=~" => !is_match(),
        "!~" => pattern::compile(&format!("^(?:{wanted})$")).is_some_and(|it| it.is_match(object.namespace)),
        _ => false,
    };
    if never {
        let message = format!("no alert matches {}", Quoted(&format!("{LABEL}{operator}\"{wanted}\"")));
        findings
            .add(&NAMESPACE, object, value, message)
            .label(format!("the operator adds `{LABEL}=\"{}\"`", object.namespace))
            .help(
                "put the object into that namespace, or set `alertmanagerConfigMatcherStrategy.type` of the Alertmanager to \
                 `None` or `OnNamespaceExceptForAlertmanagerNamespace`",
            );
    }
}
