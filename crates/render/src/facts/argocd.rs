use super::monitored::Job;
use super::workload::Workload;
use super::{Identity, LOGS_RELEASE, METRICS_RELEASE, logs_release, metrics_release, named, with};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use vigil_stack::Stack;
use vigil_stack::model::{Install, Part as _};
use vigil_stack::units::{DnsLabel, GitUrl};

/// Where metrics-server and what watches the control plane live.
const SYSTEM: &str = "kube-system";

/// A Helm chart, at the version that its values file is written for.
struct Chart {
    repository: &'static str,
    /// The chart, the release and the values file.
    name: &'static str,
    version: &'static str,
}

const METRICS: Chart = Chart {
    repository: "https://prometheus-community.github.io/helm-charts",
    name: METRICS_RELEASE,
    version: "80.10.0",
};

const LOGS: Chart =
    Chart { repository: "https://grafana.github.io/helm-charts", name: LOGS_RELEASE, version: "2.10.3" };

const METRICS_SERVER: Chart = Chart {
    repository: "https://kubernetes-sigs.github.io/metrics-server/",
    name: "metrics-server",
    version: "3.13.0",
};

pub(super) fn workloads(_: &Stack) -> Vec<Workload> {
    Vec::new()
}

pub(super) fn jobs(_: &Stack) -> Vec<Job> {
    Vec::new()
}

pub(super) fn facts(stack: &Stack) -> Value {
    let argocd = &stack.argocd;
    let identity =
        Identity { name: "argocd-application", instance: argocd.project.as_str(), component: "delivery", image: None };
    let monitoring = stack.namespaces.monitoring.as_str();
    let logging = stack.namespaces.logging.as_str();
    let metrics = stack.prometheus.enabled || stack.grafana.enabled;
    let flask = stack.flask.enabled.then(|| stack.flask.namespace.as_str());
    let collects = stack.alloy.enabled || stack.promtail.enabled;
    let chosen = charts(stack);
    let applications: Vec<_> = chosen.iter().map(|release| release.facts(stack)).collect();

    let namespaces: BTreeSet<&str> = [
        metrics.then_some(monitoring),
        (stack.loki.enabled || collects).then_some(logging),
        stack.namespaces.agents.as_ref().map(DnsLabel::as_str),
        (stack.metrics_server.enabled || metrics).then_some(SYSTEM),
        flask,
    ]
    .into_iter()
    .flatten()
    .collect();
    // A rule asks for the repository.
    let repository = argocd.repository.as_ref().map_or("", GitUrl::as_str);
    let mut repositories = vec![repository];
    repositories.extend(chosen.iter().map(|release| release.chart.repository));
    let own = json!({
        "namespace": argocd.namespace,
        "project": argocd.project,
        "repository": repository,
        "repositories": repositories,
        "revision": argocd.revision,
        "server": argocd.destination.server,
        "namespaces": namespaces,
        "applications": applications,
        "folders": folders(stack),
        "automated": argocd.automated,
    });
    with(identity.facts(), own)
}

/// A chart that Argo CD installs instead of our objects.
struct Release<'a> {
    chart: Chart,
    namespace: &'a str,
    /// The pod-security level that the namespace needs.
    level: Option<&'static str>,
}

impl Release<'_> {
    /// What Argo CD and Helm call it.
    fn name(&self, stack: &Stack) -> String {
        match self.chart.name {
            METRICS_RELEASE => metrics_release(stack).to_owned(),
            LOGS_RELEASE => logs_release(stack),
            other => other.to_owned(),
        }
    }

    fn facts(&self, stack: &Stack) -> Value {
        let Self { chart, namespace, level } = self;
        json!({
            "name": self.name(stack),
            "namespace": namespace,
            "level": level,
            "chart": { "repository": chart.repository, "name": chart.name, "version": chart.version },
            "valuesFile": format!("$values/{}/values/{}.yaml", stack.argocd.path, chart.name),
            // The chart makes a new password at every rendering; Argo CD would roll Grafana for ever.
            "grafanaSecret": (chart.name == METRICS_RELEASE && stack.grafana.enabled)
                .then(|| format!("{}-grafana", metrics_release(stack))),
        })
    }
}

/// The charts that the stack chose.
fn charts(stack: &Stack) -> Vec<Release<'_>> {
    if stack.argocd.install != Install::Charts {
        return Vec::new();
    }
    let (monitoring, logging) = (stack.namespaces.monitoring.as_str(), stack.namespaces.logging.as_str());
    let metrics = stack.prometheus.enabled || stack.grafana.enabled;
    let collects = stack.alloy.enabled || stack.promtail.enabled;
    let logs = if collects { "privileged" } else { "restricted" };
    [
        (METRICS_SERVER, stack.metrics_server.enabled, SYSTEM, None),
        (METRICS, metrics, monitoring, Some("privileged")),
        (LOGS, stack.loki.enabled, logging, Some(logs)),
    ]
    .into_iter()
    .filter(|(_, enabled, ..)| *enabled)
    .map(|(chart, _, namespace, level)| Release { chart, namespace, level })
    .collect()
}

/// Everything, or, beside the charts, what none of them holds.
fn folders(stack: &Stack) -> Vec<Value> {
    let path = &stack.argocd.path;
    let folder =
        |name: &str, namespace: &str, path: String| json!({ "name": name, "namespace": namespace, "path": path });
    let own = |name: &str, namespace: &str| folder(&named(stack, name), namespace, format!("{path}/{name}"));
    if stack.argocd.install != Install::Charts {
        return vec![folder(stack.argocd.project.as_str(), stack.namespaces.monitoring.as_str(), path.to_string())];
    }
    let monitoring = &stack.namespaces.monitoring;
    let beside = [
        ("alloy", stack.alloy.enabled, stack.namespaces.log_agents()),
        ("flask", stack.flask.enabled, &stack.flask.namespace),
        ("thanos", stack.thanos.is_in(stack), monitoring),
        ("thanos-receive", stack.thanos_receive.is_in(stack), monitoring),
        ("thanos-ruler", stack.thanos_ruler.is_in(stack), monitoring),
    ];
    let beside = beside.into_iter().filter(|(_, is_in, _)| *is_in);
    beside.map(|(name, _, namespace)| own(name, namespace.as_str())).collect()
}
