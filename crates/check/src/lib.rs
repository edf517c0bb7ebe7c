//! Judges Kubernetes manifests as strictly as an API server, and follows every reference between them: offline, from
//! the text alone.
//!
//! The flow of [`check`]:
//! 1. [`documents`]: texts to documents to objects, on all cores; [`set`] is all of them.
//! 2. [`schema`]: each object against the schema of its kind, for each version of Kubernetes asked for.
//! 3. [`objects`]: each object against what a schema cannot say, for each version, too.
//! 4. [`world`]: what the cluster will hold, for all that follows; [`references`]: the objects against each other.
//! 5. [`embedded`]: the files inside of objects, and the queries in those.
//! 6. [`waivers`]: what an object may break, for a reason that somebody gave.
//!
//! Where each object is judged by itself, [`apart`] does the same without ever holding all of them.
//!
//! [`report`] tells what was found, to people and to programs. Every rule has a folder in `crates/check/rules/`; [`rules`] lists them
//! all.

mod apart;
mod documents;
mod embedded;
mod fields;
mod finding;
pub mod graph;
mod kubectl;
mod memory;
mod object;
mod objects;
mod options;
mod outcome;
mod pem;
mod references;
mod relabeling;
pub mod report;
mod rule;
mod schema;
mod selector;
mod set;
mod template;
mod version;
mod waivers;
mod world;

pub use finding::Finding;
pub use memory::Memory;
pub use options::{Options, Provided, Waiver};
pub use outcome::{Judged, Report, Waived};
pub use rule::{FoundBy, Rule};
pub use version::Version;

use documents::Documents;
use finding::Findings;
use rayon::prelude::*;
use schema::validate;
use set::{Served, Set};
use std::cell::LazyCell;
use std::convert::Infallible;
use std::sync::Arc;
use vigil_yaml::{Limits, Place, Source};
use world::World;
use world::grafanas::Grafana;

/// The versions of Kubernetes that can be checked for, oldest and newest.
pub fn versions() -> (Version, Version) {
    schema::builtin::versions()
}

/// All rules, sorted by name.
pub fn rules() -> Vec<&'static Rule> {
    let mut rules: Vec<_> = areas().into_iter().flat_map(|(_, rules)| rules).collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// All rules by what they are about, in the order in which they are checked.
pub fn areas() -> Vec<(&'static str, Vec<&'static Rule>)> {
    vec![
        ("Documents", documents::RULES.to_vec()),
        ("Schemas", schema::rules()),
        ("Objects", objects::rules()),
        ("References", references::rules()),
        ("Embedded files", embedded::rules()),
        ("Waivers", waivers::RULES.to_vec()),
    ]
}

/// Checks the objects in `sources`.
pub fn check(sources: &[Arc<Source>], options: &Options) -> Report {
    if options.objects_only {
        let texts = || sources.iter().flat_map(Source::documents).map(Ok::<_, Infallible>);
        let Ok(report) = check_apart(texts, options);
        return report;
    }
    let (documents, definitions) = read(sources, options);
    let mut findings = Findings::default();
    let set = Set::new(&documents, &definitions, options, &mut findings);
    documents::tell_unread(options, &mut findings);
    let followed = set.whole && options.unread.is_empty();

    let apart: Vec<Findings> = set
        .objects
        .par_iter()
        .map(|object| {
            let mut findings = Findings::default();
            judge(object, &set.served, options, &mut findings);
            findings
        })
        .collect();
    findings.list.extend(apart.into_iter().flat_map(|findings| findings.list));
    // Of two that are the same the first counts; otherwise a set that is there a hundred times would be followed from
    // each copy to each.
    let distinct = followed.then(|| set.distinct()).flatten();
    let firsts = distinct.as_ref().unwrap_or(&set);
    let world = LazyCell::new(|| World::new(firsts));
    if followed {
        references::identity::twice(&set, &mut findings);
        references::check(&world, &mut findings);
    }
    embedded::check(firsts, || &world, &Grafana::all(firsts), followed, &mut findings);

    let (mut findings, mut waived) = waivers::apply(&set, followed, findings.into_sorted(options), rules);
    findings.iter_mut().chain(waived.iter_mut().map(|it| &mut it.finding)).for_each(|it| it.trace(options));
    let objects = set.objects.par_iter().map(Judged::of).collect();
    drop(world);
    // Nobody has to wait until the trees of a large set are gone.
    drop((distinct, set));
    rayon::spawn(|| drop((documents, definitions)));
    Report { findings, waived, objects, kubernetes: options.kubernetes.clone(), followed }
}

