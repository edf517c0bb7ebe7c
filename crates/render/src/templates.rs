//! The templates directory in memory.

use crate::content;
use crate::engine::Compiled;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use vigil_yaml::{Node, Problem, Source};
use walkdir::WalkDir;

/// The templates, by their path relative to the templates directory.
///
/// - `<component>/<file>.yaml.hbs` makes the file `<component>/<file>.yaml`, or none when it renders to nothing.
/// - `<component>/<file>.yaml` is that file already: one object in canonical form, which gets the labels and annotations
///   that every object has.
/// - `<component>/files/<name>` is a body for a ConfigMap or Secret, verbatim, or rendered when it ends in `.hbs`.
/// - `<component>/rules/<subject>.yaml`, `…/log-rules/…` and `…/global-rules/…` are rules of Prometheus, of Loki and of Thanos,
///   `<component>/dashboards/<name>.yaml` describes a dashboard.
/// - `partials/<name>.hbs` is for use in others as `{{> name}}`.
///
/// Each is compiled once, by the first render that needs it: who renders many stacks keeps one value of this.
#[derive(Clone, Debug)]
pub struct Templates {
    sources: BTreeMap<String, Arc<Source>>,
    compiled: Arc<Compiled>,
}

/// Folders of a component whose files are read as YAML: rules of Prometheus, of Loki and of Thanos, descriptions of dashboards.
const ROOMS: [&str; 4] = ["/rules/", "/log-rules/", "/global-rules/", "/dashboards/"];

impl Templates {
    const LIMIT: usize = 16 << 20;
    const PARTIALS: &str = "partials/";

    /// Templates that are in memory already, as (path, text).
    pub fn new<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let named = |(path, text): (&str, &str)| (path.to_owned(), Source::new(format!("templates/{path}"), text));
        Self::of(texts.into_iter().map(named).collect())
    }

    fn of(sources: BTreeMap<String, Arc<Source>>) -> Self {
        let is_rendered = |path: &&str| path.ends_with(".hbs") && !path.starts_with(Self::PARTIALS);
        let is_read = |path: &&str| ROOMS.iter().any(|room| path.contains(room));
        let paths = || sources.keys().map(String::as_str);
        let compiled = Arc::new(Compiled::new(paths().filter(is_rendered), paths().filter(is_read)));
        Self { sources, compiled }
    }

    /// Reads a templates directory. Hidden files are passed over.
    ///
    /// # Errors
    /// A directory that is not there or cannot be listed, files that cannot be read or are not UTF-8.
    pub fn read(directory: &Path) -> Result<Self, Vec<Problem>> {
        let mut sources = BTreeMap::new();
        let mut problems = Vec::new();
        let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
        let walk = WalkDir::new(directory).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name())) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(directory).display().to_string();
                    problems.push(
                        Problem::in_file("cannot be read as a templates directory", path)
                            .label(error.io_error().map_or_else(|| error.to_string(), ToString::to_string)),
                    );
                    continue;
                }
            };
            if !entry.file_type().is_file() {
                continue;
            }
            // The walk yields paths below `directory` only.
            let relative = entry.path().strip_prefix(directory).unwrap_or(entry.path());
            let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            match Source::read(entry.path(), Self::LIMIT) {
                Ok(source) => {
                    let path = parts.join("/");
                    if is_plain(&path) {
                        problems.extend(content::check(&source).err().into_iter().flatten());
                    }
                    sources.insert(path, source);
                }
                Err(problem) => problems.push(*problem),
            }
        }
        if problems.is_empty() && sources.is_empty() {
            problems.push(Problem::in_file("holds no templates", directory.display().to_string()));
        }
        if problems.is_empty() { Ok(Self::of(sources)) } else { Err(problems) }
    }

    /// All templates, as (path, text).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.iter().map(|(path, source)| (path.as_str(), &*source.text))
    }

    /// The titles of all dashboards.
    pub fn titles(&self) -> impl Iterator<Item = String> {
        let nodes = self.dashboards().filter_map(|(_, _, path)| self.node(path).ok()?);
        nodes.filter_map(|node| Some(node.to_json()["title"].as_str()?.to_owned()))
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Arc<Source>> {
        self.sources.get(path)
    }

    /// A file of rules or the description of a dashboard.
    ///
    /// # Errors
    /// What is wrong with it as YAML.
    pub(crate) fn node(&self, path: &str) -> Result<Option<&Node>, Vec<Problem>> {
        self.compiled.node(path, self)
    }

    /// The partials, as (name, path).
    pub(crate) fn partials(&self) -> impl Iterator<Item = (&str, &str)> {
        self.below(Self::PARTIALS.to_owned()).map(|path| {
            let name = &path[Self::PARTIALS.len()..];
            (name.strip_suffix(".hbs").unwrap_or(name), path)
        })
    }

    /// The paths of everything of a component that is rendered.
    pub(crate) fn rendered(&self, component: &str) -> impl Iterator<Item = &str> {
        self.below(format!("{component}/")).filter(|path| path.ends_with(".hbs"))
    }

    /// The paths of a component's bodies for ConfigMaps and Secrets.
    pub(crate) fn files_of(&self, component: &str) -> impl Iterator<Item = &str> {
        self.below(format!("{component}/files/"))
    }

    /// The rule files of all components, as (component, subject, path).
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.in_room(ROOMS[0])
    }

    /// The rule files of all components for Loki's ruler, likewise.
    pub(crate) fn log_rules(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.in_room(ROOMS[1])
    }

    /// The rule files of all components for the ruler of Thanos, likewise.
    pub(crate) fn global_rules(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.in_room(ROOMS[2])
    }

    /// The descriptions of dashboards of all components, as (component, name, path).
    pub(crate) fn dashboards(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.in_room(ROOMS[3])
    }

    fn in_room(&self, room: &'static str) -> impl Iterator<Item = (&str, &str, &str)> {
        self.sources.keys().filter_map(move |path| {
            let (component, rest) = path.split_once(room)?;
            Some((component, rest.strip_suffix(".yaml")?, path.as_str()))
        })
    }

    /// The paths of what makes a component's objects: templates, and plain data.
    pub(crate) fn documents_of(&self, component: &str) -> impl Iterator<Item = &str> {
        let files = format!("{component}/files/");
        let makes_objects = move |path: &&str| !path.starts_with(&files) && (path.ends_with(".hbs") || is_plain(path));
        self.below(format!("{component}/")).filter(makes_objects)
    }

    fn below(&self, folder: String) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str).filter(move |path| path.starts_with(&folder))
    }
}

/// Whether a path is that of an object taken as it stands.
pub(crate) fn is_plain(path: &str) -> bool {
    path.split('/').count() == 2 && !path.starts_with(Templates::PARTIALS) && path.ends_with(".yaml")
}
