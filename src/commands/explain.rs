use super::{Failure, Outcome, on_command_line};
use crate::terminal::Terminal;
use std::fmt::Write as _;
use vigil_check::Rule;
use vigil_yaml::Problem;
use vigil_yaml::words::nearest;

/// Say why a rule is there, what breaks it and what fulfils it
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil explain                 list all rules
  vigil explain schema-type     say why, and show both")]
pub(crate) struct Arguments {
    /// The rule, as findings name it; without one, all are listed
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let Some(name) = &arguments.rule else {
        terminal.product(&list())?;
        return Ok(Outcome::Clean);
    };
    let rules = vigil_check::rules();
    let Some(rule) = rules.iter().find(|rule| rule.id == name) else {
        let place = on_command_line(name, 0..name.len());
        let mut problem = Problem::error("there is no such rule", place).help("`vigil explain` lists all rules");
        if let Some(near) = nearest(name, rules.iter().map(|rule| rule.id)) {
            problem = problem.label(format!("did you mean `{near}`?"));
        }
        return Err(Failure::new(vec![problem], "nothing was explained"));
    };
    terminal.product(&explain(rule))?;
    Ok(Outcome::Clean)
}

fn list() -> String {
    let mut text = String::new();
    let width = vigil_check::rules().iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for (area, mut rules) in vigil_check::areas() {
        rules.sort_by_key(|rule| rule.id);
        if rules.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{area}");
        for rule in rules {
            let _ = writeln!(text, "  {:width$}  {:7}  {}", rule.id, rule.severity.name(), rule.title);
        }
        text.push('\n');
    }
    text + "`vigil explain RULE` says more of one.\n"
}

fn explain(rule: &Rule) -> String {
    let Rule { id, title, why, found_by, .. } = rule;
    let mut text = format!("{id}: {title} ({})\n\n{}\n\n{}\n", rule.severity.name(), why.trim(), found_by.sentence());
    for (title, body) in
        [("This breaks it", rule.fail), ("and is told so", rule.said), ("This does not break it", rule.pass)]
    {
        let _ = write!(text, "\n{title}:\n\n");
        for line in body.trim_end().lines() {
            let _ = writeln!(text, "{}", format!("    {line}").trim_end());
        }
    }
    let waiver = format!("waive.vigil/{}: <reason>", rule.id);
    let _ = write!(text, "\nAn object that has a reason to break it says so in an annotation:\n\n    {waiver}\n");
    text
}
