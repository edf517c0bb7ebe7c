//! Whether files are what their names say.

use super::file::{File, Syntax};
use super::json::mistake;
use crate::finding::{Finding, Findings};
use crate::rule::rules;
use rayon::prelude::*;
use serde::de::IgnoredAny;
use vigil_forms::ini::Says;
use vigil_yaml::{Node, Place, Problem, Span};

rules! {
    SYNTAX "file-syntax" Error Program "files in ConfigMaps and Secrets are valid JSON, YAML or INI, as their names say"
}

/// Keys of which every dashboard has one, as they stand in JSON.
const KEYS: [&str; 5] = ["\"panels\"", "\"templating\"", "\"elements\"", "\"rows\"", "\"targets\""];

/// Reads all files at once; what each holds, and what is wrong with it.
pub(super) fn check<'f, 'a>(files: &'f [File<'a>], findings: &mut Findings) -> Vec<Read<'f, 'a>> {
    let read = |file: &'f File<'a>| {
        let mut findings = Findings::default();
        let documents = documents(file, &mut findings);
        (Read { file, documents }, findings)
    };
    let (read, found): (Vec<_>, Vec<_>) = files.par_iter().map(read).unzip();
    findings.list.extend(found.into_iter().flat_map(|findings| findings.list));
    read
}

/// A file and what it holds.
pub(super) struct Read<'f, 'a> {
    pub(super) file: &'f File<'a>,
    /// Its documents, if it is YAML or JSON that could be read.
    pub(super) documents: Vec<Node>,
}

/// Says what is wrong with a file.
pub(super) fn tell(file: &File<'_>, findings: &mut Findings) {
    match file.syntax {
        Syntax::Yaml => drop(yaml(file, findings)),
        Syntax::Json => json(file, findings),
        Syntax::GrafanaIni => ini(file, findings),
        Syntax::Alloy => alloy(file, findings),
    }
}

/// The documents of a file, and what is wrong with it.
fn documents(file: &File<'_>, findings: &mut Findings) -> Vec<Node> {
    if file.syntax == Syntax::Yaml {
        return yaml(file, findings);
    }
    tell(file, findings);
    // JSON is YAML; where the two differ, no more is said. Of JSON, only dashboards are looked into.
    let is_dashboard = || KEYS.iter().any(|key| file.source.text.contains(key));
    if file.syntax == Syntax::Json && is_dashboard() { file.read().0 } else { Vec::new() }
}

fn alloy(file: &File<'_>, findings: &mut Findings) {
    if let Err(problem) = vigil_alloy::attributes(&file.source)
        && !file.is_template()
        && let Place::Text(span) = &problem.place
    {
        broken(file, span, &problem.message, findings);
    }
}

fn yaml(file: &File<'_>, findings: &mut Findings) -> Vec<Node> {
    let (documents, problems) = file.read();
    // Tags and keys of other sorts are somebody's: nothing but what no reader takes is told.
    let fatal = |problem: &&Problem| documents.is_empty() || problem.message.contains(" stands twice in one mapping");
    for problem in problems.iter().filter(fatal).filter(|_| !file.is_template() || !documents.is_empty()) {
        let Place::Text(span) = &problem.place else { continue };
        broken(file, span, &problem.message, findings).append(problem.label.clone(), problem.help.clone());
    }
    documents
}

fn json(file: &File<'_>, findings: &mut Findings) {
    let text = &file.source.text;
    // A Secret is often a placeholder in a manifest, or encoded once more; and what begins otherwise is a part of
    // something.
    if file.object.kind == "Secret" || !text.trim_start().starts_with(['{', '[']) {
        return;
    }
    // More than one value is a form of its own; so are comments.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let first = values.next().and_then(Result::err);
    let end = values.byte_offset();
    let is_more = first.is_none() && !text[end..].trim().is_empty();
    let Some(error) = first.or_else(|| values.find_map(Result::err)) else {
        // One value behind the other is a form of its own, but not that of a dashboard.
        if is_more && KEYS.iter().any(|key| text[..end].contains(key)) {
            let at = end + text[end..].len() - text[end..].trim_start().len();
            broken(file, &Span::new(&file.source, at..at + 1), "a second value", findings)
                .help("Grafana reads one dashboard of a file: give each its own");
        }
        return;
    };
    let is_comment = |line: &str| line.trim_start().starts_with("//") || line.trim_start().starts_with("/*");
    if file.is_template() && error.is_syntax() && templated(text, &error) || text.lines().any(is_comment) {
        return;
    }
    let mistake = mistake(text, &error);
    broken(file, &Span::new(&file.source, mistake.at), &mistake.wrong, findings).append(mistake.label, None);
}

/// Whether the place of an error is a template's mark: outside of a text there is nothing else that `{{` could be.
fn templated(text: &str, error: &serde_json::Error) -> bool {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    ["{{", "{%", "<%", "${"].iter().any(|mark| line.contains(mark))
}

/// Lines that Grafana's reader of INI refuses.
fn ini(file: &File<'_>, findings: &mut Findings) {
    for line in file.ini_lines() {
        let why = match line.says {
            Says::OpenSection => "expected `]` behind the name of the section",
            Says::NoValue => "expected `[section]` or `key = value`",
            Says::Section { .. } | Says::Key { .. } => continue,
        };
        broken(file, &Span::new(&file.source, line.at), why, findings);
    }
}

fn broken<'f>(file: &File<'_>, span: &Span, wrong: &str, findings: &'f mut Findings) -> &'f mut Finding {
    let message = format!("`{}` is not valid {}: {wrong}", file.name(), file.syntax.name());
    file.add_at(&SYNTAX, span, message, findings)
}
