//! From a [`Node`] tree to typed values, with every error of the text and its place.
//!
//! serde stops at the first error. So after each one the value it speaks of is taken out of the tree, its default
//! stands in, and the rest is decoded again: a text with five mistakes gets five messages.

use crate::advice::{Wanted, advice, foreign_letter, keys_near};
use crate::helm;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Write as _};
use vigil_yaml::plain::{self, Plain};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Entry, Key, Node, Problem, Quoted, Scalar, Span};

/// What could be decoded, and what is wrong with the rest.
pub(crate) struct Decoded<T> {
    /// The value, defaults standing in for what is wrong; `None` when all of it is.
    pub(crate) value: Option<T>,
    /// In the order in which serde met them.
    pub(crate) problems: Vec<Problem>,
    /// The dotted paths of what is not as its author meant it.
    pub(crate) doubtful: Vec<String>,
}

/// Decodes `node`, and tells everything that is wrong with it, or the first things if they are more than `most`.
pub(crate) fn decode<T: de::DeserializeOwned>(node: &Node, most: usize) -> Decoded<T> {
    let mut node = node.clone();
    let mut problems: Vec<Problem> = Vec::new();
    let mut doubtful = Vec::new();
    // The keys that are there under a wrong name, each with its mapping.
    let mut misspelt = Vec::new();
    let value = loop {
        match T::deserialize(Reader { node: &node }) {
            Ok(value) => break Some(value),
            Err(error) => {
                let path = error.path.clone();
                let subject = error.subject(&node);
                // A key whose value was taken out, or that is misspelt, is not missing.
                let taken_out = matches!(error.kind, Kind::MissingKey(key)
                    if misspelt.contains(&(subject.clone(), key))
                        || doubtful.iter().any(|path: &String| path.strip_prefix(&subject) == Some(&format!(".{key}"))));
                misspelt.extend(error.meant().map(|key| (subject.clone(), key)));
                doubtful.push(subject);
                let section = error.section_below::<T>(&node);
                let mut problem = error.into_problem(&node);
                if let Some(section) = section.filter(|_| problem.label.as_deref() != Some(helm::LABEL)) {
                    problem = problem.label(format!("belongs in `{section}`"));
                }
                // An alias repeats a mistake that stands in the text once.
                let known = problems.iter().any(|known| known.place == problem.place && known.label == problem.label);
                if !known && !taken_out {
                    problems.push(problem);
                }
                if problems.len() > most || !remove(&mut node, &path) {
                    break None;
                }
            }
        }
    };
    Decoded { value, problems, doubtful }
}

/// Stands in a list for an item that was taken out, so that those behind it keep their numbers. No YAML text can
/// hold it unquoted.
const TAKEN_OUT: &str = "\0";

/// Takes the value at `path` out of the tree; false when that would be the whole tree.
fn remove(node: &mut Node, path: &[usize]) -> bool {
    match (path, &mut node.data) {
        (&[at], Data::Map(entries)) => drop(entries.remove(at)),
        (&[at], Data::List(items)) => {
            items[at].data = Data::Scalar(Scalar { text: TAKEN_OUT.to_owned(), plain: true });
        }
        ([at, rest @ ..], Data::Map(entries)) => return remove(&mut entries[*at].value, rest),
        ([at, rest @ ..], Data::List(items)) => return remove(&mut items[*at], rest),
        _ => return false,
    }
    true
}

/// What is wrong, and the way down to it: the position of each key or item from the root, outermost first.
#[derive(Debug)]
pub(crate) struct Error {
    kind: Kind,
    path: Vec<usize>,
    span: Option<Span>,
}

#[derive(Debug)]
enum Kind {
    UnknownKey { key: String, known: &'static [&'static str] },
    UnknownChoice { choice: String, known: &'static [&'static str] },
    WrongType { expected: String, wanted: Wanted },
    MissingKey(&'static str),
    BadKey(String),
    BadValue(String),
}

impl Error {
    fn new(kind: Kind) -> Self {
        Self { kind, path: Vec::new(), span: None }
    }

