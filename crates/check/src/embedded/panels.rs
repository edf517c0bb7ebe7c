//! What the panels of a dashboard lack: queries, a description, a unit; and variables that are never read again. These are
//! the checks of Grafana's dashboard-linter that are not about its own conventions; each is told once for a dashboard.

use super::grafana::Dashboard;
use super::query;
use crate::fields::{entries, filled, given, items, text, written};
use crate::finding::Findings;
use crate::rule::{Rule, rules};
use std::collections::BTreeSet;
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

rules! {
    EMPTY "dashboard-panel-empty" Note Nobody "every panel that draws data has a query"
    DESCRIPTION "dashboard-description" Note Nobody "every panel has a title and a description"
    UNIT "dashboard-unit" Note Nobody "every panel that draws numbers says their unit"
    REFRESH "dashboard-variable-refresh" Note Nobody "every variable with a query is read again when the dashboard opens"
    UNDEFINED "dashboard-variable" Warning Nobody "every variable that a query uses is one of its dashboard"
    SAME "dashboard-query-name" Warning Nobody "no two queries of a panel have the same `refId`"
    FIXED "dashboard-fixed-window" Note Nobody "every `rate` in a graph covers the graph's step"
}

/// What draws the data of queries.
const DRAWING: [&str; 21] = [
    "barchart",
    "bargauge",
    "candlestick",
    "flamegraph",
    "gauge",
    "graph",
    "heatmap",
    "histogram",
    "logs",
    "nodeGraph",
    "piechart",
    "singlestat",
    "stat",
    "state-timeline",
    "status-history",
    "table",
    "table-old",
    "timeseries",
    "traces",
    "trend",
    "xychart",
];

/// What draws numbers beside an axis or as one.
const NUMBERS: [&str; 5] = ["bargauge", "gauge", "graph", "stat", "timeseries"];

/// What draws one point for each step.
const STEPPED: [&str; 3] = ["graph", "heatmap", "timeseries"];

/// The titles that a message shows.
const SHOWN: usize = 5;

/// What is asked of panels, which of them do not have it, what is said of those, and what helps.
type Question = (&'static Rule, fn(&Panel<'_>) -> bool, &'static str, &'static str);

const QUESTIONS: [Question; 4] = [
    (&EMPTY, |panel| panel.is_empty(), "panels without a query", "give them a query, or remove them"),
    (
        &DESCRIPTION,
        |panel| panel.is_unexplained(),
        "panels without a title or a description",
        "write what a panel shows and what is normal: it is read when something is wrong",
    ),
    (
        &UNIT,
        |panel| panel.is_without_unit(),
        "panels of numbers without a unit",
        "name a unit, such as `bytes`, `s`, `percentunit`, or `none` for numbers without one",
    ),
    (
        &FIXED,
        |panel| panel.has_fixed_window(),
        "graphs of a `rate` over a fixed time, which skips samples where the step of the graph is longer",
        "take `$__rate_interval`, which is never shorter than a step of the graph",
    ),
];

/// Judges the panels and variables of a dashboard.
pub(super) fn check(dashboard: &Dashboard<'_, '_, '_>, findings: &mut Findings) {
    let root = dashboard.root;
    let root = given(root, "spec").or_else(|| given(root, "dashboard")).unwrap_or(root);
    let panels = panels(root);
    for (rule, lacks, what, help) in QUESTIONS {
        let found: Vec<_> = panels.iter().filter(|panel| lacks(panel)).collect();
        let Some(first) = found.first() else { continue };
        let message = format!("{what}, {} of {}: {}", found.len(), panels.len(), titles(&found));
        dashboard.file.add(rule, dashboard.root, first.node, message, findings).help(help);
    }
    check_variables(dashboard, root, findings);
    check_used(dashboard, root, &panels, findings);
    for panel in &panels {
        let mut seen = BTreeSet::new();
        let names = panel.queries.iter().filter_map(|query| filled(query, "refId"));
        for (at, name) in names.filter(|(_, name)| !seen.insert(*name)) {
            let message = format!("a second query of the panel has the `refId` {}", Quoted(name));
            dashboard
                .file
                .add(&SAME, dashboard.root, at, message, findings)
                .help("give each its own, such as `A` and `B`: of two with the same one, Grafana shows one");
        }
    }
}

/// Variables of queries that the dashboard does not have.
fn check_used(dashboard: &Dashboard<'_, '_, '_>, root: &Node, panels: &[Panel<'_>], findings: &mut Findings) {
    let classic = items(root, ["templating", "list"]).iter().filter_map(|variable| text(variable, "name"));
    let second = items(root, "variables").iter().filter_map(|variable| text(variable, ["spec", "name"]));
    let known: BTreeSet<&str> = classic.chain(second).collect();
    let mut told = BTreeSet::new();
    for panel in panels {
        for query in panel.expressions() {
            let missing =
                variables(query).filter(|name| !known.contains(name) && !query.contains(&format!("<{name}>")));
            for name in missing.filter(|name| told.insert(*name)).collect::<Vec<_>>() {
                let message = format!("a query uses the variable `${name}`, and the dashboard has none of that name");
                let finding = dashboard.file.add(&UNDEFINED, dashboard.root, panel.node, message, findings);
                if let Some(near) = nearest(name, known.iter().copied()) {
                    finding.label(format!("did you mean `${near}`?"));
                }
                finding.help("add it under `templating.list`, or correct the name: it is sent as it is written");
            }
        }
    }
}

