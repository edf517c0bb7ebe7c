//! Jobs, and the CronJobs that make them.

use super::judge::{Judge, QUALIFIED};
use super::selectors;
use crate::fields::{filled, given, integer, is_set, items};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::{calendar, cron, name};
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

rules! {
    JOB "job" Error Server "Jobs have valid completions, parallelism and failure policies"
    SCHEDULE "cron-schedule" Error Server "every CronJob has a valid `schedule` and time zone"
}

/// The most pods of an indexed Job that may run at once.
const MOST_AT_ONCE: i64 = 100_000;
/// The most rules that a Job can have for pods that fail or succeed.
const MOST_RULES: usize = 20;

/// More indices than this fail each for itself only where it is said how many may.
const MANY: i64 = 100_000;

pub(super) fn check(judge: &mut Judge<'_, '_>) {
    let object = *judge.object;
    if object.group != "batch" {
        return;
    }
    let Some(spec) = object.node.get("spec") else { return };
    match object.kind {
        "Job" => {
            job(judge, spec);
            if !is_set(spec, "manualSelector")
                && let Some(entry) = spec.entry("selector").filter(|entry| !entry.value.is_null())
            {
                judge
                    .add(&JOB, entry, "the selector of a Job is made by the cluster")
                    .help("remove it, or set `manualSelector: true` if you know why");
            }
            if is_set(spec, "manualSelector") {
                judge.required(&JOB, spec, "selector");
            }
            if let Some(selector) = given(spec, "selector").filter(|_| is_set(spec, "manualSelector")) {
                selectors::selector(judge, selector);
                if let Some(wrong) = selectors::mismatch(selector, spec.at(&["template", "metadata", "labels"])) {
                    judge.add(&JOB, wrong, "the selector does not match the labels of the pod template");
                }
            }
            hostname(judge, spec);
        }
        "CronJob" => {
            cron_job(judge, spec);
            if let Some(spec) = spec.at(&["jobTemplate", "spec"]) {
                job(judge, spec);
                for key in ["selector", "manualSelector"] {
                    if let Some(entry) =
                        spec.entry(key).filter(|entry| !entry.value.is_null() && entry.value.boolean() != Some(false))
                    {
                        judge.add(&JOB, entry, format!("the Jobs of a CronJob have no `{key}`")).help("remove it");
                    }
                }
            }
        }
        _ => {}
    }
}

fn job(judge: &mut Judge<'_, '_>, spec: &Node) {
    let numbers = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    judge.not_negative(&JOB, spec, &numbers);
    judge.set_to_one_of(&JOB, spec.get("completionMode"), &["Indexed", "NonIndexed"]);
    let failures = given(spec, "podFailurePolicy");
    let replacement: &[&str] = if failures.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    judge.set_to_one_of(&JOB, spec.get("podReplacementPolicy"), replacement);
    let mode = filled(spec, "completionMode").map_or("NonIndexed", |(_, mode)| mode);
    if mode == "Indexed" {
        // Without both there is one index.
        if given(spec, "completions").is_none() && given(spec, "parallelism").is_some() {
            judge.add(&JOB, spec, "an indexed Job without `completions`").help("say how many indices there are");
        }
        judge.range(&JOB, spec.get("parallelism"), 0..=MOST_AT_ONCE);
    } else if mode == "NonIndexed" {
        for key in ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] {
            if let Some(entry) = spec.entry(key).filter(|entry| !entry.value.is_null()) {
                judge
                    .add(&JOB, entry, format!("`{key}` of a Job without indices"))
                    .help("set `completionMode: Indexed`, or remove it");
            }
        }
    }
    if let Some(entry) = spec
        .entry("maxFailedIndexes")
        .filter(|entry| !entry.value.is_null() && given(spec, "backoffLimitPerIndex").is_none())
    {
        judge.add(&JOB, entry, "`maxFailedIndexes` without `backoffLimitPerIndex`");
    }
    indices(judge, spec, mode == "Indexed");
    judge.not_empty(&JOB, spec, "managedBy");
    if let Some((node, by)) = filled(spec, "managedBy")
        && !by.split_once('/').is_some_and(|(domain, _)| name::is_dns1123_subdomain(domain))
    {
        judge
            .add(&JOB, node, format!("{} manages no Jobs", Quoted(by)))
            .label("expected a name with a domain, such as `example.com/controller`");
    }
    if let Some(failures) = failures {
        failure_policy(judge, spec, failures);
    }
}

