//! The command lines of programs: flags that they know, and files that their volumes have.

use crate::embedded::version_of;
use crate::fields::{filled, items, text, texts};
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::rules;
use crate::world::pods::Pod;
use crate::world::program::{Known, Program};
use crate::world::{World, volumes};
use std::collections::HashMap;
use vigil_forms::duration;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    FLAG "program-flag" Error Program "every flag of a program is known to it"
    FILE "program-file" Error Program "every configuration file that a program is told to read is in its volumes"
}

/// The flags of a program by name, and whether a value follows.
type Flags = HashMap<&'static str, bool>;

/// The flags of programs: `tools/configurations/flags` writes them, a name a line, with `=` behind it where a value follows.
static KNOWN: [Known<Flags>; 5] = [
    Known::new("alertmanager", ((0, 28), (0, 30)), include_str!("../../configurations/alertmanager.flags")),
    Known::new("loki", ((3, 7), (3, 7)), include_str!("../../configurations/loki.flags")),
    Known::new("prometheus", ((3, 7), (3, 12)), include_str!("../../configurations/prometheus.flags")),
    Known::new(
        "prometheus-operator",
        ((0, 87), (0, 87)),
        include_str!("../../configurations/prometheus-operator.flags"),
    ),
    Known::new("thanos", ((0, 42), (0, 42)), include_str!("../../configurations/thanos.flags")),
];

fn read(text: &'static str) -> Flags {
    text.lines().map(|line| line.strip_suffix('=').map_or((line, false), |name| (name, true))).collect()
}

/// What follows a flag, as far as it is of few words or of one form: the flags of `cmd/prometheus/main.go` 3.8 and of
/// `promslog/flag` in github.com/prometheus/common 0.67.
struct Value {
    flag: &'static str,
    holds: fn(&str) -> bool,
    expected: &'static str,
}

const LEVEL: Value = Value {
    flag: "log.level",
    holds: |text| matches!(text, "debug" | "info" | "warn" | "error"),
    expected: "`debug`, `info`, `warn` or `error`",
};

const FORMAT: Value =
    Value { flag: "log.format", holds: |text| matches!(text, "logfmt" | "json"), expected: "`logfmt` or `json`" };

const TIME: Value = Value {
    flag: "storage.tsdb.retention.time",
    holds: |text| duration::prometheus(text).is_ok(),
    expected: "a duration such as `15d`",
};

/// `ParseBase2Bytes` of github.com/alecthomas/units: digits and a unit that ends with `B`.
const SIZE: Value = Value {
    flag: "storage.tsdb.retention.size",
    holds: |text| {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        text.len() > unit.len()
            && matches!(
                unit,
                "B" | "KB" | "MB" | "GB" | "TB" | "PB" | "EB" | "KiB" | "MiB" | "GiB" | "TiB" | "PiB" | "EiB"
            )
    },
    expected: "a size such as `10GB`",
};

const VALUES: [(&str, &[Value]); 2] =
    [("prometheus", &[LEVEL, FORMAT, TIME, SIZE]), ("alertmanager", &[LEVEL, FORMAT])];

/// Judges what follows the flags of a program.
fn values(object: &Object<'_>, program: &Program<'_>, findings: &mut Findings) {
    let known = VALUES.iter().find(|(name, _)| *name == program.name).map(|(_, values)| *values).unwrap_or_default();
    for Value { flag, holds, expected } in known {
        if let Some((node, text)) = program.flag(flag).filter(|(_, text)| !text.contains("$(") && !holds(text)) {
            findings
                .add(&FLAG, object, node, format!("`{flag}` is {}", Quoted(text)))
                .label(format!("expected {expected}"))
                .help("the program does not start with it");
        }
    }
}

/// Judges the containers of all pods.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    added(world, findings);
    for pod in &world.pods {
        let Some((object, spec)) = pod.object.zip(pod.spec).filter(|(object, _)| !object.damaged) else { continue };
        for container in items(spec, "initContainers").iter().chain(items(spec, "containers")) {
            let Some(program) = Program::of(container) else { continue };
            let words = words(&program);
            if let Some(known) = Known::of(&KNOWN, program.name, program.version, read) {
                flags(object, &program, &words, known, findings);
            }
            if !words.is_empty() {
                values(object, &program, findings);
            }
            for (node, value) in files(&program, &words) {
                file(world, pod, object, container, node, value, findings);
            }
        }
    }
}

/// Judges the arguments that the operator is told to add.
fn added(world: &World<'_>, findings: &mut Findings) {
    for (kind, name) in [("Prometheus", "prometheus"), ("Alertmanager", "alertmanager")] {
        for object in world.judged(MONITORING, kind) {
            let Some(known) = Known::of(&KNOWN, name, version_of(object), read) else { continue };
            let arguments = items(object.node, ["spec", "additionalArgs"]).iter();
            for (node, argument) in arguments.filter_map(|argument| filled(argument, "name")) {
                let is_known = |name: &str| known.contains_key(name);
                // One that begins with a dash is told with the object.
                if !argument.starts_with('-')
                    && !is_known(argument)
                    && !argument.strip_prefix("no-").is_some_and(is_known)
                {
                    unknown(object, name, known, (node, argument), findings);
                }
            }
        }
    }
}

