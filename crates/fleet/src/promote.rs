//! What one ring says, said of the next: a change of the file of that ring, line by line.

use std::ops::Range;
use std::sync::Arc;
use vigil_yaml::{Data, Limits, Node, Problem, Source, Span};

/// A value that goes from one ring to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its dotted path.
    pub path: String,
    /// What the other ring said before; nothing if it did not.
    pub before: Option<String>,
    /// What it says now.
    pub after: String,
}

/// A ring's file with what another says.
#[derive(Debug)]
pub struct Promotion {
    /// Its text.
    pub text: String,
    /// What changed in it, in the order of the other's file.
    pub moved: Vec<Moved>,
    /// What is no single value and has to be taken over by hand, with its place in the other's file.
    pub left: Vec<(String, Span)>,
}

/// Says in `to` what `from` says at or below the dotted paths `keys`, of everything if there are none. Comments and
/// whatever else `to` says stay as they are.
///
/// # Errors
/// What is wrong with one of the two, or that a change cannot be made in its text.
pub fn promote(from: &Arc<Source>, to: &Arc<Source>, keys: &[String]) -> Result<Promotion, Vec<Problem>> {
    let said = read(from)?;
    let mut promotion = Promotion { text: to.text.to_string(), moved: Vec::new(), left: Vec::new() };
    let mut values = Vec::new();
    leaves(&said, &mut Vec::new(), &mut values);
    for (path, node) in values {
        let name = path.join(".");
        let is_asked =
            |key: &String| name.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        if !keys.is_empty() && !keys.iter().any(is_asked) {
            continue;
        }
        let now = Source::new(to.name.as_str(), promotion.text.as_str());
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
            promotion.left.push((name, node.span.clone()));
            continue;
        }
        let (range, text) = edit(&root, &keys, value);
        promotion.text.replace_range(range, &text);
        let is_said = read(&Source::new(to.name.as_str(), promotion.text.as_str()));
        if is_said.ok().and_then(|root| root.at(&keys).map(Node::to_json)) != Some(node.to_json()) {
            let problem = Problem::in_file(format!("`{name}` cannot be set here"), to.name.as_str());
            return Err(vec![problem.help(format!("write `{name}: {value}` into it by hand"))]);
        }
        let before = there.map(|there| there.span.text().to_owned());
        promotion.moved.push(Moved { path: name, before, after: value.to_owned() });
    }
    Ok(promotion)
}

/// What a file says; nothing is an empty mapping at its end.
fn read(source: &Arc<Source>) -> Result<Node, Vec<Problem>> {
    let root = vigil_yaml::read_one(source, &Limits::default())?;
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
    let first = parent.entries().first();
    if text[parent.span.range.clone()].starts_with('{') {
        let inner = rest.iter().rev().fold(value.to_owned(), |inner, key| {
            if inner == value { format!("{key}: {inner}") } else { format!("{key}: {{ {inner} }}") }
        });
        let comma = if first.is_some() { "," } else { " " };
        let at = parent.span.range.start + 1;
        return (at..at, format!(" {inner}{comma}"));
    }
    let Some(first) = first else {
        // Nothing below the key yet, or nothing in the file.
        let indent = if known == 0 { 0 } else { 2 * known };
        let at = text.len();
        let line = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return (at..at, format!("{line}{}", block(rest, value, indent)));
    };
    let start = first.key.span.range.start;
    let line = text[..start].rfind('\n').map_or(0, |line| line + 1);
    if known == 0 {
        // Behind everything else, where it disturbs no comment.
        let line = if text.ends_with('\n') { "" } else { "\n" };
        return (
            text.len()..text.len(),
            format!("{line}{}", block(rest, value, start - text[..start].rfind('\n').map_or(0, |at| at + 1))),
        );
    }
    (line..line, block(rest, value, start - line))
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

    fn promoted(from: &str, to: &str, keys: &[&str]) -> Promotion {
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        promote(&Source::new("from.yaml", from), &Source::new("to.yaml", to), &keys).unwrap()
    }

    #[test]
    fn a_line_moves_and_everything_else_stays() {
        let to = "# Ring prod.\nprometheus:\n  # Slowly.\n  image: a:1 # pinned\n  retention: 1d\nloki: { image: \"b:1\" }\n";
        let from =
            "prometheus:\n  image: a:2\n  replicas: 2\nloki:\n  image: b:2\n  logLevel: debug\ngrafana: {image: c:2}\n";
        let all = promoted(from, to, &[]);
        assert_eq!(
            all.text,
            "# Ring prod.\nprometheus:\n  # Slowly.\n  replicas: 2\n  image: a:2 # pinned\n  retention: 1d\n\
             loki: { logLevel: debug, image: b:2 }\ngrafana:\n  image: c:2\n"
        );
        assert_eq!(all.moved.len(), 5);
        let one = promoted(from, to, &["loki.image"]);
        assert_eq!(one.text, to.replace("\"b:1\"", "b:2"));
        let expected = Moved { path: "loki.image".into(), before: Some("\"b:1\"".into()), after: "b:2".into() };
        assert_eq!(one.moved, [expected]);
        assert_eq!(promoted(from, &all.text, &[]).moved, []);
    }

    #[test]
    fn an_empty_file_is_begun() {
        for to in ["", "# Ring prod.\n", "# Ring prod."] {
            let after = promoted("a: {b: 1}\nc: x\n", to, &[]).text;
            let line = if to.is_empty() { String::new() } else { format!("{}\n", to.trim_end()) };
            assert_eq!(after, format!("{line}a:\n  b: 1\nc: x\n"));
        }
        assert_eq!(promoted("a: {b: 1}\n", "a:\n", &[]).text, "a:\n  b: 1\n");
    }

    #[test]
    fn what_is_no_line_is_left() {
        let promotion = promoted("a: [1, 2]\nb: |\n  x\n  y\nc: 1\n", "c: [2]\n", &[]);
        assert_eq!(promotion.text, "c: [2]\n");
        let left: Vec<_> = promotion.left.iter().map(|(path, span)| (path.as_str(), span.line_column().0)).collect();
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
        fn a_promotion_is_a_layer(from in values(), to in values()) {
            prop_assume!(from.is_object() && to.is_object());
            let [one, other] = [&from, &to].map(|value| Source::new("t", vigil_yaml::write(value)));
            let Ok(promotion) = promote(&one, &other, &[]) else { return Ok(()) };
            prop_assume!(promotion.left.is_empty());
            let [one, other, after] = [one, other, Source::new("t", promotion.text.as_str())].map(|it| read(&it).unwrap());
            prop_assert_eq!(after.to_json(), one.over(&other).to_json());
            prop_assert!(json!(promotion.text).is_string());
        }
    }
}
