//! The set of objects that is checked: every object, how to find it, and the schemas for it.

use crate::finding::Findings;
use crate::object::Object;
use crate::rule::{Rule, rules};
use crate::schema::builtin::Builtin;
use crate::schema::{self, Schemas, custom, lifecycle};
use crate::{Options, Version};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Limits, Node, Problem, Quoted, Source};

rules! {
    YAML "yaml" Error "every document is YAML that all readers read the same"
    IDENTITY "object-identity" Error "every object says what it is"
}

const DEFINITION: &str = "CustomResourceDefinition";

/// What a text holds.
pub(crate) struct Documents {
    nodes: Vec<Node>,
    problems: Vec<Problem>,
}

impl Documents {
    /// The objects in them, and what is wrong with what is none.
    fn objects(&self) -> (Vec<Object<'_>>, Findings) {
        let (mut objects, mut findings) = (Vec::new(), Findings::default());
        for node in &self.nodes {
            collect(node, !self.problems.is_empty(), &mut objects, &mut findings);
        }
        (objects, findings)
    }

    #[cfg(test)]
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

/// Reads a text; what is wrong with it is told later.
pub(crate) fn read(source: &Arc<Source>, limits: &Limits) -> Documents {
    let (nodes, problems) = vigil_yaml::salvage_all(source, limits);
    Documents { nodes, problems }
}

/// The objects that are checked together.
pub(crate) struct Set<'a> {
    /// All of them, in the order of the texts.
    pub(crate) objects: Vec<Object<'a>>,
    /// Their schemas, for each version of Kubernetes.
    pub(crate) schemas: Arc<Vec<Schemas>>,
    /// Every document could be read.
    pub(crate) whole: bool,
    /// What the caller asked for.
    pub(crate) options: &'a Options,
    /// By kind, as there are few questions that do not begin with it.
    kinds: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Set<'a> {
    /// The set of the objects in `documents`, and what is wrong with what is none.
    pub(crate) fn new(
        documents: &'a [Documents],
        definitions: &'a [Documents],
        options: &'a Options,
        findings: &mut Findings,
    ) -> Self {
        for document in documents.iter().chain(definitions) {
            for problem in &document.problems {
                let finding = findings.add_outside(&YAML, problem.place.clone(), problem.message.clone());
                finding.label.clone_from(&problem.label);
                finding.help.clone_from(&problem.help);
            }
        }
        let whole = documents.iter().all(|document| document.problems.is_empty() || !document.nodes.is_empty());
        let collected: Vec<_> = documents.par_iter().map(Documents::objects).collect();
        let mut objects: Vec<Object<'a>> = Vec::with_capacity(collected.len());
        for (some, found) in collected {
            objects.extend(some);
            findings.list.extend(found.list);
        }
        let own = objects.iter().filter(|object| object.kind == DEFINITION).map(|object| object.node);
        let others = definitions.iter().flat_map(|document| &document.nodes);
        let others = others.filter(|node| node.get("kind").and_then(Node::text) == Some(DEFINITION));
        let custom: Vec<_> = own.chain(others).flat_map(custom::definitions).collect();
        let (schemas, judged): (Vec<Schemas>, Vec<Judged<'a>>) =
            options.kubernetes.iter().map(|version| schemas(&objects, &custom, *version, options)).unzip();
        objects.par_iter_mut().for_each(|object| {
            let kind = schemas.iter().find_map(|all| all.kind(object.group, object.version, object.kind));
            object.namespace = match object.at(&["metadata", "namespace"]).and_then(Node::text) {
                _ if kind.is_some_and(|kind| !kind.namespaced) => "",
                Some(namespace) if !namespace.is_empty() => namespace,
                _ if kind.is_some() => &options.namespace,
                _ => "",
            };
        });
        for (version, judged) in options.kubernetes.iter().zip(&judged) {
            for object in &objects {
                if let Some(Some(unserved)) = judged.get(&(object.group, object.version, object.kind)) {
                    unserved.tell(object, findings);
                    findings.only_in(*version, options);
                }
            }
        }
        let kinds = by_kind(&objects);
        Self { objects, schemas: Arc::new(schemas), whole, options, kinds }
    }

    /// The set without those objects that are the same as one before; `None` when there are none of them.
    pub(crate) fn distinct(&self) -> Option<Self> {
        let mut seen = HashSet::with_capacity(self.objects.len());
        let is_first = |object: &&Object<'a>| object.name.is_empty() || seen.insert(object.identity());
        let objects: Vec<_> = self.objects.iter().filter(is_first).copied().collect();
        if objects.len() == self.objects.len() {
            return None;
        }
        let kinds = by_kind(&objects);
        Some(Self { objects, schemas: Arc::clone(&self.schemas), whole: self.whole, options: self.options, kinds })
    }

    /// The namespace of an object; of one without a schema that names none, the one that it would be put in.
    pub(crate) fn home(&self, object: &Object<'a>) -> &'a str {
        if object.namespace.is_empty() { &self.options.namespace } else { object.namespace }
    }

    /// The objects of a kind, whatever the version.
    pub(crate) fn of_kind(&self, group: &'a str, kind: &str) -> impl Iterator<Item = &Object<'a>> {
        let indices = self.kinds.get(kind).map(Vec::as_slice).unwrap_or_default();
        indices.iter().map(|index| &self.objects[*index]).filter(move |object| object.group == group)
    }
}

fn by_kind<'a>(objects: &[Object<'a>]) -> HashMap<&'a str, Vec<usize>> {
    let mut kinds: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, object) in objects.iter().enumerate() {
        kinds.entry(object.kind).or_default().push(index);
    }
    kinds
}

