//! What Loki answers to panels: a real one, a separate and unmodified program, where somebody has built it.

use crate::panels::{Labels, LogQuestion};
use crate::rendered;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vigil_played::exporters::parse_series;
use vigil_played::yaml;

/// When pods begin to write what troubles them, in minutes.
const TROUBLED: u32 = 40;

/// How long it may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// The newest lines of a panel that are drawn.
const LINES: usize = 60;

/// An entry of `logs.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writer {
    /// How the names of the pods begin.
    pods: String,
    container: String,
    app: String,
    /// Seconds from one line to the next.
    every: u32,
    lines: Vec<String>,
    #[serde(default)]
    troubled: Vec<String>,
}

impl Writer {
    /// A line and its second, from the start to a minute.
    fn written(&self, until: u32) -> impl Iterator<Item = (u32, &str)> {
        let line = |at: u32| {
            let second = at * self.every;
            let number = at as usize;
            let troubled = second >= TROUBLED * 60 && number % 4 == 3 && !self.troubled.is_empty();
            let from = if troubled { &self.troubled } else { &self.lines };
            (second, from[(number / if troubled { 4 } else { 1 }) % from.len()].as_str())
        };
        (0..until * 60 / self.every).map(line)
    }
}

/// A running Loki that has the lines of the cluster.
pub(crate) struct Loki {
    process: Child,
    base: String,
    /// The second of the epoch that is the start of the cluster.
    start: u64,
}

impl Drop for Loki {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Loki {
    /// Starts the program with the configuration of the default stack, and brings it what the pods of `series` write.
    pub(crate) fn start(program: &Path, series: &[Value], until: u32, step: u64) -> Self {
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures-loki");
        // What an earlier run left.
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        let config = rendered::loki_configuration().replace("/data/loki", &place.join("data").display().to_string());
        fs::write(place.join("loki.yaml"), config).unwrap();
        let [http, grpc] = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [http, grpc] = [http, grpc].map(|socket| socket.local_addr().unwrap().port());
        let mut command = Command::new(program);
        command.arg(format!("-config.file={}", place.join("loki.yaml").display()));
        command.args(["-server.http-listen-address=127.0.0.1", "-server.grpc-listen-address=127.0.0.1"]);
        command.args([format!("-server.http-listen-port={http}"), format!("-server.grpc-listen-port={grpc}")]);
        // Hours come within seconds.
        command.args(["-distributor.ingestion-rate-limit-mb=1000", "-distributor.ingestion-burst-size-mb=1000"]);
        command.args(["-ingester.per-stream-rate-limit=1GB", "-ingester.per-stream-rate-limit-burst=1GB"]);
        // None of them is stored by then, and it looks for older ones than two hours and a half where they would be.
        command.arg("-ingester.query-store-max-look-back-period=6h");
        let log = fs::File::create(place.join("log")).unwrap();
        let process = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        // It refuses what is old; and aligns what it is asked for to steps.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let start = (now - u64::from(until) * 60) / step * step;
        let mut loki = Self { process, base: format!("http://127.0.0.1:{http}"), start };
        loki.wait(&place);
        loki.push(series, until);
        loki
    }

    fn wait(&mut self, place: &Path) {
        let said = || fs::read_to_string(place.join("log")).unwrap_or_default();
        for _ in 0..PATIENCE.as_secs() {
            if ureq::get(format!("{}/ready", self.base)).call().is_ok() {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "Loki has ended: {}", said());
            sleep(Duration::from_secs(1));
        }
        panic!("Loki is not ready: {}", said());
    }

