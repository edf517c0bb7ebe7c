//! How pods come to the stack's object storage: what their containers are given of the Secrets that hold its credentials.

use super::lab_object_storage;
use super::reach::{Caller, Reach};
use serde_json::{Value, json};
use std::borrow::Cow;
use vigil_stack::Stack;
use vigil_stack::model::{ObjectStorage, SecretReference};

/// The folder in which a container finds the file that [`access`] mounts.
const FOLDER: &str = "/etc/object-storage";

/// The variable with the key of a storage account of Azure: no client looks for it by itself, so configurations name it.
pub(super) const ACCOUNT_KEY: &str = "AZURE_STORAGE_KEY";

/// The path of the certificate that the store's own is checked against.
pub(super) fn authority() -> String {
    format!("{FOLDER}/{AUTHORITY}")
}

const AUTHORITY: &str = "ca.crt";
const ACCOUNT: &str = "service-account.json";

/// The stack's object storage as clients know it, whether it is elsewhere or a part of the stack.
pub(super) fn of(stack: &Stack) -> Cow<'_, ObjectStorage> {
    let own = stack.own_object_storage().and_then(|keys| lab_object_storage::as_s3(stack, keys));
    match own {
        Some(s3) => Cow::Owned(ObjectStorage { s3: Some(s3), ..stack.object_storage.clone() }),
        None => Cow::Borrowed(&stack.object_storage),
    }
}

/// Where pods of a namespace reach it, when it is no part of the stack, and who tells them which role they have.
pub(super) fn reaches(stack: &Stack, namespace: &str) -> Vec<Reach> {
    if stack.own_object_storage().is_some() {
        return Vec::new();
    }
    let ObjectStorage { s3, gcs, azure, .. } = &stack.object_storage;
    let mut found = Vec::new();
    if let Some(s3) = s3 {
        let scheme = if s3.insecure { "http" } else { "https" };
        found.extend(Caller { stack, namespace }.url(&format!("{scheme}://{}", s3.endpoint)));
    }
    found.extend((gcs.is_some() || azure.is_some()).then(Reach::https));
    let has_key = s3.as_ref().is_some_and(|s3| s3.credentials.is_some())
        || gcs.as_ref().is_some_and(|gcs| gcs.service_account.is_some())
        || azure.as_ref().is_some_and(|azure| azure.account_key.is_some());
    if !has_key {
        found.extend([Reach::CloudIdentity, Reach::https()]);
    }
    found
}

/// What containers need of Secrets: `env`, variables that clients look for by themselves, and `file`, a key of a Secret that
/// is mounted as a file; `null` where there is none.
///
/// S3: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, which minio-go reads (`pkg/credentials/env_aws.go`). Google:
/// `GOOGLE_APPLICATION_CREDENTIALS`, the path of a file.
pub(super) fn access(storage: Option<&ObjectStorage>) -> Value {
    let env = |name: &str, secret: &SecretReference| json!({ "name": name, "secret": secret.name, "key": secret.key });
    let file = |secret: &SecretReference, name: &str| json!({ "secret": secret.name, "key": secret.key, "name": name });
    let s3 = storage.and_then(|storage| storage.s3.as_ref());
    let keys = s3.and_then(|s3| s3.credentials.as_ref()).into_iter().flat_map(|keys| {
        [env("AWS_ACCESS_KEY_ID", &keys.access_key_id), env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)]
    });
    let account_key = storage.and_then(|storage| storage.azure.as_ref()?.account_key.as_ref());
    let account = storage.and_then(|storage| storage.gcs.as_ref()?.service_account.as_ref());
    let place = json!({ "name": "GOOGLE_APPLICATION_CREDENTIALS", "value": format!("{FOLDER}/{ACCOUNT}") });
    let authority = s3.and_then(|s3| s3.ca_secret.as_ref());
    json!({
        "folder": FOLDER,
        "secretEnv": keys.chain(account_key.map(|secret| env(ACCOUNT_KEY, secret))).collect::<Vec<_>>(),
        "env": account.map(|_| place).into_iter().collect::<Vec<_>>(),
        "file": authority.map(|secret| file(secret, AUTHORITY)).or(account.map(|secret| file(secret, ACCOUNT))),
    })
}
