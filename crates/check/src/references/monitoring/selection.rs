//! Who selects monitors, rules and routes: one that nobody selects does nothing, and nobody says so.

use super::UNSELECTED;
use crate::cluster::MONITORING;
use crate::finding::Findings;
use crate::object::{Labels, Object};
use crate::selector::Selector;
use crate::set::Set;
use std::collections::HashMap;
use vigil_yaml::{Node, Quoted};

/// A kind that is selected, the fields that select it, and the kinds that have these.
pub(super) const SELECTED: &[(&str, &str, &str, &[&str])] = &[
    ("ServiceMonitor", "serviceMonitorSelector", "serviceMonitorNamespaceSelector", &["Prometheus", "PrometheusAgent"]),
    ("PodMonitor", "podMonitorSelector", "podMonitorNamespaceSelector", &["Prometheus", "PrometheusAgent"]),
    ("Probe", "probeSelector", "probeNamespaceSelector", &["Prometheus", "PrometheusAgent"]),
    ("ScrapeConfig", "scrapeConfigSelector", "scrapeConfigNamespaceSelector", &["Prometheus", "PrometheusAgent"]),
    ("PrometheusRule", "ruleSelector", "ruleNamespaceSelector", &["Prometheus", "ThanosRuler"]),
    ("AlertmanagerConfig", "alertmanagerConfigSelector", "alertmanagerConfigNamespaceSelector", &["Alertmanager"]),
];

/// Labels of namespaces, as far as the set says them.
pub(crate) struct NamespaceLabels<'a>(HashMap<&'a str, Labels<'a>>);

impl<'a> NamespaceLabels<'a> {
    pub(crate) fn new(set: &Set<'a>) -> Self {
        Self(set.of_kind("", "Namespace").map(|object| (object.name, object.labels())).collect())
    }

    /// Whether a selector selects a namespace. One whose labels nobody knows could be selected.
    fn selects(&self, selector: &Node, namespace: &str) -> bool {
        let Some(labels) = self.0.get(namespace) else { return true };
        Selector::of(selector).selects_labels(|key| match key {
            "kubernetes.io/metadata.name" => Some(namespace),
            _ => labels.get(key),
        })
    }
}

pub(super) fn check(set: &Set<'_>, findings: &mut Findings) {
    let namespaces = NamespaceLabels::new(set);
    for (kind, by_labels, by_namespace, kinds) in SELECTED {
        let owners: Vec<Object<'_>> = kinds.iter().flat_map(|kind| set.of_kind(MONITORING, kind)).copied().collect();
        // What is not seen, or configured in another way, may select anything.
        if owners.is_empty() || owners.iter().any(|owner| owner.damaged || is_unmanaged(owner)) {
            continue;
        }
        for object in set.of_kind(MONITORING, kind).filter(|object| !object.damaged) {
            if !owners.iter().any(|owner| selects(owner, by_labels, by_namespace, object, &namespaces)) {
                let at = object.node.entry("metadata").or_else(|| object.node.entry("kind"));
                let Some(at) = at else { continue };
                let at = at.value.entry("labels").unwrap_or(at);
                findings.add(&UNSELECTED, object, at, format!("no {} selects this {kind}", kinds[0])).append(
                    Some(why(&owners[0], by_labels, by_namespace, object, &namespaces)),
                    Some("give it the labels that are selected, or select it".to_owned()),
                );
            }
        }
    }
}

/// Whether `owner` selects `object`. No selector selects nothing, no selector of namespaces its own.
pub(crate) fn selects(
    owner: &Object<'_>,
    by_labels: &str,
    by_namespace: &str,
    object: &Object<'_>,
    namespaces: &NamespaceLabels<'_>,
) -> bool {
    let selector = |key| owner.at(&["spec", key]).filter(|node| !node.is_null());
    let own = || owner.namespace == object.namespace;
    selector(by_labels).is_some_and(|node| Selector::of(node).selects_labels(|key| object.labels().get(key)))
        && selector(by_namespace).map_or_else(own, |node| namespaces.selects(node, object.namespace))
}

/// Why `owner` does not.
fn why(
    owner: &Object<'_>,
    by_labels: &str,
    by_namespace: &str,
    object: &Object<'_>,
    namespaces: &NamespaceLabels<'_>,
) -> String {
    let selector = |key| owner.at(&["spec", key]).filter(|node| !node.is_null());
    match (selector(by_labels), selector(by_namespace)) {
        (None, _) => format!("{owner} has no `{by_labels}`, and so selects none"),
        (Some(labels), _) if !Selector::of(labels).selects_labels(|key| object.labels().get(key)) => {
            format!("{owner} selects {}", Quoted(&Selector::of(labels).to_string()))
        }
        (_, Some(node)) if !namespaces.selects(node, object.namespace) => {
            format!("{owner} selects namespaces by {}", Quoted(&Selector::of(node).to_string()))
        }
        _ => format!("{owner} selects in its own namespace"),
    }
}

/// A Prometheus without any selector of targets: its configuration comes from elsewhere.
fn is_unmanaged(owner: &Object<'_>) -> bool {
    matches!(owner.kind, "Prometheus" | "PrometheusAgent")
        && ["serviceMonitorSelector", "podMonitorSelector", "probeSelector", "scrapeConfigSelector"]
            .iter()
            .all(|key| owner.at(&["spec", key]).is_none_or(Node::is_null))
}
