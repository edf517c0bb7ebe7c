//! PromQL that Prometheus 3 knows and `promql-parser` does not, written as both read it.
//!
//! Source: `promql/parser` of Prometheus 3.8 and later: raw strings, `_` between digits, trim operators, modifiers of
//! selectors and of matching, and expressions for durations.

use std::iter::Peekable;
use std::str::Chars;

/// Parses a text, as Prometheus would.
pub(super) fn parse(text: &str) -> Result<promql_parser::parser::Expr, String> {
    promql_parser::parser::parse(&rewritten(text))
}

/// The words behind which an operand follows, so that a name there is one.
const OPERATORS: [&str; 13] = [
    "and",
    "or",
    "unless",
    "atan2",
    "bool",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "limit_ratio",
];

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// The same expression in older words. Where they mean something else, as a trim, it has the same operands and types.
fn rewritten(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '#' => copy(&mut out, rest, rest.find('\n').unwrap_or(rest.len())),
            '"' | '\'' => copy(&mut out, rest, quoted(rest, c)),
            '`' => raw_string(&mut out, rest),
            '[' => brackets(&mut out, rest),
            '<' | '>' if rest[1..].starts_with('/') => {
                out.push(c);
                2
            }
            _ if is_of_name(c) => {
                let length = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
                word(&mut out, rest, length)
            }
            _ => copy(&mut out, rest, c.len_utf8()),
        };
        rest = &rest[taken..];
    }
    out
}

fn copy(out: &mut String, rest: &str, length: usize) -> usize {
    out.push_str(&rest[..length]);
    length
}

/// The length of the string that a text begins with.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |(at, _)| at + 1)
}

/// A raw string has no escapes: what would be one is escaped.
fn raw_string(out: &mut String, rest: &str) -> usize {
    let Some(length) = rest[1..].find('`') else { return copy(out, rest, rest.len()) };
    out.push('"');
    for c in rest[1..=length].chars() {
        match c {
            '\\' | '"' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
    out.push('"');
    length + 2
}

/// A range, or that of a subquery and its steps. An expression becomes a time.
fn brackets(out: &mut String, rest: &str) -> usize {
    let Some(end) = rest.find(']') else { return copy(out, rest, 1) };
    let parts: Vec<&str> = rest[1..end].splitn(2, ':').collect();
    let is_plain = |part: &str| part.trim().chars().all(|c| c.is_ascii_alphanumeric());
    if parts.iter().copied().all(is_plain) || !parts.iter().all(|part| part.trim().is_empty() || is_duration(part)) {
        return copy(out, rest, end + 1);
    }
    let times: Vec<&str> = parts.iter().map(|part| if is_plain(part) { *part } else { "1h" }).collect();
    out.push('[');
    out.push_str(&times.join(":"));
    out.push(']');
    end + 1
}

/// A name, a number or a keyword of `length`.
fn word(out: &mut String, rest: &str, length: usize) -> usize {
    let word = &rest[..length];
    let behind = rest[length..].trim_start();
    let space = rest.len() - length - behind.len();
    match word {
        "smoothed" | "anchored" if follows_a_selector(out) => length,
        "fill" | "fill_left" | "fill_right" => match argument(behind).filter(|(inside, _)| is_number(inside)) {
            Some((_, taken)) => length + space + taken,
            None => copy(out, rest, length),
        },
        "offset" => match argument(behind).filter(|(inside, _)| is_duration(inside)) {
            Some((_, taken)) => {
                out.push_str("offset 1h");
                length + space + taken
            }
            None => copy(out, rest, length),
        },
        _ if word.starts_with(|c: char| c.is_ascii_digit()) => {
            out.extend(word.chars().filter(|c| *c != '_'));
            length
        }
        _ => copy(out, rest, length),
    }
}

/// Whether what is written so far ends with what a modifier may stand behind.
fn follows_a_selector(out: &str) -> bool {
    let out = out.trim_end();
    if out.ends_with([']', '}']) {
        return true;
    }
    let start = out.rfind(|c| !is_of_name(c)).map_or(0, |at| at + 1);
    let name = &out[start..];
    !name.is_empty() && !OPERATORS.contains(&name.to_ascii_lowercase().as_str())
}

/// What stands in the parentheses that a text begins with, and how much that is with them.
fn argument(text: &str) -> Option<(&str, usize)> {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open == 1 => return Some((&text[1..at], at + 1)),
            ')' => open = open.checked_sub(1)?,
            _ if open == 0 => return None,
            _ => {}
        }
    }
    None
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.replace('_', "").parse::<f64>().is_ok()
}

