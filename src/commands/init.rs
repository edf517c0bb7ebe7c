mod repository;

use super::{Failure, Outcome, Selection};
use crate::terminal::Terminal;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use vigil_stack::model::Cluster;
use vigil_yaml::Problem;

/// Write a stack.yaml to begin with
///
/// It asks nothing: Prometheus, Alertmanager, Grafana, Loki and Alloy, reached from inside the cluster only. A file that is
/// there stays as it is.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil init                                    stack.yaml, with a comment on each choice
  vigil init --cluster k3s                      the same for k3s: docs/clusters.md says what follows from it
  vigil init --minimal clusters/a.yaml          the same without comments, elsewhere
  vigil init --repository monitoring            a repository: the stack, its manifests, its review")]
pub(crate) struct Arguments {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "stack.yaml")]
    file: PathBuf,
    /// Without comments, and without what only repeats a default
    #[arg(long)]
    minimal: bool,
    /// Where the cluster comes from: kubeadm, k3s, kind, eks …
    #[arg(long, value_name = "NAME", value_parser = cluster)]
    cluster: Option<Cluster>,
    /// Overwrite a file that is there
    #[arg(long)]
    force: bool,
    /// Make all that a repository needs, with the stack as stack.yaml: its manifests and schema, a review of every change,
    /// Renovate, a hook for pre-commit, a README. What is there stays as it is
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", conflicts_with_all = ["file", "force"])]
    repository: Option<PathBuf>,
    /// Who hosts that repository
    #[arg(long, value_name = "HOST", default_value = "github", requires = "repository")]
    host: repository::Host,
}

const COMMENTED: &str = include_str!("init/stack.yaml");
const MINIMAL: &str = include_str!("init/minimal.yaml");

/// The cluster that somebody names.
fn cluster(name: &str) -> Result<Cluster, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

/// Says where the cluster comes from, and leaves out what follows from it.
fn of(cluster: Cluster, text: &str) -> String {
    let profile = cluster.profile().unwrap_or_default();
    let follows =
        |key: &str| FOLLOWS.contains(&key) && profile.lines().any(|line| line.trim_end() == format!("{key}:"));
    let name = serde_json::json!(cluster);
    let named = format!("cluster: {}", name.as_str().unwrap_or_default());
    let mut written: Vec<&str> = Vec::new();
    // Comments and empty lines belong to the key that comes behind them.
    let mut above = Vec::new();
    let mut kept = true;
    for line in text.lines() {
        match line.split_once(':') {
            Some((key, _)) if line.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                kept = !follows(key);
                if kept {
                    written.append(&mut above);
                    written.push(line);
                }
                if key == "kubernetes" {
                    written.push(&named);
                }
                above.clear();
            }
            _ if line.starts_with(' ') => written.extend(kept.then_some(line)),
            _ => above.push(line),
        }
    }
    written.join("\n") + "\n"
}

/// What the file says of a cluster of which it knows nothing, and a profile knows.
const FOLLOWS: [&str; 2] = ["metrics-server", "kubernetes-targets"];

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let name = arguments.file.display().to_string();
    let text = if arguments.minimal { MINIMAL } else { COMMENTED };
    let text = arguments.cluster.map_or_else(|| text.to_owned(), |cluster| of(cluster, text));
    if let Some(folder) = &arguments.repository {
        return repository::run(folder, &text, arguments.host, terminal);
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let written = options.open(&arguments.file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let problem = match error.kind() {
            ErrorKind::AlreadyExists => Problem::in_file("is there already", &name)
                .help("name another file, or overwrite this one with `--force`: what stands in it is lost"),
            ErrorKind::NotFound => {
                Problem::in_file("its folder is not there", &name).help("make the folder, or correct the path")
            }
            _ => Problem::in_file(format!("cannot be written: {error}"), &name),
        };
        Failure::new(vec![problem], "nothing was written")
    })?;
    let render = if name == "stack.yaml" { "vigil render".to_owned() } else { format!("vigil render {name}") };
    terminal.done(&format!("{name} is written\nnext: read it, then `{render}`\n"))?;
    Ok(Outcome::Clean)
}
