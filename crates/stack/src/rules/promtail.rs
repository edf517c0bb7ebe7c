//! What Promtail could not do, and that its time is over.

use crate::findings::Findings;
use crate::model::{Promtail, Stack};

pub(crate) fn check(promtail: &Promtail, stack: &Stack, findings: &mut Findings) {
    if !promtail.enabled {
        return;
    }
    if !stack.loki.enabled {
        findings.error(
            &["promtail.enabled", "loki.enabled"],
            "Promtail has no Loki to send to",
            "`promtail.enabled` is `true`, and `loki.enabled` is `false`",
            "enable Loki, or disable Promtail",
        );
    }
    findings.warning(
        &["promtail"],
        "Promtail reached its end of life on 2026-03-02",
        "no more fixes, not even for security",
        "move to Grafana Alloy, its successor: set `alloy.enabled: true` and `promtail.enabled: false`",
    );
}
