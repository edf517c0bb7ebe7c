//! What is said of the changes in `cases/`: each a folder with two sets, and beside them the whole report. The proof on a
//! control plane applies one over the other, and compares what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use vigil_diff::{Class, Diff, Options, compare, read, report};
use vigil_yaml::{Limits, Source};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 5, "{cases:?}");
    cases
}

fn set(path: &Path) -> Vec<Value> {
    let source =
        Source::read(path, Limits::default().bytes).unwrap_or_else(|problem| panic!("{}", problem.draw(false)));
    let documents = vigil_yaml::read(&source, &Limits::default());
    documents.unwrap_or_else(|problems| panic!("{}", problems[0].draw(false))).iter().map(read).collect()
}

fn diff(case: &Path) -> Diff {
    compare(&set(&case.join("before.yaml")), &set(&case.join("after.yaml")), Options { minor: 29 })
}

#[test]
fn every_case_is_told_as_approved() {
    for case in cases() {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&case);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("told", report::text(&diff(&case), true, false)));
    }
}

/// `hunter2` is part of every credential in the cases, and in no report.
#[test]
fn no_report_shows_a_credential() {
    let mut secrets = 0;
    for case in cases() {
        let diff = diff(&case);
        let reports =
            [report::text(&diff, true, true), report::markdown(&diff), report::json(&diff).to_string()].concat();
        assert!(!reports.contains("hunter2"), "{}: {reports}", case.display());
        secrets += usize::from(fs::read_to_string(case.join("before.yaml")).unwrap().contains("hunter2"));
    }
    assert!(secrets > 0);
}

/// Every class is in some case, but for that which only whole stacks show.
#[test]
fn every_class_has_a_case() {
    let diffs: Vec<_> = cases().iter().map(|case| diff(case)).collect();
    for class in Class::ALL.into_iter().filter(|class| *class != Class::DataTwice) {
        assert!(diffs.iter().any(|diff| diff.of(class).next().is_some()), "{class:?}");
    }
}

/// What every changed object gets: something is said of it.
#[test]
fn no_change_is_passed_over() {
    for case in cases() {
        let diff = diff(&case);
        for object in diff.changed.iter().map(|it| &it.object).chain(&diff.added).chain(&diff.gone) {
            assert!(diff.effects.iter().any(|effect| effect.object == *object), "{}: {object}", case.display());
        }
    }
}
