//! Your stack: `stack.yaml`, `manifests/` and `golden/stack` belong to whoever forked this repository. These tests say
//! whether the three agree, and show every difference at once; no other test reads them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock};
use support::golden;
use tempfile::TempDir;
use vigil_check::report;
use vigil_render::Rendering;
use vigil_yaml::Source;
use walkdir::WalkDir;

/// The repository, as cargo says it when the test runs: it may be another one than that of the build.
fn root() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| support::root().to_owned(), PathBuf::from)
}

fn rendering() -> &'static Rendering {
    static RENDERING: OnceLock<Rendering> = OnceLock::new();
    RENDERING.get_or_init(|| support::render(&root().join("stack.yaml")))
}

#[test]
fn your_stack_is_rendered() {
    let changes = vigil_directory::compare(&root().join("manifests"), &rendering().files);
    let changes = changes.unwrap_or_else(|error| panic!("{error}"));
    let signs = [("+", &changes.added), ("~", &changes.changed), ("-", &changes.removed)];
    let files =
        signs.iter().flat_map(|(sign, files)| files.iter().map(move |file| format!("  {sign} {}\n", file.path)));
    let files: String = files.collect();
    assert!(changes.is_empty(), "manifests/ is not what stack.yaml renders to; run `cargo run -- render`:\n{files}");
}

#[test]
fn your_stack_is_clean() {
    let (options, rendering) = (support::options(&root().join("stack.yaml")), rendering());
    let paths: BTreeSet<&String> = rendering.objects.iter().map(|object| &object.path).collect();
    let source = |path: &String| Source::new(format!("manifests/{path}"), rendering.files[path].as_str());
    let report = vigil_check::check(&paths.into_iter().map(source).collect::<Vec<_>>(), &options);
    assert!(report.is_clean(), "{}", report::text(&report, usize::MAX, false));
}

#[test]
fn your_stack_is_what_was_approved() {
    let differing = golden::differing(&root().join("golden/stack"), rendering());
    assert!(
        differing.is_empty(),
        "golden/stack differs, as shown above: {}\n\
         to accept it: `INSTA_UPDATE=always cargo test --workspace --test stack your_stack`, or `cargo insta review`",
        differing.join(", ")
    );
}

const RENDERED: &str = "your_stack_is_rendered";
const CLEAN: &str = "your_stack_is_clean";
const APPROVED: &str = "your_stack_is_what_was_approved";

/// What people write into `stack.yaml`. A key that is not there is as in the tutorial's stack.
const EDITS: [&str; 21] = [
    "flask: {enabled: false}",
    "namespaces: {monitoring: watch, logging: records}",
    "promtail: {enabled: false}\nalloy: {enabled: true}",
    "loki: {enabled: false}\npromtail: {enabled: false}",
    "argocd: {enabled: true, repository: 'https://git.example.com/a/b.git'}",
    "name: team-a\nflux: {enabled: true, artifact: 'oci://registry.example.com/a/b'}",
    "metrics-server: {enabled: false}",
    "values: {enabled: false}",
    "grafana: {dashboards: [{name: own, file: dashboards/own.json}]}",
    "prometheus: {retention: 30d, remoteWrite: [{url: 'https://a.example.com/b'}]}\nloki: {retention: 14d}",
    "prometheus: {persistence: {enabled: true}, replicas: 2}\nloki: {persistence: {enabled: true}}",
    "alertmanager: {receivers: [{name: a, slack: [{urlSecret: {name: b, key: c}, channel: d}]}], route: {receiver: a}}",
    "imageRegistry: mirror.example.com/all",
    "kubernetes: '1.34'",
    "prometheus: {service: {type: ClusterIP}}\ngrafana: {ingress: {enabled: true, className: a, host: a.example.com}}",
    "labels: {team: a}\npods: {nodeSelector: {a: b}, tolerations: [{key: c}], resources: {limits: {cpu: '1'}}}",
    "prometheus: {enabled: false}",
    "alertmanager: {enabled: false}",
    "grafana: {enabled: false}",
    "node-exporter: {enabled: false}\nkube-state-metrics: {enabled: false}\nkubernetes-targets: {enabled: false}",
    "prometheus-operator: {admissionWebhooks: job}\nnetwork-policies: {enabled: true}",
];

/// A fork of this repository: what belongs to its user, in a folder.
struct Fork(TempDir);

