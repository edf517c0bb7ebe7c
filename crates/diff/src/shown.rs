//! Values as a report shows them: short, and without credentials.

use crate::change::{Change, Path, Step};
use crate::effect::Field;
use crate::embedded;
use crate::object::Identity;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use vigil_forms::name::is_credential;
use vigil_forms::url;
use vigil_yaml::words::counted;

/// How many characters of a value are shown.
const LONGEST: usize = 60;

/// What stands for a value that nobody shall read.
const HIDDEN: &str = "***";

/// The fields of a change; those inside of a file when it is one.
pub(crate) fn fields(identity: &Identity, change: &Change) -> Vec<Field> {
    if change.is_same_file() && !change.inside.is_empty() || change.is_same_file() && is_file(identity, change) {
        return vec![field(change, None, Some("only comments, order or spelling".to_owned()))];
    }
    if !change.inside.is_empty() {
        let inside = change.inside.iter().filter(|change| !change.is_equivalent);
        return inside.flat_map(|inside| fields(identity, inside)).collect();
    }
    if change.is_order {
        return vec![field(change, None, Some("another order".to_owned()))];
    }
    if let Some((before, after)) = lines(identity, change) {
        return vec![field(change, before, Some(after))];
    }
    let show = |value: &Option<Value>| value.as_ref().map(|value| shown(identity, &change.path, value));
    vec![field(change, show(&change.before), show(&change.after))]
}

fn field(change: &Change, before: Option<String>, after: Option<String>) -> Field {
    let mut path = change.path.clone();
    // An item that has no name but its value: that is shown behind it, or is not to be shown.
    let is_scalar = |value: &Option<Value>| value.as_ref().is_some_and(|it| !it.is_object() && !it.is_array());
    if matches!(path.0.last(), Some(Step::Item(name)) if !name.starts_with('-'))
        && (is_scalar(&change.before) || is_scalar(&change.after))
    {
        path.0.pop();
    }
    Field { path: path.to_string(), before, after }
}

fn is_file(identity: &Identity, change: &Change) -> bool {
    change.after.as_ref().is_some_and(|value| embedded::read(identity, &change.path, value).is_some())
}

/// The line of a text that differs, before and after; how many come and go when there are more, or nobody shall read them.
fn lines(identity: &Identity, change: &Change) -> Option<(Option<String>, String)> {
    let read = |value: &Option<Value>| {
        let value = value.as_ref()?;
        embedded::text(identity, &change.path, value).or_else(|| value.as_str().map(str::to_owned))
    };
    let (before, after) = (read(&change.before)?, read(&change.after)?);
    if before.lines().count() < 2 && after.lines().count() < 2 {
        return None;
    }
    let diff = TextDiff::from_lines(&before, &after);
    let of =
        |tag| -> Vec<_> { diff.iter_all_changes().filter(|change| change.tag() == tag).map(|it| it.value()).collect() };
    let (added, removed) = (of(ChangeTag::Insert), of(ChangeTag::Delete));
    if let ([added], [removed], false) = (&*added, &*removed, identity.is("", "Secret")) {
        let line = |text: &str| short(&plain(text.trim(), false));
        return Some((Some(line(removed)), line(added)));
    }
    let lines = [(added.len(), "added"), (removed.len(), "removed")];
    let lines = lines.iter().filter(|(count, _)| *count > 0);
    let lines: Vec<_> = lines.map(|(count, verb)| format!("{} {verb}", counted(*count, "line"))).collect();
    Some((None, lines.join(", ")))
}

/// A value at a path, shortened and without credentials.
fn shown(identity: &Identity, path: &Path, value: &Value) -> String {
    let in_secret = identity.is("", "Secret") && ["data", "stringData"].iter().any(|key| path.begins(&[key]));
    // A value of a Secret that is no file is a credential, whatever it is called.
    if in_secret && path.0.len() <= 2 {
        return short(&flow(value, true, true, 0));
    }
    let lines = value.as_str().map_or(0, |text| text.lines().count());
    if lines > 1 && identity.is("", "ConfigMap") {
        return counted(lines, "line");
    }
    let mut names: Vec<&str> = path.names().collect();
    if matches!(path.0.last(), Some(Step::Item(_))) && !value.is_object() {
        // It is the value.
        names.pop();
    }
    // `env[GRAFANA_PASSWORD].value`
    let is_hidden = names.iter().rev().take(2).any(|name| is_credential(name));
    match value.as_str().filter(|text| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        // Nobody compares checksums by eye.
        Some(checksum) => format!("{}...", &checksum[..8]),
        None => short(&flow(value, is_hidden, in_secret, 0)),
    }
}

/// A value in one line: of lists of things with names, their names.
fn flow(value: &Value, is_hidden: bool, in_secret: bool, depth: usize) -> String {
    match value {
        Value::String(_) | Value::Array(_) if is_hidden => HIDDEN.to_owned(),
        Value::String(text) => plain(text, in_secret),
        Value::Array(items) => {
            let names: Option<Vec<String>> = items.iter().map(|item| name(item, is_hidden, in_secret)).collect();
            let items =
                names.unwrap_or_else(|| items.iter().map(|item| flow(item, is_hidden, in_secret, depth + 1)).collect());
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            // `{name: GRAFANA_PASSWORD, value: …}`
            let named = entries.get("name").and_then(Value::as_str).is_some_and(is_credential);
            let entry = |(key, value): (&String, &Value)| {
                let hidden = is_hidden || is_credential(key) || named && key == "value";
                format!("{key}: {}", flow(value, hidden, in_secret, depth + 1))
            };
            let entries = entries.iter().map(entry).collect::<Vec<_>>().join(", ");
            if depth == 0 { entries } else { format!("{{{entries}}}") }
        }
        other => other.to_string(),
    }
}

fn name(item: &Value, is_hidden: bool, in_secret: bool) -> Option<String> {
    match item {
        Value::Object(_) => {
            let name = item.pointer("/metadata/name").or_else(|| item.get("name")).or_else(|| item.get("alert"))?;
            Some(name.as_str()?.to_owned())
        }
        Value::Array(_) => None,
        scalar => Some(flow(scalar, is_hidden, in_secret, 1)),
    }
}

/// A text without credentials: those of URLs, those of flags, and in a Secret every URL, which is often one itself.
fn plain(text: &str, in_secret: bool) -> String {
    if in_secret && text.contains("://") {
        return HIDDEN.to_owned();
    }
    for sign in ["=", ":"] {
        if let Some((name, _)) = text.split_once(sign).filter(|(name, _)| is_credential(name)) {
            return format!("{name}{sign}{HIDDEN}");
        }
    }
    let text = url::without_credentials(text).unwrap_or_else(|| text.to_owned());
    if text.is_empty() { "\"\"".to_owned() } else { text.split_whitespace().collect::<Vec<_>>().join(" ") }
}

fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST - 3).collect();
    format!("{}...", kept.trim_end())
}
