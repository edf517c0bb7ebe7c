//! A repository for people who have the program and nothing else: the stack, what it renders to, and what reviews, renews and
//! completes it.

use super::super::render::{directory_problem, known, not_clean};
use super::{Failure, Outcome, Selection};
use crate::terminal::Terminal;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use vigil_yaml::Problem;

/// Who hosts the repository, and judges its changes.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Host {
    /// A workflow of GitHub Actions.
    Github,
    /// A job of GitLab CI.
    Gitlab,
}

impl Host {
    fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Github => (".github/workflows/vigil.yaml", include_str!("repository/github.yaml")),
            Self::Gitlab => (".gitlab-ci.yml", include_str!("repository/gitlab.yaml")),
        }
    }
}

/// What stands in the files for where the program was released, and as which version.
const ORIGIN: &str = "OWNER/REPOSITORY";
const VERSION: &str = "REVISION";

/// Where this program was released. A build by hand does not know it.
const RELEASED: Option<&str> = option_env!("VIGIL_REPOSITORY");

/// Where editors find the schema; those of JetBrains read `.idea` instead.
const MODELINE: &str = "# yaml-language-server: $schema=./stack.schema.json\n";

const MANIFESTS: &str = "manifests";

/// The files of the repository but for its manifests, by their paths in it.
fn files(stack: &str, host: Host) -> Vec<(&'static str, String)> {
    let (ci, job) = host.file();
    let fixed = [
        ("stack.schema.json", vigil::STACK_SCHEMA),
        (".idea/jsonSchemas.xml", include_str!("repository/jsonSchemas.xml")),
        (".gitattributes", include_str!("repository/gitattributes")),
        (".gitignore", include_str!("repository/gitignore")),
        (".pre-commit-config.yaml", include_str!("repository/pre-commit.yaml")),
        ("renovate.json", include_str!("repository/renovate.json")),
        ("README.md", include_str!("repository/README.md")),
        (ci, job),
    ];
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let fill = |text: &str| text.replace(ORIGIN, RELEASED.unwrap_or(ORIGIN)).replace(VERSION, version);
    let stack = (super::super::STACK, format!("{MODELINE}{stack}"));
    [stack].into_iter().chain(fixed.map(|(path, text)| (path, fill(text)))).collect()
}

pub(super) fn run(folder: &Path, stack: &str, host: Host, terminal: &Terminal) -> Result<Outcome, Failure> {
    // As messages call the files in it.
    let folder = if folder == Path::new(".") { Path::new("") } else { folder };
    let (mut made, mut left) = (Vec::new(), Vec::new());
    let files = files(stack, host);
    for (path, text) in &files {
        let is_made = write(&folder.join(path), text).map_err(|problem| {
            Failure::new(vec![*problem], "not all was written; once that is mended, run it again: what is there stays")
        })?;
        if is_made { made.push((*path).to_owned()) } else { left.push(*path) }
    }
    if folder.join(MANIFESTS).symlink_metadata().is_ok() {
        left.push(MANIFESTS);
    } else {
        manifests(folder)?;
        made.push(MANIFESTS.to_owned());
    }
    let is_open = |path: &str| files.iter().any(|(name, text)| *name == path && text.contains(ORIGIN));
    let open: Vec<_> = made.iter().filter(|path| is_open(path)).map(String::as_str).collect();
    terminal.done(&summary(folder, &made, &left, &open))?;
    Ok(Outcome::Clean)
}

/// Writes a file that is not there, and says whether it did.
fn write(path: &Path, text: &str) -> Result<bool, Box<Problem>> {
    let refused = |error: std::io::Error, path: &Path| {
        Box::new(Problem::in_file(format!("cannot be written: {error}"), path.display().to_string()))
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                let problem = Problem::in_file("is no folder", folder.display().to_string());
                Box::new(problem.help("name another folder, or move this out of the way"))
            }
            _ => refused(error, folder),
        })?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true).map_err(|error| refused(error, path)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(refused(error, path)),
    }
}

/// Renders the stack that is there into manifests that are not.
fn manifests(folder: &Path) -> Result<(), Failure> {
    let refused = |problems| Failure::new(problems, "the manifests were not written; all other files are there");
    let out = folder.join(MANIFESTS);
    let rendered = Selection::of_file(&folder.join(super::super::STACK)).render().map_err(refused)?;
    let (options, _) = vigil::checks::options(&rendered.parsed);
    vigil::checks::check(&rendered.rendering, &out, &options, known(true, &options)).map_err(not_clean)?;
    let written = vigil_directory::write(&out, &rendered.rendering.files);
    written.map_err(|error| refused(vec![directory_problem(&out, &error)]))?;
    Ok(())
}

fn summary(folder: &Path, made: &[String], left: &[&str], open: &[&str]) -> String {
    let mut text = String::new();
    for path in made {
        let _ = writeln!(text, "  + {path}");
    }
    for path in left {
        let _ = writeln!(text, "  = {path}, which was there: left as it is");
    }
    if !open.is_empty() {
        let _ = writeln!(
            text,
            "\nthis program was not built by a release: write where you have it from in the place of {ORIGIN} in {}",
            open.join(", ")
        );
    }
    if let Some(root) = root_above(folder) {
        let _ = writeln!(
            text,
            "\n{} is a repository already, and code hosts look for their files at its root: move those there that begin with a dot",
            root.display()
        );
    }
    let go = if folder == Path::new("") { String::new() } else { format!("`cd {}`, ", folder.display()) };
    let _ = writeln!(
        text,
        "\nnext: {go}`git init` where there is no repository yet, read stack.yaml, `vigil render`, commit"
    );
    let _ = writeln!(text, "README.md has the commands for every day; `vigil ci` is what a pull request is asked");
    text
}

/// The repository that a folder lies in, without being its root.
fn root_above(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(if folder == Path::new("") { Path::new(".") } else { folder }).ok()?;
    let root = folder.ancestors().find(|above| above.join(".git").exists())?;
    (root != folder).then(|| root.to_owned())
}
