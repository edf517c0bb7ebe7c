//! Images by tag and digest: whoever reads one takes both, and the script that writes digests does it with a registry.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use serde_json::{Map, Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use support::{text, texts, vigil};
use tempfile::TempDir;

/// A stack that says every image by its default's tag and a digest, to lie over another one.
fn pinned() -> (Value, usize) {
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(support::root().join("stack.schema.json")).unwrap()).unwrap();
    let named = |value: &Value| {
        let reference =
            value.pointer("/allOf/0/$ref").or_else(|| value.pointer("/anyOf/0/$ref")).or(value.get("$ref"))?;
        reference.as_str()?.strip_prefix("#/definitions/").map(str::to_owned)
    };
    let (mut stack, mut count) = (Map::new(), 0);
    for (part, settings) in schema["properties"].as_object().unwrap() {
        let keys = named(settings).and_then(|name| schema["definitions"][name].get("properties").cloned());
        let Some(Value::Object(keys)) = keys else { continue };
        let images = keys.iter().filter(|(_, key)| named(key).is_some_and(|name| name == "Image"));
        let pinned: Map<_, _> = images
            // Of a container that not every stack has.
            .filter(|(key, _)| *key != "nginxImage")
            .map(|(key, value)| {
                count += 1;
                let image = value["default"].as_str().unwrap_or("registry.k8s.io/metrics-server/metrics-server:v0.8.0");
                (key.clone(), json!(format!("{image}@sha256:{count:064x}")))
            })
            .collect();
        if !pinned.is_empty() {
            stack.insert(part.clone(), pinned.into());
        }
    }
    (stack.into(), count)
}

