//! What scanners of other people say of every stack: nothing that docs/security.md does not explain.
//!
//! `VIGIL_UPDATE_SECURITY=1 cargo test --test scanners` writes the tables of that page.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use rayon::prelude::*;
use regex::Regex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Why a check of checkov may object: its id, the objects as an expression, and the reason.
const REASONS: [(&str, &str, &str); 25] = [
    (
        "CKV_K8S_11",
        ".*",
        "A limit of CPU throttles a program while its node is idle: scrapes come late, and queries time out. Requests share out what \
         is short, and every container has a limit of memory. `pods.resources.limits.cpu` sets one.",
    ),
    (
        "CKV_K8S_15",
        ".*",
        "Images are named by version. `Always` asks the registry at each start, and pods that must come back during an outage do not \
         when it is part of it.",
    ),
    (
        "CKV_K8S_43",
        ".*",
        "A tag can be read in a review. Every `image` of `stack.yaml` takes a digest behind it, `name:v1@sha256:…`, and `vigil images` \
         lists what there is to pin; nothing is looked up while rendering.",
    ),
    ("CKV_K8S_17", "DaemonSet .*node-exporter", "It counts the processes of its node."),
    (
        "CKV_K8S_19",
        "DaemonSet .*node-exporter",
        "It measures the network of its node, and answers while that of pods is broken.",
    ),
    (
        "CKV_K8S_19",
        "Deployment metrics-server",
        "Only with `metrics-server.hostNetwork`, for API servers that reach no pod.",
    ),
    (
        "CKV_K8S_21",
        ".* (deploy-flask|flask-.*)",
        "The tutorial puts its test application there; `flask.namespace` moves it.",
    ),
    (
        "CKV_K8S_23",
        "DaemonSet ((.*-)?alloy|loki-stack-promtail)",
        "Log files of a node belong to root, and nobody else may read them.",
    ),
    ("CKV_K8S_23", "Deployment deploy-flask", "The tutorial's nginx starts as root and then changes to its own user."),
    (
        "CKV_K8S_25",
        "Deployment deploy-flask",
        "That change, and port 80, need four capabilities; all others are dropped.",
    ),
    (
        "CKV_K8S_35",
        "Deployment .*grafana",
        "Grafana takes its administrator and the credentials of mail and login from variables. A file would be read by the same process, \
         and variables are in no log.",
    ),
    (
        "CKV_K8S_35",
        "(StatefulSet (loki-stack|.*-loki|thanos-.*)|DaemonSet (.*-)?alloy|Deployment (alloy-events|lab-object-storage))",
        "Their configurations take credentials as `${VARIABLE}`, so that these stand in Secrets and nowhere else.",
    ),
    (
        "CKV_K8S_38",
        "(DaemonSet ((.*-)?alloy|loki-stack-promtail)|Deployment (alloy-events|metrics-server|.*operator|.*kube-state-metrics)|StatefulSet .*kube-state-metrics|Job .*)",
        "It asks the API server. Grafana, node-exporter, Loki, Thanos and the test application, which do not, have no token.",
    ),
    (
        "CKV_K8S_40",
        "(DaemonSet ((.*-)?alloy|loki-stack-promtail)|Deployment deploy-flask)",
        "Runs as root, for the reasons at CKV_K8S_23.",
    ),
    (
        "CKV_K8S_40",
        "(Deployment (.*grafana|metrics-server)|Job .*)",
        "The user that the image is made for, such as 472 for Grafana: files of a volume belong to it.",
    ),
    (
        "CKV_K8S_40",
        "(StatefulSet loki-stack)",
        "Only on OpenShift, which assigns a user from a range of the namespace, far above 10000.",
    ),
    (
        "CKV_K8S_49",
        "(Cluster)?Role .*operator",
        "The operator may do everything with its own kinds, and with the StatefulSets, ConfigMaps and Secrets that it makes of them.",
    ),
    (
        "CKV_K8S_8",
        "(StatefulSet (loki-stack(-ingester|-index-gateway|-compactor)?|.*-loki)|Deployment loki-stack-(distributor|querier|query-.*|ruler))",
        "Loki has one page that says how it is, and that says no while it replays its log: a liveness probe on it kills it again and \
         again. A startup probe waits instead.",
    ),
    (
        "CKV_K8S_8",
        "(DaemonSet ((.*-)?alloy|loki-stack-promtail)|Deployment alloy-events)",
        "It is not ready while its log store does not answer, and a restart does not mend that.",
    ),
    (
        "CKV_K8S_8",
        "Deployment .*grafana",
        "Grafana has one. Its side-cars wait for the API server, which a restart does not bring back.",
    ),
    (
        "CKV_K8S_9",
        "Deployment .*grafana",
        "Grafana has one. A side-car that is behind is no reason to take the dashboards away that are there.",
    ),
    (
        "CKV2_K8S_5",
        "ClusterRoleBinding .*grafana.*",
        "Only with `grafana.sidecarSecrets`: dashboards and data sources in Secrets are read from all namespaces.",
    ),
    (
        "CKV2_K8S_5",
        "RoleBinding .*admission",
        "The Job that makes the certificate of the operator's webhook writes it into a Secret of its namespace.",
    ),
    (
        "CKV_K8S_155",
        "ClusterRole .*admission",
        "The Job that makes that certificate writes it into its webhook, named by `resourceNames`.",
    ),
    ("CKV2_K8S_6", ".*", "Pods without a NetworkPolicy: `network-policies.enabled` makes one for each."),
];

