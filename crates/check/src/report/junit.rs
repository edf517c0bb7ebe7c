use super::parts::{located, message};
use crate::finding::Finding;
use crate::outcome::Report;
use std::collections::HashMap;
use std::fmt::Write as _;
use vigil_yaml::Severity;

/// The report as JUnit writes tests: a suite for each file, a test case for each object.
pub fn junit(report: &Report) -> String {
    let mut suites = Suites::default();
    for judged in &report.objects {
        suites.case(&judged.file, &judged.object);
    }
    for finding in &report.findings {
        let case = suites.case_of(finding);
        if finding.severity() == Severity::Note { case.notes.push(finding) } else { case.failures.push(finding) }
    }
    for waived in &report.waived {
        suites.case_of(&waived.finding).waived.push((&waived.finding, &waived.reason));
    }
    suites.write()
}

#[derive(Default)]
struct Suites<'a> {
    /// By file, in the order in which files are met.
    list: Vec<(&'a str, Vec<Case<'a>>)>,
    /// The first case of a file and an object.
    known: HashMap<(&'a str, &'a str), (usize, usize)>,
    files: HashMap<&'a str, usize>,
}

#[derive(Default)]
struct Case<'a> {
    object: &'a str,
    failures: Vec<&'a Finding>,
    notes: Vec<&'a Finding>,
    waived: Vec<(&'a Finding, &'a str)>,
}

impl<'a> Suites<'a> {
    fn case(&mut self, file: &'a str, object: &'a str) -> (usize, usize) {
        let suite = *self.files.entry(file).or_insert_with(|| {
            self.list.push((file, Vec::new()));
            self.list.len() - 1
        });
        let cases = &mut self.list[suite].1;
        cases.push(Case { object, ..Case::default() });
        *self.known.entry((file, object)).or_insert((suite, cases.len() - 1))
    }

    fn case_of(&mut self, finding: &'a Finding) -> &mut Case<'a> {
        let file = located(finding).0;
        let object = finding.object.as_deref().unwrap_or("the file");
        let known = self.known.get(&(file, object)).copied();
        let (suite, case) = known.unwrap_or_else(|| self.case(file, object));
        &mut self.list[suite].1[case]
    }

    fn write(&self) -> String {
        let failed = |cases: &[Case<'_>]| cases.iter().filter(|case| !case.failures.is_empty()).count();
        let tests: usize = self.list.iter().map(|(_, cases)| cases.len()).sum();
        let failures: usize = self.list.iter().map(|(_, cases)| failed(cases)).sum();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        // Writing to a String cannot fail.
        let _ = writeln!(xml, "<testsuites name=\"vigil check\" tests=\"{tests}\" failures=\"{failures}\">");
        for (file, cases) in &self.list {
            let (name, failures) = (escaped(file), failed(cases));
            let _ = writeln!(
                xml,
                "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">",
                cases.len()
            );
            for case in cases {
                case.write(&name, &mut xml);
            }
            xml += "  </testsuite>\n";
        }
        xml + "</testsuites>\n"
    }
}

impl Case<'_> {
    fn write(&self, file: &str, xml: &mut String) {
        let _ = write!(xml, "    <testcase name=\"{}\" classname=\"{file}\"", escaped(self.object));
        if self.failures.is_empty() && self.notes.is_empty() && self.waived.is_empty() {
            *xml += "/>\n";
            return;
        }
        *xml += ">\n";
        if let Some(first) = self.failures.first() {
            let drawn: Vec<_> = self.failures.iter().map(|finding| finding.problem().draw(false)).collect();
            let _ = writeln!(
                xml,
                "      <failure type=\"{}\" message=\"{}\">{}</failure>",
                first.rule.id,
                escaped(&message(first)),
                escaped(&drawn.join("\n\n"))
            );
        }
        let notes = self.notes.iter().map(|note| format!("note[{}]: {}", note.rule.id, message(note)));
        let waived =
            self.waived.iter().map(|(it, reason)| format!("waived[{}]: {} ({reason})", it.rule.id, it.message));
        let out: Vec<_> = notes.chain(waived).collect();
        if !out.is_empty() {
            let _ = writeln!(xml, "      <system-out>{}</system-out>", escaped(&out.join("\n")));
        }
        *xml += "    </testcase>\n";
    }
}

/// A text as XML takes it, in an attribute or between tags. What XML 1.0 cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        assert_eq!(escaped("</failure>\"'&\u{0}\u{1b}\n"), "&lt;/failure&gt;&quot;'&amp;\u{fffd}\u{fffd}\n");
    }
}
