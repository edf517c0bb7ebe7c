use super::monitored::monitored;
use super::{Identity, LOGS_RELEASE, image, image_parts, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::ContainerRuntime;

/// Promtail's HTTP port: readiness and metrics.
const PORT: u16 = 3101;

pub(super) fn facts(stack: &Stack) -> Value {
    let promtail = &stack.promtail;
    let identity =
        Identity { name: "promtail", instance: LOGS_RELEASE, component: "log-collector", image: Some(&promtail.image) };
    let own = json!({
        "name": format!("{LOGS_RELEASE}-promtail"),
        "namespace": stack.namespaces.logging,
        "port": PORT,
        "image": image(stack, &promtail.image),
        "imageParts": image_parts(stack, &promtail.image),
        "logLevel": promtail.log_level,
        "docker": promtail.container_runtime == ContainerRuntime::Docker,
        "metricsName": format!("{LOGS_RELEASE}-promtail-metrics"),
        "monitored": promtail.monitored && stack.prometheus.enabled,
        "pods": pods(stack, promtail, None),
    });
    with(monitored(identity.facts(&stack.labels_of("promtail"))), own)
}
