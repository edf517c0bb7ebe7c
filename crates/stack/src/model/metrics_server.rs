use super::{Annotations, Labels, Pods, choice, has_pods, part, settings};
use crate::units::{Duration, Image, Replicas};

settings! {
    /// metrics-server, which `kubectl top` and autoscalers ask.
    pub struct MetricsServer {
        /// Run it.
        pub enabled: bool,
        /// Its image.
        pub image: Image,
        /// How many pods. With two, `kubectl top` and autoscalers outlive the drain of a node.
        pub replicas: Replicas,
        /// Take any certificate from the kubelets. For lab clusters, whose kubelets sign their own.
        pub kubelet_insecure_tls: bool,
        /// The addresses of a node to try, in this order.
        pub address_types: Vec<AddressType>,
        /// How often it asks the kubelets; 10s at least.
        pub resolution: Duration,
        /// Where its pods run and what they may use. Their `PriorityClass` is `system-cluster-critical` unless one is set.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for MetricsServer {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("registry.k8s.io/metrics-server/metrics-server:v0.8.0"),
            replicas: Replicas::known(1),
            kubelet_insecure_tls: true,
            address_types: vec![AddressType::InternalIP],
            resolution: Duration::known("15s"),
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

has_pods!(MetricsServer, "100m", "200Mi", "512Mi");
part!(MetricsServer: metadata, pods, rules(metrics_server));

choice! {
    /// A kind of address in a Node's status.
    pub enum AddressType {
        /// The address inside the cluster's network.
        InternalIP,
        /// The address outside.
        ExternalIP,
        /// The name the node gives itself.
        Hostname,
        /// The name inside the cluster's network.
        InternalDNS,
        /// The name outside.
        ExternalDNS,
    }
}
