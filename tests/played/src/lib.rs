//! A cluster that is played minute by minute, and what exporters say of it, as Prometheus stores it.
//!
//! Rules and dashboards are tried with it: by promtool, of a small cluster to which something happens, and by Prometheus, of
//! a large one. [`cluster`] says what there is, `objects.yaml` what runs in the small one, [`exporters`] what is said of it, by
//! the texts of `exporters/`.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

pub mod cluster;
pub mod exporters;

use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;
use vigil_yaml::{Limits, Source};

/// A file of a test.
pub fn yaml<T: DeserializeOwned>(path: &Path) -> T {
    let source = Source::read(path, 1 << 20).unwrap_or_else(|problem| panic!("{}", problem.draw(false)));
    let node = vigil_yaml::read_one(&source, &Limits::default())
        .unwrap_or_else(|problems| panic!("{}", problems.iter().map(|problem| problem.draw(false)).collect::<String>()))
        .unwrap_or_else(|| panic!("{} is empty", path.display()));
    serde_json::from_value(node.to_json()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The exporters of the default stack and of the cluster.
pub fn exporters() -> Vec<exporters::Exporter> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("exporters");
    let mut paths: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| yaml::<Vec<exporters::Exporter>>(path)).collect()
}

/// What runs in the small cluster: a shop beside what the default stack brings.
pub fn objects() -> serde_json::Value {
    yaml(&Path::new(env!("CARGO_MANIFEST_DIR")).join("objects.yaml"))
}
