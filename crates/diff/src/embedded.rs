//! Files inside of ConfigMaps and Secrets.

use crate::change::Path;
use crate::object::Identity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use vigil_yaml::{Limits, Source};

/// The text of a value of a ConfigMap or Secret, decoded; `None` of anything else.
pub(crate) fn text(identity: &Identity, path: &Path, value: &Value) -> Option<String> {
    let encoded = match (identity.kind.as_str(), path.names().next()?) {
        ("Secret", "data") => true,
        ("ConfigMap", "data") | ("Secret", "stringData") => false,
        _ => return None,
    };
    let text = value.as_str().filter(|_| path.0.len() == 2)?;
    if encoded { String::from_utf8(STANDARD.decode(text).ok()?).ok() } else { Some(text.to_owned()) }
}

/// The tree of a file of YAML or JSON; `None` when the value is none.
pub(crate) fn read(identity: &Identity, path: &Path, value: &Value) -> Option<Value> {
    parse(&text(identity, path, value)?)
}

/// The tree of a text that is YAML or JSON.
pub(crate) fn parse(text: &str) -> Option<Value> {
    // Most texts that are no file are a line, and every line is YAML.
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Some(value);
    }
    let document = vigil_yaml::read_one(&Source::new("<file>", text), &Limits::default()).ok()??;
    let value = document.to_json();
    (value.is_object() || value.is_array()).then_some(value)
}
