//! What receivers could not keep, and who could write to them.

use super::{Kept, with_login, without_volume};
use crate::findings::Findings;
use crate::model::{ServiceType, Stack, ThanosReceive};
use std::time::Duration as Length;

/// A block of samples is of two hours, and an upload may fail for a while.
const LOCAL_AT_LEAST: Length = Length::from_secs(6 * 3600);

/// Before it ends it uploads what it has in memory, if it can.
const KEPT: Kept = Kept {
    part: "thanos-receive",
    name: "Thanos' receivers",
    data: "the samples that it could not upload before its end",
    changes: "`thanos.image`, `thanos.logLevel`, `retention`, pod label or memory limit",
};

pub(crate) fn check(receive: &ThanosReceive, stack: &Stack, findings: &mut Findings) {
    if !receive.enabled {
        return;
    }
    if !stack.thanos.enabled {
        findings.error(
            &["thanos-receive.enabled", "thanos.enabled"],
            "nobody asks the receivers for samples: the stack has no Thanos",
            "`thanos.enabled` is `false`",
            "set `thanos.enabled: true`, or `thanos-receive.enabled: false`",
        );
        return;
    }
    let (replicas, factor) = (receive.replicas.get(), receive.replication_factor.get());
    for (key, number) in
        [("replicas", replicas), ("replicationFactor", factor), ("router.replicas", receive.router.replicas.get())]
    {
        if number == 0 {
            findings.error(
                &[&format!("thanos-receive.{key}")],
                format!("with `{key}: 0` no sample is taken"),
                "expected 1 at least",
                "set `thanos-receive.enabled: false` to switch it off",
            );
        }
    }
    if factor > replicas && replicas > 0 {
        // Of an even number, half may not be gone either.
        let odd = replicas - (replicas + 1) % 2;
        findings.error(
            &["thanos-receive.replicationFactor", "thanos-receive.replicas"],
            format!("each sample shall be in {factor} pods of {replicas}"),
            "every write would fail",
            &format!("set `replicas: {factor}` at least, or `replicationFactor: {odd}`"),
        );
    }
    if factor == 2 {
        findings.warning(
            &["thanos-receive.replicationFactor"],
            "of two pods that have a sample none may be gone",
            "more than half of them must have it",
            "set `replicationFactor: 3`, or `1`, which needs half of the memory and is as safe",
        );
    }
    if receive.retention.length() < LOCAL_AT_LEAST {
        findings.error(
            &["thanos-receive.retention"],
            format!("receivers delete samples after `{}`, before they are surely in the bucket", receive.retention),
            "expected 6h at least",
            "set `retention: 2d`: an upload may fail for as long",
        );
    }
    without_volume(&KEPT, &receive.persistence, findings);
    senders(receive, findings);
}

/// Who reaches the router.
fn senders(receive: &ThanosReceive, findings: &mut Findings) {
    let inside = receive.effective_service().r#type == Some(ServiceType::ClusterIP);
    let ingress = receive.ingress.enabled;
    with_login("thanos-receive", &receive.ingress, "senders show certificates", findings);
    if ingress && receive.tls.is_some() {
        findings.error(
            &["thanos-receive.tls", "thanos-receive.ingress"],
            "the Ingress speaks plain HTTP to the router, which speaks TLS",
            "`ingress.enabled` and `tls` are both there",
            "leave `tls` out, and let the Ingress have the certificate (`ingress.tls`); or give the router a `service.type`",
        );
    }
    if inside && !ingress {
        findings.warning(
            &["thanos-receive.service", "thanos-receive.enabled"],
            "no other cluster reaches the receivers",
            "the Service is of type `ClusterIP`, and there is no Ingress",
            "set `thanos-receive.service.type: LoadBalancer` with `tls`, or `thanos-receive.ingress`",
        );
    }
    if !inside && !receive.asks_for_certificates() {
        findings.warning(
            &["thanos-receive.service.type", "thanos-receive.service"],
            "whoever reaches the receivers may write any sample",
            "they ask for no certificate",
            "add `thanos-receive.tls` with `clientCa`, and give each Prometheus a certificate that it has signed",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn what_could_not_be_kept_or_is_open_to_all_is_said() {
        let tls = "tls: {cert: {name: a, key: b}, key: {name: a, key: c}, clientCa: {name: a, key: d}}";
        let open = "service: {type: LoadBalancer}";
        let closed = format!("{open}, {tls}");
        for (receive, message) in [
            (closed.clone(), None),
            ("ingress: {enabled: true, host: a.example.com}".to_owned(), None),
            (String::new(), Some("no other cluster reaches the receivers")),
            (open.to_owned(), Some("whoever reaches the receivers may write any sample")),
            (
                format!("ingress: {{enabled: true}}, {tls}"),
                Some("the Ingress speaks plain HTTP to the router, which speaks TLS"),
            ),
            (format!("{closed}, replicas: 2"), Some("each sample shall be in 3 pods of 2")),
            (format!("{closed}, replicas: 0"), Some("with `replicas: 0` no sample is taken")),
            (format!("{closed}, replicationFactor: 2"), Some("of two pods that have a sample none may be gone")),
            (
                format!("{closed}, retention: 5h"),
                Some("receivers delete samples after `5h`, before they are surely in the bucket"),
            ),
        ] {
            let text = format!(
                "objectStorage: {{s3: {{endpoint: a.b}}, buckets: {{thanos: metrics}}}}\n\
                 prometheus: {{retention: 2d, externalLabels: {{cluster: a}}}}\nthanos: {{enabled: true}}\n\
                 thanos-receive: {{enabled: true, {receive}}}\n"
            );
            let problems = match Stack::parse(&Source::new("stack.yaml", text)) {
                Ok(parsed) => parsed.warnings,
                Err(problems) => problems,
            };
            let found: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
            let own: Vec<_> =
                found.iter().filter(|found| !found.contains("Promtail") && !found.contains("emptyDir")).collect();
            match message {
                None => assert!(own.is_empty(), "{receive}: {own:?}"),
                Some(message) => assert!(found.contains(&message), "{receive}: {found:?}"),
            }
        }
    }
}
