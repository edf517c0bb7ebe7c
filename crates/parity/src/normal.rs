//! An object as what it does: names resolved, defaults taken away, lists keyed by what identifies their entries.
//!
//! In the result, a key in brackets is the identity of a list's entry: `containers` `[loki]` `image`.

use crate::bodies::bodies;
use crate::flags::{flags, plain};
use crate::object::{group, holds_files, items, kind, name, namespace, pod_template, text};
use crate::permissions::{permissions, subjects};
use crate::set::{Set, container_port};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use vigil_diff::is_default;
use vigil_forms::image::Image;
use vigil_forms::quantity;

/// Labels that something reads, by their beginning; all others only say where an object comes from. What selectors
/// read is compared by what they select.
const READ_LABELS: [&str; 3] = ["grafana_", "pod-security.kubernetes.io/", "rbac.authorization.k8s.io/aggregate-to-"];

/// Annotations that only installers and rollouts read, by their beginning.
const NOISE: [&str; 6] =
    ["argocd.argoproj.io/", "checksum", "helm.sh/", "kubectl.kubernetes.io/last-applied", "meta.helm.sh/", "vigil"];

/// Lists whose order means nothing.
#[rustfmt::skip]
const SETS: &[&str] = &[
    "accessModes", "add", "admissionReviewVersions", "apiGroups", "apiVersions", "drop", "finalizers", "imagePullSecrets",
    "job", "matchNames", "operations", "policyTypes", "resources", "selects", "supplementalGroups", "tolerations", "values",
];

/// Empty mappings that say something: all rather than none.
fn speaks_when_empty(key: &str) -> bool {
    key == "emptyDir" || key == "podSelector" || (key.ends_with("Selector") && key != "nodeSelector")
}

/// The functional part of an object.
pub(crate) fn normal(set: &Set, object: &Value) -> Map<String, Value> {
    let mut object = object.clone();
    resolve(set, &mut object);
    let (kind, group) = (kind(&object).to_owned(), group(&object).to_owned());
    let mut out = Map::new();
    let tidy = Tidy { kind: &kind, group: &group };
    for (key, value) in object.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status") {
            tidy.entry("", key, value, &mut out);
        }
    }
    if holds_files(&object) {
        // Bodies are no part of the API: nothing is filled in there.
        out.retain(|key, _| !matches!(key.as_str(), "data" | "stringData" | "binaryData"));
        let bodies = bodies(&object);
        let bodies: Map<String, Value> =
            bodies.into_iter().map(|(name, body)| (name, plain_body(&body).unwrap_or(body))).collect();
        if !bodies.is_empty() {
            out.insert("data".to_owned(), bodies.into());
        }
    }
    let metadata = read_metadata(&object["metadata"]);
    if !metadata.is_empty() {
        out.insert("metadata".to_owned(), metadata.into());
    }
    out
}

/// Labels and annotations that something reads.
fn read_metadata(metadata: &Value) -> Map<String, Value> {
    let starts = |list: &[&str], key: &str| list.iter().any(|start| key.starts_with(start));
    let chosen = |part: &str, choose: &dyn Fn(&str) -> bool| {
        let entries = metadata[part].as_object().into_iter().flatten().filter(|(key, _)| choose(key));
        entries.map(|(key, value)| (format!("[{key}]"), value.clone())).collect::<Map<_, _>>()
    };
    let labels = chosen("labels", &|key| starts(&READ_LABELS, key));
    let annotations = chosen("annotations", &|key| !starts(&NOISE, key));
    [("labels", labels), ("annotations", annotations)]
        .into_iter()
        .filter(|(_, entries)| !entries.is_empty())
        .map(|(part, entries)| (part.to_owned(), entries.into()))
        .collect()
}

