//! `vigil check` and `vigil explain` as a person meets them, and what a stack and a render make of the checker.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use support::{approved, text};
use tempfile::TempDir;

const GOOD: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n";

/// Two objects with an error each, the first of which waives its own.
const BAD: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: waived
  namespace: shop
  annotations:
    waive.vigil/schema-type: \"read by our own controller, which takes numbers; <script> & \\\"quotes\\\"\"
data:
  retries: 3
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
data:
  colours: on
  café: no
";

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn vigil_reading(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigil"));
    command.current_dir(folder).args(arguments).env_remove("NO_COLOR");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that has seen enough closes its end.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn vigil(folder: &Path, arguments: &[&str]) -> Output {
    vigil_reading(folder, arguments, b"")
}

fn status(output: &Output, expected: i32) {
    assert_eq!(output.status.code(), Some(expected), "{}", text(output));
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

#[test]
fn help_and_explanations() {
    let here = folder(&[]);
    approved("help-check", &vigil(here.path(), &["check", "--help"]));
    approved("help-explain", &vigil(here.path(), &["explain", "--help"]));
    approved("explain", &vigil(here.path(), &["explain", "schema-type"]));
    approved("explain-unknown", &vigil(here.path(), &["explain", "schema-typo"]));
    let list = vigil(here.path(), &["explain"]);
    status(&list, 0);
    let list = text(&list);
    for rule in vigil_check::rules() {
        let listed = list.lines().filter(|line| line.split_whitespace().next() == Some(rule.id)).count();
        assert_eq!(listed, 1, "{}", rule.id);
        status(&vigil(here.path(), &["explain", rule.id]), 0);
    }
}

#[test]
fn every_format() {
    let here = folder(&[("bad.yaml", BAD)]);
    for format in ["text", "json", "github", "junit"] {
        let output = vigil(here.path(), &["check", "bad.yaml", "--format", format, "--kubernetes", "1.29,1.34"]);
        status(&output, 1);
        approved(&format!("vigil-check-{format}"), &output);
    }
    let output = vigil(here.path(), &["check", "bad.yaml", "--format", "sarif"]);
    status(&output, 1);
    let sarif = report(&output);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), vigil_check::rules().len());
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 7);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let location = &result["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "bad.yaml");
        assert!(location["region"]["startLine"].as_u64() > Some(1), "{result:#}");
    }
    let waived: Vec<_> = results.iter().filter(|result| result.get("suppressions").is_some()).collect();
    assert_eq!(waived.len(), 1);
    assert_eq!(waived[0]["suppressions"][0]["kind"], "inSource");
}

/// The schema is the standard's own, which is not copied here.
#[test]
fn sarif_is_what_the_standard_says() {
    let Some(schema) = tools::sarif_schema() else { return };
    let mut schema: Value = serde_json::from_str(&schema).unwrap();
    // Its pattern for languages, which are not told here, is no regular expression.
    for part in ["run", "toolComponent"] {
        schema["definitions"][part]["properties"]["language"]["pattern"] = "^[a-z]".into();
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let here = folder(&[("bad.yaml", BAD), ("a b/broken.yaml", "a: [")]);
    let valid = |arguments: &[&str]| {
        let sarif = report(&vigil(here.path(), arguments));
        let errors: Vec<_> = validator.iter_errors(&sarif).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        sarif
    };
    let sarif = valid(&["check", "bad.yaml", "a b", "--format", "sarif"]);
    assert_eq!(
        sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "a%20b/broken.yaml"
    );
    let stack = support::tutorial();
    status(&vigil(here.path(), &["render", "--stack", stack.to_str().unwrap()]), 0);
    valid(&["check", "manifests", "--format", "sarif"]);
    let mut wrong = sarif;
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&wrong), "the schema tells a wrong level");
}

#[test]
fn clean_or_nothing_there() {
    let here = folder(&[("good.yaml", GOOD), ("empty/notes.txt", "nothing to see")]);
    approved("vigil-check-clean", &vigil(here.path(), &["check", "good.yaml", "--kubernetes", "1.29"]));
    approved("vigil-check-none", &vigil(here.path(), &["check", "empty"]));
    approved("vigil-check-no-manifests", &vigil(here.path(), &["check"]));
    status(&vigil_reading(here.path(), &["check", "-"], GOOD.as_bytes()), 0);
    let output = vigil_reading(here.path(), &["check", "-"], BAD.as_bytes());
    status(&output, 1);
    assert!(text(&output).contains(" --> <stdin>:17:12"), "{}", text(&output));
}

