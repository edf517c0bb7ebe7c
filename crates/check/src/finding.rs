//! What is found, and how it is collected.

use crate::object::Object;
use crate::options::Options;
use crate::rule::{FoundBy, Rule};
use crate::template;
use crate::version::Version;
use std::fmt::Write as _;
use std::sync::Arc;
use vigil_yaml::{Data, Entry, Node, Place, Problem, Severity};

/// Something that breaks a [`Rule`], with everything that a person needs to mend it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// What is wrong: lower case, no full stop, the manifest's words in backticks.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What was expected, said beside the marker.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// The object it is about, such as `Deployment mymonitoring/grafana`; none for what is no object.
    pub object: Option<String>,
    /// The field, such as `spec.template.spec.containers[0].image`; empty for the object as a whole.
    pub path: String,
    /// The versions of Kubernetes that it is true for, when it was asked for several and it is not for all of them.
    pub versions: Vec<Version>,
    /// The template that the manifest was rendered from, if the caller said so.
    pub template: Option<Arc<str>>,
}

/// A part of an object that a finding is about.
#[derive(Clone, Copy)]
pub(crate) enum At<'a> {
    /// A value.
    Value(&'a Node),
    /// A key.
    Key(&'a Entry),
}

impl<'a> From<&'a Node> for At<'a> {
    fn from(node: &'a Node) -> Self {
        Self::Value(node)
    }
}

impl<'a> From<&'a Entry> for At<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self::Key(entry)
    }
}

impl Finding {
    /// Adds what was expected.
    pub(crate) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = Some(label.into());
        self
    }

    /// Adds what to do.
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what was expected and what to do, where there is something to say.
    pub(crate) fn append(&mut self, label: Option<String>, help: Option<String>) -> &mut Self {
        self.label = label.or(self.label.take());
        self.help = help.or(self.help.take());
        self
    }

    /// Adds the template of the text that it is in.
    pub(crate) fn trace(&mut self, options: &Options) {
        if let Place::Text(span) = &self.place {
            self.template = options.templates.get(&span.source.name).cloned();
        }
    }

    /// Says what to do about a template where a value was expected: nobody but its own program knows what it becomes.
    fn mind_template(&mut self) {
        let Place::Text(span) = &self.place else { return };
        let is_broken = self.object.is_none() && self.rule.found_by == FoundBy::Kubectl;
        if (is_broken || self.rule.severity == Severity::Error && self.rule.found_by == FoundBy::Server)
            && let Some(help) = template::unfilled(&span.source.text[span.line()], is_broken)
        {
            self.help = Some(help.to_owned());
        }
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.rule.severity
    }

    /// The finding as a problem, to be drawn.
    pub fn problem(&self) -> Problem {
        let mut about = self.object.clone().unwrap_or_default();
        if !self.path.is_empty() {
            let _ = write!(about, "{}{}", if about.is_empty() { "" } else { ", " }, self.path);
        }
        if !self.versions.is_empty() {
            let versions: Vec<String> = self.versions.iter().map(Version::to_string).collect();
            let _ = write!(about, "{}for Kubernetes {}", if about.is_empty() { "" } else { ", " }, versions.join(", "));
        }
        if let Some(template) = &self.template {
            let _ = write!(about, "{}from {template}", if about.is_empty() { "" } else { ", " });
        }
        Problem {
            severity: self.rule.severity,
            message: self.message.clone(),
            place: self.place.clone(),
            rule: Some(self.rule.id),
            label: self.label.clone(),
            note: Some(about).filter(|about| !about.is_empty()),
            help: self.help.clone(),
        }
    }

    /// By file, then by place, then by rule: the order in which a person meets them.
    pub(crate) fn key(&self) -> (&str, usize, usize, &str, &str) {
        let (name, line, at) = match &self.place {
            Place::Text(span) => (span.source.name.as_str(), span.source.first_line, span.range.start),
            Place::File(path) => (path.as_str(), 0, 0),
        };
        (name, line, at, self.rule.id, &self.message)
    }
}

/// Findings as they come.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) list: Vec<Finding>,
}

