//! What was found, counted, and told in three forms.

use crate::differences::{Cell, Differences, glob};
use crate::fields::{Field, Tally, fields, join, stated};
use crate::flags::plain;
use crate::normal::normal;
use crate::object::{kind, name, namespace, text, title};
use crate::pairs::{Pair, instance, near};
use crate::set::Set;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `Kind namespace/name`; ours, unless only upstream has it.
    pub object: String,
    /// What upstream calls it, where that is something else.
    pub counterpart: Option<String>,
    /// The path of the field; `*` for an object that one side lacks.
    pub field: String,
    /// What we have, if anything.
    pub ours: Option<Value>,
    /// What upstream has, if anything.
    pub upstream: Option<Value>,
    /// The reason, when the difference is listed.
    pub why: Option<String>,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects, rules and dashboards of upstream.
    pub objects: usize,
    /// Those that one of ours answers to.
    pub matched: usize,
    /// Those that are left out for a listed reason.
    pub left_out: usize,
    /// Values that upstream states in matched objects.
    pub fields: usize,
    /// Those that are the same in ours.
    pub equal: usize,
    /// Those that differ, as a list says.
    pub listed: usize,
    /// Listed differences.
    pub deliberate: usize,
    /// Differences that no list explains.
    pub unexplained: usize,
}

impl Summary {
    /// Whether everything that differs is listed.
    pub fn is_clean(&self) -> bool {
        self.unexplained == 0
    }

    /// Equal fields of all that upstream states, in tenths of a percent, rounded down: 1000 is every field.
    pub fn permille(&self) -> usize {
        self.share(self.equal)
    }

    fn share(&self, part: usize) -> usize {
        (part * 1000).checked_div(self.fields).unwrap_or(1000)
    }

    fn line(&self) -> String {
        let left_out = if self.left_out == 0 { String::new() } else { format!(" ({} left out)", self.left_out) };
        let percent = |part| format!("{}.{} %", self.share(part) / 10, self.share(part) % 10);
        let share = match (self.fields, self.listed) {
            (0, _) => String::new(),
            (_, 0) => format!(" = {}", percent(self.equal)),
            _ => format!(" = {} ({} with what is deliberate)", percent(self.equal), percent(self.equal + self.listed)),
        };
        format!(
            "objects, rules and dashboards matched {}/{}{left_out}, fields equal {}/{}{share}, deliberate {}, unexplained {}",
            self.matched, self.objects, self.equal, self.fields, self.deliberate, self.unexplained
        )
    }
}

/// The outcome of a comparison.
#[derive(Debug)]
pub struct Report {
    /// All differences: by object in upstream's order, then by field; then what only we have.
    pub differences: Vec<Difference>,
    /// What a reader of the list of differences should know.
    pub notes: Vec<String>,
    /// The counts.
    pub summary: Summary,
}

struct Reporter<'a> {
    listed: &'a Differences,
    /// What differed before somebody patched our objects; none: nobody did.
    before: Option<&'a Report>,
    used: BTreeSet<usize>,
    report: Report,
}

pub(crate) fn report(
    ours: &Set,
    upstream: &Set,
    pairs: &[Pair],
    listed: &Differences,
    before: Option<&Report>,
) -> Report {
    let report = Report { differences: Vec::new(), notes: Vec::new(), summary: Summary::default() };
    let mut reporter = Reporter { listed, before, used: BTreeSet::new(), report };
    for (n, theirs) in upstream.objects.iter().enumerate() {
        match pairs.iter().find(|pair| pair.upstream == n) {
            Some(pair) => reporter.pair(ours, &ours.objects[pair.ours], upstream, theirs),
            None => reporter.alone(theirs, false),
        }
    }
    // A stack holds more than one chart: only what belongs to the installations compared can be too much. An object
    // that moved to another namespace says nothing of what else is there.
    let installed: BTreeSet<&str> = pairs
        .iter()
        .map(|pair| (&ours.objects[pair.ours], &upstream.objects[pair.upstream]))
        .filter(|(mine, theirs)| near(mine, theirs) && !instance(mine).is_empty())
        .map(|(mine, _)| instance(mine))
        .collect();
    for (n, mine) in ours.objects.iter().enumerate() {
        if installed.contains(instance(mine)) && pairs.iter().all(|pair| pair.ours != n) {
            reporter.alone(mine, true);
        }
    }
    reporter.notes(ours, upstream);
    reporter.report
}

