//! The commands of the README as a person types them: through cargo, in a copy of the repository whose build script has
//! rendered before the program runs.
//!
//! The copy and what is built of it stay in cargo's folder for tests, so that only the first run takes long.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use support::{approved, text};
use walkdir::WalkDir;

/// What a build reads, or cargo looks for.
const COPIED: [&str; 13] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "benches",
    "clusters.schema.json",
    "crates",
    "docs",
    "schemas",
    "src",
    "stack.schema.json",
    "stacks",
    "templates",
    "tests",
];

/// A copy of the repository that one test at a time works in.
struct Repository {
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Repository {
    /// A copy with the tutorial's stack, rendered, of which everything was told.
    fn rendered() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let repository = Self { folder: home().join("repository"), _alone: alone };
        for name in COPIED {
            bring(&support::root().join(name), &repository.folder.join(name));
        }
        bring(&support::root().join("stacks/tutorial.yaml"), &repository.path("stack.yaml"));
        take_over(&home().join("target/debug"));
        let output = repository.cargo(&["run", "--", "render"]);
        assert!(output.status.success(), "{}", text(&output));
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let (subcommand, rest) = arguments.split_first().unwrap();
        let mut command = Command::new(env!("CARGO"));
        // What cargo tells this test of its own package is nothing to the other one.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"CARGO_")) {
            if name != "CARGO_HOME" {
                command.env_remove(name);
            }
        }
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", home().join("target"))
            .args([*subcommand, "--offline", "--locked"])
            .args(rest)
            .output()
            .unwrap()
    }

    /// Replaces text of a file, which must be there.
    fn edit(&self, name: &str, old: &str, new: &str) {
        let before = fs::read_to_string(self.path(name)).unwrap();
        assert!(before.contains(old), "{name} holds no {old:?}");
        fs::write(self.path(name), before.replace(old, new)).unwrap();
    }

    /// Every file of `manifests/`, with its text and the time of its last change.
    fn manifests(&self) -> BTreeMap<PathBuf, (String, SystemTime)> {
        let files = files(&self.path("manifests")).into_iter();
        files
            .map(|path| {
                let modified = fs::metadata(&path).unwrap().modified().unwrap();
                let text = fs::read_to_string(&path).unwrap();
                (path, (text, modified))
            })
            .collect()
    }
}

/// Puts what is compiled of other people's crates into a new build directory: cargo finds them as they are, and compiles only
/// what is in the copy. The crates of the workspace are left out, which cargo names by their place in it and would take for
/// those of the copy.
fn take_over(to: &Path) {
    if to.exists() {
        return;
    }
    // This program is in `deps`.
    let own = std::env::current_exe().unwrap();
    let from = own.ancestors().nth(2).unwrap();
    for folder in ["deps", "build", ".fingerprint"] {
        for path in files(&from.join(folder)) {
            let name = path.strip_prefix(from).unwrap();
            let is_library = ["rlib", "rmeta", "so", "dylib", "dll", "d"]
                .iter()
                .any(|it| path.extension().is_some_and(|have| have == *it));
            let of_workspace = name.components().any(|part| part.as_os_str().to_string_lossy().contains("vigil"));
            if of_workspace || (folder == "deps" && !is_library) {
                continue;
            }
            let to = to.join(name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&path, &to).unwrap();
            // By these cargo tells what is older than what it is made of.
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            fs::File::options().write(true).open(&to).unwrap().set_modified(modified).unwrap();
        }
    }
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cargo")
}

fn files(directory: &Path) -> BTreeSet<PathBuf> {
    let entries = WalkDir::new(directory).into_iter().map(Result::unwrap);
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// Makes `to` what `from` is. What is the same is not written, so that cargo does not build it again.
fn bring(from: &Path, to: &Path) {
    let wanted = files(from);
    for path in &wanted {
        let relative = path.strip_prefix(from).unwrap();
        let target = if relative.as_os_str().is_empty() { to.to_owned() } else { to.join(relative) };
        let text = fs::read(path).unwrap();
        if fs::read(&target).ok().as_ref() != Some(&text) {
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, text).unwrap();
        }
    }
    for path in if to.is_dir() { files(to) } else { BTreeSet::new() } {
        if !wanted.contains(&from.join(path.strip_prefix(to).unwrap())) {
            fs::remove_file(path).unwrap();
        }
    }
}

