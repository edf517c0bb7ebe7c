use super::{Failure, Outcome};
use crate::inputs;
use crate::terminal::Terminal;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_check::{Options, Report, Version, report};
use vigil_yaml::Problem;

/// Judge manifests as strictly as an API server would, and follow every reference between them
///
/// A file is read whatever it is called. A directory with a kustomization means what `kubectl apply -k` takes of it;
/// in any other, every .yaml, .yml and .json file counts, at any depth. Nothing is fetched, and no cluster is asked.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil check                                   the manifests of stack.yaml
  helm template grafana/loki | vigil check -    what somebody else makes
  vigil check app/ --kubernetes 1.29,1.34 --crds crds/ --namespace app
  vigil check --format sarif > check.sarif      for a code host; also github, junit, json

Exit status: 0 clean (notes do not count), 1 errors or warnings, 2 not checked")]
pub(crate) struct Arguments {
    /// Files and directories with manifests; `-` for standard input
    #[arg(value_name = "PATH", default_value = DEFAULT)]
    paths: Vec<PathBuf>,
    /// The versions of Kubernetes that shall take them, instead of the stack's or the newest
    #[arg(long, value_name = "VERSION", value_delimiter = ',', value_parser = version)]
    kubernetes: Vec<Version>,
    /// Judge each object by itself
    #[arg(long)]
    objects_only: bool,
    /// Definitions of custom resources that are not among what is checked: a file or directory
    #[arg(long, value_name = "PATH")]
    crds: Vec<PathBuf>,
    /// A kind that may go without a schema: `Kind`, or `group/version/Kind`
    #[arg(long, value_name = "KIND")]
    allow_kind: Vec<String>,
    /// The namespace of objects that name none
    #[arg(long, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// The stack that says what the cluster provides, what is waived and for which version; stack.yaml for `manifests`
    #[arg(long, value_name = "FILE")]
    stack: Option<PathBuf>,
    /// How to tell what is found
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Draw every finding, not only the first 100
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Source lines with markers, for people
    Text,
    /// One object, for programs
    Json,
    /// SARIF 2.1.0, for code hosts
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
    /// Test cases, for CI servers
    Junit,
}

/// What `vigil render` writes.
const DEFAULT: &str = "manifests";

/// How many findings are drawn.
const MOST: usize = 100;

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was checked");
    let options = options(arguments, terminal).map_err(failure)?;
    let report = report(arguments, options, terminal).map_err(failure)?;
    if report.objects.is_empty() && report.findings.is_empty() {
        let paths: Vec<_> = arguments.paths.iter().map(|path| super::called(path)).collect();
        let problem = Problem::in_file("holds no objects", paths.join(", "));
        return Err(failure(vec![problem.help("name files or directories with manifests, or render a stack first")]));
    }
    let told = match arguments.format {
        Format::Text => {
            let most = if arguments.all { usize::MAX } else { MOST };
            report::text(&report, most, terminal.colours_stdout())
        }
        Format::Json => format!("{:#}\n", report::json(&report)),
        Format::Sarif => format!("{:#}\n", report::sarif(&report, env!("CARGO_PKG_VERSION"))),
        Format::Github => report::github(&report),
        Format::Junit => report::junit(&report),
    };
    if report.is_clean() && matches!(arguments.format, Format::Text) {
        terminal.done(&told)?;
    } else {
        terminal.product(&told)?;
    }
    Ok(if report.is_clean() { Outcome::Clean } else { Outcome::Differs })
}

fn report(arguments: &Arguments, options: Options, terminal: &Terminal) -> Result<Report, Vec<Problem>> {
    if arguments.objects_only {
        let (texts, unread) = inputs::texts(&arguments.paths)?;
        let templates = templates(texts.iter().map(|text| (text.name(), text.beginning())));
        let _progress = terminal.progress("checking", None);
        let documents = || texts.iter().flat_map(inputs::Text::documents);
        return vigil_check::check_apart(documents, &Options { templates, unread, ..options })
            .map_err(|problem| vec![*problem]);
    }
    let (sources, unread) = inputs::read_what_can(&arguments.paths)?;
    let templates = templates(sources.iter().map(|source| (source.name.clone(), &*source.text)));
    // What somebody else makes meanwhile is not the checker's time.
    let _progress = terminal.progress("checking", None);
    Ok(vigil_check::check(&sources, &Options { templates, unread, ..options }))
}

/// The templates that files were rendered from, by the names of these.
fn templates<'a>(texts: impl Iterator<Item = (String, &'a str)>) -> HashMap<String, Arc<str>> {
    let template = |(name, text)| Some((name, format!("templates/{}", vigil_render::template_of(text)?).into()));
    texts.filter_map(template).collect()
}

fn options(arguments: &Arguments, terminal: &Terminal) -> Result<Options, Vec<Problem>> {
    // Other manifests have nothing to do with a stack that happens to lie here.
    let own = arguments.paths == [Path::new(DEFAULT)] && Path::new("stack.yaml").is_file();
    let stack = arguments.stack.as_deref().or_else(|| own.then_some(Path::new("stack.yaml")));
    let (mut options, warning) = match stack {
        Some(stack) => vigil::checks::options(&super::load(stack)?),
        None => (Options::default(), None),
    };
    if arguments.kubernetes.is_empty() {
        terminal.warn(warning.as_slice());
    } else {
        options.kubernetes.clone_from(&arguments.kubernetes);
        options.kubernetes.sort();
        options.kubernetes.dedup();
    }
    options.definitions.extend(inputs::read(&arguments.crds)?);
    options.objects_only = arguments.objects_only;
    options.namespace.clone_from(&arguments.namespace);
    options.allowed_kinds.clone_from(&arguments.allow_kind);
    Ok(options)
}

/// A version of Kubernetes that is known here.
pub(super) fn version(text: &str) -> Result<Version, String> {
    let version: Version = text.parse()?;
    let (oldest, newest) = vigil_check::versions();
    if (oldest..=newest).contains(&version) {
        Ok(version)
    } else {
        Err(format!("the versions known here are {oldest} to {newest}"))
    }
}
