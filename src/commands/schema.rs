use super::{Failure, Outcome};
use crate::terminal::Terminal;

/// Print the JSON schema of stack.yaml
#[derive(clap::Args)]
#[command(after_help = "Example: vigil schema > stack.schema.json")]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    terminal.product(vigil::STACK_SCHEMA)?;
    Ok(Outcome::Clean)
}
