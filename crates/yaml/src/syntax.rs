//! What the parser stumbles over, in the words of somebody who writes YAML and not of somebody who parses it.

use crate::problem::Problem;
use crate::source::{Source, Span};
use serde_saphyr::granit_parser::{ErrorKind as Kind, ScanError};
use std::sync::Arc;

/// The problem that `error` is, at the place where a person would look for it.
pub(crate) fn problem(source: &Arc<Source>, error: &ScanError) -> Problem {
    let at = error.marker().byte_offset().unwrap_or(source.text.len());
    let spot = Spot::new(source, at);
    spot.tab().or_else(|| spot.merge_conflict()).unwrap_or_else(|| spot.explain(error))
}

/// Where the parser stopped.
struct Spot<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
    line: std::ops::Range<usize>,
}

impl<'a> Spot<'a> {
    fn new(source: &'a Arc<Source>, at: usize) -> Self {
        // A text that ends too early is best shown at its last character.
        let end = source.text.trim_end();
        let last = end.char_indices().next_back().map_or(0, |(last, _)| last);
        let span = Span::new(source, if at >= end.len() { last..last } else { at..at });
        Self { source, text: &source.text, at: span.range.start, line: span.line() }
    }

    /// The character at `at`.
    fn character(&self, at: usize) -> Span {
        let length = self.text[at..].chars().next().map_or(0, char::len_utf8);
        Span::new(self.source, at..at + length)
    }

    fn here(&self) -> Span {
        self.character(self.at)
    }

    /// From the first character of the line to `end`.
    fn line_to(&self, end: usize) -> Span {
        let line = &self.text[self.line.clone()];
        Span::new(self.source, self.line.start + line.len() - line.trim_start().len()..end)
    }

    fn whole_line(&self) -> Span {
        let line = &self.text[self.line.clone()];
        self.line_to(self.line.start + line.trim_end().len())
    }

    /// The word that starts here.
    fn word(&self) -> Span {
        let word = self.text[self.at..].split(char::is_whitespace).next().unwrap_or_default();
        Span::new(self.source, self.at..self.at + word.len())
    }

