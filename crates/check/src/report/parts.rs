//! What formats have in common: where a finding is, what it says, and the outcome in one line.

use crate::finding::Finding;
use crate::outcome::Report;
use std::fmt::Write as _;
use vigil_yaml::words::counted;
use vigil_yaml::{Place, Severity};

/// A part of one line: lines and columns count from 1, columns in characters.
pub(super) struct Region {
    pub(super) line: usize,
    pub(super) column: usize,
    /// The column behind the part; what goes on in further lines is told by its first.
    pub(super) end_column: usize,
}

/// The file that a finding is in, and where in it, unless it is about the whole file.
pub(super) fn located(finding: &Finding) -> (&str, Option<Region>) {
    match &finding.place {
        Place::File(file) => (file, None),
        Place::Text(span) => {
            let (line, column) = span.line_column();
            let end = span.range.end.min(span.line().end).max(span.range.start);
            let length = span.source.text[span.range.start..end].chars().count();
            (&span.source.name, Some(Region { line, column, end_column: column + length }))
        }
    }
}

/// What a format without room for more says of a finding: what is wrong, what was expected, what to do.
pub(super) fn message(finding: &Finding) -> String {
    let parts = [Some(&finding.message), finding.label.as_ref(), finding.help.as_ref()];
    let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.join("; ")
}

/// The outcome in one line.
pub(super) fn summary(report: &Report) -> String {
    let versions: Vec<_> = report.kubernetes.iter().map(ToString::to_string).collect();
    let objects = counted(report.objects.len(), "object");
    let versions = versions.join(", ");
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .map(|(severity, noun)| (report.count(severity), noun));
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(count, noun));
    let waived = Some(report.waived.len()).filter(|count| *count > 0).map(|count| format!("{count} waived"));
    let found: Vec<_> = counts.chain(waived).collect();
    let mut line = format!("{objects} checked for Kubernetes {versions}: ");
    line += if report.is_clean() { "clean" } else { "" };
    if !found.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(line, "{}{}", if report.is_clean() { ", " } else { "" }, found.join(", "));
    }
    if !report.followed {
        line += "; references were not followed";
    }
    line
}
