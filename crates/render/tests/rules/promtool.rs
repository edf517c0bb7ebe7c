//! Cases as promtool reads them, and what it says.

use crate::cases::{Cases, File, Fires, Samples, Series, Silent};
use crate::neighbours;
use crate::rendered::{Rule, Rules};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How long the cases of a rule are looked at, in minutes: twice as long as any of them takes to fire.
fn end(cases: &Cases) -> u32 {
    cases.fires.iter().map(|fires| minutes(&fires.from)).max().unwrap_or(30) * 2 + 30
}

/// How long the cases of a file take, more or less: those that look at the longest time are to begin first.
pub(crate) fn weight(file: &File) -> u32 {
    let of = |cases: &Cases| end(cases) * u32::try_from(cases.fires.len() + cases.silent.len()).unwrap_or(u32::MAX);
    file.rules.iter().map(of).sum()
}

/// What annotations begin with that say where the runbook and the panel are; they do not belong to the cases.
const PLACES: [&str; 2] = ["runbook", "__"];

/// What promtool said of tests.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Said {
    /// Whether all of them passed.
    pub(crate) passed: bool,
    /// Its output and its errors.
    pub(crate) text: String,
}

/// A question to promtool and its answer, as a file keeps them.
#[derive(serde::Serialize, serde::Deserialize)]
struct Asked {
    /// Which promtool: its path, its size and when it was built.
    program: String,
    /// Its files, by their names.
    files: BTreeMap<String, String>,
    said: Said,
}

/// Runs the tests of those `files` whose names are `tested`, in a folder of theirs.
///
/// What promtool says follows from the files and from nothing else, and takes it minutes: the answer to the same question is
/// kept in the folder and read from there.
fn test_rules(program: &Path, folder: &Path, files: BTreeMap<String, String>, tested: impl Fn(&str) -> bool) -> Said {
    let built = fs::metadata(program).unwrap();
    let name = format!("{} {} {:?}", program.display(), built.len(), built.modified().unwrap());
    let kept = folder.join("asked.json");
    let known = fs::read(&kept).ok().and_then(|text| serde_json::from_slice::<Asked>(&text).ok());
    if let Some(asked) = known.filter(|asked| asked.program == name && asked.files == files) {
        return asked.said;
    }
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    for (name, text) in &files {
        fs::write(folder.join(name), text).unwrap();
    }
    let output = test_rules_in(program, folder).args(files.keys().filter(|name| tested(name))).output().unwrap();
    let text = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    let asked = Asked { program: name, files, said: Said { passed: output.status.success(), text } };
    fs::write(kept, serde_json::to_vec(&asked).unwrap()).unwrap();
    asked.said
}

/// `promtool test rules` in a folder.
pub(crate) fn test_rules_in(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    // It makes a database for each test and lets it go: most of its time would be collecting garbage and waiting for a disk.
    command.current_dir(folder).env("GOGC", "off").env("GOMEMLIMIT", "1GiB");
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        command.env("TMPDIR", memory);
    }
    command.args(["test", "rules"]);
    command
}

/// Runs the tests of one file over one file of rules.
pub(crate) fn test_file(program: &Path, folder: &Path, rules: String, test: &Value) -> Said {
    let files = [("rules.yaml", rules), ("test.yaml", test.to_string())];
    let files = files.map(|(name, text)| (name.to_owned(), text)).into();
    test_rules(program, folder, files, |name| name == "test.yaml")
}

