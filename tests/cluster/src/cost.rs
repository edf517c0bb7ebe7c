//! What the rules cost: a Prometheus that scrapes a large cluster, and how long each group takes.

use crate::assets::program;
use crate::failure::{Context, Failure, Result};
use crate::http::{self, Http, encoded};
use crate::monitoring::write;
use crate::process::{Process, wait_for};
use crate::proof::Proof;
use crate::rules;
use crate::stacks::Rendered;
use crate::workplace;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vigil_played::cluster::Cluster;
use vigil_played::exporters::{Changes, Value as Played, say};
use vigil_promql::Expr;

const COLUMNS: [&str; 6] = ["group", "rules", "interval", "series read", "CPU time", "of its interval"];

/// How many targets share the series of the cluster.
const TARGETS: usize = 16;

/// The time between two samples, in seconds: that of the stack.
const SCRAPED: u64 = 30;

/// How far back instant queries look, in seconds.
const LOOKBACK: u64 = 300;

/// More of its interval no group may take.
const BUDGET: f64 = 0.1;

/// Groups that take less are told of together.
const LITTLE: f64 = 0.01;

/// How often each query is asked: garbage is collected for one of them and not for another.
const ASKED: usize = 3;

const LIMIT: Duration = Duration::from_secs(1800);

/// Has the rules of a stack evaluated in a cluster of so many nodes and pods.
pub(crate) fn measure(stack: &Rendered, nodes: usize, pods: usize) -> Result<Proof> {
    let queries = Queries::of(stack)?;
    eprintln!("  a cluster of {nodes} nodes and {pods} pods …");
    let now = seconds_now()?;
    let series = Arc::new(AllSeries::of(nodes, pods, now));
    let place = workplace::folder("cost-")?;
    let samples = backfill(&series, &queries, place.path(), now)?;
    rules::write_rules(stack, &place.path().join("rules"))?;
    let served = series.clone();
    let port = http::serve(move |path, _| served.page(path))?;
    let (process, http) = rules::start(stack, place.path(), &scrapes(port))?;
    settle(&http)?;
    let memory = process.anonymous_memory().unwrap_or_default();
    let mut proof = Proof::new("What they cost", &method((nodes, pods), &series, samples, memory), &COLUMNS);
    quiet(&mut proof, &http)?;
    let prometheus = Asked { process, http, moment: seconds_now()? };
    let groups = rules::groups(&prometheus.http)?;
    // What it scrapes and evaluates by itself would be counted with what it is asked.
    write(&place.path().join(rules::CONFIG), "{}")?;
    let reloaded = prometheus.http.send("POST", "/-/reload", "text/plain", "")?;
    if reloaded.status != 200 {
        return Err(Failure::new(format!("Prometheus does not reload: {}", reloaded.text)));
    }
    report(&mut proof, &prometheus, &groups, &queries)?;
    Ok(proof)
}

fn method(asked: (usize, usize), series: &AllSeries, samples: u64, memory: u64) -> String {
    let (nodes, pods) = asked;
    let found = series.all().filter(|one| one.name() == "kube_pod_info").count();
    format!(
        "Prometheus scrapes what exporters say of a cluster of {nodes} nodes and {found} pods, as far as rules \
         read it, every {SCRAPED} s:\n{} series. It has {} million samples of before, as far back as rules look at each \
         metric; what rules record begins with the run.\nPrometheus evaluates all rules, and none may have an error. Then each is \
         asked for {ASKED} times: the table has the time that a core works for\none evaluation, however many others it works \
         for; a series counts for each selector that reads it. A group may take a tenth of its interval.\nPrometheus took {} \
         MiB of memory. `just cost {nodes} {pods}` measures it again.",
        series.all().count(),
        samples / 1_000_000,
        memory >> 20,
    )
}

/// The queries of rules, by their groups, and how far back they look.
struct Queries {
    /// Of each group the selectors, as they are written.
    selectors: BTreeMap<String, Vec<String>>,
    /// Of each metric the longest range, in seconds.
    ranges: BTreeMap<String, u64>,
}

