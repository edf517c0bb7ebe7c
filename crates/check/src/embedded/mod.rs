//! Files inside of objects: configuration, dashboards, rules and their queries.

mod alertmanager;
mod configuration;
mod file;
mod grafana;
mod push;
mod readers;
mod syntax;

use crate::cluster::Cluster;
use crate::finding::Findings;
use crate::rule::Rule;
use crate::set::Set;
use file::File;
use readers::{Readers, grafanas};

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [alertmanager::RULES, configuration::RULES, grafana::RULES, push::RULES, syntax::RULES].concat()
}

/// Judges every embedded file in the set.
pub(crate) fn check(set: &Set<'_>, findings: &mut Findings) {
    let objects = ["ConfigMap", "Secret"].iter().flat_map(|kind| set.of_kind("", kind));
    let files: Vec<File<'_>> = objects.filter(|object| !object.damaged).flat_map(File::all).collect();
    let read = syntax::check(&files, findings);
    let readers = Readers::new(set);
    let operated = configuration::alertmanagers(set);
    configuration::check(&read, &readers, &operated, findings);
    alertmanager::check(set, &read, &readers, &operated, findings);
    let followed = !set.options.objects_only && set.whole;
    if read.is_empty() || !followed {
        return;
    }
    let cluster = Cluster::new(set);
    push::check(&read, &readers, &cluster, findings);
    for loaded in grafana::load(&read, &grafanas(set), &readers, findings) {
        loaded.check_sources(&cluster, findings);
        loaded.check_dashboards(findings);
    }
}
