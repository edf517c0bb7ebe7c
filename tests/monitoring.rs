//! References of the tutorial's stack: each one that is broken is found.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use vigil_check::{Options, check};
use vigil_yaml::{Severity, Source};

/// The manifests but the definitions, file by file.
fn manifests() -> Vec<(String, String)> {
    let rendering = support::render(&support::tutorial());
    let made: BTreeSet<&String> =
        rendering.objects.iter().filter(|object| object.component != "crds").map(|object| &object.path).collect();
    made.into_iter().map(|path| (path.clone(), readable(rendering.files[path].clone()))).collect()
}

/// The text with the file of a Secret as `stringData`, where it can be changed.
fn readable(text: String) -> String {
    let Some((head, rest)) = text.split_once("data:\n  alertmanager.yaml: ") else { return text };
    let (encoded, tail) = rest.split_once('\n').unwrap();
    let file = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    let indented: String = file.lines().flat_map(|line| ["    ", line, "\n"]).collect();
    format!("{head}stringData:\n  alertmanager.yaml: |\n{indented}{tail}")
}

/// The rules that say something worse than a note.
fn found(files: &[(String, String)]) -> Vec<&'static str> {
    static OPTIONS: LazyLock<Options> =
        LazyLock::new(|| Options { memory: Some(Arc::default()), ..Options::default() });
    let sources: Vec<Arc<Source>> = files.iter().map(|(name, text)| Source::new(name, text)).collect();
    let mut ids: Vec<_> = check(&sources, &OPTIONS)
        .findings
        .iter()
        .filter(|finding| finding.severity() != Severity::Note)
        .map(|finding| finding.rule.id)
        .collect();
    ids.dedup();
    ids
}

/// Labels stand at the top, what refers to them below.
fn replace_last(text: &mut String, from: &str, to: &str) {
    let at = text.rfind(from).unwrap_or_else(|| panic!("no {from} in:\n{text}"));
    text.replace_range(at..at + from.len(), to);
}

