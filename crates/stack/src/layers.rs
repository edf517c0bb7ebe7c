//! A stack of several files. Each is a stack of a few keys that lies over those before it; what it does not say, they say.

use crate::model::Stack;
use crate::redact;
use crate::units::LayerPath;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_yaml::{Data, Node, Place, Problem, Source, Span};

/// The lists that are merged item by item, and the keys by which two items are the same. Any other list is replaced as a
/// whole.
pub const MERGED_LISTS: [(&str, &[&str]); 20] = [
    ("alertmanager.receivers", &["name"]),
    ("alertmanager.templates", &["name"]),
    ("alertmanager.timeIntervals", &["name"]),
    ("alerts.rules", &["name"]),
    ("alloy.configFiles", &["name"]),
    ("alloy.outputs", &["url"]),
    ("blackbox-exporter.targets", &["name"]),
    ("checks.provided", &["kind", "namespace", "name"]),
    ("checks.waivers", &["rule", "object"]),
    ("grafana.dashboards", &["name"]),
    ("grafana.dataSources", &["name"]),
    ("loki.retentionStreams", &["selector"]),
    ("loki.rules", &["name"]),
    ("loki.schema", &["from"]),
    ("patches", &["target"]),
    ("prometheus.alertmanagers", &["url"]),
    ("prometheus.remoteRead", &["url"]),
    ("prometheus.remoteWrite", &["url"]),
    ("prometheus.scrapeConfigs", &["name"]),
    ("promtail.outputs", &["url"]),
];

/// One of the files of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// Its text.
    pub(crate) source: Arc<Source>,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Layer {
    /// The path of a file that it names.
    pub(crate) fn beside(&self, file: &str) -> PathBuf {
        let mut path = self.path.parent().unwrap_or(Path::new("")).to_owned();
        for part in file.split('/') {
            // A path as a person would write it; where links are, `..` is not the folder above.
            let folds = part == ".." && path.file_name().is_some() && !path.is_symlink();
            let _ = folds && path.pop();
            if !folds {
                path.push(part);
            }
        }
        path
    }
}

/// Something that one file says and another, above it, says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Hidden {
    /// The dotted path of it in the whole, a number for an item of a list.
    pub(crate) path: String,
    /// What counts: nothing where the default is asked for again.
    pub(crate) by: Node,
    /// What does not.
    pub(crate) value: Node,
}

/// Gives the text of another file, or says what is wrong with it.
pub(crate) type Reader<'a> = &'a dyn Fn(&Path) -> Result<Arc<Source>, String>;

/// The files of a stack, and what they say together.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// The files, the lowest first.
    files: Vec<Layer>,
    /// All that they say; nothing if the stack's own file holds no stack.
    pub(crate) root: Option<Node>,
    /// What is not in it, the lowest file first.
    pub(crate) hidden: Vec<Hidden>,
    /// What keeps a file from being read wholly.
    pub(crate) problems: Vec<Problem>,
    /// What a file says though those below say the same already.
    pub(crate) warnings: Vec<Problem>,
}

impl Layers {
    /// Reads the file of a stack and those that it extends.
    pub(crate) fn read(top: Layer, read: Reader) -> Self {
        let mut layers = Self::default();
        let Some(node) = layers.document(&top.source) else {
            layers.files.push(top);
            return layers;
        };
        for (path, span) in extended(&top, &node) {
            if layers.files.iter().any(|layer| layer.path == path) {
                let problem = Problem::error(format!("`{}` is named twice", path.display()), span.clone());
                layers.problems.push(problem.label("is in the list already").help("name each file once"));
                continue;
            }
            layers.below(path, span, read);
        }
        layers.add(&node);
        layers.files.push(top);
        layers
    }

