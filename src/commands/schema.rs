use super::{Failure, Outcome};
use crate::terminal::Terminal;

/// Print the JSON schema of stack.yaml, or of clusters.yaml
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil schema > stack.schema.json
  vigil schema clusters > clusters.schema.json")]
pub(crate) struct Arguments {
    /// The file that it is for
    #[arg(value_enum, value_name = "FILE", default_value = "stack")]
    of: File,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum File {
    /// What a cluster runs: `stack.yaml`, and the files that it extends
    Stack,
    /// The clusters of a fleet: `clusters.yaml`
    Clusters,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    terminal.product(match arguments.of {
        File::Stack => vigil::STACK_SCHEMA,
        File::Clusters => vigil::CLUSTERS_SCHEMA,
    })?;
    Ok(Outcome::Clean)
}
