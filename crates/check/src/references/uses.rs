//! Every ConfigMap, Secret, ServiceAccount, claim and class that an object asks for by its name.

use super::{items, operator, text};
use crate::object::Object;
use crate::pods::PodTemplate;
use crate::set::Set;
use rayon::prelude::*;
use vigil_yaml::Node;

/// One object that asks for another.
#[derive(Debug)]
pub(crate) struct Use<'a> {
    /// What asks.
    pub(crate) by: &'a Object<'a>,
    /// Where it says so.
    pub(crate) at: &'a Node,
    /// What for.
    pub(crate) of: Used,
    /// Where that is; empty for what is in no namespace.
    pub(crate) namespace: &'a str,
    /// What it is called.
    pub(crate) name: &'a str,
    /// The keys that it must have, and where that is said.
    pub(crate) keys: Vec<(&'a str, &'a Node)>,
    /// It need not be there.
    pub(crate) optional: bool,
}

/// What objects ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    ConfigMap,
    Secret,
    /// A Secret with what a registry wants; images that are public need none.
    PullSecret,
    /// A Secret with the certificate of an Ingress; without it the controller shows its own.
    TlsSecret,
    ServiceAccount,
    Claim,
    PriorityClass,
    RuntimeClass,
    StorageClass,
    IngressClass,
}

impl Used {
    /// The group and the kind.
    pub(crate) fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::ConfigMap => ("", "ConfigMap"),
            Self::Secret | Self::PullSecret | Self::TlsSecret => ("", "Secret"),
            Self::ServiceAccount => ("", "ServiceAccount"),
            Self::Claim => ("", "PersistentVolumeClaim"),
            Self::PriorityClass => ("scheduling.k8s.io", "PriorityClass"),
            Self::RuntimeClass => ("node.k8s.io", "RuntimeClass"),
            Self::StorageClass => ("storage.k8s.io", "StorageClass"),
            Self::IngressClass => ("networking.k8s.io", "IngressClass"),
        }
    }

    fn is_namespaced(self) -> bool {
        self.kind().0.is_empty()
    }
}

/// Everything that the objects of a set ask for, in their order.
pub(crate) fn collect<'a>(set: &'a Set<'a>) -> Vec<Use<'a>> {
    let apart: Vec<Vec<Use<'a>>> = set.objects.par_iter().map(|object| of_object(object, set.home(object))).collect();
    apart.into_iter().flatten().collect()
}

/// Collects what one object asks for.
struct Collector<'a> {
    by: &'a Object<'a>,
    home: &'a str,
    uses: Vec<Use<'a>>,
}

fn of_object<'a>(object: &'a Object<'a>, home: &'a str) -> Vec<Use<'a>> {
    let mut all = Collector { by: object, home, uses: Vec::new() };
    let node = object.node;
    if object.damaged {
        return all.uses;
    }
    match (object.group, object.kind) {
        ("", "ServiceAccount") => {
            all.each(Used::PullSecret, items(node, &["imagePullSecrets"]), &["name"]);
            // Written by old clusters; a pod may mount these, and works without.
            all.each(Used::Secret, items(node, &["secrets"]), &["name"]);
            all.uses.iter_mut().for_each(|it| it.optional |= it.of == Used::Secret);
        }
        ("", "PersistentVolumeClaim") => all.name(Used::StorageClass, node.at(&["spec", "storageClassName"])),
        ("networking.k8s.io", "Ingress") => {
            all.each(Used::TlsSecret, items(node, &["spec", "tls"]), &["secretName"]);
            all.name(Used::IngressClass, node.at(&["spec", "ingressClassName"]));
        }
        ("", "Secret") => {
            let account = &["metadata", "annotations", "kubernetes.io/service-account.name"];
            if text(node, &["type"]) == Some("kubernetes.io/service-account-token") {
                all.name(Used::ServiceAccount, node.at(account));
            }
        }
        (operator::GROUP, kind) if kind != "PrometheusRule" => {
            if let Some(spec) = node.get("spec") {
                all.custom(spec);
            }
        }
        _ => {
            let foreign = || {
                let node = node.at(&["spec", "template"]).filter(|_| object.group.contains('.'))?;
                node.at(&["spec", "containers"])?;
                Some(PodTemplate { node, spec: node.get("spec")? })
            };
            if let Some(pod) = PodTemplate::of(object).or_else(foreign) {
                all.pod(pod.spec);
            }
            for claim in items(node, &["spec", "volumeClaimTemplates"]) {
                all.name(Used::StorageClass, claim.at(&["spec", "storageClassName"]));
            }
        }
    }
    all.uses
}

impl<'a> Collector<'a> {
    fn add(&mut self, of: Used, at: Option<&'a Node>, keys: Vec<(&'a str, &'a Node)>, optional: bool) {
        let Some((at, name)) = at.and_then(|at| Some((at, at.text().filter(|name| !name.is_empty())?))) else { return };
        let namespace = if of.is_namespaced() { self.home } else { "" };
        self.uses.push(Use { by: self.by, at, of, namespace, name, keys, optional });
    }

    fn name(&mut self, of: Used, at: Option<&'a Node>) {
        self.add(of, at, Vec::new(), false);
    }

    fn each(&mut self, of: Used, list: &'a [Node], path: &[&str]) {
        for item in list {
            self.name(of, item.at(path));
        }
    }

