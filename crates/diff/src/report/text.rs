//! For people at a terminal.

use super::group::{Group, deletions, sections};
use super::{clean, field, summary};
use crate::Diff;
use crate::effect::Class;
use std::fmt::Write as _;

/// How wide a line of words may be.
const WIDTH: usize = 96;

/// How many objects, fields and words of a command are shown, unless all are asked for.
#[derive(Clone, Copy)]
struct Most {
    objects: usize,
    groups: usize,
    fields: usize,
}

/// The report. Long lists are cut short, unless `all` of them are wanted.
pub fn text(diff: &Diff, all: bool, colour: bool) -> String {
    let most = if all {
        Most { objects: usize::MAX, groups: usize::MAX, fields: usize::MAX }
    } else {
        Most { objects: 3, groups: 12, fields: 5 }
    };
    let paint = |style: &str, text: &str| {
        if colour { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let mut out = format!("{}\n", paint("1", &clean(&summary(diff))));
    for (class, groups, _) in sections(diff, all) {
        let _ = writeln!(out, "\n{}", paint(style(class), class.heading()));
        let shown = if groups.len() <= most.groups { groups.len() } else { most.groups - 1 };
        for group in &groups[..shown] {
            tell(&mut out, group, most, &paint);
        }
        let more: usize = groups[shown..].iter().map(|group| group.objects.len()).sum();
        if more > 0 {
            let _ = writeln!(out, "  and {more} more; --all shows them");
        }
        if class == Class::LeftBehind {
            for command in deletions(diff) {
                let _ = writeln!(out, "{}", paint("36", &wrapped_command(&clean(&command))));
            }
        }
    }
    let rows: Vec<_> = diff.totals.changed().collect();
    if !rows.is_empty() {
        let _ = writeln!(out, "\n{}", paint("1", "totals"));
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
        for row in rows {
            let _ = writeln!(out, "  {:width$}  {} -> {}", row.name, row.before, row.after);
        }
    }
    out
}

fn style(class: Class) -> &'static str {
    match class {
        Class::Refused | Class::DataLoss => "1;31",
        Class::Rights | Class::Exposure | Class::DataTwice | Class::Restart => "1;33",
        Class::LeftBehind | Class::Alerting | Class::Limited => "1;36",
        Class::New | Class::InPlace | Class::Nothing => "1",
    }
}

fn tell(out: &mut String, group: &Group<'_>, most: Most, paint: &impl Fn(&str, &str) -> String) {
    let _ = writeln!(
        out,
        "{}",
        lines(&clean(&group.title(most.objects)), "  ", WIDTH).join("\n    ").replace("\n      ", "\n    ")
    );
    for said in &group.said {
        let shown = if said.fields.len() <= most.fields { said.fields.len() } else { most.fields - 1 };
        for it in &said.fields[..shown] {
            let _ = writeln!(out, "    {}", paint("2", &clean(&field(it))));
        }
        if said.fields.len() > shown {
            let _ = writeln!(out, "    {}", paint("2", &format!("and {} more fields", said.fields.len() - shown)));
        }
        if !said.says.is_empty() {
            let _ = writeln!(out, "{}", wrapped(&clean(said.says), "    "));
        }
        if !said.causes.is_empty() {
            let causes = format!("because of {}", said.causes.join(", "));
            let _ = writeln!(out, "{}", paint("35", &wrapped(&clean(&causes), "    ")));
        }
        for command in said.commands {
            let _ = writeln!(out, "{}", paint("36", &wrapped_command(&clean(command))));
        }
    }
}

/// Words in lines of [`WIDTH`], each with an indent.
fn wrapped(text: &str, indent: &str) -> String {
    lines(text, indent, WIDTH).join("\n")
}

/// A command that can be copied, whole: its lines end in a backslash.
fn wrapped_command(text: &str) -> String {
    lines(text, "    ", WIDTH - 4)
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let line = line.trim_start();
            if index == 0 { format!("    $ {line}") } else { format!("        {line}") }
        })
        .collect::<Vec<_>>()
        .join(" \\\n")
}

fn lines(text: &str, indent: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = indent.to_owned();
    for word in text.split(' ') {
        let is_first = line.len() == indent.len();
        if !is_first && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
