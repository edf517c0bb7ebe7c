//! The set of objects that is checked: every object, how to find it, and the schemas for it.

use crate::documents::Documents;
use crate::fields::items;
use crate::finding::Findings;
use crate::memory::hash;
use crate::object::{MONITORING, Object};
use crate::options::Options;
use crate::schema::builtin::Builtin;
use crate::schema::compile::add_builtin;
use crate::schema::custom;
use crate::schema::model::{Release, Schemas};
use crate::schema::served::{Known, Unserved, unserved};
use crate::schema::shipped::shipped;
use crate::version::Version;
use crate::world::program::Program;
use crate::world::template::PodTemplate;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use vigil_yaml::Node;

pub(crate) const DEFINITION: &str = "CustomResourceDefinition";

/// The objects that are checked together.
pub(crate) struct Set<'a> {
    /// All of them, in the order of the texts.
    pub(crate) objects: Vec<Object<'a>>,
    /// What is known of their kinds, for each version of Kubernetes.
    pub(crate) served: Arc<Vec<Served>>,
    /// Every document could be read.
    pub(crate) whole: bool,
    /// What the caller asked for.
    pub(crate) options: &'a Options,
    /// By kind, as there are few questions that do not begin with it.
    kinds: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Set<'a> {
    /// The set of the objects in `documents`, and what is wrong with what is none.
    pub(crate) fn new(
        documents: &'a [Arc<Documents>],
        definitions: &'a [Arc<Documents>],
        options: &'a Options,
        findings: &mut Findings,
    ) -> Self {
        documents.iter().chain(definitions).for_each(|document| document.tell(findings));
        let whole = documents.iter().all(|document| document.is_whole());
        let collected: Vec<_> = documents.par_iter().map(|document| document.objects()).collect();
        let mut objects: Vec<Object<'a>> = Vec::with_capacity(collected.len());
        for (some, found) in collected {
            objects.extend(some);
            findings.list.extend(found.list);
        }
        let served = served(&objects, definitions, options);
        objects.par_iter_mut().for_each(|object| place(object, &served, options));
        for object in &objects {
            tell_unserved(object, &served, options, findings);
        }
        Self::of(objects, served, whole, options)
    }

    /// The set of objects that are in their namespaces, with what is known of their kinds.
    pub(crate) fn of(objects: Vec<Object<'a>>, served: Arc<Vec<Served>>, whole: bool, options: &'a Options) -> Self {
        let kinds = by_kind(&objects);
        Self { objects, served, whole, options, kinds }
    }

    /// The set without those objects that are the same as one before; `None` when there are none of them.
    pub(crate) fn distinct(&self) -> Option<Self> {
        let mut seen = HashSet::with_capacity(self.objects.len());
        let is_first = |object: &&Object<'a>| object.name.is_empty() || seen.insert(object.identity());
        let objects: Vec<_> = self.objects.iter().filter(is_first).copied().collect();
        if objects.len() == self.objects.len() {
            return None;
        }
        Some(Self::of(objects, Arc::clone(&self.served), self.whole, self.options))
    }

    /// The namespace of an object; of one without a schema that names none, the one that it would be put in.
    pub(crate) fn home(&self, object: &Object<'a>) -> &'a str {
        if object.namespace.is_empty() { &self.options.namespace } else { object.namespace }
    }

    /// The objects of a kind, whatever the version.
    pub(crate) fn of_kind(&self, group: &'a str, kind: &str) -> impl Iterator<Item = &Object<'a>> {
        let indices = self.kinds.get(kind).map(Vec::as_slice).unwrap_or_default();
        indices.iter().map(|index| &self.objects[*index]).filter(move |object| object.group == group)
    }
}

/// What is known of the kinds of objects, for each version of Kubernetes.
fn served(objects: &[Object<'_>], definitions: &[Arc<Documents>], options: &Options) -> Arc<Vec<Served>> {
    let operator = operator(objects);
    let own = || objects.iter().filter(|object| object.kind == DEFINITION).map(|object| object.node);
    let make = || {
        let brought = definitions.iter().flat_map(|document| brought(document));
        let custom: Vec<_> = own().chain(brought).flat_map(custom::definitions).collect();
        let mut served = Served::all(options);
        for served in &mut served {
            served.schemas.operator = operator;
            served.meet(objects, &custom, options);
        }
        served
    };
    // Definitions of a set's own are part of what is checked.
    let Some(memory) = options.memory.as_ref().filter(|_| own().next().is_none()) else { return Arc::new(make()) };
    let kinds: BTreeSet<_> = objects.iter().map(|object| (object.group, object.version, object.kind)).collect();
    let brought: Vec<u64> = options.definitions.iter().map(|source| hash(&*source.text)).collect();
    let key = format!("{:?}", (&options.kubernetes, operator, &options.allowed_kinds, brought, kinds));
    memory.served(key, make)
}

/// The newest prometheus-operator that objects of a set run, if there is something that it reads.
fn operator(objects: &[Object<'_>]) -> Option<Release> {
    if !objects.iter().any(|object| object.group == MONITORING) {
        return None;
    }
    let specs = objects.iter().filter_map(PodTemplate::of).map(|template| template.spec);
    let programs = specs.flat_map(|spec| items(spec, "containers")).filter_map(Program::of);
    programs.filter(|program| program.name == "prometheus-operator").filter_map(|program| program.version).max()
}

fn by_kind<'a>(objects: &[Object<'a>]) -> HashMap<&'a str, Vec<usize>> {
    let mut kinds: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, object) in objects.iter().enumerate() {
        kinds.entry(object.kind).or_default().push(index);
    }
    kinds
}

