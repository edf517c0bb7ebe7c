//! Lengths of time, as Prometheus, Go, API servers and Grafana read them.

use std::time::Duration;

/// What is wrong with a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// An empty text.
    Empty,
    /// A number without a unit.
    NoUnit,
    /// A unit that is none or in the wrong place, or no number before it.
    Form,
    /// More than 292 years, which is what 64 bits of nanoseconds hold.
    TooLong,
}

/// `1h30m`, as `model.ParseDuration` of github.com/prometheus/common reads it: whole numbers, and units from large to
/// small, each once.
pub fn prometheus(text: &str) -> Result<Duration, Wrong> {
    const UNITS: [(&str, u64); 7] = [
        ("y", 31_536_000_000),
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    const LONGEST: u64 = i64::MAX.unsigned_abs() / 1_000_000;
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(Wrong::Empty);
    }
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, tail) = digits(rest);
        let (unit, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        if number.len() == text.len() {
            return Err(Wrong::NoUnit);
        }
        let (_, millis) = units.find(|(name, _)| *name == unit && !number.is_empty()).ok_or(Wrong::Form)?;
        let number: u64 = number.parse().map_err(|_| Wrong::TooLong)?;
        let part = number.checked_mul(*millis).filter(|part| *part <= LONGEST).ok_or(Wrong::TooLong)?;
        // Two numbers below `LONGEST` have a sum.
        total = Some(total + part).filter(|total| *total <= LONGEST).ok_or(Wrong::TooLong)?;
        rest = tail;
    }
    Ok(Duration::from_millis(total))
}

/// `-1.5h`, as Go's `time.ParseDuration` reads it: decimal numbers with units up to hours, in any order. In nanoseconds.
pub fn go(text: &str) -> Result<i64, Wrong> {
    const UNITS: [(&str, u64); 8] = [
        ("ns", 1),
        ("us", 1000),
        ("µs", 1000),
        ("μs", 1000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    // Of a negative one; a positive one is shorter by one.
    const LONGEST: u64 = i64::MIN.unsigned_abs();
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(Wrong::Empty);
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (whole, tail) = digits(rest);
        let (fraction, tail) = tail.strip_prefix('.').map_or(("", tail), digits);
        let (unit, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len()));
        if whole.is_empty() && fraction.is_empty() {
            return Err(Wrong::Form);
        }
        if unit.is_empty() {
            return Err(Wrong::NoUnit);
        }
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(Wrong::Form)?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Wrong::TooLong)? };
        let part = whole.checked_mul(*nanos).filter(|part| *part <= LONGEST).ok_or(Wrong::TooLong)?;
        // A part of a unit and two numbers below `LONGEST` have a sum.
        let part = Some(part + part_of(fraction, *nanos)).filter(|part| *part <= LONGEST).ok_or(Wrong::TooLong)?;
        total = total.checked_add(part).filter(|total| *total <= LONGEST).ok_or(Wrong::TooLong)?;
        rest = tail;
    }
    match i64::try_from(total) {
        Ok(total) if text.starts_with('-') => Ok(-total),
        Ok(total) => Ok(total),
        Err(_) if text.starts_with('-') => Ok(i64::MIN),
        Err(_) => Err(Wrong::TooLong),
    }
}

/// What the digits behind a point are of a unit, rounded down.
fn part_of(fraction: &str, unit: u64) -> u64 {
    // Digits behind these say nothing: no unit is as much as 10^13.
    let fraction = &fraction[..fraction.len().min(18)];
    let scale = fraction.bytes().fold(1_u128, |scale, _| scale * 10);
    let part = fraction.parse::<u64>().map_or(0, |digits| u128::from(digits) * u128::from(unit) / scale);
    u64::try_from(part).unwrap_or(unit)
}

/// Whether an API server takes a text for `format: duration` of a schema: what Go reads, and otherwise numbers with
/// words such as `1 day` anywhere in it. `strfmt.ParseDuration` of k8s.io/kube-openapi.
pub fn is_format(text: &str) -> bool {
    const UNITS: [&str; 11] = ["ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"];
    const STEMS: [&str; 8] = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
    if go(text).is_ok() {
        return true;
    }
    let mut is_one = false;
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (number, tail) = digits(&rest[start..]);
        let tail = tail.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let (word, tail) =
            tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(tail.len()));
        rest = tail;
        if word.is_empty() {
            continue;
        }
        if number.parse::<i64>().is_err() {
            return false;
        }
        let begins = |stem: &&str| word.get(..stem.len()).is_some_and(|start| start.eq_ignore_ascii_case(stem));
        is_one |= UNITS.iter().any(|unit| word.eq_ignore_ascii_case(unit)) || STEMS.iter().any(begins);
    }
    is_one
}

