use super::prometheus::credentials;
use super::{
    Annotations, BasicAuth, Journal, Labels, LogLevel, LogPipeline, Pods, SecretReference, TokenAuth, choice, part,
    settings,
};
use crate::units::{DnsSubdomain, Image, TenantId, Url};

settings! {
    /// Promtail, which carries the logs of all pods to Loki. It reached its end of life on 2026-03-02.
    pub struct Promtail {
        /// Run it.
        pub enabled: bool,
        /// Its image.
        pub image: Image,
        /// How much it logs itself.
        pub log_level: LogLevel,
        /// The container runtime of the nodes, which decides where log files are.
        pub container_runtime: ContainerRuntime,
        /// Where it keeps how far it has read.
        pub positions: Positions,
        /// Where log lines go beside the stack's own Loki; or instead, where there is none.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub outputs: Vec<LogOutput>,
        /// What is done with log lines before they are sent, one pipeline after the other.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub pipelines: Vec<LogPipeline>,
        /// The journal of its node.
        pub journal: Journal,
        /// Let Prometheus scrape its own metrics, if the stack has one.
        pub monitored: bool,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Promtail {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("docker.io/grafana/promtail:3.5.1"),
            log_level: LogLevel::Info,
            container_runtime: ContainerRuntime::Containerd,
            positions: Positions::Node,
            outputs: Vec::new(),
            pipelines: Vec::new(),
            journal: Journal::default(),
            monitored: true,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(Promtail: pods("50m", "64Mi", "256Mi"), metadata, secrets, namespace(log_agents), rules(promtail));

impl Promtail {
    /// The Secrets that its outputs take credentials from.
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        self.outputs.iter().flat_map(LogOutput::secrets).map(|secret| &secret.name).collect()
    }
}

/// A Loki that a collector sends all log lines to. Credentials stand in Secrets that you create in the namespace of the
/// collector; there is no key to write one here.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LogOutput {
    /// Where lines are sent, with the whole path: `https://logs.example.com/loki/api/v1/push`.
    pub url: Url,
    /// The tenant whose lines they are, by the header `X-Scope-OrgID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// A user and a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// A token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<TokenAuth>,
}

impl LogOutput {
    /// The keys of Secrets that hold its credentials.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        credentials(self.basic_auth.as_ref(), self.authorization.as_ref(), None)
    }
}

choice! {
    /// The container runtime of the nodes.
    #[serde(rename_all = "kebab-case")]
    pub enum ContainerRuntime {
        /// containerd: log files lie in `/var/log/pods`.
        Containerd,
        /// CRI-O: as containerd.
        CriO,
        /// Docker: `/var/log/pods` holds links into `/var/lib/docker/containers`.
        Docker,
    }
}

choice! {
    /// Where a log collector keeps how far it has read each file.
    #[serde(rename_all = "kebab-case")]
    pub enum Positions {
        /// On its node, so that a new pod reads on.
        Node,
        /// In its pod: a new one reads all files from their beginning, and sends again what Loki has already. For clusters that
        /// let no pod write to a node.
        Pod,
    }
}
