//! The YAML that most manifests are written in, read in one pass.
//!
//! Block mappings and lists, scalars on one line, `|` blocks, brackets that close on their line, JSON: a text of nothing
//! else becomes the same tree as by the full parser, in a fraction of its time. Of every other text, and of every text
//! with something wrong in it, nothing is said here: [`read`] gives up, and [`crate::read`] asks the full parser.

use crate::node::{Data, Entry, Key, Node, Scalar};
use crate::plain::{self, Plain};
use crate::read::{Keys, Limits};
use crate::source::{Source, Span};
use std::sync::Arc;

/// All documents of a text, as [`crate::salvage_all`] gives them without a problem; `None` if that takes the full parser.
pub(crate) fn read(source: &Arc<Source>, limits: &Limits) -> Option<Vec<Node>> {
    let text: &str = &source.text;
    if text.len() > limits.bytes || text.starts_with('%') || !are_ordinary(text) {
        return None;
    }
    let mut reader = Reader {
        source,
        text,
        bytes: text.as_bytes(),
        at: 0,
        nodes: 0,
        limits,
        across_lines: false,
        items: Vec::new(),
        entries: Vec::new(),
    };
    let mut documents = Vec::new();
    loop {
        let mut line = reader.line()?;
        if line.starts_document {
            reader.at = line.start + 3;
            reader.end_line()?;
            line = reader.line()?;
        }
        if !line.ends_document() {
            documents.push(reader.collection(&line, 0)?);
            line = reader.line()?;
        }
        if line.start == text.len() {
            return Some(documents);
        }
        if !line.starts_document {
            return None;
        }
    }
}

/// In bytes; YAML ends keys without a `?` at 1024 characters.
const LONGEST_KEY: usize = 1000;

/// Whether every character of a text [`is_ordinary`]. Most texts are ASCII, of which many bytes are looked at at once.
fn are_ordinary(text: &str) -> bool {
    let is_ordinary_ascii = |byte: u8| (b' '..0x7f).contains(&byte) || byte == b'\n' || byte == b'\t';
    let all = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & is_ordinary_ascii(*byte));
    text.as_bytes().chunks(64).all(all) || text.chars().all(is_ordinary)
}

/// Whether YAML allows a character everywhere, without a meaning that depends on its version: no other line break, no
/// byte order mark. A tab is looked at where it stands.
fn is_ordinary(character: char) -> bool {
    match character {
        '\n' | '\t' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        _ => !character.is_control(),
    }
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    bytes: &'a [u8],
    /// The next byte.
    at: usize,
    /// Keys and values so far. Their texts cannot outgrow the text that they are cut from.
    nodes: usize,
    limits: &'a Limits,
    /// The brackets that are open may close on another line.
    across_lines: bool,
    /// What the lists that are not at their end hold, one behind the other: each becomes as large as it has to be.
    items: Vec<Node>,
    /// The same for mappings.
    entries: Vec<Entry>,
}

/// A line that is neither empty nor a comment, or the end of the text.
struct Line {
    /// Its first byte that is no space.
    start: usize,
    /// The spaces before that.
    indent: usize,
    /// It is a line of `---`.
    starts_document: bool,
    /// It is the end of the text.
    last: bool,
}

impl Line {
    fn ends_document(&self) -> bool {
        self.starts_document || self.last
    }
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Whether a word ends before `at`: at a space, a line break, or the end of the text.
    fn is_gap(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\n'))
    }

    /// The next line that holds something, without leaving the place.
    fn line(&self) -> Option<Line> {
        let mut begin = self.at;
        loop {
            let start = self.behind_spaces(begin);
            let indent = start - begin;
            match self.byte(start) {
                None => return Some(Line { start, indent: 0, starts_document: false, last: true }),
                Some(b'\n') => begin = start + 1,
                Some(b'#') => begin = self.line_end(start) + 1,
                Some(b'\t') => return None,
                Some(_) => {
                    let marker = self.bytes.get(start..start + 3).filter(|_| indent == 0 && self.is_gap(start + 3));
                    if marker == Some(b"...") {
                        return None;
                    }
                    return Some(Line { start, indent, starts_document: marker == Some(b"---"), last: false });
                }
            }
            if begin > self.bytes.len() {
                return Some(Line { start: self.bytes.len(), indent: 0, starts_document: false, last: true });
            }
        }
    }

