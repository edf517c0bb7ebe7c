//! Stages of Promtail: what keeps it from starting, and what it passes over.
//!
//! Source: `clients/pkg/logentry/stages` and `clients/pkg/logentry/metric` of github.com/grafana/loki 3.5.0, which reads them with
//! github.com/mitchellh/mapstructure: keys in any case, and what it does not know passed over. `tests/stages.txt` has the verdicts
//! of the program itself.

use super::file::File;
use super::syntax::Read;
use super::values;
use crate::finding::{At, Finding, Findings};
use crate::rule::rules;
use crate::schema::pattern::is_expression;
use crate::world::World;
use std::sync::OnceLock;
use vigil_forms::text::quoted;
use vigil_forms::{calendar, duration, template};
use vigil_yaml::plain::Plain;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Entry, Node, Quoted};

rules! {
    STAGE "promtail-stage" Error Program "every stage of Promtail is one that it starts with"
    KEY "promtail-stage-key" Warning Nobody "every key of a stage is one that Promtail reads"
}

/// The versions that this is known of.
const VERSIONS: std::ops::RangeInclusive<(u32, u32)> = (3, 0)..=(3, 6);

/// A stage: its name, and its keys with what each holds. `!` is behind those that must be there, and `~` behind the names of
/// stages that make numbers and texts of each other.
const STAGES: [(&str, &str); 15] = [
    ("cri~", "max_partial_lines:int max_partial_line_size:any max_partial_line_size_truncate:bool"),
    (
        "drop~",
        "drop_counter_reason:text source:sources value:text separator:text expression:regexp older_than:duration longer_than:size",
    ),
    ("eventlogmessage", "source:label drop_invalid_labels:bool overwrite_existing:bool"),
    ("geoip", "db!:filled source:filled db_type!:filled"),
    ("json", "expressions!:jmes source:filled drop_malformed:bool"),
    ("limit~", "rate!:positive burst!:positive drop:bool by_label_name:text max_distinct_labels:int"),
    ("logfmt", "mapping!:texts source:filled"),
    ("match", "pipeline_name:filled selector!:selector stages:stages action:keep|drop drop_counter_reason:text"),
    ("multiline~", "firstline!:regexp max_lines:int max_wait_time:duration"),
    ("output", "source!:filled"),
    ("pack~", "labels:any ingest_timestamp:bool"),
    ("regex", "expression!:regexp source:filled"),
    ("replace", "expression!:regexp source:filled replace:text"),
    ("sampling~", "drop_counter_reason:text rate:share"),
    ("template", "source!:filled template:template"),
];

/// Those that are more than their keys.
const OTHERS: [(&str, &str); 2] = [
    ("tenant", "label:text source:text value:text"),
    ("timestamp", "source!:filled format!:filled fallback_formats:list location:zone action_on_failure:skip|fudge"),
];

/// Those that have no keys of their own: of any sort, labels with the names of what is extracted, or a list of labels.
const ANY: [&str; 2] = ["decolorize", "docker"];
const LABELS: [&str; 3] = ["labels", "non_indexed_labels", "structured_metadata"];
const LISTS: [&str; 2] = ["labelallow", "labeldrop"];

const METRIC: &str = "type!:metric description:text source:text prefix:text max_idle_duration:idle config:any";

/// The settings of each sort of metric. Words behind `~` may be in any case.
const METRICS: [(&str, &str); 3] = [
    ("counter", "match_all:bool count_entry_bytes:bool value:text action!:~inc|add"),
    ("gauge", "value:text action!:~set|inc|dec|add|sub"),
    ("histogram", "value:text buckets:numbers"),
];

/// The functions of templates besides those of all: those of github.com/Masterminds/sprig 3.3, and Promtail's own.
fn functions() -> &'static [&'static str] {
    static FUNCTIONS: OnceLock<Vec<&'static str>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| include_str!("../../configurations/sprig.txt").lines().collect())
}

fn names() -> Vec<&'static str> {
    let own = STAGES.iter().chain(&OTHERS).map(|(name, _)| name.trim_end_matches('~'));
    own.chain(ANY).chain(LABELS).chain(LISTS).chain(["static_labels", "metrics"]).collect()
}

