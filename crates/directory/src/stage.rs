//! Builds the directory to be, beside the target.

use crate::list::{self, LIST};
use crate::paths::{self, Paths};
use crate::place::{self, Place};
use crate::plan::Plan;
use crate::{Error, Files, platform};
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Fills `new/` with the set and with all that others put into the target.
pub(crate) fn build(place: &Place, files: &Files, plan: &Plan) -> Result<(), Error> {
    let root = Path::new("");
    let changes = &plan.changes;
    let texts = changes.added.iter().chain(&changes.changed);
    let mut stage = Stage {
        place,
        plan,
        set: files.keys().map(String::as_str).collect(),
        written: texts.clone().map(|change| change.path.as_str()).collect(),
        touched: texts.clone().chain(&changes.removed).map(|change| change.path.as_str()).collect(),
        folders: BTreeMap::new(),
    };

    stage.create_folder(root, place.state()?)?;
    if plan.exists {
        stage.keep_entries(root)?;
    }
    for (path, text) in texts.filter_map(|change| Some((&change.path, change.new.as_ref()?))) {
        stage.write(path, text)?;
    }
    if plan.list_differs {
        stage.write(LIST, &list::text(files))?;
    }
    stage.finish_folders()
}

struct Stage<'a> {
    place: &'a Place,
    plan: &'a Plan,
    set: Paths,
    /// The files that get a new text.
    written: Paths,
    /// All files that differ.
    touched: Paths,
    /// Every folder of `new/`, with the one in the target that it stands for.
    folders: BTreeMap<PathBuf, Option<Metadata>>,
}

impl Stage<'_> {
    /// A path in the target. That of the target itself gets no slash from joining nothing.
    fn at(&self, path: &Path) -> PathBuf {
        if path.as_os_str().is_empty() { self.place.target.clone() } else { self.place.target.join(path) }
    }

    /// For `map_err`: a user knows the target's path, not that of the work folder.
    fn failed(&self, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
        Error::writing(self.at(path))
    }

    fn create_folder(&mut self, path: &Path, stands_for: Option<Metadata>) -> Result<(), Error> {
        let full = self.place.new.join(path);
        fs::create_dir(&full).map_err(self.failed(path))?;
        if let Some(found) = &stands_for {
            let device = |found| platform::identity(found).map(|(device, _)| device);
            let created = fs::symlink_metadata(&full).map_err(self.failed(path))?;
            if device(&created) != device(found) {
                return Err(Error::MountPoint { path: self.at(path), source: None });
            }
            platform::check_removable(&self.at(path), found, &created).map_err(self.failed(path))?;
        }
        self.folders.insert(path.to_owned(), stands_for);
        Ok(())
    }

    /// Takes over what a folder of the target holds, save for what the set replaces or removes.
    fn keep_entries(&mut self, folder: &Path) -> Result<(), Error> {
        for name in place::entries(&self.at(folder))? {
            let path = folder.join(name);
            let Some(found) = place::look(&self.at(&path))? else { continue };
            if found.is_dir() {
                self.keep_folder(&path, found)?;
            } else if !self.is_dropped(&path, &found) {
                self.keep_entry(&path, &found)?;
            }
        }
        Ok(())
    }

    fn is_dropped(&self, path: &Path, found: &Metadata) -> bool {
        paths::key(path).is_some_and(|key| {
            (key == LIST && self.plan.list_differs)
                || self.written.has_file(&key)
                || (found.is_file() && self.plan.owned.has_file(&key) && !self.set.has_file(&key))
        })
    }

    fn keep_folder(&mut self, path: &Path, found: Metadata) -> Result<(), Error> {
        self.create_folder(path, Some(found))?;
        self.keep_entries(path)?;

        // A folder of ours goes with its last file. That it is empty, the system says.
        if paths::key(path).is_some_and(|key| self.plan.owned.has_folder(&key) && !self.set.has_folder(&key)) {
            match fs::remove_dir(self.place.new.join(path)) {
                Ok(()) => drop(self.folders.remove(path)),
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                Err(error) => return Err(self.failed(path)(error)),
            }
        }
        Ok(())
    }

    /// Gives the entry itself a second name. What cannot have one is copied, until the original can take its place.
    fn keep_entry(&self, path: &Path, found: &Metadata) -> Result<(), Error> {
        let (from, to) = (self.at(path), self.place.new.join(path));
        let kept = match link(&from, &to, found) {
            // Another file system is mounted there: a copy would stand in for it from then on.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Err(error),
            Err(_) => copy(&from, &to, found),
            linked => linked,
        };
        match kept {
            // Somebody removed it just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            kept => kept.map_err(self.failed(path)),
        }
    }

    fn write(&mut self, path: &str, text: &str) -> Result<(), Error> {
        for folder in paths::folders(path).map(Path::new) {
            if !self.folders.contains_key(folder) {
                self.create_folder(folder, None)?;
            }
        }
        let before = place::look(&self.at(path.as_ref()))?.filter(Metadata::is_file);
        let write = || -> io::Result<()> {
            let mut file = File::create_new(self.place.new.join(path))?;
            file.write_all(text.as_bytes())?;
            if let Some(before) = before {
                file.set_permissions(before.permissions())?;
            }
            Ok(())
        };
        write().map_err(self.failed(path.as_ref()))
    }

    /// Makes the folders that the target has look as they do there.
    fn finish_folders(&self) -> Result<(), Error> {
        for (path, stands_for) in &self.folders {
            let full = self.place.new.join(path);
            let Some(found) = stands_for else { continue };
            let key = paths::key(path).unwrap_or_default();
            let touched = key.is_empty() || self.touched.has_folder(&key);
            let dress = || -> io::Result<()> {
                platform::keep_owner(&full, found)?;
                fs::set_permissions(&full, found.permissions())?;
                if touched { Ok(()) } else { platform::keep_times(&full, found) }
            };
            dress().map_err(self.failed(path))?;
        }
        Ok(())
    }
}

fn link(from: &Path, to: &Path, found: &Metadata) -> io::Result<()> {
    fs::hard_link(from, to)?;
    // Some systems link what a symlink points to.
    if found.is_symlink() && !fs::symlink_metadata(to)?.is_symlink() {
        fs::remove_file(to)?;
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, found: &Metadata) -> io::Result<()> {
    if found.is_symlink() {
        platform::create_symlink(to, &fs::read_link(from)?, found)?;
    } else if found.is_file() {
        fs::copy(from, to)?;
        platform::sync(to)?;
    } else {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "a special file can be linked only, which failed"));
    }
    platform::keep_owner(to, found)?;
    platform::keep_times(to, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_copy_is_like_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, "text").unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_700);
        File::options().write(true).open(&from).unwrap().set_modified(long_ago).unwrap();
        let found = fs::symlink_metadata(&from).unwrap();
        copy(&from, &to, &found).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"text");
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), long_ago);
        assert_eq!(fs::metadata(&to).unwrap().permissions(), found.permissions());
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_is_copied_as_a_symlink() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::os::unix::fs::symlink("no such file", &from).unwrap();
        let found = fs::symlink_metadata(&from).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        copy(&from, &to, &found).unwrap();
        assert_eq!(fs::read_link(&to).unwrap(), Path::new("no such file"));
        assert_eq!(fs::symlink_metadata(&to).unwrap().modified().unwrap(), found.modified().unwrap());
    }
}
