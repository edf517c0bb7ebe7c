//! What keeps Prometheus from loading its configuration although it knows every key of it.
//!
//! Source: the `Validate` and `UnmarshalYAML` functions of `config/config.go`, `model/relabel/relabel.go` and
//! `discovery/kubernetes/kubernetes.go` of github.com/prometheus/prometheus 3.8.

use super::configuration;
use super::file::{File, Where};
use super::http_client;
use super::syntax::Read;
use super::values::is_size;
use crate::fields::{filled, given, is_set, items, text};
use crate::finding::{At, Finding, Findings};
use crate::objects::SELECTED;
use crate::relabeling::{self, Wrong};
use crate::rule::rules;
use crate::world::World;
use crate::world::program::Program;
use std::collections::HashSet;
use std::time::Duration;
use vigil_forms::duration;
use vigil_forms::selector::{is_field_selector, is_label_selector};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    START "prometheus-start" Error Program "Prometheus loads its configuration: jobs, timeouts, targets, relabelings, authentication"
}

const ROLES: [&str; 6] = ["node", "pod", "service", "endpoints", "endpointslice", "ingress"];

const PROTOCOLS: [&str; 5] =
    ["PrometheusProto", "OpenMetricsText0.0.1", "OpenMetricsText1.0.0", "PrometheusText0.0.4", "PrometheusText1.0.0"];

/// The types of records of `discovery/dns`.
const RECORDS: [&str; 5] = ["SRV", "A", "AAAA", "MX", "NS"];

/// A path of `discovery/file`, whose last part alone may hold a star.
fn is_target_file(path: &str) -> bool {
    let Some((stem, ending)) = path.rsplit_once('.') else { return false };
    let after_star = stem.split_once('*').map(|(_, rest)| rest);
    matches!(ending, "json" | "yml" | "yaml" | "JSON" | "YML" | "YAML")
        && after_star.is_none_or(|rest| !rest.contains('/'))
}

/// Judges the files that a Prometheus of the set is configured by.
pub(super) fn check(read: &[Read<'_, '_>], world: &World<'_>, findings: &mut Findings) {
    let parts = configuration::parts(world.set);
    for Read { file, documents } in read {
        let [root] = documents.as_slice() else { continue };
        let part = parts.get(&(file.object.namespace, file.object.name, file.name()));
        if part.is_some_and(|(_, part)| part.is_jobs && file.object.kind == "Secret") {
            let mut judge = Judge { file, root, version: None, findings };
            // Their defaults are those of the Prometheus, which the operator writes beside them.
            root.items().iter().for_each(|job| judge.job(job, Duration::from_secs(60), Duration::from_secs(10)));
            continue;
        }
        let mut programs = world.readers(&file.object);
        let is_read = |program: &Program<'_>| program.name == "prometheus" && program.is_configured_by(file.name());
        if let Some(program) = programs.find(is_read) {
            Judge { file, root, version: program.version, findings }.check();
        }
    }
}

struct Judge<'w, 'f, 'a> {
    file: &'w File<'a>,
    root: &'w Node,
    version: Option<(u32, u32)>,
    findings: &'f mut Findings,
}

