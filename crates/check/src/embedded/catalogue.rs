//! Metrics: whether anything in the set exposes what queries ask for.
//!
//! `crates/check/catalogue` lists the metrics of each program, with their labels where all of them are known; the first
//! line of a list says where it is from, and `tools/metrics` writes it.

use super::query::{Parsing, Query};
use super::releases::life;
use super::targets::job_of_scrape_config;
use crate::finding::Findings;
use crate::object::MONITORING;
use crate::rule::rules;
use crate::world::World;
use crate::world::services::Service;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;
use vigil_yaml::Quoted;

rules! {
    UNKNOWN "query-unknown-metric" Warning Nobody "every metric that a query asks for is exposed"
    UNRECORDED "query-unrecorded" Warning Nobody "every recorded series that a query asks for has a recording rule"
    UNLISTED "query-unlisted-metric" Note Nobody "every metric of a known program is in its catalogue"
}

/// A program, and its metrics.
static LISTS: [(&str, &str); 13] = [
    ("alertmanager", include_str!("../../catalogue/alertmanager.txt")),
    ("alloy", include_str!("../../catalogue/alloy.txt")),
    ("blackbox-exporter", include_str!("../../catalogue/blackbox-exporter.txt")),
    ("coredns", include_str!("../../catalogue/coredns.txt")),
    ("etcd", include_str!("../../catalogue/etcd.txt")),
    (KUBE_STATE_METRICS, include_str!("../../catalogue/kube-state-metrics.txt")),
    (KUBERNETES, include_str!("../../catalogue/kubernetes.txt")),
    ("loki", include_str!("../../catalogue/loki.txt")),
    (NODE_EXPORTER, include_str!("../../catalogue/node-exporter.txt")),
    ("prometheus", include_str!("../../catalogue/prometheus.txt")),
    ("prometheus-operator", include_str!("../../catalogue/prometheus-operator.txt")),
    ("promtail", include_str!("../../catalogue/promtail.txt")),
    ("thanos", include_str!("../../catalogue/thanos.txt")),
];

const KUBE_STATE_METRICS: &str = "kube-state-metrics";
const NODE_EXPORTER: &str = "node-exporter";

/// The API server, the kubelets and the rest of the control plane, which expose much in common.
const KUBERNETES: &str = "Kubernetes";

/// All metrics.
pub(super) struct Catalogue(HashMap<&'static str, Metric>);

/// A metric.
#[derive(Default)]
struct Metric {
    /// Who exposes it.
    programs: Vec<&'static str>,
    /// Its labels, as the lists of its programs have them, and as all metrics of these programs have them.
    labels: Vec<&'static str>,
    /// It may have others.
    open: bool,
}

impl Catalogue {
    pub(super) fn get() -> &'static Self {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        CATALOGUE.get_or_init(|| {
            let mut metrics: HashMap<_, Metric> = HashMap::with_capacity(4096);
            for (program, list) in &LISTS {
                let mut shared = "";
                for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                    let (name, labels) = line
                        .split_once('{')
                        .map_or((line, None), |(name, rest)| (name, Some(rest.trim_end_matches('}'))));
                    if name == "*" {
                        shared = labels.unwrap_or_default();
                        continue;
                    }
                    let metric = metrics.entry(name).or_default();
                    metric.programs.push(*program);
                    metric.labels.extend(labels.into_iter().chain([shared]).filter(|labels| !labels.is_empty()));
                    metric.open |= labels.is_none();
                }
            }
            Self(metrics)
        })
    }

    /// Who exposes a metric, or the histogram that it is a part of.
    fn programs(&self, name: &str) -> Option<&[&'static str]> {
        self.metric(name).map(|metric| metric.programs.as_slice())
    }

    /// The labels of a metric, if all are known.
    pub(super) fn labels(&self, name: &str) -> Option<Vec<&'static str>> {
        let metric = self.metric(name).filter(|metric| !metric.open)?;
        Some(metric.labels.iter().flat_map(|labels| labels.split(',')).collect())
    }

    /// Whether a metric is listed, whatever its labels.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.metric(name).is_some()
    }

    /// Whether kube-state-metrics alone exposes a metric.
    pub(super) fn is_of_kube_state_metrics(&self, name: &str) -> bool {
        name.starts_with("kube_") && self.programs(name).is_some_and(|programs| programs == [KUBE_STATE_METRICS])
    }

    /// Whether each node, pod or request has its own series of a metric.
    pub(super) fn has_many_series(&self, name: &str) -> bool {
        let many = [KUBERNETES, KUBE_STATE_METRICS, NODE_EXPORTER];
        self.programs(name).is_some_and(|programs| programs.iter().all(|program| many.contains(program)))
    }

    fn metric(&self, name: &str) -> Option<&Metric> {
        let whole = || ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
        self.0.get(name).or_else(|| self.0.get(whole()?))
    }

    /// The metric that was meant by a name with a slip of the finger.
    fn near(&self, name: &str, recorded: &HashSet<&str>) -> Option<String> {
        let part =
            ["_bucket", "_sum", "_count"].iter().find(|part| name.ends_with(**part)).copied().unwrap_or_default();
        let base = &name[..name.len() - part.len()];
        let own = self.0.keys().copied().filter(|known| !part.is_empty() && is_near(base, known)).min();
        let own = own.map(|near| format!("{near}{part}"));
        let whole = || self.0.keys().copied().filter(|known| is_near(name, known)).min().map(str::to_owned);
        let made = || recorded.iter().copied().filter(|known| is_near(name, known)).min().map(str::to_owned);
        own.or_else(whole).or_else(made)
    }

    /// The program whose metrics begin as this name does.
    fn owner(name: &str) -> Option<&'static str> {
        let (first, _) = name.split_once('_')?;
        let owner = match first {
            "alertmanager" => "alertmanager",
            "blackbox" | "probe" => "blackbox-exporter",
            "coredns" => "coredns",
            "etcd" => "etcd",
            "kube" => KUBE_STATE_METRICS,
            "apiserver" | "kubelet" | "container" | "scheduler" | "kubeproxy" => KUBERNETES,
            "loki" => "loki",
            "node" => NODE_EXPORTER,
            "prometheus" => "prometheus",
            "promtail" => "promtail",
            "thanos" => "thanos",
            _ => return None,
        };
        Some(owner)
    }
}

