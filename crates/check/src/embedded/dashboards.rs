//! The queries of dashboards, wherever they stand: panels, rows, annotations, variables, elements of the second schema, and
//! panels of a library.

use super::file::{File, Where, has};
use super::grafana::{Dashboard, Loaded};
use super::query::{Queries, Query};
use super::syntax::Read;
use crate::fields::{items, text};
use crate::object::Object;
use vigil_yaml::{Data, Node};

/// The group of Grafana's own API, whose objects hold a dashboard below `spec`.
const API: &str = "dashboard.grafana.app/";

/// Whether a document is a dashboard, or a panel of a library.
pub(super) fn is_dashboard(root: &Node) -> bool {
    let is_served = || text(root, "apiVersion").is_some_and(|version| version.starts_with(API));
    has(root, "schemaVersion")
        || (has(root, "panels") || has(root, "rows")) && has(root, "title")
        || has(root, "templating")
        || is_served() && has(root, "spec")
        || root.get("model").is_some_and(|model| has(model, "targets"))
        || root.get("dashboard").is_some_and(|inner| has(inner, "panels"))
}

/// The dashboards in `read` that nobody in the set is known to load.
pub(super) fn unloaded<'r, 'f, 'a>(
    read: &'r [Read<'f, 'a>],
    loaded: &[Loaded<'r, 'f, 'a>],
) -> Vec<Dashboard<'r, 'f, 'a>> {
    let is_loaded = |root: &Node| loaded.iter().flat_map(|it| &it.dashboards).any(|it| std::ptr::eq(it.root, root));
    // A Secret holds no dashboard but by mistake.
    let files = read.iter().filter(|read| read.file.object.kind != "Secret");
    let roots = files.flat_map(|Read { file, documents }| documents.iter().map(move |root| Dashboard { file, root }));
    roots.filter(|it| is_dashboard(it.root) && !is_loaded(it.root)).collect()
}

/// Adds the queries of a dashboard that surely ask a Prometheus or a Loki.
pub(super) fn queries<'w, 'r: 'w, 'f: 'w, 'a>(
    loaded: Option<&'w Loaded<'r, 'f, 'a>>,
    dashboard: &Dashboard<'r, 'f, 'a>,
    queries: &mut Queries<'w, 'a>,
) {
    let walk = Walk { loaded, file: dashboard.file, root: dashboard.root };
    walk.node(dashboard.root, Source::Unsaid, queries);
}

/// Whom a query asks.
#[derive(Clone, Copy)]
enum Source<'n> {
    /// Nobody says: the data source that is the default.
    Unsaid,
    /// As a panel names it.
    Named(&'n Node),
    /// By its kind.
    Kind(&'n str),
}

struct Walk<'l, 'w, 'r, 'f, 'a> {
    loaded: Option<&'l Loaded<'r, 'f, 'a>>,
    file: &'w File<'a>,
    root: &'w Node,
}

