use super::render::{directory_problem, stale};
use super::{Failure, Outcome};
use crate::terminal::Terminal;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use vigil_directory::{Change, Changes};
use vigil_fleet::{Cluster, Delivered, Facts, Moved, Texts};
use vigil_render::{Object, Templates};
use vigil_stack::units::{Duration, Image};
use vigil_stack::{Fleet, Member, Parsed, Sending, Stack};
use vigil_yaml::words::{counted, nearest};
use vigil_yaml::{Limits, Problem, Source};

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
    Diff(Diff),
    Matrix(Matrix),
    Promote(Promote),
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

/// Tell what the stack files change in each cluster
///
/// As `vigil diff`, for every cluster that something changes in; clusters with the same changes are told together.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil fleet diff                              what clusters.yaml changes against the last commit
  vigil fleet diff main:fleet                   the same against a branch

Exit status: 0 the same, 1 something differs, 2 not compared")]
struct Diff {
    #[command(flatten)]
    selection: Selection,
    /// The fleet's directory as it is applied now, or `REVISION:PATH` of git
    #[arg(value_name = "BEFORE", default_value = "HEAD:./fleet")]
    before: PathBuf,
    /// Show every object and field, not only the first of many
    #[arg(long)]
    all: bool,
}

/// Print which ring runs which versions, and what each cluster has of its own
#[derive(clap::Args)]
struct Matrix {
    #[command(flatten)]
    selection: Selection,
}

/// Say in the next ring what a ring says: a change of its stack file
///
/// Every value of the ring's own stack file that is one line goes into the file of the next ring; comments and everything
/// else there stay. The gate of that ring must be met by what is given.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil fleet promote canary prod                                  everything that canary says
  vigil fleet promote canary prod prometheus.image --dry-run       one line, shown only
  vigil fleet promote canary prod --soaked 30h --health answer.json

Exit status: 0 promoted or nothing to promote, 2 not promoted")]
struct Promote {
    /// The ring that runs it
    #[arg(value_name = "FROM")]
    from: String,
    /// The ring that shall run it, the next one
    #[arg(value_name = "TO")]
    to: String,
    /// Only these keys, and all below them
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// How long the ring has run it, such as `30h`
    #[arg(long, value_name = "DURATION")]
    soaked: Option<Duration>,
    /// The answer of Prometheus' HTTP API to the query of the gate
    #[arg(long, value_name = "FILE")]
    health: Option<PathBuf>,
    /// Change nothing; show what would be changed
    #[arg(long)]
    dry_run: bool,
    /// The clusters
    #[arg(long, value_name = "FILE", default_value = CLUSTERS)]
    fleet: PathBuf,
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

/// Where a mistake in an argument stands.
const COMMAND_LINE: &str = "<command line>";

/// How many problems are shown: one mistake in a file of all clusters is found in each of them.
const MOST_PROBLEMS: usize = 50;

/// How many changed files are listed.
const MOST_FILES: usize = 30;

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    match &arguments.command {
        Command::Render(arguments) => render(arguments, terminal),
        Command::Check(arguments) => check(arguments, terminal),
        Command::Diff(arguments) => diff(arguments, terminal),
        Command::Matrix(arguments) => {
            let made = arguments.selection.make(false).map_err(|it| Failure::new(it, "no matrix was made"))?;
            terminal.product(&made.matrix())?;
            Ok(Outcome::Clean)
        }
        Command::Promote(arguments) => promote(arguments, terminal),
    }
}

