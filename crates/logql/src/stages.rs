//! The grammar of what is done with lines: filters, parsers and formats, one behind the other.

use crate::Error;
use crate::ast::{
    Comparison, Extraction, LabelFilter, LabelFormat, LineFilter, LineOperator, Named, Sought, Stage, StageKind, Value,
};
use crate::lexer::Kind;
use crate::parser::Parser;
use vigil_forms::matcher::MatchOp;

/// What may stand behind `|`, for messages.
const STAGE: &str = "a filter, a parser or a format, such as `json` or `level=\"error\"`,";

/// The words that begin a stage which is no filter by labels.
const KEYWORDS: [&str; 10] =
    ["json", "logfmt", "regexp", "pattern", "unpack", "decolorize", "line_format", "label_format", "drop", "keep"];

impl Parser<'_> {
    /// All stages, up to an `unwrap`.
    pub(crate) fn stages(&mut self) -> Result<Vec<Stage>, Error> {
        let mut stages = Vec::new();
        loop {
            let start = self.here().start;
            let before = self.mark();
            let kind = if let Some(filter) = self.line_filter()? {
                StageKind::Line(filter)
            } else if self.take("|") {
                if self.is_word("unwrap") {
                    self.back_to(before);
                    return Ok(stages);
                }
                self.stage()?
            } else {
                return Ok(stages);
            };
            stages.push(Stage { kind, span: self.since(start) });
        }
    }

    /// What stands behind `|`.
    fn stage(&mut self) -> Result<StageKind, Error> {
        let Some(word) = self.word() else {
            let is_filter = self.is_sign("(");
            return if is_filter { self.label_filter().map(StageKind::Labels) } else { Err(self.unexpected(STAGE)) };
        };
        let keyword = word.to_ascii_lowercase();
        if !KEYWORDS.contains(&keyword.as_str()) {
            return self.label_filter().map(StageKind::Labels);
        }
        self.skip();
        Ok(match keyword.as_str() {
            "json" => StageKind::Json(self.extractions()?),
            "logfmt" => self.logfmt()?,
            "regexp" => StageKind::Regexp(self.text()?),
            "pattern" => StageKind::Pattern(self.text()?),
            "unpack" => StageKind::Unpack,
            "decolorize" => StageKind::Decolorize,
            "line_format" => StageKind::LineFormat(self.text()?),
            "label_format" => StageKind::LabelFormat(self.list(Self::label_format)?),
            "drop" => StageKind::Drop(self.list(Self::named_label)?),
            _ => StageKind::Keep(self.list(Self::named_label)?),
        })
    }

    /// `|= "a" or "b"`, if there is one.
    fn line_filter(&mut self) -> Result<Option<LineFilter>, Error> {
        let Some(Kind::Sign(sign)) = self.peek() else { return Ok(None) };
        let Some(op) = LineOperator::of(sign) else { return Ok(None) };
        self.skip();
        let mut sought = vec![self.sought()?];
        while self.take_word("or") {
            sought.push(self.sought()?);
        }
        Ok(Some(LineFilter { op, sought }))
    }

    fn sought(&mut self) -> Result<Sought, Error> {
        let start = self.here().start;
        let is_address = self.is_word("ip") && self.is_call();
        let text = if is_address { self.address()? } else { self.text()? };
        Ok(Sought { text, is_address, span: self.since(start) })
    }

    /// `ip("…")`.
    fn address(&mut self) -> Result<String, Error> {
        self.skip();
        self.expect("(")?;
        let text = self.text()?;
        self.expect(")")?;
        Ok(text)
    }

    fn logfmt(&mut self) -> Result<StageKind, Error> {
        let (mut strict, mut keep_empty) = (false, false);
        while let Some(Kind::Flag(flag)) = self.peek() {
            strict |= *flag == "--strict";
            keep_empty |= *flag == "--keep-empty";
            self.skip();
        }
        Ok(StageKind::Logfmt { strict, keep_empty, fields: self.extractions()? })
    }

    /// The fields that a parser is asked for, if it is.
    fn extractions(&mut self) -> Result<Vec<Extraction>, Error> {
        if self.word().is_none() {
            return Ok(Vec::new());
        }
        self.list(|parser| {
            let mut span = parser.here();
            let label = parser.label()?;
            let mut field = label.clone();
            if parser.take("=") {
                span = parser.here();
                field = parser.text()?;
            }
            Ok(Extraction { label, field, span })
        })
    }

    fn label_format(&mut self) -> Result<LabelFormat, Error> {
        let start = self.here().start;
        let label = self.label()?;
        self.expect("=")?;
        let is_rename = self.word().is_some();
        let source = if is_rename { self.label()? } else { self.text()? };
        Ok(LabelFormat { label, is_rename, source, span: self.since(start) })
    }

    fn named_label(&mut self) -> Result<Named, Error> {
        let label = self.label()?;
        if self.match_op().is_none() {
            return Ok(Named::Label(label));
        }
        self.match_of(label).map(Named::Matching)
    }

    /// What labels must be: comparisons, with `and`, `or` or a comma between them, or nothing.
    pub(crate) fn label_filter(&mut self) -> Result<LabelFilter, Error> {
        let first = self.label_comparison()?;
        let mut chain = vec![(false, first)];
        loop {
            let is_or = self.take_word("or");
            let is_joined = is_or || self.take_word("and") || self.take(",");
            if !is_joined && self.word().is_none() && !self.is_sign("(") {
                break;
            }
            chain.push((is_or, self.label_comparison()?));
        }
        if chain.len() > 1 {
            return Ok(LabelFilter::Chain(chain));
        }
        chain.pop().map(|(_, only)| only).ok_or_else(|| self.unexpected("a label"))
    }

    fn label_comparison(&mut self) -> Result<LabelFilter, Error> {
        if self.take("(") {
            let inner = self.deeper(Self::label_filter)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let label = self.label()?;
        let before = self.mark();
        let Some(Kind::Sign(sign)) = self.peek() else { return Err(self.unexpected("a comparison")) };
        self.skip();
        let equality = match *sign {
            "=" | "!=" => Some(*sign == "="),
            _ => None,
        };
        if let Some(equal) = equality.filter(|_| self.is_word("ip") && self.is_call()) {
            return Ok(LabelFilter::Address { label, equal, address: self.address()? });
        }
        if matches!(self.peek(), Some(Kind::Text(_))) && MatchOp::of(sign).is_some() {
            self.back_to(before);
            return self.match_of(label).map(LabelFilter::Text);
        }
        let op = Comparison::of(if *sign == "=" { "==" } else { sign });
        let Some(op) = op else {
            if MatchOp::of(sign).is_some() {
                return Err(self.unexpected("a quoted text"));
            }
            self.back_to(before);
            return Err(self.unexpected("a comparison"));
        };
        let value = match self.peek() {
            Some(Kind::Time(nanos)) => Value::Time(*nanos),
            Some(Kind::Bytes(bytes)) => Value::Bytes(*bytes),
            _ => {
                let is_minus = self.take("-");
                if !is_minus {
                    self.take("+");
                }
                let Some(digits) = self.digits() else {
                    return Err(self.unexpected("a number, a length of time or a size"));
                };
                // Those that are not decimal are taken, and worth nothing.
                let number: f64 = digits.replace('_', "").parse().unwrap_or_default();
                let value = Value::Number(if is_minus { -number } else { number });
                return Ok(LabelFilter::Value { label, op, value });
            }
        };
        self.skip();
        Ok(LabelFilter::Value { label, op, value })
    }
}