/// A parsed body without what is null or empty, its lists of named entries keyed by the names.
fn plain_body(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(entries) => {
            let rest: Map<_, _> =
                entries.iter().filter_map(|(key, value)| Some((key.clone(), plain_body(value)?))).collect();
            (!rest.is_empty()).then(|| rest.into())
        }
        Value::Array(entries) if entries.is_empty() => None,
        Value::Array(entries) => {
            let entries: Vec<Value> = entries
                .iter()
                .map(|entry| match entry {
                    // An entry that says nothing but its key still says that: `- cri: {}`.
                    Value::Object(keys) if keys.len() == 1 => keys
                        .iter()
                        .map(|(key, value)| (key.clone(), plain_body(value).unwrap_or_else(|| json!({}))))
                        .collect::<Map<_, _>>()
                        .into(),
                    Value::Object(_) => plain_body(entry).unwrap_or_else(|| json!({})),
                    other => other.clone(),
                })
                .collect();
            Some(keyed(&entries, "name").or_else(|| keyed(&entries, "job_name")).unwrap_or_else(|| entries.into()))
        }
        scalar => Some(scalar.clone()),
    }
}

/// A list as a mapping by what its entries have under `key`; none unless every entry has a text of its own there.
fn keyed(entries: &[Value], key: &str) -> Option<Value> {
    let mut map = Map::new();
    for entry in entries {
        let mut keys = entry.as_object()?.clone();
        let name = keys.remove(key)?;
        if map.insert(format!("[{}]", name.as_str()?), keys.into()).is_some() {
            return None;
        }
    }
    Some(map.into())
}

struct Tidy<'a> {
    kind: &'a str,
    group: &'a str,
}

impl Tidy<'_> {
    /// Puts one entry of the mapping `parent` into `out`, unless it says nothing.
    fn entry(&self, parent: &str, key: &str, value: &Value, out: &mut Map<String, Value>) {
        // A definition's prose takes most of its room, and no program reads it.
        let prose = self.kind == "CustomResourceDefinition" && key == "description" && value.is_string();
        if prose || is_default(self.kind, self.group, parent, key, value) {
            return;
        }
        let value = match value {
            Value::Null => return,
            Value::Object(entries) => {
                let rest = self.mapping(key, entries);
                if rest.is_empty() && !(entries.is_empty() && speaks_when_empty(key)) {
                    return;
                }
                rest.into()
            }
            Value::Array(entries) if entries.is_empty() => return,
            Value::Array(entries) => self.list(key, entries),
            // A digest beside a tag names the same program.
            Value::String(text) if key == "image" => {
                let image = Image::split(text);
                Image { digest: image.digest.filter(|_| image.tag.is_none()), ..image }.to_string().into()
            }
            other if matches!(parent, "limits" | "requests") => {
                let text = plain(other);
                quantity::nanos(&text).map_or(text, quantity::spelled).into()
            }
            other => other.clone(),
        };
        out.insert(key.to_owned(), value);
    }

    fn mapping(&self, parent: &str, entries: &Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, value) in entries {
            self.entry(parent, key, value, &mut out);
        }
        out
    }

    fn list(&self, key: &str, entries: &[Value]) -> Value {
        match key {
            "args" => return flags(entries).into(),
            "rules" if self.kind.ends_with("Role") => return permissions(entries).into(),
            _ => {}
        }
        // Identities are taken from what stands there: what is default identifies too.
        let identity = |entry: &Value| identity(key, entry);
        let tidied: Vec<Value> = entries
            .iter()
            .map(|entry| match entry {
                Value::Object(keys) => self.mapping(key, keys).into(),
                Value::Array(inner) => self.list("", inner),
                Value::String(text) if text.is_empty() => Value::from(""),
                other => other.clone(),
            })
            .collect();
        let identities: Option<Vec<_>> = entries.iter().map(identity).collect();
        if let Some(identities) = identities
            && identities.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() == entries.len()
        {
            let mut map = Map::new();
            for ((name, used), mut entry) in identities.into_iter().zip(tidied) {
                if let Some(keys) = entry.as_object_mut() {
                    keys.retain(|key, _| !used.contains(&key.as_str()));
                }
                map.insert(format!("[{name}]"), entry);
            }
            return map.into();
        }
        if SETS.contains(&key) {
            let mut sorted = tidied;
            sorted.sort_by_key(plain);
            sorted.dedup();
            return sorted.into();
        }
        tidied.into()
    }
}