/// Whether one name is the other with one or two slips.
pub(super) fn is_near(wanted: &str, known: &str) -> bool {
    let slips = if wanted.len() < 12 { 1 } else { 2 };
    if wanted.len().abs_diff(known.len()) > slips || wanted.as_bytes().first() != known.as_bytes().first() {
        return false;
    }
    // Each slip changes how often two letters stand there at most, and counting is cheaper than comparing.
    let mut counts = [0_i16; 32];
    wanted.bytes().for_each(|byte| counts[usize::from(byte % 32)] += 1);
    known.bytes().for_each(|byte| counts[usize::from(byte % 32)] -= 1);
    let changes: i32 = counts.iter().map(|count| i32::from(count.abs())).sum();
    changes <= if slips == 1 { 2 } else { 4 } && strsim::osa_distance(wanted, known) <= slips
}

/// The programs that the monitors of a set reach; nothing when there may be others.
pub(super) fn scraped(world: &World<'_>) -> Option<BTreeSet<&'static str>> {
    let mut programs = BTreeSet::new();
    for monitor in world.set.of_kind(MONITORING, "ServiceMonitor") {
        for service in world.scrape(monitor)?.services {
            let behind = world.behind(service);
            let images: Vec<&str> = behind.iter().flat_map(|pod| &world.pods[*pod].programs).copied().collect();
            programs.extend(images.iter().filter_map(|image| program(image)));
            if let Some(part) = control_plane(service) {
                programs.insert(part);
            } else if images.is_empty() {
                return None;
            }
        }
    }
    for monitor in world.set.of_kind(MONITORING, "PodMonitor") {
        let pods = world.scrape(monitor)?.pods;
        programs.extend(pods.iter().flat_map(|pod| &world.pods[*pod].programs).filter_map(|image| program(image)));
    }
    for probe in world.set.of_kind(MONITORING, "Probe") {
        let probers = world.probers(probe, world.asking_namespace());
        if probers.is_empty() {
            return None;
        }
        let images = probers.iter().flat_map(|(pod, _)| &world.pods[*pod].programs);
        programs.extend(images.filter_map(|image| program(image)));
    }
    for config in world.set.of_kind(MONITORING, "ScrapeConfig") {
        programs.insert(program_of_job(&job_of_scrape_config(config))?);
    }
    Some(programs)
}

/// The list for what is scraped by address, where it has the `job` that rules know a program by.
fn program_of_job(job: &str) -> Option<&'static str> {
    match job {
        "kube-etcd" => Some("etcd"),
        "kube-controller-manager" | "kube-scheduler" | "kube-proxy" | "apiserver" | "kubelet" => Some(KUBERNETES),
        _ => program(job),
    }
}

/// The list for an image.
fn program(image: &str) -> Option<&'static str> {
    let is_it = |program: &&str| *program == image || (image.contains('_') && *program == image.replace('_', "-"));
    LISTS.iter().map(|(program, _)| *program).find(is_it)
}

/// How many of the rules that its Prometheuses evaluate a set shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// Nobody knows.
    Unknown,
    /// Some: rules of any namespace are taken, and applications bring their own.
    Some,
    /// All.
    All,
}

