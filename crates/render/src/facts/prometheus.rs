use super::{Identity, METRICS_RELEASE, service, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::Selection;

/// Prometheus' own port.
const PORT: u16 = 9090;

pub(super) fn facts(stack: &Stack) -> Value {
    let prometheus = &stack.prometheus;
    let identity = Identity { name: "prometheus", instance: METRICS_RELEASE, component: "metrics", image: None };
    let name = format!("{METRICS_RELEASE}-prometheus");
    let own = json!({
        "name": name,
        "namespace": stack.namespaces.monitoring,
        "service": service(&prometheus.effective_service(), PORT),
        "port": PORT,
        "externalUrl": prometheus.external_url,
        // The operator labels the pods itself, by the name of the Prometheus object.
        "podSelector": { "app.kubernetes.io/name": "prometheus", "operator.prometheus.io/name": name },
        "retention": prometheus.retention,
        "retentionSize": prometheus.retention_size,
        "labelledOnly": prometheus.selection == Selection::Labelled,
    });
    with(identity.facts(stack), own)
}
