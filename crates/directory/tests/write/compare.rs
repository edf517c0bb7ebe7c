//! Comparing: what it says, and that it does nothing.

use crate::tree::{put, set, tree};
use std::fs;
use vigil_directory::{Change, Changes, Error, compare, write};

#[test]
fn it_says_what_a_write_does() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let (one, two) = (set([("a", "1"), ("b/c", "2"), ("d", "3")]), set([("a", "1"), ("b/c", "new"), ("e/f", "4")]));
    write(&target, &one).unwrap();
    put(target.join("notes"), "mine");
    let before = tree(folder.path());

    let expected = Changes {
        added: vec![Change { path: "e/f".to_owned(), old: None, new: Some("4".to_owned()) }],
        changed: vec![Change { path: "b/c".to_owned(), old: Some("2".to_owned()), new: Some("new".to_owned()) }],
        removed: vec![Change { path: "d".to_owned(), old: Some("3".to_owned()), new: None }],
        unchanged: 1,
    };
    assert_eq!(compare(&target, &two).unwrap(), expected);
    assert_eq!(tree(folder.path()), before, "a comparison must not touch the disk");
    assert_eq!(write(&target, &two).unwrap(), expected);
    assert!(compare(&target, &two).unwrap().is_empty());
}

#[test]
fn a_missing_target_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("some/where");
    assert_eq!(compare(&target, &set([("a", "1")])).unwrap().added.len(), 1);
    assert!(!folder.path().join("some").exists());
}

#[test]
fn a_write_ended_between_two_renames_is_explained_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let (target, work) = (folder.path().join("out"), folder.path().join(".out.vigil"));
    let (one, two) = (set([("a", "1"), ("b", "2")]), set([("a", "3")]));
    write(&target, &one).unwrap();
    put(target.join("notes"), "mine");
    write(&folder.path().join(".out.vigil/new"), &two).unwrap();
    put(work.join("lock"), "");
    fs::rename(&target, work.join("old")).unwrap();
    let before = tree(folder.path());

    let error = compare(&target, &two).unwrap_err();
    assert!(matches!(&error, Error::Interrupted { path, former } if *path == target && *former == work.join("old")));
    assert!(error.help().unwrap().contains("write again"));
    assert_eq!(tree(folder.path()), before);

    let changes = write(&target, &two).unwrap();
    assert_eq!((changes.changed.len(), changes.removed.len()), (1, 1), "compared with the former files");
    assert_eq!(crate::tree::files(&target), set([("a", "3"), ("notes", "mine")]));
    assert_eq!(crate::tree::names(folder.path()), ["out"]);
}
