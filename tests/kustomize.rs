//! What `kubectl apply -k` would send is what Vigil made: every object once, and every value as it was meant, whichever
//! YAML reader a kubectl brings.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod objects;
mod support;
mod tools;

use objects::Objects;
use rayon::prelude::*;

#[test]
fn every_stack_builds_to_its_objects() {
    let kubectls = tools::all_releases("kubectl");
    support::stacks().into_par_iter().for_each(|(name, stack)| {
        let rendering = support::render(&stack);
        let directory = tempfile::tempdir().expect("a directory");
        let manifests = directory.path().join("manifests");
        vigil_directory::write(&manifests, &rendering.files).expect("a directory that can be written");
        let objects = Objects::of(rendering);
        for kubectl in &kubectls {
            objects.assert_same(&Objects::kustomized(kubectl, &manifests), &name);
        }
    });
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
