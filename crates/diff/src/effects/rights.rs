//! Who may do more than before: roles, bindings, pods and the levels of namespaces.

use super::{Edit, Effects, Sets};
use crate::change::Change;
use crate::effect::{Class, Effect};
use crate::object::{Identity, integer, is_set, items, text};
use crate::workload::Workload;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const RBAC: &str = "rbac.authorization.k8s.io";

/// The label of a namespace that says what its pods may do, and its values from the strictest on.
const ENFORCE: &str = "/metadata/labels/pod-security.kubernetes.io~1enforce";
const LEVELS: [&str; 3] = ["restricted", "baseline", "privileged"];

/// How many resources or powers one sentence names.
const NAMED: usize = 6;

/// What is said of an object, and which of its changes cause it.
type Widened = (String, fn(&Change) -> bool);

/// The rights that an object of the second set adds to those of the first.
pub(super) fn of<'a>(identity: &Identity, edit: Option<&Edit<'a>>, sets: &Sets<'_>, effects: &mut Effects<'a>) {
    let Some(after) = sets.after.get(identity) else { return };
    let before = edit.map(|edit| edit.before);
    let is_binding = identity.kind.ends_with("Binding");
    let widened = match (identity.group.as_str(), identity.kind.as_str()) {
        (RBAC, "Role" | "ClusterRole") => allowed(before, after),
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => bound(identity, before, after, sets),
        ("", "Namespace") => before.and_then(|before| loosened(before, after)),
        _ => gained(identity, before, after),
    };
    let Some((says, is_cause)) = widened else { return };
    let effect = Effect::new(Class::Rights, identity, says);
    let changes = edit.map(|edit| edit.changes).unwrap_or_default();
    let changes = changes.iter().filter(|change| !change.is_equivalent && is_cause(change));
    // What a binding or a pod gets is said better in words than by its fields.
    if is_binding {
        effects.instead_of(effect, changes);
    } else {
        effects.of(effect, changes);
    }
}

fn allowed(before: Option<&Value>, after: &Value) -> Option<Widened> {
    let old = before.map(permissions).unwrap_or_default();
    let new = permissions(after);
    let more: BTreeSet<_> = new.iter().filter(|one| !old.iter().any(|had| had.covers(one))).collect();
    if more.is_empty() {
        return None;
    }
    Some((format!("who is bound to it may {}", described(&more)), |change| change.path.begins(&["rules"])))
}

fn bound(identity: &Identity, before: Option<&Value>, after: &Value, sets: &Sets<'_>) -> Option<Widened> {
    let role = role(identity, after);
    // What a new role allows is told of that role.
    if !sets.before.contains_key(&role) && sets.after.contains_key(&role) {
        return None;
    }
    let subjects = |object: &Value| -> BTreeSet<String> { items(object, "/subjects").iter().map(subject).collect() };
    let same_role = before.is_some_and(|before| text(before, "/roleRef/name") == role.name);
    let old = before.filter(|_| same_role).map(subjects).unwrap_or_default();
    let more: Vec<_> = subjects(after).difference(&old).cloned().collect();
    if more.is_empty() {
        return None;
    }
    let may = if more.len() == 1 { "gets" } else { "get" };
    let says = format!("{} {may} what {} {} allows", folded(&more), role.kind, role.name);
    Some((says, |change| change.path.begins(&["subjects"]) || change.path.begins(&["roleRef"])))
}

fn loosened(before: &Value, after: &Value) -> Option<Widened> {
    let level = |object: &Value| {
        let level = text(object, ENFORCE);
        // Without the label everything is let in.
        LEVELS.iter().position(|known| *known == level).unwrap_or(LEVELS.len() - 1)
    };
    let (old, new) = (level(before), level(after));
    if new <= old {
        return None;
    }
    let says = format!("its pods may do what `{}` allows, and not `{}` only", LEVELS[new], LEVELS[old]);
    Some((says, |change| change.path.key() == "pod-security.kubernetes.io/enforce"))
}

fn gained(identity: &Identity, before: Option<&Value>, after: &Value) -> Option<Widened> {
    let powers = |object: &Value| Workload::of(identity, object).map(|it| powers(&it));
    let old = before.and_then(powers).unwrap_or_default();
    let more: Vec<_> = powers(after)?.difference(&old).cloned().collect();
    if more.is_empty() {
        return None;
    }
    Some((format!("its pods get {}", folded(&more)), |_| false))
}

