//! What Thanos could not work with, and what would lose samples.

use crate::findings::Findings;
use crate::model::{Stack, Thanos, ThanosRetention};
use crate::units::Duration;
use std::time::Duration as Length;

const HOUR: Length = Length::from_secs(3600);

/// How old samples are before they are thinned out to one of five minutes, and these to one of an hour
/// (`ResLevel1DownsampleRange` and `2` in its pkg/compact/downsample).
const THINNED: (Length, Length) = (Length::from_secs(40 * 3600), Length::from_secs(10 * 24 * 3600));

/// How long Prometheus keeps at least what it has stored: blocks are of two hours, and an upload may fail for a while.
const LOCAL_AT_LEAST: Length = Length::from_secs(6 * 3600);

/// How long it should at most: beside a side-car that uploads, Prometheus does not compact (prometheus-operator 0.87), so every
/// query opens twelve blocks for each day.
const LOCAL_AT_MOST: Length = Length::from_secs(7 * 24 * 3600);

pub(crate) fn check(thanos: &Thanos, stack: &Stack, findings: &mut Findings) {
    if !thanos.enabled {
        return;
    }
    if !stack.prometheus.enabled {
        findings.error(
            &["thanos.enabled", "prometheus.enabled"],
            "Thanos has no samples: the stack has no Prometheus",
            "its side-car is in the pods of Prometheus",
            "set `prometheus.enabled: true`, or `thanos.enabled: false`",
        );
        return;
    }
    storage(stack, findings);
    replicas(thanos, findings);
    let labels = &stack.prometheus.external_labels;
    let own = stack.alerts.cluster_label.as_str();
    if !labels.keys().any(|label| label.as_str() == own) {
        findings.error(
            &["prometheus.externalLabels", "thanos.enabled"],
            format!("blocks of samples do not say which cluster they are of: `prometheus.externalLabels` has no `{own}`"),
            "two clusters in one bucket would be one",
            &format!("add the name of the cluster: `prometheus.externalLabels: {{ {own}: … }}`; stored blocks keep their labels"),
        );
    }
    local(thanos, stack, findings);
    retention(&thanos.retention, findings);
}

fn storage(stack: &Stack, findings: &mut Findings) {
    let named = stack.object_providers();
    if named.is_empty() && stack.object_storage.is_empty() {
        findings.error(
            &["thanos.enabled"],
            "Thanos has nowhere to store samples",
            "there is no `objectStorage`",
            "add `objectStorage` with a bucket: `buckets: { thanos: … }`",
        );
    } else if !named.is_empty() && stack.object_storage.buckets.thanos.is_none() {
        findings.error(
            &["objectStorage.buckets", "objectStorage"],
            "Thanos has no bucket",
            "`thanos.enabled` is `true`",
            "name it: `objectStorage.buckets.thanos`",
        );
    }
}

fn replicas(thanos: &Thanos, findings: &mut Findings) {
    let all = [
        ("query", thanos.query.replicas),
        ("queryFrontend", thanos.query_frontend.replicas),
        ("store", thanos.store.replicas),
    ];
    for (key, replicas) in all {
        if replicas.get() == 0 {
            findings.error(
                &[&format!("thanos.{key}.replicas")],
                format!("without `{key}` nothing is answered from the bucket"),
                "expected 1 at least",
                "set `thanos.enabled: false` to switch Thanos off",
            );
        }
    }
}

/// What Prometheus keeps itself.
fn local(thanos: &Thanos, stack: &Stack, findings: &mut Findings) {
    let local = &stack.prometheus.retention;
    let paths = ["prometheus.retention", "thanos.enabled"];
    if local.length() < LOCAL_AT_LEAST {
        findings.error(
            &paths,
            format!("Prometheus deletes samples after `{local}`, before they are surely in the bucket"),
            "expected 6h at least",
            "set `prometheus.retention: 2d`: an upload may fail for as long",
        );
    } else if local.length() > LOCAL_AT_MOST {
        findings.warning(
            &paths,
            format!("Prometheus keeps `{local}` in blocks of two hours"),
            "it does not compact beside a side-car that uploads",
            "set `prometheus.retention: 2d`, at most `7d`: what is older comes from the bucket",
        );
    }
    let raw = &thanos.retention.raw;
    if !raw.length().is_zero() && raw.length() < local.length() {
        findings.error(
            &["thanos.retention.raw", "prometheus.retention"],
            format!("the bucket keeps samples for `{raw}`, Prometheus for `{local}`"),
            "what is stored for long is deleted first",
            "raise `thanos.retention.raw`, or lower `prometheus.retention`",
        );
    }
}

