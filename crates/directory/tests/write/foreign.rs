//! What others put into the target stays as it is.

use crate::tree::{Entry, names, put, set, tree};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use vigil_directory::{Files, write};

#[test]
fn everything_foreign_survives_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let (one, two) = (set([("a", "1"), ("shared/b", "2"), ("old/c", "3")]), set([("a", "4"), ("new/d", "5")]));
    write(&target, &one).unwrap();

    put(target.join("notes"), "mine");
    put(target.join("shared/notes"), "mine");
    put(target.join(".git/objects/12/34"), "blob");
    put(target.join("closed/secret"), "s");
    put(target.join("readonly/deep/file"), "r");
    put(target.join("sub/.vigil-files"), "# another vigil's\nx\n");
    put(target.join(OsStr::from_bytes(b"not \xff utf-8")), "bytes");
    fs::create_dir(target.join("empty")).unwrap();
    symlink("/etc/passwd", target.join("absolute")).unwrap();
    symlink("no such file", target.join("dangling")).unwrap();
    symlink(".git/objects", target.join("to-folder")).unwrap();
    symlink("34", target.join(".git/objects/12/link")).unwrap();
    let _socket = UnixListener::bind(target.join("socket")).unwrap();
    File::options().write(true).open(target.join("notes")).unwrap().set_modified(long_ago()).unwrap();
    for (path, mode) in [
        ("notes", 0o600),
        ("closed/secret", 0o000),
        ("closed", 0o700),
        ("readonly/deep", 0o555),
        ("readonly", 0o555),
        ("empty", 0o1777),
        ("sub", 0o2755),
        ("", 0o750),
    ] {
        fs::set_permissions(target.join(path), Permissions::from_mode(mode)).unwrap();
    }
    for path in ["empty", ".git/objects/12", ".git", "readonly"] {
        File::open(target.join(path)).unwrap().set_modified(long_ago()).unwrap();
    }
    let closed = |mode| fs::set_permissions(target.join("closed/secret"), Permissions::from_mode(mode)).unwrap();
    closed(0o400);
    let before = foreign(&target, &[&one, &two]);
    closed(0o000);

    for set in [&two, &one, &two] {
        write(&target, set).unwrap();
        assert_eq!(fs::metadata(target.join("closed/secret")).unwrap().permissions().mode() & 0o7777, 0);
        closed(0o400);
        assert_eq!(foreign(&target, &[&one, &two]), before);
        closed(0o000);
    }
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o7777, 0o750);
    assert_eq!(names(folder.path()), ["out"]);

    // So that the temporary folder can be removed.
    for path in ["readonly", "readonly/deep"] {
        fs::set_permissions(target.join(path), Permissions::from_mode(0o755)).unwrap();
    }
}

fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(981_173_106, 789_000_000)
}

/// All entries but ours, and but the folders whose time a change of ours may move.
fn foreign(target: &Path, sets: &[&Files]) -> BTreeMap<PathBuf, Entry> {
    let mut tree = tree(target);
    tree.retain(|path, _| {
        let above_ours = |file: &str| Path::new(file).starts_with(path);
        path != Path::new(".vigil-files") && !sets.iter().any(|set| set.keys().any(|file| above_ours(file)))
    });
    tree
}

#[test]
fn a_file_with_other_names_elsewhere_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1")])).unwrap();
    fs::hard_link(target.join("a"), folder.path().join("backup")).unwrap();
    write(&target, &set([("a", "2")])).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("backup")).unwrap(), "1");
}

#[test]
fn what_a_symlink_points_to_is_never_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (target, outside) = (folder.path().join("out"), folder.path().join("outside"));
    put(outside.join("a"), "precious");
    write(&target, &set([("a", "1"), ("b", "2")])).unwrap();
    symlink(&outside, target.join("link")).unwrap();
    let before = tree(&outside);
    write(&target, &set([("a", "3")])).unwrap();
    write(&target, &set([])).unwrap();
    assert_eq!(tree(&outside), before);
    assert_eq!(fs::read_link(target.join("link")).unwrap(), outside);
}

#[test]
fn what_somebody_put_in_place_of_a_removed_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1"), ("b", "2"), ("c", "3")])).unwrap();
    fs::remove_file(target.join("a")).unwrap();
    fs::remove_file(target.join("b")).unwrap();
    let _socket = UnixListener::bind(target.join("a")).unwrap();
    put(target.join("b/notes"), "mine");
    write(&target, &set([("c", "4")])).unwrap();
    assert_eq!(names(&target), [".vigil-files", "a", "b", "c"]);
    assert_eq!(fs::read_to_string(target.join("b/notes")).unwrap(), "mine");
}
