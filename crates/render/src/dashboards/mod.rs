//! Dashboards of Grafana, `templates/<component>/dashboards/<name>.yaml`, as ConfigMaps that its side-car loads.
//!
//! The files say what only a person can: titles, queries, units, what a panel means and from which value on it is bad. All
//! else is made here, once: places, legends, colours, data sources, variables, time range and refresh. A panel that asks for
//! what the stack does not scrape or record, or asks Loki where there is none, is left out, and so are rows and dashboards
//! without a panel left, and links to them.

mod json;

use crate::rules::{self, Rules};
use crate::templates::Templates;
use crate::words::Words;
use crate::{Made, facts};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use vigil_stack::Stack;
use vigil_yaml::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dashboard {
    title: String,
    /// Which questions it answers.
    description: String,
    folder: String,
    /// What a person chooses among, beside the data source and the cluster.
    #[serde(default)]
    variables: Vec<Variable>,
    rows: Vec<Row>,
    /// How far back it looks when it is opened.
    #[serde(default = "six_hours")]
    from: String,
    /// Other dashboards to go on to.
    #[serde(default)]
    links: Vec<Link>,
    /// Grafana opens with it.
    #[serde(default)]
    home: bool,
}

fn six_hours() -> String {
    "now-6h".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    name: String,
    label: String,
    /// What Grafana asks Prometheus, or Loki where `source` says so: `label_values(…)`. Free text without it.
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    source: Source,
    /// What is chosen at first where it is free text.
    #[serde(default)]
    default: String,
    /// One value at a time.
    #[serde(default)]
    single: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    title: String,
    /// `component/name` of the other dashboard's file.
    dashboard: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    title: String,
    panels: Vec<Panel>,
    /// Folded up until somebody opens it.
    #[serde(default)]
    folded: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    title: String,
    /// What it shows, what is good, and what to do when it is not.
    explain: String,
    #[serde(rename = "type", default)]
    kind: Kind,
    /// A unit of Grafana: `percentunit`, `bytes`, `s`, `reqps`, `short`.
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    width: Option<u32>,
    #[serde(default)]
    height: Option<u32>,
    #[serde(default)]
    queries: Vec<Query>,
    #[serde(default)]
    source: Source,
    /// From which values on it is yellow, and red; `below` where less is worse.
    #[serde(default, deserialize_with = "bound")]
    warning: Option<f64>,
    #[serde(default, deserialize_with = "bound")]
    critical: Option<f64>,
    #[serde(default)]
    below: bool,
    #[serde(default)]
    min: Option<f64>,
    #[serde(default)]
    max: Option<f64>,
    /// How many digits after the point; as many as Grafana likes without it. What `increase` estimates is no whole number.
    #[serde(default)]
    decimals: Option<u32>,
    /// Layers on top of each other.
    #[serde(default)]
    stacked: bool,
    /// What a table calls its columns: label or `Value #A`, to title. What is not named is hidden.
    #[serde(default)]
    columns: Vec<Column>,
    /// What numbers stand for: `0` to `down`.
    #[serde(default)]
    meanings: BTreeMap<String, String>,
    /// What it says where nothing answers: of a panel that is empty when all is well.
    #[serde(default)]
    empty: Option<String>,
    /// Its lines are called by how something ended, such as `500` or `Failed`: what is bad is red, on every dashboard.
    #[serde(default)]
    outcomes: bool,
    /// The alerts about what it shows.
    #[serde(default)]
    alerts: Vec<String>,
    /// The text of a panel that asks nothing, in Markdown.
    #[serde(default)]
    text: Option<String>,
}

