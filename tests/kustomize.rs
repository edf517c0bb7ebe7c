//! What `kubectl apply -k` would send is what Vigil made: every object once, and every value as it was meant, whichever
//! YAML reader a kubectl brings.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;
mod tools;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use vigil_yaml::{Limits, Source};

/// The objects by `apiVersion`, kind, namespace and name.
#[derive(Default)]
struct Objects(BTreeMap<[String; 4], Value>);

impl Objects {
    /// Adds an object; the same one a second time is an error.
    fn add(&mut self, object: Value) {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = ["/apiVersion", "/kind", "/metadata/namespace", "/metadata/name"].map(text);
        assert!(self.0.insert(id.clone(), object).is_none(), "{} stands there twice", id.join(" "));
    }

    fn add_stream(&mut self, name: &str, text: &str) {
        let documents = vigil_yaml::read(&Source::new(name, text), &Limits::default())
            .unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| p.draw(false)).collect::<String>()));
        for document in documents {
            self.add(document.to_json());
        }
    }

    /// What a kubectl makes of a directory.
    fn kustomized(kubectl: &Path, directory: &Path) -> Self {
        let mut objects = Self::default();
        let text = tools::output_of(kubectl, &["kustomize".as_ref(), directory.as_ref()]);
        objects.add_stream(&kubectl.display().to_string(), &text);
        objects
    }

    /// Both sides of each object that is not the same in `other`.
    fn differences(&self, other: &Self) -> String {
        let mut differences = String::new();
        for id in self.0.keys().chain(other.0.keys().filter(|id| !self.0.contains_key(*id))) {
            let (this, that) = (self.0.get(id), other.0.get(id));
            if this != that {
                let text = |value: Option<&Value>| value.map_or_else(|| "nothing\n".to_owned(), vigil_yaml::write);
                let sides = format!("--- Vigil\n{}--- kubectl\n{}", text(this), text(that));
                writeln!(differences, "{}\n{sides}", id.join(" ")).expect("a String takes everything");
            }
        }
        differences
    }

    fn assert_same(&self, other: &Self, name: &str) {
        assert!(!self.0.is_empty(), "{name}: no objects at all");
        let differences = self.differences(other);
        assert!(differences.is_empty(), "{name}:\n{differences}");
    }
}

#[test]
fn every_stack_builds_to_its_objects() {
    let kubectls = tools::all_releases("kubectl");
    for (name, stack) in support::stacks() {
        let rendering = support::render(&stack);
        let directory = tempfile::tempdir().expect("a directory");
        let manifests = directory.path().join("manifests");
        vigil_directory::write(&manifests, &rendering.files).expect("a directory that can be written");
        let mut objects = Objects::default();
        for object in rendering.objects.into_iter().filter(vigil_render::Object::is_applied) {
            objects.add((*object.value).clone());
        }
        for kubectl in &kubectls {
            objects.assert_same(&Objects::kustomized(kubectl, &manifests), &name);
        }
    }
}

#[test]
fn a_changed_value_and_a_lost_object_are_told() {
    let text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: loki\nspec:\n  type: NodePort\n";
    let (mut ours, mut theirs) = (Objects::default(), Objects::default());
    ours.add_stream("ours", &format!("{text}---\n{}", text.replace("loki", "grafana")));
    theirs.add_stream("theirs", &text.replace("NodePort", "\"1\""));
    let told = ours.differences(&theirs);
    assert!(told.starts_with("v1 Service  grafana\n--- Vigil\napiVersion: v1\n"), "{told}");
    assert!(told.contains("--- kubectl\nnothing\n"), "{told}");
    assert!(told.contains("  type: NodePort\n--- kubectl\n") && told.contains("  type: \"1\"\n"), "{told}");
    assert_eq!(ours.differences(&ours), "");
}
