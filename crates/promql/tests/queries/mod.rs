//! Queries of every form that the grammar has, the same for the same seed; some with a mistake.

use crate::random::Random;
use std::ops::{Deref, DerefMut};

/// An endless row of queries.
pub(crate) struct Queries(Random);

impl Deref for Queries {
    type Target = Random;

    fn deref(&self) -> &Random {
        &self.0
    }
}

impl DerefMut for Queries {
    fn deref_mut(&mut self) -> &mut Random {
        &mut self.0
    }
}

const METRICS: [&str; 26] = [
    "up",
    "up",
    "up",
    "http_requests_total",
    "http_requests_total",
    "node_cpu_seconds_total",
    "x",
    "x",
    "job:rate:sum",
    "a_bucket",
    ":x:",
    "sum",
    "by",
    "on",
    "bool",
    "offset",
    "inf",
    "nan",
    "start",
    "step",
    "min",
    "info",
    "smoothed",
    "fill",
    "group_left",
    "quantile",
];
const LABELS: [&str; 15] = [
    "job", "instance", "le", "code", "__name__", "by", "on", "sum", "offset", "inf", "a1", "_x", "and", "without",
    "\"a.b\"",
];
const TEXTS: [&str; 34] = [
    "\"a\"",
    "\"a\"",
    "\"web\"",
    "'x'",
    "`a\\d+`",
    "\"0.5\"",
    "\".*\"",
    "\"a|b\"",
    "\"a|\"",
    "\"[0-9]{2}\"",
    "\"\\\\d+\"",
    "\"a\\\\.b\"",
    "\"\"",
    "\"é\"",
    "\"\\u00e9\"",
    "\"\\x41\"",
    "\"\\101\"",
    "\"(?i)a\"",
    "\"(?P<x>a)\"",
    "\"(?<n>a)\"",
    "\"\\\\Qa.b\\\\E\"",
    "\"\\\\pL+\"",
    "\"[[:alpha:]]\"",
    "\"a{1001}\"",
    "\"(a{100}){11}\"",
    "\"(?=a)\"",
    "\"a**\"",
    "\"[\"",
    "\"[b-a]\"",
    "\"\\\\z\"",
    "\"(?s).*\"",
    "\"\\\\1\"",
    "\"\\q\"",
    "\"a\\\n\"",
];
const DURATIONS: [&str; 30] = [
    "5m", "5m", "5m", "1h", "1h", "30s", "1d", "1w", "1y", "100ms", "1h30m", "300", "5", "0s", "0", "1.5h", "5M",
    "30m1h", "1e3", "0x1F", "1_000", "5m5m", "1h1ms", "inf", "NaN", "-5m", "+5m", "--5m", "300y", "",
];
const SCALARS: [&str; 34] = [
    "1", "1", "0.5", "0.5", "100", "100", "1e3", "-1", "+1", "0x1F", "Inf", "NaN", "1_000", ".5", "5.", "1e-3", "07",
    "08", "5m", "1h30m", "0b1", "1__0", "_1", "1e", "inf", "+Inf", "0o7", "1k", "0._5", "1_.5", "0xee", "1e400",
    "0x_1", "1.2.3",
];
const OVER_TIME: [&str; 22] = [
    "rate",
    "rate",
    "increase",
    "irate",
    "delta",
    "idelta",
    "deriv",
    "changes",
    "resets",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
    "present_over_time",
    "absent_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "first_over_time",
    "mad_over_time",
    "ts_of_max_over_time",
];
const INSTANT: [&str; 24] = [
    "abs",
    "ceil",
    "floor",
    "exp",
    "ln",
    "sqrt",
    "sgn",
    "absent",
    "sort",
    "sort_desc",
    "timestamp",
    "histogram_count",
    "histogram_sum",
    "histogram_avg",
    "histogram_stddev",
    "acos",
    "sinh",
    "deg",
    "rad",
    "log2",
    "scalar",
    "hour",
    "year",
    "day_of_week",
];
const AGGREGATIONS: [&str; 9] = ["sum", "sum", "avg", "min", "max", "count", "group", "stddev", "SUM"];
const OPERATORS: [&str; 19] =
    ["+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless", "atan2", "AND", "</", ">/"];
