//! What exporters say of a cluster, minute by minute, as Prometheus stores it.
//!
//! `exporters/*.yaml` holds their texts, nearly as they serve them: `$name` stands for what is known of the thing that a line
//! is about, `+6` for a counter that grows by 6 a minute, `now` for the time, `30d` for so many seconds; the start of a
//! scenario is 0. `histogram NAME{…} +60 0.1 of 0.05 0.1 1.0` are the buckets and the count of one in which all values are
//! at most 0.1. A line whose value is not known is left out.

use crate::cluster::{Cluster, Event, Facts, NONE};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

/// A kind of target, and what it says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exporter {
    job: String,
    /// The workload whose pods are the targets, or `node`, `control-plane`, `api-server`.
    of: String,
    /// The labels that Prometheus adds, where a series has no label of that name.
    target: String,
    /// Lines by what each is said of: `self`, or `node`, `pod`, … for each of them; `here` for those on the target's node,
    /// `running` for those that run.
    series: BTreeMap<String, String>,
}

/// A series by its name and labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
}

impl Series {
    /// Reads `name{label="value",…}`. Labels are as in a text of an exporter: no value holds a comma after a quotation mark.
    pub(crate) fn parse(text: &str) -> Series {
        let (name, labels) = text.split_once('{').unwrap_or((text, "}"));
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("`{text}` has no end"));
        Series { name: name.to_owned(), labels: parse_labels(labels) }
    }

    /// Whether it has the name, if there is one, and all labels of another.
    fn is_one_of(&self, wanted: &Series) -> bool {
        (wanted.name.is_empty() || wanted.name == self.name)
            && wanted.labels.iter().all(|(key, value)| self.labels.get(key) == Some(value))
    }
}

fn parse_labels(text: &str) -> BTreeMap<String, String> {
    let Some(pairs) = text.strip_suffix('"') else {
        assert!(text.is_empty(), "`{text}` are no labels");
        return BTreeMap::new();
    };
    pairs
        .split("\",")
        .map(|pair| pair.split_once("=\"").unwrap_or_else(|| panic!("`{text}` are no labels")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

impl fmt::Display for Series {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        formatter.write_char('{')?;
        for (at, (key, value)) in self.labels.iter().enumerate() {
            write!(formatter, "{}{key}={value:?}", if at > 0 { "," } else { "" })?;
        }
        formatter.write_char('}')
    }
}

/// A value over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// At the start, and by how much it grows in a minute.
    Line(f64, f64),
    /// By how much it grows in a minute, on whatever it is.
    Counter(f64),
}

impl Value {
    /// None stands for a value that is not there.
    fn parse(text: &str) -> Option<Value> {
        if text == NONE {
            return None;
        }
        if let Some(rate) = text.strip_prefix('+').filter(|text| *text != "Inf") {
            return Some(Value::Counter(number(rate)));
        }
        Some(match text.split_once("now") {
            Some(("", "")) => Value::Line(0.0, 60.0),
            Some(("", offset)) => Value::Line(number(offset), 60.0),
            Some((offset, "")) => Value::Line(number(offset.trim_end_matches('-')), -60.0),
            Some(_) => panic!("`{text}` is no value"),
            None => Value::Line(number(text), 0.0),
        })
    }
}

fn number(text: &str) -> f64 {
    let units = [('d', 86400.0), ('h', 3600.0), ('m', 60.0)];
    let unit = units.iter().find_map(|(unit, seconds)| text.strip_suffix(*unit).map(|text| (text, *seconds)));
    let (text, times) = unit.unwrap_or((text, 1.0));
    text.parse::<f64>().unwrap_or_else(|_| panic!("`{text}` is no number")) * times
}

/// What scenarios change of what exporters say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    set: BTreeMap<String, String>,
    added: Vec<String>,
}

impl Changes {
    pub(crate) fn happens(&mut self, event: &Event) {
        match event {
            Event::Set(values) => self.set.extend(values.clone()),
            Event::Unset(series) => {
                for series in series {
                    assert!(self.set.remove(series).is_some(), "`{series}` is not set");
                }
            }
            Event::Add(lines) => self.added.push(lines.clone()),
            _ => {}
        }
    }
}

/// All that is said of a cluster in a state.
pub(crate) fn say(exporters: &[Exporter], cluster: &Cluster, changes: &Changes) -> BTreeMap<Series, Value> {
    let mut said = BTreeMap::new();
    for exporter in exporters {
        for target in cluster.facts(&exporter.of) {
            exporter.say(cluster, &target, &mut said);
        }
    }
    for line in changes.added.iter().flat_map(|lines| lines.lines()) {
        lines(line, &Facts::new(), &BTreeMap::new(), &mut said);
    }
    for (wanted, value) in &changes.set {
        let wanted = Series::parse(wanted);
        let value = Value::parse(value);
        let found: Vec<_> = said.keys().filter(|series| series.is_one_of(&wanted)).cloned().collect();
        assert!(!found.is_empty(), "no series is `{wanted}`");
        for series in found {
            match value {
                Some(value) => said.insert(series, value),
                None => said.remove(&series),
            };
        }
    }
    said
}

