//! What needs the operator and does not get it.

use super::limits;
use crate::findings::Findings;
use crate::model::{PrometheusOperator, Stack};

/// Prometheus and Alertmanager are objects that the operator makes pods of.
pub(crate) fn check(operator: &PrometheusOperator, stack: &Stack, findings: &mut Findings) {
    let wanted = [("prometheus", stack.prometheus.enabled), ("alertmanager", stack.alertmanager.enabled)];
    for (component, _) in wanted.into_iter().filter(|(_, enabled)| *enabled && !operator.enabled && !operator.existing)
    {
        findings.error(
            &["prometheus-operator.enabled", &format!("{component}.enabled")],
            format!("nobody makes pods for `{component}`"),
            &format!("needs `true` while `{component}.enabled` is `true`"),
            &format!("enable the operator, set `{component}.enabled: false`, or `prometheus-operator.existing: true` where the cluster has one"),
        );
    }
    let is_of_another = operator.enabled && !operator.existing && !operator.crds;
    if is_of_another && stack.name.is_some() && !findings.says("prometheus-operator.crds") {
        findings.note(
            &["name"],
            "the custom resource definitions are another stack's",
            "without them the API server knows no Prometheus, Alertmanager or ServiceMonitor",
            "if it is the only one in the cluster, set `prometheus-operator.crds: true`",
        );
    }
    limits("prometheus-operator", "reloaderResources", &operator.effective_reloader_resources(), findings);
}
