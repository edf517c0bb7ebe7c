//! Texts and numbers with a form, and the limits of JSON schemas.

use super::model::Limits;
use crate::version::Version;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use vigil_forms::quantity::Quantity;
use vigil_forms::{address, duration};
use vigil_yaml::plain::Plain;
use vigil_yaml::{Data, Node, Quoted};

/// RFC 3339 with a time zone, as Go's `time.RFC3339` takes it.
pub(crate) fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let Some(end) = time.find(['Z', '+', '-']) else { return false };
    let (clock, zone) = time.split_at(end);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let numbers = |text: &str, widths: &[usize], separator: char, most: &[u32]| {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len() == widths.len()
            && parts.iter().zip(widths).zip(most).all(|((part, width), most)| {
                part.len() == *width
                    && part.bytes().all(|b| b.is_ascii_digit())
                    && part.parse::<u32>().is_ok_and(|value| value <= *most)
            })
    };
    is_date(date)
        && numbers(clock, &[2, 2, 2], ':', &[23, 59, 59])
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
        && (zone == "Z" || numbers(&zone[1..], &[2, 2], ':', &[24, 60]))
}

/// A day of the calendar, as 2026-01-31.
pub(crate) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return false;
    }
    let (Ok(year), Ok(month), Ok(day)) = (year.parse::<u32>(), month.parse::<u32>(), day.parse::<u32>()) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Standard base64 with padding; Go's reader passes over line breaks, and over bits that no byte has room for.
pub(crate) fn is_base64(text: &str) -> bool {
    const LENIENT: GeneralPurpose =
        GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    LENIENT.decode(text).is_ok()
}

/// Whether a server holds the numbers of custom resources to their `format`.
pub(super) fn limits_numbers(version: Version) -> bool {
    version >= Version::new(1, 36)
}

/// A limit that no number of so many bits can have, which lets no number pass.
pub(super) fn boundless(limits: &Limits, bits: u8) -> Option<(&'static str, f64)> {
    // The first number that is too large: two to the power of one bit less.
    let end = 2_f64.powi(if bits == 32 { 31 } else { 63 });
    let fits = |bound: f64| bound.fract() == 0.0 && (-end..end).contains(&bound);
    [("maximum", limits.maximum), ("minimum", limits.minimum), ("multipleOf", limits.multiple_of)]
        .into_iter()
        .find_map(|(key, bound)| Some((key, bound.filter(|bound| !fits(*bound))?)))
}

/// The formats that API servers know of those that a definition can name; any other is taken for a remark.
fn has_format(text: &str, format: &str) -> bool {
    match format {
        "date-time" | "datetime" => is_date_time(text),
        "date" => is_date(text),
        "byte" => is_base64(text),
        "duration" => duration::is_format(text),
        "ipv4" => text.contains('.') && address::ip(text).is_some(),
        "ipv6" => text.contains(':') && address::plain_ip(text).is_some(),
        "cidr" => address::Network::parse(text).is_ok(),
        "uuid" => {
            let hex: String = text.chars().filter(|c| *c != '-').collect();
            hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit())
        }
        _ => true,
    }
}

/// The limits that `node` breaks: what is wrong, and what was expected.
pub(super) fn broken(node: &Node, limits: &Limits) -> Vec<(String, String)> {
    let mut broken = Vec::new();
    match &node.data {
        Data::Scalar(scalar) => match node.scalar() {
            Some(Plain::Text) => text(&scalar.text, limits, &mut broken),
            Some(Plain::Integer(value)) => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "limits are far below the numbers that floats cannot hold"
                )]
                number(value as f64, &scalar.text, limits, &mut broken);
            }
            Some(Plain::Float(value)) => number(value, &scalar.text, limits, &mut broken),
            _ => {}
        },
        Data::List(items) => {
            count(items.len(), ("item", "items"), limits.min_items, limits.max_items, &mut broken);
        }
        Data::Map(entries) => {
            count(entries.len(), ("key", "keys"), limits.min_properties, limits.max_properties, &mut broken);
        }
    }
    broken
}

fn text(text: &str, limits: &Limits, broken: &mut Vec<(String, String)>) {
    count(text.chars().count(), ("character", "characters"), limits.min_length, limits.max_length, broken);
    if let Some(pattern) = limits.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
        broken.push(if let Some((called, meant)) = pattern.amount(text) {
            (format!("{} is not {called}", Quoted(text)), format!("expected a number with its unit, such as `{meant}`"))
        } else {
            let expected = format!("expected a match of {}", Quoted(&pattern.text));
            (format!("{} does not match the pattern of its field", Quoted(text)), expected)
        });
    }
    if let Some(format) = limits.format.as_deref().filter(|format| !has_format(text, format)) {
        broken
            .push((format!("{} does not have the format of its field", Quoted(text)), format!("expected `{format}`")));
    }
}

