//! What scanners of other people say of every stack: nothing that docs/security.md does not explain.
//!
//! `VIGIL_UPDATE_SECURITY=1 cargo test --test scanners` writes that page.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use rayon::prelude::*;
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    let mut page = "\
# What scanners say of the stacks

Generated by `VIGIL_UPDATE_SECURITY=1 cargo test --test scanners`; edits are lost. checkov judges the manifests of every stack in
`stacks/`, from the tutorial's to production. What it objects to is here, with the reason why it stays; anything else fails the test.

| Check | It asks that | Of | Why it is not so |
|---|---|---|---|
"
    .to_owned();
    for ((id, title), objects) in &all {
        let mut reasons: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for object in objects {
            let is_meant = |reason: &&(&str, &str, &str)| {
                reason.0 == id && Regex::new(&format!("^(?:{})$", reason.1)).unwrap().is_match(object)
            };
            match REASONS.iter().position(|reason| is_meant(&reason)) {
                Some(at) => reasons.entry(at).or_default().push(object),
                None => unexplained.push(format!("{id}, {title}: {object}")),
            }
        }
        for (at, objects) in reasons {
            used.insert(at);
            // Those of nearly all are not worth a list.
            let of = if objects.len() > 12 { "nearly all".to_owned() } else { objects.join(", ") };
            let _ = writeln!(page, "| `{id}` | {title} | {of} | {} |", REASONS[at].2);
        }
    }
    assert_eq!(unexplained, [""; 0], "mend it, or give a reason");
    let unused: Vec<_> = REASONS.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, it)| it).collect();
    assert!(unused.is_empty(), "nothing needs these reasons: {unused:?}");
    let path = support::root().join("docs/security.md");
    if std::env::var_os("VIGIL_UPDATE_SECURITY").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let current = fs::read_to_string(&path).unwrap_or_default();
    assert!(current == page, "docs/security.md is stale: VIGIL_UPDATE_SECURITY=1 cargo test --test scanners");
}
