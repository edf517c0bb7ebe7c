//! What is scraped by address: how the operator's objects say it.

use serde_json::{Map, Value, json};
use vigil_stack::model::{ScrapeConfig, ScrapeTls};
use vigil_stack::units::Expression;

/// The `spec` of a ScrapeConfig.
pub(super) fn spec(config: &ScrapeConfig) -> Value {
    let mut targets = json!({ "targets": config.targets });
    if !config.labels.is_empty() {
        targets["labels"] = json!(config.labels);
    }
    // Without a name the job would be called after the object.
    let job = config.job_name.as_ref().map_or_else(|| config.name.to_string(), ToString::to_string);
    let said = [
        ("scheme", json!(config.scheme)),
        ("metricsPath", json!(config.metrics_path)),
        ("scrapeInterval", json!(config.scrape_interval)),
        ("scrapeTimeout", json!(config.scrape_timeout)),
        ("basicAuth", json!(config.basic_auth)),
        ("authorization", json!(config.authorization)),
        ("tlsConfig", config.tls.as_ref().map_or(Value::Null, tls)),
        ("relabelings", list(&config.relabelings)),
        ("metricRelabelings", list(&config.metric_relabelings)),
    ];
    let mut spec = Map::from_iter([("jobName".to_owned(), json!(job)), ("staticConfigs".to_owned(), json!([targets]))]);
    spec.extend(said.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.to_owned(), value)));
    spec.extend(config.config.clone());
    spec.into()
}

/// A list, where there is something in it: the operator's definitions want no empty one.
fn list(items: &[impl serde::Serialize]) -> Value {
    if items.is_empty() { Value::Null } else { json!(items) }
}

/// A `tlsConfig`.
pub(super) fn tls(tls: &ScrapeTls) -> Value {
    let mut config = Map::new();
    for (key, secret) in [("ca", &tls.ca), ("cert", &tls.cert)] {
        config.extend(secret.as_ref().map(|secret| (key.to_owned(), json!({ "secret": secret }))));
    }
    config.extend(tls.key.as_ref().map(|secret| ("keySecret".to_owned(), json!(secret))));
    config.extend(tls.server_name.as_ref().map(|name| ("serverName".to_owned(), json!(name))));
    config.extend(tls.insecure_skip_verify.then(|| ("insecureSkipVerify".to_owned(), true.into())));
    config.into()
}

/// The metric relabelings that drop what is called so.
pub(super) fn drops(names: &[Expression]) -> Vec<Value> {
    names.iter().map(|regex| json!({ "action": "drop", "regex": regex, "sourceLabels": ["__name__"] })).collect()
}
