//! A page about a set of manifests that a browser shows and that needs nothing else: what runs where, who connects to whom,
//! who may do what, what is watched, and what applying it changes.

mod about;
mod watched;

use crate::picture::Picture;
use handlebars::{Handlebars, handlebars_helper};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use vigil::size::add_series;
use vigil_check::Report;
use vigil_check::graph::{Connection, End, Why};
use vigil_yaml::words::counted;
use vigil_yaml::{Place, Problem, Severity};

handlebars_helper!(length: |list: array| list.len());
handlebars_helper!(prose: |text: str| vigil_diff::report::prose(text));

const PAGE: &str = include_str!("page/page.hbs");
const STYLE: &str = include_str!("page/page.css");

/// What the page shows. What is empty has no section.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    title: String,
    subtitle: String,
    /// The command that made it.
    command: String,
    version: &'static str,
    style: &'static str,
    facts: Vec<Fact>,
    sections: Vec<Section>,
    change: Option<Change>,
    workloads: Vec<about::Area>,
    picture: String,
    connections: Vec<Line>,
    entrances: Vec<Line>,
    services: Vec<about::Service>,
    storage: Vec<about::Storage>,
    rights: Vec<about::Account>,
    alerts: Vec<watched::Group>,
    alert_count: usize,
    dashboards: Vec<watched::Dashboard>,
    checked: Option<Checked>,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Section {
    id: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct Change {
    /// What it was compared with.
    against: String,
    html: String,
}

/// A connection.
#[derive(Serialize)]
struct Line {
    from: String,
    why: &'static str,
    to: String,
    ports: String,
}

#[derive(Serialize)]
struct Checked {
    class: &'static str,
    summary: String,
    findings: Vec<Said>,
    waived: Vec<Said>,
}

/// A finding.
#[derive(Serialize)]
struct Said {
    severity: &'static str,
    rule: &'static str,
    message: String,
    place: String,
    reason: String,
}

impl Page {
    /// A page that is called so, made by such a command.
    pub(crate) fn new(title: &str, command: &str) -> Self {
        let (title, command) = (title.to_owned(), command.to_owned());
        Self { title, command, version: env!("CARGO_PKG_VERSION"), style: STYLE, ..Self::default() }
    }

    /// With what applying the manifests changes.
    pub(crate) fn change(mut self, diff: &vigil_diff::Diff, before: &str) -> Self {
        let against = format!("Compared with {before}.");
        self.change = Some(Change { against, html: vigil_diff::report::html(diff) });
        self
    }

    /// With all that can be said of the objects.
    pub(crate) fn about(mut self, objects: &[Value], minor: u32) -> Self {
        let mut totals = vigil_diff::compare(&[], objects, vigil_diff::Options { minor }).totals;
        add_series(&mut totals);
        self.facts = totals.rows.into_iter().map(|row| Fact { name: row.name, value: row.after }).collect();
        self.facts.retain(|fact| fact.value != "0");
        self.workloads = about::workloads(objects);
        self.services = about::services(objects);
        self.storage = about::storage(objects);
        self.rights = about::rights(objects);
        self.alerts = watched::alerts(objects);
        self.alert_count = self.alerts.iter().map(watched::Group::len).sum();
        self.dashboards = watched::dashboards(objects);
        for (name, count) in [("alerts", self.alert_count), ("dashboards", self.dashboards.len())] {
            self.facts.push(Fact { name, value: count.to_string() });
        }
        self
    }

    /// With the pictures of dashboards that a folder holds.
    ///
    /// # Errors
    /// One cannot be read, or there is none.
    pub(crate) fn previews(mut self, folder: &Path) -> Result<Self, Vec<Problem>> {
        watched::preview(&mut self.dashboards, folder).map_err(|problem| vec![*problem])?;
        Ok(self)
    }

    /// With who connects to whom.
    pub(crate) fn connections(mut self, connections: Vec<Connection>) -> Self {
        let line = |it: &Connection| Line {
            from: named(&it.from),
            why: it.why.verb(),
            to: named(&it.to),
            ports: it.ports.join(", "),
        };
        self.connections = connections.iter().map(line).collect();
        self.entrances = connections.iter().filter(|it| it.why == Why::Enters).map(line).collect();
        if !connections.is_empty() {
            self.picture = Picture::of(connections).svg();
        }
        self
    }

    /// With what the check says.
    pub(crate) fn checked(mut self, report: &Report) -> Self {
        let said = |finding: &vigil_check::Finding, reason: &str| Said {
            severity: finding.severity().name(),
            rule: finding.rule.id,
            message: finding.message.clone(),
            place: place(finding),
            reason: reason.to_owned(),
        };
        let findings: Vec<_> = report.findings.iter().map(|it| said(it, "")).collect();
        let waived: Vec<_> = report.waived.iter().map(|it| said(&it.finding, &it.reason)).collect();
        let versions: Vec<_> = report.kubernetes.iter().map(ToString::to_string).collect();
        self.subtitle = format!("{} objects, judged for Kubernetes {}", report.objects.len(), versions.join(", "));
        let (class, summary) = if report.is_clean() {
            ("good", "Clean: an API server takes every object, and every reference leads somewhere.".to_owned())
        } else {
            let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
            let class = if errors > 0 { "bad" } else { "warn" };
            (class, format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")))
        };
        self.checked = Some(Checked { class, summary, findings, waived });
        self
    }

    /// The text of the page.
    ///
    /// # Errors
    /// The page's own template asks for what is not there.
    pub(crate) fn html(mut self) -> Result<String, Vec<Problem>> {
        let is_there = |id: &str| match id {
            "change" => self.change.is_some(),
            "workloads" => !self.workloads.is_empty(),
            "flows" => !self.picture.is_empty(),
            "storage" => !self.storage.is_empty(),
            "rights" => !self.rights.is_empty(),
            "alerts" => !self.alerts.is_empty(),
            "dashboards" => !self.dashboards.is_empty(),
            _ => self.checked.is_some(),
        };
        self.sections =
            SECTIONS.into_iter().filter(|(id, _)| is_there(id)).map(|(id, name)| Section { id, name }).collect();
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_helper("count", Box::new(length));
        registry.register_helper("prose", Box::new(prose));
        registry.render_template(PAGE, &self).map_err(|error| vec![Problem::in_file(error.to_string(), "page.hbs")])
    }
}

/// The sections, by their anchors.
const SECTIONS: [(&str, &str); 9] = [
    ("change", "Change"),
    ("workloads", "Workloads"),
    ("flows", "Flows"),
    ("exposure", "Exposure"),
    ("storage", "Storage"),
    ("rights", "Rights"),
    ("alerts", "Alerts"),
    ("dashboards", "Dashboards"),
    ("findings", "Findings"),
];

fn named(end: &End) -> String {
    match end {
        End::Outside => "outside".to_owned(),
        End::ApiServer => "API server".to_owned(),
        End::Pods { namespace, kind, name } if kind.is_empty() => format!("{namespace}/{name} of the cluster"),
        End::Pods { namespace, kind, name } => format!("{kind} {namespace}/{name}"),
    }
}

fn place(finding: &vigil_check::Finding) -> String {
    let object = finding.object.clone().unwrap_or_else(|| match &finding.place {
        Place::Text(span) => span.source.name.clone(),
        Place::File(name) => name.clone(),
    });
    if finding.path.is_empty() { object } else { format!("{object}, {}", finding.path) }
}