    /// Below the key or item number `at`; the innermost place is the one that counts.
    fn below(mut self, at: usize, span: &Span) -> Self {
        self.path.insert(0, at);
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// Of the key, not of its value.
    fn of_key(mut self) -> Self {
        if let Kind::BadValue(reason) = self.kind {
            self.kind = Kind::BadKey(reason);
        }
        self
    }

    /// The dotted path of what the error speaks of: for a key, the mapping that holds it.
    fn subject(&self, root: &Node) -> String {
        let keys = match self.kind {
            Kind::UnknownKey { .. } | Kind::BadKey(_) => &self.path[..self.path.len().saturating_sub(1)],
            _ => &self.path,
        };
        walk(root, keys).0
    }

    /// For a key that is unknown here: the known one that it was probably meant to be.
    fn meant(&self) -> Option<&'static str> {
        let Kind::UnknownKey { key, known } = &self.kind else { return None };
        // `routingKey` for `routingKeySecret`: the beginning of one alone.
        let only = || {
            let mut longer = known.iter().copied().filter(|name| key.len() > 3 && name.starts_with(key.as_str()));
            longer.next().filter(|_| longer.next().is_none())
        };
        nearest(key, known.iter().copied()).or_else(only)
    }

    /// For a key that is unknown here: the section of this mapping that knows it. It is found by writing it there.
    fn section_below<T: de::DeserializeOwned>(&self, root: &Node) -> Option<&'static str> {
        let Kind::UnknownKey { key, known } = &self.kind else { return None };
        if self.meant().is_some() {
            return None;
        }
        let parent = self.subject(root);
        let inside = |name: &str, value: Node| Node {
            data: Data::Map(vec![Entry {
                key: Key { text: name.to_owned(), plain: true, span: root.span.clone() },
                value,
            }]),
            span: root.span.clone(),
        };
        let nothing = Node { data: Data::Map(Vec::new()), span: root.span.clone() };
        known.iter().copied().find(|section| {
            let probe = inside(section, inside("", nothing.clone()));
            let path = parent.split('.').filter(|name| !name.is_empty());
            let probe = path.rev().fold(probe, |node, name| inside(name, node));
            match T::deserialize(Reader { node: &probe }).map_err(|error| error.kind) {
                Err(Kind::UnknownKey { key: unknown, known }) => unknown.is_empty() && known.contains(&key.as_str()),
                _ => false,
            }
        })
    }

    fn into_problem(self, root: &Node) -> Problem {
        let name = named(&self.subject(root));
        let meant = self.meant();
        let (_, node) = walk(root, &self.path);
        let span = self.span.unwrap_or_else(|| root.span.clone());
        match self.kind {
            Kind::UnknownKey { key, known } => {
                let place = if name == STACK { "at the top".to_owned() } else { format!("in {name}") };
                let label = match (meant, foreign_letter(&key)) {
                    (Some(near), None) => format!("did you mean `{near}`?"),
                    (Some(near), Some(letter)) => format!("did you mean `{near}`? this one holds {letter}"),
                    (None, Some(letter)) => format!("not known here; it holds {letter}"),
                    (None, None) if key.starts_with("//") => "a comment starts with `#`".to_owned(),
                    (None, None) => "not known here".to_owned(),
                };
                let problem = Problem::error(format!("unknown key {} {place}", Quoted(&key)), span);
                match helm::counterpart(&walk(root, &self.path).0, node) {
                    Some(help) => problem.label(helm::LABEL).help(help),
                    None => problem
                        .label(label)
                        .help(empty_section_above(root, &self.path).unwrap_or_else(|| keys_near(&key, known))),
                }
            }
            Kind::UnknownChoice { choice, known } => {
                let problem = Problem::error(format!("{name} cannot be {}", Quoted(&choice)), span);
                let expected = || format!("expected {}", list(known, "or"));
                match nearest(&choice, known.iter().copied()) {
                    // A longer list would hide the one that is meant.
                    Some(near) if known.len() > 20 => problem.label(format!("did you mean `{near}`?")),
                    Some(near) => problem.label(expected()).help(format!("did you mean `{near}`?")),
                    None => problem.label(expected()),
                }
            }
            Kind::WrongType { expected, wanted } => {
                let problem =
                    Problem::error(format!("{name} {}", fault(node)), span).label(format!("expected {expected}"));
                match advice(wanted, node) {
                    Some(advice) => problem.help(advice),
                    None => problem,
                }
            }
            Kind::MissingKey(key) => Problem::error(format!("{name} lacks the key `{key}`"), span),
            Kind::BadKey(reason) => {
                Problem::error(format!("{} cannot be a key of {name}", Quoted(&key_at(root, &self.path))), span)
                    .label(reason)
            }
            Kind::BadValue(reason) => Problem::error(format!("{name} {}", fault(node)), span).label(reason),
        }
    }
}

