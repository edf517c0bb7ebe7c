//! What Loki would refuse.

use super::{Kept, credentials, same_name, without_volume};
use crate::findings::Findings;
use crate::model::{IndexStore, Install, Loki, LokiMode, ObjectStore, SchemaFormat, Stack, UpdateMode};
use crate::units::Duration;
use serde_json::Value;

const KEPT: Kept = Kept {
    part: "loki",
    name: "Loki",
    data: "logs",
    changes: "`image`, `retention`, `logLevel`, pod label or memory limit",
};

/// What it keeps beside object storage, where it stores all that it holds when it is stopped.
const NOT_STORED: Kept = Kept { data: "the lines that it could not store before its end", ..KEPT };

/// From which Kubernetes on a pod has the zone of its node in a label (`PodTopologyLabelsAdmission`).
const ZONES_SINCE: u16 = 35;

/// What `config` may not say, by its path, and what to do instead: other parts of the stack rely on it.
const OWN: [(&str, &str); 23] = [
    ("/auth_enabled", "say `loki.tenants`"),
    ("/common/path_prefix", "the volume is mounted there: remove it"),
    ("/common/replication_factor", "say `loki.mode`"),
    ("/common/ring", "say `loki.mode`"),
    ("/common/storage", "say `objectStorage` and `loki.schema`"),
    ("/compactor/retention_enabled", "say `loki.retention`; without it nothing is deleted"),
    ("/compactor/working_directory", "the volume is mounted there: remove it"),
    ("/limits_config/ingestion_burst_size_mb", "say `loki.limits.ingestionBurst`"),
    ("/limits_config/ingestion_rate_mb", "say `loki.limits.ingestionRate`"),
    ("/limits_config/max_global_streams_per_user", "say `loki.limits.maxStreams`"),
    ("/limits_config/max_line_size", "say `loki.limits.maxLineSize`"),
    ("/limits_config/max_query_length", "say `loki.limits.maxQueryLength`"),
    ("/limits_config/max_query_lookback", "say `loki.limits.maxQueryLookback`"),
    ("/limits_config/max_query_series", "say `loki.limits.maxQuerySeries`"),
    ("/limits_config/retention_period", "say `loki.retention`"),
    ("/limits_config/retention_stream", "say `loki.retentionStreams`"),
    ("/memberlist", "say `loki.mode`"),
    ("/querier/multi_tenant_queries_enabled", "say `loki.tenants`"),
    ("/schema_config", "say `loki.schema`"),
    ("/server/grpc_listen_port", "the port is the pod's: remove it"),
    ("/server/http_listen_port", "the Service, probes and network policies know the port: remove it"),
    ("/server/log_level", "say `loki.logLevel`"),
    ("/storage_config/object_store", "say `objectStorage`"),
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

pub(crate) fn check(loki: &Loki, stack: &Stack, findings: &mut Findings) {
    if !loki.enabled {
        return;
    }
    config(loki, findings);
    periods(loki, findings);
    storage(loki, stack, findings);
    if loki.mode != LokiMode::Single {
        replicas(loki, findings);
    }
    if loki.mode == LokiMode::Distributed {
        processes(loki, stack, findings);
    }
    let names = loki.rules.iter().map(|file| &file.name);
    same_name("loki.rules", names, "rule files", "one would overwrite the other", findings);
    let tells = Value::from(loki.config.clone()).pointer("/ruler/alertmanager_url").is_some();
    if !loki.rules.is_empty() && !stack.alertmanager.enabled && !tells {
        findings.warning(
            &["loki.rules"],
            "alerts of `loki.rules` reach nobody",
            "the stack has no Alertmanager",
            "set `alertmanager.enabled: true`, or name another one: `loki.config: { ruler: { alertmanager_url: … } }`",
        );
    }
    let kept = if loki.uses_object_storage() { &NOT_STORED } else { &KEPT };
    without_volume(kept, &loki.persistence, findings);
    if let Some(retention) = &loki.retention {
        self::retention("loki.retention", retention, "leave it empty to keep everything", findings);
    }
    for (at, stream) in loki.retention_streams.iter().enumerate() {
        let path = format!("loki.retentionStreams.{at}.period");
        self::retention(&path, &stream.period, "what nobody wants at all is dropped by the collector", findings);
    }
    for (at, tenant) in loki.tenants.iter().enumerate() {
        if loki.tenants[..at].contains(tenant) {
            findings.error(
                &[&format!("loki.tenants.{at}")],
                format!("the tenant `{tenant}` stands twice"),
                "each counts once",
                "remove one of the two",
            );
        }
    }
    let outdated = |tag: &str| tag.starts_with("2.") || tag.starts_with("1.");
    if loki.image.tag().is_some_and(outdated) {
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

/// The history of the store.
fn periods(loki: &Loki, findings: &mut Findings) {
    if loki.schema.is_empty() {
        findings.error(
            &["loki.schema"],
            "Loki without a period of its schema stores nothing",
            "expected one at least",
            "remove `loki.schema`: there is one unless it says otherwise",
        );
    }
    for (at, two) in loki.schema.windows(2).enumerate() {
        let [earlier, later] = two else { continue };
        // Dates of one form are in order when their texts are.
        if later.from.as_str() <= earlier.from.as_str() {
            findings.error(
                &[&format!("loki.schema.{}.from", at + 1)],
                format!("the period from {} stands behind the one from {}", later.from, earlier.from),
                "expected a later day",
                "order the periods by `from`, each later than the one before",
            );
        }
    }
}

/// Periods in object storage need one, of that provider, with a bucket.
fn storage(loki: &Loki, stack: &Stack, findings: &mut Findings) {
    let named = stack.object_providers();
    for (at, period) in loki.schema.iter().enumerate() {
        let store = period.object_store;
        if store != ObjectStore::Filesystem && !named.contains(&store.name()) {
            let other = |other: &&str| format!("`objectStorage` has `{other}`");
            let found = named.first().map_or_else(|| "there is no `objectStorage`".to_owned(), other);
            findings.error(
                &[&format!("loki.schema.{at}.objectStore")],
                format!("`objectStore: {}` needs `objectStorage.{0}`", store.name()),
                &found,
                &format!("add `objectStorage.{}`, or store in what there is", store.name()),
            );
        }
    }
    if loki.uses_object_storage() && !named.is_empty() && stack.object_storage.buckets.loki.is_none() {
        findings.error(
            &["objectStorage.buckets", "objectStorage"],
            "Loki has no bucket",
            "a period of `loki.schema` is in object storage",
            "name it: `objectStorage.buckets.loki`",
        );
    }
}

/// Programs that nothing works without, and what only some clusters have.
fn processes(loki: &Loki, stack: &Stack, findings: &mut Findings) {
    for (key, replicas) in loki.distributed.all() {
        let least = if key == "ingester" { loki.replication() } else { 1 };
        if replicas.get() < least {
            findings.error(
                &[&format!("loki.distributed.{key}.replicas")],
                format!("Loki does not work with {replicas} of `{key}`"),
                &format!("expected {least} at least"),
                "raise it, or leave it out",
            );
        }
    }
    queriers(loki, stack, findings);
    if loki.distributed.zone_aware && stack.kubernetes.minor() < ZONES_SINCE {
        findings.error(
            &["loki.distributed.zoneAware", "kubernetes"],
            format!("pods do not know their zone in Kubernetes {}", stack.kubernetes),
            &format!("expected 1.{ZONES_SINCE} or newer"),
            "remove `zoneAware`: ingesters are spread over nodes all the same",
        );
    }
    if stack.values.enabled {
        findings.note(
            &["loki.mode", "values.enabled"],
            "`manifests/values/` has nothing of Loki and Promtail",
            "the chart loki-stack has no `mode: distributed`",
            "nothing has to be done for `kubectl apply -k` and Argo CD",
        );
    }
    if stack.argocd.enabled && stack.argocd.install == Install::Charts {
        findings.error(
            &["loki.mode", "argocd.install"],
            "the chart loki-stack has no `mode: distributed`",
            "`argocd.install` is `charts`",
            "set `argocd.install: manifests`, or another `mode`",
        );
    }
}

/// How many queriers there may be, and who decides it.
fn queriers(loki: &Loki, stack: &Stack, findings: &mut Findings) {
    let querier = &loki.distributed.querier;
    if querier.max_replicas.is_some_and(|most| most <= querier.replicas) {
        findings.error(
            &["loki.distributed.querier.maxReplicas", "loki.distributed.querier.replicas"],
            "`maxReplicas` leaves nothing to scale",
            &format!("expected more than {}", querier.replicas),
            "raise it, or remove it",
        );
    }
    let vertical = stack.pods_of(loki).vertical_autoscaler;
    if querier.max_replicas.is_some() && vertical.is_some_and(|it| it.update_mode != UpdateMode::Off) {
        findings.error(
            &["loki.distributed.querier.maxReplicas", "loki.pods.verticalAutoscaler"],
            "two autoscalers look at what queriers use of their requests, and one changes these",
            "`pods.verticalAutoscaler` is for all pods of Loki",
            "set its `updateMode: Off`, or remove `maxReplicas`",
        );
    }
}

/// What several processes have in common is in object storage; the volume of one is not seen by the others.
fn replicas(loki: &Loki, findings: &mut Findings) {
    let Some(at) = loki.schema.iter().rposition(|period| period.object_store == ObjectStore::Filesystem) else {
        return;
    };
    let mode = if loki.mode == LokiMode::Ha { "ha" } else { "distributed" };
    let paths = ["loki.mode".to_owned(), format!("loki.schema.{at}")];
    let (message, help) = if at + 1 == loki.schema.len() {
        (
            format!("`mode: {mode}` needs object storage"),
            "add `objectStorage`, and to `loki.schema` a period whose `objectStore` is in it: docs/upgrade.md",
        )
    } else {
        (
            format!(
                "`mode: {mode}` cannot read the lines from {} on: they are on the volume of one pod",
                loki.schema[at].from
            ),
            "stay with `mode: single` until `loki.retention` has deleted them, then remove their period",
        )
    };
    findings.error(&paths.each_ref().map(String::as_str), message, "its processes share no volume", help);
}

/// Structured metadata, which lines get at a path, are refused where the store cannot hold them.
pub(super) fn takes_metadata(path: &str, stack: &Stack, findings: &mut Findings) {
    let Loki { enabled, schema, config, .. } = &stack.loki;
    let newest = schema.iter().enumerate().next_back();
    let old = newest.filter(|(_, it)| it.store != IndexStore::Tsdb || it.schema != SchemaFormat::V13);
    let key = "allow_structured_metadata";
    let forbids = config.get("limits_config").and_then(|limits| limits.get(key)) == Some(&Value::Bool(false));
    if let Some((at, _)) = old.filter(|_| *enabled) {
        findings.error(
            &[path, &format!("loki.schema.{at}")],
            "Loki cannot store structured metadata",
            "its newest period is not of `store: tsdb` and `schema: v13`",
            "add a period that begins on a day to come to `loki.schema`, and this stage on that day",
        );
    } else if *enabled && forbids {
        findings.error(
            &[path, &format!("loki.config.limits_config.{key}")],
            "Loki refuses structured metadata",
            "`allow_structured_metadata` is `false`",
            "remove it from `loki.config`, or this stage",
        );
    }
}

fn retention(path: &str, retention: &Duration, otherwise: &str, findings: &mut Findings) {
    let key = if path == "loki.retention" { path } else { "period" };
    if retention.as_hours().is_none_or(|hours| hours < 24) {
        findings.error(
            &[path],
            format!("Loki cannot keep log lines for `{retention}`"),
            "expected whole hours, 24h at least",
            &format!("set `{key}: 7d` or another whole number of days; {otherwise}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    fn wrong(text: &str) -> Vec<String> {
        let found = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
        found.into_iter().map(|problem| problem.message).collect()
    }

    const S3: &str = "objectStorage: {s3: {endpoint: a.b}, buckets: {loki: logs}}\n";

    #[test]
    fn a_store_has_a_history_and_a_place() {
        const FIRST: &str = "{from: 2024-01-01}";
        const STORED: &str = "{from: 2026-01-01, objectStore: s3}";
        for (text, message) in [
            (format!("{S3}loki: {{schema: [{FIRST}, {STORED}]}}"), None),
            (format!("{S3}loki: {{mode: ha, schema: [{STORED}]}}"), None),
            ("loki: {schema: []}".to_owned(), Some("Loki without a period of its schema stores nothing")),
            (
                format!("{S3}loki: {{schema: [{STORED}, {FIRST}]}}"),
                Some("the period from 2024-01-01 stands behind the one from 2026-01-01"),
            ),
            (format!("loki: {{schema: [{STORED}]}}"), Some("`objectStore: s3` needs `objectStorage.s3`")),
            (
                format!("objectStorage: {{gcs: {{}}, buckets: {{loki: logs}}}}\nloki: {{schema: [{STORED}]}}"),
                Some("`objectStore: s3` needs `objectStorage.s3`"),
            ),
            (
                format!("objectStorage: {{s3: {{endpoint: a.b}}}}\nloki: {{schema: [{STORED}]}}"),
                Some("Loki has no bucket"),
            ),
            ("loki: {mode: ha}".to_owned(), Some("`mode: ha` needs object storage")),
            (
                format!("{S3}loki: {{mode: ha, schema: [{FIRST}, {STORED}]}}"),
                Some("`mode: ha` cannot read the lines from 2024-01-01 on: they are on the volume of one pod"),
            ),
            (format!("{S3}loki: {{mode: distributed, schema: [{STORED}]}}"), None),
            ("loki: {mode: distributed}".to_owned(), Some("`mode: distributed` needs object storage")),
            (
                format!(
                    "{S3}loki: {{mode: distributed, schema: [{STORED}], distributed: {{ingester: {{replicas: 2}}}}}}"
                ),
                Some("Loki does not work with 2 of `ingester`"),
            ),
            (
                format!(
                    "{S3}loki: {{mode: distributed, schema: [{STORED}], distributed: {{querier: {{maxReplicas: 2}}}}}}"
                ),
                Some("`maxReplicas` leaves nothing to scale"),
            ),
            (
                format!(
                    "{S3}loki: {{mode: distributed, schema: [{STORED}], distributed: {{querier: {{maxReplicas: 9}}}}, \
                     pods: {{verticalAutoscaler: {{updateMode: Initial}}}}}}"
                ),
                Some("two autoscalers look at what queriers use of their requests, and one changes these"),
            ),
            (
                format!("{S3}loki: {{mode: distributed, schema: [{STORED}], distributed: {{zoneAware: true}}}}"),
                Some("pods do not know their zone in Kubernetes 1.29"),
            ),
            (
                format!(
                    "kubernetes: '1.35'\n{S3}loki: {{mode: distributed, schema: [{STORED}], distributed: {{zoneAware: true}}}}"
                ),
                None,
            ),
            (
                format!(
                    "argocd: {{enabled: true, install: charts, repository: 'https://a.b/c.git'}}\n{S3}\
                     loki: {{mode: distributed, schema: [{STORED}]}}"
                ),
                Some("the chart loki-stack has no `mode: distributed`"),
            ),
            ("loki: {enabled: false, mode: ha}\npromtail: {enabled: false}".to_owned(), None),
        ] {
            assert_eq!(wrong(&text), Vec::from_iter(message.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn streams_and_tenants() {
        const DEV: &str = r#"selector: '{namespace="dev"}'"#;
        for (text, message) in [
            (format!("loki: {{retentionStreams: [{{{DEV}, period: 2d, priority: 1}}], tenants: [a, b]}}"), None),
            (
                format!("loki: {{retentionStreams: [{{{DEV}, period: 1h}}]}}"),
                Some("Loki cannot keep log lines for `1h`"),
            ),
            ("loki: {tenants: [a, a]}".to_owned(), Some("the tenant `a` stands twice")),
            ("loki: {enabled: false}\npromtail: {outputs: [{url: 'https://a/push'}]}".to_owned(), None),
            ("loki: {enabled: false}".to_owned(), Some("Promtail has no Loki to send to")),
            (
                "promtail: {outputs: [{url: 'https://a/push'}, {url: 'https://a/push'}]}".to_owned(),
                Some("a Loki stands twice in `promtail.outputs`"),
            ),
        ] {
            assert_eq!(wrong(&text), Vec::from_iter(message.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn what_follows_from_the_stack_is_not_said_again() {
        for (config, message) in [
            ("{server: {http_listen_port: 80}}", Some("`server.http_listen_port` follows from the rest of the stack")),
            (
                "{limits_config: {retention_period: 24h}}",
                Some("`limits_config.retention_period` follows from the rest of the stack"),
            ),
            ("{ruler: {storage: {s3: {secret_access_key: a}}}}", Some("`secret_access_key` is a credential")),
            ("{schema_config: {configs: []}}", Some("`schema_config` follows from the rest of the stack")),
            (
                "{limits_config: {ingestion_rate_mb: 20}}",
                Some("`limits_config.ingestion_rate_mb` follows from the rest of the stack"),
            ),
            ("{limits_config: {max_label_names_per_series: 20}}", None),
        ] {
            let found = wrong(&format!("loki: {{config: {config}}}\n"));
            assert_eq!(found, Vec::from_iter(message.map(str::to_owned)), "{config}");
        }
    }
}
