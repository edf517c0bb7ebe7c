//! The differences that are meant, each with its reason: tables in Markdown.
//!
//! ```text
//! | object | field | ours | upstream | why |
//! |---|---|---|---|---|
//! | StatefulSet logs/loki | spec.template.spec.containers[loki].image | 3.7 | 2.6 | its successor |
//! ```
//!
//! `object` and `field` may hold `*`. A field covers what stands below it. The field `*` means the whole object, which
//! one side lacks; the field `object` pairs two objects that have neither name nor kind in common. A cell of `ours` or
//! `upstream` that is all in backticks is a value, and a note tells when it is no longer that; otherwise it is prose.
//! Rules of Prometheus and dashboards of Grafana are objects here too: `alert NAME`, `record NAME`, `dashboard TITLE`.

use std::collections::BTreeSet;
use vigil_yaml::{Problem, Source, Span};

/// The fields that say which object it is.
const IDENTITY: [&str; 4] = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

/// The listed differences.
#[derive(Debug, Default)]
pub struct Differences {
    pub(crate) rows: Vec<Row>,
    /// The titles of what is there when a stack has what it is about.
    possible: BTreeSet<String>,
}

/// One row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    /// `file:line`.
    pub(crate) place: String,
    pub(crate) object: String,
    pub(crate) field: String,
    pub(crate) ours: Cell,
    pub(crate) upstream: Cell,
    pub(crate) why: String,
}

/// What a row says that one side has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Value(String),
    Prose(String),
}

impl Cell {
    fn read(text: &str) -> Self {
        match text.strip_prefix('`').and_then(|text| text.strip_suffix('`')) {
            Some(value) if !value.contains('`') => Self::Value(value.to_owned()),
            _ => Self::Prose(text.to_owned()),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Value(text) | Self::Prose(text) => text,
        }
    }
}

impl Differences {
    /// Reads the tables of Markdown texts, given as (name, text). Tables with other columns are no business of ours.
    ///
    /// # Errors
    /// A row without object, field or reason, or with more or fewer cells than its table has columns.
    pub fn parse<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<Problem>> {
        let mut rows = Vec::new();
        let mut problems = Vec::new();
        for (name, text) in texts {
            let source = Source::new(name, text);
            let mut in_table = false;
            let mut start = 0;
            for (number, line) in text.split_inclusive('\n').enumerate() {
                let place = Span::new(&source, start..start + line.trim_end().len());
                start += line.len();
                let Some(cells) = cells(line) else {
                    in_table = false;
                    continue;
                };
                if cells.iter().map(String::as_str).eq(["object", "field", "ours", "upstream", "why"]) {
                    in_table = true;
                    continue;
                }
                if !in_table || cells.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':'))) {
                    continue;
                }
                match row(&format!("{name}:{}", number + 1), &cells) {
                    Ok(row) => rows.push(row),
                    Err(message) => problems.push(Problem::error(message, place).help(
                        "a row is `| object | field | ours | upstream | why |`; a `|` in a cell is written `\\|`",
                    )),
                }
            }
        }
        if problems.is_empty() { Ok(Self { rows, possible: BTreeSet::new() }) } else { Err(problems) }
    }

    /// The same, with the titles of alerts and dashboards that a stack may have: no row has to say why one without their part
    /// lacks them.
    #[must_use]
    pub fn with_possible(self, titles: impl IntoIterator<Item = String>) -> Self {
        Self { possible: titles.into_iter().collect(), ..self }
    }

    /// Why our side lacks an object of upstream's, or the other way round.
    pub(crate) fn reason(&self, title: &str, rows: &[usize], is_ours: bool) -> Option<String> {
        let is_off = || !is_ours && self.possible.contains(title);
        let off = || "the stack does not have it: it is off, or what it is about is not scraped".to_owned();
        rows.first().map(|n| self.rows[*n].why.clone()).or_else(|| is_off().then(off))
    }

    /// Whether a row pairs these two objects.
    pub(crate) fn renames(&self, ours: &str, upstream: &str) -> bool {
        self.rows
            .iter()
            .any(|row| row.field == "object" && glob(row.ours.text(), ours) && glob(row.upstream.text(), upstream))
    }

    /// Every row that speaks of this field of an object that goes by these names.
    pub(crate) fn covering(&self, names: &[&str], field: &str) -> Vec<usize> {
        self.about(names).filter(|n| covers(&self.rows[*n].field, field)).collect()
    }

    /// Whether a row speaks of something below this field.
    pub(crate) fn reaches_below(&self, names: &[&str], field: &str) -> bool {
        self.about(names).any(|n| below(&self.rows[n].field, field))
    }

    /// The rows that speak of an object by one of these names.
    pub(crate) fn about(&self, names: &[&str]) -> impl Iterator<Item = usize> {
        let is_about = move |row: &Row| names.iter().any(|name| glob(&row.object, name));
        self.rows
            .iter()
            .enumerate()
            .filter(move |(_, row)| is_about(row))
            .map(|(n, _)| n)
            .collect::<BTreeSet<_>>()
            .into_iter()
    }
}

