//! What clusters rendered to before, kept outside of the repository: who changes one cluster of a thousand waits for one.
//!
//! A cluster is taken from here if the program, what `clusters.yaml` says of it, and every file that its stack was read from are
//! the same. Each that is kept has passed the check, without a warning. A cache that is missing, old or broken is no mistake.

use super::One;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{env, fs};
use vigil_fleet::{Texts, digest};
use vigil_stack::units::LayerPath;
use vigil_stack::{Fleet, Member};

/// The clusters of a fleet as they were kept.
pub(super) struct Cache {
    path: PathBuf,
    program: String,
    /// How many are kept, and those that nobody has taken.
    count: usize,
    before: Mutex<HashMap<String, Kept>>,
    /// Of the files that stacks are read from; many clusters have the same. Nothing for one that cannot be read.
    digests: Mutex<HashMap<PathBuf, Option<Arc<str>>>>,
}

/// A cluster.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The digest of all that it was made of.
    made_of: String,
    one: One,
}

/// What the cache is on the disk; read with texts and clusters of its own, written with those of others.
#[derive(Serialize, Deserialize)]
struct Content<T, C> {
    program: String,
    texts: Vec<T>,
    clusters: Vec<C>,
}

impl Cache {
    /// The cache of the fleet at a path, and the texts that its clusters have the numbers of; nothing where there can be none.
    pub(super) fn read(fleet: &Path) -> Option<(Self, Texts)> {
        // Paths of files are relative to where the program was called.
        let of = [env::current_dir().ok()?, fleet.to_owned()].map(|path| path.display().to_string());
        let path = folder()?.join(format!("vigil/fleet/{}.json", digest(of.iter().map(String::as_str))));
        let program = program()?;
        let found = fs::read(&path).ok().and_then(|bytes| content(&bytes, &program));
        let (before, texts) = found.unwrap_or_default();
        Some((Self { path, program, count: before.len(), before: before.into(), digests: Mutex::default() }, texts))
    }

    /// What a cluster rendered to, if it is still made of the same.
    pub(super) fn take(&self, fleet: &Fleet, member: &Member) -> Option<One> {
        let Kept { made_of, mut one } = locked(&self.before).remove(member.name.as_str())?;
        (self.made_of(fleet, member, &one.files)? == made_of).then(|| {
            // Another ring may have come before it.
            one.cluster.ring = member.ring;
            one.made_of = Some(made_of);
            one
        })
    }

    fn made_of(&self, fleet: &Fleet, member: &Member, files: &BTreeSet<PathBuf>) -> Option<String> {
        let region = member.region.as_ref().map_or("", |region| region.as_str());
        let said = [member.name.as_str(), fleet.rings[member.ring].name.as_str(), region];
        let said = said.into_iter().chain(member.layers.iter().map(LayerPath::as_str));
        let mut parts: Vec<_> = said.map(str::to_owned).collect();
        for file in files {
            let digest = locked(&self.digests).entry(file.clone()).or_insert_with(|| digest_of(fleet, file)).clone()?;
            parts.extend([file.display().to_string(), digest.to_string()]);
        }
        Some(digest(parts.iter().map(String::as_str)))
    }

    /// Keeps what clusters rendered to for the next time, unless all of it was taken from here.
    pub(super) fn keep<'a>(&self, fleet: &Fleet, made: impl Iterator<Item = (&'a Member, &'a One)>, texts: &Texts) {
        let quiet: Vec<_> = made.filter(|(_, one)| one.warnings.is_empty()).collect();
        if quiet.len() == self.count && quiet.iter().all(|(_, one)| one.made_of.is_some()) {
            return;
        }
        let kept = quiet.into_iter().filter_map(|(member, one)| {
            let made_of = one.made_of.clone().or_else(|| self.made_of(fleet, member, &one.files))?;
            Some(Kept { made_of, one: one.clone() })
        });
        // The next time is as slow as this one if it cannot be written.
        let _ = self.write(kept.collect(), texts);
    }

    fn write(&self, mut clusters: Vec<Kept>, texts: &Texts) -> std::io::Result<()> {
        // Without the texts that nobody has any more.
        let (mut used, mut numbers) = (Vec::new(), HashMap::new());
        for number in clusters.iter_mut().flat_map(|kept| kept.one.cluster.files.values_mut()) {
            *number = *numbers.entry(*number).or_insert_with_key(|number| {
                used.push(texts.text(*number));
                used.len() - 1
            });
        }
        let content = Content { program: self.program.clone(), texts: used, clusters };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&content)?)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// The clusters and texts of a cache, unless another program wrote it or it is broken.
fn content(bytes: &[u8], program: &str) -> Option<(HashMap<String, Kept>, Texts)> {
    let content: Content<String, Kept> = serde_json::from_slice(bytes).ok()?;
    let mut texts = Texts::default();
    let numbered = content.texts.iter().enumerate().all(|(number, text)| texts.number(text) == number);
    let known = |kept: &Kept| kept.one.cluster.files.values().all(|number| *number < content.texts.len());
    (content.program == program && numbered && content.clusters.iter().all(known))
        .then(|| (content.clusters.into_iter().map(|kept| (kept.one.cluster.name.clone(), kept)).collect(), texts))
}

/// Of a file; with the names of all clusters if it asks for them.
fn digest_of(fleet: &Fleet, file: &Path) -> Option<Arc<str>> {
    let source = fleet.content(file)?;
    let names = fleet.members.iter().map(|member| member.name.as_str());
    let asked = source.text.contains(Fleet::ALL_CLUSTERS);
    Some(digest(names.filter(|_| asked).chain([&*source.text])).into())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where programs keep what they can make again.
fn folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = if cfg!(windows) { set("LOCALAPPDATA") } else { set("XDG_CACHE_HOME") };
    own.or_else(|| Some(env::home_dir()?.join(".cache")))
}

/// This program, and no other: where it stands, and when it was written.
fn program() -> Option<String> {
    let path = env::current_exe().ok()?;
    let found = fs::metadata(&path).ok()?;
    Some(format!("{} {} {:?}", path.display(), found.len(), found.modified().ok()?))
}