/// A fleet and what its clusters render to.
struct Made {
    fleet: Fleet,
    texts: Texts,
    clusters: Vec<(Cluster, Facts)>,
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
        let clusters: Vec<_> = self.clusters.iter().map(|(cluster, _)| cluster.clone()).collect();
        let mut files = vigil_fleet::layout(&self.rings(), &clusters, &self.texts);
        files.insert("matrix.md".to_owned(), self.matrix());
        if let Some(applications) = vigil_fleet::argocd(&self.delivered)? {
            files.insert("argocd/applications.yaml".to_owned(), applications);
        }
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
    fn make(&self, checked: bool) -> Result<Made, Vec<Problem>> {
        let mut fleet = load(&self.fleet)?;
        let own = self.templates.as_deref().map(Templates::read).transpose()?;
        let templates = own.as_ref().unwrap_or(&vigil::TEMPLATES);
        let texts = Mutex::new(Texts::default());
        let asked = (own.is_none(), checked);
        let made: Vec<_> = fleet.members.par_iter().map(|it| one(&fleet, it, templates, &texts, asked)).collect();
        let (mut good, mut problems) = (Vec::new(), Vec::new());
        for made in made {
            match made {
                Ok(made) => good.push(made),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            let sending: Vec<_> = good.iter().map(|one| one.sending.clone()).collect();
            problems = fleet.together(&sending);
        }
        if !problems.is_empty() {
            return Err(once(problems));
        }
        let mut warnings = std::mem::take(&mut fleet.warnings);
        warnings.extend(good.iter_mut().flat_map(|one| std::mem::take(&mut one.warnings)));
        Ok(Made {
            fleet,
            texts: texts.into_inner().unwrap_or_else(PoisonError::into_inner),
            objects: good.iter().map(|one| one.objects).sum(),
            delivered: good.iter().map(|one| one.delivered.clone()).collect(),
            clusters: good.into_iter().map(|one| (one.cluster, one.facts)).collect(),
            warnings: once(warnings),
        })
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
struct One {
    cluster: Cluster,
    facts: Facts,
    delivered: Delivered,
    sending: Sending,
    objects: usize,
    warnings: Vec<Problem>,
}

fn one(
    fleet: &Fleet,
    member: &Member,
    templates: &Templates,
    texts: &Mutex<Texts>,
    (carried, checked): (bool, bool),
) -> Result<One, Vec<Problem>> {
    let parsed = fleet.stack(member)?;
    // Clusters are rendered side by side.
    let mut rendering = vigil_render::render_on(1, &parsed.stack, templates)?;
    let (options, warning) = vigil::checks::options(&parsed);
    if checked {
        let directory = Path::new("fleet/clusters").join(member.name.as_str());
        let is_known = super::render::known(carried, &options);
        vigil::checks::check(&rendering, &directory, &options, is_known)?;
    }
    let applied: Vec<_> = rendering.objects.iter().filter(|object| object.is_applied()).collect();
    let paths: HashSet<&String> = applied.iter().map(|object| &object.path).collect();
    let number = |text: &str| texts.lock().unwrap_or_else(PoisonError::into_inner).number(text);
    let files = rendering.files.iter().filter(|(path, _)| paths.contains(path));
    let files = files.map(|(path, text)| (path.clone(), number(text))).collect();
    let cluster = Cluster {
        name: member.name.to_string(),
        ring: member.ring,
        components: std::mem::take(&mut rendering.components),
        files,
    };
    let facts = Facts {
        region: member.region.as_ref().map(ToString::to_string).unwrap_or_default(),
        layers: member.layers.iter().map(ToString::to_string).collect(),
        versions: versions(&parsed.stack, &rendering.objects),
    };
    let objects = applied.len();
    let for_argocd = rendering.objects.iter().filter(|object| object.component == "argocd");
    let delivered = Delivered {
        cluster: member.name.to_string(),
        ring: fleet.rings[member.ring].name.to_string(),
        objects: for_argocd.map(|object| (*object.value).clone()).collect(),
    };
    let Parsed { stack, mut warnings, .. } = parsed;
    warnings.extend(rendering.warnings);
    warnings.extend(warning);
    Ok(One { cluster, facts, delivered, sending: stack.sending(), objects, warnings })
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
    let made = arguments.selection.make(true).map_err(failure)?;
    terminal.warn(&made.warnings);
    let (out, files) = (&arguments.out, made.files().map_err(failure)?);
    let refused = |error: vigil_directory::Error| failure(vec![directory_problem(out, &error)]);
    if arguments.check {
        let changes = vigil_directory::compare(out, &files).map_err(refused)?;
        if changes.is_empty() {
            let fleet = arguments.selection.fleet.display();
            terminal.product(&format!("{} is up to date with {fleet}\n", out.display()))?;
            return Ok(Outcome::Clean);
        }
        terminal.product(&(listed(&changes) + &stale(out, &changes, "vigil fleet render")))?;
        return Ok(Outcome::Differs);
    }
    let changes = vigil_directory::write(out, &files).map_err(refused)?;
    terminal.product(&summary(arguments, &made, &changes))?;
    Ok(Outcome::Clean)
}

fn check(arguments: &Check, terminal: &Terminal) -> Result<Outcome, Failure> {
    let made = arguments.selection.make(true).map_err(|problems| Failure::new(problems, "not clean"))?;
    terminal.warn(&made.warnings);
    terminal.product(&format!("{}: nothing to object to\n", whole(&made)))?;
    Ok(Outcome::Clean)
}

fn diff(arguments: &Diff, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was compared");
    let made = arguments.selection.make(false).map_err(failure)?;
    let unpacked = crate::revision::is_one(&arguments.before).then(|| crate::revision::unpacked(&arguments.before));
    let unpacked = unpacked.transpose().map_err(failure)?;
    let before = unpacked.as_ref().map_or(arguments.before.as_path(), |folder| folder.path());
    let kept = |error: std::io::Error| {
        failure(vec![Problem::in_file(format!("cannot be kept: {error}"), std::env::temp_dir().display().to_string())])
    };
    let folder = tempfile::tempdir().map_err(kept)?;
    let files = made.files().map_err(failure)?;
    for (name, text) in &files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path())).map_err(kept)?;
        std::fs::write(path, text).map_err(kept)?;
    }
    let told = made.clusters.par_iter().zip(&made.fleet.members).map(|((cluster, facts), member)| {
        let own = format!("clusters/{}", cluster.name);
        let ring = format!("rings/{}", made.fleet.rings[member.ring].name);
        // What they name in `shared/` never changes.
        let is_same = [&own, &ring].iter().all(|name| held(&before.join(name)) == held(&folder.path().join(name)));
        if is_same {
            return Ok(None);
        }
        let objects = |folder: &Path| super::diff::objects_as(&folder.join(&own), &own);
        let minor = facts.versions["Kubernetes"].parse().unwrap_or(vigil_check::versions().1).minor().into();
        if !before.join(&own).is_dir() && !arguments.all {
            return Ok(Some(("is new, with everything in it\n".to_owned(), cluster.name.clone())));
        }
        let before = if before.join(&own).is_dir() { objects(before)? } else { Vec::new() };
        let diff = vigil_diff::compare(&before, &objects(folder.path())?, vigil_diff::Options { minor });
        let text = vigil_diff::report::text(&diff, arguments.all, terminal.colours_stdout());
        Ok((!diff.is_empty()).then(|| (text, cluster.name.clone())))
    });
    let told = told.collect::<Result<Vec<_>, _>>().map_err(failure)?;
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (text, name) in told.into_iter().flatten() {
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(name),
            None => groups.push((text, vec![name])),
        }
    }
    let mut text = String::new();
    for (what, names) in &groups {
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
    let mut gone: Vec<_> =
        names.filter(|name| made.clusters.iter().all(|(cluster, _)| cluster.name != *name)).collect();
    gone.sort();
    gone
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
        let names: Vec<_> = made.clusters.iter().filter(|(it, _)| it.ring == at).map(|(it, _)| &*it.name).collect();
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
    let _ = writeln!(text, "\n{}; {}", whole(made), super::render::counts(changes));
    let first = made.clusters.first().map_or("NAME", |(cluster, _)| &cluster.name);
    let _ = writeln!(
        text,
        "next: review with `git diff`, {out}/matrix.md first; then, for each cluster and in its context, `kubectl apply -k \
         {out}/clusters/{first}`"
    );
    text
}

