use super::{Failure, Outcome, Selection, causes, diff};
use crate::kustomize;
use crate::page::Page;
use crate::terminal::Terminal;
use std::path::{Path, PathBuf};
use vigil::size::add_series;
use vigil_check::graph::connections;
use vigil_yaml::Problem;

/// Write a page about the stack: what runs where, who may do what, what is watched, what a change does
///
/// One HTML file for a browser, which asks nobody for anything: workloads with images and requests, a picture of who connects to
/// whom, what is reached from outside, storage, rights, alerts with their runbooks, dashboards, findings and waivers, and
/// the effects of applying it over what is committed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil report > report.html                         the stack, and what it changes against the last commit
  vigil report --against main:manifests > report.html
  vigil report --previews docs/dashboards > report.html
  helm template grafana/loki | vigil report - > loki.html")]
pub(crate) struct Arguments {
    /// Files and directories with manifests, or `-`; without one, what the stack renders to
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// What is applied now, to tell what applying this changes: a file, a directory or `REVISION:PATH` of git; for the stack
    /// what is committed in `manifests`
    #[arg(long, value_name = "BEFORE")]
    against: Option<PathBuf>,
    /// Pictures of dashboards to show, in files that are called after their `uid`: `alerts-home.webp`, or `.png`. They are a part of
    /// the page, which grows by them
    #[arg(long, value_name = "DIR")]
    previews: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems: Vec<Problem>| Failure::new(problems, "no page was written");
    let (sources, options) = arguments.selection.manifests(&arguments.paths).map_err(failure)?;
    let objects = kustomize::objects(&sources).map_err(failure)?;
    let objects: Vec<_> = objects.into_iter().map(|resource| resource.value).collect();
    let minor = options.kubernetes.first().map_or(0, |version| version.minor().into());
    let mut page = Page::new(&arguments.title(), "vigil report")
        .about(&objects, minor)
        .connections(connections(&sources, &options))
        .checked(&vigil_check::check(&sources, &options));
    if let Some(folder) = &arguments.previews {
        page = page.previews(folder).map_err(failure)?;
    }
    if let Some(before) = arguments.before() {
        let options = vigil_diff::Options { minor };
        page = match diff::objects(before) {
            Ok(old) => {
                let mut changes = vigil_diff::compare(&old, &objects, options);
                add_series(&mut changes.totals);
                if arguments.paths.is_empty() {
                    causes::find(&mut changes, before, &arguments.selection, options);
                }
                page.change(&changes, &super::called(before))
            }
            Err(problems) if arguments.against.is_some() => return Err(failure(problems)),
            // Nobody asked for it: a folder that is not in git yet has a page all the same.
            Err(_) => page,
        };
    }
    terminal.product(&page.html().map_err(failure)?)?;
    Ok(Outcome::Clean)
}

impl Arguments {
    fn title(&self) -> String {
        let names: Vec<_> = self.paths.iter().map(|path| super::called(path)).collect();
        if names.is_empty() { self.selection.stack.display().to_string() } else { names.join(", ") }
    }

    /// What to compare with: what is committed, where the page is about the stack.
    fn before(&self) -> Option<&Path> {
        let committed = self.paths.is_empty().then_some(Path::new(diff::COMMITTED));
        self.against.as_deref().or(committed)
    }
}
