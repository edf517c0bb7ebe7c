//! What stages of a collector could not do, or would do without a word.

use super::loki::takes_metadata;
use crate::findings::Findings;
use crate::model::{
    DropStage, Extracted, JOURNAL_LABELS, Journal, LOG_LABELS, LogPipeline, LogStage, Multiline, Stack,
};
use crate::units::{Expression, MetricLabel};
use std::collections::BTreeSet;
use vigil_forms::regex;
use vigil_forms::selector::stream_matchers;
use vigil_yaml::words::{list, nearest};

/// Names, in small letters and without separators, whose values are different for nearly every line.
const MANY_VALUES: [&str; 24] = [
    "clientip",
    "correlationid",
    "duration",
    "email",
    "guid",
    "ip",
    "latency",
    "message",
    "msg",
    "query",
    "remoteaddr",
    "remoteip",
    "requestid",
    "sessionid",
    "spanid",
    "time",
    "timestamp",
    "traceid",
    "transactionid",
    "ts",
    "uri",
    "url",
    "userid",
    "uuid",
];

/// The labels that lines of a journal have, beside those of pods' lines.
pub(super) fn labels_of_journal(journal: &Journal) -> Vec<&str> {
    let said = journal.labels.keys().map(MetricLabel::as_str);
    JOURNAL_LABELS.into_iter().chain(said).filter(|_| journal.enabled).collect()
}

/// Judges the pipelines of a collector, given by its key. Lines have `more` labels than those of pods.
pub(super) fn check(part: &str, pipelines: &[LogPipeline], more: &[&str], stack: &Stack, findings: &mut Findings) {
    let labels: BTreeSet<String> = LOG_LABELS.iter().chain(more).map(|name| (*name).to_owned()).collect();
    let mut walk = Walk { stack, findings, known: labels.clone(), labels };
    for (at, pipeline) in pipelines.iter().enumerate() {
        walk.pipeline(&format!("{part}.pipelines.{at}"), pipeline);
    }
}

/// A walk through pipelines in the order in which lines go through them.
struct Walk<'w, 'n> {
    stack: &'w Stack,
    findings: &'w mut Findings<'n>,
    /// The labels that a line may have.
    labels: BTreeSet<String>,
    /// The values that stages can name: labels, and what was taken out of the line.
    known: BTreeSet<String>,
}

impl Walk<'_, '_> {
    fn pipeline(&mut self, path: &str, pipeline: &LogPipeline) {
        if let Some(selector) = &pipeline.selector {
            self.selector(&format!("{path}.selector"), selector.as_str());
        }
        if pipeline.stages.is_empty() {
            self.findings.error(
                &[&format!("{path}.stages"), path],
                "a pipeline without a stage",
                "expected one at least",
                "say what is done with the lines, such as `- json: …`, or remove the pipeline",
            );
        }
        for (at, stage) in pipeline.stages.iter().enumerate() {
            self.stage(&format!("{path}.stages.{at}"), stage);
        }
        // Collectors look up labels as values when the next pipeline begins.
        self.known.extend(self.labels.iter().cloned());
    }

    /// The collectors read selectors by a grammar that is smaller than Loki's, and end where one is none.
    fn selector(&mut self, path: &str, selector: &str) {
        for matcher in stream_matchers(selector).unwrap_or_default() {
            if matcher.is_raw {
                self.findings.error(
                    &[path],
                    "collectors know no `` ` `` around a value of a selector",
                    "the collector does not start",
                    "put the value in double quotes, with `\\\\` for a backslash",
                );
            } else if let Some(Err(wrong)) = matcher.expression().map(|text| regex::go(&text)) {
                self.findings.error(
                    &[path],
                    format!("`{}` is no regular expression: {wrong}", matcher.value),
                    "the collector does not start",
                    "write it as Go does (RE2)",
                );
            }
            if !self.labels.contains(matcher.label) {
                let known: Vec<_> = self.labels.iter().map(String::as_str).collect();
                self.findings.error(
                    &[path],
                    format!("no line has the label `{}` here", matcher.label),
                    &near(matcher.label, &known),
                    &format!("select by {}", list(&known, "or")),
                );
            }
        }
    }

    fn stage(&mut self, path: &str, stage: &LogStage) {
        let (message, label, help) = match stage.kinds() {
            1 => return self.one(path, stage),
            0 => (
                "a stage that does nothing",
                "expected what it does",
                "begin it with what it does, such as `- json: …`; what belongs to a stage is indented below that",
            ),
            _ => (
                "a stage does one thing",
                "which of them comes first is not said",
                "make a stage of each: a `-` before each of its keys, in the order in which they are done",
            ),
        };
        self.findings.error(&[path], message, label, help);
    }

