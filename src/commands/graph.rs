use super::{Failure, Outcome, Selection};
use crate::picture::Picture;
use crate::terminal::Terminal;
use std::path::PathBuf;
use vigil_check::graph::connections;

/// Draw who connects to whom: who scrapes, alerts, calls and enters, on which ports
///
/// From the references that `vigil check` follows: monitors, configuration, Services, Ingresses and routes.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil graph                                   the stack, as Mermaid
  vigil graph --format svg > stack.svg          a drawing that needs no other program
  helm template grafana/loki | vigil graph -    somebody else's manifests")]
pub(crate) struct Arguments {
    /// Files and directories with manifests, or `-`; without one, what the stack renders to
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// The language of the picture
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Mermaid, which code hosts draw in Markdown
    Mermaid,
    /// DOT, for Graphviz
    Dot,
    /// SVG, for browsers and pages
    Svg,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let manifests = arguments.selection.manifests(&arguments.paths);
    let (sources, options) = manifests.map_err(|problems| Failure::new(problems, "nothing was drawn"))?;
    let picture = Picture::of(connections(&sources, &options));
    terminal.product(&match arguments.format {
        Format::Mermaid => picture.mermaid(),
        Format::Dot => picture.dot(),
        Format::Svg => picture.svg(),
    })?;
    Ok(Outcome::Clean)
}
