//! Alerts on their way: they fire in Prometheus, Alertmanager tells of them or keeps them back, and they end.

use crate::assets::Release;
use crate::control_plane::ControlPlane;
use crate::controllers::start_operator;
use crate::failure::{Failure, Result};
use crate::http::{self, Http};
use crate::monitoring::{start_alertmanager, start_prometheus};
use crate::nodes;
use crate::prerequisites::{self, NODE};
use crate::process::{free_port, wait_for};
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::{self, Rendered};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const METHOD: &str = "\
A stack that scrapes every 5 s, calls a workload stuck after a minute and tells two webhooks: `team` of everything, `heartbeat`
of `Watchdog`. On a control plane prometheus-operator makes the configuration and the rule files of Prometheus of it; Prometheus
runs with these, Alertmanager with the configuration of the stack. Only addresses are those of the machine. node-exporter and
kube-state-metrics are played: they say what the table says that happens. The webhooks are served here: what they are told
must be, label by label and text by text, what the rule promises, and there must be nothing else.";

const COLUMNS: [&str; 4] = ["what happens", "alert", "what becomes of it", "after"];

/// How long an alert may take that fires after five minutes.
const LIMIT: Duration = Duration::from_secs(480);

/// The parts that the alerts are about, and no others: what does not run here would fire as well.
const STACK: &str = r#"
prometheus: { scrapeInterval: 5s }
kubernetes-targets: { kubelet: false, apiServer: false, coreDns: false, controllerManager: false, scheduler: false, etcd: false, kubeProxy: false }
metrics-server: { enabled: false }
grafana: { enabled: false }
loki: { enabled: false }
promtail: { enabled: false }
alerts:
  runbooks: https://runbooks.example.com
  thresholds: { workloadStuck: 1m }
alertmanager:
  receivers:
  - name: team
    webhook: [{ url: "http://127.0.0.1:PORT/team" }]
  - name: heartbeat
    webhook: [{ url: "http://127.0.0.1:PORT/heartbeat" }]
  route:
    receiver: team
    groupWait: 20s
    groupInterval: 10s
    routes:
    - matchers: ["alertname = Watchdog"]
      receiver: heartbeat
"#;

pub(crate) fn prove(releases: &[Release]) -> Result<Proof> {
    let mut proof = Proof::new("An alert fires, is told and ends", METHOD, &COLUMNS);
    let Some(release) = releases.last().filter(|release| release.controller_manager.is_some()) else {
        proof.skip("alerts need pods: the assets hold no kube-controller-manager");
        return Ok(proof);
    };
    let webhooks = Webhooks::default();
    let port = webhooks.serve()?;
    let stack = stacks::of_text("alerts", &STACK.replace("PORT", &port.to_string()))?;
    let plane = ControlPlane::start(release)?;
    prerequisites::bring(&plane, &stack)?;
    plane.kubectl.shell(&recipe::script("apply")?, stack.directory.path())?.ok("just apply")?;
    let operator = start_operator(&plane, &stack)?;
    let node = nodes::run_one(&plane, stack.object("node-exporter", "DaemonSet")?, "192.0.2.10")?;
    nodes::run_one(&plane, stack.object("kube-state-metrics", "Deployment")?, "192.0.2.11")?;
    nodes::run_one_of(&plane, &alertmanagers(&plane, &stack)?, "192.0.2.12")?;

    let cluster = Cluster { monitoring: node.namespace, exporter: node.name, ..Cluster::default() };
    let cluster = Arc::new(cluster);
    let (machine, objects) = (cluster.clone(), cluster.clone());
    let exporter = http::serve(move |_, _| machine.of_node())?;
    let state = http::serve(move |_, _| objects.of_objects())?;
    let own = http::serve(|_, _| String::new())?;
    let told = free_port()?;
    let (_alertmanager, alertmanager) = start_alertmanager(&plane, &stack, &mut proof, told)?;
    let jobs = [
        ("node-exporter/0", exporter),
        ("kube-state-metrics/0", state),
        ("kube-state-metrics/1", own),
        ("alertmanager/0", told),
    ];
    let (_prometheus, prometheus) = start_prometheus(&plane, &stack, &jobs, Some(told))?;
    drop(operator);
    let mut trial = Trial { proof: &mut proof, stack: &stack, cluster: &cluster, webhooks, alertmanager, prometheus };
    trial.heartbeat()?;
    trial.kept_back();
    trial.stuck()?;
    trial.unavailable()?;
    trial.ends()?;
    trial.nothing_else();
    Ok(proof)
}

