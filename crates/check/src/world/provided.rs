//! Objects that clusters have of their own.
//!
//! Taken from the bootstrap policy of the API server (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy`), from the
//! controllers that fill every namespace, and from what kubeadm sets up (`cmd/kubeadm/app/phases`). Distributions that
//! are set up otherwise have the same names for these, as others rely on them.

use super::pods::Pod;
use super::runtime::Keys;
use super::services::{Service, ServicePort};
use crate::object::Labels;

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
        _ => false,
    }
}

/// The keys of an object that every cluster has.
pub(crate) fn keys(kind: &str, name: &str) -> Keys<'static> {
    if kind == "ConfigMap" && name == "kube-root-ca.crt" { Keys::These(vec!["ca.crt"]) } else { Keys::Any }
}

/// The Services of every cluster: the API server's, and cluster DNS'.
pub(crate) fn services<'a>() -> [Service<'a>; 2] {
    const API_SERVER: &[(&str, &str)] = &[("component", "apiserver"), ("provider", "kubernetes")];
    const DNS: &[(&str, &str)] =
        &[("k8s-app", "kube-dns"), ("kubernetes.io/cluster-service", "true"), ("kubernetes.io/name", "CoreDNS")];
    let port = |name, number, protocol| ServicePort { name, number, protocol, said: None };
    let service = |namespace, name, labels, ports, selector| Service {
        object: None,
        namespace,
        name,
        labels: Labels::Listed(labels),
        ports,
        selector: Labels::Listed(selector),
        any_port: false,
    };
    let dns = vec![port("dns", 53, "UDP"), port("dns-tcp", 53, "TCP"), port("metrics", 9153, "TCP")];
    [
        service("default", "kubernetes", API_SERVER, vec![port("https", 443, "TCP")], &[]),
        service("kube-system", "kube-dns", DNS, dns, &[("k8s-app", "kube-dns")]),
    ]
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

/// Pods of `kube-system` with these labels.
pub(crate) fn system_pod(labels: &[(&'static str, &'static str)]) -> Pod<'static> {
    Pod {
        object: None,
        spec: None,
        namespace: "kube-system",
        labels: labels.to_vec(),
        ports: Vec::new(),
        ports_known: false,
        programs: Vec::new(),
    }
}

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

/// Roles of the system that others bind, as far as they are the same in every version.
///
/// Distributions have more, so that a name is wrong only if it is nearly one of these.
pub(crate) const SYSTEM_ROLES: &[&str] = &[
    "extension-apiserver-authentication-reader",
    "system:auth-delegator",
    "system:basic-user",
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    "system:discovery",
    "system:kube-aggregator",
    "system:kube-controller-manager",
    "system:kube-dns",
    "system:kube-scheduler",
    "system:kubelet-api-admin",
    "system:monitoring",
    "system:node",
    "system:node-bootstrapper",
    "system:node-problem-detector",
    "system:node-proxier",
    "system:persistent-volume-provisioner",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
    "system:volume-scheduler",
];

/// The known name of which `name` is a misspelling: one letter more, less, or another one, or two exchanged.
pub(crate) fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if known.contains(&name) {
        return None;
    }
    known.iter().copied().find(|other| {
        let (a, b) = (name.as_bytes(), other.as_bytes());
        let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(a, b)| a == b).count();
        match (&a[start..a.len() - end], &b[start..b.len() - end]) {
            ([] | [_], [] | [_]) => true,
            ([a, b], [c, d]) => (a, b) == (d, c),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings() {
        let known = ["system:node", "system:auth-delegator"];
        for (name, expected) in [
            ("system:auth-delegator", None),
            ("system:auth-delegatorx", Some("system:auth-delegator")),
            ("system:auth-delegater", Some("system:auth-delegator")),
            ("system:auth-deelgator", Some("system:auth-delegator")),
            ("system:auth-delegato", Some("system:auth-delegator")),
            ("system:auth-delegatorxy", None),
            ("system:nodes", Some("system:node")),
            ("system:cloud-controller", None),
            ("", None),
        ] {
            assert_eq!(meant(name, &known), expected, "{name}");
        }
    }
}
