use super::{Service, ServiceType, choice, settings};
use crate::units::{ByteSize, Duration, NodePort, Url};

settings! {
    /// Prometheus, the metrics store.
    pub struct Prometheus {
        /// Run it.
        pub enabled: bool,
        /// How people reach it; on node port 30090 unless it says otherwise.
        pub service: Service,
        /// The address in the browser, for links in alerts.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_url: Option<Url>,
        /// How long samples are kept. Whatever is reached first, this or `retentionSize`, counts.
        pub retention: Duration,
        /// How much disk the samples may take.
        pub retention_size: ByteSize,
        /// Which ServiceMonitors, PodMonitors, Probes, rules and scrape configurations of the cluster it obeys.
        pub selection: Selection,
    }
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            enabled: true,
            service: Service::default(),
            external_url: None,
            retention: Duration::known("10d"),
            retention_size: ByteSize::known("1GiB"),
            selection: Selection::All,
        }
    }
}

choice! {
    /// Which monitors and rules Prometheus obeys.
    #[serde(rename_all = "lowercase")]
    pub enum Selection {
        /// Those of any application, in any namespace.
        All,
        /// Those with the label `release: kube-prometheus-stack`.
        Labelled,
    }
}

impl Prometheus {
    /// The Service with everything filled in.
    pub fn effective_service(&self) -> Service {
        self.service.or(ServiceType::NodePort, Some(NodePort::known(30090)))
    }
}
