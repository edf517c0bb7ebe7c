mod cache;
mod diff;
mod promote;

use super::render::{counts, directory_problem, known, stale};
use super::{COMMAND_LINE, Failure, Outcome};
use crate::terminal::Terminal;
use cache::Cache;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use vigil_directory::{Change, Changes};
use vigil_fleet::{Cluster, Delivered, Facts, Texts};
use vigil_render::{Object, Templates};
use vigil_stack::units::Image;
use vigil_stack::{Fleet, Member, Parsed, Sending, Stack};
use vigil_yaml::words::{counted, nearest};
use vigil_yaml::{Problem, Source};

/// Render, check and roll out the stacks of many clusters
///
/// clusters.yaml names the clusters, their rings, and the stack files that lie over each other for each of them.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Render(Render),
    Check(Check),
    Diff(diff::Diff),
    Matrix(Matrix),
    Promote(promote::Promote),
}

/// Which fleet, and with which templates.
#[derive(clap::Args)]
struct Selection {
    /// The clusters
    #[arg(long, value_name = "FILE", default_value = CLUSTERS)]
    fleet: PathBuf,
    /// Use the templates of this directory instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Render and check every cluster, also those whose files are what they were
    #[arg(long)]
    no_cache: bool,
}

/// Render the manifests of all clusters into one directory
///
/// Files that several clusters have stand in it once. All objects of every cluster are checked first; when anything is
/// wrong, the directory stays as it was.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil fleet render                            clusters.yaml into fleet/
  vigil fleet render --check                    fail when fleet/ is stale
  kubectl apply -k fleet/clusters/fra-01        what one cluster gets")]
struct Render {
    #[command(flatten)]
    selection: Selection,
    /// The directory to write
    #[arg(long, value_name = "DIR", default_value = "fleet")]
    out: PathBuf,
    /// Write nothing; exit with 1 when the directory is stale
    #[arg(long)]
    check: bool,
}

/// Check the objects of every cluster, and the clusters together; write nothing
#[derive(clap::Args)]
struct Check {
    #[command(flatten)]
    selection: Selection,
}

/// Print which ring runs which versions, and what each cluster has of its own
#[derive(clap::Args)]
struct Matrix {
    #[command(flatten)]
    selection: Selection,
}

/// What commands take for the clusters when nobody names them.
pub(crate) const CLUSTERS: &str = "clusters.yaml";

/// The stack of one cluster.
pub(crate) fn stack_of(path: &Path, cluster: &str) -> Result<Parsed, Vec<Problem>> {
    let fleet = load(path)?;
    let Some(member) = fleet.members.iter().find(|member| member.name.as_str() == cluster) else {
        let near = nearest(cluster, fleet.members.iter().map(|member| member.name.as_str()));
        let help =
            near.map_or_else(|| format!("{} names all", path.display()), |near| format!("did you mean `{near}`?"));
        return Err(vec![Problem::in_file(format!("there is no cluster `{cluster}`"), COMMAND_LINE).help(help)]);
    };
    fleet.stack(member)
}

/// How many problems are shown: one mistake in a file of all clusters is found in each of them.
const MOST_PROBLEMS: usize = 50;

/// How many changed files are listed.
const MOST_FILES: usize = 30;

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    match &arguments.command {
        Command::Render(arguments) => render(arguments, terminal),
        Command::Check(arguments) => check(arguments, terminal),
        Command::Diff(arguments) => diff::run(arguments, terminal),
        Command::Matrix(arguments) => {
            let made =
                arguments.selection.make(false, terminal).map_err(|it| Failure::new(it, "no matrix was made"))?;
            terminal.product(&made.matrix())?;
            Ok(Outcome::Clean)
        }
        Command::Promote(arguments) => promote::run(arguments, terminal),
    }
}

/// A fleet and what its clusters render to.
struct Made {
    fleet: Fleet,
    texts: Texts,
    clusters: Vec<Cluster>,
    delivered: Vec<Delivered>,
    objects: usize,
    warnings: Vec<Problem>,
}

