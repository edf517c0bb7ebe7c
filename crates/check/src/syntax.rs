//! Small syntaxes of the Kubernetes API: names, keys, ports, paths, amounts and schedules.

/// The longest DNS label, and the longest part of a label's key or value.
pub(crate) const LONGEST_LABEL: usize = 63;
/// The longest DNS subdomain.
pub(crate) const LONGEST_SUBDOMAIN: usize = 253;

fn is_lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Whether only `inner` bytes stand in it, at least one, and `outer` ones at both ends.
fn is_framed(text: &str, outer: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    match text.as_bytes() {
        [only] => outer(*only),
        [first, middle @ .., last] => outer(*first) && outer(*last) && middle.iter().all(|byte| inner(*byte)),
        [] => false,
    }
}

fn is_label_shaped(text: &str) -> bool {
    is_framed(text, is_lower_or_digit, |byte| is_lower_or_digit(byte) || byte == b'-')
}

/// A label of DNS as RFC 1123 has it: `a-1`, `1-a`.
pub(crate) fn is_dns1123_label(text: &str) -> bool {
    text.len() <= LONGEST_LABEL && is_label_shaped(text)
}

/// Labels of RFC 1123 with dots between them; only the whole has a longest length.
pub(crate) fn is_dns1123_subdomain(text: &str) -> bool {
    text.len() <= LONGEST_SUBDOMAIN && text.split('.').all(is_label_shaped)
}

/// A label of DNS as RFC 1035 has it: one that begins with a letter.
pub(crate) fn is_dns1035_label(text: &str) -> bool {
    is_dns1123_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_name_part(text: &str) -> bool {
    text.len() <= LONGEST_LABEL
        && is_framed(
            text,
            |byte| byte.is_ascii_alphanumeric(),
            |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
        )
}

/// A key of labels: a name, and before it a subdomain and `/` if need be. Those of annotations may have capitals in
/// the subdomain: lower them first.
pub(crate) fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns1123_subdomain(prefix) && is_name_part(name),
        None => is_name_part(text),
    }
}

/// The value of a label.
pub(crate) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

/// The name of a port, an IANA service name: at most 15 of `a-z0-9-`, a letter among them, hyphens one at a time and
/// inside.
pub(crate) fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_label_shaped(text)
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.contains("--")
}

/// The name of an environment variable, as every Kubernetes reads it.
pub(crate) fn is_strict_env_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().all(allowed)
        && text.starts_with(|c: char| !c.is_ascii_digit())
        && text != "."
        && !text.starts_with("..")
}

/// The name of an environment variable, as Kubernetes 1.32 and later read it: printable ASCII without `=`.
pub(crate) fn is_env_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

/// A key of a ConfigMap or Secret.
pub(crate) fn is_config_key(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty()
        && text.len() <= LONGEST_SUBDOMAIN
        && text.bytes().all(allowed)
        && text != "."
        && !text.starts_with("..")
}

/// A name that can be a part of a URL's path: what RBAC asks of the names of roles.
pub(crate) fn is_path_segment(text: &str) -> bool {
    !text.is_empty() && text != "." && text != ".." && !text.contains(['/', '%'])
}

/// Whether a path goes up with one of its parts.
pub(crate) fn goes_up(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// `10%`: the number. One too large for 64 bits is as large as one can be.
pub(crate) fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// The milliseconds of one of Prometheus' durations, such as `1h30m`; none for what is no duration, or too long to count.
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    // The only one that needs no unit.
    let mut rest = if text == "0" { "" } else { text };
    let mut milliseconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let factor = match &rest[..unit] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        milliseconds = milliseconds.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[unit..];
    }
    Some(milliseconds)
}

