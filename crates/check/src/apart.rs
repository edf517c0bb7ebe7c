//! Judges each object by itself: documents are read, judged and let go, so that memory does not grow with the texts.
//!
//! What remains of a document is what was found in it, each finding with the one line that it shows. Some documents are
//! judged together, and are kept as texts until all were read: configuration files and the workloads that read them, one
//! namespace after the other; rules, which use each other's series; and objects with waivers. The code that judges them
//! is that of a check that follows references.

use crate::documents::{self, Documents};
use crate::embedded;
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::options::Options;
use crate::outcome::{Judged, Report};
use crate::rule::Rule;
use crate::schema::custom::{self, Definition};
use crate::set::{DEFINITION, Served, Set, brought, place, tell_unserved};
use crate::waivers;
use crate::world::World;
use crate::world::grafanas::Grafana;
use memchr::memmem;
use rayon::prelude::*;
use serde_json::json;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use vigil_yaml::{Limits, Place, Source};

/// Bytes of text that are judged at a time, by all cores.
const BATCH: usize = 1 << 20;

/// Judges what `texts` gives; it is called again for every time that the texts are read.
pub(crate) fn check<E, I: Iterator<Item = Result<Arc<Source>, E>>>(
    texts: impl Fn() -> I,
    options: &Options,
    rules: fn() -> Vec<&'static Rule>,
) -> Result<Report, E> {
    let others: Vec<_> = options.definitions.iter().map(read).collect();
    // An object's definition may be anywhere, and what has none of its letters is none. Whoever writes `kind` with escapes is
    // asked to wait until every document was read for it.
    for is_searched in [names_definition as fn(&str) -> bool, |_| true] {
        let own = definitions(texts(), is_searched)?;
        let own_objects: Vec<_> = own.iter().flat_map(|document| document.objects().0).collect();
        let nodes = own_objects.iter().filter(|object| object.kind == DEFINITION).map(|object| object.node);
        let custom: Vec<_> = nodes.chain(others.iter().flat_map(brought)).flat_map(custom::definitions).collect();
        let mut pass = Pass::new(&custom, options);
        for document in &others {
            document.tell(&mut pass.findings);
        }
        let mut texts = texts();
        while pass.batch(&batch(&mut texts)?, is_searched) {}
        if !pass.has_missed {
            return Ok(pass.report(rules));
        }
    }
    unreachable!("a definition was missed although every document was searched for it")
}

/// Whether the word is in a text, somewhere.
fn names_definition(text: &str) -> bool {
    memmem::find(text.as_bytes(), DEFINITION.as_bytes()).is_some()
}

fn read(source: &Arc<Source>) -> Documents {
    documents::read(source, &Limits::default())
}

/// The next documents, some [`BATCH`] bytes of them.
fn batch<E>(texts: &mut impl Iterator<Item = Result<Arc<Source>, E>>) -> Result<Vec<Arc<Source>>, E> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while bytes < BATCH
        && let Some(text) = texts.next()
    {
        let text = text?;
        bytes += text.text.len();
        batch.push(text);
    }
    Ok(batch)
}

/// The documents with definitions of custom resources, each kind's first.
fn definitions<E>(
    texts: impl Iterator<Item = Result<Arc<Source>, E>>,
    is_searched: fn(&str) -> bool,
) -> Result<Vec<Documents>, E> {
    let mut kept = Vec::new();
    let mut known: HashSet<[String; 3]> = HashSet::new();
    for text in texts {
        let text = text?;
        if !is_searched(&text.text) {
            continue;
        }
        let document = read(&text);
        let (objects, _) = document.objects();
        let nodes = objects.iter().filter(|object| object.kind == DEFINITION).map(|object| object.node);
        let mut is_new = false;
        for it in nodes.flat_map(custom::definitions) {
            is_new |= known.insert([it.group, it.version, it.kind].map(str::to_owned));
        }
        if is_new {
            kept.push(document);
        }
    }
    Ok(kept)
}

