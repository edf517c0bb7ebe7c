//! Who selects monitors, rules and routes: one that nobody selects does nothing, and nobody says so.

use crate::fields::{filled, items, text};
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::rules;
use crate::world::World;
use crate::world::selection::{SELECTED, Selected, Unselected};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    CLASS "scrape-class" Error Operator "every scrape class that a monitor names is one of its Prometheus"
    UNSELECTED "monitor-unselected" Warning Nobody "every monitor and PrometheusRule is selected by a Prometheus"
}

pub(super) fn check(world: &World<'_>, findings: &mut Findings) {
    for selected in &SELECTED {
        let (kind, owners) = (selected.kind, selected.owners);
        let owners: Vec<&Object<'_>> = owners.iter().flat_map(|kind| world.set.of_kind(MONITORING, kind)).collect();
        // What is not seen, or configured in another way, may select anything.
        if owners.is_empty() || owners.iter().any(|owner| owner.damaged || is_unmanaged(owner)) {
            continue;
        }
        for object in world.judged(MONITORING, kind) {
            class(world, selected, &owners, object, findings);
            let why: Option<Vec<_>> = owners.iter().map(|owner| selected.unselected(world, owner, object)).collect();
            let Some(why) = why.and_then(|why| why.into_iter().next()) else { continue };
            let at = object.node.entry("metadata").or_else(|| object.node.entry("kind"));
            let Some(at) = at else { continue };
            let at = at.value.entry("labels").unwrap_or(at);
            let first = owners[0];
            let why = match why {
                Unselected::NoSelector => format!("{first} has no `{}`, and so selects none", selected.by_labels),
                Unselected::Labels(selector) => format!("{first} selects {}", Quoted(&selector.to_string())),
                Unselected::Namespace(selector) => {
                    format!("{first} selects namespaces by {}", Quoted(&selector.to_string()))
                }
                Unselected::OtherNamespace => format!("{first} selects in its own namespace"),
            };
            findings
                .add(&UNSELECTED, object, at, format!("no {} selects this {kind}", selected.owners[0]))
                .append(Some(why), Some("give it the labels that are selected, or select it".to_owned()));
        }
    }
}

/// The scrape class that an object names: each Prometheus that selects it leaves it out without one of that name.
/// `validateScrapeClass` in `pkg/prometheus/resource_selector.go` of prometheus-operator 0.93.
fn class(world: &World<'_>, selected: &Selected, owners: &[&Object<'_>], object: &Object<'_>, findings: &mut Findings) {
    let Some((node, name)) = object.at(&["spec"]).and_then(|spec| filled(spec, "scrapeClass")) else { return };
    for owner in owners.iter().filter(|owner| selected.unselected(world, owner, object).is_none()) {
        let classes = items(owner.node, ["spec", "scrapeClasses"]);
        let names: Vec<&str> = classes.iter().filter_map(|class| text(class, "name")).collect();
        if names.contains(&name) {
            continue;
        }
        let finding = findings.add(&CLASS, object, node, format!("{owner} has no scrape class {}", Quoted(name)));
        if let Some(near) = nearest(name, names.iter().copied()) {
            finding.label(format!("did you mean `{near}`?"));
        } else if !names.is_empty() {
            finding.label(format!("expected {}", list(&names, "or")));
        }
        finding.help(format!("the operator leaves out the whole {}", object.kind));
    }
}

/// A Prometheus without any selector of targets: its configuration comes from elsewhere.
fn is_unmanaged(owner: &Object<'_>) -> bool {
    matches!(owner.kind, "Prometheus" | "PrometheusAgent")
        && ["serviceMonitorSelector", "podMonitorSelector", "probeSelector", "scrapeConfigSelector"]
            .iter()
            .all(|key| owner.at(&["spec", key]).is_none_or(Node::is_null))
}