    fn behind_spaces(&self, mut at: usize) -> usize {
        while self.byte(at) == Some(b' ') {
            at += 1;
        }
        at
    }

    /// What comes next inside of brackets.
    fn behind_gap(&self, mut at: usize) -> usize {
        while self.byte(at) == Some(b' ') || self.across_lines && self.byte(at) == Some(b'\n') {
            at += 1;
        }
        at
    }

    /// The line break at or behind `at`, or the end of the text.
    fn line_end(&self, at: usize) -> usize {
        self.bytes[at..].iter().position(|byte| *byte == b'\n').map_or(self.bytes.len(), |length| at + length)
    }

    /// Goes behind the line, of which nothing but a comment may be left.
    fn end_line(&mut self) -> Option<()> {
        let start = self.behind_spaces(self.at);
        let end = match self.byte(start) {
            None | Some(b'\n') => start,
            Some(b'#') if start > self.at => self.line_end(start),
            Some(_) => return None,
        };
        self.at = (end + 1).min(self.bytes.len());
        Some(())
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { source: Arc::clone(self.source), range: start..end }
    }

    fn spend(&mut self, depth: usize) -> Option<()> {
        self.nodes += 1;
        (self.nodes <= self.limits.nodes && depth <= self.limits.depth).then_some(())
    }

    /// The collection that starts at a line.
    fn collection(&mut self, line: &Line, depth: usize) -> Option<Node> {
        self.at = line.start;
        match self.byte(self.at)? {
            b'[' | b'{' if depth == 0 => {
                self.across_lines = true;
                let json = self.flow(depth)?;
                self.across_lines = false;
                self.end_line()?;
                Some(json)
            }
            _ if self.is_item(self.at) => self.list(line.indent, false, depth),
            _ => self.mapping(line.indent, depth),
        }
    }

    fn is_item(&self, at: usize) -> bool {
        self.byte(at) == Some(b'-') && self.is_gap(at + 1)
    }

    /// The list whose first `-` is here, with as much before it as `indent` says. One that stands no deeper than the key
    /// that it is the value of begins, to the full parser, behind that `-` and the spaces after it.
    fn list(&mut self, indent: usize, beside_key: bool, depth: usize) -> Option<Node> {
        self.spend(depth)?;
        let start = if beside_key { self.behind_dash() } else { self.at };
        let first = self.items.len();
        loop {
            let item = self.item(indent, depth + 1)?;
            self.items.push(item);
            let line = self.line()?;
            if line.ends_document() || line.indent < indent {
                break;
            }
            if line.indent > indent {
                return None;
            }
            if !self.is_item(line.start) {
                if beside_key {
                    break;
                }
                return None;
            }
            self.at = line.start;
        }
        let end = self.items.last()?.span.range.end;
        Some(Node { data: Data::List(self.items.drain(first..).collect()), span: self.span(start, end) })
    }

    /// What stands behind the `-` here, or the end of its line.
    fn behind_dash(&self) -> usize {
        let start = self.behind_spaces(self.at + 1);
        if self.byte(start) == Some(b'#') { self.line_end(start) } else { start }
    }

    /// The `-` here and its value.
    fn item(&mut self, indent: usize, depth: usize) -> Option<Node> {
        let dash = self.at;
        let start = self.behind_dash();
        self.at = start;
        if matches!(self.byte(start), None | Some(b'\n')) {
            let line = self.line()?;
            if line.ends_document() || line.indent <= indent {
                return self.nothing(start, depth);
            }
            return self.collection(&line, depth);
        }
        let column = indent + (start - dash);
        if self.is_item(self.at) {
            return self.list(column, false, depth);
        }
        if self.at_key()? {
            return self.mapping(column, depth);
        }
        self.scalar(indent, depth)
    }

    fn nothing(&mut self, at: usize, depth: usize) -> Option<Node> {
        self.spend(depth)?;
        Some(Node { data: Data::Scalar(Scalar { text: String::new(), plain: true }), span: self.span(at, at) })
    }

    /// Whether a key of a mapping stands here, and not a value.
    fn at_key(&mut self) -> Option<bool> {
        let start = self.at;
        let is_key = match self.byte(start)? {
            b'"' | b'\'' => {
                self.quoted()?;
                self.byte(self.at) == Some(b':') && self.is_gap(self.at + 1)
            }
            b'[' | b'{' | b'|' | b'>' => false,
            _ => self.plain_key().is_some(),
        };
        self.at = start;
        Some(is_key)
    }

