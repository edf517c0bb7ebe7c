//! What a fleet costs: `cargo bench --bench fleet`. Clusters of the example's rings and layers, in three regions, rendered and
//! checked by the program; the time for each cluster must not grow with their number.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops at the first surprise, and has no readers")]

use divan::Bencher;
use divan::counter::ItemsCount;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn main() {
    divan::main();
}

/// The example with other clusters: a fiftieth of them in the first ring, a tenth in the first two, each fifth an edge.
fn fleet(to: &Path, clusters: usize) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    for file in ["base.yaml", "edge.yaml", "rings/canary.yaml", "rings/early.yaml", "rings/prod.yaml"] {
        fs::create_dir_all(to.join("rings")).unwrap();
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let text = fs::read_to_string(from.join("clusters.yaml")).unwrap();
    let mut text = text.split_inclusive("clusters:\n").next().unwrap().to_owned();
    for at in 0..clusters {
        let ring = ["canary", "early", "prod"][usize::from(at * 50 >= clusters) + usize::from(at * 10 >= clusters)];
        let layers = if at % 5 == 0 { ", layers: [edge.yaml]" } else { "" };
        writeln!(text, "  c-{at:05}: {{ ring: {ring}, region: {}{layers} }}", ["eu", "us", "ap"][at % 3]).unwrap();
    }
    fs::write(to.join("clusters.yaml"), text).unwrap();
}

#[divan::bench(args = [10, 100, 1000], sample_count = 3, sample_size = 1)]
fn check(bencher: Bencher, clusters: usize) {
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path(), clusters);
    bencher.counter(ItemsCount::new(clusters)).bench_local(|| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigil"));
        command.args(["fleet", "check", "--no-cache"]);
        assert!(command.current_dir(folder.path()).stdout(Stdio::null()).status().unwrap().success());
    });
}

/// One of them changes, and all others are what they were.
#[divan::bench(args = [10, 100, 1000], sample_count = 5, sample_size = 1)]
fn change(bencher: Bencher, clusters: usize) {
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path(), clusters);
    let path = folder.path().join("clusters.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let (before, after) = text.rsplit_once("region: ").unwrap();
    let render = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigil"));
        command.args(["fleet", "render"]).env("XDG_CACHE_HOME", folder.path().join("cache"));
        assert!(command.current_dir(folder.path()).stdout(Stdio::null()).status().unwrap().success());
    };
    render();
    let mut number = 0;
    let changed = || {
        number += 1;
        fs::write(&path, format!("{before}region: new-{number}-{after}")).unwrap();
    };
    bencher.counter(ItemsCount::new(clusters)).with_inputs(changed).bench_local_values(|()| render());
}
