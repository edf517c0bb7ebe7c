use super::{Annotations, Labels, Pods, part, settings};
use crate::units::Image;

settings! {
    /// kube-state-metrics, which tells what the objects of the cluster are like: replicas wanted and ready, Jobs failed.
    pub struct KubeStateMetrics {
        /// Run it.
        pub enabled: bool,
        /// Its image.
        pub image: Image,
        /// Tell of Secrets too. It takes the right to read every Secret of the cluster, and no alert or dashboard needs it.
        pub secrets: bool,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for KubeStateMetrics {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0"),
            secrets: false,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

// It holds a text for every object: 307 MiB have been seen with 322 pods whose labels it told too.
part!(KubeStateMetrics: pods("10m", "128Mi", "512Mi"), metadata, namespace(monitoring));
