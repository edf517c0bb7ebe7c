//! What Flux could not deliver.

use super::apart;
use crate::findings::Findings;
use crate::model::{Flux, Stack};

pub(crate) fn check(flux: &Flux, stack: &Stack, findings: &mut Findings) {
    if !flux.enabled {
        return;
    }
    match (&flux.repository, &flux.artifact) {
        (None, None) => findings.error(
            &["flux.repository", "flux.enabled"],
            "Flux has nothing to read",
            "needs `flux.repository` or `flux.artifact`",
            "set `flux.repository` to the URL of the repository that holds the manifests",
        ),
        (Some(_), Some(_)) => findings.error(
            &["flux.artifact", "flux.repository"],
            "Flux has two sources",
            "`flux.repository` and `flux.artifact` are both set",
            "remove one of them",
        ),
        (Some(repository), None) if repository.is_scp() => findings.error(
            &["flux.repository"],
            format!("Flux does not read `{repository}`"),
            "expected `https://` or `ssh://`",
            "write `ssh://` in front of it, and `/` in place of the colon",
        ),
        _ => {}
    }
    if flux.depends_on.contains(&flux.name) {
        findings.error(
            &["flux.dependsOn"],
            format!("the Kustomization `{}` waits for itself", flux.name),
            "expected the names of others",
            "remove it from the list",
        );
    }
    apart("flux", &flux.namespace, ["that holds Flux's own objects", "them"], stack, findings);
    if stack.argocd.enabled {
        findings.error(
            &["flux.enabled", "argocd.enabled"],
            "both Flux and Argo CD would apply the manifests",
            "each undoes what the other one writes",
            "set one of them to `false`",
        );
    }
}