#[test]
fn what_cannot_be_read() {
    let here = folder(&[("bytes.yaml", "a: b\n")]);
    fs::write(here.path().join("bytes.yaml"), b"a: b\nc: \xff\n").unwrap();
    approved("vigil-check-not-utf8", &vigil(here.path(), &["check", "none.yaml", "bytes.yaml"]));
    approved("vigil-check-stdin-not-utf8", &vigil_reading(here.path(), &["check", "-"], b"\xff"));
    approved("vigil-check-old-kubernetes", &vigil(here.path(), &["check", "-", "--kubernetes", "1.12"]));
    approved("vigil-check-no-kubernetes", &vigil(here.path(), &["check", "-", "--kubernetes", "newest"]));
    // A sparse file: as long as it says, and nothing on the disk.
    fs::File::create(here.path().join("large.yaml")).unwrap().set_len((512 << 20) + 1).unwrap();
    approved("vigil-check-too-large", &vigil(here.path(), &["check", "large.yaml"]));
}

#[test]
fn a_kustomization_is_what_kubectl_takes() {
    let here = folder(&[
        ("root/kustomization.yaml", "resources: [base, own.yaml]\npatches: []\n"),
        ("root/base/kustomization.yml", "resources:\n- ../../elsewhere\n- good.yaml\n"),
        ("root/base/good.yaml", GOOD),
        ("root/base/unused.yaml", BAD),
        ("root/own.yaml", &GOOD.replace("shop", "own")),
        ("elsewhere/Kustomization", "resources: [far.json]\n"),
        ("elsewhere/far.json", r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "far"}}"#),
    ]);
    let output = vigil(here.path(), &["check", "root", "--format", "json"]);
    status(&output, 0);
    assert_eq!(report(&output)["objects"], 3);
    // The same file by another path is read once; one that no kustomization lists is read when it is named.
    let output = vigil(here.path(), &["check", "root", "./root/base/good.yaml", "--format", "json"]);
    assert_eq!(report(&output)["objects"], 3);
    status(&vigil(here.path(), &["check", "root", "root/base/unused.yaml"]), 1);
}

#[test]
fn a_kustomization_that_does_more_is_left_to_kubectl() {
    let here = folder(&[
        (
            "root/kustomization.yaml",
            "resources:\n- base\n- base\n- missing.yaml\n- https://example.com/all.yaml\n- ../good.yaml\n- bare\n- 5\n\
             namespace: shop\npatches:\n- path: patch.yaml\nresource: []\nresourcs: [good.yaml]\n",
        ),
        ("root/base/kustomization.yaml", "resources: [..]\n"),
        ("root/bare/notes.txt", ""),
        ("good.yaml", GOOD),
    ]);
    approved("vigil-check-kustomization", &vigil(here.path(), &["check", "root"]));
    fs::write(here.path().join("root/kustomization.yaml"), "resources: [\n").unwrap();
    approved("vigil-check-kustomization-broken", &vigil(here.path(), &["check", "root"]));
    fs::write(here.path().join("root/kustomization.yaml"), "# nothing\n").unwrap();
    approved("vigil-check-kustomization-empty", &vigil(here.path(), &["check", "root"]));
}

#[test]
fn a_directory_is_all_that_is_below_it() {
    let name = |name: &str| GOOD.replace("shop", name);
    let here = folder(&[
        ("set/b.yaml", &name("b")),
        ("set/a/z.yml", &name("z")),
        ("set/a/notes.md", "no manifest"),
        ("set/.git/config.yaml", "no: manifest\n"),
        ("set/.hidden.yaml", "no: manifest\n"),
        ("set/k/kustomization.yaml", "resources: [in.yaml]\n"),
        ("set/k/in.yaml", &name("in")),
        ("set/k/out.yaml", "no: manifest\n"),
    ]);
    let check = || vigil(here.path(), &["check", "set", "--format", "junit"]);
    let output = check();
    status(&output, 0);
    let junit = text(&output);
    let order: Vec<_> = ["set/a/z.yml", "set/b.yaml", "set/k/in.yaml"]
        .iter()
        .map(|file| junit.find(&format!("<testsuite name=\"{file}\"")).unwrap_or_else(|| panic!("{file}: {junit}")))
        .collect();
    assert!(order.is_sorted(), "{junit}");
    assert!(junit.contains("tests=\"3\""), "{junit}");
    // Links that lead in circles, and twice to the same place.
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("..", here.path().join("set/a/up")).unwrap();
        symlink("a", here.path().join("set/again")).unwrap();
        symlink("nowhere", here.path().join("set/dead.txt")).unwrap();
        let linked = text(&check());
        assert!(linked.contains("tests=\"3\""), "{linked}");
        symlink("nowhere", here.path().join("set/dead.yaml")).unwrap();
        status(&check(), 2);
    }
}

