//! What a change does, told to people and to programs.

mod group;
mod html;
mod json;
mod markdown;
mod text;

pub use html::{escaped, html, prose};
pub use json::json;
pub use markdown::markdown;
pub use text::text;

use crate::effect::Class;
use crate::{Diff, Field};
use vigil_yaml::words::counted;

/// The line that says it all: `1 refused, 1 data lost; 2 objects changed, 1 new`.
pub fn summary(diff: &Diff) -> String {
    if diff.is_empty() {
        return "no object differs".to_owned();
    }
    let mut objects = Vec::new();
    for (count, verb) in [(diff.changed.len(), "changed"), (diff.added.len(), "new"), (diff.gone.len(), "gone")] {
        match (count, objects.is_empty()) {
            (0, _) => {}
            (_, true) => objects.push(format!("{} {verb}", counted(count, "object"))),
            (_, false) => objects.push(format!("{count} {verb}")),
        }
    }
    let risks = risks(diff);
    let risks = if risks.is_empty() { "nothing refused, lost, opened or restarted" } else { &risks };
    format!("{risks}; {}", objects.join(", "))
}

/// What there is to fear, and of how many objects; empty for nothing: `refused 1, data lost 1`.
pub fn risks(diff: &Diff) -> String {
    let risks = Class::ALL.into_iter().take_while(|class| *class < Class::New).filter_map(|class| {
        let objects: std::collections::BTreeSet<_> = diff.of(class).map(|effect| &effect.object).collect();
        (!objects.is_empty()).then(|| format!("{} {}", class.short(), objects.len()))
    });
    risks.collect::<Vec<_>>().join(", ")
}

/// `spec.retention: 10d -> 30d`.
fn field(field: &Field) -> String {
    let Field { path, before, after } = field;
    match (before, after) {
        (Some(before), Some(after)) => format!("{path}: {before} -> {after}"),
        (None, Some(after)) => format!("{path}: {after}"),
        (Some(before), None) => format!("{path}: {before} -> nothing"),
        (None, None) => path.clone(),
    }
}

/// A text without what would steer a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
