//! The program as a person meets it: help, what it says, what it writes, how it ends.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;
use support::{approved, text, texts, vigil};
use tempfile::TempDir;

/// A folder that is not the repository, with the tutorial's stack in it.
fn elsewhere() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(support::tutorial(), folder.path().join("stack.yaml")).unwrap();
    folder
}

/// Every file below `directory`, with its text and the time of its last change.
fn files(directory: &Path) -> BTreeMap<String, (String, SystemTime)> {
    let modified = |name: &str| fs::metadata(directory.join(name)).unwrap().modified().unwrap();
    texts(directory).into_iter().map(|(name, text)| (name.clone(), (text, modified(&name)))).collect()
}

#[test]
fn help() {
    let folder = elsewhere();
    approved("help", &vigil(folder.path(), &["--help"]));
    approved("help-init", &vigil(folder.path(), &["init", "--help"]));
    approved("help-render", &vigil(folder.path(), &["render", "--help"]));
    approved("help-images", &vigil(folder.path(), &["images", "--help"]));
    approved("unknown-command", &vigil(folder.path(), &["rendr"]));
}

#[test]
fn how_large_a_stack_has_to_be() {
    let folder = elsewhere();
    let longterm = support::root().join("stacks/longterm.yaml");
    fs::copy(longterm, folder.path().join("longterm.yaml")).unwrap();
    approved("size", &vigil(folder.path(), &["size", "--nodes", "50", "--pods", "1800"]));
    let large = [
        "size",
        "--stack",
        "longterm.yaml",
        "--nodes",
        "400",
        "--pods",
        "12000",
        "--series",
        "500000",
        "--logs",
        "30G",
    ];
    approved("size-longterm", &vigil(folder.path(), &large));
    approved("size-yaml", &vigil(folder.path(), &[&large[..], &["--format", "yaml"]].concat()));
    let distributed = support::root().join("stacks/distributed.yaml");
    fs::copy(distributed, folder.path().join("distributed.yaml")).unwrap();
    let many = ["size", "--stack", "distributed.yaml", "--nodes", "100", "--pods", "3000", "--logs", "5T"];
    approved("size-distributed", &vigil(folder.path(), &many));
    approved("size-coefficients", &vigil(folder.path(), &["size", "--coefficients"]));
    for wrong in [
        ["--set", "series-per-nod=1"],
        ["--set", "full=0"],
        ["--set", "full=NaN"],
        ["--set", "full=1"],
        ["--logs", "5GB"],
    ] {
        let output = vigil(folder.path(), &[&["size", "--active-series", "1000"], &wrong[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    }
}

/// What the stack says of its cluster is what `vigil size` goes by, and what a render warns by; what it writes is enough.
#[test]
fn a_stack_that_is_too_small_for_its_cluster_is_told_so_until_it_is_enlarged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stack.yaml");
    let run = |arguments: &[&str]| vigil(folder.path(), arguments);
    fs::write(&file, "# Ours.\nclusterSize: { nodes: 50, pods: 1800 }\nprometheus: { retention: 15d } # two weeks\n")
        .unwrap();
    approved("size-of-the-stack", &run(&["images"]));
    approved("size-written", &run(&["size", "--write"]));
    let resources = "{ limits: { memory: 9Gi }, requests: { memory: 5Gi } }";
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!(
            "# Ours.\nclusterSize: {{ nodes: 50, pods: 1800 }}\nprometheus: {{ retention: 15d, persistence: {{ enabled: true, \
             size: 70Gi }}, pods: {{ resources: {resources} }}, retentionSize: 55GiB }} # two weeks\n"
        )
    );
    assert_eq!(run(&["size"]).status.code(), Some(0));
    assert!(!text(&run(&["render"])).contains("too small"));
    fs::write(folder.path().join("unknown.yaml"), "kubernetes: '1.34'\n").unwrap();
    approved("size-not-said", &run(&["size", "--stack", "unknown.yaml", "--nodes", "50"]));
    fs::write(&file, "clusterSize: { nodes: 50 }\n").unwrap();
    approved("size-half-said-by-the-stack", &run(&["size"]));
    fs::write(&file, "clusterSize: { nodes: 50, pods: 90, activeSeries: 5 }\n").unwrap();
    approved("size-said-twice", &run(&["size"]));
}

/// A stack with what `vigil size` writes is large enough.
#[test]
fn what_is_too_small_is_mended_by_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in texts(&support::root().join("stacks")) {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for load in [
        &["--nodes", "3", "--pods", "60"][..],
        &["--nodes", "200", "--pods", "7200", "--logs", "15G"],
        &["--active-series", "9000000", "--logs", "200G"],
        &["--nodes", "100", "--pods", "3000", "--logs", "5T"],
    ] {
        for below in ["tutorial.yaml", "longterm.yaml", "production.yaml", "distributed.yaml"] {
            let run = |arguments: &[&[&str]]| vigil(folder.path(), &arguments.concat());
            let written = run(&[&["size", "--stack", below, "--format", "yaml"], load]);
            let keys = String::from_utf8(written.stdout).unwrap();
            fs::write(folder.path().join("stack.yaml"), format!("extends: [{below}]\n{keys}")).unwrap();
            for arguments in [&[&["size"], load][..], &[&["render", "--stdout"]]] {
                let output = run(arguments);
                assert_eq!(output.status.code(), Some(0), "{below} {load:?}\n{keys}\n{}", text(&output));
            }
        }
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let folder = elsewhere();
    let run = |arguments: &[&str]| {
        let output = vigil(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let help = run(&["--help"]);
    let list = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let indented = list.lines().filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let commands: Vec<&str> = indented.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"fleet") && commands.contains(&"man"), "{commands:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]);
        let missing: Vec<_> = commands.iter().filter(|command| !script.contains(**command)).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
    }
    let page = run(&["man"]);
    for command in commands {
        assert!(page.contains(&format!("vigil\\-{command}")), "{command}");
        let page = run(&["man", command]);
        assert!(page.contains(".SH SYNOPSIS") && page.contains(command), "{page}");
    }
    assert!(run(&["man", "fleet", "render"]).contains("clusters.yaml"));
    approved("help-man", &vigil(folder.path(), &["man", "--help"]));
    approved("help-completions", &vigil(folder.path(), &["completions", "--help"]));
    approved("man-unknown", &vigil(folder.path(), &["man", "fleet", "rendr"]));
}

/// Two files of one stack, and who says what.
#[test]
fn where_values_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("clusters")).unwrap();
    write(
        "base.yaml",
        "kubernetes: '1.33'\ncluster: k3s\nprometheus: {retention: 15d, retentionSize: 2GiB, externalLabels: {region: eu}}\n\
         grafana: {externalUrl: 'https://grafana.example.com', config: {security: {cookie_secure: true}}}\n",
    );
    write(
        "clusters/fra.yaml",
        "extends: [../base.yaml]\nprometheus:\n  retention: 30d\n  retentionSize:\n  externalLabels: {region: eu, cluster: fra}\n",
    );
    let mut said = String::new();
    for key in [
        "",
        "prometheus.retention",
        "prometheus.retentionSize",
        "prometheus.externalLabels.cluster",
        "metrics-server.enabled",
        "grafana.service.type",
        "grafana.config.security.cookie_secure",
        "loki",
        "loki.retention",
        "loki.pods.affinity",
        "loki.retentoin",
        "grafana.config.securty.x.y",
        "prometheus.remoteWrite.0.url",
        "..",
    ] {
        let arguments = ["where", "--stack", "clusters/fra.yaml", key];
        let arguments = if key.is_empty() { &arguments[..3] } else { &arguments[..] };
        let output = text(&vigil(folder.path(), arguments));
        said.extend(["$ vigil where ", key, "\n", &output, "\n"]);
    }
    support::snapshot(&support::root().join("golden/cli"), "where", &said);
    approved("help-where", &vigil(folder.path(), &["where", "--help"]));
    let rendered = vigil(folder.path(), &["render", "clusters/fra.yaml", "--stdout"]);
    assert!(String::from_utf8_lossy(&rendered.stdout).contains("retention: 30d"), "{}", text(&rendered));
}

