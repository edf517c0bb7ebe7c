//! The keys of `stack.yaml`. One file per component; what several of them share is here.

mod alertmanager;
mod alerts;
mod alloy;
mod argocd;
mod blackbox_exporter;
mod checks;
mod cluster_size;
mod custom_resource_state;
mod flask;
mod flux;
mod grafana;
mod journal;
mod kube_state_metrics;
mod kubernetes_targets;
mod lab_object_storage;
mod log_pipeline;
mod loki;
mod loki_processes;
mod metadata;
mod metrics_server;
mod network_policies;
mod node_collector;
mod node_exporter;
mod object_storage;
mod part;
mod patches;
mod pods;
mod prometheus;
mod prometheus_operator;
mod promtail;
mod receiver;
mod scrape_config;
mod thanos;
mod thanos_receive;
mod thanos_ruler;

pub use alertmanager::{
    Alertmanager, ConfigMatching, InhibitRule, Route, SubRoute, TemplateFile, TimeInterval, Times, TimesOfDay,
};
pub use alerts::{AlertSeverity, Alerts, RuleFile, Thresholds};
pub use alloy::{Alloy, AlloyFile, EVENT_LABELS, KubernetesEvents};
pub use argocd::{Argocd, Automated, Destination, Install};
pub use blackbox_exporter::{BlackboxExporter, DnsQuery, DnsRecord, IpProtocol, ProbeModule, ProbeTarget};
pub use checks::{Checks, Provided, Waiver};
pub use cluster_size::ClusterSize;
pub use custom_resource_state::{
    CustomGauge, CustomInfo, CustomMetric, CustomMetricType, CustomResource, CustomResourceFile, CustomStateSet,
    CustomValues, GroupVersionKind,
};
pub use flask::{Flask, FlaskIngress, FlaskService, FlaskSlo, SloSource};
pub use flux::Flux;
pub use grafana::{AdminSecret, Autoscaling, Dashboard, DataSource, Grafana};
pub use journal::{JOURNAL_LABELS, Journal};
pub use kube_state_metrics::KubeStateMetrics;
pub use kubernetes_targets::{ControlPlaneAddresses, DroppedMetrics, KubernetesTargets, TargetAddresses};
pub use lab_object_storage::LabObjectStorage;
pub use log_pipeline::{
    DropStage, Extracted, JsonStage, LOG_LABELS, LogPipeline, LogStage, LogfmtStage, Multiline, OutputStage,
    RegexStage, ReplaceStage, TimestampStage,
};
pub use loki::{
    IndexStore, Loki, LokiLimits, LokiMode, ObjectStore, Persistence, RetentionStream, SchemaFormat, SchemaPeriod,
};
pub use loki_processes::{LokiProcesses, LokiQuerier};
pub use metadata::{Annotations, Labels};
pub use metrics_server::{AddressType, MetricsServer};
pub use network_policies::NetworkPolicies;
pub use node_collector::NodeCollector;
pub use node_exporter::{MountPropagation, NodeCollectors, NodeExporter};
pub use object_storage::{AccessKeys, Azure, Buckets, Gcs, ObjectStorage, S3};
pub use part::{Entrance, Part};
pub use patches::{Operation, OperationKind, Patch, PatchTarget};
pub use pods::{
    HasPods, OtherContainer, Pods, Process, ResourceAmounts, Resources, ServiceAccount, TaintEffect, Toleration,
    TolerationOperator, UpdateMode, VerticalAutoscaler,
};
pub use prometheus::{
    BasicAuth, Exemplars, NativeHistograms, OtherAlertmanager, Prometheus, RemoteStore, SecretReference, Selection,
    SentSamples, TokenAuth,
};
pub use prometheus_operator::{AdmissionWebhooks, OperatorInstances, PrometheusOperator};
pub use promtail::{ContainerRuntime, LogOutput, Positions, Promtail};
pub use receiver::*;
pub use scrape_config::{RelabelAction, Relabeling, ScrapeConfig, ScrapeScheme, ScrapeTls};
pub use thanos::{Thanos, ThanosCompactor, ThanosRetention, ThanosStore};
pub use thanos_receive::{ThanosReceive, ThanosReceiveTls};
pub use thanos_ruler::ThanosRuler;

