use serde_json::{Value, json};
use vigil_stack::Stack;

pub(super) fn facts(stack: &Stack) -> Value {
    let settings = &stack.metrics_server;
    let types: Vec<_> = settings.address_types.iter().map(|kind| format!("{kind:?}")).collect();
    json!({
        "addressTypes": types.join(","),
        "resolution": settings.resolution,
        "kubeletInsecureTls": settings.kubelet_insecure_tls,
    })
}
