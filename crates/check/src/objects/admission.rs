//! What an API server asks before it takes an object, and whom: webhooks, policies, further API servers, and the levels
//! of namespaces.

use super::judge::{Form, Judge, PORTS, text_or_empty};
use super::selectors;
use crate::fields::{filled_text, given, items};
use crate::rule::{Rule, rules};
use std::collections::HashSet;
use vigil_forms::name::{is_dns1035_label, is_dns1123_label, is_dns1123_subdomain};
use vigil_forms::url::{Authority, Url};
use vigil_yaml::{Node, Quoted};

rules! {
    WEBHOOK "webhook" Error Server "every webhook has rules, side effects and one client configuration"
    WEBHOOK_NAME "webhook-name" Error Server "webhook names are fully qualified and unique"
    POLICY "admission-policy" Error Server "every ValidatingAdmissionPolicy has rules to match, and every binding `validationActions`"
    API_SERVICE "api-service" Error Server "every APIService is named `<version>.<group>`"
    LEVEL "pod-security-level" Error Server "every pod-security label has a known level and version"
    RUNTIME "runtime-class" Error Server "every RuntimeClass names a valid handler"
    LEASE "lease" Error Server "every Lease has a valid duration"
}

const LABEL: Form = (is_dns1123_label, "the name of a handler", "at most 63 of `a-z`, `0-9` and `-`");
const VERSION: Form = (is_dns1035_label, "a version", "such as `v1` or `v1beta1`");
const NAME: Form = (is_dns1123_subdomain, "the name of a policy", "`a-z`, `0-9`, `-` and `.`");
const SUBDOMAIN: Form = (is_dns1123_subdomain, "a DNS name", "`a-z`, `0-9`, `-` and `.`");

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    match (object.group, object.kind) {
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            webhooks(judge);
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy") => policy(judge),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding") => {
            policy_binding(judge);
        }
        ("apiregistration.k8s.io", "APIService") => api_service(judge),
        ("", "Namespace") => levels(judge),
        ("node.k8s.io", "RuntimeClass") => {
            judge.form(&RUNTIME, object.node.get("handler"), LABEL);
            judge.not_empty(&RUNTIME, object.node, "handler");
        }
        ("coordination.k8s.io", "Lease") => {
            judge.range(&LEASE, object.at(&["spec", "leaseDurationSeconds"]), 1..=i64::MAX);
            judge.range(&LEASE, object.at(&["spec", "leaseTransitions"]), 0..=i64::MAX);
        }
        _ => {}
    }
}

fn webhooks(judge: &mut Judge<'_, '_>) {
    let mut names = HashSet::new();
    for hook in items(judge.object.node, "webhooks") {
        if let Some((node, name)) = hook.get("name").and_then(|node| Some((node, node.text()?))) {
            if !is_dns1123_subdomain(name) || name.split('.').count() < 3 {
                judge
                    .add(&WEBHOOK_NAME, node, format!("{} is not a full name", Quoted(name)))
                    .label("expected a DNS name of three parts or more")
                    .help("such as `check.example.com`");
            } else if !names.insert(name) {
                judge
                    .add(&WEBHOOK_NAME, node, format!("an earlier webhook is called {} too", Quoted(name)))
                    .help("give each its own name");
            }
        }
        webhook(judge, hook);
    }
}

