//! CustomResourceDefinitions: everything but their schemas, which [`super::structural`] judges.

use super::admission::called;
use super::judge::{Form, Judge, text_or_empty};
use super::structural;
use crate::fields::{filled_text, given, items};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::name::{is_dns1035_label, is_dns1123_subdomain};
use vigil_yaml::words::list;
use vigil_yaml::{Node, Quoted};

rules! {
    NAMES "crd-names" Error Server "every CustomResourceDefinition is named `<plural>.<group>`"
    VERSIONS "crd-versions" Error Server "the versions of a CustomResourceDefinition are unique, and exactly one is stored"
    CONVERSION "crd-conversion" Error Server "a conversion by webhook has a client configuration and review versions"
    COLUMN "crd-column" Error Server "`additionalPrinterColumns` and `selectableFields` have valid JSON paths"
}

const LABEL: Form = (is_dns1035_label, "a DNS label", "at most 63 of `a-z`, `0-9` and `-`, beginning with a letter");
const KIND: Form = (
    |text| is_dns1035_label(&text.to_lowercase()),
    "the name of a kind",
    "at most 63 letters and digits, a letter first",
);
const PATH: Form = (|text| text.starts_with('.'), "a path", "it to begin with `.`");

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    if !object.is("apiextensions.k8s.io", "CustomResourceDefinition") || object.version != "v1" {
        return;
    }
    let Some(spec) = object.at(&["spec"]) else { return };
    names(judge, spec);
    versions(judge, spec);
    conversion(judge, spec);
    if let Some(entry) = spec.entry("preserveUnknownFields").filter(|entry| entry.value.boolean() == Some(true)) {
        judge
            .add(&structural::SCHEMA, entry, "`preserveUnknownFields` is no longer taken")
            .help("remove it, and say `x-kubernetes-preserve-unknown-fields: true` where a schema needs it");
    }
}

fn names(judge: &mut Judge<'_, '_>, spec: &Node) {
    judge.one_of(&NAMES, spec.get("scope"), &["Namespaced", "Cluster"]);
    judge.not_empty(&NAMES, spec, "scope");
    let group = spec.get("group").and_then(filled_text);
    if let (Some(node), Some(group)) = (spec.get("group"), group)
        && (!is_dns1123_subdomain(group) || !group.contains('.'))
    {
        judge
            .add(&NAMES, node, format!("{} is not a group", Quoted(group)))
            .label("expected a domain with a dot, such as `example.com`");
    }
    if let (Some(node), Some(group)) = (spec.get("group"), group) {
        protected(judge, node, group);
    }
    let Some(names) = given(spec, "names") else { return };
    judge.form(&NAMES, names.get("plural"), LABEL);
    judge.form(&NAMES, names.get("singular"), LABEL);
    judge.form(&NAMES, names.get("kind"), KIND);
    judge.form(&NAMES, names.get("listKind"), KIND);
    for key in ["shortNames", "categories"] {
        for name in items(names, key) {
            judge.form(&NAMES, Some(name), LABEL);
        }
    }
    let of = |key: &str| names.get(key).and_then(filled_text);
    if let (Some(node), true) = (names.get("listKind"), of("kind").is_some() && of("kind") == of("listKind")) {
        judge.add(&NAMES, node, "a list called like the kind itself").help("remove it");
    }
    if let (Some(plural), Some(group)) = (of("plural"), group)
        && let Some(node) = judge.object.at(&["metadata", "name"])
        && let Some(name) = filled_text(node)
        && name != format!("{plural}.{group}")
    {
        judge
            .add(&NAMES, node, format!("{} is not the name that its plural and group make", Quoted(name)))
            .label(format!("expected `{plural}.{group}`"));
    }
}

/// Groups of Kubernetes' own want to know who agreed to a kind in them.
fn protected(judge: &mut Judge<'_, '_>, node: &Node, group: &str) {
    const ANNOTATION: &str = "api-approved.kubernetes.io";
    let is_own = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|own| group.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    let approved = judge
        .object
        .at(&["metadata", "annotations", ANNOTATION])
        .is_some_and(|node| node.text().is_none_or(|text| text.starts_with("unapproved") || text.contains("://")));
    if is_own && !approved {
        judge
            .add(&NAMES, node, format!("{} is a group of Kubernetes' own", Quoted(group)))
            .help(format!("use a domain of yours, or say in the annotation `{ANNOTATION}` where it was agreed to"));
    }
}

