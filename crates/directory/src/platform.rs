//! What differs between operating systems. Nothing else in the crate asks which one it is, save for details of paths
//! and of removing the lock.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

pub(crate) use system::{
    changed_at, check_removable, create_private_folder, create_symlink, identity, keep_owner, keep_times,
    make_removable, open_lock, sync,
};

/// Swaps two directories in one step, where the system can.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    {
        let _ = (one, other);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// True when the answer of [`exchange`] means that this system or file system has no such thing.
pub(crate) fn cannot_exchange(error: &io::Error) -> bool {
    // EINVAL is what Linux file systems answer to flags they do not know.
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

/// Removes anything but a folder, never what a symlink points to.
pub(crate) fn remove_entry(path: &Path) -> io::Result<()> {
    // A symlink to a folder is a folder to Windows.
    fs::remove_file(path).or_else(|error| if cfg!(windows) { fs::remove_dir(path) } else { Err(error) })
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "Windows has no identity")]
mod system {
    use super::{File, Metadata, Path, fs, io};
    use rustix::fs::{Access, AtFlags, CWD, Timespec, Timestamps};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};

    /// The same for two names of one file, as device and inode.
    pub(crate) fn identity(found: &Metadata) -> Option<(u64, u64)> {
        Some((found.dev(), found.ino()))
    }

    /// When the file's content, name or attributes last changed.
    pub(crate) fn changed_at(found: &Metadata) -> (i64, i64) {
        (found.ctime(), found.ctime_nsec())
    }

    pub(crate) fn keep_times(path: &Path, of: &Metadata) -> io::Result<()> {
        // The type of the nanoseconds is not the same on all systems.
        let times = Timestamps {
            last_access: Timespec { tv_sec: of.atime(), tv_nsec: of.atime_nsec() as _ },
            last_modification: Timespec { tv_sec: of.mtime(), tv_nsec: of.mtime_nsec() as _ },
        };
        Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Keeps the owner as far as this user may.
    pub(crate) fn keep_owner(path: &Path, of: &Metadata) -> io::Result<()> {
        let now = fs::symlink_metadata(path)?;
        if (now.uid(), now.gid()) == (of.uid(), of.gid()) {
            return Ok(());
        }
        match std::os::unix::fs::lchown(path, Some(of.uid()), Some(of.gid())) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            done => done,
        }
    }

    pub(crate) fn create_symlink(at: &Path, points_to: &Path, _: &Metadata) -> io::Result<()> {
        std::os::unix::fs::symlink(points_to, at)
    }

    /// A folder that only this user can look into: what is built there may have been behind a closed folder.
    pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)
    }

    pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
        File::options().create(true).truncate(false).write(true).open(path)
    }

    /// Fails when this user, who owns `created`, could not empty a folder of the target once it is replaced.
    pub(crate) fn check_removable(folder: &Path, found: &Metadata, created: &Metadata) -> io::Result<()> {
        // [`make_removable`] can do what is needed to a folder of one's own.
        if found.uid() == created.uid() {
            return Ok(());
        }
        Ok(rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
    }

    /// Lets this user list and empty a folder that is to be removed.
    pub(crate) fn make_removable(folder: &Path, found: &Metadata) -> io::Result<()> {
        let mode = found.mode();
        if mode & 0o700 == 0o700 {
            Ok(())
        } else {
            fs::set_permissions(folder, PermissionsExt::from_mode(mode | 0o700))
        }
    }

    /// Sees a file or a folder to the disk.
    pub(crate) fn sync(path: &Path) -> io::Result<()> {
        match File::open(path)?.sync_all() {
            // Some network file systems cannot, and do not need to.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            done => done,
        }
    }
}

#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "Unix has all these, and they can fail there")]
mod system {
    use super::{File, Metadata, Path, fs, io};
    use std::fs::FileTimes;
    use std::os::windows::fs::{FileTypeExt, OpenOptionsExt, symlink_dir, symlink_file};
    use std::time::SystemTime;

    const FILE_SHARE_READ_AND_WRITE: u32 = 0x1 | 0x2;
    const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;

    pub(crate) fn identity(_: &Metadata) -> Option<(u64, u64)> {
        None
    }

    pub(crate) fn changed_at(found: &Metadata) -> Option<SystemTime> {
        found.modified().ok()
    }

    pub(crate) fn keep_times(path: &Path, of: &Metadata) -> io::Result<()> {
        File::options()
            .access_mode(FILE_WRITE_ATTRIBUTES)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
            .open(path)?
            .set_times(FileTimes::new().set_accessed(of.accessed()?).set_modified(of.modified()?))
    }

    pub(crate) fn keep_owner(_: &Path, _: &Metadata) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn create_symlink(at: &Path, points_to: &Path, of: &Metadata) -> io::Result<()> {
        if of.file_type().is_symlink_dir() { symlink_dir(points_to, at) } else { symlink_file(points_to, at) }
    }

    pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
        // Not to be deleted while it is open: that stands in for comparing identities.
        File::options().create(true).truncate(false).write(true).share_mode(FILE_SHARE_READ_AND_WRITE).open(path)
    }

    pub(crate) fn check_removable(_: &Path, _: &Metadata, _: &Metadata) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn make_removable(_: &Path, _: &Metadata) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn sync(path: &Path) -> io::Result<()> {
        match File::options().write(true).open(path) {
            // A folder, which cannot be synced, or a read-only file.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            file => file?.sync_all(),
        }
    }
}
