//! The order in which Argo CD applies the objects, and what it needs to know of some of them.
//!
//! Argo CD waits until one wave is healthy before it starts the next. Within a wave it orders by kind. All that may stay
//! unhealthy for reasons of the cluster (a Service that gets no address, an Ingress without a controller) is in the last
//! wave, so that nothing waits for it.

use serde_json::Value;

const WAVE: &str = "argocd.argoproj.io/sync-wave";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// The annotations that Argo CD reads on an object of a component, which makes pods of custom resources or does not.
pub(crate) fn annotations(makes_pods: bool, object: &Value) -> Vec<(&'static str, &'static str)> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let group = text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
    match text("kind") {
        // Too large for the annotation that a client-side apply writes, and their end is the end of all their objects.
        "CustomResourceDefinition" => vec![(WAVE, "-3"), (OPTIONS, "ServerSideApply=true,Prune=confirm")],
        // Its end is the end of everything in it.
        "Namespace" => vec![(WAVE, "-2"), (OPTIONS, "Prune=confirm")],
        // Run at every sync, and no part of what is compared.
        "Job" => vec![
            (WAVE, wave(makes_pods)),
            ("argocd.argoproj.io/hook", "Sync"),
            ("argocd.argoproj.io/hook-delete-policy", "BeforeHookCreation,HookSucceeded"),
        ],
        // The definitions are in the same set: at the first dry run the cluster does not know them.
        _ if is_custom(group) => vec![(WAVE, wave(makes_pods)), (OPTIONS, "SkipDryRunOnMissingResource=true")],
        _ => vec![(WAVE, wave(makes_pods))],
    }
}

/// The operator, with its webhooks and their certificate, comes before the rest: it takes the custom resources.
fn wave(makes_pods: bool) -> &'static str {
    if makes_pods { "-1" } else { "0" }
}

/// Whether a group is one that a `CustomResourceDefinition` brought.
fn is_custom(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_in_its_wave() {
        let of = |component: &str, version: &str, kind: &str| {
            let object = json!({ "apiVersion": version, "kind": kind, "metadata": {} });
            let found = annotations(component == "prometheus-operator", &object);
            found.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect::<Value>()
        };
        let options = "SkipDryRunOnMissingResource=true";
        assert_eq!(of("crds", "apiextensions.k8s.io/v1", "CustomResourceDefinition")[WAVE], "-3");
        assert_eq!(of("namespaces", "v1", "Namespace"), json!({ WAVE: "-2", OPTIONS: "Prune=confirm" }));
        assert_eq!(of("prometheus-operator", "apps/v1", "Deployment"), json!({ WAVE: "-1" }));
        assert_eq!(of("prometheus-operator", "batch/v1", "Job")["argocd.argoproj.io/hook"], "Sync");
        assert_eq!(of("loki", "apps/v1", "StatefulSet"), json!({ WAVE: "0" }));
        assert_eq!(of("loki", "rbac.authorization.k8s.io/v1", "ClusterRole"), json!({ WAVE: "0" }));
        let monitor = of("prometheus", "monitoring.coreos.com/v1", "ServiceMonitor");
        assert_eq!(monitor, json!({ WAVE: "0", OPTIONS: options }));
        // The operator waits for it.
        let certificate = of("prometheus-operator", "cert-manager.io/v1", "Certificate");
        assert_eq!(certificate, json!({ WAVE: "-1", OPTIONS: options }));
    }
}
