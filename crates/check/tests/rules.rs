//! Every rule's own examples: what breaks it is found, by it alone and in the words it promises; what fulfils it passes.
//!
//! `VIGIL_UPDATE_RULES=1 cargo test -p vigil-check --test rules` writes `fail.txt`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use vigil_check::{Options, Report, Rule, check, rules};
use vigil_yaml::{Severity, Source};

fn folder(rule: &Rule) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules").join(rule.id)
}

fn report(rule: &Rule, file: &str, objects_only: bool) -> Report {
    let text = std::fs::read_to_string(folder(rule).join(file)).unwrap();
    check(&[Source::new(file, text)], &Options { objects_only, ..Options::default() })
}

/// What is said of an example, and the rules that say it. Notes are left out, but those of a rule that only notes.
///
/// Where an object alone breaks the rule, the example need not hold what the object refers to.
fn said(rule: &Rule, file: &str) -> (String, Vec<&'static str>) {
    let alone = report(rule, "fail.yaml", true).findings.iter().any(|finding| finding.rule.id == rule.id);
    let report = report(rule, file, alone);
    let findings =
        report.findings.iter().filter(|finding| finding.severity() != Severity::Note || finding.rule.id == rule.id);
    let (texts, ids): (Vec<_>, Vec<_>) =
        findings.map(|finding| (finding.problem().draw(false) + "\n", finding.rule.id)).unzip();
    (texts.join("\n"), ids)
}

#[test]
fn what_breaks_a_rule_is_found() {
    let mut wrong = Vec::new();
    for rule in rules() {
        let (text, ids) = said(rule, "fail.yaml");
        if ids.is_empty() || ids.iter().any(|id| *id != rule.id) {
            wrong.push(format!("{}: fail.yaml breaks {ids:?}\n{text}", rule.id));
        }
        let expected = folder(rule).join("fail.txt");
        if std::env::var_os("VIGIL_UPDATE_RULES").is_some() {
            std::fs::write(&expected, &text).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap() != text {
            wrong.push(format!("{}: fail.txt is not what is said of fail.yaml:\n{text}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_fulfils_a_rule_passes() {
    for rule in rules() {
        let (text, ids) = said(rule, "pass.yaml");
        assert!(ids.is_empty(), "{}: pass.yaml breaks {ids:?}\n{text}", rule.id);
    }
}

#[test]
fn every_rule_is_explained_and_every_folder_is_a_rules() {
    let rules = rules();
    for rule in &rules {
        assert!(!rule.why.trim().is_empty(), "{}: why.md is empty", rule.id);
        assert!(!rule.fail.trim().is_empty() && !rule.pass.trim().is_empty(), "{}: an example is empty", rule.id);
    }
    for folder in std::fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(rules.iter().any(|rule| rule.id == name), "rules/{name} belongs to no rule");
    }
}
