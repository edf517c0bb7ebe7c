//! The scripts that run in the cluster, by their own tests.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

#[test]
fn what_runs_before_grafana() {
    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/grafana_scripts.py");
    let output = Command::new("python3").arg("-B").arg(test).output();
    let output = output.unwrap_or_else(|error| panic!("the scripts are Python, and python3 does not run: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
