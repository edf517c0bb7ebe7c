use super::parts::{located, message, summary};
use crate::finding::Finding;
use crate::outcome::Report;
use std::fmt::Write as _;
use vigil_yaml::Severity;

/// One workflow command of GitHub Actions for each finding, which then stands beside its line in a pull request; the
/// outcome in a line of its own. The worst come first, as GitHub shows no more than ten of a sort for each step.
pub fn github(report: &Report) -> String {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| finding.severity());
    let mut text = String::new();
    for finding in findings {
        let command = match finding.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let (file, region) = located(finding);
        // Writing to a String cannot fail.
        let _ = write!(text, "::{command} file={}", property(file));
        if let Some(region) = region {
            let _ = write!(text, ",line={},col={},endColumn={}", region.line, region.column, region.end_column);
        }
        let object = finding.object.iter().map(String::as_str);
        let about: Vec<_> = object.chain([finding.path.as_str()]).filter(|part| !part.is_empty()).collect();
        let mut said = message(finding);
        if !about.is_empty() {
            said = format!("{said}\n{}", about.join(", "));
        }
        let _ = writeln!(text, ",title={}::{}", property(finding.rule.id), data(&said));
    }
    // A line that began with two colons would be a command.
    let _ = writeln!(text, "{}", summary(report));
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_command_early() {
        assert_eq!(data("50%\r\n::error::x"), "50%25%0D%0A::error::x");
        assert_eq!(property("a,b:c%\n"), "a%2Cb%3Ac%25%0A");
    }
}
