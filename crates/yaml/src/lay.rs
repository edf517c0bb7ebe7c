//! One value over another one.

use serde_json::Value;

/// Lays a value over another one: mappings are merged by their keys, anything else is replaced, a `null` too. The same for
/// trees that know their places is [`Node::over`](crate::Node::over).
pub fn lay(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                lay(below.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Node, Source, read_one};
    use proptest::prelude::*;
    use serde_json::json;

    fn values() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), (0..3_i32).prop_map(Value::from), "[a-c]{1,2}x".prop_map(Value::from)];
        leaf.prop_recursive(3, 20, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    fn laid(mut below: Value, above: &Value) -> Value {
        lay(&mut below, above);
        below
    }

    fn node(value: &Value) -> Node {
        read_one(&Source::new("t", crate::write(value)), &Limits::default()).unwrap().unwrap()
    }

    proptest! {
        #[test]
        fn the_same_twice_or_over_nothing_is_itself(value in values()) {
            prop_assert_eq!(&laid(value.clone(), &value), &value);
            prop_assert_eq!(&laid(json!({}), &value), &value);
        }

        #[test]
        fn what_is_laid_over_stays_on_top(below in values(), above in values()) {
            let once = laid(below, &above);
            prop_assert_eq!(laid(once.clone(), &above), once);
        }

        #[test]
        fn trees_are_laid_as_values_are(below in values(), above in values()) {
            prop_assert_eq!(node(&above).over(&node(&below)).to_json(), laid(below, &above));
        }
    }
}
