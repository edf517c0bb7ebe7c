//! What panels show of a cluster in which all is well: something, each series told from the others, and not too many.
//!
//! Every query for Prometheus of every dashboard is asked by promtool at one moment, with Grafana's variables filled in as they
//! are when a dashboard is opened, on a cluster that is scraped once, on one that is scraped twice, on one whose series name it, and on
//! one in which little is well: what shows failures alone is empty until there are some.

use crate::promtool::{second, test_file, with_label};
use crate::rendered;
use crate::scenarios::{Story, World};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use vigil_played::exporters::parse_series;
use vigil_played::yaml;

/// When panels are looked at, in minutes from the start.
const NOW: u32 = 120;

/// More are no picture.
const MOST_SERIES: usize = 100;

/// What a person chose where a dashboard shows one thing at a time.
const CHOSEN: [(&str, &str); 5] =
    [("namespace", "shop"), ("pod", "db-0"), ("workload", "db"), ("node", "worker-1"), ("instance", "192.0.2.11:9100")];

/// What Grafana fills in itself.
const GRAFANA: [(&str, &str); 4] =
    [("$__rate_interval", "4m"), ("$__interval", "1m"), ("$__range", "1h"), ("$__auto", "1m")];

/// `panels.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// What happens in the cluster in which little is well.
    story: Story,
    /// What begins to be said only there, in promtool's notation.
    series: BTreeMap<String, String>,
    /// Panels that are empty in both clusters, and why.
    absent: BTreeMap<String, String>,
    /// Panels that are yellow or red where all is well, and why.
    colored: BTreeMap<String, String>,
    /// Metrics that nothing says in any of the clusters, and why.
    unsaid: BTreeMap<String, String>,
}

impl Known {
    pub(crate) fn read() -> Known {
        yaml(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/panels.yaml"))
    }

    /// The series of a cluster.
    fn series(&self, world: &World, cluster: Cluster) -> Vec<Value> {
        let renamed = |series: &Value, name: &dyn Fn(&str) -> String| json!({ "series": name(series["series"].as_str().unwrap()), "values": series["values"] });
        let well = || world.shown(&Story::new(), NOW);
        match cluster {
            Cluster::Well => well(),
            Cluster::ScrapedTwice => {
                let once = well();
                let again: Vec<_> = once.iter().map(|series| renamed(series, &second)).collect();
                once.into_iter().chain(again).collect()
            }
            Cluster::Named => {
                well().iter().map(|series| renamed(series, &|series| with_label(series, "cluster", "prod"))).collect()
            }
            Cluster::Troubled => world.shown(&self.story, NOW).into_iter().chain(self.own()).collect(),
        }
    }

    /// The series of the cluster in which little is well, as lively as those of a real one.
    pub(crate) fn lively(&self, world: &World, end: u32) -> Vec<Value> {
        world.lively(&self.story, end).into_iter().chain(self.own()).collect()
    }

    fn own(&self) -> impl Iterator<Item = Value> {
        self.series.iter().map(|(series, values)| json!({ "series": series, "values": values }))
    }
}

/// The clusters that panels are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cluster {
    Well,
    /// Everything by two Services, and two kube-state-metrics.
    ScrapedTwice,
    /// Each series says of which cluster it is.
    Named,
    /// Little is well in it.
    Troubled,
}

/// What is asked.
pub(crate) struct Question {
    /// The dashboard and the panel that ask, or the variable.
    who: String,
    /// The number of the panel and the letter of its query.
    pub(crate) place: Option<(u64, String)>,
    pub(crate) expr: String,
    by: By,
    /// It says what it means that nothing answers: so it is when all is well.
    may_be_empty: bool,
    /// The values that are shown in green.
    green: Range<f64>,
}

