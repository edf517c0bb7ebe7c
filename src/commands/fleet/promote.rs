//! What one ring says, said of the next.

use super::{CLUSTERS, load};
use crate::commands::{COMMAND_LINE, Failure, Outcome, replace};
use crate::terminal::Terminal;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vigil_stack::units::Duration;
use vigil_stack::{Fleet, Stack};
use vigil_yaml::words::{counted, nearest};
use vigil_yaml::{Amended, Limits, Problem, Source};

/// Say in the next ring what a ring says: a change of its stack file
///
/// Every value of the ring's own stack file that is one line goes into the file of the next ring; comments and everything
/// else there stay. The gate of that ring must be met by what is given.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil fleet promote canary prod                                  everything that canary says
  vigil fleet promote canary prod prometheus.image --dry-run       one line, shown only
  vigil fleet promote canary prod --soaked 30h --health answer.json

Exit status: 0 promoted or nothing to promote, 2 not promoted")]
pub(super) struct Promote {
    /// The ring that runs it
    #[arg(value_name = "FROM")]
    from: String,
    /// The ring that shall run it, the next one
    #[arg(value_name = "TO")]
    to: String,
    /// Only these keys, and all below them
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
    /// How long the ring has run it, such as `30h`
    #[arg(long, value_name = "DURATION")]
    soaked: Option<Duration>,
    /// The answer of Prometheus' HTTP API to the query of the gate
    #[arg(long, value_name = "FILE")]
    health: Option<PathBuf>,
    /// Change nothing; show what would be changed
    #[arg(long)]
    dry_run: bool,
    /// The clusters
    #[arg(long, value_name = "FILE", default_value = CLUSTERS)]
    fleet: PathBuf,
}

pub(super) fn run(arguments: &Promote, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failure = |problems| Failure::new(problems, "nothing was promoted");
    let one = |problem: Box<Problem>| failure(vec![*problem]);
    let fleet = load(&arguments.fleet).map_err(failure)?;
    let from = ring(&fleet, &arguments.from).map_err(one)?;
    let to = ring(&fleet, &arguments.to).map_err(one)?;
    if to != from + 1 {
        let next = fleet.rings.get(from + 1).map(|ring| ring.name.to_string());
        let problem =
            Problem::in_file(format!("`{}` is not the ring behind `{}`", arguments.to, arguments.from), COMMAND_LINE);
        return Err(one(Box::new(problem.help(match next {
            Some(next) => format!("promote to `{next}` first"),
            None => format!("`{}` is the last ring", arguments.from),
        }))));
    }
    gate(arguments, &fleet, to).map_err(failure)?;
    let [source, target] = [from, to].map(|ring| own_file(arguments, &fleet, ring));
    let ((_, source), (path, target)) = (source.map_err(one)?, target.map_err(one)?);
    let amendment = vigil_yaml::amend(&source, &target, &arguments.keys).map_err(failure)?;
    let mut text = String::new();
    let width = amendment.amended.iter().map(|amended| amended.path.len()).max().unwrap_or_default();
    for Amended { path, before, after } in &amendment.amended {
        let before = before.as_deref().unwrap_or("(not said)");
        let _ = writeln!(text, "  {path:width$}  {before} -> {after}");
    }
    for (key, span) in &amendment.left {
        let (file, line) = (&span.source.name, span.line_column().0);
        let _ = writeln!(text, "  {key} is more than a line: take it over by hand from {file}:{line}");
    }
    let name = path.display();
    if amendment.amended.is_empty() {
        let _ = writeln!(text, "{name} says all that `{}` says; nothing was changed", arguments.from);
    } else if arguments.dry_run {
        let _ = writeln!(text, "{} would change in {name}", counted(amendment.amended.len(), "line"));
    } else {
        replace(&path, &amendment.text).map_err(failure)?;
        let _ = writeln!(text, "{} changed in {name}", counted(amendment.amended.len(), "line"));
        let _ = writeln!(text, "next: `vigil fleet render`, review and commit");
    }
    terminal.product(&text)?;
    Ok(Outcome::Clean)
}

