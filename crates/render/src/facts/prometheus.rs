use super::monitored::{JOB_LABEL, Job, labelled, monitored};
use super::reach::{Caller, Reach};
use super::workload::{Peer, Port, Role, Workload, browsers};
use super::{
    Identity, RELOADER_PORT, Web, image, metrics_release, persistence, pods, scrape_config, semantic_version, service,
    startup, thanos, with,
};
use serde_json::{Map, Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{
    BasicAuth, OtherAlertmanager, Prometheus, RemoteStore, ScrapeConfig, SecretReference, Selection, SentSamples,
    ServiceType,
};
use vigil_stack::units;

/// Prometheus' own port.
const PORT: u16 = 9090;

/// The names of series that rules record, by the convention that these have a colon, and of the one that says which alerts fire.
const AGGREGATES: &str = ".+:.+|ALERTS";

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.prometheus.image);
    Identity { name: "prometheus", instance: metrics_release(stack), component: "metrics", image }
}

fn name(stack: &Stack) -> String {
    format!("{}-prometheus", metrics_release(stack))
}

/// The labels that the operator gives the pods, by the name of the Prometheus object.
fn selector(stack: &Stack) -> Map<String, Value> {
    let labels = [("app.kubernetes.io/name", "prometheus".to_owned()), ("operator.prometheus.io/name", name(stack))];
    labels.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let mut peers = vec![Peer::Pods(Role::Scraper), Peer::Pods(Role::Dashboards)];
    peers.extend(browsers(&stack.prometheus.effective_service(), stack.prometheus.ingress.enabled));
    let mut ports = vec![Port::tcp(PORT, peers), Port::tcp(RELOADER_PORT, [Peer::Pods(Role::Scraper)])];
    ports.extend(thanos::sidecar_ports(stack));
    vec![Workload {
        name: name(stack),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: selector(stack),
        roles: [Role::Scraper, Role::AlertSender, Role::Operated]
            .into_iter()
            .chain(thanos::sidecar_role(stack))
            .collect(),
        on_node: false,
        ports: Some(ports),
        reaches: reaches(stack),
    }]
}

/// What it connects to: whatever pods monitors name, which anybody in the cluster may write, and the addresses that the stack
/// says. It finds its targets by the API server.
fn reaches(stack: &Stack) -> Vec<Reach> {
    let Prometheus { remote_write, remote_read, alertmanagers, scrape_configs, .. } = &stack.prometheus;
    let caller = Caller { stack, namespace: stack.namespaces.monitoring.as_str() };
    let targets = scrape_configs.iter().flat_map(|config| &config.targets);
    let mut found = vec![Reach::ApiServer, Reach::Pods];
    found.extend(targets.filter_map(|target| caller.address(target.as_str(), &["TCP"])));
    found.extend(caller.said(&json!([remote_write, remote_read, alertmanagers])));
    found.extend(scrape_configs.iter().flat_map(|config| caller.said(&config.config)));
    found
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("prometheus", name(stack), true)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let prometheus = &stack.prometheus;
    let name = name(stack);
    let namespace = stack.namespaces.monitoring.as_str();
    let service = service(&prometheus.effective_service(), PORT);
    let web = Web {
        name: &name,
        namespace,
        port: prometheus.service.port.map_or(PORT, units::Port::get),
        external_url: prometheus.external_url.as_ref(),
        ingress: &prometheus.ingress,
    };
    let pod_selector = selector(stack);
    let pods = pods(stack, prometheus, Some(prometheus.replicas.get()));
    let facts = monitored(stack, identity(stack).facts());
    let own = json!({
        "name": name,
        "namespace": namespace,
        "image": image(stack, &prometheus.image),
        "version": semantic_version(&prometheus.image),
        "replicas": prometheus.replicas,
        "shards": prometheus.shards,
        // Where samples of all times, replicas and shards are, if not here.
        "queryUrl": thanos::query_url(stack),
        "port": PORT,
        "reloaderPort": RELOADER_PORT,
        // The type of a Service holds for all its ports.
        "reloaderApart": prometheus.effective_service().r#type != Some(ServiceType::ClusterIP),
        // One job for both Services, and the name that rules know.
        "reloaderLabels": labelled(&facts, JOB_LABEL, &name),
        "service": service,
        "externalLabels": prometheus.external_labels,
        "scrapeInterval": prometheus.scrape_interval,
        "startup": startup(),
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
        "persistence": persistence(&prometheus.persistence),
        "retention": prometheus.retention,
        "retentionSize": prometheus.retention_size,
        "remoteWrite": prometheus.remote_write.iter().map(store).collect::<Vec<_>>(),
        "remoteRead": prometheus.remote_read.iter().map(store).collect::<Vec<_>>(),
        "alertmanagers": prometheus.alertmanagers.iter().map(alertmanager).collect::<Vec<_>>(),
        "alertmanagersSecret": format!("{name}-alertmanagers"),
        "mountedSecrets": prometheus.mounted_secrets(),
        "features": features(prometheus),
        "exemplars": prometheus.exemplars.enabled.then(|| json!({ "maxSize": prometheus.exemplars.max_size })),
        "nativeHistograms": prometheus.native_histograms.enabled,
        "convertsHistograms": prometheus.native_histograms.enabled && prometheus.native_histograms.convert_classic,
        "scrapeConfigs": scrape_configs(stack, &facts),
        "labelledOnly": prometheus.selection != Selection::All,
        "labelledMonitorsOnly": prometheus.selection == Selection::Labelled,
        "selectionLabel": { "release": metrics_release(stack) },
    });
    let mut all = facts;
    all.extend(web.facts());
    with(all, own)
}

