//! `vigil parity`: what it tells of a small shop, how it ends, and the whole set against the charts it replaces.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
#[path = "tools/volumes.rs"]
mod volumes;

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use support::root;
use tempfile::TempDir;
use vigil_parity::Differences;
use vigil_yaml::{Limits, Node, Source};

/// A stack that is compared with the charts.
struct Compared {
    stack: &'static str,
    title: &'static str,
    /// Objects, alerts and dashboards of upstream that one of ours answers to. The others are left out, with a reason.
    matched: usize,
    /// Values that upstream states in those and ours has alike, in tenths of a percent, at least. Whatever else differs
    /// does so deliberately, with a reason.
    equal: usize,
}

const COMPARED: [Compared; 2] = [
    Compared { stack: "stacks/tutorial.yaml", title: "The tutorial's stack", matched: 199, equal: 870 },
    Compared {
        stack: "stacks/charts.yaml",
        title: "With every choice as the charts have it",
        matched: 208,
        equal: 920,
    },
];

/// What upstream renders to.
const UPSTREAM: [&str; 4] = ["flask.yaml", "kube-prometheus-stack.yaml", "loki-stack.yaml", "metrics-server.yaml"];

/// The whole comparison, for readers.
const TABLE: &str = "docs/parity.md";

fn fixtures() -> PathBuf {
    root().join("crates/parity/tests/fixtures")
}

