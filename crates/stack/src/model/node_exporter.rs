use super::{Annotations, Labels, Pods, part, settings};
use crate::units::Image;

settings! {
    /// node-exporter, which tells how the nodes are: CPU, memory, disks, network. It reads the node's own files, and
    /// makes the monitoring namespace a privileged one.
    pub struct NodeExporter {
        /// Run it.
        pub enabled: bool,
        /// Its image.
        pub image: Image,
        /// Where its pods run and what they may use. They tolerate every taint that keeps new pods away.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for NodeExporter {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("quay.io/prometheus/node-exporter:v1.10.2"),
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(NodeExporter: pods("20m", "32Mi", "128Mi"), metadata, namespace(monitoring));
