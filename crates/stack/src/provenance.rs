//! Where the values of a stack come from.

use crate::findings::at;
use crate::layers::MERGED_LISTS;
use crate::{Parsed, clusters};
use serde_json::Value;
use vigil_forms::name::is_credential;
use vigil_forms::url;
use vigil_yaml::{Data, Node};

/// A value that a stack's files or the profile of its cluster say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its dotted path, a number for an item of a list.
    pub path: String,
    /// Who says it, and what it is: first who counts, then those that it hides, the lowest last.
    pub by: Vec<Saying>,
}

/// What one of them says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// A file and its line, or a profile.
    pub place: String,
    /// The value on one line, without credentials; none where the default is asked for again.
    pub value: Option<String>,
}

impl Parsed {
    /// Every value that is said at or below a dotted path, and who says it, sorted by path; all of them for an empty path. What
    /// nobody says is left to its default.
    pub fn said(&self, path: &str) -> Vec<Said> {
        let profile = clusters::profile_of(&self.root);
        let whole = profile.as_ref().map_or_else(|| self.root.clone(), |profile| self.root.over(profile));
        let mut said = Vec::new();
        leaves(&whole, "", &mut |leaf, node| {
            if !is_at(leaf, path) {
                return;
            }
            let mut by = vec![saying(leaf, node)];
            // What was hidden may stand above: a section that another file left out.
            let hidden = self.hidden.iter().rev().filter(|hidden| is_at(leaf, &hidden.path));
            by.extend(hidden.filter_map(|hidden| {
                let rest = leaf[hidden.path.len()..].trim_start_matches('.');
                Some(saying(leaf, at(&hidden.value, rest)?))
            }));
            let profile = profile.as_ref().and_then(|profile| at(profile, leaf)).map(|node| saying(leaf, node));
            by.extend(profile.filter(|profile| *profile != by[0]));
            said.push(Said { path: leaf.to_owned(), by });
        });
        let reset = self.hidden.iter().filter(|hidden| hidden.by.is_null() && is_at(&hidden.path, path));
        for hidden in reset.filter(|hidden| at(&whole, &hidden.path).is_none()) {
            let by = [&hidden.by, &hidden.value].map(|node| saying(&hidden.path, node)).to_vec();
            said.push(Said { path: hidden.path.clone(), by });
        }
        said.sort_by(|one, other| one.path.cmp(&other.path));
        said
    }
}

/// Whether one path is another or lies below it.
fn is_at(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| above.is_empty() || rest.is_empty() || rest.starts_with('.'))
}

/// Calls `found` with every value that is no mapping: what can be merged is told apart, anything else is one value.
fn leaves(node: &Node, path: &str, found: &mut dyn FnMut(&str, &Node)) {
    let is_merged = MERGED_LISTS.iter().any(|(list, _)| *list == path);
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match &node.data {
        Data::Map(entries) if !entries.is_empty() => {
            for entry in entries {
                leaves(&entry.value, &under(&entry.key.text), found);
            }
        }
        Data::List(items) if is_merged && !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, &under(&at.to_string()), found);
            }
        }
        _ => found(path, node),
    }
}

fn saying(path: &str, node: &Node) -> Saying {
    let source = &node.span.source.name;
    let is_profile = source.starts_with(clusters::PROFILE);
    let place = if is_profile { source.clone() } else { format!("{source}:{}", node.span.line_column().0) };
    let key = path.rsplit('.').find(|name| name.parse::<usize>().is_err()).unwrap_or_default();
    let value = match (masked(key, node), &node.data) {
        (Value::Null, _) => return Saying { place, value: None },
        (Value::String(text), _) => match text.split_once('\n') {
            Some((first, _)) => format!("{first} …"),
            None => text,
        },
        // As it was written: `1.30` is no `1.3`.
        (_, Data::Scalar(scalar)) => scalar.text.clone(),
        (value, _) => value.to_string(),
    };
    Saying { place, value: Some(value) }
}

/// The value below a key, with stars for credentials.
fn masked(key: &str, node: &Node) -> Value {
    match &node.data {
        Data::List(items) => items.iter().map(|item| masked(key, item)).collect(),
        Data::Map(entries) => {
            entries.iter().map(|entry| (entry.key.text.clone(), masked(&entry.key.text, &entry.value))).collect()
        }
        Data::Scalar(scalar) => match scalar.to_json() {
            Value::String(text) if is_credential(key) && !text.is_empty() => "***".into(),
            Value::Number(_) if is_credential(key) => "***".into(),
            Value::String(text) => url::without_credentials(&text).unwrap_or(text).into(),
            other => other,
        },
    }
}
