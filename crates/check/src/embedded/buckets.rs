//! Series that a target does not have, or that do not outlive the scrape: buckets of histograms, and what
//! `metricRelabelings` drop.

use super::query::{Drop, Endpoint, Parsing, Query, Selector, Targets};
use crate::finding::Findings;
use crate::rule::rules;
use vigil_yaml::Quoted;

rules! {
    BUCKET "query-bucket" Warning Nobody "every `le` that a query asks for is a bucket of its histogram"
    DROPPED "query-dropped" Warning Nobody "no query asks for series that `metricRelabelings` drop"
}

/// The bounds of histograms whose buckets are often named: `apiserver/pkg/endpoints/metrics` of Kubernetes, v1.29.15 to
/// v1.37.2.
const BOUNDS: [(&str, &[f64]); 2] = [
    (
        "apiserver_request_duration_seconds_bucket",
        &[
            0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0,
            20.0, 30.0, 45.0, 60.0,
        ],
    ),
    (
        "apiserver_request_sli_duration_seconds_bucket",
        &[
            0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0,
            60.0,
        ],
    ),
];

/// Judges the buckets that queries name, and what the scrape leaves of what they ask for. Prometheus `writes_floats` where a
/// target's `le` is a whole number if it is of version 3.
pub(super) fn check<'w>(
    queries: &[Query<'w, '_>],
    parsing: &Parsing<'w>,
    targets: &Targets,
    writes_floats: bool,
    findings: &mut Findings,
) {
    for query in queries {
        let Some(parsed) = parsing.of(query) else { continue };
        for selector in &parsed.selectors {
            if let Some((message, help)) = no_bucket(selector, writes_floats) {
                query.place.add(&BUCKET, query.node, message, findings).help(help);
            } else if let Some(job) = dropped(selector, &targets.endpoints) {
                let name = selector.metric.as_deref().unwrap_or_default();
                let bucket = selector.bounds.first().map(|bound| format!(" with `le=\"{bound}\"`")).unwrap_or_default();
                let message = format!("`metricRelabelings` of job `{job}` drop {}{bucket}", Quoted(name));
                query
                    .place
                    .add(&DROPPED, query.node, message, findings)
                    .help("take it out of the `regex` of the monitor, or leave the query out");
            }
        }
    }
}

/// What is wrong with the bucket that a selector names, and what to write.
fn no_bucket(selector: &Selector, writes_floats: bool) -> Option<(String, String)> {
    let is_whole = |bound: &str| !bound.is_empty() && bound.bytes().all(|byte| byte.is_ascii_digit());
    let has = |wanted: &str| selector.bounds.iter().any(|bound| bound == wanted);
    let old = selector.bounds.iter().find(|bound| is_whole(bound) && !has(&format!("{bound}.0")));
    if let Some(bound) = old.filter(|_| writes_floats) {
        return Some((
            format!("no series has `le=\"{bound}\"`: Prometheus 3 writes it `{bound}.0`"),
            format!("write `le=~\"{bound}|{bound}\\\\.0\"`, which finds what Prometheus 2 wrote as well"),
        ));
    }
    let name = selector.metric.as_deref()?;
    let (_, bounds) = BOUNDS.iter().find(|(known, _)| *known == name)?;
    let wanted: Vec<f64> = selector.bounds.iter().map(|bound| bound.parse()).collect::<Result<_, _>>().ok()?;
    let is_there = |wanted: &f64| wanted.is_infinite() || bounds.iter().any(|bound| (bound - wanted).abs() < 1e-9);
    let first = selector.bounds.first().filter(|_| !wanted.iter().any(is_there))?;
    let nearest = bounds.iter().min_by(|a, b| (*a - wanted[0]).abs().total_cmp(&(*b - wanted[0]).abs()))?;
    Some((format!("{} has no bucket `le=\"{first}\"`", Quoted(name)), format!("the nearest is `{nearest:?}`")))
}