    fn one(&mut self, path: &str, stage: &LogStage) {
        if let Some(multiline) = &stage.multiline {
            self.multiline(&format!("{path}.multiline"), multiline);
        }
        if let Some(json) = &stage.json {
            let path = format!("{path}.json");
            self.source(&path, json.source.as_ref());
            self.takes(&format!("{path}.expressions"), &json.expressions);
        }
        if let Some(logfmt) = &stage.logfmt {
            let path = format!("{path}.logfmt");
            self.source(&path, logfmt.source.as_ref());
            let mapping = format!("{path}.mapping");
            let keys = logfmt.mapping.iter().map(|(name, key)| key.as_ref().map_or(name.as_str(), |key| key.as_str()));
            self.twice(&mapping, &keys.collect::<Vec<_>>());
            self.takes(&mapping, &logfmt.mapping);
        }
        if let Some(regex) = &stage.regex {
            let path = format!("{path}.regex");
            self.source(&path, regex.source.as_ref());
            self.groups(&format!("{path}.expression"), &regex.expression);
        }
        if let Some(labels) = &stage.labels {
            self.named(&format!("{path}.labels"), labels);
            self.many_values(&format!("{path}.labels"), labels);
            self.labels.extend(labels.keys().map(|name| name.as_str().to_owned()));
        }
        if let Some(values) = &stage.structured_metadata {
            self.named(&format!("{path}.structuredMetadata"), values);
            takes_metadata(&format!("{path}.structuredMetadata"), self.stack, self.findings);
        }
        if let Some(drop) = &stage.drop {
            self.drops(&format!("{path}.drop"), drop);
        }
        if let Some(replace) = &stage.replace {
            let path = format!("{path}.replace");
            self.source(&path, replace.source.as_ref());
            let replacement = replace.replacement.as_ref().map_or("", |text| text.as_str());
            self.replaces(&path, &replace.expression, replacement);
        }
        if let Some(timestamp) = &stage.timestamp {
            self.source(&format!("{path}.timestamp"), Some(&timestamp.source));
        }
        if let Some(output) = &stage.output {
            self.source(&format!("{path}.output"), Some(&output.source));
        }
    }

    fn multiline(&mut self, path: &str, multiline: &Multiline) {
        let no_wait = multiline.max_wait.as_ref().is_some_and(|wait| wait.length().is_zero());
        let no_lines = multiline.max_lines.is_some_and(|lines| lines.get() == 0);
        for (key, is_nothing, help) in [
            (
                "maxWait",
                no_wait,
                "the collector does not start; say how long the next line is waited for, such as `3s`",
            ),
            ("maxLines", no_lines, "lines would be gathered without end; say how many, such as 128"),
        ] {
            if is_nothing {
                let path = format!("{path}.{key}");
                self.findings.error(&[&path], format!("`{key}` is nothing"), "expected more than 0", help);
            }
        }
    }

    /// The value that a stage reads.
    fn source(&mut self, path: &str, source: Option<&MetricLabel>) {
        if let Some(source) = source {
            self.reads(&format!("{path}.source"), source);
        }
    }

    fn reads(&mut self, path: &str, name: &MetricLabel) {
        if !self.known.contains(name.as_str()) {
            let known: Vec<_> = self.known.iter().map(String::as_str).collect();
            self.findings.error(
                &[path],
                format!("no stage before takes `{name}` out of the line"),
                &near(name.as_str(), &known),
                &format!(
                    "take it out by `json`, `logfmt` or `regex` in a stage before; known here are {}",
                    list(&known, "and")
                ),
            );
        }
    }

    /// What a stage takes out of a line.
    fn takes<Place>(&mut self, path: &str, names: &Extracted<Place>) {
        if names.is_empty() {
            self.findings.error(
                &[path],
                "a stage that takes nothing out of the line",
                "expected one name at least",
                "name what later stages use, such as `level: level`",
            );
        }
        self.known.extend(names.keys().map(|name| name.as_str().to_owned()));
    }

    /// Keys of logfmt that two names have: a collector knows one name for each.
    fn twice(&mut self, path: &str, keys: &[&str]) {
        for (at, key) in keys.iter().enumerate() {
            if keys[..at].contains(key) {
                self.findings.error(
                    &[path],
                    format!("the key `{key}` has two names"),
                    "a collector keeps one of them, and which is not said",
                    "take it out once; `labels` and `structuredMetadata` can call it otherwise",
                );
            }
        }
    }

    fn groups(&mut self, path: &str, expression: &Expression) {
        let names: Vec<_> = regex::go(expression.as_str())
            .map(|regex| regex.groups)
            .unwrap_or_default()
            .into_iter()
            .flatten()
            .collect();
        if names.is_empty() {
            self.findings.error(
                &[path],
                "an expression that takes nothing out of the line",
                "it has no named group",
                "name what later stages use: `(?P<level>[A-Z]+)`",
            );
        }
        self.known.extend(names);
    }

