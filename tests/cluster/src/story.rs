//! The tutorial's story: an application writes its log, a collector carries it to Loki, Prometheus scrapes a node.

use crate::assets::{self, Release, program};
use crate::control_plane::ControlPlane;
use crate::controllers::{account, arguments, checked, start_alloy, start_kube_state_metrics, start_operator};
use crate::failure::{Context, Result};
use crate::http::{Http, encoded};
use crate::monitoring::{find_api, folder_of, parsed, start_alertmanager, start_prometheus, write};
use crate::nodes::{self, Pod};
use crate::prerequisites::{self, NODE};
use crate::process::{Process, free_port, wait_for};
use crate::proof::Proof;
use crate::recipe;
use crate::replay::start_loki;
use crate::stacks::Rendered;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Duration;
use vigil_render::Object;

const METHOD: &str = "\
The programs of `stacks/tutorial.yaml` run as processes with the configuration that Vigil rendered, or that the operator
made of it; only addresses and paths are those of the machine. A scheduler and a kubelet are played: they say of one pod
of each workload that it runs. The application, a Flask one behind gunicorn, is called ten times. Then the stack moves to
Grafana Alloy as its comment says: `promtail.enabled: false`, `alloy.enabled: true`. Alloy is built with those of its components
that the stacks use. The application is called again, and the streams must be those that Promtail made.";

const COLUMNS: [&str; 4] = ["program", "version", "of the stack", "shown"];

const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("The tutorial's story, with the programs", METHOD, &COLUMNS);
    let (Some(release), Some(stack)) = (releases.last(), stacks.iter().find(|stack| stack.name == "tutorial")) else {
        proof.skip("the story needs `stacks/tutorial.yaml`, which was not asked for");
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
    let application = nodes::run_one(&plane, stack.object("flask", "Deployment")?, "192.0.2.20")?;
    let (before, promtail) = story.logs(&application, Collector::Promtail)?;
    drop(promtail);

    let moved = stack.but(|stack| {
        stack.promtail.enabled = false;
        stack.alloy.enabled = true;
    })?;
    plane.kubectl.shell(&recipe::script("apply")?, moved.directory.path())?.ok("just apply, with Alloy")?;
    story.stack = &moved;
    let (after, alloy) = story.logs(&application, Collector::Alloy)?;
    story.proof.expect(!before.is_empty() && before == after, || {
        format!("Promtail's streams are {before:?}, Alloy's {after:?}")
    });
    story.metrics(&alloy)?;
    drop(alloy);
    story.alertmanager()?;
    story.proof.skip("nginx does not run here: its configuration stands in the application's image, not in the stack");
    Ok(proof)
}

/// What carries logs to Loki.
#[derive(Clone, Copy)]
enum Collector {
    Promtail,
    Alloy,
}

impl Collector {
    /// Its component.
    fn name(self) -> &'static str {
        match self {
            Self::Promtail => "promtail",
            Self::Alloy => "alloy",
        }
    }
}

/// The labels of streams.
type Streams = BTreeSet<String>;

struct Story<'a> {
    proof: &'a mut Proof,
    plane: &'a ControlPlane,
    stack: &'a Rendered,
}