/// The job whose endpoints all drop what a selector asks for, though they may expose it.
fn dropped<'t>(selector: &Selector, endpoints: &'t [Endpoint]) -> Option<&'t str> {
    let name = selector.metric.as_deref()?;
    let is_of_cadvisor = ["container_", "machine_"].iter().any(|start| name.starts_with(start));
    let asked = endpoints.iter().filter(|endpoint| match &selector.job {
        Some((job, false)) => endpoint.jobs.contains(job),
        // Without a job only what a single kind of endpoint exposes is known to come from there.
        _ => is_of_cadvisor && endpoint.is_cadvisor,
    });
    let asked: Vec<&Endpoint> = asked.collect();
    let only_cadvisor = is_of_cadvisor && asked.iter().any(|endpoint| endpoint.is_cadvisor);
    let mut asked = asked.into_iter().filter(|endpoint| !only_cadvisor || endpoint.is_cadvisor).peekable();
    let first = asked.peek()?.jobs.first()?;
    asked.all(|endpoint| endpoint.drops.iter().any(|drop| is_dropped(drop, name, &selector.bounds))).then_some(first)
}

/// Whether all that is asked for matches what is dropped.
fn is_dropped(drop: &Drop, name: &str, bounds: &[String]) -> bool {
    let text = |bound: &str| {
        let value = |label: &String| if label == "le" { bound.to_owned() } else { name.to_owned() };
        drop.labels.iter().map(value).collect::<Vec<_>>().join(&drop.separator)
    };
    let by_bound = drop.labels.iter().any(|label| label == "le");
    if by_bound && bounds.is_empty() {
        return false;
    }
    let bounds: Vec<&str> = if by_bound { bounds.iter().map(String::as_str).collect() } else { vec![""] };
    bounds.iter().all(|bound| drop.drops(&text(bound)))
}

#[cfg(test)]
mod tests {
    use super::super::query::parse;
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::OnceLock;

    fn selector(text: &str) -> Selector {
        parse(text, false).selectors[0].clone()
    }

    #[test]
    fn buckets() {
        for (text, floats, expected) in [
            ("a_bucket{le=\"1\"}", true, true),
            ("a_bucket{le=\"1\"}", false, false),
            ("a_bucket{le=\"1.0\"}", true, false),
            ("a_bucket{le=\"0.5\"}", true, false),
            ("a_bucket{le=~\"1|1\\\\.0\"}", true, false),
            ("a_bucket{le=~\"1|5\"}", true, true),
            ("a_bucket{le=~\"1(\\\\.0)?\"}", true, false),
            ("a_bucket{le=\"+Inf\"}", true, false),
            ("a_bucket{le=~\"\\\\+Inf|1.0\"}", true, false),
            ("a_bucket{le!=\"1\"}", true, false),
            ("apiserver_request_duration_seconds_bucket{le=\"0.5\"}", false, true),
            ("apiserver_request_duration_seconds_bucket{le=\"0.4\"}", false, false),
            ("apiserver_request_duration_seconds_bucket{le=~\"0.5|0.4\"}", false, false),
            ("apiserver_request_sli_duration_seconds_bucket{le=\"0.005\"}", false, true),
        ] {
            assert_eq!(no_bucket(&selector(text), floats).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn drops() {
        let drop = |labels: &[&str], regex: &str, of_matches| Drop {
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            separator: ";".to_owned(),
            pattern: regex.to_owned(),
            regex: OnceLock::new(),
            of_matches,
        };
        let endpoint =
            |job: &str, is_cadvisor, drops| Endpoint { jobs: BTreeSet::from([job.to_owned()]), is_cadvisor, drops };
        let endpoints = [
            endpoint("api", false, vec![drop(&["__name__", "le"], "a_bucket;(2|3)(\\.0)?", true)]),
            endpoint("kubelet", false, vec![]),
            endpoint("kubelet", true, vec![drop(&["__name__"], "container_cpu_load.*", true)]),
            endpoint("few", false, vec![drop(&["__name__"], "up|web_.*", false)]),
        ];
        for (text, expected) in [
            ("a_bucket{job=\"api\", le=\"2\"}", Some("api")),
            ("a_bucket{job=\"api\", le=~\"2|2\\\\.0\"}", Some("api")),
            ("a_bucket{job=\"api\", le=~\"1|2\"}", None),
            ("a_bucket{job=\"api\"}", None),
            ("a_bucket{le=\"2\"}", None),
            ("container_cpu_load_average_10s", Some("kubelet")),
            ("container_cpu_load_average_10s{job=\"kubelet\"}", Some("kubelet")),
            ("container_cpu_usage_seconds_total", None),
            ("go_goroutines{job=\"few\"}", Some("few")),
            ("web_requests_total{job=\"few\"}", None),
            ("go_goroutines{job=\"others\"}", None),
        ] {
            assert_eq!(dropped(&selector(text), &endpoints), expected, "{text}");
        }
    }
}
