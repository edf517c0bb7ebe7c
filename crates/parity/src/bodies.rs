//! Files inside `ConfigMaps` and Secrets, parsed: what counts is the configuration and not how it is written.

use crate::object::kind;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use vigil_yaml::{Limits, Source};

/// The files of a `ConfigMap` or Secret by name, as text.
pub(crate) fn texts(object: &Value) -> Vec<(&str, String)> {
    let entries = |key: &str| object[key].as_object().into_iter().flatten();
    let plain = if kind(object) == "Secret" { "stringData" } else { "data" };
    let mut texts: Vec<(&str, String)> =
        entries(plain).map(|(name, text)| (name.as_str(), text.as_str().unwrap_or_default().to_owned())).collect();
    let encoded = if kind(object) == "Secret" { "data" } else { "binaryData" };
    for (name, text) in entries(encoded) {
        // `stringData` wins, as it does in the API.
        if texts.iter().all(|(other, _)| other != name) {
            let text = text.as_str().unwrap_or_default();
            let decoded = BASE64_STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            texts.push((name, decoded.unwrap_or_else(|| text.to_owned())));
        }
    }
    texts
}

/// The files, each parsed by what its name says it is; one that does not parse stays the text it is.
pub(crate) fn bodies(object: &Value) -> Map<String, Value> {
    texts(object).into_iter().map(|(name, text)| (format!("[{name}]"), body(name, &text))).collect()
}

fn body(name: &str, text: &str) -> Value {
    let parsed = match name.rsplit('.').next() {
        Some("yaml" | "yml") => yaml(text),
        Some("json") => serde_json::from_str(text).ok(),
        Some("ini") => Some(ini(text)),
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::from(text.trim_end()))
}

fn yaml(text: &str) -> Option<Value> {
    let node = vigil_yaml::read_one(&Source::new("body", text), &Limits::default()).ok()??;
    Some(node.to_json())
}

/// Sections, and keys with values; keys before the first section stand beside the sections.
fn ini(text: &str) -> Value {
    let mut sections = Map::new();
    let mut section: Option<String> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with([';', '#'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = Some(name.trim().to_owned());
        } else if let Some((key, value)) = line.split_once('=') {
            let value = Value::from(value.trim().trim_matches(['"', '\'']));
            let key = key.trim().to_owned();
            match &section {
                None => sections.insert(key, value),
                Some(name) => match sections.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())) {
                    Value::Object(entries) => entries.insert(key, value),
                    other => Some(std::mem::replace(other, value)),
                },
            };
        }
    }
    Value::Object(sections)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_file_is_the_same_wherever_it_is_kept() {
        let config = json!({"kind": "ConfigMap", "data": {"a.yaml": "x: 1\ny: [a]\n"}});
        let string = json!({"kind": "Secret", "stringData": {"a.yaml": "# comment\ny:\n- a\nx: 1"}});
        let encoded = json!({"kind": "Secret", "data": {"a.yaml": "eDogMQp5OiBbYV0K"}});
        assert_eq!(bodies(&config), bodies(&string));
        assert_eq!(bodies(&config), bodies(&encoded));
    }

    #[test]
    fn formats() {
        assert_eq!(body("a.json", "{\"a\": 1}"), json!({"a": 1}));
        assert_eq!(
            body("grafana.ini", "mode = x\n; note\n[server]\ndomain = ''\n[log]\n mode=console\n"),
            json!({"mode": "x", "server": {"domain": ""}, "log": {"mode": "console"}})
        );
        assert_eq!(body("a.yaml", "a: [broken"), json!("a: [broken"));
        assert_eq!(body("password", "x\n"), json!("x"));
    }
}
