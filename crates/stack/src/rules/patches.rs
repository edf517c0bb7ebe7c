//! What cannot be a patch. Whether it fits the objects is seen when there are any.

use crate::findings::Findings;
use crate::model::{Operation, OperationKind, Patch};

pub(crate) fn check(patches: &[Patch], findings: &mut Findings) {
    for (at, patch) in patches.iter().enumerate() {
        let path = format!("patches.{at}");
        match (&patch.merge, &*patch.json) {
            (Some(_), []) | (None, [_, ..]) => {}
            (Some(_), _) => findings.error(
                &[&format!("{path}.json"), &path],
                format!("`patches[{at}]` has both `merge` and `json`"),
                "a patch is of one kind",
                "make two patches of it; each is applied to what the one before it has made",
            ),
            (None, []) => findings.error(
                &[&path],
                format!("`patches[{at}]` says of no field what shall become of it"),
                "has neither `merge` nor `json`",
                "write the fields below `merge:`, or operations below `json:`",
            ),
        }
        for (number, operation) in patch.json.iter().enumerate() {
            self::operation(&format!("{path}.json.{number}"), operation, findings);
        }
    }
}

/// Each operation has its own keys beside `op` and `path`.
fn operation(path: &str, operation: &Operation, findings: &mut Findings) {
    let Operation { op, value, from, .. } = operation;
    let name = format!("{op:?}").to_lowercase();
    let takes_value = matches!(op, OperationKind::Add | OperationKind::Replace | OperationKind::Test);
    let takes_from = matches!(op, OperationKind::Copy | OperationKind::Move);
    for (key, takes, has) in [("value", takes_value, value.is_some()), ("from", takes_from, from.is_some())] {
        if takes && !has {
            let help = match (key, op) {
                ("value", OperationKind::Replace) => "add `value:`; a field is taken away by `op: remove`",
                ("value", _) => "add `value:`; a field without a value is one that is not there",
                _ => "add `from:`, the path of the value",
            };
            findings.error(
                &[&format!("{path}.op")],
                format!("`op: {name}` has no `{key}`"),
                &format!("needs a `{key}`"),
                help,
            );
        }
        if has && !takes {
            findings.error(
                &[&format!("{path}.{key}"), path],
                format!("`op: {name}` takes no `{key}`"),
                "it would change nothing",
                "remove it, or choose another `op`",
            );
        }
    }
}
