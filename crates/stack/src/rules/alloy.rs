//! What Alloy could not do.

use super::promtail::outputs;
use super::{journal, log_pipelines, same_name};
use crate::findings::Findings;
use crate::model::{Alloy, EVENT_LABELS, Stack};
use std::sync::Arc;
use vigil_alloy::{Block, Named, Outline};
use vigil_forms::name::is_credential;
use vigil_yaml::Source;

pub(crate) fn check(alloy: &Alloy, stack: &Stack, findings: &mut Findings) {
    if !alloy.enabled {
        return;
    }
    if stack.promtail.enabled {
        findings.error(
            &["promtail.enabled", "alloy.enabled", "promtail"],
            "Promtail and Alloy both carry the logs of all pods to Loki",
            "every line would be stored twice",
            "set `promtail.enabled: false`, which is `true` unless you say otherwise, or `alloy.enabled: false`",
        );
    }
    outputs("alloy", "Alloy", &alloy.outputs, stack, findings);
    journal::check("alloy", &alloy.journal, stack, findings);
    let mut labels = log_pipelines::labels_of_journal(&alloy.journal);
    if alloy.events.enabled {
        labels.extend(EVENT_LABELS);
    }
    log_pipelines::check("alloy", &alloy.pipelines, &labels, stack, findings);
    files(alloy, findings);
    let namespaces = &alloy.events.namespaces;
    for (at, namespace) in namespaces.iter().enumerate().filter(|(at, namespace)| namespaces[..*at].contains(namespace))
    {
        findings.error(
            &[&format!("alloy.events.namespaces.{at}")],
            format!("the namespace `{namespace}` stands twice"),
            "its Events would be carried twice",
            "remove one of the two",
        );
    }
}

/// What the names of Alloy's components begin with: other names are those of functions, arguments and modules.
const FAMILIES: [&str; 11] = [
    "beyla",
    "database_observability",
    "discovery",
    "faro",
    "local",
    "loki",
    "mimir",
    "otelcol",
    "prometheus",
    "pyroscope",
    "remote",
];

/// A file of configuration beside the stack's own, with which it is one.
struct Piece {
    path: String,
    source: Arc<Source>,
    outline: Outline,
}

fn files(alloy: &Alloy, findings: &mut Findings) {
    let files = &alloy.config_files;
    let names = files.iter().map(|file| &file.name);
    same_name("alloy.configFiles", names, "files", "one would overwrite the other", findings);
    let mut pieces = Vec::new();
    for (at, file) in files.iter().enumerate() {
        if file.name.as_str() == "config" {
            findings.error(
                &[&format!("alloy.configFiles.{at}.name")],
                "`config.alloy` is the file of the stack",
                "it would be overwritten",
                "call it otherwise",
            );
        }
        let source = Source::new(file.file.as_str(), file.text.as_deref().unwrap_or_default());
        let outline = vigil_alloy::outline(&source).unwrap_or_default();
        pieces.push(Piece { path: format!("alloy.configFiles.{at}.file"), source, outline });
    }
    declared_twice(&pieces, findings);
    declared_nowhere(alloy, &pieces, findings);
    for piece in &pieces {
        credentials(piece, findings);
    }
}

fn declared_twice(pieces: &[Piece], findings: &mut Findings) {
    // What is switched off now has its name too.
    let mut names: Vec<&str> = Alloy::all_components();
    for Piece { path, outline, .. } in pieces {
        for Block { named, .. } in outline.blocks.iter().filter(|block| block.is_outermost) {
            if names.contains(&named.name.as_str()) {
                findings.error(
                    &[path],
                    format!("{:?}: `{}` is declared already", named.span, named.name),
                    "by the stack, or by a file before: Alloy does not start with two",
                    "give it another label; how much Alloy logs is `alloy.logLevel`",
                );
            }
            names.push(&named.name);
        }
    }
}

