//! Every rule's own examples: what breaks it is found, by it alone and in the words it promises; what fulfils it passes.
//!
//! `VIGIL_UPDATE_RULES=1 cargo test -p vigil-check --test rules` writes `fail.txt`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;
use vigil_check::{Options, Rule, check, rules};
use vigil_yaml::{Severity, Source};

fn folder(rule: &Rule) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules").join(rule.id)
}

/// What is said of an example, and the rules that say it. Notes are left out, but those of a rule that only notes.
fn said(rule: &Rule, file: &str) -> (String, Vec<&'static str>) {
    let text = std::fs::read_to_string(folder(rule).join(file)).unwrap();
    let report = check(&[Source::new(file, text)], &Options::default());
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

#[test]
fn what_is_true_for_some_versions_only_says_so() {
    let text = "apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: gpu}\nspec: {selectors: []}\n";
    let options = |versions: &[&str]| Options {
        kubernetes: versions.iter().map(|version| version.parse().unwrap()).collect(),
        ..Options::default()
    };
    let both = check(&[Source::new("t", text)], &options(&["1.29", "1.34"]));
    let [finding] = both.findings.as_slice() else { panic!("{:?}", both.findings) };
    assert!(finding.problem().note.is_some_and(|note| note.contains("for Kubernetes 1.29")));
    let text = text.replace("selectors", "selektors");
    let both = check(&[Source::new("t", text)], &options(&["1.34", "1.35"]));
    let [finding] = both.findings.as_slice() else { panic!("{:?}", both.findings) };
    assert!(finding.versions.is_empty(), "true for both: {:?}", finding.versions);
}
