//! Objects that clusters have of their own.
//!
//! Taken from the bootstrap policy of the API server (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy`), from the
//! controllers that fill every namespace, and from what kubeadm sets up (`cmd/kubeadm/app/phases`). Distributions that
//! are set up otherwise have the same names for these, as others rely on them.

/// Whether every cluster has this object.
pub(crate) fn has(kind: &str, namespace: &str, name: &str) -> bool {
    let system = namespace == "kube-system";
    match kind {
        "Namespace" => matches!(name, "default" | "kube-system" | "kube-public" | "kube-node-lease"),
        "ServiceAccount" => name == "default" || system && is_controller(name),
        "ConfigMap" => {
            name == "kube-root-ca.crt"
                || system
                    && matches!(
                        name,
                        "extension-apiserver-authentication"
                            | "coredns"
                            | "kube-proxy"
                            | "kubeadm-config"
                            | "kubelet-config"
                    )
                || namespace == "kube-public" && name == "cluster-info"
        }
        "PriorityClass" => matches!(name, "system-cluster-critical" | "system-node-critical"),
        "ClusterRole" => {
            matches!(name, "cluster-admin" | "admin" | "edit" | "view")
                || name.starts_with("system:")
                || name.starts_with("kubeadm:")
        }
        "Role" => {
            system && (name == "extension-apiserver-authentication-reader" || name.starts_with("system:"))
                || name.starts_with("kubeadm:")
        }
        "Service" => namespace == "default" && name == "kubernetes" || system && name == "kube-dns",
        _ => false,
    }
}

/// The keys of a ConfigMap that every cluster has, where they are always the same.
pub(crate) fn keys(kind: &str, name: &str) -> Option<Vec<&'static str>> {
    (kind == "ConfigMap" && name == "kube-root-ca.crt").then(|| vec!["ca.crt"])
}

/// The labels of the pods that run in `kube-system`: static pods of the control plane, and the two add-ons.
pub(crate) const SYSTEM_PODS: &[&[(&str, &str)]] = &[
    &[("component", "kube-apiserver"), ("tier", "control-plane")],
    &[("component", "kube-controller-manager"), ("tier", "control-plane")],
    &[("component", "kube-scheduler"), ("tier", "control-plane")],
    &[("component", "etcd"), ("tier", "control-plane")],
    &[("k8s-app", "kube-dns")],
    &[("k8s-app", "kube-proxy")],
];

/// Whether a service account of `kube-system` is one of the controller manager's, or of the two add-ons.
fn is_controller(name: &str) -> bool {
    name.ends_with("-controller")
        || matches!(
            name,
            "coredns"
                | "kube-proxy"
                | "bootstrap-signer"
                | "generic-garbage-collector"
                | "horizontal-pod-autoscaler"
                | "legacy-service-account-token-cleaner"
                | "persistent-volume-binder"
                | "pod-garbage-collector"
                | "root-ca-cert-publisher"
                | "storage-version-garbage-collector"
                | "token-cleaner"
        )
}