/// Judges the stages of all configurations of Promtail.
pub(super) fn check(read: &[Read<'_, '_>], world: &World<'_>, findings: &mut Findings) {
    for Read { file, documents } in read {
        let [root] = documents.as_slice() else { continue };
        let mut readers = world.readers(&file.object);
        let is_read = readers.any(|program| {
            program.name == "promtail"
                && program.is_configured_by(file.name())
                && program.version.is_some_and(|version| VERSIONS.contains(&version))
        });
        if is_read {
            for job in root.get("scrape_configs").map(Node::items).unwrap_or_default() {
                let stages = job.get("pipeline_stages").map(Node::items).unwrap_or_default();
                Judge { file, root, findings }.stages(stages);
            }
        }
    }
}

struct Judge<'w, 'f, 'a> {
    file: &'w File<'a>,
    root: &'w Node,
    findings: &'f mut Findings,
}

/// A key of a stage, as the lists above have it.
#[derive(Clone, Copy)]
struct Key {
    name: &'static str,
    is_needed: bool,
    sort: &'static str,
}

fn keys(spec: &'static str) -> Vec<Key> {
    let key = |word: &'static str| {
        let (name, sort) = word.split_once(':')?;
        Some(Key { name: name.trim_end_matches('!'), is_needed: name.ends_with('!'), sort })
    };
    spec.split(' ').filter_map(key).collect()
}

/// A value by its key, which may be written in any case.
fn of<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let entry = node.entries().iter().find(|entry| entry.key.text.eq_ignore_ascii_case(key))?;
    Some(&entry.value).filter(|value| !value.is_null())
}

fn is_true(node: &Node, key: &str) -> bool {
    of(node, key).and_then(Node::boolean) == Some(true)
}

