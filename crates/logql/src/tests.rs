use crate::{Expr, LabelFilter, Operator, StageKind, Value, parse};
use proptest::prelude::*;

fn message(text: &str) -> String {
    parse(text).unwrap_err().message
}

#[test]
fn what_loki_takes() {
    for text in [
        r#"{app="shop"}"#,
        r#"{ app = "shop" , namespace=~"dev|prod", pod!=``, level!~"debug" }"#,
        r#"{app="shop"} |= "error" != "timeout" |~ `\d+` !~ "a" |> "<_> b" !> "c <_>""#,
        r#"{app="shop"} |= "a" or "b" or "c" | json"#,
        r#"{app="shop"} |= ip("10.0.0.0/8") != ip("10.0.0.1-10.0.0.9")"#,
        r#"{app="shop"} | json | json a="b.c[0][\"d\"]", e | logfmt --strict --keep-empty a="b" | unpack | decolorize"#,
        r#"{app="shop"} | pattern `<ip> - <_> "<method> <_>"` | regexp "(?P<a>b)""#,
        r#"{app="shop"} | a="b" or c > 5 and (d <= 1.5h, e != 5MB) f = ip("::1")"#,
        r#"{app="shop"} | line_format "{{.a | upper}}" | label_format a=b, c="{{ .d }}""#,
        r#"{app="shop"} | drop a, b=~"c" | keep d"#,
        r#"rate({app="shop"}[5m])"#,
        r#"sum by (rate, ip) (rate({app="shop"} | json | level="error" [5m] offset -1h))"#,
        r#"sum(rate({app="shop"}[5m])) without ()"#,
        r#"rate({app="shop"}[5m] offset 5m | json | unwrap bytes(size) | __error__="")"#,
        r#"quantile_over_time(0.99, ({app="shop"} | unwrap duration(took))[1d12h]) by (app)"#,
        r#"topk by (app) (5, count_over_time({app="shop"}[5m])) / 100 > bool 2"#,
        r#"sort_desc(approx_topk(5, count_over_time({app="shop"}[5m])))"#,
        r#"rate({app="a"}[1m]) / on (app, pod) group_left (b) rate({app="b"}[1m]) or vector(0)"#,
        r#"label_replace(rate({app="a"}[1m]), "x", "$1", "y", "(.*)")"#,
        r#"variants(count_over_time({app="a"}[1m]), bytes_over_time({app="a"}[1m])) of ({app="a"}[1m])"#,
        "-1 ^ 2 + (1_000 - 0.5)",
        "vector(1)+vector(1)",
        "# what\n{app=\"shop\"} /* and */ // why",
        "SUM BY (app) (RATE({app=\"shop\"} | JSON [5m]))",
    ] {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
}

#[test]
fn what_loki_refuses() {
    for (text, expected) in [
        ("", "there is no expression"),
        ("# a", "there is no expression"),
        ("{}", "a selector that matches streams without any label: it would select every stream"),
        (r#"{a=~".*"}"#, "a selector that matches streams without any label: it would select every stream"),
        (r#"rate({a!="b"}[5m])"#, "a selector that matches streams without any label: it would select every stream"),
        (r#"{a="b",}"#, "unexpected `}` where a label stands"),
        (r#"{a="b" c="d"}"#, "unexpected `c` where `,` or `}` stands"),
        ("{a=b}", "unexpected `b` where a quoted text stands"),
        ("{a='b'}", "unexpected `'`"),
        (r#"{a="b"#, "a text that begins with \" does not end"),
        (r#"{a="\d"}"#, r"a text has no escape `\\d`"),
        (r#"{json="b"}"#, "unexpected `json` where a label stands"),
        (r#"{a=~"("}"#, "the regular expression is wrong: a `(` is not closed"),
        (r#"up{a="b"}"#, "`up` before a selector of streams"),
        (r#"sum(up{a="b"})"#, "`up` before a selector of streams"),
        ("up == 0", "unexpected `up` where an expression stands"),
        (r#"abs(rate({a="b"}[5m]))"#, "there is no function `abs`"),
        (r#"sum(rate({a="b"}[5m])"#, "`)` is missing at the end"),
        (r#"rate({a="b"}[5m)"#, "a `[` that is never closed"),
        (r#"rate({a="b"}[5])"#, "`5` is no length of time, such as `5m`"),
        (r#"rate({a="b"}[$__interval])"#, "`$__interval` is no length of time, such as `5m`"),
        (r#"rate({a="b"})"#, "`rate` takes lines in a range of time"),
        (r#"{a="b"}[5m]"#, "unexpected range where an operator or the end stands"),
        (r#"rate({a="b"}[5m]) offset 5m"#, "unexpected `offset` where an operator or the end stands"),
        (r#"rate({a="b"} |= "c" [5m] |= "d")"#, "unexpected `|=` where `)` stands"),
        (r#"sum({a="b"})"#, "`sum` takes numbers, not lines of logs"),
        (r#"{a="b"} | json == 1"#, "`==` takes numbers, not lines of logs"),
        (r#"{a="b"} | unwrap c"#, "unexpected `|` where an operator or the end stands"),
        (r#"sum_over_time({a="b"}[5m])"#, "`sum_over_time` takes the values of a label"),
        (r#"count_over_time({a="b"} | unwrap c [5m])"#, "`count_over_time` counts lines, and takes no `unwrap`"),
        (r#"rate({a="b"}[5m]) by (c)"#, "`rate` takes no `by` and no `without`"),
        (r#"sum_over_time({a="b"} | unwrap hours(c) [5m])"#, "unexpected `hours` where a conversion stands"),
        (r#"quantile_over_time({a="b"} | unwrap c [5m])"#, "`quantile_over_time` takes a quantile first"),
        (r#"rate(1, {a="b"}[5m])"#, "`rate` takes no number"),
        (r#"topk(rate({a="b"}[5m]))"#, "`topk` takes how many it picks first"),
        (r#"topk(0, rate({a="b"}[5m]))"#, "`topk` picks a whole number of series, one at least, not 0"),
        (r#"sort(rate({a="b"}[5m])) by (c)"#, "`sort` takes no `by` and no `without`"),
        (r#"rate({a="b"}[5m]) or 0"#, "`or` takes series on both sides, not a number"),
        ("vector(-1)", "unexpected `-` where a number stands"),
        ("1e400", "`1e400` is no decimal number"),
        ("08", "an octal number with the digit 8 or 9"),
        (r#"{a="b"} | pattern "<a><b>""#, "the captures `<a>` and `<b>` have nothing between them"),
        (r#"{a="b"} | pattern "<a> <a>""#, "the capture `<a>` stands twice"),
        (r#"{a="b"} | pattern "<_> c""#, "a pattern without a named capture such as `<status>`"),
        (r#"{a="b"} |> "<a> c""#, "the capture `<a>` has a name, and a filter makes no labels"),
        (r#"{a="b"} | regexp "c""#, "an expression without a named group"),
        (r#"{a="b"} | regexp "(?P<c>d)(?P<c>e)""#, "the group `c` stands twice"),
        (r#"{a="b"} | json c="d[""#, "`d[` is no way through JSON"),
        (r#"{a="b"} | logfmt c="d.e""#, "`d.e` is no key of logfmt"),
        (r#"{a="b"} | logfmt --strikt"#, "there is no flag `--strikt`"),
        (r#"{a="b"} | line_format "{{ .c""#, "a template that never ends"),
        (r#"{a="b"} | line_format "{{ humanize .c }}""#, "a template calls `humanize`, and there is no such function"),
        (r#"{a="b"} | label_format c=d, c=e"#, "the label `c` is formatted twice"),
        (r#"{a="b"} | label_format __error__=c"#, "the label `__error__` is Loki's own, and cannot be formatted"),
        (r#"{a="b"} |~ ip("::1")"#, "`ip` stands behind `|=` and `!=`, not behind `|~`"),
        (r#"{a="b"} | c=ip("10.0.0")"#, "`10.0.0` is no address"),
        (r#"{a="b"} | c == "d""#, "unexpected text where a number, a length of time or a size stands"),
        (r#"{a="b"} | c"#, "a comparison is missing at the end"),
        (r#"{a="b"} | c=1,"#, "a label is missing at the end"),
        (r#"{a="b"} |"#, "a filter, a parser or a format, such as `json` or `level=\"error\"`, is missing at the end"),
        (
            r#"label_replace(rate({a="b"}[5m]), "c", "d", "e", "(")"#,
            "the regular expression is wrong: a `(` is not closed",
        ),
    ] {
        assert_eq!(message(text), expected, "{text}");
    }
}

#[test]
fn places_and_remedies() {
    for (text, meant, help) in [
        (r#"sum(rate({a=""}[5m]))"#, r#"{a=""}"#, true),
        (r#"{a="b"} | json | pattern "c""#, r#"| pattern "c""#, false),
        (r#"{a="b"} |~ "c" or "(""#, r#""(""#, false),
        (r#"sum(rate({a="b"}[5x]))"#, "[5x]", false),
        (r#"rate({a="b"}[$__auto])"#, "[$__auto]", true),
        (r#"rate({a="b"}[5m]) and 1"#, "and", true),
        (r#"sum(up{a="b"})"#, "up", true),
        (r#"{a="\d"}"#, r"\d", true),
        (r#"sum(rate({a="b"}[5m])"#, "", false),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((&text[error.span], error.help.is_some()), (meant, help), "{text}");
    }
}

#[test]
fn what_binds_closer() {
    fn shape(expr: &Expr) -> String {
        match expr {
            Expr::Binary(it) => format!("({} {} {})", shape(&it.left), it.op, shape(&it.right)),
            Expr::Constant(number) => number.to_string(),
            other => format!("{other:?}"),
        }
    }
    for (text, expected) in [
        ("vector(1) + vector(2) * vector(3) ^ vector(4) ^ vector(5)", "(1 + (2 * (3 ^ (4 ^ 5))))"),
        ("vector(1) or vector(2) and vector(3) unless vector(4)", "(1 or ((2 and 3) unless 4))"),
        ("vector(1) == vector(2) + vector(3)", "(1 == (2 + 3))"),
        ("vector(1) - vector(2) - vector(3)", "((1 - 2) - 3)"),
    ] {
        assert_eq!(shape(&parse(text).unwrap()), expected, "{text}");
    }
    assert!(Operator::GreaterEqual.is_comparison() && !Operator::Add.is_comparison() && Operator::Unless.is_set());
}

#[test]
fn what_is_asked_for() {
    let expr = parse(r#"sum(rate({a="b", c=~"d|"}[5m])) / rate({e="f"} | json [1h]) > 0"#).unwrap();
    let logs = expr.logs();
    assert_eq!(logs[0].matchers.iter().map(|it| it.matches_empty).collect::<Vec<_>>(), [false, true]);
    assert_eq!(logs[1].matchers[0].to_string(), "e=\"f\"");
    assert_eq!(logs[1].stages.len(), 1);
    assert!(expr.is_metric() && !parse(r#"({a="b"} | json)"#).unwrap().is_metric());
}

#[test]
fn values_that_labels_are_compared_with() {
    for (text, expected) in [
        ("1.5h", Value::Time(5_400_000_000_000)),
        ("-5m", Value::Time(-300_000_000_000)),
        ("1d12h", Value::Time(129_600_000_000_000)),
        ("1µs", Value::Time(1000)),
        ("5MB", Value::Bytes(5_000_000)),
        ("1.5KiB", Value::Bytes(1536)),
        ("10B", Value::Bytes(10)),
        ("1_000", Value::Number(1000.0)),
        ("- 1e3", Value::Number(-1000.0)),
    ] {
        let expr = parse(&format!("{{a=\"b\"}} | c > {text}")).unwrap();
        let Expr::Log(log) = expr else { panic!("{text}") };
        let StageKind::Labels(LabelFilter::Value { value, .. }) = &log.stages[0].kind else {
            panic!("{text}: {log:?}")
        };
        assert_eq!(*value, expected, "{text}");
    }
}

#[test]
fn deep_texts_end() {
    for (start, end) in [
        ("(", "1"),
        ("1+", "1"),
        ("sum(", "1"),
        ("{a=\"b\"}|(", "c=1"),
        ("rate((", "{a=\"b\"}[5m]"),
        ("{a=\"b\"} |= \"a\" or ", "\"b\""),
        ("{a=\"b\"} | a=1 or ", "b=1"),
        ("2^", "1"),
        ("-", "1"),
        ("variants(", "1"),
    ] {
        for count in [99, 499, 100_000] {
            let _ = parse(&(start.repeat(count) + end));
            let _ = parse(&(start.repeat(count) + end + &")".repeat(count)));
        }
    }
    assert!(parse(&format!("{{a=\"b\"}} | {}b=1", "a=1 or ".repeat(10_000))).is_ok());
    assert!(parse(&format!("{{a=\"b\"}} {}", "|= \"c\"".repeat(10_000))).is_ok());
    assert!(parse(&("vector(1)+".repeat(400) + "1")).is_ok());
    assert!(parse(&format!("{{a=\"b\"}} | {}c=1{}", "(".repeat(90), ")".repeat(90))).is_ok());
}

proptest! {
    /// Whatever a text is, it is judged, and what is meant lies in it.
    #[test]
    fn nothing_panics(text in "[a-c0-9(){}\\[\\]+*/^%:,.=!~<>|\"'`# _\\\\-]{0,40}|\\PC{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span).is_some(), "{}", error.message);
        }
    }

    /// The words of queries in any order.
    #[test]
    fn words_in_any_order_do_not_panic(words in proptest::collection::vec(prop::sample::select(vec![
        "{a=\"b\"}", "sum", "rate", "(", ")", "[5m]", "|", "|=", "!=", "\"c\"", "by", "on", "offset", "5m", "1", "+", "-", "and",
        "bool", "group_left", "json", "logfmt", "--strict", "unwrap", "line_format", "label_format", "x", "=", "ip", ",", "or",
        "drop", "vector", "variants", "of", "5MB", "`{{ .a }}`", "pattern", "\"<a> <b>\"",
    ]), 0..14)) {
        let text = words.join(" ");
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span).is_some(), "{}", error.message);
        }
    }
}
