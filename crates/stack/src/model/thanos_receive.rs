use super::{
    Annotations, Ingress, Labels, OtherContainer, Persistence, Pods, Process, Resources, SecretReference, Service,
    ServiceType, part, settings,
};
use crate::units::{DnsSubdomain, Duration, Replicas};

settings! {
    /// What takes samples that the Prometheus of other clusters send, by remote write, and answers for them until they are in
    /// the bucket. Image and log level are those of `thanos`.
    pub struct ThanosReceive {
        /// Run it. Needs `thanos`.
        pub enabled: bool,
        /// How many pods keep samples.
        pub replicas: Replicas,
        /// In how many of them each sample is. More than half of these must have it before its sender is told that it is kept:
        /// with three, one may be gone.
        pub replication_factor: Replicas,
        /// How long they keep on their disks what they have uploaded.
        pub retention: Duration,
        /// The disk of each. What came since the last upload is nowhere else: two hours of samples, and more while uploads fail.
        pub persistence: Persistence,
        /// What takes the samples, and hands each to the pods that keep it.
        pub router: Process,
        /// How the router is reached.
        pub service: Service,
        /// Reach it through an Ingress, which speaks TLS and asks senders who they are: the router asks nobody.
        pub ingress: Ingress,
        /// Let the router speak TLS itself, and ask senders for a certificate.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tls: Option<ThanosReceiveTls>,
        /// Where the pods run and what they may use: `resources` is for those that keep samples,
        /// `containers.thanos-receive-router` for the router.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for ThanosReceive {
    fn default() -> Self {
        Self {
            enabled: false,
            replicas: Replicas::known(3),
            replication_factor: Replicas::known(3),
            retention: Duration::known("2d"),
            persistence: Persistence::default(),
            router: Process { replicas: Replicas::known(2) },
            service: Service::default(),
            ingress: Ingress::default(),
            tls: None,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(ThanosReceive: pods("200m", "1Gi", "4Gi", containers), only_with(thanos), metadata, service, ingress, volume, secrets, namespace(monitoring), rules(thanos_receive));

/// The router's certificate and key, from Secrets in its namespace that you create, or that cert-manager does.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ThanosReceiveTls {
    /// The certificate.
    pub cert: SecretReference,
    /// Its key.
    pub key: SecretReference,
    /// The authority that signs the certificates of senders. Who has none of its is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<SecretReference>,
}

impl ThanosReceiveTls {
    /// Its files: what each is called, and where it comes from.
    pub fn files(&self) -> Vec<(&'static str, &SecretReference)> {
        let own = [("tls.crt", &self.cert), ("tls.key", &self.key)];
        own.into_iter().chain(self.client_ca.as_ref().map(|authority| ("client-ca.crt", authority))).collect()
    }
}

impl ThanosReceive {
    /// The Service with everything filled in.
    pub fn effective_service(&self) -> Service {
        self.service.or(ServiceType::ClusterIP, None)
    }

    /// Whether senders must have a certificate.
    pub fn asks_for_certificates(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some())
    }

    fn secrets(&self) -> Vec<&DnsSubdomain> {
        self.tls.iter().flat_map(ThanosReceiveTls::files).map(|(_, secret)| &secret.name).collect()
    }

    #[allow(clippy::unused_self, reason = "other parts have containers by what they are told")]
    fn containers(&self) -> Vec<OtherContainer> {
        vec![("thanos-receive-router", Some(Resources::known("100m", "128Mi", "512Mi")))]
    }
}
