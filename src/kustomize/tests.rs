//! What is built here is what kubectl builds.
//!
//! Each file of `tests/kustomizations` holds a tree of files, and the folder of its first one is built. The names of those
//! that kubectl builds and this does not begin with `left-`.

use super::*;
use crate::inputs;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

#[path = "../../tests/tools/mod.rs"]
mod tools;

/// The objects by what tells them apart, or why there are none.
type Built = Result<BTreeMap<String, Value>, String>;

fn cases() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomizations");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect();
    cases.sort();
    cases
}

/// Lays down the files of a case; the path is that of what is built.
fn laid(case: &str, folder: &Path) -> PathBuf {
    let mut first = None;
    for file in case.split("==> ").skip(1) {
        let (name, text) = file.split_once('\n').unwrap();
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        first.get_or_insert_with(|| path.parent().unwrap().to_owned());
    }
    first.unwrap()
}

fn by_name(resources: Vec<Resource>) -> BTreeMap<String, Value> {
    let mut objects = BTreeMap::new();
    for resource in resources {
        let id = format!("{} {} {} {}", resource.api(), resource.kind(), resource.namespace(), resource.name());
        assert!(objects.insert(id.clone(), resource.value).is_none(), "{id} comes twice");
    }
    objects
}

fn ours(folder: &Path) -> Built {
    let told = |problems: Vec<Problem>| problems.iter().map(|problem| problem.draw(false) + "\n").collect::<String>();
    let sources = inputs::read(&[folder.to_owned()]).map_err(told)?;
    objects(&sources).map(by_name).map_err(told)
}

fn theirs(kubectl: &Path, folder: &Path) -> Built {
    let output = Command::new(kubectl).arg("kustomize").arg(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if !output.status.success() {
        return Err(text(output.stderr));
    }
    Ok(by_name(objects(&[Source::new("kubectl", text(output.stdout))]).unwrap()))
}

#[test]
fn every_case_is_built_as_kubectl_builds_it() {
    let kubectls = tools::all_releases("kubectl");
    let Some(kubectl) = kubectls.last() else { return };
    let mut different = String::new();
    for (name, case) in cases() {
        let folder = tempfile::tempdir().unwrap();
        let path = laid(&case, folder.path());
        let (ours, theirs) = (ours(&path), theirs(kubectl, &path));
        match (&ours, &theirs) {
            (Err(_), Ok(_)) if name.starts_with("left-") => {}
            (Err(_), Err(_)) => {}
            (Ok(ours), Ok(theirs)) if !name.starts_with("left-") => {
                for id in ours.keys().chain(theirs.keys().filter(|id| !ours.contains_key(*id))) {
                    let (one, other) = (ours.get(id), theirs.get(id));
                    if one != other {
                        let text = |value: Option<&Value>| value.map_or("nothing\n".to_owned(), vigil_yaml::write);
                        write!(different, "{name}: {id}\n--- here\n{}--- kubectl\n{}", text(one), text(other)).unwrap();
                    }
                }
            }
            _ => write!(different, "{name}:\n--- here\n{ours:?}\n--- kubectl\n{theirs:?}\n").unwrap(),
        }
    }
    assert!(different.is_empty(), "{different}");
}

#[test]
fn what_cannot_be_built_is_told() {
    let mut told = String::new();
    for (name, case) in cases() {
        let folder = tempfile::tempdir().unwrap();
        let path = laid(&case, folder.path());
        if let Err(problems) = ours(&path) {
            let place = format!("{}/", folder.path().display());
            write!(told, "# {name}\n{}\n", problems.replace(&place, "")).unwrap();
        }
    }
    insta::with_settings!({snapshot_path => "../../golden/cli", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("vigil-check-kustomizations", told);
    });
}