/// The variables in a query, but for those that Grafana brings along, and groups of regular expressions.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices(['$', '[']).map(|(at, _)| &text[at..]);
    let names = starts.filter_map(query::variable).map(|(name, _)| name);
    names.filter(|name| {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name && !name.is_empty() && !name.starts_with("__") && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}

fn check_variables(dashboard: &Dashboard<'_, '_, '_>, root: &Node, findings: &mut Findings) {
    let classic = items(root, ["templating", "list"]).iter().filter(|variable| text(variable, "type") == Some("query"));
    let second = items(root, "variables").iter().filter(|variable| text(variable, "kind") == Some("QueryVariable"));
    let variables = classic.chain(second.filter_map(|variable| given(variable, "spec")));
    // `true` is of old dashboards: when the dashboard opens.
    let is_read = |refresh: &Node| !["0", "false", "never"].contains(&written(refresh));
    let stale: Vec<_> = variables.filter(|variable| !given(variable, "refresh").is_some_and(is_read)).collect();
    let Some(first) = stale.first() else { return };
    let names: Vec<_> = stale.iter().filter_map(|variable| text(variable, "name")).collect();
    let message = format!("variables whose values are never read again: `{}`", names.join("`, `"));
    dashboard
        .file
        .add(&REFRESH, dashboard.root, *first, message, findings)
        .help("set `refresh` to 2 (when the time range changes), or to 1 (when the dashboard opens)");
}

/// A panel, of either schema.
struct Panel<'n> {
    node: &'n Node,
    title: &'n str,
    kind: &'n str,
    queries: &'n [Node],
    /// Where `fieldConfig` is.
    options: &'n Node,
}

/// All panels of a dashboard, those in rows too; rows are none.
fn panels(root: &Node) -> Vec<Panel<'_>> {
    let rows = items(root, "rows").iter().flat_map(|row| items(row, "panels"));
    let top = items(root, "panels").iter().chain(rows);
    let classic = top.flat_map(|panel| std::iter::once(panel).chain(items(panel, "panels")));
    let elements = entries(root, "elements").iter().filter(|it| text(&it.value, "kind") == Some("Panel"));
    let second = elements.filter_map(|element| given(&element.value, "spec"));
    classic.filter_map(Panel::classic).chain(second.filter_map(Panel::second)).collect()
}

impl<'n> Panel<'n> {
    fn classic(node: &'n Node) -> Option<Self> {
        // What a library holds is judged where that is.
        if given(node, "libraryPanel").is_some() {
            return None;
        }
        let kind = text(node, "type").filter(|kind| *kind != "row")?;
        let title = text(node, "title").unwrap_or_default();
        Some(Self { node, title, kind, queries: items(node, "targets"), options: node })
    }

    fn second(node: &'n Node) -> Option<Self> {
        let drawn = given(node, "vizConfig")?;
        // The first version names the kind of drawing where the second has a constant.
        let kind = text(drawn, "group").or_else(|| text(drawn, "kind"))?;
        let title = text(node, "title").unwrap_or_default();
        let queries = items(node, ["data", "spec", "queries"]);
        Some(Self { node, title, kind, queries, options: given(drawn, "spec")? })
    }

    fn is_empty(&self) -> bool {
        let is_kept = given(self.node, "snapshotData").is_some();
        DRAWING.contains(&self.kind) && self.queries.is_empty() && !is_kept
    }

    fn is_unexplained(&self) -> bool {
        let is_described = text(self.node, "description").is_some_and(|text| !text.trim().is_empty());
        DRAWING.contains(&self.kind) && (!is_described || self.title.trim().is_empty())
    }

    fn is_without_unit(&self) -> bool {
        let defaults = is_filled(text(self.options, ["fieldConfig", "defaults", "unit"]));
        let overrides = items(self.options, ["fieldConfig", "overrides"]).iter();
        let mut properties = overrides.flat_map(|it| items(it, "properties"));
        let single = properties.any(|it| text(it, "id") == Some("unit"));
        let axes = items(self.node, "yaxes").iter().any(|axis| is_filled(text(axis, "format")));
        // A stat may show words: those of its mappings, a name or a field that is a text.
        let words = self.kind == "stat"
            && (!items(self.options, ["fieldConfig", "defaults", "mappings"]).is_empty()
                || text(self.options, ["options", "textMode"]) == Some("name")
                || is_filled(text(self.options, ["options", "reduceOptions", "fields"])));
        NUMBERS.contains(&self.kind) && !self.queries.is_empty() && !(defaults || single || axes || words)
    }

