use super::journal::journal;
use super::log_pipelines::stages;
use super::monitored::{Job, monitored};
use super::outputs::{output, output_env};
use super::reach::{Caller, Reach};
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, image, named, pods, release, with};
use crate::engine::checksum;
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{ContainerRuntime, Positions};

/// The name of the object and of the Helm release that a Helm user has.
const NAME: &str = "alloy";

/// Alloy's HTTP port: readiness, metrics, its own page.
const PORT: u16 = 12345;

fn identity(stack: &Stack) -> Identity<'_> {
    Identity { name: NAME, instance: release(stack, NAME), component: "log-collector", image: Some(&stack.alloy.image) }
}

/// The Deployment with the one pod that carries Events.
const EVENTS: &str = "alloy-events";

fn events_identity(stack: &Stack) -> Identity<'_> {
    Identity { name: EVENTS, component: "event-collector", ..identity(stack) }
}

fn is_monitored(stack: &Stack) -> bool {
    stack.alloy.monitored && stack.prometheus.enabled
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let caller = Caller { stack, namespace: stack.namespaces.log_agents().as_str() };
    let texts: Vec<_> = stack.alloy.config_files.iter().filter_map(|file| file.text.as_deref()).collect();
    let said = caller.said(&texts).into_iter().chain(caller.said(&stack.alloy.outputs));
    let reaches: Vec<_> = said.chain([Reach::ApiServer]).collect();
    let workload = |name: String, identity: &Identity<'_>, on_node| {
        let peers: Vec<_> = is_monitored(stack).then_some(Peer::Pods(Role::Scraper)).into_iter().collect();
        Workload {
            name,
            namespace: stack.namespaces.log_agents().to_string(),
            selector: identity.selector(),
            roles: vec![Role::LogSender],
            on_node,
            ports: Some(vec![Port::tcp(PORT, peers)]),
            reaches: reaches.clone(),
        }
    };
    // It reads the log files of its node.
    let mut all = vec![workload(named(stack, NAME), &identity(stack), true)];
    all.extend(stack.alloy.events.enabled.then(|| workload(named(stack, EVENTS), &events_identity(stack), false)));
    all
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![
        Job::of("alloy", named(stack, NAME), is_monitored(stack)),
        Job::of("alloy-events", named(stack, EVENTS), is_monitored(stack) && stack.alloy.events.enabled),
    ]
}

/// The pod that carries Events; nothing where there is none.
fn events(stack: &Stack) -> Value {
    let events = &stack.alloy.events;
    if !events.enabled {
        return Value::Null;
    }
    let own = json!({
        "name": named(stack, EVENTS),
        "namespace": stack.namespaces.log_agents(),
        "namespaces": events.namespaces,
        "monitored": is_monitored(stack),
        "pods": pods(stack, &stack.alloy, Some(1)),
    });
    with(monitored(stack, events_identity(stack).facts()), own)
}

pub(super) fn facts(stack: &Stack) -> Value {
    let alloy = &stack.alloy;
    let read = || alloy.config_files.iter().filter_map(|file| Some((&file.name, file.text.as_deref()?)));
    let files: Vec<_> = read().map(|(name, text)| json!({ "key": format!("{name}.alloy"), "text": text })).collect();
    let texts: Vec<_> = read().map(|(_, text)| text).collect();
    let own = json!({
        "name": named(stack, NAME),
        "namespace": stack.namespaces.log_agents(),
        "port": PORT,
        "image": image(stack, &alloy.image),
        "logLevel": alloy.log_level,
        "docker": alloy.container_runtime == ContainerRuntime::Docker,
        "positionsInPod": alloy.positions == Positions::Pod,
        "toLoki": stack.loki.enabled,
        "stages": stages(&alloy.pipelines),
        "journal": journal(&alloy.journal),
        "events": events(stack),
        "outputs": alloy.outputs.iter().enumerate().map(output).collect::<Vec<_>>(),
        "secretEnv": output_env(&alloy.outputs),
        // On the node.
        "positionsFolder": format!("/var/lib/{}", named(stack, NAME)),
        "configFiles": files,
        "filesChecksum": (!texts.is_empty()).then(|| checksum(texts.concat())),
        "envFromSecrets": alloy.env_from_secrets,
        "monitored": is_monitored(stack),
        "pods": pods(stack, alloy, None),
    });
    with(monitored(stack, identity(stack).facts()), own)
}
