//! Effects that are told together: of many objects what one of them does is said once.

use crate::effect::{Class, Effect};
use crate::object::in_namespace;
use crate::{Diff, Field, Identity};
use std::collections::BTreeMap;

/// What is told of some objects of one kind and namespace.
pub(super) struct Group<'d> {
    pub(super) objects: Vec<&'d Identity>,
    /// What is said of them, each with its fields and commands.
    pub(super) said: Vec<Said<'d>>,
}

/// One thing that is said.
#[derive(PartialEq, Eq)]
pub(super) struct Said<'d> {
    pub(super) fields: &'d [Field],
    pub(super) says: &'d str,
    pub(super) commands: &'d [String],
    pub(super) causes: &'d [String],
}

impl Group<'_> {
    /// Its objects: `ConfigMap a/x, y and 12 more`.
    pub(super) fn title(&self, most: usize) -> String {
        let Some((first, others)) = self.objects.split_first() else { return String::new() };
        // One that is only counted takes the room of its name.
        let shown = if others.len() <= most { others.len() } else { most.saturating_sub(1) };
        let mut title = first.to_string();
        for other in &others[..shown] {
            title.push_str(", ");
            title.push_str(&other.name);
        }
        match others.len() - shown {
            0 => title,
            more => format!("{title} and {more} more"),
        }
    }
}

/// The classes that there is something to tell of, the worst first, each with its groups and how many objects these are.
pub(super) fn sections(diff: &Diff, all: bool) -> impl Iterator<Item = (Class, Vec<Group<'_>>, usize)> {
    Class::ALL.into_iter().filter_map(move |class| {
        let groups = groups(diff, class, all);
        let count: usize = groups.iter().map(|group| group.objects.len()).sum();
        (count > 0).then_some((class, groups, count))
    })
}

/// The effects of a class, those of equal words together: where nothing is to be feared also those of other fields, unless
/// `all` are wanted; without what goes with its namespace.
fn groups(diff: &Diff, class: Class, all: bool) -> Vec<Group<'_>> {
    let mut of_object: BTreeMap<&Identity, Vec<&Effect>> = BTreeMap::new();
    for effect in diff.of(class) {
        of_object.entry(&effect.object).or_default().push(effect);
    }
    let is_left = class == Class::LeftBehind;
    if is_left {
        let namespaces = gone_namespaces(diff);
        of_object.retain(|object, _| !namespaces.contains(&object.namespace.as_str()));
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (object, effects) in of_object {
        let said: Vec<_> = effects
            .into_iter()
            .map(|it| Said {
                fields: &it.fields,
                says: &it.says,
                commands: if is_left { &[] } else { &it.commands },
                causes: &it.causes,
            })
            .collect();
        let is_same = |group: &&mut Group<'_>| {
            let first = group.objects[0];
            (&first.kind, &first.namespace) == (&object.kind, &object.namespace)
                && (group.said == said || !all && class >= Class::New && is_alike(&group.said, &said))
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => {
                group.objects.push(object);
                group
                    .said
                    .iter_mut()
                    .zip(said)
                    .filter(|(one, other)| one.fields != other.fields)
                    .for_each(|(one, _)| one.fields = &[]);
            }
            None => groups.push(Group { objects: vec![object], said }),
        }
    }
    groups
}

fn is_alike(one: &[Said<'_>], other: &[Said<'_>]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| a.says == b.says && a.commands == b.commands && a.causes == b.causes)
}

fn gone_namespaces(diff: &Diff) -> Vec<&str> {
    let left = diff.of(Class::LeftBehind).map(|effect| &effect.object);
    left.filter(|it| it.is("", "Namespace")).map(|it| it.name.as_str()).collect()
}

/// The commands that delete what is left behind: one for each namespace, none for what goes with its namespace.
pub(super) fn deletions(diff: &Diff) -> Vec<String> {
    let left = || diff.of(Class::LeftBehind).map(|effect| &effect.object);
    let namespaces = gone_namespaces(diff);
    let mut by_namespace: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for object in left().filter(|it| !namespaces.contains(&it.namespace.as_str())) {
        by_namespace.entry(&object.namespace).or_default().push(format!("{}/{}", object.resource(), object.name));
    }
    let commands = by_namespace
        .into_iter()
        .map(|(namespace, objects)| format!("kubectl delete{} {}", in_namespace(namespace), objects.join(" ")));
    commands.collect()
}
