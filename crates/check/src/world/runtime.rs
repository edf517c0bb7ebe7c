//! Secrets, ConfigMaps and claims that are no part of the set, and that something in it makes.
//!
//! Custom resources whose operators are known say so by their fields. Besides, a container that may create Secrets, and
//! that is told a name by an argument, by a variable or by its role, makes the Secret of that name: so do the Jobs that
//! make certificates for webhooks, and init containers that make passwords.

use super::template::PodTemplate;
use crate::fields::{entries, is_set, items, text};
use crate::object::{GATEWAY_API, Object};
use crate::set::Set;
use std::collections::{HashMap, HashSet};
use vigil_yaml::{Node, Scalar};

/// The keys of a ConfigMap or Secret that is not in the set.
#[derive(Clone, Debug)]
pub(crate) enum Keys<'a> {
    /// Not known.
    Any,
    /// These.
    These(Vec<&'a str>),
}

/// What is made, by whom.
pub(crate) struct Makers<'a> {
    /// Namespace and name of Secrets that custom resources ask for, with their keys.
    secrets: HashMap<(&'a str, &'a str), Keys<'a>>,
    /// Names that containers are told which may create something.
    told: HashMap<&'a str, Vec<(PodTemplate<'a>, Right<'a>)>>,
    /// Claims that StatefulSets make: namespace, and the name up to the pod's number.
    claims: HashSet<(&'a str, String)>,
}

/// The right to create objects.
#[derive(Clone, Copy, Debug, Default)]
struct Right<'a> {
    /// Where; empty for everywhere.
    namespace: &'a str,
    secrets: bool,
    config_maps: bool,
}

/// What a role gives to a service account.
#[derive(Clone, Debug, Default)]
struct Grant<'a> {
    right: Right<'a>,
    /// The objects that the role names.
    names: Vec<&'a str>,
}

impl<'a> Makers<'a> {
    /// What the objects of a set make.
    pub(crate) fn new(set: &'a Set<'a>) -> Self {
        let grants = grants(set);
        let mut makers = Self { secrets: HashMap::new(), told: HashMap::new(), claims: HashSet::new() };
        for object in &set.objects {
            makers.add_asked(object, set.home(object));
            if object.is("apps", "StatefulSet") {
                for template in items(object.node, ["spec", "volumeClaimTemplates"]) {
                    let name = text(template, ["metadata", "name"]).unwrap_or_default();
                    makers.claims.insert((object.namespace, format!("{name}-{}", object.name)));
                }
            }
            let Some(pod) = PodTemplate::of(object) else { continue };
            let account = text(pod.spec, ["serviceAccountName"]).unwrap_or("default");
            for grant in grants.get(&(object.namespace, account)).into_iter().flatten() {
                for word in pod.containers().flat_map(words).chain(grant.names.iter().copied()) {
                    makers.told.entry(word).or_default().push((pod, grant.right));
                }
            }
        }
        makers
    }

    /// The keys of this object, if something makes it.
    pub(crate) fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<Keys<'a>> {
        if kind == "PersistentVolumeClaim" {
            let (stem, number) = name.rsplit_once('-')?;
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            return (is_number && self.claims.contains(&(namespace, stem.to_owned()))).then_some(Keys::Any);
        }
        let asked = self.secrets.get(&(namespace, name)).filter(|_| kind == "Secret");
        if let Some(keys) = asked {
            return Some(keys.clone());
        }
        let may = |right: &Right<'_>| match kind {
            "Secret" => right.secrets,
            "ConfigMap" => right.config_maps,
            _ => false,
        };
        let (pod, _) = self
            .told
            .get(name)?
            .iter()
            .find(|(_, right)| may(right) && (right.namespace.is_empty() || right.namespace == namespace))?;
        // What makes it looks first whether it is there, and so tells its keys.
        let field = if kind == "Secret" { "secretKeyRef" } else { "configMapKeyRef" };
        let keys: Vec<&str> = pod
            .containers()
            .flat_map(|container| items(container, ["env"]))
            .filter_map(|variable| variable.at(&["valueFrom", field]))
            .filter(|selector| is_set(selector, "optional"))
            .filter(|selector| text(selector, "name") == Some(name))
            .filter_map(|selector| text(selector, ["key"]))
            .collect();
        Some(if keys.is_empty() { Keys::Any } else { Keys::These(keys) })
    }

    /// Adds the Secrets that an object asks its operator for.
    fn add_asked(&mut self, object: &'a Object<'a>, home: &'a str) {
        let at = |path: &[&str]| text(object.node, path);
        let mut add = |name: Option<&'a str>, keys: Keys<'a>| {
            if let Some(name) = name {
                self.secrets.insert((home, name), keys);
            }
        };
        match (object.group, object.kind) {
            ("cert-manager.io", "Certificate") => {
                let more =
                    ["keystores", "additionalOutputFormats"].iter().any(|key| object.at(&["spec", key]).is_some());
                add(at(&["spec", "secretName"]), if more { Keys::Any } else { certificate() });
            }
            ("cert-manager.io", "Issuer") => add(at(&["spec", "acme", "privateKeySecretRef", "name"]), Keys::Any),
            ("external-secrets.io", "ExternalSecret") => {
                let more = object.at(&["spec", "dataFrom"]).or_else(|| object.at(&["spec", "target", "template"]));
                let keys = items(object.node, ["spec", "data"]).iter().filter_map(|it| text(it, ["secretKey"]));
                let keys = if more.is_some() { Keys::Any } else { Keys::These(keys.collect()) };
                add(at(&["spec", "target", "name"]).or(Some(object.name)), keys);
            }
            ("bitnami.com", "SealedSecret") => {
                let maps = [&["spec", "encryptedData"][..], &["spec", "template", "data"]];
                let keys = maps.iter().filter_map(|path| object.at(path)).flat_map(Node::entries);
                let keys = keys.map(|entry| entry.key.text.as_str()).collect();
                add(at(&["spec", "template", "metadata", "name"]).or(Some(object.name)), Keys::These(keys));
            }
            ("secrets-store.csi.x-k8s.io", "SecretProviderClass") => {
                for secret in items(object.node, ["spec", "secretObjects"]) {
                    let keys = items(secret, ["data"]).iter().filter_map(|it| text(it, ["key"]));
                    add(text(secret, ["secretName"]), Keys::These(keys.collect()));
                }
            }
            ("secrets.hashicorp.com", _) => add(at(&["spec", "destination", "name"]), Keys::Any),
            ("onepassword.com", "OnePasswordItem") | ("kafka.strimzi.io", "KafkaUser") => {
                add(Some(object.name), Keys::Any);
            }
            ("networking.k8s.io", "Ingress") if has_issuer(object) => {
                for tls in items(object.node, ["spec", "tls"]) {
                    add(text(tls, ["secretName"]), certificate());
                }
            }
            (GATEWAY_API, "Gateway") if has_issuer(object) => {
                for listener in items(object.node, ["spec", "listeners"]) {
                    for certificate in items(listener, ["tls", "certificateRefs"]) {
                        add(text(certificate, "name"), self::certificate());
                    }
                }
            }
            _ => add(at(&["spec", "writeConnectionSecretToRef", "name"]), Keys::Any),
        }
    }
}