    /// The block mapping whose first key is here, with as much before it as `indent` says.
    fn mapping(&mut self, indent: usize, depth: usize) -> Option<Node> {
        self.spend(depth)?;
        let start = self.at;
        let first = self.entries.len();
        let mut seen = Keys::default();
        loop {
            let key = self.key(depth + 1)?;
            if seen.find(&key, &self.entries[first..]).is_some() {
                return None;
            }
            let value = self.value(indent, depth + 1)?;
            self.entries.push(Entry { key, value });
            let line = self.line()?;
            if line.ends_document() || line.indent < indent {
                break;
            }
            if line.indent > indent {
                return None;
            }
            self.at = line.start;
        }
        let end = self.entries.last()?.value.span.range.end;
        Some(Node { data: Data::Map(self.entries.drain(first..).collect()), span: self.span(start, end) })
    }

    /// A key and the colon behind it.
    fn key(&mut self, depth: usize) -> Option<Key> {
        self.spend(depth)?;
        let start = self.at;
        let (text, plain) = match self.byte(start)? {
            b'"' | b'\'' => (self.quoted()?, false),
            _ => {
                let end = self.plain_key()?;
                self.at = end;
                (self.text[start..end].to_owned(), true)
            }
        };
        let end = self.at;
        if self.byte(end) != Some(b':') || !self.is_gap(end + 1) || end - start > LONGEST_KEY {
            return None;
        }
        if plain && (text == "<<" || plain::resolve(&text) == Plain::Null) {
            return None;
        }
        self.at = end + 1;
        Some(Key { text, plain, span: self.span(start, end) })
    }

    /// Where the unquoted key ends that starts here.
    fn plain_key(&self) -> Option<usize> {
        let start = self.at;
        if !self.starts_plain(start, false) {
            return None;
        }
        let mut at = start;
        loop {
            match self.byte(at)? {
                b':' if self.is_gap(at + 1) => break,
                b'\n' | b'\t' => return None,
                b'#' if self.bytes[at - 1] == b' ' => return None,
                _ => at += 1,
            }
        }
        (self.bytes[at - 1] != b' ').then_some(at)
    }

    /// Whether an unquoted scalar may start with the byte at `at`.
    fn starts_plain(&self, at: usize, in_flow: bool) -> bool {
        match self.byte(at) {
            None
            | Some(
                b' ' | b'\n' | b'\t' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>'
                | b'\'' | b'"' | b'%' | b'@' | b'`',
            ) => false,
            Some(b'-') if in_flow => self.byte(at + 1).is_some_and(|byte| byte.is_ascii_alphanumeric()),
            Some(b'-' | b'?' | b':') => !in_flow && !self.is_gap(at + 1) && self.byte(at + 1) != Some(b'\t'),
            // A line of `...` ends a document, even inside of brackets.
            Some(b'.') if self.across_lines => false,
            Some(_) => true,
        }
    }

    /// The value behind a colon, of a key with as much before it as `indent` says.
    fn value(&mut self, indent: usize, depth: usize) -> Option<Node> {
        let colon = self.at - 1;
        let start = self.behind_spaces(self.at);
        if !matches!(self.byte(start), None | Some(b'\n' | b'#')) {
            self.at = start;
            return self.scalar(indent, depth);
        }
        self.end_line()?;
        let line = self.line()?;
        if !line.ends_document() {
            if line.indent > indent {
                return self.collection(&line, depth);
            }
            if line.indent == indent && self.is_item(line.start) {
                self.at = line.start;
                return self.list(indent, true, depth);
            }
        }
        self.nothing(colon, depth)
    }

    /// The value that starts here and, unless it is a `|` block, ends on this line.
    fn scalar(&mut self, indent: usize, depth: usize) -> Option<Node> {
        let start = self.at;
        let node = match self.byte(start)? {
            b'[' | b'{' => self.flow(depth)?,
            b'|' => return self.literal(indent, depth),
            b'"' | b'\'' => {
                self.spend(depth)?;
                let text = self.quoted()?;
                Node { data: Data::Scalar(Scalar { text, plain: false }), span: self.span(start, self.at) }
            }
            _ => {
                self.spend(depth)?;
                self.plain(false)?
            }
        };
        self.end_line()?;
        Some(node)
    }

