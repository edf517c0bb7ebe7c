//! What an object holds: a value that a template made, or plain data that is taken as it stands.
//!
//! A custom resource definition is up to 300 kB of YAML. To parse it and write it again, just as it was, would take
//! longer than all the rest of a render. So only its head is read and written anew, with the labels and annotations
//! that every object gets; the rest is copied. That the whole is one canonical document is checked once, when a
//! templates directory is read; the build does so for the templates that it embeds.

use crate::Memory;
use serde_json::Value;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use vigil_yaml::{Limits, Problem, Source, Span};

/// The keys of a manifest's head, which the canonical form puts first.
const HEAD: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The value of an object. One that was taken verbatim is parsed when somebody looks below its head.
#[derive(Clone, Debug)]
pub struct Content {
    head: Value,
    /// Where the rest stands, and from which byte on.
    rest: Option<(Arc<Source>, usize)>,
    whole: OnceLock<Value>,
}

impl Content {
    /// Plain data at `source`, which holds one document in canonical form.
    pub(crate) fn verbatim(source: &Arc<Source>) -> Result<Self, Vec<Problem>> {
        let end = end_of_head(&source.text);
        let head = Source::new(source.name.as_str(), &source.text[..end]);
        let head = vigil_yaml::read_one(&head, &Limits::default())?.map_or(Value::Null, |node| node.to_json());
        Ok(Self { head, rest: Some((Arc::clone(source), end)), whole: OnceLock::new() })
    }

    /// What is known without parsing: `apiVersion`, `kind` and `metadata` of an object that was taken verbatim, and
    /// all of any other.
    pub fn head(&self) -> &Value {
        &self.head
    }

    /// The whole value, unless it was taken verbatim and would have to be parsed for that.
    pub(crate) fn made(&self) -> Option<&Value> {
        self.rest.is_none().then_some(&self.head)
    }

    pub(crate) fn head_mut(&mut self) -> &mut Value {
        self.whole = OnceLock::new();
        &mut self.head
    }

    /// The canonical text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write_to(&mut text, None);
        text
    }

    pub(crate) fn write_to(&self, text: &mut String, memory: Option<&Memory>) {
        match memory {
            Some(memory) => memory.write(&self.head, text),
            None => text.push_str(&vigil_yaml::write(&self.head)),
        }
        text.push_str(self.rest());
    }

    fn rest(&self) -> &str {
        self.rest.as_ref().map_or("", |(source, from)| &source.text[*from..])
    }

    fn parse(&self) -> Value {
        let whole = vigil_yaml::read_one(&Source::new("verbatim", self.text()), &Limits::default());
        // What cannot be parsed never got here; the head is still true of it.
        whole.ok().flatten().map_or_else(|| self.head.clone(), |node| node.to_json())
    }
}

impl From<Value> for Content {
    fn from(value: Value) -> Self {
        Self { head: value, rest: None, whole: OnceLock::new() }
    }
}

impl Deref for Content {
    type Target = Value;

    fn deref(&self) -> &Value {
        if self.rest.is_none() { &self.head } else { self.whole.get_or_init(|| self.parse()) }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head && self.rest() == other.rest()
    }
}

/// Where the head of a canonical document ends: at the first line that starts with another key.
fn end_of_head(text: &str) -> usize {
    let of_head = |line: &str| line.starts_with(' ') || HEAD.iter().any(|key| line.starts_with(&format!("{key}:")));
    text.split_inclusive('\n').take_while(|line| of_head(line)).map(str::len).sum()
}

/// Whether plain data is what [`Content::verbatim`] needs: one document, in canonical form.
pub(crate) fn check(source: &Arc<Source>) -> Result<(), Vec<Problem>> {
    let canonical = vigil_yaml::read_one(source, &Limits::default())?
        .map(|node| vigil_yaml::write(&node.to_json()))
        .unwrap_or_default();
    let same = canonical.bytes().zip(source.text.bytes()).take_while(|(ours, theirs)| ours == theirs).count();
    if same == source.text.len() && same == canonical.len() && same > 0 {
        return Ok(());
    }
    let end = source.text[floor(&source.text, same)..].find('\n').map_or(source.text.len(), |at| same + at);
    let place = Span::new(source, floor(&source.text, same)..end.min(source.text.len()));
    Err(vec![
        Problem::error("not in canonical form", place)
            .label("the canonical text differs from here on")
            .help("let a tool write it as `vigil_yaml::write` does, or end its name in `.yaml.hbs`"),
    ])
}

/// The start of the character that byte `at` belongs to.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}
