//! What a query is made of.

use crate::functions::Function;
use crate::types::Type;
use std::fmt;
use std::ops::Range;
use std::time::Duration;
use vigil_forms::matcher::Matcher;

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// The newest sample of each series.
    Vector(Selector),
    /// All samples of each series in a range of time.
    Matrix(Box<Matrix>),
    /// An expression, evaluated again and again over a range of time.
    Subquery(Box<Subquery>),
    /// A function of its arguments.
    Call(Call),
    /// Many series made into fewer.
    Aggregate(Box<Aggregate>),
    /// Two expressions and what is done with them.
    Binary(Box<Binary>),
    /// `-` or `+` before an expression that is no number.
    Unary(Box<Expr>),
    /// An expression in parentheses.
    Paren(Box<Expr>),
    /// A number, or a duration as a number of seconds.
    Number(f64),
    /// A text.
    String(String),
}

/// A selector of series.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// The metric before the braces, or the one that stands in them as a text alone.
    pub name: Option<String>,
    /// What stands in the braces.
    pub matchers: Vec<Matcher>,
    /// The metric stands before the braces.
    pub(crate) is_before: bool,
    pub(crate) span: Range<usize>,
    pub(crate) modifiers: Modifiers,
}

/// What may be said once of a selector or a subquery.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modifiers {
    pub(crate) offset: Option<Offset>,
    pub(crate) at: Option<At>,
    pub(crate) anchored: bool,
    pub(crate) smoothed: bool,
}

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offset {
    Zero,
    Time,
    Expression,
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Time,
    StartOrEnd,
}

/// Samples over a range of time.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// Whose samples.
    pub selector: Selector,
    /// How far they reach back; nothing where only the query's own range tells.
    pub range: Option<Duration>,
}

/// An expression over a range of time.
#[derive(Clone, Debug)]
pub struct Subquery {
    /// What is evaluated.
    pub expr: Expr,
    /// How far it reaches back; nothing where only the query's own range tells.
    pub range: Option<Duration>,
    /// The time between two evaluations, if it is given and known.
    pub step: Option<Duration>,
    pub(crate) span: Range<usize>,
    pub(crate) modifiers: Modifiers,
}

/// A function and its arguments.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function.
    pub function: &'static Function,
    /// Its arguments, as many as it takes.
    pub arguments: Vec<Expr>,
    pub(crate) span: Range<usize>,
}

/// Many series made into fewer.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// How.
    pub op: Aggregation,
    /// The number or the label that comes first, for those that take one.
    pub parameter: Option<Expr>,
    /// Of what.
    pub expr: Expr,
    /// What is left apart.
    pub grouping: Option<Grouping>,
    pub(crate) span: Range<usize>,
}

/// The labels that an aggregation keeps or leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// `by`.
    By(Vec<String>),
    /// `without`.
    Without(Vec<String>),
}

impl Grouping {
    /// The labels that are named.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::By(labels) | Self::Without(labels) => labels,
        }
    }
}

/// Two expressions and an operator between them.
#[derive(Clone, Debug)]
pub struct Binary {
    /// What is done.
    pub op: Operator,
    /// With what.
    pub left: Expr,
    /// And with what.
    pub right: Expr,
    /// Comparisons give 0 or 1 instead of leaving series out.
    pub is_bool: bool,
    /// The labels by which series are matched, if they are named.
    pub matching: Option<Matching>,
    /// How many series of one side match how many of the other.
    pub cardinality: Cardinality,
    pub(crate) fills: bool,
    /// Where the operator stands.
    pub(crate) span: Range<usize>,
}

/// The labels by which the series of two sides are matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// `on`.
    On(Vec<String>),
    /// `ignoring`.
    Ignoring(Vec<String>),
}

impl Matching {
    /// The labels that are named.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::On(labels) | Self::Ignoring(labels) => labels,
        }
    }
}

/// How many series match how many; with the labels that are taken from the side of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// Neither group modifier.
    OneToOne,
    /// `group_left`.
    ManyToOne(Vec<String>),
    /// `group_right`.
    OneToMany(Vec<String>),
    /// `and`, `or` and `unless`.
    ManyToMany,
}

impl Cardinality {
    /// The labels that are taken from the side of one.
    pub fn taken(&self) -> &[String] {
        match self {
            Self::ManyToOne(labels) | Self::OneToMany(labels) => labels,
            Self::OneToOne | Self::ManyToMany => &[],
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $word] $variant,)*
        }

        impl $name {
            /// As it is written.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one that is written so.
            pub(crate) fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.word())
            }
        }
    };
}

