//! Data that is kept for a shorter time, or that can be read no more.

use super::{Edit, Effects, Sets};
use crate::change::{Change, Path, Step};
use crate::effect::{Class, Effect};
use crate::object::{Identity, in_namespace, integer, items, text};
use crate::operator;
use crate::workload::MONITORING;
use crate::{Set, embedded};
use serde_json::Value;
use std::time::Duration;
use vigil_forms::{duration, quantity};

pub(super) fn of<'a>(edit: &Edit<'a>, effects: &mut Effects<'a>) {
    for change in edit.real() {
        for inner in std::iter::once(change).chain(&change.inside) {
            if let Some(says) = shortened(inner) {
                effects.of(Effect::new(Class::DataLoss, edit.identity, says), [inner]);
            }
        }
        let periods: Vec<_> = change.inside.iter().filter(|inner| is_of_period(inner)).collect();
        if !periods.is_empty() {
            effects.of(Effect::new(Class::DataLoss, edit.identity, PERIODS), periods);
        }
    }
    if edit.identity.group == MONITORING {
        cut_short(edit, effects);
    }
    claims(edit, effects);
    sizes(edit, effects);
}

const PERIODS: &str = "logs that were written in a period are read as the period says: those from before the change can be read no more; \
                       add a period that starts in the future instead";

/// Periods of Loki's schema that are not in the configuration which takes the place of another one, under another name or as another
/// kind.
pub(super) fn lost_periods(sets: &Sets<'_>, effects: &mut Effects<'_>) {
    let olds: Vec<_> = schemas(sets.before, sets.after).collect();
    for (new, periods) in schemas(sets.after, sets.before) {
        let is_same = |one: &Value, other: &Value| FORMAT.iter().all(|at| one.pointer(at) == other.pointer(at));
        let is_lost = |period: &Value| !periods.iter().any(|it| is_same(it, period));
        let mut here = olds.iter().filter(|(old, _)| old.namespace == new.namespace);
        if here.any(|(_, periods)| periods.iter().any(is_lost)) {
            effects.add(Effect::new(Class::DataLoss, new, PERIODS));
        }
    }
}

/// What says how the lines of a period are stored, and where.
const FORMAT: [&str; 5] = ["/from", "/store", "/object_store", "/schema", "/index/prefix"];

/// The periods of every configuration of Loki that one set has and the other has not.
fn schemas<'a>(set: &'a Set<'_>, other: &'a Set<'_>) -> impl Iterator<Item = (&'a Identity, Vec<Value>)> {
    let of = |(identity, object): (&'a Identity, &&'a Value)| {
        let files = ["data", "stringData"].into_iter().filter_map(|key| Some((key, object.get(key)?.as_object()?)));
        let files = files.flat_map(|(key, files)| files.iter().map(move |(name, value)| (key, name, value)));
        let text = |(key, name, value): (&str, &String, &Value)| {
            let path = Path::default().join(Step::Key(key.to_owned())).join(Step::Key(name.clone()));
            embedded::text(identity, &path, value)
        };
        let mut texts = files.filter_map(text).filter(|text| text.contains("schema_config"));
        let config = texts.find_map(|text| embedded::parse(&text))?;
        Some((identity, items(&config, "/schema_config/configs").to_vec()))
    };
    // Most are in both, and to read their files takes time.
    set.iter().filter(|(identity, _)| !other.contains_key(*identity)).filter_map(of)
}

/// Whether a field says how long data is kept.
fn is_retention(change: &Change) -> bool {
    let name = change.path.names().last().unwrap_or_default().to_lowercase();
    ["retention", "retention_period", "retentionsize", "retention.time", "retention.size"]
        .iter()
        .any(|end| name.ends_with(end))
        || name.starts_with("--retention.resolution")
}

/// That data is deleted because it is kept for a shorter time, or in less room.
fn shortened(change: &Change) -> Option<String> {
    if !is_retention(change) {
        return None;
    }
    let (before, after) = (change.before.as_ref()?.as_str()?, change.after.as_ref()?.as_str()?);
    let value = |text: &str| text.split_once('=').map_or(text, |(_, value)| value).to_owned();
    let (before, after) = (value(before), value(after));
    let is_less = match (time(&before), time(&after)) {
        // None is for ever.
        (Some(before), Some(after)) => (before.is_zero() && !after.is_zero()) || !after.is_zero() && after < before,
        _ => bytes(&after)? < bytes(&before)?,
    };
    let what = if time(&after).is_some() {
        format!("what is older than {after}")
    } else {
        format!("the oldest, above {after}")
    };
    is_less.then(|| format!("{what} is deleted within hours"))
}

fn time(text: &str) -> Option<Duration> {
    duration::prometheus(text).ok()
}

/// A size as Prometheus writes it: `1GiB`, `512MB`, both of 1024.
fn bytes(text: &str) -> Option<i128> {
    let text = text.strip_suffix('B')?;
    let text = text.strip_suffix('i').unwrap_or(text);
    let unit = if text.ends_with(|c: char| c.is_ascii_digit()) { "" } else { "i" };
    quantity::nanos(&format!("{text}{unit}"))
}

/// Whether a change is one of a period of Loki's schema that is there already.
fn is_of_period(change: &Change) -> bool {
    let at = change.path.0.iter().position(|step| *step == Step::Key("schema_config".to_owned()));
    let Some(within) = at.and_then(|at| change.path.0.get(at + 1..)) else { return false };
    // `configs`, the period, and its field; or the period as a whole, unless it is a new one.
    within.first() == Some(&Step::Key("configs".to_owned()))
        && (within.len() > 2 || within.len() == 2 && change.after.is_none())
}