fn promote(arguments: &Promote, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was promoted");
    let one = |problem: Box<Problem>| failure(vec![*problem]);
    let fleet = load(&arguments.fleet).map_err(failure)?;
    let from = ring(&fleet, &arguments.from, COMMAND_LINE).map_err(one)?;
    let to = ring(&fleet, &arguments.to, COMMAND_LINE).map_err(one)?;
    if to != from + 1 {
        let next = fleet.rings.get(from + 1).map(|ring| ring.name.to_string());
        let problem =
            Problem::in_file(format!("`{}` is not the ring behind `{}`", arguments.to, arguments.from), COMMAND_LINE);
        return Err(one(Box::new(problem.help(match next {
            Some(next) => format!("promote to `{next}` first"),
            None => format!("`{}` is the last ring", arguments.from),
        }))));
    }
    gate(arguments, &fleet, to).map_err(failure)?;
    let [source, target] = [from, to].map(|ring| own_file(arguments, &fleet, ring));
    let ((_, source), (path, target)) = (source.map_err(one)?, target.map_err(one)?);
    let promotion = vigil_fleet::promote(&source, &target, &arguments.keys).map_err(failure)?;
    let mut text = String::new();
    let width = promotion.moved.iter().map(|moved| moved.path.len()).max().unwrap_or_default();
    for Moved { path, before, after } in &promotion.moved {
        let before = before.as_deref().unwrap_or("(not said)");
        let _ = writeln!(text, "  {path:width$}  {before} -> {after}");
    }
    for (key, span) in &promotion.left {
        let (file, line) = (&span.source.name, span.line_column().0);
        let _ = writeln!(text, "  {key} is more than a line: take it over by hand from {file}:{line}");
    }
    let name = path.display();
    if promotion.moved.is_empty() {
        let _ = writeln!(text, "{name} says all that `{}` says; nothing was changed", arguments.from);
    } else if arguments.dry_run {
        let _ = writeln!(text, "{} would change in {name}", counted(promotion.moved.len(), "line"));
    } else {
        std::fs::write(&path, &promotion.text).map_err(|error| {
            failure(vec![Problem::in_file(format!("cannot be written: {error}"), name.to_string())])
        })?;
        let _ = writeln!(text, "{} changed in {name}", counted(promotion.moved.len(), "line"));
        let _ = writeln!(text, "next: `vigil fleet render`, review and commit");
    }
    terminal.product(&text)?;
    Ok(Outcome::Clean)
}

