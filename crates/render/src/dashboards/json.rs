//! The JSON of a dashboard: places, legends, colours, data sources and variables, the same everywhere.

use super::{Dashboard, Kind, Panel, Query, Row, Source, Variable, uid_of};
use serde_json::{Value, json};

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
        let (mut left, mut tallest) = (0, 0);
        let mut own = Vec::new();
        for panel in &row.panels {
            let (usual_width, usual_height) = panel.kind.size();
            let width = panel.width.unwrap_or(usual_width).clamp(1, COLUMNS);
            let height = panel.height.unwrap_or(usual_height).max(1);
            if left + width > COLUMNS {
                top += tallest;
                (left, tallest) = (0, 0);
            }
            let mut value = panel_json(panel);
            value["id"] = next().into();
            value["gridPos"] = json!({ "h": height, "w": width, "x": left, "y": top });
            own.push(value);
            left += width;
            tallest = tallest.max(height);
        }
        top += tallest;
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
    let mut defaults = json!({ "thresholds": { "mode": "absolute", "steps": steps(panel) } });
    let has_steps = panel.warning.is_some() || panel.critical.is_some();
    let by_value = has_steps && panel.kind != Kind::Timeseries;
    defaults["color"] = json!({ "mode": if by_value { "thresholds" } else { "palette-classic" } });
    for (key, value) in [
        ("unit", panel.unit.as_deref().map(Value::from)),
        ("min", panel.min.map(Value::from)),
        ("max", panel.max.map(Value::from)),
        ("noValue", panel.empty.as_deref().map(Value::from)),
    ] {
        if let Some(value) = value {
            defaults[key] = value;
        }
    }
    if !panel.meanings.is_empty() {
        let options: serde_json::Map<_, _> = panel
            .meanings
            .iter()
            .enumerate()
            .map(|(at, (from, text))| (from.clone(), json!({ "text": text, "index": at })))
            .collect();
        defaults["mappings"] = json!([{ "type": "value", "options": options }]);
    }
    if panel.kind == Kind::Timeseries {
        defaults["custom"] = json!({
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "showPoints": "never", "spanNulls": false,
            "fillOpacity": if panel.stacked { 40 } else { 10 },
            "stacking": { "mode": if panel.stacked { "normal" } else { "none" }, "group": "A" },
            "thresholdsStyle": { "mode": if has_steps { "line" } else { "off" } },
            "axisSoftMin": 0,
        });
    }
    defaults
}

/// From which value on which colour. The first step has no value: it begins at the bottom.
fn steps(panel: &Panel) -> Vec<Value> {
    let step = |color: &str, value: Option<f64>| json!({ "color": color, "value": value });
    let first = |color: &str| step(color, None);
    // A threshold that the stack sets may be past what is set here.
    let is_before = |warning: &f64| panel.critical.is_none_or(|critical| (*warning < critical) != panel.below);
    match (panel.below, panel.warning.filter(is_before), panel.critical) {
        (false, warning, critical) => {
            let own = [("yellow", warning), ("red", critical)].into_iter();
            let own = own.filter_map(|(color, value)| value.map(|value| step(color, Some(value))));
            std::iter::once(first("green")).chain(own).collect()
        }
        (true, Some(warning), Some(critical)) => {
            vec![first("red"), step("yellow", Some(critical)), step("green", Some(warning))]
        }
        (true, Some(warning), None) => vec![first("yellow"), step("green", Some(warning))],
        (true, None, Some(critical)) => vec![first("red"), step("green", Some(critical))],
        (true, None, None) => vec![first("green")],
    }
}

fn overrides(panel: &Panel) -> Vec<Value> {
    // What an empty table says is nothing for a cell without a value.
    let of_cells = (panel.kind == Kind::Table && panel.empty.is_some()).then(|| {
        json!({
            "matcher": { "id": "byRegexp", "options": "/.*/" },
            "properties": [{ "id": "noValue", "value": "" }],
        })
    });
    let with_unit = panel.columns.iter().filter_map(|column| column.unit.as_ref().map(|unit| (column, unit)));
    let units = with_unit.map(|(column, unit)| {
        json!({
            "matcher": { "id": "byName", "options": column.title },
            "properties": [{ "id": "unit", "value": unit }],
        })
    });
    of_cells.into_iter().chain(units).collect()
}

fn options(panel: &Panel) -> Value {
    let reduce = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match panel.kind {
        Kind::Timeseries => json!({
            "legend": { "displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["lastNotNull", "max"] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Stat => json!({
            "reduceOptions": reduce, "orientation": "auto", "justifyMode": "auto", "textMode": "auto", "wideLayout": true,
            "colorMode": if panel.warning.or(panel.critical).is_some() { "background" } else { "value" },
            "graphMode": "area", "showPercentChange": false, "percentChangeColorMode": "standard",
        }),
        Kind::Gauge => json!({
            "reduceOptions": reduce, "orientation": "auto", "showThresholdLabels": false, "showThresholdMarkers": true,
        }),
        Kind::Bargauge => json!({
            "reduceOptions": reduce, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": true,
            "valueMode": "color", "namePlacement": "auto", "sizing": "auto",
        }),
        Kind::Table => json!({ "showHeader": true, "cellHeight": "sm" }),
        Kind::Heatmap => json!({
            "calculate": false, "cellGap": 1, "color": { "mode": "scheme", "scheme": "Oranges", "steps": 64 },
            "yAxis": { "unit": panel.unit.as_deref().unwrap_or("short") }, "legend": { "show": true },
            "tooltip": { "mode": "single", "showColorScale": false, "yHistogram": false },
        }),
        Kind::Logs => json!({
            "showTime": true, "showLabels": false, "showCommonLabels": false, "wrapLogMessage": true,
            "prettifyLogMessage": false, "enableLogDetails": true, "dedupStrategy": "none", "sortOrder": "Descending",
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
