use super::{Annotations, Labels, choice, part, settings};
use crate::units::{DnsLabel, DnsSubdomain, FolderPath, GitRevision, GitUrl, Url};

settings! {
    /// Argo CD, which applies the manifests from git. Vigil writes its objects to `manifests/argocd/`, for you to apply
    /// once; kustomize leaves them out.
    pub struct Argocd {
        /// Write them, and annotate all objects with the order in which Argo CD shall apply them.
        pub enabled: bool,
        /// What Argo CD installs.
        pub install: Install,
        /// The namespace that Argo CD watches for its own objects.
        pub namespace: DnsLabel,
        /// The `AppProject` to make, and the name of the Application in it.
        pub project: DnsSubdomain,
        /// The repository that holds the manifests.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub repository: Option<GitUrl>,
        /// Its branch, tag or commit.
        pub revision: GitRevision,
        /// The manifests directory in it.
        pub path: FolderPath,
        /// Where the stack runs.
        pub destination: Destination,
        /// What Argo CD does without being asked.
        pub automated: Automated,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Argocd {
    fn default() -> Self {
        Self {
            enabled: false,
            install: Install::Manifests,
            namespace: DnsLabel::known("argocd"),
            project: DnsSubdomain::known("monitoring"),
            repository: None,
            revision: GitRevision::known("main"),
            path: FolderPath::known("manifests"),
            destination: Destination::default(),
            automated: Automated::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(Argocd: metadata, namespace(own), rules(argocd));

choice! {
    /// What Argo CD installs.
    #[serde(rename_all = "lowercase")]
    pub enum Install {
        /// The plain manifests.
        Manifests,
        /// The Helm charts with the values files of `manifests/values/`, and as manifests only what no chart holds.
        Charts,
    }
}

settings! {
    /// A cluster that Argo CD knows.
    pub struct Destination {
        /// The address of its API server.
        pub server: Url,
    }
}

impl Default for Destination {
    fn default() -> Self {
        Self { server: Url::known("https://kubernetes.default.svc") }
    }
}

settings! {
    /// What Argo CD does without being asked.
    pub struct Automated {
        /// Apply what git says.
        pub enabled: bool,
        /// Delete what git no longer holds. Namespaces and custom resource definitions wait for a confirmation.
        pub prune: bool,
        /// Undo changes that somebody made in the cluster.
        pub self_heal: bool,
    }
}

impl Default for Automated {
    fn default() -> Self {
        Self { enabled: true, prune: true, self_heal: true }
    }
}
