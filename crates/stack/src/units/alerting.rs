//! What Prometheus and Alertmanager take: label names, matchers, receivers and their addresses.

use super::text_unit;
use vigil_forms::name::{is_config_key, is_host, is_metric_label};
use vigil_forms::regex::{self, Wrong};
use vigil_forms::url::{Authority, is_host_and_port, port_number};

text_unit! {
    /// The name of a label of a metric.
    MetricLabel,
    expected: "a label name such as `cluster`: letters, digits and `_`, not starting with a digit or `__`",
    pattern: r"^(_?[a-zA-Z])[a-zA-Z0-9_]*$",
    check: |text| match text {
        _ if text.starts_with("__") => Err("the prefix `__` is Prometheus' own"),
        _ if is_metric_label(text) => Ok(()),
        _ => Err(""),
    }
}

text_unit! {
    /// A label to group alerts by, or all of them.
    GroupLabel,
    expected: "a label name such as `namespace`, or `...` for all labels",
    pattern: r"^([a-zA-Z_][a-zA-Z0-9_]*|\.\.\.)$",
    check: |text| if text == "..." || is_metric_label(text) { Ok(()) } else { Err("") }
}

text_unit! {
    /// The name of an alert.
    AlertName,
    expected: "the name of an alert such as `KubePodCrashLooping`",
    pattern: r"^[A-Za-z_][A-Za-z0-9_]*$",
    check: |text| if is_metric_label(text) { Ok(()) } else { Err("") }
}

text_unit! {
    /// What a receiver of alerts is called.
    ReceiverName,
    expected: "a name of letters, digits, `-`, `_` and `.`, up to 63 of them",
    pattern: r"^[A-Za-z0-9._-]{1,63}$",
    check: |text| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if (1..64).contains(&text.len()) && text.bytes().all(fits) { Ok(()) } else { Err("") }
    }
}

text_unit! {
    /// What a label of an alert must be, as Alertmanager writes it.
    Matcher,
    expected: "a matcher such as `severity = critical` or `namespace =~ \"team-.*\"`",
    pattern: r"^[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*.*$",
    check: matcher
}

text_unit! {
    /// A regular expression as Prometheus reads it: that of Go.
    Expression,
    expected: "a regular expression of Go (RE2), such as `go_.*|process_.*`",
    pattern: r"^[^\x00-\x1f\x7f]*$",
    check: |text| match regex::go(text) {
        Ok(_) if text.contains(char::is_control) => Err("a control character"),
        Ok(_) => Ok(()),
        Err(Wrong::Bracket(_)) => Err("a `[` is not closed"),
        Err(Wrong::Open) => Err("a `(` is not closed"),
        Err(Wrong::Close) => Err("a `)` closes nothing"),
        Err(Wrong::Operand(_)) => Err("a repetition of nothing"),
        Err(Wrong::Group(_)) => Err("look-around and named references are not known"),
        Err(_) => Err(""),
    }
}

text_unit! {
    /// Free text on one line.
    Line,
    expected: "a text on one line, up to 1024 bytes",
    pattern: r"^[^\x00-\x1f\x7f]*$",
    check: |text| if text.len() > 1024 || text.contains(char::is_control) { Err("") } else { Ok(()) }
}

text_unit! {
    /// An e-mail address.
    Email,
    expected: "an e-mail address such as `on-call@example.com`",
    pattern: r"^[^@\s<>,]+@[A-Za-z0-9.-]+$",
    check: |text| {
        let (user, host) = text.split_once('@').ok_or("no `@`")?;
        let fits = |b: u8| b.is_ascii_graphic() && !b"<>,;\"()[]\\@".contains(&b);
        if !user.is_empty() && user.bytes().all(fits) && is_host(host) { Ok(()) } else { Err("") }
    }
}

text_unit! {
    /// A host and a port.
    HostPort,
    expected: "a host and a port such as `smtp.example.com:587` or `[2001:db8::1]:9100`",
    pattern: r"^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$",
    check: |text| match Authority::split(text).port {
        _ if is_host_and_port(text) => Ok(()),
        None => Err("no port"),
        Some(port) if port_number(port).is_none() => Err("the port is not from 1 to 65535"),
        Some(_) => Err(""),
    }
}

text_unit! {
    /// The scheme of an Authorization header.
    Authorization,
    expected: "a scheme such as `Bearer`",
    pattern: r"^[A-Za-z][A-Za-z0-9-]*$",
    check: |text| match text {
        // Prometheus refuses it here.
        _ if text.eq_ignore_ascii_case("basic") => Err("user and password go to `basicAuth`"),
        "" => Err("empty"),
        _ if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => Ok(()),
        _ => Err(""),
    }
}

text_unit! {
    /// A key in a Secret or ConfigMap, which is a file name where it is mounted.
    SecretKey,
    expected: "a key of a Secret: letters, digits, `-`, `_` and `.`, up to 253 of them",
    pattern: r"^[-._a-zA-Z0-9]{1,253}$",
    check: |text| if is_config_key(text) { Ok(()) } else { Err("") }
}

/// A chat of Telegram. Those of groups are negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ChatId(i64);

impl<'de> serde::Deserialize<'de> for ChatId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl serde::de::Visitor<'_> for Number {
            type Value = ChatId;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the number of a chat, such as -1001234567890")
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<ChatId, E> {
                // Alertmanager takes it for a chat that is not said.
                if number == 0 {
                    Err(E::invalid_value(serde::de::Unexpected::Signed(0), &self))
                } else {
                    Ok(ChatId(number))
                }
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<ChatId, E> {
                let too_large = || E::invalid_value(serde::de::Unexpected::Unsigned(number), &self);
                i64::try_from(number).map_err(|_| too_large()).and_then(|number| self.visit_i64(number))
            }
        }
        deserializer.deserialize_i64(Number)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ChatId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ChatId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "description": "the number of a chat, such as -1001234567890" })
    }
}

/// The form that Alertmanager's classic and new parsers read the same way: a value is one word, or stands in quotes.
fn matcher(text: &str) -> Result<(), &'static str> {
    let name = text.len() - text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
    let (name, rest) = text.split_at(name);
    if !is_metric_label(name) {
        return Err("");
    }
    let rest = rest.trim_start_matches(' ');
    let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| rest.starts_with(operator)).ok_or("")?;
    let value = rest[operator.len()..].trim_start_matches(' ');
    if value.chars().any(char::is_control) || value.len() > 1024 {
        return Err("");
    }
    match value.strip_prefix('"') {
        Some(quoted) => {
            let inner = quoted.strip_suffix('"').ok_or("the quote does not end")?;
            let mut characters = inner.chars();
            while let Some(c) = characters.next() {
                match c {
                    '"' => return Err("a quote inside needs a `\\` before it"),
                    '\\' if !matches!(characters.next(), Some('"' | '\\' | 'n')) => {
                        return Err("a `\\` stands before `\"`, `\\` or `n` only");
                    }
                    _ => {}
                }
            }
            Ok(())
        }
        None if value.is_empty() => Err("no value; an empty one is `\"\"`"),
        None if value.bytes().any(|b| b.is_ascii_whitespace() || b"{}!=~,\\\"'`".contains(&b)) => {
            Err("such a value needs double quotes")
        }
        None => Ok(()),
    }
}