/// What is said of checks of checkov: their titles, and the objects.
type Said = BTreeMap<(String, String), BTreeSet<String>>;

/// What checkov says of some stacks together. It follows references, also from one stack to another.
fn said(checkov: &Path, stacks: &[(String, PathBuf)]) -> Said {
    // checkov passes hidden folders over.
    let folder = tempfile::Builder::new().prefix("stacks-").tempdir().unwrap();
    for (name, path) in stacks {
        let rendering = support::render(path);
        for object in rendering.objects.iter().filter(|object| object.is_applied()) {
            let path = folder.path().join(name).join(&object.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if object.kind() != "CustomResourceDefinition" {
                fs::write(&path, &rendering.files[&object.path]).unwrap();
            }
        }
    }
    let arguments =
        ["--framework", "kubernetes", "--quiet", "--compact", "--skip-download", "--output", "json", "--soft-fail"];
    let output = Command::new(checkov).arg("--directory").arg(folder.path()).args(arguments).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("checkov: {error}\n{}", String::from_utf8_lossy(&output.stderr));
    });
    assert_eq!(report["summary"]["parsing_errors"], 0);
    assert!(report["summary"]["passed"].as_u64().unwrap() > 500, "checkov looked at nothing");
    // The hash of what a Job does is a part of its name.
    let hash = Regex::new("-[0-9a-f]{8}$").unwrap();
    let mut said = Said::new();
    for failed in report["results"]["failed_checks"].as_array().unwrap() {
        let text = |key: &str| failed[key].as_str().unwrap().to_owned();
        // `Kind.namespace.name`, and of pods their labels.
        let resource = text("resource");
        let [kind, _, name] = resource.splitn(3, '.').collect::<Vec<_>>()[..] else { panic!("{resource}") };
        let name = name.split(".app.").next().unwrap();
        let object = format!("{kind} {}", hash.replace(name, ""));
        said.entry((text("check_id"), text("check_name"))).or_default().insert(object);
    }
    said
}

#[test]
fn what_checkov_says_is_explained() {
    let Some(checkov) = tools::checkov() else { return };
    // The first and the last that somebody runs by themselves, the others in one run: each takes a quarter of a minute.
    let is_alone = |name: &str| ["tutorial", "production"].contains(&name);
    let (alone, together): (Vec<_>, Vec<_>) = support::stacks().into_iter().partition(|(name, _)| is_alone(name));
    let runs: Vec<_> = alone.into_iter().map(|stack| vec![stack]).chain([together]).collect();
    let mut all = Said::new();
    for said in runs.par_iter().map(|stacks| said(&checkov, stacks)).collect::<Vec<_>>() {
        for (check, objects) in said {
            all.entry(check).or_default().extend(objects);
        }
    }

    explain("checkov", ["Check", "It asks that", "Of", "Why it is not so"], &REASONS, &all);
}

