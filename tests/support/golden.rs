//! What a reviewer reads of a stack: one approved snapshot a component, in one folder of `golden/`.

use super::snapshot;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::panic;
use std::path::Path;
use vigil_render::Rendering;

/// Compares a rendering with its approved snapshots, as `INSTA_UPDATE` says, and shows each difference. What differs, by
/// the names of the snapshots.
pub(crate) fn differing(folder: &Path, rendering: &Rendering) -> Vec<String> {
    let texts = texts(rendering);
    let approved = |(name, text): (&String, &String)| {
        // The test goes on after a difference, so that all of them are shown.
        let differs = panic::catch_unwind(|| snapshot(folder, name, text)).is_err();
        differs.then(|| name.clone())
    };
    let mut differing: Vec<_> = texts.iter().filter_map(approved).collect();
    differing.extend(gone(folder, &texts).iter().filter_map(approved));
    differing.sort();
    differing
}

/// The snapshots of what the stack has no more, with a text that can be approved in a review. Where everything is accepted
/// they are removed, and so is what waits for a review that nobody needs any more.
fn gone(folder: &Path, texts: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let all_accepted = std::env::var("INSTA_UPDATE").is_ok_and(|update| ["always", "1", "force"].contains(&&*update));
    let names = |ending: &str| -> BTreeSet<String> {
        // A stack whose first snapshots are not approved yet has no folder.
        let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().file_name());
        files.filter_map(|file| Some(file.to_str()?.strip_suffix(ending)?.to_owned())).collect()
    };
    let remove = |name: &String, ending: &str| fs::remove_file(folder.join(format!("{name}{ending}"))).unwrap();

    let mut gone = names(".snap");
    gone.retain(|name| !texts.contains_key(name));
    if all_accepted {
        for name in std::mem::take(&mut gone) {
            remove(&name, ".snap");
        }
    }
    let needed = |name: &String| !all_accepted && (texts.contains_key(name) || gone.contains(name));
    names(".snap.new").iter().filter(|name| !needed(name)).for_each(|name| remove(name, ".snap.new"));
    gone.into_iter().map(|name| (name.clone(), format!("nothing: this stack has no `{name}` any more\n"))).collect()
}

/// The text of each component, and of the kustomization above them.
pub(crate) fn texts(rendering: &Rendering) -> BTreeMap<String, String> {
    let of = |component: &&'static str| ((*component).to_owned(), text(rendering, component));
    let mut texts: BTreeMap<_, _> = rendering.components.iter().map(of).collect();
    texts.insert("kustomization".to_owned(), rendering.files["kustomization.yaml"].clone());
    texts
}

fn text(rendering: &Rendering, component: &str) -> String {
    let mut text = String::new();
    let prefix = format!("{component}/");
    for (path, body) in rendering.files.iter().filter(|(path, _)| path.starts_with(&prefix)) {
        // What is taken as it stands is reviewed where it stands; here is what comes on top.
        let plain = vigil::TEMPLATES.iter().any(|(template, _)| template == path);
        let shown = body.split_once("\nspec:\n").filter(|_| plain).map(|(head, _)| head);
        let body = shown.map_or(body.clone(), |head| format!("{head}\n# and so on, as in templates/{path}\n"));
        let secrets = rendering.objects.iter().filter(|object| object.path == *path && object.kind() == "Secret");
        let body = secrets.fold(body, |body, secret| readable(&body, &secret.value));
        writeln!(text, "# === {path}\n{body}").unwrap();
    }
    text
}

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
