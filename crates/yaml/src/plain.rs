//! What an unquoted scalar means, and whether all readers agree on it.
//!
//! kubectl and Argo CD read YAML by rules close to version 1.1, newer tools by 1.2. `on`, `0644` or `12:30` are
//! different things to them; [`is_portable`] says which texts are the same to all.

/// The type of an unquoted scalar by the YAML 1.2 core schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plain {
    /// Empty, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number above `i64::MAX`.
    Unsigned(u64),
    /// Any other number.
    Float(f64),
    /// Everything else.
    Text,
}

/// What `text` is when it stands without quotes, by the YAML 1.2 core schema.
pub fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Plain::Text;
    }
    let radix = |prefix, radix| {
        let digits = text.strip_prefix(prefix)?;
        // `from_str_radix` takes a sign of its own, which the schema does not know behind a prefix.
        digits.starts_with(|c: char| c.is_ascii_alphanumeric()).then(|| i64::from_str_radix(digits, radix).ok())?
    };
    if let Some(value) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Plain::Integer(value);
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        if let Ok(value) = text.parse() {
            return Plain::Integer(value);
        }
        if let Ok(value) = text.parse() {
            return Plain::Unsigned(value);
        }
    }
    let looks_numeric = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse::<f64>() {
        Ok(value) if looks_numeric && value.is_finite() => Plain::Float(value),
        _ => Plain::Text,
    }
}

/// What `text` is to kubectl when it stands without quotes: YAML 1.1 as its reader (sigs.k8s.io/yaml over go-yaml 2)
/// has it. Dates and `10:30` are texts to it, `0644` and `0o644` octal, `09` is nine.
pub fn resolve_as_kubectl(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Plain::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Plain::Bool(false);
        }
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Plain::Text;
    }
    let digits = text.replace('_', "");
    let (negative, unsigned) = match digits.as_bytes().first() {
        Some(b'-') => (true, &digits[1..]),
        Some(b'+') => (false, &digits[1..]),
        _ => (false, digits.as_str()),
    };
    let based = |prefixes: [&str; 2], radix| {
        let rest = prefixes.iter().find_map(|prefix| unsigned.strip_prefix(prefix))?;
        u64::from_str_radix(rest, radix).ok().filter(|_| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    };
    let octal = || unsigned.strip_prefix('0').filter(|rest| !rest.is_empty());
    let whole =
        based(["0x", "0X"], 16).or_else(|| based(["0o", "0O"], 8)).or_else(|| based(["0b", "0B"], 2)).or_else(|| {
            match octal() {
                Some(rest) if rest.bytes().all(|b| b.is_ascii_digit()) => u64::from_str_radix(rest, 8).ok(),
                _ if unsigned.bytes().all(|b| b.is_ascii_digit()) => unsigned.parse().ok(),
                _ => None,
            }
        });
    match whole {
        Some(value) if negative => {
            if let Some(value) = 0i64.checked_sub_unsigned(value) {
                return Plain::Integer(value);
            }
        }
        Some(value) => return i64::try_from(value).map_or(Plain::Unsigned(value), Plain::Integer),
        None => {}
    }
    let looks_numeric = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    match digits.parse::<f64>() {
        Ok(value) if looks_numeric && value.is_finite() => Plain::Float(value),
        _ => Plain::Text,
    }
}

/// Whether an unquoted `text` is the same value to YAML 1.1 and YAML 1.2 readers alike.
pub fn is_portable(text: &str) -> bool {
    match resolve(text) {
        Plain::Null => matches!(text, "" | "~" | "null"),
        Plain::Bool(_) => matches!(text, "true" | "false"),
        Plain::Integer(_) | Plain::Unsigned(_) => is_decimal(text),
        Plain::Float(_) => text.split_once('.').is_some_and(|(whole, rest)| {
            is_decimal(whole) && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())
        }),
        Plain::Text => is_same_text(text),
    }
}

/// Decimal digits without a leading zero, perhaps with a minus: an integer to every reader.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits == "0" || (!digits.starts_with('0') && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether no reader of YAML 1.1 gives `text` another type than string.
fn is_same_text(text: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let unsigned = text.trim_start_matches(['-', '+']);
    if text == "=" || text == "<<" {
        false
    } else if unsigned.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_')) {
        // Numbers, times and dates of all sorts: the serializer knows them, and quotes what it would not read back.
        // Only the end of the line is its own: a space at the end, of whatever kind, belongs to the text.
        serde_saphyr::to_string(&text).is_ok_and(|written| written.strip_suffix('\n') == Some(text))
    } else {
        !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_disagree_on_these() {
        for text in [
            "on",
            "off",
            "yes",
            "no",
            "y",
            "N",
            "True",
            "0644",
            "0o17",
            "0x1f",
            "1_000",
            "12e3",
            "1e3",
            "=",
            "10:30",
            "190:20:30",
            "2001-12-14",
            ".5",
            "5.",
            "+1",
            "<<",
            ".inf",
            ".NaN",
            "NULL",
            "0b11",
            "-0644",
            "-1_0",
            "0 ",
        ] {
            assert!(!is_portable(text), "`{text}` must be quoted");
        }
    }

    #[test]
    fn readers_agree_on_these() {
        for text in [
            "",
            "~",
            "null",
            "true",
            "false",
            "0",
            "-1",
            "30090",
            "1.5",
            "10d",
            "1GiB",
            "nginx",
            "n1",
            "http-metrics",
            "/var/log/pods/*$1/*.log",
            "^;*([^;]+)(;.*)?$",
            "grafana/loki:3.7.8",
            "10.0.0.0/8",
            "node-role",
            "--arg",
            "-config.file=/etc/loki/loki.yaml",
            "hello world",
            "Exists",
            "off-line",
            "get",
            "0\u{a0}",
            "1.5\u{3000}",
        ] {
            assert!(is_portable(text), "`{text}` is the same to all");
        }
    }

    #[test]
    fn as_kubectl_reads() {
        use Plain::{Bool, Float, Integer, Null, Text};
        for (text, expected) in [
            ("~", Null),
            ("y", Bool(true)),
            ("off", Bool(false)),
            ("0o17", Integer(15)),
            ("0644", Integer(420)),
            ("-0x1F", Integer(-31)),
            ("0b11", Integer(3)),
            ("1_000", Integer(1000)),
            ("+7", Integer(7)),
            ("0", Integer(0)),
            ("09", Float(9.0)),
            ("1e3", Float(1000.0)),
            (".5", Float(0.5)),
            ("18446744073709551615", Plain::Unsigned(u64::MAX)),
            ("10:30", Text),
            ("2001-12-14", Text),
            ("1.2.3", Text),
            ("0o19", Text),
            ("0x", Text),
            (".inf", Text),
            ("-", Text),
            ("yEs", Text),
        ] {
            assert_eq!(resolve_as_kubectl(text), expected, "{text}");
        }
    }

    #[test]
    fn core_schema() {
        assert_eq!(resolve("0o17"), Plain::Integer(15));
        assert_eq!(resolve("0x1f"), Plain::Integer(31));
        assert_eq!(resolve("0x-1"), Plain::Text);
        assert_eq!(resolve("18446744073709551615"), Plain::Unsigned(u64::MAX));
        assert_eq!(resolve("1e400"), Plain::Text);
        assert_eq!(resolve("1.30"), Plain::Float(1.3));
        assert_eq!(resolve("infinity"), Plain::Text);
    }
}
