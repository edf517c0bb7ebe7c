//! Whole sets as people have them, each in a folder of its own in `crates/check/cases`, and all that is said of them in
//! `said.txt`: what is wrong with them is found, once, and nothing else.
//!
//! `VIGIL_UPDATE_RULES=1 cargo test -p vigil-check --test cases` writes the texts. Every `*.yaml` of a folder is one text of
//! its set; those that begin with `definitions` are definitions that the set is checked against, as `--crds` adds them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_check::{Options, check};
use vigil_yaml::Source;

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn said(folder: &Path) -> String {
    let files =
        sorted(folder).into_iter().filter(|path| path.extension().is_some_and(|it| it == "yaml" || it == "json"));
    let read = |path: PathBuf| -> Arc<Source> {
        let name = path.file_name().unwrap().to_str().unwrap();
        Source::new(name, fs::read_to_string(&path).unwrap())
    };
    let (definitions, sources): (Vec<_>, Vec<_>) =
        files.map(read).partition(|source| source.name.starts_with("definitions"));
    let report = check(&sources, &Options { definitions, ..Options::default() });
    let texts: Vec<_> = report.findings.iter().map(|finding| finding.problem().draw(false) + "\n").collect();
    texts.join("\n")
}

#[test]
fn what_is_said_of_every_set() {
    let cases = sorted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    for case in cases {
        let (expected, text) = (case.join("said.txt"), said(&case));
        if std::env::var_os("VIGIL_UPDATE_RULES").is_some() {
            fs::write(&expected, &text).unwrap();
        } else if fs::read_to_string(&expected).unwrap().replace("\r\n", "\n") != text {
            wrong.push(format!("{}: said.txt is not what is said:\n{text}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
