//! Label selectors: what monitors, rules and Services ask for.

use vigil_yaml::Node;

/// Whether labels, asked for by key, fulfil a `LabelSelector`. One that says nothing is fulfilled by all.
pub(crate) fn selects<'l>(selector: &Node, label: impl Fn(&str) -> Option<&'l str>) -> bool {
    let labels = selector.get("matchLabels").map(Node::entries).unwrap_or_default();
    let equal = labels.iter().all(|entry| match entry.value.text() {
        Some(value) => label(&entry.key.text) == Some(value),
        // No text: the schema rules speak of it.
        None => label(&entry.key.text).is_some(),
    });
    let expressions = selector.get("matchExpressions").map(Node::items).unwrap_or_default();
    equal
        && expressions.iter().all(|expression| {
            let Some(key) = expression.get("key").and_then(Node::text) else { return true };
            let listed = || {
                let values = expression.get("values").map(Node::items).unwrap_or_default();
                label(key).is_some_and(|value| values.iter().any(|item| item.text() == Some(value)))
            };
            match expression.get("operator").and_then(Node::text) {
                Some("In") => listed(),
                Some("NotIn") => !listed(),
                Some("Exists") => label(key).is_some(),
                Some("DoesNotExist") => label(key).is_none(),
                _ => true,
            }
        })
}

/// A selector in one line, as `kubectl -l` takes it.
pub(crate) fn shown(selector: &Node) -> String {
    let mut parts = Vec::new();
    for entry in selector.get("matchLabels").map(Node::entries).unwrap_or_default() {
        parts.push(format!("{}={}", entry.key.text, entry.value.text().unwrap_or_default()));
    }
    for expression in selector.get("matchExpressions").map(Node::items).unwrap_or_default() {
        let text = |key: &str| expression.get(key).and_then(Node::text).unwrap_or_default();
        let values = expression.get("values").map(Node::items).unwrap_or_default();
        let values: Vec<_> = values.iter().filter_map(Node::text).collect();
        parts.push(match text("operator") {
            "Exists" => text("key").to_owned(),
            "DoesNotExist" => format!("!{}", text("key")),
            operator => format!("{} {} ({})", text("key"), operator.to_lowercase(), values.join(",")),
        });
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_yaml::{Limits, Source, read_one};

    #[test]
    fn selectors() {
        let labels = [("app", "web"), ("tier", "front")];
        let label = |key: &str| labels.iter().find(|(found, _)| *found == key).map(|(_, value)| *value);
        for (text, expected) in [
            ("{}", true),
            ("{matchLabels: {}}", true),
            ("{matchLabels: {app: web}}", true),
            ("{matchLabels: {app: web, tier: back}}", false),
            ("{matchLabels: {other: web}}", false),
            ("{matchExpressions: [{key: app, operator: In, values: [api, web]}]}", true),
            ("{matchExpressions: [{key: app, operator: In, values: [api]}]}", false),
            ("{matchExpressions: [{key: none, operator: NotIn, values: [api]}]}", true),
            ("{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}", false),
            ("{matchExpressions: [{key: tier, operator: Exists}]}", true),
            ("{matchExpressions: [{key: none, operator: Exists}]}", false),
            ("{matchExpressions: [{key: tier, operator: DoesNotExist}]}", false),
            ("{matchLabels: {app: web}, matchExpressions: [{key: none, operator: DoesNotExist}]}", true),
        ] {
            let node = read_one(&Source::new("t", text), &Limits::default()).unwrap().unwrap();
            assert_eq!(selects(&node, label), expected, "{text}");
        }
    }
}
