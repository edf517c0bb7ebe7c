//! ResourceQuotas and LimitRanges.

use super::judge::Judge;
use crate::fields::{BILLION, amount, entries, given, items};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::name::is_qualified_name;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Entry, Node, Quoted};

rules! {
    QUOTA "resource-quota" Error Server "every ResourceQuota limits resources that can be counted"
    LIMITS "limit-range" Error Server "the minimum, default and maximum of a LimitRange do not contradict each other"
}

/// What is counted of every namespace, besides objects as `count/…` and what begins with a domain.
const COUNTED: [&str; 19] = [
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Resources without a domain, besides pages.
const STANDARD: [&str; 4] = ["cpu", "memory", "ephemeral-storage", "storage"];

const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    let Some(spec) = object.at(&["spec"]) else { return };
    match (object.group, object.kind) {
        ("", "ResourceQuota") => quota(judge, spec),
        ("", "LimitRange") => {
            let mut kinds = HashSet::new();
            for item in items(spec, "limits") {
                if let Some(kind) = item.get("type").filter(|kind| kind.text().is_some_and(|text| !kinds.insert(text)))
                {
                    judge.add(&LIMITS, kind, "an earlier limit is for this type too").help("make one of the two");
                }
                limits(judge, item);
            }
        }
        _ => {}
    }
}

fn quota(judge: &mut Judge<'_, '_>, spec: &Node) {
    for Entry { key, value } in entries(spec, "hard") {
        let name = key.text.as_str();
        let pages = name.strip_prefix("requests.").unwrap_or(name).starts_with("hugepages-");
        if !name.contains('/') && !pages && !COUNTED.contains(&name) || !is_qualified_name(name) {
            let finding = judge.add(&QUOTA, value, format!("{} is not counted", Quoted(name)));
            match nearest(name, COUNTED) {
                Some(known) => finding.help(format!("write `{known}`")),
                None => finding.help("count objects of a kind with `count/<plural>.<group>`"),
            };
        }
        match amount(value) {
            Some(value_of) if value_of < 0 => {
                judge.add(&QUOTA, value, "a negative amount").label("expected 0 or more");
            }
            Some(value_of) if value_of % BILLION != 0 && is_whole(name) => {
                judge.add(&QUOTA, value, format!("a part of one of the {name}")).label("expected a whole number");
            }
            _ => {}
        }
    }
    let of_selector = spec.get("scopeSelector").map(|selector| items(selector, "matchExpressions")).unwrap_or_default();
    for scope in items(spec, "scopes").iter().chain(of_selector.iter().filter_map(|one| one.get("scopeName"))) {
        judge.set_to_one_of(&QUOTA, Some(scope), SCOPES);
    }
    scopes(judge, spec, of_selector);
    for one in of_selector {
        judge.set_to_one_of(&QUOTA, one.get("operator"), &["In", "NotIn", "Exists", "DoesNotExist"]);
        match one.get("operator").and_then(Node::text) {
            Some("In" | "NotIn") => {
                judge.need(&QUOTA, one, "values");
            }
            Some("Exists" | "DoesNotExist") => {
                judge.forbid(&QUOTA, one, &["values"], "has no place beside this operator");
            }
            _ => {}
        }
    }
}

