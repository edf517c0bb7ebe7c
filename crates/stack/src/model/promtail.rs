use super::{LogLevel, Pods, choice, has_pods, settings};
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
        /// Where its pods run and what they may use.
        pub pods: Pods,
    }
}

impl Default for Promtail {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("docker.io/grafana/promtail:3.5.1"),
            log_level: LogLevel::Info,
            container_runtime: ContainerRuntime::Containerd,
            pods: Pods::default(),
        }
    }
}

has_pods!(Promtail, "50m", "64Mi", "256Mi");

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
