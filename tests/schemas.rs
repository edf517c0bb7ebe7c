//! The schemas in `schemas`: what the modules that `tools/schemas/modules.sum` pins publish.
//!
//! `just schemas` makes them anew, after a new version there.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

/// Go as it is installed, with what its module cache holds. Tests never ask the network.
fn go(directory: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(directory).env("GOTOOLCHAIN", "local").env("GOPROXY", "off").env("GOFLAGS", "");
    command
}

/// The tests of `tools/schemas` make the schemas anew and compare them with the committed ones.
#[test]
fn committed_schemas_are_those_of_the_pinned_modules() {
    let tool = support::root().join("tools/schemas");
    let pins = fs::read_to_string(tool.join("modules.sum")).unwrap();
    let modules = pins.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join("@"));
    // Outside of any module, since Go adds to the go.sum of the one it is in.
    let there = go(&std::env::temp_dir()).args(["mod", "download"]).args(modules).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return support::not_checked(
            "Go 1.24 with the modules of tools/schemas/modules.sum",
            "run `cd tools/schemas && go run .`",
        );
    }
    let output = go(&tool).args(["test", "-count=1", "./..."]).output().unwrap();
    let [told, failed] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{told}{failed}");
}
