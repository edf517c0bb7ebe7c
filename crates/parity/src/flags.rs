//! Command lines as the flags they set.

use serde_json::{Map, Value};

/// Arguments by flag, in any order; a flag that is repeated has all its values, and where one of them is a list the
/// others lengthen it. What is no flag stands in order under `[words]`. `--flag value`, `--flag=value`, and `--flag` and `--flag=true` mean the same.
pub(crate) fn flags(arguments: &[Value]) -> Map<String, Value> {
    let arguments: Vec<String> = arguments.iter().map(plain).collect();
    let mut flags: Map<String, Value> = Map::new();
    let mut words = Vec::new();
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        if argument.len() < 2 || !argument.starts_with('-') || argument.contains(char::is_whitespace) {
            words.push(Value::from(argument.as_str()));
            continue;
        }
        let (flag, value) = match argument.split_once('=') {
            Some((flag, value)) => (flag, value.to_owned()),
            None => match rest.next_if(|next| !next.starts_with('-')) {
                Some(value) => (argument.as_str(), value.clone()),
                None => (argument.as_str(), "true".to_owned()),
            },
        };
        let key = format!("[{flag}]");
        match flags.get_mut(&key) {
            None => {
                flags.insert(key, value.into());
            }
            Some(Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
        }
    }
    for value in flags.values_mut() {
        let Value::Array(values) = value else { continue };
        let texts: Vec<String> = values.iter().map(plain).collect();
        if texts.iter().any(|text| text.contains(',')) {
            let mut list: Vec<&str> = Vec::new();
            for entry in texts.iter().flat_map(|text| text.split(',')) {
                if !list.contains(&entry) {
                    list.push(entry);
                }
            }
            *value = list.join(",").into();
            continue;
        }
        values.sort_by_key(plain);
        values.dedup();
        if values.len() == 1 {
            *value = values.remove(0);
        }
    }
    if !words.is_empty() {
        flags.insert("[words]".to_owned(), words.into());
    }
    flags
}

/// A scalar as its text.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(arguments: &[&str]) -> Value {
        Value::Object(flags(&arguments.iter().map(|text| json!(text)).collect::<Vec<_>>()))
    }

    #[test]
    fn order_and_spelling_do_not_matter() {
        assert_eq!(of(&["--a=1", "-b", "2", "--c"]), of(&["--c=true", "--a", "1", "-b=2"]));
        assert_ne!(of(&["--a=1"]), of(&["--a=2"]));
    }

    #[test]
    fn repeated_flags_keep_their_values() {
        assert_eq!(of(&["--m=b", "--m=a", "--m=a"]), json!({"[--m]": ["a", "b"]}));
        assert_eq!(of(&["--m=a", "--m=a"]), json!({"[--m]": "a"}));
        assert_eq!(of(&["--m=b,a", "--m=a", "--m=c"]), json!({"[--m]": "b,a,c"}));
        assert_ne!(of(&["--m=b,a", "--m=a"]), of(&["--m=a"]));
    }

    #[test]
    fn words_keep_their_order() {
        assert_eq!(of(&["create", "--host=x", "all"]), json!({"[--host]": "x", "[words]": ["create", "all"]}));
        assert_eq!(of(&["- not a flag", "-"]), json!({"[words]": ["- not a flag", "-"]}));
    }
}
