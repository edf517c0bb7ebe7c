//! Patches of a kustomization: JSON patches (RFC 6902), and objects that are merged into others. Source: `yaml/merge2` of
//! sigs.k8s.io/kustomize/kyaml, and the merge keys of its schema, which is that of Kubernetes 1.21.

use super::resource::Resource;
use super::select::Selector;
use super::{Wrong, read};
use serde_json::{Map, Value};
use std::path::Path;
use vigil_yaml::{Limits, Node, Problem, Quoted, Source};

/// What tells the items of a list apart where an object is merged. Lists of others take the place of what is there.
const MERGE_KEYS: [(&str, &[&str]); 16] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("imagePullSecrets", &["name"]),
    ("hostAliases", &["ip"]),
    ("secrets", &["name"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("webhooks", &["name"]),
    ("conditions", &["type"]),
    ("ownerReferences", &["uid"]),
    ("drivers", &["name"]),
    ("finalizers", &[]),
];

/// The lists of objects that Kubernetes does not define have no keys.
const GROUPS: [&str; 21] = [
    "",
    "apps",
    "batch",
    "autoscaling",
    "policy",
    "extensions",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Applies the patches under some keys of a kustomization.
pub(super) fn all(
    keys: &[&str],
    document: &Node,
    folder: &Path,
    resources: &mut Vec<Resource>,
    problems: &mut Vec<Problem>,
) {
    let patches = keys.iter().flat_map(|key| document.get(key).map(Node::items).unwrap_or_default());
    for patch in patches {
        let applied = text_of(patch, folder).and_then(|text| one(patch, &text, resources));
        problems.extend(applied.err().map(|problem| *problem));
    }
    // What a patch deletes as a whole is left as nothing.
    resources.retain(|resource| !resource.value.is_null());
}

/// The text of a patch, which stands there or in a file.
fn text_of(patch: &Node, folder: &Path) -> Result<String, Wrong> {
    let file = |path: &str| Ok(String::from_utf8_lossy(&read(patch, path, folder)?).into_owned());
    // An item of `patchesStrategicMerge` is one of the two.
    if let Some(text) = patch.text() {
        return if text.contains('\n') { Ok(text.to_owned()) } else { file(text) };
    }
    match (patch.get("patch").and_then(Node::text), patch.get("path").and_then(Node::text)) {
        (Some(text), None) => Ok(text.to_owned()),
        (None, Some(name)) => file(name),
        (Some(_), Some(_)) => Err(wrong(patch, "has both `patch` and `path`", "remove one of the two")),
        (None, None) => Err(wrong(patch, "has neither `patch` nor `path`", "write the patch, or the path of its file")),
    }
}

fn wrong(node: &Node, why: &str, remedy: &str) -> Wrong {
    Box::new(Problem::error(format!("the patch {why}"), node.span.clone()).help(remedy))
}

/// Applies the patches in a text, to the objects that `target` names or to those that they name themselves.
fn one(node: &Node, text: &str, resources: &mut [Resource]) -> Result<(), Wrong> {
    if text.trim_start().starts_with('[') && serde_json::from_str::<Value>(text).is_err() {
        let remedy = "write JSON, with quotes around keys and texts, or a list of YAML with `-`";
        return Err(wrong(node, "begins with `[` and is no JSON", remedy));
    }
    let source = Source::new("patch", text);
    let documents = vigil_yaml::read(&source, &Limits::default()).map_err(|problems| {
        let why = problems.first().map(Problem::one_line).unwrap_or_default();
        wrong(node, &format!("cannot be read: {why}"), "correct it: it is YAML or JSON")
    })?;
    let target = node.get("target").filter(|target| !target.is_null());
    let selector = target.map(Selector::read).transpose()?;
    for document in documents {
        let patch = document.to_json();
        if !patch.is_array() && !patch.is_object() {
            return Err(wrong(node, "is no object", "write the object with what changes, or a list of operations"));
        }
        match (&selector, patch.is_array()) {
            (None, true) => {
                let remedy = "add `target:` with `kind` and `name`";
                return Err(wrong(node, "names no object", remedy));
            }
            // Of a target that selects nothing kustomize says nothing.
            (Some(selector), true) => {
                for resource in resources.iter_mut().filter(|resource| selector.selects(resource)) {
                    resource.remember();
                    json(node, &mut resource.value, &patch)?;
                }
            }
            (Some(selector), false) => {
                for resource in resources.iter_mut().filter(|resource| selector.selects(resource)) {
                    strategic(node, resource, &patch)?;
                }
            }
            (None, false) => strategic(node, named(node, &patch, resources)?, &patch)?,
        }
    }
    Ok(())
}

/// The object that a patch names itself.
fn named<'r>(node: &Node, patch: &Value, resources: &'r mut [Resource]) -> Result<&'r mut Resource, Wrong> {
    let wanted = Resource::new(patch.clone());
    resources.iter_mut().find(|resource| resource.is_or_was(&wanted)).ok_or_else(|| {
        let what = format!("there is no {} {} to patch", wanted.kind(), Quoted(wanted.name()));
        let place = match wanted.namespace() {
            "" => " in the namespace `default`".to_owned(),
            namespace => format!(" in the namespace {}", Quoted(namespace)),
        };
        let place = if wanted.is_of_cluster() { "" } else { &place };
        let problem = Problem::error(format!("{what}{place}"), node.span.clone());
        Box::new(problem.help("correct `apiVersion`, `kind`, `metadata.name` and `.namespace`, or name a `target`"))
    })
}

