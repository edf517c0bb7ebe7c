//! The definitions that come with Vigil: the Prometheus operator's, the Gateway API's and the VerticalPodAutoscaler's, from `schemas`.

use super::custom::{Definition, Written};
use super::model::Release;
use serde::Deserialize;
use std::fmt;
use std::sync::OnceLock;

/// Whose definitions come with Vigil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shipped {
    /// The Prometheus operator, which a set may run itself.
    Operator,
    /// The Gateway API, as its standard channel has it.
    GatewayApi,
    /// The VerticalPodAutoscaler.
    VerticalPodAutoscaler,
}

impl Shipped {
    const ALL: [Self; 3] = [Self::Operator, Self::GatewayApi, Self::VerticalPodAutoscaler];

    fn text(self) -> &'static str {
        match self {
            Self::Operator => include_str!("../../../../schemas/operator.jsonl"),
            Self::GatewayApi => include_str!("../../../../schemas/gateway-api.jsonl"),
            Self::VerticalPodAutoscaler => include_str!("../../../../schemas/vertical-pod-autoscaler.jsonl"),
        }
    }

    /// The version that they are of.
    pub(crate) fn release(self) -> Release {
        match self {
            Self::Operator => (0, 87),
            Self::GatewayApi => (1, 6),
            Self::VerticalPodAutoscaler => (1, 5),
        }
    }
}

impl fmt::Display for Shipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.release();
        match self {
            Self::Operator => write!(f, "prometheus-operator {major}.{minor}"),
            Self::VerticalPodAutoscaler => write!(f, "VerticalPodAutoscaler {major}.{minor}"),
            Self::GatewayApi => write!(f, "the standard channel of the Gateway API {major}.{minor}"),
        }
    }
}

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

/// All lines: whose they are, what is said before the schema, and the schema.
fn lines() -> &'static [(Shipped, Head, &'static str)] {
    static LINES: OnceLock<Vec<(Shipped, Head, &'static str)>> = OnceLock::new();
    let of = |whose: Shipped| whose.text().lines().filter_map(line).map(move |(head, schema)| (whose, head, schema));
    LINES.get_or_init(|| Shipped::ALL.into_iter().flat_map(of).collect())
}

/// Reads a line, whose last key is the schema.
fn line(line: &'static str) -> Option<(Head, &'static str)> {
    let (head, schema) = line.strip_suffix('}')?.split_once(",\"schema\":")?;
    let head = head.strip_prefix("{\"head\":")?;
    Some((serde_json::from_str(head).ok()?, schema))
}

/// The definition of a kind, if it is one of those.
pub(crate) fn shipped(gvk: (&str, &str, &str)) -> Option<Definition<'static>> {
    let (whose, head, schema) = lines().iter().find(|(_, head, _)| head.kind == gvk)?;
    let (group, version, kind) = head.kind;
    Some(Definition {
        group,
        version,
        kind,
        namespaced: head.namespaced,
        drops_status: head.status,
        replicas: head.replicas,
        schema: Some(Written::Json(*whose, schema)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_definitions() {
        let crd = include_str!("../../../../templates/crds/prometheuses.yaml");
        let (_, version) = crd.split_once("operator.prometheus.io/version: ").unwrap();
        assert!(version.trim_start_matches(['"', '\'']).starts_with(&starts(Shipped::Operator)));
        let pinned = include_str!("../../../../tools/definitions/go.mod");
        let (_, version) = pinned.split_once("sigs.k8s.io/gateway-api v").unwrap();
        assert!(version.starts_with(&starts(Shipped::GatewayApi)));
        let (_, version) = pinned.split_once("k8s.io/autoscaler/vertical-pod-autoscaler v").unwrap();
        assert!(version.starts_with(&starts(Shipped::VerticalPodAutoscaler)));
    }

    fn starts(whose: Shipped) -> String {
        let (major, minor) = whose.release();
        format!("{major}.{minor}.")
    }

    #[test]
    fn every_line_can_be_read() {
        assert_eq!(Shipped::ALL.map(|whose| whose.text().lines().count()).iter().sum::<usize>(), lines().len());
        for kind in lines().iter().map(|(_, head, _)| head.kind) {
            let definition = shipped(kind).expect("one of those");
            assert!(definition.schema.is_some_and(|schema| schema.json()["type"] == "object"), "{kind:?}");
        }
        assert!(shipped(("monitoring.coreos.com", "v2", "Prometheus")).is_none());
        assert!(shipped(("gateway.networking.k8s.io", "v1", "HTTPRoute")).is_some());
    }
}
