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

const LABELS: [&str; 24] = [
    "app",
    "app",
    "namespace",
    "namespace",
    "pod",
    "level",
    "status",
    "method",
    "_x",
    "a1",
    "duration",
    "bytes",
    "size",
    "rate",
    "sum",
    "count",
    "min",
    "sort",
    "__error__",
    "json",
    "by",
    "on",
    "ip",
    "offset",
];
const TEXTS: [&str; 22] = [
    "\"shop\"",
    "\"shop\"",
    "\"error\"",
    "\"error\"",
    "`panic: `",
    "`a\\d+`",
    "\"a|b\"",
    "\".+\"",
    "\".*\"",
    "\"\"",
    "\"a|\"",
    "\"é\"",
    "\"\\u00e9\"",
    "\"\\x41\"",
    "\"(?i)error\"",
    "\"[0-9]{2}\"",
    "\"(\"",
    "\"(?=a)\"",
    "\"a**\"",
    "'a'",
    "\"\\q\"",
    "\"a\\\\.b\"",
];
const EXPRESSIONS: [&str; 9] = [
    "\"(?P<status>[0-9]+)\"",
    "`(?P<a>\\w+) (?P<b>\\w+)`",
    "`(?<n>a)`",
    "\"[0-9]+\"",
    "`(a)(?P<x>b)`",
    "`(?P<a>a)(?P<a>b)`",
    "`(?P<a>(`",
    "\"\"",
    "`(?P<1a>a)`",
];
const PATTERNS: [&str; 15] = [
    "\"<ip> - <_>\"",
    "`<_> [<_>] \"<method> <_>\" <status>`",
    "\"<a><b>\"",
    "\"<_>\"",
    "\"<a>\"",
    "\"a\"",
    "\"\"",
    "\"<a> <a>\"",
    "\"<_><_>\"",
    "\"< a> <b>\"",
    "\"<1a> <b>\"",
    "\"<a b> <c>\"",
    "\"<a-b> <c>\"",
    "\"<a\"",
    "\"a <_> b\"",
];
const TEMPLATES: [&str; 17] = [
    "\"{{.status}}\"",
    "`{{ .app | upper }}`",
    "`{{ if .a }}b{{ else }}c{{ end }}`",
    "\"plain\"",
    "\"\"",
    "`{{ __line__ | lower }}`",
    "`{{ .a`",
    "`{{ nope .a }}`",
    "`{{ end }}`",
    "`{{ $x }}`",
    "`{{ .a | replace \"b\" \"c\" | trunc 5 }}`",
    "`{{ range $q := fromJson .a }}{{ $q }}{{ end }}`",
    "`{{ printf \"%s\" .a }}`",
    "`{{ date \"2006\" now }}`",
    "`{{ add 1 2 | mul 3 }}`",
    "`{{ if .a }}`",
    "`}} {{/* a */}}`",
];
const PATHS: [&str; 16] = [
    "\"a\"",
    "\"a.b\"",
    "\"a[0].b\"",
    "`request.headers[\"User-Agent\"]`",
    "`[\"a\"]`",
    "\"a[0][1]\"",
    "\"\"",
    "\"a.\"",
    "\".a\"",
    "\"a[\"",
    "\"a[x]\"",
    "\"a b\"",
    "\"a-b\"",
    "\"1a\"",
    "\"[0]\"",
    "`a[\"b\"].c`",
];
const KEYS: [&str; 6] = ["\"a\"", "`\"a b\"`", "\"a_b\"", "\"\"", "\"a b\"", "\"a=b\""];
const ADDRESSES: [&str; 9] = [
    "\"10.0.0.1\"",
    "\"10.0.0.0/8\"",
    "\"10.0.0.1-10.0.0.9\"",
    "\"::1\"",
    "\"2001:db8::/32\"",
    "\"10.0.0\"",
    "\"a\"",
    "\"\"",
    "\"10.0.0.0/99\"",
];
const RANGES: [&str; 24] = [
    "5m", "5m", "5m", "5m", "1h", "1h", "30s", "1d", "1w", "1y", "100ms", "1h30m", "1.5h", "0s", "0", "5", "5M",
    "30m1h", "5m5m", "", " 5m ", "-5m", "1us", "300y",
];
const TIMES: [&str; 17] = [
    "5m", "5m", "1h", "1d", "1w", "100ms", "1h30m", "1.5h", "0s", "5", "-5m", "1us", "1µs", "1d12h", "1h1d", "5x", "1y",
];
const SIZES: [&str; 16] =
    ["5MB", "1KB", "1KiB", "1.5GB", "5M", "1kib", "10B", "1b", "5k", "5G", "5Ki", "5kb", "1TB", "1PB", "5XB", "5kB"];
