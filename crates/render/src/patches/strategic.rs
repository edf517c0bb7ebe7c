//! Strategic merge patches: a mapping is merged key by key, and so are the lists of Kubernetes' own kinds whose items have a
//! key; any other list is replaced.
//! <https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/>

use serde_json::{Map, Value};
use vigil_yaml::words::{list, nearest};

/// The key of a directive, which says what to do instead of merging.
const DIRECTIVE: &str = "$patch";

/// The way to a field of a patch.
pub(super) type Path = Vec<String>;

/// What cannot be done with a field of a patch.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) at: Path,
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: String,
}

/// Fields of Kubernetes' own types whose type matters: the type, the field, the key of the items if the field is a list that
/// is merged, and the type of what is below. They are the `patchMergeKey` of the published Go types, as far as people write
/// the fields. <https://github.com/kubernetes/api>
#[rustfmt::skip]
const FIELDS: &[(&str, &str, Option<&str>, &str)] = &[
    ("", "metadata", None, "ObjectMeta"),
    ("CronJob", "spec", None, "CronJobSpec"),
    ("CronJobSpec", "jobTemplate", None, "Job"),
    ("DaemonSet", "spec", None, "Workload"),
    ("Deployment", "spec", None, "Workload"),
    ("Job", "spec", None, "Workload"),
    ("ReplicaSet", "spec", None, "Workload"),
    ("StatefulSet", "spec", None, "Workload"),
    ("Workload", "template", None, "Pod"),
    ("Pod", "spec", None, "PodSpec"),
    ("PodSpec", "containers", Some("name"), "Container"),
    ("PodSpec", "ephemeralContainers", Some("name"), "Container"),
    ("PodSpec", "hostAliases", Some("ip"), ""),
    ("PodSpec", "imagePullSecrets", Some("name"), ""),
    ("PodSpec", "initContainers", Some("name"), "Container"),
    ("PodSpec", "resourceClaims", Some("name"), ""),
    ("PodSpec", "schedulingGates", Some("name"), ""),
    ("PodSpec", "topologySpreadConstraints", Some("topologyKey"), ""),
    ("PodSpec", "volumes", Some("name"), ""),
    ("Container", "env", Some("name"), ""),
    ("Container", "ports", Some("containerPort"), ""),
    ("Container", "volumeDevices", Some("devicePath"), ""),
    ("Container", "volumeMounts", Some("mountPath"), ""),
    ("ObjectMeta", "ownerReferences", Some("uid"), ""),
    ("Service", "spec", None, "ServiceSpec"),
    ("ServiceSpec", "ports", Some("port"), ""),
    ("ServiceAccount", "imagePullSecrets", Some("name"), ""),
    ("ServiceAccount", "secrets", Some("name"), ""),
    ("MutatingWebhookConfiguration", "webhooks", Some("name"), "Webhook"),
    ("ValidatingWebhookConfiguration", "webhooks", Some("name"), "Webhook"),
    ("Webhook", "matchConditions", Some("name"), ""),
];

/// Merges `patch` into an object; `None`: the patch removes it.
pub(super) fn merge(object: &Value, patch: &Map<String, Value>) -> Result<Option<Value>, Fault> {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let group = text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
    // The API server does not know the types of custom resources, and merges none of their lists.
    let own = !group.contains('.') || group.ends_with(".k8s.io");
    let mut merger = Merger { at: Vec::new() };
    merger.map(object, patch, if own { text("kind") } else { CUSTOM })
}

/// The type of a custom resource, and of all below it.
const CUSTOM: &str = "custom";

struct Merger {
    at: Path,
}

impl Merger {
    fn fault(&self, message: String, label: &str, help: String) -> Fault {
        Fault { at: self.at.clone(), message, label: label.to_owned(), help }
    }

    fn directive(&self, patch: &Map<String, Value>) -> Result<Directive, Fault> {
        if let Some(key) = patch.keys().find(|key| key.starts_with('$') && *key != DIRECTIVE) {
            return Err(self.fault(
                format!("the directive `{key}` is not known here"),
                "a key that begins with `$` is a directive",
                "the directives here are `$patch: delete`, `$patch: replace` and `$patch: merge`".to_owned(),
            ));
        }
        match patch.get(DIRECTIVE).map(Value::as_str) {
            None | Some(Some("merge")) => Ok(Directive::Merge),
            Some(Some("delete")) => Ok(Directive::Delete),
            Some(Some("replace")) => Ok(Directive::Replace),
            Some(other) => Err(self.fault(
                format!("`$patch` cannot be {}", other.map_or("of this type".to_owned(), |it| format!("`{it}`"))),
                "expected `delete`, `replace` or `merge`",
                "`$patch: delete` removes what it stands in, `$patch: replace` keeps nothing of what was there"
                    .to_owned(),
            )),
        }
    }

