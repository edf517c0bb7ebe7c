//! Rules with one small fault each. Cases that do not notice one leave that part of the rule untested.

use serde_json::Value;

/// A faulty rule, and what is wrong with it.
pub(crate) struct Mutant {
    pub(crate) what: String,
    pub(crate) value: Value,
}

/// Functions and operators that are mistaken for each other.
const MISTAKEN: [(&str, &str); 18] = [
    (" > ", " < "),
    (" < ", " > "),
    (" >= ", " < "),
    (" <= ", " > "),
    (" == ", " != "),
    (" != ", " == "),
    (" and ", " unless "),
    (" unless ", " and "),
    (" or ", " and "),
    (" / ", " * "),
    (" * ", " / "),
    (" - ", " + "),
    ("rate(", "delta("),
    ("increase(", "rate("),
    ("min(", "max("),
    ("count(", "sum("),
    ("predict_linear(", "deriv("),
    ("min by", "max by"),
];

/// All faults of one kind at every place of an expression, and of `for`.
pub(crate) fn mutants(rule: &Value) -> Vec<Mutant> {
    let expr = rule["expr"].as_str().unwrap();
    let mut found = Vec::new();
    let mut add = |what: String, text: String| {
        if text != expr {
            let mut value = rule.clone();
            value["expr"] = text.into();
            found.push(Mutant { what, value });
        }
    };
    for (from, to) in MISTAKEN {
        for (at, _) in expr.match_indices(from) {
            // Part of a longer name, such as `irate(`.
            if from.ends_with('(') && expr[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                continue;
            }
            if from == " * " && is_one(&expr[at + from.len()..]) || is_unseen(rule, at) {
                continue;
            }
            let to = if GROWTH.contains(&from) && unit_is_lost(expr) { "max_over_time(" } else { to };
            add(format!("`{}` for `{}`", to.trim(), from.trim()), replaced(expr, at, from.len(), to));
        }
    }
    for (start, end) in numbers(expr).into_iter().filter(|(start, _)| !is_unseen(rule, *start)) {
        let number: f64 = expr[start..end].parse().unwrap();
        let other = if number == 0.0 { 1.5 } else { number * 3.0 + 0.5 };
        add(format!("{other} for {}", &expr[start..end]), replaced(expr, start, end - start, &other.to_string()));
    }
    for (start, end) in matchers(expr) {
        let matcher = &expr[start..end];
        if is_said_beside(expr, start, end) {
            continue;
        }
        let mut until = end;
        if expr[end..].starts_with(',') {
            until = end + 1;
        }
        add(format!("without `{matcher}`"), replaced(expr, start, until - start, ""));
    }
    for (start, end) in grouping_labels(expr) {
        let label = &expr[start..end];
        add(format!("grouped without `{label}`"), replaced(expr, start, end - start, "no_such_label"));
    }
    if rule["for"].as_str().is_some_and(|time| time != "0m") {
        let mut value = rule.clone();
        value.as_object_mut().unwrap().remove("for");
        found.push(Mutant { what: "without `for`".to_owned(), value });
    }
    found
}

/// Whether what an expression begins with is always 1: then it is the same to divide by it. What an exporter says of an object
/// in labels alone is 1, and so are a group and what an objective of 99 % leaves.
fn is_one(expr: &str) -> bool {
    let mut operand = expr.trim_start();
    for word in ["on (", "group_left ("] {
        if let Some(rest) = operand.strip_prefix(word) {
            operand = rest.split_once(')').unwrap().1.trim_start();
        }
    }
    let end = operand.find('{').unwrap_or(operand.len());
    let mut words = operand[..end].split(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != ':');
    let metric = words.clone().find(|word| word.contains(':')).or(words.next_back()).unwrap_or_default();
    operand.starts_with("group by")
        || operand.starts_with("(100 - 99)")
        || ["_info", "_info:", "_owner", ":latest"].iter().any(|end| metric.ends_with(end))
}