fn webhook(judge: &mut Judge<'_, '_>, hook: &Node) {
    judge.set_to_one_of(&WEBHOOK, hook.get("failurePolicy"), &["Fail", "Ignore"]);
    judge.set_to_one_of(&WEBHOOK, hook.get("matchPolicy"), &["Equivalent", "Exact"]);
    judge.set_to_one_of(&WEBHOOK, hook.get("reinvocationPolicy"), &["Never", "IfNeeded"]);
    judge.set_to_one_of(&WEBHOOK, hook.get("sideEffects"), &["None", "NoneOnDryRun"]);
    judge.range(&WEBHOOK, hook.get("timeoutSeconds"), 1..=30);
    if let Some(client) = given(hook, "clientConfig") {
        called(judge, &WEBHOOK, client);
    }
    if let Some(entry) = hook.entry("admissionReviewVersions").filter(|entry| !entry.value.is_null()) {
        let known = entry.value.items().iter().any(|version| matches!(version.text(), Some("v1" | "v1beta1")));
        if !known {
            judge
                .add(&WEBHOOK, entry, "`admissionReviewVersions` has no version that an API server sends")
                .label("expected `v1` among them");
        }
        let mut seen = HashSet::new();
        for version in entry.value.items() {
            judge.form(&WEBHOOK, Some(version), VERSION);
            if version.is_null() || version.text() == Some("") {
                judge.add(&WEBHOOK, version, "a version without a name").help("name it, or remove the item");
            }
            if version.text().is_some_and(|text| !seen.insert(text)) {
                judge.add(&WEBHOOK, version, "the same version twice").help("name each once");
            }
        }
    }
    for rule in items(hook, "rules") {
        matched(judge, &WEBHOOK, rule);
    }
    selectors_of(judge, hook);
}

/// Which namespaces and objects something is about.
fn selectors_of(judge: &mut Judge<'_, '_>, node: &Node) {
    for selector in ["namespaceSelector", "objectSelector"].into_iter().filter_map(|key| given(node, key)) {
        selectors::selector(judge, selector);
    }
}

/// Whether an API server sends requests to a URL: `ValidateWebhookURL` of k8s.io/apiserver.
fn is_callable(text: &str) -> bool {
    Url::split(text).is_some_and(|url| {
        let Authority { credentials, host, port, .. } = url.authority;
        let is_host = !host.is_empty() || port.is_some();
        let is_bare = [url.query, url.fragment].into_iter().flatten().all(str::is_empty);
        url.scheme.eq_ignore_ascii_case("https") && is_host && credentials.is_none() && is_bare
    })
}

/// Where a webhook is: at an address, or behind a Service.
pub(super) fn called(judge: &mut Judge<'_, '_>, rule: &'static Rule, client: &Node) {
    match (given(client, "url"), given(client, "service")) {
        (Some(url), None) => {
            if let Some(text) = url.text()
                && !is_callable(text)
            {
                judge
                    .add(rule, url, format!("{} cannot be called", Quoted(text)))
                    .label("expected `https://` with a host and perhaps a path, and nothing else");
            }
        }
        (None, Some(service)) => {
            judge.range(rule, service.get("port"), PORTS);
            for key in ["name", "namespace"] {
                judge.not_empty(rule, service, key);
            }
            if let Some((node, path)) = service.get("path").and_then(|node| Some((node, filled_text(node)?)))
                && !is_service_path(path)
            {
                judge
                    .add(rule, node, format!("{} is not a path", Quoted(path)))
                    .label("expected such as `/validate`, of `a-z`, `0-9`, `-`, `.` and `/`");
            }
        }
        (url, _) => {
            let message = if url.is_some() { "both `url` and `service`" } else { "neither `url` nor `service`" };
            judge.within(rule, client, message).label("expected one of the two");
        }
    }
}

fn is_service_path(path: &str) -> bool {
    path == "/"
        || path
            .strip_prefix('/')
            .is_some_and(|rest| rest.strip_suffix('/').unwrap_or(rest).split('/').all(is_dns1123_subdomain))
}

