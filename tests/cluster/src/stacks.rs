//! The repository's stacks, rendered into folders that kubectl can be pointed to.

use crate::failure::{Context, Failure, Result};
use crate::workplace;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use vigil_render::{Object, Rendering};
use vigil_stack::{Fleet, Stack};
use vigil_yaml::{Problem, Source};

/// A stack of the repository.
pub(crate) struct Rendered {
    /// Its file's name without the ending.
    pub(crate) name: String,
    /// What it was rendered from.
    pub(crate) stack: Stack,
    /// Its objects, those that `kubectl apply -k` applies.
    pub(crate) objects: Vec<Object>,
    /// The folder that holds `manifests/`.
    pub(crate) directory: tempfile::TempDir,
}

impl Rendered {
    /// The same stack with something in it changed.
    pub(crate) fn but(&self, change: impl FnOnce(&mut Stack)) -> Result<Self> {
        let mut stack = self.stack.clone();
        change(&mut stack);
        render(self.name.clone(), stack)
    }

    /// The folder that is applied.
    pub(crate) fn manifests(&self) -> PathBuf {
        self.directory.path().join("manifests")
    }

    /// The only object of this kind in a component.
    pub(crate) fn object(&self, component: &str, kind: &str) -> Result<&Object> {
        let mut found = self.objects.iter().filter(|object| object.component == component && object.kind() == kind);
        match (found.next(), found.next()) {
            (Some(object), None) => Ok(object),
            _ => Err(Failure::new(format!("{}: no single {kind} of {component}", self.name))),
        }
    }

    /// The text of a file in one of a component's ConfigMaps; others hold dashboards and rules.
    pub(crate) fn file(&self, component: &str, name: &str) -> Result<&str> {
        let maps = self.objects.iter().filter(|object| object.component == component && object.kind() == "ConfigMap");
        let mut texts = maps.filter_map(|object| object.value["data"][name].as_str());
        texts.next().ok_or_else(|| Failure::new(format!("{}: no {name} of {component}", self.name)))
    }

    /// Whether the stack has a component.
    pub(crate) fn has(&self, component: &str) -> bool {
        self.objects.iter().any(|object| object.component == component)
    }

    /// Every string that stands under a key somewhere in the objects.
    pub(crate) fn named(&self, key: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for object in &self.objects {
            collect(&object.value, key, &mut names);
        }
        names
    }

    /// Namespaces that it puts objects into and does not make.
    pub(crate) fn foreign_namespaces(&self) -> BTreeSet<&str> {
        let made = |name: &str| self.objects.iter().any(|object| object.kind() == "Namespace" && object.name() == name);
        let used = self.objects.iter().map(Object::namespace);
        used.filter(|name| !name.is_empty() && !made(name)).collect()
    }

    /// Whether it has objects of an API group.
    pub(crate) fn has_group(&self, group: &str) -> bool {
        let is_of = |object: &Object| object.api_version().split_once('/').is_some_and(|(of, _)| of == group);
        self.objects.iter().any(is_of)
    }
}

/// A stack that a proof makes for itself.
pub(crate) fn of_text(name: &str, text: &str) -> Result<Rendered> {
    let parsed = Stack::parse(&Source::new(name, text)).map_err(|problems| drawn(&problems))?;
    render(name.to_owned(), parsed.stack)
}

/// A stack of the repository with more keys over it, under another name.
pub(crate) fn over(stack: &str, name: &str, keys: &str) -> Result<Rendered> {
    let folder = workplace::folder("layers-")?;
    let [below, path] = [format!("{stack}.yaml"), "stack.yaml".to_owned()].map(|file| folder.path().join(file));
    fs::copy(root().join("stacks").join(format!("{stack}.yaml")), &below).context(below.display())?;
    fs::write(&path, format!("extends: [{stack}.yaml]\n{keys}")).context(path.display())?;
    render(name.to_owned(), load(&path)?)
}

/// The stack of one cluster of a fleet.
pub(crate) fn of_fleet(path: &Path, cluster: &str) -> Result<Rendered> {
    let source = Source::read(path, Fleet::LIMITS.bytes).map_err(|problem| drawn(&[*problem]))?;
    let fleet = Fleet::load(&source, path).map_err(|problems| drawn(&problems))?;
    let member = fleet.members.iter().find(|member| member.name.as_str() == cluster);
    let member = member.ok_or_else(|| Failure::new(format!("{}: no cluster {cluster}", path.display())))?;
    let parsed = fleet.stack(member).map_err(|problems| drawn(&problems))?;
    render(cluster.to_owned(), parsed.stack)
}

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Every file of `stacks/`, or those of them that are named.
pub(crate) fn rendered(only: &[String]) -> Result<Vec<Rendered>> {
    let folder = root().join("stacks");
    let entries = fs::read_dir(&folder).context(folder.display())?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let stacks: Vec<_> = paths.iter().map(|path| (name(path), path)).collect();
    if let Some(unknown) = only.iter().find(|name| !stacks.iter().any(|(known, _)| known == *name)) {
        let known: Vec<_> = stacks.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Failure::new(format!("there is no stack `{unknown}`; there are {}", known.join(", "))));
    }
    let wanted = stacks.into_iter().filter(|(name, _)| only.is_empty() || only.contains(name));
    wanted.map(|(name, path)| render(name, load(path)?)).collect()
}

fn name(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn load(path: &Path) -> Result<Stack> {
    let source = Source::read(path, Stack::LIMITS.bytes).map_err(|problem| drawn(&[*problem]))?;
    Ok(Stack::load(&source, path).map_err(|problems| drawn(&problems))?.stack)
}

fn render(name: String, stack: Stack) -> Result<Rendered> {
    let rendering = vigil_render::render(&stack, &vigil::TEMPLATES).map_err(|problems| drawn(&problems))?;
    let Rendering { files, mut objects, .. } = rendering;
    objects.retain(Object::is_applied);
    let directory = workplace::folder("stack-")?;
    vigil_directory::write(&directory.path().join("manifests"), &files).context(&name)?;
    Ok(Rendered { name, stack, objects, directory })
}

fn drawn(problems: &[Problem]) -> Failure {
    Failure::new(problems.iter().map(|problem| problem.draw(false)).collect::<String>())
}

/// Every string that stands under `key` somewhere in a value.
fn collect(value: &Value, key: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            into.extend(map.get(key).and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, key, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, key, into)),
        _ => {}
    }
}