fn unknown(
    object: &Object<'_>,
    program: &str,
    known: &HashMap<&'static str, bool>,
    (node, name): (&Node, &str),
    findings: &mut Findings,
) {
    let message = format!("{program} has no flag {}", Quoted(&format!("-{name}")));
    let finding = findings.add(&FLAG, object, node, message);
    // In an order of their own, as of two that are as near the first is told.
    let mut names: Vec<&str> = known.keys().copied().collect();
    names.sort_unstable();
    if let Some(near) = nearest(name, names) {
        finding.label(format!("did you mean `-{near}`?"));
    }
    finding.help("correct or remove it; the program does not start with a flag that it does not know");
}

/// The arguments of a program; none where something else is started, such as a shell.
fn words<'a>(program: &Program<'a>) -> Vec<(&'a Node, &'a str)> {
    let of = |key| items(program.container, key).iter().filter_map(|node| Some((node, node.text()?)));
    let command = texts(program.container, "command").next();
    let is_own = |command: &str| command.rsplit('/').next() == Some(program.name);
    // prometheus-operator is called `operator` in its image.
    let is_started = command
        .is_none_or(|command| is_own(command) || program.name.ends_with(command.rsplit('/').next().unwrap_or("?")));
    if is_started { of("command").skip(1).chain(of("args")).collect() } else { Vec::new() }
}

/// A flag's name and its value, if it holds one.
fn flag(word: &str) -> Option<(&str, Option<&str>)> {
    let rest = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
    let (name, value) = rest.split_once('=').map_or((rest, None), |(name, value)| (name, Some(value)));
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some((name, value))
}

fn flags(
    object: &Object<'_>,
    program: &Program<'_>,
    words: &[(&Node, &str)],
    known: &HashMap<&'static str, bool>,
    findings: &mut Findings,
) {
    let mut is_value = false;
    for (node, word) in words {
        if std::mem::take(&mut is_value) || word.contains("$(") {
            continue;
        }
        let Some((name, value)) = flag(word) else { continue };
        let negated = name.strip_prefix("no-").filter(|name| known.contains_key(name));
        if let Some(takes_value) = known.get(name) {
            is_value = *takes_value && value.is_none();
        } else if negated.is_none() && !matches!(name, "h" | "help" | "version") {
            unknown(object, program.name, known, (node, name), findings);
        }
    }
}

/// The flags that name a configuration file.
const CONFIGURING: [&str; 6] =
    ["config.file", "web.config.file", "runtime-config.file", "config-file", "config", "schema-config-file"];

/// Whether a flag names a configuration file of its program. Thanos has many.
fn configures(program: &Program<'_>, name: &str) -> bool {
    CONFIGURING.contains(&name)
        || program.name == "thanos" && (name.ends_with(".config-file") || name.ends_with("-config-file"))
        || name == "receive.hashrings-file"
}

/// The configuration files that a command line names.
fn files<'a>(program: &Program<'a>, words: &[(&'a Node, &'a str)]) -> Vec<(&'a Node, &'a str)> {
    let mut files = Vec::new();
    let mut words = words.iter().peekable();
    while let Some((node, word)) = words.next() {
        match flag(word) {
            Some((name, Some(value))) if configures(program, name) => files.push((*node, value)),
            Some((name, None)) if configures(program, name) => files.extend(words.next().copied()),
            // `alloy run PATH`
            None if *word == "run" && program.name == "alloy" => {
                files.extend(words.clone().find(|(_, word)| word.starts_with('/')).copied());
            }
            _ => {}
        }
    }
    files
}

/// A file, or several of which the first that is there counts.
fn file(
    world: &World<'_>,
    pod: &Pod<'_>,
    object: &Object<'_>,
    container: &Node,
    node: &Node,
    value: &str,
    findings: &mut Findings,
) {
    if value.contains(['$', '*', '?', '{']) {
        return;
    }
    let missing: Option<Vec<_>> =
        value.split(',').map(|path| not_mounted(world, pod, container, path.trim())).collect();
    let Some(Missing { mount, volume, paths, path }) = missing.and_then(|missing| missing.into_iter().next()) else {
        return;
    };
    let message = format!("no volume has the file {}", Quoted(value));
    let finding = findings.add(&FILE, object, node, message);
    if let Some(near) = nearest(path, paths.iter().copied()).filter(|near| !near.is_empty()) {
        finding.label(format!("did you mean {}?", Quoted(&format!("{}/{near}", mount.trim_end_matches('/')))));
    } else if !paths.is_empty() && paths.len() <= 5 {
        finding.label(format!("the volume {} has {}", Quoted(volume), list(&paths, "and")));
    }
    finding.help(format!(
        "correct the path, or add the key to what the volume {} holds; it is mounted at {}",
        Quoted(volume),
        Quoted(mount)
    ));
}

/// A file that is looked for in a volume, and not in it.
struct Missing<'n> {
    mount: &'n str,
    volume: &'n str,
    /// The files that the volume has.
    paths: Vec<&'n str>,
    /// The path in the volume.
    path: &'n str,
}

/// The volume that a path leads into and that has no such file; nothing where it has, or where it is not known.
fn not_mounted<'n>(world: &World<'n>, pod: &Pod<'n>, container: &'n Node, path: &'n str) -> Option<Missing<'n>> {
    let (at, rest, mount) = volumes::mount(container, path)?;
    // A single file, or a part of a volume, is a question of its own.
    if rest.is_empty() || text(mount, "subPath").is_some() || text(mount, "subPathExpr").is_some() {
        return None;
    }
    let volume = text(mount, "name")?;
    let files = world.files(pod, volumes::volume(pod, volume)?)?;
    (!files.have(rest)).then_some(Missing { mount: at, volume, paths: files.paths, path: rest })
}
