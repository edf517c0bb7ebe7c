//! What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Why a directory was not compared or written.
///
/// The text says what happened; [`Error::help`] says what to do; the system's own words are the `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The target is the root of the file system.
    #[error("`{path}` is the root of the file system")]
    Root {
        /// The target as it was given.
        path: PathBuf,
    },
    /// A path of the set cannot be used.
    #[error("`{}` cannot be the path of a file: {reason}", path.escape_debug())]
    BadPath {
        /// The path as it was given.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A path of the set is a file and also a folder of another file.
    #[error("`{file}` is a file, so `{below}` cannot be in it")]
    FileAndFolder {
        /// The file.
        file: String,
        /// The file below it.
        below: String,
    },
    /// The target, one of our files or one of our folders is a symlink.
    #[error("`{path}` is a symlink to `{points_to}`")]
    Symlink {
        /// The symlink.
        path: PathBuf,
        /// Where it points.
        points_to: PathBuf,
    },
    /// The target or one of its parents is something else than a directory.
    #[error("`{path}` is not a directory")]
    NotADirectory {
        /// What is in the way.
        path: PathBuf,
    },
    /// The target holds something, but nothing of ours.
    #[error("`{path}` is not empty and was not written by vigil")]
    NotOurs {
        /// The target.
        path: PathBuf,
    },
    /// Something that Vigil did not write is where one of our files should go.
    #[error("`{path}` is in the way and was not written by vigil")]
    Foreign {
        /// What is in the way.
        path: PathBuf,
    },
    /// The list of our files cannot be trusted.
    #[error("`{path}` is not a list of files that vigil wrote: {reason}")]
    BadList {
        /// The list.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The note of what a build wrote is not one.
    #[error("`{path}` is not the note of what a build wrote: {reason}")]
    BadNote {
        /// The note.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// One of our files is not text any more, so its change cannot be shown.
    #[error("`{path}` is not UTF-8 text any more")]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// Another process writes the same target.
    #[error("another vigil is writing `{path}`")]
    Locked {
        /// The target.
        path: PathBuf,
    },
    /// A write was ended between two renames: there is no target now.
    #[error("an earlier write of `{path}` was ended midway; the former files are all in `{former}`")]
    Interrupted {
        /// The target.
        path: PathBuf,
        /// The former directory.
        former: PathBuf,
    },
    /// No permission to write, or a read-only file system.
    #[error("`{path}` cannot be written")]
    ReadOnly {
        /// What was to be written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk or the quota is used up.
    #[error("no space left to write `{path}`")]
    DiskFull {
        /// What was to be written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The target, or something in it, is a mount point and cannot be renamed.
    #[error("`{path}` cannot be replaced: it is a mount point, or in use")]
    MountPoint {
        /// What cannot be renamed.
        path: PathBuf,
        /// The system's answer, if it was asked.
        source: Option<io::Error>,
    },
    /// The new set is in place, but the former one could not be cleared away.
    #[error("`{path}` is written, but the former files could not be cleared away")]
    Unfinished {
        /// The target.
        path: PathBuf,
        /// Why.
        source: Box<Error>,
    },
    /// Anything else that the system refused.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried: `read` or `write`.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// What the user can do about it, where that is known.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Root { .. } => "choose a directory below it".to_owned(),
            Self::BadPath { .. } => "use a relative path with `/` between plain names".to_owned(),
            Self::FileAndFolder { .. } => "rename one of the two".to_owned(),
            Self::Symlink { points_to, .. } => {
                format!("symlinks are not followed: name `{}` itself, or remove the symlink", points_to.display())
            }
            Self::NotADirectory { .. } => "choose another directory, or move the file away".to_owned(),
            Self::NotOurs { .. } => "choose an empty or new directory".to_owned(),
            Self::Foreign { .. } => "move it away".to_owned(),
            Self::BadList { .. } => {
                "restore the list (from git, for instance), or write to an empty or new directory".to_owned()
            }
            Self::BadNote { .. } => "remove it: `git diff` shows what it told".to_owned(),
            Self::NotUtf8 { .. } => "it was changed since vigil wrote it: remove it".to_owned(),
            Self::Locked { .. } => "wait for it or end it".to_owned(),
            Self::Interrupted { .. } => "write again: that puts the former files back first".to_owned(),
            Self::ReadOnly { .. } => {
                "make it and the directory it is in writable for this user, or choose another directory".to_owned()
            }
            Self::DiskFull { .. } => "free some space".to_owned(),
            Self::MountPoint { path, .. } => format!(
                "close what uses it, or write to a new directory: a mount point, or a directory from a lower layer of \
                 a container image, cannot be renamed, but a new one in `{}` can",
                path.display()
            ),
            Self::Unfinished { source, .. } => match source.help() {
                Some(help) => format!("{help}; then write again, to clear them away"),
                None => "write again, to clear them away".to_owned(),
            },
            Self::Io { action: "read", source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "make it readable for this user".to_owned()
            }
            Self::Io { .. } => return None,
        };
        Some(help)
    }

    /// For `map_err` after reading `path`.
    pub(crate) fn reading(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { action: "read", path, source }
    }

    /// For `map_err` after creating, writing, renaming or removing `path`.
    pub(crate) fn writing(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path, source },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => {
                Self::MountPoint { path, source: Some(source) }
            }
            io::ErrorKind::NotADirectory => Self::NotADirectory { path },
            _ => Self::Io { action: "write", path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn system_errors_become_what_they_mean() {
        use rustix::io::Errno;
        use std::error::Error as _;
        let cases = [
            (Errno::ACCESS, "`out` cannot be written"),
            (Errno::PERM, "`out` cannot be written"),
            (Errno::ROFS, "`out` cannot be written"),
            (Errno::NOSPC, "no space left to write `out`"),
            (Errno::DQUOT, "no space left to write `out`"),
            (Errno::BUSY, "`out` cannot be replaced: it is a mount point, or in use"),
            (Errno::XDEV, "`out` cannot be replaced: it is a mount point, or in use"),
            (Errno::NOTDIR, "`out` is not a directory"),
            (Errno::IO, "cannot write `out`"),
        ];
        for (errno, text) in cases {
            let error = Error::writing("out")(errno.into());
            assert_eq!(error.to_string(), text, "{errno:?}");
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            assert!(source.is_empty() || !text.contains(&source), "{text} repeats {source}");
            assert_eq!(error.help().is_none(), matches!(error, Error::Io { .. }), "{errno:?}");
        }
    }

    #[test]
    fn control_characters_of_a_path_are_not_sent_to_the_terminal() {
        let error = Error::BadPath { path: "a\u{1b}[2J".to_owned(), reason: "no" };
        assert_eq!(error.to_string(), "`a\\u{1b}[2J` cannot be the path of a file: no");
    }
}