/// The documents of all texts, and those of the definitions that are no part of what is asked about.
fn read(sources: &[Arc<Source>], options: &Options) -> (Vec<Arc<Documents>>, Vec<Arc<Documents>>) {
    let read = |text: &Arc<Source>| match &options.memory {
        Some(memory) => memory.documents(text),
        None => Arc::new(documents::read(text, &Limits::default())),
    };
    let texts: Vec<Arc<Source>> = sources.iter().flat_map(Source::documents).collect();
    (texts.par_iter().map(read).collect(), options.definitions.iter().map(read).collect())
}

/// Checks objects, each by itself, as [`check`] does with [`Options::objects_only`], in texts that may be larger than the
/// memory. `texts` gives their documents in order, as [`Source::documents`] cuts them, and again whenever it is called.
///
/// # Errors
/// The first that `texts` gives.
pub fn check_apart<E, I: Iterator<Item = Result<Arc<Source>, E>>>(
    texts: impl Fn() -> I,
    options: &Options,
) -> Result<Report, E> {
    apart::check(texts, options, rules)
}

/// An object as every version of Kubernetes that is asked for judges it: against the schema of its kind, and against what
/// that cannot say.
fn judge(object: &object::Object<'_>, served: &[Served], options: &Options, findings: &mut Findings) {
    if object.damaged {
        return;
    }
    for schemas in served.iter().map(|served| &served.schemas) {
        let before = findings.list.len();
        if let Some(kind) = schemas.kind(object.group, object.version, object.kind) {
            validate::validate(schemas, kind, object, findings);
            if let Some(rules) = schemas.rules(kind.schema).filter(|_| findings.list.len() == before) {
                rules.check(object, kind.drops_status, findings);
            }
        }
        let of_schema = findings.list.len();
        objects::check(object, schemas.version, findings);
        told_once(&mut findings.list, before, of_schema);
        if options.kubernetes.len() > 1 {
            findings.list[before..].iter_mut().for_each(|finding| finding.versions = vec![schemas.version]);
        }
    }
}

/// Leaves out, of the findings from `from` on, what the schema has said of the same mapping: that it is none, that a field is
/// missing, or is misspelt. Those from `own` on are not the schema's.
fn told_once(findings: &mut Vec<Finding>, from: usize, own: usize) {
    let meant = |finding: &Finding| {
        let label = finding.label.as_deref()?.strip_prefix("did you mean `")?;
        (finding.rule.id == validate::UNKNOWN_FIELD.id).then(|| label.trim_end_matches("`?").to_owned())
    };
    let parent = |path: &str| path.rsplit_once('.').map_or_else(String::new, |(parent, _)| parent.to_owned());
    let begins = |finding: &Finding| match &finding.place {
        Place::Text(span) => Some(span.range.start),
        Place::File(_) => None,
    };
    let said: Vec<(String, String, Option<usize>)> = findings[from..own]
        .iter()
        .filter_map(|finding| match meant(finding) {
            Some(name) => Some((parent(&finding.path), name, None)),
            // What is wrong with the key beside it is another mistake.
            None if finding.rule.id == validate::TYPE.id => {
                Some((finding.path.clone(), String::new(), begins(finding)))
            }
            None if finding.rule.id == validate::REQUIRED.id => {
                Some((finding.path.clone(), finding.message.clone(), None))
            }
            None => None,
        })
        .collect();
    if said.is_empty() {
        return;
    }
    let mut number = 0;
    findings.retain(|finding| {
        number += 1;
        let is_said = || {
            said.iter().any(|(path, what, at)| {
                *path == finding.path && finding.message.contains(what) && (at.is_none() || *at == begins(finding))
            })
        };
        number <= own || !is_said()
    });
}
