//! The tutorial's story: an application writes its log, the collector carries it to Loki, Prometheus scrapes a node.

use crate::assets::{self, Release, program};
use crate::control_plane::ControlPlane;
use crate::controllers::{account, arguments, checked, start_operator, unpacked};
use crate::failure::{Context, Failure, Result};
use crate::http::{Http, encoded};
use crate::nodes;
use crate::prerequisites::{self, NODE};
use crate::process::{Process, free_port, wait_for};
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::Rendered;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use vigil_render::Object;
use vigil_yaml::{Limits, Source};

const METHOD: &str = "\
The programs of `stack.yaml` run as processes with the configuration that Vigil rendered, or that the operator made of
it; only addresses and paths are those of the machine. A scheduler and a kubelet are played: they say of one pod of each
workload that it runs. The application, a Flask one behind gunicorn, is called ten times.";

const COLUMNS: [&str; 4] = ["program", "version", "of the stack", "shown"];

const LIMIT: Duration = Duration::from_secs(120);

/// Where the containers of Kubernetes find their rights.
const RIGHTS: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("The tutorial's story, with the programs", METHOD, &COLUMNS);
    let (Some(release), Some(stack)) = (releases.last(), stacks.iter().find(|stack| stack.name == "stack")) else {
        proof.skip("the story needs `stack.yaml`, which was not asked for");
        return Ok(proof);
    };
    if release.controller_manager.is_none() {
        proof.skip("the story needs pods: the assets hold no kube-controller-manager");
        return Ok(proof);
    }
    let plane = ControlPlane::start(release)?;
    prerequisites::bring(&plane, stack)?;
    plane.kubectl.shell(&recipe::script("apply")?, stack.directory.path())?.ok("just apply")?;
    let mut story = Story { proof: &mut proof, plane: &plane, stack };
    let (loki, url) = story.loki()?;
    story.logs(&loki, &url)?;
    story.metrics()?;
    story.alertmanager()?;
    for (name, why) in [
        (
            "Grafana",
            "its module is none that Go's proxy has; its data sources are checked by the tests of the renderer",
        ),
        ("Grafana Alloy", "its module is none that Go's proxy has"),
        ("kube-state-metrics", "its module is none that Go's proxy has"),
        ("nginx", "its configuration stands in the application's image, not in the stack"),
    ] {
        story.proof.skip(format!("{name} does not run here: {why}"));
    }
    Ok(proof)
}

struct Story<'a> {
    proof: &'a mut Proof,
    plane: &'a ControlPlane,
    stack: &'a Rendered,
}

