//! Loki as many programs: lines go in by one, and come out by another, with one of three that keep them lost.

use crate::assets::program;
use crate::failure::{Context, Failure, Result};
use crate::http::{Http, encoded};
use crate::longterm::{Bucket, PATIENCE, arguments, borrowed, row};
use crate::process::{Process, free_port, tail, wait_for};
use crate::proof::Proof;
use crate::stacks::Rendered;
use crate::workplace;
use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use vigil_yaml::{Limits, Source};

const METHOD: &str = "\
Every program of `loki.mode: distributed` takes the configuration and the arguments of `stacks/distributed.yaml` (`-verify-config`).
Then each runs, three ingesters of them, in three zones, on ports of the loopback: names of Services, ports and folders are other ones,
the bucket is one of versitygw as `stacks/lab.yaml` runs it, and there are no rules. The gateway and the caches are Debian's nginx and
memcached, with the stack's configuration and arguments. Lines are sent to the gateway and asked for there; an ingester is killed with
SIGKILL, and more lines are sent. Loki is an unmodified program beside this one, built on request alone.";

const COLUMNS: [&str; 3] = ["step", "expected", "found"];

/// Programs of Debian.
const NGINX: &str = "nginx";
const MEMCACHED: &str = "memcached";

/// How many lines are sent at once, to so many streams.
const LINES: usize = 300;
const STREAMS: usize = 10;

/// The keys that the bucket lets in: see `environment` in longterm.rs.
const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "access-key-id"), ("AWS_SECRET_ACCESS_KEY", "secret-access-key")];

pub(crate) fn prove(stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("Loki as many programs", METHOD, &COLUMNS);
    let stack = stacks.iter().find(|stack| !targets(stack).is_empty());
    let (Some(stack), Some(lab)) = (stack, stacks.iter().find(|stack| stack.has("lab-object-storage"))) else {
        proof.skip("no stack has Loki as many programs");
        return Ok(proof);
    };
    let place = workplace::folder("processes-")?;
    let bucket = Bucket::in_lab(lab, place.path())?;
    for (name, package) in [(NGINX, "nginx-light"), (MEMCACHED, "memcached")] {
        let there = Command::new(name).arg("-h").output().is_ok();
        if !there {
            return Err(Failure::new(format!("{name} is missing; `apt-get install {package}` brings it")));
        }
    }
    let config = stack.file("loki", "loki.yaml")?;
    let all = targets(stack);
    let caches = caches(stack);
    let mut taken = 0;
    for (target, container) in &all {
        let process = Configured::new(target, 0, config, &bucket, place.path(), &Ports::free(&all, &caches)?)?;
        let output = Command::new(program("loki", "loki")?)
            .args(process.arguments(container))
            .arg("-verify-config")
            .envs(process.environment())
            .output()
            .context("loki")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        proof.expect(output.status.success(), || format!("{target} refuses its configuration:\n{}", tail(&said, 5)));
        taken += usize::from(output.status.success());
    }
    row(&mut proof, "programs that take their configuration", all.len(), taken);
    live(&mut proof, stack, config, &bucket, place.path())?;
    Ok(proof)
}

/// The programs of a stack: what Loki calls each, and its container.
fn targets(stack: &Rendered) -> Vec<(String, &Value)> {
    let own = stack.objects.iter().filter(|object| object.component == "loki");
    let containers = own.map(|object| &object.value["spec"]["template"]["spec"]["containers"][0]);
    let target = |container: &Value| {
        let words = container["args"].as_array()?;
        words.iter().find_map(|word| Some(word.as_str()?.strip_prefix("-target=")?.to_owned()))
    };
    containers.filter_map(|container| Some((target(container)?, container))).collect()
}

/// The caches of a stack: what each is called, and its container.
fn caches(stack: &Rendered) -> Vec<(String, &Value)> {
    let own = stack.objects.iter().filter(|object| object.component == "loki");
    let containers =
        own.map(|object| (object.name().to_owned(), &object.value["spec"]["template"]["spec"]["containers"][0]));
    containers.filter(|(_, container)| container["image"].as_str().is_some_and(|it| it.contains(MEMCACHED))).collect()
}

/// Where everything is.
struct Ports {
    /// Each program of Loki: by HTTP, by gRPC and by gossip.
    programs: Vec<(String, [u16; 3])>,
    caches: Vec<(String, u16)>,
}

impl Ports {
    fn free(all: &[(String, &Value)], caches: &[(String, &Value)]) -> Result<Self> {
        let three = || Ok([free_port()?, free_port()?, free_port()?]);
        let programs = all.iter().map(|(target, _)| Ok((target.clone(), three()?)));
        let caches = caches.iter().map(|(name, _)| Ok((name.clone(), free_port()?)));
        Ok(Self { programs: programs.collect::<Result<_>>()?, caches: caches.collect::<Result<_>>()? })
    }

    fn of(&self, target: &str) -> [u16; 3] {
        self.programs.iter().find(|(name, _)| name == target).map(|(_, ports)| *ports).unwrap_or_default()
    }

