use super::{
    Annotations, Ingress, Labels, Persistence, Pods, ScrapeConfig, ScrapeTls, Service, ServiceType, Stack, choice,
    part, settings,
};
use crate::Sending;
use crate::units::{
    Amount, Authorization, ByteSize, DnsSubdomain, Duration, Image, Line, MetricLabel, NodePort, Replicas, SecretKey,
    Url,
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

settings! {
    /// Prometheus, the metrics store.
    pub struct Prometheus {
        /// Run it.
        pub enabled: bool,
        /// Its image; the tag is its version.
        pub image: Image,
        /// How many pods hold the same samples; their number per shard.
        pub replicas: Replicas,
        /// Over how many groups of pods the targets are shared. A query sees one shard only, unless something such as
        /// Thanos or a remote store asks them all.
        pub shards: Replicas,
        /// How people reach it; on node port 30090 unless it says otherwise.
        pub service: Service,
        /// The way in from outside through an ingress controller.
        pub ingress: Ingress,
        /// The address in the browser, for links in alerts.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_url: Option<Url>,
        /// Labels for every sample and alert that leaves this Prometheus, such as the name of the cluster.
        pub external_labels: BTreeMap<MetricLabel, Line>,
        /// How often targets are asked when their monitor does not say.
        pub scrape_interval: Duration,
        /// How long samples are kept. Whatever is reached first, this or `retentionSize`, counts.
        pub retention: Duration,
        /// How much disk the samples may take.
        pub retention_size: ByteSize,
        /// Which ServiceMonitors, PodMonitors, Probes, rules and scrape configurations of the cluster it obeys.
        pub selection: Selection,
        /// Where the samples live.
        pub persistence: Persistence,
        /// Other stores that every sample is sent to.
        pub remote_write: Vec<RemoteStore>,
        /// Other stores that are asked, beside its own samples, for every query.
        pub remote_read: Vec<RemoteStore>,
        /// Alertmanagers outside of the stack that are told of every alert, beside its own; such as one of all clusters.
        pub alertmanagers: Vec<OtherAlertmanager>,
        /// What is scraped at addresses that no Service of the cluster leads to.
        pub scrape_configs: Vec<ScrapeConfig>,
        /// Examples of requests behind the numbers of a histogram, by the identifiers of their traces.
        pub exemplars: Exemplars,
        /// Histograms with buckets as fine as their values need, of programs that offer them.
        pub native_histograms: NativeHistograms,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("quay.io/prometheus/prometheus:v3.8.1"),
            replicas: Replicas::known(1),
            shards: Replicas::known(1),
            service: Service::default(),
            ingress: Ingress::default(),
            external_url: None,
            external_labels: BTreeMap::new(),
            scrape_interval: Duration::known("30s"),
            retention: Duration::known("10d"),
            retention_size: ByteSize::known("1GiB"),
            selection: Selection::All,
            persistence: Persistence::default(),
            remote_write: Vec::new(),
            remote_read: Vec::new(),
            alertmanagers: Vec::new(),
            scrape_configs: Vec::new(),
            exemplars: Exemplars::default(),
            native_histograms: NativeHistograms::default(),
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

impl Stack {
    /// What it sends to other stores, and how they know it; and what it expects of others.
    pub fn sending(&self) -> Sending {
        let labels = self.prometheus.external_labels.iter();
        let labels: BTreeMap<_, _> = labels.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Sending {
            name: labels.get(self.alerts.cluster_label.as_str()).cloned(),
            labels,
            expected: self.expected_clusters().iter().map(ToString::to_string).collect(),
            urls: self.prometheus.remote_write.iter().map(|to| to.url.to_string()).collect(),
        }
    }
}

part!(Prometheus: pods("250m", "1Gi", "2Gi"), metadata, operated, service, ingress, volume, secrets, namespace(monitoring), rules(prometheus));

choice! {
    /// Which monitors and rules Prometheus obeys.
    #[serde(rename_all = "kebab-case")]
    pub enum Selection {
        /// Those of any application, in any namespace.
        All,
        /// ServiceMonitors of any application; of the rest, those with the label `release: kube-prometheus-stack`.
        ServiceMonitors,
        /// Those with the label `release: kube-prometheus-stack`.
        Labelled,
    }
}

impl Prometheus {
    /// The Secrets that stores and targets take credentials from.
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        let stores = self.remote_write.iter().chain(&self.remote_read).flat_map(RemoteStore::secrets);
        let targets = self.scrape_configs.iter().flat_map(ScrapeConfig::secrets);
        stores.chain(targets).map(|secret| &secret.name).chain(self.mounted_secrets()).collect()
    }

    /// The Secrets that its pods read as files: what other Alertmanagers ask for.
    pub fn mounted_secrets(&self) -> BTreeSet<&DnsSubdomain> {
        self.alertmanagers.iter().flat_map(OtherAlertmanager::secrets).map(|secret| &secret.name).collect()
    }

    /// The Service with everything filled in.
    pub fn effective_service(&self) -> Service {
        self.service.or(ServiceType::NodePort, Some(NodePort::known(30090)))
    }
}

settings! {
    /// Exemplars: what a program tells beside a sample of the request that it comes from.
    pub struct Exemplars {
        /// Keep them.
        pub enabled: bool,
        /// How many, in memory; the oldest make room. A hundred bytes each, about.
        pub max_size: Amount,
    }
}

impl Default for Exemplars {
    fn default() -> Self {
        Self { enabled: false, max_size: Amount::known(100_000) }
    }
}

settings! {
    /// Native histograms. Classic ones of the same programs are kept: alerts and dashboards ask for their buckets.
    #[derive(Default)]
    pub struct NativeHistograms {
        /// Scrape them; by Prometheus 3.5 to 3.8.
        pub enabled: bool,
        /// Store classic histograms of all programs as native ones besides, with the buckets that they have.
        pub convert_classic: bool,
    }
}

/// Another store of samples. Credentials stand in Secrets that you create in the namespace of Prometheus; there
/// is no key to write one here.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RemoteStore {
    /// Its address.
    pub url: Url,
    /// What its metrics call it; each store needs a name of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DnsSubdomain>,
    /// What is sent to a store that is written to; all of it, unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<SentSamples>,
    /// A user and a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// A token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<TokenAuth>,
    /// Certificates and keys, from Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ScrapeTls>,
    /// What else the operator can be told of the store, in its own words: `headers`, `tlsConfig` in place of `tls`; of one that is written to
    /// `writeRelabelConfigs`, `queueConfig`, `sigv4`; of one that is read `readRecent`, `requiredMatchers`. Credentials are refused here; it names Secrets.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
}

impl RemoteStore {
    /// The Secrets that hold its credentials.
    fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        credentials(self.basic_auth.as_ref(), self.authorization.as_ref(), self.tls.as_ref())
    }
}

