use super::{Identity, image, image_parts, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;

/// The port of its pods; the kubelets' own port, which firewalls between control plane and nodes let pass already.
const PORT: u16 = 10250;

/// The port of its Service, which the API server asks.
const SERVICE_PORT: u16 = 443;

pub(super) fn facts(stack: &Stack) -> Value {
    let settings = &stack.metrics_server;
    let own = settings.effective_image(&stack.kubernetes);
    let identity = Identity {
        name: "metrics-server",
        instance: "metrics-server",
        component: "resource-metrics",
        image: Some(&own),
    };
    let types: Vec<_> = settings.address_types.iter().map(|kind| format!("{kind:?}")).collect();
    // Each flag once: of two equal ones the last counts, whoever added it. The port is not among them, because the
    // chart adds it by itself.
    let mut args = vec![
        "--cert-dir=/tmp".to_owned(),
        format!("--kubelet-preferred-address-types={}", types.join(",")),
        "--kubelet-use-node-status-port".to_owned(),
        format!("--metric-resolution={}", settings.resolution),
    ];
    if settings.kubelet_insecure_tls {
        args.push("--kubelet-insecure-tls".to_owned());
    }
    let mut pods = pods(stack, settings, Some(settings.replicas.get()));
    if pods["priorityClassName"].is_null() {
        // Autoscalers stand still without it.
        pods["priorityClassName"] = "system-cluster-critical".into();
    }
    let facts = json!({
        "name": "metrics-server",
        "namespace": "kube-system",
        "port": PORT,
        "servicePort": SERVICE_PORT,
        "replicas": settings.replicas,
        "image": image(stack, &own),
        "imageParts": image_parts(stack, &own),
        "args": args,
        "pods": pods,
    });
    with(identity.facts(&stack.labels_of("metrics-server")), facts)
}
