//! `clusters.yaml`: the clusters of a fleet, and which stack files lie over each other for each of them.

use crate::decode;
use crate::layers::{Layer, Layers, in_words};
use crate::units::{DnsLabel, Duration, LayerPath, Line};
use crate::{MOST_PROBLEMS, Parsed, Stack, findings, in_order};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use vigil_yaml::words::nearest;
use vigil_yaml::{Data, Limits, Node, Place, Problem, Source, Span};

/// The keys of a stack in which `{cluster}`, `{region}` and `{ring}` stand for what they are; `*` is any one key.
pub const VARIABLE_KEYS: [&str; 19] = [
    "*.externalUrl",
    "*.ingress.host",
    "*.ingress.path",
    "*.outputs.*.tenant",
    "*.outputs.*.url",
    "annotations.*",
    "argocd.destination.server",
    "argocd.path",
    "argocd.revision",
    "grafana.config.*.*",
    "labels.*",
    "namespaces.labels.*",
    "objectStorage.buckets.*",
    "objectStorage.s3.endpoint",
    "objectStorage.s3.region",
    "prometheus.alertmanagers.*.url",
    "prometheus.externalLabels.*",
    "prometheus.remoteRead.*.url",
    "prometheus.remoteWrite.*.url",
];

/// The key of a stack that may ask for the names of all clusters.
const LISTS_CLUSTERS: &str = "thanos-ruler.clusters";

/// The clusters of a fleet, and which stack files lie over each other for each of them.
#[derive(Debug, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FleetFile {
    /// Stack files for every cluster, the lowest first; paths are relative to the folder of this file.
    #[serde(default)]
    layers: Vec<LayerPath>,
    /// The rings, in the order of promotion.
    rings: Vec<Ring>,
    /// The clusters, by name.
    clusters: BTreeMap<DnsLabel, ClusterFile>,
}

/// Clusters that change together, before or after those of other rings.
#[derive(Clone, Debug, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// Its name.
    pub name: DnsLabel,
    /// Stack files for its clusters, over those of all.
    #[serde(default)]
    pub layers: Vec<LayerPath>,
    /// What must be true before something is promoted to it.
    #[serde(default)]
    pub gate: Gate,
}

/// What must be true before something is promoted to a ring.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// How long the ring before must have run it.
    #[serde(default)]
    pub soak: Option<Duration>,
    /// A query of the hub's Prometheus that must give nothing.
    #[serde(default)]
    pub health: Option<Line>,
}

/// A cluster.
#[derive(Debug, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct ClusterFile {
    /// The ring that it changes with.
    ring: DnsLabel,
    /// Where it is.
    #[serde(default)]
    region: Option<DnsLabel>,
    /// Stack files of its own, over those of its ring.
    #[serde(default)]
    layers: Vec<LayerPath>,
}

/// A cluster, and what its stack is made of.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: DnsLabel,
    /// Its ring, by its number.
    pub ring: usize,
    /// Where it is.
    pub region: Option<DnsLabel>,
    /// The stack files, the lowest first, each relative to the folder of the fleet's own file.
    pub layers: Vec<LayerPath>,
    /// Where each is named.
    places: Vec<Span>,
    /// Where it is named itself.
    place: Span,
}

/// All clusters.
#[derive(Debug)]
pub struct Fleet {
    /// The rings, in the order in which something is promoted.
    pub rings: Vec<Ring>,
    /// The clusters, by their names.
    pub members: Vec<Member>,
    /// What somebody should know.
    pub warnings: Vec<Problem>,
    file: Layer,
    /// The files that were read: many clusters have the same.
    read: Mutex<HashMap<PathBuf, Result<Arc<Source>, String>>>,
}

impl Fleet {
    /// How much a file may hold: thousands of clusters.
    pub const LIMITS: Limits = Limits { bytes: 8 << 20, nodes: 400_000, depth: 32 };

    /// The item of a list that stands for the names of all clusters.
    pub const ALL_CLUSTERS: &str = "{clusters}";

