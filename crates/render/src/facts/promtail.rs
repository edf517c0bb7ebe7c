use super::journal::journal;
use super::log_pipelines::{literal, stages};
use super::monitored::{Job, monitored};
use super::outputs::{output, output_volumes};
use super::reach::{Caller, Reach};
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, LOGS_RELEASE, image, image_parts, logs_release, named, pods, release, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{ContainerRuntime, Positions};

/// Promtail's HTTP port: readiness and metrics.
const PORT: u16 = 3101;

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.promtail.image);
    Identity { name: "promtail", instance: release(stack, LOGS_RELEASE), component: "log-collector", image }
}

fn name(stack: &Stack) -> String {
    format!("{}-promtail", logs_release(stack))
}

/// Its Service, which is there for its metrics.
fn metrics_name(stack: &Stack) -> String {
    format!("{}-promtail-metrics", logs_release(stack))
}

fn is_monitored(stack: &Stack) -> bool {
    stack.promtail.monitored && stack.prometheus.enabled
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let caller = Caller { stack, namespace: stack.namespaces.log_agents().as_str() };
    let peers: Vec<_> = is_monitored(stack).then_some(Peer::Pods(Role::Scraper)).into_iter().collect();
    vec![Workload {
        name: name(stack),
        namespace: stack.namespaces.log_agents().to_string(),
        selector: identity(stack).selector(),
        roles: vec![Role::LogSender],
        // It reads the log files of its node.
        on_node: true,
        ports: Some(vec![Port::tcp(PORT, peers)]),
        reaches: caller.said(&stack.promtail.outputs).into_iter().chain([Reach::ApiServer]).collect(),
    }]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("promtail", metrics_name(stack), is_monitored(stack))]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let promtail = &stack.promtail;
    let own = json!({
        "name": name(stack),
        "namespace": stack.namespaces.log_agents(),
        "port": PORT,
        "image": image(stack, &promtail.image),
        "imageParts": image_parts(stack, &promtail.image),
        "logLevel": promtail.log_level,
        "docker": promtail.container_runtime == ContainerRuntime::Docker,
        "positionsInPod": promtail.positions == Positions::Pod,
        "metricsName": metrics_name(stack),
        "toLoki": stack.loki.enabled,
        "stages": stages(&promtail.pipelines),
        "chartStages": literal(stages(&promtail.pipelines).into()),
        "journal": journal(&promtail.journal),
        "outputs": promtail.outputs.iter().enumerate().map(output).collect::<Vec<_>>(),
        "secretVolumes": output_volumes(&promtail.outputs),
        // On the node.
        "positionsFolder": format!("/var/lib/{}", named(stack, "promtail")),
        "monitored": is_monitored(stack),
        "pods": pods(stack, promtail, None),
    });
    with(monitored(stack, identity(stack).facts()), own)
}
