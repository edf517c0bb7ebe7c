//! Finding things in the set: objects by name, pods and Services by their labels. Built once, in one pass.

use super::makers::{Keys, Makers};
use super::pods::{Pod, is_foreign, pods_of, varies};
use super::uses::{self, Use};
use super::{operator, provided};
use crate::finding::{Finding, Findings};
use crate::object::Object;
use crate::rule::Rule;
use crate::selector::{Labelled, Selector};
use crate::set::Set;
use std::collections::{HashMap, HashSet};
use vigil_forms::selector::Label;
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

/// Where an object is that something refers to.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// In the set.
    Here(&'a Object<'a>),
    /// In the cluster, with these keys.
    Elsewhere(Keys<'a>),
    /// Nowhere.
    Nowhere,
}

/// The set, ready to be asked.
pub(crate) struct Index<'a> {
    /// The set itself.
    pub(crate) set: &'a Set<'a>,
    /// Pods, by the numbers that [`Index::select`] gives.
    pub(crate) pods: Vec<Pod<'a>>,
    by_labels: Labelled<'a>,
    services: Labelled<'a>,
    names: HashMap<(&'a str, &'a str, &'a str, &'a str), usize>,
    provided: HashSet<(&'a str, &'a str, &'a str)>,
    /// Names of objects that an operator may make pods for.
    operated: HashSet<(&'a str, &'a str)>,
    makers: Makers<'a>,
    /// What objects ask for by name.
    pub(crate) uses: Vec<Use<'a>>,
}

impl<'a> Index<'a> {
    /// The index of a set.
    pub(crate) fn new(set: &'a Set<'a>) -> Self {
        let mut index = Self {
            set,
            pods: Vec::new(),
            by_labels: Labelled::default(),
            services: Labelled::default(),
            names: HashMap::with_capacity(set.objects.len()),
            provided: set.options.provided.iter().map(|it| (&*it.kind, &*it.namespace, &*it.name)).collect(),
            operated: HashSet::new(),
            makers: Makers::new(set),
            uses: uses::collect(set),
        };
        for (number, object) in set.objects.iter().enumerate() {
            // The first of two counts; that there are two is told elsewhere.
            index.names.entry(object.identity()).or_insert(number);
            if object.is("", "Service") {
                index.services.add(number, object.namespace, object.labels().iter());
            }
            if let Some(pod) = pods_of(object, set.home(object)) {
                index.add_pod(pod);
            } else if is_foreign(object) {
                index.operated.insert((set.home(object), object.name));
            }
        }
        for labels in provided::SYSTEM_PODS {
            index.add_pod(Pod {
                object: None,
                spec: None,
                namespace: "kube-system",
                labels: labels.to_vec(),
                ports: Vec::new(),
                ports_known: false,
            });
        }
        index
    }

    fn add_pod(&mut self, pod: Pod<'a>) {
        self.by_labels.add(self.pods.len(), pod.namespace, pod.labels.iter().copied());
        self.pods.push(pod);
    }

    /// The objects of a kind that can be judged: those of texts without mistakes.
    pub(crate) fn judged(&self, group: &'a str, kind: &str) -> impl Iterator<Item = &'a Object<'a>> {
        self.set.of_kind(group, kind).filter(|object| !object.damaged)
    }

    /// The object of this kind and name in the set.
    pub(crate) fn object(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&'a Object<'a>> {
        self.names.get(&(group, kind, namespace, name)).map(|number| &self.set.objects[*number])
    }

    /// The number of the object in the set that something refers to by this name.
    pub(crate) fn number(&self, object: &Object<'_>) -> Option<usize> {
        self.names.get(&(object.group, object.kind, object.namespace, object.name)).copied()
    }

    /// Where the object is that something refers to.
    pub(crate) fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Found<'a> {
        if let Some(object) = self.object(group, kind, namespace, name) {
            return Found::Here(object);
        }
        if provided::has(kind, namespace, name) {
            return Found::Elsewhere(provided::keys(kind, name));
        }
        if self.provided.contains(&(kind, namespace, name)) || self.provided.contains(&(kind, "", name)) {
            return Found::Elsewhere(Keys::Any);
        }
        let exists = |kind| self.set.of_kind(operator::GROUP, kind).any(|object| object.namespace == namespace);
        if kind == "Service" && operator::makes_service(name, exists) {
            return Found::Elsewhere(Keys::Any);
        }
        match self.makers.find(kind, namespace, name) {
            Some(keys) => Found::Elsewhere(keys),
            None => Found::Nowhere,
        }
    }