impl Story<'_> {
    fn row(&mut self, name: &str, module: &str, component: &str, shown: &str) -> Result<()> {
        let deployed = self.stack.objects.iter().filter(|object| object.component == component);
        let image = deployed.filter_map(|object| {
            let pod = object.value.pointer("/spec/template/spec/containers/0/image");
            pod.or_else(|| object.value.pointer("/spec/image"))?.as_str()?.rsplit_once(':')
        });
        let deployed = image.map(|(_, tag)| tag.to_owned()).next().unwrap_or_default();
        self.proof.row([name.to_owned(), assets::version(module)?, deployed, shown.to_owned()]);
        Ok(())
    }

    fn place(&self, name: &str) -> Result<PathBuf> {
        let path = self.plane.directory().join(name);
        fs::create_dir_all(&path).context(path.display())?;
        Ok(path)
    }

    fn loki(&mut self) -> Result<((Process, Http), String)> {
        let config = content(self.stack.object("loki", "ConfigMap")?, "loki.yaml")?;
        let problems = checked(self.plane, "loki", "loki", &["-verify-config", "-config.file"], &config)?;
        self.proof.expect(problems.is_empty(), || format!("loki refuses its configuration:\n{problems}"));

        let place = self.place("loki")?;
        let file = place.join("loki.yaml");
        write(&file, &config.replace("/data/loki", &place.join("data").display().to_string()))?;
        let (port, grpc) = (free_port()?, free_port()?);
        // Flags win over the file.
        let arguments = [
            format!("-config.file={}", file.display()),
            "-server.http-listen-address=127.0.0.1".to_owned(),
            format!("-server.http-listen-port={port}"),
            "-server.grpc-listen-address=127.0.0.1".to_owned(),
            format!("-server.grpc-listen-port={grpc}"),
        ];
        let mut process = Process::start("loki", &program("loki", "loki")?, arguments, &[], self.plane.directory())?;
        let http = Http::at(port);
        process.wait_until(LIMIT, || http.is_ok("/ready"))?;

        let query = format!("/loki/api/v1/query?query={}", encoded("vector(1)+vector(1)"));
        let answer = http.get(&query)?.ok("Grafana's question")?;
        let two = answer.pointer("/data/result/0/value/1").and_then(Value::as_str) == Some("2");
        self.proof.expect(two, || format!("loki: vector(1)+vector(1) is {answer}"));
        self.row("loki", "loki", "loki", "takes its configuration; `vector(1)+vector(1)`, Grafana's question, is 2")?;
        Ok(((process, http), format!("http://127.0.0.1:{port}")))
    }

    fn logs(&mut self, (_, loki): &(Process, Http), url: &str) -> Result<()> {
        let workload = self.stack.object("flask", "Deployment")?;
        let pod = nodes::run_one(self.plane, workload, "192.0.2.20")?;
        let logs = self.place("pods")?;
        let folder = logs.join(format!("{}_{}_{}/flask-web", pod.namespace, pod.name, pod.uid));
        let (port, packages) = (free_port()?, program("flask", "packages")?);
        let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("app");
        let words = [
            app.join("container.py").into_os_string(),
            folder.join("0.log").into_os_string(),
            "python3".into(),
            "-m".into(),
            "gunicorn".into(),
            "--bind".into(),
            format!("127.0.0.1:{port}").into(),
            "--access-logfile=-".into(),
            "--chdir".into(),
            app.into_os_string(),
            "app:app".into(),
        ];
        let environment = [("PYTHONPATH", packages.as_os_str()), ("PYTHONDONTWRITEBYTECODE", OsStr::new("1"))];
        let python = Path::new("python3");
        let mut flask = Process::start("flask", python, words, &environment, self.plane.directory())?;
        let http = Http::at(port);
        flask.wait_until(LIMIT, || http.get("/").is_ok())?;

        let promtail = self.promtail(url, &logs)?;
        for call in 0..10 {
            let path = if call == 9 { "/test02?fail=1" } else { "/test02" };
            http.get(path)?;
        }
        let queries = [
            (format!("{{pod=\"{}\"}} |= \"GET /test02\"", pod.name), 10),
            (format!("{{namespace=\"{}\"}} |= \"GET /test02\"", pod.namespace), 10),
            (format!("{{namespace=\"{}\"}} |= \"error\"", pod.namespace), 1),
        ];
        for (query, wanted) in queries {
            let path = format!("/loki/api/v1/query_range?limit=1000&query={}", encoded(&query));
            let mut lines = 0;
            let found = wait_for(LIMIT, || {
                let answer = loki.get(&path).and_then(|answer| answer.ok(&path)).unwrap_or_default();
                let streams = answer.pointer("/data/result").and_then(Value::as_array).cloned().unwrap_or_default();
                lines = streams.iter().filter_map(|stream| Some(stream["values"].as_array()?.len())).sum();
                lines >= wanted
            });
            self.proof.expect(found, || format!("loki: {query}: {lines} of {wanted} lines"));
        }
        self.allowed("promtail", &promtail);
        let shown = "finds the application's pod, and carries its log: `{pod=…}`, `{namespace=\"default\"}` and \
            `|= \"error\"` return the ten calls and the one that failed";
        self.row("promtail", "promtail", "promtail", shown)
    }

    fn promtail(&mut self, loki: &str, logs: &Path) -> Result<Process> {
        let daemons = self.stack.object("promtail", "DaemonSet")?;
        let kubeconfig = self.plane.kubeconfig_of(daemons.namespace(), account(daemons)?)?;
        let text = content(self.stack.object("promtail", "ConfigMap")?, "promtail.yaml")?;
        let place = self.place("promtail")?;
        let text = text
            .replace("http://loki-stack.myloki:3100", loki)
            .replace("/run/promtail", &place.display().to_string())
            .replace("/var/log/pods", &logs.display().to_string());
        let mut config = parsed("promtail.yaml", &text)?;
        for scrape in config["scrape_configs"].as_array_mut().into_iter().flatten() {
            find_api(&mut scrape["kubernetes_sd_configs"], &kubeconfig);
        }
        let port = free_port()?;
        config["server"]["http_listen_address"] = "127.0.0.1".into();
        config["server"]["http_listen_port"] = port.into();
        config["server"]["grpc_listen_address"] = "127.0.0.1".into();
        config["server"]["grpc_listen_port"] = free_port()?.into();
        let file = place.join("promtail.yaml");
        write(&file, &vigil_yaml::write(&config))?;
        let arguments = [format!("-config.file={}", file.display())];
        let node = [("HOSTNAME", OsStr::new(NODE))];
        let binary = program("promtail", "promtail")?;
        let mut process = Process::start("promtail", &binary, arguments, &node, self.plane.directory())?;
        let http = Http::at(port);
        // Its readiness: there is a file that it reads.
        process.wait_until(LIMIT, || http.is_ok("/ready"))?;
        Ok(process)
    }

    fn metrics(&mut self) -> Result<()> {
        let daemons = self.stack.object("node-exporter", "DaemonSet")?;
        nodes::run_one(self.plane, daemons, "192.0.2.10")?;
        let exporter = free_port()?;
        let arguments = arguments(daemons).into_iter().map(|argument| {
            let argument = argument.replace("/host/root", "").replace("/host", "");
            match argument.as_str() {
                "--path.rootfs=" => "--path.rootfs=/".to_owned(),
                listen if listen.starts_with("--web.listen-address=") => {
                    format!("--web.listen-address=127.0.0.1:{exporter}")
                }
                _ => argument,
            }
        });
        let binary = program("node-exporter", "node_exporter")?;
        let mut node = Process::start("node-exporter", &binary, arguments, &[], self.plane.directory())?;
        let http = Http::at(exporter);
        node.wait_until(LIMIT, || http.is_ok("/metrics"))?;
        self.row("node-exporter", "node-exporter", "node-exporter", "starts with its arguments")?;

        let operator = start_operator(self.plane, self.stack)?;
        let (prometheus, http) = self.prometheus(exporter)?;
        drop(operator);
        let query = "/api/v1/query?query=node_memory_MemTotal_bytes";
        let mut answer = Value::Null;
        let answers = wait_for(LIMIT, || {
            answer = http.get(query).and_then(|answer| answer.ok(query)).unwrap_or_default();
            answer.pointer("/data/result/0/value/1").is_some()
        });
        self.allowed("prometheus", &prometheus);
        self.proof.expect(answers, || {
            let targets = http.get("/api/v1/targets").map_or_else(|failure| failure.to_string(), |answer| answer.text);
            format!("prometheus: node_memory_MemTotal_bytes: {answer}; its targets: {targets}")
        });
        let job = answer.pointer("/data/result/0/metric/job").and_then(Value::as_str).unwrap_or_default();
        self.proof.expect(job == "node-exporter", || format!("prometheus: node-exporter's job is `{job}`"));
        let shown = "takes the operator's configuration, finds node-exporter with the rights of its ServiceAccount; \
            `node_memory_MemTotal_bytes` answers";
        self.row("prometheus", "prometheus", "prometheus", shown)
    }

    fn prometheus(&mut self, exporter: u16) -> Result<(Process, Http)> {
        let object = self.stack.object("prometheus", "Prometheus")?;
        let (namespace, name) = (object.namespace(), object.name());
        let text = unpacked(self.plane, namespace, &format!("prometheus-{name}"), "prometheus.yaml.gz")?;
        let text = text.ok_or_else(|| Failure::new("the operator made no configuration"))?;
        let account = object.value.pointer("/spec/serviceAccountName").and_then(Value::as_str).unwrap_or_default();
        let kubeconfig = self.plane.kubeconfig_of(namespace, account)?;
        let place = self.place("prometheus")?;
        self.plane.write_rights(&kubeconfig, &place)?;
        // What the reloader beside Prometheus fills in: which pod and which shard this is.
        let text = text.replace("$(POD_NAME)", &format!("prometheus-{name}-0")).replace("$(SHARD)", "0");
        let mut config = parsed("prometheus.yaml", &text.replace(RIGHTS, &place.display().to_string()))?;
        for scrape in config["scrape_configs"].as_array_mut().into_iter().flatten() {
            find_api(&mut scrape["kubernetes_sd_configs"], &kubeconfig);
            let ours = scrape["job_name"].as_str().is_some_and(|name| name.contains("node-exporter"));
            // Nobody is at the addresses of the others, and nothing leaves this machine.
            let address = format!("127.0.0.1:{}", if ours { exporter } else { 9 });
            let rule = json!({ "target_label": "__address__", "replacement": address });
            if let Some(rules) = scrape["relabel_configs"].as_array_mut() {
                rules.push(rule);
            }
            scrape["scrape_interval"] = "5s".into();
            scrape["scrape_timeout"] = "4s".into();
        }
        for alertmanager in
            config.pointer_mut("/alerting/alertmanagers").and_then(Value::as_array_mut).into_iter().flatten()
        {
            find_api(&mut alertmanager["kubernetes_sd_configs"], &kubeconfig);
        }
        let file = place.join("prometheus.yaml");
        write(&file, &vigil_yaml::write(&config))?;

        let port = free_port()?;
        let set = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/prometheus-{name}");
        let set = self.plane.api.get(&set)?.ok("the StatefulSet of Prometheus")?;
        let containers = set.pointer("/spec/template/spec/containers").and_then(Value::as_array);
        let container = containers.into_iter().flatten().find(|container| container["name"] == "prometheus");
        let given = container.and_then(|container| container["args"].as_array());
        let given = given.ok_or_else(|| Failure::new("the StatefulSet has no arguments for Prometheus"))?;
        let replaced = ["--config.file=", "--storage.tsdb.path=", "--web.listen-address=", "--web.config.file="];
        let mut arguments: Vec<_> = given.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        arguments.retain(|argument| !replaced.iter().any(|flag| argument.starts_with(flag)));
        arguments.extend([
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", place.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]);
        let binary = program("prometheus", "prometheus")?;
        let mut process = Process::start("prometheus", &binary, arguments, &[], self.plane.directory())?;
        let http = Http::at(port);
        process.wait_until(LIMIT, || http.is_ok("/-/ready"))?;
        Ok((process, http))
    }

    fn alertmanager(&mut self) -> Result<()> {
        let secret = self.stack.object("alertmanager", "Secret")?;
        let path = format!("/api/v1/namespaces/{}/secrets/{}", secret.namespace(), secret.name());
        let stored = self.plane.api.get(&path)?.ok("the Secret of Alertmanager")?;
        let text = stored["data"]["alertmanager.yaml"].as_str().unwrap_or_default();
        let place = self.place("alertmanager")?;
        let encoded = place.join("alertmanager.yaml.base64");
        write(&encoded, text)?;
        let output = Command::new("base64").arg("-d").arg(&encoded).output().context("base64")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let problems = checked(self.plane, "alertmanager", "amtool", &["check-config"], &text)?;
        self.proof.expect(problems.is_empty(), || format!("amtool refuses alertmanager.yaml:\n{problems}"));
        let file = place.join("alertmanager.yaml");
        write(&file, &text)?;
        let port = free_port()?;
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.path={}", place.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            // One of its kind talks to no peers.
            "--cluster.listen-address=".to_owned(),
        ];
        let binary = program("alertmanager", "alertmanager")?;
        let mut process = Process::start("alertmanager", &binary, arguments, &[], self.plane.directory())?;
        let http = Http::at(port);
        process.wait_until(LIMIT, || http.is_ok("/-/ready"))?;
        self.row("alertmanager", "alertmanager", "alertmanager", "takes its configuration and is ready")
    }

    /// A program that reads the API was refused nothing.
    fn allowed(&mut self, name: &str, process: &Process) {
        if let Some(line) = process.log().lines().find(|line| line.contains("forbidden")) {
            self.proof.finding(format!("{name}: {line}"));
        }
    }
}

/// A file of a ConfigMap.
fn content(object: &Object, key: &str) -> Result<String> {
    let text = object.value["data"][key].as_str();
    text.map(str::to_owned).ok_or_else(|| Failure::new(format!("{} has no {key}", object.title())))
}

fn parsed(name: &str, text: &str) -> Result<Value> {
    let documents = vigil_yaml::read(&Source::new(name, text), &Limits::default());
    let documents = documents
        .map_err(|problems| Failure::new(problems.iter().map(|problem| problem.draw(false)).collect::<String>()))?;
    documents.first().map(vigil_yaml::Node::to_json).ok_or_else(|| Failure::new(format!("{name} is empty")))
}

/// Points service discovery to the control plane.
fn find_api(discoveries: &mut Value, kubeconfig: &Path) {
    for discovery in discoveries.as_array_mut().into_iter().flatten() {
        discovery["kubeconfig_file"] = kubeconfig.display().to_string().into();
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).context(path.display())
}
