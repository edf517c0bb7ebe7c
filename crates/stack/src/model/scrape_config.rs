//! What Prometheus is told to scrape by address, and the relabelings that its own configuration knows.

use super::choice;
use super::prometheus::{BasicAuth, SecretReference, TokenAuth, credentials};
use crate::units::{DnsLabel, DnsSubdomain, Duration, Expression, HostPort, HttpPath, Line, MetricLabel};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ops::Not;

/// Targets at addresses that no Service of the cluster leads to: machines, databases, devices. It becomes a `ScrapeConfig`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScrapeConfig {
    /// The end of its object's name, and the `job` of its metrics where `jobName` says no other.
    pub name: DnsLabel,
    /// Where the metrics are: hosts and ports.
    pub targets: Vec<HostPort>,
    /// The `job` of its metrics, such as `node-exporter` for machines that shall be in the dashboards of nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_name: Option<Line>,
    /// Labels for all its metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<MetricLabel, Line>,
    /// How it is asked; `http` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<ScrapeScheme>,
    /// The path of the metrics; `/metrics` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_path: Option<HttpPath>,
    /// How often it is asked; as `prometheus.scrapeInterval` says unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_interval: Option<Duration>,
    /// How long an answer may take; no longer than the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_timeout: Option<Duration>,
    /// A user and a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// A token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<TokenAuth>,
    /// How the server is known to be the right one, and Prometheus to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ScrapeTls>,
    /// Changes of the labels of its targets, before they are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relabelings: Vec<Relabeling>,
    /// Changes of the labels of its samples, before they are stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metric_relabelings: Vec<Relabeling>,
    /// What else the operator can be told of it, in its own words: `params`, `honorLabels`, `sampleLimit`, `proxyUrl`.
    /// Credentials are refused here; it names Secrets.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
}

impl ScrapeConfig {
    /// The Secrets that it needs.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        credentials(self.basic_auth.as_ref(), self.authorization.as_ref(), self.tls.as_ref())
    }
}

choice! {
    /// How targets are asked.
    #[serde(rename_all = "lowercase")]
    pub enum ScrapeScheme {
        /// Without TLS.
        Http,
        /// With TLS.
        Https,
    }
}

/// TLS between Prometheus and what it scrapes.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ScrapeTls {
    /// The certificate of an authority of your own, in a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<SecretReference>,
    /// The certificate that Prometheus shows, in a Secret. It needs its `key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<SecretReference>,
    /// The private key of `cert`, in a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<SecretReference>,
    /// The name in the server's certificate, where it is not the host of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<DnsSubdomain>,
    /// Take any certificate.
    #[serde(skip_serializing_if = "Not::not")]
    pub insecure_skip_verify: bool,
}

impl ScrapeTls {
    /// The Secrets that hold its certificates and keys.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        [&self.ca, &self.cert, &self.key].into_iter().flatten()
    }
}

/// One change of labels, as Prometheus makes them: in the order of the list.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Relabeling {
    /// What is done; `replace` unless said otherwise.
    // Always written: the API server would set it in a list that kubectl compares as a whole, and every `kubectl apply`
    // would find it changed.
    #[serde(default)]
    pub action: RelabelAction,
    /// The labels whose values, joined by the separator, are looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_labels: Vec<Line>,
    /// What stands between the values; `;` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<Line>,
    /// What they must match as a whole; anything unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<Expression>,
    /// The label that the result is written to, or compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_label: Option<Line>,
    /// The result, with `$1` for the first group of `regex`; `$1` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Line>,
    /// By what the hash of the values is divided, for `hashmod`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modulus: Option<u64>,
}

choice! {
    /// What a relabeling does.
    #[derive(Default)]
    #[serde(rename_all = "lowercase")]
    pub enum RelabelAction {
        /// Write `replacement` to `targetLabel`.
        #[default]
        Replace,
        /// Leave out what does not match.
        Keep,
        /// Leave out what matches.
        Drop,
        /// Write the hash of the values, modulo `modulus`, to `targetLabel`.
        HashMod,
        /// Copy labels whose names match to the names that `replacement` gives.
        LabelMap,
        /// Remove labels whose names match.
        LabelDrop,
        /// Remove labels whose names do not match.
        LabelKeep,
        /// Write the values in lower case to `targetLabel`.
        Lowercase,
        /// Write the values in upper case to `targetLabel`.
        Uppercase,
        /// Leave out where the values are not those of `targetLabel`.
        KeepEqual,
        /// Leave out where the values are those of `targetLabel`.
        DropEqual,
    }
}