impl Judge<'_, '_, '_> {
    fn add<'n>(&mut self, at: impl Into<At<'n>>, message: String) -> &mut Finding {
        self.file.add(&STAGE, self.root, at, message, self.findings)
    }

    fn stages(&mut self, stages: &[Node]) {
        for stage in stages {
            match stage.entries() {
                [] => {
                    self.add(stage, format!("a stage is {}", stage.describe()))
                        .label("expected the name of a stage, a colon, and its settings below it");
                }
                [entry] => self.stage(entry),
                [_, second, ..] => {
                    self.add(second, "a stage has two keys".to_owned())
                        .label("expected one")
                        .help("put `- ` before each stage, and its settings further in");
                }
            }
        }
    }

    fn stage(&mut self, entry: &Entry) {
        let (name, value) = (entry.key.text.as_str(), &entry.value);
        let listed = STAGES.iter().chain(&OTHERS).find(|(known, _)| known.trim_end_matches('~') == name);
        match (name, listed) {
            (_, Some((known, spec))) => {
                self.settings(entry, &keys(spec), known.ends_with('~'));
                self.together(name, entry);
            }
            ("metrics", _) => self.metrics(value),
            ("static_labels", _) => self.texts(value, |_| true),
            _ if LABELS.contains(&name) => self.texts(value, is_label_name),
            _ if LISTS.contains(&name) => self.labels(entry),
            _ if ANY.contains(&name) => {}
            _ => {
                let finding = self.add(entry, format!("there is no stage {}", Quoted(name)));
                match nearest(name, names()) {
                    Some(near) => finding.label(format!("did you mean `{near}`?")),
                    None => finding.help("Promtail does not start with it"),
                };
            }
        }
    }

    /// A mapping of settings: those that are there, and those that are missing.
    fn settings(&mut self, entry: &Entry, keys: &[Key], is_weak: bool) {
        let value = &entry.value;
        if !value.is_null() && !matches!(value.data, Data::Map(_)) {
            self.add(value, format!("{} is {}", Quoted(&entry.key.text), value.describe()))
                .label("expected a mapping")
                .help(format!("write its settings below it, of {}", list(&shown(keys), "and")));
            return;
        }
        for setting in value.entries() {
            let name = &setting.key.text;
            match keys.iter().find(|key| key.name.eq_ignore_ascii_case(name)) {
                Some(key) => self.setting(setting, key.sort, is_weak),
                None => self.unknown(setting, keys),
            }
        }
        for key in keys.iter().filter(|key| key.is_needed && of(value, key.name).is_none()) {
            self.add(entry, format!("{} without {}", Quoted(&entry.key.text), Quoted(key.name)))
                .help(format!("add `{}:` below it: Promtail does not start without", key.name));
        }
    }

    fn unknown(&mut self, setting: &Entry, keys: &[Key]) {
        let name = &setting.key.text;
        let message = format!("the stage has no setting {}", Quoted(name));
        let finding = self.file.add(&KEY, self.root, setting, message, self.findings);
        match nearest(name, shown(keys)) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.label(format!("expected {}", list(&shown(keys), "or"))),
        };
        finding.help("Promtail passes over it");
    }

    fn setting(&mut self, setting: &Entry, sort: &str, is_weak: bool) {
        let value = &setting.value;
        let text = match &value.data {
            Data::Scalar(scalar) => scalar.text.as_str(),
            _ => "",
        };
        if value.is_null() || text.contains("${") {
            return;
        }
        match sort {
            "stages" => {
                if let Data::List(stages) = &value.data {
                    self.stages(stages);
                } else {
                    self.expected(setting, "a list of stages");
                }
                return;
            }
            "texts" | "jmes" => return self.mapping(setting, sort),
            _ => {}
        }
        let is_text = value.text().is_some() || is_weak && value.scalar().is_some();
        let expected = match sort {
            "any" => None,
            "bool" => (!is_boolean(value, is_weak)).then(|| "`true` or `false`".to_owned()),
            "int" => number(value).is_none().then(|| "a whole number".to_owned()),
            "positive" => number(value).is_none_or(|number| number <= 0.0).then(|| "a number above zero".to_owned()),
            "share" => {
                number(value).is_none_or(|it| !(0.0..=1.0).contains(&it)).then(|| "a number from 0 to 1".to_owned())
            }
            "list" => (!matches!(value.data, Data::List(_))).then(|| "a list".to_owned()),
            "numbers" => {
                let is_number = |item: &Node| item.text().is_none() && number(item).is_some();
                let is_right = matches!(&value.data, Data::List(items) if items.iter().all(is_number));
                (!is_right).then(|| "a list of numbers".to_owned())
            }
            "sources" => {
                let is_right = match &value.data {
                    Data::List(items) => items.iter().all(|item| item.text().is_some()),
                    _ => value.text().is_some(),
                };
                (!is_right).then(|| "a text, or a list of texts".to_owned())
            }
            _ if !is_text => Some("a text".to_owned()),
            _ => misfit(sort, text),
        };
        if let Some(expected) = expected {
            self.expected(setting, &expected);
        }
    }

    fn expected(&mut self, setting: &Entry, expected: &str) -> &mut Finding {
        let value = &setting.value;
        let shown = match &value.data {
            Data::Scalar(scalar) => Quoted(&scalar.text).to_string(),
            _ => value.describe().to_string(),
        };
        self.add(value, format!("{} is {shown}", Quoted(&setting.key.text)))
            .label(format!("expected {expected}"))
            .help("Promtail does not start with it")
    }

    /// A mapping to texts; to ways through JSON, where those are asked for.
    fn mapping(&mut self, setting: &Entry, sort: &str) {
        let Data::Map(entries) = &setting.value.data else {
            self.expected(setting, "a mapping");
            return;
        };
        for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
            match entry.value.text() {
                None => {
                    self.expected(entry, "a text, in quotes if need be");
                }
                Some(text) if sort == "jmes" && !text.is_empty() => {
                    if let Err(why) = jmes(text) {
                        self.expected(entry, why);
                    }
                }
                Some(_) => {}
            }
        }
        if entries.is_empty() {
            self.expected(setting, "at least one name");
        }
    }

    /// Labels, and what they are made of.
    fn texts(&mut self, value: &Node, is_name: impl Fn(&str) -> bool) {
        if value.is_null() {
            return;
        }
        let Data::Map(entries) = &value.data else {
            self.add(value, format!("labels are {}", value.describe()))
                .label("expected a mapping")
                .help("write `name:` for each label, without `- `, and behind it the name of what is extracted, if that is another");
            return;
        };
        for entry in entries {
            if !is_name(&entry.key.text) {
                self.add(entry, format!("{} is no name of a label", Quoted(&entry.key.text)))
                    .label("expected letters, digits and `_`, with no digit first");
            }
            if !entry.value.is_null() && entry.value.text().is_none() {
                self.expected(entry, "a text: put quotes around it");
            }
        }
    }

    fn labels(&mut self, entry: &Entry) {
        if entry.value.items().is_empty() {
            let name = &entry.key.text;
            self.add(entry, format!("{} without labels", Quoted(name))).label(format!("expected `{name}: [label, …]`"));
        }
    }

    /// What a stage asks of several of its settings.
    fn together(&mut self, name: &str, entry: &Entry) {
        let value = &entry.value;
        let has = |key: &str| of(value, key).is_some();
        let filled = |key: &str| of(value, key).and_then(Node::text).is_some_and(|text| !text.is_empty());
        let is_dropping = || of(value, "action").and_then(Node::text) == Some("drop");
        let inner = || of(value, "stages").is_some_and(|stages| !stages.items().is_empty());
        let (wrong, help) = match name {
            "drop" if !["source", "expression", "older_than", "longer_than"].into_iter().any(has) => {
                ("`drop` without a condition", "add `source:`, `expression:`, `older_than:` or `longer_than:`")
            }
            "drop" if has("value") && !has("source") => ("`value` without `source`", "add `source:`"),
            "drop" if has("value") && has("expression") => ("`value` beside `expression`", "remove one of the two"),
            "limit" if filled("by_label_name") && !is_true(value, "drop") && !is_variable(of(value, "drop")) => {
                ("`by_label_name` without `drop: true`", "add `drop: true`")
            }
            "match" if is_dropping() && inner() => {
                ("`stages` of lines that are dropped", "remove them, or `action: drop`")
            }
            "match" if of(value, "action").is_none_or(|it| it.text() == Some("keep")) && !inner() => {
                ("`match` without stages", "add `stages:` with what to do with these lines, or `action: drop`")
            }
            "tenant" => match ["label", "source", "value"].into_iter().filter(|key| filled(key)).count() {
                0 => ("`tenant` without a source", "add `label:`, `source:` or `value:`"),
                1 => return,
                _ => ("`tenant` with two sources", "keep one of `label:`, `source:` and `value:`"),
            },
            _ => return,
        };
        // A text of another sort is told as such.
        if matches!(value.data, Data::Map(_)) || value.is_null() {
            self.add(entry, wrong.to_owned()).help(help);
        }
    }

    fn metrics(&mut self, value: &Node) {
        for metric in value.entries() {
            self.settings(metric, &keys(METRIC), false);
            let sort = of(&metric.value, "type").and_then(Node::text).unwrap_or_default().to_lowercase();
            let Some((_, spec)) = METRICS.iter().find(|(known, _)| *known == sort) else { continue };
            let config = metric.value.entries().iter().find(|entry| entry.key.text.eq_ignore_ascii_case("config"));
            let Some(config) = config else {
                if sort != "histogram" {
                    self.add(metric, format!("a {sort} without `config`"))
                        .help("add `config:`, and its `action:` below it");
                }
                continue;
            };
            self.settings(config, &keys(spec), false);
            let settings = &config.value;
            let of_counter = |wrong: &str, help: &'static str, judge: &mut Self| {
                judge.add(config, wrong.to_owned()).help(help);
            };
            let is_adding =
                of(settings, "action").and_then(Node::text).is_some_and(|it| it.eq_ignore_ascii_case("add"));
            if is_true(settings, "match_all") && of(settings, "value").is_some() {
                of_counter("`match_all` beside `value`", "remove one of the two", self);
            }
            if is_true(settings, "count_entry_bytes") && !(is_true(settings, "match_all") && is_adding) {
                of_counter("`count_entry_bytes` of some lines", "add `match_all: true` and `action: add`", self);
            }
        }
    }
}

