//! The JSON of a dashboard: places, legends, colours, data sources and variables, the same everywhere.

use super::{Column, Dashboard, Kind, Panel, Query, Row, Sort, Source, Variable, uid_of};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What Grafana 12 writes itself: the newest form of the JSON that files may have.
const SCHEMA_VERSION: u32 = 42;

/// The columns of Grafana's grid.
const COLUMNS: u32 = 24;

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Timeseries => "timeseries",
            Self::Stat => "stat",
            Self::Gauge => "gauge",
            Self::Bargauge => "bargauge",
            Self::Table => "table",
            Self::Heatmap => "heatmap",
            Self::Logs => "logs",
            Self::Text => "text",
            Self::Alertlist => "alertlist",
        }
    }

    /// Width and height where a panel does not say.
    fn size(self) -> (u32, u32) {
        match self {
            Self::Stat | Self::Gauge => (4, 4),
            Self::Logs | Self::Table | Self::Alertlist => (COLUMNS, 9),
            Self::Text => (COLUMNS, 3),
            Self::Timeseries | Self::Bargauge | Self::Heatmap => (12, 8),
        }
    }

    /// Whether it shows one moment instead of a time.
    fn is_instant(self) -> bool {
        matches!(self, Self::Table | Self::Bargauge)
    }
}

