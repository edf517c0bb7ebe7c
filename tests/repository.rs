//! `vigil init --repository`: what people get who have the program and nothing else, and that this repository's own files and
//! documents say the same.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use support::{approved, text, texts, vigil};
use vigil_yaml::{Limits, Source};

const TEMPLATES: &str = "src/commands/init/repository";

fn read(path: &str) -> String {
    fs::read_to_string(support::root().join(path)).unwrap()
}

fn yaml(path: &str) -> Value {
    vigil_diff::read(&vigil_yaml::read(&Source::new(path, read(path)), &Limits::default()).unwrap()[0])
}

#[test]
fn what_is_made_is_judged_good_at_once() {
    let folder = tempfile::tempdir().unwrap();
    approved("init-repository", &vigil(folder.path(), &["init", "--repository", "monitoring"]));
    let repository = folder.path().join("monitoring");
    let made = texts(&repository);
    assert!(made["stack.yaml"].starts_with("# yaml-language-server: $schema=./stack.schema.json\n"));
    assert_eq!(made["stack.schema.json"], read("stack.schema.json"));
    assert!(made[".github/workflows/vigil.yaml"].contains(concat!("@v", env!("CARGO_PKG_VERSION"), "\n")));
    support::git(&repository, &["init", "--quiet"]);
    // Before anything is committed, and after.
    for commit in [false, true] {
        if commit {
            support::git(&repository, &["add", "."]);
            support::git(&repository, &["commit", "--quiet", "--message", "a stack"]);
        }
        let output = vigil(&repository, &["ci"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    let output = vigil(&repository, &["ci", "--base", "HEAD"]);
    assert!(text(&output).contains("no object differs"), "{}", text(&output));
}

#[test]
fn what_is_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    put("README.md", "mine\n");
    put("stack.yaml", "kubernetes: \"1.33\"\nflask: { enabled: false }\n");
    approved("init-repository-beside", &vigil(folder.path(), &["init", "--repository", "--host", "gitlab"]));
    let before = texts(folder.path());
    assert_eq!(before["README.md"], "mine\n");
    assert!(!before["manifests/kustomization.yaml"].contains("flask"), "the stack that was there is rendered");
    approved("init-repository-again", &vigil(folder.path(), &["init", "--repository", ".", "--host", "gitlab"]));
    assert_eq!(texts(folder.path()), before);
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("stack.yaml"), "grafana: {servise: {}}\n").unwrap();
    approved("init-repository-broken-stack", &vigil(other.path(), &["init", "--repository"]));
    fs::write(other.path().join("file"), "").unwrap();
    approved("init-repository-nowhere", &vigil(other.path(), &["init", "--repository", "file"]));
    for arguments in [&["--repository", ".", "--force"][..], &["--host", "gitlab"]] {
        assert_eq!(vigil(other.path(), &[&["init"], arguments].concat()).status.code(), Some(2), "{arguments:?}");
    }
}

/// Where it is of no use as it is, that is said.
#[test]
fn a_folder_of_a_repository_is_no_root() {
    let folder = tempfile::tempdir().unwrap();
    support::git(folder.path(), &["init", "--quiet"]);
    let said = |to: &str| text(&vigil(folder.path(), &["init", "--repository", to]));
    assert!(said("monitoring").contains("is a repository already"), "{}", said("monitoring"));
    assert!(!said(".").contains("is a repository already"));
}

/// The stack of a cluster is that of the repository too.
#[test]
fn a_repository_for_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--quiet", "init", "--repository", "--cluster", "k3s", "--minimal"];
    let output = vigil(folder.path(), &arguments);
    assert_eq!(text(&output), "\n--- stderr\n\n--- exit status 0\n");
    assert!(texts(folder.path())["stack.yaml"].contains("\ncluster: k3s\n"));
    assert!(vigil(folder.path(), &["render", "--check"]).status.success());
}

