//! What the cluster will hold once a set is applied: what the set makes, and what comes by itself.
//!
//! It is built once for a check. The rules ask it, and it knows none of them.
//!
//! - [`template`]: what an object says of the pods it makes; [`pods`]: the pods there will be.
//! - [`services`]: the Services, and where their ports lead.
//! - [`namespaces`]: the namespaces, and which of them may hold more than the set shows.
//! - [`operator`]: what the Prometheus operator makes; [`provided`]: what every cluster has; [`foreign`]: kinds whose
//!   controllers are not known; [`runtime`]: what something in the set creates when it runs.
//! - [`uses`]: every ConfigMap, Secret and so on that an object asks for, and how; [`readers`]: who reads it then;
//!   [`volumes`]: the files that it becomes.
//! - [`grafanas`]: the Grafanas, and which objects their side-cars load.
//! - [`addresses`]: the Service that a URL means.
//! - [`scrapes`]: what a monitor scrapes; [`selection`]: who takes a monitor, a rule or a route.

pub(crate) mod addresses;
pub(crate) mod foreign;
pub(crate) mod grafanas;
pub(crate) mod namespaces;
pub(crate) mod operator;
pub(crate) mod pods;
pub(crate) mod program;
pub(crate) mod provided;
pub(crate) mod readers;
pub(crate) mod runtime;
pub(crate) mod scrapes;
pub(crate) mod selection;
pub(crate) mod services;
pub(crate) mod template;
pub(crate) mod uses;
pub(crate) mod volumes;

use crate::fields::text;
use crate::object::Object;
use crate::selector::{Labelled, Selector};
use crate::set::Set;
use namespaces::{NAME, Namespaces, Scope};
use pods::{Pod, VERSION, varies};
use runtime::{Keys, Makers};
use services::{Service, ServicePort, Target};
use std::collections::{HashMap, HashSet};
use uses::Use;
use vigil_forms::selector::Label;

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

