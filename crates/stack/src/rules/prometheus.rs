//! What Prometheus, or the API server for it, would refuse.

use super::{
    Kept, client_certificate, in_their_words, ingress, no_address, one_header, same_name, without_login, without_volume,
};
use crate::findings::Findings;
use crate::model::{Prometheus, RemoteStore, ScrapeConfig, ScrapeScheme, Stack};

const KEPT: Kept = Kept {
    part: "prometheus",
    name: "Prometheus",
    data: "samples",
    changes: "`image`, `retention`, `externalUrl` or memory limit",
};

/// What takes the place of a credential.
const SECRETS: &str = "name the key of a Secret: `{ name: …, key: … }`";

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
    stores("prometheus.remoteWrite", &prometheus.remote_write, findings);
    stores("prometheus.remoteRead", &prometheus.remote_read, findings);
    for (at, _) in prometheus.remote_read.iter().enumerate().filter(|(_, store)| store.send.is_some()) {
        findings.error(
            &[&format!("prometheus.remoteRead.{at}.send")],
            "nothing is sent to a store that is read",
            "`send` is for `prometheus.remoteWrite`",
            "remove it",
        );
    }
    alertmanagers(prometheus, findings);
    scrape_configs(&prometheus.scrape_configs, findings);
    histograms(prometheus, findings);
    without_volume(&KEPT, &prometheus.persistence, findings);
    without_login("prometheus", "Prometheus", &prometheus.effective_service(), &prometheus.ingress, findings);
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

fn stores(list: &str, stores: &[RemoteStore], findings: &mut Findings) {
    for (at, store) in stores.iter().enumerate() {
        let path = format!("{list}.{at}");
        one_header(&path, store.basic_auth.is_some(), store.authorization.is_some(), findings);
        let own = ["url", "name", "basicAuth", "authorization"].map(|key| (key, key.to_owned()));
        let config = store.config.clone().into();
        in_their_words(&path, &config, &own, SECRETS, findings);
        if let Some(tls) = &store.tls {
            client_certificate(&format!("{path}.tls"), tls, findings);
            if store.config.contains_key("tlsConfig") {
                findings.error(
                    &[&format!("{path}.config.tlsConfig"), &format!("{path}.tls")],
                    "`tlsConfig` has a key of its own: `tls`",
                    "both are said",
                    "remove one of the two",
                );
            }
        }
        let same = |other: &&RemoteStore| other.name == store.name && (store.name.is_some() || *other == store);
        if stores[..at].iter().find(same).is_some() {
            findings.error(
                &[&path],
                format!("a store stands twice in `{list}`"),
                "same name as one before it",
                "remove one of the two, or give each a `name` of its own",
            );
        }
    }
}

fn alertmanagers(prometheus: &Prometheus, findings: &mut Findings) {
    let list = "prometheus.alertmanagers";
    for (at, other) in prometheus.alertmanagers.iter().enumerate() {
        let path = format!("{list}.{at}");
        one_header(&path, other.basic_auth.is_some(), other.authorization.is_some(), findings);
        if prometheus.alertmanagers[..at].iter().any(|before| before.url == other.url) {
            findings.error(
                &[&format!("{path}.url")],
                format!("an Alertmanager stands twice in `{list}`"),
                "same address as one before it",
                "remove one of the two",
            );
        }
        let Some(tls) = &other.tls else { continue };
        client_certificate(&format!("{path}.tls"), tls, findings);
        if other.url.scheme() != "https" {
            findings.error(
                &[&format!("{path}.tls"), &format!("{path}.url")],
                "`tls` has no effect: the address says http",
                "needs `https://`",
                "write `https://` in `url`, or remove `tls`",
            );
        }
    }
    if !prometheus.alertmanagers.is_empty() && prometheus.external_labels.is_empty() {
        findings.note(
            &[list],
            "alerts do not say which cluster they are of",
            "`prometheus.externalLabels` is empty",
            "add `externalLabels: { cluster: NAME }`, unless the Alertmanager is told by this cluster alone",
        );
    }
}

/// The keys of a scrape configuration, and what the operator calls them.
const SCRAPE_KEYS: [(&str, &str); 12] = [
    ("targets", "staticConfigs"),
    ("labels", "staticConfigs"),
    ("jobName", "jobName"),
    ("scheme", "scheme"),
    ("metricsPath", "metricsPath"),
    ("scrapeInterval", "scrapeInterval"),
    ("scrapeTimeout", "scrapeTimeout"),
    ("basicAuth", "basicAuth"),
    ("authorization", "authorization"),
    ("tls", "tlsConfig"),
    ("relabelings", "relabelings"),
    ("metricRelabelings", "metricRelabelings"),
];