fn versions(judge: &mut Judge<'_, '_>, spec: &Node) {
    judge.not_empty(&VERSIONS, spec, "versions");
    let versions = items(spec, "versions");
    let mut seen = HashSet::new();
    let mut stored: Vec<&str> = Vec::new();
    for version in versions {
        judge.form(&VERSIONS, version.get("name"), LABEL);
        let name = version.get("name").and_then(Node::text).unwrap_or_default();
        if let Some(node) = version.get("name").filter(|_| !seen.insert(name)) {
            judge.add(&VERSIONS, node, format!("an earlier version is called {} too", Quoted(name)));
        }
        if version.get("storage").and_then(Node::boolean) == Some(true) {
            stored.push(name);
            if let (Some(node), 2..) = (version.entry("storage"), stored.len()) {
                judge
                    .add(&VERSIONS, node, format!("{} is stored already", list(&stored[..1], "and")))
                    .label("expected `storage: true` in one version only");
            }
        }
        if let Some(entry) = version.entry("deprecationWarning").filter(|entry| !entry.value.is_null())
            && version.get("deprecated").and_then(Node::boolean) != Some(true)
        {
            judge.add(&VERSIONS, entry, "a warning of a version that is not deprecated").help("add `deprecated: true`");
        }
        if let Some(schema) = version.at(&["schema", "openAPIV3Schema"]).filter(|schema| !schema.is_null()) {
            structural::check(judge, schema);
        } else {
            judge
                .within(&VERSIONS, version, "a version without a schema")
                .label("expected `schema.openAPIV3Schema`")
                .help("`{type: object, x-kubernetes-preserve-unknown-fields: true}` takes everything");
        }
        columns(judge, version);
    }
    if stored.is_empty() && !versions.is_empty() {
        judge.within(&VERSIONS, &versions[0], "no version is stored").label("expected `storage: true` in one of them");
    }
}

fn columns(judge: &mut Judge<'_, '_>, version: &Node) {
    const TYPES: &[&str] = &["integer", "number", "string", "boolean", "date"];
    const FORMATS: &[&str] = &["int32", "int64", "float", "double", "byte", "date", "date-time", "password"];
    for column in items(version, "additionalPrinterColumns") {
        judge.one_of(&COLUMN, column.get("type"), TYPES);
        judge.one_of(&COLUMN, column.get("format"), FORMATS);
        for key in ["name", "type", "jsonPath"] {
            judge.not_empty(&COLUMN, column, key);
        }
        judge.form(&COLUMN, column.get("jsonPath"), PATH);
    }
    let Some(scale) = version.at(&["subresources", "scale"]) else { return };
    for (key, roots) in [
        ("specReplicasPath", &[".spec."][..]),
        ("statusReplicasPath", &[".status."]),
        ("labelSelectorPath", &[".spec.", ".status."]),
    ] {
        if let Some((node, path)) = scale.get(key).and_then(|node| Some((node, filled_text(node)?)))
            && !roots.iter().any(|root| path.starts_with(root))
        {
            judge
                .add(&COLUMN, node, format!("{} is not a valid path of the `scale` subresource", Quoted(path)))
                .label(format!("expected a path that begins with {}", list(roots, "or")));
        }
    }
}

fn conversion(judge: &mut Judge<'_, '_>, spec: &Node) {
    let Some(conversion) = given(spec, "conversion") else { return };
    judge.one_of(&CONVERSION, conversion.get("strategy"), &["None", "Webhook"]);
    let webhook = given(conversion, "webhook");
    match (text_or_empty(conversion, "strategy"), webhook) {
        (Some("Webhook"), Some(webhook)) => {
            match given(webhook, "clientConfig") {
                Some(client) => called(judge, &CONVERSION, client),
                None => {
                    judge
                        .within(&CONVERSION, webhook, "a webhook without `clientConfig`")
                        .label("expected `clientConfig`");
                }
            }
            let versions = items(webhook, "conversionReviewVersions");
            for version in versions {
                judge.form(&CONVERSION, Some(version), LABEL);
            }
            if let Some(entry) = webhook.entry("conversionReviewVersions")
                && !versions.iter().any(|version| matches!(version.text(), Some("v1" | "v1beta1")))
            {
                judge
                    .add(&CONVERSION, entry, "`conversionReviewVersions` has no version that an API server sends")
                    .label("expected `v1` among them");
            }
        }
        (Some("Webhook"), None) => {
            judge
                .within(&CONVERSION, conversion, "a conversion by a webhook that is not named")
                .label("expected `webhook`");
        }
        (Some("" | "None"), Some(_)) => {
            judge.forbid(&CONVERSION, conversion, &["webhook"], "is for `strategy: Webhook`");
        }
        _ => {}
    }
}
