//! Which faults of rules no case notices.

use crate::cases::{Cases, File};
use crate::mutants;
use crate::promtool::{rule_of, silent_tests, test_rules_in, tests};
use crate::rendered::{Rule, Rules};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What came of breaking the rules of a file.
pub(crate) struct Found {
    pub(crate) tried: u32,
    /// The faults that no case notices.
    pub(crate) survivors: Vec<String>,
}

/// A broken rule among those that it reads, and the tests that may notice.
struct Broken {
    what: String,
    rules: String,
    tests: Vec<Value>,
}

/// Breaks each rule of a file in every small way; which faults its cases do not notice.
///
/// Most faults show in the first test: all of them are tried in it, those that are left in the next one, and so on.
pub(crate) fn survivors(program: &Path, file: &File, rules: &Rules) -> Found {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mutants").join(file.name.replace('/', "-"));
    let mut left: Vec<_> = file.rules.iter().flat_map(|cases| broken(cases, file, rules)).collect();
    let tried = u32::try_from(left.len()).unwrap();
    for round in 0.. {
        let (now, done): (Vec<_>, Vec<_>) = left.into_iter().partition(|it| it.tests.len() > round);
        let more = !now.is_empty();
        left = done;
        left.extend(unnoticed(program, &folder, now, round));
        if !more {
            break;
        }
    }
    Found { tried, survivors: left.into_iter().map(|it| it.what).collect() }
}

/// All that can be wrong with the rules of a name and a file.
fn broken(cases: &Cases, file: &File, rules: &Rules) -> Vec<Broken> {
    let read = rules.with_what_they_read(&cases.name);
    let own: Vec<_> = read.iter().copied().filter(|rule| rule.name == cases.name && rule.file == file.name).collect();
    let mut found = Vec::new();
    for rule in &own {
        let severity = rule.value["labels"]["severity"].as_str();
        let severity = severity.filter(|_| cases.fires.iter().any(|fires| fires.severity.is_some()));
        let of_severity = |other: &&Rule| severity.is_none() || other.value["labels"]["severity"].as_str() == severity;
        let beside = |other: &&Rule| !std::ptr::eq(*other, *rule) && (other.name != cases.name || of_severity(other));
        let others: Vec<_> = read.iter().copied().filter(beside).map(rule_of).collect();
        for mutant in mutants::mutants(&rule_of(rule)) {
            // Only what is grouped by shows when everything is scraped twice.
            let twice = mutant.what.starts_with("grouped");
            let mut tests = tests(cases, severity, &[*rule], twice);
            if severity.is_some() {
                tests.extend(silent_tests(cases, twice));
            }
            let all: Vec<_> = others.iter().cloned().chain([mutant.value]).collect();
            let rules = json!({ "groups": [{ "name": "tested", "rules": all }] }).to_string();
            let what = format!("{} {}: {}", cases.name, severity.unwrap_or_default(), mutant.what);
            found.push(Broken { what, rules, tests });
        }
    }
    found
}

/// Those whose faults one of their tests does not notice.
fn unnoticed(program: &Path, folder: &Path, broken: Vec<Broken>, round: usize) -> Vec<Broken> {
    if broken.is_empty() {
        return broken;
    }
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let mut files = BTreeMap::new();
    for (at, one) in broken.into_iter().enumerate() {
        let name = format!("{at}.yaml");
        let test = json!({
            "rule_files": [format!("rules-{name}")],
            "evaluation_interval": "1m",
            "fuzzy_compare": true,
            "tests": [one.tests[round]],
        });
        fs::write(folder.join(format!("rules-{name}")), &one.rules).unwrap();
        fs::write(folder.join(&name), test.to_string()).unwrap();
        files.insert(name, one);
    }
    // What it prints does not say which file it is about.
    let output = test_rules_in(program, folder).arg("--junit=said.xml").args(files.keys()).output().unwrap();
    let said = fs::read_to_string(folder.join("said.xml"))
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let suites: Vec<_> = said.split("<testsuite ").skip(1).collect();
    assert_eq!(suites.len(), files.len(), "promtool tried all of them");
    let passed = suites.iter().filter(|suite| suite.contains("failures=\"0\" errors=\"0\""));
    passed.map(|suite| files.remove(suite.split('"').nth(1).unwrap()).unwrap()).collect()
}
