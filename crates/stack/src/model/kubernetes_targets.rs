use super::{Annotations, Labels, ScrapeTls, part, settings};
use crate::units::{DnsSubdomain, Expression, HostPort};

settings! {
    /// The parts of Kubernetes itself that Prometheus scrapes. Not every cluster lets it: docs/kubernetes-targets.md
    /// says what to open or to switch off, for kubeadm, k3s, kind and managed clusters.
    #[allow(clippy::struct_excessive_bools, reason = "each target is a switch of its own")]
    pub struct KubernetesTargets {
        /// Scrape what is switched on below. Without Prometheus there is nothing to do.
        pub enabled: bool,
        /// The kubelets: their own metrics, those of containers (cAdvisor) and those of probes.
        pub kubelet: bool,
        /// Take any certificate from the kubelets. For lab clusters, whose kubelets sign their own.
        pub kubelet_insecure_tls: bool,
        /// The API server.
        pub api_server: bool,
        /// `CoreDNS`, the cluster's name service.
        pub core_dns: bool,
        /// The controller manager, which kubeadm binds to 127.0.0.1.
        pub controller_manager: bool,
        /// The scheduler, which kubeadm binds to 127.0.0.1.
        pub scheduler: bool,
        /// etcd, whose metrics kubeadm binds to 127.0.0.1.
        pub etcd: bool,
        /// kube-proxy, whose metrics kubeadm binds to 127.0.0.1.
        pub kube_proxy: bool,
        /// Where parts of the control plane answer that are no pods of this cluster: etcd on machines of its own, masters
        /// of somebody else.
        pub addresses: ControlPlaneAddresses,
        /// Metrics that are not stored, by what exposes them: expressions that their names match as a whole.
        pub drop: DroppedMetrics,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for KubernetesTargets {
    fn default() -> Self {
        Self {
            enabled: true,
            kubelet: true,
            kubelet_insecure_tls: true,
            api_server: true,
            core_dns: true,
            controller_manager: true,
            scheduler: true,
            etcd: true,
            kube_proxy: true,
            addresses: ControlPlaneAddresses::default(),
            drop: DroppedMetrics::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(KubernetesTargets: only_with(prometheus), metadata, secrets, namespace(monitoring), rules(kubernetes_targets));

impl KubernetesTargets {
    /// The Secrets that are shown to the control plane, or that it is known by.
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        let ControlPlaneAddresses { controller_manager, scheduler, etcd } = &self.addresses;
        let all = [controller_manager, scheduler, etcd].into_iter().flatten();
        let tls = all.filter_map(|addresses| addresses.tls.as_ref());
        tls.flat_map(ScrapeTls::secrets).map(|secret| &secret.name).collect()
    }
}

settings! {
    /// Parts of the control plane by address, instead of by their pods.
    #[derive(Default)]
    pub struct ControlPlaneAddresses {
        /// The controller manager, by https.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub controller_manager: Option<TargetAddresses>,
        /// The scheduler, by https.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub scheduler: Option<TargetAddresses>,
        /// etcd: by https with `tls`, by http without.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub etcd: Option<TargetAddresses>,
    }
}

/// Addresses of one part of the control plane.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TargetAddresses {
    /// Hosts and ports.
    pub targets: Vec<HostPort>,
    /// How the servers are known to be the right ones, and Prometheus to them. Without a certificate of its own it shows the
    /// token of its ServiceAccount to the controller manager and the scheduler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ScrapeTls>,
}

settings! {
    /// Metrics that are not stored.
    #[derive(Default)]
    pub struct DroppedMetrics {
        /// Of all pages of the kubelets.
        pub kubelet: Vec<Expression>,
        /// Of containers, which the kubelets' cAdvisor tells.
        pub cadvisor: Vec<Expression>,
        /// Of the API server.
        pub api_server: Vec<Expression>,
        /// Of `CoreDNS`.
        pub core_dns: Vec<Expression>,
        /// Of the controller manager.
        pub controller_manager: Vec<Expression>,
        /// Of the scheduler.
        pub scheduler: Vec<Expression>,
        /// Of etcd.
        pub etcd: Vec<Expression>,
        /// Of kube-proxy.
        pub kube_proxy: Vec<Expression>,
    }
}