impl Judge<'_, '_, '_> {
    fn add<'n>(&mut self, at: impl Into<At<'n>>, message: impl Into<String>) -> &mut Finding {
        self.file.add(&START, self.root, at, message, self.findings)
    }

    fn check(&mut self) {
        let time = |path: [&str; 2]| text(self.root, path).and_then(|text| duration::prometheus(text).ok());
        let interval = time(["global", "scrape_interval"]).unwrap_or(Duration::from_secs(60));
        let own = time(["global", "scrape_timeout"]);
        if let Some(node) = self.root.at(&["global", "scrape_timeout"])
            && own.is_some_and(|own| own > interval)
        {
            self.add(node, "`global.scrape_timeout` is longer than `scrape_interval`").help("take the same or less");
        }
        let timeout = own.unwrap_or(Duration::from_secs(10));
        self.twice("scrape_configs", "job_name");
        self.twice("remote_write", "name");
        self.twice("remote_read", "name");
        for job in items(self.root, "scrape_configs") {
            self.job(job, interval, timeout);
        }
        for write in items(self.root, "remote_write") {
            self.remote(write, "remote_write");
            self.relabelings(write, "write_relabel_configs");
        }
        for read in items(self.root, "remote_read") {
            self.remote(read, "remote_read");
        }
        if let Some(alerting) = given(self.root, "alerting") {
            self.relabelings(alerting, "alert_relabel_configs");
        }
        for alertmanager in items(self.root, ["alerting", "alertmanagers"]) {
            let is_old = self.version.is_some_and(|version| version < (3, 0));
            let is_one = |version: &str| version == "v2" || is_old && version == "v1";
            if let Some((node, version)) = filled(alertmanager, "api_version").filter(|(_, version)| !is_one(version)) {
                self.add(node, format!("there is no `api_version` {}", Quoted(version))).label("expected `v2`");
            }
            self.targets(alertmanager);
            self.relabelings(alertmanager, "relabel_configs");
            self.relabelings(alertmanager, "alert_relabel_configs");
            self.authentication(alertmanager);
        }
    }

    /// Two items of a list that go by one name.
    fn twice(&mut self, list: &str, key: &str) {
        let mut seen = HashSet::new();
        for item in items(self.root, list) {
            let Some((node, name)) = filled(item, key) else { continue };
            if !seen.insert(name) {
                self.add(node, format!("a second item of `{list}` has the `{key}` {}", Quoted(name)))
                    .help(format!("give each a `{key}` of its own"));
            }
        }
    }

    fn job(&mut self, job: &Node, interval: Duration, timeout: Duration) {
        if job.entries().is_empty() {
            self.add(job, "an empty item of `scrape_configs`").help("remove it");
            return;
        }
        if filled(job, "job_name").is_none() {
            self.add(job, "an item of `scrape_configs` without `job_name`").help("give it a name");
        }
        let time = |key: &str| text(job, key).and_then(|text| duration::prometheus(text).ok());
        let interval = time("scrape_interval").unwrap_or(interval);
        // A global timeout that is too long for a job is cut.
        if let Some(node) = job.get("scrape_timeout")
            && time("scrape_timeout").unwrap_or(timeout) > interval
        {
            self.add(node, "`scrape_timeout` is longer than the job's `scrape_interval`").help("take the same or less");
        }
        self.targets(job);
        self.relabelings(job, "relabel_configs");
        self.relabelings(job, "metric_relabel_configs");
        self.authentication(job);
        for entry in job.entries().iter().filter(|entry| entry.key.text.ends_with("_sd_configs")) {
            for discovery in entry.value.items() {
                self.authentication(discovery);
            }
        }
        self.protocols(job);
        self.discoveries(job);
        for discovery in items(job, "kubernetes_sd_configs") {
            match filled(discovery, "role") {
                None => {
                    self.add(discovery, "an item of `kubernetes_sd_configs` without `role`")
                        .label(format!("expected {}", list(&ROLES, "or")));
                }
                Some((node, role)) if !ROLES.contains(&role) => self.unknown(node, "role", role, &ROLES),
                Some(_) => {}
            }
        }
    }

    /// What a job prefers to be answered in: `validateScrapeProtocols` of `config/config.go`.
    fn protocols(&mut self, job: &Node) {
        let mut seen = HashSet::new();
        for node in items(job, "scrape_protocols") {
            let Some(name) = node.text() else { continue };
            if !PROTOCOLS.contains(&name) {
                self.unknown(node, "scrape protocol", name, &PROTOCOLS);
            } else if !seen.insert(name) {
                self.add(node, format!("{} stands twice in `scrape_protocols`", Quoted(name)))
                    .help("remove one of the two");
            }
        }
        if let Some((node, name)) =
            filled(job, "fallback_scrape_protocol").filter(|(_, name)| !PROTOCOLS.contains(name))
        {
            self.unknown(node, "fallback_scrape_protocol", name, &PROTOCOLS);
        }
        if let Some((node, text)) = filled(job, "body_size_limit").filter(|(_, text)| !is_size(text)) {
            self.add(node, format!("`body_size_limit` is {}", Quoted(text))).label("expected such as `10MB`");
        }
    }

    /// `UnmarshalYAML` of the discoveries' own configurations, in `discovery/`.
    fn discoveries(&mut self, job: &Node) {
        for discovery in items(job, "dns_sd_configs") {
            if items(discovery, "names").is_empty() {
                self.add(discovery, "an item of `dns_sd_configs` without `names`");
            }
            let Some((node, kind)) = filled(discovery, "type").filter(|(_, kind)| !kind.eq_ignore_ascii_case("SRV"))
            else {
                continue;
            };
            if !RECORDS.contains(&kind.to_ascii_uppercase().as_str()) {
                self.unknown(node, "type", kind, &RECORDS);
            } else if given(discovery, "port").is_none() {
                self.add(node, format!("records of type {} without `port`", Quoted(kind)))
                    .label("expected `port` beside it")
                    .help("only records of type `SRV` have a port of their own");
            }
        }
        for discovery in items(job, "file_sd_configs") {
            let files = items(discovery, "files");
            if files.is_empty() {
                self.add(discovery, "an item of `file_sd_configs` without `files`");
            }
            for file in files {
                if let Some(path) = file.text().filter(|path| !is_target_file(path)) {
                    self.add(file, format!("{} is no file of targets", Quoted(path)))
                        .label("expected a path that ends with `.json`, `.yml` or `.yaml`")
                        .help("a `*` may stand in its last part alone");
                }
            }
        }
        for discovery in items(job, "http_sd_configs") {
            let Some((node, url)) = filled(discovery, "url") else {
                self.add(discovery, "an item of `http_sd_configs` without `url`");
                continue;
            };
            if !super::values::is_http_url(url) {
                self.add(node, "`url` of a discovery is no address")
                    .label("expected `http://` or `https://` and a host");
            }
        }
        for discovery in items(job, "kubernetes_sd_configs") {
            self.kubernetes(discovery);
        }
    }

    fn kubernetes(&mut self, discovery: &Node) {
        if is_set(discovery, ["namespaces", "own_namespace"]) && given(discovery, "api_server").is_some() {
            self.add(discovery, "`own_namespace` beside `api_server`")
                .help("remove one of the two: another cluster has no namespace of Prometheus' own");
        }
        let role = text(discovery, "role").unwrap_or_default();
        let Some((_, allowed)) = SELECTED.iter().find(|(of, _)| *of == role) else { return };
        for selector in items(discovery, "selectors") {
            if let Some((node, of)) = filled(selector, "role").filter(|(_, of)| !allowed.contains(of)) {
                self.add(node, format!("a selector of role {} for discovery of role `{role}`", Quoted(of)))
                    .label(format!("expected {}", list(allowed, "or")));
            }
            for (key, holds) in
                [("label", is_label_selector as fn(&str) -> bool), ("field", is_field_selector as fn(&str) -> bool)]
            {
                if let Some((node, text)) = filled(selector, key).filter(|(_, text)| !holds(text)) {
                    self.add(node, format!("{} is no selector by {key}s", Quoted(text)));
                }
            }
        }
    }

    fn unknown(&mut self, node: &Node, key: &str, value: &str, known: &[&str]) {
        let finding = self.add(node, format!("there is no `{key}` {}", Quoted(value)));
        match nearest(value, known.to_vec()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.label(format!("expected {}", list(known, "or"))),
        };
    }

    fn targets(&mut self, holder: &Node) {
        for target in items(holder, "static_configs").iter().flat_map(|config| items(config, "targets")) {
            let Some(address) = target.text().filter(|address| address.contains('/')) else { continue };
            self.add(target, format!("{} is no `host:port`", Quoted(address)))
                .help("the scheme and the path are `scheme` and `metrics_path`, or `path_prefix` of an Alertmanager");
        }
    }

    fn remote(&mut self, remote: &Node, list: &str) {
        if filled(remote, "url").is_none() {
            self.add(remote, format!("an item of `{list}` without `url`"));
        }
        self.authentication(remote);
    }

    fn relabelings(&mut self, holder: &Node, key: &str) {
        for rule in items(holder, key) {
            if rule.entries().is_empty() {
                self.add(rule, format!("an empty item of `{key}`")).help("remove it");
                continue;
            }
            self.relabeling(rule);
        }
    }

    fn relabeling(&mut self, rule: &Node) {
        let action = relabeling::action(rule);
        for wrong in relabeling::OF_PROMETHEUS.wrong(rule) {
            match wrong {
                Wrong::Action(node) => self.unknown(node, "action", action, &relabeling::ACTIONS),
                Wrong::NoModulus => {
                    self.add(rule, format!("action `{action}` without `modulus`"));
                }
                Wrong::NoTarget => {
                    let finding = self.add(rule, format!("action `{action}` without `target_label`"));
                    if rule.get("action").is_none() {
                        finding.help("`replace` is the action where none is given");
                    }
                }
                Wrong::Unused(entry, used) => {
                    self.add(entry, format!("`{}` beside action `{action}`", entry.key.text))
                        .label(format!("expected only {}", list(&used, "and")));
                }
            }
        }
    }

    /// How whatever `holder` names is asked.
    fn authentication(&mut self, holder: &Node) {
        http_client::check(Where::File(self.file, self.root), &START, holder, self.findings);
    }
}
