//! Environment variables, and the fields of a pod that can be read from inside.

use super::super::judge::{Judge, QUALIFIED};
use super::pod::Pod;
use crate::fields::{amount, filled, given, items};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::{name, quantity};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    ENV "container-env" Error Server "every environment variable has a valid name and one source"
    ENV_TWICE "container-env-duplicate" Warning Server "no environment variable is set twice in a container"
    DOWNWARD "downward-api" Error Server "the downward API is asked only for fields that it offers"
}

/// Where a value may come from.
const SOURCES: [&str; 5] = ["configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"];

/// Fields of a pod that environment variables can hold.
const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of a pod that files can hold.
const FILE_FIELDS: &[&str] =
    &["metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid"];

/// Resources that a container can be told of.
const RESOURCES: &[&str] = &["cpu", "memory", "ephemeral-storage"];

/// Names of variables: before 1.32 an API server takes what a shell may be given, and no more.
fn strict_names(judge: &mut Judge<'_, '_>, container: &Node) {
    let names = items(container, "env").iter().map(|variable| ("name", variable));
    for (key, holder) in names.chain(items(container, "envFrom").iter().map(|source| ("prefix", source))) {
        if let Some((node, name)) = filled(holder, key)
            && name::is_env_name(name)
            && !name::is_strict_env_name(name)
        {
            judge
                .add(&ENV, node, format!("{} is no name for an environment variable", Quoted(name)))
                .label("expected letters, digits, `_`, `-` and `.`, no digit first")
                .help("only Kubernetes 1.32 and newer take any printable ASCII");
        }
    }
}

/// Variables from a file of a volume, which the pod must have.
fn files(judge: &mut Judge<'_, '_>, pod: &Pod<'_>, container: &Node) {
    for file in items(container, "env").iter().filter_map(|variable| variable.at(&["valueFrom", "fileKeyRef"])) {
        if let Some((node, name)) = filled(file, "volumeName")
            && !pod.volumes.iter().any(|(volume, _)| *volume == name)
        {
            judge.add(&ENV, node, format!("the pod has no volume {}", Quoted(name))).help("add it under `volumes:`");
        }
    }
}

pub(super) fn check(judge: &mut Judge<'_, '_>, pod: &Pod<'_>, container: &Node) {
    files(judge, pod, container);
    if !judge.since(32) {
        strict_names(judge, container);
    }
    let mut seen = HashSet::new();
    for variable in items(container, "env") {
        let Some(node) = variable.get("name") else { continue };
        let Some(name) = node.text() else { continue };
        let from = given(variable, "valueFrom");
        // One that is made from an earlier one of its name is meant so.
        let extends = || {
            let itself = format!("$({name})");
            filled(variable, "value").is_some_and(|(_, value)| value.contains(&itself))
        };
        if !name::is_env_name(name) {
            judge
                .add(&ENV, node, format!("{} is no name for an environment variable", Quoted(name)))
                .label("expected printable ASCII without `=`");
        } else if !seen.insert(name) && !extends() {
            judge
                .add(&ENV_TWICE, node, format!("the variable {} is set above already", Quoted(name)))
                .help("the last one counts; keep that one only");
        }
        if let Some(from) = from {
            source(judge, variable, from);
        }
    }
    for source in items(container, "envFrom") {
        let sources = ["configMapRef", "secretRef"];
        let found = sources.into_iter().filter(|key| given(source, key).is_some()).count();
        if found != 1 {
            judge
                .add(
                    &ENV,
                    source,
                    format!("variables from {} at once", if found == 0 { "nothing" } else { "two sources" }),
                )
                .label("expected `configMapRef` or `secretRef`");
        }
        for reference in sources.into_iter().filter_map(|key| given(source, key)) {
            judge.required(&ENV, reference, "name");
            judge.dns_subdomain(&ENV, reference, "name");
        }
        if let Some((node, prefix)) = filled(source, "prefix").filter(|(_, prefix)| !name::is_env_name(prefix)) {
            judge
                .add(&ENV, node, format!("{} begins no name of an environment variable", Quoted(prefix)))
                .label("expected printable ASCII without `=`");
        }
    }
}

