//! What a kustomization does to its resources, as far as it is plain: generators, patches, namespace, labels, annotations,
//! images and replicas. What else it says is left to kubectl.
//!
//! Generated ConfigMaps and Secrets keep their names: the hash that kustomize adds to them it adds to all references, too.
//! Source: `api/types` and `api/internal/builtins` of sigs.k8s.io/kustomize 5.

mod patch;

use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use vigil_yaml::{Limits, Node, Problem, Quoted, Source};

/// The keys that are built here, but for `resources` and `components`, whose files are read elsewhere.
pub(crate) const BUILT: [&str; 13] = [
    "namespace",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "images",
    "replicas",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "buildMetadata",
];

/// Kinds of Kubernetes that are in no namespace.
const OF_CLUSTER: [&str; 22] = [
    "Namespace",
    "Node",
    "PersistentVolume",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "StorageClass",
    "VolumeAttributesClass",
    "CSIDriver",
    "CSINode",
    "PriorityClass",
    "RuntimeClass",
    "IngressClass",
    "GatewayClass",
    "DeviceClass",
    "APIService",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "FlowSchema",
    "PriorityLevelConfiguration",
];

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
pub(crate) fn objects(sources: &[std::sync::Arc<Source>]) -> Result<Vec<Value>, Vec<Problem>> {
    let mut objects = Vec::new();
    for source in sources {
        for node in vigil_yaml::read(source, &Limits::default())? {
            let value = node.to_json();
            let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
            match value.get("items").and_then(Value::as_array).filter(|_| is_list) {
                Some(items) => objects.extend(items.iter().cloned()),
                None if value.is_null() => {}
                None => objects.push(value),
            }
        }
    }
    Ok(objects)
}

/// Builds what `document`, the kustomization in `folder`, makes of `objects`; what is wrong with it goes to `problems`.
pub(crate) fn build(document: &Node, folder: &Path, objects: &mut Vec<Value>, problems: &mut Vec<Problem>) {
    let list = |key: &str| document.get(key).map(Node::items).unwrap_or_default();
    for kind in ["ConfigMap", "Secret"] {
        let key = if kind == "Secret" { "secretGenerator" } else { "configMapGenerator" };
        for generator in list(key) {
            if let Err(problem) = generate(kind, generator, document.get("generatorOptions"), folder, objects) {
                problems.push(*problem);
            }
        }
    }
    patch::all(document, folder, objects, problems);
    if let Some(namespace) = document.get("namespace").and_then(Node::text) {
        to_namespace(objects, namespace);
    }
    for label in list("labels") {
        if let Some(entry) = label.entry("fields") {
            problems.push(left(entry.key.span.clone(), "`fields` of `labels`", folder));
        }
    }
    for object in objects {
        mark(object, document);
        for image in list("images") {
            set_image(object, &Image::of(image));
        }
        for replicas in list("replicas") {
            let name = replicas.get("name").and_then(Node::text);
            if let Some(count) = replicas.get("count").and_then(Node::integer)
                && is_scaled(object)
                && object["metadata"]["name"].as_str() == name
            {
                object["spec"]["replicas"] = count.into();
            }
        }
    }
}

/// Adds the labels and annotations of a kustomization to an object.
fn mark(object: &mut Value, document: &Node) {
    for label in document.get("labels").map(Node::items).unwrap_or_default() {
        let is_set = |key: &str| label.get(key).and_then(Node::boolean) == Some(true);
        let selectors = is_set("includeSelectors");
        add_labels(object, &texts(label.get("pairs")), selectors, selectors || is_set("includeTemplates"));
    }
    add_labels(object, &texts(document.get("commonLabels")), true, true);
    let annotations = texts(document.get("commonAnnotations"));
    if annotations.is_empty() {
        return;
    }
    merge_into(object, &["metadata", "annotations"], &annotations);
    for path in TEMPLATES {
        if at(object, path).is_some() {
            merge_into(object, &[path, &["metadata", "annotations"]].concat(), &annotations);
        }
    }
}

/// That something is left to kubectl.
fn left(span: vigil_yaml::Span, what: &str, folder: &Path) -> Problem {
    Problem::error(format!("{what} is not applied here"), span)
        .label("changes what kubectl would take")
        .help(format!("let kubectl do it: `kubectl kustomize {} | vigil check -`", folder.display()))
}

/// Where templates of pods are.
const TEMPLATES: [&[&str]; 2] = [&["spec", "template"], &["spec", "jobTemplate", "spec", "template"]];

