use super::{Receiver, RemoteWrite, Stack, settings};
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
        let monitoring = Some(&self.namespaces.monitoring);
        let mut list = self.checks.provided.clone();
        let mut add = |kind: &str, namespace: Option<&DnsLabel>, name: &str| {
            let name = ObjectName::known(name);
            list.push(Provided { kind: KindName::known(kind), namespace: namespace.cloned(), name });
        };
        let receivers = self.alertmanager.receivers.iter().flat_map(Receiver::secrets);
        for secret in receivers.chain(self.prometheus.remote_write.iter().flat_map(RemoteWrite::secrets)) {
            add("Secret", monitoring, secret.name.as_str());
        }
        if let Some(secret) = &self.grafana.admin_secret.existing {
            add("Secret", monitoring, secret.as_str());
        }
        let flask = &self.flask.ingress;
        let mut ingresses = vec![(Some(&self.flask.namespace), flask.enabled, &flask.class_name, &flask.tls)];
        for it in [&self.grafana.ingress, &self.prometheus.ingress, &self.alertmanager.ingress] {
            ingresses.push((monitoring, it.enabled, &it.class_name, &it.tls));
        }
        for (namespace, _, class, tls) in ingresses.into_iter().filter(|(_, enabled, _, _)| *enabled) {
            add("IngressClass", None, class.as_str());
            if let Some(tls) = tls {
                add("Secret", namespace, tls.secret_name.as_str());
            }
        }
        for (_, pods) in written_pods(self) {
            for secret in pods.image_pull_secrets.iter().flatten() {
                add("Secret", None, secret.as_str());
            }
            if let Some(class) = &pods.priority_class_name {
                add("PriorityClass", None, class.as_str());
            }
        }
        let volumes = [
            &self.grafana.persistence,
            &self.prometheus.persistence,
            &self.alertmanager.persistence,
            &self.loki.persistence,
        ];
        for class in volumes.into_iter().filter_map(|volume| volume.storage_class_name.as_ref()) {
            add("StorageClass", None, class.as_str());
        }
        let namespaces = [
            (self.flask.enabled, &self.flask.namespace),
            (self.argocd.enabled, &self.argocd.namespace),
            (self.network_policies.enabled, &self.network_policies.ingress_namespace),
        ];
        for (_, name) in namespaces.into_iter().filter(|(needed, _)| *needed) {
            add("Namespace", None, name.as_str());
        }
        list.sort();
        list.dedup();
        list
    }
}
