//! From releases of the charts to the stack, in a cluster that holds what Helm made.

use crate::apply::SENT_AGAIN;
use crate::assets::Release;
use crate::changes;
use crate::control_plane::ControlPlane;
use crate::failure::{Context, Failure, Result};
use crate::prerequisites::{self, create};
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::{self, Rendered, root};
use crate::{volumes, workplace};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vigil_diff::Class;

const METHOD: &str = "\
A cluster gets what `helm template` makes of the charts, by `kubectl create`, as Helm makes objects: without the annotation that
`kubectl apply` compares with. Then the steps of [upgrade.md](upgrade.md#from-helm-releases): `kubectl apply set-last-applied`, and
`just apply` of the stack. What the API server refuses must be what `vigil diff` announces of the two sets; after its commands the
same steps succeed, the third time without a change, and every Service selects what its manifest says and nothing more. Without
the first step selectors of both sides are merged, and select nothing: that is counted in a cluster of its own. With volumes and
replicas the charts' objects are those without, changed as the charts' templates change them: the charts were not rendered anew.";

const COLUMNS: [&str; 7] = [
    "Kubernetes",
    "stack",
    "objects of the charts, of the stack",
    "refused, and announced",
    "a third time unchanged",
    "left behind, and announced",
    "Services that select nothing without the first step",
];

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered], charts: &Path) -> Result<Proof> {
    let mut proof = Proof::new("From the charts to the stack", METHOD, &COLUMNS);
    let charts = Charts::read(charts)?;
    // The charts bring metrics, logs and the test application: the stacks that do.
    let mut ways: Vec<(&Rendered, &Charts)> = Vec::new();
    let of_charts = |stack: &&Rendered| ["charts", "tutorial"].contains(&stack.name.as_str());
    ways.extend(stacks.iter().filter(of_charts).map(|stack| (stack, &charts)));
    let with_volumes = charts.with_volumes()?;
    let stack = match stacks.iter().find(|stack| stack.name == "charts") {
        Some(stack) => Some(stacks::over(&stack.name, "charts, volumes and replicas", volumes::KEYS)?),
        None => None,
    };
    ways.extend(stack.iter().map(|stack| (stack, &with_volumes)));
    for (stack, charts) in ways {
        for release in releases {
            eprintln!("  Kubernetes {}, the charts to {}", release.version, stack.name);
            way(release, stack, charts, &mut proof)?;
        }
    }
    if proof.rows.is_empty() {
        return Err(Failure::new("the charts are compared with the stacks `charts` and `tutorial`"));
    }
    Ok(proof)
}

/// What the charts make.
struct Charts {
    files: Vec<PathBuf>,
    objects: Vec<Value>,
    /// Where the files are, if they were written for the proof.
    _folder: Option<TempDir>,
}

impl Charts {
    fn read(path: &Path) -> Result<Self> {
        let path = path.canonicalize().context(path.display())?;
        let mut files = vec![path.clone()];
        if path.is_dir() {
            let entries = fs::read_dir(&path).context(path.display())?;
            files = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
            files.sort();
        }
        let objects = files.iter().map(|file| changes::objects(file)).collect::<Result<Vec<_>>>()?.concat();
        if objects.is_empty() {
            return Err(Failure::new(format!("{} holds no objects", path.display())));
        }
        Ok(Self { files, objects, _folder: None })
    }

    /// The same with volumes and several replicas.
    fn with_volumes(&self) -> Result<Self> {
        let mut objects = self.objects.clone();
        volumes::of_charts(&mut objects);
        let folder = workplace::folder("charts-")?;
        let path = folder.path().join("charts.yaml");
        let text: String = objects.iter().flat_map(|object| ["---\n".to_owned(), vigil_yaml::write(object)]).collect();
        fs::write(&path, text).context(path.display())?;
        Ok(Self { files: vec![path], objects, _folder: Some(folder) })
    }

    /// Has kubectl do something with all of them.
    fn given(&self, plane: &ControlPlane, words: &[&str]) -> Result<()> {
        let words = words.iter().map(OsStr::new);
        let files = self.files.iter().flat_map(|file| [OsStr::new("-f"), file.as_os_str()]);
        plane.kubectl.run(&words.chain(files).collect::<Vec<_>>())?.ok("what the charts make").map(drop)
    }

