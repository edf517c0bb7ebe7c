//! The queries of dashboards.

use super::file::Where;
use super::grafana::{Dashboard, Loaded};
use super::query::Query;
use crate::fields::items;
use vigil_yaml::Node;

/// Adds the queries of all panels that surely ask a Prometheus.
pub(super) fn queries<'w, 'r: 'w, 'f: 'w, 'a>(loaded: &'w Loaded<'r, 'f, 'a>, queries: &mut Vec<Query<'w, 'a>>) {
    for dashboard in &loaded.dashboards {
        panels(loaded, dashboard, dashboard.root.get("panels"), queries);
        for row in items(dashboard.root, "rows") {
            panels(loaded, dashboard, row.get("panels"), queries);
        }
    }
}

fn panels<'w, 'r: 'w, 'f: 'w, 'a>(
    loaded: &'w Loaded<'r, 'f, 'a>,
    dashboard: &'w Dashboard<'r, 'f, 'a>,
    list: Option<&'w Node>,
    queries: &mut Vec<Query<'w, 'a>>,
) {
    for panel in list.map(Node::items).unwrap_or_default() {
        // A row that is folded up holds its panels.
        panels(loaded, dashboard, panel.get("panels"), queries);
        for target in items(panel, "targets") {
            let Some(node) = target.get("expr") else { continue };
            let Some(text) = node.text().filter(|text| !text.trim().is_empty()) else { continue };
            let named = |holder: &'w Node| holder.get("datasource").filter(|node| !node.is_null());
            if named(target).or_else(|| named(panel)).is_some_and(|source| is_prometheus(loaded, dashboard, source)) {
                let place = Where::File(dashboard.file, dashboard.root);
                queries.push(Query { text, node, place, variables: true, rule: None, interval: None });
            }
        }
    }
}

/// Whether a data source, as a panel names it, is a Prometheus.
fn is_prometheus(loaded: &Loaded<'_, '_, '_>, dashboard: &Dashboard<'_, '_, '_>, source: &Node) -> bool {
    if let Some(kind) = source.get("type").and_then(Node::text) {
        return kind == "prometheus";
    }
    let Some(name) = source.get("uid").unwrap_or(source).text() else { return false };
    if let Some(source) = loaded.source(name) {
        return source.kind == "prometheus";
    }
    let name = name.trim_start_matches("${").trim_start_matches('$').trim_end_matches('}');
    let variables = items(dashboard.root, ["templating", "list"]);
    let text = |node: &'_ Node, key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    variables.iter().any(|variable| {
        text(variable, "name").as_deref() == Some(name)
            && text(variable, "type").as_deref() == Some("datasource")
            && text(variable, "query").as_deref() == Some("prometheus")
    })
}
