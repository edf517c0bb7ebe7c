//! What is said of what is not there: an object that something names, and pods that something selects.

use super::identity::ASSUMED;
use crate::finding::{Finding, Findings};
use crate::object::Object;
use crate::rule::Rule;
use crate::selector::Selector;
use crate::world::addresses::Wrong;
use crate::world::namespaces::Scope;
use crate::world::{MANY, World};
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

/// What is referred to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// Adds the finding that what `at` names is nowhere.
pub(super) fn missing<'f>(
    world: &World<'_>,
    findings: &'f mut Findings,
    rule: &'static Rule,
    object: &Object<'_>,
    at: &Node,
    wanted: Wanted<'_>,
) -> &'f mut Finding {
    let Wanted { group, kind, namespace, name } = wanted;
    let place = if namespace.is_empty() { String::new() } else { format!(" in namespace {}", Quoted(namespace)) };
    let message = format!("there is no {kind} {}{place}", Quoted(name));
    let known = || world.set.of_kind(group, kind).filter(|other| other.namespace == namespace).take(MANY);
    let elsewhere = || world.set.of_kind(group, kind).take(MANY).find(|other| other.name == name);
    let names: Vec<&str> = known().map(|other| other.name).collect();
    if world.namespaces.is_beyond(namespace) && elsewhere().is_none() {
        return beyond(findings, object, at, namespace, &format!("the {kind} {name}"));
    }
    let slash = if namespace.is_empty() { "" } else { "/" };
    let finding = findings.add(rule, object, at, message);
    if let Some(near) = nearest(name, names.iter().copied()) {
        finding.label(format!("did you mean {}?", Quoted(near)));
    } else if let Some(other) = elsewhere() {
        finding.label(format!("there is one in namespace {}", Quoted(other.namespace)));
    }
    let provided = world.set.options.says_provided(&format!("{kind} {namespace}{slash}{name}"), rule.id);
    finding.help(format!("correct the name or add the {kind}; {provided}"))
}

/// Notes that what `at` leads to is in a namespace of which the set holds nothing: other manifests make it, or nobody.
pub(super) fn beyond<'f>(
    findings: &'f mut Findings,
    object: &Object<'_>,
    at: &Node,
    namespace: &str,
    what: &str,
) -> &'f mut Finding {
    let message = format!("nothing in the set is in the namespace {}", Quoted(namespace));
    findings.add(&ASSUMED, object, at, message).help(format!(
        "see that the cluster has {what} there, or check the manifests of that namespace together with these"
    ))
}

/// The rule that a wrong address breaks: `rule`, or none but a note where the set cannot tell.
pub(crate) fn rule_of(wrong: &Wrong, rule: &'static Rule) -> &'static Rule {
    if wrong.is_beyond { &ASSUMED } else { rule }
}

/// Says that a selector selects no pods, and which of its labels is to blame.
pub(super) fn nothing_selected(
    world: &World<'_>,
    rule: &'static Rule,
    object: &Object<'_>,
    namespace: &str,
    at: &Node,
    selector: Selector<'_>,
    findings: &mut Findings,
) {
    let strange = selector.labels().iter().find(|(key, value)| !world.has_label(namespace, key, value));
    let message = format!("no pods in namespace {} are selected", Quoted(namespace));
    let finding = findings.add(rule, object, at, message);
    match strange {
        Some((key, value)) => {
            let values = world.values_of(namespace, key);
            let near = nearest(value, values.iter().copied());
            let near = near.map(|near| format!("; did you mean {}?", Quoted(near))).unwrap_or_default();
            finding.label(format!("no pod there has {}{near}", Quoted(&format!("{key}: {value}"))));
        }
        None => {
            finding.label("no pod there has all of these");
        }
    }
    let elsewhere = world.select_in(&Scope::All, selector);
    let elsewhere = elsewhere.iter().find_map(|pod| Some((world.pods[*pod].namespace, world.pods[*pod].object?)));
    finding.help(match elsewhere {
        Some((other, pods)) => format!(
            "{} `{}` has such pods in namespace {}: put both into one namespace, or correct the selector",
            pods.kind,
            pods.name,
            Quoted(other)
        ),
        None => {
            "make it match the labels of the pods' template, or add what makes the pods to what is checked".to_owned()
        }
    });
}