    fn has_fixed_window(&self) -> bool {
        STEPPED.contains(&self.kind) && self.expressions().any(has_fixed_window)
    }

    fn expressions(&self) -> impl Iterator<Item = &'n str> {
        let of = |query: &'n Node| given(query, ["spec", "query", "spec", "expr"]).or_else(|| given(query, "expr"));
        self.queries.iter().filter_map(move |query| of(query)?.text())
    }
}

fn is_filled(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

/// Whether a query takes a `rate` over a time that is written in it.
fn has_fixed_window(text: &str) -> bool {
    // Variables are read as the step of the graph, or as longer.
    let is_fixed = |it: &query::Window| it.function == "rate" && !it.stepped && it.range < query::STEP.1;
    // Most say `$__rate_interval` alone, which takes no parser to see.
    let mut ranges = text.split('[').skip(1).filter_map(|rest| rest.split(']').next());
    let is_written = ranges.any(|range| range.contains(|c: char| c.is_ascii_digit()));
    is_written && text.contains("rate(") && query::parse(text, true).windows.iter().any(is_fixed)
}

/// The first titles, and how many there are besides.
fn titles(panels: &[&Panel<'_>]) -> String {
    let title = |panel: &&Panel<'_>| match panel.title.trim() {
        "" => format!("one without a title ({})", panel.kind),
        title => format!("`{title}`"),
    };
    let shown: Vec<_> = panels.iter().take(SHOWN).map(title).collect();
    match panels.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Options, check};
    use vigil_yaml::Source;

    /// What is said of a dashboard by the rules of this file.
    fn said(body: &str) -> Vec<&'static str> {
        let object = format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: d}}, data: {{d.json: {body:?}}}}}");
        let options = Options { objects_only: true, ..Options::default() };
        let findings = check(&[Source::new("t", object)], &options).findings;
        let own = super::RULES.iter().map(|rule| rule.id).collect::<Vec<_>>();
        findings.iter().map(|it| it.rule.id).filter(|id| own.contains(id)).collect()
    }

    #[test]
    fn panels_of_every_schema() {
        const EXPLAINED: &str = r#""title": "a", "description": "b""#;
        let classic = |panel: &str| format!(r#"{{"schemaVersion": 41, "panels": [{panel}]}}"#);
        let second = |panel: &str| {
            format!(
                r#"{{"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "spec": {{"elements": {{"a": {{"kind": "Panel", "spec": {panel}}}}}}}}}"#
            )
        };
        let query = r#"{"spec": {"query": {"kind": "DataQuery", "group": "prometheus", "spec": {"expr": "rate(x_total[5m])"}}}}"#;
        for (body, expected) in [
            (classic(r#"{"type": "text"}"#), vec![]),
            (classic(r#"{"type": "row", "panels": [{"type": "logs"}]}"#), vec!["dashboard-description", "dashboard-panel-empty"]),
            (classic(r#"{"libraryPanel": {"uid": "a"}, "type": "stat"}"#), vec![]),
            (
                format!(r#"{{"schemaVersion": 14, "rows": [{{"panels": [{{"type": "graph", {EXPLAINED}, "targets": [{{"expr": "x"}}]}}]}}]}}"#),
                vec!["dashboard-unit"],
            ),
            (
                classic(&format!(r#"{{"type": "graph", {EXPLAINED}, "yaxes": [{{"format": "s"}}], "targets": [{{"expr": "x"}}]}}"#)),
                vec![],
            ),
            (
                classic(&format!(
                    r#"{{"type": "stat", {EXPLAINED}, "fieldConfig": {{"defaults": {{"mappings": [{{"type": "value"}}]}}}}, "targets": [{{"expr": "x"}}]}}"#
                )),
                vec![],
            ),
            (
                second(&format!(
                    r#"{{{EXPLAINED}, "data": {{"spec": {{"queries": [{query}]}}}}, "vizConfig": {{"kind": "timeseries", "spec": {{}}}}}}"#
                )),
                vec!["dashboard-fixed-window", "dashboard-unit"],
            ),
            (
                second(&format!(
                    r#"{{{EXPLAINED}, "data": {{"spec": {{"queries": []}}}}, "vizConfig": {{"kind": "VizConfig", "group": "stat", "spec": {{}}}}}}"#
                )),
                vec!["dashboard-panel-empty"],
            ),
            (
                r#"{"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "spec": {"elements": {}, "variables": [{"kind": "QueryVariable", "spec": {"name": "a", "refresh": "never"}}]}}"#
                    .to_owned(),
                vec!["dashboard-variable-refresh"],
            ),
        ] {
            assert_eq!(said(&body), expected, "{body}");
        }
    }
}
