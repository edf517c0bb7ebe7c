//! Thanos on a bucket: samples of two replicas, uploaded, found once, downsampled and deleted.

use crate::assets::program;
use crate::failure::{Context, Failure, Result};
use crate::http::{Http, encoded};
use crate::process::{Process, free_port, tail, wait_for};
use crate::proof::Proof;
use crate::stacks::Rendered;
use crate::workplace;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const METHOD: &str = "\
Two replicas of Prometheus get four days of samples, 35 days old, as blocks that `promtool` makes of OpenMetrics. Beside each
runs a side-car with the arguments that prometheus-operator 0.87.1 gives it; store, query, query-frontend and compactor run with
the arguments and files of `stacks/longterm.yaml`. They reach the bucket by S3, as `stacks/lab.yaml` has it: versitygw v1.8.0 runs
with the arguments of its Deployment `lab-object-storage`, on a folder that its init container's command has made, and whoever uses
the bucket has its `objstore.yaml` and the variables of its pod, with keys that no other client has. Other than there: addresses are
ports of the loopback, as there is no DNS, and folders are other ones; the compactor runs once, without `--wait`, and takes blocks
that have just been uploaded (`--consistency-delay=0s`). The retention of raw samples in that stack is 30 days, so the compactor
has to make coarser samples of these and to mark the raw ones for deletion in the same run. Then two more Prometheus with equal
external labels upload their blocks, and the compactor, as it stands in the stack, must halt and say so by the metric that
`ThanosCompactHalted` reads.
Thanos is v0.42.4, which Go 1.26.8 can build: v0.42.5 differs in its version and its tests alone.";

const COLUMNS: [&str; 3] = ["step", "expected", "found"];

/// How long each step may take, on a machine that does other things as well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// The series, each with a sample a minute.
const SERIES: usize = 5;

/// How many days ago the samples begin: raw ones are kept for a shorter time.
const AGE: u64 = 35;

const DAY: u64 = 24 * 3600;

/// Has the compactor take blocks of this minute.
const NOW: &str = "--consistency-delay=0s";

/// What the key of a Secret holds that the stack's object storage lets in: see [`environment`].
const SECRET: &str = "secret-access-key";

/// The length of a block of Prometheus, in seconds.
const BLOCK: u64 = 2 * 3600;

