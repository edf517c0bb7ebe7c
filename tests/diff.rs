//! What `vigil diff` says of edits that people make to their stack, and of all ways from one stack to another.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod support;

use serde_json::Value;
use std::fs;
use std::sync::LazyLock;
use support::{approved, tutorial, vigil};
use vigil_diff::{Class, Diff, Options, report};
use vigil_stack::Stack;
use vigil_yaml::Source;

/// The objects that a stack renders to.
fn objects(stack: &str) -> Vec<Value> {
    let source = Source::new("stack.yaml", stack);
    let parsed = Stack::load(&source, &tutorial()).unwrap_or_else(|problems| panic!("{}", problems[0].draw(false)));
    let rendering = vigil_render::render(&parsed.stack, &vigil::TEMPLATES).unwrap();
    rendering.objects.iter().map(|object| (*object.value).clone()).collect()
}

fn compare(before: &[Value], after: &[Value]) -> Diff {
    let mut diff = vigil_diff::compare(before, after, Options { minor: 29 });
    vigil::size::add_series(&mut diff.totals);
    diff
}

/// The tutorial's stack with some texts in place of others.
fn edited(replacements: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(tutorial()).unwrap();
    for (from, to) in replacements {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    text
}

/// The objects of the tutorial's stack.
static TUTORIAL: LazyLock<Vec<Value>> = LazyLock::new(|| objects(&edited(&[])));

/// What is said of an edit, as people read it.
fn told(name: &str, before: &[(&str, &str)], after: &[(&str, &str)]) -> String {
    let before = if before.is_empty() { TUTORIAL.clone() } else { objects(&edited(before)) };
    let diff = compare(&before, &objects(&edited(after)));
    let report = report::text(&diff, false, false);
    support::snapshot(&support::root().join("golden/diff"), name, &report);
    report
}

const LOKI_STORAGE: &str = "`image` makes.\n  persistence:\n    enabled: false\n\n# Reads";
const LOKI_CLAIM: &str = "`image` makes.\n  persistence:\n    enabled: true\n\n# Reads";
const PROMETHEUS_STORAGE: &str = "`image` makes.\n  persistence:\n    enabled: false\n\n# Tells";
const PROMETHEUS_CLAIM: &str = "`image` makes.\n  persistence:\n    enabled: true\n\n# Tells";
const LOKI_VOLUME: (&str, &str) = (LOKI_STORAGE, LOKI_CLAIM);
const PROMETHEUS_VOLUME: (&str, &str) = (PROMETHEUS_STORAGE, PROMETHEUS_CLAIM);
const RECEIVERS: &str = "receivers: []";

#[test]
fn a_service_at_a_node_port() {
    told("node-port", &[], &[("type: LoadBalancer\n", "type: NodePort\n    nodePort: 30080\n")]);
}

#[test]
fn a_longer_retention() {
    told("retention", &[], &[("retention: 10d", "retention: 30d")]);
}

#[test]
fn a_volume_for_loki() {
    let report = told("loki-volume", &[], &[LOKI_VOLUME]);
    // The README shows it as an example.
    let readme = fs::read_to_string(support::root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("```text\n{report}```")));
}

#[test]
fn another_collector() {
    let promtail = ("  enabled: true\n  containerRuntime: containerd", "  enabled: false\nalloy:\n  enabled: true");
    told("collector", &[], &[promtail]);
}

#[test]
fn replicas_and_volumes_for_prometheus() {
    told("prometheus-replicas", &[], &[("prometheus:\n", "prometheus:\n  replicas: 2\n"), PROMETHEUS_VOLUME]);
}

#[test]
fn a_larger_volume() {
    let larger = |text: &'static str| text.replace("enabled: true", "enabled: true\n    size: 20Gi");
    let (loki, prometheus) = (larger(LOKI_CLAIM), larger(PROMETHEUS_CLAIM));
    let after = [(LOKI_STORAGE, loki.as_str()), (PROMETHEUS_STORAGE, &prometheus)];
    told("larger-volumes", &[LOKI_VOLUME, PROMETHEUS_VOLUME], &after);
}

#[test]
fn logs_for_a_shorter_time() {
    told("loki-retention", &[LOKI_VOLUME], &[LOKI_VOLUME, ("retention: 7d", "retention: 3d")]);
}

#[test]
fn somebody_is_told() {
    let receivers = "receivers:\n  - name: team\n    slack:\n    - urlSecret: { name: slack, key: url }\n      channel: \"#alerts\"\n  route:\n    receiver: team";
    told("receiver", &[], &[(RECEIVERS, receivers)]);
}

#[test]
fn an_alert_less_and_another_threshold() {
    told("alerts", &[], &[("off: []", "off: [KubePodCrashLooping]\n  thresholds:\n    nodeCpu: 95")]);
}

#[test]
fn other_namespaces() {
    told("namespaces", &[], &[("monitoring: mymonitoring", "monitoring: watch"), ("logging: myloki", "logging: logs")]);
}

/// The whole report of the way with the most to tell, as a comment on a pull request and for programs.
#[test]
fn other_formats() {
    let diff = compare(&TUTORIAL, &objects(&edited(&[LOKI_VOLUME, PROMETHEUS_VOLUME])));
    let folder = support::root().join("golden/diff");
    support::snapshot(&folder, "format-markdown", &report::markdown(&diff));
    support::snapshot(&folder, "format-json", &format!("{:#}\n", report::json(&diff)));
}

