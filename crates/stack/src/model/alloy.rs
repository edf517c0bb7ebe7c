use super::{
    Annotations, ContainerRuntime, Journal, Labels, LogLevel, LogOutput, LogPipeline, OtherContainer, Pods, Positions,
    Resources, part, settings,
};
use crate::units::{DnsLabel, DnsSubdomain, Image};

settings! {
    /// Grafana Alloy, the successor of Promtail: carries the logs of all pods to Loki. One of the two, never both.
    pub struct Alloy {
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
        /// What Kubernetes tells of its objects, carried by a pod of its own.
        pub events: KubernetesEvents,
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

impl Default for Alloy {
    fn default() -> Self {
        Self {
            enabled: false,
            image: Image::known("docker.io/grafana/alloy:v1.12.1"),
            log_level: LogLevel::Info,
            container_runtime: ContainerRuntime::Containerd,
            positions: Positions::Node,
            outputs: Vec::new(),
            pipelines: Vec::new(),
            journal: Journal::default(),
            events: KubernetesEvents::default(),
            monitored: true,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

settings! {
    /// The Events of Kubernetes as log lines: which image could not be pulled, which pod found no node. The API server forgets
    /// them after an hour. One pod carries them for all nodes.
    #[derive(Default)]
    pub struct KubernetesEvents {
        /// Carry them.
        pub enabled: bool,
        /// Those of these namespaces, which exist without the stack; without any, all.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub namespaces: Vec<DnsLabel>,
    }
}

/// The labels that lines of Events have beside `job` and `namespace`.
pub const EVENT_LABELS: [&str; 1] = ["type"];

part!(Alloy: pods("50m", "128Mi", "512Mi", containers), metadata, secrets, foreign, namespace(log_agents), rules(alloy));

impl Alloy {
    /// The one in the pod of its own that carries Events.
    fn containers(&self) -> Vec<OtherContainer> {
        let usual = Resources::known("20m", "128Mi", "256Mi");
        self.events.enabled.then_some(("alloy-events", Some(usual))).into_iter().collect()
    }

    /// The namespaces whose Events it carries.
    fn foreign_namespaces(&self) -> Vec<&DnsLabel> {
        self.events.namespaces.iter().filter(|_| self.events.enabled).collect()
    }

    /// The Secrets that its outputs take credentials from.
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        self.outputs.iter().flat_map(LogOutput::secrets).map(|secret| &secret.name).collect()
    }
}
