//! Objects that are the same one, and the namespaces that objects are in.

use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use crate::set::Set;
use crate::world::{Found, World};
use std::collections::{HashMap, HashSet};
use vigil_yaml::Quoted;
use vigil_yaml::words::nearest;

rules! {
    TWICE "object-twice" Error Kubectl "no object is defined twice"
    MISSING "namespace-missing" Error Server "every namespace that objects are in exists"
    ASSUMED "namespace-assumed" Note Cluster "namespaces that the cluster must have are listed"
}

/// Tells of every object that is the same as one before.
pub(crate) fn twice(set: &Set<'_>, findings: &mut Findings) {
    let mut first: HashMap<_, &Object<'_>> = HashMap::with_capacity(set.objects.len());
    for object in set.objects.iter().filter(|object| !object.name.is_empty()) {
        let Some(other) = first.get(&object.identity()) else {
            first.insert(object.identity(), object);
            continue;
        };
        let (line, _) = other.node.span.line_column();
        let at = object.at(&["metadata", "name"]).unwrap_or(object.node);
        findings
            .add(&TWICE, object, at, format!("{object} is there twice"))
            .label(format!("the first one is at {}:{line}", other.node.span.source.name))
            .help("remove one of them; of two, the one that is applied last wins");
    }
}

/// Judges the namespaces that objects are in.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    let made: Vec<&str> = world.set.of_kind("", "Namespace").map(|namespace| namespace.name).collect();
    let mut told = HashSet::new();
    for object in &world.set.objects {
        let namespace = object.namespace;
        // The one that the caller named is there; and Argo CD's objects are where Argo CD is.
        let is_there =
            namespace.is_empty() || namespace == world.set.options.namespace || object.group == "argoproj.io";
        if is_there || !told.insert(namespace) || !matches!(world.find("", "Namespace", "", namespace), Found::Nowhere)
        {
            continue;
        }
        let at = object.at(&["metadata", "namespace"]).unwrap_or(object.node);
        let message = format!("nothing in the set makes the namespace {}", Quoted(namespace));
        let how = |rule| world.set.options.says_provided(&format!("Namespace {namespace}"), rule);
        if made.is_empty() {
            // Of a note there is nothing to waive.
            let note = if world.set.options.has_stack { how("") } else { "see that the cluster has it".to_owned() };
            findings.add(&ASSUMED, object, at, message).help(note);
            continue;
        }
        let finding = findings.add(&MISSING, object, at, message);
        if let Some(near) = nearest(namespace, made.iter().copied().take(200)) {
            finding.label(format!("did you mean {}?", Quoted(near)));
        }
        finding.help(format!("correct it, or add the Namespace; {}", how(MISSING.id)));
    }
}
