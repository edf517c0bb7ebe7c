//! What the grammar does not see: what parts say, and whether they go together.

use crate::ast::{
    Aggregation, Binary, Expr, Extraction, LabelFilter, LabelFormat, LineFilter, LineOperator, Log, RangeAggregation,
    RangeFunction, Sought, Stage, StageKind, VectorAggregation,
};
use crate::{Error, path, pattern, template};
use std::collections::BTreeSet;
use std::ops::Range;
use vigil_forms::address::{Network, plain_ip};
use vigil_forms::regex;

/// Judges an expression and everything in it.
pub(crate) fn check(expr: &Expr) -> Result<(), Error> {
    for part in expr.parts() {
        check(part)?;
    }
    match expr {
        Expr::Log(it) => log(it),
        Expr::Range(it) => range(it),
        Expr::Vector(it) => vector(it),
        Expr::Binary(it) => binary(it),
        Expr::LabelReplace(it) => {
            metric(&it.expr, "label_replace", &it.span)?;
            expression(&it.regex, &it.span)
        }
        Expr::Variants(it) => {
            it.variants.iter().try_for_each(|variant| metric(variant, "variants", &it.span))?;
            log(&it.log)
        }
        Expr::Constant(_) | Expr::Number(_) => Ok(()),
    }
}

fn wrong<T>(message: impl Into<String>, span: &Range<usize>) -> Result<T, Error> {
    Err(Error::new(message, span.clone()))
}

/// An expression whose value is numbers.
fn metric(expr: &Expr, what: &str, span: &Range<usize>) -> Result<(), Error> {
    let Expr::Log(log) = expr else { return Ok(()) };
    let at = if log.span.is_empty() { span } else { &log.span };
    Err(Error::new(format!("`{what}` takes numbers, not lines of logs"), at.clone())
        .help("count the lines first, such as `count_over_time({app=\"shop\"}[5m])`"))
}

fn expression(text: &str, span: &Range<usize>) -> Result<(), Error> {
    match regex::go(text) {
        Ok(_) => Ok(()),
        Err(wrong) => self::wrong(format!("the regular expression is wrong: {wrong}"), span),
    }
}

/// Judges whether each selector picks streams; those in `variants` share one, and theirs say nothing.
pub(crate) fn selectors(expr: &Expr) -> Result<(), Error> {
    if let Some(log) = expr.log()
        && log.matchers.iter().all(|matcher| matcher.matches_empty)
    {
        let message = "a selector that matches streams without any label: it would select every stream";
        return Err(Error::new(message, log.span.clone()).help(
            "write one matcher at least with `=` or `=~` that an empty text does not match, such as `{app=~\".+\"}`",
        ));
    }
    if matches!(expr, Expr::Variants(_)) { Ok(()) } else { expr.parts().into_iter().try_for_each(selectors) }
}

fn log(log: &Log) -> Result<(), Error> {
    log.stages.iter().try_for_each(stage)
}

fn stage(stage: &Stage) -> Result<(), Error> {
    let span = &stage.span;
    match &stage.kind {
        StageKind::Line(filter) => line_filter(filter),
        StageKind::Json(fields) => fields.iter().try_for_each(json),
        StageKind::Logfmt { fields, .. } => fields.iter().try_for_each(logfmt),
        StageKind::Regexp(text) => regexp(text, span),
        StageKind::Pattern(text) => match pattern::parser_fault(text) {
            Some(message) => wrong(message, span),
            None => Ok(()),
        },
        StageKind::LineFormat(text) => format_template(text, span),
        StageKind::LabelFormat(formats) => label_formats(formats),
        StageKind::Labels(filter) => label_filter(filter, span),
        StageKind::Unpack | StageKind::Decolorize | StageKind::Drop(_) | StageKind::Keep(_) => Ok(()),
    }
}

