//! Prometheus evaluates all rules of every stack.

use crate::assets::{self, program};
use crate::failure::{Context, Failure, Result};
use crate::http::Http;
use crate::monitoring::write;
use crate::parallel::parallel;
use crate::process::{Process, free_port, wait_for};
use crate::proof::Proof;
use crate::stacks::Rendered;
use crate::workplace;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

const METHOD: &str = "\
Prometheus gets the groups of every PrometheusRule of a stack, each object as a file of its own, and the external labels of the
stack, and runs until it has evaluated all of them. Every group must be loaded, and every rule be in health: `/api/v1/rules` has no
`lastError`. There are no samples: what rules do with them is tried by `crates/render/tests/rules`.";

const COLUMNS: [&str; 6] = ["stack", "Prometheus", "groups", "alerts", "recorded", "evaluated without an error"];

/// Groups are evaluated at a moment of their own within their interval: the longest has five minutes.
const LIMIT: Duration = Duration::from_secs(420);

/// The configuration of Prometheus, in its folder.
pub(crate) const CONFIG: &str = "prometheus.json";

pub(crate) fn prove(stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("Prometheus evaluates all rules", METHOD, &COLUMNS);
    // They wait for their turns, most of the time.
    proof.take(parallel(stacks.len(), stacks, of_stack)?);
    Ok(proof)
}

fn of_stack(stack: &Rendered) -> Result<Proof> {
    let mut proof = Proof::default();
    if !stack.objects.iter().any(|object| object.kind() == "PrometheusRule") {
        return Ok(proof);
    }
    eprintln!("  {}", stack.name);
    let place = workplace::folder("rules-")?;
    let groups = write_rules(stack, &place.path().join("rules"))?;
    let (_process, http) = start(stack, place.path(), &json!([]))?;
    let mut loaded = Vec::new();
    wait_for(LIMIT, || {
        loaded = self::groups(&http).unwrap_or_default();
        loaded.len() == groups && loaded.iter().all(is_evaluated)
    });
    let all: Vec<_> = loaded.iter().filter_map(|group| group["rules"].as_array()).flatten().collect();
    let of = |kind: &str| all.iter().filter(|rule| rule["type"] == kind).count();
    let name = &stack.name;
    proof.expect(loaded.len() == groups, || format!("{name}: {} of {groups} groups are loaded", loaded.len()));
    for group in loaded.iter().filter(|group| !is_evaluated(group)) {
        proof.finding(format!("{name}: the group {} is not evaluated", group["name"]));
    }
    let failed: Vec<_> = all.iter().filter(|rule| rule["health"] != "ok" || rule["lastError"].is_string()).collect();
    for rule in &failed {
        proof.finding(format!("{name}: {}: {} {}", rule["name"], rule["health"], rule["lastError"]));
    }
    let counts = [groups, of("alerting"), of("recording"), all.len() - failed.len()];
    proof.row([name.clone(), assets::version("prometheus")?].into_iter().chain(counts.map(|count| count.to_string())));
    Ok(proof)
}

/// Prometheus with the rules in `place/rules`, and nothing of its own but the labels that its stack gives to all it sends.
pub(crate) fn start(stack: &Rendered, place: &Path, scrapes: &Value) -> Result<(Process, Http)> {
    let spec = &stack.object("prometheus", "Prometheus")?.value["spec"];
    let config = json!({
        "global": {
            "evaluation_interval": spec["evaluationInterval"],
            "external_labels": spec["externalLabels"].as_object().cloned().unwrap_or_default(),
        },
        "rule_files": [place.join("rules/*.yaml")],
        "scrape_configs": scrapes,
    });
    let file = place.join(CONFIG);
    write(&file, &config.to_string())?;
    let port = free_port()?;
    let arguments = [
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", place.join("data").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--web.enable-lifecycle".to_owned(),
    ];
    let name = format!("prometheus-{}", stack.name);
    let mut process = Process::start(&name, &program("prometheus", "prometheus")?, arguments, &[], place)?;
    let http = Http::at(port);
    process.wait_until(LIMIT, || http.is_ok("/-/ready"))?;
    Ok((process, http))
}

/// Writes the rules of a stack, an object a file; how many groups they are.
pub(crate) fn write_rules(stack: &Rendered, into: &Path) -> Result<usize> {
    fs::create_dir_all(into).context(into.display())?;
    let mut count = 0;
    for object in stack.objects.iter().filter(|object| object.kind() == "PrometheusRule") {
        let groups = object.value["spec"]["groups"].as_array();
        let groups = groups.ok_or_else(|| Failure::new(format!("{} has no groups", object.title())))?;
        write(&into.join(format!("{}.yaml", object.name())), &json!({ "groups": groups }).to_string())?;
        count += groups.len();
    }
    Ok(count)
}

/// The groups that Prometheus has loaded, with what became of each rule.
pub(crate) fn groups(http: &Http) -> Result<Vec<Value>> {
    let answer = http.get("/api/v1/rules")?.ok("the rules")?;
    Ok(answer.pointer("/data/groups").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// Whether each rule of a group has had its turn. A time of Go that is none is in the year 1.
pub(crate) fn is_evaluated(group: &Value) -> bool {
    let is_set = |time: &Value| time.as_str().is_some_and(|time| !time.starts_with("0001-"));
    group["rules"].as_array().is_some_and(|rules| rules.iter().all(|rule| is_set(&rule["lastEvaluation"])))
}
