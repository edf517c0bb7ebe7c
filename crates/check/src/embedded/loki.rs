//! What Loki's configuration lets it take of its container's memory.

use super::syntax::Read;
use crate::fields::{BILLION, amount, size, written};
use crate::finding::{At, Findings};
use crate::rule::rules;
use crate::world::World;
use crate::world::program::Program;
use vigil_yaml::{Node, Quoted};

rules! {
    REPLAY "loki-replay-memory" Warning Nobody "`replay_memory_ceiling` of Loki is below its container's memory limit"
}

/// The first version that writes a log unless it is told not to.
const LOGGING: (u32, u32) = (2, 4);

/// The ceiling that Loki keeps to when nobody says another: `defaultCeiling` in its pkg/ingester/wal.go, 4 GiB.
const DEFAULT: &str = "4GB";

/// The targets that have an ingester, whose log it is.
const INGESTING: [&str; 4] = ["all", "write", "ingester", "scalable-single-binary"];

pub(super) fn check(read: &[Read<'_, '_>], world: &World<'_>, findings: &mut Findings) {
    for Read { file, documents } in read {
        let [root] = documents.as_slice() else { continue };
        let mut programs = world.readers(&file.object);
        let wrong = programs.find_map(|program| {
            let is_loki = program.name == "loki" && program.version.is_none_or(|version| version >= LOGGING);
            let is_judged = is_loki && program.is_configured_by(file.name()) && replays(&program, root);
            is_judged.then(|| excess(&program, root)).flatten()
        });
        let Some(Excess { ceiling, limit }) = wrong else { continue };
        let (at, message) = match ceiling {
            Ceiling::Flag(text) => (
                root.entries().first().map(At::Key),
                format!("the flag `-ingester.wal-replay-memory-ceiling` is {}", Quoted(text)),
            ),
            Ceiling::Setting(node) => {
                (Some(At::Value(node)), format!("`replay_memory_ceiling` is {}", Quoted(written(node))))
            }
            Ceiling::Default => {
                let ingester = root.entry("ingester").or_else(|| root.entries().first());
                let wal = root.get("ingester").and_then(|ingester| ingester.entry("wal"));
                (
                    wal.or(ingester).map(At::Key),
                    format!("`ingester.wal.replay_memory_ceiling` is {DEFAULT}, its default"),
                )
            }
        };
        let Some(at) = at else { continue };
        let bounded = match ceiling {
            Ceiling::Setting(node) if size(written(node)) == Some(0) => "0 is no ceiling, and the container has",
            _ => "expected less than the container's memory limit of",
        };
        file.add(&REPLAY, root, at, message, findings).label(format!("{bounded} {}", Quoted(written(limit)))).help(
            "set `ingester.wal.replay_memory_ceiling` to half of that; at nine tenths of it Loki stores what it has read, and \
             reads on",
        );
    }
}

/// A ceiling that the container does not reach, and what it has instead.
struct Excess<'n> {
    ceiling: Ceiling<'n>,
    limit: &'n Node,
}

