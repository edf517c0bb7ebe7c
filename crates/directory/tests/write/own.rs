//! Our own files: written, kept, replaced and removed.

use crate::child;
use crate::tree::{files, names, put, set, tree};
use std::fs;
use std::path::Path;
use std::time::Duration;
use vigil_directory::{Changes, write};

#[test]
fn a_first_write_creates_all_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("some/where/out");
    let set = set([("b/c/d.yaml", "d\n"), ("a", "")]);
    let changes = write(&target, &set).unwrap();
    assert_eq!(files(&target), set);
    assert_eq!(names(target.parent().unwrap()), ["out"]);
    assert_eq!(changes.added.len(), 2);
    assert_eq!(
        fs::read_to_string(target.join(".vigil-files")).unwrap(),
        "# Files written by vigil render; it removes no others.\na\nb/c/d.yaml\n"
    );
}

#[test]
fn an_empty_directory_may_become_the_target() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    fs::create_dir(&target).unwrap();
    write(&target, &set([("a", "1")])).unwrap();
    assert_eq!(files(&target), set([("a", "1")]));
}

#[test]
fn writing_the_same_again_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let set = set([("a", "1"), ("b/c", "2")]);
    write(&target, &set).unwrap();
    // The parent is part of the comparison: a lock or a staging folder would have changed its time.
    let before = tree(folder.path());
    let inode = identity(&target);
    std::thread::sleep(Duration::from_millis(20));

    let changes = write(&target, &set).unwrap();
    assert_eq!(changes, Changes { unchanged: 2, ..Changes::default() });
    assert!(changes.is_empty());
    assert_eq!(tree(folder.path()), before);
    assert_eq!(identity(&target), inode);
}

#[cfg(unix)]
fn identity(path: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap())
}

#[cfg(not(unix))]
fn identity(_: &Path) -> u64 {
    0
}

#[test]
fn unchanged_files_stay_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1"), ("b/c", "2"), ("b/d", "3"), ("e/f", "4")])).unwrap();
    let before = tree(&target);
    std::thread::sleep(Duration::from_millis(20));

    let changes = write(&target, &set([("a", "1"), ("b/c", "new"), ("b/d", "3"), ("e/f", "4")])).unwrap();
    assert_eq!((changes.changed.len(), changes.unchanged), (1, 3));
    let after = tree(&target);
    for path in ["a", "b/d", "e", "e/f", ".vigil-files"].map(Path::new) {
        assert_eq!(after[path], before[path], "{path:?}");
    }
    for path in ["b", "b/c"].map(Path::new) {
        assert_ne!(after[path].attributes.modified, before[path].attributes.modified, "{}", path.display());
    }
}

#[test]
fn what_a_killed_write_left_goes_without_a_new_target() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let set = set([("a", "1")]);
    write(&target, &set).unwrap();
    let (before, inode) = (tree(&target), identity(&target));
    put(folder.path().join(".out.vigil/lock"), "");
    put(folder.path().join(".out.vigil/new/a"), "half");
    assert!(write(&target, &set).unwrap().is_empty());
    assert_eq!((tree(&target), identity(&target)), (before, inode));
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn files_that_left_the_set_go_with_their_folders() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1"), ("b/c/d", "2"), ("b/e", "3"), ("f/g", "4")])).unwrap();
    put(target.join("f/notes"), "mine");
    fs::create_dir(target.join("empty")).unwrap();

    let changes = write(&target, &set([("a", "1")])).unwrap();
    let removed: Vec<_> = changes.removed.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(removed, ["b/c/d", "b/e", "f/g"]);
    assert_eq!(names(&target), [".vigil-files", "a", "empty", "f"]);
    assert_eq!(names(&target.join("f")), ["notes"]);
}

#[test]
fn a_file_becomes_a_folder_and_a_folder_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let (one, two) = (set([("a", "1"), ("b/c/d", "2")]), set([("a/x/y", "3"), ("b", "4")]));
    for set in [&one, &two, &one] {
        write(&target, set).unwrap();
        assert_eq!(files(&target), *set);
    }
}

#[test]
fn an_empty_set_leaves_the_list_alone() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1")])).unwrap();
    write(&target, &set([])).unwrap();
    assert_eq!(names(&target), [".vigil-files"]);
    write(&target, &set([("a", "1")])).unwrap();
    assert_eq!(files(&target), set([("a", "1")]));
}

#[test]
fn edited_and_deleted_files_of_ours_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let set = set([("a", "1"), ("b/c", "2")]);
    write(&target, &set).unwrap();
    fs::write(target.join("a"), "edited").unwrap();
    fs::remove_dir_all(target.join("b")).unwrap();
    let changes = write(&target, &set).unwrap();
    assert_eq!((changes.changed[0].path.as_str(), changes.added[0].path.as_str()), ("a", "b/c"));
    assert_eq!(files(&target), set);
}

#[test]
fn a_foreign_file_that_is_the_same_becomes_ours() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1")])).unwrap();
    put(target.join("b"), "2");
    let before = tree(&target);
    let changes = write(&target, &set([("a", "1"), ("b", "2")])).unwrap();
    assert!(changes.is_empty());
    assert_eq!(tree(&target)[Path::new("b")], before[Path::new("b")]);
    write(&target, &set([("a", "1")])).unwrap();
    assert_eq!(names(&target), [".vigil-files", "a"]);
}

#[test]
fn a_list_with_other_line_ends_or_a_merge_in_it_is_put_right() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let set = set([("a", "1")]);
    write(&target, &set).unwrap();
    let list = fs::read_to_string(target.join(".vigil-files")).unwrap();
    let merged = list.replace("a\n", "<<<<<<< ours\r\na\r\n=======\r\ngone\r\n>>>>>>> theirs\r\n");
    fs::write(target.join(".vigil-files"), merged).unwrap();
    assert!(write(&target, &set).unwrap().is_empty());
    assert_eq!(fs::read_to_string(target.join(".vigil-files")).unwrap(), list);
}

#[test]
fn the_target_may_be_spelled_in_many_ways() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    for (at, spelling) in [
        ("", "out"),
        ("", "out/"),
        ("", "./out"),
        ("", "out/."),
        ("", "out/../out"),
        ("out", "."),
        ("out", "../out"),
        ("out/sub", ".."),
        ("out", "sub/.."),
    ] {
        put(target.join("sub/notes"), "mine");
        put(target.join(".vigil-files"), "# nothing yet\n");
        let _ = fs::remove_file(target.join("a"));
        let answer =
            child::answer(child::command("write once", Path::new(spelling)).current_dir(folder.path().join(at)));
        assert_eq!(answer.unwrap(), "1 added", "{spelling} in `{at}`");
        assert_eq!(files(&target), set([("a", "1\n"), ("sub/notes", "mine")]), "{spelling} in `{at}`");
        assert_eq!(names(folder.path()), ["out"], "{spelling} in `{at}`");
    }
}

#[cfg(unix)]
#[test]
fn a_changed_file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1")])).unwrap();
    fs::set_permissions(target.join("a"), fs::Permissions::from_mode(0o640)).unwrap();
    write(&target, &set([("a", "2")])).unwrap();
    assert_eq!(fs::metadata(target.join("a")).unwrap().permissions().mode() & 0o7777, 0o640);
}