#[test]
fn more_findings_than_anybody_reads() {
    let object = |at: usize| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{at}, namespace: x}}\nstray: 1\n---\n")
    };
    let many: String = (0..130).map(object).collect();
    let here = folder(&[("many.yaml", &(many + &object(999).replace("stray: 1", "data: {a: 1}")))]);
    let count = |output: &Output| text(output).matches("error[").count();
    let output = vigil(here.path(), &["check", "many.yaml"]);
    assert_eq!(count(&output), 100);
    assert!(text(&output).contains("`--all` shows them"), "{}", text(&output));
    let all = vigil(here.path(), &["check", "many.yaml", "--all"]);
    assert_eq!(count(&all), 131);
    assert!(!text(&all).contains("--all"));
}

#[test]
fn options_of_the_check() {
    let custom = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 3}\n";
    let definition = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer}}}}
";
    let here = folder(&[("w.yaml", custom), ("crds/widget.yaml", definition), ("bad.yaml", BAD)]);
    let run = |arguments: &[&str]| vigil(here.path(), &[&["check"], arguments].concat());
    status(&run(&["w.yaml"]), 1);
    for allowed in ["Widget", "example.com/v1/Widget"] {
        status(&run(&["w.yaml", "--allow-kind", allowed]), 0);
    }
    status(&run(&["w.yaml", "--allow-kind", "Wodget"]), 1);
    status(&run(&["w.yaml", "--crds", "crds"]), 0);
    fs::write(here.path().join("w.yaml"), custom.replace("size: 3", "size: big")).unwrap();
    let output = run(&["w.yaml", "--crds", "crds/widget.yaml", "--namespace", "toys"]);
    status(&output, 1);
    assert!(text(&output).contains("Widget toys/w, spec.size"), "{}", text(&output));
    let output = run(&["w.yaml", "--crds", "none"]);
    status(&output, 2);
    let report = report(&run(&["bad.yaml", "--objects-only", "--format", "json", "--kubernetes", "1.34,1.29,1.34"]));
    assert_eq!(report["referencesFollowed"], false);
    assert_eq!(report["kubernetes"], serde_json::json!(["1.29", "1.34"]));
}

#[test]
fn every_stack_is_clean() {
    let (oldest, newest) = vigil_check::versions();
    let versions = format!("{oldest},{newest}");
    for (name, stack) in support::stacks() {
        let folder = tempfile::tempdir().unwrap();
        let stack = stack.to_str().unwrap();
        let output = vigil(folder.path(), &["render", "--stack", stack]);
        assert!(output.status.success(), "{name}: {}", text(&output));
        let mut arguments = vec!["check", "manifests", "--stack", stack];
        if folder.path().join("manifests/argocd").is_dir() {
            arguments.push("manifests/argocd");
        }
        for kubernetes in [&[][..], &["--kubernetes", &versions]] {
            let output = vigil(folder.path(), &[&arguments, kubernetes].concat());
            assert!(output.status.success(), "{name}: {}", text(&output));
        }
    }
}

#[test]
fn a_stack_speaks_for_its_own_manifests_only() {
    let stack = "kubernetes: \"1.31\"\nflask: {enabled: false}\n";
    let here = folder(&[("stack.yaml", stack), ("good.yaml", GOOD)]);
    status(&vigil(here.path(), &["render"]), 0);
    let version = |arguments: &[&str]| {
        let output = vigil(here.path(), &[&["check", "--format", "json"], arguments].concat());
        report(&output)["kubernetes"][0].as_str().unwrap().to_owned()
    };
    let newest = vigil_check::versions().1.to_string();
    assert_eq!(version(&[]), "1.31");
    assert_eq!(version(&["manifests/"]), "1.31");
    assert_eq!(version(&["good.yaml"]), newest);
    assert_eq!(version(&["good.yaml", "--stack", "stack.yaml"]), "1.31");
    assert_eq!(version(&["--kubernetes", "1.33"]), "1.33");
    fs::write(here.path().join("stack.yaml"), "kubernetes: \"1.99\"\n").unwrap();
    approved("vigil-check-newer-kubernetes", &vigil(here.path(), &["check", "good.yaml", "--stack", "stack.yaml"]));
    fs::write(here.path().join("stack.yaml"), "checks: {waiver: []}\n").unwrap();
    approved("vigil-check-broken-stack", &vigil(here.path(), &["check"]));
}

