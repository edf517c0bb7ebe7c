//! What the operator takes and refuses of scrape timeouts, and whether the checker knows.

use crate::control_plane::ControlPlane;
use crate::controllers::unpacked;
use crate::failure::{Failure, Result};
use crate::prerequisites::create;
use crate::process::wait_for;
use crate::proof::Proof;
use crate::stacks::Rendered;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use vigil_yaml::Source;

const LIMIT: Duration = Duration::from_secs(90);

/// What the operator says of a timeout above its interval, and the rule that says it without a cluster.
const REFUSAL: &str = "greater than scrapeInterval";
const RULE: &str = "scrape-timeout";

/// An object with a timeout, and whether that is above its interval.
struct Case {
    object: Value,
    /// What its scrapes are called in Prometheus' configuration.
    job: String,
    refused: bool,
}

/// Every kind with a timeout that is as long as its interval, and one that is a millisecond longer; with an interval of
/// its own, and with Prometheus'.
fn cases(namespace: &str, interval: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for own in [Some("7s"), None] {
        let between = own.unwrap_or(interval);
        for (timeout, refused) in [(between.to_owned(), false), (format!("{between}1ms"), true)] {
            let whose = if own.is_some() { "own" } else { "inherited" };
            let name = format!("timeout-{whose}-{}", if refused { "longer" } else { "equal" });
            let timed = |mut spec: Value, key: &str| {
                spec["scrapeTimeout"] = timeout.as_str().into();
                if let Some(own) = own {
                    spec[key] = own.into();
                }
                spec
            };
            let endpoint = timed(json!({ "port": "metrics" }), "interval");
            let targets = json!({ "staticConfig": { "static": ["127.0.0.1"] } });
            let prober = json!({ "prober": { "url": "127.0.0.1:9115" }, "targets": targets });
            let scraped = json!({ "staticConfigs": [{ "targets": ["127.0.0.1:1"] }] });
            for (kind, spec, job) in [
                ("ServiceMonitor", json!({ "selector": {}, "endpoints": [endpoint] }), "serviceMonitor"),
                ("PodMonitor", json!({ "selector": {}, "podMetricsEndpoints": [endpoint] }), "podMonitor"),
                ("Probe", timed(prober, "interval"), "probe"),
                ("ScrapeConfig", timed(scraped, "scrapeInterval"), "scrapeConfig"),
            ] {
                let version = if kind == "ScrapeConfig" { "v1alpha1" } else { "v1" };
                // Every selection of the stacks takes them.
                let labels = json!({ "release": "kube-prometheus-stack" });
                cases.push(Case {
                    object: json!({
                        "apiVersion": format!("monitoring.coreos.com/{version}"),
                        "kind": kind,
                        "metadata": { "name": name, "namespace": namespace, "labels": labels },
                        "spec": spec,
                    }),
                    job: format!("{job}/{namespace}/{name}"),
                    refused,
                });
            }
        }
    }
    cases
}