impl Queries {
    fn of(stack: &Rendered) -> Result<Self> {
        let mut found = Self { selectors: BTreeMap::new(), ranges: BTreeMap::new() };
        let groups = stack.objects.iter().filter(|object| object.kind() == "PrometheusRule");
        for group in groups.filter_map(|object| object.value["spec"]["groups"].as_array()).flatten() {
            let selectors = found.selectors.entry(text(&group["name"])).or_default();
            for rule in group["rules"].as_array().into_iter().flatten() {
                let expr = text(&rule["expr"]);
                let query = vigil_promql::parse(&expr)
                    .map_err(|error| Failure::new(format!("{}: {error:?}", group["name"])))?;
                selectors.extend(query.expr.selectors().iter().map(ToString::to_string));
                reach(&query.expr, 0, &mut found.ranges);
            }
        }
        Ok(found)
    }

    /// How far back a metric is looked at, in seconds.
    fn range(&self, name: &str) -> u64 {
        self.ranges.get(name).copied().unwrap_or_default() + LOOKBACK
    }
}

/// Takes down how far back each metric is looked at, by what stands around it as well.
fn reach(expr: &Expr, around: u64, ranges: &mut BTreeMap<String, u64>) {
    let seconds = |range: Option<Duration>| range.map_or(0, |range| range.as_secs());
    let own = match expr {
        Expr::Matrix(it) => around + seconds(it.range),
        Expr::Subquery(it) => around + seconds(it.range),
        _ => around,
    };
    if let Some(name) = expr.selector().and_then(|selector| selector.name.clone()) {
        let known = ranges.entry(name).or_default();
        *known = own.max(*known);
    }
    for part in expr.parts() {
        reach(part, own, ranges);
    }
}

/// A series that is scraped.
struct Series {
    text: String,
    value: Played,
    /// Its value is a time, and times begin when the cluster does.
    is_time: bool,
}

impl Series {
    fn new(text: String, value: Played) -> Self {
        let name = text.split('{').next().unwrap_or_default();
        let is_time = ["_created", "_time", "_timestamp", "_time_seconds", "_timestamp_seconds"];
        let is_time = is_time.iter().any(|end| name.ends_with(end));
        Self { text, value, is_time }
    }

    /// What it is called without what tells the parts of a histogram from each other.
    fn family(&self) -> &str {
        let name = self.name();
        ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
    }

    fn name(&self) -> &str {
        self.text.split('{').next().unwrap_or_default()
    }

    /// What it is at a moment of a cluster that has been watched for a day when its time begins.
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    fn write(&self, moment: u64, start: u64, into: &mut String) {
        let minutes = (moment as f64 - start as f64) / 60.0;
        let value = match self.value {
            Played::Line(first, slope) => first + slope * minutes,
            Played::Wavers(most) => most,
            Played::Counter(rate) => rate * (minutes + 24.0 * 60.0),
        };
        let value = if self.is_time { value + start as f64 } else { value };
        let _ = write!(into, "{} {value}", self.text);
    }
}

/// All series of a cluster.
struct AllSeries {
    /// By their targets. A histogram is whole: its buckets and its count are of one moment.
    targets: Vec<Vec<Series>>,
    /// When the time of the cluster began, in seconds.
    start: u64,
}

impl AllSeries {
    fn of(nodes: usize, pods: usize, now: u64) -> Self {
        let cluster = Cluster::large(nodes, pods);
        let said = say(&vigil_played::exporters(), &cluster, &Changes::default());
        let all: Vec<_> = said.into_iter().map(|(text, value)| Series::new(text, value)).collect();
        let mut targets: Vec<_> = (0..TARGETS).map(|_| Vec::new()).collect();
        let (mut family, mut target) = (String::new(), 0);
        for series in all {
            if series.family() != family {
                series.family().clone_into(&mut family);
                target = (target + 1) % TARGETS;
            }
            targets[target].push(series);
        }
        Self { targets, start: now }
    }

    fn all(&self) -> impl Iterator<Item = &Series> {
        self.targets.iter().flatten()
    }

    /// What the target answers whose number is its path.
    fn page(&self, path: &str) -> String {
        let target: usize = path.trim_start_matches('/').parse().unwrap_or_default();
        let now = seconds_now().unwrap_or_default();
        let mut text = String::new();
        for series in self.targets.get(target).into_iter().flatten() {
            series.write(now, self.start, &mut text);
            text.push('\n');
        }
        text
    }
}