    /// Reads a file that is named at `span`, and lays it over those before it.
    pub(crate) fn below(&mut self, path: PathBuf, span: &Span, read: Reader) {
        let source = match read(&path) {
            Ok(source) => source,
            Err(reason) => {
                let problem = Problem::error(format!("the stack `{}` {reason}", path.display()), span.clone());
                self.problems.push(
                    problem
                        .label("expected a stack file")
                        .help("its path starts at the folder of the file that names it"),
                );
                return;
            }
        };
        if let Some(node) = self.document(&source) {
            if let Some(entry) = node.entry("extends") {
                let problem =
                    Problem::error("a file that another one lies over extends none itself", entry.key.span.clone());
                self.problems.push(
                    problem
                        .label("cannot stand here")
                        .help("name all files in one list, each before those that lie over it"),
                );
            }
            self.add(&node);
        }
        self.files.push(Layer { source, path });
    }

    /// What a file says, or nothing and why.
    fn document(&mut self, source: &Arc<Source>) -> Option<Node> {
        let (document, mut problems) = vigil_yaml::salvage(source, &Stack::LIMITS);
        if document.is_none() && problems.is_empty() {
            problems.push(
                Problem::in_file("holds no stack", source.name.as_str())
                    .help("every key has a default: a single line such as `kubernetes: \"1.29\"` is a complete stack"),
            );
        }
        if let Some(problem) = document.as_ref().and_then(object) {
            self.problems.push(problem);
            return None;
        }
        self.problems.append(&mut problems);
        document
    }

    /// Lays what a file says over what is there.
    fn add(&mut self, above: &Node) {
        self.root = Some(match self.root.take() {
            // Both are mappings, or a mistake that is told later.
            Some(below) => self.lay(above, &below, "").unwrap_or(below),
            None => above.clone(),
        });
    }

    /// The path of a file that a value at `span` names.
    pub(crate) fn path(&self, span: &Span, file: &str) -> PathBuf {
        let layer = self.files.iter().find(|layer| layer.source == span.source);
        layer.map_or_else(|| PathBuf::from(file), |layer| layer.beside(file))
    }

    /// The files below the stack's own.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let below = self.files.len().saturating_sub(1);
        self.files[..below].iter().map(|layer| layer.path.clone()).collect()
    }

    /// The problems with every credential of the files starred.
    pub(crate) fn redacted(&self, problems: Vec<Problem>) -> Vec<Problem> {
        self.files.iter().fold(problems, |problems, layer| redact::redacted(problems, &layer.source))
    }

    /// All that the files say, at places in texts without credentials.
    pub(crate) fn without_credentials(&self, root: &mut Node) {
        for layer in &self.files {
            redact::without_credentials(root, &layer.source);
        }
    }

    fn lay(&mut self, above: &Node, below: &Node, path: &str) -> Option<Node> {
        above.over_with(below, path, &mut |path, above, below| self.settle(path, above, below))
    }

    /// What counts of two values.
    fn settle(&mut self, path: &str, above: &Node, below: &Node) -> Option<Node> {
        let keys = MERGED_LISTS.iter().find(|(list, _)| *list == path).map(|(_, keys)| *keys);
        if let (Some(keys), Data::List(items), Data::List(beneath)) = (keys, &above.data, &below.data) {
            let data = Data::List(self.items(path, keys, items, beneath));
            return Some(Node { data, span: above.span.clone() });
        }
        if above.to_json() == below.to_json() {
            let place = format!("{}:{}", below.span.source.name, below.span.line_column().0);
            self.warnings.push(
                Problem::warning(format!("`{}` says what is said already", in_words(path)), above.span.clone())
                    .label(format!("{place} says the same"))
                    .help("leave it out: what a file says that those below it say, too, changes nothing"),
            );
        }
        self.hidden.push(Hidden { path: path.to_owned(), by: above.clone(), value: below.clone() });
        // A key with nothing behind it asks for the default.
        (!above.is_null()).then(|| above.clone())
    }

    /// The items of one list over those of another: where the keys are the same, one is laid over the other.
    fn items(&mut self, path: &str, keys: &[&str], above: &[Node], below: &[Node]) -> Vec<Node> {
        let identity = |item: &Node| keys.iter().map(|key| item.get(key).map(Node::to_json)).collect::<Vec<_>>();
        let same =
            |one: &Node, other: &Node| identity(one) == identity(other) && one.get(keys[keys.len() - 1]).is_some();
        let mut merged = Vec::with_capacity(above.len() + below.len());
        for item in below {
            let over = above.iter().find(|it| same(it, item)).and_then(|it| {
                // The keys are the same on purpose.
                let rest = it.entries().iter().filter(|entry| !keys.contains(&entry.key.text.as_str())).cloned();
                let rest = Node { data: Data::Map(rest.collect()), span: it.span.clone() };
                self.lay(&rest, item, &format!("{path}.{}", merged.len()))
            });
            merged.push(over.unwrap_or_else(|| item.clone()));
        }
        merged.extend(above.iter().filter(|it| !below.iter().any(|item| same(it, item))).cloned());
        merged
    }

    /// Says of a mistake what it hides: who made it may have meant that.
    pub(crate) fn with_hidden(&self, problem: Problem) -> Problem {
        let Place::Text(span) = &problem.place else { return problem };
        let Some(hidden) = self.hidden.iter().rfind(|hidden| hidden.by.span == *span) else { return problem };
        let (file, line) = (&hidden.value.span.source.name, hidden.value.span.line_column().0);
        let hides = format!("it hides what {file}:{line} says");
        let help = problem.help.as_deref().map_or_else(|| hides.clone(), |help| format!("{help}; {hides}"));
        problem.help(help)
    }
}

