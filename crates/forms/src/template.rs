//! Go templates, as Prometheus reads them in alerts and Loki in formats of lines.
//!
//! Source: `text/template/parse` of Go 1.26.

use crate::text;
use std::collections::BTreeSet;
use std::fmt;

/// The functions of all templates.
const FUNCTIONS: [&str; 19] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf",
    "println", "slice", "urlquery",
];

/// Words that are no functions.
const WORDS: [&str; 10] = ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// Words that are values.
const VALUES: [&str; 3] = ["false", "nil", "true"];

/// Blocks inside of which the dot is something else.
pub const MOVING: [&str; 4] = ["range", "with", "define", "block"];

/// How many parentheses may be inside of each other.
const DEEPEST: usize = 100;

/// A part of what stands between `{{` and `}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    /// `$name`, without its sign.
    Variable(&'t str),
    /// `.name` behind something.
    Member(&'t str),
    /// `.name` that begins a term.
    Field(&'t str),
    /// A name.
    Word(&'t str),
    /// What stands between quotes, as it is written.
    Text(&'t str),
    /// A number, or a character in quotes.
    Number(&'t str),
    /// `:=`.
    Declare,
    /// Anything else but a blank.
    Sign(char),
}

/// A template: what stands between each `{{` and its `}}`.
pub type Actions<'t> = Vec<Vec<Token<'t>>>;

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong<'t> {
    /// `{{` without `}}`.
    Unclosed,
    /// `{{/*` without `*/}}`.
    Comment,
    /// A text in quotes that does not end, or with an escape that Go does not know.
    Text,
    /// A character that means nothing there.
    Character(char),
    /// What looks like a number and is none.
    Number(&'t str),
    /// A function that does not exist.
    Function(&'t str),
    /// A variable that nothing makes before, in the same block.
    Variable(&'t str),
    /// An action, or a part of one, without a value.
    Empty,
    /// A value that something is piped into, and that is no function.
    Piped,
    /// A `(` without `)`, or the other way round.
    Parenthesis,
    /// More variables than one is made of, or `range` has.
    Declarations,
    /// A template that is called or made without its name in quotes.
    Name,
    /// An `end` that ends nothing.
    End,
    /// An `else` of nothing.
    Else,
    /// A word where it cannot stand: a `break` outside of `range`, a `define` inside of a block.
    Outside(&'t str),
    /// A block that never ends.
    Open,
}

impl fmt::Display for Wrong<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed => out.write_str("a template that never ends"),
            Self::Comment => out.write_str("a comment of a template that never ends"),
            Self::Text => {
                out.write_str("a text in a template that does not end, or has an escape that Go does not know")
            }
            Self::Character(c) => write!(out, "a template with `{}` where it means nothing", c.escape_debug()),
            Self::Number(number) => write!(out, "a template with `{number}`, which is no number"),
            Self::Function(name) => write!(out, "a template calls `{name}`, and there is no such function"),
            Self::Variable(name) => write!(out, "a template uses `${name}`, and there is no such variable"),
            Self::Empty => out.write_str("a template with an action that has no value"),
            Self::Piped => out.write_str("a template that pipes into a value, not into a function"),
            Self::Parenthesis => out.write_str("a template with a parenthesis that has no other end"),
            Self::Declarations => out.write_str("a template that makes too many variables at once"),
            Self::Name => out.write_str("a template with `template`, `define` or `block` and no name in quotes"),
            Self::End => out.write_str("an `end` of nothing in a template"),
            Self::Else => out.write_str("an `else` of nothing in a template"),
            Self::Outside("define") => out.write_str("a `define` inside of another block of a template"),
            Self::Outside(word) => write!(out, "a `{word}` outside of `range` in a template"),
            Self::Open => {
                out.write_str("a template with an `if`, `range`, `with`, `define` or `block` that never ends")
            }
        }
    }
}

/// Reads a template that may call `functions` besides those of all templates, and is given some `variables`.
///
/// # Errors
/// The first thing that is wrong.
pub fn read<'t>(text: &'t str, functions: &[&str], variables: &[&'t str]) -> Result<Actions<'t>, Wrong<'t>> {
    let mut reader = Reader { functions, variables: variables.to_vec(), blocks: Vec::new() };
    let mut actions = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let inside = &rest[start + 2..];
        let inside = inside.strip_prefix('-').filter(|behind| behind.starts_with(is_space)).unwrap_or(inside);
        if let Some(comment) = inside.trim_start_matches(is_space).strip_prefix("/*").filter(|_| {
            // A blank before a comment belongs to the mark that trims.
            inside.starts_with("/*") || rest[start + 2..].starts_with('-')
        }) {
            let (_, behind) = comment.split_once("*/").ok_or(Wrong::Comment)?;
            rest = end(behind).ok_or(Wrong::Comment)?;
            continue;
        }
        let (lexemes, behind) = lexemes(inside)?;
        rest = behind;
        reader.action(&lexemes)?;
        actions.push(lexemes.into_iter().map(|it| it.token).collect());
    }
    if reader.blocks.is_empty() { Ok(actions) } else { Err(Wrong::Open) }
}

/// The variables that an action makes.
pub fn made<'t>(tokens: &[Token<'t>]) -> impl Iterator<Item = &'t str> {
    let ends = tokens.iter().position(|token| *token == Token::Declare);
    let before = tokens[..ends.unwrap_or(0)].iter();
    before.filter_map(|token| if let Token::Variable(name) = token { Some(*name) } else { None })
}

/// A template that is called and that no `define` or `block` makes, which is found when the template is filled in.
pub fn undefined<'t>(actions: &[Vec<Token<'t>>]) -> Option<&'t str> {
    let named = |words: &'static [&'static str]| {
        actions.iter().filter_map(move |tokens| match tokens.as_slice() {
            [Token::Word(word), Token::Text(name), ..] if words.contains(word) => Some(*name),
            _ => None,
        })
    };
    let made: BTreeSet<&str> = named(&["define", "block"]).collect();
    named(&["template"]).find(|name| !made.contains(name))
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What comes behind the end of an action, if a text begins with one.
fn end(text: &str) -> Option<&str> {
    let trimmed = || text.strip_prefix(is_space)?.trim_start_matches(is_space).strip_prefix("-}}");
    text.strip_prefix("}}").or_else(trimmed)
}