    /// Values that become something else under other names.
    fn named(&mut self, path: &str, names: &Extracted<MetricLabel>) {
        if names.is_empty() {
            self.findings.error(
                &[path],
                "a stage that does nothing",
                "expected one name at least",
                "name a value that a stage before takes out, such as `level: level`",
            );
        }
        for (name, source) in names {
            self.reads(&format!("{path}.{name}"), source.as_ref().unwrap_or(name));
        }
    }

    fn many_values(&mut self, path: &str, labels: &Extracted<MetricLabel>) {
        for (name, source) in labels {
            let told = [Some(name), source.as_ref()].into_iter().flatten().find(|name| {
                let plain = name.as_str().replace('_', "").to_ascii_lowercase();
                MANY_VALUES.contains(&plain.as_str())
            });
            if let Some(told) = told {
                self.findings.warning(
                    &[&format!("{path}.{name}")],
                    format!("the label `{name}` has a new value for nearly every line"),
                    &format!("each value of `{told}` would be a stream of its own"),
                    "make it `structuredMetadata`, which queries find as well; Loki takes 5000 streams at the same time, and \
                     slows down before",
                );
            }
        }
    }

    fn drops(&mut self, path: &str, drop: &DropStage) {
        let DropStage { source, value, expression, older_than, longer_than } = drop;
        self.source(path, source.as_ref());
        if source.is_none() && expression.is_none() && older_than.is_none() && longer_than.is_none() && value.is_none()
        {
            self.findings.error(
                &[path],
                "`drop` without a condition",
                "the collector does not start",
                "say which lines: by `expression`, `source` and `value`, `olderThan` or `longerThan`",
            );
        }
        if value.is_some() && source.is_none() {
            self.findings.error(
                &[&format!("{path}.value"), path],
                "`value` without `source`",
                "the collector does not start",
                "say whose value it is, such as `source: level`; what a line contains is `expression`",
            );
        }
        if value.is_some() && expression.is_some() {
            self.findings.error(
                &[&format!("{path}.expression"), path],
                "`value` and `expression` exclude each other",
                "the collector does not start",
                "remove one of the two",
            );
        }
        let no_age = older_than.as_ref().is_some_and(|age| age.length().is_zero());
        let no_length = longer_than.as_ref().is_some_and(|size| size.as_bytes() < 1.0);
        for (key, is_nothing) in [("olderThan", no_age), ("longerThan", no_length)] {
            if is_nothing {
                self.findings.error(
                    &[&format!("{path}.{key}")],
                    format!("`{key}` is nothing"),
                    "expected more than 0",
                    "every line would be let go, or the condition ignored, by the collector",
                );
            }
        }
    }

    fn replaces(&mut self, path: &str, expression: &Expression, replacement: &str) {
        let groups = regex::go(expression.as_str()).map(|regex| regex.groups).unwrap_or_default();
        if groups.is_empty() {
            self.findings.error(
                &[&format!("{path}.expression")],
                "an expression that replaces nothing",
                "only what its groups match is replaced, and it has none",
                "put parentheses around what shall go: `password=(\\S+)`",
            );
        }
        if replacement.contains("{{") {
            self.findings.error(
                &[&format!("{path}.replacement")],
                "collectors take `{{` for the beginning of a template",
                "a mistake in it is not told, and the line stays as it is",
                "write plain text, such as `***`",
            );
        }
        self.known.extend(groups.into_iter().flatten());
    }
}

