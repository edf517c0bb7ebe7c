//! Receivers of Thanos: samples that another cluster sends by remote write, and one of three receivers that is lost.

use crate::assets::program;
use crate::failure::{Context, Failure, Result};
use crate::http::{Http, encoded};
use crate::longterm::{Bucket, PATIENCE, Thanos, file, row, start, start_with};
use crate::pki::Pki;
use crate::process::{Process, free_port, wait_for};
use crate::proof::Proof;
use crate::stacks::Rendered;
use crate::workplace;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const METHOD: &str = "\
Three receivers, a router and a query run with the arguments and files of `stacks/longterm.yaml`; other than there, the bucket is a
directory and addresses are ports of the loopback. The router has a certificate and asks for one. A Prometheus with a certificate
and `cluster: fra-01` scrapes itself every second and sends to the router; another one has no certificate. Then one of the receivers
is killed with SIGKILL while samples come, and started again. In the end each sample that Prometheus itself has of the whole time
must be in a receiver. A ruler, with the arguments that prometheus-operator 0.87.1 gives it, evaluates the stack's rules over all
clusters, of which one sends. Thanos is v0.42.4, as for the proof above.";

const COLUMNS: [&str; 3] = ["step", "expected", "found"];

/// How long samples come before a receiver is killed, while it is gone, and after it is back.
const STAGE: Duration = Duration::from_secs(30);

/// A series that Prometheus has of itself: a sample for each scrape.
const SERIES: &str = "up{cluster=\"CLUSTER\"}";

pub(crate) fn prove(stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("Samples of other clusters", METHOD, &COLUMNS);
    let Some(stack) = stacks.iter().find(|stack| stack.has("thanos-receive")) else {
        proof.skip("no stack has receivers");
        return Ok(proof);
    };
    let place = workplace::folder("receive-")?;
    let bucket = Bucket::directory(place.path())?;
    let pki = Pki::create(place.path().join("pki"))?;
    let ports: Vec<(u16, u16)> = (0..3).map(|_| Ok((free_port()?, free_port()?))).collect::<Result<_>>()?;
    let mut receivers = Vec::new();
    for (number, own) in ports.iter().enumerate() {
        receivers.push(Some(receiver(stack, place.path(), &bucket, number, *own)?));
    }
    let write = free_port()?;
    let router = router(stack, place.path(), &pki, write, &ports)?;
    let query = query(stack, place.path(), &ports)?;

    let sender = Sender::start(place.path(), "fra-01", write, Some(&pki))?;
    let stranger = Sender::start(place.path(), "stranger", write, None)?;
    let of = |cluster: &str| SERIES.replace("CLUSTER", cluster);
    let arrived = wait_for(PATIENCE, || series(&query.http, &of("fra-01"), true).is_ok_and(|found| found == 1));
    proof.expect(arrived, || "no sample arrives".to_owned());
    let said = |proof: &mut Proof, what: &str, expected: usize, found: usize| {
        proof.expect(found == expected, || format!("{what}: {found} instead of {expected}"));
        row(proof, what, expected, found);
    };
    thread::sleep(STAGE);
    said(&mut proof, "series of the sender", 1, series(&query.http, &of("fra-01"), true)?);
    said(
        &mut proof,
        "the same without deduplication: one in each receiver",
        3,
        series(&query.http, &of("fra-01"), false)?,
    );
    let own = usize::from(stranger.has_samples()?);
    said(
        &mut proof,
        "series of a sender without a certificate, which has some",
        own - 1,
        series(&query.http, &of("stranger"), false)?,
    );

    let silent = silent_clusters(stack, place.path(), &bucket, &query)?;
    let expected = "of the three listed: fra-02, production";
    proof.expect(silent == ["fra-02", "production"], || format!("`ClusterSilent` is about {silent:?}"));
    proof.row(["clusters that `ClusterSilent` is about".to_owned(), expected.to_owned(), silent.join(", ")]);

    eprintln!("  a receiver is killed …");
    if let Some(lost) = receivers[1].take() {
        lost.kill();
    }
    thread::sleep(STAGE);
    said(&mut proof, "series with one of three receivers killed", 1, series(&query.http, &of("fra-01"), true)?);
    receivers[1] = Some(receiver(stack, place.path(), &bucket, 1, ports[1])?);
    thread::sleep(STAGE);

    // What the last seconds brought may be on its way.
    let end = SystemTime::now().duration_since(UNIX_EPOCH).context("the time")?.as_secs() - 10;
    let sent = moments(&sender.http, "up", end)?;
    let arrived =
        wait_for(PATIENCE, || moments(&query.http, &of("fra-01"), end).is_ok_and(|kept| kept.is_superset(&sent)));
    let lost = sent.difference(&moments(&query.http, &of("fra-01"), end)?).count();
    proof.expect(arrived && sent.len() > 60, || format!("{lost} of {} samples are in no receiver", sent.len()));
    row(&mut proof, "samples of two minutes that are in no receiver", 0, lost);
    let refused = refused(&router.http)?;
    said(&mut proof, "kinds of answers that no sender repeats, such as 409", 0, refused);
    Ok(proof)
}

