use super::{Failure, Outcome};
use crate::terminal::Terminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_check::{Options, Report, Version};
use vigil_yaml::{Problem, Severity, Source};

/// Judge manifests as strictly as an API server would, and follow every reference between them
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files and directories with manifests; `-` for standard input
    #[arg(value_name = "PATH", default_value = "manifests")]
    paths: Vec<PathBuf>,
    /// The versions of Kubernetes that shall take them
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    kubernetes: Vec<Version>,
    /// Judge each object by itself
    #[arg(long)]
    objects_only: bool,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for path in &arguments.paths {
        read(path, &mut sources, &mut problems);
    }
    if !problems.is_empty() {
        return Err(Failure::new(problems, "nothing was checked"));
    }
    let mut options = Options { objects_only: arguments.objects_only, ..Options::default() };
    if !arguments.kubernetes.is_empty() {
        options.kubernetes.clone_from(&arguments.kubernetes);
    }
    let report = vigil_check::check(&sources, &options);
    terminal.product(&text(&report, terminal.colours_stdout()))?;
    let fails = report.findings.iter().any(|finding| finding.severity() != Severity::Note);
    Ok(if fails { Outcome::Differs } else { Outcome::Clean })
}

fn read(path: &Path, sources: &mut Vec<Arc<Source>>, problems: &mut Vec<Problem>) {
    if path == Path::new("-") {
        match std::io::read_to_string(std::io::stdin()) {
            Ok(text) => sources.push(Source::new("<stdin>", text)),
            Err(error) => problems.push(Problem::in_file(format!("cannot be read: {error}"), "<stdin>")),
        }
    } else {
        match Source::read(path, 512 << 20) {
            Ok(source) => sources.push(source),
            Err(problem) => problems.push(*problem),
        }
    }
}

fn text(report: &Report, colour: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text += &finding.problem().draw(colour);
        text += "\n\n";
    }
    text + &format!(
        "{} objects, {} errors, {} warnings, {} notes\n",
        report.objects,
        report.count(Severity::Error),
        report.count(Severity::Warning),
        report.count(Severity::Note)
    )
}