fn line_filter(filter: &LineFilter) -> Result<(), Error> {
    let negates = matches!(filter.op, LineOperator::NotContains | LineOperator::NotMatches | LineOperator::NotPattern);
    // Behind `or` Loki looks at no address, unless each is a filter of its own: what is not this, and not that.
    for sought in filter.sought.iter().filter(|it| it.is_address && (negates || filter.sought.len() == 1)) {
        if !matches!(filter.op, LineOperator::Contains | LineOperator::NotContains) {
            return wrong(format!("`ip` stands behind `|=` and `!=`, not behind `{}`", filter.op), &sought.span);
        }
        addresses(&sought.text, &sought.span)?;
    }
    for Sought { text, span, .. } in &filter.sought {
        match filter.op {
            LineOperator::Contains | LineOperator::NotContains => {}
            LineOperator::Matches | LineOperator::NotMatches => expression(text, span)?,
            LineOperator::Pattern | LineOperator::NotPattern => {
                if let Some(message) = pattern::filter_fault(text) {
                    return wrong(message, span);
                }
            }
        }
    }
    Ok(())
}

/// `192.168.4.5`, `192.168.4.5/16` or `192.168.4.5-192.168.4.20`.
fn addresses(text: &str, span: &Range<usize>) -> Result<(), Error> {
    let one = |text: &str| plain_ip(text.split('%').next().unwrap_or_default());
    let is_range = || {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (one(from)?, one(to)?);
        (from.is_ipv4() == to.is_ipv4() && from <= to).then_some(())
    };
    let is_network = || {
        let (address, prefix) = text.split_once('/')?;
        let is_plain = plain_ip(address).is_some() && (prefix.len() == 1 || !prefix.starts_with('0'));
        Network::parse(text).ok().filter(|_| is_plain)
    };
    if one(text).is_some() || is_network().is_some() || is_range().is_some() {
        return Ok(());
    }
    Err(Error::new(format!("`{text}` is no address"), span.clone())
        .help("write an address, a network such as `10.0.0.0/8`, or a range such as `10.0.0.1-10.0.0.9`"))
}

fn json(field: &Extraction) -> Result<(), Error> {
    if path::is_json(&field.field) {
        return Ok(());
    }
    Err(Error::new(format!("`{}` is no way through JSON", field.field), field.span.clone())
        .help("write keys with dots between them, such as `request.headers[\"User-Agent\"]` or `servers[0]`"))
}

fn logfmt(field: &Extraction) -> Result<(), Error> {
    if path::is_logfmt(&field.field) {
        Ok(())
    } else {
        wrong(format!("`{}` is no key of logfmt", field.field), &field.span)
    }
}

fn regexp(text: &str, span: &Range<usize>) -> Result<(), Error> {
    expression(text, span)?;
    let groups = regex::go(text).map(|regex| regex.groups).unwrap_or_default();
    let mut names = BTreeSet::new();
    for name in groups.iter().flatten() {
        if !names.insert(name) {
            return wrong(format!("the group `{name}` stands twice"), span);
        }
    }
    if names.is_empty() {
        return Err(Error::new("an expression without a named group", span.clone())
            .help("name what becomes a label, such as `(?P<status>\\d+)`"));
    }
    Ok(())
}

fn format_template(text: &str, span: &Range<usize>) -> Result<(), Error> {
    match template::fault(text) {
        Some(message) => wrong(message, span),
        None => Ok(()),
    }
}

fn label_formats(formats: &[LabelFormat]) -> Result<(), Error> {
    let mut made = BTreeSet::new();
    for format in formats {
        if format.label == "__error__" {
            return wrong("the label `__error__` is Loki's own, and cannot be formatted", &format.span);
        }
        if !made.insert(&format.label) {
            return Err(Error::new(format!("the label `{}` is formatted twice", format.label), format.span.clone())
                .help("format it again in a `label_format` of its own"));
        }
        if !format.is_rename {
            format_template(&format.source, &format.span)?;
        }
    }
    Ok(())
}

