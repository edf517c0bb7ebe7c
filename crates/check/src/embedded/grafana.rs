//! What Grafana is given to load: data sources and dashboards.

use super::dashboards;
use super::file::{File, has};
use super::syntax::Read;
use crate::fields::{is_set, items};
use crate::finding::{At, Findings};
use crate::object::Object;
use crate::objects::PEM;
use crate::pem::Part;
use crate::references::rule_of;
use crate::rule::rules;
use crate::world::World;
use crate::world::grafanas::Grafana;
use std::collections::{HashMap, HashSet};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Node, Quoted};

rules! {
    UNWATCHED "grafana-unwatched" Warning Nobody "ConfigMaps labelled for Grafana's side-cars are where these look"
    DEFAULT "grafana-default-datasource" Error Program "at most one data source is the default"
    NO_DEFAULT "grafana-without-default" Note Nobody "one of Grafana's data sources is the default"
    TWICE "grafana-datasource-twice" Error Program "names and uids of data sources are unique"
    URL "grafana-datasource-url" Error Program "the Service and port of every data source exist"
    UNKNOWN "dashboard-datasource" Error Program "every data source that a dashboard names exists"
    UID "dashboard-uid" Error Program "the uid of every dashboard is unique"
}

/// A data source, as a provisioning file gives it.
pub(super) struct DataSource<'r, 'f, 'a> {
    file: &'f File<'a>,
    root: &'r Node,
    node: &'r Node,
    name: &'r str,
    uid: Option<&'r str>,
    /// Such as `prometheus`.
    pub(super) kind: &'r str,
}

/// A dashboard.
pub(super) struct Dashboard<'r, 'f, 'a> {
    pub(super) file: &'f File<'a>,
    pub(super) root: &'r Node,
}

/// What one Grafana loads, and whether that is all it has.
#[derive(Default)]
pub(super) struct Loaded<'r, 'f, 'a> {
    pub(super) sources: Vec<DataSource<'r, 'f, 'a>>,
    pub(super) dashboards: Vec<Dashboard<'r, 'f, 'a>>,
    /// Documents that say what Grafana has from the start.
    pub(super) provisioning: Vec<(&'f File<'a>, &'r Node)>,
    namespace: Option<&'r str>,
    /// The sources by name and by uid.
    known: HashMap<&'r str, usize>,
}

/// What every Grafana of the set loads. Without any, the labels of the charts tell what one elsewhere would.
pub(super) fn load<'r, 'f, 'a>(
    read: &'r [Read<'f, 'a>],
    grafanas: &'r [Grafana],
    world: &World<'_>,
    findings: &mut Findings,
) -> Vec<Loaded<'r, 'f, 'a>> {
    let mut loaded: Vec<Loaded<'r, 'f, 'a>> = grafanas
        .iter()
        .map(|grafana| Loaded { namespace: Some(grafana.namespace.as_str()), ..Loaded::default() })
        .collect();
    let mut elsewhere: HashMap<&str, Loaded<'r, 'f, 'a>> = HashMap::new();
    let mut told: Option<Object<'a>> = None;
    for Read { file, documents } in read {
        let object = file.object;
        let labels = object.labels();
        let mut wanted = None;
        let mut seen = false;
        for (grafana, loaded) in grafanas.iter().zip(&mut loaded) {
            let mut side_cars = grafana.side_cars.iter().filter(|side_car| side_car.wants(labels)).peekable();
            wanted = wanted.or(side_cars.peek().copied());
            let is_mounted =
                object.namespace == grafana.namespace && world.readers(&object).any(|reader| reader.is_grafana());
            if is_mounted || side_cars.any(|side_car| side_car.sees(object.namespace)) {
                seen = true;
                loaded.add(file, documents);
            }
        }
        if let (Some(side_car), false) = (wanted, seen)
            && told.as_ref().is_none_or(|told| !std::ptr::eq(told.node, object.node))
        {
            told = Some(object);
            let at = object.at(&["metadata", "labels"]).and_then(|labels| labels.entry(side_car.label()));
            let at = at.unwrap_or(file.entry);
            let message = format!("no side-car of Grafana looks in namespace `{}`", object.namespace);
            findings
                .add(&UNWATCHED, &object, at, message)
                .label(format!("the side-car that wants this label looks in {}", Quoted(side_car.seen())))
                .help("move it there, or give the side-car its namespace in `NAMESPACE`");
        }
        if grafanas.is_empty()
            && ["grafana_datasource", "grafana_dashboard"].iter().any(|label| labels.get(label).is_some())
        {
            elsewhere.entry(object.namespace).or_default().add(file, documents);
        }
    }
    loaded.extend(elsewhere.into_values());
    loaded
}