/// The files that `top` extends, each with the place that names it, in their order.
pub(crate) fn extended<'a>(top: &'a Layer, node: &'a Node) -> impl Iterator<Item = (PathBuf, &'a Span)> {
    let named = node.get("extends").map_or(&[][..], Node::items).iter();
    // What is no path is told when the stack is decoded.
    named.filter_map(|item| {
        let file: LayerPath = item.text()?.parse().ok()?;
        Some((top.beside(file.as_str()), &item.span))
    })
}

/// A dotted path as messages have it: `receivers[0].name`.
pub(crate) fn in_words(path: &str) -> String {
    let mut words = String::new();
    for name in path.split('.') {
        if name.parse::<usize>().is_ok() {
            words.extend(["[", name, "]"]);
        } else {
            words.push_str(if words.is_empty() { "" } else { "." });
            words.push_str(name);
        }
    }
    words
}

/// Says of a Kubernetes object that it is one.
fn object(node: &Node) -> Option<Problem> {
    let (kind, version) = (node.entry("kind")?, node.entry("apiVersion")?);
    let title = format!("this is a Kubernetes object, a `{}`, and no stack", kind.value.text()?);
    Some(
        Problem::error(title, version.key.span.clone())
            .label("a stack has no such key")
            .help("`vigil check FILE` judges objects; a stack says what the cluster runs, and `vigil init` writes one"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parsed;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::fmt::Write as _;
    use vigil_yaml::{Limits, read_one};

    /// Reads `stack/top.yaml`, beside files of a few names.
    fn stack(top: &str, files: &[(&str, &str)]) -> Result<Parsed, Vec<Problem>> {
        let top = Layer { source: Source::new("stack/top.yaml", top), path: "stack/top.yaml".into() };
        Stack::of(top, &|path| {
            let text = files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| *text);
            let name = path.display().to_string();
            text.map(|text| Source::new(name, text)).ok_or_else(|| "cannot be read: it is not there".to_owned())
        })
    }

    fn drawn(problems: &[Problem]) -> String {
        problems.iter().map(|problem| problem.draw(false) + "\n").collect()
    }

    fn sound(top: &str, files: &[(&str, &str)]) -> Parsed {
        stack(top, files).unwrap_or_else(|problems| panic!("{}", drawn(&problems)))
    }

    /// What is said of a stack, one line for each value.
    fn said(parsed: &Parsed) -> String {
        let mut text = String::new();
        for said in parsed.said("") {
            let by: Vec<_> = said
                .by
                .iter()
                .map(|it| format!("{} at {}", it.value.as_deref().unwrap_or("default"), it.place))
                .collect();
            writeln!(text, "{}: {}", said.path, by.join(", over ")).unwrap();
        }
        text
    }

    #[test]
    fn each_file_lies_over_those_before_it() {
        let parsed = sound(
            "extends: [../base.yaml, eu.yaml]\nprometheus: {retention: 3d, retentionSize: }\n",
            &[
                (
                    "base.yaml",
                    "cluster: k3s\n\
                     prometheus: {retention: 1d, replicas: 2, retentionSize: 2GiB, remoteWrite: [{url: 'https://a.example'}]}\n\
                     alertmanager:\n  receivers:\n  - {name: a, slack: [{urlSecret: {name: s, key: k}}]}\n\
                     \x20 - {name: b, slack: [{urlSecret: {name: s, key: k}}]}\n  route: {receiver: a, routes: [{receiver: b, matchers: ['a = b']}]}\n",
                ),
                (
                    "stack/eu.yaml",
                    "prometheus: {retention: 2d}\nmetrics-server: {enabled: true}\n\
                     alertmanager: {receivers: [{name: b, teams: [{urlSecret: {name: t, key: k}}]}]}\n",
                ),
            ],
        );
        assert_eq!(
            said(&parsed).lines().filter(|line| !line.contains("ngress")).collect::<Vec<_>>(),
            [
                "alertmanager.receivers.0.name: a at base.yaml:5",
                "alertmanager.receivers.0.slack: [{\"urlSecret\":{\"key\":\"k\",\"name\":\"s\"}}] at base.yaml:5",
                "alertmanager.receivers.1.name: b at base.yaml:6",
                "alertmanager.receivers.1.slack: [{\"urlSecret\":{\"key\":\"k\",\"name\":\"s\"}}] at base.yaml:6",
                "alertmanager.receivers.1.teams: [{\"urlSecret\":{\"key\":\"k\",\"name\":\"t\"}}] at stack/eu.yaml:3",
                "alertmanager.route.receiver: a at base.yaml:7",
                "alertmanager.route.routes: [{\"matchers\":[\"a = b\"],\"receiver\":\"b\"}] at base.yaml:7",
                "cluster: k3s at base.yaml:1",
                "extends: [\"../base.yaml\",\"eu.yaml\"] at stack/top.yaml:1",
                "grafana.service.type: ClusterIP at the profile k3s",
                "kubernetes-targets.controllerManager: false at the profile k3s",
                "kubernetes-targets.etcd: false at the profile k3s",
                "kubernetes-targets.kubeProxy: false at the profile k3s",
                "kubernetes-targets.scheduler: false at the profile k3s",
                "metrics-server.enabled: true at stack/eu.yaml:2, over false at the profile k3s",
                "prometheus.remoteWrite.0.url: https://a.example at base.yaml:2",
                "prometheus.replicas: 2 at base.yaml:2",
                "prometheus.retention: 3d at stack/top.yaml:2, over 2d at stack/eu.yaml:1, over 1d at base.yaml:2",
                "prometheus.retentionSize: default at stack/top.yaml:2, over 2GiB at base.yaml:2",
            ]
        );
        let stack = parsed.stack;
        assert_eq!((stack.prometheus.retention.as_str(), stack.prometheus.replicas.get()), ("3d", 2));
        assert_eq!(stack.prometheus.retention_size, Stack::default().prometheus.retention_size);
        assert_eq!(parsed.files, [Path::new("base.yaml"), Path::new("stack/eu.yaml")]);
    }

    #[test]
    fn a_file_beside_is_beside_the_one_that_names_it() {
        let rules = "groups:\n- {name: a, rules: [{record: a, expr: b}]}\n";
        let parsed = sound(
            "extends: [../base.yaml]\nalerts: {rules: [{name: own, file: own.yaml}]}\n",
            &[
                ("base.yaml", "alerts: {rules: [{name: shared, file: rules/a.yaml}]}\n"),
                ("rules/a.yaml", rules),
                ("stack/own.yaml", rules),
            ],
        );
        let files = ["base.yaml", "rules/a.yaml", "stack/own.yaml"];
        assert_eq!(parsed.files, files.map(PathBuf::from));
    }

    #[test]
    fn mistakes_stand_in_the_file_that_makes_them() {
        let found = |top: &str, files: &[(&str, &str)]| drawn(&stack(top, files).expect_err("a mistake"));
        insta::assert_snapshot!(found(
            "extends: [../base.yaml, ../base.yaml, gone.yaml, ring.yaml, /etc/passwd]\n\
             prometheus: {retention: 3 days}\n",
            &[
                ("base.yaml", "prometheus: {retention: 1d, retentoin: 2d}\ngrafana: {adminPassword: hunter2}\n"),
                ("stack/ring.yaml", "extends: [../base.yaml]\nprometheus: {replicas: many}\n"),
            ],
        ));
    }

    #[test]
    fn what_changes_nothing_is_told() {
        let parsed = sound(
            "extends: [../base.yaml]\nprometheus: {retention: 1d, externalLabels: {token: hunter2}}\n\
             alertmanager: {receivers: [{name: a, slack: [{urlSecret: {name: s, key: k}}]}]}\n",
            &[(
                "base.yaml",
                "prometheus: {retention: 1d, externalLabels: {token: hunter2}}\n\
                 alertmanager:\n  route: {receiver: a}\n  receivers: [{name: a, slack: [{urlSecret: {name: s, key: k}}]}]\n",
            )],
        );
        let warnings: Vec<_> = parsed.warnings.into_iter().filter(|it| it.message.contains("already")).collect();
        insta::assert_snapshot!(drawn(&warnings));
    }

    #[test]
    fn credentials_of_every_file_are_masked() {
        let parsed = sound(
            "extends: [../base.yaml]\nprometheus: {externalLabels: {token: hunter3}}\n",
            &[("base.yaml", "prometheus: {externalLabels: {token: hunter2}}\n")],
        );
        let said = said(&parsed);
        assert!(said.contains("token: *** at stack/top.yaml:2, over *** at base.yaml:1"), "{said}");
        assert!(!said.contains("hunter"), "{said}");
        let json =
            "patches: [{target: {kind: Secret}, json: [{op: add, path: /stringData, value: {token: hunter2}}]}]\n";
        let said = self::said(&sound(json, &[]));
        assert!(said.contains("\"token\":\"***\"") && !said.contains("hunter"), "{said}");
    }

    #[test]
    fn every_list_that_is_merged_is_one_of_the_stack() {
        for (path, keys) in MERGED_LISTS {
            let item: serde_json::Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!("a"))).collect();
            let whole = path.rsplit('.').fold(json!([item, 7]), |inner, key| json!({ key: inner }));
            let source = Source::new("t", vigil_yaml::write(&whole));
            let problems = drawn(&Stack::parse(&source).expect_err("7 is no item"));
            assert!(problems.contains(&format!("`{path}[1]`")), "{path}: {problems}");
            assert!(!problems.contains("unknown key"), "{path}: {problems}");
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            let row = format!("| `{path}` | {} |", keys.join(", "));
            assert!(include_str!("../../../docs/layers.md").contains(&row), "docs/layers.md lacks {row}");
        }
    }

    /// Values of a stack's shape: `alertmanager.receivers` is merged by `name`.
    fn values() -> impl Strategy<Value = Value> {
        let scalar = || prop_oneof!["[a-c]{1,2}".prop_map(Value::from), (0..5u64).prop_map(Value::from)];
        let section = || prop::collection::btree_map("[a-d]", scalar(), 0..4).prop_map(|map| json!(map));
        let receiver = ("[a-d]", section()).prop_map(|(name, rest)| {
            let mut receiver = rest;
            receiver["name"] = name.into();
            receiver
        });
        let receivers = prop::collection::vec(receiver, 0..4).prop_map(|mut all| {
            let mut seen = std::collections::BTreeSet::new();
            all.retain(|item| seen.insert(item["name"].to_string()));
            all
        });
        (section(), section(), prop::option::of(receivers)).prop_map(|(loki, rest, receivers)| {
            let mut whole = json!({"loki": loki, "grafana": rest});
            if let Some(receivers) = receivers {
                whole["alertmanager"] = json!({"receivers": receivers});
            }
            whole
        })
    }

    fn merged(layers: &[&Value]) -> (Value, Layers) {
        let mut merged = Layers::default();
        for (at, layer) in layers.iter().enumerate() {
            let source = Source::new(format!("{at}"), vigil_yaml::write(layer));
            merged.add(&read_one(&source, &Limits::default()).unwrap().unwrap());
        }
        (merged.root.as_ref().unwrap().to_json(), merged)
    }

    /// Every scalar of a tree, with its path.
    fn scalars<'n>(node: &'n Node, path: &str, found: &mut Vec<(String, &'n Node)>) {
        match &node.data {
            Data::Scalar(_) => found.push((path.to_owned(), node)),
            Data::List(items) => {
                for item in items {
                    // By its key, so that its place in the list does not count.
                    let name = item.get("name").map_or_else(String::new, |name| name.to_json().to_string());
                    scalars(item, &format!("{path}/{name}"), found);
                }
            }
            Data::Map(entries) => {
                for entry in entries {
                    scalars(&entry.value, &format!("{path}/{}", entry.key.text), found);
                }
            }
        }
    }

    #[test]
    fn keys_may_hold_dots() {
        let below = [("base.yaml", "labels: {example.com/team: a}\ngrafana: {config: {auth.ldap: {enabled: true}}}\n")];
        let top = "extends: [../base.yaml]\nlabels: {example.com/team: b}\ngrafana: {config: {auth.ldap: }}\n";
        assert_eq!(
            said(&sound(top, &below)).lines().filter(|line| !line.starts_with("extends")).collect::<Vec<_>>(),
            [
                "grafana.config: {} at stack/top.yaml:3",
                "grafana.config.auth.ldap: default at stack/top.yaml:3, over {\"enabled\":true} at base.yaml:2",
                "labels.example.com/team: b at stack/top.yaml:2, over a at base.yaml:1",
            ]
        );
    }

    #[test]
    fn a_key_with_nothing_behind_it_is_the_default() {
        let (root, _) = merged(&[
            &json!({"loki": {"a": 1, "b": 2}, "grafana": {"c": 3}}),
            &json!({"loki": {"a": null}, "grafana": null}),
        ]);
        assert_eq!(root, json!({"loki": {"b": 2}}));
    }

    proptest! {
        #[test]
        fn an_empty_layer_changes_nothing(a in values()) {
            let empty = json!({});
            prop_assert_eq!(&merged(&[&a, &empty]).0, &a);
            prop_assert_eq!(&merged(&[&empty, &a]).0, &a);
        }

        #[test]
        fn the_same_twice_is_the_same(a in values(), b in values()) {
            let (once, _) = merged(&[&a, &b]);
            prop_assert_eq!(&merged(&[&a, &b, &b]).0, &once);
        }

        #[test]
        fn what_is_on_top_counts(a in values(), b in values(), c in values()) {
            let (_, layers) = merged(&[&a, &b, &c]);
            let texts = [&a, &b, &c].map(|layer| {
                read_one(&Source::new("t", vigil_yaml::write(layer)), &Limits::default()).unwrap().unwrap()
            });
            let mut found = Vec::new();
            scalars(layers.root.as_ref().unwrap(), "", &mut found);
            for (path, node) in found {
                let sayings = texts.iter().enumerate().rev().find_map(|(at, text)| {
                    let mut all = Vec::new();
                    scalars(text, "", &mut all);
                    all.into_iter().find(|(it, _)| *it == path).map(|(_, node)| (at.to_string(), node.to_json()))
                });
                let (by, value) = sayings.unwrap();
                prop_assert_eq!(node.to_json(), value);
                // The key of an item is the same in all of them.
                prop_assert!(node.span.source.name == by || path.ends_with("/name"), "{}", path);
            }
        }

        #[test]
        fn layers_that_say_nothing_of_each_other_may_change_places(a in values(), b in values()) {
            let (mut a, mut b) = (a, b);
            a.as_object_mut().unwrap().remove("grafana");
            b["loki"] = json!({});
            b.as_object_mut().unwrap().remove("alertmanager");
            let sorted = |value: Value| serde_json::from_str::<std::collections::BTreeMap<String, Value>>(&value.to_string()).unwrap();
            prop_assert_eq!(sorted(merged(&[&a, &b]).0), sorted(merged(&[&b, &a]).0));
        }
    }
}
