//! A text with a name, and parts of it.

use crate::problem::Problem;
use memchr::memmem;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
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
        if starts.is_empty() || has_directives(&self.text) {
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

    /// The values of a text that is JSON, one behind the other as `kubectl get -o json` and `jq` write them; none when it
    /// is no such text.
    pub fn json_values(self: &Arc<Self>) -> Vec<Arc<Self>> {
        if !self.text.trim_start().starts_with('{') {
            return Vec::new();
        }
        let mut values = Vec::new();
        let (mut start, mut line) = (0, self.first_line);
        let mut stream = serde_json::Deserializer::from_str(&self.text).into_iter::<serde::de::IgnoredAny>();
        while let Some(value) = stream.next() {
            if value.is_err() {
                return Vec::new();
            }
            let end = stream.byte_offset();
            let text = self.text.part(start..end);
            let first_line = line;
            line += breaks(text.as_bytes());
            values.push(Self::part(self.name.clone(), text, first_line));
            start = end;
        }
        values
    }

    /// Reads a file as UTF-8 text.
    ///
    /// # Errors
    /// A missing file, a directory, a file without permission or larger than `limit` bytes, bytes that are not UTF-8.
    pub fn read(path: &Path, limit: usize) -> Result<Arc<Self>, Box<Problem>> {
        let name = path.display().to_string();
        let file = open(path)?;
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
        // One more, to see the end without more room.
        let mut bytes = Vec::with_capacity(size.min(limit) + 1);
        // One byte more than the limit tells a stream that is too large from one that just fits, however it grows.
        stream.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
        if bytes.len() > limit {
            return Err(too_large(name, limit));
        }
        text_of(bytes, name, 0).map(|text| Self::new(name, text))
    }
}

/// Opens a file to be read.
///
/// # Errors
/// A missing file, a directory, a file without permission.
pub fn open(path: &Path) -> Result<File, Box<Problem>> {
    let name = path.display().to_string();
    if path.is_dir() {
        return Err(Box::new(Problem::in_file("is a directory", name).help("name the file inside it")));
    }
    File::open(path).map_err(|error| {
        let problem = unreadable(&name, &error);
        match error.kind() {
            io::ErrorKind::NotFound => Box::new(problem.help("check the path, and the folder you are in")),
            _ => problem,
        }
    })
}

fn unreadable(name: &str, error: &io::Error) -> Box<Problem> {
    Box::new(Problem::in_file(format!("cannot be read: {error}"), name))
}

fn too_large(name: &str, limit: usize) -> Box<Problem> {
    let problem = Problem::in_file(format!("is larger than {limit} bytes"), name);
    Box::new(problem.help("check that it is the file you mean"))
}

/// What has to be known of a text before its [`Documents`] are read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The bytes of it.
    pub bytes: usize,
    /// It has directives, and is one document for that.
    pub has_directives: bool,
    /// How it begins: some thousand bytes at least, if there are as many.
    pub beginning: String,
}

impl Survey {
    const CHUNK: usize = 64 << 10;

    /// Reads a stream to its end and keeps nothing of it.
    ///
    /// # Errors
    /// As [`Source::read_from`].
    pub fn of(mut stream: impl Read, name: &str, limit: usize) -> Result<Self, Box<Problem>> {
        let mut survey = Self::default();
        let mut chunk = vec![0; Self::CHUNK];
        // Of the chunk: what the last one began and did not end, a character of several bytes.
        let mut begun = 0;
        let mut lines = 0;
        let mut breaks_before = true;
        loop {
            let read = match stream.read(&mut chunk[begun..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(|error| unreadable(name, &error))?,
            };
            survey.bytes += read;
            if survey.bytes > limit {
                return Err(too_large(name, limit));
            }
            let bytes = &chunk[..begun + read];
            let text = match std::str::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) if read > 0 && error.error_len().is_none() => {
                    std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
                }
                Err(_) => {
                    return Err(text_of(bytes.to_vec(), name, lines).err().unwrap_or_else(|| too_large(name, limit)));
                }
            };
            survey.has_directives |= breaks_before && text.starts_with('%') || text.contains("\n%");
            if survey.beginning.is_empty() {
                text.clone_into(&mut survey.beginning);
            }
            lines += newlines(text.as_bytes());
            breaks_before = text.bytes().next_back().map_or(breaks_before, |byte| byte == b'\n');
            if read == 0 {
                return Ok(survey);
            }
            let whole = text.len();
            chunk.copy_within(whole..begun + read, 0);
            begun = begun + read - whole;
        }
    }
}