/// Adds the object that `node` is, or those in it when it is a `List`.
fn collect<'a>(node: &'a Node, damaged: bool, objects: &mut Vec<Object<'a>>, findings: &mut Findings) {
    if !matches!(node.data, Data::Map(_)) {
        findings
            .add_outside(&IDENTITY, node.span.clone(), format!("{} is no object", node.describe()))
            .label("expected a mapping with `apiVersion`, `kind` and `metadata`")
            .help("remove it, or keep files of another sort out of what is checked");
        return;
    }
    let text = |key: &str| node.get(key).and_then(Node::text).filter(|text| !text.is_empty());
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        if !damaged {
            incomplete(node, findings);
        }
        return;
    };
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if kind.ends_with("List") && node.get("items").is_some_and(|items| matches!(items.data, Data::List(_))) {
        for item in node.get("items").map(Node::items).unwrap_or_default() {
            collect(item, damaged, objects, findings);
        }
        return;
    }
    // A configuration of kubectl's and no object of an API server.
    if group == "kustomize.config.k8s.io" {
        return;
    }
    let name = node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
    let object = Object { node, group, version, kind, name, namespace: "", damaged };
    let generated = || node.at(&["metadata", "generateName"]).is_some_and(|name| !name.is_null());
    if name.is_empty() && !damaged && !generated() {
        let at = node.entry("metadata").or_else(|| node.entry("kind"));
        let finding = match at {
            Some(entry) => findings.add(&IDENTITY, &object, entry, "the object has no name"),
            None => findings.add(&IDENTITY, &object, node, "the object has no name"),
        };
        finding.label("expected `metadata.name`").help("add `name:` to `metadata:`");
    }
    unreadable(node, &object, findings);
    objects.push(object);
}

/// What YAML has and kubectl does not read: numbers that JSON cannot hold, and an escape that came with YAML 1.2.
fn unreadable(node: &Node, object: &Object<'_>, findings: &mut Findings) {
    match &node.data {
        Data::Map(entries) => entries.iter().for_each(|entry| unreadable(&entry.value, object, findings)),
        Data::List(items) => items.iter().for_each(|item| unreadable(item, object, findings)),
        Data::Scalar(scalar) if scalar.plain => {
            let number = scalar.text.strip_prefix(['+', '-']).unwrap_or(&scalar.text);
            let is_infinite = matches!(number, ".inf" | ".Inf" | ".INF");
            if is_infinite || matches!(scalar.text.as_str(), ".nan" | ".NaN" | ".NAN") {
                findings
                    .add(&YAML, object, node, format!("{} is a number that JSON does not have", Quoted(&scalar.text)))
                    .help("put quotes around it, if it is meant as a text");
            }
        }
        Data::Scalar(_) => {
            if escapes_slash(node.span.text()) {
                findings.add(&YAML, object, node, "kubectl does not know the escape `\\/`").help("write `/` alone");
            }
        }
    }
}

/// Whether a text in double quotes has `\/` in it.
fn escapes_slash(text: &str) -> bool {
    let mut escaped = false;
    text.starts_with('"')
        && text.bytes().any(|b| {
            let found = escaped && b == b'/';
            escaped = b == b'\\' && !escaped;
            found
        })
}