/// A longer time that a size cuts short.
fn cut_short<'a>(edit: &Edit<'a>, effects: &mut Effects<'a>) {
    let Some(change) = edit.real().find(|change| change.path.begins(&["spec", "retention"])) else { return };
    let longer = change.before.as_ref().zip(change.after.as_ref()).and_then(|(before, after)| {
        let (before, after) = (before.as_str()?, after.as_str()?);
        (time(after)? > time(before)?).then_some((before, after))
    });
    let sizes = [edit.before, edit.after].map(|it| text(it, "/spec/retentionSize"));
    let grows = bytes(sizes[0]).zip(bytes(sizes[1])).is_some_and(|(before, after)| after > before);
    let Some((before, after)) = longer.filter(|_| !sizes[1].is_empty() && !grows) else { return };
    let says = format!(
        "`spec.retentionSize` stays {}, and whichever is reached first counts: where the samples of {before} already fill it, \
         {after} keeps none of them longer",
        sizes[1]
    );
    effects.of(Effect::new(Class::Limited, edit.identity, says), [change]);
}

/// Claims that go with the pods that are scaled away.
fn claims<'a>(edit: &Edit<'a>, effects: &mut Effects<'a>) {
    let policy = text(edit.after, "/spec/persistentVolumeClaimRetentionPolicy/whenScaled");
    let pods = [edit.before, edit.after].map(|it| integer(it, "/spec/replicas").unwrap_or(1));
    if policy == "Delete" && pods[1] < pods[0] {
        let says = "`whenScaled: Delete` deletes the claims of the pods that go, and their data";
        effects.of(
            Effect::new(Class::DataLoss, edit.identity, says),
            edit.real().find(|it| it.path.begins(&["spec", "replicas"])),
        );
    }
}

/// Claims that keep their size: a template of claims is for those that are not there yet.
fn sizes<'a>(edit: &Edit<'a>, effects: &mut Effects<'a>) {
    let name = text(edit.after, "/metadata/name");
    for change in edit.real().filter(|change| change.path.names().last() == Some("storage")) {
        let names: Vec<&str> = change.path.names().collect();
        let claim = match (edit.identity.kind.as_str(), names.as_slice()) {
            ("StatefulSet", ["spec", "volumeClaimTemplates", template, "spec", "resources", "requests", _]) => {
                format!("{template}-{name}")
            }
            (_, ["spec", "storage", "volumeClaimTemplate", "spec", "resources", "requests", _]) => {
                operator::claim(edit.after)
            }
            _ => continue,
        };
        let (Some(before), Some(after)) = (&change.before, &change.after) else { continue };
        let (Some(before), Some(size)) = (before.as_str(), after.as_str()) else { continue };
        if quantity::nanos(size) < quantity::nanos(before) {
            let says = "claims that are there keep their size: a claim cannot shrink";
            effects.of(Effect::new(Class::Limited, edit.identity, says), [change]);
            continue;
        }
        let says = "claims that are there keep their size until they are told, where their class allows it \
                    (`allowVolumeExpansion`)";
        let mut effect = Effect::new(Class::Limited, edit.identity, says);
        let pods = integer(edit.before, "/spec/replicas").unwrap_or(1).clamp(0, 9);
        for pod in 0..pods {
            let patch = format!(r#"{{"spec":{{"resources":{{"requests":{{"storage":"{size}"}}}}}}}}"#);
            let namespace = in_namespace(&edit.identity.namespace);
            effect = effect
                .command(format!("kubectl patch persistentvolumeclaim {claim}-{pod}{namespace} --patch '{patch}'"));
        }
        effects.of(effect, [change]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn sizes_of_prometheus() {
        for (text, expected) in
            [("1GiB", Some(1 << 30)), ("1GB", Some(1 << 30)), ("512MB", Some(512 << 20)), ("7B", Some(7)), ("7", None)]
        {
            assert_eq!(bytes(text), expected.map(|it: i128| it * 1_000_000_000), "{text}");
        }
    }

    #[test]
    fn what_is_kept_shorter() {
        let change = |path: &str, before: &str, after: &str| {
            let identity = crate::Identity::of(
                &serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}),
            )
            .unwrap();
            let object = |value: &str| serde_json::json!({ path: Value::from(value) });
            crate::change::changes(&identity, &object(before), &object(after)).remove(0)
        };
        for (path, before, after, is_shorter) in [
            ("retention", "10d", "30d", false),
            ("retention", "30d", "10d", true),
            ("retention_period", "0s", "168h", true),
            ("retention_period", "168h", "0s", false),
            ("retentionSize", "2GiB", "1GiB", true),
            ("--retention.resolution-raw", "--retention.resolution-raw=30d", "--retention.resolution-raw=7d", true),
            ("--retention.resolution-1h", "--retention.resolution-1h=0d", "--retention.resolution-1h=2y", true),
            ("--retention.resolution-5m", "--retention.resolution-5m=30d", "--retention.resolution-5m=0d", false),
            ("retentionSize", "1GiB", "1.5GiB", false),
            ("interval", "30d", "10d", false),
        ] {
            assert_eq!(shortened(&change(path, before, after)).is_some(), is_shorter, "{path} {before} {after}");
        }
    }
}
