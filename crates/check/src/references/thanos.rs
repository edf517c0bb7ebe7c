//! Thanos: what its processes, and Prometheus whose side-car uploads, must agree on.
//!
//! All of it is on command lines, in objects of the operator, and in the files that these name. A value that comes from
//! elsewhere, such as `$(RETENTION)`, is not judged.

use crate::fields::{BILLION, amount, entries, items, size, text, texts, written};
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use crate::world::World;
use crate::world::pods::Pod;
use crate::world::program::Program;
use crate::world::volumes;
use std::time::Duration;
use vigil_forms::duration;
use vigil_yaml::{Limits, Node, Quoted, Source, read_one};

rules! {
    CLUSTER "thanos-external-labels" Warning Nobody "blocks of samples that Prometheus uploads say which cluster they are of"
    RETENTION "thanos-retention" Error Program "the bucket of Thanos keeps samples until they are downsampled"
    LOCAL "thanos-local-retention" Warning Nobody "the bucket of Thanos keeps samples as long as Prometheus does"
    COMPACTOR "thanos-compactor" Error Program "one compactor of Thanos works at a bucket"
    REPLICA "thanos-replica-label" Warning Nobody "queries of Thanos know the label by which replicas of Prometheus differ"
    MEMORY "thanos-store-memory" Warning Nobody "cache and chunk pool of Thanos' store are below its memory limit"
    HASHRING "thanos-hashring" Error Program "the hash ring of Thanos names the receivers that there are"
}

/// How old samples are when they are downsampled, to the next resolution, unless that is switched off: cmd/thanos/compact.go.
const DOWNSAMPLED: [(&str, &str, Duration); 2] = [
    ("retention.resolution-raw", "40h", Duration::from_secs(40 * 3600)),
    ("retention.resolution-5m", "10d", Duration::from_secs(10 * 24 * 3600)),
];

/// What a store takes when nobody says otherwise: cmd/thanos/store.go.
const INDEX_CACHE: &str = "250MB";
const CHUNK_POOL: &str = "2GB";

/// Judges all processes of Thanos.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    let processes: Vec<_> = world.pods.iter().flat_map(Process::all).collect();
    let of = |command: &'static str| processes.iter().filter(move |process| process.command == command);
    let uploading: Vec<_> =
        world.judged("monitoring.coreos.com", "Prometheus").filter(|object| uploads(object)).collect();
    for prometheus in &uploading {
        external_labels(prometheus, findings);
    }
    let compactors: Vec<_> = of("compact").collect();
    for compactor in &compactors {
        retention(compactor, findings);
        single(compactor, findings);
    }
    // Of several, each may have a bucket of its own.
    if let [compactor] = *compactors {
        for prometheus in &uploading {
            local_retention(compactor, prometheus, findings);
        }
    }
    for (at, compactor) in compactors.iter().enumerate() {
        shared_bucket(compactor, &compactors[..at], findings);
    }
    let answering = world.judged("monitoring.coreos.com", "Prometheus").filter(|object| has_sidecar(object));
    for prometheus in answering {
        of("query").for_each(|query| replica_label(query, prometheus, findings));
    }
    of("store").for_each(|store| memory(store, findings));
    let receivers: Vec<_> = of("receive").collect();
    for receiver in &receivers {
        hashring(world, receiver, &receivers, findings);
    }
}

/// A process of Thanos, by what it is started as.
struct Process<'w, 'a> {
    object: &'a Object<'a>,
    pod: &'w Pod<'a>,
    program: Program<'a>,
    command: &'a str,
    /// The word of the command line that says it.
    node: &'a Node,
}

