//! What log lines ask of Loki, and of each of its programs where it is many.

use super::{Coefficients, GIB, Key, Sizing, Small};
use super::{binary, compare_resources, compare_volume, days, decimal, figure, percent_full};
use vigil_stack::model::{LokiMode, Stack};

/// A program of `loki.mode: distributed`, with what Loki's guide to sizes gives it for up to 3 TB of lines a day:
/// grafana.com/docs/loki/latest/setup/size.
struct Program {
    /// What it and its container are called.
    name: &'static str,
    /// Its key below `loki.distributed`; the compactor, which is one, has none.
    key: &'static str,
    /// The bytes of lines a day for which there is one pod; nothing where one is enough.
    lines: Option<Key>,
    /// How many pods there are at least.
    least: f64,
    /// What one pod requests: cores, and GiB of memory.
    cores: f64,
    memory: f64,
}

const PROGRAMS: [Program; 7] = [
    program("ingester", "ingester", Some(Key::LinesPerIngester), 3.0, 2.0, 4.0),
    program("distributor", "distributor", Some(Key::LinesPerDistributor), 2.0, 2.0, 0.5),
    program("querier", "querier", Some(Key::LinesPerQuerier), 2.0, 1.0, 1.0),
    program("query-frontend", "queryFrontend", Some(Key::LinesPerQueryFrontend), 2.0, 1.0, 2.0),
    program("query-scheduler", "queryScheduler", None, 2.0, 1.0, 0.5),
    program("index-gateway", "indexGateway", Some(Key::LinesPerIndexGateway), 2.0, 0.5, 2.0),
    program("compactor", "", None, 1.0, 2.0, 10.0),
];

const fn program(
    name: &'static str,
    key: &'static str,
    lines: Option<Key>,
    least: f64,
    cores: f64,
    memory: f64,
) -> Program {
    Program { name, key, lines, least, cores, memory }
}

/// What so many bytes of lines a day ask.
pub(super) fn size(stack: &Stack, logs: f64, by: &Coefficients, sizing: &mut Sizing) {
    let own = &stack.loki;
    let compressed = logs * by.get(Key::Lines);
    let kept = own.retention.as_ref().filter(|kept| days(kept) > 0.0);
    let stored = compressed * kept.map_or(365.0, days);
    let kept = kept.map_or_else(|| "a year, as nothing is deleted".to_owned(), ToString::to_string);
    let distributed = own.mode == LokiMode::Distributed;
    // Four hours of lines that are not stored yet. Of `ha` each pod has all of them; ingesters share three copies.
    let ingesters = pods(&PROGRAMS[0], logs, by).max(f64::from(own.distributed.ingester.replicas.get()));
    let share = if distributed { 3.0 / ingesters } else { 1.0 };
    let pending = (logs / 24.0 * 4.0 * share).max(10.0 * GIB);
    let in_bucket = own.uses_object_storage();
    let volume = if in_bucket { pending } else { (stored + pending) / by.get(Key::Full) };
    sizing.figures.push((
        "Loki",
        vec![
            figure(
                if in_bucket { "bucket" } else { "on disk" },
                binary(stored),
                format!("{} a day for {kept}, compressed to {} %", decimal(logs), (by.get(Key::Lines) * 100.0).round()),
            ),
            figure(
                "volume, each pod",
                binary(volume),
                if in_bucket { "what is not in the bucket yet".to_owned() } else { percent_full(by) },
            ),
        ],
    ));
    compare_volume("loki.persistence", &own.persistence, volume, &mut sizing.small);
    if distributed {
        programs(stack, logs, by, sizing);
    } else if logs > by.get(Key::LinesPerLoki) {
        sizing.advice.push(format!(
            "{} of lines a day are more than one Loki takes well, {}: drop some, send some to another one, or see docs/longterm.md for loki.mode: distributed. loki.mode: ha writes each line three times, and takes no more",
            decimal(logs),
            decimal(by.get(Key::LinesPerLoki))
        ));
    } else if own.mode == LokiMode::Single {
        sizing.advice.push(
            "log lines come and go with one pod and, on a disk, with its node: loki.mode: ha survives both".to_owned(),
        );
    }
}

/// How many pods a program needs.
fn pods(program: &Program, logs: f64, by: &Coefficients) -> f64 {
    program.lines.map_or(1.0, |lines| (logs / by.get(lines)).ceil()).max(program.least)
}

/// Pods, CPU and memory of each program.
fn programs(stack: &Stack, logs: f64, by: &Coefficients, sizing: &mut Sizing) {
    let (all, resources) = (&stack.loki.distributed, stack.pods_of(&stack.loki));
    let most_queriers = all.querier.max_replicas.map(|most| ("querier", "maxReplicas", f64::from(most.get())));
    let mut figures = Vec::new();
    for program in &PROGRAMS {
        let (needed, memory) = (pods(program, logs, by), program.memory * GIB);
        let replicas = all.all().into_iter().find(|(key, _)| *key == program.key);
        let replicas = replicas.map(|(key, now)| (key, "replicas", f64::from(now.get())));
        // An autoscaler makes as many as there are to be.
        let replicas = most_queriers.filter(|(key, ..)| *key == program.key).or(replicas);
        if let Some((key, number, now)) = replicas.filter(|(.., now)| *now < needed) {
            let key = format!("loki.distributed.{key}.{number}");
            sizing.small.push(Small { key, now: now.to_string(), needed: needed.to_string() });
        }
        // The ingester is the main container of Loki's pods.
        let (at, now) = match resources.containers.iter().find(|(name, _)| name.as_str() == program.name) {
            Some((name, now)) => (format!("loki.pods.containers.{name}"), now),
            None => ("loki.pods.resources".to_owned(), &resources.resources),
        };
        compare_resources(&at, now, program.cores, memory, by, &mut sizing.small);
        let each = format!("each {}m and {}", program.cores * 1000.0, binary(memory));
        let least = if program.least > 1.0 { format!("{} at least; ", program.least) } else { String::new() };
        let lines = program.lines.map(|lines| format!("one for {} a day, ", decimal(by.get(lines))));
        figures.push(figure(program.name, needed.to_string(), format!("{}{least}{each}", lines.unwrap_or_default())));
    }
    sizing.figures.push(("Loki's programs, pods of each", figures));
    if logs > by.get(Key::LinesPerProgram) {
        sizing.advice.push(format!(
            "{} of lines a day are more than Loki's guide to sizes has these programs for, {}: it gives larger ones for that",
            decimal(logs),
            decimal(by.get(Key::LinesPerProgram))
        ));
    }
}
