//! What a set asks of a cluster: objects, pods, processors, memory and storage.

use crate::Set;
use crate::object::{Identity, items, text};
use crate::workload::{Count, MONITORING, Workload};
use serde_json::Value;
use vigil_forms::quantity;

/// One line of the totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is counted.
    pub name: &'static str,
    /// How much the first set has.
    pub before: String,
    /// How much the second has.
    pub after: String,
}

/// What both sets ask of a cluster. Pods on each node are counted for one node, and apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// All lines, also those that stay the same.
    pub rows: Vec<Row>,
}

impl Totals {
    /// The lines that differ.
    pub fn changed(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.before != row.after)
    }
}

#[derive(Default)]
struct Sum {
    objects: usize,
    pods: i64,
    /// Requests of processors and memory, and the limit of memory, in billionths: of all pods, and of those on one node.
    fixed: [i128; 3],
    each_node: [i128; 3],
    storage: i128,
}

/// What is asked of a container.
const RESOURCES: [&str; 3] = ["/resources/requests/cpu", "/resources/requests/memory", "/resources/limits/memory"];

pub(crate) fn totals(before: &Set<'_>, after: &Set<'_>) -> Totals {
    let (old, new) = (sum(before), sum(after));
    let row = |name, value: &dyn Fn(&Sum) -> String| Row { name, before: value(&old), after: value(&new) };
    let cpu = |nanos: i128| if nanos == 0 { "0".to_owned() } else { quantity::spelled(nanos) };
    let memory = |nanos: i128| bytes(nanos / 1_000_000_000);
    let rows = vec![
        row("objects", &|sum| sum.objects.to_string()),
        row("pods", &|sum| sum.pods.to_string()),
        row("CPU requested", &|sum| cpu(sum.fixed[0])),
        row("memory requested", &|sum| memory(sum.fixed[1])),
        row("memory limit", &|sum| memory(sum.fixed[2])),
        row("CPU requested on each node", &|sum| cpu(sum.each_node[0])),
        row("memory requested on each node", &|sum| memory(sum.each_node[1])),
        row("memory limit on each node", &|sum| memory(sum.each_node[2])),
        row("storage claimed", &|sum| memory(sum.storage)),
    ];
    Totals { rows }
}

fn sum(set: &Set<'_>) -> Sum {
    let mut sum = Sum { objects: set.len(), ..Sum::default() };
    for (identity, object) in set {
        let claim = |claim: &Value| amount(claim, "/spec/resources/requests/storage");
        if identity.is("", "PersistentVolumeClaim") {
            sum.storage = sum.storage.saturating_add(claim(object));
        }
        let Some(workload) = Workload::of(identity, object) else { continue };
        let pod = pod(identity, &workload);
        match workload.count {
            Count::Pods(count) => {
                let times = i128::from(count);
                sum.pods = sum.pods.saturating_add(count);
                sum.fixed
                    .iter_mut()
                    .zip(pod)
                    .for_each(|(sum, one)| *sum = sum.saturating_add(one.saturating_mul(times)));
                let claims = items(object, "/spec/volumeClaimTemplates").iter();
                let claims = claims.chain(object.pointer("/spec/storage/volumeClaimTemplate"));
                let each = claims.map(claim).fold(0, i128::saturating_add);
                sum.storage = sum.storage.saturating_add(each.saturating_mul(times));
            }
            Count::EachNode => sum.each_node.iter_mut().zip(pod).for_each(|(sum, one)| *sum = sum.saturating_add(one)),
            Count::Unknown => {}
        }
    }
    sum
}

/// What one pod asks for: its containers, or a larger one that runs before them.
fn pod(identity: &Identity, workload: &Workload<'_>) -> [i128; 3] {
    if identity.group == MONITORING {
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

/// `1.5 GiB`.
fn bytes(bytes: i128) -> String {
    const UNITS: [(&str, i128); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let Some((unit, size)) = UNITS.iter().find(|(_, size)| bytes >= *size) else { return bytes.to_string() };
    let tenths = (bytes * 10 + size / 2) / size;
    if tenths % 10 == 0 { format!("{} {unit}", tenths / 10) } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}