impl Fork {
    /// The tutorial's stack, rendered and approved, and some files of the user's.
    fn new() -> Self {
        static TUTORIAL: LazyLock<Rendering> = LazyLock::new(|| support::render(&support::tutorial()));
        let fork = Self(tempfile::tempdir().unwrap());
        for (from, to) in [("stacks", "stacks"), ("golden/tutorial", "golden/stack")] {
            let files = support::texts(&support::root().join(from));
            for (file, text) in files.iter().filter(|(file, _)| !file.ends_with(".new")) {
                fork.put(&format!("{to}/{file}"), text);
            }
        }
        vigil_directory::write(&fork.path("manifests"), &TUTORIAL.files).unwrap();
        fork.put("manifests/notes.txt", "mine");
        fork.put("manifests/own/service.yaml", "not: for Vigil");
        fork.put("dashboards/own.json", r#"{"uid": "own", "title": "Own", "panels": []}"#);
        fork
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn put(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    /// Runs tests of this program on the fork.
    fn test(&self, tests: &[&str], update: &str) -> Output {
        let mut command = Command::new(env::current_exe().unwrap());
        command.arg("--exact").args(tests).env("CARGO_MANIFEST_DIR", self.0.path()).env("INSTA_UPDATE", update);
        // Else insta asks cargo for it, each time.
        command.env("INSTA_WORKSPACE_ROOT", support::root()).env_remove("INSTA_FORCE_PASS");
        command.output().unwrap()
    }

    /// The snapshots, by their file's name.
    fn snapshots(&self) -> BTreeMap<String, String> {
        support::texts(&self.path("golden/stack"))
    }

    fn everything_else(&self) -> BTreeMap<String, String> {
        let mut texts = support::texts(self.0.path());
        texts.retain(|path, _| !path.starts_with("golden/stack/"));
        texts
    }
}

/// The files that are not the same in both.
fn changed<'a>(before: &'a BTreeMap<String, String>, after: &'a BTreeMap<String, String>) -> Vec<&'a str> {
    let files: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    files.into_iter().filter(|file| before.get(*file) != after.get(*file)).map(String::as_str).collect()
}

/// Goes the way of an edit: it is rendered, told in full by one test, accepted in a review or by the command, and all is
/// green. Gives whether there was something to accept.
fn edit(stack: &str, in_review: bool) -> bool {
    let fork = Fork::new();
    fork.put("stack.yaml", stack);
    let passes = |output: &Output, count: usize| {
        let all = String::from_utf8_lossy(&output.stdout).contains(&format!("test result: ok. {count} passed"));
        assert!(output.status.success() && all, "{stack}\n{}", support::text(output));
    };
    let rendered = support::vigil(fork.0.path(), &["render"]);
    assert!(rendered.status.success(), "{stack}\n{}", support::text(&rendered));
    let (approved, everything_else) = (fork.snapshots(), fork.everything_else());
    assert_eq!(everything_else["manifests/notes.txt"], "mine");

    let told = fork.test(&[RENDERED, APPROVED], "new");
    if in_review {
        // It makes of each pending snapshot the approved one, without the line of the test.
        for (file, text) in fork.snapshots().iter().filter(|(file, _)| file.ends_with(".new")) {
            let text: Vec<_> = text.lines().filter(|line| !line.starts_with("assertion_line: ")).collect();
            fork.put(&format!("golden/stack/{}", file.trim_end_matches(".new")), &(text.join("\n") + "\n"));
            fs::remove_file(fork.path(&format!("golden/stack/{file}"))).unwrap();
        }
        passes(&fork.test(&[APPROVED], "no"), 1);
    }
    // After a review there is nothing left for it but the snapshots of what is gone.
    passes(&fork.test(&[APPROVED], "always"), 1);
    passes(&fork.test(&[RENDERED, CLEAN, APPROVED], "no"), 3);
    let accepted = fork.snapshots();
    // Each folder of the list, and the kustomization above them.
    let list = everything_else["manifests/.vigil-files"].lines().filter(|line| !line.starts_with('#'));
    let rendered = list.filter_map(|path| path.split(['/', '.']).next()).map(|name| format!("{name}.snap"));
    assert_eq!(accepted.keys().cloned().collect::<BTreeSet<_>>(), rendered.collect(), "{stack}");
    let mut components: Vec<_> =
        changed(&approved, &accepted).iter().map(|file| file.strip_suffix(".snap").unwrap_or(file)).collect();
    components.sort_unstable();
    if components.is_empty() {
        passes(&told, 2);
    } else {
        let text = String::from_utf8_lossy(&told.stdout);
        assert!(text.contains("test result: FAILED. 1 passed; 1 failed"), "{stack}\n{text}");
        let names = text.lines().find_map(|line| line.strip_prefix("golden/stack differs, as shown above: "));
        assert_eq!(names, Some(&*components.join(", ")), "{stack}\n{text}");
    }
    assert_eq!(changed(&fork.everything_else(), &everything_else), [""; 0], "{stack}");
    !components.is_empty()
}

#[test]
fn after_any_edit_golden_stack_differs_and_nothing_else() {
    let examples = support::stacks().into_iter().map(|(_, path)| {
        // What an example names lies beside it.
        fs::read_to_string(path).unwrap().replace("file: ", "file: stacks/")
    });
    let stacks: Vec<_> = EDITS.map(str::to_owned).into_iter().chain(examples).collect();
    let stacks = Mutex::new(stacks.iter().enumerate());
    let next = || stacks.lock().unwrap().next();
    let accepted = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, stack)) = next() {
                    accepted.fetch_add(usize::from(edit(stack, number % 2 == 1)), Ordering::Relaxed);
                }
            });
        }
    });
    assert!(accepted.into_inner() > 20, "too few of these edits change anything");
}

/// Whether the source of a test reads what belongs to the user.
fn reads_yours(source: &str) -> bool {
    let source: String = source.split_whitespace().collect();
    ["stack.yaml", "manifests", "golden/stack"].iter().any(|yours| {
        let ways = ["root().join(\"", "root.join(\"", "\"../", "\"../../", "\"../../../", "CARGO_MANIFEST_DIR\"),\"/"];
        ways.iter().any(|way| source.contains(&format!("{way}{yours}")))
    })
}

#[test]
fn no_other_test_reads_what_is_yours() {
    for way in [
        "support::root().join(\"stack.yaml\")",
        "root()\n    .join(\"manifests\")",
        "include_str!(\"../../../stack.yaml\")",
        "Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"../../golden/stack\")",
        "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/stack.yaml\")",
    ] {
        assert!(reads_yours(way), "{way}");
    }
    let own = Path::new(file!());
    let mut looked_at = 0;
    for folder in ["benches", "crates", "fuzz/fuzz_targets", "src", "tests"] {
        for entry in WalkDir::new(support::root().join(folder)).into_iter().map(Result::unwrap) {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with(own) {
                looked_at += 1;
                let source = fs::read_to_string(path).unwrap();
                assert!(!reads_yours(&source), "{} reads what is the user's", path.display());
            }
        }
    }
    assert!(looked_at > 100, "{looked_at} files");
}
