use super::monitored::{JOB_LABEL, Job, labelled, monitored};
use super::workload::Workload;
use super::{Identity, metrics_release, scrape_config, with};
use serde_json::{Map, Value, json};
use vigil_forms::url::Authority;
use vigil_stack::Stack;
use vigil_stack::model::{DroppedMetrics, KubernetesTargets, TargetAddresses};
use vigil_stack::units::{Expression, HostPort};

/// Where Kubernetes keeps its own parts.
const NAMESPACE: &str = "kube-system";

/// The API server, by the labels of its Service.
const API_SERVER: &str = "apiserver";

/// The kubelets, by the labels of the Service that the operator makes.
const KUBELET: &str = "kubelet";

/// Where the kubelets answer.
const KUBELET_PORT: u16 = 10250;

/// What the Prometheus object calls the way to log in by the token of its own ServiceAccount.
const BY_TOKEN: &str = "service-account";

/// A part of Kubernetes whose pods have no Service for their metrics: it gets one here, unless the stack knows its addresses.
struct Target {
    /// What alerts and dashboards know it by, and the end of its objects' names.
    name: &'static str,
    /// Whether the stack scrapes it.
    wanted: fn(&KubernetesTargets) -> bool,
    /// Where its metrics are.
    port: u16,
    /// Whether its pods are in the network of their nodes.
    on_nodes: bool,
    /// The label of its pods.
    pods: (&'static str, &'static str),
    /// By https, with the right to read metrics; by plain http, which asks for no rights.
    secure: bool,
    /// What the chart calls it.
    chart: &'static str,
    /// Its addresses, where it is no pod.
    addresses: fn(&KubernetesTargets) -> Option<&TargetAddresses>,
    /// What of it is not stored.
    dropped: fn(&DroppedMetrics) -> &[Expression],
}

impl Target {
    /// The metric relabelings of its monitor; nothing when there are none.
    fn drops(&self, settings: &KubernetesTargets) -> Option<Vec<Value>> {
        Some(scrape_config::drops((self.dropped)(&settings.drop))).filter(|drops| !drops.is_empty())
    }

    /// What the chart is told of it; nothing of what is off. A ScrapeConfig takes the place of what the chart would find the pods by.
    fn in_chart(&self, settings: &KubernetesTargets) -> Value {
        if !(self.wanted)(settings) {
            return Value::Null;
        }
        let at_addresses = (self.addresses)(settings).is_some();
        json!({ "atAddresses": at_addresses, "drops": self.drops(settings).filter(|_| !at_addresses) })
    }

    /// Its ports in the network of nodes, or at the addresses that the stack says.
    fn ports(&self, settings: &KubernetesTargets) -> Vec<u16> {
        let Some(TargetAddresses { targets, .. }) = (self.addresses)(settings) else {
            return self.on_nodes.then_some(self.port).into_iter().collect();
        };
        let port = |target: &HostPort| Authority::split(target.as_str()).port?.parse().ok();
        targets.iter().filter_map(port).collect()
    }

    /// The `spec` of its ScrapeConfig, where it is known by addresses.
    fn at_addresses(&self, settings: &KubernetesTargets) -> Option<Value> {
        let TargetAddresses { targets, tls } = (self.addresses)(settings)?;
        let mut spec = json!({ "jobName": self.name, "staticConfigs": [{ "targets": targets }] });
        if self.secure || tls.is_some() {
            spec["scheme"] = "https".into();
            // Without a word they sign their certificates themselves, anew at every start.
            let unsaid = || json!({ "insecureSkipVerify": true });
            spec["tlsConfig"] = tls.as_ref().map_or_else(unsaid, scrape_config::tls);
        }
        if self.secure && tls.as_ref().is_none_or(|tls| tls.cert.is_none()) {
            spec["scrapeClass"] = BY_TOKEN.into();
        }
        if let Some(drops) = self.drops(settings) {
            spec["metricRelabelings"] = drops.into();
        }
        Some(spec)
    }
}

