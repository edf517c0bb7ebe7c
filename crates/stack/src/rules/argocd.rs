//! What Argo CD could not deliver.

use super::apart;
use crate::findings::Findings;
use crate::model::{Argocd, Install, Stack};

pub(crate) fn check(argocd: &Argocd, stack: &Stack, findings: &mut Findings) {
    if !argocd.enabled {
        return;
    }
    if argocd.repository.is_none() {
        findings.error(
            &["argocd.repository", "argocd.enabled"],
            "Argo CD has no repository to read",
            "needs `argocd.repository`",
            "set `argocd.repository` to the URL of the repository that holds the manifests",
        );
    }
    if argocd.install == Install::Charts && !stack.values.enabled {
        findings.error(
            &["argocd.install", "values.enabled"],
            "the charts have no values files",
            "`argocd.install: charts` needs `values.enabled: true`",
            "enable the values files, or set `argocd.install: manifests`",
        );
    }
    if argocd.install == Install::Charts && stack.network_policies.enabled {
        findings.warning(
            &["network-policies.enabled", "argocd.install"],
            "Argo CD does not apply the network policies",
            "`argocd.install` is `charts`",
            "they name the pods of the plain manifests, some of which carry other labels in the charts",
        );
    }
    if argocd.install == Install::Charts && !stack.patches.is_empty() {
        findings.warning(
            &["patches", "argocd.install"],
            "the charts know nothing of the patches",
            "`argocd.install` is `charts`",
            "of what Argo CD applies they change the plain manifests alone; set `argocd.install: manifests`, or change the charts by \
             values of your own",
        );
    }
    if argocd.install == Install::Charts && stack.namespaces.agents.is_some() {
        findings.error(
            &["namespaces.agents", "argocd.install"],
            "the charts keep what runs on every node in the namespaces of the others",
            "`argocd.install` is `charts`",
            "set `argocd.install: manifests`, or remove `namespaces.agents`",
        );
    }
    apart("argocd", &argocd.namespace, ["that Argo CD runs in", "its own Argo CD objects"], stack, findings);
}