/// A folder with a stack, and templates that render the shop of the fixtures.
fn shop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("stack.yaml"), "flask: {}\npromtail: {enabled: false}\n").unwrap();
    fs::create_dir_all(folder.path().join("templates/flask")).unwrap();
    fs::copy(fixtures().join("ours.yaml"), folder.path().join("templates/flask/shop.yaml.hbs")).unwrap();
    for file in ["upstream.yaml", "differences.md"] {
        fs::copy(fixtures().join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// `vigil parity` with the shop's templates.
fn parity(folder: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vigil"))
        .current_dir(folder)
        .args(["parity", "--templates", "templates"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it reads, as it does when the arguments are wrong.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn approved(name: &str, output: &Output) {
    let text = format!(
        "{}\n--- stderr\n{}\n--- exit status {}\n",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().unwrap()
    );
    support::snapshot(&root().join("golden/cli"), name, &text);
}

#[test]
fn three_formats() {
    let folder = shop();
    for format in ["table", "markdown", "json"] {
        let arguments = ["upstream.yaml", "--differences", "differences.md", "--format", format];
        approved(&format!("parity-{format}"), &parity(folder.path(), &arguments, ""));
    }
}

#[test]
fn what_is_listed_is_no_failure() {
    let folder = shop();
    let ours = fs::read_to_string(fixtures().join("ours.yaml")).unwrap();
    fs::write(folder.path().join("none.md"), "").unwrap();
    approved("parity-equal", &parity(folder.path(), &["-", "--differences", "none.md"], &ours));

    let more = "| object | field | ours | upstream | why |\n|-|-|-|-|-|\n| * | spec | | | all of it |\n\
                | * | data | | | all of it |\n| * | rules | | | all of it |\n| * | * | | | not needed |\n";
    fs::create_dir(folder.path().join("listed")).unwrap();
    fs::rename(folder.path().join("differences.md"), folder.path().join("listed/shop.md")).unwrap();
    fs::write(folder.path().join("listed/rest.md"), more).unwrap();
    let output = parity(folder.path(), &["upstream.yaml", "--differences", "listed"], "");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

/// What somebody wants otherwise is no surprise to them; what differed before still needs its reason.
#[test]
fn what_a_patch_makes_is_explained() {
    let folder = shop();
    let told = || {
        let arguments = ["upstream.yaml", "--differences", "differences.md", "--format", "json"];
        let output = parity(folder.path(), &arguments, "");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let before = told();
    let patches = "patches:\n- target: {kind: Deployment}\n  merge: {spec: {replicas: 7}}\n\
                   - target: {kind: ConfigMap, name: shop-theme}\n  merge: {$patch: delete}\n";
    let stack = fs::read_to_string(folder.path().join("stack.yaml")).unwrap();
    fs::write(folder.path().join("stack.yaml"), stack + patches).unwrap();
    let after = told();
    assert_eq!(after["summary"]["unexplained"], before["summary"]["unexplained"]);
    let reason = "a patch of the stack says so";
    let explained: Vec<_> = after["differences"].as_array().unwrap().iter().filter(|it| it["why"] == reason).collect();
    assert_eq!(explained.len(), 2, "{explained:#?}");
    assert_eq!(explained[0]["object"], "ConfigMap shop/shop-look");
    assert_eq!((&explained[1]["field"], &explained[1]["ours"]), (&"spec.replicas".into(), &7.into()));
}

#[test]
fn what_cannot_be_compared() {
    let folder = shop();
    let refused = |name: &str, arguments: &[&str], stdin: &str| {
        let output = parity(folder.path(), arguments, stdin);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        approved(name, &output);
    };
    refused("parity-no-file", &["none.yaml"], "");
    refused("parity-no-objects", &["-"], "# nothing\n");
    refused("parity-not-yaml", &["-"], "a: [1\n");
    fs::write(
        folder.path().join("differences.md"),
        "| object | field | ours | upstream | why |\n|-|-|-|-|-|\n| Service shop/shop | spec.type | a | b | |\n",
    )
    .unwrap();
    refused("parity-no-reason", &["upstream.yaml", "--differences", "differences.md"], "");
    approved("help-parity", &parity(folder.path(), &["--help"], ""));
}

#[test]
fn built_in_differences_have_reasons() {
    Differences::parse(vigil::DIFFERENCES.iter().copied()).unwrap_or_else(|problems| panic!("{problems:#?}"));
}

/// The rules and dashboards of the charts, as far as they matter here: by their names.
fn alerts_and_dashboards_of_the_charts() -> [Value; 2] {
    let rules: Vec<_> = names("alerts").iter().map(|name| json!({ "alert": name })).collect();
    let titles = names("dashboards").into_iter().enumerate();
    let files: Map<_, _> =
        titles.map(|(n, title)| (format!("{n:02}.json"), json!({ "title": title }).to_string().into())).collect();
    [
        json!({ "kind": "PrometheusRule", "spec": { "groups": [{ "rules": rules }] } }),
        json!({ "kind": "ConfigMap", "metadata": { "labels": { "grafana_dashboard": "1" } }, "data": files }),
    ]
}

/// A list of names in docs/upstream.
fn names(list: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(format!("docs/upstream/{list}.txt"))).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Where docs/ speak of what is refused over the charts' objects.
const UPGRADE: &str = "upgrade.md#from-helm-releases";

/// What an API server refuses when our set is applied over upstream's. The guide names each.
fn refused(upstream: &[Value], ours: &[Value], guide: &str) -> String {
    let diff = vigil_diff::compare(upstream, ours, vigil_diff::Options { minor: 29 });
    let refused = diff.of(vigil_diff::Class::Refused);
    let names: Vec<_> = refused.map(|it| format!("`{} {}`", it.object.kind, it.object.name)).collect();
    for name in &names {
        assert!(guide.contains(name), "docs/upgrade.md does not speak of {name}, which is refused");
    }
    names.join(", ")
}

/// What the charts make, if it is here.
fn upstream() -> Option<Vec<Value>> {
    let folder = std::env::var_os("VIGIL_UPSTREAM").map_or_else(|| root().join("../shared/upstream"), PathBuf::from);
    if !folder.is_dir() {
        // Past the test's capture: a comparison that was not made must not look like one that was.
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED: no charts to compare with; {} is no folder; set VIGIL_UPSTREAM\n",
            folder.display()
        );
        return None;
    }
    let mut upstream: Vec<Value> = Vec::new();
    for file in UPSTREAM {
        let source = Source::read(&folder.join(file), Limits::default().bytes).unwrap();
        upstream.extend(vigil_yaml::read(&source, &Limits::default()).unwrap().iter().map(Node::to_json));
    }
    upstream.extend(alerts_and_dashboards_of_the_charts());
    Some(upstream)
}

fn differences() -> Differences {
    Differences::parse(vigil::DIFFERENCES.iter().copied()).unwrap().with_possible(vigil::alerts_and_dashboards())
}

/// The objects of a stack.
fn ours(stack: &Path) -> Vec<Value> {
    support::render(stack).objects.iter().map(|object| (*object.value).clone()).collect()
}

/// Whoever has volumes and several replicas in the charts finds the same reasons, and the same refusals.
#[test]
fn volumes_and_replicas_are_explained_too() {
    let Some(mut upstream) = upstream() else { return };
    volumes::of_charts(&mut upstream);
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("stacks/charts.yaml"), folder.path().join("charts.yaml")).unwrap();
    let stack = folder.path().join("stack.yaml");
    fs::write(&stack, format!("extends: [charts.yaml]\n{}", volumes::KEYS)).unwrap();
    let ours = ours(&stack);
    let report = vigil_parity::compare(&ours, &upstream, &differences());
    assert_eq!(report.summary.unexplained, 0, "{}", report.table());
    let guide = fs::read_to_string(root().join("docs/upgrade.md")).unwrap();
    let expected = "`Deployment deploy-flask`, `StatefulSet loki-stack`, `Deployment kube-prometheus-stack-operator`";
    assert_eq!(refused(&upstream, &ours, &guide), expected);
}

#[test]
fn the_set_is_what_upstream_makes_but_for_what_is_listed() {
    let Some(upstream) = upstream() else { return };
    let differences = differences();
    let guide = fs::read_to_string(root().join("docs/upgrade.md")).unwrap();
    let mut text = "# The comparison with the charts\n\nWritten by `VIGIL_UPDATE_PARITY=1 cargo test --test parity`; \
                    [upstream.md](upstream.md) says what it means. Of the charts' PrometheusRules it has the \
                    alerts, those that they have gained since as well, and at its end the recorded series; of their \
                    dashboards the titles.\n"
        .to_owned();
    for Compared { stack, title, matched, equal } in COMPARED {
        let ours = ours(&root().join(stack));
        let mut report = vigil_parity::compare(&ours, &upstream, &differences);
        let (summary, table) = (report.summary, report.table());
        assert_eq!(summary.unexplained, 0, "{table}");
        assert_eq!(summary.matched + summary.left_out, summary.objects, "{table}");
        assert!(summary.matched >= matched, "{table}");
        assert!(summary.permille() >= equal, "{table}");
        // Rows that one stack does not need, another does.
        report.notes.clear();
        let command = format!("vigil parity --stack {stack} --format markdown {}", UPSTREAM.join(" "));
        write!(text, "\n## {title}\n\n```sh\n{command}\n```\n\n{}", report.markdown()).unwrap();
        let refused = refused(&upstream, &ours, &guide);
        write!(text, "\nRefused when it is applied over the charts' objects: {refused}. [upgrade.md]({UPGRADE}) says what to do.\n")
            .unwrap();
    }
    is_written(|_, recorded| format!("{text}{recorded}"));
}

/// Fails unless the table's page is what is made of its two sections, objects and recorded series. Or writes it.
fn is_written(whole: impl Fn(&str, &str) -> String) {
    static PAGE: Mutex<()> = Mutex::new(());
    let _page = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = root().join(TABLE);
    let written = fs::read_to_string(&path).unwrap_or_default();
    let (objects, recorded) = written.split_at(written.find(RECORDED).unwrap_or(written.len()));
    let expected = whole(objects, recorded);
    if std::env::var_os("VIGIL_UPDATE_PARITY").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(written == expected, "{TABLE} is stale; VIGIL_UPDATE_PARITY=1 cargo test --test parity writes it");
    }
}

/// The section about the series that the charts record.
const RECORDED: &str = "\n## Recorded series of kube-prometheus-stack\n";

/// What became of each series that the charts record. One that is neither ours nor said not to be fails.
#[test]
fn the_page_tells_what_became_of_recorded_series() {
    let told = fs::read_to_string(root().join("docs/upstream/alerts.md")).unwrap();
    let told = |name: &str| {
        let row = format!("| record {name} | * | none | present | ");
        told.lines().find_map(|line| Some(line.strip_prefix(&row)?.trim_end_matches(" |").to_owned()))
    };
    let ours = recorded();
    let mut text = format!("{RECORDED}\nThose of version 80.10.0.\n\n| Upstream | Here |\n|---|---|\n");
    let mut wrong = Vec::new();
    let mut same = 0;
    for name in names("recorded") {
        match (ours.contains(&name), told(&name)) {
            (true, None) => same += 1,
            (false, Some(why)) => writeln!(text, "| `{name}` | none: {why} |").unwrap(),
            (true, Some(_)) => wrong.push(format!("{name} is recorded here, and said not to be")),
            (false, None) => wrong.push(format!("{name}: neither recorded here nor said why not")),
        }
    }
    assert!(wrong.is_empty(), "docs/upstream/recorded.txt:\n{}", wrong.join("\n"));
    writeln!(text, "\n{same} are here under the same name.").unwrap();
    is_written(|objects, _| format!("{objects}{text}"));
}

/// The names of all series that a stack may record.
fn recorded() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, path) in support::stacks() {
        for object in support::render(&path).objects.iter().filter(|object| object.kind() == "PrometheusRule") {
            let groups = object.value["spec"]["groups"].as_array().unwrap();
            let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
            names.extend(rules.filter_map(|rule| rule["record"].as_str().map(str::to_owned)));
        }
    }
    names
}