/// A dashboard as Grafana reads it.
pub(super) fn dashboard(dashboard: &Dashboard, uid: &str) -> Value {
    let asking = || dashboard.rows.iter().flat_map(|row| &row.panels).filter(|panel| !panel.queries.is_empty());
    let asked = |source: &Source| {
        asking().any(|panel| panel.source == *source)
            || dashboard.variables.iter().any(|variable| variable.query.is_some() && variable.source == *source)
    };
    let sources = [Source::Prometheus, Source::Loki].into_iter().filter(asked);
    let variables: Vec<_> = sources.map(data_source).chain(dashboard.variables.iter().map(variable)).collect();
    let links: Vec<_> = dashboard
        .links
        .iter()
        .map(|link| {
            let (component, name) = link.dashboard.split_once('/').unwrap_or((&link.dashboard, &link.dashboard));
            json!({
                "title": link.title, "type": "link", "url": format!("d/{}", uid_of(component, name)), "icon": "dashboard", "tooltip": "",
                "tags": [], "asDropdown": false, "includeVars": true, "keepTime": true, "targetBlank": false,
            })
        })
        .collect();
    json!({
        "uid": uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["vigil"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": false,
        "graphTooltip": 1,
        "liveNow": false,
        "fiscalYearStartMonth": 0,
        "refresh": "1m",
        "time": { "from": dashboard.from, "to": "now" },
        "timezone": "browser",
        "timepicker": {},
        "weekStart": "",
        "annotations": { "list": [] },
        "links": links,
        "templating": { "list": variables },
        "panels": panels(&dashboard.rows),
    })
}

fn data_source(source: Source) -> Value {
    let (label, text) = match source {
        Source::Prometheus => ("Data source", "Prometheus"),
        Source::Loki => ("Logs", "Loki"),
    };
    json!({
        "name": source.variable(), "label": label, "type": "datasource", "query": source.kind(), "hide": 0,
        "current": { "text": text, "value": source.kind() }, "multi": false, "includeAll": false, "options": [],
        "refresh": 1, "regex": "", "skipUrlSync": false,
    })
}

fn variable(variable: &Variable) -> Value {
    let Some(query) = &variable.query else {
        return json!({
            "name": variable.name, "label": variable.label, "type": "textbox", "query": variable.default, "hide": 0,
            "current": { "text": variable.default, "value": variable.default }, "options": [], "skipUrlSync": false,
        });
    };
    let all = !variable.single;
    let mut value = json!({
        "name": variable.name, "label": variable.label, "type": "query", "query": query, "definition": query, "hide": 0,
        "datasource": variable.source.json(), "multi": all, "includeAll": all, "options": [], "refresh": 2, "regex": "",
        "sort": 1, "skipUrlSync": false,
    });
    if all {
        // A series without the label is of all of them too.
        value["allValue"] = ".*".into();
        value["current"] = json!({ "text": "All", "value": "$__all" });
    }
    value
}

/// Panels in rows, side by side as long as there is room.
fn panels(rows: &[Row]) -> Vec<Value> {
    let mut placed = Vec::new();
    let mut number = 0;
    let mut next = || {
        number += 1;
        number
    };
    let mut top = 0;
    for row in rows {
        let mut head = json!({
            "id": next(), "type": "row", "title": row.title, "collapsed": row.folded, "panels": [],
            "gridPos": { "h": 1, "w": COLUMNS, "x": 0, "y": top },
        });
        top += 1;
        let mut own = Vec::new();
        for line in lines(&row.panels) {
            let tallest = line.iter().map(|panel| panel.size().1).max().unwrap_or(0);
            let mut left = 0;
            for (panel, width) in line.iter().zip(widened(line)) {
                let mut value = panel_json(panel);
                value["id"] = next().into();
                value["gridPos"] = json!({ "h": tallest, "w": width, "x": left, "y": top });
                own.push(value);
                left += width;
            }
            top += tallest;
        }
        if row.folded {
            head["panels"] = own.into();
            placed.push(head);
        } else {
            placed.push(head);
            placed.extend(own);
        }
    }
    placed
}

/// The panels of a row that stand side by side: seven that are alike are four and three, and not six and one.
fn lines(panels: &[Panel]) -> impl Iterator<Item = &[Panel]> {
    let mut rest = panels;
    std::iter::from_fn(move || {
        let width = |panel: &Panel| panel.size().0;
        let alike = rest.iter().take_while(|panel| width(panel) == width(&rest[0])).count();
        let room = alike * rest.first().map(width)? as usize;
        let in_line = alike.div_ceil(room.div_ceil(COLUMNS as usize));
        let mut left = 0;
        let fit = rest.iter().take_while(|panel| {
            left += width(panel);
            left <= COLUMNS
        });
        let fit = fit.count();
        let (line, others) = rest.split_at(if fit > alike { fit } else { fit.min(in_line) });
        rest = others;
        Some(line)
    })
}

/// The widths of panels side by side that leave no gap.
fn widened(line: &[Panel]) -> Vec<u32> {
    let all: u32 = line.iter().map(|panel| panel.size().0).sum();
    let mut widths: Vec<_> = line.iter().map(|panel| panel.size().0 * COLUMNS / all).collect();
    let gap = COLUMNS - widths.iter().sum::<u32>();
    widths.iter_mut().take(gap as usize).for_each(|width| *width += 1);
    widths
}

impl Panel {
    /// Its width and height.
    fn size(&self) -> (u32, u32) {
        let (width, height) = self.kind.size();
        (self.width.unwrap_or(width).clamp(1, COLUMNS), self.height.unwrap_or(height).max(1))
    }

    /// From which value on it has which colour.
    fn steps(&self) -> Vec<Value> {
        // A threshold that the stack sets may be past what is set here.
        let is_before = |warning: &f64| self.critical.is_none_or(|critical| (*warning < critical) != self.below);
        let warning = self.warning.filter(is_before);
        if self.below && self.kind != Kind::Timeseries {
            steps_below(warning, self.critical)
        } else {
            steps(warning, self.critical)
        }
    }
}

fn panel_json(panel: &Panel) -> Value {
    let mut value = json!({
        "type": panel.kind.name(),
        "title": panel.title,
        "description": panel.explain,
        "datasource": panel.source.json(),
        "targets": targets(panel),
        "fieldConfig": { "defaults": defaults(panel), "overrides": overrides(panel) },
        "options": options(panel),
    });
    if panel.kind == Kind::Table {
        value["transformations"] = transformations(panel);
    }
    if matches!(panel.kind, Kind::Text | Kind::Alertlist) {
        for key in ["datasource", "targets", "fieldConfig"] {
            if let Some(value) = value.as_object_mut() {
                value.remove(key);
            }
        }
    }
    value
}

fn targets(panel: &Panel) -> Vec<Value> {
    let target = |(at, query): (usize, &Query)| {
        // Grafana calls them A, B, C …
        let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or_default());
        let mut target = json!({
            "refId": letter.to_string(), "expr": query.expr, "datasource": panel.source.json(),
            "editorMode": "code",
        });
        if panel.source == Source::Loki {
            target["queryType"] = if panel.kind.is_instant() { "instant" } else { "range" }.into();
        } else {
            target["instant"] = panel.kind.is_instant().into();
            target["range"] = (!panel.kind.is_instant()).into();
            target["format"] = match panel.kind {
                Kind::Table => "table",
                Kind::Heatmap => "heatmap",
                _ => "time_series",
            }
            .into();
        }
        if panel.kind != Kind::Logs && !query.legend.is_empty() {
            target["legendFormat"] = query.legend.as_str().into();
        }
        target
    };
    panel.queries.iter().enumerate().map(target).collect()
}

