//! `.vigil-files`: which files of a directory are ours.

use crate::paths::{self, Paths};
use crate::place;
use crate::{Error, Files};
use std::fs;
use std::io::Read;
use std::path::Path;

/// The list's name in the directory.
pub(crate) const LIST: &str = ".vigil-files";

const HEAD: &str = "# Files written by vigil render; it removes no others.";

/// Far more than any set needs, and little enough to read at once.
const LIMIT: u64 = 4 << 20;

/// The list's text for a set.
pub(crate) fn text(files: &Files) -> String {
    let mut text = HEAD.to_owned();
    for path in files.keys() {
        text.push('\n');
        text.push_str(path);
    }
    text.push('\n');
    text
}

/// A list as found.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// The files it names, each safe to join to the directory.
    pub(crate) paths: Paths,
    /// The text as found, which another version or a merge may have written otherwise than [`text`] does.
    pub(crate) text: String,
}

/// Reads the list of a directory, if it has one. What the list says decides what is removed, so nothing doubtful
/// in it is passed over.
pub(crate) fn read(directory: &Path) -> Result<Option<List>, Error> {
    let path = directory.join(LIST);
    let bad = |reason: String| Error::BadList { path: path.clone(), reason };

    match place::look(&path)? {
        None => return Ok(None),
        Some(found) if found.is_symlink() => return Err(place::symlink(&path)),
        Some(found) if !found.is_file() => return Err(bad("it is not a file".to_owned())),
        Some(_) => {}
    }

    let mut bytes = Vec::new();
    let file = fs::File::open(&path).map_err(Error::reading(&path))?;
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(Error::reading(&path))?;
    if bytes.len() as u64 > LIMIT {
        return Err(bad(format!("it is larger than {} MiB", LIMIT >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|_| bad("it is not UTF-8 text".to_owned()))?;
    let paths = parse(&text).map_err(bad)?;
    Ok(Some(List { paths, text }))
}

fn parse(text: &str) -> Result<Paths, String> {
    // `lines` also ends a line at `\r\n`, which git may have put there.
    let mut lines = text.lines().zip(1..);
    if !lines.next().is_some_and(|(head, _)| head.starts_with('#')) {
        return Err("line 1 should be a comment".to_owned());
    }
    lines
        .map(|(path, number)| match paths::check(path) {
            Ok(()) => Ok(path),
            Err(reason) => {
                let start: String = path.chars().take(80).collect();
                Err(format!("line {number}, `{}`: {reason}", start.escape_debug()))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_back() {
        let files = ["b/c", "a", "#a"].map(|path| (path.to_owned(), String::new()));
        let text = text(&Files::from(files));
        assert_eq!(text, format!("{HEAD}\n#a\na\nb/c\n"));
        let paths = parse(&text).unwrap();
        assert_eq!(paths.files().collect::<Vec<_>>(), ["#a", "a", "b/c"]);
        let with_returns = parse(&text.replace('\n', "\r\n")).unwrap();
        assert_eq!(with_returns.files().collect::<Vec<_>>(), ["#a", "a", "b/c"]);
    }

    #[test]
    fn a_doubtful_list_is_refused() {
        let cases = [
            ("", "line 1 should be a comment"),
            ("a\n", "line 1 should be a comment"),
            ("#\na\n../../etc/passwd\n", "line 3, `../../etc/passwd`: it has a `.` or `..` component"),
            ("#\n/etc/passwd\n", "line 2, `/etc/passwd`: it is absolute"),
            ("#\na\0b\n", "line 2, `a\\0b`: it has a control character"),
            ("#\n\n", "line 2, ``: it is empty"),
            ("#\n.vigil-files\n", "line 2, `.vigil-files`: that name is vigil's own"),
        ];
        for (text, reason) in cases {
            assert_eq!(parse(text).unwrap_err(), reason, "{text:?}");
        }
        let long = format!("#\n{}\u{1b}", "a".repeat(1_000_000));
        assert!(parse(&long).unwrap_err().len() < 200);
    }
}
