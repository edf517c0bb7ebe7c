use super::{Annotations, IngressTls, Labels, Pods, has_pods, part, settings};
use crate::units::{DnsLabel, DnsSubdomain, HttpPath, Image, Replicas};

settings! {
    /// The Flask test application: gunicorn behind an nginx side-car, and the way to it.
    pub struct Flask {
        /// Run it.
        pub enabled: bool,
        /// Its namespace, which must exist; Vigil creates only those under `namespaces`.
        pub namespace: DnsLabel,
        /// How many pods.
        pub replicas: Replicas,
        /// The application, listening on port 8001.
        pub image: Image,
        /// nginx, listening on port 80 and passing everything on to the application.
        pub nginx_image: Image,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Its Service inside the cluster.
        pub service: FlaskService,
        /// The way in from outside.
        pub ingress: FlaskIngress,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Flask {
    fn default() -> Self {
        Self {
            enabled: true,
            namespace: DnsLabel::known("default"),
            replicas: Replicas::known(3),
            image: Image::known("docker.io/eeveek8s/myflask_ch10:0.2"),
            nginx_image: Image::known("docker.io/eeveek8s/mynginxf_ch10:0.3"),
            pods: Pods::default(),
            service: FlaskService::default(),
            ingress: FlaskIngress::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

has_pods!(Flask, "10m", "64Mi", "256Mi");
part!(Flask: metadata, pods, ingress, namespace(own), rules(flask));

settings! {
    /// The Service of the test application.
    pub struct FlaskService {
        /// Create it.
        pub enabled: bool,
    }
}

impl Default for FlaskService {
    fn default() -> Self {
        Self { enabled: true }
    }
}

settings! {
    /// The Ingress of the test application, for an ingress-nginx controller that is there already.
    pub struct FlaskIngress {
        /// Create it.
        pub enabled: bool,
        /// The IngressClass.
        pub class_name: DnsSubdomain,
        /// The host it answers to; without one, every host.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub host: Option<DnsSubdomain>,
        /// The path it answers to. The application sees the rest: `/test02/x` arrives as `/x`.
        pub path: HttpPath,
        /// Serve it by TLS.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tls: Option<IngressTls>,
    }
}

impl Default for FlaskIngress {
    fn default() -> Self {
        Self {
            enabled: true,
            class_name: DnsSubdomain::known("nginx"),
            host: None,
            path: HttpPath::known("/test02"),
            tls: None,
        }
    }
}
