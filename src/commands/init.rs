use super::{Failure, Outcome};
use crate::terminal::Terminal;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use vigil_yaml::Problem;

/// Write a stack.yaml to begin with
///
/// It asks nothing: Prometheus, Alertmanager, Grafana, Loki and Alloy, reached from inside the cluster only. A file that is
/// there stays as it is.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil init                                    stack.yaml, with a comment on each choice
  vigil init --minimal clusters/a.yaml          the same without comments, elsewhere")]
pub(crate) struct Arguments {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "stack.yaml")]
    file: PathBuf,
    /// Without comments, and without what only repeats a default
    #[arg(long)]
    minimal: bool,
    /// Overwrite a file that is there
    #[arg(long)]
    force: bool,
}

const COMMENTED: &str = include_str!("init/stack.yaml");
const MINIMAL: &str = include_str!("init/minimal.yaml");

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let name = arguments.file.display().to_string();
    let text = if arguments.minimal { MINIMAL } else { COMMENTED };
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
    terminal.product(&format!("{name} is written\nnext: read it, then `{render}`\n"))?;
    Ok(Outcome::Clean)
}
