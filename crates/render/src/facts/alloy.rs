use super::monitored::monitored;
use super::{Identity, image, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::ContainerRuntime;

/// The name of the object and of the Helm release that a Helm user has.
const NAME: &str = "alloy";

/// Alloy's HTTP port: readiness, metrics, its own page.
const PORT: u16 = 12345;

pub(super) fn facts(stack: &Stack) -> Value {
    let alloy = &stack.alloy;
    let identity = Identity { name: NAME, instance: NAME, component: "log-collector", image: Some(&alloy.image) };
    let own = json!({
        "name": NAME,
        "namespace": stack.namespaces.logging,
        "port": PORT,
        "image": image(stack, &alloy.image),
        "logLevel": alloy.log_level,
        "docker": alloy.container_runtime == ContainerRuntime::Docker,
        "monitored": alloy.monitored && stack.prometheus.enabled,
        "pods": pods(stack, alloy, None),
    });
    with(monitored(identity.facts(&stack.labels_of("alloy"))), own)
}
