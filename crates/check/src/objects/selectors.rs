//! Label selectors: their syntax, and what they match.

use super::judge::{Judge, QUALIFIED};
use crate::fields::{entries, filled, items};
use crate::object::Labels;
use crate::rule::rules;
use vigil_forms::name;
use vigil_forms::selector::{Label, Operator};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    LABEL "label-syntax" Error Server "labels have valid keys and values"
    SELECTOR "selector-syntax" Error Server "every label selector is valid"
}

/// What the value of a label looks like.
const VALUE: &str = "expected at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends";

/// The keys and values of labels, of `matchLabels` or of a `nodeSelector`.
pub(super) fn labels(judge: &mut Judge<'_, '_>, labels: Option<&Node>) {
    for entry in labels.map(Node::entries).unwrap_or_default() {
        let key = entry.key.text.as_str();
        if !name::is_qualified_name(key) {
            judge.add(&LABEL, entry, format!("{} is no key for a label", Quoted(key))).label(QUALIFIED);
        }
        if let Some(text) = entry.value.text().filter(|text| !name::is_label_value(text)) {
            value(judge, &entry.value, text);
        }
    }
}

fn value(judge: &mut Judge<'_, '_>, node: &Node, text: &str) {
    let finding = judge.add(&LABEL, node, format!("{} is no value for a label", Quoted(text)));
    finding.label(VALUE);
    if text.len() > name::LONGEST_LABEL {
        finding.help(format!("it has {} characters; an annotation may hold more", text.len()));
    }
}

/// A label selector: `matchLabels` and `matchExpressions`.
pub(super) fn selector(judge: &mut Judge<'_, '_>, selector: &Node) {
    labels(judge, selector.get("matchLabels"));
    for expression in items(selector, "matchExpressions") {
        requirement(judge, expression, &Operator::NAMES, true);
    }
}

/// The terms of a node selector.
pub(super) fn node_terms(judge: &mut Judge<'_, '_>, term: &Node, strict: bool) {
    for expression in items(term, "matchExpressions") {
        requirement(judge, expression, &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], strict);
    }
    for expression in items(term, "matchFields") {
        let key = filled(expression, "key");
        if let Some((node, key)) = key.filter(|(_, key)| *key != "metadata.name") {
            judge
                .add(&SELECTOR, node, format!("nodes cannot be selected by the field {}", Quoted(key)))
                .label("expected `metadata.name`");
        }
        operator(judge, expression, &["In", "NotIn"]);
        if let Some(values) = expression.get("values").filter(|values| values.items().len() != 1) {
            judge.add(&SELECTOR, values, "a field is compared with one value").label("expected one value");
        }
    }
}

/// One expression; `strict` if its values must be such as labels have.
fn requirement(judge: &mut Judge<'_, '_>, expression: &Node, operators: &[&str], strict: bool) {
    if let Some(node) = expression.get("key")
        && let Some(key) = node.text().filter(|key| !name::is_qualified_name(key))
    {
        judge.add(&LABEL, node, format!("{} is no key for a label", Quoted(key))).label(QUALIFIED);
    }
    operator(judge, expression, operators);
    let values = items(expression, "values");
    let Some((node, operator)) = filled(expression, "operator") else { return };
    match Operator::parse(operator) {
        Some(Operator::In | Operator::NotIn) if values.is_empty() => {
            judge
                .add(&SELECTOR, node, format!("{} needs values to compare with", Quoted(operator)))
                .label("expected `values:` with one or more beside this");
        }
        Some(Operator::Exists | Operator::DoesNotExist) if !values.is_empty() => {
            judge
                .add(&SELECTOR, node, format!("`values` beside the operator {}", Quoted(operator)))
                .help("remove `values:`, or write `In` or `NotIn`");
        }
        None if matches!(operator, "Gt" | "Lt") && values.len() != 1 => {
            judge
                .add(&SELECTOR, node, format!("{} compares with one value", Quoted(operator)))
                .label("expected `values:` with one value beside this");
        }
        _ => {}
    }
    for node in values.iter().filter(|_| strict) {
        if let Some(text) = node.text().filter(|text| !name::is_label_value(text)) {
            value(judge, node, text);
        }
    }
}

fn operator(judge: &mut Judge<'_, '_>, expression: &Node, operators: &[&str]) {
    let Some(node) = expression.get("operator") else { return };
    let Some(text) = node.text().filter(|text| !operators.contains(text)) else { return };
    let finding = judge.add(&SELECTOR, node, format!("{} is no operator of a selector", Quoted(text)));
    finding.label(format!("expected {}", list(operators, "or")));
    if let Some(name) = nearest(text, operators.iter().copied()) {
        finding.help(format!("write `{name}`"));
    }
}

/// Whether a selector selects nothing in particular.
pub(super) fn is_empty(selector: &Node) -> bool {
    Labels::of(selector.get("matchLabels")).is_empty() && items(selector, "matchExpressions").is_empty()
}

/// What in `selector` keeps it from matching `labels`: an entry of `matchLabels`, or an expression. None when it
/// matches, or when something that another rule speaks of leaves it open.
pub(super) fn mismatch<'n>(selector: &'n Node, labels: Option<&Node>) -> Option<&'n Node> {
    let label = |key: &str| match labels.and_then(|labels| labels.get(key)).filter(|value| !value.is_null()) {
        // One that is no text may be anything.
        Some(value) => value.text().map_or(Label::Begins(""), Label::Is),
        None => Label::Absent,
    };
    // To a server, null is an empty text.
    let wanted = |node: &'n Node| if node.is_null() { Some("") } else { node.text() };
    let differs = |node: &'n Node, key: &str| wanted(node).is_some_and(|wanted| !label(key).may_be(wanted));
    let entries = entries(selector, "matchLabels");
    if let Some(entry) = entries.iter().find(|entry| differs(&entry.value, &entry.key.text)) {
        return Some(&entry.value);
    }
    items(selector, "matchExpressions").iter().find(|expression| {
        let Some((_, key)) = filled(expression, "key") else { return false };
        let operator = filled(expression, "operator").and_then(|(_, operator)| Operator::parse(operator));
        let values = items(expression, "values").iter().filter_map(Node::text);
        operator.is_some_and(|operator| !operator.may_match(label(key), values))
    })
}
