use super::{Annotations, Labels, Pods, choice, part, settings};
use crate::units::{Duration, Image, KubernetesVersion, Replicas};

settings! {
    /// metrics-server, which `kubectl top` and autoscalers ask.
    pub struct MetricsServer {
        /// Run it.
        pub enabled: bool,
        /// Its image; without one, the newest that is made for the cluster's `kubernetes`: 0.8 from 1.31 on, 0.7 before.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub image: Option<Image>,
        /// How many pods. With two, `kubectl top` and autoscalers outlive the drain of a node.
        pub replicas: Replicas,
        /// Take any certificate from the kubelets. For lab clusters, whose kubelets sign their own.
        pub kubelet_insecure_tls: bool,
        /// The addresses of a node to try, in this order.
        pub address_types: Vec<AddressType>,
        /// How often it asks the kubelets; 10s at least.
        pub resolution: Duration,
        /// Put its pods into the network of their nodes, for clusters whose API server does not reach the network of pods.
        pub host_network: bool,
        /// Have Prometheus scrape it.
        pub monitored: bool,
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
            image: None,
            replicas: Replicas::known(1),
            kubelet_insecure_tls: true,
            address_types: vec![AddressType::InternalIP],
            resolution: Duration::known("15s"),
            host_network: false,
            monitored: true,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

/// From which minor version of Kubernetes on a release of metrics-server is made for it, and the image of that release:
/// the compatibility matrix of <https://github.com/kubernetes-sigs/metrics-server>. The newest comes first.
const RELEASES: [(u16, u16, &str); 2] = [
    (31, 8, "registry.k8s.io/metrics-server/metrics-server:v0.8.0"),
    (27, 7, "registry.k8s.io/metrics-server/metrics-server:v0.7.2"),
];

impl MetricsServer {
    /// The image with everything filled in.
    pub fn effective_image(&self, kubernetes: &KubernetesVersion) -> Image {
        let made_for = |(from, _, image): &(u16, u16, &str)| (*from <= kubernetes.minor()).then(|| Image::known(image));
        let [.., (_, _, oldest)] = RELEASES;
        self.image.clone().or_else(|| RELEASES.iter().find_map(made_for)).unwrap_or_else(|| Image::known(oldest))
    }

    /// The version of Kubernetes that the stack's own image asks for, when it is newer than the cluster's.
    pub(crate) fn needs(&self, kubernetes: &KubernetesVersion) -> Option<u16> {
        let tag = self.image.as_ref()?.tag()?;
        let minor = tag.trim_start_matches('v').strip_prefix("0.")?.split('.').next()?.parse::<u16>().ok()?;
        let (from, ..) = RELEASES.into_iter().find(|(_, release, _)| minor >= *release)?;
        (from > kubernetes.minor()).then_some(from)
    }
}

part!(MetricsServer: pods("100m", "200Mi", "512Mi"), metadata, rules(metrics_server));

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
