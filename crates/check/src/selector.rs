//! Label selectors, and finding what they select without asking everything.

use crate::fields::items;
use crate::object::Labels;
use std::collections::HashMap;
use std::fmt;
use vigil_forms::selector::{Label, Operator};
use vigil_yaml::Node;

/// A selector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selector<'a> {
    labels: Labels<'a>,
    expressions: &'a [Node],
}

impl<'a> Selector<'a> {
    /// A `LabelSelector`: `matchLabels` and `matchExpressions`.
    pub(crate) fn of(node: &'a Node) -> Self {
        let expressions = items(node, "matchExpressions");
        Self { labels: Labels::of(node.get("matchLabels")), expressions }
    }

    /// Labels alone, as Services have them.
    pub(crate) fn plain(labels: Labels<'a>) -> Self {
        Self { labels, expressions: &[] }
    }

    /// The labels that are asked for.
    pub(crate) fn labels(self) -> Labels<'a> {
        self.labels
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty()
    }

    /// Whether it selects what has these labels. An expression that is none selects, as another rule speaks of it.
    pub(crate) fn selects<'b>(self, label: impl Fn(&str) -> Label<'b>) -> bool {
        self.labels.iter().all(|(key, value)| label(key).may_be(value))
            && self.expressions.iter().all(|expression| {
                let Some(key) = expression.get("key").and_then(Node::text) else { return true };
                operator(expression).is_none_or(|operator| operator.may_match(label(key), values(expression)))
            })
    }

    /// Whether it selects what has these labels and no others.
    pub(crate) fn selects_labels<'b>(self, label: impl Fn(&str) -> Option<&'b str>) -> bool {
        self.selects(|key| Label::of(label(key)))
    }

    /// Labels of which what is selected has at least one, for every part of the selector that says so.
    fn wanted(self) -> impl Iterator<Item = Vec<(&'a str, &'a str)>> {
        let is_in = |node: &&Node| operator(node) == Some(Operator::In);
        self.labels.iter().map(|label| vec![label]).chain(self.expressions.iter().filter(is_in).filter_map(|node| {
            let key = node.get("key")?.text()?;
            Some(values(node).map(|value| (key, value)).collect())
        }))
    }
}

/// In one line, as `kubectl -l` takes it.
impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.labels.iter().map(|(key, value)| format!("{key}={value}"));
        let expressions = self.expressions.iter().map(|expression| {
            let text = |key: &str| expression.get(key).and_then(Node::text).unwrap_or_default();
            match text("operator") {
                "Exists" => text("key").to_owned(),
                "DoesNotExist" => format!("!{}", text("key")),
                operator => {
                    let values: Vec<_> = values(expression).collect();
                    format!("{} {} ({})", text("key"), operator.to_lowercase(), values.join(","))
                }
            }
        });
        f.write_str(&labels.chain(expressions).collect::<Vec<_>>().join(","))
    }
}

/// The operator of an expression, unless that is none: one that compares needs values.
fn operator(expression: &Node) -> Option<Operator> {
    let operator = Operator::parse(expression.get("operator")?.text()?)?;
    let compares = matches!(operator, Operator::In | Operator::NotIn);
    (!compares || !items(expression, "values").is_empty()).then_some(operator)
}

fn values(expression: &Node) -> impl Iterator<Item = &str> {
    items(expression, "values").iter().filter_map(Node::text)
}

/// Things with labels, by namespace and by label.
#[derive(Default)]
pub(crate) struct Labelled<'a> {
    namespaces: HashMap<&'a str, Members<'a>>,
}

#[derive(Default)]
struct Members<'a> {
    all: Vec<usize>,
    by_label: HashMap<&'a str, HashMap<&'a str, Vec<usize>>>,
}

impl<'a> Labelled<'a> {
    /// Adds the thing with this number.
    pub(crate) fn add(&mut self, number: usize, namespace: &'a str, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        let members = self.namespaces.entry(namespace).or_default();
        members.all.push(number);
        for (key, value) in labels {
            members.by_label.entry(key).or_default().entry(value).or_default().push(number);
        }
    }