const TARGETS: &[Target] = &[
    Target {
        name: "coredns",
        chart: "coreDns",
        wanted: |targets| targets.core_dns,
        port: 9153,
        on_nodes: false,
        pods: ("k8s-app", "kube-dns"),
        secure: false,
        addresses: |_| None,
        dropped: |drop| &drop.core_dns,
    },
    Target {
        name: "kube-controller-manager",
        chart: "kubeControllerManager",
        wanted: |targets| targets.controller_manager,
        port: 10257,
        on_nodes: true,
        pods: ("component", "kube-controller-manager"),
        secure: true,
        addresses: |targets| targets.addresses.controller_manager.as_ref(),
        dropped: |drop| &drop.controller_manager,
    },
    Target {
        name: "kube-etcd",
        chart: "kubeEtcd",
        wanted: |targets| targets.etcd,
        port: 2381,
        on_nodes: true,
        pods: ("component", "etcd"),
        secure: false,
        addresses: |targets| targets.addresses.etcd.as_ref(),
        dropped: |drop| &drop.etcd,
    },
    Target {
        name: "kube-proxy",
        chart: "kubeProxy",
        wanted: |targets| targets.kube_proxy,
        port: 10249,
        on_nodes: true,
        pods: ("k8s-app", "kube-proxy"),
        secure: false,
        addresses: |_| None,
        dropped: |drop| &drop.kube_proxy,
    },
    Target {
        name: "kube-scheduler",
        chart: "kubeScheduler",
        wanted: |targets| targets.scheduler,
        port: 10259,
        on_nodes: true,
        pods: ("component", "kube-scheduler"),
        secure: true,
        addresses: |targets| targets.addresses.scheduler.as_ref(),
        dropped: |drop| &drop.scheduler,
    },
];

/// Series to drop when they arrive: labels whose values, joined by `;`, match the expression.
type Dropped = (&'static [&'static str], &'static str);

/// Buckets of the API server's histograms that no alert or dashboard needs; each is a series per verb and resource.
const API_SERVER_DROPS: &[Dropped] = &[(
    &["__name__", "le"],
    r"(etcd_request|apiserver_request_slo|apiserver_request_sli|apiserver_request)_duration_seconds_bucket;(0\.15|0\.2|0\.3|0\.35|0\.4|0\.45|0\.6|0\.7|0\.8|0\.9|1\.25|1\.5|1\.75|2|3|3\.5|4|4\.5|6|7|8|9|15|20|40|45|50)(\.0)?",
)];

/// The same of the kubelets' histograms.
const KUBELET_DROPS: &[Dropped] = &[(
    &["__name__", "le"],
    r"(csi_operations|storage_operation_duration)_seconds_bucket;(0.25|2.5|15|25|120|600)(\.0)?",
)];

/// What cAdvisor tells of every container and nobody asks.
const CADVISOR_DROPS: &[Dropped] = &[
    (
        &["__name__"],
        "container_cpu_(cfs_throttled_seconds_total|load_average_10s|system_seconds_total|user_seconds_total)",
    ),
    (
        &["__name__"],
        "container_fs_(io_current|io_time_seconds_total|io_time_weighted_seconds_total|reads_merged_total|sector_reads_total|sector_writes_total|writes_merged_total)",
    ),
    (&["__name__"], "container_memory_(mapped_file|swap)"),
    (&["__name__"], "container_(file_descriptors|tasks_state|threads_max)"),
    // What the group above it counts too.
    (&["__name__", "scope"], "container_memory_failures_total;hierarchy"),
    // The ends of pods' cables on the node, which come and go with them.
    (&["__name__", "interface"], "container_network_.*;(cali|cilium|cni|lxc|nodelocaldns|tunl).*"),
    (&["__name__"], "container_spec.*"),
    // Control groups of the node that belong to no pod.
    (&["id", "pod"], ".+;"),
];

pub(super) fn workloads(_: &Stack) -> Vec<Workload> {
    Vec::new()
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    let settings = &stack.kubernetes_targets;
    let scraped = stack.prometheus.enabled;
    let own = TARGETS.iter().map(|target| {
        Job::of(target.name, target.name, scraped && (target.wanted)(settings)).at_nodes(target.ports(settings))
    });
    let apart = [
        Job::of(API_SERVER, API_SERVER, scraped && settings.api_server),
        Job::of(KUBELET, KUBELET, scraped && settings.kubelet).at_nodes([KUBELET_PORT]),
    ];
    own.chain(apart).collect()
}

