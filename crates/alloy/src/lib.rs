//! Configuration files of Grafana Alloy: a small reader of their syntax, and the way values get in.
//!
//! As in YAML, templates work with tokens, and values take their places only when the text around them is known. A
//! token that stands alone, as in `level = {{alloy.logLevel}}`, becomes a string literal; one inside a string literal
//! becomes a part of that literal. In both cases the value is escaped, so that it ends where the literal ends. A token
//! anywhere else (in a comment, a name, a raw string) is refused: nothing could be escaped there.
//!
//! Syntax: <https://grafana.com/docs/alloy/latest/get-started/configuration-syntax/syntax/>. As in Go, the end of a line
//! ends a statement when the line could end there.

mod layout;

pub use layout::tidy;

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;
use vigil_yaml::{Problem, Source, Span};

/// Private-use characters that enclose the number of a value; a text that holds them otherwise is refused.
pub const OPEN: char = '\u{e000}';
/// What stands behind that number.
pub const CLOSE: char = '\u{e001}';

/// How deep blocks and expressions may lie in each other; a real file has less than ten levels.
const DEPTH: usize = 64;

/// One word of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// A name, `true`, `false` and `null` included.
    Name,
    /// A number.
    Number,
    /// A string literal, or a token that becomes one.
    Text,
    /// An operator or a bracket.
    Sign(&'static str),
    /// The end of a statement.
    End,
    /// The end of the text.
    Eof,
}

/// A word and its place.
#[derive(Clone, Debug)]
struct Lexeme {
    word: Word,
    range: Range<usize>,
}

/// A place that becomes a value.
struct Slot {
    /// The token.
    range: Range<usize>,
    /// Which value.
    value: usize,
    /// Whether the token stands inside a literal already.
    inside: bool,
}

/// The text with every token replaced by its value, once the text has proved well-formed.
pub fn place(source: &Arc<Source>, texts: &[String]) -> Result<String, Vec<Problem>> {
    let (lexemes, slots) = lex(source).map_err(|problem| vec![*problem])?;
    Parser::new(source, &lexemes).body(&Word::Eof).map_err(|problem| vec![*problem])?;
    let mut placed = String::with_capacity(source.text.len());
    let mut done = 0;
    for Slot { range, value, inside } in slots {
        placed.push_str(&source.text[done..range.start]);
        done = range.end;
        let text = texts.get(value).map_or("", String::as_str);
        if inside {
            escape(text, &mut placed);
        } else {
            placed.push('"');
            escape(text, &mut placed);
            placed.push('"');
        }
    }
    placed.push_str(&source.text[done..]);
    Ok(placed)
}

/// An attribute whose value is one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The blocks that it stands in, without their labels, such as `loki.write` and `endpoint`.
    pub blocks: Vec<String>,
    /// Its name.
    pub name: String,
    /// What stands between the quotes; escapes as they are written.
    pub text: String,
    /// Where that stands.
    pub span: Span,
}

/// All attributes of a file whose values are single texts.
///
/// # Errors
/// The first word that does not fit.
pub fn attributes(source: &Arc<Source>) -> Result<Vec<Attribute>, Box<Problem>> {
    let (lexemes, _) = lex(source)?;
    let mut parser = Parser::new(source, &lexemes);
    parser.body(&Word::Eof)?;
    Ok(parser.attributes)
}

/// What a file declares, and what it refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Its blocks, in their order.
    pub blocks: Vec<Block>,
    /// Names with dots in expressions that are no calls, such as `loki.write.default.receiver`.
    pub references: Vec<Named>,
    /// Calls of functions.
    pub calls: Vec<Call>,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function, such as `sys.env`.
    pub named: Named,
    /// How many arguments it is given.
    pub arguments: usize,
}

/// A name and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its name with its label, if it has one: `loki.write.default`.
    pub named: Named,
    /// It stands in no other block.
    pub is_outermost: bool,
    /// What it is, without its label: `loki.write`.
    pub kind: String,
    /// Whether it has a label.
    pub is_labelled: bool,
    /// The block that it stands in, by its number.
    pub parent: Option<usize>,
    /// What is set in it, in its order.
    pub settings: Vec<Setting>,
}