/// What identifies an entry of the list under `key`, if anything does, and the keys that say nothing more then.
fn identity(key: &str, entry: &Value) -> Option<(String, &'static [&'static str])> {
    let part = |pointer: &str| entry.pointer(pointer).map(plain).filter(|text| !text.is_empty());
    let keys = entry.as_object()?;
    Some(match key {
        "ports" if keys.contains_key("containerPort") || keys.contains_key("port") => {
            let number = part("/containerPort").or_else(|| part("/port"))?;
            let protocol = part("/protocol").unwrap_or_else(|| "TCP".to_owned());
            (format!("{number}/{protocol}"), &["containerPort", "port", "protocol"])
        }
        "volumeMounts" => {
            let inside = part("/subPath").map(|path| format!(":{path}")).unwrap_or_default();
            (part("/mountPath")? + &inside, &["mountPath", "subPath"])
        }
        "volumeDevices" => (part("/devicePath")?, &["devicePath"]),
        "items" => (part("/key")?, &["key"]),
        "endpoints" => {
            let scraped = part("/port").or_else(|| part("/targetPort"))?;
            match part("/path") {
                Some(path) if path != "/metrics" => (format!("{scraped} {path}"), &["port", "path"]),
                _ => (scraped, &["port"]),
            }
        }
        "tolerations" => {
            let operator = part("/operator").unwrap_or_else(|| "Equal".to_owned());
            let value = part("/value").map(|value| format!("={value}")).unwrap_or_default();
            let effect = part("/effect").map(|effect| format!(":{effect}")).unwrap_or_default();
            let taint = part("/key").unwrap_or_else(|| "*".to_owned());
            (format!("{taint}{value}{effect} {operator}"), &["key", "operator", "value", "effect"])
        }
        "paths" => (part("/path")?, &["path"]),
        "rules" if keys.contains_key("http") => (part("/host").unwrap_or_else(|| "*".to_owned()), &["host"]),
        "topologySpreadConstraints" => (part("/topologyKey")?, &["topologyKey"]),
        "volumeClaimTemplates" => (part("/metadata/name")?, &[]),
        _ => (keys.get("name")?.as_str()?.to_owned(), &["name"]),
    })
}

/// Puts what names and selectors stand for in their places.
fn resolve(set: &Set, object: &mut Value) {
    let whole = object.clone();
    let own_namespace = namespace(&whole).to_owned();
    if let Some(pod) = pod_template(kind(&whole)) {
        resolve_pod(set, &whole, object.pointer_mut(pod).unwrap_or(&mut Value::Null));
        // A workload that selects its own pods, as all must.
        if let Some(spec) = object["spec"].as_object_mut() {
            spec.remove("selector");
        }
    }
    match kind(&whole) {
        "Service" => resolve_service(set, &whole, object),
        "ServiceMonitor" => resolve_monitor(set, &whole, object),
        "RoleBinding" | "ClusterRoleBinding" => {
            object["subjects"] = subjects(items(&whole, "/subjects"), &own_namespace).into();
        }
        "Ingress" => resolve_ingress(set, &whole, object),
        "Deployment" => drop_default_update(&mut object["spec"], "strategy"),
        "DaemonSet" | "StatefulSet" => {
            drop_default_update(&mut object["spec"], "updateStrategy");
            for claim in mappings(object["spec"].get_mut("volumeClaimTemplates")) {
                // What the API server fills in.
                for key in ["apiVersion", "kind", "status"] {
                    claim[key] = Value::Null;
                }
            }
        }
        "PodDisruptionBudget" => {
            resolve_selectors(set, &own_namespace, &mut object["spec"]);
        }
        _ => {}
    }
    if let Some(affinity) = object.pointer_mut("/spec/affinity") {
        resolve_selectors(set, &own_namespace, affinity);
        drop_idle_affinity(&set.called(&whole), &whole["spec"], affinity);
    }
}

/// The mappings of a list; a file may hold anything in their places.
fn mappings(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter(|entry| entry.is_object())
}

/// An update strategy that only says what would be done anyway is none.
fn drop_default_update(spec: &mut Value, key: &str) {
    if let Some(strategy) = spec.get_mut(key)
        && strategy["rollingUpdate"].is_null()
        && strategy["type"] == "RollingUpdate"
    {
        *strategy = Value::Null;
    }
}