/// Applies a JSON patch.
fn json(node: &Node, object: &mut Value, patch: &Value) -> Result<(), Wrong> {
    let wrong = |why: String| {
        wrong(node, &format!("cannot be applied: {why}"), "`op`, `path` and `value` are those of RFC 6902")
    };
    let operations: json_patch::Patch =
        serde_json::from_value(patch.clone()).map_err(|error| wrong(error.to_string()))?;
    json_patch::patch(object, &operations).map_err(|error| wrong(error.to_string()))?;
    if object.is_object() { Ok(()) } else { Err(wrong("it leaves no object".to_owned())) }
}

/// Merges a patch into an object, which keeps its kind, name and namespace unless the patch may change them.
fn strategic(node: &Node, resource: &mut Resource, patch: &Value) -> Result<(), Wrong> {
    let may = |option: &str| node.at(&["options", option]).and_then(Node::boolean) == Some(true);
    let (may_rename, may_change_kind) = (may("allowNameChange"), may("allowKindChange"));
    let before = resource.clone();
    if may_rename || may_change_kind {
        resource.remember();
    }
    let (group, _) = resource.group_version();
    let merge = Merge { has_keys: GROUPS.contains(&group), is_service: resource.kind() == "Service" };
    let mut patch = patch.clone();
    patch["apiVersion"] = before.api().into();
    let merged = merge
        .values(Some(before.value.clone()), &patch, "")
        .map_err(|why| wrong(node, &format!("cannot be applied: {why}"), "give it the form that the object has"))?;
    resource.value = merged.unwrap_or_default();
    if resource.value.is_null() {
        return Ok(());
    }
    if !may_change_kind {
        resource.value["kind"] = before.kind().into();
    }
    if !may_rename {
        resource.set_metadata("name", before.name());
    }
    match before.namespace() {
        "" => resource.value["metadata"].as_object_mut().and_then(|metadata| metadata.remove("namespace")),
        namespace => {
            resource.set_metadata("namespace", namespace);
            None
        }
    };
    Ok(())
}

/// How patches are merged into objects of a kind.
struct Merge {
    has_keys: bool,
    is_service: bool,
}

impl Merge {
    /// What becomes of a value under a patch, if anything; `key` is the field that both stand at.
    fn values(&self, own: Option<Value>, patch: &Value, key: &str) -> Result<Option<Value>, String> {
        let own = own.filter(|own| !own.is_null());
        match (own, patch) {
            (_, Value::Null) => Ok(None),
            (own @ (None | Some(Value::Object(_))), Value::Object(fields)) => self.fields(own, fields),
            (own @ (None | Some(Value::Array(_))), Value::Array(items)) => self.items(own, items, key),
            (Some(Value::Object(_) | Value::Array(_)), _) | (Some(_), Value::Object(_) | Value::Array(_)) => {
                Err(format!("`{key}` is of another type in the object"))
            }
            (_, patch) => Ok(Some(patch.clone())),
        }
    }

    fn fields(&self, own: Option<Value>, fields: &Map<String, Value>) -> Result<Option<Value>, String> {
        let mut merged = match fields.get("$patch").and_then(Value::as_str) {
            Some("delete") => return Ok(None),
            Some("replace") => Map::new(),
            _ => own.and_then(|own| if let Value::Object(own) = own { Some(own) } else { None }).unwrap_or_default(),
        };
        for (name, value) in fields.iter().filter(|(name, _)| *name != "$patch") {
            let own = merged.remove(name);
            if let Some(value) = self.values(own, value, name)? {
                merged.insert(name.clone(), value);
            }
        }
        Ok(Some(merged.into()))
    }

    fn items(&self, own: Option<Value>, items: &[Value], key: &str) -> Result<Option<Value>, String> {
        let mut own =
            own.and_then(|own| if let Value::Array(own) = own { Some(own) } else { None }).unwrap_or_default();
        let Some(keys) = self.keys(key) else { return Ok(Some(items.into())) };
        let directive = |item: &&Value, is: &str| item.get("$patch").is_some_and(|patch| patch == is);
        if items.iter().any(|item| directive(&item, "replace") && item.as_object().is_some_and(|item| item.len() == 1))
        {
            return Ok(Some(items.iter().filter(|item| !directive(item, "replace")).cloned().collect()));
        }
        // kustomize puts what a patch names in front; where there are several keys only what is new.
        let is_by_several =
            keys.iter().filter(|key| own.iter().chain(items).any(|item| item.get(key).is_some())).count() > 1;
        let mut merged = Vec::new();
        for item in items {
            let at = own.iter().position(|one| is_same(one, item, keys));
            let found = at.map(|at| if is_by_several { own[at].take() } else { own.remove(at) });
            let value = self.values(found, item, "")?.filter(|value| *value != Value::Object(Map::new()));
            match at.filter(|_| is_by_several) {
                Some(at) => own[at] = value.unwrap_or_default(),
                None => merged.extend(value),
            }
        }
        merged.extend(own.into_iter().filter(|item| !item.is_null()));
        Ok(Some(merged.into()))
    }

    /// The keys by which the items of a list are merged; none where the list takes the place of the other.
    fn keys(&self, list: &str) -> Option<&'static [&'static str]> {
        let ports: &[&str] = if self.is_service { &["port", "protocol"] } else { &["containerPort", "protocol"] };
        let found = MERGE_KEYS.iter().find(|(name, _)| *name == list).map(|(_, keys)| *keys);
        found.or((list == "ports").then_some(ports)).filter(|_| self.has_keys)
    }
}

/// Whether two items of a list are one: of several keys those that both have, the first of them for certain.
fn is_same(one: &Value, other: &Value, keys: &[&str]) -> bool {
    match keys.split_first() {
        None => one == other,
        Some((first, rest)) => {
            one.get(first).is_some()
                && one.get(first) == other.get(first)
                && rest.iter().all(|key| {
                    let (one, other) = (one.get(key), other.get(key));
                    one.is_none() || other.is_none() || one == other
                })
        }
    }
}
