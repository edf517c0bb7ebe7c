//! The stack's own controllers, as processes with their arguments and the rights of their ServiceAccounts.

use crate::assets::{self, Release, program};
use crate::control_plane::ControlPlane;
use crate::failure::{Context, Failure, Result};
use crate::http::Http;
use crate::nodes;
use crate::prerequisites::{self, NODE, create};
use crate::process::{Process, free_port, wait_for};
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::Rendered;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use vigil_render::Object;
use vigil_stack::model::Part as _;

const METHOD: &str = "\
After `just apply`, prometheus-operator, metrics-server, kube-state-metrics and Grafana Alloy run as processes with the
arguments of their workloads and the token of their ServiceAccounts, so that a right that is missing shows. The operator
makes the StatefulSets and the configuration of Prometheus and Alertmanager, which promtool and amtool then check. What
Grafana's side-cars read is asked for with their token.";

const COLUMNS: [&str; 5] = ["Kubernetes", "stack", "program", "version", "shown"];

const LIMIT: Duration = Duration::from_secs(90);

/// Events that tell of machines that are not there, such as volumes, of the API server's own repairs, and of
/// Kubernetes' controllers that come second to what the operator has made.
const NOT_OURS: [&str; 6] = [
    "ProvisioningFailed",
    "FailedBinding",
    "FailedScheduling",
    "FailedMount",
    "ClusterIPNotAllocated",
    "FailedToCreateEndpoint",
];

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("The stack's controllers and their rights", METHOD, &COLUMNS);
    for release in releases {
        for stack in stacks {
            eprintln!("  Kubernetes {}, {}", release.version, stack.name);
            let plane = ControlPlane::start(release)?;
            prerequisites::bring(&plane, stack)?;
            plane.kubectl.shell(&recipe::script("apply")?, stack.directory.path())?.ok("just apply")?;
            let title = format!("Kubernetes {}, {}", release.version, stack.name);
            issue(&plane, stack)?;
            credentials(&plane, stack)?;
            let mut trial = Trial { proof: &mut proof, plane: &plane, stack, release, title };
            if stack.has("prometheus-operator") {
                let operator = trial.operator()?;
                trial.generated("prometheus", "Prometheus")?;
                trial.generated("alertmanager", "Alertmanager")?;
                trial.quiet("prometheus-operator", &operator);
                trial.events()?;
            }
            if stack.has("metrics-server") {
                trial.metrics_server()?;
            }
            if stack.has("kube-state-metrics") {
                trial.kube_state_metrics()?;
            }
            if stack.has("alloy") {
                trial.alloy()?;
            }
            if stack.has("grafana") {
                trial.sidecars()?;
            }
            trial.password()?;
        }
    }
    Ok(proof)
}

/// Puts a certificate where cert-manager would.
pub(crate) fn issue(plane: &ControlPlane, stack: &Rendered) -> Result<()> {
    let [certificate, key] = plane.serving_certificate();
    let text = |path: &Path| fs::read_to_string(path).context(path.display());
    for object in stack.objects.iter().filter(|object| object.kind() == "Certificate") {
        let Some(name) = object.value.pointer("/spec/secretName").and_then(Value::as_str) else { continue };
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": { "name": name },
            "stringData": {
                "tls.crt": text(&certificate)?,
                "tls.key": text(&key)?,
                "ca.crt": text(&plane.authority())?,
            },
        });
        let path = format!("/api/v1/namespaces/{}/secrets", object.namespace());
        create(plane, &path, &secret)?;
    }
    Ok(())
}

/// Makes the Secrets that custom resources name, and that the stack leaves to its user.
pub(crate) fn credentials(plane: &ControlPlane, stack: &Rendered) -> Result<()> {
    let authority = fs::read_to_string(plane.authority()).context("the authority")?;
    let mut secrets: BTreeMap<(&str, String), BTreeMap<String, &str>> = BTreeMap::new();
    // A certificate is looked into, a password is not.
    let value = |key: &str| if key.starts_with("ca") { authority.as_str() } else { "x" };
    for object in stack.objects.iter().filter(|object| object.api_version().starts_with("monitoring.coreos.com/")) {
        selected(&object.value, &mut |name, key| {
            secrets.entry((object.namespace(), name.to_owned())).or_default().insert(key.to_owned(), value(key));
        });
    }
    for ((namespace, name), data) in secrets {
        let metadata = json!({ "name": name });
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data });
        let path = format!("/api/v1/namespaces/{namespace}/secrets");
        create(plane, &path, &secret)?;
    }
    Ok(())
}

