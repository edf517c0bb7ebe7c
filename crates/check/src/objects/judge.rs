//! What the judgement of every sort of object is made of.

use crate::fields::{filled, filled_text, given};
use crate::finding::{At, Finding, Findings};
use crate::object::Object;
use crate::rule::Rule;
use crate::version::Version;
use std::ops::RangeInclusive;
use vigil_forms::{address, name};
use vigil_yaml::plain::Plain;
use vigil_yaml::words::{list as list_of, nearest};
use vigil_yaml::{Data, Entry, Node, Quoted};

/// What a DNS label looks like.
pub(super) const LABEL: &str = "expected at most 63 of a-z, 0-9 and `-`, with a letter or digit at both ends";
/// What a DNS subdomain looks like.
pub(super) const SUBDOMAIN: &str =
    "expected at most 253 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends and around dots";
/// What the key of a label looks like.
pub(super) const QUALIFIED: &str = "expected at most 63 letters, digits, `-`, `_` and `.` with a letter or digit at \
                                    both ends, after `example.com/` if need be";

/// An object, and where to say what is wrong with it.
pub(super) struct Judge<'a, 'o> {
    pub(super) object: &'a Object<'o>,
    /// The version of Kubernetes whose API server judges.
    pub(super) version: Version,
    pub(super) findings: &'a mut Findings,
}

/// A form of a text: whether it is fulfilled, what it is called, and how it looks.
pub(super) type Form = (fn(&str) -> bool, &'static str, &'static str);

/// The protocols of ports.
pub(super) const PROTOCOLS: &[&str] = &["TCP", "UDP", "SCTP"];

/// The numbers of ports.
pub(super) const PORTS: RangeInclusive<i64> = 1..=65535;

impl Judge<'_, '_> {
    /// Whether the API server is of this minor version, or a newer one.
    pub(super) fn since(&self, minor: u16) -> bool {
        self.version >= Version::new(1, minor)
    }

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
        let Some((node, text)) = node.and_then(|node| Some((node, filled_text(node)?))) else { return };
        if values.contains(&text) {
            return;
        }
        let finding = self.add(rule, node, format!("{} is not allowed here", Quoted(text)));
        finding.label(format!("expected {}", list_of(values, "or")));
        if let Some(name) = nearest(text, values.iter().copied()) {
            finding.help(format!("write `{name}`"));
        }
    }

    /// A text that is there must be one of `values`: an empty one is none, where a server fills in nothing.
    pub(super) fn set_to_one_of(&mut self, rule: &'static Rule, node: Option<&Node>, values: &[&str]) {
        if let Some(node) = node.filter(|node| node.text() == Some("")) {
            let expected = format!("expected {}", list_of(values, "or"));
            self.add(rule, node, "an empty text is not allowed here")
                .label(expected)
                .help("name one, or remove the field");
        }
        self.one_of(rule, node, values);
    }

    /// Every text of a list must be one of `values`; null is an empty one, and no more welcome.
    pub(super) fn each_of(&mut self, rule: &'static Rule, list: &[Node], values: &[&str]) {
        for node in list {
            if node.is_null() || node.text() == Some("") {
                let expected = format!("expected {}", list_of(values, "or"));
                self.add(rule, node, "an empty item").label(expected).help("remove it");
            }
            self.one_of(rule, Some(node), values);
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
        let Some((node, text)) = node.and_then(|node| Some((node, filled_text(node)?))) else { return };
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

    /// A field that must be there, and be no empty text.
    pub(super) fn required(&mut self, rule: &'static Rule, node: &Node, key: &str) {
        let (at, what) = match node.get(key) {
            Some(value) if value.text() == Some("") => (value, "empty"),
            Some(value) if !value.is_null() => return,
            _ => (node, "missing"),
        };
        self.add(rule, at, format!("the field `{key}` is {what}")).help(format!("set `{key}:`"));
    }

    /// A field that the schema asks for, and that must not be empty.
    pub(super) fn not_empty(&mut self, rule: &'static Rule, node: &Node, key: &str) {
        if given(node, key).is_some() {
            self.need(rule, node, key);
        }
    }

    /// Whole numbers that must not be below zero.
    pub(super) fn not_negative(&mut self, rule: &'static Rule, node: &Node, keys: &[&str]) {
        for key in keys {
            self.range(rule, node.get(key), 0..=i64::MAX);
        }
    }

    /// A text that must be a DNS label.
    pub(super) fn dns_label(&mut self, rule: &'static Rule, node: &Node, key: &str) {
        if let Some((value, text)) = filled(node, key).filter(|(_, text)| !name::is_dns1123_label(text)) {
            self.add(rule, value, format!("{} is no value for `{key}`", Quoted(text))).label(LABEL);
        }
    }

    /// A text that must be a DNS subdomain.
    pub(super) fn dns_subdomain(&mut self, rule: &'static Rule, node: &Node, key: &str) {
        if let Some((value, text)) = filled(node, key).filter(|(_, text)| !name::is_dns1123_subdomain(text)) {
            self.add(rule, value, format!("{} is no value for `{key}`", Quoted(text))).label(SUBDOMAIN);
        }
    }

    /// An address; numbers with zeros before them are let pass, as older servers do.
    pub(super) fn address(&mut self, rule: &'static Rule, value: &Node) {
        let Some(text) = value.text() else { return };
        if address::ip(text).is_none() {
            self.add(rule, value, format!("{} is no address", Quoted(text)))
                .label("expected an IP address, such as `10.0.0.10`");
        }
    }

    /// A path that must stay below the place where it begins.
    pub(super) fn descending(&mut self, rule: &'static Rule, value: &Node) {
        let Some(text) = value.text() else { return };
        if text.starts_with('/') || name::goes_up(text) {
            self.add(rule, value, format!("{} is not a relative path without `..`", Quoted(text)))
                .label("expected a relative path without `..`");
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
    matches!(&node.data, Data::List(items) if items.is_empty())
}

fn is_empty_collection(node: &Node) -> bool {
    node.scalar().is_none() && node.items().is_empty() && node.entries().is_empty()
}

/// Whether there is a text under a key, and an empty one: what a schema that asks for the field lets pass.
pub(super) fn is_blank(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::text) == Some("")
}

/// The text of a field; empty when it is not there, and nothing when it is no text.
pub(super) fn text_or_empty<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match node.get(key) {
        None => Some(""),
        Some(value) if value.scalar() == Some(Plain::Null) => Some(""),
        Some(value) => value.text(),
    }
}
