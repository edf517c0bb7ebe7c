//! Every stack of `stacks/` against its approved snapshots in `golden/`: what a reviewer reads in a pull request.
//!
//! A change to the templates shows up here first. `cargo insta review` (or `just golden`) goes through it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use support::golden;
use vigil_stack::Stack;

#[test]
fn every_stack_is_as_approved() {
    let mut differing = Vec::new();
    for (name, path) in support::stacks() {
        let names = golden::differing(&support::root().join("golden").join(&name), &support::render(&path));
        differing.extend(names.into_iter().map(|component| format!("{name}/{component}")));
    }
    assert!(differing.is_empty(), "these snapshots in golden/ differ, as shown above: {}", differing.join(", "));
}

/// What its first lines say, and what everybody who changes one key relies on.
#[test]
fn the_tutorials_stack_is_the_defaults() {
    let defaults = vigil_render::render(&Stack::default(), &vigil::TEMPLATES).unwrap();
    assert_eq!(support::render(&support::tutorial()).files, defaults.files);
}

#[test]
fn every_golden_folder_belongs_to_a_stack() {
    let stacks: BTreeSet<_> = support::stacks().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(support::root().join("golden")).unwrap() {
        let folder = entry.unwrap();
        let name = folder.file_name().into_string().unwrap();
        // `stack` is the user's, and what only waits for a review is known to nobody else.
        let of_other_tests = ["cli", "diff", "fleet", "hostile", "routing", "stack"].contains(&name.as_str());
        let mut files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        let approved = files.any(|file| file.extension().is_some_and(|extension| extension == "snap"));
        assert!(!approved || of_other_tests || stacks.contains(&name), "golden/{name} belongs to no stack");
    }
}
