//! Objects that nothing in the set uses.

use crate::fields::{entries, items, text};
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::rule::rules;
use crate::world::template::PodTemplate;
use crate::world::{World, operator, runtime};
use std::collections::HashSet;
use vigil_yaml::Node;

rules! {
    UNUSED "object-unused" Note Nobody "every ConfigMap, Secret, ServiceAccount, PersistentVolumeClaim and Role is used"
}

/// The kinds that are there for others, and their groups.
const KINDS: &[(&str, &str)] =
    &[("", "ConfigMap"), ("", "Secret"), ("", "ServiceAccount"), ("", "PersistentVolumeClaim"), (RBAC, "Role")];

const RBAC: &str = "rbac.authorization.k8s.io";

/// Labels by which well-known controllers pick up ConfigMaps and Secrets.
const PICKED_UP: &[&str] =
    &["grafana_dashboard", "grafana_datasource", "grafana_alert", "loki_rule", "argocd.argoproj.io/secret-type"];

/// Longer texts are scripts and files, which no longer tell names.
const LONG: usize = 4096;

/// Looks for objects that nobody uses.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    let used = used(world);
    let left: Vec<&Object<'_>> = KINDS
        .iter()
        .flat_map(|(group, kind)| world.judged(group, kind))
        .filter(|object| !is_for_the_cluster(object))
        .filter(|object| world.number(object).is_some_and(|number| !used.contains(&number)))
        .collect();
    if left.is_empty() {
        return;
    }
    let words = words(world);
    for object in left {
        let is_picked_up = object.labels().iter().any(|(key, _)| PICKED_UP.contains(&key) || words.contains(key));
        if !is_picked_up && !words.contains(object.name) {
            let at = object.at(&["metadata", "name"]).unwrap_or(object.node);
            findings
                .add(&UNUSED, object, at, format!("nothing in the set uses the {}", object.kind))
                .help("remove it, unless somebody outside of the set uses it");
        }
    }
}

/// What nobody in a set needs to use.
fn is_for_the_cluster(object: &Object<'_>) -> bool {
    let kind = text(object.node, ["type"]).unwrap_or_default();
    object.name.is_empty()
        || matches!(object.namespace, "kube-system" | "kube-public")
        || kind.starts_with("bootstrap.kubernetes.io/")
        || kind.starts_with("helm.sh/")
        || kind == "kubernetes.io/service-account-token"
}

/// The numbers of the objects that others refer to.
fn used(world: &World<'_>) -> HashSet<usize> {
    let asked = world.uses.iter().filter_map(|it| {
        let (group, kind) = it.of.kind();
        world.object(group, kind, it.namespace, it.name)
    });
    let mut used: HashSet<usize> = asked.filter_map(|object| world.number(object)).collect();
    let mut add = |group, kind, namespace, name| {
        used.extend(world.object(group, kind, namespace, name).and_then(|object| world.number(object)));
    };
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        for binding in world.set.of_kind(RBAC, kind) {
            let name = text(binding.node, ["roleRef", "name"]).unwrap_or_default();
            if text(binding.node, ["roleRef", "kind"]) == Some("Role") {
                add(RBAC, "Role", binding.namespace, name);
            }
            // Somebody outside of the set may have a token of the account.
            for subject in items(binding.node, ["subjects"]) {
                let namespace = text(subject, ["namespace"]).unwrap_or(binding.namespace);
                add("", "ServiceAccount", namespace, text(subject, ["name"]).unwrap_or_default());
            }
        }
    }
    // Alertmanager's configuration has a name of its own when none is given.
    for alertmanager in world.set.of_kind(MONITORING, "Alertmanager") {
        let name = operator::configuration(alertmanager);
        used.extend(world.object("", "Secret", alertmanager.namespace, &name).and_then(|it| world.number(it)));
    }
    used
}

/// The words by which something may mean an object without a field for it: those that containers are told, those of
/// annotations and of roles for single objects, and those of custom resources whose operators are not known.
fn words<'a>(world: &World<'a>) -> HashSet<&'a str> {
    let mut words = HashSet::new();
    for object in &world.set.objects {
        if let Some(pod) = PodTemplate::of(object) {
            words.extend(pod.containers().flat_map(runtime::words));
        }
        let annotations = entries(object.node, ["metadata", "annotations"]);
        for entry in annotations {
            add(&mut words, &entry.value);
        }
        if object.group == RBAC {
            items(object.node, ["rules"])
                .iter()
                .flat_map(|rule| items(rule, ["resourceNames"]))
                .for_each(|name| add(&mut words, name));
        } else if object.group.contains('.')
            && !object.group.ends_with(".k8s.io")
            && let Some(spec) = object.at(&["spec"])
        {
            spec.visit_texts(&mut |text, _, _| add_text(&mut words, text));
        }
    }
    words
}

fn add<'a>(words: &mut HashSet<&'a str>, node: &'a Node) {
    if let Some(text) = node.text() {
        add_text(words, text);
    }
}

fn add_text<'a>(words: &mut HashSet<&'a str>, text: &'a str) {
    if text.len() <= LONG {
        words.extend(runtime::parts(text));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken, deployment};

    #[test]
    fn what_counts_as_used() {
        let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: app-settings, labels: {sidecar/pick: '1'}}}\n";
        let role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: lock}, rules: [{apiGroups: \
                    [''], resources: [configmaps], resourceNames: [app-settings], verbs: [get]}]}\n\
                    {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: lock}, roleRef: {kind: \
                    Role, name: lock}, subjects: []}\n";
        for (others, expected) in [
            (String::new(), "object-unused"),
            (deployment("web", "volumes: [{configMap: {name: app-settings}}]"), ""),
            (deployment("web", "volumes: [{configMap: {name: app-settings, optional: true}}]"), ""),
            (deployment("web", "containers: [{args: ['--config=default/app-settings']}]"), ""),
            (deployment("web", "containers: [{command: [run, app-settings-old]}]"), "object-unused"),
            (deployment("web", "containers: [{env: [{name: LABEL, value: sidecar/pick}]}]"), ""),
            (deployment("app-settings", "containers: [{name: c}]"), "object-unused"),
            (role.to_owned(), ""),
            (
                "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}, spec: {from: {map: app-settings}}}\n"
                    .to_owned(),
                "",
            ),
            (
                "{apiVersion: v1, kind: Service, metadata: {name: s, annotations: {example.com/auth: \
                 default/app-settings}}, spec: {ports: [{port: 1}]}}\n"
                    .to_owned(),
                "",
            ),
        ] {
            assert_eq!(broken(&(map.to_owned() + &others)).join(" "), expected, "{others}");
        }
        for (object, expected) in [
            ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {grafana_dashboard: '1'}}}\n", ""),
            ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: kube-system}}\n", ""),
            ("{apiVersion: v1, kind: Secret, metadata: {name: a}, type: helm.sh/release.v1}\n", ""),
            ("{apiVersion: v1, kind: Secret, metadata: {name: a}}\n", "object-unused"),
            ("{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}\n", "object-unused"),
            (
                "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: a}, rules: []}\n",
                "object-unused",
            ),
            ("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a}, rules: []}\n", ""),
        ] {
            assert_eq!(broken(object).join(" "), expected, "{object}");
        }
        let alertmanager = "{apiVersion: monitoring.coreos.com/v1, kind: Alertmanager, metadata: {name: a}, spec: {}}\n\
                            {apiVersion: v1, kind: Secret, metadata: {name: alertmanager-a}, stringData: {alertmanager.yaml: a}}\n";
        assert!(broken(alertmanager).is_empty());
    }
}
