use super::{Annotations, Labels, Part, settings};
use crate::units::DnsLabel;

settings! {
    /// `NetworkPolicy` objects: nothing reaches the stack's pods but what the stack itself needs. Connections that the pods
    /// open stay free. They need a network plugin that obeys them, such as Calico or Cilium; others ignore them.
    pub struct NetworkPolicies {
        /// Create them.
        pub enabled: bool,
        /// The namespace of the ingress controller, which may reach what has an Ingress.
        pub ingress_namespace: DnsLabel,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for NetworkPolicies {
    fn default() -> Self {
        Self {
            enabled: false,
            ingress_namespace: DnsLabel::known("ingress-nginx"),
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
