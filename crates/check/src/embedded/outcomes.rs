//! What values queries can have: conditions that are never true or always, and counters that are taken for gauges.
//!
//! Source: the values that `promql/functions.go` and `engine.go` of Prometheus give, and the names of counters as
//! OpenMetrics has them.

use super::query::{Parsing, Query};
use crate::finding::Findings;
use crate::rule::rules;
use std::cmp::Ordering;
use std::time::Duration;
use vigil_promql::{Aggregation, Binary, Call, Expr, Operator, Selector};
use vigil_yaml::Quoted;

rules! {
    NEVER "alert-condition" Warning Nobody "the condition of every alert can be true, and can be false"
    COUNTER "query-counter" Warning Nobody "no alert waits for the value of a counter, and no function takes a counter for a gauge"
    QUANTILE "query-quantile" Warning Nobody "every quantile that is asked for is between 0 and 1"
}

/// Judges all queries: the conditions of alerts, and everywhere what functions make of counters.
pub(super) fn check<'w>(queries: &[Query<'w, '_>], parsing: &Parsing<'w>, findings: &mut Findings) {
    for query in queries {
        let Some(expression) = parsing.of(query).and_then(|parsed| parsed.expression.as_ref()) else { continue };
        let is_alert = query.rule.is_some_and(|rule| rule.get("alert").is_some());
        let mut add = |rule, message: String, help: String| {
            query.place.add(rule, query.node, message, findings).help(help);
        };
        if is_alert && let Some(op) = always(expression) {
            let message =
                format!("`{op} bool` gives 0 or 1 and never nothing: the alert fires for as long as it has series");
            add(&NEVER, message, format!("write `{op}` without `bool`, which leaves out what it is not true for"));
        }
        if is_alert && let Some(function) = unasked(expression) {
            let message =
                format!("nothing is asked of the result of `{function}`: the alert fires for as long as it has series");
            add(
                &NEVER,
                message,
                "compare it with what is too much, such as `> 0`: a zero is a result as well".to_owned(),
            );
        }
        if is_alert && let Some(counter) = waited(expression) {
            let name = Quoted(counter);
            let message = format!("{name} is a counter, which only grows: the alert does not end before a restart");
            let help = format!("compare what it grew by: `increase({counter}[10m])`, or `rate({counter}[5m])`");
            add(&COUNTER, message, help);
        }
        expression.walk(&mut |part| match part {
            Expr::Binary(it) if is_alert => {
                if let Some((what, values)) = never(it) {
                    let of_nothing = "of nothing there is nothing, and no zero: write `(… or vector(0))` around it";
                    let help = if values.contains("count") {
                        of_nothing
                    } else {
                        "the alert cannot fire: correct the condition"
                    };
                    add(&NEVER, format!("{what} is never true: {values}"), help.to_owned());
                }
            }
            Expr::Call(it) => {
                if let Some((message, help)) = misused_counter(it) {
                    add(&COUNTER, message, help);
                }
                if let Some(message) = quantile(it) {
                    add(&QUANTILE, message, "the 99th percentile is `0.99`".to_owned());
                }
            }
            _ => {}
        });
    }
}

/// The comparison with `bool` whose values an expression has.
fn always(expression: &Expr) -> Option<Operator> {
    match expression {
        Expr::Paren(inner) => always(inner),
        Expr::Binary(it) => (it.is_bool && it.op.is_comparison()).then_some(it.op),
        _ => None,
    }
}

/// The function whose result an alert fires on, whatever it is: one that gives a number for every series that there is.
fn unasked(expression: &Expr) -> Option<&'static str> {
    let (mut rate, mut is_asked) = (None, false);
    expression.walk(&mut |part| match part {
        Expr::Binary(it) => is_asked |= it.op.is_comparison() || it.op.is_set(),
        Expr::Call(it) if matches!(it.function.name, "rate" | "irate" | "increase") => rate = Some(it.function.name),
        Expr::Call(it) => is_asked |= it.function.name.starts_with("absent"),
        _ => {}
    });
    rate.filter(|_| !is_asked)
}

/// The values that an expression can have, both ends included or not.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Values {
    low: f64,
    high: f64,
    /// The ends themselves are no values.
    open: (bool, bool),
}