/// Of pods that the operator makes one by one: a wish to be away from each other says nothing while there is one.
fn drop_idle_affinity(own: &str, spec: &Value, affinity: &mut Value) {
    let one = |key: &str| spec.get(key).is_none_or(|number| number == 1);
    let wish = "/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution";
    if one("replicas")
        && one("shards")
        && let Some(terms) = affinity.pointer_mut(wish).and_then(Value::as_array_mut)
    {
        terms.retain(|term| term["podAffinityTerm"]["selects"] != json!([own]));
    }
}

fn resolve_pod(set: &Set, workload: &Value, template: &mut Value) {
    if template.get("metadata").is_some() && kind(workload) != "Pod" {
        template["metadata"] = read_metadata(&template["metadata"]).into();
    }
    let Some(spec) = template.get_mut("spec").filter(|spec| spec.is_object()) else { return };
    let account = text(spec, "/serviceAccountName").to_owned();
    if spec["automountServiceAccountToken"].is_null()
        && let Some(account) = set.find("ServiceAccount", namespace(workload), &account)
        && let Some(automount) = account.get("automountServiceAccountToken")
    {
        spec["automountServiceAccountToken"] = automount.clone();
    }
    if let Some(spec) = spec.as_object_mut() {
        // The old name of `serviceAccountName`.
        spec.remove("serviceAccount");
    }
    say_seccomp_once(spec);
    resolve_selectors(set, namespace(workload), spec);
    for volume in mappings(spec.get_mut("volumes")) {
        resolve_volume(set, namespace(workload), volume);
    }
    for list in ["containers", "initContainers"] {
        for container in mappings(spec.get_mut(list)) {
            let whole = container.clone();
            let image = Image::split(text(&whole, "/image"));
            if whole["imagePullPolicy"] == if image.is_pulled_always() { "Always" } else { "IfNotPresent" } {
                container["imagePullPolicy"] = Value::Null;
            }
            number_ports(&whole, container);
        }
    }
}

/// A profile that all containers state is the pod's, and one that the pod states need not be stated again.
fn say_seccomp_once(spec: &mut Value) {
    const PROFILE: &str = "/securityContext/seccompProfile";
    let containers = |spec: &Value| [items(spec, "/containers"), items(spec, "/initContainers")].concat();
    if spec.pointer(PROFILE).is_none_or(Value::is_null) {
        let stated: Vec<Value> = containers(spec).iter().filter_map(|one| one.pointer(PROFILE).cloned()).collect();
        match stated.first() {
            Some(first) if stated.len() == containers(spec).len() && stated.iter().all(|other| other == first) => {
                let mut context = spec["securityContext"].as_object().cloned().unwrap_or_default();
                context.insert("seccompProfile".to_owned(), first.clone());
                spec["securityContext"] = context.into();
            }
            _ => return,
        }
    }
    let of_the_pod = spec.pointer(PROFILE).cloned();
    for list in ["containers", "initContainers"] {
        for container in mappings(spec.get_mut(list)) {
            if container.pointer(PROFILE) == of_the_pod.as_ref()
                && let Some(context) = container["securityContext"].as_object_mut()
            {
                context.remove("seccompProfile");
            }
        }
    }
}

/// A volume of files is the `ConfigMap` or Secret that it shows, by what both sides call it.
fn resolve_volume(set: &Set, in_namespace: &str, volume: &mut Value) {
    for (part, kind, key) in [("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")] {
        let Some(found) = set.find(kind, in_namespace, volume[part][key].as_str().unwrap_or_default()) else {
            continue;
        };
        if let Some(volume) = volume.as_object_mut()
            && let Some(Value::Object(mut files)) = volume.remove(part)
        {
            files.remove(key);
            files.insert("of".to_owned(), set.called(found).into());
            volume.insert("files".to_owned(), files.into());
        }
    }
}