/// The StatefulSet that the operator makes for Alertmanager.
fn alertmanagers(plane: &ControlPlane, stack: &Rendered) -> Result<Value> {
    let object = stack.object("alertmanager", "Alertmanager")?;
    let (namespace, name) = (object.namespace(), object.name());
    let path = format!("/apis/apps/v1/namespaces/{namespace}/statefulsets/alertmanager-{name}");
    let mut set = Err(Failure::new("the operator made no StatefulSet for Alertmanager"));
    wait_for(LIMIT, || {
        set = plane.api.get(&path).and_then(|answer| answer.ok(&path));
        set.is_ok()
    });
    set
}

/// What the exporters tell of.
#[derive(Default)]
struct Cluster {
    /// Where node-exporter runs, and the name of its pod.
    monitoring: String,
    exporter: String,
    /// By how many seconds the node's start is later than it was first.
    restarted: AtomicU64,
    /// Pods that the test application lacks.
    lacks: AtomicU64,
}

impl Cluster {
    fn of_node(&self) -> String {
        format!("node_boot_time_seconds {}\n", 1_700_000_000 + self.restarted.load(Ordering::Relaxed))
    }

    fn of_objects(&self) -> String {
        let Self { monitoring, exporter, .. } = self;
        let deployment = "{namespace=\"default\",deployment=\"deploy-flask\"}";
        let available = 2 - self.lacks.load(Ordering::Relaxed);
        format!(
            "kube_pod_info{{namespace=\"{monitoring}\",pod=\"{exporter}\",node=\"{NODE}\",created_by_kind=\"DaemonSet\"}} 1\n\
             kube_deployment_spec_replicas{deployment} 2\n\
             kube_deployment_status_replicas_available{deployment} {available}\n\
             kube_deployment_status_replicas_updated{deployment} 2\n"
        )
    }
}

/// What the webhooks were told: the name of the receiver, and each alert.
#[derive(Clone, Default)]
struct Webhooks(Arc<Mutex<Vec<(String, Value)>>>);

impl Webhooks {
    fn serve(&self) -> Result<u16> {
        let told = self.0.clone();
        http::serve(move |path, body| {
            let message: Value = serde_json::from_str(body).unwrap_or_default();
            let alerts = message["alerts"].as_array().into_iter().flatten();
            let alerts = alerts.map(|alert| (path.trim_start_matches('/').to_owned(), alert.clone()));
            told.lock().unwrap_or_else(PoisonError::into_inner).extend(alerts);
            String::new()
        })
    }

    /// The first message to a receiver about an alert in a state: `firing` or `resolved`.
    fn about(&self, receiver: &str, alert: &str, status: &str) -> Option<Value> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |(to, it): &&(String, Value)| {
            to == receiver && it["labels"]["alertname"] == alert && it["status"] == status
        };
        told.iter().find(is).map(|(_, alert)| alert.clone())
    }

    /// The names of all alerts that a receiver was told of.
    fn names(&self, receiver: &str) -> BTreeSet<String> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = told.iter().filter(|(to, _)| to == receiver);
        own.filter_map(|(_, alert)| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect()
    }
}

struct Trial<'a> {
    proof: &'a mut Proof,
    stack: &'a Rendered,
    cluster: &'a Cluster,
    webhooks: Webhooks,
    alertmanager: Http,
    prometheus: Http,
}