    fn before(&self) -> &'a str {
        &self.text[self.line.start..self.at]
    }

    /// The parser has many words for it, but a tab before the first word of a line is always the same mistake.
    fn tab(&self) -> Option<Problem> {
        let line = &self.text[self.line.clone()];
        let indent = &line[..line.len() - line.trim_start().len()];
        let tab = self.line.start + indent.find('\t')?;
        let inside = self.at <= self.line.start + indent.len();
        inside.then(|| {
            Problem::error("a tab in the indentation", self.character(tab))
                .help("indent with spaces; YAML does not allow tabs there")
        })
    }

    fn merge_conflict(&self) -> Option<Problem> {
        let line = &self.text[self.line.clone()];
        ["<<<<<<< ", "=======", ">>>>>>> "].iter().any(|mark| line.starts_with(mark)).then(|| {
            Problem::error("a merge conflict that nobody has resolved", self.whole_line())
                .help("keep one of the two sides, and remove the three lines of marks")
        })
    }

    fn explain(&self, error: &ScanError) -> Problem {
        match error.kind() {
            Kind::UnclosedQuotedScalar
            | Kind::DocumentIndicatorInQuotedScalar
            | Kind::InvalidTrailingSingleQuotedScalar
            | Kind::InvalidTrailingDoubleQuotedScalar
            | Kind::UnknownQuotedScalarEscape
            | Kind::InvalidQuotedScalarHexEscape
            | Kind::InvalidLowSurrogateHexEscape
            | Kind::InvalidLowSurrogate
            | Kind::MissingLowSurrogate
            | Kind::UnpairedLowSurrogate
            | Kind::InvalidUnicodeEscape => self.quotes(error.kind()),
            Kind::UnclosedFlowCollection { .. }
            | Kind::MismatchedFlowCollectionEnd { .. }
            | Kind::MisplacedFlowCollectionEnd
            | Kind::ExpectedFlowMappingSeparator
            | Kind::ExpectedFlowSequenceSeparator
            | Kind::InvalidColonPlacement
            | Kind::UnexpectedEofFlowSequence
            | Kind::UnexpectedEofFlowMapping
            | Kind::UnexpectedEofImplicitFlowMapping
            | Kind::UnexpectedEndOfPlainScalar
            | Kind::InvalidFlowScalarIndent
            | Kind::BlockEntryInFlowCollection
            | Kind::PlainScalarStartsWithDashFlowIndicator => self.brackets(error.kind()),
            Kind::MappingValueNotAllowed
            | Kind::MappingKeyNotAllowed
            | Kind::SimpleKeyExpected
            | Kind::InvalidSimpleKey
            | Kind::ExpectedBlockMappingKey
            | Kind::ExpectedBlockSequenceEntry
            | Kind::BlockSequenceEntryNotAllowed
            | Kind::InvalidIndentation => self.lines(error.kind()),
            Kind::UnexpectedCharacter { character } => self.character_problem(*character),
            _ => self.others(error),
        }
    }

    fn quotes(&self, kind: &Kind) -> Problem {
        match kind {
            Kind::UnclosedQuotedScalar => Problem::error("a quote that is never closed", self.here())
                .label("opened here")
                .help("put the same quote behind the text"),
            Kind::DocumentIndicatorInQuotedScalar => {
                Problem::error("a quote that is still open at a line of `---` or `...`", self.here())
                    .label("opened here")
                    .help("put the same quote behind the text, or indent that line")
            }
            Kind::InvalidTrailingSingleQuotedScalar => self.behind_quotes("'", "''"),
            Kind::InvalidTrailingDoubleQuotedScalar => self.behind_quotes("\"", "\\\""),
            Kind::UnknownQuotedScalarEscape => {
                let at = unknown_escape(self.text, self.at);
                let span = at.map_or_else(|| self.here(), |at| Span::new(self.source, at..at + 2));
                Problem::error("a backslash that starts no known escape", span)
                    .help("write `\\\\` for a backslash, or put the text into single quotes")
            }
            _ => Problem::error("an escape that stands for no character", self.here())
                .label("in this text")
                .help("two hexadecimal digits follow `\\x`, four follow `\\u`, eight follow `\\U`"),
        }
    }

    fn behind_quotes(&self, quote: &str, escaped: &str) -> Problem {
        let problem = Problem::error("text behind a closing quote", self.here());
        let inside = self.text[..self.at].trim_end().strip_suffix(quote).unwrap_or_default();
        let opened = Span::new(self.source, inside.rfind(quote).map_or(self.at..self.at, |at| at..at));
        if opened.range.start < self.line.start {
            let (line, _) = opened.line_column();
            problem
                .label(format!("the quote before it closes the one of line {line}"))
                .help(format!("close the quote of line {line} at the end of its text"))
        } else {
            problem
                .label("the quoted text ends before this")
                .help(format!("quote the whole text; a `{quote}` inside it is written `{escaped}`"))
        }
    }

    fn brackets(&self, kind: &Kind) -> Problem {
        let problem = match kind {
            Kind::UnclosedFlowCollection { open } => {
                return Problem::error(format!("a `{open}` that is never closed"), self.here())
                    .label("opened here")
                    .help(format!("put a `{}` behind its last item", closing(*open)));
            }
            Kind::MismatchedFlowCollectionEnd { open, close } => {
                return Problem::error(format!("a `{open}` that is closed by `{close}`"), self.here())
                    .label("opened here")
                    .help(format!("close it with `{}`", closing(*open)));
            }
            Kind::MisplacedFlowCollectionEnd => {
                return Problem::error("a bracket that closes nothing", self.here())
                    .help("remove it, or put quotes around the text that holds it");
            }
            Kind::ExpectedFlowMappingSeparator => Problem::error("a missing `,` or `}`", self.here()),
            Kind::ExpectedFlowSequenceSeparator => Problem::error("a missing `,` or `]`", self.here()),
            _ => Problem::error("this cannot stand inside brackets", self.here()),
        };
        match open_bracket(&self.text[..self.at]) {
            Some((at, bracket)) => {
                let (line, _) = Span::new(self.source, at..at).line_column();
                problem
                    .label(format!("inside the `{bracket}` of line {line}"))
                    .help(format!("close it with `{}`, and put a `,` between its items", closing(bracket)))
            }
            None => problem,
        }
    }

    fn lines(&self, kind: &Kind) -> Problem {
        match kind {
            Kind::MappingValueNotAllowed if self.before().contains(": ") => {
                Problem::error("a second `key: value` inside a value", self.here())
                    .label("the value has begun before this colon")
                    .help("put quotes around a text that holds `: `")
            }
            Kind::MappingValueNotAllowed => {
                Problem::error("a key inside the value of the line above", self.line_to(self.at + 1))
                    .label("goes on with the value above")
                    .help("start it in the column of the keys it belongs to, and check the colon in the line above")
            }
            Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => {
                Problem::error("a line that is no `key: value`", self.whole_line())
                    .label("no colon behind a key")
                    .help("put a colon and a space between key and value")
            }
            Kind::BlockSequenceEntryNotAllowed => {
                Problem::error("a list item that is not on a line of its own", self.here())
                    .help("write the items below the key, each on its own line behind `- `, or all of them as `[a, b]`")
            }
            Kind::ExpectedBlockMappingKey if self.before().trim() == "-" => {
                Problem::error("a list item among keys", self.whole_line())
                    .label("expected `key: value`")
                    .help("indent it below the key whose list it belongs to")
            }
            _ => {
                let (_, column) = self.whole_line().line_column();
                Problem::error("a line that does not line up with those above", self.whole_line())
                    .label(format!("starts in column {column}"))
                    .help("start it in the same column as the keys or items it belongs to")
            }
        }
    }

    fn character_problem(&self, character: char) -> Problem {
        if "@`%|>".contains(character) {
            return Problem::error(format!("a value that starts with `{character}`"), self.here())
                .label("has a meaning of its own in YAML")
                .help("put quotes around the value");
        }
        // The parser points to the start of the text that holds it.
        let at = self.text[self.at..].find(character).map_or(self.at, |offset| self.at + offset);
        let code = u32::from(character);
        Problem::error(format!("the character U+{code:04X}, which YAML does not allow"), self.character(at))
            .help("remove it; inside double quotes it can be written as an escape")
    }

    fn others(&self, error: &ScanError) -> Problem {
        match error.kind() {
            Kind::TabNotAllowed
            | Kind::TabInBlockIndentation
            | Kind::TabInIndentation
            | Kind::TabInPlainScalar
            | Kind::TabAtBlockScalarStart
            | Kind::InvalidBlockEntryWhitespace
            | Kind::InvalidMappingValueWhitespace => {
                Problem::error("a tab where YAML takes only spaces", self.here()).help("write spaces instead")
            }
            Kind::MissingAnchorOrAliasName => Problem::error("an anchor or alias without a name", self.here())
                .help("put quotes around a text that starts with `&` or `*`"),
            Kind::UndeclaredTagHandle => {
                Problem::error("a tag that means nothing here", self.word()).help("write the value without the tag")
            }
            Kind::MissingTagUri
            | Kind::InvalidTagTerminator
            | Kind::InvalidTagEscape
            | Kind::UnclosedVerbatimTag
            | Kind::InvalidGlobalTagCharacter => {
                Problem::error("a malformed tag", self.word()).help("put quotes around a text that starts with `!`")
            }
            Kind::InvalidBlockScalarHeader | Kind::ZeroBlockScalarIndent => {
                Problem::error("a malformed start of a block of text", self.word())
                    .label("only `+`, `-` or a digit from 1 to 9 may follow")
                    .help("start the text on the next line; a text of one line that starts so needs quotes")
            }
            Kind::InvalidBlockScalarIndent => {
                Problem::error("a line of a block of text is indented too little", self.here())
                    .help("indent all its lines alike")
            }
            Kind::CommentInterceptedScalar => Problem::error("a comment inside a text of several lines", self.here())
                .help("put the comment above the text, or quotes around it"),
            Kind::CommentNotSeparated => {
                Problem::error("a `#` right behind a value", self.here()).help("put a space before the comment")
            }
            Kind::ExpectedDocumentStart if self.text[..self.at].trim_start().starts_with('%') => {
                Problem::error("a directive without a `---` line behind it", self.whole_line())
                    .label("expected `---`")
                    .help("remove the lines that start with `%`")
            }
            Kind::ExpectedDocumentStart => Problem::error("text behind the end of the document", self.here())
                .label("the value above is complete")
                .help("write `key: value` lines only"),
            Kind::InvalidDocumentEnd => Problem::error("text behind `...`", self.here())
                .label("the document ends before this")
                .help("remove the `...`"),
            Kind::UnsupportedYamlMajorVersion => {
                Problem::error("a version of YAML that is not 1", self.whole_line()).help("remove the line")
            }
            Kind::BomInsideDocument => Problem::error("a byte order mark inside the text", self.here())
                .help("remove the invisible character U+FEFF"),
            Kind::RecursionLimitExceeded => Problem::error("too many levels inside each other", self.here()),
            _ => Problem::error("not valid YAML", self.here()).label(error.info()),
        }
    }
}

