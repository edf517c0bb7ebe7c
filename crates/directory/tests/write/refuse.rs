//! What is refused, in which words, and that nothing is touched then.

use crate::tree::{put, set, tree};
use std::fs;
use std::path::Path;
use vigil_directory::{Error, Files, compare, write};

/// Both calls refuse with this text and this help, and leave everything under `folder` as it was.
#[track_caller]
fn refused(folder: &Path, target: &Path, files: &Files, text: &str, help: &str) -> Error {
    let before = tree(folder);
    let (compared, written) = (compare(target, files).unwrap_err(), write(target, files).unwrap_err());
    for error in [&compared, &written] {
        let shown = error.to_string().replace(folder.to_str().unwrap(), "DIR");
        assert_eq!(shown, text);
        let shown = error.help().unwrap_or_default();
        assert!(shown.contains(help), "{shown:?} should contain {help:?}");
    }
    assert_eq!(tree(folder), before, "a refused write must touch nothing");
    written
}

#[test]
fn a_directory_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path().join("out/notes"), "mine");
    let text = "`DIR/out` is not empty and was not written by vigil";
    refused(folder.path(), &folder.path().join("out"), &set([]), text, "choose an empty or new directory");
}

#[test]
fn a_file_of_somebody_else_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1"), ("d/e", "2")])).unwrap();
    put(target.join("b"), "mine");
    put(target.join("c/notes"), "mine");
    put(target.join("d/notes"), "mine");
    fs::create_dir(target.join("empty")).unwrap();
    let in_the_way = |path| format!("`DIR/out/{path}` is in the way and was not written by vigil");
    for (file, path) in [
        ("b", "b"),
        ("b/below", "b"),
        ("c", "c"),
        ("empty", "empty"),
        // A folder of ours, but with a foreign file in it.
        ("d", "d/notes"),
    ] {
        let files = set([("a", "3"), (file, "4")]);
        refused(folder.path(), &target, &files, &in_the_way(path), "move it away");
    }
}

#[test]
fn a_target_that_is_a_file_or_below_one() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path().join("file"), "mine");
    let text = "`DIR/file` is not a directory";
    for target in ["file", "file/out", "file/some/where"] {
        refused(folder.path(), &folder.path().join(target), &set([("a", "1")]), text, "choose another directory");
    }
}

#[cfg(unix)]
#[test]
fn symlinks() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (target, outside) = (folder.path().join("out"), folder.path().join("outside"));
    put(outside.join("c"), "precious");
    write(&target, &set([("a", "1"), ("b/c", "2"), ("d", "3")])).unwrap();
    let files = set([("a", "1"), ("b/c", "4")]);

    symlink(&target, folder.path().join("link")).unwrap();
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    let help = "symlinks are not followed";
    for spelling in ["link", "link/", "link/."] {
        let text = "`DIR/link` is a symlink to `DIR/out`";
        refused(folder.path(), &folder.path().join(spelling), &files, text, help);
    }
    let text = "`DIR/dangling` is a symlink to `nowhere`";
    refused(folder.path(), &folder.path().join("dangling"), &files, text, help);

    fs::remove_dir_all(target.join("b")).unwrap();
    symlink(&outside, target.join("b")).unwrap();
    let text = "`DIR/out/b` is a symlink to `DIR/outside`";
    refused(folder.path(), &target, &files, text, help);
    // Also when the file behind it would only be removed.
    refused(folder.path(), &target, &set([("a", "1")]), text, help);
    fs::remove_file(target.join("b")).unwrap();

    fs::remove_file(target.join("d")).unwrap();
    symlink(outside.join("c"), target.join("d")).unwrap();
    let text = "`DIR/out/d` is a symlink to `DIR/outside/c`";
    refused(folder.path(), &target, &files, text, help);
    refused(folder.path(), &target, &set([("d", "5")]), text, help);
    fs::remove_file(target.join("d")).unwrap();

    fs::remove_file(target.join(".vigil-files")).unwrap();
    symlink(outside.join("c"), target.join(".vigil-files")).unwrap();
    let text = "`DIR/out/.vigil-files` is a symlink to `DIR/outside/c`";
    refused(folder.path(), &target, &files, text, help);
}

#[test]
fn a_list_that_cannot_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (target, list) = (folder.path().join("out"), folder.path().join("out/.vigil-files"));
    put(folder.path().join("precious"), "mine");
    write(&target, &set([("a", "1")])).unwrap();
    let absolute = format!("#\n{}\n", folder.path().join("precious").display());
    let huge = format!("#\n{}", "some/path\n".repeat(1 << 19));
    for (text, reason) in [
        ("#\n../precious\n", "line 2, `../precious`: it has a `.` or `..` component".to_owned()),
        ("#\na/../../precious\n", "line 2, `a/../../precious`: it has a `.` or `..` component".to_owned()),
        (&absolute, "line 2, `DIR/precious`: it is absolute".to_owned()),
        ("#\na\0\n", "line 2, `a\\0`: it has a control character".to_owned()),
        ("a\n", "line 1 should be a comment".to_owned()),
        ("", "line 1 should be a comment".to_owned()),
        (&huge, "it is larger than 4 MiB".to_owned()),
    ] {
        fs::write(&list, text).unwrap();
        let text = format!("`DIR/out/.vigil-files` is not a list of files that vigil wrote: {reason}");
        refused(folder.path(), &target, &set([]), &text, "restore the list");
    }
    fs::write(&list, b"#\n\xff\n").unwrap();
    let text = "`DIR/out/.vigil-files` is not a list of files that vigil wrote: it is not UTF-8 text";
    refused(folder.path(), &target, &set([]), text, "restore the list");

    fs::remove_file(&list).unwrap();
    fs::create_dir(&list).unwrap();
    let text = "`DIR/out/.vigil-files` is not a list of files that vigil wrote: it is not a file";
    refused(folder.path(), &target, &set([]), text, "restore the list");
}

#[test]
fn a_file_of_ours_that_is_not_text_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1")])).unwrap();
    fs::write(target.join("a"), b"\xff\xfe").unwrap();
    let text = "`DIR/out/a` is not UTF-8 text any more";
    refused(folder.path(), &target, &set([("a", "2")]), text, "remove it");
    refused(folder.path(), &target, &set([]), text, "remove it");
}

#[test]
fn paths_that_lead_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    for (path, reason) in [
        ("", "it is empty"),
        ("/a", "it is absolute"),
        ("../a", "it has a `.` or `..` component"),
        ("a//b", "it has an empty component"),
        ("a\\b", "it has a backslash"),
        (".vigil-files", "that name is vigil's own"),
    ] {
        let text = format!("`{}` cannot be the path of a file: {reason}", path.escape_debug());
        refused(folder.path(), &target, &set([("fine", "1"), (path, "2")]), &text, "relative path");
    }
    let text = "`a` is a file, so `a/b` cannot be in it";
    refused(folder.path(), &target, &set([("a", "1"), ("a/b", "2")]), text, "rename");
}

#[test]
fn the_root() {
    let folder = tempfile::tempdir().unwrap();
    let text = "`/` is the root of the file system";
    if cfg!(unix) {
        refused(folder.path(), Path::new("/"), &set([]), text, "below it");
    }
}