/// A number; or a threshold of an alert, as a share: `90 %`, and `all but 15 %` where the alert is about what is left.
fn bound<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let share = |text: &str| {
        let (is_rest, text) = text.strip_prefix("all but ").map_or((false, text), |rest| (true, rest));
        let share = text.strip_suffix(" %")?.parse::<f64>().ok()? / 100.0;
        Some(if is_rest { 1.0 - share } else { share })
    };
    let number = value.as_f64().or_else(|| value.as_str().and_then(share));
    number.map(Some).ok_or_else(|| D::Error::custom(format!("{value} is no number and no share such as `90 %`")))
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    from: String,
    title: String,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    decimals: Option<u32>,
    /// Rows are in the order of this column; of the first one with numbers, the largest first, where none says so.
    #[serde(default)]
    sort: Option<Sort>,
    /// From which values on its figures are yellow, and red.
    #[serde(default, deserialize_with = "bound")]
    warning: Option<f64>,
    #[serde(default, deserialize_with = "bound")]
    critical: Option<f64>,
    /// The colours of single values: `critical` to `red`.
    #[serde(default)]
    colors: BTreeMap<String, String>,
    /// What its numbers stand for.
    #[serde(default)]
    meanings: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Sort {
    /// The smallest first.
    Up,
    /// The largest first.
    Down,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    expr: String,
    #[serde(default)]
    legend: String,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Source {
    #[default]
    Prometheus,
    Loki,
}

impl Source {
    fn kind(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Loki => "loki",
        }
    }

    /// The variable by which a person chooses one of several.
    fn variable(self) -> &'static str {
        match self {
            Self::Prometheus => "datasource",
            Self::Loki => "logs",
        }
    }

    fn json(self) -> Value {
        json!({ "type": self.kind(), "uid": format!("${{{}}}", self.variable()) })
    }
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Timeseries,
    Stat,
    Gauge,
    Bargauge,
    Table,
    Heatmap,
    Logs,
    Text,
    Alertlist,
}

/// Where the side-car puts what it loads, each dashboard in the folder that its annotation names.
pub(crate) const LOADED: &str = "/tmp/dashboards";

/// The dashboards of a stack.
#[derive(Default)]
pub(crate) struct Dashboards<'t> {
    /// Their ConfigMaps.
    pub(crate) made: Vec<Made<'t>>,
    /// The file of the one that Grafana opens with.
    home: Option<String>,
    /// Where alerts are shown.
    pub(crate) shown: Vec<Shown>,
}

/// A panel that shows what an alert is about.
pub(crate) struct Shown {
    pub(crate) alert: String,
    /// The component whose dashboard it is in.
    pub(crate) component: &'static str,
    pub(crate) uid: String,
    pub(crate) panel: u64,
}

/// Grafana's key for what it opens with.
const HOME: &str = "default_home_dashboard_path";

impl Dashboards<'_> {
    /// Tells Grafana's templates what it opens with.
    pub(crate) fn tell(&self, facts: &mut Value) {
        if let Some(grafana) = facts["grafana"].as_object_mut() {
            // What the stack says itself comes first.
            let said = grafana["ini"].pointer(&format!("/dashboards/{HOME}")).is_some();
            if let Some(home) = self.home.as_ref().filter(|_| !said) {
                grafana["ini"]["dashboards"][HOME] = json!(home);
            }
        }
    }
}

/// Whether a stack has dashboards of ours.
pub(crate) fn are_in(stack: &Stack) -> bool {
    stack.grafana.enabled && stack.grafana.bundled_dashboards
}