/// Bytes as text; `before` are the line breaks before them.
fn text_of(bytes: Vec<u8>, name: &str, before: usize) -> Result<String, Box<Problem>> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before + newlines(good) + 1;
        let message = format!("is not UTF-8 text: line {line} holds a byte that is none");
        Box::new(Problem::in_file(message, name).help("save the file as UTF-8"))
    })
}

/// The documents of a stream, one after the other, as [`Source::documents`] cuts a text: none of them keeps the others in
/// memory.
pub struct Documents<R> {
    stream: R,
    name: String,
    /// What was read last.
    bytes: Vec<u8>,
    /// Where the next document starts.
    from: usize,
    /// Up to here no other one starts.
    searched: usize,
    ended: bool,
    /// There are directives, and so only one document.
    whole: bool,
    /// The line at which the next document starts.
    line: usize,
    /// The bytes `\n` before it.
    newlines: usize,
}

impl<R: Read> Documents<R> {
    /// As much as is asked of the stream at a time.
    const CHUNK: usize = 256 << 10;

    /// Those of `stream`, which is called `name`. `whole` says that the text has directives and is not cut:
    /// [`has_directives`] tells.
    pub fn new(stream: R, name: impl Into<String>, whole: bool) -> Self {
        Self {
            stream,
            name: name.into(),
            bytes: Vec::new(),
            from: 0,
            searched: 0,
            ended: false,
            whole,
            line: 1,
            newlines: 0,
        }
    }

    /// Reads on; at the end of the stream nothing comes any more.
    fn fill(&mut self) -> io::Result<()> {
        self.bytes.drain(..self.from);
        self.searched -= self.from;
        self.from = 0;
        let before = self.bytes.len();
        self.stream.by_ref().take(Self::CHUNK as u64).read_to_end(&mut self.bytes)?;
        self.ended = self.bytes.len() == before;
        Ok(())
    }

    /// Where the document behind the next one starts, as far as the stream was read.
    fn next_start(&mut self) -> Option<usize> {
        while let Some(at) = memmem::find(&self.bytes[self.searched..], b"\n---") {
            let start = self.searched + at + 1;
            let behind = self.bytes.get(start + 3);
            if behind.is_none() && !self.ended {
                self.searched = start - 1;
                return None;
            }
            self.searched = start + 3;
            if is_separator(behind) {
                return Some(start);
            }
        }
        // The start of such a line may have been read, and not its end.
        self.searched = self.searched.max(self.bytes.len().saturating_sub(3));
        None
    }

    /// The document that ends here.
    fn cut(&mut self, end: usize) -> Result<Arc<Source>, Box<Problem>> {
        let bytes = self.bytes[self.from..end].to_vec();
        self.from = end;
        self.searched = self.searched.max(end);
        let (line, before) = (self.line, self.newlines);
        self.line += breaks(&bytes);
        self.newlines += newlines(&bytes);
        let text = text_of(bytes, &self.name, before)?;
        Ok(Source::part(self.name.clone(), Text::from(text), line))
    }
}

impl<R: Read> Iterator for Documents<R> {
    type Item = Result<Arc<Source>, Box<Problem>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(start) = if self.whole { None } else { self.next_start() } {
                return Some(self.cut(start));
            }
            let end = self.bytes.len();
            if self.ended {
                return (self.from < end).then(|| self.cut(end));
            }
            if let Err(error) = self.fill() {
                self.ended = true;
                self.from = self.bytes.len();
                return Some(Err(unreadable(&self.name, &error)));
            }
        }
    }
}

