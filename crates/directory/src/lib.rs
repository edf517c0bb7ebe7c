//! The all-or-nothing writer of a generated directory.
//!
//! The directory belongs to its user; Vigil owns the files in it that the list `.vigil-files` names, and no others.
//! A write never edits that directory. It builds a complete new one beside it and swaps the two:
//!
//! ```text
//! manifests/            the target
//! .manifests.vigil/     there only during a write, or after a killed one
//!     lock              held by the writer; the kernel lets go of it when the process dies
//!     new/              the directory to be: kept files are hard links, the rest is written
//!     old/              the replaced directory, while it is cleared
//! .manifests.vigil-unseen
//!                       what a build wrote and nobody has been shown yet
//!
//! validate ──► compare ──► lock ──► recover ──► compare ──► stage ──► swap ──► clear
//! (paths)      (plan)               (swap)      (plan)     (stage)
//! ```
//!
//! - **compare** finds what differs and everything that forbids a write. When nothing differs, a write ends here
//!   and leaves no trace.
//! - **recover** ends what a killed write left behind. It, and all that follows, happens under the lock.
//! - **stage** fills `new/`: our files, and a link to every file that somebody else put into the target.
//! - **swap** is one atomic rename (Linux, macOS) or two renames (elsewhere, see [`write()`]).
//! - **clear** empties `old/`. What appeared in it after staging is carried over, not deleted.
//!
//! Our files are not synced to the disk: even one sync would take longer than the whole rest. A power cut, other than a
//! kill, can cost some of them their text; the next write brings it back, or says that the list is broken and what to
//! do. Files of others are linked, or synced where they must be copied.
//!
//! The swap makes the target a new directory with the old name. A process whose working directory is the target
//! stays in the replaced one; `cd .` brings a shell back.

mod changes;
mod clear;
mod error;
mod list;
mod lock;
mod paths;
mod place;
mod plan;
mod platform;
mod stage;
mod swap;
#[cfg(test)]
mod tests;
mod unseen;

pub use changes::{Change, Changes};
pub use error::Error;
pub use unseen::{seen, unseen};

use lock::Lock;
use place::Place;
use plan::Plan;
use std::collections::BTreeMap;
use std::path::Path;

/// The files of a set: path relative to the directory (with `/`), to its whole text.
pub type Files = BTreeMap<String, String>;

/// Says what [`write()`] would do.
///
/// It touches nothing on disk, not even a lock, and works on read-only directories. A write that happens at the
/// same time is seen entirely or not at all.
///
/// # Errors
/// Whatever would make a write refuse the target as it is: a path of `files` that cannot be used, a target that is
/// not ours or not a directory, somebody else's file or a symlink in the way, a broken `.vigil-files`; also
/// [`Error::Interrupted`] when a killed write left no target, and anything that cannot be read.
pub fn compare(target: &Path, files: &Files) -> Result<Changes, Error> {
    paths::validate(files)?;
    let plan = plan_of_one_moment(&Place::of(target)?, files)?;
    Ok(plan.changes)
}

/// Makes the directory hold exactly `files`, plus what others put there: all of it or nothing.
///
/// Killed at any moment, it leaves the whole old set or the whole new one, and the next write cleans up. Unchanged
/// files stay the same files (inode and modification time), and when nothing changes nothing at all is written.
/// Missing parents of the target are created. A file that somebody else put where the set has the same text becomes
/// ours.
///
/// Where the system cannot exchange two directories (Windows, some file systems), the swap is two renames. Killed
/// between them it leaves no target, and the old set, whole, in `.<name>.vigil/old`: [`compare`] then says so, and
/// the next write puts it back first.
///
/// # Errors
/// All that [`compare`] refuses (save the interrupted write, which is mended), [`Error::Locked`] when another write
/// runs, and whatever the file system refuses. The target is then as it was, except after [`Error::Unfinished`],
/// which comes when the new set is in place already.
pub fn write(target: &Path, files: &Files) -> Result<Changes, Error> {
    write_with(target, files, |_, _| Ok(()))
}

/// [`write()`] for a program that cannot show what it changes, as a build: [`unseen()`] tells it to the next one.
///
/// # Errors
/// As [`write()`], and when the changes cannot be noted: nothing is written then.
pub fn write_unseen(target: &Path, files: &Files) -> Result<Changes, Error> {
    write_with(target, files, |place, changes| unseen::note(place, unseen(target)?, changes))
}

/// [`write()`], with something to do between staging and swap.
fn write_with(
    target: &Path,
    files: &Files,
    before_swap: impl FnOnce(&Place, &Changes) -> Result<(), Error>,
) -> Result<Changes, Error> {
    paths::validate(files)?;
    let place = Place::of(target)?;

    if !place.in_progress() {
        match plan_of_one_moment(&place, files) {
            Ok(plan) if plan.is_done() => return Ok(plan.changes),
            // Unless another write has begun meanwhile: then only a look under the lock tells the truth.
            Err(error) if !place.in_progress() => return Err(error),
            _ => {}
        }
    }

    place.create_parents()?;
    let _lock = Lock::take(&place)?;
    swap::recover(&place)?;
    let plan = plan::plan(&place, files)?;
    if plan.is_done() {
        return Ok(plan.changes);
    }

    let swapped = stage::build(&place, files, &plan)
        .and_then(|()| before_swap(&place, &plan.changes))
        .and_then(|()| swap::swap(&place, plan.exists));
    if let Err(error) = swapped {
        // The first error is the one to report; what cannot be removed now, the next write removes.
        let _ = clear::discard(&place.new);
        return Err(error);
    }
    match clear::clear(&place) {
        Ok(()) => Ok(plan.changes),
        Err(error) => Err(Error::Unfinished { path: place.target, source: Box::new(error) }),
    }
}

/// A plan made without the lock, from one state of the target.
fn plan_of_one_moment(place: &Place, files: &Files) -> Result<Plan, Error> {
    // A swap gives the target another identity. Each round can only fail when a whole write ended during it.
    for _ in 0..100 {
        let before = place.identity();
        let plan = plan::plan(place, files);
        if before == place.identity() {
            return plan;
        }
    }
    Err(Error::Locked { path: place.target.clone() })
}