impl Reporter<'_> {
    fn pair(&mut self, ours: &Set, mine: &Value, upstream: &Set, theirs: &Value) {
        let (our_title, their_title) = (title(mine), title(theirs));
        let names = [our_title.as_str(), their_title.as_str()];
        let identity = [
            ("apiVersion", text(mine, "/apiVersion"), text(theirs, "/apiVersion")),
            ("kind", kind(mine), kind(theirs)),
            ("metadata.name", called(mine), called(theirs)),
            ("metadata.namespace", namespace(mine), namespace(theirs)),
        ];
        let mut found = Vec::new();
        let mut tally = Tally::default();
        for (path, mine, theirs) in identity {
            if mine != theirs {
                let value = |text: &str| (!text.is_empty()).then(|| Value::from(text));
                let stated = usize::from(!theirs.is_empty());
                tally.stated += stated;
                found.push(Field { path: path.to_owned(), ours: value(mine), upstream: value(theirs), stated });
            }
        }
        let (more, counted) = fields(&normal(ours, mine), &normal(upstream, theirs));
        found.extend(more);
        let summary = &mut self.report.summary;
        summary.objects += 1;
        summary.matched += 1;
        summary.fields += tally.stated + counted.stated;
        summary.equal += counted.equal;
        for field in found {
            self.field(&names, field);
        }
    }

    /// Takes down a difference; one that is not listed as a whole is taken apart when something in it is.
    fn field(&mut self, names: &[&str], field: Field) {
        let rows = self.listed.covering(names, &field.path);
        if rows.is_empty()
            && self.listed.reaches_below(names, &field.path)
            && let (Some(Value::Object(parts)), None) | (None, Some(Value::Object(parts))) =
                (&field.ours, &field.upstream)
            && !parts.is_empty()
        {
            for (key, value) in parts {
                let side = |side: &Option<Value>| side.is_some().then(|| value.clone());
                let (ours, upstream) = (side(&field.ours), side(&field.upstream));
                let stated = upstream.as_ref().map_or(0, |value| stated(key, value));
                self.field(names, Field { path: join(&field.path, key), ours, upstream, stated });
            }
            return;
        }
        for row in rows.iter().map(|n| &self.listed.rows[*n]).filter(|row| row.field == field.path) {
            for (side, cell, value) in [("ours", &row.ours, &field.ours), ("upstream", &row.upstream, &field.upstream)]
            {
                let value = shown(value.as_ref());
                if let Cell::Value(said) = cell
                    && !glob(said, &value)
                {
                    self.report.notes.push(format!(
                        "{}: says that {side} is `{said}`, but {} {} is `{value}`",
                        row.place, names[0], field.path
                    ));
                }
            }
        }
        let listed = rows.first().map(|n| self.listed.rows[*n].why.clone());
        self.take(names, field, &rows, listed);
    }

    fn take(&mut self, names: &[&str], field: Field, rows: &[usize], listed: Option<String>) {
        self.used.extend(rows);
        let Field { path, ours, upstream, stated } = field;
        let counterpart = names.last().filter(|last| *last != &names[0]).map(|name| (*name).to_owned());
        let object = names[0].to_owned();
        let mut found = Difference { object, counterpart, field: path, ours, upstream, why: None };
        let is_new =
            |before: &Report| !before.differences.iter().any(|old| Difference { why: None, ..old.clone() } == found);
        let patched = self.before.is_some_and(is_new).then(|| "a patch of the stack says so".to_owned());
        found.why = listed.or(patched);
        if found.why.is_some() {
            self.report.summary.deliberate += 1;
            self.report.summary.listed += stated;
        } else {
            self.report.summary.unexplained += 1;
        }
        self.report.differences.push(found);
    }

    /// An object that only one side has.
    fn alone(&mut self, object: &Value, is_ours: bool) {
        let title = title(object);
        let rows = self.listed.covering(&[&title], "*");
        let reason = self.listed.reason(&title, &rows, is_ours);
        if !is_ours {
            self.report.summary.objects += 1;
            self.report.summary.left_out += usize::from(reason.is_some());
        }
        let there = |there: bool| there.then(|| Value::from("present"));
        let field = Field { path: "*".to_owned(), ours: there(is_ours), upstream: there(!is_ours), stated: 0 };
        self.take(&[&title], field, &rows, reason);
    }

    /// Rows that explain nothing: of objects that were compared one by one, of all others their number.
    fn notes(&mut self, ours: &Set, upstream: &Set) {
        let names = |set: &Set| set.objects.iter().map(title).collect::<Vec<_>>();
        let (mine, theirs) = (names(ours), names(upstream));
        let compared: Vec<&str> = theirs
            .iter()
            .chain(self.report.differences.iter().map(|found| &found.object))
            .map(String::as_str)
            .collect();
        let compared: BTreeSet<usize> = self.listed.about(&compared).collect();
        let known: BTreeSet<usize> = self
            .listed
            .about(&mine.iter().map(String::as_str).collect::<Vec<_>>())
            .chain(compared.iter().copied())
            .collect();
        for n in compared.difference(&self.used) {
            let row = &self.listed.rows[*n];
            self.report.notes.push(format!("{}: explains nothing: {} {}", row.place, row.object, row.field));
        }
        let elsewhere = (0..self.listed.rows.len()).filter(|n| !known.contains(n) && !self.used.contains(n)).count();
        if elsewhere > 0 {
            let rows = if elsewhere == 1 { "1 row speaks".to_owned() } else { format!("{elsewhere} rows speak") };
            self.report.notes.push(format!("{rows} of objects that neither side has here"));
        }
    }
}

