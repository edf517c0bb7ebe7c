use super::{COMMAND_LINE, Failure, Outcome};
use crate::terminal::Terminal;
use vigil_yaml::Problem;
use vigil_yaml::words::nearest;

/// Print the manual page of the program or of a command
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil man diff | man -l -
  vigil man > ~/.local/share/man/man1/vigil.1
  vigil man fleet render > ~/.local/share/man/man1/vigil-fleet-render.1")]
pub(crate) struct Arguments {
    /// The command, such as `diff` or `fleet render`; without it, the program
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, mut program: clap::Command, terminal: &Terminal) -> Result<Outcome, Failure> {
    program.build();
    let mut name = "vigil".to_owned();
    let mut command = &program;
    for word in &arguments.command {
        let Some(found) = command.find_subcommand(word) else {
            let problem = Problem::in_file(format!("`{name}` has no command `{word}`"), COMMAND_LINE);
            let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let near = nearest(word, known);
            let help = near.map_or(format!("`{name} --help` lists all"), |near| format!("did you mean `{near}`?"));
            return Err(Failure::new(vec![problem.help(help)], "no page was printed"));
        };
        command = found;
        name = format!("{name} {word}");
    }
    let source = concat!("vigil ", env!("CARGO_PKG_VERSION"));
    let page = clap_mangen::Man::new(command.clone()).title(name.replace(' ', "-")).date("").source(source);
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = page.render(&mut text);
    terminal.product(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Clean)
}
