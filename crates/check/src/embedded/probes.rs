//! Probes: whether the blackbox exporter that they ask has the module that they name.

use super::file::has;
use super::syntax::Read;
use crate::fields::filled;
use crate::finding::Findings;
use crate::object::MONITORING;
use crate::rule::rules;
use crate::world::World;
use crate::world::program::Program;
use std::collections::HashSet;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Node, Quoted};

rules! {
    MODULE "probe-module" Error Program "every Probe names a module of its blackbox exporter"
}

/// The module of a request that names none: `Handler` in the exporter's prober/handler.go.
const USUAL: &str = "http_2xx";

/// A configuration of the blackbox exporter.
struct Configuration<'r> {
    /// The ConfigMap or Secret.
    title: String,
    modules: Vec<&'r str>,
    /// The pods that run with it.
    pods: HashSet<usize>,
}

pub(super) fn check(read: &[Read<'_, '_>], world: &World<'_>, findings: &mut Findings) {
    if world.judged(MONITORING, "Probe").next().is_none() {
        return;
    }
    let configurations: Vec<_> = read.iter().filter_map(|read| configuration(read, world)).collect();
    for probe in world.judged(MONITORING, "Probe") {
        let Some(spec) = probe.at(&["spec"]) else { continue };
        let probers = world.probers(probe, world.asking_namespace());
        let is_asked = |it: &&Configuration<'_>| probers.iter().any(|(pod, _)| it.pods.contains(pod));
        let Some(Configuration { title, modules, .. }) = configurations.iter().find(is_asked) else { continue };
        let named = filled(spec, "module");
        let name = named.map_or(USUAL, |(_, name)| name);
        let at = named.map(|(node, _)| node).or_else(|| spec.get("prober"));
        let Some(at) = at.filter(|_| !modules.contains(&name)) else { continue };
        let usual = if named.is_none() { ", which is asked when none is named" } else { "" };
        let label = match nearest(name, modules.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if modules.is_empty() => "it has none".to_owned(),
            None => format!("expected {}", list(modules, "or")),
        };
        findings
            .add(&MODULE, probe, at, format!("{title} has no module {}{usual}", Quoted(name)))
            .label(label)
            .help("name one of its `modules`, or add this one: the exporter answers 400, `Unknown module`");
    }
}

/// The configuration in a file, if a blackbox exporter runs with it.
fn configuration<'r>(read: &'r Read<'_, '_>, world: &World<'_>) -> Option<Configuration<'r>> {
    let Read { file, documents } = read;
    let [root] = documents.as_slice() else { return None };
    // What a template or a merge brings is not known here.
    if !has(root, "modules") || file.is_template() {
        return None;
    }
    let Data::Map(entries) = &root.get("modules")?.data else { return None };
    let modules: Vec<&str> = entries.iter().map(|entry| entry.key.text.as_str()).collect();
    if modules.contains(&"<<") {
        return None;
    }
    let runs_with_it = |container: &Node| {
        Program::of(container)
            .is_some_and(|program| program.is_blackbox_exporter() && program.is_configured_by(file.name()))
    };
    let readings = world.readings(&file.object).filter(|it| it.mounted_by().any(&runs_with_it));
    let pods: HashSet<usize> = readings.filter_map(|it| world.made_by(it.number)).collect();
    (!pods.is_empty()).then(|| Configuration { title: file.object.to_string(), modules, pods })
}
