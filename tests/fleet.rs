//! Many clusters: what is written for them, that each gets what it would get alone, and how something is promoted.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod objects;
mod support;
mod tools;

use objects::Objects;
use similar::TextDiff;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use support::{approved, golden, text, texts, vigil};
use tempfile::TempDir;
use vigil_render::Rendering;
use vigil_stack::{Fleet, Member};
use vigil_yaml::Source;

fn example() -> PathBuf {
    support::root().join("examples/fleet")
}

/// A copy of the example.
fn copied() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in texts(&example()) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The same with a cluster of each kind.
fn few() -> TempDir {
    let folder = copied();
    let path = folder.path().join("clusters.yaml");
    let left_out = ["ams-02", "fra-03", "iad-01", "iad-02", "pdx-01", "pdx-02", "shop-02", "shop-03"];
    let text = fs::read_to_string(&path).unwrap();
    let lines =
        text.split_inclusive('\n').filter(|line| !left_out.iter().any(|name| line.contains(&format!(" {name}:"))));
    fs::write(&path, lines.collect::<String>()).unwrap();
    folder
}

fn fleet(folder: &Path) -> Fleet {
    let path = folder.join("clusters.yaml");
    let source = Source::read(&path, Fleet::LIMITS.bytes).unwrap();
    Fleet::load(&source, &path).unwrap_or_else(|problems| panic!("{}", problems[0].draw(false)))
}

/// What a command said, with the folder's files.
fn said(folder: &Path, arguments: &[&str]) -> String {
    format!("$ vigil {}\n{}\n", arguments.join(" "), text(&vigil(folder, arguments)))
}

/// A text without the names of folders in `shared/`, which change with every template.
fn without_hashes(text: &str) -> String {
    let mut clean = String::new();
    for line in text.split_inclusive('\n') {
        let is_hash = |part: &str| part.len() == 12 && part.bytes().all(|b| b.is_ascii_hexdigit());
        let parts: Vec<_> = line.split_inclusive(['/', '\n']).collect();
        let shown = parts.iter().map(|part| {
            let end = part.trim_end_matches(['/', '\n']).len();
            if is_hash(&part[..end]) { format!("HASH{}", &part[end..]) } else { (*part).to_owned() }
        });
        clean.extend(shown);
    }
    clean
}

/// All that is generated of a fleet and is no manifest of a component, and the names of the manifests.
fn drawn(files: &BTreeMap<String, String>) -> String {
    let mut names: Vec<_> = files.keys().map(|name| without_hashes(name)).collect();
    names.sort();
    let mut drawn = names.join("\n") + "\n";
    for (name, text) in files.iter().filter(|(name, _)| !name.starts_with("shared/")) {
        let is_own = !name.ends_with("kustomization.yaml") && name.starts_with("clusters/");
        if !is_own {
            drawn.extend(["\n--- ", name, "\n", text]);
        }
    }
    drawn
}

/// One cluster of each ring and set of stack files, with what its stack renders to alone; those of the first ring first.
fn representatives(fleet: &Fleet) -> Vec<(&Member, Rendering)> {
    let mut members: Vec<_> = fleet.members.iter().collect();
    members.sort_by_key(|member| (member.ring, member.layers.len()));
    let mut seen = BTreeSet::new();
    members.retain(|member| seen.insert((member.ring, member.layers.clone())));
    let rendered = members.into_iter().map(|member| {
        let parsed = fleet.stack(member).unwrap_or_else(|problems| panic!("{}", problems[0].draw(false)));
        (member, vigil_render::render(&parsed.stack, &vigil::TEMPLATES).expect("a sound stack"))
    });
    rendered.collect()
}

/// The lines in which one text differs from another, with one around them. Of many in a row, such as a dashboard, the first.
fn lines_that_differ(from: &str, to: &str) -> String {
    const MOST: usize = 40;
    let diff = TextDiff::from_lines(from, to);
    let lines = diff.unified_diff().context_radius(1).to_string();
    let lines: Vec<&str> = lines.lines().collect();
    let rows = lines.chunk_by(|one, next| one.starts_with(['+', '-']) && one.get(..1) == next.get(..1));
    let mut page = String::new();
    for row in rows {
        let shown = if row.len() > MOST { &row[..MOST / 2] } else { row };
        for line in shown {
            // Where in the file they stand changes with everything above.
            page.extend([if line.starts_with("@@") { "…" } else { line }, "\n"]);
        }
        if shown.len() < row.len() {
            writeln!(page, "{}… {} more lines", &row[0][..1], row.len() - shown.len()).unwrap();
        }
    }
    page
}

