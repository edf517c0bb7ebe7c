//! The definitions that come with Vigil: the Prometheus operator's, from `schemas/operator.jsonl`.

use super::custom::{Definition, Written};
use super::model::Release;
use serde::Deserialize;
use std::sync::OnceLock;

const TEXT: &str = include_str!("../../../../schemas/operator.jsonl");

/// The version of the operator that they are of.
pub(crate) const OPERATOR: Release = (0, 87);

/// What a line says before its schema, which is read when it is needed.
#[derive(Deserialize)]
struct Head {
    #[serde(borrow)]
    kind: (&'static str, &'static str, &'static str),
    namespaced: bool,
    /// The status is written apart from the rest.
    status: bool,
    /// The path of the number that `kubectl scale` changes.
    #[serde(borrow)]
    replicas: Option<&'static str>,
}

/// All lines: what is said before the schema, and the schema.
fn lines() -> &'static [(Head, &'static str)] {
    static LINES: OnceLock<Vec<(Head, &'static str)>> = OnceLock::new();
    LINES.get_or_init(|| TEXT.lines().filter_map(line).collect())
}

/// Reads a line, whose last key is the schema.
fn line(line: &'static str) -> Option<(Head, &'static str)> {
    let (head, schema) = line.strip_suffix('}')?.split_once(",\"schema\":")?;
    let head = head.strip_prefix("{\"head\":")?;
    Some((serde_json::from_str(head).ok()?, schema))
}

/// The definition of a kind, if it is one of those.
pub(crate) fn shipped(gvk: (&str, &str, &str)) -> Option<Definition<'static>> {
    let (head, schema) = lines().iter().find(|(head, _)| head.kind == gvk)?;
    let (group, version, kind) = head.kind;
    Some(Definition {
        group,
        version,
        kind,
        namespaced: head.namespaced,
        drops_status: head.status,
        replicas: head.replicas,
        schema: Some(Written::Json(schema)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_definitions() {
        let crd = include_str!("../../../../templates/crds/prometheuses.yaml");
        let (_, version) = crd.split_once("operator.prometheus.io/version: ").unwrap();
        assert!(version.trim_start_matches(['"', '\'']).starts_with(&format!("{}.{}.", OPERATOR.0, OPERATOR.1)));
    }

    #[test]
    fn every_line_can_be_read() {
        assert_eq!(TEXT.lines().count(), lines().len());
        for kind in lines().iter().map(|(head, _)| head.kind) {
            let definition = shipped(kind).expect("one of those");
            assert!(definition.schema.is_some_and(|schema| schema.json()["type"] == "object"), "{kind:?}");
        }
        assert!(shipped(("monitoring.coreos.com", "v2", "Prometheus")).is_none());
    }
}
