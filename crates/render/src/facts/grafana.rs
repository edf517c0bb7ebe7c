use super::monitored::{Job, labelled, monitored};
use super::reach::{Caller, Reach};
use super::workload::{Peer, Port, Role, Workload, browsers};
use super::{Identity, image, memory, metrics_release, persistence, pods, release, resources, service, startup, with};
use crate::dashboards::LOADED;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use vigil_forms::ini::is_plain;
use vigil_stack::Stack;
use vigil_stack::model::{Dashboard, DataSource, Grafana, SecretReference};
use vigil_stack::units::{Duration, PluginVersion, SettingName};

/// The port of Grafana's Service, as the chart has it.
const PORT: u16 = 80;

/// Grafana's own port.
const OWN_PORT: u16 = 3000;

/// How long Grafana may take to give its metrics.
const SCRAPE_SECONDS: u64 = 30;

/// The data sources that a dashboard's inputs can be connected to: plugin and uid are called alike.
const DATA_SOURCES: [&str; 3] = ["alertmanager", "loki", "prometheus"];

/// The label of ConfigMaps that hold dashboards.
pub(super) const DASHBOARD_LABEL: &str = "grafana_dashboard";

/// The value of that label: a stack with a name leaves the dashboards of others alone.
pub(super) fn dashboard_value(stack: &Stack) -> &str {
    release(stack, "1")
}

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.grafana.image);
    Identity { name: "grafana", instance: metrics_release(stack), component: "dashboards", image }
}

fn name(stack: &Stack) -> String {
    format!("{}-grafana", metrics_release(stack))
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let mut peers = vec![Peer::Pods(Role::Scraper)];
    peers.extend(browsers(&stack.grafana.effective_service(), stack.grafana.ingress.enabled));
    vec![Workload {
        name: name(stack),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack).selector(),
        roles: vec![Role::Dashboards],
        on_node: false,
        ports: Some(vec![Port::tcp(OWN_PORT, peers)]),
        reaches: reaches(stack),
    }]
}

/// What it connects to: its data sources, what its settings name, and what is downloaded before it starts. Its side-cars ask
/// the API server.
fn reaches(stack: &Stack) -> Vec<Reach> {
    let grafana = &stack.grafana;
    let caller = Caller { stack, namespace: stack.namespaces.monitoring.as_str() };
    let anywhere = |text: &str| caller.url(text).or_else(|| caller.address(text, &["TCP"]));
    let sources = grafana.data_sources.iter();
    let settings = config(grafana).filter(|(section, ..)| *section != "server");
    let hosts = settings.clone().filter(|(_, key, _)| ["address", "host"].contains(key));
    let logins = settings
        .clone()
        .filter(|(section, key, value)| LOGINS.contains(section) && *key == "enabled" && *value == "true");
    let imported = grafana.dashboards.iter().filter(|dashboard| dashboard.id.is_some());
    let ldap = grafana.ldap_secret.iter().flat_map(|_| LDAP_PORTS.map(Reach::outside));
    let mut found = vec![Reach::ApiServer];
    found.extend(sources.clone().filter_map(|source| anywhere(source.url.as_str())));
    found.extend(sources.flat_map(|source| caller.said(&source.json_data)));
    found.extend(hosts.filter_map(|(.., value)| anywhere(value)));
    found.extend(settings.flat_map(|(.., value)| caller.said(&value)));
    found.extend(logins.map(|_| Reach::https()));
    found.extend(imported.filter_map(|_| caller.url(grafana.dashboards_url.as_str())));
    found.extend(grafana.plugins.iter().filter_map(|_| caller.url(grafana.plugins_url.as_str())));
    found.extend(ldap);
    found
}

/// The sections of logins at addresses that Grafana knows.
const LOGINS: [&str; 5] = ["auth.azuread", "auth.github", "auth.gitlab", "auth.google", "auth.grafana_com"];

