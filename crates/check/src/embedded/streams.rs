//! The labels of streams: what Promtail and Alloy are configured to set.

use super::file::Syntax;
use super::syntax::Read;
use crate::fields::{entries, items, text};
use crate::graph::entrances;
use crate::world::World;
use crate::world::pods::Pod;
use crate::world::program::Program;
use std::collections::BTreeSet;
use vigil_yaml::{Data, Node};

/// Labels that Loki and the collectors set unasked.
const ALWAYS: [&str; 4] = ["filename", "job", "service_name", "stream"];

/// Labels of Kubernetes' events, which Alloy reads.
const OF_EVENTS: [&str; 3] = ["instance", "job", "namespace"];

/// Programs whose labels are not known, and that may send to a Loki.
const OTHERS: [&str; 9] = [
    "agent",
    "fluent-bit",
    "fluentd",
    "logstash",
    "opentelemetry-collector",
    "opentelemetry-collector-contrib",
    "opentelemetry-collector-k8s",
    "otelcol",
    "vector",
];

/// Where Alloy gets lines with labels that its file tells.
const SOURCES: [&str; 4] =
    ["loki.source.file", "loki.source.journal", "loki.source.kubernetes", "loki.source.kubernetes_events"];

/// The labels that streams may have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) names: BTreeSet<String>,
    /// There may be others.
    is_open: bool,
    /// Some collector is known.
    is_known: bool,
}

/// What the collectors of a set with a Loki set; nothing where that cannot be told.
pub(super) fn labels(read: &[Read<'_, '_>], world: &World<'_>) -> Option<Labels> {
    let mut labels = Labels::default();
    for Read { file, documents } in read {
        let is_read_by = |name: &str| world.readers(&file.object).any(|reader| reader.name == name);
        if file.syntax == Syntax::Alloy && is_read_by("alloy") {
            labels.alloy(&file.source.text);
        }
        for root in documents.iter().filter(|root| root.get("scrape_configs").is_some()) {
            if is_read_by("promtail") {
                labels.promtail(root);
            }
        }
    }
    let runs = |pod: &Pod<'_>, names: &[&str]| {
        let containers = pod.spec.map(|spec| items(spec, "containers")).unwrap_or_default();
        containers.iter().filter_map(Program::of).any(|program| names.contains(&program.name))
    };
    let has = |names: &[&str]| world.pods.iter().any(|pod| runs(pod, names));
    // Who sends from elsewhere sets labels of its own.
    let is_entered = || entrances(world).iter().any(|(pod, ..)| runs(&world.pods[*pod], &["loki"]));
    if !labels.is_known || labels.is_open || !has(&["loki"]) || has(&OTHERS) || is_entered() {
        return None;
    }
    Some(labels)
}

impl Labels {
    /// Whether a stream may have a label.
    pub(super) fn may_have(&self, name: &str) -> bool {
        let is_always = name.starts_with("__") || ALWAYS.contains(&name) || name.contains(super::query::VARIABLE);
        is_always || self.names.contains(name)
    }

    fn add(&mut self, name: &str) {
        // One that is made of what an expression matched.
        self.is_open |= name.contains('$');
        if !name.starts_with("__") {
            self.names.insert(name.to_owned());
        }
    }

    fn promtail(&mut self, root: &Node) {
        self.is_known = true;
        let client = root.get("client").into_iter();
        for client in items(root, "clients").iter().chain(client) {
            self.keys(client, "external_labels");
        }
        for config in items(root, "scrape_configs") {
            self.is_open |= config.get("loki_push_api").is_some() || config.get("file_sd_configs").is_some();
            for rule in items(config, "relabel_configs") {
                self.is_open |= text(rule, "action") == Some("labelmap");
                if let Some(label) = text(rule, "target_label") {
                    self.add(label);
                }
            }
            for entry in config.entries() {
                self.keys(&entry.value, "labels");
                if let Data::List(list) = &entry.value.data {
                    for item in list {
                        self.keys(item, "labels");
                    }
                }
            }
            self.stages(items(config, "pipeline_stages"));
        }
    }

    fn keys(&mut self, node: &Node, key: &str) {
        for entry in entries(node, key) {
            self.add(&entry.key.text);
        }
    }

    fn stages(&mut self, stages: &[Node]) {
        for stage in stages {
            self.keys(stage, "labels");
            self.keys(stage, "static_labels");
            self.stages(items(stage, ["match", "stages"]));
        }
    }

    fn alloy(&mut self, text: &str) {
        let Ok(words) = vigil_alloy::words(text) else {
            self.is_open = true;
            return;
        };
        self.is_known |= text.contains("loki.write");
        let words: Vec<&str> = words.iter().filter_map(|word| word.as_str()).collect();
        // Blocks by their names, and objects by those of their attributes.
        let (mut open, mut closed): (Vec<String>, String) = (Vec::new(), String::new());
        for (at, word) in words.iter().enumerate() {
            match *word {
                "{" => {
                    // The next object of a list.
                    let goes_on = words[..at].iter().rev().find(|word| **word != "\n") == Some(&",");
                    let name = if goes_on { closed.clone() } else { opened(&words[..at]) };
                    self.block(&name);
                    open.push(name);
                }
                "}" => closed = open.pop().unwrap_or_default(),
                "=" => self.attribute(&words, at, &open),
                _ => {}
            }
        }
    }

