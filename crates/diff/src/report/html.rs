//! For a page: a part of one, which brings no style of its own.

use super::group::{Group, deletions, sections};
use super::{clean, field, summary};
use crate::effect::Class;
use crate::{Diff, Field};
use std::fmt::Write as _;
use vigil_yaml::words::counted;

/// The report as HTML, to stand below a heading of the second level: a summary, a `<section class="effect …">` for each
/// class, what needs no decision in `<details>`.
pub fn html(diff: &Diff) -> String {
    let mut out = format!("<p class=\"summary\">{}</p>\n", prose(&summary(diff)));
    for (class, groups, count) in sections(diff, false) {
        let heading = format!("{} <span class=\"count\">{count}</span>", prose(class.heading()));
        // Writing to a String cannot fail.
        let (start, end) = if class >= Class::New {
            (format!("<details>\n<summary>{heading}</summary>"), "</details>\n")
        } else {
            (format!("<h3>{heading}</h3>"), "")
        };
        let _ = writeln!(out, "<section class=\"effect {}\">\n{start}\n<ul>", class.id());
        for group in &groups {
            tell(&mut out, group);
        }
        out.push_str("</ul>\n");
        if class == Class::LeftBehind {
            code(&mut out, &deletions(diff));
        }
        let _ = writeln!(out, "{end}</section>");
    }
    let rows: Vec<_> = diff.totals.changed().collect();
    if !rows.is_empty() {
        out.push_str("<table>\n<thead><tr><th scope=\"col\">Totals</th><th scope=\"col\">before</th><th scope=\"col\">after</th></tr></thead>\n<tbody>\n");
        for row in rows {
            let (before, after) = (prose(&row.before), prose(&row.after));
            let _ = writeln!(out, "<tr><th scope=\"row\">{}</th><td>{before}</td><td>{after}</td></tr>", row.name);
        }
        out.push_str("</tbody>\n</table>\n");
    }
    out
}

fn tell(out: &mut String, group: &Group<'_>) {
    let _ = writeln!(out, "<li><strong>{}</strong>", prose(&group.title(usize::MAX)));
    for said in &group.said {
        fields(out, said.fields);
        if !said.says.is_empty() {
            let _ = writeln!(out, "<div>{}</div>", prose(said.says));
        }
        if !said.causes.is_empty() {
            let keys: Vec<String> = said.causes.iter().map(|key| format!("<code>{}</code>", escaped(key))).collect();
            let _ = writeln!(out, "<div class=\"cause\">because of {}</div>", keys.join(", "));
        }
        code(out, said.commands);
    }
    out.push_str("</li>\n");
}

/// Fields; more than a few are folded.
fn fields(out: &mut String, fields: &[Field]) {
    const FEW: usize = 3;
    if fields.len() > FEW {
        let _ = write!(out, "<details><summary>{}</summary>", counted(fields.len(), "field"));
    }
    for (number, it) in fields.iter().enumerate() {
        let start = if fields.len() > FEW && number == 0 { "" } else { "<br>" };
        let _ = writeln!(out, "{start}<code>{}</code>", escaped(&field(it)));
    }
    if fields.len() > FEW {
        out.push_str("</details>\n");
    }
}

fn code(out: &mut String, commands: &[String]) {
    if !commands.is_empty() {
        let commands: Vec<String> = commands.iter().map(|command| escaped(command)).collect();
        let _ = writeln!(out, "<pre tabindex=\"0\"><code>{}</code></pre>", commands.join("\n"));
    }
}

/// A text of which no part is taken for markup.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// A text as HTML, what stands in backticks as code.
pub fn prose(text: &str) -> String {
    let parts = text.split('`').count();
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        // One that has no other is a backtick.
        match (index % 2 == 1, index + 1 == parts && parts.is_multiple_of(2)) {
            (true, false) => {
                let _ = write!(out, "<code>{}</code>", escaped(part));
            }
            (true, true) => {
                let _ = write!(out, "`{}", escaped(part));
            }
            (false, _) => out.push_str(&escaped(part)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn nothing_is_taken_for_markup() {
        for (text, expected) in [
            ("a < b & \"c\"", "a &lt; b &amp; &quot;c&quot;"),
            ("run `kubectl <x>`, then", "run <code>kubectl &lt;x&gt;</code>, then"),
            ("a ` b", "a ` b"),
            ("`a` ` <b>", "<code>a</code> ` &lt;b&gt;"),
            ("", ""),
        ] {
            assert_eq!(prose(text), expected, "{text}");
        }
    }
}
