use super::monitored::Job;
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, image, metrics_release, named, persistence, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{AccessKeys, Buckets, S3};

/// The port of S3.
const PORT: u16 = 7070;

/// The region that it says it is: clients that know it do not ask.
const REGION: &str = "us-east-1";

/// The name of its objects: it says in the cluster, too, what it is not for.
const NAME: &str = "lab-object-storage";

fn identity(stack: &Stack) -> Identity<'_> {
    Identity {
        name: NAME,
        instance: metrics_release(stack),
        component: "object-storage",
        image: Some(&stack.lab_object_storage.image),
    }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    vec![Workload {
        name: named(stack, NAME),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack).selector(),
        roles: Vec::new(),
        on_node: false,
        ports: Some(vec![Port::tcp(PORT, [Peer::Pods(Role::ObjectStorageClient)])]),
        reaches: Vec::new(),
    }]
}

/// It has no metrics.
pub(super) fn jobs(_stack: &Stack) -> Vec<Job> {
    Vec::new()
}

/// Itself, as clients know it.
pub(super) fn as_s3(stack: &Stack, credentials: &AccessKeys) -> Option<S3> {
    let endpoint = format!("{}.{}.svc:{PORT}", named(stack, NAME), stack.namespaces.monitoring);
    Some(S3 {
        endpoint: endpoint.parse().ok()?,
        region: REGION.parse().ok(),
        force_path_style: true,
        insecure: true,
        ca_secret: None,
        credentials: Some(credentials.clone()),
    })
}

pub(super) fn facts(stack: &Stack) -> Value {
    let lab = &stack.lab_object_storage;
    let Buckets { loki, thanos } = &stack.object_storage.buckets;
    let folder = "/data/buckets";
    let buckets: Vec<_> = [loki, thanos].into_iter().flatten().map(|bucket| format!("{folder}/{bucket}")).collect();
    let own = json!({
        "name": named(stack, NAME),
        "namespace": stack.namespaces.monitoring,
        "image": image(stack, &lab.image),
        "port": PORT,
        "region": REGION,
        "credentials": lab.credentials,
        "volume": "/data",
        "folder": folder,
        "buckets": buckets,
        "persistence": persistence(&lab.persistence),
        "pods": pods(stack, lab, Some(1)),
    });
    with(identity(stack).facts(), own)
}