/// The keys of a Secret that cert-manager makes.
fn certificate() -> Keys<'static> {
    Keys::These(vec!["tls.crt", "tls.key", "ca.crt"])
}

/// Whether cert-manager makes the certificates of an Ingress or a Gateway.
fn has_issuer(object: &Object<'_>) -> bool {
    const ANNOTATIONS: &[&str] =
        &["cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme"];
    let annotations = entries(object.node, ["metadata", "annotations"]);
    annotations.iter().any(|entry| ANNOTATIONS.contains(&entry.key.text.as_str()))
}

/// The rights to create objects that service accounts have, by namespace and name.
fn grants<'a>(set: &'a Set<'a>) -> HashMap<(&'a str, &'a str), Vec<Grant<'a>>> {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let mut roles = HashMap::new();
    for kind in ["Role", "ClusterRole"] {
        for role in set.of_kind(GROUP, kind) {
            roles.insert((kind, role.namespace, role.name), grant(role));
        }
    }
    let all = Grant { right: Right { secrets: true, config_maps: true, ..Right::default() }, names: Vec::new() };
    let mut grants: HashMap<_, Vec<_>> = HashMap::new();
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        for binding in set.of_kind(GROUP, kind) {
            let (Some(kind), Some(name)) =
                (text(binding.node, ["roleRef", "kind"]), text(binding.node, ["roleRef", "name"]))
            else {
                continue;
            };
            let namespace = if kind == "Role" { binding.namespace } else { "" };
            let of_cluster = Some(&all).filter(|_| matches!(name, "cluster-admin" | "admin" | "edit"));
            let given = roles.get(&(kind, namespace, name)).or(of_cluster);
            let Some(given) = given.filter(|given| given.right.secrets || given.right.config_maps) else { continue };
            for subject in items(binding.node, ["subjects"]) {
                let home = text(subject, ["namespace"]).unwrap_or(binding.namespace);
                let Some(name) = text(subject, ["name"]) else { continue };
                if text(subject, ["kind"]) == Some("ServiceAccount") {
                    let right = Right { namespace: binding.namespace, ..given.right };
                    let names = given.names.clone();
                    grants.entry((home, name)).or_default().push(Grant { right, names });
                }
            }
        }
    }
    grants
}

/// What a role allows to create.
fn grant<'a>(role: &Object<'a>) -> Grant<'a> {
    let names = items(role.node, ["rules"]).iter().flat_map(|rule| items(rule, ["resourceNames"]));
    Grant {
        right: Right {
            secrets: may_create(role, "secrets"),
            config_maps: may_create(role, "configmaps"),
            ..Right::default()
        },
        names: names.filter_map(Node::text).collect(),
    }
}

/// Whether a role allows to create objects of a resource of the core.
fn may_create(role: &Object<'_>, resource: &str) -> bool {
    items(role.node, ["rules"]).iter().any(|rule| {
        let lists = |key: &str, wanted: &str| {
            items(rule, [key]).iter().filter_map(Node::text).any(|text| text == wanted || text == "*")
        };
        lists("apiGroups", "") && lists("resources", resource) && lists("verbs", "create")
    })
}

/// The words that a container is told: in its command, its arguments and its variables. A value is a word too.
pub(crate) fn words(container: &Node) -> impl Iterator<Item = &str> {
    let lists = ["command", "args"].into_iter().flat_map(|key| items(container, [key])).filter_map(whole);
    let variables = items(container, ["env"]).iter().filter_map(|variable| whole(variable.get("value")?));
    lists.chain(variables).flat_map(parts)
}

/// The words of a text that may be names, and the text as a whole.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_'));
    parts.filter(|part| !part.is_empty()).chain([text])
}

/// The text of a scalar, whatever its type.
fn whole(node: &Node) -> Option<&str> {
    match &node.data {
        vigil_yaml::Data::Scalar(Scalar { text, .. }) => Some(text),
        _ => None,
    }
}
