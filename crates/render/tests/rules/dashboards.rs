//! What holds for every dashboard, and docs/dashboards.md, which lists them.

use crate::rendered::{self, Dashboard};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Grafana takes no longer ones.
const LONGEST_UID: usize = 40;

/// Panels whose figures have no unit: they are told by words, or each by a unit of its own.
fn needs_unit(panel: &Value) -> bool {
    let has_words = !panel["fieldConfig"]["defaults"]["mappings"].is_null();
    !has_words && !["logs", "text", "alertlist", "table"].contains(&panel["type"].as_str().unwrap())
}

/// What is wrong with how a dashboard is made.
pub(crate) fn faults(dashboard: &Dashboard) -> Vec<String> {
    let json = &dashboard.json;
    let mut faults = Vec::new();
    if dashboard.uid().len() > LONGEST_UID {
        faults.push("its uid is too long".to_owned());
    }
    let begins_small = |part: &str| part.starts_with(|it: char| it.is_lowercase());
    if dashboard.title().split(" / ").filter(|part| *part != "etcd").any(begins_small) {
        faults.push(format!("`{}` begins with a small letter", dashboard.title()));
    }
    if json["refresh"] != "1m" || json["description"].as_str().is_none_or(str::is_empty) {
        faults.push("it is refreshed too often, or says not what for".to_owned());
    }
    let mut titles = BTreeSet::new();
    for panel in rendered::panels(json) {
        let title = panel["title"].as_str().unwrap();
        let explanation = panel["description"].as_str().unwrap_or_default();
        if !explanation.ends_with('.') {
            faults.push(format!("{title}: it is not explained by a sentence"));
        }
        if needs_unit(panel) && panel["fieldConfig"]["defaults"]["unit"].is_null() {
            faults.push(format!("{title}: no unit"));
        }
        if !titles.insert(title) {
            faults.push(format!("{title}: a second panel has this title"));
        }
        let targets = panel["targets"].as_array().into_iter().flatten();
        let of_prometheus = targets.filter(|target| target["datasource"]["type"] == "prometheus");
        let exprs = of_prometheus.filter_map(|target| target["expr"].as_str());
        faults.extend(
            exprs.filter(|expr| has_fixed_rate(expr)).map(|expr| format!("{title}: a rate over a fixed time: {expr}")),
        );
    }
    faults
}

/// A rate over a fixed time misses samples, or all of them, where Prometheus scrapes less often.
fn has_fixed_rate(expr: &str) -> bool {
    let outside: String = expr.split('"').step_by(2).collect();
    let windows = outside
        .split("rate(")
        .skip(1)
        .filter_map(|rest| rest.split_once('['))
        .filter_map(|(_, rest)| rest.split_once(']'));
    windows.map(|(window, _)| window).any(|window| !window.starts_with('$'))
}

/// What a stack does not have and its dashboards name all the same.
pub(crate) fn loose_ends(stack: &str) -> Vec<String> {
    let dashboards = rendered::dashboards(stack);
    let uids: BTreeSet<_> = dashboards.iter().map(Dashboard::uid).collect();
    let made: BTreeSet<_> =
        rendered::in_order(stack).iter().filter_map(|rule| Some(rule["record"].as_str()?.to_owned())).collect();
    let mut ends = Vec::new();
    for dashboard in &dashboards {
        let uid = dashboard.uid();
        for link in dashboard.json["links"].as_array().unwrap() {
            let to = link["url"].as_str().unwrap().trim_start_matches("d/");
            if !uids.contains(to) {
                ends.push(format!("{uid}: a link to {to}"));
            }
        }
        let text = dashboard.json.to_string();
        if stack.contains("loki: {enabled: false}") && text.contains("\"loki\"") {
            ends.push(format!("{uid}: asks Loki"));
        }
        let variables: BTreeSet<_> = dashboard.json["templating"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        let used = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
        // Grafana's own begin so.
        let used = used.filter(|name| !name.starts_with("__"));
        ends.extend(used.filter(|name| !variables.contains(name)).map(|name| format!("{uid}: no variable {name}")));
        // Loki has no recorded series, and its queries have texts with colons.
        let panels = rendered::panels(&dashboard.json).filter(|panel| panel["datasource"]["type"] != "loki");
        let exprs = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
        for expr in exprs.filter_map(|target| target["expr"].as_str()) {
            let expr = plain(expr);
            let words = expr.split(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != ':');
            let records = words.filter(|word| {
                word.contains(':') && word.starts_with(|it: char| it.is_alphabetic()) && !made.contains(*word)
            });
            ends.extend(records.map(|record| format!("{uid}: nothing records {record}")));
        }
    }
    ends
}

/// The alerts of a stack that no panel shows, or one that reads none of their metrics.
pub(crate) fn not_shown(stack: &str) -> Vec<String> {
    let dashboards = rendered::dashboards(stack);
    let rules = rendered::in_order(stack);
    let mut records: Records = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule["record"].is_string()) {
        records.entry(rule["record"].as_str().unwrap()).or_default().push(rule["expr"].as_str().unwrap());
    }
    let mut problems = Vec::new();
    for rule in rules.iter().filter(|rule| rule["alert"].is_string()) {
        let alert = rule["alert"].as_str().unwrap();
        let place = |key: &str| rule["annotations"][key].as_str().unwrap_or_default();
        let (uid, number) = (place("__dashboardUid__"), place("__panelId__").parse::<u64>().ok());
        let dashboard = dashboards.iter().find(|dashboard| dashboard.uid() == uid);
        let has_number = |panel: &&Value| number.is_some() && panel["id"].as_u64() == number;
        let panel = dashboard.and_then(|dashboard| rendered::panels(&dashboard.json).find(has_number));
        let Some(panel) = panel else {
            problems.push(format!("{alert}: no panel"));
            continue;
        };
        let shown: String =
            panel["targets"].as_array().unwrap().iter().filter_map(|target| target["expr"].as_str()).collect();
        let read = metrics(rule["expr"].as_str().unwrap(), &records);
        let is_shown = |metric: &String| {
            let mut shown = panel["targets"].as_array().unwrap().iter().filter_map(|target| target["expr"].as_str());
            shown.any(|expr| metrics(&plain(expr), &records).contains(metric))
        };
        let is_named = read.is_empty() && shown.contains(alert);
        if !is_named && !read.iter().any(is_shown) {
            problems.push(format!("{alert}: `{}` reads none of {read:?}", panel["title"].as_str().unwrap()));
        }
    }
    problems
}

