//! Loki after a crash: it is not ready while it replays its log, and it replays more than its container holds.

use crate::assets::program;
use crate::failure::{Context, Failure, Result};
use crate::http::{Http, encoded};
use crate::process::{Process, free_port};
use crate::proof::Proof;
use crate::stacks::Rendered;
use crate::workplace;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use vigil_render::Object;

const METHOD: &str = "\
Loki of `stack.yaml`, with a memory limit of 512Mi in it, takes in more lines than that holds, and is killed. Then it starts
again twice, each time with a copy of its log: as it was, with the ceiling that Loki has by itself, and with the ceiling,
`GOMEMLIMIT` and caches that Vigil derives from the limit. No kubelet enforces the limit here: anonymous memory, which a
container cannot give back, is sampled every 50 ms until Loki is ready. While `loki_ingester_wal_replay_active` is 1, every
answer of `/ready` must be 503, so that a liveness probe that asks it would count the replay as failures; the startup
probe's room must be longer than the start took. Every line must be found afterwards.";

const COLUMNS: [&str; 8] = [
    "ceiling",
    "`GOMEMLIMIT`",
    "log replayed",
    "`/ready` meanwhile",
    "ready after",
    "stored meanwhile",
    "most memory",
    "lines found",
];

/// The memory limit that the stack is given.
const LIMIT: &str = "512Mi";

/// The same in bytes.
const LIMIT_BYTES: u64 = 512 << 20;

/// How long each step may take, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(900);

/// What is written: as many bytes as a container with the limit cannot hold, though they compress by a quarter.
const STREAMS: usize = 100;
const LINES_OF_STREAM: usize = 8000;
const LINE: usize = 1000;

/// How many lines go out in one request: two megabytes, as Loki hands them on in messages of four at most.
const BATCH: usize = 2000;

pub(crate) fn prove(stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("Loki replays its log within its memory", METHOD, &COLUMNS);
    let Some(stack) = stacks.iter().find(|stack| stack.has("loki")) else {
        proof.skip("no stack has Loki");
        return Ok(proof);
    };
    let stack = stack.but(|stack| stack.loki.pods.resources.limits.memory = LIMIT.parse().ok())?;
    let place = workplace::folder("replay-")?;
    let config = stack.file("loki", "loki.yaml")?;
    let log = place.path().join("log");
    crash(config, place.path(), &log)?;

    let container = stack.object("loki", "StatefulSet")?;
    let limit = go_limit(container)?;
    let room = room(container)?;
    let ceiling = setting(config, "replay_memory_ceiling")?;
    let own = replay("derived", config, &[("GOMEMLIMIT", OsStr::new(&limit))], place.path(), &log)?;
    // What was there before: neither a ceiling nor a word to Go.
    let bare = without(config, "replay_memory_ceiling");
    let before = replay("default", &bare, &[], place.path(), &log)?;

    let lines = (STREAMS * LINES_OF_STREAM) as u64;
    for (name, ceiling, limit, run) in
        [("by itself", "4 GB, its default", "none", &before), ("derived", ceiling.as_str(), limit.as_str(), &own)]
    {
        proof.expect(run.asked > 0 && run.ready == 0, || {
            format!("{name}: of {} answers of /ready while Loki replays {} are 200", run.asked, run.ready)
        });
        proof.expect(run.took < room, || {
            format!("{name}: the start took {} s, and the probe allows {} s", run.took.as_secs(), room.as_secs())
        });
        proof.expect(run.lines == lines, || format!("{name}: {} of {lines} lines are found", run.lines));
        let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
        proof.row([
            ceiling.to_owned(),
            limit.to_owned(),
            mib(run.replayed),
            format!("503, {} times", run.asked),
            format!("{} s", run.took.as_secs()),
            format!("{} chunks", run.stored),
            mib(run.memory),
            run.lines.to_string(),
        ]);
    }
    proof.expect(own.memory < LIMIT_BYTES, || {
        format!("with the derived ceiling Loki takes {} MiB of {LIMIT}", own.memory >> 20)
    });
    proof.expect(own.stored > 0, || "with the derived ceiling nothing is stored during the replay".to_owned());
    proof.expect(before.memory > LIMIT_BYTES, || {
        format!(
            "with its own ceiling Loki takes {} MiB only: the log is too small to show anything",
            before.memory >> 20
        )
    });
    Ok(proof)
}

