//! Sets of objects, to be compared as values.

#![allow(dead_code, reason = "each test binary uses its own part")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use vigil_render::{Object, Rendering};
use vigil_yaml::{Limits, Source};

/// The objects by `apiVersion`, kind, namespace and name.
#[derive(Default)]
pub(crate) struct Objects(BTreeMap<[String; 4], Value>);

impl Objects {
    /// The objects of a rendering that are applied.
    pub(crate) fn of(rendering: Rendering) -> Self {
        let mut objects = Self::default();
        for object in rendering.objects.into_iter().filter(Object::is_applied) {
            objects.add((*object.value).clone());
        }
        objects
    }

    /// Adds an object; the same one a second time is an error.
    fn add(&mut self, object: Value) {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = ["/apiVersion", "/kind", "/metadata/namespace", "/metadata/name"].map(text);
        assert!(self.0.insert(id.clone(), object).is_none(), "{} stands there twice", id.join(" "));
    }

    pub(crate) fn add_stream(&mut self, name: &str, text: &str) {
        let documents = vigil_yaml::read(&Source::new(name, text), &Limits::default())
            .unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| p.draw(false)).collect::<String>()));
        for document in documents {
            self.add(document.to_json());
        }
    }

    /// What a kubectl makes of a directory.
    pub(crate) fn kustomized(kubectl: &Path, directory: &Path) -> Self {
        let mut objects = Self::default();
        let text = crate::tools::output_of(kubectl, &["kustomize".as_ref(), directory.as_ref()]);
        objects.add_stream(&kubectl.display().to_string(), &text);
        objects
    }

    /// Both sides of each object that is not the same in `other`.
    pub(crate) fn differences(&self, other: &Self) -> String {
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

    pub(crate) fn assert_same(&self, other: &Self, name: &str) {
        assert!(!self.0.is_empty(), "{name}: no objects at all");
        let differences = self.differences(other);
        assert!(differences.is_empty(), "{name}:\n{differences}");
    }
}