impl<'w, 'a> Process<'w, 'a> {
    fn all(pod: &'w Pod<'a>) -> Vec<Self> {
        let Some((object, spec)) = pod.object.zip(pod.spec).filter(|(object, _)| !object.damaged) else {
            return Vec::new();
        };
        let of = |container: &'a Node| {
            let program = Program::of(container).filter(|program| program.name == "thanos")?;
            let mut words = items(container, "command").iter().chain(items(container, "args"));
            let is_command = |word: &str| !word.starts_with('-') && !word.contains('/') && word != "thanos";
            let node = words.find(|word| word.text().is_some_and(is_command))?;
            Some(Self { object, pod, program, command: node.text()?, node })
        };
        items(spec, "containers").iter().filter_map(of).collect()
    }

    /// What a flag is set to, if that stands there.
    fn flag(&self, name: &str) -> Option<(&'a Node, &'a str)> {
        self.program.flag(name).filter(|(_, value)| !value.contains("$("))
    }

    /// The values of a flag that may stand more than once; nothing where one of them comes from elsewhere.
    fn flags(&self, name: &str) -> Option<Vec<&'a str>> {
        let mut words = texts(self.program.container, "args").peekable();
        let mut found = Vec::new();
        while let Some(word) = words.next() {
            match word.strip_prefix("--").and_then(|word| word.strip_prefix(name)) {
                Some("") => found.extend(words.peek().copied()),
                Some(rest) => found.extend(rest.strip_prefix('=')),
                None => {}
            }
        }
        (!found.iter().any(|value| value.contains("$("))).then_some(found)
    }

    /// How long a flag says, if it says more than nothing, which is for ever.
    fn duration(&self, name: &str) -> Option<(&'a Node, &'a str, Duration)> {
        let (node, value) = self.flag(name)?;
        let length = duration::prometheus(value).ok().filter(|length| !length.is_zero())?;
        Some((node, value, length))
    }

    /// How many pods of it there are, and where that stands.
    fn replicas(&self) -> Option<(Option<&'a Node>, i128)> {
        if !matches!(self.object.kind, "Deployment" | "StatefulSet") {
            return None;
        }
        match self.object.at(&["spec", "replicas"]).filter(|node| !node.is_null()) {
            Some(node) => Some((Some(node), amount(node)? / BILLION)),
            None => Some((None, 1)),
        }
    }

    /// Where a file comes from: the kind and the name of the object, and its key.
    fn source(&self, path: &str) -> Option<(&'static str, &'a str, String)> {
        let (_, inside, mount) = volumes::mount(self.program.container, path)?;
        let file = if inside.is_empty() { text(mount, "subPath")? } else { inside };
        let volume = volumes::volume(self.pod, text(mount, "name")?)?;
        let sources = [("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")];
        sources.into_iter().find_map(|(kind, field, name)| {
            let source = volume.get(field)?;
            let listed = items(source, "items");
            let key = match listed.iter().find(|item| text(item, "path") == Some(file)) {
                Some(item) => text(item, "key")?,
                None if listed.is_empty() => file,
                None => return None,
            };
            Some((kind, text(source, name)?, key.to_owned()))
        })
    }

    /// The text of a file that comes from a ConfigMap of the set.
    fn file(&self, world: &World<'a>, path: &str) -> Option<&'a str> {
        let (kind, name, key) = self.source(path)?;
        let object = world.object("", kind, self.pod.namespace, name).filter(|_| kind == "ConfigMap")?;
        entries(object.node, "data").iter().find(|entry| entry.key.text == key)?.value.text()
    }

    /// What tells its bucket from others; nothing where that cannot be told.
    fn bucket(&self) -> Option<String> {
        let namespace = self.pod.namespace;
        if let Some((_, path)) = self.flag("objstore.config-file") {
            let (kind, name, key) = self.source(path)?;
            return Some(format!("{kind} {namespace}/{name} {key}"));
        }
        let (_, value) = self.program.flag("objstore.config")?;
        let Some(variable) = value.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')) else {
            return Some(value.to_owned());
        };
        let source = self.program.variable(variable)?.at(&["valueFrom", "secretKeyRef"])?;
        Some(format!("Secret {namespace}/{} {}", text(source, "name")?, text(source, "key")?))
    }
}

/// Whether the operator gives the pods of a Prometheus a side-car.
fn has_sidecar(prometheus: &Object<'_>) -> bool {
    !prometheus.damaged && prometheus.at(&["spec", "thanos"]).is_some_and(|thanos| !thanos.is_null())
}

/// Whether that side-car uploads.
fn uploads(prometheus: &Object<'_>) -> bool {
    let keys = ["objectStorageConfig", "objectStorageConfigFile"];
    has_sidecar(prometheus)
        && keys.iter().any(|key| prometheus.at(&["spec", "thanos", key]).is_some_and(|value| !value.is_null()))
}