fn source(judge: &mut Judge<'_, '_>, variable: &Node, from: &Node) {
    let found: Vec<&str> = SOURCES.into_iter().filter(|key| given(from, key).is_some()).collect();
    match (found.as_slice(), filled(variable, "value")) {
        ([], _) => {
            // Something else stands there: the schema speaks of it.
            if from.entries().iter().all(|entry| entry.value.is_null()) {
                judge
                    .add(&ENV, from, "`valueFrom` without a source")
                    .label(format!("expected {}", list(&SOURCES, "or")));
            }
        }
        (_, Some((node, _))) => {
            judge.add(&ENV, node, "a variable with both `value` and `valueFrom`").help("keep one of the two");
        }
        ([_], None) => {}
        (found, None) => {
            judge.add(&ENV, from, format!("a value from {} at once", list(found, "and"))).label("expected one of them");
        }
    }
    for reference in ["configMapKeyRef", "secretKeyRef"].into_iter().filter_map(|key| given(from, key)) {
        judge.required(&ENV, reference, "name");
        judge.dns_subdomain(&ENV, reference, "name");
        if let Some(node) = reference.get("key")
            && let Some(key) = node.text().filter(|key| !name::is_config_key(key))
        {
            judge
                .add(&ENV, node, format!("{} can be no key of a ConfigMap or Secret", Quoted(key)))
                .label("expected letters, digits, `-`, `_` and `.`");
        }
    }
    if let Some(field) = given(from, "fieldRef") {
        field_of_pod(judge, field, FIELDS);
    }
    if let Some(resource) = given(from, "resourceFieldRef") {
        resource_of_container(judge, resource);
    }
}

/// A file of a volume that tells of the pod.
pub(super) fn file(judge: &mut Judge<'_, '_>, file: &Node) {
    match (given(file, "fieldRef"), given(file, "resourceFieldRef")) {
        (Some(_), Some(_)) => {
            judge
                .add(&DOWNWARD, file, "a file with both `fieldRef` and `resourceFieldRef`")
                .help("keep one of the two");
        }
        (None, None) => {
            judge.add(&DOWNWARD, file, "a file of nothing").label("expected `fieldRef` or `resourceFieldRef`");
        }
        (Some(field), None) => field_of_pod(judge, field, FILE_FIELDS),
        (None, Some(resource)) => {
            judge.required(&DOWNWARD, resource, "containerName");
            resource_of_container(judge, resource);
        }
    }
}

fn field_of_pod(judge: &mut Judge<'_, '_>, field: &Node, known: &[&str]) {
    if let Some((node, version)) = filled(field, "apiVersion").filter(|(_, version)| *version != "v1") {
        judge.add(&DOWNWARD, node, format!("{} is no version of pods", Quoted(version))).label("expected `v1`");
    }
    let Some(node) = field.get("fieldPath") else { return };
    let Some(path) = node.text() else { return };
    let inside = path.strip_suffix("']").and_then(|path| path.split_once("['"));
    if let Some((of, key)) = inside.filter(|(of, _)| !of.is_empty()) {
        let lower = if of == "metadata.annotations" { key.to_ascii_lowercase() } else { key.to_owned() };
        if !matches!(of, "metadata.annotations" | "metadata.labels") {
            judge
                .add(&DOWNWARD, node, format!("{} has no keys that could be asked for", Quoted(of)))
                .label("expected `metadata.annotations['key']` or `metadata.labels['key']`");
        } else if !name::is_qualified_name(&lower) {
            judge.add(&DOWNWARD, node, format!("{} can be no key there", Quoted(key))).label(QUALIFIED);
        }
    } else if !known.contains(&path) && path != "spec.host" {
        let finding = judge.add(&DOWNWARD, node, format!("{} is not a field of the downward API here", Quoted(path)));
        finding.label(format!("expected {}, or a key such as `metadata.labels['app']`", list(known, "or")));
        if let Some(name) = nearest(path, known.iter().copied()) {
            finding.help(format!("write `{name}`"));
        }
    }
}

