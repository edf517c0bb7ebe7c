//! What all modules here ask of values, and how they say what is wrong.

use crate::Finding;
use crate::finding::{At, Findings};
use crate::object::Object;
use crate::rule::Rule;
use crate::syntax;
use std::net::IpAddr;
use vigil_yaml::plain::Plain;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Node, Quoted};

/// What a DNS label looks like.
pub(super) const LABEL: &str = "expected at most 63 of a-z, 0-9 and `-`, with a letter or digit at both ends";
/// What a DNS subdomain looks like.
pub(super) const SUBDOMAIN: &str =
    "expected at most 253 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends and around dots";
/// What the key of a label looks like.
pub(super) const QUALIFIED: &str = "expected at most 63 letters, digits, `-`, `_` and `.` with a letter or digit at \
                                    both ends, after `example.com/` if need be";

/// Whether there is a text under a key, and an empty one: what a schema that asks for the field lets pass.
pub(super) fn is_blank(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::text) == Some("")
}

/// As many parts a quantity has of one.
pub(super) const BILLION: i128 = 1_000_000_000;

/// The value under a key, if there is one; null is none.
pub(crate) fn given<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).filter(|value| !value.is_null())
}

/// The text under a key with its place. An empty one is none: that is what the fields of the API mostly make of it.
pub(crate) fn filled<'n>(node: &'n Node, key: &str) -> Option<(&'n Node, &'n str)> {
    let value = node.get(key)?;
    Some((value, value.text().filter(|text| !text.is_empty())?))
}

/// The items of the list under a key.
pub(crate) fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).map(Node::items).unwrap_or_default()
}

/// Whether the boolean under a key is true.
pub(crate) fn is_set(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::boolean) == Some(true)
}

/// What a quantity is worth, in billionths.
pub(super) fn amount(node: &Node) -> Option<i128> {
    match node.scalar()? {
        Plain::Text => syntax::quantity(written(node)),
        Plain::Integer(value) => Some(i128::from(value) * BILLION),
        Plain::Float(value) => syntax::quantity(&value.to_string()),
        _ => None,
    }
}

/// The text of a scalar as it is written.
pub(super) fn written(node: &Node) -> &str {
    match &node.data {
        Data::Scalar(scalar) => &scalar.text,
        _ => "",
    }
}

/// An object, and what is found of it.
pub(super) struct Judge<'a, 'o> {
    pub(super) object: &'a Object<'o>,
    pub(super) findings: &'a mut Findings,
}

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

    /// A field that must be there, and not be empty.
    pub(super) fn required(&mut self, rule: &'static Rule, node: &Node, key: &str) {
        let (at, what) = match node.get(key) {
            Some(value) if value.text() == Some("") => (value, "empty"),
            Some(value) if !value.is_null() => return,
            _ => (node, "missing"),
        };
        self.add(rule, at, format!("the field `{key}` is {what}")).help(format!("set `{key}:`"));
    }

    /// A text that must be one of some; an empty one is none.
    pub(super) fn one_of(&mut self, rule: &'static Rule, node: &Node, key: &str, allowed: &[&str]) {
        let Some((value, text)) = filled(node, key).filter(|(_, text)| !allowed.contains(text)) else { return };
        let finding = self.add(rule, value, format!("`{key}` cannot be {}", Quoted(text)));
        finding.label(format!("expected {}", list(allowed, "or")));
        if let Some(name) = nearest(text, allowed.iter().copied()) {
            finding.help(format!("write `{name}`"));
        }
    }

    /// A whole number that must be in a range.
    pub(super) fn within(&mut self, rule: &'static Rule, node: &Node, key: &str, least: i64, most: i64) {
        let Some((value, number)) = node.get(key).and_then(|value| Some((value, value.integer()?))) else { return };
        if (least..=most).contains(&number) {
            return;
        }
        let expected = match (least, most) {
            (least, i64::MAX) => format!("expected {least} or more"),
            (least, most) => format!("expected {least} to {most}"),
        };
        self.add(rule, value, format!("`{key}` cannot be {number}")).label(expected);
    }

    /// Whole numbers that must not be below zero.
    pub(super) fn not_negative(&mut self, rule: &'static Rule, node: &Node, keys: &[&str]) {
        for key in keys {
            self.within(rule, node, key, 0, i64::MAX);
        }
    }

    /// A text that must be a DNS label.
    pub(super) fn dns_label(&mut self, rule: &'static Rule, node: &Node, key: &str) {
        if let Some((value, text)) = filled(node, key).filter(|(_, text)| !syntax::is_dns1123_label(text)) {
            self.add(rule, value, format!("{} is no value for `{key}`", Quoted(text))).label(LABEL);
        }
    }

    /// A text that must be a DNS subdomain.
    pub(super) fn dns_subdomain(&mut self, rule: &'static Rule, node: &Node, key: &str) {
        if let Some((value, text)) = filled(node, key).filter(|(_, text)| !syntax::is_dns1123_subdomain(text)) {
            self.add(rule, value, format!("{} is no value for `{key}`", Quoted(text))).label(SUBDOMAIN);
        }
    }

    /// An address; numbers with zeros before them are let pass, as older servers do.
    pub(super) fn address(&mut self, rule: &'static Rule, value: &Node) {
        let Some(text) = value.text() else { return };
        let plain: Vec<&str> = text
            .split('.')
            .map(|part| Some(part.trim_start_matches('0')).filter(|part| !part.is_empty()).unwrap_or("0"))
            .collect();
        if text.parse::<IpAddr>().is_err()
            && (text.contains(':') || text.split('.').any(str::is_empty) || plain.join(".").parse::<IpAddr>().is_err())
        {
            self.add(rule, value, format!("{} is no address", Quoted(text)))
                .label("expected an IP address, such as `10.0.0.10`");
        }
    }

    /// A path that must stay below the place where it begins.
    pub(super) fn descending(&mut self, rule: &'static Rule, value: &Node) {
        let Some(text) = value.text() else { return };
        if text.starts_with('/') || syntax::goes_up(text) {
            self.add(rule, value, format!("{} is no path downwards", Quoted(text)))
                .label("expected a relative path without `..`");
        }
    }
}
