use super::{Annotations, Labels, OtherContainer, Pods, Resources, choice, part, settings};
use crate::units::Image;

settings! {
    /// Prometheus Operator, which makes pods of Prometheus and Alertmanager objects, and configuration of monitors and
    /// rules.
    pub struct PrometheusOperator {
        /// Run it.
        pub enabled: bool,
        /// One that the cluster has already looks after this stack's objects too. None is rendered, and no definitions.
        pub existing: bool,
        /// Render the custom resource definitions, unless the cluster has them from somewhere else.
        pub crds: bool,
        /// Whose Prometheus and Alertmanager objects it looks after.
        pub instances: OperatorInstances,
        /// Its image. The custom resource definitions here are those of version 0.87.
        pub image: Image,
        /// The side-car that loads changed configuration into Prometheus and Alertmanager.
        pub config_reloader_image: Image,
        /// The Thanos that it uses for objects which ask for one.
        pub thanos_image: Image,
        /// Whether it checks rules of any application before the cluster takes them.
        pub admission_webhooks: AdmissionWebhooks,
        /// What makes the certificate of the webhooks, for `admissionWebhooks: job`.
        pub certgen_image: Image,
        /// What each container that loads changed configuration may use, in the pods of Prometheus and Alertmanager. `0`
        /// says nothing.
        pub reloader_resources: Resources,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for PrometheusOperator {
    fn default() -> Self {
        Self {
            enabled: true,
            existing: false,
            crds: true,
            instances: OperatorInstances::All,
            image: Image::known("quay.io/prometheus-operator/prometheus-operator:v0.87.1"),
            config_reloader_image: Image::known("quay.io/prometheus-operator/prometheus-config-reloader:v0.87.1"),
            thanos_image: Image::known("quay.io/thanos/thanos:v0.40.1"),
            admission_webhooks: AdmissionWebhooks::Off,
            certgen_image: Image::known("ghcr.io/jkroepke/kube-webhook-certgen:1.7.4"),
            reloader_resources: Resources::default(),
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

impl PrometheusOperator {
    /// What the containers that load changed configuration may use, everything filled in.
    pub fn effective_reloader_resources(&self) -> Resources {
        self.reloader_resources.or(&Resources::known("10m", "50Mi", "128Mi"))
    }
}

impl PrometheusOperator {
    fn containers(&self) -> Vec<OtherContainer> {
        let certgen = || Some(Resources::known("10m", "32Mi", "128Mi"));
        match self.admission_webhooks {
            AdmissionWebhooks::Job => vec![("create", certgen()), ("patch", certgen())],
            AdmissionWebhooks::Off | AdmissionWebhooks::CertManager => Vec::new(),
        }
    }
}

part!(PrometheusOperator: pods("50m", "64Mi", "256Mi", containers), unless(existing), metadata, namespace(monitoring), rules(prometheus_operator));

choice! {
    /// Whose Prometheus and Alertmanager objects the operator looks after.
    #[serde(rename_all = "kebab-case")]
    pub enum OperatorInstances {
        /// Those of the whole cluster. It may read and write the Secrets and ConfigMaps of every namespace.
        All,
        /// Those of the stack's own namespace, and only there it may read and write Secrets, ConfigMaps and StatefulSets.
        /// Monitors and rules count wherever they are, but no AlertmanagerConfig and no Secret of another namespace does.
        Own,
    }
}

choice! {
    /// Who checks rules before the cluster takes them.
    #[serde(rename_all = "kebab-case")]
    pub enum AdmissionWebhooks {
        /// Nobody but Prometheus, which leaves out a file with a broken rule.
        Off,
        /// The operator, with a certificate from cert-manager, which must be there.
        CertManager,
        /// The operator, with a certificate that a Job makes, once, and another one tells the API server.
        Job,
    }
}
