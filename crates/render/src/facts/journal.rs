//! What collectors are told of the journal of nodes.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use vigil_stack::model::Journal;

/// What is read of it; nothing where it is not read.
pub(super) fn journal(journal: &Journal) -> Value {
    let own = [("job".to_owned(), "systemd-journal".to_owned())];
    let said = journal.labels.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    let labels: BTreeMap<_, _> = own.into_iter().chain(said).collect();
    if journal.enabled { json!({ "maxAge": journal.max_age.as_go(), "labels": labels }) } else { Value::Null }
}