/// The definitions in a text that is no part of what is checked.
pub(crate) fn brought(documents: &Documents) -> impl Iterator<Item = &Node> {
    documents.nodes.iter().filter(|node| node.get("kind").and_then(Node::text) == Some(DEFINITION))
}

/// Puts an object into its namespace.
pub(crate) fn place<'a>(object: &mut Object<'a>, served: &[Served], options: &'a Options) {
    let mut schemas = served.iter().map(|served| &served.schemas);
    let kind = schemas.find_map(|all| all.kind(object.group, object.version, object.kind));
    object.namespace = match object.at(&["metadata", "namespace"]).and_then(Node::text) {
        _ if kind.is_some_and(|kind| !kind.namespaced) => "",
        Some(namespace) if !namespace.is_empty() => namespace,
        _ if kind.is_some() => &options.namespace,
        _ => "",
    };
}

/// Says of which versions of Kubernetes an object's kind is not served.
pub(crate) fn tell_unserved(object: &Object<'_>, served: &[Served], options: &Options, findings: &mut Findings) {
    for served in served {
        if let Some(unserved) = served.unserved(object) {
            unserved.tell(object, findings);
            findings.only_in(served.schemas.version, options);
        }
    }
}

/// The kinds that were met, for one version of Kubernetes: the schemas of those that it serves, and what there is to say
/// against the others.
pub(crate) struct Served {
    pub(crate) schemas: Schemas,
    builtin: Builtin,
    named: HashMap<String, usize>,
    /// By the name of the kind: group, version, and what there is to say.
    met: HashMap<String, Vec<(String, String, Option<Unserved>)>>,
}

impl Served {
    /// None yet, for each version that is asked for.
    pub(crate) fn all(options: &Options) -> Vec<Self> {
        let of = |version: &Version| Self {
            schemas: Schemas::new(*version),
            builtin: Builtin::new(*version),
            named: HashMap::new(),
            met: HashMap::new(),
        };
        options.kubernetes.iter().map(of).collect()
    }

    /// Adds the kinds of `objects`; `custom` are all definitions of custom resources.
    pub(crate) fn meet(&mut self, objects: &[Object<'_>], custom: &[custom::Definition<'_>], options: &Options) {
        for object in objects {
            if self.find(object).is_some() {
                continue;
            }
            let gvk = (object.group, object.version, object.kind);
            let own = || custom.iter().find(|custom| (custom.group, custom.version, custom.kind) == gvk);
            // Who brings the definition of a kind means that one, with its versions.
            let is_brought = || custom.iter().any(|custom| (custom.group, custom.kind) == (gvk.0, gvk.2));
            let shipped = || if is_brought() { None } else { shipped(gvk) };
            let known = if let Some(definition) = own().copied().or_else(shipped) {
                custom::add(definition, &mut self.schemas, &mut self.named, &self.builtin);
                Known::Custom
            } else if add_builtin(&self.builtin, &mut self.schemas, &mut self.named, gvk) {
                Known::Builtin
            } else {
                Known::Not
            };
            let said = unserved(object, self.schemas.version, known, options, &self.builtin);
            let of_name = self.met.entry(object.kind.to_owned()).or_default();
            of_name.push((object.group.to_owned(), object.version.to_owned(), said));
        }
    }

    fn find(&self, object: &Object<'_>) -> Option<&Option<Unserved>> {
        let of_name = self.met.get(object.kind)?;
        let is_it = |(group, version, _): &&(String, String, _)| group == object.group && version == object.version;
        of_name.iter().find(is_it).map(|(_, _, said)| said)
    }

    fn unserved(&self, object: &Object<'_>) -> Option<&Unserved> {
        self.find(object)?.as_ref()
    }
}