fn resource_of_container(judge: &mut Judge<'_, '_>, reference: &Node) {
    let Some(node) = reference.get("resource") else { return };
    let Some(text) = node.text() else { return };
    let known = text.strip_prefix("limits.").or_else(|| text.strip_prefix("requests."));
    let Some(known) = known.filter(|name| RESOURCES.contains(name) || name.starts_with("hugepages-")) else {
        judge
            .add(&DOWNWARD, node, format!("{} is not a resource of the downward API", Quoted(text)))
            .label("expected `limits.` or `requests.` with `cpu`, `memory`, `ephemeral-storage` or `hugepages-…`");
        return;
    };
    let Some(divisor) = given(reference, "divisor") else { return };
    let Some(value) = amount(divisor).filter(|value| *value != 0) else { return };
    let units: &[&str] = if known == "cpu" {
        &["1m", "1"]
    } else {
        &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"]
    };
    if !units.iter().any(|unit| quantity::nanos(unit) == Some(value)) {
        judge
            .add(&DOWNWARD, divisor, format!("{} cannot be told in such parts", Quoted(text)))
            .label(format!("expected {}", list(units, "or")));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::container;
    use super::{DOWNWARD, ENV, ENV_TWICE};

    #[test]
    fn variables() {
        container("env: [{name: A}, {name: a.b-c, value: ''}, {name: 1, value: x}]", &ENV, 0);
        container("env: [{name: ''}, {name: A=B}, {name: ä}]", &ENV, 3);
        container("env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", &ENV, 1);
        container("env: [{name: A, value: '', valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", &ENV, 0);
        container("env: [{name: A, valueFrom: {}}]", &ENV, 1);
        container("env: [{name: A, valueFrom: null}]", &ENV, 0);
        container(
            "env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: b}, configMapKeyRef: {name: a, key: b}}}]",
            &ENV,
            1,
        );
        container("env: [{name: A, valueFrom: {secretKeyRef: {name: a_b, key: ..}}}]", &ENV, 2);
        container("env: [{name: A, valueFrom: {secretKeyRef: {key: b}}}]", &ENV, 1);
        container("envFrom: [{configMapRef: {name: a}}, {secretRef: {name: a}, prefix: A_}]", &ENV, 0);
        container("envFrom: [{}, {secretRef: {name: a}, configMapRef: {name: a}}, {secretRef: {}}]", &ENV, 3);
    }

    #[test]
    fn twice() {
        container("env: [{name: A, value: x}, {name: A, value: y}]", &ENV_TWICE, 1);
        container("env: [{name: A, value: x}, {name: A, value: $(A):y}, {name: a}]", &ENV_TWICE, 0);
    }

    #[test]
    fn what_a_pod_can_tell() {
        for path in ["status.podIP", "metadata.labels['a/b']", "metadata.annotations['A.B/c']", "spec.host"] {
            container(&format!("env: [{{name: A, valueFrom: {{fieldRef: {{fieldPath: \"{path}\"}}}}}}]"), &DOWNWARD, 0);
        }
        for path in
            ["status.podIp", "metadata.labels", "spec.nodeName['a']", "metadata.labels['']", "spec.restartPolicy"]
        {
            container(&format!("env: [{{name: A, valueFrom: {{fieldRef: {{fieldPath: \"{path}\"}}}}}}]"), &DOWNWARD, 1);
        }
        for (resource, times) in [
            ("resource: limits.cpu, divisor: 1m", 0),
            ("resource: limits.cpu, divisor: 1k", 1),
            ("resource: limits.memory, divisor: 1Mi", 0),
            ("resource: limits.memory, divisor: 0", 0),
            ("resource: requests.hugepages-2Mi", 0),
            ("resource: cpu", 1),
        ] {
            container(
                &format!("env: [{{name: A, valueFrom: {{resourceFieldRef: {{{resource}}}}}}}]"),
                &DOWNWARD,
                times,
            );
        }
    }
}