/// What is wrong with a value of the wrong sort, behind its name.
fn fault(node: &Node) -> String {
    match &node.data {
        Data::Scalar(_) if node.is_null() => "has no value".to_owned(),
        Data::Scalar(scalar) => format!("cannot be {}", Quoted(&scalar.text)),
        _ => format!("cannot be {}", node.describe()),
    }
}

/// What the author of an unknown key has probably forgotten, when the section above it is empty.
fn empty_section_above(root: &Node, path: &[usize]) -> Option<String> {
    let (&at, above) = path.split_last()?;
    let Data::Map(entries) = &walk(root, above).1.data else { return None };
    let section = entries.get(at.checked_sub(1)?)?;
    section.value.is_null().then(|| format!("indent it if it belongs to {}, which is empty", Quoted(&section.key.text)))
}

/// What messages call the whole.
const STACK: &str = "the stack";

fn named(path: &str) -> String {
    if path.is_empty() { STACK.to_owned() } else { Quoted(path).to_string() }
}

/// The text of the key that `path` leads to.
fn key_at(root: &Node, path: &[usize]) -> String {
    let Some((&at, above)) = path.split_last() else { return String::new() };
    match &walk(root, above).1.data {
        Data::Map(entries) => entries.get(at).map(|entry| entry.key.text.clone()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The dotted path that `path` is, and the value there.
fn walk<'a>(root: &'a Node, path: &[usize]) -> (String, &'a Node) {
    let mut name = String::new();
    let mut node = root;
    for &at in path {
        match &node.data {
            Data::Map(entries) => {
                let Some(Entry { key, value }) = entries.get(at) else { break };
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(&key.text);
                node = value;
            }
            Data::List(items) => {
                let Some(item) = items.get(at) else { break };
                // Writing to a String cannot fail.
                let _ = write!(name, "[{at}]");
                node = item;
            }
            Data::Scalar(_) => break,
        }
    }
    (name, node)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::BadValue(message.to_string()))
    }
    fn invalid_type(_: de::Unexpected, expected: &dyn de::Expected) -> Self {
        Self::new(Kind::WrongType { expected: expected.to_string(), wanted: Wanted::Value })
    }
    fn invalid_value(unexpected: de::Unexpected, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }
    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::UnknownKey { key: key.to_owned(), known })
    }
    fn unknown_variant(choice: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::UnknownChoice { choice: choice.to_owned(), known })
    }
    fn missing_field(key: &'static str) -> Self {
        Self::new(Kind::MissingKey(key))
    }
}

struct Reader<'a> {
    node: &'a Node,
}