const SIGNS: [&str; 40] = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "'",
    "`",
    "=",
    "~",
    "!",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "@",
    ":",
    "#",
    ".",
    "0",
    "a",
    "E",
    "_",
    " ",
    "\n",
    "\\",
    " by ",
    " offset 5m",
    "[5m]",
    " bool ",
    "sum(",
    " or ",
    " @ 5",
    "{a=\"b\"}",
];

impl Iterator for Queries {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let query = if self.chance(10) {
            self.scalar(2)
        } else {
            let depth = self.below(4);
            self.vector(depth)
        };
        Some(if self.chance(40) { self.mutated(query, &SIGNS) } else { query })
    }
}

impl Queries {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    fn some(&mut self, most: usize, one: impl Fn(&mut Self) -> String) -> String {
        let count = self.below(most + 1);
        let list: Vec<String> = (0..count).map(|_| one(self)).collect();
        list.join(", ") + self.one(&["", "", "", ","])
    }

    fn duration(&mut self) -> String {
        if self.chance(85) { self.one(&DURATIONS).to_owned() } else { self.length(2) }
    }

    /// An expression for a duration.
    fn length(&mut self, depth: usize) -> String {
        if depth == 0 || self.chance(40) {
            return self.one(&["5m", "1h", "30", "step()", "range()", "1d", "0"]).to_owned();
        }
        let (left, right) = (self.length(depth - 1), self.length(depth - 1));
        match self.below(6) {
            0 => format!("({left})"),
            1 => format!("{}({left}, {right})", self.one(&["min", "max", "min_of", "max_of"])),
            2 => format!("{}{left}", self.one(&["-", "+"])),
            _ => format!("{left}{}{right}", self.one(&["+", " + ", "-", " * ", "/", "%", "^"])),
        }
    }

    fn matcher(&mut self) -> String {
        let (label, op) = (self.one(&LABELS), self.one(&["=", "!=", "=~", "!~"]));
        format!("{label}{}{op}{}{}", self.one(&["", " "]), self.one(&["", " "]), self.one(&TEXTS))
    }

    fn selector(&mut self) -> String {
        let metric = self.one(&METRICS);
        match self.below(20) {
            0..7 => metric.to_owned(),
            7..15 => format!("{metric}{{{}}}", self.some(3, Self::matcher)),
            15..18 => format!("{{{}}}", self.some(2, Self::matcher)),
            18 => format!("{{{}, {}}}", self.one(&["\"http.requests\"", "'up'", "\"\""]), self.some(2, Self::matcher)),
            _ => format!("{metric}{{{} or {}}}", self.matcher(), self.matcher()),
        }
    }

    /// What stands behind a selector.
    fn modifiers(&mut self) -> String {
        let mut text = String::new();
        if self.chance(12) {
            text = format!(" offset {}{}", self.one(&["", "", "-"]), self.duration());
        } else if self.chance(3) {
            text = format!(" offset {}({})", self.one(&["", "-"]), self.length(2));
        }
        if self.chance(8) {
            let times = [
                "1609746000",
                "start()",
                "end()",
                "-5",
                "1.5",
                "0x1",
                "1e9",
                "step()",
                "inf",
                "(5)",
                "1e19",
                "START()",
            ];
            text += &format!(" @ {}", self.one(&times));
        }
        if self.chance(2) { self.one(&[" smoothed", " anchored"]).to_owned() + &text } else { text }
    }

    fn scalar(&mut self, depth: usize) -> String {
        match self.below(10) {
            0 => "time()".to_owned(),
            1 if depth > 0 => format!("scalar({})", self.vector(depth - 1)),
            2 if depth > 0 => {
                let op = self.one(&["+", "> bool", ">", "/", "atan2"]);
                format!("({} {op} {})", self.scalar(depth - 1), self.scalar(depth - 1))
            }
            _ => self.one(&SCALARS).to_owned(),
        }
    }

    fn matrix(&mut self, depth: usize) -> String {
        if depth > 0 && self.chance(12) {
            let (inner, range) = (self.vector(depth - 1), self.duration());
            let step = if self.chance(50) { self.duration() } else { String::new() };
            return format!("({inner})[{range}:{step}]{}", self.modifiers());
        }
        format!("{}[{}]{}", self.selector(), self.duration(), self.modifiers())
    }

    fn grouping(&mut self) -> String {
        let word = self.one(&["", " by", " without", " BY", " by"]);
        if word.is_empty() {
            return String::new();
        }
        format!("{word} ({}) ", self.some(2, |queries| queries.one(&LABELS).to_owned()))
    }

