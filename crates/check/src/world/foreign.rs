//! Kinds whose controllers are not known here, and may make anything.

use crate::object::{MONITORING, Object};

/// Groups of custom resources that make neither pods nor Services.
const WITHOUT_PODS: &[&str] = &[
    MONITORING,
    "cert-manager.io",
    "acme.cert-manager.io",
    "external-secrets.io",
    "bitnami.com",
    "secrets-store.csi.x-k8s.io",
    "secrets.hashicorp.com",
    "networking.istio.io",
    "security.istio.io",
    "traefik.io",
    "keda.sh",
    "kyverno.io",
];

/// Whether a controller may make pods and Services of an object: it is neither of Kubernetes' own kinds nor of one that
/// makes none for sure.
pub(crate) fn may_make_pods(object: &Object<'_>) -> bool {
    let group = object.group;
    group.contains('.')
        && !group.ends_with(".k8s.io")
        && !WITHOUT_PODS.contains(&group)
        && !matches!((group, object.kind), ("argoproj.io", "Application" | "ApplicationSet" | "AppProject"))
}
