//! Expressions of LogQL in the rules of Loki, as far as can be told without all of its grammar.
//!
//! Source: `pkg/logql/syntax` of github.com/grafana/loki 3.7.8: the lexer, and `validateMatchers`, which wants one matcher of
//! each selector that an empty text does not satisfy.

use super::file::Where;
use crate::finding::Findings;
use crate::rule::rules;
use vigil_forms::selector::is_stream_selector;
use vigil_yaml::{Node, Quoted};

rules! {
    SYNTAX "logql-syntax" Error Program "expressions of Loki's rules close what they open, and select streams by a label"
}

/// Judges the expression of a rule.
pub(super) fn check(place: Where<'_, '_>, node: &Node, findings: &mut Findings) {
    if let Some(wrong) = node.text().and_then(fault) {
        let (message, label) = wrong.texts();
        place.add(&SYNTAX, node, message, findings).label(label);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Fault<'t> {
    /// A bracket or a quote that nothing closes.
    Open(char),
    /// A bracket that closes nothing.
    Close(char),
    /// Braces that hold no selector of streams.
    Selector(&'t str),
    /// A name before braces, as PromQL has it.
    Name(&'t str),
    /// No selector at all.
    Nothing,
}

impl Fault<'_> {
    fn texts(&self) -> (String, &'static str) {
        match self {
            Self::Open(c) => (format!("a `{c}` that is never closed"), "the expression ends before"),
            Self::Close(c) => (format!("a `{c}` that closes nothing"), "expected what opens it before"),
            Self::Selector(text) => (
                format!("{} selects no streams", Quoted(text)),
                "expected matchers such as `{app=\"shop\"}`, one of them with `=` or `=~` and a text",
            ),
            Self::Name(name) => {
                (format!("{} before a selector of streams", Quoted(name)), "LogQL has no names of metrics")
            }
            Self::Nothing => (
                "an expression that selects no streams".to_owned(),
                "expected LogQL, such as `sum(rate({app=\"shop\"} |= \"error\" [5m])) > 1`",
            ),
        }
    }
}

/// The first thing that is surely wrong.
fn fault(text: &str) -> Option<Fault<'_>> {
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut selects = false;
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '#' => drop(rest.find(|(_, c)| *c == '\n')),
            '"' | '`' => {
                let mut is_escaped = false;
                let end = rest.find(|(_, next)| {
                    let ends = *next == c && !is_escaped;
                    is_escaped = c == '"' && *next == '\\' && !is_escaped;
                    ends
                });
                if end.is_none() {
                    return Some(Fault::Open(c));
                }
            }
            '(' | '[' | '{' => open.push((c, at)),
            ')' | ']' | '}' => {
                let opens = match c {
                    ')' => '(',
                    ']' => '[',
                    _ => '{',
                };
                let Some((_, start)) = open.pop_if(|(other, _)| *other == opens) else {
                    return Some(Fault::Close(c));
                };
                if c == '}' {
                    selects = true;
                    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
                    let name = text[..start].trim_end().rsplit(|c| !of_name(c)).next().unwrap_or_default();
                    if !name.is_empty() {
                        return Some(Fault::Name(name));
                    }
                    if !is_stream_selector(&text[start..=at]) {
                        return Some(Fault::Selector(&text[start..=at]));
                    }
                }
            }
            _ => {}
        }
    }
    match open.pop() {
        Some((c, _)) => Some(Fault::Open(c)),
        None => (!selects && !text.contains("vector(")).then_some(Fault::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_surely_wrong() {
        for text in [
            r#"sum by (a) (rate({b="c"} |~ `^(x|"y")` [5m])) > 1"#,
            "vector(1) # (",
            r#"count_over_time({a="}"} != "\"(" [5m])"#,
            "{a=\"b\"} | pattern `<_> [<_>] \"<_>\"`",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
        for (text, expected) in [
            (r#"sum(rate({a="b"}[5m])"#, Fault::Open('(')),
            (r#"rate({a="b"}[5m]))"#, Fault::Close(')')),
            (r#"rate({a="b"}[5m)"#, Fault::Close(')')),
            (r#"{a="b"} |= "c"#, Fault::Open('"')),
            ("rate({}[5m])", Fault::Selector("{}")),
            (r#"rate({a=~".*"}[5m])"#, Fault::Selector(r#"{a=~".*"}"#)),
            (r#"sum(up{job="a"})"#, Fault::Name("up")),
            ("up == 0", Fault::Nothing),
        ] {
            assert_eq!(fault(text), Some(expected), "{text}");
        }
    }

    /// Cut off anywhere, and with anything before it.
    #[test]
    fn any_text_is_read() {
        assert_eq!(fault("ä{b=\"c\"}"), None);
        assert_eq!(fault("ä{b=\"c\"}"), None);
        let text = "sum by (ä) (rate({b=\"\\\"c\"} |~ `^ü` [5m])) # {";
        for (at, _) in text.char_indices() {
            let _ = (fault(&text[..at]).map(|wrong| wrong.texts()), fault(&text[at..]).map(|wrong| wrong.texts()));
        }
    }
}
