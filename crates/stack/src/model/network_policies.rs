use super::{Annotations, Labels, Part, settings};
use crate::units::{DnsLabel, Port};

settings! {
    /// `NetworkPolicy` objects: nothing reaches the stack's pods but what the stack itself needs. Connections that the pods
    /// open stay free, unless `egress` closes them. They need a network plugin that obeys them, such as Calico or Cilium; others ignore them.
    pub struct NetworkPolicies {
        /// Create them.
        pub enabled: bool,
        /// The namespace of the ingress controller, which may reach what has an Ingress.
        pub ingress_namespace: DnsLabel,
        /// What the pods may reach.
        #[serde(skip_serializing_if = "Egress::is_usual")]
        pub egress: Egress,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

settings! {
    /// What the stack's pods may reach: each other where the stack needs it, cluster DNS, the API server, and outside of the
    /// cluster the ports of the addresses that the stack names.
    pub struct Egress {
        /// Close all other connections that the pods open.
        pub enabled: bool,
        /// The ports of the API server itself, behind its Service.
        pub api_server_ports: Vec<Port>,
        /// The ports of cluster DNS' pods.
        pub dns_ports: Vec<Port>,
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self { enabled: false, api_server_ports: [443, 6443].map(Port::known).into(), dns_ports: vec![Port::known(53)] }
    }
}

impl Egress {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for NetworkPolicies {
    fn default() -> Self {
        Self {
            enabled: false,
            ingress_namespace: DnsLabel::known("ingress-nginx"),
            egress: Egress::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

impl Part for NetworkPolicies {
    fn enabled(&self) -> bool {
        self.enabled
    }

    fn metadata(&self) -> Option<(&Labels, &Annotations)> {
        Some((&self.labels, &self.annotations))
    }

    fn foreign_namespaces(&self) -> Vec<&DnsLabel> {
        vec![&self.ingress_namespace]
    }
}