pub(crate) fn prove(stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("Samples of years, once", METHOD, &COLUMNS);
    let Some(stack) = stacks.iter().find(|stack| stack.has("thanos")) else {
        proof.skip("no stack has Thanos");
        return Ok(proof);
    };
    let place = workplace::folder("longterm-")?;
    let Some(lab) = stacks.iter().find(|stack| stack.has("lab-object-storage")) else {
        proof.skip("no stack has object storage of its own");
        return Ok(proof);
    };
    let bucket = Bucket::in_lab(lab, place.path())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the time")?.as_secs();
    // Twice two whole days, which become a block each once there are two newer ones.
    let first = (now / DAY - AGE) / 2 * 2 * DAY;
    let last = first + 4 * DAY + 2 * BLOCK;
    let samples = place.path().join("samples.txt");
    fs::write(&samples, open_metrics(first, last)).context(samples.display())?;

    let mut replicas = Vec::new();
    for replica in 0..2 {
        replicas.push(Replica::start(stack, place.path(), &bucket, &samples, (replica, replica))?);
    }
    let blocks = usize::try_from((last - first) / BLOCK).unwrap_or(0) * replicas.len();
    let uploaded = wait_for(PATIENCE, || bucket.blocks().is_ok_and(|found| found.len() >= blocks));
    let found = bucket.blocks()?.len();
    proof.expect(uploaded, || format!("{found} of {blocks} blocks are uploaded"));
    row(&mut proof, "blocks in the bucket, of two hours each", blocks, found);
    keys(&mut proof, &bucket, place.path())?;

    let endpoints: Vec<u16> = replicas.iter().map(|replica| replica.grpc).collect();
    let (frontend, query, store) = answering(stack, place.path(), &bucket, &endpoints)?;
    let moment = first + DAY;
    let ask = |http: &Http, text: &str, dedup: bool| count(http, text, moment, dedup);
    let series = "count(proof_samples_total)";
    for (what, dedup, expected) in
        [("series 34 days ago", true, SERIES), ("the same without deduplication", false, 2 * SERIES)]
    {
        let found = ask(&frontend.http, series, dedup)?;
        proof.expect(found == expected, || format!("{what}: {found} instead of {expected}"));
        row(&mut proof, what, expected, found);
    }
    let sum = "sum(increase(proof_samples_total[1h]))";
    let whole = ask(&frontend.http, sum, true)?;

    // One of two replicas is gone, and then both: the bucket has all of it.
    let mut replicas = replicas.into_iter();
    for (what, killed) in [("a side-car killed", replicas.next()), ("both killed", replicas.next())] {
        if let Some(replica) = killed {
            replica.kill();
        }
        let found = ask(&query.http, series, true)?;
        proof.expect(found == SERIES, || format!("{what}: {found} series instead of {SERIES}"));
        let again = ask(&query.http, sum, true)?;
        proof.expect(again == whole, || format!("{what}: an increase of {again} instead of {whole}"));
        row(&mut proof, &format!("series with {what}"), SERIES, found);
    }
    drop(store);

    compact(stack, place.path(), &bucket, &mut proof)?;

    // Two that say they are one.
    let before = bucket.blocks()?.len();
    let mut twins = Vec::new();
    for number in 2..4 {
        twins.push(Replica::start(stack, place.path(), &bucket, &samples, (number, 2))?);
    }
    wait_for(PATIENCE, || bucket.blocks().is_ok_and(|found| found.len() >= before + blocks));
    let halted = halts(stack, place.path(), &bucket)?;
    proof.expect(halted, || "the compactor does not halt at blocks that overlap".to_owned());
    row(&mut proof, "`thanos_compact_halted` after two Prometheus with equal labels", 1, usize::from(halted));
    drop(twins);
    Ok(proof)
}

/// Who can list the bucket.
fn keys(proof: &mut Proof, bucket: &Bucket, place: &Path) -> Result<()> {
    for (what, secret, expected) in
        [("clients with the keys that can list it", SECRET, 1), ("clients with another key that can", "stranger", 0)]
    {
        let found = usize::from(bucket.listed(place, secret)?);
        proof.expect(found == expected, || format!("{what}: {found} instead of {expected}"));
        row(proof, what, expected, found);
    }
    Ok(())
}

/// So many milliseconds in hours, rounded: a block ends with its last sample.
fn hours(milliseconds: i64) -> usize {
    usize::try_from((milliseconds + 1_800_000) / 3_600_000).unwrap_or(0)
}

pub(crate) fn row(proof: &mut Proof, step: &str, expected: usize, found: usize) {
    proof.row([step.to_owned(), expected.to_string(), found.to_string()]);
}

/// Samples of some days, as text.
fn open_metrics(first: u64, last: u64) -> String {
    let mut text = "# TYPE proof_samples counter\n".to_owned();
    for series in 0..SERIES {
        for (at, moment) in (first..last).step_by(60).enumerate() {
            let _ = writeln!(text, "proof_samples_total{{series=\"{series}\"}} {} {moment}", at * (series + 1));
        }
    }
    text + "# EOF\n"
}

/// A bucket whose objects are files.
pub(crate) struct Bucket {
    folder: PathBuf,
    /// The file that names it.
    pub(crate) config: PathBuf,
    /// Where its server is, if it has one.
    pub(crate) address: String,
    /// What serves it, unless programs read the files themselves.
    _server: Option<Process>,
}

