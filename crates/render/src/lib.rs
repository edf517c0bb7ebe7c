//! A [`Stack`] and templates in, the files of `manifests/` out. Nothing here touches disk (but
//! [`Templates::read`]), clock, environment or network.
//!
//! ```text
//! Stack ─ facts ─► names, ports, labels, URLs ─┐
//! templates/<component>/files/* ─ engine ──────┤ bodies of ConfigMaps and Secrets, each in its own format
//! templates/<component>/*.yaml.hbs ─ engine ───┴► objects ─ structure ─► layout ─► <component>/<file>.yaml
//! ```

mod alloy;
mod argocd;
mod content;
mod engine;
mod facts;
mod ini;
mod layout;
mod parallel;
mod structure;
mod templates;

pub use content::Content;
pub use templates::Templates;

use engine::{Engine, Values};
use serde_json::Value;
use std::collections::BTreeMap;
use vigil_stack::Stack;
use vigil_yaml::Problem;

/// One object of the set.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The component it belongs to: the name of its folder.
    pub component: &'static str,
    /// Its file, relative to the manifests directory.
    pub path: String,
    /// The template that made it, relative to the templates directory.
    pub template: String,
    /// The object itself.
    pub value: Content,
}

impl Object {
    /// `apiVersion`, such as `apps/v1`.
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    /// `kind`, such as `Deployment`.
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// The namespace; empty for objects that have none.
    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Whether `kubectl apply -k` applies it. Argo CD's own objects are for the cluster that Argo CD runs in.
    pub fn is_applied(&self) -> bool {
        layout::is_applied(self.component)
    }

    /// `Kind namespace/name`, as messages call it.
    pub fn title(&self) -> String {
        match self.namespace() {
            "" => format!("{} {}", self.kind(), self.name()),
            namespace => format!("{} {namespace}/{}", self.kind(), self.name()),
        }
    }

    fn text(&self, pointer: &str) -> &str {
        self.value.head().pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

/// What a stack renders to.
#[derive(Debug)]
pub struct Rendering {
    /// Path relative to the manifests directory, to the text of the file.
    pub files: BTreeMap<String, String>,
    /// All objects, by component, file and position in the file.
    pub objects: Vec<Object>,
    /// The components that made something, in the order in which they are applied.
    pub components: Vec<&'static str>,
}

/// Renders a stack, on as many threads as the machine has cores.
///
/// # Errors
/// Everything that is wrong with the templates or the objects they make; never an empty list.
pub fn render(stack: &Stack, templates: &Templates) -> Result<Rendering, Vec<Problem>> {
    render_on(std::thread::available_parallelism().map_or(1, Into::into), stack, templates)
}

/// [`render`] on a given number of threads. What comes out does not depend on it.
///
/// # Errors
/// As [`render`].
pub fn render_on(threads: usize, stack: &Stack, templates: &Templates) -> Result<Rendering, Vec<Problem>> {
    let facts = facts::facts(stack);
    let labels = |component: &str| facts[component]["labels"].clone();
    let values = Values::new(facts.clone());
    let components = facts::enabled(stack);
    let engine = Engine::new(threads, templates, &components)?;
    let made = parallel::map(threads, &components, |component| {
        documents_of(component, &labels(component), &engine, templates, values.clone())
    });
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for result in made {
        match result {
            Ok(found) => documents.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        // A broken partial shows in every component that uses it.
        problems.dedup();
        return Err(problems);
    }
    let rendering = layout::layout(stack, components, documents);
    let problems = structure::check(&rendering.objects);
    if problems.is_empty() { Ok(rendering) } else { Err(problems) }
}

/// What one component's template made.
struct Made<'t> {
    component: &'static str,
    template: &'t str,
    documents: Vec<Content>,
}

/// Renders one component: its bodies for ConfigMaps and Secrets first, then the objects that hold them; `labels` are
/// for those that are plain data.
fn documents_of<'t>(
    component: &'static str,
    labels: &Value,
    engine: &Engine,
    templates: &'t Templates,
    mut values: Values,
) -> Result<Vec<Made<'t>>, Vec<Problem>> {
    let mut problems = Vec::new();
    for name in templates.files_of(component) {
        match engine.file(name, &values) {
            Ok(Some(text)) => values.add_file(name, &text),
            Ok(None) => {}
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let values = values.freeze();
    let mut made = Vec::new();
    for template in templates.documents_of(component) {
        match engine.documents(template, &values) {
            Ok(documents) => {
                let documents = documents.into_iter().map(Content::from).collect();
                made.push(Made { component, template, documents });
            }
            Err(found) => problems.extend(found),
        }
    }
    for template in templates.plain_of(component) {
        match templates.get(template).map(Content::verbatim) {
            Some(Ok(mut content)) => {
                layout::label(content.head_mut(), labels);
                made.push(Made { component, template, documents: vec![content] });
            }
            Some(Err(found)) => problems.extend(found),
            None => {}
        }
    }
    if problems.is_empty() { Ok(made) } else { Err(problems) }
}

#[cfg(test)]
mod tests;