fn incomplete(node: &Node, findings: &mut Findings) {
    let missing: Vec<&str> = ["apiVersion", "kind"]
        .into_iter()
        .filter(|key| node.get(key).and_then(Node::text).is_none_or(str::is_empty))
        .collect();
    let place = node.entries().first().map_or(&node.span, |entry| &entry.key.span);
    let finding =
        findings.add_outside(&IDENTITY, place.clone(), format!("a mapping without {}", list(&missing, "and")));
    let mistaken = missing.iter().find_map(|key| {
        let known = node.entries().iter().map(|entry| entry.key.text.as_str());
        nearest(key, known).map(|found| format!("write `{key}` for `{found}`"))
    });
    finding
        .label("expected an object of the Kubernetes API")
        .help(mistaken.unwrap_or_else(|| "name both, or keep files of another sort out of what is checked".to_owned()));
}

/// Group, version and kind of the objects, and what there is to say against each.
type Judged<'a> = HashMap<(&'a str, &'a str, &'a str), Option<Unserved>>;

/// The schemas of the kinds of `objects`, for one version of Kubernetes, and which of them it does not serve.
fn schemas<'a>(
    objects: &[Object<'a>],
    custom: &[custom::Definition<'_>],
    version: Version,
    options: &Options,
) -> (Schemas, Judged<'a>) {
    let builtin = Builtin::new(version);
    let mut schemas = Schemas::new(version);
    let mut named = HashMap::new();
    let mut judged = HashMap::new();
    for object in objects {
        let gvk = (object.group, object.version, object.kind);
        judged.entry(gvk).or_insert_with(|| {
            let own = || custom.iter().find(|custom| (custom.group, custom.version, custom.kind) == gvk);
            // Who brings the definition of a kind means that one, with its versions.
            let is_brought = || custom.iter().any(|custom| (custom.group, custom.kind) == (gvk.0, gvk.2));
            let shipped = || if is_brought() { None } else { shipped(gvk) };
            let known = if let Some(definition) = own().copied().or_else(shipped) {
                custom::add(definition, &mut schemas, &mut named, &builtin);
                Known::Custom
            } else if builtin.add(&mut schemas, &mut named, gvk) {
                Known::Builtin
            } else {
                Known::Not
            };
            unserved(object, version, known, options, &builtin)
        });
    }
    (schemas, judged)
}

/// The definition of a kind among those that come with Vigil: the operator's.
fn shipped(gvk: (&str, &str, &str)) -> Option<custom::Definition<'static>> {
    const GROUP: &str = "monitoring.coreos.com";
    static NODES: OnceLock<Vec<OnceLock<Option<Node>>>> = OnceLock::new();
    if gvk.0 != GROUP {
        return None;
    }
    let nodes = NODES.get_or_init(|| DEFINITIONS.iter().map(|_| OnceLock::new()).collect());
    let at = DEFINITIONS.iter().position(|(kind, _)| *kind == gvk.2)?;
    let node = nodes[at].get_or_init(|| {
        let source = Source::new(format!("<{}>", DEFINITIONS[at].0), DEFINITIONS[at].1);
        vigil_yaml::read_one(&source, &Limits::default()).ok().flatten()
    });
    custom::definitions(node.as_ref()?)
        .find(|definition| (definition.group, definition.version, definition.kind) == gvk)
}

/// The operator's definitions, by kind.
static DEFINITIONS: &[(&str, &str)] = &[
    ("Alertmanager", include_str!("../../../templates/crds/alertmanagers.yaml")),
    ("AlertmanagerConfig", include_str!("../../../templates/crds/alertmanagerconfigs.yaml")),
    ("PodMonitor", include_str!("../../../templates/crds/podmonitors.yaml")),
    ("Probe", include_str!("../../../templates/crds/probes.yaml")),
    ("Prometheus", include_str!("../../../templates/crds/prometheuses.yaml")),
    ("PrometheusAgent", include_str!("../../../templates/crds/prometheusagents.yaml")),
    ("PrometheusRule", include_str!("../../../templates/crds/prometheusrules.yaml")),
    ("ScrapeConfig", include_str!("../../../templates/crds/scrapeconfigs.yaml")),
    ("ServiceMonitor", include_str!("../../../templates/crds/servicemonitors.yaml")),
    ("ThanosRuler", include_str!("../../../templates/crds/thanosrulers.yaml")),
];

/// What keeps an API server from serving a kind, now or soon; the same for all its objects.
struct Unserved {
    rule: &'static Rule,
    /// The key whose value is wrong.
    key: &'static str,
    message: String,
    label: Option<String>,
    help: String,
}