/// Whether a rule ends here with what makes 0 of `absent`: nothing compares that value, and no text shows it.
fn is_unseen(rule: &Value, at: usize) -> bool {
    let (before, rest) = rule["expr"].as_str().unwrap().split_at(at);
    let is_end = before.contains("absent(") && rest.trim_start_matches([' ', '-']) == "1";
    is_end && !rule["annotations"].to_string().contains("$value")
}

/// Whether the other side of an operator says the same matcher, and the two sides are joined by all of their labels: what the
/// matcher leaves out of one side finds nothing on the other.
fn is_said_beside(expr: &str, start: usize, end: usize) -> bool {
    let matcher = &expr[start..end];
    let before = expr[..start].rsplit_once(matcher).map(|(_, between)| between);
    let after = expr[end..].split_once(matcher).map(|(between, _)| between);
    let joins = |between: &str| {
        let operators = [" and ", "\nand ", " / "].iter().map(|it| between.matches(it).count()).sum::<usize>();
        let others = ["(", " or ", "\nor ", "unless", " on "].iter().any(|it| between.contains(it));
        matcher.contains("=\"") && operators == 1 && !others
    };
    [before, after].into_iter().flatten().any(joins)
}

/// How much a counter grew, in one unit or another.
const GROWTH: [&str; 2] = ["rate(", "increase("];

/// Whether it is the same what unit growth has: quantiles look at its shares alone, and `> 0` at its sign.
fn unit_is_lost(expr: &str) -> bool {
    let is_zero = |(at, found): (usize, &str)| !expr[at + found.len()..].starts_with(['.', 'x']);
    expr.contains("histogram_quantile(") || expr.match_indices("> 0").any(is_zero)
}

fn replaced(text: &str, at: usize, length: usize, by: &str) -> String {
    format!("{}{by}{}", &text[..at], &text[at + length..])
}

/// Whether each byte is inside a string.
fn quoted(expr: &str) -> Vec<bool> {
    let mut inside = false;
    let mut escaped = false;
    expr.bytes()
        .map(|byte| {
            let was = inside;
            match byte {
                b'"' if !escaped => inside = !inside,
                _ => {}
            }
            escaped = byte == b'\\' && !escaped;
            was || inside
        })
        .collect()
}

/// Numbers that are neither part of a name, nor of a time, nor of a string.
fn numbers(expr: &str) -> Vec<(usize, usize)> {
    let quoted = quoted(expr);
    let bytes = expr.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() || quoted[at] {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && (bytes[at].is_ascii_digit() || bytes[at] == b'.') {
            at += 1;
        }
        let of_name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
        let before = start.checked_sub(1).map(|at| bytes[at]);
        let after = bytes.get(at).copied();
        let in_name = before.is_some_and(|byte| of_name(byte) || byte.is_ascii_digit());
        if !in_name && !after.is_some_and(of_name) {
            found.push((start, at));
        }
    }
    found
}

/// `name="value"` inside of braces, but the `job`: that it is there is held by another test.
fn matchers(expr: &str) -> Vec<(usize, usize)> {
    let quoted = quoted(expr);
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in expr.char_indices() {
        match c {
            _ if quoted[at] => {}
            '{' => start = Some(at + 1),
            ',' | '}' => {
                if let Some(from) = start {
                    let text = &expr[from..at];
                    let from = from + (text.len() - text.trim_start().len());
                    if !text.trim().is_empty() && !text.trim_start().starts_with("job") {
                        found.push((from, at));
                    }
                    start = (c == ',').then_some(at + 1);
                }
            }
            _ => {}
        }
    }
    found
}

/// The labels of `by (…)` and `on (…)`, but the cluster's: there is one cluster in most cases.
fn grouping_labels(expr: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for word in ["by (", "on (", "group_left (", "group_right ("] {
        for (at, _) in expr.match_indices(word) {
            let start = at + word.len();
            let end = start + expr[start..].find(')').unwrap();
            let mut from = start;
            for label in expr[start..end].split(',') {
                let trimmed = label.trim();
                let at = from + (label.len() - label.trim_start().len());
                if !trimmed.is_empty() && trimmed != "cluster" {
                    found.push((at, at + trimmed.len()));
                }
                from += label.len() + 1;
            }
        }
    }
    found
}