const NUMBERS: [&str; 19] = [
    "1", "1", "0", "200", "0.5", "1e3", "1e-3", "-1", "+1", ".5", "5.", "0x1F", "1_000", "07", "1e", "Inf", "NaN",
    "1.2.3", "1e400",
];
const OF_LINES: [&str; 5] = ["rate", "count_over_time", "bytes_rate", "bytes_over_time", "absent_over_time"];
const OF_VALUES: [&str; 14] = [
    "rate",
    "rate_counter",
    "sum_over_time",
    "avg_over_time",
    "max_over_time",
    "min_over_time",
    "first_over_time",
    "last_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "quantile_over_time",
    "absent_over_time",
    "count_over_time",
    "bytes_rate",
];
const AGGREGATIONS: [&str; 10] = ["sum", "sum", "sum", "avg", "min", "max", "count", "stddev", "stdvar", "SUM"];
const PICKING: [&str; 6] = ["topk", "topk", "bottomk", "approx_topk", "sort", "sort_desc"];
const OPERATORS: [&str; 16] =
    ["+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless", "AND"];
const SIGNS: [&str; 44] = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "`",
    "=",
    "~",
    "!",
    "<",
    ">",
    "|",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "@",
    "#",
    ".",
    "0",
    "a",
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
    " | json ",
    " |= ",
    "{a=\"b\"}",
    " | ",
    " unwrap x ",
    " and ",
    ", ",
    "--strict",
];

impl Iterator for Queries {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let query = if self.chance(30) {
            self.log()
        } else {
            let depth = self.below(4);
            self.metric(depth)
        };
        Some(if self.chance(30) { self.mutated(query, &SIGNS) } else { query })
    }
}