    /// `None`: it is removed.
    fn map(&mut self, old: &Value, patch: &Map<String, Value>, kind: &str) -> Result<Option<Value>, Fault> {
        let mut new = match (self.directive(patch)?, old) {
            (Directive::Delete, _) => return Ok(None),
            (Directive::Merge, Value::Object(old)) => old.clone(),
            (Directive::Merge | Directive::Replace, _) => Map::new(),
        };
        for (key, value) in patch.iter().filter(|(key, _)| *key != DIRECTIVE) {
            self.at.push(key.clone());
            let field = |of: &str| FIELDS.iter().find(|(kind, field, ..)| *kind == of && field == key);
            let found = field(kind).or_else(|| field("").filter(|_| self.at.len() == 1));
            let (by, below) = found.map_or((None, ""), |(_, _, by, below)| (*by, *below));
            let old = new.get(key).cloned().unwrap_or_default();
            let value = match value {
                Value::Null => None,
                Value::Object(patch) => self.map(&old, patch, below)?,
                Value::Array(items) => Some(self.list(&old, items, by, below)?),
                scalar => Some(scalar.clone()),
            };
            match value {
                Some(value) => drop(new.insert(key.clone(), value)),
                None => drop(new.remove(key)),
            }
            self.at.pop();
        }
        Ok(Some(new.into()))
    }

    fn list(&mut self, old: &Value, patch: &[Value], by: Option<&str>, below: &str) -> Result<Value, Fault> {
        let old = old.as_array().map(Vec::as_slice).unwrap_or_default();
        let replaces = |item: &Value| {
            item.as_object().is_some_and(|item| item.len() == 1 && item.get(DIRECTIVE) == Some(&"replace".into()))
        };
        let by = by.filter(|_| !patch.iter().any(replaces));
        let mut new = if by.is_some() { old.to_vec() } else { Vec::new() };
        for (number, item) in patch.iter().enumerate().filter(|(_, item)| !replaces(item)) {
            self.at.push(number.to_string());
            match (by, item) {
                (Some(by), Value::Object(item)) => self.item(&mut new, item, by, below)?,
                (Some(by), _) => {
                    return Err(self.fault(
                        format!("items of `{}` are merged by their `{by}`, and this one is no mapping", self.parent()),
                        "expected `key: value` lines",
                        format!("write `{by}:` and what shall be otherwise below the dash"),
                    ));
                }
                (None, Value::Object(item)) => match self.map(&Value::Null, item, below)? {
                    Some(item) => new.push(item),
                    None => {
                        return Err(self.fault(
                            format!("`{}` is no list whose items are merged", self.parent()),
                            "the list is replaced as a whole",
                            "write the items that shall be there, or use `json:` with `op: remove` and the item's position"
                                .to_owned(),
                        ));
                    }
                },
                (None, item) => new.push(item.clone()),
            }
            self.at.pop();
        }
        Ok(new.into())
    }

    /// An item of a list whose items are merged by the key `by`.
    fn item(&mut self, list: &mut Vec<Value>, item: &Map<String, Value>, by: &str, below: &str) -> Result<(), Fault> {
        let Some(key) = item.get(by).filter(|key| !key.is_null()) else {
            return Err(self.fault(
                format!("an item of `{}` has no `{by}`", self.parent()),
                "which one it is cannot be told",
                format!("add `{by}:`, by which the items of this list are merged"),
            ));
        };
        match (list.iter().position(|old| old.get(by) == Some(key)), self.directive(item)?) {
            (Some(at), _) => match self.map(&list[at].clone(), item, below)? {
                Some(new) => list[at] = new,
                None => drop(list.remove(at)),
            },
            (None, Directive::Delete) => {
                let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let known: Vec<_> = list.iter().map(|item| shown(&item[by])).collect();
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                return Err(self.fault(
                    format!("`{}` has no item with the `{by}` `{}`", self.parent(), shown(key)),
                    &nearest(&shown(key), known.iter().copied())
                        .map_or("nothing to remove".to_owned(), |near| format!("did you mean `{near}`?")),
                    if known.is_empty() {
                        "there are none".to_owned()
                    } else {
                        format!("there are {}", list_of(&known))
                    },
                ));
            }
            // What is not there has nothing that `null` could remove.
            (None, _) => list.extend(self.map(&Value::Null, item, below)?),
        }
        Ok(())
    }

    /// The list that the item at hand is in.
    fn parent(&self) -> String {
        self.at[..self.at.len().saturating_sub(1)].join(".")
    }
}

fn list_of(names: &[&str]) -> String {
    list(names, "and")
}

enum Directive {
    Merge,
    Replace,
    Delete,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(object: &Value, patch: &Value) -> Result<Option<Value>, Fault> {
        merge(object, patch.as_object().unwrap())
    }

