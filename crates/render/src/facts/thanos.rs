use super::monitored::{Job, monitored};
use super::workload::{Peer, Port, Role, Workload};
use super::{
    Identity, image, memory, metrics_release, object_storage, persistence, pods_of, resources, semantic_version,
    startup, with,
};
use serde_json::{Map, Value, json};
use vigil_stack::Stack;
use vigil_stack::model::ObjectStorage;

/// The port for metrics, and for queries as Prometheus takes them.
pub(super) const HTTP_PORT: u16 = 10902;

/// The port by which the processes ask each other for samples.
pub(super) const GRPC_PORT: u16 = 10901;

/// The labels by which samples differ that are the same otherwise: of the replicas of a Prometheus, as the operator calls it
/// unless it is told another; of those of a ruler, as it always calls it; and of the receivers that keep one sample.
const REPLICA_LABELS: [&str; 3] = ["prometheus_replica", "thanos_ruler_replica", RECEIVE_REPLICA];

/// The label by which the samples of receivers differ.
pub(super) const RECEIVE_REPLICA: &str = "receive_replica";

/// The name of all: of their ConfigMap and their account.
const NAME: &str = "thanos";

/// The account that the pods are in the cluster, and what all objects have in common.
fn identity(stack: &Stack) -> Identity<'_> {
    Identity { name: NAME, instance: metrics_release(stack), component: "long-term", image: Some(&stack.thanos.image) }
}

/// A process, in pods of its own.
struct Process {
    /// The name of its Deployment or StatefulSet, its Service and its container.
    name: &'static str,
    replicas: fn(&Stack) -> u16,
    roles: &'static [Role],
    /// Who asks it by HTTP, beside Prometheus for its metrics.
    asked_by: &'static [Role],
    /// Whether it answers by gRPC.
    answers: bool,
}

const QUERY: Process = Process {
    name: "thanos-query",
    replicas: |stack| stack.thanos.query.replicas.get(),
    roles: &[Role::Querier],
    asked_by: &[Role::QueryFrontend, Role::RuleEvaluator],
    answers: false,
};
const QUERY_FRONTEND: Process = Process {
    name: "thanos-query-frontend",
    replicas: |stack| stack.thanos.query_frontend.replicas.get(),
    roles: &[Role::QueryFrontend],
    asked_by: &[Role::Dashboards],
    answers: false,
};
const STORE: Process = Process {
    name: "thanos-store",
    replicas: |stack| stack.thanos.store.replicas.get(),
    roles: &[Role::ObjectStorageClient],
    asked_by: &[],
    answers: true,
};
/// A second one would destroy what the first makes.
const COMPACT: Process = Process {
    name: "thanos-compact",
    replicas: |_| 1,
    roles: &[Role::ObjectStorageClient],
    asked_by: &[],
    answers: false,
};

const PROCESSES: [Process; 4] = [QUERY, QUERY_FRONTEND, STORE, COMPACT];

impl Process {
    fn identity<'a>(&self, stack: &'a Stack) -> Identity<'a> {
        Identity {
            name: self.name,
            instance: metrics_release(stack),
            component: NAME,
            image: Some(&stack.thanos.image),
        }
    }

    fn workload(&self, stack: &Stack) -> Workload {
        let mut peers: Vec<_> = self.asked_by.iter().copied().map(Peer::Pods).collect();
        peers.extend(is_monitored(stack).then_some(Peer::Pods(Role::Scraper)));
        let mut ports = vec![Port::tcp(HTTP_PORT, peers)];
        ports.extend(self.answers.then(grpc_port));
        Workload {
            name: self.name.to_owned(),
            namespace: stack.namespaces.monitoring.to_string(),
            selector: self.identity(stack).selector(),
            roles: self.roles.to_vec(),
            on_node: false,
            ports: Some(ports),
            reaches: Vec::new(),
        }
    }

    /// What its objects say, for the partials too.
    fn facts(&self, stack: &Stack, own: Value) -> Value {
        let common = json!({
            "name": self.name,
            "namespace": stack.namespaces.monitoring,
            "monitored": is_monitored(stack),
            "replicas": (self.replicas)(stack),
            "url": format!("http://{}.{}:{HTTP_PORT}", self.name, stack.namespaces.monitoring),
            "pods": pods_of(stack, &stack.thanos, self.name, Some((self.replicas)(stack))),
        });
        let Value::Object(mut all) = with(monitored(stack, self.identity(stack).facts()), common) else { return own };
        all.insert("component".to_owned(), json!(self.name.strip_prefix("thanos-")));
        with(all, own)
    }
}

