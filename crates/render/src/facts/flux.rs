use super::monitored::Job;
use super::workload::Workload;
use super::{Identity, with};
use serde_json::{Value, json};
use vigil_forms::duration::to_go;
use vigil_stack::Stack;
use vigil_stack::units::GitUrl;

pub(super) fn workloads(_: &Stack) -> Vec<Workload> {
    Vec::new()
}

pub(super) fn jobs(_: &Stack) -> Vec<Job> {
    Vec::new()
}

pub(super) fn facts(stack: &Stack) -> Value {
    let flux = &stack.flux;
    let identity =
        Identity { name: "flux-kustomization", instance: flux.name.as_str(), component: "delivery", image: None };
    // A rule asks for one of the two.
    let source = match &flux.artifact {
        Some(artifact) => json!({ "kind": "OCIRepository", "url": artifact, "ref": { "tag": flux.tag } }),
        None => json!({
            "kind": "GitRepository",
            "url": flux.repository.as_ref().map_or("", GitUrl::as_str),
            "ref": { "branch": flux.branch },
        }),
    };
    let own = json!({
        "name": flux.name,
        "namespace": flux.namespace,
        "source": source,
        "secret": flux.secret,
        "interval": to_go(flux.interval.length()),
        "path": format!("./{}", flux.path),
        "dependsOn": flux.depends_on.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "prune": flux.prune,
        "wait": flux.wait,
        "timeout": to_go(flux.timeout.length()),
        "serviceAccount": flux.service_account,
    });
    with(identity.facts(), own)
}
