use super::{Failure, Outcome, on_command_line};
use crate::terminal::Terminal;
use vigil_yaml::Problem;
use vigil_yaml::words::nearest;

/// Say what an alert means, and how to look and mend
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil runbook                      list all alerts
  vigil runbook KubePodCrashLooping  what it means, how to look, how to mend")]
pub(crate) struct Arguments {
    /// The alert, as Prometheus names it; without one, all are listed
    #[arg(value_name = "ALERT")]
    alert: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let Some(name) = &arguments.alert else {
        let names: String = vigil::RUNBOOKS.iter().flat_map(|(name, _)| [*name, "\n"]).collect();
        terminal.product(&names)?;
        return Ok(Outcome::Clean);
    };
    let Some((_, text)) = vigil::RUNBOOKS.iter().find(|(alert, _)| alert == name) else {
        let place = on_command_line(name, 0..name.len());
        let mut problem =
            Problem::error("there is no runbook of this name", place).help("`vigil runbook` lists all alerts");
        if let Some(near) = nearest(name, vigil::RUNBOOKS.iter().map(|(alert, _)| *alert)) {
            problem = problem.label(format!("did you mean `{near}`?"));
        }
        return Err(Failure::new(vec![problem], "nothing was printed"));
    };
    terminal.product(text)?;
    Ok(Outcome::Clean)
}
