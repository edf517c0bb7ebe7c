//! PromQL: what queries ask for.

use super::file::Where;
use crate::finding::Findings;
use crate::memory::Memory;
use crate::rule::rules;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use vigil_promql::{Error, Expr, MatchOp, Matcher, Need, Type};
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

rules! {
    SYNTAX "query-syntax" Error Program "every query is valid PromQL"
    JOB "query-job" Warning Nobody "every `job` that a query asks for is scraped"
    WINDOW "query-window" Warning Nobody "every rate covers at least four scrapes"
}

/// Stands for a variable of Grafana inside a text; matches what nobody writes.
pub(super) const VARIABLE: &str = "__grafana_variable__";

/// Stands for `$__interval`, the step of a graph: a range that nobody writes.
pub(super) const STEP: (&str, Duration) = ("51w", Duration::from_secs(51 * 7 * 24 * 60 * 60));

/// A query, and where it stands.
pub(super) struct Query<'w, 'a> {
    pub(super) text: &'w str,
    pub(super) node: &'w Node,
    pub(super) place: Where<'w, 'a>,
    /// Of a dashboard: it may hold variables.
    pub(super) variables: bool,
    /// The alert or recording rule that it is a part of.
    pub(super) rule: Option<&'w Node>,
    /// The seconds between two evaluations of that rule, if they are known.
    pub(super) interval: Option<u64>,
}

/// Queries, by whom they ask.
#[derive(Default)]
pub(super) struct Queries<'w, 'a> {
    pub(super) prometheus: Vec<Query<'w, 'a>>,
    pub(super) loki: Vec<Query<'w, 'a>>,
}

/// What is known of a query's text.
#[derive(Default)]
pub(crate) struct Parsed {
    error: Option<Error>,
    pub(super) expression: Option<Expr>,
    /// What not every Prometheus knows.
    pub(super) needs: Vec<Need>,
    pub(super) selectors: Vec<Selector>,
    pub(super) windows: Vec<Window>,
}

/// A function over a range of samples.
pub(super) struct Window {
    pub(super) function: &'static str,
    pub(super) range: Duration,
    /// Whose samples these are.
    selector: Selector,
    /// It is taken at the steps of a subquery, not at each evaluation alone.
    pub(super) stepped: bool,
}

/// A selector of series.
#[derive(Clone)]
pub(super) struct Selector {
    pub(super) metric: Option<String>,
    /// What `job` must be, and whether that is a regular expression.
    pub(super) job: Option<(String, bool)>,
    /// The values that `le` may have, if they are named one by one.
    pub(super) bounds: Vec<String>,
}

/// Texts with what is known of each, parsed once.
pub(super) struct Parsing<'w>(HashMap<(&'w str, bool), Arc<Parsed>>);

impl<'w> Parsing<'w> {
    /// Parses each text once, on all cores; what is remembered, not at all.
    pub(super) fn new(queries: &[Query<'w, '_>], memory: Option<&Memory>) -> Self {
        let texts: BTreeSet<(&str, bool)> = queries.iter().map(|query| (query.text, query.variables)).collect();
        let texts: Vec<_> = texts.into_iter().collect();
        let parsed = |text: &str, variables| match memory {
            Some(memory) => memory.query(text, variables),
            None => Arc::new(parse(text, variables)),
        };
        Self(texts.into_par_iter().map(|(text, variables)| ((text, variables), parsed(text, variables))).collect())
    }

