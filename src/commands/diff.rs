use super::{Failure, Outcome, Selection, applied, called, causes, check};
use crate::page::Page;
use crate::terminal::Terminal;
use crate::{inputs, revision};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil::size::add_series;
use vigil_check::Version;
use vigil_diff::{Class, Options, report};
use vigil_yaml::{Limits, Problem, Source};

/// The manifests that are committed.
pub(crate) const COMMITTED: &str = "HEAD:./manifests";

/// Tell what applying one set of manifests over another does
///
/// By object and field, not by line: what the API server refuses, with the command that mends it; what data is lost; who
/// may do more, and what answers that did not; which pods restart and how; what `kubectl apply` leaves behind; which
/// alerts change. Files inside of ConfigMaps and Secrets are compared by what they say. Credentials are not shown. Where the
/// stack is compared with a revision, each effect names the keys of the stack that cause it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil diff                                    what stack.yaml changes against the last commit
  vigil diff main:manifests                     the same against a branch
  vigil diff main:manifests manifests           what the files of a branch change
  helm template x new/ | vigil diff old.yaml -  what somebody else's new release does
  vigil diff --fail-on refused,data-loss        for a pipeline; --format markdown for a comment

Exit status: 0 the same, 1 something differs, or with --fail-on has such an effect, 2 not compared")]
pub(crate) struct Arguments {
    /// What is applied now: a file, a directory, `-` for standard input, or `REVISION:PATH` of git
    #[arg(value_name = "BEFORE", default_value = COMMITTED)]
    before: PathBuf,
    /// What shall be applied; without it, what the stack renders to
    #[arg(value_name = "AFTER")]
    after: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// The version of Kubernetes, instead of the stack's or the newest
    #[arg(long, value_name = "VERSION", value_parser = check::version)]
    kubernetes: Option<Version>,
    /// How to tell what it does
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Exit with 1 only for effects of these classes
    #[arg(long, value_name = "CLASS", value_delimiter = ',', value_parser = classes())]
    fail_on: Vec<Class>,
    /// Show every object and field, not only the first of many
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Lines for people
    Text,
    /// For a comment on a pull request
    Markdown,
    /// A page for a browser
    Html,
    /// One object, for programs
    Json,
}

pub(crate) fn classes() -> impl clap::builder::TypedValueParser<Value = Class> {
    PossibleValuesParser::new(Class::ALL.map(Class::id))
        .map(|id| Class::ALL.into_iter().find(|class| class.id() == id).unwrap_or(Class::Nothing))
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was compared");
    let before = objects(&arguments.before).map_err(failure)?;
    let mut version = arguments.kubernetes;
    let after = match &arguments.after {
        Some(after) if *after == arguments.before && after == Path::new("-") => {
            let problem = Problem::in_file("can be read only once", called(after));
            return Err(failure(vec![problem.help("name a file or directory for one of the two")]));
        }
        Some(after) => objects(after),
        None => arguments.selection.render().map(|rendered| {
            version = version.or_else(|| rendered.parsed.stack.kubernetes.as_str().parse().ok());
            applied(&rendered.rendering)
        }),
    };
    let after = after.map_err(failure)?;
    let minor = version.unwrap_or(vigil_check::versions().1).minor().into();
    let options = Options { minor };
    let mut diff = vigil_diff::compare(&before, &after, options);
    add_series(&mut diff.totals);
    if arguments.after.is_none() {
        causes::find(&mut diff, &arguments.before, &arguments.selection, options);
    }
    terminal.product(&match arguments.format {
        Format::Text => report::text(&diff, arguments.all, terminal.colours_stdout()),
        Format::Markdown => report::markdown(&diff),
        Format::Html => {
            let page = Page::new("What applying it changes", "vigil diff").change(&diff, &called(&arguments.before));
            page.html().map_err(failure)?
        }
        Format::Json => format!("{:#}\n", report::json(&diff)),
    })?;
    let fails = if arguments.fail_on.is_empty() {
        !diff.is_empty()
    } else {
        diff.effects.iter().any(|effect| arguments.fail_on.contains(&effect.class))
    };
    Ok(if fails { Outcome::Differs } else { Outcome::Clean })
}

/// The objects that a path or revision holds.
pub(crate) fn objects(path: &Path) -> Result<Vec<Value>, Vec<Problem>> {
    let sources = if revision::is_one(path) {
        revision::read(path)?
    } else {
        inputs::read(std::slice::from_ref(&path.to_owned()))?
    };
    values(&sources)
}

/// The objects of a directory that messages call `name`.
pub(crate) fn objects_as(directory: &Path, name: &str) -> Result<Vec<Value>, Vec<Problem>> {
    values(&inputs::read_as(directory, name)?)
}

fn values(sources: &[Arc<Source>]) -> Result<Vec<Value>, Vec<Problem>> {
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    for source in sources {
        match vigil_yaml::read(source, &Limits::default()) {
            Ok(documents) => objects.extend(documents.iter().map(vigil_diff::read)),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(objects) } else { Err(problems) }
}