/// Says that no rule records a series; where others may, only if it looks like a slip.
fn unrecorded(query: &Query<'_, '_>, metric: &str, recorded: &HashSet<&str>, rules: Rules, findings: &mut Findings) {
    let near = vigil_yaml::words::nearest(metric, recorded.iter().copied().collect::<BTreeSet<_>>());
    if rules == Rules::Some && near.is_none() {
        return;
    }
    query
        .place
        .add(&UNRECORDED, query.node, format!("no rule of the set records {}", Quoted(metric)), findings)
        .append(near.map(|near| format!("did you mean `{near}`?")), None)
        .help("add the rule that records it, or take the metrics that it is made of");
}

/// Judges the metrics of all queries. `scraped` are the programs whose metrics are there, if all of them are known. Where
/// the set shows some `rules`, only a recorded series that looks like a slip is told.
pub(super) fn check<'w>(
    queries: &[Query<'w, '_>],
    parsing: &Parsing<'w>,
    recorded: &HashSet<&str>,
    scraped: Option<&BTreeSet<&'static str>>,
    rules: Rules,
    findings: &mut Findings,
) {
    let catalogue = Catalogue::get();
    let mut nears: HashMap<String, Option<String>> = HashMap::new();
    for query in queries {
        let Some(parsed) = parsing.of(query) else { continue };
        let mut told = HashSet::new();
        for metric in parsed.selectors.iter().filter_map(|selector| selector.metric.as_deref()) {
            if recorded.contains(metric) || !told.insert(metric) {
                continue;
            }
            if let Some(programs) = catalogue.programs(metric) {
                let shared =
                    programs.len() > 2 || ["go_", "process_", "promhttp_"].iter().any(|it| metric.starts_with(it));
                if let Some(scraped) = scraped
                    && !shared
                    && !query.variables
                    && !programs.iter().any(|program| scraped.contains(program))
                {
                    let message = format!("nothing in the set exposes {}", Quoted(metric));
                    query
                        .place
                        .add(&UNKNOWN, query.node, message, findings)
                        .label(format!("a metric of {}, which no monitor reaches", programs.join(" and ")))
                        .help("add a ServiceMonitor for it, or leave the rule out");
                }
                continue;
            }
            if rules != Rules::Unknown && metric.contains(':') {
                unrecorded(query, metric, recorded, rules, findings);
                continue;
            }
            // What is no more is told of with what took its place.
            if life(metric).is_some() {
                continue;
            }
            let near = nears.entry(metric.to_owned()).or_insert_with(|| catalogue.near(metric, recorded));
            if let Some(near) = near {
                let message = format!("nothing is known to expose {}", Quoted(metric));
                query.place.add(&UNKNOWN, query.node, message, findings).label(format!("did you mean `{near}`?"));
            } else if let Some(owner) = Catalogue::owner(metric).filter(|_| !query.variables) {
                let message = format!("{} is not among the known metrics of {owner}", Quoted(metric));
                query
                    .place
                    .add(&UNLISTED, query.node, message, findings)
                    .help("check its name; it may be one of another version");
            }
        }
    }
}

/// What part of the control plane a Service leads to, whose pods no set has.
fn control_plane(service: &Service<'_>) -> Option<&'static str> {
    let label = |key: &str| service.selector.get(key);
    match (label("component"), label("k8s-app"), service.namespace, service.name) {
        (Some("etcd"), ..) => Some("etcd"),
        (_, Some("kube-dns" | "coredns"), ..) | (_, _, "kube-system", "kube-dns") => Some("coredns"),
        (Some("kube-apiserver" | "kube-controller-manager" | "kube-scheduler"), ..)
        | (_, Some("kube-proxy"), ..)
        | (_, _, "default", "kubernetes") => Some(KUBERNETES),
        _ if service.selector.is_empty() && service.name.ends_with("kubelet") => Some(KUBERNETES),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_and_slips() {
        let catalogue = Catalogue::get();
        let recorded = HashSet::from(["job:up:sum"]);
        for (name, expected) in [
            ("node_cpu_seconds_total", Ok(())),
            ("apiserver_request_duration_seconds_bucket", Ok(())),
            ("kube_pod_info", Ok(())),
            ("node_cpu_second_total", Err(Some("node_cpu_seconds_total"))),
            ("apiserver_request_duraton_seconds_bucket", Err(Some("apiserver_request_duration_seconds_bucket"))),
            ("job:up:summ", Err(Some("job:up:sum"))),
            ("http_requests_total", Err(None)),
            ("up", Err(None)),
            ("ALERTS", Err(None)),
        ] {
            let found = catalogue.programs(name).map(|_| ()).ok_or_else(|| catalogue.near(name, &recorded));
            assert_eq!(
                found.as_ref().map_err(|near| near.as_deref()),
                expected.as_ref().map_err(|near| *near),
                "{name}"
            );
        }
    }

    #[test]
    fn every_list_says_where_it_is_from() {
        for (program, list) in &LISTS {
            assert!(list.starts_with("# ") && list.lines().count() > 20, "{program}");
        }
    }
}
