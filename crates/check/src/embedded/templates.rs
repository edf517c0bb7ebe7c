//! The Go templates in labels and annotations of alerts, as Prometheus reads them.

use std::collections::BTreeSet;
use vigil_yaml::Quoted;
use vigil_yaml::words::nearest;

/// The functions of Prometheus (`template/template.go` of v3.8.1), and those of all Go templates.
const FUNCTIONS: [&str; 49] = [
    "and",
    "args",
    "call",
    "eq",
    "externalURL",
    "first",
    "ge",
    "graphLink",
    "gt",
    "html",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "index",
    "js",
    "label",
    "le",
    "len",
    "lt",
    "match",
    "ne",
    "not",
    "now",
    "or",
    "parseDuration",
    "pathPrefix",
    "print",
    "printf",
    "println",
    "query",
    "reReplaceAll",
    "safeHtml",
    "slice",
    "sortByLabel",
    "stripDomain",
    "stripPort",
    "strvalue",
    "tableLink",
    "title",
    "tmpl",
    "toDuration",
    "toLower",
    "toTime",
    "toUpper",
    "urlQueryEscape",
    "urlquery",
    "value",
];

/// Words that are no functions.
const WORDS: [&str; 13] =
    ["block", "break", "continue", "define", "else", "end", "false", "if", "nil", "range", "template", "true", "with"];

/// Blocks inside of which the dot is something else.
const MOVING: [&str; 4] = ["range", "with", "define", "block"];

/// What a template is given; each is a variable, and a field under a name with a capital.
const GIVEN: [(&str, &str); 4] =
    [("labels", "Labels"), ("value", "Value"), ("externalLabels", "ExternalLabels"), ("externalURL", "ExternalURL")];

/// What a template asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Template<'t> {
    /// The labels of the alert's series.
    pub(super) labels: BTreeSet<&'t str>,
    /// Fields of what it is given that there are none of.
    pub(super) fields: BTreeSet<&'t str>,
}

/// Why Prometheus does not load a rule with a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) label: String,
}

impl Wrong {
    fn unclosed(message: &str) -> Self {
        Self { message: message.to_owned(), label: "every `{{` needs its `}}`".to_owned() }
    }

