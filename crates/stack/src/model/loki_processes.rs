//! Loki as many programs, for more lines than one takes.

use super::{OtherContainer, Process, Resources, settings};
use crate::units::{Image, Replicas};

settings! {
    /// The programs that Loki is in `mode: distributed`, and how many pods each has.
    pub struct LokiProcesses {
        /// What takes lines, and hands each to three ingesters.
        pub distributor: Process,
        /// What keeps lines until they are stored; three at least.
        pub ingester: Process,
        /// What answers, from ingesters and from object storage.
        pub querier: LokiQuerier,
        /// What splits queries and keeps their results.
        pub query_frontend: Process,
        /// What holds queries until a querier takes them.
        pub query_scheduler: Process,
        /// What answers which chunks a query is about.
        pub index_gateway: Process,
        /// What evaluates rules; there where there are any.
        pub ruler: Process,
        /// What takes all requests, and passes them to whom they are for.
        pub gateway: Process,
        /// What keeps chunks that were read from object storage, or written to it.
        pub chunks_cache: Process,
        /// What keeps results of queries.
        pub results_cache: Process,
        /// Keep the three copies of a line in three zones: no two ingesters of one zone have it. Nodes of three zones at least
        /// need the label `topology.kubernetes.io/zone`, and pods get it from Kubernetes 1.35 on.
        pub zone_aware: bool,
        /// The image of the gateway: nginx, that runs without root.
        pub gateway_image: Image,
        /// The image of the caches: memcached.
        pub cache_image: Image,
    }
}

settings! {
    /// What answers queries.
    pub struct LokiQuerier {
        /// How many pods there are, at least.
        pub replicas: Replicas,
        /// How many there are at most, when a HorizontalPodAutoscaler makes more of them as they are busy; without it, there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max_replicas: Option<Replicas>,
    }
}

impl Default for LokiQuerier {
    fn default() -> Self {
        Self { replicas: Replicas::known(2), max_replicas: None }
    }
}

impl Default for LokiProcesses {
    fn default() -> Self {
        let pods = |number| Process { replicas: Replicas::known(number) };
        Self {
            distributor: pods(2),
            ingester: pods(3),
            querier: LokiQuerier::default(),
            query_frontend: pods(2),
            query_scheduler: pods(2),
            index_gateway: pods(2),
            ruler: pods(2),
            gateway: pods(2),
            chunks_cache: pods(1),
            results_cache: pods(1),
            zone_aware: false,
            gateway_image: Image::known("docker.io/nginxinc/nginx-unprivileged:1.28.0-alpine"),
            cache_image: Image::known("docker.io/library/memcached:1.6.45-alpine"),
        }
    }
}

impl LokiProcesses {
    /// All whose number can be chosen, by their keys.
    pub fn all(&self) -> [(&'static str, Replicas); 10] {
        [
            ("distributor", self.distributor.replicas),
            ("ingester", self.ingester.replicas),
            ("querier", self.querier.replicas),
            ("queryFrontend", self.query_frontend.replicas),
            ("queryScheduler", self.query_scheduler.replicas),
            ("indexGateway", self.index_gateway.replicas),
            ("ruler", self.ruler.replicas),
            ("gateway", self.gateway.replicas),
            ("chunksCache", self.chunks_cache.replicas),
            ("resultsCache", self.results_cache.replicas),
        ]
    }

    /// The containers beside that of the ingester, each of which is the only one of its pods.
    pub(super) fn containers() -> Vec<OtherContainer> {
        [
            ("distributor", "100m", "128Mi", "512Mi"),
            ("querier", "100m", "256Mi", "1Gi"),
            ("query-frontend", "50m", "128Mi", "512Mi"),
            ("query-scheduler", "50m", "64Mi", "256Mi"),
            ("index-gateway", "50m", "128Mi", "1Gi"),
            ("compactor", "50m", "256Mi", "2Gi"),
            ("ruler", "50m", "128Mi", "512Mi"),
            ("gateway", "20m", "32Mi", "128Mi"),
            ("chunks-cache", "50m", "1Gi", "1Gi"),
            ("results-cache", "20m", "256Mi", "256Mi"),
        ]
        .map(|(name, cpu, memory, limit)| (name, Some(Resources::known(cpu, memory, limit))))
        .into()
    }
}
