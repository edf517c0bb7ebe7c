use crate::failure::{Context, Failure, Result};
use crate::process::wait_for;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// kubectl, pointed to one control plane.
#[derive(Clone)]
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    /// Its cache of what the server knows, which another server at the same port must not see.
    home: PathBuf,
}

/// What kubectl said.
pub(crate) struct Said {
    /// The exit status; -1 when a signal ended it.
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// What it was asked for, or what went wrong.
    pub(crate) fn ok(self, what: &str) -> Result<String> {
        if self.status == 0 {
            return Ok(self.stdout);
        }
        Err(Failure::new(format!("{what} (exit {}):\n{}", self.status, self.stderr.trim_end())))
    }

    /// What it, or the server through it, warned of.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.stderr.lines().filter(|line| line.starts_with("Warning:")).map(str::to_owned).collect()
    }

    /// The objects that an apply went over: name, and what became of it.
    pub(crate) fn applied(&self) -> Vec<(&str, &str)> {
        self.stdout.lines().filter_map(|line| line.rsplit_once(' ')).collect()
    }
}

impl Kubectl {
    pub(crate) fn new(program: &Path, kubeconfig: PathBuf, home: &Path) -> Self {
        Self { program: program.to_owned(), kubeconfig, home: home.to_owned() }
    }

    /// The same kubectl with another configuration.
    pub(crate) fn with(&self, kubeconfig: PathBuf) -> Self {
        Self { kubeconfig, ..self.clone() }
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Said> {
        self.said(Command::new(&self.program).args(arguments))
    }

    /// Runs what a shell makes of `script` in a directory, with this kubectl as `kubectl`.
    pub(crate) fn shell(&self, script: &str, directory: &Path) -> Result<Said> {
        let programs = self.program.parent().unwrap_or(Path::new("/"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(programs.to_owned()).chain(std::env::split_paths(&path));
        let path = std::env::join_paths(paths).context("PATH")?;
        let mut command = Command::new("bash");
        self.said(command.args(["-euo", "pipefail", "-c", script]).current_dir(directory).env("PATH", path))
    }

    /// Brings custom resource definitions, and waits until the API server serves what they define.
    pub(crate) fn define<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Result<()> {
        let files: Vec<_> = paths.into_iter().flat_map(|path| [OsStr::new("-f"), path.as_os_str()]).collect();
        let words =
            |words: &'static [&str]| words.iter().map(OsStr::new).chain(files.iter().copied()).collect::<Vec<_>>();
        self.run(&words(&["apply", "--server-side", "--recursive"]))?.ok("the definitions")?;
        // Before a definition has any condition, some releases of kubectl fail instead of waiting.
        let wait = words(&["wait", "--for", "condition=established", "--timeout=60s", "--recursive"]);
        let established = || self.run(&wait).is_ok_and(|said| said.status == 0);
        if wait_for(Duration::from_secs(60), established) {
            return Ok(());
        }
        Err(Failure::new("the API server does not serve what the definitions define"))
    }

    /// The environment that makes any client of this machine talk to this control plane.
    pub(crate) fn environment(&self) -> [(&'static str, &OsStr); 2] {
        [("KUBECONFIG", self.kubeconfig.as_os_str()), ("HOME", self.home.as_os_str())]
    }

    fn said(&self, command: &mut Command) -> Result<Said> {
        let output = command.envs(self.environment()).output().context(self.program.display())?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said {
            status: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }
}
