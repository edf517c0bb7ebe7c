use super::parts::summary;
use crate::finding::Finding;
use crate::outcome::Report;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use vigil_yaml::Severity;
use vigil_yaml::words::{counted, list};

/// Every finding with its source line, up to `most` of them, the worst ones if there are more; then the outcome in one
/// line, and what to do next.
pub fn text(report: &Report, most: usize, colour: bool) -> String {
    let mut text = String::new();
    let (shown, left) = choose(&report.findings, most);
    for finding in shown {
        text += &finding.problem().draw(colour);
        text += "\n\n";
    }
    if !left.is_empty() {
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in &left {
            *rules.entry(finding.rule.id).or_default() += 1;
        }
        let rules: Vec<_> = rules.into_iter().map(|(rule, count)| format!("{count} of `{rule}`")).collect();
        // Writing to a String cannot fail.
        let (left, rules) = (counted(left.len(), "finding"), rules.join(", "));
        let _ = writeln!(text, "{left} more, {rules}; `--all` shows them\n");
    }
    text += &summary(report);
    text.push('\n');
    let rules: BTreeSet<&str> =
        report.findings.iter().filter(|it| it.severity() != Severity::Note).map(|it| it.rule.id).collect();
    if !rules.is_empty() {
        let rules: Vec<_> = rules.into_iter().collect();
        let rules = list(&rules, "and");
        let _ = writeln!(text, "next: `vigil explain RULE` says why and shows how it is right, for {rules}");
    }
    text
}

/// The findings that are shown, in their order, and those that are not.
fn choose(findings: &[Finding], most: usize) -> (Vec<&Finding>, Vec<&Finding>) {
    let mut ranked: Vec<usize> = (0..findings.len()).collect();
    ranked.sort_by_key(|at| findings[*at].severity());
    let mut shown = vec![false; findings.len()];
    ranked.into_iter().take(most).for_each(|at| shown[at] = true);
    let (shown, left): (Vec<_>, Vec<_>) = findings.iter().zip(shown).partition(|(_, shown)| *shown);
    let findings = |list: Vec<(_, _)>| list.into_iter().map(|(finding, _)| finding).collect();
    (findings(shown), findings(left))
}
