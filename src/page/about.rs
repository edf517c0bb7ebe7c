//! What objects say of the cluster: workloads, Services, storage and rights.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use vigil_diff::Count;
use vigil_diff::demand::{Demand, bytes, cpu, demands};

/// The workloads of a namespace.
#[derive(Serialize)]
pub(super) struct Area {
    namespace: String,
    rows: Vec<Workload>,
}

#[derive(Serialize)]
struct Workload {
    name: String,
    kind: String,
    images: Vec<String>,
    pods: String,
    cpu: String,
    memory: String,
    limit: String,
    storage: String,
}

pub(super) fn workloads(objects: &[Value]) -> Vec<Area> {
    let mut areas: BTreeMap<String, Vec<Workload>> = BTreeMap::new();
    for (demand, workload) in demands(objects) {
        let Demand { object, count, cpu: processors, memory, memory_limit, storage } = demand;
        let amount = |nanos| if nanos == 0 { "–".to_owned() } else { bytes(nanos) };
        let row = Workload {
            images: images(workload),
            pods: match count {
                Count::Pods(pods) => pods.to_string(),
                Count::EachNode => "each node".to_owned(),
                Count::Unknown => "–".to_owned(),
            },
            cpu: if processors == 0 { "–".to_owned() } else { cpu(processors) },
            memory: amount(memory),
            limit: amount(memory_limit),
            storage: amount(storage),
            name: object.name,
            kind: object.kind,
        };
        areas.entry(object.namespace).or_default().push(row);
    }
    areas.into_iter().map(|(namespace, rows)| Area { namespace, rows }).collect()
}

/// The images of a workload, each once; of the operator's kinds the one that they name.
fn images(object: &Value) -> Vec<String> {
    let mut images = Vec::new();
    let pods = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec", "/spec"];
    for spec in pods.iter().filter_map(|path| object.pointer(path)) {
        let containers = ["initContainers", "containers"].iter().flat_map(|key| items(spec, key));
        let named = containers.map(|container| text(container, "/image")).chain([text(spec, "/image")]);
        images.extend(named.filter(|image| !image.is_empty()).map(str::to_owned));
    }
    let mut known = std::collections::HashSet::new();
    images.retain(|image| known.insert(image.clone()));
    images
}

/// A Service.
#[derive(Serialize)]
pub(super) struct Service {
    name: String,
    namespace: String,
    kind: String,
    ports: String,
}

pub(super) fn services(objects: &[Value]) -> Vec<Service> {
    let mut services: Vec<_> = of_kind(objects, "Service")
        .map(|object| Service {
            name: text(object, "/metadata/name").to_owned(),
            namespace: text(object, "/metadata/namespace").to_owned(),
            kind: match (text(object, "/spec/type"), text(object, "/spec/clusterIP")) {
                ("", "None") => "headless".to_owned(),
                ("", _) => "ClusterIP".to_owned(),
                (kind, _) => kind.to_owned(),
            },
            ports: object
                .pointer("/spec")
                .map(|spec| items(spec, "ports"))
                .unwrap_or_default()
                .iter()
                .map(port)
                .collect::<Vec<_>>()
                .join(", "),
        })
        .collect();
    services.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    services
}

fn port(port: &Value) -> String {
    let number = |key: &str| port[key].as_i64().map(|number| number.to_string());
    let mut said = number("port").unwrap_or_default();
    if let Some(node) = number("nodePort") {
        said = format!("{said} (node port {node})");
    }
    match text(port, "/name") {
        "" => said,
        name => format!("{name} {said}"),
    }
}

/// Where somebody keeps data.
#[derive(Serialize)]
pub(super) struct Storage {
    name: String,
    place: String,
    size: String,
    /// It outlives the pod.
    kept: bool,
}

pub(super) fn storage(objects: &[Value]) -> Vec<Storage> {
    let mut storage = Vec::new();
    for object in of_kind(objects, "PersistentVolumeClaim") {
        let class = match text(object, "/spec/storageClassName") {
            "" => "the default StorageClass".to_owned(),
            class => format!("StorageClass {class}"),
        };
        let size = text(object, "/spec/resources/requests/storage").to_owned();
        storage.push(Storage { name: titled(object), place: format!("a claim of {class}"), size, kept: true });
    }
    for (Demand { object, storage: claimed, .. }, workload) in demands(objects) {
        if claimed > 0 {
            let place = "a claim of its own for each pod".to_owned();
            storage.push(Storage { name: object.to_string(), place, size: bytes(claimed), kept: true });
        } else if is_lost(workload) {
            let place = "an emptyDir: gone with the pod, however it is replaced".to_owned();
            storage.push(Storage { name: object.to_string(), place, size: "–".to_owned(), kept: false });
        }
    }
    storage
}