/// The number of a ring.
fn ring(fleet: &Fleet, name: &str) -> Result<usize, Box<Problem>> {
    fleet.rings.iter().position(|ring| ring.name.as_str() == name).ok_or_else(|| {
        let names: Vec<_> = fleet.rings.iter().map(|ring| ring.name.as_str()).collect();
        let near = nearest(name, names.iter().copied());
        let help = near
            .map_or_else(|| format!("the rings are {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
        Box::new(Problem::in_file(format!("there is no ring `{name}`"), COMMAND_LINE).help(help))
    })
}

/// The last stack file of a ring itself: what it says and the others do not.
fn own_file(arguments: &Promote, fleet: &Fleet, ring: usize) -> Result<(PathBuf, Arc<Source>), Box<Problem>> {
    let ring = &fleet.rings[ring];
    let Some(layer) = ring.layers.last() else {
        let problem = Problem::in_file(
            format!("the ring `{}` has no stack file", ring.name),
            arguments.fleet.display().to_string(),
        );
        return Err(Box::new(problem.help(format!("give it `layers: [rings/{}.yaml]`", ring.name))));
    };
    let path = fleet.path(layer);
    let source = Source::read(&path, Stack::LIMITS.bytes)?;
    Ok((path, source))
}

/// What keeps a promotion to a ring from being made.
fn gate(arguments: &Promote, fleet: &Fleet, to: usize) -> Result<(), Vec<Problem>> {
    let gate = &fleet.rings[to].gate;
    let mut problems = Vec::new();
    if let Some(soak) = &gate.soak {
        let wanted = format!("`{}` takes what `{}` has run for {soak}", arguments.to, arguments.from);
        match &arguments.soaked {
            None => problems.push(
                Problem::in_file(wanted, COMMAND_LINE).help(format!("say for how long it has: `--soaked {soak}`")),
            ),
            Some(soaked) if soaked.length() < soak.length() => {
                let problem = Problem::in_file(format!("{wanted}, and it has for {soaked}"), COMMAND_LINE);
                problems.push(problem.help("wait, or promote less"));
            }
            Some(_) => {}
        }
    }
    if let Some(query) = &gate.health {
        match &arguments.health {
            None => {
                let message = format!("`{}` takes what is healthy: `{query}` must give nothing", arguments.to);
                problems.push(Problem::in_file(message, COMMAND_LINE).help(
                    "ask Prometheus, `curl -G $PROMETHEUS/api/v1/query --data-urlencode 'query=…' > answer.json`, and name the \
                     answer: `--health answer.json`",
                ));
            }
            Some(file) => problems.extend(unhealthy(file, query.as_str())),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// What an answer of Prometheus says is not healthy.
fn unhealthy(file: &Path, query: &str) -> Option<Problem> {
    let source = match Source::read(file, Stack::LIMITS.bytes) {
        Ok(source) => source,
        Err(problem) => return Some(*problem),
    };
    let answer = vigil_yaml::read_one(&source, &Limits::default()).ok().flatten().map(|node| node.to_json());
    let answer = answer.unwrap_or_default();
    let name = file.display().to_string();
    let result = answer.pointer("/data/result").and_then(serde_json::Value::as_array);
    let Some(result) = result.filter(|_| answer["status"] == "success") else {
        let problem = Problem::in_file("is no answer of Prometheus to a query", name);
        return Some(
            problem.help("expected `{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}`"),
        );
    };
    let first = result.first()?;
    let labels = first["metric"].to_string();
    let more = if result.len() > 1 { format!(" and {} more", result.len() - 1) } else { String::new() };
    let problem = Problem::in_file(format!("`{query}` gives {labels}{more}"), name);
    Some(problem.help("it must give nothing: mend that first, or take the change back"))
}