impl Queries {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// One of the first words, and rarely one of all.
    fn mostly<'w>(&mut self, words: &[&'w str], usual: usize) -> &'w str {
        if self.chance(97) { self.one(&words[..usual]) } else { self.one(words) }
    }

    fn label(&mut self) -> &'static str {
        self.mostly(&LABELS, 13)
    }

    fn text(&mut self) -> &'static str {
        self.mostly(&TEXTS, 8)
    }

    fn some(&mut self, least: usize, most: usize, one: impl Fn(&mut Self) -> String) -> String {
        let count = least + self.below(most + 1 - least);
        let list: Vec<String> = (0..count).map(|_| one(self)).collect();
        let end = if self.chance(3) { "," } else { "" };
        list.join(", ") + end
    }

    fn matcher(&mut self) -> String {
        let (label, op) = (self.label(), self.mostly(&["=", "=", "=~", "!=", "!~", "=="], 5));
        let space = self.one(&["", "", " "]);
        format!("{label}{space}{op}{space}{}", self.text())
    }

    fn selector(&mut self) -> String {
        match self.below(30) {
            0 => "{}".to_owned(),
            1 => format!("up{{{}}}", self.matcher()),
            2..8 => format!("{{{}}}", self.some(1, 3, Self::matcher)),
            _ => format!(
                "{{{}=\"a\"{}}}",
                self.label(),
                if self.chance(30) { format!(", {}", self.matcher()) } else { String::new() }
            ),
        }
    }

    fn stages(&mut self, most: usize) -> String {
        let count = self.below(most + 1);
        (0..count).map(|_| self.stage()).collect()
    }

    fn address(&mut self) -> String {
        format!("ip({})", self.mostly(&ADDRESSES, 5))
    }

    fn line_filter(&mut self) -> String {
        let op = self.one(&["|=", "|=", "!=", "|~", "!~", "|>", "!>"]);
        let sought = |queries: &mut Self| match queries.below(12) {
            0 => queries.address(),
            _ if op.ends_with('>') && queries.chance(90) => queries.one(&["\"<_> a <_>\"", "`a <_>`"]).to_owned(),
            _ if op.ends_with('>') => queries.one(&PATTERNS).to_owned(),
            _ => queries.text().to_owned(),
        };
        let mut text = format!(" {op} {}", sought(self));
        while self.chance(15) {
            let more = sought(self);
            text += &format!(" or {more}");
        }
        text
    }

    fn stage(&mut self) -> String {
        let extraction = |keys: &'static [&'static str]| {
            move |queries: &mut Self| match queries.below(3) {
                0 => queries.label().to_owned(),
                _ => format!("{}={}", queries.label(), queries.mostly(keys, 3)),
            }
        };
        match self.below(24) {
            0..6 => self.line_filter(),
            6 => " | json".to_owned(),
            7 => format!(" | json {}", self.some(1, 3, extraction(&PATHS))),
            8 => format!(
                " | logfmt{}",
                self.one(&["", " --strict", " --keep-empty", " --strict --keep-empty", " --strikt"])
            ),
            9 => format!(" | logfmt{} {}", self.one(&["", " --strict"]), self.some(1, 2, extraction(&KEYS))),
            10 => format!(" | pattern {}", self.mostly(&PATTERNS, 2)),
            11 => format!(" | regexp {}", self.mostly(&EXPRESSIONS, 3)),
            12 => self.one(&[" | unpack", " | decolorize", " | unpack \"a\""]).to_owned(),
            13 => format!(" | line_format {}", self.mostly(&TEMPLATES, 6)),
            14 => {
                let format = |queries: &mut Self| {
                    let source = if queries.chance(50) { queries.label() } else { queries.mostly(&TEMPLATES, 6) };
                    format!("{}={source}", queries.label())
                };
                format!(" | label_format {}", self.some(1, 3, format))
            }
            15 => {
                let named = |queries: &mut Self| {
                    if queries.chance(70) { queries.label().to_owned() } else { queries.matcher() }
                };
                format!(" | {} {}", self.one(&["drop", "keep"]), self.some(1, 3, named))
            }
            _ => format!(" | {}", self.label_filter(2)),
        }
    }

    fn label_filter(&mut self, depth: usize) -> String {
        let label = self.label();
        let op = self.one(&["=", "==", "!=", ">", ">=", "<", "<="]);
        let one = match self.below(10) {
            0..4 => self.matcher(),
            4 => format!("{label} {op} {}", self.mostly(&TIMES, 7)),
            5 => format!("{label} {op} {}", self.mostly(&SIZES, 5)),
            6 => format!("{label} {} {}", self.one(&["=", "!=", "=", "=="]), self.address()),
            7 if depth > 0 => format!("({})", self.label_filter(depth - 1)),
            _ => format!("{label} {op} {}", self.mostly(&NUMBERS, 7)),
        };
        if depth > 0 && self.chance(25) {
            let joint = self.mostly(&[" and ", " or ", ", ", " "], 3);
            return format!("{one}{joint}{}", self.label_filter(depth - 1));
        }
        one
    }

    fn log(&mut self) -> String {
        let log = self.selector() + &self.stages(4);
        if self.chance(6) { format!("({log})") } else { log }
    }

    fn unwrap(&mut self) -> String {
        let label = self.label();
        let mut text = match self.below(4) {
            0 => format!(" | unwrap {}({label})", self.mostly(&["bytes", "duration", "duration_seconds", "hours"], 3)),
            _ => format!(" | unwrap {label}"),
        };
        if self.chance(20) {
            text += &format!(" | {}", self.label_filter(1));
        }
        text
    }

    /// Lines over a range, in every place where that may stand, and some where it may not.
    fn lines(&mut self, unwrap: &str) -> String {
        let (selector, stages) = (self.selector(), self.stages(3));
        let mut range = format!("[{}]", self.mostly(&RANGES, 12));
        if self.chance(8) {
            range += &format!(" offset {}", self.mostly(&TIMES, 7));
        }
        match self.below(16) {
            0 => format!("{selector}{range}{stages}{unwrap}"),
            1 => format!("({selector}{stages}{unwrap}){range}"),
            2 => format!("({selector}{stages}{unwrap}{range})"),
            3 => format!("({selector}){range}{unwrap}"),
            4 if self.chance(50) => format!("({selector}{stages}){range}{unwrap}"),
            5 if self.chance(50) => format!("(({selector}{stages}{unwrap}{range}))"),
            6 if self.chance(30) => format!("{selector}{stages}{range}{unwrap}"),
            7 if self.chance(30) => format!("{selector}{stages}{unwrap}"),
            8 if self.chance(30) => format!("(({selector}{stages}{unwrap})){range}"),
            _ => format!("{selector}{stages}{unwrap}{range}"),
        }
    }

    fn grouping(&mut self) -> String {
        let word = self.mostly(&[" by", " by", " without", " BY"], 3);
        format!("{word} ({}) ", self.some(0, 2, |queries| queries.label().to_owned()))
    }

    fn range_aggregation(&mut self) -> String {
        let is_of_values = self.chance(45);
        let has_unwrap = if self.chance(8) { !is_of_values } else { is_of_values };
        let unwrap = if has_unwrap { self.unwrap() } else { String::new() };
        let function = if is_of_values { self.one(&OF_VALUES) } else { self.one(&OF_LINES) };
        let parameter = match (function == "quantile_over_time", self.chance(93)) {
            (true, true) | (false, false) => format!("{}, ", self.mostly(&NUMBERS, 6)),
            _ => String::new(),
        };
        let grouping = if self.chance(if is_of_values { 25 } else { 4 }) { self.grouping() } else { String::new() };
        format!("{function}({parameter}{}){grouping}", self.lines(&unwrap))
    }

    fn vector_aggregation(&mut self, depth: usize) -> String {
        let mut op = self.mostly(&AGGREGATIONS, 9);
        let mut arguments = self.metric(depth);
        let picks = self.chance(20);
        if picks {
            op = self.one(&PICKING);
        }
        if op.ends_with('k') != self.chance(3) {
            arguments = format!("{}, {arguments}", self.mostly(&["1", "5", "10", "0", "-1", "1.5"], 3));
        }
        let grouping =
            if self.chance(if op.contains("sort") { 5 } else { 50 }) { self.grouping() } else { String::new() };
        if self.chance(60) { format!("{op}{grouping}({arguments})") } else { format!("{op}({arguments}){grouping}") }
    }

    fn binary(&mut self, depth: usize) -> String {
        let mut op = self.mostly(&OPERATORS, 15).to_owned();
        if self.chance(10) {
            op += " bool";
        }
        if self.chance(25) {
            let labels = self.some(0, 2, |queries| queries.label().to_owned());
            op += &format!(" {} ({labels})", self.one(&["on", "ignoring"]));
            if self.chance(40) {
                op += &format!(
                    " {}{}",
                    self.one(&["group_left", "group_right"]),
                    self.one(&["", " ()", " (app)", " (app, pod)"])
                );
            }
        }
        let side = |queries: &mut Self| match queries.below(20) {
            0 => queries.log(),
            1..5 => queries.mostly(&NUMBERS, 9).to_owned(),
            _ => queries.metric(depth),
        };
        format!("{} {op} {}", side(self), side(self))
    }

    fn metric(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.range_aggregation();
        }
        let depth = depth - 1;
        match self.below(20) {
            0..4 => self.range_aggregation(),
            4..11 => self.vector_aggregation(depth),
            11..14 => self.binary(depth),
            14 => format!("({})", self.binary(depth)),
            15 => format!("({})", self.metric(depth)),
            16 => {
                let texts = [self.text(), self.text(), self.text(), self.text()].join(", ");
                format!("label_replace({}, {texts})", self.metric(depth))
            }
            17 => format!("vector({})", self.mostly(&NUMBERS, 6)),
            18 => self.mostly(&NUMBERS, 9).to_owned(),
            _ if self.chance(30) => {
                format!("variants({}, {}) of ({})", self.metric(0), self.metric(0), self.lines(""))
            }
            _ => format!("{}({})", self.one(&["rat", "RATE", "abs", "histogram_quantile"]), self.lines("")),
        }
    }
}