const ANY: Values = Values::between(f64::NEG_INFINITY, f64::INFINITY);
const POSITIVE: Values = Values::between(0.0, f64::INFINITY);

impl Values {
    const fn between(low: f64, high: f64) -> Self {
        Self { low, high, open: (false, false) }
    }

    fn is_empty(self) -> bool {
        match self.low.partial_cmp(&self.high) {
            Some(Ordering::Less) => false,
            Some(Ordering::Equal) => self.open.0 || self.open.1,
            _ => true,
        }
    }

    /// Those up to a number, which is one of them or not.
    fn below(self, number: f64, open: bool) -> Self {
        match number.partial_cmp(&self.high) {
            Some(Ordering::Less) => Self { high: number, open: (self.open.0, open), ..self },
            Some(Ordering::Equal) => Self { open: (self.open.0, open || self.open.1), ..self },
            _ => self,
        }
    }

    /// Those from a number on.
    fn above(self, number: f64, open: bool) -> Self {
        match number.partial_cmp(&self.low) {
            Some(Ordering::Greater) => Self { low: number, open: (open, self.open.1), ..self },
            Some(Ordering::Equal) => Self { open: (open || self.open.0, self.open.1), ..self },
            _ => self,
        }
    }

    /// Those for which a comparison with a number is true.
    fn when(self, op: Operator, number: f64) -> Self {
        match op {
            Operator::Less => self.below(number, true),
            Operator::LessEqual => self.below(number, false),
            Operator::Greater => self.above(number, true),
            Operator::GreaterEqual => self.above(number, false),
            Operator::Equal => self.below(number, false).above(number, false),
            Operator::NotEqual if self == Self::between(number, number) => Self { open: (true, true), ..self },
            _ => self,
        }
    }

    /// Those that both have.
    fn and(self, other: Self) -> Self {
        self.below(other.high, other.open.1).above(other.low, other.open.0)
    }

    /// Those of either, and what lies between.
    fn or(self, other: Self) -> Self {
        Self::between(self.low.min(other.low), self.high.max(other.high))
    }

    /// In words.
    fn said(self) -> String {
        let number = |value: f64| format!("{value}");
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) if self.high <= self.low => format!("is {}", number(self.low)),
            (true, true) => format!("is {} to {}", number(self.low), number(self.high)),
            (true, false) if self.open.0 => format!("is above {}", number(self.low)),
            (true, false) => format!("is {} or more", number(self.low)),
            (false, true) if self.open.1 => format!("is below {}", number(self.high)),
            (false, true) => format!("is {} or less", number(self.high)),
            (false, false) => "is any number".to_owned(),
        }
    }
}

/// A condition that is never true, and why.
fn never(binary: &Binary) -> Option<(String, String)> {
    if binary.op == Operator::And && binary.matching.is_none() {
        let (left, right) = (filtered(&binary.left)?, filtered(&binary.right)?);
        let (one, other) = (values(&binary.left), values(&binary.right));
        if left != right || one.is_empty() || other.is_empty() || !one.and(other).is_empty() {
            return None;
        }
        let both = format!("it {} on the left, where it {} on the right", one.said(), other.said());
        return Some((format!("`and` of {} with itself", Quoted(&left)), both));
    }
    if binary.is_bool || !binary.op.is_comparison() {
        return None;
    }
    let (side, op, number) = compared(binary)?;
    let all = values(side);
    if all.is_empty() || !all.when(op, number).is_empty() {
        return None;
    }
    Some((format!("`{op} {number}`"), format!("{} {}", what(side), all.said())))
}

/// What a comparison with a number compares, as `what op number`.
fn compared(binary: &Binary) -> Option<(&Expr, Operator, f64)> {
    let turned = match binary.op {
        Operator::Less => Operator::Greater,
        Operator::LessEqual => Operator::GreaterEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterEqual => Operator::LessEqual,
        op => op,
    };
    match (number(&binary.left), number(&binary.right)) {
        (None, Some(number)) => Some((&binary.left, binary.op, number)),
        (Some(number), None) => Some((&binary.right, turned, number)),
        _ => None,
    }
}

