//! Bindings: the role they give, and to whom.

use super::absent::{Wanted, missing};
use super::identity::ASSUMED;
use crate::fields::{items, text};
use crate::finding::Findings;
use crate::object::Object;
use crate::rule::rules;
use crate::world::{Found, World, provided};
use vigil_yaml::{Node, Quoted};

rules! {
    ROLE "binding-role" Error Nobody "the Role or ClusterRole of every binding exists"
    SUBJECT "binding-subject" Error Nobody "the ServiceAccount of every binding exists"
}

const GROUP: &str = "rbac.authorization.k8s.io";

/// Judges bindings.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        for binding in world.judged(GROUP, kind) {
            if let (Some(role), Some(at)) = (text(binding.node, ["roleRef", "kind"]), binding.at(&["roleRef", "name"]))
            {
                let namespace = if role == "Role" { binding.namespace } else { "" };
                let name = at.text().unwrap_or_default();
                let is_role = matches!(role, "Role" | "ClusterRole") && !name.is_empty();
                let wanted = Wanted { group: GROUP, kind: role, namespace, name };
                match world.find(GROUP, role, namespace, name) {
                    Found::Nowhere if is_role => {
                        missing(world, findings, &ROLE, binding, at, wanted);
                    }
                    Found::Elsewhere(_) if is_role => {
                        let own = world.set.of_kind(GROUP, role).filter(|role| role.namespace == namespace);
                        let mut known = provided::SYSTEM_ROLES.to_vec();
                        known.extend(own.take(200).map(|role| role.name));
                        if let Some(meant) = provided::meant(name, &known) {
                            let finding = missing(world, findings, &ROLE, binding, at, wanted);
                            finding.label(format!("did you mean {}?", Quoted(meant)));
                        }
                    }
                    _ => {}
                }
            }
            for subject in items(binding.node, ["subjects"]) {
                if text(subject, ["kind"]) != Some("ServiceAccount") {
                    continue;
                }
                let namespace = text(subject, ["namespace"]).unwrap_or(binding.namespace);
                let Some((at, name)) = subject.get("name").and_then(|at| Some((at, at.text()?))) else { continue };
                // A binding of the cluster without a namespace is refused, and another rule says so.
                if namespace.is_empty() || name.is_empty() {
                    continue;
                }
                if matches!(world.find("", "ServiceAccount", namespace, name), Found::Nowhere)
                    && !is_assumed(world, binding, at, (namespace, name), findings)
                {
                    let wanted = Wanted { group: "", kind: "ServiceAccount", namespace, name };
                    missing(world, findings, &SUBJECT, binding, at, wanted);
                }
            }
        }
    }
}

/// Whether an account may well be where a binding looks for it, which is noted: the set's own account of that name says
/// no namespace, and goes where it is applied to.
fn is_assumed(
    world: &World<'_>,
    binding: &Object<'_>,
    at: &Node,
    (namespace, name): (&str, &str),
    findings: &mut Findings,
) -> bool {
    let is_free =
        |account: &Object<'_>| account.at(&["metadata", "namespace"]).and_then(Node::text).is_none_or(str::is_empty);
    let mut accounts = world.set.of_kind("", "ServiceAccount").filter(|account| account.name == name);
    let found = accounts.any(is_free);
    if found {
        let message = format!("the ServiceAccount is looked for in {}, and names no namespace", Quoted(namespace));
        findings
            .add(&ASSUMED, binding, at, message)
            .help(format!("apply it with `kubectl -n {namespace}`, and check it with `--namespace {namespace}`"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;

    #[test]
    fn bindings() {
        let binding = |kind: &str, namespace: &str, role: &str, subject: &str| {
            format!(
                "{{apiVersion: rbac.authorization.k8s.io/v1, kind: {kind}, metadata: {{name: b{namespace}}}, roleRef: \
                 {{{role}}}, subjects: [{{{subject}}}]}}\n"
            )
        };
        let system = ", namespace: kube-system";
        for (kind, namespace, role, subject, expected) in [
            ("ClusterRoleBinding", "", "kind: ClusterRole, name: view", "kind: Group, name: devs", ""),
            ("ClusterRoleBinding", "", "kind: ClusterRole, name: viewer", "kind: User, name: me", "binding-role"),
            ("ClusterRoleBinding", "", "kind: ClusterRole, name: 'system:auth-delegator'", "kind: User, name: me", ""),
            (
                "ClusterRoleBinding",
                "",
                "kind: ClusterRole, name: 'system:auth-delegater'",
                "kind: User, name: me",
                "binding-role",
            ),
            (
                "ClusterRoleBinding",
                "",
                "kind: ClusterRole, name: 'system:of-a-distribution'",
                "kind: User, name: me",
                "",
            ),
            (
                "RoleBinding",
                system,
                "kind: Role, name: extension-apiserver-authentication-reader",
                "kind: User, name: m",
                "",
            ),
            (
                "RoleBinding",
                "",
                "kind: Role, name: extension-apiserver-authentication-reader",
                "kind: User, name: me",
                "binding-role",
            ),
            ("RoleBinding", "", "kind: ClusterRole, name: edit", "kind: ServiceAccount, name: default", ""),
            ("RoleBinding", "", "kind: ClusterRole, name: edit", "kind: ServiceAccount, name: ci", "binding-subject"),
            (
                "RoleBinding",
                "",
                "kind: ClusterRole, name: edit",
                "kind: ServiceAccount, name: deployment-controller, namespace: kube-system",
                "",
            ),
        ] {
            assert_eq!(broken(&binding(kind, namespace, role, subject)).join(" "), expected, "{role} {subject}");
        }
    }
}
