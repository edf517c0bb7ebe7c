//! A text with a name, and parts of it.

use crate::problem::Problem;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A text that was read from somewhere, with the name that messages give it.
pub struct Source {
    /// The path as the user wrote it, or a word in angle brackets such as `<stdin>`.
    pub name: String,
    /// The whole text, or that of the part.
    pub text: Text,
    /// The 1-based line of the file at which the text starts; more than 1 for a part of a file.
    pub first_line: usize,
    /// Where its lines start, once somebody asks.
    lines: OnceLock<Vec<usize>>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text, self.first_line) == (&other.name, &other.text, other.first_line)
    }
}

impl Eq for Source {}

impl Source {
    /// A source, ready to be shared by the spans that point into it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Self::part(name.into(), Text::from(text.into()), 1)
    }

    fn part(name: String, text: Text, first_line: usize) -> Arc<Self> {
        Arc::new(Self { name, text, first_line, lines: OnceLock::new() })
    }

    /// Where lines start: behind a break, which to YAML is `\n`, `\r\n` or a lone `\r`.
    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let bytes = self.text.as_bytes();
            let is_break = |at: &usize| bytes[*at] == b'\n' || bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            [0].into_iter().chain((0..bytes.len()).filter(is_break).map(|at| at + 1)).collect()
        })
    }

    /// The text cut before each of its `---` lines: documents that can be read apart from each other.
    ///
    /// A text with directives (`%YAML`), which belong to the document behind them, stays whole.
    pub fn documents(self: &Arc<Self>) -> Vec<Arc<Self>> {
        let starts = document_starts(&self.text);
        if starts.is_empty() || self.text.starts_with('%') || self.text.contains("\n%") {
            return vec![Arc::clone(self)];
        }
        let mut line = self.first_line;
        let ends = starts.iter().copied().chain([self.text.len()]);
        [0].into_iter()
            .chain(starts.iter().copied())
            .zip(ends)
            .filter(|(start, end)| start < end)
            .map(|(start, end)| {
                let text = self.text.part(start..end);
                let first_line = line;
                line += breaks(text.as_bytes());
                Self::part(self.name.clone(), text, first_line)
            })
            .collect()
    }

    /// Reads a file as UTF-8 text.
    ///
    /// # Errors
    /// A missing file, a directory, a file without permission or larger than `limit` bytes, bytes that are not UTF-8.
    pub fn read(path: &Path, limit: usize) -> Result<Arc<Self>, Box<Problem>> {
        let name = path.display().to_string();
        let problem = |message: &str| Box::new(Problem::in_file(message, name.clone()));
        if path.is_dir() {
            return Err(Box::new(problem("is a directory").help("name the file inside it")));
        }
        let file = File::open(path).map_err(|error| {
            let problem = problem(&format!("cannot be read: {error}"));
            match error.kind() {
                std::io::ErrorKind::NotFound => Box::new(problem.help("check the path, and the folder you are in")),
                _ => problem,
            }
        })?;
        let size = file.metadata().map_or(0, |data| usize::try_from(data.len()).unwrap_or(limit));
        Self::read_sized(file, size, &name, limit)
    }

    /// Reads all of a stream as UTF-8 text, and calls it `name`.
    ///
    /// # Errors
    /// A stream that fails or holds more than `limit` bytes, bytes that are not UTF-8.
    pub fn read_from(stream: impl Read, name: &str, limit: usize) -> Result<Arc<Self>, Box<Problem>> {
        Self::read_sized(stream, 0, name, limit)
    }

    /// As [`Self::read_from`], for a stream that should have `size` bytes.
    fn read_sized(stream: impl Read, size: usize, name: &str, limit: usize) -> Result<Arc<Self>, Box<Problem>> {
        let problem = |message: &str| Problem::in_file(message, name);
        // One more, to see the end without more room.
        let mut bytes = Vec::with_capacity(size.min(limit) + 1);
        // One byte more than the limit tells a stream that is too large from one that just fits, however it grows.
        if let Err(error) = stream.take(limit as u64 + 1).read_to_end(&mut bytes) {
            return Err(Box::new(problem(&format!("cannot be read: {error}"))));
        }
        if bytes.len() > limit {
            let problem = problem(&format!("is larger than {limit} bytes"));
            return Err(Box::new(problem.help("check that it is the file you mean")));
        }
        String::from_utf8(bytes).map(|text| Self::new(name, text)).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|b| **b == b'\n').count() + 1;
            Box::new(
                problem(&format!("is not UTF-8 text: line {line} holds a byte that is none"))
                    .help("save the file as UTF-8"),
            )
        })
    }
}

/// A text, or a part of one: however many documents a text is cut into, it is there once.
#[derive(Clone)]
pub struct Text {
    whole: Arc<String>,
    range: Range<usize>,
}

