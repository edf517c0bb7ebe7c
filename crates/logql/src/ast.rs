//! What a query is made of.

use std::fmt;
use std::ops::Range;
use std::time::Duration;
use vigil_forms::matcher::Matcher;

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// Lines of logs.
    Log(Log),
    /// A number made of the lines of each stream in a range of time.
    Range(Box<RangeAggregation>),
    /// Many series made into fewer.
    Vector(Box<VectorAggregation>),
    /// Two expressions and what is done with them.
    Binary(Box<Binary>),
    /// `label_replace`.
    LabelReplace(Box<LabelReplace>),
    /// `vector`: a number as a series without labels.
    Constant(f64),
    /// A number.
    Number(f64),
    /// `variants`: several aggregations of the same lines.
    Variants(Box<Variants>),
}

/// Streams, and what is done with their lines, one after the other.
#[derive(Clone, Debug)]
pub struct Log {
    /// What the labels of the streams must be.
    pub matchers: Vec<Matcher>,
    /// Where the braces stand.
    pub span: Range<usize>,
    /// What is done with lines.
    pub stages: Vec<Stage>,
}

/// One thing that is done with lines, and where it stands.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What is done.
    pub kind: StageKind,
    /// Where.
    pub span: Range<usize>,
}

/// What is done with lines.
#[derive(Clone, Debug)]
pub enum StageKind {
    /// Keeps some lines, by what they hold.
    Line(LineFilter),
    /// `json`: its fields become labels, or those that are named.
    Json(Vec<Extraction>),
    /// `logfmt`, the same.
    Logfmt {
        /// `--strict`: stops at what is no logfmt.
        strict: bool,
        /// `--keep-empty`: keys without a value become labels too.
        keep_empty: bool,
        /// The keys that are named.
        fields: Vec<Extraction>,
    },
    /// `regexp`: its named groups become labels.
    Regexp(String),
    /// `pattern`: its captures become labels.
    Pattern(String),
    /// `unpack`: what a collector packed.
    Unpack,
    /// `decolorize`: without the colours of a terminal.
    Decolorize,
    /// Keeps some lines, by their labels.
    Labels(LabelFilter),
    /// `line_format`: a template makes the line.
    LineFormat(String),
    /// `label_format`: labels are made, of others or of templates.
    LabelFormat(Vec<LabelFormat>),
    /// `drop`: these labels are taken away.
    Drop(Vec<Named>),
    /// `keep`: all others are.
    Keep(Vec<Named>),
}

/// What a line must hold, or must not.
#[derive(Clone, Debug)]
pub struct LineFilter {
    /// How it is looked for.
    pub op: LineOperator,
    /// What: one of these will do.
    pub sought: Vec<Sought>,
}

/// What is looked for in a line.
#[derive(Clone, Debug)]
pub struct Sought {
    /// A text, an expression or a pattern, as the operator says; an address, if it is one.
    pub text: String,
    /// It is inside of `ip()`.
    pub is_address: bool,
    /// Where it stands.
    pub span: Range<usize>,
}

/// A label that is made of a field.
#[derive(Clone, Debug)]
pub struct Extraction {
    /// The label.
    pub label: String,
    /// The field: a way through JSON, or a key of logfmt.
    pub field: String,
    /// Where the field stands, or the label if it stands alone.
    pub span: Range<usize>,
}

/// What labels must be.
#[derive(Clone, Debug)]
pub enum LabelFilter {
    /// As texts.
    Text(Matcher),
    /// As something that can be compared.
    Value {
        /// The label.
        label: String,
        /// How it is compared.
        op: Comparison,
        /// With what.
        value: Value,
    },
    /// As an address.
    Address {
        /// The label.
        label: String,
        /// It must be one of these; otherwise, none of them.
        equal: bool,
        /// The addresses.
        address: String,
    },
    /// Several, from left to right; with `or` before those for which it is said, and `and` before others.
    Chain(Vec<(bool, LabelFilter)>),
}

/// With what a label is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A length of time in nanoseconds.
    Time(i64),
    /// A number of bytes.
    Bytes(u64),
}

/// A label that is made.
#[derive(Clone, Debug)]
pub struct LabelFormat {
    /// The label.
    pub label: String,
    /// It is renamed from another one; otherwise, a template makes it.
    pub is_rename: bool,
    /// The other label, or the template.
    pub source: String,
    /// Where the whole stands.
    pub span: Range<usize>,
}

/// A label, whatever it is or only if it matches.
#[derive(Clone, Debug)]
pub enum Named {
    /// Whatever it is.
    Label(String),
    /// If it matches.
    Matching(Matcher),
}

/// A number made of the lines of each stream in a range of time.
#[derive(Clone, Debug)]
pub struct RangeAggregation {
    /// How.
    pub function: RangeFunction,
    /// The quantile.
    pub parameter: Option<f64>,
    /// Of which lines.
    pub log: Log,
    /// The label whose values count instead of the lines.
    pub unwrap: Option<Unwrap>,
    /// How far they reach back.
    pub range: Duration,
    /// How long ago that is, in nanoseconds.
    pub offset: Option<i64>,
    /// What is left apart.
    pub grouping: Option<Grouping>,
    /// Where it stands.
    pub span: Range<usize>,
}

