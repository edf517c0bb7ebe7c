//! INI, as Grafana reads it.

use std::ops::Range;

/// A line that means something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'t> {
    /// `[name]`.
    Section { name: &'t str, at: Range<usize> },
    /// `key = value`, the value without its comment and its quotes.
    Key { key: &'t str, at: Range<usize>, value: &'t str, value_at: Range<usize> },
    /// What Grafana refuses, and why.
    Wrong { why: &'static str, at: Range<usize> },
}

/// The lines of a text, but for those that are empty, comments or templates.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    let mut continued = false;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim();
        let at = start + (whole.len() - whole.trim_start().len());
        start += whole.len();
        // A value in three quotes, or with `\` at the end of a line, goes on in the next.
        let is_inside = quoted || continued;
        quoted ^= line.matches("\"\"\"").count() % 2 == 1;
        continued = line.ends_with('\\') && !line.starts_with(['#', ';']);
        if is_inside || line.is_empty() || line.starts_with(['#', ';']) || line.contains("{{") {
            continue;
        }
        lines.push(match line.strip_prefix('[') {
            Some(rest) => rest.rfind(']').map_or(
                Line::Wrong { why: "expected `]` behind the name of the section", at: at..at + line.len() },
                |end| Line::Section { name: rest[..end].trim(), at: at + 1..at + 1 + end },
            ),
            None => line.find(['=', ':']).map_or(
                Line::Wrong { why: "expected `[section]` or `key = value`", at: at..at + line.len() },
                |end| {
                    let key = line[..end].trim();
                    let value = value(line[end + 1..].trim());
                    let value_start = end + 1 + line[end + 1..].find(value).unwrap_or_default();
                    let value_at = at + value_start..at + value_start + value.len();
                    Line::Key { key, at: at..at + key.len(), value, value_at }
                },
            ),
        });
    }
    lines
}

fn value(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix("\"\"\"") {
        return inner.split("\"\"\"").next().unwrap_or_default();
    }
    for quote in ['`', '"', '\''] {
        if let Some(inner) = text.strip_prefix(quote)
            && let Some(end) = inner.find(quote)
        {
            return &inner[..end];
        }
    }
    text.find(['#', ';']).map_or(text, |comment| text[..comment].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_values() {
        let text =
            "top = 1\r\n[a.b] ; c\n  key=\"v\" # why\n# no\nlong = \"\"\"x\n[y]\nz\"\"\"\nbare\n[open\nlast: a;b\n";
        let found: Vec<(String, String)> = lines(text)
            .into_iter()
            .map(|line| match line {
                Line::Section { name, at } => (name.to_owned(), text[at].to_owned()),
                Line::Key { key, at, value, value_at } => {
                    assert_eq!(&text[value_at], value);
                    (format!("{key}={value}"), text[at].to_owned())
                }
                Line::Wrong { at, .. } => ("!".to_owned(), text[at].to_owned()),
            })
            .collect();
        let expected = [
            ("top=1", "top"),
            ("a.b", "a.b"),
            ("key=v", "key"),
            ("long=x", "long"),
            ("!", "bare"),
            ("!", "[open"),
            ("last=a", "last"),
        ];
        assert_eq!(found, expected.map(|(meaning, place)| (meaning.to_owned(), place.to_owned())));
    }
}
