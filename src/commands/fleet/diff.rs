//! What changes in which clusters.

use super::{Made, Selection};
use crate::commands::diff::objects_as;
use crate::commands::{Failure, Outcome};
use crate::revision;
use crate::terminal::Terminal;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vigil::size::add_series;
use vigil_fleet::Cluster;
use vigil_yaml::Problem;
use vigil_yaml::words::counted;

/// Tell what the stack files change in each cluster
///
/// As `vigil diff`, for every cluster that something changes in; clusters with the same changes are told together.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil fleet diff                              what clusters.yaml changes against the last commit
  vigil fleet diff main:fleet                   the same against a branch

Exit status: 0 the same, 1 something differs, 2 not compared")]
pub(super) struct Diff {
    #[command(flatten)]
    selection: Selection,
    /// The fleet's directory as it is applied now, or `REVISION:PATH` of git
    #[arg(value_name = "BEFORE", default_value = "HEAD:./fleet")]
    before: PathBuf,
    /// Show every object and field, not only the first of many
    #[arg(long)]
    all: bool,
}

pub(super) fn run(arguments: &Diff, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was compared");
    let made = arguments.selection.make(false, terminal).map_err(failure)?;
    let unpacked = revision::is_one(&arguments.before).then(|| revision::unpacked(&arguments.before));
    let unpacked = unpacked.transpose().map_err(failure)?;
    let before = unpacked.as_ref().map_or(arguments.before.as_path(), |folder| folder.path());
    let after = written(&made).map_err(failure)?;
    let sides = Sides { before, after: after.path(), all: arguments.all, colour: terminal.colours_stdout() };
    // What kustomizations name in `shared/` never changes.
    let rings: Vec<bool> = made.rings().iter().map(|ring| sides.have_same(&format!("rings/{ring}"))).collect();
    let told = made.clusters.par_iter().map(|cluster| sides.change(cluster, rings[cluster.ring]));
    let told = told.collect::<Result<Vec<_>, _>>().map_err(failure)?;
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (cluster, text) in made.clusters.iter().zip(told) {
        let Some(text) = text else { continue };
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(&cluster.name),
            None => groups.push((text, vec![&cluster.name])),
        }
    }
    let mut text = String::new();
    for (what, names) in &groups {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# {}\n\n{what}", names.join(", "));
    }
    let gone = gone(before, &made);
    for name in &gone {
        let _ = writeln!(
            text,
            "# {name}\n\nis in the list no longer; what it runs stays: `kubectl delete -k` of its folder in the last commit \
             takes it away\n"
        );
    }
    let changed = groups.iter().map(|(_, names)| names.len()).sum::<usize>() + gone.len();
    let _ = writeln!(text, "{changed} of {} changed", counted(made.clusters.len() + gone.len(), "cluster"));
    terminal.product(&text)?;
    Ok(if changed == 0 { Outcome::Clean } else { Outcome::Differs })
}

/// The fleet's directory as it would be, in a folder that is gone when nobody holds it any more: kustomizations are built
/// from files.
fn written(made: &Made) -> Result<TempDir, Vec<Problem>> {
    let kept = |error: std::io::Error| {
        vec![Problem::in_file(format!("cannot be kept: {error}"), std::env::temp_dir().display().to_string())]
    };
    let folder = tempfile::tempdir().map_err(kept)?;
    for (name, text) in &made.files()? {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path())).map_err(kept)?;
        std::fs::write(path, text).map_err(kept)?;
    }
    Ok(folder)
}

/// The two directories that are compared, and how that is told.
struct Sides<'a> {
    before: &'a Path,
    after: &'a Path,
    all: bool,
    colour: bool,
}

impl Sides<'_> {
    /// Whether a folder holds the same on both sides.
    fn have_same(&self, name: &str) -> bool {
        held(&self.before.join(name)) == held(&self.after.join(name))
    }

    /// What changes in a cluster; nothing if its own folder is the same, and so is that of its ring, or as it turns out.
    fn change(&self, cluster: &Cluster, same_ring: bool) -> Result<Option<String>, Vec<Problem>> {
        let own = format!("clusters/{}", cluster.name);
        if same_ring && self.have_same(&own) {
            return Ok(None);
        }
        let is_new = !self.before.join(&own).is_dir();
        if is_new && !self.all {
            return Ok(Some("is new, with everything in it\n".to_owned()));
        }
        let objects = |side: &Path| objects_as(&side.join(&own), &own);
        let before = if is_new { Vec::new() } else { objects(self.before)? };
        let version = cluster.facts.versions["Kubernetes"].parse().unwrap_or(vigil_check::versions().1);
        let options = vigil_diff::Options { minor: version.minor().into() };
        let mut diff = vigil_diff::compare(&before, &objects(self.after)?, options);
        add_series(&mut diff.totals);
        Ok((!diff.is_empty()).then(|| vigil_diff::report::text(&diff, self.all, self.colour)))
    }
}

/// The files of a folder, with their texts; what cannot be read is not there.
fn held(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    let name = |path: &Path| path.strip_prefix(folder).map(Path::to_owned).unwrap_or_default();
    files.filter_map(|entry| Some((name(entry.path()), std::fs::read(entry.path()).ok()?))).collect()
}

/// The clusters that a directory holds and the fleet does not.
fn gone(before: &Path, made: &Made) -> Vec<String> {
    let folders = std::fs::read_dir(before.join("clusters")).into_iter().flatten();
    let folders = folders.filter_map(Result::ok).filter(|entry| entry.path().join("kustomization.yaml").is_file());
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    let mut gone: Vec<_> = names.filter(|name| made.clusters.iter().all(|cluster| cluster.name != *name)).collect();
    gone.sort();
    gone
}