fn external_labels(prometheus: &Object<'_>, findings: &mut Findings) {
    let Some(thanos) = prometheus.at(&["spec", "thanos"]) else { return };
    if !entries(prometheus.node, ["spec", "externalLabels"]).is_empty() {
        return;
    }
    findings
        .add(&CLUSTER, prometheus, thanos, "blocks of samples are uploaded without a label that says whose they are")
        .label("`spec.externalLabels` is empty")
        .help(
            "add the name of the cluster, `externalLabels: { cluster: … }`: blocks of two clusters with equal labels overlap in \
             the bucket, and the compactor halts",
        );
}

fn retention(compactor: &Process<'_, '_>, findings: &mut Findings) {
    let disabled = texts(compactor.program.container, "args").any(|word| word == "--downsampling.disable");
    for (flag, least, length) in DOWNSAMPLED.into_iter().filter(|_| !disabled) {
        let Some((node, value, kept)) = compactor.duration(flag) else { continue };
        if kept < length {
            findings
                .add(&RETENTION, compactor.object, node, format!("samples are deleted after {}", Quoted(value)))
                .label(format!("expected {least} at least, or `0d` for ever"))
                .help("the compactor does not start: nothing could be downsampled before it is deleted");
        }
    }
}

fn single(compactor: &Process<'_, '_>, findings: &mut Findings) {
    let Some((Some(node), replicas)) = compactor.replicas() else { return };
    if replicas > 1 {
        findings
            .add(&COMPACTOR, compactor.object, node, format!("{replicas} compactors work at one bucket"))
            .label("expected 1")
            .help("each takes the blocks of the others for its own: they overlap, and the compactors halt");
    }
}

/// Whether a compactor works at all blocks of its bucket.
fn takes_all(compactor: &Process<'_, '_>) -> bool {
    let flags = ["selector.relabel-config", "selector.relabel-config-file", "min-time", "max-time"];
    flags.iter().all(|flag| compactor.program.flag(flag).is_none())
}

fn shared_bucket(compactor: &Process<'_, '_>, before: &[&Process<'_, '_>], findings: &mut Findings) {
    let Some(bucket) = compactor.bucket().filter(|_| takes_all(compactor)) else { return };
    let Some(other) = before.iter().find(|other| takes_all(other) && other.bucket().as_ref() == Some(&bucket)) else {
        return;
    };
    let message = format!("two compactors work at one bucket: {} is the other", Quoted(other.object.name));
    findings
        .add(&COMPACTOR, compactor.object, compactor.node, message)
        .label("reads the same configuration of the bucket")
        .help("remove one, or part the blocks between them by `--selector.relabel-config`");
}

/// How long a Prometheus keeps samples, a day unless it says otherwise; nothing where it goes by their size alone.
fn kept(prometheus: &Object<'_>) -> Option<(String, Duration)> {
    let said = text(prometheus.node, ["spec", "retention"]);
    if said.is_none() && text(prometheus.node, ["spec", "retentionSize"]).is_some() {
        return None;
    }
    let said = said.unwrap_or("24h");
    Some((said.to_owned(), duration::prometheus(said).ok()?))
}

fn local_retention(compactor: &Process<'_, '_>, prometheus: &Object<'_>, findings: &mut Findings) {
    let Some((node, value, raw)) = compactor.duration("retention.resolution-raw") else { return };
    let Some((said, _)) = kept(prometheus).filter(|(_, local)| raw < *local) else { return };
    findings
        .add(&LOCAL, compactor.object, node, format!("the bucket keeps samples for {}", Quoted(value)))
        .label(format!("Prometheus {} keeps them for {}", Quoted(prometheus.name), Quoted(&said)))
        .help("raise it, or lower `spec.retention`: what is stored for long is deleted first");
}

fn replica_label(query: &Process<'_, '_>, prometheus: &Object<'_>, findings: &mut Findings) {
    let replicas = prometheus.at(&["spec", "replicas"]).and_then(amount).unwrap_or(BILLION) / BILLION;
    let label = text(prometheus.node, ["spec", "replicaExternalLabelName"]).unwrap_or("prometheus_replica");
    let Some(known) = query.flags("query.replica-label").filter(|_| replicas > 1 && !label.is_empty()) else { return };
    if known.iter().flat_map(|value| value.split(',')).any(|known| known == label) {
        return;
    }
    findings
        .add(&REPLICA, query.object, query.node, format!("no `--query.replica-label` is {}", Quoted(label)))
        .label(format!("the {replicas} replicas of Prometheus {} differ by it", Quoted(prometheus.name)))
        .help(format!("add `--query.replica-label={label}`: without it every series comes {replicas} times"));
}

