//! The Go templates in labels and annotations of alerts, as Prometheus reads them.

use std::collections::BTreeSet;
use vigil_forms::template::{self, MOVING, Token};
use vigil_yaml::Quoted;
use vigil_yaml::words::nearest;

/// The functions of Prometheus besides those of all Go templates: `template/template.go` of v3.8.1.
const FUNCTIONS: [&str; 30] = [
    "args",
    "externalURL",
    "first",
    "graphLink",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "label",
    "match",
    "now",
    "parseDuration",
    "pathPrefix",
    "query",
    "reReplaceAll",
    "safeHtml",
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
    "value",
];

/// What a template is given; each is a variable, and a field under a name with a capital.
const GIVEN: [(&str, &str); 4] =
    [("labels", "Labels"), ("value", "Value"), ("externalLabels", "ExternalLabels"), ("externalURL", "ExternalURL")];

/// What Prometheus does with a rule whose template is none.
const REFUSED: &str = "Prometheus loads no file of rules with it";

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
    fn of(wrong: &template::Wrong<'_>) -> Self {
        let near = |name: &str, known: &[&str], sign: &str| match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{sign}{near}`?"),
            None => REFUSED.to_owned(),
        };
        let label = match wrong {
            template::Wrong::Unclosed | template::Wrong::Comment => "every `{{` needs its `}}`".to_owned(),
            template::Wrong::Function(name) => near(name, &FUNCTIONS, ""),
            template::Wrong::Variable(name) => near(name, &GIVEN.map(|(given, _)| given), "$"),
            template::Wrong::End => "`end` closes `if`, `range`, `with`, `define` and `block`".to_owned(),
            template::Wrong::Else => "`if`, `range` and `with` have one `else`".to_owned(),
            template::Wrong::Outside(_) => "there is nothing to leave".to_owned(),
            template::Wrong::Open => "expected `{{ end }}`".to_owned(),
            _ => REFUSED.to_owned(),
        };
        Self { message: wrong.to_string(), label }
    }
}

/// Reads a template.
pub(super) fn read(text: &str) -> Result<Template<'_>, Wrong> {
    let actions =
        template::read(text, &FUNCTIONS, &GIVEN.map(|(given, _)| given)).map_err(|wrong| Wrong::of(&wrong))?;
    if let Some(name) = template::undefined(&actions) {
        let message = format!("a template calls the template {}, and there is none of that name", Quoted(name));
        return Err(Wrong { message, label: "expected one that a `define` makes".to_owned() });
    }
    let mut template = Template::default();
    let made: BTreeSet<&str> = actions.iter().flat_map(|tokens| template::made(tokens)).collect();
    let moved = actions.iter().any(|tokens| matches!(tokens.first(), Some(Token::Word(word)) if MOVING.contains(word)));
    for tokens in &actions {
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens.get(at + 1);
            match token {
                Token::Variable("labels") if !made.contains("labels") => {
                    if let Some(Token::Member(label)) = next {
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
    Ok(template)
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
            ("{{ humanize(1) }}", false),
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
