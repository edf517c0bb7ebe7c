use super::{Annotations, Labels, part, settings};

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
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(KubernetesTargets: only_with(prometheus), metadata, namespace(monitoring));
