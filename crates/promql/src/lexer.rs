//! The tokens of a query.
//!
//! Source: `promql/parser/lex.go`. What a character means depends on the brackets and braces that are open around it, and
//! inside of brackets on whether a number was read.

use crate::Error;
use std::ops::Range;
use vigil_forms::{duration, text};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A word outside of braces; a keyword, if the grammar has one of this name. As it is written.
    Word(String),
    /// A name with a colon.
    Metric(String),
    /// A word inside of braces, where no keywords are.
    Label(String),
    /// A word of an expression for a duration, in lower case.
    Keyword(String),
    Number(f64),
    Seconds(f64),
    Text(String),
    /// An operator, a bracket or a comma.
    Sign(&'static str),
    /// A `:` behind a keyword alone, as in `[step():1m]`, that only newer releases read.
    LateColon,
}

/// Words of expressions for durations.
pub(crate) const KEYWORDS: [&str; 6] = ["step", "range", "min", "max", "min_of", "max_of"];

/// The signs outside of braces, each before those that it begins with.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", "</", ">=", ">/", "<", ">", "=", "+", "-", "*", "/", "%", "^", "@", ",", "(", ")", "{", "}", "[",
    "]", ":",
];

/// All tokens of a text, without space and comments.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let mut lexer =
        Lexer { text, at: 0, tokens: Vec::new(), place: Place::Outside, open: 0, colon: false, number: false };
    while lexer.at < text.len() {
        lexer.next()?;
    }
    match lexer.place {
        Place::Braces => Err(lexer.missing("`}`")),
        _ if lexer.open > 0 => Err(lexer.missing("`)`")),
        Place::Brackets { .. } => Err(lexer.missing("`]`")),
        Place::Outside => Ok(lexer.tokens),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Outside,
    Braces,
    /// Before the first number, only what makes an expression for a duration may stand.
    Brackets {
        duration: bool,
    },
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    place: Place,
    /// How many parentheses are open.
    open: usize,
    /// The brackets have a colon.
    colon: bool,
    /// Some brackets had a number.
    number: bool,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn missing(&self, what: &str) -> Error {
        Error { message: format!("{what} is missing at the end"), span: self.text.len()..self.text.len() }
    }

    /// An error about the next character.
    fn unexpected(&self, place: &str) -> Error {
        let c = self.rest().chars().next().unwrap_or_default();
        let span = self.at..(self.at + c.len_utf8()).min(self.text.len());
        Error { message: format!("unexpected `{}`{place}", c.escape_debug()), span }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.tokens.push(Token { kind, span: self.at..self.at + length });
        self.at += length;
    }

    /// The first of some signs, of one or two characters each, that the rest begins with.
    fn one_of(&self, signs: &[&'static str]) -> Option<&'static str> {
        let rest = self.rest().as_bytes();
        let (first, second) = (rest.first(), rest.get(1));
        let begins = |sign: &&str| match sign.as_bytes() {
            [one] => first == Some(one),
            [one, two] => first == Some(one) && second == Some(two),
            _ => false,
        };
        signs.iter().copied().find(begins)
    }

    /// How long a run of characters at the beginning of the rest is.
    fn run(&self, is_part: impl Fn(char) -> bool) -> usize {
        self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len())
    }

    fn next(&mut self) -> Result<(), Error> {
        let Some(c) = self.rest().chars().next() else { return Ok(()) };
        if is_space(c) {
            self.at += 1;
            return Ok(());
        }
        if c == '#' && self.place != (Place::Brackets { duration: true }) {
            self.at += self.run(|c| !matches!(c, '\r' | '\n'));
            return Ok(());
        }
        match (self.place, c) {
            (Place::Brackets { duration: true }, '"' | '\'' | '`') => Err(self.unexpected(" in a duration")),
            (_, '"' | '\'' | '`') => self.quoted(),
            (Place::Braces, _) => self.in_braces(c),
            (Place::Brackets { .. }, ':') => self.colon(),
            (Place::Brackets { .. }, _) if is_letter(c) => self.duration_keyword(),
            _ if c.is_ascii_digit() || (c == '.' && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                self.number_or_duration()
            }
            (Place::Outside, _) if is_letter(c) || c == ':' => {
                let length = self.run(|c| is_of_name(c) || c == ':');
                self.word(length);
                Ok(())
            }
            _ => self.sign(),
        }
    }

    fn word(&mut self, length: usize) {
        let word = &self.rest()[..length];
        let kind = match word {
            _ if word.eq_ignore_ascii_case("inf") => Kind::Number(f64::INFINITY),
            _ if word.eq_ignore_ascii_case("nan") => Kind::Number(f64::NAN),
            _ if word.contains(':') => Kind::Metric(word.to_owned()),
            _ => Kind::Word(word.to_owned()),
        };
        self.push(kind, length);
    }

    fn in_braces(&mut self, c: char) -> Result<(), Error> {
        if is_letter(c) {
            let length = self.run(is_of_name);
            self.push(Kind::Label(self.rest()[..length].to_owned()), length);
            return Ok(());
        }
        let Some(sign) = self.one_of(&["=~", "!~", "!=", "=", ",", "}"]) else {
            return Err(self.unexpected(" inside of braces"));
        };
        if sign == "}" {
            self.place = Place::Outside;
        }
        self.push(Kind::Sign(sign), sign.len());
        Ok(())
    }

    fn colon(&mut self) -> Result<(), Error> {
        if self.colon {
            return Err(self.unexpected(": brackets have one colon"));
        }
        self.colon = true;
        let kind = match self.place {
            Place::Brackets { duration: true } if !self.number => Kind::LateColon,
            _ => Kind::Sign(":"),
        };
        self.push(kind, 1);
        Ok(())
    }

    fn duration_keyword(&mut self) -> Result<(), Error> {
        let length = self.run(is_letter);
        let word = self.rest()[..length].to_ascii_lowercase();
        if !KEYWORDS.contains(&word.as_str()) {
            return Err(Error {
                message: format!(
                    "unexpected `{}` in brackets, where a duration such as `5m` stands",
                    &self.rest()[..length]
                ),
                span: self.at..self.at + length,
            });
        }
        self.push(Kind::Keyword(word), length);
        Ok(())
    }

    fn sign(&mut self) -> Result<(), Error> {
        let Some(sign) = self.one_of(&SIGNS) else { return Err(self.unexpected("")) };
        let in_duration = self.place == (Place::Brackets { duration: true });
        if in_duration && !"]()+-*/%^,".contains(sign) {
            return Err(self.unexpected(" in a duration"));
        }
        if sign == "=" && self.rest()[1..].starts_with('~') {
            return Err(self.unexpected(": `=~` stands inside of braces alone"));
        }
        match sign {
            "(" => self.open += 1,
            ")" => {
                self.open = self.open.checked_sub(1).ok_or_else(|| self.unexpected(": it closes nothing"))?;
            }
            "{" => self.place = Place::Braces,
            "[" if self.place != Place::Outside => return Err(self.unexpected(" in brackets")),
            "[" => (self.place, self.colon) = (Place::Brackets { duration: true }, false),
            "]" if self.place == Place::Outside => return Err(self.unexpected(": it closes nothing")),
            "]" => self.place = Place::Outside,
            _ => {}
        }
        self.push(Kind::Sign(sign), sign.len());
        Ok(())
    }

    fn number_or_duration(&mut self) -> Result<(), Error> {
        let (length, is_number) = number(self.rest());
        let in_brackets = matches!(self.place, Place::Brackets { .. });
        if in_brackets {
            (self.place, self.number) = (Place::Brackets { duration: false }, true);
        }
        let wrong = |length: usize, message: String| Err(Error { message, span: self.at..self.at + length });
        if is_number {
            let word = &self.rest()[..length];
            let Some(number) = value(word) else { return wrong(length, format!("`{word}` is no number")) };
            self.push(Kind::Number(number), length);
            return Ok(());
        }
        let length = length + self.rest()[length..].find(|c| !is_of_name(c)).unwrap_or(self.rest().len() - length);
        let word = &self.rest()[..length];
        match duration::prometheus(word) {
            Ok(time) => {
                self.push(Kind::Seconds(time.as_secs_f64()), length);
                Ok(())
            }
            Err(duration::Wrong::TooLong) => wrong(length, format!("`{word}` is longer than 292 years")),
            Err(_) => wrong(length, format!("`{word}` is no number and no duration, such as `1h30m`")),
        }
    }

    fn quoted(&mut self) -> Result<(), Error> {
        let read = text::quoted(self.rest());
        let end = match &read {
            Ok(read) => read.length,
            Err(text::Wrong::Open(end)) => *end,
            Err(text::Wrong::Escape(at)) => at.start,
        };
        if let Some(at) = self.rest()[..end].find(char::REPLACEMENT_CHARACTER) {
            return Err(Self::not_unicode(self.at + at));
        }
        match read {
            Ok(read) => {
                self.push(Kind::Text(read.value), read.length);
                Ok(())
            }
            Err(text::Wrong::Open(end)) => {
                let message = format!("a text that begins with {} does not end", &self.rest()[..1]);
                Err(Error { message, span: self.at..self.at + end })
            }
            Err(text::Wrong::Escape(at)) => {
                let shown = self.rest()[at.clone()].replace('\n', "\\n");
                let message = format!("a text has no escape `{shown}`");
                Err(Error { message, span: self.at + at.start..self.at + at.end })
            }
        }
    }

    /// Prometheus takes the character that stands for wrong UTF-8 as wrong UTF-8.
    fn not_unicode(at: usize) -> Error {
        let span = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
        Error { message: "a text holds U+FFFD, which stands for wrong UTF-8".to_owned(), span }
    }
}

/// How much of a text looks like a number, and whether it is one: where it is not, it may go on as a duration.
fn number(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    let peek = |at: usize| bytes.get(at).copied();
    let mut at = 0;
    let mut hex = false;
    if peek(0) == Some(b'0') {
        at = 1;
        if matches!(peek(1), Some(b'x' | b'X')) {
            at = 2;
            hex = true;
            if peek(2) == Some(b'_') {
                at = 3;
            }
        }
    }
    let is_digit =
        |byte: Option<u8>| byte.is_some_and(|b| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() });
    if peek(at) == Some(b'.') {
        at += 1;
    }
    if is_digit(peek(at)) {
        at += 1;
    }
    let (mut dot, mut exponent) = (false, false);
    while let Some(byte) = peek(at) {
        match byte {
            b'.' if dot => return (at + 1, false),
            b'.' => {
                dot = true;
                at += 1;
                if matches!(peek(at), Some(b'_' | b'.')) {
                    return (at + 1, false);
                }
                if hex {
                    return (at, false);
                }
            }
            b'e' | b'E' if exponent => return (at + 1, false),
            b'e' | b'E' => {
                exponent = true;
                at += 1;
                if matches!(peek(at), Some(b'+' | b'-')) {
                    at += 1;
                }
                match peek(at) {
                    Some(b'.' | b'_' | b'e' | b'E') => return (at + 1, false),
                    None => return (at, false),
                    Some(_) => {}
                }
            }
            b'_' => {
                at += 1;
                match peek(at) {
                    Some(b'.' | b'_' | b'e' | b'E') => return (at + 1, false),
                    None => return (at, false),
                    Some(_) => {}
                }
            }
            _ if is_digit(Some(byte)) => {
                while is_digit(peek(at)) {
                    at += 1;
                }
            }
            _ => break,
        }
    }
    (at, !peek(at).is_some_and(|byte| is_of_name(byte.into())))
}

/// The value of a number as Go's `ParseInt` with any base, then `ParseFloat`, reads it.
#[expect(clippy::cast_precision_loss, reason = "a number of PromQL is a float")]
fn value(word: &str) -> Option<f64> {
    let is_between = |(at, _): (usize, &str)| {
        let is_digit = |c: char| c.is_ascii_hexdigit();
        word[at + 1..].starts_with(is_digit) && word[..at].ends_with(|c| is_digit(c) || matches!(c, 'x' | 'X'))
    };
    if !word.match_indices('_').all(is_between) {
        return None;
    }
    let plain = word.replace('_', "").to_ascii_lowercase();
    if let Some(digits) = plain.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().map(|number| number as f64);
    }
    // A leading zero makes it octal, if its digits allow that.
    let octal = plain.starts_with('0').then(|| i64::from_str_radix(&plain, 8).ok()).flatten();
    octal.map(|number| number as f64).or_else(|| plain.parse().ok()).filter(|number: &f64| number.is_finite())
}
