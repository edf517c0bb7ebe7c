//! What exporters say of a cluster, minute by minute, as Prometheus stores it.
//!
//! `exporters/*.yaml` holds their texts, nearly as they serve them: `$name` stands for what is known of the thing that a line
//! is about, `+6` for a counter that grows by 6 a minute, `now` for the time, `30d` for so many seconds; the start of a
//! scenario is 0. `5 by -2`, in scenarios, is 5 at their start and 2 less every minute. `9~` is at most 9, and wavers where the
//! recording is [lively](Recording::lively). `histogram NAME{…} +60 0.1 of 0.05 0.1 1.0` are the buckets and the count of one in which all values are
//! at most 0.1. A line whose value is not known is left out.

use crate::cluster::{Cluster, Event, Facts, NONE};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::rc::Rc;

/// A kind of target, and what it says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exporter {
    job: String,
    /// The workload whose pods are the targets, or `node`, `control-plane`, `api-server`.
    of: String,
    /// The labels that Prometheus adds, where a series has no label of that name.
    target: String,
    /// Lines by what each is said of: `self`, or `node`, `pod`, … for each of them; `here` for those on the target's node,
    /// `running` for those that run.
    #[serde(default)]
    series: BTreeMap<String, String>,
    /// What only panels read; scenarios take less time without. An exporter that has nothing else is not in their clusters.
    #[serde(default)]
    shown: BTreeMap<String, String>,
}

/// A series as promtool reads it: `name{label="value",…}`, with its labels in order.
pub type Series = String;

/// Of a series: its name, and its labels as they stand there.
pub fn parse_series(text: &str) -> (&str, Vec<(&str, &str)>) {
    let (name, labels) = text.split_once('{').unwrap_or((text, "}"));
    let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("`{text}` has no end"));
    (name, parse_labels(labels))
}

/// Labels as in a text of an exporter: no value holds a comma after a quotation mark.
fn parse_labels(text: &str) -> Vec<(&str, &str)> {
    let Some(pairs) = text.strip_suffix('"') else {
        assert!(text.is_empty(), "`{text}` are no labels");
        return Vec::new();
    };
    let pairs = pairs.split("\",").map(|pair| pair.split_once("=\""));
    pairs.map(|pair| pair.unwrap_or_else(|| panic!("`{text}` are no labels"))).collect()
}