    /// Every text once, with what is known of it.
    pub(super) fn all(&self) -> impl ParallelIterator<Item = (&(&'w str, bool), &Parsed)> {
        self.0.par_iter().map(|(text, parsed)| (text, &**parsed))
    }

    pub(super) fn of(&self, query: &Query<'w, '_>) -> Option<&Parsed> {
        self.0.get(&(query.text, query.variables)).map(|parsed| &**parsed)
    }
}

/// Reads a query.
pub(crate) fn parse(text: &str, variables: bool) -> Parsed {
    let result = if variables {
        // A variable outside of texts may be a name, a number or a time.
        let (named, bare) = replaced(text, "v");
        let with = |word| vigil_promql::parse(&replaced(text, word).0);
        match vigil_promql::parse(&named).or_else(|error| with("1").or_else(|_| with("5m")).map_err(|_| error)) {
            Err(_) if bare => return Parsed::default(),
            result => result,
        }
    } else {
        vigil_promql::parse(text)
    };
    match result {
        Ok(query) => {
            let mut parsed = Parsed { needs: query.needs, ..Parsed::default() };
            parsed.walk(&query.expr, None, false);
            parsed.expression = Some(query.expr);
            parsed
        }
        Err(error) => Parsed { error: Some(error), ..Parsed::default() },
    }
}

/// The text without variables, and whether some stood outside of texts that are not Grafana's own.
pub(super) fn replaced(text: &str, by: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut quote: Option<char> = None;
    let mut bare = false;
    let mut brackets = 0_usize;
    let mut rest = text;
    // What has a meaning here; everything between is copied as it is.
    let special = |c: char| matches!(c, '$' | '[' | ']' | '"' | '\'' | '`' | '\\' | '#');
    while let Some(start) = rest.find(special) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let c = rest.chars().next().unwrap_or_default();
        if let Some((name, length)) = variable(rest) {
            rest = &rest[length..];
            let word = match name {
                _ if quote.is_some() => VARIABLE,
                "__interval_ms" | "__range_s" | "__range_ms" | "__from" | "__to" => "60",
                "__interval" => STEP.0,
                _ if name.starts_with("__") || brackets > 0 => "52w",
                _ => {
                    bare = true;
                    by
                }
            };
            out.push_str(word);
            continue;
        }
        rest = &rest[c.len_utf8()..];
        out.push(c);
        match (quote, c) {
            (Some('"' | '\''), '\\') => {
                if let Some(escaped) = rest.chars().next() {
                    out.push(escaped);
                    rest = &rest[escaped.len_utf8()..];
                }
            }
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            // What a comment quotes is no text.
            (None, '#') => {
                let end = rest.find('\n').unwrap_or(rest.len());
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
            (None, '[') => brackets += 1,
            (None, ']') => brackets = brackets.saturating_sub(1),
            _ => {}
        }
    }
    out.push_str(rest);
    (out, bare)
}

/// The variable that a text starts with: `$name`, `${name:format}` or `[[name]]`.
pub(super) fn variable(text: &str) -> Option<(&str, usize)> {
    let word = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if let Some(inner) = text.strip_prefix("${") {
        let end = inner.find('}')?;
        return Some((inner[..end].split([':', '.']).next().unwrap_or_default(), end + 3));
    }
    if let Some(inner) = text.strip_prefix("[[") {
        let end = inner.find("]]")?;
        return Some((inner[..end].split(':').next().unwrap_or_default(), end + 4));
    }
    let name = text.strip_prefix('$')?;
    let length = word(name);
    // `$1` in `label_replace` is a group of its expression.
    (length > 0 && !name.starts_with(|c: char| c.is_ascii_digit())).then(|| (&name[..length], length + 1))
}

impl Parsed {
    fn walk(&mut self, expression: &Expr, function: Option<&'static str>, stepped: bool) {
        if let Some(selector) = expression.selector().map(Selector::of) {
            if let (Expr::Matrix(it), Some(function)) = (expression, function)
                && let Some(range) = it.range
            {
                self.windows.push(Window { function, range, selector: selector.clone(), stepped });
            }
            self.selectors.push(selector);
        }
        let function = match expression {
            Expr::Paren(_) => function,
            Expr::Call(it) => Some(it.function.name),
            _ => None,
        };
        let stepped = stepped || matches!(expression, Expr::Subquery(_));
        for part in expression.parts() {
            self.walk(part, function, stepped);
        }
    }
}

impl Selector {
    fn of(selector: &vigil_promql::Selector) -> Self {
        let matchers = &selector.matchers;
        let equal = |matcher: &&Matcher| matcher.name == "__name__" && matcher.op == MatchOp::Equal;
        let named = || matchers.iter().find(equal).map(|matcher| matcher.value.clone());
        let mut jobs = matchers.iter().filter(|matcher| matcher.name == "job");
        let job = jobs.find_map(|matcher| match matcher.op {
            MatchOp::Equal => Some((matcher.value.clone(), false)),
            MatchOp::Regex => Some((matcher.value.clone(), true)),
            MatchOp::NotEqual | MatchOp::NotRegex => None,
        });
        Self {
            metric: selector.name.clone().or_else(named).filter(|name| !name.contains("grafana_variable")),
            bounds: bounds(matchers),
            job: job.filter(|(value, _)| !value.is_empty() && !value.contains(VARIABLE)),
        }
    }
}

/// The values of `le` that matchers name, as texts or as an expression of nothing but these.
fn bounds(matchers: &[Matcher]) -> Vec<String> {
    let Some(matcher) = matchers.iter().find(|matcher| matcher.name == "le") else { return Vec::new() };
    let named: Vec<String> = match &matcher.op {
        MatchOp::Equal => vec![matcher.value.clone()],
        MatchOp::Regex => matcher.value.split('|').map(|one| one.replace("\\.", ".").replace("\\+", "+")).collect(),
        _ => Vec::new(),
    };
    if named.iter().all(|bound| bound.parse::<f64>().is_ok()) { named } else { Vec::new() }
}

/// An endpoint of a monitor, and what it leaves out.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) jobs: BTreeSet<String>,
    /// It is that of a kubelet's cAdvisor.
    pub(super) is_cadvisor: bool,
    pub(super) drops: Vec<Drop>,
}