fn is_scaled(object: &Value) -> bool {
    matches!(object["kind"].as_str(), Some("Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController"))
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The texts of a mapping.
fn texts(node: Option<&Node>) -> Map<String, Value> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_json())).collect()
}

/// Adds entries to the mapping at a path, which is made where it is not there.
fn merge_into(value: &mut Value, path: &[&str], added: &Map<String, Value>) {
    let mut here = value;
    for key in path {
        let Some(map) = here.as_object_mut() else { return };
        here = map.entry(*key).or_insert_with(|| json!({}));
    }
    if let Some(map) = here.as_object_mut() {
        map.extend(added.clone());
    }
}

fn add_labels(object: &mut Value, labels: &Map<String, Value>, selectors: bool, templates: bool) {
    if labels.is_empty() {
        return;
    }
    merge_into(object, &["metadata", "labels"], labels);
    for path in TEMPLATES.iter().filter(|_| templates) {
        if at(object, path).is_some() {
            merge_into(object, &[path, &["metadata", "labels"][..]].concat(), labels);
        }
    }
    if !selectors {
        return;
    }
    match object["kind"].as_str() {
        Some("Service" | "ReplicationController") => merge_into(object, &["spec", "selector"], labels),
        Some("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") => {
            merge_into(object, &["spec", "selector", "matchLabels"], labels);
        }
        Some("PodDisruptionBudget") if at(object, &["spec", "selector", "matchLabels"]).is_some() => {
            merge_into(object, &["spec", "selector", "matchLabels"], labels);
        }
        Some("NetworkPolicy") if at(object, &["spec", "podSelector", "matchLabels"]).is_some() => {
            merge_into(object, &["spec", "podSelector", "matchLabels"], labels);
        }
        _ => {}
    }
}

/// Puts all objects into a namespace, and what they say of each other.
fn to_namespace(objects: &mut [Value], namespace: &str) {
    let of_kind = |kind: &str| -> Vec<String> {
        let objects = objects.iter().filter(|object| object["kind"] == kind);
        objects.filter_map(|object| object["metadata"]["name"].as_str().map(str::to_owned)).collect()
    };
    let (accounts, services) = (of_kind("ServiceAccount"), of_kind("Service"));
    for object in objects {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        if kind == "Namespace" {
            object["metadata"]["name"] = namespace.into();
        } else if !OF_CLUSTER.contains(&kind.as_str()) {
            merge_into(object, &["metadata"], &Map::from_iter([("namespace".to_owned(), namespace.into())]));
        }
        for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = subject["name"].as_str().unwrap_or_default();
            let is_ours = name == "default" || accounts.iter().any(|account| account == name);
            if subject["kind"] == "ServiceAccount" && is_ours {
                subject["namespace"] = namespace.into();
            }
        }
        let hooks = object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten();
        for service in hooks.filter_map(|hook| hook.pointer_mut("/clientConfig/service")) {
            follow(service, &services, namespace);
        }
        for path in ["/spec/service", "/spec/conversion/webhook/clientConfig/service"] {
            if let Some(service) = object.pointer_mut(path) {
                follow(service, &services, namespace);
            }
        }
    }
}

/// Lets a reference follow a Service into its new namespace.
fn follow(service: &mut Value, services: &[String], namespace: &str) {
    if services.iter().any(|name| service["name"] == name.as_str()) && service.get("namespace").is_some() {
        service["namespace"] = namespace.into();
    }
}

/// What takes the place of an image.
struct Image {
    name: String,
    new_name: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
}

impl Image {
    fn of(node: &Node) -> Self {
        // A tag such as `1.30` is often written without quotes.
        let text = |key: &str| {
            let node = node.get(key)?;
            Some(node.text().map_or_else(|| node.span.text().to_owned(), str::to_owned))
        };
        let name = text("name").unwrap_or_default();
        Self { name, new_name: text("newName"), tag: text("newTag"), digest: text("digest") }
    }

    /// The image in the place of another, if it is that one.
    fn instead(&self, image: &str) -> Option<String> {
        let own = image.split('@').next().unwrap_or(image);
        // A colon before the last slash is that of a port.
        let base = own.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(own, |(base, _)| base);
        let rest = image.strip_prefix(base).unwrap_or_default();
        let base = (base == self.name).then(|| self.new_name.as_deref().unwrap_or(base))?;
        // What is not said anew goes, unless nothing is.
        Some(match (&self.tag, &self.digest) {
            (Some(tag), Some(digest)) => format!("{base}:{tag}@{digest}"),
            (Some(tag), None) => format!("{base}:{tag}"),
            (None, Some(digest)) => format!("{base}@{digest}"),
            (None, None) => format!("{base}{rest}"),
        })
    }
}

