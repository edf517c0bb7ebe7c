//! What the system does not allow: no permission, no space, other file systems.

use crate::child;
use crate::tree::{files, names, put, set, tree};
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use vigil_directory::{Error, compare, write};

/// Past the capture of the test harness, so that nobody takes a test for done.
fn skipped(what: &str, why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {what}: {why}");
}

fn is_root(folder: &Path) -> bool {
    fs::metadata(folder).unwrap().uid() == 0
}

/// What a write says to a user whom permissions bind: root, whom they do not bind, hands over to nobody.
fn answer_to_a_user(folder: &Path, target: &Path) -> Option<String> {
    let mut command = child::command("write once", target);
    if is_root(folder) {
        command.uid(65534).gid(65534);
    }
    match child::answer(command.current_dir("/")) {
        Ok(answer) => Some(answer.replace(folder.to_str().unwrap(), "DIR")),
        Err(error) => {
            skipped("permissions", &format!("the test program cannot be run as another user: {error}"));
            None
        }
    }
}

/// A folder that everybody may enter and write to.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    folder
}

const HELP: &str = "make it and the directory it is in writable for this user, or choose another directory";

#[test]
fn a_parent_that_may_not_be_written() {
    let folder = open_folder();
    let target = folder.path().join("out");
    put(target.join(".vigil-files"), "#\n");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    let before = tree(folder.path());
    for target in ["out", "new", "some/where"] {
        let Some(answer) = answer_to_a_user(folder.path(), &folder.path().join(target)) else { return };
        let unwritable = if target == "some/where" { "DIR/some" } else { "DIR" };
        assert_eq!(answer, format!("`{unwritable}` cannot be written|Permission denied (os error 13)|{HELP}"));
        assert_eq!(tree(folder.path()), before);
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_target_that_may_not_be_written() {
    let folder = open_folder();
    let target = folder.path().join("out");
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o555)).unwrap();
    let Some(answer) = answer_to_a_user(folder.path(), &target) else { return };
    assert_eq!(answer, format!("`DIR/out` cannot be written|Permission denied (os error 13)|{HELP}"));
    assert_eq!(names(folder.path()), ["out"]);
    assert!(names(&target).is_empty());
}

/// Only root can give files away.
fn of_root_and_another_user() -> Option<(tempfile::TempDir, PathBuf)> {
    let folder = open_folder();
    if !is_root(folder.path()) {
        skipped("files of another user", "only root can make some");
        return None;
    }
    let target = folder.path().join("out");
    fs::create_dir(&target).unwrap();
    put(target.join(".vigil-files"), "#\n");
    for path in [&target, &target.join(".vigil-files")] {
        chown(path, Some(65534), Some(65534)).unwrap();
    }
    Some((folder, target))
}

