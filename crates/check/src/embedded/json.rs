//! What is wrong with a text that should be JSON, as the one who wrote it would see it.

use std::ops::Range;

/// A mistake in a text.
#[derive(Debug, PartialEq)]
pub(super) struct Mistake {
    pub(super) at: Range<usize>,
    pub(super) wrong: String,
    pub(super) label: Option<String>,
}

/// The mistake that made `error` of `text`.
pub(super) fn mistake(text: &str, error: &serde_json::Error) -> Mistake {
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (line_start + error.column().saturating_sub(1)).min(text.len());
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    if error.is_eof() { unfinished(text) } else { known(text, at, said) }.unwrap_or_else(|| Mistake {
        at: at..next(text, at),
        wrong: said.to_owned(),
        label: None,
    })
}

fn known(text: &str, at: usize, said: &str) -> Option<Mistake> {
    let before = text[..at].trim_end();
    let rest = &text[at..];
    let found = rest.chars().next()?;
    let mistake = |at: Range<usize>, wrong: &str, label: &str| {
        Some(Mistake { at, wrong: wrong.to_owned(), label: Some(label.to_owned()) })
    };
    let last = before.len().saturating_sub(1)..before.len();
    match found {
        ']' | '}' if before.ends_with(',') => {
            let what = if found == ']' { "item" } else { "field" };
            return mistake(
                last,
                &format!("a comma behind the last {what}"),
                &format!("remove this comma: `{found}` follows"),
            );
        }
        ',' if before.ends_with(',') => return mistake(at..at + 1, "a second comma", "remove one of the two"),
        '\'' => return mistake(at..at + 1, "a text in single quotes", "expected double quotes"),
        _ => {}
    }
    if said.starts_with("expected `,`")
        && !matches!(found, ']' | '}' | ':' | '=')
        && before.is_char_boundary(last.start)
    {
        return mistake(last, "no comma between this and what follows", "expected a comma behind this");
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = text[..at].trim_end_matches(is_part).len();
    let ends = text.len() - rest.trim_start_matches(is_part).len();
    let word = &text[starts..ends];
    if said == "key must be a string" && !word.is_empty() {
        return mistake(at..ends, "a key without quotes", &format!("write `\"{word}\"`"));
    }
    let meant = match word {
        "True" | "TRUE" | "yes" | "on" => "true",
        "False" | "FALSE" | "no" | "off" => "false",
        "None" | "nil" | "undefined" | "NULL" | "Null" | "NaN" => "null",
        _ if said == "invalid escape" => {
            let from = text[..at].rfind('\\')?;
            let escape = text.get(from..next(text, at))?;
            return mistake(from..next(text, at), &format!("`{escape}` is no escape"), &format!("write `\\{escape}`"));
        }
        _ => return None,
    };
    mistake(starts..ends, &format!("`{word}` is no value"), &format!("expected `{meant}`, without quotes"))
}

/// Where the character ends that begins at a place.
fn next(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(0, char::len_utf8)
}

/// The innermost bracket or quote that nothing closes.
fn unfinished(text: &str) -> Option<Mistake> {
    let (mut open, mut quote, mut is_escaped) = (Vec::new(), None, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if quote.is_some() => is_escaped = true,
            '"' => quote = if quote.is_none() { Some(at) } else { None },
            _ if quote.is_some() => {}
            '{' | '[' => open.push((at, if c == '{' { '}' } else { ']' })),
            '}' | ']' => drop(open.pop()),
            _ => {}
        }
    }
    let (at, missing) = quote.map(|at| (at, '"')).or_else(|| open.pop())?;
    let label = Some(format!("nothing closes this: expected `{missing}`"));
    Some(Mistake { at: at..at + 1, wrong: "the text ends too early".to_owned(), label })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IgnoredAny;

    #[test]
    fn mistakes() {
        for (text, place, wrong, label) in [
            ("[1,2,]", ",", "a comma behind the last item", "remove this comma: `]` follows"),
            ("{\"a\": 1,\n}", ",", "a comma behind the last field", "remove this comma: `}` follows"),
            ("[1,,2]", ",", "a second comma", "remove one of the two"),
            ("{'a': 1}", "'", "a text in single quotes", "expected double quotes"),
            ("{\"a\": 'b'}", "'", "a text in single quotes", "expected double quotes"),
            ("{\"a\": 1\n \"b\": 2}", "1", "no comma between this and what follows", "expected a comma behind this"),
            ("[{} {}]", "}", "no comma between this and what follows", "expected a comma behind this"),
            ("{a: 1}", "a", "a key without quotes", "write `\"a\"`"),
            ("[True]", "True", "`True` is no value", "expected `true`, without quotes"),
            ("{\"a\": None}", "None", "`None` is no value", "expected `null`, without quotes"),
            ("[\"\\d+\"]", "\\d", "`\\d` is no escape", "write `\\\\d`"),
            ("{\"a\": [1, 2}", "}", "expected `,` or `]`", ""),
            ("{\"a\": [1, 2]", "{", "the text ends too early", "nothing closes this: expected `}`"),
            ("[\"ü", "\"", "the text ends too early", "nothing closes this: expected `\"`"),
            ("[\u{e9}]", "\u{e9}", "expected value", ""),
            (
                "[\"\u{e9}\u{e9}\u{1}\"]",
                "\u{e9}",
                "control character (\\u0000-\\u001F) found while parsing a string",
                "",
            ),
        ] {
            let error = serde_json::from_str::<IgnoredAny>(text).unwrap_err();
            let found = mistake(text, &error);
            assert_eq!(
                (&text[found.at.clone()], found.wrong.as_str(), found.label.as_deref().unwrap_or_default()),
                (place, wrong, label),
                "{text}"
            );
        }
    }
}
