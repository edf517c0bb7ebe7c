//! How much of its container's memory a program may use itself.
//!
//! The kernel kills a container at its limit, and asks nobody before. What a program can bound by itself is bounded
//! below that here, from the limit alone, so that whoever raises the limit raises all of it.

use serde_json::{Value, json};
use vigil_stack::model::Resources;

const MIB: u64 = 1 << 20;

/// The memory limit in bytes; none without one. `0` is none, too.
fn limit(resources: &Resources) -> Option<u64> {
    let bytes = resources.limits.memory.as_ref()?.as_thousandths() / 1000.0;
    // Go counts in signed 64 bits. The rest of a byte is nothing, and the cast cuts it off.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, and not negative")]
    (1.0..2_f64.powi(63)).contains(&bytes).then_some(bytes as u64)
}

/// `GOMEMLIMIT` for a program of Go: nine tenths of the limit, as Prometheus and Grafana Alloy take for themselves; the
/// rest is for what the runtime does not count, such as stacks of C and files in memory. `off`, Go's own default,
/// without a limit.
pub(super) fn go_limit(resources: &Resources) -> String {
    match limit(resources).map(|limit| limit / 10 * 9) {
        Some(bytes) if bytes >= 10 * MIB => format!("{}MiB", bytes / MIB),
        Some(bytes) => format!("{bytes}B"),
        None => "off".to_owned(),
    }
}

/// What Loki may use, in its own words, where an `MB` has 1024 times 1024 bytes. `null` without a limit: its defaults.
///
/// - `replayCeiling`: half. It counts the log lines alone; the streams that they are in, and what is being stored at
///   that moment, come on top.
/// - `chunkCache`: a tenth, and `resultCache`: a fortieth for each of the caches of results, of which four are on: of
///   index statistics, volumes, series and labels. Each of the five would take 100 MB, whatever the container has
///   (`applyEmbeddedCacheConfig` in its pkg/loki/config_wrapper.go, which also gives all of them the size of one).
pub(super) fn loki(resources: &Resources) -> Value {
    let Some(limit) = limit(resources) else { return Value::Null };
    json!({
        "replayCeiling": format!("{}MB", (limit / 2 / MIB).max(1)),
        "chunkCache": (limit / 10 / MIB).max(1),
        "resultCache": (limit / 40 / MIB).max(1),
    })
}

/// What the store of Thanos may keep: `indexCache`, an eighth, and `chunkPool`, a quarter, the most that the chunks of all
/// queries at one moment may take. `null` without a limit: its defaults, 250 MB and 2 GB.
pub(super) fn thanos_store(resources: &Resources) -> Value {
    let Some(limit) = limit(resources) else { return Value::Null };
    json!({
        "indexCache": format!("{}MiB", (limit / 8 / MIB).max(1)),
        "chunkPool": format!("{}MiB", (limit / 4 / MIB).max(1)),
    })
}

/// How many megabytes a cache may hold of what its container has: the rest is for connections and what keys take.
pub(super) fn cache(resources: &Resources) -> u64 {
    limit(resources).map_or(64, |limit| (limit / 10 * 8 / MIB).max(1))
}

/// How many bytes of answers may be kept: a quarter of the limit, and 128 MiB without one.
pub(super) fn answers(resources: &Resources) -> String {
    format!("{}MiB", limit(resources).map_or(128, |limit| (limit / 4 / MIB).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_stack::model::ResourceAmounts;

    fn resources(memory: Option<&str>) -> Resources {
        let memory = memory.map(|text| text.parse().unwrap());
        Resources { limits: ResourceAmounts { memory, cpu: None }, ..Resources::default() }
    }

    #[test]
    fn everything_is_below_the_limit() {
        for (memory, go, ceiling, chunks, results) in [
            ("1Gi", "921MiB", "512MB", 102, 25),
            ("4Gi", "3686MiB", "2048MB", 409, 102),
            ("256Mi", "230MiB", "128MB", 25, 6),
            ("1G", "858MiB", "476MB", 95, 23),
            ("11Mi", "10380897B", "5MB", 1, 1),
            ("1", "0B", "1MB", 1, 1),
        ] {
            let resources = resources(Some(memory));
            let expected = json!({ "replayCeiling": ceiling, "chunkCache": chunks, "resultCache": results });
            assert_eq!((go_limit(&resources).as_str(), loki(&resources)), (go, expected), "{memory}");
        }
        let two = resources(Some("2Gi"));
        let expected = json!({ "indexCache": "256MiB", "chunkPool": "512MiB" });
        assert_eq!((thanos_store(&two), answers(&two).as_str()), (expected, "512MiB"));
        assert_eq!((cache(&two), cache(&resources(None))), (1638, 64));
        for none in [None, Some("0"), Some("99E")] {
            let resources = resources(none);
            assert_eq!((go_limit(&resources).as_str(), loki(&resources)), ("off", Value::Null), "{none:?}");
            assert_eq!((thanos_store(&resources), answers(&resources).as_str()), (Value::Null, "128MiB"), "{none:?}");
        }
    }
}
