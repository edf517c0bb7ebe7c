use super::{AccessKeys, Annotations, Labels, Persistence, Pods, SecretReference, part, settings};
use crate::units::{DnsSubdomain, Image, SecretKey};

settings! {
    /// Object storage for clusters that have none, to learn and to try: versitygw, which speaks the protocol of S3, as one process
    /// with one volume. Not for what must not be lost: nothing keeps a second copy.
    pub struct LabObjectStorage {
        /// Run it, as the provider of `objectStorage`, and make the buckets that this names.
        pub enabled: bool,
        /// Its image, which also has `mkdir`, for the buckets.
        pub image: Image,
        /// The keys that it lets in, and that each part that keeps data in it logs in with. Choose them yourself: you create the
        /// Secret in its namespace, and in that of each of these parts.
        pub credentials: AccessKeys,
        /// Where the buckets lie: folders on a file system with extended attributes, such as ext4 and XFS.
        pub persistence: Persistence,
        /// Where its pod runs and what it may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for LabObjectStorage {
    fn default() -> Self {
        let key = |key| SecretReference { name: DnsSubdomain::known("object-storage"), key: SecretKey::known(key) };
        Self {
            enabled: false,
            image: Image::known("ghcr.io/versity/versitygw:v1.8.0"),
            credentials: AccessKeys {
                access_key_id: key("access-key-id"),
                secret_access_key: key("secret-access-key"),
            },
            persistence: Persistence::default(),
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(LabObjectStorage: pods("50m", "64Mi", "512Mi"), metadata, volume, secrets, provides_objects, namespace(monitoring),
    rules(lab_object_storage));

impl LabObjectStorage {
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        self.object_storage().into_iter().flat_map(AccessKeys::secrets).collect()
    }

    fn object_storage(&self) -> Option<&AccessKeys> {
        self.enabled.then_some(&self.credentials)
    }
}
