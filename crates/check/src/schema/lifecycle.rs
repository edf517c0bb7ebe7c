//! API versions that are, or soon will be, served no more.
//!
//! `schemas/lifecycle.jsonl` holds one a line, from what the Go types say of themselves.

use crate::version::Version;
use serde_json::Value;
use std::sync::OnceLock;

const TEXT: &str = include_str!("../../../../schemas/lifecycle.jsonl");

/// What becomes of a kind.
pub(crate) struct Lifecycle {
    kind: [String; 3],
    /// Since when it is deprecated.
    pub(crate) deprecated: Option<Version>,
    /// Since when it is not served.
    pub(crate) removed: Option<Version>,
    /// What to use instead: group, version, kind.
    replacement: Option<[String; 3]>,
}

impl Lifecycle {
    /// What to write instead.
    pub(crate) fn remedy(&self) -> String {
        match &self.replacement {
            Some([group, version, kind]) => {
                let api = if group.is_empty() { version.clone() } else { format!("{group}/{version}") };
                if *kind == self.kind[2] {
                    format!("write `apiVersion: {api}`, and mind the fields that changed")
                } else {
                    format!("use {kind} of {api}")
                }
            }
            None => "nothing takes its place; remove the object".to_owned(),
        }
    }
}

/// What is known of the end of a kind.
pub(crate) fn of(group: &str, version: &str, kind: &str) -> Option<&'static Lifecycle> {
    static ALL: OnceLock<Vec<Lifecycle>> = OnceLock::new();
    let all = ALL.get_or_init(|| TEXT.lines().filter_map(read).collect());
    all.iter().find(|lifecycle| lifecycle.kind == [group, version, kind])
}

fn read(line: &str) -> Option<Lifecycle> {
    let json: Value = serde_json::from_str(line).ok()?;
    let kind = |key: &str| {
        let texts: Vec<String> =
            json[key].as_array()?.iter().map(|part| part.as_str().unwrap_or_default().to_owned()).collect();
        <[String; 3]>::try_from(texts).ok()
    };
    let version = |key: &str| json[key].as_str()?.parse().ok();
    Some(Lifecycle {
        kind: kind("kind")?,
        deprecated: version("deprecated"),
        removed: version("removed"),
        replacement: kind("replacement"),
    })
}