    fn block(&mut self, name: &str) {
        let is_source = name.starts_with("loki.source.");
        self.is_open |=
            is_source && !SOURCES.contains(&name) || name.starts_with("import.") || name == "otelcol.exporter.loki";
        if name == "loki.source.kubernetes_events" {
            self.names.extend(OF_EVENTS.map(str::to_owned));
        }
    }

    fn attribute(&mut self, words: &[&str], at: usize, open: &[String]) {
        let name = at.checked_sub(1).map_or("", |before| words[before]);
        let name = name.strip_prefix("text ").unwrap_or(name);
        let value = words.get(at + 1).and_then(|word| word.strip_prefix("text "));
        let (Some(within), outer) = (open.last(), open.len().checked_sub(2).map(|outer| open[outer].as_str())) else {
            return;
        };
        match (within.as_str(), name, value) {
            ("rule", "target_label", Some(label)) => self.add(label),
            ("rule", "action", Some("labelmap")) => self.is_open = true,
            ("labels =" | "external_labels =" | "targets =" | "path_targets =", ..) => self.add(name),
            ("values =", ..) if matches!(outer, Some("stage.labels" | "stage.static_labels")) => self.add(name),
            _ => {}
        }
    }
}

/// The name of the block that a brace opens, or of the attribute with ` =` whose value begins with it.
fn opened(before: &[&str]) -> String {
    let mut words = before.iter().rev().skip_while(|word| matches!(**word, "[" | "(" | "\n")).peekable();
    if words.next_if(|word| **word == "=").is_some() {
        return format!("{} =", words.next().unwrap_or(&""));
    }
    // `loki.process "pods"`: words and dots in turn, and a label behind them.
    let mut parts: Vec<&str> = Vec::new();
    for word in words.skip_while(|word| word.starts_with("text ")) {
        let is_dot = *word == ".";
        if *word == "\n" || parts.last().is_some_and(|last| (*last == ".") == is_dot) {
            break;
        }
        parts.push(word);
    }
    parts.reverse();
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(labels: &Labels) -> Vec<&str> {
        labels.names.iter().map(String::as_str).collect()
    }

    #[test]
    fn of_alloy() {
        let mut labels = Labels::default();
        labels.alloy(
            r#"
discovery.relabel "pods" {
	targets = discovery.kubernetes.pods.targets

	rule {
		source_labels = ["__meta_kubernetes_namespace"]
		target_label  = "namespace"
	}
}

loki.source.file "x" {
	targets = [{ __path__ = "/a", "node" = "b" }, {team = "c"}]
	forward_to = [loki.process.pods.receiver]
}

loki.source.journal "x" {
	labels = { unit = "a" }
}

loki.process "pods" {
	stage.json {
		expressions = { trace = "trace_id" }
	}

	stage.match {
		selector = "{app=\"a\"}"

		stage.labels {
			values = { level = "", code = "status" }
		}
	}

	stage.structured_metadata {
		values = { trace = "" }
	}
}

loki.write "default" {
	endpoint { url = "http://loki:3100" }
	external_labels = {
		cluster = "a",
	}
}
"#,
        );
        assert_eq!(names(&labels), ["cluster", "code", "level", "namespace", "node", "team", "unit"]);
        assert!(labels.is_known && !labels.is_open);
        for open in [
            "loki.source.api \"a\" { }",
            "discovery.relabel \"a\" {\n\trule {\n\t\taction = \"labelmap\"\n\t\tregex = \"a\"\n\t}\n}",
            "a = {",
        ] {
            let mut labels = Labels::default();
            labels.alloy(open);
            assert!(labels.is_open, "{open}");
        }
    }

    #[test]
    fn of_promtail() {
        let root = |text: &str| {
            vigil_yaml::salvage_all(&vigil_yaml::Source::new("t", text), &vigil_yaml::Limits::default()).0.remove(0)
        };
        let mut labels = Labels::default();
        labels.promtail(&root(
            "clients: [{url: x, external_labels: {cluster: a}}]
scrape_configs:
- relabel_configs: [{target_label: app}, {target_label: __path__}]
  static_configs: [{targets: [localhost], labels: {node: a, __path__: b}}]
  journal: {labels: {unit: a}}
  pipeline_stages:
  - json: {expressions: {trace: trace_id}}
  - match: {selector: x, stages: [{labels: {level: null}}]}
  - static_labels: {team: a}
",
        ));
        assert_eq!(names(&labels), ["app", "cluster", "level", "node", "team", "unit"]);
        assert!(labels.is_known && !labels.is_open);
        let mut labels = Labels::default();
        labels.promtail(&root("scrape_configs: [{relabel_configs: [{action: labelmap, regex: a}]}]"));
        assert!(labels.is_open);
    }
}
