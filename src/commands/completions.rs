use super::{Failure, Outcome};
use crate::terminal::Terminal;

/// Print what makes a shell complete commands and options
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil completions bash > ~/.local/share/bash-completion/completions/vigil
  vigil completions zsh > \"${fpath[1]}/_vigil\"
  vigil completions fish > ~/.config/fish/completions/vigil.fish")]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

pub(crate) fn run(arguments: &Arguments, mut program: clap::Command, terminal: &Terminal) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "vigil", &mut script);
    terminal.product(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Clean)
}
