use super::parts::{located, message};
use crate::finding::Finding;
use crate::outcome::Report;
use crate::rule::Rule;
use serde_json::{Value, json};
use std::fmt::Write as _;
use vigil_yaml::Severity;

/// The report as SARIF 2.1.0, which code hosts read; `version` is the program's.
/// <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>
pub fn sarif(report: &Report, version: &str) -> Value {
    let areas = crate::areas();
    let rules: Vec<(&str, &Rule)> =
        areas.iter().flat_map(|(area, rules)| rules.iter().map(|rule| (*area, *rule))).collect();
    let mut results: Vec<Value> = report.findings.iter().map(|finding| result(finding, &rules)).collect();
    for waived in &report.waived {
        let mut result = result(&waived.finding, &rules);
        let kind = if waived.in_object { "inSource" } else { "external" };
        result["suppressions"] = json!([{ "kind": kind, "justification": waived.reason }]);
        results.push(result);
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "vigil",
                "version": version,
                "rules": rules.iter().map(|(area, rule)| describe(area, rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn describe(area: &str, rule: &Rule) -> Value {
    let why = rule.why.trim();
    let example = format!(
        "{why}\n\nThis breaks it:\n\n```yaml\n{}```\n\nThis does not:\n\n```yaml\n{}```\n",
        rule.fail, rule.pass
    );
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": why },
        "help": { "text": why, "markdown": example },
        "defaultConfiguration": { "level": rule.severity.name() },
        "properties": {
            "tags": [area],
            "problem.severity": if rule.severity == Severity::Note { "recommendation" } else { rule.severity.name() },
        },
    })
}

fn result(finding: &Finding, rules: &[(&str, &Rule)]) -> Value {
    let (file, region) = located(finding);
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if let Some(region) = region {
        physical["region"] =
            json!({ "startLine": region.line, "startColumn": region.column, "endColumn": region.end_column });
    }
    let mut location = json!({ "physicalLocation": physical });
    if let Some(object) = &finding.object {
        let mut logical = json!({ "name": object, "kind": "object" });
        if !finding.path.is_empty() {
            logical["fullyQualifiedName"] = format!("{object}: {}", finding.path).into();
        }
        location["logicalLocations"] = json!([logical]);
    }
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": finding.severity().name(),
        "message": { "text": message(finding) },
        "locations": [location],
        // What stays the same when the lines above it change, so that a code host knows the finding again.
        "partialFingerprints": {
            "objectPath/v1": format!("{}|{}|{}", finding.object.as_deref().unwrap_or(file), finding.path, finding.message),
        },
    });
    if let Some(index) = rules.iter().position(|(_, rule)| rule.id == finding.rule.id) {
        result["ruleIndex"] = index.into();
    }
    if let Some(template) = &finding.template {
        result["relatedLocations"] = json!([{
            "message": { "text": "the template it comes from" },
            "physicalLocation": { "artifactLocation": { "uri": uri(template) } },
        }]);
    }
    result
}

/// A path as a URI: relative stays relative, and what a URI does not take is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri += "file://";
    }
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            // Writing to a String cannot fail.
            byte => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        for (path, expected) in [
            ("manifests/loki/service.yaml", "manifests/loki/service.yaml"),
            ("./a b.yaml", "a%20b.yaml"),
            ("/tmp/ä#?.yaml", "file:///tmp/%C3%A4%23%3F.yaml"),
            ("<stdin>", "%3Cstdin%3E"),
            ("a:b", "a%3Ab"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
