//! The numbers that the calculation rests on.

use vigil_yaml::words::nearest;

/// A number that the calculation rests on.
#[derive(Debug)]
pub struct Coefficient {
    /// What it is called.
    pub name: &'static str,
    /// What it is when nobody says otherwise.
    pub value: f64,
    /// What it means, with its unit.
    pub meaning: &'static str,
    /// Where it is from.
    pub source: &'static str,
}

/// Declares the numbers, each by its key here, its name on the command line, its value, its meaning and its source.
macro_rules! coefficients {
    ($($key:ident $name:literal $value:literal $meaning:literal $source:literal,)*) => {
        /// A number, by which the calculation asks for it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Key {
            $($key,)*
        }

        /// Every number that the calculation rests on.
        pub const COEFFICIENTS: &[Coefficient] = &[
            $(Coefficient { name: $name, value: $value, meaning: $meaning, source: $source },)*
        ];
    };
}

coefficients! {
    SeriesBase "series-base" 20_000.0 "series of the control plane and of the stack itself"
        "a rule of thumb: measure it",
    SeriesPerNode "series-per-node" 1_500.0 "series of a node: node-exporter gives about 1,000, the kubelet the rest"
        "VictoriaMetrics' documentation for node-exporter; the rest is a rule of thumb",
    SeriesPerPod "series-per-pod" 250.0 "series of a pod: cAdvisor and kube-state-metrics"
        "DaoCloud: 8.3 samples a second at 30s; OpenShift's sizing table comes to 590 with all that it adds",
    BytesPerSeries "bytes-per-series" 8_000.0 "memory of a series, in bytes"
        "a maintainer of Prometheus, prometheus#4553",
    MemoryLeast "memory-least" 536_870_912.0 "memory of an empty Prometheus, in bytes"
        "a rule of thumb",
    MemoryLimit "memory-limit" 2.0 "limit of memory for its request: queries"
        "docs/stack.md: half of the limit as the request",
    CoresPerMillion "cores-per-million" 0.3 "cores for a million series at an interval of 30s"
        "public figures are 0.1 to 0.3",
    BytesPerSample "bytes-per-sample" 2.0 "bytes of a sample on disk"
        "prometheus.io: 1 to 2",
    Index "index" 1.2 "what a block takes for what its samples take"
        "1.3 to 2.1 bytes a sample measured with it",
    LogHours "log-hours" 3.0 "hours in the write-ahead log"
        "Prometheus: a block of two hours, and half of the next",
    LogBytesPerSample "log-bytes-per-sample" 8.0 "bytes of a sample in the write-ahead log"
        "a rule of thumb",
    Full "full" 0.8 "how full a volume may be"
        "prometheus.io: 80 to 85 % for retentionSize",
    SeriesPerShard "series-per-shard" 2_000_000.0 "series that one Prometheus takes well"
        "16 GB of memory",
    BucketPerResolution "bucket-per-resolution" 0.9 "what the samples of five minutes, and those of an hour, take in the bucket at most, for what the raw ones take"
        "Thanos' documentation: up to three times with all of them",
    CompactorLeast "compactor-least" 1e11 "disk of the compactor, in bytes, at least"
        "Thanos' documentation",
    StorePerBlock "store-per-block" 3e7 "disk of the store for each block, in bytes"
        "thanos.io: 6 MB, up to 30",
    Lines "lines" 0.15 "what log lines take compressed"
        "0.1 to 0.3 is seen: measure it",
    LinesPerLoki "lines-per-loki" 2e10 "bytes of lines a day that one Loki takes well"
        "Grafana's documentation: 20 GB",
    LinesPerIngester "lines-per-ingester" 5e11 "bytes of lines a day for each ingester of a distributed Loki"
        "Loki's guide to sizes, up to 3 TB a day: 6 ingesters",
    LinesPerDistributor "lines-per-distributor" 7.5e11 "the same for each distributor"
        "the same: 4 distributors",
    LinesPerQuerier "lines-per-querier" 3e11 "the same for each querier; queries that search much need ten times as many"
        "the same: 10 queriers",
    LinesPerQueryFrontend "lines-per-query-frontend" 1.5e12 "the same for each query-frontend"
        "the same: 2 query-frontends",
    LinesPerIndexGateway "lines-per-index-gateway" 7.5e11 "the same for each index-gateway"
        "the same: 4 index-gateways",
    LinesPerProgram "lines-per-program" 3e12 "bytes of lines a day up to which programs of these sizes are enough"
        "the same: larger ones for more",
}

/// The numbers of one calculation.
#[derive(Clone, Debug)]
pub struct Coefficients(Vec<f64>);

impl Default for Coefficients {
    fn default() -> Self {
        Self(COEFFICIENTS.iter().map(|it| it.value).collect())
    }
}

impl Coefficients {
    /// Makes one another number, said as `NAME=VALUE`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, such as series-per-pod=250")?;
        let Some(known) = COEFFICIENTS.iter().position(|it| it.name == name) else {
            let near = nearest(name, COEFFICIENTS.iter().map(|it| it.name));
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(format!("there is no `{name}`{near} `vigil size --coefficients` lists them"));
        };
        let value: f64 = value.parse().map_err(|_| format!("`{value}` is no number"))?;
        // What divides must not be zero, and no number here means anything below.
        if !(value.is_finite() && value > 0.0) {
            return Err(format!("`{name}` is a number above 0"));
        }
        // A volume that may be as full as it is has no room for what `retentionSize` does not count.
        if known == Key::Full as usize && value >= 1.0 {
            return Err(format!("`{name}` is a share below 1"));
        }
        self.0[known] = value;
        Ok(())
    }

    /// There is a number for every key.
    pub(super) fn get(&self, key: Key) -> f64 {
        self.0[key as usize]
    }
}
