//! Programs that collect log files: one that takes the place of another begins from the beginning.

use super::{Effects, Sets};
use crate::Set;
use crate::effect::{Class, Effect};
use crate::object::{Identity, items, text};
use crate::workload::Workload;
use serde_json::Value;

/// A workload that reads the log files of its nodes.
struct Collector<'a> {
    identity: &'a Identity,
    /// Where on the node it notes how far it has read.
    positions: Vec<&'a str>,
}

/// New collectors beside old ones of another kind or name.
pub(super) fn read_again(sets: &Sets<'_>, effects: &mut Effects<'_>) {
    let (before, after) = (collectors(sets.before), collectors(sets.after));
    for new in after.iter().filter(|new| !sets.before.contains_key(new.identity)) {
        let Some(old) = before.iter().find(|old| !sets.after.contains_key(old.identity)) else { continue };
        let positions = match old.positions.as_slice() {
            [] => "does not share its positions".to_owned(),
            paths => format!("keeps its positions in `{}`, which this one does not read", paths.join("`, `")),
        };
        let says = format!(
            "{} {positions}: every log file that is still there is read again from its beginning, and lines come twice where \
             their labels differ; both send lines until the old one is deleted",
            old.identity.name
        );
        effects.add(Effect::new(Class::DataTwice, new.identity, says));
    }
    for new in after.iter().filter(|new| !new.positions.is_empty()) {
        let Some(old) = before.iter().find(|old| old.identity == new.identity && !old.positions.is_empty()) else {
            continue;
        };
        if old.positions != new.positions {
            let says = format!(
                "its positions move from `{}` to `{}`: every log file that is still there is read again from its beginning",
                old.positions.join("`, `"),
                new.positions.join("`, `")
            );
            effects.add(Effect::new(Class::DataTwice, new.identity, says));
        }
    }
}

fn collectors<'a>(set: &'a Set<'_>) -> Vec<Collector<'a>> {
    let of = |(identity, object): (&'a Identity, &&'a Value)| {
        let workload = Workload::of(identity, object).filter(|_| identity.kind == "DaemonSet")?;
        let paths: Vec<&str> = items(workload.pod, "/volumes").iter().map(|it| text(it, "/hostPath/path")).collect();
        let is_logs = |path: &str| path.starts_with("/var/log") || path.contains("/docker/containers");
        let reads = paths.iter().any(|path| is_logs(path));
        let positions = paths.into_iter().filter(|path| !path.is_empty() && !is_logs(path) && *path != "/").collect();
        reads.then_some(Collector { identity, positions })
    };
    set.iter().filter_map(of).collect()
}