/// An Alertmanager outside of the stack. Credentials stand in Secrets that you create in the namespace of Prometheus.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OtherAlertmanager {
    /// Its address, with the path that its pages have.
    pub url: Url,
    /// A user and a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// A token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<TokenAuth>,
    /// Certificates and keys, from Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ScrapeTls>,
}

impl OtherAlertmanager {
    /// The Secrets that hold what it asks for.
    fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        credentials(self.basic_auth.as_ref(), self.authorization.as_ref(), self.tls.as_ref())
    }
}

choice! {
    /// What a store gets of the samples that Prometheus has.
    #[serde(rename_all = "lowercase")]
    pub enum SentSamples {
        /// All.
        All,
        /// Series that rules have recorded, whose names have a colon, and `ALERTS`.
        Aggregates,
    }
}

/// A user and a password, each in a Secret.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The user's name.
    pub username: SecretReference,
    /// The password.
    pub password: SecretReference,
}

impl BasicAuth {
    /// The Secrets that hold both.
    fn secrets(&self) -> [&SecretReference; 2] {
        [&self.username, &self.password]
    }
}

/// The keys of Secrets that a program needs to be let in by another one.
pub(super) fn credentials<'a>(
    basic: Option<&'a BasicAuth>,
    token: Option<&'a TokenAuth>,
    tls: Option<&'a ScrapeTls>,
) -> impl Iterator<Item = &'a SecretReference> {
    let basic = basic.into_iter().flat_map(BasicAuth::secrets);
    basic.chain(token.map(|token| &token.credentials)).chain(tls.into_iter().flat_map(ScrapeTls::secrets))
}

/// A token in a Secret.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenAuth {
    /// What the header says before it; `Bearer` unless said otherwise.
    #[serde(default = "bearer")]
    pub r#type: Authorization,
    /// The token.
    pub credentials: SecretReference,
}

fn bearer() -> Authorization {
    Authorization::known("Bearer")
}

/// A key of a Secret that you create in the component's namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SecretReference {
    /// The Secret.
    pub name: DnsSubdomain,
    /// The key in it.
    pub key: SecretKey,
}
