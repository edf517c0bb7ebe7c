//! Where the target is, and what is beside it.

use crate::{Error, platform};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

/// The target and the folder that a write works in.
#[derive(Debug)]
pub(crate) struct Place {
    /// The directory to write.
    pub(crate) target: PathBuf,
    /// The directory it is in.
    pub(crate) parent: PathBuf,
    /// `.<name>.vigil`, beside the target and so on its file system.
    pub(crate) work: PathBuf,
    /// The directory to be.
    pub(crate) new: PathBuf,
    /// The replaced directory.
    pub(crate) old: PathBuf,
    /// `.<name>.vigil-unseen`, the note of what a build wrote.
    pub(crate) unseen: PathBuf,
}

impl Place {
    /// Finds the parts of a target, which need not exist.
    pub(crate) fn of(target: &Path) -> Result<Self, Error> {
        // `.` and `a/..` have no name of their own, so they must exist to have one.
        let named = match target.file_name() {
            Some(_) => target.to_owned(),
            None => fs::canonicalize(target).map_err(Error::reading(target))?,
        };
        let (Some(name), Some(parent)) = (named.file_name(), named.parent()) else {
            return Err(Error::Root { path: target.to_owned() });
        };
        // Seen from inside the target, `..` is another directory after the swap.
        let parent = if parent.components().any(|part| part == Component::ParentDir) {
            &fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned())
        } else {
            parent
        };

        let mut beside = OsString::from(".");
        beside.push(name);
        beside.push(".vigil");
        let work = parent.join(&beside);
        beside.push("-unseen");
        Ok(Self {
            unseen: parent.join(beside),
            // Without a trailing slash, which would follow a symlink.
            target: parent.join(name),
            new: work.join("new"),
            old: work.join("old"),
            parent: if parent.as_os_str().is_empty() { ".".into() } else { parent.to_owned() },
            work,
        })
    }

    /// The target as a directory, or nothing when it does not exist.
    pub(crate) fn state(&self) -> Result<Option<Metadata>, Error> {
        match directory(&self.target)? {
            None => self.file_among_parents().map_or(Ok(None), Err),
            found => Ok(found),
        }
    }

    /// True when a write works on the target, or was killed while it did.
    pub(crate) fn in_progress(&self) -> bool {
        fs::symlink_metadata(&self.work).is_ok()
    }

    /// What tells this target from the one that a swap puts in its place.
    pub(crate) fn identity(&self) -> Option<(u64, u64)> {
        fs::symlink_metadata(&self.target).ok().as_ref().and_then(platform::identity)
    }

    pub(crate) fn create_parents(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.parent)
            .map_err(|error| self.file_among_parents().unwrap_or_else(|| Error::writing(&self.parent)(error)))
    }

    /// The system only says that some part of the path is not a directory; this says which.
    fn file_among_parents(&self) -> Option<Error> {
        let file = self.parent.ancestors().find(|path| fs::metadata(path).is_ok_and(|found| !found.is_dir()))?;
        Some(Error::NotADirectory { path: file.to_owned() })
    }
}

/// What a path is, not following a symlink, or nothing when it does not exist (as below a file).
pub(crate) fn look(path: &Path) -> Result<Option<Metadata>, Error> {
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        found => found.map(Some).map_err(Error::reading(path)),
    }
}

/// A directory, or nothing when it does not exist. Symlinks and files are refused.
pub(crate) fn directory(path: &Path) -> Result<Option<Metadata>, Error> {
    match look(path)? {
        Some(found) if found.is_symlink() => Err(symlink(path)),
        Some(found) if !found.is_dir() => Err(Error::NotADirectory { path: path.to_owned() }),
        found => Ok(found),
    }
}

/// The error that names where a symlink points.
pub(crate) fn symlink(path: &Path) -> Error {
    match fs::read_link(path) {
        Ok(points_to) => Error::Symlink { path: path.to_owned(), points_to },
        Err(error) => Error::reading(path)(error),
    }
}

/// The entries of a directory, in the order of their names.
pub(crate) fn entries(directory: &Path) -> Result<Vec<OsString>, Error> {
    let read = || -> io::Result<Vec<OsString>> {
        let mut names = fs::read_dir(directory)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    };
    read().map_err(Error::reading(directory))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_work_folder_is_beside_the_target() {
        let cases = [
            ("out", "out", ".out.vigil"),
            ("out/", "out", ".out.vigil"),
            ("./out/.", "./out", "./.out.vigil"),
            ("no-such/../out", "no-such/../out", "no-such/../.out.vigil"),
            ("/usr/../out", "/out", "/.out.vigil"),
            ("/out", "/out", "/.out.vigil"),
        ];
        for (target, named, work) in cases {
            let place = Place::of(Path::new(target)).unwrap();
            assert_eq!((place.target.to_str(), place.work.to_str()), (Some(named), Some(work)), "{target}");
        }
    }

    #[test]
    fn a_target_without_a_name_is_looked_up() {
        let here = fs::canonicalize(".").unwrap();
        assert_eq!(Place::of(Path::new(".")).unwrap().target, here);
        assert_eq!(Place::of(Path::new("src/..")).unwrap().target, here);
        assert!(matches!(Place::of(Path::new("no-such/..")), Err(Error::Io { .. })));
    }

    #[test]
    fn the_root_is_refused() {
        for root in ["/", "//", "/.", "/.."] {
            assert!(matches!(Place::of(Path::new(root)), Err(Error::Root { .. })), "{root}");
        }
    }
}
