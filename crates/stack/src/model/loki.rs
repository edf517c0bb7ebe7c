use super::{Annotations, Labels, LogLevel, LokiProcesses, OtherContainer, Pods, RuleFile, choice, part, settings};
use crate::beside::{Beside, Kind};
use crate::units::{Amount, ByteSize, Date, DnsSubdomain, Duration, Image, Quantity, StreamSelector, TenantId};
use serde_json::{Map, Value};

settings! {
    /// Loki, the log store: one process with its data on one volume, or in object storage; or three of them, or many small ones.
    pub struct Loki {
        /// Run it.
        pub enabled: bool,
        /// Its image. Grafana needs 2.9 or newer; the configuration is written for 3.
        pub image: Image,
        /// What processes there are.
        pub mode: LokiMode,
        /// What it is made of in `mode: distributed`.
        pub distributed: LokiProcesses,
        /// Where log lines are stored, and how, from which day on: the history of the store, oldest first. It only grows.
        /// What lies in the store was written by the period of its day, so a period that has begun cannot change, and none
        /// is removed as long as lines of it are kept.
        pub schema: Vec<SchemaPeriod>,
        /// How long log lines are kept, at least 24h; without it, for ever.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub retention: Option<Duration>,
        /// Streams that are kept for another time than `retention` says.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub retention_streams: Vec<RetentionStream>,
        /// How much it takes in and answers; of each tenant, if there are several.
        pub limits: LokiLimits,
        /// Tenants, each of which sees its own lines only. Requests then name one, by the header `X-Scope-OrgID`: collectors
        /// the first of them, Grafana all. Loki does not ask whether somebody is who he says.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub tenants: Vec<TenantId>,
        /// How much it logs itself.
        pub log_level: LogLevel,
        /// Where the data lives. In `mode: distributed`, each pod of ingester, index gateway and compactor has such a volume.
        pub persistence: Persistence,
        /// Rules of your own about log lines, beside those that come with the stack: files as Loki's ruler reads them, with
        /// expressions of LogQL.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub rules: Vec<RuleFile>,
        /// What else Loki can be told, in its own words, over what follows from the rest of the stack: further limits, caches.
        /// Credentials are refused here.
        #[serde(skip_serializing_if = "Map::is_empty")]
        pub config: Map<String, Value>,
        /// Let Prometheus scrape its own metrics, if the stack has one.
        pub monitored: bool,
        /// Where its pods run and what they may use. In `mode: distributed`, `resources` is for the ingester, and `containers` for
        /// the others, by their names: `distributor`, `querier` and so on.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Loki {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("docker.io/grafana/loki:3.7.8"),
            mode: LokiMode::Single,
            distributed: LokiProcesses::default(),
            schema: vec![SchemaPeriod::usual()],
            retention: Some(Duration::known("7d")),
            retention_streams: Vec::new(),
            limits: LokiLimits::default(),
            tenants: Vec::new(),
            log_level: LogLevel::Info,
            persistence: Persistence::default(),
            rules: Vec::new(),
            config: Map::new(),
            monitored: true,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(Loki: pods("100m", "256Mi", "1Gi", containers), metadata, volume, objects, files, namespace(logging), rules(loki));

/// Streams that are kept for a time of their own.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RetentionStream {
    /// Which streams.
    pub selector: StreamSelector,
    /// How long they are kept, at least 24h.
    pub period: Duration,
    /// Of several that select a stream, the one with the highest counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Amount>,
}

settings! {
    /// How much Loki takes in and answers. What it does not say is as Loki has it by itself.
    #[derive(Default)]
    pub struct LokiLimits {
        /// Lines that are taken in one second; without it, 4MB. What is more is refused, and collectors try again for a while.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ingestion_rate: Option<ByteSize>,
        /// Lines that are taken at one moment, at least as much as a collector sends at once; without it, 6MB.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ingestion_burst: Option<ByteSize>,
        /// Streams, which are different sets of labels, that get lines at the same time; without it, 5000. 0 is no limit.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max_streams: Option<Amount>,
        /// The length of a line; without it, 256KB. What is longer is refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max_line_size: Option<ByteSize>,
        /// The time from beginning to end that a query may ask for; without it, 721h. 0 is no limit.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max_query_length: Option<Duration>,
        /// How far back a query finds anything; without it, to the oldest line.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max_query_lookback: Option<Duration>,
        /// Series that a query may answer with; without it, 500.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max_query_series: Option<Amount>,
    }
}

choice! {
    /// What processes Loki is.
    #[serde(rename_all = "kebab-case")]
    pub enum LokiMode {
        /// One.
        Single,
        /// Three that hold each line three times and each do all there is to do, so that one of them may be away. Needs
        /// object storage.
        Ha,
        /// A program for each thing that there is to do, in pods of its own, as `distributed` says. Needs object storage.
        Distributed,
    }
}

/// From a day on, how log lines are stored.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SchemaPeriod {
    /// The first day, which begins at midnight UTC. Of a new period it is a day to come.
    pub from: Date,
    /// The kind of index.
    #[serde(default = "tsdb")]
    pub store: IndexStore,
    /// The version of the format.
    #[serde(default = "newest_format")]
    pub schema: SchemaFormat,
    /// Where lines and index are.
    #[serde(default = "filesystem")]
    pub object_store: ObjectStore,
}

