//! Object storage that no provider would give, or that nobody uses.

use crate::findings::Findings;
use crate::model::{Buckets, ObjectStorage, S3, Stack};
use crate::units::BucketName;

pub(crate) fn check(stack: &Stack, findings: &mut Findings) {
    let storage = &stack.object_storage;
    let own = stack.parts().into_iter().find(|(_, part)| part.object_storage().is_some()).map(|(name, _)| name);
    if storage.is_empty() && own.is_none() {
        return;
    }
    let named = stack.object_providers();
    let [provider] = *named else {
        let paths = storage.providers().into_iter().rev().map(|key| format!("objectStorage.{key}"));
        let paths: Vec<String> = paths.chain(own.map(|part| format!("{part}.enabled"))).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).chain(["objectStorage"]).collect();
        let (message, help) = match &*named {
            [] => (
                "`objectStorage` names no provider",
                "add `s3:`, `gcs:` or `azure:` to it, or set `lab-object-storage.enabled: true`",
            ),
            _ => ("`objectStorage` names several providers", "keep one, the one that holds the buckets"),
        };
        findings.error(&paths, message, "expected one of `s3`, `gcs` and `azure`", help);
        return;
    };
    let parts = stack.parts().into_iter().filter(|(_, part)| part.enabled() && part.uses_object_storage());
    let users: Vec<_> = parts.map(|(name, _)| name).collect();
    if users.is_empty() {
        findings.warning(
            &["objectStorage", own.unwrap_or("objectStorage")],
            "`objectStorage` has no effect: no part keeps data in it",
            "nobody uses it",
            &format!(
                "add a period with `objectStore: {provider}` to `loki.schema`, set `thanos.enabled: true`, or remove it"
            ),
        );
    }
    buckets(storage, provider, &users, findings);
    if storage.s3.as_ref().is_some_and(|s3| s3.insecure && s3.ca_secret.is_some()) {
        findings.error(
            &["objectStorage.s3.caSecret", "objectStorage.s3.insecure"],
            "`caSecret` checks a certificate, and with `insecure: true` there is none",
            "they exclude each other",
            "remove `insecure: true`, or `caSecret`",
        );
    }
}

/// Buckets that two parts would share, or that nobody uses.
fn buckets(storage: &ObjectStorage, provider: &str, users: &[&str], findings: &mut Findings) {
    let Buckets { loki, thanos } = &storage.buckets;
    if loki.is_some() && loki == thanos {
        findings.error(
            &["objectStorage.buckets.thanos", "objectStorage.buckets.loki"],
            "two parts have one bucket",
            "each deletes what it does not know",
            "give each a bucket of its own",
        );
    }
    for (path, bucket) in [("objectStorage.buckets.loki", loki), ("objectStorage.buckets.thanos", thanos)] {
        let Some(bucket) = bucket else { continue };
        let owner = path.rsplit('.').next().unwrap_or_default();
        if !users.is_empty() && !users.contains(&owner) {
            findings.warning(
                &[path],
                format!("`{path}` has no effect: `{owner}` keeps nothing in object storage"),
                "nobody uses it",
                "remove it, or have the part use it: docs/stack.md",
            );
        }
        self::bucket(provider, path, bucket, findings);
        if let Some(s3) = &storage.s3 {
            endpoint(s3, path, bucket, findings);
        }
    }
}

/// Names that are a bucket's with one provider and not with another.
fn bucket(provider: &str, path: &str, bucket: &BucketName, findings: &mut Findings) {
    let (name, not_taken) = match provider {
        "s3" => ("S3", &['_'][..]),
        "azure" => ("Azure", &['_', '.'][..]),
        _ => return,
    };
    if let Some(character) = bucket.as_str().chars().find(|character| not_taken.contains(character)) {
        findings.error(
            &[path],
            format!("`{bucket}` is no name that {name} takes"),
            &format!("holds a `{character}`"),
            "name a bucket of lower-case letters, digits and `-`",
        );
    }
}

