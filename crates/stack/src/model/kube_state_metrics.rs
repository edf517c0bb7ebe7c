use super::{Annotations, CustomResource, CustomResourceFile, Labels, Pods, part, settings};
use crate::beside::Beside;
use crate::units::{AllowedLabel, DnsLabel, Expression, Image, Replicas};
use std::collections::BTreeMap;

settings! {
    /// kube-state-metrics, which tells what the objects of the cluster are like: replicas wanted and ready, Jobs failed.
    pub struct KubeStateMetrics {
        /// Run it.
        pub enabled: bool,
        /// Its image.
        pub image: Image,
        /// Tell of Secrets too. It takes the right to read every Secret of the cluster, and no alert or dashboard needs it.
        pub secrets: bool,
        /// Labels of objects that it tells, by resource: `pods: [team]` makes `label_team` of `kube_pod_labels`; `*` tells all.
        pub metric_labels_allowlist: BTreeMap<DnsLabel, Vec<AllowedLabel>>,
        /// Annotations likewise, of `kube_pod_annotations` and its like.
        pub metric_annotations_allowlist: BTreeMap<DnsLabel, Vec<AllowedLabel>>,
        /// Pods that share the objects of the cluster among them, for clusters with more than one of them can hold. Each tells of
        /// its own part.
        #[serde(skip_serializing_if = "is_one")]
        pub shards: Replicas,
        /// Custom resources that it tells of beside those of Kubernetes, as `spec.resources` of its own configuration has them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub custom_resource_state: Vec<CustomResource>,
        /// Files of more of them, each a whole configuration.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub custom_resource_state_files: Vec<CustomResourceFile>,
        /// Metrics that are not stored: expressions that their names match as a whole.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub drop: Vec<Expression>,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for KubeStateMetrics {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0"),
            secrets: false,
            metric_labels_allowlist: BTreeMap::new(),
            metric_annotations_allowlist: BTreeMap::new(),
            shards: Replicas::known(1),
            custom_resource_state: Vec::new(),
            custom_resource_state_files: Vec::new(),
            drop: Vec::new(),
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

// It holds a text for every object: 307 MiB have been seen with 322 pods whose labels it told too.
part!(KubeStateMetrics: pods("10m", "128Mi", "512Mi"), metadata, files, namespace(monitoring), rules(kube_state_metrics));

/// What it can tell of, and the API group of each: both its flag and its rights come from here.
const RESOURCES: &[(&str, &str)] = &[
    ("certificatesigningrequests", "certificates.k8s.io"),
    ("configmaps", ""),
    ("cronjobs", "batch"),
    ("daemonsets", "apps"),
    ("deployments", "apps"),
    ("endpointslices", "discovery.k8s.io"),
    ("horizontalpodautoscalers", "autoscaling"),
    ("ingresses", "networking.k8s.io"),
    ("jobs", "batch"),
    ("leases", "coordination.k8s.io"),
    ("limitranges", ""),
    ("mutatingwebhookconfigurations", "admissionregistration.k8s.io"),
    ("namespaces", ""),
    ("networkpolicies", "networking.k8s.io"),
    ("nodes", ""),
    ("persistentvolumeclaims", ""),
    ("persistentvolumes", ""),
    ("poddisruptionbudgets", "policy"),
    ("pods", ""),
    ("replicasets", "apps"),
    ("replicationcontrollers", ""),
    ("resourcequotas", ""),
    (SECRETS, ""),
    ("services", ""),
    ("statefulsets", "apps"),
    ("storageclasses", "storage.k8s.io"),
    ("validatingwebhookconfigurations", "admissionregistration.k8s.io"),
    ("volumeattachments", "storage.k8s.io"),
];

/// The resource whose listing shows what it holds.
const SECRETS: &str = "secrets";

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_one(shards: &Replicas) -> bool {
    shards.get() == 1
}

/// The list of files.
const FILES: &str = "customResourceStateFiles";

impl KubeStateMetrics {
    fn files(&self) -> Vec<Beside<'_>> {
        CustomResourceFile::named(&self.custom_resource_state_files, FILES)
    }

    fn take_file(&mut self, at: usize, text: String) -> Result<(), String> {
        self.custom_resource_state_files[at].take(text)
    }

    /// The custom resources that it tells of, those of files too.
    pub fn custom_resources(&self) -> impl Iterator<Item = &CustomResource> {
        let of_files = self.custom_resource_state_files.iter().flat_map(|file| &file.resources);
        self.custom_resource_state.iter().chain(of_files)
    }

    /// The resources that it tells of, and their API groups.
    pub fn told(&self) -> Vec<(&'static str, &'static str)> {
        RESOURCES.iter().copied().filter(|(name, _)| self.secrets || *name != SECRETS).collect()
    }
}