/// The name of a label as Prometheus read it before version 3.
fn is_label_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(is_part) && text.starts_with(|c: char| is_part(c) && !c.is_ascii_digit())
}

fn shown(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}

fn is_variable(node: Option<&Node>) -> bool {
    node.and_then(Node::text).is_some_and(|text| text.contains("${"))
}

fn is_boolean(value: &Node, is_weak: bool) -> bool {
    let text = value.text().filter(|_| is_weak);
    value.boolean().is_some()
        || is_weak && number(value).is_some()
        || text.is_some_and(|text| values::misfit("bool-text", value).is_none() && !text.is_empty())
}

/// A number, or a text that is one.
fn number(value: &Node) -> Option<f64> {
    match (value.scalar()?, &value.data) {
        (Plain::Integer(_) | Plain::Unsigned(_) | Plain::Float(_) | Plain::Text, Data::Scalar(scalar)) => {
            scalar.text.parse().ok()
        }
        _ => None,
    }
}

/// What was expected of a text, where it is none.
fn misfit(sort: &str, text: &str) -> Option<String> {
    let (fits, expected) = match sort {
        "text" => return None,
        "filled" => (!text.is_empty(), "a text that is not empty"),
        "regexp" => (is_expression(text), "a regular expression of Go"),
        "duration" => (duration::go(text).is_ok(), "a duration such as `30s` or `24h`"),
        "idle" => (duration::go(text).is_ok_and(|nanos| nanos >= 1_000_000_000), "a duration of a second or more"),
        "size" => (is_size(text), "a size such as `8kb`"),
        "label" => (is_label_name(text), "the name of a label"),
        "zone" => {
            let is_one = matches!(text, "" | "UTC" | "Local") || calendar::is_time_zone(text);
            (is_one, "a time zone such as `Europe/Vienna`")
        }
        "metric" => {
            let is_one = METRICS.iter().any(|(name, _)| name.eq_ignore_ascii_case(text));
            (is_one, "`counter`, `gauge` or `histogram`")
        }
        "selector" => (is_selector(text), "`{label=\"value\"}`, and behind it filters such as `|= \"text\"`"),
        "template" => {
            return match template::read(text, functions(), &[]) {
                Err(why) => Some(format!("a template of Go: {why}")),
                Ok(actions) => {
                    template::undefined(&actions).map(|name| format!("a template of Go: nothing sets `${name}`"))
                }
            };
        }
        words => {
            let (words, is_any_case) = words.strip_prefix('~').map_or((words, false), |words| (words, true));
            let words: Vec<&str> = words.split('|').collect();
            let is_one = words.iter().any(|word| *word == text || is_any_case && word.eq_ignore_ascii_case(text));
            return (!is_one).then(|| list(&words, "or"));
        }
    };
    (!fits).then(|| expected.to_owned())
}