    /// A name of which there is none, and the nearest that there is.
    fn unknown(message: String, name: &str, known: &[&str], sign: &str) -> Self {
        let label = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{sign}{near}`?"),
            None => "Prometheus loads no file of rules with it".to_owned(),
        };
        Self { message, label }
    }
}

/// A part of what stands between `{{` and `}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    /// `$name`, without its sign.
    Variable(&'t str),
    /// `.name` behind something.
    Member(&'t str),
    /// `.name` that begins a term.
    Field(&'t str),
    Word(&'t str),
    /// What stands between quotes, as it is written.
    Text(&'t str),
    /// Anything else but a blank.
    Sign(char),
}

/// Reads a template.
pub(super) fn read(text: &str) -> Result<Template<'_>, Wrong> {
    let (actions, open) = actions(text)?;
    let mut template = Template::default();
    // The variables that the template makes, wherever it makes them.
    let mut made: BTreeSet<&str> = BTreeSet::new();
    for tokens in &actions {
        let ends = tokens.iter().position(|token| *token == Token::Sign('='));
        let before = tokens[..ends.unwrap_or(0)].iter();
        made.extend(before.filter_map(|token| if let Token::Variable(name) = token { Some(*name) } else { None }));
    }
    let moved = actions.iter().any(|tokens| matches!(tokens.first(), Some(Token::Word(word)) if MOVING.contains(word)));
    for tokens in &actions {
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens.get(at + 1);
            match token {
                Token::Sign(c) if !SIGNS.contains(*c) => {
                    let message = match c {
                        '\'' => "a template with more than one character in single quotes".to_owned(),
                        c => format!("a template with {}, which means nothing there", Quoted(&c.to_string())),
                    };
                    return Err(Wrong { message, label: "texts stand in `\"` or backticks".to_owned() });
                }
                Token::Sign('.') if matches!(next, Some(Token::Member(_))) => {
                    let message = "a template with two dots in a row".to_owned();
                    return Err(Wrong { message, label: "expected one, as in `$labels.job`".to_owned() });
                }
                Token::Word(name) if !FUNCTIONS.contains(name) && !WORDS.contains(name) => {
                    let message = format!("a template calls {}, and there is no such function", Quoted(name));
                    return Err(Wrong::unknown(message, name, &FUNCTIONS, ""));
                }
                Token::Variable(name) if !name.is_empty() && !made.contains(name) => {
                    if !GIVEN.iter().any(|(given, _)| given == name) {
                        let message = format!("a template uses `${name}`, and there is no such variable");
                        return Err(Wrong::unknown(message, name, &GIVEN.map(|(given, _)| given), "$"));
                    }
                    if let (&"labels", Some(Token::Member(label))) = (name, next) {
                        template.labels.insert(label);
                    }
                }
                Token::Field(name) if !moved => match (*name, next) {
                    ("Labels", Some(Token::Member(label))) => {
                        template.labels.insert(label);
                    }
                    _ if GIVEN.iter().any(|(_, given)| given == name) => {}
                    _ => {
                        template.fields.insert(name);
                    }
                },
                _ => {}
            }
        }
    }
    if let Some(name) = undefined(&actions) {
        let message = format!("a template calls the template {}, and there is none of that name", Quoted(name));
        return Err(Wrong { message, label: "expected one that a `define` makes".to_owned() });
    }
    for pair in actions.iter().flat_map(|tokens| tokens.windows(2)) {
        // One with an escape is not read as it is written.
        if let [Token::Word("query"), Token::Text(query)] = pair
            && !query.contains('\\')
            && let Err(error) = vigil_promql::parse(query)
        {
            return Err(Wrong {
                message: format!("a template asks {}, which is no PromQL", Quoted(query)),
                label: error.message,
            });
        }
    }
    if open > 0 {
        let message = "a template with an `if`, `range`, `with`, `define` or `block` that never ends";
        return Err(Wrong { message: message.to_owned(), label: "expected `{{ end }}`".to_owned() });
    }
    Ok(template)
}

/// The signs that mean something in a template: `lexInsideAction` of Go's `text/template/parse`. `0` stands for any number.
const SIGNS: &str = "()|,=:-+.0";

/// What stands between the braces of a template, one by one, and how many blocks are open behind it.
fn actions(text: &str) -> Result<(Vec<Vec<Token<'_>>>, usize), Wrong> {
    let mut actions = Vec::new();
    // The blocks that are open, and whether each had its `else`.
    let mut blocks: Vec<(&str, bool)> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let inside = &rest[start + 2..];
        let trimmed = inside.strip_prefix("- ").unwrap_or(inside).trim_start();
        if let Some(comment) = trimmed.strip_prefix("/*") {
            let (_, behind) =
                comment.split_once("*/").ok_or_else(|| Wrong::unclosed("a comment of a template that never ends"))?;
            rest = behind.split_once("}}").ok_or_else(|| Wrong::unclosed("a template that never ends"))?.1;
            continue;
        }
        let (tokens, behind) = tokens(inside).ok_or_else(|| Wrong::unclosed("a template that never ends"))?;
        rest = behind;
        match tokens.first() {
            Some(Token::Word(word)) if *word == "if" || MOVING.contains(word) => blocks.push((word, false)),
            Some(Token::Word("end")) => {
                blocks.pop().ok_or_else(|| Wrong {
                    message: "an `end` of nothing in a template".to_owned(),
                    label: "`end` closes `if`, `range`, `with`, `define` and `block`".to_owned(),
                })?;
            }
            Some(Token::Word("else")) => {
                let has_condition = tokens.len() > 1;
                match blocks.last_mut().filter(|(word, had)| !had && ["if", "range", "with"].contains(word)) {
                    Some((_, had)) => *had = !has_condition,
                    None => {
                        return Err(Wrong {
                            message: "an `else` of nothing in a template".to_owned(),
                            label: "`if`, `range` and `with` have one `else`".to_owned(),
                        });
                    }
                }
            }
            Some(Token::Word(word @ ("break" | "continue"))) if !blocks.iter().any(|(word, _)| *word == "range") => {
                let message = format!("a `{word}` outside of `range` in a template");
                return Err(Wrong { message, label: "there is nothing to leave".to_owned() });
            }
            _ => {}
        }
        actions.push(tokens);
    }
    Ok((actions, blocks.len()))
}

/// A template that is called and that no `define` or `block` makes.
fn undefined<'t>(actions: &[Vec<Token<'t>>]) -> Option<&'t str> {
    let named = |words: &'static [&'static str]| {
        actions.iter().filter_map(move |tokens| match tokens.as_slice() {
            [Token::Word(word), Token::Text(name), ..] if words.contains(word) => Some(*name),
            _ => None,
        })
    };
    let made: BTreeSet<&str> = named(&["define", "block"]).collect();
    named(&["template"]).find(|name| !made.contains(name))
}

