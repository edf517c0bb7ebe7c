use super::{Failure, Outcome, STACK, fleet, load, on_command_line};
use crate::terminal::Terminal;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;
use vigil_stack::Said;
use vigil_yaml::Problem;
use vigil_yaml::words::nearest;

/// Say where a value of the stack comes from
///
/// The file and line that count, what they hide in files below, the profile of the cluster, or the default.
#[derive(clap::Args)]
#[command(
    name = "where",
    after_help = "\
Examples:
  vigil where prometheus.retention                       who says it, and what that hides
  vigil where grafana                                    all that is said of a part
  vigil where --stack clusters/fra.yaml                  all that is said
  vigil where prometheus.retention --cluster fra-01      in a fleet"
)]
pub(crate) struct Arguments {
    /// The dotted path of a key; without one, everything that the stack says
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// The stack
    #[arg(long, value_name = "FILE", default_value = STACK)]
    stack: PathBuf,
    /// The stack of this cluster of a fleet instead
    #[arg(long, value_name = "NAME", conflicts_with = "stack")]
    cluster: Option<String>,
    /// The clusters
    #[arg(long, value_name = "FILE", default_value = fleet::CLUSTERS, requires = "cluster")]
    fleet: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let failed = |problems| Failure::new(problems, "nothing was looked up");
    let parsed = match &arguments.cluster {
        Some(cluster) => fleet::stack_of(&arguments.fleet, cluster),
        None => load(&arguments.stack),
    };
    let parsed = parsed.map_err(failed)?;
    let key = arguments.key.as_deref().unwrap_or_default();
    let known = known(key).map_err(|problem| failed(vec![*problem]))?;
    let said = parsed.said(key);
    terminal.product(&match said.as_slice() {
        [] => unsaid(key, known.as_ref()),
        [one] if one.path == key => alone(one, known.as_ref()),
        all => table(all),
    })?;
    Ok(Outcome::Clean)
}

/// A value that nobody says.
fn unsaid(key: &str, default: Option<&Value>) -> String {
    match default {
        Some(Value::Object(_)) => format!("{key}: nothing is said of it, so that all below it is the default\n"),
        Some(default) => format!("{key}: {}\n  the default\n", shown(default)),
        None => format!("{key}: nothing\n  it has no default, or one that follows from other keys: docs/stack.md\n"),
    }
}

/// What is shown of a key with nothing behind it.
const AGAIN: &str = "(the default again)";

/// One value and everyone who says it.
fn alone(said: &Said, default: Option<&Value>) -> String {
    let default = default.filter(|default| !default.is_object()).map(shown);
    let value = said.by[0].value.clone().or_else(|| default.clone()).unwrap_or_else(|| AGAIN.to_owned());
    let said_by = said.by.iter().map(|saying| (saying.place.as_str(), saying.value.as_deref().unwrap_or(AGAIN)));
    let lines: Vec<_> = said_by.chain(default.as_deref().map(|default| ("the default", default))).collect();
    let width = lines.iter().map(|(place, _)| place.chars().count()).max().unwrap_or_default();
    let mut text = format!("{}: {value}\n", said.path);
    for (at, (place, value)) in lines.iter().enumerate() {
        let counts = at == 0 || at + 1 == lines.len() && said.by[0].value.is_none() && default.is_some();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {place:width$}  {value}{}", if counts { "" } else { ", hidden" });
    }
    text
}

/// Many values, a line each.
fn table(all: &[Said]) -> String {
    let mut text = String::new();
    let width = all.iter().map(|said| said.by[0].place.chars().count()).max().unwrap_or_default();
    for Said { path, by } in all {
        let hidden: Vec<_> = by[1..].iter().map(|saying| saying.place.as_str()).collect();
        let hidden = if hidden.is_empty() { String::new() } else { format!("  (hides {})", hidden.join(", ")) };
        let (place, value) = (&by[0].place, by[0].value.as_deref().unwrap_or(AGAIN));
        let _ = writeln!(text, "{place:width$}  {path}: {value}{hidden}");
    }
    text
}

fn shown(default: &Value) -> String {
    default.as_str().map_or_else(|| default.to_string(), str::to_owned)
}

/// Looks a dotted path up among the keys that a stack can have, and gives its default if it has one.
fn known(key: &str) -> Result<Option<Value>, Box<Problem>> {
    // It is checked by a test, and printed by `vigil schema`.
    let schema: Value = serde_json::from_str(vigil::STACK_SCHEMA).unwrap_or_default();
    let mut at = &schema;
    let mut default = None;
    let mut rest = key;
    while !rest.is_empty() {
        // A key may hold dots itself, such as the name of a label.
        let whole = resolved(&schema, at);
        let properties = whole["properties"].as_object();
        let name = rest.split('.').next().unwrap_or(rest);
        let start = key.len() - rest.len();
        rest = rest[name.len()..].trim_start_matches('.');
        let next = properties.and_then(|properties| properties.get(name));
        let item = name.parse::<usize>().ok().and(whole.get("items"));
        at = match next.or(item).or_else(|| whole.get("additionalProperties").filter(|it| it.is_object())) {
            Some(next) => next,
            // A mapping that takes anything ends what is known.
            None if properties.is_none() && whole["type"] != "array" && whole.get("enum").is_none() => return Ok(None),
            None => {
                let place = on_command_line(key, start..start + name.len());
                let mut problem = Problem::error("a stack has no such key", place)
                    .help("stack.schema.json has all keys; `vigil where` lists those that are said");
                let names = properties.into_iter().flatten().map(|(name, _)| name.as_str());
                if let Some(near) = nearest(name, names) {
                    problem = problem.label(format!("did you mean `{near}`?"));
                }
                return Err(Box::new(problem));
            }
        };
        default = at.get("default");
    }
    Ok(default.cloned())
}

/// What a schema refers to, or is itself.
fn resolved<'s>(schema: &'s Value, mut at: &'s Value) -> &'s Value {
    loop {
        let inner = ["allOf", "anyOf"].iter().find_map(|of| at[*of].as_array()?.first());
        if let Some(inner) = inner {
            at = inner;
        } else if let Some(name) = at["$ref"].as_str().and_then(|name| name.strip_prefix("#/definitions/")) {
            at = &schema["definitions"][name];
        } else {
            return at;
        }
    }
}