    /// A configuration with the addresses of this machine in the place of the cluster's.
    fn here(&self, config: &str) -> String {
        let mut text = config.to_owned();
        for (target, [http, grpc, _]) in &self.programs {
            let host = format!("loki-stack-{target}.myloki.svc");
            text = text.replace(&format!("dns+{host}:9095"), &format!("127.0.0.1:{grpc}"));
            text = text.replace(&format!("{host}:9095"), &format!("127.0.0.1:{grpc}"));
            text = text.replace(&format!("{host}:3100"), &format!("127.0.0.1:{http}"));
        }
        for (name, port) in &self.caches {
            text = text.replace(&format!("dnssrvnoa+_cache._tcp.{name}.myloki.svc"), &format!("127.0.0.1:{port}"));
        }
        text
    }
}

/// A cache of the stack.
struct Cache {
    port: u16,
    _process: Process,
}

impl Cache {
    fn start(name: &str, port: u16, container: &Value, logs: &Path) -> Result<Self> {
        let mut arguments = arguments(container, &[]);
        arguments.extend(["--listen=127.0.0.1".to_owned(), format!("--port={port}"), "--user=nobody".to_owned()]);
        let mut process = Process::start(name, Path::new(MEMCACHED), arguments, &[], logs)?;
        process.wait_until(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self { port, _process: process })
    }

    /// How many items it holds.
    fn items(&self) -> Option<usize> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(b"stats\r\nquit\r\n").ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).ok()?;
        said.lines().find_map(|line| line.strip_prefix("STAT curr_items ")?.trim().parse().ok())
    }
}

/// nginx, with the configuration of the stack's gateway.
fn gateway(config: &str, ports: &Ports, place: &Path) -> Result<(Process, Http)> {
    let port = free_port()?;
    let folder = format!("{}/", place.display());
    let line = |line: &str| {
        if line.trim_start().starts_with("listen ") {
            format!("listen 127.0.0.1:{port};\n")
        } else {
            line.replace("/tmp/", &folder) + "\n"
        }
    };
    let file = place.join("nginx.conf");
    fs::write(&file, ports.here(config).lines().map(line).collect::<String>()).context(file.display())?;
    let arguments: [&OsStr; 4] = ["-e".as_ref(), "stderr".as_ref(), "-c".as_ref(), file.as_ref()];
    let mut process = Process::start("gateway", Path::new(NGINX), arguments, &[], place)?;
    let http = Http::at(port);
    process.wait_until(PATIENCE, || http.is_ok("/"))?;
    Ok((process, http))
}

/// A program with its configuration, which differs from the stack's by where things are.
struct Configured {
    name: String,
    file: String,
    http: u16,
    zone: &'static str,
}

impl Configured {
    fn new(target: &str, number: usize, config: &str, bucket: &Bucket, place: &Path, ports: &Ports) -> Result<Self> {
        let name = format!("{target}-{number}");
        let [http, grpc, gossip] =
            if number == 0 { ports.of(target) } else { [free_port()?, free_port()?, free_port()?] };
        let folder = place.join(&name);
        fs::create_dir_all(&folder).context(folder.display())?;
        let text = ports.here(config).replace("/data/loki", &folder.display().to_string());
        let read = vigil_yaml::read(&Source::new("loki.yaml", text), &Limits::default());
        let documents = read.map_err(|_| Failure::new("loki.yaml is no YAML"))?;
        let mut value = documents.first().map(vigil_yaml::Node::to_json).unwrap_or_default();
        value["server"] = json!({
            "http_listen_address": "127.0.0.1", "http_listen_port": http,
            "grpc_listen_address": "127.0.0.1", "grpc_listen_port": grpc,
        });
        // Everybody is the same host here.
        value["common"]["ring"]["instance_id"] = name.as_str().into();
        value["memberlist"]["node_name"] = name.as_str().into();
        value["memberlist"]["bind_addr"] = json!(["127.0.0.1"]);
        value["memberlist"]["bind_port"] = gossip.into();
        value["memberlist"]["advertise_port"] = gossip.into();
        value["memberlist"]["join_members"] = json!([format!("127.0.0.1:{}", ports.of("distributor")[2])]);
        value["storage_config"]["object_store"]["s3"] = json!({
            "bucket_name": "lab-logs", "endpoint": bucket.address, "region": "us-east-1", "insecure": true,
            "bucket_lookup_type": "path",
        });
        let rules = folder.join("rules");
        fs::create_dir_all(&rules).context(rules.display())?;
        value["ruler_storage"]["local"]["directory"] = json!(rules);
        let file = folder.join("loki.yaml");
        fs::write(&file, value.to_string()).context(file.display())?;
        Ok(Self { name, file: file.display().to_string(), http, zone: ["a", "b", "c"][number % 3] })
    }

    fn arguments(&self, container: &Value) -> Vec<String> {
        arguments(container, &[("-config.file", self.file.clone())])
    }