/// One way through all texts.
struct Pass<'a> {
    options: &'a Options,
    custom: &'a [Definition<'a>],
    served: Vec<Served>,
    findings: Findings,
    objects: Vec<Judged>,
    /// The documents that are judged together, by namespace.
    configured: BTreeMap<String, Vec<Arc<Source>>>,
    /// Those with rules of Prometheus.
    rules: Vec<Arc<Source>>,
    /// Those with waivers.
    waiving: Vec<Arc<Source>>,
    grafanas: Vec<Grafana>,
    /// Objects that make pods in documents that were not kept: of two objects that are the same one the first counts.
    others: HashSet<[String; 4]>,
    /// There is a definition that was not known from the start.
    has_missed: bool,
    /// Files that were judged before.
    clean: embedded::Clean,
}

/// What is left of a document that was judged.
struct Outcome {
    findings: Findings,
    objects: Vec<Judged>,
    /// The namespaces in which it has something to be judged with others.
    configures: BTreeSet<String>,
    has_rules: bool,
    has_waivers: bool,
    grafanas: Vec<Grafana>,
    /// What its objects are that make pods.
    makers: Vec<[String; 4]>,
    /// It has a definition, for which it was not searched.
    has_missed: bool,
}

impl Outcome {
    /// Judges the objects of a document, of which something may be found already.
    fn of<'a>(
        mut objects: Vec<Object<'a>>,
        served: &[Served],
        options: &'a Options,
        clean: &embedded::Clean,
        mut findings: Findings,
    ) -> Self {
        for object in &mut objects {
            place(object, served, options);
            tell_unserved(object, served, options, &mut findings);
            crate::judge(object, served, options, &mut findings);
        }
        let mut configures = BTreeSet::new();
        for object in &objects {
            if embedded::concerns(object) {
                configures.insert(home(object, options).to_owned());
            } else {
                embedded::check_syntax(object, clean, &mut findings);
            }
        }
        for finding in &mut findings.list {
            alone(&mut finding.place);
        }
        Self {
            has_rules: objects.iter().any(is_rule),
            has_waivers: objects.iter().any(waivers::has_any),
            grafanas: objects.iter().filter_map(Grafana::of).collect(),
            makers: objects.iter().filter(|object| embedded::may_read(object)).map(identity).collect(),
            has_missed: objects.iter().any(|object| object.kind == DEFINITION),
            objects: objects.iter().map(Judged::of).collect(),
            configures,
            findings,
        }
    }
}