/// Makes blocks of what was before: of each series as much as rules look at. How many samples that are.
fn backfill(series: &AllSeries, queries: &Queries, place: &Path, now: u64) -> Result<u64> {
    let file = place.join("samples.txt");
    let mut out = BufWriter::new(File::create(&file).context(file.display())?);
    let mut count = 0;
    let mut line = String::new();
    for one in series.all() {
        let first = (now - queries.range(one.name())).next_multiple_of(SCRAPED);
        for moment in (first..now).step_by(usize::try_from(SCRAPED).unwrap_or(1)) {
            line.clear();
            one.write(moment, series.start, &mut line);
            writeln!(out, "{line} {moment}").context(file.display())?;
            count += 1;
        }
    }
    writeln!(out, "# EOF").context(file.display())?;
    out.flush().context(file.display())?;
    eprintln!("  {} series, {count} samples of before …", series.all().count());
    let made = Command::new(program("promtool", "promtool")?)
        .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
        .args([&file, &place.join("data")])
        .output()
        .context("promtool")?;
    if !made.status.success() {
        return Err(Failure::new(format!("promtool: {}", String::from_utf8_lossy(&made.stderr))));
    }
    fs::remove_file(&file).context(file.display())?;
    Ok(count)
}

/// A job for all targets: the series say themselves whose they are.
fn scrapes(port: u16) -> Value {
    let job = |target: usize| {
        json!({
            "job_name": format!("played-{target}"),
            "honor_labels": true,
            "metrics_path": format!("/{target}"),
            "scrape_interval": format!("{SCRAPED}s"),
            "scrape_timeout": format!("{SCRAPED}s"),
            "static_configs": [{ "targets": [format!("127.0.0.1:{port}")] }],
        })
    };
    (0..TARGETS).map(job).collect()
}

/// Waits until all rules have been evaluated.
fn settle(http: &Http) -> Result<()> {
    eprintln!("  all groups are evaluated …");
    let ready = wait_for(LIMIT, || {
        sleep(Duration::from_secs(5));
        let groups = rules::groups(http).unwrap_or_default();
        !groups.is_empty() && groups.iter().all(rules::is_evaluated)
    });
    if ready { Ok(()) } else { Err(Failure::new("not all groups are evaluated")) }
}

/// A Prometheus that does nothing but answer.
struct Asked {
    process: Process,
    http: Http,
    /// When all that it is asked for was there.
    moment: u64,
}

impl Asked {
    fn answer(&self, query: &str) -> Result<Value> {
        let path = format!("/api/v1/query?time={}&query={}", self.moment, encoded(query));
        self.http.get(&path)?.ok(query)
    }

    /// The time that cores work for an answer, in seconds.
    fn cpu_time(&self, query: &str) -> Result<f64> {
        let mut times = Vec::new();
        for _ in 0..ASKED {
            let before = self.process.cpu_time().unwrap_or_default();
            self.answer(query)?;
            times.push(self.process.cpu_time().unwrap_or_default().saturating_sub(before));
        }
        times.sort();
        Ok(times.get(ASKED / 2).copied().unwrap_or_default().as_secs_f64())
    }

    /// How many series a selector selects.
    fn count(&self, selector: &str) -> Result<u64> {
        let answer = self.answer(&format!("count({selector})"))?;
        let value = answer.pointer("/data/result/0/value/1").and_then(Value::as_str).unwrap_or("0");
        value.parse().context(selector)
    }
}

/// What a group costs.
struct Cost {
    name: String,
    rules: usize,
    interval: f64,
    series: u64,
    seconds: f64,
}

impl Cost {
    fn share(&self) -> f64 {
        self.seconds / self.interval
    }
}

fn report(proof: &mut Proof, prometheus: &Asked, groups: &[Value], queries: &Queries) -> Result<()> {
    eprintln!("  each rule is asked for …");
    let mut costs = Vec::new();
    let mut read = BTreeMap::new();
    for group in groups {
        let name = text(&group["name"]);
        let rules = group["rules"].as_array().map_or(&[][..], Vec::as_slice);
        let mut seconds = 0.0;
        for rule in rules {
            proof.expect(rule["health"] == "ok", || format!("{name}: {}: {}", rule["name"], rule["lastError"]));
            seconds += prometheus.cpu_time(&text(&rule["query"]))?;
        }
        let mut series = 0;
        for selector in queries.selectors.get(&name).into_iter().flatten() {
            if !read.contains_key(selector) {
                read.insert(selector.clone(), prometheus.count(selector)?);
            }
            series += read.get(selector).copied().unwrap_or_default();
        }
        let interval = group["interval"].as_f64().unwrap_or_default();
        costs.push(Cost { name, rules: rules.len(), interval, series, seconds });
    }
    costs.sort_by(|one, other| other.share().total_cmp(&one.share()));
    for cost in &costs {
        proof.expect(cost.share() <= BUDGET, || {
            format!("{} takes {:.1} s of its interval of {} s", cost.name, cost.seconds, cost.interval)
        });
    }
    table(proof, costs);
    Ok(())
}