/// The ports of LDAP, without TLS or with STARTTLS, and with TLS: which one it is stands in a Secret.
const LDAP_PORTS: [u16; 2] = [389, 636];

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("grafana", name(stack), stack.prometheus.enabled)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let grafana = &stack.grafana;
    let name = name(stack);
    let facts = monitored(stack, identity(stack).facts());
    let service = service(&grafana.effective_service(), PORT);
    let own = json!({
        "name": name,
        "namespace": stack.namespaces.monitoring,
        "image": image(stack, &grafana.image),
        "sidecarImage": image(stack, &grafana.sidecar_image),
        "port": OWN_PORT,
        "scrapeTimeout": scrape_timeout(&stack.prometheus.scrape_interval),
        "service": service,
        "externalUrl": grafana.external_url,
        // Where Grafana answers: empty, or the path of its address in the browser.
        "path": grafana.path(),
        "ingress": {
            "enabled": grafana.ingress.enabled,
            "name": name,
            "namespace": stack.namespaces.monitoring,
            "gateway": grafana.ingress.gateway,
            "service": { "name": name, "port": { "number": service["port"] }, "number": service["port"] },
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
        "dashboardLabels": labelled(&facts, DASHBOARD_LABEL, dashboard_value(stack)),
        "dashboardValue": dashboard_value(stack),
        "sidecarKinds": if grafana.sidecar_secrets { "both" } else { "configmap" },
        "sidecarRights": if grafana.sidecar_secrets { json!(["configmaps", "secrets"]) } else { json!(["configmaps"]) },
        "startup": startup(),
        "imports": imports(stack),
        "plugins": grafana.plugins,
        "pluginsUrl": grafana.plugins_url,
        "pluginInstaller": plugin_installer(stack),
        "files": grafana.dashboards.iter().filter_map(file).collect::<Vec<_>>(),
        "ini": ini(grafana),
        "chartIni": chart_ini(grafana),
        "secretEnv": secret_env(grafana),
        "plainEnv": plain_env(grafana),
        "envFromSecrets": grafana.env_from_secrets,
        "ldapSecret": grafana.ldap_secret,
        "dataSources": grafana.data_sources.iter().map(data_source).collect::<Vec<_>>(),
        "autoscaling": grafana.autoscaling,
        "pods": pods(stack, grafana, Some(grafana.autoscaling.as_ref().map_or(1, |scaled| scaled.min_replicas.get()))),
    });
    with(facts, own)
}