impl<'a> Pass<'a> {
    fn new(custom: &'a [Definition<'a>], options: &'a Options) -> Self {
        Self {
            options,
            custom,
            served: Served::all(options),
            findings: Findings::default(),
            objects: Vec::new(),
            configured: BTreeMap::new(),
            rules: Vec::new(),
            waiving: Vec::new(),
            grafanas: Vec::new(),
            others: HashSet::new(),
            has_missed: false,
            clean: embedded::Clean::default(),
        }
    }

    /// Judges some documents; whether there were any.
    fn batch(&mut self, texts: &[Arc<Source>], is_searched: fn(&str) -> bool) -> bool {
        let documents: Vec<Documents> = texts.par_iter().map(read).collect();
        let collected: Vec<_> = documents.par_iter().map(Documents::objects).collect();
        for served in &mut self.served {
            for (objects, _) in &collected {
                served.meet(objects, self.custom, self.options);
            }
        }
        let read = collected.into_par_iter().zip(&documents).zip(texts);
        let outcomes: Vec<Outcome> = read
            .map(|(((objects, mut findings), document), text)| {
                document.tell(&mut findings);
                let mut outcome = Outcome::of(objects, &self.served, self.options, &self.clean, findings);
                outcome.has_missed &= !is_searched(&text.text);
                outcome
            })
            .collect();
        for (text, outcome) in texts.iter().zip(outcomes) {
            self.take(text, outcome);
        }
        !texts.is_empty()
    }

    fn take(&mut self, text: &Arc<Source>, outcome: Outcome) {
        self.findings.list.extend(outcome.findings.list);
        self.objects.extend(outcome.objects);
        self.grafanas.extend(outcome.grafanas);
        self.has_missed |= outcome.has_missed;
        for (keeps, to) in [(outcome.has_rules, &mut self.rules), (outcome.has_waivers, &mut self.waiving)] {
            to.extend(keeps.then(|| Arc::clone(text)));
        }
        if outcome.configures.is_empty() {
            self.others.extend(outcome.makers);
        } else {
            let firsts: Vec<_> = outcome.makers.iter().filter(|it| self.others.contains(*it)).map(stand_in).collect();
            for namespace in outcome.configures {
                let of_namespace = self.configured.entry(namespace).or_default();
                of_namespace.extend(firsts.iter().chain([text]).map(Arc::clone));
            }
        }
    }

    /// Judges what was kept, and says what came of it all.
    fn report(mut self, rules: fn() -> Vec<&'static Rule>) -> Report {
        let (options, served) = (self.options, Arc::new(self.served));
        let grafanas = Grafana::distinct(self.grafanas.into_iter());
        let together = |texts: &[Arc<Source>], is_one: &(dyn Fn(&Object<'_>) -> bool + Sync)| {
            let documents: Vec<_> = texts.iter().map(read).collect();
            let set = set_of(&documents, &served, options, is_one);
            let world = LazyCell::new(|| World::new(&set));
            let mut findings = Findings::default();
            embedded::check(&set, || &world, &grafanas, false, &mut findings);
            for finding in &mut findings.list {
                alone(&mut finding.place);
            }
            findings.list
        };
        self.findings.list.extend(together(&self.rules, &is_rule));
        let of_namespaces: Vec<_> = self
            .configured
            .into_par_iter()
            .map(|(namespace, texts)| together(&texts, &|it| home(it, options) == namespace && !is_rule(it)))
            .collect();
        self.findings.list.extend(of_namespaces.into_iter().flatten());

        documents::tell_unread(options, &mut self.findings);
        let documents: Vec<_> = self.waiving.iter().map(read).collect();
        let set = set_of(&documents, &served, options, &|_| true);
        let (mut findings, mut waived) = waivers::apply(&set, false, self.findings.into_sorted(options), rules);
        findings.iter_mut().chain(waived.iter_mut().map(|it| &mut it.finding)).for_each(|it| it.trace(options));
        let kubernetes = options.kubernetes.clone();
        Report { findings, waived, objects: self.objects, kubernetes, followed: false }
    }
}

/// The set of some objects of documents that were judged one by one.
fn set_of<'a>(
    documents: &'a [Documents],
    served: &Arc<Vec<Served>>,
    options: &'a Options,
    is_one: &dyn Fn(&Object<'_>) -> bool,
) -> Set<'a> {
    let mut objects: Vec<_> = documents.iter().flat_map(|document| document.objects().0).collect();
    for object in &mut objects {
        place(object, served, options);
    }
    objects.retain(|object| is_one(object));
    Set::of(objects, Arc::clone(served), true, options)
}

fn is_rule(object: &Object<'_>) -> bool {
    object.is(MONITORING, "PrometheusRule")
}

/// The namespace of an object; of one that has none, the one that it would be put in.
fn home<'a>(object: &Object<'a>, options: &'a Options) -> &'a str {
    if object.namespace.is_empty() { &options.namespace } else { object.namespace }
}

/// What no other object of a cluster has.
fn identity(object: &Object<'_>) -> [String; 4] {
    [object.group, object.kind, object.namespace, object.name].map(str::to_owned)
}

/// An object of this identity that says nothing else.
fn stand_in([group, kind, namespace, name]: &[String; 4]) -> Arc<Source> {
    let object = json!({
        "apiVersion": format!("{group}/v1"), "kind": kind, "metadata": { "namespace": namespace, "name": name },
    });
    Source::new("", vigil_yaml::write(&object))
}