/// How answers are told from each other.
enum By {
    Legend(String),
    /// The labels that a table shows.
    Columns(Vec<String>),
    /// A variable takes the values of a label.
    Label(String, Option<&'static str>),
}

/// An answer: labels with the name of the metric among them.
pub(crate) type Labels = BTreeMap<String, String>;

/// What is wrong with the panels of all stacks.
pub(crate) fn test(program: &Path, world: &World, known: &Known, cluster: Cluster) -> Vec<String> {
    let questions: Vec<_> =
        rendered::all_dashboards().iter().flat_map(|dashboard| questions(&dashboard.json)).collect();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("panels").join(format!("{cluster:?}"));
    let rules = json!({ "groups": [{ "name": "all", "rules": rendered::of_one_cluster(rendered::STACKS[0]) }] });
    let asked: Vec<_> = questions.iter().enumerate().map(|(at, question)| ask(at, &question.expr)).collect();
    let test = json!({ "interval": "1m", "input_series": known.series(world, cluster), "promql_expr_test": asked });
    let file = json!({ "rule_files": ["rules.yaml"], "evaluation_interval": "10m", "tests": [test] });
    let said = test_file(program, &folder, rules.to_string(), &file);
    let answers = match answers(&said.text) {
        Ok(answers) => answers,
        Err(problem) => return vec![format!("{}: {problem}", folder.display())],
    };
    let problems = judge(&questions, &answers, known, cluster);
    problems.into_iter().map(|problem| format!("{cluster:?}: {problem}")).collect()
}

/// A rule and a label take no mere number.
pub(crate) fn vector(expr: &str) -> String {
    let is_number = vigil_promql::parse(expr).is_ok_and(|query| query.expr.value_type() == vigil_promql::Type::Scalar);
    if is_number { format!("vector({expr})") } else { format!("({expr})") }
}

/// promtool tells what it got where something else is expected: nothing. A label says which question it is about.
fn ask(at: usize, expr: &str) -> Value {
    let expr = vector(expr);
    json!({
        "expr": format!("label_replace({expr}, \"question\", \"{at}\", \"\", \"\")"),
        "eval_time": format!("{NOW}m"),
        "exp_samples": [],
    })
}

/// What is answered, by the number of the question.
type Answers = BTreeMap<usize, Vec<(Labels, f64)>>;

/// A question with its number, and what is answered.
type Got<'a> = (usize, &'a Question, &'a Vec<(Labels, f64)>);

fn answers(said: &str) -> Result<Answers, String> {
    let mut answers = Answers::new();
    for line in said.lines() {
        if let Some(got) = line.trim_start().strip_prefix("got:") {
            for (labels, value) in samples(got) {
                let number = labels.get("question").and_then(|number| number.parse().ok());
                let number = number.ok_or_else(|| format!("not understood: {line}"))?;
                answers.entry(number).or_default().push((labels, value));
            }
        } else if line.contains(", err: ") {
            return Err(line.to_owned());
        }
    }
    if answers.is_empty() { Err(said.to_owned()) } else { Ok(answers) }
}

/// `name{label="value", …} 1, {…} 2`, as promtool writes it.
pub(crate) fn samples(text: &str) -> Vec<(Labels, f64)> {
    let mut samples = Vec::new();
    let mut rest = text.trim();
    while let Some((name, after)) = rest.split_once('{') {
        let mut labels = Labels::new();
        let name = name.rsplit(", ").next().unwrap_or_default().trim();
        if !name.is_empty() {
            labels.insert("__name__".to_owned(), name.to_owned());
        }
        rest = after;
        while !rest.starts_with('}') {
            let (key, after) = rest.split_once('=').unwrap();
            let mut values = serde_json::Deserializer::from_str(after).into_iter::<String>();
            let value = values.next().unwrap().unwrap();
            labels.insert(key.to_owned(), value);
            rest = after[values.byte_offset()..].trim_start_matches(", ");
        }
        let value = rest.trim_start_matches('}').split(',').next().unwrap_or_default();
        samples.push((labels, value.trim().parse().unwrap()));
    }
    samples
}

/// What a panel asks Loki.
pub(crate) struct LogQuestion {
    /// The dashboard and the panel.
    pub(crate) who: String,
    /// The number of the panel and the letter of its query.
    pub(crate) place: (u64, String),
    pub(crate) expr: String,
}

/// The queries for Loki of a dashboard's panels, with Grafana's own interval in `auto`.
pub(crate) fn log_questions(dashboard: &Value, auto: &str) -> Vec<LogQuestion> {
    let values = values(dashboard);
    let question = |(who, panel, target): (String, &Value, &Value)| LogQuestion {
        who,
        place: place(panel, target),
        expr: fill(&target["expr"].as_str().unwrap().replace("$__auto", auto), &values),
    };
    targets(dashboard, "loki").map(question).collect()
}

/// The queries for a kind of data source, each with its panel and how that is called.
fn targets<'d>(dashboard: &'d Value, source: &str) -> impl Iterator<Item = (String, &'d Value, &'d Value)> {
    let uid = dashboard["uid"].as_str().unwrap();
    rendered::panels(dashboard)
        .flat_map(move |panel| {
            let who = format!("{uid}: {}", panel["title"].as_str().unwrap());
            panel["targets"].as_array().into_iter().flatten().map(move |target| (who.clone(), panel, target))
        })
        .filter(move |(.., target)| target["datasource"]["type"] == source)
}

/// The number of a panel and the letter of its query.
fn place(panel: &Value, target: &Value) -> (u64, String) {
    (panel["id"].as_u64().unwrap(), target["refId"].as_str().unwrap().to_owned())
}

