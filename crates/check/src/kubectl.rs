//! How kubectl reads YAML, and what of it kubectl does not read.

use serde_json::Value;
use vigil_yaml::plain::{Plain, resolve_as_kubectl};
use vigil_yaml::{Data, Node, Quoted, Scalar};

/// A scalar as kubectl reads it.
pub(crate) fn as_kubectl(scalar: &Scalar) -> Value {
    match if scalar.plain { resolve_as_kubectl(&scalar.text) } else { Plain::Text } {
        Plain::Null => Value::Null,
        Plain::Bool(value) => value.into(),
        Plain::Integer(value) => value.into(),
        Plain::Unsigned(value) => value.into(),
        Plain::Float(value) => serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number),
        Plain::Text => scalar.text.clone().into(),
    }
}

/// Tells of numbers that JSON cannot hold, and of an escape that came with YAML 1.2: where, what, and what to do.
pub(crate) fn unreadable<'n>(node: &'n Node, tell: &mut impl FnMut(&'n Node, String, &'static str)) {
    match &node.data {
        Data::Map(entries) => entries.iter().for_each(|entry| unreadable(&entry.value, tell)),
        Data::List(items) => items.iter().for_each(|item| unreadable(item, tell)),
        Data::Scalar(scalar) if scalar.plain => {
            let number = scalar.text.strip_prefix(['+', '-']).unwrap_or(&scalar.text);
            let is_infinite = matches!(number, ".inf" | ".Inf" | ".INF");
            if is_infinite || matches!(scalar.text.as_str(), ".nan" | ".NaN" | ".NAN") {
                let message = format!("{} is a number that JSON does not have", Quoted(&scalar.text));
                tell(node, message, "put quotes around it, if it is meant as a text");
            }
        }
        Data::Scalar(_) => {
            if escapes_slash(node.span.text()) {
                tell(node, "kubectl does not know the escape `\\/`".to_owned(), "write `/` alone");
            }
        }
    }
}

/// Whether a text in double quotes has `\/` in it.
fn escapes_slash(text: &str) -> bool {
    let mut escaped = false;
    text.starts_with('"')
        && text.bytes().any(|b| {
            let found = escaped && b == b'/';
            escaped = b == b'\\' && !escaped;
            found
        })
}
