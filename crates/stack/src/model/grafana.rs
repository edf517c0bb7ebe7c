use super::{Service, ServiceType, settings};
use crate::units::Url;

settings! {
    /// Grafana, the dashboards.
    pub struct Grafana {
        /// Run it.
        pub enabled: bool,
        /// How people reach it; by a load balancer unless it says otherwise.
        pub service: Service,
        /// The address in the browser, for links that Grafana makes.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub external_url: Option<Url>,
    }
}

impl Default for Grafana {
    fn default() -> Self {
        Self { enabled: true, service: Service::default(), external_url: None }
    }
}

impl Grafana {
    /// The Service with everything filled in.
    pub fn effective_service(&self) -> Service {
        self.service.or(ServiceType::LoadBalancer, None)
    }
}