impl Made {
    fn rings(&self) -> Vec<&str> {
        self.fleet.rings.iter().map(|ring| ring.name.as_str()).collect()
    }

    fn matrix(&self) -> String {
        vigil_fleet::matrix(&self.rings(), &self.clusters)
    }

    /// The files of the fleet's directory.
    fn files(&self) -> Result<BTreeMap<String, String>, Vec<Problem>> {
        let mut files = vigil_fleet::layout(&self.rings(), &self.clusters, &self.texts);
        files.insert("matrix.md".to_owned(), self.matrix());
        if let Some(applications) = vigil_fleet::argocd(&self.delivered)? {
            files.insert("argocd/applications.yaml".to_owned(), applications);
        }
        files.extend(vigil_fleet::flux(&self.delivered));
        Ok(files)
    }
}

fn load(path: &Path) -> Result<Fleet, Vec<Problem>> {
    if !path.exists() {
        let problem = Problem::in_file("there is no such file", path.display().to_string());
        return Err(vec![
            problem.help("`--fleet FILE` names one that is elsewhere; docs/fleet.md shows what to write into it"),
        ]);
    }
    let source = Source::read(path, Fleet::LIMITS.bytes).map_err(|problem| vec![*problem])?;
    Fleet::load(&source, path)
}

impl Selection {
    /// Renders every cluster, and checks it if that is asked for.
    fn make(&self, checked: bool, terminal: &Terminal) -> Result<Made, Vec<Problem>> {
        let mut fleet = load(&self.fleet)?;
        let own = self.templates.as_deref().map(Templates::read).transpose()?;
        let templates = own.as_ref().unwrap_or(&vigil::TEMPLATES);
        let cache = (own.is_none() && !self.no_cache).then(|| Cache::read(&self.fleet)).flatten();
        let (cache, texts) = cache.map_or_else(Default::default, |(cache, texts)| (Some(cache), texts));
        let shared = Shared {
            templates,
            carried: own.is_none(),
            texts: Mutex::new(texts),
            rendered: vigil_render::Memory::default(),
            checked: checked.then(Arc::default),
            cache,
        };
        let doing = if checked { "rendering and checking clusters" } else { "rendering clusters" };
        let progress = terminal.progress(doing, Some(fleet.members.len()));
        let made = fleet.members.par_iter().map(|it| one(&fleet, it, &shared)).inspect(|_| progress.step());
        let made: Vec<_> = made.collect();
        let texts = shared.texts.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(cache) = shared.cache.filter(|_| checked) {
            let clean =
                fleet.members.iter().zip(&made).filter_map(|(member, made)| Some((member, made.as_ref().ok()?)));
            cache.keep(&fleet, clean, &texts);
        }
        let mut problems = Vec::new();
        let (mut clusters, mut delivered, mut sending, mut objects) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let mut warnings = std::mem::take(&mut fleet.warnings);
        for made in made {
            match made {
                Ok(one) => {
                    clusters.push(one.cluster);
                    delivered.push(one.delivered);
                    sending.push(one.sending);
                    objects += one.objects;
                    warnings.extend(one.warnings);
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            problems = fleet.together(&sending);
        }
        if !problems.is_empty() {
            return Err(once(problems));
        }
        Ok(Made { fleet, texts, clusters, delivered, objects, warnings: once(warnings) })
    }
}

/// Problems without those that are told already, in the order of the files.
fn once(mut problems: Vec<Problem>) -> Vec<Problem> {
    let mut seen = HashSet::new();
    problems.retain(|problem| seen.insert(problem.draw(false)));
    Problem::sort(&mut problems);
    problems.truncate(MOST_PROBLEMS);
    problems
}

/// What one cluster renders to.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct One {
    cluster: Cluster,
    delivered: Delivered,
    sending: Sending,
    objects: usize,
    /// What its stack was read from.
    files: BTreeSet<PathBuf>,
    /// The digest of all that it was made of, if it comes from the cache.
    #[serde(skip)]
    made_of: Option<String>,
    #[serde(skip)]
    warnings: Vec<Problem>,
}

/// What all clusters have in common.
struct Shared<'t> {
    templates: &'t Templates,
    /// They are those that the program carries.
    carried: bool,
    texts: Mutex<Texts>,
    rendered: vigil_render::Memory,
    /// There is one if they are checked.
    checked: Option<Arc<vigil_check::Memory>>,
    cache: Option<Cache>,
}