#[test]
fn broken_references_are_found() {
    let whole = manifests();
    assert_eq!(found(&whole), Vec::<&str>::new());
    for (file, from, to, rule) in [
        (
            "grafana/servicemonitor.yaml",
            "app.kubernetes.io/name: grafana\n",
            "app.kubernetes.io/name: grafanas\n",
            "monitor-selector",
        ),
        ("grafana/servicemonitor.yaml", "- mymonitoring", "- monitoring", "monitor-selector"),
        ("grafana/servicemonitor.yaml", "port: http-web", "port: web", "monitor-port"),
        ("kube-state-metrics/servicemonitor.yaml", "port: metrics", "port: telemetry", "monitor-port"),
        ("kubernetes-targets/kubelet.yaml", "port: https-metrics", "port: https", "monitor-port"),
        ("kubernetes-targets/apiserver.yaml", "provider: kubernetes", "provider: k8s", "monitor-selector"),
        ("node-exporter/service.yaml", "name: http-metrics", "name: metrics", "monitor-port"),
        (
            "prometheus/prometheus.yaml",
            "name: kube-prometheus-stack-alertmanager",
            "name: alertmanager",
            "prometheus-alertmanager",
        ),
        ("prometheus/prometheus.yaml", "port: http-web", "port: web", "prometheus-alertmanager"),
        (
            "prometheus/prometheus.yaml",
            "serviceMonitorSelector: {}",
            "serviceMonitorSelector: {matchLabels: {a: b}}",
            "monitor-unselected",
        ),
        (
            "prometheus/prometheus.yaml",
            "serviceMonitorNamespaceSelector: {}",
            "serviceMonitorNamespaceSelector: {matchLabels: {a: b}}",
            "monitor-unselected",
        ),
        (
            "alertmanager/alertmanager.yaml",
            "configSecret: alertmanager-",
            "configSecret: alert-manager-",
            "secret-missing",
        ),
        ("alertmanager/secret.yaml", "  alertmanager.yaml: |", "  config.yaml: |", "alertmanager-config-secret"),
        (
            "alertmanager/secret.yaml",
            "      receiver: \"null\"\n      repeat",
            "      receiver: nobody\n      repeat",
            "alertmanager-route",
        ),
        ("alertmanager/secret.yaml", "group_wait", "groupWait", "configuration-key"),
        ("alertmanager/service.yaml", "name: http-web", "name: web", "prometheus-alertmanager"),
        ("grafana/datasource-loki.yaml", "loki-stack.myloki:3100", "loki-stack:3100", "grafana-datasource-url"),
        ("grafana/datasource-loki.yaml", "loki-stack.myloki:3100", "loki-stack.myloki:3101", "grafana-datasource-url"),
        (
            "grafana/datasource-loki.yaml",
            "loki-stack.myloki:3100",
            "loki-stack.myloki.svc.cluster.local",
            "grafana-datasource-url",
        ),
        ("grafana/datasource-loki.yaml", "loki-stack.myloki:3100", "loki.myloki.svc:3100", "grafana-datasource-url"),
        ("grafana/datasource-loki.yaml", "isDefault: false", "isDefault: true", "grafana-default-datasource"),
        ("grafana/datasource-loki.yaml", "uid: loki", "uid: prometheus", "grafana-datasource-twice"),
        ("grafana/datasource-loki.yaml", "namespace: mymonitoring", "namespace: myloki", "grafana-unwatched"),
        (
            "loki/service.yaml",
            "port: 3100\n    protocol: TCP\n    targetPort: http-metrics\n  selector:\n    app.kubernetes.io/instance: loki-stack\n    app.kubernetes.io/name: loki\n  type",
            "port: 3200\n    protocol: TCP\n    targetPort: http-metrics\n  selector:\n    app.kubernetes.io/instance: loki-stack\n    app.kubernetes.io/name: loki\n  type",
            "grafana-datasource-url",
        ),
        ("loki/configmap.yaml", "volume_enabled", "volumes_enabled", "configuration-key"),
        ("loki/configmap.yaml", "retention_enabled: true", "retention_enabled: \"on\"", "configuration-value"),
        ("loki/log-rules.yaml", "[10m]", "[10 m]", "logql-syntax"),
        ("loki/log-rules.yaml", "{app=", "{application=", "logql-label"),
        ("loki/dashboards/logs.yaml", "[$__auto]", "", "logql-syntax"),
        ("loki/dashboards/logs.yaml", "{namespace=~", "{name_space=~", "logql-label"),
        ("promtail/configmap.yaml", "target_label: container", "target_label: container_name", "logql-label"),
        ("promtail/configmap.yaml", "loki-stack.myloki:3100", "loki.myloki:3100", "collector-url"),
        ("promtail/configmap.yaml", "source_labels", "source_label", "configuration-key"),
        ("grafana/configmap.yaml", "    [security]\n", "    [security\n", "file-syntax"),
        ("grafana/configmap.yaml", "    [security]\n", "    [securty]\n", "grafana-key"),
        ("grafana/configmap.yaml", "check_for_updates = false", "check_for_updates = never", "grafana-value"),
        ("grafana/configmap.yaml", "disableDeletion: false", "disableDeletion: sometimes", "configuration-value"),
    ] {
        let mut files = whole.clone();
        let text = &mut files.iter_mut().find(|(name, _)| name == file).unwrap().1;
        replace_last(text, from, to);
        let found = found(&files);
        assert!(found.contains(&rule), "{file}: {to}: {found:?}");
    }
}

#[test]
fn other_ways_to_say_the_same_pass() {
    let whole = manifests();
    for (file, from, to) in [
        ("grafana/datasource-loki.yaml", "loki-stack.myloki:3100", "loki-stack.myloki.svc:3100/"),
        ("grafana/datasource-loki.yaml", "loki-stack.myloki:3100", "loki-stack.myloki.svc.cluster.local.:3100"),
        ("grafana/datasource-loki.yaml", "loki-stack.myloki:3100", "loki-stack-0.loki-stack-headless.myloki.svc:3100"),
        ("grafana/datasource-loki.yaml", "http://loki-stack.myloki:3100", "https://logs.example.com"),
        ("grafana/datasource-loki.yaml", "http://loki-stack.myloki:3100", "http://10.0.0.7:3100"),
        ("grafana/datasource-loki.yaml", "access: proxy", "access: direct"),
        ("grafana/servicemonitor.yaml", "    matchNames:\n    - mymonitoring", "    any: true"),
        ("prometheus/prometheus.yaml", "name: kube-prometheus-stack-alertmanager", "name: alertmanager-operated"),
        ("prometheus/prometheus.yaml", "port: http-web", "port: 9093"),
        (
            "prometheus/prometheus.yaml",
            "serviceMonitorSelector: {}",
            "serviceMonitorSelector: {matchLabels: {release: kube-prometheus-stack}}",
        ),
        ("alertmanager/secret.yaml", "resolve_timeout: 5m", "resolve_timeout: \"5m\""),
    ] {
        let mut files = whole.clone();
        let text = &mut files.iter_mut().find(|(name, _)| name == file).unwrap().1;
        replace_last(text, from, to);
        assert_eq!(found(&files), Vec::<&str>::new(), "{file}: {to}");
    }
}