    /// The namespaces that hold anything.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &'a str> {
        self.namespaces.keys().copied()
    }

    /// Everything in a namespace.
    pub(crate) fn all(&self, namespace: &str) -> &[usize] {
        self.namespaces.get(namespace).map(|members| members.all.as_slice()).unwrap_or_default()
    }

    /// Whether anything in a namespace has a label with this key.
    pub(crate) fn has_key(&self, namespace: &str, key: &str) -> bool {
        self.namespaces.get(namespace).is_some_and(|members| members.by_label.contains_key(key))
    }

    /// Everything in a namespace with this label.
    pub(crate) fn with(&self, namespace: &str, key: &str, value: &str) -> &[usize] {
        let members = self.namespaces.get(namespace);
        let values = members.and_then(|members| members.by_label.get(key));
        values.and_then(|values| values.get(value)).map(Vec::as_slice).unwrap_or_default()
    }

    /// What in a namespace may be selected: all that is, and few others. `varies` tells labels that the cluster sets.
    pub(crate) fn candidates(&self, namespace: &str, selector: Selector<'_>, varies: fn(&str) -> bool) -> Vec<usize> {
        let narrow = selector.wanted().filter(|labels| !labels.iter().any(|(key, _)| varies(key)));
        let sizes = narrow.map(|labels| {
            let size = labels.iter().map(|(key, value)| self.with(namespace, key, value).len()).sum::<usize>();
            (size, labels)
        });
        match sizes.min_by_key(|(size, _)| *size) {
            Some((_, labels)) => {
                labels.iter().flat_map(|(key, value)| self.with(namespace, key, value)).copied().collect()
            }
            None => self.all(namespace).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;
    use vigil_yaml::{Limits, Source};

    #[test]
    fn selectors_select() {
        let of = |key: &str| match key {
            "app" => Label::Is("web"),
            "pod" => Label::Begins("web-"),
            _ => Label::Absent,
        };
        for (text, expected) in [
            ("{}", true),
            ("matchLabels: {app: web}", true),
            ("matchLabels: {app: api}", false),
            ("matchLabels: {app: web, tier: a}", false),
            ("matchLabels: {pod: web-3}", true),
            ("matchLabels: {pod: api-3}", false),
            ("matchExpressions: [{key: app, operator: In, values: [api, web]}]", true),
            ("matchExpressions: [{key: app, operator: In, values: [api]}]", false),
            ("matchExpressions: [{key: app, operator: NotIn, values: [api]}]", true),
            ("matchExpressions: [{key: app, operator: NotIn, values: [web]}]", false),
            ("matchExpressions: [{key: tier, operator: NotIn, values: [web]}]", true),
            ("matchExpressions: [{key: app, operator: Exists}]", true),
            ("matchExpressions: [{key: tier, operator: Exists}]", false),
            ("matchExpressions: [{key: tier, operator: DoesNotExist}]", true),
            ("matchExpressions: [{key: app, operator: DoesNotExist}]", false),
            ("matchExpressions: [{key: app, operator: In, values: []}]", true),
        ] {
            let node = vigil_yaml::read_one(&Source::new("t", text), &Limits::default()).unwrap().unwrap();
            assert_eq!(Selector::of(&node).selects(of), expected, "{text}");
        }
    }

    #[test]
    fn candidates_are_those_of_the_rarest_label() {
        let mut labelled = Labelled::default();
        for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
            labelled.add(number, "n", [("app", name), ("team", "x")].into_iter());
        }
        labelled.add(3, "other", [("app", "a")].into_iter());
        for (text, expected) in [
            ("matchLabels: {team: x, app: b}", vec![1]),
            ("matchLabels: {team: x}", vec![0, 1, 2]),
            ("matchLabels: {hash: '1'}", vec![0, 1, 2]),
            ("matchLabels: {team: z, app: b}", vec![]),
            ("matchExpressions: [{key: app, operator: In, values: [a, c]}]", vec![0, 2]),
            ("{}", vec![0, 1, 2]),
        ] {
            let node = vigil_yaml::read_one(&Source::new("t", text), &Limits::default()).unwrap().unwrap();
            assert_eq!(labelled.candidates("n", Selector::of(&node), |key| key == "hash"), expected, "{text}");
        }
    }
}
