//! Renders `stack.yaml` into `manifests/`, and the templates, docs/upstream/ and docs/runbooks/ into the binary.
//!
//! A stack that does not load, render or pass the check leaves `manifests/` as it was, and does not stop the binary from
//! being built: that is what draws the mistake.

#[allow(unreachable_pub, reason = "it is public in the library")]
#[path = "src/checks.rs"]
mod checks;

use std::path::Path;
use std::{env, fs};
use vigil_render::Templates;
use vigil_stack::Stack;
use vigil_yaml::{Problem, Source};

/// How many mistakes a build tells of; the program tells them all.
const MOST_WARNINGS: usize = 10;

fn main() {
    match embed() {
        Ok(templates) => {
            if let Err(problems) = render(&templates) {
                warn(&problems);
            }
        }
        Err(problems) => {
            // cargo fails the build for these lines, and shows them without the noise that an exit code brings.
            for problem in problems {
                println!("cargo::error={}", problem.one_line());
            }
        }
    }
}

/// Makes the Rust sources that the library includes.
fn embed() -> Result<Templates, Vec<Problem>> {
    println!("cargo::rerun-if-changed=templates");
    println!("cargo::rerun-if-changed=docs/upstream");
    println!("cargo::rerun-if-changed=docs/runbooks");
    let templates = Templates::read(Path::new("templates"))?;
    write_source("templates.rs", &format!("&{:?}", templates.iter().collect::<Vec<_>>()))?;
    write_source(
        "differences.rs",
        &format!("&{:?}", pages(Path::new("docs/upstream"), |path| path.display().to_string())?),
    )?;
    write_source("runbooks.rs", &format!("&{:?}", pages(Path::new("docs/runbooks"), stem)?))?;
    Ok(templates)
}

/// The pages of a directory, in the order of their names: (name, text).
fn pages(directory: &Path, name: fn(&Path) -> String) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let problem = |error| vec![Problem::in_file(format!("cannot be read: {error}"), directory.display().to_string())];
    let mut texts = Vec::new();
    for entry in fs::read_dir(directory).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            texts.push((name(&path), fs::read_to_string(&path).map_err(problem)?));
        }
    }
    texts.sort();
    Ok(texts)
}

/// The alert that a runbook is of.
fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn write_source(name: &str, text: &str) -> Result<(), Vec<Problem>> {
    let path = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join(name);
    fs::write(&path, text)
        .map_err(|error| vec![Problem::in_file(format!("cannot be written: {error}"), path.display().to_string())])
}

/// Brings `manifests/` up to date with `stack.yaml`.
fn render(templates: &Templates) -> Result<(), Vec<Problem>> {
    println!("cargo::rerun-if-changed=stack.yaml");
    let source = Source::read(Path::new("stack.yaml"), Stack::LIMITS.bytes).map_err(|problem| vec![*problem])?;
    let parsed = Stack::load(&source, Path::new("stack.yaml"))?;
    for file in &parsed.files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let rendering = vigil_render::render(&parsed.stack, templates)?;
    let manifests = Path::new("manifests");
    checks::check(&rendering, manifests, &checks::options(&parsed).0, |_| false)?;
    // A source tree that cannot be written, as cargo's own copy of a dependency, still builds.
    vigil_directory::write_unseen(manifests, &rendering.files)
        .map(drop)
        .map_err(|error| vec![Problem::in_file(error.to_string(), "manifests")])
}

/// Tells what is wrong with the stack, in cargo's own way.
fn warn(problems: &[Problem]) {
    for problem in problems.iter().take(MOST_WARNINGS) {
        println!("cargo::warning={}", problem.one_line());
    }
    println!("cargo::warning=manifests/ is left as it was: `cargo run -- render` shows why");
}
