//! Directories and sets, in a form that can be compared.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tempfile::TempDir;
use vigil_directory::Files;
use walkdir::WalkDir;

/// All that should stay as it is when somebody else writes beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) attributes: Attributes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File(String),
    Folder,
    Symlink(PathBuf),
    Special,
}

/// A write makes new folders that look like the old ones, so a folder's inode is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) modified: SystemTime,
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    pub(crate) inode: Option<u64>,
}

impl Attributes {
    #[cfg(unix)]
    fn of(found: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            modified: found.modified().unwrap(),
            mode: found.mode(),
            owner: (found.uid(), found.gid()),
            inode: (!found.is_dir()).then(|| found.ino()),
        }
    }

    #[cfg(not(unix))]
    fn of(found: &Metadata) -> Self {
        let mode = u32::from(found.permissions().readonly());
        Self { modified: found.modified().unwrap(), mode, owner: (0, 0), inode: None }
    }
}

/// Everything in a directory, the directory itself under the empty path.
pub(crate) fn tree(directory: &Path) -> BTreeMap<PathBuf, Entry> {
    WalkDir::new(directory)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let found = fs::symlink_metadata(entry.path()).unwrap();
            let kind = if found.is_symlink() {
                Kind::Symlink(fs::read_link(entry.path()).unwrap())
            } else if found.is_dir() {
                Kind::Folder
            } else if found.is_file() {
                Kind::File(String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned())
            } else {
                Kind::Special
            };
            let path = entry.path().strip_prefix(directory).unwrap().to_owned();
            (path, Entry { kind, attributes: Attributes::of(&found) })
        })
        .collect()
}

/// The files of a directory without the list, symlinks and special files.
pub(crate) fn files(directory: &Path) -> Files {
    tree(directory)
        .into_iter()
        .filter(|(path, _)| path != Path::new(".vigil-files"))
        .filter_map(|(path, entry)| match entry.kind {
            Kind::File(text) => Some((path.to_str()?.replace('\\', "/"), text)),
            _ => None,
        })
        .collect()
}

/// For tests with many writes: where memory can be a file system, they need not wait for a disk.
pub(crate) fn folder_in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn set<const N: usize>(files: [(&str, &str); N]) -> Files {
    files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
}

/// Writes a file of somebody else, with its folders.
pub(crate) fn put(path: impl AsRef<Path>, text: &str) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
