use super::{SecretReference, Stack, settings};
use crate::units::{AzureAccount, BucketName, DnsSubdomain, Endpoint, Region};

settings! {
    /// Object storage, for parts of the stack that keep their data in it: one of `s3`, `gcs` and `azure`, or
    /// `lab-object-storage` in the cluster itself, and a bucket for each part. The buckets of the former exist; nothing here
    /// creates them.
    #[derive(Default)]
    pub struct ObjectStorage {
        /// Amazon S3, or another store that speaks its protocol.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub s3: Option<S3>,
        /// Google Cloud Storage.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub gcs: Option<Gcs>,
        /// Azure Blob Storage.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub azure: Option<Azure>,
        /// The bucket of each part; with Azure, its container.
        pub buckets: Buckets,
    }
}

settings! {
    /// The bucket of each part.
    #[derive(Default)]
    pub struct Buckets {
        /// The bucket for log lines and their index. Nothing else may lie in it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub loki: Option<BucketName>,
        /// The bucket for blocks of samples. Other clusters may keep theirs in it, where their `prometheus.externalLabels`
        /// differ and one of them alone compacts.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub thanos: Option<BucketName>,
    }
}

/// A store that speaks the protocol of S3.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct S3 {
    /// Its host, without the bucket, and its port if that is not the usual one.
    pub endpoint: Endpoint,
    /// Its region; without one, the store is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Name the bucket in the path, not in the host, as most stores other than Amazon's want it.
    #[serde(default)]
    pub force_path_style: bool,
    /// Speak HTTP without TLS.
    #[serde(default)]
    pub insecure: bool,
    /// The certificate of the authority that the store's own is checked against, in PEM; without it, those that everybody
    /// trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret: Option<SecretReference>,
    /// Access keys. Without them the pods' account in the cluster must have a role: `pods.serviceAccount.annotations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<AccessKeys>,
}

/// Access keys of S3, in a Secret that you create in the namespace of each part that uses them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessKeys {
    /// The ID of the key.
    pub access_key_id: SecretReference,
    /// The key itself.
    pub secret_access_key: SecretReference,
}

settings! {
    /// Google Cloud Storage.
    #[derive(Default)]
    pub struct Gcs {
        /// The key of a service account, as the JSON file that Google gives. Without it the pods' account in the cluster must
        /// be bound to one: `pods.serviceAccount.annotations`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub service_account: Option<SecretReference>,
    }
}

/// Azure Blob Storage.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Azure {
    /// The storage account.
    pub account: AzureAccount,
    /// What stands behind the account in its host; without it, `blob.core.windows.net`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_suffix: Option<DnsSubdomain>,
    /// The account's key. Without it the pods need a workload identity: `pods.serviceAccount.annotations` and
    /// `pods.labels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_key: Option<SecretReference>,
}

impl AccessKeys {
    /// The Secrets that hold them.
    pub(super) fn secrets(&self) -> [&DnsSubdomain; 2] {
        [&self.access_key_id.name, &self.secret_access_key.name]
    }
}

impl Stack {
    /// The keys of the object storage that a part of the stack is, in place of a provider of `objectStorage`.
    pub fn own_object_storage(&self) -> Option<&AccessKeys> {
        self.parts().into_iter().find_map(|(_, part)| part.object_storage())
    }

    /// The providers of object storage that there are, as periods of Loki name them.
    pub(crate) fn object_providers(&self) -> Vec<&'static str> {
        let own = self.own_object_storage().map(|_| "s3");
        self.object_storage.providers().into_iter().chain(own).collect()
    }
}

impl ObjectStorage {
    /// The providers that it names, by their keys.
    pub(crate) fn providers(&self) -> Vec<&'static str> {
        let named = [("s3", self.s3.is_some()), ("gcs", self.gcs.is_some()), ("azure", self.azure.is_some())];
        named.into_iter().filter_map(|(key, is_named)| is_named.then_some(key)).collect()
    }

    /// The Secrets that hold credentials and certificates for it. Each part that uses it needs them in its own namespace.
    pub(super) fn secrets(&self) -> Vec<&DnsSubdomain> {
        let s3 = self.s3.iter().flat_map(|s3| {
            let keys = s3.credentials.iter().flat_map(AccessKeys::secrets);
            keys.chain(s3.ca_secret.iter().map(|secret| &secret.name))
        });
        let gcs = self.gcs.iter().filter_map(|gcs| gcs.service_account.as_ref());
        let azure = self.azure.iter().filter_map(|azure| azure.account_key.as_ref());
        s3.chain(gcs.chain(azure).map(|secret| &secret.name)).collect()
    }

    /// Whether nothing is said of it.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