/// The number that an expression is.
fn number(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Number(number) => Some(*number),
        Expr::Paren(inner) => number(inner),
        Expr::Unary(inner) => number(inner).map(|number| -number),
        _ => None,
    }
}

/// An expression in a word.
fn what(expression: &Expr) -> String {
    match expression {
        Expr::Paren(inner) => what(inner),
        Expr::Vector(it) => Quoted(it.name.as_deref().unwrap_or("the selector")).to_string(),
        Expr::Call(it) => format!("`{}(…)`", it.function.name),
        Expr::Aggregate(it) => format!("`{}(…)`", it.op),
        _ => "the left side".to_owned(),
    }
}

/// The selector whose series an expression leaves as they are, or leaves out by their values.
fn filtered(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Paren(inner) => filtered(inner),
        Expr::Vector(it) if it.is_now() => Some(it.to_string()),
        Expr::Binary(it) if !it.is_bool && it.op.is_comparison() => filtered(compared(it)?.0),
        _ => None,
    }
}

/// What values an expression can have.
fn values(expression: &Expr) -> Values {
    match expression {
        Expr::Number(number) => Values::between(*number, *number),
        Expr::Paren(inner) => values(inner),
        Expr::Unary(_) | Expr::String(_) => ANY,
        Expr::Vector(it) => of_selector(it),
        Expr::Matrix(it) => of_selector(&it.selector),
        Expr::Subquery(it) => values(&it.expr),
        Expr::Call(it) => of_call(it),
        Expr::Aggregate(it) => {
            let inner = values(&it.expr);
            match it.op {
                Aggregation::Count | Aggregation::CountValues => Values::between(1.0, f64::INFINITY),
                Aggregation::Group => Values::between(1.0, 1.0),
                Aggregation::StdDev | Aggregation::StdVar => POSITIVE,
                Aggregation::Sum if inner.low >= 0.0 => {
                    Values { high: f64::INFINITY, open: (inner.open.0, false), ..inner }
                }
                Aggregation::Sum => ANY,
                _ => inner,
            }
        }
        Expr::Binary(it) => of_binary(it),
    }
}

fn of_selector(selector: &Selector) -> Values {
    match selector.name.as_deref() {
        Some("up" | "probe_success") => Values::between(0.0, 1.0),
        Some("ALERTS") => Values::between(1.0, 1.0),
        Some(name) if ["_total", "_bucket", "_count"].iter().any(|end| name.ends_with(end)) => POSITIVE,
        _ => ANY,
    }
}

fn of_call(call: &Call) -> Values {
    let first = || call.arguments.first().map_or(ANY, values);
    let last = || call.arguments.last().map_or(ANY, values);
    match call.function.name {
        "absent" | "absent_over_time" | "present_over_time" => Values::between(1.0, 1.0),
        "count_over_time" => Values::between(1.0, f64::INFINITY),
        "rate" | "irate" | "increase" | "changes" | "resets" | "abs" | "sqrt" | "exp" | "stddev_over_time"
        | "stdvar_over_time" | "mad_over_time" | "time" | "timestamp" | "histogram_count" => POSITIVE,
        "sum_over_time" if first().low >= 0.0 => POSITIVE,
        "avg_over_time" | "min_over_time" | "max_over_time" | "last_over_time" | "first_over_time" | "vector"
        | "scalar" | "label_replace" | "label_join" | "sort" | "sort_desc" => first(),
        "quantile_over_time" => last(),
        "sgn" => Values::between(-1.0, 1.0),
        "minute" => Values::between(0.0, 59.0),
        "hour" => Values::between(0.0, 23.0),
        "day_of_week" => Values::between(0.0, 6.0),
        "day_of_month" => Values::between(1.0, 31.0),
        "day_of_year" => Values::between(1.0, 366.0),
        "days_in_month" => Values::between(28.0, 31.0),
        "month" => Values::between(1.0, 12.0),
        _ => ANY,
    }
}

