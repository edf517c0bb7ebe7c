//! What several integration tests share: the repository's stacks, their renderings, and how snapshots are kept.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Output;
use vigil_render::Rendering;
use vigil_stack::Stack;
use vigil_yaml::Source;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The repository's stacks, as (name, path): `stack.yaml` and every file of `stacks/`.
pub(crate) fn stacks() -> Vec<(String, PathBuf)> {
    let mut paths: Vec<_> = fs::read_dir(root().join("stacks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.push(root().join("stack.yaml"));
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let stacks: Vec<_> = paths.into_iter().map(|path| (name(&path), path)).collect();
    assert!(stacks.len() >= 3, "stack.yaml and the examples in stacks/");
    stacks
}

pub(crate) fn render(stack: &Path) -> Rendering {
    let source = Source::read(stack, Stack::LIMITS.bytes).unwrap();
    let stack = Stack::load(&source, stack).unwrap_or_else(|problems| panic!("{problems:#?}")).stack;
    vigil_render::render(&stack, &vigil::TEMPLATES).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// What a stack tells the checker.
pub(crate) fn options(stack: &Path) -> vigil_check::Options {
    let source = Source::read(stack, Stack::LIMITS.bytes).unwrap();
    vigil::checks::options(&Stack::load(&source, stack).unwrap_or_else(|problems| panic!("{problems:#?}"))).0
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

/// Tells that a check needs what is not there: an error under CI and a loud word elsewhere, since the tests pass on a
/// machine that has Rust and git.
pub(crate) fn not_checked(missing: &str, remedy: &str) {
    let in_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(!in_ci, "missing: {missing}; {remedy}");
    // Not `eprintln!`, which is shown for failing tests alone.
    let _ = writeln!(io::stderr(), "\nNOT CHECKED, missing: {missing}; {remedy}, then the tests again\n");
}
