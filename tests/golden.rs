//! Every stack of the repository against its approved snapshots in `golden/`: what a reviewer reads in a pull request.
//!
//! A change shows up here first. `cargo insta review` (or `just golden`) goes through it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

/// A file with what a Secret in it holds as text: nobody reviews base64.
fn readable(body: &str, secret: &Value) -> String {
    let mut shown = secret.clone();
    let data = shown.as_object_mut().unwrap().remove("data").unwrap();
    for (name, text) in data.as_object().unwrap() {
        let bytes = BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
        shown["data, decoded"][name] = String::from_utf8(bytes).unwrap().into();
    }
    let written = vigil_yaml::write(secret);
    assert!(body.contains(&written), "{body}\n--- holds no\n{written}");
    body.replace(&written, &vigil_yaml::write(&shown))
}

#[test]
fn every_stack_is_as_approved() {
    for (name, path) in support::stacks() {
        let rendering = support::render(&path);
        let folder = support::root().join("golden").join(&name);
        for component in &rendering.components {
            let mut text = String::new();
            let prefix = format!("{component}/");
            for (path, body) in rendering.files.iter().filter(|(path, _)| path.starts_with(&prefix)) {
                // What is taken as it stands is reviewed where it stands; here is what comes on top.
                let plain = support::root().join("templates").join(path).exists();
                let shown = body.split_once("\nspec:\n").filter(|_| plain).map(|(head, _)| head);
                let body = shown.map_or(body.clone(), |head| format!("{head}\n# and so on, as in templates/{path}\n"));
                let secrets =
                    rendering.objects.iter().filter(|object| object.path == *path && object.kind() == "Secret");
                let body = secrets.fold(body, |body, secret| readable(&body, &secret.value));
                writeln!(text, "# === {path}\n{body}").unwrap();
            }
            support::snapshot(&folder, component, &text);
        }
        support::snapshot(&folder, "kustomization", &rendering.files["kustomization.yaml"]);
        let approved: BTreeSet<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.ends_with(".snap"))
            .collect();
        let rendered: BTreeSet<_> =
            rendering.components.iter().chain(&["kustomization"]).map(|name| format!("{name}.snap")).collect();
        assert_eq!(approved, rendered, "golden/{name} holds snapshots of components that no longer exist");
    }
}

#[test]
fn every_golden_folder_belongs_to_a_stack() {
    let stacks: BTreeSet<_> = support::stacks().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(support::root().join("golden")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let of_other_tests = ["cli", "hostile"].contains(&name.as_str());
        assert!(of_other_tests || stacks.contains(&name), "golden/{name} belongs to no stack");
    }
}