/// What stands for the variables of a dashboard.
fn values(dashboard: &Value) -> Vec<(String, String)> {
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let own = variables.iter().map(value_of);
    own.chain(GRAFANA.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

/// The queries of a dashboard's panels and variables.
pub(crate) fn questions(dashboard: &Value) -> Vec<Question> {
    let uid = dashboard["uid"].as_str().unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let values = values(dashboard);
    let mut questions: Vec<_> = variables.iter().filter_map(|variable| of_variable(uid, variable, &values)).collect();
    for (who, panel, target) in targets(dashboard, "prometheus") {
        let by = if panel["type"] == "table" {
            By::Columns(columns(panel))
        } else {
            By::Legend(target["legendFormat"].as_str().unwrap_or_default().to_owned())
        };
        let expr = fill(target["expr"].as_str().unwrap(), &values);
        let may_be_empty = !panel["fieldConfig"]["defaults"]["noValue"].is_null();
        questions.push(Question {
            who,
            place: Some(place(panel, target)),
            expr,
            by,
            may_be_empty,
            green: green(panel),
        });
    }
    questions
}

fn value_of(variable: &Value) -> (String, String) {
    let name = variable["name"].as_str().unwrap();
    let chosen = CHOSEN.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let value = match (variable["type"].as_str().unwrap(), variable["allValue"].as_str()) {
        ("query", Some(all)) => all,
        ("query", None) => chosen.unwrap_or_else(|| panic!("nothing is chosen for `{name}`")),
        _ => variable["current"]["value"].as_str().unwrap(),
    };
    (format!("${name}"), value.to_owned())
}

/// `label_values(selector, label)`: of Prometheus.
fn of_variable(uid: &str, variable: &Value, values: &[(String, String)]) -> Option<Question> {
    let name = variable["name"].as_str().unwrap();
    let query = variable["query"]
        .as_str()
        .filter(|_| variable["type"] == "query" && variable["datasource"]["type"] == "prometheus")?;
    let inner = query
        .strip_prefix("label_values(")
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or_else(|| panic!("{uid}: `{query}`"));
    let (selector, label) = inner.rsplit_once(", ").unwrap_or_else(|| panic!("{uid}: `{query}`"));
    let one = variable["allValue"].is_null().then(|| CHOSEN.iter().find(|(known, _)| *known == name).unwrap().1);
    Some(Question {
        who: format!("{uid}: ${name}"),
        place: None,
        expr: format!("group by ({label}) ({})", fill(selector, values)),
        by: By::Label(label.to_owned(), one),
        may_be_empty: false,
        green: ANY,
    })
}

const ANY: Range<f64> = f64::NEG_INFINITY..f64::INFINITY;

/// The values of a panel that are good, by its thresholds.
fn green(panel: &Value) -> Range<f64> {
    let Some(steps) = panel["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array() else { return ANY };
    let value = |step: &Value| step["value"].as_f64();
    // What is above all lines is good in a chart whose least values come first.
    if panel["options"]["legend"]["sortDesc"] == false {
        return steps.iter().filter_map(value).fold(f64::NEG_INFINITY, f64::max)..f64::INFINITY;
    }
    let at = steps.iter().position(|step| step["color"] == "green").unwrap();
    value(&steps[at]).unwrap_or(f64::NEG_INFINITY)..steps.get(at + 1).and_then(value).unwrap_or(f64::INFINITY)
}

fn fill(text: &str, values: &[(String, String)]) -> String {
    let mut values: Vec<_> = values.iter().collect();
    values.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// The labels among the columns of a table.
fn columns(panel: &Value) -> Vec<String> {
    let names = panel["transformations"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|step| step["options"]["include"]["names"].as_array());
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    names.filter(|name| !name.starts_with("Value") && *name != "Time").map(str::to_owned).collect()
}

fn judge(questions: &[Question], answers: &Answers, known: &Known, cluster: Cluster) -> Vec<String> {
    let mut panels: BTreeMap<&str, Vec<(usize, &Question)>> = BTreeMap::new();
    for (at, question) in questions.iter().enumerate() {
        panels.entry(&question.who).or_default().push((at, question));
    }
    let none = Vec::new();
    let mut problems = Vec::new();
    for (who, asked) in panels {
        let got: Vec<_> =
            asked.iter().map(|(at, question)| (*at, *question, answers.get(at).unwrap_or(&none))).collect();
        let all: usize = got.iter().map(|(.., got)| got.len()).sum();
        // A row of a table has an answer to each of its questions.
        let most = got.iter().map(|(.., got)| got.len()).max().unwrap_or_default();
        let series = if matches!(got[0].1.by, By::Columns(_)) { most } else { all };
        problems.extend(
            asked
                .iter()
                .filter(|(_, question)| has_variable(&question.expr))
                .map(|(_, question)| format!("{who}: a variable that the dashboard has not: {}", question.expr)),
        );
        if series > MOST_SERIES {
            problems.push(format!("{who}: {series} series"));
        }
        problems.extend(alike(&got).into_iter().map(|problem| format!("{who}: {problem}")));
        let is_empty = asked[0].1.may_be_empty && (cluster != Cluster::Troubled || known.absent.contains_key(who));
        if all == 0 && !is_empty {
            problems.push(format!("{who}: empty: {}", asked[0].1.expr));
        }
        if all > 0 && known.absent.contains_key(who) {
            problems.push(format!("{who}: is not empty"));
        }
        if cluster == Cluster::Well {
            let bad = bad(&got);
            match (bad, known.colored.contains_key(who)) {
                (Some(value), false) => problems.push(format!("{who}: {value} is not green, and all is well")),
                (None, true) => problems.push(format!("{who}: is green, and need not be listed")),
                _ => {}
            }
        }
    }
    problems
}

fn has_variable(filled: &str) -> bool {
    filled.split('$').skip(1).any(|rest| rest.starts_with(|it: char| it.is_alphabetic() || it == '_' || it == '{'))
}

/// The first value of a panel that its thresholds do not call good.
fn bad(got: &[Got]) -> Option<f64> {
    let values = got.iter().flat_map(|(_, question, answers)| answers.iter().map(move |(_, value)| (question, *value)));
    values
        .filter(|(question, value)| value.is_finite() && !question.green.contains(value))
        .map(|(_, value)| value)
        .next()
}

/// The first two series of a panel that nobody can tell from each other, and what a variable should have and has not.
fn alike(got: &[Got]) -> Option<String> {
    let mut seen = BTreeSet::new();
    for (at, question, answers) in got {
        if let By::Label(label, Some(one)) = &question.by {
            let has = |labels: &Labels| labels.get(label).is_some_and(|value| value == one);
            if !answers.iter().any(|(labels, _)| has(labels)) {
                return Some(format!("`{one}` is no answer"));
            }
        }
        let twice =
            answers.iter().map(|(labels, _)| question.by.name(*at, labels)).find(|name| !seen.insert(name.clone()));
        if let Some(name) = twice {
            return Some(format!("two series are `{name}`: {}", question.expr));
        }
    }
    None
}

impl By {
    /// What a series is called.
    fn name(&self, at: usize, labels: &Labels) -> String {
        let of = |label: &str| labels.get(label).map_or("", String::as_str).to_owned();
        match self {
            By::Legend(legend) if !legend.is_empty() => {
                let mut name = String::new();
                let mut rest = legend.as_str();
                while let Some((before, after)) = rest.split_once("{{") {
                    let (label, after) = after.split_once("}}").unwrap_or((after, ""));
                    name += before;
                    name += &of(label.trim());
                    rest = after;
                }
                name + rest
            }
            By::Columns(columns) => format!("{at} {:?}", columns.iter().map(|column| of(column)).collect::<Vec<_>>()),
            _ => format!("{labels:?}"),
        }
    }
}

/// Metrics that panels read and that are said in no cluster, and those of `unsaid` that no panel reads.
pub(crate) fn unsaid(world: &World, known: &Known) -> BTreeSet<String> {
    let said = known.series(world, Cluster::Troubled);
    let said: BTreeSet<_> = said.iter().map(|series| parse_series(series["series"].as_str().unwrap()).0).collect();
    let rules = rendered::of_one_cluster(rendered::STACKS[0]);
    let made: BTreeSet<_> = rules.iter().filter_map(|rule| rule["record"].as_str()).collect();
    let mut read = BTreeSet::new();
    for question in rendered::all_dashboards().iter().flat_map(|dashboard| questions(&dashboard.json)) {
        let query = vigil_promql::parse(&question.expr);
        let query = query.unwrap_or_else(|error| panic!("{}: {error}: {}", question.who, question.expr));
        read.extend(query.expr.selectors().into_iter().filter_map(|selector| selector.name.clone()));
    }
    let is_said = |name: &str| said.contains(name) || made.contains(name) || name.starts_with("ALERTS");
    let unsaid = read.iter().filter(|name| !is_said(name) && !known.unsaid.contains_key(*name)).cloned();
    let idle = known.unsaid.keys().filter(|name| !read.contains(*name) || is_said(name));
    unsaid.chain(idle.map(|name| format!("{name} need not be listed"))).collect()
}
