//! The ways to a field that parsers take: through JSON, such as `request.headers["User-Agent"]`, and a key of logfmt.

/// Whether a text is a way through JSON: names with dots between them, and numbers and texts in brackets.
pub(crate) fn is_json(text: &str) -> bool {
    let text = text.trim_ascii_start();
    let Some(mut rest) = name(text).or_else(|| brackets(text)) else { return false };
    loop {
        rest = rest.trim_ascii_start();
        let next = match rest.strip_prefix('.') {
            Some(after) => name(after.trim_ascii_start()),
            None => brackets(rest),
        };
        match next {
            Some(after) => rest = after,
            None => return rest.is_empty(),
        }
    }
}

/// Whether a text is a key of logfmt: a name, or a text in quotes; more of these are taken too.
pub(crate) fn is_logfmt(text: &str) -> bool {
    let text = text.trim_ascii_start();
    // A text that does not end ends with the key.
    let quoted =
        |text: &str| text.strip_prefix('"').map(|inner| inner.find('"').map_or(inner.len(), |end| end + 1) + 1);
    let Some(mut rest) = name(text).or_else(|| quoted(text).map(|length| &text[length..])) else { return false };
    loop {
        rest = rest.trim_ascii_start();
        match quoted(rest) {
            Some(length) => rest = &rest[length..],
            None => return rest.is_empty(),
        }
    }
}

/// What comes behind the name that a text begins with.
fn name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (!text.starts_with(|c: char| c.is_ascii_digit()) && end > 0).then(|| &text[end..])
}

/// What comes behind the brackets that a text begins with.
fn brackets(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?.trim_ascii_start();
    let after = if let Some(quoted) = inner.strip_prefix('"') {
        quoted.split_once('"')?.1
    } else {
        let end = inner.find(|c: char| !c.is_ascii_digit())?;
        inner[..end].parse::<i64>().ok()?;
        &inner[end..]
    };
    after.trim_ascii_start().strip_prefix(']')
}
