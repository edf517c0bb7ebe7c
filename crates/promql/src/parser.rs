//! The grammar: tokens to an expression.
//!
//! Source: `promql/parser/generated_parser.y`, and the methods of `parse.go` that its rules call.

use crate::ast::{
    Aggregate, Aggregation, At, Binary, Call, Cardinality, Expr, Grouping, Matching, Matrix, Modifiers, Offset,
    Operator, Selector, Subquery,
};
use crate::functions::{self, Life};
use crate::lexer::{KEYWORDS, Kind, Token};
use crate::needs::{DURATIONS, FILL, FUNCTIONS, Need, RANGES, Release};
use crate::{DEEPEST, Error, HIGHEST};
use std::ops::Range;
use std::time::Duration;
use vigil_forms::matcher::{MatchOp, Matcher};

/// Words that are no name of a metric.
const NO_METRIC: [&str; 6] = ["on", "ignoring", "group_left", "group_right", "bool", "atan2"];

/// The seconds that 64 bits of nanoseconds hold.
const LONGEST: f64 = 9_223_372_036.854_775;

/// Parses tokens of a text of `length` bytes.
pub(crate) fn parse(tokens: &[Token], length: usize) -> Result<(Expr, Vec<Need>), Error> {
    let mut parser = Parser { tokens, at: 0, end: length, depth: 0, needs: Vec::new() };
    if tokens.is_empty() {
        return Err(Error { message: "there is no expression".to_owned(), span: 0..length });
    }
    let (expr, _) = parser.expression(0)?;
    match parser.peek() {
        None => Ok((expr, parser.needs)),
        Some(_) => Err(parser.unexpected("an operator or the end")),
    }
}

/// An expression and the height of its tree.
type High = (Expr, usize);

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    end: usize,
    depth: usize,
    needs: Vec<Need>,
}