/// The port of what answers by gRPC.
fn grpc_port() -> Port {
    Port::tcp(GRPC_PORT, [Peer::Pods(Role::Querier)])
}

/// The ports of the side-car, which are ports of Prometheus' pods.
pub(super) fn sidecar_ports(stack: &Stack) -> Vec<Port> {
    let metrics = is_monitored(stack).then(|| Port::tcp(HTTP_PORT, [Peer::Pods(Role::Scraper)]));
    if stack.thanos.enabled { [grpc_port()].into_iter().chain(metrics).collect() } else { Vec::new() }
}

/// What the side-car makes of Prometheus' pods.
pub(super) fn sidecar_role(stack: &Stack) -> Option<Role> {
    stack.thanos.enabled.then_some(Role::ObjectStorageClient)
}

/// Where Prometheus' samples of all times are asked for.
pub(super) fn query_url(stack: &Stack) -> Option<String> {
    let at = format!("http://{}.{}:{HTTP_PORT}", QUERY_FRONTEND.name, stack.namespaces.monitoring);
    (stack.thanos.enabled && stack.prometheus.enabled).then_some(at)
}

/// The Service by which the side-cars are found, as the chart calls it.
fn discovery(stack: &Stack) -> String {
    format!("{}-thanos-discovery", metrics_release(stack))
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    PROCESSES.iter().map(|process| process.workload(stack)).collect()
}

/// The Services of whoever has samples and is asked for them.
fn stores(stack: &Stack) -> Vec<String> {
    let answers = |workload: &Workload| {
        let mut peers = workload.ports.iter().flatten().flat_map(|port| &port.peers);
        peers.any(|peer| *peer == Peer::Pods(Role::Querier))
    };
    // The Service of Prometheus leads to one of its pods, and that of its side-cars to all.
    let service = |workload: Workload| if workload.has(Role::Scraper) { discovery(stack) } else { workload.name };
    super::workloads(stack).into_iter().filter(answers).map(service).collect()
}

pub(super) fn is_monitored(stack: &Stack) -> bool {
    stack.thanos.monitored && stack.prometheus.enabled
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    let scraped = is_monitored(stack);
    let own = PROCESSES.iter().map(|process| Job::of(process.name, process.name, scraped));
    own.chain([Job::of("thanos-sidecar", discovery(stack), scraped)]).collect()
}

pub(super) fn facts(stack: &Stack) -> Value {
    let thanos = &stack.thanos;
    let storage = object_storage::of(stack);
    let facts = identity(stack).facts();
    let sidecar = resources(stack, thanos, "thanos-sidecar");
    let of_sidecar = Identity { name: "thanos-sidecar", component: NAME, ..identity(stack) };
    let own = json!({
        "name": NAME,
        "namespace": stack.namespaces.monitoring,
        "image": image(stack, &thanos.image),
        "version": semantic_version(&thanos.image),
        "httpPort": HTTP_PORT,
        "grpcPort": GRPC_PORT,
        "logLevel": thanos.log_level,
        "folder": "/etc/thanos",
        "replicaLabels": REPLICA_LABELS,
        "stores": stores(stack),
        "objectStore": object_store(&storage),
        "access": object_storage::access(Some(&storage)),
        "startup": startup(),
        "sidecar": with(monitored(stack, of_sidecar.facts()), json!({
            "name": discovery(stack),
            // Of the ruler too. Not below that of the others, where the operator mounts a Secret: a mount inside of one that is read-only fails.
            "folder": "/etc/thanos-objstore",
            "namespace": stack.namespaces.monitoring,
            "monitored": is_monitored(stack),
            "pods": { "goMemoryLimit": memory::go_limit(&sidecar) },
            "resources": sidecar,
        })),
        "query": QUERY.facts(stack, json!({})),
        "queryFrontend": QUERY_FRONTEND.facts(stack, json!({
            "cacheSize": memory::answers(&resources(stack, thanos, QUERY_FRONTEND.name)),
        })),
        "store": STORE.facts(stack, json!({
            "memory": memory::thanos_store(&resources(stack, thanos, STORE.name)),
            "persistence": persistence(&thanos.store.persistence),
            "data": "/var/thanos",
        })),
        "compact": COMPACT.facts(stack, json!({
            "retention": thanos.retention,
            "persistence": persistence(&thanos.compactor.persistence),
            "data": "/var/thanos",
        })),
    });
    with(facts, own)
}

