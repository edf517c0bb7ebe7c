//! Who is told of an alert, and what is kept from them: the amtool and the Alertmanager that stacks run, with the
//! configurations that they get.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vigil_render::Rendering;

/// Refuses matchers that only the parser of older releases takes, which are to be written otherwise one day.
const STRICT: &str = "--enable-feature=utf8-strict-mode";

/// The configuration that the operator gives to Alertmanager, as a file.
fn configuration(rendering: &Rendering, folder: &Path) -> Option<PathBuf> {
    let mut secrets = rendering.objects.iter().filter(|object| object.kind() == "Secret");
    let secret = secrets.find(|object| object.component == "alertmanager")?;
    let path = folder.join("alertmanager.yaml");
    fs::write(&path, STANDARD.decode(secret.value["data"]["alertmanager.yaml"].as_str().unwrap()).unwrap()).unwrap();
    Some(path)
}

/// The alerts of a stack, each with the labels that its rule sets.
fn alerts(rendering: &Rendering) -> BTreeSet<Vec<String>> {
    let groups = rendering.objects.iter().filter_map(|object| object.value["spec"]["groups"].as_array()).flatten();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    rules
        .filter_map(|rule| {
            let name = rule["alert"].as_str()?;
            let labels = rule["labels"].as_object().into_iter().flatten();
            let labels = labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap()));
            Some([format!("alertname={name}")].into_iter().chain(labels).collect())
        })
        .collect()
}

#[test]
fn every_alert_of_every_stack_goes_where_its_route_says() {
    let Some(amtool) = tools::of_alertmanager("amtool") else { return };
    let mut seen = 0;
    for (name, path) in support::stacks() {
        let rendering = support::render(&path);
        let folder = tempfile::tempdir().unwrap();
        let Some(file) = configuration(&rendering, folder.path()) else { continue };
        tools::output_of(&amtool, &["check-config".as_ref(), STRICT.as_ref(), file.as_ref()]);
        let option = format!("--config.file={}", file.display());
        let told = |labels: &Vec<String>| {
            let mut arguments = vec!["config", "routes", "test", option.as_str()];
            arguments.extend(labels.iter().map(String::as_str));
            let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
            let told = tools::output_of(&amtool, &arguments).trim().to_owned();
            let severity = labels.iter().find_map(|label| label.strip_prefix("severity=")).unwrap();
            let alert = labels[0].strip_prefix("alertname=").unwrap();
            (told, format!("{alert} ({severity})"))
        };
        let all: Vec<_> = alerts(&rendering).par_iter().map(told).collect();
        let mut receivers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (receiver, alert) in all {
            receivers.entry(receiver).or_default().insert(alert);
        }
        if receivers.is_empty() {
            continue;
        }
        let mut text = String::new();
        for (receiver, alerts) in &receivers {
            let _ = writeln!(text, "{receiver}:");
            for alert in alerts {
                let _ = writeln!(text, "  {alert}");
            }
            seen += alerts.len();
        }
        support::snapshot(&support::root().join("golden/routing"), &name, &text);
    }
    assert!(seen > 400, "{seen} alerts");
}

/// Alertmanager with the tutorial's configuration; it ends with the test.
struct Running {
    process: Child,
    amtool: PathBuf,
    url: String,
    _folder: TempDir,
}

