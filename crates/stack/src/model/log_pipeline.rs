//! What collectors do with log lines on their way: one vocabulary for all of them.

use crate::units::{
    Amount, ByteSize, Duration, Expression, JsonPath, Line, LogfmtKey, MetricLabel, StreamSelector, TimeLayout,
    TimeZone,
};
use std::collections::BTreeMap;

/// What is done with some of the log lines, before they are sent.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogPipeline {
    /// Which lines, by the labels that they have; without one, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<StreamSelector>,
    /// What is done with each, one after the other.
    pub stages: Vec<LogStage>,
}

/// The labels that the lines of pods have before any stage: those that the configurations of the collectors give them, the
/// file, and whether it was written to `stdout` or `stderr`.
pub const LOG_LABELS: [&str; 10] =
    ["app", "component", "container", "filename", "instance", "job", "namespace", "node_name", "pod", "stream"];

/// Declares the kinds of stages, and with them the [`LogStage`], which is one of them.
macro_rules! stages {
    ($($(#[doc = $doc:literal])+ $key:ident: $kind:ty,)+) => {
        /// One thing that is done with a line.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        pub struct LogStage {
            $(
                $(#[doc = $doc])+
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $key: Option<$kind>,
            )+
        }

        impl LogStage {
            /// How many kinds of stages it is. Of several nobody could tell which comes first.
            pub(crate) fn kinds(&self) -> usize {
                [$(self.$key.is_some()),+].into_iter().filter(|is_one| *is_one).count()
            }
        }
    };
}

/// Names, and where in the line the value of each is; nothing behind a name is the name itself.
pub type Extracted<Place> = BTreeMap<MetricLabel, Option<Place>>;

stages! {
    /// Makes one line of several, such as those of a stack trace.
    multiline: Multiline,
    /// Takes values out of a line of JSON.
    json: JsonStage,
    /// Takes values out of a line of logfmt.
    logfmt: LogfmtStage,
    /// Takes what the named groups of a regular expression match out of a line.
    regex: RegexStage,
    /// Makes labels of values that stages before it took out, by the names of the labels. Each value of a label is a stream of
    /// its own: fit for what has few values.
    labels: Extracted<MetricLabel>,
    /// Stores values that stages before it took out beside the line. They can be asked for like labels, and make no streams. A
    /// label that is named here is one no longer.
    structured_metadata: Extracted<MetricLabel>,
    /// Lets a line go that meets all its conditions.
    drop: DropStage,
    /// Replaces a part of a line, such as a password.
    replace: ReplaceStage,
    /// Takes the time of a line from a value.
    timestamp: TimestampStage,
    /// Makes a value the line.
    output: OutputStage,
}

/// Several lines that are one.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Multiline {
    /// What the first of them contains; those behind it up to the next such one belong to it.
    pub firstline: Expression,
    /// How long the next is waited for; without it, 3s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wait: Option<Duration>,
    /// How many may be one; without it, 128.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lines: Option<Amount>,
}

/// Values of JSON.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JsonStage {
    /// The values by the names that later stages call them.
    pub expressions: Extracted<JsonPath>,
    /// A value that stages before it took out, to be read instead of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<MetricLabel>,
}

/// Values of logfmt.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogfmtStage {
    /// The values by the names that later stages call them.
    pub mapping: Extracted<LogfmtKey>,
    /// A value that stages before it took out, to be read instead of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<MetricLabel>,
}

/// Values that groups match.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RegexStage {
    /// An expression with groups `(?P<name>…)`, which later stages know by their names.
    pub expression: Expression,
    /// A value that stages before it took out, to be read instead of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<MetricLabel>,
}

/// Which lines are let go: those for which all is so that is said here.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DropStage {
    /// A label, or a value that stages before it took out: it is there. With `value` or `expression`, it is that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<MetricLabel>,
    /// What the `source` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Line>,
    /// What the `source`, or the line where there is none, contains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<Expression>,
    /// The line is older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<Duration>,
    /// The line is longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longer_than: Option<ByteSize>,
}

/// What stands instead of a part of a line.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplaceStage {
    /// What is looked for. What its groups `(…)` match is replaced, wherever it matches; the rest of a match stays.
    pub expression: Expression,
    /// What stands there instead; without it, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Line>,
    /// A value that stages before it took out, to be changed instead of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<MetricLabel>,
}

/// When a line was written.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimestampStage {
    /// The value that is a time.
    pub source: MetricLabel,
    /// How it is written.
    pub format: TimeLayout,
    /// The time zone, where the time says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<TimeZone>,
}

/// What the line becomes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutputStage {
    /// A value that stages before it took out.
    pub source: MetricLabel,
}