/// What Prometheus is told to do besides by its flags.
fn features(prometheus: &Prometheus) -> Vec<&'static str> {
    let exemplars = prometheus.exemplars.enabled.then_some("exemplar-storage");
    exemplars.into_iter().chain(prometheus.native_histograms.enabled.then_some("native-histograms")).collect()
}

/// The ScrapeConfig objects, with the labels of a monitor.
fn scrape_configs(stack: &Stack, monitored: &Map<String, Value>) -> Vec<Value> {
    let object = |config: &ScrapeConfig| {
        json!({
            "name": format!("{}-{}", metrics_release(stack), config.name),
            "namespace": stack.namespaces.monitoring,
            "labels": monitored["monitorLabels"],
            "spec": scrape_config::spec(config),
        })
    };
    stack.prometheus.scrape_configs.iter().map(object).collect()
}

/// The folder with a folder for each Secret that the object's `secrets` names.
const SECRETS: &str = "/etc/prometheus/secrets";

/// An Alertmanager in the words of Prometheus' own configuration, which knows credentials by their files.
fn alertmanager(other: &OtherAlertmanager) -> Value {
    let file = |secret: &SecretReference| format!("{SECRETS}/{}/{}", secret.name, secret.key);
    let mut entry = json!({
        "api_version": "v2",
        "scheme": other.url.scheme(),
        "path_prefix": format!("{}/", other.url.path()),
        "static_configs": [{ "targets": [other.url.address()] }],
    });
    if let Some(BasicAuth { username, password }) = &other.basic_auth {
        entry["basic_auth"] = json!({ "username_file": file(username), "password_file": file(password) });
    }
    if let Some(token) = &other.authorization {
        entry["authorization"] = json!({ "type": token.r#type, "credentials_file": file(&token.credentials) });
    }
    if let Some(tls) = &other.tls {
        let files = [("ca_file", &tls.ca), ("cert_file", &tls.cert), ("key_file", &tls.key)];
        let files = files.into_iter().filter_map(|(key, secret)| Some((key.to_owned(), file(secret.as_ref()?).into())));
        let mut config: Map<String, Value> = files.collect();
        if let Some(name) = &tls.server_name {
            config.insert("server_name".to_owned(), json!(name));
        }
        if tls.insecure_skip_verify {
            config.insert("insecure_skip_verify".to_owned(), true.into());
        }
        entry["tls_config"] = config.into();
    }
    entry
}

/// A store as the Prometheus object names it.
fn store(store: &RemoteStore) -> Value {
    let mut entry = Map::from_iter([("url".to_owned(), json!(store.url))]);
    if let Some(name) = &store.name {
        entry.insert("name".to_owned(), json!(name));
    }
    if let Some(basic) = &store.basic_auth {
        entry.insert("basicAuth".to_owned(), json!(basic));
    }
    if let Some(token) = &store.authorization {
        entry.insert("authorization".to_owned(), json!(token));
    }
    if let Some(tls) = &store.tls {
        entry.insert("tlsConfig".to_owned(), scrape_config::tls(tls));
    }
    entry.extend(store.config.clone());
    if store.send == Some(SentSamples::Aggregates) {
        let keep = json!({ "action": "keep", "regex": AGGREGATES, "sourceLabels": ["__name__"] });
        let others = entry.get("writeRelabelConfigs").and_then(Value::as_array).cloned().unwrap_or_default();
        let all: Vec<_> = std::iter::once(keep).chain(others).collect();
        entry.insert("writeRelabelConfigs".to_owned(), all.into());
    }
    entry.into()
}