    /// The unquoted scalar that starts here.
    fn plain(&mut self, in_flow: bool) -> Option<Node> {
        let start = self.at;
        if !self.starts_plain(start, in_flow) {
            return None;
        }
        let mut at = start;
        loop {
            match self.byte(at) {
                None | Some(b'\n') => break,
                Some(b'\t') => return None,
                Some(b'#') if self.bytes[at - 1] == b' ' => break,
                Some(b':') if self.is_gap(at + 1) && !in_flow => return None,
                Some(b',' | b']' | b'}' | b':') if in_flow => break,
                Some(b'[' | b'{') if in_flow => return None,
                Some(_) => at += 1,
            }
        }
        let text = self.text[start..at].trim_end_matches(' ');
        self.at = start + text.len();
        let data = Data::Scalar(Scalar { text: text.to_owned(), plain: true });
        Some(Node { data, span: self.span(start, self.at) })
    }

    /// The text of the quoted scalar that starts here.
    fn quoted(&mut self) -> Option<String> {
        let quote = self.byte(self.at)?;
        let mut text = String::new();
        let mut begin = self.at + 1;
        loop {
            let length =
                self.bytes.get(begin..)?.iter().position(|byte| {
                    *byte == quote || matches!(byte, b'\n' | b'\t') || *byte == b'\\' && quote == b'"'
                })?;
            let at = begin + length;
            text.push_str(&self.text[begin..at]);
            let escaped = match (self.bytes[at], self.byte(at + 1)) {
                (b'\'', Some(b'\'')) => '\'',
                (b'\\', Some(b'n')) => '\n',
                (b'\\', Some(b't')) => '\t',
                (b'\\', Some(b'r')) => '\r',
                (b'\\', Some(escaped @ (b'"' | b'\\' | b'/'))) => escaped.into(),
                (b'\\', Some(b'u')) => {
                    // Half of a surrogate pair is no character.
                    let digits =
                        self.text.get(at + 2..at + 6).filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))?;
                    text.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                    begin = at + 6;
                    continue;
                }
                (found, _) if found == quote => {
                    self.at = at + 1;
                    return Some(text);
                }
                _ => return None,
            };
            text.push(escaped);
            begin = at + 2;
        }
    }

    /// What starts here inside of brackets, or the brackets.
    fn flow(&mut self, depth: usize) -> Option<Node> {
        let start = self.at;
        match self.byte(start)? {
            b'[' => {
                self.spend(depth)?;
                let first = self.items.len();
                while self.goes_on(b']', self.items.len() == first)? {
                    let item = self.flow(depth + 1)?;
                    self.items.push(item);
                }
                Some(Node { data: Data::List(self.items.drain(first..).collect()), span: self.span(start, self.at) })
            }
            b'{' => {
                self.spend(depth)?;
                let first = self.entries.len();
                let mut seen = Keys::default();
                while self.goes_on(b'}', self.entries.len() == first)? {
                    let Node { data: Data::Scalar(Scalar { text, plain }), span } = self.flow(depth + 1)? else {
                        return None;
                    };
                    let is_odd = plain && (text == "<<" || plain::resolve(&text) == Plain::Null);
                    if is_odd
                        || span.range.len() > LONGEST_KEY
                        || self.byte(self.at) != Some(b':')
                        || plain && !self.is_gap(self.at + 1)
                    {
                        return None;
                    }
                    let key = Key { text, plain, span };
                    if seen.find(&key, &self.entries[first..]).is_some() {
                        return None;
                    }
                    self.at = self.behind_gap(self.at + 1);
                    let value = self.flow(depth + 1)?;
                    self.entries.push(Entry { key, value });
                }
                Some(Node { data: Data::Map(self.entries.drain(first..).collect()), span: self.span(start, self.at) })
            }
            b'"' | b'\'' => {
                self.spend(depth)?;
                let text = self.quoted()?;
                Some(Node { data: Data::Scalar(Scalar { text, plain: false }), span: self.span(start, self.at) })
            }
            _ => {
                self.spend(depth)?;
                self.plain(true)
            }
        }
    }

    /// Goes to the next item inside of brackets, or behind the one that closes them.
    fn goes_on(&mut self, close: u8, first: bool) -> Option<bool> {
        if first {
            self.at += 1;
        }
        self.at = self.behind_gap(self.at);
        if !first && self.byte(self.at)? == b',' {
            self.at = self.behind_gap(self.at + 1);
        } else if !first && self.byte(self.at)? != close {
            return None;
        }
        let ends = self.byte(self.at)? == close;
        self.at += usize::from(ends);
        Some(!ends)
    }

    /// The `|` block that starts here, deeper than `indent`.
    fn literal(&mut self, indent: usize, depth: usize) -> Option<Node> {
        self.spend(depth)?;
        self.at += 1;
        let chomping = self.byte(self.at).filter(|byte| matches!(byte, b'-' | b'+'));
        self.at += usize::from(chomping.is_some());
        self.end_line()?;
        let mut text = String::new();
        // The first line that is not empty says how deep the block is; those before it may not be deeper.
        let mut begin = self.at;
        let mut widest = 0;
        let (start, inner) = loop {
            let start = self.behind_spaces(begin);
            match self.byte(start)? {
                b'\n' => {
                    widest = widest.max(start - begin);
                    text.push('\n');
                    begin = start + 1;
                }
                b'\t' => return None,
                _ => break (start, start - begin),
            }
        };
        if inner <= indent || widest > inner {
            return None;
        }
        let end = loop {
            let first = self.behind_spaces(begin);
            match self.byte(first) {
                // A last line without a break is a matter of its own.
                None if first - begin > inner => return None,
                None => break first,
                Some(b'\n') if first - begin <= inner => {
                    text.push('\n');
                    begin = first + 1;
                }
                Some(_) if first - begin < inner => break first,
                Some(_) => {
                    let end = self.line_end(first);
                    self.byte(end)?;
                    text.push_str(&self.text[begin + inner..=end]);
                    begin = end + 1;
                }
            }
        };
        if chomping != Some(b'+') {
            let kept = text.trim_end_matches('\n').len() + usize::from(chomping.is_none());
            text.truncate(kept);
        }
        self.at = begin;
        Some(Node { data: Data::Scalar(Scalar { text, plain: false }), span: self.span(start, end) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::parse;
    use proptest::prelude::*;
    use std::path::Path;

    /// Whether this reader reads a text; if it does, the full parser has nothing else to say.
    fn agrees(text: &str) -> bool {
        let source = Source::new("t", text);
        let limits = Limits::default();
        let Some(documents) = read(&source, &limits) else { return false };
        assert_eq!((documents, Vec::new()), parse(&source, &limits), "{text}");
        true
    }

    #[test]
    fn what_is_read_here() {
        for text in [
            "",
            "# nothing\n---\n# nothing",
            "a: b\n---\nc: d\n",
            "--- # a\n- b\n---\n",
            "- a\n-\n- - b\n  - c: d\n    e:\n-  # f\n  g: h\n",
            "a:\n- b\n- c: d\n  e: f\ng:\n-\n  h: i\n",
            "a:\n  b:\n  - c\n  d:\n  - - e\n",
            "a:\n  - b\n  # c\n\n  -   d: e\n      f:\n",
            "a: # b\nc:   \n# d\n\ne: f # g\n",
            "a: |\n\n  b\n    c\n\nd: |-\n   e\n   \n\n# f\ng: |+\n h\n\n",
            "- |\n  a\n- b: |-\n    c\n    \n   # d\n",
            "a: \"b \\\"c\\\"\\n\" # d\n'e ''f''': g\n\"h: i\": -1\n",
            "a: {}\nb: []\nc: {d: e, \"f\":[g, 'h'], i: [{j: k}, ]} # l\n",
            "a: b:c#d, [e] - f\n-g: --h\n",
            "ä: 監\n",
            "{\"a\": [1, -2.5, true,\n null], \"b\": {\n},\n\n\"c\":\n\"\\u003e\\/\"\n} # d\n---\n[]",
        ] {
            assert!(agrees(text), "{text}");
        }
    }

    #[test]
    fn what_is_left_to_the_full_parser() {
        for text in [
            "a: |\n  b",
            "a: |\n",
            "a: |2\n   b\n",
            "a: |\n   \n  b\n",
            "a: |\n b\n  ",
            "a: >\n  b\n",
            "a: b\n  c\n",
            "a:\n  b\n",
            "a: \"b\n  c\"\n",
            "a: [b,\n  c]\n",
            "[\n...\n]",
            "[\n---\n]",
            "[a\n b]",
            "{\"a\": 1\n\"b\": 2}",
            "{\"a\": \"\\ud83d\\ude00\"}",
            "a: &b c\nd: *b\n",
            "a: !!str 1\n",
            "<<: {a: b}\n",
            "null: a\n",
            "a: b\na: c\n",
            "a: {b: c, b: d}\n",
            "a: b\r\n",
            "a:\tb\n",
            "\u{feff}a: b\n",
            "a: \u{7}\n",
            "? a\n: b\n",
            "a: b: c\n",
            "a: b\n- c\n",
            "- a\nb: c\n",
            "a\n",
            "%YAML 1.2\n---\na: b\n",
            "a: b\n...\n",
        ] {
            assert!(!agrees(text), "{text}");
        }
    }

    /// What reached new code in ten minutes of `just fuzz reader`, some of it.
    #[test]
    fn what_fuzzing_found() {
        for line in include_str!("../tests/fuzzed.jsonl").lines() {
            let text: String = serde_json::from_str(line).unwrap();
            agrees(&text);
            for problem in parse(&Source::new("t", text.as_str()), &Limits::default()).1 {
                assert!(!problem.draw(false).is_empty() && !problem.one_line().contains('\n'), "{text}");
            }
        }
    }

    #[test]
    fn limits_are_left_to_the_full_parser() {
        let source = Source::new("t", "a:\n  b:\n    - c\n");
        for (nodes, depth, expected) in [(6, 3, true), (5, 3, false), (6, 2, false)] {
            let limits = Limits { bytes: 16, nodes, depth };
            assert_eq!(read(&source, &limits).is_some(), expected, "{limits:?}");
            assert_eq!(parse(&source, &limits).1.is_empty(), expected, "{limits:?}");
        }
        assert_eq!(read(&source, &Limits { bytes: 15, ..Limits::default() }), None);
    }

    #[test]
    fn the_files_of_the_repository() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut folders: Vec<_> =
            ["golden/tutorial", "stacks", "templates/crds", "crates/check/rules"].map(|it| root.join(it)).into();
        let (mut files, mut read_here) = (0, 0);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let texts: Vec<&str> = match path.extension().and_then(|extension| extension.to_str()) {
                    Some("yaml") => vec![&text],
                    // A snapshot holds the manifests of a component, each behind a line with its name.
                    Some("snap") => {
                        text.split("\n# === ").skip(1).filter_map(|it| Some(it.split_once('\n')?.1)).collect()
                    }
                    _ => continue,
                };
                for text in texts {
                    files += 1;
                    if agrees(text) { read_here += 1 } else { println!("{path:?}") }
                }
            }
        }
        println!("{read_here} of {files}");
        assert!(read_here * 10 > files * 9, "{read_here} of {files}");
    }

    /// Texts that are nearly manifests.
    fn texts() -> impl Strategy<Value = String> {
        const ODD: &[&str] = &[
            "-", "- ", "--", "---", "...", ":", "a:", "\"a\"", "'a'", "\"a", "''", "{}", "[]", "{a: b}", "[a, b]",
            "[a,", "]", "}", "{\"a\":", ",\n", "[\n", "-1", ".", "|", "|-", "|+", "|2", ">", "#", " #", "# a", "&a",
            "*a", "!a", "<<", "~", "null", "\t", "\\", "\"\\n\"", "?", "? ", "%", "@", "`", ",", "ä", "\u{85}",
            "\u{a0}", "\u{feff}", "\r", "\u{2028}",
        ];
        let word = prop_oneof![6 => "[a-c]", 1 => prop::sample::select(ODD).prop_map(str::to_owned)];
        let end = prop::sample::select(&["", "", ": ", ":", " ", "\n"][..]);
        let piece = (word, end).prop_map(|(word, end)| word + end);
        let dash = prop::sample::select(&["", "", "", "- ", "- - ", "-   "][..]);
        let line = (0usize..5, dash, prop::collection::vec(piece, 0..4))
            .prop_map(|(indent, dash, pieces)| " ".repeat(indent) + dash + &pieces.concat());
        let end = prop::sample::select(&["\n", "\n", "\n", ""][..]);
        (prop::collection::vec(line, 0..8), end).prop_map(|(lines, end)| lines.join("\n") + end)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        #[test]
        fn any_text_reads_the_same(text in texts()) {
            agrees(&text);
        }
    }
}
