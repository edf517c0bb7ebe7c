use super::{Failure, Outcome};
use crate::inputs;
use crate::terminal::Terminal;
use std::path::PathBuf;

/// Turn values of the Helm charts into a stack
///
/// Reads values of kube-prometheus-stack, loki-stack and metrics-server, as `helm install -f` takes them, and prints one
/// stack.yaml for all. What it has no key for is listed with its line, and with the way to say it where there is one.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil convert kube-prometheus-stack.yaml loki-stack.yaml > stack.yaml
  helm get values kube-prometheus-stack -n monitoring | vigil convert -")]
pub(crate) struct Arguments {
    /// Values files, or `-` for standard input; of two for one chart the later counts
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failed = |problems| Failure::new(problems, "nothing was converted");
    let sources = inputs::read(&arguments.files).map_err(failed)?;
    let converted = vigil_stack::convert(&sources).map_err(failed)?;
    let names: Vec<_> = sources.iter().map(|source| source.name.as_str()).collect();
    let head =
        format!("# Written by `vigil convert {}`; yours to edit. docs/stack.md has all keys.\n", names.join(" "));
    terminal.product(&(head + &vigil_yaml::write(&converted.stack)))?;
    terminal.note(&converted.left);
    let summary = match converted.left.len() {
        0 => "everything was converted".to_owned(),
        1 => "1 key of the values is not in the stack".to_owned(),
        count => format!("{count} keys of the values are not in the stack"),
    };
    terminal.conclude(&format!(
        "{summary}\nnext: put the stack into stack.yaml, `vigil render`, and compare: `helm template … | vigil parity -`"
    ));
    Ok(Outcome::Clean)
}