pub(super) fn facts(stack: &Stack) -> Value {
    let settings = &stack.kubernetes_targets;
    let wanted = || TARGETS.iter().filter(|target| (target.wanted)(settings));
    let by_pods = wanted().filter(|target| (target.addresses)(settings).is_none());
    let by_pods: Vec<_> = by_pods.map(|target| found_by_pods(stack, target)).collect();
    let scrape_configs: Vec<_> = wanted().filter_map(|target| scrape_config(stack, target)).collect();
    let with_token = scrape_configs.iter().any(|config| config["spec"]["scrapeClass"] == BY_TOKEN);
    let in_chart = |target: &Target| (target.chart.to_owned(), target.in_chart(settings));
    let charts: Map<_, _> = TARGETS.iter().map(in_chart).collect();
    let DroppedMetrics { kubelet, cadvisor, api_server, .. } = &settings.drop;
    json!({
        // For what else depends on a target: rules, dashboards, the operator, Helm's values.
        "kubelet": settings.kubelet,
        "apiServer": settings.api_server,
        "coreDns": settings.core_dns,
        "controllerManager": settings.controller_manager,
        "scheduler": settings.scheduler,
        "etcd": settings.etcd,
        "kubeProxy": settings.kube_proxy,
        "targets": by_pods,
        "scrapeConfigs": scrape_configs,
        "scrapeClass": with_token.then_some(BY_TOKEN),
        "charts": charts,
        "apiServerMonitor": monitor(stack, API_SERVER, json!({
            "drops": drops(API_SERVER_DROPS, &[api_server]),
            // The chart drops the same unless it is told more.
            "dropsMore": !api_server.is_empty(),
        })),
        // The operator makes the Service, under the same name, and keeps its endpoints: the nodes.
        "kubeletMonitor": monitor(stack, KUBELET, json!({
            "serviceNamespace": NAMESPACE,
            "insecureTls": settings.kubelet_insecure_tls,
            "drops": drops(KUBELET_DROPS, &[kubelet]),
            "cadvisorDrops": drops(CADVISOR_DROPS, &[kubelet, cadvisor]),
            "probesDrops": drops(&[], &[kubelet]),
            "dropsMore": !kubelet.is_empty() || !cadvisor.is_empty(),
        })),
    })
}

fn labels(stack: &Stack, name: &str) -> Map<String, Value> {
    monitored(stack, Identity { name, instance: metrics_release(stack), component: "kubernetes", image: None }.facts())
}

/// The facts of what is scraped under a name: labels, the name of its objects, their namespace.
fn monitor(stack: &Stack, name: &str, own: Value) -> Value {
    let mut facts = labels(stack, name);
    facts.insert("name".to_owned(), format!("{}-{name}", metrics_release(stack)).into());
    facts.insert("namespace".to_owned(), stack.namespaces.monitoring.as_str().into());
    with(facts, own)
}

/// A target that gets a Service and a ServiceMonitor.
fn found_by_pods(stack: &Stack, target: &Target) -> Value {
    let own = json!({
        "serviceNamespace": NAMESPACE,
        "serviceLabels": labelled(&labels(stack, target.name), JOB_LABEL, target.name),
        "jobLabel": JOB_LABEL,
        "port": target.port,
        "podLabels": { target.pods.0: target.pods.1 },
        "secure": target.secure,
        "drops": target.drops(&stack.kubernetes_targets),
    });
    monitor(stack, target.name, own)
}

/// A target whose addresses the stack knows.
fn scrape_config(stack: &Stack, target: &Target) -> Option<Value> {
    let spec = target.at_addresses(&stack.kubernetes_targets)?;
    let labels = labels(stack, target.name)["monitorLabels"].clone();
    Some(monitor(stack, target.name, json!({ "labels": labels, "spec": spec })))
}

/// The metric relabelings that drop what matches: what nobody needs, and what the stack says.
fn drops(unneeded: &[Dropped], named: &[&[Expression]]) -> Vec<Value> {
    let unneeded =
        unneeded.iter().map(|(labels, regex)| json!({ "action": "drop", "regex": regex, "sourceLabels": labels }));
    unneeded.chain(named.iter().flat_map(|names| scrape_config::drops(names))).collect()
}