impl Running {
    fn start(program: &Path, amtool: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = configuration(&support::render(&support::tutorial()), folder.path()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--cluster.listen-address=", STRICT])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let running =
            Self { process, amtool, url: format!("--alertmanager.url=http://127.0.0.1:{port}"), _folder: folder };
        let start = Instant::now();
        while !running.ask(&["config", "show"]).status.success() {
            assert!(start.elapsed() < Duration::from_secs(60), "Alertmanager does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
        running
    }

    fn ask(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(&self.amtool).arg(&self.url).args(arguments).output().unwrap()
    }

    /// The names of the alerts that are kept from everybody, or of those that are not.
    fn names(&self, state: &str) -> BTreeSet<String> {
        let output = self.ask(&["alert", "query", state, "-o", "json"]);
        assert!(output.status.success(), "{}", support::text(&output));
        let alerts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        alerts.iter().map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What fires together, and which of it is told.
const TOGETHER: [(&[&str], &[&str]); 9] = [
    (
        &[
            "alertname=KubeNodeNotReady severity=warning namespace=mymonitoring node=a",
            "alertname=NodeCPUHighUsage severity=info namespace=mymonitoring node=a",
            "alertname=NodeFilesystemReadOnly severity=critical namespace=mymonitoring node=a",
            "alertname=KubeletPlegDurationHigh severity=warning namespace=mymonitoring node=b",
            "alertname=KubeJobFailed severity=warning namespace=shop job_name=x",
        ],
        &["KubeJobFailed", "KubeNodeNotReady", "KubeletPlegDurationHigh", "NodeFilesystemReadOnly"],
    ),
    (
        &[
            "alertname=KubeNodeNotReady severity=warning namespace=mymonitoring node=a",
            "alertname=KubeNodeUnreachable severity=warning namespace=mymonitoring node=a",
        ],
        &["KubeNodeUnreachable"],
    ),
    (
        &[
            "alertname=KubeContainerImagePullFailing severity=warning namespace=shop pod=web-1 container=web",
            "alertname=KubeContainerWaiting severity=warning namespace=shop pod=web-1 container=web",
            "alertname=KubePodNotReady severity=warning namespace=shop pod=web-1",
        ],
        &["KubeContainerImagePullFailing"],
    ),
    (
        &[
            "alertname=KubePodCrashLooping severity=warning namespace=shop pod=web-1 container=web",
            "alertname=KubePodNotReady severity=warning namespace=shop pod=web-2",
        ],
        &["KubePodCrashLooping", "KubePodNotReady"],
    ),
    (
        &[
            "alertname=KubeAPIDown severity=critical namespace=mymonitoring",
            "alertname=KubeStateMetricsListErrors severity=critical namespace=mymonitoring resource=pods",
            "alertname=TargetDown severity=warning namespace=default job=apiserver",
            "alertname=TargetDown severity=warning namespace=shop job=web",
        ],
        &["KubeAPIDown", "TargetDown"],
    ),
    (
        &[
            "alertname=KubeletDown severity=critical namespace=mymonitoring",
            "alertname=TargetDown severity=warning namespace=kube-system job=kubelet",
        ],
        &["KubeletDown"],
    ),
    (
        &[
            "alertname=KubePersistentVolumeFillingUp severity=critical namespace=shop persistentvolumeclaim=a",
            "alertname=KubePersistentVolumeFillingUp severity=warning namespace=shop persistentvolumeclaim=a",
            "alertname=CPUThrottlingHigh severity=info namespace=bank pod=b",
            "alertname=Watchdog severity=none namespace=mymonitoring",
            // The last of all: it is not what keeps itself back.
            "alertname=InfoInhibitor severity=none namespace=bank",
        ],
        &["KubePersistentVolumeFillingUp", "Watchdog"],
    ),
    (
        &[
            "alertname=etcdInsufficientMembers severity=critical namespace=mymonitoring",
            "alertname=etcdMembersDown severity=warning namespace=mymonitoring",
            "alertname=AlertmanagerClusterDown severity=critical namespace=mymonitoring",
            "alertname=PrometheusErrorSendingAlertsToAnyAlertmanager severity=critical namespace=mymonitoring pod=a",
            "alertname=AppUnavailable severity=critical namespace=default deployment=deploy-flask",
            "alertname=KubeDeploymentReplicasMismatch severity=warning namespace=default deployment=deploy-flask",
            "alertname=KubeDeploymentReplicasMismatch severity=warning namespace=shop deployment=web",
        ],
        &["AlertmanagerClusterDown", "AppUnavailable", "KubeDeploymentReplicasMismatch", "etcdInsufficientMembers"],
    ),
    (&["alertname=Watchdog severity=none namespace=mymonitoring"], &["Watchdog"]),
];

#[test]
fn the_cause_is_told_and_what_follows_from_it_is_not() {
    let Some(program) = tools::of_alertmanager("alertmanager") else { return };
    let Some(amtool) = tools::of_alertmanager("amtool") else { return };
    for (alerts, told) in TOGETHER {
        let running = Running::start(&program, amtool.clone());
        for alert in alerts {
            let arguments: Vec<_> = ["alert", "add"].into_iter().chain(alert.split(' ')).collect();
            let output = running.ask(&arguments);
            assert!(output.status.success(), "{alert}: {}", support::text(&output));
        }
        let expected: BTreeSet<_> = told.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(running.names("--active"), expected, "{alerts:#?}, kept back: {:?}", running.names("--inhibited"));
    }
}
