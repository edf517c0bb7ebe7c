//! The moment between staging and swap: what stands ready, and what becomes of files that somebody saves then.

use crate::{Change, Error, Files, seen, unseen, write, write_unseen, write_with};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

fn set<const N: usize>(files: [(&str, &str); N]) -> Files {
    files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
}

fn put(path: impl AsRef<Path>, text: &str) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// As editors save: a new file takes the place of the old one.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

/// A write during which something else happens, when all is ready to be swapped.
fn write_meanwhile(target: &Path, files: &Files, meanwhile: impl FnOnce()) -> Result<(), Error> {
    write_with(target, files, |_, _| {
        meanwhile();
        Ok(())
    })
    .map(drop)
}

/// A target with `a` and `b/c` of ours and `notes` of somebody else.
fn target() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1"), ("b/c", "2")])).unwrap();
    put(target.join("notes"), "mine");
    (folder, target)
}

#[track_caller]
fn nothing_left_beside(folder: &TempDir) {
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["out"]);
}

#[test]
fn the_new_directory_is_complete_before_the_swap() {
    let (folder, target) = target();
    fs::create_dir(target.join("empty")).unwrap();
    fs::remove_file(target.join("b/c")).unwrap();
    put(target.join("b/c/notes"), "in place of a file of ours");
    let staged = folder.path().join(".out.vigil/new");
    write_meanwhile(&target, &set([("a", "3"), ("d/e", "4")]), || {
        for path in ["a", "d/e", "notes", "b/c/notes", ".vigil-files"] {
            assert!(staged.join(path).is_file(), "{path}");
        }
        assert!(staged.join("empty").is_dir());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join(".out.vigil")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "what is private in the target must be so here");
        }
    })
    .unwrap();
    nothing_left_beside(&folder);
}

#[test]
fn new_files_and_folders_are_carried_over() {
    let (folder, target) = target();
    write_meanwhile(&target, &set([("a", "3")]), || {
        put(target.join("late"), "mine");
        put(target.join("b/late"), "in a folder of ours that goes");
        put(target.join("x/y/late"), "in a new folder");
        fs::create_dir(target.join("empty")).unwrap();
    })
    .unwrap();
    assert_eq!(read(target.join("a")), "3");
    assert_eq!(read(target.join("late")), "mine");
    assert_eq!(read(target.join("b/late")), "in a folder of ours that goes");
    assert_eq!(read(target.join("x/y/late")), "in a new folder");
    assert!(target.join("empty").is_dir());
    assert!(!target.join("b/c").exists());
    nothing_left_beside(&folder);
}

#[test]
fn a_file_saved_anew_is_the_one_kept() {
    let (folder, target) = target();
    write_meanwhile(&target, &set([("a", "3")]), || replace(&target.join("notes"), "saved anew")).unwrap();
    assert_eq!(read(target.join("notes")), "saved anew");
    write_meanwhile(&target, &set([("a", "4")]), || fs::write(target.join("notes"), "in place").unwrap()).unwrap();
    assert_eq!(read(target.join("notes")), "in place");
    nothing_left_beside(&folder);
}

#[test]
fn a_file_where_the_set_has_one_is_kept_beside_it() {
    let (folder, target) = target();
    for kept in ["new.kept", "new.kept-2"] {
        write(&target, &set([("a", "1")])).unwrap();
        write_meanwhile(&target, &set([("a", "1"), ("new", "ours")]), || put(target.join("new"), kept)).unwrap();
        assert_eq!(read(target.join("new")), "ours");
        assert_eq!(read(target.join(kept)), kept);
    }
    nothing_left_beside(&folder);
}

#[test]
fn a_file_in_a_folder_that_the_set_makes_a_file_is_kept_beside_it() {
    let (folder, target) = target();
    write_meanwhile(&target, &set([("b", "ours")]), || put(target.join("b/late"), "mine")).unwrap();
    assert_eq!(read(target.join("b")), "ours");
    assert_eq!(read(target.join("b.kept/late")), "mine");
    nothing_left_beside(&folder);
}

#[test]
fn a_file_where_the_set_has_a_folder_is_kept_beside_it() {
    let (folder, target) = target();
    write_meanwhile(&target, &set([("x/y", "ours")]), || put(target.join("x"), "mine")).unwrap();
    assert_eq!(read(target.join("x/y")), "ours");
    assert_eq!(read(target.join("x.kept")), "mine");
    nothing_left_beside(&folder);
}

#[test]
fn a_folder_where_the_set_has_a_file_is_kept_beside_it() {
    let (folder, target) = target();
    write_meanwhile(&target, &set([("x", "ours")]), || put(target.join("x/y"), "mine")).unwrap();
    assert_eq!(read(target.join("x")), "ours");
    assert_eq!(read(target.join("x.kept/y")), "mine");
    nothing_left_beside(&folder);
}

#[test]
fn a_target_that_vanishes_is_an_error_and_no_more() {
    let (folder, target) = target();
    write_meanwhile(&target, &set([("a", "3")]), || fs::remove_dir_all(&target).unwrap()).unwrap_err();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    write(&target, &set([("a", "3")])).unwrap();
    assert_eq!(read(target.join("a")), "3");
}

