//! What collectors are told of the journal of nodes.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use vigil_stack::model::Journal;

/// Units that are one of many: each carries a number or an ID, and would be a stream of its own.
const NUMBERED_UNITS: &str = r"(session|run|docker|crio|cri-containerd)-[^.]+\.(scope|service)";

/// What is read of it; nothing where it is not read.
pub(super) fn journal(journal: &Journal) -> Value {
    let own = [("job".to_owned(), "systemd-journal".to_owned())];
    let said = journal.labels.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    let labels: BTreeMap<_, _> = own.into_iter().chain(said).collect();
    let read = json!({ "maxAge": journal.max_age.as_go(), "labels": labels, "numberedUnits": NUMBERED_UNITS });
    if journal.enabled { read } else { Value::Null }
}
