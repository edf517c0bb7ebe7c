use super::{Annotations, Labels, LogLevel, Pods, part, settings};
use crate::units::{DnsSubdomain, Duration, Image, Quantity};
use serde_json::{Map, Value};

settings! {
    /// Loki, the log store: one process with its data on one volume.
    pub struct Loki {
        /// Run it.
        pub enabled: bool,
        /// Its image. Grafana needs 2.9 or newer; the configuration is written for 3.
        pub image: Image,
        /// How long log lines are kept, at least 24h; without it, for ever.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub retention: Option<Duration>,
        /// How much it logs itself.
        pub log_level: LogLevel,
        /// Where the data lives.
        pub persistence: Persistence,
        /// What else Loki can be told, in its own words, over what follows from the rest of the stack: limits, retention of
        /// single streams, caches. Credentials are refused here.
        #[serde(skip_serializing_if = "Map::is_empty")]
        pub config: Map<String, Value>,
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

impl Default for Loki {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("docker.io/grafana/loki:3.7.8"),
            retention: Some(Duration::known("7d")),
            log_level: LogLevel::Info,
            persistence: Persistence::default(),
            config: Map::new(),
            monitored: true,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(Loki: pods("100m", "256Mi", "1Gi"), metadata, volume, namespace(logging), rules(loki));

settings! {
    /// A volume that outlives its pod.
    pub struct Persistence {
        /// Claim a volume. Without it every new pod starts empty, and most changes of the component make a new pod.
        pub enabled: bool,
        /// Its size. A StatefulSet cannot change it afterwards.
        pub size: Quantity,
        /// The StorageClass; without one, the cluster's default.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub storage_class_name: Option<DnsSubdomain>,
    }
}

impl Default for Persistence {
    fn default() -> Self {
        Self { enabled: false, size: Quantity::known("10Gi"), storage_class_name: None }
    }
}
