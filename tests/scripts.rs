//! The scripts that run in the cluster, by their own tests.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use std::process::Command;

#[test]
fn what_runs_before_grafana() {
    let test = support::root().join("tests/support/grafana_scripts.py");
    match Command::new("python3").arg("-B").arg(test).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => tools::not_checked("python3, which runs the scripts", "install it"),
    }
}
