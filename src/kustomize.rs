//! What a kustomization does to its resources, as kustomize does it: generators, patches, namespace, prefixes and suffixes,
//! labels, annotations, images, replicas and replacements. What else it says is left to kubectl.
//!
//! Source: `api/internal/target` and `api/internal/builtins` of sigs.k8s.io/kustomize 5.

mod fields;
pub(crate) mod generate;
mod names;
mod patch;
mod replace;
mod resource;
mod select;
#[cfg(test)]
mod tests;

use fields::Field;
use regex::Regex;
pub(crate) use resource::Resource;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use vigil_forms::image::Image;
use vigil_yaml::{Limits, Node, Problem, Quoted, Source};

/// The keys that are built here, but for those that name what a kustomization is made of.
pub(crate) const BUILT: [&str; 16] = [
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "images",
    "imageTags",
    "replicas",
    "configMapGenerator",
    "secretGenerator",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "replacements",
    "generatorOptions",
];

/// Why something cannot be built.
type Wrong = Box<Problem>;

/// Whether a kustomization takes its resources as they are.
pub(crate) fn is_plain(document: &Node) -> bool {
    !document.entries().iter().any(|entry| BUILT.contains(&entry.key.text.as_str()) && !is_nothing(&entry.value))
}

/// Whether a value says nothing: null, or an empty list or mapping.
pub(crate) fn is_nothing(node: &Node) -> bool {
    match &node.data {
        vigil_yaml::Data::Scalar(_) => node.is_null(),
        _ => node.entries().is_empty() && node.items().is_empty(),
    }
}

/// The objects in some texts.
pub(crate) fn objects(sources: &[std::sync::Arc<Source>]) -> Result<Vec<Resource>, Vec<Problem>> {
    let mut objects = Vec::new();
    for source in sources {
        for node in vigil_yaml::read(source, &Limits::default())? {
            let value = node.to_json();
            let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
            match value.get("items").and_then(Value::as_array).filter(|_| is_list) {
                Some(items) => objects.extend(items.iter().cloned().map(Resource::new)),
                None if value.is_null() => {}
                None => objects.push(Resource::new(value)),
            }
        }
    }
    Ok(objects)
}

/// Changes objects as `document`, the kustomization in `folder`, says; what is wrong with it goes to `problems`.
pub(crate) fn transform(document: &Node, folder: &Path, resources: &mut Vec<Resource>, problems: &mut Vec<Problem>) {
    let text = |key: &str| document.get(key).and_then(Node::text).unwrap_or_default();
    patch::all(&["patchesStrategicMerge", "patches"], document, folder, resources, problems);
    if !text("namespace").is_empty() {
        names::to_namespace(resources, text("namespace"));
    }
    names::lengthen(resources, text("namePrefix"), text("nameSuffix"));
    label(document, resources);
    let annotations = texts(document.get("commonAnnotations"));
    set_all(&fields::ANNOTATIONS, &annotations, resources);
    patch::all(&["patchesJson6902"], document, folder, resources, problems);
    scale(document, resources, problems);
    for image in ["images", "imageTags"].iter().flat_map(|key| list(document, key)) {
        match NewImage::read(image) {
            Ok(image) => resources.iter_mut().for_each(|resource| image.set(resource)),
            Err(problem) => problems.push(*problem),
        }
    }
    replace::all(document, folder, resources, problems);
}

/// What is done when all kustomizations are built: names get their hashes, references follow, and what is for
/// kustomize alone goes. References that could mean several objects are returned.
pub(crate) fn finish(resources: &mut [Resource]) -> Vec<String> {
    names::add_hashes(resources);
    let unclear = names::follow(resources);
    for resource in resources {
        let local = resource.value.pointer("/metadata/annotations/config.kubernetes.io~1local-config");
        if local.is_some_and(|local| local != "false") {
            resource.value = Value::Null;
        }
    }
    unclear
}

/// The first object that comes twice.
pub(crate) fn twice(resources: &[Resource]) -> Option<&Resource> {
    let mut seen = std::collections::HashSet::new();
    resources.iter().find(|resource| {
        let id = resource.id();
        !seen.insert((resource.value["apiVersion"].as_str(), id.kind, id.name, id.namespace))
    })
}

fn list<'n>(document: &'n Node, key: &str) -> &'n [Node] {
    document.get(key).map(Node::items).unwrap_or_default()
}

/// The texts of a mapping.
fn texts(node: Option<&Node>) -> Map<String, Value> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_json())).collect()
}

/// Adds entries to some fields of objects.
fn set_all<'f>(
    fields: impl IntoIterator<Item = &'f Field<'f>>,
    added: &Map<String, Value>,
    resources: &mut [Resource],
) {
    if added.is_empty() {
        return;
    }
    for field in fields {
        for resource in &mut *resources {
            field.change(resource, &json!({}), &mut |value| resource::merge_into(value, &[], added));
        }
    }
}

/// Adds the labels of a kustomization.
fn label(document: &Node, resources: &mut [Resource]) {
    for label in list(document, "labels") {
        let is_set = |key: &str| label.get(key).and_then(Node::boolean) == Some(true);
        let pairs = texts(label.get("pairs"));
        let more: Vec<_> = list(label, "fields").iter().map(Field::read).collect();
        set_all(fields::OWN_LABELS.iter().chain(&more), &pairs, resources);
        if is_set("includeSelectors") || is_set("includeTemplates") {
            set_all(&fields::TEMPLATE_LABELS, &pairs, resources);
        }
        if is_set("includeSelectors") {
            set_all(&fields::SELECTORS, &pairs, resources);
        }
    }
    let common = fields::OWN_LABELS.iter().chain(&fields::TEMPLATE_LABELS).chain(&fields::SELECTORS);
    set_all(common, &texts(document.get("commonLabels")), resources);
}