    /// Reads a fleet from the text of the file at `path`. The stack files that it names are read by [`Fleet::stack`].
    ///
    /// # Errors
    /// All problems of the text, in its order; never an empty list.
    pub fn load(source: &Arc<Source>, path: &Path) -> Result<Self, Vec<Problem>> {
        let (document, mut problems) = vigil_yaml::salvage(source, &Self::LIMITS);
        let Some(root) = document else {
            if problems.is_empty() {
                problems.push(Problem::in_file("names no cluster", source.name.as_str()).help(HELP));
            }
            return Err(in_order(problems, source.name.clone()));
        };
        let decoded = decode::decode::<FleetFile>(&root, MOST_PROBLEMS);
        problems.extend(decoded.problems);
        let Some(file) = decoded.value.filter(|_| problems.is_empty()) else {
            return Err(in_order(problems, source.name.clone()));
        };
        let mut fleet = Self {
            members: Vec::new(),
            warnings: Vec::new(),
            rings: file.rings,
            file: Layer { source: source.clone(), path: path.to_owned() },
            read: Mutex::default(),
        };
        problems.extend(fleet.wrong_rings(&root));
        for (name, cluster) in &file.clusters {
            match fleet.member(name, cluster, &file.layers, &root) {
                Ok(member) => fleet.members.push(member),
                Err(problem) => problems.push(*problem),
            }
        }
        if file.clusters.is_empty() && problems.is_empty() {
            problems.push(Problem::error("the fleet has no cluster", place(&root, "clusters")).help(HELP));
        }
        if !problems.is_empty() {
            return Err(in_order(problems, source.name.clone()));
        }
        for (at, ring) in fleet.rings.iter().enumerate() {
            if fleet.members.iter().all(|member| member.ring != at) {
                let place = place(&root, &format!("rings.{at}.name"));
                let problem = Problem::warning(format!("the ring `{}` has no cluster", ring.name), place);
                fleet.warnings.push(problem.help("leave it out, or give a cluster `ring: …` with its name"));
            }
        }
        Ok(fleet)
    }

    /// What is wrong with the rings themselves.
    fn wrong_rings(&self, root: &Node) -> Vec<Problem> {
        let twice = self
            .rings
            .iter()
            .enumerate()
            .filter(|(at, ring)| self.rings[..*at].iter().any(|before| before.name == ring.name));
        let mut problems: Vec<_> = twice
            .map(|(at, ring)| {
                Problem::error(
                    format!("two rings are called `{}`", ring.name),
                    place(root, &format!("rings.{at}.name")),
                )
                .help("promotion goes from one to the next by name: give each its own")
            })
            .collect();
        if let Some(gate) = self.rings.first().filter(|ring| ring.gate.soak.is_some() || ring.gate.health.is_some()) {
            let problem = Problem::error(
                format!("nothing is promoted to the first ring, `{}`, that a gate could hold back", gate.name),
                place(root, "rings.0.gate"),
            );
            problems.push(problem.help("put the gate at the ring behind it"));
        }
        problems
    }

