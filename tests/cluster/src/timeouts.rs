//! What the operator takes and refuses of scrape timeouts, and whether the checker knows.

use crate::assets::{self, Release};
use crate::control_plane::ControlPlane;
use crate::controllers::{credentials, issue, start_operator, unpacked};
use crate::failure::{Failure, Result};
use crate::prerequisites::{self, create};
use crate::process::wait_for;
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::Rendered;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use vigil_yaml::Source;

const METHOD: &str = "\
After `just apply` prometheus-operator runs as its Deployment would, and is brought ServiceMonitors, PodMonitors, Probes and
ScrapeConfigs whose `scrapeTimeout` is as long as the interval, or a millisecond longer: with an interval of their own, and
with Prometheus'. Refused is what an event says so of, and what is not in Prometheus' configuration; taken is what has its
job there. `vigil check` must find the rule `scrape-timeout` broken by those that are refused, and by nothing else.";

const COLUMNS: [&str; 8] = [
    "Kubernetes",
    "stack",
    "prometheus-operator",
    "`scrapeInterval`",
    "refused, and how it is said",
    "taken",
    "taken of the stack's own ServiceMonitors",
    "found by `vigil check`",
];

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

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("Scrape timeouts, as the operator judges them", METHOD, &COLUMNS);
    for release in releases {
        for stack in stacks.iter().filter(|stack| stack.has("prometheus")) {
            let at = format!("Kubernetes {}, {}", release.version, stack.name);
            eprintln!("  {at}");
            let plane = ControlPlane::start(release)?;
            prerequisites::bring(&plane, stack)?;
            plane.kubectl.shell(&recipe::script("apply")?, stack.directory.path())?.ok("just apply")?;
            issue(&plane, stack)?;
            credentials(&plane, stack)?;
            let _operator = start_operator(&plane, stack)?;
            let row = compare(&plane, stack, &at, &mut proof)?;
            let version = assets::version("prometheus-operator")?;
            proof.row([release.version.clone(), stack.name.clone(), version].into_iter().chain(row));
        }
    }
    Ok(proof)
}

/// Brings objects of every kind to a running operator, and compares what it does of them with what the checker says.
fn compare(plane: &ControlPlane, stack: &Rendered, at: &str, proof: &mut Proof) -> Result<[String; 5]> {
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

    let mut told = BTreeMap::new();
    wait_for(LIMIT, || {
        told = refusals(plane).unwrap_or_default();
        told.len() == refused.len()
    });
    let told_of: BTreeSet<_> = told.keys().cloned().collect();
    proof.expect(told_of == refused, || format!("{at}: the operator refuses {told:?}, not {refused:?}"));

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
    // Of the monitors that have Prometheus' interval: what somebody would look for.
    let words = told.into_iter().find(|(title, _)| title.contains("inherited")).map(|(_, words)| words);
    let words = words.as_deref().and_then(|words| words.split("invalid configuration: ").last()).unwrap_or_default();
    Ok([
        interval.to_owned(),
        format!("{} of {}: `{words}`", refused.len(), cases.len()),
        format!("{} of {}", taken.len(), cases.len()),
        format!("all {}", own.len()),
        format!("{} of {}", said.len(), cases.len()),
    ])
}

/// Whether a configuration scrapes what an object asks for; its endpoints are numbered.
fn has_job(text: &str, job: &str) -> bool {
    text.lines()
        .filter_map(|line| line.trim_start_matches(['-', ' ']).strip_prefix("job_name: "))
        .any(|name| name.strip_prefix(job).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// The objects of which events say that their timeout is above the interval, and the words.
fn refusals(plane: &ControlPlane) -> Result<BTreeMap<String, String>> {
    let events = plane.api.get("/api/v1/events?fieldSelector=type%3DWarning")?.ok("events")?;
    let all = events["items"].as_array().into_iter().flatten();
    let of_timeouts = all.filter(|event| event["message"].as_str().is_some_and(|message| message.contains(REFUSAL)));
    let text = |event: &Value, key: &str| event["involvedObject"][key].as_str().unwrap_or_default().to_owned();
    let named = |event: &Value| {
        let title = format!("{} {}/{}", text(event, "kind"), text(event, "namespace"), text(event, "name"));
        (title, event["message"].as_str().unwrap_or_default().to_owned())
    };
    Ok(of_timeouts.map(named).collect())
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
