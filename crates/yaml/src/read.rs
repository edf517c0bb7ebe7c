//! Text to trees.

use crate::node::{Data, Entry, Key, Node, Scalar};
use crate::plain::{self, Plain};
use crate::problem::Problem;
use crate::shown::Quoted;
use crate::source::{Source, Span};
use crate::syntax;
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Tag};
use std::collections::HashMap;
use std::sync::Arc;

/// How much a text may hold before it is refused: what stands between a reader and a YAML bomb.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Keys and values, after aliases are followed.
    pub nodes: usize,
    /// Mappings and lists inside each other.
    pub depth: usize,
}

impl Default for Limits {
    /// Wide enough for any manifest that an API server takes (it refuses objects above 3 MiB).
    fn default() -> Self {
        Self { bytes: 16 << 20, nodes: 1_000_000, depth: 64 }
    }
}

/// Reads all documents of a text. A document without content is left out.
///
/// # Errors
/// Everything that [`salvage`] reports.
pub fn read(source: &Arc<Source>, limits: &Limits) -> Result<Vec<Node>, Vec<Problem>> {
    let (documents, problems) = compose(source, limits);
    if problems.is_empty() { Ok(documents) } else { Err(problems) }
}

/// Reads a text of at most one document; `None` when it holds nothing but comments.
///
/// # Errors
/// As [`read`], and a second document.
pub fn read_one(source: &Arc<Source>, limits: &Limits) -> Result<Option<Node>, Vec<Problem>> {
    let (document, problems) = salvage(source, limits);
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

/// As [`read_one`], for somebody who will have more to say about the text: the problems, and the document without the
/// values they speak of.
///
/// These leave a value out: a duplicate key, an alias of nothing or of itself, a tag that is not one of YAML's own or
/// does not fit, a key that is no text, `<<` without a mapping, a second document. These end the reading, and there is
/// no document: a syntax error, a limit.
pub fn salvage(source: &Arc<Source>, limits: &Limits) -> (Option<Node>, Vec<Problem>) {
    let (documents, mut problems) = compose(source, limits);
    let mut documents = documents.into_iter();
    let first = documents.next();
    if let Some(second) = documents.next() {
        problems.push(
            Problem::error("a second document", second.span)
                .label("starts here")
                .help("keep one document, and remove the `---` line between the two"),
        );
    }
    (first, problems)
}

fn compose(source: &Arc<Source>, limits: &Limits) -> (Vec<Node>, Vec<Problem>) {
    if source.text.len() > limits.bytes {
        let place = Span::new(source, 0..0);
        let message = format!("the text is larger than {} bytes", limits.bytes);
        return (Vec::new(), vec![Problem::error(message, place)]);
    }
    let options = granit_parser::options! { emit_comments: false, emit_unresolved_aliases: true };
    let mut composer = Composer {
        source,
        limits,
        events: Parser::new_from_str_with_options(&source.text, options),
        anchors: HashMap::new(),
        spent: Cost::default(),
        problems: Vec::new(),
    };
    let documents = composer.documents().unwrap_or_else(|last| {
        composer.problems.push(*last);
        Vec::new()
    });
    (documents, composer.problems)
}

struct Composer<'a> {
    source: &'a Arc<Source>,
    limits: &'a Limits,
    events: Parser<'a, granit_parser::StrInput<'a>>,
    /// Finished values by the parser's id; `None` for one that was left out.
    anchors: HashMap<usize, Option<(Node, Cost)>>,
    spent: Cost,
    problems: Vec<Problem>,
}

/// What a value takes of the limits.
#[derive(Clone, Copy, Default)]
struct Cost {
    nodes: usize,
    /// Of text: a long one costs little to write and much to repeat.
    bytes: usize,
}

/// An event, its place, and that of the tag before it.
struct Step<'a> {
    event: Event<'a>,
    span: Span,
    tag: Option<Span>,
}

/// What ends the reading.
type Fatal = Box<Problem>;