impl Text {
    fn part(&self, range: Range<usize>) -> Self {
        let from = self.range.start;
        Self { whole: Arc::clone(&self.whole), range: from + range.start..from + range.end }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { range: 0..text.len(), whole: Arc::new(text) }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.whole[self.range.clone()]
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.name)
    }
}

/// A part of a [`Source`].
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The text it is a part of.
    pub source: Arc<Source>,
    /// First byte and the byte after the last one; always on character boundaries inside the text.
    pub range: Range<usize>,
}

impl Span {
    /// The part of `source` that `range` names, cut to what the text holds.
    pub fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        let text = &source.text;
        let start = floor_char_boundary(text, range.start);
        let end = floor_char_boundary(text, range.end).max(start);
        Self { source: Arc::clone(source), range: start..end }
    }

    /// 1-based line, and 1-based column in characters.
    pub fn line_column(&self) -> (usize, usize) {
        let (number, start) = self.line_start();
        (self.source.first_line + number, self.source.text[start..self.range.start].chars().count() + 1)
    }

    /// Where the line lies in which the part starts, without its break.
    pub fn line(&self) -> Range<usize> {
        let (_, start) = self.line_start();
        let text = &self.source.text;
        start..text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length)
    }

    /// How many lines stand before the one in which the part starts, and where that starts.
    fn line_start(&self) -> (usize, usize) {
        let lines = self.source.lines();
        // The first line starts at 0, so there is always one.
        let number = lines.partition_point(|start| *start <= self.range.start).saturating_sub(1);
        (number, lines.get(number).copied().unwrap_or_default())
    }

    /// The text of the part.
    pub fn text(&self) -> &str {
        &self.source.text[self.range.clone()]
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

/// Where lines start that separate documents. No scalar, quoted or block, can hold such a line.
fn document_starts(text: &str) -> Vec<usize> {
    let separates = |at: &usize| matches!(text.as_bytes().get(at + 3), None | Some(b' ' | b'\t' | b'\n' | b'\r'));
    let at_start = text.starts_with("---").then_some(0);
    at_start.into_iter().chain(text.match_indices("\n---").map(|(at, _)| at + 1)).filter(separates).collect()
}

/// How many lines end in `text`, by the same count as [`Source::lines`].
fn breaks(text: &[u8]) -> usize {
    let newlines = text.iter().filter(|byte| **byte == b'\n').count();
    if !text.contains(&b'\r') {
        return newlines;
    }
    let lone = |at: &usize| text[*at] == b'\r' && text.get(at + 1) != Some(&b'\n');
    newlines + (0..text.len()).filter(lone).count()
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns() {
        for (text, at, place, line) in [
            ("", 0, (1, 1), 0..0),
            ("a\nbc\n", 3, (2, 2), 2..4),
            ("a\nbc\n", 5, (3, 1), 5..5),
            ("a\r\nbc\r\n", 4, (2, 2), 3..5),
            ("a\rbc\rd", 5, (3, 1), 5..6),
            ("a\r\nb", 2, (1, 3), 0..1),
            ("ä監b", 5, (1, 3), 0..6),
            ("a", 99, (1, 2), 0..1),
        ] {
            let span = Span::new(&Source::new("test", text), at..at);
            assert_eq!((span.line_column(), span.line()), (place, line), "{text:?} at {at}");
        }
    }

    #[test]
    fn documents_know_their_lines() {
        for (text, expected) in [
            ("", vec![(1, "")]),
            ("a\n", vec![(1, "a\n")]),
            ("a\n---\nb\n--- c\n---d\n", vec![(1, "a\n"), (2, "---\nb\n"), (4, "--- c\n---d\n")]),
            ("---\r\na\r\n---", vec![(1, "---\r\na\r\n"), (3, "---")]),
            ("%YAML 1.2\n---\na\n---\nb", vec![(1, "%YAML 1.2\n---\na\n---\nb")]),
            ("a: |\n  ---\n  b\n", vec![(1, "a: |\n  ---\n  b\n")]),
        ] {
            let documents = Source::new("t", text).documents();
            let found: Vec<_> = documents.iter().map(|part| (part.first_line, &*part.text)).collect();
            assert_eq!(found, expected, "{text:?}");
        }
        let documents = Source::new("t", "a\n---\nb\nc\n").documents();
        assert_eq!(Span::new(&documents[1], 6..7).line_column(), (4, 1));
    }

    #[test]
    fn spans_keep_to_characters() {
        let source = Source::new("test", "aäb");
        assert_eq!(Span::new(&source, 2..2).range, 1..1);
        assert_eq!(Span::new(&source, 1..99).text(), "äb");
        assert_eq!(Span::new(&source, Range { start: 3, end: 1 }).text(), "");
    }
}