    fn member(
        &self,
        name: &DnsLabel,
        cluster: &ClusterFile,
        common: &[LayerPath],
        root: &Node,
    ) -> Result<Member, Box<Problem>> {
        let at = |path: &str| span(root, path).unwrap_or_else(|| root.span.clone());
        let own = format!("clusters.{name}");
        let Some(ring) = self.rings.iter().position(|ring| ring.name == cluster.ring) else {
            let problem = Problem::error(format!("there is no ring `{}`", cluster.ring), at(&format!("{own}.ring")));
            let near = nearest(cluster.ring.as_str(), self.rings.iter().map(|ring| ring.name.as_str()));
            let label = near.map_or("not in `rings`".to_owned(), |near| format!("did you mean `{near}`?"));
            return Err(Box::new(problem.label(label)));
        };
        let mut layers: Vec<LayerPath> = Vec::new();
        let mut places = Vec::new();
        let lists = [(common, "layers".to_owned()), (&self.rings[ring].layers, format!("rings.{ring}.layers"))];
        for (list, path) in lists.into_iter().chain([(cluster.layers.as_slice(), format!("{own}.layers"))]) {
            for (number, layer) in list.iter().enumerate() {
                let place = at(&format!("{path}.{number}"));
                if layers.contains(layer) {
                    let problem = Problem::error(format!("`{layer}` is named twice for the cluster `{name}`"), place);
                    return Err(Box::new(
                        problem.help("files of all clusters, of a ring and of a cluster are one list"),
                    ));
                }
                layers.push(layer.clone());
                places.push(place);
            }
        }
        if layers.is_empty() {
            let problem = Problem::error(format!("the cluster `{name}` has no stack"), at(&own));
            return Err(Box::new(problem.help("name a stack file in `layers`, here, of its ring or of all")));
        }
        let region = cluster.region.clone();
        Ok(Member { name: name.clone(), ring, region, layers, places, place: at(&own) })
    }

    /// Where a stack file is.
    pub fn path(&self, layer: &LayerPath) -> PathBuf {
        self.file.beside(layer.as_str())
    }

    /// The stack of a cluster.
    ///
    /// # Errors
    /// All problems of its files, in their order; never an empty list.
    pub fn stack(&self, member: &Member) -> Result<Parsed, Vec<Problem>> {
        let read = |path: &Path| self.text(path);
        let mut layers = Layers::default();
        for (layer, place) in member.layers.iter().zip(&member.places) {
            layers.below(self.path(layer), place, &read);
        }
        let wrong = layers.root.as_mut().map(|root| self.fill(root, member)).unwrap_or_default();
        layers.problems.extend(wrong);
        Stack::finished(&layers, &read, self.file.source.name.clone())
    }

    /// The content of a file that a stack is read from, once it has been read; nothing if it cannot be.
    pub fn content(&self, path: &Path) -> Option<Arc<Source>> {
        self.text(path).ok()
    }

    fn text(&self, path: &Path) -> Result<Arc<Source>, String> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let text = read
            .entry(path.to_owned())
            .or_insert_with(|| Source::read(path, Stack::LIMITS.bytes).map_err(|problem| problem.message));
        text.clone()
    }

    /// Puts the values of the variables into the keys that may have them.
    fn fill(&self, root: &mut Node, member: &Member) -> Vec<Problem> {
        let variables = Variables {
            known: [
                ("cluster", Some(member.name.as_str())),
                ("region", member.region.as_ref().map(DnsLabel::as_str)),
                ("ring", Some(self.rings[member.ring].name.as_str())),
            ],
            clusters: &self.members,
        };
        let mut problems = Vec::new();
        variables.fill(root, &mut Vec::new(), member, &mut problems);
        problems
    }
}

/// What a cluster sends to other stores, and how they know it; and what it expects of others.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Sending {
    /// The labels of all that it sends.
    pub labels: BTreeMap<String, String>,
    /// Where it sends it.
    pub urls: Vec<String>,
    /// What it is called in those labels, if it is called anything.
    pub name: Option<String>,
    /// The clusters whose samples it expects, by that name.
    pub expected: Vec<String>,
}

impl Fleet {
    /// What is wrong with the clusters together: series of two that their store cannot tell apart.
    pub fn together(&self, sending: &[Sending]) -> Vec<Problem> {
        let mut seen: HashMap<(&BTreeMap<String, String>, &String), &Member> = HashMap::new();
        let mut problems = Vec::new();
        for (member, sending) in self.members.iter().zip(sending) {
            for url in &sending.urls {
                let first = *seen.entry((&sending.labels, url)).or_insert(member);
                if std::ptr::eq(first, member) {
                    continue;
                }
                let message =
                    format!("the clusters `{first}` and `{member}` send series with the same labels to one store");
                let problem = Problem::error(message, member.place.clone()).label("cannot be told apart there");
                problems.push(problem.help(
                    "give each its own `prometheus.externalLabels`: `cluster: \"{cluster}\"` in a file of all does it",
                ));
                break;
            }
        }
        problems.extend(self.members.iter().zip(sending).flat_map(|(member, own)| self.silent(member, own, sending)));
        problems
    }

