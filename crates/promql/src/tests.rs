use crate::{Expr, Need, Release, Type, parse};
use proptest::prelude::*;

fn message(text: &str) -> String {
    parse(text).unwrap_err().message
}

/// What Prometheus 3.8 without feature flags says of a query.
fn is_read_by(release: Release, flags: &[&str], text: &str) -> bool {
    parse(text).is_ok_and(|query| query.needs.iter().all(|need| need.is_met(release, |flag| flags.contains(&flag))))
}

#[test]
fn what_prometheus_takes() {
    for text in [
        "up",
        "sum",
        "by + offset",
        "sum(by) BY (on, offset, \"a.b\",)",
        "{__name__=~\"a.+\"}",
        "{\"http.requests\", job='a',}",
        "a{b=`\\d+`} # c",
        "a @ end() offset 5m",
        "a[5m] offset -1h @ 1.5",
        "max_over_time((a + b)[1h:])",
        "max_over_time(a[1h:30])",
        "a offset 2 ^ 3",
        "-a ^ 2 * b",
        "1 > bool 2",
        "a > bool on () b",
        "a * on (x) group_left (y) b",
        "a and on () b or c unless d",
        "0x1F + 1_000 + 07 + 08 + .5 + 5. + Inf + nan + 1e-3 + 5m",
        "label_join(a, \"b\", \"-\")",
        "day_of_week()",
        "round(a)",
        "a{b=\"\\x41\\u00e9\\101\\n\"}",
        "topk(scalar(b), a)",
        "count_values without (c) (\"v\", a)",
    ] {
        assert!(is_read_by(Release(3, 8), &[], text), "{text}: {:?}", parse(text));
    }
}

#[test]
fn what_prometheus_refuses() {
    for (text, expected) in [
        ("", "there is no expression"),
        ("# a", "there is no expression"),
        ("sum(", "`)` is missing at the end"),
        ("sum(a))", "unexpected `)`: it closes nothing"),
        ("a{b=\"c\"", "`}` is missing at the end"),
        ("a[5m", "`]` is missing at the end"),
        ("a ==", "an expression is missing at the end"),
        ("a b", "unexpected `b` where an operator or the end stands"),
        ("rat(a[5m])", "there is no function `rat`; did you mean `rate`?"),
        ("rate(a)", "`rate` takes a range vector, not an instant vector: write its range, such as `[5m]`"),
        ("sum(a[5m])", "`sum` takes an instant vector, not a range vector"),
        ("abs(1)", "`abs` takes an instant vector, not a number"),
        ("abs()", "`abs` takes 1 arguments, not 0"),
        ("abs(a,)", "unexpected `)` where an expression stands"),
        (
            "{}",
            "a selector needs a metric or a matcher that does not match an empty text: it would select every series",
        ),
        (
            "{a=~\".*\"}",
            "a selector needs a metric or a matcher that does not match an empty text: it would select every series",
        ),
        ("a{__name__=\"b\"}", "the metric is named twice: `a` and `b`"),
        ("a{b=~\"(?=c)\"}", "the regular expression is wrong: Go has no group `(?=`"),
        ("a{b}", "unexpected `}` where `=`, `!=`, `=~` or `!~` stands"),
        ("a{b=c}", "unexpected `c` where a quoted text stands"),
        ("a{0b=\"c\"}", "unexpected `0` inside of braces"),
        ("a[b]", "unexpected `b` in brackets, where a duration such as `5m` stands"),
        ("a[5x]", "`5x` is no number and no duration, such as `1h30m`"),
        ("a[$__rate_interval]", "unexpected `$`"),
        ("a[0s]", "a range or step is longer than nothing"),
        ("a[5m:1m:1s]", "unexpected `:`: brackets have one colon"),
        ("(a)[5m]", "a range stands behind a selector; behind an expression, write a subquery such as `[5m:]`"),
        ("a offset 5m[5m]", "`offset` stands behind the range"),
        ("a offset 5m offset 5m", "`offset` stands twice"),
        ("a @ 5 @ 5", "`@` stands twice"),
        ("sum(a) offset 5m", "`offset` stands behind a selector or a subquery alone"),
        ("1 > 2", "two numbers are compared with `> bool`"),
        ("a + bool b", "`bool` stands behind comparisons, not behind `+`"),
        ("a and 1", "`and` takes two instant vectors"),
        ("a and on (b) group_left c", "`and` takes no group modifier"),
        ("a * on (b) group_left (b) c", "`b` stands in `on` and in the group modifier"),
        ("a + on (b) 1", "`on` and `ignoring` stand between two instant vectors"),
        ("\"a\" + b", "`+` takes numbers and instant vectors, not a text"),
        ("sum by (without) (a)", "unexpected `without` where a label stands"),
        ("sum(a, b)", "`sum` takes one argument, not 2"),
        ("topk(\"a\", b)", "`topk` takes a number first, not a text"),
        ("a{b=\"\\q\"}", "a text has no escape `\\q`"),
        ("a{b=\"c", "a text that begins with \" does not end"),
        ("1e400", "`1e400` is no number"),
        ("bool", "unexpected `bool` where an expression stands"),
        ("a{b=\"c\" or d=\"e\"}", "unexpected `or` where `,` or `}` stands"),
    ] {
        assert_eq!(message(text), expected, "{text}");
    }
}

