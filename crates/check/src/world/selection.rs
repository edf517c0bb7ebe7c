//! Who takes a monitor, a rule or a route: the objects of the operator that select it.

use super::World;
use crate::object::Object;
use crate::selector::Selector;
use vigil_forms::selector::Label;
use vigil_yaml::Node;

/// A kind that is selected, and by whom.
pub(crate) struct Selected {
    pub(crate) kind: &'static str,
    /// The field that selects by labels.
    pub(crate) by_labels: &'static str,
    /// The field that selects by the labels of the namespace.
    pub(crate) by_namespace: &'static str,
    /// The kinds that have these fields.
    pub(crate) owners: &'static [&'static str],
}

const PROMETHEUSES: &[&str] = &["Prometheus", "PrometheusAgent"];

/// All kinds that are selected.
pub(crate) const SELECTED: [Selected; 6] = [
    Selected {
        kind: "ServiceMonitor",
        by_labels: "serviceMonitorSelector",
        by_namespace: "serviceMonitorNamespaceSelector",
        owners: PROMETHEUSES,
    },
    Selected {
        kind: "PodMonitor",
        by_labels: "podMonitorSelector",
        by_namespace: "podMonitorNamespaceSelector",
        owners: PROMETHEUSES,
    },
    Selected {
        kind: "Probe",
        by_labels: "probeSelector",
        by_namespace: "probeNamespaceSelector",
        owners: PROMETHEUSES,
    },
    Selected {
        kind: "ScrapeConfig",
        by_labels: "scrapeConfigSelector",
        by_namespace: "scrapeConfigNamespaceSelector",
        owners: PROMETHEUSES,
    },
    Selected {
        kind: "PrometheusRule",
        by_labels: "ruleSelector",
        by_namespace: "ruleNamespaceSelector",
        owners: &["Prometheus", "ThanosRuler"],
    },
    Selected {
        kind: "AlertmanagerConfig",
        by_labels: "alertmanagerConfigSelector",
        by_namespace: "alertmanagerConfigNamespaceSelector",
        owners: &["Alertmanager"],
    },
];

/// What keeps an object from being selected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unselected<'a> {
    /// There is no selector, which selects nothing.
    NoSelector,
    /// Its labels are others.
    Labels(Selector<'a>),
    /// The labels of its namespace are others.
    Namespace(Selector<'a>),
    /// Without a selector of namespaces only the owner's own counts.
    OtherNamespace,
}

impl Selected {
    /// What keeps `owner` from selecting `object`; nothing when it does, or could.
    pub(crate) fn unselected<'a>(
        &self,
        world: &World<'a>,
        owner: &Object<'a>,
        object: &Object<'a>,
    ) -> Option<Unselected<'a>> {
        let selector =
            |key| owner.at(&["spec", key]).filter(|node| !node.is_null()).map(|node: &'a Node| Selector::of(node));
        let Some(labels) = selector(self.by_labels) else { return Some(Unselected::NoSelector) };
        if !labels.selects(|key| Label::of(object.labels().get(key))) {
            return Some(Unselected::Labels(labels));
        }
        match selector(self.by_namespace) {
            None => (owner.namespace != object.namespace).then_some(Unselected::OtherNamespace),
            Some(namespaces) => (!namespaces.selects(|key| world.namespace_label(object.namespace, key)))
                .then_some(Unselected::Namespace(namespaces)),
        }
    }
}