impl Story<'_> {
    fn row(&mut self, name: &str, module: &str, component: &str, shown: &str) -> Result<()> {
        let objects = self.stack.objects.iter().filter(|object| object.component == component);
        let images = objects.flat_map(|object| {
            let containers = object.value.pointer("/spec/template/spec/containers").and_then(Value::as_array);
            let images = containers.into_iter().flatten().map(|container| &container["image"]);
            images.chain(object.value.pointer("/spec/image")).filter_map(Value::as_str)
        });
        let programs: Vec<_> = images.filter_map(|image| image.rsplit('/').next()?.split_once(':')).collect();
        // Beside the program there may be others, which have other names.
        let deployed = programs.iter().find(|(program, _)| *program == component).or(programs.first());
        let deployed = deployed.map(|(_, tag)| (*tag).to_owned()).unwrap_or_default();
        self.proof.row([name.to_owned(), assets::version(module)?, deployed, shown.to_owned()]);
        Ok(())
    }

    fn loki(&mut self, collector: Collector) -> Result<(Process, Http, String)> {
        let config = self.stack.file("loki", "loki.yaml")?;
        let problems = checked(self.plane, "loki", "loki", &["-verify-config", "-config.file"], config)?;
        self.proof.expect(problems.is_empty(), || format!("loki refuses its configuration:\n{problems}"));

        let place = folder_of(self.plane, &format!("loki-{}", collector.name()))?;
        let (mut process, port) = start_loki("loki", config, &place, &[], &[], self.plane.directory())?;
        let http = Http::at(port);
        process.wait_until(LIMIT, || http.is_ok("/ready"))?;

        let query = format!("/loki/api/v1/query?query={}", encoded("vector(1)+vector(1)"));
        let answer = http.get(&query)?.ok("Grafana's question")?;
        let two = answer.pointer("/data/result/0/value/1").and_then(Value::as_str) == Some("2");
        self.proof.expect(two, || format!("loki: vector(1)+vector(1) is {answer}"));
        Ok((process, http, format!("http://127.0.0.1:{port}")))
    }

    /// A collector, and the streams that it made of what the application's pod said.
    fn logs(&mut self, pod: &Pod, collector: Collector) -> Result<(Streams, (Process, u16))> {
        let (_loki, loki, url) = self.loki(collector)?;
        let logs = folder_of(self.plane, &format!("pods-{}", collector.name()))?;
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

        let started = match collector {
            Collector::Promtail => self.promtail(&url, &logs)?,
            Collector::Alloy => self.alloy(&url, &logs)?,
        };
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
        self.allowed(collector.name(), &started.0);
        let series = format!("/loki/api/v1/series?match[]={}", encoded(&format!("{{pod=\"{}\"}}", pod.name)));
        let series = loki.get(&series)?.ok("the streams")?;
        let streams = series["data"].as_array().into_iter().flatten().map(Value::to_string);
        let streams = streams.map(|labels| labels.replace(&logs.display().to_string(), "/var/log/pods")).collect();
        let asked =
            "`{pod=…}`, `{namespace=\"default\"}` and `|= \"error\"` return the ten calls and the one that failed";
        match collector {
            Collector::Promtail => {
                let shown = "takes its configuration; `vector(1)+vector(1)`, Grafana's question, is 2";
                self.row("loki", "loki", "loki", shown)?;
                let shown = format!("finds the application's pod, and carries its log: {asked}");
                self.row("promtail", "promtail", "promtail", &shown)?;
            }
            Collector::Alloy => {
                let shown = format!(
                    "starts with its arguments, answers its probe, finds the application's pod, and carries its log \
                     into streams with Promtail's labels: {asked}; Prometheus scrapes it"
                );
                self.row("alloy", "alloy", "alloy", &shown)?;
            }
        }
        Ok((streams, started))
    }

    fn alloy(&mut self, loki: &str, logs: &Path) -> Result<(Process, u16)> {
        let logs = logs.display().to_string();
        start_alloy(self.plane, self.stack, &[("http://loki-stack.myloki:3100", loki), ("/var/log/pods", &logs)])
    }

    fn promtail(&mut self, loki: &str, logs: &Path) -> Result<(Process, u16)> {
        let daemons = self.stack.object("promtail", "DaemonSet")?;
        let kubeconfig = self.plane.kubeconfig_of(daemons.namespace(), account(daemons)?)?;
        let text = self.stack.file("promtail", "promtail.yaml")?;
        let place = folder_of(self.plane, "promtail")?;
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
        Ok((process, port))
    }

    fn metrics(&mut self, (_, alloy): &(Process, u16)) -> Result<()> {
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

        for (component, kind, address) in
            [("kube-state-metrics", "Deployment", "192.0.2.11"), ("alloy", "DaemonSet", "192.0.2.12")]
        {
            nodes::run_one(self.plane, self.stack.object(component, kind)?, address)?;
        }
        let (state, [cluster, own]) = start_kube_state_metrics(self.plane, self.stack)?;
        let operator = start_operator(self.plane, self.stack)?;
        let jobs = [
            ("node-exporter/0", exporter),
            ("kube-state-metrics/0", cluster),
            ("kube-state-metrics/1", own),
            ("alloy/0", *alloy),
        ];
        let (prometheus, http) = start_prometheus(self.plane, self.stack, &jobs, None)?;
        drop(operator);
        let replicas = "kube_deployment_status_replicas{namespace=\"default\"}";
        let questions = [
            ("node_memory_MemTotal_bytes", "node-exporter"),
            (replicas, "kube-state-metrics"),
            ("kube_state_metrics_list_total", "kube-state-metrics"),
            ("alloy_build_info", "alloy"),
        ];
        for (query, job) in questions {
            let path = format!("/api/v1/query?query={}", encoded(query));
            let mut answer = Value::Null;
            let answers = wait_for(LIMIT, || {
                answer = http.get(&path).and_then(|answer| answer.ok(query)).unwrap_or_default();
                answer.pointer("/data/result/0/value/1").is_some()
            });
            self.proof.expect(answers, || {
                let targets = http.get("/api/v1/targets").and_then(|answer| answer.ok("targets")).unwrap_or_default();
                let targets = targets.pointer("/data/activeTargets").and_then(Value::as_array);
                let targets = targets.into_iter().flatten();
                let targets: Vec<_> =
                    targets.map(|target| format!("{} {}", target["scrapePool"], target["lastError"])).collect();
                format!("prometheus: {query}: {answer}; its targets: {}", targets.join(", "))
            });
            let found = answer.pointer("/data/result/0/metric/job").and_then(Value::as_str).unwrap_or_default();
            self.proof.expect(found == job, || format!("prometheus: the job of {query} is `{found}`"));
        }
        self.grafana(http.address())?;
        self.allowed("prometheus", &prometheus);
        self.allowed("kube-state-metrics", &state);
        let shown = "starts with its arguments, answers its probes; \
            `kube_deployment_status_replicas{namespace=\"default\"}` answers in Prometheus";
        self.row("kube-state-metrics", "kube-state-metrics", "kube-state-metrics", shown)?;
        let shown = "takes the operator's configuration, finds node-exporter, kube-state-metrics and Alloy with the \
            rights of its ServiceAccount; `node_memory_MemTotal_bytes` answers";
        self.row("prometheus", "prometheus", "prometheus", shown)
    }

    /// Grafana, which finds its settings, data sources and dashboards where the stack puts them.
    fn grafana(&mut self, prometheus: &str) -> Result<()> {
        let (_loki, _, loki) = self.loki(Collector::Alloy)?;
        let place = folder_of(self.plane, "grafana-server")?;
        for folder in ["provisioning/datasources", "provisioning/dashboards", "dashboards"] {
            let path = place.join(folder);
            fs::create_dir_all(&path).context(path.display())?;
        }
        let mut declared = BTreeSet::new();
        let dashboards = self.dashboards(&place.join("dashboards"))?;
        let config_maps = self.stack.objects.iter().filter(|it| it.component == "grafana" && it.kind() == "ConfigMap");
        for (name, text) in config_maps.filter_map(|it| it.value["data"].as_object()).flatten() {
            let text = text.as_str().unwrap_or_default();
            if name == "grafana.ini" {
                write(&place.join(name), text)?;
            } else if name == "provider.yaml" {
                let folder = place.join("dashboards").display().to_string();
                write(&place.join("provisioning/dashboards").join(name), &text.replace("/tmp/dashboards", &folder))?;
            } else if name.ends_with(".yaml") {
                let mut file = parsed(name, text)?;
                for source in file["datasources"].as_array_mut().into_iter().flatten() {
                    declared.insert(source_of(source));
                    match source["type"].as_str() {
                        Some("prometheus") => source["url"] = prometheus.into(),
                        Some("loki") => source["url"] = loki.as_str().into(),
                        _ => {}
                    }
                }
                write(&place.join("provisioning/datasources").join(name), &vigil_yaml::write(&file))?;
            }
        }

        let port = free_port()?;
        let binary = program("grafana", "grafana")?;
        let home = binary.parent().unwrap_or(&place).display().to_string();
        let arguments = ["server", "--homepath", &home, "--config", &place.join("grafana.ini").display().to_string()]
            .map(str::to_owned);
        let own = |folder: &str| place.join(folder).into_os_string();
        let environment = [
            ("GF_PATHS_DATA", own("data")),
            ("GF_PATHS_LOGS", own("logs")),
            ("GF_PATHS_PLUGINS", own("plugins")),
            ("GF_PATHS_PROVISIONING", own("provisioning")),
            ("GF_SERVER_HTTP_ADDR", "127.0.0.1".into()),
            ("GF_SERVER_HTTP_PORT", port.to_string().into()),
            ("GF_AUTH_ANONYMOUS_ENABLED", "true".into()),
            ("GF_AUTH_ANONYMOUS_ORG_ROLE", "Admin".into()),
        ];
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
        let mut process = Process::start("grafana", &binary, arguments, &environment, self.plane.directory())?;
        let http = Http::at(port);
        process.wait_until(LIMIT, || http.is_ok("/api/health"))?;
        for path in probed(self.stack.object("grafana", "Deployment")?, "grafana") {
            self.proof.expect(http.is_ok(&path), || format!("grafana: does not answer a probe of {path}"));
        }
        let health = http.get("/api/health")?.ok("Grafana's health")?;
        self.proof.expect(health["database"] == "ok", || format!("grafana: its health is {health}"));

        let sources = http.get("/api/datasources")?.ok("data sources")?;
        let found: BTreeSet<_> = sources.as_array().into_iter().flatten().map(source_of).collect();
        self.proof.expect(found == declared, || format!("grafana: has {found:?}, not {declared:?}"));
        let query = encoded("vector(1)+vector(1)");
        for (uid, path) in [("prometheus", "api/v1/query"), ("loki", "loki/api/v1/query")] {
            let path = format!("/api/datasources/proxy/uid/{uid}/{path}?query={query}");
            let answer = http.get(&path)?.ok(uid)?;
            let value = answer.pointer("/data/result/0/value/1").or_else(|| answer.pointer("/data/result/1"));
            let two = value.and_then(Value::as_str) == Some("2");
            self.proof.expect(two, || format!("grafana: {uid} answers vector(1)+vector(1) with {answer}"));
        }
        for uid in &dashboards {
            let found = wait_for(LIMIT, || http.is_ok(&format!("/api/dashboards/uid/{uid}")));
            self.proof.expect(found, || format!("grafana: the dashboard {uid} is not found"));
        }
        // It has no front end here, and is asked for dashboards before it has read them all: that is not about ours.
        let of_dashboards = |line: &&str| line.contains("logger=provisioning.dashboard");
        let log = process.log();
        for line in log.lines().filter(of_dashboards).filter(|line| !line.contains("level=info")) {
            self.proof.finding(format!("grafana: {line}"));
        }
        let shown = "takes grafana.ini and its provisioning, answers its probes, has the declared data sources, asks Prometheus and \
            Loki through them for `vector(1)+vector(1)`";
        let shown = format!(
            "{shown}, finds all {} dashboards where the side-cars put them; its log has no error and no warning about one",
            dashboards.len()
        );
        self.row("grafana", "grafana", "grafana", &shown)
    }

    /// Writes the stack's dashboards as the side-cars do, each into the folder that its ConfigMap names. Returns their uids.
    fn dashboards(&self, into: &Path) -> Result<Vec<String>> {
        let mut uids = Vec::new();
        let labelled = |object: &&Object| object.value.pointer("/metadata/labels/grafana_dashboard").is_some();
        for object in self.stack.objects.iter().filter(labelled) {
            let folder = object.value.pointer("/metadata/annotations/grafana_folder").and_then(Value::as_str);
            let folder = into.join(folder.unwrap_or_default());
            fs::create_dir_all(&folder).context(folder.display())?;
            for (name, text) in object.value["data"].as_object().into_iter().flatten() {
                let text = text.as_str().unwrap_or_default();
                write(&folder.join(name), text)?;
                uids.extend(parsed(name, text)?["uid"].as_str().map(str::to_owned));
            }
        }
        Ok(uids)
    }

    fn alertmanager(&mut self) -> Result<()> {
        let (_alertmanager, _) = start_alertmanager(self.plane, self.stack, self.proof, free_port()?)?;
        self.row("alertmanager", "alertmanager", "alertmanager", "takes its configuration and is ready")
    }

    /// A program that reads the API was refused nothing.
    fn allowed(&mut self, name: &str, process: &Process) {
        if let Some(line) = process.log().lines().find(|line| line.contains("forbidden")) {
            self.proof.finding(format!("{name}: {line}"));
        }
    }
}

/// The paths that the probes of a container ask.
fn probed(workload: &Object, container: &str) -> BTreeSet<String> {
    let containers = workload.value.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let mut own = containers.into_iter().flatten().filter(|it| it["name"] == container);
    let probes = own.next().and_then(Value::as_object).into_iter().flatten().filter(|(key, _)| key.ends_with("Probe"));
    probes.filter_map(|(_, probe)| probe.pointer("/httpGet/path")?.as_str().map(str::to_owned)).collect()
}

/// What identifies a data source, as Grafana's API and its provisioning both say it.
fn source_of(source: &Value) -> String {
    let is_default = source["isDefault"].as_bool().unwrap_or_default();
    format!("{} {} {} {is_default}", source["uid"], source["name"], source["type"])
}