/// Sets numbers of replicas.
fn scale(document: &Node, resources: &mut [Resource], problems: &mut Vec<Problem>) {
    for replicas in list(document, "replicas") {
        let name = replicas.get("name").and_then(Node::text).unwrap_or_default();
        let count = replicas.get("count").and_then(Node::integer).unwrap_or_default();
        let mut found = false;
        for resource in &mut *resources {
            let is_scaled =
                |kind: &str| matches!(kind, "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController");
            if resource.ids().any(|id| is_scaled(&id.kind) && id.name == name) {
                found = true;
                resource::merge_into(
                    &mut resource.value,
                    &["spec"],
                    &Map::from_iter([("replicas".to_owned(), count.into())]),
                );
            }
        }
        if !found {
            let what =
                format!("there is no Deployment, StatefulSet, ReplicaSet or ReplicationController {}", Quoted(name));
            problems.push(Problem::error(what, replicas.span.clone()).help("correct `name`, or remove this entry"));
        }
    }
}

/// What takes the place of an image.
struct NewImage {
    name: Regex,
    new_name: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
    tag_suffix: Option<String>,
}

impl NewImage {
    fn read(node: &Node) -> Result<Self, Wrong> {
        let text = |key: &str| match node.get(key) {
            None => Ok(None),
            Some(value) => match value.text() {
                Some(text) => Ok(Some(text.to_owned()).filter(|text| !text.is_empty())),
                None if value.is_null() => Ok(None),
                None => {
                    let written = value.span.text();
                    let problem =
                        Problem::error(format!("`{key}` must be a text, not {}", value.describe()), value.span.clone());
                    Err(Box::new(problem.help(format!("put it in quotes: `{key}: \"{written}\"`"))))
                }
            },
        };
        let name = text("name")?.unwrap_or_default();
        let expression =
            vigil_forms::regex::go(&format!("^(?:{name})$")).ok().and_then(|name| Regex::new(&name.rust).ok());
        let name = expression.ok_or_else(|| {
            let problem = Problem::error(format!("{} names no image", Quoted(&name)), node.span.clone());
            Box::new(problem.help("write the image as containers do, without its tag"))
        })?;
        let (new_name, tag, digest) = (text("newName")?, text("newTag")?, text("digest")?);
        Ok(Self { name, new_name, tag, digest, tag_suffix: text("tagSuffix")? })
    }

    /// The image in the place of another, if it is that one.
    fn instead(&self, image: &str) -> Option<String> {
        let Image { tag, digest, .. } = Image::split(image);
        let rest = tag.map_or(0, |tag| tag.len() + 1) + digest.map_or(0, |digest| digest.len() + 1);
        let name = image.get(..image.len().checked_sub(rest)?).filter(|name| self.name.is_match(name))?;
        // A new tag or digest takes the place of both.
        let (tag, digest) = match (&self.tag, &self.digest, &self.tag_suffix) {
            (None, None, None) => (tag.map(str::to_owned), digest.map(str::to_owned)),
            (None, None, Some(suffix)) => (Some(format!("{}{suffix}", tag.unwrap_or_default())), None),
            (tag, digest, _) => (tag.clone(), digest.clone()),
        };
        let mut new = self.new_name.as_deref().unwrap_or(name).to_owned();
        new.extend(tag.filter(|tag| !tag.is_empty()).map(|tag| format!(":{tag}")));
        new.extend(digest.filter(|digest| !digest.is_empty()).map(|digest| format!("@{digest}")));
        Some(new)
    }

    /// Exchanges an image wherever an object has containers. Some are found twice, and get a suffix twice.
    fn set(&self, resource: &mut Resource) {
        if resource.kind() == "CustomResourceDefinition" {
            return;
        }
        self.set_of_containers(&mut resource.value);
        for field in &fields::IMAGES {
            field.change(resource, &Value::Null, &mut |image| self.exchange(image));
        }
    }

    fn set_of_containers(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.set_of_containers(item)),
            Value::Object(map) => {
                for (key, value) in map {
                    self.set_of_containers(value);
                    let containers =
                        value.as_array_mut().filter(|_| matches!(key.as_str(), "containers" | "initContainers"));
                    for container in containers.into_iter().flatten() {
                        if let Some(image) = container.get_mut("image") {
                            self.exchange(image);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn exchange(&self, image: &mut Value) {
        if let Some(new) = image.as_str().and_then(|image| self.instead(image)) {
            *image = new.into();
        }
    }
}

/// The content of a file that a kustomization names.
fn read(node: &Node, path: &str, folder: &Path) -> Result<Vec<u8>, Wrong> {
    fs::read(folder.join(path)).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => format!("there is no file {}", Quoted(path)),
            _ => format!("{} cannot be read: {error}", Quoted(path)),
        };
        let problem = Problem::error(message, node.span.clone());
        Box::new(problem.help("correct the path, which starts at this kustomization, or add what is missing"))
    })
}