/// Starts a receiver on these ports for HTTP and gRPC, on the disk of its number.
fn receiver(stack: &Rendered, place: &Path, bucket: &Bucket, number: usize, (web, grpc): (u16, u16)) -> Result<Thanos> {
    let other = vec![
        ("--objstore.config-file", bucket.config.display().to_string()),
        ("--tsdb.path", place.join(format!("receive-{number}")).display().to_string()),
        ("--label", format!("receive_replica=\"thanos-receive-{number}\"")),
    ];
    // Ports that are a pod's own, and that nobody uses there.
    let more = vec![format!("--remote-write.address=127.0.0.1:{}", free_port()?), unused()?];
    start_with(stack, "thanos-receive", (web, grpc), place, (other, more))
}

fn router(stack: &Rendered, place: &Path, pki: &Pki, write: u16, ports: &[(u16, u16)]) -> Result<Thanos> {
    let ring = file(stack, place, "hashrings.json", |text| {
        ports.iter().enumerate().fold(text.to_owned(), |text, (number, (_, grpc))| {
            let host = format!("thanos-receive-{number}.thanos-receive.mymonitoring.svc:10901");
            text.replace(&host, &format!("127.0.0.1:{grpc}"))
        })
    })?;
    let of = |name: &str| pki.file(name).display().to_string();
    let other = vec![
        ("--remote-write.address", format!("127.0.0.1:{write}")),
        ("--remote-write.server-tls-cert", of("apiserver.crt")),
        ("--remote-write.server-tls-key", of("apiserver.key")),
        ("--remote-write.server-tls-client-ca", of("ca.crt")),
        ("--receive.hashrings-file", ring),
        ("--tsdb.path", place.join("router").display().to_string()),
        ("--label", "receive_replica=\"thanos-receive-router-0\"".to_owned()),
    ];
    start_with(stack, "thanos-receive-router", (free_port()?, free_port()?), place, (other, vec![unused()?]))
}

/// A port for what the stack does not use: samples between receivers as Cap'n Proto.
fn unused() -> Result<String> {
    Ok(format!("--receive.capnproto-address=127.0.0.1:{}", free_port()?))
}

fn query(stack: &Rendered, place: &Path, ports: &[(u16, u16)]) -> Result<Thanos> {
    let endpoints = file(stack, place, "endpoints.yaml", |text| {
        let own = ports.iter().fold(String::new(), |all, (_, grpc)| all + &format!("- address: 127.0.0.1:{grpc}\n"));
        let other = |line: &&str| !line.contains("thanos-discovery") && !line.contains("thanos-store");
        let line = |line: &str| if line.contains("thanos-receive") { own.clone() } else { line.to_owned() };
        text.split_inclusive('\n').filter(other).map(line).collect()
    })?;
    start(stack, "thanos-query", (free_port()?, free_port()?), place, vec![("--endpoint.sd-config-file", endpoints)])
}

/// The clusters that the stack's ruler waits to tell of, having asked once for the samples of all that it lists.
fn silent_clusters(stack: &Rendered, place: &Path, bucket: &Bucket, query: &Thanos) -> Result<Vec<String>> {
    let own = stack.objects.iter().filter(|object| object.component == "thanos-ruler");
    let rules = own.clone().find(|object| object.kind() == "PrometheusRule");
    let rules = rules.ok_or_else(|| Failure::new(format!("{}: the ruler has no rules", stack.name)))?;
    let file = place.join("rules.json");
    fs::write(&file, json!({ "groups": rules.value["spec"]["groups"] }).to_string()).context(file.display())?;
    let object = stack.object("thanos-ruler", "ThanosRuler")?;
    let spec = &object.value["spec"];
    let (web, grpc) = (free_port()?, free_port()?);
    // pkg/thanos/statefulset.go, makeStatefulSetSpec; without those to tell.
    let arguments = [
        "rule".to_owned(),
        format!("--data-dir={}", place.join("ruler").display()),
        "--eval-interval=1s".to_owned(),
        format!("--tsdb.retention={}", spec["retention"].as_str().unwrap_or_default()),
        "--label=thanos_ruler_replica=\"thanos-ruler-0\"".to_owned(),
        "--alert.label-drop=thanos_ruler_replica".to_owned(),
        format!("--rule-file={}", file.display()),
        format!("--query=http://127.0.0.1:{}", query.http.address().rsplit(':').next().unwrap_or_default()),
        format!("--objstore.config-file={}", bucket.config.display()),
        format!("--http-address=127.0.0.1:{web}"),
        format!("--grpc-address=127.0.0.1:{grpc}"),
    ];
    let mut process = Process::start("thanos-ruler", &program("thanos", "thanos")?, arguments, &[], place)?;
    let http = Http::at(web);
    process.wait_until(PATIENCE, || http.is_ok("/-/ready"))?;
    let clusters = || -> Result<Vec<String>> {
        // An alert that waits is among the rules, and not among the alerts.
        let answer = http.get("/api/v1/rules")?.ok("rules")?;
        let rules = answer.pointer("/data/groups/0/rules").and_then(Value::as_array);
        let own = rules.into_iter().flatten().filter(|rule| rule["name"] == "ClusterSilent");
        let alerts = own.flat_map(|rule| rule["alerts"].as_array().into_iter().flatten());
        let mut clusters: Vec<_> =
            alerts.filter_map(|alert| alert["labels"]["cluster"].as_str().map(str::to_owned)).collect();
        clusters.sort();
        Ok(clusters)
    };
    wait_for(PATIENCE, || clusters().is_ok_and(|found| found.len() >= 2));
    clusters()
}