/// Scopes that exclude each other, or have no say in what is counted: `ValidateResourceQuotaSpec` of Kubernetes 1.37.
fn scopes(judge: &mut Judge<'_, '_>, spec: &Node, of_selector: &[Node]) {
    let hard: Vec<&str> = entries(spec, "hard").iter().map(|entry| entry.key.text.as_str()).collect();
    let named = items(spec, "scopes").iter().chain(of_selector.iter().filter_map(|one| one.get("scopeName")));
    let scopes: Vec<(&Node, &str)> = named.filter_map(|node| Some((node, node.text()?))).collect();
    for [first, second] in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        let of = |wanted: &str| scopes.iter().find(|(_, name)| *name == wanted);
        if let (Some(_), Some((node, _))) = (of(first), of(second)) {
            judge.add(&QUOTA, *node, format!("`{second}` beside `{first}`")).help("no pod is both: make two quotas");
        }
    }
    for (node, scope) in &scopes {
        // Of others than the standard ones a server does not ask.
        let is_standard = |name: &str| COUNTED.contains(&name) || name.contains("hugepages-");
        let is_counted = |name: &str| match *scope {
            _ if !is_standard(name) => true,
            "BestEffort" => name == "pods",
            "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
            "Terminating" | "NotTerminating" | "NotBestEffort" | "PriorityClass" | "CrossNamespacePodAffinity" => {
                let plain = name.strip_prefix("requests.").or_else(|| name.strip_prefix("limits.")).unwrap_or(name);
                matches!(plain, "pods" | "cpu" | "memory")
            }
            _ => true,
        };
        if let Some(name) = hard.iter().find(|name| !is_counted(name)) {
            judge
                .add(&QUOTA, *node, format!("the scope {} has no say in {}", Quoted(scope), Quoted(name)))
                .help("count it in a quota without this scope");
        }
    }
    for one in of_selector {
        let scope = one.get("scopeName").and_then(Node::text).unwrap_or_default();
        if let Some(node) = one.get("operator").filter(|node| node.text().is_some_and(|text| text != "Exists"))
            && !matches!(scope, "PriorityClass" | "VolumeAttributesClass")
            && SCOPES.contains(&scope)
        {
            judge.add(&QUOTA, node, format!("the scope {} has no values", Quoted(scope))).label("expected `Exists`");
        }
    }
}

/// Whether what is counted comes in whole ones.
fn is_whole(name: &str) -> bool {
    name.starts_with("count/")
        || matches!(
            name,
            "configmaps"
                | "persistentvolumeclaims"
                | "pods"
                | "replicationcontrollers"
                | "resourcequotas"
                | "secrets"
                | "services"
                | "services.loadbalancers"
                | "services.nodeports"
        )
}

fn limits(judge: &mut Judge<'_, '_>, item: &Node) {
    let kind = item.get("type").and_then(Node::text).unwrap_or_default();
    if !kind.contains('/') {
        judge.set_to_one_of(&LIMITS, item.get("type"), &["Container", "Pod", "PersistentVolumeClaim"]);
    }
    if kind == "Pod" {
        for entry in ["default", "defaultRequest"].into_iter().filter_map(|key| item.entry(key)) {
            if !entry.value.entries().is_empty() {
                judge
                    .add(&LIMITS, entry, format!("`{}` for a whole pod", entry.key.text))
                    .help("defaults are for containers: use `type: Container`");
            }
        }
    }
    for field in ["min", "max", "default", "defaultRequest", "maxLimitRequestRatio"] {
        for entry in entries(item, field) {
            let name = entry.key.text.as_str();
            let known: &[&str] = match kind {
                "Container" => &["cpu", "memory", "ephemeral-storage"],
                "Pod" => &["cpu", "memory", "ephemeral-storage", "storage"],
                "PersistentVolumeClaim" => &["storage"],
                _ => continue,
            };
            if !name.contains('/') && !name.starts_with("hugepages-") && !STANDARD.contains(&name) {
                let finding = judge.add(&LIMITS, entry, format!("{} is no resource", Quoted(name)));
                finding.label(format!("expected {}", list(known, "or")));
                if let Some(near) = nearest(name, known.iter().copied()) {
                    finding.help(format!("write `{near}`"));
                }
            }
        }
    }
    let storage = |field: &str| given(item, field).and_then(|field| given(field, "storage")).is_some();
    if kind == "PersistentVolumeClaim" && !storage("min") && !storage("max") {
        judge
            .within(&LIMITS, item, "a limit of PersistentVolumeClaims without `storage`")
            .label("expected `min.storage` or `max.storage`");
    }
    for (low, high) in [
        ("min", "max"),
        ("min", "defaultRequest"),
        ("min", "default"),
        ("defaultRequest", "max"),
        ("defaultRequest", "default"),
        ("default", "max"),
    ] {
        let (Some(lower), Some(upper)) = (given(item, low), given(item, high)) else { continue };
        for Entry { key, value } in lower.entries() {
            let Some(other) = upper.get(&key.text) else { continue };
            if let (Some(one), Some(two)) = (amount(value), amount(other))
                && one > two
            {
                judge
                    .add(&LIMITS, value, format!("`{low}` of `{}` is more than `{high}`", key.text))
                    .help(format!("lower it, or raise `{high}`"));
            }
        }
    }
}
