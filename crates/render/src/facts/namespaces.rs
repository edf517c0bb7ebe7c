use super::{Identity, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::Namespaces;

/// The namespaces to create, each with the pod-security level that its pods need.
pub(super) fn facts(stack: &Stack) -> Value {
    let Namespaces { monitoring, logging } = &stack.namespaces;
    let mut list = Vec::new();
    if stack.node_exporter.enabled {
        // node-exporter reads the node's /proc and /sys through host paths and the host's network.
        list.push((monitoring.as_str(), "privileged"));
    } else if stack.prometheus.enabled || stack.grafana.enabled || stack.kube_state_metrics.enabled {
        list.push((monitoring.as_str(), "restricted"));
    }
    if stack.promtail.enabled || stack.alloy.enabled {
        // The collector reads the node's log files through host paths.
        list.push((logging.as_str(), "privileged"));
    } else if stack.loki.enabled {
        list.push((logging.as_str(), "restricted"));
    }
    let of = |(name, level)| {
        let identity = Identity { name, instance: name, component: "namespace", image: None };
        with(identity.facts(&stack.labels_of("namespaces")), json!({ "name": name, "level": level }))
    };
    json!({ "list": list.into_iter().map(of).collect::<Vec<_>>(), "monitoring": monitoring, "logging": logging })
}