/// Without Grafana's variables.
fn plain(expr: &str) -> String {
    expr.replace("$__rate_interval", "4m").replace("$__range", "1h").replace("$__interval", "1m")
}

/// Recorded series, and the expressions that make them.
type Records<'r> = BTreeMap<&'r str, Vec<&'r str>>;

/// What an expression reads, and what the records that it reads are made of.
fn metrics(expr: &str, records: &Records) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![expr.to_owned()];
    while let Some(expr) = waiting.pop() {
        let query = vigil_promql::parse(&expr).unwrap_or_else(|error| panic!("{expr}: {error}"));
        for name in query.expr.selectors().into_iter().filter_map(|selector| selector.name.clone()) {
            let made_of = records.get(name.as_str()).filter(|_| !found.contains(&name));
            waiting.extend(made_of.into_iter().flatten().map(|expr| (*expr).to_owned()));
            // A histogram is one metric.
            let whole = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
            found.extend([whole.to_owned(), name.clone()]);
        }
    }
    found
}

/// docs/dashboards.md.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# Dashboards\n\n\
         Generated by `VIGIL_UPDATE_DASHBOARDS=1 cargo test -p vigil-render --test rules`; edits are lost. Each dashboard is a file\n\
         in `templates/<part>/dashboards` and goes with its part; a panel that asks for what the stack does not have is left out.\n\
         Grafana shows a panel's explanation at the `i` in its corner, and an alert's panel beside the alert.\n\n\
         The pictures are previews: Prometheus' own engine, and a Loki, answer the queries over three hours of a small synthetic cluster, in\n\
         which much goes wrong after forty minutes, and the answers are drawn on Grafana's grid. Grafana\n\
         draws finer. After a change of a dashboard draw them anew with `just pictures`; `DASHBOARD=alerts-home just pictures`\n\
         draws one. It needs Go, npm, Chromium and ImageMagick. Look at them, and commit them with the change.\n",
    );
    let mut folders: BTreeMap<String, Vec<Dashboard>> = BTreeMap::new();
    for dashboard in rendered::all_dashboards() {
        folders.entry(dashboard.folder.clone()).or_default().push(dashboard);
    }
    let alerts = alerts();
    for (folder, mut dashboards) in folders {
        let _ = write!(page, "\n## {folder}\n");
        dashboards.sort_by(|one, other| (one.title(), one.uid()).cmp(&(other.title(), other.uid())));
        for dashboard in dashboards {
            let part = dashboard.template.split('/').next().unwrap();
            let question = dashboard.json["description"].as_str().unwrap();
            let uid = dashboard.uid();
            let title = dashboard.title();
            let _ = write!(page, "\n### {title}\n\n{question} Part `{part}`, uid `{uid}`.\n");
            let _ = write!(page, "\n![{title}, drawn from a synthetic cluster](dashboards/{uid}.webp)\n");
            for panel in dashboard.json["panels"].as_array().unwrap() {
                write_panels(&mut page, uid, panel, &alerts);
            }
        }
    }
    page
}

/// Alerts by the uid of the dashboard and the number of the panel that shows them.
fn alerts() -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut alerts: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for rule in rendered::STACKS.into_iter().flat_map(rendered::in_order) {
        let place = |key: &str| rule["annotations"][key].as_str().map(str::to_owned);
        if let (Some(uid), Some(panel)) = (place("__dashboardUid__"), place("__panelId__")) {
            alerts.entry((uid, panel)).or_default().insert(rule["alert"].as_str().unwrap().to_owned());
        }
    }
    alerts
}

/// A row's head, or a panel; a folded row has its panels in it.
fn write_panels(page: &mut String, uid: &str, panel: &Value, alerts: &BTreeMap<(String, String), BTreeSet<String>>) {
    let text = |key: &str| panel[key].as_str().unwrap_or_default().replace('|', "\\|");
    if panel["type"] == "row" {
        let _ = write!(page, "\n| {} | |\n|---|---|\n", text("title"));
        panel["panels"].as_array().into_iter().flatten().for_each(|panel| write_panels(page, uid, panel, alerts));
        return;
    }
    let about = alerts.get(&(uid.to_owned(), panel["id"].to_string())).into_iter().flatten();
    let links: Vec<_> = about.map(|alert| format!("[{alert}](runbooks/{alert}.md)")).collect();
    let links = if links.is_empty() { String::new() } else { format!(" Alerts: {}.", links.join(", ")) };
    let _ = writeln!(page, "| {} | {}{links} |", text("title"), text("description"));
}

/// Whether the page is what it should be; writes it where `VIGIL_UPDATE_DASHBOARDS` is set.
pub(crate) fn page_is_current() -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dashboards.md");
    let page = page();
    if std::env::var_os("VIGIL_UPDATE_DASHBOARDS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_default() == page
}
