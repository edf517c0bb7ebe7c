//! Which programs read which ConfigMaps and Secrets.

use super::World;
use super::pods::Program;
use super::uses::{Use, Used};
use crate::fields::texts;
use crate::object::Object;
use vigil_yaml::Node;

/// A container that has the keys of a ConfigMap or Secret as files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) program: Program<'a>,
    /// The container.
    pub(crate) container: &'a Node,
}

impl Reader<'_> {
    /// Whether its command names this file as the configuration.
    pub(crate) fn is_configured_by(&self, name: &str) -> bool {
        let words = ["command", "args"].into_iter().flat_map(|key| texts(self.container, key));
        let mut is_next = false;
        for word in words {
            let flag = word.trim_start_matches('-');
            let path = flag.strip_prefix("config.file=").or(is_next.then_some(word));
            is_next = flag == "config.file";
            if path.is_some_and(|path| path.rsplit('/').next() == Some(name)) {
                return true;
            }
        }
        false
    }
}

impl<'a> World<'a> {
    /// What asks for a ConfigMap or Secret, whether as files or as variables; of two objects that are the same one, the
    /// first.
    pub(crate) fn readings<'s>(&'s self, object: &'s Object<'_>) -> impl Iterator<Item = &'s Use<'a>> {
        let of = if object.kind == "Secret" { Used::Secret } else { Used::ConfigMap };
        let is_first = |it: &&Use<'a>| it.by.name.is_empty() || self.number(it.by) == Some(it.number);
        self.uses_of(of.kind().1, object.namespace, object.name).filter(move |it| it.of == of).filter(is_first)
    }

    /// The programs that have a ConfigMap or Secret as files.
    pub(crate) fn readers<'s>(&'s self, object: &'s Object<'_>) -> impl Iterator<Item = Reader<'a>> {
        let containers = self.readings(object).flat_map(Use::mounted_by);
        containers.filter_map(|container| Some(Reader { program: Program::of(container)?, container }))
    }
}