impl Bucket {
    /// A bucket of a stack with object storage of its own, served as the stack serves it.
    pub(crate) fn in_lab(stack: &Rendered, place: &Path) -> Result<Self> {
        let object = stack.object("lab-object-storage", "Deployment")?;
        let pod = &object.value["spec"]["template"]["spec"];
        let (init, server) = (&pod["initContainers"][0], &pod["containers"][0]);
        let (root, port) = (place.join("object-storage"), free_port()?);
        let (own_port, own_root) = (&server["ports"][0]["containerPort"], "/data/");
        let words = |list: &Value| -> Vec<String> {
            let there = |word: &str| {
                let word = word.replace(&format!("=:{own_port}"), &format!("=127.0.0.1:{port}"));
                word.strip_prefix(own_root).map_or_else(|| word.clone(), |path| root.join(path).display().to_string())
            };
            list.as_array().into_iter().flatten().filter_map(Value::as_str).map(there).collect()
        };
        let command = words(&init["command"]);
        let made =
            Command::new(&command[0]).args(&command[1..]).args(words(&init["args"])).status().context("mkdir")?;
        if !made.success() {
            return Err(Failure::new(format!("make-buckets: {made}")));
        }
        let keys = environment(server);
        let mut process = Process::start(
            "versitygw",
            &program("versitygw", "versitygw")?,
            words(&server["args"]),
            &borrowed(&keys),
            place,
        )?;
        let (http, path) = (Http::at(port), server["readinessProbe"]["httpGet"]["path"].as_str().unwrap_or_default());
        process.wait_until(PATIENCE, || http.is_ok(path))?;
        let own = format!("{}.{}.svc:{own_port}", object.name(), object.namespace());
        let config = file(stack, place, "objstore.yaml", |text| text.replace(&own, &format!("127.0.0.1:{port}")))?;
        let name = stack.stack.object_storage.buckets.thanos.as_ref().map(ToString::to_string).unwrap_or_default();
        let folder = root.join("buckets").join(name);
        let address = format!("127.0.0.1:{port}");
        Ok(Self { folder, config: config.into(), address, _server: Some(process) })
    }

    /// Another bucket of the same server.
    pub(crate) fn sibling(&self, name: &str) -> PathBuf {
        self.folder.with_file_name(name)
    }

    /// Whether `thanos tools` lists it with a key that is `secret`.
    fn listed(&self, place: &Path, secret: &str) -> Result<bool> {
        let status = Command::new(program("thanos", "thanos")?)
            .args(["tools", "bucket", "ls", &format!("--objstore.config-file={}", self.config.display())])
            .envs([("AWS_ACCESS_KEY_ID", "access-key-id"), ("AWS_SECRET_ACCESS_KEY", secret)])
            .current_dir(place)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("thanos tools")?;
        Ok(status.success())
    }

    /// A directory that programs read themselves.
    pub(crate) fn directory(place: &Path) -> Result<Self> {
        let (folder, config) = (place.join("bucket"), place.join("objstore.yaml"));
        fs::create_dir_all(&folder).context(folder.display())?;
        let text = format!("type: FILESYSTEM\nconfig:\n  directory: {}\n", folder.display());
        fs::write(&config, text).context(config.display())?;
        Ok(Self { folder, config, address: String::new(), _server: None })
    }

    /// What is said of each block, and whether it is marked for deletion.
    fn blocks(&self) -> Result<Vec<(Value, bool)>> {
        let mut blocks = Vec::new();
        for entry in fs::read_dir(&self.folder).context(self.folder.display())? {
            let block = entry.context(self.folder.display())?.path();
            // A block whose description is not there yet is being uploaded.
            let Ok(text) = fs::read_to_string(block.join("meta.json")) else { continue };
            let meta = serde_json::from_str(&text).context(block.display())?;
            blocks.push((meta, block.join("deletion-mark.json").exists()));
        }
        Ok(blocks)
    }
}

/// A process of Thanos that answers by HTTP.
pub(crate) struct Thanos {
    pub(crate) http: Http,
    grpc: u16,
    process: Process,
}

impl Thanos {
    /// Ends it as a node does that is lost.
    pub(crate) fn kill(self) {
        self.process.kill();
    }
}

/// A Prometheus, and its side-car.
struct Replica {
    prometheus: Process,
    sidecar: Process,
    grpc: u16,
}