/// Runs all cases of a file; what is wrong.
pub(crate) fn test(program: &Path, file: &File, rules: &Rules) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rules").join(file.name.replace('/', "-"));
    let mut files = BTreeMap::new();
    let mut problems = Vec::new();
    for (at, cases) in file.rules.iter().enumerate() {
        let read = rules.with_what_they_read(&cases.name);
        if read.is_empty() {
            problems.push(format!("{}: no stack of this test has `{}`", file.name, cases.name));
            continue;
        }
        let own: Vec<_> = read.iter().copied().filter(|rule| rule.name == cases.name).collect();
        // promtool compares all alerts of a name: each severity is tried by itself.
        let severities: BTreeSet<_> = cases.fires.iter().map(|fires| fires.severity.as_deref()).chain([None]).collect();
        for severity in severities {
            let is_of = |rule: &Rule| severity.is_none() || rule.value["labels"]["severity"].as_str() == severity;
            let tried: Vec<_> = read.iter().copied().filter(|rule| rule.name != cases.name || is_of(rule)).collect();
            let own: Vec<_> = own.iter().copied().filter(|rule| is_of(rule)).collect();
            let name = format!(
                "{at}-{}{}",
                cases.name.replace(':', "_"),
                severity.map(|it| format!("-{it}")).unwrap_or_default()
            );
            if own.is_empty() {
                problems.push(format!("{}: `{}` has no severity {severity:?}", file.name, cases.name));
                continue;
            }
            let group =
                json!({ "name": "tested", "rules": tried.iter().map(|rule| rule_of(rule)).collect::<Vec<_>>() });
            files.insert(format!("{name}-rules.yaml"), json!({ "groups": [group] }).to_string());
            let tests = json!({
                "rule_files": [format!("{name}-rules.yaml")],
                "evaluation_interval": "1m",
                "fuzzy_compare": true,
                "tests": tests(cases, severity, &own, true),
            });
            files.insert(format!("{name}.yaml"), serde_json::to_string_pretty(&tests).unwrap());
        }
    }
    let said = test_rules(program, &folder, files, |name| !name.ends_with("-rules.yaml"));
    if !said.passed {
        problems.push(format!("{} (in {}):\n{}", file.name, folder.display(), said.text));
    }
    problems
}

/// A rule without where its runbook and its panel are.
pub(crate) fn rule_of(rule: &Rule) -> Value {
    let mut value = rule.value.clone();
    if let Some(annotations) = value.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !PLACES.iter().any(|place| key.starts_with(place)));
    }
    value
}

/// The tests of the rules of one severity; without one, of rules that have no other name. `twice`: with everything scraped
/// twice as well.
pub(crate) fn tests(cases: &Cases, severity: Option<&str>, rules: &[&Rule], twice: bool) -> Vec<Value> {
    let mut tests = Vec::new();
    for (at, fires) in cases.fires.iter().enumerate().filter(|(_, fires)| fires.severity.as_deref() == severity) {
        let name = |kind: &str| format!("{} fires {} {} {kind}", cases.name, at + 1, fires.why);
        tests.push(fires_test(&name("once"), fires, rules, &fires.series, end(cases)));
        let twice = twice && cases.not_doubled.is_none();
        let mut others = neighbours::of(cases, fires);
        if twice && others.is_empty() {
            others.push(("alone".to_owned(), fires.series.clone()));
        }
        for (beside, series) in others {
            let (name, series) = if twice {
                (name(&format!("scraped twice, {beside}")), doubled(&series))
            } else {
                (name(&beside), series)
            };
            tests.push(fires_test(&name, fires, rules, &series, end(cases)));
        }
    }
    if rules[0].is_alert && severity.is_none() {
        tests.extend(silent_tests(cases, twice));
    }
    tests
}

/// The tests in which nothing of a name fires.
pub(crate) fn silent_tests(cases: &Cases, twice: bool) -> Vec<Value> {
    let mut tests = Vec::new();
    for Silent { why, series } in &cases.silent {
        tests.push(silent_test(&format!("{} is silent: {why}", cases.name), &cases.name, series, end(cases)));
        if twice {
            let series = doubled(series);
            tests.push(silent_test(
                &format!("{} is silent, scraped twice: {why}", cases.name),
                &cases.name,
                &series,
                end(cases),
            ));
        }
    }
    if !cases.without_data {
        tests.push(silent_test(
            &format!("{} is silent without data", cases.name),
            &cases.name,
            &Series::new(),
            end(cases),
        ));
    }
    tests
}

