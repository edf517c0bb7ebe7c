//! Prometheus operators, of which each object has one.

use crate::fields::items;
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use crate::world::pods::Pod;
use crate::world::program::Program;
use crate::world::{World, operator};
use vigil_yaml::Quoted;

rules! {
    OVERLAP "operators-overlap" Warning Nobody "one Prometheus operator looks after each Prometheus and Alertmanager"
}

/// Judges sets with several operators.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    let operators: Vec<_> = world.pods.iter().flat_map(Operator::all).collect();
    for (at, one) in operators.iter().enumerate() {
        for other in &operators[..at] {
            overlap(world, one, other, findings);
        }
    }
}

/// An operator, by what it is started as.
struct Operator<'a> {
    object: &'a Object<'a>,
    program: Program<'a>,
}

impl<'a> Operator<'a> {
    fn all(pod: &Pod<'a>) -> Vec<Self> {
        let Some(object) = pod.object.filter(|object| !object.damaged) else { return Vec::new() };
        let programs = pod.spec.into_iter().flat_map(|spec| items(spec, "containers")).filter_map(Program::of);
        programs
            .filter(|program| program.name == "prometheus-operator")
            .map(|program| Self { object, program })
            .collect()
    }

    fn flag(&self, name: &str) -> Option<&'a str> {
        self.program.flag(name).map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// Whether it looks after an object: `Namespaces.Finalize` in pkg/operator/config.go. One that also asks for labels is
    /// taken to leave the object to others.
    fn looks_after(&self, object: &Object<'_>) -> bool {
        let Some(kind) = operator::kind_in_flags(object) else { return false };
        let is_listed = |names: &str| names.split(',').any(|name| name.trim() == object.namespace);
        let is_in = match self.flag(&format!("{kind}-instance-namespaces")).or_else(|| self.flag("namespaces")) {
            Some(names) => is_listed(names),
            None => !self.flag("deny-namespaces").is_some_and(is_listed),
        };
        is_in && self.flag(&format!("{kind}-instance-selector")).is_none()
    }
}

fn overlap(world: &World<'_>, one: &Operator<'_>, other: &Operator<'_>, findings: &mut Findings) {
    let is_shared = |object: &&Object<'_>| one.looks_after(object) && other.looks_after(object);
    let objects = world.pods.iter().filter_map(|pod| pod.object);
    let Some((object, kind)) = objects.filter(is_shared).find_map(|it| Some((it, operator::kind_in_flags(it)?))) else {
        return;
    };
    let flag = format!("{kind}-instance-namespaces");
    let said = [flag.as_str(), "namespaces"].iter().find_map(|name| one.program.flag(name)).map(|(node, _)| node);
    let at = said.or_else(|| one.program.container.get("image")).unwrap_or(one.object.node);
    findings
        .add(&OVERLAP, one.object, at, format!("{object} is looked after by {} too", other.object))
        .label("each of the two undoes what the other one writes")
        .help(format!("say {} to one of them, or to both", Quoted(&format!("--{flag}=NAMESPACE"))));
}
