//! Pictures of the dashboards, for those who have no Grafana at hand: `just pictures`.
//!
//! promtool evaluates the queries of all panels over three hours of a lively cluster, as rules whose series it is then asked
//! for; a Loki, where there is one, answers for its panels. `tools/pictures` draws the answers on Grafana's grid, one page a dashboard, and Chromium takes a picture of each page.

use crate::logs::{Answer, Lines, Loki};
use crate::panels::{self, Known};
use crate::promtool::test_file;
use crate::rendered::{self, Dashboard};
use crate::scenarios::World;
use crate::tools;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The minutes that are drawn, of those in which rules are evaluated. Rates need some before the first of them.
const DRAWN: std::ops::RangeInclusive<u32> = 21..=201;

/// Minutes from one point of a line to the next.
const STEP: usize = 3;

/// What the answers to queries are recorded as.
const RECORD: &str = "picture";

/// Pixels of a row of Grafana's grid, and of what stands above the first one; `draw.css` has them too.
const ROW: u64 = 34;
const HEAD: u64 = 96;

const WIDTH: u64 = 1200;

/// No picture may have more bytes, and all together not more than the second: they come with every clone.
const LARGEST: u64 = 100_000;
const ALL: u64 = 3_000_000;

/// The colours of a picture. More make smoother letters and larger files.
const COLORS: &str = "48";

/// Where the pictures are kept.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dashboards")
}

/// What was answered, by the place of the question.
type Answers = BTreeMap<usize, Lines>;

/// A Loki that has what the pods of the cluster write.
pub(crate) fn start_loki(program: &Path) -> Loki {
    Loki::start(program, &Known::read().lively(&World::new(), *DRAWN.end()), *DRAWN.end(), 60 * STEP as u64)
}

/// Whether a panel of a dashboard asks Loki.
pub(crate) fn asks_loki(dashboard: &Dashboard) -> bool {
    !panels::log_questions(&dashboard.json, "").is_empty()
}

/// Draws the dashboards, those of a `part` of their number, and takes pictures of them. Returns the panels that have nothing
/// to show.
pub(crate) fn draw(promtool: &Path, loki: Option<&Loki>, dashboards: &[Dashboard], part: usize) -> Vec<String> {
    let page = Page::read();
    fs::create_dir_all(folder()).unwrap();
    let questions: Vec<_> = dashboards.iter().map(|dashboard| panels::questions(&dashboard.json)).collect();
    let exprs: Vec<_> = questions.iter().flatten().map(|question| panels::vector(&question.expr)).collect();
    let answers = ask(promtool, &exprs, part);
    let (mut first, mut empty) = (0, Vec::new());
    for (dashboard, questions) in dashboards.iter().zip(&questions) {
        let mut of_panels: BTreeMap<String, BTreeMap<&str, Value>> = BTreeMap::new();
        for (at, question) in questions.iter().enumerate() {
            let Some((panel, letter)) = &question.place else { continue };
            let lines = answers.get(&(first + at)).cloned().unwrap_or_default();
            of_panels.entry(panel.to_string()).or_default().insert(letter, drawn(Answer::Lines(lines)));
        }
        first += questions.len();
        let asked = panels::log_questions(&dashboard.json, &format!("{STEP}m"));
        for question in &asked {
            let loki = loki.unwrap_or_else(|| panic!("{} asks Loki", question.who));
            let answer = loki.ask(question, (*DRAWN.start(), *DRAWN.end()), 60 * STEP as u64);
            if answer.is_empty() {
                empty.push(format!("{}: empty: {}", question.who, question.expr));
            }
            let (panel, letter) = &question.place;
            of_panels.entry(panel.to_string()).or_default().insert(letter, drawn(answer));
        }
        page.picture(dashboard, &json!(of_panels));
    }
    empty
}

/// An answer, as `draw.js` takes it.
fn drawn(answer: Answer) -> Value {
    match answer {
        Answer::Lines(lines) => {
            lines.into_iter().map(|(labels, values)| json!({ "labels": labels, "values": values })).collect()
        }
        Answer::Logs(lines) => json!(lines),
    }
}

