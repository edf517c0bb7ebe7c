//! Reading the fields of objects: one name for each question, whatever is asked.
//!
//! A field is named by its key, or by the keys that lead to it: `"name"`, `["metadata", "name"]`.

use vigil_forms::quantity;
use vigil_yaml::plain::Plain;
use vigil_yaml::{Data, Entry, Node};

/// The way to a field.
pub(crate) trait Path: Copy {
    /// The value at its end.
    fn value(self, node: &Node) -> Option<&Node>;
}

impl Path for &str {
    fn value(self, node: &Node) -> Option<&Node> {
        node.get(self)
    }
}

impl Path for &&str {
    fn value(self, node: &Node) -> Option<&Node> {
        node.get(self)
    }
}

impl Path for &[&str] {
    fn value(self, node: &Node) -> Option<&Node> {
        node.at(self)
    }
}

impl<const N: usize> Path for [&str; N] {
    fn value(self, node: &Node) -> Option<&Node> {
        node.at(&self)
    }
}

impl<const N: usize> Path for &[&str; N] {
    fn value(self, node: &Node) -> Option<&Node> {
        node.at(self)
    }
}

/// The value of a field that is there: null is as good as nothing.
pub(crate) fn given(node: &Node, path: impl Path) -> Option<&Node> {
    path.value(node).filter(|value| !value.is_null())
}

/// The items of a list; none when it is not there.
pub(crate) fn items(node: &Node, path: impl Path) -> &[Node] {
    path.value(node).map(Node::items).unwrap_or_default()
}

/// The entries of a mapping; none when it is not there.
pub(crate) fn entries(node: &Node, path: impl Path) -> &[Entry] {
    path.value(node).map(Node::entries).unwrap_or_default()
}

/// The texts of a list; what is no text is passed over.
pub(crate) fn texts(node: &Node, path: impl Path) -> impl Iterator<Item = &str> {
    items(node, path).iter().filter_map(Node::text)
}

/// A text that is not empty: an empty one is none, which is what the fields of the API mostly make of it.
pub(crate) fn text(node: &Node, path: impl Path) -> Option<&str> {
    filled(node, path).map(|(_, text)| text)
}

/// A text that is not empty, with its place.
pub(crate) fn filled(node: &Node, path: impl Path) -> Option<(&Node, &str)> {
    let value = path.value(node)?;
    Some((value, filled_text(value)?))
}

/// The text of a value, unless it is empty.
pub(crate) fn filled_text(node: &Node) -> Option<&str> {
    node.text().filter(|text| !text.is_empty())
}

/// A whole number.
pub(crate) fn integer(node: &Node, path: impl Path) -> Option<i64> {
    path.value(node)?.integer()
}

/// Whether a boolean is true.
pub(crate) fn is_set(node: &Node, path: impl Path) -> bool {
    path.value(node).and_then(Node::boolean) == Some(true)
}

/// As many parts a quantity has of one.
pub(crate) const BILLION: i128 = 1_000_000_000;

/// What a quantity is worth, in billionths.
pub(crate) fn amount(node: &Node) -> Option<i128> {
    match node.scalar()? {
        Plain::Text => quantity::nanos(written(node)),
        Plain::Integer(value) => Some(i128::from(value) * BILLION),
        Plain::Float(value) => quantity::nanos(&value.to_string()),
        _ => None,
    }
}

/// A whole size in bytes as programs of Go take it whose `KB` is 1024 bytes.
pub(crate) fn size(text: &str) -> Option<i128> {
    let text = text.trim().to_ascii_uppercase();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let power = match unit.trim_start().trim_end_matches('B') {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        "P" => 50,
        "E" => 60,
        _ => return None,
    };
    Some(i128::from(number.parse::<u64>().ok()?) << power)
}

/// The text of a scalar as it is written.
pub(crate) fn written(node: &Node) -> &str {
    match &node.data {
        Data::Scalar(scalar) => &scalar.text,
        _ => "",
    }
}