    /// Clusters whose samples a hub expects, and that send none: it would tell of each for ever.
    fn silent(&self, hub: &Member, own: &Sending, all: &[Sending]) -> Vec<Problem> {
        if own.expected.is_empty() {
            return Vec::new();
        }
        let by_name: HashMap<_, _> = self
            .members
            .iter()
            .zip(all)
            .filter_map(|(member, sending)| Some((sending.name.as_deref()?, (member, sending))))
            .collect();
        let problem = |expected: &String| {
            let (message, place, help) = match by_name.get(expected.as_str()) {
                Some((member, _)) if std::ptr::eq(*member, hub) => return None,
                Some((_, sending)) if !sending.urls.is_empty() => return None,
                Some((member, _)) => (
                    format!("`{hub}` expects samples of `{member}`, which sends none"),
                    member.place.clone(),
                    "add `prometheus.remoteWrite` to a file of its own or of all, with the address of the receivers",
                ),
                None => (
                    format!("`{hub}` expects samples of `{expected}`, and no cluster is called so"),
                    hub.place.clone(),
                    "say who is who: `prometheus.externalLabels: { cluster: \"{cluster}\" }` in a file of all does it",
                ),
            };
            Some(Problem::error(message, place).help(help))
        };
        own.expected.iter().filter_map(problem).collect()
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

const HELP: &str =
    "a fleet has `rings` in the order of promotion, and `clusters` by name, each with its `ring`: docs/fleet.md";

struct Variables<'a> {
    known: [(&'static str, Option<&'a str>); 3],
    clusters: &'a [Member],
}

impl Variables<'_> {
    fn fill(&self, node: &mut Node, path: &mut Vec<String>, member: &Member, problems: &mut Vec<Problem>) {
        match &mut node.data {
            Data::Map(entries) => {
                for entry in entries {
                    path.push(entry.key.text.clone());
                    self.fill(&mut entry.value, path, member, problems);
                    path.pop();
                }
            }
            Data::List(items) => {
                self.list_clusters(items, path);
                for (at, item) in items.iter_mut().enumerate() {
                    path.push(at.to_string());
                    self.fill(item, path, member, problems);
                    path.pop();
                }
            }
            Data::Scalar(scalar) => {
                for (name, value) in self.known {
                    let token = format!("{{{name}}}");
                    if !stands_in(&token, &scalar.text) {
                        continue;
                    }
                    if !takes_variables(path) {
                        let problem = Problem::error(
                            format!("`{token}` stands for nothing in `{}`", in_words(&path.join("."))),
                            node.span.clone(),
                        );
                        problems.push(
                            problem
                                .help(format!("it does in {}", VARIABLE_KEYS.map(|key| format!("`{key}`")).join(", "))),
                        );
                    } else if let Some(value) = value {
                        scalar.text = scalar.text.replace(&token, value);
                        // Braces at its beginning were quoted, or it would have been a mapping.
                        scalar.plain = false;
                    } else {
                        let place = &node.span;
                        let (file, line) = (&place.source.name, place.line_column().0);
                        let problem =
                            Problem::error(format!("the cluster `{member}` has no {name}"), member.place.clone());
                        problems.push(
                            problem
                                .label(format!("{file}:{line} says `{token}`"))
                                .help(format!("add `{name}: …` to it")),
                        );
                    }
                }
            }
        }
    }