fn one(fleet: &Fleet, member: &Member, shared: &Shared<'_>) -> Result<One, Vec<Problem>> {
    if let Some(one) = shared.cache.as_ref().and_then(|cache| cache.take(fleet, member)) {
        return Ok(one);
    }
    let parsed = fleet.stack(member)?;
    // Clusters are rendered side by side.
    let rendering = vigil_render::render_on(1, &parsed.stack, shared.templates, Some(&shared.rendered))?;
    let (mut options, warning) = vigil::checks::options(&parsed);
    if let Some(memory) = &shared.checked {
        options.memory = Some(Arc::clone(memory));
        let directory = Path::new("fleet/clusters").join(member.name.as_str());
        let is_known = known(shared.carried, &options);
        vigil::checks::check(&rendering, &directory, &options, is_known)?;
    }
    let applied: Vec<_> = rendering.objects.iter().filter(|object| object.is_applied()).collect();
    let paths: HashSet<&String> = applied.iter().map(|object| &object.path).collect();
    let number = |text: &str| shared.texts.lock().unwrap_or_else(PoisonError::into_inner).number(text);
    let files = rendering.files.iter().filter(|(path, _)| paths.contains(path));
    let files = files.map(|(path, text)| (path.clone(), number(text))).collect();
    let facts = Facts {
        region: member.region.as_ref().map(ToString::to_string).unwrap_or_default(),
        layers: member.layers.iter().map(ToString::to_string).collect(),
        versions: versions(&parsed.stack, &rendering.objects),
    };
    let cluster = Cluster {
        name: member.name.to_string(),
        ring: member.ring,
        components: rendering.components.iter().map(|&component| component.to_owned()).collect(),
        files,
        facts,
    };
    let objects = applied.len();
    let for_others = rendering.objects.iter().filter(|object| !object.is_applied());
    let delivered = Delivered {
        cluster: member.name.to_string(),
        ring: fleet.rings[member.ring].name.to_string(),
        objects: for_others.map(|object| (*object.value).clone()).collect(),
    };
    let sizes = vigil::size::warnings(&parsed);
    let Parsed { stack, mut warnings, files: read, .. } = parsed;
    warnings.extend(rendering.warnings);
    warnings.extend(warning);
    warnings.extend(sizes);
    // The last of the layers is the stack's own file, which is not among those that it names.
    let files: BTreeSet<_> = member.layers.iter().map(|layer| fleet.path(layer)).chain(read).collect();
    Ok(One { cluster, delivered, sending: stack.sending(), objects, files, made_of: None, warnings })
}

/// Kubernetes and every part that is in a stack, with the version of its image.
fn versions(stack: &Stack, objects: &[Object]) -> BTreeMap<String, String> {
    let values = serde_json::to_value(stack).unwrap_or_default();
    // One that follows from the version of Kubernetes stands in the pods alone.
    let in_pods = |name: &str| {
        let mut own = objects.iter().filter(|object| object.component == name);
        own.find_map(|object| {
            object.value.pointer("/spec/template/spec/containers/0/image")?.as_str().map(str::to_owned)
        })
    };
    let version = |name: &str| {
        let image = values[name]["image"].as_str().map(str::to_owned).or_else(|| in_pods(name))?;
        let image: Image = image.parse().ok()?;
        image.tag().or(image.digest()).map(str::to_owned)
    };
    let parts = stack.parts().into_iter().filter(|(_, part)| part.is_in(stack));
    let kubernetes = ("Kubernetes".to_owned(), stack.kubernetes.to_string());
    parts.filter_map(|(name, _)| Some((name.to_owned(), version(name)?))).chain([kubernetes]).collect()
}

