//! The dashboards of every stack, against the schemas that Grafana publishes with its SDK: `tools/dashboards` pins which.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use std::fs;
use std::process::Command;

/// Go with what its module cache holds. Tests never ask the network.
fn go(arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.current_dir(support::root().join("tools/dashboards")).args(arguments);
    command.env("GOTOOLCHAIN", "local").env("GOPROXY", "off").env("GOFLAGS", "-mod=readonly");
    command
}

#[test]
fn grafana_knows_all_that_dashboards_say() {
    let there = go(&["list", "-deps", "-test", "./..."]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        return tools::not_checked(
            "Go 1.24 with the modules of tools/dashboards",
            "run `cd tools/dashboards && go mod download`",
        );
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, stack) in support::stacks() {
        for object in support::render(&stack).objects.iter().filter(|object| object.template.contains("/dashboards/")) {
            for (file, text) in object.value["data"].as_object().unwrap() {
                fs::write(folder.path().join(format!("{name}-{file}")), text.as_str().unwrap()).unwrap();
            }
        }
    }
    let mut test = go(&["test", "-count=1", "./..."]);
    let output = test.env("VIGIL_DASHBOARDS", folder.path()).output().unwrap();
    let [told, failed] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{told}{failed}");
}
