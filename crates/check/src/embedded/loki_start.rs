//! What keeps Loki from starting although it knows every key of its configuration.
//!
//! Source: `pkg/loki/validation.go`, `pkg/storage/config/schema_config.go`, `pkg/compactor/config.go` and
//! `pkg/validation/limits.go` of github.com/grafana/loki 3.7.8; what older ones do not ask for says since when it holds.

use super::file::File;
use super::syntax::Read;
use crate::fields::{filled, given, is_set, items, text, written};
use crate::finding::{At, Finding, Findings};
use crate::rule::rules;
use crate::world::World;
use crate::world::program::Program;
use std::time::Duration;
use vigil_forms::duration;
use vigil_forms::selector::stream_matchers;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    START "loki-start" Error Program "Loki starts with its configuration: schema, stores, directories, retention"
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The first version that stores structured metadata unless it is told not to, and asks for a store of delete requests.
const METADATA: (u32, u32) = (3, 0);

/// What `store` of a period names: the kinds of an index, those that are going to be removed last.
const INDEXES: &[&str] = &[
    "tsdb",
    "boltdb-shipper",
    "aws",
    "aws-dynamo",
    "bigtable",
    "bigtable-hashed",
    "boltdb",
    "cassandra",
    "gcp",
    "gcp-columnkey",
    "grpc-store",
    "inmemory",
];

/// What `object_store` of a period names, in the same order; and those of the stores of Thanos.
const STORES: &[&str] = &[
    "filesystem",
    "s3",
    "aws",
    "gcs",
    "azure",
    "swift",
    "alibabacloud",
    "bos",
    "cos",
    "noop",
    "aws-dynamo",
    "bigtable",
    "bigtable-hashed",
    "cassandra",
    "gcp",
    "gcp-columnkey",
    "grpc-store",
    "inmemory",
];

/// What there is to do about an old schema.
const OLD_SCHEMA: &str = "add a later period with `store: tsdb` and `schema: v13`, and until then set \
                    `limits_config.allow_structured_metadata: false`";

pub(super) fn check(read: &[Read<'_, '_>], world: &World<'_>, findings: &mut Findings) {
    for Read { file, documents } in read {
        let [root] = documents.as_slice() else { continue };
        let mut programs = world.readers(&file.object);
        let is_read = |program: &Program<'_>| program.name == "loki" && program.is_configured_by(file.name());
        if let Some(program) = programs.find(is_read) {
            Judge { file, root, program, findings }.check();
        }
    }
}

/// A configuration and the program that reads it.
struct Judge<'w, 'f, 'a> {
    file: &'w File<'a>,
    root: &'w Node,
    program: Program<'a>,
    findings: &'f mut Findings,
}