/// An attribute of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub named: Named,
    /// What it is set to.
    pub value: Value,
    /// Where the value stands.
    pub span: Span,
}

/// What an attribute is set to, as far as one word says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text, without its quotes; escapes as they are written.
    Text(String),
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Something in brackets.
    List,
    /// Anything else, such as a reference.
    Expression,
}

/// What a file declares, and what it refers to.
///
/// # Errors
/// The first word that does not fit.
pub fn outline(source: &Arc<Source>) -> Result<Outline, Box<Problem>> {
    let (lexemes, _) = lex(source)?;
    let mut parser = Parser::new(source, &lexemes);
    parser.body(&Word::Eof)?;
    Ok(parser.outline)
}

/// What a string literal holds for `text`.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // A byte order mark is refused everywhere but at the start of a file.
            c if c.is_control() || c == '\u{feff}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "{", "}", "(", ")", "[", "]", ",", ".", "=", "+", "-", "*", "/", "%", "^", "<",
    ">", "!",
];

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Cuts the text into words, and finds the tokens.
fn lex(source: &Arc<Source>) -> Result<(Vec<Lexeme>, Vec<Slot>), Box<Problem>> {
    let text: &str = &source.text;
    let mut lexemes: Vec<Lexeme> = Vec::new();
    let mut slots = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        let rest = &text[at..];
        at += c.len_utf8();
        let word = match c {
            '\n' => {
                if lexemes.last().is_some_and(|last| ends_a_statement(&last.word)) {
                    lexemes.push(Lexeme { word: Word::End, range: start..at });
                }
                continue;
            }
            ' ' | '\t' | '\r' => continue,
            '/' if rest.starts_with("//") || rest.starts_with("/*") => {
                at = comment(source, start)?;
                continue;
            }
            '"' => {
                at = string(source, start, &mut slots)?;
                Word::Text
            }
            '`' => {
                at = raw_string(source, start)?;
                Word::Text
            }
            OPEN => {
                let slot = placed(source, start)?;
                at = slot.range.end;
                slots.push(slot);
                Word::Text
            }
            c if c.is_ascii_digit() => {
                at = number(source, start)?;
                Word::Number
            }
            c if is_name(c) => {
                at = start + rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                Word::Name
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => {
                    at = start + sign.len();
                    Word::Sign(sign)
                }
                None => return Err(error("a character that means nothing here", source, start..at)),
            },
        };
        lexemes.push(Lexeme { word, range: start..at });
    }
    if lexemes.last().is_some_and(|last| ends_a_statement(&last.word)) {
        lexemes.push(Lexeme { word: Word::End, range: at..at });
    }
    lexemes.push(Lexeme { word: Word::Eof, range: at..at });
    Ok((lexemes, slots))
}

fn error(message: &str, source: &Arc<Source>, range: Range<usize>) -> Box<Problem> {
    Box::new(Problem::error(message, Span::new(source, range)))
}

/// The end of the comment that begins at `start`.
fn comment(source: &Arc<Source>, start: usize) -> Result<usize, Box<Problem>> {
    let rest = &source.text[start..];
    let length = if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else {
        let end = rest[2..].find("*/");
        end.ok_or_else(|| error("this comment is never closed", source, start..start + 2))? + 4
    };
    match rest[..length].find(OPEN) {
        Some(token) => {
            let token = start + token;
            Err(error("a comment cannot hold a value", source, token..token + OPEN.len_utf8()))
        }
        None => Ok(start + length),
    }
}

/// The end of the raw string that begins at `start`.
fn raw_string(source: &Arc<Source>, start: usize) -> Result<usize, Box<Problem>> {
    let inside = &source.text[start + 1..];
    let length = inside.find('`').ok_or_else(|| error("this raw string is never closed", source, start..start + 1))?;
    let end = start + length + 2;
    if inside[..length].contains(OPEN) {
        return Err(error("a raw string cannot hold a value", source, start..end));
    }
    Ok(end)
}

