//! The tokens of a query.
//!
//! They are those of Go's `text/scanner`, which Loki reads queries with: its names, numbers and texts. What a word means, the
//! grammar knows: most keywords are such only before a parenthesis.

use crate::Error;
use std::ops::Range;
use std::time::Duration;
use vigil_forms::{duration, text};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind<'t>,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind<'t> {
    Word(&'t str),
    /// As it is written.
    Number(&'t str),
    /// A length of time, in nanoseconds.
    Time(i64),
    /// A number of bytes.
    Bytes(u64),
    Text(String),
    /// A length of time in brackets.
    Range(Duration),
    /// `--strict` and its like.
    Flag(&'t str),
    /// An operator, a bracket or a comma.
    Sign(&'static str),
}

/// The signs, each before those that it begins with.
const SIGNS: [&str; 25] = [
    "|=", "|~", "|>", "|", "!=", "!~", "!>", "==", "=~", "=", ">=", ">", "<=", "<", "+", "-", "*", "/", "%", "^", ",",
    "(", ")", "{", "}",
];

/// What a parser of logfmt can be told.
const FLAGS: [&str; 2] = ["--strict", "--keep-empty"];

/// All tokens of a text, without space and comments.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Error> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    while lexer.at < text.len() {
        lexer.next()?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: Kind<'t>, length: usize) {
        self.tokens.push(Token { kind, span: self.at..self.at + length });
        self.at += length;
    }

    fn wrong(&self, length: usize, message: String) -> Error {
        Error::new(message, self.at..self.at + length)
    }

    /// How long a run of characters at the beginning of the rest is.
    fn run(&self, is_part: impl Fn(char) -> bool) -> usize {
        self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len())
    }

    fn next(&mut self) -> Result<(), Error> {
        let Some(c) = self.rest().chars().next() else { return Ok(()) };
        match c {
            ' ' | '\t' | '\n' | '\r' => self.at += 1,
            '#' => self.at += self.run(|c| c != '\n'),
            '/' if self.rest().starts_with("//") => self.at += self.run(|c| c != '\n'),
            '/' if self.rest().starts_with("/*") => {
                let Some(end) = self.rest().find("*/") else {
                    return Err(self.wrong(2, "a comment that never ends".to_owned()));
                };
                self.at += end + 2;
            }
            '"' | '`' => return self.quoted(),
            '\'' => {
                return Err(self
                    .wrong(1, "unexpected `'`".to_owned())
                    .help("texts of LogQL stand in double quotes or in backticks"));
            }
            '[' => return self.range(),
            '-' if self.rest().starts_with("--")
                && self.flag().is_none()
                && self.rest()[2..].starts_with(is_letter) =>
            {
                let length = 2 + self.rest()[2..].find(|c| !is_of_name(c) && c != '-').unwrap_or(self.rest().len() - 2);
                let message = format!("there is no flag `{}`", &self.rest()[..length]);
                return Err(self.wrong(length, message).help("a parser of logfmt takes `--strict` and `--keep-empty`"));
            }
            '-' => self.dash(),
            _ if is_letter(c) => {
                let length = self.run(is_of_name);
                self.push(Kind::Word(&self.rest()[..length]), length);
            }
            _ if is_number(self.rest()) => return self.number(),
            _ => {
                let Some(sign) = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) else {
                    return Err(self.wrong(c.len_utf8(), format!("unexpected `{}`", c.escape_debug())));
                };
                self.push(Kind::Sign(sign), sign.len());
            }
        }
        Ok(())
    }

    /// What begins with `-`: a flag, a length of time, or the sign alone.
    fn dash(&mut self) {
        if let Some(flag) = self.flag() {
            self.push(Kind::Flag(flag), flag.len());
            return;
        }
        let behind = &self.rest()[1..];
        let length = number(behind).ok().filter(|_| is_number(behind));
        match length.and_then(|length| self.time(1 + length)) {
            Some((nanos, length)) => self.push(Kind::Time(nanos), length),
            None => self.push(Kind::Sign("-"), 1),
        }
    }

    /// The flag that comes next.
    fn flag(&self) -> Option<&'static str> {
        let goes_on = |rest: &str| rest.starts_with(|c: char| is_of_name(c) || c == '-');
        FLAGS.into_iter().find(|flag| self.rest().strip_prefix(flag).is_some_and(|rest| !goes_on(rest)))
    }

    fn quoted(&mut self) -> Result<(), Error> {
        match text::quoted(self.rest()) {
            Ok(read) => {
                self.push(Kind::Text(read.value), read.length);
                Ok(())
            }
            Err(text::Wrong::Open(end)) => {
                Err(self.wrong(end, format!("a text that begins with {} does not end", &self.rest()[..1])))
            }
            Err(text::Wrong::Escape(at)) => {
                let message = format!("a text has no escape `{}`", self.rest()[at.clone()].escape_debug());
                Err(Error::new(message, self.at + at.start..self.at + at.end).help(
                    "write `\\\\` for a backslash, or put the text in backticks, between which nothing is escaped",
                ))
            }
        }
    }

    fn range(&mut self) -> Result<(), Error> {
        let Some(end) = self.rest().find(']') else {
            return Err(self.wrong(1, "a `[` that is never closed".to_owned()));
        };
        let inner = &self.rest()[1..end];
        if let Ok(time) = duration::prometheus(inner) {
            self.push(Kind::Range(time), end + 1);
            return Ok(());
        }
        let error = self.wrong(end + 1, format!("`{inner}` is no length of time, such as `5m`"));
        let help = "only Grafana knows variables: write a time, such as `5m`";
        Err(if inner.contains('$') { error.help(help) } else { error })
    }

    fn number(&mut self) -> Result<(), Error> {
        let length = number(self.rest()).map_err(|(length, message)| self.wrong(length, message.to_owned()))?;
        if let Some((nanos, length)) = self.time(length) {
            self.push(Kind::Time(nanos), length);
        } else if let Some((bytes, length)) = self.unit(length, "BikKMGT", bytes) {
            self.push(Kind::Bytes(bytes), length);
        } else {
            self.push(Kind::Number(&self.rest()[..length]), length);
        }
        Ok(())
    }

    /// The length of time that a number of `length` bytes begins, and how long it is.
    fn time(&self, length: usize) -> Option<(i64, usize)> {
        self.unit(length, "nuµμmshdwy", |word| {
            duration::go(word).ok().or_else(|| i64::try_from(duration::prometheus(word).ok()?.as_nanos()).ok())
        })
    }

    /// What a number of `length` bytes is with the letters behind it, and how long that is.
    fn unit<T>(&self, length: usize, letters: &str, read: impl Fn(&str) -> Option<T>) -> Option<(T, usize)> {
        let more = &self.rest()[length..];
        let more = more.find(|c: char| !letters.contains(c) && !c.is_numeric() && c != '.').unwrap_or(more.len());
        let word = &self.rest()[..length + more];
        if more == 0 { None } else { read(word).map(|value| (value, word.len())) }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_number(text: &str) -> bool {
    text.strip_prefix('.').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit())
}

