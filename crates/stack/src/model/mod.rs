//! The keys of `stack.yaml`. One file per component; what several of them share is here.

mod alertmanager;
mod alloy;
mod argocd;
mod checks;
mod flask;
mod grafana;
mod kube_state_metrics;
mod kubernetes_targets;
mod loki;
mod metadata;
mod metrics_server;
mod network_policies;
mod node_exporter;
mod pods;
mod prometheus;
mod prometheus_operator;
mod promtail;

pub use alertmanager::{Alertmanager, EmailTo, Opsgenie, Pagerduty, Receiver, Route, Slack, SubRoute, Webhook};
pub use alloy::Alloy;
pub use argocd::{Argocd, Automated, Destination, Install};
pub use checks::{Checks, Provided, Waiver};
pub use flask::{Flask, FlaskIngress, FlaskService};
pub use grafana::{AdminSecret, Dashboard, Grafana};
pub use kube_state_metrics::KubeStateMetrics;
pub use kubernetes_targets::KubernetesTargets;
pub use loki::{Loki, Persistence};
pub use metadata::{Annotations, Labels};
pub use metrics_server::{AddressType, MetricsServer};
pub use network_policies::NetworkPolicies;
pub use node_exporter::NodeExporter;
pub use pods::{
    HasPods, OtherContainer, Pods, ResourceAmounts, Resources, TaintEffect, Toleration, TolerationOperator,
};
pub use prometheus::{BasicAuth, Prometheus, RemoteWrite, SecretReference, Selection, TokenAuth};
pub use prometheus_operator::{AdmissionWebhooks, PrometheusOperator};
pub use promtail::{ContainerRuntime, Promtail};

use crate::units::{
    Cidr, DnsLabel, DnsSubdomain, HttpPath, IpAddress, KubernetesVersion, LoadBalancerClass, NodePort, Port, Registry,
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

use pods::has_pods;
use {choice, settings};

settings! {
    /// What one cluster runs. Every key has a default, and the defaults together are the tutorial's stack.
    pub struct Stack {
        /// Kubernetes minor version of the cluster, such as "1.29".
        pub kubernetes: KubernetesVersion,
        /// Where the parts of the stack live.
        pub namespaces: Namespaces,
        /// Labels for every object, beside the recommended ones that Vigil sets; a component's own `labels` come first, key
        /// by key. They are no part of selectors.
        pub labels: Labels,
        /// Annotations for every object; a component's own `annotations` come first, key by key.
        pub annotations: Annotations,
        /// A registry that mirrors all images, such as `registry.example.com:5000/mirror`, for clusters without internet.
        /// It takes the place of each image's own registry.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub image_registry: Option<Registry>,
        /// Where all pods run and what they may use; a component's own `pods` come first.
        pub pods: Pods,
        /// Grafana Alloy, the successor of Promtail: carries the logs of all pods to Loki. One of the two, never both.
        pub alloy: Alloy,
        /// Argo CD, which applies the manifests from git.
        pub argocd: Argocd,
        /// What `vigil check` and `vigil render` cannot see in the manifests: what the cluster provides, and waivers.
        pub checks: Checks,
        /// Alertmanager, which tells people about alerts.
        pub alertmanager: Alertmanager,
        /// The Flask test application behind nginx.
        pub flask: Flask,
        /// Grafana, the dashboards.
        pub grafana: Grafana,
        /// kube-state-metrics, which tells what the objects of the cluster are like.
        #[serde(rename = "kube-state-metrics")]
        pub kube_state_metrics: KubeStateMetrics,
        /// The parts of Kubernetes itself that Prometheus scrapes.
        #[serde(rename = "kubernetes-targets")]
        pub kubernetes_targets: KubernetesTargets,
        /// Loki, the log store.
        pub loki: Loki,
        /// metrics-server, which `kubectl top` and autoscalers ask.
        #[serde(rename = "metrics-server")]
        pub metrics_server: MetricsServer,
        /// node-exporter, which tells how the nodes are.
        #[serde(rename = "node-exporter")]
        pub node_exporter: NodeExporter,
        /// `NetworkPolicy` objects: nothing reaches the stack's pods but what the stack itself needs.
        #[serde(rename = "network-policies")]
        pub network_policies: NetworkPolicies,
        /// Prometheus, the metrics store.
        pub prometheus: Prometheus,
        /// Prometheus Operator, which makes pods of Prometheus and Alertmanager objects.
        #[serde(rename = "prometheus-operator")]
        pub prometheus_operator: PrometheusOperator,
        /// Promtail, which carries the logs of all pods to Loki.
        pub promtail: Promtail,
        /// Values files for people who stay with the Helm charts.
        pub values: Values,
    }
}

impl Default for Stack {
    fn default() -> Self {
        Self {
            kubernetes: KubernetesVersion::known("1.29"),
            namespaces: Namespaces::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
            image_registry: None,
            pods: Pods::default(),
            alloy: Alloy::default(),
            argocd: Argocd::default(),
            checks: Checks::default(),
            alertmanager: Alertmanager::default(),
            flask: Flask::default(),
            grafana: Grafana::default(),
            kube_state_metrics: KubeStateMetrics::default(),
            kubernetes_targets: KubernetesTargets::default(),
            loki: Loki::default(),
            metrics_server: MetricsServer::default(),
            node_exporter: NodeExporter::default(),
            network_policies: NetworkPolicies::default(),
            prometheus: Prometheus::default(),
            prometheus_operator: PrometheusOperator::default(),
            promtail: Promtail::default(),
            values: Values::default(),
        }
    }
}

settings! {
    /// Namespaces that Vigil creates.
    pub struct Namespaces {
        /// Prometheus, Grafana and what belongs to them.
        pub monitoring: DnsLabel,
        /// Loki and the log collector.
        pub logging: DnsLabel,
    }
}

impl Default for Namespaces {
    fn default() -> Self {
        Self { monitoring: DnsLabel::known("mymonitoring"), logging: DnsLabel::known("myloki") }
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
    }
}

impl Default for Ingress {
    fn default() -> Self {
        Self { enabled: false, class_name: DnsSubdomain::known("nginx"), host: None, path: None, tls: None }
    }
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
