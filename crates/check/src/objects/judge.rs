//! What the judgement of every sort of object is made of.

use crate::finding::{At, Finding, Findings};
use crate::object::Object;
use crate::rule::Rule;
use std::ops::RangeInclusive;
use vigil_yaml::plain::Plain;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Entry, Node, Quoted};

/// An object, and where to say what is wrong with it.
pub(super) struct Judge<'a, 'f> {
    pub(super) object: &'a Object<'a>,
    pub(super) findings: &'f mut Findings,
}

/// A form of a text: whether it is fulfilled, what it is called, and how it looks.
pub(super) type Form = (fn(&str) -> bool, &'static str, &'static str);

/// The protocols of ports.
pub(super) const PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP"];

/// The numbers of ports.
pub(super) const PORTS: RangeInclusive<i64> = 1..=65535;

impl Judge<'_, '_> {
    /// Adds a finding.
    pub(super) fn add<'n>(
        &mut self,
        rule: &'static Rule,
        at: impl Into<At<'n>>,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.findings.add(rule, self.object, at, message)
    }

    /// Adds a finding about a collection as a whole, marked at its beginning.
    pub(super) fn within(&mut self, rule: &'static Rule, node: &Node, message: impl Into<String>) -> &mut Finding {
        let Some(entry) = node.entries().first() else { return self.add(rule, node, message) };
        let finding = self.add(rule, entry, message);
        let length = finding.path.rfind('.').unwrap_or_default();
        finding.path.truncate(length);
        finding
    }

    /// A text must be one of `values`. An empty one is taken for none, as an API server does.
    pub(super) fn one_of(&mut self, rule: &'static Rule, node: Option<&Node>, values: &[&str]) {
        let Some((node, text)) = node.and_then(|node| Some((node, filled(node)?))) else { return };
        if values.contains(&text) {
            return;
        }
        let finding = self.add(rule, node, format!("{} is not allowed here", Quoted(text)));
        finding.label(format!("expected {}", list(values, "or")));
        if let Some(name) = nearest(text, values.iter().copied()) {
            finding.help(format!("write `{name}`"));
        }
    }

    /// A whole number must be in `range`.
    pub(super) fn range(&mut self, rule: &'static Rule, node: Option<&Node>, range: RangeInclusive<i64>) {
        let Some((node, value)) = node.and_then(|node| Some((node, node.integer()?))) else { return };
        if !range.contains(&value) {
            let (least, most) = range.into_inner();
            let expected = match (least, most) {
                (least, i64::MAX) => format!("expected {least} or more"),
                (i64::MIN, most) => format!("expected {most} or less"),
                (least, most) => format!("expected {least} to {most}"),
            };
            self.add(rule, node, format!("`{value}` is out of range")).label(expected);
        }
    }

    /// A text that is not empty must have a form.
    pub(super) fn form(&mut self, rule: &'static Rule, node: Option<&Node>, (holds, name, looks): Form) {
        let Some((node, text)) = node.and_then(|node| Some((node, filled(node)?))) else { return };
        if !holds(text) {
            self.add(rule, node, format!("{} is not {name}", Quoted(text))).label(format!("expected {looks}"));
        }
    }

    /// A field that must be there, and not be empty.
    pub(super) fn need(&mut self, rule: &'static Rule, node: &Node, key: &str) -> bool {
        let there = match given(node, key) {
            None => false,
            Some(value) => value.text() != Some("") && !is_empty_collection(value),
        };
        if !there {
            match node.entry(key) {
                Some(entry) => self.add(rule, entry, format!("`{key}` is empty")),
                None => self.within(rule, node, format!("`{key}` is missing")),
            };
        }
        there
    }

    /// A field that the schema asks for, and that must not be empty.
    pub(super) fn not_empty(&mut self, rule: &'static Rule, node: &Node, key: &str) {
        if given(node, key).is_some() {
            self.need(rule, node, key);
        }
    }

    /// Fields that may not be there.
    pub(super) fn forbid(&mut self, rule: &'static Rule, node: &Node, keys: &[&str], why: &str) {
        for entry in keys.iter().filter_map(|key| node.entry(key)).filter(|entry| is_given(entry)) {
            self.add(rule, entry, format!("`{}` {why}", entry.key.text)).help("remove it");
        }
    }
}

fn is_given(entry: &Entry) -> bool {
    !entry.value.is_null() && entry.value.text() != Some("") && !is_empty_list(&entry.value)
}

fn is_empty_list(node: &Node) -> bool {
    matches!(&node.data, vigil_yaml::Data::List(items) if items.is_empty())
}

fn is_empty_collection(node: &Node) -> bool {
    node.scalar().is_none() && node.items().is_empty() && node.entries().is_empty()
}

/// The value of a field that is there: null is as good as nothing.
pub(super) fn given<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).filter(|value| !value.is_null())
}

/// The items of a list; none when it is not there.
pub(super) fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).map(Node::items).unwrap_or_default()
}

/// A text that is not empty.
pub(super) fn filled(node: &Node) -> Option<&str> {
    node.text().filter(|text| !text.is_empty())
}

/// The text of a field; empty when it is not there, and nothing when it is no text.
pub(super) fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match node.get(key) {
        None => Some(""),
        Some(value) if value.scalar() == Some(Plain::Null) => Some(""),
        Some(value) => value.text(),
    }
}
