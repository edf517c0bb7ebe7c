//! Which programs read which ConfigMaps and Secrets.

use super::World;
use super::program::Program;
use super::uses::{Use, Used};
use crate::object::Object;

impl<'a> World<'a> {
    /// What asks for a ConfigMap or Secret, whether as files or as variables; of two objects that are the same one, the
    /// first.
    pub(crate) fn readings<'s>(&'s self, object: &'s Object<'_>) -> impl Iterator<Item = &'s Use<'a>> {
        let of = if object.kind == "Secret" { Used::Secret } else { Used::ConfigMap };
        let is_first = |it: &&Use<'a>| it.by.name.is_empty() || self.number(it.by) == Some(it.number);
        self.uses_of(of.kind().1, object.namespace, object.name).filter(move |it| it.of == of).filter(is_first)
    }

    /// The programs that have a ConfigMap or Secret as files.
    pub(crate) fn readers<'s>(&'s self, object: &'s Object<'_>) -> impl Iterator<Item = Program<'a>> {
        let containers = self.readings(object).flat_map(Use::mounted_by);
        containers.filter_map(Program::of)
    }
}
