use super::{Failure, Outcome, STACK, load, on_command_line};
use crate::terminal::Terminal;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use vigil::size::{COEFFICIENTS, Coefficients, Sizing, Small};
use vigil_stack::Stack;
use vigil_stack::model::ClusterSize;
use vigil_stack::units::Quantity;
use vigil_yaml::words::counted;
use vigil_yaml::{Problem, Source};

/// Say how large the stack must be for its cluster
///
/// Series, memory, CPU, volumes and buckets for so many nodes and pods, each with what it is made of; the keys of the stack
/// that are too small; and when one Prometheus or one Loki is not enough. What the command line does not say of the cluster,
/// `clusterSize` of the stack says. An estimate to begin with: measure the cluster when it runs, and give `--active-series`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil size                                             for what `clusterSize` of the stack says
  vigil size --nodes 50 --pods 1800
  vigil size --nodes 50 --pods 1800 --logs 20G           with Loki, 20 GB of lines a day
  vigil size --nodes 50 --pods 1800 --write              and enlarge what is too small
  vigil size --active-series 412000                      what prometheus_tsdb_head_series says
  vigil size --nodes 50 --pods 1800 --set series-per-pod=250
  vigil size --coefficients                              what it rests on, with the sources

Exit status: 0 when the stack is large enough, 1 when a key is too small, 2 when nothing was calculated.")]
pub(crate) struct Arguments {
    /// The stack
    #[arg(long, value_name = "FILE", default_value = STACK)]
    stack: PathBuf,
    /// Nodes of the cluster
    #[arg(long, value_name = "COUNT")]
    nodes: Option<u32>,
    /// Pods of the cluster
    #[arg(long, value_name = "COUNT")]
    pods: Option<u32>,
    /// Series of your applications themselves
    #[arg(long, value_name = "COUNT")]
    series: Option<u64>,
    /// All series, in place of the estimate from nodes and pods
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["nodes", "pods", "series"])]
    active_series: Option<u64>,
    /// Log lines a day, in bytes: `500M`, `20G`
    #[arg(long, value_name = "BYTES")]
    logs: Option<String>,
    /// Another number for a coefficient
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Write what is too small into the stack, as it should be; its other lines stay
    #[arg(long, conflicts_with_all = ["format", "coefficients"])]
    write: bool,
    /// List the coefficients, what they mean and where they are from
    #[arg(long, conflicts_with_all = ["logs", "set"])]
    coefficients: bool,
    /// How to tell it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Figures and what is too small, for people
    Text,
    /// The keys that are too small, as the stack takes them
    Yaml,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    if arguments.coefficients {
        terminal.product(&coefficients())?;
        return Ok(Outcome::Clean);
    }
    let failed = |problems| Failure::new(problems, "nothing was calculated");
    let mut numbers = Coefficients::default();
    for text in &arguments.set {
        numbers.set(text).map_err(|message| failed(vec![wrong(text, message)]))?;
    }
    let logs = arguments.logs.as_deref().map(bytes).transpose().map_err(|problem| failed(vec![*problem]))?;
    let stack = load(&arguments.stack).map_err(failed)?.stack;
    let cluster = arguments.over(&stack.cluster_size, logs);
    if !cluster.tells_series() && (stack.prometheus.enabled || cluster.logs_per_day.is_none()) {
        let problem = Problem::in_file("how large the cluster is, nobody says", super::called(&arguments.stack));
        return Err(failed(vec![problem.help(
            "give both `--nodes` and `--pods`, or `--active-series`; or say it in the stack: `clusterSize: { nodes: 50, pods: 1800 }`",
        )]));
    }
    let sizing = vigil::size::size(&stack, &cluster, &numbers);
    let name = super::called(&arguments.stack);
    let asks_for_logs = stack.loki.enabled && cluster.logs_per_day.is_none();
    match arguments.format {
        Format::Text => terminal.product(&text(&sizing, &name, asks_for_logs))?,
        Format::Yaml => terminal.product(&yaml(&sizing.small))?,
    }
    if sizing.small.is_empty() {
        return Ok(Outcome::Clean);
    }
    if arguments.write {
        return write(&arguments.stack, &sizing.small, terminal);
    }
    let keys = counted(sizing.small.len(), "key");
    terminal.conclude(&match arguments.format {
        Format::Text => format!("{keys} too small; `--write` enlarges them in {name}"),
        Format::Yaml => format!("{keys} too small: put this into {name}, then `vigil diff` says what the change does"),
    });
    Ok(Outcome::Differs)
}