/// What Grafana would pass over.
#[test]
fn every_misspelt_key_of_grafana_is_found() {
    let whole = manifests();
    let mut misspelt = Vec::new();
    for (file, text) in whole.iter().filter(|(file, _)| file.starts_with("grafana/")) {
        let mut start = 0;
        let mut is_in_file = false;
        for line in text.split_inclusive('\n') {
            let at = start;
            start += line.len();
            if !line.starts_with("    ") {
                is_in_file = line.ends_with(".ini: |\n") || line.ends_with(".yaml: |\n");
                continue;
            }
            let trimmed = line.trim_start().trim_start_matches("- ");
            let end = trimmed.find([':', ' ']).filter(|_| is_in_file && !trimmed.starts_with('['));
            let Some(key) = end.map(|end| &trimmed[..end]).filter(|key| key.len() > 3 && *key != "apiVersion") else {
                continue;
            };
            let mut changed = text.clone();
            let key_at = at + line.len() - trimmed.len();
            changed.replace_range(key_at..key_at + key.len(), &format!("{}x{}", &key[..2], &key[3..]));
            misspelt.push((file, key, changed));
        }
    }
    assert!(misspelt.len() > 30, "{} keys", misspelt.len());
    misspelt.into_par_iter().for_each(|(file, key, changed)| {
        let mut files = whole.clone();
        files.iter_mut().find(|(name, _)| name == file).unwrap().1 = changed;
        let found = found(&files);
        assert!(found.contains(&"grafana-key"), "{file}: {key}: {found:?}");
    });
}

#[test]
fn labels_are_those_of_what_is_scraped() {
    let whole = manifests();
    for (expression, expected) in [
        ("node_cpu_seconds_total{mode='idle'}", None),
        ("node_cpu_seconds_total{rack='a'}", Some("query-label")),
        ("sum by (metrics_path) (kubelet_running_pods)", None),
        (
            "kube_pod_info * on (namespace, pod) group_left (owner_name) max by (namespace, pod, owner_name) (kube_pod_owner)",
            None,
        ),
        (
            "kube_pod_info * on (namespace, pod) group_left (phase) max by (namespace, pod) (kube_pod_owner)",
            Some("query-label"),
        ),
        ("kube_pod_info * on (namespace, pod) group_left (owner_name) kube_pod_owner", Some("query-duplicate")),
        ("up * on (instance) group_left (nodename) node_uname_info", None),
    ] {
        let rule = format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {{name: a, namespace: mymonitoring}}\nspec:\n  groups:\n  - name: a\n    rules:\n    - alert: A\n      expr: \"{expression}\"\n"
        );
        let mut files = whole.clone();
        files.push(("rule.yaml".to_owned(), rule));
        assert_eq!(found(&files), expected.into_iter().collect::<Vec<_>>(), "{expression}");
    }
}

/// Where lines may come with other labels, none is missed.
#[test]
fn labels_of_streams_may_come_from_elsewhere() {
    let mut broken = manifests();
    let change = |files: &mut Vec<(String, String)>, file: &str, from: &str, to: &str| {
        replace_last(&mut files.iter_mut().find(|(name, _)| name == file).unwrap().1, from, to);
    };
    change(&mut broken, "loki/log-rules.yaml", "{app=", "{application=");
    assert_eq!(found(&broken), ["logql-label"]);
    for (file, from, to) in [
        ("loki/service.yaml", "type: ClusterIP", "type: NodePort"),
        ("promtail/configmap.yaml", "target_label: pod\n", "target_label: $1\n"),
    ] {
        let mut files = broken.clone();
        change(&mut files, file, from, to);
        assert_eq!(found(&files), Vec::<&str>::new(), "{to}");
    }
}
