//! LogQL, as Loki 3.7 reads it.
//!
//! ```text
//! text ─ lexer ─► tokens ─ parser ─► Expr ─ check ─► the Expr
//! ```
//!
//! Written from the documentation of the language. What Loki finds only when it begins to work is found here as well: regular
//! expressions, patterns, templates and ways through JSON that are none. `tests/readers.rs` holds this to the grammar of Grafana's
//! editor. One thing is left out that nobody means: Loki takes a sign that it does not know, such as `!` alone, for the name of a label.

mod ast;
mod check;
mod lexer;
mod parser;
mod path;
mod pattern;
mod stages;
mod template;

pub use ast::{
    Aggregation, Binary, Comparison, Conversion, Expr, Extraction, Grouping, LabelFilter, LabelFormat, LabelReplace,
    LineFilter, LineOperator, Log, Named, Operator, RangeAggregation, RangeFunction, Sought, Stage, StageKind, Unwrap,
    Value, Variants, VectorAggregation,
};
pub use vigil_forms::matcher::{MatchOp, Matcher};

use std::fmt;
use std::ops::Range;

/// Why a text is no LogQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong, without a place.
    pub message: String,
    /// The bytes of the text that are meant; empty where something is missing.
    pub span: Range<usize>,
    /// What helps, where that is known.
    pub help: Option<&'static str>,
}

impl Error {
    fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), span, help: None }
    }

    fn help(self, help: &'static str) -> Self {
        Self { help: Some(help), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// How many parentheses, calls and operands may be inside of each other. Loki has no limit, and nobody comes near.
pub const DEEPEST: usize = 100;

/// How high the tree of an expression may be: a chain of operators adds one for each.
pub const HIGHEST: usize = 500;

/// Reads a query.
///
/// # Errors
/// The first thing that is wrong: in its tokens, then in its grammar, then in what its parts say.
pub fn parse(text: &str) -> Result<Expr, Error> {
    let tokens = lexer::tokens(text)?;
    let expr = parser::parse(&tokens, text.len())?;
    check::check(&expr)?;
    check::selectors(&expr)?;
    Ok(expr)
}

#[cfg(test)]
mod tests;
