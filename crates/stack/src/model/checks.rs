use super::{AccessKeys, Stack, settings};
use crate::rules::written_pods;
use crate::units::{DnsLabel, KindName, ObjectName, ObjectTitle, Reason, RuleName};

settings! {
    /// What `vigil check` and `vigil render` cannot see in the manifests.
    #[derive(Default)]
    pub struct Checks {
        /// Objects that the cluster has, or that you create, besides those that the stack names elsewhere.
        pub provided: Vec<Provided>,
        /// Rules that an object may break.
        pub waivers: Vec<Waiver>,
    }
}

/// An object that is there without being in the manifests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provided {
    /// Its kind, such as `Secret`.
    pub kind: KindName,
    /// Its namespace; without one, any namespace, or none where the kind has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<DnsLabel>,
    /// Its name.
    pub name: ObjectName,
}

/// A rule that an object may break, and why.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The rule, as findings name it; `vigil explain` lists all.
    pub rule: RuleName,
    /// The object, as findings call it: `Deployment mymonitoring/grafana`.
    pub object: ObjectTitle,
    /// Why it may break the rule.
    pub reason: Reason,
}

impl Stack {
    /// The objects that are there without being in the manifests: those of `checks.provided`, and those that the stack
    /// names where it uses them, such as the Secret of a receiver.
    pub fn provided(&self) -> Vec<Provided> {
        let mut list = self.checks.provided.clone();
        let mut add = |kind: &str, namespace: Option<&DnsLabel>, name: &str| {
            let name = ObjectName::known(name);
            list.push(Provided { kind: KindName::known(kind), namespace: namespace.cloned(), name });
        };
        for (_, part) in self.parts() {
            let namespace = part.namespace(&self.namespaces);
            let stores_objects = part.enabled() && part.uses_object_storage();
            let of_storage = || {
                let own = self.own_object_storage().into_iter().flat_map(AccessKeys::secrets);
                self.object_storage.secrets().into_iter().chain(own)
            };
            let of_storage = stores_objects.then(of_storage).into_iter().flatten();
            for secret in part.secrets().into_iter().chain(of_storage) {
                add("Secret", namespace, secret.as_str());
            }
            if let Some(ingress) = part.ingress().filter(|ingress| ingress.enabled) {
                if let Some(class) = ingress.class_name {
                    add("IngressClass", None, class.as_str());
                }
                if let Some(tls) = ingress.tls {
                    add("Secret", namespace, tls.secret_name.as_str());
                }
                if let Some(login) = ingress.login {
                    add("Secret", namespace, login.as_str());
                }
            }
            for class in part.volumes().into_iter().filter_map(|volume| volume.storage_class_name.as_ref()) {
                add("StorageClass", None, class.as_str());
            }
            for name in part.foreign_namespaces().into_iter().filter(|_| part.enabled()) {
                add("Namespace", None, name.as_str());
            }
        }
        if !self.namespaces.create {
            for name in self.namespaces.all() {
                add("Namespace", None, name.as_str());
            }
        }
        for (_, pods, _) in written_pods(self) {
            for secret in pods.image_pull_secrets.iter().flatten() {
                add("Secret", None, secret.as_str());
            }
            if let Some(class) = &pods.priority_class_name {
                add("PriorityClass", None, class.as_str());
            }
        }
        list.sort();
        list.dedup();
        list
    }
}