/// `ByteSize` of github.com/c2h5oh/datasize in upper case: a whole number and a unit without an `i`.
fn is_size(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let unit = unit.trim().to_ascii_uppercase();
    text.starts_with(|c: char| c.is_ascii_digit())
        && (unit.is_empty()
            || matches!(
                unit.as_str(),
                "B" | "KB" | "K" | "MB" | "M" | "GB" | "G" | "TB" | "T" | "PB" | "P" | "EB" | "E"
            ))
}

/// The selector of a `match`: matchers in braces, and filters of lines. Neither knows texts in backticks.
fn is_selector(text: &str) -> bool {
    let Some(mut rest) = text.trim_start().strip_prefix('{') else { return false };
    loop {
        let name = rest.trim_start();
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
        let Some((is_regexp, behind)) =
            operator(name[end..].trim_start(), [("=~", true), ("!~", true), ("!=", false), ("=", false)])
        else {
            return false;
        };
        let Some(behind) = is_label_name(&name[..end]).then(|| value(behind, is_regexp)).flatten() else {
            return false;
        };
        let behind = behind.trim_start();
        if let Some(behind) = behind.strip_prefix('}') {
            rest = behind;
            break;
        }
        let Some(behind) = behind.strip_prefix(',') else { return false };
        rest = behind;
    }
    while !rest.trim().is_empty() {
        let filters = [("|=", false), ("|~", true), ("!=", false), ("!~", true)];
        let Some(behind) =
            operator(rest.trim_start(), filters).and_then(|(is_regexp, behind)| value(behind, is_regexp))
        else {
            return false;
        };
        rest = behind;
    }
    true
}

