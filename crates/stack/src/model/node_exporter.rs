use super::{Pods, has_pods, settings};
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
    }
}

impl Default for NodeExporter {
    fn default() -> Self {
        Self { enabled: true, image: Image::known("quay.io/prometheus/node-exporter:v1.10.2"), pods: Pods::default() }
    }
}

has_pods!(NodeExporter, "20m", "32Mi", "128Mi");