/// Exchanges an image in all containers of an object.
fn set_image(value: &mut Value, image: &Image) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| set_image(item, image)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let containers = matches!(key.as_str(), "containers" | "initContainers" | "ephemeralContainers");
                for container in value.as_array_mut().into_iter().flatten().filter(|_| containers) {
                    if let Some(new) = container["image"].as_str().and_then(|own| image.instead(own)) {
                        container["image"] = new.into();
                    }
                }
                set_image(value, image);
            }
        }
        _ => {}
    }
}

/// Makes a ConfigMap or Secret, or adds to one.
fn generate(
    kind: &str,
    generator: &Node,
    options: Option<&Node>,
    folder: &Path,
    objects: &mut Vec<Value>,
) -> Result<(), Box<Problem>> {
    let Some(name) = generator.get("name").and_then(Node::text) else { return Ok(()) };
    let data = data(generator, folder)?;
    let behaviour = generator.get("behavior").and_then(Node::text).unwrap_or("create");
    // What is no text would be encoded; for what is checked a text stands as well.
    let field = if kind == "Secret" { "stringData" } else { "data" };
    let existing = objects.iter_mut().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    match (behaviour, existing) {
        ("merge", Some(object)) => merge_into(object, &[field], &data),
        ("replace", Some(object)) => object[field] = data.into(),
        ("merge" | "replace", None) => {
            let span = generator.span.clone();
            let message = format!("there is no {kind} {} to {behaviour}", Quoted(name));
            return Err(Box::new(Problem::error(message, span).help("write `behavior: create`, or correct the name")));
        }
        _ => {
            let mut made = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field: data});
            if let Some(namespace) = generator.get("namespace").and_then(Node::text) {
                made["metadata"]["namespace"] = namespace.into();
            }
            if let Some(of) = generator.get("type").and_then(Node::text).filter(|_| kind == "Secret") {
                made["type"] = of.into();
            }
            for options in options.into_iter().chain(generator.get("options")) {
                for key in ["labels", "annotations"] {
                    if options.get(key).is_some() {
                        merge_into(&mut made, &["metadata", key], &texts(options.get(key)));
                    }
                }
                if options.get("immutable").and_then(Node::boolean) == Some(true) {
                    made["immutable"] = true.into();
                }
            }
            objects.push(made);
        }
    }
    Ok(())
}

/// The keys and texts of a generator.
fn data(generator: &Node, folder: &Path) -> Result<Map<String, Value>, Box<Problem>> {
    let list = |key: &str| generator.get(key).map(Node::items).unwrap_or_default();
    let mut data = Map::new();
    let mut pair = |node: &Node, line: &str| {
        let Some((key, value)) = line.split_once('=') else {
            let message = format!("{} is no `key=value`", Quoted(line));
            return Err(Box::new(Problem::error(message, node.span.clone()).help("write the key, `=` and the value")));
        };
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        data.insert(key.trim().to_owned(), value.into());
        Ok(())
    };
    for literal in list("literals") {
        pair(literal, literal.text().unwrap_or_default())?;
    }
    for file in list("envs").iter().chain(generator.get("env")) {
        let text = read(file, file.text().unwrap_or_default(), folder)?;
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            pair(file, line)?;
        }
    }
    for file in list("files") {
        let text = file.text().unwrap_or_default();
        let (key, path) = text.split_once('=').unwrap_or_else(|| (text.rsplit('/').next().unwrap_or(text), text));
        data.insert(key.to_owned(), read(file, path, folder)?.into());
    }
    Ok(data)
}

