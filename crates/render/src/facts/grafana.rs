use super::{Identity, METRICS_RELEASE, service, with};
use serde_json::{Value, json};
use vigil_stack::Stack;

/// The port of Grafana's Service, as the chart has it.
const PORT: u16 = 80;

pub(super) fn facts(stack: &Stack) -> Value {
    let identity = Identity { name: "grafana", instance: METRICS_RELEASE, component: "dashboards", image: None };
    let own = json!({
        "name": format!("{METRICS_RELEASE}-grafana"),
        "namespace": stack.namespaces.monitoring,
        "service": service(&stack.grafana.effective_service(), PORT),
        "externalUrl": stack.grafana.external_url,
        // What the side-car that loads data sources looks for, in its own namespace only.
        "datasourceLabel": { "key": "grafana_datasource", "value": "1" },
    });
    with(identity.facts(stack), own)
}