/// Whether Grafana takes a text for a length of time: what Go reads, or a whole number of days, weeks, months or years.
/// `gtime.ParseDuration` of github.com/grafana/grafana-plugin-sdk-go.
pub fn is_grafana(text: &str) -> bool {
    let days = || text.strip_suffix(['d', 'w', 'M', 'y']);
    go(text).is_ok() || days().is_some_and(|number| digits(number).1.is_empty() && number.parse::<i64>().is_ok())
}

/// A length of time as Go reads it, in the largest unit that it is a whole number of: `5d` is `120h`.
pub fn to_go(duration: Duration) -> String {
    let millis = duration.as_millis();
    let unit =
        [(3_600_000, "h"), (60_000, "m"), (1000, "s")].into_iter().find(|(unit, _)| millis.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{millis}ms"), |(unit, name)| format!("{}{name}", millis / unit))
}

/// The digits that a text begins with, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_of_prometheus() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("10d", 864_000_000),
            ("1h30m", 5_400_000),
            ("1y2w3d4h5m6s7ms", 33_019_506_007),
            ("500ms", 500),
            ("00000000000000000000001s", 1000),
            ("106751d", 9_223_286_400_000),
        ] {
            assert_eq!(prometheus(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for (text, wrong) in [
            ("", Wrong::Empty),
            ("10", Wrong::NoUnit),
            ("1h30", Wrong::Form),
            ("5 m", Wrong::Form),
            ("1m1h", Wrong::Form),
            ("1h1h", Wrong::Form),
            ("1.5h", Wrong::Form),
            ("-1d", Wrong::Form),
            ("d", Wrong::Form),
            ("10D", Wrong::Form),
            ("1µs", Wrong::Form),
            ("٣d", Wrong::Form),
            ("300y", Wrong::TooLong),
            ("292y1y", Wrong::Form),
            ("292y52w", Wrong::TooLong),
            ("99999999999999999999d", Wrong::TooLong),
        ] {
            assert_eq!(prometheus(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn durations_of_go() {
        for (text, nanos) in [
            ("0", 0),
            ("-0", 0),
            ("1h30m", 5_400_000_000_000),
            ("30m1h", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("-3ms", -3_000_000),
            ("1µs", 1000),
            ("1μs", 1000),
            ("0.3333333333333333333333h", 1_200_000_000_000 - 1),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(go(text), Ok(nanos), "{text}");
        }
        for (text, wrong) in [
            ("", Wrong::Empty),
            ("-", Wrong::Empty),
            ("1", Wrong::NoUnit),
            ("1h30", Wrong::NoUnit),
            ("1d", Wrong::Form),
            ("s", Wrong::Form),
            (".", Wrong::Form),
            (".s", Wrong::Form),
            ("1hm", Wrong::Form),
            ("1 h", Wrong::Form),
            ("1h ", Wrong::Form),
            ("--1h", Wrong::Form),
            ("1.2.3h", Wrong::NoUnit),
            ("9223372036854775808ns", Wrong::TooLong),
            ("2562048h", Wrong::TooLong),
        ] {
            assert_eq!(go(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn formats_and_settings() {
        for text in ["1h30m", "1d", "1 day", "3 Weeks", "about 5 minutes", "2hours", "1week2x", "1µS"] {
            assert!(is_format(text), "{text}");
        }
        for text in ["", "1", "day", "1 x", "1x2", "99999999999999999999 days", "99999999999999999999h"] {
            assert!(!is_format(text), "{text}");
        }
        for text in ["0", "7d", "1h30m", "1.5h", "2M", "1y", "30s"] {
            assert!(is_grafana(text), "{text}");
        }
        for text in ["", "30", "30 s", "s", "d", "1d12h", "1.5d", "-1d", "+1d", "1W", "99999999999999999999d"] {
            assert!(!is_grafana(text), "{text}");
        }
    }

    #[test]
    fn written_for_go() {
        for (text, written) in [("5d", "120h"), ("90m", "90m"), ("61s", "61s"), ("1s1ms", "1001ms"), ("0", "0h")] {
            assert_eq!(prometheus(text).map(to_go).as_deref(), Ok(written));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in 0_u64..1 << 40) {
            let duration = Duration::from_millis(millis);
            let nanos = i64::try_from(duration.as_nanos()).unwrap();
            prop_assert_eq!(go(&to_go(duration)), Ok(nanos));
            prop_assert_eq!(prometheus(&to_go(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_read(text in r"[-+]?([0-9.]{0,25}(ns|us|µs|ms|s|m|h|d|w|y|M| day)?){0,5}|\PC*") {
            let _ = (prometheus(&text), go(&text), is_format(&text), is_grafana(&text));
        }
    }
}
