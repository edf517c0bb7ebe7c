//! How large a stack has to be for its cluster: series, memory, volumes, and when one machine ends.
//!
//! An estimate to begin with. Every number that it rests on is in [`COEFFICIENTS`], with its source, and can be another.

mod coefficients;
mod loki;

use coefficients::Key;
pub use coefficients::{COEFFICIENTS, Coefficient, Coefficients};

use vigil_diff::{Pods, Row, Totals};
use vigil_stack::Parsed;
use vigil_stack::model::{ClusterSize, Persistence, Prometheus, Resources, Stack};
use vigil_stack::units::{Duration, Quantity};
use vigil_yaml::Problem;

/// A figure, and how it came about.
#[derive(Debug)]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// How much.
    pub value: String,
    /// What of.
    pub formula: String,
}

/// A key of the stack that is too small.
#[derive(Debug, PartialEq, Eq)]
pub struct Small {
    /// The dotted path.
    pub key: String,
    /// What it is now.
    pub now: String,
    /// What it should be.
    pub needed: String,
}

/// What a cluster asks of a stack.
#[derive(Debug, Default)]
pub struct Sizing {
    /// The figures of each program, under its name.
    pub figures: Vec<(&'static str, Vec<Figure>)>,
    /// The keys that are too small.
    pub small: Vec<Small>,
    /// What sizes alone do not mend.
    pub advice: Vec<String>,
}

const DAY: f64 = 86_400.0;
const GIB: f64 = 1_073_741_824.0;
const MIB: f64 = 1_048_576.0;

/// Calculates what a cluster of this size asks of a stack: of Prometheus if the size tells series, of Loki if it tells logs.
pub fn size(stack: &Stack, cluster: &ClusterSize, coefficients: &Coefficients) -> Sizing {
    let mut sizing = Sizing::default();
    if stack.prometheus.enabled && cluster.tells_series() {
        let needs = prometheus(stack, cluster, coefficients, &mut sizing);
        if stack.thanos.enabled {
            thanos(stack, &needs, coefficients, &mut sizing);
        }
    }
    if let Some(logs) = cluster.logs_per_day.as_ref().filter(|_| stack.loki.enabled) {
        loki::size(stack, logs.as_thousandths() / 1000.0, coefficients, &mut sizing);
    }
    sizing
}

/// Warns of every key that is too small for the size of the cluster, as far as the stack says it.
pub fn warnings(parsed: &Parsed) -> Vec<Problem> {
    let sizing = size(&parsed.stack, &parsed.stack.cluster_size, &Coefficients::default());
    let warning = |Small { key, now, needed }: &Small| {
        Problem::warning(format!("`{key}` is too small for this cluster: {now}"), parsed.place(key))
            .label(format!("`clusterSize` asks for {needed}"))
            .help("`vigil size` says why, and `vigil size --write` sets it")
    };
    sizing.small.iter().map(warning).collect()
}

/// What Prometheus needs.
struct Needs {
    /// What the series are made of.
    formula: String,
    /// Groups of pods that share the targets.
    shards: f64,
    /// Series of one pod, and of the samples those of a second.
    series: f64,
    rate: f64,
    /// Bytes and cores of one pod.
    memory: f64,
    cores: f64,
    /// Bytes on the disk of one pod: a day of blocks, the write-ahead log, everything.
    day: f64,
    log: f64,
    stored: f64,
}

impl Needs {
    fn of(own: &Prometheus, cluster: &ClusterSize, by: &Coefficients) -> Self {
        let (all, formula) = series(cluster, by);
        let shards = (all / by.get(Key::SeriesPerShard)).ceil().max(f64::from(own.shards.get()));
        let series = all / shards;
        let interval = own.scrape_interval.length().as_secs_f64().max(1.0);
        let rate = series / interval;
        let day = rate * DAY * by.get(Key::BytesPerSample) * by.get(Key::Index);
        let log = rate * by.get(Key::LogHours) * 3600.0 * by.get(Key::LogBytesPerSample);
        Self {
            formula: if shards > 1.0 { format!("({formula}) / {shards} shards") } else { formula },
            shards,
            series,
            rate,
            memory: (by.get(Key::BytesPerSeries) * series).max(by.get(Key::MemoryLeast)),
            cores: (by.get(Key::CoresPerMillion) * series / 1e6 * 30.0 / interval).max(0.1),
            day,
            log,
            stored: day * days(&own.retention) + log,
        }
    }

