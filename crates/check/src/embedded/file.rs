//! Files inside of ConfigMaps and Secrets: what they hold, and where in the manifest that stands.

use super::dashboards;
use crate::fields::entries;
use crate::finding::{At, Finding, Findings, find};
use crate::object::Object;
use crate::rule::Rule;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::sync::Arc;
use vigil_forms::ini;
use vigil_yaml::{Data, Entry, Limits, Node, Place, Problem, Source, Span};

/// What the name of a file says of its syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Yaml,
    Json,
    GrafanaIni,
    Alloy,
}

impl Syntax {
    fn of(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "alloy" => Some(Self::Alloy),
            "ini" if name == "grafana.ini" => Some(Self::GrafanaIni),
            _ => None,
        }
    }

    /// As messages call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::GrafanaIni => "INI",
            Self::Alloy => "Alloy",
        }
    }
}

/// A file in an object.
pub(crate) struct File<'a> {
    /// The ConfigMap or Secret.
    pub(crate) object: Object<'a>,
    /// The key and its value.
    pub(crate) entry: &'a Entry,
    pub(super) syntax: Syntax,
    /// The text of the file.
    pub(crate) source: Arc<Source>,
    /// The text stands in the manifest as it is.
    verbatim: bool,
}

impl<'a> File<'a> {
    /// The files in an object whose names tell what they are.
    pub(super) fn all(object: &Object<'a>) -> Vec<Self> {
        let fields: &[&str] = match (object.group, object.kind) {
            ("", "ConfigMap") => &["data"],
            ("", "Secret") => &["stringData", "data"],
            _ if dashboards::is_operated(object) => return Self::dashboard(object).into_iter().collect(),
            _ => return Vec::new(),
        };
        let mut files = Vec::new();
        for field in fields {
            for entry in entries(object.node, field) {
                let Some(syntax) = Syntax::of(&entry.key.text) else { continue };
                let Some(text) = entry.value.text() else { continue };
                let encoded = object.kind == "Secret" && *field == "data";
                let text = if encoded {
                    let decoded = STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                    let Some(decoded) = decoded else { continue };
                    decoded
                } else {
                    text.to_owned()
                };
                let source = Source::new(entry.key.text.clone(), text);
                files.push(Self { object: *object, entry, syntax, source, verbatim: !encoded });
            }
        }
        files
    }

    /// The dashboard of an object of Grafana's operator.
    fn dashboard(object: &Object<'a>) -> Option<Self> {
        let entry = object.at(&["spec"])?.entry("json")?;
        let source = Source::new(entry.key.text.clone(), entry.value.text()?.to_owned());
        Some(Self { object: *object, entry, syntax: Syntax::Json, source, verbatim: true })
    }

    /// Whether it may be the configuration of a program that is looked into, or provision Grafana.
    pub(super) fn may_configure(&self) -> bool {
        match self.syntax {
            Syntax::Yaml | Syntax::GrafanaIni => true,
            // In JSON a key may be written with escapes.
            Syntax::Json => ["apiVersion", "\\u"].iter().any(|it| self.source.text.contains(it)),
            Syntax::Alloy => false,
        }
    }