    /// The pods in a namespace that are selected.
    pub(crate) fn select(&self, namespace: &str, selector: Selector<'_>) -> Vec<usize> {
        let mut pods = self.by_labels.candidates(namespace, selector, varies);
        pods.retain(|pod| selector.selects(|key| self.pods[*pod].label(key)));
        pods
    }

    /// The Services in a namespace that are selected.
    pub(crate) fn select_services(&self, namespace: &str, selector: Selector<'_>) -> Vec<&'a Object<'a>> {
        let numbers = self.services.candidates(namespace, selector, |_| false);
        let services = numbers.into_iter().map(|number| &self.set.objects[number]);
        services.filter(|service| selector.selects(|key| label_of(service, key))).collect()
    }

    /// The namespaces that hold Services.
    pub(crate) fn namespaces_of_services(&self) -> impl Iterator<Item = &'a str> {
        self.services.namespaces()
    }

    /// The namespaces that hold pods.
    pub(crate) fn namespaces_of_pods(&self) -> impl Iterator<Item = &'a str> {
        self.by_labels.namespaces()
    }

    /// Whether the set makes any pods in a namespace.
    pub(crate) fn has_pods(&self, namespace: &str) -> bool {
        self.by_labels.all(namespace).iter().any(|pod| self.pods[*pod].object.is_some())
    }

    /// Whether any pod in a namespace has a label with this key.
    pub(crate) fn has_key(&self, namespace: &str, key: &str) -> bool {
        self.by_labels.has_key(namespace, key)
    }

    /// Whether any pod in a namespace has this label.
    pub(crate) fn has_label(&self, namespace: &str, key: &str, value: &str) -> bool {
        varies(key) || !self.by_labels.with(namespace, key, value).is_empty()
    }

    /// The values that a label of pods in a namespace has; not of all when they are many.
    pub(crate) fn values_of(&self, namespace: &str, key: &str) -> Vec<&'a str> {
        let pods = self.by_labels.all(namespace).iter().take(MANY).map(|pod| &self.pods[*pod]);
        pods.flat_map(|pod| &pod.labels).filter(|(own, _)| *own == key).map(|(_, value)| *value).collect()
    }

    /// Whether pods may come of a custom resource whose operator is not known: it has the name that a selector asks for.
    pub(crate) fn is_operated(&self, namespace: &str, selector: Selector<'_>) -> bool {
        selector.labels().iter().any(|(_, value)| self.operated.contains(&(namespace, value)))
    }

    /// Adds the finding that what `at` names is nowhere.
    pub(crate) fn missing<'f>(
        &self,
        findings: &'f mut Findings,
        rule: &'static Rule,
        object: &Object<'_>,
        at: &Node,
        wanted: Wanted<'_>,
    ) -> &'f mut Finding {
        let Wanted { group, kind, namespace, name } = wanted;
        let place = if namespace.is_empty() { String::new() } else { format!(" in namespace {}", Quoted(namespace)) };
        let message = format!("there is no {kind} {}{place}", Quoted(name));
        let known = || self.set.of_kind(group, kind).filter(|other| other.namespace == namespace).take(MANY);
        let elsewhere = || self.set.of_kind(group, kind).take(MANY).find(|other| other.name == name);
        let names: Vec<&str> = known().map(|other| other.name).collect();
        let slash = if namespace.is_empty() { "" } else { "/" };
        let finding = findings.add(rule, object, at, message);
        if let Some(near) = nearest(name, names.iter().copied()) {
            finding.label(format!("did you mean {}?", Quoted(near)));
        } else if let Some(other) = elsewhere() {
            finding.label(format!("there is one in namespace {}", Quoted(other.namespace)));
        }
        finding.help(format!(
            "correct the name or add the {kind}; if the cluster has it already, list `{kind} {namespace}{slash}{name}` \
             under `checks.provided` in stack.yaml"
        ))
    }
}

/// Names beyond which nothing is guessed.
pub(crate) const MANY: usize = 200;

/// What is referred to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) group: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// What is known of a label of an object.
fn label_of<'a>(object: &Object<'a>, key: &str) -> Label<'a> {
    Label::of(object.labels().get(key))
}