/// Leaves of a text no more than the line that a finding shows.
fn alone(place: &mut Place) {
    if let Place::Text(span) = place {
        *span = span.alone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_apart;
    use std::cell::RefCell;
    use std::convert::Infallible;
    use std::sync::Weak;

    fn report(texts: &[String]) -> Report {
        let read =
            || texts.iter().enumerate().map(|(at, text)| Ok::<_, Infallible>(Source::new(format!("{at}"), text)));
        let Ok(report) = check_apart(read, &Options::default());
        report
    }

    /// What is found besides `in-between`, in texts with so much between them that no two are judged at a time.
    fn found(texts: &[&str]) -> Vec<(String, &'static str)> {
        let between = format!("# {}\nkind: ConfigMap\napiVersion: v1\nmetadata: {{name: a}}\n", "x".repeat(BATCH));
        let texts: Vec<_> = texts.iter().flat_map(|text| [(*text).to_owned(), between.clone()]).collect();
        let findings = report(&texts).findings.into_iter().filter(|it| it.rule.severity != vigil_yaml::Severity::Note);
        findings.map(|finding| (finding.object.unwrap_or_default(), finding.rule.id)).collect()
    }

    #[test]
    fn documents_are_let_go() {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\nstray: 1\ndata: {{a: {}}}\n",
            "x".repeat(10_000)
        );
        let (count, given) = (1000, RefCell::new(Vec::<Weak<Source>>::new()));
        let held = || given.borrow().iter().filter(|it| it.strong_count() > 0).count();
        let most = RefCell::new(0);
        let texts = || {
            (0..count).map(|at| {
                let source = Source::new(format!("{at}"), text.as_str());
                given.borrow_mut().push(Arc::downgrade(&source));
                let held = held();
                most.replace_with(|most| held.max(*most));
                Ok::<_, Infallible>(source)
            })
        };
        let Ok(report) = check_apart(texts, &Options::default());
        assert_eq!((report.objects.len(), report.findings.len()), (count, count));
        assert!(*most.borrow() <= BATCH / text.len() + 1, "{} documents at a time", most.borrow());
        assert_eq!(held(), 0, "a finding holds its document");
    }

    #[test]
    fn a_definition_counts_wherever_it_stands() {
        let object = "apiVersion: a.b/v1\nkind: A\nmetadata: {name: a}\nspec: {size: many}\n";
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.a.b}\n\
             spec:\n  group: a.b\n  scope: Cluster\n  names: {kind: A, plural: as, singular: a, listKind: AList}\n  versions:\n  - \
             {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: \
             {type: object, properties: {size: {type: integer}}}}}}}\n";
        let wrong = vec![("A a".to_owned(), "schema-type")];
        assert_eq!(found(&[object]), [("A a".to_owned(), "kind-unknown")]);
        assert_eq!(found(&[definition, object]), wrong);
        assert_eq!(found(&[object, definition]), wrong);
        // Its kind is read, and not seen.
        let hidden = definition.replace("kind: CustomResourceDefinition", "kind: \"CustomResource\\x44efinition\"");
        assert_eq!(found(&[object, &hidden]), wrong);
    }

    #[test]
    fn a_configuration_and_what_reads_it_are_judged_together() {
        let config =
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: loki}\ndata:\n  loki.yaml: |\n    auth_enable: false\n";
        let pod = |image: &str, volume: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: loki}}\nspec:\n  containers:\n  - {{name: a, image: {image}, args: \
                 [-config.file=/a/loki.yaml], volumeMounts: [{{name: a, mountPath: /a}}]}}\n  volumes: [{{name: a, {volume}}}]\n"
            )
        };
        let loki = pod("loki:3.7.1", "configMap: {name: loki}");
        let other = pod("a:1", "emptyDir: {}");
        let rules = |texts: &[&str]| {
            found(texts).into_iter().map(|(_, rule)| rule).filter(|rule| *rule == "configuration-key").count()
        };
        assert_eq!(rules(&[config]), 0);
        assert_eq!(rules(&[config, &loki]), 1);
        assert_eq!(rules(&[&loki, config]), 1);
        // Of two objects that are the same one, the first counts.
        assert_eq!(rules(&[&loki, &other, config]), 1);
        assert_eq!(rules(&[&other, &loki, config]), 0);
    }

    #[test]
    fn a_waiver_counts_wherever_it_stands() {
        let object = |annotations: &str| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: b, annotations: {{{annotations}}}}}\nstray: 1\n"
            )
        };
        let (plain, waived) = (object(""), object("waive.vigil/schema-unknown-field: known"));
        assert_eq!(found(&[&plain]).len(), 1);
        assert_eq!(found(&[&plain, &waived]).len(), 0);
    }
}