/// Replaces names of ports in probes and hooks by their numbers.
fn number_ports(container: &Value, value: &mut Value) {
    let Some(entries) = value.as_object_mut() else { return };
    for (key, entry) in entries {
        if matches!(key.as_str(), "httpGet" | "tcpSocket") {
            if let Some(number) = entry["port"].as_str().and_then(|name| container_port(container, name)) {
                entry["port"] = number;
            }
        } else {
            number_ports(container, entry);
        }
    }
}

/// Replaces selectors of pods (`labelSelector` of affinities and spreads, `selector` of budgets) by what they select.
fn resolve_selectors(set: &Set, in_namespace: &str, value: &mut Value) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| resolve_selectors(set, in_namespace, entry)),
        Value::Object(entries) => {
            for key in ["labelSelector", "selector"] {
                let selected = entries.get(key).map(|selector| set.selected(in_namespace, selector));
                if let Some(selected) = selected.filter(|selected| !selected.is_empty()) {
                    entries.remove(key);
                    entries.insert("selects".to_owned(), called(set, &selected));
                }
            }
            entries.values_mut().for_each(|entry| resolve_selectors(set, in_namespace, entry));
        }
        _ => {}
    }
}

/// Titles of objects, in an order that their place in the set does not decide.
fn called(set: &Set, objects: &[&Value]) -> Value {
    objects.iter().map(|object| set.called(object)).collect::<BTreeSet<_>>().into_iter().collect()
}

fn resolve_service(set: &Set, service: &Value, object: &mut Value) {
    let selected = set.selected(namespace(service), &json!({"matchLabels": service["spec"]["selector"]}));
    if !selected.is_empty()
        && let Some(spec) = object["spec"].as_object_mut()
    {
        spec.remove("selector");
        spec.insert("selects".to_owned(), called(set, &selected));
    }
    for port in mappings(object.pointer_mut("/spec/ports")) {
        if let Some(number) = text(port, "/targetPort")
            .parse::<u16>()
            .ok()
            .map(Value::from)
            .or_else(|| Set::port_number(&selected, text(port, "/targetPort")))
        {
            port["targetPort"] = number;
        }
        if port["targetPort"].is_null() {
            port["targetPort"] = port["port"].clone();
        }
    }
}

fn resolve_ingress(set: &Set, ingress: &Value, object: &mut Value) {
    let rules = mappings(object.pointer_mut("/spec/rules"));
    let paths = rules.filter_map(|rule| rule.pointer_mut("/http/paths")?.as_array_mut()).flatten();
    for service in paths.filter_map(|path| path.pointer_mut("/backend/service")) {
        let named = text(service, "/port/name");
        let Some(found) = set.find("Service", namespace(ingress), text(service, "/name")) else { continue };
        if let Some(port) = items(found, "/spec/ports").iter().find(|port| !named.is_empty() && port["name"] == named) {
            service["port"] = json!({"number": port["port"]});
        }
    }
}

/// Titles of the workloads that a Service selects; of a Service for pods of the cluster's own, its title.
fn behind(set: &Set, service: &Value) -> Vec<String> {
    let selected = set.selected(namespace(service), &json!({"matchLabels": service["spec"]["selector"]}));
    if selected.is_empty() { vec![set.called(service)] } else { selected.iter().map(|pods| set.called(pods)).collect() }
}

/// Where the requests to a Service's port end: whether one Service has two ports or two Services have one each, the same
/// is reached.
fn targets(set: &Set, service: &Value, port: &Value) -> Vec<String> {
    let selected = set.selected(namespace(service), &json!({"matchLabels": service["spec"]["selector"]}));
    let target = if port["targetPort"].is_null() { &port["port"] } else { &port["targetPort"] };
    let number = Set::port_number(&selected, &plain(target));
    let at = if selected.is_empty() { plain(&port["port"]) } else { plain(number.as_ref().unwrap_or(target)) };
    behind(set, service).into_iter().map(|title| format!("{title}:{at}")).collect()
}