impl<'r, 'f, 'a> Loaded<'r, 'f, 'a> {
    fn add(&mut self, file: &'f File<'a>, documents: &'r [Node]) {
        for root in documents {
            let is_dashboard = dashboards::is_dashboard(root);
            if is_dashboard {
                self.dashboards.push(Dashboard { file, root });
            }
            if is_dashboard || !has(root, "apiVersion") {
                continue;
            }
            self.provisioning.push((file, root));
            for node in items(root, "datasources") {
                let text = |key: &str| node.get(key).and_then(Node::text);
                let Some(name) = text("name") else { continue };
                let kind = text("type").unwrap_or_default();
                for key in text("uid").into_iter().chain([name]) {
                    self.known.entry(key).or_insert(self.sources.len());
                }
                self.sources.push(DataSource { file, root, node, name, uid: text("uid"), kind });
            }
        }
    }

    /// The data source that a dashboard means by a name or a uid.
    pub(super) fn source(&self, name: &str) -> Option<&DataSource<'r, 'f, 'a>> {
        self.sources.get(*self.known.get(name)?)
    }

    /// The kind of data source that a panel asks which names none: the default.
    pub(super) fn default_kind(&self) -> Option<&str> {
        let is_default = |source: &&DataSource<'_, '_, '_>| is_set(source.node, "isDefault");
        self.sources.iter().find(is_default).map(|source| source.kind)
    }

    /// Data sources by themselves and against each other.
    pub(super) fn check_sources(&self, world: &World<'_>, findings: &mut Findings) {
        let mut default: Option<&DataSource<'_, '_, '_>> = None;
        let mut names: HashSet<(i64, &str)> = HashSet::new();
        let mut uids: HashSet<(i64, &str)> = HashSet::new();
        for source in &self.sources {
            let organisation = source.node.get("orgId").and_then(Node::integer).unwrap_or(1);
            for (key, value, known) in [("name", Some(source.name), &mut names), ("uid", source.uid, &mut uids)] {
                let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
                if !known.insert((organisation, value))
                    && let Some(at) = source.node.entry(key)
                {
                    let message = format!("a second data source has the {key} {}", Quoted(value));
                    source
                        .file
                        .add(&TWICE, source.root, at, message, findings)
                        .help("give each its own; Grafana keeps only one of the two");
                }
            }
            if let Some(at) = source.node.entry("isDefault").filter(|entry| entry.value.boolean() == Some(true))
                && organisation == 1
            {
                match default {
                    None => default = Some(source),
                    Some(first) => {
                        let message = format!("{} is a second default data source", Quoted(source.name));
                        source
                            .file
                            .add(&DEFAULT, source.root, at, message, findings)
                            .label(format!("{} in {} is the default", Quoted(first.name), first.file.object))
                            .help("say `isDefault: false`; Grafana does not start with two");
                    }
                }
            }
            let direct = source.node.get("access").and_then(Node::text) == Some("direct");
            if let Some(url) = source.node.get("url").filter(|_| !direct)
                && let Some(wrong) = url.text().and_then(|text| world.address(text, self.namespace))
            {
                let rule = rule_of(&wrong, &URL);
                source.file.add(rule, source.root, url, wrong.message, findings).append(wrong.label, wrong.help);
            }
            source.certificates(findings);
        }
        if let (Some(first), None, Some(_)) = (self.sources.first(), default, self.namespace) {
            let at = first.node.entry("name").map_or(At::Value(first.node), At::Key);
            first
                .file
                .add(&NO_DEFAULT, first.root, at, "no data source is the default", findings)
                .help("say `isDefault: true` of one; a new panel asks it, and one that names none");
        }
    }

    /// Dashboards against the data sources and each other.
    pub(super) fn check_dashboards(&self, findings: &mut Findings) {
        let mut uids: HashMap<&str, &Dashboard<'_, '_, '_>> = HashMap::new();
        for dashboard in &self.dashboards {
            if let Some(entry) = dashboard.root.entry("uid")
                && let Some(uid) = entry.value.text().filter(|uid| !uid.is_empty())
            {
                if uid.len() > 40 {
                    dashboard
                        .file
                        .add(&UID, dashboard.root, &entry.value, "a uid of more than 40 characters", findings)
                        .label(format!("{} characters", uid.len()));
                }
                if let Some(first) = uids.get(uid) {
                    let message = format!("a second dashboard has the uid {}", Quoted(uid));
                    dashboard
                        .file
                        .add(&UID, dashboard.root, &entry.value, message, findings)
                        .label(format!("{} in {} has it, too", Quoted(first.file.name()), first.file.object))
                        .help("give each its own; Grafana shows only one of the two");
                } else {
                    uids.insert(uid, dashboard);
                }
            }
            // Data sources that were made in the browser are known to nobody here.
            if !self.sources.is_empty() && self.namespace.is_some() {
                self.check_sources_of(dashboard, dashboard.root, findings);
            }
        }
    }

    fn check_sources_of(&self, dashboard: &Dashboard<'_, '_, '_>, node: &Node, findings: &mut Findings) {
        match &node.data {
            Data::Scalar(_) => {}
            Data::List(items) => items.iter().for_each(|item| self.check_sources_of(dashboard, item, findings)),
            Data::Map(entries) => {
                for entry in entries {
                    if entry.key.text == "datasource" {
                        let named = entry.value.get("uid").unwrap_or(&entry.value);
                        let Some(name) = named.text().filter(|name| !self.is_known(name)) else { continue };
                        // Whoever writes `uid:` means a uid.
                        let by_uid = entry.value.get("uid").is_some();
                        let known = self.sources.iter().map(|it| it.uid.filter(|_| by_uid).unwrap_or(it.name));
                        let mut known: Vec<&str> = known.collect();
                        known.sort_unstable();
                        known.dedup();
                        let label = nearest(name, known.iter().copied()).map_or_else(
                            || format!("expected {}", list(&known, "or")),
                            |near| format!("did you mean `{near}`?"),
                        );
                        dashboard
                            .file
                            .add(
                                &UNKNOWN,
                                dashboard.root,
                                named,
                                format!("there is no data source {}", Quoted(name)),
                                findings,
                            )
                            .label(label)
                            .help("name one that Grafana is given, or a variable of type `datasource`");
                    } else if entry.key.text != "__inputs" {
                        self.check_sources_of(dashboard, &entry.value, findings);
                    }
                }
            }
        }
    }

    /// Whether dashboards may name it: a data source, a variable, or one of Grafana's own.
    fn is_known(&self, name: &str) -> bool {
        name.is_empty()
            || name.contains('$')
            || name.contains("[[")
            || name.starts_with("-- ")
            || matches!(name, "grafana" | "default" | "__expr__" | "-100" | "Mixed")
            || self.source(name).is_some()
    }
}

/// What a data source keeps of certificates and keys.
const CERTIFICATES: [(&str, Part); 3] =
    [("tlsCACert", Part::Certificate), ("tlsClientCert", Part::Certificate), ("tlsClientKey", Part::Key)];

impl DataSource<'_, '_, '_> {
    /// Certificates and keys as texts: a variable, or the path of a file, is none.
    fn certificates(&self, findings: &mut Findings) {
        let Some(kept) = self.node.get("secureJsonData") else { return };
        for (key, part) in CERTIFICATES {
            let Some(entry) = kept.entry(key) else { continue };
            let Some(text) = entry.value.text().filter(|text| !text.contains('$')) else { continue };
            if let Some(help) = part.misfit(text.as_bytes()) {
                let message = format!("{} holds no {} in PEM", Quoted(key), part.name());
                let finding = self.file.add(&PEM, self.root, entry, message, findings);
                finding.label(part.expected()).help(format!("{help}; each query of the data source fails"));
            }
        }
    }
}
