//! The one canonical text of a value.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

/// Keys that stand first, in this order, in every mapping; the rest follows by name.
///
/// A manifest is read from its identity down, and a container, port or volume by its name.
const FIRST: [&str; 5] = ["apiVersion", "kind", "metadata", "name", "namespace"];

/// Writes `value` as one YAML document in canonical form: block style, two spaces, keys in one order, texts of
/// several lines as literal blocks, and every string quoted that any YAML 1.1 or 1.2 reader could take for
/// something else. Equal values give equal texts.
pub fn write(value: &Value) -> String {
    let options = serde_saphyr::ser_options! {
        compact_list_indent: true,
        // A long line stays a line: folding it would hide from a reviewer what a program reads.
        folded_wrap_chars: usize::MAX,
    };
    let mut text = String::new();
    match serde_saphyr::to_fmt_writer_with_options(&mut text, &Canonical(value), options) {
        Ok(()) => text,
        // A JSON value holds nothing that YAML cannot, and a String takes all that is written to it. JSON is YAML:
        // should the serializer ever think otherwise, the value is still whole.
        Err(_) => format!("{value}\n"),
    }
}

/// How many bytes a client-side `kubectl apply` keeps of `value` in the annotation `last-applied-configuration`: compact
/// JSON as Go writes it, which spells `<`, `>`, `&` and the two separators of Unicode as escapes of six bytes, and the
/// end of the line.
pub fn last_applied_len(value: &Value) -> usize {
    let json = value.to_string();
    let longer = |c: char| match c {
        '<' | '>' | '&' => 5,
        '\u{2028}' | '\u{2029}' => 3,
        _ => 0,
    };
    json.len() + json.chars().map(longer).sum::<usize>() + 1
}

struct Canonical<'a>(&'a Value);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Canonical(item))?;
                }
                list.end()
            }
            Value::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                let first = FIRST.iter().filter_map(|key| entries.get_key_value(*key));
                let rest = entries.iter().filter(|(key, _)| !FIRST.contains(&key.as_str()));
                for (key, value) in first.chain(rest) {
                    map.serialize_entry(key, &Canonical(value))?;
                }
                map.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Source, read_one};
    use proptest::prelude::*;
    use serde_json::json;

    fn read_back(text: &str) -> Value {
        read_one(&Source::new("written", text), &Limits::default()).unwrap().unwrap().to_json()
    }

    #[test]
    fn identity_first_then_by_name() {
        let value = json!({
            "spec": {"ports": [{"port": 80, "name": "http"}], "clusterIP": "None"},
            "kind": "Service", "metadata": {"labels": {"b": "on", "a": "1"}, "namespace": "x", "name": "web"},
            "apiVersion": "v1", "data": {"empty": {}, "list": [], "none": null, "file": "a: 1\n\n  b\n"},
        });
        assert_eq!(
            write(&value),
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: x\n  labels:\n    a: \"1\"\n    b: \"on\"\n\
             data:\n  empty: {}\n  file: |\n    a: 1\n\n      b\n  list: []\n  none: null\nspec:\n  clusterIP: None\n  ports:\n  \
             - name: http\n    port: 80\n"
        );
    }

    #[test]
    fn what_kubectl_keeps_is_as_long_as_go_writes_it() {
        for (value, kept) in [
            (json!({"a": [1, "b"]}), "{\"a\":[1,\"b\"]}\n"),
            (json!("a<b && c>d"), "\"a\\u003cb \\u0026\\u0026 c\\u003ed\"\n"),
            (json!("ü\u{2028}\"\n"), "\"ü\\u2028\\\"\\n\"\n"),
        ] {
            assert_eq!(last_applied_len(&value), kept.len(), "{kept}");
        }
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC*",
            "[ \\n\\ta-z:#'\"-]{0,20}",
            "[0-9_.:eExobT+-]{1,8}",
            "[0-9_.+-]{1,3}[ \\t\u{85}\u{a0}\u{2003}\u{3000}]",
            "[\\x00-\\x7f]{0,6}",
            Just("\u{85}\u{2028}\u{feff}".to_owned()),
            Just("---\n".to_owned()),
            Just("\n\n a\n".to_owned()),
            Just("a\r\nb\r".to_owned()),
            Just("  lead\nx".to_owned()),
            Just("trail  \nx".to_owned()),
        ]
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any_text().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any_text(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
        #[test]
        fn reads_back_as_written(value in any_value()) {
            let text = write(&value);
            prop_assert_eq!(read_back(&text), value, "{}", text);
        }

        #[test]
        fn every_bare_scalar_is_portable(text in any_text()) {
            let written = write(&json!({"k": text}));
            let node = read_one(&Source::new("written", written.as_str()), &Limits::default()).unwrap().unwrap();
            node.visit_texts(&mut |text, plain, _| assert!(!plain || crate::plain::is_portable(text), "{written}"));
        }
    }
}