/// How many indices there are, and which of them may fail: `validateJobSpec` of Kubernetes 1.37.
fn indices(judge: &mut Judge<'_, '_>, spec: &Node, is_indexed: bool) {
    let Some((count, most)) = integer(spec, "completions").map(|count| (count, integer(spec, "maxFailedIndexes")))
    else {
        return;
    };
    if let (Some(most), Some(node)) = (most, spec.get("maxFailedIndexes"))
        && most > count
    {
        judge.add(&JOB, node, format!("{most} of {count} indices")).label(format!("expected {count} or less"));
    }
    if is_indexed && count > MANY && given(spec, "backoffLimitPerIndex").is_some() {
        match most {
            None => {
                judge
                    .within(&JOB, spec, format!("{count} indices that fail each for itself"))
                    .label("expected `maxFailedIndexes`, as there are more than 100000");
            }
            Some(_) => judge.range(&JOB, spec.get("maxFailedIndexes"), 0..=10_000),
        }
        judge.range(&JOB, spec.get("parallelism"), 0..=10_000);
    }
    for rule in items(spec, ["successPolicy", "rules"]) {
        judge.range(&JOB, rule.get("succeededCount"), 0..=count);
        let Some((node, text)) = filled(rule, "succeededIndexes") else { continue };
        let mut last = -1;
        for part in text.split(',') {
            let (first, end) = part.split_once('-').unwrap_or((part, part));
            let wrong = match (first.parse::<i64>(), end.parse::<i64>()) {
                (Ok(first), Ok(end)) if first > last && end >= first && end < count => {
                    last = end;
                    None
                }
                (Ok(_), Ok(end)) if end >= count => Some(format!("expected indices below {count}")),
                _ => Some("expected indices in order, such as `1,3-5`".to_owned()),
            };
            if let Some(wrong) = wrong {
                judge.add(&JOB, node, format!("{} are no indices", Quoted(text))).label(wrong);
                break;
            }
        }
    }
}

/// What to do when pods fail.
fn failure_policy(judge: &mut Judge<'_, '_>, spec: &Node, policy: &Node) {
    if let Some((node, text)) = spec.at(&["template", "spec"]).and_then(|spec| filled(spec, "restartPolicy"))
        && text == "OnFailure"
    {
        judge
            .add(&JOB, node, "pods that restart by themselves do not fail")
            .label("expected `Never`, as there is a `podFailurePolicy`");
    }
    let rules = items(policy, "rules");
    if rules.len() > MOST_RULES {
        judge.add(&JOB, policy, format!("{} rules", rules.len())).label(format!("expected at most {MOST_RULES}"));
    }
    for rule in rules {
        judge.set_to_one_of(&JOB, rule.get("action"), &["Count", "FailIndex", "FailJob", "Ignore"]);
        if let Some((node, "FailIndex")) = filled(rule, "action")
            && given(spec, "backoffLimitPerIndex").is_none()
        {
            judge
                .add(&JOB, node, "`FailIndex` without `backoffLimitPerIndex`")
                .label("expected `backoffLimitPerIndex` in the Job")
                .help("set it, or take `FailJob`");
        }
        let codes = given(rule, "onExitCodes");
        let conditions = !items(rule, "onPodConditions").is_empty();
        if codes.is_some() == conditions {
            judge
                .add(
                    &JOB,
                    rule,
                    if conditions { "a rule for exit codes and for conditions" } else { "a rule for nothing" },
                )
                .label("expected `onExitCodes` or `onPodConditions`");
        }
        for condition in items(rule, "onPodConditions") {
            judge.one_of(&JOB, condition.get("status"), &["False", "True", "Unknown"]);
            if let Some((node, kind)) = filled(condition, "type").filter(|(_, kind)| !name::is_qualified_name(kind)) {
                judge.add(&JOB, node, format!("{} is no condition of pods", Quoted(kind))).label(QUALIFIED);
            }
        }
        if let Some(codes) = codes {
            exit_codes(judge, spec, codes);
        }
    }
}

/// The exit codes that a rule is about, and whose.
fn exit_codes(judge: &mut Judge<'_, '_>, spec: &Node, codes: &Node) {
    judge.set_to_one_of(&JOB, codes.get("operator"), &["In", "NotIn"]);
    let mut last: Option<i64> = None;
    let values = items(codes, "values");
    for node in values {
        let Some(value) = node.integer() else { continue };
        if value == 0 && filled(codes, "operator").is_some_and(|(_, text)| text == "In") {
            judge.add(&JOB, node, "0 is no failure").label("expected another exit code");
        }
        if last.is_some_and(|last| last >= value) {
            judge
                .add(&JOB, node, format!("{value} after {}", last.unwrap_or_default()))
                .label("expected each once, in order");
        }
        last = Some(value);
    }
    if let Some(node) = codes.get("values").filter(|node| !node.is_null() && values.is_empty()) {
        judge.add(&JOB, node, "no exit code").label("expected at least one");
    }
    let names: HashSet<&str> = ["initContainers", "containers"]
        .iter()
        .filter_map(|key| spec.at(&["template", "spec", key]))
        .flat_map(Node::items)
        .filter_map(|container| Some(filled(container, "name")?.1))
        .collect();
    if let Some(node) = given(codes, "containerName")
        && let Some(name) = node.text().filter(|name| !names.contains(name))
    {
        judge.add(&JOB, node, format!("the pod has no container {}", Quoted(name)));
    }
}