fn number(value: f64, text: &str, limits: &Limits, broken: &mut Vec<(String, String)>) {
    let small = limits.minimum.filter(|least| value < *least || limits.exclusive_minimum && value <= *least);
    let large = limits.maximum.filter(|most| value > *most || limits.exclusive_maximum && value >= *most);
    if let Some(least) = small {
        let what = if limits.exclusive_minimum { "more than" } else { "at least" };
        broken.push((format!("{} is too small", Quoted(text)), format!("expected {what} {least}")));
    }
    if let Some(most) = large {
        let what = if limits.exclusive_maximum { "less than" } else { "at most" };
        broken.push((format!("{} is too large", Quoted(text)), format!("expected {what} {most}")));
    }
    if let Some(factor) = limits.multiple_of.filter(|factor| *factor > 0.0 && (value / factor).fract() != 0.0) {
        broken.push((format!("{} is no multiple", Quoted(text)), format!("expected a multiple of {factor}")));
    }
}

fn count(
    found: usize,
    (one, many): (&str, &str),
    least: Option<usize>,
    most: Option<usize>,
    broken: &mut Vec<(String, String)>,
) {
    let noun = |count: usize| if count == 1 { one.to_owned() } else { many.to_owned() };
    if let Some(least) = least.filter(|least| found < *least) {
        broken.push((
            format!("{found} {} are too few", noun(found)),
            format!("expected at least {least} {}", noun(least)),
        ));
    }
    if let Some(most) = most.filter(|most| found > *most) {
        broken
            .push((format!("{found} {} are too many", noun(found)), format!("expected at most {most} {}", noun(most))));
    }
}

/// The spelling of a number with its unit that is right, of a text for which it was likely meant: `10 days` is `10d`, and
/// what has no unit is seconds or megabytes.
pub(crate) fn meant(text: &str, is_right: impl Fn(&str) -> bool) -> Option<String> {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let word = rest.trim();
    let first = word.chars().next().map(|first| first.to_ascii_lowercase().to_string()).unwrap_or_default();
    // `5 months` are no minutes, and the first of several units is not all of them.
    let short = if word.starts_with("mo") || word.contains(|c: char| c.is_ascii_digit()) { "" } else { first.as_str() };
    let units = if word.is_empty() {
        vec!["s".to_owned(), "MB".to_owned()]
    } else {
        vec![word.to_owned(), short.to_owned(), word.to_lowercase(), word.to_uppercase(), format!("{word}B")]
    };
    // Where no day is known, there are hours.
    let hours = match short {
        "d" => number.parse::<u32>().ok().and_then(|days| days.checked_mul(24)),
        "w" => number.parse::<u32>().ok().and_then(|weeks| weeks.checked_mul(7 * 24)),
        _ => None,
    };
    let spelled = units.into_iter().map(|unit| format!("{number}{unit}"));
    let mut spelled = spelled.chain(hours.map(|hours| format!("{hours}h")));
    spelled.find(|text| !number.is_empty() && is_right(text))
}

/// The quantity that a text was likely meant to be: `128MB` is `128M`, `1 Gi` is `1Gi`, and `0,5` is `0.5`.
pub(super) fn quantity_meant(text: &str) -> Option<String> {
    let meant: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let meant = meant.replacen(',', ".", 1);
    let end = meant.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(meant.len());
    let (number, unit) = meant.split_at(end);
    let unit = unit.trim_end_matches(['b', 'B']);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "m" => unit.to_owned(),
        "k" => "k".to_owned(),
        // A small letter in front of an `i` is that of a large unit.
        lower => lower[..1].to_ascii_uppercase() + &lower[1..],
    };
    let meant = format!("{number}{unit}");
    Quantity::parse(&meant).is_ok().then_some(meant)
}

/// Whether a field holds a length of time, by its name.
pub(super) fn is_named_for_time(path: &str) -> bool {
    const WORDS: [&str; 9] =
        ["wait", "interval", "timeout", "duration", "delay", "period", "retention", "renewbefore", "ttl"];
    let name = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    name == "for" || WORDS.iter().any(|word| name.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        for (text, meant) in [
            ("128MB", Some("128M")),
            ("128mb", Some("128m")),
            ("1 Gi", Some("1Gi")),
            ("10 GB", Some("10G")),
            ("64gib", Some("64Gi")),
            ("10KiB", Some("10Ki")),
            ("0,5", Some("0.5")),
            ("half", None),
            ("", None),
            ("1ü", None),
        ] {
            assert_eq!(quantity_meant(text).as_deref(), meant, "{text}");
        }
    }

    #[test]
    fn times() {
        for text in ["2026-01-31T12:00:00Z", "2024-02-29T23:59:59.123+01:00"] {
            assert!(is_date_time(text), "{text}");
        }
        for text in [
            "2026-01-31",
            "2026-02-29T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:00",
            "T",
            "2026-1-31T00:00:00Z",
        ] {
            assert!(!is_date_time(text), "{text}");
        }
    }

    #[test]
    fn other_formats() {
        for (format, right, wrong) in [
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("ipv6", "::1", "10.0.0.1"),
            ("ipv4", "010.0.0.1", "::1"),
            ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
            ("cidr", "10.0.0.0/08", "10.0.0.0/+8"),
            ("uuid", "12345678-1234-1234-1234-123456789abc", "12345678"),
            ("duration", "1 day", "day"),
            ("byte", "aGVsbG8=", "aGVsbG8"),
            ("date", "2026-01-31", "2026-01-32"),
        ] {
            assert!(has_format(right, format), "{right}");
            assert!(!has_format(wrong, format), "{wrong}");
        }
        assert!(has_format("anything", "no-such-format"));
    }
}
