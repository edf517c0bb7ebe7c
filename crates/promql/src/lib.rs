//! PromQL, as Prometheus 3.8 to 3.16 parses it.
//!
//! ```text
//! text ─ lexer ─► tokens ─ parser ─► Expr ─ types ─► Query: the Expr, and what it needs of Prometheus
//! ```
//!
//! Source: `promql/parser` of github.com/prometheus/prometheus, v0.308.1 and v0.316.0: what both take is taken, and what
//! only some releases take, or only behind a feature flag, is told as a [`Need`]. `tests/prometheus.rs` holds this to the
//! parser of the Prometheus that stacks run.

mod ast;
mod functions;
mod lexer;
mod needs;
mod parser;
mod types;

pub use ast::{
    Aggregate, Aggregation, Binary, Call, Cardinality, Expr, Grouping, Matching, Matrix, Operator, Selector, Subquery,
};
pub use functions::Function;
pub use needs::{Need, Release};
pub use types::Type;
pub use vigil_forms::matcher::{MatchOp, Matcher};

use std::fmt;
use std::ops::Range;

/// What a text says.
#[derive(Clone, Debug)]
pub struct Query {
    /// What is asked.
    pub expr: Expr,
    /// What only some releases of Prometheus know, or only with a feature flag; in the order of the text.
    pub needs: Vec<Need>,
}

/// Why a text is no PromQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong, without a place.
    pub message: String,
    /// The bytes of the text that are meant; empty where something is missing.
    pub span: Range<usize>,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// How many parentheses, calls and operands may be inside of each other. Prometheus has no limit, and nobody comes near.
pub const DEEPEST: usize = 100;

/// How high the tree of an expression may be: a chain of operators adds one for each.
pub const HIGHEST: usize = 500;

/// Parses a query.
///
/// # Errors
/// The first thing that is wrong: in its tokens, then in its grammar, then in its types.
pub fn parse(text: &str) -> Result<Query, Error> {
    let tokens = lexer::tokens(text)?;
    let (expr, mut needs) = parser::parse(&tokens, text.len())?;
    types::check(&expr)?;
    needs.sort_by_key(|need| need.span.start);
    Ok(Query { expr, needs })
}

#[cfg(test)]
mod tests;
