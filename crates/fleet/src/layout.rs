//! Which files are shared, and by whom.

use crate::{HEAD, digest};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

/// Texts of files, each held once however many clusters have it.
#[derive(Debug, Default)]
pub struct Texts {
    numbers: HashMap<Arc<str>, usize>,
    texts: Vec<Arc<str>>,
}

impl Texts {
    /// The number of a text.
    pub fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.numbers.insert(text, self.texts.len() - 1);
        self.texts.len() - 1
    }

    /// The text with a number.
    ///
    /// # Panics
    /// If no text was given that number.
    pub fn text(&self, number: usize) -> &str {
        &self.texts[number]
    }
}

/// A cluster and its files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// The number of its ring.
    pub ring: usize,
    /// The components that made its files, in the order in which they are applied.
    pub components: Vec<String>,
    /// Its files as `<component>/<file>`, each with the number of its text.
    pub files: BTreeMap<String, usize>,
    /// What the matrix tells of it.
    pub facts: Facts,
}

/// What the matrix tells of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The region; empty without one.
    pub region: String,
    /// The stack files, the lowest first.
    pub layers: Vec<String>,
    /// What it runs: Kubernetes and each part, with the version.
    pub versions: BTreeMap<String, String>,
}

impl Cluster {
    /// Its files.
    pub(crate) fn files(&self) -> impl Iterator<Item = File<'_>> {
        self.files.iter().map(|(path, text)| (path.as_str(), *text))
    }

    /// Whether it has a file with this text.
    fn has(&self, path: &str, text: usize) -> bool {
        self.files.get(path) == Some(&text)
    }
}

/// One file: its path, and the number of its text.
pub(crate) type File<'c> = (&'c str, usize);

/// The files of the fleet's directory, but for the matrix.
pub fn layout(rings: &[&str], clusters: &[Cluster], texts: &Texts) -> BTreeMap<String, String> {
    let mut directory = Directory { texts, files: BTreeMap::new(), shared: HashMap::new() };
    let order = order(clusters);
    let places: HashMap<&str, usize> = order.iter().copied().zip(0..).collect();
    let owners = owners(clusters);
    let common: Vec<BTreeSet<File<'_>>> = (0..rings.len()).map(|ring| common(ring, clusters, &owners)).collect();
    for (ring, files) in rings.iter().zip(&common) {
        let mut resources = Vec::new();
        for component in &order {
            let files: Vec<_> = files.iter().copied().filter(|(path, _)| component_of(path) == *component).collect();
            resources.extend(directory.shared(component, &files));
        }
        directory.kustomization(&format!("rings/{ring}"), &resources, false);
    }
    for cluster in clusters {
        let mut resources = Vec::new();
        if !common[cluster.ring].is_empty() {
            resources.push(format!("../../rings/{}", rings[cluster.ring]));
        }
        // By component, in the order in which they are applied; files that the same clusters have are one set.
        let mut own: Vec<(usize, File<'_>)> = Vec::new();
        let mut sets: BTreeMap<(usize, usize), Vec<File<'_>>> = BTreeMap::new();
        for file in cluster.files().filter(|file| !common[cluster.ring].contains(file)) {
            let Some(&place) = places.get(component_of(file.0)) else { continue };
            match &owners[&file] {
                Owners { count: 1, .. } => own.push((place, file)),
                Owners { rank, .. } => sets.entry((place, *rank)).or_default().push(file),
            }
        }
        own.sort_unstable();
        resources.extend(sets.iter().filter_map(|((place, _), files)| directory.shared(order[*place], files)));
        for (_, (path, text)) in own {
            let name = format!("clusters/{}/{path}", cluster.name);
            directory.files.insert(name, texts.text(text).to_owned());
            resources.push(path.to_owned());
        }
        directory.kustomization(&format!("clusters/{}", cluster.name), &resources, true);
    }
    directory.files
}

/// Which clusters have a file.
pub(crate) struct Owners {
    pub(crate) count: usize,
    /// The same for files that the same clusters have, and the lower the earlier these clusters come.
    rank: usize,
}

/// The owners of each file.
pub(crate) fn owners(clusters: &[Cluster]) -> HashMap<File<'_>, Owners> {
    let mut owners: HashMap<File<'_>, Vec<usize>> = HashMap::new();
    for (number, cluster) in clusters.iter().enumerate() {
        for file in cluster.files() {
            owners.entry(file).or_default().push(number);
        }
    }
    let sets: BTreeSet<&Vec<usize>> = owners.values().collect();
    let ranks: HashMap<&Vec<usize>, usize> = sets.into_iter().zip(0..).collect();
    owners.iter().map(|(file, set)| (*file, Owners { count: set.len(), rank: ranks[set] })).collect()
}

/// The files that all clusters of a ring have; of a ring of one, those that a cluster elsewhere has too.
fn common<'c>(ring: usize, clusters: &'c [Cluster], owners: &HashMap<File<'c>, Owners>) -> BTreeSet<File<'c>> {
    let members: Vec<_> = clusters.iter().filter(|cluster| cluster.ring == ring).collect();
    let Some(first) = members.first() else { return BTreeSet::new() };
    let files = first.files().filter(|(path, text)| members.iter().all(|member| member.has(path, *text)));
    files.filter(|file| owners[file].count > 1).collect()
}

/// The components of all clusters, each before those that any cluster applies after it.
fn order(clusters: &[Cluster]) -> Vec<&str> {
    let mut order: Vec<&str> = Vec::new();
    for cluster in clusters {
        let mut at = 0;
        for component in &cluster.components {
            let known = order.iter().position(|known| known == component);
            let place = known.unwrap_or_else(|| {
                order.insert(at, component);
                at
            });
            at = place + 1;
        }
    }
    order
}

fn component_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

struct Directory<'t> {
    texts: &'t Texts,
    files: BTreeMap<String, String>,
    /// Where the sets stand that are made already: most clusters have the same ones.
    shared: HashMap<Vec<File<'t>>, String>,
}

impl<'t> Directory<'t> {
    /// Where a set of files of one component stands, from a folder two levels below the top; nowhere for none.
    fn shared(&mut self, component: &str, files: &[File<'t>]) -> Option<String> {
        if files.is_empty() {
            return None;
        }
        if let Some(folder) = self.shared.get(files) {
            return Some(format!("../../{folder}"));
        }
        let hash = digest(files.iter().flat_map(|(path, text)| [*path, self.texts.text(*text)]));
        // 48 bits: two sets of a component that differ and agree in them are not to be feared.
        let folder = format!("shared/{component}/{}", &hash[..12]);
        let mut resources = Vec::new();
        for (path, text) in files {
            let name = path.split_once('/').map_or(*path, |(_, name)| name);
            resources.push(name.to_owned());
            self.files.insert(format!("{folder}/{name}"), self.texts.text(*text).to_owned());
        }
        self.kustomization(&folder, &resources, false);
        let up = format!("../../{folder}");
        self.shared.insert(files.to_vec(), folder);
        Some(up)
    }

    fn kustomization(&mut self, folder: &str, resources: &[String], is_whole: bool) {
        let mut text = format!("# {HEAD}\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n");
        if is_whole {
            // Files of one's own come behind those of the ring, and a namespace may be among them.
            text.push_str("sortOptions:\n  order: legacy\n");
        }
        text.push_str(if resources.is_empty() { "resources: []\n" } else { "resources:\n" });
        for resource in resources {
            let _ = writeln!(text, "- {resource}");
        }
        self.files.insert(format!("{folder}/kustomization.yaml"), text);
    }
}