impl Exporter {
    fn say(&self, cluster: &Cluster, target: &Facts, said: &mut BTreeMap<Series, Value>) {
        let mut labels = parse_labels(&fill(&self.target, target));
        labels.insert("job".to_owned(), self.job.clone());
        let of_target = |name: &str| Series { name: name.to_owned(), labels: labels.clone() };
        said.insert(of_target("up"), if target["up"] == "1" { Value::Line(1.0, 0.0) } else { Value::Line(0.0, 0.0) });
        said.insert(of_target("scrape_duration_seconds"), Value::Line(0.1, 0.0));
        said.insert(of_target("scrape_samples_post_metric_relabeling"), Value::Line(1000.0, 0.0));
        if target["up"] != "1" {
            return;
        }
        for (of, text) in &self.series {
            let (of, is_here) = of.strip_suffix(" here").map_or((of.as_str(), false), |of| (of, true));
            let (of, runs) = of.strip_prefix("running").map_or((of, false), |of| (of.trim_start(), true));
            let things = match of {
                "self" => vec![target.clone()],
                "" => cluster.facts("pod"),
                of => cluster.facts(of),
            };
            let things = things.into_iter().filter(|thing| {
                (!is_here || thing["node"] == target["node"]) && (!runs || thing["running"] == "1")
            });
            for thing in things {
                text.lines().for_each(|line| lines(line, &thing, &labels, said));
            }
        }
    }
}

/// The series of a line.
fn lines(line: &str, facts: &Facts, target: &BTreeMap<String, String>, said: &mut BTreeMap<Series, Value>) {
    let line = fill(line, facts);
    let mut add = |text: &str, more: Option<(&str, &str)>, value: &str| {
        let Some(value) = Value::parse(value) else { return };
        let mut series = Series::parse(text);
        for (key, value) in target {
            series.labels.entry(key.clone()).or_insert_with(|| value.clone());
        }
        series.labels.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
        series.labels.retain(|_, value| !value.is_empty());
        assert!(said.insert(series, value).is_none(), "`{line}` is said twice");
    };
    let Some(histogram) = line.strip_prefix("histogram ") else {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("`{line}` has no value"));
        return add(series, None, value);
    };
    let (series, of) = histogram.split_once(" +").or_else(|| histogram.split_once(" ")).unwrap_or_else(|| panic!("`{line}`"));
    let words: Vec<_> = of.split(' ').collect();
    let [rate, largest, "of", bounds @ ..] = words.as_slice() else { panic!("`{line}` is no histogram") };
    let (name, labels) = series.split_once('{').map_or((series, String::new()), |(name, labels)| (name, format!("{{{labels}")));
    let rate = format!("+{rate}");
    for bound in bounds {
        let value = if number(bound) >= number(largest) { rate.as_str() } else { "+0" };
        add(&format!("{name}_bucket{labels}"), Some(("le", bound)), value);
    }
    add(&format!("{name}_bucket{labels}"), Some(("le", "+Inf")), &rate);
    add(&format!("{name}_count{labels}"), None, &rate);
}

/// `$name` by what is known of it.
fn fill(text: &str, facts: &Facts) -> String {
    let mut parts = text.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(part.len());
        filled += facts.get(&part[..end]).unwrap_or_else(|| panic!("`${}` of `{text}` is not known", &part[..end]));
        filled += &part[end..];
    }
    filled
}

/// What Prometheus stored of a series: runs of samples, one a minute, in promtool's notation.
#[derive(Debug, Default)]
struct Recorded {
    text: String,
    /// What is being said, since when, and what it was then.
    open: Option<(Value, u32, f64)>,
    /// Until when `text` and `open` tell.
    end: u32,
}

impl Recorded {
    fn close(&mut self) {
        let Some((value, since, start)) = self.open.take() else { return };
        let slope = match value {
            Value::Line(_, slope) | Value::Counter(slope) => slope,
        };
        let count = self.end - since - 1;
        if start.is_infinite() {
            self.text += &" Inf".repeat(count as usize + 1);
        } else if slope < 0.0 {
            let _ = write!(self.text, " {start}{slope}x{count}");
        } else {
            let _ = write!(self.text, " {start}+{slope}x{count}");
        }
    }

    fn value(&mut self, value: Value, minute: u32) {
        if self.end == minute && self.open.is_some_and(|(open, ..)| open == value) {
            self.end += 1;
            return;
        }
        let start = match (value, self.open) {
            (Value::Line(start, slope), _) => start + slope * f64::from(minute),
            (Value::Counter(_), Some((Value::Counter(rate), since, start))) => start + rate * f64::from(minute - since),
            (Value::Counter(_), Some((Value::Line(start, _), ..))) => start,
            (Value::Counter(_), None) => 0.0,
        };
        self.missing(minute);
        self.open = Some((value, minute, start));
        self.end = minute + 1;
    }

    /// Nothing is stored from where it ends until a minute.
    fn missing(&mut self, until: u32) {
        self.close();
        if until > self.end {
            let _ = write!(self.text, " _x{}", until - self.end);
            self.end = until;
        }
    }

    /// It was not there any more.
    fn stale(&mut self, minute: u32) {
        self.close();
        self.text += " stale";
        self.end = minute + 1;
    }
}

/// The series of a scenario as Prometheus stores them.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    series: BTreeMap<Series, Recorded>,
    said: BTreeSet<Series>,
    scraped: Option<u32>,
}

impl Recording {
    /// Stores what is said in a minute. What was there a minute before and is not any more is marked as stale.
    pub(crate) fn scrape(&mut self, said: &BTreeMap<Series, Value>, minute: u32) {
        if self.scraped == minute.checked_sub(1) {
            for gone in self.said.iter().filter(|series| !said.contains_key(*series)) {
                self.series.entry(gone.clone()).or_default().stale(minute);
            }
        }
        for (series, value) in said {
            self.series.entry(series.clone()).or_default().value(*value, minute);
        }
        self.said = said.keys().cloned().collect();
        self.scraped = Some(minute);
    }

    /// As promtool reads them.
    pub(crate) fn input(mut self) -> Vec<serde_json::Value> {
        self.series.values_mut().for_each(Recorded::close);
        self.series
            .iter()
            .map(|(series, recorded)| serde_json::json!({ "series": series.to_string(), "values": recorded.text.trim() }))
            .collect()
    }
}