/// A duration: a number of seconds, or what only Prometheus can tell.
#[derive(Clone, Copy)]
enum Length {
    Known(f64),
    /// A number in parentheses. Newer releases do not look into these.
    Wrapped(f64),
    Told,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Kind::Sign(next)) if *next == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_next = self.is_sign(sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), Error> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    /// The next word in lower case, as keywords are.
    fn word(&self) -> Option<String> {
        match self.peek() {
            Some(Kind::Word(word)) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Kind::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(is_next);
        is_next
    }

    /// Where the next token is.
    fn here(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |token| token.span.clone())
    }

    /// From `start` to the end of the last token.
    fn since(&self, start: usize) -> Range<usize> {
        start..self.at.checked_sub(1).map_or(start, |last| self.tokens[last].span.end)
    }

    fn unexpected(&self, expected: &str) -> Error {
        let message = match self.peek() {
            None => format!("{expected} is missing at the end"),
            Some(Kind::Text(_)) => format!("unexpected text where {expected} stands"),
            Some(Kind::Number(_)) => format!("unexpected number where {expected} stands"),
            Some(Kind::Seconds(_)) => format!("unexpected duration where {expected} stands"),
            Some(Kind::Word(word) | Kind::Metric(word) | Kind::Label(word) | Kind::Keyword(word)) => {
                format!("unexpected `{word}` where {expected} stands")
            }
            Some(Kind::Sign(sign)) => format!("unexpected `{sign}` where {expected} stands"),
            Some(Kind::LateColon) => format!("unexpected `:` where {expected} stands"),
        };
        Error { message, span: self.here() }
    }

    fn need(&mut self, what: &str, span: Range<usize>) -> &mut Need {
        let at = self.needs.len();
        self.needs.push(Need { what: what.to_owned(), span, since: None, until: None, flag: None });
        &mut self.needs[at]
    }

    /// Goes one level deeper, for as long as `inner` takes.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Error { message: format!("nested deeper than {DEEPEST} levels"), span: self.here() });
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn higher(&self, height: usize) -> Result<usize, Error> {
        if height < HIGHEST {
            return Ok(height + 1);
        }
        Err(Error { message: format!("a chain of more than {HIGHEST} operators"), span: self.here() })
    }

    /// An expression whose operators bind closer than `least`.
    fn expression(&mut self, least: u8) -> Result<High, Error> {
        let (mut left, mut height) = self.operand()?;
        while let Some(op) = self.operator().filter(|op| op.precedence() > least) {
            let span = self.here();
            self.at += 1;
            if matches!(op, Operator::TrimUpper | Operator::TrimLower) {
                self.need("a trim operator", span.clone()).since = Some(Release(3, 11));
            }
            let (is_bool, matching, cardinality, fills) = self.modifiers_of_operator()?;
            // `^` binds to the right.
            let least = op.precedence() - u8::from(op == Operator::Pow);
            let (right, other) = self.deeper(|parser| parser.expression(least))?;
            height = self.higher(height.max(other))?;
            let cardinality = match cardinality {
                Cardinality::OneToOne if op.is_set() => Cardinality::ManyToMany,
                other => other,
            };
            left = Expr::Binary(Box::new(Binary { op, left, right, is_bool, matching, cardinality, fills, span }));
        }
        Ok((left, height))
    }

    fn operator(&self) -> Option<Operator> {
        match self.peek()? {
            Kind::Sign(sign) => Operator::of(sign),
            Kind::Word(word) => Operator::of(&word.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn modifiers_of_operator(&mut self) -> Result<(bool, Option<Matching>, Cardinality, bool), Error> {
        let is_bool = self.take_word("bool");
        let matching = if self.take_word("on") {
            Some(Matching::On(self.labels()?))
        } else if self.take_word("ignoring") {
            Some(Matching::Ignoring(self.labels()?))
        } else {
            None
        };
        let mut cardinality = Cardinality::OneToOne;
        if matching.is_some() {
            let is_left = self.take_word("group_left");
            if is_left || self.take_word("group_right") {
                let taken = if self.is_sign("(") { self.labels()? } else { Vec::new() };
                cardinality = if is_left { Cardinality::ManyToOne(taken) } else { Cardinality::OneToMany(taken) };
            }
        }
        let fills = self.fills()?;
        Ok((is_bool, matching, cardinality, fills))
    }

    /// `fill (…)`, or one or both of `fill_left (…)` and `fill_right (…)`; whether there are any.
    fn fills(&mut self) -> Result<bool, Error> {
        let start = self.at;
        let mut seen: Vec<String> = Vec::new();
        while let Some(word) = self.word().filter(|word| word.starts_with("fill")) {
            let is_next = match word.as_str() {
                "fill" => seen.is_empty(),
                "fill_left" | "fill_right" => seen.iter().all(|other| *other != word && other != "fill"),
                _ => false,
            };
            if !is_next || !matches!(self.tokens.get(self.at + 1), Some(Token { kind: Kind::Sign("("), .. })) {
                break;
            }
            let at = self.here();
            self.at += 2;
            self.sign_of_number();
            match self.peek() {
                Some(Kind::Number(_) | Kind::Seconds(_)) => self.at += 1,
                _ => return Err(self.unexpected("a number")),
            }
            self.expect(")")?;
            let need = self.need("a fill modifier", at);
            (need.since, need.flag) = (Some(Release(3, 10)), Some(FILL));
            seen.push(word);
        }
        Ok(self.at > start)
    }

    /// Takes `+` or `-`, and says whether it is the latter.
    fn sign_of_number(&mut self) -> Option<bool> {
        let minus = self.take("-");
        (minus || self.take("+")).then_some(minus)
    }

    /// Labels in parentheses.
    fn labels(&mut self) -> Result<Vec<String>, Error> {
        self.expect("(")?;
        let mut labels = Vec::new();
        loop {
            if self.is_sign(")") {
                break;
            }
            match self.peek() {
                Some(Kind::Word(label)) if !label.eq_ignore_ascii_case("without") => labels.push(label.clone()),
                Some(Kind::Metric(label) | Kind::Text(label)) if !label.is_empty() => labels.push(label.clone()),
                _ => return Err(self.unexpected("a label")),
            }
            self.at += 1;
            if !self.take(",") {
                break;
            }
            if self.is_sign(",") {
                return Err(self.unexpected("a label"));
            }
        }
        if self.take(")") { Ok(labels) } else { Err(self.unexpected("`,` or `)`")) }
    }

    /// What an operator works on: with its sign in front and its modifiers behind.
    fn operand(&mut self) -> Result<High, Error> {
        let sign = self.here();
        if let Some(is_minus) = self.sign_of_number() {
            let (expr, height) = self.deeper(|parser| parser.expression(Operator::Mul.precedence()))?;
            return Ok(match expr {
                Expr::Number(number) => (Expr::Number(if is_minus { -number } else { number }), height),
                expr => (Expr::Unary(Box::new(expr)), self.higher(height)?),
            });
        }
        let (mut expr, mut height) = self.primary()?;
        loop {
            let start = sign.start;
            expr = if self.is_sign("[") {
                height = self.higher(height)?;
                self.range(expr, start)?
            } else if self.take("@") {
                self.timestamp(expr, start)?
            } else if self.take_word("offset") {
                self.offset(expr, start)?
            } else if self.take_word("anchored") {
                self.extended(expr, start, true)?
            } else if self.take_word("smoothed") {
                self.extended(expr, start, false)?
            } else {
                return Ok((expr, height));
            };
        }
    }

    fn primary(&mut self) -> Result<High, Error> {
        let start = self.here().start;
        let Some(kind) = self.peek().cloned() else { return Err(self.unexpected("an expression")) };
        self.at += 1;
        match kind {
            Kind::Number(number) | Kind::Seconds(number) => Ok((Expr::Number(number), 1)),
            Kind::Text(text) => Ok((Expr::String(text), 1)),
            Kind::Sign("(") => {
                let (inner, height) = self.deeper(|parser| parser.expression(0))?;
                self.expect(")")?;
                Ok((Expr::Paren(Box::new(inner)), self.higher(height)?))
            }
            Kind::Sign("{") => self.selector(None, start),
            Kind::Metric(name) => self.metric(name, start),
            Kind::Word(name) => self.named(name, start),
            _ => {
                self.at -= 1;
                Err(self.unexpected("an expression"))
            }
        }
    }

    /// What begins with a word: an aggregation, a call or a metric.
    fn named(&mut self, name: String, start: usize) -> Result<High, Error> {
        let lower = name.to_ascii_lowercase();
        let has_arguments = self.is_sign("(");
        if let Some(op) = Aggregation::of(&lower)
            && (has_arguments || self.word().is_some_and(|word| matches!(word.as_str(), "by" | "without")))
        {
            return self.aggregate(op, start);
        }
        if has_arguments && Operator::of(&lower).is_none() {
            return self.call(&name, start);
        }
        if NO_METRIC.contains(&lower.as_str()) {
            self.at -= 1;
            return Err(self.unexpected("an expression"));
        }
        self.metric(name, start)
    }

    fn metric(&mut self, name: String, start: usize) -> Result<High, Error> {
        if self.take("{") {
            return self.selector(Some(name), start);
        }
        let selector = Selector { name: Some(name), span: self.since(start), is_before: true, ..Selector::default() };
        Ok((Expr::Vector(selector), 1))
    }

    /// What stands in braces, the first of which is taken.
    fn selector(&mut self, name: Option<String>, start: usize) -> Result<High, Error> {
        let (mut matchers, mut inner) = (Vec::new(), None);
        while !self.is_sign("}") {
            // A text alone is the metric.
            if let Some(Token { kind: Kind::Text(text), .. }) = self.tokens.get(self.at) {
                inner = inner.or_else(|| self.match_op(self.at + 1).is_none().then(|| text.clone()));
            }
            matchers.push(self.matcher()?);
            if !self.take(",") {
                break;
            }
        }
        if !self.take("}") {
            return Err(self.unexpected("`,` or `}`"));
        }
        let is_before = name.is_some();
        let selector =
            Selector { name: name.or(inner), matchers, is_before, span: self.since(start), ..Selector::default() };
        Ok((Expr::Vector(selector), 1))
    }

    fn match_op(&self, at: usize) -> Option<MatchOp> {
        match self.tokens.get(at)?.kind {
            Kind::Sign(sign) => MatchOp::of(sign),
            _ => None,
        }
    }

    fn matcher(&mut self) -> Result<Matcher, Error> {
        let (name, is_text) = match self.peek() {
            Some(Kind::Label(name)) => (name.clone(), false),
            Some(Kind::Text(name)) => (name.clone(), true),
            _ => return Err(self.unexpected("a label")),
        };
        self.at += 1;
        let Some(op) = self.match_op(self.at) else {
            if !is_text {
                return Err(self.unexpected("`=`, `!=`, `=~` or `!~`"));
            }
            let matches_empty = name.is_empty();
            return Ok(Matcher { name: "__name__".to_owned(), op: MatchOp::Equal, value: name, matches_empty });
        };
        self.at += 1;
        let Some(Kind::Text(value)) = self.peek() else { return Err(self.unexpected("a quoted text")) };
        let matcher = Matcher::new(name, op, value.clone()).map_err(|wrong| Error {
            message: format!("the regular expression is wrong: {wrong}"),
            span: self.here(),
        })?;
        self.at += 1;
        Ok(matcher)
    }

    fn aggregate(&mut self, op: Aggregation, start: usize) -> Result<High, Error> {
        let mut grouping = self.grouping()?;
        let (mut arguments, height) = self.arguments()?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let span = self.since(start);
        if matches!(op, Aggregation::LimitK | Aggregation::LimitRatio) {
            self.need(&format!("`{op}`"), span.clone()).flag = Some((FUNCTIONS, None));
        }
        let wanted = if op.parameter().is_some() { 2 } else { 1 };
        if arguments.len() != wanted {
            let takes = if wanted == 2 { "two arguments" } else { "one argument" };
            return Err(Error { message: format!("`{op}` takes {takes}, not {}", arguments.len()), span });
        }
        let Some(expr) = arguments.pop() else { return Err(self.unexpected("an argument")) };
        let aggregate = Aggregate { op, parameter: arguments.pop(), expr, grouping, span };
        Ok((Expr::Aggregate(Box::new(aggregate)), self.higher(height)?))
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

    /// Expressions in parentheses, and the height of the highest.
    fn arguments(&mut self) -> Result<(Vec<Expr>, usize), Error> {
        self.expect("(")?;
        let (mut arguments, mut highest) = (Vec::new(), 0);
        if self.take(")") {
            return Ok((arguments, highest));
        }
        loop {
            let (argument, height) = self.deeper(|parser| parser.expression(0))?;
            arguments.push(argument);
            highest = highest.max(height);
            if self.take(")") {
                return Ok((arguments, highest));
            }
            if !self.take(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    fn call(&mut self, name: &str, start: usize) -> Result<High, Error> {
        let span = self.since(start);
        let Some(function) = functions::function(name) else {
            let near = functions::names().filter(|known| is_near(known, name));
            let near = near.min_by_key(|known| !known.starts_with(name));
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(Error { message: format!("there is no function `{name}`{near}"), span });
        };
        let flag = Some((FUNCTIONS, None));
        let (since, until, flag) = match function.life {
            Life::Stable => (None, None, None),
            Life::StableSince(release) => (None, None, Some((FUNCTIONS, Some(release)))),
            Life::Experimental => (None, None, flag),
            Life::ExperimentalSince(release) => (Some(release), None, flag),
            Life::Until(release) => (None, Some(release), None),
        };
        if since.is_some() || until.is_some() || flag.is_some() {
            let need = self.need(&format!("the function `{name}`"), span);
            (need.since, need.until, need.flag) = (since, until, flag);
        }
        let (arguments, height) = self.arguments()?;
        let call = Call { function, arguments, span: self.since(start) };
        Ok((Expr::Call(call), self.higher(height)?))
    }

    /// What may be said once of a selector or a subquery.
    fn modifiers<'e>(expr: &'e mut Expr, what: &str, span: Range<usize>) -> Result<&'e mut Modifiers, Error> {
        match expr {
            Expr::Vector(it) => Ok(&mut it.modifiers),
            Expr::Matrix(it) => Ok(&mut it.selector.modifiers),
            Expr::Subquery(it) => Ok(&mut it.modifiers),
            _ => Err(Error { message: format!("{what} stands behind a selector or a subquery alone"), span }),
        }
    }

    fn range(&mut self, expr: Expr, start: usize) -> Result<Expr, Error> {
        let open = self.here();
        self.at += 1;
        let range = self.positive()?;
        if self.take("]") {
            let span = open.start..self.since(start).end;
            let wrong = |message: &str| Error { message: message.to_owned(), span: span.clone() };
            let Expr::Vector(selector) = expr else {
                return Err(wrong(
                    "a range stands behind a selector; behind an expression, write a subquery such as `[5m:]`",
                ));
            };
            match selector.modifiers.offset {
                None | Some(Offset::Zero) => {}
                Some(Offset::Time) => return Err(wrong("`offset` stands behind the range")),
                Some(Offset::Expression) => {
                    self.need("an `offset` with an expression before the range", span.clone()).until =
                        Some(Release(3, 14));
                }
            }
            match selector.modifiers.at {
                None => {}
                Some(At::Time) => return Err(wrong("`@` stands behind the range")),
                Some(At::StartOrEnd) => {
                    self.need("`@` before the range", span.clone()).until = Some(Release(3, 14));
                }
            }
            return Ok(Expr::Matrix(Box::new(Matrix { selector, range: time(range) })));
        }
        if matches!(self.peek(), Some(Kind::LateColon)) {
            let here = self.here();
            self.need("a subquery whose range has no number", here).since = Some(Release(3, 16));
            self.at += 1;
        } else if !self.take(":") {
            return Err(self.unexpected("`:` or `]`"));
        }
        let step = if self.is_sign("]") { None } else { time(self.positive()?) };
        self.expect("]")?;
        let span = self.since(start);
        Ok(Expr::Subquery(Box::new(Subquery { expr, range: time(range), step, span, modifiers: Modifiers::default() })))
    }

    fn timestamp(&mut self, mut expr: Expr, start: usize) -> Result<Expr, Error> {
        let sign = self.sign_of_number();
        let at = match self.peek().cloned() {
            Some(Kind::Number(time) | Kind::Seconds(time)) => {
                self.at += 1;
                // 64 bits of milliseconds; Prometheus compares with seconds.
                let is_time = time.abs() < 9_223_372_036_854_775_807.0;
                if !is_time {
                    return Err(Error { message: "`@` takes a time in seconds".to_owned(), span: self.since(start) });
                }
                At::Time
            }
            Some(Kind::Word(word))
                if sign.is_none() && matches!(word.to_ascii_lowercase().as_str(), "start" | "end") =>
            {
                self.at += 1;
                self.expect("(")?;
                self.expect(")")?;
                At::StartOrEnd
            }
            _ => return Err(self.unexpected("a time in seconds, `start()` or `end()`")),
        };
        let span = self.since(start);
        let modifiers = Self::modifiers(&mut expr, "`@`", span.clone())?;
        if modifiers.at.replace(at).is_some() {
            return Err(Error { message: "`@` stands twice".to_owned(), span });
        }
        Ok(expr)
    }

    fn extended(&mut self, mut expr: Expr, start: usize, anchored: bool) -> Result<Expr, Error> {
        let (word, span) = (if anchored { "anchored" } else { "smoothed" }, self.since(start));
        if matches!(expr, Expr::Subquery(_)) {
            return Err(Error { message: format!("`{word}` does not stand behind a subquery"), span });
        }
        let modifiers = Self::modifiers(&mut expr, &format!("`{word}`"), span.clone())?;
        if anchored {
            modifiers.anchored = true;
        } else {
            modifiers.smoothed = true;
        }
        if modifiers.anchored && modifiers.smoothed {
            return Err(Error { message: "`anchored` and `smoothed` stand together".to_owned(), span });
        }
        let need = self.need(&format!("`{word}`"), span);
        (need.since, need.flag) = (Some(Release(3, 7)), Some(RANGES));
        Ok(expr)
    }

    fn offset(&mut self, mut expr: Expr, start: usize) -> Result<Expr, Error> {
        let offset = match self.offset_length()? {
            Length::Known(0.0) | Length::Wrapped(0.0) => Offset::Zero,
            Length::Known(_) | Length::Wrapped(_) => Offset::Time,
            Length::Told => Offset::Expression,
        };
        let span = self.since(start);
        let modifiers = Self::modifiers(&mut expr, "`offset`", span.clone())?;
        match modifiers.offset.replace(offset) {
            None | Some(Offset::Zero) => Ok(expr),
            Some(_) => Err(Error { message: "`offset` stands twice".to_owned(), span }),
        }
    }

    /// The duration behind `offset`. What follows a number, a call or a sign with parentheses is not its own any more;
    /// what follows parentheses or two signs is.
    fn offset_length(&mut self) -> Result<Length, Error> {
        let start = self.at;
        let sign = self.sign_of_number();
        match self.peek() {
            Some(Kind::Number(_) | Kind::Seconds(_)) => {
                let length = self.number()?;
                return self.signed(sign, length);
            }
            Some(Kind::Sign("(")) if sign.is_some() => {
                let open = self.here();
                self.at += 1;
                let inner = self.length(0)?;
                self.expect(")")?;
                // Earlier releases refuse a number here, and take everything else without the flag.
                if !matches!(inner, Length::Told) {
                    let span = self.since(open.start);
                    self.need("a number in parentheses behind `offset -`", span).since = Some(Release(3, 13));
                }
                return self.signed(sign, inner);
            }
            Some(Kind::Word(_)) => {
                let call = self.call_of_length()?;
                return self.signed(sign, call);
            }
            _ => {}
        }
        self.at = start;
        self.length(0)
    }

    fn signed(&self, sign: Option<bool>, length: Length) -> Result<Length, Error> {
        match (sign, length) {
            (Some(true), Length::Known(seconds)) => self.bounded(-seconds),
            (Some(true), Length::Wrapped(seconds)) => Ok(Length::Wrapped(-seconds)),
            (_, Length::Known(seconds)) => self.bounded(seconds),
            (_, other) => Ok(other),
        }
    }

    fn bounded(&self, seconds: f64) -> Result<Length, Error> {
        if seconds.abs() > LONGEST {
            let last = self.at.saturating_sub(1);
            let span = self.tokens.get(last).map_or(0..0, |token| token.span.clone());
            return Err(Error { message: "a duration of more than 292 years".to_owned(), span });
        }
        Ok(Length::Known(seconds))
    }

    fn number(&mut self) -> Result<Length, Error> {
        match self.peek() {
            Some(Kind::Number(seconds) | Kind::Seconds(seconds)) => {
                let seconds = *seconds;
                self.at += 1;
                self.bounded(seconds)
            }
            _ => Err(self.unexpected("a duration such as `5m`")),
        }
    }

    /// A duration that is more than nothing.
    fn positive(&mut self) -> Result<Length, Error> {
        let start = self.here().start;
        let length = self.length(0)?;
        match length {
            Length::Known(seconds) if seconds <= 0.0 => {
                Err(Error { message: "a range or step is longer than nothing".to_owned(), span: self.since(start) })
            }
            Length::Wrapped(seconds) if seconds <= 0.0 => {
                let span = self.since(start);
                self.need("a range that is no longer than nothing", span).since = Some(Release(3, 15));
                Ok(length)
            }
            _ => Ok(length),
        }
    }

    /// An expression for a duration whose operators bind closer than `least`.
    fn length(&mut self, least: u8) -> Result<Length, Error> {
        let start = self.here().start;
        let mut left = self.length_operand()?;
        loop {
            let op = match self.peek() {
                Some(Kind::Sign(sign)) if "+-*/%^".contains(*sign) => Operator::of(sign),
                _ => None,
            };
            let Some(op) = op.filter(|op| op.precedence() > least) else { return Ok(left) };
            self.at += 1;
            let least = op.precedence() - u8::from(op == Operator::Pow);
            let right = self.deeper(|parser| parser.length(least))?;
            if matches!((op, right), (Operator::Div | Operator::Mod, Length::Known(0.0))) {
                return Err(Error { message: "a duration is divided by zero".to_owned(), span: self.since(start) });
            }
            if matches!((op, right), (Operator::Div | Operator::Mod, Length::Wrapped(0.0))) {
                let span = self.since(start);
                self.need("a duration divided by zero", span).since = Some(Release(3, 15));
            }
            self.duration_expression(start);
            left = Length::Told;
        }
    }

    fn length_operand(&mut self) -> Result<Length, Error> {
        if let Some(is_minus) = self.sign_of_number() {
            let inner = self.deeper(|parser| parser.length(Operator::Mul.precedence()))?;
            return self.signed(Some(is_minus), inner);
        }
        let open = self.here().start;
        match self.peek() {
            Some(Kind::Sign("(")) => {
                self.at += 1;
                let inner = self.deeper(|parser| parser.length(0))?;
                self.expect(")")?;
                self.duration_expression(open);
                Ok(if let Length::Known(seconds) = inner { Length::Wrapped(seconds) } else { inner })
            }
            Some(Kind::Word(_) | Kind::Keyword(_)) => self.call_of_length(),
            _ => self.number(),
        }
    }

    /// `step()`, `range()`, `min_of(…, …)` and the like.
    fn call_of_length(&mut self) -> Result<Length, Error> {
        let start = self.here().start;
        let word = match self.peek() {
            Some(Kind::Word(word)) => word.to_ascii_lowercase(),
            Some(Kind::Keyword(word)) => word.clone(),
            _ => String::new(),
        };
        if !KEYWORDS.contains(&word.as_str()) {
            return Err(self.unexpected("a duration such as `5m`"));
        }
        self.at += 1;
        self.expect("(")?;
        if !matches!(word.as_str(), "step" | "range") {
            self.deeper(|parser| parser.length(0))?;
            self.expect(",")?;
            self.deeper(|parser| parser.length(0))?;
        }
        self.expect(")")?;
        let span = self.since(start);
        let need = self.need(&format!("`{word}()` in a duration"), span);
        (need.since, need.until) = match word.as_str() {
            "range" => (Some(Release(3, 10)), None),
            "min_of" | "max_of" => (Some(Release(3, 13)), None),
            "min" | "max" => (Some(Release(3, 6)), Some(Release(3, 12))),
            _ => (Some(Release(3, 6)), None),
        };
        Ok(Length::Told)
    }

    fn duration_expression(&mut self, start: usize) {
        let span = self.since(start);
        let need = self.need("an expression for a duration", span);
        (need.since, need.flag) = (Some(Release(3, 4)), Some(DURATIONS));
    }
}

/// The time that a number of seconds is, to the millisecond.
fn time(length: Length) -> Option<Duration> {
    match length {
        Length::Known(seconds) | Length::Wrapped(seconds) => {
            Duration::try_from_secs_f64((seconds * 1000.0).round() / 1000.0).ok()
        }
        Length::Told => None,
    }
}

/// Whether two names differ by one letter, or by letters that changed places.
fn is_near(known: &str, name: &str) -> bool {
    let (known, name): (Vec<char>, Vec<char>) = (known.chars().collect(), name.to_ascii_lowercase().chars().collect());
    if known.len().abs_diff(name.len()) > 1 {
        return false;
    }
    let same = known.iter().zip(&name).take_while(|(a, b)| a == b).count();
    let (a, b) = (&known[same..], &name[same..]);
    let tail = |from: &[char], other: &[char], skip: (usize, usize)| from.get(skip.0..) == other.get(skip.1..);
    let swapped = a.len() >= 2 && b.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    tail(a, b, (0, 0)) || tail(a, b, (1, 1)) || tail(a, b, (1, 0)) || tail(a, b, (0, 1)) || swapped
}