/// A row for each group that takes more than a little, and one for all others.
fn table(proof: &mut Proof, costs: Vec<Cost>) {
    let mut row = |name: String, interval: String, of: &[Cost]| {
        proof.row([
            name,
            of.iter().map(|cost| cost.rules).sum::<usize>().to_string(),
            interval,
            of.iter().map(|cost| cost.series).sum::<u64>().to_string(),
            format!("{:.2} s", of.iter().map(|cost| cost.seconds).sum::<f64>()),
            format!("{:.1} %", 100.0 * of.iter().map(Cost::share).sum::<f64>()),
        ]);
    };
    let (much, little): (Vec<_>, Vec<_>) = costs.into_iter().partition(|cost| cost.share() >= LITTLE);
    for cost in much {
        row(format!("`{}`", cost.name), format!("{} s", cost.interval), &[cost]);
    }
    row(format!("{} others, together", little.len()), String::new(), &little);
}

/// What fires costs more than what does not, and all is well here.
fn quiet(proof: &mut Proof, http: &Http) -> Result<()> {
    let answer = http.get("/api/v1/alerts")?.ok("the alerts")?;
    let alerts = answer.pointer("/data/alerts").and_then(Value::as_array);
    let firing = alerts.into_iter().flatten().filter(|alert| alert["state"] == "firing");
    let firing: BTreeSet<_> = firing.map(|alert| text(&alert["labels"]["alertname"])).collect();
    let firing = firing.into_iter().collect::<Vec<_>>().join(", ");
    proof.expect(firing == "Watchdog", || format!("these alerts fire: {firing}"));
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn seconds_now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("the time")?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `vigil size` counts is more than what rules read, and docs/stack.md says by how much.
    #[test]
    fn sizes_are_compared_with_this_cluster() {
        let count = |nodes, pods| {
            let series = AllSeries::of(nodes, pods, 0);
            (series.all().count(), series.all().filter(|one| one.name() == "kube_pod_info").count())
        };
        // Pods of DaemonSets come with nodes, so all pods are counted as they are.
        let [(small, few), (wide, same), (deep, many)] = [count(20, 600), count(40, 600), count(20, 1200)];
        let pod = (deep - small) / (many - few);
        let node = (wide - small - pod * (same - few)) / 20;
        let base = small - 20 * node - few * pod;
        let counted = [("series-base", base), ("series-per-node", node), ("series-per-pod", pod)];
        let rows = counted.map(|(key, found)| {
            let own = vigil::size::COEFFICIENTS.iter().find(|it| it.name == key).unwrap();
            assert!(own.value > f64::from(u32::try_from(found).unwrap()), "{key}: {found}");
            format!("| `{key}` | {found} | {} |\n", own.value)
        });
        let guide = std::fs::read_to_string(crate::stacks::root().join("docs/stack.md")).unwrap();
        assert!(guide.contains(&rows.concat()), "docs/stack.md does not say\n{}", rows.concat());
    }

    #[test]
    fn a_metric_is_looked_at_as_far_back_as_what_stands_around_it() {
        let mut ranges = BTreeMap::new();
        let query = vigil_promql::parse("rate(a[5m]) + max_over_time(rate(b[5m])[1h:1m]) - a + c").unwrap();
        reach(&query.expr, 0, &mut ranges);
        let ranges: Vec<_> = ranges.iter().map(|(name, range)| (name.as_str(), *range)).collect();
        assert_eq!(ranges, [("a", 300), ("b", 3900), ("c", 0)]);
    }

    #[test]
    fn a_series_goes_on_where_its_past_ended() {
        let at = |value: Played, is_time: bool, moment: u64| {
            let mut text = String::new();
            Series { text: "a".to_owned(), value, is_time }.write(moment, 6000, &mut text);
            text
        };
        assert_eq!(
            [5940, 6000, 6060].map(|moment| at(Played::Counter(2.0), false, moment)),
            ["a 2878", "a 2880", "a 2882"]
        );
        assert_eq!(at(Played::Line(3.0, 0.0), false, 5940), "a 3");
        assert_eq!(at(Played::Line(-60.0, 60.0), true, 6060), "a 6000");
    }
}