impl Trial<'_> {
    fn row(&mut self, happens: &str, alert: &str, becomes: &str, since: Instant) {
        let after = format!("{} s", since.elapsed().as_secs());
        self.proof.row([happens.to_owned(), format!("`{alert}`"), becomes.to_owned(), after]);
    }

    /// Waits for a message, and compares it with what it should hold.
    fn told(&mut self, receiver: &str, alert: &str, status: &str, labels: Value, description: &str) -> Result<()> {
        eprintln!("  {alert} {status} …");
        let mut message = None;
        wait_for(LIMIT, || {
            message = self.webhooks.about(receiver, alert, status);
            message.is_some()
        });
        let Some(message) = message else {
            let known = self.alertmanager.get("/api/v2/alerts")?.text;
            let rules = self.prometheus.get("/api/v1/alerts")?.text;
            return Err(Failure::new(format!("{receiver} is not told that {alert} is {status}: {known}\n{rules}")));
        };
        let object = self.stack.object("prometheus", "Prometheus")?;
        let mut all = labels;
        all["alertname"] = alert.into();
        all["prometheus"] = format!("{}/{}", object.namespace(), object.name()).into();
        self.proof.expect(message["labels"] == all, || format!("{alert}: its labels are {}", message["labels"]));
        let annotations = json!({
            "summary": self.summary(alert),
            "description": description,
            "runbook_url": format!("https://runbooks.example.com/{alert}.md"),
        });
        let found = &message["annotations"];
        self.proof.expect(*found == annotations, || format!("{alert}: its annotations are {found}"));
        Ok(())
    }

    /// What the rule says that its alert is about.
    fn summary(&self, alert: &str) -> Value {
        let groups = self.stack.objects.iter().filter_map(|object| object.value["spec"]["groups"].as_array()).flatten();
        let mut rules = groups.filter_map(|group| group["rules"].as_array()).flatten();
        rules.find(|rule| rule["alert"] == alert).map_or(Value::Null, |rule| rule["annotations"]["summary"].clone())
    }

    /// Whether Alertmanager knows of an alert, and keeps it to itself because of another.
    fn is_inhibited(&self, alert: &str) -> bool {
        let known = self.alertmanager.get("/api/v2/alerts").and_then(|answer| answer.ok(alert)).unwrap_or_default();
        let mut own = known.as_array().into_iter().flatten().filter(|it| it["labels"]["alertname"] == alert);
        own.any(|it| it["status"]["inhibitedBy"].as_array().is_some_and(|by| !by.is_empty()))
    }

    fn heartbeat(&mut self) -> Result<()> {
        let since = Instant::now();
        let labels = json!({ "severity": "none", "namespace": self.cluster.monitoring });
        let description = "This alert always fires, so that whatever it is sent to can tell when alerts stop arriving. \
            Send it to a heartbeat service, and not to people.";
        self.told("heartbeat", "Watchdog", "firing", labels, description)?;
        self.row("nothing", "Watchdog", "`heartbeat` is told, and `team` is not", since);
        Ok(())
    }

    /// An alert of severity info that is alone in its namespace.
    fn kept_back(&mut self) {
        // Prometheus has to see the first start before the second.
        let query = "/api/v1/query?query=node_boot_time_seconds";
        let seen = wait_for(LIMIT, || {
            let answer = self.prometheus.get(query).and_then(|answer| answer.ok(query)).unwrap_or_default();
            answer.pointer("/data/result/0").is_some()
        });
        self.proof.expect(seen, || "Prometheus does not find node-exporter".to_owned());
        let since = Instant::now();
        self.cluster.restarted.store(3600, Ordering::Relaxed);
        let kept = wait_for(LIMIT, || self.is_inhibited("NodeRebooted"));
        self.proof.expect(kept, || "NodeRebooted is not kept back by InfoInhibitor".to_owned());
        let becomes = "severity info: nobody is told, as `InfoInhibitor` fires for the namespace";
        self.row("the node is started anew", "NodeRebooted", becomes, since);
    }

    fn stuck(&mut self) -> Result<()> {
        let since = Instant::now();
        self.cluster.lacks.store(1, Ordering::Relaxed);
        let labels = json!({ "severity": "warning", "namespace": "default", "deployment": "deploy-flask" });
        let description =
            "Deployment default/deploy-flask lacks 1 available pods, and no rollout goes on that would bring them.";
        self.told("team", "KubeDeploymentReplicasMismatch", "firing", labels, description)?;
        self.row("a pod of the application is lost", "KubeDeploymentReplicasMismatch", "`team` is told", since);
        Ok(())
    }

    fn unavailable(&mut self) -> Result<()> {
        let since = Instant::now();
        self.cluster.lacks.store(2, Ordering::Relaxed);
        self.app_unavailable("firing")?;
        let becomes = "severity critical: `team` is told";
        self.row("the other one is lost too", "AppUnavailable", becomes, since);
        let kept = wait_for(LIMIT, || self.is_inhibited("KubeDeploymentReplicasMismatch"));
        self.proof.expect(kept, || "KubeDeploymentReplicasMismatch is told beside its cause".to_owned());
        self.row("", "KubeDeploymentReplicasMismatch", "not told of any more: `AppUnavailable` is its cause", since);
        Ok(())
    }

    fn ends(&mut self) -> Result<()> {
        let since = Instant::now();
        self.cluster.lacks.store(0, Ordering::Relaxed);
        self.app_unavailable("resolved")?;
        self.row("both are back", "AppUnavailable", "`team` is told that it is resolved", since);
        let quiet = wait_for(LIMIT, || {
            let alerts = self.prometheus.get("/api/v1/alerts").map(|answer| answer.text).unwrap_or_default();
            !alerts.contains("deploy-flask")
        });
        self.proof.expect(quiet, || "Prometheus still has alerts about the application".to_owned());
        Ok(())
    }

    fn app_unavailable(&mut self, status: &str) -> Result<()> {
        let labels = json!({ "severity": "critical", "namespace": "default", "deployment": "deploy-flask" });
        let description = "Deployment default/deploy-flask has no pod that answers. Its users get errors.";
        self.told("team", "AppUnavailable", status, labels, description)
    }

    /// What else was told is noise.
    fn nothing_else(&mut self) {
        let expected = BTreeSet::from(["AppUnavailable", "KubeDeploymentReplicasMismatch"].map(str::to_owned));
        let names = self.webhooks.names("team");
        self.proof.expect(names == expected, || format!("team is told of {names:?}"));
        let names = self.webhooks.names("heartbeat");
        self.proof.expect(names.len() == 1, || format!("heartbeat is told of {names:?}"));
    }
}
