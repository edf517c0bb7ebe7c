use super::{Failure, Outcome, Rendered, Selection};
use crate::terminal::Terminal;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use vigil_check::{Options, Version};
use vigil_directory::{Change, Changes};
use vigil_render::{Object, Rendering};
use vigil_yaml::words::counted;
use vigil_yaml::{Limits, Problem, Source};

/// Render stack.yaml into the manifests directory
///
/// All objects are checked first, as by `vigil check`, for the stack's version of Kubernetes. All or nothing: when
/// anything is wrong, the directory stays as it was. Files that did not change are not touched,
/// and files that Vigil did not write are left alone.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil render                                  stack.yaml into manifests/
  vigil render --check                          fail, with a diff, when manifests/ is stale
  vigil render stacks/minimal.yaml --stdout | kubectl diff -f -")]
pub(crate) struct Arguments {
    /// The stack to render, as `--stack` names it
    #[arg(value_name = "FILE", conflicts_with = "stack")]
    file: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// The directory to write
    #[arg(long, value_name = "DIR", default_value = "manifests")]
    out: PathBuf,
    /// Write nothing; print all objects as one YAML stream
    #[arg(long, conflicts_with_all = ["out", "check"])]
    stdout: bool,
    /// Write nothing; exit with 1 and a diff when the directory is stale
    #[arg(long)]
    check: bool,
}

/// How many findings of a failed check are drawn; more come from one mistake.
const MOST_FINDINGS: usize = 50;

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was written");
    let Rendered { name: stack, parsed, rendering } =
        arguments.selection.of(arguments.file.as_deref()).render().map_err(failure)?;
    terminal.warn(&parsed.warnings);
    let (options, warning) = vigil::checks::options(&parsed);
    terminal.warn(warning.as_slice());
    let is_known = known(arguments.selection.has_own_templates(), &options);
    vigil::checks::check(&rendering, &arguments.out, &options, is_known).map_err(not_clean)?;
    if arguments.stdout {
        terminal.product(&stream(&rendering))?;
        return Ok(Outcome::Clean);
    }
    let out = &arguments.out;
    let refused = |error: vigil_directory::Error| failure(vec![directory_problem(out, &error)]);
    let (text, outcome) = if arguments.check {
        let (changes, is_stale) = written(out, &rendering).map_err(refused)?;
        if changes.is_empty() {
            (format!("{} is up to date with {stack}\n", out.display()), Outcome::Clean)
        } else {
            let verdict = if is_stale { stale(out, &changes, "vigil render") } else { was_stale(out, &changes) };
            (diff(changes, terminal.colours_stdout()) + &verdict, Outcome::Differs)
        }
    } else {
        let built = vigil_directory::unseen(out).map_err(refused)?;
        let changes = vigil_directory::write(out, &rendering.files).map_err(refused)?.after(built);
        terminal.note(&parsed.notes);
        let risks = risks(&rendering, &changes, options.kubernetes.first().copied().unwrap_or_default());
        (summary(&stack, out, &rendering, &changes, &risks), Outcome::Clean)
    };
    match outcome {
        Outcome::Clean => terminal.done(&text)?,
        Outcome::Differs => terminal.product(&text)?,
    }
    vigil_directory::seen(out).map_err(refused)?;
    Ok(outcome)
}

/// How a directory differed from what a stack renders to before cargo built this program, whose build may have written it
/// already; and whether it still does.
pub(crate) fn written(out: &Path, rendering: &Rendering) -> Result<(Changes, bool), vigil_directory::Error> {
    let built = vigil_directory::unseen(out)?;
    let now = vigil_directory::compare(out, &rendering.files)?;
    let is_stale = !now.is_empty();
    Ok((now.after(built), is_stale))
}

/// Which objects need no check. The definitions that the program carries are most of the text and the same in every stack: its
/// own tests check them.
pub(crate) fn known(has_own_templates: bool, options: &Options) -> impl Fn(&Object) -> bool + use<> {
    let is_definition = |name: &str| name.split(' ').next() == Some("CustomResourceDefinition");
    let has_known = has_own_templates && !options.waivers.iter().any(|it| is_definition(&it.object));
    move |object| has_known && object.is_plain() && is_definition(object.kind())
}

/// Why objects that fail the check are not written.
pub(crate) fn not_clean(mut problems: Vec<Problem>) -> Failure {
    problems.truncate(MOST_FINDINGS);
    Failure::new(problems, "nothing was written; `vigil explain RULE` says why a rule is there")
}

/// The last line of `--check` when something differs.
pub(crate) fn stale(out: &Path, changes: &Changes, command: &str) -> String {
    format!("{} is stale: {}; run `{command}` and commit what it changes\n", out.display(), counts(changes))
}

/// The same where the build has written already.
fn was_stale(out: &Path, changes: &Changes) -> String {
    let (out, counts) = (out.display(), counts(changes));
    format!("{out} was stale: {counts}; the build has brought it up to date: commit what it changed\n")
}