#[test]
fn places() {
    for (text, meant) in [
        ("sum(rate(a[5m]) by (b)", ""),
        ("sum(rat(a[5m]))", "rat"),
        ("a + rate(b)", "b"),
        ("1 + (a and 1)", "and"),
        ("a{b=\"c\", d=~\"[\"}", "\"[\""),
    ] {
        assert_eq!(&text[parse(text).unwrap_err().span], meant, "{text}");
    }
}

#[test]
fn what_binds_closer() {
    let shown = |text: &str| shape(&parse(text).unwrap().expr);
    for (text, expected) in [
        ("a + b * c ^ d ^ e", "(a + (b * (c ^ (d ^ e))))"),
        ("-a ^ b * c", "(-(a ^ b) * c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a or b and c unless d", "(a or ((b and c) unless d))"),
        ("a == b + c", "(a == (b + c))"),
        ("a atan2 b % c", "((a atan2 b) % c)"),
        ("2 ^ -1 ^ 2", "(2 ^ -(1 ^ 2))"),
        ("-1", "-1"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

fn shape(expr: &Expr) -> String {
    match expr {
        Expr::Binary(it) => format!("({} {} {})", shape(&it.left), it.op, shape(&it.right)),
        Expr::Unary(it) => format!("-{}", shape(it)),
        Expr::Vector(it) => it.to_string(),
        Expr::Number(it) => it.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_newer_releases_and_flags_bring() {
    const FUNCTIONS: &str = "promql-experimental-functions";
    const DURATIONS: &str = "promql-duration-expr";
    for (text, oldest, flag) in [
        ("info(a)", 8, Some(FUNCTIONS)),
        ("limitk(1, a)", 8, Some(FUNCTIONS)),
        ("start()", 12, Some(FUNCTIONS)),
        ("min_of(1, 2)", 13, Some(FUNCTIONS)),
        ("a[1h + 5m]", 8, Some(DURATIONS)),
        ("a offset (1h)", 8, Some(DURATIONS)),
        ("a[step()]", 8, None),
        ("a[range()]", 10, None),
        ("a[min_of(step(), 5m)]", 13, None),
        ("a[step():1m]", 16, None),
        ("a </ 1", 11, None),
        ("a + fill (0) b", 10, Some("promql-binop-fill-modifiers")),
        ("a + on (b) group_left () fill_left (0) fill_right (-1) c", 10, Some("promql-binop-fill-modifiers")),
        ("a smoothed", 8, Some("promql-extended-range-selectors")),
        ("rate(a[5m] anchored)", 8, Some("promql-extended-range-selectors")),
        ("a offset -(5)", 13, None),
    ] {
        let flags: Vec<&str> = flag.into_iter().collect();
        assert!(is_read_by(Release(3, oldest), &flags, text), "{text}: {:?}", parse(text));
        assert!(oldest == 8 || !is_read_by(Release(3, oldest - 1), &flags, text), "{text}");
        assert!(flag.is_none() || !is_read_by(Release(3, oldest), &[], text), "{text}");
    }
    // Gone, or in later releases without a flag.
    assert!(
        is_read_by(Release(3, 12), &[], "a[min(5m, step())]") && !is_read_by(Release(3, 13), &[], "a[min(5m, step())]")
    );
    assert!(is_read_by(Release(3, 14), &[], "a @ start()[5m]") && !is_read_by(Release(3, 15), &[], "a @ start()[5m]"));
    assert!(is_read_by(Release(3, 14), &[], "first_over_time(a[1h + 5m])"));
    assert!(is_read_by(Release(3, 16), &[], "rate(a[5m] anchored)"));
    assert!(is_read_by(Release(2, 55), &[], "holt_winters(a[5m], 0.5, 0.5)"));
    assert!(!is_read_by(Release(3, 8), &[], "holt_winters(a[5m], 0.5, 0.5)"));
}

#[test]
fn ranges_are_told_where_they_are_known() {
    let range = |text: &str| match parse(text).unwrap().expr {
        Expr::Matrix(it) => it.range.map(|range| range.as_secs()),
        Expr::Subquery(it) => it.step.or(it.range).map(|range| range.as_secs()),
        other => panic!("{other:?}"),
    };
    for (text, expected) in [
        ("a[1h30m]", Some(5400)),
        ("a[90]", Some(90)),
        ("a[1h:5m]", Some(300)),
        ("a[1h:]", Some(3600)),
        ("a[step()]", None),
    ] {
        assert_eq!(range(text), expected, "{text}");
    }
}

#[test]
fn selectors() {
    let query = parse("sum(a{b=~\"c|\", d!=\"\"}) / {\"e.f\", g=\"h\"}").unwrap();
    let all = query.expr.selectors();
    assert_eq!(all[0].to_string(), "a{b=~\"c|\", d!=\"\"}");
    assert_eq!(all[0].matchers.iter().map(|it| it.matches_empty).collect::<Vec<_>>(), [true, false]);
    assert_eq!(all[1].name.as_deref(), Some("e.f"));
    assert_eq!(all[1].to_string(), "{__name__=\"e.f\", g=\"h\"}");
    assert_eq!(query.expr.value_type(), Type::Vector);
}

#[test]
fn deep_texts_end() {
    for (start, end) in
        [("(", "1"), ("a+", "a"), ("-", "1"), ("sum(", "a"), ("a{", "b"), ("a[", "b"), ("a^", "a"), ("a[(", "1")]
    {
        for count in [99, 499, 100_000] {
            let _ = parse(&(start.repeat(count) + end));
            let _ = parse(&(start.repeat(count) + end + &")".repeat(count)));
        }
    }
    assert!(parse(&("a+".repeat(400) + "a")).is_ok());
    assert!(parse(&("(".repeat(90) + "a" + &")".repeat(90))).is_ok());
    assert!(parse(&format!("a{{b=\"{}\"}}", "c".repeat(1_000_000))).is_ok());
}

#[test]
fn a_need_says_where_it_is() {
    let needs = parse("info(a) + b[5m + 1h]").map(|query| query.needs);
    assert!(needs.is_err());
    let text = "info(a) + rate(b[5m + 1h])";
    let needs: Vec<Need> = parse(text).unwrap().needs;
    let meant: Vec<&str> = needs.iter().map(|need| &text[need.span.clone()]).collect();
    assert_eq!(meant, ["info", "5m + 1h"]);
}

proptest! {
    /// Whatever a text is, it is judged, and what is meant lies in it.
    #[test]
    fn nothing_panics(text in "[a-c0-9(){}\\[\\]+*/^%@:,.=!~<>\"'`# _\\\\-]{0,40}|\\PC{0,40}") {
        match parse(&text) {
            Ok(query) => {
                for need in query.needs {
                    prop_assert!(text.get(need.span).is_some());
                }
            }
            Err(error) => prop_assert!(text.get(error.span).is_some(), "{}", error.message),
        }
    }

    /// The words of queries in any order.
    #[test]
    fn words_in_any_order_do_not_panic(words in proptest::collection::vec(prop::sample::select(vec![
        "a", "sum", "rate", "(", ")", "[5m]", "[", "]", "{", "}", "b=\"c\"", "by", "on", "offset", "5m", "@", "1", "+", "-",
        "and", "bool", "group_left", "start()", "step()", ",", ":", "fill", "inf", "info", "anchored", "\"x\"", "^", "==",
    ]), 0..14)) {
        let text = words.join(" ");
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span).is_some(), "{}", error.message);
        }
    }
}