fn of_binary(binary: &Binary) -> Values {
    let (left, right) = (values(&binary.left), values(&binary.right));
    match binary.op {
        Operator::And | Operator::Unless => left,
        Operator::Or => left.or(right),
        op if op.is_comparison() && binary.is_bool => Values::between(0.0, 1.0),
        // Each side is looked into once: a chain of comparisons would take twice as long for each of them.
        op if op.is_comparison() => match compared(binary) {
            Some((side, op, number)) => {
                if std::ptr::eq(side, &raw const binary.left) { left } else { right }.when(op, number)
            }
            None => left,
        },
        Operator::Add | Operator::Mul | Operator::Div if left.low >= 0.0 && right.low >= 0.0 => POSITIVE,
        _ => ANY,
    }
}

/// Whether a metric is a counter by its name; some gauges that count what there is have such names.
fn is_counter(selector: &Selector) -> Option<&str> {
    selector.name.as_deref().filter(|name| name.ends_with("_total") && !name.contains("active") && !name.contains(':'))
}

/// The counter whose value itself an expression has, or a part of it.
fn raw_counter(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Vector(it) => is_counter(it),
        Expr::Paren(inner) | Expr::Unary(inner) => raw_counter(inner),
        Expr::Aggregate(it) => match it.op {
            Aggregation::Count | Aggregation::CountValues | Aggregation::Group => None,
            _ => raw_counter(&it.expr),
        },
        Expr::Binary(it) if matches!(it.op, Operator::Add | Operator::Sub | Operator::Mul | Operator::Div) => {
            let sides = (number(&it.left), number(&it.right));
            match sides {
                (Some(_), None) => raw_counter(&it.right),
                (None, Some(_)) => raw_counter(&it.left),
                _ => None,
            }
        }
        Expr::Call(it) if matches!(it.function.name, "label_replace" | "label_join" | "round" | "ceil" | "floor") => {
            raw_counter(it.arguments.first()?)
        }
        _ => None,
    }
}

/// The counter whose value an alert waits for. That it is still zero may be asked, and whether it ever was more, beside
/// something else that ends.
fn waited(expression: &Expr) -> Option<&str> {
    let binary = match expression {
        Expr::Paren(inner) => return waited(inner),
        Expr::Binary(it) => it,
        _ => return None,
    };
    match binary.op {
        Operator::Or => return waited(&binary.left).or_else(|| waited(&binary.right)),
        Operator::And => return waited(&binary.left).and(waited(&binary.right)),
        op if !op.is_comparison() => return None,
        _ => {}
    }
    let (side, op, number) = compared(binary)?;
    let is_still_zero = match op {
        Operator::Equal | Operator::LessEqual => number <= 0.0,
        Operator::Less => number <= 1.0,
        _ => false,
    };
    raw_counter(side).filter(|_| !is_still_zero)
}

/// What is wrong with a function of a counter.
fn misused_counter(call: &Call) -> Option<(String, String)> {
    let function = call.function.name;
    let of_gauges = ["delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing"];
    match call.arguments.first()? {
        Expr::Matrix(it) if of_gauges.contains(&function) => {
            let counter = is_counter(&it.selector)?;
            let message = format!(
                "`{function}` is for gauges, and {} is a counter: a restart looks like a fall",
                Quoted(counter)
            );
            let range = it.range.unwrap_or(Duration::from_secs(300));
            let range = super::query::said(range);
            Some((message, format!("take `increase({counter}[{range}])` or `rate({counter}[{range}])`")))
        }
        Expr::Subquery(it) if matches!(function, "rate" | "irate" | "increase") => {
            let mut inner = &it.expr;
            while let Expr::Paren(deeper) = inner {
                inner = deeper;
            }
            let Expr::Aggregate(aggregate) = inner else { return None };
            let counter = raw_counter(&aggregate.expr)?;
            let op = aggregate.op;
            let message = format!("`{function}` of `{op}({counter})` takes the restart of one target for one of all");
            Some((message, format!("take the rate first: `{op}({function}({counter}[5m]))`")))
        }
        _ => None,
    }
}

