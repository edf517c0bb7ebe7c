//! What a set asks of a cluster: objects, pods, processors, memory and storage.

use crate::Set;
use crate::demand::{self, Demand};
use crate::workload::Count;

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
    /// The pods of both sets.
    pub pods: [Pods; 2],
}

/// How many pods a set has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pods {
    /// Those whose number the set says.
    pub fixed: i64,
    /// Those on each node that takes them.
    pub each_node: i64,
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
    pods: Pods,
    /// Requests of processors and memory, and the limit of memory, in billionths: of all pods, and of those on one node.
    fixed: [i128; 3],
    each_node: [i128; 3],
    storage: i128,
}

pub(crate) fn totals(before: &Set<'_>, after: &Set<'_>) -> Totals {
    let (old, new) = (sum(before), sum(after));
    let row = |name, value: &dyn Fn(&Sum) -> String| Row { name, before: value(&old), after: value(&new) };
    let (cpu, memory) = (demand::cpu, demand::bytes);
    let rows = vec![
        row("objects", &|sum| sum.objects.to_string()),
        row("pods", &|sum| sum.pods.fixed.to_string()),
        row("CPU requested", &|sum| cpu(sum.fixed[0])),
        row("memory requested", &|sum| memory(sum.fixed[1])),
        row("memory limit", &|sum| memory(sum.fixed[2])),
        row("CPU requested on each node", &|sum| cpu(sum.each_node[0])),
        row("memory requested on each node", &|sum| memory(sum.each_node[1])),
        row("memory limit on each node", &|sum| memory(sum.each_node[2])),
        row("storage claimed", &|sum| memory(sum.storage)),
    ];
    Totals { rows, pods: [old.pods, new.pods] }
}

fn sum(set: &Set<'_>) -> Sum {
    let mut sum = Sum { objects: set.len(), ..Sum::default() };
    for (identity, object) in set {
        if identity.is("", "PersistentVolumeClaim") {
            sum.storage = sum.storage.saturating_add(demand::claim(object));
        }
        let Some(demand) = Demand::of(identity, object) else { continue };
        let pod = [demand.cpu, demand.memory, demand.memory_limit];
        let add = |to: &mut [i128; 3], times: i128| {
            to.iter_mut().zip(pod).for_each(|(sum, one)| *sum = sum.saturating_add(one.saturating_mul(times)));
        };
        match demand.count {
            Count::Pods(count) => {
                sum.pods.fixed = sum.pods.fixed.saturating_add(count);
                add(&mut sum.fixed, i128::from(count));
                sum.storage = sum.storage.saturating_add(demand.storage.saturating_mul(i128::from(count)));
            }
            Count::EachNode => {
                sum.pods.each_node = sum.pods.each_node.saturating_add(1);
                add(&mut sum.each_node, 1);
            }
            Count::Unknown => {}
        }
    }
    sum
}