/// What the cluster will hold.
pub(crate) struct World<'a> {
    /// The set it is made of, without an object that is there twice.
    pub(crate) set: &'a Set<'a>,
    /// Pods, by the numbers that [`World::select`] gives.
    pub(crate) pods: Vec<Pod<'a>>,
    pub(crate) services: Vec<Service<'a>>,
    pub(crate) namespaces: Namespaces<'a>,
    /// What objects ask for by name.
    pub(crate) uses: Vec<Use<'a>>,
    pods_by_label: Labelled<'a>,
    services_by_label: Labelled<'a>,
    services_by_name: HashMap<(&'a str, &'a str), usize>,
    names: HashMap<(&'a str, &'a str, &'a str, &'a str), usize>,
    provided: HashSet<(&'a str, &'a str, &'a str)>,
    /// Namespaces and names of objects that a controller may make pods for.
    foreign: HashSet<(&'a str, &'a str)>,
    makers: Makers<'a>,
    /// The pods that an object makes, by its number in the set.
    made: HashMap<usize, usize>,
    /// The uses of an object, by kind, namespace and name.
    used: HashMap<(&'static str, &'a str, &'a str), Vec<usize>>,
}

impl<'a> World<'a> {
    /// What a set makes of a cluster.
    pub(crate) fn new(set: &'a Set<'a>) -> Self {
        let mut world = Self {
            set,
            pods: Vec::new(),
            services: Vec::new(),
            namespaces: Namespaces::new(set.options),
            uses: uses::collect(set),
            pods_by_label: Labelled::default(),
            services_by_label: Labelled::default(),
            services_by_name: HashMap::new(),
            names: HashMap::with_capacity(set.objects.len()),
            provided: set.options.provided.iter().map(|it| (&*it.kind, &*it.namespace, &*it.name)).collect(),
            foreign: HashSet::new(),
            makers: Makers::new(set),
            made: HashMap::new(),
            used: HashMap::new(),
        };
        let mut made = Vec::new();
        for (number, object) in set.objects.iter().enumerate() {
            // The first of two counts; that there are two is told elsewhere.
            world.names.entry(object.identity()).or_insert(number);
            let home = set.home(object);
            let is_foreign = foreign::may_make_pods(object);
            world.namespaces.add(object, is_foreign);
            if object.is("", "Service") {
                world.add_service(Service::of(object));
            } else if let Some(pod) = Pod::of(object, home).or_else(|| operator::pods(object)) {
                world.made.insert(number, world.pods.len());
                world.add_pod(pod);
            } else if is_foreign {
                world.foreign.insert((home, object.name));
            }
            made.extend(operator::service(object));
        }
        for labels in provided::SYSTEM_PODS {
            world.add_pod(provided::system_pod(labels));
        }
        made.into_iter()
            .chain(provided::services())
            .chain(operator::kubelet_services(set))
            .for_each(|it| world.add_made(it));
        for (number, it) in world.uses.iter().enumerate() {
            world.used.entry((it.of.kind().1, it.namespace, it.name)).or_default().push(number);
        }
        world
    }

    fn add_pod(&mut self, pod: Pod<'a>) {
        self.pods_by_label.add(self.pods.len(), pod.namespace, pod.labels.iter().copied());
        self.pods.push(pod);
    }

    fn add_service(&mut self, service: Service<'a>) {
        let number = self.services.len();
        self.services_by_label.add(number, service.namespace, service.labels.iter());
        self.services_by_name.entry((service.namespace, service.name)).or_insert(number);
        self.services.push(service);
    }

    /// Adds a Service that no manifest makes. One that the set has is that one; of two that are made, which share it,
    /// the ports count.
    fn add_made(&mut self, service: Service<'a>) {
        match self.services_by_name.get(&(service.namespace, service.name)) {
            None => self.add_service(service),
            Some(number) if self.services[*number].object.is_none() => {
                self.services[*number].ports.extend(service.ports);
            }
            Some(_) => {}
        }
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
        let is_made = kind == "Service" && self.service(namespace, name).is_some();
        if is_made || self.provided.contains(&(kind, namespace, name)) || self.provided.contains(&(kind, "", name)) {
            return Found::Elsewhere(Keys::Any);
        }
        match self.makers.find(kind, namespace, name) {
            Some(keys) => Found::Elsewhere(keys),
            None => Found::Nowhere,
        }
    }

    /// The Service of that name.
    pub(crate) fn service(&self, namespace: &str, name: &str) -> Option<&Service<'a>> {
        self.services.get(*self.services_by_name.get(&(namespace, name))?)
    }

    /// The pods in a namespace that are selected.
    pub(crate) fn select(&self, namespace: &str, selector: Selector<'_>) -> Vec<usize> {
        let mut pods = self.pods_by_label.candidates(namespace, selector, |key| varies(key) || key == VERSION);
        pods.retain(|pod| selector.selects(|key| self.pods[*pod].label(key)));
        pods
    }

    /// The pods that are selected in some namespaces, in the order of the set.
    pub(crate) fn select_in(&self, scope: &Scope<'_>, selector: Selector<'_>) -> Vec<usize> {
        let mut pods: Vec<usize> = match scope {
            Scope::These(names) => names.iter().flat_map(|name| self.select(name, selector)).collect(),
            Scope::All => self.pods_by_label.namespaces().flat_map(|name| self.select(name, selector)).collect(),
        };
        pods.sort_unstable();
        pods.dedup();
        pods
    }

    /// The Services that are selected in some namespaces, in the order of the set.
    pub(crate) fn select_services(&self, scope: &Scope<'_>, selector: Selector<'_>) -> Vec<&Service<'a>> {
        let of = |name: &str| {
            let mut found = self.services_by_label.candidates(name, selector, |_| false);
            found.retain(|number| selector.selects_labels(|key| self.services[*number].label(key)));
            found
        };
        let mut numbers: Vec<usize> = match scope {
            Scope::These(names) => names.iter().flat_map(|name| of(name)).collect(),
            Scope::All => self.services_by_label.namespaces().flat_map(of).collect(),
        };
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().map(|number| &self.services[number]).collect()
    }

    /// The pods behind a Service; none where nothing says which these are.
    pub(crate) fn behind(&self, service: &Service<'a>) -> Vec<usize> {
        if service.selector.is_empty() {
            return Vec::new();
        }
        self.select(service.namespace, Selector::plain(service.selector))
    }

    /// The pods behind a port of a Service, and their ports.
    pub(crate) fn behind_port(&self, service: &Service<'a>, port: &ServicePort<'a>) -> Vec<(usize, i64)> {
        let number = |pod: usize| match port.target() {
            Target::Number(number) => Some(number),
            Target::Name(name) => self.pods[pod].port(name, port.protocol),
        };
        self.behind(service).into_iter().filter_map(|pod| Some((pod, number(pod)?))).collect()
    }

    /// The pods that an object of the set makes, by its number.
    pub(crate) fn made_by(&self, object: usize) -> Option<usize> {
        self.made.get(&object).copied()
    }

    /// Everything that asks for an object.
    pub(crate) fn uses_of<'s>(
        &'s self,
        kind: &'static str,
        namespace: &'s str,
        name: &'s str,
    ) -> impl Iterator<Item = &'s Use<'a>> {
        let numbers = self.used.get(&(kind, namespace, name)).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().map(|number| &self.uses[*number])
    }

    /// Whether the set makes any pods in a namespace.
    pub(crate) fn has_pods(&self, namespace: &str) -> bool {
        self.pods_by_label.all(namespace).iter().any(|pod| self.pods[*pod].object.is_some())
    }

    /// Whether any pod in a namespace has a label with this key.
    pub(crate) fn has_key(&self, namespace: &str, key: &str) -> bool {
        self.pods_by_label.has_key(namespace, key)
    }

    /// Whether any pod in a namespace has this label.
    pub(crate) fn has_label(&self, namespace: &str, key: &str, value: &str) -> bool {
        varies(key) || key == VERSION || !self.pods_by_label.with(namespace, key, value).is_empty()
    }

    /// The values that a label of pods in a namespace has; not of all when they are many.
    pub(crate) fn values_of(&self, namespace: &str, key: &str) -> Vec<&'a str> {
        let pods = self.pods_by_label.all(namespace).iter().take(MANY).map(|pod| &self.pods[*pod]);
        pods.filter_map(|pod| pod.written_label(key)).collect()
    }

    /// Whether pods may come of a custom resource whose controller is not known: it has the name that a selector asks
    /// for.
    pub(crate) fn is_foreign(&self, namespace: &str, selector: Selector<'_>) -> bool {
        selector.labels().iter().any(|(_, value)| self.foreign.contains(&(namespace, value)))
    }

    /// What is known of a label of a namespace; of one that the set does not make, only its name is.
    pub(crate) fn namespace_label(&self, namespace: &'a str, key: &str) -> Label<'a> {
        if key == NAME {
            return Label::Is(namespace);
        }
        match self.object("", "Namespace", "", namespace) {
            Some(object) => Label::of(object.labels().get(key)),
            None => Label::Unknown,
        }
    }

    /// The keys of a ConfigMap or Secret, wherever it is; nothing when it is nowhere.
    pub(crate) fn keys(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Keys<'a>> {
        match self.find(group, kind, namespace, name) {
            Found::Here(object) => Some(keys_of(object)),
            Found::Elsewhere(keys) => Some(keys),
            Found::Nowhere => None,
        }
    }
}

/// Names beyond which nothing is guessed.
pub(crate) const MANY: usize = 200;

/// The keys that a ConfigMap or Secret of the set has.
fn keys_of<'a>(object: &'a Object<'a>) -> Keys<'a> {
    let maps = match object.kind {
        "ConfigMap" => ["data", "binaryData"],
        "Secret" => ["data", "stringData"],
        _ => return Keys::Any,
    };
    let is_token = text(object.node, "type") == Some("kubernetes.io/service-account-token");
    let keys = maps.iter().filter_map(|map| object.at(&[map])).flat_map(vigil_yaml::Node::entries);
    let keys: Vec<&str> = keys.map(|entry| entry.key.text.as_str()).collect();
    // An empty one is a place that a controller writes to, as those of webhooks' certificates are.
    if keys.is_empty() || is_token { Keys::Any } else { Keys::These(keys) }
}