/// A rule of `metricRelabelings` that drops series by name, and by `le`.
#[derive(Debug)]
pub(super) struct Drop {
    /// `__name__` and `le`, in the order in which they are joined.
    pub(super) labels: Vec<String>,
    pub(super) separator: String,
    /// A regular expression over them.
    pub(super) pattern: String,
    /// The same, compiled when it is first asked for; nothing if it is none.
    pub(super) regex: OnceLock<Option<regex::Regex>>,
    /// What matches is dropped; otherwise, what does not.
    pub(super) of_matches: bool,
}

impl Drop {
    /// Whether labels that are joined so are dropped.
    pub(super) fn drops(&self, joined: &str) -> bool {
        let regex = self.regex.get_or_init(|| regex::Regex::new(&format!("^(?:{})$", self.pattern)).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(joined) == self.of_matches)
    }
}

/// What monitors give to queries.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// The values of `job`; nothing when there may be others.
    pub(super) jobs: Option<BTreeSet<String>>,
    /// Whether there may be more of them: monitors or rules of any namespace are taken, and applications bring their own.
    pub(super) is_open: bool,
    /// The shortest time between two scrapes, if it is known.
    pub(super) interval: Option<Duration>,
    /// The shortest time between two scrapes of a job, where it is known.
    pub(super) intervals: BTreeMap<String, Duration>,
    /// The endpoints of the monitors that are known.
    pub(super) endpoints: Vec<Endpoint>,
    /// Series may be there that other Prometheuses recorded.
    pub(super) recorded_elsewhere: bool,
    /// Labels that targets have besides the usual ones, as far as they are known.
    pub(super) labels: BTreeSet<String>,
}

impl Targets {
    /// The shortest time between two scrapes of what a selector selects, if it is known.
    fn interval_of(&self, selector: &Selector) -> Option<Duration> {
        let Some((job, is_regex)) = &selector.job else { return self.interval };
        let one = || self.intervals.get(job).copied();
        let regex = || regex::Regex::new(&format!("^(?:{job})$")).ok();
        let some = || {
            let regex = regex()?;
            self.intervals.iter().filter(|(job, _)| regex.is_match(job)).map(|(_, interval)| *interval).min()
        };
        if *is_regex { some() } else { one() }.or(self.interval)
    }
}

