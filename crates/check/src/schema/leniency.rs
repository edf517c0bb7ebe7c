//! Where an API server takes less than the published schema asks for.
//!
//! A field that is not there is zero to an API server: an empty text, list or mapping, no number. Where that passes its
//! validation, or a default takes its place, the field is as good as optional, whatever the schema says.

/// Fields that the schema requires and a server does without, by the type that has them; in any of the versions covered.
const OPTIONAL: &[(&str, &str)] = &[
    // Filled in.
    ("PodFailurePolicyOnPodConditionsPattern", "status"),
    ("RoleRef", "apiGroup"),
    // No number, which is a number as good as others.
    ("ControllerRevision", "revision"),
    ("ISCSIPersistentVolumeSource", "lun"),
    ("ISCSIVolumeSource", "lun"),
    ("PriorityClass", "value"),
    ("ResourcePool", "generation"),
    ("SleepAction", "seconds"),
    // No amount.
    ("Counter", "value"),
    ("DeviceCapacity", "value"),
    // Not so.
    ("CustomResourceDefinitionVersion", "served"),
    ("CustomResourceDefinitionVersion", "storage"),
    // An empty text.
    ("HTTPHeader", "value"),
    ("StatefulSetSpec", "serviceName"),
    ("Sysctl", "value"),
    ("TokenRequest", "audience"),
    // None of them.
    ("CSINodeSpec", "drivers"),
    ("EndpointSlice", "endpoints"),
    ("LimitRangeSpec", "limits"),
    ("PodFailurePolicy", "rules"),
    // All of what they choose from, or nothing asked for.
    ("CSIDriver", "spec"),
    ("CSINode", "spec"),
    ("DeviceClass", "spec"),
    ("NetworkPolicySpec", "podSelector"),
    ("PreferredSchedulingTerm", "preference"),
    ("ResourceClaim", "spec"),
    ("ResourceClaimTemplate", "spec"),
    ("ResourceClaimTemplateSpec", "spec"),
    // Looked at by nobody.
    ("ScaleIOPersistentVolumeSource", "secretRef"),
    ("ScaleIOVolumeSource", "secretRef"),
];

/// Whether the required field `name` of a definition may be missing.
pub(super) fn is_optional(definition: &str, name: &str) -> bool {
    let kind = definition.rsplit_once('.').map_or(definition, |(_, kind)| kind);
    OPTIONAL.contains(&(kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::builtin;

    #[test]
    fn every_exception_is_one() {
        for (kind, name) in OPTIONAL {
            assert!(
                builtin::required().any(|(definition, fields)| {
                    definition.ends_with(&format!(".{kind}")) && fields.contains(&format!("\"{name}\""))
                }),
                "{kind} does not require {name} in any version"
            );
        }
    }

    #[test]
    fn what_a_server_fills_in_or_does_without() {
        use crate::{Options, check};
        let found = |text: &str| {
            let source = vigil_yaml::Source::new("test.yaml", text.to_owned());
            let options = Options { kubernetes: vec![crate::versions().0], objects_only: true, ..Options::default() };
            let report = check(&[source], &options);
            report.findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        for text in [
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {policyTypes: [Ingress]}\n",
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: a}\nroleRef: {kind: ClusterRole, name: a}\n",
            "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: a}\n",
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {minAvailable: 1}\nstatus: {}\n",
            "apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: a}\n",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        let missing =
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nroleRef: {kind: Role}\n";
        assert_eq!(found(missing), ["the field `name` is missing"]);
    }
}