#[test]
fn documents_show_the_files_that_are_made() {
    let page = read("docs/ci.md");
    for file in ["github.yaml", "gitlab.yaml"] {
        let block = format!("```yaml\n{}```\n", read(&format!("{TEMPLATES}/{file}")));
        assert!(page.contains(&block), "docs/ci.md does not show {TEMPLATES}/{file}:\n{block}");
    }
    let action = yaml("action.yml");
    let inputs: BTreeSet<&str> = action["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
    let table = Regex::new("(?m)^\\| `([a-z-]+)` \\|").unwrap();
    let told: BTreeSet<&str> = table.captures_iter(&page).map(|row| row.get(1).unwrap().as_str()).collect();
    assert_eq!(told, inputs, "docs/ci.md and action.yml");
}

/// A workflow that names an input which is none is a warning on GitHub, and does nothing.
#[test]
fn the_workflows_give_the_action_what_it_takes() {
    let action = yaml("action.yml");
    for (file, job, uses) in [
        (format!("{TEMPLATES}/github.yaml"), "stack", "OWNER/REPOSITORY@REVISION"),
        (".github/workflows/ci.yaml".to_owned(), "review", "./"),
    ] {
        let workflow = yaml(&file);
        let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["uses"] == uses).unwrap_or_else(|| panic!("{file} has no {uses}"));
        for input in step["with"].as_object().unwrap().keys() {
            assert!(action["inputs"].get(input).is_some(), "{file}: the action takes no {input}");
        }
        let checkout = &steps[0];
        assert_eq!((&checkout["uses"], &checkout["with"]["fetch-depth"]), (&"actions/checkout@v5".into(), &0.into()));
    }
}

/// What Renovate finds in a text, by the manager that a description names.
fn found(config: &Value, manager: &str, text: &str) -> Vec<String> {
    let managers = config["customManagers"].as_array().unwrap();
    let manager = managers.iter().find(|it| it["description"] == manager).unwrap();
    let pattern = Regex::new(manager["matchStrings"][0].as_str().unwrap()).unwrap();
    let part = |found: &regex::Captures, name| found.name(name).map_or("", |part| part.as_str()).to_owned();
    let all = pattern.captures_iter(text);
    all.map(|found| ["depName", "currentValue", "currentDigest"].map(|name| part(&found, name)).join(" ")).collect()
}

#[test]
fn renovate_finds_every_version_of_a_stack() {
    let config: Value = serde_json::from_str(&read(&format!("{TEMPLATES}/renovate.json"))).unwrap();
    let stack = read("stacks/switched.yaml");
    let key = Regex::new("(?m)^ *(?:image|[A-Za-z]+Image): (\\S+):(\\S+)$").unwrap();
    let images: Vec<_> = key.captures_iter(&stack).map(|found| format!("{} {} ", &found[1], &found[2])).collect();
    assert!(images.len() > 10 && images.iter().any(|image| image.starts_with("registry.example.com:5000/")));
    assert_eq!(found(&config, "Images of the stack", &stack), images);
    let digest = format!("sha256:{}", "0".repeat(64));
    for (text, expected) in [
        (
            format!("loki: {{ image: 'localhost:5000/loki:3.7.8@{digest}' }}"),
            format!("localhost:5000/loki 3.7.8 {digest}"),
        ),
        ("  configReloaderImage: nginx:1.29\n".to_owned(), "nginx 1.29 ".to_owned()),
    ] {
        assert_eq!(found(&config, "Images of the stack", &text), [expected]);
    }
    assert_eq!(
        found(&config, "Plugins of Grafana", &stack),
        ["grafana-clock-panel 2.1.8 ", "yesoreyeram-infinity-datasource 3.3.0 "]
    );
    let dashboards = "- { name: a, id: 13332, revision: 12 }\n- name: b\n  id: 1860\n  revision: 37\n";
    assert_eq!(found(&config, "Dashboards of the stack", dashboards), ["13332 12 ", "1860 37 "]);
    let gitlab = read(&format!("{TEMPLATES}/gitlab.yaml"));
    assert_eq!(found(&config, "Vigil in GitLab CI", &gitlab), ["OWNER/REPOSITORY REVISION "]);
}

