//! Names and namespaces: what kustomize adds to them, and how what refers to an object follows it. Source:
//! `namereference.go` and `api/filters/nameref` of sigs.k8s.io/kustomize.

use super::fields::{Field, NAMESPACES};
use super::resource::{Id, Resource};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Kinds that keep their names: they are part of what they are.
const UNTOUCHED: [(&str, &str); 3] =
    [("", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService"), ("", "Namespace")];

/// Puts objects into a namespace.
pub(super) fn to_namespace(resources: &mut [Resource], namespace: &str) {
    for resource in resources {
        resource.remember();
        if !resource.is_of_cluster() {
            resource.set_metadata("namespace", namespace);
        }
        for field in &NAMESPACES {
            field.change(resource, &Value::Null, &mut |value| *value = namespace.into());
        }
        if !matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding") {
            continue;
        }
        // A subject with another name follows the account that it names.
        let subjects = resource.value.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten().filter(|subject| subject["name"] == "default") {
            subject["namespace"] = namespace.into();
        }
    }
}

/// Adds a prefix and a suffix to the names of objects.
pub(super) fn lengthen(resources: &mut [Resource], prefix: &str, suffix: &str) {
    for resource in resources {
        let original = resource.original();
        let (group, _) = resource.group_version();
        if UNTOUCHED.iter().any(|(of, kind)| (of.is_empty() || *of == group) && *kind == original.kind) {
            continue;
        }
        if !prefix.is_empty() {
            resource.prefixes.push(prefix.to_owned());
            resource.remember();
            let name = format!("{prefix}{}", resource.name());
            resource.set_metadata("name", &name);
        }
        if !suffix.is_empty() {
            resource.suffixes.push(suffix.to_owned());
            resource.remember();
            let name = format!("{}{suffix}", resource.name());
            resource.set_metadata("name", &name);
        }
    }
}

/// Adds a hash of its content to the name of each ConfigMap and Secret that a generator made.
pub(super) fn add_hashes(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|resource| resource.is_hashed) {
        let name = format!("{}-{}", resource.name(), hash(resource));
        resource.remember();
        resource.set_metadata("name", &name);
        resource.is_hashed = false;
    }
}