fn memory(store: &Process<'_, '_>, findings: &mut Findings) {
    let Some((limit, most)) = store.program.memory_limit().and_then(|limit| Some((limit, amount(limit)?))) else {
        return;
    };
    let elsewhere = ["index-cache.config", "index-cache.config-file"];
    let cache = match store.program.flag("index-cache-size") {
        _ if elsewhere.iter().any(|flag| store.program.flag(flag).is_some()) => "0",
        Some((_, value)) => value,
        None => INDEX_CACHE,
    };
    let pool = store.program.flag("chunk-pool-size");
    let (node, pool) = pool.map_or((store.node, CHUNK_POOL), |(node, value)| (node, value));
    // It knows `MiB` as well, for the same.
    let bytes = |text: &str| size(&text.replace("iB", "B"));
    let Some(taken) = bytes(cache).zip(bytes(pool)).map(|(cache, pool)| cache + pool) else { return };
    if 0 < most && most <= taken * BILLION {
        let message = format!("an index cache of {} and a chunk pool of {}", Quoted(cache), Quoted(pool));
        findings
            .add(&MEMORY, store.object, node, message)
            .label(format!("expected less than the memory limit of {} together", Quoted(written(limit))))
            .help(
                "set `--index-cache-size` and `--chunk-pool-size` to an eighth and a quarter of it, or raise the limit",
            );
    }
}

/// The rings that a receiver is told, each by the hosts of its endpoints.
fn rings<'a>(world: &World<'a>, receiver: &Process<'_, 'a>) -> Option<Vec<Vec<String>>> {
    let text = match receiver.flag("receive.hashrings") {
        Some((_, text)) => text,
        None => receiver.file(world, receiver.flag("receive.hashrings-file")?.1)?,
    };
    let root = read_one(&Source::new("hashrings.json", text), &Limits::default()).ok()??;
    let host = |endpoint: &Node| {
        let address = endpoint.text().or_else(|| self::text(endpoint, "address"))?;
        Some(address.split(':').next()?.to_owned())
    };
    let ring = |ring: &Node| items(ring, "endpoints").iter().filter_map(host).collect();
    Some(root.items().iter().map(ring).collect())
}

fn hashring<'a>(world: &World<'a>, receiver: &Process<'_, 'a>, all: &[&Process<'_, 'a>], findings: &mut Findings) {
    let Some(rings) = rings(world, receiver) else { return };
    let told = ["receive.hashrings", "receive.hashrings-file"].iter().find_map(|flag| receiver.flag(flag));
    let node = told.map_or(receiver.node, |(node, _)| node);
    if let Some((factor, number)) =
        receiver.flag("receive.replication-factor").and_then(|(node, value)| Some((node, value.parse::<usize>().ok()?)))
        && let Some(ring) = rings.iter().find(|ring| ring.len() < number)
    {
        findings
            .add(&HASHRING, receiver.object, factor, format!("each sample shall be stored {number} times"))
            .label(format!("a hash ring has {} endpoints", ring.len()))
            .help("name as many receivers at least, or lower `--receive.replication-factor`: all writes fail");
    }
    for other in all.iter().filter(|other| other.object.kind == "StatefulSet") {
        let Some((_, replicas)) = other.replicas() else { continue };
        let number = |host: &String| {
            let pod = host.split('.').next()?;
            pod.strip_prefix(other.object.name)?.strip_prefix('-')?.parse::<i128>().ok()
        };
        let mut named: Vec<_> = rings.iter().flatten().filter_map(number).collect();
        named.sort_unstable();
        named.dedup();
        if !named.is_empty() && named.iter().copied().ne(0..replicas) {
            let message =
                format!("the hash ring names {} pods of StatefulSet {}", named.len(), Quoted(other.object.name));
            findings
                .add(&HASHRING, receiver.object, node, message)
                .label(format!("`spec.replicas` is {replicas}"))
                .help("name each pod once, from `-0` on: what is not there takes no samples, and what is not named gets none");
        }
    }
}