/// What Renovate is told here holds for forks as for other repositories, and each manager has something to do.
#[test]
fn editors_find_the_schema_here_as_there() {
    assert_eq!(read(".idea/jsonSchemas.xml"), read(&format!("{TEMPLATES}/jsonSchemas.xml")));
}

#[test]
fn this_repository_is_renewed_alike() {
    let json = |path: &str| serde_json::from_str::<Value>(&read(path)).unwrap();
    let (own, made) = (json("renovate.json"), json(&format!("{TEMPLATES}/renovate.json")));
    for key in ["extends", "gitIgnoredAuthors", "customDatasources"] {
        assert_eq!(own[key], made[key], "{key}");
    }
    for key in ["customManagers", "packageRules"] {
        let made = made[key].as_array().unwrap();
        assert!(own[key].as_array().unwrap().starts_with(made), "{key} begins with those of {TEMPLATES}/renovate.json");
    }
    let files = printed(git_in(support::root()).args(["ls-files", "--cached", "--others", "--exclude-standard"]));
    let is_new = |manager: &&Value| !made["customManagers"].as_array().unwrap().contains(manager);
    for manager in own["customManagers"].as_array().unwrap().iter().filter(is_new) {
        let description = manager["description"].as_str().unwrap();
        let patterns = manager["managerFilePatterns"].as_array().unwrap();
        for pattern in patterns.iter().map(|pattern| pattern.as_str().unwrap()) {
            let expression = Regex::new(pattern.strip_prefix('/').unwrap().strip_suffix('/').unwrap()).unwrap();
            let finds = |path: &&str| expression.is_match(path) && !found(&own, description, &read(path)).is_empty();
            assert!(files.lines().any(|path| finds(&path)), "{description} finds nothing in {pattern}");
        }
    }
    let images: Vec<_> = files.lines().filter(|path| path.starts_with("crates/stack/src/model/")).collect();
    let known: usize = images.iter().map(|path| read(path).matches("Image::known(\"").count()).sum();
    let seen: usize = images.iter().map(|path| found(&own, "Images of the defaults", &read(path)).len()).sum();
    assert!(known > 15 && seen >= known, "{seen} of {known}");
}

/// Renovate goes on with its branch after a commit of this author, and of nobody else.
#[test]
fn renovate_knows_who_renders() {
    let config: Value = serde_json::from_str(&read(&format!("{TEMPLATES}/renovate.json"))).unwrap();
    let author = config["gitIgnoredAuthors"][0].as_str().unwrap();
    assert!(read("tools/ci/commit").contains(&format!("user.email={author} ")));
}

fn script(folder: &Path, name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new("bash");
    command.arg(support::root().join("tools").join(name)).args(arguments).current_dir(folder);
    command.env_remove("GH_TOKEN").envs(variables.iter().copied()).output().unwrap()
}

#[cfg(unix)]
#[test]
fn what_a_render_changes_is_committed_and_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| support::git(folder.path(), arguments);
    git(&["init", "--quiet", "--bare", "remote"]);
    git(&["init", "--quiet", "--initial-branch", "renovate/loki"]);
    fs::create_dir(folder.path().join("manifests")).unwrap();
    fs::write(folder.path().join("manifests/a.yaml"), "a: 1\n").unwrap();
    fs::write(folder.path().join("notes.txt"), "").unwrap();
    git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
    for (run, commits) in [("a change", "2\n"), ("nothing to do", "2\n")] {
        let output = script(folder.path(), "ci/commit", &["remote", "renovate/loki"], &[]);
        assert!(output.status.success(), "{run}: {}", text(&output));
        assert_eq!(printed(git_in(folder.path()).args(["rev-list", "--count", "HEAD"])), commits, "{run}");
    }
    let listed = printed(git_in(&folder.path().join("remote")).args(["ls-tree", "-r", "--name-only", "renovate/loki"]));
    assert_eq!(listed, "manifests/a.yaml\n", "only what is rendered");
}

