//! What names a place in a git repository.

use super::text_unit;

text_unit! {
    /// A branch, tag or commit.
    GitRevision,
    expected: "a branch, tag or commit such as `main` or `v1.2.0`",
    pattern: r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9_-])?$",
    check: |text| {
        let edge = |b: Option<&u8>, more: &[u8]| b.is_some_and(|b| b.is_ascii_alphanumeric() || more.contains(b));
        let bytes = text.as_bytes();
        match bytes.len() {
            0 => Err("empty"),
            256.. => Err("longer than 255 characters"),
            _ if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(b)) => Err(""),
            _ if !edge(bytes.first(), b"") || !edge(bytes.last(), b"_-") => Err(""),
            _ if text.contains("..") || text.contains("//") => Err("git refuses `..` and `//`"),
            _ => Ok(()),
        }
    }
}

text_unit! {
    /// A folder of a repository, relative to its root: segments of letters, digits, `-`, `_` and `.`.
    FolderPath,
    expected: "a folder such as `manifests` or `clusters/a/manifests`, without a slash at either end",
    pattern: r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$",
    check: |text| {
        let segment = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        if text.split('/').all(segment) { Ok(()) } else { Err("") }
    }
}
