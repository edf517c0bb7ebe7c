//! What Alloy could not do.

use super::promtail::outputs;
use super::{journal, log_pipelines};
use crate::findings::Findings;
use crate::model::{Alloy, EVENT_LABELS, Stack};

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
    let mut labels = log_pipelines::labels_of_journal(&alloy.journal);
    if alloy.events.enabled {
        labels.extend(EVENT_LABELS);
    }
    log_pipelines::check("alloy", &alloy.pipelines, &labels, stack, findings);
    let namespaces = &alloy.events.namespaces;
    for (at, namespace) in namespaces.iter().enumerate().filter(|(at, namespace)| namespaces[..*at].contains(namespace))
    {
        findings.error(
            &[&format!("alloy.events.namespaces.{at}")],
            format!("the namespace `{namespace}` stands twice"),
            "its Events would be carried twice",
            "remove one of the two",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn events_are_carried_once() {
        const SELECTED: &str = r#"pipelines: [{selector: '{type="Normal"}', stages: [{drop: {source: type}}]}]"#;
        for (alloy, message) in [
            ("events: {enabled: true, namespaces: [a, b]}".to_owned(), None),
            ("events: {enabled: true, namespaces: [a, b, a]}".to_owned(), Some("the namespace `a` stands twice")),
            (format!("events: {{enabled: true}}, {SELECTED}"), None),
            (SELECTED.to_owned(), Some("no line has the label `type` here, so none is selected")),
        ] {
            let text = format!("promtail: {{enabled: false}}\nalloy: {{enabled: true, {alloy}}}\n");
            let found = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
            let found: Vec<_> = found.into_iter().map(|problem| problem.message).take(1).collect();
            assert_eq!(found, Vec::from_iter(message.map(str::to_owned)), "{alloy}");
        }
    }
}