fn defaults(panel: &Panel) -> Value {
    let mut defaults = json!({ "thresholds": { "mode": "absolute", "steps": panel.steps() } });
    let has_steps = panel.warning.is_some() || panel.critical.is_some();
    let by_value = has_steps && panel.kind != Kind::Timeseries;
    defaults["color"] = json!({ "mode": if by_value { "thresholds" } else { "palette-classic" } });
    for (key, value) in [
        ("unit", panel.unit.as_deref().map(Value::from)),
        ("min", panel.min.map(Value::from)),
        ("max", panel.max.map(Value::from)),
        ("decimals", panel.decimals.map(Value::from)),
        ("noValue", panel.empty.as_deref().map(Value::from)),
    ] {
        if let Some(value) = value {
            defaults[key] = value;
        }
    }
    if !panel.meanings.is_empty() {
        defaults["mappings"] = mappings(&panel.meanings, "text");
    }
    if panel.kind == Kind::Bargauge {
        // Grafana leaves out the name of a single bar unless it is asked for.
        defaults["displayName"] = "${__series.name}".into();
    }
    if panel.kind == Kind::Timeseries {
        defaults["custom"] = json!({
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "showPoints": "never", "spanNulls": false,
            // Of many lines that are filled, none can be told from the others.
            "fillOpacity": if panel.stacked { 40 } else { 0 },
            "stacking": { "mode": if panel.stacked { "normal" } else { "none" }, "group": "A" },
            "thresholdsStyle": { "mode": if has_steps { "line" } else { "off" } },
            "axisSoftMin": 0,
        });
    }
    defaults
}

/// What each of some values gets: a text or a colour.
fn mappings(values: &BTreeMap<String, String>, kind: &str) -> Value {
    let options: serde_json::Map<_, _> =
        values.iter().enumerate().map(|(at, (from, to))| (from.clone(), json!({ kind: to, "index": at }))).collect();
    json!([{ "type": "value", "options": options }])
}

fn step(color: &str, value: Option<f64>) -> Value {
    json!({ "color": color, "value": value })
}