    fn figures(&self, own: &Prometheus, by: &Coefficients) -> Vec<Figure> {
        let (bytes, limit) = (grouped(by.get(Key::BytesPerSeries)), by.get(Key::MemoryLimit));
        let millicores = format!("{}m", (self.cores * 1000.0).ceil());
        let cores = by.get(Key::CoresPerMillion);
        let (day, log) = (binary(self.day), binary(self.log));
        vec![
            figure("active series", grouped(self.series), self.formula.clone()),
            figure("samples a second", grouped(self.rate), format!("every {}", own.scrape_interval)),
            figure("memory", binary(self.memory), format!("{bytes} bytes a series; the limit {limit} times that")),
            figure("CPU", millicores, format!("{cores} cores for a million series at 30s")),
            figure(
                "on disk",
                binary(self.stored),
                format!("{day} a day for {}, and {log} of write-ahead log", own.retention),
            ),
            figure("volume", binary(self.stored / by.get(Key::Full)), percent_full(by)),
        ]
    }
}

fn prometheus(stack: &Stack, cluster: &ClusterSize, by: &Coefficients, sizing: &mut Sizing) -> Needs {
    let own = &stack.prometheus;
    let needs = Needs::of(own, cluster, by);
    sizing.figures.push(("Prometheus, each pod", needs.figures(own, by)));
    let small = &mut sizing.small;
    compare_resources("prometheus.pods.resources", &stack.pods_of(own).resources, needs.cores, needs.memory, by, small);
    if own.retention_size.as_bytes() > 0.0 && own.retention_size.as_bytes() < needs.stored {
        let needed = format!("{}GiB", (needs.stored / GIB).ceil());
        small.push(Small { key: "prometheus.retentionSize".to_owned(), now: own.retention_size.to_string(), needed });
    }
    compare_volume("prometheus.persistence", &own.persistence, needs.stored / by.get(Key::Full), small);
    if needs.shards > f64::from(own.shards.get()) {
        let (now, needed) = (own.shards.get().to_string(), needs.shards.to_string());
        small.push(Small { key: "prometheus.shards".to_owned(), now, needed });
    }
    advise_of_thanos(stack, needs.shards, &mut sizing.advice);
    needs
}

/// All series, and what they are made of.
fn series(cluster: &ClusterSize, by: &Coefficients) -> (f64, String) {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let (own, measured) =
        (cluster.application_series.unwrap_or_default() as f64, cluster.active_series.map(|it| it as f64));
    if let Some(measured) = measured {
        return (measured.max(1.0), "measured".to_owned());
    }
    let [base, node, pod] = [Key::SeriesBase, Key::SeriesPerNode, Key::SeriesPerPod].map(|key| by.get(key));
    let [nodes, pods] = [cluster.nodes, cluster.pods].map(|count| f64::from(count.unwrap_or_default()));
    let applications = if own > 0.0 { format!(" + {} of applications", grouped(own)) } else { String::new() };
    let formula = format!(
        "{} + {} × {} nodes + {} × {} pods{applications}",
        grouped(base),
        grouped(node),
        grouped(nodes),
        grouped(pod),
        grouped(pods)
    );
    (base + node * nodes + of_pods(pods, by) + own, formula)
}

/// The series that cAdvisor and kube-state-metrics have of pods.
fn of_pods(pods: f64, by: &Coefficients) -> f64 {
    by.get(Key::SeriesPerPod) * pods
}

/// Adds to what two sets ask of a cluster the series of their pods, as far as the sets say how many there are.
pub fn add_series(totals: &mut Totals) {
    let by = Coefficients::default();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let series = |pods: i64| grouped(of_pods(pods as f64, &by));
    let mut add = |name, pods: fn(&Pods) -> i64| {
        let [before, after] = totals.pods.each_ref().map(|it| series(pods(it)));
        totals.rows.push(Row { name, before, after });
    };
    add("series of its pods, about", |pods| pods.fixed);
    add("series of its pods on each node, about", |pods| pods.each_node);
}

fn advise_of_thanos(stack: &Stack, shards: f64, advice: &mut Vec<String>) {
    if stack.thanos.enabled {
        return;
    }
    let own = &stack.prometheus;
    if shards > 1.0 {
        advice.push("a query sees the samples of one shard only: thanos.enabled lets it see all of them".to_owned());
    } else if own.replicas.get() > 1 {
        advice.push(
            "a query sees the samples of one replica, with the gaps of its restarts: thanos.enabled joins them"
                .to_owned(),
        );
    }
    if days(&own.retention) > 30.0 {
        advice.push(format!(
            "samples of {} on a disk are lost with it, and graphs of them are slow: thanos.enabled keeps them in a bucket",
            own.retention
        ));
    }
}

fn thanos(stack: &Stack, needs: &Needs, by: &Coefficients, sizing: &mut Sizing) {
    let own = &stack.thanos;
    let kept = [&own.retention.raw, &own.retention.five_minutes, &own.retention.one_hour];
    let coarse = by.get(Key::BucketPerResolution);
    let for_ever = kept.iter().any(|kept| days(kept) == 0.0);
    let pods = needs.shards * f64::from(stack.prometheus.replicas.get());
    let by_day = needs.day * pods;
    let bucket: f64 = kept.iter().zip([1.0, coarse, coarse]).map(|(kept, weight)| days(kept) * weight * by_day).sum();
    let compactor = (2.0 * 14.0 * needs.day).max(by.get(Key::CompactorLeast));
    // A block of two weeks of each resolution, and those that are not compacted yet.
    let blocks = pods * (kept.iter().map(|kept| (days(kept) / 14.0).ceil()).sum::<f64>() + 16.0);
    let store = blocks * by.get(Key::StorePerBlock);
    let growth = if for_ever { ", and growing: something is kept for ever" } else { "" };
    sizing.figures.push((
        "Thanos",
        vec![
            figure(
                "bucket, at most",
                binary(bucket),
                format!(
                    "{} a day of {} pods for {}, and {} times that for each of {} and {}{growth}",
                    binary(by_day),
                    pods,
                    kept[0],
                    coarse,
                    kept[1],
                    kept[2]
                ),
            ),
            figure("compactor's disk", binary(compactor), "two weeks of the largest pod, twice".to_owned()),
            figure(
                "store's disk",
                binary(store),
                format!("{} blocks of {}", grouped(blocks), binary(by.get(Key::StorePerBlock))),
            ),
        ],
    ));
    compare_volume("thanos.compactor.persistence", &own.compactor.persistence, compactor, &mut sizing.small);
    compare_volume("thanos.store.persistence", &own.store.persistence, store, &mut sizing.small);
}

fn percent_full(by: &Coefficients) -> String {
    format!("{} % full", (by.get(Key::Full) * 100.0).round())
}

fn figure(name: &'static str, value: String, formula: String) -> Figure {
    Figure { name, value, formula }
}

/// Compares what a container requests and may use. `at` is the key of its resources.
fn compare_resources(at: &str, now: &Resources, cores: f64, memory: f64, by: &Coefficients, small: &mut Vec<Small>) {
    let mut compare = |key: &str, now: Option<&Quantity>, needed: f64, spelled: String| {
        if let Some(now) = now.filter(|now| now.as_thousandths() < needed * 1000.0) {
            small.push(Small { key: format!("{at}.{key}"), now: now.to_string(), needed: spelled });
        }
    };
    let (requests, limit) = (&now.requests, memory * by.get(Key::MemoryLimit));
    let millicores = format!("{}m", (cores * 20.0).ceil() * 50.0);
    compare("requests.cpu", requests.cpu.as_ref(), cores, millicores);
    compare("requests.memory", requests.memory.as_ref(), memory, memory_quantity(memory));
    compare("limits.memory", now.limits.memory.as_ref(), limit, memory_quantity(limit));
}

/// Compares the volume of a part. `key` is that of its persistence.
fn compare_volume(key: &str, now: &Persistence, needed: f64, small: &mut Vec<Small>) {
    if !now.enabled || now.size.as_thousandths() < needed * 1000.0 {
        let size = if now.enabled { now.size.to_string() } else { "no volume".to_owned() };
        small.push(Small {
            key: key.to_owned(),
            now: size,
            needed: format!("{}Gi", (needed / GIB / 5.0).ceil() * 5.0),
        });
    }
}

fn days(duration: &Duration) -> f64 {
    duration.length().as_secs_f64() / DAY
}

/// Bytes as a quantity of memory that people choose.
fn memory_quantity(bytes: f64) -> String {
    if bytes >= 4.0 * GIB {
        format!("{}Gi", (bytes / GIB).ceil())
    } else {
        format!("{}Mi", (bytes / MIB / 256.0).ceil() * 256.0)
    }
}

/// Bytes of memory and disks, to read.
fn binary(bytes: f64) -> String {
    scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
}

/// Bytes of log lines, to read.
fn decimal(bytes: f64) -> String {
    scaled(bytes, 1000.0, &["B", "kB", "MB", "GB", "TB"])
}

fn scaled(mut value: f64, step: f64, units: &[&str]) -> String {
    let mut at = 0;
    while value >= 1000.0 && at + 1 < units.len() {
        value /= step;
        at += 1;
    }
    let digits = usize::from(value < 10.0);
    format!("{value:.digits$}{}", units[at])
}

/// A whole number with its thousands apart.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
