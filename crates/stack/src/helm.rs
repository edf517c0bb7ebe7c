//! Values of the Helm charts, pasted into a stack: what each key is called here, or why there is none.

use vigil_yaml::{Data, Node, Quoted};

/// What messages say of such a key.
pub(crate) const LABEL: &str = "a key of the Helm charts";

/// What becomes of a key of a chart.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Here {
    /// This key has the same value.
    Key(&'static str),
    /// This key has the only item of the list.
    First(&'static str),
    /// There is another way to say it.
    Words(&'static str),
}

use Here::{First, Key, Words};

const SECRET: &str = "no password stands in a stack: create a Secret with the keys `admin-user` and `admin-password`, and name it at \
                      `grafana.adminSecret.existing`; without one a password is made in the cluster, once";
const OWN_ACCOUNT: &str = "each program has a ServiceAccount of its own; annotations of it are `serviceAccount.annotations` below the \
                           `pods` of the component";
const RECEIVERS: &str = "Alertmanager's configuration is typed here: `alertmanager.receivers` and `alertmanager.route`";
const NAMES: &str = "names are those of a release that is called like its chart";
const FILES: &str = "rules stand in a file beside the stack: `alerts.rules: [{ name: shop, file: shop.yaml }]`";
const EVERY: &str = "which monitors are taken is one choice for all kinds: `prometheus.selection`";
const PATCH: &str = "there is no key for it; `patches:` changes the object";

/// Keys of kube-prometheus-stack with its sub-charts, of loki-stack and of metrics-server, by their paths as they stand in a
/// values file, and in a section of the stack that has the same name.
#[rustfmt::skip]
const KEYS: &[(&str, Here)] = &[
    ("prometheus.prometheusSpec.retention", Key("prometheus.retention")),
    ("prometheus.prometheusSpec.retentionSize", Key("prometheus.retentionSize")),
    ("prometheus.prometheusSpec.replicas", Key("prometheus.replicas")),
    ("prometheus.prometheusSpec.shards", Key("prometheus.shards")),
    ("prometheus.prometheusSpec.scrapeInterval", Key("prometheus.scrapeInterval")),
    ("prometheus.prometheusSpec.externalUrl", Key("prometheus.externalUrl")),
    ("prometheus.prometheusSpec.externalLabels", Key("prometheus.externalLabels")),
    ("prometheus.prometheusSpec.remoteWrite", Key("prometheus.remoteWrite")),
    ("prometheus.prometheusSpec.remoteRead", Key("prometheus.remoteRead")),
    ("prometheus.prometheusSpec.exemplars", Words("`prometheus.exemplars` with `enabled: true` and a `maxSize`")),
    ("prometheus.prometheusSpec.enableFeatures", Words("features follow from what they are for: `prometheus.exemplars`, `prometheus.nativeHistograms`")),
    ("prometheus.prometheusSpec.additionalAlertManagerConfigs", Words("one with a static target is an item of `prometheus.alertmanagers`")),
    ("prometheus.prometheusSpec.additionalScrapeConfigs", Words("a job with static targets is one of `prometheus.scrapeConfigs`")),
    ("prometheus.prometheusSpec.resources", Key("prometheus.pods.resources")),
    ("prometheus.prometheusSpec.nodeSelector", Key("prometheus.pods.nodeSelector")),
    ("prometheus.prometheusSpec.tolerations", Key("prometheus.pods.tolerations")),
    ("prometheus.prometheusSpec.affinity", Key("prometheus.pods.affinity")),
    ("prometheus.prometheusSpec.priorityClassName", Key("prometheus.pods.priorityClassName")),
    ("prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec.resources.requests.storage", Key("prometheus.persistence.size")),
    ("prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec.storageClassName", Key("prometheus.persistence.storageClassName")),
    ("prometheus.prometheusSpec.storageSpec", Words("`prometheus.persistence` with `enabled: true` and a `size`")),
    ("prometheus.prometheusSpec.serviceMonitorSelectorNilUsesHelmValues", Words(EVERY)),
    ("prometheus.prometheusSpec.podMonitorSelectorNilUsesHelmValues", Words(EVERY)),
    ("prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues", Words(EVERY)),
    ("prometheus.prometheusSpec.probeSelectorNilUsesHelmValues", Words(EVERY)),
    ("prometheus.prometheusSpec.scrapeConfigSelectorNilUsesHelmValues", Words(EVERY)),
    ("prometheus.prometheusSpec.image", Words("`prometheus.image` is one text: `quay.io/prometheus/prometheus:v3.8.0`")),
    ("prometheus.prometheusSpec", Words("what stands below `prometheusSpec` stands below `prometheus` here, where there is a key for it")),
    ("prometheus.ingress.ingressClassName", Key("prometheus.ingress.className")),
    ("prometheus.ingress.hosts", First("prometheus.ingress.host")),
    ("prometheus.ingress.paths", Words("the path is that of `prometheus.externalUrl`")),
    ("prometheus.serviceAccount.annotations", Key("prometheus.pods.serviceAccount.annotations")),
    ("prometheus.serviceAccount", Words(OWN_ACCOUNT)),
    ("prometheus.additionalServiceMonitors", Words("a ServiceMonitor lies with its application; any is found unless `prometheus.selection` says otherwise")),
    ("prometheusOperator.enabled", Key("prometheus-operator.enabled")),
    ("prometheusOperator.resources", Key("prometheus-operator.pods.resources")),
    ("prometheusOperator.admissionWebhooks", Words("`prometheus-operator.admissionWebhooks` is `off`, `job` or `cert-manager`")),
    ("prometheusOperator.prometheusConfigReloader.resources", Key("prometheus-operator.reloaderResources")),
    ("prometheusOperator", Words("the operator is `prometheus-operator` here")),
    ("alertmanager.alertmanagerSpec.replicas", Key("alertmanager.replicas")),
    ("alertmanager.alertmanagerSpec.retention", Key("alertmanager.retention")),
    ("alertmanager.alertmanagerSpec.externalUrl", Key("alertmanager.externalUrl")),
    ("alertmanager.alertmanagerSpec.resources", Key("alertmanager.pods.resources")),
    ("alertmanager.alertmanagerSpec.storage.volumeClaimTemplate.spec.resources.requests.storage", Key("alertmanager.persistence.size")),
    ("alertmanager.alertmanagerSpec.storage.volumeClaimTemplate.spec.storageClassName", Key("alertmanager.persistence.storageClassName")),
    ("alertmanager.alertmanagerSpec.storage", Words("`alertmanager.persistence` with `enabled: true` and a `size`")),
    ("alertmanager.alertmanagerSpec", Words("what stands below `alertmanagerSpec` stands below `alertmanager` here, where there is a key for it")),
    ("alertmanager.config", Words(RECEIVERS)),
    ("alertmanager.ingress.ingressClassName", Key("alertmanager.ingress.className")),
    ("alertmanager.ingress.hosts", First("alertmanager.ingress.host")),
    ("alertmanager.serviceAccount.annotations", Key("alertmanager.pods.serviceAccount.annotations")),
    ("alertmanager.serviceAccount", Words(OWN_ACCOUNT)),
    ("grafana.adminPassword", Words(SECRET)),
    ("grafana.adminUser", Words(SECRET)),
    ("grafana.admin.existingSecret", Key("grafana.adminSecret.existing")),
    ("grafana.admin", Words(SECRET)),
    ("grafana.ingress.ingressClassName", Key("grafana.ingress.className")),
    ("grafana.ingress.hosts", First("grafana.ingress.host")),
    ("grafana.persistence.existingClaim", Words("the stack makes the claim, `kube-prometheus-stack-grafana`")),
    ("grafana.persistence.accessModes", Words("one pod writes to the volume: `ReadWriteOnce`")),
    ("grafana.persistence.type", Words("the volume is a claim: leave it out")),
    ("grafana.autoscaling.minReplicas", Key("grafana.autoscaling.minReplicas")),
    ("grafana.autoscaling.maxReplicas", Key("grafana.autoscaling.maxReplicas")),
    ("grafana.autoscaling.targetCPU", Key("grafana.autoscaling.targetCpu")),
    ("grafana.autoscaling", Words("`grafana.autoscaling` with `maxReplicas` is enough to have it; Grafana needs a database then")),
    ("grafana.resources", Key("grafana.pods.resources")),
    ("grafana.nodeSelector", Key("grafana.pods.nodeSelector")),
    ("grafana.tolerations", Key("grafana.pods.tolerations")),
    ("grafana.defaultDashboardsEnabled", Key("grafana.bundledDashboards")),
    ("grafana.dashboardsConfigMaps", Words("ConfigMaps with the label `grafana_dashboard: \"1\"` are loaded from every namespace")),
    ("grafana.dashboardProviders", Words("`grafana.dashboards` names dashboards; the provider follows")),
    ("grafana.sidecar", Words("the side-cars are always there: `grafana.sidecarImage`, `grafana.sidecarSecrets`")),
    ("grafana.plugins", Words("each with its version, as `grafana.plugins` of the stack: `name@1.2.3`")),
    ("grafana.affinity", Key("grafana.pods.affinity")),
    ("grafana.serviceAccount.annotations", Key("grafana.pods.serviceAccount.annotations")),
    ("grafana.serviceAccount", Words(OWN_ACCOUNT)),
    ("grafana.grafana.ini", Key("grafana.config")),
    ("kubeEtcd.enabled", Key("kubernetes-targets.etcd")),
    ("kubeControllerManager.enabled", Key("kubernetes-targets.controllerManager")),
    ("kubeScheduler.enabled", Key("kubernetes-targets.scheduler")),
    ("kubeProxy.enabled", Key("kubernetes-targets.kubeProxy")),
    ("kubeApiServer.enabled", Key("kubernetes-targets.apiServer")),
    ("kubelet.enabled", Key("kubernetes-targets.kubelet")),
    ("coreDns.enabled", Key("kubernetes-targets.coreDns")),
    ("kubeEtcd.endpoints", Words("addresses stand with their ports: `kubernetes-targets.addresses.etcd.targets`")),
    ("kubeControllerManager.endpoints", Words("addresses stand with their ports: `kubernetes-targets.addresses.controllerManager.targets`")),
    ("kubeScheduler.endpoints", Words("addresses stand with their ports: `kubernetes-targets.addresses.scheduler.targets`")),
    ("kubeEtcd", Words("what of Kubernetes is scraped is `kubernetes-targets`")),
    ("kubeControllerManager", Words("what of Kubernetes is scraped is `kubernetes-targets`")),
    ("kubeScheduler", Words("what of Kubernetes is scraped is `kubernetes-targets`")),
    ("kubeProxy", Words("what of Kubernetes is scraped is `kubernetes-targets`")),
    ("kubeApiServer", Words("what of Kubernetes is scraped is `kubernetes-targets`")),
    ("kubelet", Words("what of Kubernetes is scraped is `kubernetes-targets`")),
    ("coreDns", Words("what of Kubernetes is scraped is `kubernetes-targets`")),
    ("kube-state-metrics.metricLabelsAllowlist", Words("lists by resource are `kube-state-metrics.metricLabelsAllowlist: { pods: [team] }`")),
    ("kube-state-metrics.metricAnnotationsAllowList", Words("lists by resource are `kube-state-metrics.metricAnnotationsAllowlist: { pods: [team] }`")),
    ("kubeStateMetrics.enabled", Key("kube-state-metrics.enabled")),
    ("kubeStateMetrics", Words("it is `kube-state-metrics` here")),
    ("nodeExporter.enabled", Key("node-exporter.enabled")),
    ("nodeExporter", Words("it is `node-exporter` here")),
    ("prometheus-node-exporter.service.port", Key("node-exporter.port")),
    ("prometheus-node-exporter.extraArgs", Words("collectors are `node-exporter.collectors`, by their names")),
    ("prometheus-node-exporter", Words("it is `node-exporter` here")),
    ("defaultRules.create", Key("alerts.enabled")),
    ("defaultRules", Words("alerts are `alerts` here: `off` leaves some out, `severity` and `thresholds` change them")),
    ("additionalPrometheusRules", Words(FILES)),
    ("additionalPrometheusRulesMap", Words(FILES)),
    ("commonLabels", Key("labels")),
    ("global.imageRegistry", Key("imageRegistry")),
    ("global.imagePullSecrets", Words("`pods.imagePullSecrets` is a list of names")),
    ("global", Words("what holds for all parts stands at the top: `imageRegistry`, `pods`, `labels`")),
    ("fullnameOverride", Words(NAMES)),
    ("nameOverride", Words(NAMES)),
    ("namespaceOverride", Key("namespaces.monitoring")),
    ("kubeTargetVersionOverride", Key("kubernetes")),
    ("crds", Words("the definitions are always there, in `manifests/crds`")),
    ("loki.persistence.accessModes", Words("one pod writes to the volume: `ReadWriteOnce`")),
    ("loki.resources", Key("loki.pods.resources")),
    ("loki.nodeSelector", Key("loki.pods.nodeSelector")),
    ("loki.tolerations", Key("loki.pods.tolerations")),
    ("loki.config.limits_config.retention_period", Key("loki.retention")),
    ("loki.config.table_manager.retention_period", Key("loki.retention")),
    ("loki.config", Words("Loki's configuration follows from `loki.retention`, `loki.logLevel` and what the container may use")),
    ("loki.isDefault", Words("Prometheus is Grafana's default data source: with two of them Grafana does not start")),
    ("loki.affinity", Key("loki.pods.affinity")),
    ("loki.serviceAccount.annotations", Key("loki.pods.serviceAccount.annotations")),
    ("loki.serviceAccount", Words(OWN_ACCOUNT)),
    ("loki.serviceMonitor.enabled", Key("loki.monitored")),
    ("loki.serviceMonitor", Words("`loki.monitored` is `true` unless you say otherwise")),
    ("promtail.config", Words("Promtail's configuration follows from `promtail.logLevel` and `promtail.containerRuntime`")),
    ("promtail.resources", Key("promtail.pods.resources")),
    ("promtail.tolerations", Key("promtail.pods.tolerations")),
    ("promtail.serviceMonitor.enabled", Key("promtail.monitored")),
    ("metrics-server.args", Words("its flags are `metrics-server.kubeletInsecureTls`, `.addressTypes` and `.resolution`")),
    ("metrics-server.defaultArgs", Words("its flags are `metrics-server.kubeletInsecureTls`, `.addressTypes` and `.resolution`")),
    ("metrics-server.resources", Key("metrics-server.pods.resources")),
    ("args", Words("of metrics-server? its flags are `metrics-server.kubeletInsecureTls`, `.addressTypes` and `.resolution`")),
    ("defaultArgs", Words("of metrics-server? its flags are `metrics-server.kubeletInsecureTls`, `.addressTypes` and `.resolution`")),
    ("hostNetwork", Words(PATCH)),
    ("apiService", Words("metrics-server's APIService is made in any case")),
    ("metrics-server.hostNetwork.enabled", Key("metrics-server.hostNetwork")),
    ("metrics-server.serviceMonitor.enabled", Key("metrics-server.monitored")),
];

/// Keys that charts have for any of their parts.
const ANYWHERE: &[(&str, Here)] = &[
    ("affinity", Words("it is `affinity` below the `pods` of the component")),
    ("serviceAccount", Words(OWN_ACCOUNT)),
    ("podAnnotations", Words(PATCH)),
    ("extraEnv", Words(PATCH)),
    ("env", Words(PATCH)),
    ("securityContext", Words(PATCH)),
    ("extraArgs", Words(PATCH)),
    ("ingressClassName", Words("it is `className` here")),
    ("accessModes", Words("one pod writes to the volume: `ReadWriteOnce`")),
];

/// What a key of a chart is here, by its path.
pub(crate) fn row(path: &str) -> Option<Here> {
    KEYS.iter().find(|(theirs, _)| *theirs == path).map(|(_, here)| *here)
}

/// Why a key of a chart is not here, or how else it is said: in the words for itself, or for the nearest section above it.
pub(crate) fn why(path: &str, value: &Node) -> Option<String> {
    let last = path.rsplit('.').next().unwrap_or_default();
    let anywhere = || ANYWHERE.iter().find(|(key, _)| *key == last).map(|(_, here)| *here);
    let above = || path.match_indices('.').rev().find_map(|(end, _)| row(&path[..end]));
    let here = row(path).or_else(anywhere).or_else(above).filter(|here| matches!(here, Words(_)))?;
    Some(said(here, value))
}

/// What a key that the stack does not know is in it, if it is one of the charts': the words for a help.
pub(crate) fn counterpart(path: &str, value: &Node) -> Option<String> {
    let below = |theirs: &'static str| theirs.strip_prefix(path)?.strip_prefix('.');
    // Rows of what the text says below the key, each with its value there.
    let found: Vec<_> = KEYS
        .iter()
        .filter_map(|(theirs, here)| {
            let keys: Vec<_> = below(theirs)?.split('.').collect();
            Some((*theirs, *here, value.at(&keys)?))
        })
        .collect();
    let is_key = |here: Here| !matches!(here, Words(_));
    let mut told: Vec<String> = Vec::new();
    for (theirs, here, value) in &found {
        let nearer = found
            .iter()
            .any(|(other, here, _)| is_key(*here) && other.len() > theirs.len() && other.starts_with(theirs));
        let text = said(*here, value);
        if (is_key(*here) || !nearer) && !told.contains(&text) {
            told.push(text);
        }
    }
    if told.is_empty() {
        let last = path.rsplit('.').next().unwrap_or_default();
        let anywhere = || ANYWHERE.iter().find(|(key, _)| *key == last).map(|(_, here)| *here);
        return row(path).or_else(anywhere).map(|here| said(here, value));
    }
    let known = |key: &str| {
        found.iter().any(|(theirs, ..)| below(theirs).is_some_and(|rest| rest.split('.').next() == Some(key)))
    };
    let unknown: Vec<_> =
        value.entries().iter().map(|entry| entry.key.text.as_str()).filter(|key| !known(key)).collect();
    if !unknown.is_empty() {
        told.push(format!("there is no key for {}", Quoted(&unknown.join("`, `"))));
    }
    Some(told.join("; "))
}

/// How what stood elsewhere is said here.
fn said(here: Here, value: &Node) -> String {
    let (ours, value) = match (here, value.items()) {
        (Words(text), _) => return text.to_owned(),
        (First(ours), [only]) => (ours, only),
        (First(ours), _) => return format!("one of them, as `{ours}`"),
        (Key(ours), _) => (ours, value),
    };
    match &value.data {
        Data::Scalar(scalar) if scalar.text.len() < 80 => {
            let quote = if scalar.plain { "" } else { "\"" };
            format!("write {}", Quoted(&format!("{ours}: {quote}{}{quote}", scalar.text)))
        }
        _ => format!("write it below `{ours}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stack;
    use vigil_yaml::{Limits, Source, read_one};

    /// A key that is named for another one is a key.
    #[test]
    fn what_is_named_is_there() {
        for (theirs, here) in KEYS {
            let (Key(ours) | First(ours)) = here else { continue };
            let lines = ours.split('.').enumerate().map(|(depth, key)| "  ".repeat(depth) + key + ":\n");
            let text: String = lines.collect();
            let problems = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
            let unknown = problems.iter().find(|problem| problem.message.contains("unknown key"));
            assert_eq!(unknown.map(|problem| &problem.message), None, "{theirs}: {ours}");
        }
    }

    #[test]
    fn values_are_moved() {
        let told = |path: &str, text: &str| {
            let node = read_one(&Source::new("t", text), &Limits::default()).unwrap().unwrap();
            counterpart(path, &node)
        };
        assert_eq!(told("kubeEtcd", "enabled: false").as_deref(), Some("write `kubernetes-targets.etcd: false`"));
        assert_eq!(
            told("kubeEtcd", "enabled: false\nendpoints: [10.0.0.1]").as_deref(),
            Some(
                "write `kubernetes-targets.etcd: false`; addresses stand with their ports: \
                 `kubernetes-targets.addresses.etcd.targets`"
            )
        );
        assert_eq!(
            told("grafana.ingress.hosts", "[grafana.example.com]").as_deref(),
            Some("write `grafana.ingress.host: grafana.example.com`")
        );
        assert_eq!(
            told("promtail.affinity", "{}").as_deref(),
            Some("it is `affinity` below the `pods` of the component")
        );
        assert_eq!(told("grafana.nonsense", "{}"), None);
    }
}