impl Findings {
    /// Adds a finding about a part of an object.
    pub(crate) fn add<'a>(
        &mut self,
        rule: &'static Rule,
        object: &Object<'_>,
        at: impl Into<At<'a>>,
        message: impl Into<String>,
    ) -> &mut Finding {
        let at = at.into();
        let span = match at {
            At::Value(node) => &node.span,
            At::Key(entry) => &entry.key.span,
        };
        let mut path = String::new();
        find(object.node, at, &mut path);
        self.push(Finding {
            rule,
            message: message.into(),
            place: Place::Text(span.clone()),
            label: None,
            help: None,
            object: Some(object.to_string()),
            path,
            versions: Vec::new(),
            template: None,
        })
    }

    /// Adds a finding about a text that is no object, or a whole file.
    pub(crate) fn add_outside(
        &mut self,
        rule: &'static Rule,
        place: impl Into<Place>,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.push(Finding {
            rule,
            message: message.into(),
            place: place.into(),
            label: None,
            help: None,
            object: None,
            path: String::new(),
            versions: Vec::new(),
            template: None,
        })
    }

    /// Says of the last finding that it is one of `version`, if there are others to tell it from.
    pub(crate) fn only_in(&mut self, version: Version, options: &Options) {
        if let Some(last) = self.list.last_mut().filter(|_| options.kubernetes.len() > 1) {
            last.versions = vec![version];
        }
    }

    /// Sorts the findings, and makes one of those that are the same.
    pub(crate) fn into_sorted(self, options: &Options) -> Vec<Finding> {
        let mut findings = self.list;
        findings.sort_by(|a, b| a.key().cmp(&b.key()));
        findings.dedup_by(|next, first| {
            let same = next.key() == first.key();
            if same {
                first.versions.append(&mut next.versions);
            }
            same
        });
        for finding in &mut findings {
            finding.mind_template();
            finding.versions.sort_unstable();
            finding.versions.dedup();
            if finding.versions.len() == options.kubernetes.len() {
                finding.versions.clear();
            }
        }
        findings
    }

    fn push(&mut self, finding: Finding) -> &mut Finding {
        self.list.push(finding);
        let last = self.list.len() - 1;
        &mut self.list[last]
    }
}

/// Writes the path from `node` to `target`; whether it is there.
pub(crate) fn find(node: &Node, target: At<'_>, path: &mut String) -> bool {
    if matches!(target, At::Value(value) if std::ptr::eq(value, node)) {
        return true;
    }
    let start = match target {
        At::Value(node) => node.span.range.start,
        At::Key(entry) => entry.key.span.range.start,
    };
    // The way leads through the last child that starts no later, unless an alias or a merge has moved it.
    match &node.data {
        Data::Scalar(_) => false,
        Data::List(items) => {
            let near = items.partition_point(|item| item.span.range.start <= start).saturating_sub(1);
            children(near, items.len()).any(|index| in_item(index, &items[index], target, path))
        }
        Data::Map(entries) => {
            let near = entries.partition_point(|entry| entry.key.span.range.start <= start).saturating_sub(1);
            children(near, entries.len()).any(|index| in_entry(&entries[index], target, path))
        }
    }
}

/// All of `count` children, the one at `near` first.
fn children(near: usize, count: usize) -> impl Iterator<Item = usize> {
    (near..count.min(near + 1)).chain(0..near).chain(near + 1..count)
}

fn in_item(index: usize, item: &Node, target: At<'_>, path: &mut String) -> bool {
    let length = path.len();
    // Writing to a String cannot fail.
    let _ = write!(path, "[{index}]");
    let found = find(item, target, path);
    if !found {
        path.truncate(length);
    }
    found
}

fn in_entry(entry: &Entry, target: At<'_>, path: &mut String) -> bool {
    let length = path.len();
    push_key(path, &entry.key.text);
    let found = matches!(target, At::Key(key) if std::ptr::eq(key, entry)) || find(&entry.value, target, path);
    if !found {
        path.truncate(length);
    }
    found
}

/// Adds a key to a path, in brackets when it could be mistaken for more than one.
fn push_key(path: &mut String, key: &str) {
    if key.contains(['.', '/', '[', ' ']) || key.is_empty() {
        let _ = write!(path, "[{key:?}]");
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
    }
}