use crate::units::{
    Cidr, DnsLabel, DnsSubdomain, HttpPath, IpAddress, KubernetesVersion, LayerPath, LoadBalancerClass, NodePort, Port,
    Registry, StackName,
};

/// Declares a struct of `stack.yaml`: every key has a default, an unknown one is an error.
macro_rules! settings {
    ($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields, default, rename_all = "camelCase")]
        $(#[$doc])*
        pub struct $name { $($body)* }
    };
}

/// Declares a choice of `stack.yaml`, spelt as given.
macro_rules! choice {
    ($(#[$doc:meta])* pub enum $name:ident { $($body:tt)* }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $(#[$doc])*
        pub enum $name { $($body)* }
    };
}

use part::part;
use {choice, settings};

/// Declares the stack: first what concerns all parts, then the parts, in the order in which they are applied and listed.
/// Each is declared here and nowhere else: its key in `stack.yaml`, which is also its folder in `templates/`, `manifests/`
/// and `golden/`, and its settings, which are a [`Part`].
macro_rules! stack {
    ($d:tt $($(#[doc = $doc:literal])+ $name:literal $field:ident: $settings:ident,)+) => {
        settings! {
            /// What one cluster runs. Every key has a default, and the defaults together are the tutorial's stack.
            pub struct Stack {
                /// Other stack files that this one builds on, each over those before it, this one over all: docs/layers.md.
                #[serde(skip_serializing_if = "Vec::is_empty")]
                pub extends: Vec<LayerPath>,
                /// Kubernetes minor version of the cluster, such as "1.29".
                pub kubernetes: KubernetesVersion,
                /// Where the cluster comes from, for what follows from that: docs/clusters.md. What the stack says itself counts
                /// all the same.
                pub cluster: Cluster,
                /// How large the cluster is, for `vigil size` and for warnings where the stack is too small for it.
                #[serde(skip_serializing_if = "ClusterSize::is_unknown")]
                pub cluster_size: ClusterSize,
                /// What this stack is called where several are in one cluster; what follows from it is in docs/stack.md. Names and
                /// labels of its objects begin with it, and no object of it is one of another stack.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub name: Option<StackName>,
                /// Where the parts of the stack live.
                pub namespaces: Namespaces,
                /// Labels for every object, beside the recommended ones that Vigil sets; a component's own `labels` come first, key
                /// by key. Pods have those of `pods.labels`.
                pub labels: Labels,
                /// Annotations for every object; a component's own `annotations` come first, key by key. Pods have those of
                /// `pods.annotations`.
                pub annotations: Annotations,
                /// A registry that mirrors all images, such as `registry.example.com:5000/mirror`, for clusters without internet.
                /// It takes the place of each image's own registry.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub image_registry: Option<Registry>,
                /// Where all pods run and what they may use; a component's own `pods` come first.
                pub pods: Pods,
                /// Object storage, for parts that keep their data in it.
                #[serde(skip_serializing_if = "ObjectStorage::is_empty")]
                pub object_storage: ObjectStorage,
                /// What `vigil check` and `vigil render` cannot see in the manifests: what the cluster provides, and waivers.
                pub checks: Checks,
                /// Changes of single objects, for what the stack has no key for.
                #[serde(skip_serializing_if = "Vec::is_empty")]
                pub patches: Vec<Patch>,
                $($(#[doc = $doc])+ #[serde(rename = $name)] pub $field: $settings,)+
            }
        }

        impl Default for Stack {
            fn default() -> Self {
                Self {
                    extends: Vec::new(),
                    kubernetes: KubernetesVersion::known("1.29"),
                    cluster: Cluster::Kubeadm,
                    cluster_size: ClusterSize::default(),
                    name: None,
                    namespaces: Namespaces::default(),
                    labels: Labels::new(),
                    annotations: Annotations::new(),
                    image_registry: None,
                    pods: Pods::default(),
                    object_storage: ObjectStorage::default(),
                    checks: Checks::default(),
                    patches: Vec::new(),
                    $($field: $settings::default(),)+
                }
            }
        }

        impl Stack {
            /// All parts, switched on or not, by their keys.
            pub fn parts(&self) -> Vec<(&'static str, &dyn Part)> {
                vec![$(($name, &self.$field as &dyn Part)),+]
            }

            /// The same, to be changed.
            pub(crate) fn parts_mut(&mut self) -> Vec<(&'static str, &mut dyn Part)> {
                vec![$(($name, &mut self.$field as &mut dyn Part)),+]
            }
        }

        /// Calls a macro with all parts, each as key, field of the [`Stack`] and type of that field:
        /// `"loki" loki: Loki,`.
        #[macro_export]
        macro_rules! for_each_part {
            ($d called:ident) => {
                $d called! { $($name $field: $settings,)+ }
            };
        }
    };
}

stack! { $
    /// metrics-server, which `kubectl top` and autoscalers ask.
    "metrics-server" metrics_server: MetricsServer,
    /// Prometheus Operator, which makes pods of Prometheus and Alertmanager objects.
    "prometheus-operator" prometheus_operator: PrometheusOperator,
    /// Prometheus, the metrics store.
    "prometheus" prometheus: Prometheus,
    /// Object storage in the cluster itself, for those that have no other: to learn and to try, not for production.
    "lab-object-storage" lab_object_storage: LabObjectStorage,
    /// Thanos, which keeps the samples of Prometheus in object storage and answers from there.
    "thanos" thanos: Thanos,
    /// What takes samples that the Prometheus of other clusters send to Thanos, by remote write.
    "thanos-receive" thanos_receive: ThanosReceive,
    /// What evaluates rules over the samples of all clusters that Thanos has.
    "thanos-ruler" thanos_ruler: ThanosRuler,
    /// node-exporter, which tells how the nodes are.
    "node-exporter" node_exporter: NodeExporter,
    /// kube-state-metrics, which tells what the objects of the cluster are like.
    "kube-state-metrics" kube_state_metrics: KubeStateMetrics,
    /// The parts of Kubernetes itself that Prometheus scrapes.
    "kubernetes-targets" kubernetes_targets: KubernetesTargets,
    /// The blackbox exporter, which tells whether addresses answer: URLs, ports, DNS servers, hosts.
    "blackbox-exporter" blackbox_exporter: BlackboxExporter,
    /// Alertmanager, which tells people about alerts.
    "alertmanager" alertmanager: Alertmanager,
    /// Alerts and recorded series: what Prometheus watches, and tells Alertmanager of.
    "alerts" alerts: Alerts,
    /// Grafana, the dashboards.
    "grafana" grafana: Grafana,
    /// Loki, the log store.
    "loki" loki: Loki,
    /// Promtail, which carries the logs of all pods to Loki.
    "promtail" promtail: Promtail,
    /// Grafana Alloy, the successor of Promtail: carries the logs of all pods to Loki. One of the two, never both.
    "alloy" alloy: Alloy,
    /// The Flask test application behind nginx.
    "flask" flask: Flask,
    /// `NetworkPolicy` objects: nothing reaches the stack's pods but what the stack itself needs.
    "network-policies" network_policies: NetworkPolicies,
    /// Argo CD, which applies the manifests from git.
    "argocd" argocd: Argocd,
    /// Flux, which applies the manifests from git or from a registry.
    "flux" flux: Flux,
    /// Values files for people who stay with the Helm charts.
    "values" values: Values,
}

choice! {
    /// Where a cluster comes from.
    #[serde(rename_all = "kebab-case")]
    pub enum Cluster {
        /// kubeadm, and whatever is like it.
        Kubeadm,
        /// k3s.
        K3s,
        /// RKE2.
        Rke2,
        /// kind, on one machine.
        Kind,
        /// minikube, on one machine.
        Minikube,
        /// Talos Linux.
        Talos,
        /// Amazon EKS.
        Eks,
        /// Google GKE.
        Gke,
        /// Google GKE, Autopilot.
        GkeAutopilot,
        /// Azure AKS.
        Aks,
        /// Red Hat OpenShift, and OKD.
        Openshift,
    }
}

impl Cluster {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Kubeadm,
        Self::K3s,
        Self::Rke2,
        Self::Kind,
        Self::Minikube,
        Self::Talos,
        Self::Eks,
        Self::Gke,
        Self::GkeAutopilot,
        Self::Aks,
        Self::Openshift,
    ];
}

settings! {
    /// Namespaces of the stack. The first two may be the same one.
    pub struct Namespaces {
        /// Prometheus, Grafana and what belongs to them.
        pub monitoring: DnsLabel,
        /// Loki and the log collector.
        pub logging: DnsLabel,
        /// What runs on every node and needs to see it: what measures nodes and what reads their logs. With a namespace of
        /// its own, the others enforce the pod-security level `restricted`; without it, it is in the others, which allow
        /// all that it does.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub agents: Option<DnsLabel>,
        /// Create them. Where somebody else does, they need the pod-security level that the stack's pods ask for.
        pub create: bool,
        /// Who decides in them what pods may be.
        #[serde(skip_serializing_if = "Admission::is_usual")]
        pub admission: Admission,
        /// Labels for them, beside those of all objects and the pod-security level.
        #[serde(skip_serializing_if = "Labels::is_empty")]
        pub labels: Labels,
        /// Annotations for them, beside those of all objects.
        #[serde(skip_serializing_if = "Annotations::is_empty")]
        pub annotations: Annotations,
    }
}

impl Namespaces {
    fn monitoring(&self) -> &DnsLabel {
        &self.monitoring
    }

    fn logging(&self) -> &DnsLabel {
        &self.logging
    }

    /// The namespace of what watches nodes.
    pub fn node_agents(&self) -> &DnsLabel {
        self.agents.as_ref().unwrap_or(&self.monitoring)
    }

    /// The namespace of what collects the logs of nodes.
    pub fn log_agents(&self) -> &DnsLabel {
        self.agents.as_ref().unwrap_or(&self.logging)
    }

    /// All of them, in the order of their keys, each once.
    pub fn all(&self) -> Vec<&DnsLabel> {
        let mut all = vec![&self.monitoring];
        for other in [Some(&self.logging), self.agents.as_ref()].into_iter().flatten() {
            if !all.contains(&other) {
                all.push(other);
            }
        }
        all
    }
}

impl Default for Namespaces {
    fn default() -> Self {
        Self {
            monitoring: DnsLabel::known("mymonitoring"),
            logging: DnsLabel::known("myloki"),
            agents: None,
            create: true,
            admission: Admission::PodSecurity,
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

choice! {
    /// Who decides what the pods of the stack's namespaces may be.
    #[serde(rename_all = "kebab-case")]
    pub enum Admission {
        /// Kubernetes, by the pod-security level of the namespace; pods say which users they are.
        PodSecurity,
        /// OpenShift besides, by its SecurityContextConstraints: `restricted-v2` gives pods their users and groups, so they name
        /// none; what runs on every node and needs to see it may use `privileged`, as users of its own.
        Openshift,
    }
}

impl Admission {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_usual(&self) -> bool {
        *self == Self::PodSecurity
    }
}

settings! {
    /// The Service of a component that people open in a browser.
    #[derive(Default)]
    pub struct Service {
        /// How the Service is reached; without one, as is usual for the component.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub r#type: Option<ServiceType>,
        /// The port inside the cluster; without one, the component's usual port.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub port: Option<Port>,
        /// The port on every node; for type `NodePort`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub node_port: Option<NodePort>,
        /// A fixed address, which MetalLB or the cloud must be able to give; for type `LoadBalancer`.
        #[serde(rename = "loadBalancerIP", skip_serializing_if = "Option::is_none")]
        pub load_balancer_ip: Option<IpAddress>,
        /// The load balancer implementation that shall serve it; for type `LoadBalancer`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub load_balancer_class: Option<LoadBalancerClass>,
        /// The networks that may connect; for type `LoadBalancer`. Empty: all.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub load_balancer_source_ranges: Vec<Cidr>,
    }
}

impl Service {
    /// The Service with what it does not say filled in by what is usual for its component. The usual node port is one
    /// for the usual type only.
    fn or(&self, usual: ServiceType, node_port: Option<NodePort>) -> Self {
        let chosen = self.r#type.unwrap_or(usual);
        let node_port = self.node_port.or(node_port.filter(|_| chosen == usual));
        Self { r#type: Some(chosen), node_port, ..self.clone() }
    }
}

choice! {
    /// How a Service is reached.
    pub enum ServiceType {
        /// Inside the cluster only.
        ClusterIP,
        /// On a port of every node.
        NodePort,
        /// By an address that a cloud or MetalLB gives.
        LoadBalancer,
    }
}

settings! {
    /// An Ingress to a component that people open in a browser, for an ingress controller that is there already.
    pub struct Ingress {
        /// Create it.
        pub enabled: bool,
        /// The IngressClass.
        pub class_name: DnsSubdomain,
        /// The host it answers to; without one, every host.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub host: Option<DnsSubdomain>,
        /// The path it answers to, and all below it; without one, the path of `externalUrl`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub path: Option<HttpPath>,
        /// Serve it by TLS.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tls: Option<IngressTls>,
        /// Let in only who has a name and a password: the Secret, in the component's namespace, whose key `auth` holds what
        /// `htpasswd` writes. You create it, and ingress-nginx asks. For what has no login of its own.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub basic_auth_secret: Option<DnsSubdomain>,
        /// Make an HTTPRoute of the Gateway API that this Gateway carries, instead of an Ingress.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gateway: Option<Gateway>,
    }
}

impl Default for Ingress {
    fn default() -> Self {
        let class_name = DnsSubdomain::known("nginx");
        Self { enabled: false, class_name, host: None, path: None, tls: None, basic_auth_secret: None, gateway: None }
    }
}

impl Ingress {
    /// Its IngressClass, if it is an Ingress.
    fn class(&self) -> Option<&DnsSubdomain> {
        Some(&self.class_name).filter(|_| self.gateway.is_none())
    }

    /// The Secret with the names and passwords that it asks for.
    fn login(&self) -> Option<&DnsSubdomain> {
        self.basic_auth_secret.as_ref()
    }

    /// The scheme of its address in the browser.
    pub fn scheme(&self) -> &'static str {
        let by_tls = self.gateway.as_ref().map_or(self.tls.is_some(), |gateway| gateway.https);
        if by_tls { "https" } else { "http" }
    }
}

/// A Gateway of the Gateway API, which the cluster has.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Its name.
    pub name: DnsSubdomain,
    /// Its namespace; without one, that of the component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<DnsLabel>,
    /// The listener that carries it; without one, every listener that takes its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<DnsSubdomain>,
    /// Whether that speaks TLS, with a certificate of its own, for links.
    #[serde(default = "yes")]
    pub https: bool,
}

fn yes() -> bool {
    true
}

settings! {
    /// TLS of an Ingress.
    pub struct IngressTls {
        /// The Secret that holds certificate and key. You create it, or cert-manager does.
        pub secret_name: DnsSubdomain,
    }
}

impl Default for IngressTls {
    fn default() -> Self {
        Self { secret_name: DnsSubdomain::known("tls") }
    }
}

choice! {
    /// How much a program logs.
    #[serde(rename_all = "lowercase")]
    pub enum LogLevel {
        /// Everything.
        Debug,
        /// What happens.
        Info,
        /// What is odd.
        Warn,
        /// What failed.
        Error,
    }
}

settings! {
    /// Values files for people who stay with the Helm charts. kustomize does not apply them.
    pub struct Values {
        /// Write `manifests/values/`.
        pub enabled: bool,
    }
}

impl Default for Values {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Part for Values {
    fn enabled(&self) -> bool {
        self.enabled
    }
}
