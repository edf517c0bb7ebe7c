//! `.<name>.vigil-unseen`: what a build wrote and nobody has been shown yet.
//!
//! A build writes before any program of ours runs, and cargo shows nothing of a build that succeeds. So it notes what it
//! changes beside the target, and the next program that can show it does, once.

use crate::{Change, Changes, Error, place::Place};
use serde_json::error::Category;
use std::fs;
use std::io;
use std::path::Path;

/// The changes that [`crate::write_unseen()`] made to a target and that nobody has been shown, sorted by path.
///
/// A change counts only while the file is as it left it: what git or an editor wrote over it is gone.
///
/// # Errors
/// The note cannot be read, or is not one.
pub fn unseen(target: &Path) -> Result<Vec<Change>, Error> {
    let place = Place::of(target)?;
    let mut changes = read(&place.unseen)?;
    changes.retain(|change| {
        let found = fs::read(place.target.join(&change.path)).ok();
        found.as_deref() == change.new.as_ref().map(String::as_bytes)
    });
    Ok(changes)
}

/// Ends what [`unseen()`] tells: somebody has been shown it.
///
/// # Errors
/// The note cannot be removed.
pub fn seen(target: &Path) -> Result<(), Error> {
    remove(&Place::of(target)?.unseen)
}

/// Notes what a write is about to do, on top of what is noted already. A write that does not come to its end leaves
/// a note that [`unseen()`] passes over, since the files are not as it says.
pub(crate) fn note(place: &Place, earlier: Vec<Change>, changes: &Changes) -> Result<(), Error> {
    let all: Vec<Change> = changes.clone().after(earlier).into_list().collect();
    if all.is_empty() {
        return remove(&place.unseen);
    }
    let written = serde_json::to_vec(&all).map_err(|error| Error::writing(&place.unseen)(error.into()))?;
    fs::write(&place.unseen, written).map_err(Error::writing(&place.unseen))
}

fn read(path: &Path) -> Result<Vec<Change>, Error> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(Error::reading(path))?,
    };
    match serde_json::from_slice(&bytes) {
        // A build that was killed while it noted had not swapped anything yet.
        Err(error) if error.classify() == Category::Eof => Ok(Vec::new()),
        parsed => parsed.map_err(|error| Error::BadNote { path: path.to_owned(), reason: error.to_string() }),
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::writing(path)(error)),
        _ => Ok(()),
    }
}