impl Replica {
    /// The `number`th, with the external labels of the `replica`th.
    fn start(
        stack: &Rendered,
        place: &Path,
        bucket: &Bucket,
        samples: &Path,
        (number, replica): (usize, usize),
    ) -> Result<Self> {
        eprintln!("  Prometheus {number} gets its samples …");
        let folder = place.join(format!("prometheus-{number}"));
        let data = folder.join("data");
        fs::create_dir_all(&data).context(data.display())?;
        let made = Command::new(program("promtool", "promtool")?)
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .args([samples, &data])
            .output()
            .context("promtool")?;
        if !made.status.success() {
            return Err(Failure::new(format!("promtool: {}", String::from_utf8_lossy(&made.stderr))));
        }
        let object = stack.object("prometheus", "Prometheus")?;
        let mut labels = object.value["spec"]["externalLabels"].as_object().cloned().unwrap_or_default();
        labels.insert("prometheus".to_owned(), format!("{}/{}", object.namespace(), object.name()).into());
        labels.insert("prometheus_replica".to_owned(), format!("prometheus-{}-{replica}", object.name()).into());
        let config = folder.join("prometheus.json");
        let text = serde_json::json!({ "global": { "external_labels": labels } }).to_string();
        fs::write(&config, text).context(config.display())?;
        let port = free_port()?;
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", data.display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            // As the operator has it beside a side-car that uploads.
            "--storage.tsdb.min-block-duration=2h".to_owned(),
            "--storage.tsdb.max-block-duration=2h".to_owned(),
            // The samples are older than those of a Prometheus beside Thanos.
            "--storage.tsdb.retention.time=60d".to_owned(),
        ];
        let name = format!("prometheus-{number}");
        let mut prometheus = Process::start(&name, &program("prometheus", "prometheus")?, arguments, &[], place)?;
        let http = Http::at(port);
        prometheus.wait_until(PATIENCE, || http.is_ok("/-/ready"))?;

        let spec = &object.value["spec"]["thanos"];
        let (web, grpc) = (free_port()?, free_port()?);
        let client = folder.join("client.yaml");
        fs::write(&client, "tls_config:\n  insecure_skip_verify: true\n").context(client.display())?;
        // pkg/prometheus/server/statefulset.go, createThanosContainer.
        let arguments = [
            "sidecar".to_owned(),
            format!("--prometheus.url=http://127.0.0.1:{port}/"),
            format!("--grpc-address=127.0.0.1:{grpc}"),
            format!("--http-address=127.0.0.1:{web}"),
            format!("--objstore.config-file={}", bucket.config.display()),
            format!("--tsdb.path={}", data.display()),
            format!("--log.level={}", spec["logLevel"].as_str().unwrap_or("info")),
            format!("--log.format={}", spec["logFormat"].as_str().unwrap_or("logfmt")),
            format!("--prometheus.http-client-file={}", client.display()),
        ];
        let name = format!("sidecar-{number}");
        let keys = environment(&object.value["spec"]["containers"][0]);
        let mut sidecar = Process::start(&name, &program("thanos", "thanos")?, arguments, &borrowed(&keys), place)?;
        let http = Http::at(web);
        sidecar.wait_until(PATIENCE, || http.is_ok("/-/ready"))?;
        Ok(Self { prometheus, sidecar, grpc })
    }

    fn kill(self) {
        self.sidecar.kill();
        self.prometheus.kill();
    }
}

/// The container of a workload of Thanos.
fn container<'a>(stack: &'a Rendered, name: &str) -> Result<&'a Value> {
    let object = stack.objects.iter().find(|object| {
        object.component.starts_with("thanos")
            && object.name() == name
            && ["Deployment", "StatefulSet"].contains(&object.kind())
    });
    let object = object.ok_or_else(|| Failure::new(format!("{}: no workload {name}", stack.name)))?;
    Ok(&object.value["spec"]["template"]["spec"]["containers"][0])
}

/// The variables that a container takes from Secrets. What a key of a Secret holds is the key's own name.
fn environment(container: &Value) -> Vec<(String, OsString)> {
    let of_secret = |variable: &Value| {
        let key = variable.pointer("/valueFrom/secretKeyRef/key")?.as_str()?;
        Some((variable["name"].as_str()?.to_owned(), key.into()))
    };
    container["env"].as_array().into_iter().flatten().filter_map(of_secret).collect()
}

pub(crate) fn borrowed(environment: &[(String, OsString)]) -> Vec<(&str, &OsStr)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_os_str())).collect()
}