fn title(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

/// Brings objects of every kind to a running operator, and compares what it does of them with what the checker says;
/// `None` when the stack has no Prometheus. The stack's own monitors are all taken.
pub(crate) fn compare(plane: &ControlPlane, stack: &Rendered, at: &str, proof: &mut Proof) -> Result<Option<String>> {
    if !stack.has("prometheus") {
        return Ok(None);
    }
    let prometheus = stack.object("prometheus", "Prometheus")?;
    let (namespace, name) = (prometheus.namespace(), prometheus.name());
    let interval = prometheus.value["spec"]["scrapeInterval"].as_str().unwrap_or("30s");
    let cases = cases(namespace, interval);
    for Case { object, .. } in &cases {
        let plural = format!("{}s", object["kind"].as_str().unwrap_or_default().to_lowercase());
        let version = object["apiVersion"].as_str().unwrap_or_default();
        create(plane, &format!("/apis/{version}/namespaces/{namespace}/{plural}"), object)?;
    }
    let refused: BTreeSet<_> = cases.iter().filter(|case| case.refused).map(|case| title(&case.object)).collect();

    let mut told = BTreeSet::new();
    wait_for(LIMIT, || {
        told = refusals(plane).unwrap_or_default();
        told == refused
    });
    proof
        .expect(told == refused, || format!("{at}: the operator refuses {told:?} for their timeouts, not {refused:?}"));

    let taken: Vec<_> = cases.iter().filter(|case| !case.refused).map(|case| case.job.clone()).collect();
    let own = stack.objects.iter().filter(|object| object.kind() == "ServiceMonitor");
    let own: Vec<_> = own.map(|object| format!("serviceMonitor/{}/{}", object.namespace(), object.name())).collect();
    let mut missing = Vec::new();
    let mut text = String::new();
    wait_for(LIMIT, || {
        let made = unpacked(plane, namespace, &format!("prometheus-{name}"), "prometheus.yaml.gz");
        text = made.ok().flatten().unwrap_or_default();
        missing = taken.iter().chain(&own).filter(|job| !has_job(&text, job)).collect();
        missing.is_empty()
    });
    proof.expect(missing.is_empty(), || format!("{at}: the operator's configuration has no job of {missing:?}"));
    for case in cases.iter().filter(|case| case.refused && has_job(&text, &case.job)) {
        proof.finding(format!("{at}: the operator's configuration has a job of {}", title(&case.object)));
    }

    let said = said_by_checker(stack, &cases)?;
    proof.expect(said == refused, || format!("{at}: the checker finds {said:?}, not {refused:?}"));
    Ok(Some(format!(
        "of {} monitors, Probes and ScrapeConfigs refuses the {} whose `scrapeTimeout` is a millisecond above the interval, \
         their own or Prometheus' {interval}, and takes the others; so does `vigil check`; takes all {} ServiceMonitors of the stack",
        cases.len(),
        refused.len(),
        own.len()
    )))
}

/// Whether a configuration scrapes what an object asks for; its endpoints are numbered.
fn has_job(text: &str, job: &str) -> bool {
    text.lines()
        .filter_map(|line| line.trim_start_matches(['-', ' ']).strip_prefix("job_name: "))
        .any(|name| name.strip_prefix(job).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// The objects of which events say that their timeout is above the interval.
fn refusals(plane: &ControlPlane) -> Result<BTreeSet<String>> {
    let events = plane.api.get("/api/v1/events?fieldSelector=type%3DWarning")?.ok("events")?;
    let all = events["items"].as_array().into_iter().flatten();
    let of_timeouts = all.filter(|event| event["message"].as_str().is_some_and(|message| message.contains(REFUSAL)));
    let text = |event: &Value, key: &str| event["involvedObject"][key].as_str().unwrap_or_default().to_owned();
    Ok(of_timeouts
        .map(|event| format!("{} {}/{}", text(event, "kind"), text(event, "namespace"), text(event, "name")))
        .collect())
}

/// The objects in which the checker finds a timeout above the interval, among those of the stack.
fn said_by_checker(stack: &Rendered, cases: &[Case]) -> Result<BTreeSet<String>> {
    let own = stack.objects.iter().map(|object| object.value.text());
    let texts = own.chain(cases.iter().map(|case| case.object.to_string()));
    let sources: Vec<_> = texts.enumerate().map(|(at, text)| Source::new(format!("{at}"), text)).collect();
    let report = vigil_check::check(&sources, &vigil_check::Options::default());
    if !report.followed {
        return Err(Failure::new("the checker could not read the objects of a stack"));
    }
    let found = report.findings.into_iter().filter(|finding| finding.rule.id == RULE);
    Ok(found.filter_map(|finding| finding.object).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_job_is_that_of_an_object_whatever_its_endpoint() {
        let text = "scrape_configs:\n- job_name: serviceMonitor/a/web/0\n  honor_labels: true\n- job_name: probe/a/b\n";
        for (job, expected) in [
            ("serviceMonitor/a/web", true),
            ("serviceMonitor/a/we", false),
            ("probe/a/b", true),
            ("probe/a", true),
            ("podMonitor/a/web", false),
        ] {
            assert_eq!(super::has_job(text, job), expected, "{job}");
        }
    }
}
