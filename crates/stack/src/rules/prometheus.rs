//! What Prometheus, or the API server for it, would refuse.

use super::{Kept, in_their_words, ingress, without_volume};
use crate::findings::Findings;
use crate::model::{Prometheus, RemoteWrite, Stack};

const KEPT: Kept = Kept {
    part: "prometheus",
    name: "Prometheus",
    data: "samples",
    changes: "`image`, `retention`, `externalUrl` or memory limit",
};

pub(crate) fn check(prometheus: &Prometheus, stack: &Stack, findings: &mut Findings) {
    if !prometheus.enabled {
        return;
    }
    for (key, number) in [("replicas", prometheus.replicas), ("shards", prometheus.shards)] {
        if number.get() == 0 {
            findings.error(
                &[&format!("prometheus.{key}")],
                format!("Prometheus with no {key} stores nothing"),
                "expected 1 at least",
                "set `prometheus.enabled: false` to switch it off",
            );
        }
    }
    if prometheus.shards.get() > 1 && prometheus.remote_write.is_empty() && !stack.thanos.enabled {
        findings.warning(
            &["prometheus.shards"],
            format!("each of {} shards answers for its own targets only", prometheus.shards),
            "nothing asks them all",
            "set `thanos.enabled: true`, or `prometheus.remoteWrite` to a store that holds them all, or `shards: 1`",
        );
    }
    if prometheus.scrape_interval.length().is_zero() {
        findings.error(
            &["prometheus.scrapeInterval"],
            "targets cannot be asked all the time",
            "expected more than 0",
            "set `scrapeInterval: 30s`",
        );
    }
    stores(&prometheus.remote_write, findings);
    without_volume(&KEPT, &prometheus.persistence, findings);
    let volume = &prometheus.persistence;
    if volume.enabled && volume.size.as_thousandths() / 1000.0 <= prometheus.retention_size.as_bytes() {
        findings.error(
            &["prometheus.persistence.size", "prometheus.retentionSize"],
            format!("a volume of {} is full before {} of samples are", volume.size, prometheus.retention_size),
            "expected more than `prometheus.retentionSize`",
            "leave a fifth of the volume free: Prometheus needs room to compact, and stops on a full disk",
        );
    }
    ingress("prometheus", &prometheus.ingress, prometheus.external_url.as_ref(), findings);
}

fn stores(stores: &[RemoteWrite], findings: &mut Findings) {
    for (at, store) in stores.iter().enumerate() {
        let path = format!("prometheus.remoteWrite.{at}");
        if store.basic_auth.is_some() && store.authorization.is_some() {
            findings.error(
                &[&format!("{path}.authorization")],
                "`basicAuth` and `authorization` exclude each other",
                "one of the two",
                "remove one: both would be the same header",
            );
        }
        let own = ["url", "name", "basicAuth", "authorization"].map(|key| (key, key.to_owned()));
        let config = store.config.clone().into();
        in_their_words(&path, &config, &own, "name the key of a Secret: `{ name: …, key: … }`", findings);
        let same = |other: &&RemoteWrite| other.name == store.name && (store.name.is_some() || *other == store);
        if stores[..at].iter().find(same).is_some() {
            findings.error(
                &[&path],
                "a store stands twice in `prometheus.remoteWrite`",
                "same name as one before it",
                "remove one of the two, or give each a `name` of its own",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn what_prometheus_would_refuse() {
        const STORE: &str = "{url: https://a, name: b}";
        for (text, message) in [
            (
                "prometheus-operator: {enabled: false}\nalertmanager: {enabled: false}",
                "nobody makes pods for `prometheus`",
            ),
            (
                "prometheus-operator: {enabled: false}\nprometheus: {enabled: false}",
                "nobody makes pods for `alertmanager`",
            ),
            (
                "prometheus: {remoteWrite: [{url: https://a, config: {basicAuth: {}}}]}",
                "`basicAuth` has a key of its own: `basicAuth`",
            ),
            (
                "prometheus: {remoteWrite: [{url: https://a, config: {headers: {Authorization: b}}}]}",
                "`Authorization` is a credential",
            ),
            ("prometheus: {replicas: 0}", "Prometheus with no replicas stores nothing"),
            ("prometheus: {shards: 0}", "Prometheus with no shards stores nothing"),
            ("prometheus: {scrapeInterval: \"0\"}", "targets cannot be asked all the time"),
            (
                "prometheus: {persistence: {enabled: true, size: 1Gi}}",
                "a volume of 1Gi is full before 1GiB of samples are",
            ),
            (
                "prometheus: {ingress: {enabled: true, path: /a}, externalUrl: https://b/}",
                "`prometheus` is served at `/`, and its Ingress answers to `/a`",
            ),
            (
                &format!("prometheus: {{remoteWrite: [{STORE}, {STORE}]}}"),
                "a store stands twice in `prometheus.remoteWrite`",
            ),
            (
                "prometheus: {remoteWrite: [{url: https://a, authorization: {credentials: {name: a, key: b}}, basicAuth: {username: {name: a, key: b}, password: {name: a, key: c}}}]}",
                "`basicAuth` and `authorization` exclude each other",
            ),
        ] {
            let found = Stack::parse(&Source::new("stack.yaml", text)).map(drop).unwrap_err();
            let messages: Vec<_> = found.into_iter().map(|problem| problem.message).collect();
            assert_eq!(messages, [message], "{text}");
        }
    }
}