/// Where more is worse. The first step has no value: it begins at the bottom. The lines in a chart over time are of the
/// colour that their step has, and have to be these ones where less is worse too.
fn steps(warning: Option<f64>, critical: Option<f64>) -> Vec<Value> {
    let mut own: Vec<_> =
        [("yellow", warning), ("red", critical)].into_iter().filter(|(_, value)| value.is_some()).collect();
    own.sort_by(|(_, one), (_, other)| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    std::iter::once(("green", None)).chain(own).map(|(color, value)| step(color, value)).collect()
}

/// Where less is worse.
fn steps_below(warning: Option<f64>, critical: Option<f64>) -> Vec<Value> {
    match (warning, critical) {
        (Some(warning), Some(critical)) => {
            vec![step("red", None), step("yellow", Some(critical)), step("green", Some(warning))]
        }
        (Some(warning), None) => vec![step("yellow", None), step("green", Some(warning))],
        (None, Some(critical)) => vec![step("red", None), step("green", Some(critical))],
        (None, None) => vec![step("green", None)],
    }
}

/// The colours of lines by what they are called, or by the first word of it.
const OUTCOMES: [(&str, &str); 4] = [
    ("green", "2..|NOERROR|[Rr]unning|Bound|scheduled|sent|true"),
    ("blue", "3..|NXDOMAIN|[Ss]ucceeded|Available|info|debug"),
    ("orange", "4..|[Pp]ending|Released|unschedulable|warn|warning"),
    ("red", "5..|SERVFAIL|[Ff]ailed|Unknown|error|<error>|critical|fatal|dropped|false"),
];

fn overrides(panel: &Panel) -> Vec<Value> {
    // What an empty table says is nothing for a cell without a value.
    let of_cells = (panel.kind == Kind::Table && panel.empty.is_some()).then(|| {
        json!({
            "matcher": { "id": "byRegexp", "options": "/.*/" },
            "properties": [{ "id": "noValue", "value": "" }],
        })
    });
    let of_columns = panel.columns.iter().filter_map(|column| {
        let properties = properties(column);
        let matcher = json!({ "id": "byName", "options": column.title });
        (!properties.is_empty()).then(|| json!({ "matcher": matcher, "properties": properties }))
    });
    let of_outcomes = OUTCOMES.iter().filter(|_| panel.outcomes).map(|(color, names)| {
        json!({
            "matcher": { "id": "byRegexp", "options": format!("/^(?:{names})(?: .*)?$/") },
            "properties": [{ "id": "color", "value": { "mode": "fixed", "fixedColor": color } }],
        })
    });
    of_cells.into_iter().chain(of_columns).chain(of_outcomes).collect()
}

/// What a column has of its own.
fn properties(column: &Column) -> Vec<Value> {
    let mut own = Vec::new();
    let mut add = |id: &str, value: Value| own.push(json!({ "id": id, "value": value }));
    if let Some(unit) = &column.unit {
        add("unit", unit.as_str().into());
    }
    if let Some(decimals) = column.decimals {
        add("decimals", decimals.into());
    }
    if !column.meanings.is_empty() {
        add("mappings", mappings(&column.meanings, "text"));
    }
    let has_steps = column.warning.or(column.critical).is_some();
    if has_steps {
        add("thresholds", json!({ "mode": "absolute", "steps": steps(column.warning, column.critical) }));
        add("color", json!({ "mode": "thresholds" }));
    }
    if !column.colors.is_empty() {
        add("mappings", mappings(&column.colors, "color"));
    }
    if has_steps || !column.colors.is_empty() {
        add("custom.cellOptions", json!({ "type": "color-text" }));
    }
    own
}

/// By which columns a table is in order.
fn order(columns: &[Column]) -> Vec<Value> {
    let by = |(column, sort): (&Column, Sort)| json!({ "displayName": column.title, "desc": sort == Sort::Down });
    let own: Vec<_> = columns.iter().filter_map(|column| Some(by((column, column.sort?)))).collect();
    if !own.is_empty() {
        return own;
    }
    let numbers = columns.iter().find(|column| column.from.starts_with("Value")).map(|column| (column, Sort::Down));
    numbers.or(columns.first().map(|column| (column, Sort::Up))).map(by).into_iter().collect()
}

fn options(panel: &Panel) -> Value {
    let reduce = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match panel.kind {
        Kind::Timeseries => json!({
            "legend": {
                "displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["lastNotNull", "max"],
                // The title of `lastNotNull`. What is worst is seen without scrolling.
                "sortBy": "Last *", "sortDesc": !panel.below,
            },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Stat => json!({
            "reduceOptions": reduce, "orientation": "auto", "justifyMode": "auto", "textMode": "auto", "wideLayout": true,
            "colorMode": if panel.warning.or(panel.critical).is_some() { "background" } else { "value" },
            "graphMode": "area", "showPercentChange": false, "percentChangeColorMode": "standard",
        }),
        Kind::Gauge => json!({
            "reduceOptions": reduce, "orientation": "auto", "showThresholdLabels": false, "showThresholdMarkers": true,
            "sizing": "auto", "minVizWidth": 75, "minVizHeight": 75,
        }),
        Kind::Bargauge => json!({
            "reduceOptions": reduce, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": true,
            "valueMode": "color", "namePlacement": "auto", "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16,
            "maxVizHeight": 300, "legend": { "displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": [] },
        }),
        Kind::Table => {
            json!({ "frameIndex": 0, "showHeader": true, "cellHeight": "sm", "sortBy": order(&panel.columns) })
        }
        Kind::Heatmap => json!({
            "calculate": false, "cellGap": 1, "color": { "mode": "scheme", "scheme": "Oranges", "steps": 64 },
            "yAxis": { "unit": panel.unit.as_deref().unwrap_or("short") }, "legend": { "show": true },
            "tooltip": { "mode": "single", "showColorScale": false, "yHistogram": false },
        }),
        Kind::Logs => json!({
            "showTime": true, "showLabels": false, "showCommonLabels": false, "wrapLogMessage": true,
            "prettifyLogMessage": false, "enableLogDetails": true, "showLogContextToggle": false, "dedupStrategy": "none", "sortOrder": "Descending",
        }),
        Kind::Text => json!({ "mode": "markdown", "content": panel.text.as_deref().unwrap_or_default() }),
        Kind::Alertlist => json!({
            "viewMode": "list", "groupMode": "default", "groupBy": [], "maxItems": 50, "sortOrder": 3, "dashboardAlerts": false,
            "alertName": "", "alertInstanceLabelFilter": "", "datasource": Source::Prometheus.kind(),
            "stateFilter": { "firing": true, "pending": false, "noData": false, "normal": false, "error": true },
        }),
    }
}

/// One row for each series: the columns by their names, in their order, and no other.
fn transformations(panel: &Panel) -> Value {
    let order: serde_json::Map<_, _> =
        panel.columns.iter().enumerate().map(|(at, column)| (column.from.clone(), at.into())).collect();
    let names: serde_json::Map<_, _> =
        panel.columns.iter().map(|column| (column.from.clone(), column.title.clone().into())).collect();
    let shown: Vec<_> = panel.columns.iter().map(|column| column.from.as_str()).collect();
    let mut steps = Vec::new();
    if panel.queries.len() > 1 {
        steps.push(json!({ "id": "merge", "options": {} }));
    }
    steps.push(json!({ "id": "filterFieldsByName", "options": { "include": { "names": shown } } }));
    steps.push(
        json!({ "id": "organize", "options": { "indexByName": order, "renameByName": names, "excludeByName": {} } }),
    );
    steps.into()
}