    fn push(&self, series: &[Value], until: u32) {
        let writers: Vec<Writer> = yaml(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/logs.yaml"));
        let pods = pods(series);
        for writer in &writers {
            let mut own = pods.iter().filter(|pod| pod.name.starts_with(&writer.pods)).peekable();
            assert!(own.peek().is_some(), "logs.yaml: no pod's name begins with `{}`", writer.pods);
            for pod in own {
                // Otherwise all pods of a Deployment write at once.
                let late = u64::from(pod.name.bytes().map(u32::from).sum::<u32>() % writer.every) * 1_000_000_000;
                let nanosecond = |second: u32| (self.start + u64::from(second)) * 1_000_000_000 + late;
                let values: Vec<_> =
                    writer.written(until).map(|(second, line)| json!([nanosecond(second).to_string(), line])).collect();
                let stream = json!({
                    "namespace": pod.namespace, "pod": pod.name, "node_name": pod.node, "container": writer.container,
                    "app": writer.app, "job": format!("{}/{}", pod.namespace, writer.app),
                });
                let body = json!({ "streams": [{ "stream": stream, "values": values }] }).to_string();
                let push = ureq::post(format!("{}/loki/api/v1/push", self.base)).content_type("application/json");
                push.send(body).unwrap_or_else(|error| panic!("Loki takes no lines of {}: {error}", pod.name));
            }
        }
    }

    /// What it answers to a question from one minute to another.
    pub(crate) fn ask(&self, question: &LogQuestion, minutes: (u32, u32), step: u64) -> Answer {
        let second = |minute: u32| self.start + u64::from(minute) * 60;
        let (first, last) = (second(minutes.0), second(minutes.1));
        let address = format!("{}/loki/api/v1/query_range", self.base);
        let asked = ureq::get(address).query("query", &question.expr).query("limit", LINES.to_string());
        let asked =
            asked.query("start", first.to_string()).query("end", last.to_string()).query("step", format!("{step}s"));
        let told = |error: &dyn std::fmt::Display| panic!("{}: {}: {error}", question.who, question.expr);
        let text = match asked.call() {
            Ok(mut answer) => answer.body_mut().read_to_string().unwrap(),
            Err(error) => told(&error),
        };
        let answer: Value = serde_json::from_str(&text).unwrap();
        let data = &answer["data"];
        let result = data["result"].as_array().into_iter().flatten();
        if data["resultType"] == "streams" {
            let mut lines: Vec<_> = result.flat_map(|stream| self.lines(stream)).collect();
            lines.sort_by(|one, other| other.second.cmp(&one.second).then_with(|| one.text.cmp(&other.text)));
            lines.truncate(LINES);
            return Answer::Logs(lines);
        }
        let moments = usize::try_from((last - first) / step).unwrap() + 1;
        let line = |one: &Value| {
            let mut values = vec![None; moments];
            for sample in one["values"].as_array().into_iter().flatten() {
                let at = usize::try_from((sample[0].as_u64().unwrap() - first) / step).unwrap();
                let value: f64 = sample[1].as_str().unwrap().parse().unwrap();
                values[at] = value.is_finite().then_some(value);
            }
            (labels(&one["metric"]), values)
        };
        Answer::Lines(result.map(line).collect())
    }

    fn lines(&self, stream: &Value) -> Vec<LogLine> {
        let level = stream["stream"]["detected_level"].as_str().unwrap_or("unknown").to_owned();
        let line = |value: &Value| {
            let nanoseconds: u64 = value[0].as_str().unwrap().parse().unwrap();
            let second = nanoseconds / 1_000_000_000 - self.start;
            LogLine { second, level: level.clone(), text: value[1].as_str().unwrap().to_owned() }
        };
        stream["values"].as_array().into_iter().flatten().map(line).collect()
    }
}

/// The values of lines by their labels, with none where there is no sample.
pub(crate) type Lines = BTreeMap<Labels, Vec<Option<f64>>>;

/// What a question is answered.
pub(crate) enum Answer {
    Lines(Lines),
    /// The newest first.
    Logs(Vec<LogLine>),
}

impl Answer {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Lines(lines) => lines.is_empty(),
            Self::Logs(lines) => lines.is_empty(),
        }
    }
}

/// A line of a log.
#[derive(serde::Serialize)]
pub(crate) struct LogLine {
    /// From the start of the cluster.
    second: u64,
    level: String,
    text: String,
}

fn labels(metric: &Value) -> Labels {
    let labels = metric.as_object().into_iter().flatten();
    labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// A pod that runs from the start.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pod {
    namespace: String,
    name: String,
    node: String,
}

fn pods(series: &[Value]) -> BTreeSet<Pod> {
    let there = |series: &&Value| !series["values"].as_str().unwrap().starts_with('_');
    let pod = |series: &Value| {
        let (name, labels) = parse_series(series["series"].as_str().unwrap());
        let label = |name: &str| labels.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let pod = Pod { namespace: label("namespace")?, name: label("pod")?, node: label("node")? };
        (name == "kube_pod_info" && !pod.node.is_empty()).then_some(pod)
    };
    series.iter().filter(there).filter_map(pod).collect()
}