/// How much of a text is a number of Go, or how much of it is meant and why it is none.
fn number(text: &str) -> Result<usize, (usize, &'static str)> {
    let lower = |at: usize| text[at..].chars().next().map(|c| c.to_ascii_lowercase());
    let (base, start) = match text.starts_with('0').then(|| lower(1)).flatten() {
        Some('x') => (16, 2),
        Some('o') => (8, 2),
        Some('b') => return Err((2, "a number with `0b`, which LogQL does not know")),
        _ => (10, 0),
    };
    let digits = |from: usize| {
        let part = |c: char| c.is_digit(base.max(10)) || c == '_';
        text[from..].find(|c| !part(c)).map_or(text.len(), |more| from + more)
    };
    let mut end = digits(start);
    let mut is_float = false;
    if base != 8 && text[end..].starts_with('.') {
        (end, is_float) = (digits(end + 1), true);
    }
    if end == start {
        return Err((end, "a number without digits"));
    }
    match (lower(end), base) {
        (Some('e'), 10) | (Some('p'), 16) => {
            let sign = end + 1 + usize::from(text[end + 1..].starts_with(['+', '-']));
            let last = text[sign..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |more| sign + more);
            if last == sign {
                return Err((last, "an exponent without digits"));
            }
            (end, is_float) = (last, true);
        }
        (Some('p'), _) => return Err((end + 1, "a `p` behind a number that is not hexadecimal")),
        _ if base == 16 && is_float => return Err((end, "a hexadecimal fraction without an exponent")),
        _ => {}
    }
    let word = &text[..end];
    let is_between = |(at, _): (usize, &str)| {
        let before = &word[..at];
        let is_digit = |c: char| c.is_ascii_hexdigit() || matches!(c, 'x' | 'X' | 'o' | 'O');
        before.ends_with(is_digit) && word[at + 1..].starts_with(|c: char| c.is_digit(base.max(10)))
    };
    if !word.match_indices('_').all(is_between) {
        return Err((end, "a `_` that stands between no digits"));
    }
    let octal = base == 8 || (base == 10 && !is_float && word.starts_with('0'));
    if octal && word[start..].contains(['8', '9']) {
        return Err((end, "an octal number with the digit 8 or 9"));
    }
    Ok(end)
}

/// A number of bytes: `5MB`, `1.5KiB`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what does not fit is none")]
fn bytes(word: &str) -> Option<u64> {
    let (number, unit) = word.split_at(word.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let number: f64 = number.parse().ok()?;
    let plain = unit.strip_suffix('B').unwrap_or(unit);
    let mut letters = plain.chars();
    let power = |letter: char| "KMGT".find(letter.to_ascii_uppercase()).and_then(|at| i32::try_from(at + 1).ok());
    let factor = match (letters.next(), letters.as_str()) {
        (None, "") => 1.0,
        (Some(letter), "") => 1000_f64.powi(power(letter)?),
        (Some(letter), "i") => 1024_f64.powi(power(letter)?),
        _ => return None,
    };
    let bytes = number * factor;
    (bytes < 18_446_744_073_709_551_616.0).then_some(bytes as u64)
}
