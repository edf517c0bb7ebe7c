//! Prometheus and Alertmanager, with the configuration and the arguments that the operator gives them.

use crate::assets::program;
use crate::control_plane::ControlPlane;
use crate::controllers::{checked, unpacked};
use crate::failure::{Context, Failure, Result};
use crate::http::Http;
use crate::process::{Process, free_port};
use crate::proof::Proof;
use crate::stacks::Rendered;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use vigil_yaml::{Limits, Source};

const LIMIT: Duration = Duration::from_secs(120);

/// Where the containers of Kubernetes find their rights.
const RIGHTS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Where the operator mounts the rules.
const RULES: &str = "/etc/prometheus/rules";

/// Prometheus, which finds each of the jobs whose names end so at a port of this machine, and Alertmanager at another one.
pub(crate) fn start_prometheus(
    plane: &ControlPlane,
    stack: &Rendered,
    jobs: &[(&str, u16)],
    alertmanager: Option<u16>,
) -> Result<(Process, Http)> {
    let object = stack.object("prometheus", "Prometheus")?;
    let (namespace, name) = (object.namespace(), object.name());
    let own = folder_of(plane, "prometheus")?;
    let file = own.join("prometheus.yaml");
    write(&file, &vigil_yaml::write(&configuration(plane, stack, jobs, alertmanager, &own)?))?;

    let port = free_port()?;
    let set = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/prometheus-{name}");
    let set = plane.api.get(&set)?.ok("the StatefulSet of Prometheus")?;
    let containers = set.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let container = containers.into_iter().flatten().find(|container| container["name"] == "prometheus");
    let given = container.and_then(|container| container["args"].as_array());
    let given = given.ok_or_else(|| Failure::new("the StatefulSet has no arguments for Prometheus"))?;
    let replaced = ["--config.file=", "--storage.tsdb.path=", "--web.listen-address=", "--web.config.file="];
    let mut arguments: Vec<_> = given.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    arguments.retain(|argument| !replaced.iter().any(|flag| argument.starts_with(flag)));
    arguments.extend([
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", own.join("data").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ]);
    let binary = program("prometheus", "prometheus")?;
    let mut process = Process::start("prometheus", &binary, arguments, &[], plane.directory())?;
    let http = Http::at(port);
    process.wait_until(LIMIT, || http.is_ok("/-/ready"))?;
    Ok((process, http))
}

/// What the operator wrote, with the addresses of this machine in it.
fn configuration(
    plane: &ControlPlane,
    stack: &Rendered,
    jobs: &[(&str, u16)],
    alertmanager: Option<u16>,
    own: &Path,
) -> Result<Value> {
    let object = stack.object("prometheus", "Prometheus")?;
    let (namespace, name) = (object.namespace(), object.name());
    let text = unpacked(plane, namespace, &format!("prometheus-{name}"), "prometheus.yaml.gz")?;
    let text = text.ok_or_else(|| Failure::new("the operator made no configuration"))?;
    let account = object.value.pointer("/spec/serviceAccountName").and_then(Value::as_str).unwrap_or_default();
    let kubeconfig = plane.kubeconfig_of(namespace, account)?;
    plane.write_rights(&kubeconfig, own)?;
    write_rules(plane, namespace, &format!("prometheus-{name}-rulefiles-"), &own.join("rules"))?;
    // What the reloader beside Prometheus fills in: which pod and which shard this is.
    let text = text.replace("$(POD_NAME)", &format!("prometheus-{name}-0")).replace("$(SHARD)", "0");
    let text = text.replace(RIGHTS, &own.display().to_string());
    let text = text.replace(RULES, &own.join("rules").display().to_string());
    let mut config = parsed("prometheus.yaml", &text)?;
    for scrape in config["scrape_configs"].as_array_mut().into_iter().flatten() {
        let name = scrape["job_name"].as_str().unwrap_or_default();
        let port = jobs.iter().find(|(job, _)| name.ends_with(job)).map(|&(_, port)| port);
        find_at(scrape, &kubeconfig, port);
        scrape["scrape_interval"] = "5s".into();
        scrape["scrape_timeout"] = "4s".into();
    }
    let alertmanagers = config.pointer_mut("/alerting/alertmanagers").and_then(Value::as_array_mut);
    for found in alertmanagers.into_iter().flatten() {
        find_at(found, &kubeconfig, alertmanager);
    }
    Ok(config)
}

/// Has what is discovered be at a port of this machine; without one, where nobody is, and nothing leaves this machine.
fn find_at(discovery: &mut Value, kubeconfig: &Path, port: Option<u16>) {
    find_api(&mut discovery["kubernetes_sd_configs"], kubeconfig);
    let address = format!("127.0.0.1:{}", port.unwrap_or(9));
    let rule = json!({ "target_label": "__address__", "replacement": address });
    if let Some(rules) = discovery["relabel_configs"].as_array_mut() {
        rules.push(rule);
    }
}

/// The rules as the operator hands them over: a folder for each of its ConfigMaps.
fn write_rules(plane: &ControlPlane, namespace: &str, prefix: &str, into: &Path) -> Result<()> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let all = plane.api.get(&path)?.ok("the ConfigMaps of the operator")?;
    for object in all["items"].as_array().into_iter().flatten() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        if !name.starts_with(prefix) {
            continue;
        }
        let folder = into.join(name);
        fs::create_dir_all(&folder).context(folder.display())?;
        for (file, text) in object["data"].as_object().into_iter().flatten() {
            write(&folder.join(file), text.as_str().unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Alertmanager with the configuration of the stack, at a port.
pub(crate) fn start_alertmanager(
    plane: &ControlPlane,
    stack: &Rendered,
    proof: &mut Proof,
    port: u16,
) -> Result<(Process, Http)> {
    let secret = stack.object("alertmanager", "Secret")?;
    let path = format!("/api/v1/namespaces/{}/secrets/{}", secret.namespace(), secret.name());
    let stored = plane.api.get(&path)?.ok("the Secret of Alertmanager")?;
    let text = stored["data"]["alertmanager.yaml"].as_str().unwrap_or_default();
    let own = folder_of(plane, "alertmanager")?;
    let encoded = own.join("alertmanager.yaml.base64");
    write(&encoded, text)?;
    let output = Command::new("base64").arg("-d").arg(&encoded).output().context("base64")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let problems = checked(plane, "alertmanager", "amtool", &["check-config"], &text)?;
    proof.expect(problems.is_empty(), || format!("amtool refuses alertmanager.yaml:\n{problems}"));
    let file = own.join("alertmanager.yaml");
    write(&file, &text)?;
    let arguments = [
        format!("--config.file={}", file.display()),
        format!("--storage.path={}", own.join("data").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        // One of its kind talks to no peers.
        "--cluster.listen-address=".to_owned(),
    ];
    let binary = program("alertmanager", "alertmanager")?;
    let mut process = Process::start("alertmanager", &binary, arguments, &[], plane.directory())?;
    let http = Http::at(port);
    process.wait_until(LIMIT, || http.is_ok("/-/ready"))?;
    Ok((process, http))
}

/// A folder for a program, in that of its control plane.
pub(crate) fn folder_of(plane: &ControlPlane, name: &str) -> Result<PathBuf> {
    let path = plane.directory().join(name);
    fs::create_dir_all(&path).context(path.display())?;
    Ok(path)
}

pub(crate) fn parsed(name: &str, text: &str) -> Result<Value> {
    let documents = vigil_yaml::read(&Source::new(name, text), &Limits::default());
    let documents = documents
        .map_err(|problems| Failure::new(problems.iter().map(|problem| problem.draw(false)).collect::<String>()))?;
    documents.first().map(vigil_yaml::Node::to_json).ok_or_else(|| Failure::new(format!("{name} is empty")))
}

/// Points service discovery to the control plane.
pub(crate) fn find_api(discoveries: &mut Value, kubeconfig: &Path) {
    for discovery in discoveries.as_array_mut().into_iter().flatten() {
        discovery["kubeconfig_file"] = kubeconfig.display().to_string().into();
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).context(path.display())
}
