//! What one file says, said in another: line by line, with comments and everything else there as they are.

use crate::{Data, Limits, Node, Problem, Source, Span};
use std::ops::Range;
use std::sync::Arc;

/// A value that is another now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    /// Its dotted path.
    pub path: String,
    /// What the file said before; nothing if it did not.
    pub before: Option<String>,
    /// What it says now.
    pub after: String,
}

/// A file with what another says.
#[derive(Debug)]
pub struct Amendment {
    /// Its text.
    pub text: String,
    /// What changed in it, in the order of the other file.
    pub amended: Vec<Amended>,
    /// What is no single value and has to be taken over by hand, with its place in the other file.
    pub left: Vec<(String, Span)>,
}

/// Says in `to` what `from` says at or below the dotted paths `keys`, of everything if there are none. Comments and
/// whatever else `to` says stay as they are.
///
/// # Errors
/// What is wrong with one of the two, or that a change cannot be made in its text.
pub fn amend(from: &Arc<Source>, to: &Arc<Source>, keys: &[String]) -> Result<Amendment, Vec<Problem>> {
    let said = read(from)?;
    let mut amendment = Amendment { text: to.text.to_string(), amended: Vec::new(), left: Vec::new() };
    let mut values = Vec::new();
    leaves(&said, &mut Vec::new(), &mut values);
    for (path, node) in values {
        let name = path.join(".");
        let is_asked =
            |key: &String| name.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        if !keys.is_empty() && !keys.iter().any(is_asked) {
            continue;
        }
        let now = Source::new(to.name.as_str(), amendment.text.as_str());
        let root = read(&now)?;
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        let there = root.at(&keys);
        if there.is_some_and(|there| there.to_json() == node.to_json()) {
            continue;
        }
        let value = node.span.text();
        let is_line = matches!(node.data, Data::Scalar(_)) && !value.contains('\n');
        let replaced =
            there.is_none_or(|there| matches!(there.data, Data::Scalar(_)) && !there.span.text().contains('\n'));
        if !is_line || !replaced {
            amendment.left.push((name, node.span.clone()));
            continue;
        }
        let (range, text) = edit(&root, &keys, value);
        amendment.text.replace_range(range, &text);
        let is_said = read(&Source::new(to.name.as_str(), amendment.text.as_str()));
        if is_said.ok().and_then(|root| root.at(&keys).map(Node::to_json)) != Some(node.to_json()) {
            let problem = Problem::in_file(format!("`{name}` cannot be set here"), to.name.as_str());
            return Err(vec![problem.help(format!("write `{name}: {value}` into it by hand"))]);
        }
        let before = there.map(|there| there.span.text().to_owned());
        amendment.amended.push(Amended { path: name, before, after: value.to_owned() });
    }
    Ok(amendment)
}

/// What a file says; nothing is an empty mapping at its end.
fn read(source: &Arc<Source>) -> Result<Node, Vec<Problem>> {
    let root = crate::read_one(source, &Limits::default())?;
    let end = source.text.len();
    let nothing = || Node { data: Data::Map(Vec::new()), span: Span::new(source, end..end) };
    Ok(root.filter(|root| !root.is_null()).unwrap_or_else(nothing))
}

/// Every value that is no mapping, with its path.
fn leaves<'n>(node: &'n Node, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, &'n Node)>) {
    match &node.data {
        Data::Map(entries) => {
            for entry in entries {
                path.push(entry.key.text.clone());
                leaves(&entry.value, path, found);
                path.pop();
            }
        }
        _ => found.push((path.clone(), node)),
    }
}

/// Where a text changes so that it says `value` at a path of keys, and what stands there then.
fn edit(root: &Node, keys: &[&str], value: &str) -> (Range<usize>, String) {
    if let Some(there) = root.at(keys) {
        let range = there.span.range.clone();
        // Nothing stands right behind the colon.
        let text = if range.is_empty() { format!(" {value}") } else { value.to_owned() };
        return (range, text);
    }
    let known = (0..keys.len()).rev().find(|known| root.at(&keys[..*known]).is_some()).unwrap_or_default();
    let parent = root.at(&keys[..known]).unwrap_or(root);
    let rest = &keys[known..];
    let text = &root.span.source.text;
    let entries = parent.entries();
    if text[parent.span.range.clone()].starts_with('{') {
        let inner = rest.iter().rev().fold(value.to_owned(), |inner, key| {
            if inner == value { format!("{key}: {inner}") } else { format!("{key}: {{ {inner} }}") }
        });
        return match entries.last() {
            Some(last) => (at(last.value.span.range.end), format!(", {inner}")),
            None => (at(parent.span.range.start + 1), format!(" {inner} ")),
        };
    }
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        // Nothing below the key yet, or nothing in the file.
        return (at(text.len()), on_a_line(text, text.len(), &block(rest, value, 2 * known)));
    };
    let start = first.key.span.range.start;
    let indent = start - text[..start].rfind('\n').map_or(0, |line| line + 1);
    // Behind everything else, where it parts no comment from its key.
    let end = if known == 0 { text.len() } else { line_end(text, last.value.span.range.end) };
    (at(end), on_a_line(text, end, &block(rest, value, indent)))
}

