//! What Flux needs to know of some objects.

use serde_json::Value;

/// The annotations that Flux reads on an object.
pub(crate) fn annotations(object: &Value) -> Vec<(&'static str, &'static str)> {
    match object["kind"].as_str() {
        // Their end is the end of all that is in them.
        Some("CustomResourceDefinition" | "Namespace" | "PersistentVolumeClaim") => {
            vec![("kustomize.toolkit.fluxcd.io/prune", "disabled")]
        }
        _ => Vec::new(),
    }
}