impl Judge<'_, '_, '_> {
    fn check(&mut self) {
        let periods = items(self.root, ["schema_config", "configs"]);
        for period in periods {
            self.period(period);
        }
        for [earlier, later] in periods.windows(2).filter_map(|two| <&[Node; 2]>::try_from(two).ok()) {
            // Dates of one form are in order when their texts are.
            if let (Some(earlier), Some(later)) = (earlier.get("from"), later.get("from"))
                && written(earlier).len() == written(later).len()
                && written(earlier) >= written(later)
            {
                self.add(later, format!("{} is not after the period before it", Quoted(written(later))))
                    .help("order the periods by `from`, each later than the one before");
            }
        }
        if let Some(last) = periods.last().filter(|_| self.is_since(METADATA)) {
            self.metadata(last);
        }
        self.directories(periods);
        self.retention();
        self.names();
    }

    /// Names of stores and encodings: `pkg/chunkenc/interface.go`, `pkg/ruler/base/storage.go`, and `kv/client.go` of
    /// github.com/grafana/dskit.
    fn names(&mut self) {
        const ENCODINGS: &[&str] = &["none", "gzip", "lz4-64k", "snappy", "lz4-256k", "lz4-1M", "lz4", "flate", "zstd"];
        const RULES: &[&str] = &["azure", "gcs", "s3", "swift", "local", "bos", "cos", "alibabacloud", "configdb"];
        const RINGS: &[&str] = &["consul", "etcd", "inmemory", "memberlist", "multi", "mock"];
        let rings = [
            &["common", "ring", "kvstore", "store"][..],
            &["ingester", "lifecycler", "ring", "kvstore", "store"],
            &["distributor", "ring", "kvstore", "store"],
            &["compactor", "compactor_ring", "kvstore", "store"],
            &["ruler", "ring", "kvstore", "store"],
        ];
        let named = [(&["ingester", "chunk_encoding"][..], ENCODINGS), (&["ruler", "storage", "type"], RULES)];
        for (path, known) in named.into_iter().chain(rings.map(|path| (path, &RINGS[..4]))) {
            let Some(node) = self.root.at(path).filter(|node| !is_variable(node)) else { continue };
            let all = if known.len() == 4 { RINGS } else { known };
            if let Some(name) = node.text().filter(|name| !name.is_empty() && !all.contains(name)) {
                self.unknown(node, path.last().unwrap_or(&"store"), name, known);
            }
        }
    }

    fn add<'n>(&mut self, at: impl Into<At<'n>>, message: String) -> &mut Finding {
        self.file.add(&START, self.root, at, message, self.findings)
    }

    fn is_since(&self, version: (u32, u32)) -> bool {
        self.program.version.is_some_and(|own| own >= version)
    }

    fn period(&mut self, period: &Node) {
        let store = period.get("store").filter(|node| !is_variable(node));
        let index = store.and_then(Node::text).unwrap_or_default();
        if let Some(node) = store
            && !index.is_empty()
            && !INDEXES.contains(&index)
        {
            self.unknown(node, "store", index, &INDEXES[..2]);
        }
        if let Some(node) = period.get("object_store").filter(|node| !is_variable(node))
            && let Some(name) = node.text().filter(|name| !name.is_empty() && !STORES.contains(name))
            && !self.is_named_store(name)
        {
            self.unknown(node, "object_store", name, &STORES[..9]);
        }
        if let Some(node) = period.get("schema").filter(|node| !is_variable(node)) {
            let version = written(node).strip_prefix('v').and_then(|number| number.parse::<u32>().ok());
            if !version.is_some_and(|version| (9..=13).contains(&version)) {
                self.add(node, format!("there is no schema {}", Quoted(written(node))))
                    .label("expected `v13`, or `v9` to `v12` of old data");
            }
        }
        if !matches!(index, "tsdb" | "boltdb-shipper") {
            return;
        }
        let period_of = period.at(&["index", "period"]);
        let length = period_of.map(written);
        let is_day = length.and_then(|text| duration::prometheus(text).ok()) == Some(DAY);
        if is_day || period_of.is_some_and(is_variable) {
            return;
        }
        let at = period_of.map(At::Value).or_else(|| period.entry("index").map(At::Key)).unwrap_or(At::Value(period));
        let shown = length.map_or_else(|| "not set".to_owned(), |text| Quoted(text).to_string());
        self.add(at, format!("`index.period` of the store `{index}` is {shown}"))
            .label("expected `24h`")
            .help(format!("`{index}` takes no other period"));
    }

    fn unknown(&mut self, node: &Node, key: &str, name: &str, known: &[&str]) {
        let finding = self.add(node, format!("there is no `{key}` {}", Quoted(name)));
        match nearest(name, known.to_vec()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.label(format!("expected {}", list(known, "or"))),
        };
    }

    /// Whether the configuration gives a store this name.
    fn is_named_store(&self, name: &str) -> bool {
        let named = [&["storage_config", "named_stores"][..], &["storage_config", "object_store", "named_stores"]];
        let kinds = named.into_iter().filter_map(|path| self.root.at(path)).flat_map(Node::entries);
        kinds.flat_map(|kind| kind.value.entries()).any(|store| store.key.text == name)
    }

    /// Structured metadata needs the newest schema. Which period is the active one only the day of the start tells: the
    /// last one is what is meant.
    fn metadata(&mut self, last: &Node) {
        let is_off = |value: &str| value == "false";
        let key = self.root.at(&["limits_config", "allow_structured_metadata"]);
        let flag = self.program.flag("validation.allow-structured-metadata");
        if key.map(written).is_some_and(is_off)
            || key.is_some_and(is_variable)
            || flag.is_some_and(|(_, text)| is_off(text))
        {
            return;
        }
        let store =
            last.get("store").filter(|node| node.text().is_some_and(|text| text != "tsdb" && INDEXES.contains(&text)));
        let is_old = |node: &&Node| matches!(written(node), "v9" | "v10" | "v11" | "v12");
        let schema = last.get("schema").filter(is_old);
        let (Some(at), found) = (schema.or(store), [schema, store]) else { return };
        let found: Vec<String> = found.into_iter().flatten().map(|node| Quoted(written(node)).to_string()).collect();
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        self.add(at, format!("structured metadata with {}", found.join(" and ")))
            .label("expected `store: tsdb` and `schema: v13`")
            .help(OLD_SCHEMA);
    }

    /// Directories of an index, which `common.path_prefix` gives a default.
    fn directories(&mut self, periods: &[Node]) {
        let is_flag = |flag: &str| self.program.flag(flag).is_some();
        if !self.is_since(METADATA)
            || given(self.root, ["common", "path_prefix"]).is_some()
            || is_flag("common.path-prefix")
        {
            return;
        }
        let Some(entry) = self.root.entry("schema_config") else { return };
        let uses = |index: &str| periods.iter().any(|period| text(period, "store") == Some(index));
        let mut missing: Vec<String> = Vec::new();
        for (index, key, flag) in
            [("tsdb", "tsdb_shipper", "tsdb.shipper"), ("boltdb-shipper", "boltdb_shipper", "boltdb.shipper")]
        {
            for (directory, option) in
                [("active_index_directory", "active-index-directory"), ("cache_location", "cache-location")]
            {
                let is_there = text(self.root, ["storage_config", key, directory]).is_some()
                    || is_flag(&format!("{flag}.{option}"));
                if uses(index) && !is_there {
                    missing.push(format!("`storage_config.{key}.{directory}`"));
                }
            }
        }
        let is_working =
            text(self.root, ["compactor", "working_directory"]).is_some() || is_flag("compactor.working-directory");
        if (uses("tsdb") || uses("boltdb-shipper")) && !is_working {
            missing.push("`compactor.working_directory`".to_owned());
        }
        if !missing.is_empty() {
            self.add(entry, format!("without `common.path_prefix`, {} must be set", missing.join(", ")))
                .help("set `common.path_prefix`, below which all directories are, or each of them");
        }
    }

    fn retention(&mut self) {
        let compactor = self.root.get("compactor");
        if self.is_since(METADATA)
            && let Some(compactor) = compactor.filter(|compactor| is_set(compactor, "retention_enabled"))
            && text(compactor, "delete_request_store").is_none()
            && self.program.flag("compactor.delete-request-store").is_none()
            && let Some(entry) = compactor.entry("retention_enabled")
        {
            self.add(entry, "`retention_enabled` without `delete_request_store`".to_owned())
                .label("expected `delete_request_store` too")
                .help("name the store that holds the chunks, such as `delete_request_store: filesystem`");
        }
        let streams = items(self.root, ["limits_config", "retention_stream"]);
        for stream in streams {
            if let Some((node, selector)) = filled(stream, "selector").filter(|(_, it)| stream_matchers(it).is_none()) {
                self.add(node, format!("{} selects no streams", Quoted(selector)))
                    .label("expected such as `{namespace=\"web\"}`");
            }
        }
        for node in streams.iter().filter_map(|stream| stream.get("period")) {
            if duration::prometheus(written(node)).is_ok_and(|length| length < DAY) {
                self.add(node, format!("a retention of {}", Quoted(written(node)))).label("expected `24h` or more");
            }
        }
        if let Some(node) = self.root.at(&["limits_config", "deletion_mode"]).filter(|node| !is_variable(node))
            && !matches!(written(node), "disabled" | "filter-only" | "filter-and-delete")
        {
            self.add(node, format!("there is no `deletion_mode` {}", Quoted(written(node))))
                .label("expected `disabled`, `filter-only` or `filter-and-delete`");
        }
    }
}

/// Whether Loki puts something in the place of a value when it starts.
fn is_variable(node: &Node) -> bool {
    written(node).contains("${")
}