/// The arguments of a container, with what is other here in the place of what stands there.
pub(crate) fn arguments(container: &Value, other: &[(&str, String)]) -> Vec<String> {
    let words = container["args"].as_array();
    let words: Vec<String> = words.into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect();
    let replaced = |word: String| {
        other
            .iter()
            .find_map(|(flag, value)| word.starts_with(&format!("{flag}=")).then(|| format!("{flag}={value}")))
            .unwrap_or(word)
    };
    words.into_iter().map(replaced).collect()
}

/// Starts a process of the stack on these ports for HTTP and gRPC, with what is other here in the place of what stands there.
pub(crate) fn start(
    stack: &Rendered,
    name: &str,
    ports: (u16, u16),
    place: &Path,
    other: Vec<(&str, String)>,
) -> Result<Thanos> {
    start_with(stack, name, ports, place, (other, Vec::new()))
}

/// The same, with `more` arguments, for what no pod has to be told.
pub(crate) fn start_with(
    stack: &Rendered,
    name: &str,
    (web, grpc): (u16, u16),
    place: &Path,
    (mut other, more): (Vec<(&str, String)>, Vec<String>),
) -> Result<Thanos> {
    other.push(("--http-address", format!("127.0.0.1:{web}")));
    other.push(("--grpc-address", format!("127.0.0.1:{grpc}")));
    let container = container(stack, name)?;
    let words = arguments(container, &other).into_iter().chain(more);
    let (log, keys) = (format!("{name}-{web}"), environment(container));
    let mut process = Process::start(&log, &program("thanos", "thanos")?, words, &borrowed(&keys), place)?;
    let http = Http::at(web);
    process.wait_until(PATIENCE, || http.is_ok("/-/ready"))?;
    Ok(Thanos { http, grpc, process })
}

/// A file of the stack's ConfigMap, written where a process reads it.
pub(crate) fn file(stack: &Rendered, place: &Path, name: &str, change: impl FnOnce(&str) -> String) -> Result<String> {
    let own = stack.objects.iter().filter(|object| object.component.starts_with("thanos"));
    let mut texts = own.filter(|object| object.kind() == "ConfigMap");
    // The others hold dashboards.
    let text = texts.find_map(|object| object.value["data"].get(name)).cloned().unwrap_or_default();
    let path = place.join(name);
    fs::write(&path, change(text.as_str().unwrap_or_default())).context(path.display())?;
    Ok(path.display().to_string())
}

/// Store, query and query-frontend.
fn answering(stack: &Rendered, place: &Path, bucket: &Bucket, sidecars: &[u16]) -> Result<(Thanos, Thanos, Thanos)> {
    let config = bucket.config.display().to_string();
    let data = place.join("store").display().to_string();
    let other = vec![("--objstore.config-file", config), ("--data-dir", data)];
    let store = start(stack, "thanos-store", (free_port()?, free_port()?), place, other)?;
    // The addresses of the Services, each replaced by those that it would lead to.
    let endpoints = file(stack, place, "endpoints.yaml", |text| {
        let of = |ports: &[u16]| {
            ports.iter().fold(String::new(), |all, port| all + &format!("- address: 127.0.0.1:{port}\n"))
        };
        text.split_inclusive('\n')
            .map(|line| match line {
                line if line.contains("thanos-discovery") => of(sidecars),
                line if line.contains("thanos-store") => of(&[store.grpc]),
                // Those have a proof of their own.
                line if line.contains("thanos-receive") => String::new(),
                line => line.to_owned(),
            })
            .collect()
    })?;
    let asked = free_port()?;
    let other = vec![("--endpoint.sd-config-file", endpoints)];
    let query = start(stack, "thanos-query", (asked, free_port()?), place, other)?;
    let cache = file(stack, place, "cache.yaml", str::to_owned)?;
    let other = vec![
        ("--query-frontend.downstream-url", format!("http://127.0.0.1:{asked}")),
        ("--query-range.response-cache-config-file", cache.clone()),
        ("--labels.response-cache-config-file", cache),
    ];
    let frontend = start(stack, "thanos-query-frontend", (free_port()?, free_port()?), place, other)?;
    // It asks them every few seconds who they are.
    let all = sidecars.len() + 1;
    wait_for(PATIENCE, || connections(&query.http) == all);
    if connections(&query.http) != all {
        return Err(Failure::new(format!("the query is connected to {} of {all}", connections(&query.http))));
    }
    Ok((frontend, query, store))
}