    /// The file's name.
    pub(crate) fn name(&self) -> &'a str {
        &self.entry.key.text
    }

    /// Whether it is a template of something: what it will be is not known here.
    pub(super) fn is_template(&self) -> bool {
        ["{{", "{%", "<%", "${"].iter().any(|mark| self.source.text.contains(mark))
    }

    /// The documents of a YAML or JSON file, and what is wrong with them.
    pub(super) fn read(&self) -> (Vec<Node>, Vec<Problem>) {
        vigil_yaml::salvage_all(&self.source, &Limits::default())
    }

    /// The lines of an INI file, but for those that are templates.
    pub(super) fn ini_lines(&self) -> impl Iterator<Item = ini::Line<'_>> {
        ini::lines(&self.source.text).filter(|line| !line.text.contains("{{"))
    }

    /// Where a part of the file stands in the manifest; the line of the file where it does not stand there as it is.
    fn place(&self, span: &Span) -> Result<Span, usize> {
        let inside = span.line_column().0;
        let outer = &self.entry.value.span;
        let placed = || {
            if !self.verbatim {
                return None;
            }
            let text = &outer.source.text;
            let first = outer.line();
            let indent = outer.range.start - first.start;
            // A block: its lines are those of the file, further in. Anything else: one line, the same from the start.
            let mut start = first.start;
            for _ in 1..inside {
                start += text[start..].find('\n')? + 1;
            }
            let own = span.line();
            let end = start + text[start..].find(['\r', '\n']).unwrap_or(text.len() - start);
            let line = text.get(start + indent..end)?;
            let same = line.get(..own.len())? == self.source.text.get(own.clone())?;
            let at = start + indent + (span.range.start - own.start);
            same.then(|| {
                Span::new(&outer.source, at..at + (span.range.end.min(own.end).saturating_sub(span.range.start)))
            })
        };
        placed().ok_or(inside)
    }

    /// Adds a finding about a part of the file. `root` is the document that `at` is a part of.
    pub(crate) fn add<'f, 'n>(
        &self,
        rule: &'static Rule,
        root: &Node,
        at: impl Into<At<'n>>,
        message: impl Into<String>,
        findings: &'f mut Findings,
    ) -> &'f mut Finding {
        let at = at.into();
        let span = match at {
            At::Value(node) => &node.span,
            At::Key(entry) => &entry.key.span,
        };
        let mut path = String::new();
        find(root, at, &mut path);
        let finding = self.add_at(rule, span, message, findings);
        if !path.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(finding.path, ": {path}");
        }
        finding
    }

    /// Adds a finding about a part of the text.
    pub(crate) fn add_at<'f>(
        &self,
        rule: &'static Rule,
        span: &Span,
        message: impl Into<String>,
        findings: &'f mut Findings,
    ) -> &'f mut Finding {
        let mut message = message.into();
        let place = self.place(span);
        if let Err(line) = place {
            message = format!("line {line} of `{}`: {message}", self.name());
        }
        let finding = findings.add(rule, &self.object, self.entry, message);
        if let Ok(span) = place {
            finding.place = Place::Text(span);
        }
        finding
    }
}

/// Where something stands that may be an object's own or in a file.
#[derive(Clone, Copy)]
pub(super) enum Where<'w, 'a> {
    File(&'w File<'a>, &'w Node),
    Object(&'w Object<'a>),
}

impl Where<'_, '_> {
    /// Adds a finding about a part of it.
    pub(super) fn add<'f, 'n>(
        &self,
        rule: &'static Rule,
        at: impl Into<At<'n>>,
        message: impl Into<String>,
        findings: &'f mut Findings,
    ) -> &'f mut Finding {
        match self {
            Self::File(file, root) => file.add(rule, root, at, message, findings),
            Self::Object(object) => findings.add(rule, object, at, message),
        }
    }
}

/// Whether a document is a mapping with this key.
pub(super) fn has(node: &Node, key: &str) -> bool {
    matches!(node.data, Data::Map(_)) && node.get(key).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::read;

    fn placed(manifest: &str, part: &str) -> Result<(usize, usize), usize> {
        let documents = read(&Source::new("t", manifest), &Limits::default());
        let node = documents.nodes.first().unwrap();
        let object = Object {
            node,
            group: "",
            version: "v1",
            kind: node.get("kind").and_then(Node::text).unwrap(),
            name: "t",
            namespace: "",
            damaged: false,
        };
        let file = &File::all(&object)[0];
        let at = file.source.text.find(part).unwrap();
        file.place(&Span::new(&file.source, at..at + part.len())).map(|span| {
            assert_eq!(span.text(), part);
            span.line_column()
        })
    }

    #[test]
    fn places_in_the_manifest() {
        for (manifest, expected) in [
            ("kind: ConfigMap\ndata:\n  a.yaml: |\n    b: 1\n    c:\n      d: 2\n", Ok((6, 7))),
            ("kind: ConfigMap\ndata:\n  a.yaml: |-\n      b: 1\n\n      d: 2\n", Ok((6, 7))),
            ("kind: ConfigMap\r\ndata:\r\n  a.yaml: |\r\n    b: 1\r\n    d: 2\r\n", Ok((5, 5))),
            ("kind: ConfigMap\ndata:\n  a.json: d 2\n", Ok((3, 11))),
            ("kind: ConfigMap\ndata:\n  a.yaml: \"b: 1\\nd: 2\"\n", Err(2)),
            ("kind: ConfigMap\ndata:\n  a.yaml: >\n    b\n\n    d: 2\n", Err(2)),
            ("kind: Secret\ndata:\n  a.yaml: ZDogMgo=\n", Err(1)),
        ] {
            assert_eq!(placed(manifest, "d"), expected, "{manifest}");
        }
    }
}
