//! A [`Stack`] and templates in, the files of `manifests/` out. Nothing here touches disk (but
//! [`Templates::read`]), clock, environment or network.
//!
//! ```text
//! Stack ─ facts ─► names, ports, labels, URLs ─┐
//! templates/<component>/files/* ─ engine ──────┤ bodies of ConfigMaps and Secrets, each in its own format
//! templates/<component>/*.yaml.hbs ─ engine ───┴► objects ─ structure ─► layout ─► <component>/<file>.yaml
//! templates/<component>/rules/* ─ words ────────► PrometheusRule objects ─┤
//! templates/<component>/log-rules/* ─ words ────► files of Loki's ruler ──┤
//! templates/<component>/dashboards/* ─ words ───► ConfigMaps of Grafana ──┘
//! ```

mod admission;
mod argocd;
mod autoscaler;
mod content;
mod dashboards;
mod engine;
mod facts;
mod finish;
mod flux;
mod ini;
mod layout;
mod memory;
mod parallel;
mod patches;
mod rules;
mod structure;
mod templates;
mod words;

pub use content::Content;
pub use layout::template_of;
pub use memory::Memory;
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
    /// The positions in the stack's `patches` of those that changed it.
    pub patches: Vec<usize>,
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

    /// Whether all but its labels and annotations was plain data in the templates directory.
    pub fn is_plain(&self) -> bool {
        self.value.made().is_none()
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
    /// What the author of the stack should know.
    pub warnings: Vec<Problem>,
}

/// Renders a stack, on as many threads as the machine has cores.
///
/// # Errors
/// Everything that is wrong with the templates or the objects they make; never an empty list.
pub fn render(stack: &Stack, templates: &Templates) -> Result<Rendering, Vec<Problem>> {
    render_on(std::thread::available_parallelism().map_or(1, Into::into), stack, templates, None)
}

/// [`render`] on a given number of threads, with what the renders of other stacks have left by the same templates. What comes
/// out depends on neither.
///
/// # Errors
/// As [`render`].
pub fn render_on(
    threads: usize,
    stack: &Stack,
    templates: &Templates,
    memory: Option<&Memory>,
) -> Result<Rendering, Vec<Problem>> {
    let mut facts = facts::facts(stack);
    let components = facts::enabled(stack);
    let mut rules = rules::rules(stack, &components, templates, memory)?;
    let dashboards = dashboards::dashboards(stack, &components, templates, &rules)?;
    rules.tell(&dashboards.shown);
    dashboards.tell(&mut facts);
    facts::give_log_rules(&mut facts, &rules.of_loki(stack));
    let engine = Engine::new(threads, templates, &components)?;
    let labels = |component: &str| facts[component]["labels"].clone();
    let mut values = Values::new(facts.clone());

    // Bodies for ConfigMaps and Secrets first: the objects hold them.
    let bodies: Vec<_> = components.iter().flat_map(|component| templates.files_of(component)).collect();
    let texts = all(parallel::map(threads, &bodies, |name| engine.file(name, &values)))?;
    for (name, text) in bodies.into_iter().zip(texts) {
        if let Some(text) = text {
            values.add_file(name, &text);
        }
    }

    let of = |component| templates.documents_of(component).map(move |template| (component, template));
    let names: Vec<_> = components.iter().copied().flat_map(of).collect();
    let mut made = all(parallel::map(threads, &names, |(component, template)| {
        let documents = if templates::is_plain(template) {
            plain(template, &labels(component), templates)?
        } else {
            engine.documents(template, &values)?.into_iter().map(Content::from).collect()
        };
        Ok(Made::new(component, template, documents))
    }))?;

    made.extend(rules.objects(stack));
    made.extend(dashboards.made);
    made.sort_by_key(|made| (components.iter().position(|component| *component == made.component), made.template));

    for made in made.iter_mut().filter(|made| layout::holds_objects(made.component)) {
        let scaled = |document: &Document| autoscaler::autoscaler(stack, made.component, document.content.head());
        let autoscalers: Vec<_> = made.documents.iter().filter_map(scaled).collect();
        made.documents.extend(autoscalers.into_iter().map(|it| Document::from(Content::from(it))));
        for document in &mut made.documents {
            finish::finish(stack, made.component, document.content.head_mut());
        }
    }
    let warnings = patches::apply(stack, &mut made)?;
    let rendering = Rendering { warnings, ..layout::layout(components, made, memory) };
    let problems = structure::check(stack, &rendering.objects);
    if problems.is_empty() { Ok(rendering) } else { Err(problems) }
}

/// What one template made.
struct Made<'t> {
    component: &'static str,
    template: &'t str,
    documents: Vec<Document>,
}

impl<'t> Made<'t> {
    fn new(component: &'static str, template: &'t str, documents: Vec<Content>) -> Self {
        Self { component, template, documents: documents.into_iter().map(Document::from).collect() }
    }
}

/// A document, and what patches did to it.
struct Document {
    content: Content,
    /// Those that changed it, by their positions in the stack.
    patches: Vec<usize>,
    /// One of them removed it.
    removed: bool,
}

impl From<Content> for Document {
    fn from(content: Content) -> Self {
        Self { content, patches: Vec::new(), removed: false }
    }
}

/// The object that is plain data at `path`, with the labels that every object gets.
fn plain(path: &str, labels: &Value, templates: &Templates) -> Result<Vec<Content>, Vec<Problem>> {
    let Some(source) = templates.get(path) else { return Ok(Vec::new()) };
    let mut content = Content::verbatim(source)?;
    finish::label(content.head_mut(), labels);
    Ok(vec![content])
}

/// All results, or all problems. One of a partial shows wherever it is used, and is told once.
fn all<T>(results: Vec<Result<T, Vec<Problem>>>) -> Result<Vec<T>, Vec<Problem>> {
    let mut good = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for result in results {
        match result {
            Ok(one) => good.push(one),
            Err(found) => {
                let new: Vec<_> = found.into_iter().filter(|problem| !problems.contains(problem)).collect();
                problems.extend(new);
            }
        }
    }
    if problems.is_empty() { Ok(good) } else { Err(problems) }
}

#[cfg(test)]
mod tests;
