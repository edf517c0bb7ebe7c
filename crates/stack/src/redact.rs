//! What messages do not repeat: the user and password of a URL, and what stands under a key such as `password`. They end in
//! logs of CI and in chats.

use std::ops::Range;
use std::sync::Arc;
use vigil_forms::name::is_credential;
use vigil_forms::url;
use vigil_yaml::{Data, Node, Place, Problem, Source, Span};

/// The problems with every credential in them starred, also in the lines that they show.
pub(crate) fn redacted(problems: Vec<Problem>, source: &Source) -> Vec<Problem> {
    redacted_with(problems, source, &[])
}

/// The same with values that are credentials whatever their keys are.
pub(crate) fn redacted_with(mut problems: Vec<Problem>, source: &Source, credentials: &[Span]) -> Vec<Problem> {
    let own = credentials.iter().filter(|span| *span.source == *source).map(|span| span.range.clone());
    let hidden = merged(hidden(&source.text).into_iter().chain(own).collect());
    let Some(text) = starred(&source.text, &hidden) else { return problems };
    let clean = Source::new(source.name.as_str(), text);
    for problem in &mut problems {
        if let Place::Text(span) = &problem.place {
            // What a message quotes is the value at its place.
            let here = |range: &&Range<usize>| range.start < span.range.end && span.range.start < range.end;
            let own = hidden.iter().filter(|range| *span.source == *source && here(range));
            let own: Vec<_> =
                own.map(|range| source.text[range.clone()].trim_matches(['"', '\'']).to_owned()).collect();
            let texts = [Some(&mut problem.message), problem.label.as_mut(), problem.help.as_mut()];
            for text in texts.into_iter().flatten() {
                for secret in own.iter().filter(|secret| !secret.is_empty()) {
                    *text = text.replace(&format!("`{secret}`"), "`***`");
                }
            }
            problem.place = Span::new(&same(span, source, &clean), span.range.clone()).into();
        }
        let texts = [Some(&mut problem.message), problem.label.as_mut(), problem.help.as_mut()];
        for text in texts.into_iter().flatten() {
            if let Some(clean) = url::without_credentials(text) {
                *text = clean;
            }
        }
    }
    problems
}

/// `node` with the places in `source` moved to a text without credentials: what is told of it later shows none.
pub(crate) fn without_credentials(node: &mut Node, source: &Source) {
    if let Some(text) = starred(&source.text, &hidden(&source.text)) {
        moved(node, source, &Source::new(source.name.as_str(), text));
    }
}

fn moved(node: &mut Node, from: &Source, to: &Arc<Source>) {
    let there = |span: &mut Span| *span = Span::new(&same(span, from, to), span.range.clone());
    there(&mut node.span);
    match &mut node.data {
        Data::Scalar(_) => {}
        Data::List(items) => items.iter_mut().for_each(|item| moved(item, from, to)),
        Data::Map(entries) => entries.iter_mut().for_each(|entry| {
            there(&mut entry.key.span);
            moved(&mut entry.value, from, to);
        }),
    }
}

/// The source that takes the place of a span's own.
fn same(span: &Span, source: &Source, clean: &Arc<Source>) -> Arc<Source> {
    Arc::clone(if *span.source == *source { clean } else { &span.source })
}

/// `text` with a star for each byte of its credentials, which stand at `ranges` and in URLs; `None` when there are none. Places in it stay true.
fn starred(text: &str, ranges: &[Range<usize>]) -> Option<String> {
    if ranges.is_empty() {
        return url::without_credentials(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        clean.push_str(&text[from..range.start]);
        clean.extend(text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }));
        from = range.end;
    }
    clean.push_str(&text[from..]);
    Some(url::without_credentials(&clean).unwrap_or(clean))
}

/// Ranges in order, those that overlap as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Where values stand that are credentials by their keys: single texts, and blocks of text, whether the file is YAML or not.
fn hidden(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (colon, _) in text.match_indices(':') {
        let before = text[..colon].trim_end_matches(['"', '\'']);
        let key = before.rsplit(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).next().unwrap_or_default();
        let at = before.len() - key.len();
        let names_one = key.to_lowercase().starts_with("existing");
        if names_one || !is_credential(key) || ranges.last().is_some_and(|last| colon < last.end) {
            continue;
        }
        let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |end| from + end);
        let end = line_end(colon);
        let value = &text[colon + 1..end];
        let start = colon + 1 + value.len() - value.trim_start().len();
        if !value.starts_with([' ', '\t']) || start >= end || text[start..].starts_with(['{', '[', '#', '*', '&']) {
            continue;
        }
        if text[start..].starts_with(['|', '>']) {
            let line = text[..at].rfind('\n').map_or(0, |line| line + 1);
            let indent = text[line..].len() - text[line..].trim_start_matches([' ', '-']).len();
            let mut last = end;
            while last < text.len() {
                let next = line_end(last + 1);
                let line = text.get(last + 1..next).unwrap_or_default();
                if !line.trim().is_empty() && line.len() - line.trim_start_matches(' ').len() <= indent {
                    break;
                }
                last = next;
            }
            ranges.extend((end < last).then_some(end + 1..last));
            continue;
        }
        let rest = &text[start..end];
        let length = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |close| close + 2),
            // In a flow mapping it ends with the item, anywhere else with the line.
            _ if text[..at].rsplit('\n').next().is_some_and(|line| line.contains('{')) => {
                rest.find([',', '}']).unwrap_or(rest.len())
            }
            _ => rest.find(" #").unwrap_or(rest.len()),
        };
        let value = rest[..length].trim_end();
        // A switch, or nothing.
        if !matches!(value, "true" | "false" | "null" | "~") {
            ranges.push(start..start + value.len());
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_under_telling_keys_are_starred() {
        for (text, expected) in [
            ("adminPassword: prom-operator # x", Some("adminPassword: ************* # x")),
            ("a: { client_secret: \"x, y\", b: c }", Some("a: { client_secret: ******, b: c }")),
            ("a: { token: x y, b: c }", Some("a: { token: ***, b: c }")),
            ("\"api_key\": x", Some("\"api_key\": *")),
            ("routing-key: x", Some("routing-key: *")),
            ("a:\n  private_key: |\n    x\n\n    y\n  b: c\n", Some("a:\n  private_key: |\n*****\n\n*****\n  b: c\n")),
            ("urlSecret: { name: slack, key: url }", None),
            ("secretName: tls", None),
            ("existingSecret: grafana", None),
            ("serviceAccountToken: false", None),
            ("secret:\n  name: x", None),
            ("secrets: true", None),
            ("http://token:8080", None),
            ("é\u{a0}password: é", Some("é\u{a0}password: **")),
            ("token: |", None),
            ("token:\u{a0}x", None),
        ] {
            assert_eq!(starred(text, &hidden(text)).as_deref(), expected, "{text}");
            assert!(starred(text, &hidden(text)).is_none_or(|clean| clean.len() == text.len()), "{text}");
        }
    }
}