    /// Makes them as Helm does.
    fn install(&self, release: &Release, stack: &Rendered) -> Result<ControlPlane> {
        let plane = ControlPlane::start(release)?;
        prerequisites::bring(&plane, stack)?;
        plane.kubectl.define([root().join("templates/crds").as_path()])?;
        for namespace in self.objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str()) {
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
            create(&plane, "/api/v1/namespaces", &namespace)?;
        }
        self.given(&plane, &["create"])?;
        Ok(plane)
    }
}

fn way(release: &Release, stack: &Rendered, charts: &Charts, proof: &mut Proof) -> Result<()> {
    let title = format!("Kubernetes {}, the charts to {}", release.version, stack.name);
    let ours: Vec<Value> = stack.objects.iter().map(|object| (*object.value).clone()).collect();
    let diff = vigil_diff::compare(&charts.objects, &ours, changes::options(release));
    let apply = recipe::script("apply")?;
    let directory = stack.directory.path();

    let plane = charts.install(release, stack)?;
    charts.given(&plane, &["apply", "set-last-applied", "--create-annotation=true"])?;
    let said = plane.kubectl.shell(&apply, directory)?;
    let came = changes::refused(&said.stderr);
    proof.expect(said.status == 0 || !came.is_empty(), || format!("{title}: {}", said.stderr.trim_end()));
    changes::compare(&title, &came, &changes::announced(&diff), proof);
    for command in diff.of(Class::Refused).flat_map(|effect| &effect.commands) {
        plane.kubectl.shell(command, directory)?.ok(command)?;
    }
    plane.kubectl.shell(&apply, directory)?.ok("after the remedies")?;
    let third = plane.kubectl.run(&["apply", "-k", &directory.join("manifests").display().to_string()])?;
    let applied = third.applied();
    let same = |name: &str, what: &str| what == "unchanged" || SENT_AGAIN.iter().any(|kind| name.starts_with(kind));
    let changed: Vec<_> = applied.iter().filter(|(name, what)| !same(name, what)).collect();
    for (name, what) in &changed {
        proof.finding(format!("{title}: {name} {what}, the third time"));
    }
    for (name, selector) in merged_selectors(&plane, stack)? {
        proof.finding(format!("{title}: Service {name} selects {selector}"));
    }
    let behind = charts.objects.iter().filter(|object| !ours.iter().any(|it| identity(it) == identity(object))).count();
    let announced = diff.gone.len();
    proof.expect(behind == announced, || format!("{title}: {behind} stay behind, {announced} are announced"));

    let naive = charts.install(release, stack)?;
    naive.kubectl.shell(&apply, directory)?;
    let merged = merged_selectors(&naive, stack)?.len();
    proof.row([
        release.version.clone(),
        stack.name.clone(),
        format!("{}, {}", charts.objects.len(), ours.len()),
        came.iter().map(|(kind, name)| format!("{kind} {name}")).collect::<Vec<_>>().join(", "),
        format!("{} of {}", applied.len() - changed.len(), applied.len()),
        behind.to_string(),
        merged.to_string(),
    ]);
    Ok(())
}

/// An object that names no namespace goes to kubectl's.
fn identity(object: &Value) -> [&str; 3] {
    let text = |at| object.pointer(at).and_then(Value::as_str);
    [
        text("/kind").unwrap_or_default(),
        text("/metadata/namespace").unwrap_or("default"),
        text("/metadata/name").unwrap_or_default(),
    ]
}

/// The Services whose selectors are not those of their manifests, with what they are.
fn merged_selectors(plane: &ControlPlane, stack: &Rendered) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for object in stack.objects.iter().filter(|object| object.kind() == "Service") {
        let path = format!("/api/v1/namespaces/{}/services/{}", object.namespace(), object.name());
        let there = plane.api.get(&path)?.ok(&path)?;
        if there["spec"]["selector"] != object.value["spec"]["selector"] {
            found.insert(object.title(), there["spec"]["selector"].clone());
        }
    }
    Ok(found)
}
