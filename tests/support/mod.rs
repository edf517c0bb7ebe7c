//! What several integration tests share: the repository's stacks, their renderings, and how snapshots are kept.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod golden;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use vigil_render::Rendering;
use vigil_stack::{Parsed, Stack};
use vigil_yaml::{Problem, Source};
use walkdir::WalkDir;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The stacks of the tests, as (name, path): every file of `stacks/`. `stack.yaml` is the user's.
pub(crate) fn stacks() -> Vec<(String, PathBuf)> {
    let mut paths: Vec<_> = fs::read_dir(root().join("stacks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let stacks: Vec<_> = paths.into_iter().map(|path| (name(&path), path)).collect();
    assert!(stacks.len() >= 3, "the stacks in stacks/");
    stacks
}

/// The tutorial's stack.
pub(crate) fn tutorial() -> PathBuf {
    root().join("stacks/tutorial.yaml")
}

fn drawn(problems: &[Problem]) -> String {
    problems.iter().map(|problem| problem.draw(false) + "\n").collect()
}

pub(crate) fn load(stack: &Path) -> Parsed {
    let source = Source::read(stack, Stack::LIMITS.bytes).unwrap_or_else(|problem| panic!("{}", problem.draw(false)));
    Stack::load(&source, stack).unwrap_or_else(|problems| panic!("{}", drawn(&problems)))
}

pub(crate) fn render(stack: &Path) -> Rendering {
    let rendering = vigil_render::render(&load(stack).stack, &vigil::TEMPLATES);
    rendering.unwrap_or_else(|problems| panic!("{}", drawn(&problems)))
}

/// What a stack tells the checker. Checks of many sets that are nearly the same are quick with it.
pub(crate) fn options(stack: &Path) -> vigil_check::Options {
    vigil_check::Options { memory: Some(Arc::default()), ..vigil::checks::options(&load(stack)).0 }
}

/// The program, run in a directory.
pub(crate) fn vigil(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigil"));
    command.current_dir(directory).args(arguments).env_remove("NO_COLOR");
    // Nothing of it stays in the cache of whoever runs the tests.
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")).output().unwrap()
}

/// git in a directory, as somebody whom it asks nothing.
pub(crate) fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]);
    assert!(command.args(arguments).current_dir(directory).output().unwrap().status.success(), "{arguments:?}");
}

/// Every file below a directory, with its text.
pub(crate) fn texts(directory: &Path) -> BTreeMap<String, String> {
    let entries = WalkDir::new(directory).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    entries
        .map(|entry| {
            let name = entry.path().strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// Compares `text` with the approved snapshot `folder/name.snap`.
pub(crate) fn snapshot(folder: &Path, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// What a program said, and how it ended.
pub(crate) fn text(output: &Output) -> String {
    format!(
        "{}\n--- stderr\n{}\n--- exit status {}\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().unwrap()
    )
}

/// Compares what a program said with the approved snapshot in `golden/cli`.
pub(crate) fn approved(name: &str, output: &Output) {
    snapshot(&root().join("golden/cli"), name, &text(output));
}