/// The nearest of the names that are known.
fn near(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "it would never be there".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::{Problem, Source};

    /// What is said of a stack whose Alloy has these pipelines.
    fn told(pipelines: &str, more: &str) -> Vec<String> {
        let text =
            format!("alloy: {{enabled: true, pipelines: [{pipelines}]}}\npromtail: {{enabled: false}}\n{more}\n");
        let problems = match Stack::parse(&Source::new("stack.yaml", text)) {
            Ok(parsed) => parsed.warnings,
            Err(problems) => problems,
        };
        problems.into_iter().map(|Problem { message, .. }| message).collect()
    }

    #[test]
    fn stages_are_those_that_do_something() {
        const JSON: &str = "json: {expressions: {level: , trace: 'a.\"b-c\"[0]'}}";
        for (stages, message) in [
            (format!("{{{JSON}}}, {{labels: {{level: }}}}, {{structuredMetadata: {{trace_id: trace}}}}"), None),
            (r"{regex: {expression: '^(?P<level>\w+)'}}, {labels: {level: }}".to_owned(), None),
            ("{logfmt: {mapping: {level: lvl}}}, {drop: {source: level, value: debug}}".to_owned(), None),
            ("{drop: {source: container}}, {labels: {name: app}}".to_owned(), None),
            (r"{replace: {expression: 'password=(?P<secret>\S+)'}}, {output: {source: secret}}".to_owned(), None),
            ("{multiline: {firstline: '^\\S', maxWait: 5s, maxLines: 500}}".to_owned(), None),
            (
                "{timestamp: {source: level, format: UnixMs}}".to_owned(),
                Some("no stage before takes `level` out of the line"),
            ),
            (format!("{{labels: {{level: }}}}, {{{JSON}}}"), Some("no stage before takes `level` out of the line")),
            ("{output: {source: mesage}}".to_owned(), Some("no stage before takes `mesage` out of the line")),
            (format!("{{{JSON}, labels: {{level: }}}}"), Some("a stage does one thing")),
            ("{}".to_owned(), Some("a stage that does nothing")),
            ("{labels: {}}".to_owned(), Some("a stage that does nothing")),
            (String::new(), Some("a pipeline without a stage")),
            ("{json: {expressions: {}}}".to_owned(), Some("a stage that takes nothing out of the line")),
            ("{regex: {expression: '(a)(?:b)'}}".to_owned(), Some("an expression that takes nothing out of the line")),
            ("{logfmt: {mapping: {a: x, x: }}}".to_owned(), Some("the key `x` has two names")),
            ("{drop: {}}".to_owned(), Some("`drop` without a condition")),
            ("{drop: {value: a}}".to_owned(), Some("`value` without `source`")),
            (
                "{drop: {source: app, value: a, expression: b}}".to_owned(),
                Some("`value` and `expression` exclude each other"),
            ),
            ("{drop: {longerThan: 0B}}".to_owned(), Some("`longerThan` is nothing")),
            ("{drop: {olderThan: 0s}}".to_owned(), Some("`olderThan` is nothing")),
            ("{multiline: {firstline: a, maxLines: 0}}".to_owned(), Some("`maxLines` is nothing")),
            ("{multiline: {firstline: a, maxWait: 0s}}".to_owned(), Some("`maxWait` is nothing")),
            ("{replace: {expression: 'password=.*'}}".to_owned(), Some("an expression that replaces nothing")),
            (
                "{replace: {expression: '(a)', replacement: '{{ .Value }}'}}".to_owned(),
                Some("collectors take `{{` for the beginning of a template"),
            ),
        ] {
            let found = told(&format!("{{stages: [{stages}]}}"), "");
            assert_eq!(found, Vec::from_iter(message.map(str::to_owned)), "{stages}");
        }
    }

    #[test]
    fn selectors_are_those_that_collectors_read() {
        const STAGES: &str = "stages: [{drop: {expression: a}}]";
        for (selector, message) in [
            (r#"{namespace="shop", container=~"web|api"}"#, None),
            ("{app=`a`}", Some("collectors know no `` ` `` around a value of a selector")),
            (r#"{app=~"a("}"#, Some("`a(` is no regular expression: a `(` is not closed")),
            (r#"{level="debug"}"#, Some("no line has the label `level` here")),
        ] {
            let found = told(&format!("{{selector: '{selector}', {STAGES}}}"), "");
            assert_eq!(found, Vec::from_iter(message.map(str::to_owned)), "{selector}");
        }
        // A label that a pipeline before makes is one for those behind it, and a value too.
        let made = "{stages: [{regex: {expression: '(?P<l>a)'}}, {labels: {level: l}}]}";
        let found =
            told(&format!("{made}, {{selector: '{{level=\"debug\"}}', stages: [{{drop: {{source: level}}}}]}}"), "");
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn labels_of_many_values_are_told() {
        let of = |label: &str| {
            told(
                &format!(
                    "{{stages: [{{json: {{expressions: {{a: , {label}: }}}}}}, {{labels: {{{label}: , b: a}}}}]}}"
                ),
                "",
            )
        };
        for label in ["trace_id", "requestId", "ip"] {
            assert_eq!(of(label), [format!("the label `{label}` has a new value for nearly every line")]);
        }
        assert_eq!(of("level"), [""; 0]);
    }

    #[test]
    fn structured_metadata_need_a_store_for_them() {
        const PIPELINE: &str = "{stages: [{structuredMetadata: {pod: }}]}";
        for (loki, message) in [
            ("", None),
            ("loki: {schema: [{from: 2024-01-01, schema: v12}, {from: 2026-01-01}]}", None),
            ("loki: {schema: [{from: 2024-01-01, schema: v12}]}", Some("Loki cannot store structured metadata")),
            (
                "loki: {schema: [{from: 2024-01-01, store: boltdb-shipper}]}",
                Some("Loki cannot store structured metadata"),
            ),
            (
                "loki: {config: {limits_config: {allow_structured_metadata: false}}}",
                Some("Loki refuses structured metadata"),
            ),
        ] {
            assert_eq!(told(PIPELINE, loki), Vec::from_iter(message.map(str::to_owned)), "{loki}");
        }
    }
}
