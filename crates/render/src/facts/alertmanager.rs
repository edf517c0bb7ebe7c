use super::monitored::{JOB_LABEL, Job, labelled, monitored};
use super::reach::{Caller, Reach};
use super::workload::{Peer, Port, Role, Workload, browsers};
use super::{
    Identity, RELOADER_PORT, Web, image, jobs as jobs_of, metrics_release, persistence, pods, semantic_version,
    service, with,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use vigil_forms::duration::to_go;
use vigil_stack::Stack;
use vigil_stack::model::{ConfigMatching, Part as _, Receiver, Route, ServiceType, TemplateFile, alertmanager_key};
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
    Identity { name: "alertmanager", instance: metrics_release(stack), component: "alerting", image }
}

fn name(stack: &Stack) -> String {
    format!("{}-alertmanager", metrics_release(stack))
}

/// The labels that the operator gives the pods, by the name of the Alertmanager object.
fn selector(stack: &Stack) -> Map<String, Value> {
    let labels = [("app.kubernetes.io/name", "alertmanager".to_owned()), ("alertmanager", name(stack))];
    labels.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let mut peers = [Role::AlertSender, Role::Scraper, Role::Dashboards].map(Peer::Pods).to_vec();
    peers.extend(browsers(&stack.alertmanager.effective_service(), stack.alertmanager.ingress.enabled));
    let mesh = Port { number: MESH_PORT, protocols: &["TCP", "UDP"], peers: vec![Peer::Pods(Role::AlertPeer)] };
    vec![Workload {
        name: name(stack),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: selector(stack),
        roles: vec![Role::AlertPeer, Role::Operated],
        on_node: false,
        ports: Some(vec![Port::tcp(PORT, peers), Port::tcp(RELOADER_PORT, [Peer::Pods(Role::Scraper)]), mesh]),
        reaches: reaches(stack).into_iter().collect(),
    }]
}

/// Whom it tells: by the addresses that the stack says, and where it says none by that of a service on the internet, which
/// Alertmanager knows or a Secret holds.
fn reaches(stack: &Stack) -> BTreeSet<Reach> {
    let caller = Caller { stack, namespace: stack.namespaces.monitoring.as_str() };
    let mut found = BTreeSet::new();
    for receiver in &stack.alertmanager.receivers {
        for (way, list) in json!(receiver).as_object().into_iter().flatten() {
            for told in list.as_array().into_iter().flatten() {
                let smarthost = told["smarthost"].as_str().and_then(|host| caller.address(host, &["TCP"]));
                let is_known = way == "email" || ["url", "apiUrl"].iter().any(|key| !told[*key].is_null());
                found.extend((!is_known).then(Reach::https));
                found.extend(smarthost);
                found.extend(caller.said(told));
            }
        }
    }
    found
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("alertmanager", name(stack), stack.prometheus.enabled)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let alertmanager = &stack.alertmanager;
    let name = name(stack);
    let namespace = stack.namespaces.monitoring.as_str();
    let web = Web {
        name: &name,
        namespace,
        port: alertmanager.service.port.map_or(PORT, units::Port::get),
        external_url: alertmanager.external_url.as_ref(),
        ingress: &alertmanager.ingress,
    };
    let pod_selector = selector(stack);
    let pods = pods(stack, alertmanager, Some(alertmanager.replicas.get()));
    let facts = monitored(stack, identity(stack).facts());
    let own = json!({
        "name": name,
        "namespace": namespace,
        "watched": stack.alerts.is_in(stack),
        "clusterLabel": stack.alerts.cluster_label,
        "targets": targets(stack),
        "image": image(stack, &alertmanager.image),
        "version": semantic_version(&alertmanager.image),
        "features": features(&alertmanager.image),
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
        "timeIntervals": in_alertmanagers_words("", &json!(alertmanager.time_intervals)),
        "inhibitRules": in_alertmanagers_words("", &json!(alertmanager.inhibit_rules)),
        "templates": alertmanager.templates.iter().filter_map(template).collect::<Vec<_>>(),
        // What the operator does when nothing is said.
        "configMatching": Some(alertmanager.config_matching).filter(|matching| *matching != ConfigMatching::OnNamespace),
    });
    let mut all = facts;
    let web = web.facts();
    let address = web["url"].clone();
    all.extend(web);
    all.insert("sendTo".to_owned(), send_to(stack, &address));
    with(all, own)
}

/// Where others send alerts to, and whether that is the name of an SRV record, by which they find all replicas: each must
/// get each alert, or one of them takes it for resolved. The record is that of the operator's own Service.
fn send_to(stack: &Stack, address: &Value) -> Value {
    if stack.alertmanager.replicas.get() < 2 {
        return json!({ "url": address, "isRecord": false });
    }
    let namespace = &stack.namespaces.monitoring;
    let path = address.as_str().and_then(vigil_forms::url::Url::split).map_or("", |url| url.path);
    json!({ "url": format!("http://_http-web._tcp.alertmanager-operated.{namespace}.svc{path}"), "isRecord": true })
}

/// A file with templates of messages, whose text the stack holds.
fn template(template: &TemplateFile) -> Option<Value> {
    Some(json!({ "key": format!("{}.tmpl", template.name), "text": template.text.as_deref()? }))
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
        "routes": in_alertmanagers_words("", &json!(route.routes)),
    })
}

/// What Alertmanager is asked to do besides: to set `GOMEMLIMIT` from its memory limit, which no template can, as the
/// operator makes the container. It does not start with a feature that it does not know; this one came with 0.28.
fn features(image: &units::Image) -> Vec<&'static str> {
    if image.minor_version().is_some_and(|version| version >= (0, 28)) { vec!["auto-gomemlimit"] } else { Vec::new() }
}

/// A receiver as Alertmanager's configuration has it.
fn receiver(receiver: &Receiver) -> Value {
    let mut sections = Map::from_iter([("name".to_owned(), json!(receiver.name))]);
    for (way, list) in json!(receiver).as_object().into_iter().flatten().filter(|(_, list)| list.is_array()) {
        let section = match way.as_str() {
            // Its own section of Alertmanager's has no file for the address in the operator's configuration (0.87).
            "discord" => "slack_configs".to_owned(),
            "teams" => "msteamsv2_configs".to_owned(),
            way => format!("{way}_configs"),
        };
        let configs = in_alertmanagers_words(way, list);
        match (sections.get_mut(&section), configs) {
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (_, configs) => drop(sections.insert(section, configs)),
        }
    }
    sections.into()
}

/// What the stack says, by the keys of Alertmanager's configuration; a Secret is the file that holds it. `way` is the way to
/// tell somebody that it is about, if it is about one.
fn in_alertmanagers_words(way: &str, said: &Value) -> Value {
    match said {
        Value::Array(list) => list.iter().map(|said| in_alertmanagers_words(way, said)).collect(),
        Value::Object(keys) => {
            let mut fields = Map::new();
            for (key, value) in keys {
                let name = alertmanager_key(way, key);
                match (key.as_str(), value, value.get("name"), value.get("key")) {
                    ("config", Value::Object(own), ..) => fields.extend(own.clone()),
                    (_, _, Some(Value::String(secret)), Some(Value::String(key))) => {
                        fields.insert(format!("{name}_file"), format!("{SECRETS}/{secret}/{key}").into());
                    }
                    _ => drop(fields.insert(name, in_alertmanagers_words("", value))),
                }
            }
            fields.into()
        }
        plain => plain.clone(),
    }
}