/// What stands between `{{` and `}}`, and the text behind; nothing if there is no `}}`.
fn tokens(text: &str) -> Option<(Vec<Token<'_>>, &str)> {
    let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut blank = true;
    loop {
        let c = rest.chars().next()?;
        let behind = &rest[c.len_utf8()..];
        let length = word(behind);
        let is_behind = !blank && !matches!(tokens.last(), None | Some(Token::Sign('(' | '|' | ',' | '=')));
        blank = false;
        match c {
            '}' if behind.starts_with('}') => return Some((tokens, &behind[1..])),
            '"' | '`' | '\'' => {
                let end = end_of_text(behind, c)?;
                let inside = &behind[..end];
                // What stands in single quotes is one character.
                let is_one = c != '\'' || inside.starts_with('\\') || inside.chars().count() == 1;
                tokens.push(if is_one { Token::Text(inside) } else { Token::Sign(c) });
                rest = &behind[end + 1..];
            }
            '$' => {
                tokens.push(Token::Variable(&behind[..length]));
                rest = &behind[length..];
            }
            '.' if length > 0 && behind.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                let name = &behind[..length];
                tokens.push(if is_behind { Token::Member(name) } else { Token::Field(name) });
                rest = &behind[length..];
            }
            _ if c.is_alphabetic() || c == '_' => {
                let length = word(rest);
                tokens.push(Token::Word(&rest[..length]));
                rest = &rest[length..];
            }
            // Of a number nothing is asked; `1e3` has a letter.
            _ if c.is_ascii_digit() => {
                tokens.push(Token::Sign('0'));
                rest = &rest[word(rest)..];
            }
            _ => {
                blank = c.is_whitespace();
                if !blank {
                    tokens.push(Token::Sign(c));
                }
                rest = behind;
            }
        }
    }
}

/// Where a text ends that began with `quote`.
fn end_of_text(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && quote != '`' && !escaped;
        ends.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        for (text, expected) in [
            ("", true),
            ("plain } and { text", true),
            ("{{ $labels.pod }} is {{ $value | humanize }}", true),
            ("{{ $labels.pod } is", false),
            ("{{ $labels.pod", false),
            ("{{ printf \"}}\" }}", true),
            ("{{ \"a\\\"}}\" }}", true),
            ("{{- /* it's a comment */ -}}", true),
            ("{{/* not closed }}", false),
            ("}} alone is text", true),
            ("{{ $value | humanize1025 }}", false),
            ("{{ $label.pod }}", false),
            ("{{ $x := $labels.pod }}{{ $x }}", true),
            ("{{ range $i, $e := query \"up\" }}{{ $i }} {{ $e.Labels.job }} {{ .Value }}{{ end }}", true),
            ("{{ with query \"up\" }}{{ . | first | value | humanizePercentage }}{{ end }}", true),
            ("{{ with printf \"up{job='%s'}\" $labels.job | query }}{{ . | first | label \"pod\" }}{{ end }}", true),
            ("{{ if eq $labels.job \"a\" }}b", false),
            ("{{ if gt $value 1.5e3 }}a{{ else if lt $value -1.0 }}b{{ else }}c{{ end }}", true),
            ("{{ end }}", false),
            ("{{ .Labels.pod }} {{ .Value }} {{ .ExternalURL }}", true),
            ("{{ define \"a\" }}{{ .x }}{{ end }}{{ template \"a\" . }}", true),
            ("{{- if $labels.a -}} a {{- end -}}", true),
            ("{{ $labels.pod | reReplaceAll `(.*)-x` `$1` }}", true),
            ("{{ (index (query \"up\") 0).Labels.pod }}", true),
            ("{{ humanize(1) }}", true),
            ("{{ if $value }}a{{ else }}b{{ else }}c{{ end }}", false),
            ("{{ if $value }}a{{ else if $value }}b{{ else }}c{{ end }}", true),
            ("{{ else }}", false),
            ("{{ break }}", false),
            ("{{ range query \"up\" }}{{ if .Value }}{{ continue }}{{ end }}{{ end }}", true),
            ("{{ template \"a\" . }}", false),
            ("{{ range query \"up{\" }}{{ end }}", false),
        ] {
            assert_eq!(read(text).is_ok(), expected, "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn what_is_asked_for() {
        let template = |labels: &[&'static str], fields: &[&'static str]| Template {
            labels: labels.iter().copied().collect(),
            fields: fields.iter().copied().collect(),
        };
        for (text, expected) in [
            ("{{ $labels.a }} {{ .Labels.b }} {{ $externalLabels.c }} {{ $value }}", template(&["a", "b"], &[])),
            ("{{ if (eq .Labels.a \"x\") }}{{ printf \"%s\" $labels.b }}{{ end }}", template(&["a", "b"], &[])),
            ("{{ .External }} {{ query \"up\" | first | value }}", template(&[], &["External"])),
            ("{{ range query \"up\" }}{{ .Labels.a }} {{ $labels.b }}{{ end }}", template(&["b"], &[])),
            ("{{ \"$labels.a\" }} $labels.b", template(&[], &[])),
            ("{{ range $s := query \"up\" }}{{ $s.Labels.a }}{{ end }}", template(&[], &[])),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }
}
