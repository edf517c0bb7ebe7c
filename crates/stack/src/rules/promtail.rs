//! What Promtail could not do, and that its time is over.

use super::{journal, log_pipelines, one_header};
use crate::findings::Findings;
use crate::model::{LogOutput, Promtail, Stack};

pub(crate) fn check(promtail: &Promtail, stack: &Stack, findings: &mut Findings) {
    if !promtail.enabled {
        return;
    }
    outputs("promtail", "Promtail", &promtail.outputs, stack, findings);
    journal::check("promtail", &promtail.journal, stack, findings);
    let labels = log_pipelines::labels_of_journal(&promtail.journal);
    log_pipelines::check("promtail", &promtail.pipelines, &labels, stack, findings);
    findings.warning(
        &["promtail"],
        "Promtail reached its end of life on 2026-03-02",
        "no more fixes, not even for security",
        "move to Grafana Alloy, its successor: set `alloy.enabled: true` and `promtail.enabled: false`",
    );
}

/// Where a collector sends log lines, by its key and name: to the stack's own Loki, to others, or to nobody.
pub(super) fn outputs(part: &str, name: &str, outputs: &[LogOutput], stack: &Stack, findings: &mut Findings) {
    if !stack.loki.enabled && outputs.is_empty() {
        findings.error(
            &[&format!("{part}.enabled"), "loki.enabled"],
            format!("{name} has no Loki to send to"),
            &format!("`{part}.enabled` is `true`, and `loki.enabled` is `false`"),
            &format!("enable Loki, disable {name}, or name another Loki in `{part}.outputs`"),
        );
    }
    for (at, output) in outputs.iter().enumerate() {
        let path = format!("{part}.outputs.{at}");
        one_header(&path, output.basic_auth.is_some(), output.authorization.is_some(), findings);
        if outputs[..at].contains(output) {
            findings.error(
                &[&path],
                format!("a Loki stands twice in `{part}.outputs`"),
                "every line would be sent twice",
                "remove one of the two",
            );
        }
        if output.url.path().is_empty() {
            findings.warning(
                &[&format!("{path}.url")],
                "the address of a Loki has no path",
                "lines are sent to it as it is written",
                "write it whole, such as `https://logs.example.com/loki/api/v1/push`",
            );
        }
    }
}