/// The dashboards of the components that the stack has, for what its rules record.
pub(crate) fn dashboards<'t>(
    stack: &Stack,
    components: &[&'static str],
    templates: &'t Templates,
    rules: &Rules,
) -> Result<Dashboards<'t>, Vec<Problem>> {
    if !are_in(stack) {
        return Ok(Dashboards::default());
    }
    let words = Words::new(stack);
    let has = Has { words: &words, absent: &rules.absent, loki: stack.loki.enabled };
    let (mut files, mut named, mut problems) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (folder, name, path) in templates.dashboards() {
        named.insert(format!("{folder}/{name}"));
        match read(path, templates, &words) {
            Err(found) => problems.extend(found),
            Ok(value) => {
                let component = components.iter().copied().find(|component| *component == folder);
                let Some(component) = component else { continue };
                match dashboard(path, value, &has) {
                    Err(problem) => problems.push(*problem),
                    Ok(dashboard) => files.extend(dashboard.map(|dashboard| File { component, name, path, dashboard })),
                }
            }
        }
    }
    problems.extend(files.iter().flat_map(|file| unknown(file, &named, &rules.alerts)));
    problems.extend(twice(&files));
    if !problems.is_empty() {
        return Err(problems);
    }
    let there: BTreeSet<_> = files.iter().map(|file| format!("{}/{}", file.component, file.name)).collect();
    let mut all = Dashboards::default();
    for mut file in files {
        file.dashboard.links.retain(|link| there.contains(&link.dashboard));
        if file.dashboard.home {
            let uid = uid_of(file.component, file.name);
            all.home = Some(format!("{LOADED}/{}/{uid}.json", file.dashboard.folder));
        }
        let json = json::dashboard(&file.dashboard, &uid_of(file.component, file.name));
        all.shown.extend(shown(file.component, &file.dashboard, &json));
        let documents = vec![config_map(stack, file.component, &file.dashboard, &json).into()];
        all.made.push(Made::new(file.component, file.path, documents));
    }
    Ok(all)
}

/// A dashboard on its way to an object.
struct File<'t> {
    component: &'static str,
    name: &'t str,
    path: &'t str,
    dashboard: Dashboard,
}

/// What panels may ask for.
struct Has<'a> {
    words: &'a Words,
    /// Not these recorded series.
    absent: &'a BTreeSet<String>,
    loki: bool,
}

impl Has<'_> {
    fn source(&self, source: Source) -> bool {
        source == Source::Prometheus || self.loki
    }
}

/// The dashboards and alerts that a file names and that there are not.
fn unknown(file: &File, dashboards: &BTreeSet<String>, alerts: &BTreeSet<String>) -> Vec<Problem> {
    let problem = |what: &str, name: &str, known: &BTreeSet<String>| {
        let text = format!("there is no {what} `{name}`");
        let near = vigil_yaml::words::nearest(name, known.iter().map(String::as_str));
        let problem = Problem::in_file(text, format!("templates/{}", file.path));
        match near {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("dashboards are named `component/name` by their files, alerts as in rule files"),
        }
    };
    let linked = file.dashboard.links.iter().map(|link| ("dashboard", &link.dashboard, dashboards));
    let panels = file.dashboard.rows.iter().flat_map(|row| &row.panels);
    let named = panels.flat_map(|panel| &panel.alerts).map(|alert| ("alert", alert, alerts));
    let unknown = linked.chain(named).filter(|(_, name, known)| !known.contains(*name));
    unknown.map(|(what, name, known)| problem(what, name, known)).collect()
}

/// Alerts that two panels of a component name: Grafana shows one beside an alert. Two components may have the same alert.
fn twice(files: &[File]) -> Vec<Problem> {
    let mut first: BTreeMap<_, (&File, &Panel)> = BTreeMap::new();
    let mut problems = Vec::new();
    for file in files {
        for panel in file.dashboard.rows.iter().flat_map(|row| &row.panels) {
            for alert in &panel.alerts {
                let Some((other, before)) = first.insert((file.component, alert), (file, panel)) else { continue };
                let text = format!("two panels name the alert `{alert}`: `{}` and `{}`", before.title, panel.title);
                let problem = Problem::in_file(text, format!("templates/{}", file.path));
                problems.push(problem.help(format!("Grafana leads to one; the other is in templates/{}", other.path)));
            }
        }
    }
    problems
}

/// Which panels show what alerts are about.
fn shown(component: &'static str, dashboard: &Dashboard, json: &Value) -> Vec<Shown> {
    let top = json["panels"].as_array().into_iter().flatten();
    let placed = top.flat_map(|panel| std::iter::once(panel).chain(panel["panels"].as_array().into_iter().flatten()));
    let numbers = placed.filter(|panel| panel["type"] != "row").filter_map(|panel| panel["id"].as_u64());
    let panels = dashboard.rows.iter().flat_map(|row| &row.panels);
    let uid = json["uid"].as_str().unwrap_or_default();
    let of = |(panel, number): (&Panel, u64)| -> Vec<_> {
        let shown = |alert: &String| Shown { alert: alert.clone(), component, uid: uid.to_owned(), panel: number };
        panel.alerts.iter().map(shown).collect()
    };
    panels.zip(numbers).flat_map(of).collect()
}

