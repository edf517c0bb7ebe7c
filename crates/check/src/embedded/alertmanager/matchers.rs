//! Matchers of Alertmanager, as its configuration writes them: `severity="critical", team=~"a|b"`.
//!
//! Source: `matcher/compat`, `matcher/parse` and `pkg/labels` of github.com/prometheus/alertmanager 0.30. Without a feature
//! flag it reads what either of its two parsers reads.

use crate::schema::pattern::is_expression;

/// Whether Alertmanager reads a text as matchers.
pub(super) fn are_matchers(text: &str) -> bool {
    is_utf8(text) || is_classic(text)
}

/// A matcher's operator at the start of a text, and what follows it.
fn operator(text: &str) -> Option<(&str, &str)> {
    ["=~", "!~", "!=", "="].into_iter().find_map(|operator| Some((operator, text.strip_prefix(operator)?)))
}

fn is_match(operator: &str, value: &str) -> bool {
    !operator.ends_with('~') || is_expression(value)
}

/// The newer parser, which takes any name; what is not in quotes holds none of the characters with a meaning.
fn is_utf8(text: &str) -> bool {
    let text = text.trim_start();
    let (mut rest, is_open) = text.strip_prefix('{').map_or((text, false), |rest| (rest, true));
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('}') {
            let closed = rest.strip_prefix('}');
            return closed.is_some() == is_open && closed.unwrap_or_default().trim().is_empty();
        }
        let Some(behind) = utf8_matcher(rest) else { return false };
        rest = behind.trim_start();
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind,
            None if rest.is_empty() || rest.starts_with('}') => {}
            None => return false,
        }
    }
}

/// One matcher; what is behind it.
fn utf8_matcher(text: &str) -> Option<&str> {
    let (_, rest) = word(text)?;
    let (operator, rest) = operator(rest.trim_start())?;
    let (value, rest) = word(rest.trim_start())?;
    is_match(operator, &value).then_some(rest)
}

/// A word in quotes or without any, and what is behind it.
fn word(text: &str) -> Option<(String, &str)> {
    if text.starts_with('"') {
        let mut is_escaped = false;
        let end = text.char_indices().skip(1).find(|(_, c)| {
            let is_end = *c == '"' && !is_escaped;
            is_escaped = *c == '\\' && !is_escaped;
            is_end
        });
        let (end, _) = end?;
        return Some((unquoted(&text[1..end]), &text[end + 1..]));
    }
    let is_reserved = |c: char| c.is_whitespace() || "{}!=~,\\\"'`".contains(c);
    let end = text.find(is_reserved).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

/// A text without its escapes, as far as it matters to an expression.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(c @ ('"' | '\\')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

/// The older parser: names of metrics, and values that may hold anything but a quote.
fn is_classic(text: &str) -> bool {
    let text = text.strip_prefix('{').unwrap_or(text);
    let text = text.strip_suffix('}').unwrap_or(text);
    let (mut tokens, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            ',' if !is_quoted => {
                tokens.push(&text[start..at]);
                start = at + 1;
                continue;
            }
            '"' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    if !text[start..].trim().is_empty() {
        tokens.push(&text[start..]);
    }
    tokens.into_iter().all(is_classic_matcher)
}

fn is_classic_matcher(text: &str) -> bool {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"_:".contains(c)).unwrap_or(text.len());
    if end == 0 || text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let Some((operator, value)) = operator(text[end..].trim_start()) else { return false };
    let value = value.trim_start();
    let inner = match value.strip_prefix('"') {
        Some(rest) => match rest.strip_suffix('"') {
            Some(inner) => inner,
            None => return false,
        },
        None => value,
    };
    let mut is_escaped = false;
    let has_quote = inner.chars().any(|c| {
        let is_quote = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_quote
    });
    // A backslash before the last quote makes it one of the value.
    !(has_quote || is_escaped && value.starts_with('"')) && is_match(operator, &unquoted(inner))
}

#[cfg(test)]
mod tests {
    use super::are_matchers;

    #[test]
    fn matchers() {
        for (text, expected) in [
            ("severity=critical", true),
            ("severity = \"critical\"", true),
            ("{a=\"b\", c!=\"d\",}", true),
            ("a=b, c=~d|e", true),
            ("a=~\"b|c\"", true),
            ("a=~\"(b\"", false),
            ("a!~[", false),
            ("team in (a)", false),
            ("severity", false),
            ("severity: critical", false),
            ("severity==critical", true),
            ("a=", true),
            ("a=\"b", false),
            ("a=b\"", false),
            ("a=\"b\\\"\"", true),
            ("\"a b\"=c", true),
            ("a-b=c", true),
            ("ä=c", true),
            ("1a=b", true),
            ("a='b'", true),
            ("a=b c", true),
            ("a==b", true),
            ("=b", false),
            ("{a=b", true),
            ("a=~\"b{2}\"", true),
            ("a>1", false),
            ("", true),
            ("a=b,,c=d", false),
            ("a=\"x, y\", b=\"z\"", true),
            ("a=~\"x\\\\.y\"", true),
            ("a=~\"x\\.y\"", true),
        ] {
            assert_eq!(are_matchers(text), expected, "{text}");
        }
    }
}