impl Arguments {
    /// What the command line says of the cluster, and of the rest what the stack does.
    fn over(&self, said: &ClusterSize, logs: Option<Quantity>) -> ClusterSize {
        let estimated = self.nodes.is_some() || self.pods.is_some() || self.series.is_some();
        let mut cluster = said.clone();
        if self.active_series.is_some() {
            cluster = ClusterSize { active_series: self.active_series, ..ClusterSize::default() };
        } else if estimated {
            cluster.active_series = None;
            cluster.nodes = self.nodes.or(cluster.nodes);
            cluster.pods = self.pods.or(cluster.pods);
            cluster.application_series = self.series.or(cluster.application_series);
        }
        cluster.logs_per_day = logs.or_else(|| said.logs_per_day.clone());
        cluster
    }
}

/// Enlarges the keys that are too small, in the file of the stack.
fn write(stack: &Path, small: &[Small], terminal: &Terminal) -> Result<Outcome, Failure> {
    let failed = |problems| Failure::new(problems, "nothing was written");
    let name = super::called(stack);
    if stack == Path::new("-") {
        let problem = Problem::in_file("there is no file to write to", name);
        return Err(failed(vec![problem.help("`--format yaml` writes the keys")]));
    }
    let now = Source::read(stack, Stack::LIMITS.bytes).map_err(|problem| failed(vec![*problem]))?;
    let wanted = Source::new("<what the cluster asks for>", yaml(small));
    let amendment = vigil_yaml::amend(&wanted, &now, &[]).map_err(failed)?;
    if let Some((key, _)) = amendment.left.first() {
        let problem = Problem::in_file(format!("`{key}` cannot be set here: it is more than a line"), name);
        return Err(failed(vec![problem.help("`--format yaml` writes the keys, to be put in by hand")]));
    }
    super::replace(stack, &amendment.text).map_err(failed)?;
    let keys = counted(small.len(), "key");
    terminal.conclude(&format!("{keys} written to {name}; `vigil diff` says what the change does"));
    Ok(Outcome::Clean)
}

/// The bytes that an argument names.
fn bytes(text: &str) -> Result<Quantity, Box<Problem>> {
    text.parse().map_err(|_| Box::new(wrong(text, "--logs takes bytes a day, such as `500M` or `20G`".to_owned())))
}

/// A mistake in an argument.
fn wrong(text: &str, message: String) -> Problem {
    Problem::error(message, on_command_line(text, 0..text.len()))
}

/// Every coefficient, its meaning and its source.
fn coefficients() -> String {
    let width = COEFFICIENTS.iter().map(|it| it.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for it in COEFFICIENTS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:width$}  {}\n{:width$}    {}\n{:width$}    {}",
            it.name, it.value, "", it.meaning, "", it.source
        );
    }
    text
}

fn text(sizing: &Sizing, name: &str, asks_for_logs: bool) -> String {
    let figures = || sizing.figures.iter().flat_map(|(_, figures)| figures);
    let names = figures().map(|it| it.name.len()).max().unwrap_or_default();
    let values = figures().map(|it| it.value.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (program, figures) in &sizing.figures {
        let _ = writeln!(text, "{program}");
        for it in figures {
            let _ = writeln!(text, "  {:names$}  {:>values$}  {}", it.name, it.value, it.formula);
        }
        text.push('\n');
    }
    if sizing.small.is_empty() {
        let _ = writeln!(text, "{name} is large enough.");
    } else {
        let _ = writeln!(text, "Too small in {name}");
        let keys = sizing.small.iter().map(|it| it.key.len()).max().unwrap_or_default();
        let now = sizing.small.iter().map(|it| it.now.len()).max().unwrap_or_default();
        for it in &sizing.small {
            let _ = writeln!(text, "  {:keys$}  {:>now$} → {}", it.key, it.now, it.needed);
        }
    }
    let logs =
        asks_for_logs.then(|| "Loki is not in this: say how many log lines there are, --logs 5G a day".to_owned());
    let advice: Vec<_> = sizing.advice.iter().chain(&logs).collect();
    if !advice.is_empty() {
        text.push_str("\nBesides\n");
        for advice in advice {
            text.extend(["  - ", advice, "\n"]);
        }
    }
    text
}

/// The keys as a stack has them.
fn yaml(small: &[Small]) -> String {
    let mut stack = Value::Object(Map::new());
    for it in small {
        let value = if it.key.ends_with(".persistence") {
            json!({ "enabled": true, "size": it.needed })
        } else {
            it.needed.parse::<u64>().map_or_else(|_| json!(it.needed), |number| json!(number))
        };
        let mut at = &mut stack;
        for key in it.key.split('.') {
            at = &mut at[key];
        }
        *at = value;
    }
    if small.is_empty() { "# The stack is large enough.\n".to_owned() } else { vigil_yaml::write(&stack) }
}
