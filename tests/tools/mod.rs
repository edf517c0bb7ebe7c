//! kubectl and helm, as `.ci/install-kubectl` lays them down, and what `.ci/install-sarif`, `.ci/install-checkov` and
//! `.ci/install-lezer` do.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders in the cache: the oldest and the newest release.
const RELEASES: [&str; 2] = ["kubectl-v29", "kubectl-v35"];

/// `program` of every release; empty when one is missing.
pub(crate) fn all_releases(program: &str) -> Vec<PathBuf> {
    let Some(cache) = cache() else { return missing("the folder for tools: neither VIGIL_TOOLS nor HOME is set") };
    let programs: Vec<_> = RELEASES.iter().map(|release| cache.join(release).join(program)).collect();
    match programs.iter().find(|path| !path.is_file()) {
        Some(path) => missing(&path.display().to_string()),
        None => programs,
    }
}

/// The schema of SARIF, if it is there.
pub(crate) fn sarif_schema() -> Option<String> {
    let path = cache()?.join("sarif/sarif-2.1.0.json");
    let schema = std::fs::read_to_string(&path).ok();
    if schema.is_none() {
        not_checked(&path.display().to_string(), "run `.ci/install-sarif`");
    }
    schema
}

/// checkov, if it is there.
pub(crate) fn checkov() -> Option<PathBuf> {
    let path = cache()?.join("checkov/bin/checkov");
    if !path.is_file() {
        not_checked(&path.display().to_string(), "run `.ci/install-checkov`");
        return None;
    }
    Some(path)
}

/// The folder with the grammar of Grafana's editor for LogQL, if it and Node are there.
pub(crate) fn logql_packages() -> Option<PathBuf> {
    let path = cache()?.join("logql");
    let is_there = path.join("node_modules/@grafana/lezer-logql").is_dir();
    if !is_there || Command::new("node").arg("--version").output().is_err() {
        not_checked(&path.display().to_string(), "install Node and run `.ci/install-lezer`");
        return None;
    }
    Some(path)
}

/// The folder of the tools.
pub(crate) fn cache() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("VIGIL_TOOLS")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("vigil")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/vigil")))
}

fn missing(what: &str) -> Vec<PathBuf> {
    not_checked(what, "run `.ci/install-kubectl`");
    Vec::new()
}

/// A browser, if there is one. None is an error nowhere: it is 300 MB, and machines of code hosts have one.
pub(crate) fn chromium() -> Option<PathBuf> {
    let folders: Vec<_> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    let names = ["chromium", "google-chrome", "google-chrome-stable", "chromium-browser"];
    let found =
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file());
    if found.is_none() {
        tell_not_checked("Chromium", "install it");
    }
    found
}

/// Tells that a check needs what is not there: an error under CI and a loud word elsewhere, since the tests pass on a
/// machine that has Rust and git.
pub(crate) fn not_checked(missing: &str, remedy: &str) {
    let in_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(!in_ci, "missing: {missing}; {remedy}");
    tell_not_checked(missing, remedy);
}

fn tell_not_checked(missing: &str, remedy: &str) {
    // Not `eprintln!`, which is shown for failing tests alone.
    let _ = writeln!(io::stderr(), "\nNOT CHECKED, missing: {missing}; {remedy}, then the tests again\n");
}

/// promtool of the Prometheus that stacks run, if it is there.
pub(crate) fn promtool() -> Option<PathBuf> {
    built("promtool", "promtool")
}

/// crane, which asks registries and can be one, if it is there.
pub(crate) fn crane() -> Option<PathBuf> {
    built("crane", "crane")
}

/// A program of the Alertmanager that stacks run, `alertmanager` or `amtool`, if it is there.
pub(crate) fn of_alertmanager(program: &str) -> Option<PathBuf> {
    built("alertmanager", program)
}

/// The Loki that stacks run, if it is there: a separate program, which nobody needs but `just pictures` and proofs.
pub(crate) fn loki() -> Option<PathBuf> {
    built("loki", "loki")
}

/// What `tools/cluster/build` made of a folder.
fn built(folder: &str, program: &str) -> Option<PathBuf> {
    let path = cache()?.join("cluster").join(folder).join(program);
    if !path.is_file() {
        not_checked(&path.display().to_string(), &format!("run `tools/cluster/build {folder}`"));
        return None;
    }
    Some(path)
}

/// What a command that succeeded wrote to stdout.
pub(crate) fn output_of(program: &Path, arguments: &[&OsStr]) -> String {
    let mut command = Command::new(program);
    let output = command.args(arguments).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
