//! The grammar: tokens to an expression. What is done with lines is in `stages`.

use crate::ast::{
    Aggregation, Binary, Conversion, Expr, Grouping, LabelReplace, Log, Operator, RangeAggregation, RangeFunction,
    Unwrap, Variants, VectorAggregation,
};
use crate::lexer::{Kind, Token};
use crate::{DEEPEST, Error, HIGHEST};
use std::ops::Range;
use std::time::Duration;
use vigil_forms::matcher::{MatchOp, Matcher};

/// Words that can be no label.
const RESERVED: [&str; 24] = [
    "and",
    "bool",
    "by",
    "decolorize",
    "drop",
    "group_left",
    "group_right",
    "ignoring",
    "json",
    "keep",
    "label_format",
    "line_format",
    "logfmt",
    "of",
    "offset",
    "on",
    "or",
    "pattern",
    "regexp",
    "unless",
    "unpack",
    "unwrap",
    "variants",
    "without",
];

/// Words that are functions before a parenthesis, besides those over ranges and over series.
const CALLED: [&str; 6] = ["bytes", "duration", "duration_seconds", "ip", "label_replace", "vector"];

fn is_called(word: &str) -> bool {
    let is_other = || CALLED.iter().any(|one| one.eq_ignore_ascii_case(word));
    RangeFunction::of(word).is_some() || Aggregation::of(word).is_some() || is_other()
}

/// Parses tokens of a text of `length` bytes.
pub(crate) fn parse(tokens: &[Token<'_>], length: usize) -> Result<Expr, Error> {
    let mut parser = Parser { tokens, at: 0, end: length, depth: 0 };
    if tokens.is_empty() {
        return Err(Error::new("there is no expression", 0..length));
    }
    let (expr, _) = parser.expression(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(Kind::Range(_)) => Err(parser
            .unexpected("an operator or the end")
            .help("a range stands inside of a function over it, such as `count_over_time({app=\"shop\"}[5m])`")),
        Some(_) => Err(parser.unexpected("an operator or the end")),
    }
}

/// An expression and the height of its tree.
type High = (Expr, usize);

pub(crate) struct Parser<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
    end: usize,
    depth: usize,
}

/// Lines in a range of time: what a function over one takes.
struct Lines {
    log: Log,
    unwrap: Option<Unwrap>,
    range: Option<(Duration, Option<i64>)>,
}

impl<'t> Parser<'t> {
    pub(crate) fn peek(&self) -> Option<&'t Kind<'t>> {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> Option<&'t Kind<'t>> {
        self.tokens.get(self.at + count).map(|token| &token.kind)
    }

    /// Goes on behind the next token.
    pub(crate) fn skip(&mut self) {
        self.at += 1;
    }

    /// A place to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.at
    }