/// The number of a ring.
fn ring(fleet: &Fleet, name: &str, place: &str) -> Result<usize, Box<Problem>> {
    fleet.rings.iter().position(|ring| ring.name.as_str() == name).ok_or_else(|| {
        let names: Vec<_> = fleet.rings.iter().map(|ring| ring.name.as_str()).collect();
        let near = nearest(name, names.iter().copied());
        let help = near
            .map_or_else(|| format!("the rings are {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
        Box::new(Problem::in_file(format!("there is no ring `{name}`"), place).help(help))
    })
}

/// The last stack file of a ring itself: what it says and the others do not.
fn own_file(arguments: &Promote, fleet: &Fleet, ring: usize) -> Result<(PathBuf, Arc<Source>), Box<Problem>> {
    let ring = &fleet.rings[ring];
    let Some(layer) = ring.layers.last() else {
        let problem = Problem::in_file(
            format!("the ring `{}` has no stack file", ring.name),
            arguments.fleet.display().to_string(),
        );
        return Err(Box::new(problem.help(format!("give it `layers: [rings/{}.yaml]`", ring.name))));
    };
    let path = arguments.fleet.parent().unwrap_or(Path::new("")).join(layer.as_str());
    let source = Source::read(&path, Stack::LIMITS.bytes)?;
    Ok((path, source))
}

/// What keeps a promotion to a ring from being made.
fn gate(arguments: &Promote, fleet: &Fleet, to: usize) -> Result<(), Vec<Problem>> {
    let gate = &fleet.rings[to].gate;
    let mut problems = Vec::new();
    if let Some(soak) = &gate.soak {
        let wanted = format!("`{}` takes what `{}` has run for {soak}", arguments.to, arguments.from);
        match &arguments.soaked {
            None => problems.push(
                Problem::in_file(wanted, COMMAND_LINE).help(format!("say for how long it has: `--soaked {soak}`")),
            ),
            Some(soaked) if soaked.length() < soak.length() => {
                let problem = Problem::in_file(format!("{wanted}, and it has for {soaked}"), COMMAND_LINE);
                problems.push(problem.help("wait, or promote less"));
            }
            Some(_) => {}
        }
    }
    if let Some(query) = &gate.health {
        match &arguments.health {
            None => {
                let message = format!("`{}` takes what is healthy: `{query}` must give nothing", arguments.to);
                problems.push(Problem::in_file(message, COMMAND_LINE).help(
                    "ask Prometheus, `curl -G $PROMETHEUS/api/v1/query --data-urlencode 'query=…' > answer.json`, and name the \
                     answer: `--health answer.json`",
                ));
            }
            Some(file) => problems.extend(unhealthy(file, query.as_str())),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// What an answer of Prometheus says is not healthy.
fn unhealthy(file: &Path, query: &str) -> Option<Problem> {
    let source = match Source::read(file, Stack::LIMITS.bytes) {
        Ok(source) => source,
        Err(problem) => return Some(*problem),
    };
    let answer = vigil_yaml::read_one(&source, &Limits::default()).ok().flatten().map(|node| node.to_json());
    let answer = answer.unwrap_or_default();
    let name = file.display().to_string();
    let result = answer.pointer("/data/result").and_then(serde_json::Value::as_array);
    let Some(result) = result.filter(|_| answer["status"] == "success") else {
        let problem = Problem::in_file("is no answer of Prometheus to a query", name);
        return Some(
            problem.help("expected `{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}`"),
        );
    };
    let first = result.first()?;
    let labels = first["metric"].to_string();
    let more = if result.len() > 1 { format!(" and {} more", result.len() - 1) } else { String::new() };
    let problem = Problem::in_file(format!("`{query}` gives {labels}{more}"), name);
    Some(problem.help("it must give nothing: mend that first, or take the change back"))
}