fn tsdb() -> IndexStore {
    IndexStore::Tsdb
}

fn newest_format() -> SchemaFormat {
    SchemaFormat::V13
}

fn filesystem() -> ObjectStore {
    ObjectStore::Filesystem
}

impl SchemaPeriod {
    /// The only period of a stack that says none.
    fn usual() -> Self {
        Self { from: Date::known("2024-01-01"), store: tsdb(), schema: newest_format(), object_store: filesystem() }
    }
}

choice! {
    /// The kind of an index.
    #[serde(rename_all = "kebab-case")]
    pub enum IndexStore {
        /// What every new period has.
        Tsdb,
        /// What Loki had before 2.8, for periods that are past.
        BoltdbShipper,
    }
}

choice! {
    /// The version of the format in which lines and index are stored.
    #[serde(rename_all = "lowercase")]
    pub enum SchemaFormat {
        /// For periods that are past.
        V11,
        /// For periods that are past.
        V12,
        /// What every new period has.
        V13,
    }
}

choice! {
    /// Where Loki stores log lines and their index, by Loki's own names.
    #[serde(rename_all = "lowercase")]
    pub enum ObjectStore {
        /// Its volume.
        Filesystem,
        /// `objectStorage.s3`.
        S3,
        /// `objectStorage.gcs`.
        Gcs,
        /// `objectStorage.azure`.
        Azure,
    }
}

impl ObjectStore {
    /// Its name in Loki's configuration; for all but the volume, also its key below `objectStorage`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filesystem => "filesystem",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
        }
    }
}

const RULES: Kind = Kind {
    name: "rule file",
    expected: "a file of rules as Loki's ruler reads it",
    help: "write `groups:` with a list of groups, each with `name` and `rules`",
    compact: None,
};

impl Loki {
    fn files(&self) -> Vec<Beside<'_>> {
        RuleFile::named(&self.rules, &RULES)
    }

    fn take_file(&mut self, at: usize, text: String) -> Result<(), String> {
        self.rules[at].take(text)
    }

    /// Whether a period of it is in object storage.
    pub fn uses_object_storage(&self) -> bool {
        self.schema.iter().any(|period| period.object_store != ObjectStore::Filesystem)
    }

    /// Where new lines are stored: the last period's.
    pub fn object_store(&self) -> ObjectStore {
        self.schema.last().map_or(ObjectStore::Filesystem, |period| period.object_store)
    }

    /// The number of pods that keep lines until they are stored.
    pub fn replicas(&self) -> u16 {
        match self.mode {
            LokiMode::Single => 1,
            LokiMode::Ha => 3,
            LokiMode::Distributed => self.distributed.ingester.replicas.get(),
        }
    }

    /// How many of its pods each line is in.
    pub fn replication(&self) -> u16 {
        if self.mode == LokiMode::Single { 1 } else { 3 }
    }

    fn containers(&self) -> Vec<OtherContainer> {
        if self.mode == LokiMode::Distributed { LokiProcesses::containers() } else { Vec::new() }
    }
}

settings! {
    /// A volume that outlives its pod.
    pub struct Persistence {
        /// Claim a volume. Without it every new pod starts empty, and most changes of the component make a new pod.
        pub enabled: bool,
        /// Its size. A StatefulSet cannot change it afterwards.
        pub size: Quantity,
        /// The StorageClass; without one, the cluster's default.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub storage_class_name: Option<DnsSubdomain>,
    }
}

impl Default for Persistence {
    fn default() -> Self {
        Self { enabled: false, size: Quantity::known("10Gi"), storage_class_name: None }
    }
}
