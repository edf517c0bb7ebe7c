use super::monitored::{JOB_LABEL, Job, labelled, monitored};
use super::workload::{Peer, Port, Role, Workload, browsers};
use super::{
    Identity, METRICS_RELEASE, RELOADER_PORT, Web, image, jobs as jobs_of, persistence, pods, semantic_version,
    service, with,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use vigil_forms::duration::to_go;
use vigil_stack::Stack;
use vigil_stack::model::{Part as _, Receiver, Route, SecretReference, ServiceType, SubRoute};
use vigil_stack::units;

/// Alertmanager's own port.
const PORT: u16 = 9093;

/// Where the operator mounts the Secrets that the Alertmanager object lists.
const SECRETS: &str = "/etc/alertmanager/secrets";

/// The port on which replicas find each other.
const MESH_PORT: u16 = 9094;

/// Targets with an alert of their own that says what `TargetDown` says of any, and that alert.
const TARGETS: [(&str, &str); 8] = [
    ("apiserver", "KubeAPIDown"),
    ("coredns", "CoreDNSDown"),
    ("kube-controller-manager", "KubeControllerManagerDown"),
    ("kube-etcd", "etcdInsufficientMembers"),
    ("kube-proxy", "KubeProxyDown"),
    ("kube-scheduler", "KubeSchedulerDown"),
    ("kube-state-metrics", "KubeStateMetricsDown"),
    ("kubelet", "KubeletDown"),
];

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.alertmanager.image);
    Identity { name: "alertmanager", instance: METRICS_RELEASE, component: "alerting", image }
}

fn name() -> String {
    format!("{METRICS_RELEASE}-alertmanager")
}

/// The labels that the operator gives the pods, by the name of the Alertmanager object.
fn selector() -> Map<String, Value> {
    let labels = [("app.kubernetes.io/name", "alertmanager".to_owned()), ("alertmanager", name())];
    labels.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let mut peers = [Role::AlertSender, Role::Scraper, Role::Dashboards].map(Peer::Pods).to_vec();
    peers.extend(browsers(&stack.alertmanager.effective_service(), stack.alertmanager.ingress.enabled));
    let mesh = Port { number: MESH_PORT, protocols: &["TCP", "UDP"], peers: vec![Peer::Pods(Role::AlertPeer)] };
    vec![Workload {
        name: name(),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: selector(),
        roles: &[Role::AlertPeer, Role::Operated],
        on_node: false,
        ports: Some(vec![Port::tcp(PORT, peers), Port::tcp(RELOADER_PORT, [Peer::Pods(Role::Scraper)]), mesh]),
    }]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("alertmanager", name(), stack.prometheus.enabled)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let alertmanager = &stack.alertmanager;
    let name = name();
    let namespace = stack.namespaces.monitoring.as_str();
    let web = Web {
        name: &name,
        namespace,
        port: alertmanager.service.port.map_or(PORT, units::Port::get),
        external_url: alertmanager.external_url.as_ref(),
        ingress: &alertmanager.ingress,
    };
    let pod_selector = selector();
    let pods = pods(stack, alertmanager, Some(alertmanager.replicas.get()));
    let facts = monitored(identity(stack).facts());
    let own = json!({
        "name": name,
        "namespace": namespace,
        "watched": stack.alerts.is_in(stack),
        "clusterLabel": stack.alerts.cluster_label,
        "targets": targets(stack),
        "image": image(stack, &alertmanager.image),
        "version": semantic_version(&alertmanager.image),
        "features": features(semantic_version(&alertmanager.image)),
        "replicas": alertmanager.replicas,
        "port": PORT,
        "reloaderPort": RELOADER_PORT,
        // The type of a Service holds for all its ports.
        "reloaderApart": alertmanager.effective_service().r#type != Some(ServiceType::ClusterIP),
        // Of both Services: one job, and the name that rules know.
        "jobLabels": labelled(&facts, JOB_LABEL, &name),
        "service": service(&alertmanager.effective_service(), PORT),
        "retention": to_go(alertmanager.retention.length()),
        "podSelector": pod_selector,
        // For the partials: the pods are not made from the object's labels.
        "made": {
            "name": name,
            "namespace": namespace,
            "labels": facts["labels"],
            "selector": pod_selector,
            "pods": pods,
        },
        "pods": pods,
        "persistence": persistence(&alertmanager.persistence),
        // The operator looks for the configuration under this name.
        "configSecret": format!("alertmanager-{name}"),
        "secrets": alertmanager.secrets().into_iter().collect::<BTreeSet<_>>(),
        "receivers": alertmanager.receivers.iter().map(receiver).collect::<Vec<_>>(),
        "route": route(&alertmanager.route),
    });
    let mut all = facts;
    all.extend(web.facts());
    with(all, own)
}

