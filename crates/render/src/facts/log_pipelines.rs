//! What collectors do with log lines, in the words that Promtail and Alloy have in common: those of Promtail's configuration,
//! which Alloy's blocks and attributes are called by.

use serde_json::{Map, Value, json};
use vigil_stack::model::{Extracted, LogPipeline, LogStage};
use vigil_stack::units::Duration;

/// The stages of all pipelines, one after the other.
pub(super) fn stages(pipelines: &[LogPipeline]) -> Vec<Value> {
    pipelines.iter().flat_map(pipeline).collect()
}

fn pipeline(pipeline: &LogPipeline) -> Vec<Value> {
    let stages: Vec<_> = pipeline.stages.iter().map(stage).collect();
    match &pipeline.selector {
        Some(selector) => vec![json!({ "match": { "selector": selector, "stages": stages } })],
        None => stages,
    }
}

fn stage(stage: &LogStage) -> Value {
    let kinds = json!({
        "multiline": stage.multiline.as_ref().map(|it| said(json!({
            "firstline": it.firstline,
            "max_wait_time": it.max_wait.as_ref().map(Duration::as_go),
            "max_lines": it.max_lines,
        }))),
        "json": stage.json.as_ref().map(|it| said(json!({ "expressions": places(&it.expressions), "source": it.source }))),
        "logfmt": stage.logfmt.as_ref().map(|it| said(json!({ "mapping": places(&it.mapping), "source": it.source }))),
        "regex": stage.regex.as_ref().map(|it| said(json!({ "expression": it.expression, "source": it.source }))),
        "labels": stage.labels.as_ref().map(places),
        "structured_metadata": stage.structured_metadata.as_ref().map(places),
        "drop": stage.drop.as_ref().map(|it| said(json!({
            "source": it.source,
            "value": it.value,
            "expression": it.expression,
            "older_than": it.older_than.as_ref().map(Duration::as_go),
            // The two know different units, and both know bytes.
            "longer_than": it.longer_than.as_ref().map(|size| format!("{:.0}B", size.as_bytes())),
        }))),
        "replace": stage.replace.as_ref().map(|it| said(json!({
            "expression": it.expression,
            "replace": it.replacement.as_ref().map_or("", |text| text.as_str()),
            "source": it.source,
        }))),
        "timestamp": stage.timestamp.as_ref().map(|it| said(json!({
            "source": it.source,
            "format": it.format,
            "location": it.location,
        }))),
        "output": stage.output.as_ref().map(|it| json!({ "source": it.source })),
    });
    said(kinds)
}

/// Names, and where each value is; the name itself where nothing is said.
fn places<Place: ToString>(names: &Extracted<Place>) -> Map<String, Value> {
    let place = |place: &Option<Place>, name: &str| place.as_ref().map_or_else(|| name.to_owned(), ToString::to_string);
    names.iter().map(|(name, at)| (name.to_string(), place(at, name.as_str()).into())).collect()
}

/// The same for a text in which a chart looks for templates: what begins one stands there as text.
pub(super) fn literal(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace("{{", "{{`{{`}}").into(),
        Value::Array(items) => items.into_iter().map(literal).collect(),
        Value::Object(keys) => keys.into_iter().map(|(key, value)| (key, literal(value))).collect(),
        other => other,
    }
}

/// A mapping without what is not said.
fn said(value: Value) -> Value {
    match value {
        Value::Object(keys) => keys.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_take_no_text_for_a_template() {
        assert_eq!(literal(json!({ "a": ["{{x}}", 1], "b": "{x}" })), json!({ "a": ["{{`{{`}}x}}", 1], "b": "{x}" }));
    }
}