/// A label whose values count.
#[derive(Clone, Debug)]
pub struct Unwrap {
    /// The label.
    pub label: String,
    /// What its values are, if they are no plain numbers.
    pub conversion: Option<Conversion>,
    /// What is kept of them.
    pub filters: Vec<LabelFilter>,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Many series made into fewer.
#[derive(Clone, Debug)]
pub struct VectorAggregation {
    /// How.
    pub op: Aggregation,
    /// How many, for those that pick some; as it is written.
    pub parameter: Option<String>,
    /// Of what.
    pub expr: Expr,
    /// What is left apart.
    pub grouping: Option<Grouping>,
    /// Where it stands.
    pub span: Range<usize>,
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
    /// The labels of `on` or `ignoring`, if there is one.
    pub matching: Option<Vec<String>>,
    /// There is `group_left` or `group_right`.
    pub is_grouped: bool,
    /// Where the operator stands.
    pub span: Range<usize>,
}

/// A label made of another one.
#[derive(Clone, Debug)]
pub struct LabelReplace {
    /// Of what.
    pub expr: Expr,
    /// The label that is made.
    pub target: String,
    /// What it becomes.
    pub replacement: String,
    /// The label that it is made of.
    pub source: String,
    /// What that must match.
    pub regex: String,
    /// Where the expression stands.
    pub span: Range<usize>,
}

/// Several aggregations of the same lines.
#[derive(Clone, Debug)]
pub struct Variants {
    /// The aggregations.
    pub variants: Vec<Expr>,
    /// The lines of all of them.
    pub log: Log,
    /// How far they reach back.
    pub range: Duration,
    /// Where it stands.
    pub span: Range<usize>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $word] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As it is written.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The one that is written so.
            pub(crate) fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word().eq_ignore_ascii_case(word))
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
    /// How something is looked for in a line.
    LineOperator {
        Contains "|=", NotContains "!=", Matches "|~", NotMatches "!~", Pattern "|>", NotPattern "!>",
    }
}

words! {
    /// How a label is compared.
    Comparison { Equal "==", NotEqual "!=", Less "<", LessEqual "<=", Greater ">", GreaterEqual ">=", }
}

words! {
    /// What the values of a label are.
    Conversion { Bytes "bytes", Duration "duration", DurationSeconds "duration_seconds", }
}

words! {
    /// How a number is made of the lines of a stream, or of the values of a label.
    RangeFunction {
        AbsentOverTime "absent_over_time", AvgOverTime "avg_over_time", BytesOverTime "bytes_over_time",
        BytesRate "bytes_rate", CountOverTime "count_over_time", FirstOverTime "first_over_time",
        LastOverTime "last_over_time", MaxOverTime "max_over_time", MinOverTime "min_over_time",
        QuantileOverTime "quantile_over_time", Rate "rate", RateCounter "rate_counter", StddevOverTime "stddev_over_time",
        StdvarOverTime "stdvar_over_time", SumOverTime "sum_over_time",
    }
}

words! {
    /// How many series are made into fewer.
    Aggregation {
        ApproxTopK "approx_topk", Avg "avg", BottomK "bottomk", Count "count", Max "max", Min "min", Sort "sort",
        SortDesc "sort_desc", StdDev "stddev", StdVar "stdvar", Sum "sum", TopK "topk",
    }
}

words! {
    /// An operator between two expressions.
    Operator {
        Add "+", Sub "-", Mul "*", Div "/", Mod "%", Pow "^",
        Equal "==", NotEqual "!=", Less "<", LessEqual "<=", Greater ">", GreaterEqual ">=",
        And "and", Or "or", Unless "unless",
    }
}

impl Operator {
    /// Whether it compares.
    pub fn is_comparison(self) -> bool {
        self.precedence() == 3
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
            Self::Mul | Self::Div | Self::Mod => 5,
            Self::Pow => 6,
            _ => 3,
        }
    }
}

impl Aggregation {
    /// Whether it picks some series, and a number says how many.
    pub fn picks(self) -> bool {
        matches!(self, Self::TopK | Self::BottomK | Self::ApproxTopK)
    }
}

impl Expr {
    /// Whether it is a metric query: numbers, and no lines.
    pub fn is_metric(&self) -> bool {
        !matches!(self, Self::Log(_))
    }

    /// The expressions that it is made of, from left to right.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Vector(it) => vec![&it.expr],
            Self::Binary(it) => vec![&it.left, &it.right],
            Self::LabelReplace(it) => vec![&it.expr],
            Self::Variants(it) => it.variants.iter().collect(),
            Self::Log(_) | Self::Range(_) | Self::Constant(_) | Self::Number(_) => Vec::new(),
        }
    }

    /// Calls `visit` with it and everything that it is made of, each before its own parts.
    pub fn walk<'e>(&'e self, visit: &mut impl FnMut(&'e Self)) {
        visit(self);
        for part in self.parts() {
            part.walk(visit);
        }
    }

    /// The lines that it asks for itself.
    pub fn log(&self) -> Option<&Log> {
        match self {
            Self::Log(it) => Some(it),
            Self::Range(it) => Some(&it.log),
            Self::Variants(it) => Some(&it.log),
            _ => None,
        }
    }

    /// All lines that it asks for.
    pub fn logs(&self) -> Vec<&Log> {
        let mut all = Vec::new();
        self.walk(&mut |part| all.extend(part.log()));
        all
    }
}
