use super::parts::located;
use crate::finding::Finding;
use crate::outcome::Report;
use serde_json::{Value, json};
use vigil_yaml::Severity;

/// The report as one JSON object; docs/checks.md describes it. Keys are added, and never change their meaning.
pub fn json(report: &Report) -> Value {
    let waived = report.waived.iter().map(|waived| {
        let mut value = finding(&waived.finding);
        value["reason"] = waived.reason.as_str().into();
        value
    });
    json!({
        "objects": report.objects.len(),
        "kubernetes": report.kubernetes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "referencesFollowed": report.followed,
        "counts": {
            "errors": report.count(Severity::Error),
            "warnings": report.count(Severity::Warning),
            "notes": report.count(Severity::Note),
            "waived": report.waived.len(),
        },
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "waived": waived.collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    let (file, region) = located(finding);
    json!({
        "rule": finding.rule.id,
        "severity": finding.severity().name(),
        "message": finding.message,
        "expected": finding.label,
        "help": finding.help,
        "file": file,
        "line": region.as_ref().map(|region| region.line),
        "column": region.as_ref().map(|region| region.column),
        "endColumn": region.as_ref().map(|region| region.end_column),
        "object": finding.object,
        "path": finding.path,
        "template": finding.template.as_deref(),
    })
}
