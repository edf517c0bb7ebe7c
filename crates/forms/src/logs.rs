//! What log collectors are told of lines: where a value is in JSON or logfmt, and how a time is written.

/// Whether `text` is a way through JSON: keys with dots between them, each perhaps with the number of an item, and keys that
/// are no identifiers in quotes, such as `request.headers."user-agent"` and `errors[0].code`. It is what people use of
/// `JMESPath`, which collectors read and which has operators and functions besides.
pub fn is_json_path(text: &str) -> bool {
    let mut rest = text;
    loop {
        let Some(after) = key(rest).and_then(items) else { return false };
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None => return after.is_empty(),
        }
    }
}

/// What comes behind the key that a text begins with.
fn key(text: &str) -> Option<&str> {
    if let Some(inner) = text.strip_prefix('"') {
        let end = inner.find(['"', '\\']).filter(|end| *end > 0 && inner[*end..].starts_with('"'))?;
        let is_plain = !inner[..end].contains(char::is_control);
        return is_plain.then_some(&inner[end + 1..]);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts.then_some(&text[end..])
}

/// What comes behind numbers in brackets.
fn items(mut text: &str) -> Option<&str> {
    while let Some(inner) = text.strip_prefix('[') {
        let (number, after) = inner.split_once(']')?;
        let digits = number.strip_prefix('-').unwrap_or(number);
        if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        text = after;
    }
    Some(text)
}

/// Whether logfmt can have a key of this name: `go-logfmt` ends one at a space, at `=` and at a quote.
pub fn is_logfmt_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c > ' ' && !c.is_control() && !matches!(c, '=' | '"'))
}

/// The times that collectors know by name.
pub const KNOWN_TIMES: [&str; 14] = [
    "ANSIC",
    "UnixDate",
    "RubyDate",
    "RFC822",
    "RFC822Z",
    "RFC850",
    "RFC1123",
    "RFC1123Z",
    "RFC3339",
    "RFC3339Nano",
    "Unix",
    "UnixMs",
    "UnixUs",
    "UnixNs",
];

/// Whether `text` says how a time of the day is written: by one of those names, or as Go would write 3:04:05 in the afternoon of
/// 2 January 2006. Go takes any text, and one without an hour, such as `%H:%M` or `HH:mm`, matches no time.
pub fn is_time_layout(text: &str) -> bool {
    let lone = text.split(|c: char| !c.is_ascii_digit()).any(|number| number == "3");
    let has_hour = lone || text.contains("15") || text.contains("03");
    KNOWN_TIMES.contains(&text) || (has_hour && !text.contains('%') && !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ways_through_json() {
        for text in ["level", "http.request_id", "a[0].b[-1][2]", r#"h."user-agent".x"#, r#""k8s.pod"[0]"#, "_a1"] {
            assert!(is_json_path(text), "{text}");
        }
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "user-agent",
            "1a",
            "a[",
            "a[]",
            "a[*]",
            "a[x]",
            "a b",
            r#""a"#,
            r#""""#,
            "a||b",
            "@",
        ] {
            assert!(!is_json_path(text), "{text}");
        }
    }

    #[test]
    fn keys_of_logfmt() {
        assert!(["level", "trace-id", "a.b", "ä"].into_iter().all(is_logfmt_key));
        assert!(!["", "a b", "a=b", "\"a\"", "a\n"].into_iter().any(is_logfmt_key));
    }

    #[test]
    fn layouts_of_times() {
        assert!(
            ["RFC3339Nano", "UnixMs", "2006-01-02 15:04:05.000", "Jan _2 15:04:05", "3:04PM"]
                .into_iter()
                .all(is_time_layout)
        );
        for text in ["", "rfc3339", "YYYY-MM-DD HH:mm:ss", "%Y-%m-%d %H:%M:%S", "2006-01-02", "ISO8601"] {
            assert!(!is_time_layout(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[ab\\[\\]0-9.\"\\\\-]{0,12}|\\PC{0,12}") {
            let _ = (is_json_path(&text), is_logfmt_key(&text), is_time_layout(&text));
        }
    }
}
