use super::{Annotations, Ingress, Labels, Persistence, Pods, Service, ServiceType, Stack, choice, part, settings};
use crate::Sending;
use crate::units::{
    Authorization, ByteSize, DnsSubdomain, Duration, Image, Line, MetricLabel, NodePort, Replicas, SecretKey, Url,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

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
        pub remote_write: Vec<RemoteWrite>,
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
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

impl Stack {
    /// What it sends to other stores, and how they know it.
    pub fn sending(&self) -> Sending {
        let labels = self.prometheus.external_labels.iter();
        Sending {
            labels: labels.map(|(name, value)| (name.to_string(), value.to_string())).collect(),
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
    /// The Secrets that stores take credentials from.
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        self.remote_write.iter().flat_map(RemoteWrite::secrets).map(|secret| &secret.name).collect()
    }

    /// The Service with everything filled in.
    pub fn effective_service(&self) -> Service {
        self.service.or(ServiceType::NodePort, Some(NodePort::known(30090)))
    }
}

/// Another store for every sample. Credentials stand in Secrets that you create in the namespace of Prometheus; there
/// is no key to write one here.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RemoteWrite {
    /// Where samples are sent.
    pub url: Url,
    /// What its metrics call it; each store needs a name of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DnsSubdomain>,
    /// A user and a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// A token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<TokenAuth>,
    /// What else the operator can be told of the store, in its own words: `writeRelabelConfigs`, `queueConfig`, `tlsConfig`,
    /// `headers`, `sigv4`. Credentials are refused here; it names Secrets.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
}

impl RemoteWrite {
    /// The Secrets that hold its credentials.
    fn secrets(&self) -> Vec<&SecretReference> {
        let basic = self.basic_auth.iter().flat_map(|auth| [&auth.username, &auth.password]);
        basic.chain(self.authorization.iter().map(|auth| &auth.credentials)).collect()
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
