//! LogQL: what the rules of Loki's ruler and the panels of dashboards ask for.

use super::query::{self, Query, VARIABLE};
use super::streams::Labels;
use crate::finding::Findings;
use crate::rule::rules;
use std::collections::BTreeSet;
use vigil_logql::{Error, Expr, Log};
use vigil_yaml::Quoted;
use vigil_yaml::words::{list, nearest};

rules! {
    SYNTAX "logql-syntax" Error Program "every query of Loki is valid LogQL"
    LINES "logql-lines" Error Program "expressions of Loki's rules ask for numbers, not for lines of logs"
    LABEL "logql-label" Warning Nobody "the labels by which queries select streams are those that the log collectors set"
}

/// Judges queries; by the labels of streams too, if they are known.
pub(super) fn check(queries: &[Query<'_, '_>], labels: Option<&Labels>, findings: &mut Findings) {
    for query in queries {
        match parse(query.text, query.variables) {
            Ok(Some(expr)) => {
                if query.rule.is_some() && !expr.is_metric() {
                    lines(query, findings);
                }
                if let Some(labels) = labels {
                    for name in unknown(&expr, labels) {
                        label(query, name, labels, findings);
                    }
                }
            }
            Ok(None) => {}
            Err(error) => {
                let message = format!("{} is no LogQL", Quoted(query.text.trim()));
                let label = if query.variables {
                    error.message
                } else {
                    query::located(query.text, &error.message, error.span.start)
                };
                let finding = query.place.add(&SYNTAX, query.node, message, findings).label(label);
                if let Some(help) = error.help {
                    finding.help(help);
                }
            }
        }
    }
}

/// A log query where numbers are needed.
fn lines(query: &Query<'_, '_>, findings: &mut Findings) {
    let message = format!("{} asks for lines of logs, and a rule is made of numbers", Quoted(query.text.trim()));
    query
        .place
        .add(&LINES, query.node, message, findings)
        .label("Loki's ruler fails at every evaluation")
        .help("count the lines, such as `sum(count_over_time({app=\"shop\"} |= \"error\" [5m])) > 0`");
}

/// The labels that streams must have, and that none has.
fn unknown<'e>(expr: &'e Expr, labels: &Labels) -> BTreeSet<&'e str> {
    expr.logs().into_iter().flat_map(wanted).filter(|name| !labels.may_have(name)).collect()
}

/// The labels without which nothing matches.
fn wanted(log: &Log) -> impl Iterator<Item = &str> {
    log.matchers.iter().filter(|matcher| !matcher.matches_empty).map(|matcher| matcher.name.as_str())
}

fn label(query: &Query<'_, '_>, name: &str, labels: &Labels, findings: &mut Findings) {
    let known: Vec<&str> = labels.names.iter().map(String::as_str).collect();
    let message = format!("streams are selected by the label `{name}`, which no log collector sets");
    let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    query
        .place
        .add(&LABEL, query.node, message, findings)
        .label(near.unwrap_or_else(|| "the query selects no stream".to_owned()))
        .help(format!("select by {}; labels of lines are asked for behind the braces", list(&known, "or")));
}

/// Reads a query; nothing where it depends on what Grafana puts into it.
fn parse(text: &str, variables: bool) -> Result<Option<Expr>, Error> {
    if !variables {
        return vigil_logql::parse(text).map(Some);
    }
    let read = |word| {
        let (replaced, bare) = query::replaced(text, word);
        (vigil_logql::parse(&replaced), replaced, bare)
    };
    let (first, replaced, bare) = read("v");
    let other = || ["1", "5m", "\"v\""].into_iter().find_map(|word| read(word).0.ok());
    match first.or_else(|error| other().ok_or(error)) {
        Ok(expr) => Ok(Some(expr)),
        // A name, a pattern or a template may be in a variable.
        Err(error) if bare || replaced.get(error.span.clone()).is_some_and(|part| part.contains(VARIABLE)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_grafana() {
        for text in [
            r#"sum(rate({app=~"$app"} |= `$search` [$__auto]))"#,
            r#"sum(rate({app="${app:regex}"} [$__interval])) / $__range_s"#,
            r#"topk($limit, sum by (app) (rate({app="[[app]]"}[$__range])))"#,
            r#"sum by ($by) (rate({app="a"}[$window]))"#,
            r#"{app="$app"} |= $search | json | level="$level""#,
        ] {
            assert!(parse(text, true).is_ok_and(|it| it.is_some()), "{text}: {:?}", parse(text, true));
        }
        for text in [
            "{$filters} | json",
            r#"{app="a"} | pattern "$pattern""#,
            r#"{app="a"} |= ip("$address")"#,
            r#"{app="a"} | line_format "{{ $x := .a }}""#,
        ] {
            assert!(parse(text, true).is_ok_and(|it| it.is_none()), "{text}: {:?}", parse(text, true));
        }
        for text in [r#"rate({app="$app"}[$__auto]"#, r#"rate({app="$app"})"#, r#"{app="$app"} | pattern "<a><b>""#] {
            assert!(parse(text, true).is_err(), "{text}");
        }
        assert!(parse(r#"rate({app="a"}[$__auto])"#, false).is_err());
    }
}