fn at(place: usize) -> Range<usize> {
    place..place
}

/// Where the line ends that a value ends on.
fn line_end(text: &str, value: usize) -> usize {
    if text[..value].ends_with('\n') {
        return value;
    }
    text[value..].find('\n').map_or(text.len(), |line| value + line + 1)
}

/// Lines for a place in a text: behind a line that has no end, they begin with one.
fn on_a_line(text: &str, place: usize, lines: &str) -> String {
    let before = &text[..place];
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    format!("{end}{lines}")
}

/// Nested keys and a value as lines.
fn block(keys: &[&str], value: &str, indent: usize) -> String {
    let mut text = String::new();
    for (depth, key) in keys.iter().enumerate() {
        let indent = " ".repeat(indent + 2 * depth);
        let value = if depth + 1 == keys.len() { format!(" {value}") } else { String::new() };
        text.extend([&indent, *key, ":", &value, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn amended(from: &str, to: &str, keys: &[&str]) -> Amendment {
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        amend(&Source::new("from.yaml", from), &Source::new("to.yaml", to), &keys).unwrap()
    }

    #[test]
    fn a_line_moves_and_everything_else_stays() {
        let to = "# Ring prod.\nprometheus:\n  # Slowly.\n  image: a:1 # pinned\n  retention: 1d\nloki: { image: \"b:1\" }\n";
        let from =
            "prometheus:\n  image: a:2\n  replicas: 2\nloki:\n  image: b:2\n  logLevel: debug\ngrafana: {image: c:2}\n";
        let all = amended(from, to, &[]);
        assert_eq!(
            all.text,
            "# Ring prod.\nprometheus:\n  # Slowly.\n  image: a:2 # pinned\n  retention: 1d\n  replicas: 2\n\
             loki: { image: b:2, logLevel: debug }\ngrafana:\n  image: c:2\n"
        );
        assert_eq!(all.amended.len(), 5);
        let one = amended(from, to, &["loki.image"]);
        assert_eq!(one.text, to.replace("\"b:1\"", "b:2"));
        let expected = Amended { path: "loki.image".into(), before: Some("\"b:1\"".into()), after: "b:2".into() };
        assert_eq!(one.amended, [expected]);
        assert_eq!(amended(from, &all.text, &[]).amended, []);
    }

    #[test]
    fn an_empty_file_is_begun() {
        for to in ["", "# Ring prod.\n", "# Ring prod."] {
            let after = amended("a: {b: 1}\nc: x\n", to, &[]).text;
            let line = if to.is_empty() { String::new() } else { format!("{}\n", to.trim_end()) };
            assert_eq!(after, format!("{line}a:\n  b: 1\nc: x\n"));
        }
        assert_eq!(amended("a: {b: 1}\n", "a:\n", &[]).text, "a:\n  b: 1\n");
    }

    #[test]
    fn what_is_no_line_is_left() {
        let amendment = amended("a: [1, 2]\nb: |\n  x\n  y\nc: 1\n", "c: [2]\n", &[]);
        assert_eq!(amendment.text, "c: [2]\n");
        let left: Vec<_> = amendment.left.iter().map(|(path, span)| (path.as_str(), span.line_column().0)).collect();
        assert_eq!(left, [("a", 1), ("b", 3), ("c", 5)]);
    }

    fn values() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof!["[a-c]{1,2}".prop_map(Value::from), (0..5u64).prop_map(Value::from)];
        scalar.prop_recursive(3, 12, 3, |inner| {
            prop::collection::btree_map("[a-d]", inner, 1..4).prop_map(|map| map.into_iter().collect())
        })
    }

    proptest! {
        /// What is promoted lies over what was there.
        #[test]
        fn an_amendment_is_a_layer(from in values(), to in values()) {
            prop_assume!(from.is_object() && to.is_object());
            let [one, other] = [&from, &to].map(|value| Source::new("t", crate::write(value)));
            let Ok(amendment) = amend(&one, &other, &[]) else { return Ok(()) };
            prop_assume!(amendment.left.is_empty());
            let [one, other, after] = [one, other, Source::new("t", amendment.text.as_str())].map(|it| read(&it).unwrap());
            prop_assert_eq!(after.to_json(), one.over(&other).to_json());
            prop_assert!(json!(amendment.text).is_string());
        }
    }
}