/// What a start with a log came to.
struct Start {
    /// How often `/ready` was asked while it replayed, and how often it said yes.
    asked: usize,
    ready: usize,
    /// How long it took until it was ready.
    took: Duration,
    /// Bytes of lines that it read.
    replayed: u64,
    /// Chunks that it stored before it was ready.
    stored: u64,
    /// The most anonymous memory, in bytes.
    memory: u64,
    /// The lines that a query counts afterwards.
    lines: u64,
}

/// Starts Loki with a configuration whose data is below `place`. Flags win over the file.
pub(crate) fn start_loki(
    name: &str,
    config: &str,
    place: &Path,
    flags: &[&str],
    environment: &[(&str, &OsStr)],
    logs: &Path,
) -> Result<(Process, u16)> {
    fs::create_dir_all(place).context(place.display())?;
    let file = place.join("loki.yaml");
    let text = config.replace("/data/loki", &place.join("data").display().to_string());
    fs::write(&file, text).context(file.display())?;
    let (port, grpc) = (free_port()?, free_port()?);
    let own = [
        format!("-config.file={}", file.display()),
        "-server.http-listen-address=127.0.0.1".to_owned(),
        format!("-server.http-listen-port={port}"),
        "-server.grpc-listen-address=127.0.0.1".to_owned(),
        format!("-server.grpc-listen-port={grpc}"),
    ];
    let arguments = own.into_iter().chain(flags.iter().map(|&flag| flag.to_owned()));
    Ok((Process::start(name, &program("loki", "loki")?, arguments, environment, logs)?, port))
}

