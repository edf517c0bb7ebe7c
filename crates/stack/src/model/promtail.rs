use super::{Annotations, Labels, LogLevel, Pods, choice, part, settings};
use crate::units::Image;

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
            monitored: true,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(Promtail: pods("50m", "64Mi", "256Mi"), metadata, namespace(logging), rules(promtail));

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
