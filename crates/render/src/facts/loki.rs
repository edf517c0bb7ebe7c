use super::loki_processes::{self, GOSSIP_PORT, GRPC_PORT, PORT};
use super::monitored::{Job, labelled, monitored};
use super::reach::{Caller, Reach};
use super::workload::{Peer, Port, Role, Workload};
use super::{
    Identity, LOGS_RELEASE, image, image_parts, logs_release, memory, object_storage, persistence, pods, release,
    startup, with,
};
use serde_json::{Number, Value, json};
use std::collections::BTreeMap;
use vigil_stack::Stack;
use vigil_stack::model::{
    Loki, LokiLimits, LokiMode, ObjectStorage, ObjectStore, Part as _, RetentionStream, SchemaPeriod,
};
use vigil_stack::units::{ByteSize, Duration};

/// Where it keeps log lines that are on its volume.
const CHUNKS: &str = "/data/loki/chunks";

fn identity(stack: &Stack) -> Identity<'_> {
    Identity {
        name: "loki",
        instance: release(stack, LOGS_RELEASE),
        component: "log-store",
        image: Some(&stack.loki.image),
    }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    if is_distributed(stack) {
        return loki_processes::workloads(stack, has_rules(stack), is_monitored(stack));
    }
    let mut peers = vec![Peer::Pods(Role::LogSender), Peer::Pods(Role::Dashboards)];
    peers.extend(is_monitored(stack).then_some(Peer::Pods(Role::Scraper)));
    let mut ports = vec![Port::tcp(PORT, peers)];
    if is_ha(stack) {
        ports.extend([GRPC_PORT, GOSSIP_PORT].map(|port| Port::tcp(port, [Peer::Pods(Role::LogPeer)])));
    }
    vec![Workload {
        name: logs_release(stack),
        namespace: stack.namespaces.logging.to_string(),
        selector: identity(stack).selector(),
        roles: [
            (Role::LogPeer, is_ha(stack)),
            (Role::AlertSender, sends_alerts(stack)),
            (Role::ObjectStorageClient, stack.loki.uses_object_storage()),
        ]
        .into_iter()
        .filter_map(|(role, is)| is.then_some(role))
        .collect(),
        on_node: false,
        ports: Some(ports),
        reaches: reaches(stack),
    }]
}

/// What its own configuration names besides.
pub(super) fn reaches(stack: &Stack) -> Vec<Reach> {
    let caller = Caller { stack, namespace: stack.namespaces.logging.as_str() };
    caller.said(&stack.loki.config).into_iter().collect()
}

/// Whether Loki evaluates the alerts of the stack that are about lines: they are wanted, and there is somebody to tell.
pub(crate) fn log_alerts(stack: &Stack) -> bool {
    stack.loki.enabled && stack.alertmanager.enabled && stack.alerts.is_in(stack)
}

/// Adds to the facts of all components the groups of rules that Loki evaluates, by the names of their files: the texts of
/// these, and all groups in one list; `null` where there are none.
pub(crate) fn give_log_rules(facts: &mut Value, files: &BTreeMap<String, Vec<Value>>) {
    let Some(own) = facts["loki"].as_object_mut() else { return };
    let text = |groups: &Vec<Value>| vigil_yaml::write(&json!({ "groups": groups }));
    let texts: BTreeMap<_, _> = files.iter().map(|(name, groups)| (name, text(groups))).collect();
    let are_there = !files.is_empty();
    own.insert("ruleFiles".to_owned(), json!(are_there.then_some(texts)));
    own.insert("ruleGroups".to_owned(), json!(are_there.then(|| files.values().flatten().collect::<Vec<_>>())));
}

pub(super) fn sends_alerts(stack: &Stack) -> bool {
    log_alerts(stack) || stack.alertmanager.enabled && !stack.loki.rules.is_empty()
}

/// Whether there is something for Loki to evaluate.
fn has_rules(stack: &Stack) -> bool {
    log_alerts(stack) || !stack.loki.rules.is_empty()
}

fn is_distributed(stack: &Stack) -> bool {
    stack.loki.mode == LokiMode::Distributed
}

fn is_ha(stack: &Stack) -> bool {
    stack.loki.mode == LokiMode::Ha
}