/// A value over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// At the start, and by how much it grows in a minute.
    Line(f64, f64),
    /// By how much it grows in a minute, on whatever it is.
    Counter(f64),
    /// Up to so much, more or less of it from minute to minute in a lively recording.
    Wavers(f64),
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
        if let Some(most) = text.strip_suffix('~') {
            return Some(Value::Wavers(number(most)));
        }
        if let Some((start, slope)) = text.split_once(" by ") {
            return Some(Value::Line(number(start), number(slope)));
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
pub struct Changes(BTreeMap<String, String>);

impl Changes {
    /// Takes down what an event says of them.
    pub fn happens(&mut self, event: &Event) {
        match event {
            Event::Set(values) => self.0.extend(values.clone()),
            Event::Unset(series) => {
                for series in series {
                    assert!(self.0.remove(series).is_some(), "`{series}` is not set");
                }
            }
            _ => {}
        }
    }
}

/// What Prometheus says of each target itself.
const OF_TARGETS: [&str; 5] = [
    "up $up",
    "scrape_duration_seconds 0.1",
    "scrape_samples_scraped 1000",
    "scrape_samples_post_metric_relabeling 1000",
    "scrape_series_added 0",
];

/// All that is said of a cluster in a state.
pub fn say(exporters: &[Exporter], cluster: &Cluster, changes: &Changes) -> BTreeMap<Series, Value> {
    let mut said = BTreeMap::new();
    let mut known = Known { cluster, whole: cluster.cluster_facts(), things: BTreeMap::new() };
    for exporter in exporters.iter().filter(|exporter| !exporter.series.is_empty()) {
        for target in known.things(&exporter.of).iter() {
            exporter.say(&mut known, target, &mut said);
        }
    }
    for (wanted, value) in &changes.0 {
        let (name, labels) = parse_series(wanted);
        let value = Value::parse(value);
        let is_wanted = |series: &&Series| {
            let (own_name, own_labels) = parse_series(series);
            (name.is_empty() || name == own_name) && labels.iter().all(|label| own_labels.contains(label))
        };
        let found: Vec<_> = said.keys().filter(is_wanted).cloned().collect();
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

/// What is known of a cluster, by kind. Thousands of targets ask for the same.
struct Known<'a> {
    cluster: &'a Cluster,
    whole: Facts,
    things: BTreeMap<String, Rc<Vec<Facts>>>,
}

impl Known<'_> {
    fn things(&mut self, kind: &str) -> Rc<Vec<Facts>> {
        let cluster = self.cluster;
        self.things.entry(kind.to_owned()).or_insert_with(|| Rc::new(cluster.facts(kind))).clone()
    }
}

impl Exporter {
    /// With what only panels read.
    #[must_use]
    pub fn showing(mut self) -> Self {
        for (of, lines) in std::mem::take(&mut self.shown) {
            *self.series.entry(of).or_default() += &lines;
        }
        self
    }

    fn say(&self, known: &mut Known, target: &Facts, said: &mut BTreeMap<Series, Value>) {
        let labels = fill(&self.target, [target, &known.whole]);
        let mut labels = parse_labels(&labels);
        labels.push(("job", &self.job));
        for line in OF_TARGETS {
            lines(&fill(line, [target, &known.whole]), &labels, said);
        }
        if target["up"] != "1" {
            return;
        }
        for (of, text) in &self.series {
            let (of, is_here) = of.strip_suffix(" here").map_or((of.as_str(), false), |of| (of, true));
            let (of, runs) = of.strip_prefix("running").map_or((of, false), |of| (of.trim_start(), true));
            let things = match of {
                "self" => Rc::new(vec![target.clone()]),
                "" => known.things("pod"),
                of => known.things(of),
            };
            let things = things
                .iter()
                .filter(|thing| (!is_here || thing["node"] == target["node"]) && (!runs || thing["running"] == "1"));
            for thing in things {
                text.lines().for_each(|line| lines(&fill(line, [thing, &known.whole]), &labels, said));
            }
        }
    }
}

/// The series of a line.
fn lines(line: &str, target: &[(&str, &str)], said: &mut BTreeMap<Series, Value>) {
    let mut add = |text: &str, more: Option<(&str, &str)>, value: &str| {
        let Some(value) = Value::parse(value) else { return };
        let (name, mut labels) = parse_series(text);
        labels.extend(more);
        let own = labels.len();
        labels.extend(
            target
                .iter()
                .filter(|(key, _)| !labels[..own].iter().any(|(known, _)| known == key))
                .copied()
                .collect::<Vec<_>>(),
        );
        labels.retain(|(_, value)| !value.is_empty());
        labels.sort_unstable();
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        let series = format!("{name}{{{}}}", labels.join(","));
        assert!(said.insert(series, value).is_none(), "`{line}` is said twice");
    };
    let Some(histogram) = line.strip_prefix("histogram ") else {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("`{line}` has no value"));
        return add(series, None, value);
    };
    let (series, of) =
        histogram.split_once(" +").or_else(|| histogram.split_once(' ')).unwrap_or_else(|| panic!("`{line}`"));
    let words: Vec<_> = of.split(' ').collect();
    let [rate, largest, "of", bounds @ ..] = words.as_slice() else { panic!("`{line}` is no histogram") };
    let (name, labels) =
        series.split_once('{').map_or((series, String::new()), |(name, labels)| (name, format!("{{{labels}")));
    let rate = format!("+{rate}");
    for bound in bounds {
        let value = if number(bound) >= number(largest) { rate.as_str() } else { "+0" };
        add(&format!("{name}_bucket{labels}"), Some(("le", bound)), value);
    }
    add(&format!("{name}_bucket{labels}"), Some(("le", "+Inf")), &rate);
    add(&format!("{name}_count{labels}"), None, &rate);
}

/// `$name` by what is known of it.
fn fill(text: &str, facts: [&Facts; 2]) -> String {
    let mut parts = text.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(part.len());
        let known = facts.iter().find_map(|facts| facts.get(&part[..end]));
        filled += known.unwrap_or_else(|| panic!("`${}` of `{text}` is not known", &part[..end]));
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
    /// In a lively recording: which share of what is said there is.
    waves: Option<Waves>,
}

