//! The Grafanas of a set, and the side-cars that fetch for them.

use crate::object::{Labels, Object};
use crate::set::Set;
use crate::world::program::Program;
use crate::world::template::PodTemplate;
use std::collections::HashSet;
use vigil_yaml::Node;

/// A container of Grafana's pods that fetches objects with a label.
#[derive(Debug)]
pub(crate) struct SideCar {
    label: String,
    value: Option<String>,
    /// As its variable says it; its own namespace without one.
    namespaces: Option<String>,
    /// The variable has a value that is not known here.
    anywhere: bool,
    own: String,
}

impl SideCar {
    fn of(container: &Node, own: &str) -> Option<Self> {
        let program = Program::of(container)?;
        let value = |name: &str| program.value(name);
        value("FOLDER")?;
        let namespaces = value("NAMESPACE").filter(|namespaces| !namespaces.is_empty());
        Some(Self {
            label: value("LABEL")?.to_owned(),
            value: value("LABEL_VALUE").filter(|value| !value.is_empty()).map(str::to_owned),
            namespaces: namespaces.map(str::to_owned),
            anywhere: namespaces == Some("ALL") || (namespaces.is_none() && program.variable("NAMESPACE").is_some()),
            own: own.to_owned(),
        })
    }

    /// Whether it looks for objects with such labels.
    pub(crate) fn wants(&self, labels: Labels<'_>) -> bool {
        labels.get(&self.label).is_some_and(|found| self.value.as_ref().is_none_or(|value| value == found))
    }

    /// Whether it sees a namespace.
    pub(crate) fn sees(&self, namespace: &str) -> bool {
        let listed = || match &self.namespaces {
            Some(names) => names.split(',').any(|name| name.trim() == namespace),
            None => namespace == self.own,
        };
        self.anywhere || listed()
    }

    /// The namespaces it sees, for messages.
    pub(crate) fn seen(&self) -> &str {
        self.namespaces.as_ref().unwrap_or(&self.own)
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }
}

/// A Grafana of the set, and what it fetches.
#[derive(Debug)]
pub(crate) struct Grafana {
    pub(crate) namespace: String,
    name: String,
    pub(crate) side_cars: Vec<SideCar>,
}

impl Grafana {
    /// The one that an object runs.
    pub(crate) fn of(object: &Object<'_>) -> Option<Self> {
        let is_workload = ["Deployment", "StatefulSet", "DaemonSet"].iter().any(|kind| object.is("apps", kind));
        let template = PodTemplate::of(object).filter(|_| is_workload)?;
        let is_grafana = template.containers().filter_map(Program::of).any(|program| program.is_grafana());
        is_grafana.then(|| Self {
            namespace: object.namespace.to_owned(),
            name: object.name.to_owned(),
            side_cars: template.containers().filter_map(|it| SideCar::of(it, object.namespace)).collect(),
        })
    }

    /// Whether one of its side-cars loads an object.
    pub(crate) fn loads(&self, object: &Object<'_>) -> bool {
        self.side_cars.iter().any(|it| it.wants(object.labels()) && it.sees(object.namespace))
    }

    /// Each once. Of two with one identity only the last is in the cluster; which that is, is not the question here.
    pub(crate) fn distinct(all: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut known = HashSet::new();
        all.filter(|it| known.insert((it.namespace.clone(), it.name.clone()))).collect()
    }

    /// All of a set.
    pub(crate) fn all(set: &Set<'_>) -> Vec<Self> {
        let workloads = ["Deployment", "StatefulSet", "DaemonSet"].iter().flat_map(|kind| set.of_kind("apps", kind));
        Self::distinct(workloads.filter_map(Self::of))
    }
}