/// Whether a text has directives (`%YAML`), or something that looks like one.
pub fn has_directives(text: &str) -> bool {
    text.starts_with('%') || text.contains("\n%")
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

    /// The same place in a text of its own that holds nothing but the line in which the part starts, so that what is said
    /// of it does not keep the whole text in memory. Lines and columns stay the same; of further lines nothing is left.
    #[must_use]
    pub fn alone(&self) -> Self {
        let (number, start) = self.line_start();
        let text = &self.source.text;
        // With the break: a place may be behind the first of its two bytes.
        let end = self.source.lines().get(number + 1).copied().unwrap_or(text.len());
        let line = Text::from(text[start..end].to_owned());
        let source = Source::part(self.source.name.clone(), line, self.source.first_line + number);
        Self { source, range: self.range.start - start..self.range.end.min(end) - start }
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
    let separates = |at: &usize| is_separator(text.as_bytes().get(at + 3));
    let at_start = text.starts_with("---").then_some(0);
    at_start.into_iter().chain(text.match_indices("\n---").map(|(at, _)| at + 1)).filter(separates).collect()
}

/// Whether a line of `---` ends or has its gap with this byte behind it.
fn is_separator(behind: Option<&u8>) -> bool {
    matches!(behind, None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

/// How many lines end in `text`, by the same count as [`Source::lines`].
fn breaks(text: &[u8]) -> usize {
    let newlines = newlines(text);
    if !text.contains(&b'\r') {
        return newlines;
    }
    let lone = |at: &usize| text[*at] == b'\r' && text.get(at + 1) != Some(&b'\n');
    newlines + (0..text.len()).filter(lone).count()
}

fn newlines(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'\n').count()
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
    fn values_of_json_know_their_lines() {
        for (text, expected) in [
            ("{\"a\": 1}\n{\"b\":\n2}\n\n{}", vec![(1, "{\"a\": 1}"), (1, "\n{\"b\":\n2}"), (3, "\n\n{}")]),
            ("{}{}", vec![(1, "{}"), (1, "{}")]),
            ("{a: 1}\n{}", vec![]),
            ("a: 1", vec![]),
            ("", vec![]),
        ] {
            let values = Source::new("t", text).json_values();
            let found: Vec<_> = values.iter().map(|part| (part.first_line, &*part.text)).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    /// Gives out as many bytes at a time as it is told.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(into.len());
            self.0.read(&mut into[..most])
        }
    }

    #[test]
    fn a_stream_has_the_documents_of_its_text() {
        let long = format!("a: {}\n---\nb: 1\n", "x".repeat(Documents::<&[u8]>::CHUNK - 7));
        for text in [
            "",
            "a\n",
            "---",
            "---\n---\n",
            "a\n---\nb\n--- c\n---d\n----\n\n---\te\n---",
            "---\r\na\r\n---\r\nb\rc\n---\nd",
            "%YAML 1.2\n---\na\n---\nb",
            &long,
        ] {
            for step in [1, 2, 3, 5, 1 << 20] {
                let whole = Source::new("t", text).documents();
                let stream = Documents::new(Slow(text.as_bytes(), step), "t", has_directives(text));
                let read: Vec<_> = stream.map(|document| document.unwrap()).collect();
                assert_eq!(read, whole.into_iter().filter(|it| !it.text.is_empty()).collect::<Vec<_>>(), "{text:?}");
            }
        }
        let bad = Documents::new(&b"a\n---\n\n\xff\n"[..], "t", false).map(|it| it.map_err(|it| it.one_line()));
        let bad: Vec<_> = bad.collect();
        assert_eq!(
            bad[1],
            Err("t: is not UTF-8 text: line 4 holds a byte that is none; save the file as UTF-8".to_owned())
        );
    }

    #[test]
    fn a_survey_says_what_reading_would() {
        let long = format!("ä{}\n%a\n", "é".repeat(Survey::CHUNK));
        let texts: [&[u8]; 9] = [
            b"",
            b"a\n---\nb: %a\n",
            b"%a",
            b"a\n%b",
            b"\xff",
            b"a\n\nb\xc3",
            b"a\n\xc3\n",
            b"12345678901",
            long.as_bytes(),
        ];
        for bytes in texts {
            for (step, limit) in [(1, 10), (2, 10), (3, 1 << 20), (1 << 20, 1 << 20)] {
                let read = Source::read_from(bytes, "t", limit);
                let survey = Survey::of(Slow(bytes, step), "t", limit);
                let known = |survey: Survey| (survey.bytes, survey.has_directives);
                let expected = read.map(|source| (source.text.len(), has_directives(&source.text)));
                assert_eq!(survey.map(known), expected, "{:?} in steps of {step}", String::from_utf8_lossy(bytes));
            }
        }
        assert_eq!(Survey::of(&b"a\nb"[..], "t", 9).map(|survey| survey.beginning), Ok("a\nb".to_owned()));
    }

    #[test]
    fn a_place_alone_is_the_same_place() {
        for (text, range) in [("a: 1\nbä: cd\r\ne", 9..11), ("a\r\nb", 2..4), ("a\n", 2..2), ("a: b\nc: d\n", 3..9)] {
            let span = Span::new(&Source::new("t", text), range);
            let alone = span.alone();
            assert_eq!(alone.line_column(), span.line_column(), "{text:?}");
            assert_eq!(alone.source.text[alone.line()], span.source.text[span.line()], "{text:?}");
            assert!(span.text().starts_with(alone.text()), "{text:?}");
            let drawn = |span: &Span| Problem::error("message", span.clone()).draw(false);
            assert_eq!(drawn(&alone), drawn(&span));
        }
    }

    #[test]
    fn spans_keep_to_characters() {
        let source = Source::new("test", "aäb");
        assert_eq!(Span::new(&source, 2..2).range, 1..1);
        assert_eq!(Span::new(&source, 1..99).text(), "äb");
        assert_eq!(Span::new(&source, Range { start: 3, end: 1 }).text(), "");
    }
}