#[test]
fn waivers_in_the_stack() {
    let stack = "\
checks:
  waivers:
  - { rule: schema-type, object: ConfigMap shop/settings, reason: read by our own controller }
  - { rule: schema-value, object: ConfigMap shop/settings, reason: gone long ago }
  - { rule: schema-typo, object: ConfigMap shop/settings, reason: misspelt }
  - { rule: schema-type, object: ConfigMap shop/setings, reason: misspelt too }
";
    let here = folder(&[("stack.yaml", stack), ("bad.yaml", BAD)]);
    approved("vigil-check-waivers", &vigil(here.path(), &["check", "bad.yaml", "--stack", "stack.yaml"]));
    let bad = "\
checks:
  provided:
  - { kind: secret, name: x }
  waivers:
  - { rule: Schema Type, object: settings, reason: '' }
  - { rule: schema-type }
";
    fs::write(here.path().join("stack.yaml"), bad).unwrap();
    approved("vigil-check-bad-waivers", &vigil(here.path(), &["check", "bad.yaml", "--stack", "stack.yaml"]));
}

#[test]
fn a_render_whose_objects_fail_writes_nothing() {
    let service = fs::read_to_string(support::root().join("templates/flask/service.yaml.hbs")).unwrap();
    let broken = service.replace("targetPort:", "tragetPort:");
    assert_ne!(service, broken);
    let stack = "kubernetes: \"1.29\"\n";
    let here = folder(&[("stack.yaml", stack), ("own/flask/service.yaml.hbs", &broken)]);
    let arguments = ["render", "--templates", "own"];
    approved("render-fails-the-check", &vigil(here.path(), &arguments));
    for further in ["--check", "--stdout"] {
        let output = vigil(here.path(), &[&arguments[..], &[further]].concat());
        status(&output, 2);
        assert!(output.stdout.is_empty(), "{}", text(&output));
    }
    assert!(!here.path().join("manifests").exists());
}

/// The pods of an object, or those that the operator makes of it.
fn pod_of(object: &vigil_render::Object) -> &serde_json::Value {
    object.value.pointer("/spec/template/spec").unwrap_or(&object.value["spec"])
}

#[test]
fn no_start_waits_for_the_files_of_a_volume() {
    let options = vigil_check::Options { objects_only: true, ..vigil_check::Options::default() };
    let mut owned = 0;
    for (name, path) in support::stacks() {
        for object in support::render(&path).objects.iter().filter(|object| object.component != "crds") {
            let context = &pod_of(object)["securityContext"];
            owned += usize::from(context["fsGroupChangePolicy"] == "OnRootMismatch");
            let text = object.value.text();
            let report = vigil_check::check(&[vigil_yaml::Source::new("t", text)], &options);
            let told = report.findings.iter().any(|finding| finding.rule.id == "volume-owner");
            assert!(!told, "{name}: {} goes through its volume", object.title());
        }
    }
    assert!(owned > 6, "{owned} pods with volumes were seen");
}

/// /run, /tmp and the like are memory: a node that starts has emptied them.
#[test]
fn what_pods_keep_on_nodes_outlives_the_start_of_the_node() {
    let mut kept = 0;
    for (name, path) in support::stacks() {
        for object in support::render(&path).objects.iter().filter(|object| object.kind() == "DaemonSet") {
            let pod = pod_of(object);
            let mounts =
                pod["containers"].as_array().unwrap().iter().flat_map(|it| it["volumeMounts"].as_array().unwrap());
            let written: Vec<_> =
                mounts.filter(|mount| mount["readOnly"] != true).map(|mount| &mount["name"]).collect();
            for volume in pod["volumes"].as_array().unwrap() {
                let Some(path) = volume["hostPath"]["path"].as_str().filter(|_| written.contains(&&volume["name"]))
                else {
                    continue;
                };
                kept += 1;
                let memory = ["/run", "/var/run", "/tmp", "/dev"].iter().any(|top| path.starts_with(top));
                assert!(!memory, "{name}: {} keeps its state in {path}", object.title());
            }
        }
    }
    assert!(kept > 3, "{kept} folders of nodes are written to");
}
