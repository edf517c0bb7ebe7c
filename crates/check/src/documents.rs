//! Texts to documents to objects.

use crate::fields::items;
use crate::finding::Findings;
use crate::kubectl;
use crate::object::Object;
use crate::options::Options;
use crate::rule::rules;
use std::sync::Arc;
use vigil_yaml::source::has_directives;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Limits, Node, Problem, Quoted, Source, Span};

rules! {
    YAML "yaml" Error Kubectl "every document is valid YAML, which all parsers read alike"
    KUSTOMIZATION "kustomization" Error Kubectl "every kustomization has the keys that kustomize reads, and what must be built is built"
    IDENTITY "object-identity" Error Kubectl "every object has `apiVersion`, `kind` and `metadata.name`"
}

/// What a text holds.
pub(crate) struct Documents {
    source: Arc<Source>,
    pub(crate) nodes: Vec<Node>,
    problems: Vec<Problem>,
    directives: Vec<Span>,
}

impl Documents {
    /// The objects in them, and what is wrong with what is none.
    pub(crate) fn objects(&self) -> (Vec<Object<'_>>, Findings) {
        let (mut objects, mut findings) = (Vec::new(), Findings::default());
        // kubectl passes over documents that are null.
        for node in self.nodes.iter().filter(|node| !node.is_null()) {
            collect(node, !self.problems.is_empty(), &mut objects, &mut findings);
        }
        (objects, findings)
    }

    /// Says what is wrong with the text.
    pub(crate) fn tell(&self, findings: &mut Findings) {
        for problem in &self.problems {
            let finding = findings.add_outside(&YAML, problem.place.clone(), problem.message.clone());
            finding.append(problem.label.clone(), problem.help.clone());
        }
        for directive in &self.directives {
            let message = format!("kubectl does not read the directive {}", Quoted(directive.text().trim()));
            findings
                .add_outside(&YAML, directive.clone(), message)
                .help("remove the line: kubectl takes what is above a `---` line for a document of its own");
        }
    }

    /// Whether it is what this text holds.
    pub(crate) fn is_of(&self, source: &Source) -> bool {
        self.source.text == source.text && self.source.first_line == source.first_line
    }

    /// Whether everything it holds was read.
    pub(crate) fn is_whole(&self) -> bool {
        self.problems.is_empty() || !self.nodes.is_empty()
    }
}

/// Reads a text; what is wrong with it is told later.
pub(crate) fn read(source: &Arc<Source>, limits: &Limits) -> Documents {
    let (mut nodes, mut problems) = vigil_yaml::salvage_all(source, limits);
    if !problems.is_empty() {
        let values = source.json_values();
        if values.len() > 1 {
            let read = values.iter().map(|value| vigil_yaml::salvage_all(value, limits));
            let (each, wrong): (Vec<_>, Vec<_>) = read.unzip();
            (nodes, problems) = (each.concat(), wrong.concat());
        }
    }
    Documents { source: Arc::clone(source), nodes, problems, directives: directives(source) }
}

/// The lines with directives (`%YAML`): those before a document begins.
fn directives(source: &Arc<Source>) -> Vec<Span> {
    if !has_directives(&source.text) {
        return Vec::new();
    }
    let (mut found, mut is_between, mut start) = (Vec::new(), true, 0);
    for line in source.text.split_inclusive('\n') {
        if is_between && line.starts_with('%') {
            found.push(Span::new(source, start..start + line.trim_end().len()));
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            is_between = line.starts_with("...");
        }
        start += line.len();
    }
    found
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
        for item in items(node, "items") {
            collect(item, damaged, objects, findings);
        }
        return;
    }
    // A configuration of kubectl's and no object of an API server.
    if group == "kustomize.config.k8s.io" {
        kustomization(node, findings);
        return;
    }
    let name = node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
    let object = Object { node, group, version, kind, name, namespace: "", damaged };
    let generated = || node.at(&["metadata", "generateName"]).is_some_and(|name| !name.is_null());
    // Of a name that is no text the schema tells.
    let is_other = node.at(&["metadata", "name"]).is_some_and(|name| !name.is_null() && name.text().is_none());
    if name.is_empty() && !damaged && !is_other && !generated() {
        let at = node.entry("metadata").or_else(|| node.entry("kind"));
        let finding = match at {
            Some(entry) => findings.add(&IDENTITY, &object, entry, "the object has no name"),
            None => findings.add(&IDENTITY, &object, node, "the object has no name"),
        };
        finding.label("expected `metadata.name`").help("add `name:` to `metadata:`");
    }
    kubectl::unreadable(node, &mut |at, message, help| {
        findings.add(&YAML, &object, at, message).help(help);
    });
    objects.push(object);
}

