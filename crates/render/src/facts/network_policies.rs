use super::{COMPONENTS, Identity, METRICS_RELEASE, namespaces, with};
use serde_json::{Map, Value, json};
use vigil_stack::Stack;

/// Who may connect.
enum Peer {
    /// The pods of a component, perhaps the same.
    Component(&'static str),
    /// People: through an Ingress, or from anywhere when the Service is open to the outside.
    Browsers,
    /// The API server, which has no pods that a policy could name: anybody.
    ApiServer,
}

use Peer::{ApiServer, Browsers, Component};

/// What may reach the pods of a component: the fact that holds the port, and who comes.
struct Target {
    component: &'static str,
    ports: &'static [(&'static str, &'static [Peer])],
}

/// All flows between pods that the stack needs. Whatever runs in the nodes' own network (node-exporter, the control
/// plane) is out of the reach of policies.
#[rustfmt::skip]
const TARGETS: &[Target] = &[
    Target { component: "prometheus", ports: &[
        ("/port", &[Component("prometheus"), Component("grafana"), Browsers]),
        ("/reloaderPort", &[Component("prometheus")]),
    ] },
    Target { component: "alertmanager", ports: &[
        ("/port", &[Component("prometheus"), Component("grafana"), Browsers]),
        ("/reloaderPort", &[Component("prometheus")]),
        ("/meshPort", &[Component("alertmanager")]),
    ] },
    Target { component: "grafana", ports: &[("/port", &[Component("prometheus"), Browsers])] },
    Target { component: "prometheus-operator", ports: &[("/web/port", &[Component("prometheus"), ApiServer])] },
    Target { component: "kube-state-metrics", ports: &[
        ("/port", &[Component("prometheus")]),
        ("/telemetryPort", &[Component("prometheus")]),
    ] },
    Target { component: "metrics-server", ports: &[("/port", &[ApiServer])] },
    Target { component: "loki", ports: &[
        ("/port", &[Component("alloy"), Component("grafana"), Component("prometheus"), Component("promtail")]),
    ] },
    Target { component: "alloy", ports: &[("/port", &[Component("prometheus")])] },
    Target { component: "promtail", ports: &[("/port", &[Component("prometheus")])] },
];

/// The port on which Alertmanager's replicas find each other, when its own facts do not say.
const MESH_PORT: u16 = 9094;

pub(super) fn facts(stack: &Stack) -> Value {
    let identity = |name| Identity { name, instance: METRICS_RELEASE, component: "network-policy", image: None };
    let labels = identity("network-policies").facts(&stack.labels_of("network-policies"));
    let known: Map<String, Value> = TARGETS.iter().filter_map(|target| of(stack, target.component)).collect();
    let policies: Vec<_> = TARGETS.iter().filter_map(|target| policy(stack, &known, target)).collect();
    let denied: Vec<_> = namespaces::facts(stack)["list"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|namespace| namespace["name"].clone())
        .collect();
    with(labels, json!({ "namespaces": denied, "list": policies }))
}

/// The facts of a component that is on and has pods.
fn of(stack: &Stack, name: &str) -> Option<(String, Value)> {
    let component = COMPONENTS.iter().find(|component| component.name == name && (component.enabled)(stack))?;
    let facts = (component.facts)(stack);
    facts.get("namespace").is_some().then(|| (name.to_owned(), facts))
}

/// The labels of a component's pods: those that the operator gives them, or its own.
fn pods(facts: &Value) -> &Value {
    if facts["podSelector"].is_null() { &facts["selector"] } else { &facts["podSelector"] }
}

/// What may reach the pods of one component.
fn policy(stack: &Stack, known: &Map<String, Value>, target: &Target) -> Option<Value> {
    let facts = known.get(target.component)?;
    let mut rules = Vec::new();
    for (fact, peers) in target.ports {
        let own = facts.pointer(fact).cloned();
        let (port, protocols) = match *fact {
            "/meshPort" => (own.unwrap_or_else(|| MESH_PORT.into()), &["TCP", "UDP"][..]),
            // A side-car that is not there yet.
            "/reloaderPort" if own.is_none() => continue,
            // No port would mean all ports: the API's schema refuses the null.
            _ => (own.unwrap_or_default(), &["TCP"][..]),
        };
        let from: Option<Vec<_>> = peers.iter().map(|peer| sources(stack, known, facts, peer)).collect();
        let from = from.map(|from| from.into_iter().flatten().collect::<Vec<_>>());
        // Nobody left to come: no rule.
        if from.as_ref().is_none_or(|from| !from.is_empty()) {
            let ports: Vec<_> = protocols.iter().map(|name| json!({ "port": port, "protocol": name })).collect();
            rules.push(json!({ "ports": ports, "from": from }));
        }
    }
    Some(json!({ "name": facts["name"], "namespace": facts["namespace"], "selector": pods(facts), "rules": rules }))
}

/// The peers of a rule; `None` for everybody.
fn sources(stack: &Stack, known: &Map<String, Value>, target: &Value, peer: &Peer) -> Option<Vec<Value>> {
    let namespace = |name: &Value| json!({ "matchLabels": { "kubernetes.io/metadata.name": name } });
    match peer {
        ApiServer => match target.get("webhooks") {
            // The operator without webhooks: the API server never calls.
            Some(Value::Bool(false)) => Some(Vec::new()),
            _ => None,
        },
        Browsers => {
            let r#type = target["service"]["type"].as_str().unwrap_or("ClusterIP");
            if r#type != "ClusterIP" {
                // Traffic from outside carries the address of a node: nothing is left to tell people apart by.
                return None;
            }
            let controller =
                json!({ "namespaceSelector": namespace(&json!(stack.network_policies.ingress_namespace)) });
            Some(if target["ingress"]["enabled"] == true { vec![controller] } else { Vec::new() })
        }
        // Nobody comes for the metrics of what is not monitored.
        Component("prometheus") if target["monitored"] == false => Some(Vec::new()),
        Component(name) => Some(known.get(*name).map_or_else(Vec::new, |facts| {
            let selector = json!({ "matchLabels": pods(facts) });
            vec![json!({ "namespaceSelector": namespace(&facts["namespace"]), "podSelector": selector })]
        })),
    }
}
