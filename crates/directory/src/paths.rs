//! Which relative paths may be written, and where they lie to each other.

use crate::list::LIST;
use crate::{Error, Files};
use std::collections::BTreeSet;
use std::path::{Component, Path};

/// Refuses a set with a path that is unsafe, or that another path of the set needs as a folder.
pub(crate) fn validate(files: &Files) -> Result<(), Error> {
    for path in files.keys() {
        check(path).map_err(|reason| Error::BadPath { path: path.clone(), reason })?;
        if let Some(file) = folders(path).find(|folder| files.contains_key(*folder)) {
            return Err(Error::FileAndFolder { file: file.to_owned(), below: path.clone() });
        }
    }
    Ok(())
}

/// Says what is wrong with a path. One that passes cannot lead out of the directory it is relative to.
pub(crate) fn check(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("it is empty");
    }
    if path.starts_with('/') {
        return Err("it is absolute");
    }
    if path.contains('\\') {
        return Err("it has a backslash");
    }
    // The list of our files has one path a line.
    if path.contains(char::is_control) {
        return Err("it has a control character");
    }
    if cfg!(windows) && path.contains(':') {
        return Err("it has a colon, which names a drive or a stream");
    }
    for part in path.split('/') {
        match part {
            "" => return Err("it has an empty component"),
            "." | ".." => return Err("it has a `.` or `..` component"),
            _ if part.eq_ignore_ascii_case(LIST) => return Err("that name is vigil's own"),
            _ => {}
        }
    }
    Ok(())
}

/// The folders that a file lies in, outermost first.
pub(crate) fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

/// A path found on disk in the form of the set's paths; a name that is not UTF-8 has none and so is never ours.
pub(crate) fn key(relative: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = relative
        .components()
        .map(|component| match component {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    parts.map(|parts| parts.join("/"))
}

/// Files, and the folders that are there only because of them.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Paths {
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    pub(crate) fn has_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }
}

impl<'a> FromIterator<&'a str> for Paths {
    fn from_iter<I: IntoIterator<Item = &'a str>>(files: I) -> Self {
        let files: BTreeSet<String> = files.into_iter().map(str::to_owned).collect();
        let folders = files.iter().flat_map(|path| folders(path)).map(str::to_owned).collect();
        Self { files, folders }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_relative_paths_pass() {
        for path in ["a", "a/b/c.yaml", ".hidden", "...", "a b", "ä/ö", "#a", "a..b"] {
            assert_eq!(check(path), Ok(()), "{path:?}");
        }
    }

    #[test]
    fn paths_that_could_lead_elsewhere_are_refused() {
        let cases = [
            ("", "it is empty"),
            ("/", "it is absolute"),
            ("/etc/passwd", "it is absolute"),
            ("a//b", "it has an empty component"),
            ("a/", "it has an empty component"),
            (".", "it has a `.` or `..` component"),
            ("..", "it has a `.` or `..` component"),
            ("a/./b", "it has a `.` or `..` component"),
            ("a/../../b", "it has a `.` or `..` component"),
            ("a\\..\\b", "it has a backslash"),
            ("a\0b", "it has a control character"),
            ("a\nb", "it has a control character"),
            ("a\r", "it has a control character"),
            (".vigil-files", "that name is vigil's own"),
            (".Vigil-Files", "that name is vigil's own"),
            ("a/.vigil-files/b", "that name is vigil's own"),
        ];
        for (path, reason) in cases {
            assert_eq!(check(path), Err(reason), "{path:?}");
        }
    }

    #[test]
    fn a_file_cannot_also_be_a_folder() {
        // `a.b` sorts between the two.
        let files = ["a", "a.b", "a/b/c"].map(|path| (path.to_owned(), String::new()));
        let error = validate(&Files::from(files)).unwrap_err();
        assert_eq!(error.to_string(), "`a` is a file, so `a/b/c` cannot be in it");
    }

    #[test]
    fn folders_are_those_of_the_files_alone() {
        let paths: Paths = ["a/b/c", "ab"].into_iter().collect();
        assert!(paths.has_folder("a") && paths.has_folder("a/b"));
        assert!(!paths.has_folder("a/b/c") && !paths.has_folder("ab") && !paths.has_folder(""));
    }
}