#[test]
fn after_a_killed_write_what_was_saved_last_is_kept() {
    let (folder, target) = target();
    let old = folder.path().join(".out.vigil/old");
    // Swapped, not cleared, then edited on: as if the process was killed before it could clear.
    write(&old, &set([("a", "0"), ("gone", "0")])).unwrap();
    put(old.join("notes"), "replaced");
    put(old.join("late"), "not in the target yet");
    std::thread::sleep(Duration::from_millis(20));
    replace(&target.join("notes"), "edited since");

    write(&target, &set([("a", "3")])).unwrap();
    assert_eq!(read(target.join("notes")), "edited since");
    assert_eq!(read(target.join("late")), "not in the target yet");
    assert_eq!(read(target.join("a")), "3");
    assert!(!target.join("gone").exists());
    nothing_left_beside(&folder);
}

#[cfg(unix)]
#[test]
fn what_takes_the_place_of_a_file_of_ours_is_not_ours() {
    let (folder, target) = target();
    write_meanwhile(&target, &set([("a", "3")]), || {
        fs::remove_file(target.join("b/c")).unwrap();
        std::os::unix::fs::symlink("elsewhere", target.join("b/c")).unwrap();
    })
    .unwrap();
    assert_eq!(fs::read_link(target.join("b/c")).unwrap(), Path::new("elsewhere"));
    nothing_left_beside(&folder);
}

#[test]
fn an_original_outlives_its_copy() {
    // As on a file system without hard links, killed after the exchange and before it.
    for exchanged in [true, false] {
        let (folder, target) = target();
        let old = folder.path().join(".out.vigil/old");
        write(&old, &set([("a", "0")])).unwrap();
        let (with_original, with_copy) = if exchanged { (&old, &target) } else { (&target, &old) };
        let (original, copy) = (with_original.join("x/notes"), with_copy.join("x/notes"));
        put(&original, "mine");
        let file = fs::File::open(&original).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        put(&copy, "mine");
        let modified = file.metadata().unwrap().modified().unwrap();
        fs::File::options().write(true).open(&copy).unwrap().set_modified(modified).unwrap();
        let folder_modified = || fs::metadata(target.join("x")).unwrap().modified().unwrap();
        let before = folder_modified();
        std::thread::sleep(Duration::from_millis(20));

        write(&target, &set([("a", "3")])).unwrap();
        assert_eq!(folder_modified(), before);
        fs::write(target.join("x/notes"), "longer than before").unwrap();
        assert_eq!(file.metadata().unwrap().len(), 18, "the file in the target is not the original one");
        nothing_left_beside(&folder);
    }
}

/// What a build changed as (path, old, new), with nothing for a file that is not there.
fn told(target: &Path) -> Vec<(String, String, String)> {
    let text = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
    let told = unseen(target).unwrap().into_iter();
    told.map(|Change { path, old, new }| (path, text(old), text(new))).collect()
}

fn told_of<const N: usize>(changes: [[&str; 3]; N]) -> Vec<(String, String, String)> {
    changes.map(|[path, old, new]| (path.to_owned(), old.to_owned(), new.to_owned())).into()
}

#[test]
fn what_builds_changed_is_told_until_somebody_has_seen_it() {
    let (folder, target) = target();
    assert_eq!(told(&target), []);
    write_unseen(&target, &set([("a", "2"), ("d", "1")])).unwrap();
    assert_eq!(told(&target), told_of([["d", "nothing", "1"], ["a", "1", "2"], ["b/c", "2", "nothing"]]));
    write_unseen(&target, &set([("a", "3"), ("b/c", "2"), ("d", "1")])).unwrap();
    assert_eq!(told(&target), told_of([["d", "nothing", "1"], ["a", "1", "3"]]), "two builds are told as one");

    write_unseen(&target, &set([("a", "3"), ("b/c", "2"), ("d", "1")])).unwrap();
    assert_eq!(told(&target).len(), 2, "a build that changes nothing has nothing to add");
    put(target.join("a"), "by git");
    assert_eq!(told(&target), told_of([["d", "nothing", "1"]]), "what git wrote over it is not the build's");

    seen(&target).unwrap();
    seen(&target).unwrap();
    assert_eq!(told(&target), []);
    nothing_left_beside(&folder);
}

#[test]
fn what_was_undone_is_not_told() {
    let (folder, target) = target();
    write_unseen(&target, &set([("a", "2"), ("b/c", "2")])).unwrap();
    write_unseen(&target, &set([("a", "1"), ("b/c", "2")])).unwrap();
    assert_eq!(told(&target), []);
    nothing_left_beside(&folder);
}

#[test]
fn a_note_that_is_none_is_refused_and_half_a_one_is_not() {
    let (folder, target) = target();
    let note = folder.path().join(".out.vigil-unseen");
    put(&note, "[{\"path\": \"a\", \"old\": null, \"new\": \"1");
    assert_eq!(told(&target), []);
    put(&note, "[]x");
    for refused in [unseen(&target).map(drop), write_unseen(&target, &set([("a", "2")])).map(drop)] {
        assert!(matches!(&refused, Err(error @ Error::BadNote { .. }) if error.help().is_some()), "{refused:?}");
    }
    assert_eq!(read(target.join("a")), "1");
}