    fn environment(&self) -> Vec<(String, OsString)> {
        let own = [("POD_IP", "127.0.0.1"), ("ZONE", self.zone)];
        own.into_iter().chain(KEYS).map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    fn start(&self, container: &Value, logs: &Path) -> Result<(Process, Http)> {
        let environment = self.environment();
        let loki = program("loki", "loki")?;
        let process = Process::start(&self.name, &loki, self.arguments(container), &borrowed(&environment), logs)?;
        Ok((process, Http::at(self.http)))
    }
}

/// All of them together.
fn live(proof: &mut Proof, stack: &Rendered, config: &str, bucket: &Bucket, place: &Path) -> Result<()> {
    let (all, caches) = (targets(stack), caches(stack));
    let ports = Ports::free(&all, &caches)?;
    let started = caches.iter().zip(&ports.caches).map(|((name, it), (_, port))| Cache::start(name, *port, it, place));
    let started = started.collect::<Result<Vec<_>>>()?;
    let mut running = Vec::new();
    for (target, container) in &all {
        for number in 0..if target == "ingester" { 3 } else { 1 } {
            let own = Configured::new(target, number, config, bucket, place, &ports)?;
            running.push((own.name.clone(), own.start(container, place)?));
        }
    }
    eprintln!("  {} programs start …", running.len());
    for (_, (process, http)) in &mut running {
        process.wait_until(PATIENCE, || http.is_ok("/ready"))?;
    }
    row(proof, "programs that are ready", running.len(), running.len());
    let (_nginx, gateway) = gateway(stack.file("loki", "nginx.conf")?, &ports, place)?;
    send(&gateway, "first")?;
    found(proof, &gateway, "lines sent, and found, through the gateway", LINES)?;

    eprintln!("  an ingester is killed …");
    let lost = running.iter().position(|(name, _)| name == "ingester-2");
    let (_, (process, _)) = running.swap_remove(lost.unwrap_or_default());
    process.kill();
    found(proof, &gateway, "the same with one of three ingesters killed", LINES)?;
    send(&gateway, "second")?;
    found(proof, &gateway, "after as many more", 2 * LINES)?;

    for (name, (_, http)) in &running {
        if name.starts_with("ingester") {
            http.send("POST", "/flush", "text/plain", "")?;
        }
    }
    let chunks = || fs::read_dir(bucket.sibling("lab-logs").join("fake")).map_or(0, Iterator::count);
    let stored = wait_for(PATIENCE, || chunks() >= STREAMS);
    proof.expect(stored, || format!("{} folders of {STREAMS} streams are in the bucket", chunks()));
    row(proof, "streams with chunks in the bucket", STREAMS, chunks().min(STREAMS));
    // The results' cache holds what is asked for a range of time.
    let held = || started.iter().filter_map(Cache::items).max().unwrap_or_default();
    let arrived = wait_for(PATIENCE, || held() >= STREAMS);
    proof.expect(arrived, || format!("{} chunks of {STREAMS} streams are in the cache", held()));
    row(proof, "streams with chunks in the cache", STREAMS, held().min(STREAMS));
    let hour_ago = SystemTime::now().duration_since(UNIX_EPOCH).context("the time")?.as_secs() - 3600;
    let path = format!("/loki/api/v1/delete?query={}&start={hour_ago}", encoded("{job=\"nobody\"}"));
    let status = gateway.send("POST", &path, "text/plain", "")?.status;
    proof.expect(status == 204, || format!("a request to delete is answered with {status}"));
    row(proof, "the status of a request to delete", 204, usize::from(status));
    Ok(())
}

fn send(gateway: &Http, part: &str) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the time")?.as_nanos();
    let streams = (0..STREAMS).map(|stream| {
        let lines =
            (0..LINES / STREAMS).map(|line| json!([(now + line as u128).to_string(), format!("{part} {line}")]));
        json!({ "stream": { "job": "proof", "stream": stream.to_string() }, "values": lines.collect::<Vec<_>>() })
    });
    let body = json!({ "streams": streams.collect::<Vec<_>>() }).to_string();
    let sent = || gateway.send("POST", "/loki/api/v1/push", "application/json", &body).map(|answer| answer.status);
    // Who has been killed is in the ring for a while, and no line may be taken by one alone.
    let taken = wait_for(PATIENCE, || sent().is_ok_and(|status| status == 204));
    if taken { Ok(()) } else { Err(Failure::new(format!("no lines are taken: {:?}", sent()))) }
}

fn found(proof: &mut Proof, gateway: &Http, what: &str, expected: usize) -> Result<()> {
    let path = format!("/loki/api/v1/query?query={}", encoded("sum(count_over_time({job=\"proof\"}[1h]))"));
    let ask = || -> Result<usize> {
        let answer = gateway.get(&path)?.ok(what)?;
        let value = answer.pointer("/data/result/0/value/1").and_then(Value::as_str).unwrap_or("0");
        value.parse().context(what)
    };
    wait_for(PATIENCE, || ask().is_ok_and(|found| found == expected));
    let found = ask()?;
    proof.expect(found == expected, || format!("{what}: {found} instead of {expected}"));
    row(proof, what, expected, found);
    Ok(())
}