/// Sections of keys.
type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// What Grafana is configured by: what the stack says, on top of what follows from the rest of it.
fn ini(grafana: &Grafana) -> Sections {
    let mut sections = Sections::new();
    let mut set = |section: &str, key: &str, value: &str| {
        sections.entry(section.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    };
    // Nothing of this installation is told to anybody outside of it, and nothing is fetched from there unasked:
    // docs/outbound.md is the list.
    for key in ["check_for_plugin_updates", "check_for_updates", "feedback_links_enabled", "reporting_enabled"] {
        set("analytics", key, "false");
    }
    set("log", "mode", "console");
    set("news", "news_feed_enabled", "false");
    set("paths", "data", "/var/lib/grafana/");
    set("paths", "logs", "/var/log/grafana");
    set("paths", "plugins", "/var/lib/grafana/plugins");
    set("paths", "provisioning", "/etc/grafana/provisioning");
    // At every start the newest version of some plugins would be downloaded.
    set("plugins", "preinstall_disabled", "true");
    // The keys that plugins are signed with would be fetched; the one that is built in does.
    set("plugins", "public_key_retrieval_disabled", "true");
    set("security", "disable_gravatar", "true");
    set("snapshots", "external_enabled", "false");
    if let Some(address) = grafana.address() {
        set("server", "root_url", &address);
        if !grafana.path().is_empty() {
            set("server", "serve_from_sub_path", "true");
        }
    }
    if grafana.ldap_secret.is_some() {
        set("auth.ldap", "enabled", "true");
        set("auth.ldap", "config_file", &format!("{LDAP}/ldap.toml"));
    }
    for (section, key, value) in config(grafana).filter(|(.., value)| is_plain(value)) {
        set(section, key, value);
    }
    sections
}

/// The folder with the configuration for LDAP.
const LDAP: &str = "/etc/grafana/ldap";

/// The settings that the stack says itself, as (section, key, value).
fn config(grafana: &Grafana) -> impl Iterator<Item = (&str, &str, &str)> + Clone {
    grafana.config.iter().flat_map(|(section, keys)| {
        keys.iter().map(move |(key, value)| (section.as_str(), key.as_str(), value.as_str()))
    })
}

/// Those for the chart's own section of values, which has defaults for the rest.
fn chart_ini(grafana: &Grafana) -> Value {
    let mut sections = json!({});
    if let Some(address) = &grafana.external_url {
        sections["server"]["root_url"] = address.to_string().into();
        if !grafana.path().is_empty() {
            sections["server"]["serve_from_sub_path"] = true.into();
        }
    }
    if !grafana.plugins.is_empty() {
        let plugins: Vec<_> = grafana.plugins.iter().map(PluginVersion::as_str).collect();
        sections["plugins"]["preinstall_sync"] = plugins.join(",").into();
    }
    for (section, key, value) in config(grafana).filter(|(.., value)| is_plain(value)) {
        sections[section][key] = value.into();
    }
    if sections.as_object().is_some_and(Map::is_empty) { Value::Null } else { sections }
}

/// The variable that stands for a setting.
fn variable(section: &str, key: &str) -> String {
    format!("GF_{section}_{key}").replace(['.', '-'], "_").to_uppercase()
}

/// Settings that INI cannot hold, such as expressions with quotes: by variables.
fn plain_env(grafana: &Grafana) -> Vec<Value> {
    let of = |(section, key, value)| json!({ "name": variable(section, key), "value": value });
    config(grafana).filter(|(.., value)| !is_plain(value)).map(of).collect()
}

/// Settings and credentials of data sources that come from Secrets: by variables.
fn secret_env(grafana: &Grafana) -> Vec<Value> {
    let env =
        |name: String, secret: &SecretReference| json!({ "name": name, "secret": secret.name, "key": secret.key });
    let settings = grafana.config_secrets.iter().flat_map(|(section, keys)| {
        keys.iter().map(move |(key, secret)| env(variable(section.as_str(), key.as_str()), secret))
    });
    let sources = grafana.data_sources.iter().flat_map(|source| {
        source.secrets.iter().map(move |(key, secret)| env(source_variable(source, key.as_str()), secret))
    });
    settings.chain(sources).collect()
}

fn source_variable(source: &DataSource, key: &str) -> String {
    format!("DATASOURCE_{}_{key}", source.name).replace(['.', '-'], "_").to_uppercase()
}

/// A data source as provisioning has it. A `$` in it would begin the name of a variable.
fn data_source(source: &DataSource) -> Value {
    let credential =
        |key: &SettingName| (key.to_string(), Value::from(format!("${}", source_variable(source, key.as_str()))));
    let secrets: Map<_, _> = source.secrets.keys().map(credential).collect();
    let mut value = escaped(&json!({
        "name": source.name,
        "uid": source.name,
        "type": source.r#type,
        "access": "proxy",
        "url": source.url,
        "isDefault": false,
    }));
    for (key, there) in [
        ("user", source.user.as_ref().map(|user| json!(user))),
        ("jsonData", (!source.json_data.is_empty()).then(|| source.json_data.clone().into())),
    ] {
        if let Some(there) = there {
            value[key] = escaped(&there);
        }
    }
    if !secrets.is_empty() {
        value["secureJsonData"] = secrets.into();
    }
    value
}

fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace('$', "$$").into(),
        Value::Array(items) => items.iter().map(escaped).collect(),
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), escaped(value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// How long a scrape may take: as the chart has it, but no longer than the interval between two. The operator leaves out
/// a ServiceMonitor whose timeout is above it.
fn scrape_timeout(interval: &Duration) -> String {
    if interval.length().as_secs() < SCRAPE_SECONDS { interval.to_string() } else { format!("{SCRAPE_SECONDS}s") }
}

/// What the container that installs plugins is told of its memory, for the partial `go-memory`; `null` where there is none.
fn plugin_installer(stack: &Stack) -> Value {
    if stack.grafana.plugins.is_empty() {
        return Value::Null;
    }
    let resources = resources(stack, &stack.grafana, "install-plugins");
    json!({ "pods": { "goMemoryLimit": memory::go_limit(&resources) } })
}

/// What is downloaded before Grafana starts; `null` when that is nothing.
fn imports(stack: &Stack) -> Value {
    let import = |dashboard: &Dashboard| {
        let (id, revision) = (dashboard.id?, dashboard.revision?);
        let base = stack.grafana.dashboards_url.as_str().trim_end_matches('/');
        let folder = dashboard.folder.as_ref().map(|folder| format!("{folder}/")).unwrap_or_default();
        Some(json!({
            "file": format!("{folder}imported-{}.json", dashboard.name),
            "url": format!("{base}/{id}/revisions/{revision}/download"),
        }))
    };
    let list: Vec<_> = stack.grafana.dashboards.iter().filter_map(import).collect();
    if list.is_empty() {
        return Value::Null;
    }
    let imported = stack.grafana.dashboards.iter().filter(|dashboard| dashboard.id.is_some());
    let folders: BTreeSet<_> = imported.filter_map(|dashboard| dashboard.folder.as_ref()).collect();
    json!({
        "list": { "dashboards": list, "datasources": DATA_SOURCES },
        // What is to be there before files are written into them.
        "folders": folders.iter().map(|folder| format!("{LOADED}/{folder}")).collect::<Vec<_>>(),
    })
}

/// A dashboard whose text the stack holds.
fn file(dashboard: &Dashboard) -> Option<Value> {
    let text = dashboard.text.as_deref()?;
    Some(json!({
        "name": dashboard.name,
        "key": format!("{}.json", dashboard.name),
        "folder": dashboard.folder,
        "text": connected(text),
    }))
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
