//! Every rule's own examples: what breaks it is found, by it alone and in the words it promises; what fulfils it passes.
//!
//! `VIGIL_UPDATE_RULES=1 cargo test -p vigil-check --test rules` writes `fail.txt` and docs/rules.md.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::format_push_string, clippy::format_collect, reason = "texts of tests are put together the plain way")]

use std::path::PathBuf;
use vigil_check::{FoundBy, Options, Report, Rule, areas, check, rules};
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

#[test]
fn what_only_newer_versions_take() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: 1st}\nspec: {type: ExternalName, externalName: a.example.com}\n";
    let pods = |spec: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{{spec}}}\n");
    let main = |fields: &str| pods(&format!("containers: [{{name: a, image: a:1, {fields}}}]"));
    let init = |fields: &str| {
        pods(&format!("containers: [{{name: b, image: a:1}}], initContainers: [{{name: a, image: a:1, {fields}}}]"))
    };
    let rules = "restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]";
    for (text, version, expected) in [
        (main("restartPolicy: Always"), "1.34", Some("container-role")),
        (main("restartPolicy: Always"), "1.35", None),
        (init("restartPolicy: Always"), "1.29", None),
        (init("restartPolicy: Never"), "1.34", Some("container-role")),
        (init("restartPolicy: Never"), "1.35", None),
        (init(&format!("restartPolicy: Never, {rules}")), "1.35", None),
        (init(rules), "1.35", Some("container-role")),
        (service.to_owned(), "1.35", Some("object-name")),
        (service.to_owned(), "1.36", None),
        (main("env: [{name: 1st, value: a}]"), "1.31", Some("container-env")),
        (main("env: [{name: 1st, value: a}]"), "1.32", None),
        (main("env: [{name: A.b-c_1, value: a}]"), "1.29", None),
    ] {
        let options = Options { objects_only: true, kubernetes: vec![version.parse().unwrap()], ..Options::default() };
        let report = check(&[Source::new("t", &text)], &options);
        let ids = report.findings.iter().filter(|it| it.severity() == Severity::Error).map(|it| it.rule.id);
        assert_eq!(ids.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "{version}: {text}");
    }
}

#[test]
fn the_documentation_lists_every_rule() {
    let by = |found_by| rules().iter().filter(|rule| rule.found_by == found_by).count();
    let mut text = format!(
        "\
# The rules of `vigil check`

Generated by `VIGIL_UPDATE_RULES=1 cargo test -p vigil-check --test rules`; edits are lost. `vigil explain RULE` says why
a rule is there, and shows what breaks it and what does not. [checks.md](checks.md) says how to use and waive them.

*Else found by* says who would be the first to tell of it without this check. Of {} rules, {} are told by nobody: the objects are
accepted, and do not do what was meant. {} are told by the *program* that reads the file, {} by *events* (the kubelet, the
scheduler, a controller), {} by prometheus-*operator*, all of these after the apply. {} are told by the *API server* when it is applied,
and {} by *kubectl* or kustomize before that.
",
        rules().len(),
        by(FoundBy::Nobody),
        by(FoundBy::Program),
        by(FoundBy::Cluster),
        by(FoundBy::Operator),
        by(FoundBy::Server),
        by(FoundBy::Kubectl),
    );
    for (area, mut rules) in areas() {
        rules.sort_by_key(|rule| rule.id);
        if !rules.is_empty() {
            text += &format!("\n## {area}\n\n| Rule | Severity | Asks that | Else found by |\n|---|---|---|---|\n");
        }
        for Rule { id, severity, title, found_by, .. } in rules {
            let severity = severity.name();
            text += &format!(
                "| [`{id}`](../crates/check/rules/{id}/why.md) | {severity} | {title} | {} |\n",
                found_by.name()
            );
        }
    }
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    if std::env::var_os("VIGIL_UPDATE_RULES").is_some() {
        std::fs::write(&page, &text).unwrap();
    }
    let current = std::fs::read_to_string(&page).unwrap().replace("\r\n", "\n");
    assert!(current == text, "docs/rules.md is stale: `VIGIL_UPDATE_RULES=1 cargo test -p vigil-check --test rules`");
}
