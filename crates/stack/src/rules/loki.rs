//! What Loki would refuse.

use super::{Kept, credentials, without_volume};
use crate::findings::Findings;
use crate::model::{Loki, Stack};
use crate::units::Duration;
use serde_json::Value;

const KEPT: Kept = Kept {
    part: "loki",
    name: "Loki",
    data: "logs",
    changes: "`image`, `retention`, `logLevel`, pod label or memory limit",
};

/// What `config` may not say, by its path, and what to do instead: other parts of the stack rely on it.
const OWN: [(&str, &str); 8] = [
    ("/auth_enabled", "collectors and Grafana name no tenant: remove it"),
    ("/common/path_prefix", "the volume is mounted there: remove it"),
    ("/compactor/retention_enabled", "say `loki.retention`; without it nothing is deleted"),
    ("/compactor/working_directory", "the volume is mounted there: remove it"),
    ("/limits_config/retention_period", "say `loki.retention`"),
    ("/server/grpc_listen_port", "the port is the pod's: remove it"),
    ("/server/http_listen_port", "the Service, probes and network policies know the port: remove it"),
    ("/server/log_level", "say `loki.logLevel`"),
];

/// What Loki is told in its own words.
fn config(loki: &Loki, findings: &mut Findings) {
    let config = Value::from(loki.config.clone());
    for (pointer, help) in OWN {
        if config.pointer(pointer).is_some() {
            let path = pointer.trim_start_matches('/').replace('/', ".");
            findings.error(
                &[&format!("loki.config.{path}")],
                format!("`{path}` follows from the rest of the stack"),
                "cannot be set here",
                help,
            );
        }
    }
    credentials("loki.config", &config, "name a variable of its environment, or mount a Secret: `patches:`", findings);
}

pub(crate) fn check(loki: &Loki, _stack: &Stack, findings: &mut Findings) {
    if loki.enabled {
        config(loki, findings);
    }
    if loki.enabled {
        without_volume(&KEPT, &loki.persistence, findings);
    }
    if let Some(retention) = loki.retention.as_ref().filter(|_| loki.enabled) {
        self::retention(retention, findings);
    }
    let outdated = |tag: &str| tag.starts_with("2.") || tag.starts_with("1.");
    if loki.enabled && loki.image.tag().is_some_and(outdated) {
        findings.error(
            &["loki.image"],
            format!(
                "Loki {} cannot read the configuration that is rendered here",
                loki.image.tag().unwrap_or_default()
            ),
            "expected Loki 3",
            "use a 3.x image: its store is tsdb with schema v13, and Grafana's health check needs it",
        );
    }
}

fn retention(retention: &Duration, findings: &mut Findings) {
    if retention.as_hours().is_none_or(|hours| hours < 24) {
        findings.error(
            &["loki.retention"],
            format!("Loki cannot keep log lines for `{retention}`"),
            "expected whole hours, 24h at least",
            "set `loki.retention: 7d` or another whole number of days; leave it empty to keep everything",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn what_follows_from_the_stack_is_not_said_again() {
        for (config, message) in [
            ("{server: {http_listen_port: 80}}", Some("`server.http_listen_port` follows from the rest of the stack")),
            (
                "{limits_config: {retention_period: 24h}}",
                Some("`limits_config.retention_period` follows from the rest of the stack"),
            ),
            ("{common: {storage: {s3: {secret_access_key: a}}}}", Some("`secret_access_key` is a credential")),
            ("{limits_config: {ingestion_rate_mb: 20}}", None),
        ] {
            let text = format!("loki: {{config: {config}}}\n");
            let found = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
            let found: Vec<_> = found.into_iter().map(|problem| problem.message).collect();
            assert_eq!(found, Vec::from_iter(message.map(str::to_owned)), "{config}");
        }
    }
}