/// What a reviewer reads of the clusters: the first one whole, of the others where they differ from it.
#[test]
fn one_cluster_of_each_kind_is_as_approved() {
    let folder = support::root().join("golden/fleet");
    let fleet = fleet(&example());
    let representatives = representatives(&fleet);
    let ((first, rendering), others) = representatives.split_first().unwrap();
    let mut differing = golden::differing(&folder.join(first.name.as_str()), rendering);
    let usual = golden::texts(rendering);
    for (member, rendering) in others {
        let texts = golden::texts(rendering);
        let parts: BTreeSet<_> = usual.keys().chain(texts.keys()).collect();
        let of = |texts: &BTreeMap<String, String>, part: &String| texts.get(part).cloned().unwrap_or_default();
        let mut page = format!("What {} has other than {}.\n", member.name, first.name);
        for part in parts.into_iter().filter(|part| usual.get(*part) != texts.get(*part)) {
            writeln!(page, "\n--- {part}\n{}", lines_that_differ(&of(&usual, part), &of(&texts, part)).trim_end())
                .unwrap();
        }
        let differs = std::panic::catch_unwind(|| support::snapshot(&folder, member.name.as_str(), &page)).is_err();
        differing.extend(differs.then(|| member.name.to_string()));
    }
    let known = |name: &str| representatives.iter().any(|(member, _)| member.name.as_str() == name);
    let left = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    differing.extend(left.filter(|file| !known(file.split('.').next().unwrap())));
    assert!(differing.is_empty(), "these snapshots in golden/fleet differ, as shown above: {}", differing.join(", "));
}

