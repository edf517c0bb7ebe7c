//! The patterns of `pattern`, `|>` and `!>`: texts with captures between them, such as `<ip> - <_>`.

use std::collections::BTreeSet;

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'t> {
    /// A text.
    Literal,
    /// `<name>`, or `<_>`, whose name is `_`.
    Capture(&'t str),
}

/// What is wrong with the pattern of a parser, which makes labels of its captures.
pub(crate) fn parser_fault(text: &str) -> Option<String> {
    let parts = parts(text);
    if let Some(wrong) = adjacent(&parts) {
        return Some(wrong);
    }
    let mut names = BTreeSet::new();
    for part in &parts {
        if let Part::Capture(name) = part
            && *name != "_"
            && !names.insert(*name)
        {
            return Some(format!("the capture `<{name}>` stands twice"));
        }
    }
    names.is_empty().then(|| "a pattern without a named capture such as `<status>`".to_owned())
}

/// What is wrong with the pattern of a filter, which makes no labels.
pub(crate) fn filter_fault(text: &str) -> Option<String> {
    let parts = parts(text);
    let named = parts.iter().find_map(|part| match part {
        Part::Capture(name) if *name != "_" => Some(name),
        _ => None,
    });
    if let Some(name) = named {
        return Some(format!("the capture `<{name}>` has a name, and a filter makes no labels"));
    }
    adjacent(&parts)
}

/// Two captures with nothing between them.
fn adjacent(parts: &[Part<'_>]) -> Option<String> {
    parts.windows(2).find_map(|pair| match pair {
        [Part::Capture(left), Part::Capture(right)] => {
            Some(format!("the captures `<{left}>` and `<{right}>` have nothing between them"))
        }
        _ => None,
    })
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((name, after)) = capture(rest) {
            parts.push(Part::Capture(name));
            rest = after;
            continue;
        }
        let start = rest.chars().next().map_or(0, char::len_utf8);
        rest = &rest[start..];
        if parts.last() != Some(&Part::Literal) {
            parts.push(Part::Literal);
        }
    }
    parts
}

/// The capture that a text begins with, and what comes behind it.
fn capture(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('<')?.split_once('>')?;
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some((name, after))
}