/// The end of the number that begins at `start`.
fn number(source: &Arc<Source>, start: usize) -> Result<usize, Box<Problem>> {
    let rest = &source.text[start..];
    let length = rest.find(|c| !is_name(c) && c != '.').unwrap_or(rest.len());
    match rest[..length].parse::<f64>() {
        Ok(_) => Ok(start + length),
        Err(_) => Err(error("expected a number", source, start..start + length)),
    }
}

/// The value whose token begins at `start`.
fn placed(source: &Arc<Source>, start: usize) -> Result<Slot, Box<Problem>> {
    let text: &str = &source.text;
    let Some((value, end)) = token(text, start) else {
        let range = start..start + OPEN.len_utf8();
        return Err(error("a character that templates cannot hold", source, range));
    };
    let glued = |c: Option<char>| c.is_some_and(|c| is_name(c) || matches!(c, '"' | '`' | OPEN | CLOSE));
    if glued(text[..start].chars().next_back()) || glued(text[end..].chars().next()) {
        return Err(error("a value cannot stand beside other text", source, start..end));
    }
    Ok(Slot { range: start..end, value, inside: false })
}

/// Whether the end of a line behind `word` ends a statement.
fn ends_a_statement(word: &Word) -> bool {
    matches!(word, Word::Name | Word::Number | Word::Text | Word::Sign(")" | "]" | "}"))
}

/// The number of the token that starts at `start`, and its end.
fn token(text: &str, start: usize) -> Option<(usize, usize)> {
    let number = &text[start + OPEN.len_utf8()..];
    let length = number.find(CLOSE)?;
    let value = number[..length].parse().ok()?;
    Some((value, start + OPEN.len_utf8() + length + CLOSE.len_utf8()))
}

/// The end of the string literal that starts at `start`.
fn string(source: &Arc<Source>, start: usize, slots: &mut Vec<Slot>) -> Result<usize, Box<Problem>> {
    let text: &str = &source.text;
    let error = |message: &str, range| Err(Box::new(Problem::error(message, Span::new(source, range))));
    let mut at = start + 1;
    loop {
        match text[at..].chars().next() {
            None | Some('\n') => return error("this string is never closed", start..at),
            Some('"') => return Ok(at + 1),
            Some('\\') => {
                let rest = &text[at + 1..];
                let hex = |count: usize| {
                    rest.get(1..=count).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
                };
                let length = match rest.bytes().next() {
                    Some(b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\' | b'"') => 1,
                    Some(b'x') if hex(2) => 3,
                    Some(b'u') if hex(4) => 5,
                    Some(b'U') if hex(8) => 9,
                    _ => return error("an escape that Alloy does not know", at..at + 1),
                };
                at += 1 + length;
            }
            Some(OPEN) => {
                let Some((value, end)) = token(text, at) else {
                    return error("a character that templates cannot hold", at..at + OPEN.len_utf8());
                };
                slots.push(Slot { range: at..end, value, inside: true });
                at = end;
            }
            Some(c) => at += c.len_utf8(),
        }
    }
}

/// Reads the words as statements; the first that does not fit is the error.
struct Parser<'a> {
    source: &'a Arc<Source>,
    lexemes: &'a [Lexeme],
    at: usize,
    depth: usize,
    blocks: Vec<String>,
    /// The numbers of the blocks around this place.
    inside: Vec<usize>,
    attributes: Vec<Attribute>,
    outline: Outline,
}

type Parsed = Result<(), Box<Problem>>;

impl<'a> Parser<'a> {
    fn new(source: &'a Arc<Source>, lexemes: &'a [Lexeme]) -> Self {
        let (blocks, inside, attributes) = (Vec::new(), Vec::new(), Vec::new());
        Self { source, lexemes, at: 0, depth: 0, blocks, inside, attributes, outline: Outline::default() }
    }

