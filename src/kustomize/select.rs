//! What patches and replacements select objects by. Source: `api/types/selector.go` of sigs.k8s.io/kustomize.

use super::Wrong;
use super::resource::{Id, Resource};
use regex::Regex;
use serde_json::Value;
use vigil_forms::selector::selects;
use vigil_yaml::{Node, Problem, Quoted};

/// Expressions for what an object is called, and selectors of its labels and annotations; what is not said is any.
pub(super) struct Selector<'a> {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: &'a str,
    annotations: &'a str,
}

impl<'a> Selector<'a> {
    pub(super) fn read(node: &'a Node) -> Result<Self, Wrong> {
        let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
        for key in ["labelSelector", "annotationSelector"] {
            if selects(text(key), |_| None).is_none() {
                return Err(wrong(
                    node,
                    key,
                    text(key),
                    "is no selector",
                    "write it as `kubectl -l` takes it: `app=web`",
                ));
            }
        }
        let expression = |key: &str| expression(node, key, text(key));
        Ok(Self {
            group: expression("group")?,
            version: expression("version")?,
            kind: expression("kind")?,
            name: expression("name")?,
            namespace: expression("namespace")?,
            labels: text("labelSelector"),
            annotations: text("annotationSelector"),
        })
    }

    /// Whether an object is selected, by what it is or was first called.
    pub(super) fn selects(&self, resource: &Resource) -> bool {
        let (now, first) = (resource.id(), resource.original());
        (self.is_in(&now) || self.is_in(&first))
            && (is(self.name.as_ref(), &now.name) || is(self.name.as_ref(), &first.name))
            && is(self.kind.as_ref(), resource.kind())
            && self.is_api(resource)
            && self.is_marked(resource)
    }

    /// Whether all of it is true of one thing that an object is or was called, as replacements select.
    pub(super) fn selects_any(&self, resource: &Resource) -> bool {
        self.is_called(resource) && self.is_marked(resource)
    }

    fn is_called(&self, resource: &Resource) -> bool {
        let named = |id: Id| self.is_in(&id) && is(self.name.as_ref(), &id.name) && is(self.kind.as_ref(), &id.kind);
        self.is_api(resource) && resource.ids().any(named)
    }

    /// Whether an object is one that a target leaves out: by what it is called, or by what is written on it.
    pub(super) fn rejects(&self, resource: &Resource) -> bool {
        let expressions = [&self.group, &self.version, &self.kind, &self.name, &self.namespace];
        let is_marked = !(self.labels.is_empty() && self.annotations.is_empty()) && self.is_marked(resource);
        is_marked || expressions.iter().any(|expression| expression.is_some()) && self.is_called(resource)
    }

    fn is_in(&self, id: &Id) -> bool {
        is(self.namespace.as_ref(), id.namespace.as_deref().unwrap_or("_non_namespaceable_"))
    }

    fn is_api(&self, resource: &Resource) -> bool {
        let (group, version) = resource.group_version();
        is(self.group.as_ref(), group) && is(self.version.as_ref(), version)
    }

    fn is_marked(&self, resource: &Resource) -> bool {
        [("labels", self.labels), ("annotations", self.annotations)].into_iter().all(|(key, selector)| {
            let marks = resource.value["metadata"].get(key);
            selects(selector, |name| marks.and_then(|marks| marks.get(name)).and_then(Value::as_str)) == Some(true)
        })
    }
}

fn is(wanted: Option<&Regex>, own: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.is_match(own))
}

/// An expression that matches a whole text; none where nothing is said.
fn expression(node: &Node, key: &str, text: &str) -> Result<Option<Regex>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let why = match vigil_forms::regex::go(&format!("^(?:{text})$")) {
        Ok(expression) => match Regex::new(&expression.rust) {
            Ok(regex) => return Ok(Some(regex)),
            Err(error) => error.to_string(),
        },
        Err(why) => why.to_string(),
    };
    Err(wrong(
        node,
        key,
        text,
        &format!("is no expression: {why}"),
        "correct it: `name` and the like are regular expressions",
    ))
}

fn wrong(node: &Node, key: &str, text: &str, why: &str, remedy: &str) -> Wrong {
    let span = node.get(key).map_or(&node.span, |value| &value.span);
    Box::new(Problem::error(format!("{} {why}", Quoted(text)), span.clone()).help(remedy))
}