/// What is scraped, and the `job` it gets, instead of the labels that the Services are found by.
fn resolve_monitor(set: &Set, monitor: &Value, object: &mut Value) {
    let services = set.services(monitor);
    if services.is_empty() {
        return;
    }
    let spec = &mut object["spec"];
    let job_label = text(monitor, "/spec/jobLabel");
    let job = |service: &&Value| {
        let label = service["metadata"]["labels"][job_label].as_str();
        Value::from(label.filter(|_| !job_label.is_empty()).unwrap_or_else(|| name(service)))
    };
    spec["job"] = services.iter().map(job).collect();
    spec["selects"] =
        services.iter().flat_map(|service| behind(set, service)).collect::<BTreeSet<_>>().into_iter().collect();
    for endpoint in mappings(spec.get_mut("endpoints")) {
        let named = text(endpoint, "/port").to_owned();
        let mut scraped: BTreeMap<String, usize> = BTreeMap::new();
        for service in &services {
            for port in items(service, "/spec/ports").iter().filter(|port| port["name"] == named) {
                for target in targets(set, service, port) {
                    *scraped.entry(target).or_default() += 1;
                }
            }
        }
        // Through two Services the same port would be scraped twice.
        let told = |(target, times): (String, usize)| if times > 1 { format!("{target} ×{times}") } else { target };
        endpoint["selects"] = scraped.into_iter().map(told).collect();
    }
    if let Some(spec) = spec.as_object_mut() {
        for key in ["jobLabel", "selector", "namespaceSelector"] {
            spec.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(objects: &[Value]) -> Value {
        let set = Set::new(objects);
        normal(&set, &set.objects[0]).into()
    }

    fn same(a: Value, b: Value) {
        assert_eq!(of(&[a]), of(&[b]));
    }

    fn deployment(container: &Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "x"}, "spec": {
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}}})
    }

    #[test]
    fn where_an_object_comes_from_is_noise() {
        same(
            json!({"kind": "Service", "metadata": {
                "labels": {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "x-1"},
                "annotations": {"meta.helm.sh/release-name": "x", "checksum/config": "1", "helm.sh/hook": "pre-install"}}}),
            json!({"kind": "Service", "metadata": {"labels": {"app.kubernetes.io/managed-by": "vigil"}}}),
        );
        let read = json!({"kind": "ConfigMap", "metadata": {"labels": {"grafana_dashboard": "1", "app": "x"},
            "annotations": {"nginx.ingress.kubernetes.io/rewrite-target": "/"}}});
        assert_eq!(
            of(&[read]),
            json!({"metadata": {"labels": {"[grafana_dashboard]": "1"},
                "annotations": {"[nginx.ingress.kubernetes.io/rewrite-target]": "/"}}})
        );
    }

    #[test]
    fn containers_as_the_server_completes_them() {
        same(
            deployment(&json!({"name": "web", "image": "nginx:1", "args": ["--b", "--a=1"], "env": [],
                "ports": [{"name": "http", "containerPort": 80}], "livenessProbe": {"httpGet": {"port": "http"}},
                "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}, "securityContext": {"capabilities": {"drop": ["B", "A"]}}})),
            deployment(&json!({"image": "docker.io/library/nginx:1", "name": "web", "args": ["--a=1", "--b=true"],
                "imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log",
                "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}],
                "livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "periodSeconds": 10},
                "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {}},
                "securityContext": {"capabilities": {"drop": ["A", "B"]}}, "volumeMounts": null})),
        );
    }

    #[test]
    fn strategies_and_specs_as_the_server_completes_them() {
        let daemon = |spec: Value| json!({"kind": "DaemonSet", "metadata": {"name": "d"}, "spec": spec});
        same(
            daemon(json!({"updateStrategy": {}, "selector": {"matchLabels": {"a": "b"}}})),
            daemon(json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}})),
        );
        same(
            daemon(
                json!({"template": {"spec": {"hostNetwork": false, "restartPolicy": "Always", "nodeSelector": {}}}}),
            ),
            daemon(json!({"template": {"spec": {}}})),
        );
        let recreate = json!({"kind": "Deployment", "metadata": {}, "spec": {"strategy": {"type": "Recreate"}}});
        assert_eq!(of(&[recreate]), json!({"spec": {"strategy": {"type": "Recreate"}}}));
    }

    #[test]
    fn empty_selectors_say_something() {
        let of = |spec: Value| of(&[json!({"kind": "Prometheus", "metadata": {}, "spec": spec})]);
        assert_ne!(of(json!({"ruleSelector": {}})), of(json!({})));
        assert_eq!(of(json!({"nodeSelector": {}})), of(json!({})));
    }

    #[test]
    fn a_service_is_what_it_selects() {
        let service = |selector: Value, port: Value| {
            json!({"kind": "Service", "metadata": {"name": "s", "namespace": "x"}, "spec": {
                "selector": selector, "ports": [{"port": 80, "targetPort": port}]}})
        };
        let pods = |labels: Value| {
            let mut pods = deployment(&json!({"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}));
            pods["spec"]["template"]["metadata"]["labels"] = labels;
            pods
        };
        let ours = of(&[service(json!({"a": "1"}), json!("http")), pods(json!({"a": "1", "b": "2"}))]);
        let upstream = of(&[service(json!({"c": "3"}), json!(8080)), pods(json!({"c": "3"}))]);
        assert_eq!(ours, upstream);
        assert_eq!(
            ours,
            json!({"spec": {"selects": ["Deployment x/web"], "ports": {"[80/TCP]": {"targetPort": 8080}}}})
        );
        let foreign = of(&[service(json!({"k8s-app": "kube-dns"}), json!("dns"))]);
        assert_eq!(foreign["spec"]["selector"], json!({"k8s-app": "kube-dns"}), "pods of the cluster's own");
    }

    #[test]
    fn a_monitor_is_what_it_scrapes() {
        let of = |label: &str, spec: Value| {
            let service = json!({"kind": "Service", "metadata": {"name": "web", "namespace": "x", "labels": {label: "web"}},
                "spec": {"ports": [{"name": "http", "port": 80}]}});
            of(&[json!({"kind": "ServiceMonitor", "metadata": {"namespace": "x"}, "spec": spec}), service])
        };
        let ours = of("a", json!({"selector": {"matchLabels": {"a": "web"}}, "endpoints": [{"port": "http"}]}));
        let upstream = of(
            "b",
            json!({"selector": {"matchLabels": {"b": "web"}}, "namespaceSelector": {"matchNames": ["x"]},
            "jobLabel": "b", "endpoints": [{"port": "http", "path": "/metrics", "scheme": "http"}]}),
        );
        assert_eq!(ours, upstream);
        assert_eq!(
            ours["spec"],
            json!({"job": ["web"], "selects": ["Service x/web"], "endpoints": {"[http]": {"selects": ["Service x/web:80"]}}})
        );
    }

    #[test]
    fn what_is_scraped_is_the_pods_behind_the_services() {
        let pods = |labels: Value| {
            let mut pods = deployment(&json!({"name": "web", "ports": [
                {"name": "http", "containerPort": 80}, {"name": "side", "containerPort": 81}]}));
            pods["spec"]["template"]["metadata"]["labels"] = labels;
            pods
        };
        let service = |name: &str, ports: Value| {
            json!({"kind": "Service", "metadata": {"name": name, "namespace": "x", "labels": {"a": "web", "job": "web"}},
                "spec": {"selector": {"app": "web"}, "ports": ports}})
        };
        let of = |services: &[Value]| {
            let monitor = json!({"kind": "ServiceMonitor", "metadata": {"namespace": "x"}, "spec": {"jobLabel": "job",
                "selector": {"matchLabels": {"a": "web"}}, "endpoints": [{"port": "http"}, {"port": "side"}]}});
            of(&[&[monitor, pods(json!({"app": "web"}))], services].concat())
        };
        let http = json!({"name": "http", "port": 80, "targetPort": "http"});
        let side = json!({"name": "side", "port": 9, "targetPort": 81});
        let together = of(&[service("one", json!([http, side]))]);
        assert_eq!(together, of(&[service("one", json!([http])), service("two", json!([side]))]));
        assert_eq!(together["spec"]["endpoints"]["[side]"]["selects"], json!(["Deployment x/web:81"]));
        let twice = of(&[service("one", json!([http, side])), service("two", json!([side]))]);
        assert_eq!(twice["spec"]["endpoints"]["[side]"]["selects"], json!(["Deployment x/web:81 ×2"]));
    }

    #[test]
    fn a_claim_is_what_it_asks_for() {
        let of = |claim: Value| json!({"kind": "StatefulSet", "spec": {"volumeClaimTemplates": [claim]}});
        let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}});
        let mut whole = claim.clone();
        whole["apiVersion"] = "v1".into();
        whole["kind"] = "PersistentVolumeClaim".into();
        whole["status"] = json!({"phase": "Pending"});
        same(of(claim), of(whole));
    }

    #[test]
    fn a_profile_of_all_containers_is_the_pods() {
        let of = |pod: Value, containers: [Value; 2]| {
            let mut pods = deployment(&json!({"name": "web", "securityContext": containers[0]}));
            let spec = &mut pods["spec"]["template"]["spec"];
            spec["initContainers"] = json!([{"name": "init", "securityContext": containers[1]}]);
            spec["securityContext"] = pod;
            of(&[pods])
        };
        let (none, profile) = (|| json!({}), || json!({"seccompProfile": {"type": "RuntimeDefault"}}));
        assert_eq!(of(profile(), [none(), none()]), of(none(), [profile(), profile()]));
        assert_eq!(of(profile(), [none(), none()]), of(profile(), [profile(), none()]));
        assert_ne!(of(profile(), [none(), none()]), of(none(), [profile(), none()]));
        let other = json!({"seccompProfile": {"type": "Unconfined"}});
        assert_ne!(of(profile(), [none(), none()]), of(profile(), [other, none()]));
    }

    #[test]
    fn one_pod_has_nobody_to_stay_away_from() {
        let of = |replicas: u8, other: &str| {
            let term = json!({"weight": 100, "podAffinityTerm": {"topologyKey": "host",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": other}}}});
            of(&[
                json!({"kind": "Prometheus", "metadata": {"name": "p", "namespace": "x"}, "spec": {"replicas": replicas,
                "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}}}),
            ])
        };
        assert!(of(1, "prometheus")["spec"]["affinity"].is_null());
        assert!(!of(2, "prometheus")["spec"]["affinity"].is_null());
        assert!(!of(1, "stranger")["spec"]["affinity"].is_null());
    }

    #[test]
    fn a_pod_takes_the_token_that_its_account_gives() {
        let account = json!({"kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "x"},
            "automountServiceAccountToken": false});
        let mut pods = deployment(&json!({"name": "web"}));
        pods["spec"]["template"]["spec"]["serviceAccountName"] = json!("a");
        let mut says = pods.clone();
        says["spec"]["template"]["spec"]["automountServiceAccountToken"] = json!(false);
        assert_eq!(of(&[pods, account.clone()]), of(&[says, account]));
    }

    #[test]
    fn a_volume_of_files_is_the_object_it_shows() {
        let of = |volume: Value, kind: &str| {
            let mut pods = deployment(&json!({"name": "web"}));
            pods["spec"]["template"]["spec"]["volumes"] = json!([volume]);
            let mut set = Set::new(&[pods, json!({"kind": kind, "metadata": {"name": "web", "namespace": "x"}})]);
            set.aliases.insert("Secret x/web".to_owned(), "ConfigMap x/web".to_owned());
            normal(&set, &set.objects[0])
        };
        assert_eq!(
            of(json!({"name": "v", "secret": {"secretName": "web", "defaultMode": 420}}), "Secret"),
            of(json!({"name": "v", "configMap": {"name": "web"}}), "ConfigMap")
        );
        assert_ne!(
            of(json!({"name": "v", "configMap": {"name": "other"}}), "ConfigMap"),
            of(json!({"name": "v", "configMap": {"name": "web"}}), "ConfigMap")
        );
    }

    #[test]
    fn bodies_keep_what_says_something() {
        let body = |text: &str| json!({"kind": "ConfigMap", "metadata": {}, "data": {"a.yaml": text}});
        same(
            body("stages:\n- cri: {}\nempty: {}\nnone:\nnames: [{name: a, x: 1}, {name: b}]"),
            body("names: [{name: b}, {name: a, x: 1, y: }]\nstages: [{cri: {}}]").clone(),
        );
    }
}