fn scrape_configs(configs: &[ScrapeConfig], findings: &mut Findings) {
    let list = "prometheus.scrapeConfigs";
    let names = configs.iter().map(|config| &config.name);
    same_name(list, names, "scrape configurations", "one ScrapeConfig would overwrite the other", findings);
    let own = SCRAPE_KEYS.map(|(ours, theirs)| (ours, theirs.to_owned()));
    for (at, config) in configs.iter().enumerate() {
        let path = format!("{list}.{at}");
        one_header(&path, config.basic_auth.is_some(), config.authorization.is_some(), findings);
        in_their_words(&path, &config.config.clone().into(), &own, SECRETS, findings);
        no_address(&path, &config.targets, config.name.as_str(), findings);
        let Some(tls) = &config.tls else { continue };
        client_certificate(&format!("{path}.tls"), tls, findings);
        if config.scheme != Some(ScrapeScheme::Https) {
            findings.error(
                &[&format!("{path}.tls"), &format!("{path}.scheme")],
                format!("`tls` has no effect: `{}` is asked by http", config.name),
                "needs `scheme: https`",
                "add `scheme: https`, or remove `tls`",
            );
        }
    }
}

/// What can be said of native histograms by a flag: since 3.9 Prometheus wants a setting that the operator's definitions
/// do not have.
fn histograms(prometheus: &Prometheus, findings: &mut Findings) {
    let Some(version) = prometheus.image.minor_version() else { return };
    if prometheus.native_histograms.enabled && !((3, 5)..(3, 9)).contains(&version) {
        findings.error(
            &["prometheus.nativeHistograms.enabled", "prometheus.image"],
            format!("Prometheus {}.{} would scrape no native histograms", version.0, version.1),
            "expected Prometheus 3.5 to 3.8",
            "choose such an image, or remove `nativeHistograms`: 3.9 asks for a setting that the operator does not write",
        );
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
            (
                "prometheus: {remoteWrite: [{url: https://a, tls: {insecureSkipVerify: true}, config: {tlsConfig: {}}}]}",
                "`tlsConfig` has a key of its own: `tls`",
            ),
            (
                "prometheus: {remoteRead: [{url: https://a, send: aggregates}]}",
                "nothing is sent to a store that is read",
            ),
            (
                &format!("prometheus: {{remoteRead: [{STORE}, {STORE}]}}"),
                "a store stands twice in `prometheus.remoteRead`",
            ),
            (
                "prometheus: {alertmanagers: [{url: https://a}, {url: https://a}]}",
                "an Alertmanager stands twice in `prometheus.alertmanagers`",
            ),
            (
                "prometheus: {alertmanagers: [{url: http://a, tls: {insecureSkipVerify: true}}]}",
                "`tls` has no effect: the address says http",
            ),
            ("prometheus: {alertmanagers: [{url: https://a, tls: {key: {name: a, key: b}}}]}", "`key` without `cert`"),
            ("prometheus: {scrapeConfigs: [{name: a, targets: []}]}", "`a` has nothing to scrape"),
            (
                "prometheus: {scrapeConfigs: [{name: a, targets: ['b:1']}, {name: a, targets: ['c:1']}]}",
                "two scrape configurations are called `a`",
            ),
            (
                "prometheus: {scrapeConfigs: [{name: a, targets: ['b:1'], tls: {insecureSkipVerify: true}}]}",
                "`tls` has no effect: `a` is asked by http",
            ),
            (
                "prometheus: {scrapeConfigs: [{name: a, targets: ['b:1'], scheme: https, tls: {cert: {name: a, key: b}}}]}",
                "`cert` without `key`",
            ),
            (
                "prometheus: {scrapeConfigs: [{name: a, targets: ['b:1'], scheme: https, tls: {key: {name: a, key: b}}}]}",
                "`key` without `cert`",
            ),
            (
                "prometheus: {scrapeConfigs: [{name: a, targets: ['b:1'], config: {tlsConfig: {}}}]}",
                "`tlsConfig` has a key of its own: `tls`",
            ),
            (
                "prometheus: {image: 'a/b:v3.9.0', nativeHistograms: {enabled: true}}",
                "Prometheus 3.9 would scrape no native histograms",
            ),
            (
                "prometheus: {image: 'a/b:v3.4.2', nativeHistograms: {enabled: true}}",
                "Prometheus 3.4 would scrape no native histograms",
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
