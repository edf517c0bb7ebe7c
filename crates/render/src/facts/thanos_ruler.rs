use super::monitored::{Job, monitored};
use super::thanos::{GRPC_PORT, HTTP_PORT, is_monitored};
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, image, metrics_release, persistence, pods, semantic_version, with};
use serde_json::{Map, Value, json};
use vigil_stack::Stack;
use vigil_stack::model::RuleFile;

/// The recommended label `component` of rules over all clusters, by which the ruler knows them and Prometheus passes them over.
const RULES: &str = "global-rules";

fn name(stack: &Stack) -> String {
    format!("{}-thanos-ruler", metrics_release(stack))
}

fn identity<'a>(stack: &'a Stack, component: &'a str) -> Identity<'a> {
    let image = Some(&stack.thanos.image);
    Identity { name: "thanos-ruler", instance: metrics_release(stack), component, image }
}

/// The labels that the operator gives the pods, by the name of the ThanosRuler object.
fn selector(stack: &Stack) -> Map<String, Value> {
    let labels = [("app.kubernetes.io/name", "thanos-ruler".to_owned()), ("thanos-ruler", name(stack))];
    labels.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

/// The labels of a component's PrometheusRule objects that the ruler evaluates.
pub(crate) fn global_rule_labels(stack: &Stack, component: &str) -> Value {
    let identity = Identity { name: component, instance: metrics_release(stack), component: RULES, image: None };
    identity.facts().remove("labels").unwrap_or_default()
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let metrics = is_monitored(stack).then(|| Port::tcp(HTTP_PORT, [Peer::Pods(Role::Scraper)]));
    vec![Workload {
        name: name(stack),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: selector(stack),
        roles: vec![Role::RuleEvaluator, Role::AlertSender, Role::ObjectStorageClient, Role::Operated],
        on_node: false,
        ports: Some([Port::tcp(GRPC_PORT, [Peer::Pods(Role::Querier)])].into_iter().chain(metrics).collect()),
        reaches: Vec::new(),
    }]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("thanos-ruler", name(stack), is_monitored(stack))]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let ruler = &stack.thanos_ruler;
    let facts = monitored(stack, identity(stack, "long-term").facts());
    let pods = pods(stack, ruler, Some(ruler.replicas.get()));
    let object = |file: &RuleFile| json!({ "name": format!("{}-{}", name(stack), file.name), "groups": file.groups });
    let own = json!({
        "name": name(stack),
        "namespace": stack.namespaces.monitoring,
        "monitored": is_monitored(stack),
        "image": image(stack, &stack.thanos.image),
        "version": semantic_version(&stack.thanos.image),
        "replicas": ruler.replicas,
        "retention": ruler.retention,
        "interval": stack.prometheus.scrape_interval,
        "persistence": persistence(&ruler.persistence),
        "podSelector": selector(stack),
        "ruleSelector": { "app.kubernetes.io/component": RULES, "app.kubernetes.io/instance": metrics_release(stack) },
        "rulesOfOthers": [{ "key": "app.kubernetes.io/component", "operator": "NotIn", "values": [RULES] }],
        "ruleLabels": global_rule_labels(stack, "thanos-ruler"),
        "rules": ruler.rules.iter().map(object).collect::<Vec<_>>(),
        // For the partials: the pods are not made from the object's labels.
        "made": {
            "name": name(stack),
            "namespace": stack.namespaces.monitoring,
            "labels": facts["labels"],
            "selector": selector(stack),
            "pods": pods,
        },
        "pods": pods,
    });
    with(facts, own)
}