/// Whether a workload keeps what it stores in its pod: the operator's kinds without `storage`, and volumes that are called so.
fn is_lost(object: &Value) -> bool {
    let is_operated = ["Prometheus", "Alertmanager", "ThanosRuler"].contains(&text(object, "/kind"));
    let volumes = object.pointer("/spec/template/spec").map(|spec| items(spec, "volumes")).unwrap_or_default();
    let is_empty =
        |volume: &Value| ["storage", "data"].contains(&text(volume, "/name")) && volume.get("emptyDir").is_some();
    is_operated && object.pointer("/spec/storage").is_none() || volumes.iter().any(is_empty)
}

/// What a ServiceAccount may do, in one place.
#[derive(Serialize)]
pub(super) struct Account {
    subject: String,
    scope: String,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct Rule {
    text: String,
    wide: bool,
}

pub(super) fn rights(objects: &[Value]) -> Vec<Account> {
    let mut accounts = Vec::new();
    let bindings = of_kind(objects, "RoleBinding").chain(of_kind(objects, "ClusterRoleBinding"));
    for binding in bindings {
        let namespace = text(binding, "/metadata/namespace");
        let (kind, name) = (text(binding, "/roleRef/kind"), text(binding, "/roleRef/name"));
        let role = of_kind(objects, kind).find(|role| {
            text(role, "/metadata/name") == name
                && (kind == "ClusterRole" || text(role, "/metadata/namespace") == namespace)
        });
        let outside =
            || vec![Rule { text: format!("what {kind} {name} of the cluster allows"), wide: name == "cluster-admin" }];
        let rules = || role.map_or_else(outside, |role| rules(items(role, "rules")));
        let scope =
            if namespace.is_empty() { "the whole cluster".to_owned() } else { format!("namespace {namespace}") };
        for subject in items(binding, "subjects") {
            let named = match text(subject, "/namespace") {
                "" => format!("{} {}", text(subject, "/kind"), text(subject, "/name")),
                namespace => format!("{namespace}/{}", text(subject, "/name")),
            };
            accounts.push(Account { subject: named, scope: scope.clone(), rules: rules() });
        }
    }
    accounts.sort_by(|a, b| (&a.subject, &a.scope).cmp(&(&b.subject, &b.scope)));
    accounts
}

/// The rules of a role, those of the same verbs together.
fn rules(rules: &[Value]) -> Vec<Rule> {
    const WIDE: [&str; 6] = ["*", "secrets", "pods/exec", "pods/attach", "nodes/proxy", "serviceaccounts/token"];
    const OVER_RIGHTS: [&str; 4] = ["*", "escalate", "bind", "impersonate"];
    let mut told: Vec<((String, bool), Vec<String>)> = Vec::new();
    for rule in rules {
        let words = |key: &str| items(rule, key).iter().filter_map(Value::as_str).collect::<Vec<_>>();
        let (verbs, resources) = (words("verbs"), words("resources"));
        let wide = resources.iter().any(|it| WIDE.contains(it)) || verbs.iter().any(|it| OVER_RIGHTS.contains(it));
        let mut of = [words("nonResourceURLs"), resources].concat().join(", ");
        let groups: Vec<_> = words("apiGroups").into_iter().filter(|group| !group.is_empty()).collect();
        if !groups.is_empty() {
            of = format!("{of} of {}", groups.join(", "));
        }
        let names = words("resourceNames");
        if !names.is_empty() {
            of = format!("{of} named {}", names.join(", "));
        }
        let key = (verbs.join(", "), wide);
        match told.iter_mut().find(|(known, _)| *known == key) {
            Some((_, all)) => all.push(of),
            None => told.push((key, vec![of])),
        }
    }
    told.into_iter().map(|((verbs, wide), of)| Rule { text: format!("{verbs}: {}", of.join("; ")), wide }).collect()
}

/// The objects of a kind, whatever their group.
pub(super) fn of_kind<'o>(objects: &'o [Value], kind: &str) -> impl Iterator<Item = &'o Value> {
    objects.iter().filter(move |object| text(object, "/kind") == kind)
}

pub(super) fn titled(object: &Value) -> String {
    let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
    match text(object, "/metadata/namespace") {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}

pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