impl<'w, 'a> Walk<'_, 'w, '_, '_, 'a> {
    fn node(&self, node: &'w Node, source: Source<'w>, queries: &mut Queries<'w, 'a>) {
        match &node.data {
            Data::Scalar(_) => {}
            Data::List(list) => list.iter().for_each(|item| self.node(item, source, queries)),
            Data::Map(entries) => {
                let named = node.get("datasource").filter(|named| !named.is_null());
                let source = asked(node).map(Source::Kind).or(named.map(Source::Named)).unwrap_or(source);
                let is_variable = text(node, "type") == Some("query") || asked(node).is_some();
                for entry in entries {
                    let value = &entry.value;
                    match entry.key.text.as_str() {
                        "expr" => self.add(value, value.text(), source, queries),
                        "query" | "spec" if is_variable && value.text().is_some() => {
                            self.add(value, value.text().and_then(expression), source, queries);
                        }
                        "query" | "spec" if is_variable => {
                            if let Some(inner) = value.get("query").filter(|inner| inner.text().is_some()) {
                                self.add(inner, inner.text().and_then(expression), source, queries);
                            }
                            self.node(value, source, queries);
                        }
                        // What is asked for when somebody imports it.
                        "__inputs" => {}
                        _ => self.node(value, source, queries),
                    }
                }
            }
        }
    }

    fn add(&self, node: &'w Node, text: Option<&'w str>, source: Source<'w>, queries: &mut Queries<'w, 'a>) {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return };
        let queries = match self.kind(source) {
            Some("prometheus") => &mut queries.prometheus,
            Some("loki") => &mut queries.loki,
            _ => return,
        };
        let place = Where::File(self.file, self.root);
        queries.push(Query { text, node, place, variables: true, rule: None, interval: None });
    }

    /// The kind of a data source, if it is known.
    fn kind<'n>(&'n self, source: Source<'n>) -> Option<&'n str> {
        let source = match source {
            Source::Kind(kind) => return Some(kind),
            Source::Unsaid => return self.loaded?.default_kind(),
            Source::Named(source) => source,
        };
        if let Some(kind) = text(source, "type") {
            return Some(kind);
        }
        let name = source.get("uid").unwrap_or(source).text()?;
        if let Some(source) = self.loaded.and_then(|loaded| loaded.source(name)) {
            return Some(source.kind);
        }
        let Some(name) = variable(name) else {
            // Of what was made in the browser, nothing but its name is known.
            let lower = name.to_ascii_lowercase();
            let is_prometheus = lower.contains("prometheus") || lower == "prom";
            return if is_prometheus { Some("prometheus") } else { lower.contains("loki").then_some("loki") };
        };
        let variables = items(self.root, ["templating", "list"]).iter();
        let mut variables = variables.filter(|variable| text(variable, "type") == Some("datasource"));
        variables.find(|variable| text(variable, "name") == Some(name)).and_then(|variable| text(variable, "query"))
    }
}

/// The kind of data source that a query of the second schema asks: `{kind: DataQuery, group: prometheus, spec: …}`, or
/// `{kind: prometheus, spec: …}` of its first version.
fn asked(node: &Node) -> Option<&str> {
    node.get("spec")?;
    match text(node, "kind")? {
        "DataQuery" => text(node, "group"),
        kind @ ("prometheus" | "loki") => Some(kind),
        _ => None,
    }
}

/// The name of a variable: `$name`, `${name}` or `[[name]]`.
fn variable(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("[[").and_then(|inner| inner.strip_suffix("]]"));
    let inner = inner.or_else(|| text.strip_prefix("${").and_then(|inner| inner.strip_suffix('}')));
    inner.or_else(|| text.strip_prefix('$'))
}

/// The expression in the query of a variable: `label_values(EXPRESSION, label)`, `query_result(EXPRESSION)`, or one alone.
/// `metric_find_query.ts` of Grafana's data source for Prometheus.
fn expression(text: &str) -> Option<&str> {
    let text = text.trim();
    let inner = |function: &str| text.strip_prefix(function)?.trim_start().strip_prefix('(')?.strip_suffix(')');
    if text.starts_with("label_values") {
        let (expression, label) = inner("label_values")?.rsplit_once(',')?;
        let label = label.trim();
        let is_label = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "_$".contains(c));
        return is_label.then(|| expression.trim());
    }
    if text.starts_with("query_result") {
        return inner("query_result").map(str::trim);
    }
    let is_other = ["metrics(", "label_names", "{"].iter().any(|start| text.starts_with(start));
    (!is_other && text.contains('{')).then_some(text)
}

/// Whether an object is a dashboard of Grafana's operator.
pub(super) fn is_operated(object: &Object<'_>) -> bool {
    object.is("grafana.integreatly.org", "GrafanaDashboard")
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn queries_of_variables() {
        for (text, expected) in [
            ("label_values(up{job=~\"a, b\"}, job)", Some("up{job=~\"a, b\"}")),
            ("label_values(job)", None),
            ("label_values(up, $label)", Some("up")),
            ("query_result(sum(rate(x[5m])))", Some("sum(rate(x[5m]))")),
            ("query_result(sum(rate(x[5m]))", Some("sum(rate(x[5m])")),
            ("metrics(node_.*)", None),
            ("label_names()", None),
            ("up{job=\"a\"}", Some("up{job=\"a\"}")),
            ("up", None),
            ("", None),
        ] {
            assert_eq!(expression(text), expected, "{text}");
        }
    }
}
