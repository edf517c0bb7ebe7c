//! Regular expressions as Go reads them, which is not quite how Rust does.

use regex::Regex;
use regex_syntax::ast::parse::Parser;

/// Whether a text is an expression, as far as is known.
pub(crate) fn is_expression(text: &str) -> bool {
    translate(text).is_none_or(|text| Parser::new().parse(&text).is_ok())
}

/// Compiles an expression; nothing when it is none, or needs what this build does without, such as classes of Unicode.
pub(crate) fn compile(text: &str) -> Option<Regex> {
    Regex::new(&translate(text)?).ok()
}

/// The same expression for Rust: braces that count nothing, and brackets and pairs in classes, are themselves to Go.
fn translate(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let mut taken = c.len_utf8();
        match c {
            '\\' => match after.chars().next() {
                Some('Q' | 'C') => return None,
                Some(escaped) => {
                    taken += escaped.len_utf8();
                    // The name of a class, or the number of a character.
                    if matches!(escaped, 'p' | 'P' | 'x') && rest[taken..].starts_with('{') {
                        taken += rest[taken..].find('}').map_or(0, |end| end + 1);
                    }
                    out.push_str(if matches!(escaped, '<' | '>') { &rest[1..taken] } else { &rest[..taken] });
                }
                None => out.push(c),
            },
            '[' if !in_class => {
                in_class = true;
                let start = if after.starts_with('^') { 2 } else { 1 };
                out.push_str(&rest[..start]);
                taken = start;
                if rest[start..].starts_with(']') {
                    out.push_str("\\]");
                    taken += 1;
                }
            }
            '[' => match after.strip_prefix(':').and_then(|name| name.find(":]")) {
                Some(end) => {
                    taken = end + 4;
                    out.push_str(&rest[..taken]);
                }
                None => out.push_str("\\["),
            },
            ']' if in_class => {
                in_class = false;
                out.push(c);
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            '-' if in_class && after.starts_with('-') => {
                out.push_str("-\\-");
                taken = 2;
            }
            '{' if !in_class && !counts(after) => out.push_str("\\{"),
            _ => out.push(c),
        }
        rest = &rest[taken..];
    }
    Some(out)
}

/// Whether what follows a brace makes it a number of times.
fn counts(after: &str) -> bool {
    let Some((inner, _)) = after.split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_reads_it() {
        for (pattern, matching, other) in [
            ("^a{2}$", "aa", "a{2}"),
            ("^a{x}$", "a{x}", "a"),
            ("^[[a]$", "[", "b"),
            ("^[^]a]$", "b", "]"),
            ("^[a&&b]+$", "&", "c"),
            ("^[[:alpha:]]$", "x", ":"),
            ("^[+--]$", ",", "."),
            (r"^\<a\>$", "<a>", "a"),
            ("^(?i:A)$", "a", "b"),
            (r"^\d{1,3}$", "12", "x"),
            ("^ü{2,}$", "üü", "ü"),
        ] {
            let regex = compile(pattern).unwrap();
            assert!(regex.is_match(matching), "{pattern} {matching}");
            assert!(!regex.is_match(other), "{pattern} {other}");
        }
        for pattern in ["(", "a)", "[a", "*", "a**(", r"\", "(?=a)", "{1}", "a{3,1}"] {
            assert!(!is_expression(pattern) && compile(pattern).is_none(), "{pattern}");
        }
        for pattern in [r"\Qa\E", r"^\p{L}$"] {
            assert!(is_expression(pattern), "{pattern}");
        }
    }
}
