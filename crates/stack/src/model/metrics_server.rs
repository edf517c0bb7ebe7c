use super::{choice, settings};
use crate::units::Duration;

settings! {
    /// metrics-server, which `kubectl top` and autoscalers ask.
    pub struct MetricsServer {
        /// Run it.
        pub enabled: bool,
        /// Take any certificate from the kubelets. For lab clusters, whose kubelets sign their own.
        pub kubelet_insecure_tls: bool,
        /// The addresses of a node to try, in this order.
        pub address_types: Vec<AddressType>,
        /// How often it asks the kubelets; 10s at least.
        pub resolution: Duration,
    }
}

impl Default for MetricsServer {
    fn default() -> Self {
        Self {
            enabled: true,
            kubelet_insecure_tls: true,
            address_types: vec![AddressType::InternalIP],
            resolution: Duration::known("15s"),
        }
    }
}

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