impl<'a> Reader<'a> {
    fn scalar(&self) -> Option<&'a Scalar> {
        match &self.node.data {
            Data::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    fn is_portable(&self) -> bool {
        self.scalar().is_some_and(|scalar| plain::is_portable(&scalar.text))
    }

    fn plain(&self) -> Plain {
        match self.scalar() {
            Some(scalar) if scalar.plain => plain::resolve(&scalar.text),
            _ => Plain::Text,
        }
    }

    fn mapping<'de, V: Visitor<'de>>(self, known: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        match &self.node.data {
            Data::Map(entries) => visitor.visit_map(Entries { entries, at: 0 }),
            // A section whose keys are all commented out.
            Data::Scalar(_) if self.node.is_null() => visitor.visit_map(Entries { entries: &[], at: 0 }),
            _ => wrong_type(&"a mapping", Wanted::Mapping(known)),
        }
    }
}

fn wrong_type<T>(expected: &dyn de::Expected, wanted: Wanted) -> Result<T, Error> {
    Err(Error::new(Kind::WrongType { expected: expected.to_string(), wanted }))
}

macro_rules! whole_numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.plain() {
                Plain::Integer(_) | Plain::Unsigned(_) if !self.is_portable() => Err(de::Error::custom(
                    format_args!("YAML readers take it for different numbers; expected {}, in plain digits", &visitor as &dyn de::Expected),
                )),
                Plain::Integer(value) => visitor.visit_i64(value),
                Plain::Unsigned(value) => visitor.visit_u64(value),
                _ => wrong_type(&visitor, Wanted::Number),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    whole_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain() {
            Plain::Bool(value) => visitor.visit_bool(value),
            _ => wrong_type(&"`true` or `false`", Wanted::Switch),
        }
    }

    /// A unit with a form of its own: the text counts as written, so that `1.30` stays `1.30`.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar() {
            Some(scalar) if self.plain() != Plain::Null => visitor.visit_str(&scalar.text),
            _ => wrong_type(&visitor, Wanted::Value),
        }
    }

    /// Free text: what YAML takes for a number or a boolean needs quotes, as it would in a manifest.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar() {
            Some(scalar) if self.plain() == Plain::Text => visitor.visit_str(&scalar.text),
            _ => wrong_type(&"a text", Wanted::Value),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.data {
            Data::List(items) => visitor.visit_seq(Items { items, at: 0 }),
            _ => wrong_type(&"a list", Wanted::List),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.mapping(&[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.mapping(known, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.scalar() {
            Some(scalar) if self.plain() != Plain::Null => visitor.visit_enum(scalar.text.as_str().into_deserializer()),
            _ => wrong_type(&list(known, "or").as_str(), Wanted::Value),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.data {
            Data::List(_) => self.deserialize_seq(visitor),
            Data::Map(_) => self.deserialize_map(visitor),
            Data::Scalar(scalar)
                if scalar.plain && plain::resolve(&scalar.text) != plain::resolve_as_kubectl(&scalar.text) =>
            {
                Err(de::Error::custom("YAML readers take it for different values; put quotes around a text"))
            }
            Data::Scalar(scalar) => match self.plain() {
                Plain::Null => visitor.visit_unit(),
                Plain::Bool(value) => visitor.visit_bool(value),
                Plain::Integer(value) => visitor.visit_i64(value),
                Plain::Unsigned(value) => visitor.visit_u64(value),
                Plain::Float(value) => visitor.visit_f64(value),
                Plain::Text => visitor.visit_str(&scalar.text),
            },
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'a> {
    items: &'a [Node],
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let taken_out =
            |node: &&Node| matches!(&node.data, Data::Scalar(scalar) if scalar.plain && scalar.text == TAKEN_OUT);
        while self.items.get(self.at).as_ref().is_some_and(taken_out) {
            self.at += 1;
        }
        let Some(node) = self.items.get(self.at) else { return Ok(None) };
        self.at += 1;
        seed.deserialize(Reader { node }).map(Some).map_err(|error| error.below(self.at - 1, &node.span))
    }
}

struct Entries<'a> {
    entries: &'a [Entry],
    at: usize,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(Entry { key, .. }) = self.entries.get(self.at) else { return Ok(None) };
        let result: Result<K::Value, Error> = seed.deserialize(key.text.as_str().into_deserializer());
        result.map(Some).map_err(|error| error.of_key().below(self.at, &key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Entry { key, value } = &self.entries[self.at];
        self.at += 1;
        // Nothing after the colon has no place of its own: the key stands for it.
        let span = if value.span.range.is_empty() { &key.span } else { &value.span };
        seed.deserialize(Reader { node: value }).map_err(|error| error.below(self.at - 1, span))
    }
}