/// What is deleted before something coarser is made of it is lost.
fn retention(retention: &ThanosRetention, findings: &mut Findings) {
    let ThanosRetention { raw, five_minutes, one_hour } = retention;
    let levels = [("raw", raw, THINNED.0, "fiveMinutes"), ("fiveMinutes", five_minutes, THINNED.1, "oneHour")];
    for (key, kept, thinned, next) in levels {
        if !is_for_ever(kept) && kept.length() < thinned {
            findings.error(
                &[&format!("thanos.retention.{key}")],
                format!("`{key}` is deleted after `{kept}`, before `{next}` is made of it"),
                &format!("expected {}h at least", thinned.as_secs() / HOUR.as_secs()),
                "raise it: what is deleted before is lost",
            );
        }
    }
    for (key, kept, finer, than) in
        [("fiveMinutes", five_minutes, raw, "raw"), ("oneHour", one_hour, five_minutes, "fiveMinutes")]
    {
        if !is_for_ever(kept) && (is_for_ever(finer) || kept.length() < finer.length()) {
            findings.warning(
                &[&format!("thanos.retention.{key}")],
                format!("`{key}` is deleted after `{kept}`, before `{than}` is"),
                "coarse samples are for the times that fine ones are not kept for",
                &format!("raise it above `thanos.retention.{than}`: graphs of long times ask for `{key}` alone"),
            );
        }
    }
}

fn is_for_ever(kept: &Duration) -> bool {
    kept.length().is_zero()
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    /// What is said of a stack with Thanos, errors or warnings.
    fn said(storage: &str, prometheus: &str, thanos: &str) -> Vec<String> {
        let text =
            format!("objectStorage: {storage}\nprometheus: {{{prometheus}}}\nthanos: {{enabled: true{thanos}}}\n");
        let problems = match Stack::parse(&Source::new("stack.yaml", text)) {
            Ok(parsed) => parsed.warnings,
            Err(problems) => problems,
        };
        let messages = problems.into_iter().map(|problem| problem.message);
        messages.filter(|message| !message.contains("Promtail") && !message.contains("emptyDir")).collect()
    }

    const STORAGE: &str = "{s3: {endpoint: a.b}, buckets: {thanos: metrics}}";
    const LOCAL: &str = "retention: 2d, externalLabels: {cluster: a}";

    #[test]
    fn what_loses_samples_is_said() {
        for (storage, prometheus, thanos, message) in [
            (STORAGE, LOCAL, "", None),
            (STORAGE, LOCAL, ", retention: {raw: 0d, fiveMinutes: 0d, oneHour: 0d}", None),
            (
                STORAGE,
                "retention: 2d",
                "",
                Some(
                    "blocks of samples do not say which cluster they are of: `prometheus.externalLabels` has no `cluster`",
                ),
            ),
            ("{s3: {endpoint: a.b}, buckets: {}}", LOCAL, "", Some("Thanos has no bucket")),
            ("{}", LOCAL, "", Some("Thanos has nowhere to store samples")),
            ("{s3: {endpoint: a.b}, buckets: {thanos: a1b, loki: a1b}}", LOCAL, "", Some("two parts have one bucket")),
            (
                STORAGE,
                "externalLabels: {cluster: a}, retention: 8d",
                "",
                Some("Prometheus keeps `8d` in blocks of two hours"),
            ),
            (
                STORAGE,
                "externalLabels: {cluster: a}, retention: 5h",
                "",
                Some("Prometheus deletes samples after `5h`, before they are surely in the bucket"),
            ),
            (STORAGE, "enabled: false", "", Some("Thanos has no samples: the stack has no Prometheus")),
            (
                STORAGE,
                "externalLabels: {cluster: a}, retention: 6d",
                ", retention: {raw: 5d}",
                Some("the bucket keeps samples for `5d`, Prometheus for `6d`"),
            ),
            (
                STORAGE,
                "externalLabels: {cluster: a}, retention: 1d",
                ", retention: {raw: 39h}",
                Some("`raw` is deleted after `39h`, before `fiveMinutes` is made of it"),
            ),
            (
                STORAGE,
                LOCAL,
                ", retention: {raw: 9d, fiveMinutes: 9d}",
                Some("`fiveMinutes` is deleted after `9d`, before `oneHour` is made of it"),
            ),
            (STORAGE, LOCAL, ", retention: {raw: 0d}", Some("`fiveMinutes` is deleted after `120d`, before `raw` is")),
            (STORAGE, LOCAL, ", query: {replicas: 0}", Some("without `query` nothing is answered from the bucket")),
        ] {
            let found = said(storage, prometheus, thanos);
            match message {
                None => assert!(found.is_empty(), "{prometheus} {thanos}: {found:?}"),
                Some(message) => {
                    assert!(found.iter().any(|found| found == message), "{prometheus} {thanos}: {found:?}");
                }
            }
        }
    }
}