/// A file as it stands.
fn read(path: &str, templates: &Templates, words: &Words) -> Result<Value, Vec<Problem>> {
    let Some(node) = templates.node(path)? else { return Ok(Value::Null) };
    let unknown = words.check(node);
    if unknown.is_empty() { Ok(node.to_json()) } else { Err(unknown) }
}

/// A dashboard with every word filled in, without the panels that the stack has nothing for.
fn dashboard(path: &str, mut value: Value, has: &Has) -> Result<Option<Dashboard>, Box<Problem>> {
    let names = |value: &Value| -> BTreeSet<String> {
        let variables = value["variables"].as_array().into_iter().flatten();
        variables.filter_map(|variable| variable["name"].as_str().map(str::to_owned)).collect()
    };
    let all = names(&value);
    for key in ["variables", "links"] {
        if let Some(list) = value.get_mut(key) {
            keep(list, has.words);
        }
    }
    for row in value.get_mut("rows").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(panels) = row.get_mut("panels") {
            keep(panels, has.words);
        }
    }
    let Some(value) = has.words.fill(&value) else { return Ok(None) };
    let mut gone: BTreeSet<String> = all.difference(&names(&value)).cloned().collect();
    let mut dashboard: Dashboard = serde_json::from_value(value).map_err(|error| {
        Box::new(Problem::in_file(format!("not a dashboard: {error}"), format!("templates/{path}")))
    })?;
    // Each variable may use those before it.
    dashboard.variables.retain(|variable| {
        let query = variable.query.as_deref().unwrap_or_default();
        let stays = has.source(variable.source) && !rules::reads(query, has.absent) && !uses(query, &gone);
        if !stays {
            gone.insert(variable.name.clone());
        }
        stays
    });
    let answers = |query: &Query| !rules::reads(&query.expr, has.absent) && !uses(&query.expr, &gone);
    for row in &mut dashboard.rows {
        row.panels.retain(|panel| has.source(panel.source) && panel.queries.iter().all(answers));
    }
    dashboard.rows.retain(|row| row.panels.iter().any(|panel| panel.kind != Kind::Text));
    Ok((!dashboard.rows.is_empty()).then_some(dashboard))
}

/// Whether a query takes one of some variables: `$node` or `${node}`.
fn uses(query: &str, variables: &BTreeSet<String>) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let taken = query.split('$').skip(1).map(|rest| rest.strip_prefix('{').unwrap_or(rest));
    !variables.is_empty()
        && taken.filter_map(|rest| rest.split(|c| !of_name(c)).next()).any(|name| variables.contains(name))
}

/// Fills in the words of each item, and leaves out those that have a word without a value.
fn keep(list: &mut Value, words: &Words) {
    if let Some(items) = list.as_array_mut() {
        *items = items.iter().filter_map(|item| words.fill(item)).collect();
    }
}

fn config_map(stack: &Stack, component: &str, dashboard: &Dashboard, json: &Value) -> Value {
    let uid = json["uid"].as_str().unwrap_or_default();
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": format!("{}-dashboard-{uid}", facts::metrics_release(stack)),
            "namespace": stack.namespaces.monitoring,
            "labels": facts::dashboard_labels(stack, component),
            "annotations": { "grafana_folder": dashboard.folder },
        },
        "data": { format!("{uid}.json"): format!("{json:#}\n") },
    })
}

/// What its address and links to it are made of. Grafana takes 40 characters.
fn uid_of(component: &str, name: &str) -> String {
    if component == name { name.to_owned() } else { format!("{component}-{name}") }
}