    /// Puts the names of all clusters into a list that asks for them.
    fn list_clusters(&self, items: &mut Vec<Node>, path: &[String]) {
        let asks = |item: &Node| item.text() == Some(Fleet::ALL_CLUSTERS);
        if path.join(".") != LISTS_CLUSTERS || !items.iter().any(asks) {
            return;
        }
        let named = |item: Node| -> Vec<Node> {
            let name = |member: &Member| {
                let mut named = item.clone();
                if let Data::Scalar(scalar) = &mut named.data {
                    member.name.as_str().clone_into(&mut scalar.text);
                }
                named
            };
            if asks(&item) { self.clusters.iter().map(name).collect() } else { vec![item] }
        };
        *items = std::mem::take(items).into_iter().flat_map(named).collect();
    }
}

/// Whether a text has a token that is not part of a template in double braces.
fn stands_in(token: &str, text: &str) -> bool {
    text.match_indices(token).any(|(at, _)| !text[..at].ends_with('{') && !text[at + token.len()..].starts_with('}'))
}

/// Whether variables stand for something at a path of keys.
fn takes_variables(path: &[String]) -> bool {
    VARIABLE_KEYS.iter().any(|key| {
        let mut names = key.split('.');
        path.iter().all(|name| names.next().is_some_and(|it| it == "*" || it == name)) && names.next().is_none()
    })
}

fn span(root: &Node, path: &str) -> Option<Span> {
    findings::find(root, path).map(|(span, _)| span)
}

