//! Every ConfigMap, Secret, ServiceAccount, claim and class that an object asks for by its name, and how.

use super::operator;
use super::template::PodTemplate;
use crate::fields::{is_set, items, text};
use crate::object::{GATEWAY_API, MONITORING, Object};
use crate::set::Set;
use rayon::prelude::*;
use vigil_yaml::Node;

/// One object that asks for another.
#[derive(Debug)]
pub(crate) struct Use<'a> {
    /// What asks.
    pub(crate) by: &'a Object<'a>,
    /// Its number in the set.
    pub(crate) number: usize,
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
    /// How.
    pub(crate) way: Way<'a>,
}

/// How an object asks for another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way<'a> {
    /// By a field of its own: what becomes of it is the controller's matter.
    Named,
    /// A container has it in its variables.
    Variables,
    /// A pod has its keys as files of a volume: of that one alone, or beside those of other sources, projected.
    Files { spec: &'a Node, volume: &'a Node },
}

impl<'a> Use<'a> {
    /// Whether a key gets to what asks: some take only those that they name.
    pub(crate) fn takes(&self, key: &str) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|(own, _)| *own == key)
    }

    /// The containers that have its keys as files.
    pub(crate) fn mounted_by(&self) -> impl Iterator<Item = &'a Node> {
        let (spec, volume) = match self.way {
            Way::Files { spec, volume } => (Some(spec), text(volume, "name")),
            Way::Named | Way::Variables => (None, None),
        };
        let containers = ["initContainers", "containers"].into_iter().filter_map(move |key| spec?.get(key));
        containers.flat_map(Node::items).filter(move |container| {
            items(container, "volumeMounts").iter().any(|mount| volume.is_some() && text(mount, "name") == volume)
        })
    }
}

/// What objects ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    ConfigMap,
    Secret,
    /// A Secret with what a registry wants; images that are public need none.
    PullSecret,
    /// A Secret with the certificate of an Ingress, or of a listener of a Gateway; without it the controller shows its own or none.
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
    let of_object = |(number, object)| of_object(object, number, set.home(object));
    let apart: Vec<Vec<Use<'a>>> = set.objects.par_iter().enumerate().map(of_object).collect();
    apart.into_iter().flatten().collect()
}

/// Whether a StatefulSet replaces the volume of this name by one of its claims.
pub(crate) fn is_claimed(object: &Object<'_>, volume: &str) -> bool {
    let claims = items(object.node, ["spec", "volumeClaimTemplates"]);
    claims.iter().any(|claim| text(claim, ["metadata", "name"]) == Some(volume))
}

/// Collects what one object asks for.
struct Collector<'a> {
    by: &'a Object<'a>,
    number: usize,
    home: &'a str,
    uses: Vec<Use<'a>>,
}

/// The kinds whose Secrets and ConfigMaps the operator reads, and no pod.
const READ_BY_OPERATOR: [&str; 5] = ["ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig", "AlertmanagerConfig"];

fn of_object<'a>(object: &'a Object<'a>, number: usize, home: &'a str) -> Vec<Use<'a>> {
    let mut all = Collector { by: object, number, home, uses: Vec::new() };
    let node = object.node;
    if object.damaged {
        return all.uses;
    }
    match (object.group, object.kind) {
        ("", "ServiceAccount") => {
            all.each(Used::PullSecret, items(node, ["imagePullSecrets"]), &["name"]);
            // Written by old clusters; a pod may mount these, and works without.
            all.each(Used::Secret, items(node, ["secrets"]), &["name"]);
            all.uses.iter_mut().for_each(|it| it.optional |= it.of == Used::Secret);
        }
        ("", "PersistentVolumeClaim") => all.name(Used::StorageClass, node.at(&["spec", "storageClassName"])),
        ("networking.k8s.io", "Ingress") => {
            all.each(Used::TlsSecret, items(node, ["spec", "tls"]), &["secretName"]);
            all.name(Used::IngressClass, node.at(&["spec", "ingressClassName"]));
            let login = ["metadata", "annotations", "nginx.ingress.kubernetes.io/auth-secret"];
            // One of another namespace has that before its name.
            all.name(Used::Secret, node.at(&login).filter(|it| it.text().is_some_and(|name| !name.contains('/'))));
        }
        (GATEWAY_API, "Gateway" | "ListenerSet") => {
            for listener in items(node, ["spec", "listeners"]) {
                all.referred(Used::TlsSecret, items(listener, ["tls", "certificateRefs"]));
            }
        }
        (GATEWAY_API, "BackendTLSPolicy") => {
            let authorities = items(node, ["spec", "validation", "caCertificateRefs"]);
            all.referred(Used::Secret, authorities);
            all.referred(Used::ConfigMap, authorities);
        }
        ("", "Secret") => {
            let account = &["metadata", "annotations", "kubernetes.io/service-account.name"];
            if text(node, ["type"]) == Some("kubernetes.io/service-account-token") {
                all.name(Used::ServiceAccount, node.at(account));
            }
        }
        (MONITORING, kind) if kind != "PrometheusRule" => {
            if let Some(spec) = node.get("spec") {
                all.custom(spec);
            }
        }
        _ => {
            if let Some(pod) = PodTemplate::of(object).or_else(|| PodTemplate::foreign(object)) {
                all.pod(pod.spec);
            }
            for claim in items(node, ["spec", "volumeClaimTemplates"]) {
                all.name(Used::StorageClass, claim.at(&["spec", "storageClassName"]));
            }
        }
    }
    all.uses
}

