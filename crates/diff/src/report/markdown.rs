//! For a comment on a pull request.

use super::group::{Group, deletions, sections};
use super::{clean, field, summary};
use crate::Diff;
use crate::effect::Class;
use std::fmt::Write as _;

/// The report as Markdown: what needs no decision is folded.
pub fn markdown(diff: &Diff) -> String {
    let mut out = format!("**{}**\n", clean(&summary(diff)));
    for (class, groups, count) in sections(diff, false) {
        let is_folded = class >= Class::New;
        if is_folded {
            let _ = write!(out, "\n<details><summary>{} ({count})</summary>\n\n", class.heading());
        } else {
            let _ = write!(out, "\n### {} ({count})\n\n", class.heading());
        }
        for group in &groups {
            tell(&mut out, group);
        }
        if class == Class::LeftBehind {
            code(&mut out, &deletions(diff), "");
        }
        if is_folded {
            out.push_str("\n</details>\n");
        }
    }
    let rows: Vec<_> = diff.totals.changed().collect();
    if !rows.is_empty() {
        out.push_str("\n| totals | before | after |\n|---|---|---|\n");
        for row in rows {
            let _ = writeln!(out, "| {} | {} | {} |", row.name, row.before, row.after);
        }
    }
    out
}

fn tell(out: &mut String, group: &Group<'_>) {
    let _ = writeln!(out, "- {}", escaped(&group.title(usize::MAX)));
    for said in &group.said {
        for it in said.fields {
            // A backtick would end the code.
            let _ = writeln!(out, "  - `{}`", clean(&field(it)).replace('`', "'"));
        }
        if !said.says.is_empty() {
            let _ = writeln!(out, "  - {}", escaped(said.says));
        }
        if !said.causes.is_empty() {
            let keys: Vec<String> =
                said.causes.iter().map(|key| format!("`{}`", clean(key).replace('`', "'"))).collect();
            let _ = writeln!(out, "  - because of {}", keys.join(", "));
        }
        code(out, said.commands, "    ");
    }
}

fn code(out: &mut String, commands: &[String], indent: &str) {
    if commands.is_empty() {
        return;
    }
    let _ = write!(out, "\n{indent}```sh\n");
    for command in commands {
        let _ = writeln!(out, "{indent}{}", clean(command));
    }
    let _ = write!(out, "{indent}```\n\n");
}

/// A text of which no part is taken for markup; code in backticks stays code.
fn escaped(text: &str) -> String {
    let mut in_code = false;
    let mut out = String::new();
    for c in clean(text).chars() {
        in_code ^= c == '`';
        if !in_code && matches!(c, '<' | '>' | '*' | '_' | '|' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
