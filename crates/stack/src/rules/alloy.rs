//! What Alloy could not do.

use crate::findings::Findings;
use crate::model::{Alloy, Stack};

pub(crate) fn check(alloy: &Alloy, stack: &Stack, findings: &mut Findings) {
    if !alloy.enabled {
        return;
    }
    if stack.promtail.enabled {
        findings.error(
            &["promtail.enabled", "alloy.enabled", "promtail"],
            "Promtail and Alloy both carry the logs of all pods to Loki",
            "every line would be stored twice",
            "set `promtail.enabled: false`, which is `true` unless you say otherwise, or `alloy.enabled: false`",
        );
    }
    if !stack.loki.enabled {
        findings.error(
            &["alloy.enabled", "loki.enabled"],
            "Alloy has no Loki to send to",
            "`alloy.enabled` is `true`, and `loki.enabled` is `false`",
            "enable Loki, or disable Alloy",
        );
    }
}