/// Fills the log of a Loki, and kills it. What is left of it is in `log`.
fn crash(config: &str, place: &Path, log: &Path) -> Result<()> {
    eprintln!("  Loki takes in {} lines …", STREAMS * LINES_OF_STREAM);
    let folder = place.join("first");
    // A tenant may send 4 MB a second by default.
    let flags = [
        "-distributor.ingestion-rate-limit-mb=10000",
        "-distributor.ingestion-burst-size-mb=10000",
        "-ingester.per-stream-rate-limit=10GB",
        "-ingester.per-stream-rate-limit-burst=10GB",
    ];
    let (mut process, port) = start_loki("loki-first", config, &folder, &flags, &[], place)?;
    let http = Http::at(port);
    process.wait_until(PATIENCE, || http.is_ok("/ready"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the time")?.as_nanos();
    let mut text = Text(0x2545_f491_4f6c_dd1d);
    for stream in 0..STREAMS {
        for first in (0..LINES_OF_STREAM).step_by(BATCH) {
            let lines = first..(first + BATCH).min(LINES_OF_STREAM);
            // No two lines of a stream are of the same moment, and all of the last minute.
            let values = lines.map(|line| json!([(now + line as u128 * 1000).to_string(), text.line()]));
            let labels = json!({ "job": "replay", "stream": stream.to_string() });
            let body = json!({ "streams": [{ "stream": labels, "values": values.collect::<Vec<_>>() }] });
            let answer = http.send("POST", "/loki/api/v1/push", "application/json", &body.to_string())?;
            if answer.status != 204 {
                return Err(Failure::new(format!("loki: a push is answered by {} {}", answer.status, answer.text)));
            }
        }
    }
    process.kill();
    fs::rename(folder.join("data/wal"), log).context(log.display())
}

/// Starts Loki with a copy of a log and nothing else, and watches it until it is ready.
fn replay(name: &str, config: &str, environment: &[(&str, &OsStr)], place: &Path, log: &Path) -> Result<Start> {
    eprintln!("  Loki replays its log, {name} …");
    let folder = place.join(name);
    workplace::copy(log, &folder.join("data/wal"))?;
    let begin = Instant::now();
    let (mut process, port) = start_loki(&format!("loki-{name}"), config, &folder, &[], environment, place)?;
    let http = Http::at(port);
    let (mut asked, mut ready, mut memory) = (0, 0, 0);
    let mut rounds = 0_u32;
    process.watch_until(Duration::from_millis(50), PATIENCE, |process| {
        memory = process.anonymous_memory().unwrap_or(0).max(memory);
        rounds += 1;
        if !rounds.is_multiple_of(4) {
            return false;
        }
        // Between two answers that it replays, what `/ready` says is said during the replay.
        let replays = || metric(&http, "loki_ingester_wal_replay_active").is_some_and(|value| value > 0.0);
        let before = replays();
        let is_ready = http.get("/ready").is_ok_and(|answer| answer.status == 200);
        if before && replays() {
            asked += 1;
            ready += usize::from(is_ready);
        }
        is_ready
    })?;
    let took = begin.elapsed();
    let counted = |name: &str| metric(&http, name).unwrap_or_default();
    let (replayed, stored) =
        (counted("loki_ingester_wal_recovered_bytes_total"), counted("loki_ingester_chunks_flushed_total"));
    let query = format!("/loki/api/v1/query?query={}", encoded("sum(count_over_time({job=\"replay\"}[2h]))"));
    let answer = http.get(&query)?.ok("how many lines there are")?;
    let lines = answer.pointer("/data/result/0/value/1").and_then(Value::as_str).unwrap_or("0").parse();
    fs::remove_dir_all(folder.join("data")).context(folder.display())?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters of bytes and chunks")]
    let whole = |value: f64| value as u64;
    let (replayed, stored) = (whole(replayed), whole(stored));
    Ok(Start { asked, ready, took, replayed, stored, memory, lines: lines.context("a number of lines")? })
}

/// The sum of a metric over its labels; none if the server does not answer, or does not have it yet.
fn metric(http: &Http, name: &str) -> Option<f64> {
    let text = http.get("/metrics").ok()?.text;
    let own = text.lines().filter_map(|line| line.strip_prefix(name)).filter(|rest| rest.starts_with(['{', ' ']));
    let values = own.filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok());
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

/// A source of text that is the same at every run, and hardly compresses.
struct Text(u64);

impl Text {
    fn line(&mut self) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut line = String::with_capacity(LINE + 10);
        while line.len() < LINE {
            // Xorshift of 64 bits.
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            line.extend((0..10).map(|at| char::from(LETTERS[usize::try_from(self.0 >> (6 * at) & 63).unwrap_or(0)])));
        }
        line
    }
}

/// The value of a key somewhere in a configuration.
fn setting(config: &str, key: &str) -> Result<String> {
    let mut values = config.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "));
    values.next().map(str::to_owned).ok_or_else(|| Failure::new(format!("Loki's configuration has no {key}")))
}

/// A configuration without a key somewhere in it.
fn without(config: &str, key: &str) -> String {
    config.split_inclusive('\n').filter(|line| !line.trim_start().starts_with(&format!("{key}:"))).collect()
}

fn container(workload: &Object) -> &Value {
    &workload.value["spec"]["template"]["spec"]["containers"][0]
}

fn go_limit(workload: &Object) -> Result<String> {
    let mut variables = container(workload)["env"].as_array().into_iter().flatten();
    let limit = variables.find(|variable| variable["name"] == "GOMEMLIMIT").and_then(|it| it["value"].as_str());
    limit.map(str::to_owned).ok_or_else(|| Failure::new(format!("{} has no GOMEMLIMIT", workload.title())))
}

/// How long the startup probe lets a container start.
fn room(workload: &Object) -> Result<Duration> {
    let probe = &container(workload)["startupProbe"];
    match (probe["periodSeconds"].as_u64(), probe["failureThreshold"].as_u64()) {
        (Some(period), Some(failures)) => Ok(Duration::from_secs(period * failures)),
        _ => Err(Failure::new(format!("{} has no startup probe", workload.title()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_and_left_out() {
        let config = "ingester:\n  wal:\n    dir: /a\n    replay_memory_ceiling: 256MB\nlimits: {}\n";
        assert_eq!(setting(config, "replay_memory_ceiling").unwrap(), "256MB");
        assert_eq!(without(config, "replay_memory_ceiling"), "ingester:\n  wal:\n    dir: /a\nlimits: {}\n");
        assert!(setting(config, "replay").is_err());
    }

    #[test]
    fn text_is_the_same_at_every_run() {
        let lines = |count: usize| {
            let mut text = Text(1);
            (0..count).map(|_| text.line()).collect::<Vec<_>>()
        };
        assert_eq!(lines(3), lines(3));
        assert_eq!(lines(1)[0].len(), LINE);
        assert_ne!(lines(2)[0], lines(2)[1]);
    }
}