impl<'a> Composer<'a> {
    fn documents(&mut self) -> Result<Vec<Node>, Fatal> {
        let mut documents = Vec::new();
        loop {
            let step = self.next()?;
            match step.event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) => self.anchors.clear(),
                Event::StreamEnd => return Ok(documents),
                _ => {
                    let document = self.node(step, 0)?;
                    documents.extend(document.filter(|node| !(node.is_null() && node.span.range.is_empty())));
                }
            }
        }
    }

    fn next(&mut self) -> Result<Step<'a>, Fatal> {
        let at = |marker: granit_parser::Marker| marker.byte_offset().unwrap_or(self.source.text.len());
        let place = |span: granit_parser::Span| Span::new(self.source, at(span.start)..at(span.end));
        match self.events.next_event() {
            None => Ok(Step { event: Event::StreamEnd, span: self.end(), tag: None }),
            Some(Ok((event, span))) => Ok(Step { event, span: place(span), tag: span.tag_span().map(place) }),
            Some(Err(error)) => Err(Box::new(syntax::problem(self.source, &error))),
        }
    }

    fn end(&self) -> Span {
        Span::new(self.source, self.source.text.len()..self.source.text.len())
    }

    /// The value that `step` begins; `None` when a problem speaks of it.
    fn node(&mut self, step: Step<'a>, depth: usize) -> Result<Option<Node>, Fatal> {
        let Step { event, span, tag: tag_span } = step;
        let before = self.spent;
        self.spend(Cost { nodes: 1, bytes: 0 }, &span)?;
        if depth > self.limits.depth {
            let message = format!("more than {} levels inside each other", self.limits.depth);
            return Err(Box::new(Problem::error(message, span)));
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                // For a value that is not there, the parser says `~`.
                let text = if span.range.is_empty() && style == ScalarStyle::Plain { String::new() } else { text.into() };
                self.spend(Cost { nodes: 0, bytes: text.len() }, &span)?;
                let plain = self.is_plain(&text, style, tag.as_deref(), tag_span.as_ref().unwrap_or(&span));
                (anchor, plain.map(|plain| Node { data: Data::Scalar(Scalar { text, plain }), span }))
            }
            Event::SequenceStart(_, anchor, tag) => {
                let fits = self.fits(tag.as_deref(), "seq", tag_span.as_ref().unwrap_or(&span));
                let node = self.list(span, depth)?;
                (anchor, fits.then_some(node))
            }
            Event::MappingStart(_, anchor, tag) => {
                let fits = self.fits(tag.as_deref(), "map", tag_span.as_ref().unwrap_or(&span));
                let node = self.mapping(span, depth)?;
                (anchor, node.filter(|_| fits))
            }
            Event::Alias(id) => return self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                self.problems.push(
                    Problem::error(format!("the alias {} stands for nothing", Quoted(&format!("*{name}"))), span)
                        .label(format!("no {} before it", Quoted(&format!("&{name}"))))
                        .help("check the name; a text that starts with `*` needs quotes"),
                );
                return Ok(None);
            }
            // The parser does not say anything else where a value stands.
            _ => return Err(Box::new(Problem::error("not valid YAML", span))),
        };
        if anchor != 0 {
            let cost =
                Cost { nodes: self.spent.nodes - before.nodes, bytes: self.spent.bytes - before.bytes };
            self.anchors.insert(anchor, node.clone().map(|node| (node, cost)));
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Option<Node>, Fatal> {
        match self.anchors.get(&id) {
            Some(Some((_, cost))) => self.spend(*cost, &span)?,
            Some(None) => {}
            None => self.problems.push(
                Problem::error("an alias inside the value that it stands for", span)
                    .help("write the value out, or put the anchor at another one"),
            ),
        }
        Ok(self.anchors.get(&id).cloned().flatten().map(|(node, _)| node))
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Fatal> {
        let mut items = Vec::new();
        let end = loop {
            let step = self.next()?;
            match step.event {
                Event::SequenceEnd | Event::StreamEnd => break step.span,
                _ => items.extend(self.node(step, depth + 1)?),
            }
        };
        Ok(Node { span: whole(&start, &end, items.last()), data: Data::List(items) })
    }

    /// `None` for one with a key that is a collection: `{{ x }}` was not meant as a mapping at all.
    fn mapping(&mut self, start: Span, depth: usize) -> Result<Option<Node>, Fatal> {
        let mut meant = true;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut merged: Vec<Node> = Vec::new();
        let end = loop {
            let step = self.next()?;
            if matches!(step.event, Event::MappingEnd | Event::StreamEnd) {
                break step.span;
            }
            let alias = matches!(step.event, Event::Alias(_)).then(|| step.span.clone());
            let key = self.node(step, depth + 1)?;
            let step = self.next()?;
            let value = self.node(step, depth + 1)?;
            meant &= key.as_ref().is_none_or(|key| matches!(key.data, Data::Scalar(_)));
            let Some(key) = key.and_then(|key| self.key(key, alias)) else { continue };
            if let Some(first) = seen.insert(key.text.clone(), key.span.clone()) {
                let (line, _) = first.line_column();
                self.problems.push(
                    Problem::error(format!("the key {} stands twice in one mapping", Quoted(&key.text)), key.span)
                        .label(format!("first on line {line}"))
                        .help("keep one of the two"),
                );
                seen.insert(key.text, first);
                continue;
            }
            match value {
                Some(value) if key.plain && key.text == "<<" => merged.push(value),
                Some(value) => entries.push(Entry { key, value }),
                None => {}
            }
        };
        let last = entries.iter().map(|entry| &entry.value).chain(&merged).max_by_key(|node| node.span.range.end);
        let span = whole(&start, &end, last);
        for node in merged {
            self.merge(node, &mut entries);
        }
        Ok(meant.then_some(Node { span, data: Data::Map(entries) }))
    }

    /// `node` as a key, which is a text. One by alias stands where the alias does.
    fn key(&mut self, node: Node, alias: Option<Span>) -> Option<Key> {
        let null = node.is_null();
        let span = alias.unwrap_or(node.span);
        match node.data {
            Data::Scalar(Scalar { text, plain }) if !null => return Some(Key { text, plain, span }),
            Data::Scalar(Scalar { text, .. }) if text.is_empty() => self.problems.push(
                Problem::error("a value without a key", span)
                    .label("expected a key before the colon")
                    .help("name the key, or remove the line"),
            ),
            Data::Scalar(Scalar { text, .. }) => self.problems.push(
                Problem::error(format!("the key {} means nothing at all to YAML", Quoted(&text)), span)
                    .help("put quotes around it if it is the key's name"),
            ),
            _ => self.problems.push(
                Problem::error("a key that is a list or a mapping", span)
                    .label("expected a text")
                    .help("a text that starts with `[` or `{` needs quotes"),
            ),
        }
        None
    }

    /// Adds the entries of a `<<` value; what the mapping says itself wins.
    fn merge(&mut self, node: Node, entries: &mut Vec<Entry>) {
        match node.data {
            Data::Map(more) => {
                for entry in more {
                    if !entries.iter().any(|own| own.key.text == entry.key.text) {
                        entries.push(entry);
                    }
                }
            }
            Data::List(nodes) => nodes.into_iter().for_each(|node| self.merge(node, entries)),
            Data::Scalar(_) => self.problems.push(
                Problem::error("`<<` without a mapping to merge", node.span)
                    .label("expected an alias of a mapping, or a list of such")
                    .help("write `<<: *name`, and `&name` before the mapping's first key"),
            ),
        }
    }

    /// Whether a scalar's type is decided by how it looks; `None` when its tag is refused.
    fn is_plain(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Option<bool> {
        let Some(tag) = tag.filter(|tag| tag.original() != "!") else {
            return Some(style == ScalarStyle::Plain && tag.is_none());
        };
        let fits = match (tag.core_suffix(), plain::resolve(text)) {
            (Some("str"), _) => return Some(false),
            (Some("null"), Plain::Null)
            | (Some("bool"), Plain::Bool(_))
            | (Some("int"), Plain::Integer(_) | Plain::Unsigned(_))
            | (Some("float"), Plain::Float(_) | Plain::Integer(_) | Plain::Unsigned(_)) => return Some(true),
            (known, _) => known.is_some(),
        };
        let problem = if fits {
            Problem::error(format!("the tag `{}` does not fit {}", tag.original(), Quoted(text)), span.clone())
        } else {
            unknown_tag(tag, span)
        };
        self.problems.push(problem.help("write the value without the tag"));
        None
    }

    /// Whether a collection may carry `tag`: its own, `kind`, or none.
    fn fits(&mut self, tag: Option<&Tag>, kind: &str, span: &Span) -> bool {
        let Some(tag) = tag.filter(|tag| tag.original() != "!" && tag.core_suffix() != Some(kind)) else { return true };
        self.problems.push(unknown_tag(tag, span).help("write the value without the tag"));
        false
    }

    fn spend(&mut self, cost: Cost, span: &Span) -> Result<(), Fatal> {
        self.spent.nodes += cost.nodes;
        self.spent.bytes += cost.bytes;
        let message = if self.spent.nodes > self.limits.nodes {
            format!("more than {} values", self.limits.nodes)
        } else if self.spent.bytes > self.limits.bytes {
            format!("more than {} bytes of text", self.limits.bytes)
        } else {
            return Ok(());
        };
        let problem = Problem::error(message, span.clone());
        Err(Box::new(if self.anchors.is_empty() { problem } else { problem.label("once aliases are followed") }))
    }
}

/// From the start of a collection to its end; a block collection ends with its last item.
fn whole(start: &Span, end: &Span, last: Option<&Node>) -> Span {
    let end = match last {
        Some(last) if end.range.is_empty() && last.span.range.start >= start.range.start => last.span.range.end,
        _ => end.range.end,
    };
    Span::new(&start.source, start.range.start..end.max(start.range.end))
}

fn unknown_tag(tag: &Tag, span: &Span) -> Problem {
    Problem::error(format!("the tag {} means nothing here", Quoted(&tag.original())), span.clone())
}