impl<'a> Collector<'a> {
    /// Adds what `at` names; the one that was added.
    fn add(&mut self, of: Used, at: Option<&'a Node>) -> Option<&mut Use<'a>> {
        let at = at?;
        let name = at.text().filter(|name| !name.is_empty())?;
        let namespace = if of.is_namespaced() { self.home } else { "" };
        let (by, number) = (self.by, self.number);
        let (keys, optional, way) = (Vec::new(), false, Way::Named);
        self.uses.push(Use { by, number, at, of, namespace, name, keys, optional, way });
        self.uses.last_mut()
    }

    fn name(&mut self, of: Used, at: Option<&'a Node>) {
        self.add(of, at);
    }

    fn each(&mut self, of: Used, list: &'a [Node], path: &[&str]) {
        for item in list {
            self.name(of, item.at(path));
        }
    }

    /// References of the Gateway API that are of this kind.
    fn referred(&mut self, of: Used, list: &'a [Node]) {
        let (_, wanted) = of.kind();
        for item in list.iter().filter(|item| text(item, "group").is_none_or(str::is_empty)) {
            let kind = text(item, "kind").unwrap_or("Secret");
            let Some(it) = self.add(of, item.get("name").filter(|_| kind == wanted)) else { continue };
            it.namespace = text(item, "namespace").unwrap_or(it.namespace);
        }
    }

    /// A `secretKeyRef` or something like it.
    fn key(&mut self, of: Used, selector: &'a Node, way: Way<'a>) {
        if let Some(it) = self.add(of, selector.get("name")) {
            it.keys.extend(selector.get("key").and_then(|key| Some((key.text()?, key))));
            // The operator reads what monitors name itself, and leaves out the whole object without it: `GetSecretKey` in
            // `pkg/assets/store.go` of prometheus-operator 0.87.
            let by_operator = it.by.group == MONITORING && READ_BY_OPERATOR.contains(&it.by.kind);
            it.optional = is_set(selector, "optional") && !by_operator;
            it.way = way;
        }
    }

    /// What a pod's specification asks for, or something with the same fields.
    fn pod(&mut self, spec: &'a Node) {
        self.name(Used::ServiceAccount, spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")));
        self.name(Used::PriorityClass, spec.get("priorityClassName"));
        self.name(Used::RuntimeClass, spec.get("runtimeClassName"));
        self.each(Used::PullSecret, items(spec, ["imagePullSecrets"]), &["name"]);
        for container in
            ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|it| items(spec, it))
        {
            for from in items(container, ["env"]).iter().filter_map(|variable| variable.get("valueFrom")) {
                for (field, of) in [("secretKeyRef", Used::Secret), ("configMapKeyRef", Used::ConfigMap)] {
                    if let Some(selector) = from.get(field) {
                        self.key(of, selector, Way::Variables);
                    }
                }
            }
            for from in items(container, ["envFrom"]) {
                for (field, of) in [("secretRef", Used::Secret), ("configMapRef", Used::ConfigMap)] {
                    if let Some(source) = from.get(field) {
                        self.key(of, source, Way::Variables);
                    }
                }
            }
        }
        let by = self.by;
        let is_claimed = |volume: &&Node| text(volume, "name").is_some_and(|name| is_claimed(by, name));
        for volume in items(spec, "volumes").iter().filter(|volume| !is_claimed(volume)) {
            self.volume(spec, volume);
        }
    }

    fn volume(&mut self, spec: &'a Node, volume: &'a Node) {
        let way = Way::Files { spec, volume };
        for entry in volume.entries() {
            let source = &entry.value;
            match entry.key.text.as_str() {
                "configMap" => self.files(Used::ConfigMap, source, source.get("name"), way),
                "secret" => self.files(Used::Secret, source, source.get("secretName"), way),
                "projected" => {
                    for source in items(source, ["sources"]) {
                        if let Some(map) = source.get("configMap") {
                            self.files(Used::ConfigMap, map, map.get("name"), way);
                        }
                        if let Some(secret) = source.get("secret") {
                            self.files(Used::Secret, secret, secret.get("name"), way);
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
    fn files(&mut self, of: Used, source: &'a Node, name: Option<&'a Node>, way: Way<'a>) {
        if let Some(it) = self.add(of, name) {
            let keys = items(source, "items").iter().filter_map(|item| item.get("key"));
            it.keys.extend(keys.filter_map(|key| Some((key.text()?, key))));
            it.optional = is_set(source, "optional");
            it.way = way;
        }
    }

    /// What a custom resource of the Prometheus operator asks for.
    fn custom(&mut self, spec: &'a Node) {
        if operator::makes_pods(self.by) {
            self.pod(spec);
            self.each(Used::Secret, items(spec, ["secrets"]), &[]);
            self.each(Used::ConfigMap, items(spec, ["configMaps"]), &[]);
            self.name(Used::StorageClass, spec.at(&["storage", "volumeClaimTemplate", "spec", "storageClassName"]));
            self.name(Used::Secret, spec.get("configSecret"));
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
            self.key(if is_map { Used::ConfigMap } else { Used::Secret }, node, Way::Named);
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