/// Calls `see` with every name and key that select a value of a Secret.
fn selected(value: &Value, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Object(map) => {
            if let (Some(Value::String(name)), Some(Value::String(key))) = (map.get("name"), map.get("key")) {
                see(name, key);
            }
            map.values().for_each(|value| selected(value, see));
        }
        Value::Array(items) => items.iter().for_each(|value| selected(value, see)),
        _ => {}
    }
}

/// Starts prometheus-operator as its Deployment would.
pub(crate) fn start_operator(plane: &ControlPlane, stack: &Rendered) -> Result<Process> {
    let deployment = stack.object("prometheus-operator", "Deployment")?;
    let kubeconfig = plane.kubeconfig_of(deployment.namespace(), account(deployment)?)?;
    let mut arguments = arguments(deployment);
    let port = free_port()?;
    // What cert-manager would have made.
    let [certificate, key] = plane.serving_certificate();
    for (flag, file) in [("--web.cert-file=", certificate), ("--web.key-file=", key)] {
        for argument in arguments.iter_mut().filter(|argument| argument.starts_with(flag)) {
            *argument = format!("{flag}{}", file.display());
        }
    }
    arguments.retain(|argument| !argument.starts_with("--web.listen-address="));
    arguments.push(format!("--web.listen-address=127.0.0.1:{port}"));
    let environment = [("KUBECONFIG", kubeconfig.as_os_str()), ("GOGC", OsStr::new("30"))];
    let binary = program("prometheus-operator", "operator")?;
    let mut process = Process::start("operator", &binary, arguments, &environment, plane.directory())?;
    process.wait_until(LIMIT, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    Ok(process)
}

/// The text of a configuration that the operator keeps compressed in a Secret.
pub(crate) fn unpacked(plane: &ControlPlane, namespace: &str, secret: &str, key: &str) -> Result<Option<String>> {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{secret}");
    let there = wait_for(LIMIT, || {
        let answer = plane.api.get(&path).and_then(|answer| answer.ok(&path));
        answer.is_ok_and(|secret| secret["data"][key].is_string())
    });
    if !there {
        return Ok(None);
    }
    let key = key.replace('.', "\\.");
    let script = format!(
        "kubectl get secret --namespace {namespace} {secret} -o jsonpath='{{.data.{key}}}' | base64 -d | gzip -d"
    );
    plane.kubectl.shell(&script, plane.directory())?.ok(secret).map(Some)
}

/// Starts kube-state-metrics as its Deployment would. The first port tells of the cluster, the second of itself.
pub(crate) fn start_kube_state_metrics(plane: &ControlPlane, stack: &Rendered) -> Result<(Process, [u16; 2])> {
    let deployment = stack.object("kube-state-metrics", "Deployment")?;
    let kubeconfig = plane.kubeconfig_of(deployment.namespace(), account(deployment)?)?;
    let ports = [free_port()?, free_port()?];
    let mut arguments = arguments(deployment);
    arguments.retain(|argument| !argument.starts_with("--port=") && !argument.starts_with("--telemetry-port="));
    arguments.extend([
        format!("--port={}", ports[0]),
        format!("--telemetry-port={}", ports[1]),
        "--host=127.0.0.1".to_owned(),
        "--telemetry-host=127.0.0.1".to_owned(),
        format!("--kubeconfig={}", kubeconfig.display()),
    ]);
    let binary = program("kube-state-metrics", "kube-state-metrics")?;
    let mut process = Process::start("kube-state-metrics", &binary, arguments, &[], plane.directory())?;
    process.wait_until(LIMIT, || {
        ["readinessProbe", "livenessProbe"].iter().all(|probe| probed(deployment, probe, &ports))
    })?;
    Ok((process, ports))
}

/// The ConfigMaps that configure an Alloy, each with the names and texts of its files, which are one configuration.
fn alloy_configurations(stack: &Rendered) -> Vec<(&Object, Vec<(&str, &str)>)> {
    fn files(object: &Object) -> Vec<(&str, &str)> {
        let data = object.value["data"].as_object().into_iter().flatten();
        data.filter_map(|(name, text)| Some((name.as_str(), text.as_str()?))).collect()
    }
    let maps = stack.objects.iter().filter(|object| object.kind() == "ConfigMap" && object.component == "alloy");
    let maps = maps.map(|object| (object, files(object)));
    maps.filter(|(_, files)| files.iter().any(|(name, _)| *name == "config.alloy")).collect()
}

/// Starts Grafana Alloy as its DaemonSet would, with what is `replaced` in its configuration.
pub(crate) fn start_alloy(plane: &ControlPlane, stack: &Rendered, replaced: &[(&str, &str)]) -> Result<(Process, u16)> {
    let daemons = stack.object("alloy", "DaemonSet")?;
    let kubeconfig = plane.kubeconfig_of(daemons.namespace(), account(daemons)?)?;
    let discovery = "discovery.kubernetes \"pods\" {\n";
    // Outside of a pod it is told where the API is.
    let api = format!("\tkubeconfig_file = \"{}\"\n", kubeconfig.display());
    let folder = plane.directory().join("alloy-configuration");
    fs::create_dir_all(&folder).context(folder.display())?;
    let configurations = alloy_configurations(stack);
    for (name, text) in
        configurations.iter().filter(|(object, _)| object.name() == "alloy").flat_map(|(_, files)| files)
    {
        let mut text = text.replace(discovery, &format!("{discovery}{api}"));
        for (from, to) in replaced {
            text = text.replace(from, to);
        }
        let file = folder.join(name);
        fs::write(&file, text).context(file.display())?;
    }

    let port = free_port()?;
    let mut arguments = arguments(daemons);
    for argument in &mut arguments {
        let (flag, _) = argument.split_once('=').unwrap_or((argument, ""));
        *argument = match flag {
            "/etc/alloy" => folder.display().to_string(),
            "/etc/alloy/config.alloy" => folder.join("config.alloy").display().to_string(),
            "--storage.path" => format!("{flag}={}", plane.directory().join("alloy").display()),
            "--server.http.listen-addr" => format!("{flag}=127.0.0.1:{port}"),
            _ => continue,
        };
    }
    let node = [("HOSTNAME", OsStr::new(NODE))];
    let mut process = Process::start("alloy", &program("alloy", "alloy")?, arguments, &node, plane.directory())?;
    process.wait_until(LIMIT, || probed(daemons, "readinessProbe", &[port]))?;
    Ok((process, port))
}

/// Whether the first container of a workload answers a probe. Its ports are `ports` here, in the same order.
fn probed(workload: &Object, probe: &str, ports: &[u16]) -> bool {
    let Some(container) = workload.value.pointer("/spec/template/spec/containers/0") else { return false };
    let get = &container[probe]["httpGet"];
    let meant = |port: &Value| port["name"] == get["port"] || port["containerPort"] == get["port"];
    let place = container["ports"].as_array().and_then(|all| all.iter().position(meant));
    let port = place.and_then(|place| ports.get(place));
    matches!((port, get["path"].as_str()), (Some(&port), Some(path)) if Http::at(port).is_ok(path))
}

/// A kind as the API's paths call it.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

/// Whether a series of kube-state-metrics tells of an object.
fn has_series(text: &str, object: &Object) -> bool {
    let kind = object.kind().to_lowercase();
    let family = format!("kube_{kind}_");
    // `job` is a label of Prometheus itself, and Jobs stand under another one.
    let label = if kind == "job" { "job_name" } else { &kind };
    let name = format!("{label}=\"{}\"", object.name());
    let namespace = format!("namespace=\"{}\"", object.namespace());
    text.lines().any(|line| {
        line.starts_with(&family)
            && line.contains(&name)
            && (object.namespace().is_empty() || line.contains(&namespace))
    })
}

/// The arguments of a workload's first container.
pub(crate) fn arguments(object: &Object) -> Vec<String> {
    let arguments = object.value.pointer("/spec/template/spec/containers/0/args").and_then(Value::as_array);
    arguments.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The ServiceAccount of a workload.
pub(crate) fn account(object: &Object) -> Result<&str> {
    let account = object.value.pointer("/spec/template/spec/serviceAccountName").and_then(Value::as_str);
    account.ok_or_else(|| Failure::new(format!("{}: no ServiceAccount", object.title())))
}

/// Runs a checker on a text.
pub(crate) fn checked(plane: &ControlPlane, module: &str, name: &str, words: &[&str], text: &str) -> Result<String> {
    let file = plane.directory().join(format!("checked-by-{name}.yaml"));
    fs::write(&file, text).context(file.display())?;
    let output = Command::new(program(module, name)?).args(words).arg(&file).output().context(name)?;
    if output.status.success() {
        return Ok(String::new());
    }
    Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

struct Trial<'a> {
    proof: &'a mut Proof,
    plane: &'a ControlPlane,
    stack: &'a Rendered,
    release: &'a Release,
    title: String,
}

impl Trial<'_> {
    fn row(&mut self, program: &str, version: &str, shown: String) {
        let (kubernetes, stack) = (self.release.version.clone(), self.stack.name.clone());
        self.proof.row([kubernetes, stack, program.to_owned(), version.to_owned(), shown]);
    }

    fn operator(&mut self) -> Result<Process> {
        // An address of nobody, for the kubelets' Endpoints; the operator talks to none of them.
        self.node("192.0.2.1", 10250)?;
        let operator = start_operator(self.plane, self.stack)?;
        let mut sets = 0;
        for object in &self.stack.objects {
            if !matches!(object.kind(), "Prometheus" | "Alertmanager") {
                continue;
            }
            let plural = if object.kind() == "Prometheus" { "prometheuses" } else { "alertmanagers" };
            let (namespace, name) = (object.namespace(), object.name());
            let path = format!("/apis/monitoring.coreos.com/v1/namespaces/{namespace}/{plural}/{name}");
            let mut said = String::new();
            let reconciled = wait_for(LIMIT, || {
                let object = self.plane.api.get(&path).and_then(|answer| answer.ok(&path)).unwrap_or_default();
                let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
                let reconciled = conditions.iter().find(|condition| condition["type"] == "Reconciled");
                said = reconciled.map(Value::to_string).unwrap_or_default();
                reconciled.is_some_and(|condition| condition["status"] == "True")
            });
            let title = object.title();
            self.proof.expect(reconciled, || format!("{}: {title} is not reconciled: {said}", self.title));
            let shards = object.value.pointer("/spec/shards").and_then(Value::as_u64).unwrap_or(1);
            for shard in 0..shards {
                let kind = object.kind().to_lowercase();
                let suffix = if shard == 0 { String::new() } else { format!("-shard-{shard}") };
                let path = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/{kind}-{name}{suffix}");
                // Its first pod shows that the namespace's pod security takes what the operator makes.
                let made = wait_for(LIMIT, || {
                    let set = self.plane.api.get(&path).and_then(|answer| answer.ok(&path)).unwrap_or_default();
                    let pods = set["status"]["replicas"].as_u64().unwrap_or(0);
                    !set.is_null() && (pods > 0 || !self.plane.has_controllers())
                });
                self.proof.expect(made, || format!("{}: no pods of {path}", self.title));
                sets += usize::from(made);
            }
        }
        let targets = &self.stack.stack.kubernetes_targets;
        let keeps_kubelets = targets.is_in(&self.stack.stack) && targets.kubelet;
        if keeps_kubelets {
            self.kubelets();
        }
        let version = assets::version("prometheus-operator")?;
        let kubelets = if keeps_kubelets { "the kubelets' Endpoints, " } else { "" };
        let shown = format!("{sets} StatefulSets with pods, {kubelets}no error in its log, no warning event");
        self.row("prometheus-operator", &version, shown);
        Ok(operator)
    }

    /// The operator writes down where the kubelets are.
    fn kubelets(&mut self) {
        let endpoints = "/api/v1/namespaces/kube-system/endpoints/kube-prometheus-stack-kubelet";
        let kubelet = wait_for(LIMIT, || {
            let endpoints = self.plane.api.get(endpoints).and_then(|answer| answer.ok(endpoints)).unwrap_or_default();
            endpoints["subsets"][0]["addresses"][0]["ip"] == "192.0.2.1"
        });
        self.proof.expect(kubelet, || format!("{}: the operator made no Endpoints of the kubelets", self.title));
    }

    /// The configuration that the operator made of an object is one that its program takes.
    fn generated(&mut self, component: &str, kind: &str) -> Result<()> {
        if !self.stack.has(component) {
            return Ok(());
        }
        let object = self.stack.object(component, kind)?;
        let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
        let prometheus = ("prometheus", "promtool", ["check", "config", "--syntax-only"].as_slice());
        let alertmanager = ("alertmanager", "amtool", ["check-config"].as_slice());
        let (secret, (module, checker, words)) = match kind {
            "Prometheus" => (format!("prometheus-{name}"), prometheus),
            _ => (format!("alertmanager-{name}-generated"), alertmanager),
        };
        let key = &format!("{module}.yaml.gz");
        let Some(text) = unpacked(self.plane, &namespace, &secret, key)? else {
            self.proof.finding(format!("{}: the operator made no Secret {secret}", self.title));
            return Ok(());
        };
        let problems = checked(self.plane, module, checker, words, &text)?;
        self.proof.expect(problems.is_empty(), || format!("{}: {checker} refuses {secret}:\n{problems}", self.title));
        let lines = text.lines().count();
        self.row(checker, &assets::version(module)?, format!("takes the operator's configuration of {lines} lines"));
        Ok(())
    }

    /// Nothing in a log tells of an error or a right that is missing.
    fn quiet(&mut self, name: &str, process: &Process) {
        let log = process.log();
        let bad = |line: &&str| {
            let line = line.to_lowercase();
            // Whether it listens was asked without TLS.
            let knocking = line.contains("tls handshake error from 127.0.0.1");
            !knocking && ["forbidden", "level=error", "cannot list resource"].iter().any(|bad| line.contains(bad))
        };
        let lines: BTreeSet<_> = log.lines().filter(bad).collect();
        for line in lines.into_iter().take(5) {
            self.proof.finding(format!("{}: {name}: {line}", self.title));
        }
    }

    /// No event warns of our objects.
    fn events(&mut self) -> Result<()> {
        let path = "/api/v1/events?fieldSelector=type%3DWarning";
        let events = self.plane.api.get(path)?.ok("events")?;
        let all = events["items"].as_array().into_iter().flatten();
        let text = |event: &Value, pointer: &str| {
            event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let told: BTreeSet<_> = all
            .filter(|event| !NOT_OURS.contains(&text(event, "/reason").as_str()))
            .map(|event| {
                let object = [text(event, "/involvedObject/kind"), text(event, "/involvedObject/name")].join(" ");
                format!("{object}: {}: {}", text(event, "/reason"), text(event, "/message"))
            })
            .collect();
        for event in told {
            self.proof.finding(format!("{}: event: {event}", self.title));
        }
        Ok(())
    }

    fn metrics_server(&mut self) -> Result<()> {
        // A kubelet that does not answer: all that matters here happens between metrics-server and the API.
        self.node("127.0.0.1", free_port()?)?;
        let deployment = self.stack.object("metrics-server", "Deployment")?;
        let namespace = deployment.namespace();
        let kubeconfig = self.plane.kubeconfig_of(namespace, account(deployment)?)?;
        let config = kubeconfig.display();
        let port = free_port()?;
        let replaced = ["--secure-port=", "--cert-dir="];
        let mut arguments = arguments(deployment);
        arguments.retain(|argument| !replaced.iter().any(|flag| argument.starts_with(flag)));
        arguments.extend([
            format!("--secure-port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--cert-dir={}", self.plane.directory().join("metrics-server").display()),
            format!("--kubeconfig={config}"),
            format!("--authentication-kubeconfig={config}"),
            format!("--authorization-kubeconfig={config}"),
        ]);
        let binary = program("metrics-server", "metrics-server")?;
        let mut process = Process::start("metrics-server", &binary, arguments, &[], self.plane.directory())?;

        // A reader of the API's own role `view`, into which metrics-server's role is aggregated.
        let reader = "kubectl create namespace readers && kubectl create serviceaccount reader -n readers && \
            kubectl create clusterrolebinding reader --clusterrole view --serviceaccount readers:reader";
        self.plane.kubectl.shell(reader, self.plane.directory())?.ok("a reader")?;
        let reader = self.plane.kubectl.with(self.plane.kubeconfig_of("readers", "reader")?);
        let server = format!("--server=https://127.0.0.1:{port}");
        let mut said = String::new();
        let path = "/apis/metrics.k8s.io/v1beta1/pods";
        let ask = ["get", "--raw", path, &server, "--insecure-skip-tls-verify"];
        process.wait_until(LIMIT, || {
            let answer = reader.run(&ask);
            said = answer.as_ref().map_or_else(ToString::to_string, |answer| answer.stderr.clone());
            answer.is_ok_and(|answer| answer.stdout.contains("PodMetricsList")) || said.contains("orbidden")
        })?;
        self.proof.expect(!said.contains("orbidden"), || format!("{}: metrics-server: {said}", self.title));
        let kubelets = format!("auth can-i get nodes --subresource metrics --as system:serviceaccount:{namespace}:");
        let kubelets = format!("{kubelets}{}", account(deployment)?);
        let words: Vec<_> = kubelets.split(' ').collect();
        let may = self.plane.kubectl.run(&words)?.stdout;
        self.proof.expect(may.trim() == "yes", || format!("{}: metrics-server may not read kubelets", self.title));
        let log = process.log();
        let bad = log.lines().filter(|line| line.contains("forbidden") || line.contains("unknown flag"));
        for line in bad.take(5) {
            self.proof.finding(format!("{}: metrics-server: {line}", self.title));
        }
        let shown =
            "starts with its arguments, knows the caller, answers a reader of the role `view`; may read kubelets";
        self.row("metrics-server", &assets::version("metrics-server")?, shown.to_owned());
        Ok(())
    }

    /// Everything that its arguments name is listed, and of the stack's own objects each is told of.
    fn kube_state_metrics(&mut self) -> Result<()> {
        let (process, ports) = start_kube_state_metrics(self.plane, self.stack)?;
        let [cluster, own] = ports.map(Http::at);
        let arguments = arguments(self.stack.object("kube-state-metrics", "Deployment")?);
        let resources = arguments.iter().find_map(|argument| argument.strip_prefix("--resources="));
        let resources = resources.ok_or_else(|| Failure::new("kube-state-metrics without --resources"))?;
        let resources: Vec<_> = resources.split(',').collect();

        let lists = |result: &str| {
            let text = own.get("/metrics").map(|answer| answer.text).unwrap_or_default();
            let result = format!("result=\"{result}\"");
            let lists = text.lines().filter(|line| line.starts_with("kube_state_metrics_list_total{"));
            lists.filter(|line| line.contains(&result)).count()
        };
        let all = wait_for(LIMIT, || lists("success") == resources.len());
        self.proof.expect(all && lists("error") == 0, || {
            let (listed, refused, all) = (lists("success"), lists("error"), resources.len());
            format!("{}: kube-state-metrics listed {listed} of {all} kinds, {refused} with errors", self.title)
        });

        let reported = |object: &&Object| resources.contains(&plural(object.kind()).as_str());
        let ours: Vec<_> = self.stack.objects.iter().filter(reported).collect();
        let mut missing = Vec::new();
        wait_for(LIMIT, || {
            let text = cluster.get("/metrics").map(|answer| answer.text).unwrap_or_default();
            missing = ours.iter().filter(|object| !has_series(&text, object)).map(|object| object.title()).collect();
            missing.is_empty()
        });
        for title in missing {
            self.proof.finding(format!("{}: kube-state-metrics tells nothing of {title}", self.title));
        }
        self.quiet("kube-state-metrics", &process);
        let (kinds, objects) = (resources.len(), ours.len());
        let shown = format!(
            "starts with its arguments, answers its probes; lists all {kinds} of its `--resources`, tells of all \
             {objects} objects of the stack among them"
        );
        self.row("kube-state-metrics", &assets::version("kube-state-metrics")?, shown);
        Ok(())
    }

    fn alloy(&mut self) -> Result<()> {
        for (_, files) in alloy_configurations(self.stack) {
            let texts: Vec<_> = files.into_iter().map(|(_, text)| text).collect();
            let whole = texts.join("\n");
            let formatted = texts.iter().map(|text| (["fmt", "--test"].as_slice(), *text));
            for (words, text) in formatted.chain([(["validate"].as_slice(), whole.as_str())]) {
                let problems = checked(self.plane, "alloy", "alloy", words, text)?;
                let command = words.join(" ");
                self.proof.expect(problems.is_empty(), || format!("{}: alloy {command}:\n{problems}", self.title));
            }
        }
        // The only pod of the node that it looks for.
        nodes::run_one(self.plane, self.stack.object("alloy", "DaemonSet")?, "192.0.2.12")?;
        let (process, port) = start_alloy(self.plane, self.stack, &[])?;
        let http = Http::at(port);
        let finds = wait_for(LIMIT, || {
            let text = http.get("/metrics").map(|answer| answer.text).unwrap_or_default();
            let mut events = text.lines().filter(|line| line.starts_with("prometheus_sd_kubernetes_events_total{"));
            events.any(|line| line.contains("event=\"add\",role=\"pod\"") && !line.ends_with(" 0"))
        });
        self.proof.expect(finds, || format!("{}: alloy finds no pod", self.title));
        self.quiet("alloy", &process);
        let shown = "takes its configuration, which `alloy fmt` leaves as it is; starts with its arguments, answers its \
            probe, finds the pod of its node";
        self.row("Grafana Alloy", &assets::version("alloy")?, shown.to_owned());
        Ok(())
    }

    /// Grafana's side-cars do not run: what they read is asked for in their name.
    fn sidecars(&mut self) -> Result<()> {
        let deployment = self.stack.object("grafana", "Deployment")?;
        let account = account(deployment)?;
        let kubectl = self.plane.kubectl.with(self.plane.kubeconfig_of(deployment.namespace(), account)?);
        let said = kubectl.run(&["get", "configmaps", "--all-namespaces", "--output", "name"])?;
        self.proof.expect(said.status == 0, || format!("{}: {account}: {}", self.title, said.stderr.trim()));
        let may = kubectl.run(&["auth", "can-i", "watch", "configmaps", "--all-namespaces"])?;
        let yes = may.stdout.trim() == "yes";
        self.proof.expect(yes, || format!("{}: {account} may not watch configmaps", self.title));
        let shown = "not run, but its side-cars' ServiceAccount lists and may watch ConfigMaps";
        self.row("Grafana", "none", shown.to_owned());
        Ok(())
    }

    /// What runs before Grafana starts makes its Secret once, with the rights that it has, and `just password` reads it.
    fn password(&mut self) -> Result<()> {
        const SCRIPT: &str = "create-admin-secret.py";
        let script = |object: &Object| object.value.pointer("/data")?[SCRIPT].as_str().map(str::to_owned);
        let Some(script) = self.stack.objects.iter().find_map(script) else { return Ok(()) };
        let deployment = self.stack.object("grafana", "Deployment")?;
        let place = self.plane.directory().join("grafana");
        fs::create_dir_all(&place).context(place.display())?;
        let kubeconfig = self.plane.kubeconfig_of(deployment.namespace(), account(deployment)?)?;
        self.plane.write_rights(&kubeconfig, &place)?;
        let file = place.join(SCRIPT);
        fs::write(&file, script).context(file.display())?;
        for answer in ["created the Secret", "is there, and stays as it is"] {
            let mut command = Command::new("python3");
            command.arg("-B").arg(&file).envs(self.plane.in_cluster()).env("SERVICE_ACCOUNT_DIR", &place);
            command.env("NAMESPACE", deployment.namespace()).env("SECRET_NAME", deployment.name());
            let output = command.output().context("python3")?;
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            self.proof.expect(said.contains(answer), || format!("{}: {SCRIPT}: {}", self.title, said.trim()));
        }
        let said = self.plane.kubectl.shell(&recipe::script("password")?, self.stack.directory.path())?;
        let password = said.ok("just password")?;
        let length = password.trim().len();
        self.proof.expect(length == 40, || format!("{}: just password gives {length} characters", self.title));
        let shown =
            "its administrator's Secret is made with the rights of its ServiceAccount, once; `just password` reads it";
        self.row("Grafana's init container", "none", shown.to_owned());
        Ok(())
    }

    /// Gives the node an address and its kubelet a port.
    fn node(&self, address: &str, port: u16) -> Result<()> {
        let status = json!({ "status": {
            "addresses": [{ "type": "InternalIP", "address": address }],
            "daemonEndpoints": { "kubeletEndpoint": { "Port": port } },
        }});
        let path = format!("/api/v1/nodes/{NODE}/status");
        let merge = "application/merge-patch+json";
        self.plane.api.send("PATCH", &path, merge, &status.to_string())?.ok("the node's address").map(drop)
    }
}
