use super::{Annotations, Gateway, IngressTls, Labels, OtherContainer, Pods, choice, part, settings};
use crate::units::{DnsLabel, DnsSubdomain, FolderOfContainer, HttpPath, Image, Line, Port, Replicas, UserId};

settings! {
    /// The test application, and the way to it: Flask under gunicorn behind an nginx side-car, or anything else that serves
    /// HTTP, in one container or two.
    pub struct Flask {
        /// Run it.
        pub enabled: bool,
        /// Its namespace, which must exist; Vigil creates only those under `namespaces`.
        pub namespace: DnsLabel,
        /// How many pods.
        pub replicas: Replicas,
        /// The application: anything that serves HTTP on `port`.
        pub image: Image,
        /// The port that the application listens on.
        pub port: Port,
        /// Arguments for the application's image, in place of its own.
        pub args: Vec<Line>,
        /// The path that is asked to see whether the application answers; any status from 200 to 399 will do.
        pub health_path: HttpPath,
        /// The number of the user that the application runs as, who owns none of its image's files; 0 is root.
        pub run_as_user: UserId,
        /// Folders that the application may write to; the rest of its file system is read-only.
        pub writable: Vec<FolderOfContainer>,
        /// Put a second container before the application, to which the Service leads. Without it the Service leads to the
        /// application itself.
        pub nginx: bool,
        /// The second container: anything that serves HTTP on `nginxPort` and passes it on to `port` of the pod. Without
        /// one, the tutorial's nginx, which passes on to 8001.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nginx_image: Option<Image>,
        /// The port that the second container listens on; without one, 80.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub nginx_port: Option<Port>,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Its Service inside the cluster.
        pub service: FlaskService,
        /// The way in from outside.
        pub ingress: FlaskIngress,
        /// Who counts its requests, so that alerts say how fast its error budget goes. How many may fail says
        /// `alerts.thresholds.appObjective`.
        pub slo: FlaskSlo,
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
            port: Port::known(Self::NGINX_PASSES_TO),
            args: Vec::new(),
            health_path: HttpPath::known("/"),
            run_as_user: UserId::known(65534),
            writable: vec![FolderOfContainer::known("/tmp")],
            nginx: true,
            nginx_image: None,
            nginx_port: None,
            pods: Pods::default(),
            service: FlaskService::default(),
            ingress: FlaskIngress::default(),
            slo: FlaskSlo::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

impl Flask {
    /// The port of the application that the usual nginx passes everything on to: it stands in its image.
    pub(crate) const NGINX_PASSES_TO: u16 = 8001;

    /// The image of the second container with everything filled in.
    pub fn effective_nginx_image(&self) -> Image {
        self.nginx_image.clone().unwrap_or_else(|| Image::known("docker.io/eeveek8s/mynginxf_ch10:0.3"))
    }

    /// The second one uses as much as the application, unless one of the two is told otherwise.
    fn containers(&self) -> Vec<OtherContainer> {
        self.nginx.then_some(("nginx-f", None)).into_iter().collect()
    }

    /// The port of the second container with everything filled in.
    pub fn effective_nginx_port(&self) -> Port {
        self.nginx_port.unwrap_or(Port::known(80))
    }
}

part!(Flask: pods("10m", "64Mi", "256Mi", containers), metadata, ingress, namespace(own), rules(flask));

settings! {
    /// The service level of the test application.
    #[derive(Default)]
    pub struct FlaskSlo {
        /// Who counts its requests. Without one nobody does.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub source: Option<SloSource>,
        /// The namespace of the pods that have the metrics; without one, the one in which their charts are usually
        /// installed: `ingress-nginx` or `envoy-gateway-system`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub namespace: Option<DnsLabel>,
    }
}

choice! {
    /// Who counts the requests to the test application.
    #[serde(rename_all = "kebab-case")]
    pub enum SloSource {
        /// The metrics of the ingress-nginx controller, which has them when its chart is installed with
        /// `controller.metrics.enabled`.
        Ingress,
        /// The metrics of the proxies of Envoy Gateway.
        Gateway,
        /// The access log of nginx, which Loki's ruler reads. It holds no times: slow requests do not count as failed.
        AccessLog,
    }
}

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
    /// The Ingress of the test application, for an ingress-nginx controller that is there already, or its HTTPRoute.
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
        /// Make an HTTPRoute of the Gateway API that this Gateway carries, instead of an Ingress.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gateway: Option<Gateway>,
    }
}

impl FlaskIngress {
    /// It asks nobody for a password.
    #[allow(clippy::unused_self, reason = "other Ingresses do")]
    fn login(&self) -> Option<&DnsSubdomain> {
        None
    }

    /// Its IngressClass, if it is an Ingress.
    fn class(&self) -> Option<&DnsSubdomain> {
        Some(&self.class_name).filter(|_| self.gateway.is_none())
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
            gateway: None,
        }
    }
}
