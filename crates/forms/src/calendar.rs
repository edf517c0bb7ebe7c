//! When something is so: times of the day, dates, ranges of days, months and years, time zones. As Alertmanager reads its time
//! intervals (`timeinterval/timeinterval.go` of 0.30), and as an API server reads a time zone
//! (`validateTimeZone` of `pkg/apis/batch/validation`).

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Why something is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is not one member or two with a `:` between them.
    Form,
    /// It ends before it begins.
    Order,
}

/// A time of the day such as `09:30`, in minutes since midnight; `24:00` is the end of the day.
pub fn time_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let number = |part: &str| part.parse::<u16>().ok().filter(|_| two_digits(part));
    match (number(hours)?, number(minutes)?) {
        (hours @ 0..=23, minutes @ 0..=59) => Some(hours * 60 + minutes),
        (24, 0) => Some(24 * 60),
        _ => None,
    }
}

/// A range of members such as `monday:friday`, or one member alone, which is both its ends.
pub fn range(text: &str, member: impl Fn(&str) -> Option<i64>) -> Result<(), Wrong> {
    let (begin, end) = ends(text, member).ok_or(Wrong::Form)?;
    if begin > end { Err(Wrong::Order) } else { Ok(()) }
}

/// The two ends of a range, whatever their order.
pub fn ends(text: &str, member: impl Fn(&str) -> Option<i64>) -> Option<(i64, i64)> {
    let (begin, end) = text.split_once(':').unwrap_or((text, text));
    Some((member(begin)?, member(end)?))
}

/// A day of the week by its name, in any case. The week begins on Sunday: `saturday:sunday` ends before it begins.
pub fn weekday(name: &str) -> Option<i64> {
    position(&WEEKDAYS, name)
}

/// A month by its name, in any case, or by a number, which Alertmanager compares with nothing else.
pub fn month(text: &str) -> Option<i64> {
    position(&MONTHS, text).map(|at| at + 1).or_else(|| whole_number(text))
}

/// A month that a year has: stricter than Alertmanager.
pub fn month_of_the_year(text: &str) -> Option<i64> {
    month(text).filter(|month| (1..=12).contains(month))
}

/// A number as Go's `strconv.Atoi` reads it, such as a year.
pub fn whole_number(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// A day of the month or a range such as `1:7`; `-1` is the last day.
pub fn days_of_month(text: &str) -> Result<(), Wrong> {
    match ends(text, whole_number).filter(|(begin, end)| is_day(*begin) && is_day(*end)) {
        None => Err(Wrong::Form),
        Some((begin, end)) if is_range_of_days(begin, end) => Ok(()),
        Some(_) => Err(Wrong::Order),
    }
}

/// Whether these are days of a month, the first one first; below zero they count from its end.
pub fn is_range_of_days(begin: i64, end: i64) -> bool {
    // No month has fewer days: what is out of order in February is refused.
    let counted = |day: i64| if day < 0 { 28 + day } else { day };
    is_day(begin) && is_day(end) && !(begin < 0 && end > 0) && counted(begin) <= counted(end)
}

fn is_day(day: i64) -> bool {
    day != 0 && (-31..=31).contains(&day)
}

/// Whether `text` is a day such as `2024-01-31`.
pub fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u32>().ok()).flatten()
    };
    let [year, month, day] = parts.as_slice() else { return false };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let days = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// The time zones that programs of Go find: those of `lib/time/zoneinfo.zip` in Go 1.26.
const ZONES: &str = include_str!("zones.txt");

/// Whether programs of Go find a time zone of this name.
pub fn is_time_zone(text: &str) -> bool {
    ZONES.lines().any(|zone| zone == text)
}

/// The names of all time zones.
pub fn time_zones() -> impl Iterator<Item = &'static str> + Clone {
    ZONES.lines()
}

fn position(names: &[&str], name: &str) -> Option<i64> {
    names.iter().position(|known| known.eq_ignore_ascii_case(name)).and_then(|at| i64::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_day() {
        for (text, minutes) in [("00:00", Some(0)), ("09:30", Some(570)), ("24:00", Some(1440))] {
            assert_eq!(time_of_day(text), minutes, "{text}");
        }
        for text in ["", "9:30", "24:01", "12:60", "12", "12:3", "+1:30", "12:30:00"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn ranges() {
        type Read = fn(&str) -> Result<(), Wrong>;
        for (read, right, form, order) in [
            (
                (|text| range(text, weekday)) as Read,
                ["monday:friday", "Sunday"],
                ["mon", "1:5"],
                ["saturday:sunday", "friday:monday"],
            ),
            (days_of_month, ["1:7", "-3:-1"], ["0", "1:32"], ["7:1", "-1:1"]),
            (
                |text| range(text, month_of_the_year),
                ["january:march", "11:12"],
                ["13", "jan"],
                ["november:february", "3:1"],
            ),
            (|text| range(text, whole_number), ["2026", "2026:2028"], ["next", "2026:"], ["2028:2026", "2:1"]),
        ] {
            for text in right {
                assert_eq!(read(text), Ok(()), "{text}");
            }
            for text in form {
                assert_eq!(read(text), Err(Wrong::Form), "{text}");
            }
            for text in order {
                assert_eq!(read(text), Err(Wrong::Order), "{text}");
            }
        }
        assert_eq!(range("monday:tuesday:friday", weekday), Err(Wrong::Form));
        assert_eq!(range("13", month), Ok(()));
        assert_eq!(days_of_month("1:-1"), Ok(()));
    }

    #[test]
    fn dates() {
        for text in ["2024-01-31", "2024-02-29", "2000-02-29"] {
            assert!(is_date(text), "{text}");
        }
        for text in ["", "2024-13-01", "2023-02-29", "1900-02-29", "2024-04-31", "24-01-01", "2024-1-1", "2024-01-00"] {
            assert!(!is_date(text), "{text}");
        }
    }

    #[test]
    fn time_zones() {
        for text in ["UTC", "Europe/Berlin", "Etc/GMT+5", "America/Argentina/Buenos_Aires"] {
            assert!(is_time_zone(text), "{text}");
        }
        for text in ["", "Local", "../etc/passwd", "Europe/", "-x", "a b", "Europe/Berlinn", "europe/berlin"] {
            assert!(!is_time_zone(text), "{text}");
        }
    }
}