/// What is wrong with the quantile that a function is asked for.
fn quantile(call: &Call) -> Option<String> {
    if !matches!(call.function.name, "histogram_quantile" | "quantile_over_time") {
        return None;
    }
    let asked = number(call.arguments.first()?).filter(|asked| !(0.0..=1.0).contains(asked))?;
    Some(format!("`{}` of {asked} is infinite", call.function.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Expr {
        vigil_promql::parse(text).unwrap().expr
    }

    #[test]
    fn conditions_that_are_never_true() {
        let is_never = |text: &str| {
            let mut found = false;
            parsed(text).walk(&mut |part| found |= matches!(part, Expr::Binary(it) if never(it).is_some()));
            found
        };
        for (text, expected) in [
            ("up == 2", true),
            ("up > 1", true),
            ("up >= 1", false),
            ("up < 0", true),
            ("up <= 0", false),
            ("0 > up", true),
            ("up != 1", false),
            ("count(up == 0) == 0", true),
            ("count(up == 0) < 1", true),
            ("count(up == 0) <= 1", false),
            ("(count(up == 0) or vector(0)) == 0", false),
            ("absent(up) == 0", true),
            ("absent(up) == 1", false),
            ("absent(up) != 1", true),
            ("rate(a[5m]) < 0", true),
            ("rate(a[5m]) <= 0", false),
            ("delta(a[5m]) < 0", false),
            ("a < 0", false),
            ("a_total < 0", true),
            ("(a > 5) < 5", true),
            ("(a > 5) <= 5", true),
            ("(a >= 5) <= 5", false),
            ("up == 0 and up == 1", true),
            ("up == 0 and on (job) up == 1", false),
            ("up == 0 and up{a=\"b\"} == 1", false),
            ("up == 0 and up offset 5m == 1", false),
            ("a > 5 and a < 3", true),
            ("a > 3 and a < 5", false),
            ("hour() > 23", true),
            ("hour() >= 22 or hour() < 6", false),
            ("vector(1) > 2", true),
            ("sum(rate(a[5m])) / sum(rate(b[5m])) < 0", true),
            ("a - b < 0", false),
            ("max(up) == bool 2", false),
            ("stddev(a) < 0", true),
        ] {
            assert_eq!(is_never(text), expected, "{text}");
        }
    }

    #[test]
    fn counters() {
        let is_wrong = |text: &str| {
            let expression = parsed(text);
            let mut found = waited(&expression).is_some();
            expression.walk(&mut |part| {
                found |= match part {
                    Expr::Call(it) => misused_counter(it).is_some() || quantile(it).is_some(),
                    _ => false,
                }
            });
            found
        };
        for (text, expected) in [
            ("a_total > 5", true),
            ("sum by (b) (a_total) > 0", true),
            ("5 < max(a_total) * 2", true),
            ("a_total == 0", false),
            ("a_total < 1", false),
            ("count(a_total) > 5", false),
            ("rate(a_total[5m]) > 5", false),
            ("a_total - a_total offset 5m > 5", false),
            ("absent(a_total) == 1", false),
            ("a_total unless a_total offset 5m", false),
            ("b > 5 and a_total > 0", false),
            ("b > 5 unless a_total > 0", false),
            ("b > 5 or a_total > 0", true),
            ("a_total > 5 and b_total > 5", true),
            ("job:a_total > 5", false),
            ("delta(a_total[5m])", true),
            ("delta(a[5m])", false),
            ("rate(sum(a_total)[5m:])", true),
            ("rate(sum(a)[5m:])", false),
            ("max_over_time(sum(rate(a_total[5m]))[1h:])", false),
            ("histogram_quantile(99, a)", true),
            ("histogram_quantile(0.99, a)", false),
            ("quantile_over_time(-0.1, a[5m])", true),
        ] {
            assert_eq!(is_wrong(text), expected, "{text}");
        }
    }

    #[test]
    fn deep_conditions_end() {
        for text in ["a".to_owned() + &" > 1".repeat(490), "(".repeat(99) + "a" + &" > 1)".repeat(99)] {
            let expression = parsed(&text);
            expression.walk(&mut |part| assert!(!matches!(part, Expr::Binary(it) if never(it).is_some())));
        }
    }

    #[test]
    fn what_always_is() {
        assert_eq!(always(&parsed("(up > bool 0)")), Some(Operator::Greater));
        assert_eq!(always(&parsed("(up > bool 0) == 1")), None);
    }
}