/// Names, the first of them when there are many.
fn folded(names: &[String]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 | 1 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

/// The role that a binding refers to.
fn role(identity: &Identity, binding: &Value) -> Identity {
    let kind = text(binding, "/roleRef/kind").to_owned();
    let namespace = if kind == "Role" { identity.namespace.clone() } else { String::new() };
    Identity { namespace, kind, group: RBAC.to_owned(), name: text(binding, "/roleRef/name").to_owned() }
}

fn subject(subject: &Value) -> String {
    let (kind, name) = (text(subject, "/kind"), text(subject, "/name"));
    match text(subject, "/namespace") {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}

/// One thing that a rule of RBAC allows; `*` is everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Permission {
    verb: String,
    group: String,
    /// A resource, or a path of the API server.
    resource: String,
    /// The only object; empty for all.
    name: String,
}

impl Permission {
    fn covers(&self, other: &Self) -> bool {
        let is = |own: &str, other: &str| own == "*" || own == other;
        is(&self.verb, &other.verb)
            && is(&self.group, &other.group)
            && (is(&self.resource, &other.resource)
                || self
                    .resource
                    .strip_suffix('*')
                    .is_some_and(|start| start.starts_with('/') && other.resource.starts_with(start)))
            && (self.name.is_empty() || self.name == other.name)
    }

    fn resource(&self) -> String {
        let resource = match (self.group.as_str(), self.resource.as_str()) {
            ("*", "*") => "everything".to_owned(),
            ("", resource) => resource.to_owned(),
            ("*", resource) => format!("{resource} of every group"),
            (group, resource) => format!("{resource}.{group}"),
        };
        if self.name.is_empty() { resource } else { format!("{resource}/{}", self.name) }
    }
}

/// What a role allows.
fn permissions(role: &Value) -> BTreeSet<Permission> {
    let mut all = BTreeSet::new();
    for rule in items(role, "/rules") {
        let texts = |key: &str| -> Vec<&str> { items(rule, key).iter().filter_map(Value::as_str).collect() };
        let mut names = texts("/resourceNames");
        if names.is_empty() {
            names.push("");
        }
        for verb in texts("/verbs") {
            let mut add = |group: &str, resource: &str, name: &str| {
                let [verb, group, resource, name] = [verb, group, resource, name].map(str::to_owned);
                all.insert(Permission { verb, group, resource, name });
            };
            for url in texts("/nonResourceURLs") {
                add("", url, "");
            }
            for group in texts("/apiGroups") {
                for resource in texts("/resources") {
                    for name in &names {
                        add(group, resource, name);
                    }
                }
            }
        }
    }
    all
}

/// `get, list pods, nodes; create tokenreviews.authentication.k8s.io`.
fn described(permissions: &BTreeSet<&Permission>) -> String {
    let mut verbs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for permission in permissions {
        verbs.entry(permission.resource()).or_default().push(if permission.verb == "*" {
            "do anything to"
        } else {
            &permission.verb
        });
    }
    let mut resources: BTreeMap<Vec<&str>, Vec<String>> = BTreeMap::new();
    for (resource, verbs) in verbs {
        resources.entry(verbs).or_default().push(resource);
    }
    let parts = resources.into_iter().map(|(verbs, resources)| format!("{} {}", verbs.join(", "), folded(&resources)));
    parts.collect::<Vec<_>>().join("; ")
}

/// What a workload's pods may do on their nodes that a pod may not do by itself.
fn powers(workload: &Workload<'_>) -> BTreeSet<String> {
    let pod = workload.pod;
    let mut all = BTreeSet::new();
    for (key, what) in [("hostNetwork", "network"), ("hostPID", "processes"), ("hostIPC", "shared memory")] {
        if is_set(pod, &format!("/{key}")) {
            all.insert(format!("the node's {what} (`{key}`)"));
        }
    }
    for volume in items(pod, "/volumes").iter().filter(|volume| volume.get("hostPath").is_some()) {
        let mounts = workload.containers().flat_map(|container| items(container, "/volumeMounts"));
        let mut mounts = mounts.into_iter().filter(|mount| text(mount, "/name") == text(volume, "/name"));
        let how = if mounts.all(|mount| is_set(mount, "/readOnly")) { "to read" } else { "to write" };
        all.insert(format!("the node's `{}` {how}", text(volume, "/hostPath/path")));
    }
    for container in workload.containers() {
        let name = text(container, "/name");
        let security = container.get("securityContext").unwrap_or(&Value::Null);
        if is_set(security, "/privileged") {
            all.insert(format!("all of the node, in the privileged container `{name}`"));
        }
        for capability in items(security, "/capabilities/add").iter().filter_map(Value::as_str) {
            all.insert(format!("the capability {capability} in `{name}`"));
        }
        let user = integer(security, "/runAsUser").or_else(|| integer(pod, "/securityContext/runAsUser"));
        if user == Some(0) {
            all.insert(format!("the user root in `{name}`"));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_was_not_allowed_is_more() {
        let role = |rules: Value| permissions(&json!({ "rules": rules }));
        let more = |before: Value, after: Value| {
            let (before, after) = (role(before), role(after));
            let more = after.iter().filter(|one| !before.iter().any(|had| had.covers(one))).collect::<BTreeSet<_>>();
            if more.is_empty() { String::new() } else { described(&more) }
        };
        let allow = |group: &str, resource: &str, verbs: &[&str]| json!([{"apiGroups": [group], "resources": [resource], "verbs": verbs}]);
        assert_eq!(more(allow("", "pods", &["get"]), allow("", "pods", &["get", "list"])), "list pods");
        assert_eq!(more(allow("*", "*", &["*"]), allow("apps", "deployments", &["delete"])), "");
        assert_eq!(more(allow("", "pods", &["get"]), allow("*", "*", &["*"])), "do anything to everything");
        let named = json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get"]}]);
        assert_eq!(more(named.clone(), allow("", "secrets", &["get"])), "get secrets");
        assert_eq!(more(allow("", "secrets", &["get"]), named.clone()), "");
        assert_eq!(more(json!([]), named), "get secrets/a");
        let url = |url: &str| json!([{"nonResourceURLs": [url], "verbs": ["get"]}]);
        assert_eq!(more(url("/metrics*"), url("/metrics/x")), "");
        assert_eq!(more(json!([]), url("/metrics")), "get /metrics");
    }
}
