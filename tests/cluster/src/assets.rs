//! Where the programs are: in `KUBEBUILDER_ASSETS`, as setup-envtest lays them out, or where `tools/cluster/build` puts
//! them.

use crate::failure::{Context, Failure, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs of one release of Kubernetes.
#[derive(Clone)]
pub(crate) struct Release {
    /// Its version, such as `1.29.15`.
    pub(crate) version: String,
    pub(crate) etcd: PathBuf,
    pub(crate) apiserver: PathBuf,
    pub(crate) kubectl: PathBuf,
    /// Not part of what setup-envtest lays down.
    pub(crate) controller_manager: Option<PathBuf>,
}

/// The releases to prove with, the oldest first.
pub(crate) fn releases() -> Result<Vec<Release>> {
    if let Some(assets) = variable("KUBEBUILDER_ASSETS") {
        return Ok(vec![Release::found(&assets, &assets)?]);
    }
    let built = built()?;
    let entries = fs::read_dir(&built).context(format!("{}; run tools/cluster/build", built.display()))?;
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("kubernetes-")));
    folders.sort();
    if folders.is_empty() {
        return Err(Failure::new(format!("no Kubernetes in {}; run tools/cluster/build", built.display())));
    }
    folders.iter().map(|folder| Release::found(folder, &built.join("etcd"))).collect()
}

impl Release {
    fn found(kubernetes: &Path, etcd: &Path) -> Result<Self> {
        let apiserver = existing(kubernetes.join("kube-apiserver"))?;
        let output = Command::new(&apiserver).arg("--version").output().context(apiserver.display())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = said.trim().strip_prefix("Kubernetes v");
        let version = version.ok_or_else(|| Failure::new(format!("{}: {said}", apiserver.display())))?;
        Ok(Self {
            version: version.to_owned(),
            etcd: existing(etcd.join("etcd"))?,
            apiserver,
            kubectl: existing(kubernetes.join("kubectl"))?,
            controller_manager: existing(kubernetes.join("kube-controller-manager")).ok(),
        })
    }

    /// The minor version, such as `1.29`.
    pub(crate) fn minor(&self) -> String {
        self.version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
    }
}

/// A program of the stack that `tools/cluster/build` made: `program` of the module in the folder `module`.
pub(crate) fn program(module: &str, program: &str) -> Result<PathBuf> {
    existing(built()?.join(module).join(program))
}

/// The version of a module that `tools/cluster/build` made.
pub(crate) fn version(module: &str) -> Result<String> {
    let path = built()?.join(module).join("version");
    Ok(fs::read_to_string(&path).context(path.display())?.trim().to_owned())
}

fn built() -> Result<PathBuf> {
    let tools = variable("VIGIL_TOOLS")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("vigil")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/vigil")));
    let tools = tools.ok_or_else(|| Failure::new("no folder for tools: neither VIGIL_TOOLS nor HOME is set"))?;
    Ok(tools.join("cluster"))
}

fn existing(path: PathBuf) -> Result<PathBuf> {
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::new(format!("{} is missing; run tools/cluster/build", path.display())))
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