/// From each stack to each other one, and to itself: nothing is missed, and the patches make the second of the first.
#[test]
fn the_patch_of_every_way_makes_the_second_set_of_the_first() {
    let stacks: Vec<_> = support::stacks().iter().map(|(_, path)| support::render(path)).collect();
    let sets: Vec<Vec<Value>> =
        stacks.iter().map(|it| it.objects.iter().map(|object| (*object.value).clone()).collect()).collect();
    for before in &sets {
        assert!(compare(before, before).is_empty());
        for after in &sets {
            let diff = compare(before, after);
            for changed in &diff.changed {
                let find = |set: &[Value]| {
                    let is_it = |it: &&Value| {
                        (
                            it["kind"].as_str(),
                            it["metadata"]["name"].as_str(),
                            it["metadata"]["namespace"].as_str().unwrap_or_default(),
                        ) == (Some(&changed.object.kind), Some(&changed.object.name), &changed.object.namespace)
                    };
                    set.iter().find(is_it).unwrap().clone()
                };
                let mut patched = find(before);
                let patch: json_patch::Patch = serde_json::from_value(changed.patch()).unwrap();
                json_patch::patch(&mut patched, &patch).unwrap();
                assert_eq!(patched, find(after), "{}", changed.object);
                let told = diff.effects.iter().any(|effect| effect.object == changed.object);
                assert!(told, "nothing is said of {}", changed.object);
            }
        }
    }
}

/// The page has a row for every class, in the order in which they are told.
#[test]
fn the_page_knows_every_class() {
    let page = fs::read_to_string(support::root().join("docs/diff.md")).unwrap();
    let rows: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).collect();
    let classes: Vec<_> = rows.iter().map(|(class, _)| *class).filter(|class| !class.starts_with("vigil")).collect();
    assert_eq!(classes, Class::ALL.map(Class::id));
}

/// The program, between directories, files, standard input and revisions of git.
#[test]
fn paths_and_revisions() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| support::git(folder.path(), arguments);
    let write = |to: &str, text: &str| {
        fs::create_dir_all(folder.path().join(to).parent().unwrap()).unwrap();
        fs::write(folder.path().join(to), text).unwrap();
    };
    let service = |kind: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: a}}\nspec: {{type: {kind}, ports: [{{port: 80}}]}}\n"
        )
    };
    write("set/web.yaml", &service("ClusterIP"));
    write("set/kustomization.yaml", "resources: [web.yaml]\n");
    write("set/unlisted.yaml", &service("LoadBalancer"));
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "x"]);
    write("set/web.yaml", &service("NodePort"));
    let run = |arguments: &[&str]| vigil(folder.path(), &[&["diff"], arguments].concat());
    approved("diff-revision", &run(&["HEAD:set", "set"]));
    approved("diff-revision-of-a-file", &run(&["HEAD:set/web.yaml", "set/web.yaml", "--fail-on", "refused,data-loss"]));
    assert_eq!(run(&["HEAD:set/web.yaml", "set/web.yaml", "--fail-on", "exposure"]).status.code(), Some(1));
    assert_eq!(run(&["set", "set"]).status.code(), Some(0));
    approved("diff-same", &run(&["HEAD:./set", "HEAD:set"]));
    // git gives the paths of a tree from the folder that it runs in, unless it is told otherwise.
    let below = support::vigil(&folder.path().join("set"), &["diff", "HEAD:set", "."]);
    let above = run(&["HEAD:set", "set"]);
    assert_eq!((below.status.code(), below.stdout), (above.status.code(), above.stdout));
    approved("diff-unknown-revision", &run(&["nowhere:set", "set"]));
    approved("diff-missing", &run(&["nothing.yaml", "set"]));
    write("broken.yaml", "kind: [\n");
    approved("diff-broken", &run(&["set", "broken.yaml"]));
    let mut without_git = std::process::Command::new(env!("CARGO_BIN_EXE_vigil"));
    let without_git = without_git.current_dir(folder.path()).env("PATH", "").args(["diff", "HEAD:set", "set"]);
    approved("diff-without-git", &without_git.output().unwrap());
    approved("diff-unknown-class", &run(&["set", "set", "--fail-on", "danger"]));
    approved("help-diff", &run(&["--help"]));
    fs::copy(tutorial(), folder.path().join("stack.yaml")).unwrap();
    approved("diff-nothing-committed", &run(&[]));
    assert!(vigil(folder.path(), &["render"]).status.success());
    git(&["add", "manifests"]);
    git(&["commit", "--quiet", "--message", "y"]);
    approved("diff-committed", &run(&[]));
    write("stack.yaml", &edited(&[("retention: 10d", "retention: 5d")]));
    approved("diff-edited", &run(&[]));
    // Where the stack is in the revision too, each effect has its key; a node port and its type go together.
    fs::copy(tutorial(), folder.path().join("stack.yaml")).unwrap();
    git(&["add", "stack.yaml"]);
    git(&["commit", "--quiet", "--message", "z"]);
    let grafana = ("type: LoadBalancer", "type: NodePort\n    nodePort: 30080");
    write("stack.yaml", &edited(&[("retention: 10d", "retention: 30d"), grafana, LOKI_VOLUME]));
    approved("diff-causes", &run(&[]));
}