/// Asks for each query at each moment.
fn ask(promtool: &Path, exprs: &[String], part: usize) -> Answers {
    if exprs.is_empty() {
        return Answers::new();
    }
    let recorded = exprs.iter().enumerate();
    let recorded =
        recorded.map(|(at, expr)| json!({ "record": RECORD, "expr": expr, "labels": { "question": at.to_string() } }));
    let rules: Vec<_> = rendered::of_one_cluster(rendered::STACKS[0]).into_iter().chain(recorded).collect();
    let rules = json!({ "groups": [{ "name": "all", "rules": rules }] });
    let known = Known::read();
    let series = known.lively(&World::new(), *DRAWN.end());
    let moments: Vec<_> = DRAWN.step_by(STEP).collect();
    let asked: Vec<_> = moments
        .iter()
        .map(|minute| {
            let expr = format!("label_replace({RECORD}, \"minute\", \"{minute}\", \"\", \"\")");
            json!({ "expr": expr, "eval_time": format!("{minute}m"), "exp_samples": [] })
        })
        .collect();
    let test = json!({ "interval": "1m", "input_series": series, "promql_expr_test": asked });
    let file = json!({ "rule_files": ["rules.yaml"], "evaluation_interval": format!("{STEP}m"), "tests": [test] });
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures").join(part.to_string());
    let said = test_file(promtool, &place, rules.to_string(), &file).text;
    let mut answers = Answers::new();
    for line in said.lines() {
        let Some(got) = line.trim_start().strip_prefix("got:") else {
            assert!(!line.contains(", err: "), "{}: {line:.2000}", place.display());
            continue;
        };
        for (mut labels, value) in panels::samples(got) {
            labels.remove("__name__");
            let mut number = |label: &str| labels.remove(label).unwrap().parse::<usize>().unwrap();
            let (question, minute) = (number("question"), number("minute"));
            let lines = answers.entry(question).or_default();
            let values = lines.entry(labels).or_insert_with(|| vec![None; moments.len()]);
            values[(minute - *DRAWN.start() as usize) / STEP] = value.is_finite().then_some(value);
        }
    }
    assert!(!answers.is_empty(), "promtool says: {said:.2000}");
    answers
}

/// What pages are made of.
struct Page {
    parts: [(&'static str, String); 4],
}

impl Page {
    fn read() -> Self {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/pictures");
        let drawer = tools::cache().expect("a folder for tools").join("pictures/node_modules/uplot/dist");
        let read = |folder: &Path, name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; run `just pictures`", path.display()))
        };
        let parts = [
            ("style", read(&drawer, "uPlot.min.css")),
            ("style", read(&own, "draw.css")),
            ("script", read(&drawer, "uPlot.iife.min.js")),
            ("script", read(&own, "draw.js")),
        ];
        Self { parts }
    }

    /// Writes the page of a dashboard, and takes a picture of it.
    fn picture(&self, dashboard: &Dashboard, answers: &Value) {
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        let (page, raw) = (place.join(dashboard.uid()).with_extension("html"), place.join(dashboard.uid()));
        let raw = raw.with_extension("png");
        fs::write(&page, self.text(&dashboard.json, answers)).unwrap();
        let bottom = |panel: &Value| panel["gridPos"]["y"].as_u64().unwrap() + panel["gridPos"]["h"].as_u64().unwrap();
        let rows = rendered::panels(&dashboard.json).map(bottom).max().unwrap();
        let mut chromium = Command::new("chromium");
        // Root cannot start it with its sandbox; the page is ours and asks for nothing else.
        chromium.args(["--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--log-level=3"]);
        chromium.arg(format!("--user-data-dir={}", place.join("chromium").join(dashboard.uid()).display()));
        chromium.arg(format!("--window-size={WIDTH},{}", HEAD + rows * ROW));
        chromium.arg(format!("--screenshot={}", raw.display())).arg(format!("file://{}#picture", page.display()));
        run(chromium);
        let mut smaller = Command::new("convert");
        smaller.arg(&raw).args(["+dither", "-colors", COLORS, "-define", "webp:lossless=true"]);
        smaller.arg(folder().join(dashboard.uid()).with_extension("webp"));
        run(smaller);
    }

    fn text(&self, dashboard: &Value, answers: &Value) -> String {
        let mut text = "<!doctype html>\n<meta charset=\"utf-8\">\n<body></body>\n".to_owned();
        let moments: Vec<_> = DRAWN.step_by(STEP).map(|minute| minute * 60).collect();
        for (name, value) in [("DASHBOARD", dashboard), ("ANSWERS", answers), ("MOMENTS", &json!(moments))] {
            // What ends a script ends it in a text too.
            let value = value.to_string().replace("</", "<\\/");
            let _ = writeln!(text, "<script>const {name} = {value}</script>");
        }
        for (kind, part) in &self.parts {
            let _ = writeln!(text, "<{kind}>{part}</{kind}>");
        }
        text
    }
}

fn run(mut command: Command) {
    let program = command.get_program().to_owned();
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}; install it", program.display()));
    assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
}

/// The dashboards without a picture, the pictures of none, and those that are too large.
pub(crate) fn faults() -> Vec<String> {
    let dashboards: BTreeSet<_> =
        rendered::all_dashboards().iter().map(|dashboard| format!("{}.webp", dashboard.uid())).collect();
    let sizes: BTreeMap<String, u64> = fs::read_dir(folder())
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
        .collect();
    let missing = dashboards.iter().filter(|name| !sizes.contains_key(*name));
    let missing = missing.map(|name| format!("docs/dashboards/{name} is missing: run `just pictures`"));
    let left = sizes.keys().filter(|name| !dashboards.contains(*name));
    let left = left.map(|name| format!("docs/dashboards/{name} is of no dashboard: delete it"));
    let large = sizes.iter().filter(|(_, size)| **size > LARGEST);
    let large = large.map(|(name, size)| format!("docs/dashboards/{name}: {size} bytes, of {LARGEST} at most"));
    let all: u64 = sizes.values().sum();
    let much = (all > ALL).then(|| format!("docs/dashboards: {all} bytes, of {ALL} at most"));
    missing.chain(left).chain(large).chain(much).collect()
}