/// The targets of [`TARGETS`] that the stack scrapes.
fn targets(stack: &Stack) -> Vec<Value> {
    let jobs = jobs_of(stack);
    let of = |(target, alert): &(&str, &str)| Some(json!({ "job": jobs.get(target)?.as_ref()?, "alert": alert }));
    TARGETS.iter().filter_map(of).collect()
}

fn route(route: &Route) -> Value {
    json!({
        "receiver": route.receiver,
        "groupBy": route.group_by,
        "groupWait": route.group_wait,
        "groupInterval": route.group_interval,
        "repeatInterval": route.repeat_interval,
        "routes": route.routes.iter().map(sub_route).collect::<Vec<_>>(),
    })
}

/// What Alertmanager is asked to do besides: to set `GOMEMLIMIT` from its memory limit, which no template can, as the
/// operator makes the container. It does not start with a feature that it does not know; this one came with 0.28.
fn features(version: Option<&str>) -> Vec<&'static str> {
    let mut numbers = version.unwrap_or_default().trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (0, 28) => vec!["auto-gomemlimit"],
        _ => Vec::new(),
    }
}

/// The entries that are there, as a mapping.
fn mapping<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    let there = entries.into_iter().filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)));
    there.collect::<Map<_, _>>().into()
}

/// The file that holds a credential.
fn file(secret: &SecretReference) -> Value {
    format!("{SECRETS}/{}/{}", secret.name, secret.key).into()
}

/// A receiver as Alertmanager's configuration has it.
fn receiver(receiver: &Receiver) -> Value {
    let webhook = receiver.webhook.iter().map(|way| {
        mapping([
            ("url", way.url.as_ref().map(|url| json!(url))),
            ("url_file", way.url_secret.as_ref().map(file)),
            ("send_resolved", Some(way.send_resolved.into())),
        ])
    });
    let slack = receiver.slack.iter().map(|way| {
        mapping([
            ("api_url_file", Some(file(&way.url_secret))),
            ("channel", way.channel.as_ref().map(|channel| json!(channel))),
            ("send_resolved", Some(way.send_resolved.into())),
        ])
    });
    let email = receiver.email.iter().map(|way| {
        mapping([
            ("to", Some(json!(way.to))),
            ("from", Some(json!(way.from))),
            ("smarthost", Some(json!(way.smarthost))),
            ("auth_username", way.auth_username.as_ref().map(|user| json!(user))),
            ("auth_password_file", way.auth_password_secret.as_ref().map(file)),
            ("require_tls", Some(way.require_tls.into())),
            ("send_resolved", Some(way.send_resolved.into())),
        ])
    });
    let pagerduty = receiver.pagerduty.iter().map(|way| {
        mapping([
            ("routing_key_file", Some(file(&way.routing_key_secret))),
            ("send_resolved", Some(way.send_resolved.into())),
        ])
    });
    let opsgenie = receiver.opsgenie.iter().map(|way| {
        mapping([
            ("api_key_file", Some(file(&way.api_key_secret))),
            ("api_url", way.api_url.as_ref().map(|url| json!(url))),
            ("send_resolved", Some(way.send_resolved.into())),
        ])
    });
    let some = |ways: Vec<Value>| (!ways.is_empty()).then(|| Value::from(ways));
    mapping([
        ("name", Some(json!(receiver.name))),
        ("webhook_configs", some(webhook.collect())),
        ("slack_configs", some(slack.collect())),
        ("email_configs", some(email.collect())),
        ("pagerduty_configs", some(pagerduty.collect())),
        ("opsgenie_configs", some(opsgenie.collect())),
    ])
}

/// An exception as Alertmanager's configuration has it.
fn sub_route(route: &SubRoute) -> Value {
    let routes: Vec<_> = route.routes.iter().map(sub_route).collect();
    mapping([
        ("receiver", route.receiver.as_ref().map(|receiver| json!(receiver))),
        ("matchers", Some(json!(route.matchers))),
        ("continue", route.r#continue.then(|| true.into())),
        ("group_by", route.group_by.as_ref().map(|labels| json!(labels))),
        ("group_wait", route.group_wait.as_ref().map(|time| json!(time))),
        ("group_interval", route.group_interval.as_ref().map(|time| json!(time))),
        ("repeat_interval", route.repeat_interval.as_ref().map(|time| json!(time))),
        ("routes", (!routes.is_empty()).then(|| routes.into())),
    ])
}
