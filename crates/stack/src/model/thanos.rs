use super::{Annotations, Labels, LogLevel, OtherContainer, Persistence, Pods, Process, Resources, part, settings};
use crate::units::{Duration, Image, Replicas};

settings! {
    /// Thanos: a side-car of Prometheus stores finished blocks of samples in object storage; there they are compacted, thinned
    /// out and kept, and answered from together with what Prometheus holds itself.
    pub struct Thanos {
        /// Run it. Needs `objectStorage`, and the name of the cluster in `prometheus.externalLabels`.
        pub enabled: bool,
        /// Its image, of all its processes and of the side-car; the tag is its version.
        pub image: Image,
        /// How long samples are kept in the bucket, by how fine they are.
        pub retention: ThanosRetention,
        /// What takes a query and asks side-cars and store for the samples.
        pub query: Process,
        /// What Grafana asks: it splits queries of long times by days, keeps answers, and passes on to `query`.
        pub query_frontend: Process,
        /// What answers from the bucket.
        pub store: ThanosStore,
        /// What compacts, thins out and deletes in the bucket. There is one, and may never be two.
        pub compactor: ThanosCompactor,
        /// How much they log.
        pub log_level: LogLevel,
        /// Let Prometheus scrape their metrics.
        pub monitored: bool,
        /// Where the pods run and what they may use: `resources` is for the container of `query`, `containers` for the others.
        /// The side-car is in the pods of Prometheus, which run where `prometheus.pods` says and have its account.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Thanos {
    fn default() -> Self {
        Self {
            enabled: false,
            image: Image::known("quay.io/thanos/thanos:v0.42.5"),
            retention: ThanosRetention::default(),
            query: Process { replicas: Replicas::known(2) },
            query_frontend: Process { replicas: Replicas::known(1) },
            store: ThanosStore::default(),
            compactor: ThanosCompactor::default(),
            log_level: LogLevel::Info,
            monitored: true,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(Thanos: pods("100m", "256Mi", "1Gi", containers), only_with(prometheus), metadata, volumes, objects, namespace(monitoring), rules(thanos));

settings! {
    /// How long samples are kept in the bucket. `0d` is for ever.
    pub struct ThanosRetention {
        /// Samples as they were scraped.
        pub raw: Duration,
        /// One of five minutes, for graphs of weeks. They are made when samples are 40 hours old.
        pub five_minutes: Duration,
        /// One of an hour, for graphs of years. They are made of those of five minutes, when these are 10 days old.
        pub one_hour: Duration,
    }
}

impl Default for ThanosRetention {
    fn default() -> Self {
        Self { raw: Duration::known("30d"), five_minutes: Duration::known("120d"), one_hour: Duration::known("2y") }
    }
}

settings! {
    /// What answers from the bucket.
    pub struct ThanosStore {
        /// How many pods there are. Each answers for the whole bucket.
        pub replicas: Replicas,
        /// What it keeps of the bucket's index, 6 to 30 MB of each block. It is read again where it is lost.
        pub persistence: Persistence,
    }
}

impl Default for ThanosStore {
    fn default() -> Self {
        Self { replicas: Replicas::known(1), persistence: Persistence::default() }
    }
}

settings! {
    /// What compacts, thins out and deletes in the bucket.
    #[derive(Default)]
    pub struct ThanosCompactor {
        /// Room for the blocks that it works at: those of two weeks, and what it makes of them. Nothing is kept there.
        pub persistence: Persistence,
    }
}

impl Thanos {
    /// The other containers, by their names: each is the only one of its pods, but the side-car.
    #[allow(clippy::unused_self, reason = "other parts have containers by what they are told")]
    fn containers(&self) -> Vec<OtherContainer> {
        vec![
            ("thanos-compact", Some(Resources::known("100m", "512Mi", "4Gi"))),
            ("thanos-query-frontend", Some(Resources::known("50m", "128Mi", "512Mi"))),
            ("thanos-sidecar", Some(Resources::known("50m", "64Mi", "512Mi"))),
            ("thanos-store", Some(Resources::known("100m", "512Mi", "2Gi"))),
        ]
    }

    fn volumes(&self) -> Vec<&Persistence> {
        vec![&self.store.persistence, &self.compactor.persistence]
    }

    fn uses_object_storage(&self) -> bool {
        self.enabled
    }
}
