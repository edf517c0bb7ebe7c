//! What a path held in a revision of git: `HEAD:manifests`, read by git itself.

use crate::inputs;
use std::fs::{self, File};
use std::io::{BufRead as _, Read as _, Seek as _, Write as _};
use std::path::{Component, Path};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use vigil_yaml::{Limits, Problem, Quoted, Source};

/// Whether an argument names a revision and a path in it, and not a file that is there.
pub(crate) fn is_one(argument: &Path) -> bool {
    let text = argument.to_string_lossy();
    let revision = text.split_once(':').map_or("", |(revision, _)| revision);
    !revision.is_empty() && !revision.starts_with('-') && !argument.exists()
}

/// Whether a revision has a path, such as `./manifests`. The last commit of a repository without any has none.
///
/// # Errors
/// git cannot be started, or does not know the revision.
pub(crate) fn has(revision: &str, path: &str) -> Result<bool, Box<Problem>> {
    let commit = format!("{revision}^{{commit}}");
    let known = git(revision, &["rev-parse", "--quiet", "--verify", "--end-of-options", &commit], Stdio::null());
    if known.is_err() && revision == "HEAD" && is_new() {
        return Ok(false);
    }
    if known.is_err() && git(revision, &["--version"], Stdio::null()).is_ok() {
        let problem = Problem::in_file("git has no such revision here", revision);
        let help =
            "fetch it first: `fetch-depth: 0` of actions/checkout, `GIT_DEPTH: 0` in GitLab CI, or `git fetch` by hand";
        return Err(Box::new(problem.help(help)));
    }
    known?;
    Ok(git(revision, &["cat-file", "-e", &format!("{revision}:{path}")], Stdio::null()).is_ok())
}

/// Whether nobody has committed anything yet: HEAD names a branch that is not there, and nothing else is.
fn is_new() -> bool {
    let branch = git("HEAD", &["symbolic-ref", "--quiet", "HEAD"], Stdio::null());
    branch.is_ok() && git("HEAD", &["rev-list", "--all", "--max-count=1"], Stdio::null()).is_ok_and(|it| it.is_empty())
}

/// The texts of a file or directory in a revision.
pub(crate) fn read(argument: &Path) -> Result<Vec<Arc<Source>>, Vec<Problem>> {
    let name = argument.to_string_lossy();
    let failed = |problem: Box<Problem>| vec![*problem];
    let kind = git(&name, &["cat-file", "-t", &name], Stdio::null()).map_err(failed)?;
    if kind.trim_ascii() != b"tree" {
        let text = git(&name, &["cat-file", "blob", &name], Stdio::null()).map_err(failed)?;
        return Source::read_from(text.as_slice(), &name, Limits::default().bytes)
            .map(|source| vec![source])
            .map_err(|it| vec![*it]);
    }
    inputs::read_as(unpacked(argument)?.path(), &name)
}

/// The files of a directory in a revision, in a folder that is gone when nobody holds it any more.
pub(crate) fn unpacked(argument: &Path) -> Result<TempDir, Vec<Problem>> {
    let name = argument.to_string_lossy();
    let failed = |problem: Box<Problem>| vec![*problem];
    let folder = tempfile::tempdir().map_err(|error| failed(unkept(&name, &error)))?;
    unpack(&name, folder.path()).map_err(failed)?;
    Ok(folder)
}

/// Writes the files of a tree into a folder.
fn unpack(name: &str, folder: &Path) -> Result<(), Box<Problem>> {
    let unkept = |error: std::io::Error| unkept(name, &error);
    let list = git(name, &["ls-tree", "-r", "-z", "--full-tree", name], Stdio::null())?;
    let mut paths = Vec::new();
    let mut wanted = tempfile::tempfile().map_err(unkept)?;
    for entry in list.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok()) {
        // `100644 blob HASH\tPATH`; a link is no file, and a submodule no blob.
        let Some((head, path)) = entry.split_once('\t') else { continue };
        let [mode, "blob", hash] = head.split(' ').collect::<Vec<_>>()[..] else { continue };
        let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if mode == "120000" || !is_inside {
            continue;
        }
        writeln!(wanted, "{hash}").map_err(unkept)?;
        paths.push(path);
    }
    wanted.rewind().map_err(unkept)?;
    let all = git(name, &["cat-file", "--batch", "--buffer"], wanted.into())?;
    let mut rest = all.as_slice();
    for path in paths {
        // `HASH blob SIZE`, the bytes, and the end of the line.
        let mut head = String::new();
        rest.read_line(&mut head).map_err(unkept)?;
        let size = head.trim_end().rsplit(' ').next().and_then(|size| size.parse().ok()).unwrap_or(0);
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap_or(folder)).map_err(unkept)?;
        let mut file = File::create(file).map_err(unkept)?;
        std::io::copy(&mut rest.by_ref().take(size), &mut file).map_err(unkept)?;
        rest = rest.get(1..).unwrap_or_default();
    }
    Ok(())
}

/// What git writes.
fn git(name: &str, arguments: &[&str], input: Stdio) -> Result<Vec<u8>, Box<Problem>> {
    let mut command = Command::new("git");
    // Nothing is fetched, also in a clone that has not everything.
    command.args(arguments).env("GIT_NO_LAZY_FETCH", "1").env("LC_ALL", "C").stdin(input);
    let output = command.output().map_err(|error| {
        let problem = Problem::in_file(format!("needs git to be read, which cannot be started: {error}"), name);
        Box::new(problem.help("install git, or name a directory instead: `vigil diff manifests`"))
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned();
    let problem = Problem::in_file(format!("git does not have it: {}", Quoted(&said)), name);
    let help = "write `REVISION:PATH`, with a path from the root of the repository or from `./`, or name a directory";
    Err(Box::new(problem.help(help)))
}

fn unkept(name: &str, error: &std::io::Error) -> Box<Problem> {
    let message = format!("cannot be kept in {}: {error}", std::env::temp_dir().display());
    Box::new(Problem::in_file(message, name).help("set `TMPDIR` to a directory with room"))
}