fn connections(http: &Http) -> usize {
    let text = http.get("/metrics").map(|answer| answer.text).unwrap_or_default();
    let own = text.lines().filter(|line| line.starts_with("thanos_store_nodes_grpc_connections{"));
    own.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

/// The only number that a query answers with, rounded.
fn count(http: &Http, query: &str, moment: u64, dedup: bool) -> Result<usize> {
    let path =
        format!("/api/v1/query_range?query={}&start={moment}&end={moment}&step=60&dedup={dedup}", encoded(query));
    let answer = http.get(&path)?.ok(query)?;
    let value = answer.pointer("/data/result/0/values/0/1").and_then(Value::as_str).unwrap_or("0");
    let value: f64 = value.parse().context(query)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, or a sum of whole numbers")]
    Ok(value.round() as usize)
}

/// One run of the compactor, and what is in the bucket afterwards.
fn compact(stack: &Rendered, place: &Path, bucket: &Bucket, proof: &mut Proof) -> Result<()> {
    eprintln!("  the compactor runs once …");
    let other = [
        ("--objstore.config-file", bucket.config.display().to_string()),
        ("--data-dir", place.join("compact").display().to_string()),
        ("--http-address", format!("127.0.0.1:{}", free_port()?)),
    ];
    let container = container(stack, "thanos-compact")?;
    let mut words = arguments(container, &other);
    words.retain(|word| word != "--wait");
    words.push(NOW.to_owned());
    let run = Command::new(program("thanos", "thanos")?)
        .args(&words)
        .envs(environment(container))
        .output()
        .context("thanos compact")?;
    if !run.status.success() {
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        return Err(Failure::new(format!("thanos compact: {}\n{}", run.status, tail(&said, 15))));
    }
    let blocks = bucket.blocks()?;
    let number = |meta: &Value, at: &str| meta.pointer(at).and_then(Value::as_i64).unwrap_or_default();
    let of = |resolution: i64, marked: bool| {
        let is = |(meta, is_marked): &&(Value, bool)| {
            number(meta, "/thanos/downsample/resolution") == resolution && *is_marked == marked
        };
        blocks.iter().filter(is).count()
    };
    let longest = blocks.iter().map(|(meta, _)| number(meta, "/maxTime") - number(meta, "/minTime")).max().unwrap_or(0);
    // Two days of each of two replicas, twice.
    for (what, expected, found) in [
        ("blocks of five minutes after the compaction, of two days each", 4, of(300_000, false)),
        ("raw blocks that are kept: they are older than 30 days", 0, of(0, false)),
        ("hours that the longest block has", 48, hours(longest)),
    ] {
        proof.expect(found == expected, || format!("{what}: {found} instead of {expected}"));
        row(proof, what, expected, found);
    }
    Ok(())
}

/// Whether the compactor, which goes on running, says that it has halted.
fn halts(stack: &Rendered, place: &Path, bucket: &Bucket) -> Result<bool> {
    eprintln!("  the compactor runs until it halts …");
    let web = free_port()?;
    let other = [
        ("--objstore.config-file", bucket.config.display().to_string()),
        ("--data-dir", place.join("halting").display().to_string()),
        ("--http-address", format!("127.0.0.1:{web}")),
    ];
    let container = container(stack, "thanos-compact")?;
    let mut words = arguments(container, &other);
    words.push(NOW.to_owned());
    let (http, keys) = (Http::at(web), environment(container));
    let _process = Process::start("compact", &program("thanos", "thanos")?, words, &borrowed(&keys), place)?;
    let says = |line: &str| http.get("/metrics").is_ok_and(|answer| answer.text.lines().any(|found| found == line));
    Ok(wait_for(PATIENCE, || says("thanos_compact_halted 1")))
}