/// How deep an expression for a duration may be; Prometheus knows no limit, and nobody writes more.
const DEEPEST: usize = 20;

/// Whether a text is an expression for a duration: numbers and times, `step()`, `range()`, `min`, `max`, and sums of them.
fn is_duration(text: &str) -> bool {
    let mut rest = text.chars().peekable();
    sum(&mut rest, 0).is_some() && skip(&mut rest).peek().is_none()
}

fn skip<'i, 't>(rest: &'i mut Peekable<Chars<'t>>) -> &'i mut Peekable<Chars<'t>> {
    while rest.next_if(char::is_ascii_whitespace).is_some() {}
    rest
}

fn sum(rest: &mut Peekable<Chars<'_>>, depth: usize) -> Option<()> {
    operand(rest, depth)?;
    while skip(rest).next_if(|c| "+-*/%^".contains(*c)).is_some() {
        operand(rest, depth)?;
    }
    Some(())
}

fn operand(rest: &mut Peekable<Chars<'_>>, depth: usize) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    while skip(rest).next_if(|c| matches!(c, '+' | '-')).is_some() {}
    let first = *rest.peek()?;
    if first == '(' {
        rest.next();
        sum(rest, depth + 1)?;
        return skip(rest).next_if_eq(&')').map(drop);
    }
    let mut word = String::new();
    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '.') {
        word.push(c);
    }
    if first.is_ascii_digit() || first == '.' {
        return Some(());
    }
    let arguments = match word.as_str() {
        "step" | "range" => 0,
        "min" | "max" => 2,
        _ => return None,
    };
    skip(rest).next_if_eq(&'(')?;
    for at in 0..arguments {
        if at > 0 {
            skip(rest).next_if_eq(&',')?;
        }
        sum(rest, depth + 1)?;
    }
    skip(rest).next_if_eq(&')').map(drop)
}

#[cfg(test)]
mod tests {
    use super::{parse, rewritten};

    #[test]
    fn what_prometheus_3_knows_is_rewritten() {
        for (text, expected) in [
            (r"up{path=~`/v\d+/[^/]+`}", r#"up{path=~"/v\\d+/[^/]+"}"#),
            (r#"up{a=`"`, b="\"`"}"#, r#"up{a="\"", b="\"`"}"#),
            ("a > 1_000_000", "a > 1000000"),
            ("a_1_000 > 0x1_f", "a_1_000 > 0x1f"),
            ("a </ 0.5 >/ 2", "a < 0.5 > 2"),
            ("a offset (1d - 1h)", "a offset 1h"),
            ("a offset (1d - (step() * 2))", "a offset 1h"),
            ("rate(a[min(step(), 5m) + 1h])", "rate(a[1h])"),
            ("max_over_time(a[1h + 5m:step()])", "max_over_time(a[1h:1h])"),
            ("max_over_time(a[1h:])", "max_over_time(a[1h:])"),
            ("rate(a[5m] smoothed)", "rate(a[5m] )"),
            ("smoothed + anchored", "smoothed + anchored"),
            ("a and smoothed", "a and smoothed"),
            ("a + on (b) fill (0) c", "a + on (b)  c"),
            ("fill(a)", "fill(a)"),
            ("a # `[$", "a # `[$"),
        ] {
            assert_eq!(rewritten(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        for text in [
            "rate(a[$__rate_interval])",
            "rate(a[5m +])",
            "rate(a[])",
            "rate(a[step])",
            "a offset (b)",
            "sum(rate(a[5m] smoothed)",
            "a + fill(b) c",
            "up{a=`b}",
            "a[",
            "`",
            "a offset (",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_right_is_read() {
        for text in ["rate(a[5m] anchored)", "a smoothed", "a * fill_left(0) fill_right(1) b", "rate(a[2 * 5m])"] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }
}
