//! Renders the committed `stack.yaml` into `manifests/`, and the same set, the templates and docs/upstream/ into the binary.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};
use vigil_render::{Object, Templates};
use vigil_stack::Stack;
use vigil_yaml::{Problem, Source};

fn main() {
    if let Err(problems) = run() {
        // cargo fails the build for these lines, and shows them without the noise that an exit code brings.
        for problem in problems {
            println!("cargo::error={}", problem.one_line());
        }
    }
}

fn run() -> Result<(), Vec<Problem>> {
    println!("cargo::rerun-if-changed=stack.yaml");
    println!("cargo::rerun-if-changed=templates");
    println!("cargo::rerun-if-changed=docs/upstream");
    let source = Source::read(Path::new("stack.yaml"), Stack::LIMITS.bytes).map_err(|problem| vec![*problem])?;
    let stack = Stack::load(&source, Path::new("stack.yaml"))?.stack;
    for file in stack.grafana.dashboards.iter().filter_map(|dashboard| dashboard.file.as_ref()) {
        println!("cargo::rerun-if-changed={file}");
    }
    let templates = Templates::read(Path::new("templates"))?;
    let rendering = vigil_render::render(&stack, &templates)?;
    embed("manifests.rs", &manifests(&rendering.objects))?;
    embed("templates.rs", &format!("&{:?}", templates.iter().collect::<Vec<_>>()))?;
    embed("differences.rs", &format!("&{:?}", differences(Path::new("docs/upstream"))?))?;
    write(&rendering.files);
    Ok(())
}

/// The tables of deliberate differences, by name: (file, text).
fn differences(directory: &Path) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let problem = |error| vec![Problem::in_file(format!("cannot be read: {error}"), directory.display().to_string())];
    let mut texts = Vec::new();
    for entry in fs::read_dir(directory).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            texts.push((path.display().to_string(), fs::read_to_string(&path).map_err(problem)?));
        }
    }
    texts.sort();
    Ok(texts)
}

/// The source of the `MANIFESTS` constant.
fn manifests(objects: &[Object]) -> String {
    let manifest = |object: &Object| {
        format!(
            "Manifest {{ path: {:?}, api_version: {:?}, kind: {:?}, namespace: {:?}, name: {:?}, text: {:?} }}",
            object.path,
            object.api_version(),
            object.kind(),
            object.namespace(),
            object.name(),
            object.value.text()
        )
    };
    format!("&[{}]", objects.iter().map(manifest).collect::<Vec<_>>().join(",\n"))
}

fn embed(name: &str, text: &str) -> Result<(), Vec<Problem>> {
    let path = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join(name);
    fs::write(&path, text)
        .map_err(|error| vec![Problem::in_file(format!("cannot be written: {error}"), path.display().to_string())])
}

/// Writes `manifests/`. A source tree that cannot be written, as cargo's own copy of a dependency, still builds: the
/// binary holds the set.
fn write(files: &BTreeMap<String, String>) {
    if let Err(error) = vigil_directory::write(Path::new("manifests"), files) {
        println!("cargo::warning=manifests/ is left as it was: {error}");
    }
}