#[test]
fn a_file_of_another_user_stays_his() {
    let Some((folder, target)) = of_root_and_another_user() else { return };
    put(target.join("notes"), "mine");
    let before = tree(&target);
    let Some(answer) = answer_to_a_user(folder.path(), &target) else { return };
    assert_eq!(answer, "1 added");
    assert_eq!(tree(&target)[Path::new("notes")], before[Path::new("notes")]);
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn a_folder_of_another_user_stays_his_when_root_writes() {
    let Some((_folder, target)) = of_root_and_another_user() else { return };
    fs::create_dir(target.join("sub")).unwrap();
    chown(target.join("sub"), Some(65534), Some(65534)).unwrap();
    let before = tree(&target);
    write(&target, &set([("a", "1")])).unwrap();
    let after = tree(&target);
    assert_eq!(after[Path::new("sub")], before[Path::new("sub")]);
    assert_eq!(after[Path::new("")].attributes.owner, (65534, 65534));
}

#[test]
fn a_folder_of_another_user_that_could_not_be_cleared_is_refused() {
    let Some((folder, target)) = of_root_and_another_user() else { return };
    put(target.join("sub/notes"), "mine");
    let before = tree(&target);
    let Some(answer) = answer_to_a_user(folder.path(), &target) else { return };
    assert_eq!(answer, format!("`DIR/out/sub` cannot be written|Permission denied (os error 13)|{HELP}"));
    assert_eq!(tree(&target), before);
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn a_read_only_target_can_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    write(&target, &set([("a", "1")])).unwrap();
    for path in [&target, folder.path()] {
        fs::set_permissions(path, Permissions::from_mode(0o555)).unwrap();
    }
    assert!(compare(&target, &set([("a", "1")])).unwrap().is_empty());
    assert!(write(&target, &set([("a", "1")])).unwrap().is_empty(), "nothing changes, so nothing is written");
    for path in [folder.path(), &target] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
}

/// A small file system of its own, for as long as the value lives.
struct Mount {
    at: PathBuf,
    _folder: tempfile::TempDir,
}

impl Mount {
    fn new(options: &str) -> Option<Self> {
        Self::with(&["-t", "tmpfs", "-o", options, "tmpfs"])
    }

    /// Another place of the same file system.
    fn bind(from: &Path) -> Option<Self> {
        Self::with(&["--bind", from.to_str().unwrap()])
    }

    fn with(arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("out/mounted");
        fs::create_dir_all(&at).unwrap();
        let mounted = cfg!(target_os = "linux")
            && Command::new("mount").args(arguments).arg(&at).output().is_ok_and(|output| output.status.success());
        if !mounted {
            skipped("a file system of its own", "only root on Linux can mount one");
            return None;
        }
        Some(Self { at, _folder: folder })
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount").arg("-o").arg(format!("remount,{options}")).arg(&self.at).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

#[test]
fn a_full_disk_leaves_the_old_set() {
    let Some(mount) = Mount::new("size=64k") else { return };
    let target = mount.at.join("out");
    write(&target, &set([("a", "1"), ("b", "2")])).unwrap();
    let before = tree(&target);

    let large = "x".repeat(128 << 10);
    let error = write(&target, &set([("a", "1"), ("b", "3"), ("c/d", &large)])).unwrap_err();
    assert!(matches!(&error, Error::DiskFull { path, .. } if *path == target.join("c/d")), "{error:?}");
    assert!(error.help().unwrap().contains("free some space"));
    assert_eq!(tree(&target), before);
    assert_eq!(names(&mount.at), ["out"], "what was staged must not go on filling the disk");

    write(&target, &set([("a", "1"), ("b", "3")])).unwrap();
    assert_eq!(files(&target), set([("a", "1"), ("b", "3")]));
}

#[test]
fn a_read_only_file_system() {
    let Some(mount) = Mount::new("size=1m") else { return };
    let target = mount.at.join("out");
    write(&target, &set([("a", "1")])).unwrap();
    mount.remount("ro");
    assert_eq!(compare(&target, &set([("a", "2")])).unwrap().changed.len(), 1);
    let error = write(&target, &set([("a", "2")])).unwrap_err();
    assert!(matches!(&error, Error::ReadOnly { path, .. } if *path == mount.at), "{error:?}");
    assert!(write(&target, &set([("a", "1")])).unwrap().is_empty());
}

#[test]
fn a_mount_point_as_the_target() {
    let Some(mount) = Mount::new("size=1m") else { return };
    let error = write(&mount.at, &set([("a", "1")])).unwrap_err();
    assert!(matches!(&error, Error::MountPoint { path, .. } if *path == mount.at), "{error:?}");
    assert!(error.help().unwrap().contains(&format!("a new one in `{}` can", mount.at.display())));
    assert!(names(&mount.at).is_empty());
    assert_eq!(names(mount.at.parent().unwrap()), ["mounted"]);
    write(&mount.at.join("out"), &set([("a", "1")])).unwrap();
}

#[test]
fn a_mount_point_in_the_target() {
    let Some(mount) = Mount::new("size=1m") else { return };
    let target = mount.at.parent().unwrap();
    put(mount.at.join("notes"), "mine");
    put(target.join(".vigil-files"), "#\n");
    let error = write(target, &set([("a", "1")])).unwrap_err();
    assert!(matches!(&error, Error::MountPoint { path, .. } if *path == mount.at), "{error:?}");
    assert_eq!(names(target), [".vigil-files", "mounted"]);
    assert_eq!(names(&mount.at), ["notes"]);
}

#[test]
fn a_part_of_the_same_file_system_mounted_in_the_target() {
    let elsewhere = tempfile::tempdir().unwrap();
    put(elsewhere.path().join("notes"), "mine");
    let Some(mount) = Mount::bind(elsewhere.path()) else { return };
    let target = mount.at.parent().unwrap();
    put(target.join(".vigil-files"), "#\n");
    let error = write(target, &set([("a", "1")])).unwrap_err();
    assert!(matches!(&error, Error::MountPoint { path, .. } if *path == mount.at.join("notes")), "{error:?}");
    assert_eq!(names(target), [".vigil-files", "mounted"]);
    assert_eq!(names(elsewhere.path()), ["notes"]);
}
