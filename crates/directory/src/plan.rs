//! What differs between a directory and a set, and whether the one may become the other.

use crate::list::{self, List};
use crate::paths::{self, Paths};
use crate::place::{self, Place};
use crate::{Change, Changes, Error, Files};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a write has to do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) changes: Changes,
    /// The files of the former write.
    pub(crate) owned: Paths,
    /// The list of our files is not what it should be.
    pub(crate) list_differs: bool,
    /// There is a target already.
    pub(crate) exists: bool,
}

impl Plan {
    pub(crate) fn is_done(&self) -> bool {
        self.changes.is_empty() && !self.list_differs
    }
}

/// Compares the target with the set, and refuses what a write must not do.
pub(crate) fn plan(place: &Place, files: &Files) -> Result<Plan, Error> {
    let target = &place.target;
    if place.state()?.is_none() {
        if place::look(&place.old)?.is_some() {
            return Err(Error::Interrupted { path: target.clone(), former: place.old.clone() });
        }
        let added = files.iter().map(|(path, text)| change(path, None, Some(text))).collect();
        let changes = Changes { added, ..Changes::default() };
        return Ok(Plan { changes, owned: Paths::default(), list_differs: true, exists: false });
    }

    let found = match list::read(target)? {
        Some(list) => list,
        None if place::entries(target)?.is_empty() => List::default(),
        None => return Err(Error::NotOurs { path: target.clone() }),
    };
    let owned = found.paths;
    let changes = changes(target, files, &owned)?;
    Ok(Plan { changes, owned, list_differs: found.text != list::text(files), exists: true })
}

fn changes(target: &Path, files: &Files, owned: &Paths) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    let mut folders = HashSet::new();
    for (path, text) in files {
        match look(target, path, owned, &mut folders)? {
            Found::Nothing => changes.added.push(change(path, None, Some(text))),
            Found::File(bytes) if bytes == text.as_bytes() => changes.unchanged += 1,
            Found::File(bytes) if owned.has_file(path) => {
                changes.changed.push(change(path, Some(&utf8(target, path, bytes)?), Some(text)));
            }
            Found::File(_) => return Err(Error::Foreign { path: target.join(path) }),
            Found::Folder => refuse_foreign(target, Path::new(path), owned)
                .map(|()| changes.added.push(change(path, None, Some(text))))?,
            Found::Other(path) => return Err(Error::Foreign { path }),
        }
    }
    for path in owned.files().filter(|path| !files.contains_key(*path)) {
        // Where somebody put something else, our file is gone already.
        if let Found::File(bytes) = look(target, path, owned, &mut folders)? {
            changes.removed.push(change(path, Some(&utf8(target, path, bytes)?), None));
        }
    }
    Ok(changes)
}

fn change(path: &str, old: Option<&str>, new: Option<&String>) -> Change {
    Change { path: path.to_owned(), old: old.map(str::to_owned), new: new.cloned() }
}

fn utf8(target: &Path, path: &str, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| Error::NotUtf8 { path: target.join(path) })
}

/// What is where a file should be.
enum Found {
    Nothing,
    File(Vec<u8>),
    Folder,
    /// At this path, which may be that of a folder above: neither a file nor a folder, or a file in place of a folder.
    Other(PathBuf),
}

/// Looks along the path, following no symlink. Of the folders that it goes through, `known` are looked at already.
fn look<'p>(target: &Path, path: &'p str, owned: &Paths, known: &mut HashSet<&'p str>) -> Result<Found, Error> {
    for folder in paths::folders(path) {
        if known.contains(folder) {
            continue;
        }
        let full = target.join(folder);
        match place::look(&full)? {
            None => return Ok(Found::Nothing),
            Some(found) if found.is_symlink() => return Err(place::symlink(&full)),
            Some(found) if found.is_dir() => {
                known.insert(folder);
            }
            // A file of the former write, which becomes a folder now.
            Some(found) if found.is_file() && owned.has_file(folder) => return Ok(Found::Nothing),
            Some(_) => return Ok(Found::Other(full)),
        }
    }
    let full = target.join(path);
    match place::look(&full)? {
        None => Ok(Found::Nothing),
        Some(found) if found.is_symlink() => Err(place::symlink(&full)),
        Some(found) if found.is_dir() => Ok(Found::Folder),
        Some(found) if found.is_file() => fs::read(&full).map(Found::File).map_err(Error::reading(&full)),
        Some(_) => Ok(Found::Other(full)),
    }
}

/// Refuses a folder that cannot become a file because something in it, or the folder itself, is not ours.
fn refuse_foreign(target: &Path, folder: &Path, owned: &Paths) -> Result<(), Error> {
    let foreign = |path: &Path| Error::Foreign { path: target.join(path) };
    if !paths::key(folder).is_some_and(|key| owned.has_folder(&key)) {
        return Err(foreign(folder));
    }
    for name in place::entries(&target.join(folder))? {
        let path = folder.join(name);
        match place::look(&target.join(&path))? {
            None => {}
            Some(found) if found.is_dir() => refuse_foreign(target, &path, owned)?,
            Some(found) if found.is_file() && paths::key(&path).is_some_and(|key| owned.has_file(&key)) => {}
            Some(_) => return Err(foreign(&path)),
        }
    }
    Ok(())
}