/// Which requests a rule is about.
fn matched(judge: &mut Judge<'_, '_>, rule: &'static Rule, node: &Node) {
    for key in ["operations", "apiGroups", "apiVersions", "resources"] {
        let listed = items(node, key);
        if judge.need(rule, node, key)
            && let Some(all) =
                listed.iter().find(|item| item.text() == Some("*")).filter(|_| listed.len() > 1 && key != "resources")
        {
            judge.add(rule, all, "`*` beside others, which it stands for too").help("keep `*` alone, or the others");
        }
    }
    for resource in items(node, "resources").iter().filter(|it| it.is_null() || it.text() == Some("")) {
        judge.add(rule, resource, "a resource without a name").help("name it, or remove the item");
    }
    let resources = items(node, "resources");
    let is_plain = |item: &&Node| item.text().is_some_and(|text| text != "*" && !text.contains('/'));
    if let Some(all) = resources.iter().find(|item| item.text() == Some("*"))
        && resources.iter().any(|item| is_plain(&item))
    {
        judge.add(rule, all, "`*` beside others, which it stands for too").help("keep `*` alone, or the others");
    }
    for version in items(node, "apiVersions").iter().filter(|it| it.is_null() || it.text() == Some("")) {
        judge.add(rule, version, "a version without a name").help("name it, or remove the item");
    }
    judge.each_of(rule, items(node, "operations"), &["CREATE", "UPDATE", "DELETE", "CONNECT", "*"]);
    judge.not_empty(rule, node, "scope");
    judge.one_of(rule, node.get("scope"), &["Cluster", "Namespaced", "*"]);
}

fn policy(judge: &mut Judge<'_, '_>) {
    let Some(spec) = judge.object.at(&["spec"]) else { return };
    judge.set_to_one_of(&POLICY, spec.get("failurePolicy"), &["Fail", "Ignore"]);
    match given(spec, "matchConstraints") {
        None => {
            judge.need(&POLICY, spec, "matchConstraints");
        }
        Some(constraints) => {
            judge.need(&POLICY, constraints, "resourceRules");
            resources(judge, constraints);
        }
    }
    if judge.object.kind == "MutatingAdmissionPolicy" {
        return;
    }
    if items(spec, "validations").is_empty() && items(spec, "auditAnnotations").is_empty() {
        judge
            .within(&POLICY, spec, "`validations` and `auditAnnotations` are both empty")
            .label("expected `validations` or `auditAnnotations`");
    }
}

/// The resources that a policy or a binding is about.
fn resources(judge: &mut Judge<'_, '_>, node: &Node) {
    judge.set_to_one_of(&POLICY, node.get("matchPolicy"), &["Equivalent", "Exact"]);
    for rule in ["resourceRules", "excludeResourceRules"].into_iter().flat_map(|key| items(node, key)) {
        matched(judge, &POLICY, rule);
        let mut seen = HashSet::new();
        for name in items(rule, "resourceNames") {
            if name.text().is_some_and(|text| !seen.insert(text)) {
                judge.add(&POLICY, name, "the same name twice").help("name each once");
            }
        }
    }
    selectors_of(judge, node);
}

fn policy_binding(judge: &mut Judge<'_, '_>) {
    let Some(spec) = judge.object.at(&["spec"]) else { return };
    judge.need(&POLICY, spec, "policyName");
    judge.form(&POLICY, spec.get("policyName"), NAME);
    if let Some(parameters) = given(spec, "paramRef") {
        judge.set_to_one_of(&POLICY, parameters.get("parameterNotFoundAction"), &["Deny", "Allow"]);
    }
    if let Some(resources_of) = given(spec, "matchResources") {
        resources(judge, resources_of);
    }
    if judge.object.kind == "MutatingAdmissionPolicyBinding" {
        return;
    }
    judge.need(&POLICY, spec, "validationActions");
    let actions = items(spec, "validationActions");
    judge.each_of(&POLICY, actions, &["Deny", "Warn", "Audit"]);
    let mut seen = HashSet::new();
    for action in actions {
        let text = action.text().unwrap_or_default();
        let other = match text {
            "Deny" => "Warn",
            "Warn" => "Deny",
            _ => text,
        };
        if seen.contains(other) || !seen.insert(text) {
            judge.add(&POLICY, action, format!("`{text}` after {}", Quoted(other))).help("keep one of the two");
        }
    }
}