    /// A `secretKeyRef` or something like it.
    fn key(&mut self, of: Used, selector: &'a Node) {
        let key = selector.get("key").and_then(|key| Some((key.text()?, key)));
        self.add(of, selector.get("name"), key.into_iter().collect(), is_optional(selector));
    }

    /// What a pod's specification asks for, or something with the same fields.
    fn pod(&mut self, spec: &'a Node) {
        self.name(Used::ServiceAccount, spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")));
        self.name(Used::PriorityClass, spec.get("priorityClassName"));
        self.name(Used::RuntimeClass, spec.get("runtimeClassName"));
        self.each(Used::PullSecret, items(spec, &["imagePullSecrets"]), &["name"]);
        for container in
            ["initContainers", "containers", "ephemeralContainers"].iter().flat_map(|it| items(spec, &[it]))
        {
            for from in items(container, &["env"]).iter().filter_map(|variable| variable.get("valueFrom")) {
                for (field, of) in [("secretKeyRef", Used::Secret), ("configMapKeyRef", Used::ConfigMap)] {
                    if let Some(selector) = from.get(field) {
                        self.key(of, selector);
                    }
                }
            }
            for from in items(container, &["envFrom"]) {
                for (field, of) in [("secretRef", Used::Secret), ("configMapRef", Used::ConfigMap)] {
                    if let Some(source) = from.get(field) {
                        self.add(of, source.get("name"), Vec::new(), is_optional(source));
                    }
                }
            }
        }
        // A StatefulSet replaces the volumes that have the name of one of its claims.
        let claims = items(self.by.node, &["spec", "volumeClaimTemplates"]);
        let is_replaced =
            |volume: &Node| claims.iter().any(|it| text(it, &["metadata", "name"]) == text(volume, &["name"]));
        for volume in items(spec, &["volumes"]).iter().filter(|volume| !is_replaced(volume)) {
            self.volume(volume);
        }
    }

    fn volume(&mut self, volume: &'a Node) {
        for entry in volume.entries() {
            let source = &entry.value;
            match entry.key.text.as_str() {
                "configMap" => self.files(Used::ConfigMap, source, "name"),
                "secret" => self.files(Used::Secret, source, "secretName"),
                "projected" => {
                    for source in items(source, &["sources"]) {
                        if let Some(map) = source.get("configMap") {
                            self.files(Used::ConfigMap, map, "name");
                        }
                        if let Some(secret) = source.get("secret") {
                            self.files(Used::Secret, secret, "name");
                        }
                    }
                }
                "persistentVolumeClaim" => self.name(Used::Claim, source.get("claimName")),
                "ephemeral" => {
                    let class = source.at(&["volumeClaimTemplate", "spec", "storageClassName"]);
                    self.name(Used::StorageClass, class);
                }
                "csi" => self.name(Used::Secret, source.at(&["nodePublishSecretRef", "name"])),
                "azureFile" => self.name(Used::Secret, source.get("secretName")),
                // Ceph, iSCSI, FlexVolume and others name their credentials alike.
                _ => self.name(Used::Secret, source.at(&["secretRef", "name"])),
            }
        }
    }

    /// A ConfigMap or Secret whose keys become files.
    fn files(&mut self, of: Used, source: &'a Node, name: &str) {
        let keys =
            items(source, &["items"]).iter().filter_map(|item| Some((item.get("key")?.text()?, item.get("key")?)));
        self.add(of, source.get(name), keys.collect(), is_optional(source));
    }

    /// What a custom resource of the Prometheus operator asks for.
    fn custom(&mut self, spec: &'a Node) {
        if operator::kinds().any(|kind| kind == self.by.kind) {
            self.pod(spec);
            self.each(Used::Secret, items(spec, &["secrets"]), &[]);
            self.each(Used::ConfigMap, items(spec, &["configMaps"]), &[]);
            self.name(Used::StorageClass, spec.at(&["storage", "volumeClaimTemplate", "spec", "storageClassName"]));
            if let Some(secret) = spec.get("configSecret") {
                self.add(Used::Secret, Some(secret), vec![("alertmanager.yaml", secret)], false);
            }
        }
        for entry in spec.entries() {
            self.selectors(&entry.value, &entry.key.text);
        }
    }

    /// Every `{name, key}` below `node`: the operator's types have no other mapping of this form.
    fn selectors(&mut self, node: &'a Node, field: &str) {
        // The first are the user's own words, the others a pod's, and done.
        if matches!(field, "labels" | "externalLabels" | "annotations" | "matchLabels" | "nodeSelector")
            || matches!(field, "containers" | "initContainers" | "volumes")
        {
            return;
        }
        let is_selector = node.get("name").is_some()
            && node.get("key").is_some()
            && node.entries().iter().all(|entry| matches!(entry.key.text.as_str(), "name" | "key" | "optional"));
        if is_selector {
            let is_map = matches!(field, "configMap" | "configMapKeyRef");
            self.key(if is_map { Used::ConfigMap } else { Used::Secret }, node);
            return;
        }
        for entry in node.entries() {
            self.selectors(&entry.value, &entry.key.text);
        }
        for item in node.items() {
            self.selectors(item, field);
        }
    }
}

fn is_optional(source: &Node) -> bool {
    source.get("optional").and_then(Node::boolean) == Some(true)
}