fn operator<'t>(text: &'t str, known: [(&str, bool); 4]) -> Option<(bool, &'t str)> {
    known.iter().find_map(|(sign, is_regexp)| Some((*is_regexp, text.strip_prefix(sign)?)))
}

/// What is behind a text in double quotes that is as it should be.
fn value(text: &str, is_regexp: bool) -> Option<&str> {
    let text = text.trim_start();
    let read = text.starts_with('"').then(|| quoted(text).ok()).flatten()?;
    (!is_regexp || is_expression(&read.value)).then(|| &text[read.length..])
}

/// Whether a text may be a way through JSON, as far as it is told by its signs; what is wrong where it is none.
fn jmes(text: &str) -> Result<(), &'static str> {
    const QUOTES: &str = "a way through JSON: what is no word stands in double quotes, such as `'\"a-b\"'`";
    let (mut open, mut quote, mut last) = (Vec::new(), None, ' ');
    for c in text.chars() {
        let before = std::mem::replace(&mut last, c);
        match c {
            _ if quote.is_some() => {
                if Some(c) == quote && before != '\\' {
                    quote = None;
                }
            }
            '"' | '\'' | '`' => quote = Some(c),
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => return Err("a way through JSON, and brackets in pairs"),
            '-' if open.last() != Some(&']') => return Err(QUOTES),
            '@' if before.is_alphanumeric() => return Err(QUOTES),
            '@' | ')' | ']' | '}' | '-' | '.' | '*' | ',' | ':' | '|' | '&' | '!' | '<' | '>' | '=' | '?' | '_'
            | ' ' => {}
            _ if c.is_ascii_alphanumeric() && before == '@' => return Err(QUOTES),
            _ if c.is_ascii_digit() && !before.is_ascii_alphanumeric() && before != '_' && !open.contains(&']') => {
                return Err(QUOTES);
            }
            _ if c.is_ascii_alphanumeric() => {}
            _ => return Err(QUOTES),
        }
    }
    let words = text.trim().split(' ').all(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if words && text.trim().contains(' ')
        || text.contains(':') && !text.contains(['[', '{']) && !text.contains(['"', '\'', '`'])
    {
        return Err(QUOTES);
    }
    if !open.is_empty() || quote.is_some() {
        return Err("a way through JSON, and brackets and quotes in pairs");
    }
    if text.starts_with('.') || text.ends_with('.') {
        return Err("a way through JSON: a dot stands between two names, as in `a.b`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::syntax;
    use super::*;
    use crate::object::Object;
    use vigil_yaml::{Limits, Source, read_one};

    /// What is said of a stage: what keeps Promtail from starting, and nothing else.
    fn refused(stage: &str) -> Vec<String> {
        let text = format!("kind: ConfigMap\ndata:\n  promtail.yaml: |\n    stages: [{stage}]\n");
        let node = read_one(&Source::new("t", text), &Limits::default()).unwrap().unwrap();
        let object = Object {
            node: &node,
            group: "",
            version: "v1",
            kind: "ConfigMap",
            name: "t",
            namespace: "",
            damaged: false,
        };
        let files = File::all(&object);
        let mut findings = Findings::default();
        let read = syntax::check(&files, &mut findings);
        assert!(findings.list.is_empty(), "{stage}: {:?}", findings.list);
        let root = &read[0].documents[0];
        Judge { file: &files[0], root, findings: &mut findings }.stages(root.get("stages").unwrap().items());
        let errors = findings.list.into_iter().filter(|finding| finding.rule.id == STAGE.id);
        errors.map(|finding| format!("{}; {}", finding.message, finding.label.unwrap_or_default())).collect()
    }

    /// Verdicts of Promtail 3.5.0, which was started with each.
    #[test]
    fn as_promtail_says() {
        let mut wrong = Vec::new();
        for line in include_str!("../../tests/stages.txt").lines() {
            let (verdict, stage) = line.split_once('\t').unwrap();
            let said = refused(stage);
            // No such database is here.
            if (verdict == "refused") == said.is_empty() && !stage.contains("db_type: city") {
                wrong.push(format!("{verdict}: {stage}: {said:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
