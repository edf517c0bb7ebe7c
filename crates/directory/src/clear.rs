//! Removes directories that are of no use any more, and from them nothing that somebody may still want.

use crate::list::{self, LIST};
use crate::paths::{self, Paths};
use crate::place::{self, Place};
use crate::{Error, platform};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// Removes `old/`.
///
/// What is deleted is ours, or has its other name in the target. All else moves to the target: somebody put it there
/// after it was staged, or it could only be copied. A file that was deleted in that moment may come back.
pub(crate) fn clear(place: &Place) -> Result<(), Error> {
    let Some(found) = place::directory(&place.old)? else { return Ok(()) };
    let owned = list::read(&place.old)?.unwrap_or_default().paths;
    let set = list::read(&place.target)?.unwrap_or_default().paths;
    Clear { owned, set }.folder(Path::new(""), &found, &place.old, &place.target)?;

    // The list goes last: until then, the next write knows from it what is ours.
    let list = place.old.join(LIST);
    if place::look(&list)?.is_some() {
        remove(&list)?;
    }
    fs::remove_dir(&place.old).map_err(Error::writing(&place.old))
}

struct Clear {
    /// What is ours in the replaced directory.
    owned: Paths,
    /// What is ours in the target.
    set: Paths,
}

impl Clear {
    /// Empties the folder `from`; what is not ours finds its place in `to`.
    fn folder(&self, relative: &Path, found: &Metadata, from: &Path, to: &Path) -> Result<(), Error> {
        platform::make_removable(from, found).map_err(Error::writing(from))?;
        for name in place::entries(from)? {
            let (relative, from, to) = (relative.join(&name), from.join(&name), to.join(&name));
            let Some(found) = place::look(&from)? else { continue };
            let key = paths::key(&relative).unwrap_or_default();
            if key == LIST {
                continue;
            }
            if found.is_dir() {
                match place::look(&to)? {
                    None if !self.owned.has_folder(&key) => carry(&from, &to)?,
                    Some(there) if !there.is_dir() => self.remove_folder(&relative, &found, &from, &beside(&to)?)?,
                    _ => self.remove_folder(&relative, &found, &from, &to)?,
                }
            } else if found.is_file() && self.owned.has_file(&key) {
                remove(&from)?;
            } else {
                self.entry(&key, &found, &from, &to)?;
            }
        }
        Ok(())
    }

    fn remove_folder(&self, relative: &Path, found: &Metadata, from: &Path, to: &Path) -> Result<(), Error> {
        self.folder(relative, found, from, to)?;
        fs::remove_dir(from).map_err(Error::writing(from))
    }

    fn entry(&self, key: &str, found: &Metadata, from: &Path, to: &Path) -> Result<(), Error> {
        match place::look(to)? {
            None => carry(from, to),
            Some(there) if is_same(found, &there) => remove(from),
            Some(there) if is_copy(found, &there) => {
                // The older of the two is the original. After a killed write, that can be the target's.
                if platform::changed_at(found) <= platform::changed_at(&there) {
                    put_back(from, to)
                } else {
                    remove(from)
                }
            }
            Some(there) if there.is_dir() || self.set.has_file(key) => carry(from, &beside(to)?),
            // Both are somebody's, and the one that was saved last is the one wanted.
            Some(there) if platform::changed_at(found) >= platform::changed_at(&there) => carry(from, to),
            Some(_) => remove(from),
        }
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    platform::identity(one).is_some_and(|identity| platform::identity(other) == Some(identity))
}

fn is_copy(one: &Metadata, other: &Metadata) -> bool {
    let look = |found: &Metadata| (found.file_type(), found.len(), found.modified().ok());
    look(one) == look(other)
}

fn carry(from: &Path, to: &Path) -> Result<(), Error> {
    let rename = || {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(from, to)
    };
    rename().map_err(Error::writing(to))
}

/// Puts an original in place of its copy: it has what cannot be copied, an owner for instance.
fn put_back(from: &Path, to: &Path) -> Result<(), Error> {
    let folder = to.parent().unwrap_or(to);
    let before = fs::symlink_metadata(folder).map_err(Error::reading(folder))?;
    carry(from, to)?;
    platform::keep_times(folder, &before).map_err(Error::writing(folder))
}

fn remove(path: &Path) -> Result<(), Error> {
    platform::remove_entry(path).map_err(Error::writing(path))
}

/// A free name for what cannot have its own, because the set took it.
fn beside(path: &Path) -> Result<PathBuf, Error> {
    let mut number = 1;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 1 { ".kept".to_owned() } else { format!(".kept-{number}") });
        let path = PathBuf::from(name);
        if place::look(&path)?.is_none() {
            return Ok(path);
        }
        number += 1;
    }
}

/// Removes a directory that was never swapped, with all in it.
pub(crate) fn discard(path: &Path) -> Result<(), Error> {
    match place::look(path)? {
        None => return Ok(()),
        Some(found) if !found.is_dir() => return remove(path),
        Some(found) => platform::make_removable(path, &found).map_err(Error::writing(path))?,
    }
    for name in place::entries(path)? {
        discard(&path.join(name))?;
    }
    fs::remove_dir(path).map_err(Error::writing(path))
}
