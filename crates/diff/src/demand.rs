//! What workloads ask of a cluster: pods, processors, memory and storage.

use crate::object::{Identity, items, text};
use crate::workload::{Count, MONITORING, Workload};
use serde_json::Value;
use vigil_forms::quantity;

/// What a workload asks of a cluster. Amounts are in billionths, of processors and of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The workload.
    pub object: Identity,
    /// How many pods there are.
    pub count: Count,
    /// The processors that one pod requests.
    pub cpu: i128,
    /// The memory that one pod requests.
    pub memory: i128,
    /// The memory that one pod may take; 0 without a limit.
    pub memory_limit: i128,
    /// The storage that one pod claims by a template of its own.
    pub storage: i128,
}

/// What is asked of a container.
const RESOURCES: [&str; 3] = ["/resources/requests/cpu", "/resources/requests/memory", "/resources/limits/memory"];

impl Demand {
    pub(crate) fn of(identity: &Identity, object: &Value) -> Option<Self> {
        let workload = Workload::of(identity, object)?;
        let [cpu, memory, memory_limit] = pod(&workload);
        let claims = items(object, "/spec/volumeClaimTemplates").iter();
        let claims = claims.chain(object.pointer("/spec/storage/volumeClaimTemplate"));
        let storage = claims.map(claim).fold(0, i128::saturating_add);
        Some(Self { object: identity.clone(), count: workload.count, cpu, memory, memory_limit, storage })
    }
}

/// What the workloads of a set ask of a cluster, each with its object, sorted by namespace, kind and name.
pub fn demands(objects: &[Value]) -> Vec<(Demand, &Value)> {
    crate::set(objects)
        .into_iter()
        .filter_map(|(identity, object)| Some((Demand::of(&identity, object)?, object)))
        .collect()
}

/// The storage that a claim requests.
pub(crate) fn claim(claim: &Value) -> i128 {
    amount(claim, "/spec/resources/requests/storage")
}

/// What one pod asks for: its containers, or a larger one that runs before them.
fn pod(workload: &Workload<'_>) -> [i128; 3] {
    if workload.identity.group == MONITORING {
        return RESOURCES.map(|at| amount(workload.pod, at));
    }
    let of = |list: &str, at: &str| -> Vec<i128> {
        items(workload.pod, list)
            .iter()
            .filter(|it| list != "/initContainers" || text(it, "/restartPolicy").is_empty())
            .map(|it| amount(it, at))
            .collect()
    };
    let beside = |at: &str| -> i128 {
        let list = items(workload.pod, "/initContainers").iter();
        list.filter(|it| text(it, "/restartPolicy") == "Always").map(|it| amount(it, at)).fold(0, i128::saturating_add)
    };
    RESOURCES.map(|at| {
        let together = of("/containers", at).into_iter().fold(beside(at), i128::saturating_add);
        together.max(of("/initContainers", at).into_iter().max().unwrap_or_default())
    })
}

fn amount(value: &Value, at: &str) -> i128 {
    let text = match value.pointer(at) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return 0,
    };
    quantity::nanos(&text).unwrap_or_default()
}

/// An amount of processors, as Kubernetes writes it: `250m`.
pub fn cpu(nanos: i128) -> String {
    if nanos == 0 { "0".to_owned() } else { quantity::spelled(nanos) }
}

/// An amount of memory or storage, for people: `1.5 GiB`.
pub fn bytes(nanos: i128) -> String {
    const UNITS: [(&str, i128); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let bytes = nanos / 1_000_000_000;
    let Some((unit, size)) = UNITS.iter().find(|(_, size)| bytes >= *size) else { return bytes.to_string() };
    let tenths = (bytes * 10 + size / 2) / size;
    if tenths % 10 == 0 { format!("{} {unit}", tenths / 10) } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}