/// What `init` writes is a stack that surprises nobody: no warning, nothing that waits for a cloud, no demo.
#[test]
fn a_stack_to_begin_with() {
    let folder = tempfile::tempdir().unwrap();
    approved("no-stack-yet", &vigil(folder.path(), &["render"]));
    approved("init", &vigil(folder.path(), &["init"]));
    approved("init-again", &vigil(folder.path(), &["init", "--minimal"]));
    approved("init-elsewhere", &vigil(folder.path(), &["init", "clusters/a.yaml"]));
    approved("init-minimal", &vigil(folder.path(), &["init", "--minimal", "a.yaml"]));
    approved("init-unknown-cluster", &vigil(folder.path(), &["init", "--cluster", "k8s", "b.yaml"]));
    for stack in ["stack.yaml", "a.yaml"] {
        let output = vigil(folder.path(), &["render", stack, "--stdout"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{stack}");
        let objects = String::from_utf8_lossy(&output.stdout).into_owned();
        for unwanted in ["type: LoadBalancer", "nodePort", "promtail", "flask", "grafana.com/api"] {
            assert!(!objects.contains(unwanted), "{stack} has {unwanted}");
        }
    }
    for arguments in [["--cluster", "k3s", "c.yaml"].as_slice(), &["--cluster", "eks", "--minimal", "d.yaml"]] {
        assert!(vigil(folder.path(), &[&["init"], arguments].concat()).status.success());
        let stack = fs::read_to_string(folder.path().join(arguments.last().unwrap())).unwrap();
        assert!(
            stack.contains(&format!("\ncluster: {}\n", arguments[1])) && !stack.contains("\nkubernetes-targets:"),
            "{stack}"
        );
        assert!(!stack.contains("Many clusters bring one"), "{stack}");
        assert!(stack.contains("\nflask:"), "{stack}");
        let output = vigil(folder.path(), &["render", arguments.last().unwrap(), "--out", "of-a-cluster"]);
        assert!(output.status.success(), "{}", text(&output));
    }
    let written = || fs::read_to_string(folder.path().join("stack.yaml")).unwrap();
    let commented = written();
    assert!(vigil(folder.path(), &["init", "--minimal", "--force"]).status.success());
    assert!(written().len() < commented.len() / 2 && !written().contains('#'));
}

/// Values as people have them; what comes of them is a stack that renders.
const KUBE_PROMETHEUS_STACK: &str = "\
prometheus:
  prometheusSpec:
    retention: 15d
    serviceMonitorSelectorNilUsesHelmValues: false
    ruleSelectorNilUsesHelmValues: false
    resources: { requests: { cpu: 500m, memory: 2Gi } }
    additionalScrapeConfigs: [{ job_name: shop }]
    storageSpec:
      volumeClaimTemplate:
        spec:
          storageClassName: fast
          resources: { requests: { storage: 50Gi } }
grafana:
  adminPassword: prom-operator
  persistence: { enabled: true, size: 10Gi }
  grafana.ini:
    smtp: { enabled: true, host: \"smtp.example.com:587\", password: mail-password }
  plugins: [grafana-piechart-panel]
alertmanager:
  config:
    receivers: [{ name: team, slack_configs: [{ api_url: \"https://hooks.example.com/a\" }] }]
kubeEtcd: { enabled: false }
commonLabels: { team: platform }
";

#[test]
fn values_of_charts_become_a_stack() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("prometheus.yaml"), KUBE_PROMETHEUS_STACK).unwrap();
    fs::write(path("loki.yaml"), "loki:\n  persistence: { enabled: true, size: 20Gi }\n").unwrap();
    approved("help-convert", &vigil(folder.path(), &["convert", "--help"]));
    let output = vigil(folder.path(), &["convert", "prometheus.yaml", "loki.yaml"]);
    fs::write(path("stack.yaml"), &output.stdout).unwrap();
    approved("convert", &output);
    let output = vigil(folder.path(), &["render"]);
    assert!(output.status.success(), "{}", text(&output));
    fs::write(path("other.yaml"), "replicaCount: 3\n").unwrap();
    approved("convert-unknown", &vigil(folder.path(), &["convert", "loki.yaml", "other.yaml"]));
}

#[test]
fn a_stack_that_is_elsewhere() {
    let folder = elsewhere();
    let below = folder.path().join("manifests");
    fs::create_dir(&below).unwrap();
    approved("stack-above", &vigil(&below, &["render"]));
    approved("stack-misspelt", &vigil(folder.path(), &["render", "stak.yaml"]));
    approved("stack-in-no-folder", &vigil(folder.path(), &["render", "clusters/a.yaml"]));
    approved("stack-is-a-folder", &vigil(&below, &["render", ".."]));
    approved("stack-twice", &vigil(folder.path(), &["render", "stack.yaml", "--stack", "stack.yaml"]));
}

#[test]
fn first_render_then_nothing_then_a_change() {
    let folder = elsewhere();
    approved("render-first", &vigil(folder.path(), &["render"]));
    let before = files(&folder.path().join("manifests"));
    approved("render-again", &vigil(folder.path(), &["render"]));
    assert_eq!(files(&folder.path().join("manifests")), before);

    let stack = folder.path().join("stack.yaml");
    let changed = fs::read_to_string(&stack).unwrap().replace("retention: 7d", "retention: 14d");
    fs::write(&stack, changed).unwrap();
    approved("check-stale", &vigil(folder.path(), &["render", "--check"]));
    assert_eq!(files(&folder.path().join("manifests")), before, "--check writes nothing");
    approved("render-changed", &vigil(folder.path(), &["render"]));
    let after = files(&folder.path().join("manifests"));
    for (path, (text, modified)) in &before {
        assert_eq!(text == &after[path].0, modified == &after[path].1, "{path}");
    }
    approved("check-clean", &vigil(folder.path(), &["render", "--check"]));
}

#[test]
fn what_is_switched_off_is_removed_and_foreign_files_stay() {
    let folder = elsewhere();
    assert!(vigil(folder.path(), &["render"]).status.success());
    let foreign = folder.path().join("manifests/loki/notes.txt");
    fs::write(&foreign, "mine").unwrap();
    fs::copy(support::root().join("stacks/minimal.yaml"), folder.path().join("stack.yaml")).unwrap();
    approved("render-less", &vigil(folder.path(), &["render"]));
    let left = texts(&folder.path().join("manifests"));
    assert_eq!(left["loki/notes.txt"], "mine");
    assert!(!left.contains_key("loki/service.yaml") && !left.contains_key("flask/service.yaml"));
}

#[test]
fn a_failed_render_leaves_everything_as_it_was() {
    let folder = elsewhere();
    assert!(vigil(folder.path(), &["render"]).status.success());
    let before = files(&folder.path().join("manifests"));
    fs::write(folder.path().join("stack.yaml"), "grafana:\n  servise: {}\nloki:\n  retention: 3 days\n").unwrap();
    approved("render-broken-stack", &vigil(folder.path(), &["render"]));
    assert_eq!(files(&folder.path().join("manifests")), before);
}

#[test]
fn places_that_cannot_be_used() {
    let folder = elsewhere();
    approved("no-stack", &vigil(folder.path(), &["render", "--stack", "none.yaml"]));
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/mine.txt"), "mine").unwrap();
    approved("foreign-directory", &vigil(folder.path(), &["render", "--out", "full"]));
    approved("out-is-a-file", &vigil(folder.path(), &["render", "--out", "stack.yaml"]));
    approved("no-templates", &vigil(folder.path(), &["render", "--templates", "none"]));
    assert_eq!(texts(folder.path()).keys().collect::<Vec<_>>(), ["full/mine.txt", "stack.yaml"]);
}

#[test]
fn templates_of_ones_own() {
    let folder = elsewhere();
    for entry in walkdir::WalkDir::new(support::root().join("templates")) {
        let entry = entry.unwrap();
        let to = folder.path().join("own").join(entry.path().strip_prefix(support::root().join("templates")).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
    let service = folder.path().join("own/flask/service.yaml.hbs");
    let copy = fs::read_to_string(&service).unwrap();
    fs::write(&service, copy.replace("metadata:\n", "metadata:\n  annotations:\n    own: template\n")).unwrap();
    let output = vigil(folder.path(), &["render", "--templates", "own", "--out", "out"]);
    assert!(output.status.success(), "{}", text(&output));
    let own = texts(&folder.path().join("out"));
    assert!(own["flask/service.yaml"].contains("own: template"), "{}", own["flask/service.yaml"]);
    fs::write(&service, copy.replace("flask.service.port", "flask.service.prot")).unwrap();
    approved("broken-template", &vigil(folder.path(), &["render", "--templates", "own"]));
}

#[test]
fn stdout_holds_every_object_and_nothing_else() {
    let folder = elsewhere();
    let output = vigil(folder.path(), &["render", "--stdout"]);
    let stream = vigil_yaml::Source::new("stdout", String::from_utf8(output.stdout).unwrap());
    let documents = vigil_yaml::read(&stream, &vigil_yaml::Limits::default()).unwrap();
    assert_eq!(documents.len(), support::render(&support::tutorial()).objects.len());
    assert!(!folder.path().join("manifests").exists());
}

#[test]
fn images_each_once_and_sorted() {
    let folder = elsewhere();
    approved("images", &vigil(folder.path(), &["images"]));
    let switched = support::root().join("stacks/switched.yaml");
    let output = vigil(folder.path(), &["images", "--stack", switched.to_str().unwrap()]);
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.lines().count() > 3 && listed.lines().all(|image| image.starts_with("registry.example.com:5000/")));
    assert!(listed.lines().is_sorted_by(|one, next| one < next), "{listed}");
    approved("images-broken-stack", &vigil(folder.path(), &["images", "--stack", "none.yaml"]));
}

#[test]
fn schemas_are_the_committed_ones() {
    let folder = elsewhere();
    for (arguments, file) in [(&["schema"][..], "stack.schema.json"), (&["schema", "clusters"], "clusters.schema.json")]
    {
        let output = vigil(folder.path(), arguments);
        assert_eq!(output.stdout, fs::read(support::root().join(file)).unwrap());
    }
}

#[test]
fn colour_only_when_asked() {
    let folder = elsewhere();
    let output = vigil(folder.path(), &["render"]);
    assert!(!text(&output).contains('\u{1b}'), "the streams of a test are no terminal");
    let output = vigil(folder.path(), &["--color", "always", "render", "--stack", "none.yaml"]);
    assert!(text(&output).contains('\u{1b}'));
}

#[test]
fn the_same_everywhere() {
    let reference = support::render(&support::tutorial()).files;
    for (zone, language, shell) in
        [("UTC", "C", ""), ("Pacific/Kiritimati", "tr_TR.UTF-8", "x"), ("", "ja_JP.eucJP", "y")]
    {
        let folder = elsewhere();
        let status = Command::new(env!("CARGO_BIN_EXE_vigil"))
            .current_dir(folder.path())
            .arg("render")
            .env_clear()
            .envs([("TZ", zone), ("LANG", language), ("LC_ALL", language), ("HOME", shell)])
            .output()
            .unwrap()
            .status;
        assert!(status.success());
        let mut written = texts(&folder.path().join("manifests"));
        written.remove(".vigil-files");
        assert_eq!(written, reference, "TZ={zone} LANG={language}");
    }
}

/// With `--quiet` a command that has nothing to object to says nothing, and one that has says it.
#[test]
fn quiet_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(support::tutorial(), folder.path().join("stack.yaml")).unwrap();
    for arguments in [&["render"][..], &["render", "--check"], &["check"], &["init", "other.yaml"]] {
        let output = vigil(folder.path(), &[&["--quiet"], arguments].concat());
        assert_eq!(text(&output), "\n--- stderr\n\n--- exit status 0\n", "{arguments:?}");
    }
    fs::write(folder.path().join("stack.yaml"), "grafana: {servise: {}}\n").unwrap();
    assert_eq!(vigil(folder.path(), &["render", "-q"]).status.code(), Some(2));
    assert!(!vigil(folder.path(), &["render", "-q"]).stderr.is_empty());
    fs::write(folder.path().join("bad.yaml"), "kind: Service\n").unwrap();
    assert!(!vigil(folder.path(), &["check", "-q", "bad.yaml"]).stdout.is_empty());
    assert!(!vigil(folder.path(), &["images", "-q", "--stack", "other.yaml"]).stdout.is_empty());
}
