//! Labels by which Prometheus finds what it scrapes, and by which it names it.

use super::metrics_release;
use serde_json::{Map, Value};
use vigil_stack::Stack;

/// The label of a Service whose value becomes the `job` of its metrics, where the Service's name would not do. Alerts
/// and dashboards ask for that `job`.
pub(super) const JOB_LABEL: &str = "jobLabel";

/// The label by which pods of other people's charts say which program they are: the `job` of their metrics.
pub(super) const JOB_OF_NAME: &str = "app.kubernetes.io/name";

/// Adds to facts that hold `labels` the `monitorLabels`: those of a `ServiceMonitor`, which carries besides what
/// `prometheus.selection: labelled` looks for.
pub(super) fn monitored(stack: &Stack, mut facts: Map<String, Value>) -> Map<String, Value> {
    facts.insert("monitorLabels".to_owned(), labelled(&facts, "release", metrics_release(stack)));
    facts
}

/// The `labels` of some facts, and one more.
pub(super) fn labelled(facts: &Map<String, Value>, key: &str, value: &str) -> Value {
    let mut labels = facts.get("labels").and_then(Value::as_object).cloned().unwrap_or_default();
    labels.insert(key.to_owned(), value.into());
    labels.into()
}

/// What Prometheus scrapes under one `job`, or the container whose lines rules of Loki read.
pub(crate) struct Job {
    /// What rules and dashboards call it: a part of the stack, or of Kubernetes.
    pub(crate) target: &'static str,
    /// The `job`; `None` when the stack does not scrape it.
    pub(crate) name: Option<String>,
    /// The ports at which it is scraped in the network of nodes, where it has no pods that a policy could name.
    pub(crate) node_ports: Vec<u16>,
}

impl Job {
    /// A target that is scraped or not.
    pub(super) fn of(target: &'static str, name: impl Into<String>, scraped: bool) -> Self {
        Self { target, name: scraped.then(|| name.into()), node_ports: Vec::new() }
    }

    /// The same, in the network of nodes.
    pub(super) fn at_nodes(self, ports: impl IntoIterator<Item = u16>) -> Self {
        Self { node_ports: ports.into_iter().collect(), ..self }
    }
}
