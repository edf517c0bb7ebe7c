use super::monitored::{Job, labelled, monitored};
use super::workload::{Peer, Port, Role, Workload, browsers};
use super::{Identity, METRICS_RELEASE, image, persistence, pods, service, startup, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::Dashboard;
use vigil_stack::units::Duration;

/// The port of Grafana's Service, as the chart has it.
const PORT: u16 = 80;

/// Grafana's own port.
const OWN_PORT: u16 = 3000;

/// How long Grafana may take to give its metrics.
const SCRAPE_SECONDS: u64 = 30;

/// The data sources that a dashboard's inputs can be connected to: plugin and uid are called alike.
const DATA_SOURCES: [&str; 3] = ["alertmanager", "loki", "prometheus"];

/// The label of ConfigMaps that hold dashboards, and its value.
pub(super) const DASHBOARD_LABEL: (&str, &str) = ("grafana_dashboard", "1");

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.grafana.image);
    Identity { name: "grafana", instance: METRICS_RELEASE, component: "dashboards", image }
}

fn name() -> String {
    format!("{METRICS_RELEASE}-grafana")
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let mut peers = vec![Peer::Pods(Role::Scraper)];
    peers.extend(browsers(&stack.grafana.effective_service(), stack.grafana.ingress.enabled));
    vec![Workload {
        name: name(),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack).selector(),
        roles: &[Role::Dashboards],
        on_node: false,
        ports: Some(vec![Port::tcp(OWN_PORT, peers)]),
    }]
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("grafana", name(), stack.prometheus.enabled)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let grafana = &stack.grafana;
    let name = name();
    let facts = monitored(identity(stack).facts());
    let own = json!({
        "name": name,
        "namespace": stack.namespaces.monitoring,
        "image": image(stack, &grafana.image),
        "sidecarImage": image(stack, &grafana.sidecar_image),
        "port": OWN_PORT,
        "scrapeTimeout": scrape_timeout(&stack.prometheus.scrape_interval),
        "service": service(&grafana.effective_service(), PORT),
        "externalUrl": grafana.external_url,
        "rootUrl": grafana.address(),
        // Where Grafana answers: empty, or the path of its address in the browser.
        "path": grafana.path(),
        "belowPath": !grafana.path().is_empty(),
        "ingress": {
            "enabled": grafana.ingress.enabled,
            "className": grafana.ingress.class_name,
            "host": grafana.ingress.host,
            "path": grafana.ingress_path(),
            "tls": grafana.ingress.tls,
        },
        "persistence": persistence(&grafana.persistence),
        "adminSecret": grafana.admin_secret.existing.as_ref().map_or(name.as_str(), |own| own.as_str()),
        "createAdminSecret": grafana.admin_secret.existing.is_none(),
        // What the side-cars look for: data sources in their own namespace, dashboards in all of them.
        "datasourceLabels": labelled(&facts, "grafana_datasource", "1"),
        "dashboardLabels": labelled(&facts, DASHBOARD_LABEL.0, DASHBOARD_LABEL.1),
        "sidecarKinds": if grafana.sidecar_secrets { "both" } else { "configmap" },
        "sidecarRights": if grafana.sidecar_secrets { json!(["configmaps", "secrets"]) } else { json!(["configmaps"]) },
        "startup": startup(),
        "imports": imports(stack),
        "files": grafana.dashboards.iter().filter_map(file).collect::<Vec<_>>(),
        "pods": pods(stack, grafana, Some(1)),
    });
    with(facts, own)
}

/// How long a scrape may take: as the chart has it, but no longer than the interval between two. The operator leaves out
/// a ServiceMonitor whose timeout is above it.
fn scrape_timeout(interval: &Duration) -> String {
    if interval.length().as_secs() < SCRAPE_SECONDS { interval.to_string() } else { format!("{SCRAPE_SECONDS}s") }
}

/// What is downloaded before Grafana starts; `null` when that is nothing.
fn imports(stack: &Stack) -> Value {
    let import = |dashboard: &Dashboard| {
        let (id, revision) = (dashboard.id?, dashboard.revision?);
        let base = stack.grafana.dashboards_url.as_str().trim_end_matches('/');
        Some(json!({
            "file": format!("imported-{}.json", dashboard.name),
            "url": format!("{base}/{id}/revisions/{revision}/download"),
        }))
    };
    let list: Vec<_> = stack.grafana.dashboards.iter().filter_map(import).collect();
    if list.is_empty() { Value::Null } else { json!({ "dashboards": list, "datasources": DATA_SOURCES }) }
}

/// A dashboard whose text the stack holds.
fn file(dashboard: &Dashboard) -> Option<Value> {
    let text = dashboard.text.as_deref()?;
    Some(json!({ "name": dashboard.name, "key": format!("{}.json", dashboard.name), "text": connected(text) }))
}

/// A dashboard as grafana.com offers it leaves the names of its data sources open, `${DS_PROMETHEUS}`, for the browser
/// to ask for. Nobody asks when it comes from a file, so they are filled in here.
fn connected(text: &str) -> String {
    let mut connected = text.to_owned();
    let dashboard: Value = serde_json::from_str(text).unwrap_or_default();
    for input in dashboard["__inputs"].as_array().into_iter().flatten() {
        let value = match input["type"].as_str() {
            Some("datasource") => input["pluginId"].as_str().filter(|plugin| DATA_SOURCES.contains(plugin)),
            Some("constant") => input["value"].as_str(),
            _ => None,
        };
        if let (Some(name), Some(value)) = (input["name"].as_str(), value) {
            let quoted = Value::from(value).to_string();
            connected = connected.replace(&format!("${{{name}}}"), &quoted[1..quoted.len() - 1]);
        }
    }
    connected
}
