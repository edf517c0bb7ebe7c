//! The Grafanas of a set, and the side-cars that fetch for them.

use crate::object::{Labels, Object};
use crate::set::Set;
use crate::world::program::Program;
use crate::world::template::PodTemplate;
use std::collections::HashSet;
use vigil_yaml::Node;

/// A container of Grafana's pods that fetches objects with a label.
#[derive(Clone, Copy, Debug)]
pub(super) struct SideCar<'a> {
    label: &'a str,
    value: Option<&'a str>,
    /// As its variable says it; its own namespace without one.
    namespaces: Option<&'a str>,
    /// The variable has a value that is not known here.
    anywhere: bool,
    own: &'a str,
}

impl<'a> SideCar<'a> {
    fn of(container: &'a Node, own: &'a str) -> Option<Self> {
        let program = Program::of(container)?;
        let value = |name: &str| program.value(name);
        value("FOLDER")?;
        let namespaces = value("NAMESPACE").filter(|namespaces| !namespaces.is_empty());
        Some(Self {
            label: value("LABEL")?,
            value: value("LABEL_VALUE").filter(|value| !value.is_empty()),
            namespaces,
            anywhere: namespaces == Some("ALL") || (namespaces.is_none() && program.variable("NAMESPACE").is_some()),
            own,
        })
    }

    /// Whether it looks for objects with such labels.
    pub(super) fn wants(&self, labels: Labels<'_>) -> bool {
        labels.get(self.label).is_some_and(|found| self.value.is_none_or(|value| value == found))
    }

    /// Whether it sees a namespace.
    pub(super) fn sees(&self, namespace: &str) -> bool {
        let listed = || match self.namespaces {
            Some(names) => names.split(',').any(|name| name.trim() == namespace),
            None => namespace == self.own,
        };
        self.anywhere || listed()
    }

    /// The namespaces it sees, for messages.
    pub(super) fn seen(&self) -> &'a str {
        self.namespaces.unwrap_or(self.own)
    }

    pub(super) fn label(&self) -> &'a str {
        self.label
    }
}

/// A Grafana of the set.
pub(super) struct Grafana<'a> {
    pub(super) object: Object<'a>,
    pub(super) side_cars: Vec<SideCar<'a>>,
}

/// All that run Grafana.
pub(super) fn grafanas<'a>(set: &Set<'a>) -> Vec<Grafana<'a>> {
    let mut grafanas: Vec<Grafana<'a>> = Vec::new();
    let mut known = HashSet::new();
    for object in ["Deployment", "StatefulSet", "DaemonSet"].iter().flat_map(|kind| set.of_kind("apps", kind)) {
        let Some(template) = PodTemplate::of(object) else { continue };
        // Of two with one identity only the last is in the cluster; which that is, is not the question here.
        let is_grafana = template.containers().filter_map(Program::of).any(|program| program.is_grafana());
        if is_grafana && known.insert((object.namespace, object.name)) {
            let side_cars = template.containers().filter_map(|container| SideCar::of(container, object.namespace));
            grafanas.push(Grafana { object: *object, side_cars: side_cars.collect() });
        }
    }
    grafanas
}
