use super::monitored::{Job, monitored};
use super::reach::Reach;
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, image, image_parts, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::units::Image;

/// The port of its pods; the kubelets' own port, which firewalls between control plane and nodes let pass already.
const PORT: u16 = 10250;

/// The same in the network of a node, where the kubelet has that one.
const PORT_ON_NODE: u16 = 4443;

/// The port of the kubelets, which it asks.
const KUBELET_PORT: u16 = PORT;

/// The port of its Service, which the API server asks.
const SERVICE_PORT: u16 = 443;

/// The name of its objects and of the Helm release that a Helm user has.
const NAME: &str = "metrics-server";

/// Where what extends the API server lives.
const NAMESPACE: &str = "kube-system";

fn identity(image: Option<&Image>) -> Identity<'_> {
    Identity { name: NAME, instance: NAME, component: "resource-metrics", image }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let on_node = stack.metrics_server.host_network;
    vec![Workload {
        name: NAME.to_owned(),
        namespace: NAMESPACE.to_owned(),
        selector: identity(None).selector(),
        roles: Vec::new(),
        on_node,
        // The API server passes on what `kubectl top` asks.
        ports: (!on_node).then(|| vec![Port::tcp(PORT, [Peer::Anybody, Peer::Pods(Role::Scraper)])]),
        reaches: vec![Reach::ApiServer, Reach::Nodes(KUBELET_PORT)],
    }]
}

fn is_monitored(stack: &Stack) -> bool {
    stack.metrics_server.monitored && stack.prometheus.enabled
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    let on_node = stack.metrics_server.host_network.then_some(PORT_ON_NODE);
    vec![Job::of(NAME, NAME, is_monitored(stack)).at_nodes(on_node)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let settings = &stack.metrics_server;
    let own_image = settings.effective_image(&stack.kubernetes);
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
    let own = json!({
        "name": NAME,
        "namespace": NAMESPACE,
        "port": if settings.host_network { PORT_ON_NODE } else { PORT },
        "hostNetwork": settings.host_network,
        "servicePort": SERVICE_PORT,
        "replicas": settings.replicas,
        "image": image(stack, &own_image),
        "imageParts": image_parts(stack, &own_image),
        "args": args,
        "monitored": is_monitored(stack),
        "pods": pods,
    });
    with(monitored(stack, identity(Some(&own_image)).facts()), own)
}