impl Unserved {
    fn tell(&self, object: &Object<'_>, findings: &mut Findings) {
        let Some(value) = object.node.get(self.key) else { return };
        let finding = findings.add(self.rule, object, value, self.message.clone());
        finding.help(self.help.clone()).label.clone_from(&self.label);
    }
}

/// Whose kind one is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Defined by a CustomResourceDefinition.
    Custom,
    /// Kubernetes' own.
    Builtin,
    Not,
}

/// Whether a version of Kubernetes' own is one that API servers serve only where they are told to: since 1.24, every
/// new alpha and beta. Of those from before, one outlived 1.28.
fn is_off(object: &Object<'_>) -> bool {
    let is_unstable = object.version.contains("alpha") || object.version.contains("beta");
    is_unstable && (object.group, object.version) != ("flowcontrol.apiserver.k8s.io", "v1beta3")
}

/// The stable version of a kind, if there is one.
fn stable(object: &Object<'_>, builtin: &Builtin) -> Option<String> {
    builtin
        .kinds()
        .filter(|(group, version, kind)| {
            (*group, *kind) == (object.group, object.kind) && !version.contains("alpha") && !version.contains("beta")
        })
        .map(|(group, version, _)| format!("{group}/{version}"))
        .max()
}

/// Whether the kind of `object` is served by `version`, and for how long.
fn unserved(
    object: &Object<'_>,
    version: Version,
    known: Known,
    options: &Options,
    builtin: &Builtin,
) -> Option<Unserved> {
    let api = object.api_version();
    let lifecycle = lifecycle::of(object.group, object.version, object.kind);
    let full = format!("{api}/{}", object.kind);
    let is_allowed = || options.allowed_kinds.iter().any(|allowed| *allowed == object.kind || *allowed == full);
    if known == Known::Builtin && !is_allowed() && is_off(object) {
        let message = format!("Kubernetes {version} serves {} of `{api}` only where it is switched on", object.kind);
        return Some(Unserved {
            rule: &schema::DISABLED,
            key: "apiVersion",
            message,
            label: stable(object, builtin).map(|stable| format!("expected `{stable}`")),
            help: format!(
                "API servers leave alpha and beta versions out; with `--runtime-config={api}=true` in the cluster, \
                 check with `--allow-kind {full}`"
            ),
        });
    }
    if known != Known::Not {
        let lifecycle = lifecycle.filter(|it| it.deprecated.is_some_and(|since| since <= version))?;
        let mut message = format!("{} of `{api}` is deprecated", object.kind);
        if let Some(removed) = lifecycle.removed {
            // Writing to a String cannot fail.
            let _ = write!(message, " and will be gone with Kubernetes {removed}");
        }
        let rule = &schema::DEPRECATED;
        return Some(Unserved { rule, key: "apiVersion", message, label: None, help: lifecycle.remedy() });
    }
    if let Some((lifecycle, removed)) =
        lifecycle.and_then(|it| Some((it, it.removed.filter(|since| *since <= version)?)))
    {
        let message = format!("{} of `{api}` is gone since Kubernetes {removed}", object.kind);
        let rule = &schema::REMOVED;
        return Some(Unserved { rule, key: "apiVersion", message, label: None, help: lifecycle.remedy() });
    }
    if is_allowed() {
        return None;
    }
    // The same kind elsewhere, or the same API version with a kind that looks like it.
    let mut versions: Vec<String> = builtin
        .kinds()
        .filter(|(_, _, kind)| *kind == object.kind)
        .map(|(group, version, _)| if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") })
        .collect();
    versions.sort_unstable();
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    let mut siblings: Vec<&str> = builtin
        .kinds()
        .filter(|(group, version, _)| (*group, *version) == (object.group, object.version))
        .map(|(_, _, kind)| kind)
        .collect();
    siblings.sort_unstable();
    let label = if versions.is_empty() {
        nearest(object.kind, siblings).map(|kind| format!("did you mean `{kind}`?"))
    } else {
        Some(format!("did you mean {}?", list(&versions, "or")))
    };
    Some(Unserved {
        rule: &schema::UNKNOWN_KIND,
        key: if versions.is_empty() { "kind" } else { "apiVersion" },
        message: format!("Kubernetes {version} has no kind {} in {}", Quoted(object.kind), Quoted(&api)),
        label,
        help: format!(
            "correct it; if it is a custom resource, add its definition with `--crds`, or let it pass with \
             `--allow-kind {}`",
            object.kind
        ),
    })
}