    fn pod(spec: &Value) -> Value {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "template": { "spec": spec } } })
    }

    #[test]
    fn lists_are_merged_by_their_keys_and_others_replaced() {
        let old = json!({
            "containers": [
                { "name": "a", "image": "x", "args": ["1", "2"], "ports": [{ "containerPort": 80, "name": "http" }],
                  "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] },
                { "name": "b", "image": "y" },
            ],
            "tolerations": [{ "key": "one" }],
            "volumes": [{ "name": "data", "emptyDir": {} }],
        });
        for (patch, expected) in [
            (
                json!({ "containers": [{ "name": "b", "image": "z" }, { "name": "c", "image": "w", "tty": null }] }),
                json!({ "/containers/1/image": "z", "/containers/2": { "name": "c", "image": "w" }, "/containers/0/image": "x" }),
            ),
            (json!({ "containers": [{ "name": "a", "args": ["3"] }] }), json!({ "/containers/0/args": ["3"] })),
            (
                json!({ "containers": [{ "name": "a", "ports": [{ "containerPort": 80, "name": "web" }] }] }),
                json!({ "/containers/0/ports": [{ "containerPort": 80, "name": "web" }] }),
            ),
            (
                json!({ "containers": [{ "name": "a", "env": [{ "name": "A", "$patch": "delete" }] }] }),
                json!({ "/containers/0/env": [{ "name": "B", "value": "2" }] }),
            ),
            (
                json!({ "containers": [{ "$patch": "replace" }, { "name": "c", "image": "w" }] }),
                json!({ "/containers": [{ "name": "c", "image": "w" }] }),
            ),
            (json!({ "tolerations": [{ "key": "two" }] }), json!({ "/tolerations": [{ "key": "two" }] })),
            (json!({ "tolerations": null }), json!({ "/tolerations": null })),
            (
                json!({ "volumes": [{ "name": "data", "$patch": "replace", "hostPath": { "path": "/x" } }] }),
                json!({ "/volumes": [{ "name": "data", "hostPath": { "path": "/x" } }] }),
            ),
            (
                json!({ "affinity": { "nodeAffinity": { "a": null, "b": 1 } } }),
                json!({ "/affinity": { "nodeAffinity": { "b": 1 } } }),
            ),
        ] {
            let new = merged(&pod(&old), &json!({ "spec": { "template": { "spec": patch } } })).unwrap().unwrap();
            for (pointer, value) in expected.as_object().unwrap() {
                let found = new["spec"]["template"]["spec"].pointer(pointer).unwrap_or(&Value::Null);
                assert_eq!(found, value, "{patch}: {pointer}");
            }
        }
    }

    #[test]
    fn whole_objects_and_custom_resources() {
        let custom = json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus",
            "spec": { "containers": [{ "name": "a", "image": "x" }], "volumes": [{ "name": "v" }] },
        });
        let patch = json!({ "spec": { "containers": [{ "name": "b" }] } });
        let new = merged(&custom, &patch).unwrap().unwrap();
        assert_eq!(new["spec"], json!({ "containers": [{ "name": "b" }], "volumes": [{ "name": "v" }] }));
        assert_eq!(merged(&custom, &json!({ "$patch": "delete" })), Ok(None));
        let service =
            json!({ "apiVersion": "v1", "kind": "Service", "spec": { "ports": [{ "port": 80, "name": "a" }] } });
        let new = merged(&service, &json!({ "spec": { "ports": [{ "port": 81 }] } })).unwrap().unwrap();
        assert_eq!(new["spec"]["ports"], json!([{ "port": 80, "name": "a" }, { "port": 81 }]));
    }

    #[test]
    fn what_cannot_be_merged_is_told_at_its_place() {
        let old = pod(&json!({ "containers": [{ "name": "grafana" }, { "name": "loki" }] }));
        for (patch, at, message) in [
            (json!({ "containers": [{ "image": "x" }] }), "containers.0", "has no `name`"),
            (json!({ "containers": ["x"] }), "containers.0", "this one is no mapping"),
            (
                json!({ "containers": [{ "name": "grafan", "$patch": "delete" }] }),
                "containers.0",
                "has no item with the `name` `grafan`",
            ),
            (json!({ "tolerations": [{ "$patch": "delete" }] }), "tolerations.0", "is no list whose items are merged"),
            (json!({ "$setElementOrder/containers": [] }), "", "the directive `$setElementOrder/containers`"),
            (json!({ "affinity": { "$patch": "remove" } }), "affinity", "`$patch` cannot be `remove`"),
        ] {
            let fault = merged(&old, &json!({ "spec": { "template": { "spec": patch } } })).unwrap_err();
            let expected = format!("spec.template.spec.{at}");
            assert_eq!(fault.at.join("."), expected.trim_end_matches('.'));
            assert!(fault.message.contains(message), "{}", fault.message);
        }
    }
}
