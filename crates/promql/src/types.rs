//! The types of expressions, and what goes together.
//!
//! Source: `checkAST` of `promql/parser/parse.go`.

use crate::Error;
use crate::ast::{Aggregate, Binary, Call, Cardinality, Expr, Matching, Selector};
use crate::functions::Count;
use std::fmt;
use std::ops::Range;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A number.
    Scalar,
    /// The newest sample of each series.
    Vector,
    /// All samples of each series in a range of time.
    Matrix,
    /// A text.
    String,
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Scalar => "a number",
            Self::Vector => "an instant vector",
            Self::Matrix => "a range vector",
            Self::String => "a text",
        })
    }
}

/// Judges an expression and all its parts.
pub(crate) fn check(expr: &Expr) -> Result<Type, Error> {
    match expr {
        Expr::Vector(it) => selector(it, true)?,
        Expr::Matrix(it) => selector(&it.selector, true)?,
        Expr::Paren(inner) => return check(inner),
        Expr::Unary(inner) => {
            let inner_type = check(inner)?;
            if !matches!(inner_type, Type::Scalar | Type::Vector) {
                return wrong(format!("`-` and `+` take a number or an instant vector, not {inner_type}"), span(inner));
            }
        }
        Expr::Subquery(it) => {
            let inner = check(&it.expr)?;
            if inner != Type::Vector {
                return wrong(format!("a subquery is of an instant vector, not of {inner}"), it.span.clone());
            }
        }
        Expr::Aggregate(it) => aggregate(it)?,
        Expr::Call(it) => call(it)?,
        Expr::Binary(it) => binary(it)?,
        Expr::Number(_) | Expr::String(_) => {}
    }
    Ok(expr.value_type())
}

fn wrong<T>(message: String, span: Range<usize>) -> Result<T, Error> {
    Err(Error { message, span })
}

/// Where an expression stands, as far as it is known.
fn span(expr: &Expr) -> Range<usize> {
    match expr {
        Expr::Vector(it) => it.span.clone(),
        Expr::Matrix(it) => it.selector.span.clone(),
        Expr::Subquery(it) => it.span.clone(),
        Expr::Aggregate(it) => it.span.clone(),
        Expr::Call(it) => it.span.clone(),
        Expr::Binary(it) => it.span.clone(),
        Expr::Unary(it) | Expr::Paren(it) => span(it),
        Expr::Number(_) | Expr::String(_) => 0..0,
    }
}

fn selector(selector: &Selector, must_pick: bool) -> Result<(), Error> {
    if let Some(name) = selector.name.as_ref().filter(|_| selector.is_before) {
        let other = selector.matchers.iter().find(|matcher| matcher.name == "__name__");
        return other.map_or(Ok(()), |other| {
            wrong(format!("the metric is named twice: `{name}` and `{}`", other.value), selector.span.clone())
        });
    }
    if must_pick && selector.matchers.iter().all(|matcher| matcher.matches_empty) {
        let message =
            "a selector needs a metric or a matcher that does not match an empty text: it would select every series";
        return wrong(message.to_owned(), selector.span.clone());
    }
    Ok(())
}

fn aggregate(aggregate: &Aggregate) -> Result<(), Error> {
    let inner = check(&aggregate.expr)?;
    if inner != Type::Vector {
        return wrong(format!("`{}` takes an instant vector, not {inner}", aggregate.op), aggregate.span.clone());
    }
    let (Some(wanted), Some(parameter)) = (aggregate.op.parameter(), &aggregate.parameter) else { return Ok(()) };
    let given = check(parameter)?;
    if given != wanted {
        return wrong(format!("`{}` takes {wanted} first, not {given}", aggregate.op), aggregate.span.clone());
    }
    Ok(())
}

fn call(call: &Call) -> Result<(), Error> {
    let (function, given) = (call.function, call.arguments.len());
    let types = function.arguments;
    let (least, most) = match function.count {
        Count::All => (types.len(), Some(types.len())),
        Count::UpTo(more) => (types.len() - 1, Some(types.len() - 1 + more)),
        Count::Any => (types.len() - 1, None),
    };
    if given < least || most.is_some_and(|most| given > most) {
        let takes = match most {
            Some(most) if most == least => format!("{least}"),
            Some(most) => format!("{least} to {most}"),
            None => format!("{least} or more"),
        };
        return wrong(format!("`{}` takes {takes} arguments, not {given}", function.name), call.span.clone());
    }
    let is_info = function.name == "info";
    for (at, argument) in call.arguments.iter().enumerate() {
        // What `info` adds is told by labels alone, and may be everything.
        if is_info && at == 1 {
            match argument {
                Expr::Vector(it) if !it.is_before => selector(it, false)?,
                _ => return wrong("`info` takes labels in braces second".to_owned(), call.span.clone()),
            }
            continue;
        }
        let (given, wanted) = (check(argument)?, types[at.min(types.len() - 1)]);
        if given != wanted {
            let hint = match (wanted, given) {
                (Type::Matrix, Type::Vector) => ": write its range, such as `[5m]`",
                (Type::Vector, Type::Matrix) => ": take the range away",
                _ => "",
            };
            return wrong(format!("`{}` takes {wanted}, not {given}{hint}", function.name), span_of(argument, call));
        }
    }
    Ok(())
}

fn span_of(argument: &Expr, call: &Call) -> Range<usize> {
    let own = span(argument);
    if own.is_empty() { call.span.clone() } else { own }
}

fn binary(binary: &Binary) -> Result<(), Error> {
    let (left, right) = (check(&binary.left)?, check(&binary.right)?);
    let op = binary.op;
    let wrong = |message: String| wrong(message, binary.span.clone());
    if binary.is_bool && !op.is_comparison() {
        return wrong(format!("`bool` stands behind comparisons, not behind `{op}`"));
    }
    if op.is_comparison() && !binary.is_bool && (left, right) == (Type::Scalar, Type::Scalar) {
        return wrong(format!("two numbers are compared with `{op} bool`"));
    }
    if let (Some(Matching::On(labels)), taken) = (&binary.matching, binary.cardinality.taken())
        && let Some(label) = labels.iter().find(|label| taken.contains(label))
    {
        return wrong(format!("`{label}` stands in `on` and in the group modifier"));
    }
    for side in [left, right] {
        if !matches!(side, Type::Scalar | Type::Vector) {
            return wrong(format!("`{op}` takes numbers and instant vectors, not {side}"));
        }
    }
    if (left, right) == (Type::Vector, Type::Vector) {
        let grouped = matches!(binary.cardinality, Cardinality::ManyToOne(_) | Cardinality::OneToMany(_));
        if op.is_set() && grouped {
            return wrong(format!("`{op}` takes no group modifier"));
        }
        if op.is_set() && binary.fills {
            return wrong(format!("`{op}` takes no fill modifier"));
        }
        return Ok(());
    }
    if binary.matching.as_ref().is_some_and(|matching| !matching.labels().is_empty()) {
        return wrong("`on` and `ignoring` stand between two instant vectors".to_owned());
    }
    if binary.fills {
        return wrong("a fill modifier stands between two instant vectors".to_owned());
    }
    if op.is_set() {
        return wrong(format!("`{op}` takes two instant vectors"));
    }
    Ok(())
}
