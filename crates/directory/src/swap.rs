//! Puts the new directory in place of the target, and mends what a killed write left.

use crate::place::{self, Place};
use crate::{Error, clear, platform};
use std::fs;
use std::io;
use std::path::Path;

/// Gives `new/` the target's name. A target that exists becomes `old/`.
///
/// Killed at any point, [`recover`] finds one of these: `new/` alone, which was not swapped and is of no use; `old/`
/// and a target, one of which replaced the other; or, between two renames, `old/` and no target.
pub(crate) fn swap(place: &Place, exists: bool) -> Result<(), Error> {
    swap_with(place, exists, platform::exchange)
}

fn swap_with(place: &Place, exists: bool, exchange: fn(&Path, &Path) -> io::Result<()>) -> Result<(), Error> {
    let Place { target, new, old, .. } = place;
    let swapped = if exists {
        // Renamed first, because after the exchange nobody could tell a replaced `new/` from an unused one.
        fs::rename(new, old).and_then(|()| match exchange(old, target) {
            Ok(()) => Ok(()),
            Err(error) => {
                fs::rename(old, new)?;
                if platform::cannot_exchange(&error) { rename_both(place) } else { Err(error) }
            }
        })
    } else {
        fs::rename(new, target)
    };
    swapped.map_err(Error::writing(target))
}

fn rename_both(Place { target, new, old, .. }: &Place) -> io::Result<()> {
    fs::rename(target, old)?;
    fs::rename(new, target).inspect_err(|_| {
        // The error to report is the first; if this one fails too, the next write tries it again.
        let _ = fs::rename(old, target);
    })
}

/// Ends a write that was killed, so that there is only the target again.
pub(crate) fn recover(place: &Place) -> Result<(), Error> {
    if place::look(&place.old)?.is_some() {
        if place.state()?.is_none() {
            fs::rename(&place.old, &place.target).map_err(Error::writing(&place.target))?;
        } else {
            clear::clear(place)?;
        }
    }
    clear::discard(&place.new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::LIST;

    const UNSUPPORTED: fn(&Path, &Path) -> io::Result<()> = |_, _| Err(io::ErrorKind::Unsupported.into());

    fn place(folder: &Path) -> Place {
        let place = Place::of(&folder.join("out")).unwrap();
        for (directory, text) in [(&place.target, "old"), (&place.new, "new")] {
            fs::create_dir_all(directory).unwrap();
            fs::write(directory.join("a"), text).unwrap();
            fs::write(directory.join(LIST), "#\na\n").unwrap();
        }
        place
    }

    fn text(directory: &Path) -> Option<String> {
        fs::read_to_string(directory.join("a")).ok()
    }

    #[test]
    fn both_ways_end_alike() {
        for exchange in [platform::exchange, UNSUPPORTED] {
            let folder = tempfile::tempdir().unwrap();
            let place = place(folder.path());
            swap_with(&place, true, exchange).unwrap();
            assert_eq!((text(&place.target).as_deref(), text(&place.old).as_deref()), (Some("new"), Some("old")));
            assert!(!place.new.exists());
        }
    }

    #[test]
    fn a_swap_that_fails_leaves_the_target() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let error = swap_with(&place, true, |_, _| Err(io::ErrorKind::ResourceBusy.into())).unwrap_err();
        assert!(matches!(error, Error::MountPoint { .. }), "{error:?}");
        assert_eq!((text(&place.target).as_deref(), text(&place.new).as_deref()), (Some("old"), Some("new")));
        assert!(!place.old.exists());
    }

    #[test]
    fn the_second_rename_failing_undoes_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        clear::discard(&place.new).unwrap();
        rename_both(&place).unwrap_err();
        assert_eq!(text(&place.target).as_deref(), Some("old"));
        assert!(!place.old.exists());
    }

    #[test]
    fn killed_before_the_swap() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        recover(&place).unwrap();
        assert_eq!(text(&place.target).as_deref(), Some("old"));
        assert_eq!(fs::read_dir(&place.work).unwrap().count(), 0);
    }

    #[test]
    fn killed_on_either_side_of_the_exchange() {
        for exchanged in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let place = place(folder.path());
            if exchanged {
                rename_both(&place).unwrap();
            } else {
                fs::rename(&place.new, &place.old).unwrap();
            }
            recover(&place).unwrap();
            assert_eq!(text(&place.target).as_deref(), Some(if exchanged { "new" } else { "old" }));
            assert_eq!(fs::read_dir(&place.work).unwrap().count(), 0);
        }
    }

    #[test]
    fn killed_between_two_renames() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        fs::rename(&place.target, &place.old).unwrap();
        recover(&place).unwrap();
        assert_eq!(text(&place.target).as_deref(), Some("old"));
        assert_eq!(fs::read_dir(&place.work).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_system_without_exchange_is_known_by_its_answer() {
        use rustix::io::Errno;
        for errno in [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP] {
            assert!(platform::cannot_exchange(&errno.into()), "{errno:?}");
        }
        for errno in [Errno::BUSY, Errno::XDEV, Errno::ACCESS, Errno::NOENT, Errno::NOSPC] {
            assert!(!platform::cannot_exchange(&errno.into()), "{errno:?}");
        }
    }
}