    pub(crate) fn back_to(&mut self, mark: usize) {
        self.at = mark;
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Kind::Sign(next)) if *next == sign)
    }

    pub(crate) fn take(&mut self, sign: &str) -> bool {
        let is_next = self.is_sign(sign);
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn expect(&mut self, sign: &str) -> Result<(), Error> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    pub(crate) fn word(&self) -> Option<&'t str> {
        match self.peek() {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn take_word(&mut self, keyword: &str) -> bool {
        let is_next = self.is_word(keyword);
        self.at += usize::from(is_next);
        is_next
    }

    /// Whether the next word is this keyword, in whatever case.
    pub(crate) fn is_word(&self, keyword: &str) -> bool {
        self.word().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    /// Whether the next word is called.
    pub(crate) fn is_call(&self) -> bool {
        matches!(self.ahead(1), Some(Kind::Sign("(")))
    }

    /// Where the next token is.
    pub(crate) fn here(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |token| token.span.clone())
    }

    /// From `start` to the end of the last token.
    pub(crate) fn since(&self, start: usize) -> Range<usize> {
        start..self.at.checked_sub(1).map_or(start, |last| self.tokens[last].span.end)
    }

    pub(crate) fn unexpected(&self, expected: &str) -> Error {
        let message = match self.peek() {
            None => format!("{expected} is missing at the end"),
            Some(Kind::Text(_)) => format!("unexpected text where {expected} stands"),
            Some(Kind::Number(_)) => format!("unexpected number where {expected} stands"),
            Some(Kind::Time(_)) => format!("unexpected length of time where {expected} stands"),
            Some(Kind::Bytes(_)) => format!("unexpected size where {expected} stands"),
            Some(Kind::Range(_)) => format!("unexpected range where {expected} stands"),
            Some(Kind::Word(word) | Kind::Flag(word)) => format!("unexpected `{word}` where {expected} stands"),
            Some(Kind::Sign(sign)) => format!("unexpected `{sign}` where {expected} stands"),
        };
        Error::new(message, self.here())
    }

    /// Goes one level deeper, for as long as `inner` takes.
    pub(crate) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Error::new(format!("nested deeper than {DEEPEST} levels"), self.here()));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn higher(&self, height: usize) -> Result<usize, Error> {
        if height < HIGHEST {
            return Ok(height + 1);
        }
        Err(Error::new(format!("a chain of more than {HIGHEST} operators"), self.here()))
    }

    /// A word that can be a label.
    pub(crate) fn label(&mut self) -> Result<String, Error> {
        let Some(word) = self.word() else { return Err(self.unexpected("a label")) };
        let is_reserved = RESERVED.iter().any(|one| one.eq_ignore_ascii_case(word));
        if is_reserved || (self.is_call() && is_called(word)) {
            return Err(self.unexpected("a label").help("it is a word of LogQL, which can be no label in a query"));
        }
        self.skip();
        Ok(word.to_owned())
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        match self.peek() {
            Some(Kind::Text(text)) => {
                self.skip();
                Ok(text.clone())
            }
            _ => Err(self.unexpected("a quoted text")),
        }
    }

    /// Something, and more of it behind commas.
    pub(crate) fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let mut all = vec![one(self)?];
        while self.take(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// A number without a sign, as it is written.
    pub(crate) fn digits(&mut self) -> Option<&'t str> {
        let Some(Kind::Number(digits)) = self.peek() else { return None };
        self.skip();
        Some(digits)
    }

    /// A number without a sign.
    fn number(&mut self) -> Result<Option<f64>, Error> {
        let span = self.here();
        let Some(digits) = self.digits() else { return Ok(None) };
        match digits.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => Ok(Some(number)),
            None => Err(Error::new(format!("`{digits}` is no decimal number"), span)),
        }
    }

    /// An expression whose operators bind closer than `least`.
    fn expression(&mut self, least: u8) -> Result<High, Error> {
        let (mut left, mut height) = self.operand()?;
        while let Some(op) = self.operator().filter(|op| op.precedence() > least) {
            let span = self.here();
            self.skip();
            let (is_bool, matching, is_grouped) = self.modifiers()?;
            // `^` binds to the right.
            let least = op.precedence() - u8::from(op == Operator::Pow);
            let (right, other) = self.deeper(|parser| parser.expression(least))?;
            height = self.higher(height.max(other))?;
            left = Expr::Binary(Box::new(Binary { op, left, right, is_bool, matching, is_grouped, span }));
        }
        Ok((left, height))
    }

    /// An expression in parentheses, where `variants` alone cannot stand.
    fn inner(&mut self) -> Result<High, Error> {
        let inner = self.deeper(|parser| parser.expression(0))?;
        match &inner.0 {
            Expr::Variants(it) => Err(Error::new("`variants` stands in no parentheses", it.span.clone())),
            _ => Ok(inner),
        }
    }

    fn operator(&self) -> Option<Operator> {
        match self.peek()? {
            Kind::Sign(word) | Kind::Word(word) => Operator::of(word),
            _ => None,
        }
    }

    /// What may stand behind an operator: `bool`, `on` or `ignoring`, and a group modifier.
    fn modifiers(&mut self) -> Result<(bool, Option<Vec<String>>, bool), Error> {
        let is_bool = self.take_word("bool");
        if !(self.take_word("on") || self.take_word("ignoring")) {
            return Ok((is_bool, None, false));
        }
        let labels = self.labels()?;
        let is_grouped = self.take_word("group_left") || self.take_word("group_right");
        if is_grouped && self.is_sign("(") {
            self.labels()?;
        }
        Ok((is_bool, Some(labels), is_grouped))
    }

    /// Labels in parentheses.
    fn labels(&mut self) -> Result<Vec<String>, Error> {
        self.expect("(")?;
        if self.take(")") {
            return Ok(Vec::new());
        }
        let labels = self.list(Self::label)?;
        if self.take(")") { Ok(labels) } else { Err(self.unexpected("`,` or `)`")) }
    }

    fn operand(&mut self) -> Result<High, Error> {
        let start = self.here().start;
        if self.take("-") {
            let Some(number) = self.number()? else { return Err(self.unexpected("a number")) };
            return Ok((Expr::Number(-number), 1));
        }
        if self.take("+") && !matches!(self.peek(), Some(Kind::Number(_))) {
            return Err(self.unexpected("a number"));
        }
        if let Some(number) = self.number()? {
            return Ok((Expr::Number(number), 1));
        }
        match self.peek() {
            Some(Kind::Sign("{")) => Ok((Expr::Log(self.log()?), 1)),
            Some(Kind::Sign("(")) => {
                self.skip();
                let (inner, height) = self.inner()?;
                self.expect(")")?;
                Ok((inner, self.higher(height)?))
            }
            Some(Kind::Word(word)) => self.named(word, start),
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// What begins with a word.
    fn named(&mut self, word: &str, start: usize) -> Result<High, Error> {
        if let Some(function) = RangeFunction::of(word).filter(|_| self.is_call()) {
            self.skip();
            return Ok((self.range_aggregation(function, start)?, 1));
        }
        if let Some(op) = Aggregation::of(word).filter(|_| self.is_call() || self.is_grouped()) {
            self.skip();
            return self.vector_aggregation(op, start);
        }
        match word.to_ascii_lowercase().as_str() {
            "vector" if self.is_call() => {
                self.at += 2;
                let Some(number) = self.number()? else { return Err(self.unexpected("a number")) };
                self.expect(")")?;
                Ok((Expr::Constant(number), 1))
            }
            "label_replace" if self.is_call() => self.label_replace(start),
            "variants" if self.is_call() => self.variants(start),
            _ => Err(self.unknown(word)),
        }
    }

    /// Whether `by` or `without` comes behind the next word.
    fn is_grouped(&self) -> bool {
        let is_one = |word: &str| word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("without");
        matches!(self.ahead(1), Some(Kind::Word(word)) if is_one(word))
            && matches!(self.ahead(2), Some(Kind::Sign("(")))
    }

    /// A word that begins nothing.
    fn unknown(&self, word: &str) -> Error {
        match self.ahead(1) {
            Some(Kind::Sign("{")) => Error::new(format!("`{word}` before a selector of streams"), self.here())
                .help("LogQL has no names of metrics: select by a label, such as `{app=\"shop\"}`"),
            Some(Kind::Sign("(")) => Error::new(format!("there is no function `{word}`"), self.here()),
            _ => self.unexpected("an expression").help(
                "a query begins with a selector of streams, such as `{app=\"shop\"}`, or with a function over one",
            ),
        }
    }

    /// A selector in braces, and what is done with its lines.
    fn log(&mut self) -> Result<Log, Error> {
        let (matchers, span) = self.selector()?;
        let stages = self.stages()?;
        Ok(Log { matchers, span, stages })
    }

    fn selector(&mut self) -> Result<(Vec<Matcher>, Range<usize>), Error> {
        let start = self.here().start;
        self.expect("{")?;
        let matchers = if self.is_sign("}") { Vec::new() } else { self.list(Self::matcher)? };
        if !self.take("}") {
            return Err(self.unexpected("`,` or `}`"));
        }
        Ok((matchers, self.since(start)))
    }

    pub(crate) fn match_op(&self) -> Option<MatchOp> {
        match self.peek()? {
            Kind::Sign(sign) => MatchOp::of(sign),
            _ => None,
        }
    }

    /// A label, and what its value must be.
    pub(crate) fn matcher(&mut self) -> Result<Matcher, Error> {
        let name = self.label()?;
        self.match_of(name)
    }

    /// What the value of a label must be.
    pub(crate) fn match_of(&mut self, name: String) -> Result<Matcher, Error> {
        let Some(op) = self.match_op() else { return Err(self.unexpected("`=`, `!=`, `=~` or `!~`")) };
        self.skip();
        let span = self.here();
        let value = self.text()?;
        Matcher::new(name, op, value)
            .map_err(|wrong| Error::new(format!("the regular expression is wrong: {wrong}"), span))
    }

    fn range_aggregation(&mut self, function: RangeFunction, start: usize) -> Result<Expr, Error> {
        self.expect("(")?;
        let parameter = self.number()?;
        if parameter.is_some() {
            self.expect(",")?;
        }
        let at = self.here();
        let Lines { log, unwrap, range } = self.deeper(Self::lines)?;
        let Some((range, offset)) = range else {
            if self.is_sign(")") {
                return Err(Error::new(format!("`{function}` takes lines in a range of time"), at)
                    .help("write how far it reaches back, such as `[5m]`, before the parenthesis"));
            }
            return Err(self.unexpected("a range such as `[5m]`"));
        };
        self.expect(")")?;
        let grouping = self.grouping()?;
        let span = self.since(start);
        let aggregation = RangeAggregation { function, parameter, log, unwrap, range, offset, grouping, span };
        Ok(Expr::Range(Box::new(aggregation)))
    }

    /// Lines, perhaps in parentheses, with a range somewhere behind the selector.
    fn lines(&mut self) -> Result<Lines, Error> {
        if !self.is_sign("(") {
            let (matchers, span) = self.selector()?;
            let mut range = self.range()?;
            let stages = self.stages()?;
            let unwrap = self.unwrap()?;
            if range.is_none() {
                range = self.range()?;
            }
            return Ok(Lines { log: Log { matchers, span, stages }, unwrap, range });
        }
        self.skip();
        let is_inner = self.is_sign("(");
        let mut lines = self.deeper(Self::lines)?;
        self.expect(")")?;
        if lines.range.is_none() && !is_inner {
            lines.range = self.range()?;
            if lines.log.stages.is_empty() && lines.unwrap.is_none() {
                lines.unwrap = self.unwrap()?;
            }
        }
        Ok(lines)
    }

    /// A range and its offset, if there is one.
    fn range(&mut self) -> Result<Option<(Duration, Option<i64>)>, Error> {
        let Some(Kind::Range(range)) = self.peek() else { return Ok(None) };
        self.skip();
        if !self.take_word("offset") {
            return Ok(Some((*range, None)));
        }
        let Some(Kind::Time(offset)) = self.peek() else {
            return Err(self.unexpected("a length of time such as `5m`"));
        };
        self.skip();
        Ok(Some((*range, Some(*offset))))
    }

    /// `| unwrap label`, and what is kept of its values.
    fn unwrap(&mut self) -> Result<Option<Unwrap>, Error> {
        let start = self.here().start;
        if !(self.is_sign("|")
            && matches!(self.ahead(1), Some(Kind::Word(word)) if word.eq_ignore_ascii_case("unwrap")))
        {
            return Ok(None);
        }
        self.at += 2;
        let conversion = self.word().filter(|_| self.is_call()).map(Conversion::of);
        let (conversion, label) = match conversion {
            Some(None) => {
                return Err(self.unexpected("a conversion").help("expected `bytes`, `duration` or `duration_seconds`"));
            }
            Some(conversion) => {
                self.at += 2;
                let label = self.label()?;
                self.expect(")")?;
                (conversion, label)
            }
            None => (None, self.label()?),
        };
        let mut filters = Vec::new();
        while self.take("|") {
            filters.push(self.label_filter()?);
        }
        Ok(Some(Unwrap { label, conversion, filters, span: self.since(start) }))
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Error> {
        if self.take_word("by") {
            return self.labels().map(|labels| Some(Grouping::By(labels)));
        }
        if self.take_word("without") {
            return self.labels().map(|labels| Some(Grouping::Without(labels)));
        }
        Ok(None)
    }

    fn vector_aggregation(&mut self, op: Aggregation, start: usize) -> Result<High, Error> {
        let mut grouping = self.grouping()?;
        self.expect("(")?;
        let mut parameter = None;
        if let (Some(Kind::Number(digits)), Some(Kind::Sign(","))) = (self.peek(), self.ahead(1)) {
            self.at += 2;
            parameter = Some((*digits).to_owned());
        }
        let (expr, height) = self.inner()?;
        self.expect(")")?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let span = self.since(start);
        let aggregation = VectorAggregation { op, parameter, expr, grouping, span };
        Ok((Expr::Vector(Box::new(aggregation)), self.higher(height)?))
    }

    fn label_replace(&mut self, start: usize) -> Result<High, Error> {
        self.at += 2;
        let (expr, height) = self.inner()?;
        let mut next = || {
            self.expect(",")?;
            self.text()
        };
        let (target, replacement, source, regex) = (next()?, next()?, next()?, next()?);
        self.expect(")")?;
        let span = self.since(start);
        let replace = LabelReplace { expr, target, replacement, source, regex, span };
        Ok((Expr::LabelReplace(Box::new(replace)), self.higher(height)?))
    }

    fn variants(&mut self, start: usize) -> Result<High, Error> {
        self.at += 2;
        let mut highest = 0;
        let variants = self.list(|parser| {
            let (expr, height) = parser.inner()?;
            highest = highest.max(height);
            Ok(expr)
        })?;
        self.expect(")")?;
        if !self.take_word("of") {
            return Err(self.unexpected("`of`"));
        }
        self.expect("(")?;
        let Lines { log, range, .. } = self.deeper(Self::lines)?;
        let Some((range, _)) = range else { return Err(self.unexpected("a range such as `[5m]`")) };
        self.expect(")")?;
        let variants = Variants { variants, log, range, span: self.since(start) };
        Ok((Expr::Variants(Box::new(variants)), self.higher(highest)?))
    }
}