fn fires_test(name: &str, fires: &Fires, rules: &[&Rule], series: &Series, end: u32) -> Value {
    let mut test = json!({ "name": name, "interval": "1m", "input_series": input(series, end) });
    let rule = rules[0];
    if !rule.is_alert {
        let samples: Vec<_> = fires
            .samples
            .iter()
            .map(|(labels, value)| json!({ "labels": format!("{}{labels}", rule.name), "value": value }))
            .collect();
        assert!(!samples.is_empty(), "{name}: what it records is not said");
        test["promql_expr_test"] = json!([{ "expr": rule.name, "eval_time": fires.from, "exp_samples": samples }]);
        return test;
    }
    let fixed: BTreeMap<String, String> = rule.value["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str().filter(|text| !text.contains("{{"))?.to_owned())))
        .collect();
    let none = vec![BTreeMap::new()];
    let each = if fires.labels.is_empty() { &none } else { &fires.labels };
    let all: Vec<BTreeMap<String, String>> =
        each.iter().map(|own| fixed.clone().into_iter().chain(own.clone()).collect()).collect();
    let minutes = minutes(&fires.from);
    let severity = &fixed["severity"];
    let firing = format!("ALERTS{{alertname=\"{}\",alertstate=\"firing\",severity=\"{severity}\"}}", rule.name);
    let samples: Vec<_> =
        all.iter().map(|labels| json!({ "labels": alerts(&rule.name, labels), "value": 1 })).collect();
    let mut asked = vec![json!({ "expr": firing, "eval_time": fires.from, "exp_samples": samples })];
    if minutes > 0 {
        asked.push(json!({ "expr": firing, "eval_time": format!("{}m", minutes - 1), "exp_samples": [] }));
    }
    test["promql_expr_test"] = asked.into();
    if let Some(annotations) = &fires.annotations {
        let expected: Vec<_> =
            all.iter().map(|labels| json!({ "exp_labels": labels, "exp_annotations": annotations })).collect();
        test["alert_rule_test"] = json!([{ "eval_time": fires.from, "alertname": rule.name, "exp_alerts": expected }]);
    }
    test
}

fn alerts(name: &str, labels: &BTreeMap<String, String>) -> String {
    let mut text = format!("ALERTS{{alertname=\"{name}\",alertstate=\"firing\"");
    for (key, value) in labels {
        let _ = write!(text, ",{key}={value:?}");
    }
    text + "}"
}

fn silent_test(name: &str, alert: &str, series: &Series, end: u32) -> Value {
    let fired =
        format!("max by (severity) (count_over_time(ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}[{end}m]))");
    json!({
        "name": name,
        "interval": "1m",
        "input_series": input(series, end),
        "promql_expr_test": [{ "expr": fired, "eval_time": format!("{end}m"), "exp_samples": [] }],
    })
}

/// Of a time such as `15m`.
pub(crate) fn minutes(duration: &str) -> u32 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    let number: u32 = number.parse().unwrap_or_else(|_| panic!("{duration} is no time such as 15m"));
    match unit {
        "m" => number,
        "h" => number * 60,
        _ => panic!("{duration} is no time such as 15m or 2h"),
    }
}

fn input(series: &Series, end: u32) -> Vec<Value> {
    let values = |samples: &Samples| match samples {
        Samples::Always(number) => format!("{number}x{end}"),
        Samples::Notation(text) => text.clone(),
    };
    series.iter().map(|(selector, samples)| json!({ "series": selector, "values": values(samples) })).collect()
}

/// All series twice: kube-state-metrics has a second pod, and of all else there is a second Service.
fn doubled(series: &Series) -> Series {
    let mut doubled = series.clone();
    for (selector, samples) in series {
        doubled.insert(second(selector), samples.clone());
    }
    doubled
}

/// What a series is called where it is scraped once more.
pub(crate) fn second(selector: &str) -> String {
    if selector.contains("job=\"kube-state-metrics\"") {
        with_label(&without_label(selector, "instance"), "instance", "10.0.0.99:8080")
    } else {
        with_label(&without_label(selector, "service"), "service", "second")
    }
}

pub(crate) fn with_label(selector: &str, label: &str, value: &str) -> String {
    match selector.strip_suffix('}') {
        Some(open) if open.ends_with('{') => format!("{open}{label}=\"{value}\"}}"),
        Some(open) => format!("{open},{label}=\"{value}\"}}"),
        None => format!("{selector}{{{label}=\"{value}\"}}"),
    }
}

fn without_label(selector: &str, label: &str) -> String {
    let start = selector.match_indices(&format!("{label}=\"")).find(|(at, _)| selector[..*at].ends_with(['{', ',']));
    let Some((at, found)) = start else { return selector.to_owned() };
    let end = at + found.len() + selector[at + found.len()..].find('"').unwrap() + 1;
    let rest = selector[end..].strip_prefix(',').unwrap_or(&selector[end..]);
    let joined = format!("{}{rest}", &selector[..at]);
    joined.replace(",}", "}")
}