fn render(arguments: &Render, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was written");
    let made = arguments.selection.make(true, terminal).map_err(failure)?;
    terminal.warn(&made.warnings);
    let (out, files) = (&arguments.out, made.files().map_err(failure)?);
    let refused = |error: vigil_directory::Error| failure(vec![directory_problem(out, &error)]);
    if arguments.check {
        let changes = vigil_directory::compare(out, &files).map_err(refused)?;
        if changes.is_empty() {
            let fleet = arguments.selection.fleet.display();
            terminal.done(&format!("{} is up to date with {fleet}\n", out.display()))?;
            return Ok(Outcome::Clean);
        }
        terminal.product(&(listed(&changes) + &stale(out, &changes, "vigil fleet render")))?;
        return Ok(Outcome::Differs);
    }
    let changes = vigil_directory::write(out, &files).map_err(refused)?;
    terminal.done(&summary(arguments, &made, &changes))?;
    Ok(Outcome::Clean)
}

fn check(arguments: &Check, terminal: &Terminal) -> Result<Outcome, Failure> {
    let made = arguments.selection.make(true, terminal).map_err(|problems| Failure::new(problems, "not clean"))?;
    terminal.warn(&made.warnings);
    terminal.done(&format!("{}: nothing to object to\n", whole(&made)))?;
    Ok(Outcome::Clean)
}

fn whole(made: &Made) -> String {
    let (clusters, rings) = (counted(made.clusters.len(), "cluster"), counted(made.fleet.rings.len(), "ring"));
    format!("{} of {clusters} in {rings}", counted(made.objects, "object"))
}

/// The files that changed, the first of many.
fn listed(changes: &Changes) -> String {
    let mut text = String::new();
    let lists = [("+", &changes.added), ("~", &changes.changed), ("-", &changes.removed)];
    let all: Vec<_> = lists.iter().flat_map(|(sign, list)| list.iter().map(move |change| (sign, change))).collect();
    for (sign, Change { path, .. }) in all.iter().take(MOST_FILES) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {sign} {path}");
    }
    if all.len() > MOST_FILES {
        let _ = writeln!(text, "  … and {} more", all.len() - MOST_FILES);
    }
    text
}

fn summary(arguments: &Render, made: &Made, changes: &Changes) -> String {
    let out = arguments.out.display();
    let mut text = format!("{} -> {out}\n\n", arguments.selection.fleet.display());
    let rings = made.rings();
    let width = rings.iter().map(|name| name.len()).max().unwrap_or(0);
    for (at, ring) in rings.iter().enumerate() {
        let names: Vec<_> = made.clusters.iter().filter(|it| it.ring == at).map(|it| &*it.name).collect();
        let shown = names[..names.len().min(6)].join(", ");
        let more = if names.len() > 6 { ", …" } else { "" };
        let _ = writeln!(text, "  {ring:width$}  {}: {shown}{more}", counted(names.len(), "cluster"));
    }
    text.push('\n');
    if changes.is_empty() {
        let _ = writeln!(text, "{}; nothing changed, nothing was written", whole(made));
        return text;
    }
    text.push_str(&listed(changes));
    let _ = writeln!(text, "\n{}; {}", whole(made), counts(changes));
    let first = made.clusters.first().map_or("NAME", |cluster| &cluster.name);
    let _ = writeln!(
        text,
        "next: review with `git diff`, {out}/matrix.md first; then, for each cluster and in its context, `kubectl apply -k \
         {out}/clusters/{first}`"
    );
    text
}
