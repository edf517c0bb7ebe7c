use super::{Failure, Outcome, Selection, applied, called};
use crate::terminal::Terminal;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_diff::{Class, Diff, Effect};
use vigil_parity::Differences;
use vigil_render::Rendering;
use vigil_stack::Stack;
use vigil_yaml::{Limits, Problem, Source};

/// Compare the rendered set with what `helm template` makes of the upstream charts
///
/// Objects are matched by kind and name, then by role; what they do is compared, not how it is written. Of rules of
/// Prometheus it is the names: which alert and which recorded series there is here too. A difference
/// that the tables in docs/upstream/ list with its reason is deliberate, and so is what a patch of the stack has made; any
/// other makes the exit status 1. At the end stands what an API server refuses when the set is applied over upstream's objects.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  helm template loki-stack grafana/loki-stack -n myloki | vigil parity -
  vigil parity old.yaml --format markdown       as a table for a pull request
  vigil parity new.yaml --differences mine.md   with a list of one's own")]
pub(crate) struct Arguments {
    /// What upstream renders; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// How to tell what differs
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Use these tables of deliberate differences, a file or a directory of .md files, instead of the built-in ones
    #[arg(long, value_name = "PATH")]
    differences: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Columns for people
    Table,
    /// One object, for programs
    Json,
    /// A table in the form of docs/upstream/
    Markdown,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was compared");
    let rendered = arguments.selection.render().map_err(failure)?;
    terminal.warn(&rendered.parsed.warnings);
    let mut upstream = Vec::new();
    for file in &arguments.files {
        let limits = Limits::default();
        let source = read(file, &limits).map_err(|problem| failure(vec![*problem]))?;
        let documents = vigil_yaml::read(&source, &limits).map_err(failure)?;
        upstream.extend(documents.iter().map(vigil_yaml::Node::to_json));
    }
    let differences = differences(arguments.differences.as_deref()).map_err(failure)?;
    let differences = differences.with_possible(vigil::alerts_and_dashboards());
    let values =
        |rendering: &Rendering| rendering.objects.iter().map(|object| (*object.value).clone()).collect::<Vec<_>>();
    let ours = values(&rendered.rendering);
    let minor = rendered.parsed.stack.kubernetes.minor().into();
    let report = if rendered.parsed.stack.patches.is_empty() {
        vigil_parity::compare(&ours, &upstream, &differences)
    } else {
        let before = Stack { patches: Vec::new(), ..rendered.parsed.stack };
        let before = arguments.selection.rendering(&before).map_err(failure)?;
        vigil_parity::compare_patched(&ours, &values(&before), &upstream, &differences)
    };
    if report.summary.objects == 0 {
        let files: Vec<_> = arguments.files.iter().map(|file| called(file)).collect();
        let problem = Problem::in_file("holds no objects", files.join(", "));
        return Err(failure(vec![problem.help("give it the output of `helm template`")]));
    }
    let over = vigil_diff::compare(&upstream, &applied(&rendered.rendering), vigil_diff::Options { minor });
    terminal.product(&match arguments.format {
        Format::Table => report.table() + &refused(&over, "  ", "    $ ", ""),
        Format::Markdown => report.markdown() + &refused(&over, "- ", "  `", "`"),
        Format::Json => {
            let mut json = report.json();
            let refusal = |it: &Effect| json!({ "object": it.object.to_string(), "commands": it.commands });
            json["refused"] = over.of(Class::Refused).map(refusal).collect();
            format!("{json:#}\n")
        }
    })?;
    Ok(if report.summary.is_clean() { Outcome::Clean } else { Outcome::Differs })
}

/// What an API server refuses where upstream's objects are in the cluster, with the commands that make way; empty for nothing.
fn refused(over: &Diff, object: &str, before: &str, after: &str) -> String {
    let line = |it: &Effect| {
        let commands = it.commands.iter().map(|command| format!("{before}{command}{after}\n"));
        format!("{object}{}\n{}", it.object, commands.collect::<String>())
    };
    let lines: String = over.of(Class::Refused).map(line).collect();
    if lines.is_empty() {
        return lines;
    }
    format!(
        "\nRefused when it is applied over upstream's objects; docs/upgrade.md has the way from Helm releases:\n\n{lines}"
    )
}

fn read(file: &Path, limits: &Limits) -> Result<Arc<Source>, Box<Problem>> {
    if file != Path::new("-") {
        return Source::read(file, limits.bytes);
    }
    Source::read_from(std::io::stdin().lock(), &called(file), limits.bytes)
}

fn differences(path: Option<&Path>) -> Result<Differences, Vec<Problem>> {
    let Some(path) = path else { return Differences::parse(vigil::DIFFERENCES.iter().copied()) };
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let problem = |error| vec![Problem::in_file(format!("cannot be read: {error}"), path.display().to_string())];
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(problem)?;
        files = entries.iter().map(fs::DirEntry::path).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "md"));
        files.sort();
    }
    let mut sources = Vec::new();
    for file in &files {
        sources.push(Source::read(file, Limits::default().bytes).map_err(|problem| vec![*problem])?);
    }
    Differences::parse(sources.iter().map(|source| (source.name.as_str(), &*source.text)))
}