/// The names of the pods of an indexed Job: they are names of hosts.
fn hostname(judge: &mut Judge<'_, '_>, spec: &Node) {
    if filled(spec, "completionMode").is_none_or(|(_, mode)| mode != "Indexed") {
        return;
    }
    let said = given(spec, "completions").map(Node::integer);
    let Some(count @ 1..) = said.unwrap_or_else(|| given(spec, "parallelism").is_none().then_some(1)) else { return };
    let name = judge.object.name;
    if !name.is_empty()
        && !name::is_dns1123_label(&format!("{name}-{}", count - 1))
        && let Some(node) = judge.object.at(&["metadata", "name"])
    {
        judge
            .add(&JOB, node, format!("`{name}-{}` is no name for a pod that has an index", count - 1))
            .label("expected a shorter name, without dots");
    }
}

fn cron_job(judge: &mut Judge<'_, '_>, spec: &Node) {
    let numbers = ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"];
    judge.not_negative(&JOB, spec, &numbers);
    judge.one_of(&JOB, spec.get("concurrencyPolicy"), &["Allow", "Forbid", "Replace"]);
    if let Some(node) = spec.get("schedule")
        && let Some(text) = node.text()
    {
        if text.contains("TZ") {
            judge
                .add(&SCHEDULE, node, format!("{} names a time zone", Quoted(text)))
                .help("remove it, and set `timeZone:`");
        } else if let Err(wrong) = cron::check(text) {
            judge
                .add(&SCHEDULE, node, format!("{} is no schedule", Quoted(text)))
                .label(why(wrong))
                .help("write five fields, such as `*/5 * * * *` for every five minutes, or a word such as `@hourly`");
        }
    }
    let Some(node) = given(spec, "timeZone") else { return };
    let Some(zone) = node.text() else { return };
    if !calendar::is_time_zone(zone) {
        judge.add(&SCHEDULE, node, format!("{} is no time zone", Quoted(zone))).label(
            match nearest(zone, calendar::time_zones()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "expected one such as `Europe/Berlin` or `Etc/UTC`".to_owned(),
            },
        );
    }
}

/// What is wrong with a schedule, in words.
fn why(wrong: cron::Wrong<'_>) -> String {
    match wrong {
        cron::Wrong::Empty => "it is empty".to_owned(),
        cron::Wrong::Word => {
            "after `@` may stand yearly, monthly, weekly, daily, midnight, hourly or `every 1h30m`".to_owned()
        }
        cron::Wrong::Fields(count) => {
            format!("it has {count} of the five fields: minute, hour, day, month, day of the week")
        }
        cron::Wrong::Field(cron::Field { name, least, most, .. }, part) => {
            let part: String = part.chars().take(40).collect();
            format!("the {name} cannot be `{part}`: it is from {least} to {most}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::{JOB, SCHEDULE};

    fn job(fields: &str, times: usize) {
        let pod = "spec: {restartPolicy: Never, containers: [{name: a, image: a}]}";
        let text = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a.b}}\nspec: {{{fields}, template: {{metadata: {{labels: {{a: b}}}}, {pod}}}}}\n"
        );
        broken(&text, &JOB, times);
    }

    #[test]
    fn jobs() {
        job("backoffLimit: 0, parallelism: 0", 0);
        job("backoffLimit: -1", 1);
        job("selector: {matchLabels: {a: b}}", 1);
        job("manualSelector: true, selector: {matchLabels: {a: b}}", 0);
        job("manualSelector: true, selector: {matchLabels: {a: c}}", 1);
        job("podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: a b, status: 'true'}]}]}", 2);
        job("manualSelector: true", 1);
        job("completionMode: Indexed, parallelism: 2", 1);
        job("completionMode: indexed", 1);
        job("completionMode: Indexed, completions: 2", 1); // The name has a dot.
        job("backoffLimitPerIndex: 1, maxFailedIndexes: 1", 2);
        let by_index = "podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {operator: In, values: [1]}}]}";
        job(by_index, 1);
        job(&format!("{by_index}, backoffLimitPerIndex: 1"), 1); // It is for indexed Jobs, which is told.
        job("podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: a, status: 'True'}]}]}", 0);
        job("podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [0, 3, 2]}}]}", 2);
        job(
            "podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [1], containerName: b}}]}",
            1,
        );
        job("podFailurePolicy: {rules: [{action: FailJob}]}, podReplacementPolicy: TerminatingOrFailed", 2);
    }

    #[test]
    fn schedules() {
        for (fields, times) in [
            ("schedule: '*/5 * * * *'", 0),
            ("schedule: \"@hourly\", timeZone: Europe/Berlin", 0),
            ("schedule: '* * * *'", 1),
            ("schedule: 'TZ=UTC 0 0 * * *'", 1),
            ("schedule: '@daily', timeZone: ''", 1),
            ("schedule: '@daily', timeZone: local", 1),
            ("schedule: '@daily', timeZone: Europe//Berlin", 1),
            ("schedule: '@daily', timeZone: Etc/GMT+5", 0),
        ] {
            let text = format!("apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: a}}\nspec: {{{fields}}}\n");
            broken(&text, &SCHEDULE, times);
        }
    }
}