    fn call(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match self.below(22) {
            0..5 => format!("{}({})", self.one(&OVER_TIME), self.matrix(depth)),
            5..9 => format!("{}({})", self.one(&INSTANT), self.vector(depth)),
            9 => format!("{}()", self.one(&["hour", "year", "time", "pi", "abs", "start", "end", "step", "range"])),
            10 => format!("histogram_quantile({}, {})", self.scalar(0), self.vector(depth)),
            11 => {
                let texts = [self.one(&TEXTS), self.one(&TEXTS), self.one(&TEXTS), self.one(&TEXTS)].join(", ");
                format!("label_replace({}, {texts})", self.vector(depth))
            }
            12 => {
                let sources = self.some(3, |queries| queries.one(&TEXTS).to_owned());
                format!("label_join({}, \"d\", \"-\", {sources})", self.vector(depth))
            }
            13 => format!("quantile_over_time({}, {})", self.scalar(0), self.matrix(depth)),
            14 => {
                let function = self.one(&["predict_linear", "holt_winters", "double_exponential_smoothing"]);
                format!("{function}({}, {}{})", self.matrix(depth), self.scalar(0), self.one(&["", ", 0.5"]))
            }
            15 => format!("clamp{}({}, {})", self.one(&["_min", "_max", ""]), self.vector(depth), self.scalar(0)),
            16 => format!("round({}{})", self.vector(depth), self.one(&["", ", 0.1", ", 0.1, 1"])),
            17 => format!("vector({})", self.scalar(0)),
            18 => {
                format!("info({}{})", self.vector(depth), self.one(&["", ", {k=\"v\"}", ", {}", ", up", ", {\"a\"}"]))
            }
            19 => {
                format!("sort_by_label({}{})", self.vector(depth), self.one(&["", ", \"a\"", ", \"a\", \"b\"", ", 1"]))
            }
            20 => format!("{}({})", self.one(&["rat", "RATE", "on", "by", "fill"]), self.vector(depth)),
            _ => {
                let argument = |queries: &mut Self| match queries.below(3) {
                    0 => queries.vector(depth),
                    1 => queries.scalar(depth),
                    _ => queries.matrix(depth),
                };
                format!("{}({})", self.one(&OVER_TIME), self.some(2, argument))
            }
        }
    }

    fn aggregate(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        let mut op = self.one(&AGGREGATIONS);
        let mut arguments = self.vector(depth);
        if self.chance(25) {
            op = self.one(&["topk", "bottomk", "quantile", "count_values", "limitk", "limit_ratio"]);
            let parameter = match (op, self.chance(90)) {
                ("count_values", true) => "\"v\"".to_owned(),
                (_, true) => self.scalar(1),
                _ => self.one(&["\"v\"", "up", "1"]).to_owned(),
            };
            arguments = format!("{parameter}, {arguments}");
        }
        let grouping = self.grouping();
        if self.chance(60) { format!("{op}{grouping}({arguments})") } else { format!("{op}({arguments}){grouping}") }
    }

    fn binary(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        let mut op = self.one(&OPERATORS).to_owned();
        if self.chance(10) {
            op += " bool";
        }
        if self.chance(25) {
            let labels = self.some(2, |queries| queries.one(&LABELS).to_owned());
            op += &format!(" {} ({labels})", self.one(&["on", "ignoring", "ON"]));
            if self.chance(40) {
                op += &format!(
                    " {}{}",
                    self.one(&["group_left", "group_right"]),
                    self.one(&["", " ()", " (code)", " (job, x)"])
                );
            }
        }
        if self.chance(3) {
            op += self.one(&[" fill(0)", " fill_left(1) fill_right(-1)", " fill_left (inf)", " fill (a)"]);
        }
        let side = |queries: &mut Self| if queries.chance(75) { queries.vector(depth) } else { queries.scalar(depth) };
        format!("{} {op} {}", side(self), side(self))
    }

    fn vector(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.selector() + &self.modifiers();
        }
        match self.below(20) {
            0..5 => self.selector() + &self.modifiers(),
            5..10 => self.call(depth),
            10..14 => self.aggregate(depth),
            14..16 => self.binary(depth),
            16..18 => format!("({}){}", self.binary(depth), self.modifiers()),
            18 => format!("{}{}", self.one(&["-", "+"]), self.vector(depth - 1)),
            _ => format!("({})", self.vector(depth - 1)),
        }
    }
}
