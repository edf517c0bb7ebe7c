//! One writer at a time.

use crate::place::{self, Place};
use crate::{Error, platform};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;

/// The right to work on a target, held until dropped. The kernel takes it back when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Option<File>,
    path: PathBuf,
    work: PathBuf,
}

impl Lock {
    /// Creates the work folder and locks it, or says that another process has it.
    pub(crate) fn take(place: &Place) -> Result<Self, Error> {
        let path = place.work.join("lock");
        let unwritable = || Error::writing(&place.parent);

        // Each round can only fail when another writer removed the folder during it, which ends its write.
        for _ in 0..100 {
            match platform::create_private_folder(&place.work) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unwritable()(error)),
                _ => {}
            }
            if place::directory(&place.work)?.is_none() {
                continue;
            }
            let file = match platform::open_lock(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file.inspect_err(|_| _ = fs::remove_dir(&place.work)).map_err(Error::writing(&path))?,
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => return Err(Error::writing(&path)(error)),
            }
            // The file may have been removed after it was opened: that lock would exclude nobody.
            let held = file.metadata().map_err(Error::reading(&path))?;
            match place::look(&path)? {
                Some(found) if platform::identity(&found) == platform::identity(&held) => {
                    return Ok(Self { file: Some(file), path, work: place.work.clone() });
                }
                Some(found) if found.is_symlink() => return Err(place::symlink(&path)),
                _ => {}
            }
        }
        Err(Error::Locked { path: place.target.clone() })
    }
}

impl Drop for Lock {
    /// Removes the lock, and its folder unless a failed write left something there for the next one to mend.
    fn drop(&mut self) {
        // Windows removes no open file. Elsewhere the file goes while it is locked, so that nobody can lock it in
        // between and lose it. After it, the folder may be another writer's, and then it is not empty.
        if cfg!(windows) {
            self.file = None;
        }
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_dir(&self.work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    #[test]
    fn the_second_is_refused_and_the_folder_goes_with_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&folder.path().join("out")).unwrap();
        let first = Lock::take(&place).unwrap();
        let error = Lock::take(&place).unwrap_err();
        assert_eq!(error.to_string(), format!("another vigil is writing `{}`", place.target.display()));
        assert_eq!(error.help().as_deref(), Some("wait for it or end it"));
        drop(first);
        assert!(!place.in_progress());
        Lock::take(&place).unwrap();
    }

    #[test]
    fn a_lock_file_left_by_a_killed_process_does_not_lock() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&folder.path().join("out")).unwrap();
        fs::create_dir(&place.work).unwrap();
        fs::write(place.work.join("lock"), "").unwrap();
        drop(Lock::take(&place).unwrap());
        assert!(!place.in_progress());
    }

    #[test]
    fn never_two_at_once_while_the_folder_comes_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&folder.path().join("out")).unwrap();
        let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let end = Instant::now() + Duration::from_secs(20);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while taken.load(Ordering::SeqCst) < 100 && Instant::now() < end {
                        match Lock::take(&place) {
                            Ok(lock) => {
                                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold the lock");
                                taken.fetch_add(1, Ordering::SeqCst);
                                std::thread::yield_now();
                                holders.fetch_sub(1, Ordering::SeqCst);
                                drop(lock);
                            }
                            Err(Error::Locked { .. }) => {}
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                });
            }
        });
        assert!(taken.into_inner() >= 100);
        assert!(!place.in_progress());
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_in_place_of_the_folder_or_the_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&folder.path().join("out")).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();

        std::os::unix::fs::symlink(&elsewhere, &place.work).unwrap();
        assert!(matches!(Lock::take(&place), Err(Error::Symlink { path, .. }) if path == place.work));
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);

        fs::remove_file(&place.work).unwrap();
        fs::create_dir(&place.work).unwrap();
        fs::write(elsewhere.join("file"), "").unwrap();
        std::os::unix::fs::symlink(elsewhere.join("file"), place.work.join("lock")).unwrap();
        assert!(matches!(Lock::take(&place), Err(Error::Symlink { path, .. }) if path == place.work.join("lock")));
    }
}