/// Finds a reason for all that is said and something said for each reason, and holds the table under a heading of the page to it.
fn explain(heading: &str, columns: [&str; 4], reasons: &[(&str, &str, &str)], all: &Said) {
    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    let mut table = format!("| {} |\n|---|---|---|---|\n", columns.join(" | "));
    for ((id, title), objects) in all {
        let mut explained: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for object in objects {
            let is_meant = |reason: &(&str, &str, &str)| {
                reason.0 == id && Regex::new(&format!("^(?:{})$", reason.1)).unwrap().is_match(object)
            };
            match reasons.iter().position(is_meant) {
                Some(at) => explained.entry(at).or_default().push(object),
                None => unexplained.push(format!("{id}, {title}: {object}")),
            }
        }
        for (at, objects) in explained {
            used.insert(at);
            // Those of nearly all are not worth a list.
            let of = if objects.len() > 12 { "nearly all".to_owned() } else { objects.join(", ") };
            let _ = writeln!(table, "| `{id}` | {title} | {of} | {} |", reasons[at].2);
        }
    }
    assert_eq!(unexplained, [""; 0], "mend it, or give a reason");
    let unused: Vec<_> = reasons.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, it)| it).collect();
    assert!(unused.is_empty(), "nothing needs these reasons: {unused:?}");
    hold(heading, &table);
}

/// Holds the table under a heading of the page.
fn hold(heading: &str, table: &str) {
    // The tests of this file run at once.
    static PAGE: Mutex<()> = Mutex::new(());
    let _alone = PAGE.lock().unwrap();
    let path = support::root().join("docs/security.md");
    let page = fs::read_to_string(&path).unwrap();
    let start = page.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("docs/security.md has no {heading}"));
    let start = start + page[start..].find("\n|").expect("a table") + 1;
    let end = page[start..].find("\n\n").map_or(page.len(), |end| start + end + 1);
    if std::env::var_os("VIGIL_UPDATE_SECURITY").is_some() {
        fs::write(&path, format!("{}{table}{}", &page[..start], &page[end..])).unwrap();
    } else {
        let is_it = &page[start..end] == table;
        assert!(is_it, "docs/security.md is stale: VIGIL_UPDATE_SECURITY=1 cargo test --test scanners\n{table}");
    }
}

/// Why a pod does not pass a check of pod-security admission: the check, the objects as an expression, and the reason.
const PRIVILEGED: [(&str, &str, &str); 8] = [
    (
        "host namespaces",
        "DaemonSet .*node-exporter",
        "It counts the processes of its node and measures its network. Its namespace enforces `privileged`; `namespaces.agents` gives \
         such pods one of their own.",
    ),
    (
        "host namespaces",
        "Deployment metrics-server",
        "Only with `metrics-server.hostNetwork`, for API servers that reach no pod. `kube-system` enforces nothing.",
    ),
    (
        "restricted volume types",
        "DaemonSet .*node-exporter",
        "It reads `/proc`, `/sys` and the file systems of its node, all of them read-only.",
    ),
    (
        "restricted volume types",
        "DaemonSet ((.*-)?alloy|loki-stack-promtail)",
        "It reads the log files of its node, and keeps there how far it is.",
    ),
    (
        "runAsNonRoot != true",
        "(DaemonSet ((.*-)?alloy|loki-stack-promtail)|Deployment deploy-flask)",
        "Log files of a node belong to root. The tutorial's nginx starts as root and then changes to its own user.",
    ),
    (
        "seLinuxOptions",
        "DaemonSet .*alloy",
        "Only on OpenShift, where a pod of the usual SELinux type reads no file of its node.",
    ),
    (
        "runAsUser=0",
        "DaemonSet ((.*-)?alloy|loki-stack-promtail)",
        "Log files of a node belong to root, and nobody else may read them.",
    ),
    (
        "unrestricted capabilities",
        "Deployment deploy-flask",
        "The tutorial's nginx needs four to change its user and to listen at port 80.",
    ),
];