impl Recorded {
    fn close(&mut self) {
        let Some((value, since, start)) = self.open.take() else { return };
        let slope = match (value, self.waves) {
            (Value::Wavers(_), Some(_)) => return self.each(value, since, start),
            (Value::Counter(rate), Some(_)) if rate > 0.0 => return self.each(value, since, start),
            (Value::Line(_, slope) | Value::Counter(slope), _) => slope,
            (Value::Wavers(_), None) => 0.0,
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

    /// A run whose samples have no rule that promtool knows.
    fn each(&mut self, value: Value, since: u32, start: f64) {
        for minute in since..self.end {
            let _ = write!(self.text, " {}", self.at(value, since, start, minute));
        }
    }

    /// What a value that is `start` in the minute `since` is later.
    fn at(&self, value: Value, since: u32, start: f64, minute: u32) -> f64 {
        let share = |minute| self.waves.map_or(1.0, |waves| waves.share(minute));
        match value {
            Value::Line(_, slope) => start + slope * f64::from(minute - since),
            Value::Counter(rate) => start + rate * (since..minute).map(share).sum::<f64>(),
            // What is counted in whole numbers stays so.
            Value::Wavers(most) if most.fract() == 0.0 => (most * share(minute)).round(),
            Value::Wavers(most) => most * share(minute),
        }
    }

    fn value(&mut self, value: Value, minutes: Range<u32>) {
        if self.end == minutes.start && self.open.is_some_and(|(open, ..)| open == value) {
            self.end = minutes.end;
            return;
        }
        let start = match (value, self.open) {
            (Value::Line(start, slope), _) => start + slope * f64::from(minutes.start),
            (Value::Wavers(most), _) => most,
            (Value::Counter(_), Some((open, since, start))) => {
                let is_counter = matches!(open, Value::Counter(_));
                if is_counter { self.at(open, since, start, minutes.start) } else { start }
            }
            (Value::Counter(_), None) => 0.0,
        };
        self.missing(minutes.start);
        self.open = Some((value, minutes.start, start));
        self.end = minutes.end;
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

/// How much of what is said of a series there is in each minute: busy things have much of everything, and it comes and goes.
#[derive(Clone, Copy, Debug)]
struct Waves {
    /// Of the pod or the machine that it is about.
    size: f64,
    /// Where in its waves it begins.
    phase: f64,
}

impl Waves {
    /// The parts of a histogram have the same ones.
    fn of(series: &str) -> Self {
        let (name, labels) = parse_series(series);
        let name = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        // Machines of one cluster are busy alike, more or less; its pods are not.
        let kinds = [("pod", 0.2), ("node", 0.6), ("instance", 0.6)];
        let value = |key: &str| labels.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        let whose = kinds.iter().find_map(|(key, least)| Some((value(key)?, *least)));
        let (whose, least) = whose.unwrap_or(("", 0.6));
        let own = labels.iter().filter(|(key, _)| *key != "le").flat_map(|(_, value)| value.bytes());
        Self {
            size: least + (1.0 - least) * spread(whose.bytes()),
            phase: std::f64::consts::TAU * spread(name.bytes().chain(own)),
        }
    }

    fn share(self, minute: u32) -> f64 {
        let minute = f64::from(minute);
        let wave = 0.6 * (minute / 9.0 + self.phase).sin() + 0.4 * (minute / 2.3 + 5.0 * self.phase).sin();
        self.size * (0.9 + 0.1 * wave)
    }
}

/// A number from 0 to 1 that is nearly never the same for two texts.
fn spread(text: impl Iterator<Item = u8>) -> f64 {
    // FNV-1a, and the end of MurmurHash3, without which texts that differ in their last letter lie together.
    let hash = text.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    f64::from(hash ^ (hash >> 13)) / f64::from(u32::MAX)
}

/// The series of a scenario as Prometheus stores them.
#[derive(Debug, Default)]
pub struct Recording {
    lively: bool,
    series: BTreeMap<Series, Recorded>,
    said: BTreeMap<Series, Value>,
    end: u32,
}

impl Recording {
    /// One in which counters and what is said to waver come and go, each series in its own way: for those who look at it.
    #[must_use]
    pub fn lively() -> Self {
        Self { lively: true, ..Self::default() }
    }

    /// Stores what is said in some minutes. What was there a minute before and is not any more is marked as stale.
    pub fn scrape(&mut self, said: BTreeMap<Series, Value>, minutes: Range<u32>) {
        if self.end == minutes.start {
            for gone in self.said.keys().filter(|series| !said.contains_key(*series)) {
                self.series.entry(gone.clone()).or_default().stale(minutes.start);
            }
        }
        for (series, value) in &said {
            let waves = || self.lively.then(|| Waves::of(series));
            let recorded = self.series.entry(series.clone());
            let recorded = recorded.or_insert_with(|| Recorded { waves: waves(), ..Recorded::default() });
            recorded.value(*value, minutes.clone());
        }
        self.said = said;
        self.end = minutes.end;
    }

    /// As promtool reads them.
    pub fn input(mut self) -> Vec<serde_json::Value> {
        self.series.values_mut().for_each(Recorded::close);
        self.series
            .iter()
            .map(|(series, recorded)| serde_json::json!({ "series": series, "values": recorded.text.trim() }))
            .collect()
    }
}
