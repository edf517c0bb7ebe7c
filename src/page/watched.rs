//! What is watched: alerts and dashboards.

use super::about::{items, of_kind, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::path::Path;
use vigil_yaml::{Limits, Problem, Source};

/// The alerts of an object.
#[derive(Serialize)]
pub(super) struct Group {
    name: String,
    alerts: Vec<Alert>,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.alerts.len()
    }
}

#[derive(Serialize)]
struct Alert {
    name: String,
    severity: String,
    summary: String,
    description: String,
    expr: String,
    /// How long its condition must be true.
    wait: String,
    /// What tells more of it.
    runbook: String,
    /// The same, if it is an address.
    link: String,
}

/// The alerts of Prometheus, and those of Loki, whose rules stand in ConfigMaps.
pub(super) fn alerts(objects: &[Value]) -> Vec<Group> {
    let mut found = Vec::new();
    for object in of_kind(objects, "PrometheusRule") {
        let groups = object.pointer("/spec").map(|spec| items(spec, "groups")).unwrap_or_default();
        found.push((text(object, "/metadata/name").to_owned(), groups.to_vec()));
    }
    for object in of_kind(objects, "ConfigMap") {
        for (key, file) in object.get("data").and_then(Value::as_object).into_iter().flatten() {
            let is_rules = |text: &&str| text.starts_with("groups:") || text.contains("\ngroups:");
            let Some(file) = file.as_str().filter(is_rules) else { continue };
            // What cannot be read the check tells of.
            let Ok(Some(document)) = vigil_yaml::read_one(&Source::new(key.as_str(), file), &Limits::default()) else {
                continue;
            };
            found.push((
                format!("{}, {key}", text(object, "/metadata/name")),
                items(&document.to_json(), "groups").to_vec(),
            ));
        }
    }
    let group = |(name, groups): (String, Vec<Value>)| Group {
        name,
        alerts: groups.iter().flat_map(|group| items(group, "rules")).filter_map(alert).collect(),
    };
    let mut groups: Vec<Group> = found.into_iter().map(group).filter(|group| !group.alerts.is_empty()).collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups
}

fn alert(rule: &Value) -> Option<Alert> {
    let annotation = |key: &str| text(rule, &format!("/annotations/{key}")).to_owned();
    let link = annotation("runbook_url");
    Some(Alert {
        name: rule.get("alert")?.as_str()?.to_owned(),
        severity: text(rule, "/labels/severity").to_owned(),
        summary: annotation("summary"),
        description: annotation("description"),
        expr: text(rule, "/expr").trim().to_owned(),
        wait: text(rule, "/for").to_owned(),
        runbook: annotation("runbook"),
        link: if link.starts_with("https://") || link.starts_with("http://") { link } else { String::new() },
    })
}

/// A dashboard.
#[derive(Serialize)]
pub(super) struct Dashboard {
    uid: String,
    title: String,
    /// How it looks, as an address that holds all of it.
    picture: String,
    folder: String,
    description: String,
    panels: Vec<Panel>,
}

#[derive(Serialize)]
struct Panel {
    title: String,
    description: String,
}

/// The dashboards in ConfigMaps, by their titles.
pub(super) fn dashboards(objects: &[Value]) -> Vec<Dashboard> {
    let mut dashboards = Vec::new();
    for object in of_kind(objects, "ConfigMap") {
        let files = object.get("data").and_then(Value::as_object).into_iter().flatten();
        for (_, file) in files.filter(|(key, _)| key.ends_with(".json")) {
            let Some(Ok(body)) = file.as_str().map(serde_json::from_str::<Value>) else { continue };
            if body.get("panels").is_some() {
                dashboards.push(dashboard(&body, text(object, "/metadata/annotations/grafana_folder")));
            }
        }
    }
    dashboards.sort_by(|a, b| (&a.folder, &a.title).cmp(&(&b.folder, &b.title)));
    dashboards
}

fn dashboard(body: &Value, folder: &str) -> Dashboard {
    let panels = items(body, "panels").iter().flat_map(|panel| std::iter::once(panel).chain(items(panel, "panels")));
    let panels = panels.filter(|panel| text(panel, "/type") != "row").map(|panel| Panel {
        title: text(panel, "/title").to_owned(),
        description: text(panel, "/description").to_owned(),
    });
    Dashboard {
        uid: text(body, "/uid").to_owned(),
        title: text(body, "/title").to_owned(),
        picture: String::new(),
        folder: folder.to_owned(),
        description: text(body, "/description").to_owned(),
        panels: panels.collect(),
    }
}

/// What pictures are: the ends of their names, and what a browser calls them.
const PICTURES: [(&str, &str); 2] = [("webp", "image/webp"), ("png", "image/png")];

/// Puts the pictures of a folder into the dashboards that they are called after.
///
/// # Errors
/// One cannot be read, or none is of any of the dashboards.
pub(super) fn preview(dashboards: &mut [Dashboard], folder: &Path) -> Result<(), Box<Problem>> {
    let problem = |message: String, path: &Path, help: &str| {
        let problem = Problem::in_file(message, path.display().to_string());
        Box::new(if help.is_empty() { problem } else { problem.help(help) })
    };
    // A uid comes from a manifest, and names a file of this folder and of no other.
    let is_name =
        |uid: &str| !uid.is_empty() && uid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !folder.is_dir() {
        let help = "correct the path, which starts at the folder you are in";
        return Err(problem("there is no such folder".to_owned(), folder, help));
    }
    let mut is_any = false;
    for dashboard in dashboards.iter_mut().filter(|dashboard| is_name(&dashboard.uid)) {
        let files = PICTURES.map(|(end, kind)| (folder.join(format!("{}.{end}", dashboard.uid)), kind));
        let Some((file, kind)) = files.into_iter().find(|(file, _)| file.is_file()) else { continue };
        let bytes = fs::read(&file).map_err(|error| problem(format!("cannot be read: {error}"), &file, ""))?;
        dashboard.picture = format!("data:{kind};base64,{}", STANDARD.encode(bytes));
        is_any = true;
    }
    if is_any || dashboards.is_empty() {
        return Ok(());
    }
    let help =
        "name a folder with files that are called after the `uid` of dashboards: `alerts-home.webp`, `alerts-home.png`";
    Err(problem("has no picture of any dashboard here".to_owned(), folder, help))
}
