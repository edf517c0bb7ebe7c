//! Roles and who has them.

use super::judge::{Form, Judge, text_or_empty};
use crate::fields::{filled_text, items};
use crate::rule::rules;
use vigil_forms::name::{is_dns1123_subdomain, is_path_segment};
use vigil_yaml::{Node, Quoted};

rules! {
    RULE "rbac-rule" Error Server "every rule of a Role has verbs, and resources or URLs"
    BINDING "rbac-binding" Error Server "every binding has a valid `roleRef` and valid subjects"
}

const GROUP: &str = "rbac.authorization.k8s.io";
const SEGMENT: Form = (is_path_segment, "a name", "neither `/` nor `%` in it");
const ACCOUNT: Form = (
    is_dns1123_subdomain,
    "the name of a ServiceAccount",
    "`a-z`, `0-9`, `-` and `.`; a namespace goes into a field of its own",
);

/// Judges one object.
pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = judge.object;
    if object.group != GROUP {
        return;
    }
    match object.kind {
        "Role" => rules_of(judge, true),
        "ClusterRole" => {
            rules_of(judge, false);
            if let Some(rule) = object.at(&["aggregationRule"]).filter(|rule| !rule.is_null()) {
                judge.need(&RULE, rule, "clusterRoleSelectors");
            }
        }
        "RoleBinding" => binding(judge, true),
        "ClusterRoleBinding" => binding(judge, false),
        _ => {}
    }
}

fn rules_of(judge: &mut Judge<'_, '_>, namespaced: bool) {
    for rule in items(judge.object.node, "rules") {
        // A field that is not there is told by the schema.
        judge.not_empty(&RULE, rule, "verbs");
        if items(rule, "nonResourceURLs").is_empty() {
            judge.need(&RULE, rule, "apiGroups");
            judge.need(&RULE, rule, "resources");
        } else if namespaced {
            if let Some(entry) = rule.entry("nonResourceURLs") {
                judge
                    .add(&RULE, entry, "`nonResourceURLs` in a Role: URLs are not namespaced")
                    .help("move the rule to a ClusterRole");
            }
        } else {
            let keys = ["apiGroups", "resources", "resourceNames"];
            judge.forbid(&RULE, rule, &keys, "has no place beside `nonResourceURLs`");
        }
    }
}

fn binding(judge: &mut Judge<'_, '_>, namespaced: bool) {
    let node = judge.object.node;
    if let Some(role) = node.get("roleRef") {
        judge.one_of(&BINDING, role.get("apiGroup"), &[GROUP]);
        let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
        judge.one_of(&BINDING, role.get("kind"), kinds);
        judge.form(&BINDING, role.get("name"), SEGMENT);
        for key in ["kind", "name"] {
            judge.not_empty(&BINDING, role, key);
        }
    }
    for subject in items(node, "subjects") {
        judge.one_of(&BINDING, subject.get("kind"), &["ServiceAccount", "User", "Group"]);
        for key in ["kind", "name"] {
            judge.not_empty(&BINDING, subject, key);
        }
        match subject.get("kind").and_then(Node::text) {
            Some("ServiceAccount") => {
                judge.form(&BINDING, subject.get("name"), ACCOUNT);
                if let Some((node, group)) = subject.get("apiGroup").and_then(|node| Some((node, filled_text(node)?))) {
                    judge
                        .add(&BINDING, node, format!("ServiceAccounts are not in {}", Quoted(group)))
                        .help("remove `apiGroup`: they are in the core group");
                }
                if !namespaced && text_or_empty(subject, "namespace") == Some("") {
                    judge
                        .within(&BINDING, subject, "a ServiceAccount without a namespace")
                        .label("expected `namespace`")
                        .help("a ClusterRoleBinding is in no namespace that could be meant");
                }
            }
            Some("User" | "Group") => judge.one_of(&BINDING, subject.get("apiGroup"), &[GROUP]),
            _ => {}
        }
    }
}