/// Who says where the ceiling is. A flag wins.
enum Ceiling<'n> {
    Flag(&'n str),
    Setting(&'n Node),
    Default,
}

/// Whether it has a log to replay.
fn replays(program: &Program<'_>, root: &Node) -> bool {
    let target = program.flag("target").map(|(_, text)| text).or_else(|| root.get("target")?.text());
    let enabled = match program.flag("ingester.wal-enabled") {
        Some((_, text)) => text != "false",
        None => root.at(&["ingester", "wal", "enabled"]).and_then(Node::boolean) != Some(false),
    };
    enabled && target.unwrap_or("all").split(',').any(|target| INGESTING.contains(&target.trim()))
}

fn excess<'n>(program: &Program<'n>, root: &'n Node) -> Option<Excess<'n>> {
    let limit = program.memory_limit()?;
    let most = amount(limit).filter(|most| *most > 0)?;
    let ceiling = match (program.flag("ingester.wal-replay-memory-ceiling"), root.at(&["ingester", "wal"])) {
        (Some((_, text)), _) => Ceiling::Flag(text),
        (None, Some(wal)) => wal.get("replay_memory_ceiling").map_or(Ceiling::Default, Ceiling::Setting),
        (None, None) => Ceiling::Default,
    };
    let own = size(match &ceiling {
        Ceiling::Flag(text) => text,
        Ceiling::Setting(node) => written(node),
        Ceiling::Default => DEFAULT,
    })?;
    (own == 0 || own * BILLION >= most).then_some(Excess { ceiling, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, check};
    use vigil_yaml::Source;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("4GB", Some(4 << 30)),
            ("512mb", Some(512 << 20)),
            ("1 KB", Some(1024)),
            ("1M", Some(1 << 20)),
            ("1073741824", Some(1 << 30)),
            ("0", Some(0)),
            ("10B", Some(10)),
            ("1.5GB", None),
            ("1GiB", None),
            ("GB", None),
            ("", None),
        ] {
            assert_eq!(size(text), expected, "{text}");
        }
    }

    #[test]
    fn ceilings() {
        let of = |image: &str, arguments: &str, memory: &str, config: &str| {
            let text = format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: loki}}\ndata:\n  loki.yaml: |\n    auth_enabled: false\n    {config}\n\
                 ---\napiVersion: v1\nkind: Pod\nmetadata: {{name: loki}}\nspec:\n  containers:\n  - name: loki\n    \
                 image: grafana/{image}\n    args: [-config.file=/etc/loki/loki.yaml, {arguments}]\n    \
                 resources: {{limits: {{{memory}}}}}\n    volumeMounts: [{{name: config, mountPath: /etc/loki}}]\n  \
                 volumes: [{{name: config, configMap: {{name: loki}}}}]\n"
            );
            let report = check(&[Source::new("t", text)], &Options::default());
            report.findings.iter().filter(|finding| finding.rule.id == REPLAY.id).count()
        };
        let wal = |text: &str| format!("ingester: {{wal: {{{text}}}}}");
        for (image, arguments, memory, config, expected) in [
            ("loki:3.7.8", "", "memory: 1Gi", wal("dir: a"), 1),
            ("loki:3.7.8", "", "memory: 1Gi", "common: {}".to_owned(), 1),
            ("loki:2.6.1", "", "memory: 1Gi", wal("replay_memory_ceiling: 512MB"), 0),
            ("loki", "", "memory: 1Gi", wal("replay_memory_ceiling: 1073741824"), 1),
            ("loki:3.7.8", "", "memory: 1Gi", wal("replay_memory_ceiling: 0"), 1),
            ("loki:3.7.8", "", "memory: 8Gi", wal("dir: a"), 0),
            ("loki:3.7.8", "", "cpu: 1", wal("dir: a"), 0),
            ("loki:3.7.8", "", "memory: 1Gi", wal("enabled: false"), 0),
            ("loki:2.2.0", "", "memory: 1Gi", wal("dir: a"), 0),
            ("loki:3.7.8", "-target=querier", "memory: 1Gi", wal("dir: a"), 0),
            ("loki:3.7.8", "'-target=querier,write'", "memory: 1Gi", wal("dir: a"), 1),
            ("loki:3.7.8", "", "memory: 1Gi", "target: read".to_owned(), 0),
            ("loki:3.7.8", "-ingester.wal-enabled=false", "memory: 1Gi", wal("dir: a"), 0),
            ("loki:3.7.8", "-ingester.wal-replay-memory-ceiling=256MB", "memory: 1Gi", wal("dir: a"), 0),
            (
                "loki:3.7.8",
                "-ingester.wal-replay-memory-ceiling=2GB",
                "memory: 1Gi",
                wal("replay_memory_ceiling: 1MB"),
                1,
            ),
            ("promtail:3.5.1", "", "memory: 1Gi", wal("dir: a"), 0),
        ] {
            assert_eq!(of(image, arguments, memory, &config), expected, "{image} {arguments} {memory} {config}");
        }
    }
}
