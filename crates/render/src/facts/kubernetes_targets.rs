use super::monitored::{JOB_LABEL, Job, labelled, monitored};
use super::workload::Workload;
use super::{Identity, METRICS_RELEASE, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::KubernetesTargets;

/// Where Kubernetes keeps its own parts.
const NAMESPACE: &str = "kube-system";

/// The API server, by the labels of its Service.
const API_SERVER: &str = "apiserver";

/// The kubelets, by the labels of the Service that the operator makes.
const KUBELET: &str = "kubelet";

/// A part of Kubernetes whose pods have no Service for their metrics: it gets one here.
struct Target {
    /// What alerts and dashboards know it by, and the end of its objects' names.
    name: &'static str,
    /// Whether the stack scrapes it.
    wanted: fn(&KubernetesTargets) -> bool,
    /// Where its metrics are.
    port: u16,
    /// The label of its pods.
    pods: (&'static str, &'static str),
    /// By https, with the right to read metrics; by plain http, which asks for no rights.
    secure: bool,
}

const TARGETS: &[Target] = &[
    Target {
        name: "coredns",
        wanted: |targets| targets.core_dns,
        port: 9153,
        pods: ("k8s-app", "kube-dns"),
        secure: false,
    },
    Target {
        name: "kube-controller-manager",
        wanted: |targets| targets.controller_manager,
        port: 10257,
        pods: ("component", "kube-controller-manager"),
        secure: true,
    },
    Target {
        name: "kube-etcd",
        wanted: |targets| targets.etcd,
        port: 2381,
        pods: ("component", "etcd"),
        secure: false,
    },
    Target {
        name: "kube-proxy",
        wanted: |targets| targets.kube_proxy,
        port: 10249,
        pods: ("k8s-app", "kube-proxy"),
        secure: false,
    },
    Target {
        name: "kube-scheduler",
        wanted: |targets| targets.scheduler,
        port: 10259,
        pods: ("component", "kube-scheduler"),
        secure: true,
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
    let own = TARGETS.iter().map(|target| Job::of(target.name, target.name, scraped && (target.wanted)(settings)));
    let apart = [
        Job::of(API_SERVER, API_SERVER, scraped && settings.api_server),
        Job::of(KUBELET, KUBELET, scraped && settings.kubelet),
    ];
    own.chain(apart).collect()
}

pub(super) fn facts(stack: &Stack) -> Value {
    let settings = &stack.kubernetes_targets;
    let identity = |name| Identity { name, instance: METRICS_RELEASE, component: "kubernetes", image: None };
    let labels = |name| monitored(identity(name).facts());
    let monitor = |name, own| {
        let mut facts = labels(name);
        facts.insert("name".to_owned(), format!("{METRICS_RELEASE}-{name}").into());
        facts.insert("namespace".to_owned(), stack.namespaces.monitoring.as_str().into());
        with(facts, own)
    };
    let target = |target: &Target| {
        let own = json!({
            "serviceNamespace": NAMESPACE,
            "serviceLabels": labelled(&labels(target.name), JOB_LABEL, target.name),
            "jobLabel": JOB_LABEL,
            "port": target.port,
            "podLabels": { target.pods.0: target.pods.1 },
            "secure": target.secure,
        });
        monitor(target.name, own)
    };
    let wanted: Vec<_> = TARGETS.iter().filter(|target| (target.wanted)(settings)).map(target).collect();
    json!({
        // For what else depends on a target: rules, dashboards, the operator, Helm's values.
        "kubelet": settings.kubelet,
        "apiServer": settings.api_server,
        "coreDns": settings.core_dns,
        "controllerManager": settings.controller_manager,
        "scheduler": settings.scheduler,
        "etcd": settings.etcd,
        "kubeProxy": settings.kube_proxy,
        "targets": wanted,
        "apiServerMonitor": monitor(API_SERVER, json!({ "drops": drops(API_SERVER_DROPS) })),
        // The operator makes the Service, under the same name, and keeps its endpoints: the nodes.
        "kubeletMonitor": monitor(KUBELET, json!({
            "serviceNamespace": NAMESPACE,
            "insecureTls": settings.kubelet_insecure_tls,
            "drops": drops(KUBELET_DROPS),
            "cadvisorDrops": drops(CADVISOR_DROPS),
        })),
    })
}

/// The metric relabelings that drop what matches.
fn drops(drops: &[Dropped]) -> Value {
    drops.iter().map(|(labels, regex)| json!({ "action": "drop", "regex": regex, "sourceLabels": labels })).collect()
}