/// The bucket, as the files that name one have it: the flag `--objstore.config-file`, with the keys of `Config` in
/// `providers/{s3,gcs,azure}` of github.com/thanos-io/objstore. No credential is in it.
fn object_store(storage: &ObjectStorage) -> Value {
    let ObjectStorage { s3, gcs, azure, buckets } = storage;
    let bucket = &buckets.thanos;
    let mut config = Map::new();
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    if let Some(s3) = s3 {
        set("bucket", json!(bucket));
        set("endpoint", json!(s3.endpoint));
        set("insecure", json!(s3.insecure));
        if let Some(region) = &s3.region {
            set("region", json!(region));
        }
        if s3.force_path_style {
            set("bucket_lookup_type", "path".into());
        }
        if s3.ca_secret.is_some() {
            set("http_config", json!({ "tls_config": { "ca_file": object_storage::authority() } }));
        }
        return json!({ "type": "S3", "config": config });
    }
    if let Some(azure) = azure {
        set("container", json!(bucket));
        set("storage_account", json!(azure.account));
        if let Some(suffix) = &azure.endpoint_suffix {
            set("endpoint", json!(suffix));
        }
        if azure.account_key.is_some() {
            // Thanos puts in what the variable holds.
            set("storage_account_key", format!("$({})", object_storage::ACCOUNT_KEY).into());
        }
        return json!({ "type": "AZURE", "config": config });
    }
    if gcs.is_some() {
        set("bucket", json!(bucket));
    }
    json!({ "type": "GCS", "config": config })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_yaml::Source;

    #[test]
    fn every_provider_is_named_as_thanos_reads_it() {
        for (storage, expected) in [
            (
                "{s3: {endpoint: a.b, region: r, forcePathStyle: true, caSecret: {name: a, key: b}}, buckets: {thanos: m-1}}",
                json!({ "type": "S3", "config": {
                    "bucket": "m-1", "endpoint": "a.b", "insecure": false, "region": "r", "bucket_lookup_type": "path",
                    "http_config": { "tls_config": { "ca_file": "/etc/object-storage/ca.crt" } },
                } }),
            ),
            ("{gcs: {}, buckets: {thanos: m-1}}", json!({ "type": "GCS", "config": { "bucket": "m-1" } })),
            (
                "{azure: {account: acme, accountKey: {name: a, key: b}}, buckets: {thanos: m-1}}",
                json!({ "type": "AZURE", "config": {
                    "container": "m-1", "storage_account": "acme", "storage_account_key": "$(AZURE_STORAGE_KEY)",
                } }),
            ),
        ] {
            let text = format!(
                "objectStorage: {storage}\nprometheus: {{retention: 2d, externalLabels: {{cluster: a}}}}\n\
                 thanos: {{enabled: true}}\n"
            );
            let stack = Stack::parse(&Source::new("stack.yaml", text)).unwrap().stack;
            assert_eq!(facts(&stack)["objectStore"], expected, "{storage}");
        }
    }
}