#[test]
fn the_example_is_what_was_approved() {
    let folder = copied();
    let output = vigil(folder.path(), &["fleet", "render"]);
    assert!(output.status.success(), "{}", text(&output));
    let files = texts(&folder.path().join("fleet"));
    support::snapshot(&support::root().join("golden/cli"), "fleet-example", &without_hashes(&drawn(&files)));

    // Every cluster, built from its folder, is what its stack renders to alone.
    let fleet = fleet(folder.path());
    let kubectls = tools::all_releases("kubectl");
    for (member, rendering) in representatives(&fleet) {
        let objects = Objects::of(rendering);
        let directory = folder.path().join("fleet/clusters").join(member.name.as_str());
        for kubectl in &kubectls {
            objects.assert_same(&Objects::kustomized(kubectl, &directory), member.name.as_str());
        }
    }

    // The order in which they are named does not count.
    let path = folder.path().join("clusters.yaml");
    let written = fs::read_to_string(&path).unwrap();
    let (head, clusters) = written.split_once("clusters:\n").unwrap();
    let mut lines: Vec<_> = clusters.lines().collect();
    lines.reverse();
    fs::write(&path, format!("{head}clusters:\n{}\n", lines.join("\n"))).unwrap();
    let output = vigil(folder.path(), &["fleet", "render", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

/// What is taken from the cache is what would be rendered, whatever has changed meanwhile.
#[test]
fn the_cache_changes_nothing() {
    let folder = few();
    let path = folder.path();
    let edit = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(path.join(file)).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(path.join(file), text.replacen(from, to, 1)).unwrap();
    };
    let steps: [(&str, &dyn Fn()); 6] = [
        ("nothing", &|| {}),
        ("a file of all", &|| edit("base.yaml", "retention: 3d", "retention: 4d")),
        ("a file of a ring", &|| edit("rings/early.yaml", "prometheus:\n", "prometheus:\n  retention: 5d\n")),
        ("a region", &|| edit("clusters.yaml", "region: eu", "region: us")),
        ("a new cluster, which a hub lists", &|| {
            edit("clusters.yaml", "clusters:\n", "clusters:\n  aaa-01: { ring: early, region: eu }\n");
        }),
        ("a new ring", &|| edit("clusters.yaml", "- name: canary\n", "- name: first\n- name: canary\n")),
    ];
    for (what, change) in steps {
        change();
        // Twice: from what was kept of the step before, and from what is kept of this one.
        for out in ["before", "again", "anew"] {
            let more: &[&str] = if out == "anew" { &["--no-cache"] } else { &[] };
            let output = vigil(path, &[&["fleet", "render", "--out", out], more].concat());
            assert!(output.status.success(), "{what}: {}", text(&output));
        }
        let [before, again, anew] = ["before", "again", "anew"].map(|out| texts(&path.join(out)));
        assert!(before == anew && again == anew, "{what}");
    }
}

/// It is used, and one that is broken is not.
#[test]
fn a_broken_cache_is_none() {
    let (folder, caches) = (few(), tempfile::tempdir().unwrap());
    let render = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vigil"));
        let output = command.args(["fleet", "render"]).current_dir(folder.path()).env("XDG_CACHE_HOME", caches.path());
        let output = output.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        texts(&folder.path().join("fleet"))
    };
    let right = render();
    let [file] = &texts(caches.path()).into_iter().collect::<Vec<_>>()[..] else { panic!("one cache") };
    let (path, kept) = (caches.path().join(&file.0), &file.1);
    let said = "kind: Prometheus\\n";
    assert!(kept.contains(said));
    fs::write(&path, kept.replace(said, "kind: Kept\\n")).unwrap();
    let taken = render();
    assert!(taken.values().any(|text| text.contains("kind: Kept\n")), "it is not used");
    let number = regex::Regex::new(r#"(/prometheus\.yaml":)\d+"#).unwrap();
    let broken = [
        String::new(),
        kept[..kept.len() / 2].to_owned(),
        "{}".to_owned(),
        kept.replacen("\"program\":\"", "\"program\":\"another ", 1),
        number.replace(kept, "${1}1000000").into_owned(),
        kept.replacen("\"texts\":[", "\"texts\":[\"\",\"\",", 1),
    ];
    for broken in broken {
        assert_ne!(broken, *kept);
        fs::write(&path, broken).unwrap();
        assert!(render() == right);
    }
}

/// Each cluster's own Flux reads a folder, which leads to the cluster's.
#[test]
fn flux_delivers_to_each_cluster() {
    let folder = copied();
    let base = folder.path().join("base.yaml");
    let written = fs::read_to_string(&base).unwrap();
    let (head, argocd) = written.split_once("argocd:\n").unwrap();
    let rest = argocd.find("\n#").map_or("", |at| &argocd[at..]);
    let flux =
        "flux:\n  enabled: true\n  repository: ssh://git@git.example.com/platform/monitoring.git\n  path: fleet\n";
    fs::write(&base, format!("{head}{flux}{rest}")).unwrap();
    let output = vigil(folder.path(), &["fleet", "render"]);
    assert!(output.status.success(), "{}", text(&output));
    let files = texts(&folder.path().join("fleet"));
    let of_flux: BTreeMap<_, _> = files.iter().filter(|(path, _)| path.starts_with("flux/")).collect();
    let names: Vec<String> =
        fleet(folder.path()).members.iter().map(|it| format!("flux/{}/sync.yaml", it.name)).collect();
    assert_eq!(of_flux.len(), names.len());
    for name in &names {
        let text = of_flux[name];
        let cluster = name.split('/').nth(1).unwrap();
        assert!(text.contains(&format!("path: ./fleet/clusters/{cluster}\n")), "{text}");
        assert!(files.contains_key(&format!("clusters/{cluster}/kustomization.yaml")), "{name}");
    }
    let first = names.iter().min().unwrap();
    support::snapshot(&support::root().join("golden/cli"), "fleet-flux", of_flux[first]);
}

/// What canary runs goes to the next ring: a line in its stack file, a line in its kustomization.
#[test]
fn a_version_is_promoted() {
    let folder = copied();
    let path = folder.path();
    // Fewer clusters say the same.
    let clusters = fs::read_to_string(path.join("clusters.yaml")).unwrap();
    let few = ["ams", "pdx", "shop", "fra-03", "iad-02"];
    let clusters: Vec<_> =
        clusters.lines().filter(|line| !few.iter().any(|name| line.contains(&format!("  {name}")))).collect();
    let last = "  ams-01: { ring: prod, region: eu }\n  ams-02: { ring: prod, region: eu }\n";
    fs::write(path.join("clusters.yaml"), clusters.join("\n") + "\n" + last).unwrap();
    let mut story = said(path, &["fleet", "render"]);
    let before = texts(&path.join("fleet"));
    story += &said(path, &["fleet", "promote", "canary", "prod"]);
    story += &said(path, &["fleet", "promote", "canary", "eraly"]);
    story += &said(path, &["fleet", "promote", "canary", "early"]);
    story += &said(path, &["fleet", "promote", "canary", "early", "--soaked", "23h"]);
    story += &said(path, &["fleet", "promote", "canary", "early", "--soaked", "1d", "loki"]);
    story += &said(path, &["fleet", "promote", "canary", "early", "--soaked", "1d", "--dry-run"]);
    story += &said(path, &["fleet", "promote", "canary", "early", "--soaked", "1d"]);
    story += &said(path, &["fleet", "render", "--check"]);
    story += &said(path, &["fleet", "render"]);
    let after = texts(&path.join("fleet"));
    for (name, answer) in [
        ("none.json", r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#),
        (
            "some.json",
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"alertname":"KubeNodeNotReady"},"value":[0,"1"]}]}}"#,
        ),
        ("wrong.json", r#"{"status":"error","error":"bad query"}"#),
    ] {
        fs::write(path.join(name), answer).unwrap();
        story += &said(path, &["fleet", "promote", "early", "prod", "--soaked", "4d", "--health", name, "--dry-run"]);
    }
    story += &said(path, &["fleet", "promote", "early", "prod", "--soaked", "4d"]);
    story += &said(path, &["fleet", "promote", "prod", "canary"]);
    story += &said(path, &["fleet", "matrix"]);
    story += &said(path, &["where", "prometheus.image", "--cluster", "fra-02"]);
    story += &said(path, &["where", "prometheus.externalLabels", "--cluster", "fra-02"]);
    story += &said(path, &["where", "--cluster", "fra-2"]);
    fs::write(
        path.join("rings/prod.yaml"),
        "prometheus:\n  image: quay.io/prometheus/prometheus:v3.8.1\n  retention: 1d\n",
    )
    .unwrap();
    let clusters = fs::read_to_string(path.join("clusters.yaml")).unwrap();
    let clusters: Vec<_> = clusters.lines().filter(|line| !line.contains("iad-01")).collect();
    fs::write(path.join("clusters.yaml"), clusters.join("\n") + "\n  new-01: { ring: canary, region: us }\n").unwrap();
    story += &said(path, &["fleet", "diff", "fleet"]);
    story += &said(path, &["fleet", "render"]);
    story += &said(path, &["fleet", "diff", "fleet"]);
    support::snapshot(&support::root().join("golden/cli"), "fleet-promotion", &without_hashes(&story));
    assert_eq!(
        fs::read_to_string(path.join("rings/early.yaml")).unwrap(),
        "# Set by `vigil fleet promote`.\nprometheus:\n  image: quay.io/prometheus/prometheus:v3.9.0\n"
    );
    // Nothing of the ring behind has changed.
    let of_prod = |files: &BTreeMap<String, String>| {
        let names = ["rings/prod/", "clusters/ams"];
        files
            .iter()
            .filter(|(name, _)| names.iter().any(|it| name.starts_with(it)))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_prod(&before), of_prod(&after));
    let ring = "rings/early/kustomization.yaml";
    let changed = before[ring].lines().filter(|line| !after[ring].contains(line)).count();
    assert_eq!(changed, 1, "{}\n{}", before[ring], after[ring]);
}

#[test]
fn help() {
    let folder = tempfile::tempdir().unwrap();
    approved("help-fleet", &vigil(folder.path(), &["fleet", "--help"]));
    approved("help-fleet-promote", &vigil(folder.path(), &["fleet", "promote", "--help"]));
    approved("fleet-nowhere", &vigil(folder.path(), &["fleet", "render"]));
}