words! {
    /// An operator between two expressions.
    Operator {
        Add "+", Sub "-", Mul "*", Div "/", Mod "%", Pow "^", Atan2 "atan2",
        Equal "==", NotEqual "!=", Less "<", LessEqual "<=", Greater ">", GreaterEqual ">=",
        TrimUpper "</", TrimLower ">/",
        And "and", Or "or", Unless "unless",
    }
}

words! {
    /// How many series are made into fewer.
    Aggregation {
        Avg "avg", BottomK "bottomk", Count "count", CountValues "count_values", Group "group", Max "max", Min "min",
        Quantile "quantile", StdDev "stddev", StdVar "stdvar", Sum "sum", TopK "topk", LimitK "limitk",
        LimitRatio "limit_ratio",
    }
}

impl Selector {
    /// Whether it asks for the newest samples, not for those of another time.
    pub fn is_now(&self) -> bool {
        self.modifiers.at.is_none() && matches!(self.modifiers.offset, None | Some(Offset::Zero))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name.as_ref().filter(|_| self.is_before) {
            out.write_str(name)?;
        }
        if !self.is_before || !self.matchers.is_empty() {
            let matchers = self.matchers.iter().map(ToString::to_string);
            write!(out, "{{{}}}", matchers.collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}

impl Operator {
    /// Whether it compares.
    pub fn is_comparison(self) -> bool {
        use Operator::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        matches!(self, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual)
    }

    /// Whether it makes a set of series of two.
    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }

    /// What binds closer has a larger number.
    pub(crate) fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And | Self::Unless => 2,
            Self::Add | Self::Sub => 4,
            Self::Mul | Self::Div | Self::Mod | Self::Atan2 => 5,
            Self::Pow => 6,
            _ => 3,
        }
    }
}

impl Aggregation {
    /// Whether a number or a label comes before the expression, and which of them.
    pub(crate) fn parameter(self) -> Option<Type> {
        match self {
            Self::TopK | Self::BottomK | Self::Quantile | Self::LimitK | Self::LimitRatio => Some(Type::Scalar),
            Self::CountValues => Some(Type::String),
            _ => None,
        }
    }

    /// Whether the series are left as they are, and some are picked.
    pub fn picks(self) -> bool {
        matches!(self, Self::TopK | Self::BottomK | Self::LimitK | Self::LimitRatio)
    }
}

impl Expr {
    /// What it is made of, from left to right.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Aggregate(it) => it.parameter.iter().chain([&it.expr]).collect(),
            Self::Unary(it) | Self::Paren(it) => vec![it],
            Self::Binary(it) => vec![&it.left, &it.right],
            Self::Subquery(it) => vec![&it.expr],
            Self::Call(it) => it.arguments.iter().collect(),
            Self::Vector(_) | Self::Matrix(_) | Self::Number(_) | Self::String(_) => Vec::new(),
        }
    }

    /// Calls `visit` with it and everything that it is made of, each before its own parts.
    pub fn walk<'e>(&'e self, visit: &mut impl FnMut(&'e Self)) {
        visit(self);
        for part in self.parts() {
            part.walk(visit);
        }
    }

    /// The series that it selects itself.
    pub fn selector(&self) -> Option<&Selector> {
        match self {
            Self::Vector(it) => Some(it),
            Self::Matrix(it) => Some(&it.selector),
            _ => None,
        }
    }

    /// All selectors in it.
    pub fn selectors(&self) -> Vec<&Selector> {
        let mut all = Vec::new();
        self.walk(&mut |part| all.extend(part.selector()));
        all
    }

    /// The type of its value.
    pub fn value_type(&self) -> Type {
        match self {
            Self::Vector(_) | Self::Aggregate(_) => Type::Vector,
            Self::Matrix(_) | Self::Subquery(_) => Type::Matrix,
            Self::Call(it) => it.function.returns,
            Self::Binary(it) => match (it.left.value_type(), it.right.value_type()) {
                (Type::Scalar, Type::Scalar) => Type::Scalar,
                _ => Type::Vector,
            },
            Self::Unary(it) | Self::Paren(it) => it.value_type(),
            Self::Number(_) => Type::Scalar,
            Self::String(_) => Type::String,
        }
    }
}
