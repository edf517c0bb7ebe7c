//! What a write does, for the caller to show.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a write would do, or did. Each list is sorted by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files that were not there.
    pub added: Vec<Change>,
    /// Files that had another text.
    pub changed: Vec<Change>,
    /// Files of a former write that are not in the set any more.
    pub removed: Vec<Change>,
    /// How many files stay as they are.
    pub unchanged: usize,
}

/// One file that differs, with both texts so that a caller can draw a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The path relative to the directory.
    pub path: String,
    /// The text before, unless the file was added.
    pub old: Option<String>,
    /// The text after, unless the file was removed.
    pub new: Option<String>,
}

impl Changes {
    /// True when no file differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// All that differs: the files that were added, then those that changed, then those that were removed.
    pub fn into_list(self) -> impl Iterator<Item = Change> {
        self.added.into_iter().chain(self.changed).chain(self.removed)
    }

    /// These changes and earlier ones as if they were one write: a file that is again what it was did not change.
    #[must_use]
    pub fn after(self, earlier: Vec<Change>) -> Self {
        let total = self.added.len() + self.changed.len() + self.unchanged;
        let mut both: BTreeMap<String, Change> =
            earlier.into_iter().map(|change| (change.path.clone(), change)).collect();
        for change in self.into_list() {
            let old = both.remove(&change.path).map_or(change.old, |earlier| earlier.old);
            both.insert(change.path.clone(), Change { old, ..change });
        }
        let mut changes = Self::default();
        for change in both.into_values().filter(|change| change.old != change.new) {
            match (&change.old, &change.new) {
                (None, _) => changes.added.push(change),
                (_, None) => changes.removed.push(change),
                _ => changes.changed.push(change),
            }
        }
        changes.unchanged = total - changes.added.len() - changes.changed.len();
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, old: Option<&str>, new: Option<&str>) -> Change {
        Change { path: path.to_owned(), old: old.map(str::to_owned), new: new.map(str::to_owned) }
    }

    #[test]
    fn two_writes_are_told_as_one() {
        let earlier = vec![
            change("added then changed", None, Some("1")),
            change("added then removed", None, Some("1")),
            change("back again", Some("1"), Some("2")),
            change("changed then nothing", Some("1"), Some("2")),
            change("changed twice", Some("1"), Some("2")),
            change("removed then added", Some("1"), None),
        ];
        let later = Changes {
            added: vec![change("removed then added", None, Some("2"))],
            changed: vec![
                change("added then changed", Some("1"), Some("2")),
                change("back again", Some("2"), Some("1")),
                change("changed twice", Some("2"), Some("3")),
                change("only now", Some("1"), Some("2")),
            ],
            removed: vec![change("added then removed", Some("1"), None)],
            unchanged: 2,
        };
        let both = Changes {
            added: vec![change("added then changed", None, Some("2"))],
            changed: vec![
                change("changed then nothing", Some("1"), Some("2")),
                change("changed twice", Some("1"), Some("3")),
                change("only now", Some("1"), Some("2")),
                change("removed then added", Some("1"), Some("2")),
            ],
            removed: Vec::new(),
            unchanged: 2,
        };
        assert_eq!(later.after(earlier), both);
    }
}