    /// The text of a word, given by its number.
    fn text(&self, at: usize) -> &'a str {
        self.lexemes.get(at).map_or("", |lexeme| &self.source.text[lexeme.range.clone()])
    }

    fn word(&self) -> &Word {
        // The last word is always `Eof`, and nothing moves past it.
        self.lexemes.get(self.at).map_or(&Word::Eof, |lexeme| &lexeme.word)
    }

    fn next(&mut self) {
        self.at += 1;
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.word(), Word::Sign(found) if *found == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        if found {
            self.next();
        }
        found
    }

    fn expected(&self, what: &str) -> Parsed {
        let range = self.lexemes.get(self.at).map_or(0..0, |lexeme| lexeme.range.clone());
        Err(Box::new(Problem::error(format!("expected {what}"), Span::new(self.source, range))))
    }

    fn need(&mut self, sign: &str) -> Parsed {
        if self.take(sign) { Ok(()) } else { self.expected(&format!("`{sign}`")) }
    }

    fn name(&mut self) -> Parsed {
        if *self.word() != Word::Name {
            return self.expected("a name");
        }
        self.next();
        Ok(())
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth == DEPTH {
            return self.expected(&format!("no more than {DEPTH} levels"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Statements up to `close`.
    fn body(&mut self, close: &Word) -> Parsed {
        while self.word() != close {
            self.statement()?;
            if *self.word() == Word::End {
                self.next();
            } else if self.word() != close {
                return self.expected("the end of the line");
            }
        }
        Ok(())
    }

    /// `name = expression`, or `name.name "label" { … }`.
    fn statement(&mut self) -> Parsed {
        let first = self.at;
        self.name()?;
        if self.take("=") {
            let start = self.at;
            self.expression()?;
            if self.at == start + 1 {
                self.attribute(first, start);
            }
            self.setting(first, start);
            return Ok(());
        }
        while self.take(".") {
            self.name()?;
        }
        let (block, span) = self.words_from(first);
        let mut name = block.clone();
        let is_labelled = *self.word() == Word::Text;
        if is_labelled {
            name = format!("{block}.{}", self.text(self.at).trim_matches('"'));
            self.label()?;
        }
        let named = Named { name, span };
        let (kind, parent, number) = (block.clone(), self.inside.last().copied(), self.outline.blocks.len());
        let is_outermost = self.blocks.is_empty();
        self.outline.blocks.push(Block { named, is_outermost, kind, is_labelled, parent, settings: Vec::new() });
        if !self.is("{") {
            return self.expected("`=` or `{`");
        }
        self.next();
        self.blocks.push(block);
        self.inside.push(number);
        self.deeper(|parser| parser.body(&Word::Sign("}")))?;
        self.inside.pop();
        self.blocks.pop();
        self.need("}")
    }

    /// The words from one up to this one, without what stands between them.
    fn words_from(&self, first: usize) -> (String, Span) {
        let words = &self.lexemes[first..self.at.min(self.lexemes.len())];
        let range = words.first().map_or(0, |word| word.range.start)..words.last().map_or(0, |word| word.range.end);
        ((first..self.at).map(|at| self.text(at)).collect(), Span::new(self.source, range))
    }

    /// Notes an attribute whose value is the one word at `value`, if that is a text.
    fn attribute(&mut self, name: usize, value: usize) {
        let Some(Lexeme { word: Word::Text, range }) = self.lexemes.get(value) else { return };
        let inner = range.start + 1..range.end.saturating_sub(1).max(range.start + 1);
        let span = Span::new(self.source, inner);
        let text = span.text().to_owned();
        self.attributes.push(Attribute { blocks: self.blocks.clone(), name: self.text(name).to_owned(), text, span });
    }

    /// Notes what the block around this place sets, from the word at `value` up to this one.
    fn setting(&mut self, name: usize, value: usize) {
        let (Some(number), Some(of)) = (self.inside.last(), self.lexemes.get(name)) else { return };
        let named = Named { name: self.text(name).to_owned(), span: Span::new(self.source, of.range.clone()) };
        let (_, span) = self.words_from(value);
        let word = self.lexemes.get(value).map(|lexeme| &lexeme.word);
        let value = match word {
            Some(Word::Sign("[")) if self.text(self.at - 1) == "]" => Value::List,
            _ if self.at != value + 1 => Value::Expression,
            Some(Word::Text) => Value::Text(self.text(value).trim_matches(['"', '`']).to_owned()),
            Some(Word::Number) => Value::Number,
            Some(Word::Name) if matches!(self.text(value), "true" | "false") => Value::Boolean,
            _ => Value::Expression,
        };
        if let Some(block) = self.outline.blocks.get_mut(*number) {
            block.settings.push(Setting { named, value, span });
        }
    }

    /// The label of a block, which other blocks refer to: a name in quotes. A value could be anything.
    fn label(&mut self) -> Parsed {
        let name = self.text(self.at);
        let name = name.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
        if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return self.expected("a label: a name in quotes");
        }
        self.next();
        Ok(())
    }

    fn expression(&mut self) -> Parsed {
        const BINARY: [&str; 14] = ["||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "^"];
        self.deeper(|parser| {
            parser.operand()?;
            while matches!(parser.word(), Word::Sign(sign) if BINARY.contains(sign)) {
                parser.next();
                parser.operand()?;
            }
            Ok(())
        })
    }

    fn operand(&mut self) -> Parsed {
        while self.take("!") || self.take("-") {}
        let first = self.at;
        let mut reference = None;
        match self.word() {
            Word::Name | Word::Number | Word::Text => self.next(),
            Word::Sign("(") => {
                self.next();
                self.expression()?;
                self.need(")")?;
            }
            Word::Sign("[") => {
                self.next();
                self.list("]", Self::expression)?;
            }
            Word::Sign("{") => {
                self.next();
                self.list("}", |parser| {
                    if !matches!(parser.word(), Word::Name | Word::Text) {
                        return parser.expected("a key");
                    }
                    parser.next();
                    parser.need("=")?;
                    parser.expression()
                })?;
            }
            _ => return self.expected("a value"),
        }
        // What comes behind a bracket is a part of the value.
        let mut is_name = self.lexemes[first].word == Word::Name;
        loop {
            if self.take(".") {
                self.name()?;
                if is_name {
                    reference = Some(self.words_from(first));
                }
                continue;
            }
            let call = (self.is("(") && is_name).then(|| self.words_from(first));
            is_name = false;
            if call.is_some() {
                reference = None;
            }
            if self.take("[") {
                self.expression()?;
                self.need("]")?;
            } else if self.take("(") {
                let mut arguments = 0;
                self.list(")", |parser| {
                    arguments += 1;
                    parser.expression()
                })?;
                let call = call.map(|(name, span)| Call { named: Named { name, span }, arguments });
                self.outline.calls.extend(call);
            } else {
                self.outline.references.extend(reference.map(|(name, span)| Named { name, span }));
                return Ok(());
            }
        }
    }

    /// Items with commas between them, and perhaps one behind the last.
    fn list(&mut self, close: &str, mut item: impl FnMut(&mut Self) -> Parsed) -> Parsed {
        while !self.is(close) {
            item(self)?;
            if !self.take(",") && !self.is(close) {
                return self.expected(&format!("`,` or `{close}`"));
            }
        }
        self.need(close)
    }
}

/// The words of a text with the values of its literals: what two texts must agree in to mean the same.
///
/// # Errors
/// The first word that does not fit.
pub fn words(text: &str) -> Result<Vec<serde_json::Value>, Box<Problem>> {
    let source = Source::new("alloy", text);
    let (lexemes, _) = lex(&source)?;
    Parser::new(&source, &lexemes).body(&Word::Eof)?;
    let value = |lexeme: &Lexeme| match (&lexeme.word, &text[lexeme.range.clone()]) {
        (Word::End | Word::Eof, _) => "\n".to_owned(),
        (Word::Text, literal) if literal.starts_with('"') => {
            // What is escaped here, JSON escapes the same way.
            format!("text {}", serde_json::from_str::<String>(literal).unwrap_or_else(|_| literal.to_owned()))
        }
        (_, other) => other.to_owned(),
    };
    Ok(lexemes.iter().map(|lexeme| value(lexeme).into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(text: &str, value: &str) -> Result<String, String> {
        place(&Source::new("x.alloy", text.replace('@', "\u{e000}0\u{e001}")), &[value.to_owned()])
            .map_err(|problems| problems[0].message.clone())
    }

    #[test]
    fn attributes_know_their_blocks() {
        let text = "logging {\n\tlevel = \"info\"\n}\nloki.write \"default\" {\n\tendpoint {\n\t\turl = \"http://loki:3100\"\n\t\ta = \"x\" + \"y\"\n\t\tb = 1\n\t}\n}\n";
        let found = attributes(&Source::new("x.alloy", text)).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.blocks.join(" "), it.name.as_str(), it.text.as_str(), it.span.line_column()))
            .collect();
        assert_eq!(
            found,
            [
                ("logging".to_owned(), "level", "info", (2, 11)),
                ("loki.write endpoint".to_owned(), "url", "http://loki:3100", (6, 10)),
            ]
        );
    }

    #[test]
    fn an_outline_has_blocks_and_references() {
        let text = "logging { }\nloki.process \"a\" {\n\tstage.json { x = a }\n\tforward_to = [loki.write.b.receiver, c.d[0].e]\n\ty = sys.env(\"Z\") + f.g(h.i).j\n}\n";
        let outline = outline(&Source::new("x.alloy", text)).unwrap();
        let blocks: Vec<_> = outline.blocks.iter().map(|it| (it.named.name.as_str(), it.is_outermost)).collect();
        assert_eq!(blocks, [("logging", true), ("loki.process.a", true), ("stage.json", false)]);
        let references: Vec<_> =
            outline.references.iter().map(|it| (it.name.as_str(), it.span.line_column())).collect();
        assert_eq!(references, [("loki.write.b.receiver", (4, 16)), ("c.d", (4, 39)), ("h.i", (5, 25))]);
    }

    #[test]
    fn values_become_literals() {
        assert_eq!(placed("a = @\n", "x\"\n}").unwrap(), "a = \"x\\\"\\n}\"\n");
        assert_eq!(placed("a = \"<@>\"\n", "\\\u{feff}").unwrap(), "a = \"<\\\\\\ufeff>\"\n");
    }

    #[test]
    fn values_have_no_other_place() {
        for text in [
            "b @ { }",
            "b \"@\" { }",
            "// @\n",
            "/* @ */",
            "a = `@`",
            "a@ = 1",
            "@a = 1",
            "a = @@",
            "a = \"x\"@",
            "a = \"\\@\"",
            "a = 1@",
        ] {
            assert!(placed(text, "x").is_err(), "{text}");
        }
    }

    #[test]
    fn sound_files_are_taken_as_they_are() {
        for text in [
            "",
            "// only a comment",
            "a = 1\n",
            "a.b \"c\" {\n\td = [1, 2.5, 1e3,\n\t]\n\n\te { f = true }\n}\n",
            "a = {\n\tb = c.d[0].e(\"x\", -1),\n\t\"g h\" = !true && (1 + 2 * 3 != 7),\n}",
            "a = `raw \" \\ \n text`",
            "/* a\nb */ a = \"\\u00e4\\x41\"",
        ] {
            assert_eq!(placed(text, "").unwrap(), text);
        }
    }

    #[test]
    fn broken_files_are_refused() {
        for (text, message) in [
            ("a {", "expected a name"),
            ("a }", "expected `=` or `{`"),
            ("a = ", "expected a value"),
            ("a = \"x", "this string is never closed"),
            ("a = \"x\ny\"", "this string is never closed"),
            ("a = `x", "this raw string is never closed"),
            ("/* a", "this comment is never closed"),
            ("a = 1 b = 2", "expected the end of the line"),
            ("a = [1 2]", "expected `,` or `]`"),
            ("a = [\n1\n]", "expected `,` or `]`"),
            ("a = {b: 1}", "a character that means nothing here"),
            ("a = {b 1}", "expected `=`"),
            ("a.b = 1", "expected `=` or `{`"),
            ("a = 1.2.3", "expected a number"),
            ("a = 0x1f", "expected a number"),
            ("a \"b-c\" { }", "expected a label: a name in quotes"),
            ("a = \"\\q\"", "an escape that Alloy does not know"),
            ("= 1", "expected a name"),
            ("a = (1", "expected `)`"),
        ] {
            assert_eq!(placed(text, "").unwrap_err(), message, "{text}");
        }
        assert!(placed(&format!("a = {}", "[".repeat(10_000)), "").unwrap_err().contains("levels"));
        assert!(placed(&"a {\n".repeat(10_000), "").unwrap_err().contains("levels"));
    }
}
