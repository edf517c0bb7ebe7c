//! What a write does, for the caller to show.

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
}