fn closing(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}

/// The first backslash behind the quote at `start` that starts no escape of YAML.
fn unknown_escape(text: &str, start: usize) -> Option<usize> {
    let mut characters = text[start..].char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && !characters.next().is_some_and(|(_, c)| "0abt\tnvfre \"/\\N_LPxuU\n\r".contains(c)) {
            return Some(start + at);
        }
    }
    None
}

/// The innermost bracket that is still open at the end of `text`, as far as one can tell without parsing it.
fn open_bracket(text: &str) -> Option<(usize, char)> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut last = ' ';
    for (at, c) in text.char_indices() {
        let starts_word = last.is_whitespace() || "[{,".contains(last);
        match (quote, c) {
            (Some('#'), '\n') => quote = None,
            (Some(mark), c) if mark == c && last != '\\' => quote = None,
            (None, '"' | '\'' | '#') if starts_word => quote = Some(c),
            (None, '[' | '{') if starts_word || !open.is_empty() => open.push((at, c)),
            (None, ']' | '}') => drop(open.pop()),
            _ => {}
        }
        last = c;
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_that_are_open() {
        for (text, expected) in [
            ("", None),
            ("a: [b, {c: d}", Some((3, '['))),
            ("a: [b, {c: d", Some((7, '{'))),
            ("a: [b]", None),
            ("a: \"[\"", None),
            ("a: b[ # [\n", None),
            ("# it's [\na: {", Some((12, '{'))),
            ("a: ']' ]", None),
        ] {
            assert_eq!(open_bracket(text), expected, "{text}");
        }
    }

    #[test]
    fn escapes_that_are_unknown() {
        assert_eq!(unknown_escape("a: \"C:\\\\x \\\"\\data\"", 3), Some(12));
        assert_eq!(unknown_escape("\"\\n\\u0041\"", 0), None);
    }
}
