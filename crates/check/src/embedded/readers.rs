//! Which programs read which ConfigMaps and Secrets.

use crate::object::{Labels, Object};
use crate::pods::PodTemplate;
use crate::program::Program;
use crate::set::Set;
use std::collections::{HashMap, HashSet};
use vigil_yaml::Node;

/// All readers, by kind, namespace and name of what they read.
pub(crate) struct Readers<'a>(HashMap<(&'static str, &'a str, &'a str), Vec<Program<'a>>>);

impl<'a> Readers<'a> {
    pub(super) fn new(set: &Set<'a>) -> Self {
        let mut readers: HashMap<_, Vec<Program<'a>>> = HashMap::new();
        let mut seen = HashSet::new();
        for object in &set.objects {
            let Some(template) = PodTemplate::of(object) else { continue };
            if !object.name.is_empty() && !seen.insert(object.identity()) {
                continue;
            }
            for volume in template.volumes() {
                let Some(name) = volume.get("name").and_then(Node::text) else { continue };
                let projected = volume.at(&["projected", "sources"]).map(Node::items).unwrap_or_default();
                for source in std::iter::once(volume).chain(projected) {
                    let config_map = || source.at(&["configMap", "name"]).and_then(Node::text);
                    let secret = || source.at(&["secret", "secretName"]).or_else(|| source.at(&["secret", "name"]));
                    let key = match (config_map(), secret().and_then(Node::text)) {
                        (Some(name), _) => ("ConfigMap", object.namespace, name),
                        (_, Some(name)) => ("Secret", object.namespace, name),
                        _ => continue,
                    };
                    let mounts = |container: &&Node| {
                        let mounts = container.get("volumeMounts").map(Node::items).unwrap_or_default();
                        mounts.iter().any(|mount| mount.get("name").and_then(Node::text) == Some(name))
                    };
                    let found = template.containers().filter(mounts);
                    let found = found.filter_map(Program::of);
                    readers.entry(key).or_default().extend(found);
                }
            }
        }
        Self(readers)
    }

    /// Who reads an object.
    pub(crate) fn of(&self, object: &Object<'a>) -> &[Program<'a>] {
        let kind = if object.kind == "Secret" { "Secret" } else { "ConfigMap" };
        self.0.get(&(kind, object.namespace, object.name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether some program of that name reads an object.
    pub(crate) fn is_read_by(&self, object: &Object<'a>, is: impl Fn(&str) -> bool) -> bool {
        self.of(object).iter().any(|reader| is(reader.name))
    }
}

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
        let mut programs = template.containers().filter_map(Program::of);
        // Of two with one identity only the last is in the cluster; which that is, is not the question here.
        if programs.any(|program| program.is_grafana()) && known.insert((object.namespace, object.name)) {
            let side_cars = template.containers().filter_map(|container| SideCar::of(container, object.namespace));
            grafanas.push(Grafana { object: *object, side_cars: side_cars.collect() });
        }
    }
    grafanas
}