/// The amount that a quantity names, in billionths; none for what is no quantity, or larger than can be compared.
pub(crate) fn quantity(text: &str) -> Option<i128> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (twos, tens): (u32, i32) = match suffix {
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "" => (0, 0),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        "Ki" => (10, 0),
        "Mi" => (20, 0),
        "Gi" => (30, 0),
        "Ti" => (40, 0),
        "Pi" => (50, 0),
        "Ei" => (60, 0),
        _ => (0, suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    // Trailing zeros say nothing, and would only overflow.
    let fraction = fraction.trim_end_matches('0');
    let digits = [whole, fraction].concat();
    let digits: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let amount = digits.checked_mul(1_i128.checked_shl(twos)?)?;
    let scale = tens.checked_sub(i32::try_from(fraction.len()).ok()?)?.checked_add(9)?;
    let factor = 10_i128.checked_pow(scale.unsigned_abs());
    let amount = match (amount, factor) {
        (0, _) => 0,
        (amount, Some(factor)) if scale >= 0 => amount.checked_mul(factor)?,
        // Less than a billionth counts as one, as it does to the API server.
        (amount, Some(factor)) => amount / factor + i128::from(amount % factor != 0),
        (_, None) if scale < 0 => 1,
        (_, None) => return None,
    };
    Some(if negative { -amount } else { amount })
}

/// The fields of a schedule: least, most, and names for the numbers from the least on.
const SCHEDULE: [(&str, u64, u64, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of the week", 0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// Says why an API server does not take the schedule of a CronJob, if it does not: it reads five fields, each of
/// numbers, names, ranges, lists and steps, or a word after `@`.
pub(crate) fn wrong_schedule(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    if let Some(word) = text.strip_prefix('@') {
        let known = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"].contains(&word);
        let every = word.strip_prefix("every ").is_some_and(crate::schema::formats::is_go_duration);
        return (!known && !every).then(|| {
            "after `@` may stand yearly, monthly, weekly, daily, midnight, hourly or `every 1h30m`".to_owned()
        });
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != SCHEDULE.len() {
        return Some(format!("it has {} of the five fields: minute, hour, day, month, day of the week", fields.len()));
    }
    fields.iter().zip(SCHEDULE).find_map(|(field, (name, least, most, names))| {
        let is_right = |part: &str| part.is_empty() || is_schedule_range(part, least, most, names);
        let wrong = field.split(',').find(|part| !is_right(part))?;
        let wrong: String = wrong.chars().take(40).collect();
        Some(format!("the {name} cannot be `{wrong}`: it is from {least} to {most}"))
    })
}

/// One part of a field: `*`, `5`, `mon-fri`, `*/5`, `0-30/10`.
fn is_schedule_range(part: &str, least: u64, most: u64, names: &[&str]) -> bool {
    let number = |text: &str| {
        let at = names.iter().position(|known| text.eq_ignore_ascii_case(known));
        match at.and_then(|at| u64::try_from(at).ok()) {
            Some(at) => Some(at + least),
            None => text.parse().ok(),
        }
    };
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let (from, to) = match range.split_once('-') {
        Some((from, to)) => (from, Some(to)),
        None => (range, None),
    };
    let is_step = step.is_none_or(|step| step.parse::<u64>().is_ok_and(|step| step > 0));
    if matches!(from, "*" | "?") {
        return is_step;
    }
    let Some(start) = number(from) else { return false };
    let end = match to {
        Some(to) => number(to),
        None if step.is_some() => Some(most),
        None => Some(start),
    };
    is_step && end.is_some_and(|end| least <= start && start <= end && end <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(is: impl Fn(&str) -> bool, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert!(is(text), "{text:?}");
        }
        for text in wrong {
            assert!(!is(text), "{text:?}");
        }
    }

    #[test]
    fn names() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        let domain = format!("{}a", "a.".repeat(126));
        table(
            is_dns1123_label,
            &["a", "1", "a-1", "1--a", &longest],
            &["", "-a", "a-", "A", "a.b", "a_b", "ä", &longer],
        );
        table(is_dns1035_label, &["a", "a-1", &longest], &["1", "1a", "", "-a", &longer]);
        table(
            is_dns1123_subdomain,
            &["a", "a.b", "1.a-1", &longer, &domain],
            &["", ".", "a.", ".a", "a..b", "A.b", "a.-b", &format!("{domain}.a")],
        );
        table(is_path_segment, &["system:node", "a b", "..."], &["", ".", "..", "a/b", "50%"]);
        table(is_strict_env_name, &["A", "a-b.c", "_1", ".a"], &["", "1a", "a b", "..a", ".", "~"]);
        table(is_env_name, &["A", "1a", "a b", "a-b.c", "~"], &["", "a=b", "ä", "a\n", "\u{7f}"]);
    }

    #[test]
    fn keys_and_values() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        table(
            is_qualified_name,
            &["a", "A_b.C-d", "example.com/a", "a/A", &longest, &format!("{longer}/a")],
            &["", "/a", "a/", "a/b/c", "Example.com/a", "-a", "a_", &longer, "a b"],
        );
        table(is_label_value, &["", "a", "1.30", "A_b", &longest], &["-a", "a ", "a/b", "a:b", &longer]);
        let longest = "k".repeat(253);
        table(
            is_config_key,
            &["A_b-c.d", ".a", "-", "_", &longest],
            &["", ".", "..", "..a", "a/b", "a b", &format!("{longest}k")],
        );
    }

    #[test]
    fn ports_and_percents() {
        table(
            is_port_name,
            &["a", "1a", "http-metrics", "a23456789012345"],
            &["", "1", "a--b", "-a", "a-", "A", "a_b", "a234567890123456"],
        );
        let percents = [("0%", Some(0)), ("100%", Some(100)), ("%", None), ("1", None), ("-1%", None), ("1.5%", None)];
        for (text, expected) in percents {
            assert_eq!(percent(text), expected, "{text}");
        }
        table(goes_up, &["..", "a/..", "../a", "a/../b"], &["", "a", "..a", "a..", "a/..b"]);
    }

    #[test]
    fn quantities_are_compared_by_what_they_are_worth() {
        for (text, same) in [
            ("1", "1000m"),
            ("1.5", "1500m"),
            ("1Ki", "1024"),
            ("0.5Gi", "512Mi"),
            ("1e3", "1k"),
            ("1E-3", "1m"),
            ("1E", "1000P"),
            ("+1", "1.000000000000000000000000000000000000000"),
            ("0.1n", "1n"),
            ("0e100", "0"),
            ("-0", "0"),
            (".5", "500m"),
            ("5.", "5"),
            ("1e-40", "1n"),
        ] {
            assert!(quantity(text).is_some(), "{text}");
            assert_eq!(quantity(text), quantity(same), "{text} and {same}");
        }
        assert!(quantity("100m") < quantity("1") && quantity("-1") < quantity("0") && quantity("1G") < quantity("1Gi"));
        for text in ["", "-", ".", "1.2.3", "1GB", "1e", "1e99", "e3", "1 Gi"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("30s", Some(30_000)),
            ("1h30m", Some(5_400_000)),
            ("1d", Some(86_400_000)),
            ("500ms", Some(500)),
            ("5", None),
            ("5 m", None),
            ("1s0", None),
            ("999999999999999y", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn schedules() {
        table(
            |text| wrong_schedule(text).is_none(),
            &[
                "* * * * *",
                "*/5 * * * *",
                "0 3 * * 0-6",
                "0 0 1,15 * mon-FRI",
                "5-59/20 ? ? jan,dec *",
                "  0   0 1 1 0 ",
                "0/15 * * * *",
                "@hourly",
                "@every 1h30m",
                "+5 * * * *",
                ", * * * *",
            ],
            &[
                "",
                " ",
                "* * * *",
                "* * * * * *",
                "60 * * * *",
                "* 24 * * *",
                "* * 0 * *",
                "* * * 13 *",
                "* * * * 7",
                "*/0 * * * *",
                "10-5 * * * *",
                "a * * * *",
                "-1 * * * *",
                "1-2-3 * * * *",
                "1/2/3 * * * *",
                "mon * * * *",
                "@reboot",
                "@Hourly",
                "@every 1d",
                "@every",
            ],
        );
    }
}
