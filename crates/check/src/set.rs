//! The set of objects that is checked: every object, how to find it, and the schemas for it.

use crate::documents::Documents;
use crate::finding::Findings;
use crate::object::Object;
use crate::options::Options;
use crate::schema::builtin::Builtin;
use crate::schema::compile::add_builtin;
use crate::schema::custom;
use crate::schema::model::Schemas;
use crate::schema::served::{Known, Unserved, unserved};
use crate::schema::shipped::shipped;
use crate::version::Version;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use vigil_yaml::Node;

const DEFINITION: &str = "CustomResourceDefinition";

/// The objects that are checked together.
pub(crate) struct Set<'a> {
    /// All of them, in the order of the texts.
    pub(crate) objects: Vec<Object<'a>>,
    /// Their schemas, for each version of Kubernetes.
    pub(crate) schemas: Arc<Vec<Schemas>>,
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
        documents: &'a [Documents],
        definitions: &'a [Documents],
        options: &'a Options,
        findings: &mut Findings,
    ) -> Self {
        documents.iter().chain(definitions).for_each(|document| document.tell(findings));
        let whole = documents.iter().all(Documents::is_whole);
        let collected: Vec<_> = documents.par_iter().map(Documents::objects).collect();
        let mut objects: Vec<Object<'a>> = Vec::with_capacity(collected.len());
        for (some, found) in collected {
            objects.extend(some);
            findings.list.extend(found.list);
        }
        let own = objects.iter().filter(|object| object.kind == DEFINITION).map(|object| object.node);
        let others = definitions.iter().flat_map(|document| &document.nodes);
        let others = others.filter(|node| node.get("kind").and_then(Node::text) == Some(DEFINITION));
        let custom: Vec<_> = own.chain(others).flat_map(custom::definitions).collect();
        let (schemas, judged): (Vec<Schemas>, Vec<Judged<'a>>) =
            options.kubernetes.iter().map(|version| schemas(&objects, &custom, *version, options)).unzip();
        objects.par_iter_mut().for_each(|object| {
            let kind = schemas.iter().find_map(|all| all.kind(object.group, object.version, object.kind));
            object.namespace = match object.at(&["metadata", "namespace"]).and_then(Node::text) {
                _ if kind.is_some_and(|kind| !kind.namespaced) => "",
                Some(namespace) if !namespace.is_empty() => namespace,
                _ if kind.is_some() => &options.namespace,
                _ => "",
            };
        });
        for (version, judged) in options.kubernetes.iter().zip(&judged) {
            for object in &objects {
                if let Some(Some(unserved)) = judged.get(&(object.group, object.version, object.kind)) {
                    unserved.tell(object, findings);
                    findings.only_in(*version, options);
                }
            }
        }
        let kinds = by_kind(&objects);
        Self { objects, schemas: Arc::new(schemas), whole, options, kinds }
    }

    /// The set without those objects that are the same as one before; `None` when there are none of them.
    pub(crate) fn distinct(&self) -> Option<Self> {
        let mut seen = HashSet::with_capacity(self.objects.len());
        let is_first = |object: &&Object<'a>| object.name.is_empty() || seen.insert(object.identity());
        let objects: Vec<_> = self.objects.iter().filter(is_first).copied().collect();
        if objects.len() == self.objects.len() {
            return None;
        }
        let kinds = by_kind(&objects);
        Some(Self { objects, schemas: Arc::clone(&self.schemas), whole: self.whole, options: self.options, kinds })
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

fn by_kind<'a>(objects: &[Object<'a>]) -> HashMap<&'a str, Vec<usize>> {
    let mut kinds: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, object) in objects.iter().enumerate() {
        kinds.entry(object.kind).or_default().push(index);
    }
    kinds
}

/// Group, version and kind of the objects, and what there is to say against each.
type Judged<'a> = HashMap<(&'a str, &'a str, &'a str), Option<Unserved>>;

/// The schemas of the kinds of `objects`, for one version of Kubernetes, and which of them it does not serve.
fn schemas<'a>(
    objects: &[Object<'a>],
    custom: &[custom::Definition<'_>],
    version: Version,
    options: &Options,
) -> (Schemas, Judged<'a>) {
    let builtin = Builtin::new(version);
    let mut schemas = Schemas::new(version);
    let mut named = HashMap::new();
    let mut judged = HashMap::new();
    for object in objects {
        let gvk = (object.group, object.version, object.kind);
        judged.entry(gvk).or_insert_with(|| {
            let own = || custom.iter().find(|custom| (custom.group, custom.version, custom.kind) == gvk);
            // Who brings the definition of a kind means that one, with its versions.
            let is_brought = || custom.iter().any(|custom| (custom.group, custom.kind) == (gvk.0, gvk.2));
            let shipped = || if is_brought() { None } else { shipped(gvk) };
            let known = if let Some(definition) = own().copied().or_else(shipped) {
                custom::add(definition, &mut schemas, &mut named, &builtin);
                Known::Custom
            } else if add_builtin(&builtin, &mut schemas, &mut named, gvk) {
                Known::Builtin
            } else {
                Known::Not
            };
            unserved(object, version, known, options, &builtin)
        });
    }
    (schemas, judged)
}
