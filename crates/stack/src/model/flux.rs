use super::{Annotations, Labels, part, settings};
use crate::units::{DnsLabel, DnsSubdomain, Duration, FolderPath, GitRevision, GitUrl, OciUrl};

settings! {
    /// Flux, which applies the manifests from git or from a registry. Vigil writes its objects to `manifests/flux/`, for you to
    /// apply once or to put where your other Kustomizations are; kustomize leaves them out.
    pub struct Flux {
        /// Write them, and keep Flux from deleting definitions, namespaces and claims that git no longer holds.
        pub enabled: bool,
        /// The namespace of its objects.
        pub namespace: DnsLabel,
        /// The name of the source and of the Kustomization.
        pub name: DnsSubdomain,
        /// The git repository that holds the manifests.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub repository: Option<GitUrl>,
        /// Its branch.
        pub branch: GitRevision,
        /// The artifact in a registry that holds the manifests, as `flux push artifact` makes it, in place of a repository.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub artifact: Option<OciUrl>,
        /// Its tag.
        pub tag: GitRevision,
        /// The manifests directory in it.
        pub path: FolderPath,
        /// The Secret with what reading it takes, in `flux.namespace`; none for what everybody may read.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub secret: Option<DnsSubdomain>,
        /// How often it is looked for changes, of the source and of the cluster.
        pub interval: Duration,
        /// Kustomizations of the same namespace that must be ready before.
        pub depends_on: Vec<DnsSubdomain>,
        /// Delete what git no longer holds, but for definitions, namespaces and claims.
        pub prune: bool,
        /// Be ready when all objects are: pods that run, and Services that have the address that they ask for.
        pub wait: bool,
        /// How long that may take.
        pub timeout: Duration,
        /// The ServiceAccount that it applies with; none for the controller's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub service_account: Option<DnsSubdomain>,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Flux {
    fn default() -> Self {
        Self {
            enabled: false,
            namespace: DnsLabel::known("flux-system"),
            name: DnsSubdomain::known("monitoring"),
            repository: None,
            branch: GitRevision::known("main"),
            artifact: None,
            tag: GitRevision::known("latest"),
            path: FolderPath::known("manifests"),
            secret: None,
            interval: Duration::known("10m"),
            depends_on: Vec::new(),
            prune: true,
            wait: true,
            timeout: Duration::known("10m"),
            service_account: None,
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

impl Flux {
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        self.secret.iter().collect()
    }
}

part!(Flux: metadata, secrets, namespace(own), rules(flux));
