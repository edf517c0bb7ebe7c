//! What was proved, and what was found that should not be.

use crate::failure::{Context as _, Result};
use std::fmt::Display;
use std::fs;
use std::path::Path;

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

    /// Takes over what its parts came to.
    pub(crate) fn take(&mut self, parts: Vec<Self>) {
        for part in parts {
            self.rows.extend(part.rows);
            self.findings.extend(part.findings);
            let new: Vec<_> = part.skipped.into_iter().filter(|why| !self.skipped.contains(why)).collect();
            self.skipped.extend(new);
        }
    }

    /// A finding unless `holds`.
    pub(crate) fn expect(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        if !holds {
            self.finding(finding());
        }
    }

    /// The section of the page.
    pub(crate) fn section(&self, date: &str) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut parts = vec![format!("{HEAD}{}\n\n{date}. {}\n", self.title, self.method)];
        if !self.rows.is_empty() {
            let heads: Vec<_> = self.columns.iter().map(|&head| head.to_owned()).collect();
            parts.push(format!("\n{}|{}\n", line(&heads), "---|".repeat(self.columns.len())));
            parts.extend(self.rows.iter().map(|row| line(row)));
        }
        for (head, lines) in [("Found", &self.findings), ("Not proved", &self.skipped)] {
            if !lines.is_empty() {
                parts.push(format!("\n{head}:\n\n"));
                parts.extend(lines.iter().map(|line| format!("- {}\n", line.trim_end().replace('\n', "\n  "))));
            }
        }
        parts.concat()
    }

    /// Writes the section into a page, in place of the one with the same title.
    pub(crate) fn write_to(&self, page: &Path, date: &str) -> Result<()> {
        let text = fs::read_to_string(page).context(page.display())?;
        fs::write(page, replaced(&text, &self.title, &self.section(date))).context(page.display())
    }
}

/// How a section begins.
const HEAD: &str = "## ";

/// A page with a section in place of the one with its title, or at the end.
fn replaced(page: &str, title: &str, section: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for line in page.split_inclusive('\n') {
        match parts.last_mut() {
            Some(part) if !line.starts_with(HEAD) => part.push_str(line),
            _ => parts.push(line.to_owned()),
        }
    }
    let head = format!("{HEAD}{title}\n");
    match parts.iter_mut().find(|part| part.starts_with(&head)) {
        Some(part) => section.clone_into(part),
        None => parts.push(section.to_owned()),
    }
    let parts: Vec<_> = parts.iter().map(|part| part.trim_end()).collect();
    format!("{}\n", parts.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_its_predecessor() {
        let page = "# Page\n\nWords.\n\n## One\n\nold\n\n## Two\n\ntwo\n";
        let one = replaced(page, "One", "## One\n\nnew\n");
        assert_eq!(one, "# Page\n\nWords.\n\n## One\n\nnew\n\n## Two\n\ntwo\n");
        assert_eq!(replaced(&one, "One", "## One\n\nold\n"), page);
        assert_eq!(replaced("# Page\n", "One", "## One\n"), "# Page\n\n## One\n");
    }

    #[test]
    fn a_section_shows_figures_findings_and_gaps() {
        let mut proof = Proof::new("Title", "How.", &["a", "b"]);
        proof.row(["1", "2"].map(str::to_owned));
        proof.expect(true, || "not this".to_owned());
        proof.expect(false, || "this\nand that".to_owned());
        proof.skip("a thing");
        proof.skip("a thing");
        let section = "## Title\n\nToday. How.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nFound:\n\n- this\n  and that\n\n\
            Not proved:\n\n- a thing\n";
        assert_eq!(proof.section("Today"), section);
    }
}