fn api_service(judge: &mut Judge<'_, '_>) {
    let Some(spec) = judge.object.at(&["spec"]).filter(|spec| !spec.is_null()) else {
        judge.need(&API_SERVICE, judge.object.node, "spec");
        return;
    };
    judge.range(&API_SERVICE, spec.get("groupPriorityMinimum"), 1..=20000);
    judge.range(&API_SERVICE, spec.get("versionPriority"), 1..=1000);
    judge.form(&API_SERVICE, spec.get("version"), VERSION);
    judge.form(&API_SERVICE, spec.get("group"), SUBDOMAIN);
    if let (Some(group), Some(version)) = (text_or_empty(spec, "group"), text_or_empty(spec, "version"))
        && let Some(name) = judge.object.at(&["metadata", "name"])
        && let Some(found) = filled_text(name)
        && found != format!("{version}.{group}")
    {
        judge
            .add(&API_SERVICE, name, format!("{} is not the name that its group and version make", Quoted(found)))
            .label(format!("expected `{version}.{group}`"));
    }
    let service = given(spec, "service");
    let insecure = spec.get("insecureSkipTLSVerify").and_then(Node::boolean) == Some(true);
    let trusted = spec.get("caBundle").and_then(filled_text).is_some();
    match service {
        Some(service) => {
            judge.range(&API_SERVICE, service.get("port"), PORTS);
            judge.need(&API_SERVICE, service, "name");
            judge.need(&API_SERVICE, service, "namespace");
            if insecure
                && trusted
                && let Some(entry) = spec.entry("insecureSkipTLSVerify")
            {
                judge
                    .add(&API_SERVICE, entry, "`insecureSkipTLSVerify: true` beside `caBundle`")
                    .help("remove it, or `caBundle`");
            }
        }
        None if insecure || trusted => {
            let why = "is for an APIService with a `service`";
            judge.forbid(&API_SERVICE, spec, &["caBundle", "insecureSkipTLSVerify"], why);
        }
        None => {}
    }
}

fn levels(judge: &mut Judge<'_, '_>) {
    let Some(labels) = judge.object.at(&["metadata", "labels"]) else { return };
    for entry in labels.entries() {
        let Some(mode) = entry.key.text.strip_prefix("pod-security.kubernetes.io/") else { continue };
        match mode {
            "enforce" | "audit" | "warn" => {
                judge.one_of(&LEVEL, Some(&entry.value), &["privileged", "baseline", "restricted"]);
                // To the server, null is an empty text here.
                if entry.value.is_null() || entry.value.text() == Some("") {
                    judge.add(&LEVEL, entry, "a level that is empty").help("name one, or remove the label");
                }
            }
            "enforce-version" | "audit-version" | "warn-version" => {
                let text = if entry.value.is_null() { Some("") } else { entry.value.text() };
                if let Some(text) = text.filter(|text| !is_version(text)) {
                    judge
                        .add(&LEVEL, &entry.value, format!("{} is not a version of Kubernetes", Quoted(text)))
                        .label("expected `latest`, or such as `v1.30`");
                }
            }
            _ => {}
        }
    }
}

fn is_version(text: &str) -> bool {
    text == "latest"
        || text.strip_prefix("v1.").is_some_and(|minor| {
            minor == "0" || !minor.starts_with('0') && !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["https://a", "HTTPS://a.b:1/c@d", "https://a?#", "https://[::1]/"] {
            assert!(is_callable(text), "{text}");
        }
        for text in ["", "a", "http://a", "https://", "https:///a", "https://u@a", "https://a?b", "https://a#b"] {
            assert!(!is_callable(text), "{text}");
        }
    }

    #[test]
    fn paths_and_versions() {
        for text in ["/", "/a", "/a/", "/a/b.c"] {
            assert!(is_service_path(text), "{text}");
        }
        for text in ["a", "//", "/a//b", "/A", "/a b"] {
            assert!(!is_service_path(text), "{text}");
        }
        for text in ["latest", "v1.0", "v1.30"] {
            assert!(is_version(text), "{text}");
        }
        for text in ["", "1.30", "v1", "v1.", "v1.07", "v1.30.1", "v2.1"] {
            assert!(!is_version(text), "{text}");
        }
    }
}
