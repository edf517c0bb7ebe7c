//! The temporary folder of a run. It goes with the run, also when a signal ends it.

use crate::failure::{Context, Failure, Result};
use crate::process;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;

static PLACE: OnceLock<PathBuf> = OnceLock::new();

/// Makes the folder of this run; dropping it removes it.
pub(crate) fn open() -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("vigil-cluster-").tempdir().context("a temporary folder")?;
    let path = folder.path().to_owned();
    PLACE.set(path.clone()).map_err(|_| Failure::new("a run has one temporary folder"))?;
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("signals")?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            process::kill_all();
            // Those who have been ended may still be writing.
            process::wait_for(Duration::from_secs(3), || fs::remove_dir_all(&path).is_ok());
            std::process::exit(128 + signal);
        }
    });
    Ok(folder)
}

/// A new folder in the folder of this run.
pub(crate) fn folder(prefix: &str) -> Result<TempDir> {
    let place = PLACE.get().map_or(Path::new(""), PathBuf::as_path);
    tempfile::Builder::new().prefix(prefix).tempdir_in(place).context(place.display())
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).context(to.display())?;
    for entry in fs::read_dir(from).context(from.display())? {
        let path = entry.context(from.display())?.path();
        let new = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &new)?;
        } else {
            fs::copy(&path, &new).context(path.display())?;
        }
    }
    Ok(())
}