pub(super) fn is_monitored(stack: &Stack) -> bool {
    stack.loki.monitored && stack.prometheus.enabled
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("loki", logs_release(stack), is_monitored(stack))]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let loki = &stack.loki;
    let facts = monitored(stack, identity(stack).facts());
    let processes = if is_distributed(stack) {
        loki_processes::facts(stack, has_rules(stack))
    } else {
        loki_processes::alone(stack, identity(stack).facts(), is_ha(stack))
    };
    let own = json!({
        "name": logs_release(stack),
        "namespace": stack.namespaces.logging,
        "url": format!("http://{}.{}:{PORT}", logs_release(stack), stack.namespaces.logging),
        "port": PORT,
        "grpcPort": GRPC_PORT,
        "ha": is_ha(stack),
        "several": loki.replication() > 1,
        "replicas": loki.replicas(),
        "replication": loki.replication(),
        "peers": if is_distributed(stack) { loki_processes::all_pods(stack) } else { identity(stack).selector().into() },
        "stateful": processes["stateful"],
        "stateless": processes["stateless"],
        "distributed": is_distributed(stack).then_some(processes),
        "gossipPort": GOSSIP_PORT,
        "schema": loki.schema.iter().map(period).collect::<Vec<_>>(),
        "objectStore": loki.object_store().name(),
        "objectStores": loki.uses_object_storage().then(|| object_stores(stack)),
        "access": object_storage::access(loki.uses_object_storage().then_some(&*object_storage::of(stack))),
        "expandsEnv": loki.replication() > 1 || has_account_key(stack),
        "chunks": CHUNKS,
        "rulesFolder": "/etc/loki-rules",
        "limits": limits(loki),
        "retentionStreams": loki.retention_streams.iter().map(retention_stream).collect::<Vec<_>>(),
        "hasTenants": !loki.tenants.is_empty(),
        // Of one tenant, Loki's own name for it.
        "tenants": if loki.tenants.is_empty() { json!(["fake"]) } else { json!(loki.tenants) },
        "tenant": loki.tenants.first(),
        "readTenants": loki.tenants.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"),
        "readsSeveral": loki.tenants.len() > 1,
        "externalLabels": Some(&stack.prometheus.external_labels).filter(|labels| !labels.is_empty()),
        "config": Some(&stack.loki.config).filter(|config| !config.is_empty()),
        "headlessLabels": labelled(&facts, "prometheus.io/service-monitor", "false"),
        "image": image(stack, &loki.image),
        "imageParts": image_parts(stack, &loki.image),
        // Loki reads Go durations, which know no days.
        "retention": loki.retention.as_ref().and_then(Duration::as_hours).map(|hours| format!("{hours}h")),
        "logLevel": loki.log_level,
        "persistence": persistence(&loki.persistence),
        "startup": startup(),
        "memory": memory::loki(&stack.pods_of(loki).resources),
        "monitored": is_monitored(stack),
        "pods": pods(stack, loki, Some(loki.replicas())),
    });
    with(facts, own)
}

/// `limits` as the section `limits_config` of Loki's configuration has them, whose MB has 1024 times 1024 bytes.
fn limits(loki: &Loki) -> Value {
    let LokiLimits {
        ingestion_rate,
        ingestion_burst,
        max_streams,
        max_line_size,
        max_query_length,
        max_query_lookback,
        max_query_series,
    } = &loki.limits;
    // A whole number is written as one.
    let megabytes = |size: &ByteSize| json!((size.as_bytes() / f64::from(1 << 20)).to_string().parse::<Number>().ok());
    let limits = [
        ("ingestion_rate_mb", ingestion_rate.as_ref().map(megabytes)),
        ("ingestion_burst_size_mb", ingestion_burst.as_ref().map(megabytes)),
        ("max_global_streams_per_user", max_streams.map(|number| json!(number))),
        ("max_line_size", max_line_size.as_ref().map(|size| json!(format!("{}B", size.as_bytes())))),
        ("max_query_length", max_query_length.as_ref().map(|length| json!(length))),
        ("max_query_lookback", max_query_lookback.as_ref().map(|length| json!(length))),
        ("max_query_series", max_query_series.map(|number| json!(number))),
    ];
    let said = limits.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    said.collect::<serde_json::Map<_, _>>().into()
}

fn retention_stream(stream: &RetentionStream) -> Value {
    let mut value =
        json!({ "selector": stream.selector, "period": stream.period.as_hours().map(|hours| format!("{hours}h")) });
    if let Some(priority) = stream.priority {
        value["priority"] = json!(priority);
    }
    value
}

/// A period as Loki's configuration has it.
fn period(period: &SchemaPeriod) -> Value {
    json!({
        "from": period.from,
        "store": period.store,
        "schema": period.schema,
        "object_store": period.object_store.name(),
        "index": { "prefix": "index_", "period": "24h" },
    })
}

fn has_account_key(stack: &Stack) -> bool {
    let azure = stack.object_storage.azure.as_ref();
    stack.loki.uses_object_storage() && azure.is_some_and(|azure| azure.account_key.is_some())
}

/// The stores of all periods, as the section `object_store` of Loki's configuration has them.
fn object_stores(stack: &Stack) -> Value {
    let storage = object_storage::of(stack);
    let ObjectStorage { s3, gcs, azure, buckets } = &*storage;
    let bucket = &buckets.loki;
    let mut stores = serde_json::Map::new();
    for store in stack.loki.schema.iter().map(|period| period.object_store) {
        let settings = match store {
            ObjectStore::Filesystem => Some(json!({ "dir": CHUNKS })),
            ObjectStore::S3 => s3.as_ref().map(|s3| {
                let mut settings = json!({ "bucket_name": bucket, "endpoint": s3.endpoint, "insecure": s3.insecure });
                if let Some(region) = &s3.region {
                    settings["region"] = json!(region);
                }
                if s3.force_path_style {
                    settings["bucket_lookup_type"] = "path".into();
                }
                if s3.ca_secret.is_some() {
                    settings["http"] = json!({ "tls_ca_path": object_storage::authority() });
                }
                settings
            }),
            ObjectStore::Gcs => gcs.as_ref().map(|_| json!({ "bucket_name": bucket })),
            ObjectStore::Azure => azure.as_ref().map(|azure| {
                let mut settings = json!({ "account_name": azure.account, "container_name": bucket });
                if let Some(suffix) = &azure.endpoint_suffix {
                    settings["endpoint_suffix"] = json!(suffix);
                }
                if azure.account_key.is_some() {
                    settings["account_key"] = format!("${{{}}}", object_storage::ACCOUNT_KEY).into();
                }
                settings
            }),
        };
        stores.extend(settings.map(|settings| (store.name().to_owned(), settings)));
    }
    stores.into()
}