/// A Prometheus of another cluster, that scrapes itself and sends what it has.
struct Sender {
    http: Http,
    _process: Process,
}

impl Sender {
    fn start(place: &Path, cluster: &str, write: u16, pki: Option<&Pki>) -> Result<Self> {
        let folder = place.join(cluster);
        fs::create_dir_all(&folder).context(folder.display())?;
        let port = free_port()?;
        let tls = match pki {
            Some(pki) => json!({
                "ca_file": pki.file("ca.crt"), "cert_file": pki.file("admin.crt"), "key_file": pki.file("admin.key"),
            }),
            None => json!({ "insecure_skip_verify": true }),
        };
        // What every stack has, and is always on.
        let watchdog = json!({ "groups": [{ "name": "a", "rules": [{ "alert": "Watchdog", "expr": "vector(1)" }] }] });
        let rules = folder.join("rules.json");
        fs::write(&rules, watchdog.to_string()).context(rules.display())?;
        let config = json!({
            "rule_files": [rules],
            "global": { "external_labels": { "cluster": cluster }, "scrape_interval": "1s", "evaluation_interval": "1s" },
            "scrape_configs": [{ "job_name": "self", "static_configs": [{ "targets": [format!("127.0.0.1:{port}")] }] }],
            "remote_write": [{ "url": format!("https://127.0.0.1:{write}/api/v1/receive"), "tls_config": tls }],
        });
        let path = folder.join("prometheus.json");
        fs::write(&path, config.to_string()).context(path.display())?;
        let arguments = [
            format!("--config.file={}", path.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let mut process = Process::start(cluster, &program("prometheus", "prometheus")?, arguments, &[], place)?;
        let http = Http::at(port);
        process.wait_until(PATIENCE, || http.is_ok("/-/ready"))?;
        Ok(Self { http, _process: process })
    }

    fn has_samples(&self) -> Result<bool> {
        Ok(series(&self.http, "up", true)? > 0)
    }
}

fn results(http: &Http, query: &str, moment: Option<u64>, dedup: bool) -> Result<Vec<Value>> {
    let moment = moment.map(|moment| format!("&time={moment}")).unwrap_or_default();
    let path = format!("/api/v1/query?query={}&dedup={dedup}{moment}", encoded(query));
    let answer = http.get(&path)?.ok(query)?;
    let results = answer.pointer("/data/result").and_then(Value::as_array).cloned();
    results.ok_or_else(|| Failure::new(format!("{query}: {answer}")))
}

/// How many series a query gives now.
fn series(http: &Http, query: &str, dedup: bool) -> Result<usize> {
    Ok(results(http, query, None, dedup)?.len())
}

/// When there were samples in the two minutes before `end`, wherever they are.
fn moments(http: &Http, query: &str, end: u64) -> Result<BTreeSet<String>> {
    let found = results(http, &format!("{query}[2m]"), Some(end), false)?;
    let values = found.iter().flat_map(|series| series["values"].as_array().into_iter().flatten());
    Ok(values.map(|value| value[0].to_string()).collect())
}

/// How many series there are of writes whose answer says that no sender should repeat them.
fn refused(http: &Http) -> Result<usize> {
    let text = http.get("/metrics")?.text;
    let of = |line: &&str| line.starts_with("http_requests_total{") && line.contains("handler=\"receive\"");
    Ok(text.lines().filter(of).filter(|line| line.contains("code=\"4")).count())
}