/// Says what of the input could not be read.
pub(crate) fn tell_unread(options: &Options, findings: &mut Findings) {
    for problem in &options.unread {
        let finding = findings.add_outside(&KUSTOMIZATION, problem.place.clone(), problem.message.clone());
        finding.append(problem.label.clone(), problem.help.clone());
    }
}

/// The fields of a kustomization and of a component: `api/types/kustomization.go` of sigs.k8s.io/kustomize 5.
const FIELDS: &str = "apiVersion kind metadata openapi namePrefix nameSuffix namespace commonLabels labels commonAnnotations \
    patchesStrategicMerge patchesJson6902 patches images imageTags replacements replicas vars sortOptions resources components \
    crds bases configMapGenerator secretGenerator helmGlobals helmCharts helmChartInflationGenerator generatorOptions \
    configurations generators transformers validators buildMetadata";

/// Judges the keys of a kustomization, which kustomize refuses where it does not know one.
fn kustomization(node: &Node, findings: &mut Findings) {
    let known: Vec<&str> = FIELDS.split_ascii_whitespace().collect();
    for entry in node.entries().iter().filter(|entry| !known.contains(&entry.key.text.as_str())) {
        let message = format!("unknown field {}", Quoted(&entry.key.text));
        let finding = findings.add_outside(&KUSTOMIZATION, entry.key.span.clone(), message);
        if let Some(near) = nearest(&entry.key.text, known.iter().copied()) {
            finding.label(format!("did you mean `{near}`?"));
        }
        finding.help("correct or remove it: `kubectl apply -k` refuses a field that it does not know");
    }
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
        let known = node.entries().iter().map(|entry| entry.key.text.as_str()).filter(|known| known != key);
        nearest(key, known).map(|found| format!("write `{key}` for `{found}`"))
    });
    let other = || other(node).unwrap_or("name both, or keep files of another sort out of what is checked").to_owned();
    finding.label("expected an object of the Kubernetes API").help(mistaken.unwrap_or_else(other));
}

/// What a file of another sort is, by its keys, and where it belongs.
fn other(node: &Node) -> Option<&'static str> {
    const SORTS: [(&[&str], &str); 6] = [
        (
            &["groups"],
            "this is a rule file of Prometheus: put its `groups` into `spec` of a PrometheusRule, or let `promtool check rules` read it",
        ),
        (&["panels"], "this is a dashboard of Grafana: put it into a ConfigMap, under a key that ends with `.json`"),
        (
            &["route", "receivers"],
            "this is a configuration of Alertmanager: put it into a Secret, under the key `alertmanager.yaml`, or let \
             `amtool check-config` read it",
        ),
        (
            &["scrape_configs"],
            "this is a configuration of Prometheus: put it into a ConfigMap, or let `promtool check config` read it",
        ),
        (&["name", "version"], "this is `Chart.yaml` of a Helm chart: check what `helm template` makes of its folder"),
        (&["datasources"], "these are data sources of Grafana: put them into a ConfigMap or Secret"),
    ];
    SORTS.iter().find(|(keys, _)| keys.iter().all(|key| node.get(key).is_some())).map(|(_, help)| *help)
}
