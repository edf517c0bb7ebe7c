//! Text to trees.

use crate::block;
use crate::node::{Data, Entry, Key, Node, Scalar};
use crate::plain::{self, Plain};
use crate::problem::Problem;
use crate::shown::Quoted;
use crate::source::{Source, Span};
use crate::syntax;
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Tag};
use std::collections::{HashMap, HashSet, hash_map};
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
    let (documents, problems) = salvage_all(source, limits);
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
    let (documents, mut problems) = salvage_all(source, limits);
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

/// As [`salvage`], of a text with any number of documents.
pub fn salvage_all(source: &Arc<Source>, limits: &Limits) -> (Vec<Node>, Vec<Problem>) {
    if source.text.len() > limits.bytes {
        let place = Span::new(source, 0..0);
        let message = format!("the text is larger than {} bytes", limits.bytes);
        let problem = Problem::error(message, place).help("check that it is the text you mean");
        return (Vec::new(), vec![problem]);
    }
    match block::read(source, limits) {
        Some(documents) => (documents, Vec::new()),
        None => parse(source, limits),
    }
}

/// As [`salvage_all`], by the full parser.
pub(crate) fn parse(source: &Arc<Source>, limits: &Limits) -> (Vec<Node>, Vec<Problem>) {
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

/// The keys of a mapping so far, to tell when one comes again.
#[derive(Default)]
pub(crate) struct Keys {
    /// Those without an entry.
    left_out: Vec<Key>,
    /// All of them, once there are too many to look through.
    index: HashMap<String, Span>,
}

impl Keys {
    /// As many as are looked through faster than looked up.
    const FEW: usize = 24;

    /// The place of the first `key`, if this is not it. The keys before it are those of `entries`, and the left out.
    pub(crate) fn find(&mut self, key: &Key, entries: &[Entry]) -> Option<Span> {
        let known = || entries.iter().map(|entry| &entry.key).chain(&self.left_out);
        if self.index.is_empty() {
            if entries.len() + self.left_out.len() < Self::FEW {
                return known().find(|known| known.text == key.text).map(|known| known.span.clone());
            }
            self.index = known().map(|known| (known.text.clone(), known.span.clone())).collect();
        }
        match self.index.entry(key.text.clone()) {
            hash_map::Entry::Occupied(first) => Some(first.get().clone()),
            hash_map::Entry::Vacant(place) => {
                place.insert(key.span.clone());
                None
            }
        }
    }
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
        // An alias costs what it stands for.
        let nodes = usize::from(!matches!(event, Event::Alias(_)));
        self.spend(Cost { nodes, bytes: 0 }, &span)?;
        if depth > self.limits.depth {
            let message = format!("more than {} levels inside each other", self.limits.depth);
            let problem = Problem::error(message, span);
            return Err(Box::new(problem.help("check the indentation, and that every bracket is closed")));
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                // For a value that is not there, the parser says `~`.
                let text =
                    if span.range.is_empty() && style == ScalarStyle::Plain { String::new() } else { text.into() };
                self.spend(Cost { nodes: 0, bytes: text.len() }, &span)?;
                let plain = self.is_plain(&text, style, tag.as_deref(), tag_span.as_ref().unwrap_or(&span));
                (anchor, plain.map(|plain| Node { data: Data::Scalar(Scalar { text, plain }), span }))
            }
            Event::SequenceStart(_, anchor, tag) => {
                let fits = self.fits(tag.as_deref(), "seq", tag_span.as_ref().unwrap_or(&span));
                let node = self.list(&span, depth)?;
                (anchor, fits.then_some(node))
            }
            Event::MappingStart(_, anchor, tag) => {
                let fits = self.fits(tag.as_deref(), "map", tag_span.as_ref().unwrap_or(&span));
                let node = self.mapping(&span, depth)?;
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
            let cost = Cost { nodes: self.spent.nodes - before.nodes, bytes: self.spent.bytes - before.bytes };
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

    fn list(&mut self, start: &Span, depth: usize) -> Result<Node, Fatal> {
        let mut items = Vec::new();
        let end = loop {
            let step = self.next()?;
            match step.event {
                Event::SequenceEnd | Event::StreamEnd => break step.span,
                _ => items.extend(self.node(step, depth + 1)?),
            }
        };
        Ok(Node { span: whole(start, &end, items.last()), data: Data::List(items) })
    }

    /// `None` for one with a key that is a collection: `{{ x }}` was not meant as a mapping at all.
    fn mapping(&mut self, start: &Span, depth: usize) -> Result<Option<Node>, Fatal> {
        let mut meant = true;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = Keys::default();
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
            if let Some(first) = seen.find(&key, &entries) {
                self.duplicate(&key, &first);
                continue;
            }
            match value {
                Some(value) if key.plain && key.text == "<<" => {
                    merged.push(value);
                    seen.left_out.push(key);
                }
                Some(value) => entries.push(Entry { key, value }),
                None => seen.left_out.push(key),
            }
        };
        let last = entries.iter().map(|entry| &entry.value).chain(&merged).max_by_key(|node| node.span.range.end);
        let span = whole(start, &end, last);
        if !merged.is_empty() {
            let mut own = entries.iter().map(|entry| entry.key.text.clone()).collect();
            for node in merged {
                self.merge(node, &mut entries, &mut own);
            }
        }
        Ok(meant.then_some(Node { span, data: Data::Map(entries) }))
    }

    fn duplicate(&mut self, key: &Key, first: &Span) {
        // To count lines takes its time: a text of nothing but duplicates is not worth it.
        if self.problems.len() < 100 {
            let (line, _) = first.line_column();
            self.problems.push(
                Problem::error(format!("the key {} stands twice in one mapping", Quoted(&key.text)), key.span.clone())
                    .label(format!("first on line {line}"))
                    .help("keep one of the two"),
            );
        }
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

    /// Adds the entries of a `<<` value; what the mapping says itself, its `own` keys, wins.
    fn merge(&mut self, node: Node, entries: &mut Vec<Entry>, own: &mut HashSet<String>) {
        match node.data {
            Data::Map(more) => {
                for entry in more {
                    if own.insert(entry.key.text.clone()) {
                        entries.push(entry);
                    }
                }
            }
            Data::List(nodes) => nodes.into_iter().for_each(|node| self.merge(node, entries, own)),
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
        Err(Box::new(if self.anchors.is_empty() {
            problem.help("check that it is the file you mean; if it is, split it")
        } else {
            problem.label("once aliases are followed").help("write out what the alias stands for, or repeat less of it")
        }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const LIMITS: Limits = Limits { bytes: 200, nodes: 20, depth: 4 };

    /// The documents with the place of every key and value, and the problems with theirs.
    fn told(text: &str) -> String {
        let (documents, problems) = salvage_all(&Source::new("t", text), &LIMITS);
        let mut told = documents.iter().map(drawn).collect::<Vec<_>>().join(" --- ");
        for problem in problems {
            let _ = write!(told, " ! {}", problem.one_line().replace("t:", ""));
        }
        told.trim().to_owned()
    }

    /// `1:2 text`, `1:2 "quoted text"`, `1:2 [items]`, `1:2 {1:3 key: value}`.
    fn drawn(node: &Node) -> String {
        let placed = |span: &Span, text: String| {
            let (line, column) = span.line_column();
            format!("{line}:{column} {text}")
        };
        let text = |text: &str, plain: bool| if plain { text.to_owned() } else { format!("{text:?}") };
        let entry = |Entry { key, value }: &Entry| placed(&key.span, text(&key.text, key.plain)) + ": " + &drawn(value);
        placed(
            &node.span,
            match &node.data {
                Data::Scalar(scalar) => text(&scalar.text, scalar.plain),
                Data::List(items) => format!("[{}]", items.iter().map(drawn).collect::<Vec<_>>().join(", ")),
                Data::Map(entries) => format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", ")),
            },
        )
    }

    fn table(cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(told(text), *expected, "\n{text}");
        }
    }

    #[test]
    fn everything_has_its_place() {
        table(&[
            ("", ""),
            ("# nothing\n", ""),
            ("word", "1:1 word"),
            ("a: b\nc:\n  - d\n  - {e: 'f'}\n", "1:1 {1:1 a: 1:4 b, 2:1 c: 3:3 [3:5 d, 4:5 {4:6 e: 4:9 \"f\"}]}"),
            ("a:\nb: ~\n", "1:1 {1:1 a: 1:2 , 2:1 b: 2:4 ~}"),
            ("ä: 監\nb: c", "1:1 {1:1 ä: 1:4 監, 2:1 b: 2:4 c}"),
            ("a: b\r\nc: d\r\n", "1:1 {1:1 a: 1:4 b, 2:1 c: 2:4 d}"),
            ("a: b\rc: d\r", "1:1 {1:1 a: 1:4 b, 2:1 c: 2:4 d}"),
            ("a: |\n  two\n  lines\n", "1:1 {1:1 a: 2:3 \"two\\nlines\\n\"}"),
            ("a: \"\\x41\\\n  b\"\n", "1:1 {1:1 a: 1:4 \"Ab\"}"),
            ("? a\n: b\n", "1:1 {1:3 a: 2:3 b}"),
            ("\"a\": 1.30", "1:1 {1:1 \"a\": 1:6 1.30}"),
        ]);
    }

    #[test]
    fn a_collection_ends_with_its_last_item() {
        for (text, whole) in [
            ("a:\n  b: c\n  d: e\n\n# end\n", "a:\n  b: c\n  d: e"),
            ("- a\n- [b, c]\n", "- a\n- [b, c]"),
            ("{ a: b }  ", "{ a: b }"),
            ("a: &x b\nc: {<<: {d: *x}}\n", "a: &x b\nc: {<<: {d: *x}}"),
        ] {
            assert_eq!(salvage_all(&Source::new("t", text), &LIMITS).0[0].span.text(), whole);
        }
    }

    #[test]
    fn duplicates() {
        let twice =
            "1:1 {1:1 a: 1:4 1} ! 2:1: the key `a` stands twice in one mapping; first on line 1; keep one of the two";
        table(&[
            ("a: 1\na: 2\n", twice),
            ("a: 1\n\"a\": 2\n", twice),
            (
                "x: {a: 1, b: {a: 2}, a: 3}",
                "1:1 {1:1 x: 1:4 {1:5 a: 1:8 1, 1:11 b: 1:14 {1:15 a: 1:18 2}}} ! 1:22: the key `a` stands twice in one \
                 mapping; first on line 1; keep one of the two",
            ),
            (
                "&k a: 1\n*k : 2\n",
                "1:1 {1:4 a: 1:7 1} ! 2:1: the key `a` stands twice in one mapping; first on line 1; keep one of the two",
            ),
        ]);
        assert_eq!(salvage_all(&Source::new("t", "a: 1\na: 2\na: 3\n"), &LIMITS).1.len(), 2);
    }

    #[test]
    fn aliases() {
        table(&[
            ("a: &x [1]\nb: *x\n", "1:1 {1:1 a: 1:7 [1:8 1], 2:1 b: 1:7 [1:8 1]}"),
            ("[&x a, &x b, *x]", "1:1 [1:5 a, 1:11 b, 1:11 b]"),
            ("&k a: 1\nb: *k\n", "1:1 {1:4 a: 1:7 1, 2:1 b: 1:4 a}"),
            (
                "a: *x\nb: 1\n",
                "1:1 {2:1 b: 2:4 1} ! 1:4: the alias `*x` stands for nothing; no `&x` before it; check the name; a text that \
                 starts with `*` needs quotes",
            ),
            (
                "a: &x [*x, 1]\n",
                "1:1 {1:1 a: 1:7 [1:12 1]} ! 1:8: an alias inside the value that it stands for; write the value out, or put \
                 the anchor at another one",
            ),
            ("a: &x !y 1\nb: *x\n", "1:1 {} ! 1:7: the tag `!y` means nothing here; write the value without the tag"),
            (
                "&x a\n---\n*x\n",
                "1:4 a ! 3:1: the alias `*x` stands for nothing; no `&x` before it; check the name; a text that starts with \
                 `*` needs quotes",
            ),
        ]);
    }

    #[test]
    fn merge_keys() {
        let wrong = "`<<` without a mapping to merge; expected an alias of a mapping, or a list of such; write `<<: *name`, \
                     and `&name` before the mapping's first key";
        table(&[
            ("<<: {a: 1, b: 2}\na: 3\n", "1:1 {2:1 a: 2:4 3, 1:12 b: 1:15 2}"),
            ("<<: [{a: 1}, {a: 2, b: 3}]", "1:1 {1:7 a: 1:10 1, 1:21 b: 1:24 3}"),
            ("\"<<\": {a: 1}", "1:1 {1:1 \"<<\": 1:7 {1:8 a: 1:11 1}}"),
            ("<<: 1\na: 2\n", &format!("1:1 {{2:1 a: 2:4 2}} ! 1:5: {wrong}")),
            ("<<: [{a: 1}, b]", &format!("1:1 {{1:7 a: 1:10 1}} ! 1:14: {wrong}")),
            (
                "<<: {a: 1}\n<<: {b: 2}\n",
                "1:1 {1:6 a: 1:9 1} ! 2:1: the key `<<` stands twice in one mapping; first on line 1; keep one of the two",
            ),
        ]);
    }

    #[test]
    fn tags() {
        let refused =
            |at: &str, what: &str| format!("1:1 [] ! 1:{at}: the tag {what}; write the value without the tag");
        table(&[
            (
                "[!!str 1, ! 2, !!int \"3\", !!bool true, !!null '', !!float 4]",
                "1:1 [1:8 \"1\", 1:13 \"2\", 1:22 3, 1:34 true, 1:47 , 1:59 4]",
            ),
            ("!!map {a: !!seq [b]}", "1:7 {1:8 a: 1:17 [1:18 b]}"),
            ("[!x 1]", &refused("2", "`!x` means nothing here")),
            ("[!<x> 1]", &refused("2", "`!<x>` means nothing here")),
            ("[!!binary aGk=]", &refused("2", "`!!binary` means nothing here")),
            ("[!!set {a}]", &refused("2", "`!!set` means nothing here")),
            ("[!!seq {a: b}]", &refused("2", "`!!seq` means nothing here")),
            ("[!!int x]", &refused("2", "`!!int` does not fit `x`")),
            ("[!!null \"\\0\"]", &refused("2", "`!!null` does not fit `\\0`")),
        ]);
    }

    #[test]
    fn keys_are_texts() {
        table(&[
            ("1: a\ntrue: b\n", "1:1 {1:1 1: 1:4 a, 2:1 true: 2:7 b}"),
            (
                ": a\n",
                "1:1 {} ! 1:1: a value without a key; expected a key before the colon; name the key, or remove the line",
            ),
            ("\"\": a\n", "1:1 {1:1 \"\": 1:5 a}"),
            (
                "null: a\n",
                "1:1 {} ! 1:1: the key `null` means nothing at all to YAML; put quotes around it if it is the key's name",
            ),
            (
                "a: {{ b }}\nc: d\n",
                "1:1 {2:1 c: 2:4 d} ! 1:5: a key that is a list or a mapping; expected a text; a text that starts with `[` or \
                 `{` needs quotes",
            ),
        ]);
    }

    #[test]
    fn documents() {
        let read = |text: &str| {
            let (document, problems) = salvage(&Source::new("t", text), &LIMITS);
            (document.as_ref().map(drawn), problems.iter().map(Problem::one_line).collect::<String>())
        };
        let second =
            "t:3:1: a second document; starts here; keep one document, and remove the `---` line between the two";
        assert_eq!(read("---\n# nothing\n...\n"), (None, String::new()));
        assert_eq!(read("%YAML 1.2\n--- a\n...\n---\n# nothing\n"), (Some("2:5 a".to_owned()), String::new()));
        assert_eq!(read("a\n---\nb\n"), (Some("1:1 a".to_owned()), second.to_owned()));
        table(&[("a\n---\n---\nb\n", "1:1 a --- 4:1 b"), ("--- ~\n", "1:5 ~")]);
        assert!(read_one(&Source::new("t", "a\n---\nb\n"), &LIMITS).is_err());
        assert_eq!(super::read(&Source::new("t", "a\n---\nb\n"), &LIMITS).map(|documents| documents.len()), Ok(2));
    }

    #[test]
    fn limits() {
        table(&[
            ("[[[[a]]]]", "1:1 [1:2 [1:3 [1:4 [1:5 a]]]]"),
            (
                "[[[[[a]]]]]",
                "! 1:6: more than 4 levels inside each other; check the indentation, and that every bracket is closed",
            ),
            (
                &"- a\n".repeat(19),
                &format!("1:1 [{}]", (1..20).map(|line| format!("{line}:3 a")).collect::<Vec<_>>().join(", ")),
            ),
            (
                &"- a\n".repeat(20),
                "! 20:3: more than 20 values; check that it is the file you mean; if it is, split it",
            ),
            (
                "a: &a [b, b, b]\nc: &c [*a, *a]\nd: [*c, *c]",
                "! 3:5: more than 20 values; once aliases are followed; write out what the alias stands for, or repeat less of it",
            ),
            (
                &format!("a: &a {}\nb: [*a, *a]", "b".repeat(99)),
                "! 2:9: more than 200 bytes of text; once aliases are followed; write out what the alias stands for, or repeat less of it",
            ),
            (&"#".repeat(201), "! 1:1: the text is larger than 200 bytes; check that it is the text you mean"),
        ]);
    }

    #[test]
    fn syntax_errors_in_plain_words() {
        for (text, expected) in [
            ("a: \"b\nc: d\n", "1:4: a quote that is never closed"),
            ("a: 'b\n---\n'", "1:4: a quote that is still open at a line of `---` or `...`"),
            ("a: 'it's'", "1:8: text behind a closing quote"),
            ("a: \"b\nc: \"d\"\n", "2:5: text behind a closing quote"),
            ("a: \"C:\\d\"", "1:7: a backslash that starts no known escape"),
            ("a: \"\\u12\"", "1:4: an escape that stands for no character"),
            ("a: [b, c", "1:4: a `[` that is never closed"),
            ("a: [b}", "1:4: a `[` that is closed by `}`"),
            ("a: b]\nc: ]\n", "2:4: a bracket that closes nothing"),
            ("a: {b: 1 c: 2}", "1:11: a missing `,` or `}`"),
            ("a: [b\nc: d\n", "2:2: this cannot stand inside brackets"),
            ("a: b: c", "1:5: a second `key: value` inside a value"),
            ("a: b\n  c: d\n", "2:3: a key inside the value of the line above"),
            ("a: b\nc\n", "2:1: a line that is no `key: value`"),
            ("a:\n    b: c\n  d: e\n", "3:3: a line that does not line up with those above"),
            ("a: b\n- c\n", "2:1: a list item among keys"),
            ("a: - b", "1:4: a list item that is not on a line of its own"),
            ("a:\n\tb: c\n", "2:1: a tab in the indentation"),
            ("a: @b", "1:4: a value that starts with `@`"),
            ("a: b\u{7}c", "1:5: the character U+0007, which YAML does not allow"),
            ("a: & b", "1:4: an anchor or alias without a name"),
            ("a: !x!y b", "1:4: a tag that means nothing here"),
            ("a: |x\n  b\n", "1:4: a malformed start of a block of text"),
            ("{a: b}\nc", "2:1: text behind the end of the document"),
            ("%YAML 1.2\na: b\n", "2:1: a directive without a `---` line behind it"),
            ("a: b\n<<<<<<< HEAD\n", "2:1: a merge conflict that nobody has resolved"),
            ("a: b\nc: \u{feff}d\n", "2:4: a byte order mark inside the text"),
        ] {
            let (_, problems) = salvage_all(&Source::new("t", text), &LIMITS);
            let (line, column) = match &problems[0].place {
                crate::Place::Text(span) => span.line_column(),
                crate::Place::File(_) => (0, 0),
            };
            assert_eq!(format!("{line}:{column}: {}", problems[0].message), expected, "\n{text}");
        }
    }

    #[test]
    fn no_document_of_a_text_that_cannot_be_read_to_its_end() {
        let (document, problems) = salvage(&Source::new("t", "a: 1\na: 2\n---\nb: [\n"), &LIMITS);
        assert_eq!((document, problems.len()), (None, 2));
    }
}
