//! The side-car of Thanos, as the chart of kube-prometheus-stack gives it to Prometheus, and the storage that it uploads to.

use super::{at, is_empty, objection};
use serde_json::{Value, json};
use vigil_yaml::Node;

/// The Secret to be made for credentials of the storage.
const SECRET: &str = "thanos-objectstorage";

/// What became of the side-car's settings.
pub(super) enum Told {
    /// The stack's `thanos` and `objectStorage`, and what has to be done.
    Ours(Value, Vec<String>),
    /// Nothing of it can be said, and why.
    Left(String),
}

/// Converts `prometheus.prometheusSpec.thanos`, beside the labels by which blocks of samples say which cluster they are of.
pub(super) fn convert(thanos: &Node, labels: Option<&Node>) -> Told {
    if labels.and_then(|labels| labels.get("cluster")).is_none_or(is_empty) {
        return Told::Left(
            "`thanos.enabled` with `objectStorage` is it here; name the cluster before, in `prometheus.externalLabels`"
                .to_owned(),
        );
    }
    let config = ["objectStorageConfig", "secret"].iter().try_fold(thanos, |node, key| node.get(key));
    let Some((storage, todo)) = config.and_then(storage) else {
        return Told::Left(
            "`thanos.enabled` with `objectStorage` is it here: write what the Secret holds, and name its credentials"
                .to_owned(),
        );
    };
    let mut ours = json!({ "objectStorage": storage, "thanos": { "enabled": true } });
    if let Some(level) = thanos.get("logLevel").and_then(Node::text) {
        ours["thanos"]["logLevel"] = level.into();
    }
    if let Some(image) = thanos.get("image").and_then(Node::text).filter(|image| fits("thanos.image", &json!(image))) {
        ours["thanos"]["image"] = image.into();
    }
    match objection(&ours) {
        None => Told::Ours(ours, todo),
        Some(wrong) => Told::Left(wrong.message),
    }
}

fn fits(path: &str, value: &Value) -> bool {
    objection(&at(path, value.clone())).is_none()
}

/// The storage that a configuration of Thanos names, and the keys of the Secret that it needs.
fn storage(config: &Node) -> Option<(Value, Vec<String>)> {
    let kind = config.get("type").and_then(Node::text)?.to_ascii_uppercase();
    let config = config.get("config")?;
    let text = |key: &str| config.get(key).and_then(Node::text).filter(|text| !text.is_empty());
    let is_true = |key: &str| config.get(key).and_then(Node::boolean) == Some(true);
    let reference = |key: &str| json!({ "name": SECRET, "key": key });
    let (provider, bucket, needed): (Value, _, &[&str]) = match kind.as_str() {
        "S3" => {
            let mut s3 = json!({ "endpoint": text("endpoint")? });
            if let Some(region) = text("region") {
                s3["region"] = region.into();
            }
            for (key, is_set) in
                [("insecure", is_true("insecure")), ("forcePathStyle", text("bucket_lookup_type") == Some("path"))]
            {
                if is_set {
                    s3[key] = true.into();
                }
            }
            let has_keys = text("access_key").is_some();
            if has_keys {
                s3["credentials"] = json!({
                    "accessKeyId": reference("access-key-id"), "secretAccessKey": reference("secret-access-key"),
                });
            }
            (json!({ "s3": s3 }), text("bucket")?, if has_keys { &["access-key-id", "secret-access-key"] } else { &[] })
        }
        "GCS" if text("service_account").is_some() => (
            json!({ "gcs": { "serviceAccount": reference("service-account.json") } }),
            text("bucket")?,
            &["service-account.json"],
        ),
        "GCS" => (json!({ "gcs": {} }), text("bucket")?, &[]),
        "AZURE" => {
            let mut azure = json!({ "account": text("storage_account")? });
            if let Some(suffix) = text("endpoint") {
                azure["endpointSuffix"] = suffix.into();
            }
            let has_key = text("storage_account_key").is_some();
            if has_key {
                azure["accountKey"] = reference("account-key");
            }
            (json!({ "azure": azure }), text("container")?, if has_key { &["account-key"] } else { &[] })
        }
        _ => return None,
    };
    let mut ours = provider;
    ours["buckets"] = json!({ "thanos": bucket });
    let todo = needed.iter().map(|key| format!("create the Secret `{SECRET}` with the key `{key}`"));
    Some((ours, todo.collect()))
}