fn declared_nowhere(alloy: &Alloy, pieces: &[Piece], findings: &mut Findings) {
    let own = alloy.components();
    let theirs = pieces.iter().flat_map(|piece| &piece.outline.blocks).map(|block| block.named.name.as_str());
    let declared: Vec<&str> = own.into_iter().chain(theirs).collect();
    for Piece { path, outline, .. } in pieces {
        for Named { name, span } in &outline.references {
            let is_of = |declared: &&str| name.strip_prefix(*declared).is_some_and(|rest| rest.starts_with('.'));
            let family = name.split('.').next().unwrap_or_default();
            if FAMILIES.contains(&family) && !declared.iter().any(is_of) {
                findings.error(
                    &[path],
                    format!("{span:?}: `{name}` is of no component"),
                    "neither the stack nor a file declares it: Alloy does not start",
                    "name one that is there; `loki.write.loki.receiver` takes log lines as they are",
                );
            }
        }
    }
}

fn credentials(Piece { path, source, .. }: &Piece, findings: &mut Findings) {
    for attribute in vigil_alloy::attributes(source).unwrap_or_default() {
        if is_credential(&attribute.name) && !attribute.text.is_empty() {
            findings.error(
                &[path],
                format!("{:?}: `{}` is a credential", attribute.span, attribute.name),
                "no credential stands beside a stack",
                "write `sys.env(\"NAME\")`, and name the Secret with that key in `alloy.envFromSecrets`",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::layers::Layer;
    use crate::model::Stack;
    use std::path::Path;
    use vigil_yaml::Source;

    /// What is said of a stack with a file that holds this.
    fn told(text: &str, more: &str) -> Vec<String> {
        let stack = format!(
            "promtail: {{enabled: false}}\nalloy: {{enabled: true, configFiles: [{{name: own, file: own.alloy}}]{more}}}\n"
        );
        let read = |path: &Path| Ok(Source::new(path.display().to_string(), text));
        let top = Layer { source: Source::new("stack.yaml", stack), path: "stack.yaml".into() };
        let parsed = Stack::of(top, &read);
        parsed.err().unwrap_or_default().into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn files_are_one_configuration_with_ours() {
        const PIPELINE: &str = ", pipelines: [{stages: [{drop: {expression: a}}]}]";
        for (text, more, message) in [
            ("loki.source.api \"own\" {\n\tforward_to = [loki.write.loki.receiver]\n}\n", "", None),
            ("a.b \"c\" { x = loki.process.lines.receiver }\n", PIPELINE, None),
            ("a.b \"c\" { password = sys.env(\"P\") }\nd { x = a.b.c.y }\n", "", None),
            (
                "a.b \"c\" { x = loki.process.lines.receiver }\n",
                "",
                Some("own.alloy:1:15: `loki.process.lines.receiver` is of no component"),
            ),
            (
                "\nloki.source.journal \"node\" { }\n",
                "",
                Some("own.alloy:2:1: `loki.source.journal.node` is declared already"),
            ),
            ("logging { }\n", "", Some("own.alloy:1:1: `logging` is declared already")),
            ("a { }\na { }\n", "", Some("own.alloy:2:1: `a` is declared already")),
            ("a { password = \"p\" }\n", "", Some("own.alloy:1:17: `password` is a credential")),
            (
                "a {",
                "",
                Some("the configuration file `own.alloy` is not in its language: own.alloy:1:4: expected a name"),
            ),
            ("// nothing\n", "", Some("the configuration file `own.alloy` declares nothing")),
        ] {
            assert_eq!(told(text, more), Vec::from_iter(message.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn events_are_carried_once() {
        const SELECTED: &str = r#"pipelines: [{selector: '{type="Normal"}', stages: [{drop: {source: type}}]}]"#;
        for (alloy, message) in [
            ("events: {enabled: true, namespaces: [a, b]}".to_owned(), None),
            ("events: {enabled: true, namespaces: [a, b, a]}".to_owned(), Some("the namespace `a` stands twice")),
            (format!("events: {{enabled: true}}, {SELECTED}"), None),
            (SELECTED.to_owned(), Some("no line has the label `type` here")),
        ] {
            let text = format!("promtail: {{enabled: false}}\nalloy: {{enabled: true, {alloy}}}\n");
            let found = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
            let found: Vec<_> = found.into_iter().map(|problem| problem.message).take(1).collect();
            assert_eq!(found, Vec::from_iter(message.map(str::to_owned)), "{alloy}");
        }
    }
}
