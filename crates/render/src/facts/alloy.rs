use super::journal::journal;
use super::log_pipelines::stages;
use super::monitored::{Job, monitored};
use super::outputs::{output, output_env};
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, image, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{ContainerRuntime, Positions};

/// The name of the object and of the Helm release that a Helm user has.
const NAME: &str = "alloy";

/// Alloy's HTTP port: readiness, metrics, its own page.
const PORT: u16 = 12345;

fn identity(stack: &Stack) -> Identity<'_> {
    Identity { name: NAME, instance: NAME, component: "log-collector", image: Some(&stack.alloy.image) }
}

fn is_monitored(stack: &Stack) -> bool {
    stack.alloy.monitored && stack.prometheus.enabled
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let peers: Vec<_> = is_monitored(stack).then_some(Peer::Pods(Role::Scraper)).into_iter().collect();
    vec![Workload {
        name: NAME.to_owned(),
        namespace: stack.namespaces.log_agents().to_string(),
        selector: identity(stack).selector(),
        roles: &[Role::LogSender],
        // It reads the log files of its node.
        on_node: true,
        ports: Some(vec![Port::tcp(PORT, peers)]),
    }]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("alloy", NAME, is_monitored(stack))]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let alloy = &stack.alloy;
    let own = json!({
        "name": NAME,
        "namespace": stack.namespaces.log_agents(),
        "port": PORT,
        "image": image(stack, &alloy.image),
        "logLevel": alloy.log_level,
        "docker": alloy.container_runtime == ContainerRuntime::Docker,
        "positionsInPod": alloy.positions == Positions::Pod,
        "toLoki": stack.loki.enabled,
        "stages": stages(&alloy.pipelines),
        "journal": journal(&alloy.journal),
        "outputs": alloy.outputs.iter().enumerate().map(output).collect::<Vec<_>>(),
        "secretEnv": output_env(&alloy.outputs),
        "monitored": is_monitored(stack),
        "pods": pods(stack, alloy, None),
    });
    with(monitored(identity(stack).facts()), own)
}