/// `Hasher.Hash`: of what `encoding/json` of Go makes of it, with digits that make no words. It means to hash the name, too,
/// and does not find it.
fn hash(resource: &Resource) -> String {
    let of = |key: &str| resource.value.get(key).cloned().unwrap_or_else(|| "".into());
    let mut hashed = json!({"kind": resource.kind(), "name": "", "data": of("data")});
    let more = if resource.kind() == "Secret" {
        hashed["type"] = of("type");
        "stringData"
    } else {
        "binaryData"
    };
    if let Some(value) = resource.value.get(more).filter(|value| value.is_object()) {
        hashed[more] = value.clone();
    }
    hashed.sort_all_objects();
    let mut text = hashed.to_string();
    for (character, escape) in
        [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")]
    {
        text = text.replace(character, escape);
    }
    let digits = Sha256::digest(text).iter().take(5).fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
    let letter = |digit| match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    format!("{digits:010x}").chars().map(letter).collect()
}

/// Group, version and kind of what is named; empty for any.
type Target = (&'static str, &'static str, &'static str);

const CONFIG_MAP: Target = ("", "v1", "ConfigMap");
const SECRET: Target = ("", "v1", "Secret");
const SERVICE: Target = ("", "v1", "Service");
const ACCOUNT: Target = ("", "v1", "ServiceAccount");
const CLAIM: Target = ("", "v1", "PersistentVolumeClaim");
const VOLUME: Target = ("", "v1", "PersistentVolume");
const CLASS: Target = ("storage.k8s.io", "v1", "StorageClass");
const PRIORITY: Target = ("scheduling.k8s.io", "v1", "PriorityClass");
const ROLE: Target = (RBAC, "", "Role");
const CLUSTER_ROLE: Target = (RBAC, "", "ClusterRole");

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// What has pods, and where their `spec` is.
const PODS: [(&str, &str); 9] = [
    ("Pod", "spec"),
    ("PodTemplate", "template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
];

const OF_CONFIG_MAPS: [&str; 6] = [
    "volumes/configMap/name",
    "containers/env/valueFrom/configMapKeyRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "containers/envFrom/configMapRef/name",
    "initContainers/envFrom/configMapRef/name",
    "volumes/projected/sources/configMap/name",
];

const OF_SECRETS: [&str; 7] = [
    "volumes/secret/secretName",
    "containers/env/valueFrom/secretKeyRef/name",
    "initContainers/env/valueFrom/secretKeyRef/name",
    "containers/envFrom/secretRef/name",
    "initContainers/envFrom/secretRef/name",
    "imagePullSecrets/name",
    "volumes/projected/sources/secret/name",
];

const OF_ALL_PODS: [(Target, &str); 3] = [
    (ACCOUNT, "serviceAccountName"),
    (CLAIM, "volumes/persistentVolumeClaim/claimName"),
    (PRIORITY, "priorityClassName"),
];

/// What names something: its group, which is empty for any, its kind and the field.
const OTHERS: [(Target, &str, &str, &str); 40] = [
    (("", "", "Deployment"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "ReplicationController"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "ReplicaSet"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (("", "", "StatefulSet"), "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    (CONFIG_MAP, "", "Node", "spec/configSource/configMap"),
    (CONFIG_MAP, "", "Role", "rules/resourceNames"),
    (CONFIG_MAP, "", "ClusterRole", "rules/resourceNames"),
    (CONFIG_MAP, "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap"),
    (SECRET, "", "Ingress", "spec/tls/secretName"),
    (SECRET, "", "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret"),
    (SECRET, "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret"),
    (SECRET, "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret"),
    (SECRET, "", "ServiceAccount", "imagePullSecrets/name"),
    (SECRET, "", "StorageClass", "parameters/secretName"),
    (SECRET, "", "StorageClass", "parameters/adminSecretName"),
    (SECRET, "", "StorageClass", "parameters/userSecretName"),
    (SECRET, "", "StorageClass", "parameters/secretRef"),
    (SECRET, "", "Role", "rules/resourceNames"),
    (SECRET, "", "ClusterRole", "rules/resourceNames"),
    (SECRET, "", "PersistentVolume", "spec/azureFile/secretName"),
    (SECRET, "serving.knative.dev", "Service", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"),
    (SERVICE, "apps", "StatefulSet", "spec/serviceName"),
    (SERVICE, "", "Ingress", "spec/rules/http/paths/backend/serviceName"),
    (SERVICE, "", "Ingress", "spec/backend/serviceName"),
    (SERVICE, "", "Ingress", "spec/rules/http/paths/backend/service/name"),
    (SERVICE, "", "Ingress", "spec/defaultBackend/service/name"),
    (SERVICE, "apiregistration.k8s.io", "APIService", "spec/service/name"),
    (SERVICE, ADMISSION, "ValidatingWebhookConfiguration", "webhooks/clientConfig/service"),
    (SERVICE, ADMISSION, "MutatingWebhookConfiguration", "webhooks/clientConfig/service"),
    (ROLE, RBAC, "RoleBinding", "roleRef/name"),
    (CLUSTER_ROLE, RBAC, "RoleBinding", "roleRef/name"),
    (CLUSTER_ROLE, RBAC, "ClusterRoleBinding", "roleRef/name"),
    (ACCOUNT, RBAC, "RoleBinding", "subjects"),
    (ACCOUNT, RBAC, "ClusterRoleBinding", "subjects"),
    (VOLUME, "", "PersistentVolumeClaim", "spec/volumeName"),
    (VOLUME, "", "ClusterRole", "rules/resourceNames"),
    (CLASS, "", "PersistentVolume", "spec/storageClassName"),
    (CLASS, "", "PersistentVolumeClaim", "spec/storageClassName"),
    (CLASS, "", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
    ((ADMISSION, "", "ValidatingAdmissionPolicy"), ADMISSION, "ValidatingAdmissionPolicyBinding", "spec/policyName"),
];

/// The fields of an object that name others, and what they name.
fn references(resource: &Resource) -> Vec<(Target, String)> {
    let kind = resource.original().kind;
    let (group, _) = resource.group_version();
    let others = OTHERS.iter().filter(|(_, of, by, _)| (of.is_empty() || *of == group) && *by == kind);
    let mut all: Vec<_> = others.map(|(target, _, _, path)| (*target, (*path).to_owned())).collect();
    let Some((_, spec)) = PODS.iter().find(|(has, _)| *has == kind) else { return all };
    // Kustomize forgets some of each.
    let mut named = Vec::new();
    if kind != "ReplicationController" {
        named.extend(OF_CONFIG_MAPS.map(|path| (CONFIG_MAP, path)));
        named.extend(OF_SECRETS.map(|path| (SECRET, path)));
    }
    if !matches!(kind.as_str(), "PodTemplate" | "ReplicaSet") {
        named.extend(OF_ALL_PODS);
    }
    all.extend(named.into_iter().map(|(target, path)| (target, format!("{spec}/{path}"))));
    all
}

/// Lets all references follow what they name; those that could mean several objects are returned.
pub(super) fn follow(resources: &mut [Resource]) -> Vec<String> {
    let all: Vec<Resource> = resources.iter().map(Resource::stub).collect();
    let mut unclear = Vec::new();
    for resource in resources {
        let referrer = resource.stub();
        let accounts = namespaces_of_accounts(&resource.value);
        let role = resource.value.get("roleRef").map(|role| (text(role, "apiGroup"), text(role, "kind")));
        for (target, path) in references(resource) {
            let role = role.as_ref().filter(|_| path == "roleRef/name");
            let reference = Reference { target, role, accounts: &accounts, referrer: &referrer, all: &all };
            let field = Field { group: "", version: "", kind: "", path: &path, is_made: false };
            field.change(resource, &Value::Null, &mut |value| {
                let items = match value {
                    Value::Array(items) => items.iter_mut().collect(),
                    one => vec![one],
                };
                unclear.extend(items.into_iter().filter_map(|item| reference.follow(item).err()));
            });
        }
    }
    unclear
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The namespaces of the accounts that a RoleBinding names: what it names need not be in its own.
fn namespaces_of_accounts(binding: &Value) -> Vec<String> {
    let subjects = binding.get("subjects").and_then(Value::as_array).filter(|_| binding["kind"] == "RoleBinding");
    let accounts = subjects.into_iter().flatten().filter(|subject| subject["kind"] == "ServiceAccount");
    accounts.map(|subject| text(subject, "namespace")).filter(|namespace| !namespace.is_empty()).collect()
}

/// What a field of an object names.
struct Reference<'a> {
    target: Target,
    /// Group and kind of the role, where it is one.
    role: Option<&'a (String, String)>,
    accounts: &'a [String],
    referrer: &'a Resource,
    all: &'a [Resource],
}

impl Reference<'_> {
    /// Writes the name that the object has now into a reference, which is a name or a mapping that has one.
    fn follow(&self, value: &mut Value) -> Result<(), String> {
        match value {
            Value::String(name) => {
                if let Some(meant) = self.meant(name, None, |one, other| one.name() == other.name())? {
                    meant.name().clone_into(name);
                }
            }
            Value::Object(map) => {
                let name = map.get("name").and_then(Value::as_str).unwrap_or_default();
                let namespace = map.get("namespace").map(|namespace| namespace.as_str().unwrap_or_default());
                let same = |one: &Resource, other: &Resource| {
                    (one.name(), one.namespace()) == (other.name(), other.namespace())
                };
                if let Some(meant) = self.meant(name, namespace, same)? {
                    map.insert("name".to_owned(), meant.name().into());
                    if !meant.namespace().is_empty() {
                        map.insert("namespace".to_owned(), meant.namespace().into());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The object that was called so, if there is one. An error names those of which any could be meant.
    fn meant(
        &self,
        name: &str,
        namespace: Option<&str>,
        same: impl Fn(&Resource, &Resource) -> bool,
    ) -> Result<Option<&Resource>, String> {
        let was_in = |one: &Resource| one.original().namespace.as_deref() == namespace;
        let moved = namespace.is_some() && self.all.iter().any(|one| self.reaches(one) && was_in(one));
        let is_there = |one: &Resource| match namespace {
            None => true,
            Some(_) if moved => was_in(one),
            Some(_) => one.id().namespace.as_deref() == namespace,
        };
        let named = |one: &&Resource| one.former().iter().any(|id| id.name == name);
        let mut found: Vec<_> = self
            .all
            .iter()
            .filter(named)
            .filter(|one| self.is_kind(one) && self.reaches(one) && is_there(one))
            .collect();
        if found.len() > 1 {
            found.retain(|one| is_of_one_layer(one, self.referrer, true));
        }
        if found.len() > 1 {
            found.retain(|one| is_of_one_layer(one, self.referrer, false));
        }
        match found.as_slice() {
            [] => Ok(None),
            [first, rest @ ..] if rest.iter().all(|one| same(first, one)) => Ok(Some(first)),
            found => {
                let candidates: Vec<_> = found.iter().map(|one| one.name()).collect();
                Err(format!(
                    "{} {name} of {} {}: {}",
                    self.target.2,
                    self.referrer.kind(),
                    self.referrer.name(),
                    candidates.join(", ")
                ))
            }
        }
    }

    /// Whether an object is or was of the kind that is named.
    fn is_kind(&self, one: &Resource) -> bool {
        let (group, version, kind) = self.target;
        let (own_group, own_version) = one.group_version();
        let is = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
        let was = |id: &Id| {
            let is_role = self.role.is_none_or(|(group, kind)| is(group, own_group) && is(kind, &id.kind));
            is(kind, &id.kind) && is_role
        };
        is(group, own_group) && is(version, own_version) && one.former().iter().any(was)
    }

    /// Whether an object can be named from where the reference is.
    fn reaches(&self, one: &Resource) -> bool {
        let is_account = one.kind() == "ServiceAccount" && self.accounts.iter().any(|own| own == one.namespace());
        self.referrer.is_of_cluster()
            || one.is_of_cluster()
            || one.id().namespace == self.referrer.id().namespace
            || is_account
    }
}

/// Whether two objects have the same prefixes and suffixes, as far as both have some; `or_none` lets none be like any.
fn is_of_one_layer(one: &Resource, other: &Resource, or_none: bool) -> bool {
    let like = |one: &[String], other: &[String]| match (one, other) {
        ([], []) => true,
        ([], _) | (_, []) => or_none,
        _ => one.ends_with(other) || other.ends_with(one),
    };
    like(&one.prefixes, &other.prefixes) && like(&one.suffixes, &other.suffixes)
}