/// The name by which others refer to an object; nothing refers to a Job, which may carry a checksum in its name.
fn called(object: &Value) -> &str {
    if kind(object) == "Job" { "" } else { name(object) }
}

/// A value in one line.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "—".to_owned(),
        Some(Value::Object(entries)) if entries.is_empty() => "{}".to_owned(),
        Some(Value::Object(entries)) => {
            let entry = |(key, value): (&String, &Value)| {
                let key = key.strip_prefix('[').and_then(|key| key.strip_suffix(']')).unwrap_or(key);
                format!("{key}: {}", shown(Some(value)))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Some(Value::Array(entries)) => {
            format!("[{}]", entries.iter().map(|entry| shown(Some(entry))).collect::<Vec<_>>().join(", "))
        }
        Some(scalar) => match plain(scalar) {
            text if text.is_empty() => "\"\"".to_owned(),
            text => text.split_whitespace().collect::<Vec<_>>().join(" "),
        },
    }
}

fn cut(text: &str, widest: usize) -> String {
    match text.char_indices().nth(widest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Both values, short enough for a column: of long ones that begin alike, from shortly before they differ.
fn contrast(found: &Difference, widest: usize) -> [String; 2] {
    const BEFORE: usize = 12;
    let texts = [shown(found.ours.as_ref()), shown(found.upstream.as_ref())];
    let alike = texts[0].chars().zip(texts[1].chars()).take_while(|(a, b)| a == b).count();
    texts.each_ref().map(|text| {
        if alike <= BEFORE || text.chars().count() <= widest {
            return cut(text, widest);
        }
        format!("…{}", cut(&text.chars().skip(alike - BEFORE).collect::<String>(), widest - 1))
    })
}

impl Report {
    /// For people: what is not explained first, then what is meant, then notes and the counts.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let deliberate = |found: &&Difference| found.why.is_some();
        let (meant, open): (Vec<&Difference>, Vec<&Difference>) = self.differences.iter().partition(deliberate);
        for (title, list) in [("Not explained", open), ("Deliberate", meant)] {
            // Writing to a String cannot fail, here and below.
            if !list.is_empty() {
                let _ = writeln!(text, "{title}\n");
            }
            let (whole, parts): (Vec<&Difference>, Vec<&Difference>) =
                list.into_iter().partition(|found| found.field == "*");
            for (title, ours) in [("only upstream", false), ("only ours", true)] {
                let list: Vec<[&str; 2]> = whole
                    .iter()
                    .filter(|found| found.ours.is_some() == ours)
                    .map(|found| [found.object.as_str(), found.why.as_deref().unwrap_or_default()])
                    .collect();
                if !list.is_empty() {
                    let _ = writeln!(text, "  {title}");
                    columns(&list, &mut text);
                }
            }
            grouped(&parts, &mut text);
        }
        if !self.notes.is_empty() {
            let _ = writeln!(text, "Notes\n");
            for note in &self.notes {
                let _ = writeln!(text, "  {note}");
            }
            text.push('\n');
        }
        let _ = writeln!(text, "{}", self.summary.line());
        text
    }

    /// For a pull request, in the form of the list of differences: a row that is not explained needs its reason only.
    pub fn markdown(&self) -> String {
        let mut text = "| object | field | ours | upstream | why |\n|---|---|---|---|---|\n".to_owned();
        for found in &self.differences {
            let value = |value: &Option<Value>| match shown(value.as_ref()) {
                text if value.is_none() || text.contains('`') => text,
                text => format!("`{}`", cut(&text, 200)),
            };
            let why = found.why.as_deref().unwrap_or_default();
            let cells = [&found.object, &found.field, &value(&found.ours), &value(&found.upstream), why]
                .map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{}", self.summary.line());
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let difference = |found: &Difference| {
            let mut entry = Map::new();
            entry.insert("object".to_owned(), found.object.as_str().into());
            entry.extend(found.counterpart.iter().map(|name| ("counterpart".to_owned(), name.as_str().into())));
            entry.insert("field".to_owned(), found.field.as_str().into());
            for (key, value) in [("ours", &found.ours), ("upstream", &found.upstream)] {
                entry.extend(value.iter().map(|value| (key.to_owned(), value.clone())));
            }
            entry.extend(found.why.iter().map(|why| ("why".to_owned(), why.as_str().into())));
            Value::from(entry)
        };
        let Summary { objects, matched, left_out, fields, equal, listed, deliberate, unexplained } = self.summary;
        json!({
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
            "notes": self.notes,
            "summary": {
                "objects": {"upstream": objects, "matched": matched, "leftOut": left_out},
                "fields": {"upstream": fields, "equal": equal, "listed": listed},
                "deliberate": deliberate,
                "unexplained": unexplained,
            },
        })
    }
}

/// Differences in columns, under the name of their object.
fn grouped(list: &[&Difference], text: &mut String) {
    for group in list.chunk_by(|a, b| (&a.object, &a.counterpart) == (&b.object, &b.counterpart)) {
        let _ = match &group[0].counterpart {
            None => writeln!(text, "  {}", group[0].object),
            Some(counterpart) => writeln!(text, "  {}, upstream {counterpart}", group[0].object),
        };
        let rows: Vec<[String; 4]> = group
            .iter()
            .map(|found| {
                let why = found.why.clone().unwrap_or_default();
                let [ours, upstream] = contrast(found, 40);
                [found.field.clone(), ours, upstream, why]
            })
            .collect();
        let head = ["", "ours", "upstream", ""];
        let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
        columns(&[head].into_iter().chain(rows).collect::<Vec<_>>(), text);
    }
}

/// Rows with cells of one width per column, and an empty line.
fn columns<const N: usize>(rows: &[[&str; N]], text: &mut String) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "    {}", cells.join("  ").trim_end());
    }
    text.push('\n');
}
