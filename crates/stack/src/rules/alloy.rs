//! What Alloy could not do.

use super::promtail::outputs;
use super::{journal, log_pipelines};
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
    outputs("alloy", "Alloy", &alloy.outputs, stack, findings);
    journal::check("alloy", &alloy.journal, stack, findings);
    log_pipelines::check("alloy", &alloy.pipelines, &alloy.journal, stack, findings);
}