/// Functions that need two samples, or make nothing of one.
const OF_TWO: [&str; 7] = ["rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"];

/// Judges all queries.
pub(super) fn check<'w>(
    queries: &[Query<'w, '_>],
    parsing: &Parsing<'w>,
    targets: &Targets,
    recorded: &HashSet<&str>,
    findings: &mut Findings,
) {
    // Each job is looked for once, however many queries ask for it.
    let mut found: HashMap<(&str, bool), bool> = HashMap::new();
    for query in queries {
        let Some(parsed) = parsing.of(query) else { continue };
        let at = query.node;
        if let Some(error) = &parsed.error {
            let message = format!("{} is no PromQL", Quoted(query.text.trim()));
            let finding = query.place.add(&SYNTAX, at, message, findings).label(located(
                query.text,
                &error.message,
                error.span.start,
            ));
            if !query.variables && (query.text.contains("[$") || query.text.contains("$__")) {
                finding.help("only Grafana knows variables: write a time, such as `5m`");
            } else if error.message.starts_with("unexpected `=` ") {
                finding.help("write `==` to compare");
            }
        }
        let results = parsed.expression.as_ref().map(Expr::value_type).filter(|_| query.rule.is_some());
        // `EngineQueryFunc` of rules/manager.go in Prometheus 3.8 takes nothing else; the parser takes all.
        if let Some(what) = results.and_then(|results| match results {
            Type::Matrix => Some("samples of a range"),
            Type::String => Some("a text"),
            Type::Scalar | Type::Vector => None,
        }) {
            let message = format!("{} gives {what}, of which a rule makes nothing", Quoted(query.text.trim()));
            let finding = query.place.add(&SYNTAX, at, message, findings);
            finding.help("take the range away, or put a function such as `rate` or `max_over_time` around it");
        }
        let steps = parsed.windows.iter().filter(|window| query.variables && window.range == STEP.1);
        for Window { function, .. } in steps.filter(|window| OF_TWO.contains(&window.function)) {
            let message = format!("`{function}` over `$__interval` is empty as soon as somebody zooms in");
            let finding = query.place.add(&WINDOW, at, message, findings);
            finding.help("take `$__rate_interval`, which Grafana never makes shorter than four scrapes");
        }
        if let Some(jobs) = &targets.jobs {
            for (value, is_regex) in parsed.selectors.iter().filter_map(|selector| selector.job.as_ref()) {
                if !*found.entry((value, *is_regex)).or_insert_with(|| is_given(value, *is_regex, jobs)) {
                    no_job(query, value, jobs, targets.is_open, findings);
                }
            }
        }
        for Window { function, range, selector, .. } in &parsed.windows {
            // What is recorded comes as often as its group is evaluated.
            let is_recorded =
                selector.metric.as_deref().is_some_and(|name| name.contains(':') || recorded.contains(name));
            let Some(interval) = targets.interval_of(selector).filter(|_| !is_recorded) else { continue };
            if !OF_TWO.contains(function) || *range >= interval * 4 {
                continue;
            }
            let why =
                if *range < interval * 2 { "needs two scrapes" } else { "is empty when a scrape fails or comes late" };
            let message = format!("`{function}` over {} {why}: they are {} apart", said(*range), said(interval));
            query
                .place
                .add(&WINDOW, at, message, findings)
                .help(format!("take four times that, {}, or more", said(interval * 4)));
        }
    }
}

/// What is wrong with a query, and what stands there, if the query is too long to see it.
pub(super) fn located(text: &str, message: &str, start: usize) -> String {
    const SEEN: usize = 60;
    let rest: String = text.get(start..).unwrap_or_default().chars().take(30).collect();
    if text.len() <= SEEN || rest.is_empty() {
        return message.to_owned();
    }
    format!("{message}, at {}", Quoted(rest.trim()))
}

