//! What Loki would refuse.

use super::{Kept, without_volume};
use crate::findings::Findings;
use crate::model::{Loki, Stack};
use crate::units::Duration;

const KEPT: Kept = Kept {
    part: "loki",
    name: "Loki",
    data: "logs",
    changes: "`image`, `retention`, `logLevel`, pod label or memory limit",
};

pub(crate) fn check(loki: &Loki, _stack: &Stack, findings: &mut Findings) {
    if loki.enabled {
        without_volume(&KEPT, &loki.persistence, findings);
    }
    if let Some(retention) = loki.retention.as_ref().filter(|_| loki.enabled) {
        self::retention(retention, findings);
    }
    let outdated = |tag: &str| tag.starts_with("2.") || tag.starts_with("1.");
    if loki.enabled && loki.image.tag().is_some_and(outdated) {
        findings.error(
            &["loki.image"],
            format!(
                "Loki {} cannot read the configuration that is rendered here",
                loki.image.tag().unwrap_or_default()
            ),
            "expected Loki 3",
            "use a 3.x image: its store is tsdb with schema v13, and Grafana's health check needs it",
        );
    }
}

fn retention(retention: &Duration, findings: &mut Findings) {
    if retention.as_hours().is_none_or(|hours| hours < 24) {
        findings.error(
            &["loki.retention"],
            format!("Loki cannot keep log lines for `{retention}`"),
            "expected whole hours, 24h at least",
            "set `loki.retention: 7d` or another whole number of days; leave it empty to keep everything",
        );
    }
}