/// The text of a file that a kustomization names; what is no text has no place in a check.
fn read(node: &Node, path: &str, folder: &Path) -> Result<String, Box<Problem>> {
    let bytes = fs::read(folder.join(path)).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => format!("there is no file {}", Quoted(path)),
            _ => format!("{} cannot be read: {error}", Quoted(path)),
        };
        let problem = Problem::error(message, node.span.clone());
        Box::new(problem.help("correct the path, which starts at this kustomization, or add what is missing"))
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use crate::inputs;
    use serde_json::{Value, json};
    use vigil_yaml::{Limits, read};

    const FILES: [(&str, &str); 8] = [
        (
            "base/kustomization.yaml",
            "resources: [app.yaml]\ncommonLabels: {app: web}\nimages: [{name: nginx, newTag: \"1.29\"}]\n",
        ),
        (
            "base/app.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  selector: {matchLabels: {x: y}}\n  \
             template:\n    metadata: {labels: {x: y}}\n    spec:\n      containers:\n      - {name: web, image: nginx, env: [{name: A, \
             value: \"1\"}, {name: B, value: \"2\"}]}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: \
             80}]}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n---\napiVersion: rbac.authorization.k8s.io/v1\n\
             kind: ClusterRoleBinding\nmetadata: {name: web}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, \
             name: view}\nsubjects: [{kind: ServiceAccount, name: web, namespace: default}]\n",
        ),
        (
            "over/kustomization.yaml",
            "namespace: shop\nresources: [../base]\ncomponents: [../comp]\nlabels: [{pairs: {team: a}, includeTemplates: true}]\n\
             commonAnnotations: {note: b}\nreplicas: [{name: web, count: 3}]\nconfigMapGenerator: [{name: settings, literals: [A=b, \
             \"C=d=e\"], files: [f.txt, g=f.txt]}]\ngeneratorOptions: {disableNameSuffixHash: true}\npatches:\n- path: deployment.yaml\n\
             - target: {kind: Service}\n  path: service.yaml\n",
        ),
        ("over/f.txt", "text\n"),
        (
            "over/deployment.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, env: \
             [{name: B, $patch: delete}, {name: C, value: \"3\"}], resources: {limits: {memory: 1Gi}}}]}}}\n",
        ),
        ("over/service.yaml", "- {op: replace, path: /spec/ports/0/port, value: 8080}\n"),
        (
            "comp/kustomization.yaml",
            "kind: Component\nresources: [cm.yaml]\npatches:\n- target: {kind: Deployment, name: web}\n  patch: |-\n    - {op: add, path: \
             /spec/template/spec/priorityClassName, value: high}\n",
        ),
        ("comp/cm.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"),
    ];

    /// As kustomize does it: what is not said anew goes, unless nothing is.
    #[test]
    fn an_image_keeps_its_digest_when_only_its_name_is_new() {
        let image = |new_name: &str, tag: &str, digest: &str| {
            let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let image = super::Image {
                name: "r:5000/a".to_owned(),
                new_name: said(new_name),
                tag: said(tag),
                digest: said(digest),
            };
            image.instead("r:5000/a:1@sha256:0")
        };
        for (new, expected) in [
            (("n/b", "", ""), "n/b:1@sha256:0"),
            (("", "2", ""), "r:5000/a:2"),
            (("", "", "sha256:1"), "r:5000/a@sha256:1"),
            (("n/b", "2", "sha256:1"), "n/b:2@sha256:1"),
        ] {
            assert_eq!(image(new.0, new.1, new.2).as_deref(), Some(expected), "{new:?}");
        }
        assert_eq!(super::Image { name: "b".to_owned(), new_name: None, tag: None, digest: None }.instead("a:1"), None);
    }

    /// What kubectl 1.37 makes of the same files, of which it says that `commonLabels` is deprecated.
    #[test]
    fn an_overlay_with_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in FILES {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources = inputs::read(&[folder.path().join("over")]).unwrap_or_else(|problems| panic!("{problems:?}"));
        let built: Vec<Value> =
            read(&sources[0], &Limits::default()).unwrap().iter().map(vigil_yaml::Node::to_json).collect();
        let labels = json!({"app": "web", "team": "a"});
        let metadata = |name: &str, labels: Value| {
            let mut metadata = json!({"name": name, "namespace": "shop", "annotations": {"note": "b"}});
            metadata["labels"] = labels;
            metadata
        };
        let template = json!({
            "metadata": {"labels": {"x": "y", "app": "web", "team": "a"}, "annotations": {"note": "b"}},
            "spec": {
                "priorityClassName": "high",
                "containers": [{
                    "name": "web",
                    "image": "nginx:1.29",
                    "env": [{"name": "C", "value": "3"}, {"name": "A", "value": "1"}],
                    "resources": {"limits": {"memory": "1Gi"}},
                }],
            },
        });
        let team = json!({"team": "a"});
        let expected = [
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata("web", labels.clone()), "spec": {
                "replicas": 3, "selector": {"matchLabels": {"x": "y", "app": "web"}}, "template": template}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata("web", labels.clone()),
                "spec": {"ports": [{"port": 8080}], "selector": {"app": "web"}}}),
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("web", labels)}),
        ];
        assert_eq!(built[..3], expected);
        assert_eq!(built[3]["subjects"][0]["namespace"], "shop");
        assert_eq!((&built[4]["metadata"]["name"], &built[4]["metadata"]["labels"]), (&json!("c"), &team));
        assert_eq!(built[5]["data"], json!({"A": "b", "C": "d=e", "f.txt": "text\n", "g": "text\n"}));
        assert_eq!(built.len(), 6);
    }
}
