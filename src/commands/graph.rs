use super::{Failure, Outcome, Selection};
use crate::inputs;
use crate::terminal::Terminal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use vigil_check::Options;
use vigil_check::graph::{Connection, End, Why, connections};
use vigil_yaml::Source;

/// Draw who connects to whom: who scrapes, alerts, calls and enters, on which ports
///
/// From the references that `vigil check` follows: monitors, configuration, Services, Ingresses and routes.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil graph                                   the stack, as Mermaid
  vigil graph --format dot | dot -Tsvg > stack.svg
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
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was drawn");
    let (sources, options) = if arguments.paths.is_empty() {
        let rendered = arguments.selection.render().map_err(failure)?;
        let applied = rendered.rendering.objects.iter().filter(|object| object.is_applied());
        let paths: BTreeSet<&String> = applied.map(|object| &object.path).collect();
        let files = rendered.rendering.files.iter().filter(|(path, _)| paths.contains(path));
        let sources = files.map(|(path, text)| Source::new(path.as_str(), text.as_str())).collect();
        (sources, vigil::checks::options(&rendered.parsed).0)
    } else {
        let kubernetes = vec![vigil_check::versions().1];
        (inputs::read(&arguments.paths).map_err(failure)?, Options { kubernetes, ..Options::default() })
    };
    let picture = Picture::of(connections(&sources, &options));
    terminal.product(&match arguments.format {
        Format::Mermaid => picture.mermaid(),
        Format::Dot => picture.dot(),
    })?;
    Ok(Outcome::Clean)
}

/// Boxes by namespace, and arrows between them.
struct Picture {
    /// Every end, with the name that arrows call it by.
    ends: BTreeMap<End, String>,
    arrows: Vec<Connection>,
}

impl Picture {
    fn of(arrows: Vec<Connection>) -> Self {
        let ends: BTreeSet<End> = arrows.iter().flat_map(|it| [it.from.clone(), it.to.clone()]).collect();
        let ends = ends.into_iter().enumerate().map(|(number, end)| (end, format!("n{number}"))).collect();
        Self { ends, arrows }
    }

    /// The pods by their namespaces.
    fn namespaces(&self) -> BTreeMap<&str, Vec<(&String, String, &str)>> {
        let mut namespaces: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (end, id) in &self.ends {
            if let End::Pods { namespace, kind, name } = end {
                let kind = if kind.is_empty() { "of the cluster" } else { kind };
                namespaces.entry(namespace).or_default().push((id, name.clone(), kind));
            }
        }
        namespaces
    }

    /// The ends that are in no namespace.
    fn alone(&self) -> impl Iterator<Item = (&String, &'static str)> {
        self.ends.iter().filter_map(|(end, id)| match end {
            End::Outside => Some((id, "outside")),
            End::ApiServer => Some((id, "API server")),
            End::Pods { .. } => None,
        })
    }

    fn label(arrow: &Connection) -> String {
        match arrow.why {
            // The way in says enough.
            Why::Enters => arrow.ports.join(", "),
            why => format!("{} {}", why.verb(), arrow.ports.join(", ")),
        }
    }

    fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        let quoted = |text: &str| text.replace('"', "#quot;");
        // Writing to a String cannot fail.
        for (id, name) in self.alone() {
            let _ = writeln!(text, "  {id}([\"{name}\"])");
        }
        for (number, (namespace, pods)) in self.namespaces().into_iter().enumerate() {
            let _ = writeln!(text, "  subgraph s{number}[\"{}\"]", quoted(namespace));
            for (id, name, kind) in pods {
                let _ = writeln!(text, "    {id}[\"{}<br/>{kind}\"]", quoted(&name));
            }
            text.push_str("  end\n");
        }
        for arrow in &self.arrows {
            let line = if arrow.why == Why::Scrapes { "-.->" } else { "-->" };
            let (from, to) = (&self.ends[&arrow.from], &self.ends[&arrow.to]);
            let _ = writeln!(text, "  {from} {line}|\"{}\"| {to}", quoted(&Self::label(arrow)));
        }
        text
    }

    fn dot(&self) -> String {
        let mut text = String::from(
            "digraph {\n  rankdir=LR\n  node [shape=box fontname=\"sans-serif\" fontsize=11]\n  \
             edge [fontname=\"sans-serif\" fontsize=9]\n",
        );
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        for (id, name) in self.alone() {
            let _ = writeln!(text, "  {id} [label=\"{name}\" shape=oval]");
        }
        for (number, (namespace, pods)) in self.namespaces().into_iter().enumerate() {
            let name = quoted(namespace);
            let _ = writeln!(text, "  subgraph cluster_{number} {{\n    label=\"{name}\"\n    fontname=\"sans-serif\"");
            for (id, name, kind) in pods {
                let _ = writeln!(text, "    {id} [label=\"{}\\n{kind}\"]", quoted(&name));
            }
            text.push_str("  }\n");
        }
        for arrow in &self.arrows {
            let style = if arrow.why == Why::Scrapes { " style=dashed" } else { "" };
            let (from, to) = (&self.ends[&arrow.from], &self.ends[&arrow.to]);
            let _ = writeln!(text, "  {from} -> {to} [label=\"{}\"{style}]", quoted(&Self::label(arrow)));
        }
        text + "}\n"
    }
}