fn place(root: &Node, path: &str) -> Place {
    span(root, path).unwrap_or_else(|| root.span.clone()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Fleet, String> {
        let drawn = |problems: Vec<Problem>| problems.iter().map(|problem| problem.draw(false) + "\n").collect();
        Fleet::load(&Source::new("clusters.yaml", text), Path::new("clusters.yaml")).map_err(drawn)
    }

    /// A fleet of one cluster, whose only file says this.
    fn stack(cluster: &str, text: &str) -> Result<Stack, String> {
        let fleet = load(&format!("layers: [a.yaml]\nrings: [{{name: prod}}]\nclusters:\n  fra: {cluster}\n")).unwrap();
        fleet.read.lock().unwrap().insert("a.yaml".into(), Ok(Source::new("a.yaml", text)));
        let drawn = |problems: Vec<Problem>| problems.iter().map(|problem| problem.draw(false) + "\n").collect();
        fleet.stack(&fleet.members[0]).map(|parsed| parsed.stack).map_err(drawn)
    }

    #[test]
    fn what_is_wrong_with_a_fleet() {
        let mut said = String::new();
        for text in [
            "",
            "rings: []\nclusters: {}\n",
            "rings: [{name: a, gate: {soak: 1d}}, {name: a, gate: {soak: often}}]\nclusters:\n  x: {ring: b}\n",
            "rings: [{name: a, gate: {soak: 1d}}, {name: a}]\nclusters:\n  x: {ring: a}\n",
            "layers: [a.yaml]\nrings: [{name: prod}]\nclusters:\n  x: {ring: pord}\n  y: {ring: prod, layers: [a.yaml]}\n  \
             Z: {ring: prod}\n  w: {rnig: prod}\n",
        ] {
            said += &load(text).map_or_else(|problems| problems, |fleet| format!("{} clusters\n", fleet.members.len()));
            said += "--\n";
        }
        insta::assert_snapshot!(said);
    }

    #[test]
    fn variables_stand_for_what_they_are() {
        let text = "prometheus:\n  externalLabels: {cluster: '{cluster}', place: \"{region}-{ring}\"}\n  \
                    ingress: {enabled: true, host: 'prometheus.{cluster}.example.com'}\n\
                    grafana: {config: {auth: {header: '{{cluster}}'}}}\n";
        let stack = stack("{ring: prod, region: eu}", text).unwrap();
        let labels: Vec<_> = stack.prometheus.external_labels.values().map(ToString::to_string).collect();
        assert_eq!(labels, ["fra", "eu-prod"]);
        assert_eq!(stack.prometheus.ingress.host.unwrap().as_str(), "prometheus.fra.example.com");
    }

    #[test]
    fn a_hub_expects_all_clusters_and_each_must_send() {
        let text = "layers: [a.yaml]\nrings: [{name: prod}]\nclusters:\n  hub: {ring: prod}\n  a: {ring: prod}\n  b: {ring: prod}\n";
        let fleet = load(text).unwrap();
        let own = "objectStorage: {s3: {endpoint: a.b}, buckets: {thanos: metrics}}\n\
                   prometheus: {retention: 2d, externalLabels: {cluster: '{cluster}'}}\nthanos: {enabled: true}\n\
                   thanos-ruler: {enabled: true, clusters: [before, '{clusters}']}\n";
        fleet.read.lock().unwrap().insert("a.yaml".into(), Ok(Source::new("a.yaml", own)));
        let hub = fleet.members.iter().find(|member| member.name.as_str() == "hub").unwrap();
        let hub = fleet.stack(hub).unwrap_or_else(|problems| panic!("{problems:?}")).stack.sending();
        assert_eq!(hub.expected, ["before", "a", "b", "hub"]);
        assert_eq!(hub.name.as_deref(), Some("hub"));

        let of = |name: &str, urls: &[&str]| Sending {
            name: Some(name.to_owned()),
            labels: [("cluster".to_owned(), name.to_owned())].into(),
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            expected: Vec::new(),
        };
        let problems = fleet.together(&[of("a", &["u"]), of("b", &[]), hub]);
        let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`hub` expects samples of `before`, and no cluster is called so",
                "`hub` expects samples of `b`, which sends none"
            ]
        );
    }

    #[test]
    fn variables_stand_only_where_they_may() {
        let text = "prometheus:\n  externalLabels: {place: '{region}'}\n  retention: '{ring}'\nnamespaces: {monitoring: 'm-{cluster}'}\n";
        insta::assert_snapshot!(stack("{ring: prod}", text).unwrap_err());
    }

    #[test]
    fn every_key_that_takes_variables_is_one_of_the_stack() {
        for key in VARIABLE_KEYS {
            let names: Vec<_> = key.split('.').collect();
            let mut known = false;
            for part in ["prometheus", "grafana", "alloy", "loki"] {
                let path = names.iter().enumerate().map(|(at, name)| match (*name, at, names[at.saturating_sub(1)]) {
                    ("*", 0, _) | ("*", _, "buckets") => part,
                    // An item of a list.
                    ("*", _, "alertmanagers" | "remoteRead" | "remoteWrite" | "outputs") => "0",
                    ("*", ..) => "x",
                    (name, ..) => name,
                });
                let whole = path.collect::<Vec<_>>().into_iter().rev().fold(serde_json::json!("x"), |inner, name| {
                    if name == "0" { serde_json::json!([inner]) } else { serde_json::json!({ name: inner }) }
                });
                let problems = Stack::parse(&Source::new("t", vigil_yaml::write(&whole))).err().unwrap_or_default();
                known |= !problems.iter().any(|problem| problem.message.contains("unknown key"));
            }
            assert!(known, "{key}");
            assert!(include_str!("../../../docs/fleet.md").contains(&format!("`{key}`")), "docs/fleet.md lacks {key}");
        }
    }

    #[test]
    fn stores_can_tell_clusters_apart() {
        let text = "layers: [a.yaml]\nrings: [{name: prod}]\nclusters:\n  a: {ring: prod}\n  b: {ring: prod}\n  c: {ring: prod}\n";
        let fleet = load(text).unwrap();
        let sending = |label: &str, urls: &[&str]| Sending {
            labels: [("cluster".to_owned(), label.to_owned())].into(),
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            ..Sending::default()
        };
        let problems = fleet.together(&[sending("x", &["u"]), sending("y", &["u"]), sending("x", &["v", "u"])]);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].message, "the clusters `a` and `c` send series with the same labels to one store");
        assert!(fleet.together(&[sending("x", &["u"]), sending("x", &["v"]), sending("x", &[])]).is_empty());
    }
}