fn row(place: &str, cells: &[String]) -> Result<Row, String> {
    let [object, field, ours, upstream, why] = cells else {
        return Err(format!("a row with {} cells", cells.len()));
    };
    let bare = |text: &str| text.replace('`', "");
    for (cell, what) in [(object, "object"), (field, "field"), (why, "reason")] {
        if cell.is_empty() {
            return Err(format!("a difference without {what}"));
        }
    }
    Ok(Row {
        place: place.to_owned(),
        object: bare(object),
        field: bare(field),
        ours: Cell::read(ours),
        upstream: Cell::read(upstream),
        why: why.clone(),
    })
}

/// The cells of a line of a Markdown table.
fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim().strip_prefix('|')?;
    let mut cells = vec![String::new()];
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&'|') => {
                characters.next();
                cells.last_mut()?.push('|');
            }
            '|' => cells.push(String::new()),
            other => cells.last_mut()?.push(other),
        }
    }
    if cells.last().is_some_and(|last| last.trim().is_empty()) {
        cells.pop();
    }
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// Whether a row's field covers this one: itself, or something that it stands below.
fn covers(pattern: &str, field: &str) -> bool {
    match (pattern, field) {
        ("object", _) => IDENTITY.contains(&field),
        ("*", _) | (_, "*") => pattern == field,
        _ => {
            let ends = field.match_indices(['.', '[']).map(|(end, _)| end).chain([field.len()]);
            ends.into_iter().any(|end| glob(pattern, &field[..end]))
        }
    }
}

/// Whether a row's field could be one below `field`.
fn below(pattern: &str, field: &str) -> bool {
    if pattern == "*" || pattern == "object" {
        return false;
    }
    let ends = pattern.match_indices(['.', '[']).map(|(end, _)| end);
    ends.into_iter().any(|end| glob(&pattern[..end], field)) || (pattern.starts_with('*') && pattern.len() > 1)
}

/// `*` stands for any text, everything else for itself.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let Some(end) = pattern.rsplit_once('*').map(|(_, end)| end) else { return rest.is_empty() };
    let Some(mut rest) = rest.strip_suffix(end) else { return false };
    let middle: Vec<&str> = parts.collect();
    for part in &middle[..middle.len().saturating_sub(1)] {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("Service x/*-web", "Service x/my-web", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_field_covers_what_is_below() {
        for (pattern, field, fits) in [
            ("rules", "rules[pods]", true),
            ("rules", "rulesOfThumb", false),
            ("spec.*.image", "spec.containers[a].image", true),
            ("spec.*.resources", "spec.containers[a].resources.limits", true),
            ("spec", "spec", true),
            ("*", "spec", false),
            ("*", "*", true),
            ("spec*", "*", false),
            ("object", "kind", true),
            ("object", "spec", false),
        ] {
            assert_eq!(covers(pattern, field), fits, "{pattern} {field}");
        }
        assert!(below("spec.a.b", "spec") && below("spec.a[b].c", "spec.a") && below("*.image", "spec"));
        assert!(!below("spec", "spec") && !below("other.a", "spec") && !below("*", "spec"));
    }

    #[test]
    fn tables_among_prose() {
        let text = "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| object | field | ours | upstream | why |\n|:--|--|--|--|--|\n\
                    | `Ingress x/y` | `path` | `a\\|b` | said | because |\n";
        let differences = Differences::parse([("d.md", text)]).unwrap();
        let [row] = &differences.rows[..] else { panic!("{differences:?}") };
        assert_eq!((&*row.place, &*row.object, &*row.field), ("d.md:9", "Ingress x/y", "path"));
        assert_eq!((&row.ours, &row.upstream), (&Cell::Value("a|b".into()), &Cell::Prose("said".into())));
    }

    #[test]
    fn a_difference_needs_a_reason() {
        let table = |row: &str| format!("| object | field | ours | upstream | why |\n|-|-|-|-|-|\n{row}\n");
        for (row, message) in [
            ("| a | b | c | d | |", "a difference without reason"),
            ("| a | b | c | d | e | f |", "a row with 6 cells"),
            ("| | b | c | d | e |", "a difference without object"),
            ("| a | b | c |", "a row with 3 cells"),
        ] {
            let problems = Differences::parse([("d.md", &*table(row))]).unwrap_err();
            assert_eq!(problems[0].message, message, "{row}");
        }
    }
}
