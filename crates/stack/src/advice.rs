//! What somebody who made a mistake probably meant.

use vigil_yaml::plain::{self, Plain};
use vigil_yaml::words::{list, near, nearest};
use vigil_yaml::{Data, Node, Quoted};

/// What a value of the wrong type should have been, as far as that leads to advice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    Switch,
    Number,
    List,
    Mapping(&'static [&'static str]),
    Value,
}

/// What to write instead, where the value tells what its author meant.
pub(crate) fn advice(wanted: Wanted, node: &Node) -> Option<String> {
    let Data::Scalar(scalar) = &node.data else {
        let advice = match (wanted, &node.data) {
            (Wanted::Mapping(_), Data::List(_)) => "write `key: value` lines instead of a list",
            (Wanted::List, Data::Map(_)) => "put `- ` before each item",
            _ => return None,
        };
        return Some(advice.to_owned());
    };
    let text = scalar.text.as_str();
    let typed = plain::resolve(text);
    let quoted = !scalar.plain;
    match wanted {
        Wanted::Switch if quoted && matches!(typed, Plain::Bool(_)) => Some("remove the quotes".to_owned()),
        Wanted::Switch => match text.to_lowercase().as_str() {
            "yes" | "y" | "on" | "1" | "enabled" => Some("write `true`".to_owned()),
            "no" | "n" | "off" | "0" | "disabled" => Some("write `false`".to_owned()),
            _ => None,
        },
        Wanted::Number if quoted && matches!(typed, Plain::Integer(_)) => Some("remove the quotes".to_owned()),
        Wanted::List if node.is_null() => Some("write `[]` for an empty list".to_owned()),
        Wanted::List if text.starts_with('-') => Some("put a space behind each dash".to_owned()),
        Wanted::List => Some(format!("write it as a list: {}", Quoted(&format!("[{text}]")))),
        Wanted::Mapping(known) => {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(text.len());
            match (known.iter().find(|key| **key == &text[..end]), typed) {
                (Some(key), _) if end < text.len() => Some(format!("put a colon and a space behind `{key}`")),
                (_, Plain::Bool(value)) if known.contains(&"enabled") => {
                    Some(format!("write `enabled: {value}` below it"))
                }
                _ if known.is_empty() => Some("write `key: value` lines below it".to_owned()),
                _ => Some(keys(known)),
            }
        }
        Wanted::Number | Wanted::Value => None,
    }
}

/// A letter that looks like one of ours, or like a space, is best told by its number.
pub(crate) fn foreign_letter(key: &str) -> Option<String> {
    key.chars().find(|c| !c.is_ascii()).map(|c| format!("U+{:04X}", u32::from(c)))
}

/// How many keys a help lists.
const MOST_KEYS: usize = 8;

/// The help that lists what may stand in a mapping.
pub(crate) fn keys(known: &[&str]) -> String {
    match known {
        [only] => format!("the only key here is `{only}`"),
        _ if known.len() <= MOST_KEYS => format!("the keys here are {}", list(known, "and")),
        [first, second, third, ..] => {
            format!("docs/stack.md lists the {} keys here: `{first}`, `{second}`, `{third}` …", known.len())
        }
        _ => String::new(),
    }
}

/// The help for a key that is none of those that may stand here: all of them if they are few, and otherwise those that may have
/// been meant.
pub(crate) fn keys_near(key: &str, known: &'static [&'static str]) -> String {
    let near = near(key, known.iter().copied(), MOST_KEYS / 2);
    if known.len() <= MOST_KEYS || near.is_empty() {
        return keys(known);
    }
    if nearest(key, known.iter().copied()).as_slice() == near {
        return format!("docs/stack.md lists the {} keys here", known.len());
    }
    format!("near it: {}; docs/stack.md lists the {} keys here", list(&near, "and"), known.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_yaml::{Limits, Source, read_one};

    #[test]
    fn advice_on_what_was_written_instead() {
        let component = Wanted::Mapping(&["enabled", "retention"]);
        for (wanted, text, expected) in [
            (Wanted::Switch, "yes", Some("write `true`")),
            (Wanted::Switch, "Off", Some("write `false`")),
            (Wanted::Switch, "\"true\"", Some("remove the quotes")),
            (Wanted::Switch, "maybe", None),
            (Wanted::Number, "'30090'", Some("remove the quotes")),
            (Wanted::Number, "three", None),
            (Wanted::List, "a", Some("write it as a list: `[a]`")),
            (Wanted::List, "-a -b", Some("put a space behind each dash")),
            (Wanted::List, "~", Some("write `[]` for an empty list")),
            (Wanted::List, "a: b", Some("put `- ` before each item")),
            (component, "- enabled", Some("write `key: value` lines instead of a list")),
            (component, "false", Some("write `enabled: false` below it")),
            (component, "retention:10d", Some("put a colon and a space behind `retention`")),
            (component, "retention", Some("the keys here are `enabled` and `retention`")),
            (Wanted::Mapping(&["only"]), "x", Some("the only key here is `only`")),
            (Wanted::Mapping(&[]), "x", Some("write `key: value` lines below it")),
            (Wanted::Value, "[x]", None),
        ] {
            let node = read_one(&Source::new("t", text), &Limits::default()).unwrap().unwrap();
            assert_eq!(advice(wanted, &node).as_deref(), expected, "{text}");
        }
    }
}