/// Compares what a command said with the approved snapshot, without what cargo says of its own work.
fn told(name: &str, mut output: Output) {
    let said = String::from_utf8(output.stderr).unwrap();
    let of_cargo = ["Compiling ", "Finished ", "Running ", "Blocking "];
    let kept = said.lines().filter(|line| !of_cargo.iter().any(|word| line.trim_start().starts_with(word)));
    output.stderr = kept.fold(String::new(), |text, line| text + line + "\n").into_bytes();
    approved(name, &output);
}

#[test]
fn what_the_build_changed_is_told_by_render_once() {
    let repository = Repository::rendered();
    repository.edit("stack.yaml", "retention: 7d", "retention: 14d");
    let built = repository.cargo(&["build"]);
    assert!(built.status.success(), "{}", text(&built));
    repository.edit("stack.yaml", "replicas: 3", "replicas: 2");
    told("cargo-render-changed", repository.cargo(&["run", "--", "render"]));
    told("cargo-render-again", repository.cargo(&["run", "--", "render"]));
}

#[test]
fn a_stale_directory_fails_the_gate_once() {
    let repository = Repository::rendered();
    repository.edit("stack.yaml", "replicas: 3", "replicas: 2");
    told("cargo-check-stale", repository.cargo(&["run", "--", "render", "--check"]));
    told("cargo-check-clean", repository.cargo(&["run", "--", "render", "--check"]));

    // Without a change of the stack, no build repairs what somebody wrote into it.
    repository.edit("manifests/flask/service.yaml", "port: 80\n", "port: 81\n");
    told("cargo-check-edited", repository.cargo(&["run", "--", "render", "--check"]));
}

#[test]
fn what_the_check_refuses_is_not_written() {
    let repository = Repository::rendered();
    let before = repository.manifests();
    repository.edit("templates/flask/service.yaml.hbs", "targetPort: ", "targetPort: no-");
    told("cargo-render-refused", repository.cargo(&["run", "--", "render"]));
    assert_eq!(repository.manifests(), before);
}

#[test]
fn a_broken_stack_stops_nothing_but_its_own_render() {
    let repository = Repository::rendered();
    let before = repository.manifests();
    fs::write(repository.path("stack.yaml"), "grafana:\n  servise: {}\n").unwrap();
    told("cargo-render-broken-stack", repository.cargo(&["run", "--", "render"]));
    for arguments in [
        ["explain", "unknown-field"].as_slice(),
        &["schema"],
        &["check", "stacks", "--kubernetes", "1.29"],
        &["render", "--stack", "stacks/minimal.yaml", "--out", "out"],
    ] {
        let output = repository.cargo(&[&["run", "--quiet", "--"], arguments].concat());
        let said = text(&output);
        assert_ne!(output.status.code(), Some(101), "{said}");
        assert!(!said.contains("servise") || arguments[0] == "check", "{said}");
    }
    assert_eq!(repository.manifests(), before);
}

/// What the build script and the program both need is compiled once: twice, the first render would take as long again.
#[test]
fn nothing_is_compiled_for_the_build_and_again_for_the_program() {
    let repository = Repository::rendered();
    let output = repository.cargo(&["build", "--message-format", "json"]);
    assert!(output.status.success(), "{}", text(&output));
    let mut libraries = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        if message["reason"] == "compiler-artifact" && message["target"]["kind"][0] == "lib" {
            *libraries.entry(message["package_id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    assert!(libraries.len() > 20, "{libraries:?}");
    libraries.retain(|_, times| *times > 1);
    assert!(libraries.is_empty(), "compiled with two sets of features: {libraries:?}");
}