fn git_in(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder);
    git
}

fn printed(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// The way of a release: packed as the workflow packs it, laid down as the action does.
#[cfg(target_os = "linux")]
#[test]
fn a_release_is_packed_and_laid_down_whole() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    for target in [&target, "aarch64-apple-darwin"] {
        let program = folder.path().join("programs").join(target).join("vigil");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_vigil"))).unwrap();
    }
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let release = folder.path().join("releases").join(version);
    for out in [&release, &folder.path().join("again")] {
        let out = out.to_str().unwrap();
        let output = script(folder.path(), "release/pack", &[version, "programs", out], &[]);
        assert!(output.status.success(), "{}", text(&output));
    }
    let sums = fs::read_to_string(release.join("SHA256SUMS")).unwrap();
    assert_eq!(sums, fs::read_to_string(folder.path().join("again/SHA256SUMS")).unwrap(), "the same each time");
    assert_eq!(sums.lines().count(), 2, "{sums}");
    assert!(!script(folder.path(), "release/pack", &["v9.9.9", "programs", "wrong"], &[]).status.success());

    let releases = format!("file://{}", folder.path().join("releases").display());
    let install = |version| {
        let arguments = ["a/b", version, "program"];
        script(folder.path(), "ci/install", &arguments, &[("VIGIL_RELEASES", &releases)])
    };
    let output = install(version);
    assert!(output.status.success(), "{}", text(&output));
    let laid = folder.path().join("program");
    let said = printed(Command::new(laid.join("vigil")).arg("--version"));
    assert_eq!(said, concat!("vigil ", env!("CARGO_PKG_VERSION"), "\n"));
    for file in [
        "ci/comment",
        "ci/commit",
        "ci/digests",
        "completions/vigil.bash",
        "man/vigil.1",
        "man/vigil-diff.1",
        "LICENSE",
        "NOTICE",
    ] {
        assert!(laid.join(file).is_file(), "{file}");
    }
    let output = install("v9.9.9");
    assert!(!output.status.success() && text(&output).contains("VERSION is the tag of a release"), "{}", text(&output));
    fs::write(release.join(format!("vigil-{version}-{target}.tar.gz")), "another\n").unwrap();
    fs::remove_dir_all(&laid).unwrap();
    assert!(!install(version).status.success() && !laid.exists());
}

/// Whoever takes a release looks for it under the names that it is packed with.
#[test]
fn all_call_the_archives_alike() {
    let workflow = read(".github/workflows/release.yaml");
    let installer = read("tools/ci/install");
    let targets = Regex::new("[a-z0-9_]+-(?:unknown-linux-musl|apple-darwin)").unwrap();
    let named = |text: &str| targets.find_iter(text).map(|it| it.as_str().to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(named(&workflow), named(&installer));
    assert_eq!(named(&read("docs/release.md")), named(&installer));
    let cargo = read("Cargo.toml");
    assert!(
        cargo.contains("/vigil-v{ version }-{ target }.tar.gz\"")
            && cargo.contains("\"vigil-v{ version }-{ target }/{ bin }\"")
    );
    assert!(
        read(&format!("{TEMPLATES}/gitlab.yaml")).contains("name=vigil-$VIGIL_VERSION-x86_64-unknown-linux-musl\n")
    );
    let toolchain = Regex::new("RUSTUP_TOOLCHAIN: \"([0-9.]+)\"").unwrap();
    let of = |text: &str| toolchain.captures(text).unwrap()[1].to_owned();
    assert_eq!(of(&workflow), of(&read(".github/workflows/ci.yaml")));
}