/// What the checks that a pod of the stacks does not pass ask for.
const ASKED: [(&str, &str); 6] = [
    ("host namespaces", "Pods are not in the network of their node, and do not see its processes"),
    ("restricted volume types", "Pods mount nothing of their node"),
    ("runAsNonRoot != true", "Containers say that they do not run as root"),
    ("seLinuxOptions", "Pods have an SELinux type for containers"),
    ("runAsUser=0", "Pods do not run as user 0"),
    ("unrestricted capabilities", "Containers drop all capabilities, and add at most `NET_BIND_SERVICE`"),
];

/// Go with what its module cache holds. Tests never ask the network.
fn go(arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.current_dir(support::root().join("tools/pod-security")).args(arguments);
    command.env("GOTOOLCHAIN", "local").env("GOPROXY", "off").env("GOFLAGS", "-mod=readonly");
    command
}

/// The program that judges pods as an API server does.
fn admission(folder: &Path) -> Option<PathBuf> {
    let there = go(&["list", "-deps", "./..."]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        tools::not_checked(
            "Go 1.26 with the modules of tools/pod-security",
            "run `cd tools/pod-security && go mod download`",
        );
        return None;
    }
    let program = folder.join("pod-security");
    let output = go(&["build", "-o", program.to_str().unwrap(), "."]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(program)
}

/// What it says of the pods of a set, and how many it judged.
fn admitted(program: &Path, objects: &[&Value]) -> (Vec<Value>, u64) {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines: Vec<_> = objects.iter().map(ToString::to_string).collect();
    let mut stdin = child.stdin.take().unwrap();
    // It reads all before it says anything.
    stdin.write_all(lines.join("\n").as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let judged = lines.pop().unwrap()["judged"].as_u64().unwrap();
    (lines, judged)
}

#[test]
fn every_pod_is_what_its_namespace_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = admission(folder.path()) else { return };
    let hash = Regex::new("-[0-9a-f]{8}$").unwrap();
    let mut all = Said::new();
    for (name, path) in support::stacks() {
        let rendering = support::render(&path);
        let objects: Vec<&Value> = rendering.objects.iter().filter(|it| it.is_applied()).map(|it| &*it.value).collect();
        let (lines, judged) = admitted(&program, &objects);
        assert!(judged > 1, "{name}: {judged} pods");
        for line in lines {
            let text = |key: &str| line[key].as_str().unwrap();
            // What a namespace says is kept. It may say little, for what must see its node.
            assert_eq!(text("mode"), "none", "{name}: {line}");
            let object = hash.replace(text("object"), "").into_owned();
            let asked = ASKED.iter().find(|(check, _)| *check == text("check")).unwrap_or_else(|| panic!("{line}"));
            all.entry((asked.0.to_owned(), asked.1.to_owned())).or_default().insert(object);
        }
    }
    explain("Pod-security admission", ["Check", "It asks that", "Of", "Why it is not so"], &PRIVILEGED, &all);
}

/// What the program would say, so that its silence is worth something.
#[test]
fn a_pod_that_its_namespace_does_not_take_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = admission(folder.path()) else { return };
    let namespace = |mode: &str| json!({ "kind": "Namespace", "metadata": { "name": "a", "labels": { (format!("pod-security.kubernetes.io/{mode}")): "restricted" } } });
    let pods = json!({ "kind": "DaemonSet", "metadata": { "name": "agent", "namespace": "a" },
        "spec": { "template": { "spec": { "hostNetwork": true, "containers": [{ "name": "agent", "image": "a" }] } } } });
    for mode in ["enforce", "audit", "warn"] {
        let (lines, judged) = admitted(&program, &[&namespace(mode), &pods]);
        assert_eq!(judged, 1);
        let expected = [
            "host namespaces",
            "allowPrivilegeEscalation != false",
            "unrestricted capabilities",
            "runAsNonRoot != true",
            "seccompProfile",
        ];
        let of = |mode: &str| {
            lines
                .iter()
                .filter(|line| line["mode"] == mode)
                .map(|line| line["check"].as_str().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(mode), expected);
        assert_eq!(of("none"), expected, "by `restricted` in any case");
    }
}
