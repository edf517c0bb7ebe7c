//! The changes between two objects are all of them: the patch that they are makes the second of the first.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use vigil_diff::{Options, compare};

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", Just("a/b".to_owned()), Just("a~b".to_owned()), Just("name".to_owned()), Just(String::new())]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3).prop_map(Value::from),
        prop_oneof!["[a-c]{0,2}", Just("--a=1".to_owned()), Just("1Gi".to_owned()), Just("a: 1\nb: [2]\n".to_owned())]
            .prop_map(Value::from),
    ]
}

/// Trees whose keys are those that lists are told apart by, among others.
fn tree() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        name(),
        proptest::sample::select(vec![
            "name",
            "ports",
            "port",
            "protocol",
            "containers",
            "args",
            "rules",
            "alert",
            "volumeMounts",
            "mountPath",
            "data",
            "spec",
            "template",
            "subjects",
            "kind",
            "status",
        ])
        .prop_map(str::to_owned),
    ];
    scalar().prop_recursive(5, 60, 6, move |inner| {
        let map = prop::collection::btree_map(key.clone(), inner.clone(), 0..5)
            .prop_map(|entries| Value::Object(entries.into_iter().collect()));
        let named = prop::collection::vec((name(), inner.clone()), 0..5)
            .prop_map(|items| items.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect());
        prop_oneof![map, named, prop::collection::vec(inner, 0..5).prop_map(Value::from)]
    })
}

fn object(kind: &str, fields: &Value) -> Value {
    let mut object = fields.as_object().cloned().unwrap_or_else(Map::new);
    object.insert("apiVersion".to_owned(), json!("v1"));
    object.insert("kind".to_owned(), json!(kind));
    object.insert("metadata".to_owned(), json!({ "name": "x", "labels": fields }));
    Value::Object(object)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]
    #[test]
    fn the_patch_makes_the_second_object_of_the_first(
        before in tree(),
        after in tree(),
        kind in proptest::sample::select(vec!["ConfigMap", "Secret", "Service", "Pod"]),
    ) {
        let (before, after) = (object(kind, &before), object(kind, &after));
        let diff = compare(std::slice::from_ref(&before), std::slice::from_ref(&after), Options { minor: 29 });
        prop_assert_eq!(diff.is_empty(), before == after);
        let mut patched = before;
        for changed in &diff.changed {
            let patch = changed.patch();
            let operations: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
            json_patch::patch(&mut patched, &operations).map_err(|error| TestCaseError::fail(format!("{error}: {patch}")))?;
        }
        prop_assert_eq!(patched, after);
    }

    #[test]
    fn nothing_differs_from_itself(fields in tree()) {
        let object = [object("Service", &fields)];
        let diff = compare(&object, &object, Options { minor: 29 });
        prop_assert!(diff.is_empty());
    }
}