/// A time as Prometheus writes it.
pub(super) fn said(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m")];
    units
        .iter()
        .find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length))
        .map_or_else(|| format!("{seconds}s"), |(length, unit)| format!("{}{unit}", seconds / length))
}

/// Whether some job is this one, or matches this expression.
fn is_given(value: &str, is_regex: bool, jobs: &BTreeSet<String>) -> bool {
    if !is_regex {
        return jobs.contains(value);
    }
    // One that cannot be read is told of as a mistake in the query.
    regex::Regex::new(&format!("^(?:{value})$"))
        .map_or(true, |regex| regex.is_match("") || jobs.iter().any(|job| regex.is_match(job)))
}

/// Says that a job is not given; where others may give it, only if it looks like a slip.
fn no_job(query: &Query<'_, '_>, value: &str, jobs: &BTreeSet<String>, is_open: bool, findings: &mut Findings) {
    let near = nearest(value, jobs.iter().map(String::as_str).collect::<Vec<_>>());
    if is_open && near.is_none() {
        return;
    }
    let message = format!("no monitor gives `job` the value {}", Quoted(value));
    let finding = query.place.add(&JOB, query.node, message, findings);
    finding.help("`job` is the value of the monitor's `jobLabel` on the Service, and the Service's name without it");
    if let Some(near) = near {
        finding.label(format!("did you mean `{near}`?"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        for (text, expected) in [
            ("sum(rate(http_requests_total{job=\"web\"}[5m])) by (code)", true),
            ("sum(rate(x[5m])", false),
            ("up ==", false),
            ("x{a=~\"[0-9]{2}\"}", true),
            ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))", true),
            ("x[5m] smoothed", true),
            ("rat(x[5m])", false),
        ] {
            assert_eq!(parse(text, false).error.is_none(), expected, "{text}: {:?}", parse(text, false).error);
        }
    }

    #[test]
    fn variables() {
        for (text, expected) in [
            ("rate(x{job=\"$job\", pod=~\"${pod:regex}\"}[$__rate_interval])", true),
            ("topk($top, x)", true),
            ("rate(x[[[interval]]])", true),
            ("sum by ($group) (x)", true),
            ("x offset $offset", true),
            ("$metric{a=\"b\"}", true),
            ("# what we're asked for\nrate(x[$__rate_interval])", true),
            ("label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")", true),
            ("rate(x{job=\"$job\"}[$__rate_interval]", false),
        ] {
            assert_eq!(parse(text, true).error.is_none(), expected, "{text}: {:?}", parse(text, true).error);
        }
        assert!(parse("up{job=\"$job\"}", true).selectors[0].job.is_none());
        assert_eq!(parse("up{job=\"a\"}", true).selectors[0].job, Some(("a".to_owned(), false)));
    }

    #[test]
    fn deep_queries_end() {
        for (start, end) in [("(", "1"), ("a+", "a"), ("-", "1"), ("sum(", "a"), ("a{", "b"), ("rate(x[5m])/", "a")] {
            for count in [100, 99, 490, 5000] {
                let text = start.repeat(count) + end + &")".repeat(if start.contains('(') { count } else { 0 });
                parse(&text, false);
                parse(&text, true);
            }
        }
    }

    #[test]
    fn ranges_of_one_step() {
        for (text, expected) in [
            ("sum(rate(x{a=\"(\"}[$__interval]))", true),
            ("increase (x[${__interval}])", true),
            ("rate(x[$__rate_interval])", false),
            ("max_over_time(rate(x[5m])[$__interval:])", false),
        ] {
            assert_eq!(parse(text, true).windows.iter().any(|window| window.range == STEP.1), expected, "{text}");
        }
    }

    #[test]
    fn windows() {
        let parsed = parse("rate(a[1m]) + max_over_time(rate(b[30s])[1h:])", false);
        let windows: Vec<_> = parsed.windows.iter().map(|it| (it.function, it.range.as_secs(), it.stepped)).collect();
        assert_eq!(windows, [("rate", 60, false), ("rate", 30, true)]);
    }
}