/// Loki refuses an endpoint that begins with the bucket, since its client puts the bucket there itself, as that of Thanos
/// does.
fn endpoint(s3: &S3, path: &str, bucket: &BucketName, findings: &mut Findings) {
    if s3.endpoint.as_str().split('.').next() == Some(bucket.as_str()) {
        findings.error(
            &["objectStorage.s3.endpoint", path],
            format!("the endpoint begins with the bucket `{bucket}`"),
            "expected the host of the store alone",
            "remove the bucket from the endpoint",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    /// What is said of a stack whose Loki is in a store: errors, or warnings about object storage.
    fn said(storage: &str, store: &str) -> Vec<String> {
        let text = format!(
            "objectStorage: {storage}\nloki: {{schema: [{{from: 2026-01-01, objectStore: {store}}}]}}\n\
             promtail: {{enabled: false}}\n"
        );
        let problems = match Stack::parse(&Source::new("stack.yaml", text)) {
            Ok(parsed) => parsed.warnings,
            Err(problems) => problems,
        };
        let messages = problems.into_iter().map(|problem| problem.message);
        messages.filter(|message| !message.contains("alert")).collect()
    }

    #[test]
    fn one_provider_with_buckets_that_it_takes() {
        for (storage, store, message) in [
            ("{s3: {endpoint: a.b}, buckets: {loki: logs}}", "s3", None),
            ("{gcs: {}, buckets: {loki: logs_1}}", "gcs", None),
            ("{azure: {account: acme}, buckets: {loki: logs-1}}", "azure", None),
            ("{buckets: {loki: logs}}", "s3", Some("`objectStorage` names no provider")),
            (
                "{s3: {endpoint: a.b}, gcs: {}, buckets: {loki: logs}}",
                "s3",
                Some("`objectStorage` names several providers"),
            ),
            ("{s3: {endpoint: a.b}, buckets: {loki: logs_1}}", "s3", Some("`logs_1` is no name that S3 takes")),
            (
                "{azure: {account: acme}, buckets: {loki: a.logs}}",
                "azure",
                Some("`a.logs` is no name that Azure takes"),
            ),
            (
                "{s3: {endpoint: logs.s3.example.com}, buckets: {loki: logs}}",
                "s3",
                Some("the endpoint begins with the bucket `logs`"),
            ),
            (
                "{s3: {endpoint: a.b, insecure: true, caSecret: {name: a, key: b}}, buckets: {loki: logs}}",
                "s3",
                Some("`caSecret` checks a certificate, and with `insecure: true` there is none"),
            ),
            (
                "{s3: {endpoint: a.b}, buckets: {loki: logs, thanos: metrics}}",
                "s3",
                Some("`objectStorage.buckets.thanos` has no effect: `thanos` keeps nothing in object storage"),
            ),
            (
                "{s3: {endpoint: a.b}, buckets: {loki: logs}}",
                "filesystem",
                Some("`objectStorage` has no effect: no part keeps data in it"),
            ),
            (
                "{s3: {endpoint: a.b}, buckets: {loki: logs}}\nlab-object-storage: {enabled: true}",
                "s3",
                Some("`objectStorage` names several providers"),
            ),
            (
                "{buckets: {loki: logs}}\nlab-object-storage: {enabled: true}",
                "s3",
                Some("the object storage of a lab is not for production"),
            ),
            ("{}\nlab-object-storage: {enabled: true}", "s3", Some("Loki has no bucket")),
            (
                "{}\nlab-object-storage: {enabled: true}",
                "filesystem",
                Some("`objectStorage` has no effect: no part keeps data in it"),
            ),
            (
                "{buckets: {loki: logs}}\nlab-object-storage: {enabled: true}",
                "gcs",
                Some("`objectStore: gcs` needs `objectStorage.gcs`"),
            ),
        ] {
            let found = said(storage, store);
            assert!(
                message.map_or(found.is_empty(), |message| found.iter().any(|found| found == message)),
                "{storage}: {found:?}"
            );
        }
    }
}