/// A token, and whether a blank stands before it.
struct Lexeme<'t> {
    token: Token<'t>,
    spaced: bool,
}

/// The tokens up to the end of an action, and the text behind it.
fn lexemes(text: &str) -> Result<(Vec<Lexeme<'_>>, &str), Wrong<'_>> {
    let mut lexemes: Vec<Lexeme<'_>> = Vec::new();
    let mut rest = text;
    let mut spaced = false;
    loop {
        if let Some(behind) = end(rest) {
            return Ok((lexemes, behind));
        }
        let c = rest.chars().next().ok_or(Wrong::Unclosed)?;
        if is_space(c) {
            spaced = true;
            rest = &rest[1..];
            continue;
        }
        let joins = !spaced
            && !matches!(
                lexemes.last().map(|it| it.token),
                None | Some(Token::Sign('(' | '|' | ',' | '=') | Token::Declare)
            );
        let (token, length) = lexeme(rest, joins)?;
        lexemes.push(Lexeme { token, spaced });
        spaced = false;
        rest = &rest[length..];
    }
}

/// The token that a text begins with, and its length.
fn lexeme(text: &str, joins: bool) -> Result<(Token<'_>, usize), Wrong<'_>> {
    let c = text.chars().next().ok_or(Wrong::Unclosed)?;
    let behind = &text[c.len_utf8()..];
    let name = behind.find(|c| !is_of_name(c)).unwrap_or(behind.len());
    // What may come behind a name.
    let terminated = |length: usize| {
        let after = &text[length..];
        match after.chars().next() {
            Some(c) if !is_space(c) && !".,|:)(".contains(c) && end(after).is_none() => Err(Wrong::Character(c)),
            _ => Ok(length),
        }
    };
    match c {
        '"' | '`' => {
            let read = text::quoted(text).map_err(|_| Wrong::Text)?;
            Ok((Token::Text(&text[1..read.length - 1]), read.length))
        }
        '\'' => {
            let read = text::quoted(text).map_err(|_| Wrong::Text)?;
            let word = &text[..read.length];
            if read.value.chars().count() == 1 { Ok((Token::Number(word), read.length)) } else { Err(Wrong::Text) }
        }
        ':' if behind.starts_with('=') => Ok((Token::Declare, 2)),
        ':' => Err(Wrong::Character(':')),
        '$' => Ok((Token::Variable(&behind[..name]), terminated(1 + name)?)),
        '.' if behind.starts_with(|c: char| c.is_ascii_digit()) => number(text),
        '.' if name > 0 => {
            let field = &behind[..name];
            Ok((if joins { Token::Member(field) } else { Token::Field(field) }, terminated(1 + name)?))
        }
        '.' => Ok((Token::Sign('.'), 1)),
        '+' | '-' => number(text),
        _ if c.is_ascii_digit() => number(text),
        _ if is_of_name(c) => Ok((Token::Word(&text[..c.len_utf8() + name]), terminated(c.len_utf8() + name)?)),
        _ if c.is_ascii_graphic() => Ok((Token::Sign(c), 1)),
        _ => Err(Wrong::Character(c)),
    }
}

/// The number that a text begins with.
fn number(text: &str) -> Result<(Token<'_>, usize), Wrong<'_>> {
    let start = usize::from(text.starts_with(['+', '-']));
    let lower = text[start..].to_ascii_lowercase();
    let is_hex = lower.starts_with("0x");
    let mut length = start;
    let mut before = ' ';
    for c in text[start..].chars() {
        let lower = c.to_ascii_lowercase();
        let is_exponent = before == if is_hex { 'p' } else { 'e' };
        if !(is_of_name(c) || c == '.' || (matches!(c, '+' | '-') && is_exponent)) {
            break;
        }
        (length, before) = (length + c.len_utf8(), lower);
    }
    let word = &text[..length];
    if is_number(&word[start..]) {
        Ok((Token::Number(word), length))
    } else {
        Err(Wrong::Number(if length == 0 { &text[..1] } else { word }))
    }
}

/// Whether a text is a number of Go, without a sign; `i` makes it imaginary.
fn is_number(text: &str) -> bool {
    let plain = text.strip_suffix('i').unwrap_or(text).to_ascii_lowercase();
    let is_between = |(at, _): (usize, &str)| {
        let is_digit = |c: char| c.is_ascii_hexdigit() || matches!(c, 'x' | 'o');
        plain[..at].ends_with(is_digit) && plain[at + 1..].starts_with(|c: char| c.is_ascii_hexdigit())
    };
    if !plain.match_indices('_').all(is_between) {
        return false;
    }
    let digits = plain.replace('_', "");
    let of = |digits: &str, base: u32| !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
    if let Some(hex) = digits.strip_prefix("0x") {
        return match hex.split_once('p') {
            Some((mantissa, exponent)) => {
                let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                of(&mantissa.replacen('.', "", 1), 16) && of(exponent, 10)
            }
            None => of(hex, 16),
        };
    }
    if let Some(octal) = digits.strip_prefix("0o") {
        return of(octal, 8);
    }
    if let Some(binary) = digits.strip_prefix("0b") {
        return of(binary, 2);
    }
    let is_whole = of(&digits, 10);
    if is_whole && digits.starts_with('0') {
        return of(&digits, 8);
    }
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    starts && digits.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A block that is open.
struct Block<'t> {
    word: &'t str,
    /// How many variables there were before.
    variables: usize,
    /// It had its `else`.
    had_else: bool,
}

struct Reader<'f, 't> {
    functions: &'f [&'f str],
    variables: Vec<&'t str>,
    blocks: Vec<Block<'t>>,
}

impl<'t> Reader<'_, 't> {
    fn action(&mut self, lexemes: &[Lexeme<'t>]) -> Result<(), Wrong<'t>> {
        let Some(Lexeme { token: Token::Word(word), .. }) = lexemes.first() else {
            return self.pipeline(lexemes, false).map(drop);
        };
        let behind = &lexemes[1..];
        match *word {
            "if" | "with" | "range" => self.open(word, behind),
            "define" if !self.blocks.is_empty() => Err(Wrong::Outside("define")),
            "define" => match behind {
                [Lexeme { token: Token::Text(_), .. }] => {
                    self.blocks.push(Block { word, variables: self.variables.len(), had_else: false });
                    Ok(())
                }
                _ => Err(Wrong::Name),
            },
            "block" => match behind {
                [Lexeme { token: Token::Text(_), .. }, value @ ..] => self.open(word, value),
                _ => Err(Wrong::Name),
            },
            "template" => match behind {
                [Lexeme { token: Token::Text(_), .. }] => Ok(()),
                [Lexeme { token: Token::Text(_), .. }, value @ ..] => self.pipeline(value, false).map(drop),
                _ => Err(Wrong::Name),
            },
            "end" => self.end(behind),
            "else" => self.other(behind),
            "break" | "continue" => {
                alone(behind)?;
                let is_in = self.blocks.iter().any(|block| block.word == "range" && !block.had_else);
                if is_in { Ok(()) } else { Err(Wrong::Outside(word)) }
            }
            _ => self.pipeline(lexemes, false).map(drop),
        }
    }

    fn open(&mut self, word: &'t str, value: &[Lexeme<'t>]) -> Result<(), Wrong<'t>> {
        let variables = self.variables.len();
        self.pipeline(value, word == "range")?;
        self.blocks.push(Block { word, variables, had_else: false });
        Ok(())
    }

    fn end(&mut self, behind: &[Lexeme<'t>]) -> Result<(), Wrong<'t>> {
        alone(behind)?;
        let block = self.blocks.pop().ok_or(Wrong::End)?;
        self.variables.truncate(block.variables);
        Ok(())
    }

    /// An `else`, alone or with a condition.
    fn other(&mut self, behind: &[Lexeme<'t>]) -> Result<(), Wrong<'t>> {
        let block = self.blocks.last_mut().ok_or(Wrong::Else)?;
        if block.had_else || !["if", "range", "with"].contains(&block.word) {
            return Err(Wrong::Else);
        }
        match behind.first() {
            None => {
                block.had_else = true;
                Ok(())
            }
            Some(Lexeme { token: Token::Word(word), .. }) if *word == block.word && *word != "range" => {
                self.pipeline(&behind[1..], false).map(drop)
            }
            Some(_) => Err(Wrong::Else),
        }
    }

    /// Values with `|` between them, and the variables that are made of them.
    fn pipeline(&mut self, lexemes: &[Lexeme<'t>], is_range: bool) -> Result<(), Wrong<'t>> {
        let at = lexemes.iter().position(|it| matches!(it.token, Token::Declare | Token::Sign('=')));
        let made = at
            .map(|at| &lexemes[..at])
            .filter(|made| matches!(made.first(), Some(Lexeme { token: Token::Variable(_), .. })));
        let Some(made) = made else { return self.commands(lexemes, 0).and_then(whole) };
        let mut names = Vec::new();
        for (at, lexeme) in made.iter().enumerate() {
            match lexeme.token {
                Token::Variable(name) if at % 2 == 0 => names.push(name),
                Token::Sign(',') if at % 2 == 1 => {}
                _ => return Err(Wrong::Declarations),
            }
        }
        if made.len() % 2 == 0 || names.len() > if is_range { 2 } else { 1 } {
            return Err(Wrong::Declarations);
        }
        self.variables.extend(names);
        self.commands(&lexemes[made.len() + 1..], 0).and_then(whole)
    }

    /// Reads commands up to the end or to `)`, and gives what is left.
    fn commands<'l>(&self, mut lexemes: &'l [Lexeme<'t>], depth: usize) -> Result<&'l [Lexeme<'t>], Wrong<'t>> {
        if depth > DEEPEST {
            return Err(Wrong::Parenthesis);
        }
        let mut is_first = true;
        loop {
            match lexemes.first().map(|it| it.token) {
                None | Some(Token::Sign(')')) => break,
                Some(_) => {}
            }
            let is_value = is_value(lexemes);
            lexemes = self.command(lexemes, depth)?;
            if !is_first && is_value {
                return Err(Wrong::Piped);
            }
            is_first = false;
        }
        if is_first { Err(Wrong::Empty) } else { Ok(lexemes) }
    }

    /// Reads one command, and a `|` behind it.
    fn command<'l>(&self, mut lexemes: &'l [Lexeme<'t>], depth: usize) -> Result<&'l [Lexeme<'t>], Wrong<'t>> {
        let mut count = 0;
        loop {
            match lexemes.first().map(|it| it.token) {
                None | Some(Token::Sign(')')) => return Ok(lexemes),
                Some(Token::Sign('|')) if count > 0 => return Ok(&lexemes[1..]),
                Some(_) if count > 0 && !lexemes[0].spaced => return Err(unexpected(lexemes[0].token)),
                Some(_) => lexemes = self.operand(lexemes, depth)?,
            }
            count += 1;
        }
    }

    fn operand<'l>(&self, lexemes: &'l [Lexeme<'t>], depth: usize) -> Result<&'l [Lexeme<'t>], Wrong<'t>> {
        let token = lexemes[0].token;
        let mut rest = &lexemes[1..];
        let has_members = match token {
            Token::Word(word) if VALUES.contains(&word) => false,
            Token::Word(word) if WORDS.contains(&word) => return Err(Wrong::Outside(word)),
            Token::Word(word) if FUNCTIONS.contains(&word) || self.functions.contains(&word) => true,
            Token::Word(word) => return Err(Wrong::Function(word)),
            Token::Variable(name) if name.is_empty() || self.variables.contains(&name) => true,
            Token::Variable(name) => return Err(Wrong::Variable(name)),
            Token::Field(_) | Token::Member(_) => true,
            Token::Text(_) | Token::Number(_) | Token::Sign('.') => false,
            Token::Sign('(') => {
                rest = self.commands(rest, depth + 1)?;
                match rest.first().map(|it| it.token) {
                    Some(Token::Sign(')')) => rest = &rest[1..],
                    _ => return Err(Wrong::Parenthesis),
                }
                true
            }
            token => return Err(unexpected(token)),
        };
        while let Some(Lexeme { token: Token::Member(_), spaced: false }) = rest.first() {
            if !has_members {
                return Err(Wrong::Character('.'));
            }
            rest = &rest[1..];
        }
        Ok(rest)
    }
}

/// Nothing may be left of an action.
fn whole<'t>(rest: &[Lexeme<'t>]) -> Result<(), Wrong<'t>> {
    if rest.is_empty() { Ok(()) } else { Err(Wrong::Parenthesis) }
}

/// Nothing may stand behind a word.
fn alone<'t>(behind: &[Lexeme<'t>]) -> Result<(), Wrong<'t>> {
    behind.first().map_or(Ok(()), |it| Err(unexpected(it.token)))
}

fn unexpected(token: Token<'_>) -> Wrong<'_> {
    match token {
        Token::Sign(c) => Wrong::Character(c),
        Token::Declare => Wrong::Character('='),
        Token::Word(word) => Wrong::Function(word),
        Token::Number(number) => Wrong::Number(number),
        Token::Text(_) => Wrong::Character('"'),
        Token::Variable(_) => Wrong::Character('$'),
        Token::Member(_) | Token::Field(_) => Wrong::Character('.'),
    }
}

/// Whether a command begins with a value, which nothing can be piped into.
fn is_value(lexemes: &[Lexeme<'_>]) -> bool {
    match lexemes.first().map(|it| it.token) {
        Some(Token::Text(_) | Token::Number(_) | Token::Sign('.')) => true,
        Some(Token::Word(word)) => VALUES.contains(&word),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn templates() {
        for text in [
            "",
            "plain } and { text",
            "{{ .a | upper }}",
            "{{ .a | }}",
            "{{ $x := .a }}{{ $x.b }}{{ $given }}{{ $.a }}",
            "{{ printf \"}}\" }}",
            "{{- /* it's a comment */ -}}",
            "{{- .a -}}",
            "{{ if .a }}b{{ else if .c }}d{{ else }}e{{ end }}",
            "{{ with .a }}b{{ else with .c }}{{ end }}",
            "{{ range $i, $e := .a }}{{ $i }}{{ if $e }}{{ break }}{{ end }}{{ end }}",
            "{{ define \"a\" }}{{ end }}{{ template \"a\" . }}{{ block \"b\" . }}{{ end }}",
            "{{ (upper .a).b (1) -1.5e3 0x1F 'a' nil true . }}",
            "{{ upper.b }}",
            "{{ . .b }}",
        ] {
            assert!(read(text, &["upper"], &["given"]).is_ok(), "{text}: {:?}", read(text, &["upper"], &["given"]));
        }
        for (text, wrong) in [
            ("{{ .a } is", Wrong::Unclosed),
            ("{{ .a } is }}", Wrong::Character('}')),
            ("{{ .a", Wrong::Unclosed),
            ("{{/* a }}", Wrong::Comment),
            ("{{/* a */ }}", Wrong::Comment),
            ("{{ /* a */ }}", Wrong::Character('/')),
            ("{{ \"a }}", Wrong::Text),
            ("{{ \"\\q\" }}", Wrong::Text),
            ("{{ 'ab' }}", Wrong::Text),
            ("{{ .a-b }}", Wrong::Character('-')),
            ("{{ .a. }}", Wrong::Character('.')),
            ("{{ \"a\".b }}", Wrong::Character('.')),
            ("{{ .a : 1 }}", Wrong::Character(':')),
            ("{{ § }}", Wrong::Character('§')),
            ("{{ 08 }}", Wrong::Number("08")),
            ("{{ - 5 }}", Wrong::Number("-")),
            ("{{ 1a }}", Wrong::Number("1a")),
            ("{{ lower .a }}", Wrong::Function("lower")),
            ("{{ $y }}", Wrong::Variable("y")),
            ("{{ $y }}{{ $y := 1 }}", Wrong::Variable("y")),
            ("{{ if $y := 1 }}{{ end }}{{ $y }}", Wrong::Variable("y")),
            ("{{ $x, $y := .a }}", Wrong::Declarations),
            ("{{ }}", Wrong::Empty),
            ("{{ if }}{{ end }}", Wrong::Empty),
            ("{{ upper () }}", Wrong::Empty),
            ("{{ .a | 1 }}", Wrong::Piped),
            ("{{ (.a }}", Wrong::Parenthesis),
            ("{{ .a) }}", Wrong::Parenthesis),
            ("{{ upper(.a) }}", Wrong::Character('(')),
            ("{{ template a }}", Wrong::Name),
            ("{{ end }}", Wrong::End),
            ("{{ else }}", Wrong::Else),
            ("{{ if .a }}{{ else }}{{ else }}{{ end }}", Wrong::Else),
            ("{{ if .a }}{{ else with .b }}{{ end }}", Wrong::Else),
            ("{{ break }}", Wrong::Outside("break")),
            ("{{ range .a }}{{ else }}{{ break }}{{ end }}", Wrong::Outside("break")),
            ("{{ if .a }}{{ define \"b\" }}{{ end }}{{ end }}", Wrong::Outside("define")),
            ("{{ range .a }}", Wrong::Open),
        ] {
            assert_eq!(read(text, &["upper"], &["given"]).err(), Some(wrong), "{text}");
        }
    }

    #[test]
    fn templates_that_nothing_makes() {
        let of = |text| undefined(&read(text, &[], &[]).unwrap());
        assert_eq!(of("{{ template \"a\" }}{{ template \"b\" }}{{ define \"a\" }}{{ end }}"), Some("b"));
        assert_eq!(of("{{ block \"a\" . }}{{ end }}{{ template \"a\" }}"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(\\{\\{|\\}\\}|[a.$|() \"`':=/*+0-9é-]|if|end|range|else){0,16}|\\PC{0,16}") {
            let _ = read(&text, &[], &["a"]);
        }
    }
}
