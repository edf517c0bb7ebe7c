//! What was proved, and what was found that should not be.

use std::fmt::{Display, Write as _};

/// One proof: a table of figures, and findings.
#[derive(Default)]
pub(crate) struct Proof {
    /// What it is called in the report.
    pub(crate) title: String,
    /// What a row holds and how it was got, for people.
    pub(crate) method: String,
    /// The heads of the table's columns.
    pub(crate) columns: Vec<&'static str>,
    /// The rows of the table.
    pub(crate) rows: Vec<Vec<String>>,
    /// What is wrong.
    pub(crate) findings: Vec<String>,
    /// What was not proved, and why.
    pub(crate) skipped: Vec<String>,
}

impl Proof {
    pub(crate) fn new(title: &str, method: &str, columns: &[&'static str]) -> Self {
        Self { title: title.to_owned(), method: method.to_owned(), columns: columns.to_vec(), ..Self::default() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Takes down, and says at once, what is wrong.
    pub(crate) fn finding(&mut self, finding: impl Display) {
        let finding = finding.to_string();
        eprintln!("    FOUND: {finding}");
        self.findings.push(finding);
    }

    /// Takes down, and says at once, what cannot be proved here.
    pub(crate) fn skip(&mut self, why: impl Display) {
        let why = why.to_string();
        if !self.skipped.contains(&why) {
            eprintln!("    NOT PROVED: {why}");
            self.skipped.push(why);
        }
    }

    /// A finding unless `holds`.
    pub(crate) fn expect(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        if !holds {
            self.finding(finding());
        }
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}\n", self.title, self.method);
        if !self.rows.is_empty() {
            let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
            text.push('\n');
            text += &line(self.columns.iter().map(|&head| head.to_owned()).collect());
            text += &format!("|{}\n", "---|".repeat(self.columns.len()));
            self.rows.iter().for_each(|row| text += &line(row.clone()));
        }
        for (head, lines) in [("Found", &self.findings), ("Not proved here", &self.skipped)] {
            if !lines.is_empty() {
                // Writing to a String cannot fail.
                let _ = write!(text, "\n{head}:\n\n");
                for line in lines {
                    let _ = writeln!(text, "- {}", line.trim_end().replace('\n', "\n  "));
                }
            }
        }
        text
    }
}