/// The stacks of the tests with such a stack over one of them.
fn over(below: &str, more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in texts(&support::root().join("stacks")) {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let stack = vigil_yaml::write(&pinned().0);
    fs::write(folder.path().join("stack.yaml"), format!("extends: [{below}.yaml]\n{more}{stack}")).unwrap();
    folder
}

#[test]
fn every_reader_takes_a_tag_with_a_digest() {
    assert!(pinned().1 > 15, "{}", pinned().1);
    for (below, more) in [("tutorial", ""), ("switched", "imageRegistry: mirror.example.com/all\n")] {
        let folder = over(below, more);
        let run = |arguments: &[&str]| {
            let output = vigil(folder.path(), arguments);
            assert_eq!(output.status.code(), Some(0), "{below} {arguments:?}\n{}", text(&output));
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["render"]);
        run(&["check"]);
        let listed = run(&["images"]);
        for image in listed.lines().filter(|image| !image.contains("nginx")) {
            assert!(
                image.contains("@sha256:0000") && image.rsplit('/').next().unwrap().contains(':'),
                "{below}: {image}"
            );
            assert!(more.is_empty() || image.starts_with("mirror.example.com/all/"), "{image}");
        }
        let manifests = texts(&folder.path().join("manifests"));
        for (path, text) in &manifests {
            for line in text.lines().filter(|line| line.contains("app.kubernetes.io/version:")) {
                assert!(!line.contains('@'), "{path}: a digest is no version: {line}");
            }
            if path.starts_with("values/") {
                for tag in text.lines().filter(|line| line.trim_start().starts_with("tag: ")) {
                    assert!(tag.contains("@sha256:"), "{path} loses a digest: {tag}");
                }
            }
        }
        // The page, and what a digest alone changes: pods are replaced, and nothing else.
        assert!(run(&["report"]).contains("@sha256:"));
        let output = vigil(folder.path(), &["render", &format!("{below}.yaml"), "--out", "before"]);
        assert!(output.status.success(), "{}", text(&output));
        let output =
            vigil(folder.path(), &["diff", "before", "manifests", "--fail-on", "refused,data-twice,rights,exposure"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
}

/// Charts write `repository:tag`, also where there is no tag.
#[test]
fn a_digest_alone_reaches_the_charts() {
    let folder = tempfile::tempdir().unwrap();
    let sum = "0".repeat(64);
    let stack = format!(
        "flask: {{ enabled: false }}\nnode-exporter: {{ image: 'quay.io/prometheus/node-exporter@sha256:{sum}' }}\n"
    );
    fs::write(folder.path().join("stack.yaml"), stack).unwrap();
    let output = vigil(folder.path(), &["render"]);
    assert!(output.status.success(), "{}", text(&output));
    let values = fs::read_to_string(folder.path().join("manifests/values/kube-prometheus-stack.yaml")).unwrap();
    assert!(
        values.contains(&format!("    repository: prometheus/node-exporter@sha256\n    tag: \"{sum}\"\n")),
        "{values}"
    );
}

/// The comparison with charts is about programs, and a digest beside a tag names the same one.
#[test]
fn parity_is_about_tags() {
    let folder = over("charts", "");
    let object = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": "kube-prometheus-stack-prometheus-node-exporter", "namespace": "mymonitoring" },
        "spec": { "template": { "spec": { "containers": [
            { "name": "node-exporter", "image": "quay.io/prometheus/node-exporter:v1.10.2" },
        ] } } },
    });
    fs::write(folder.path().join("chart.yaml"), object.to_string()).unwrap();
    let images = |stack: &str| {
        let output = vigil(folder.path(), &["parity", "chart.yaml", "--stack", stack, "--format", "json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.contains("node-exporter:v1.")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(images("stack.yaml"), [""; 0]);
    fs::write(folder.path().join("chart.yaml"), object.to_string().replace("v1.10.2", "v1.9.0")).unwrap();
    assert!(!images("stack.yaml").is_empty(), "another tag is told");
}

/// A registry on the loopback, until it is dropped.
struct Registry {
    process: Child,
    address: String,
}

impl Registry {
    fn start(crane: &Path, folder: &Path) -> Self {
        let mut command = Command::new(crane);
        command.args(["registry", "serve", "--address", "127.0.0.1:0"]).current_dir(folder);
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let said = lines.find(|line| line.contains("serving on port")).unwrap();
        let port = said.rsplit(' ').next().unwrap().to_owned();
        // Whoever logs into a pipe that nobody reads stops some day.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address: format!("127.0.0.1:{port}") }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn script(crane: &Path, folder: &Path, files: &[&str]) -> Output {
    let path = format!("{}:{}", crane.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.arg(support::root().join("tools/ci/digests")).args(files).current_dir(folder).env("PATH", path);
    command.output().unwrap()
}

#[cfg(unix)]
#[test]
fn digests_are_written_behind_tags() {
    let Some(crane) = tools::crane() else { return };
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(&crane, folder.path());
    let at = &registry.address;
    let push = |tag: &str, content: &str| {
        fs::write(folder.path().join("layer"), content).unwrap();
        let layer = "tar -cf layer.tar layer && \"$0\" append --oci-empty-base --new_layer layer.tar --new_tag \"$1\" >/dev/null";
        let mut command = Command::new("bash");
        command.args(["-c", layer]).arg(&crane).arg(format!("{at}/a/{tag}")).current_dir(folder.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    };
    push("prometheus:v3.8.1", "one");
    push("prometheus:v3.8.10", "two");
    let digest = |tag: &str| {
        let output = Command::new(&crane).args(["digest", &format!("{at}/a/{tag}")]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let old = format!("sha256:{}", "0".repeat(64));
    let stack = |one: &str, two: &str| {
        format!(
            "# {at}/a/prometheus is ours.\nprometheus: {{ image: '{at}/a/prometheus:v3.8.1{one}' }}\n\
             prometheus-operator:\n  configReloaderImage: {at}/a/prometheus:v3.8.10{two}\n"
        )
    };
    let path = folder.path().join("stack.yaml");
    fs::write(&path, stack("", &format!("@{old}"))).unwrap();
    let (one, two) = (format!("@{}", digest("prometheus:v3.8.1")), format!("@{}", digest("prometheus:v3.8.10")));
    assert!(one != two && one.starts_with("@sha256:"));
    for run in ["first", "again"] {
        let output = script(&crane, folder.path(), &["stack.yaml"]);
        assert!(output.status.success(), "{run}: {}", text(&output));
        assert_eq!(fs::read_to_string(&path).unwrap(), stack(&one, &two), "{run}");
    }
    let output = vigil(folder.path(), &["render", "--stdout"]);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains(&format!("a/prometheus:v3.8.1{one}")),
        "{}",
        text(&output)
    );
    // The tag moves, and its digest with it.
    push("prometheus:v3.8.1", "three");
    assert!(script(&crane, folder.path(), &["stack.yaml"]).status.success());
    let moved = format!("@{}", digest("prometheus:v3.8.1"));
    assert!(moved != one);
    assert_eq!(fs::read_to_string(&path).unwrap(), stack(&moved, &two));
    // One that is not there: no file is changed.
    let unknown = stack("", "") + &format!("loki: {{ image: '{at}/a/loki:1.0' }}\n");
    fs::write(&path, &unknown).unwrap();
    let output = script(&crane, folder.path(), &["stack.yaml"]);
    assert!(!output.status.success() && text(&output).contains("a/loki:1.0 has no digest"), "{}", text(&output));
    assert_eq!(fs::read_to_string(&path).unwrap(), unknown);
}