/// Inside of a chain Loki does not look at addresses: there are lines with an error then, and no refusal.
fn label_filter(filter: &LabelFilter, span: &Range<usize>) -> Result<(), Error> {
    match filter {
        LabelFilter::Address { address, .. } => addresses(address, span),
        LabelFilter::Text(_) | LabelFilter::Value { .. } | LabelFilter::Chain(_) => Ok(()),
    }
}

fn range(range: &RangeAggregation) -> Result<(), Error> {
    use RangeFunction::{
        AbsentOverTime, BytesOverTime, BytesRate, CountOverTime, QuantileOverTime, Rate, RateCounter, SumOverTime,
    };
    log(&range.log)?;
    let (function, span) = (range.function, &range.span);
    let counts_lines = matches!(function, CountOverTime | BytesRate | BytesOverTime);
    match &range.unwrap {
        Some(unwrap) if counts_lines => {
            return Err(Error::new(format!("`{function}` counts lines, and takes no `unwrap`"), unwrap.span.clone())
                .help("leave `unwrap` out, or take a function over values, such as `sum_over_time`"));
        }
        None if !counts_lines && !matches!(function, Rate | AbsentOverTime) => {
            return Err(Error::new(format!("`{function}` takes the values of a label"), span.clone())
                .help("write which ones, such as `| unwrap duration(took)`, before the range"));
        }
        _ => {}
    }
    let refuses = counts_lines || matches!(function, Rate | RateCounter | SumOverTime | AbsentOverTime);
    if range.grouping.is_some() && refuses {
        return Err(Error::new(format!("`{function}` takes no `by` and no `without`"), span.clone())
            .help("group around it, such as `sum by (app) (…)`"));
    }
    match (function, range.parameter) {
        (QuantileOverTime, None) => Err(Error::new("`quantile_over_time` takes a quantile first", span.clone())
            .help("write it before the lines, such as `quantile_over_time(0.99, …)`")),
        (QuantileOverTime, Some(_)) | (_, None) => Ok(()),
        (_, Some(_)) => wrong(format!("`{function}` takes no number"), span),
    }
}

fn vector(vector: &VectorAggregation) -> Result<(), Error> {
    let (op, span) = (vector.op, &vector.span);
    metric(&vector.expr, op.word(), span)?;
    let refuses = match op {
        Aggregation::ApproxTopK => vector.grouping.is_some(),
        Aggregation::Sort | Aggregation::SortDesc => {
            vector.grouping.as_ref().is_some_and(|grouping| !grouping.labels().is_empty())
        }
        _ => false,
    };
    if refuses {
        return wrong(format!("`{op}` takes no `by` and no `without`"), span);
    }
    match &vector.parameter {
        None if op.picks() => Err(Error::new(format!("`{op}` takes how many it picks first"), span.clone())
            .help("write it before the expression, such as `topk(5, …)`")),
        Some(count) if op.picks() && !count.parse::<i64>().is_ok_and(|count| count > 0) => {
            wrong(format!("`{op}` picks a whole number of series, one at least, not {count}"), span)
        }
        Some(_) if !op.picks() => wrong(format!("`{op}` takes no number"), span),
        _ => Ok(()),
    }
}

fn binary(binary: &Binary) -> Result<(), Error> {
    let (op, span) = (binary.op, &binary.span);
    metric(&binary.left, op.word(), span)?;
    metric(&binary.right, op.word(), span)?;
    if op.is_set() && (is_number(&binary.left) || is_number(&binary.right)) {
        return Err(Error::new(format!("`{op}` takes series on both sides, not a number"), span.clone())
            .help("write a number as a series: `vector(0)`"));
    }
    Ok(())
}

/// Whether it is worked out to a number before anything is asked.
fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Number(_) => true,
        Expr::Binary(it) => is_number(&it.left) && is_number(&it.right),
        _ => false,
    }
}