pub(crate) fn directory_problem(out: &Path, error: &vigil_directory::Error) -> Problem {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _ = write!(message, ": {error}");
        cause = error.source();
    }
    let problem = Problem::in_file(message, out.display().to_string());
    match error.help() {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// All objects as one YAML stream, each behind a line that names its file.
fn stream(rendering: &Rendering) -> String {
    let document = |object: &vigil_render::Object| format!("---\n# manifests/{}\n{}", object.path, object.value.text());
    rendering.objects.iter().map(document).collect()
}

fn summary(stack: &str, out: &Path, rendering: &Rendering, changes: &Changes, risks: &str) -> String {
    let out = out.display();
    let mut text = format!("{stack} -> {out}\n\n");
    let width = rendering.components.iter().map(|name| name.len()).max().unwrap_or(0);
    for component in &rendering.components {
        let objects = rendering.objects.iter().filter(|object| object.component == *component).count();
        let files = rendering.files.keys().filter(|path| path.split('/').next() == Some(component)).count();
        let what = match objects {
            0 => counted(files, "file"),
            _ => counted(objects, "object"),
        };
        let _ = writeln!(text, "  {component:width$}  {what}");
    }
    text.push('\n');
    for (sign, list) in [("+", &changes.added), ("~", &changes.changed), ("-", &changes.removed)] {
        for Change { path, .. } in list {
            let _ = writeln!(text, "  {sign} {path}");
        }
    }
    if changes.is_empty() {
        let _ = writeln!(
            text,
            "{} in {}; nothing changed, nothing was written",
            counted(rendering.objects.len(), "object"),
            counted(rendering.components.len(), "component")
        );
    } else {
        let _ = writeln!(
            text,
            "\n{} in {}; {}",
            counted(rendering.objects.len(), "object"),
            counted(rendering.components.len(), "component"),
            counts(changes)
        );
        if !risks.is_empty() {
            let _ = writeln!(text, "applied over what it replaces: {risks}; `vigil diff` tells more");
        }
        let _ = writeln!(text, "next: review with `git diff`, then `kubectl apply -k {out}`");
        if rendering.components.contains(&"crds") {
            let _ = writeln!(text, "on a new cluster, once and before it: `kubectl apply -k {out}/crds`");
        }
        if rendering.components.contains(&"metrics-server") {
            let _ = writeln!(
                text,
                "where a metrics-server is already (`kubectl get apiservice v1beta1.metrics.k8s.io` finds it): set \
                 `metrics-server.enabled: false` in {stack} instead, and render again"
            );
        }
    }
    text
}

/// What there is to fear when the set is applied over the one that it replaces; a file that somebody has made unreadable
/// counts as none.
fn risks(rendering: &Rendering, changes: &Changes, kubernetes: Version) -> String {
    let replaced = || changes.changed.iter().chain(&changes.removed);
    if replaced().next().is_none() {
        return String::new();
    }
    let read = |path: &str, text: &Option<String>| {
        let text = text.as_ref().filter(|_| path.ends_with(".yaml"))?;
        let documents = vigil_yaml::read(&Source::new(path, text.as_str()), &Limits::default());
        documents.ok().map(|documents| documents.iter().map(vigil_diff::read).collect::<Vec<_>>())
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for Change { path, old, new } in replaced().chain(&changes.added) {
        seen.insert(path.as_str());
        before.extend(read(path, old).into_iter().flatten());
        after.extend(read(path, new).into_iter().flatten());
    }
    let same = rendering.objects.iter().filter(|object| object.is_applied() && !seen.contains(object.path.as_str()));
    // Most of the text are definitions, which nothing else depends on here.
    for object in same.filter(|object| object.kind() != "CustomResourceDefinition") {
        before.push((*object.value).clone());
        after.push((*object.value).clone());
    }
    let minor = kubernetes.minor().into();
    vigil_diff::report::risks(&vigil_diff::compare(&before, &after, vigil_diff::Options { minor }))
}

pub(crate) fn counts(changes: &Changes) -> String {
    format!(
        "{} added, {} changed, {} removed, {} unchanged",
        counted(changes.added.len(), "file"),
        changes.changed.len(),
        changes.removed.len(),
        changes.unchanged
    )
}

fn diff(changes: Changes, colour: bool) -> String {
    let mut text = String::new();
    for Change { path, old, new } in changes.into_list() {
        let side = |text: &Option<String>, name: &str| match text {
            Some(_) => format!("{name}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let (before, after) = (old.as_deref().unwrap_or_default(), new.as_deref().unwrap_or_default());
        let lines = similar::TextDiff::from_lines(before, after);
        let unified = lines.unified_diff().header(&side(&old, "a"), &side(&new, "b")).to_string();
        for line in unified.lines() {
            let style = match line.as_bytes().first() {
                Some(b'+') => "\u{1b}[32m",
                Some(b'-') => "\u{1b}[31m",
                Some(b'@') => "\u{1b}[36m",
                _ => "",
            };
            if colour && !style.is_empty() {
                let _ = writeln!(text, "{style}{line}\u{1b}[0m");
            } else {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}
