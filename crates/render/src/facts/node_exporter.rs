use super::monitored::{JOB_LABEL, Job, labelled, monitored};
use super::scrape_config::drops;
use super::workload::Workload;
use super::{Identity, image, image_parts, metrics_release, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{MountPropagation, NodeExporter, TaintEffect, Toleration};

/// Where the node's D-Bus is, below the node's root as the pods see it.
const DBUS: &str = "unix:path=/host/root/run/dbus/system_bus_socket";

/// What alerts and dashboards know it by.
const JOB: &str = "node-exporter";

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.node_exporter.image);
    Identity { name: "prometheus-node-exporter", instance: metrics_release(stack), component: "metrics", image }
}

fn name(stack: &Stack) -> String {
    format!("{}-prometheus-node-exporter", metrics_release(stack))
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    vec![Workload {
        name: name(stack),
        namespace: stack.namespaces.node_agents().to_string(),
        selector: identity(stack).selector(),
        roles: Vec::new(),
        // It reads its node's /proc and /sys, and is in its network, where no policy reaches.
        on_node: true,
        ports: None,
        reaches: Vec::new(),
    }]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("node-exporter", JOB, stack.prometheus.enabled).at_nodes([stack.node_exporter.port.get()])]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let settings = &stack.node_exporter;
    let mut pods = pods(stack, settings, None);
    // A node is watched whatever keeps other pods away from it.
    let every = Toleration { effect: Some(TaintEffect::NoSchedule), ..Toleration::of_everything() };
    let mut tolerations = stack.pods_of(settings).tolerations.unwrap_or_default();
    tolerations.retain(|toleration| toleration.effect != every.effect);
    if !tolerations.contains(&Toleration::of_everything()) {
        tolerations.push(every);
    }
    pods["tolerations"] = json!(tolerations);
    // It reads Linux' files.
    if pods["nodeSelector"].is_null() {
        pods["nodeSelector"] = json!({});
    }
    pods["nodeSelector"]["kubernetes.io/os"] = "linux".into();
    let facts = monitored(stack, identity(stack).facts());
    let own = json!({
        "name": name(stack),
        "namespace": stack.namespaces.node_agents(),
        "apart": stack.namespaces.agents.is_some(),
        "port": settings.port,
        "collectors": collectors(settings),
        "dbus": settings.collectors.enable.iter().any(|collector| collector.asks_dbus()).then_some(DBUS),
        "mountPropagation": settings.mount_propagation,
        // Where the chart's own words are: a stack that says nothing says nothing there.
        "inChart": {
            "port": (settings.port != NodeExporter::default().port).then_some(settings.port),
            "mountPropagation": settings.mount_propagation != MountPropagation::HostToContainer,
        },
        "jobLabel": JOB_LABEL,
        "drops": drops(&settings.drop),
        "serviceLabels": labelled(&facts, JOB_LABEL, JOB),
        "image": image(stack, &settings.image),
        "imageParts": image_parts(stack, &settings.image),
        "pods": pods,
    });
    with(facts, own)
}

/// The flags that switch collectors on and off.
fn collectors(settings: &NodeExporter) -> Vec<String> {
    let flag =
        |prefix: &str, collector| format!("--{prefix}collector.{}", json!(collector).as_str().unwrap_or_default());
    let enabled = settings.collectors.enable.iter().map(|collector| flag("", collector));
    enabled.chain(settings.collectors.disable.iter().map(|collector| flag("no-", collector))).collect()
}
